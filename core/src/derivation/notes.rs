//! Why a line holds: rules as data, and what they say.

use crate::diff::pullback::ranks_row;
use crate::few::Each;
use crate::ir::{Graph, NodeId, Num, Op};
use crate::lower::call::formula;
use crate::ops::{self, Kind, OpId, OpSpec, Rule};
use crate::raise::Notation;
use crate::render::math::{Fence, Math, Symbol};
use crate::render::phrases::{Lang, Phrase, phrase};
use crate::render::prose::Prose;
use crate::render::{self, Context};
use crate::simplify::Rewrite;
use chainrule_grammar::ast::{Expr, ExprKind, MulOp};

/// The rule behind a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The quantity's own definition.
    Definition(String),
    /// A gradient, of a loss by a variable, is differentiated once more.
    OnceMore(String, String),
    /// The derivative of a result, or of its gradient by a variable, along directions.
    Along(String, Option<String>, Vec<String>),
    /// A Hessian times directions is the gradient of the inner product of gradients with them: the loss, and the variables with their
    /// directions.
    Paired(String, Vec<(String, String)>),
    /// The chain rule over what the quantity is made of.
    ChainRule,
    /// The derivative of a function of the rule book; of one on trailing axes, how many of them its arguments have, and its value; and the
    /// arguments by which it is taken, none for all.
    Function(OpId, Vec<usize>, Vec<usize>),
    /// The derivative of a constant power.
    Power(Num),
    /// Sums are differentiated term by term.
    SumRule,
    /// A product or contraction is linear in each factor.
    Linear,
    /// The same of a contraction that sums over an index of the variable: one term of the sum is left.
    Contraction,
    /// A product of which several factors depend on the variable.
    Product,
    /// The derivative of a function along an axis, by its cases.
    Cases(OpId),
    /// A function's value that was written out gets its name again: the named quantity.
    Written(NodeId),
    /// Entries are only moved.
    Rearranged,
    /// A scan's pullback.
    ThroughTime,
    /// The local Jacobian of a quantity by the variable itself: the quantity, and the Jacobian.
    Local(NodeId, NodeId),
    /// Kronecker deltas are contracted.
    DeltaContract,
    /// A known error term is put in.
    Substitute(String),
    /// Terms are collected.
    Simplify,
    /// The same in a spelling that keeps its digits where the one before overflows or cancels.
    Stable,
    /// Rows sum to one, by a fact or by what a function gives: those of a name, or of a softmax without one.
    RowsSumToOne(Option<String>),
    /// Rows of an identity matrix sum to one.
    PicksSumToOne,
    /// A matrix is its own transpose, by a fact.
    Symmetric(String),
    /// A matrix beside the inverse of a product with it is gone.
    Inverse,
    /// The result does not depend on the variable.
    Independent,
    /// The lines before this one are those of an earlier derivative: of a loss, by a variable.
    AsBefore(String, String),
}

/// The fact that a rewrite used, if it used one.
pub fn fact_of(graph: &Graph, rewrite: &Rewrite) -> Option<Reason> {
    let name = graph.name(rewrite.before).map(str::to_string);
    let picks = matches!(graph.op(rewrite.before), Op::Gather);
    match rewrite.rule {
        "rows-sum-to-one" if picks && name.is_none() => Some(Reason::PicksSumToOne),
        "rows-sum-to-one" => Some(Reason::RowsSumToOne(name)),
        "inverse" => Some(Reason::Inverse),
        "symmetric" => Some(Reason::Symmetric(name.unwrap_or_else(|| "a matrix".to_string()))),
        _ => None,
    }
}

/// The rule that a node's pullback applies.
pub fn reason_of(graph: &Graph, node: NodeId) -> Reason {
    match graph.op(node) {
        Op::Add(_) => Reason::SumRule,
        Op::Pow(exponent) => Reason::Power(*exponent),
        Op::Call(op, _) => Reason::Function(*op, acting_ranks(graph, node), Vec::new()),
        Op::Einsum(_) => Reason::Linear,
        Op::Scan(_) => Reason::ThroughTime,
        _ => Reason::Rearranged,
    }
}

/// Of a function on trailing axes how many of them its arguments and its value have.
fn acting_ranks(graph: &Graph, node: NodeId) -> Vec<usize> {
    let Op::Call(op, _) = graph.op(node) else { return Vec::new() };
    let Kind::Structured { ranks, .. } = ops::spec(*op).kind else { return Vec::new() };
    let mut acting = ranks[ranks_row(graph, node, ops::spec(*op).kind)].to_vec();
    let batch = graph.rank(graph.args(node)[0]) - acting[0];
    acting.push(graph.rank(node) - batch);
    acting
}

impl Reason {
    /// The same of a function that is differentiated by some of its arguments only.
    pub fn by_those(self, args: &[NodeId], asked: &dyn Fn(NodeId) -> bool) -> Reason {
        match self {
            Reason::Function(op, ranks, _) => {
                let by = (0..args.len()).filter(|at| asked(args[*at]));
                Reason::Function(op, ranks, by.collect())
            }
            other => other,
        }
    }

    /// The same where a line shows the cases of a function along an axis.
    pub fn by_cases(&self) -> Reason {
        match self {
            Reason::Function(op, ..) if matches!(ops::spec(*op).kind, Kind::Along) => {
                Reason::Cases(*op)
            }
            other => other.clone(),
        }
    }

    /// The rule's name.
    pub fn rule(&self) -> String {
        match self {
            Reason::Definition(_) => "definition".to_string(),
            Reason::OnceMore(..) => "second-derivative".to_string(),
            Reason::Along(..) | Reason::Paired(..) => "directional-derivative".to_string(),
            Reason::ChainRule => "chain-rule".to_string(),
            Reason::Function(op, ..) | Reason::Cases(op) => {
                format!("derivative-of-{}", ops::spec(*op).name)
            }
            Reason::Product => "product-rule".to_string(),
            Reason::Written(_) => "definition".to_string(),
            Reason::Power(_) => "power-rule".to_string(),
            Reason::SumRule => "sum-rule".to_string(),
            Reason::Linear | Reason::Contraction | Reason::Local(..) => "linearity".to_string(),
            Reason::Rearranged => "rearrangement".to_string(),
            Reason::ThroughTime => "back-propagation-through-time".to_string(),
            Reason::DeltaContract => "delta-contract".to_string(),
            Reason::Substitute(_) => "substitution".to_string(),
            Reason::Simplify => "simplification".to_string(),
            Reason::Stable => "stable-spelling".to_string(),
            Reason::RowsSumToOne(_) | Reason::PicksSumToOne => "rows-sum-to-one".to_string(),
            Reason::Symmetric(_) => "symmetric".to_string(),
            Reason::Inverse => "inverse".to_string(),
            Reason::Independent => "zero-by-structure".to_string(),
            Reason::AsBefore(..) => "as-before".to_string(),
        }
    }

    /// How telling it is: where a line has several reasons, the first of the most telling names the line.
    pub fn rank(&self) -> usize {
        match self {
            Reason::Function(..) | Reason::Cases(_) | Reason::ThroughTime => 0,
            Reason::DeltaContract
            | Reason::Stable
            | Reason::RowsSumToOne(_)
            | Reason::PicksSumToOne
            | Reason::Symmetric(_)
            | Reason::Substitute(_)
            | Reason::Inverse
            | Reason::Independent => 1,
            Reason::Power(_)
            | Reason::Product
            | Reason::Definition(_)
            | Reason::OnceMore(..)
            | Reason::AsBefore(..)
            | Reason::Along(..)
            | Reason::Paired(..) => 2,
            Reason::Linear | Reason::Contraction | Reason::Local(..) | Reason::Written(_) => 3,
            Reason::ChainRule => 4,
            Reason::SumRule | Reason::Rearranged => 5,
            Reason::Simplify => 6,
        }
    }

    /// The sentence; `taken` says which letters are names of the program.
    pub fn sentence(&self, taken: &dyn Fn(&str) -> bool, lang: Lang) -> Prose {
        let name = |name: &str| vec![("name", Prose::math(render::name(name)))];
        let (said, holes) = match self {
            Reason::Definition(of) => (Phrase::Definition, name(of)),
            Reason::OnceMore(of, wrt) => {
                (Phrase::OnceMore, vec![("gradient", Prose::math(render::inline_partial(of, wrt)))])
            }
            Reason::AsBefore(of, wrt) => {
                (Phrase::AsBefore, vec![("gradient", Prose::math(render::inline_partial(of, wrt)))])
            }
            Reason::Along(of, wrt, directions) => {
                let what = match wrt {
                    Some(wrt) => render::inline_partial(of, wrt),
                    None => render::name(of),
                };
                let names = directions.iter().map(|name| Prose::math(render::name(name)));
                let names = Prose::join(names.collect(), phrase(Phrase::Comma, lang));
                (Phrase::Along, vec![("what", Prose::math(what)), ("direction", names)])
            }
            Reason::Paired(of, moves) => {
                let names = moves.each(|(_, direction)| Prose::math(render::name(direction)));
                let names = Prose::join(names, phrase(Phrase::Comma, lang));
                let inner = Prose::math(pairings(of, moves));
                (Phrase::Paired, vec![("direction", names), ("inner", inner)])
            }
            Reason::ChainRule => (Phrase::ChainRule, vec![]),
            Reason::Function(op, ranks, by) => {
                return function_sentence(*op, ranks, by, taken, lang);
            }
            Reason::Power(exponent) => {
                (Phrase::Power, vec![("formula", Prose::math(power_rule(*exponent)))])
            }
            Reason::Product => (Phrase::Product, vec![("formula", Prose::math(product_rule()))]),
            Reason::Cases(op) => {
                let name = Prose::words(ops::spec(*op).name.replace('_', " "));
                (Phrase::ByCases, vec![("function", name)])
            }
            Reason::Written(_) => return Prose::default(),
            Reason::SumRule => (Phrase::SumRule, vec![]),
            Reason::Linear | Reason::Local(..) => (Phrase::Linear, vec![]),
            Reason::Contraction => (Phrase::TermLeft, vec![]),
            Reason::Rearranged => (Phrase::Moved, vec![]),
            Reason::ThroughTime => (Phrase::ThroughTime, vec![]),
            Reason::DeltaContract => (Phrase::DeltasContracted, vec![]),
            Reason::Substitute(of) => (Phrase::PutIn, name(of)),
            Reason::Simplify => (Phrase::Collected, vec![]),
            Reason::Stable => (Phrase::StableSpelling, vec![]),
            Reason::RowsSumToOne(None) => (Phrase::SomeRowsSumToOne, vec![]),
            Reason::RowsSumToOne(Some(what)) => (Phrase::RowsSumToOne, name(what)),
            Reason::PicksSumToOne => (Phrase::PicksSumToOne, vec![]),
            Reason::Symmetric(what) => (Phrase::Symmetric, name(what)),
            Reason::Inverse => {
                (Phrase::InverseOfProduct, vec![("formula", Prose::math(inverse_rule()))])
            }
            Reason::Independent => (Phrase::Independent, vec![]),
        };
        Prose::fill(phrase(said, lang), &holes)
    }
}

/// A formula of the rule book, and how it is set: over single entries.
fn set(expr: &Expr, lang: Lang) -> Math {
    let unknown = |_: &str| None;
    render::layout(expr, &Context { rank: &unknown, notation: Notation::Index, lang })
}

/// `(u v)' = u' v + u v'`
fn product_rule() -> Math {
    let ident = |name: &str| Math::Ident(name.to_string());
    let prime = |of: Math| Math::superscript(of, Math::Symbol(Symbol::Prime));
    let times = |a: Math, b: Math| [a, Math::Thin, b];
    let left = prime(Math::fenced(Math::Row(times(ident("u"), ident("v")).to_vec())));
    let mut right = times(prime(ident("u")), ident("v")).to_vec();
    right.push(Math::Symbol(Symbol::Plus));
    right.extend(times(ident("u"), prime(ident("v"))));
    Math::equation(left, Math::Row(right))
}

/// `(U V)^-1 = V^-1 U^-1`
fn inverse_rule() -> Math {
    let ident = |name: &str| Math::Ident(name.to_string());
    let minus_one = || Math::Row(vec![Math::Symbol(Symbol::Minus), Math::Num("1".to_string())]);
    let inverse = |of: Math| Math::superscript(of, minus_one());
    let pair = |a: Math, b: Math| Math::Row(vec![a, Math::Thin, b]);
    let left = inverse(Math::fenced(pair(ident("U"), ident("V"))));
    Math::equation(left, pair(inverse(ident("V")), inverse(ident("U"))))
}

/// `(u^3)' = 3 u^2 u'`
fn power_rule(exponent: Num) -> Math {
    let u = || Math::Ident("u".to_string());
    let number = |num: Num| set(&formula_of(num), Lang::En);
    let power = |num: Num| match num == Num::int(1) {
        true => u(),
        false => Math::superscript(u(), number(num)),
    };
    let prime = |of: Math| Math::superscript(of, Math::Symbol(Symbol::Prime));
    let over =
        |above: Math, below: Math| Math::Row(vec![above, Math::Symbol(Symbol::Slash), below]);
    let one = || Math::Num("1".to_string());
    let du = || prime(u());
    let lower = exponent + Num::int(-1);
    let (left, right) = if exponent == Num::int(-1) {
        let square = Math::superscript(u(), Math::Num("2".to_string()));
        (over(one(), u()), Math::Row(vec![Math::Symbol(Symbol::Minus), over(du(), square)]))
    } else if exponent == Num::Rational(1, 2) {
        let root = || Math::Root(None, Box::new(u()));
        let twice = Math::fenced(Math::Row(vec![Math::Num("2".to_string()), root()]));
        (root(), over(du(), twice))
    } else {
        let factor = match exponent.as_int() {
            Some(_) => number(exponent),
            _ => Math::fenced(number(exponent)),
        };
        (power(exponent), Math::Row(vec![factor, Math::Thin, power(lower), Math::Thin, du()]))
    };
    Math::equation(prime(Math::fenced(left)), right)
}

/// A number as the language writes it: `-3/2`.
fn formula_of(num: Num) -> Expr {
    let text = num.to_string();
    chainrule_grammar::parse_expr(&text)
        .unwrap_or_else(|_| Expr::synthetic(chainrule_grammar::ast::ExprKind::Num(text)))
}

/// Letters for the quantities of a rule that the program has not given to its own.
const FREE: [&str; 10] = ["u", "v", "r", "s", "p", "q", "g", "h", "w", "z"];

/// What the parameters of a function and its value `y` are called in reasons: `u` and `v` for x and y, as in the product rule, and no
/// letter that is a name of the program. Matrices have capitals.
fn rule_letters(
    row: &OpSpec,
    ranks: &[usize],
    taken: &dyn Fn(&str) -> bool,
) -> Vec<(&'static str, String)> {
    let mut letters: Vec<(&str, String)> = Vec::new();
    for (at, &old) in row.params.iter().chain(&["y"]).enumerate() {
        let own = match old {
            "x" => "u",
            "y" => "v",
            other => other,
        };
        let matrix = ranks.get(at).is_some_and(|rank| *rank == 2);
        let set = |letter: &str| match matrix {
            true => letter.to_uppercase(),
            false => letter.to_string(),
        };
        let used =
            |letter: &String| letters.iter().any(|(_, new)| new.eq_ignore_ascii_case(letter));
        let free = |letter: &String| !taken(letter) && !used(letter);
        let new = std::iter::once(own).chain(FREE).map(set).find(free);
        letters.push((old, new.unwrap_or_else(|| set(own))));
    }
    letters
}

fn function_sentence(
    op: OpId,
    ranks: &[usize],
    by: &[usize],
    taken: &dyn Fn(&str) -> bool,
    lang: Lang,
) -> Prose {
    let row = ops::spec(op);
    let asked = |at: usize| by.is_empty() || by.contains(&at);
    let letters = rule_letters(row, ranks, taken);
    let called = |old: &str| {
        let (plain, bar) = old.strip_suffix("_bar").map_or((old, ""), |plain| (plain, "_bar"));
        let new = &letters.iter().find(|(known, _)| *known == plain)?.1;
        Some(format!("{new}{bar}"))
    };
    let name = |old: &str| render::name(&called(old).unwrap_or_default());
    let told = |text: &'static str| {
        let mut told = formula(text).as_ref().clone();
        told.rename_names(&called);
        divide(&mut told);
        set(&told, lang)
    };
    let named = |param: &str| Expr::name(called(param).unwrap_or_default());
    let params = row.params.each(|param| named(param));
    let call = Math::equation(name("y"), set(&Expr::call(row.name, params), lang));
    let partial = |param: &str, text: &'static str| {
        let slope = Math::Row(vec![
            Math::differential(name("y")),
            Math::Symbol(Symbol::Slash),
            Math::differential(name(param)),
        ]);
        Prose::math(Math::equation(slope, told(text)))
    };
    let (said, holes) = match (row.kind, row.rule) {
        (Kind::Elementwise, Rule::Partials(partials)) => {
            let all = row.params.iter().zip(partials).enumerate();
            let all =
                all.filter(|(at, _)| asked(*at)).map(|(_, (param, text))| partial(param, text));
            let all = Prose::join(all.collect(), phrase(Phrase::Comma, lang));
            (Phrase::WithRule, vec![("call", Prose::math(call)), ("partials", all)])
        }
        (_, Rule::Vjp(_) | Rule::VjpByRank(_)) => {
            let formulas = pullbacks(row, ranks);
            let parts = row.params.iter().zip(formulas).enumerate();
            let parts = parts.filter(|(at, (_, text))| **text != "0" && asked(*at));
            let all = parts.map(|(_, (param, text))| {
                let bar = format!("{}_bar", called(param).unwrap_or_default());
                Prose::math(Math::equation(render::name(&bar), told(text)))
            });
            let all = Prose::join(all.collect(), phrase(Phrase::Comma, lang));
            (Phrase::WithRule, vec![("call", Prose::math(call)), ("partials", all)])
        }
        (_, Rule::Zero) => {
            let applied = Expr::call(row.name, row.params.each(|param| named(param)));
            (Phrase::FlatFunction, vec![("function", Prose::math(set(&applied, lang)))])
        }
        (_, rule) => {
            let said = if rule.is_flat() { Phrase::HeldFunction } else { Phrase::DerivativeOf };
            (said, vec![("function", Prose::words(row.name.replace('_', " ")))])
        }
    };
    Prose::fill(phrase(said, lang), &holes)
}

/// The pullbacks of a function whose arguments have so many trailing axes.
fn pullbacks(row: &OpSpec, ranks: &[usize]) -> &'static [&'static str] {
    match (row.rule, row.kind) {
        (Rule::Vjp(formulas), _) => formulas,
        (Rule::VjpByRank(rows), Kind::Structured { ranks: wanted, .. }) => {
            let fits = wanted.iter().position(|wanted| ranks.starts_with(wanted));
            rows[fits.unwrap_or(0)]
        }
        _ => &[],
    }
}

/// Factors that are reciprocals as what is divided by: `v̄/v` for `v̄ 1/v`.
fn divide(expr: &mut Expr) {
    if let ExprKind::Product(_, rest) = &mut expr.kind {
        for (op, factor) in rest {
            if let ExprKind::Call { func, args, .. } = &mut factor.kind
                && matches!(op, MulOp::Mul)
                && ops::lookup(&func.name, 1).is_some_and(|(_, row)| row.guarded)
                && args.len() == 1
            {
                (*op, *factor) = (MulOp::Div, args.remove(0));
            }
        }
    }
}

/// `⟨a, b⟩`
pub(super) fn paired(a: Math, b: Math) -> Math {
    let pair = vec![a, Math::Symbol(Symbol::Comma), Math::Thin, b];
    Math::Fence(Fence::Angle, Box::new(Math::Row(pair)))
}

/// `⟨∂E/∂w, ẇ⟩ + ⟨∂E/∂b, ḃ⟩`
pub(super) fn pairings(of: &str, moves: &[(String, String)]) -> Math {
    let mut sum = Vec::new();
    for (wrt, direction) in moves {
        let plus = (!sum.is_empty()).then_some(Math::Symbol(Symbol::Plus));
        sum.extend(plus);
        sum.push(paired(render::inline_partial(of, wrt), render::name(direction)));
    }
    Math::Row(sum)
}
