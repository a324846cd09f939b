//! `sum(S)/n` with an `n` that is declared nowhere: the formula is a mean over the rows of `S`, and `n` is their number.
//!
//! In: a product or a sum as it is written. Out: a note that the name is a count, which [`letters`](super::letters) may declare.

use super::super::Lowerer;
use crate::ir::Dim;
use crate::ops::{self, Kind};
use chainrule_grammar::ast::{AddOp, Expr, ExprKind, Ident, MulOp};

impl Lowerer<'_> {
    /// Notes the names that divide a sum and are declared nowhere: `sum(S)/n`, `1/(2*n)*sum(S)`.
    pub(super) fn note_divisors(&mut self, first: &Expr, rest: &[(MulOp, Expr)]) {
        let mut factors = std::iter::once(first).chain(rest.iter().map(|(_, factor)| factor));
        let Some(over) = factors.find_map(summed) else { return };
        let mut names = Vec::new();
        dividing(first, false, &mut names);
        for (op, factor) in rest {
            dividing(factor, divides(*op), &mut names);
        }
        for name in names {
            self.note_count(name, over);
        }
    }

    /// Notes the names that are taken from a sum (each row has a constant part) and are declared nowhere.
    pub(super) fn note_subtracted(&mut self, first: &Expr, rest: &[(AddOp, Expr)]) {
        let Some(over) = summed(first) else { return };
        for (_, term) in rest {
            self.note_count(term, over);
        }
    }

    fn note_count(&mut self, name: &Expr, over: &Expr) {
        let ExprKind::Name(count) = &name.kind else { return };
        if self.value(count).is_some() || self.dims.contains_key(count) {
            return;
        }
        if let Ok(over) = self.operand(over) {
            let [rows, columns] = self.rows_columns(&over.val);
            let counted: Dim = if rows.is_one() { columns } else { rows };
            let count = Ident::new(count.clone(), name.span);
            self.wants.borrow_mut().counts.push((count, counted));
        }
    }
}

fn divides(op: MulOp) -> bool {
    matches!(op, MulOp::Div | MulOp::DotDiv)
}

/// The names that a factor divides by.
fn dividing<'e>(factor: &'e Expr, below: bool, names: &mut Vec<&'e Expr>) {
    match &factor.kind {
        ExprKind::Name(_) if below => names.push(factor),
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
