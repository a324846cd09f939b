//! In: one step of a plan. Out: Rust statements over the local slices of the function that it stands in.

use super::index;
use super::layout::larger;
use super::names::numbered;
use super::nest::{Places, nest};
use super::{product, stream};
use crate::ir::{Dim, Graph};
use crate::ops;
use crate::plan::lin::volume;
use crate::plan::scan::Scan;
use crate::plan::{Slot, Step};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// The statements of a step.
pub fn step(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    match step {
        Step::Loops(kernel) => nest(graph, kernel, places),
        Step::Matmul { .. } => product::product(graph, step, places),
        Step::Lanes { op, sizes, args, out } => {
            let spec = ops::spec(*op);
            let name =
                if matches!(spec.kind, ops::Kind::Elementwise) { spec.counted } else { spec.rust };
            let function = Ident::new(name, Span::call_site());
            let sizes = sizes.iter().map(|size| index::dim(graph, size));
            let args = args.iter().map(|slot| places.local(*slot));
            let out = places.local(*out);
            quote!(::chainrule::rt::lanes::#function(#(#sizes,)* #(&#args[..],)* &mut #out[..]);)
        }
        Step::Structured { .. } => structured(graph, step, places),
        Step::Rows { .. } => rows(graph, step, places),
        Step::Scan(scan) => {
            let steps = scan.step.steps.iter().map(|step| self::step(graph, step, places));
            self::scan(graph, scan, places, &quote!(#(#steps)*))
        }
        Step::Stream(work) => {
            let steps = work.work.steps.iter().map(|step| self::step(graph, step, places));
            stream::stream(graph, work, places, &quote!(#(#steps)*))
        }
    }
}

/// A loop over time. The states before it are the front of the result.
pub fn scan(graph: &Graph, scan: &Scan, places: &dyn Places, steps: &TokenStream) -> TokenStream {
    let t = numbered("t", scan.body.0 as usize);
    let [times, size] = [&scan.times, &scan.size].map(|dim| index::dim(graph, dim));
    let [state, first] = [Slot::Var(scan.state.0), scan.state.1].map(|slot| places.local(slot));
    let captures = scan.captures.iter().map(|(var, slot)| {
        let (stand_in, from) = (places.local(Slot::Var(*var)), places.local(*slot));
        quote!(let #stand_in = &#from[..];)
    });
    let entries = scan.entries.iter().map(|entry| {
        let (stand_in, from) = (places.local(Slot::Var(entry.var)), places.local(entry.slot));
        let row = index::dim(graph, &entry.row);
        let at = if entry.flipped { quote!((#times - 1 - #t)) } else { quote!(#t) };
        quote!(let #stand_in = &#from[#at * #row..][..#row];)
    });
    let (out, next) = (places.local(scan.out), places.local(Slot::Result(0)));
    let kept = scan.kept.iter().enumerate().map(|(at, (slot, row))| {
        let (result, to) = (places.local(Slot::Result(at + 1)), places.local(*slot));
        let row = index::dim(graph, row);
        quote!(let #result = &mut #to[#t * #row..][..#row];)
    });
    quote! {
        for #t in 0..#times {
            #(#captures)*
            #(#entries)*
            #(#kept)*
            let (before, after) = #out.split_at_mut(#t * #size);
            let #state = if #t == 0 { &#first[..#size] } else { &before[(#t - 1) * #size..] };
            let #next = &mut after[..#size];
            #steps
        }
    }
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

/// How many numbers a step needs for its own use, where threads may share its work or not.
pub fn scratch(step: &Step, threads: bool) -> Option<Dim> {
    let all =
        |steps: &[Step]| steps.iter().filter_map(|step| scratch(step, threads)).reduce(larger);
    let (args, shape) = match step {
        Step::Structured { args, shape, .. } => (args, shape),
        Step::Matmul { product, .. } => return product.room(threads),
        Step::Scan(scan) => return all(&scan.step.steps),
        Step::Stream(stream) => {
            return all(&stream.work.steps).into_iter().chain(stream.room()).reduce(larger);
        }
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
    let (indices, out) = (places.local(*indices), places.local(*out));
    let at = if *int { quote!(#indices[i]) } else { quote!(#indices[i].to_f64() as usize) };
    let body = match arg.map(|arg| places.local(arg)) {
        Some(arg) if *scatter => quote! {
            let to = &mut #out[at * #row..][..#row];
            let from = &#arg[i * #row..][..#row];
            for j in 0..#row { to[j] += from[j]; }
        },
        Some(arg) => quote!(#out[i * #row..][..#row].copy_from_slice(&#arg[at * #row..][..#row]);),
        None => quote! {
            #out[i * #row..][..#row].fill(F::ZERO);
            #out[i * #row + at] = F::ONE;
        },
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
