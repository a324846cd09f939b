//! Calls of rows that act on whole axes: along one axis, losses, linear algebra.

use super::call::{Arg, CallArgs, arity, named};
use super::hints::counted;
use super::shape::Operand;
use super::{Label, Lowerer, Val};
use crate::few::{self, Each};
use crate::ir::{Attrs, Dim, Num, Op, Shape};
use crate::ops::{self, Kind, OpId, OpSpec, Rule};
use chainrule_grammar::ast::{Expr, ExprKind};
use chainrule_grammar::{Code, Diagnostic, Span};
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, Diagnostic>;

impl Lowerer<'_> {
    pub(super) fn along_call(
        &mut self,
        op: OpId,
        row: &'static OpSpec,
        call: &CallArgs<'_>,
    ) -> Result<Val> {
        let mut operands = match call.args.as_slice() {
            // `softmax(x, 1)` is `softmax(x, axis=1)` where the row has one argument.
            [x, Arg::Written(_)] if row.params.len() == 1 => vec![self.arg(x)?],
            _ => self.row_args(row, call, &["axis"])?,
        };
        let operand = operands.remove(0);
        let rank = self.positional(&operand.val).len();
        let mut axis_expr =
            call.kwargs.iter().find(|(key, _)| key.name == "axis").map(|(_, value)| value);
        if let [_, Arg::Written(axis)] = call.args.as_slice()
            && row.params.len() == 1
        {
            axis_expr = Some(axis);
        }
        if rank == 0 {
            return Err(Diagnostic::new(
                Code::BadAxis,
                operand.span,
                format!("`{}` wants an axis to run along, this is a scalar", row.name),
            )
            .help(format!(
                "apply it to the whole tensor and index the result: `{}(z)[n,k]`",
                row.name
            )));
        }
        let axis = match axis_expr {
            Some(expr) => match self.axis_list(expr, rank, &operand)?.as_slice() {
                [axis] => *axis,
                _ => {
                    return Err(Diagnostic::new(
                        Code::BadAxis,
                        expr.span,
                        format!("`{}` runs along one axis", row.name),
                    ));
                }
            },
            None => rank - 1,
        };
        if let Rule::Via(text) = row.rule {
            let (focused, hidden) = self.focus(&operand.val, &[axis]);
            let pairs = row.params[1..].iter().zip(&operands);
            let mut frame: BTreeMap<String, Val> =
                few::map(pairs.map(|(name, rest)| ((*name).to_string(), rest.val.clone())));
            frame.insert(row.params[0].to_string(), focused);
            let result = self.rule_formula(text, frame, call.span)?;
            let wanted: Vec<Label> = operand.val.labels.iter().chain(&hidden).copied().collect();
            let node = self.restore(&result, &wanted);
            // The lane is last now; it goes back to where it was.
            let first = operand.val.labels.len();
            let mut order: Vec<usize> = (0..first + rank - 1).collect();
            order.insert(first + axis, first + rank - 1);
            return Ok(Val { node: self.graph.permute(node, &order), labels: operand.val.labels });
        }
        let shape = self.graph.shape(operand.val.node).clone();
        let attrs = Attrs { axes: vec![operand.val.labels.len() + axis], ints: Vec::new() };
        let node = self.graph.call(op, vec![operand.val.node], attrs, shape);
        self.graph.spans.entry(node).or_insert(call.span);
        Ok(Val { node, labels: operand.val.labels })
    }

    pub(super) fn loss_call(&mut self, row: &'static OpSpec, call: &CallArgs<'_>) -> Result<Val> {
        let mut operands = self.row_args(row, call, &["reduction"])?;
        if matches!(row.kind, Kind::Loss { classes: true }) {
            self.class_targets(&mut operands);
        }
        let sides = &operands[..2.min(operands.len())];
        let shape = self.broadcast(sides, &format!("`{}`", row.name), call.span)?;
        self.warn_of_pairs(&format!("`{}`", row.name), sides, &shape, call.span);
        self.warn_of_domain(row, &operands, call.span);
        let Rule::Via(text) = row.rule else {
            return Err(Diagnostic::new(
                Code::Unsupported,
                call.span,
                format!("`{}` has no formula", row.name),
            ));
        };
        let each = self.rule_formula(text, named(row, &operands), call.span)?;
        let reduction = match call.kwargs.iter().find(|(key, _)| key.name == "reduction") {
            None => "mean",
            Some((_, Expr { kind: ExprKind::Str(word), .. }))
                if ["mean", "sum", "none"].contains(&word.as_str()) =>
            {
                word
            }
            Some((key, value)) => {
                return Err(Diagnostic::new(
                    Code::BadArgument,
                    value.span,
                    format!("`{}` is \"mean\", \"sum\" or \"none\"", key.name),
                ));
            }
        };
        if reduction == "none" {
            return Ok(each);
        }
        let shape = self.positional(&each).to_vec();
        let axes: Vec<usize> = (0..shape.len()).collect();
        let total = self.reduce(ops::known("sum", 1), &each, &axes, call.span)?;
        if reduction == "sum" {
            return Ok(total);
        }
        self.divide_by_count(total, &shape, call.span)
    }

    /// A vector compared with a column is a loss of all pairs.
    fn warn_of_pairs(&mut self, what: &str, sides: &[Operand], shape: &[Dim], span: Span) {
        if sides.iter().any(|side| self.positional(&side.val) == shape) {
            return;
        }
        let shapes =
            sides.iter().map(|side| self.show(&side.val)).collect::<Vec<_>>().join(" and ");
        let whole = self.graph.show_shape(shape);
        let message = format!("{what} of shapes {shapes} compares {whole} pairs");
        let mut warning = Diagnostic::new(Code::BothRepeated, span, message);
        for side in sides {
            warning = warning.label(side.span, self.show(&side.val));
        }
        self.diagnostics.push(
            warning.help("give both the same shape, as by `t[:, 0]` or `squeeze(t)` of a column"),
        );
    }

    /// The same of a difference, where the column is declared as one: elsewhere all pairs may be meant.
    pub(super) fn warn_of_crossed(&mut self, sides: &[(Operand, Num)], shape: &[Dim], span: Span) {
        let [(a, _), (b, sign)] = sides else { return };
        let column = |one: &Operand, other: &Operand| {
            let declared = matches!(self.graph.op(one.val.node), Op::Var(_));
            let (rows, length) = (self.positional(&one.val), self.positional(&other.val));
            declared
                && matches!((rows, length), ([n, one], [m]) if n == m && one.is_one() && !m.is_one())
        };
        if sign.is_negative() && !self.in_rule && (column(a, b) || column(b, a)) {
            let sides = [a.clone(), b.clone()];
            self.warn_of_pairs("the difference", &sides, shape, span);
        }
    }

    /// Whole numbers as targets, one axis fewer than the classes have, become rows with 1 at their place.
    fn class_targets(&mut self, operands: &mut [Operand]) {
        let [p, t, ..] = operands else { return };
        let shape = self.positional(&p.val).to_vec();
        let Some((classes, rest)) = shape.split_last() else { return };
        if self.positional(&t.val).len() == rest.len() && self.is_whole(t.val.node) {
            t.val = self.rows_of_ones(&t.val, classes);
        }
    }

    /// A row for each whole number, 1 at its place.
    pub(crate) fn rows_of_ones(&mut self, places: &Val, size: &Dim) -> Val {
        let rows = self.graph.delta(size);
        let mut shape = self.graph.shape(places.node).clone();
        shape.push(size.clone());
        let node = self.graph.push(Op::Gather, vec![rows, places.node], shape);
        Val { node, labels: places.labels.clone() }
    }

    /// `total / (number of entries of a shape)`
    pub(crate) fn divide_by_count(&mut self, total: Val, shape: &[Dim], span: Span) -> Result<Val> {
        let count = shape.iter().fold(Dim::fixed(1), |product, dim| product.times(dim));
        if count.is_one() {
            return Ok(total);
        }
        let divisor = Val { node: self.graph.size(&count), labels: Vec::new() };
        self.product(
            &[(Operand { val: total, span }, false), (Operand { val: divisor, span }, true)],
            span,
        )
    }

    pub(super) fn structured_call(
        &mut self,
        op: OpId,
        row: &'static OpSpec,
        call: &CallArgs<'_>,
    ) -> Result<Val> {
        let Kind::Structured { ranks, shape } = row.kind else { return Err(arity(row, call)) };
        let operands = self.row_args(row, call, &[])?;
        let attrs = Attrs::default();
        let own: Vec<usize> = operands.each(|operand| self.positional(&operand.val).len());
        let fits =
            |trailing: &&&[usize]| trailing.iter().zip(&own).all(|(want, have)| have >= want);
        let spread = |trailing: &&&[usize]| {
            trailing.iter().zip(&own).map(|(want, have)| have - want).sum::<usize>()
        };
        let Some(trailing) = ranks.iter().filter(fits).min_by_key(spread) else {
            return Err(Diagnostic::new(
                Code::NotSquare,
                call.span,
                format!("`{}` wants matrices", row.name),
            )
            .here(operands.each(|operand| self.show(&operand.val)).join(", "))
            .help("a matrix is declared with two sizes, a square one with one size twice: `A: [N, N]`"));
        };
        let mut batch: Vec<Operand> = Vec::new();
        let mut tails: Vec<Shape> = Vec::new();
        for (operand, want) in operands.iter().zip(*trailing) {
            let dims = self.positional(&operand.val).to_vec();
            tails.push(dims[dims.len() - want..].to_vec());
            batch.push(operand.clone());
        }
        let tail = shape(self.graph, &tails, &attrs).map_err(|why| {
            match tails.as_slice() {
                [tail, ..] if tail.len() == 2 && tail[0] != tail[1] => {
                    self.differ(&tail[0], &tail[1])
                }
                [tail, right] if tail.len() == 2 => self.differ(&tail[1], &right[0]),
                _ => {}
            }
            let mut diagnostic =
                Diagnostic::new(Code::NotSquare, call.span, format!("`{}`: {why}", row.name));
            for operand in &operands {
                diagnostic = diagnostic.label(operand.span, self.show(&operand.val));
            }
            match tails.as_slice() {
                [tail] if matches!(tail.as_slice(), [rows, columns] if rows != columns) => {
                    diagnostic.help("a square matrix is declared with one size twice: `A: [N, N]`")
                }
                _ => diagnostic,
            }
        })?;
        let (labels, batch_shape, nodes) = self.batched(&batch, &tails, call.span)?;
        let full: Shape = labels
            .iter()
            .map(|label| self.label_size(*label))
            .chain(batch_shape)
            .chain(tail)
            .collect();
        let node = self.graph.call(op, nodes, attrs, full);
        self.graph.spans.entry(node).or_insert(call.span);
        Ok(Val { node, labels })
    }

    /// Arguments with the same labelled and batch axes in front of their trailing ones.
    fn batched(
        &mut self,
        operands: &[Operand],
        tails: &[Shape],
        span: Span,
    ) -> Result<(Vec<Label>, Shape, Vec<crate::ir::NodeId>)> {
        let labels = self.union_labels(operands.iter().map(|operand| &operand.val));
        let mut batch: Shape = Vec::new();
        for (operand, tail) in operands.iter().zip(tails) {
            let dims = self.positional(&operand.val);
            let own = dims[..dims.len() - tail.len()].to_vec();
            batch = self.batch_shape(&batch, &own).ok_or_else(|| {
                let message = "the batch axes of the arguments differ";
                let mut diagnostic = Diagnostic::new(Code::ShapeMismatch, span, message);
                for operand in operands {
                    diagnostic = diagnostic.label(operand.span, self.show(&operand.val));
                }
                diagnostic
            })?;
        }
        let (axes, mut extra) = self.axes(&batch);
        extra.extend(labels.iter().map(|label| (label.0, self.label_size(*label))));
        let mut nodes = Vec::new();
        for (operand, tail) in operands.iter().zip(tails) {
            let dims = self.positional(&operand.val);
            let own = dims[..dims.len() - tail.len()].to_vec();
            let reading = self.batch_reading(&own, &batch, &axes);
            let trailing: Vec<Label> = tail.each(|_| self.fresh());
            let labelled = operand.val.labels.iter().map(|label| label.0);
            let last = trailing.iter().map(|label| label.0);
            let reading: Vec<u32> = labelled.chain(reading).chain(last).collect();
            let out: Vec<u32> =
                labels.iter().chain(&axes).chain(&trailing).map(|label| label.0).collect();
            nodes.push(self.graph.einsum(&[(operand.val.node, reading)], &out, &extra));
        }
        Ok((labels, batch, nodes))
    }

    /// `axis=1`, `axis=-1`, `axis=(0, 1)` as ascending positional axes.
    pub(crate) fn axis_list(
        &mut self,
        expr: &Expr,
        rank: usize,
        operand: &Operand,
    ) -> Result<Vec<usize>> {
        let items: Vec<&Expr> = match &expr.kind {
            ExprKind::List(items) => items.iter().collect(),
            _ => vec![expr],
        };
        let mut axes = Vec::new();
        for item in items {
            let number = self
                .position(item)
                .filter(|position| position.terms.is_empty())
                .and_then(|p| p.offset.as_fixed());
            let bad = |message: String| Err(Diagnostic::new(Code::BadAxis, item.span, message));
            let Some(number) = number else { return bad("an axis is a whole number".to_string()) };
            let axis = if number < 0 { number + rank as i128 } else { number };
            match usize::try_from(axis) {
                Ok(axis) if axis < rank => axes.push(axis),
                _ => {
                    let axes = counted(rank, ["axis", "axes"]);
                    return bad(format!("axis {number} of a value with {axes}")).map_err(
                        |diagnostic: Diagnostic| {
                            diagnostic
                                .label(operand.span, self.show(&operand.val))
                                .help(self.axes_in_words(&operand.val))
                        },
                    );
                }
            }
        }
        axes.sort_unstable();
        axes.dedup();
        Ok(axes)
    }
}
