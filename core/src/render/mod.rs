//! Syntax tree → typeset mathematics. In: an expression and what is known of the ranks of its names. Out: a [`math::Math`]
//! layout tree, in which brackets are decided once, and from it LaTeX or a line of Unicode. Pure functions; no mathematics is
//! decided here.

pub mod boxes;
pub mod document_latex;
#[cfg(feature = "tools")]
pub mod document_mathml;
pub mod document_terminal;
#[cfg(feature = "tools")]
pub mod document_text;
#[cfg(feature = "tools")]
pub mod document_typst;
#[cfg(feature = "tools")]
pub mod dot;
mod entries;
#[cfg(feature = "tools")]
mod graph_text;
pub mod latex;
mod layout;
#[cfg(feature = "tools")]
pub mod markdown;
pub mod math;
pub mod mathml;
mod names;
pub mod page;
pub mod phrases;
mod products;
pub mod prose;
#[cfg(feature = "tools")]
pub mod report;
pub mod rows;
#[cfg(feature = "tools")]
pub mod svg;
mod template;
#[cfg(feature = "tools")]
pub mod typst;
pub mod unicode;

use crate::few::Each;
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
    /// The language of the few words in formulas.
    pub lang: phrases::Lang,
}

/// A condition beside a value, as every format has it: `if a > b`.
pub fn condition(holds: Math, lang: phrases::Lang) -> Math {
    Math::Row(vec![Math::Text(phrases::phrase(phrases::Phrase::If, lang).to_string()), holds])
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

/// A name: `W_hh` is `W` with `hh` below, `alpha` is α, `x_hat` is x̂.
pub fn name(name: &str) -> Math {
    names::name(name)
}

/// A name with index letters: `W1` at `j, k` is `W` with `1,jk` below.
pub fn indexed_name(name: &str, letters: &[String]) -> Math {
    names::indexed(name, letters_math(letters))
}

/// `∂of/∂wrt`, both at index letters.
pub fn partial(of: &str, of_letters: &[String], wrt: &str, wrt_letters: &[String]) -> Math {
    Math::frac(by(indexed_name(of, of_letters)), by(indexed_name(wrt, wrt_letters)))
}

/// `∂²of/∂wrt²`, or `∂²of/∂wrt ∂wrt` at two lots of index letters.
pub fn second_partial(of: &str, wrt: &str, letters: Option<(&[String], &[String])>) -> Math {
    let two = || Math::Num("2".to_string());
    let square = Math::superscript(Math::Symbol(math::Symbol::Partial), two());
    let below = match letters {
        None => by(Math::superscript(names::name(wrt), two())),
        Some((once, twice)) => {
            Math::Row(vec![by(indexed_name(wrt, once)), Math::Thin, by(indexed_name(wrt, twice))])
        }
    };
    Math::frac(Math::Row(vec![square, names::name(of)]), below)
}

/// `∂²of/∂first ∂second`
pub fn mixed_partial(of: &str, first: &str, second: &str) -> Math {
    let below = vec![by(names::name(first)), Math::Thin, by(names::name(second))];
    let square = Math::superscript(Math::Symbol(math::Symbol::Partial), Math::Num("2".to_string()));
    Math::frac(Math::Row(vec![square, names::name(of)]), Math::Row(below))
}

/// `∂of/∂wrt` on a slash, for running text.
pub fn inline_partial(of: &str, wrt: &str) -> Math {
    Math::Row(vec![by(names::name(of)), Math::Symbol(math::Symbol::Slash), by(names::name(wrt))])
}

/// Letters as a subscript.
pub fn letters(letters: &[String]) -> Math {
    Math::Row(letters_math(letters))
}

fn by(name: Math) -> Math {
    Math::Row(vec![Math::Symbol(math::Symbol::Partial), name])
}

fn letters_math(letters: &[String]) -> Vec<Math> {
    let letter = |letter: &String| match letter.as_str() {
        "0" => Math::Num("0".to_string()),
        name => names::name(name),
    };
    letters.each(letter)
}

#[cfg(test)]
#[cfg(feature = "tools")]
mod tests;
#[cfg(test)]
#[cfg(feature = "tools")]
mod tests_drawn;
