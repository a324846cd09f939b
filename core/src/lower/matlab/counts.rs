//! Sizes by name that are declared nowhere: `sum(S)/n` is a mean over the rows of `S`, `Q*K'/sqrt(m)` is scaled by what the product
//! sums over, and `T + a/k` spreads `a` over the entries of a row.
//!
//! In: a product or a sum as it is written. Out: a note that the name is a size, which [`letters`](super::letters) may declare.

use super::super::Lowerer;
use crate::ir::Dim;
use crate::ops::{self, Kind};
use chainrule_grammar::ast::{AddOp, Expr, ExprKind, Ident, MulOp};

/// A name that is declared nowhere and stands for a size.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    /// The name.
    pub name: Ident,
    /// The size that it is taken for.
    pub dim: Dim,
    /// What that size counts, in words.
    pub counts: &'static str,
}

const ROWS: &str = "the number of rows that are summed";
const INNER: &str = "the size over which the product sums";
const SHARES: &str = "the number of entries that share what it divides";

impl Lowerer<'_> {
    /// Notes the names that divide a sum or, in a function, a matrix product, and are declared nowhere: `sum(S)/n`, `1/(2*n)*sum(S)`,
    /// `Q*K'/sqrt(m)`.
    pub(super) fn note_divisors(&mut self, first: &Expr, rest: &[(MulOp, Expr)]) {
        let factors = || std::iter::once(first).chain(rest.iter().map(|(_, factor)| factor));
        let names = divisors(first, rest);
        if let Some(over) = factors().find_map(summed) {
            for name in &names {
                self.note_rows(name, over);
            }
        }
        let pairs = factors().zip(rest);
        for name in names.iter().filter_map(|name| inside(name)) {
            for (left, (op, right)) in pairs.clone() {
                if matches!(op, MulOp::Mul | MulOp::MatMul) {
                    self.note_inner(name, left, right);
                }
            }
        }
    }

    /// Notes the names that are taken from a sum (each row has a constant part), or divide a scalar that is added to a matrix (each
    /// entry of a row has its share), and are declared nowhere.
    pub(super) fn note_terms(&mut self, first: &Expr, rest: &[(AddOp, Expr)]) {
        if let Some(over) = summed(first) {
            for (_, term) in rest {
                self.note_rows(term, over);
            }
        }
        let terms = || std::iter::once(first).chain(rest.iter().map(|(_, term)| term));
        for term in terms() {
            let Some(name) = self.share(term) else { continue };
            let mut others = terms().filter(|other| !std::ptr::eq(*other, term));
            if let Some(dim) = others.find_map(|other| self.entries_of_row(other)) {
                self.note(name, dim, SHARES);
            }
        }
    }

    /// The name by which a term divides a scalar: the `k` of `a/k`.
    fn share<'e>(&mut self, term: &'e Expr) -> Option<&'e Expr> {
        let ExprKind::Product(first, rest) = &term.kind else { return None };
        let name = divisors(first, rest).into_iter().find(|name| self.is_open(name))?;
        let mut factors = std::iter::once(&**first).chain(rest.iter().map(|(_, factor)| factor));
        let scalar = |factor: &Expr| {
            std::ptr::eq(factor, name)
                || self.operand(factor).is_ok_and(|operand| self.is_scalar(&operand))
        };
        factors.all(scalar).then_some(name)
    }

    fn note_rows(&mut self, name: &Expr, over: &Expr) {
        if let Some(over) = self.is_open(name).then(|| self.operand(over).ok()).flatten() {
            let [rows, columns] = self.rows_columns(&over.val);
            self.note(name, if rows.is_one() { columns } else { rows }, ROWS);
        }
    }

    fn note_inner(&mut self, name: &Expr, left: &Expr, right: &Expr) {
        if !self.is_open(name) {
            return;
        }
        if let (Ok(left), Ok(right)) = (self.operand(left), self.operand(right))
            && !self.is_scalar(&left)
            && !self.is_scalar(&right)
        {
            let [_, columns] = self.rows_columns(&left.val);
            self.note(name, columns, INNER);
        }
    }

    /// How many entries a row of a matrix has, or a column that stands alone.
    fn entries_of_row(&mut self, matrix: &Expr) -> Option<Dim> {
        let operand = self.operand(matrix).ok()?;
        let [rows, columns] = self.rows_columns(&operand.val);
        let entries = if columns.is_one() { rows } else { columns };
        (!entries.is_one()).then_some(entries)
    }

    /// Whether this is a name that nothing declares.
    fn is_open(&self, name: &Expr) -> bool {
        let ExprKind::Name(name) = &name.kind else { return false };
        self.value(name).is_none() && !self.dims.contains_key(name)
    }

    fn note(&mut self, name: &Expr, dim: Dim, counts: &'static str) {
        if let ExprKind::Name(text) = &name.kind {
            let name = Ident::new(text.clone(), name.span);
            self.wants.borrow_mut().counts.push(Count { name, dim, counts });
        }
    }
}

/// What a product divides by: names, and calls of one.
fn divisors<'e>(first: &'e Expr, rest: &'e [(MulOp, Expr)]) -> Vec<&'e Expr> {
    let mut found = Vec::new();
    dividing(first, false, &mut found);
    for (op, factor) in rest {
        dividing(factor, divides(*op), &mut found);
    }
    found
}

/// What stands in a function of one number: the `m` of `sqrt(m)`.
fn inside(divisor: &Expr) -> Option<&Expr> {
    let ExprKind::Call { func, args, .. } = &divisor.kind else { return None };
    let (_, row) = ops::lookup(ops::from_elsewhere(&func.name), args.len())?;
    args.first().filter(|_| args.len() == 1 && matches!(row.kind, Kind::Elementwise))
}

fn divides(op: MulOp) -> bool {
    matches!(op, MulOp::Div | MulOp::DotDiv)
}

/// The names, and the calls, that a factor divides by.
fn dividing<'e>(factor: &'e Expr, below: bool, names: &mut Vec<&'e Expr>) {
    match &factor.kind {
        ExprKind::Name(_) | ExprKind::Call { .. } if below => names.push(factor),
        ExprKind::Neg(inner) => dividing(inner, below, names),
        ExprKind::Product(first, rest) => {
            dividing(first, below, names);
            for (op, factor) in rest {
                dividing(factor, below != divides(*op), names);
            }
        }
        _ => {}
    }
}

/// What a sum, or a norm, is over, behind its sign and power: `S` of `-sum(S)` and of `norm2(S)^2`.
fn summed(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Neg(inner) => summed(inner),
        ExprKind::Pow(base, _) | ExprKind::DotPow(base, _) => summed(base),
        ExprKind::Product(first, rest) => {
            std::iter::once(&**first).chain(rest.iter().map(|(_, factor)| factor)).find_map(summed)
        }
        ExprKind::Call { func, bound, args, .. } if bound.is_empty() => {
            let (_, row) = ops::lookup(ops::from_elsewhere(&func.name), args.len())?;
            let adds = matches!(row.kind, Kind::Reduce) && !row.rule.picks();
            args.first().filter(|_| adds && args.len() == 1)
        }
        _ => None,
    }
}
