//! Shifts around the end of an axis. In: the terms of a sum. Out: the same terms, in which two views that read a tensor shifted to either
//! side by amounts that differ by its size are one, `roll(x, 1)`.

use super::Scope;
use super::build::{call_with, number};
use super::matrix::{axes_expr, numbers_apart};
use crate::few::Each;
use crate::ir::{Affine, Dim, NodeId, Num, Op};
use chainrule_grammar::ast::Expr;

/// A term of a sum.
pub(super) enum Part {
    /// A node.
    Node(NodeId),
    /// A node shifted.
    Roll(Roll),
}

/// A node shifted along an axis, around the end.
#[derive(Clone, PartialEq)]
pub(super) struct Roll {
    /// What is shifted.
    pub arg: NodeId,
    axis: usize,
    by: i128,
}

impl Roll {
    /// `roll(x, 1, axis=0)`
    pub fn call(&self, x: Expr, rank: usize) -> Expr {
        let axis = if rank > 1 { vec![("axis", axes_expr(&[self.axis]))] } else { Vec::new() };
        call_with("roll", vec![x, number(Num::int(self.by))], axis)
    }
}

/// The terms with rolls found, in the order of their first parts.
pub(super) fn found(scope: &Scope<'_>, terms: Vec<(Num, NodeId)>) -> Vec<(Num, Part)> {
    let mut parts: Vec<(Num, Part)> = Vec::new();
    let shifts: Vec<Option<Shift>> = terms.each(|(_, node)| Shift::of(scope, *node));
    let rooms = &scope.graph().rooms;
    let mut taken = vec![false; terms.len()];
    for (at, (c, node)) in terms.iter().enumerate() {
        if taken[at] {
            continue;
        }
        let roll = (at + 1..terms.len()).find_map(|other| {
            let (first, second) = (shifts[at].as_ref()?, shifts[other].as_ref()?);
            let fits = !taken[other] && terms[other].0 == *c;
            Some((other, first.around(second, rooms).filter(|_| fits)?))
        });
        match roll {
            Some((other, roll)) => {
                taken[other] = true;
                let (inside, arg) = numbers_apart(scope, roll.arg);
                parts.push((*c * inside, Part::Roll(Roll { arg, ..roll })));
            }
            None => parts.push((*c, Part::Node(*node))),
        }
    }
    parts
}

/// A view that reads a tensor of its own shape shifted along one axis.
struct Shift {
    arg: NodeId,
    axis: usize,
    size: Dim,
    offset: Dim,
}

impl Shift {
    fn of(scope: &Scope<'_>, node: NodeId) -> Option<Shift> {
        let graph = scope.graph();
        let Op::View(view) = graph.op(node) else { return None };
        let arg = graph.args(node)[0];
        if scope.name(node).is_some() || view.shape != *graph.shape(arg) {
            return None;
        }
        let straight = |(axis, at): (usize, &Affine)| at.divisor == 1 && at.terms == [(axis, 1)];
        let moved = |at: &Affine| at.offset.as_fixed() != Some(0);
        let mut axes = view.map.iter().enumerate().filter(|(_, at)| moved(at));
        let (Some((axis, at)), None) = (axes.next(), axes.next()) else { return None };
        view.map.iter().enumerate().all(straight).then(|| Shift {
            arg,
            axis,
            size: view.shape[axis].clone(),
            offset: at.offset.clone(),
        })
    }

    /// The roll that both are together: their offsets differ by the size. `rooms` are sizes that are at least 0.
    fn around(&self, other: &Shift, rooms: &[Dim]) -> Option<Roll> {
        if (self.arg, self.axis) != (other.arg, other.axis) {
            return None;
        }
        let apart = self.offset.plus(&other.offset, Num::int(-1));
        let whole = apart == self.size || apart == Dim::fixed(0).plus(&self.size, Num::int(-1));
        let shifts = [&self.offset, &other.offset].map(|offset| offset.as_fixed().map(|at| -at));
        let by = shifts.into_iter().flatten().min_by_key(|by| (by.abs(), *by < 0))?;
        // By no more than there is.
        let left = self.size.plus(&Dim::fixed(by.abs()), Num::int(-1));
        let room = |known: &Dim| left.plus(known, Num::int(-1)).is_at_least(0);
        let fits = left.is_at_least(0) || rooms.iter().any(room);
        (whole && fits).then_some(Roll { arg: self.arg, axis: self.axis, by })
    }
}
