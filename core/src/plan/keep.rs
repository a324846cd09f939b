//! In: a graph. Out: the same, but that what a scan works out at each of its steps, and others want of all steps, is kept as the scan
//! goes along: the way back reads the gates of a recurrent network and does not work them out again.
//!
//! What is kept is a node of its own: a scan that [follows](Body::follows) another one, and shows what a step of that one has found.
//! Invariant: only what costs more than reading a number is kept; values do not change.

use super::hoist::is_dear;
use crate::few::{self, Each};
use crate::ir::stack::{over_steps, states_before};
use crate::ir::{Body, Graph, NodeId, Op};
use crate::simplify::{Stage, settle};
use std::collections::{BTreeMap, BTreeSet};

/// The formulas of `roots` again, and where each node went.
pub fn keep(mut graph: Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let order = graph.reachable(roots);
    let known: BTreeSet<NodeId> = few::set(order.iter().copied());
    let mut found: BTreeMap<NodeId, (NodeId, Body)> = BTreeMap::new();
    for &id in &order {
        for (all, body) in in_steps(&mut graph, id) {
            if known.contains(&all) && !roots.contains(&all) {
                found.entry(all).or_insert((id, body));
            }
        }
    }
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for &id in &order {
        let new = match found.get(&id) {
            Some((scan, body)) => follow(&mut graph, id, map[scan], body.clone()),
            None => {
                let args = graph.args(id).each(|arg| map[arg]);
                graph.with_args(id, args)
            }
        };
        map.insert(id, new);
    }
    (graph, map)
}

/// What a scan's steps find on the way that is dear and depends on the state: what that is for all steps, and a body that shows it.
fn in_steps(graph: &mut Graph, id: NodeId) -> Vec<(NodeId, Body)> {
    let Op::Scan(body) = *graph.op(id) else { return Vec::new() };
    let body = graph.bodies[body.0 as usize].clone();
    let args = graph.args(id).to_vec();
    let times = graph.shape(id)[0].clone();
    let (sequences, captured) = args[1..].split_at(body.entries.len());
    let inner = graph.reachable(&[body.result]);
    let by_state = graph.depending(&inner, &[body.state]);
    let captures: Vec<(NodeId, NodeId)> =
        body.captures.iter().copied().zip(captured.iter().copied()).collect();
    let (mut all, mut shown) = (Vec::new(), Vec::new());
    for node in inner {
        if node == body.result || !by_state.contains(node) || !is_dear(graph, node) {
            continue;
        }
        let mut map: BTreeMap<NodeId, NodeId> =
            few::map(body.entries.iter().copied().zip(sequences.iter().copied()));
        map.insert(body.state, states_before(graph, id, args[0]));
        let inside = graph.substitute(node, &captures);
        if let Ok(steps) = over_steps(graph, inside, map, &times) {
            all.push(steps);
            shown.push(Body { result: node, follows: true, ..body.clone() });
        }
    }
    // In the form that a gradient has it in, or in that of the step.
    let simple = settle(graph, &all, Stage::Value);
    let forms = simple.into_iter().zip(all).zip(shown);
    forms.flat_map(|((simple, all), shown)| [(simple, shown.clone()), (all, shown)]).collect()
}

/// The scan that shows what `body` finds at the steps of `scan`, its last argument.
fn follow(graph: &mut Graph, id: NodeId, scan: NodeId, mut body: Body) -> NodeId {
    let shape = graph.shape(scan).clone();
    body.captures.push(graph.stand_in("states", shape));
    let shape = graph.shape(id).clone();
    let args = [graph.args(scan), &[scan]].concat();
    let step = graph.step(body);
    graph.push(Op::Scan(step), args, shape)
}

/// For each scan, what follows it.
pub fn followers(graph: &Graph, roots: &[NodeId]) -> BTreeMap<NodeId, Vec<NodeId>> {
    let mut found: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for id in graph.reachable(roots) {
        if let (true, Some(scan)) = (follows(graph, id), graph.args(id).last()) {
            found.entry(*scan).or_default().push(id);
        }
    }
    found
}

/// Whether a node is a scan that shows what another one finds.
pub fn follows(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.op(id), Op::Scan(body) if graph.bodies[body.0 as usize].follows)
}
