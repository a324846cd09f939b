//! Where a closed form has no value though what it is the derivative of has one: roots that may be 0 below a fraction line, as ‖x‖ in x/‖x‖.
//! In: the formulas of a derivation. Out: what may be 0 there. Branches of a choice are not looked into: the choice may see to it.

use crate::ir::{Graph, NodeId, Op};
use crate::ops;
use crate::simplify::facts;
use std::collections::BTreeSet;

/// The roots, or what they are taken of, that formulas divide by and that are not known to be over 0; ascending.
pub(super) fn poles(graph: &Graph, roots: &[NodeId], atoms: &BTreeSet<NodeId>) -> Vec<NodeId> {
    let mut seen: BTreeSet<NodeId> = BTreeSet::new();
    let mut found: BTreeSet<NodeId> = BTreeSet::new();
    let mut stack: Vec<NodeId> = roots.to_vec();
    while let Some(node) = stack.pop() {
        let stops = !roots.contains(&node) && atoms.contains(&node);
        if !seen.insert(node) || stops || chooses(graph, node) {
            continue;
        }
        found.extend(pole(graph, node));
        stack.extend_from_slice(graph.args(node));
    }
    // What a root is taken of is 0 where the root is.
    let below: Vec<NodeId> = found.iter().flat_map(|pole| graph.args(*pole)).copied().collect();
    found.into_iter().filter(|pole| !below.contains(pole)).collect()
}

fn chooses(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.op(node), Op::Call(op, _) if ops::spec(*op).chooses)
}

/// What a negative power is of, if that is at least 0 and a root has been taken of it.
fn pole(graph: &Graph, node: NodeId) -> Option<NodeId> {
    let Op::Pow(exponent) = graph.op(node) else { return None };
    let base = graph.args(node)[0];
    let root = match graph.op(base) {
        Op::Pow(inner) => inner.as_int().is_none(),
        Op::Call(op, _) => ops::spec(*op).root_of_squares,
        _ => exponent.as_int().is_none(),
    };
    (exponent.is_negative() && root && facts::sign(graph, base) == Some(false)).then_some(base)
}
