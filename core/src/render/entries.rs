//! What entries are read from: whole vectors for their entries, matrices for their inverses. In: formulas. Out: simpler ones that are set
//! in their place.

use crate::few::Each;
use crate::ops;
use chainrule_grammar::ast::{AddOp, Expr, ExprKind, IndexItem, MulOp};

/// How the rule book writes an inverse.
pub(super) const INVERSE: &str = "{0}^{-1}";

/// The matrix of which something is the inverse.
pub(super) fn inverted(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Call { func, args, .. } if args.len() == 1 => {
            let (_, row) = ops::lookup(ops::bare(&func.name), 1)?;
            args.first().filter(|_| row.latex == INVERSE)
        }
        _ => None,
    }
}

/// Entries read at these letters as whole axes, `a - b` for `a[i] - b[i]`: of sums and multiples, where it can be read in one way only.
pub(super) fn whole_axes(expr: &Expr, letters: &[&str]) -> Option<Expr> {
    let mentioned = |expr: &Expr| letters.iter().any(|letter| mentions(expr, letter));
    let kind = match &expr.kind {
        ExprKind::Index(base, items) => {
            let own = |item: &&IndexItem| matches!(item, IndexItem::At(at) if mentioned(at));
            let read = items.iter().filter(own).cloned().collect::<Vec<_>>();
            let wanted = letters.iter().map(|letter| IndexItem::At(Expr::name(*letter)));
            if mentioned(base) || !read.iter().cloned().eq(wanted) {
                return None;
            }
            let items = items.each(|item| match own(&item) {
                true => IndexItem::Slice(None, None, None),
                false => item.clone(),
            });
            if items.len() == letters.len() {
                return Some(base.as_ref().clone());
            }
            ExprKind::Index(base.clone(), items)
        }
        ExprKind::Neg(inner) => ExprKind::Neg(Box::new(whole_axes(inner, letters)?)),
        ExprKind::Sum(first, rest) => {
            let term = |(op, term): &(AddOp, Expr)| Some((*op, whole_axes(term, letters)?));
            let rest = rest.iter().map(term).collect::<Option<_>>()?;
            ExprKind::Sum(Box::new(whole_axes(first, letters)?), rest)
        }
        ExprKind::Product(first, rest) => {
            let (last, others) = rest.split_last()?;
            let numbers = !mentioned(first) && others.iter().all(|(_, one)| !mentioned(one));
            if !numbers || last.0 != MulOp::Mul {
                return None;
            }
            let last = (MulOp::Mul, whole_axes(&last.1, letters)?);
            ExprKind::Product(first.clone(), [others, &[last]].concat())
        }
        _ => return None,
    };
    Some(Expr::synthetic(kind))
}

/// Whether a name stands anywhere in a formula.
pub(super) fn mentions(expr: &Expr, name: &str) -> bool {
    let mut found = matches!(&expr.kind, ExprKind::Name(own) if own == name);
    expr.children(&mut |inner| found = found || mentions(inner, name));
    found
}
