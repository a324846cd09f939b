//! Why a line holds: rules as data, and the one table of their sentences.

use crate::ir::{Graph, NodeId, Num, Op};
use crate::ops::{self, Kind, OpId, Rule};

/// The rule behind a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The quantity's own definition.
    Definition(String),
    /// The chain rule over what the quantity is made of.
    ChainRule,
    /// The derivative of a function of the rule book.
    Function(OpId),
    /// The derivative of a constant power.
    Power(Num),
    /// Sums are differentiated term by term.
    SumRule,
    /// A product or contraction is linear in each factor.
    Linear,
    /// Entries are only moved.
    Rearranged,
    /// The local Jacobian of a quantity by the variable itself: the quantity, and the Jacobian.
    Local(NodeId, NodeId),
    /// Kronecker deltas are contracted.
    DeltaContract,
    /// A known error term is put in.
    Substitute(String),
    /// Terms are collected.
    Simplify,
    /// Rows sum to one, by a fact or by what a function gives.
    RowsSumToOne(String),
    /// The result does not depend on the variable.
    Independent,
}

/// The rule that a node's pullback applies.
pub fn reason_of(graph: &Graph, node: NodeId) -> Reason {
    match graph.op(node) {
        Op::Add(_) => Reason::SumRule,
        Op::Pow(exponent) => Reason::Power(*exponent),
        Op::Call(op, _) => Reason::Function(*op),
        Op::Einsum(_) => Reason::Linear,
        _ => Reason::Rearranged,
    }
}

impl Reason {
    /// The rule's name.
    pub fn rule(&self) -> String {
        match self {
            Reason::Definition(_) => "definition".to_string(),
            Reason::ChainRule => "chain-rule".to_string(),
            Reason::Function(op) => format!("derivative-of-{}", ops::spec(*op).name),
            Reason::Power(_) => "power-rule".to_string(),
            Reason::SumRule => "sum-rule".to_string(),
            Reason::Linear | Reason::Local(..) => "linearity".to_string(),
            Reason::Rearranged => "rearrangement".to_string(),
            Reason::DeltaContract => "delta-contract".to_string(),
            Reason::Substitute(_) => "substitution".to_string(),
            Reason::Simplify => "simplification".to_string(),
            Reason::RowsSumToOne(_) => "rows-sum-to-one".to_string(),
            Reason::Independent => "zero-by-structure".to_string(),
        }
    }

    /// How telling it is: where a line has several reasons, the first of the most telling names the line.
    pub fn rank(&self) -> usize {
        match self {
            Reason::Function(_) => 0,
            Reason::DeltaContract | Reason::RowsSumToOne(_) | Reason::Substitute(_) | Reason::Independent => 1,
            Reason::Power(_) | Reason::Definition(_) => 2,
            Reason::Linear | Reason::Local(..) => 3,
            Reason::ChainRule => 4,
            Reason::SumRule | Reason::Rearranged => 5,
            Reason::Simplify => 6,
        }
    }

    /// The sentence, in English.
    pub fn sentence(&self) -> String {
        match self {
            Reason::Definition(name) => format!("definition of {name}"),
            Reason::ChainRule => "chain rule".to_string(),
            Reason::Function(op) => function_sentence(*op),
            Reason::Power(exponent) => power_sentence(*exponent),
            Reason::SumRule => "a sum is differentiated term by term".to_string(),
            Reason::Linear | Reason::Local(..) => "a product is linear in each factor".to_string(),
            Reason::Rearranged => "entries are only moved".to_string(),
            Reason::DeltaContract => "Kronecker deltas contracted".to_string(),
            Reason::Substitute(name) => format!("{name} put in"),
            Reason::Simplify => "collected".to_string(),
            Reason::RowsSumToOne(what) => format!("uses that {what} sums to 1 along its last axis"),
            Reason::Independent => "it does not depend on the variable, so the derivative is zero by structure".to_string(),
        }
    }
}

fn power_sentence(exponent: Num) -> String {
    match exponent {
        e if e == Num::int(-1) => "derivative of a reciprocal: (1/u)' = -1/u^2".to_string(),
        Num::Rational(1, 2) => "derivative of a square root: 1/(2 sqrt(u))".to_string(),
        e if e == Num::int(2) => "power rule: (u^2)' = 2 u".to_string(),
        _ => match (exponent + Num::int(-1)).as_int() {
            Some(n) if n > 0 => format!("power rule: (u^{exponent})' = {exponent} u^{n}"),
            _ => format!("power rule: (u^({exponent}))' = {exponent} u^({})", exponent + Num::int(-1)),
        },
    }
}

fn function_sentence(op: OpId) -> String {
    let row = ops::spec(op);
    let call = format!("{}({})", row.name, row.params.join(", "));
    match (row.kind, row.rule) {
        (Kind::Elementwise, Rule::Partials([only])) => {
            format!("chain rule; with y = {call}, dy/d{} = {only}", row.params[0])
        }
        (Kind::Elementwise, Rule::Partials(partials)) => {
            let all: Vec<String> =
                row.params.iter().zip(partials).map(|(param, partial)| format!("dy/d{param} = {partial}")).collect();
            format!("chain rule; with y = {call}, {}", all.join(", "))
        }
        (_, Rule::Vjp([only])) => format!("chain rule; the pullback of y = {call} is {only}"),
        _ => format!("chain rule; derivative of {}", row.name),
    }
}
