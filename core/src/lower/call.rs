//! Calls of the rule book.
use super::{Lowerer, Val};
use chainrule_grammar::ast::Expr;
use chainrule_grammar::{Diagnostic, Span};

/// The arguments of a call, as written.
pub struct CallArgs<'e> {
    /// By position.
    pub args: &'e [Expr],
    /// By keyword.
    pub kwargs: &'e [(chainrule_grammar::ast::Ident, Expr)],
    /// The whole call.
    pub span: Span,
}

/// What a `Kind::Build` entry does with a call.
pub type Build = fn(&mut Lowerer<'_>, &CallArgs<'_>) -> Result<Val, Diagnostic>;
