//! Told derivations as Markdown with `$$` blocks, as GitHub, Jupyter and most static-site tools show them.

use super::document_text::heading;
use crate::derivation::Told;

/// The derivations.
pub fn document(told: &[Told]) -> String {
    let parts: Vec<String> = told.iter().map(derivative).collect();
    parts.join("\n")
}

fn derivative(told: &Told) -> String {
    let mut out = format!("## {}\n\n", escape(&heading(told)));
    for step in &told.steps {
        out.push_str(&block(&step.latex));
        if !step.note.is_empty() {
            out.push_str(&format!("*{}*\n\n", escape(&step.note)));
        }
    }
    if !told.steps.is_empty() {
        out.push_str("**Result**\n\n");
    }
    out.push_str(&block(&format!("{} = {}", told.lhs_latex, told.latex)));
    if !told.wheres.is_empty() {
        out.push_str("where\n\n");
        told.wheres.iter().for_each(|binding| out.push_str(&block(&binding.latex)));
    }
    out.push_str(&format!("In the language: `{}`\n", told.text));
    out
}

fn block(latex: &str) -> String {
    format!("$$\n{latex}\n$$\n\n")
}

/// Running text: what Markdown would take for a sign of its own is escaped.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '$' | '|' | '#' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
