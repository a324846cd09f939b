//! Views of views: `flip(flip(u))` is u. In: a view in a derivative whose argument is normal. Out: the same entries.

use super::{Simplifier, Stage};
use crate::ir::{Affine, NodeId, Num, Op, View};

impl Simplifier<'_> {
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
