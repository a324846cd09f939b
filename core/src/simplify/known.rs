//! Functions of numbers alone, where their value is exact: conditions that are decided before the program runs, what a function
//! comes to at 0, 1 and -1, and functions of repeated numbers, which are taken once.

use super::{Simplifier, facts};
use crate::few::Each;
use crate::ir::{NodeId, Num, Op};
use crate::ops::{self, Eval, Rule};

impl Simplifier<'_> {
    /// `2 == 0` is 0, `exp(0)` is 1, and `where(0, a, b)` is b; `None` where nothing is decided.
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
            let Eval::Scalar(value) = spec.eval else { return None };
            let numbers = args.iter().map(|arg| facts::number(self.graph, *arg));
            let numbers = numbers.collect::<Option<Vec<Num>>>()?;
            let exact = (matches!(spec.rule, Rule::Zero) || numbers.iter().all(is_short))
                .then(|| exactly(value(&numbers.each(|number| number.to_f64()))));
            match exact.flatten() {
                Some(value) => super::power::constant(self.graph, value, &shape),
                None => self.once(node, &numbers)?,
            }
        };
        self.record("function-of-numbers", node, new);
        Some(new)
    }

    /// `log(2*ones(N))` is `log(2)`, repeated.
    fn once(&mut self, node: NodeId, numbers: &[Num]) -> Option<NodeId> {
        let shape = self.graph.shape(node).clone();
        let Op::Call(op, attrs) = self.graph.op(node).clone() else { return None };
        if shape.is_empty() {
            return None;
        }
        let args: Vec<NodeId> = numbers.each(|number| self.graph.constant(*number));
        let call = self.graph.call(op, args, attrs, Vec::new());
        let repeated = self.graph.fill(call, &shape);
        Some(self.normal(repeated))
    }
}

/// 0, 1 and -1: what a function comes to there is no accident of rounding where it looks exact.
fn is_short(number: &Num) -> bool {
    number.is_zero() || number.is_one() || (-*number).is_one()
}

/// A number that is exact in every type of numbers.
fn exactly(value: f64) -> Option<Num> {
    let exact = [(0, 1), (1, 1), (-1, 1), (1, 2), (-1, 2)];
    exact.into_iter().filter_map(|(n, d)| Num::ratio(n, d)).find(|exact| exact.to_f64() == value)
}
