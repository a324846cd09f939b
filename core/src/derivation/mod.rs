//! Derivations as data: the lines of a textbook, each with the rule that made it.

mod cases;
mod chain;
mod cone;
mod layers;
mod left;
mod local;
mod notes;
mod orders;
mod plain;
mod poles;
mod sequences;
mod show;
mod stages;
mod tell;
mod ways;

pub use crate::raise::Notation;
pub use crate::render::phrases::Lang;
pub use tell::tell;

use crate::render::latex;
use crate::render::math::{Line, Math};
use crate::render::prose::Prose;
use std::sync::Arc;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Steps {
    /// The closed form only.
    None,
    /// The outline.
    Brief,
    /// Every rule.
    #[default]
    Full,
}

/// How the chain rule is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Style {
    /// One chain of equalities, as a textbook does for one layer.
    Chain,
    /// An error term δ for each named quantity, from the loss backwards, as a textbook does for many layers.
    Staged,
    /// Chain for short paths, staged for long ones.
    #[default]
    Auto,
}

/// What a derivation is told like.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Notation.
    pub notation: Notation,
    /// Amount.
    pub steps: Steps,
    /// Layout.
    pub style: Style,
    /// The language of the reasons.
    pub lang: Lang,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            notation: Notation::Matrix,
            steps: Steps::Full,
            style: Style::Auto,
            lang: Lang::En,
        }
    }
}

/// A derivation, told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Which derivative it is, as a word: `gradient`, `jacobian`, `hessian`, `hvp` or `jvp`.
    pub kind: &'static str,
    /// What is differentiated.
    pub of: String,
    /// By what.
    pub wrt: String,
    /// The derivative's shape, sizes as the language writes them.
    pub shape: Vec<String>,
    /// The derivative with its closed form.
    pub closed: Line,
    /// The left-hand side in plain text: `dE/dW`, `d²E/dW²`, `d²E/dW² W_dot`.
    pub lhs: String,
    /// The closed form in the language; with the `wheres` before it, it parses with the program's declarations.
    pub text: String,
    /// Of the first derivation of a loss that is told in stages: the quantities of the forward pass, each by its formula.
    pub forward: Vec<Binding>,
    /// The lines.
    pub steps: Vec<Step>,
    /// Named parts, each in terms of the program and of those before it. Derivations of one program share them.
    pub wheres: Vec<Arc<Binding>>,
    /// Roots that its formulas divide by: where one is 0, the derivative has no value.
    pub poles: Vec<Math>,
    /// Of a product with directions: these, which no program declares.
    pub directions: Vec<Direction>,
}

/// A direction along which a derivative is taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Direction {
    /// Its name in formulas.
    pub name: String,
    /// The variable that moves along it, whose shape it has.
    pub wrt: String,
    /// The shape, sizes as the language writes them.
    pub shape: Vec<String>,
    /// Its declaration in the language: with it texts parse.
    pub text: String,
}

/// A line of a derivation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Which quantity the line is about: empty for the derivative itself, else the name of one of the `wheres`, or the partial derivative
    /// that the line works out, as `d(y, z)`.
    pub about: String,
    /// The rule, in a word.
    pub rule: String,
    /// The right-hand side in the language: an expression that parses and evaluates.
    pub text: String,
    /// The line as it is set (with a left-hand side where a new chain of equalities starts).
    pub line: Line,
    /// Why the line holds.
    pub why: Prose,
}

/// A named part of a closed form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Binding {
    /// Its name in the language.
    pub name: String,
    /// Its value in the language.
    pub text: String,
    /// The whole equation as it is set.
    pub line: Line,
}

impl Told {
    /// The left-hand side in LaTeX.
    pub fn lhs_latex(&self) -> String {
        self.closed.left.as_ref().map(latex::emit).unwrap_or_default()
    }

    /// The closed form in LaTeX.
    pub fn latex(&self) -> String {
        latex::emit(&self.closed.right)
    }
}

impl Step {
    /// The whole line in LaTeX.
    pub fn latex(&self) -> String {
        line_latex(&self.line)
    }

    /// Why the line holds, in plain text.
    pub fn note(&self) -> String {
        self.why.plain()
    }
}

impl Binding {
    /// The equation in LaTeX.
    pub fn latex(&self) -> String {
        line_latex(&self.line)
    }
}

fn line_latex(line: &Line) -> String {
    latex::emit(&line.whole()).trim_start().to_string()
}
