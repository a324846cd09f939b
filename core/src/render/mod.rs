//! Syntax tree → typeset mathematics. In: an expression and what is known of the ranks of its names. Out: a [`math::Math`]
//! layout tree, in which brackets are decided once, and from it LaTeX or a line of Unicode. Pure functions; no mathematics is
//! decided here.

pub mod document_latex;
pub mod document_text;
pub mod dot;
mod graph_text;
pub mod latex;
mod layout;
pub mod markdown;
pub mod math;
mod names;
mod products;
pub mod svg;
pub mod unicode;

use crate::raise::Notation;
use chainrule_grammar::ast::Expr;
use math::Math;

/// What an expression is printed in.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The rank of a name, where it is known.
    pub rank: &'a dyn Fn(&str) -> Option<usize>,
    /// In which notation the expression is: names of no known rank are scalars in index notation, tensors in matrix notation.
    pub notation: Notation,
}

/// The layout of an expression.
pub fn layout(expr: &Expr, ctx: &Context<'_>) -> Math {
    layout::layout(expr, ctx)
}

/// An expression in LaTeX, in the subset that LaTeX with amsmath and KaTeX have in common.
pub fn latex(expr: &Expr, ctx: &Context<'_>) -> String {
    latex::emit(&layout(expr, ctx))
}

/// An expression in one line of Unicode.
pub fn unicode(expr: &Expr, ctx: &Context<'_>) -> String {
    unicode::emit(&layout(expr, ctx))
}

/// A name in LaTeX: `W_hh` is `W_{hh}`, `alpha` is `\alpha`, `x_hat` is `\hat{x}`.
pub fn name_latex(name: &str) -> String {
    latex::emit(&names::name(name))
}

/// A name with index letters in LaTeX: `W1` at `j, k` is `W_{1,jk}`.
pub fn indexed_name_latex(name: &str, letters: &[String]) -> String {
    latex::emit(&names::indexed(name, letters_math(letters)))
}

/// `∂of/∂wrt` in LaTeX, both at index letters: `\frac{\partial E}{\partial w_{jk}}`.
pub fn partial_latex(of: &str, of_letters: &[String], wrt: &str, wrt_letters: &[String]) -> String {
    latex::emit(&partial(of, of_letters, wrt, wrt_letters))
}

/// `∂of/∂wrt` as a layout.
pub fn partial(of: &str, of_letters: &[String], wrt: &str, wrt_letters: &[String]) -> Math {
    let side = |name: &str, letters: &[String]| {
        Math::Row(vec![
            Math::Symbol(math::Symbol::Partial),
            names::indexed(name, letters_math(letters)),
        ])
    };
    Math::Frac(Box::new(side(of, of_letters)), Box::new(side(wrt, wrt_letters)))
}

fn letters_math(letters: &[String]) -> Vec<Math> {
    letters.iter().map(|letter| names::name(letter)).collect()
}

#[cfg(test)]
mod tests;
