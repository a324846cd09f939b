//! Calls: axes count from 1 and reductions keep theirs, softmax runs down a column and along the rows of a matrix.

use super::super::call::{Arg, CallArgs};
use super::super::shape::Operand;
use super::super::{Lowerer, Val};
use super::Result;
use crate::few::Each;
use crate::ir::{Attrs, Dim};
use crate::ops::{self, Kind, OpId, OpSpec, Range, Rule};
use chainrule_grammar::ast::{Expr, ExprKind, Ident, IndexItem};
use chainrule_grammar::{Code, Diagnostic, Span};

impl Lowerer<'_> {
    pub(super) fn matrix_call(
        &mut self,
        func: &Ident,
        args: &[Expr],
        kwargs: &[(Ident, Expr)],
        span: Span,
    ) -> Result<Val> {
        let known = ops::from_elsewhere(&func.name);
        let own = self.functions.contains_key(&func.name) || self.nets.contains_key(&func.name);
        let found = ops::lookup(known, args.len());
        if !own && found.is_none() && self.value(&func.name).is_some() {
            let base = Expr::new(ExprKind::Name(func.name.clone()), func.span);
            let items: Vec<IndexItem> = args.iter().cloned().map(IndexItem::At).collect();
            return self.matrix_entry(&base, &items, span);
        }
        match (func.name.as_str(), args) {
            ("vector" | "matrix", [_]) if !own => return Err(super::product::no_length(span)),
            ("ones" | "zeros", [size]) if !own => return self.square_fill(func, size, span),
            ("vec", [matrix]) if !own => return self.columns_stacked(matrix, span),
            _ => {}
        }
        let func = Ident::new(known, func.span);
        let Some((op, row)) = found.filter(|_| !own) else {
            return self.apply(
                &func,
                &CallArgs { name: known, args: args.each(Arg::Written), kwargs, span },
            );
        };
        if row.written {
            return self.apply(
                &func,
                &CallArgs { name: known, args: args.each(Arg::Written), kwargs, span },
            );
        }
        let (op, row, axis) = self.with_axis_argument(op, row, known, args)?;
        let values = if axis.is_some() { &args[..1] } else { args };
        let operands: Vec<Operand> =
            values.iter().map(|arg| self.operand(arg)).collect::<Result<_>>()?;
        match (row.kind, operands.as_slice()) {
            (Kind::Reduce, [operand]) if kwargs.is_empty() => {
                self.reduce_keeping(op, row, operand, axis, span)
            }
            (Kind::Along, [operand]) if kwargs.is_empty() => {
                self.run_along(op, row, operand, axis, span)
            }
            _ => self.apply_matrix(&func, row, operands, kwargs, span),
        }
    }

    /// A function of the rule book on values.
    pub(super) fn apply_to(
        &mut self,
        name: &str,
        operands: Vec<Operand>,
        span: Span,
    ) -> Result<Val> {
        let args = operands.into_iter().map(Arg::Value).collect();
        self.apply(&Ident::new(name, span), &CallArgs { name, args, kwargs: &[], span })
    }

    fn apply_matrix(
        &mut self,
        func: &Ident,
        row: &OpSpec,
        operands: Vec<Operand>,
        kwargs: &[(Ident, Expr)],
        span: Span,
    ) -> Result<Val> {
        let wants_matrices =
            matches!(row.kind, Kind::Structured { .. }) || matches!(row.name, "trace" | "kron");
        let mut operands = operands;
        if wants_matrices && row.name != "tril" && row.name != "triu" {
            operands = operands.into_iter().map(|operand| self.as_matrix(operand)).collect();
        }
        if row.name == "diag"
            && let [operand] = operands.as_mut_slice()
        {
            let [rows, columns] = self.rows_columns(&operand.val);
            if rows.is_one() || columns.is_one() {
                operand.val = self.vector(&operand.val);
            }
        }
        let args = operands.into_iter().map(Arg::Value).collect();
        self.apply(func, &CallArgs { name: &func.name, args, kwargs, span })
    }

    /// A column or row without its axis of size 1.
    fn vector(&mut self, val: &Val) -> Val {
        let [_, columns] = self.rows_columns(val);
        let labels: Vec<u32> = (0..self.graph.rank(val.node) as u32).collect();
        if labels.len() != 2 {
            return val.clone();
        }
        let out = if columns.is_one() { labels[..1].to_vec() } else { labels[1..].to_vec() };
        Val { node: self.graph.einsum(&[(val.node, labels)], &out, &[]), labels: Vec::new() }
    }

    /// `vec(X)` is one column of the columns of X, one below the other.
    fn columns_stacked(&mut self, matrix: &Expr, span: Span) -> Result<Val> {
        let matrix = self.operand(matrix)?;
        let Operand { val, span: place } = self.as_matrix(matrix);
        let transpose = self.graph.einsum(&[(val.node, vec![0, 1])], &[1, 0], &[]);
        let operand = Operand { val: Val { node: transpose, labels: Vec::new() }, span: place };
        let entries = self.apply_to("flatten", vec![operand], span)?;
        Ok(self.with_axis(&entries, 1))
    }

    /// `ones(n)` is square.
    fn square_fill(&mut self, func: &Ident, size: &Expr, span: Span) -> Result<Val> {
        let args = vec![Arg::Written(size), Arg::Written(size)];
        self.apply(func, &CallArgs { name: &func.name, args, kwargs: &[], span })
    }

    /// `sum(X, 1)`: the entry for one argument, and the axis counted from 0. `max(X, 1)` is meant so too, not elementwise.
    fn with_axis_argument(
        &mut self,
        op: OpId,
        row: &'static OpSpec,
        name: &str,
        args: &[Expr],
    ) -> Result<(OpId, &'static OpSpec, Option<usize>)> {
        let [_, second] = args else { return Ok((op, row, None)) };
        let Some((lane, over)) = ops::lookup(name, 1) else { return Ok((op, row, None)) };
        let takes_axis = matches!(over.kind, Kind::Reduce)
            || (matches!(over.kind, Kind::Along) && over.params.len() == 1);
        if !takes_axis {
            return Ok((op, row, None));
        }
        let number = match &second.kind {
            ExprKind::Num(text) => text.as_str(),
            _ => "",
        };
        match number {
            "1" => Ok((lane, over, Some(0))),
            "2" => Ok((lane, over, Some(1))),
            _ if op != lane => Ok((op, row, None)),
            _ => Err(Diagnostic::new(
                Code::BadAxis,
                second.span,
                "the axis is 1 (down the columns) or 2 (along the rows)",
            )),
        }
    }

    /// A reduction over all entries, or over an axis that stays with size 1.
    fn reduce_keeping(
        &mut self,
        op: OpId,
        row: &OpSpec,
        operand: &Operand,
        axis: Option<usize>,
        span: Span,
    ) -> Result<Val> {
        let [rows, columns] = self.rows_columns(&operand.val);
        let rowwise = row.rowwise && !columns.is_one();
        // All entries of a column are those of a vector.
        let lane = axis.is_none() && !rowwise && (rows.is_one() || columns.is_one());
        let val = match lane && operand.val.labels.is_empty() {
            true => self.vector(&operand.val),
            false => operand.val.clone(),
        };
        let rank = self.positional(&val).len();
        let axes: Vec<usize> = match axis.or(rowwise.then_some(1)) {
            Some(axis) if rank == 2 => vec![axis],
            _ => (0..rank).collect(),
        };
        let reduced = self.reduce(op, &val, &axes, span)?;
        match axes.as_slice() {
            [axis] => Ok(self.with_axis(&reduced, *axis)),
            _ => Ok(reduced),
        }
    }

    /// A function that runs down the columns, or along the rows where that is what it is for.
    fn run_along(
        &mut self,
        op: OpId,
        row: &OpSpec,
        operand: &Operand,
        axis: Option<usize>,
        span: Span,
    ) -> Result<Val> {
        let [rows, columns] = self.rows_columns(&operand.val);
        let rowwise = if row.rowwise { !columns.is_one() } else { rows.is_one() };
        let axis = axis.unwrap_or(usize::from(rowwise));
        let length: &Dim = if axis == 0 { &rows } else { &columns };
        if length.is_one() {
            return Err(self.lonely(row, operand, axis, span));
        }
        if let Rule::Via(_) = row.rule {
            let place = Expr::new(ExprKind::Num(axis.to_string()), span);
            let kwargs = [(Ident::new("axis", span), place)];
            let call = CallArgs {
                name: row.name,
                args: vec![Arg::Value(operand.clone())],
                kwargs: &kwargs,
                span,
            };
            return self.apply(&Ident::new(row.name, span), &call);
        }
        let shape = self.graph.shape(operand.val.node).clone();
        let attrs = Attrs { axes: vec![operand.val.labels.len() + axis], ints: Vec::new() };
        let node = self.graph.call(op, vec![operand.val.node], attrs, shape);
        self.graph.spans.entry(node).or_insert(span);
        Ok(Val { node, labels: operand.val.labels.clone() })
    }

    /// Every lane has a single entry.
    fn lonely(&self, row: &OpSpec, operand: &Operand, axis: usize, span: Span) -> Diagnostic {
        let shape = self.show_matrix(&operand.val);
        let [rows, columns] = self.rows_columns(&operand.val);
        let what = match (rows.is_one(), columns.is_one()) {
            (true, true) => "a scalar has no axis",
            (false, true) => "a column has one axis",
            _ => "a row has one axis",
        };
        let constant = match row.range {
            Range::Simplex => "is constant 1",
            _ => "sees one entry at a time",
        };
        let message =
            format!("{what}: `{}` over axis {} of {shape} {constant}", row.name, axis + 1);
        Diagnostic::new(Code::BadAxis, span, message)
            .label(operand.span, shape)
            .help(format!("leave the axis out: `{}(x)` runs down a column", row.name))
    }
}
