//! Axes: made, removed, moved, read backwards; tensors of a given size; rows picked by integers.

use super::super::call::{Arg, CallArgs};
use super::super::shape::Operand;
use super::super::{Lowerer, Val};
use super::{Result, args, keyword, sizes, whole, with_axis, wrong};
use crate::few::Each;
use crate::ir::{Affine, Dim, Num, Op, Shape, View};
use crate::ops;
use chainrule_grammar::ast::{Expr, ExprKind, IndexItem};
use chainrule_grammar::{Code, Diagnostic};

/// `eye(N)`: the identity.
pub fn eye(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    match sizes(lowerer, &call.args, call.span)?.as_slice() {
        [dim] => Ok(Val { node: lowerer.graph.delta(dim), labels: Vec::new() }),
        [a, b] if a == b => Ok(Val { node: lowerer.graph.delta(a), labels: Vec::new() }),
        _ => Err(wrong(call, "`eye` takes one size")),
    }
}

/// `zeros(N, M)`
pub fn zeros(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let shape = sizes(lowerer, &call.args, call.span)?;
    Ok(Val { node: lowerer.graph.zeros(&shape), labels: Vec::new() })
}

/// `ones(N, M)`
pub fn ones(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let shape = sizes(lowerer, &call.args, call.span)?;
    Ok(Val { node: lowerer.graph.ones(&shape), labels: Vec::new() })
}

/// `range(N)`: 0, 1, 2, …
pub fn range(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    match sizes(lowerer, &call.args, call.span)?.as_slice() {
        [dim] => Ok(Val { node: lowerer.graph.range(dim), labels: Vec::new() }),
        _ => Err(wrong(call, "`range` takes one size")),
    }
}

/// `count(x)`: how many entries, over all axes or `axis=`.
pub fn count(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let (x, axis) = with_axis(lowerer, call, 1)?;
    let shape = lowerer.positional(&x.val).to_vec();
    let axes = match axis {
        Some(expr) => lowerer.axis_list(expr, shape.len(), &x)?,
        None => (0..shape.len()).collect(),
    };
    let size = axes.iter().fold(Dim::fixed(1), |product, &axis| product.times(&shape[axis]));
    Ok(Val { node: lowerer.graph.size(&size), labels: Vec::new() })
}

/// `reshape(x, [N, M])`
pub fn reshape(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let Some(first) = call.args.first() else { return Err(wrong(call, "`reshape(x, [N, M])`")) };
    let x = lowerer.arg(first)?;
    let shape = match open_size(&call.args[1..]) {
        Some(args) => {
            let rest = sizes(lowerer, &args.0, call.span)?;
            fitted(lowerer, &x, rest, args.1, call)?
        }
        None => sizes(lowerer, &call.args[1..], call.span)?,
    };
    reshaped(lowerer, &x, shape, call)
}

/// The sizes of a shape without the one that is written `-1`, and where that stands.
fn open_size<'e>(args: &[Arg<'e>]) -> Option<(Vec<Arg<'e>>, usize)> {
    let listed: Vec<Arg<'e>> = match args {
        [Arg::Written(Expr { kind: ExprKind::List(items), .. })] => items.each(Arg::Written),
        _ => args.to_vec(),
    };
    let open = |arg: &Arg<'_>| {
        matches!(arg, Arg::Written(Expr { kind: ExprKind::Neg(one), .. })
            if matches!(&one.kind, ExprKind::Num(text) if text == "1"))
    };
    let at = listed.iter().position(open)?;
    let mut rest = listed;
    rest.remove(at);
    Some((rest, at))
}

/// A shape with the one size that follows from how many entries there are.
fn fitted(
    lowerer: &Lowerer<'_>,
    x: &Operand,
    mut shape: Shape,
    at: usize,
    call: &CallArgs<'_>,
) -> Result<Shape> {
    let entries =
        |shape: &[Dim]| shape.iter().fold(Dim::fixed(1), |product, dim| product.times(dim));
    let own = lowerer.positional(&x.val);
    let rest = entries(&shape);
    let whole = |size: &Dim| size.as_fixed().is_some() || entries(own).as_fixed().is_none();
    let size = entries(own).over(&rest).filter(whole);
    let Some(size) = size else {
        let (own, rest) = (lowerer.graph.show_shape(own), lowerer.graph.show_dim(&rest));
        let message = format!("the number of entries of {own} is not a multiple of {rest}");
        return Err(Diagnostic::new(Code::ShapeMismatch, call.span, message));
    };
    shape.insert(at, size);
    Ok(shape)
}

pub(super) fn reshaped(
    lowerer: &mut Lowerer<'_>,
    x: &Operand,
    shape: Shape,
    call: &CallArgs<'_>,
) -> Result<Val> {
    let entries =
        |shape: &[Dim]| shape.iter().fold(Dim::fixed(1), |product, dim| product.times(dim));
    let own = lowerer.positional(&x.val).to_vec();
    if entries(&own) != entries(&shape) {
        return Err(Diagnostic::new(
            Code::ShapeMismatch,
            call.span,
            format!(
                "{} has {} entries, {} has {}",
                lowerer.graph.show_shape(&own),
                lowerer.graph.show_dim(&entries(&own)),
                lowerer.graph.show_shape(&shape),
                lowerer.graph.show_dim(&entries(&shape))
            ),
        )
        .label(x.span, lowerer.graph.show_shape(&own))
        .help("a reshape keeps the number of entries"));
    }
    if own == shape {
        return Ok(x.val.clone());
    }
    let full: Shape =
        x.val.labels.iter().map(|label| lowerer.label_size(*label)).chain(shape).collect();
    let node = lowerer.graph.push(Op::Reshape, vec![x.val.node], full);
    Ok(Val { node, labels: x.val.labels.clone() })
}

/// `flatten(x)`: one axis, row-major.
pub fn flatten(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [x] = args(lowerer, call)?;
    let size =
        lowerer.positional(&x.val).iter().fold(Dim::fixed(1), |product, dim| product.times(dim));
    reshaped(lowerer, &x, vec![size], call)
}

/// `squeeze(x)`: without the axes of size 1, or without those of `axis=`.
pub fn squeeze(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let (x, axis) = with_axis(lowerer, call, 1)?;
    let shape = lowerer.positional(&x.val).to_vec();
    let axes = match axis {
        Some(expr) => lowerer.axis_list(expr, shape.len(), &x)?,
        None => (0..shape.len()).filter(|&axis| shape[axis].is_one()).collect(),
    };
    if let Some(&axis) = axes.iter().find(|&&axis| !shape[axis].is_one()) {
        return Err(Diagnostic::new(
            Code::BadAxis,
            call.span,
            format!("axis {axis} has size {}, not 1", lowerer.graph.show_dim(&shape[axis])),
        ));
    }
    lowerer.reduce(ops::known("sum", 1), &x.val, &axes, call.span)
}

/// `expand(x, axis=1)`: new axes of size 1; `expand(x, [N, M])`: repeated to a shape that `x` broadcasts to.
pub fn expand(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let (x, axis) = with_axis(lowerer, call, 1)?;
    if let [_, Arg::Written(Expr { kind: ExprKind::List(_), .. })] = call.args.as_slice() {
        return repeat(lowerer, x, call);
    }
    let rank = lowerer.positional(&x.val).len();
    let axis = match axis {
        Some(expr) => {
            let count = if let ExprKind::List(axes) = &expr.kind { axes.len() } else { 1 };
            lowerer.axis_list(expr, rank + count, &x)?
        }
        None => vec![0],
    };
    let first = x.val.labels.len();
    let labels: Vec<u32> = (0..(first + rank) as u32).collect();
    let mut out = labels.clone();
    let mut extra = Vec::new();
    for (fresh, axis) in axis.into_iter().enumerate() {
        let label = (first + rank + fresh) as u32;
        out.insert(first + axis, label);
        extra.push((label, Dim::fixed(1)));
    }
    Ok(Val {
        node: lowerer.graph.einsum(&[(x.val.node, labels)], &out, &extra),
        labels: x.val.labels,
    })
}

fn repeat(lowerer: &mut Lowerer<'_>, x: Operand, call: &CallArgs<'_>) -> Result<Val> {
    let shape = sizes(lowerer, &call.args[1..], call.span)?;
    let whole = Val { node: lowerer.graph.ones(&shape), labels: Vec::new() };
    let operands = [x, Operand { val: whole, span: call.args[1].span() }];
    let common = lowerer.broadcast(&operands, "`expand`", call.span)?;
    if common != shape {
        let message = format!("this has more entries than {}", lowerer.graph.show_shape(&shape));
        return Err(Diagnostic::new(Code::ShapeMismatch, operands[0].span, message)
            .here(lowerer.show(&operands[0].val)));
    }
    let labels = operands[0].val.labels.clone();
    let node = lowerer.expand(&operands, &labels, &shape)[0];
    Ok(Val { node, labels })
}

/// `pad(x, 1)`: zeros around every axis, or around those of `axis=`; `pad(x, [1, 2])`: before and after;
/// `pad(x, [[1, 1], [0, 2]])`: before and after each of the axes.
pub fn pad(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [first, Arg::Written(width)] = call.args.as_slice() else {
        return Err(wrong(call, "`pad(x, 1, axis=0)`"));
    };
    let x = lowerer.arg(first)?;
    let rank = lowerer.positional(&x.val).len();
    let axes = match keyword(call, "axis") {
        Some(expr) => lowerer.axis_list(expr, rank, &x)?,
        None => (0..rank).collect(),
    };
    let widths = match &width.kind {
        ExprKind::List(items)
            if items.iter().any(|item| matches!(item.kind, ExprKind::List(_))) =>
        {
            if items.len() != axes.len() {
                let message = format!("{} pairs of widths for {} axes", items.len(), axes.len());
                return Err(wrong(call, message).label(x.span, lowerer.show(&x.val)));
            }
            items.iter().map(|item| around(lowerer, item)).collect::<Result<Vec<_>>>()?
        }
        _ => vec![around(lowerer, width)?; axes.len()],
    };
    let own = x.val.labels.len();
    let mut shape = lowerer.graph.shape(x.val.node).clone();
    let mut map: Vec<Affine> = (0..shape.len()).map(Affine::at).collect();
    for (axis, (before, after)) in axes.into_iter().zip(widths) {
        shape[own + axis] = shape[own + axis].plus(&before, Num::ONE).plus(&after, Num::ONE);
        map[own + axis].offset = Dim::fixed(0).plus(&before, Num::int(-1));
    }
    lowerer.check_size(&shape, call.span)?;
    let node = lowerer.graph.view(x.val.node, View { map, shape });
    Ok(Val { node, labels: x.val.labels })
}

/// The zeros before and after an axis: `1`, `K - 1` or `[1, 2]`.
fn around(lowerer: &Lowerer<'_>, width: &Expr) -> Result<(Dim, Dim)> {
    let number = |expr: &Expr| {
        let sizes = lowerer.position(expr).filter(|position| position.terms.is_empty());
        let width = match sizes {
            Some(position) if position.offset.as_fixed().is_none() => position.offset,
            _ => Dim::fixed(whole(lowerer, expr)?),
        };
        let enough = width.is_at_least(0);
        enough.then_some(width).ok_or_else(|| {
            Diagnostic::new(Code::BadArgument, expr.span, "a width must be at least 0")
                .help("write a slice, `x[1:-1]`, to cut off entries")
        })
    };
    match &width.kind {
        ExprKind::List(items) if items.len() == 2 => Ok((number(&items[0])?, number(&items[1])?)),
        _ => Ok((number(width)?, number(width)?)),
    }
}

/// `flip(x, axis=0)`: backwards along an axis, by default along all.
pub fn flip(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let (x, axis) = with_axis(lowerer, call, 1)?;
    let rank = lowerer.positional(&x.val).len();
    let axes = match axis {
        Some(expr) => lowerer.axis_list(expr, rank, &x)?,
        None => (0..rank).collect(),
    };
    let own = x.val.labels.len();
    let shape = lowerer.graph.shape(x.val.node).clone();
    let mut map: Vec<Affine> = (0..shape.len()).map(Affine::at).collect();
    for axis in axes {
        let last = shape[own + axis].plus(&Dim::fixed(1), Num::int(-1));
        map[own + axis] = Affine { terms: vec![(own + axis, -1)], offset: last, divisor: 1 };
    }
    let node = lowerer.graph.view(x.val.node, View { map, shape });
    Ok(Val { node, labels: x.val.labels })
}

/// `roll(x, 1, axis=0)`: entry `i` moves to `i + 1`, around the end; without `axis=` along all entries, row-major.
pub fn roll(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [_, Arg::Written(by), ..] = call.args.as_slice() else {
        return Err(wrong(call, "`roll(x, 1, axis=0)`"));
    };
    let (x, axis) = with_axis(lowerer, call, 2)?;
    let by = whole(lowerer, by)?;
    let shape = lowerer.positional(&x.val).to_vec();
    let axes = match axis {
        Some(expr) => lowerer.axis_list(expr, shape.len(), &x)?,
        None if shape.len() == 1 => vec![0],
        None => {
            let size = shape.iter().fold(Dim::fixed(1), |product, dim| product.times(dim));
            let lane = Operand { val: reshaped(lowerer, &x, vec![size], call)?, span: x.span };
            let val = rolled(lowerer, &lane, by, 0)?;
            return reshaped(lowerer, &Operand { val, span: x.span }, shape, call);
        }
    };
    let mut rolling = x;
    for axis in axes {
        rolling.val = rolled(lowerer, &rolling, by, axis)?;
    }
    Ok(rolling.val)
}

fn rolled(lowerer: &mut Lowerer<'_>, x: &Operand, by: i128, axis: usize) -> Result<Val> {
    let at = x.val.labels.len() + axis;
    let shape = lowerer.graph.shape(x.val.node).clone();
    let shifts = match shape[at].as_fixed() {
        Some(size) => [by.rem_euclid(size), by.rem_euclid(size) - size].map(Dim::fixed),
        None => {
            lowerer.graph.needs_room(shape[at].plus(&Dim::fixed(by.abs()), Num::int(-1)));
            let around = if by >= 0 { Num::int(-1) } else { Num::ONE };
            [Dim::fixed(by), Dim::fixed(by).plus(&shape[at], around)]
        }
    };
    let mut terms = Vec::new();
    for shift in shifts {
        let mut map: Vec<Affine> = (0..shape.len()).map(Affine::at).collect();
        map[at].offset = Dim::fixed(0).plus(&shift, Num::int(-1));
        terms.push((Num::ONE, lowerer.graph.view(x.val.node, View { map, shape: shape.clone() })));
    }
    Ok(Val { node: lowerer.graph.add(&terms, &shape), labels: x.val.labels.clone() })
}

/// `split(x, 3, axis=0)`: so many equal parts of an axis, stacked along a new first axis.
pub fn split(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [_, Arg::Written(count), ..] = call.args.as_slice() else {
        return Err(wrong(call, "`split(x, 3, axis=0)`"));
    };
    if matches!(count.kind, ExprKind::List(_)) {
        return Err(Diagnostic::new(
            Code::Unsupported,
            count.span,
            "`split` makes equal parts only",
        )
        .help("write slices for parts of different sizes: `x[:2]`, `x[2:]`"));
    }
    let (x, axis) = with_axis(lowerer, call, 2)?;
    let count = lowerer.dimension(count)?;
    let shape = lowerer.positional(&x.val).to_vec();
    let axis = match axis {
        Some(expr) => *lowerer.axis_list(expr, shape.len(), &x)?.first().unwrap_or(&0),
        None => 0,
    };
    let Some(size) = shape.get(axis) else {
        return Err(wrong(call, "`split` wants at least one axis").here(lowerer.show(&x.val)));
    };
    let part =
        size.over(&count).filter(|part| part.as_fixed().is_some() || size.as_fixed().is_none());
    let Some(part) = part else {
        let (size, count) = (lowerer.graph.show_dim(size), lowerer.graph.show_dim(&count));
        return Err(wrong(call, format!("an axis of size {size} has no {count} equal parts")));
    };
    let mut cut = shape;
    cut.splice(axis..=axis, [count, part]);
    let val = reshaped(lowerer, &x, cut, call)?;
    let (first, rank) = (val.labels.len(), lowerer.graph.rank(val.node));
    let mut order: Vec<usize> = (0..rank).collect();
    let moved = order.remove(first + axis);
    order.insert(first, moved);
    Ok(Val { node: lowerer.graph.permute(val.node, &order), labels: val.labels })
}

/// `one_hot(idx, K)`: a row for each integer, 1 at its place.
pub fn one_hot(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [first, Arg::Written(size)] = call.args.as_slice() else {
        return Err(wrong(call, "`one_hot(idx, K)`"));
    };
    let idx = lowerer.arg(first)?;
    let size = lowerer.dimension(size)?;
    lowerer.whole_numbers(&idx.val, idx.span)?;
    Ok(lowerer.rows_of_ones(&idx.val, &size))
}

/// `gather(x, idx)` is `x[idx]`, and `gather(x, idx, axis=1)` is `x[:, idx]`.
pub fn gather(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [_, Arg::Written(idx), ..] = call.args.as_slice() else {
        return Err(wrong(call, "`gather(x, idx)`"));
    };
    let (x, axis) = with_axis(lowerer, call, 2)?;
    let rank = lowerer.positional(&x.val).len();
    let axis = match axis {
        Some(expr) => *lowerer.axis_list(expr, rank, &x)?.first().unwrap_or(&0),
        None => 0,
    };
    let mut items = vec![IndexItem::Slice(None, None, None); axis];
    items.push(IndexItem::At((*idx).clone()));
    lowerer.index_val(&x.val, x.span, &items, call.span)
}
