//! In: a graph. Out: the same formulas with scalar factors moved to where they are applied once.
//!
//! A mean's `1/B` stands in front of every gradient of a network; each gradient is linear in the last error term, so that scaling this
//! one term scales them all. Demands go from the results down: where all users of a node want it times the same scalar, the node hands
//! that scalar to one of its factors, or a sum takes it into its coefficients. Invariant: values do not change (up to rounding), and no
//! node is computed twice.

use super::lin::{estimate, volume};
use crate::few::{self, Each};
use crate::ir::{Dim, Einsum, Graph, NodeId, Num, Op};
use std::collections::{BTreeMap, BTreeSet};

/// A number times some scalar nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scale {
    number: Num,
    nodes: Vec<NodeId>,
}

impl Scale {
    fn one() -> Scale {
        Scale { number: Num::ONE, nodes: Vec::new() }
    }

    fn is_one(&self) -> bool {
        self.number.is_one() && self.nodes.is_empty()
    }

    fn times(&self, other: &Scale) -> Scale {
        let mut nodes = [self.nodes.as_slice(), &other.nodes].concat();
        nodes.sort_unstable();
        Scale { number: self.number * other.number, nodes }
    }
}

/// A node as a scalar times another node.
type Split = (Scale, NodeId);

struct Mover<'a> {
    graph: &'a Graph,
    split: BTreeMap<NodeId, Split>,
    demands: BTreeMap<NodeId, BTreeSet<Scale>>,
    /// The factor that each product hands its scalar to.
    heir: BTreeMap<NodeId, usize>,
    /// Sums that an earlier one is the negative of.
    opposite: BTreeMap<NodeId, NodeId>,
}

/// The formulas of `roots` again, and where each root went.
pub fn scale(graph: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let order = graph.reachable(roots);
    let mut mover = Mover {
        graph,
        split: BTreeMap::new(),
        demands: BTreeMap::new(),
        heir: BTreeMap::new(),
        opposite: opposites(graph, &order),
    };
    for id in &order {
        let split = mover.take_apart(*id);
        mover.split.insert(*id, split);
    }
    for root in roots {
        let (scale, base) = mover.split[root].clone();
        mover.want(base, scale);
    }
    for id in order.iter().rev() {
        mover.hand_down(*id);
    }
    mover.build(&order, roots)
}

/// `μ − x` where `x − μ` is there: the later one of such sums, and the earlier.
fn opposites(graph: &Graph, order: &[NodeId]) -> BTreeMap<NodeId, NodeId> {
    let mut known: BTreeMap<Vec<(NodeId, Num)>, NodeId> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for &id in order {
        let Op::Add(coefficients) = graph.op(id) else { continue };
        let mut terms: Vec<(NodeId, Num)> =
            graph.args(id).iter().copied().zip(coefficients.iter().copied()).collect();
        few::sort(&mut terms);
        let negated: Vec<(NodeId, Num)> = terms.each(|(arg, c)| (*arg, -*c));
        match known.get(&negated) {
            Some(earlier) => {
                found.insert(id, *earlier);
            }
            None => {
                known.entry(terms).or_insert(id);
            }
        }
    }
    found
}

impl Mover<'_> {
    fn take_apart(&self, id: NodeId) -> Split {
        let graph = self.graph;
        let args = graph.args(id);
        match graph.op(id) {
            _ if graph.rank(id) == 0 => (Scale::one(), id),
            Op::Add(_) if args.len() > 1 => match self.opposite.get(&id) {
                Some(base) => (Scale { number: -Num::ONE, nodes: Vec::new() }, *base),
                None => (Scale::one(), id),
            },
            Op::Add(coefficients) if args.len() == 1 => {
                let (inner, base) = &self.split[&args[0]];
                (Scale { number: coefficients[0], nodes: Vec::new() }.times(inner), *base)
            }
            Op::Einsum(e) if args.len() == 2 => {
                // A scalar times a tensor read as it is.
                let tensor = args.iter().position(|arg| graph.rank(*arg) > 0);
                match tensor {
                    Some(at) if graph.rank(args[1 - at]) == 0 && e.ins[at] == e.out => {
                        let (inner, base) = &self.split[&args[at]];
                        (Scale { number: Num::ONE, nodes: vec![args[1 - at]] }.times(inner), *base)
                    }
                    _ => (Scale::one(), id),
                }
            }
            _ => (Scale::one(), id),
        }
    }

    fn want(&mut self, base: NodeId, scale: Scale) {
        for node in scale.nodes.clone() {
            let (own, inner) = self.split[&node].clone();
            self.demands.entry(inner).or_default().insert(own);
        }
        self.demands.entry(base).or_default().insert(scale);
    }

    /// The one scalar that all users of a node want, if it is not 1.
    fn common(&self, id: NodeId) -> Option<Scale> {
        let demands = self.demands.get(&id)?;
        let scale = demands.first().filter(|scale| demands.len() == 1 && !scale.is_one())?;
        Some(scale.clone())
    }

    /// The scalar that a product takes out of itself: that of its users, of its scalar factors, and of what its factors are split into.
    fn total(&self, id: NodeId) -> Scale {
        let start = self.common(id).unwrap_or_else(Scale::one);
        self.graph.args(id).iter().fold(start, |total, arg| {
            if self.graph.rank(*arg) == 0 {
                total.times(&Scale { number: Num::ONE, nodes: vec![*arg] })
            } else {
                total.times(&self.split[arg].0)
            }
        })
    }

    fn hand_down(&mut self, id: NodeId) {
        if !self.demands.contains_key(&id) {
            return;
        }
        let graph = self.graph;
        let product = match graph.op(id) {
            Op::Einsum(e) => is_product(graph, id, e),
            _ => false,
        };
        if !product {
            for arg in graph.args(id) {
                let (scale, base) = self.split[arg].clone();
                self.want(base, scale);
            }
            return;
        }
        let total = self.total(id);
        let heir = if graph.rank(id) == 0 { None } else { self.choose(id, &total) };
        for (at, arg) in graph.args(id).iter().enumerate() {
            if graph.rank(*arg) == 0 {
                continue;
            }
            let base = self.split[arg].1;
            let scale = if heir == Some(at) { total.clone() } else { Scale::one() };
            self.want(base, scale);
        }
        match heir {
            Some(at) => {
                self.heir.insert(id, at);
            }
            None => total.nodes.iter().for_each(|node| {
                let (own, inner) = self.split[node].clone();
                self.demands.entry(inner).or_default().insert(own);
            }),
        }
    }

    /// The factor that takes a scalar at no cost: an error term rather than a value of the forward pass.
    /// A mere sign stays with the result where that is smaller: of the factor there would be a copy, if others want it as it is.
    fn choose(&self, id: NodeId, total: &Scale) -> Option<usize> {
        let rank = |base: NodeId| match self.graph.op(base) {
            _ if self.graph.rank(base) == 0 => 0,
            Op::Einsum(e) if !e.bound().is_empty() => 3,
            Op::Einsum(_) => 2,
            Op::Add(c) if c.len() > 1 => 1,
            _ => 0,
        };
        let sign = total.nodes.is_empty() && total.number == Num::int(-1);
        let entries = |node: NodeId| estimate(&volume(self.graph.shape(node)));
        let result = entries(id);
        let bases = self.graph.args(id).iter().map(|arg| self.split[arg].1).enumerate();
        bases
            .map(|(at, base)| (rank(base), base, at))
            .filter(|(rank, base, _)| *rank > 0 && !(sign && result < entries(*base)))
            .max()
            .map(|(_, _, at)| at)
    }

    fn build(self, order: &[NodeId], roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
        let mut out = Builder { graph: self.graph.clone(), made: BTreeMap::new() };
        for id in order.iter().filter(|id| self.demands.contains_key(id)) {
            self.rebuild(&mut out, *id);
        }
        let map = few::map(roots.iter().map(|root| {
            let (scale, base) = &self.split[root];
            (*root, out.get(&self.split, *base, scale))
        }));
        (out.graph, map)
    }

    fn rebuild(&self, out: &mut Builder, id: NodeId) {
        let args = self.graph.args(id);
        let plain = Scale::one();
        let common = self.common(id);
        let (node, scale) = match (self.graph.op(id), &common) {
            (Op::Einsum(e), _) if is_product(self.graph, id, e) => {
                let total = self.total(id);
                let heir = self.heir.get(&id);
                let mut factors: Vec<(NodeId, Vec<u32>)> = Vec::new();
                for (at, (arg, ins)) in args.iter().zip(&e.ins).enumerate() {
                    if self.graph.rank(*arg) > 0 {
                        let wanted = if heir == Some(&at) { &total } else { &plain };
                        let base = self.split[arg].1;
                        factors.push((
                            out.get(&self.split, base, wanted),
                            ins.each(|ix| u32::from(*ix)),
                        ));
                    }
                }
                let core = out.einsum(e, &factors);
                match (heir, &common) {
                    (Some(_), Some(scale)) => (core, scale.clone()),
                    (Some(_), None) => (core, plain),
                    (None, _) => {
                        let scaled = out.apply(&self.split, core, &total);
                        (scaled, common.clone().unwrap_or(plain))
                    }
                }
            }
            (Op::Add(coefficients), Some(scale)) if args.len() > 1 && self.graph.rank(id) > 0 => {
                let parts = self.args(out, args);
                let terms: Vec<(Num, NodeId)> =
                    coefficients.iter().map(|c| *c * scale.number).zip(parts).collect();
                let sum = out.graph.add(&terms, &self.graph.shape(id).clone());
                let rest = Scale { number: Num::ONE, nodes: scale.nodes.clone() };
                (out.apply(&self.split, sum, &rest), scale.clone())
            }
            _ => {
                let parts = self.args(out, args);
                (out.graph.with_args(id, parts), plain)
            }
        };
        if let Some(name) = self.graph.names.get(&id)
            && scale.is_one()
        {
            out.graph.names.entry(node).or_insert_with(|| name.clone());
        }
        if let Some(span) = self.graph.spans.get(&id) {
            out.graph.spans.entry(node).or_insert(*span);
        }
        out.made.insert(id, (scale, node));
    }

    fn args(&self, out: &mut Builder, args: &[NodeId]) -> Vec<NodeId> {
        args.each(|arg| {
            let (scale, base) = &self.split[arg];
            out.get(&self.split, *base, scale)
        })
    }
}

/// Whether scalars can be taken out: there is a factor that is no scalar.
fn is_product(graph: &Graph, id: NodeId, _: &Einsum) -> bool {
    graph.args(id).iter().any(|arg| graph.rank(*arg) > 0)
}

struct Builder {
    graph: Graph,
    /// For each old node, which multiple of it was built.
    made: BTreeMap<NodeId, (Scale, NodeId)>,
}

impl Builder {
    fn get(&mut self, split: &BTreeMap<NodeId, Split>, base: NodeId, scale: &Scale) -> NodeId {
        match self.made.get(&base).cloned() {
            Some((built, node)) if built == *scale => node,
            // Only a node with a single demand is built as a multiple.
            Some((_, node)) => self.apply(split, node, scale),
            None => base,
        }
    }

    fn apply(&mut self, split: &BTreeMap<NodeId, Split>, node: NodeId, scale: &Scale) -> NodeId {
        let rank = self.graph.rank(node) as u32;
        let labels: Vec<u32> = (0..rank).collect();
        let mut factors: Vec<(NodeId, Vec<u32>)> = vec![(node, labels.clone())];
        for scalar in &scale.nodes {
            let (own, inner) = &split[scalar];
            factors.push((self.get(split, *inner, own), Vec::new()));
        }
        let product = self.graph.einsum(&factors, &labels, &[]);
        self.graph.scale(scale.number, product)
    }

    fn einsum(&mut self, e: &Einsum, factors: &[(NodeId, Vec<u32>)]) -> NodeId {
        let out: Vec<u32> = e.out.each(|ix| u32::from(*ix));
        let sizes: Vec<(u32, Dim)> =
            e.sizes.iter().cloned().zip(0..).map(|(dim, ix)| (ix, dim)).collect();
        self.graph.einsum(factors, &out, &sizes)
    }
}
