//! Who reads whom below a result, so that a stage of a derivation looks at its own surroundings only and the work of all stages
//! together grows with the graph, not with its square.

use super::chain::Task;
use crate::few;
use crate::ir::walk::Marks;
use crate::ir::{Graph, Map, NodeId};
use std::collections::{BTreeSet, VecDeque};

/// What a result is made of, read upwards.
#[derive(Debug, Default)]
pub(super) struct Cone {
    /// Who reads each node, ascending.
    users: Map<NodeId, Vec<NodeId>>,
}

impl Cone {
    /// Of everything below a result.
    pub fn new(graph: &Graph, of: NodeId) -> Cone {
        let mut users: Map<NodeId, Vec<NodeId>> = Map::default();
        for node in graph.reachable(&[of]) {
            for &arg in graph.args(node) {
                let readers = users.entry(arg).or_default();
                if readers.last() != Some(&node) {
                    readers.push(node);
                }
            }
        }
        Cone { users }
    }

    /// Whether the result is made of a node, with others.
    pub fn contains(&self, node: NodeId) -> bool {
        self.users.contains_key(&node)
    }

    fn readers(&self, node: NodeId) -> &[NodeId] {
        self.users.get(&node).map_or(&[], Vec::as_slice)
    }

    /// x, and the nodes from which it is reached without passing a stop; stops themselves are the last ones.
    pub fn above(&self, x: NodeId, stops: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut above = few::set([x]);
        let mut stack = vec![x];
        while let Some(node) = stack.pop() {
            for &reader in self.readers(node) {
                if above.insert(reader) && !stops.contains(&reader) {
                    stack.push(reader);
                }
            }
        }
        above
    }

    /// All nodes that depend on x, from x upwards.
    pub fn walk_above(&self, x: NodeId) -> impl Iterator<Item = NodeId> {
        let mut seen = Marks::default();
        let mut stack = vec![x];
        let mut found = VecDeque::new();
        std::iter::from_fn(move || {
            while found.is_empty() {
                let readers = self.readers(stack.pop()?).iter().copied();
                found.extend(readers.filter(|reader| seen.insert(*reader)));
                stack.extend(&found);
            }
            found.pop_front()
        })
    }

    /// The same as a set.
    pub fn all_above(&self, x: NodeId) -> Marks {
        self.walk_above(x).collect()
    }

    /// Nodes of `above` from which x is reached through a stop as well: their whole derivative by x is more than what a chain that
    /// does not pass the stops has still open of it.
    pub fn beside(
        &self,
        graph: &Graph,
        x: NodeId,
        stops: &BTreeSet<NodeId>,
        above: &BTreeSet<NodeId>,
    ) -> BTreeSet<NodeId> {
        let mut beside = BTreeSet::new();
        // Whatever depends on x comes after the first that reads it.
        let Some(&first) = self.readers(x).first() else { return beside };
        let is_stop = |arg: NodeId| arg != x && stops.contains(&arg);
        let mut near: BTreeSet<NodeId> = BTreeSet::new();
        let mut stack: Vec<NodeId> = above.iter().copied().filter(|node| *node != x).collect();
        while let Some(node) = stack.pop() {
            if near.insert(node) {
                let below = graph.args(node).iter().copied();
                stack.extend(below.filter(|arg| *arg >= first && !is_stop(*arg)));
            }
        }
        let mut all: Option<Marks> = None;
        for &node in &near {
            let through = graph.args(node).iter().any(|&arg| {
                beside.contains(&arg) && !is_stop(arg)
                    || (arg >= first
                        && is_stop(arg)
                        && all.get_or_insert_with(|| self.all_above(x)).contains(arg))
            });
            if through {
                beside.insert(node);
            }
        }
        beside
    }
}

/// The surroundings of a chain.
pub(super) struct Around {
    /// The nodes that hand their cotangents on towards x.
    pub depends: BTreeSet<NodeId>,
    /// Those of them whose derivative by x is more than what is open.
    pub beside: BTreeSet<NodeId>,
}

impl Around {
    /// Of a chain within what a result is made of.
    pub fn of(graph: &Graph, cone: &Cone, task: &Task<'_>) -> Around {
        let depends = cone.above(task.x, task.stops);
        let beside = cone.beside(graph, task.x, task.stops, &depends);
        Around { depends, beside }
    }
}

/// The nodes that a formula shows: it stops at atoms, but opens its root.
pub(super) fn shown(graph: &Graph, root: NodeId, atoms: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut stack = vec![root];
    while let Some(node) = stack.pop() {
        if seen.insert(node) && (node == root || !atoms.contains(&node)) {
            stack.extend_from_slice(graph.args(node));
        }
    }
    seen
}
