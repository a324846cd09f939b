//! Differences of functions at neighbouring points, whose digits cancel, told without them. Each rule is exact wherever the
//! formula it replaces is defined.

use super::exponentials::{Rewritten, power_of, scaled};
use super::{Known, facts};
use crate::ir::{Graph, NodeId, Num, Op};
use std::collections::BTreeMap;

impl Known {
    /// Differences of roots, of reciprocals and of logarithms of sums that differ by a number.
    pub(super) fn difference(&self, graph: &mut Graph, node: NodeId) -> Rewritten {
        let Op::Add(c) = graph.op(node).clone() else { return None };
        let (&[p, q], &[f, g]) = (c.as_slice(), graph.args(node)) else { return None };
        if p != -q {
            return None;
        }
        self.roots(graph, (p, f, g)).or_else(|| self.logarithms(graph, (p, f, g)))
    }

    /// sqrt(a) - sqrt(b) = (a - b)/(sqrt(a) + sqrt(b)), and 1/a - 1/b = (b - a)/(a·b), times c.
    fn roots(&self, graph: &mut Graph, (c, f, g): (Num, NodeId, NodeId)) -> Rewritten {
        let ((a, power), (b, other)) = (power_of(graph, f), power_of(graph, g));
        let apart = (power == other).then(|| apart(graph, a, b))??;
        if power == Num::int(-1) {
            let product = graph.multiply(&[f, g]);
            return Some(("reciprocals-apart", graph.scale(-(c * apart), product)));
        }
        if Some(power) != Num::ratio(1, 2) {
            return None;
        }
        let shape = graph.shape(f).clone();
        let sum = graph.add(&[(Num::ONE, f), (Num::ONE, g)], &shape);
        let inverse = graph.pow(sum, Num::int(-1));
        Some(("roots-apart", graph.scale(c * apart, inverse)))
    }

    /// log(b + d) - log(b) = log1p(d/b) for b and d over 0, times c.
    fn logarithms(&self, graph: &mut Graph, (c, f, g): (Num, NodeId, NodeId)) -> Rewritten {
        let (a, b) = (self.logarithm_of(graph, f)?, self.logarithm_of(graph, g)?);
        let apart = apart(graph, a, b)?;
        let (c, apart, less) = if apart.is_negative() { (-c, -apart, a) } else { (c, apart, b) };
        if !facts::positive(graph, less) {
            return None;
        }
        let inverse = graph.pow(less, Num::int(-1));
        let share = graph.scale(apart, inverse);
        let log = self.unary(graph, self.log1p, share);
        Some(("logarithms-apart", graph.scale(c, log)))
    }

    /// The x of log(x), and 1 + x of log1p(x).
    fn logarithm_of(&self, graph: &mut Graph, node: NodeId) -> Option<NodeId> {
        if let Some(x) = self.argument(graph, node, self.log) {
            return Some(x);
        }
        let (c, x) = {
            let x = self.argument(graph, node, self.log1p)?;
            scaled(graph, x)
        };
        let shape = graph.shape(x).clone();
        let ones = graph.ones(&shape);
        Some(graph.add(&[(Num::ONE, ones), (c, x)], &shape))
    }

    /// 1 - cos(x) = 2·sin(x/2)², where `term` is the cosine, times c.
    pub(super) fn one_less_cosine(&self, graph: &mut Graph, c: Num, term: NodeId) -> Rewritten {
        let x = self.argument(graph, term, self.cos)?;
        let half = graph.scale(Num::ratio(1, 2)?, x);
        let sine = self.unary(graph, self.sin, half);
        let square = graph.pow(sine, Num::int(2));
        Some(("one-less-cosine", graph.scale(c * Num::int(-2), square)))
    }
}

/// The number, other than 0, by which one sum is over another.
fn apart(graph: &Graph, a: NodeId, b: NodeId) -> Option<Num> {
    let mut terms: BTreeMap<NodeId, Num> = BTreeMap::new();
    let mut number = Num::ZERO;
    for (sign, sum) in [(Num::ONE, a), (Num::int(-1), b)] {
        let parts = match graph.op(sum) {
            Op::Add(c) => c.iter().copied().zip(graph.args(sum).iter().copied()).collect(),
            _ => vec![(Num::ONE, sum)],
        };
        for (c, part) in parts {
            match facts::number(graph, part) {
                Some(value) => number = number + sign * c * value,
                None => {
                    let before = terms.entry(part).or_insert(Num::ZERO);
                    *before = *before + sign * c;
                }
            }
        }
    }
    let same = terms.values().all(|c| c.is_zero());
    (same && !number.is_zero()).then_some(number)
}
