//! In: a loop nest of which most turns of a loop add nothing, since they are multiplied by 0. Out: the loop that passes those over,
//! unless what else is multiplied by is not finite.

use super::index;
use super::names::numbered;
use super::nest::Nest;
use super::value;
use crate::plan::kernel::{Access, Gate, Value};
use proc_macro2::TokenStream;
use quote::quote;

impl Nest<'_> {
    /// What tells which turns of a loop are passed over.
    pub fn gate(&self, depth: usize) -> Option<Gate> {
        self.kernel.gate.filter(|gate| self.kernel.depth[gate.entries] == depth + 1)
    }

    /// The loop at `depth`, without those turns.
    pub fn passed(&self, gate: Gate, depth: usize) -> TokenStream {
        match &self.kernel.values[gate.entries] {
            Value::Load(access) => self.stored(gate, access, depth),
            _ => self.computed(gate, depth),
        }
    }

    /// What is 0 stands in memory.
    fn stored(&self, gate: Gate, access: &Access, depth: usize) -> TokenStream {
        let last = &self.kernel.loops[depth];
        let (ix, size) = (self.index(depth), index::dim(self.graph, &last.size));
        let (buffer, others) = (self.places.local(access.slot), value::local(gate.others));
        let from = index::position(self.graph, &access.at.without(last.ix));
        let body = self.level(depth + 1);
        quote! {
            let (gate, mut next) = (&#buffer[#from..][..#size], 0);
            while let Some(#ix) = ::chainrule::rt::lanes::next_nonzero(gate, next, !#others.is_finite()) {
                next = #ix + 1;
                #body
            }
        }
    }

    /// What is 0 is worked out, for eight turns at a time where there are so many; of 64 turns a bit says which are not passed over.
    /// To ask them one by one would be to guess one by one.
    fn computed(&self, gate: Gate, depth: usize) -> TokenStream {
        let last = &self.kernel.loops[depth];
        let (ix, size) = (self.index(depth), index::dim(self.graph, &last.size));
        let (entry, others) = (value::local(gate.entries), value::local(gate.others));
        let (slices, eight) = self.asked(gate, depth, true);
        let (_, one) = self.asked(gate, depth, false);
        let body = self.level(depth + 1);
        quote! {
            let every = !#others.is_finite();
            for first in (0..#size).step_by(64) {
                let end = if #size - first < 64 { #size } else { first + 64 };
                let (mut turns, mut from) = (0_u64, first);
                while end - from >= 8 {
                    #slices
                    let mut eight = 0_u64;
                    for lane in 0..8 {
                        let #ix = from + lane;
                        #eight
                        eight |= u64::from(#entry != F::ZERO) << lane;
                    }
                    turns |= eight << (from - first);
                    from += 8;
                }
                for #ix in from..end {
                    #one
                    turns |= u64::from(#entry != F::ZERO) << (#ix - first);
                }
                if every {
                    turns = u64::MAX >> (64 - (end - first));
                }
                while turns != 0 {
                    let #ix = first + turns.trailing_zeros() as usize;
                    turns &= turns - 1;
                    #body
                }
            }
        }
    }

    /// What tells whether a turn is passed over, and for eight of them the slices that they read.
    fn asked(&self, gate: Gate, depth: usize, eight: bool) -> (TokenStream, TokenStream) {
        let ix = self.kernel.loops[depth].ix;
        let (mut slices, mut lets) = (TokenStream::new(), TokenStream::new());
        let made = self.kernel.made_of(gate.entries).into_iter();
        for id in made.filter(|id| self.kernel.depth[*id] == depth + 1) {
            let local = value::local(id);
            let expression = match &self.kernel.values[id] {
                Value::Load(access) if eight => {
                    let (s, buffer) = (numbered("s", id), self.places.local(access.slot));
                    let start = index::position(self.graph, &access.at.without(ix));
                    slices.extend(quote!(let #s = &#buffer[#start + from..][..8];));
                    self.number(access, quote!(#s[lane]))
                }
                Value::Load(access) => self.load(access),
                other => value::expression(self.graph, other),
            };
            lets.extend(quote!(let #local = #expression;));
        }
        (slices, lets)
    }
}
