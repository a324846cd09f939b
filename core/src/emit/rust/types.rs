//! In: a layout. Out: the structs `Dims`, `Params`, `Grads`, `Inputs` and `Workspace`.

use super::layout::{Flat, Layout, Store};
use super::names::{ident, prefixed};
use super::{docs, index};
use crate::few::{self, Each};
use crate::ir::{Dim, Num, Shape, VarId};
use crate::plan::lin::volume;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// Arrays of so many numbers start where a line of the cache does.
const LINES: i128 = 8;

/// All structs.
pub fn all(layout: &Layout) -> TokenStream {
    let dims = layout.has_dims().then(|| dims(layout));
    let params = flat(layout, &layout.params, true);
    let grads = layout.grads.as_ref().map(|grads| flat(layout, grads, false));
    let inputs = inputs(layout);
    let workspace = workspace(layout);
    quote!(#dims #params #grads #inputs #workspace)
}

fn dims(layout: &Layout) -> TokenStream {
    let graph = layout.graph();
    let fields = layout.dims.iter().map(|at| {
        let name = &graph.dims[*at].name;
        let (doc, field) = (docs::line(&format!("The size `{name}`.")), ident(name));
        quote!(#doc pub #field: usize)
    });
    quote! {
        /// The sizes that are found at run time.
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
        pub struct Dims { #(#fields),* }
    }
}

/// A struct of one run of numbers with named, shaped parts.
fn flat(layout: &Layout, flat: &Flat, init: bool) -> TokenStream {
    let graph = layout.graph();
    let name = &flat.name;
    let ty = flat.store.ty(graph);
    let run_time = !flat.dims.is_empty();
    let field = run_time.then(|| quote!(dims: Dims,));
    // Registers that reach into a second line of the cache take twice as long to be read or written.
    let lines = matches!(&flat.store, Store::Array(len) if len.as_fixed() >= Some(LINES));
    let aligned = lines.then(|| quote!(#[repr(align(64))]));
    let what = if init {
        "The parameters, or a gradient by each of them."
    } else {
        "A gradient by each parameter, and by the inputs that the program asks for."
    };
    let doc = docs::lines(&[
        what,
        "",
        "All numbers stand one after the other, in order of declaration, each tensor row-major.",
    ]);
    let accessors = (0..flat.parts.len()).map(|part| accessor(layout, flat, part));
    let zeros = zeros(layout, flat);
    let init = init.then(|| self::init(layout, flat));
    let get_dims = run_time.then(|| {
        quote! {
            /// The sizes found at run time.
            #[must_use]
            pub fn dims(&self) -> Dims { self.dims }
        }
    });
    quote! {
        #doc
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #aligned
        pub struct #name<F = f64> { data: #ty, #field }

        impl<F: ::chainrule::rt::Real> #name<F> {
            #zeros
            #init
            #get_dims
            /// All numbers.
            #[must_use]
            pub fn as_slice(&self) -> &[F] { &self.data[..] }
            /// All numbers, to be changed.
            #[must_use]
            pub fn as_mut_slice(&mut self) -> &mut [F] { &mut self.data[..] }
            #(#accessors)*
        }
    }
}

fn zeros(layout: &Layout, flat: &Flat) -> TokenStream {
    let value = flat.store.zeros(layout.graph());
    if flat.dims.is_empty() {
        return quote! {
            /// All 0.
            #[must_use]
            pub fn zeros() -> Self { Self { data: #value } }
        };
    }
    let bind = layout.bind_dims(&quote!(dims));
    quote! {
        /// All 0, for these sizes.
        #[must_use]
        pub fn zeros(dims: Dims) -> Self { #bind Self { data: #value, dims } }
    }
}

fn init(layout: &Layout, flat: &Flat) -> TokenStream {
    let graph = layout.graph();
    let fills = flat.parts.iter().enumerate().map(|(part, (var, _))| {
        let shape = &graph.var(*var).shape;
        let from = index::dim(graph, &flat.offsets[part]);
        let len = index::dim(graph, &volume(shape));
        let sizes = shape.iter().map(|dim| index::dim(graph, dim));
        quote!(::chainrule::rt::init::fill_scaled(&mut params.data[#from..][..#len], &[#(#sizes),*], rng);)
    });
    let (argument, made, bind) = if flat.dims.is_empty() {
        (None, quote!(Self::zeros()), None)
    } else {
        let bind = layout.bind_dims(&quote!(dims));
        (Some(quote!(dims: Dims,)), quote!(Self::zeros(dims)), Some(bind))
    };
    quote! {
        /// The usual start: matrices are drawn at random, scaled by their sizes; scalars and vectors are 0.
        pub fn init(#argument rng: &mut (impl ::chainrule::rt::Rng + ?::core::marker::Sized)) -> Self {
            let mut params = #made;
            #bind
            #(#fills)*
            params
        }
    }
}

/// How a tensor is shown: axes of fixed sizes as arrays, the first one also where it is found at run time.
enum View {
    Scalar,
    Flat,
    Rows { inner: Vec<usize>, first: Option<usize> },
}

fn view_of(shape: &Shape) -> View {
    let fixed = |dim: &Dim| dim.as_fixed().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let Some((first, inner)) = shape.split_first() else {
        return View::Scalar;
    };
    let sizes: Option<Vec<usize>> = inner.iter().map(fixed).collect();
    match (sizes, fixed(first)) {
        (None, _) => View::Flat,
        (Some(inner), None) if inner.is_empty() => View::Flat,
        (Some(inner), first) => View::Rows { inner, first },
    }
}

/// The type behind the reference, and the expression that makes it of a slice.
pub fn shaped(shape: &Shape, slice: &TokenStream, mutable: bool) -> (TokenStream, TokenStream) {
    let View::Rows { inner, first } = view_of(shape) else {
        return (quote!([F]), slice.clone());
    };
    let (chunks, whole) = if mutable {
        (quote!(as_chunks_mut), quote!(first_chunk_mut))
    } else {
        (quote!(as_chunks), quote!(first_chunk))
    };
    let (mut ty, mut value) = (quote!(F), slice.clone());
    for size in inner.iter().rev() {
        let size = index::literal(*size as u128);
        ty = quote!([#ty; #size]);
        value = quote!(#value.#chunks::<#size>().0);
    }
    match first {
        None => (quote!([#ty]), value),
        Some(size) => {
            let size = index::literal(size as u128);
            let value = quote! {
                match #value.#whole::<#size>() {
                    ::core::option::Option::Some(array) => array,
                    ::core::option::Option::None => ::core::unreachable!(),
                }
            };
            (quote!([#ty; #size]), value)
        }
    }
}

fn accessor(layout: &Layout, flat: &Flat, part: usize) -> TokenStream {
    let graph = layout.graph();
    let (var, name) = &flat.parts[part];
    let declared = graph.var(*var);
    let from = index::dim(graph, &flat.offsets[part]);
    let len = index::dim(graph, &volume(&declared.shape));
    let bind = (!flat.dims.is_empty()).then(|| layout.bind_dims(&quote!(self.dims)));
    let shape = graph.show_shape(&declared.shape);
    let mut doc = declared.doc.clone();
    doc.push(format!("`{}: {shape}`, row-major.", declared.name));
    let doc = docs::lines(&doc);
    let (get, get_mut) = (ident(name), format_ident!("{}_mut", name));
    if declared.shape.is_empty() {
        return quote! {
            #doc
            #[must_use]
            pub fn #get(&self) -> F { #bind self.data[#from] }
            #doc
            #[must_use]
            pub fn #get_mut(&mut self) -> &mut F { #bind &mut self.data[#from] }
        };
    }
    let (ty, value) = shaped(&declared.shape, &quote!(self.data[#from..][..#len]), false);
    let (_, value_mut) = shaped(&declared.shape, &quote!(self.data[#from..][..#len]), true);
    let (borrow, borrow_mut) = match view_of(&declared.shape) {
        View::Rows { inner, first } if !inner.is_empty() || first.is_some() => (None, None),
        _ => (Some(quote!(&)), Some(quote!(&mut))),
    };
    quote! {
        #doc
        #[must_use]
        pub fn #get(&self) -> &#ty { #bind #borrow #value }
        #doc
        #[must_use]
        pub fn #get_mut(&mut self) -> &mut #ty { #bind #borrow_mut #value_mut }
    }
}

fn pattern(layout: &Layout, shape: &Shape) -> TokenStream {
    let graph = layout.graph();
    let slot = |at: usize| layout.dims.iter().position(|known| *known == at).unwrap_or(0);
    let axes = shape.iter().map(|dim| {
        if dim.as_fixed().is_some() {
            let size = index::dim(graph, dim);
            return quote!(::chainrule::rt::Axis::Fixed(#size));
        }
        let text = graph.show_dim(dim);
        if let Some(id) = dim.as_named() {
            let slot = index::literal(slot(id.0 as usize) as u128);
            return quote!(::chainrule::rt::Axis::Free(#slot, #text));
        }
        let slots = super::layout::dims_of([dim]);
        let (locals, at): (Vec<_>, Vec<_>) = slots
            .iter()
            .map(|at| (index::dim_ident(graph, *at), index::literal(slot(*at) as u128)))
            .unzip();
        let value = index::formula(dim, &|at| {
            let local = index::dim_ident(graph, at);
            quote!(#local)
        });
        quote! {
            ::chainrule::rt::Axis::Formula(|sizes| {
                #(let #locals = sizes[#at]? as isize;)*
                let size = #value;
                if size < 0 { ::core::option::Option::None } else { ::core::option::Option::Some(size as usize) }
            }, #text)
        }
    });
    quote!(&[#(#axes),*])
}

fn inputs(layout: &Layout) -> TokenStream {
    let graph = layout.graph();
    let fields = layout.inputs.iter().map(|(var, name)| {
        let element = element(layout, *var);
        quote!(#name: &'a [#element],)
    });
    let (has_dims, told) = (layout.has_dims(), !layout.untold().is_empty());
    let dims_field = has_dims.then(|| quote!(dims: Dims,));
    let arguments = layout.inputs.iter().map(|(var, name)| {
        let element = element(layout, *var);
        quote!(#name: &'a (impl ::chainrule::rt::Tensor<#element> + ?::core::marker::Sized),)
    });
    let known_argument = told.then(|| quote!(dims: Dims,));
    let body = new_inputs(layout, told);
    let list: Vec<String> = layout.inputs.each(|(var, _)| {
        let declared = graph.var(*var);
        let doc = declared.doc.join(" ");
        format!("- `{}: {}` {doc}", declared.name, graph.show_shape(&declared.shape))
    });
    let doc = docs::lines(
        &[vec!["The data, borrowed, with its sizes checked:".to_string(), String::new()], list]
            .concat(),
    );
    let get_dims = has_dims.then(|| {
        quote! {
            /// The sizes found at run time.
            #[must_use]
            pub fn dims(&self) -> Dims { self.dims }
        }
    });
    quote! {
        #doc
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        pub struct Inputs<'a, F> { #(#fields)* #dims_field marker: ::core::marker::PhantomData<&'a F> }

        impl<'a, F: ::chainrule::rt::Real> Inputs<'a, F> {
            /// Borrows the data, in order of declaration, finds the sizes and checks them.
            ///
            /// # Errors
            /// The first input that does not have its declared shape, or that picks a row that is not there.
            pub fn new(#known_argument #(#arguments)*) -> ::core::result::Result<Self, ::chainrule::rt::ShapeError> {
                #body
            }
            #get_dims
        }
    }
}

fn element(layout: &Layout, var: VarId) -> TokenStream {
    if layout.graph().var(var).int { quote!(usize) } else { quote!(F) }
}

fn new_inputs(layout: &Layout, told: bool) -> TokenStream {
    let graph = layout.graph();
    let (mut patterns, mut declared, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (var, name) in &layout.inputs {
        let info = graph.var(*var);
        let (text, constant) = (&info.name, prefixed("PATTERN", &info.name));
        let axes = pattern(layout, &info.shape);
        patterns.push(quote!(const #constant: &[::chainrule::rt::Axis] = #axes;));
        let element = element(layout, *var);
        let found = quote!(::chainrule::rt::Tensor::<#element>::axes(#name));
        declared.push(
            quote!(::chainrule::rt::Declared { name: #text, pattern: #constant, axes: #found }),
        );
        values.push(quote!(#name: ::chainrule::rt::flat(#text, #constant, #name)?));
    }
    let count = index::literal(layout.dims.len() as u128);
    // Where some sizes have to be told, all of them are told.
    let known = layout.dims.iter().map(|at| {
        if told {
            let field = ident(&graph.dims[*at].name);
            quote!(::core::option::Option::Some(dims.#field))
        } else {
            quote!(::core::option::Option::None)
        }
    });
    let picks = picks(layout);
    let dims = layout.has_dims().then(|| {
        let fields = layout.dims.iter().enumerate().map(|(slot, at)| {
            let (field, slot) = (ident(&graph.dims[*at].name), index::literal(slot as u128));
            quote!(#field: sizes[#slot])
        });
        quote!(dims: Dims { #(#fields),* },)
    });
    quote! {
        #(#patterns)*
        let sizes = ::chainrule::rt::infer_all::<#count>([#(#known),*], &[#(#declared),*])?;
        let inputs = Self { #(#values,)* #dims marker: ::core::marker::PhantomData };
        #picks
        ::core::result::Result::Ok(inputs)
    }
}

/// Checks that integers pick rows that are there.
fn picks(layout: &Layout) -> TokenStream {
    let (graph, plan) = (layout.graph(), layout.plan);
    let phases = std::iter::once(&plan.forward).chain(&plan.backward).chain(&plan.requests);
    let mut all: Vec<(VarId, Dim)> = phases.flat_map(|phase| phase.picks()).collect();
    few::sort(&mut all);
    all.dedup();
    let checks = all.iter().filter_map(|(var, rows)| {
        let (_, field) = layout.inputs.iter().find(|(id, _)| id == var)?;
        let text = &graph.var(*var).name;
        let (constant, rows) = (prefixed("PATTERN", text), index::dim(graph, rows));
        Some(quote!(::chainrule::rt::picks(#text, #constant, inputs.#field, #rows)?;))
    });
    let checks: Vec<TokenStream> = checks.collect();
    let dims = (!checks.is_empty()).then(|| layout.bind_dims(&quote!(inputs.dims)));
    quote!(#dims #(#checks)*)
}

fn workspace(layout: &Layout) -> TokenStream {
    let graph = layout.graph();
    let all: Vec<_> = layout
        .fields
        .iter()
        .map(|(_, name, store)| (name, store))
        .chain(layout.scratch.iter().map(|(name, store)| (name, store)))
        .collect();
    let fields = all.iter().map(|(name, store)| {
        let ty = store.ty(graph);
        quote!(#name: #ty)
    });
    let values = all.iter().map(|(name, store)| {
        let value = store.zeros(graph);
        quote!(#name: #value)
    });
    let numbers = all.iter().fold(Dim::fixed(0), |sum, (_, store)| {
        let (Store::Array(len) | Store::Heap(len)) = store;
        sum.plus(len, Num::ONE)
    });
    let doc = docs::lines(&[
        "Room for intermediate results, made once and used again and again.".to_string(),
        String::new(),
        format!("{} numbers.", graph.show_dim(&numbers)),
    ]);
    let bind = layout.bind_dims(&quote!(inputs.dims));
    quote! {
        #doc
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        pub struct Workspace<F = f64> { #(#fields,)* marker: ::core::marker::PhantomData<F> }

        impl<F: ::chainrule::rt::Real> Workspace<F> {
            /// Room for inputs of these sizes.
            #[must_use]
            pub fn new(inputs: &Inputs<'_, F>) -> Self {
                #bind
                Self { #(#values,)* marker: ::core::marker::PhantomData }
            }
        }
    }
}
