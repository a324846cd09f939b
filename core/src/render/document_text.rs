//! Told derivations as plain text: one line a step, its reason in parentheses. Every named quantity is written once, where it is
//! first told or needed.

use super::page;
use super::phrases::{Lang, Phrase, phrase};
use crate::derivation::{Step, Told};
use std::collections::BTreeSet;

/// The widest line on which a reason still stands beside its formula.
const COLUMNS: usize = 100;

/// The derivations.
pub fn document(told: &[Told], lang: Lang) -> String {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let parts: Vec<String> = told.iter().map(|told| derivative(told, lang, &mut known)).collect();
    parts.join("\n")
}

fn derivative<'t>(told: &'t Told, lang: Lang, known: &mut BTreeSet<&'t str>) -> String {
    let mut out = format!("{}\n\n", page::heading(told, lang).plain());
    if !told.forward.is_empty() {
        let quantities = told.forward.iter().map(|one| format!("  {} = {}\n", one.name, one.text));
        let quantities: String = quantities.collect();
        out.push_str(&format!("  {}\n{quantities}\n", phrase(Phrase::Forward, lang)));
        known.extend(told.forward.iter().map(|quantity| quantity.name.as_str()));
    }
    let own = told.lhs.as_str();
    for chain in page::chains(&told.steps) {
        let about = chain.first().map_or("", |step| step.about.as_str());
        let left = if about.is_empty() { own } else { about };
        out.push_str(&steps(left, chain));
        out.push('\n');
    }
    out.push_str(&format!("  {own} = {}\n", told.text));
    let word = phrase(Phrase::Where, lang);
    known.extend(told.steps.iter().map(|step| step.about.as_str()));
    let wheres = told.wheres.iter().filter(|binding| known.insert(&binding.name));
    for (at, binding) in wheres.enumerate() {
        let word = if at == 0 { word } else { "" };
        out.push_str(&format!("  {word:<5} {} = {}\n", binding.name, binding.text));
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
        let note = step.note();
        if !note.is_empty() {
            let width = step.text.chars().count();
            if indent.len() + 6 + width.max(widest) + note.chars().count() <= COLUMNS {
                out.push_str(&" ".repeat(widest.saturating_sub(width) + 2));
            } else {
                out.push_str(&format!("\n{indent}     "));
            }
            out.push_str(&format!("({note})"));
        }
        out.push('\n');
    }
    out
}
