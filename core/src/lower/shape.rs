//! Axes: broadcasting, alignment of labels, reordering, and how shapes are shown when they do not fit.

use super::{Label, Lowerer, Val};
use crate::few::Each;
use crate::ir::{Dim, NodeId, Num, Shape};
use chainrule_grammar::{Code, Diagnostic, Span};

/// A value with the place where it was written, for messages.
#[derive(Clone, Debug)]
pub struct Operand {
    /// The value.
    pub val: Val,
    /// Where it stands.
    pub span: Span,
}

impl Lowerer<'_> {
    /// A value with an axis of size 1 put in at `axis`.
    pub fn with_axis(&mut self, val: &Val, axis: usize) -> Val {
        let rank = self.graph.rank(val.node);
        let labels: Vec<u32> = (0..rank as u32).collect();
        let mut out = labels.clone();
        let fresh = rank as u32;
        out.insert(val.labels.len() + axis, fresh);
        let node = self.graph.einsum(&[(val.node, labels)], &out, &[(fresh, Dim::fixed(1))]);
        Val { node, labels: val.labels.clone() }
    }

    /// Remembers how many values the labels of these values take.
    pub fn note_sizes<'v>(&mut self, vals: impl Iterator<Item = &'v Val>) {
        for val in vals {
            for (axis, label) in val.labels.iter().enumerate() {
                let size = self.graph.shape(val.node)[axis].clone();
                self.sizes.insert(*label, size);
            }
        }
    }

    /// `[B, N]` of a value's positional axes.
    pub fn show(&self, val: &Val) -> String {
        self.graph.show_shape(self.positional(val))
    }

    /// The union of the operands' labels, in order of first appearance.
    pub fn union_labels<'v>(&self, vals: impl Iterator<Item = &'v Val>) -> Vec<Label> {
        let mut labels: Vec<Label> = Vec::new();
        for val in vals {
            for label in &val.labels {
                if !labels.contains(label) {
                    labels.push(*label);
                }
            }
        }
        labels
    }

    /// The common shape of positional axes under NumPy's rules.
    pub fn broadcast(
        &self,
        operands: &[Operand],
        what: &str,
        span: Span,
    ) -> Result<Shape, Diagnostic> {
        let mut shape: Shape = Vec::new();
        for operand in operands {
            let own = self.positional(&operand.val).to_vec();
            if own.len() > shape.len() {
                let missing = own.len() - shape.len();
                shape.splice(0..0, own[..missing].iter().cloned());
            }
            let offset = shape.len() - own.len();
            for (axis, dim) in own.iter().enumerate() {
                let known = &mut shape[offset + axis];
                if known.is_one() {
                    *known = dim.clone();
                } else if !dim.is_one() && known != dim {
                    self.differ(known, dim);
                    return Err(self.mismatch(operands, what, span));
                }
            }
        }
        Ok(shape)
    }

    fn mismatch(&self, operands: &[Operand], what: &str, span: Span) -> Diagnostic {
        let shapes: Vec<String> = operands.each(|operand| self.show(&operand.val));
        let mut diagnostic = Diagnostic::new(
            Code::ShapeMismatch,
            span,
            format!(
                "the operands of {what} have shapes {} that do not broadcast",
                shapes.join(" and ")
            ),
        );
        for (operand, shape) in operands.iter().zip(&shapes) {
            diagnostic = diagnostic.label(operand.span, shape.clone());
        }
        let meant = self.matrix_product_meant(operands).filter(|_| what == "the product");
        let helped = match meant {
            Some(help) => diagnostic.help(help),
            None => self.mismatch_help(diagnostic, operands),
        };
        self.origins(helped, operands)
    }

    /// The labels with which an einsum reads a value whose positional axes align with the last of `axes`. An axis of size 1
    /// that is to be repeated is read at a label of its own, over which the einsum sums its single entry.
    pub fn reading(&mut self, val: &Val, shape: &[Dim], axes: &[Label]) -> Vec<u32> {
        let own = self.positional(val).to_vec();
        let offset = shape.len() - own.len();
        let mut labels: Vec<u32> = val.labels.each(|label| label.0);
        for (axis, dim) in own.iter().enumerate() {
            if dim == &shape[offset + axis] {
                labels.push(axes[offset + axis].0);
            } else {
                labels.push(self.fresh().0);
            }
        }
        labels
    }

    /// Fresh labels for positional axes of this shape, with their sizes as einsum extras.
    pub fn axes(&mut self, shape: &[Dim]) -> (Vec<Label>, Vec<(u32, Dim)>) {
        let labels: Vec<Label> = shape.each(|_| self.fresh());
        let extra = labels.iter().zip(shape).map(|(label, dim)| (label.0, dim.clone())).collect();
        (labels, extra)
    }

    /// Every operand as a node of exactly the shape `labels ++ shape`.
    pub fn expand(&mut self, operands: &[Operand], labels: &[Label], shape: &[Dim]) -> Vec<NodeId> {
        let (axes, mut extra) = self.axes(shape);
        extra.extend(labels.iter().map(|label| (label.0, self.label_size(*label))));
        let out: Vec<u32> = labels.iter().chain(&axes).map(|label| label.0).collect();
        let mut nodes = Vec::new();
        for operand in operands {
            let reading = self.reading(&operand.val, shape, &axes);
            nodes.push(self.graph.einsum(&[(operand.val.node, reading)], &out, &extra));
        }
        nodes
    }

    /// How many values a label takes.
    pub fn label_size(&self, label: Label) -> Dim {
        self.sizes.get(&label).cloned().unwrap_or_else(|| Dim::fixed(1))
    }

    /// The product of operands, labels aligned and positional axes broadcast. A negative exponent divides.
    pub fn product(&mut self, operands: &[(Operand, bool)], span: Span) -> Result<Val, Diagnostic> {
        let plain: Vec<Operand> = operands.each(|(operand, _)| operand.clone());
        let shape = self.broadcast(&plain, "the product", span)?;
        let labels = self.union_labels(plain.iter().map(|operand| &operand.val));
        let (axes, extra) = self.axes(&shape);
        let out: Vec<u32> = labels.iter().chain(&axes).map(|label| label.0).collect();
        let mut factors = Vec::new();
        for (operand, divides) in operands {
            let reading = self.reading(&operand.val, &shape, &axes);
            let node = if *divides { self.reciprocal(operand)? } else { operand.val.node };
            factors.push((node, reading));
        }
        // Numbers go into one coefficient, so that `1/2 * x` is half of x and not a product with a constant node.
        let (mut coefficient, mut zero) = (Num::ONE, false);
        let mut kept = Vec::new();
        for (node, reading) in factors {
            match self.graph.op(node) {
                crate::ir::Op::Const(c) => {
                    coefficient = coefficient * *c;
                    zero |= c.is_zero();
                }
                _ => kept.push((node, reading)),
            }
        }
        let coefficient = self.in_range(coefficient, zero, span)?;
        let node = if kept.is_empty() {
            let scalar = self.graph.constant(coefficient);
            let full: Shape =
                labels.iter().map(|label| self.label_size(*label)).chain(shape).collect();
            return Ok(Val { node: self.graph.fill(scalar, &full), labels });
        } else {
            self.graph.einsum(&kept, &out, &extra)
        };
        Ok(Val { node: self.graph.scale(coefficient, node), labels })
    }

    fn reciprocal(&mut self, operand: &Operand) -> Result<NodeId, Diagnostic> {
        let node = operand.val.node;
        let zero_const = match self.graph.op(node) {
            crate::ir::Op::Named(crate::ir::NamedConst::User(id)) => {
                self.graph.consts.get(*id as usize).is_some_and(|(_, value)| value.is_zero())
            }
            _ => false,
        };
        if zero_const || self.graph.is_zero(node) {
            let divided = Diagnostic::new(
                Code::DivisionByZero,
                operand.span,
                "this divisor is the constant zero",
            )
            .help(
                "a quotient by zero has no value at any point; write what was meant as the divisor",
            );
            return Err(self.origins(divided, std::slice::from_ref(operand)));
        }
        if let crate::ir::Op::Const(c) = self.graph.op(node)
            && let Some(inverse) = c.recip()
        {
            return Ok(self.graph.constant(inverse));
        }
        let inverse = self.graph.pow(node, Num::int(-1));
        self.graph.spans.entry(inverse).or_insert(operand.span);
        Ok(inverse)
    }

    /// Σ sign·operand, labels aligned and positional axes broadcast.
    pub fn sum_of(&mut self, operands: &[(Operand, Num)], span: Span) -> Result<Val, Diagnostic> {
        let plain: Vec<Operand> = operands.each(|(operand, _)| operand.clone());
        let shape = self.broadcast(&plain, "the sum", span)?;
        self.warn_of_crossed(operands, &shape, span);
        let labels = self.union_labels(plain.iter().map(|operand| &operand.val));
        let nodes = self.expand(&plain, &labels, &shape);
        let full: Shape = labels.iter().map(|label| self.label_size(*label)).chain(shape).collect();
        let mut terms: Vec<(Num, NodeId)> = Vec::new();
        for ((_, sign), node) in operands.iter().zip(nodes) {
            terms.push(self.unscaled(*sign, node));
        }
        let constants: Option<Num> = terms
            .iter()
            .map(|(c, node)| match self.graph.op(*node) {
                crate::ir::Op::Const(value) => Some(*c * *value),
                _ => None,
            })
            .try_fold(Num::ZERO, |sum, value| Some(sum + value?));
        let node = match constants {
            Some(value) if full.is_empty() => {
                let value = self.in_range(value, true, span)?;
                self.graph.constant(value)
            }
            _ => self.graph.add(&terms, &full),
        };
        Ok(Val { node, labels })
    }

    /// `c · node` with a scaling of the node (an `Add` of one term) moved into the coefficient.
    fn unscaled(&self, c: Num, node: NodeId) -> (Num, NodeId) {
        match (self.graph.op(node), self.graph.args(node)) {
            (crate::ir::Op::Add(coefficients), [only]) if self.graph.name(node).is_none() => {
                (c * coefficients[0], *only)
            }
            _ => (c, node),
        }
    }

    /// The matrix product of NumPy: last axis of `a` with the last but one (or only) axis of `b`, batch axes broadcast.
    pub fn matmul(&mut self, a: &Operand, b: &Operand, span: Span) -> Result<Val, Diagnostic> {
        let left = self.positional(&a.val).to_vec();
        let right = self.positional(&b.val).to_vec();
        let scalar = |operand: &Operand| {
            Diagnostic::new(
                Code::MatmulShape,
                span,
                "`@` wants a vector or a matrix on both sides, this operand is a scalar",
            )
            .label(operand.span, "a scalar")
            .help("write `*` to scale by a scalar")
        };
        let Some(inner) = left.last() else { return Err(scalar(a)) };
        if right.is_empty() {
            return Err(scalar(b));
        }
        let other = if right.len() == 1 { &right[0] } else { &right[right.len() - 2] };
        if inner != other {
            return Err(self.inner_mismatch(a, b, span));
        }
        let (left_batch, right_batch) =
            (left.len().saturating_sub(2), right.len().saturating_sub(2));
        let batch_shape = self
            .batch_shape(&left[..left_batch], &right[..right_batch])
            .ok_or_else(|| self.mismatch(&[a.clone(), b.clone()], "the batch axes of `@`", span))?;
        let (batch_axes, mut extra) = self.axes(&batch_shape);
        let labels = self.union_labels([&a.val, &b.val].into_iter());
        let summed = self.fresh();
        let mut out: Vec<u32> = labels.iter().chain(&batch_axes).map(|label| label.0).collect();
        let mut left_reading: Vec<u32> = a.val.labels.each(|label| label.0);
        left_reading.extend(self.batch_reading(&left[..left_batch], &batch_shape, &batch_axes));
        if left.len() >= 2 {
            let row = self.fresh();
            out.push(row.0);
            left_reading.push(row.0);
        }
        left_reading.push(summed.0);
        let mut right_reading: Vec<u32> = b.val.labels.each(|label| label.0);
        right_reading.extend(self.batch_reading(&right[..right_batch], &batch_shape, &batch_axes));
        right_reading.push(summed.0);
        if right.len() >= 2 {
            let column = self.fresh();
            out.push(column.0);
            right_reading.push(column.0);
        }
        extra.retain(|(label, _)| out.contains(label));
        let node = self.graph.einsum(
            &[(a.val.node, left_reading), (b.val.node, right_reading)],
            &out,
            &extra,
        );
        Ok(Val { node, labels })
    }

    /// The common shape of batch axes under NumPy's rules.
    pub(super) fn batch_shape(&self, a: &[Dim], b: &[Dim]) -> Option<Shape> {
        let rank = a.len().max(b.len());
        let at = |shape: &[Dim], axis: usize| -> Dim {
            (axis + shape.len())
                .checked_sub(rank)
                .map_or_else(|| Dim::fixed(1), |at| shape[at].clone())
        };
        (0..rank)
            .map(|axis| match (at(a, axis), at(b, axis)) {
                (left, right) if left == right || right.is_one() => Some(left),
                (left, right) if left.is_one() => Some(right),
                _ => None,
            })
            .collect()
    }

    pub(super) fn batch_reading(&mut self, own: &[Dim], shape: &[Dim], axes: &[Label]) -> Vec<u32> {
        let offset = shape.len() - own.len();
        let pick = |(axis, dim): (usize, &Dim)| {
            (dim == &shape[offset + axis]).then(|| axes[offset + axis].0)
        };
        let known: Vec<Option<u32>> = own.iter().enumerate().map(pick).collect();
        known.into_iter().map(|label| label.unwrap_or_else(|| self.fresh().0)).collect()
    }

    fn inner_mismatch(&self, a: &Operand, b: &Operand, span: Span) -> Diagnostic {
        let (left, right) = (self.show(&a.val), self.show(&b.val));
        let last = |val: &Val| {
            self.positional(val).last().map_or(String::new(), |dim| self.graph.show_dim(dim))
        };
        let inner = {
            let shape = self.positional(&b.val);
            let at = shape.len().saturating_sub(2);
            self.graph.show_dim(&shape[at])
        };
        let diagnostic = Diagnostic::new(
            Code::MatmulShape,
            span,
            format!(
                "the inner dimensions of `@` differ: {} on the left and {inner} on the right",
                last(&a.val)
            ),
        )
        .label(a.span, left)
        .label(b.span, right);
        self.origins(self.product_help(diagnostic, a, b), &[a.clone(), b.clone()])
    }

    /// The same value with its axes in the order `labels ++ positional`, labels being a permutation of its own.
    pub fn reorder(&mut self, val: &Val, labels: &[Label]) -> Val {
        let rank = self.positional(val).len();
        let mut order: Vec<usize> = labels
            .iter()
            .filter_map(|label| val.labels.iter().position(|own| own == label))
            .collect();
        order.extend(val.labels.len()..val.labels.len() + rank);
        Val { node: self.graph.permute(val.node, &order), labels: labels.to_vec() }
    }

    /// The value with these positional axes (all others become labels, new ones), so that a rule sees only them. Gives the value
    /// and the labels of the axes that were hidden, in order.
    pub fn focus(&mut self, val: &Val, axes: &[usize]) -> (Val, Vec<Label>) {
        let first = val.labels.len();
        let rank = self.positional(val).len();
        let hidden: Vec<usize> = (0..rank).filter(|axis| !axes.contains(axis)).collect();
        let names: Vec<Label> = hidden.each(|_| self.fresh());
        let mut order: Vec<usize> = (0..first).collect();
        order.extend(hidden.iter().map(|axis| first + axis));
        order.extend(axes.iter().map(|axis| first + axis));
        let node = self.graph.permute(val.node, &order);
        let labels: Vec<Label> = val.labels.iter().chain(&names).copied().collect();
        let focused = Val { node, labels };
        self.note_sizes(std::iter::once(&focused));
        (focused, names)
    }
}
