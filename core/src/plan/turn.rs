//! In: a graph whose axes stand in the order that they are stored in. Out: the same, but declared tensors that are repeated along other
//! axes and read across their rows are turned first: each of their entries is read many times, and then beside its neighbours.
//! Invariant: values do not change.

use crate::few::{self, Each};
use crate::ir::{Einsum, Graph, NodeId, Op};
use std::collections::BTreeMap;

/// The formulas of `roots` again, and where each node went.
pub fn turn(graph: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let (mut out, mut map) = (graph.clone(), BTreeMap::new());
    for id in graph.reachable(roots) {
        let args = graph.args(id).each(|arg| map[arg]);
        let new = match graph.op(id) {
            Op::Einsum(e) if across(graph, id, e).next().is_some() => turned(&mut out, id, e, args),
            _ => out.with_args(id, args),
        };
        map.insert(id, new);
        if let Some(name) = graph.names.get(&id) {
            out.names.entry(new).or_insert_with(|| name.clone());
        }
        if let Some(span) = graph.spans.get(&id) {
            out.spans.entry(new).or_insert(*span);
        }
    }
    (out, map)
}

/// Which operands are read across their rows, once for each position of an axis that they lack.
fn across<'a>(
    graph: &'a Graph,
    id: NodeId,
    e: &'a Einsum,
) -> impl Iterator<Item = usize> + use<'a> {
    let args = graph.args(id).iter().zip(&e.ins).enumerate();
    args.filter(|(_, (arg, ins))| {
        let declared = matches!(graph.op(**arg), Op::Var(var) if !graph.var(*var).int);
        let inside = ins.iter().all(|ix| e.out.contains(ix)) && ins.len() > 1;
        let last = e.out.last().is_some_and(|ix| ins.contains(ix) && ins.last() != Some(ix));
        declared && inside && last && repeated(e, ins)
    })
    .map(|(at, _)| at)
}

/// Whether each entry that an operand has is read more than once.
fn repeated(e: &Einsum, ins: &[u8]) -> bool {
    e.bound().is_empty() && e.out.iter().any(|ix| !ins.contains(ix))
}

/// The same product of turned operands.
fn turned(out: &mut Graph, id: NodeId, e: &Einsum, args: Vec<NodeId>) -> NodeId {
    let at: Vec<usize> = across(out, id, e).collect();
    let mut factors: Vec<(NodeId, Vec<u32>)> = Vec::new();
    for (nth, (arg, ins)) in args.into_iter().zip(&e.ins).enumerate() {
        let place = |axis: usize| e.out.iter().position(|ix| *ix == ins[axis]);
        let plain: Vec<usize> = (0..ins.len()).collect();
        let axes = match at.contains(&nth) {
            true => few::order(ins.len(), &|a, b| place(a).cmp(&place(b))),
            false => plain,
        };
        let arg = out.permute(arg, &axes);
        factors.push((arg, axes.each(|&axis| u32::from(ins[axis]))));
    }
    let labels = e.out.each(|&ix| u32::from(ix));
    let sizes: Vec<(u32, crate::ir::Dim)> = (0..).zip(e.sizes.iter().cloned()).collect();
    out.einsum(&factors, &labels, &sizes)
}

/// Whether a node is a declared tensor that is turned.
pub fn is_turn(graph: &Graph, node: NodeId) -> bool {
    let Op::Einsum(e) = graph.op(node) else { return false };
    let ([arg], [ins]) = (graph.args(node), e.ins.as_slice()) else { return false };
    matches!(graph.op(*arg), Op::Var(_)) && e.bound().is_empty() && ins.len() == e.out.len()
}

/// Whether an operand is a declared tensor that is turned and then repeated.
pub fn is_repeated(graph: &Graph, e: &Einsum, arg: NodeId, ins: &[u8]) -> bool {
    is_turn(graph, arg) && repeated(e, ins)
}
