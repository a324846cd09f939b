//! Which nodes of a graph are quantities of its picture.

use super::MAX_QUANTITIES;
use crate::compile::Compiled;
use crate::ir::{Graph, NodeId, Op};
use std::collections::BTreeSet;

/// With more quantities than this, parts that the program did not name are not drawn.
const MAX_WITH_PARTS: usize = 40;

/// The nodes that are drawn.
pub(super) struct Chosen {
    /// All of them, arguments before users.
    pub quantities: Vec<NodeId>,
    /// Those that have no name.
    pub parts: Vec<NodeId>,
    /// How many that could be drawn are left out.
    pub omitted: usize,
}

pub(super) fn choose(compiled: &Compiled) -> Chosen {
    let graph = &compiled.graph;
    let results = compiled.lowered.losses.iter().chain(&compiled.lowered.outputs);
    let mut roots: BTreeSet<NodeId> = results.map(|named| named.node).collect();
    roots.extend(compiled.derivatives.iter().map(|one| one.of.node));
    let mut own = roots.clone();
    own.extend(compiled.derivatives.iter().map(|one| one.wrt.node));
    let roots: Vec<NodeId> = roots.into_iter().collect();
    let below = graph.reachable(&roots);
    let is_var = |node: NodeId| matches!(graph.op(node), Op::Var(_));
    let vars: Vec<NodeId> = below.iter().copied().filter(|&node| is_var(node)).collect();
    let varies = graph.depending(&below, &vars);
    let named =
        |node: NodeId| is_var(node) || own.contains(&node) || graph.names.contains_key(&node);
    let mut drawn: BTreeSet<NodeId> = below
        .iter()
        .copied()
        .filter(|&node| named(node) && (varies.contains(node) || own.contains(&node)))
        .collect();
    let parts = parts(graph, &below, &|node| varies.contains(node) && !drawn.contains(&node));
    let parts = if drawn.len() + parts.len() <= MAX_WITH_PARTS { parts } else { Vec::new() };
    drawn.extend(&parts);
    let all = drawn.len();
    if all > MAX_QUANTITIES {
        drawn = nearest(graph, &roots, &drawn);
    }
    Chosen { omitted: all - drawn.len(), quantities: drawn.into_iter().collect(), parts }
}

/// What functions and powers give, and what they are applied to: the places where the chain rule has something to say.
fn parts(graph: &Graph, below: &[NodeId], wanted: &dyn Fn(NodeId) -> bool) -> Vec<NodeId> {
    let mut parts = BTreeSet::new();
    for &node in below {
        if !matches!(graph.op(node), Op::Call(..) | Op::Pow(_) | Op::Scan(_) | Op::Gather) {
            continue;
        }
        let ends = graph.args(node).iter().copied().chain([node]);
        parts.extend(ends.filter(|&end| wanted(end) && !is_plain(graph, end)));
    }
    parts.into_iter().collect()
}

/// Whether a node only repeats, transposes, scales or moves the entries of another.
fn is_plain(graph: &Graph, node: NodeId) -> bool {
    match graph.op(node) {
        Op::Add(coefficients) => coefficients.len() == 1,
        Op::Einsum(einsum) => einsum.ins.len() == 1 && einsum.bound().is_empty(),
        Op::Reshape | Op::View(_) => true,
        _ => false,
    }
}

/// As many as may be drawn, nearest to the results first; variables and definitions alike.
fn nearest(graph: &Graph, roots: &[NodeId], drawn: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut kept: BTreeSet<NodeId> = BTreeSet::new();
    let mut layer: Vec<NodeId> = roots.to_vec();
    while !layer.is_empty() && kept.len() < MAX_QUANTITIES {
        let room = MAX_QUANTITIES - kept.len();
        layer.retain(|node| !kept.contains(node));
        layer.truncate(room);
        kept.extend(&layer);
        let next =
            layer.iter().flat_map(|&node| drawn_below(graph, node, &|node| drawn.contains(&node)));
        layer = next.collect::<BTreeSet<NodeId>>().into_iter().collect();
    }
    kept
}

/// The drawn nodes that a node is made of, in the order in which its formula has them.
pub(super) fn drawn_below(
    graph: &Graph,
    node: NodeId,
    is_drawn: &dyn Fn(NodeId) -> bool,
) -> Vec<NodeId> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut stack: Vec<NodeId> = graph.args(node).iter().rev().copied().collect();
    while let Some(below) = stack.pop() {
        if !seen.insert(below) {
            continue;
        }
        if is_drawn(below) {
            found.push(below);
        } else {
            stack.extend(graph.args(below).iter().rev());
        }
    }
    found
}
