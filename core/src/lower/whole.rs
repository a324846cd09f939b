//! Which values can pick rows: those whose entries are whole numbers, whatever the inputs are.

use super::Lowerer;
use crate::ir::{NodeId, Op};
use crate::ops::{self, Eval, OpId, Rule};
use std::collections::BTreeSet;

impl Lowerer<'_> {
    /// Whether a node's entries are whole numbers: integer variables, what a scan's step is given of sequences of such, ranges,
    /// sizes, positions that argmax gives, and what sums, products and functions make of such.
    pub(super) fn is_whole(&self, node: NodeId) -> bool {
        let graph = &*self.graph;
        let mut whole = BTreeSet::new();
        for id in graph.reachable(&[node]) {
            let args = graph.args(id).iter().all(|arg| whole.contains(arg));
            let is = match graph.op(id) {
                Op::Var(var) => graph.var(*var).int || self.whole_entries.contains(&id),
                Op::Const(value) => value.as_int().is_some(),
                Op::Range(_) | Op::Delta(_) | Op::Size(_) => true,
                Op::Einsum(_) | Op::View(_) | Op::Reshape => args,
                Op::Gather => graph.args(id).first().is_some_and(|arg| whole.contains(arg)),
                Op::Add(coefficients) => args && coefficients.iter().all(|c| c.as_int().is_some()),
                Op::Pow(power) => args && power.as_int().is_some_and(|n| n > 0),
                Op::Call(op, _) => gives_whole(*op) || args && keeps_whole(*op),
                _ => false,
            };
            if is {
                whole.insert(id);
            }
        }
        whole.contains(&node)
    }
}

/// Positions, counts, truths, and what rounds: functions without slope.
fn gives_whole(op: OpId) -> bool {
    matches!(ops::spec(op).rule, Rule::NoDerivative | Rule::Zero)
}

/// Whether an elementwise function makes whole numbers of whole numbers: it does so for all of a few small ones.
fn keeps_whole(op: OpId) -> bool {
    let row = ops::spec(op);
    let Eval::Scalar(value) = row.eval else { return false };
    let small = |at: usize, arg: u32| (at / 7_usize.pow(arg) % 7) as f64 - 3.0;
    let count = row.params.len() as u32;
    (0..7_usize.pow(count)).all(|at| {
        let arguments: Vec<f64> = (0..count).map(|arg| small(at, arg)).collect();
        value(&arguments).fract() == 0.0
    })
}
