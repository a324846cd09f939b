//! What formulas write as a product, though it is 0 by decree where a factor is 0 and the other one infinite, as that product: `xlogy(t, p)` as
//! t·log(p). What is told then has the lines of the textbook; its value where they have none stays that of the program.

use crate::few::Each;
use crate::ir::{Graph, NodeId, Op};
use crate::ops;
use std::collections::BTreeMap;

/// The roots, so written. Names go with what they name.
pub(super) fn plain(graph: &mut Graph, roots: &[NodeId]) -> Vec<NodeId> {
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for node in graph.reachable(roots) {
        let args: Vec<NodeId> = graph.args(node).each(|arg| map[arg]);
        let product = match *graph.op(node) {
            Op::Call(op, _) => ops::as_product(graph, op, &args),
            _ => None,
        };
        let new = product.unwrap_or_else(|| graph.with_args(node, args));
        if let Some(name) = graph.names.get(&node).cloned() {
            graph.names.entry(new).or_insert(name);
        }
        map.insert(node, new);
    }
    roots.each(|root| map[root])
}
