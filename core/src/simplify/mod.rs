//! Simplification: a graph to its normal form. Exact rationals, collected terms and powers, Kronecker deltas contracted away,
//! common factors in front, declared facts used. Named nodes are atoms: formulas do not look inside of them.
//!
//! In: a graph and roots. Out: the same graph with simpler nodes added, what each node became, and which rule did what.
//! It ends, is idempotent, and differentiates nothing.

mod absorb;
pub mod canonical;
mod choices;
pub mod facts;
mod holes;
mod inverses;
mod known;
mod linear;
mod mirrors;
pub mod power;
pub mod product;
mod scattered;
mod signs;
mod sizes;
pub mod stabilise;
pub mod sum;
pub mod symmetry;
mod turned;
mod views;

pub use canonical::Canonical;
pub use holes::Stage;
pub(crate) use holes::is_total;
pub use stabilise::stabilise;
pub use sum::is_large;

use crate::few::{self, Each};
use crate::ir::{Dim, Graph, Map, NodeId, Op};
use std::collections::{BTreeMap, BTreeSet};

/// One application of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The rule's name.
    pub rule: &'static str,
    /// What it was applied to.
    pub before: NodeId,
    /// What came out.
    pub after: NodeId,
}

/// What simplification gives.
#[derive(Clone, Debug)]
pub struct Simplified {
    /// The roots, simplified.
    pub roots: Vec<NodeId>,
    /// The rules that were used, in order.
    pub rewrites: Vec<Rewrite>,
    /// What every node became.
    pub map: BTreeMap<NodeId, NodeId>,
}

/// Brings the roots to normal form; formulas do not look inside of nodes that the program named.
pub fn simplify(graph: &mut Graph, roots: &[NodeId]) -> Simplified {
    let nodes = graph.reachable(roots);
    run(graph, roots, nodes, Atoms::Named, &BTreeSet::new(), Stage::Derivative)
}

/// The nodes that formulas do not look inside of.
#[derive(Clone, Copy)]
enum Atoms<'a> {
    /// Those that the program named.
    Named,
    /// These.
    These(&'a BTreeSet<NodeId>),
}

/// Normal form, stable spelling, normal form: of values, which stay undefined where they are, or of derivatives. What is stable as it
/// is written (`exp(z)/sum(exp(z))` in a longer product) is found first, as normal forms multiply it out.
pub fn settle(graph: &mut Graph, roots: &[NodeId], stage: Stage) -> Vec<NodeId> {
    let normal = |graph: &mut Graph, roots: &[NodeId]| {
        let nodes = graph.reachable(roots);
        run(graph, roots, nodes, Atoms::Named, &BTreeSet::new(), stage).roots
    };
    let written = stabilise(graph, roots).roots;
    let simple = normal(graph, &written);
    let stable = stabilise(graph, &simple).roots;
    normal(graph, &stable)
}

/// Brings the roots to normal form where `atoms` are in normal form already: nothing below them is visited (a root that is an
/// atom is itself opened).
pub fn simplify_above(graph: &mut Graph, roots: &[NodeId], atoms: &BTreeSet<NodeId>) -> Simplified {
    simplify_beyond(graph, roots, atoms, &|_| false)
}

/// The same where further nodes are in normal form already: they are looked into, but not visited again, so that a formula that
/// grows step by step is simplified in its new parts only.
pub fn simplify_beyond(
    graph: &mut Graph,
    roots: &[NodeId],
    atoms: &BTreeSet<NodeId>,
    settled: &dyn Fn(NodeId) -> bool,
) -> Simplified {
    let stops = |node: NodeId| !roots.contains(&node) && (atoms.contains(&node) || settled(node));
    let mut seen: BTreeSet<NodeId> = BTreeSet::new();
    let mut stack: Vec<NodeId> = roots.to_vec();
    while let Some(node) = stack.pop() {
        if seen.insert(node) && !stops(node) {
            stack.extend_from_slice(graph.args(node));
        }
    }
    let leaves: BTreeSet<NodeId> = few::set(seen.iter().copied().filter(|node| stops(*node)));
    run(graph, roots, seen.into_iter().collect(), Atoms::These(atoms), &leaves, Stage::Last)
}

fn run(
    graph: &mut Graph,
    roots: &[NodeId],
    nodes: Vec<NodeId>,
    atoms: Atoms<'_>,
    leaves: &BTreeSet<NodeId>,
    stage: Stage,
) -> Simplified {
    let mut old_uses: Map<NodeId, usize> = Map::default();
    for &node in &nodes {
        for &arg in graph.args(node) {
            *old_uses.entry(arg).or_default() += 1;
        }
    }
    let mut simplifier = Simplifier {
        graph,
        stage,
        atoms,
        more_atoms: BTreeSet::new(),
        normal: Map::default(),
        symmetric: Map::default(),
        rewrites: Vec::new(),
        uses: Map::default(),
        fresh: 1 << 20,
        depth: 0,
    };
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let picked = picked(simplifier.graph, &nodes);
    for node in nodes {
        if leaves.contains(&node) {
            map.insert(node, node);
            if picked.contains(&node) {
                simplifier.is_picked_from(node);
            }
            continue;
        }
        let args: Vec<NodeId> = simplifier.graph.args(node).each(|arg| map[arg]);
        let rebuilt = simplifier.graph.with_args(node, args);
        let new = simplifier.normal(rebuilt);
        simplifier.carry_name(node, new);
        *simplifier.uses.entry(new).or_default() += old_uses.get(&node).copied().unwrap_or(0);
        map.insert(node, new);
        if picked.contains(&node) {
            simplifier.is_picked_from(new);
        }
    }
    let rewrites = simplifier.rewrites;
    Simplified { roots: roots.each(|root| map[root]), rewrites, map }
}

/// What functions such as `max` pick their values from.
pub(crate) fn picked(graph: &Graph, nodes: &[NodeId]) -> BTreeSet<NodeId> {
    let picks = |node: &&NodeId| matches!(graph.op(**node), Op::Call(op, _) if crate::ops::spec(*op).rule.picks());
    few::set(nodes.iter().filter(picks).map(|node| graph.args(*node)[0]))
}

/// The state of one simplification.
pub(crate) struct Simplifier<'g> {
    pub graph: &'g mut Graph,
    stage: Stage,
    atoms: Atoms<'g>,
    /// What atoms became.
    more_atoms: BTreeSet<NodeId>,
    /// Nodes whose arguments are normal, and what they become.
    normal: Map<NodeId, NodeId>,
    /// What is known of transposes that were met.
    symmetric: Map<NodeId, Option<symmetry::Symmetry>>,
    pub rewrites: Vec<Rewrite>,
    /// How often what was simplified is used; rules' own nodes are not counted.
    uses: Map<NodeId, usize>,
    fresh: u32,
    /// How many sums are being multiplied out.
    depth: usize,
}

/// A product with more factors than this takes no nested one in: work and formulas stay linear in the size of the graph.
pub(crate) const MOST_FACTORS: usize = 16;
/// The same for the terms of a sum.
pub(crate) const MOST_TERMS: usize = 48;
/// A part of this many factors or terms is taken in even where others use it too.
const SMALL: usize = 6;

impl Simplifier<'_> {
    /// The normal form of a node whose arguments are in normal form.
    pub(crate) fn normal(&mut self, node: NodeId) -> NodeId {
        if let Some(&known) = self.normal.get(&node) {
            return known;
        }
        let new = match self.graph.op(node) {
            Op::Einsum(_) => self.product(node),
            Op::Add(_) => self.sum(node),
            Op::Pow(exponent) => {
                let (base, exponent) = (self.graph.args(node)[0], *exponent);
                self.power(base, exponent)
            }
            Op::View(_) | Op::Reshape if self.graph.is_zero(self.graph.args(node)[0]) => {
                let shape = self.graph.shape(node).clone();
                self.graph.zeros(&shape)
            }
            Op::View(view) => {
                let view = view.clone();
                self.of_repeated(node)
                    .or_else(|| self.undone(node, &view))
                    .or_else(|| self.numbers_in_front(node))
                    .unwrap_or(node)
            }
            Op::Reshape => self
                .of_repeated(node)
                .or_else(|| self.identity(node))
                .or_else(|| self.numbers_in_front(node))
                .unwrap_or(node),
            Op::Scatter(rows) => {
                let rows = rows.clone();
                self.scattered(node, &rows)
            }
            Op::Call(..) => {
                let known = self.decided(node).or_else(|| self.decided_within(node));
                let known = known.or_else(|| self.inverse(node));
                let known = known.or_else(|| self.turned_outside(node));
                match known.or_else(|| self.numbers_in_front(node)) {
                    Some(known) => known,
                    None => self.unmirrored(node),
                }
            }
            _ => node,
        };
        self.normal.insert(node, new);
        self.normal.insert(new, new);
        new
    }

    /// An identity matrix over several axes at once, as `kron` makes it, is a product of Kronecker deltas.
    fn identity(&mut self, node: NodeId) -> Option<NodeId> {
        let arg = self.graph.args(node)[0];
        let shape = self.graph.shape(node).clone();
        let (rows, columns) = shape.split_at(shape.len() / 2);
        let Op::Delta(size) = self.graph.op(arg) else { return None };
        let all = rows.iter().fold(Dim::fixed(1), |all, dim| all.times(dim));
        if rows != columns || all != *size {
            return None;
        }
        let rank = rows.len() as u32;
        let factors: Vec<(NodeId, Vec<u32>)> = (0..rank)
            .map(|axis| (self.graph.delta(&shape[axis as usize]), vec![axis, rank + axis]))
            .collect();
        let out: Vec<u32> = (0..2 * rank).collect();
        let deltas = self.graph.einsum(&factors, &out, &[]);
        let new = self.normal(deltas);
        self.record("identity-of-blocks", node, new);
        Some(new)
    }

    /// What entries are picked from stays a node of its own. What is built as its own transpose is not so to the last digit, and an
    /// entry is to be found where it was picked.
    fn is_picked_from(&mut self, node: NodeId) {
        self.more_atoms.insert(node);
        if !matches!(self.graph.op(node), Op::Var(_)) {
            self.symmetric.insert(node, None);
        }
    }

    /// Whether formulas stop at this node.
    pub(crate) fn is_atom(&self, node: NodeId) -> bool {
        let own = match self.atoms {
            Atoms::Named => self.graph.names.contains_key(&node),
            Atoms::These(nodes) => nodes.contains(&node),
        };
        own || self.more_atoms.contains(&node)
    }

    /// Whether a nested product or sum of `parts` is taken in by one that then has `total`: not if that makes work twice, or grows
    /// without bound.
    pub(crate) fn takes_in(&self, node: NodeId, parts: usize, total: usize, most: usize) -> bool {
        total <= most && (parts <= SMALL || self.uses.get(&node).copied().unwrap_or(0) <= 1)
    }

    /// A label that nothing else uses.
    pub(crate) fn fresh_label(&mut self) -> u32 {
        self.fresh += 1;
        self.fresh
    }

    pub(crate) fn record(&mut self, rule: &'static str, before: NodeId, after: NodeId) {
        if before != after {
            self.rewrites.push(Rewrite { rule, before, after });
        }
    }

    /// A node that the program named keeps its name whatever it becomes.
    fn carry_name(&mut self, old: NodeId, new: NodeId) {
        if old == new {
            return;
        }
        if let Some(&span) = self.graph.spans.get(&old) {
            self.graph.spans.entry(new).or_insert(span);
        }
        let leaf = matches!(
            self.graph.op(new),
            Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_) | Op::Delta(_)
        );
        if self.is_atom(old) && !leaf {
            self.more_atoms.insert(new);
        }
        if let Some(name) = self.graph.names.get(&old).cloned()
            && !leaf
        {
            self.graph.names.entry(new).or_insert(name);
        }
    }
}
