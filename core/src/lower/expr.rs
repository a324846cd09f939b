//! Expressions: every kind of the syntax tree to a value.

use super::shape::Operand;
use super::{Lowerer, Val, limits};
use crate::ir::{Attrs, Dim, NamedConst, Num, Op};
use crate::ops::{self, Operator};
use chainrule_grammar::ast::{AddOp, Expr, ExprKind, MulOp};
use chainrule_grammar::{Code, Diagnostic, Span};

pub use super::hints::nearest;

type Result<T> = std::result::Result<T, Diagnostic>;

impl Lowerer<'_> {
    /// The value of an expression.
    pub fn expr(&mut self, expr: &Expr) -> Result<Val> {
        self.deeper(expr.span, |lowerer| match lowerer.is_matlab() {
            true => lowerer.matlab_expr(expr),
            false => lowerer.ordinary_expr(expr),
        })
    }

    pub(crate) fn ordinary_expr(&mut self, expr: &Expr) -> Result<Val> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Num(text) => self.number(text, span),
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::Str(_) => Err(bad_place(span, "a string")),
            ExprKind::List(_) => Err(bad_place(span, "a list")),
            ExprKind::Neg(inner) => {
                let operand = self.operand(inner)?;
                self.sum_of(&[(operand, Num::int(-1))], span)
            }
            ExprKind::Sum(first, rest) => {
                let mut operands = Vec::new();
                let signed = std::iter::once((&AddOp::Add, first.as_ref()))
                    .chain(rest.iter().map(|(op, term)| (op, term)));
                for (at, (op, term)) in signed.enumerate() {
                    let operand = self.operand(term).map_err(|error| {
                        self.also(error, rest.iter().skip(at).map(|(_, term)| term))
                    })?;
                    let sign = if *op == AddOp::Add { Num::ONE } else { Num::int(-1) };
                    operands.push((operand, sign));
                }
                self.sum_of(&operands, span)
            }
            ExprKind::Product(first, rest) => self.product_chain(first, rest, span),
            ExprKind::Pow(base, exponent) | ExprKind::DotPow(base, exponent) => {
                self.power(base, exponent, span)
            }
            ExprKind::Compare(op, a, b) => {
                let operands = [self.operand(a)?, self.operand(b)?];
                self.elementwise(ops::of_operator(Operator::Compare(*op)), &operands, span)
            }
            ExprKind::Pipe(first, stages) => {
                let mut operand = self.operand(first)?;
                for stage in stages {
                    let val = self.stage(operand, stage)?;
                    operand = Operand { val, span: first.span.to(stage.span) };
                }
                Ok(operand.val)
            }
            ExprKind::Transpose(inner) => {
                let operand = self.operand(inner)?;
                self.transpose(&operand)
            }
            ExprKind::Index(base, items) => self.index(base, items, span),
            ExprKind::Call { func, bound, args, kwargs } => {
                self.call(func, bound, args, kwargs, span)
            }
        }
    }

    /// The value of an expression with its place.
    pub fn operand(&mut self, expr: &Expr) -> Result<Operand> {
        Ok(Operand { val: self.expr(expr)?, span: expr.span })
    }

    /// A scalar constant as a value.
    pub fn constant(&mut self, value: Num) -> Val {
        Val { node: self.graph.constant(value), labels: Vec::new() }
    }

    fn number(&mut self, text: &str, span: Span) -> Result<Val> {
        let value = Num::parse(text).ok_or_else(|| {
            Diagnostic::new(
                Code::BadNumber,
                span,
                format!("the number {} is out of the range of f64", limits::literal(text)),
            )
            .help("numbers reach from about 5e-324 to 1.8e308")
        })?;
        Ok(self.constant(value))
    }

    fn name(&mut self, name: &str, span: Span) -> Result<Val> {
        if let Some(val) = self.value(name) {
            let val = val.clone();
            self.note_sizes(std::iter::once(&val));
            return Ok(val);
        }
        if let Some(label) = self.index_label(name) {
            // An index used as a number: its own value.
            let size = self.sizes.get(&label).cloned().ok_or_else(|| self.no_range(name, span))?;
            return Ok(Val { node: self.graph.range(&size), labels: vec![label] });
        }
        if let Some(dim) = self.dims.get(name).cloned() {
            return Ok(Val { node: self.graph.size(&dim), labels: Vec::new() });
        }
        let known = match name {
            "pi" => NamedConst::Pi,
            "e" => NamedConst::E,
            "inf" => NamedConst::Inf,
            _ => return Err(self.unknown_name(name, span)),
        };
        Ok(Val { node: self.graph.named_const(known), labels: Vec::new() })
    }

    fn product_chain(&mut self, first: &Expr, rest: &[(MulOp, Expr)], span: Span) -> Result<Val> {
        // Runs of `*` and `/` are one product; `@` takes what stands to its left as a whole.
        let factors = |at: usize| rest.iter().skip(at).map(|(_, factor)| factor);
        let first_operand = self.operand(first).map_err(|error| self.also(error, factors(0)))?;
        let mut run = vec![(first_operand, false)];
        let mut covered = first.span;
        for (at, (op, factor)) in rest.iter().enumerate() {
            let operand =
                self.operand(factor).map_err(|error| self.also(error, factors(at + 1)))?;
            match op {
                MulOp::Mul | MulOp::DotMul => run.push((operand, false)),
                MulOp::Div | MulOp::DotDiv => run.push((operand, true)),
                MulOp::MatMul => {
                    let left = self.finish_run(&run, covered)?;
                    let left = Operand { val: left, span: covered };
                    let val = self.matmul(&left, &operand, covered.to(factor.span))?;
                    run = vec![(Operand { val, span: covered.to(factor.span) }, false)];
                }
            }
            covered = covered.to(factor.span);
        }
        self.finish_run(&run, span)
    }

    pub(crate) fn finish_run(&mut self, run: &[(Operand, bool)], span: Span) -> Result<Val> {
        match run {
            [(only, false)] => Ok(only.val.clone()),
            _ => self.product(run, span),
        }
    }

    pub(crate) fn power(&mut self, base: &Expr, exponent: &Expr, span: Span) -> Result<Val> {
        if let Some(transpose) = self.transpose_power(base, exponent) {
            return Err(transpose);
        }
        let base = self.operand(base)?;
        let exponent = self.operand(exponent)?;
        self.power_of(base, exponent, span)
    }

    /// `base ^ exponent`, elementwise; a constant exponent is part of the node.
    pub fn power_of(&mut self, base: Operand, exponent: Operand, span: Span) -> Result<Val> {
        if let Some(value) = self.constant_value(exponent.val.node) {
            if value.is_zero() {
                let shape = self.graph.shape(base.val.node).clone();
                return Ok(Val { node: self.graph.ones(&shape), labels: base.val.labels });
            }
            if value.is_negative() && self.graph.is_zero(base.val.node) {
                let message = "zero to a negative power";
                let error = Diagnostic::new(Code::DivisionByZero, base.span, message)
                    .help("it divides by zero, which has no value at any point");
                return Err(self.origins(error, std::slice::from_ref(&base)));
            }
            if let (Op::Const(c), Some(n)) = (self.graph.op(base.val.node), value.as_int())
                && let Some(power) = c.powi(n)
            {
                let power = self.in_range(power, c.is_zero(), span)?;
                return Ok(self.constant(power));
            }
            if value.as_int().is_none() && !self.in_rule {
                self.warn_of_root(&base, span);
            }
            let node = self.graph.pow(base.val.node, value);
            if value.is_negative() {
                self.graph.spans.entry(node).or_insert(base.span);
            }
            return Ok(Val { node, labels: base.val.labels });
        }
        if matches!(self.graph.op(base.val.node), Op::Named(NamedConst::E)) {
            return self.elementwise(ops::known("exp", 1), &[exponent], span);
        }
        self.elementwise(ops::of_operator(Operator::Power), &[base, exponent], span)
    }

    /// The number that a node is, if it is one.
    pub fn constant_value(&self, node: crate::ir::NodeId) -> Option<Num> {
        match (self.graph.op(node), self.graph.args(node)) {
            (Op::Const(value), _) => Some(*value),
            (Op::Add(coefficients), [only]) => Some(coefficients[0] * self.constant_value(*only)?),
            _ => None,
        }
    }

    pub(crate) fn transpose(&mut self, operand: &Operand) -> Result<Val> {
        let rank = self.positional(&operand.val).len();
        if rank < 2 {
            let shape = self.show(&operand.val);
            return Err(Diagnostic::new(
                Code::BadAxis,
                operand.span,
                "`.T` exchanges the last two axes, this has fewer",
            )
            .here(shape)
            .help("a vector needs no transpose in `x @ v`; a column is written `v[:, None]`, a row `v[None, :]`"));
        }
        let first = operand.val.labels.len();
        let mut order: Vec<usize> = (0..first + rank).collect();
        order.swap(first + rank - 2, first + rank - 1);
        Ok(Val {
            node: self.graph.permute(operand.val.node, &order),
            labels: operand.val.labels.clone(),
        })
    }

    /// An elementwise entry of the rule book over broadcast operands.
    pub fn elementwise(&mut self, op: ops::OpId, operands: &[Operand], span: Span) -> Result<Val> {
        let row = ops::spec(op);
        let shape = self.broadcast(operands, &format!("`{}`", row.name), span)?;
        let labels = self.union_labels(operands.iter().map(|operand| &operand.val));
        let nodes = self.expand(operands, &labels, &shape);
        let full: Vec<Dim> =
            labels.iter().map(|label| self.label_size(*label)).chain(shape).collect();
        // What formulas write instead gets its place in their order here.
        ops::as_product(self.graph, op, &nodes);
        let node = self.graph.call(op, nodes, Attrs::default(), full);
        self.graph.spans.entry(node).or_insert(span);
        Ok(Val { node, labels })
    }
}

fn bad_place(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(
        Code::BadArgument,
        span,
        format!("{what} can stand only as an argument of a function that takes one"),
    )
}
