//! In: a matrix product of a plan. Out: the call of the run-time support that computes it.
//! Small products stand where they are needed; others are functions of their own, which LLVM compiles apart: its time grows faster than
//! the length of a function, and a loop over blocks around many products is a long one.

use super::index;
use super::layout::dims_of;
use super::names::numbered;
use super::nest::Places;
use crate::ir::{Dim, Graph};
use crate::plan::matmul::Strided;
use crate::plan::{Slot, Step};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// Products of at most so many multiplications are inlined: a call, and what it hides from LLVM, would be felt.
const SMALL: i128 = 4096;

/// The statements of a matrix product.
pub fn product(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    let Step::Matmul { product, a, b, start, out, .. } = step else {
        return TokenStream::new();
    };
    let work = loops(graph, step, product, places);
    if is_small(product) {
        return work;
    }
    let mut reads: Vec<Ident> =
        [*a, *b].into_iter().chain(*start).map(|slot| places.local(slot)).collect();
    reads.sort();
    reads.dedup();
    let mut fills = vec![places.local(*out)];
    fills.extend(product.room().map(|_| places.local(Slot::Scratch)));
    let dims: Vec<Ident> =
        dims_of(sizes(product)).into_iter().map(|at| index::dim_ident(graph, at)).collect();
    quote! {{
        #[inline(never)]
        fn product<F: ::chainrule::rt::Real>(#(#reads: &[F],)* #(#fills: &mut [F],)* #(#dims: usize,)*) {
            #work
        }
        product(#(&#reads[..],)* #(&mut #fills[..],)* #(#dims,)*);
    }}
}

/// Everything that a product's code says of sizes.
fn sizes(product: &Strided) -> Vec<&Dim> {
    let strides =
        product.batch.iter().flat_map(|(count, strides)| [count].into_iter().chain(strides));
    let (a, b) = (&product.a, &product.b);
    let own = [&product.m, &product.k, &product.n, &a.0, &a.1, &b.0, &b.1];
    strides.chain(own).collect()
}

fn is_small(product: &Strided) -> bool {
    let counts = product.batch.iter().map(|(count, _)| count);
    counts
        .chain([&product.m, &product.k, &product.n])
        .try_fold(1_i128, |all, size| Some(all.saturating_mul(size.as_fixed()?)))
        .is_some_and(|all| all <= SMALL)
}

/// The product for every position of its batch axes.
fn loops(graph: &Graph, step: &Step, product: &Strided, places: &dyn Places) -> TokenStream {
    let Step::Matmul { a, b, start, adds, out, .. } = step else {
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
    let from = |which: usize| {
        let terms: Vec<TokenStream> = product
            .batch
            .iter()
            .enumerate()
            .map(|(at, (_, stride))| {
                let (i, stride) = (numbered("i", at), size(&stride[which]));
                quote!(#i * #stride)
            })
            .collect();
        (!terms.is_empty()).then(|| quote!(#(#terms)+*))
    };
    let (from_a, from_b, from_c) = (from(0), from(1), from(2));
    let added = start.is_some() || *adds;
    let rows = start.map(|slot| {
        let vector = places.local(slot);
        quote!(for i in 0..#m { #c[i * #n..][..#n].copy_from_slice(&#vector[..#n]); })
    });
    let mut all = quote! {
        #function(
            #m, #k, #n, &#a[#from_a..], #a_row, #a_col, &#b[#from_b..], #b_row, #b_col, &mut #c[#from_c..], #added #room
        );
    };
    for (at, (count, _)) in product.batch.iter().enumerate().rev() {
        let (i, count) = (numbered("i", at), size(count));
        all = quote!(for #i in 0..#count { #all });
    }
    quote!(#rows #all)
}
