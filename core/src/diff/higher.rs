//! Gradients, Jacobians, products with a direction: all from the one reverse sweep, seeded and applied again.

use super::reverse;
use crate::few::Each;
use crate::ir::{Dim, Graph, NodeId, Num, Op};
use chainrule_grammar::{Code, Diagnostic};
use std::collections::BTreeMap;

/// The gradients of a scalar, each of its variable's shape; `None` where no cotangent arrives (the derivative is 0 by structure).
///
/// # Errors
/// As [`reverse`].
pub fn gradient(
    graph: &mut Graph,
    of: NodeId,
    wrt: &[NodeId],
) -> Result<Vec<Option<NodeId>>, Diagnostic> {
    let seed = graph.int(1);
    let sweep = reverse(graph, of, wrt, seed, 0)?;
    Ok(wrt.each(|node| sweep.cotangents.get(node).copied()))
}

/// The Jacobian: axes of `of`, then of `wrt`. The sweep is seeded with Kronecker deltas.
///
/// # Errors
/// As [`reverse`].
pub fn jacobian(graph: &mut Graph, of: NodeId, wrt: NodeId) -> Result<NodeId, Diagnostic> {
    let shape = graph.shape(of).clone();
    let seed = identity(graph, &shape);
    let sweep = reverse(graph, of, &[wrt], seed, shape.len())?;
    let full = [shape.as_slice(), graph.shape(wrt).as_slice()].concat();
    Ok(sweep.cotangents.get(&wrt).copied().unwrap_or_else(|| graph.zeros(&full)))
}

/// The seed of a Jacobian: the product of Kronecker deltas of every axis; axes of the shape, twice.
pub fn identity(graph: &mut Graph, shape: &[Dim]) -> NodeId {
    let rank = shape.len() as u32;
    let mut factors = Vec::new();
    for (axis, dim) in shape.iter().enumerate() {
        let axis = axis as u32;
        factors.push((graph.delta(dim), vec![axis, rank + axis]));
    }
    let out: Vec<u32> = (0..2 * rank).collect();
    graph.einsum(&factors, &out, &[])
}

/// Σ of the entrywise product: the inner product of two nodes of one shape.
fn inner(graph: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let labels: Vec<u32> = (0..graph.rank(a) as u32).collect();
    graph.einsum(&[(a, labels.clone()), (b, labels)], &[], &[])
}

/// A Jacobian times a direction: the last axes of the one are those of the other.
pub fn along(graph: &mut Graph, jacobian: NodeId, direction: NodeId) -> NodeId {
    let front = graph.rank(jacobian) - graph.rank(direction);
    let all: Vec<u32> = (0..graph.rank(jacobian) as u32).collect();
    let (out, summed) = (all[..front].to_vec(), all[front..].to_vec());
    graph.einsum(&[(jacobian, all), (direction, summed)], &out, &[])
}

/// Hessian of a scalar by all of these variables at once, times the direction of each: the gradients of [`paired`], since the
/// Hessian is symmetric. Only the product is computed.
///
/// # Errors
/// As [`reverse`].
pub fn hvp(
    graph: &mut Graph,
    of: NodeId,
    moves: &[(NodeId, NodeId)],
) -> Result<Vec<NodeId>, Diagnostic> {
    let wrt: Vec<NodeId> = moves.each(|(by, _)| *by);
    let along = paired(graph, of, moves)?;
    let mut products = Vec::new();
    for (second, by) in gradient(graph, along, &wrt)?.into_iter().zip(wrt) {
        let shape = graph.shape(by).clone();
        products.push(second.unwrap_or_else(|| graph.zeros(&shape)));
    }
    Ok(products)
}

/// Σ ⟨∂of/∂variable, direction⟩, a scalar.
///
/// # Errors
/// As [`reverse`].
pub fn paired(
    graph: &mut Graph,
    of: NodeId,
    moves: &[(NodeId, NodeId)],
) -> Result<NodeId, Diagnostic> {
    let wrt: Vec<NodeId> = moves.each(|(by, _)| *by);
    let mut terms = Vec::new();
    for (first, (_, direction)) in gradient(graph, of, &wrt)?.into_iter().zip(moves) {
        if let Some(first) = first {
            terms.push((Num::ONE, inner(graph, first, *direction)));
        }
    }
    Ok(graph.add(&terms, &[]))
}

/// Jacobian times a direction. The pullback is linear in its cotangent, so its own pullback is the pushforward: forward mode by
/// transposing twice, from the same rules.
///
/// # Errors
/// As [`reverse`].
pub fn jvp(
    graph: &mut Graph,
    of: NodeId,
    wrt: NodeId,
    direction: NodeId,
) -> Result<NodeId, Diagnostic> {
    let shape = graph.shape(of).clone();
    let stand_in = graph.stand_in(&format!("cotangent{}", graph.vars.len()), shape.clone());
    let sweep = reverse(graph, of, &[wrt], stand_in, 0)?;
    let Some(&pulled) = sweep.cotangents.get(&wrt) else { return Ok(graph.zeros(&shape)) };
    let along = inner(graph, pulled, direction);
    let pushed = gradient(graph, along, &[stand_in])?[0];
    Ok(pushed.unwrap_or_else(|| graph.zeros(&shape)))
}

/// Derivatives of derivatives go no deeper: every order multiplies the size of most formulas.
const MOST_ORDERS: usize = 20;

/// Refuses what is nested deeper, before any of it is worked out.
fn check_orders(graph: &Graph, nodes: &[NodeId]) -> Result<(), Diagnostic> {
    let mut orders: BTreeMap<NodeId, usize> = BTreeMap::new();
    for &node in nodes {
        let inner = graph.args(node).iter().map(|arg| orders[arg]).max().unwrap_or(0);
        let order = inner + usize::from(matches!(graph.op(node), Op::Deriv));
        if order > MOST_ORDERS {
            let span = graph.spans.get(&node).copied().unwrap_or_default();
            let message = format!("derivatives are nested more than {MOST_ORDERS} deep");
            return Err(Diagnostic::new(Code::TooLarge, span, message)
                .help("every order multiplies the size of a formula; ask for a lower one"));
        }
        orders.insert(node, order);
    }
    Ok(())
}

/// The roots with every derivative that is still a node carried out, innermost first.
///
/// # Errors
/// As [`reverse`].
pub fn expand(graph: &mut Graph, roots: &[NodeId]) -> Result<Vec<NodeId>, Diagnostic> {
    expand_spelt(graph, roots, &|_, f| f)
}

/// The same; what is differentiated by something declared is brought into another spelling before, such as a stable one.
///
/// # Errors
/// As [`reverse`].
pub fn expand_spelt(
    graph: &mut Graph,
    roots: &[NodeId],
    spell: &dyn Fn(&mut Graph, NodeId) -> NodeId,
) -> Result<Vec<NodeId>, Diagnostic> {
    let nodes = graph.reachable(roots);
    if !nodes.iter().any(|&node| matches!(graph.op(node), Op::Deriv)) {
        return Ok(roots.to_vec());
    }
    check_orders(graph, &nodes)?;
    let (roots, held) = hold(graph, roots);
    let definitions = held.values().map(|(_, by)| by);
    let below: Vec<NodeId> = roots.iter().chain(definitions).copied().collect();
    let mut done: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for node in graph.reachable(&below) {
        let args: Vec<NodeId> = graph.args(node).each(|arg| done[arg]);
        let new = match (graph.op(node), args.as_slice()) {
            (Op::Deriv, &[f, x]) => {
                // A definition may be gone from another spelling.
                let declared = matches!(graph.op(x), Op::Var(_));
                let f = if declared { spell(graph, f) } else { f };
                let jacobian = jacobian(graph, f, x)?;
                let back = held.get(&node).and_then(|(leaf, by)| Some((*leaf, *done.get(by)?)));
                back.map_or(jacobian, |back| graph.substitute(jacobian, &[back]))
            }
            _ => graph.with_args(node, args),
        };
        carry(graph, node, new);
        done.insert(node, new);
    }
    Ok(roots.each(|root| done[root]))
}

/// Name and place go along with what a node became.
fn carry(graph: &mut Graph, node: NodeId, new: NodeId) {
    if new != node {
        if let Some(name) = graph.names.get(&node).cloned() {
            graph.names.entry(new).or_insert(name);
        }
        if let Some(&span) = graph.spans.get(&node) {
            graph.spans.entry(new).or_insert(span);
        }
    }
}

/// Puts a leaf where a definition is differentiated by more than once: its first derivative may have parts that are equal to it and
/// do not move with it. Outermost derivatives, each with its leaf and what that stands for.
fn hold(graph: &mut Graph, roots: &[NodeId]) -> (Vec<NodeId>, Held) {
    let mut roots = roots.to_vec();
    let mut held = Held::new();
    while let Some((outer, f, by)) = twice_by_definition(graph, &roots) {
        let shape = graph.shape(by).clone();
        let leaf = graph.stand_in(&format!("definition{}", graph.vars.len()), shape);
        let moved = graph.substitute(f, &[(by, leaf)]);
        let mut became = BTreeMap::from([(outer, graph.deriv(moved, leaf))]);
        carry(graph, outer, became[&outer]);
        for node in graph.reachable(&roots) {
            if !became.contains_key(&node) {
                let args = graph.args(node).iter().map(|arg| became[arg]).collect();
                let new = graph.with_args(node, args);
                carry(graph, node, new);
                became.insert(node, new);
            }
        }
        let now = |node: NodeId| became.get(&node).copied().unwrap_or(node);
        roots.iter_mut().for_each(|root| *root = now(*root));
        held = held.into_iter().map(|(node, (leaf, by))| (now(node), (leaf, now(by)))).collect();
        held.insert(now(outer), (leaf, by));
    }
    (roots, held)
}

/// Derivatives, each with a leaf in it and what that stands for.
type Held = BTreeMap<NodeId, (NodeId, NodeId)>;

/// The outermost derivative by a definition of something that has a derivative by it already: the derivative, of what, and by what.
fn twice_by_definition(graph: &Graph, roots: &[NodeId]) -> Option<(NodeId, NodeId, NodeId)> {
    let by = |node: NodeId| match (graph.op(node), graph.args(node)) {
        (Op::Deriv, &[f, by]) if !matches!(graph.op(by), Op::Var(_)) => Some((f, by)),
        _ => None,
    };
    let nodes = graph.reachable(roots);
    let mut counts: BTreeMap<NodeId, usize> = BTreeMap::new();
    let found: Vec<(NodeId, NodeId, NodeId)> =
        nodes.iter().filter_map(|&node| by(node).map(|(f, by)| (node, f, by))).collect();
    found.iter().for_each(|(.., by)| *counts.entry(*by).or_default() += 1);
    found.into_iter().rev().filter(|(.., by)| counts[by] > 1).find(|&(_, f, outer)| {
        graph.reachable(&[f]).into_iter().any(|node| by(node).is_some_and(|(_, by)| by == outer))
    })
}
