//! A gradient check as an HTML table.

use super::words::words;
use crate::check::{Report, Row};
use crate::render::math::{Math, Symbol};
use crate::render::phrases::Lang;
use crate::render::svg::escaped;
use crate::render::{mathml, partial, second_partial};
use chainrule_grammar::ast::RequestKind;
use std::fmt::Write as _;

/// The table, and what it amounts to.
pub fn table(report: &Report, tolerance: f64, lang: Lang) -> String {
    let say = words(lang);
    if let Some(why) = &report.problem {
        return format!("<p>{} {}</p>\n", say.no_check, escaped(why));
    }
    let heads: String =
        say.heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"check\"><thead><tr>{heads}</tr></thead><tbody>\n"
    );
    report.rows.iter().for_each(|row| out.push_str(&line(row, lang)));
    let _ = write!(
        out,
        "</tbody></table></div>\n<p class=\"soft\">{} {tolerance:e}{}</p>\n",
        say.check_note,
        if lang == Lang::En { "." } else { "。" }
    );
    out
}

fn line(row: &Row, lang: Lang) -> String {
    let verdict = match (&row.problem, row.holds) {
        (Some(why), _) => format!("<td class=\"bad\">{}</td>", escaped(why)),
        (None, true) => format!("<td class=\"good\">✓ {}</td>", words(lang).holds),
        (None, false) => format!("<td class=\"bad\">✗ {}</td>", words(lang).fails),
    };
    let numbers = row.worst.as_ref().map_or_else(
        || "<td></td><td></td><td></td><td></td>".to_string(),
        |worst| {
            let at: Vec<String> = worst.at.iter().map(usize::to_string).collect();
            let at = if at.is_empty() { String::new() } else { format!("[{}]", at.join(", ")) };
            format!(
                "<td>{at}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{:.1e}</td>",
                number(worst.closed),
                number(worst.difference),
                worst.error
            )
        },
    );
    format!(
        "<tr><th scope=\"row\">{}</th><td>{}</td>{numbers}{verdict}</tr>\n",
        name(row),
        escaped(&row.shape)
    )
}

/// As many digits as finite differences have to say.
fn number(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) && value.is_finite() {
        return format!("{value:.8e}");
    }
    format!("{value:.9}")
}

/// `∂E/∂W` as a formula.
fn name(row: &Row) -> String {
    let set = |name: &str| mathml::inline(&crate::render::name(name), false);
    let plain = |word: &str| format!("{word} {}, {}", set(&row.of), set(&row.wrt));
    let fraction = match row.kind {
        RequestKind::Grad | RequestKind::Jacobian => partial(&row.of, &[], &row.wrt, &[]),
        RequestKind::Hessian => second_partial(&row.of, &row.wrt, None),
        RequestKind::Hvp => return plain("hvp"),
        RequestKind::Jvp => return plain("jvp"),
    };
    let line = match fraction {
        Math::Frac(above, below) => Math::Row(vec![*above, Math::Symbol(Symbol::Slash), *below]),
        other => other,
    };
    mathml::inline(&line, false)
}
