//! `chainrule derive`: derivations in the format asked for.

use crate::Session;
use crate::args::Args;
use crate::commands::{notation, print};
use crate::failure::Failure;
use crate::html;
use crate::input::{self, Unit};
use crate::json::{pretty, pretty_at};
use chainrule_core::derivation::{Binding, Lang, Options, Steps, Style, Told, tell};
use chainrule_core::render::boxes::Pen;
use chainrule_core::render::document_terminal::{self, Terminal};
use chainrule_core::render::page::{Page, page};
use chainrule_core::render::{
    document_latex, document_mathml, document_text, document_typst, markdown,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

/// How a derivation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Unicode,
    Text,
    Latex,
    Markdown,
    Html,
    Mathml,
    Typst,
    Json,
    Ipynb,
}

/// The formats by their names, with the extensions of their files.
const FORMATS: &[(&str, Format, &[&str])] = &[
    ("unicode", Format::Unicode, &[]),
    ("text", Format::Text, &["txt"]),
    ("latex", Format::Latex, &["tex"]),
    ("markdown", Format::Markdown, &["md"]),
    ("html", Format::Html, &["html", "htm"]),
    ("mathml", Format::Mathml, &["xhtml", "mml"]),
    ("typst", Format::Typst, &["typ"]),
    ("json", Format::Json, &["json"]),
    ("ipynb", Format::Ipynb, &["ipynb"]),
];

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let format = format(session.args);
    let alone = session.args.has("standalone");
    if alone && !matches!(format, Format::Latex | Format::Mathml | Format::Typst) {
        return Err(Failure::usage("`--standalone` is for `--format latex`, `mathml` and `typst`"));
    }
    let terminal = terminal(session)?;
    let options = options(session.args);
    let unit = input::compile(session)?;
    let told = tell(&unit.compiled, options).map_err(|diagnostic| Failure::Program {
        source: Box::new(unit.source.clone()),
        diagnostics: vec![diagnostic],
        code: 1,
    })?;
    if told.is_empty() {
        return Err(unit.no_derivative());
    }
    let page = page(&told, options.lang);
    let text = match format {
        Format::Unicode => document_terminal::document(&page, &terminal),
        Format::Text => document_text::document(&told, options.lang),
        Format::Latex if alone => document_latex::article(&page),
        Format::Latex => document_latex::fragment(&told, options.lang),
        Format::Markdown => markdown::document(&page),
        Format::Html => html::report(&unit.compiled, &unit.source, &told, options),
        Format::Mathml if alone => document_mathml::document(&page),
        Format::Mathml => document_mathml::fragment(&page),
        Format::Typst if alone => document_typst::document(&page),
        Format::Typst => document_typst::fragment(&page),
        Format::Json => as_json(&program(&unit), &told),
        Format::Ipynb => pretty(&notebook(&program(&unit), &page)),
    };
    print(session, &text)
}

/// The program as `fmt` lays it out.
fn program(unit: &Unit) -> String {
    chainrule_grammar::format(&unit.compiled.program)
}

/// What `--format` says, else what the file's name says, else what a terminal shows.
fn format(args: &Args) -> Format {
    let named = |name: &str| FORMATS.iter().find(|(known, ..)| *known == name);
    let extension = args.value("output").and_then(|path| path.rsplit_once('.')).map(|(_, end)| end);
    let filed = |end: &str| FORMATS.iter().find(|(_, _, ends)| ends.contains(&end));
    args.value("format")
        .and_then(named)
        .or_else(|| extension.and_then(filed))
        .map_or(Format::Unicode, |(_, format, _)| *format)
}

/// Columns of a terminal that says nothing of itself.
const COLUMNS: usize = 80;

/// The terminal that formulas are drawn for.
fn terminal(session: &Session<'_>) -> Result<Terminal, Failure> {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let usual = said.filter(|columns| *columns >= NARROWEST).unwrap_or(COLUMNS);
    let width = session.args.number("width", usual, "a number of columns")?;
    if width < NARROWEST {
        return Err(Failure::usage(format!("`--width` must be at least {NARROWEST}")));
    }
    let pen = Pen { ascii: session.args.has("ascii"), columns: UnicodeWidthStr::width };
    Ok(Terminal { width, bold: session.bold && !session.args.has("output"), pen })
}

/// No formula fits into fewer columns than this.
const NARROWEST: usize = 30;

fn options(args: &Args) -> Options {
    Options {
        notation: notation(args),
        steps: match args.value("steps") {
            Some("none") => Steps::None,
            Some("brief") => Steps::Brief,
            _ => Steps::Full,
        },
        style: match args.value("style") {
            Some("chain") => Style::Chain,
            Some("staged") => Style::Staged,
            _ => Style::Auto,
        },
        lang: lang(args.value("lang"), &|name| std::env::var(name).ok()),
    }
}

/// The flag, else the environment.
fn lang(flag: Option<&str>, variable: &dyn Fn(&str) -> Option<String>) -> Lang {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let said = flag.map(str::to_string).or_else(|| set("CHAINRULE_LANG")).or_else(|| set("LANG"));
    match said {
        Some(said) if said.starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

/// A Jupyter notebook of Markdown cells: the program, the conventions, and one for each derivative.
fn notebook(program: &str, page: &Page) -> Value {
    let cell = |text: &String| {
        let lines: Vec<&str> = text.trim_end().split_inclusive('\n').collect();
        json!({ "cell_type": "markdown", "metadata": {}, "source": lines })
    };
    // Code that is indented may hold any sign.
    let program: String = program.lines().map(|line| format!("    {line}\n")).collect();
    let cells = [vec![program], markdown::cells(page)].concat();
    json!({
        "cells": cells.iter().map(cell).collect::<Vec<_>>(),
        // Jupyter asks for a kernel where a notebook names none.
        "metadata": {
            "kernelspec": { "display_name": "Python 3", "language": "python", "name": "python3" },
            "language_info": { "name": "python" },
        },
        "nbformat": 4,
        "nbformat_minor": 4,
    })
}

/// All derivatives in JSON. Each has all of its parts; what several share is written down once and repeated as text, so that
/// the work grows with the program.
fn as_json(program: &str, told: &[Told]) -> String {
    let mut parts: HashMap<*const Binding, String> = HashMap::new();
    let mut out = format!("{{\n  \"program\": {},\n  \"derivatives\": [", Value::from(program));
    for (at, one) in told.iter().enumerate() {
        out.push_str(if at == 0 { "\n    " } else { ",\n    " });
        let object = pretty_at(&derivative(one), 2);
        out.push_str(object.trim_end_matches(['\n', ' ', '}']));
        out.push_str(",\n      \"where\": [");
        for (at, binding) in one.wheres.iter().enumerate() {
            out.push_str(if at == 0 { "\n        " } else { ",\n        " });
            let text = parts.entry(Arc::as_ptr(binding)).or_insert_with(|| {
                let part =
                    json!({ "name": binding.name, "text": binding.text, "latex": binding.latex() });
                pretty_at(&part, 4)
            });
            out.push_str(text);
        }
        out.push_str(if one.wheres.is_empty() { "]\n    }" } else { "\n      ]\n    }" });
    }
    out.push_str("\n  ]\n}\n");
    out
}

/// A derivative without its parts.
fn derivative(told: &Told) -> Value {
    let steps: Vec<Value> = told
        .steps
        .iter()
        .map(|step| {
            json!({
                "about": step.about, "rule": step.rule, "text": step.text, "latex": step.latex(), "note": step.note(),
            })
        })
        .collect();
    let mut object = json!({
        "kind": told.kind,
        "of": told.of,
        "wrt": told.wrt,
        "shape": told.shape,
        "lhs": told.lhs_latex(),
        "text": told.text,
        "latex": told.latex(),
        "steps": steps,
    });
    if !told.directions.is_empty() {
        let directions = told.directions.iter().map(
            |one| json!({ "name": one.name, "wrt": one.wrt, "shape": one.shape, "text": one.text }),
        );
        object["directions"] = directions.collect();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_flag_or_the_environment() {
        let env = |own: &'static str, lang: &'static str| {
            move |name: &str| Some(if name == "LANG" { lang } else { own }.to_string())
        };
        assert_eq!(lang(None, &|_| None), Lang::En);
        assert_eq!(lang(None, &env("", "zh_CN.UTF-8")), Lang::Zh);
        assert_eq!(lang(None, &env("en", "zh_CN.UTF-8")), Lang::En);
        assert_eq!(lang(Some("zh"), &env("en", "C")), Lang::Zh);
    }
}
