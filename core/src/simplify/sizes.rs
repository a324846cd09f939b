//! Sizes that cancel: `2·x/(2·B)` is `x/B`, `B·x/(B·K)` is `x/K`, `12·x/(3·B)` is `4·x/B`, `x/(B·(B·K))` is `x/(B²·K)`. In: a product.
//! Out: the same value with nothing that stands over the line and, as a number or a name, under it as well, and no name in two factors.

use super::Simplifier;
use super::product::{Factor, Product};
use crate::few::Each;
use crate::ir::{Dim, DimId, NodeId, Num, Op};
use std::collections::BTreeMap;

/// A size to a higher power than this is left alone.
const HIGHEST: i128 = 4;

/// Sizes over and under the line: a number, and how often each name.
#[derive(Default)]
struct Side {
    number: i128,
    names: BTreeMap<DimId, usize>,
}

impl Side {
    fn one() -> Side {
        Side { number: 1, names: BTreeMap::new() }
    }

    /// Multiplies by a size of one term.
    fn times(&mut self, dim: &Dim) -> Option<()> {
        let [(names, number)] = &dim.terms[..] else { return None };
        self.number = self.number.checked_mul(number.as_int()?)?;
        for name in names {
            *self.names.entry(*name).or_default() += 1;
        }
        Some(())
    }

    fn dim(&self) -> Dim {
        let names = self.names.iter().flat_map(|(name, count)| vec![*name; *count]);
        names.fold(Dim::fixed(self.number), |dim, name| dim.times(&Dim::named(name)))
    }
}

impl Simplifier<'_> {
    /// Cancels the sizes of a product, also with its coefficient; whether there was something to cancel.
    pub(super) fn cancel_sizes(&mut self, product: &mut Product) -> bool {
        let mut rest: Vec<Factor> = Vec::new();
        let (mut over, mut under) = (Side::one(), Side::one());
        for factor in &product.factors {
            if self.take_size(factor, &mut over, &mut under).is_none() {
                rest.push(factor.clone());
            }
        }
        if rest.len() == product.factors.len() {
            return false;
        }
        let Num::Rational(n, d) = product.coefficient else { return false };
        let common = |a: i128, b: i128| Num::ratio(a, b).map_or((a, b), parts);
        let ((n, q), (p, d)) = (common(n, under.number), common(over.number, d));
        let mut cancelled = q != under.number || p != over.number;
        (under.number, over.number) = (q, p);
        for (name, count) in &mut over.names {
            if let Some(other) = under.names.get_mut(name) {
                let both = (*count).min(*other);
                (*count, *other) = (*count - both, *other - both);
                cancelled = true;
            }
        }
        over.names.retain(|_, count| *count > 0);
        under.names.retain(|_, count| *count > 0);
        let Some(coefficient) = n.checked_mul(over.number).and_then(|n| Num::ratio(n, d)) else {
            return false;
        };
        if !cancelled && !self.sizes_meet(product) {
            return false;
        }
        product.coefficient = coefficient;
        over.number = 1;
        for (mut side, exponent) in [(over, Num::ONE), (under, Num::int(-1))] {
            let several = side.names.values().any(|count| *count > 1);
            if let Some(part) =
                Num::ratio(1, side.number).filter(|_| several || side.names.is_empty())
            {
                product.coefficient = product.coefficient * part;
                side.number = 1;
            }
            let powers: Vec<(Dim, usize)> = match several {
                true => {
                    side.names.iter().map(|(name, count)| (Dim::named(*name), *count)).collect()
                }
                false => vec![(side.dim(), 1)],
            };
            for (dim, count) in powers.into_iter().filter(|(dim, _)| !dim.is_one()) {
                let (base, exponent) = (self.graph.size(&dim), exponent * Num::int(count as i128));
                rest.push(Factor { base, exponent, labels: Vec::new() });
            }
        }
        product.factors = rest;
        true
    }

    /// Whether two factors have a name on one side of the line.
    fn sizes_meet(&self, product: &Product) -> bool {
        let mut seen: Vec<(DimId, bool)> = Vec::new();
        for factor in &product.factors {
            let Op::Size(dim) = self.graph.op(factor.base) else { continue };
            let [(names, _)] = &dim.terms[..] else { continue };
            let own = names.each(|name| (*name, factor.exponent.is_negative()));
            if own.iter().any(|name| seen.contains(name)) {
                return true;
            }
            seen.extend(own);
        }
        false
    }

    /// Takes in a factor that is a size of one term, to a whole power.
    fn take_size(&self, factor: &Factor, over: &mut Side, under: &mut Side) -> Option<()> {
        let Op::Size(dim) = self.graph.op(factor.base) else { return None };
        let power = factor.exponent.as_int().filter(|power| power.abs() <= HIGHEST)?;
        let whole = matches!(&dim.terms[..], [(_, number)] if number.as_int().is_some());
        whole.then_some(())?;
        for _ in 0..power.abs() {
            if power < 0 { under.times(dim)? } else { over.times(dim)? }
        }
        Some(())
    }

    /// `c · term` with its sizes cancelled.
    pub(super) fn lighter(&mut self, c: Num, term: NodeId) -> (Num, NodeId) {
        let is_size = |node: NodeId| match self.graph.op(node) {
            Op::Size(_) => true,
            Op::Pow(_) => matches!(self.graph.op(self.graph.args(node)[0]), Op::Size(_)),
            _ => false,
        };
        let has_size = match self.graph.op(term) {
            Op::Einsum(_) if !self.is_atom(term) => {
                self.graph.args(term).iter().any(|arg| is_size(*arg))
            }
            _ => is_size(term),
        };
        if !has_size {
            return (c, term);
        }
        let mut product = self.as_product(term);
        product.coefficient = c;
        if !self.cancel_sizes(&mut product) {
            return (c, term);
        }
        let coefficient = std::mem::replace(&mut product.coefficient, Num::ONE);
        let node = self.rebuild(&product);
        (coefficient, self.normal(node))
    }
}

fn parts(ratio: Num) -> (i128, i128) {
    match ratio {
        Num::Rational(n, d) => (n, d),
        Num::Real(_) => (1, 1),
    }
}
