//! Functions that are linear in an argument, by the rule book: numbers in that argument stand in front, `2*solve(A, b)` for
//! `solve(A, 2*b)`, and before what only moves entries. In: a call, a view or a reshape in a derivative whose arguments are normal. Out: the same entries.

use super::product::Product;
use super::{Simplifier, Stage};
use crate::ir::{NodeId, Num, Op};
use crate::ops;

impl Simplifier<'_> {
    /// The call with the numbers of an argument that it is linear in taken out, if there are any.
    pub(super) fn numbers_in_front(&mut self, node: NodeId) -> Option<NodeId> {
        if self.stage == Stage::Value {
            return None;
        }
        match self.graph.op(node) {
            Op::Call(op, _) => {
                ops::spec(*op).linear_in.iter().find_map(|&at| self.taken_out(node, at))
            }
            // Where zeros stand around a part, the number multiplies less inside.
            Op::View(view) if !view.reads_inside(self.graph.shape(self.graph.args(node)[0])) => {
                None
            }
            _ => self.taken_out(node, 0),
        }
    }

    fn taken_out(&mut self, call: NodeId, at: usize) -> Option<NodeId> {
        let mut args = self.graph.args(call).to_vec();
        let (coefficient, arg) = match (self.graph.op(args[at]), self.graph.args(args[at])) {
            (Op::Add(terms), &[only]) if !self.is_atom(args[at]) => (terms[0], only),
            _ => (Num::ONE, args[at]),
        };
        let mut inner = self.as_product(arg);
        let (numbers, rest) = inner.factors.into_iter().partition(|one| one.labels.is_empty());
        inner.factors = rest;
        let outer = Product { factors: numbers, coefficient, out: Vec::new(), sizes: Vec::new() };
        if outer.factors.is_empty() && coefficient.is_one() || inner.factors.is_empty() {
            return None;
        }
        args[at] = self.rebuild(&inner);
        let bare = self.graph.with_args(call, args);
        let bare = self.normal(bare);
        let number = self.rebuild(&outer);
        let axes: Vec<u32> = (0..self.graph.rank(call) as u32).collect();
        let whole = self.graph.einsum(&[(number, Vec::new()), (bare, axes.clone())], &axes, &[]);
        let whole = self.normal(whole);
        self.record("linearity", call, whole);
        Some(whole)
    }
}
