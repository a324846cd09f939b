//! In: sizes and affine positions. Out: expressions of type `usize`, or `isize` where they may be negative.

use super::names;
use crate::ir::{Dim, Graph, Num};
use crate::plan::lin::{Lin, all_signs};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// The local variable that holds a run-time size.
pub fn dim_ident(graph: &Graph, at: usize) -> proc_macro2::Ident {
    names::prefixed("dim", &graph.dims[at].name)
}

/// A number literal without suffix.
pub fn literal(value: u128) -> TokenStream {
    let literal = Literal::u128_unsuffixed(value);
    quote!(#literal)
}

/// A size, or another formula of sizes whose value is not negative.
pub fn dim(graph: &Graph, dim: &Dim) -> TokenStream {
    match dim.as_fixed() {
        Some(size) if size >= 0 => literal(size.unsigned_abs()),
        _ => formula(dim, &|at| {
            let ident = dim_ident(graph, at);
            quote!(#ident)
        }),
    }
}

/// A polynomial of sizes over the variables that `name` gives; at the top it is safe to multiply or to add.
pub fn formula(dim: &Dim, name: &dyn Fn(usize) -> TokenStream) -> TokenStream {
    let denominator = dim.terms.iter().fold(1_i128, |d, (_, c)| match c {
        Num::Rational(_, q) => lcm(d, *q),
        Num::Real(_) => d,
    });
    let (mut plus, mut minus) = (Vec::new(), Vec::new());
    for (names, c) in dim.terms.iter() {
        let whole = (*c * Num::int(denominator)).as_int().unwrap_or(0);
        let factors = names.iter().map(|id| name(id.0 as usize));
        let count = literal(whole.unsigned_abs());
        let mut term = factors.fold(None, |product: Option<TokenStream>, factor| {
            Some(product.map_or_else(|| factor.clone(), |p| quote!(#p * #factor)))
        });
        if whole.unsigned_abs() != 1 || term.is_none() {
            term = Some(term.map_or_else(|| count.clone(), |t| quote!(#count * #t)));
        }
        if whole < 0 {
            minus.extend(term);
        } else {
            plus.extend(term);
        }
    }
    let difference = difference(&plus, &minus);
    if denominator == 1 {
        difference
    } else {
        let denominator = literal(denominator.unsigned_abs());
        quote!((#difference / #denominator))
    }
}

/// Parenthesised unless it is a single product.
fn difference(plus: &[TokenStream], minus: &[TokenStream]) -> TokenStream {
    match (plus, minus) {
        ([], []) => quote!(0),
        ([one], []) => quote!(#one),
        ([], minus) => quote!((0 #(- #minus)*)),
        (plus, minus) => quote!((#(#plus)+* #(- #minus)*)),
    }
}

/// A position that is known not to be negative.
pub fn position(graph: &Graph, lin: &Lin) -> TokenStream {
    affine(graph, lin, false)
}

/// A position that may be negative, as `isize`.
pub fn signed(graph: &Graph, lin: &Lin) -> TokenStream {
    affine(graph, lin, true)
}

fn affine(graph: &Graph, lin: &Lin, signed: bool) -> TokenStream {
    let cast = |tokens: TokenStream| {
        if signed { quote!(((#tokens) as isize)) } else { tokens }
    };
    let (mut plus, mut minus) = (Vec::new(), Vec::new());
    let zero = Dim::fixed(0);
    for (ix, coefficient) in &lin.terms {
        let negative = all_signs(coefficient, true);
        let size =
            if negative { zero.plus(coefficient, Num::int(-1)) } else { coefficient.clone() };
        let index = names::numbered("i", *ix as usize);
        let index = cast(quote!(#index));
        let term = if size.is_one() {
            index
        } else {
            let size = cast(dim(graph, &size));
            quote!(#index * #size)
        };
        if negative {
            minus.push(term);
        } else {
            plus.push(term);
        }
    }
    for term in lin.offset.terms.iter() {
        let single = Dim { terms: [term.clone()].into() };
        if term.1.is_negative() {
            minus.push(cast(dim(graph, &zero.plus(&single, Num::int(-1)))));
        } else {
            plus.push(cast(dim(graph, &single)));
        }
    }
    difference(&plus, &minus)
}

fn lcm(a: i128, b: i128) -> i128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).saturating_mul(b)
}
