//! Where formulas are defined, and what may cancel: a formula is never simplified into one that has numbers where it has none.
//!
//! `sqrt(u)^2` is u only where u is known to be at least 0, in values and in derivatives. `x/x` and `log(u) - log(u)` stay in values;
//! in derivatives they cancel, as they do on paper: the slope of `p*log(p)` is `log(p) + 1`.

use super::Simplifier;
use super::facts;
use super::product::{Factor, Product};
use crate::ir::{Graph, NamedConst, NodeId, Num, Op};
use crate::ops;

/// What is simplified, which says how much may be filled in or known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// A value: it has none where it has none as written, even at a single point.
    Value,
    /// A derivative that may be differentiated again: factors and terms cancel.
    Derivative,
    /// A derivative that is not: facts may be used that hold at the point, but not around it, as a matrix being symmetric.
    Last,
}

impl Simplifier<'_> {
    /// Whether (x^a)^n, n whole, is x^(a·n) wherever it is a number.
    pub(crate) fn power_of_power(&self, base: NodeId, inner: Num, whole: Num) -> bool {
        inner.as_int().is_some()
            || (inner * whole).as_int().is_none()
            || facts::nonnegative(self.graph, base)
    }

    /// Whether x^a · x^b may be written as x^(a + b).
    fn joins(&self, base: NodeId, a: Num, b: Num) -> bool {
        if matches!(self.graph.op(base), Op::Delta(_)) {
            return true;
        }
        let roots = a.as_int().is_none() && (a + b).as_int().is_some();
        if roots && !facts::nonnegative(self.graph, base) {
            return false;
        }
        let gone = (a + b).is_zero();
        self.stage != Stage::Value
            || a.is_negative() == b.is_negative()
            || facts::positive(self.graph, base) && (!gone || is_total(self.graph, base))
    }

    /// x^a · x^b = x^(a + b) where both are read at the same labels.
    pub(crate) fn collect_powers(&self, product: &mut Product) {
        let mut kept: Vec<Factor> = Vec::new();
        for factor in product.factors.drain(..) {
            let joined = kept.iter_mut().find(|known| {
                known.base == factor.base
                    && known.labels == factor.labels
                    && self.joins(factor.base, known.exponent, factor.exponent)
            });
            match joined {
                Some(known) => known.exponent = known.exponent + factor.exponent,
                None => kept.push(factor),
            }
        }
        kept.retain(|factor| !factor.exponent.is_zero());
        product.factors = kept;
    }

    /// What is 1/x, and 0 where x is 0, is 1/x beside another power of x or x², and where x is over 0.
    pub(crate) fn drop_guards(&mut self, product: &mut Product) {
        if self.stage == Stage::Value {
            return;
        }
        for at in 0..product.factors.len() {
            let Factor { base, exponent, labels } = product.factors[at].clone();
            let Op::Call(op, _) = self.graph.op(base) else { continue };
            if !ops::spec(*op).guarded || self.is_atom(base) || exponent.is_negative() {
                continue;
            }
            let x = self.graph.args(base)[0];
            let square = self.power(x, Num::int(2));
            let same = |other: &&mut Factor| {
                (other.base == x || other.base == square) && other.labels == labels
            };
            if let Some(other) = product.factors.iter_mut().find(same) {
                let own = if other.base == x { Num::ONE } else { Num::int(2) };
                let power = other.exponent * own + -exponent;
                (other.base, other.exponent) = (self.power(x, power), Num::ONE);
                product.factors[at].exponent = Num::ZERO;
            } else if facts::positive(self.graph, x) {
                product.factors[at] = Factor { base: x, exponent: -exponent, labels };
            }
        }
        product.factors.retain(|factor| !factor.exponent.is_zero());
        self.flatten(product);
        self.collect_powers(product);
    }

    /// Whether a term of a sum has a power of another factor's base with the opposite sign, read at the same labels.
    pub(crate) fn cancels(&self, term: &Product, sum: &Factor, other: &Factor) -> bool {
        other.labels.iter().all(|label| sum.labels.contains(label))
            && term.factors.iter().any(|factor| {
                factor.base == other.base
                    && factor.exponent.is_negative() != other.exponent.is_negative()
                    && self.joins(other.base, other.exponent, factor.exponent)
                    && factor.labels.len() == other.labels.len()
                    && factor.labels.iter().zip(&other.labels).all(|(own, label)| {
                        term.out
                            .iter()
                            .position(|out| out == own)
                            .is_some_and(|axis| sum.labels[axis] == *label)
                    })
            })
    }

    /// Like terms as one. Terms that cancel are gone, unless they have no value somewhere and the sum is to have none there either.
    pub(crate) fn collect_terms(&self, terms: Vec<(Num, NodeId)>) -> Vec<(Num, NodeId)> {
        let mut sums: Vec<(Num, NodeId, Num)> = Vec::new();
        for (c, node) in terms {
            match sums.iter_mut().find(|(_, known, _)| *known == node) {
                Some((_, _, sum)) => *sum = *sum + c,
                None => sums.push((c, node, c)),
            }
        }
        let mut kept: Vec<(Num, NodeId)> = Vec::new();
        for (first, node, sum) in sums {
            if !sum.is_zero() {
                kept.push((sum, node));
            } else if self.stage == Stage::Value && !is_total(self.graph, node) {
                kept.extend([(first, node), (-first, node)]);
            }
        }
        kept
    }
}

/// Whether a formula is known to have a value whatever numbers its variables are. Looks at a few nodes only.
pub(crate) fn is_total(graph: &Graph, node: NodeId) -> bool {
    let mut stack = vec![node];
    for _ in 0..MOST_SEEN {
        let Some(node) = stack.pop() else { return true };
        let args = graph.args(node);
        let total = match graph.op(node) {
            Op::Pow(exponent) => {
                let sign = facts::sign(graph, args[0]);
                match (exponent.is_negative(), exponent.as_int()) {
                    (true, _) => sign == Some(true),
                    (false, None) => sign.is_some(),
                    (false, Some(_)) => true,
                }
            }
            Op::Call(op, _) => ops::spec(*op).is_total(),
            Op::Named(NamedConst::Inf) | Op::Scan(_) | Op::Deriv => false,
            _ => true,
        };
        if !total {
            return false;
        }
        stack.extend_from_slice(args);
    }
    false
}

/// How many nodes are looked at.
const MOST_SEEN: usize = 64;
