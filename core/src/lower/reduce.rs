//! Reductions: over all axes or `axis=`, and over indices that a call binds. Each is a row of the rule book.

use super::call::{Arg, CallArgs, arity, truth, unknown_keyword};
use super::hints::bound_here;
use super::{Label, Lowerer, Val};
use crate::few::{self, Each};
use crate::ir::{Attrs, Dim, Shape};
use crate::ops::{self, Kind, OpId, OpSpec, Rule};
use chainrule_grammar::ast::{Binder, Expr, Ident};
use chainrule_grammar::{Code, Diagnostic, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

impl Lowerer<'_> {
    pub(super) fn reduce_call(
        &mut self,
        op: OpId,
        row: &'static OpSpec,
        call: &CallArgs<'_>,
    ) -> Result<Val> {
        // `sum(x, 1)` is `sum(x, axis=1)`.
        let (operand, axis) = match call.args.as_slice() {
            [x] => (self.arg(x).map_err(|error| bound_here(error, call))?, None),
            [x, Arg::Written(axis)] => (self.arg(x)?, Some(*axis)),
            _ => return Err(arity(row, call)),
        };
        let mut keepdims = false;
        let mut axes = None;
        let rank = self.positional(&operand.val).len();
        for (key, value) in call.kwargs {
            match key.name.as_str() {
                "axis" => axes = Some(self.axis_list(value, rank, &operand)?),
                "keepdims" => keepdims = truth(value)?,
                _ => return Err(unknown_keyword(row, key, &["axis", "keepdims"])),
            }
        }
        if let Some(axis) = axis {
            axes = Some(self.axis_list(axis, rank, &operand)?);
        }
        let axes = axes.unwrap_or_else(|| (0..rank).collect());
        let reduced = self.reduce(op, &operand.val, &axes, call.span)?;
        if !keepdims {
            return Ok(reduced);
        }
        // The removed axes come back with size 1.
        let first = reduced.labels.len();
        let mut labels: Vec<u32> = reduced.labels.each(|label| label.0);
        let mut out = labels.clone();
        let mut extra = Vec::new();
        for axis in 0..rank {
            let label = self.fresh().0;
            out.push(label);
            if axes.contains(&axis) {
                extra.push((label, Dim::fixed(1)));
            } else {
                labels.push(label);
            }
        }
        debug_assert_eq!(labels.len(), first + rank - axes.len());
        let node = self.graph.einsum(&[(reduced.node, labels)], &out, &extra);
        Ok(Val { node, labels: reduced.labels })
    }

    /// Removes positional axes by a reduction of the rule book.
    pub(crate) fn reduce(
        &mut self,
        op: OpId,
        val: &Val,
        axes: &[usize],
        span: Span,
    ) -> Result<Val> {
        let row = ops::spec(op);
        if row.one_axis && axes.is_empty() {
            let rank = self.positional(val).len();
            let single = self.with_axis(val, rank);
            return self.reduce(op, &single, &[rank], span);
        }
        if row.one_axis
            && let [rest @ .., last] = axes
            && !rest.is_empty()
        {
            let inner = self.reduce(op, val, &[*last], span)?;
            return self.reduce(op, &inner, rest, span);
        }
        let first = val.labels.len();
        let full = self.graph.shape(val.node).clone();
        let removed: Vec<usize> = axes.each(|axis| first + axis);
        let kept: Vec<usize> = (0..full.len()).filter(|axis| !removed.contains(axis)).collect();
        match row.rule {
            Rule::Sum => {
                let labels: Vec<u32> = (0..full.len() as u32).collect();
                let out: Vec<u32> = kept.each(|&axis| axis as u32);
                let node = self.graph.einsum(&[(val.node, labels)], &out, &[]);
                Ok(Val { node, labels: val.labels.clone() })
            }
            Rule::Via(text) => {
                let (focused, hidden) = self.focus(val, axes);
                let frame = few::map([(row.params[0].to_string(), focused)]);
                let result = self.rule_formula(text, frame, span)?;
                let wanted: Vec<Label> = val.labels.iter().chain(&hidden).copied().collect();
                Ok(Val { node: self.restore(&result, &wanted), labels: val.labels.clone() })
            }
            _ => {
                let shape: Shape = kept.each(|&axis| full[axis].clone());
                let attrs = Attrs { axes: removed, ints: Vec::new() };
                let node = self.graph.call(op, vec![val.node], attrs, shape);
                self.graph.spans.entry(node).or_insert(span);
                Ok(Val { node, labels: val.labels.clone() })
            }
        }
    }

    /// The node of a value with its labelled axes in this order (repeated where it lacks one), then its positional axes.
    pub(crate) fn restore(&mut self, val: &Val, labels: &[Label]) -> crate::ir::NodeId {
        let shape = self.positional(val).to_vec();
        let (axes, mut extra) = self.axes(&shape);
        extra.extend(labels.iter().map(|label| (label.0, self.label_size(*label))));
        let reading: Vec<u32> = val.labels.iter().chain(&axes).map(|label| label.0).collect();
        let out: Vec<u32> = labels.iter().chain(&axes).map(|label| label.0).collect();
        self.graph.einsum(&[(val.node, reading)], &out, &extra)
    }

    /// `sum[i,j](e)`, `max[j](e)`, `tensor[i,j](e)`
    pub(super) fn bound_call(
        &mut self,
        func: &Ident,
        bound: &[Binder],
        args: &[Expr],
        kwargs: &[(Ident, Expr)],
        span: Span,
    ) -> Result<Val> {
        let [body] = args else {
            return Err(Diagnostic::new(
                Code::Arity,
                span,
                format!("`{}[…](…)` takes one argument", func.name),
            ));
        };
        if let Some((key, _)) = kwargs.first() {
            return Err(Diagnostic::new(
                Code::Arity,
                key.span,
                "a call that binds indices takes no keywords",
            ));
        }
        let row = (func.name != "tensor").then(|| ops::lookup(&func.name, 1)).flatten();
        let reduces = row.is_some_and(|(_, row)| matches!(row.kind, Kind::Reduce));
        if func.name != "tensor" && !reduces {
            return Err(Diagnostic::new(
                Code::UnknownFunction,
                func.span,
                format!("`{}` does not bind indices", func.name),
            )
            .help("reductions do: `sum[j](…)`, `prod[j](…)`, `max[j](…)`; `tensor[i,j](…)` builds a tensor"));
        }
        self.all_different(bound.iter().map(|binder| &binder.name))?;
        if self.indices.is_empty() {
            self.inferred.clear();
        }
        let labels = self.bind(bound);
        if labels.iter().any(|label| !self.sizes.contains_key(label)) {
            self.infer_ranges(body);
        }
        let result = self.expr(body);
        self.unbind(bound.len());
        let val = result?;
        for (label, binder) in labels.iter().zip(bound) {
            if !self.sizes.contains_key(label) {
                return Err(self.no_range(&binder.name.name, binder.name.span));
            }
        }
        let rest: Vec<Label> =
            val.labels.iter().filter(|label| !labels.contains(label)).copied().collect();
        let rank = self.positional(&val).len();
        // The bound axes become the last positional ones.
        let dims = self.positional(&val).to_vec();
        let (axes, mut extra) = self.axes(&dims);
        extra.extend(labels.iter().map(|label| (label.0, self.label_size(*label))));
        let reading: Vec<u32> = val.labels.iter().chain(&axes).map(|label| label.0).collect();
        let (before, after): (Vec<Label>, Vec<Label>) =
            if func.name == "tensor" { (labels.clone(), axes) } else { (axes, labels.clone()) };
        let out: Vec<u32> = rest.iter().chain(&before).chain(&after).map(|label| label.0).collect();
        let node = self.graph.einsum(&[(val.node, reading)], &out, &extra);
        let unbound = Val { node, labels: rest };
        match row {
            Some((op, _)) => {
                let axes: Vec<usize> = (rank..rank + labels.len()).collect();
                self.reduce(op, &unbound, &axes, span)
            }
            None => Ok(unbound),
        }
    }
}
