//! Constant powers: of numbers, of powers, of products.

use super::facts;
use super::product::{Factor, Product};
use super::{Simplifier, Stage};
use crate::few::Each;
use crate::ir::{Graph, NamedConst, NodeId, Num, Op};
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

    /// `sqrt(2)*sqrt(pi) = sqrt(2*pi)`: equal powers of numbers over 0 are one, as the rule book writes them.
    pub(crate) fn join_roots(&mut self, product: &mut Product) {
        if self.stage == Stage::Value {
            return;
        }
        for at in (0..product.factors.len()).rev() {
            let Some(number) = self.root_of_number(&product.factors[at]) else { continue };
            let exponent = product.factors[at].exponent;
            let fits =
                |other: &Factor| other.exponent == exponent && is_constant(self.graph, other.base);
            let others = product.factors.iter().enumerate();
            let found = others.filter(|(other, one)| *other != at && fits(one)).map(|(at, _)| at);
            let Some(other) = found.clone().next() else { continue };
            product.factors[other].base = self.scaled(number, product.factors[other].base);
            product.factors.remove(at);
        }
    }

    /// The number of a factor that is a root of one.
    fn root_of_number(&self, factor: &Factor) -> Option<Num> {
        let root = factor.labels.is_empty() && factor.exponent.as_int().is_none();
        facts::number(self.graph, factor.base).filter(|number| root && !number.is_negative())
    }

    /// `c · node` in normal form.
    pub(crate) fn scaled(&mut self, c: Num, node: NodeId) -> NodeId {
        let scaled = self.graph.scale(c, node);
        self.normal(scaled)
    }
}

/// Whether it is a number over 0 that has a name, or a multiple of one.
fn is_constant(graph: &Graph, node: NodeId) -> bool {
    match (graph.op(node), graph.args(node)) {
        (Op::Named(NamedConst::Pi | NamedConst::E), _) => true,
        (Op::Add(terms), &[only]) => !terms[0].is_negative() && is_constant(graph, only),
        _ => false,
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
