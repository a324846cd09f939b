//! `chainrule derive`: derivations in the format asked for.

use crate::Session;
use crate::args::Args;
use crate::commands::{notation, print};
use crate::failure::Failure;
use crate::input;
use crate::json::pretty;
use chainrule_core::derivation::{Options, Steps, Style, Told, tell};
use chainrule_core::render::{document_latex, document_text, markdown};
use serde_json::{Value, json};

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let format = session.args.value("format").unwrap_or("unicode");
    if session.args.has("standalone") && format != "latex" {
        return Err(Failure::usage("`--standalone` is for `--format latex`"));
    }
    let unit = input::compile(session)?;
    let told =
        tell(&unit.compiled, options(session.args)).map_err(|diagnostic| Failure::Program {
            source: Box::new(unit.source.clone()),
            diagnostics: vec![diagnostic],
            code: 1,
        })?;
    if told.is_empty() && format != "json" {
        return Err(unit.no_derivative());
    }
    let text = match format {
        "latex" if session.args.has("standalone") => document_latex::article(&told),
        "latex" => document_latex::fragment(&told),
        "markdown" => markdown::document(&told),
        "json" => pretty(&as_json(&chainrule_grammar::format(&unit.compiled.program), &told)),
        _ => document_text::document(&told),
    };
    print(session, &text)
}

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
    }
}

fn as_json(program: &str, told: &[Told]) -> Value {
    json!({ "program": program, "derivatives": told.iter().map(derivative).collect::<Vec<_>>() })
}

fn derivative(told: &Told) -> Value {
    let steps: Vec<Value> = told
        .steps
        .iter()
        .map(|step| {
            json!({
                "about": step.about, "rule": step.rule, "text": step.text, "latex": step.latex, "note": step.note,
            })
        })
        .collect();
    let wheres: Vec<Value> = told
        .wheres
        .iter()
        .map(
            |binding| json!({ "name": binding.name, "text": binding.text, "latex": binding.latex }),
        )
        .collect();
    json!({
        "of": told.of,
        "wrt": told.wrt,
        "shape": told.shape,
        "lhs": told.lhs_latex,
        "text": told.text,
        "latex": told.latex,
        "steps": steps,
        "where": wheres,
    })
}
