//! Functions that are graph structure rather than calls: products, axes, identities. Entries of `ops::shape` point here.

use super::call::{Arg, CallArgs};
use super::shape::Operand;
use super::{Label, Lowerer, Val};
use crate::ir::{Affine, Dim, NodeId, Num, Op, Shape, View};
use crate::ops;
use chainrule_grammar::ast::{Expr, ExprKind};
use chainrule_grammar::{Code, Diagnostic};

type Result<T> = std::result::Result<T, Diagnostic>;

fn wrong(call: &CallArgs<'_>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadArgument, call.span, message)
}

fn args<const N: usize>(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<[Operand; N]> {
    let operands = lowerer.positional_args(call)?;
    let count = operands.len();
    operands.try_into().map_err(|_| {
        Diagnostic::new(
            Code::Arity,
            call.span,
            format!("`{}` takes {N} arguments, not {count}", call.name),
        )
    })
}

fn keyword<'e>(call: &CallArgs<'e>, name: &str) -> Option<&'e Expr> {
    call.kwargs.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
}

/// `dot(a, b)`: the sum of the products of all entries.
pub fn dot(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a, b] = args(lowerer, call)?;
    let product = lowerer.product(&[(a, false), (b, false)], call.span)?;
    let axes: Vec<usize> = (0..lowerer.positional(&product).len()).collect();
    lowerer.reduce(ops::known("sum", 1), &product, &axes, call.span)
}

/// `outer(a, b)`: every entry of `a` times every entry of `b`; axes of `a`, then of `b`.
pub fn outer(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a, b] = args(lowerer, call)?;
    let labels = lowerer.union_labels([&a.val, &b.val].into_iter());
    let (left, _) = lowerer.axes(&lowerer.positional(&a.val).to_vec());
    let (right, _) = lowerer.axes(&lowerer.positional(&b.val).to_vec());
    let read = |own: &Operand, axes: &[Label]| {
        own.val.labels.iter().chain(axes).map(|label| label.0).collect::<Vec<u32>>()
    };
    let out: Vec<u32> = labels.iter().chain(&left).chain(&right).map(|label| label.0).collect();
    let factors = [(a.val.node, read(&a, &left)), (b.val.node, read(&b, &right))];
    Ok(Val { node: lowerer.graph.einsum(&factors, &out, &[]), labels })
}

/// `matmul(a, b)` is `a @ b`.
pub fn matmul(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a, b] = args(lowerer, call)?;
    lowerer.matmul(&a, &b, call.span)
}

/// `transpose(a)`: all axes reversed.
pub fn transpose(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a] = args(lowerer, call)?;
    let first = a.val.labels.len();
    let rank = lowerer.positional(&a.val).len();
    let order: Vec<usize> = (0..first).chain((first..first + rank).rev()).collect();
    Ok(Val { node: lowerer.graph.permute(a.val.node, &order), labels: a.val.labels })
}

/// `einsum("ij,jk->ik", A, B)`
pub fn einsum(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let Some(Arg::Written(Expr { kind: ExprKind::Str(spec), .. })) = call.args.first() else {
        return Err(wrong(
            call,
            "`einsum` wants its subscripts first: `einsum(\"ij,jk->ik\", A, B)`",
        ));
    };
    let (inputs, output) = match spec.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output.trim())),
        None => (spec.as_str(), None),
    };
    let terms: Vec<&str> = inputs.split(',').map(str::trim).collect();
    let operands: Vec<Operand> =
        call.args[1..].iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
    if terms.len() != operands.len() {
        return Err(wrong(
            call,
            format!(
                "the subscripts name {} operands, but there are {}",
                terms.len(),
                operands.len()
            ),
        ));
    }
    let mut letters: Vec<(char, Label, Dim)> = Vec::new();
    let mut factors = Vec::new();
    for (term, operand) in terms.iter().zip(&operands) {
        let shape = lowerer.positional(&operand.val).to_vec();
        if term.chars().count() != shape.len() {
            return Err(wrong(call, format!("`{term}` names {} axes", term.chars().count()))
                .label(operand.span, lowerer.show(&operand.val)));
        }
        let mut reading: Vec<u32> = operand.val.labels.iter().map(|label| label.0).collect();
        for (letter, dim) in term.chars().zip(&shape) {
            let known = letters.iter().find(|(known, ..)| *known == letter).cloned();
            let (label, size) = known
                .map_or_else(|| (lowerer.fresh(), dim.clone()), |(_, label, size)| (label, size));
            if &size != dim {
                return Err(Diagnostic::new(
                    Code::IndexRange,
                    call.span,
                    format!("`{letter}` stands on axes of different sizes"),
                )
                .label(operand.span, lowerer.show(&operand.val)));
            }
            if !letters.iter().any(|(known, ..)| *known == letter) {
                letters.push((letter, label, size));
            }
            reading.push(label.0);
        }
        factors.push((operand.val.node, reading));
    }
    let result: Vec<char> = match output {
        Some(output) => output.chars().collect(),
        None => {
            let mut once: Vec<char> = letters
                .iter()
                .map(|(letter, ..)| *letter)
                .filter(|letter| inputs.matches(*letter).count() == 1)
                .collect();
            once.sort_unstable();
            once
        }
    };
    let labels = lowerer.union_labels(operands.iter().map(|operand| &operand.val));
    let mut out: Vec<u32> = labels.iter().map(|label| label.0).collect();
    for letter in result {
        match letters.iter().find(|(known, ..)| *known == letter) {
            Some((_, label, _)) if !out.contains(&label.0) => out.push(label.0),
            _ => {
                return Err(wrong(
                    call,
                    format!("`{letter}` of the result stands on no operand, or twice"),
                ));
            }
        }
    }
    Ok(Val { node: lowerer.graph.einsum(&factors, &out, &[]), labels })
}

fn square(lowerer: &Lowerer<'_>, operand: &Operand, name: &str) -> Result<Dim> {
    match lowerer.positional(&operand.val) {
        [.., a, b] if a == b => Ok(a.clone()),
        _ => Err(Diagnostic::new(
            Code::NotSquare,
            operand.span,
            format!("`{name}` wants a square matrix"),
        )
        .here(lowerer.show(&operand.val))),
    }
}

/// The last two axes read at one index.
fn diagonal(lowerer: &mut Lowerer<'_>, operand: &Operand, keep: bool) -> Val {
    let rank = lowerer.graph.rank(operand.val.node);
    let mut labels: Vec<u32> = (0..rank as u32).collect();
    labels[rank - 1] = labels[rank - 2];
    let out = &labels[..if keep { rank - 1 } else { rank - 2 }].to_vec();
    Val {
        node: lowerer.graph.einsum(&[(operand.val.node, labels)], out, &[]),
        labels: operand.val.labels.clone(),
    }
}

/// `trace(A)`: the sum of the diagonal of the last two axes.
pub fn trace(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a] = args(lowerer, call)?;
    square(lowerer, &a, "trace")?;
    Ok(diagonal(lowerer, &a, false))
}

/// `diag(A)`: the diagonal of a matrix; `diag(v)`: the matrix with a vector on its diagonal.
pub fn diag(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a] = args(lowerer, call)?;
    let shape = lowerer.positional(&a.val).to_vec();
    if let [dim] = shape.as_slice() {
        let first = a.val.labels.len() as u32;
        let delta = lowerer.graph.delta(dim);
        let reading: Vec<u32> = (0..=first).collect();
        let out: Vec<u32> = (0..first + 2).collect();
        let node = lowerer.graph.einsum(
            &[(a.val.node, reading), (delta, vec![first, first + 1])],
            &out,
            &[],
        );
        return Ok(Val { node, labels: a.val.labels });
    }
    square(lowerer, &a, "diag")?;
    Ok(diagonal(lowerer, &a, true))
}

/// `eye(N)`: the identity.
pub fn eye(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    match sizes(lowerer, call)?.as_slice() {
        [dim] => Ok(Val { node: lowerer.graph.delta(dim), labels: Vec::new() }),
        [a, b] if a == b => Ok(Val { node: lowerer.graph.delta(a), labels: Vec::new() }),
        _ => Err(wrong(call, "`eye` takes one size")),
    }
}

fn sizes(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Shape> {
    let mut shape = Vec::new();
    for arg in &call.args {
        match arg {
            Arg::Written(Expr { kind: ExprKind::List(items), .. }) => {
                for item in items {
                    shape.push(lowerer.dimension(item)?);
                }
            }
            Arg::Written(expr) => shape.push(lowerer.dimension(expr)?),
            Arg::Value(operand) => {
                return Err(Diagnostic::new(
                    Code::BadDimension,
                    operand.span,
                    "a size is a whole number or a dim name",
                ));
            }
        }
    }
    lowerer.check_size(&shape, call.span)?;
    Ok(shape)
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

/// `d(f, x)`: the derivative; axes of `f`, then of `x`. `d(o[k], W[j,k])` is one entry of it.
pub fn derivative(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [Arg::Written(f), Arg::Written(x)] = call.args.as_slice() else {
        return Err(Diagnostic::new(Code::Arity, call.span, "`d` takes two arguments: `d(f, x)`"));
    };
    let f = lowerer.operand(f)?;
    let (base, items) = match &x.kind {
        ExprKind::Index(base, items) => (&**base, Some(items)),
        _ => (*x, None),
    };
    let by = lowerer.operand(base)?;
    if !matches!(base.kind, ExprKind::Name(_)) || !by.val.labels.is_empty() {
        return Err(Diagnostic::new(
            Code::BadArgument,
            x.span,
            "`d(f, x)` differentiates by a declared or defined name, or an entry of one",
        ));
    }
    let rank = lowerer.graph.rank(f.val.node);
    let node = lowerer.graph.deriv(f.val.node, by.val.node);
    let val = Val { node, labels: f.val.labels.clone() };
    let Some(items) = items else { return Ok(val) };
    // The positional axes are those of f and then those of x; the items apply to the latter.
    let own = rank - f.val.labels.len();
    let mut all: Vec<chainrule_grammar::ast::IndexItem> =
        (0..own).map(|_| chainrule_grammar::ast::IndexItem::Slice(None, None, None)).collect();
    all.extend(items.iter().cloned());
    lowerer.index_val(&val, x.span, &all, call.span)
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

fn reshaped(
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
                "{} has another number of entries than {}",
                lowerer.graph.show_shape(&own),
                lowerer.graph.show_shape(&shape)
            ),
        ));
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

fn list<'e>(call: &CallArgs<'e>) -> Result<Vec<Arg<'e>>> {
    match call.args.first() {
        Some(Arg::Written(Expr { kind: ExprKind::List(items), .. })) => {
            Ok(items.iter().map(Arg::Written).collect())
        }
        _ => Ok(call.args.clone()),
    }
}

/// `concat([a, b], axis=0)`: one after the other along an axis.
pub fn concat(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let operands: Vec<Operand> =
        list(call)?.iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
    let Some(first) = operands.first().cloned() else {
        return Err(wrong(call, "`concat([a, b], axis=0)`"));
    };
    let rank = lowerer.positional(&first.val).len();
    if rank == 0 {
        return Err(wrong(
            call,
            "`concat` wants tensors with at least one axis; `stack` puts scalars together",
        ));
    }
    let axis = match keyword(call, "axis") {
        Some(expr) => *lowerer.axis_list(expr, rank, &first)?.first().unwrap_or(&0),
        None => 0,
    };
    join(lowerer, &operands, axis, call)
}

/// Values one after the other: each is shifted to its place (0 outside), and the sum is taken.
fn join(
    lowerer: &mut Lowerer<'_>,
    operands: &[Operand],
    axis: usize,
    call: &CallArgs<'_>,
) -> Result<Val> {
    let labels = lowerer.union_labels(operands.iter().map(|operand| &operand.val));
    let first = lowerer.positional(&operands[0].val).to_vec();
    let mut total = Dim::fixed(0);
    for operand in operands {
        let shape = lowerer.positional(&operand.val);
        let fits = shape.len() == first.len()
            && (0..first.len()).all(|at| at == axis || shape[at] == first[at]);
        if !fits {
            return Err(Diagnostic::new(
                Code::ShapeMismatch,
                call.span,
                format!("`{}` wants shapes that differ along axis {axis} only", call.name),
            )
            .label(operands[0].span, lowerer.graph.show_shape(&first))
            .label(operand.span, lowerer.show(&operand.val)));
        }
        total = total.plus(&shape[axis], Num::ONE);
    }
    let mut shape: Shape = labels.iter().map(|label| lowerer.label_size(*label)).collect();
    shape.extend(first.iter().cloned());
    shape[labels.len() + axis] = total;
    let mut start = Dim::fixed(0);
    let mut terms: Vec<(Num, NodeId)> = Vec::new();
    for operand in operands {
        let node = lowerer.restore(&operand.val, &labels);
        let size = lowerer.graph.shape(node)[labels.len() + axis].clone();
        let mut map: Vec<Affine> = (0..shape.len()).map(Affine::at).collect();
        map[labels.len() + axis].offset = Dim::fixed(0).plus(&start, Num::int(-1));
        terms.push((Num::ONE, lowerer.graph.view(node, View { map, shape: shape.clone() })));
        start = start.plus(&size, Num::ONE);
    }
    Ok(Val { node: lowerer.graph.add(&terms, &shape), labels })
}

/// `stack([a, b], axis=0)`: side by side along a new axis.
pub fn stack(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let operands: Vec<Operand> =
        list(call)?.iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
    let Some(first) = operands.first().cloned() else {
        return Err(wrong(call, "`stack([a, b], axis=0)`"));
    };
    let rank = lowerer.positional(&first.val).len();
    let axis = match keyword(call, "axis") {
        Some(expr) => *lowerer.axis_list(expr, rank + 1, &first)?.first().unwrap_or(&0),
        None => 0,
    };
    let mut widened = Vec::new();
    for operand in operands {
        let own = operand.val.labels.len();
        let labels: Vec<u32> = (0..lowerer.graph.rank(operand.val.node) as u32).collect();
        let fresh = labels.len() as u32;
        let mut out = labels.clone();
        if lowerer.positional(&operand.val).len() != rank {
            return Err(wrong(call, "`stack` wants operands of one shape")
                .label(operand.span, lowerer.show(&operand.val)));
        }
        out.insert(own + axis, fresh);
        let node =
            lowerer.graph.einsum(&[(operand.val.node, labels)], &out, &[(fresh, Dim::fixed(1))]);
        widened.push(Operand { val: Val { node, labels: operand.val.labels }, span: operand.span });
    }
    join(lowerer, &widened, axis, call)
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

fn whole(lowerer: &Lowerer<'_>, expr: &Expr) -> Result<i128> {
    lowerer
        .position(expr)
        .and_then(|position| position.offset.as_fixed().filter(|_| position.terms.is_empty()))
        .filter(|number| number.abs() < 1 << 40)
        .ok_or_else(|| Diagnostic::new(Code::BadArgument, expr.span, "this must be a whole number"))
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

/// `kron(A, B)`: the Kronecker product of two matrices.
pub fn kron(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a, b] = args(lowerer, call)?;
    let (left, right) = (lowerer.positional(&a.val).to_vec(), lowerer.positional(&b.val).to_vec());
    let ([n, m], [p, q]) = (left.as_slice(), right.as_slice()) else {
        return Err(wrong(call, "`kron` wants two matrices")
            .label(a.span, lowerer.show(&a.val))
            .label(b.span, lowerer.show(&b.val)));
    };
    let shape = vec![n.times(p), m.times(q)];
    let labels = lowerer.union_labels([&a.val, &b.val].into_iter());
    let axes: Vec<Label> = (0..4).map(|_| lowerer.fresh()).collect();
    let read = |own: &Operand, pair: [usize; 2]| -> Vec<u32> {
        own.val.labels.iter().map(|label| label.0).chain(pair.map(|at| axes[at].0)).collect()
    };
    let out: Vec<u32> =
        labels.iter().map(|label| label.0).chain([0, 1, 2, 3].map(|at| axes[at].0)).collect();
    let factors = [(a.val.node, read(&a, [0, 2])), (b.val.node, read(&b, [1, 3]))];
    let node = lowerer.graph.einsum(&factors, &out, &[]);
    reshaped(lowerer, &Operand { val: Val { node, labels }, span: call.span }, shape, call)
}

/// `scan(step, init, xs)`: carries a state along the first axis of the sequences; the states after each step, stacked.
pub fn scan(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [Arg::Written(Expr { kind: ExprKind::Name(step), span }), init, rest @ ..] =
        call.args.as_slice()
    else {
        return Err(wrong(call, "`scan(step, init, xs)` wants the name of a function first"));
    };
    if rest.is_empty() {
        return Err(wrong(call, "`scan(step, init, xs)` wants at least one sequence"));
    }
    let init = lowerer.arg(init)?;
    let sequences: Vec<Operand> = rest.iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
    if let Some(open) =
        std::iter::once(&init).chain(&sequences).find(|operand| !operand.val.labels.is_empty())
    {
        return Err(Diagnostic::new(
            Code::Unsupported,
            open.span,
            "a scan cannot run over open indices",
        ));
    }
    let mut steps: Option<Dim> = None;
    for sequence in &sequences {
        let shape = lowerer.show(&sequence.val);
        match (lowerer.positional(&sequence.val).first(), &steps) {
            (Some(dim), None) => steps = Some(dim.clone()),
            (Some(dim), Some(known)) if dim == known => {}
            _ => {
                return Err(Diagnostic::new(
                    Code::ShapeMismatch,
                    sequence.span,
                    "the sequences of a scan share their first axis",
                )
                .here(shape));
            }
        }
    }
    let state_shape = lowerer.positional(&init.val).to_vec();
    let names = lowerer.function_params(step, sequences.len() + 1, *span)?;
    let state = lowerer.graph.stand_in(&names[0], state_shape.clone());
    let mut entries = Vec::new();
    for (sequence, name) in sequences.iter().zip(&names[1..]) {
        let shape = lowerer.positional(&sequence.val)[1..].to_vec();
        entries.push(lowerer.graph.stand_in(name, shape));
    }
    let operands: Vec<Operand> = std::iter::once(state)
        .chain(entries.iter().copied())
        .map(|node| Operand { val: Val { node, labels: Vec::new() }, span: call.span })
        .collect();
    let result = lowerer.apply_function(step, operands, call.span)?;
    if lowerer.positional(&result) != state_shape.as_slice() || !result.labels.is_empty() {
        return Err(Diagnostic::new(
            Code::ShapeMismatch,
            call.span,
            format!(
                "`{step}` gives {}, but the state is {}",
                lowerer.show(&result),
                lowerer.graph.show_shape(&state_shape)
            ),
        )
        .label(init.span, lowerer.graph.show_shape(&state_shape)));
    }
    let sequences: Vec<NodeId> = sequences.iter().map(|sequence| sequence.val.node).collect();
    let node = close(lowerer.graph, step, state, entries, result.node, init.val.node, &sequences);
    Ok(Val { node, labels: Vec::new() })
}

/// The scan of a step whose outside parts are passed in as captures.
fn close(
    graph: &mut crate::ir::Graph,
    name: &str,
    state: NodeId,
    entries: Vec<NodeId>,
    result: NodeId,
    init: NodeId,
    sequences: &[NodeId],
) -> NodeId {
    let inside: Vec<NodeId> = std::iter::once(state).chain(entries.iter().copied()).collect();
    let (outside, captures, result) = crate::diff::scan::capture(graph, result, &inside);
    let body = crate::ir::Body { name: name.to_string(), state, entries, captures, result };
    graph.scan(body, init, sequences, &outside)
}
