//! Differentiation. The one place that differentiates: it asks the rule book for derivatives and contracts them with the graph.
//!
//! In: a graph and requests. Out: the same graph with derivative nodes added, and the [`Sweep`] that made them. It simplifies
//! nothing and prints nothing. A derivative that the rule book does not have is an error, never 0.

mod columns;
mod gate;
pub mod higher;
pub mod pullback;
pub mod scan;
pub mod view;

pub use higher::{expand, expand_spelt, gradient, hvp, jacobian, jvp};

use crate::few::{self, Each};
use crate::ir::{Graph, NodeId, Num};
use chainrule_grammar::Diagnostic;
use std::collections::BTreeMap;

/// One reverse pass: from a result back to everything that was asked for.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// What is differentiated.
    pub of: NodeId,
    /// How many axes stand before the node's own in every cotangent (those of the seed).
    pub extra: usize,
    /// The visits in order: from the result backwards.
    pub visits: Vec<Visit>,
    /// The finished cotangent of every node that was reached; its axes are the seed's, then the node's.
    pub cotangents: BTreeMap<NodeId, NodeId>,
}

/// One application of the chain rule: a node hands its cotangent on to its arguments.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The node whose rule was applied.
    pub node: NodeId,
    /// Its cotangent.
    pub cotangent: NodeId,
    /// Argument and what it is given; an argument that is used twice stands here twice.
    pub gives: Vec<(NodeId, NodeId)>,
}

/// Sweeps from `of` (whose cotangent is `seed`, with `extra` axes in front) back to `wrt`. Nodes that do not depend on `wrt` are
/// not visited.
///
/// # Errors
/// Where a function on the way has no derivative, or the rule book does not have it.
pub fn reverse(
    graph: &mut Graph,
    of: NodeId,
    wrt: &[NodeId],
    seed: NodeId,
    extra: usize,
) -> Result<Sweep, Diagnostic> {
    let mut order = graph.reachable(&[of]);
    let depends = graph.depending(&order, wrt);
    order.retain(|node| depends.contains(*node));
    order.reverse();
    let mut given: BTreeMap<NodeId, Vec<NodeId>> = few::map([(of, vec![seed])]);
    let mut sweep = Sweep { of, extra, visits: Vec::new(), cotangents: BTreeMap::new() };
    for node in order {
        let Some(parts) = given.remove(&node) else { continue };
        let cotangent = total(graph, &parts);
        sweep.cotangents.insert(node, cotangent);
        let gives =
            pullback::pull_back(graph, node, cotangent, extra, &|arg| depends.contains(arg))?;
        for (arg, part) in &gives {
            given.entry(*arg).or_default().push(*part);
        }
        sweep.visits.push(Visit { node, cotangent, gives });
    }
    Ok(sweep)
}

fn total(graph: &mut Graph, parts: &[NodeId]) -> NodeId {
    let shape = graph.shape(parts[0]).clone();
    let terms: Vec<(Num, NodeId)> = parts.each(|part| (Num::ONE, *part));
    graph.add(&terms, &shape)
}
