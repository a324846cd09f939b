//! Told derivations as LaTeX: a fragment that wants amsmath, or an article that compiles.

use super::latex::{emit, escaped};
use super::page::{self, Page, Part, Row};
use super::phrases::{Lang, Phrase, phrase};
use super::prose::Prose;
use super::rows::{Measure, Set, set};
use crate::derivation::Told;

/// The width of a page of A4 with margins of two centimetres, in em, somewhat less.
const WIDTH: f64 = 43.0;

/// The derivations, one `align*` for each chain of equalities, with a comment before each derivative.
pub fn fragment(told: &[Told], lang: Lang) -> String {
    let page = page::page(told, lang);
    let part = |(part, told): (&Part, &Told)| {
        let shape = format!("{}  [{}]", told.lhs, told.shape.join(", "));
        format!("% {shape}\n{}", chains(part, lang))
    };
    let mut parts = vec![format!("{}\n", page.conventions.latex())];
    parts.extend(page.parts.iter().zip(told).map(part));
    parts.join("\n")
}

/// A document of its own: for pdflatex in English, for XeLaTeX in Chinese.
pub fn article(page: &Page) -> String {
    let head = match page.lang {
        Lang::En => "\\documentclass[a4paper]{article}\n",
        Lang::Zh => "% !TeX program = xelatex\n\\documentclass[a4paper]{ctexart}\n",
    };
    let mut out = format!(
        "{head}\\usepackage[margin=2cm]{{geometry}}\n\\usepackage{{amsmath,amssymb}}\n\\allowdisplaybreaks\n\
         \\begin{{document}}\n\n\\section*{{{}}}\n\n{}\n",
        phrase(Phrase::Derivations, page.lang),
        page.conventions.latex(),
    );
    for part in &page.parts {
        out.push_str(&format!("\n\\subsection*{{{}}}\n\n", part.heading.latex()));
        out.push_str(&chains(part, page.lang));
    }
    out.push_str("\n\\end{document}\n");
    out
}

fn chains(part: &Part, lang: Lang) -> String {
    let mut out = String::new();
    if !part.forward.is_empty() {
        out.push_str(&format!("{}\n", phrase(Phrase::Forward, lang)));
        out.push_str(&align(&part.forward));
    }
    part.chains.iter().for_each(|rows| out.push_str(&align(rows)));
    if !part.wheres.is_empty() {
        out.push_str(&format!("{}\n", phrase(Phrase::Where, lang)));
        out.push_str(&align(&part.wheres));
    }
    out
}

fn align(rows: &[Row]) -> String {
    let measure = Measure::page(WIDTH);
    format!("\\begin{{align*}}\n{}\n\\end{{align*}}\n", lines(set(rows, &measure)))
}

/// The lines of a chain, to stand within `aligned` or `align*`.
pub(super) fn lines(rows: Vec<Set>) -> String {
    let line = |row: Set| match row {
        Set::Equation(left, right, why) => {
            let left = left.as_ref().map(|left| format!("{} ", emit(left))).unwrap_or_default();
            format!("  {left}&= {}{}", emit(&right), reason(&why))
        }
        Set::More(right, why) => format!("  &\\qquad {{}}{}{}", emit(&right), reason(&why)),
        Set::Below(why) => format!("  &\\quad \\text{{{}}}", sentence(&why)),
    };
    rows.into_iter().map(line).collect::<Vec<_>>().join(" \\\\\n")
}

fn reason(why: &Prose) -> String {
    if why.is_empty() { String::new() } else { format!(" && \\text{{{}}}", sentence(why)) }
}

fn sentence(why: &Prose) -> String {
    why.write(escaped, |math| format!("${}$", emit(math).trim()))
}
