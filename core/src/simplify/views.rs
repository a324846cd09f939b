//! Views: `flip(flip(u))` is u, and a number that is repeated is so in any shape. In: a view, or a reshape, whose argument is normal.
//! Out: the same entries.

use super::{Simplifier, Stage};
use crate::few::Each;
use crate::ir::{Affine, Dim, NodeId, Num, Op, View};

impl Simplifier<'_> {
    /// A scalar that is repeated, in another shape.
    pub(super) fn of_repeated(&mut self, node: NodeId) -> Option<NodeId> {
        let arg = self.graph.args(node)[0];
        let inside = match self.graph.op(node) {
            Op::View(view) => view.reads_inside(self.graph.shape(arg)),
            _ => true,
        };
        let Op::Einsum(e) = self.graph.op(arg).clone() else { return None };
        if !inside || self.is_atom(arg) || e.ins.iter().flatten().any(|ix| e.out.contains(ix)) {
            return None;
        }
        let label = |ix: &u8| u32::from(*ix);
        let factors: Vec<(NodeId, Vec<u32>)> = self
            .graph
            .args(arg)
            .iter()
            .copied()
            .zip(e.ins.iter().map(|ins| ins.each(label)))
            .collect();
        let bound = e.bound().into_iter();
        let sizes: Vec<(u32, Dim)> =
            bound.map(|ix| (label(&ix), e.sizes[usize::from(ix)].clone())).collect();
        let scalar = self.graph.einsum(&factors, &[], &sizes);
        let shape = self.graph.shape(node).clone();
        let repeated = self.graph.fill(scalar, &shape);
        Some(self.normal(repeated))
    }

    /// What a view of a view reads, where the two undo each other.
    pub(super) fn undone(&self, node: NodeId, view: &View) -> Option<NodeId> {
        let arg = self.graph.args(node)[0];
        let Op::View(inner) = self.graph.op(arg) else { return None };
        let source = self.graph.args(arg)[0];
        let whole = view.shape == *self.graph.shape(source) && undoes(view, inner);
        (self.stage != Stage::Value && !self.is_atom(arg) && whole).then_some(source)
    }
}

/// Whether every position of a view of a view, neither of which reads outside, is that of the entry itself.
fn undoes(outer: &View, inner: &View) -> bool {
    let within = outer.reads_inside(&inner.shape) && inner.reads_inside(&outer.shape);
    let stays = |(axis, at): (usize, &Affine)| {
        let &[(own, c @ (1 | -1))] = at.terms.as_slice() else { return false };
        let read = &outer.map[own];
        let offset = at.offset.plus(&read.offset, Num::int(i128::from(c)));
        read.terms == [(axis, c)] && offset.as_fixed() == Some(0)
    };
    within && inner.map.iter().enumerate().all(stays)
}
