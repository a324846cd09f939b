//! Derivations as data: the lines of a textbook, each with the rule that made it.

mod chain;
mod notes;
mod show;
mod tell;

pub use crate::raise::Notation;
pub use tell::tell;

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
}

impl Default for Options {
    fn default() -> Options {
        Options { notation: Notation::Matrix, steps: Steps::Full, style: Style::Auto }
    }
}

/// A derivation, told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// What is differentiated.
    pub of: String,
    /// By what.
    pub wrt: String,
    /// The derivative's shape, sizes as the language writes them.
    pub shape: Vec<String>,
    /// The left-hand side in LaTeX.
    pub lhs_latex: String,
    /// The closed form in the language; with the `wheres` before it, it parses with the program's declarations.
    pub text: String,
    /// The closed form in LaTeX.
    pub latex: String,
    /// The lines.
    pub steps: Vec<Step>,
    /// Named parts, each in terms of the program and of those before it.
    pub wheres: Vec<Binding>,
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
    /// The whole line in LaTeX (left-hand side included where a new chain of equalities starts).
    pub latex: String,
    /// Why the line holds, in plain text.
    pub note: String,
    /// The same as running text of LaTeX, formulas between dollars.
    pub note_latex: String,
}

/// A named part of a closed form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Binding {
    /// Its name in the language.
    pub name: String,
    /// Its value in the language.
    pub text: String,
    /// The whole equation in LaTeX.
    pub latex: String,
}
