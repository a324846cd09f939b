//! Constant powers: of numbers, of powers, of products.

use super::Simplifier;
use super::facts;
use crate::few::Each;
use crate::ir::{Graph, NodeId, Num, Op};
use crate::ops;

impl Simplifier<'_> {
    /// The normal form of `base ^ exponent`.
    pub(crate) fn power(&mut self, base: NodeId, exponent: Num) -> NodeId {
        if exponent.is_zero() {
            let shape = self.graph.shape(base).clone();
            return self.graph.ones(&shape);
        }
        if exponent.is_one() {
            return base;
        }
        let whole = exponent.as_int();
        if let Some(power) =
            facts::number(self.graph, base).and_then(|value| number_power(value, exponent))
        {
            let shape = self.graph.shape(base).clone();
            return constant(self.graph, power, &shape);
        }
        if self.is_atom(base) {
            return self.graph.pow(base, exponent);
        }
        let args = self.graph.args(base).to_vec();
        match self.graph.op(base).clone() {
            // (x^a)^n = x^(a·n) for whole n, where roots do not vanish; (x^a)^(1/2) may be |x|.
            Op::Pow(inner)
                if whole.is_some_and(|_| self.power_of_power(args[0], inner, exponent))
                    || facts::positive(self.graph, args[0]) =>
            {
                let new = self.power(args[0], inner * exponent);
                self.record("power-of-power", base, new);
                new
            }
            // ‖x‖² = Σ x², which is smooth at the origin; so for every even power.
            Op::Call(op, attrs)
                if ops::spec(op).root_of_squares && whole.is_some_and(|n| n % 2 == 0) =>
            {
                let squared = self.power(args[0], Num::int(2));
                let labels: Vec<u32> = (0..self.graph.rank(squared) as u32).collect();
                let out: Vec<u32> = labels
                    .iter()
                    .copied()
                    .filter(|axis| !attrs.axes.contains(&(*axis as usize)))
                    .collect();
                let sum = self.graph.einsum(&[(squared, labels)], &out, &[]);
                let sum = self.normal(sum);
                let half = Num::ratio(1, 2).map_or(exponent, |half| half * exponent);
                let new = self.power(sum, half);
                self.record("norm-squared", base, new);
                new
            }
            // (c·x)^n = c^n · x^n
            Op::Add(coefficients)
                if args.len() == 1 && (whole.is_some() || !coefficients[0].is_negative()) =>
            {
                match number_power(coefficients[0], exponent) {
                    Some(outside) => {
                        let inside = self.power(args[0], exponent);
                        self.scaled(outside, inside)
                    }
                    None => self.graph.pow(base, exponent),
                }
            }
            // (a·b)^n = a^n · b^n for whole n; a single factor that is only read in another order for any power.
            Op::Einsum(e) if e.bound().is_empty() && (whole.is_some() || args.len() == 1) => {
                let powers: Vec<NodeId> = args.each(|&arg| self.power(arg, exponent));
                let product = self.graph.with_args(base, powers);
                self.normal(product)
            }
            _ => self.graph.pow(base, exponent),
        }
    }

    /// `c · node` in normal form.
    pub(crate) fn scaled(&mut self, c: Num, node: NodeId) -> NodeId {
        let scaled = self.graph.scale(c, node);
        self.normal(scaled)
    }
}

/// A number repeated to a shape.
pub(crate) fn constant(graph: &mut Graph, value: Num, shape: &[crate::ir::Dim]) -> NodeId {
    if shape.is_empty() {
        return graph.constant(value);
    }
    let ones = graph.ones(shape);
    graph.scale(value, ones)
}

/// A number to a constant power where that is exact.
fn number_power(value: Num, exponent: Num) -> Option<Num> {
    if let Some(n) = exponent.as_int() {
        return value.powi(n);
    }
    let (Num::Rational(n, d), Num::Rational(p, 2)) = (value, exponent) else { return None };
    let root = |whole: i128| -> Option<i128> {
        let near = (whole as f64).sqrt().round() as i128;
        (whole >= 0 && near.checked_mul(near) == Some(whole)).then_some(near)
    };
    Num::ratio(root(n)?, root(d)?)?.powi(p)
}
