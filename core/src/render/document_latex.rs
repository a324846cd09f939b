//! Told derivations as LaTeX: a fragment that wants amsmath, or an article that compiles.

use super::document_text::heading;
use crate::derivation::{Step, Told};

/// The derivations, one `align*` for each chain of equalities.
pub fn fragment(told: &[Told]) -> String {
    let parts: Vec<String> = told.iter().map(derivative).collect();
    parts.join("\n")
}

/// A document of its own.
pub fn article(told: &[Told]) -> String {
    let body = fragment(told);
    [
        "\\documentclass{article}\n\\usepackage[margin=2cm]{geometry}\n\\usepackage{amsmath,amssymb}\n\\allowdisplaybreaks\n",
        "\\begin{document}\n\n",
        &body,
        "\n\\end{document}\n",
    ]
    .concat()
}

fn derivative(told: &Told) -> String {
    let mut out = format!("% {}\n", heading(told));
    for chain in chains(&told.steps) {
        out.push_str(&aligned(
            &chain.iter().map(|step| line(&step.latex, &step.note_latex)).collect::<Vec<_>>(),
        ));
    }
    let closed = format!("{} = {}", told.lhs_latex, told.latex);
    if told.steps.is_empty() {
        out.push_str(&aligned(&[line(&closed, "")]));
    }
    if !told.wheres.is_empty() {
        out.push_str("where\n");
        out.push_str(&aligned(
            &told.wheres.iter().map(|binding| line(&binding.latex, "")).collect::<Vec<_>>(),
        ));
    }
    out
}

/// The steps, cut where they begin to be about another quantity.
pub(super) fn chains(steps: &[Step]) -> Vec<&[Step]> {
    steps.chunk_by(|before, after| before.about == after.about).collect()
}

fn aligned(lines: &[String]) -> String {
    format!("\\begin{{align*}}\n{}\n\\end{{align*}}\n", lines.join(" \\\\\n"))
}

/// An equation with its equals sign to align at, and its reason.
fn line(latex: &str, note: &str) -> String {
    let (left, right) = split(latex);
    let reason = if note.is_empty() { String::new() } else { format!(" && \\text{{{note}}}") };
    format!("  {left}&= {right}{reason}")
}

/// The sides of an equation; the left one ends in a blank where there is one.
fn split(latex: &str) -> (String, &str) {
    if let Some(right) = latex.strip_prefix("= ") {
        return (String::new(), right);
    }
    match latex.split_once(" = ") {
        Some((left, right)) => (format!("{left} "), right),
        None => (String::new(), latex),
    }
}
