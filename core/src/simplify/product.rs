//! Products: nested ones become one, deltas are contracted, powers of one base collected, and what does not take part in a sum
//! stands outside of it.

mod places;

use super::facts;
use super::{Simplifier, Stage};
use crate::few::{self, Each};
use crate::ir::{Dim, Einsum, NodeId, Num, Op};

/// Sums are multiplied out within each other no deeper than this.
const MOST_DEEP: usize = 32;

/// A factor of a product: a base read at labels, to a power.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Factor {
    pub base: NodeId,
    pub exponent: Num,
    pub labels: Vec<u32>,
}

/// A product with labelled indices, summed over those that are not in `out`.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub coefficient: Num,
    pub factors: Vec<Factor>,
    pub out: Vec<u32>,
    pub sizes: Vec<(u32, Dim)>,
}

impl Product {
    fn is_bound(&self, label: u32) -> bool {
        !self.out.contains(&label)
    }

    /// Whether a label is summed over more than one value.
    pub(crate) fn is_summed(&self, label: u32) -> bool {
        self.is_bound(label) && !self.size(label).is_one()
    }

    fn bound(&self) -> Vec<u32> {
        self.sizes.iter().map(|(label, _)| *label).filter(|label| self.is_bound(*label)).collect()
    }

    fn size(&self, label: u32) -> Dim {
        self.sizes
            .iter()
            .find(|(known, _)| *known == label)
            .map_or_else(|| Dim::fixed(1), |(_, dim)| dim.clone())
    }

    /// Reads everything that was read at `from` at `to`; `from` is gone.
    pub(super) fn rename(&mut self, from: u32, to: u32) {
        for factor in &mut self.factors {
            for label in &mut factor.labels {
                if *label == from {
                    *label = to;
                }
            }
        }
        self.sizes.retain(|(label, _)| *label != from);
    }
}

impl Simplifier<'_> {
    /// The normal form of an einsum whose arguments are normal.
    pub(crate) fn product(&mut self, node: NodeId) -> NodeId {
        let Some(mut product) = self.open(node) else { return node };
        self.straighten(&mut product);
        self.flatten(&mut product);
        self.contract_deltas(&mut product, node);
        self.contract_places(&mut product);
        self.cancel_inverses(&mut product);
        self.straighten(&mut product);
        self.orient_factors(&mut product);
        self.collect_powers(&mut product);
        self.join_roots(&mut product);
        self.drop_guards(&mut product);
        self.absorb(&mut product);
        self.drop_unit_sums(&mut product, node);
        if let Some(new) = self.distribute(&product) {
            return new;
        }
        self.count_idle_sums(&mut product);
        self.cancel_sizes(&mut product);
        let new = self.rebuild(&product);
        if new != node && self.graph.args(new) != self.graph.args(node) {
            self.record("collect-factors", node, new);
        }
        new
    }

    /// An einsum (or any other node, as a product of one factor) as a product.
    pub(crate) fn open(&mut self, node: NodeId) -> Option<Product> {
        let Op::Einsum(e) = self.graph.op(node).clone() else { return None };
        let base = self.fresh_label();
        self.fresh += e.sizes.len() as u32;
        let label = |ix: &u8| base + u32::from(*ix);
        let args = self.graph.args(node).to_vec();
        let factors = args
            .iter()
            .zip(&e.ins)
            .map(|(&arg, ins)| Factor { base: arg, exponent: Num::ONE, labels: ins.each(label) })
            .collect();
        Some(Product {
            coefficient: Num::ONE,
            factors,
            out: e.out.each(label),
            sizes: e
                .sizes
                .iter()
                .enumerate()
                .map(|(ix, dim)| (base + ix as u32, dim.clone()))
                .collect(),
        })
    }

    /// Opens factors that are themselves products, coefficients and powers, until none is.
    pub(crate) fn flatten(&mut self, product: &mut Product) {
        let mut at = 0;
        while at < product.factors.len() {
            let factor = product.factors[at].clone();
            if self.open_factor(product, at, &factor) {
                continue;
            }
            at += 1;
        }
    }

    /// Replaces a factor by its parts; whether it had any.
    fn open_factor(&mut self, product: &mut Product, at: usize, factor: &Factor) -> bool {
        let args = self.graph.args(factor.base).to_vec();
        let whole = factor.exponent.as_int();
        match self.graph.op(factor.base).clone() {
            Op::Const(value) => {
                let Some(power) = whole.and_then(|n| value.powi(n)) else { return false };
                product.coefficient = product.coefficient * power;
                product.factors.remove(at);
                true
            }
            _ if self.is_atom(factor.base) => false,
            Op::Pow(exponent)
                if whole
                    .is_some_and(|_| self.power_of_power(args[0], exponent, factor.exponent)) =>
            {
                product.factors[at] = Factor {
                    base: args[0],
                    exponent: exponent * factor.exponent,
                    labels: factor.labels.clone(),
                };
                true
            }
            Op::Add(coefficients) if args.len() == 1 => {
                let Some(power) = whole.and_then(|n| coefficients[0].powi(n)) else { return false };
                product.coefficient = product.coefficient * power;
                product.factors[at] = Factor { base: args[0], ..factor.clone() };
                true
            }
            // The diagonal of a sum is the sum of the diagonals.
            Op::Add(coefficients) if repeats(&factor.labels) => {
                let out: Vec<u32> = different(&factor.labels);
                let mut terms = Vec::new();
                for (c, arg) in coefficients.into_iter().zip(args) {
                    let read = self.graph.einsum(&[(arg, factor.labels.clone())], &out, &[]);
                    terms.push((c, self.normal(read)));
                }
                let shape: Vec<Dim> = out.each(|label| product.size(*label));
                let sum = self.graph.add(&terms, &shape);
                let base = self.normal(sum);
                product.factors[at] = Factor { base, exponent: factor.exponent, labels: out };
                true
            }
            Op::Einsum(inner) => {
                let plain = whole.is_some()
                    && inner.bound().iter().all(|ix| inner.sizes[*ix as usize].is_one());
                let alone = product.factors.len() == 1 && factor.exponent.is_one();
                let total = product.factors.len() + args.len() - 1;
                if (!plain && !alone)
                    || !self.takes_in(factor.base, args.len(), total, super::MOST_FACTORS)
                {
                    return false;
                }
                let parts = self.inline(product, &inner, &args, factor);
                product.factors.splice(at..=at, parts);
                true
            }
            _ => false,
        }
    }

    fn inline(
        &mut self,
        product: &mut Product,
        inner: &Einsum,
        args: &[NodeId],
        factor: &Factor,
    ) -> Vec<Factor> {
        let names: Vec<u32> = (0..inner.sizes.len() as u8)
            .map(|ix| match inner.out.iter().position(|out| *out == ix) {
                Some(axis) => factor.labels[axis],
                None => {
                    let label = self.fresh_label();
                    product.sizes.push((label, inner.sizes[ix as usize].clone()));
                    label
                }
            })
            .collect();
        args.iter()
            .zip(&inner.ins)
            .map(|(&arg, ins)| Factor {
                base: arg,
                exponent: factor.exponent,
                labels: ins.each(|ix| names[*ix as usize]),
            })
            .collect()
    }

    /// Σ_i δ_ik f_i = f_k: a delta on a bound index is contracted away. One on two free indices makes all else read the first.
    fn contract_deltas(&mut self, product: &mut Product, node: NodeId) {
        let mut contracted = false;
        let mut at = 0;
        while at < product.factors.len() {
            let factor = product.factors[at].clone();
            if !matches!(self.graph.op(factor.base), Op::Delta(_)) {
                at += 1;
                continue;
            }
            // A delta is its own power.
            product.factors[at].exponent = Num::ONE;
            let (a, b) = (factor.labels[0], factor.labels[1]);
            if a == b {
                product.factors.remove(at);
            } else if product.is_bound(a) {
                product.factors.remove(at);
                product.rename(a, b);
                contracted = true;
            } else if product.is_bound(b) {
                product.factors.remove(at);
                product.rename(b, a);
                contracted = true;
            } else {
                let (first, second) = if position(&product.out, a) < position(&product.out, b) {
                    (a, b)
                } else {
                    (b, a)
                };
                for (other, factor) in product.factors.iter_mut().enumerate() {
                    if other != at {
                        factor
                            .labels
                            .iter_mut()
                            .filter(|label| **label == second)
                            .for_each(|label| *label = first);
                    }
                }
                product.factors[at].labels = vec![first, second];
                at += 1;
            }
        }
        if contracted {
            self.rewrites.push(super::Rewrite {
                rule: "delta-contract",
                before: node,
                after: node,
            });
        }
    }

    /// Σ_k T_ik = 1 where rows are known to sum to one and nothing else reads k.
    fn drop_unit_sums(&mut self, product: &mut Product, node: NodeId) {
        let mut at = 0;
        while at < product.factors.len() {
            let factor = &product.factors[at];
            let readers = |label: u32| {
                product.factors.iter().filter(|factor| factor.labels.contains(&label)).count()
            };
            let axis = (0..factor.labels.len()).find(|&axis| {
                let label = factor.labels[axis];
                factor.exponent.is_one()
                    && product.is_bound(label)
                    && readers(label) == 1
                    && factor.labels.iter().filter(|own| **own == label).count() == 1
                    && self.sums_to_one(factor.base, axis)
            });
            match axis {
                Some(axis) => {
                    let (base, label) = (factor.base, factor.labels[axis]);
                    product.factors.remove(at);
                    product.sizes.retain(|(known, _)| *known != label);
                    self.rewrites.push(super::Rewrite {
                        rule: "rows-sum-to-one",
                        before: base,
                        after: node,
                    });
                }
                None => at += 1,
            }
        }
    }

    /// What is declared holds at the point where a formula is evaluated, not beside it: what may still be differentiated does not use it.
    fn sums_to_one(&self, node: NodeId, axis: usize) -> bool {
        facts::always_sums_to_one(self.graph, node, axis)
            || self.stage == Stage::Last && facts::declared_to_sum_to_one(self.graph, node, axis)
    }

    /// A sum over an index that no factor reads multiplies by its size.
    fn count_idle_sums(&mut self, product: &mut Product) {
        for label in product.bound() {
            if product.factors.iter().any(|factor| factor.labels.contains(&label)) {
                continue;
            }
            let size = product.size(label);
            product.sizes.retain(|(known, _)| *known != label);
            match size.as_fixed() {
                Some(count) => product.coefficient = product.coefficient * Num::int(count),
                None => {
                    let base = self.graph.size(&size);
                    product.factors.push(Factor { base, exponent: Num::ONE, labels: Vec::new() });
                    self.collect_powers(product);
                }
            }
        }
    }

    /// The node of a product. Factors that take no part in a sum stand outside of it, and sums that share no index are apart.
    pub(crate) fn rebuild(&mut self, product: &Product) -> NodeId {
        let mut product = self.flip_sign(product).unwrap_or_else(|| product.clone());
        self.count_idle_sums(&mut product);
        let product = &product;
        if product.coefficient.is_zero() {
            let shape: Vec<Dim> = product.out.each(|label| product.size(*label));
            return self.graph.zeros(&shape);
        }
        let nodes: Vec<(NodeId, Vec<u32>)> = product
            .factors
            .each(|factor| (self.graph.pow(factor.base, factor.exponent), factor.labels.clone()));
        let groups = connected(product);
        let mut outer: Vec<(NodeId, Vec<u32>)> = Vec::new();
        // A sum that is repeated along further axes stands apart, so that the repetition can go into a product.
        let repeated = product
            .out
            .iter()
            .any(|label| !product.factors.iter().any(|factor| factor.labels.contains(label)));
        let single = groups.len() == 1 && !repeated;
        for group in groups {
            let summed =
                group.iter().any(|&at| nodes[at].1.iter().any(|label| product.is_summed(*label)));
            if !summed || single {
                outer.extend(group.iter().map(|&at| nodes[at].clone()));
                continue;
            }
            let factors: Vec<(NodeId, Vec<u32>)> = group.each(|&at| nodes[at].clone());
            let free: Vec<u32> = product
                .out
                .iter()
                .copied()
                .filter(|label| factors.iter().any(|(_, labels)| labels.contains(label)))
                .collect();
            let part = self.graph.einsum(&factors, &free, &[]);
            outer.push((part, free));
        }
        let free_sizes: Vec<(u32, Dim)> = product
            .sizes
            .iter()
            .filter(|(label, _)| product.out.contains(label))
            .cloned()
            .collect();
        let node = self.graph.einsum(&outer, &product.out, &free_sizes);
        if product.coefficient.is_one() {
            return node;
        }
        if product.factors.is_empty() && product.out.is_empty() {
            return self.graph.constant(product.coefficient);
        }
        self.scaled(product.coefficient, node)
    }

    /// Multiplies a sum out, unless that is done within so many others that one rule may be undoing another.
    fn distribute(&mut self, product: &Product) -> Option<NodeId> {
        self.depth += 1;
        let new = (self.depth <= MOST_DEEP).then(|| self.distributed(product)).flatten();
        self.depth -= 1;
        new
    }

    /// Multiplies a sum out where that removes something: a term has a delta on a bound index, or a factor's inverse.
    fn distributed(&mut self, product: &Product) -> Option<NodeId> {
        for (at, factor) in product.factors.iter().enumerate() {
            let Op::Add(coefficients) = self.graph.op(factor.base).clone() else { continue };
            if self.is_atom(factor.base) || !factor.exponent.is_one() {
                continue;
            }
            let terms = self.graph.args(factor.base).to_vec();
            let opened: Vec<Product> = terms.each(|&term| self.as_product(term));
            // What is too long to be opened keeps its factors, and would be taken out of the sum again.
            let opens = |simplifier: &Self, at: usize, others: usize| {
                let own = opened[at].factors.len();
                simplifier.takes_in(terms[at], own, own + others, super::MOST_FACTORS)
            };
            let others = product.factors.len() - 1;
            let contracts = (0..terms.len()).any(|at| {
                self.has_bound_delta(&opened[at], factor, product) && opens(self, at, others)
            });
            if contracts {
                return Some(self.multiply_out(product, at, &coefficients, &terms, None));
            }
            if self.may_vanish(product, at, &opened) {
                let new = self.multiply_out(product, at, &coefficients, &terms, None);
                if self.graph.is_zero(new) {
                    return Some(new);
                }
            }
            if let Some(new) = self.without_vanishing(product, at, &coefficients, &opened) {
                return Some(new);
            }
            let cancels = (0..product.factors.len()).find(|&other| {
                other != at
                    && terms.len() <= 4
                    && (0..terms.len()).any(|at| {
                        self.cancels(&opened[at], factor, &product.factors[other])
                            && opens(self, at, 1)
                    })
            });
            if let Some(other) = cancels {
                return Some(self.multiply_out(product, at, &coefficients, &terms, Some(other)));
            }
        }
        None
    }

    /// A term of a sum as a product whose `out` labels are the sum's axes.
    pub(crate) fn as_product(&mut self, term: NodeId) -> Product {
        let plain = match self.graph.op(term) {
            Op::Einsum(e) => e.bound().is_empty() && !self.is_atom(term),
            _ => false,
        };
        let mut product = match self.open(term) {
            Some(product) if plain => product,
            _ => {
                let shape = self.graph.shape(term).clone();
                let sizes: Vec<(u32, Dim)> =
                    shape.into_iter().map(|dim| (self.fresh_label(), dim)).collect();
                let labels: Vec<u32> = sizes.each(|(label, _)| *label);
                let factors =
                    vec![Factor { base: term, exponent: Num::ONE, labels: labels.clone() }];
                Product { coefficient: Num::ONE, factors, out: labels, sizes }
            }
        };
        for factor in &mut product.factors {
            if let Op::Pow(exponent) = self.graph.op(factor.base)
                && !self.is_atom(factor.base)
                && factor.exponent.is_one()
            {
                factor.exponent = *exponent;
                factor.base = self.graph.args(factor.base)[0];
            }
        }
        product
    }

    fn has_bound_delta(&self, term: &Product, sum: &Factor, product: &Product) -> bool {
        term.factors.iter().any(|factor| {
            matches!(self.graph.op(factor.base), Op::Delta(_))
                && factor.labels.iter().any(|label| {
                    term.out
                        .iter()
                        .position(|own| own == label)
                        .is_some_and(|axis| product.is_bound(sum.labels[axis]))
                })
        })
    }

    /// The normal form of a product without its coefficient.
    fn normal_of(&mut self, product: &Product) -> NodeId {
        let factors: Vec<(NodeId, Vec<u32>)> = product
            .factors
            .each(|factor| (self.graph.pow(factor.base, factor.exponent), factor.labels.clone()));
        let node = self.graph.einsum(&factors, &product.out, &product.sizes);
        self.normal(node)
    }

    /// `rest · (a + b)` → `rest·a + rest·b`, or only one factor of the rest multiplied in.
    fn multiply_out(
        &mut self,
        product: &Product,
        at: usize,
        coefficients: &[Num],
        terms: &[NodeId],
        only: Option<usize>,
    ) -> NodeId {
        let sum = &product.factors[at];
        let mut parts: Vec<(Num, NodeId)> = Vec::new();
        if let Some(other) = only {
            let moved = product.factors[other].clone();
            let shape: Vec<Dim> = sum.labels.each(|label| product.size(*label));
            for (c, &term) in coefficients.iter().zip(terms) {
                let power = self.graph.pow(moved.base, moved.exponent);
                let part = self.graph.einsum(
                    &[(power, moved.labels.clone()), (term, sum.labels.clone())],
                    &sum.labels,
                    &[],
                );
                parts.push((*c, self.normal(part)));
            }
            let new_sum = self.graph.add(&parts, &shape);
            let new_sum = self.normal(new_sum);
            let mut rest = product.clone();
            rest.factors[at].base = new_sum;
            rest.factors.remove(other);
            let node = self.normal_of(&rest);
            return self.scaled(product.coefficient, node);
        }
        for (c, &term) in coefficients.iter().zip(terms) {
            let mut part = product.clone();
            part.factors[at].base = term;
            parts.push((*c * product.coefficient, self.normal_of(&part)));
        }
        let shape: Vec<Dim> = product.out.each(|label| product.size(*label));
        let node = self.graph.add(&parts, &shape);
        self.normal(node)
    }
}

/// Factors in groups that share no bound index; factors without bound indices each alone.
fn connected(product: &Product) -> Vec<Vec<usize>> {
    let bound_of = |at: usize| {
        product.factors[at].labels.iter().copied().filter(|label| product.is_summed(*label))
    };
    let mut groups: Vec<(Vec<usize>, Vec<u32>)> = Vec::new();
    for at in 0..product.factors.len() {
        let mut members = vec![at];
        let mut labels: Vec<u32> = bound_of(at).collect();
        let (joined, apart): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|(_, known)| known.iter().any(|label| labels.contains(label)));
        groups = apart;
        for (more, known) in joined {
            members.extend(more);
            labels.extend(known);
        }
        members.sort_unstable();
        groups.push((members, labels));
    }
    few::sort(&mut groups);
    groups.into_iter().map(|(members, _)| members).collect()
}

fn repeats(labels: &[u32]) -> bool {
    different(labels).len() < labels.len()
}

fn different(labels: &[u32]) -> Vec<u32> {
    let mut seen: Vec<u32> = Vec::new();
    for label in labels {
        if !seen.contains(label) {
            seen.push(*label);
        }
    }
    seen
}

fn position(out: &[u32], label: u32) -> usize {
    out.iter().position(|own| *own == label).unwrap_or(usize::MAX)
}
