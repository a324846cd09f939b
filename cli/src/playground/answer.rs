//! What the playground says of a program, as JSON: a pure function of the question. `question` makes of a request the one line that
//! stands for all requests of the same meaning, or refuses it; `answer` says what there is to say to such a line.
//!
//! Everything is bounded: the text, the graph that it stands for, the number of derivatives, the work of a check, the length of an
//! answer. All text of a program that ends up in HTML or SVG is escaped by the printers.

use crate::formats;
use crate::html::{POINTS, TOLERANCE};
use crate::input::no_derivative;
use chainrule_core::check::{check, work};
use chainrule_core::compile::{Compiled, compile_program};
use chainrule_core::derivation::{Lang, Notation, Options, Steps, Style, tell};
use chainrule_core::diagram::diagram;
use chainrule_core::ir::Graph;
use chainrule_core::render::{report, svg};
use chainrule_core::{Diagnostic, Dialect, Source, Span, lower};
use serde_json::{Value, json};

/// The most bytes of a request.
pub(crate) const MAX_BODY: usize = 64 << 10;
/// The most bytes of a program.
pub(crate) const MAX_PROGRAM: usize = 20 << 10;
/// The most nodes of a program's graph.
const MAX_NODES: usize = 2_000;
/// The most quantities that it names: each may be a stage of every derivation.
const MAX_NAMES: usize = 64;
/// The most derivatives.
const MAX_DERIVATIVES: usize = 64;
/// The most multiplications that a check may take.
const MAX_WORK: u64 = 1 << 28;
/// The most bytes of a formula's or a file's text.
const MAX_ANSWER: usize = 4 << 20;

/// The switches, and what each may be: first what it is unless a request says so.
const CHOICES: &[(&str, &[&str])] = &[
    ("notation", &["matrix", "index"]),
    ("steps", &["full", "brief", "none"]),
    ("style", &["auto", "chain", "staged"]),
    ("lang", &["en", "zh"]),
    ("syntax", &["chainrule", "matlab"]),
];

/// What may be asked of a program.
pub(crate) const QUESTIONS: &[&str] = &["derive", "graph", "check", "code"];

/// Why a request is not answered: a sentence.
struct Refusal(String);

fn refusal(text: impl Into<String>) -> Refusal {
    Refusal(text.into())
}

/// A program and how it is to be shown.
struct Asked {
    source: Source,
    options: Options,
    format: String,
}

/// The gallery and the formats, as the page offers them.
pub(crate) fn gallery() -> Value {
    let title = |text: &str| {
        text.lines().next().unwrap_or_default().trim_start_matches('/').trim().to_string()
    };
    let programs: Vec<Value> = super::GALLERY
        .iter()
        .map(|(name, text)| {
            json!({
                "name": name.trim_end_matches(".grad"), "title": title(text), "program": text,
                "syntax": syntax(name),
            })
        })
        .collect();
    let formats: Vec<Value> = formats::ALL
        .iter()
        .map(|format| json!({ "id": format.id, "title": format.title }))
        .collect();
    json!({ "programs": programs, "formats": formats })
}

/// The dialect of a file of the gallery.
pub(crate) fn syntax(name: &str) -> &'static str {
    if name.ends_with(".m.grad") { "matlab" } else { "chainrule" }
}

/// The question that a request asks, as one line, or the sentence with which it is refused.
pub(crate) fn question(what: &str, request: &[u8]) -> Result<String, String> {
    let parsed = serde_json::from_slice::<Value>(request)
        .map_err(|_| refusal("the request is not JSON"))
        .and_then(|request| read(&request).map(|_| whole(what, &request)));
    parsed.map_err(|Refusal(text)| text)
}

/// The request with what it leaves out, and without what means nothing.
fn whole(what: &str, request: &Value) -> String {
    let text = |key: &str| request.get(key).and_then(Value::as_str);
    let mut whole = json!({ "what": what, "program": text("program") });
    for (key, known) in CHOICES {
        whole[key] = text(key).unwrap_or(known[0]).into();
    }
    if what == "code" {
        whole["format"] = text("format").unwrap_or_default().into();
    }
    whole.to_string()
}

/// The answer to a question: `{"ok": …, "diagnostics": …, …}`, or `{"problem": …}` where it is refused.
pub(crate) fn answer(question: &str) -> Value {
    let parsed =
        serde_json::from_str::<Value>(question).map_err(|_| refusal("the request is not JSON"));
    let answer = parsed.and_then(|question| {
        let what = question.get("what").and_then(Value::as_str).unwrap_or_default();
        answered(what, &question)
    });
    answer.unwrap_or_else(|Refusal(text)| json!({ "problem": text }))
}

/// A wrong program is answered with its diagnostics.
fn answered(what: &str, request: &Value) -> Result<Value, Refusal> {
    let asked = read(request)?;
    let (compiled, diagnostics) = match compiled(&asked.source)? {
        Ok(compiled) => {
            let warnings = findings(&asked.source, &compiled.diagnostics);
            (compiled, warnings)
        }
        Err(diagnostics) => return Ok(wrong(&asked.source, &diagnostics)),
    };
    let shown = match what {
        "derive" => derivation(&compiled, &asked),
        "graph" => Ok(
            json!({ "svg": svg::figure(&diagram(&compiled, asked.options.notation), &|_| None) }),
        ),
        "check" => Ok(checked(&compiled, asked.options.lang)?),
        "code" => code(&compiled, &asked)?,
        _ => return Err(refusal(format!("there is no question `{what}`"))),
    };
    match shown {
        Err(diagnostic) => Ok(wrong(&asked.source, &[diagnostic])),
        Ok(mut value) => {
            let long = value.as_object().is_some_and(|fields| {
                fields.values().filter_map(Value::as_str).any(|text| text.len() > MAX_ANSWER)
            });
            if long {
                return Err(refusal(
                    "the answer is too long for the playground; use the command line",
                ));
            }
            value["ok"] = true.into();
            value["diagnostics"] = diagnostics;
            Ok(value)
        }
    }
}

fn wrong(source: &Source, diagnostics: &[Diagnostic]) -> Value {
    json!({ "ok": false, "diagnostics": findings(source, diagnostics) })
}

fn read(request: &Value) -> Result<Asked, Refusal> {
    let text = |key: &str| request.get(key).and_then(Value::as_str);
    let Some(program) = text("program") else {
        return Err(refusal("the request has no `program`"));
    };
    if program.len() > MAX_PROGRAM {
        let most = MAX_PROGRAM >> 10;
        return Err(refusal(format!(
            "the program has more than {most} kilobytes; use the command line"
        )));
    }
    let mut chosen = [0; CHOICES.len()];
    for (chosen, (key, known)) in chosen.iter_mut().zip(CHOICES) {
        if let Some(word) = text(key) {
            *chosen = known
                .iter()
                .position(|one| *one == word)
                .ok_or_else(|| refusal(format!("`{key}` may be {}", known.join(", "))))?;
        }
    }
    let [notation, steps, style, lang, dialect] = chosen;
    let notations = [Notation::Matrix, Notation::Index];
    let all_steps = [Steps::Full, Steps::Brief, Steps::None];
    let styles = [Style::Auto, Style::Chain, Style::Staged];
    let dialects = [Dialect::Chainrule, Dialect::Matlab];
    let langs = [Lang::En, Lang::Zh];
    let options = Options {
        notation: notations[notation],
        steps: all_steps[steps],
        style: styles[style],
        lang: langs[lang],
    };
    let dialect = dialects[dialect];
    let source = Source { dialect, ..Source::new("program", program) };
    Ok(Asked { source, options, format: text("format").unwrap_or_default().to_string() })
}

/// The program compiled, or what is wrong with it; refused where it stands for too much work.
fn compiled(source: &Source) -> Result<Result<Compiled, Vec<Diagnostic>>, Refusal> {
    let (program, mut diagnostics) = chainrule_grammar::parse(source);
    let mut graph = Graph::default();
    let (lowered, _) = lower::lower(&program, &mut graph);
    let derivatives: usize = lowered.requests.iter().map(|request| request.wrt.len()).sum();
    let large = graph.len() > MAX_NODES || graph.names.len() > MAX_NAMES;
    if large || derivatives > MAX_DERIVATIVES {
        return Err(refusal("the program is too large for the playground; use the command line"));
    }
    let mut compiled = compile_program(program);
    compiled.diagnostics.append(&mut diagnostics);
    compiled.diagnostics.sort_by_key(|diagnostic| (diagnostic.span().start, diagnostic.span().end));
    Ok(if compiled.has_errors() { Err(compiled.diagnostics) } else { Ok(compiled) })
}

fn derivation(compiled: &Compiled, asked: &Asked) -> Result<Value, Diagnostic> {
    let told = tell(compiled, asked.options)?;
    if told.is_empty() {
        let help = "write `loss E = …;` for what is differentiated, and declare a `param`";
        return Err(no_derivative(&compiled.program, help));
    }
    Ok(json!({ "html": report::fragment(&told, asked.options.lang), "count": told.len() }))
}

fn code(compiled: &Compiled, asked: &Asked) -> Result<Result<Value, Diagnostic>, Refusal> {
    let Some(format) = formats::ALL.iter().find(|format| format.id == asked.format) else {
        let known: Vec<&str> = formats::ALL.iter().map(|format| format.id).collect();
        return Err(refusal(format!("`format` may be {}", known.join(", "))));
    };
    let text = format.text(compiled, &asked.source, asked.options);
    Ok(text.map(|text| json!({ "code": text, "format": format.id })))
}

fn checked(compiled: &Compiled, lang: Lang) -> Result<Value, Refusal> {
    if work(compiled, 0).is_ok_and(|each| each.saturating_mul(POINTS as u64) > MAX_WORK) {
        return Err(refusal(
            "its tensors are too large for a check in the playground; use `chainrule check`",
        ));
    }
    let found = check(compiled, 0, POINTS, TOLERANCE);
    Ok(json!({ "html": report::check_table(&found, TOLERANCE, lang), "holds": found.holds() }))
}

// ---- findings -----------------------------------------------------------------------------------------------------

/// Findings with places in units of UTF-16, as browsers count.
fn findings(source: &Source, diagnostics: &[Diagnostic]) -> Value {
    diagnostics.iter().map(|diagnostic| finding(source, diagnostic)).collect()
}

fn finding(source: &Source, diagnostic: &Diagnostic) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let (line, column) = source.line_column(label.span.start);
            let (start, end) = units(&source.text, label.span);
            json!({ "start": start, "end": end, "line": line, "column": column, "text": label.text })
        })
        .collect();
    json!({
        "level": if diagnostic.is_error() { "error" } else { "warning" },
        "code": diagnostic.code.id(),
        "title": diagnostic.code.title(),
        "explanation": diagnostic.code.explanation(),
        "message": diagnostic.message,
        "labels": labels,
        "help": diagnostic.help,
    })
}

/// A span in units of UTF-16.
fn units(text: &str, span: Span) -> (usize, usize) {
    let before = |end: usize| {
        text.char_indices().take_while(|(at, _)| *at < end).map(|(_, c)| c.len_utf16()).sum()
    };
    (before(span.start), before(span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_meaning_are_one_question() {
        let asked = |what: &str, request: Value| question(what, request.to_string().as_bytes());
        let plain = asked("derive", json!({ "program": "param w;\nloss E = w;" }));
        let line = plain.clone().expect("a question");
        assert!(!line.contains('\n'), "{line}");
        let same = json!({
            "lang": "en", "program": "param w;\nloss E = w;", "notation": "matrix", "view": 3, "format": "latex",
        });
        assert_eq!(asked("derive", same.clone()), plain);
        for other in [
            asked("graph", same.clone()),
            asked("code", same.clone()),
            asked("derive", json!({ "program": "param w;\nloss E = w;", "lang": "zh" })),
            asked("derive", json!({ "program": "param w; loss E = w;" })),
        ] {
            assert!(other.is_ok() && other != plain, "{other:?}");
        }
        assert_eq!(answer(&line)["ok"], true);
        assert!(asked("derive", json!({ "program": "", "steps": "all" })).is_err());
    }
}
