//! Told derivations as Typst: a fragment, or a document of its own.

use super::page::{Page, Part, Row};
use super::phrases::{Lang, Phrase, phrase};
use super::prose::Prose;
use super::rows::{Measure, Set, set};
use super::typst::{emit, quoted};

/// The width of a page of A4, in em of its formulas.
const WIDTH: f64 = 43.0;

/// The derivations.
pub fn fragment(page: &Page) -> String {
    let mut out = format!("{}\n", text(&page.conventions));
    page.parts.iter().for_each(|part| out.push_str(&section(part, page.lang)));
    out
}

/// A document of its own.
pub fn document(page: &Page) -> String {
    let language = match page.lang {
        Lang::En => "#set text(lang: \"en\")\n",
        Lang::Zh => {
            "#set text(lang: \"zh\", font: (\"New Computer Modern\", \"Noto Serif CJK SC\", \"Source Han Serif SC\"))\n"
        }
    };
    format!(
        "#set page(paper: \"a4\", margin: 2cm)\n{language}= {}\n\n{}",
        phrase(Phrase::Derivations, page.lang),
        fragment(page)
    )
}

fn section(part: &Part, lang: Lang) -> String {
    let mut out = format!("\n== {}\n\n", text(&part.heading));
    if !part.forward.is_empty() {
        out.push_str(&format!("{}\n", phrase(Phrase::Forward, lang)));
        out.push_str(&chain(&part.forward));
    }
    part.chains.iter().for_each(|rows| out.push_str(&chain(rows)));
    if !part.wheres.is_empty() {
        out.push_str(&format!("{}\n", phrase(Phrase::Where, lang)));
        out.push_str(&chain(&part.wheres));
    }
    let code = format!("#raw({})", quoted(&part.text));
    out.push_str(&format!("{}{code}\n", phrase(Phrase::InTheLanguage, lang)));
    out
}

fn chain(rows: &[Row]) -> String {
    let measure = Measure::page(WIDTH);
    let line = |row: Set| match row {
        Set::Equation(left, right, why) => {
            let left = left.as_ref().map(emit).unwrap_or_default();
            format!("  {left} &= {}{}", emit(&right), reason(&why))
        }
        Set::More(right, why) => format!("  &quad quad {}{}", emit(&right), reason(&why)),
        Set::Below(why) => format!("  &quad {}", in_formula(&why)),
    };
    let lines: Vec<String> = set(rows, &measure).into_iter().map(line).collect();
    format!("$\n{}\n$\n\n", lines.join(" \\\n"))
}

fn reason(why: &Prose) -> String {
    if why.is_empty() { String::new() } else { format!(" &quad & {}", in_formula(why)) }
}

/// A sentence within a formula.
fn in_formula(prose: &Prose) -> String {
    let words = |words: &str| {
        // Where there is a space between words and a formula, Typst makes it.
        let space = |at: bool| if at { " " } else { "" };
        let (before, after) = (words.starts_with(' '), words.ends_with(' '));
        format!("{}{}{}", space(before), quoted(words.trim()), space(after))
    };
    prose.write(words, emit)
}

/// A sentence as running text; what Typst would take for a sign of its own is escaped.
fn text(prose: &Prose) -> String {
    let words = |words: &str| {
        let mut out = String::new();
        for c in words.chars() {
            if matches!(
                c,
                '\\' | '#'
                    | '$'
                    | '*'
                    | '_'
                    | '`'
                    | '<'
                    | '>'
                    | '@'
                    | '='
                    | '-'
                    | '+'
                    | '/'
                    | '['
                    | ']'
                    | '~'
            ) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    prose.write(words, |math| format!("${}$", emit(math)))
}
