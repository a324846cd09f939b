//! The pullback of every kind of node: what a node's cotangent gives to each of its arguments.

use super::{columns, gate, scan, view};
use crate::few::Each;
use crate::ir::{Attrs, Dim, Einsum, Graph, NodeId, Num, Op, Shape};
use crate::lower::{Label, Val, call, lower_rule};
use crate::ops::{self, Kind, OpId, OpSpec, Rule};
use chainrule_grammar::{Code, Diagnostic};

/// Labels that rules are lowered with start here, clear of those of an einsum.
pub(super) const FIRST_LABEL: u32 = 1 << 16;

/// What `node` gives to each argument for which `wanted` holds. `cotangent` has `extra` axes in front of the node's own, and so has
/// everything that is given.
///
/// # Errors
/// Where the node's function has no derivative, or the rule book does not have it.
pub fn pull_back(
    graph: &mut Graph,
    node: NodeId,
    cotangent: NodeId,
    extra: usize,
    wanted: &dyn Fn(NodeId) -> bool,
) -> Result<Vec<(NodeId, NodeId)>, Diagnostic> {
    let args = graph.args(node).to_vec();
    let mut gives = Vec::new();
    for (at, &arg) in args.iter().enumerate() {
        if !wanted(arg) {
            continue;
        }
        let part = match graph.op(node).clone() {
            Op::Add(coefficients) => Some(graph.scale(coefficients[at], cotangent)),
            Op::Einsum(einsum) => Some(einsum_part(graph, &einsum, &args, at, cotangent, extra)),
            Op::Pow(exponent) => Some(pow_part(graph, arg, exponent, cotangent, extra)),
            Op::Call(op, attrs) => call_part(graph, node, op, &attrs, at, cotangent, extra)?,
            Op::View(map) => Some(view::adjoint(graph, &map, arg, cotangent, extra)),
            Op::Reshape => Some(reshape_part(graph, arg, cotangent, extra)),
            Op::Gather if at == 0 => Some(gather_part(graph, &args, cotangent, extra)),
            Op::Scatter(_) if at == 0 => Some(scatter_part(graph, &args, cotangent, extra)),
            Op::Scan(body) => Some(scan::part(graph, node, body, at, cotangent, extra)?),
            Op::Deriv => {
                return Err(Diagnostic::new(
                    Code::Unsupported,
                    graph.spans.get(&node).copied().unwrap_or_default(),
                    "a derivative inside of this one was not carried out",
                ));
            }
            _ => None,
        };
        if let Some(part) = part.filter(|&part| !graph.is_zero(part)) {
            gives.push((arg, part));
        }
    }
    Ok(gives)
}

/// d(Σ Π factors) by one factor is the product of the others: the cotangent takes the factor's place. An index that the factor
/// had alone is repeated; an index that it reads twice becomes a Kronecker delta.
fn einsum_part(
    graph: &mut Graph,
    e: &Einsum,
    args: &[NodeId],
    at: usize,
    cotangent: NodeId,
    extra: usize,
) -> NodeId {
    let own = |ix: &u8| u32::from(*ix);
    let front: Vec<u32> = (0..extra as u32).map(|axis| 1000 + axis).collect();
    let mut factors = Vec::new();
    let mut cotangent = cotangent;
    for (other, ins) in
        args.iter().zip(&e.ins).enumerate().filter(|(other, _)| *other != at).map(|(_, pair)| pair)
    {
        let axis = |ix: &u8| e.out.iter().position(|out| out == ix).map(|at| (extra + at) as u32);
        let axes: Option<Vec<u32>> = ins.iter().map(axis).collect();
        match axes.and_then(|axes| gate::product(graph, cotangent, *other, axes)) {
            Some(gated) => cotangent = gated,
            None => factors.push((*other, ins.each(own))),
        }
    }
    let reading: Vec<u32> = front.iter().copied().chain(e.out.iter().map(own)).collect();
    factors.insert(0, (cotangent, reading));
    let mut out = front;
    let mut fresh = 2000;
    for (position, ix) in e.ins[at].iter().enumerate() {
        if e.ins[at][..position].contains(ix) {
            let delta = graph.delta(&e.sizes[*ix as usize]);
            factors.push((delta, vec![u32::from(*ix), fresh]));
            out.push(fresh);
            fresh += 1;
        } else {
            out.push(u32::from(*ix));
        }
    }
    let sizes: Vec<(u32, Dim)> =
        e.sizes.iter().cloned().enumerate().map(|(ix, dim)| (ix as u32, dim)).collect();
    graph.einsum(&factors, &out, &sizes)
}

/// The cotangent times an entrywise factor of the argument's shape, with a coefficient.
fn entrywise(graph: &mut Graph, cotangent: NodeId, factor: NodeId, extra: usize) -> NodeId {
    let rank = graph.rank(factor) as u32;
    let own: Vec<u32> = (0..rank).collect();
    let full: Vec<u32> =
        (0..extra as u32).map(|axis| 1000 + axis).chain(own.iter().copied()).collect();
    // A coefficient (a sum of one term) stays outside of the product.
    let (coefficient, factor) = match (graph.op(factor), graph.args(factor)) {
        (Op::Add(coefficients), [only]) => (coefficients[0], *only),
        _ => (Num::ONE, factor),
    };
    let axes = (extra as u32..extra as u32 + rank).collect();
    let product = gate::product(graph, cotangent, factor, axes)
        .unwrap_or_else(|| graph.einsum(&[(cotangent, full.clone()), (factor, own)], &full, &[]));
    graph.scale(coefficient, product)
}

fn pow_part(
    graph: &mut Graph,
    base: NodeId,
    exponent: Num,
    cotangent: NodeId,
    extra: usize,
) -> NodeId {
    let power = graph.pow(base, exponent + Num::int(-1));
    let factor = graph.scale(exponent, power);
    entrywise(graph, cotangent, factor, extra)
}

fn reshape_part(graph: &mut Graph, arg: NodeId, cotangent: NodeId, extra: usize) -> NodeId {
    let shape = [&graph.shape(cotangent)[..extra], graph.shape(arg).as_slice()].concat();
    graph.push(Op::Reshape, vec![cotangent], shape)
}

/// The extra axes go last, rows are added up where they were picked from, and the extra axes come back.
fn gather_part(graph: &mut Graph, args: &[NodeId], cotangent: NodeId, extra: usize) -> NodeId {
    let rows = graph.shape(args[0])[0].clone();
    let picked = graph.rank(args[1]);
    let back = extra_last(graph, cotangent, extra);
    let mut shape = vec![rows.clone()];
    shape.extend(graph.shape(back)[picked..].iter().cloned());
    let scattered = graph.push(Op::Scatter(rows), vec![back, args[1]], shape);
    extra_first(graph, scattered, extra)
}

fn scatter_part(graph: &mut Graph, args: &[NodeId], cotangent: NodeId, extra: usize) -> NodeId {
    let back = extra_last(graph, cotangent, extra);
    let shape = [graph.shape(args[1]).as_slice(), &graph.shape(back)[1..]].concat();
    let gathered = graph.push(Op::Gather, vec![back, args[1]], shape);
    extra_first(graph, gathered, extra)
}

fn extra_last(graph: &mut Graph, node: NodeId, extra: usize) -> NodeId {
    let rank = graph.rank(node);
    let order: Vec<usize> = (extra..rank).chain(0..extra).collect();
    graph.permute(node, &order)
}

fn extra_first(graph: &mut Graph, node: NodeId, extra: usize) -> NodeId {
    let rank = graph.rank(node);
    let order: Vec<usize> = (rank - extra..rank).chain(0..rank - extra).collect();
    graph.permute(node, &order)
}

// ---- functions of the rule book ---------------------------------------------------------------------------------------

fn call_part(
    graph: &mut Graph,
    node: NodeId,
    op: OpId,
    attrs: &Attrs,
    at: usize,
    cotangent: NodeId,
    extra: usize,
) -> Result<Option<NodeId>, Diagnostic> {
    let row = ops::spec(op);
    match row.rule {
        Rule::Zero | Rule::Held => Ok(None),
        Rule::Partials(partials) => {
            let factor = partial(graph, node, row, partials[at])?;
            if let Some(held) = gate::where_steep(graph, node, cotangent, factor, extra) {
                return Ok(Some(held));
            }
            Ok((!graph.is_zero(factor)).then(|| entrywise(graph, cotangent, factor, extra)))
        }
        Rule::Vjp(pullbacks) => {
            vjp_part(graph, node, row, attrs, pullbacks[at], at, cotangent, extra).map(Some)
        }
        Rule::VjpByRank(rows) => {
            if let Some(part) = columns::part(graph, node, row, at, cotangent, extra)? {
                return Ok(Some(part));
            }
            let pullbacks = rows[ranks_row(graph, node, row.kind)];
            vjp_part(graph, node, row, attrs, pullbacks[at], at, cotangent, extra).map(Some)
        }
        Rule::NoDerivative => Err(refusal(
            graph,
            node,
            Code::NoDerivative,
            format!("`{}` has no derivative", row.name),
        )
        .help(
            "its values are discrete; use a smooth function in its place, or take its value as an `input`",
        )),
        Rule::Missing(why) => Err(refusal(
            graph,
            node,
            Code::MissingDerivative,
            format!("the derivative of `{}` is not written yet: {why}", row.name),
        )),
        Rule::Via(_) | Rule::Sum | Rule::Built => Err(refusal(
            graph,
            node,
            Code::MissingDerivative,
            format!("`{}` stands where its definition should", row.name),
        )),
    }
}

fn refusal(graph: &Graph, node: NodeId, code: Code, message: String) -> Diagnostic {
    Diagnostic::new(code, graph.spans.get(&node).copied().unwrap_or_default(), message)
}

/// The partial derivative of an elementwise function, as a node of the function's shape.
fn partial(
    graph: &mut Graph,
    node: NodeId,
    row: &OpSpec,
    text: &'static str,
) -> Result<NodeId, Diagnostic> {
    let whole = |node: NodeId| Val { node, labels: Vec::new() };
    let args = graph.args(node).to_vec();
    let mut names: Vec<(&str, Val)> =
        row.params.iter().copied().zip(args.iter().map(|&arg| whole(arg))).collect();
    names.push(("y", whole(node)));
    let val = lower_rule(graph, &call::formula(text), &names)?;
    let shape = graph.shape(node).clone();
    Ok(spread(graph, &val, &[], &shape))
}

/// A rule's result with its labelled axes in this order and its positional axes repeated to this shape.
pub(super) fn spread(
    graph: &mut Graph,
    val: &Val,
    labels: &[(Label, Dim)],
    shape: &[Dim],
) -> NodeId {
    let own = graph.shape(val.node)[val.labels.len()..].to_vec();
    let offset = shape.len() - own.len().min(shape.len());
    let axis = |at: usize| 3 * FIRST_LABEL + at as u32;
    let mut reading: Vec<u32> = val.labels.each(|label| label.0);
    for (at, dim) in own.iter().enumerate() {
        // An axis of size 1 that is to be repeated is summed over its single entry.
        reading.push(if dim == &shape[offset + at] {
            axis(offset + at)
        } else {
            4 * FIRST_LABEL + at as u32
        });
    }
    let out: Vec<u32> =
        labels.iter().map(|(label, _)| label.0).chain((0..shape.len()).map(axis)).collect();
    let mut extra: Vec<(u32, Dim)> = labels.each(|(label, dim)| (label.0, dim.clone()));
    extra.extend(shape.iter().cloned().enumerate().map(|(at, dim)| (axis(at), dim)));
    // A coefficient stays outside.
    let (coefficient, node) = match (graph.op(val.node), graph.args(val.node)) {
        (Op::Add(coefficients), [only]) if graph.name(val.node).is_none() => {
            (coefficients[0], *only)
        }
        _ => (Num::ONE, val.node),
    };
    let spread = graph.einsum(&[(node, reading)], &out, &extra);
    graph.scale(coefficient, spread)
}

/// Which axes of the argument and of the result a function acts on; all others are batch, in the same order in both.
fn acting_axes(
    graph: &Graph,
    node: NodeId,
    kind: Kind,
    attrs: &Attrs,
    arg: usize,
) -> (Vec<usize>, Vec<usize>) {
    let rank = graph.rank(graph.args(node)[arg]);
    match kind {
        Kind::Reduce => (attrs.axes.clone(), Vec::new()),
        Kind::Along => (attrs.axes.clone(), attrs.axes.clone()),
        Kind::Structured { ranks, .. } => {
            let want = ranks[ranks_row(graph, node, kind)];
            let batch = rank - want[arg];
            ((batch..rank).collect(), (batch..graph.rank(node)).collect())
        }
        Kind::Elementwise | Kind::Loss { .. } | Kind::Inline | Kind::Build { .. } => {
            ((0..rank).collect(), (0..graph.rank(node)).collect())
        }
    }
}

/// Which row of a structured function's `ranks` its arguments have: the one that leaves them all the same number of batch axes.
pub(crate) fn ranks_row(graph: &Graph, node: NodeId, kind: Kind) -> usize {
    let Kind::Structured { ranks, .. } = kind else { return 0 };
    let have: Vec<usize> = graph.args(node).each(|&arg| graph.rank(arg));
    let fits = |want: &&[usize]| {
        have[0]
            .checked_sub(want[0])
            .is_some_and(|batch| want.iter().zip(&have).all(|(want, have)| want + batch == *have))
    };
    ranks.iter().position(fits).unwrap_or(0)
}

/// A node as a value of a rule: the axes it acts on are positional (last, in order), the others carry the batch labels.
fn focused(
    graph: &mut Graph,
    node: NodeId,
    acting: &[usize],
    front: &[Label],
    batch: &[Label],
) -> Val {
    let extra = front.len();
    let rank = graph.rank(node);
    let own: Vec<usize> = (0..rank - extra).filter(|axis| !acting.contains(axis)).collect();
    let order: Vec<usize> = (0..extra)
        .chain(own.iter().map(|axis| extra + axis))
        .chain(acting.iter().map(|axis| extra + axis))
        .collect();
    let labels = front.iter().chain(batch).copied().collect();
    Val { node: graph.permute(node, &order), labels }
}

#[allow(clippy::too_many_arguments, reason = "all that a rule may speak of")]
fn vjp_part(
    graph: &mut Graph,
    node: NodeId,
    row: &OpSpec,
    attrs: &Attrs,
    text: &'static str,
    at: usize,
    cotangent: NodeId,
    extra: usize,
) -> Result<NodeId, Diagnostic> {
    let args = graph.args(node).to_vec();
    let (in_axes, out_axes) = acting_axes(graph, node, row.kind, attrs, at);
    let batch_rank = graph.rank(node) - out_axes.len();
    let front: Vec<Label> = (0..extra as u32).map(|axis| Label(FIRST_LABEL + axis)).collect();
    let batch: Vec<Label> =
        (0..batch_rank as u32).map(|axis| Label(2 * FIRST_LABEL + axis)).collect();
    let mut names: Vec<(&str, Val)> = Vec::new();
    for (position, (name, &arg)) in row.params.iter().zip(&args).enumerate() {
        let (acting, _) = acting_axes(graph, node, row.kind, attrs, position);
        names.push((name, focused(graph, arg, &acting, &[], &batch)));
    }
    names.push(("y", focused(graph, node, &out_axes, &[], &batch)));
    names.push(("y_bar", focused(graph, cotangent, &out_axes, &front, &batch)));
    let val = lower_rule(graph, &call::formula(text), &names)?;
    // Back to the argument's own order of axes, the extra ones in front.
    let arg_shape: Shape = graph.shape(args[at]).clone();
    let batch_axes: Vec<usize> =
        (0..arg_shape.len()).filter(|axis| !in_axes.contains(axis)).collect();
    let mut labelled: Vec<(Label, Dim)> = front
        .iter()
        .enumerate()
        .map(|(axis, label)| (*label, graph.shape(cotangent)[axis].clone()))
        .collect();
    labelled.extend(
        batch.iter().zip(&batch_axes).map(|(label, &axis)| (*label, arg_shape[axis].clone())),
    );
    let acting: Shape = in_axes.each(|&axis| arg_shape[axis].clone());
    let whole = spread(graph, &val, &labelled, &acting);
    let mut order: Vec<usize> = (0..extra).collect();
    for axis in 0..arg_shape.len() {
        let place = match in_axes.iter().position(|&acting| acting == axis) {
            Some(place) => extra + batch_axes.len() + place,
            None => extra + batch_axes.iter().position(|&own| own == axis).unwrap_or(0),
        };
        order.push(place);
    }
    Ok(graph.permute(whole, &order))
}
