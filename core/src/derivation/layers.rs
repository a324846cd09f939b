//! Names for the layers of a deep network whose author gave them none (`x |> dense(W1, b1) |> tanh |> …`, `net`, `fn`): a reader
//! follows `h1`, `h2`, … where one formula would hold the whole network, and what is told grows with its depth, not with the
//! square of it. In: a graph in normal form, its results, the variables. Out: the layers in the order of the forward pass.

use crate::ir::{Graph, Map, NodeId, Op};
use std::collections::BTreeSet;

/// With no more unnamed layers than this one after another, a formula reads well without names for them.
const FEW_LAYERS: usize = 3;

/// The unnamed layers of what is deep without names: what comes out of one product of matrices and goes into another.
pub(super) fn unnamed(graph: &Graph, results: &[NodeId], variables: &[NodeId]) -> BTreeSet<NodeId> {
    let nodes = graph.reachable(results);
    let depends = graph.depending(&nodes, variables);
    // How many layers each node has below it, from the last name on.
    let mut depths: Map<NodeId, usize> = Map::default();
    let mut layers = BTreeSet::new();
    let mut deepest = 0;
    for &node in nodes.iter().filter(|&&node| depends.contains(node)) {
        let args = graph.args(node).iter().copied();
        let depth_of = |arg: NodeId| depths.get(&arg).copied().unwrap_or(0);
        let below = args.clone().map(depth_of).max().unwrap_or(0);
        let product = is_product(graph, node);
        if product {
            let layer = |arg: &NodeId| depth_of(*arg) > 0 && !is_product(graph, *arg);
            layers.extend(args.map(|arg| read(graph, arg)).filter(layer));
        }
        // A product of a product is one of three factors, not a layer more.
        let layer =
            product && !graph.args(node).iter().any(|&arg| is_product(graph, read(graph, arg)));
        let named = graph.names.contains_key(&node) || results.contains(&node);
        let depth = if named { 0 } else { below + usize::from(layer) };
        deepest = deepest.max(depth);
        depths.insert(node, depth);
    }
    if deepest > FEW_LAYERS { layers } else { BTreeSet::new() }
}

/// Whether a node sums products of two arrays or more.
fn is_product(graph: &Graph, node: NodeId) -> bool {
    let Op::Einsum(einsum) = graph.op(node) else { return false };
    einsum.ins.iter().filter(|read| !read.is_empty()).count() > 1 && !einsum.bound().is_empty()
}

/// What is read through views, transpositions and repetitions.
fn read(graph: &Graph, mut node: NodeId) -> NodeId {
    loop {
        match graph.op(node) {
            Op::View(_) => node = graph.args(node)[0],
            Op::Einsum(einsum) if einsum.ins.len() == 1 && einsum.bound().is_empty() => {
                node = graph.args(node)[0];
            }
            _ => return node,
        }
    }
}
