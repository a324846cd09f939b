//! `net` chains: layers that declare their own parameters from the shape of what they are applied to.

use super::call::CallArgs;
use super::shape::Operand;
use super::{Lowerer, Val};
use crate::ir::{Dim, Var, VarKind};
use chainrule_grammar::ast::{Expr, ExprKind, Ident};
use chainrule_grammar::{Code, Diagnostic};

/// A chain of layers, and whether its parameters are declared already.
#[derive(Clone)]
pub(crate) struct Net<'a> {
    pub name: &'a Ident,
    pub chain: &'a Expr,
}

impl Lowerer<'_> {
    pub(crate) fn apply_net(
        &mut self,
        func: &Ident,
        call: &CallArgs<'_>,
    ) -> Result<Val, Diagnostic> {
        let Some(net) = self.nets.get(&func.name).cloned() else {
            return Err(self.unknown_name(&func.name, func.span));
        };
        let [arg] = call.args.as_slice() else {
            return Err(Diagnostic::new(
                Code::Arity,
                call.span,
                format!("the net `{}` takes one argument", func.name),
            ));
        };
        let mut operand = self.arg(arg)?;
        let (first, rest): (&Expr, &[Expr]) = match &net.chain.kind {
            ExprKind::Pipe(first, rest) => (first, rest),
            _ => (net.chain, &[]),
        };
        let mut layer = 0;
        for stage in std::iter::once(first).chain(rest) {
            let val = match dense_width(stage) {
                Some(width) => {
                    layer += 1;
                    self.dense(&net, layer, &operand, width, stage)?
                }
                None => self.stage(operand, stage)?,
            };
            operand = Operand { val, span: stage.span };
        }
        Ok(operand.val)
    }

    /// `x @ W + b` with `net.W1: [in, width]`, `net.b1: [width]`.
    fn dense(
        &mut self,
        net: &Net<'_>,
        layer: usize,
        x: &Operand,
        width: &Expr,
        stage: &Expr,
    ) -> Result<Val, Diagnostic> {
        let width = self.dimension(width)?;
        let Some(inner) = self.positional(&x.val).last().cloned() else {
            return Err(Diagnostic::new(
                Code::BadAxis,
                stage.span,
                "a dense layer wants at least a vector, this is a scalar",
            ));
        };
        let weight =
            self.layer_param(net, &format!("W{layer}"), vec![inner.clone(), width.clone()])?;
        let bias = self.layer_param(net, &format!("b{layer}"), vec![width])?;
        let own = self.positional(&weight).first().cloned();
        if own.as_ref() != Some(&inner) {
            return Err(Diagnostic::new(
                Code::ShapeMismatch,
                stage.span,
                format!(
                    "the net `{}` was applied to {} before and to {} here",
                    net.name.name,
                    own.map_or_else(String::new, |dim| self.graph.show_dim(&dim)),
                    self.graph.show_dim(&inner)
                ),
            ));
        }
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
