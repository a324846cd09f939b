//! In: a product being put in order, or rows that are picked or added up. Out: the same, but that deltas which relate axes of the
//! result stay outside of sums, that a sum whose terms differ in such structure is multiplied out, and that rows are picked and added
//! up of those factors alone that have them. So what is 0 off a diagonal, or for other blocks, is not worked out there.
//! Invariant: values do not change (up to rounding), and a product becomes a bounded number of products.

use super::contract::{Factor, Product};
use crate::few::{self, Each};
use crate::ir::{Einsum, Graph, NodeId, Num, Op};
use std::collections::BTreeMap;

/// A product is multiplied out into at most so many.
const MOST_TERMS: usize = 6;
/// The terms apart have to have at most this part of the entries of their sum, ...
const SAVES: f64 = 0.75;
/// ... and their products at most so many times the turns of loops.
const MORE: f64 = 1.5;

/// A coefficient and the factors that it multiplies.
type Term = (Num, Vec<Factor>);

/// Which nodes are sums of terms, or products with such sums, of which some are 0 off a diagonal.
pub type Known = BTreeMap<NodeId, bool>;

/// Whether a node is, or has as a term or a factor, a product with a delta between two of its axes.
pub fn is_in_blocks(graph: &Graph, known: &mut Known, node: NodeId) -> bool {
    // Without recursion: a chain of products may be as deep as the program is long.
    let mut waiting = vec![node];
    while let Some(&top) = waiting.last() {
        let parts = if known.contains_key(&top) { &[] } else { parts(graph, top) };
        let open: Vec<NodeId> = parts.iter().copied().filter(|p| !known.contains_key(p)).collect();
        if open.is_empty() {
            waiting.pop();
            let own = matches!(graph.op(top), Op::Einsum(e) if has_delta(graph, e, parts));
            let answer = own || parts.iter().any(|part| known[part]);
            known.entry(top).or_insert(answer);
        }
        waiting.extend(open);
    }
    known[&node]
}

/// The terms or factors of a node; nothing where it is neither a sum nor a product without sums.
fn parts(graph: &Graph, node: NodeId) -> &[NodeId] {
    match graph.op(node) {
        Op::Einsum(e) if !e.bound().is_empty() => &[],
        Op::Einsum(_) | Op::Add(_) => graph.args(node),
        _ => &[],
    }
}

fn has_delta(graph: &Graph, e: &Einsum, args: &[NodeId]) -> bool {
    let relates = |(arg, ins): (&NodeId, &Vec<u8>)| {
        matches!(graph.op(*arg), Op::Delta(_)) && ins[0] != ins[1]
    };
    args.iter().zip(&e.ins).any(relates)
}

impl Product<'_> {
    /// `Σ_n (δ_kl a_kn - b_kn b_ln) c_n = δ_kl Σ_n a_kn c_n - Σ_n b_kn (b_ln c_n)`, where one factor is such a sum, whose terms have fewer
    /// entries apart.
    pub(super) fn multiplied_out(&mut self) -> Option<NodeId> {
        if self.bound().is_empty() {
            return None;
        }
        let sums: Vec<usize> = (0..self.factors.len())
            .filter(|&at| is_in_blocks(self.graph, self.known, self.factors[at].0))
            .collect();
        // Squares of differences stay as they are: multiplied out, they would cancel.
        let [at] = sums.as_slice() else { return None };
        let (node, labels) = self.factors.remove(*at);
        let terms = self.terms(node, &labels);
        let others = self.factors.clone();
        self.factors.insert(*at, (node, labels.clone()));
        let terms = terms.filter(|terms| terms.len() > 1)?;
        let turns = |factors: &[Factor]| {
            let all = others.iter().chain(factors).flat_map(|(_, labels)| labels.clone());
            self.distinct_turns(factors, all.chain(self.out.iter().copied()).collect())
        };
        let entries = |factors: &[Factor]| {
            let each = factors.iter().map(|one| self.distinct_turns(factors, one.1.clone()));
            each.fold(0.0, f64::max)
        };
        let total = |cost: &dyn Fn(&[Factor]) -> f64| -> f64 {
            terms.iter().map(|(_, factors)| cost(factors)).sum()
        };
        let whole = (node, labels);
        if total(&entries) > SAVES * self.volume(&whole.1)
            || total(&turns) > MORE * turns(std::slice::from_ref(&whole))
        {
            return None;
        }
        let mut products = Vec::with_capacity(terms.len());
        for (coefficient, factors) in terms {
            let product = Product {
                graph: self.graph,
                factors: [others.as_slice(), &factors].concat(),
                out: self.out.clone(),
                sizes: self.sizes.clone(),
                inner: self.inner,
                known: self.known,
            };
            products.push((coefficient, product.build()));
        }
        let shape = self.graph.shape(products[0].1).clone();
        Some(self.graph.add(&products, &shape))
    }

    /// A node as a sum of products, those without structure in one term; nothing where there are too many.
    fn terms(&mut self, node: NodeId, labels: &[u32]) -> Option<Vec<Term>> {
        if !is_in_blocks(self.graph, self.known, node) {
            return Some(vec![(Num::ONE, vec![(node, labels.to_vec())])]);
        }
        let args = self.graph.args(node).to_vec();
        let mut terms: Vec<Term> = Vec::new();
        match self.graph.op(node).clone() {
            Op::Add(coefficients) => {
                let mut dense = Vec::new();
                for (coefficient, arg) in coefficients.into_iter().zip(args) {
                    if is_in_blocks(self.graph, self.known, arg) {
                        let inner = self.terms(arg, labels)?.into_iter();
                        terms.extend(inner.map(|(c, factors)| (coefficient * c, factors)));
                    } else {
                        dense.push((coefficient, arg));
                    }
                }
                if !dense.is_empty() {
                    let shape = self.graph.shape(node).clone();
                    let rest = self.graph.add(&dense, &shape);
                    terms.push((Num::ONE, vec![(rest, labels.to_vec())]));
                }
            }
            Op::Einsum(e) => {
                let at: BTreeMap<u8, u32> =
                    few::map(e.out.iter().copied().zip(labels.iter().copied()));
                terms.push((Num::ONE, Vec::new()));
                for (arg, ins) in args.into_iter().zip(&e.ins) {
                    let labels: Vec<u32> = ins.each(|ix| at[ix]);
                    let inner = self.terms(arg, &labels)?;
                    let times = |(c, factors): &Term| -> Vec<Term> {
                        let with =
                            |(d, more): &Term| (*c * *d, [factors.as_slice(), more].concat());
                        inner.each(with)
                    };
                    terms = terms.iter().flat_map(times).collect();
                    if terms.len() > MOST_TERMS {
                        return None;
                    }
                }
            }
            _ => return None,
        }
        (terms.len() <= MOST_TERMS).then_some(terms)
    }

    /// The turns of loops over these indices, those that deltas among the factors hold equal counted once.
    fn distinct_turns(&self, factors: &[Factor], mut labels: Vec<u32>) -> f64 {
        for (node, pair) in factors {
            if let (Op::Delta(_), &[p, q]) = (self.graph.op(*node), pair.as_slice()) {
                labels.iter_mut().filter(|label| **label == q).for_each(|label| *label = p);
            }
        }
        self.volume(&labels)
    }

    /// `Σ_n δ_kl a_kn b_ln = δ_kl Σ_n a_kn b_kn`: takes deltas between indices of the result out of the factors.
    pub(super) fn set_aside(&mut self) -> Vec<Factor> {
        let mut aside = Vec::new();
        let mut at = 0;
        while at < self.factors.len() {
            let (node, labels) = self.factors[at].clone();
            match (self.graph.op(node), labels.as_slice()) {
                // Equal since one before it stands aside: 1.
                (Op::Delta(_), &[p, q]) if p == q => {
                    self.factors.remove(at);
                }
                (Op::Delta(_), &[p, q]) if self.out.contains(&p) && self.out.contains(&q) => {
                    self.factors.remove(at);
                    let all = self.factors.iter_mut().flat_map(|(_, labels)| labels);
                    all.filter(|label| **label == q).for_each(|label| *label = p);
                    self.out.retain(|label| *label != q);
                    self.sizes.remove(&q);
                    aside.push((node, labels));
                }
                _ => at += 1,
            }
        }
        // What no factor has any more stands on the deltas.
        for (_, pair) in &aside {
            if !self.factors.iter().any(|(_, labels)| labels.contains(&pair[0])) {
                self.out.retain(|label| *label != pair[0]);
                self.sizes.remove(&pair[0]);
            }
        }
        aside
    }
}

/// Rows of a product are picked (or added up) in the factors that have them: the others multiply what comes out.
pub fn rows(graph: &mut Graph, id: NodeId, args: Vec<NodeId>) -> NodeId {
    let (op, indices) = (graph.op(id).clone(), args[1]);
    let Op::Einsum(e) = graph.op(args[0]).clone() else { return graph.with_args(id, args) };
    let mut front = graph.shape(indices).clone();
    let mut count = 1;
    if let Op::Scatter(rows) = &op {
        count = front.len();
        front = vec![rows.clone()];
    }
    let label = |ix: &u8| u32::from(*ix);
    let labels = |ins: &[u8]| ins.each(label);
    let factors: Vec<Factor> =
        graph.args(args[0]).iter().copied().zip(e.ins.iter().map(|ins| labels(ins))).collect();
    let (picked, rest) = e.out.split_at(count);
    let has_rows = |(_, labels): &Factor| picked.iter().any(|ix| labels.contains(&label(ix)));
    let (with, without): (Vec<Factor>, Vec<Factor>) = factors.into_iter().partition(has_rows);
    let stays = |ix: &&u8| with.iter().any(|(_, labels)| labels.contains(&label(ix)));
    let kept: Vec<u8> = rest.iter().filter(stays).copied().collect();
    if !e.bound().is_empty() || with.is_empty() || kept.len() == rest.len() {
        return graph.with_args(id, args);
    }
    let size = |ix: &u8| (label(ix), e.sizes[usize::from(*ix)].clone());
    let inner_out = labels(&[picked, kept.as_slice()].concat());
    let picked = picked.each(size);
    let inner = graph.einsum(&with, &inner_out, &picked);
    let shape = [front.as_slice(), &graph.shape(inner)[count..]].concat();
    let moved = graph.push(op, vec![inner, indices], shape);
    let fresh: Vec<u32> = (0..front.len() as u32).map(|axis| e.sizes.len() as u32 + axis).collect();
    let mut all = vec![(moved, [fresh.as_slice(), &labels(&kept)].concat())];
    all.extend(without);
    let sizes = rest.each(size);
    graph.einsum(&all, &[fresh.as_slice(), &labels(rest)].concat(), &sizes)
}
