//! The other dialect: everything is two-dimensional. A value is a scalar without axes or a matrix with two (`[n,1]` a column,
//! `[1,m]` a row); what comes out as `[1,1]` is a scalar at once, so that formulas need no axes that say nothing.
//!
//! `*` is the matrix product, or scales where one side is a scalar; `^` multiplies a square matrix with itself; axes are counted
//! from 1 and reductions keep theirs with size 1; positions are counted from 1. All else is the ordinary lowering.

mod call;
mod counts;
pub(in crate::lower) mod letters;
mod product;
mod slim;

pub(crate) use letters::Wants;
pub use letters::declare_by_letter;
pub(crate) use slim::slim;

use super::shape::Operand;
use super::{Lowerer, Val};
use crate::ir::{Dim, Num, Op};
use chainrule_grammar::ast::{AddOp, Expr, ExprKind, Ident, IndexItem};
use chainrule_grammar::{Code, Diagnostic, Dialect, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

impl Lowerer<'_> {
    /// Whether what is being lowered was written in this dialect; formulas of the rule book never are.
    pub(crate) fn is_matlab(&self) -> bool {
        self.dialect == Dialect::Matlab
    }

    /// The value of an expression of this dialect: a scalar or a matrix.
    pub(crate) fn matlab_expr(&mut self, expr: &Expr) -> Result<Val> {
        let span = expr.span;
        let val = match &expr.kind {
            ExprKind::Product(first, rest) => self.matrix_product(first, rest, span),
            ExprKind::Pow(base, exponent) => self.matrix_power(base, exponent, span),
            ExprKind::DotPow(base, exponent) => self.power(base, exponent, span),
            ExprKind::Sum(first, rest) => self.matrix_sum(first, rest, span),
            ExprKind::Transpose(inner) => self.flip(inner),
            ExprKind::Index(base, items) => self.matrix_entry(base, items, span),
            ExprKind::Call { func, bound, args, kwargs } if bound.is_empty() => {
                self.matrix_call(func, args, kwargs, span)
            }
            _ => self.ordinary_expr(expr),
        }?;
        self.two_dimensional(val, span)
    }

    /// `[1,1]` is a scalar, a vector without a second axis is a column, and more than two axes are an error.
    fn two_dimensional(&mut self, val: Val, span: Span) -> Result<Val> {
        let shape = self.positional(&val).to_vec();
        match shape.as_slice() {
            [] => Ok(val),
            [a, b] if a.is_one() && b.is_one() => Ok(self.squeezed(&val)),
            [_, _] => Ok(val),
            [only] if only.is_one() => Ok(self.squeezed(&val)),
            [_] => Ok(self.column(&val)),
            _ => Err(Diagnostic::new(
                Code::BadAxis,
                span,
                "everything is two-dimensional here, but this has more axes",
            )
            .here(self.graph.show_shape(&shape))),
        }
    }

    /// The single entry of a value whose positional axes all have size 1.
    fn squeezed(&mut self, val: &Val) -> Val {
        let labels: Vec<u32> = (0..self.graph.rank(val.node) as u32).collect();
        let node =
            self.graph.einsum(&[(val.node, labels.clone())], &labels[..val.labels.len()], &[]);
        Val { node, labels: val.labels.clone() }
    }

    /// A vector as a column.
    fn column(&mut self, val: &Val) -> Val {
        self.with_axis(val, 1)
    }

    /// A scalar as a matrix of one entry, for functions that want one.
    fn as_matrix(&mut self, operand: Operand) -> Operand {
        if !self.positional(&operand.val).is_empty() {
            return operand;
        }
        let one = self.with_axis(&operand.val, 0);
        Operand { val: self.with_axis(&one, 1), span: operand.span }
    }

    /// The rows and columns of a value; 1 and 1 for a scalar.
    fn rows_columns(&self, val: &Val) -> [Dim; 2] {
        match self.positional(val) {
            [rows, columns] => [rows.clone(), columns.clone()],
            _ => [Dim::fixed(1), Dim::fixed(1)],
        }
    }

    fn is_scalar(&self, operand: &Operand) -> bool {
        self.positional(&operand.val).is_empty()
    }

    /// `n x m` of a value.
    pub(crate) fn show_matrix(&self, val: &Val) -> String {
        let [rows, columns] = self.rows_columns(val);
        format!("{} x {}", self.graph.show_dim(&rows), self.graph.show_dim(&columns))
    }

    fn flip(&mut self, inner: &Expr) -> Result<Val> {
        let operand = self.operand(inner)?;
        if self.is_scalar(&operand) {
            return Ok(operand.val);
        }
        self.transpose(&operand)
    }

    /// `a + B - c`
    fn matrix_sum(&mut self, first: &Expr, rest: &[(AddOp, Expr)], span: Span) -> Result<Val> {
        self.note_terms(first, rest);
        let (mut terms, mut written, mut fills) = (Vec::new(), Vec::new(), None);
        let all =
            std::iter::once((AddOp::Add, first)).chain(rest.iter().map(|(op, term)| (*op, term)));
        for (op, term) in all {
            let sign = if op == AddOp::Add { Num::ONE } else { Num::int(-1) };
            // `vector(1)` and `b*vector(1)` are as long as the other terms.
            let value = self.term_without_filler(term)?;
            fills = fills.or(value.is_some().then_some(term.span));
            terms.push((self.operand(value.as_ref().unwrap_or(term))?, sign));
            written.push(term);
        }
        if let Some(lonely) = fills
            && terms.iter().all(|(operand, _)| self.is_scalar(operand))
        {
            return Err(product::no_length(lonely));
        }
        self.refuse_ambiguous(&written, &terms, span)?;
        self.sum_of(&terms, span)
            .map_err(|diagnostic| self.sum_mismatch(diagnostic, &written, &terms))
    }

    /// Two matrices that do not add, with their names and a transposition that helps.
    fn sum_mismatch(
        &self,
        plain: Diagnostic,
        written: &[&Expr],
        terms: &[(Operand, Num)],
    ) -> Diagnostic {
        let ([left, right], [(a, _), (b, _)]) = (written, terms) else { return plain };
        let [left, right] = [left, right].map(|expr| chainrule_grammar::print::expr(expr));
        let (shape, other) = (self.show_matrix(&a.val), self.show_matrix(&b.val));
        let message =
            format!("{left} and {right} cannot be added: {left} is {shape}, {right} is {other}");
        let diagnostic = Diagnostic::new(Code::ShapeMismatch, plain.span(), message)
            .label(a.span, format!("{left} is {shape}"))
            .label(b.span, format!("{right} is {other}"));
        let ([rows, columns], [p, q]) = (self.rows_columns(&a.val), self.rows_columns(&b.val));
        if rows == q && columns == p {
            diagnostic.help(format!("transpose one of them: {right}'"))
        } else {
            diagnostic
        }
    }

    /// A vector that was declared without saying that it is a column does not add to a matrix.
    fn refuse_ambiguous(
        &self,
        written: &[&Expr],
        terms: &[(Operand, Num)],
        span: Span,
    ) -> Result<()> {
        let bare = |term: &Expr| match &term.kind {
            ExprKind::Name(name) => {
                self.value(name).is_some_and(|val| self.graph.rank(val.node) == 1)
            }
            _ => false,
        };
        let wide = terms.iter().find(|(operand, _)| {
            let [rows, columns] = self.rows_columns(&operand.val);
            !rows.is_one() && !columns.is_one()
        });
        let (Some(at), Some((wide, _))) = (written.iter().position(|term| bare(term)), wide) else {
            return Ok(());
        };
        let (length, name) = (&terms[at].0, chainrule_grammar::print::expr(written[at]));
        let ([size, _], [_, columns]) =
            (self.rows_columns(&length.val), self.rows_columns(&wide.val));
        let (size, columns) = (self.graph.show_dim(&size), self.graph.show_dim(&columns));
        let shape = self.show_matrix(&wide.val);
        Err(Diagnostic::new(
            Code::ShapeMismatch,
            span,
            format!("`{name}` of length {size} cannot broadcast over the rows of a matrix of {shape} unless it is declared as a column or a row"),
        )
        .label(length.span, format!("its only axis was tried as axis 2, which has {columns} entries"))
        .label(wide.span, shape)
        .help(format!("declare a row, `{name}: [1, {columns}]`, to add it to every row, or a column, `{name}: [{size}, 1]`")))
    }

    /// `x[1]` of a row or column, `X[1, 2]`, `X[1, :]`, `x[2:4]`: positions count from 1, and slices keep their axis.
    fn matrix_entry(&mut self, base: &Expr, items: &[IndexItem], span: Span) -> Result<Val> {
        let operand = self.operand(base)?;
        let [rows, columns] = self.rows_columns(&operand.val);
        let first = IndexItem::At(Expr::new(ExprKind::Num("1".into()), span));
        let all: Vec<IndexItem> = match items {
            [one] if columns.is_one() => vec![one.clone(), first],
            [one] if rows.is_one() => vec![first, one.clone()],
            [_, _] => items.to_vec(),
            _ => {
                return Err(Diagnostic::new(
                    Code::BadIndexing,
                    span,
                    "a matrix wants a row and a column between the brackets",
                )
                .label(operand.span, self.show_matrix(&operand.val))
                .help("write `X[i, j]`, `X[i, :]` or `X[:, j]`"));
            }
        };
        let operand = self.as_matrix(operand);
        let single = all.iter().all(|item| matches!(item, IndexItem::At(_)));
        let shifted: Vec<IndexItem> =
            all.iter().map(|item| self.zero_based(item, single)).collect::<Result<_>>()?;
        self.index_val(&operand.val, base.span, &shifted, span)
    }

    /// A position counted from 1 as one counted from 0; beside a slice it stays a slice of one.
    fn zero_based(&self, item: &IndexItem, single: bool) -> Result<IndexItem> {
        let less = |expr: &Expr| -> Result<Expr> {
            let fixed = self
                .position(expr)
                .filter(|at| at.terms.is_empty())
                .and_then(|at| at.offset.as_fixed());
            if fixed.is_some_and(|at| at < 1) {
                return Err(Diagnostic::new(
                    Code::BadIndexing,
                    expr.span,
                    "positions count from 1 in this dialect",
                ));
            }
            let one = Expr::new(ExprKind::Num("1".into()), expr.span);
            Ok(Expr::new(ExprKind::Sum(Box::new(expr.clone()), vec![(AddOp::Sub, one)]), expr.span))
        };
        Ok(match item {
            IndexItem::At(expr) if single => IndexItem::At(less(expr)?),
            IndexItem::At(expr) => IndexItem::Slice(Some(less(expr)?), Some(expr.clone()), None),
            // The middle of three is the step.
            IndexItem::Slice(from, to, None) => {
                IndexItem::Slice(from.as_ref().map(less).transpose()?, to.clone(), None)
            }
            IndexItem::Slice(from, Some(step), Some(to)) => IndexItem::Slice(
                from.as_ref().map(less).transpose()?,
                Some(to.clone()),
                Some(step.clone()),
            ),
            other => other.clone(),
        })
    }

    /// A definition cannot take a function's name: here both are called with parentheses.
    pub(crate) fn refuse_function_name(&self, name: &Ident) -> Result<()> {
        let taken =
            self.is_matlab() && name.name.len() > 1 && crate::ops::lookup(&name.name, 1).is_some();
        if !taken {
            return Ok(());
        }
        Err(Diagnostic::new(
            Code::Redefinition,
            name.span,
            format!("`{}` is a built-in function and cannot be assigned", name.name),
        )
        .help("choose another name"))
    }

    /// The exponent of a matrix: a whole number.
    fn whole_exponent(&self, operand: &Operand) -> Option<i128> {
        match self.constant_value(operand.val.node).and_then(|value| value.as_int()) {
            Some(n) if n.abs() <= 64 => Some(n),
            _ => None,
        }
    }

    fn is_one_by_one(&self, shape: &[Dim]) -> bool {
        matches!(shape, [a, b] if a.is_one() && b.is_one())
    }

    /// The shape that a declaration has in the graph: `[1,1]` is a scalar.
    pub(crate) fn declared_shape(&self, shape: Vec<Dim>) -> Vec<Dim> {
        if self.is_matlab() && self.is_one_by_one(&shape) { Vec::new() } else { shape }
    }

    /// Whether a node is the number 1, for products.
    fn is_unit(&self, operand: &Operand) -> bool {
        matches!(self.graph.op(operand.val.node), Op::Const(c) if c.is_one())
    }
}
