//! Sums: nested ones become one, like terms are collected, and what all terms have in common stands in front.

use super::Simplifier;
use super::facts;
use super::product::{Factor, Product};
use crate::few::Each;
use crate::ir::{Dim, NodeId, Num, Op};

/// A sum that is multiplied by more than this stays a sum of its own: where its terms cancel, as those of `1e9*(1 - mask)` do, what
/// it is added to would be lost beside each of them.
const LARGE: f64 = 16.0;

/// Whether terms that are multiplied by such a number stay together.
pub fn is_large(c: Num) -> bool {
    c.to_f64().abs() > LARGE
}

impl Simplifier<'_> {
    /// The normal form of a sum whose arguments are normal.
    pub(crate) fn sum(&mut self, node: NodeId) -> NodeId {
        let shape = self.graph.shape(node).clone();
        let terms = self.terms(node);
        let terms = terms.into_iter().map(|(c, term)| self.lighter(c, term)).collect();
        let terms = self.oriented_alike(terms);
        let ordered = self.order(terms);
        let terms = self.collect_terms(ordered);
        match terms.as_slice() {
            [] => return self.graph.zeros(&shape),
            [(c, only)] if c.is_one() => return *only,
            [(c, only)] => {
                if let Some(value) = facts::number(self.graph, *only) {
                    return super::power::constant(self.graph, *c * value, &shape);
                }
                if c.is_negative() && self.is_difference(*only) {
                    let negated = self.graph.scale(Num::int(-1), *only);
                    let flipped = self.negated(negated);
                    return self.scaled(-*c, flipped);
                }
                if c.is_negative()
                    && matches!(self.graph.op(*only), Op::Einsum(_))
                    && !self.is_atom(*only)
                {
                    let mut product = self.as_product(*only);
                    product.coefficient = *c;
                    if self.flip_sign(&product).is_some() {
                        return self.rebuild(&product);
                    }
                }
                return self.graph.add(&[(*c, *only)], &shape);
            }
            _ => {}
        }
        if let Some(new) = self.repeated(&terms, &shape) {
            self.record("collect-terms", node, new);
            return new;
        }
        if let Some(new) = self.chosen_together(&terms, &shape) {
            self.record("collect-terms", node, new);
            return new;
        }
        if let Some(new) = self.crossed(&terms, &shape) {
            self.record("collect-terms", node, new);
            return new;
        }
        if let Some(new) = self.turned(&terms, &shape) {
            self.record("collect-terms", node, new);
            return new;
        }
        if let Some(new) = self.complemented(&terms, &shape) {
            self.record("complement", node, new);
            return new;
        }
        if let Some(new) = self.factor_out(&terms, &shape) {
            self.record("common-factor", node, new);
            return new;
        }
        let new = self.graph.add(&terms, &shape);
        self.record("collect-terms", node, new);
        new
    }

    /// A sum of which no term reads some axis is the sum without it, repeated.
    fn repeated(&mut self, terms: &[(Num, NodeId)], shape: &[Dim]) -> Option<NodeId> {
        let reads = |graph: &crate::ir::Graph, term: NodeId, axis: usize| match graph.op(term) {
            Op::Einsum(e) => e.ins.iter().flatten().any(|ix| *ix == e.out[axis]),
            _ => true,
        };
        let read = |axis: &u32| {
            terms
                .iter()
                .any(|(_, term)| self.is_atom(*term) || reads(self.graph, *term, *axis as usize))
        };
        let all: Vec<u32> = (0..shape.len() as u32).collect();
        let kept: Vec<u32> = all.iter().copied().filter(read).collect();
        if kept.len() == all.len() {
            return None;
        }
        let inner_shape: Vec<Dim> = kept.each(|axis| shape[*axis as usize].clone());
        let mut inner = Vec::new();
        for (c, term) in terms {
            let (Op::Einsum(e), args) =
                (self.graph.op(*term).clone(), self.graph.args(*term).to_vec())
            else {
                return None;
            };
            let factors: Vec<(NodeId, Vec<u32>)> = args
                .into_iter()
                .zip(&e.ins)
                .map(|(arg, ins)| (arg, ins.each(|ix| u32::from(*ix))))
                .collect();
            let out: Vec<u32> = kept.each(|axis| u32::from(e.out[*axis as usize]));
            let sizes: Vec<(u32, Dim)> = e
                .sizes
                .iter()
                .enumerate()
                .map(|(ix, dim)| (ix as u32, dim.clone()))
                .filter(|(ix, _)| out.contains(ix) || !e.out.contains(&(*ix as u8)))
                .collect();
            let part = self.graph.einsum(&factors, &out, &sizes);
            inner.push((*c, self.normal(part)));
        }
        let sum = self.graph.add(&inner, &inner_shape);
        let sum = self.normal(sum);
        let sizes: Vec<(u32, Dim)> = all.iter().copied().zip(shape.iter().cloned()).collect();
        let repeated = self.graph.einsum(&[(sum, kept)], &all, &sizes);
        Some(self.normal(repeated))
    }

    /// The terms of nested sums with their coefficients; numbers are multiples of 1.
    fn terms(&mut self, node: NodeId) -> Vec<(Num, NodeId)> {
        let mut terms = Vec::new();
        let mut stack: Vec<(Num, NodeId, bool)> = vec![(Num::ONE, node, true)];
        let alone = self.graph.args(node).len() == 1;
        while let Some((c, node, root)) = stack.pop() {
            let open = root || !self.is_atom(node);
            match self.graph.op(node).clone() {
                // `c·(a + b)` stays as it is: the common coefficient stands in front.
                Op::Add(coefficients)
                    if open && !root && coefficients.len() > 1 && (alone || is_large(c)) =>
                {
                    terms.push((c, node))
                }
                Op::Add(coefficients)
                    if open
                        && (root
                            || self.takes_in(
                                node,
                                coefficients.len(),
                                terms.len() + coefficients.len(),
                                super::MOST_TERMS,
                            )) =>
                {
                    let args = self.graph.args(node).to_vec();
                    stack.extend(
                        coefficients
                            .iter()
                            .zip(args)
                            .rev()
                            .map(|(own, arg)| (c * *own, arg, false)),
                    );
                }
                _ => match facts::number(self.graph, node) {
                    Some(value) => {
                        let shape = self.graph.shape(node).clone();
                        let one = self.graph.ones(&shape);
                        terms.push((c * value, one));
                    }
                    None => terms.push((c, node)),
                },
            }
        }
        terms
    }

    /// A positive term goes first, as people write.
    pub(super) fn order(&self, mut terms: Vec<(Num, NodeId)>) -> Vec<(Num, NodeId)> {
        if terms.first().is_some_and(|(c, _)| c.is_negative())
            && let Some(at) = terms.iter().position(|(c, _)| !c.is_negative())
        {
            let first = terms.remove(at);
            terms.insert(0, first);
        }
        terms
    }

    /// Whether a sum of terms may add up to 0, as Σ_j (mean − x_j) does: one is constant along an index that is summed over and that
    /// nothing else reads.
    pub(crate) fn may_vanish(&self, product: &Product, at: usize, terms: &[Product]) -> bool {
        let sum = &product.factors[at];
        let alone = |label: &u32| {
            product.is_summed(*label)
                && product
                    .factors
                    .iter()
                    .enumerate()
                    .all(|(other, factor)| other == at || !factor.labels.contains(label))
        };
        let constant = |term: &Product, axis: usize| {
            !term.factors.iter().any(|factor| factor.labels.contains(&term.out[axis]))
        };
        let axes = (0..sum.labels.len()).filter(|&axis| alone(&sum.labels[axis]));
        terms.len() <= 4
            && axes.into_iter().any(|axis| terms.iter().any(|term| constant(term, axis)))
    }

    /// A sum over entries without the terms that add up to 0: `Σ_i (u_i + c·(mean − x_i)) = Σ_i u_i`.
    pub(crate) fn without_vanishing(
        &mut self,
        product: &Product,
        at: usize,
        coefficients: &[Num],
        opened: &[Product],
    ) -> Option<NodeId> {
        let sum = product.factors[at].clone();
        let alone = |label: &u32| {
            let mut readers = product.factors.iter().enumerate();
            product.is_summed(*label)
                && readers.all(|(other, factor)| other == at || !factor.labels.contains(label))
        };
        let axis = sum.labels.iter().position(alone)?;
        let mut kept: Vec<(Num, NodeId)> = Vec::new();
        let terms = self.graph.args(sum.base).to_vec();
        for ((c, term), open) in coefficients.iter().zip(&terms).zip(opened) {
            if !self.adds_up_to_nothing(*term, axis, open) {
                kept.push((*c, *term));
            }
        }
        if kept.len() == terms.len() {
            return None;
        }
        let shape = self.graph.shape(sum.base).clone();
        let rest = self.graph.add(&kept, &shape);
        let mut product = product.clone();
        product.factors[at].base = self.normal(rest);
        let new = self.rebuild(&product);
        Some(self.normal(new))
    }

    /// Whether a term has a sum as a factor that alone reads an axis and adds up to 0 along it.
    fn adds_up_to_nothing(&mut self, term: NodeId, axis: usize, open: &Product) -> bool {
        let label = open.out[axis];
        let mut readers = open.factors.iter().filter(|factor| factor.labels.contains(&label));
        let (Some(only), None) = (readers.next(), readers.next()) else { return false };
        let sum = matches!(self.graph.op(only.base), Op::Add(c) if c.len() <= 4);
        if !sum || only.base == term || self.is_atom(only.base) || !only.exponent.is_one() {
            return false;
        }
        let out: Vec<u32> = only.labels.iter().copied().filter(|own| *own != label).collect();
        let total = self.graph.einsum(&[(only.base, only.labels.clone())], &out, &[]);
        let total = self.normal(total);
        self.graph.is_zero(total)
    }

    /// A sum of transposes is the transpose of the sum: `x.T - m[:, None]` is that of `x - m`. Other terms must not read all axes.
    fn turned(&mut self, terms: &[(Num, NodeId)], shape: &[Dim]) -> Option<NodeId> {
        let rank = shape.len();
        let mut order: Option<Vec<u8>> = None;
        for (_, term) in terms {
            let Op::Einsum(e) = self.graph.op(*term) else { return None };
            if self.is_atom(*term) {
                return None;
            }
            let covers = e.out.iter().all(|ix| e.ins.iter().any(|ins| ins.contains(ix)));
            let place = |ix: &u8| e.out.iter().position(|out| out == ix).map(|at| at as u8);
            match (e.ins.as_slice(), covers) {
                ([ins], true) if ins.len() == rank && e.sizes.len() == rank => {
                    let own: Vec<u8> = ins.iter().filter_map(place).collect();
                    if order.get_or_insert_with(|| own.clone()) != &own {
                        return None;
                    }
                }
                (_, false) => {}
                _ => return None,
            }
        }
        // Axis k of what is read is axis order[k] of the sum.
        let order = order?;
        let axes: Vec<u32> = (0..rank as u32).collect();
        let read: Vec<u32> = order.each(|axis| u32::from(*axis));
        if read == axes {
            return None;
        }
        let mut inner: Vec<(Num, NodeId)> = Vec::new();
        for (c, term) in terms {
            let straight = self.graph.einsum(&[(*term, axes.clone())], &read, &[]);
            inner.push((*c, self.normal(straight)));
        }
        let shape: Vec<Dim> = read.each(|axis| shape[*axis as usize].clone());
        let sum = self.graph.add(&inner, &shape);
        let sum = self.normal(sum);
        let turned = self.graph.einsum(&[(sum, read)], &axes, &[]);
        Some(self.normal(turned))
    }

    /// `1 - f(-x) = f(x)` for functions of which the rule book says so.
    fn complemented(&mut self, terms: &[(Num, NodeId)], shape: &[Dim]) -> Option<NodeId> {
        let sum = self.graph.add(terms, shape);
        let complement = facts::complement(self.graph, sum)?;
        let x = self.graph.args(complement.call)[0];
        if self.is_atom(complement.call) || self.is_atom(x) || !facts::is_negated(self.graph, x) {
            return None;
        }
        Some(complement.opposite(self.graph))
    }

    /// `(1 - t)·y - (1 - y)·t = y - t`, as the two terms of a binary cross-entropy give it.
    fn crossed(&mut self, terms: &[(Num, NodeId)], shape: &[Dim]) -> Option<NodeId> {
        let [(c, first), (d, second)] = terms else { return None };
        if *c != -*d {
            return None;
        }
        let (first, second) =
            (self.aligned(*first, shape.len()), self.aligned(*second, shape.len()));
        let ([a, b], [p, q]) = (first.factors.as_slice(), second.factors.as_slice()) else {
            return None;
        };
        let plain = |f: &Factor| f.exponent.is_one() && f.labels == a.labels;
        if first.coefficient != second.coefficient || ![a, b, p, q].into_iter().all(plain) {
            return None;
        }
        let meets = |x: &Factor, y: &Factor| self.complement(x.base) == Some(y.base);
        let (y, t) = [(a, b, p, q), (a, b, q, p), (b, a, p, q), (b, a, q, p)]
            .into_iter()
            .find(|(rest, y, other, t)| meets(rest, t) && meets(other, y))
            .map(|(_, y, _, t)| (y.base, t.base))?;
        let c = *c * first.coefficient;
        let inner = self.graph.shape(y).clone();
        let difference = self.graph.add(&[(c, y), (-c, t)], &inner);
        let difference = self.normal(difference);
        let read = self.graph.einsum(&[(difference, a.labels.clone())], &first.out, &first.sizes);
        Some(self.normal(read))
    }

    /// The x of `1 - x`.
    fn complement(&self, node: NodeId) -> Option<NodeId> {
        let Op::Add(coefficients) = self.graph.op(node) else { return None };
        let ([c, d], [p, q]) = (coefficients.as_slice(), self.graph.args(node)) else {
            return None;
        };
        let is_one =
            |c: Num, node| facts::number(self.graph, node).is_some_and(|n| (c * n).is_one());
        match (is_one(*c, *p), is_one(*d, *q)) {
            (true, _) if *d == Num::int(-1) => Some(*q),
            (_, true) if *c == Num::int(-1) => Some(*p),
            _ => None,
        }
    }

    /// `c·(a + b)·f` where every term has the factor f or a coefficient of one size.
    fn factor_out(&mut self, terms: &[(Num, NodeId)], shape: &[Dim]) -> Option<NodeId> {
        let mut products: Vec<Product> = terms.each(|(_, term)| self.aligned(*term, shape.len()));
        let common = common_factors(&products);
        let coefficient = common_coefficient(terms);
        if common.is_empty() && coefficient.is_one() {
            return None;
        }
        let mut rest: Vec<(Num, NodeId)> = Vec::new();
        for (product, (c, _)) in products.iter_mut().zip(terms) {
            for shared in &common {
                if let Some(own) = product
                    .factors
                    .iter_mut()
                    .find(|own| own.base == shared.base && own.labels == shared.labels)
                {
                    own.exponent = own.exponent + -shared.exponent;
                }
            }
            product.factors.retain(|factor| !factor.exponent.is_zero());
            let node = self.rebuild(product);
            let node = self.normal(node);
            let inverse = coefficient.recip()?;
            rest.push((*c * inverse, node));
        }
        let inner = self.graph.add(&rest, shape);
        let inner = self.normal(inner);
        // Terms that were kept though they cancel.
        if self.graph.is_zero(inner) {
            return None;
        }
        let axes: Vec<u32> = (0..shape.len() as u32).collect();
        let mut factors: Vec<(NodeId, Vec<u32>)> = Vec::new();
        for factor in &common {
            factors.push((self.graph.pow(factor.base, factor.exponent), factor.labels.clone()));
        }
        // Scalars such as 1/B are written last, everything else first, as in `(p - T)/B`.
        factors.push((inner, axes.clone()));
        let product = self.graph.einsum(&factors, &axes, &[]);
        let product = self.normal(product);
        Some(if coefficient.is_one() { product } else { self.scaled(coefficient, product) })
    }

    /// A term as a product whose axes are labelled 0, 1, 2, …
    fn aligned(&mut self, term: NodeId, rank: usize) -> Product {
        self.as_product(term).in_line(rank)
    }
}

impl Product {
    /// The product with its axes labelled 0, 1, 2, …
    pub(super) fn in_line(self, rank: usize) -> Product {
        let mut product = self;
        let old = product.out.clone();
        let rename =
            |label: u32| old.iter().position(|own| *own == label).map_or(label, |axis| axis as u32);
        for factor in &mut product.factors {
            factor.labels.iter_mut().for_each(|label| *label = rename(*label));
        }
        product.sizes.iter_mut().for_each(|(label, _)| *label = rename(*label));
        product.out = (0..rank as u32).collect();
        product
    }
}

/// Factors that every term has, each to the power that all have at least (of one sign).
fn common_factors(products: &[Product]) -> Vec<Factor> {
    let Some((first, others)) = products.split_first() else { return Vec::new() };
    let mut common = Vec::new();
    for factor in &first.factors {
        let mut shared = factor.clone();
        let everywhere = others.iter().all(|product| {
            let own = product
                .factors
                .iter()
                .find(|own| own.base == factor.base && own.labels == factor.labels);
            own.is_some_and(|own| {
                let same_sign = own.exponent.is_negative() == shared.exponent.is_negative();
                let smaller = own.exponent.to_f64().abs() < shared.exponent.to_f64().abs();
                if same_sign && smaller {
                    shared.exponent = own.exponent;
                }
                same_sign
            })
        });
        if everywhere {
            common.push(shared);
        }
    }
    common
}

/// A coefficient that all terms have up to sign, with the sign that leaves the first term positive.
fn common_coefficient(terms: &[(Num, NodeId)]) -> Num {
    let first = terms[0].0;
    let size = |c: Num| if c.is_negative() { -c } else { c };
    if terms.iter().all(|(c, _)| size(*c) == size(first)) { first } else { Num::ONE }
}
