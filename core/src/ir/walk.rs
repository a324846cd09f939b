//! Walks over the graph: what a result is made of, and what of it depends on variables. A walk costs what it visits, not what the
//! whole graph has, so that many results over one graph cost what they are together.

use super::{Graph, NodeId};

/// A set of nodes of one graph, a bit for each.
#[derive(Clone, Debug, Default)]
pub struct Marks(Vec<u64>);

impl Marks {
    /// Adds a node; whether it is new.
    pub fn insert(&mut self, node: NodeId) -> bool {
        let (word, bit) = (node.0 as usize / 64, 1 << (node.0 % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Whether a node is in the set.
    pub fn contains(&self, node: NodeId) -> bool {
        let word = self.0.get(node.0 as usize / 64).copied().unwrap_or(0);
        word & (1 << (node.0 % 64)) != 0
    }
}

impl FromIterator<NodeId> for Marks {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Marks {
        let mut marks = Marks::default();
        nodes.into_iter().for_each(|node| {
            marks.insert(node);
        });
        marks
    }
}

impl Graph {
    /// Everything that the roots depend on, arguments before users (ascending ids).
    pub fn reachable(&self, roots: &[NodeId]) -> Vec<NodeId> {
        let mut seen = Marks::default();
        let mut found = Vec::new();
        let mut stack: Vec<NodeId> = roots.to_vec();
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                found.push(id);
                stack.extend_from_slice(self.args(id));
            }
        }
        found.sort_unstable();
        found
    }

    /// Those of these nodes, which stand in ascending order with all that they are made of, that depend on one of `vars` (or are one).
    pub fn depending(&self, nodes: &[NodeId], vars: &[NodeId]) -> Marks {
        let mut depends: Marks = vars.iter().copied().collect();
        for &node in nodes {
            if self.args(node).iter().any(|arg| depends.contains(*arg)) {
                depends.insert(node);
            }
        }
        depends
    }

    /// Whether a result depends on a node (or is it).
    pub fn reaches(&self, of: NodeId, node: NodeId) -> bool {
        self.reachable(&[of]).binary_search(&node).is_ok()
    }
}
