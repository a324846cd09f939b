//! In: a formula of one step of a scan. Out: the same for all steps at once, stacked along a first axis.

use super::{Affine, Attrs, Dim, Einsum, Graph, NodeId, Num, Op, View};
use crate::few::Each;
use crate::ops::{self, Kind};
use std::collections::BTreeMap;

/// A sequence backwards.
pub fn flip(graph: &mut Graph, node: NodeId) -> NodeId {
    let shape = graph.shape(node).clone();
    let mut map: Vec<Affine> = (0..shape.len()).map(Affine::at).collect();
    let last = shape[0].plus(&Dim::fixed(1), Num::int(-1));
    map[0] = Affine { terms: vec![(0, -1)], offset: last, divisor: 1 };
    graph.view(node, View { map, shape })
}

/// The sequence that this one is, read backwards.
pub fn flipped(graph: &Graph, node: NodeId) -> Option<NodeId> {
    let Op::View(view) = graph.op(node) else {
        return None;
    };
    let (arg, shape) = (graph.args(node)[0], graph.shape(node));
    let last = shape.first()?.plus(&Dim::fixed(1), Num::int(-1));
    let backwards = Affine { terms: vec![(0, -1)], offset: last, divisor: 1 };
    let straight = (1..shape.len()).map(Affine::at);
    let is_turned = graph.shape(arg) == shape
        && view
            .map
            .iter()
            .eq(std::iter::once(backwards).chain(straight).collect::<Vec<_>>().iter());
    is_turned.then_some(arg)
}

/// The states before each step of a scan: `init`, `out[0]`, …, `out[T - 2]`.
pub fn states_before(graph: &mut Graph, out: NodeId, init: NodeId) -> NodeId {
    let later = shift(graph, out, 1);
    // init read through an axis of size 1 at the step itself: 0 but for the first.
    let rank = graph.rank(init) as u32;
    let labels: Vec<u32> = (0..rank).collect();
    let wide: Vec<u32> = std::iter::once(rank).chain(0..rank).collect();
    let widened = graph.einsum(&[(init, labels)], &wide, &[(rank, Dim::fixed(1))]);
    let shape = graph.shape(out).clone();
    let map = (0..shape.len()).map(Affine::at).collect();
    let start = graph.view(widened, View { map, shape: shape.clone() });
    graph.add(&[(Num::ONE, start), (Num::ONE, later)], &shape)
}

/// Entry t is entry t - by of the node; 0 where there is none.
pub fn shift(graph: &mut Graph, node: NodeId, by: i128) -> NodeId {
    let shape = graph.shape(node).clone();
    let mut map: Vec<Affine> = (0..shape.len()).map(Affine::at).collect();
    map[0].offset = Dim::fixed(-by);
    graph.view(node, View { map, shape })
}

/// A formula with stand-ins replaced by sequences: everything that depends on them gets the steps as a first axis.
///
/// # Errors
/// The first node that cannot run over all steps at once.
pub fn over_steps(
    graph: &mut Graph,
    root: NodeId,
    map: BTreeMap<NodeId, NodeId>,
    steps: &Dim,
) -> Result<NodeId, NodeId> {
    let mut stacked = map;
    for node in graph.reachable(&[root]) {
        if stacked.contains_key(&node)
            || !graph.args(node).iter().any(|arg| stacked.contains_key(arg))
        {
            continue;
        }
        let new = stack_node(graph, node, &stacked, steps)?;
        stacked.insert(node, new);
    }
    match stacked.get(&root) {
        Some(&node) => Ok(node),
        None => Ok(repeat(graph, root, steps)),
    }
}

fn repeat(graph: &mut Graph, node: NodeId, steps: &Dim) -> NodeId {
    let rank = graph.rank(node) as u32;
    let labels: Vec<u32> = (0..rank).collect();
    let out: Vec<u32> = std::iter::once(rank).chain(0..rank).collect();
    graph.einsum(&[(node, labels)], &out, &[(rank, steps.clone())])
}

fn stack_node(
    graph: &mut Graph,
    node: NodeId,
    stacked: &BTreeMap<NodeId, NodeId>,
    steps: &Dim,
) -> Result<NodeId, NodeId> {
    let args = graph.args(node).to_vec();
    let mut shape = vec![steps.clone()];
    shape.extend(graph.shape(node).iter().cloned());
    let op = graph.op(node).clone();
    if let Op::Einsum(e) = &op {
        return Ok(stack_einsum(graph, e, &args, stacked, steps));
    }
    let all = |graph: &mut Graph| -> Vec<NodeId> {
        args.each(|arg| stacked.get(arg).copied().unwrap_or_else(|| repeat(graph, *arg, steps)))
    };
    let new = match op {
        Op::Add(coefficients) => {
            let terms: Vec<(Num, NodeId)> = coefficients.into_iter().zip(all(graph)).collect();
            graph.add(&terms, &shape)
        }
        Op::Pow(exponent) => {
            let base = all(graph)[0];
            graph.pow(base, exponent)
        }
        Op::Reshape => {
            let arg = all(graph)[0];
            graph.push(Op::Reshape, vec![arg], shape)
        }
        Op::Call(id, attrs) => {
            let moved = matches!(ops::spec(id).kind, Kind::Reduce | Kind::Along);
            let axes = attrs.axes.each(|axis| axis + usize::from(moved));
            let args = all(graph);
            graph.call(id, args, Attrs { axes, ints: attrs.ints }, shape)
        }
        Op::View(view) => {
            let arg = all(graph)[0];
            let mut map = vec![Affine::at(0)];
            map.extend(view.map.into_iter().map(|affine| Affine {
                terms: affine.terms.into_iter().map(|(axis, c)| (axis + 1, c)).collect(),
                ..affine
            }));
            graph.view(arg, View { map, shape })
        }
        Op::Gather if !stacked.contains_key(&args[0]) => {
            let index = stacked[&args[1]];
            graph.push(Op::Gather, vec![args[0], index], shape)
        }
        _ => return Err(node),
    };
    Ok(new)
}

fn stack_einsum(
    graph: &mut Graph,
    e: &Einsum,
    args: &[NodeId],
    stacked: &BTreeMap<NodeId, NodeId>,
    steps: &Dim,
) -> NodeId {
    const STEP: u32 = 5000;
    let mut factors = Vec::new();
    for (arg, ins) in args.iter().zip(&e.ins) {
        let own = ins.iter().map(|&ix| u32::from(ix));
        match stacked.get(arg) {
            Some(&sequence) => factors.push((sequence, std::iter::once(STEP).chain(own).collect())),
            None => factors.push((*arg, own.collect::<Vec<u32>>())),
        }
    }
    let out: Vec<u32> =
        std::iter::once(STEP).chain(e.out.iter().map(|&ix| u32::from(ix))).collect();
    let mut extra: Vec<(u32, Dim)> =
        e.sizes.iter().cloned().enumerate().map(|(ix, dim)| (ix as u32, dim)).collect();
    extra.push((STEP, steps.clone()));
    graph.einsum(&factors, &out, &extra)
}
