//! Products and what they are made of: matrix products, diagonals, derivatives as expressions.

use super::super::call::{Arg, CallArgs};
use super::super::shape::Operand;
use super::super::{Label, Lowerer, Val};
use super::shapes::reshaped;
use super::{Result, args, square, wrong};
use crate::ops;
use chainrule_grammar::ast::ExprKind;
use chainrule_grammar::{Code, Diagnostic, Span};

/// `dot(a, b)`: the sum of the products of all entries of two tensors of one shape.
pub fn dot(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a, b] = args(lowerer, call)?;
    if lowerer.positional(&a.val) != lowerer.positional(&b.val) {
        let message = "`dot` wants two tensors of one shape";
        let name = Span::new(call.span.start, call.span.start + "dot".len());
        return Err(Diagnostic::new(Code::ShapeMismatch, call.span, message)
            .label(a.span, lowerer.show(&a.val))
            .label(b.span, lowerer.show(&b.val))
            .help("the product of matrices is `matmul(A, x)`, or `A @ x`")
            .edit(name, "matmul"));
    }
    let product = lowerer.product(&[(a, false), (b, false)], call.span)?;
    let axes: Vec<usize> = (0..lowerer.positional(&product).len()).collect();
    lowerer.reduce(ops::known("sum", 1), &product, &axes, call.span)
}

/// `outer(a, b)`: every entry of `a` times every entry of `b`; axes of `a`, then of `b`.
pub fn outer(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [a, b] = args(lowerer, call)?;
    let labels = lowerer.union_labels([&a.val, &b.val].into_iter());
    let (dims_a, dims_b) =
        (lowerer.positional(&a.val).to_vec(), lowerer.positional(&b.val).to_vec());
    let (left, _) = lowerer.axes(&dims_a);
    let (right, _) = lowerer.axes(&dims_b);
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
    lowerer.graph.spans.entry(node).or_insert(call.span);
    let val = Val { node, labels: f.val.labels.clone() };
    let Some(items) = items else { return Ok(val) };
    // The positional axes are those of f and then those of x; the items apply to the latter.
    let own = rank - f.val.labels.len();
    let mut all: Vec<chainrule_grammar::ast::IndexItem> =
        (0..own).map(|_| chainrule_grammar::ast::IndexItem::Slice(None, None, None)).collect();
    all.extend(items.iter().cloned());
    lowerer.index_val(&val, x.span, &all, call.span)
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
