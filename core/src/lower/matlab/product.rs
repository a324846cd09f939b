//! Products and powers of matrices.

use super::super::shape::Operand;
use super::super::{Lowerer, Val};
use super::Result;
use crate::ir::Dim;
use chainrule_grammar::ast::{Expr, ExprKind, MulOp};
use chainrule_grammar::{Code, Diagnostic, Span};

/// A product from left to right. Scalars commute with everything and are gathered; matrices wait as one elementwise run.
#[derive(Default)]
struct Chain {
    scalars: Vec<(Operand, bool)>,
    matrices: Vec<(Operand, bool)>,
}

impl Lowerer<'_> {
    /// `a*X*b'`, `x .* y`, `X/n`
    pub(super) fn matrix_product(
        &mut self,
        first: &Expr,
        rest: &[(MulOp, Expr)],
        span: Span,
    ) -> Result<Val> {
        self.note_divisors(first, rest);
        let mut chain = Chain::default();
        let written: Vec<(MulOp, &Expr)> = std::iter::once((MulOp::DotMul, first))
            .chain(rest.iter().map(|(op, factor)| (*op, factor)))
            .collect();
        let operands = self.factors(&written)?;
        let mut covered = first.span;
        for (at, operand) in operands.into_iter().enumerate() {
            let (op, factor) = written[at];
            covered = covered.to(factor.span);
            let place = at.checked_sub(1).map(|before| (written[before].1, factor, covered));
            self.join(&mut chain, op, operand, place)?;
        }
        let mut run = chain.scalars;
        run.retain(|(operand, _)| !self.is_unit(operand));
        run.extend(chain.matrices);
        match run.as_slice() {
            [] => Ok(self.constant(crate::ir::Num::ONE)),
            _ => self.finish_run(&run, span),
        }
    }

    /// Takes the next factor into the chain; `place` is the factor before it, itself, and both.
    fn join(
        &mut self,
        chain: &mut Chain,
        op: MulOp,
        operand: Operand,
        place: Option<(&Expr, &Expr, Span)>,
    ) -> Result<()> {
        let divides = matches!(op, MulOp::Div | MulOp::DotDiv);
        if self.is_scalar(&operand) {
            chain.scalars.push((operand, divides));
            return Ok(());
        }
        let Some((left, right, covered)) = place else {
            chain.matrices.push((operand, divides));
            return Ok(());
        };
        match op {
            MulOp::Div => Err(Diagnostic::new(
                Code::MatmulShape,
                operand.span,
                "`/` divides by a scalar, and this is a matrix",
            )
            .here(self.show_matrix(&operand.val))
            .help("`./` divides entry by entry; for a system of equations multiply by `inv(…)`")),
            MulOp::DotMul | MulOp::DotDiv => {
                chain.matrices.push((operand, divides));
                Ok(())
            }
            MulOp::Mul | MulOp::MatMul if chain.matrices.is_empty() => {
                chain.matrices.push((operand, false));
                Ok(())
            }
            MulOp::Mul | MulOp::MatMul => {
                let before = std::mem::take(&mut chain.matrices);
                let val = self.finish_run(&before, covered)?;
                let held = Operand { val, span: left.span };
                let val = self.times(&held, &operand, [left, right], covered)?;
                let product = Operand { val, span: covered };
                let into =
                    if self.is_scalar(&product) { &mut chain.scalars } else { &mut chain.matrices };
                into.push((product, false));
                Ok(())
            }
        }
    }

    /// The matrix product of two matrices; a single entry is a scalar.
    fn times(&mut self, a: &Operand, b: &Operand, written: [&Expr; 2], span: Span) -> Result<Val> {
        let ([rows, inner], [other, columns]) =
            (self.rows_columns(&a.val), self.rows_columns(&b.val));
        if inner != other {
            self.differ(&inner, &other);
            return Err(self.product_mismatch(a, b, written, span));
        }
        let val = self.matmul(a, b, span)?;
        Ok(if rows.is_one() && columns.is_one() { self.squeezed(&val) } else { val })
    }

    fn product_mismatch(
        &self,
        a: &Operand,
        b: &Operand,
        written: [&Expr; 2],
        span: Span,
    ) -> Diagnostic {
        let ([rows, inner], [other, columns]) =
            (self.rows_columns(&a.val), self.rows_columns(&b.val));
        let [left, right] = written.map(chainrule_grammar::print::expr);
        let both = |diagnostic: Diagnostic| {
            diagnostic
                .label(a.span, format!("{left} is {}", self.show_matrix(&a.val)))
                .label(b.span, format!("{right} is {}", self.show_matrix(&b.val)))
        };
        if inner.is_one() && columns.is_one() && rows == other {
            let message =
                format!("vector*vector is not defined: `{left}*{right}` multiplies two columns");
            return both(Diagnostic::new(Code::MatmulShape, span, message)).help(format!(
                "write {left}'*{right} (dot), {left}*{right}' (outer) or {left}.*{right} (element-wise)"
            ));
        }
        let message = format!(
            "the inner dimensions of {left}*{right} differ: {left} is {}, {right} is {}",
            self.show_matrix(&a.val),
            self.show_matrix(&b.val)
        );
        let diagnostic = both(Diagnostic::new(Code::MatmulShape, span, message));
        if rows == other {
            return diagnostic.help(format!("transpose the left operand: {left}'*{right}"));
        }
        if inner == columns {
            return diagnostic.help(format!("transpose the right operand: {left}*{right}'"));
        }
        let (inner, other) = (self.graph.show_dim(&inner), self.graph.show_dim(&other));
        diagnostic
            .help(format!("{left}*{right} forces {other} = {inner}; declare it or fix the shape"))
    }

    /// The factors of a product. `vector(1)'*X` takes its length from what follows, `X*vector(1)` from what stands before it.
    fn factors(&mut self, written: &[(MulOp, &Expr)]) -> Result<Vec<Operand>> {
        let mut known: Vec<Option<Operand>> = Vec::new();
        for (_, factor) in written {
            known.push(if filler(factor).is_none() { Some(self.operand(factor)?) } else { None });
        }
        let mut operands = Vec::new();
        for (at, (op, factor)) in written.iter().enumerate() {
            let (value, flipped) = match (known[at].take(), filler(factor)) {
                (Some(operand), _) => {
                    operands.push(operand);
                    continue;
                }
                (None, Some(filler)) => filler,
                (None, None) => (*factor, false),
            };
            let next = written
                .get(at + 1)
                .filter(|(op, _)| *op == MulOp::Mul && flipped)
                .and_then(|_| known[at + 1].as_ref());
            let before = operands.last().filter(|_| *op == MulOp::Mul && !flipped);
            let shape = match (before, next) {
                (Some(left), _) if !self.is_scalar(left) => {
                    [self.rows_columns(&left.val)[1].clone(), Dim::fixed(1)]
                }
                (_, Some(right)) if !self.is_scalar(right) => {
                    [Dim::fixed(1), self.rows_columns(&right.val)[0].clone()]
                }
                // Entry by entry a single number repeats as far as its neighbour goes.
                _ if matches!(written.get(at.max(1)), Some((MulOp::DotMul | MulOp::DotDiv, _))) => {
                    [Dim::fixed(1), Dim::fixed(1)]
                }
                _ => return Err(no_length(factor.span)),
            };
            operands.push(self.filled(value, shape, factor.span)?);
        }
        Ok(operands)
    }

    /// The value of a term that repeats a single number: `vector(1)`, or a product of it with scalars.
    pub(super) fn term_without_filler(&mut self, term: &Expr) -> Result<Option<Expr>> {
        if let Some((value, _)) = filler(term) {
            return Ok(Some(value.clone()));
        }
        let ExprKind::Product(first, rest) = &term.kind else { return Ok(None) };
        let factors =
            || std::iter::once(first.as_ref()).chain(rest.iter().map(|(_, factor)| factor));
        if factors().all(|factor| filler(factor).is_none()) {
            return Ok(None);
        }
        for factor in factors().filter(|factor| filler(factor).is_none()) {
            let operand = self.operand(factor)?;
            if !self.is_scalar(&operand) {
                return Ok(None);
            }
        }
        let plain = |factor: &Expr| filler(factor).map_or(factor, |(value, _)| value).clone();
        let rest = rest.iter().map(|(op, factor)| (*op, plain(factor))).collect();
        Ok(Some(Expr::new(ExprKind::Product(Box::new(plain(first)), rest), term.span)))
    }

    fn filled(&mut self, value: &Expr, shape: [Dim; 2], span: Span) -> Result<Operand> {
        let value = self.operand(value)?;
        if shape.iter().all(Dim::is_one) {
            return Ok(value);
        }
        Ok(Operand {
            val: Val { node: self.graph.fill(value.val.node, &shape), labels: Vec::new() },
            span,
        })
    }

    /// `X^2`: a scalar to any power, a square matrix to a whole one.
    pub(super) fn matrix_power(&mut self, base: &Expr, exponent: &Expr, span: Span) -> Result<Val> {
        let (matrix, power) = (self.operand(base)?, self.operand(exponent)?);
        let (name, shown) =
            (chainrule_grammar::print::expr(base), chainrule_grammar::print::expr(exponent));
        if self.is_scalar(&matrix) && self.is_scalar(&power) {
            return self.power_of(matrix, power, span);
        }
        let [rows, columns] = self.rows_columns(&matrix.val);
        if self.is_scalar(&matrix) || !self.is_scalar(&power) {
            return Err(Diagnostic::new(
                Code::BadArgument,
                span,
                "a matrix cannot be an exponent of `^`",
            )
            .help(format!("did you mean {name}.^{shown} ?")));
        }
        if rows != columns {
            self.differ(&rows, &columns);
            let message = format!("{name}^{shown} is a matrix product and {name} is not square");
            return Err(Diagnostic::new(Code::NotSquare, span, message)
                .label(matrix.span, format!("{name} is {}", self.show_matrix(&matrix.val)))
                .help(format!("did you mean {name}.^{shown} ?")));
        }
        let Some(count) = self.whole_exponent(&power) else {
            return Err(Diagnostic::new(
                Code::BadArgument,
                power.span,
                "a matrix can only be raised to a whole number from -64 to 64",
            )
            .help(format!("did you mean {name}.^{shown} ?")));
        };
        self.repeated(matrix, count, &rows, span)
    }

    fn repeated(&mut self, matrix: Operand, count: i128, size: &Dim, span: Span) -> Result<Val> {
        if count == 0 {
            return Ok(Val { node: self.graph.delta(size), labels: Vec::new() });
        }
        let mut factor = matrix;
        if count < 0 {
            factor.val = self.apply_to("inv", vec![factor.clone()], span)?;
        }
        let mut product = factor.clone();
        for _ in 1..count.abs() {
            product.val = self.matmul(&product, &factor, span)?;
        }
        Ok(product.val)
    }
}

/// The value of `vector(1)` or `vector(1)'`, and whether it is transposed.
pub(super) fn filler(expr: &Expr) -> Option<(&Expr, bool)> {
    match &expr.kind {
        ExprKind::Transpose(inner) => filler(inner).map(|(value, flipped)| (value, !flipped)),
        ExprKind::Call { func, bound, args, kwargs }
            if matches!(func.name.as_str(), "vector" | "matrix")
                && bound.is_empty()
                && kwargs.is_empty() =>
        {
            args.first().filter(|_| args.len() == 1).map(|value| (value, false))
        }
        _ => None,
    }
}

pub(super) fn no_length(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadDimension,
        span,
        "how long `vector(…)` is does not follow from what stands beside it",
    )
    .help("say it: `ones(n, 1)`")
}
