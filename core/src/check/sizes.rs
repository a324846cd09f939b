//! Sizes for random points: small, different numbers at which every shape of the program is one; and what indices may be.

use crate::compile::Compiled;
use crate::ir::{Dim, DimId, Graph, NodeId, Op, VarId};
use crate::ops::probe::Random;
use std::collections::BTreeMap;

/// How many sizes are tried.
const TRIALS: usize = 2000;

/// Sizes for all open dim names.
pub(super) fn sizes(
    compiled: &Compiled,
    random: &mut Random,
) -> Result<BTreeMap<DimId, usize>, String> {
    let graph = &compiled.graph;
    let wanted = wanted(compiled);
    for trial in 0..TRIALS {
        let (low, high) = match trial * 4 / TRIALS {
            0 | 1 => (2, 5),
            2 => (1, 16),
            _ => (1, 100),
        };
        let sizes = draw(graph.dims.len(), low, high, random);
        let at = |id: DimId| sizes.get(&id).copied().unwrap_or(1);
        let inside = graph.rooms.iter().all(|left| left.value(&at).is_some());
        if inside && wanted.iter().all(|dim| dim.value(&at).is_some_and(|size| size > 0)) {
            return Ok(sizes);
        }
    }
    Err("no small sizes were found that make every shape of the program a whole number".to_string())
}

/// Different sizes in an interval while they last.
fn draw(count: usize, low: usize, high: usize, random: &mut Random) -> BTreeMap<DimId, usize> {
    let mut left: Vec<usize> = Vec::new();
    let mut sizes = BTreeMap::new();
    for id in 0..count {
        if left.is_empty() {
            left = (low..=high).collect();
        }
        sizes.insert(DimId(id as u32), left.swap_remove(random.below(left.len())));
    }
    sizes
}

/// All sizes that stand on an axis of something that is computed.
fn wanted(compiled: &Compiled) -> Vec<Dim> {
    let graph = &compiled.graph;
    let mut roots: Vec<NodeId> = compiled.lowered.vars.clone();
    roots.extend(compiled.lowered.scope.values());
    roots.extend(compiled.losses.iter().chain(&compiled.outputs).map(|named| named.node));
    roots.extend(compiled.derivatives.iter().map(|derivative| derivative.node));
    let mut dims: Vec<Dim> = Vec::new();
    for node in graph.reachable(&roots) {
        dims.extend(graph.shape(node).iter().cloned());
    }
    dims.sort();
    dims.dedup();
    dims
}

/// The sizes that the entries of integer variables must stay below, as they are used for indices.
pub fn index_limits(graph: &Graph) -> BTreeMap<VarId, Vec<Dim>> {
    let mut limits: BTreeMap<VarId, Vec<Dim>> = BTreeMap::new();
    let given = given_to_steps(graph);
    for at in 0..graph.len() {
        let id = NodeId(at as u32);
        let (index, limit) = match (graph.op(id), graph.args(id)) {
            (Op::Gather, [x, index]) => (*index, graph.shape(*x).first().cloned()),
            (Op::Scatter(rows), [_, index]) => (*index, Some(rows.clone())),
            _ => continue,
        };
        let Some(limit) = limit else { continue };
        let mut stack = vec![index];
        while let Some(index) = stack.pop() {
            stack.extend(given.get(&index).into_iter().flatten());
            let Op::Var(var) = graph.op(index) else { continue };
            let known = limits.entry(*var).or_default();
            if !known.contains(&limit) {
                known.push(limit.clone());
            }
        }
    }
    limits
}

/// What the stand-ins of steps stand for, in every scan that has the step.
fn given_to_steps(graph: &Graph) -> BTreeMap<NodeId, Vec<NodeId>> {
    let mut given: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for at in 0..graph.len() {
        let id = NodeId(at as u32);
        let Op::Scan(body) = graph.op(id) else { continue };
        let body = &graph.bodies[body.0 as usize];
        let own = body.entries.iter().chain(&body.captures);
        for (stand_in, arg) in own.zip(&graph.args(id)[1..]) {
            given.entry(*stand_in).or_default().push(*arg);
        }
    }
    given
}
