//! What reads the same the other way round: matrices that are declared symmetric, and comparisons of opposites.

use super::product::Product;
use super::{Rewrite, Simplifier, Stage, facts};
use crate::ir::{NodeId, Num, Op};
use crate::ops::{self, Mirror};

impl Simplifier<'_> {
    /// A symmetric matrix is read along the result's axes first, in their order, so that `A.T @ x` is `A @ x`.
    pub(super) fn straighten(&mut self, product: &mut Product) {
        if self.stage != Stage::Last {
            return;
        }
        for factor in &mut product.factors {
            let &[row, column] = factor.labels.as_slice() else { continue };
            let place = |label: u32| product.out.iter().position(|own| *own == label);
            let turned = match (place(row), place(column)) {
                (Some(row), Some(column)) => row > column,
                (None, Some(_)) => true,
                _ => false,
            };
            if !turned {
                continue;
            }
            if let Some(declared) = facts::symmetric(self.graph, factor.base) {
                factor.labels.swap(0, 1);
                self.rewrites.push(Rewrite {
                    rule: "symmetric",
                    before: declared,
                    after: factor.base,
                });
            }
        }
    }

    /// `-a > 0` is `a < 0`, for functions of which the rule book says so.
    pub(super) fn unmirrored(&mut self, node: NodeId) -> NodeId {
        let Op::Call(op, attrs) = self.graph.op(node).clone() else { return node };
        let (Mirror::Swapped(other), args) = (ops::spec(op).mirror, self.graph.args(node).to_vec())
        else {
            return node;
        };
        let zero = |arg: NodeId| facts::number(self.graph, arg).is_some_and(|n| n.is_zero());
        let negated = |arg: NodeId| facts::is_negated(self.graph, arg) && !self.is_atom(arg);
        if !args.iter().all(|&arg| zero(arg) || negated(arg))
            || !args.iter().any(|&arg| negated(arg))
        {
            return node;
        }
        let opposite: Vec<NodeId> =
            args.into_iter().map(|arg| self.scaled(Num::int(-1), arg)).collect();
        let shape = self.graph.shape(node).clone();
        let new = self.graph.call(ops::known(other, 2), opposite, attrs, shape);
        self.record("opposite", node, new);
        new
    }
}
