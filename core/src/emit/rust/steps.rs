//! In: one step of a plan. Out: Rust statements over the local slices of the function that it stands in.

use super::index;
use super::layout::larger;
use super::names::numbered;
use super::nest::{Places, nest};
use crate::ir::{Dim, Graph};
use crate::ops;
use crate::plan::lin::volume;
use crate::plan::matmul::Strided;
use crate::plan::scan::Scan;
use crate::plan::{Slot, Step};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// The statements of a step.
pub fn step(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    match step {
        Step::Loops(kernel) => nest(graph, kernel, places),
        Step::Matmul { product, a, b, start, out } => {
            matmul(graph, product, [*a, *b, *out], *start, places)
        }
        Step::Lanes { op, sizes, args, out } => {
            let function = Ident::new(ops::spec(*op).rust, Span::call_site());
            let sizes = sizes.iter().map(|size| index::dim(graph, size));
            let args = args.iter().map(|slot| places.local(*slot));
            let out = places.local(*out);
            quote!(::chainrule::rt::lanes::#function(#(#sizes,)* #(&#args[..],)* &mut #out[..]);)
        }
        Step::Structured { .. } => structured(graph, step, places),
        Step::Rows { .. } => rows(graph, step, places),
        Step::Scan(scan) => self::scan(graph, scan, places),
    }
}

/// A loop over time. The states before it are the front of the result.
fn scan(graph: &Graph, scan: &Scan, places: &dyn Places) -> TokenStream {
    let t = numbered("t", scan.body.0 as usize);
    let [times, size] = [&scan.times, &scan.size].map(|dim| index::dim(graph, dim));
    let [state, first] = [Slot::Var(scan.state.0), scan.state.1].map(|slot| places.local(slot));
    let captures = scan.captures.iter().map(|(var, slot)| {
        let (stand_in, from) = (places.local(Slot::Var(*var)), places.local(*slot));
        quote!(let #stand_in = &#from[..];)
    });
    let entries = scan.entries.iter().map(|(var, slot, row)| {
        let (stand_in, from) = (places.local(Slot::Var(*var)), places.local(*slot));
        let row = index::dim(graph, row);
        quote!(let #stand_in = &#from[#t * #row..][..#row];)
    });
    let (out, next) = (places.local(scan.out), places.local(Slot::Result(0)));
    let steps = scan.step.steps.iter().map(|step| self::step(graph, step, places));
    quote! {
        for #t in 0..#times {
            #(#captures)*
            #(#entries)*
            let (before, after) = #out.split_at_mut(#t * #size);
            let #state = if #t == 0 { &#first[..#size] } else { &before[(#t - 1) * #size..] };
            let #next = &mut after[..#size];
            #(#steps)*
        }
    }
}

fn matmul(
    graph: &Graph,
    product: &Strided,
    slots: [Slot; 3],
    start: Option<Slot>,
    places: &dyn Places,
) -> TokenStream {
    let size = |dim: &Dim| index::dim(graph, dim);
    let [a, b, c] = slots.map(|slot| places.local(slot));
    let (m, k, n) = (size(&product.m), size(&product.k), size(&product.n));
    let (a_row, a_col) = (size(&product.a.0), size(&product.a.1));
    let (b_row, b_col) = (size(&product.b.0), size(&product.b.1));
    // With sizes in the code, the product is laid out for them; else one copy of it serves all.
    let literal = [&product.k, &product.n].iter().any(|dim| dim.as_fixed().is_some());
    let function =
        if literal { quote!(::chainrule::rt::matmul) } else { quote!(::chainrule::rt::matmul_any) };
    let offset = |which: usize| {
        let terms = product.batch.iter().enumerate().map(|(at, (_, stride))| {
            let (i, stride) = (numbered("i", at), size(&stride[which]));
            quote!(#i * #stride)
        });
        quote!(0 #(+ #terms)*)
    };
    let (from_a, from_b, from_c) = (offset(0), offset(1), offset(2));
    let added = start.is_some();
    let rows = start.map(|slot| {
        let vector = places.local(slot);
        quote!(for i in 0..#m { #c[i * #n..][..#n].copy_from_slice(&#vector[..#n]); })
    });
    let mut out = if product.batch.is_empty() {
        quote!(#function(#m, #k, #n, &#a[..], #a_row, #a_col, &#b[..], #b_row, #b_col, &mut #c[..], #added);)
    } else {
        quote!(#function(#m, #k, #n, &#a[#from_a..], #a_row, #a_col, &#b[#from_b..], #b_row, #b_col, &mut #c[#from_c..], #added);)
    };
    for (at, (count, _)) in product.batch.iter().enumerate().rev() {
        let (i, count) = (numbered("i", at), size(count));
        out = quote!(for #i in 0..#count { #out });
    }
    quote!(#rows #out)
}

fn structured(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    let Step::Structured { op, batch, args, shape, ints, out } = step else {
        return TokenStream::new();
    };
    let function = Ident::new(ops::spec(*op).rust, Span::call_site());
    let batch = index::dim(graph, batch);
    let sizes = |shape: &[Dim]| {
        let sizes = shape.iter().map(|dim| index::dim(graph, dim));
        quote!(&[#(#sizes),*])
    };
    let shapes = args.iter().map(|(shape, _)| sizes(shape));
    let slices = args.iter().map(|(_, slot)| places.local(*slot));
    let shape = sizes(shape);
    let ints = ints.iter().map(|int| Literal::i64_unsuffixed(*int));
    let out_local = places.local(*out);
    let scratch = places.local(Slot::Scratch);
    quote! {
        ::chainrule::rt::linalg::#function(
            #batch, &[#(#shapes),*], #shape, &[#(&#slices[..]),*], &[#(#ints),*], &mut #out_local[..], &mut #scratch[..],
        );
    }
}

/// How many numbers a structured step needs for its own use.
pub fn scratch(step: &Step) -> Option<Dim> {
    let (args, shape) = match step {
        Step::Structured { args, shape, .. } => (args, shape),
        Step::Scan(scan) => return scan.step.steps.iter().filter_map(scratch).reduce(larger),
        _ => return None,
    };
    let args = args.iter().map(|(shape, _)| volume(shape));
    let all = args.fold(volume(shape), |sum, size| sum.plus(&size, crate::ir::Num::ONE));
    Some(all.times(&Dim::fixed(4)))
}

fn rows(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    let Step::Rows { scatter, count, row, of, arg, indices, int, out } = step else {
        return TokenStream::new();
    };
    let [count, row, of] = [count, row, of].map(|dim| index::dim(graph, dim));
    let (arg, indices, out) = (places.local(*arg), places.local(*indices), places.local(*out));
    let at = if *int { quote!(#indices[i]) } else { quote!(#indices[i].to_f64() as usize) };
    let body = if *scatter {
        quote! {
            let to = &mut #out[at * #row..][..#row];
            let from = &#arg[i * #row..][..#row];
            for j in 0..#row { to[j] += from[j]; }
        }
    } else {
        quote!(#out[i * #row..][..#row].copy_from_slice(&#arg[at * #row..][..#row]);)
    };
    let clear = scatter.then(|| quote!(#out.fill(F::ZERO);));
    quote! {
        #clear
        for i in 0..#count {
            let at = #at;
            ::core::assert!(at < #of, "an index is not below the number of rows");
            #body
        }
    }
}
