//! Vectors as rows or as columns. In: a graph. Out: the declared vectors that the program multiplies by matrices from the left and never
//! from the right, as `x @ W`: formulas of its derivatives keep these as rows, and write all others as columns.

use crate::few;
use crate::ir::{Einsum, Graph, NodeId, Op, VarKind};
use std::collections::BTreeSet;

/// The vectors that are written as rows.
pub fn rows(graph: &Graph) -> BTreeSet<NodeId> {
    let named: Vec<NodeId> = graph.names.keys().copied().collect();
    let (mut rows, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for node in graph.reachable(&named) {
        let Op::Einsum(e) = graph.op(node) else { continue };
        let args = graph.args(node);
        for (at, &arg) in args.iter().enumerate().filter(|(_, arg)| is_declared(graph, **arg)) {
            match stands_left(e, at) {
                Some(true) => rows.insert(arg),
                Some(false) => columns.insert(arg),
                None => false,
            };
        }
    }
    few::set(rows.difference(&columns).copied())
}

fn is_declared(graph: &Graph, node: NodeId) -> bool {
    let declared =
        matches!(graph.op(node), Op::Var(var) if graph.var(*var).kind != VarKind::Direction);
    declared && graph.rank(node) == 1
}

/// Whether a vector stands left of the matrix that it is multiplied by, or right of that or of another vector, as the last one of
/// `x @ A @ x`.
fn stands_left(e: &Einsum, vector: usize) -> Option<bool> {
    let &[summed] = e.ins[vector].as_slice() else { return None };
    if e.out.contains(&summed) {
        return None;
    }
    let is_matrix = |ins: &Vec<u8>| ins.len() == 2 && ins.contains(&summed);
    match e.ins.iter().position(is_matrix) {
        Some(matrix) => Some(vector < matrix),
        None => e.ins[..vector].contains(&e.ins[vector]).then_some(false),
    }
}
