//! Values side by side: along an axis that they have, or along a new one.

use super::super::call::{Arg, CallArgs};
use super::super::shape::Operand;
use super::super::{Lowerer, Val};
use super::{Result, keyword, wrong};
use crate::few::Each;
use crate::ir::{Affine, Dim, NodeId, Num, Shape, View};
use chainrule_grammar::ast::{Expr, ExprKind};
use chainrule_grammar::{Code, Diagnostic};

/// What is put together, and along which axis: `concat([a, b], 1)`, `concat(a, b, axis=1)`.
fn list<'e>(call: &CallArgs<'e>) -> Result<(Vec<Arg<'e>>, Option<&'e Expr>)> {
    let axis = keyword(call, "axis");
    match call.args.as_slice() {
        [Arg::Written(Expr { kind: ExprKind::List(items), .. }), rest @ ..] => {
            let items = items.each(Arg::Written);
            match rest {
                [] => Ok((items, axis)),
                [Arg::Written(axis)] => Ok((items, Some(axis))),
                _ => Err(wrong(call, format!("`{}([a, b], axis=0)`", call.name))),
            }
        }
        _ => Ok((call.args.clone(), axis)),
    }
}

/// `concat([a, b], axis=0)`: one after the other along an axis.
pub fn concat(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let (items, along) = list(call)?;
    let operands: Vec<Operand> = items.iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
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
    let axis = match along {
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
            .label(operand.span, lowerer.show(&operand.val))
            .help(format!(
                "all other axes must be equal; {}",
                lowerer.axes_in_words(&operands[0].val)
            )));
        }
        total = total.plus(&shape[axis], Num::ONE);
    }
    let mut shape: Shape = labels.each(|label| lowerer.label_size(*label));
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
    let (items, along) = list(call)?;
    let operands: Vec<Operand> = items.iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
    let Some(first) = operands.first().cloned() else {
        return Err(wrong(call, "`stack([a, b], axis=0)`"));
    };
    let rank = lowerer.positional(&first.val).len();
    let axis = match along {
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
