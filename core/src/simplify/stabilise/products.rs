//! Products of exponentials are one exponential; products by logarithms that are 0 by decree use what is known of the logarithm.

use super::exponentials::{Rewritten, power_of, spread};
use super::{Known, facts};
use crate::few::Each;
use crate::ir::graph::all_different;
use crate::ir::{Attrs, Dim, Einsum, Graph, NodeId, Num, Op};
use crate::ops::{self, OpId};

impl Known {
    /// exp(x)^p·exp(y)^q = exp(p·x + q·y) where y has no index that x has not, so that no more exponentials are taken than before,
    /// and where one of the two may overflow.
    pub(super) fn exponentials_together(&self, graph: &mut Graph, node: NodeId) -> Rewritten {
        let Op::Einsum(e) = graph.op(node).clone() else { return None };
        let args = graph.args(node).to_vec();
        let exponents: Vec<(usize, Num, NodeId)> = (0..args.len())
            .filter_map(|at| {
                let (base, power) = power_of(graph, args[at]);
                Some((at, power, self.argument(graph, base, self.exp)?))
            })
            .collect();
        let widest = exponents.iter().max_by_key(|(at, ..)| e.ins[*at].len())?;
        let axes = e.ins[widest.0].clone();
        let mut together = exponents;
        together.retain(|(at, ..)| e.ins[*at].iter().all(|ix| axes.contains(ix)));
        let bounded = |&(_, power, x): &(usize, Num, NodeId)| match power.is_negative() {
            true => facts::nonnegative(graph, x),
            false => facts::never_positive(graph, x),
        };
        let same = together.iter().all(|(.., x)| *x == together[0].2);
        if same || !all_different(&axes) || together.iter().all(bounded) {
            return None;
        }
        let shape: Vec<Dim> = axes.each(|ix| e.sizes[*ix as usize].clone());
        let terms: Vec<(Num, NodeId)> =
            together.each(|(at, power, x)| (*power, spread(graph, *x, &e.ins[*at], &axes, &e)));
        let sum = graph.add(&terms, &shape);
        let exp = self.unary(graph, self.exp, sum);
        let gone: Vec<usize> = together.each(|(at, ..)| *at);
        Some(("exp-of-sum", replaced(graph, (&e, &args), &gone, (exp, &axes))))
    }

    /// exp(x)^p/S^q = exp(p·x - q·log(S)) where S is a sum of exponentials; exp(x)/(exp(x) + exp(y)) = sigmoid(x - y).
    pub(super) fn share_of_sum(&self, graph: &mut Graph, node: NodeId) -> Rewritten {
        let Op::Einsum(e) = graph.op(node).clone() else { return None };
        let args = graph.args(node).to_vec();
        let powers: Vec<(NodeId, Num)> = args.each(|&arg| power_of(graph, arg));
        let is_top = |at: &usize| {
            !powers[*at].1.is_negative()
                && self.argument(graph, powers[*at].0, self.exp).is_some()
                && all_different(&e.ins[*at])
        };
        let tops: Vec<usize> = (0..args.len()).filter(is_top).collect();
        let is_bottom = |at: &usize| {
            let (base, power) = powers[*at];
            power.is_negative() && self.is_exponential(graph, base) && facts::positive(graph, base)
        };
        let bottoms: Vec<usize> = (0..args.len()).filter(is_bottom).collect();
        let within =
            |top: usize, bottom: usize| e.ins[bottom].iter().all(|ix| e.ins[top].contains(ix));
        let pairs = tops.iter().flat_map(|top| bottoms.iter().map(move |bottom| (*top, *bottom)));
        let (top, bottom) = pairs.into_iter().find(|(top, bottom)| within(*top, *bottom))?;
        let ((exp, over), (sum, under)) = (powers[top], powers[bottom]);
        let x = self.argument(graph, exp, self.exp)?;
        let log = self.stable_log(graph, sum);
        if matches!(graph.op(log), Op::Call(op, _) if *op == self.log) {
            return None;
        }
        let axes = &e.ins[top];
        let log = spread(graph, log, &e.ins[bottom], axes, &e);
        let shape = graph.shape(x).clone();
        let share = match self.other_of_two(graph, log, x) {
            Some(other) if over.is_one() && under == Num::int(-1) => {
                let difference = graph.add(&[(Num::ONE, x), (under, other)], &shape);
                self.unary(graph, self.sigmoid, difference)
            }
            _ => {
                let difference = graph.add(&[(over, x), (under, log)], &shape);
                self.unary(graph, self.exp, difference)
            }
        };
        Some(("share-of-sum", replaced(graph, (&e, &args), &[top, bottom], (share, axes))))
    }

    /// The y of log(exp(x) + exp(y)).
    fn other_of_two(&self, graph: &Graph, log: NodeId, x: NodeId) -> Option<NodeId> {
        match (graph.op(log), graph.args(log)) {
            (Op::Call(op, _), &[a, b]) if *op == self.logaddexp && a == x => Some(b),
            (Op::Call(op, _), &[a, b]) if *op == self.logaddexp && b == x => Some(a),
            _ => None,
        }
    }

    /// `xlogy(t, u)` is t·log(u) where that logarithm is told without u, so that it is finite; else a more precise one may stand for it.
    pub(super) fn times_log(&self, graph: &mut Graph, node: NodeId, row: OpId) -> Rewritten {
        let times = ops::spec(row).times?;
        let &[t, u] = graph.args(node) else { return None };
        let shape = graph.shape(u).clone();
        let log = graph.call(ops::known(times, 1), vec![u], Attrs::default(), shape.clone());
        let (rule, better) = self.rewrite(graph, log)?;
        let Op::Call(op, _) = *graph.op(better) else {
            return Some((rule, graph.multiply(&[t, better])));
        };
        if op == self.log {
            return None;
        }
        let args = graph.args(better).to_vec();
        let better = match ops::times(op) {
            Some(row) => graph.call(row, vec![t, args[0]], Attrs::default(), shape),
            None => graph.multiply(&[t, better]),
        };
        Some((rule, better))
    }
}

/// A product with one factor, read at these indices, in the place of several.
fn replaced(
    graph: &mut Graph,
    (e, args): (&Einsum, &[NodeId]),
    gone: &[usize],
    (new, axes): (NodeId, &[u8]),
) -> NodeId {
    let labels = |ins: &[u8]| ins.each(|ix| u32::from(*ix));
    let mut factors = vec![(new, labels(axes))];
    for at in (0..args.len()).filter(|at| !gone.contains(at)) {
        factors.push((args[at], labels(&e.ins[at])));
    }
    let sizes: Vec<(u32, Dim)> =
        e.sizes.iter().cloned().enumerate().map(|(ix, size)| (ix as u32, size)).collect();
    graph.einsum(&factors, &labels(&e.out), &sizes)
}
