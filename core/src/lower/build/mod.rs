//! Functions that are graph structure rather than calls: products, axes, identities. Entries of `ops::shape` point here.

mod einsum;
mod join;
mod products;
mod shapes;
mod time;

pub use einsum::einsum;
pub use join::{concat, stack};
pub use products::{derivative, diag, dot, kron, matmul, outer, trace, transpose};
pub use shapes::{
    count, expand, eye, flatten, flip, gather, one_hot, ones, pad, range, reshape, roll, split,
    squeeze, zeros,
};
pub use time::scan;

use super::Lowerer;
use super::call::{Arg, CallArgs};
use super::shape::Operand;
use crate::ir::{Dim, Shape};
use chainrule_grammar::ast::{Expr, ExprKind};
use chainrule_grammar::{Code, Diagnostic, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

fn wrong(call: &CallArgs<'_>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadArgument, call.span, message)
}

fn args<const N: usize>(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<[Operand; N]> {
    let operands = lowerer.positional_args(call)?;
    let count = operands.len();
    operands.try_into().map_err(|_| arity(call, N, count))
}

fn arity(call: &CallArgs<'_>, wanted: usize, count: usize) -> Diagnostic {
    let plural = if wanted == 1 { "argument" } else { "arguments" };
    Diagnostic::new(
        Code::Arity,
        call.span,
        format!("`{}` takes {wanted} {plural}, not {count}", call.name),
    )
}

/// The first of the arguments, the value that is worked on, where `axis` may be written as the argument number `at`, or as a keyword.
fn with_axis<'e>(
    lowerer: &mut Lowerer<'_>,
    call: &CallArgs<'e>,
    at: usize,
) -> Result<(Operand, Option<&'e Expr>)> {
    let axis = match call.args.get(at) {
        Some(Arg::Written(expr)) => Some(*expr),
        _ => keyword(call, "axis"),
    };
    match call.args.first() {
        Some(first) if (at..=at + 1).contains(&call.args.len()) => Ok((lowerer.arg(first)?, axis)),
        _ => Err(arity(call, at, call.args.len())),
    }
}

fn keyword<'e>(call: &CallArgs<'e>, name: &str) -> Option<&'e Expr> {
    call.kwargs.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
}

fn square(lowerer: &Lowerer<'_>, operand: &Operand, name: &str) -> Result<Dim> {
    let shape = lowerer.positional(&operand.val);
    if let [.., a, b] = shape
        && a != b
    {
        lowerer.differ(a, b);
    }
    match shape {
        [.., a, b] if a == b => Ok(a.clone()),
        _ => Err(Diagnostic::new(
            Code::NotSquare,
            operand.span,
            format!("`{name}` wants a square matrix"),
        )
        .here(lowerer.show(&operand.val))
        .help("a square matrix is declared with one size twice: `A: [N, N]`")),
    }
}

fn sizes(lowerer: &mut Lowerer<'_>, args: &[Arg<'_>], span: Span) -> Result<Shape> {
    let mut shape = Vec::new();
    for arg in args {
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
    lowerer.check_size(&shape, span)?;
    Ok(shape)
}

fn whole(lowerer: &Lowerer<'_>, expr: &Expr) -> Result<i128> {
    lowerer
        .position(expr)
        .and_then(|position| position.offset.as_fixed().filter(|_| position.terms.is_empty()))
        .filter(|number| number.abs() < 1 << 40)
        .ok_or_else(|| Diagnostic::new(Code::BadArgument, expr.span, "this must be a whole number"))
}
