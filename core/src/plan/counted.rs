//! In: an elementwise call. Out: whether its last argument counts 0, 1, 2, … along its last axis while the first stays, so that one entry
//! follows from the one before: powers of a number, one multiplication each.

use crate::ir::{Graph, NodeId, Op};
use crate::ops;

/// The first argument without the last axis, where the rule book has a function for such calls.
pub fn base(graph: &Graph, id: NodeId) -> Option<NodeId> {
    let (Op::Call(op, _), [first, last]) = (graph.op(id), graph.args(id)) else {
        return None;
    };
    let axis = graph.shape(id).len().checked_sub(1)?;
    let counts = match graph.op(*last) {
        Op::Range(_) => axis == 0,
        _ => repeated(graph, *last, axis..axis + 1)
            .is_some_and(|range| matches!(graph.op(range), Op::Range(_))),
    };
    if ops::spec(*op).counted.is_empty() || !counts {
        return None;
    }
    repeated(graph, *first, 0..axis)
}

/// What a node repeats along all axes but `kept`.
fn repeated(graph: &Graph, id: NodeId, kept: std::ops::Range<usize>) -> Option<NodeId> {
    let (Op::Einsum(e), [arg]) = (graph.op(id), graph.args(id)) else {
        return None;
    };
    (e.bound().is_empty() && e.ins.first()? == e.out.get(kept)?).then_some(*arg)
}
