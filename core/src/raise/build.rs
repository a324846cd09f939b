//! Small constructors of syntax, and [`Term`]: a signed product on its way to an expression. Nothing here knows the graph but
//! sizes and numbers; every formula that the raiser prints is put together from these.

use crate::few::Each;
use crate::ir::ty::DimId;
use crate::ir::{Dim, Num};
use crate::ops;
use chainrule_grammar::Span;
use chainrule_grammar::ast::{AddOp, Binder, CompareOp, Expr, ExprKind, Ident, IndexItem, MulOp};

/// A name of no place.
pub(super) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::default())
}

/// `func[binders](arg)`
pub(super) fn bind(func: &str, bound: Vec<Binder>, arg: Expr) -> Expr {
    Expr::synthetic(ExprKind::Call {
        func: ident(func),
        bound,
        args: vec![arg],
        kwargs: Vec::new(),
    })
}

/// `func(args…, kwargs…)`
pub(super) fn call_with(func: &str, args: Vec<Expr>, kwargs: Vec<(&str, Expr)>) -> Expr {
    let kwargs = kwargs.into_iter().map(|(name, value)| (ident(name), value)).collect();
    Expr::synthetic(ExprKind::Call { func: ident(func), bound: Vec::new(), args, kwargs })
}

/// `base[items]`; the base itself where they are whole axes, and `x[:, 1]` for `x[:, 1:][:, 0]`.
pub(super) fn at(base: Expr, mut items: Vec<IndexItem>) -> Expr {
    while items.last().is_some_and(|item| *item == whole_axis()) {
        items.pop();
    }
    if items.is_empty() {
        return base;
    }
    if let ExprKind::Index(whole, first) = &base.kind
        && let Some(items) = read_within(first, &items)
    {
        return at(whole.as_ref().clone(), items);
    }
    Expr::synthetic(ExprKind::Index(Box::new(base), items))
}

/// The places that are read at `second` of what is read at `first`, where they are as simple as these.
fn read_within(first: &[IndexItem], second: &[IndexItem]) -> Option<Vec<IndexItem>> {
    let number = |expr: &Expr| match &expr.kind {
        ExprKind::Num(text) => text.parse::<u32>().ok(),
        _ => None,
    };
    let mut second = second.iter();
    let mut items = Vec::new();
    for item in first {
        items.push(match item {
            // What is no number may be integers, which pick a row each: the axis is still there.
            IndexItem::At(place) => number(place).map(|_| item.clone())?,
            IndexItem::Slice(from, _, step) => match second.next() {
                Some(IndexItem::At(place)) if step.is_none() => {
                    let from = from.as_ref().map_or(Some(0), number)?;
                    IndexItem::At(Expr::num(from.checked_add(number(place)?)?.to_string()))
                }
                Some(part) if *part != whole_axis() => return None,
                _ => item.clone(),
            },
            _ => return None,
        });
    }
    items.extend(second.cloned());
    Some(items)
}

/// `:`
pub(super) fn whole_axis() -> IndexItem {
    IndexItem::Slice(None, None, None)
}

/// A matrix or a vector in a product of such.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    /// The expression.
    pub expr: Expr,
    /// Whether it is its own transpose.
    pub symmetric: bool,
}

impl Operand {
    /// Its transpose.
    pub fn transposed(self) -> Operand {
        match self.symmetric {
            true => self,
            false => Operand { expr: transposed(self.expr), symmetric: false },
        }
    }
}

/// `e.T` of a matrix, and `e` for `e.T` itself and for what is symmetric as it stands.
fn transposed(expr: Expr) -> Expr {
    match expr.kind {
        ExprKind::Call { ref func, .. } if matches!(func.name.as_str(), "eye" | "diag") => expr,
        ExprKind::Transpose(inner) => *inner,
        kind => Expr::synthetic(ExprKind::Transpose(Box::new(Expr::synthetic(kind)))),
    }
}

/// `a < b`
pub(super) fn compare(op: CompareOp, a: Expr, b: Expr) -> Expr {
    Expr::synthetic(ExprKind::Compare(op, Box::new(a), Box::new(b)))
}

/// `a ^ b`
pub(super) fn power(a: Expr, b: Expr) -> Expr {
    Expr::synthetic(ExprKind::Pow(Box::new(a), Box::new(b)))
}

/// `-e`, the sign on the first factor of a product.
pub(super) fn negated(expr: Expr) -> Expr {
    match expr.kind {
        ExprKind::Product(first, rest) => {
            Expr::synthetic(ExprKind::Product(Box::new(negated(*first)), rest))
        }
        kind => Expr::synthetic(ExprKind::Neg(Box::new(Expr::synthetic(kind)))),
    }
}

/// A chain of factors; the first operator is not shown.
pub(super) fn product(factors: Vec<(MulOp, Expr)>) -> Expr {
    let mut factors = factors.into_iter();
    let Some((_, first)) = factors.next() else { return Expr::num("1") };
    let rest: Vec<(MulOp, Expr)> = factors.collect();
    if rest.is_empty() {
        return first;
    }
    Expr::synthetic(ExprKind::Product(Box::new(first), rest))
}

/// Terms with their signs (`true` for minus). A positive term comes first if there is one.
pub(super) fn signed_sum(mut terms: Vec<(bool, Expr)>) -> Expr {
    if let Some(at) = terms.iter().position(|(minus, _)| !minus) {
        let first = terms.remove(at);
        terms.insert(0, first);
    }
    let mut terms = terms.into_iter();
    let Some((minus, first)) = terms.next() else { return Expr::num("0") };
    let first = if minus { negated(first) } else { first };
    let rest: Vec<(AddOp, Expr)> =
        terms.map(|(minus, term)| (if minus { AddOp::Sub } else { AddOp::Add }, term)).collect();
    if rest.is_empty() {
        return first;
    }
    Expr::synthetic(ExprKind::Sum(Box::new(first), rest))
}

/// A number that is not negative, as numerator and denominator where it is written as a fraction.
fn fraction(value: Num) -> (Expr, Option<Expr>) {
    match value {
        Num::Rational(n, d) if d != 1 && !crate::ir::num::is_decimal(d) => {
            (Expr::num(n.to_string()), Some(Expr::num(d.to_string())))
        }
        Num::Real(value) if value.is_infinite() => (Expr::name("inf"), None),
        value => (Expr::num(value.to_string()), None),
    }
}

/// Any number.
pub(super) fn number(value: Num) -> Expr {
    Term::number(value).expr()
}

/// A size.
pub(super) fn dim_expr(dim: &Dim, name: &dyn Fn(DimId) -> String) -> Expr {
    let terms = dim.terms.iter().rev().map(|(names, value)| {
        let over = names.each(|&id| Expr::name(name(id)));
        Term { coefficient: *value, over, ..Term::one() }.signed()
    });
    signed_sum(terms.collect())
}

/// `coefficient · over… · (chain) / under…`
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// The number in front.
    pub coefficient: Num,
    /// What is multiplied, in order.
    pub over: Vec<Expr>,
    /// The operands of a matrix product that ends the numerator; if there is one, `over` and `under` are scalars.
    pub chain: Vec<Operand>,
    /// What it is divided by.
    pub under: Vec<Expr>,
    /// What it is divided by where that is not 0; where it is, the whole is 0 (before it is divided by `under`).
    pub guards: Vec<Guard>,
}

/// What a term is divided by where it is not 0.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The divisor.
    pub of: Expr,
    /// To which power.
    pub power: Num,
    /// Whether it is the same number wherever it stands in the term.
    pub single: bool,
}

impl Term {
    /// 1
    pub fn one() -> Term {
        Term {
            coefficient: Num::ONE,
            over: Vec::new(),
            chain: Vec::new(),
            under: Vec::new(),
            guards: Vec::new(),
        }
    }

    /// A number.
    pub fn number(value: Num) -> Term {
        Term { coefficient: value, ..Term::one() }
    }

    /// A single factor.
    pub fn of(expr: Expr) -> Term {
        Term { over: vec![expr], ..Term::one() }
    }

    /// Multiplied by `expr ^ power`; a negative power goes into the denominator, as people write it.
    pub fn times(&mut self, expr: Expr, exponent: Num) {
        self.close();
        let (size, side) = if exponent.is_negative() {
            (-exponent, &mut self.under)
        } else {
            (exponent, &mut self.over)
        };
        side.push(powered(expr, size));
    }

    /// Multiplied by another term.
    pub fn absorb(&mut self, other: Term) {
        self.close();
        self.coefficient = self.coefficient * other.coefficient;
        self.over.extend(other.over);
        if !other.chain.is_empty() {
            self.over.push(chained(other.chain));
        }
        self.under.extend(other.under);
        self.guards.extend(other.guards);
    }

    /// `where(a != 0, over… / a, 0)` for everything that stands over the line, once for each guard.
    fn guard(&mut self) {
        for Guard { of, power, single } in std::mem::take(&mut self.guards) {
            let whole = Term {
                coefficient: Num::ONE,
                under: vec![powered(of.clone(), power)],
                over: std::mem::take(&mut self.over),
                chain: std::mem::take(&mut self.chain),
                ..Term::one()
            };
            let differs = compare(CompareOp::Ne, of, Expr::num("0"));
            let mut whole = whole.expr();
            if single {
                decide(&mut whole, &differs);
            }
            self.over = vec![Expr::call(choice_name(), vec![differs, whole, Expr::num("0")])];
        }
    }

    /// The matrix product as an ordinary factor.
    fn close(&mut self) {
        if !self.chain.is_empty() {
            self.over.push(chained(std::mem::take(&mut self.chain)));
        }
    }

    /// Whether it is negative, and the expression without that sign.
    pub fn signed(mut self) -> (bool, Expr) {
        self.guard();
        let minus = self.coefficient.is_negative();
        let size = if minus { -self.coefficient } else { self.coefficient };
        let mut factors: Vec<(MulOp, Expr)> = Vec::new();
        let mut under = self.under;
        let (n, mut d) = fraction(size);
        let alone = self.over.is_empty() && self.chain.is_empty();
        // A fraction has one line: `a / (5 * B)` rather than `1/5 * a / B`.
        let joined = if under.is_empty() { None } else { d.take() };
        let whole = size.is_one() || joined.is_some() && matches!(size, Num::Rational(1, _));
        under.splice(0..0, joined);
        if !whole || alone {
            factors.push((MulOp::Mul, n));
            factors.extend(d.map(|d| (MulOp::Div, d)));
        }
        factors.extend(self.over.into_iter().map(|factor| (MulOp::Mul, factor)));
        factors.extend(
            self.chain
                .into_iter()
                .enumerate()
                .map(|(k, one)| (if k == 0 { MulOp::Mul } else { MulOp::MatMul }, one.expr)),
        );
        let divisors = under.into_iter().map(|factor| (MulOp::Mul, factor)).collect::<Vec<_>>();
        if !divisors.is_empty() {
            factors.push((MulOp::Div, product(divisors)));
        }
        (minus, product(factors))
    }

    /// The expression.
    pub fn expr(self) -> Expr {
        match self.signed() {
            (true, expr) => negated(expr),
            (false, expr) => expr,
        }
    }
}

/// What the rule book calls a choice.
fn choice_name() -> &'static str {
    ops::spec(ops::choice()).name
}

/// A formula where a condition holds: choices on the same condition within it are made.
fn decide(expr: &mut Expr, condition: &Expr) {
    while let ExprKind::Call { func, args, .. } = &mut expr.kind
        && func.name == choice_name()
        && args.first() == Some(condition)
    {
        *expr = args.swap_remove(1);
    }
    expr.children_mut(&mut |inner| decide(inner, condition));
}

/// `a @ b @ c`
pub(super) fn chained(operands: Vec<Operand>) -> Expr {
    product(operands.into_iter().map(|operand| (MulOp::MatMul, operand.expr)).collect())
}

/// `base ^ exponent` for an exponent over 0.
fn powered(base: Expr, exponent: Num) -> Expr {
    match exponent {
        Num::Rational(1, 1) => base,
        Num::Rational(1, 2) => Expr::call("sqrt", vec![base]),
        exponent => power(base, number(exponent)),
    }
}
