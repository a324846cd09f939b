//! What reads the same the other way round: symmetric matrices, and comparisons of opposites.

use super::product::Product;
use super::symmetry::{Symmetry, symmetry};
use super::{Rewrite, Simplifier, Stage, facts};
use crate::ir::{NodeId, Num, Op};
use crate::ops::{self, Mirror};

impl Simplifier<'_> {
    /// A symmetric matrix is read along the result's axes as they stand, so that `A.T @ x` is `A @ x` and `X @ A.T` is `X @ A`, and as it is
    /// read elsewhere in the product.
    pub(super) fn straighten(&mut self, product: &mut Product) {
        for at in 0..product.factors.len() {
            let factor = &product.factors[at];
            let &[row, column] = factor.labels.as_slice() else { continue };
            let base = factor.base;
            let before = &product.factors[..at];
            let other = before.iter().any(|one| one.base == base && one.labels == [column, row]);
            if row == column || !other && !is_turned(&product.out, row, column) {
                continue;
            }
            let Some(known) = self.symmetry(base) else { continue };
            product.factors[at].labels.swap(0, 1);
            if let Symmetry::Here(before) = known {
                self.rewrites.push(Rewrite { rule: "symmetric", before, after: base });
            }
        }
    }

    /// How a matrix is known to be its own transpose. What holds at the point where a formula is evaluated need not hold beside it.
    fn symmetry(&mut self, node: NodeId) -> Option<Symmetry> {
        let graph = &*self.graph;
        let known = *self.symmetric.entry(node).or_insert_with(|| symmetry(graph, node));
        known.filter(|known| *known == Symmetry::Built || self.stage == Stage::Last)
    }

    /// `a - b > 0` is `a > b`, and `1 - a > 0` is `a < 1`: to the last digit too, as a difference of numbers is 0 only where they
    /// are equal.
    fn compared(&mut self, node: NodeId) -> Option<NodeId> {
        let Op::Call(op, attrs) = self.graph.op(node).clone() else { return None };
        let Mirror::Swapped(other) = ops::spec(op).mirror else { return None };
        let &[difference, zero] = self.graph.args(node) else { return None };
        let is_zero = facts::number(self.graph, zero).is_some_and(|n| n.is_zero());
        let Op::Add(coefficients) = self.graph.op(difference).clone() else { return None };
        let &[first, second] = self.graph.args(difference) else { return None };
        if self.stage == Stage::Value || !is_zero || self.is_atom(difference) {
            return None;
        }
        let (c, d) = (coefficients[0], coefficients[1]);
        let number = |term| facts::number(self.graph, term).is_some();
        // A number stands on the right, else what has a minus sign.
        let turned = number(first) || !number(second) && c.is_negative();
        let (c, left, d, right) =
            if turned { (d, second, c, first) } else { (c, first, d, second) };
        let opposite = c == Num::int(-1);
        if !(c.is_one() || opposite) || !number(right) && (opposite || d != Num::int(-1)) {
            return None;
        }
        let right = self.scaled(if opposite { d } else { -d }, right);
        let op = if opposite { ops::known(other, 2) } else { op };
        let shape = self.graph.shape(node).clone();
        let new = self.graph.call(op, vec![left, right], attrs, shape);
        self.record("opposite", node, new);
        Some(new)
    }

    /// `-a > 0` is `a < 0`, for functions of which the rule book says so.
    pub(super) fn unmirrored(&mut self, node: NodeId) -> NodeId {
        if let Some(new) = self.compared(node) {
            return new;
        }
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

/// Whether a matrix that is read at these labels would be printed as a transpose.
fn is_turned(out: &[u32], row: u32, column: u32) -> bool {
    let place = |label: u32| out.iter().position(|own| *own == label);
    match (place(row), place(column)) {
        (Some(row), Some(column)) => row > column,
        (None, Some(column)) => column == 0 || column + 1 < out.len(),
        (Some(row), None) => row > 0 && row + 1 == out.len(),
        (None, None) => false,
    }
}
