//! Factors that repeat what another one says: `relu(x)·(x > 0)` is `relu(x)`, `(x > 0)^2` is `x > 0`, and `|x|·sign(x)` is x. In: a
//! product of a derivative. Out: the same value in fewer factors, as the rule book says.

use super::product::{Factor, Product};
use super::{Simplifier, Stage};
use crate::ir::{Attrs, NodeId, Num, Op};
use crate::ops::{self, Rule};

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
        if changed {
            self.flatten(product);
            self.collect_powers(product);
        }
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
