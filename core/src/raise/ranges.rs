//! Which bound indices have a range that follows from the axes they stand on, so that it need not be written.

use super::Names;
use super::build;
use super::index::size_expr;
use super::sizes;
use crate::ir::Dim;
use chainrule_grammar::ast::{Binder, Expr, ExprKind, IndexItem};

/// `i`, or `i:N` where the range does not follow from the expression.
pub(super) fn binder(names: &Names<'_>, letter: &str, dim: &Dim, inside: &Expr) -> Binder {
    let follows = has_range(inside, letter) && !is_short(names, inside, letter, dim);
    let range = (!follows).then(|| size_expr(names.graph, dim));
    Binder { name: build::ident(letter), range }
}

/// Whether a letter stands alone on an axis of something other than Kronecker's delta.
fn has_range(expr: &Expr, letter: &str) -> bool {
    let own = match &expr.kind {
        ExprKind::Index(base, items) => {
            !is_delta(base) && items.iter().any(|item| alone(item, letter))
        }
        _ => false,
    };
    own || any_child(expr, &mut |child| has_range(child, letter))
}

/// Whether a letter stands alone on an axis that is longer than its own range, or may be: `k` of `delta_g[n,k]` where only a part
/// is read. There the range is not that of the axis.
fn is_short(names: &Names<'_>, expr: &Expr, letter: &str, dim: &Dim) -> bool {
    let own = match &expr.kind {
        ExprKind::Index(base, items)
            if !is_delta(base) && items.iter().any(|item| alone(item, letter)) =>
        {
            let shape = sizes::of(names, base).unwrap_or_default();
            let differs = |(axis, item): (usize, &IndexItem)| {
                alone(item, letter) && shape.get(axis) != Some(dim)
            };
            items.iter().enumerate().any(differs)
        }
        _ => false,
    };
    own || any_child(expr, &mut |child| is_short(names, child, letter, dim))
}

fn is_delta(base: &Expr) -> bool {
    matches!(&base.kind, ExprKind::Name(name) if name == "delta")
}

/// Whether an item is the letter and nothing else.
fn alone(item: &IndexItem, letter: &str) -> bool {
    matches!(item, IndexItem::At(Expr { kind: ExprKind::Name(name), .. }) if name == letter)
}

fn any_child(expr: &Expr, holds: &mut dyn FnMut(&Expr) -> bool) -> bool {
    let mut found = false;
    expr.children(&mut |child| found = found || holds(child));
    found
}
