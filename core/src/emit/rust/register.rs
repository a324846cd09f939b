//! In: a loop nest that fills rows with sums of entries that are read again for each row. Out: the same with eight neighbouring sums at a
//! time in registers until all of their terms are added: in memory every term would be read and written.
//! What is left of a row is covered by eight sums once more, some of which are there already.

use super::index;
use super::names::numbered;
use super::nest::{Nest, Reading, SHORT};
use super::value;
use crate::plan::kernel::{Access, Value};
use crate::plan::lin::Lin;
use crate::plan::order::is_unit;
use proc_macro2::TokenStream;
use quote::quote;

/// So many sums are done at a time, ...
const MANY: u128 = 32;
/// ... and so many of what is left of a row.
const FEW: u128 = 8;

impl Nest<'_> {
    /// Whether rows are worth it: of unknown length or long, and each walks through the same entries, which are at hand therefore.
    pub fn fills_registers(&self) -> bool {
        let kernel = self.kernel;
        let (Some(last), Some(first)) = (kernel.loops.last(), kernel.first_summed()) else {
            return false;
        };
        let long = last.size.as_fixed().is_none_or(|size| size > SHORT);
        let outer = &kernel.loops[..first];
        let again = |at: &Lin| outer.iter().any(|l| !at.uses(l.ix));
        let mut read = self.neighbours().peekable();
        let walks = read.peek().is_some() && read.all(|(_, access)| again(&access.at));
        let plain = !kernel.adds && kernel.gate.is_none() && !outer.is_empty();
        plain && kernel.sums_into_memory() && long && walks
    }

    /// A row of at least eight sums; the first of their loops is at `depth`. Many at a time, and what is left eight at a time.
    pub fn in_registers(&self, depth: usize) -> TokenStream {
        let last = &self.kernel.loops[self.kernel.loops.len() - 1];
        let (row, size) = (self.row(), index::dim(self.graph, &last.size));
        let (many, few) = (self.neighbouring(depth, MANY), self.neighbouring(depth, FEW));
        let (wide, narrow) = (index::literal(MANY), index::literal(FEW));
        quote! {
            let row = #row;
            let mut first = 0;
            while #size - first >= #wide {
                #many
                first += #wide;
            }
            while first < #size {
                first = if #size - first < #narrow { #size - #narrow } else { first };
                #few
                first += #narrow;
            }
        }
    }

    /// So many neighbouring sums, from the one at `first` on.
    fn neighbouring(&self, depth: usize, count: u128) -> TokenStream {
        let last = self.kernel.loops.len() - 1;
        let (ix, along) = (self.index(last), self.kernel.loops[last].ix);
        let count = index::literal(count);
        let slices = self.neighbours().map(|(id, access)| {
            let k = numbered("k", id);
            if self.in_rows(access) {
                let row = numbered("n", id);
                return quote!(let #k = &#row[first..][..#count];);
            }
            let buffer = self.places.local(access.slot);
            let from = index::position(self.graph, &access.at.without(along));
            quote!(let #k = &#buffer[#from + first..][..#count];)
        });
        let (body, add) = (self.lets(last + 1, Reading::Blocks), self.add(&quote!(sums[lane])));
        let innermost = quote! {
            #(#slices)*
            for lane in 0..#count {
                let #ix = first + lane;
                #body
                #add
            }
        };
        let terms = (depth..last).rev().fold(innermost, |inside, at| self.terms(at, &inside));
        quote! {
            let mut sums = [F::ZERO; #count];
            #terms
            row[first..][..#count].copy_from_slice(&sums);
        }
    }

    /// Whether the loop around the last one walks through whole rows, one after the other.
    fn in_rows(&self, access: &Access) -> bool {
        match self.kernel.loops.as_slice() {
            [.., around, last] => access.at.coefficient(around.ix) == last.size,
            _ => false,
        }
    }

    /// A loop over terms, with slices of exact lengths for what it walks through, so that no bounds are checked inside.
    fn terms(&self, at: usize, inside: &TokenStream) -> TokenStream {
        let here = &self.kernel.loops[at];
        let (ix, size) = (self.index(at), index::dim(self.graph, &here.size));
        let (mut slices, mut lets) = (TokenStream::new(), TokenStream::new());
        for (id, value) in self.kernel.values.iter().enumerate() {
            if self.kernel.depth[id] != at + 1 || !self.wanted[id] {
                continue;
            }
            let local = value::local(id);
            let expression = match value {
                Value::Load(access) if is_unit(access, here.ix) => {
                    let (s, buffer) = (numbered("s", id), self.places.local(access.slot));
                    let from = index::position(self.graph, &access.at.without(here.ix));
                    slices.extend(quote!(let #s = &#buffer[#from..][..#size];));
                    self.number(access, quote!(#s[#ix]))
                }
                Value::Load(access) => self.load(access),
                other => value::expression(self.graph, other),
            };
            lets.extend(quote!(let #local = #expression;));
        }
        let (mut turns, mut turn) = (quote!(0..#size), quote!(#ix));
        if at + 2 == self.kernel.loops.len() {
            let long = &self.kernel.loops[at + 1];
            let len = index::dim(self.graph, &long.size);
            for (id, access) in self.neighbours().filter(|(_, access)| self.in_rows(access)) {
                let (row, buffer) = (numbered("n", id), self.places.local(access.slot));
                let from = access.at.without(here.ix).without(long.ix);
                let from = index::position(self.graph, &from);
                turns = quote!((#turns).zip(#buffer[#from..].chunks_exact(#len)));
                turn = quote!((#turn, #row));
            }
        }
        quote!(#slices for #turn in #turns { #lets #inside })
    }
}
