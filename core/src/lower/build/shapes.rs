//! Axes: made, removed, moved, read backwards; tensors of a given size; rows picked by integers.

use super::super::call::{Arg, CallArgs};
use super::super::shape::Operand;
use super::super::{Lowerer, Val};
use super::{Result, args, keyword, sizes, whole, wrong};
use crate::ir::{Affine, Dim, Num, Op, Shape, View};
use crate::ops;
use chainrule_grammar::ast::ExprKind;
use chainrule_grammar::{Code, Diagnostic};

/// `eye(N)`: the identity.
pub fn eye(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    match sizes(lowerer, call)?.as_slice() {
        [dim] => Ok(Val { node: lowerer.graph.delta(dim), labels: Vec::new() }),
        [a, b] if a == b => Ok(Val { node: lowerer.graph.delta(a), labels: Vec::new() }),
        _ => Err(wrong(call, "`eye` takes one size")),
    }
}

/// `zeros(N, M)`
pub fn zeros(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let shape = sizes(lowerer, call)?;
    Ok(Val { node: lowerer.graph.zeros(&shape), labels: Vec::new() })
}

/// `ones(N, M)`
pub fn ones(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let shape = sizes(lowerer, call)?;
    Ok(Val { node: lowerer.graph.ones(&shape), labels: Vec::new() })
}

/// `range(N)`: 0, 1, 2, …
pub fn range(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    match sizes(lowerer, call)?.as_slice() {
        [dim] => Ok(Val { node: lowerer.graph.range(dim), labels: Vec::new() }),
        _ => Err(wrong(call, "`range` takes one size")),
    }
}

/// `count(x)`: how many entries, over all axes or `axis=`.
pub fn count(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [x] = args(lowerer, call)?;
    let shape = lowerer.positional(&x.val).to_vec();
    let axes = match keyword(call, "axis") {
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
    let rest = CallArgs {
        name: call.name,
        args: call.args[1..].to_vec(),
        kwargs: call.kwargs,
        span: call.span,
    };
    let shape = sizes(lowerer, &rest)?;
    reshaped(lowerer, &x, shape, call)
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
    let [x] = args(lowerer, call)?;
    let shape = lowerer.positional(&x.val).to_vec();
    let axes = match keyword(call, "axis") {
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

/// `expand(x, axis=1)`: a new axis of size 1.
pub fn expand(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let x = match call.args.first() {
        Some(first) => lowerer.arg(first)?,
        None => return Err(wrong(call, "`expand(x, axis=1)`")),
    };
    let rank = lowerer.positional(&x.val).len();
    let axis = match (keyword(call, "axis"), call.args.get(1)) {
        (Some(expr), _) => lowerer.axis_list(expr, rank + 1, &x)?,
        (None, Some(Arg::Written(expr))) => lowerer.axis_list(expr, rank + 1, &x)?,
        _ => vec![0],
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

/// `pad(x, 1)`: zeros around the last axis, or around all axes of `axis=`; `pad(x, [1, 2])`: before and after.
pub fn pad(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [first, Arg::Written(width)] = call.args.as_slice() else {
        return Err(wrong(call, "`pad(x, 1, axis=0)`"));
    };
    let x = lowerer.arg(first)?;
    let rank = lowerer.positional(&x.val).len();
    let (before, after) = match &width.kind {
        ExprKind::List(items) if items.len() == 2 => {
            (whole(lowerer, &items[0])?, whole(lowerer, &items[1])?)
        }
        _ => (whole(lowerer, width)?, whole(lowerer, width)?),
    };
    let axes = match keyword(call, "axis") {
        Some(expr) => lowerer.axis_list(expr, rank, &x)?,
        None => (0..rank).collect(),
    };
    let own = x.val.labels.len();
    let mut shape = lowerer.graph.shape(x.val.node).clone();
    let mut map: Vec<Affine> = (0..shape.len()).map(Affine::at).collect();
    for axis in axes {
        shape[own + axis] = shape[own + axis].plus(&Dim::fixed(before + after), Num::ONE);
        map[own + axis].offset = Dim::fixed(-before);
    }
    let node = lowerer.graph.view(x.val.node, View { map, shape });
    Ok(Val { node, labels: x.val.labels })
}

/// `flip(x, axis=0)`: backwards along an axis, by default the last.
pub fn flip(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [x] = args(lowerer, call)?;
    let rank = lowerer.positional(&x.val).len();
    let axes = match keyword(call, "axis") {
        Some(expr) => lowerer.axis_list(expr, rank, &x)?,
        None => rank.checked_sub(1).into_iter().collect(),
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

/// `roll(x, 1, axis=0)`: entry `i` moves to `i + 1`, around the end.
pub fn roll(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [first, Arg::Written(by)] = call.args.as_slice() else {
        return Err(wrong(call, "`roll(x, 1, axis=0)`"));
    };
    let x = lowerer.arg(first)?;
    let by = whole(lowerer, by)?;
    let rank = lowerer.positional(&x.val).len();
    let axis = match keyword(call, "axis") {
        Some(expr) => *lowerer.axis_list(expr, rank, &x)?.first().unwrap_or(&0),
        None => rank.checked_sub(1).ok_or_else(|| wrong(call, "`roll` wants at least one axis"))?,
    };
    let at = x.val.labels.len() + axis;
    let shape = lowerer.graph.shape(x.val.node).clone();
    let shifts = match shape[at].as_fixed() {
        Some(size) => [by.rem_euclid(size), by.rem_euclid(size) - size].map(Dim::fixed),
        None => {
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
    Ok(Val { node: lowerer.graph.add(&terms, &shape), labels: x.val.labels })
}

/// `one_hot(idx, K)`: a row for each integer, 1 at its place.
pub fn one_hot(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [first, Arg::Written(size)] = call.args.as_slice() else {
        return Err(wrong(call, "`one_hot(idx, K)`"));
    };
    let idx = lowerer.arg(first)?;
    let size = lowerer.dimension(size)?;
    let rows = lowerer.graph.delta(&size);
    let mut shape = lowerer.graph.shape(idx.val.node).clone();
    shape.push(size);
    let node = lowerer.graph.push(Op::Gather, vec![rows, idx.val.node], shape);
    Ok(Val { node, labels: idx.val.labels })
}

/// `gather(x, idx)` is `x[idx]`.
pub fn gather(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [Arg::Written(x), Arg::Written(idx)] = call.args.as_slice() else {
        return Err(wrong(call, "`gather(x, idx)`"));
    };
    lowerer.index(x, &[chainrule_grammar::ast::IndexItem::At((*idx).clone())], call.span)
}
