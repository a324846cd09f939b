//! In: a graph. Out: the same, but that what the step of a scan makes of its sequences alone, without the state, is worked out for all
//! steps at once, and given to the scan as a further sequence.
//!
//! Loops over all steps are long, where those of one step are often too short for vector instructions. And the step of a gradient's
//! scan makes of the forward states what the gradients by its parameters need as well: now both read the same nodes.
//! Invariant: only what costs more than reading a number is taken out; values do not change.

use super::fuse;
use crate::few::{self, Each};
use crate::ir::stack::{flip, flipped, over_steps};
use crate::ir::{Body, BodyId, Dim, Graph, NodeId, Num, Op, View};
use crate::simplify::{Stage, settle};
use std::collections::{BTreeMap, BTreeSet};

/// Work that costs about so many additions an entry is taken out.
const DEAR: u32 = 12;

/// The formulas of `roots` again, and where each root went.
pub fn hoist(graph: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let mut graph = graph.clone();
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let known: BTreeSet<NodeId> = few::set(graph.reachable(roots));
    for id in known.iter().copied() {
        let args: Vec<NodeId> = graph.args(id).each(|arg| map[arg]);
        let new = match graph.op(id).clone() {
            Op::Scan(body) => scan(&mut graph, id, body, args, &known),
            Op::View(view) => match flipped(&graph, args[0]) {
                Some(inner) => through(&mut graph, view, inner),
                None => graph.with_args(id, args),
            },
            _ => graph.with_args(id, args),
        };
        map.insert(id, new);
    }
    (graph, map)
}

/// A scan over the arguments, without what its step need not do.
fn scan(
    graph: &mut Graph,
    id: NodeId,
    body: BodyId,
    args: Vec<NodeId>,
    known: &BTreeSet<NodeId>,
) -> NodeId {
    let body = graph.bodies[body.0 as usize].clone();
    let (sequences, captured) = args[1..].split_at(body.entries.len());
    let times = graph.shape(id)[0].clone();
    let mut entries: Vec<(NodeId, NodeId)> =
        body.entries.iter().copied().zip(sequences.iter().copied()).collect();
    let captures: Vec<(NodeId, NodeId)> =
        body.captures.iter().copied().zip(captured.iter().copied()).collect();
    let mut hoisted = Vec::new();
    for node in stateless(graph, &body) {
        hoisted.extend(for_all_steps(graph, node, &entries, &captures, &times));
    }
    let simple = settle(graph, &hoisted.each(|one| one.all), Stage::Value);
    let mut replace = Vec::new();
    for (Hoisted { node, all, backwards }, simple) in hoisted.into_iter().zip(simple) {
        // In the form that a gradient has it in, if one has.
        let all = if known.contains(&simple) { simple } else { all };
        let sequence = if backwards { flip(graph, all) } else { all };
        let shape = graph.shape(node).clone();
        let entry = graph.stand_in("entry", shape);
        replace.push((node, (entry, sequence)));
    }
    if replace.is_empty() {
        return graph.with_args(id, args);
    }
    let stand_ins: Vec<(NodeId, NodeId)> = replace.each(|(node, (entry, _))| (*node, *entry));
    let result = graph.substitute(body.result, &stand_ins);
    entries.extend(replace.into_iter().map(|(_, pair)| pair));
    let used = graph.reachable(&[result]);
    let is_used = |(stand_in, _): &(NodeId, NodeId)| used.contains(stand_in);
    let (entries, sequences): (Vec<NodeId>, Vec<NodeId>) =
        entries.into_iter().filter(is_used).unzip();
    let (captures, captured): (Vec<NodeId>, Vec<NodeId>) =
        captures.into_iter().filter(is_used).unzip();
    let step = Body { entries, captures, result, ..body };
    graph.scan(step, args[0], &sequences, &captured)
}

/// The largest parts of a step that depend on its sequences, not on its state, and are dear.
fn stateless(graph: &Graph, body: &Body) -> Vec<NodeId> {
    let inner = graph.reachable(&[body.result]);
    let by_state = graph.depending(&inner, &[body.state]);
    let by_entries = graph.depending(&inner, &body.entries);
    let own: Vec<NodeId> = inner.iter().copied().filter(|node| is_dear(graph, *node)).collect();
    let dear = graph.depending(&inner, &own);
    let mut found = Vec::new();
    for arg in
        inner.iter().filter(|node| by_state.contains(**node)).flat_map(|node| graph.args(*node))
    {
        let wanted = !by_state.contains(*arg) && by_entries.contains(*arg) && dear.contains(*arg);
        if wanted && !found.contains(arg) {
            found.push(*arg);
        }
    }
    found
}

/// Whether work is worth a buffer: sums, and functions that are no simple arithmetic.
pub fn is_dear(graph: &Graph, node: NodeId) -> bool {
    let sums = matches!(graph.op(node), Op::Einsum(e) if !e.bound().is_empty());
    sums || fuse::own_cost(graph, node) >= DEAR
}

/// What a node of a step is at every step, stacked; or backwards.
struct Hoisted {
    node: NodeId,
    all: NodeId,
    backwards: bool,
}

/// What a node of a step is at every step. Sequences that all run backwards are read forwards, and the result has to be turned round.
fn for_all_steps(
    graph: &mut Graph,
    node: NodeId,
    entries: &[(NodeId, NodeId)],
    captures: &[(NodeId, NodeId)],
    times: &Dim,
) -> Option<Hoisted> {
    let read = graph.reachable(&[node]);
    let mut map: BTreeMap<NodeId, NodeId> =
        few::map(entries.iter().copied().filter(|(entry, _)| read.contains(entry)));
    let forwards: Option<Vec<NodeId>> = map.values().map(|node| flipped(graph, *node)).collect();
    if let Some(forwards) = &forwards {
        map.values_mut().zip(forwards).for_each(|(sequence, forward)| *sequence = *forward);
    }
    let inside = graph.substitute(node, captures);
    products(graph, inside, &mut map, times);
    let all = over_steps(graph, inside, map, times).ok()?;
    Some(Hoisted { node, all, backwards: forwards.is_some() })
}

/// Products with a sequence that is a product itself become one, as a gradient has them.
fn products(graph: &mut Graph, node: NodeId, map: &mut BTreeMap<NodeId, NodeId>, times: &Dim) {
    let is_product =
        |graph: &Graph, id: NodeId| matches!(graph.op(id), Op::Einsum(e) if e.bound().is_empty());
    for id in graph.reachable(&[node]) {
        let nested = graph.args(id).iter().filter_map(|arg| map.get(arg));
        if is_product(graph, id)
            && nested.copied().any(|sequence| is_product(graph, sequence))
            && let Ok(all) = over_steps(graph, id, map.clone(), times)
        {
            let simple = settle(graph, &[all], Stage::Value)[0];
            map.insert(id, simple);
        }
    }
}

/// A view of the sequence `inner` read backwards, as one of the sequence itself.
fn through(graph: &mut Graph, mut view: View, inner: NodeId) -> NodeId {
    let last = graph.shape(inner)[0].plus(&Dim::fixed(1), Num::int(-1));
    let first = &mut view.map[0];
    // (last·divisor - position) / divisor: outside where the position was, whole where it was.
    first.terms.iter_mut().for_each(|(_, c)| *c = -*c);
    let end = last.times(&Dim::fixed(i128::from(first.divisor)));
    first.offset = end.plus(&first.offset, Num::int(-1));
    graph.view(inner, view)
}
