//! Inverses of products: `(A B)⁻¹ A` is B⁻¹, `(2 A)⁻¹` is ½ A⁻¹, and the inverse of an inverse is the matrix. In: products and calls of
//! derivatives, whose parts are normal. Out: the same entries wherever the inverses exist.

use super::product::{Factor, Product};
use super::{Simplifier, Stage};
use crate::few::Each;
use crate::ir::{Einsum, NodeId, Num, Op};
use crate::ops;

/// Longer products of matrices are not looked into.
const MOST_MATRICES: usize = 8;

/// A square matrix in a product, and whether it is transposed there.
type Link = (NodeId, bool);

impl Simplifier<'_> {
    fn inverted(&self, node: NodeId) -> Option<NodeId> {
        let Op::Call(op, _) = self.graph.op(node) else { return None };
        (ops::spec(*op).inverts && self.graph.rank(node) == 2).then(|| self.graph.args(node)[0])
    }

    /// Matrices beside the inverse of a product that begins or ends with them go, and with them their part of the product.
    pub(super) fn cancel_inverses(&mut self, product: &mut Product) {
        let open = |factor: &Factor| matches!(self.graph.op(factor.base), Op::Deriv | Op::Delta(_));
        // Lines of derivations show what the chain rule gives first.
        if self.stage == Stage::Value || product.factors.iter().any(open) {
            return;
        }
        let mut at = 0;
        while at < product.factors.len() {
            match self.cancel_inverse(product, at) {
                true => at = 0,
                false => at += 1,
            }
        }
    }

    fn cancel_inverse(&mut self, product: &mut Product, at: usize) -> bool {
        let own = product.factors[at].clone();
        let &[rows, columns] = own.labels.as_slice() else { return false };
        let Some(of) = self.inverted(own.base) else { return false };
        if rows == columns || !own.exponent.is_one() || self.is_atom(own.base) {
            return false;
        }
        let chain = self.chain(of, false);
        (0..product.factors.len()).filter(|other| *other != at).any(|other| {
            self.cancels_with(product, (at, columns), other, &chain, false)
                || self.cancels_with(product, (at, rows), other, &chain, true)
        })
    }

    /// Takes a matrix that is joined to the inverse by a label away, if the product that is inverted begins (or ends, joined by the
    /// rows of the inverse) with it; whether it did.
    fn cancels_with(
        &mut self,
        product: &mut Product,
        (at, joint): (usize, u32),
        other: usize,
        chain: &[Link],
        ends: bool,
    ) -> bool {
        let (inverse, matrix) = (product.factors[at].clone(), product.factors[other].clone());
        let &[a, b] = matrix.labels.as_slice() else { return false };
        let readers = product.factors.iter().flat_map(|one| &one.labels);
        let alone = readers.filter(|label| **label == joint).count() == 2;
        if a == b || (a != joint && b != joint) || !alone || !product.is_summed(joint) {
            return false;
        }
        let turned = if ends { a == joint } else { b == joint };
        let links = self.chain(matrix.base, turned);
        let rest = if ends { chain.strip_suffix(&*links) } else { chain.strip_prefix(&*links) };
        let (Some(rest), true) = (rest, matrix.exponent.is_one()) else { return false };
        let far = if a == joint { b } else { a };
        let labels = inverse.labels.each(|label| if *label == joint { far } else { *label });
        product.sizes.retain(|(label, _)| *label != joint);
        product.factors[at] = self.inverse_of(rest, inverse.base, labels);
        product.factors.remove(other);
        self.record("inverse", inverse.base, matrix.base);
        true
    }

    /// The inverse of a product of matrices, read at labels; `like` is the inverse of a longer one.
    fn inverse_of(&mut self, links: &[Link], like: NodeId, labels: Vec<u32>) -> Factor {
        let factor = |base: NodeId, labels: Vec<u32>| Factor { base, exponent: Num::ONE, labels };
        let call = |simplifier: &mut Self, of: NodeId| {
            let call = simplifier.graph.with_args(like, vec![of]);
            simplifier.normal(call)
        };
        match links {
            [] => {
                let size = self.graph.shape(like)[0].clone();
                factor(self.graph.delta(&size), labels)
            }
            &[(matrix, turned)] => {
                let labels = if turned { labels.into_iter().rev().collect() } else { labels };
                factor(call(self, matrix), labels)
            }
            _ => {
                let axis = |at: usize| at as u32;
                let read = links.iter().enumerate().map(|(at, (matrix, turned))| match turned {
                    true => (*matrix, vec![axis(at + 1), axis(at)]),
                    false => (*matrix, vec![axis(at), axis(at + 1)]),
                });
                let read: Vec<(NodeId, Vec<u32>)> = read.collect();
                let of = self.graph.einsum(&read, &[0, axis(links.len())], &[]);
                let of = self.normal(of);
                factor(call(self, of), labels)
            }
        }
    }

    /// The square matrices of which a matrix is the product, in order; itself, if it is none.
    fn chain(&self, node: NodeId, turned: bool) -> Vec<Link> {
        let mut links = vec![(node, turned)];
        let mut at = 0;
        while at < links.len() {
            let (link, turned) = links[at];
            match self.links(link) {
                Some(mut parts) if links.len() + parts.len() <= MOST_MATRICES => {
                    if turned {
                        parts.reverse();
                        parts.iter_mut().for_each(|(_, turned)| *turned = !*turned);
                    }
                    links.splice(at..=at, parts);
                }
                _ => at += 1,
            }
        }
        links
    }

    fn links(&self, node: NodeId) -> Option<Vec<Link>> {
        let Op::Einsum(Einsum { ins, out, sizes }) = self.graph.op(node) else { return None };
        let &[start, end] = out.as_slice() else { return None };
        let square = sizes.iter().all(|size| *size == sizes[0]);
        if self.is_atom(node) || !square || sizes.len() != ins.len() + 1 {
            return None;
        }
        let args = self.graph.args(node);
        let mut left: Vec<usize> = (0..ins.len()).collect();
        let (mut links, mut at) = (Vec::new(), start);
        while !left.is_empty() {
            let reads = |own: &usize| ins[*own].len() == 2 && ins[*own].contains(&at);
            let next = left.remove(left.iter().position(reads)?);
            let turned = ins[next][1] == at;
            at = ins[next][usize::from(!turned)];
            links.push((args[next], turned));
        }
        (at == end).then_some(links)
    }

    /// The inverse of an inverse, and of a number times a matrix.
    pub(super) fn inverse(&mut self, node: NodeId) -> Option<NodeId> {
        let of = self.inverted(node).filter(|_| self.stage != Stage::Value)?;
        if self.is_atom(of) {
            return None;
        }
        if let Some(matrix) = self.inverted(of) {
            self.record("inverse", node, matrix);
            return Some(matrix);
        }
        let (Op::Add(terms), &[matrix]) = (self.graph.op(of), self.graph.args(of)) else {
            return None;
        };
        let number = terms[0].recip()?;
        let call = self.graph.with_args(node, vec![matrix]);
        let call = self.normal(call);
        Some(self.scaled(number, call))
    }
}
