//! In: a matrix product of a plan. Out: the calls of the run-time support that compute it.
//! Small products are laid out in tiles for their very sizes, and stand among the steps around them. For others one copy of the code
//! serves all sizes; it stands in the run-time support, so that nobody's program compiles it again.

use super::index;
use super::names::numbered;
use super::nest::Places;
use crate::ir::{Dim, Graph};
use crate::plan::matmul::Strided;
use crate::plan::{Slot, Step};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Products of at most so many multiplications are laid out for their sizes: a call, and what it hides from LLVM, would be felt.
const SMALL: usize = 4096;
/// Of those whose right operand has to be turned first, only these.
const SMALL_TURNED: usize = 512;
/// Inner products of fewer terms are not worth eight running sums.
const SHORT: usize = 8;
/// Widths of tiles: those that fill vector registers, and some that are one register and a part.
const WIDTHS: [usize; 9] = [20, 16, 12, 10, 8, 4, 3, 2, 1];

/// A small product's sizes and strides, as numbers: that of a matrix and a vector as that of a vector and a matrix.
struct Small {
    m: usize,
    k: usize,
    n: usize,
    a: [usize; 2],
    b: [usize; 2],
    /// Whether the operands are exchanged.
    swapped: bool,
}

impl Small {
    fn of(product: &Strided) -> Option<Small> {
        let number = |dim: &Dim| dim.as_fixed().and_then(|size| usize::try_from(size).ok());
        let (m, k, n) = (number(&product.m)?, number(&product.k)?, number(&product.n)?);
        let a = [number(&product.a.0)?, number(&product.a.1)?];
        let b = [number(&product.b.0)?, number(&product.b.1)?];
        let small = if n == 1 {
            Small { m: 1, k, n: m, a: [b[1], b[0]], b: [a[1], a[0]], swapped: true }
        } else {
            Small { m, k, n, a, b, swapped: false }
        };
        let count = m.saturating_mul(k).saturating_mul(n);
        let direct = small.b[1] == 1 || small.is_dots() || count <= SMALL_TURNED;
        (count > 0 && count <= SMALL && direct).then_some(small)
    }

    /// Whether it is inner products of one vector with others.
    fn is_dots(&self) -> bool {
        self.m == 1 && self.a[1] == 1 && self.b[0] == 1 && self.b[1] != 1 && self.k >= SHORT
    }

    /// Rows and columns in tiles, each with how many there are: as large as the registers hold the sums of.
    fn calls(&self, a: &TokenStream, b: &TokenStream, c: &TokenStream, adds: bool) -> TokenStream {
        let number = |n: usize| Literal::usize_unsuffixed(n);
        let [a_row, a_col, b_row] = [self.a[0], self.a[1], self.b[0]].map(number);
        let (k, n) = (number(self.k), number(self.n));
        let mut out = TokenStream::new();
        let mut j = 0;
        while j < self.n {
            // Sums of one term do not wait in registers for the others.
            let widest = if self.m < 3 || self.k == 1 { 20 } else { 12 };
            let fits = |width: &&usize| **width <= widest.min(self.n - j);
            let width = WIDTHS.iter().find(fits).copied().unwrap_or(1);
            let mut i = 0;
            while i < self.m {
                let left = self.m - i;
                let fives = left.is_multiple_of(5) && !left.is_multiple_of(4) && width <= 8;
                let height = if fives { 5 } else { left.min(4) };
                let rows = left / height * height;
                let (from_a, from_b) = (number(i * self.a[0]), number(j));
                let from_c = number(i * self.n + j);
                let (height, width, rows_of) = (number(height), number(width), number(rows));
                out.extend(quote! {
                    ::chainrule::rt::tiles::<F, #height, #width>(
                        #rows_of, #k, &#a[#from_a..], #a_row, #a_col, &#b[#from_b..], #b_row, &mut #c[#from_c..], #n, #adds
                    );
                });
                i += rows;
            }
            j += width;
        }
        out
    }

    /// The whole, for operands from their starts on.
    fn product(
        &self,
        a: &TokenStream,
        b: &TokenStream,
        c: &TokenStream,
        adds: bool,
    ) -> TokenStream {
        let number = |n: usize| Literal::usize_unsuffixed(n);
        let [k, n, b_row, b_col] = [self.k, self.n, self.b[0], self.b[1]].map(number);
        if self.is_dots() {
            return quote!(::chainrule::rt::dots(#k, #n, &#a[..], &#b[..], #b_col, &mut #c[..], #adds););
        }
        if self.b[1] == 1 {
            return self.calls(a, b, c, adds);
        }
        let turned = Small { b: [self.n, 1], ..*self };
        let calls = turned.calls(a, &quote!(turned), c, adds);
        let size = number(self.k * self.n);
        quote! {
            let mut turned = [F::ZERO; #size];
            for j in 0..#n {
                for p in 0..#k { turned[p * #n + j] = #b[p * #b_row + j * #b_col]; }
            }
            #calls
        }
    }
}

/// Whether the product may stand among other steps.
pub fn is_small(product: &Strided) -> bool {
    Small::of(product).is_some()
}

/// The product for every position of its batch axes.
pub fn product(graph: &Graph, step: &Step, places: &dyn Places) -> TokenStream {
    let Step::Matmul { product, a, b, start, adds, out } = step else {
        return TokenStream::new();
    };
    let size = |dim: &Dim| index::dim(graph, dim);
    let (m, n) = (size(&product.m), size(&product.n));
    let c = places.local(*out);
    let rows = start.map(|slot| {
        let vector = places.local(slot);
        quote!(for i in 0..#m { #c[i * #n..][..#n].copy_from_slice(&#vector[..#n]); })
    });
    let from = |which: usize, slot: Slot| {
        let local = places.local(slot);
        let terms: Vec<TokenStream> = product
            .batch
            .iter()
            .enumerate()
            .map(|(at, (_, stride))| {
                let (i, stride) = (numbered("i", at), size(&stride[which]));
                quote!(#i * #stride)
            })
            .collect();
        if terms.is_empty() { quote!(#local) } else { quote!(#local[#(#terms)+*..]) }
    };
    let (a, b, c) = (from(0, *a), from(1, *b), from(2, *out));
    let added = start.is_some() || *adds;
    let mut all = match Small::of(product) {
        Some(small) if small.swapped => small.product(&b, &a, &c, added),
        Some(small) => small.product(&a, &b, &c, added),
        None => {
            let k = size(&product.k);
            let [a_row, a_col, b_row, b_col] =
                [&product.a.0, &product.a.1, &product.b.0, &product.b.1].map(size);
            let (function, room) = match product.room(false) {
                Some(_) => {
                    let room = places.local(Slot::Scratch);
                    (quote!(matmul_large), Some(quote!(, &mut #room[..])))
                }
                None => (quote!(matmul), None),
            };
            quote! {
                ::chainrule::rt::#function(
                    #m, #k, #n, &#a[..], #a_row, #a_col, &#b[..], #b_row, #b_col, &mut #c[..], #added #room
                );
            }
        }
    };
    for (at, (count, _)) in product.batch.iter().enumerate().rev() {
        let (i, count) = (numbered("i", at), size(count));
        all = quote!(for #i in 0..#count { #all });
    }
    quote!(#rows { #all })
}
