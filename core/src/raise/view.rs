//! Views in matrix notation: slices, what is turned round, and parts with zeros around them.

use super::Scope;
use super::build::{at, call_with};
use super::index::{is_inside, size_expr};
use super::matrix::{self, axes_expr};
use crate::ir::{Affine, Dim, NodeId, Num, View};
use chainrule_grammar::ast::{Expr, ExprKind, IndexItem};

/// A view of `arg` in matrix notation, if it has one.
pub(super) fn exact(scope: &Scope<'_>, arg: NodeId, view: &View) -> Option<Expr> {
    slice(scope, arg, view)
        .or_else(|| flipped(scope, arg, view))
        .or_else(|| padded(scope, arg, view))
}

/// `x[1:4]`, `x[0]`, `x[:, ::2]`: a view that reads every axis of its result once, in order, inside of the argument.
fn slice(scope: &Scope<'_>, arg: NodeId, view: &View) -> Option<Expr> {
    let graph = scope.graph();
    let shape = graph.shape(arg);
    let mut next = 0;
    let mut items = Vec::new();
    for (axis, dim) in shape.iter().enumerate() {
        let affine = &view.map[axis];
        if affine.divisor != 1 || !is_inside(graph, view, axis, dim) {
            return None;
        }
        let start = size_expr(graph, &affine.offset);
        match affine.terms.as_slice() {
            [] => items.push(IndexItem::At(start)),
            [(out, step)] if *out == next && *step > 0 => {
                next += 1;
                items.push(slice_item(scope, &affine.offset, *step, &view.shape[*out], dim));
            }
            _ => return None,
        }
    }
    (next == view.shape.len()).then_some(())?;
    Some(at(matrix::exact(scope, arg)?, items))
}

/// `flip(x, axis=0)`: a view that reads one axis backwards.
fn flipped(scope: &Scope<'_>, arg: NodeId, view: &View) -> Option<Expr> {
    let shape = scope.graph().shape(arg);
    let backwards = |axis: usize| {
        let last = shape[axis].plus(&Dim::fixed(1), Num::int(-1));
        view.map[axis] == Affine { terms: vec![(axis, -1)], offset: last, divisor: 1 }
    };
    let turned: Vec<usize> = (0..shape.len()).filter(|&axis| backwards(axis)).collect();
    let straight = |axis: usize| view.map[axis] == Affine::at(axis);
    let all = (0..shape.len()).all(|axis| straight(axis) || turned.contains(&axis));
    if view.shape != *shape || turned.is_empty() || !all {
        return None;
    }
    let axes = if shape.len() > 1 { vec![("axis", axes_expr(&turned))] } else { Vec::new() };
    Some(call_with("flip", vec![matrix::exact(scope, arg)?], axes))
}

/// `pad(x, [1, 0])`, `pad(x[1:], [0, 1])`: a view that reads every axis in its place, one of them with zeros before or after what it
/// reads.
fn padded(scope: &Scope<'_>, arg: NodeId, view: &View) -> Option<Expr> {
    let shape = scope.graph().shape(arg);
    if view.shape.len() != shape.len() {
        return None;
    }
    let mut around = None;
    let mut items = Vec::new();
    for (axis, at) in view.map.iter().enumerate() {
        let offset = at.offset.as_fixed()?;
        if at.terms != [(axis, 1)] || at.divisor != 1 {
            return None;
        }
        let before = offset.min(0).checked_neg()?;
        let room = view.shape[axis].plus(&shape[axis], Num::int(-1));
        let beyond = room.as_fixed()?.checked_add(offset)?;
        let (from, after) = (Dim::fixed(offset.max(0)), beyond.max(0));
        let read = view.shape[axis].plus(&Dim::fixed(before), Num::int(-1));
        let read = read.plus(&Dim::fixed(after), Num::int(-1));
        // An axis may be shorter than what is cut off of it.
        if read != shape[axis] && !read.is_at_least(1) {
            return None;
        }
        items.push(slice_item(scope, &from, 1, &read, &shape[axis]));
        if (before, after) != (0, 0) && around.replace((axis, before, after)).is_some() {
            return None;
        }
    }
    // A single entry at its place is said by a delta.
    let (axis, before, after) = around.filter(|(axis, ..)| !shape[*axis].is_one())?;
    let widths = [before, after].map(|width| Expr::num(width.to_string())).to_vec();
    let args = vec![at(matrix::exact(scope, arg)?, items), Expr::synthetic(ExprKind::List(widths))];
    let axes = if shape.len() > 1 { vec![("axis", axes_expr(&[axis]))] } else { Vec::new() };
    Some(call_with("pad", args, axes))
}

fn slice_item(scope: &Scope<'_>, offset: &Dim, step: i64, size: &Dim, dim: &Dim) -> IndexItem {
    let graph = scope.graph();
    let last = size.plus(&Dim::fixed(1), Num::int(-1));
    let end = offset.plus(&last, Num::int(i128::from(step))).plus(&Dim::fixed(1), Num::ONE);
    let from = (offset.as_fixed() != Some(0)).then(|| size_expr(graph, offset));
    let to = (end != *dim).then(|| size_expr(graph, &end));
    let by = (step != 1).then(|| Expr::num(step.to_string()));
    IndexItem::Slice(from, to, by)
}
