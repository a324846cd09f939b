//! Why a line holds: rules as data, and the one table of their sentences.

use crate::ir::{Graph, NodeId, Num, Op};
use crate::lower::call::formula;
use crate::ops::{self, Kind, OpId, Rule};
use crate::raise::Notation;
use crate::render::{self, Context};
use chainrule_grammar::ast::Expr;

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
            Reason::DeltaContract
            | Reason::RowsSumToOne(_)
            | Reason::Substitute(_)
            | Reason::Independent => 1,
            Reason::Power(_) | Reason::Definition(_) => 2,
            Reason::Linear | Reason::Local(..) => 3,
            Reason::ChainRule => 4,
            Reason::SumRule | Reason::Rearranged => 5,
            Reason::Simplify => 6,
        }
    }

    /// The sentence, in English.
    pub fn sentence(&self, say: Say) -> String {
        match self {
            Reason::Definition(name) => format!("definition of {}", say.name(name)),
            Reason::ChainRule => "chain rule".to_string(),
            Reason::Function(op) => function_sentence(*op, say),
            Reason::Power(exponent) => power_sentence(*exponent, say),
            Reason::SumRule => "a sum is differentiated term by term".to_string(),
            Reason::Linear | Reason::Local(..) => "a product is linear in each factor".to_string(),
            Reason::Rearranged => "entries are only moved".to_string(),
            Reason::DeltaContract => "Kronecker deltas contracted".to_string(),
            Reason::Substitute(name) => format!("{} put in", say.name(name)),
            Reason::Simplify => "collected".to_string(),
            Reason::RowsSumToOne(what) => {
                format!("uses that {} sums to 1 along its last axis", say.name(what))
            }
            Reason::Independent => {
                "it does not depend on the variable, so the derivative is zero by structure"
                    .to_string()
            }
        }
    }
}

/// How a sentence writes its formulas: in the language, or in LaTeX between dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Plain text.
    Plain,
    /// Running text of LaTeX.
    Latex,
}

impl Say {
    /// A name of the program.
    pub fn name(self, name: &str) -> String {
        match self {
            Say::Plain => name.to_string(),
            Say::Latex if name.contains(' ') => name.to_string(),
            Say::Latex => format!("${}$", render::name_latex(name)),
        }
    }

    /// A formula of the rule book.
    fn formula(self, text: &'static str) -> String {
        match self {
            Say::Plain => text.to_string(),
            Say::Latex => {
                let scalar = |_: &str| Some(0);
                let context = Context { rank: &scalar, notation: Notation::Index };
                format!("${}$", render::latex(&formula(text), &context))
            }
        }
    }
}

fn power_sentence(exponent: Num, say: Say) -> String {
    let lower = exponent + Num::int(-1);
    let (plain, latex) = match (exponent.as_int(), lower.as_int()) {
        (Some(-1), _) => ("(1/u)' = -1/u^2".to_string(), r"(1/u)' = -1/u^2".to_string()),
        (Some(2), _) => ("(u^2)' = 2 u".to_string(), "(u^2)' = 2u".to_string()),
        (Some(n), Some(m)) if m > 0 => {
            (format!("(u^{n})' = {n} u^{m}"), format!("(u^{{{n}}})' = {n}u^{{{m}}}"))
        }
        _ if exponent == Num::Rational(1, 2) => {
            ("sqrt(u)' = 1/(2 sqrt(u))".to_string(), r"\sqrt{u}' = 1/(2\sqrt{u})".to_string())
        }
        _ => (
            format!("(u^({exponent}))' = {exponent} u^({lower})"),
            format!("(u^{{{exponent}}})' = ({exponent})u^{{{lower}}}"),
        ),
    };
    match say {
        Say::Plain => format!("power rule: {plain}"),
        Say::Latex => format!("power rule: ${latex}$"),
    }
}

fn function_sentence(op: OpId, say: Say) -> String {
    let row = ops::spec(op);
    let call = match say {
        Say::Plain => format!("y = {}({})", row.name, row.params.join(", ")),
        Say::Latex => {
            let call =
                Expr::call(row.name, row.params.iter().map(|param| Expr::name(*param)).collect());
            let scalar = |_: &str| Some(0);
            let context = Context { rank: &scalar, notation: Notation::Index };
            format!("$y = {}$", render::latex(&call, &context))
        }
    };
    let partial = |param: &str, text: &'static str| match say {
        Say::Plain => format!("dy/d{param} = {text}"),
        Say::Latex => format!("$\\mathrm{{d}}y/\\mathrm{{d}}{param} = $ {}", say.formula(text)),
    };
    match (row.kind, row.rule) {
        (Kind::Elementwise, Rule::Partials(partials)) => {
            let all: Vec<String> =
                row.params.iter().zip(partials).map(|(param, text)| partial(param, text)).collect();
            format!("chain rule; with {call}, {}", all.join(", "))
        }
        (_, Rule::Vjp([only])) => {
            format!("chain rule; the pullback of {call} is {}", say.formula(only))
        }
        _ => format!("chain rule; derivative of {}", row.name.replace('_', " ")),
    }
}
