//! Choices that share a condition: what the rule book leaves of each branch comes together in one choice.

use super::product::{Factor, Product};
use super::{Simplifier, Stage};
use crate::few::Each;
use crate::ir::{Dim, NodeId, Num, Op};
use crate::ops::{self, Kind};

/// So many nodes are looked at for choices within a choice.
const NEAR: usize = 64;

/// A term that has a choice with 0 for one of its branches.
struct Half {
    term: usize,
    product: Product,
    /// The choice among the product's factors, and which of its branches is not 0.
    place: usize,
    branch: usize,
}

impl Simplifier<'_> {
    /// `where(c, a, 0) + where(c, 0, b) = where(c, a, b)`, also in sums over indices and beside other factors.
    pub(super) fn chosen_together(
        &mut self,
        terms: &[(Num, NodeId)],
        shape: &[Dim],
    ) -> Option<NodeId> {
        let mut halves: Vec<Half> = Vec::new();
        for term in 0..terms.len() {
            let Some(half) = self.half(terms, term, shape.len()) else { continue };
            if let Some(other) = halves.iter().find(|other| self.meet(other, &half)) {
                return Some(self.whole(terms, shape, other, &half));
            }
            halves.push(half);
        }
        None
    }

    /// `where(c, where(c, a, b), d) = where(c, a, d)`, also among other functions of single entries.
    pub(super) fn decided_within(&mut self, node: NodeId) -> Option<NodeId> {
        let Op::Call(op, _) = self.graph.op(node) else { return None };
        if !ops::spec(*op).chooses || self.stage == Stage::Value {
            return None;
        }
        let mut args = self.graph.args(node).to_vec();
        let (condition, mut left) = (args[0], NEAR);
        for branch in [1, 2] {
            args[branch] = self.taken(args[branch], condition, branch, &mut left);
        }
        let new = self.graph.with_args(node, args);
        if new == node {
            return None;
        }
        let new = self.normal(new);
        self.record("decided-condition", node, new);
        Some(new)
    }

    /// An entry's formula where it is known which branch the condition takes there.
    fn taken(
        &mut self,
        node: NodeId,
        condition: NodeId,
        branch: usize,
        left: &mut usize,
    ) -> NodeId {
        if self.is_atom(node) || *left == 0 {
            return node;
        }
        *left -= 1;
        let args = self.graph.args(node).to_vec();
        let entrywise: Vec<bool> = match self.graph.op(node) {
            Op::Call(op, _) if ops::spec(*op).chooses && args[0] == condition => {
                return self.taken(args[branch], condition, branch, left);
            }
            Op::Call(op, _) => {
                let entrywise = matches!(ops::spec(*op).kind, Kind::Elementwise);
                args.each(|_| entrywise)
            }
            Op::Add(_) | Op::Pow(_) => args.each(|_| true),
            Op::Einsum(e) => e.ins.each(|ins| *ins == e.out),
            _ => return node,
        };
        let parts = args.iter().zip(entrywise);
        let new = parts.map(|(&arg, inside)| match inside {
            true => self.taken(arg, condition, branch, left),
            false => arg,
        });
        let new: Vec<NodeId> = new.collect();
        if new == args {
            return node;
        }
        let new = self.graph.with_args(node, new);
        self.normal(new)
    }

    fn half(&mut self, terms: &[(Num, NodeId)], term: usize, rank: usize) -> Option<Half> {
        let (c, node) = terms[term];
        if self.is_atom(node) {
            return None;
        }
        let mut product = match self.graph.op(node) {
            Op::Einsum(_) => self.open(node)?,
            Op::Call(..) => self.as_product(node),
            _ => return None,
        };
        product = product.in_line(rank);
        product.coefficient = product.coefficient * c;
        let found = |(place, factor): (usize, &Factor)| {
            let branch = self.open_branch(factor.base).filter(|_| factor.exponent.is_one())?;
            Some((place, branch))
        };
        let (place, branch) = product.factors.iter().enumerate().find_map(found)?;
        Some(Half { term, product, place, branch })
    }

    /// The branch of a choice that is not 0, where the other one is.
    fn open_branch(&self, node: NodeId) -> Option<usize> {
        let (Op::Call(op, _), &[_, a, b]) = (self.graph.op(node), self.graph.args(node)) else {
            return None;
        };
        let chooses = ops::spec(*op).chooses && !self.is_atom(node);
        match (self.graph.is_zero(a), self.graph.is_zero(b)) {
            (true, false) if chooses => Some(2),
            (false, true) if chooses => Some(1),
            _ => None,
        }
    }

    /// Whether two halves have one condition and opposite branches, are read alike, and stand beside the same factors. What is summed
    /// over is read by the choices alone.
    fn meet(&self, one: &Half, other: &Half) -> bool {
        let (a, b) = (&one.product.factors[one.place], &other.product.factors[other.place]);
        let condition = |factor: &Factor| self.graph.args(factor.base)[0];
        let free = |half: &Half, label: &u32| half.product.out.contains(label);
        let alike = |(a, b): (&u32, &u32)| a == b || !free(one, a) && !free(other, b);
        let rest = |half: &Half| {
            let others = half.product.factors.iter().enumerate();
            others.filter(|(at, _)| *at != half.place).map(|(_, factor)| factor.clone()).collect()
        };
        let (rest_one, rest_other): (Vec<Factor>, Vec<Factor>) = (rest(one), rest(other));
        let bound = |factor: &Factor| !factor.labels.iter().all(|label| free(one, label));
        one.branch != other.branch
            && condition(a) == condition(b)
            && a.labels.iter().zip(&b.labels).all(alike)
            && one.product.sizes.len() == other.product.sizes.len()
            && rest_one.len() == rest_other.len()
            && rest_one.iter().all(|factor| rest_other.contains(factor) && !bound(factor))
    }

    /// The sum with one choice for two halves.
    fn whole(
        &mut self,
        terms: &[(Num, NodeId)],
        shape: &[Dim],
        one: &Half,
        other: &Half,
    ) -> NodeId {
        let (c, d) = (one.product.coefficient, other.product.coefficient);
        let outside = if c == d { c } else { Num::ONE };
        let mut product = one.product.clone();
        product.coefficient = Num::ONE;
        let base = product.factors[one.place].base;
        let mut branches = self.graph.args(base).to_vec();
        for (half, coefficient) in [(one, c), (other, d)] {
            let value = self.graph.args(half.product.factors[half.place].base)[half.branch];
            let inside = if c == d { Num::ONE } else { coefficient };
            branches[half.branch] = self.scaled(inside, value);
        }
        let chosen = self.graph.with_args(base, branches);
        product.factors[one.place].base = self.normal(chosen);
        let together = self.rebuild(&product);
        let mut all = vec![(outside, together)];
        let others = (0..terms.len()).filter(|at| *at != one.term && *at != other.term);
        all.extend(others.map(|at| terms[at]));
        let sum = self.graph.add(&all, shape);
        self.normal(sum)
    }
}
