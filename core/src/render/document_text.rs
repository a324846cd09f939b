//! Told derivations as plain text: one line a step, its reason in parentheses.

use crate::derivation::{Step, Told};

/// The widest line on which a reason still stands beside its formula.
const COLUMNS: usize = 100;

/// The derivations.
pub fn document(told: &[Told]) -> String {
    let parts: Vec<String> = told.iter().map(derivative).collect();
    parts.join("\n")
}

/// `dE/dW, of shape [N, M]`
pub(super) fn heading(told: &Told) -> String {
    let shape = match told.shape.is_empty() {
        true => "a scalar".to_string(),
        false => format!("of shape [{}]", told.shape.join(", ")),
    };
    format!("d{}/d{}, {shape}", told.of, told.wrt)
}

fn derivative(told: &Told) -> String {
    let mut out = format!("{}\n\n", heading(told));
    let own = format!("d{}/d{}", told.of, told.wrt);
    for chain in super::document_latex::chains(&told.steps) {
        let about = chain.first().map_or("", |step| step.about.as_str());
        let left = if about.is_empty() { own.as_str() } else { about };
        out.push_str(&steps(left, chain));
        out.push('\n');
    }
    out.push_str(&format!("  {own} = {}\n", told.text));
    for (at, binding) in told.wheres.iter().enumerate() {
        let word = if at == 0 { "where " } else { "      " };
        out.push_str(&format!("  {word}{} = {}\n", binding.name, binding.text));
    }
    out
}

fn steps(left: &str, chain: &[Step]) -> String {
    let indent = " ".repeat(left.chars().count() + 2);
    let widest = chain
        .iter()
        .map(|step| step.text.chars().count())
        .filter(|width| *width <= COLUMNS / 2)
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for (at, step) in chain.iter().enumerate() {
        let front = if at == 0 { format!("  {left}") } else { indent.clone() };
        out.push_str(&format!("{front} = {}", step.text));
        if !step.note.is_empty() {
            let width = step.text.chars().count();
            if indent.len() + 6 + width.max(widest) + step.note.chars().count() <= COLUMNS {
                out.push_str(&" ".repeat(widest.saturating_sub(width) + 2));
            } else {
                out.push_str(&format!("\n{indent}     "));
            }
            out.push_str(&format!("({})", step.note));
        }
        out.push('\n');
    }
    out
}
