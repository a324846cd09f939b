//! In: a layout and a plan. Out: the functions `forward`, `backward`, `value_and_grad` and one for each request.

use super::layout::{Flat, Layout};
use super::names::{ident, numbered, prefixed};
use super::{docs, index, types, unit};
use crate::emit::{LossJob, RequestJob};
use crate::few::Each;
use crate::ir::{Shape, VarId, VarKind};
use crate::plan::lin::volume;
use crate::plan::{Phase, Slot};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeSet;

/// Steps of one function; the steps of a scan's step count as well.
const MOST_STEPS: usize = 24;

/// All functions.
pub fn all(layout: &Layout) -> TokenStream {
    let forward = forward(layout);
    let losses = (0..layout.job.losses.len()).map(|at| loss(layout, at));
    let requests = layout
        .job
        .requests
        .iter()
        .zip(&layout.plan.requests)
        .map(|(job, phase)| request(layout, job, phase));
    quote!(#forward #(#losses)* #(#requests)*)
}

/// Brings every slot that a phase touches (or some) into a local slice of its exact length; results are the caller's business.
fn bindings(layout: &Layout, slots: BTreeSet<Slot>) -> TokenStream {
    let graph = layout.graph();
    let mut out = layout.bind_dims(&quote!(inputs.dims));
    if !layout.params.dims.is_empty() {
        let fields = layout.params.dims.iter().map(|at| ident(&graph.dims[*at].name));
        out.extend(quote!(#(::core::assert_eq!(params.dims.#fields, inputs.dims.#fields, "parameters and inputs have different sizes");)*));
    }
    for left in &layout.job.graph.rooms {
        let [size, wanted] = left.sides().map(|side| index::dim(graph, &side));
        out.extend(quote!(::core::assert!(#size >= #wanted, "a position is outside of its axis");));
    }
    for slot in slots {
        let local = layout.local(slot);
        match slot {
            Slot::Var(var) => {
                let declared = graph.var(var);
                let len = index::dim(graph, &volume(&declared.shape));
                match declared.kind {
                    VarKind::Param => {
                        let part = layout.params.parts.iter().position(|(id, _)| *id == var);
                        let from = index::dim(graph, &layout.params.offsets[part.unwrap_or(0)]);
                        out.extend(quote!(let #local = &params.data[#from..][..#len];));
                    }
                    VarKind::Direction => out.extend(quote!(let #local = &#local[..#len];)),
                    VarKind::Input | VarKind::Target => {
                        let field = layout.inputs.iter().find(|(id, _)| *id == var);
                        if let Some((_, field)) = field {
                            out.extend(quote!(let #local = &inputs.#field[..#len];));
                        }
                    }
                }
            }
            Slot::Work(_) | Slot::Scratch => out.extend(quote!(let #local = &mut ws.#local[..];)),
            Slot::Result(_) => {}
        }
    }
    out
}

/// What a function does, and the functions that it calls for that, `name_0`, `name_1`, …: the compiler's time grows faster than a
/// function's length, so that a long one is cut.
fn work(layout: &Layout, phase: &Phase, name: &Ident) -> (TokenStream, TokenStream) {
    let pieces = phase.cut(MOST_STEPS);
    if pieces.len() < 2 {
        let (bindings, steps) = (bindings(layout, phase.slots()), steps(layout, phase));
        return (quote!(#bindings #steps), TokenStream::new());
    }
    let (mut calls, mut items) = (TokenStream::new(), TokenStream::new());
    for (at, piece) in pieces.iter().enumerate() {
        let name = numbered(&format!("{name}_"), at);
        let slots = piece.slots().into_iter();
        let (directions, results): (Vec<Slot>, Vec<Slot>) = slots
            .filter(|slot| match slot {
                Slot::Var(var) => layout.graph().var(*var).kind == VarKind::Direction,
                slot => matches!(slot, Slot::Result(_)),
            })
            .partition(|slot| matches!(slot, Slot::Var(_)));
        let directions: Vec<Ident> = directions.each(|slot| layout.local(*slot));
        let results: Vec<Ident> = results.each(|slot| layout.local(*slot));
        let (bindings, steps) = (bindings(layout, piece.slots()), steps(layout, piece));
        calls.extend(quote!(#name(params, inputs, ws, #(#directions,)* #(#results,)*);));
        items.extend(quote! {
            #[inline]
            fn #name<F: ::chainrule::rt::Real>(
                params: &Params<F>, inputs: &Inputs<'_, F>, ws: &mut Workspace<F>, #(#directions: &[F],)* #(#results: &mut [F],)*
            ) {
                #bindings
                #steps
            }
        });
    }
    (calls, items)
}

fn steps(layout: &Layout, phase: &Phase) -> TokenStream {
    unit::all(&layout.plan.graph, &phase.steps, layout)
}

/// A loss and its gradients in one. Where that is a single unit, what its steps hand to each other need not stand in the workspace.
fn both_work(
    layout: &Layout,
    phase: &Phase,
    loss: Slot,
    name: &Ident,
) -> (TokenStream, TokenStream) {
    if !phase.steps.iter().all(unit::is_inlined) {
        return work(layout, phase, name);
    }
    let is_own = |slot: &Slot| matches!(slot, Slot::Work(_)) && *slot != loss;
    let (own, others): (BTreeSet<Slot>, BTreeSet<Slot>) =
        phase.slots().into_iter().partition(is_own);
    let bindings = bindings(layout, others);
    let unit = unit::unit(&layout.plan.graph, &phase.steps, layout, &own);
    (quote!(#bindings #unit), TokenStream::new())
}

/// The workspace field of a slot.
fn field(layout: &Layout, slot: Slot) -> TokenStream {
    let local = layout.local(slot);
    quote!(ws.#local)
}

/// One result of the forward pass.
struct Part<'a> {
    name: Ident,
    shape: &'a Shape,
    slot: Slot,
    doc: TokenStream,
}

fn parts<'a>(layout: &'a Layout) -> Vec<Part<'a>> {
    let graph = layout.graph();
    let losses = layout.job.losses.iter().zip(&layout.plan.losses).map(|(job, slot)| {
        let text =
            docs::lines(&[job.doc.clone(), vec![format!("The loss `{}`.", job.name)]].concat());
        let formula = docs::formula(&job.formula);
        (&job.name, job.value, *slot, quote!(#text #formula))
    });
    let outputs = layout.job.outputs.iter().zip(&layout.plan.outputs).map(|(job, slot)| {
        let shape = graph.show_shape(graph.shape(job.value));
        let line = format!("The output `{}: {shape}`, row-major.", job.name);
        let text = docs::lines(&[job.doc.clone(), vec![line]].concat());
        let formula = docs::formula(&job.formula);
        (&job.name, job.value, *slot, quote!(#text #formula))
    });
    losses
        .chain(outputs)
        .map(|(name, value, slot, doc)| Part {
            name: ident(name),
            shape: graph.shape(value),
            slot,
            doc,
        })
        .collect()
}

fn forward(layout: &Layout) -> TokenStream {
    let parts = parts(layout);
    let borrows = parts.iter().any(|part| !part.shape.is_empty());
    let lifetime = borrows.then(|| quote!('w,));
    let fields = parts.iter().map(|part| {
        let (doc, name) = (&part.doc, &part.name);
        if part.shape.is_empty() {
            quote!(#doc pub #name: F)
        } else {
            let (ty, _) = types::shaped(part.shape, &TokenStream::new(), false);
            quote!(#doc pub #name: &'w #ty)
        }
    });
    let values = parts.iter().map(|part| {
        let (name, from) = (&part.name, field(layout, part.slot));
        if part.shape.is_empty() {
            quote!(#name: #from[0])
        } else {
            let (_, value) = types::shaped(part.shape, &quote!((&#from[..])), false);
            quote!(#name: #value)
        }
    });
    let (body, pieces) = work(layout, &layout.plan.forward, &format_ident!("run_forward"));
    quote! {
        #pieces

        /// What [`forward`] gives.
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        pub struct Forward<#lifetime F> { #(#fields,)* #[doc(hidden)] pub marker: ::core::marker::PhantomData<F> }

        #[inline]
        fn run_forward<F: ::chainrule::rt::Real>(params: &Params<F>, inputs: &Inputs<'_, F>, ws: &mut Workspace<F>) {
            #body
        }

        /// Computes losses and outputs, and keeps in the workspace what the gradients need.
        #[inline]
        pub fn forward<'w, F: ::chainrule::rt::Real>(
            params: &Params<F>, inputs: &Inputs<'_, F>, ws: &'w mut Workspace<F>,
        ) -> Forward<#lifetime F> {
            run_forward(params, inputs, ws);
            Forward { #(#values,)* marker: ::core::marker::PhantomData }
        }
    }
}

/// Binds `r0`, `r1`, … to the parts of the gradient, in the order of the loss's gradients.
fn grad_results(layout: &Layout, flat: &Flat, loss: &LossJob) -> TokenStream {
    let graph = layout.graph();
    let mut out = quote!(let rest = &mut grads.data[..];);
    for (var, _) in &flat.parts {
        let len = index::dim(graph, &volume(&graph.var(*var).shape));
        out.extend(match loss.grads.iter().position(|grad| grad.var == *var) {
            Some(at) => {
                let local = numbered("r", at);
                quote!(let (#local, rest) = rest.split_at_mut(#len);)
            }
            None => quote! {
                let (none, rest) = rest.split_at_mut(#len);
                none.fill(F::ZERO);
            },
        });
    }
    if !flat.dims.is_empty() {
        let fields = flat.dims.iter().map(|at| ident(&graph.dims[*at].name));
        return quote! {
            #(::core::assert_eq!(grads.dims.#fields, inputs.dims.#fields, "gradients and inputs have different sizes");)*
            #out
        };
    }
    out
}

fn loss(layout: &Layout, at: usize) -> TokenStream {
    let job = &layout.job.losses[at];
    let phase = &layout.plan.backward[at];
    let flat = layout.grad();
    let several = layout.job.losses.len() > 1;
    let name = |base: &str| {
        if several { prefixed(base, &job.name) } else { format_ident!("{base}") }
    };
    let [backward, both, both_into] =
        ["backward", "value_and_grad", "value_and_grad_into"].map(name);
    let grad = &flat.name;
    let (dims, results) = (layout.bind_dims(&quote!(inputs.dims)), grad_results(layout, flat, job));
    let (body, pieces) = work(layout, phase, &prefixed("run", &backward.to_string()));
    let value = field(layout, layout.plan.losses[at]);
    let (both_body, both_pieces) = match &layout.plan.both[at] {
        Some(phase) => {
            let name = prefixed("run", &both.to_string());
            let (body, pieces) = both_work(layout, phase, layout.plan.losses[at], &name);
            (quote!(#dims #results #body), pieces)
        }
        None => (
            quote!(run_forward(params, inputs, ws); #backward(params, inputs, ws, grads);),
            quote!(),
        ),
    };
    let zeros = if flat.dims.is_empty() {
        quote!(#grad::zeros())
    } else {
        quote!(#grad::zeros(inputs.dims))
    };
    let doc = grad_doc(layout, job);
    let loss_name = &job.name;
    let value_doc = docs::line(&format!(
        "The loss `{loss_name}`, and its gradients into `grads`. Cannot fail and allocates nothing."
    ));
    let both_doc = docs::line(&format!("The loss `{loss_name}` and its gradients."));
    quote! {
        #pieces
        #both_pieces

        #doc
        #[inline]
        pub fn #backward<F: ::chainrule::rt::Real>(
            params: &Params<F>, inputs: &Inputs<'_, F>, ws: &mut Workspace<F>, grads: &mut #grad<F>,
        ) {
            #dims
            #results
            #body
        }

        #value_doc
        #[inline]
        pub fn #both_into<F: ::chainrule::rt::Real>(
            params: &Params<F>, inputs: &Inputs<'_, F>, ws: &mut Workspace<F>, grads: &mut #grad<F>,
        ) -> F {
            #both_body
            #value[0]
        }

        #both_doc
        #[must_use]
        pub fn #both<F: ::chainrule::rt::Real>(params: &Params<F>, inputs: &Inputs<'_, F>) -> (F, #grad<F>) {
            let mut ws = Workspace::new(inputs);
            let mut grads = #zeros;
            let value = #both_into(params, inputs, &mut ws, &mut grads);
            (value, grads)
        }
    }
}

fn grad_doc(layout: &Layout, job: &LossJob) -> TokenStream {
    let head = docs::line(&format!(
        "The gradients of `{}`, given the workspace that [`forward`] has filled for the same parameters and inputs.",
        job.name
    ));
    let formulas = job.grads.iter().map(|grad| {
        let name = &layout.graph().var(grad.var).name;
        let line = docs::lines(&[String::new(), format!("By `{name}`:")]);
        let formula = docs::formula(&grad.formula);
        quote!(#line #formula)
    });
    quote!(#head #(#formulas)*)
}

fn request(layout: &Layout, job: &RequestJob, phase: &Phase) -> TokenStream {
    let graph = layout.graph();
    let directions = job.directions.iter().map(|var: &VarId| {
        let local = layout.local(Slot::Var(*var));
        quote!(#local: &[F],)
    });
    let outs: Vec<Ident> = job.results.each(|(name, _, _)| prefixed("out", name));
    let results = job.results.iter().zip(&outs).enumerate().map(|(at, ((_, node, _), out))| {
        let local = numbered("r", at);
        let len = index::dim(graph, &volume(graph.shape(*node)));
        quote!(let #local = &mut #out[..#len];)
    });
    let mut lines = job.doc.clone();
    for (name, node, _) in &job.results {
        lines.push(String::new());
        lines.push(format!(
            "`{}` gets {} numbers: {}, row-major.",
            prefixed("out", name),
            graph.show_dim(&volume(graph.shape(*node))),
            graph.show_shape(graph.shape(*node))
        ));
    }
    for var in &job.directions {
        let (local, declared) = (layout.local(Slot::Var(*var)), graph.var(*var));
        lines.push(format!(
            "`{local}` is the direction: {}, row-major.",
            graph.show_shape(&declared.shape)
        ));
    }
    lines.extend([
        String::new(),
        "# Panics".to_string(),
        "Where a slice is shorter than that.".to_string(),
    ]);
    let doc = docs::lines(&lines);
    let formulas = job.results.iter().map(|(_, _, formula)| docs::formula(formula));
    let name = ident(&job.name);
    let dims = layout.bind_dims(&quote!(inputs.dims));
    let (body, pieces) = work(layout, phase, &prefixed("run", &job.name));
    quote! {
        #pieces

        #doc
        #(#formulas)*
        pub fn #name<F: ::chainrule::rt::Real>(
            params: &Params<F>, inputs: &Inputs<'_, F>, #(#directions)* ws: &mut Workspace<F>, #(#outs: &mut [F],)*
        ) {
            #dims
            #(#results)*
            #body
        }
    }
}
