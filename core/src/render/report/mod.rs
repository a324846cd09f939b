//! A derivation as a page that needs nothing else: formulas in MathML with their font, the computation graph, the gradient check,
//! generated code. No script; nothing is loaded; what may be loaded is forbidden by the page itself.
//!
//! Names in formulas and their boxes in the graph light up together by CSS alone: each name has one rule. Programs are not trusted:
//! all of their text is escaped, names in the style sheet too.

mod check;
mod words;

use super::document_mathml::{chain, prose};
use super::page::{Page, Part, page};
use super::phrases::{Lang, Phrase, phrase};
use super::svg::{self, escaped};
use crate::check::Report as Checked;
use crate::derivation::Told;
use crate::diagram::Diagram;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use words::words;

pub use check::table as check_table;

/// Nothing may be loaded but what the page has in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'";

/// Of longer generated code the first so many bytes are shown: a page is to stay light.
const MAX_CODE: usize = 120_000;

/// What a report is made of.
pub struct Report<'r> {
    /// Its title, e.g. the program's first words.
    pub title: &'r str,
    /// The program.
    pub program: &'r str,
    /// Its derivations.
    pub told: &'r [Told],
    /// The language of its sentences.
    pub lang: Lang,
    /// Its computation graph.
    pub diagram: &'r Diagram,
    /// What finite differences say, and to which relative error.
    pub checked: Option<(&'r Checked, f64)>,
    /// Generated code: a title and the text.
    pub code: &'r [(&'r str, String)],
    /// The font of formulas, as WOFF2.
    pub font: &'r [u8],
}

/// The page.
pub fn document(report: &Report<'_>) -> String {
    let page = page(report.told, report.lang);
    let body = body(report, &page);
    let lang = if report.lang == Lang::Zh { "zh-CN" } else { "en" };
    let title = escaped(report.title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{}\
         </style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        style(report, &body)
    )
}

/// The derivations alone, each with an anchor.
pub fn fragment(told: &[Told], lang: Lang) -> String {
    let page = page(told, lang);
    let mut out = format!("<p class=\"cr-conventions\">{}</p>\n", prose(&page.conventions));
    sections(&mut out, &page);
    out
}

fn body(report: &Report<'_>, page: &Page) -> String {
    let say = words(report.lang);
    let mut out = format!("<header><h1>{}</h1></header>\n<main>\n", escaped(report.title));
    let _ = write!(
        out,
        "<section class=\"program\"><h2>{}</h2>\n<pre class=\"code\" tabindex=\"0\">{}</pre></section>\n",
        say.program,
        escaped(report.program)
    );
    let links = links(report.told);
    let figure = svg::figure(report.diagram, &|name| links.get(name).map(|at| format!("#d{at}")));
    let _ = write!(
        out,
        "<section class=\"graph\" aria-labelledby=\"graph\"><h2 id=\"graph\">{}</h2>\n<div class=\"scroll\" tabindex=\"0\">{figure}</div>\n\
         <p class=\"soft\">{}</p></section>\n",
        say.graph, say.caption
    );
    let _ = write!(
        out,
        "<div class=\"text\">\n<section><h2>{}</h2>\n<p class=\"soft\">{}</p>\n",
        say.derivations,
        prose(&page.conventions)
    );
    sections(&mut out, page);
    out.push_str("</section>\n");
    if let Some((checked, tolerance)) = report.checked {
        let _ = write!(
            out,
            "<section><h2>{}</h2>\n{}</section>\n",
            say.check,
            check::table(checked, tolerance, report.lang)
        );
    }
    for (title, text) in report.code {
        let (shown, left) = beginning(text);
        let _ = write!(
            out,
            "<details><summary>{}</summary>\n<pre class=\"code\">{}</pre>",
            escaped(title),
            escaped(shown)
        );
        if left > 0 {
            let _ = write!(out, "<p class=\"soft\">{left} {}</p>", say.more);
        }
        out.push_str("</details>\n");
    }
    let _ = write!(
        out,
        "</div>\n</main>\n<footer class=\"soft\"><p>chainrule {}. {}</p></footer>\n",
        env!("CARGO_PKG_VERSION"),
        say.font
    );
    out
}

/// As many lines as a page can hold of generated code, and how many are left out.
fn beginning(text: &str) -> (&str, usize) {
    let newline = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte == b'\n');
    match text.as_bytes().get(..MAX_CODE).and_then(newline) {
        Some(end) => (&text[..end], text[end..].lines().count().saturating_sub(1)),
        None => (text, 0),
    }
}

/// The first derivation by each variable.
fn links(told: &[Told]) -> BTreeMap<&str, usize> {
    let mut links = BTreeMap::new();
    for (at, one) in told.iter().enumerate() {
        links.entry(one.wrt.as_str()).or_insert(at);
    }
    links
}

fn sections(out: &mut String, page: &Page) {
    page.parts.iter().enumerate().for_each(|(at, part)| section(out, at, part, page.lang));
}

fn section(out: &mut String, at: usize, part: &Part, lang: Lang) {
    let _ = writeln!(
        out,
        "<article id=\"d{at}\" aria-labelledby=\"h{at}\"><h3 id=\"h{at}\">{}</h3>",
        prose(&part.heading)
    );
    if !part.forward.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", phrase(Phrase::Forward, lang));
        out.push_str(&chain(&part.forward));
    }
    part.chains.iter().for_each(|rows| out.push_str(&chain(rows)));
    if !part.wheres.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", phrase(Phrase::Where, lang));
        out.push_str(&chain(&part.wheres));
    }
    let _ = writeln!(
        out,
        "<p class=\"soft\">{} <code>{}</code></p></article>",
        phrase(Phrase::InTheLanguage, lang),
        escaped(&part.text)
    );
}

fn style(report: &Report<'_>, body: &str) -> String {
    let mut out = format!(
        "@font-face{{font-family:\"STIX Two Math\";src:url(data:font/woff2;base64,{}) format(\"woff2\")}}\n",
        base64(report.font)
    );
    out.push_str(include_str!("report.css"));
    out.push_str(&parts_style());
    for quantity in &report.diagram.quantities {
        highlight(&mut out, &quantity.name, body);
    }
    out
}

/// The style of formulas, graphs and tables, for a page that has these variables: `--paper`, `--soft`, `--line`, `--good`, `--bad`.
pub fn parts_style() -> String {
    let sheets = [super::mathml::STYLE, super::document_mathml::STYLE, svg::STYLE];
    [&sheets.concat(), include_str!("parts.css")].concat()
}

/// Where the pointer is on a name, on its error term δ, or the focus on its box, all of them light up.
fn highlight(out: &mut String, name: &str, body: &str) {
    let own = format!("[data-name=\"{}\"]", css_string(name));
    let term = format!("delta_{name}");
    let all = match body.contains(&format!("data-name=\"{}\"", escaped(&term))) {
        true => format!(":is({own},[data-name=\"{}\"])", css_string(&term)),
        false => own,
    };
    let _ = writeln!(
        out,
        ":root:has({all}:hover) {all},:root:has(a:focus-visible {all}) {all}{{background:var(--lit);border-radius:3px}}\n\
         .cg:has({all}:hover) {all} rect,:root:has({all}:hover) .cg {all} rect{{fill:var(--lit)}}"
    );
}

/// A string of CSS, without its quotes, that ends nothing: what is no letter or digit becomes its number.
fn css_string(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            out.push(c);
        } else {
            let _ = write!(out, "\\{:x} ", c as u32);
        }
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at)) as usize & 63];
            out.push(if at > three.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_names_are_spelt_safely() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"\xff\xfe\xfd\xfc", "//79/A=="),
        ] {
            assert_eq!(base64(bytes), text);
        }
        assert_eq!(
            css_string("W_1\"]{}</style>权"),
            "W_1\\22 \\5d \\7b \\7d \\3c \\2f style\\3e \\6743 "
        );
    }
}
