//! Which bound indices have a range that follows from the axes they stand on, so that it need not be written.

use super::Names;
use super::build;
use super::index::size_expr;
use crate::ir::Dim;
use chainrule_grammar::ast::{Binder, Expr, ExprKind, IndexItem};

/// `i`, or `i:N` where the range does not follow from the expression.
pub(super) fn binder(names: &Names<'_>, letter: &str, dim: &Dim, inside: &Expr) -> Binder {
    let unknown = on_unnamed(inside, letter) && is_shifted(inside, letter);
    let follows = has_range(inside, letter) && !is_short(names, inside, letter, dim) && !unknown;
    let range = (!follows).then(|| size_expr(names.graph, dim));
    Binder { name: build::ident(letter), range }
}

/// Whether a letter stands alone on an axis of something other than Kronecker's delta.
fn has_range(expr: &Expr, letter: &str) -> bool {
    let is_letter = |item: &IndexItem| matches!(item, IndexItem::At(Expr { kind: ExprKind::Name(name), .. }) if name == letter);
    match &expr.kind {
        ExprKind::Num(_) | ExprKind::Name(_) | ExprKind::Str(_) => false,
        ExprKind::List(items) => items.iter().any(|item| has_range(item, letter)),
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) => has_range(inner, letter),
        ExprKind::Sum(first, rest) => {
            has_range(first, letter) || rest.iter().any(|(_, term)| has_range(term, letter))
        }
        ExprKind::Product(first, rest) => {
            has_range(first, letter) || rest.iter().any(|(_, factor)| has_range(factor, letter))
        }
        ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
            has_range(a, letter) || has_range(b, letter)
        }
        ExprKind::Pipe(first, stages) => {
            has_range(first, letter) || stages.iter().any(|stage| has_range(stage, letter))
        }
        ExprKind::Call { args, .. } => args.iter().any(|arg| has_range(arg, letter)),
        ExprKind::Index(base, items) => {
            let is_delta = matches!(&base.kind, ExprKind::Name(name) if name == "delta");
            let within =
                items.iter().any(|item| matches!(item, IndexItem::At(at) if has_range(at, letter)));
            (!is_delta && items.iter().any(is_letter)) || within || has_range(base, letter)
        }
    }
}

/// Whether a letter stands on an axis of a name that is longer than its own range: `k` of `delta_g[n,k]` where only a part is read.
fn is_short(names: &Names<'_>, expr: &Expr, letter: &str, dim: &Dim) -> bool {
    let within = |inner: &Expr| is_short(names, inner, letter, dim);
    match &expr.kind {
        ExprKind::Num(_) | ExprKind::Name(_) | ExprKind::Str(_) => false,
        ExprKind::List(items) => items.iter().any(within),
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) => within(inner),
        ExprKind::Sum(first, rest) => within(first) || rest.iter().any(|(_, term)| within(term)),
        ExprKind::Product(first, rest) => {
            within(first) || rest.iter().any(|(_, factor)| within(factor))
        }
        ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
            within(a) || within(b)
        }
        ExprKind::Pipe(first, stages) => within(first) || stages.iter().any(within),
        ExprKind::Call { args, .. } => args.iter().any(within),
        ExprKind::Index(base, items) => {
            let shape = match &base.kind {
                ExprKind::Name(name) => names.shape(name).unwrap_or_default(),
                _ => &[],
            };
            let is_letter = |at: &Expr| matches!(&at.kind, ExprKind::Name(name) if name == letter);
            let at = |item: &IndexItem| matches!(item, IndexItem::At(at) if within(at));
            items.iter().zip(shape).any(|(item, size)| {
                matches!(item, IndexItem::At(at) if is_letter(at)) && size != dim
            }) || items.iter().any(at)
                || within(base)
        }
    }
}

/// Whether a letter stands alone on an axis of an expression, whose size is not known here.
fn on_unnamed(expr: &Expr, letter: &str) -> bool {
    let own = match &expr.kind {
        ExprKind::Index(base, items) => {
            !matches!(base.kind, ExprKind::Name(_)) && items.iter().any(|item| alone(item, letter))
        }
        _ => false,
    };
    own || any_child(expr, &mut |child| on_unnamed(child, letter))
}

/// Whether a letter stands with an offset or a factor on an axis, `x[i + 1]`: then it may stop short of an axis that it stands on alone.
fn is_shifted(expr: &Expr, letter: &str) -> bool {
    let own = match &expr.kind {
        ExprKind::Index(base, items) => {
            let delta = matches!(&base.kind, ExprKind::Name(name) if name == "delta");
            let with_more = |item: &IndexItem| match item {
                IndexItem::At(at) => !alone(item, letter) && mentions(at, letter),
                _ => false,
            };
            !delta && items.iter().any(with_more)
        }
        _ => false,
    };
    own || any_child(expr, &mut |child| is_shifted(child, letter))
}

fn alone(item: &IndexItem, letter: &str) -> bool {
    matches!(item, IndexItem::At(Expr { kind: ExprKind::Name(name), .. }) if name == letter)
}

fn mentions(expr: &Expr, letter: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name == letter)
        || any_child(expr, &mut |child| mentions(child, letter))
}

fn any_child(expr: &Expr, holds: &mut dyn FnMut(&Expr) -> bool) -> bool {
    let mut found = false;
    expr.children(&mut |child| found = found || holds(child));
    found
}
