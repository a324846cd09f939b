//! In: steps of a plan. Out: their statements, in units that `chainrule::rt` compiles for several sets of instructions and runs with the
//! widest that the processor has. A unit is a struct of the slices that its steps read and fill, with the steps as its method: as a
//! function of the slices, so that LLVM knows that they do not overlap.
//! Steps that call code which is not inlined stay outside: what they call asks for itself.

use super::nest::Places;
use super::{index, product, steps, stream};
use crate::few;
use crate::ir::{Dim, Graph};
use crate::plan::{Slot, Step, Stream};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

/// Inside of a loop over blocks: the size of the block has a name, and tensors with the axis are cut.
struct Block<'a> {
    stream: &'a Stream,
    around: &'a dyn Places,
}

impl Places for Block<'_> {
    fn local(&self, slot: Slot) -> Ident {
        self.around.local(slot)
    }

    fn is_int(&self, slot: Slot) -> bool {
        self.around.is_int(slot)
    }

    fn dims(&self, graph: &Graph) -> Vec<Ident> {
        let here = self.stream.here.as_named();
        let named = here.map(|id| index::dim_ident(graph, id.0 as usize));
        self.around.dims(graph).into_iter().chain(named).collect()
    }

    fn len(&self, slot: Slot) -> Option<Dim> {
        let Some(cut) = self.stream.cut.iter().find(|cut| cut.slot == slot) else {
            return self.around.len(slot);
        };
        let len = self.stream.here.times(&cut.row);
        len.as_fixed().map(|_| len)
    }
}

/// The statements of steps, one after the other.
pub fn all(graph: &Graph, steps: &[Step], places: &dyn Places) -> TokenStream {
    let mut out = TokenStream::new();
    let mut rest = steps;
    while let Some(first) = rest.first() {
        let inlined = rest.iter().take_while(|step| is_inlined(step)).count();
        let (unit, after) = rest.split_at(inlined.max(1));
        out.extend(match first {
            _ if inlined > 0 => self::unit(graph, unit, places, &BTreeSet::new()),
            Step::Scan(scan) => {
                let inner = all(graph, &scan.step.steps, places);
                steps::scan(graph, scan, places, &inner)
            }
            Step::Stream(stream) => {
                let inner = all(graph, &stream.work.steps, &Block { stream, around: places });
                stream::stream(graph, stream, places, &inner)
            }
            step => steps::step(graph, step, places),
        });
        rest = after;
    }
    out
}

/// Whether all that the step does is inlined into the unit that it stands in, and short enough for that.
pub fn is_inlined(step: &Step) -> bool {
    match step {
        Step::Loops(_) | Step::Lanes { .. } => true,
        Step::Matmul { product, .. } => product::is_small(product),
        Step::Scan(scan) => scan.step.steps.iter().all(is_inlined),
        _ => false,
    }
}

/// What the unit needs from around it.
#[derive(Default)]
struct Outline {
    names: Vec<Ident>,
    /// Types of the struct's fields, and of the function's arguments.
    fields: Vec<TokenStream>,
    arguments: Vec<TokenStream>,
    /// What the fields are given, and what of them the function is.
    values: Vec<TokenStream>,
    given: Vec<TokenStream>,
    /// Slices of exact lengths, and buffers of the unit's own.
    lets: TokenStream,
}

/// One unit. Its `own` slots are read nowhere else: they are on the stack, so that LLVM may do without them.
pub fn unit(
    graph: &Graph,
    steps: &[Step],
    places: &dyn Places,
    own: &BTreeSet<Slot>,
) -> TokenStream {
    let fills: BTreeSet<Slot> = few::set(steps.iter().flat_map(Step::fills));
    let slots: BTreeSet<Slot> = few::set(steps.iter().flat_map(Step::slots));
    // What the steps of a scan fill is not told apart from what they read.
    let scans = steps.iter().filter(|step| matches!(step, Step::Scan(_)));
    let scanned: BTreeSet<Slot> = few::set(scans.flat_map(Step::slots));
    let mut outline = Outline::default();
    for slot in slots {
        let name = places.local(slot);
        let len = places.len(slot).map(|len| index::dim(graph, &len));
        if own.contains(&slot) {
            outline.lets.extend(quote!(let #name = &mut [F::ZERO; #len];));
            continue;
        }
        let whole = len.map_or_else(|| quote!(..), |len| quote!(..#len));
        let given = matches!(slot, Slot::Var(_));
        if fills.contains(&slot) || (scanned.contains(&slot) && !given) {
            outline.fields.push(quote!(&'a mut [F]));
            outline.arguments.push(quote!(&mut [F]));
            outline.values.push(quote!(&mut #name[..]));
            outline.given.push(quote!(F::of_mut(self.#name)));
            outline.lets.extend(quote!(let #name = &mut #name[#whole];));
        } else {
            let (entry, given) = if places.is_int(slot) {
                (quote!(usize), quote!(self.#name))
            } else {
                (quote!(F), quote!(F::of(self.#name)))
            };
            outline.fields.push(quote!(&'a [#entry]));
            outline.arguments.push(quote!(&[#entry]));
            outline.values.push(quote!(&#name[..]));
            outline.given.push(given);
            outline.lets.extend(quote!(let #name = &#name[#whole];));
        }
        outline.names.push(name);
    }
    let Outline { names, fields, arguments, values, given, lets } = outline;
    let dims = places.dims(graph);
    let work = steps.iter().map(|step| steps::step(graph, step, places));
    let function = quote! {
        #[inline(always)]
        fn unit<F: ::chainrule::rt::Real>(#(#names: #arguments,)* #(#dims: usize,)*) {
            #lets
            #(#work)*
        }
    };
    quote! {{
        struct Unit<'a, F> { #(#names: #fields,)* #(#dims: usize,)* }
        #function
        impl<S: ::chainrule::rt::Real> ::chainrule::rt::Work<S> for Unit<'_, S> {
            #[inline(always)]
            fn run<F: ::chainrule::rt::Lane<S>>(self) {
                unit::<F>(#(#given,)* #(self.#dims,)*);
            }
        }
        ::chainrule::rt::dispatch(Unit { #(#names: #values,)* #(#dims,)* });
    }}
}
