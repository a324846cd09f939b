//! In: a loop nest. Out: Rust `for` loops over slices that are cut to their exact lengths, so that no bounds are checked inside.

use super::index;
use super::names::numbered;
use super::value;
use crate::ir::{Dim, Graph, Num};
use crate::ops;
use crate::plan::Slot;
use crate::plan::kernel::{Access, Kernel, Loop, Value, ValueId};
use crate::plan::order::is_unit;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// Sums of at least this many terms run in several independent parts.
const LONG: i128 = 16;
/// From so many terms on in twice as many: with eight, `f32` fills one register, and every addition waits for the one before.
const LONGER: i128 = 128;

/// Rows of at most so many sums are in registers.
pub const SHORT: i128 = 32;

/// What names the emitter gives to slots.
pub trait Places {
    /// The local variable that holds a slot's entries.
    fn local(&self, slot: Slot) -> Ident;
    /// Whether the slot holds whole numbers of type `usize`.
    fn is_int(&self, slot: Slot) -> bool;
    /// The local variables that hold sizes of run time.
    fn dims(&self, graph: &Graph) -> Vec<Ident>;
    /// How many entries the local variable has, where this is a number.
    fn len(&self, slot: Slot) -> Option<Dim>;
}

/// How the innermost loop reads neighbours.
#[derive(Clone, Copy)]
pub enum Reading {
    /// `s[i]`
    Slices,
    /// `k[l]`, a block of eight
    Blocks,
    /// `t[l]`, what remains after the blocks
    Rest,
}

/// Functions of fewer entries than this are not worth a call.
const FEW: i128 = 64;

/// A loop nest, while it is written.
pub struct Nest<'a> {
    /// What the sizes are of.
    pub graph: &'a Graph,
    /// Which.
    pub kernel: &'a Kernel,
    /// Where its slots are.
    pub places: &'a dyn Places,
    /// What is stored or added up.
    result: ValueId,
    /// A value that stands already where the result is stored.
    there: Option<ValueId>,
    /// The values that the result is made of.
    pub wanted: Vec<bool>,
}

/// The loops of a kernel. A function that takes long is left to the library, for all entries: loops store what it is of, and others
/// go on from there.
pub fn nest(graph: &Graph, kernel: &Kernel, places: &dyn Places) -> TokenStream {
    let loops = |result, there| {
        let wanted = wanted(kernel, result, there);
        Nest { graph, kernel, places, result, there, wanted }.level(0)
    };
    let Some(Long { call, of, method }) = long(kernel) else {
        let wanted = vec![true; kernel.values.len()];
        let nest = Nest { graph, kernel, places, result: kernel.result, there: None, wanted };
        let body = nest.level(0);
        return quote!({ #body });
    };
    let (before, out) = (loops(of, None), places.local(kernel.out));
    let len = index::dim(graph, &entries(kernel));
    let method = Ident::new(method, Span::call_site());
    let after = (call != kernel.result).then(|| {
        let after = loops(kernel.result, Some(call));
        quote!({ #after })
    });
    quote!({ { #before } F::#method(&mut #out[..#len]); #after })
}

/// A function that takes long, of an entry.
struct Long {
    call: ValueId,
    of: ValueId,
    method: &'static str,
}

/// The only such function of a kernel that fills its buffer from end to end with values that are no sums.
fn long(kernel: &Kernel) -> Option<Long> {
    let wanted = wanted(kernel, kernel.result, None);
    let mut calls = kernel.values.iter().enumerate().filter_map(|(call, value)| match value {
        Value::Call(op, args) if wanted[call] && !ops::spec(*op).each.is_empty() => {
            Some(Long { call, of: args[0], method: ops::spec(*op).each })
        }
        _ => None,
    });
    let (first, others) = (calls.next()?, calls.next());
    let many = entries(kernel).as_fixed().is_none_or(|count| count >= FEW);
    let inside = kernel.depth[first.call] == kernel.loops.len();
    (others.is_none() && many && inside && is_dense(kernel)).then_some(first)
}

/// How many entries the loops run over.
fn entries(kernel: &Kernel) -> Dim {
    kernel.loops.iter().fold(Dim::fixed(1), |count, l| count.times(&l.size))
}

/// Whether all entries from the buffer's start on are stored, those of the last loop one beside the other.
fn is_dense(kernel: &Kernel) -> bool {
    let one = Dim::fixed(1);
    let neighbours = kernel.loops.last().is_some_and(|l| kernel.at.coefficient(l.ix) == one);
    let (mut left, mut stride): (Vec<&Loop>, Dim) = (kernel.loops.iter().collect(), one);
    while let Some(at) = left.iter().position(|l| kernel.at.coefficient(l.ix) == stride) {
        stride = stride.times(&left.swap_remove(at).size);
    }
    let stores = !kernel.adds && kernel.first_summed().is_none();
    stores && neighbours && left.is_empty() && kernel.at.offset == Dim::fixed(0)
}

/// Which values a result is made of, once one of them is there.
fn wanted(kernel: &Kernel, result: ValueId, there: Option<ValueId>) -> Vec<bool> {
    let mut wanted = vec![false; kernel.values.len()];
    wanted[result] = true;
    for id in (0..kernel.values.len()).rev() {
        if wanted[id] && Some(id) != there {
            for operand in kernel.values[id].operands() {
                wanted[operand] = true;
            }
        }
    }
    wanted
}

impl Nest<'_> {
    /// What is inside of so many loops.
    pub fn level(&self, depth: usize) -> TokenStream {
        let loops = &self.kernel.loops;
        let lets = self.lets(depth, Reading::Slices);
        let start = self.kernel.first_summed() == Some(depth);
        let inside = if depth == loops.len() {
            self.finish()
        } else if depth + 1 == loops.len() {
            self.innermost(depth)
        } else {
            self.turns(depth)
        };
        match (start, self.kernel.sums_into_memory()) {
            (true, true) if self.is_short() => {
                let (row, size) =
                    (self.row(), index::dim(self.graph, &loops[loops.len() - 1].size));
                let fetch = self.kernel.adds.then(|| quote!(short.copy_from_slice(place);));
                quote! {
                    #lets
                    let place = #row;
                    let mut short = [F::ZERO; #size];
                    #fetch
                    #inside
                    place.copy_from_slice(&short);
                }
            }
            (true, true) if self.fills_registers() => {
                let rows = self.in_registers(depth);
                let row = self.row();
                let size = index::dim(self.graph, &loops[loops.len() - 1].size);
                quote! {
                    #lets
                    if #size >= 8 {
                        #rows
                    } else {
                        #row.fill(F::ZERO);
                        #inside
                    }
                }
            }
            (true, true) if self.kernel.adds => quote!(#lets #inside),
            (true, true) => {
                let row = self.row();
                quote!(#lets #row.fill(F::ZERO); #inside)
            }
            (true, false) => {
                let store = self.store(&quote!(sum));
                if self.in_parts() {
                    let lanes = self.lanes();
                    quote! {
                        #lets
                        let (mut sums, mut sum) = ([F::ZERO; #lanes], F::ZERO);
                        #inside
                        sum += ::chainrule::rt::lanes::total(sums);
                        #store
                    }
                } else {
                    quote!(#lets let mut sum = F::ZERO; #inside #store)
                }
            }
            _ => quote!(#lets #inside),
        }
    }

    /// A loop that is not the last: all turns, or those that are not passed over.
    fn turns(&self, depth: usize) -> TokenStream {
        let (ix, size) =
            (self.index(depth), index::dim(self.graph, &self.kernel.loops[depth].size));
        match self.gate(depth) {
            Some(gate) => self.passed(gate, depth),
            None => {
                let body = self.level(depth + 1);
                quote!(for #ix in 0..#size { #body })
            }
        }
    }

    /// The index of a loop.
    pub fn index(&self, depth: usize) -> Ident {
        numbered("i", self.kernel.loops[depth].ix as usize)
    }

    fn in_parts(&self) -> bool {
        self.kernel
            .loops
            .last()
            .is_some_and(|l| l.summed && l.size.as_fixed().is_none_or(|size| size >= LONG))
    }

    /// Whether a row of sums is so short that registers hold it until all terms are added: in memory, LLVM would add them one by one.
    fn is_short(&self) -> bool {
        let last = self.kernel.loops.last();
        self.kernel.sums_into_memory()
            && last.and_then(|l| l.size.as_fixed()).is_some_and(|size| size <= SHORT)
    }

    /// The last loop, with the slices that it walks through.
    fn innermost(&self, depth: usize) -> TokenStream {
        let last = &self.kernel.loops[depth];
        let (ix, size) = (self.index(depth), index::dim(self.graph, &last.size));
        let slices = self.neighbours().map(|(id, access)| {
            let (s, buffer) = (numbered("s", id), self.places.local(access.slot));
            let from = index::position(self.graph, &access.at.without(last.ix));
            quote!(let #s = &#buffer[#from..][..#size];)
        });
        let slices = quote!(#(#slices)*);
        let body = self.lets(depth + 1, Reading::Slices);
        let result = value::local(self.result);
        if last.summed && self.in_parts() {
            let parts = self.parts(depth);
            return quote!(#slices #parts);
        }
        if last.summed {
            let add = self.add(&quote!(sum));
            return quote!(#slices for #ix in 0..#size { #body #add });
        }
        if self.kernel.at.coefficient(last.ix).is_one() {
            let row = if self.is_short() { quote!(&mut short) } else { self.row() };
            let put = if self.kernel.sums_into_memory() {
                self.add(&quote!(row[#ix]))
            } else {
                quote!(row[#ix] = #result;)
            };
            return quote!(#slices let row = #row; for #ix in 0..#size { #body #put });
        }
        let store = self.store(&result);
        quote!(#slices for #ix in 0..#size { #body #store })
    }

    /// The neighbouring entries of the result that the last loop walks through.
    pub fn row(&self) -> TokenStream {
        let Some(last) = self.kernel.loops.last() else {
            return TokenStream::new();
        };
        let out = self.places.local(self.kernel.out);
        let from = index::position(self.graph, &self.kernel.at.without(last.ix));
        let size = index::dim(self.graph, &last.size);
        quote!((&mut #out[#from..][..#size]))
    }

    /// How many running sums a long sum has.
    fn lanes(&self) -> TokenStream {
        let size = self.kernel.loops.last().and_then(|last| last.size.as_fixed());
        index::literal(if size.is_some_and(|size| size >= LONGER) { 16 } else { 8 })
    }

    /// A long sum: several running sums, so that additions do not wait for each other and the loop vectorises. What is left is added to a
    /// sum of its own: whichever of the others it were added to, all would have to stand in memory.
    fn parts(&self, depth: usize) -> TokenStream {
        let last = &self.kernel.loops[depth];
        let lanes = self.lanes();
        let (ix, size) = (self.index(depth), index::dim(self.graph, &last.size));
        let add = self.add(&quote!(sums[lane]));
        let ids: Vec<usize> = self.neighbours().map(|(id, _)| id).collect();
        let blocks = ids.iter().map(|id| {
            let (s, c, t) = (numbered("s", *id), numbered("c", *id), numbered("t", *id));
            quote!(let (#c, #t) = #s.as_chunks::<#lanes>();)
        });
        let block = ids.iter().map(|id| {
            let (c, k) = (numbered("c", *id), numbered("k", *id));
            quote!(let #k = &#c[block];)
        });
        let add_one = self.add(&quote!(sum));
        let body = self.lets(depth + 1, Reading::Blocks);
        let rest = self.lets(depth + 1, Reading::Rest);
        quote! {
            #(#blocks)*
            for block in 0..#size / #lanes {
                #(#block)*
                for lane in 0..#lanes {
                    let #ix = #lanes * block + lane;
                    #body
                    #add
                }
            }
            for lane in 0..#size % #lanes {
                let #ix = #size / #lanes * #lanes + lane;
                #rest
                #add_one
            }
        }
    }

    /// `sum += result`, in one rounding where the result is a product of two, or a square.
    pub fn add(&self, sum: &TokenStream) -> TokenStream {
        let mut result = self.result;
        loop {
            match &self.kernel.values[result] {
                Value::Product(over, under) if under.is_empty() && over.len() == 1 => {
                    result = over[0];
                }
                Value::Product(over, under) if under.is_empty() && over.len() == 2 => {
                    let (a, b) = (value::local(over[0]), value::local(over[1]));
                    return quote!(#sum = #a.fma(#b, #sum););
                }
                Value::Pow(base, power) if *power == Num::int(2) => {
                    let base = value::local(*base);
                    return quote!(#sum = #base.fma(#base, #sum););
                }
                _ => {
                    let result = value::local(result);
                    return quote!(#sum += #result;);
                }
            }
        }
    }

    /// What happens inside of all loops, where there is no innermost loop to write it.
    fn finish(&self) -> TokenStream {
        self.store(&value::local(self.result))
    }

    fn store(&self, what: &TokenStream) -> TokenStream {
        let out = self.places.local(self.kernel.out);
        let at = index::position(self.graph, &self.kernel.at);
        if self.kernel.adds { quote!(#out[#at] += #what;) } else { quote!(#out[#at] = #what;) }
    }

    /// Loads of neighbours in the innermost loop.
    pub fn neighbours(&self) -> impl Iterator<Item = (usize, &Access)> {
        let depth = self.kernel.loops.len();
        let last = self.kernel.loops.last().map(|l| l.ix);
        self.kernel.values.iter().enumerate().filter_map(move |(id, value)| match value {
            Value::Load(access)
                if self.wanted[id]
                    && self.kernel.depth[id] == depth
                    && last.is_some_and(|ix| is_unit(access, ix)) =>
            {
                Some((id, access))
            }
            _ => None,
        })
    }

    /// The values that are worked out inside of so many loops.
    pub fn lets(&self, depth: usize, reading: Reading) -> TokenStream {
        let neighbours: Vec<usize> = if depth == self.kernel.loops.len() {
            self.neighbours().map(|(id, _)| id).collect()
        } else {
            Vec::new()
        };
        let mut out = TokenStream::new();
        for (id, value) in self.kernel.values.iter().enumerate() {
            if self.kernel.depth[id] != depth || !self.wanted[id] {
                continue;
            }
            let local = value::local(id);
            let expression = match value {
                _ if self.there == Some(id) => {
                    let ix = self.index(depth - 1);
                    quote!(row[#ix])
                }
                Value::Load(access) if neighbours.contains(&id) => {
                    let entry = match reading {
                        Reading::Slices => {
                            let (s, ix) = (numbered("s", id), self.index(depth - 1));
                            quote!(#s[#ix])
                        }
                        Reading::Blocks => {
                            let k = numbered("k", id);
                            quote!(#k[lane])
                        }
                        Reading::Rest => {
                            let t = numbered("t", id);
                            quote!(#t[lane])
                        }
                    };
                    self.number(access, entry)
                }
                Value::Load(access) => self.load(access),
                other => value::expression(self.graph, other),
            };
            out.extend(quote!(let #local = #expression;));
        }
        out
    }

    /// An entry as a number.
    pub fn number(&self, access: &Access, entry: TokenStream) -> TokenStream {
        if self.places.is_int(access.slot) { quote!(F::from_usize(#entry)) } else { entry }
    }

    /// A load by its distance from the buffer's start; 0 where a guard does not hold.
    pub fn load(&self, access: &Access) -> TokenStream {
        let buffer = self.places.local(access.slot);
        if access.guards.is_empty() {
            let at = index::position(self.graph, &access.at);
            return self.number(access, quote!(#buffer[#at]));
        }
        let mut at = index::signed(self.graph, &access.at);
        for (stride, lin, divisor) in &access.quotients {
            let (stride, lin) = (index::dim(self.graph, stride), index::signed(self.graph, lin));
            let divisor = index::literal(u128::from(divisor.unsigned_abs()));
            at = quote!(#at + ((#stride) as isize) * ((#lin) / #divisor));
        }
        let conditions = access.guards.iter().map(|guard| {
            let lin = index::signed(self.graph, &guard.lin);
            let size = index::dim(self.graph, &guard.size);
            let inside = quote!(#lin >= 0 && #lin < ((#size) as isize));
            if guard.divisor == 1 {
                inside
            } else {
                let divisor = index::literal(u128::from(guard.divisor.unsigned_abs()));
                quote!(#inside && (#lin) % #divisor == 0)
            }
        });
        let entry = self.number(access, quote!(#buffer[(#at) as usize]));
        quote!(if #(#conditions)&&* { #entry } else { F::ZERO })
    }
}
