//! The shape of a written whole-tensor expression, as far as it can be told without lowering it. In: an expression that was
//! raised. Out: its shape, or `None` where it does not follow from names, operators and rows of the rule book.

use super::Names;
use crate::ir::{Attrs, Dim, Shape};
use crate::ops::{self, Kind, OpSpec};
use chainrule_grammar::ast::{Expr, ExprKind, IndexItem, MulOp};

pub(super) fn of(names: &Names<'_>, expr: &Expr) -> Option<Shape> {
    match &expr.kind {
        ExprKind::Num(_) => Some(Shape::default()),
        ExprKind::Name(name) => names
            .shape(name)
            .map(Shape::from)
            .or_else(|| (names.rank(name)? == 0).then(Shape::default)),
        ExprKind::Neg(inner) => of(names, inner),
        ExprKind::Transpose(inner) => {
            let mut shape = of(names, inner)?;
            let rank = shape.len();
            (rank > 1).then(|| shape.swap(rank - 2, rank - 1));
            Some(shape)
        }
        ExprKind::Sum(first, rest) => rest
            .iter()
            .try_fold(of(names, first)?, |shape, (_, term)| broadcast(&shape, &of(names, term)?)),
        ExprKind::Product(first, rest) => {
            rest.iter().try_fold(of(names, first)?, |shape, (op, factor)| {
                let other = of(names, factor)?;
                if *op == MulOp::MatMul {
                    product(&shape, &other)
                } else {
                    broadcast(&shape, &other)
                }
            })
        }
        ExprKind::Pow(a, b) | ExprKind::Compare(_, a, b) => {
            broadcast(&of(names, a)?, &of(names, b)?)
        }
        ExprKind::Index(base, items) => indexed(of(names, base)?, items),
        ExprKind::Call { func, bound, args, kwargs } if bound.is_empty() => {
            let shapes = args.iter().map(|arg| of(names, arg)).collect::<Option<Vec<Shape>>>()?;
            let (_, row) = ops::lookup(&func.name, args.len())?;
            call(names, row, &shapes, kwargs.is_empty())
        }
        _ => None,
    }
}

fn broadcast(a: &[Dim], b: &[Dim]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let size = |shape: &[Dim], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map(|axis| shape[axis].clone())
    };
    (0..rank)
        .map(|axis| match (size(a, axis), size(b, axis)) {
            (Some(a), Some(b)) if a == b || b.is_one() => Some(a),
            (Some(a), Some(b)) => a.is_one().then_some(b),
            (one, other) => one.or(other),
        })
        .collect()
}

fn product(a: &[Dim], b: &[Dim]) -> Option<Shape> {
    match (a, b) {
        ([_], [_]) => Some(Shape::default()),
        ([n, _], [_]) => Some([n.clone()].into()),
        ([_], [_, m]) => Some([m.clone()].into()),
        ([n, _], [_, m]) => Some([n.clone(), m.clone()].into()),
        _ => None,
    }
}

/// Positions take their axes away; slices and new axes are not told.
fn indexed(shape: Shape, items: &[IndexItem]) -> Option<Shape> {
    let single = items.iter().all(|item| matches!(item, IndexItem::At(_)));
    (single && items.len() <= shape.len()).then(|| shape[items.len()..].into())
}

fn call(names: &Names<'_>, row: &OpSpec, args: &[Shape], plain: bool) -> Option<Shape> {
    match row.kind {
        Kind::Elementwise => {
            args.iter().try_fold(Shape::default(), |shape, arg| broadcast(&shape, arg))
        }
        Kind::Along => args.first().cloned(),
        Kind::Reduce if plain => Some(Shape::default()),
        Kind::Structured { ranks, shape } if plain => {
            let fits =
                |ranks: &&&[usize]| ranks.iter().zip(args).all(|(rank, arg)| *rank == arg.len());
            ranks.iter().find(fits)?;
            shape(names.graph, args, &Attrs::default()).ok()
        }
        _ => None,
    }
}
