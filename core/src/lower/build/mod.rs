//! Functions that are graph structure rather than calls: products, axes, identities. Entries of `ops::shape` point here.

mod join;
mod products;
mod shapes;
mod time;

pub use join::{concat, stack};
pub use products::{derivative, diag, dot, einsum, kron, matmul, outer, trace, transpose};
pub use shapes::{
    count, expand, eye, flatten, flip, gather, one_hot, ones, pad, range, reshape, roll, squeeze,
    zeros,
};
pub use time::scan;

use super::Lowerer;
use super::call::{Arg, CallArgs};
use super::shape::Operand;
use crate::ir::{Dim, Shape};
use chainrule_grammar::ast::{Expr, ExprKind};
use chainrule_grammar::{Code, Diagnostic};

type Result<T> = std::result::Result<T, Diagnostic>;

fn wrong(call: &CallArgs<'_>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadArgument, call.span, message)
}

fn args<const N: usize>(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<[Operand; N]> {
    let operands = lowerer.positional_args(call)?;
    let count = operands.len();
    operands.try_into().map_err(|_| {
        Diagnostic::new(
            Code::Arity,
            call.span,
            format!("`{}` takes {N} arguments, not {count}", call.name),
        )
    })
}

fn keyword<'e>(call: &CallArgs<'e>, name: &str) -> Option<&'e Expr> {
    call.kwargs.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
}

fn square(lowerer: &Lowerer<'_>, operand: &Operand, name: &str) -> Result<Dim> {
    match lowerer.positional(&operand.val) {
        [.., a, b] if a == b => Ok(a.clone()),
        _ => Err(Diagnostic::new(
            Code::NotSquare,
            operand.span,
            format!("`{name}` wants a square matrix"),
        )
        .here(lowerer.show(&operand.val))),
    }
}

fn sizes(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Shape> {
    let mut shape = Vec::new();
    for arg in &call.args {
        match arg {
            Arg::Written(Expr { kind: ExprKind::List(items), .. }) => {
                for item in items {
                    shape.push(lowerer.dimension(item)?);
                }
            }
            Arg::Written(expr) => shape.push(lowerer.dimension(expr)?),
            Arg::Value(operand) => {
                return Err(Diagnostic::new(
                    Code::BadDimension,
                    operand.span,
                    "a size is a whole number or a dim name",
                ));
            }
        }
    }
    lowerer.check_size(&shape, call.span)?;
    Ok(shape)
}

fn whole(lowerer: &Lowerer<'_>, expr: &Expr) -> Result<i128> {
    lowerer
        .position(expr)
        .and_then(|position| position.offset.as_fixed().filter(|_| position.terms.is_empty()))
        .filter(|number| number.abs() < 1 << 40)
        .ok_or_else(|| Diagnostic::new(Code::BadArgument, expr.span, "this must be a whole number"))
}
