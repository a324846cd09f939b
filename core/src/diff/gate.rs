//! Cotangents of the branches of a choice. What comes back to a branch of `where(c, a, b)` is 0 where the other one was taken, and a
//! factor that is not finite there (`1/(2*sqrt(x))` at x < 0) must not make it NaN: factors go inside, `where(c, v*p, 0)`.

use crate::ir::{Graph, NodeId, Num, Op};
use crate::ops;

/// A choice with 0 for one of its branches.
struct Gate {
    /// The other branch, and its place among the arguments.
    value: NodeId,
    place: usize,
}

/// A cotangent, with `extra` axes in front, times an entrywise factor, inside of the choice that the cotangent comes from; none where
/// it comes from none.
pub(super) fn product(
    graph: &mut Graph,
    cotangent: NodeId,
    factor: NodeId,
    extra: usize,
) -> Option<NodeId> {
    if let Op::Add(coefficients) = graph.op(cotangent).clone() {
        return sum(graph, cotangent, &coefficients, factor, extra);
    }
    let (chosen, place) = find(graph, cotangent, extra)?;
    if graph.shape(chosen) != graph.shape(factor) {
        return None;
    }
    let gate = gate(graph, chosen)?;
    let own: Vec<u32> = (0..graph.rank(factor) as u32).collect();
    let value = product(graph, gate.value, factor, 0).unwrap_or_else(|| {
        graph.einsum(&[(gate.value, own.clone()), (factor, own.clone())], &own, &[])
    });
    let mut branches = graph.args(chosen).to_vec();
    branches[gate.place] = value;
    let gated = graph.with_args(chosen, branches);
    let Some(place) = place else { return Some(gated) };
    let mut args = graph.args(cotangent).to_vec();
    args[place] = gated;
    Some(graph.with_args(cotangent, args))
}

/// The same for a cotangent of several terms, of which one at least comes from a choice.
fn sum(
    graph: &mut Graph,
    cotangent: NodeId,
    coefficients: &[Num],
    factor: NodeId,
    extra: usize,
) -> Option<NodeId> {
    let terms = graph.args(cotangent).to_vec();
    let gated: Vec<Option<NodeId>> =
        terms.iter().map(|&term| product(graph, term, factor, extra)).collect();
    if gated.iter().all(Option::is_none) {
        return None;
    }
    let own: Vec<u32> = (0..graph.rank(factor) as u32).collect();
    let full: Vec<u32> = (0..extra as u32).map(|axis| 1000 + axis).chain(own.clone()).collect();
    let mut products = Vec::new();
    for ((&coefficient, term), gated) in coefficients.iter().zip(terms).zip(gated) {
        let plain = [(term, full.clone()), (factor, own.clone())];
        products.push((coefficient, gated.unwrap_or_else(|| graph.einsum(&plain, &full, &[]))));
    }
    let shape = graph.shape(cotangent).clone();
    Some(graph.add(&products, &shape))
}

/// The choice in a cotangent that is as long as the cotangent's own axes: the cotangent itself, or one of its factors.
fn find(graph: &Graph, cotangent: NodeId, extra: usize) -> Option<(NodeId, Option<usize>)> {
    let args = graph.args(cotangent);
    match graph.op(cotangent) {
        Op::Call(..) if extra == 0 && gate(graph, cotangent).is_some() => Some((cotangent, None)),
        Op::Einsum(e) => {
            let own = e.out.get(extra..)?;
            let mut places = (0..args.len()).filter(|&at| e.ins[at] == own);
            places.find(|&at| gate(graph, args[at]).is_some()).map(|at| (args[at], Some(at)))
        }
        _ => None,
    }
}

fn gate(graph: &Graph, node: NodeId) -> Option<Gate> {
    let (Op::Call(op, _), &[_, a, b]) = (graph.op(node), graph.args(node)) else {
        return None;
    };
    if !ops::spec(*op).chooses {
        return None;
    }
    if graph.is_zero(b) {
        Some(Gate { value: a, place: 1 })
    } else if graph.is_zero(a) {
        Some(Gate { value: b, place: 2 })
    } else {
        None
    }
}
