//! In: one step of a plan. Out: Rust statements over the local slices of the function that it stands in.

use super::index;
use super::names::numbered;
use super::nest::{Places, nest};
use crate::ir::{Dim, Graph};
use crate::ops;
use crate::plan::lin::{estimate, volume};
use crate::plan::{Slot, Step, Stream};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// The statements of a step.
pub fn step(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    match step {
        Step::Loops(kernel) => nest(graph, kernel, places),
        Step::Matmul { .. } => matmul(graph, step, places),
        Step::Lanes { op, sizes, args, out } => {
            let function = Ident::new(ops::spec(*op).rust, Span::call_site());
            let sizes = sizes.iter().map(|size| index::dim(graph, size));
            let args = args.iter().map(|slot| places.local(*slot));
            let out = places.local(*out);
            quote!(::chainrule::rt::lanes::#function(#(#sizes,)* #(&#args[..],)* &mut #out[..]);)
        }
        Step::Structured { .. } => structured(graph, step, places),
        Step::Rows { .. } => rows(graph, step, places),
        Step::Stream(stream) => self::stream(graph, stream, places),
    }
}

/// Block by block: the same steps on parts of the slices.
fn stream(graph: &Graph, stream: &Stream, places: &dyn Places) -> TokenStream {
    let sums = stream.sums.iter().map(|slot| places.local(*slot));
    let (size, here) = (index::dim(graph, &stream.size), index::dim(graph, &stream.here));
    let block = index::literal(stream.block.unsigned_abs());
    let bind = stream
        .here
        .as_named()
        .map(|_| quote!(let #here = if #size - block < #block { #size - block } else { #block };));
    let cuts = stream.cut.iter().map(|cut| {
        let (local, row) = (places.local(cut.slot), index::dim(graph, &cut.row));
        let from = if cut.whole { quote!(block * #row) } else { quote!(0) };
        match cut.slot {
            Slot::Var(_) => quote!(let #local = &#local[#from..][..#here * #row];),
            _ => quote!(let #local = &mut #local[#from..][..#here * #row];),
        }
    });
    let steps = stream.steps.iter().map(|step| self::step(graph, step, places));
    quote! {
        #(#sums.fill(F::ZERO);)*
        let mut block = 0;
        while block < #size {
            #bind
            #(#cuts)*
            #(#steps)*
            block += #block;
        }
    }
}

fn matmul(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    let Step::Matmul { product, a, b, start, adds, out } = step else {
        return TokenStream::new();
    };
    let size = |dim: &Dim| index::dim(graph, dim);
    let [a, b, c] = [*a, *b, *out].map(|slot| places.local(slot));
    let (m, k, n) = (size(&product.m), size(&product.k), size(&product.n));
    let (a_row, a_col) = (size(&product.a.0), size(&product.a.1));
    let (b_row, b_col) = (size(&product.b.0), size(&product.b.1));
    // With sizes in the code, the product is laid out for them; else one copy of it serves all.
    let literal = [&product.k, &product.n].iter().any(|dim| dim.as_fixed().is_some());
    let (function, room) = match product.room() {
        Some(_) => {
            let room = places.local(Slot::Scratch);
            (quote!(::chainrule::rt::matmul_large), Some(quote!(, &mut #room[..])))
        }
        None if literal => (quote!(::chainrule::rt::matmul), None),
        None => (quote!(::chainrule::rt::matmul_any), None),
    };
    let offset = |which: usize| {
        let terms = product.batch.iter().enumerate().map(|(at, (_, stride))| {
            let (i, stride) = (numbered("i", at), size(&stride[which]));
            quote!(#i * #stride)
        });
        quote!(0 #(+ #terms)*)
    };
    let (from_a, from_b, from_c) = (offset(0), offset(1), offset(2));
    let added = start.is_some() || *adds;
    let rows = start.map(|slot| {
        let vector = places.local(slot);
        quote!(for i in 0..#m { #c[i * #n..][..#n].copy_from_slice(&#vector[..#n]); })
    });
    let mut out = if product.batch.is_empty() {
        quote!(#function(#m, #k, #n, &#a[..], #a_row, #a_col, &#b[..], #b_row, #b_col, &mut #c[..], #added #room);)
    } else {
        quote!(#function(#m, #k, #n, &#a[#from_a..], #a_row, #a_col, &#b[#from_b..], #b_row, #b_col, &mut #c[#from_c..], #added #room);)
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
        Step::Matmul { product, .. } => return product.room(),
        Step::Stream(stream) => {
            return stream
                .steps
                .iter()
                .filter_map(scratch)
                .max_by(|a, b| estimate(a).total_cmp(&estimate(b)));
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
