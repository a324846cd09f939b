//! Signs of differences: `-(a - b)` is `b - a`, and products that differ by the sign of a difference alone are like terms.

use super::Simplifier;
use super::product::{Factor, Product};
use crate::few::Each;
use crate::ir::{NodeId, Num, Op};

/// Among more terms than this none is looked for that another one is the opposite of.
const MOST_TERMS: usize = 16;

impl Simplifier<'_> {
    /// `-(a - b)` is `b - a`: a minus sign in front goes into a sum that has one of its own, if that is a factor but once.
    pub(crate) fn flip_sign(&mut self, product: &Product) -> Option<Product> {
        if !product.coefficient.is_negative() {
            return None;
        }
        let at = (0..product.factors.len()).find(|&at| {
            let Factor { base, exponent, .. } = &product.factors[at];
            exponent.is_one() && self.is_difference(*base) && !self.stands_twice(product, at)
        })?;
        let mut flipped = product.clone();
        let negated = self.graph.scale(Num::int(-1), product.factors[at].base);
        flipped.factors[at].base = self.negated(negated);
        flipped.coefficient = -product.coefficient;
        Some(flipped)
    }

    /// Whether another factor is what this one is, or a product with it: `-(S⁻¹ r)(S⁻¹ r)ᵀ` has the minus sign in front.
    fn stands_twice(&self, product: &Product, at: usize) -> bool {
        let base = product.factors[at].base;
        product.factors.iter().enumerate().any(|(other, factor)| {
            let within = matches!(self.graph.op(factor.base), Op::Einsum(_));
            let parts = if within { self.graph.args(factor.base) } else { &[] };
            other != at && (factor.base == base || parts.contains(&base))
        })
    }

    /// Whether a node is an unnamed sum with a minus sign in it.
    pub(crate) fn is_difference(&self, node: NodeId) -> bool {
        match self.graph.op(node) {
            Op::Add(c) => {
                c.len() > 1
                    && !self.is_atom(node)
                    && c.iter().any(|c| c.is_negative())
                    && c.iter().any(|c| !c.is_negative())
            }
            _ => false,
        }
    }

    /// `-(a - b)`, given as a scaled sum, as `b - a`.
    pub(crate) fn negated(&mut self, scaled: NodeId) -> NodeId {
        let inner = self.graph.args(scaled)[0];
        let (Op::Add(coefficients), args) =
            (self.graph.op(inner).clone(), self.graph.args(inner).to_vec())
        else {
            return scaled;
        };
        let terms: Vec<(Num, NodeId)> = coefficients.iter().map(|c| -*c).zip(args).collect();
        let terms = self.order(terms);
        let shape = self.graph.shape(inner).clone();
        self.graph.add(&terms, &shape)
    }

    /// Terms in which a difference stands the other way round than in an earlier one, `u·(b - a)` after `v·(a - b)`, as multiples of
    /// that one, where nothing else tells them apart.
    pub(super) fn oriented_alike(&mut self, mut terms: Vec<(Num, NodeId)>) -> Vec<(Num, NodeId)> {
        if terms.len() < 2 || terms.len() > MOST_TERMS {
            return terms;
        }
        let mut seen: Vec<(NodeId, bool, NodeId)> = Vec::new();
        for (c, term) in &mut terms {
            let Some((oriented, turned)) = self.oriented(*term) else { continue };
            match seen.iter().find(|(known, ..)| *known == oriented) {
                Some((_, other, first)) if *other != turned => (*c, *term) = (-*c, *first),
                Some(_) => {}
                None => seen.push((oriented, turned, *term)),
            }
        }
        terms
    }

    /// `(a - b)·(b - a)` is `-(a - b)·(a - b)`: factors that are each other's opposites stand the same way round.
    pub(super) fn orient_factors(&mut self, product: &mut Product) {
        let differences: Vec<usize> = (0..product.factors.len())
            .filter(|at| self.is_difference(product.factors[*at].base))
            .collect();
        for (nth, &at) in differences.iter().enumerate().skip(1) {
            let factor = &product.factors[at];
            let Some(power) = factor.exponent.as_int() else { continue };
            let scaled = self.graph.scale(Num::int(-1), factor.base);
            let opposite = self.negated(scaled);
            if differences[..nth].iter().any(|&other| product.factors[other].base == opposite) {
                product.factors[at].base = opposite;
                if power % 2 != 0 {
                    product.coefficient = -product.coefficient;
                }
            }
        }
    }

    /// A product with all of its differences the one way round that does not depend on how they were written, and whether that
    /// turned its sign.
    fn oriented(&mut self, term: NodeId) -> Option<(NodeId, bool)> {
        let Op::Einsum(e) = self.graph.op(term).clone() else { return None };
        let args = self.graph.args(term).to_vec();
        if self.is_atom(term) || !args.iter().any(|arg| self.is_difference(*arg)) {
            return None;
        }
        let mut turned = false;
        let mut factors: Vec<(NodeId, Vec<u32>)> = Vec::new();
        for (arg, ins) in args.into_iter().zip(&e.ins) {
            let opposite = self.is_difference(arg).then(|| {
                let scaled = self.graph.scale(Num::int(-1), arg);
                self.negated(scaled)
            });
            let arg = match opposite {
                Some(opposite) if opposite < arg => {
                    turned = !turned;
                    opposite
                }
                _ => arg,
            };
            factors.push((arg, ins.each(|ix| u32::from(*ix))));
        }
        let out = e.out.each(|ix| u32::from(*ix));
        let sizes: Vec<_> =
            e.sizes.iter().cloned().enumerate().map(|(ix, dim)| (ix as u32, dim)).collect();
        Some((self.graph.einsum(&factors, &out, &sizes), turned))
    }
}
