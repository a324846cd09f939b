//! `net` chains: layers that declare their own parameters from the shape of what they are applied to.

use super::call::CallArgs;
use super::shape::Operand;
use super::{Lowerer, Val};
use crate::ir::{Dim, Var, VarKind};
use chainrule_grammar::ast::{Expr, ExprKind, Ident};
use chainrule_grammar::{Code, Diagnostic, Span};

/// A chain of layers, and whether its parameters are declared already.
#[derive(Clone)]
pub(crate) struct Net<'a> {
    pub name: &'a Ident,
    pub chain: &'a Expr,
    /// Where it was applied first, and to what shape: to that its parameters belong.
    pub applied: Option<(Span, String)>,
}

impl Lowerer<'_> {
    pub(crate) fn apply_net(
        &mut self,
        func: &Ident,
        call: &CallArgs<'_>,
    ) -> Result<Val, Diagnostic> {
        if !self.nets.contains_key(&func.name) {
            return Err(self.unknown_name(&func.name, func.span));
        }
        let [arg] = call.args.as_slice() else {
            return Err(Diagnostic::new(
                Code::Arity,
                call.span,
                format!("the net `{}` takes one argument", func.name),
            ));
        };
        let mut operand = self.arg(arg)?;
        let here = (call.span, self.show(&operand.val));
        let Some(net) = self.nets.get_mut(&func.name) else {
            return Err(self.unknown_name(&func.name, func.span));
        };
        net.applied.get_or_insert_with(|| here.clone());
        let net = net.clone();
        let (first, rest): (&Expr, &[Expr]) = match &net.chain.kind {
            ExprKind::Pipe(first, rest) => (first, rest),
            _ => (net.chain, &[]),
        };
        let mut layer = 0;
        for stage in std::iter::once(first).chain(rest) {
            let val = match dense_width(stage) {
                Some(width) => {
                    layer += 1;
                    let parts = self.layer(&net, layer, &operand, width, stage)?;
                    self.fitting(&net, &parts.0, &operand, &here, stage)?;
                    self.dense(&operand, parts, stage)?
                }
                None => self.stage(operand, stage)?,
            };
            operand = Operand { val, span: stage.span };
        }
        Ok(operand.val)
    }

    /// The parameters of a layer: `net.W1: [in, width]`, `net.b1: [width]`.
    fn layer(
        &mut self,
        net: &Net<'_>,
        layer: usize,
        x: &Operand,
        width: &Expr,
        stage: &Expr,
    ) -> Result<(Val, Val), Diagnostic> {
        let width = self.dimension(width)?;
        let Some(inner) = self.positional(&x.val).last().cloned() else {
            return Err(Diagnostic::new(
                Code::BadAxis,
                stage.span,
                "a dense layer wants at least a vector, this is a scalar",
            ));
        };
        let weight = self.layer_param(net, &format!("W{layer}"), vec![inner, width.clone()])?;
        let bias = self.layer_param(net, &format!("b{layer}"), vec![width])?;
        Ok((weight, bias))
    }

    /// The parameters of a net have the sizes of what it was applied to first.
    fn fitting(
        &self,
        net: &Net<'_>,
        weight: &Val,
        x: &Operand,
        (call, shape): &(Span, String),
        stage: &Expr,
    ) -> Result<(), Diagnostic> {
        let (wants, has) = (self.positional(weight).first(), self.positional(&x.val).last());
        let (Some(wants), Some(has)) = (wants, has) else { return Ok(()) };
        if wants == has {
            return Ok(());
        }
        self.differ(wants, has);
        let (name, applied) = (&net.name.name, net.applied.as_ref());
        let before = applied.map_or("", |(_, before)| before.as_str());
        let message =
            format!("the net `{name}` was applied to {before} before and to {shape} here");
        let mut wrong = Diagnostic::new(Code::ShapeMismatch, *call, message).here(shape.as_str());
        if let Some((first, before)) = applied {
            wrong = wrong.label(*first, before.as_str());
        }
        let (wants, has) = (self.graph.show_dim(wants), self.graph.show_dim(has));
        Err(wrong.label(stage.span, format!("it takes rows of {wants} entries, these have {has}")).help(
            "a net has one set of parameters, whose sizes follow from where it is applied first; write a second net for rows of other sizes",
        ))
    }

    /// `x @ W + b`
    fn dense(
        &mut self,
        x: &Operand,
        (weight, bias): (Val, Val),
        stage: &Expr,
    ) -> Result<Val, Diagnostic> {
        let product = self.matmul(x, &Operand { val: weight, span: stage.span }, stage.span)?;
        let one = crate::ir::Num::ONE;
        self.sum_of(
            &[
                (Operand { val: product, span: stage.span }, one),
                (Operand { val: bias, span: stage.span }, one),
            ],
            stage.span,
        )
    }

    fn layer_param(
        &mut self,
        net: &Net<'_>,
        name: &str,
        shape: Vec<Dim>,
    ) -> Result<Val, Diagnostic> {
        let name = format!("{}.{name}", net.name.name);
        if let Some(val) = self.globals.get(&name) {
            return Ok(val.clone());
        }
        let span = net.name.span;
        self.check_size(&shape, span)?;
        let var = Var {
            name: name.clone(),
            kind: VarKind::Param,
            int: false,
            shape,
            facts: Vec::new(),
            doc: Vec::new(),
            span,
        };
        let node = self.graph.declare(var);
        let val = Val { node, labels: Vec::new() };
        self.globals.insert(name, val.clone());
        Ok(val)
    }
}

/// The width of a `dense(20)` stage.
fn dense_width(stage: &Expr) -> Option<&Expr> {
    match &stage.kind {
        ExprKind::Call { func, args, kwargs, bound }
            if func.name == "dense" && kwargs.is_empty() && bound.is_empty() =>
        {
            match args.as_slice() {
                [width] => Some(width),
                _ => None,
            }
        }
        _ => None,
    }
}
