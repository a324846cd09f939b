//! Back-propagation through time. The adjoint of a scan is a scan backwards: with the step's pullback J to the state,
//! λ_t = h̄_t + μ_{t+1} and μ_t = J_t λ_t; the sequences and captures then get the step's pullbacks of all λ_t at once.

use super::reverse;
use crate::few::{self, Each};
use crate::ir::stack::{flip, over_steps, shift, states_before};
use crate::ir::{Affine, Body, BodyId, Dim, Graph, NodeId, Num, Op, View};
use crate::simplify::{Stage, settle};
use chainrule_grammar::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};

/// Cuts a formula at what does not depend on `inside`: the parts outside, a stand-in for each, and the formula over stand-ins.
pub fn capture(
    graph: &mut Graph,
    result: NodeId,
    inside: &[NodeId],
) -> (Vec<NodeId>, Vec<NodeId>, NodeId) {
    let inner = graph.reachable(&[result]);
    let depends = graph.depending(&inner, inside);
    let leaf = |graph: &Graph, node: NodeId| {
        matches!(
            graph.op(node),
            Op::Const(_) | Op::Named(_) | Op::Size(_) | Op::Delta(_) | Op::Range(_)
        ) || graph.is_zero(node)
    };
    let mut outside: Vec<NodeId> = Vec::new();
    let mut wanted = |graph: &Graph, node: NodeId| {
        if !depends.contains(node) && !leaf(graph, node) && !outside.contains(&node) {
            outside.push(node);
        }
    };
    wanted(graph, result);
    for node in inner {
        if depends.contains(node) {
            for &arg in graph.args(node) {
                wanted(graph, arg);
            }
        }
    }
    let mut captures = Vec::new();
    for (at, &node) in outside.iter().enumerate() {
        let shape = graph.shape(node).clone();
        captures.push(graph.stand_in(&format!("capture{}", at + 1), shape));
    }
    let replace: Vec<(NodeId, NodeId)> =
        outside.iter().copied().zip(captures.iter().copied()).collect();
    let result = graph.substitute(result, &replace);
    (outside, captures, result)
}

/// What a scan's cotangent gives to its argument `at`. The cotangent has `extra` axes in front.
///
/// # Errors
/// Where the step has no derivative, or uses what cannot run over all steps at once.
pub fn part(
    graph: &mut Graph,
    node: NodeId,
    step: BodyId,
    at: usize,
    cotangent: NodeId,
    extra: usize,
) -> Result<NodeId, Diagnostic> {
    let body = graph.bodies[step.0 as usize].clone();
    let args = graph.args(node).to_vec();
    let (sequences, captured) = args[1..].split_at(body.entries.len());
    let seed = graph.shape(cotangent)[..extra].to_vec();
    let before = states_before(graph, node, args[0]);
    let arriving = steps_first(graph, cotangent, extra);
    let (step_back, read) = backwards(graph, step, &seed)?;
    let state_bar = graph.shape(graph.bodies[step_back.0 as usize].state).clone();
    let init = graph.zeros(&state_bar);
    let all = [&[arriving, before, node], sequences].concat();
    let reversed = read.each(|&at| flip(graph, all[at]));
    let back = graph.scan_with(step_back, init, &reversed, captured);
    // back[k] is μ of step T - 1 - k; forwards again, μ of the next step comes one later.
    let mu = flip(graph, back);
    if at == 0 {
        return Ok(first(graph, mu));
    }
    let next = shift(graph, mu, -1);
    let shape = graph.shape(arriving).clone();
    let lambda = graph.add(&[(Num::ONE, arriving), (Num::ONE, next)], &shape);
    // The step's own pullback to what is asked for, for all steps at once.
    let target = if at <= sequences.len() {
        body.entries[at - 1]
    } else {
        body.captures[at - 1 - sequences.len()]
    };
    let Some((bar, pulled)) = pulled(graph, step, target, &seed)? else {
        let shape = [seed.as_slice(), graph.shape(args[at]).as_slice()].concat();
        return Ok(graph.zeros(&shape));
    };
    let inside: Vec<(NodeId, NodeId)> =
        body.captures.iter().copied().zip(captured.iter().copied()).collect();
    let pulled = graph.substitute(pulled, &inside);
    // What the step gives to its state is known: the scan's own entries.
    let found = graph.substitute(body.result, &inside);
    let mut map = few::map([(found, node), (bar, lambda), (body.state, before)]);
    map.extend(body.entries.iter().copied().zip(sequences.iter().copied()));
    let steps = graph.shape(node)[0].clone();
    let all = match over_steps(graph, pulled, map.clone(), &steps) {
        Ok(all) => all,
        Err(_) => step_by_step(graph, pulled, &map, body.state),
    };
    // all: steps, seed, the target's axes.
    let rank = graph.rank(all) as u32;
    let labels: Vec<u32> = (0..rank).collect();
    let mut out: Vec<u32> = (1..=extra as u32).collect();
    if at <= sequences.len() {
        out.push(0);
    }
    out.extend(extra as u32 + 1..rank);
    Ok(graph.einsum(&[(all, labels)], &out, &[]))
}

/// A formula with stand-ins replaced by sequences, for each step in turn: for what cannot run over all steps at once, as a scan in the
/// step. It is a scan that carries nothing on.
fn step_by_step(
    graph: &mut Graph,
    root: NodeId,
    map: &BTreeMap<NodeId, NodeId>,
    state: NodeId,
) -> NodeId {
    let own = graph.name(state).unwrap_or("h").to_string();
    let reached: BTreeSet<NodeId> = few::set(graph.reachable(&[root]));
    let read: Vec<(NodeId, NodeId)> = map
        .iter()
        .filter(|(replaced, _)| reached.contains(replaced))
        .map(|(a, b)| (*a, *b))
        .collect();
    let mut entries = Vec::new();
    for &(replaced, _) in &read {
        let name = match graph.name(replaced) {
            Some(_) if replaced == state => format!("{own}_prev"),
            name => name.unwrap_or(&own).to_string(),
        };
        let shape = graph.shape(replaced).clone();
        entries.push(graph.stand_in(&name, shape));
    }
    let replace: Vec<(NodeId, NodeId)> =
        read.iter().map(|pair| pair.0).zip(entries.iter().copied()).collect();
    let root = graph.substitute(root, &replace);
    let (outside, captures, result) = capture(graph, root, &entries);
    let shape = graph.shape(result).clone();
    let state = graph.stand_in("unused", shape.clone());
    let body = Body { name: String::new(), state, entries, captures, result, follows: false };
    let init = graph.zeros(&shape);
    let sequences: Vec<NodeId> = read.each(|pair| pair.1);
    graph.scan(body, init, &sequences, &outside)
}

/// The step of the scan backwards, with state μ, and which sequences it reads: of h̄, the states before, those after, and the scan's
/// own.
fn backwards(
    graph: &mut Graph,
    step: BodyId,
    seed: &[Dim],
) -> Result<(BodyId, Vec<usize>), Diagnostic> {
    let key = (step, seed.to_vec());
    if let Some(known) = graph.adjoints.backwards.get(&key) {
        return Ok(known.clone());
    }
    let body = graph.bodies[step.0 as usize].clone();
    let state = graph.shape(body.state).clone();
    let state_bar = [seed, state.as_slice()].concat();
    let mu = graph.stand_in("mu", state_bar.clone());
    let given = graph.stand_in("h_bar", state_bar.clone());
    let name = graph.name(body.state).unwrap_or("h").to_string();
    let before = graph.stand_in(&format!("{name}_prev"), state.clone());
    let after = graph.stand_in(&name, state);
    let total = graph.add(&[(Num::ONE, given), (Num::ONE, mu)], &state_bar);
    let sweep = reverse(graph, body.result, &[body.state], total, seed.len())?;
    let result = sweep.cotangents.get(&body.state).copied();
    let result = result.unwrap_or_else(|| graph.zeros(&state_bar));
    let result = graph.substitute(result, &[(body.result, after), (body.state, before)]);
    let result = settle(graph, &[result], Stage::Derivative)[0];
    let entries = [&[given, before, after], body.entries.as_slice()].concat();
    let reached: BTreeSet<NodeId> = few::set(graph.reachable(&[result]));
    let read: Vec<usize> =
        (0..entries.len()).filter(|&at| at == 0 || reached.contains(&entries[at])).collect();
    let back = Body {
        name: String::new(),
        state: mu,
        entries: read.each(|&at| entries[at]),
        captures: body.captures,
        result,
        follows: false,
    };
    let back = graph.step(back);
    graph.adjoints.backwards.insert(key, (back, read.clone()));
    Ok((back, read))
}

/// A stand-in for the cotangent of a step, and what it gives to one of the step's stand-ins, if anything.
fn pulled(
    graph: &mut Graph,
    step: BodyId,
    target: NodeId,
    seed: &[Dim],
) -> Result<Option<(NodeId, NodeId)>, Diagnostic> {
    let key = (step, seed.to_vec(), target);
    if let Some(&known) = graph.adjoints.pulled.get(&key) {
        return Ok(known);
    }
    let body = &graph.bodies[step.0 as usize];
    let (result, state) = (body.result, body.state);
    let shape = [seed, graph.shape(state).as_slice()].concat();
    let bar = graph.stand_in("lambda", shape);
    let sweep = reverse(graph, result, &[target], bar, seed.len())?;
    let pulled = sweep.cotangents.get(&target).map(|&pulled| (bar, pulled));
    graph.adjoints.pulled.insert(key, pulled);
    Ok(pulled)
}

fn first(graph: &mut Graph, node: NodeId) -> NodeId {
    let shape = graph.shape(node)[1..].to_vec();
    let mut map = vec![Affine { terms: Vec::new(), offset: Dim::fixed(0), divisor: 1 }];
    map.extend((0..shape.len()).map(Affine::at));
    graph.view(node, View { map, shape })
}

/// The steps' axis in front of the seed's.
fn steps_first(graph: &mut Graph, cotangent: NodeId, extra: usize) -> NodeId {
    let rank = graph.rank(cotangent);
    let order: Vec<usize> = std::iter::once(extra).chain(0..extra).chain(extra + 1..rank).collect();
    graph.permute(cotangent, &order)
}
