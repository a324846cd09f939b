//! Factors that repeat what another one says: `relu(x)·(x > 0)` is `relu(x)`, `(x > 0)^2` is `x > 0`, and `|x|·sign(x)` is x. In: a
//! product of a derivative. Out: the same value in fewer factors, as the rule book says.

use super::product::{Factor, Product};
use super::{Simplifier, Stage};
use crate::ir::{Attrs, NodeId, Num, Op};
use crate::ops::{self, Operator, Rule};

impl Simplifier<'_> {
    /// Values stay as they are written: what is 0 by a factor has another slope there than what is not.
    pub(super) fn absorb(&mut self, product: &mut Product) {
        if self.stage == Stage::Value {
            return;
        }
        let mut changed = false;
        let mut at = 0;
        while at < product.factors.len() {
            match self.absorb_one(product, at) {
                true => (changed, at) = (true, 0),
                false => at += 1,
            }
        }
        let joined = self.join_powers(product);
        if changed || joined {
            self.flatten(product);
            self.collect_powers(product);
        }
    }

    /// `a^(g - 1)·a` is `a^g`, where the exponent is no number; whether there was such a factor.
    fn join_powers(&mut self, product: &mut Product) -> bool {
        let found = (0..product.factors.len()).find_map(|at| {
            let own = &product.factors[at];
            let (Op::Call(op, _), &[base, exponent]) =
                (self.graph.op(own.base), self.graph.args(own.base))
            else {
                return None;
            };
            if *op != ops::of_operator(Operator::Power) || !own.exponent.is_one() {
                return None;
            }
            let alike = |other: &Factor| {
                other.base == base
                    && other.labels == own.labels
                    && other.exponent.as_int().is_some()
            };
            Some((at, product.factors.iter().position(alike)?, base, exponent))
        });
        let Some((at, other, base, exponent)) = found else { return false };
        if self.is_atom(product.factors[at].base) {
            return false;
        }
        let more = product.factors[other].exponent;
        let exponent = self.raised(exponent, more);
        let power = self.graph.with_args(product.factors[at].base, vec![base, exponent]);
        product.factors[at].base = self.normal(power);
        product.factors.remove(other);
        true
    }

    /// An exponent, which may be one number repeated, and a number.
    fn raised(&mut self, exponent: NodeId, more: Num) -> NodeId {
        let repeated = match (self.graph.op(exponent), self.graph.args(exponent)) {
            (Op::Einsum(_), &[only]) if self.graph.rank(only) == 0 => Some(only),
            _ => None,
        };
        let number = repeated.unwrap_or(exponent);
        let shape = self.graph.shape(number).clone();
        let ones = self.graph.ones(&shape);
        let sum = self.graph.add(&[(Num::ONE, number), (more, ones)], &shape);
        let sum = self.normal(sum);
        let whole = self.graph.shape(exponent).clone();
        if repeated.is_some() { self.graph.fill(sum, &whole) } else { sum }
    }

    /// What a factor makes of another one; whether there was something.
    fn absorb_one(&mut self, product: &mut Product, at: usize) -> bool {
        let Factor { base, exponent, labels } = product.factors[at].clone();
        let Op::Call(op, _) = self.graph.op(base) else { return false };
        let row = ops::spec(*op);
        let (Some(power), true) =
            (exponent.as_int(), !row.absorbs.is_empty() || row.signed_by.is_some())
        else {
            return false;
        };
        if power < 1 {
            return false;
        }
        if row.signed_by.is_some() && power % 2 == 0 {
            product.factors[at].base = self.graph.args(base)[0];
            return true;
        }
        if row.absorbs.contains(&row.name) && !exponent.is_one() {
            product.factors[at].exponent = Num::ONE;
            return true;
        }
        for other in 0..product.factors.len() {
            let second = &product.factors[other];
            let step = match self.graph.op(second.base) {
                Op::Call(op, _) => matches!(ops::spec(*op).rule, Rule::Zero),
                _ => false,
            };
            if other == at || second.labels != labels || !step || second.exponent.is_negative() {
                continue;
            }
            let (step, power) = (second.base, second.exponent);
            if row.absorbs.iter().any(|name| self.of_the_same(name, base) == Some(step)) {
                product.factors.remove(other);
                return true;
            }
            let signed =
                row.signed_by.is_some_and(|name| self.of_the_same(name, base) == Some(step));
            if signed && power.is_one() {
                let x = self.graph.args(base)[0];
                product.factors[other] = Factor { base: x, exponent: Num::ONE, labels };
                product.factors[at].exponent = exponent + Num::int(-1);
                product.factors.retain(|factor| !factor.exponent.is_zero());
                return true;
            }
        }
        false
    }

    /// Another function of a call's numbers, or of its only number and 0.
    fn of_the_same(&mut self, name: &str, call: NodeId) -> Option<NodeId> {
        let mut args = self.graph.args(call).to_vec();
        let shape = self.graph.shape(call).clone();
        let (op, row) = ops::lookup(name, args.len())?;
        if row.params.len() > args.len() {
            args.push(self.graph.zeros(&shape));
        }
        let made = self.graph.call(op, args, Attrs::default(), shape);
        Some(self.normal(made))
    }
}
