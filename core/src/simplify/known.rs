//! Functions of numbers alone, where their value is exact: conditions that are decided before the program runs.

use super::{Simplifier, facts};
use crate::ir::{NodeId, Op};
use crate::ops::{self, Eval, Rule};

impl Simplifier<'_> {
    /// `2 == 0` is 0, and `where(0, a, b)` is b; `None` where nothing is decided.
    pub(super) fn decided(&mut self, node: NodeId) -> Option<NodeId> {
        let Op::Call(op, _) = self.graph.op(node) else { return None };
        let spec = ops::spec(*op);
        let args = self.graph.args(node).to_vec();
        let shape = self.graph.shape(node).clone();
        let new = if spec.chooses {
            let [condition, yes, no] = args.as_slice() else { return None };
            let taken = if facts::number(self.graph, *condition)?.is_zero() { *no } else { *yes };
            (*self.graph.shape(taken) == shape).then_some(taken)?
        } else {
            let (Rule::Zero, Eval::Scalar(value)) = (spec.rule, spec.eval) else { return None };
            let numbers = args.iter().map(|arg| Some(facts::number(self.graph, *arg)?.to_f64()));
            let value = value(&numbers.collect::<Option<Vec<f64>>>()?);
            // Zero and one are exact in every type of numbers.
            let bit = [0, 1].into_iter().find(|bit| f64::from(*bit) == value)?;
            let bit = self.graph.int(i128::from(bit));
            self.graph.fill(bit, &shape)
        };
        self.record("decided-condition", node, new);
        Some(new)
    }
}
