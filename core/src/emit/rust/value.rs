//! In: one scalar of a loop body. Out: a Rust expression over the scalars before it.

use super::index;
use super::names::numbered;
use crate::few::{self, Each};
use crate::ir::{Graph, NamedConst, Num};
use crate::ops::{self, OpId};
use crate::plan::kernel::{Value, ValueId};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use std::str::FromStr;

/// The local variable of a value.
pub fn local(id: ValueId) -> TokenStream {
    let ident = numbered("v", id);
    quote!(#ident)
}

/// Everything but loads.
pub fn expression(graph: &Graph, value: &Value) -> TokenStream {
    match value {
        Value::Load(_) => TokenStream::new(),
        Value::Const(c) => number(*c),
        Value::Named(name) => named(*name),
        Value::Size(size) => {
            let size = index::dim(graph, size);
            quote!(F::from_usize(#size))
        }
        Value::Position(lin) => {
            let at = index::position(graph, lin);
            quote!(F::from_usize(#at))
        }
        Value::Equal(a, b) => {
            let (a, b) = (index::signed(graph, a), index::signed(graph, b));
            quote!(if #a == #b { F::ONE } else { F::ZERO })
        }
        Value::Product(over, under) => quotient(over, under),
        Value::Sum(terms) => sum(terms),
        Value::Pow(base, exponent) => power(*base, *exponent),
        Value::Call(op, args) => call(*op, args),
    }
}

fn named(name: NamedConst) -> TokenStream {
    match name {
        NamedConst::Pi => quote!(F::from_f64(::core::f64::consts::PI)),
        NamedConst::E => quote!(F::from_f64(::core::f64::consts::E)),
        _ => quote!(F::INFINITY),
    }
}

/// A number of type `F`.
pub fn number(c: Num) -> TokenStream {
    let value = c.to_f64();
    if c.is_zero() {
        quote!(F::ZERO)
    } else if c.is_one() {
        quote!(F::ONE)
    } else if value.is_finite() {
        let magnitude = Literal::f64_unsuffixed(value.abs());
        if value < 0.0 { quote!(F::from_f64(-#magnitude)) } else { quote!(F::from_f64(#magnitude)) }
    } else if value.is_nan() {
        quote!(F::NAN)
    } else if value > 0.0 {
        quote!(F::INFINITY)
    } else {
        quote!(F::NEG_INFINITY)
    }
}

fn times(ids: &[ValueId]) -> TokenStream {
    let locals = ids.iter().map(|id| local(*id));
    locals.reduce(|product, factor| quote!(#product * #factor)).unwrap_or_else(|| quote!(F::ONE))
}

fn quotient(over: &[ValueId], under: &[ValueId]) -> TokenStream {
    let top = if over.is_empty() { quote!(F::ONE) } else { times(over) };
    match under {
        [] => top,
        [_] => {
            let under = times(under);
            quote!(#top / #under)
        }
        _ => {
            let under = times(under);
            quote!(#top / (#under))
        }
    }
}

fn sum(terms: &[(Num, ValueId)]) -> TokenStream {
    // `c a - c b` is `c (a - b)`.
    let magnitude = |c: Num| if c.is_negative() { -c } else { c };
    let common = terms.first().map(|(c, _)| magnitude(*c));
    match common {
        Some(c)
            if terms.len() > 1 && !c.is_one() && terms.iter().all(|(d, _)| magnitude(*d) == c) =>
        {
            let unit = |d: Num| if d.is_negative() { Num::int(-1) } else { Num::ONE };
            let rest: Vec<_> = terms.each(|(d, id)| (unit(*d), *id));
            let (c, rest) = (number(c), sum(&rest));
            quote!(#c * (#rest))
        }
        Some(_) => plain_sum(terms),
        None => quote!(F::ZERO),
    }
}

fn plain_sum(terms: &[(Num, ValueId)]) -> TokenStream {
    let mut sorted: Vec<&(Num, ValueId)> = terms.iter().collect();
    few::sort_by(&mut sorted, &|(a, _), (b, _)| a.is_negative().cmp(&b.is_negative()));
    let mut out = TokenStream::new();
    for (at, (c, id)) in sorted.into_iter().enumerate() {
        let (negative, size) = if c.is_negative() { (true, -*c) } else { (false, *c) };
        let value = local(*id);
        let term = if size.is_one() {
            value
        } else {
            let size = number(size);
            quote!(#size * #value)
        };
        out.extend(match (at, negative) {
            (0, false) => term,
            (_, true) => quote!(- #term),
            _ => quote!(+ #term),
        });
    }
    out
}

fn power(base: ValueId, exponent: Num) -> TokenStream {
    let x = local(base);
    let half = Num::Rational(1, 2);
    match exponent.as_int().and_then(|n| i32::try_from(n).ok()) {
        Some(0) => quote!(F::ONE),
        Some(1) => x,
        Some(2) => quote!(#x * #x),
        Some(3) => quote!(#x * #x * #x),
        Some(-1) => quote!(F::ONE / #x),
        Some(-2) => quote!(F::ONE / (#x * #x)),
        Some(n) => {
            let n = Literal::i32_unsuffixed(n);
            quote!(#x.powi(#n))
        }
        None if exponent == half => quote!(#x.sqrt()),
        None if exponent == -half => quote!(F::ONE / #x.sqrt()),
        None => {
            let exponent = number(exponent);
            quote!(#x.powf(#exponent))
        }
    }
}

fn call(op: OpId, args: &[ValueId]) -> TokenStream {
    let mut text = ops::spec(op).rust.to_string();
    for (at, id) in args.iter().enumerate() {
        text = text.replace(&format!("{{{at}}}"), &format!("v{id}"));
    }
    // The rule book's templates are Rust; a test of the rows parses them all.
    TokenStream::from_str(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_rust() {
        for (id, _, row) in ops::all() {
            let args: Vec<usize> = (0..row.params.len()).collect();
            let scalar = matches!(row.kind, ops::Kind::Elementwise);
            assert!(!scalar || row.rust.is_empty() || !call(id, &args).is_empty(), "{}", row.name);
        }
    }
}
