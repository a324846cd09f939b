//! Told derivations as Markdown with `$$` blocks, as GitHub, Jupyter and most static-site tools show them. Reasons stand outside
//! of the formulas, so that they wrap.

use super::latex::emit;
use super::page::{Page, Part, Row};
use super::phrases::{Lang, Phrase, phrase};
use super::prose::Prose;
use super::rows::{Measure, Set, set};

/// The width of a column of text on a page, in em of its formulas.
const WIDTH: f64 = 42.0;

/// The derivations.
pub fn document(page: &Page) -> String {
    cells(page).join("\n")
}

/// The same in pieces: the conventions, then one for each derivative.
pub fn cells(page: &Page) -> Vec<String> {
    let mut cells = vec![format!("{}\n", text(&page.conventions))];
    cells.extend(page.parts.iter().map(|part| section(part, page.lang)));
    cells
}

fn section(part: &Part, lang: Lang) -> String {
    let mut out = format!("## {}\n\n", text(&part.heading));
    if !part.forward.is_empty() {
        out.push_str(&format!("{}\n\n", phrase(Phrase::Forward, lang)));
        part.forward.iter().for_each(|row| out.push_str(&line(row)));
    }
    part.chains.iter().flatten().for_each(|row| out.push_str(&line(row)));
    if !part.wheres.is_empty() {
        out.push_str(&format!("{}\n\n", phrase(Phrase::Where, lang)));
        part.wheres.iter().for_each(|row| out.push_str(&line(row)));
    }
    out.push_str(&format!("{}{}\n", phrase(Phrase::InTheLanguage, lang), code(&part.text)));
    out
}

/// A line of a chain as a block, and its reason below it.
fn line(row: &Row) -> String {
    let bare = Row { line: row.line.clone(), why: Prose::default() };
    let measure = Measure::page(WIDTH);
    let pieces = set(&[bare], &measure);
    let block = match pieces.as_slice() {
        [Set::Equation(left, right, _)] => {
            let left = left.as_ref().map(|left| format!("{} ", emit(left))).unwrap_or_default();
            format!("{left}= {}", emit(right))
        }
        _ => format!(
            "\\begin{{aligned}}\n{}\n\\end{{aligned}}",
            super::document_latex::lines(pieces)
        ),
    };
    let why = if row.why.is_empty() { String::new() } else { format!("*{}*\n\n", text(&row.why)) };
    format!("$$\n{block}\n$$\n\n{why}")
}

/// Running text: what Markdown would take for a sign of its own is escaped.
fn text(prose: &Prose) -> String {
    prose.write(escape, |math| format!("${}$", emit(math).trim()))
}

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

/// Code in as many backquotes as it needs.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
