//! Told derivations as HTML with MathML: a section for each derivative, its chains as grids of formulas and reasons. A fragment, or
//! a page of its own; no script, nothing is loaded.

use super::mathml::{self, escaped};
use super::page::{Page, Part, Row};
use super::phrases::{Lang, Phrase, phrase};
use super::prose::Prose;
use super::rows::{Measure, Set, set};

/// Formulas are broken where they are wider than this, in em.
const WIDTH: f64 = 44.0;

/// How the grids are laid out, and the formulas in them.
pub const STYLE: &str = "\
.cr-chain{display:grid;grid-template-columns:auto minmax(0,auto) minmax(0,1fr);gap:.6em .5em;align-items:baseline;margin:1em 0}
p{overflow-wrap:anywhere}
.cr-lhs{text-align:right}
.cr-rhs{overflow-x:auto;overflow-y:hidden;padding:.3em 0}
.cr-more{padding-left:2em}
.cr-why{opacity:.75;padding-left:1.5em}
.cr-below,.cr-alone{grid-column:2/-1}
@media (max-width:45em){.cr-chain{grid-template-columns:auto minmax(0,1fr)}.cr-why{grid-column:1/-1;padding-left:2em}}
";

/// The derivations.
pub fn fragment(page: &Page) -> String {
    let mut out = format!("<p class=\"cr-conventions\">{}</p>\n", prose(&page.conventions));
    page.parts.iter().for_each(|part| out.push_str(&section(part, page.lang)));
    out
}

/// A document of its own.
pub fn document(page: &Page) -> String {
    let title = phrase(Phrase::Derivations, page.lang);
    let lang = if page.lang == Lang::Zh { "zh-CN" } else { "en" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n:root{{color-scheme:light dark}}\n\
         body{{font-family:system-ui,sans-serif;line-height:1.5;margin:1.5em auto;max-width:70em;padding:0 1em}}\n\
         {}{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{}</body>\n</html>\n",
        mathml::STYLE,
        fragment(page)
    )
}

/// A sentence.
pub fn prose(prose: &Prose) -> String {
    prose.write(escaped, |math| mathml::inline(math, false))
}

fn section(part: &Part, lang: Lang) -> String {
    let mut out = format!("<section>\n<h2>{}</h2>\n", prose(&part.heading));
    if !part.forward.is_empty() {
        out.push_str(&format!("<p>{}</p>\n", phrase(Phrase::Forward, lang)));
        out.push_str(&chain(&part.forward));
    }
    part.chains.iter().for_each(|rows| out.push_str(&chain(rows)));
    if !part.wheres.is_empty() {
        out.push_str(&format!("<p>{}</p>\n", phrase(Phrase::Where, lang)));
        out.push_str(&chain(&part.wheres));
    }
    out.push_str(&format!(
        "<p>{}<code>{}</code></p>\n</section>\n",
        phrase(Phrase::InTheLanguage, lang),
        escaped(&part.text)
    ));
    out
}

/// A chain of equalities as a grid.
pub fn chain(rows: &[Row]) -> String {
    let measure = Measure { columns: false, wraps: false, ..Measure::page(WIDTH) };
    let cell = |class: &str, inner: &str| format!("<div class=\"{class}\">{inner}</div>\n");
    let mut out = String::from("<div class=\"cr-chain\">\n");
    for row in set(rows, &measure) {
        // What has no reason beside it makes no column wider.
        let class = |why: &Prose| if why.is_empty() { "cr-rhs cr-alone" } else { "cr-rhs" };
        let (left, right, why) = match row {
            Set::Equation(left, right, why) => {
                let left = left.map(|left| mathml::inline(&left, true)).unwrap_or_default();
                let equals = format!(
                    "<math displaystyle=\"true\"><mo>=</mo>{}</math>",
                    mathml::emit(&right)
                );
                (left, cell(class(&why), &equals), why)
            }
            Set::More(right, why) => {
                let class = format!("{} cr-more", class(&why));
                (String::new(), cell(&class, &mathml::inline(&right, true)), why)
            }
            Set::Below(why) => {
                out.push_str(&cell("cr-lhs", ""));
                out.push_str(&cell("cr-why cr-below", &prose(&why)));
                continue;
            }
        };
        out.push_str(&cell("cr-lhs", &left));
        out.push_str(&right);
        if !why.is_empty() {
            out.push_str(&cell("cr-why", &prose(&why)));
        }
    }
    out.push_str("</div>\n");
    out
}
