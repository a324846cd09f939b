//! `chainrule ops`: the rule book.

use crate::Session;
use crate::args::nearest;
use crate::commands::{operand, print};
use crate::failure::Failure;
use crate::json::pretty;
use chainrule_core::ops::{self, Kind, OpSpec, Rule, foreign};
use serde_json::{Value, json};

/// An entry with the title of its family.
type Entry = (&'static str, &'static OpSpec);

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let name = operand(session);
    let entries = entries(name.as_deref())?;
    let one = name.is_some_and(|name| entries.iter().all(|(_, row)| is_called(row, &name)));
    let text = match session.args.value("format").unwrap_or("text") {
        "json" => pretty(&Value::Array(entries.iter().map(as_json).collect())),
        "markdown" => markdown(&entries),
        "text" | "unicode" if one => entries.iter().map(page).collect::<Vec<_>>().join("\n"),
        "text" | "unicode" => table(&entries),
        other => {
            return Err(Failure::usage(format!("`ops` cannot be written as `{other}`"))
                .help("it may be text, markdown, json"));
        }
    };
    print(session, &text)
}

/// Whether a row has this name or other spelling.
fn is_called(row: &OpSpec, name: &str) -> bool {
    row.name == name || row.aliases.contains(&name)
}

/// All entries, or those of a name, or those whose names begin so.
fn entries(name: Option<&str>) -> Result<Vec<Entry>, Failure> {
    let all = ops::all().map(|(_, family, row)| (family, row));
    let Some(name) = name else { return Ok(all.collect()) };
    let all: Vec<Entry> = all.collect();
    let begins = |row: &OpSpec| {
        row.name.starts_with(name) || row.aliases.iter().any(|alias| alias.starts_with(name))
    };
    let exact: Vec<Entry> = all.iter().copied().filter(|(_, row)| is_called(row, name)).collect();
    let found = if exact.is_empty() {
        all.into_iter().filter(|(_, row)| begins(row)).collect()
    } else {
        exact
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = ops::all()
        .flat_map(|(_, _, row)| std::iter::once(row.name).chain(row.aliases.iter().copied()))
        .collect();
    let failure = Failure::usage(format!("the rule book has no function `{name}`"));
    Err(match foreign::ours(name).or_else(|| nearest(name, names.into_iter())) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help("`chainrule ops` lists all"),
    })
}

/// `clamp(x, low, high)`, with defaults as they may be left out.
fn signature(row: &OpSpec) -> String {
    let required = row.params.len().saturating_sub(row.defaults.len());
    let params: Vec<String> = row
        .params
        .iter()
        .enumerate()
        .map(|(at, name)| match at.checked_sub(required).and_then(|at| row.defaults.get(at)) {
            Some(default) => format!("{name}={default}"),
            None => (*name).to_string(),
        })
        .collect();
    let keywords: &[&str] = match row.kind {
        Kind::Reduce => &["axis=all", "keepdims=false"],
        Kind::Along => &["axis=-1"],
        Kind::Loss { .. } => &["reduction=\"mean\""],
        _ => &[],
    };
    let shown: Vec<&str> =
        params.iter().map(String::as_str).chain(keywords.iter().copied()).collect();
    format!("{}({})", row.name, shown.join(", "))
}

/// The derivative as formulas, one for each argument that has one; or a word where there is none.
fn derivative(row: &OpSpec) -> Vec<String> {
    let each = |mark: &dyn Fn(&str) -> String, formulas: &[&str]| -> Vec<String> {
        row.params
            .iter()
            .zip(formulas)
            .map(|(param, formula)| format!("{} = {formula}", mark(param)))
            .collect()
    };
    match row.rule {
        Rule::Partials(formulas) => each(&|param| format!("dy/d{param}"), formulas),
        Rule::Vjp(formulas) => each(&|param| format!("{param}_bar"), formulas),
        Rule::VjpByRank(rows) => rows
            .iter()
            .flat_map(|formulas| each(&|param| format!("{param}_bar"), formulas))
            .collect(),
        Rule::Via(formula) => vec![format!("y = {formula}")],
        Rule::Sum => vec!["x_bar = y_bar, repeated along the summed axes".to_string()],
        Rule::Zero => vec!["0 wherever it exists".to_string()],
        Rule::Held => vec!["0: the value counts as a constant".to_string()],
        Rule::NoDerivative => vec!["none: its values are discrete".to_string()],
        Rule::Missing(why) => vec![format!("not written yet: {why}")],
        Rule::Built => vec!["that of what it builds".to_string()],
    }
}

/// Where it is defined, as far as its samples tell.
fn domain(row: &OpSpec) -> String {
    if !matches!(row.kind, Kind::Elementwise) {
        return String::new();
    }
    let parts: Vec<String> = row
        .params
        .iter()
        .zip(row.probe.domain.iter().chain(row.probe.domain.last().into_iter().cycle()))
        .filter(|(_, interval)| **interval != (-3.0, 3.0))
        .map(|(param, (low, high))| format!("{param} in ({low}, {high})"))
        .collect();
    parts.join(", ")
}

fn kinks(row: &OpSpec) -> String {
    row.probe.kinks.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

/// The derivative at points where it is a convention, or that tests hit exactly.
fn conventions(row: &OpSpec) -> String {
    let Some(param) = row.params.first() else { return String::new() };
    let at = |(point, value): &(&[f64], f64)| {
        let places: Vec<String> =
            row.params.iter().zip(*point).map(|(name, at)| format!("{name} = {at}")).collect();
        format!("dy/d{param} = {value} at {}", places.join(", "))
    };
    // Points far away hold that nothing overflows, which is no convention.
    let near = row.probe.points.iter().filter(|(point, _)| point.iter().all(|at| at.abs() < 100.0));
    near.map(at).collect::<Vec<_>>().join("; ")
}

fn kind(row: &OpSpec) -> &'static str {
    match row.kind {
        Kind::Elementwise => "entry by entry",
        Kind::Reduce => "removes axes",
        Kind::Along => "along an axis",
        Kind::Loss { .. } => "a loss",
        Kind::Structured { .. } => "on the last axes",
        Kind::Inline => "defined in the language",
        Kind::Build { .. } => "rearranges",
    }
}

/// How LaTeX prints a call.
fn latex(row: &OpSpec) -> String {
    if row.latex.is_empty() {
        return format!(
            "\\operatorname{{{}}}({})",
            row.name.replace('_', "\\_"),
            row.params.join(", ")
        );
    }
    if !row.latex.contains("{0}") {
        return format!("{}({})", row.latex, row.params.join(", "));
    }
    let fill =
        |text: String, (at, param): (usize, &&str)| text.replace(&format!("{{{at}}}"), param);
    row.params.iter().enumerate().fold(row.latex.to_string(), fill)
}

fn table(entries: &[Entry]) -> String {
    let mut out = String::new();
    let mut family = "";
    for (title, row) in entries {
        if *title != family {
            out.push_str(&format!("{}{title}\n", if family.is_empty() { "" } else { "\n" }));
            family = title;
        }
        let rules = derivative(row);
        out.push_str(&format!(
            "  {:<34} {}\n",
            signature(row),
            rules.first().map_or("", String::as_str)
        ));
        for rule in rules.iter().skip(1) {
            out.push_str(&format!("  {:<34} {rule}\n", ""));
        }
    }
    out.push_str("\n`chainrule ops NAME` tells all of one; y is the value, x_bar and y_bar are the derivatives of the loss by x and y\n");
    out
}

/// All that the table has of one function.
fn page((family, row): &Entry) -> String {
    let mut out = format!("{}  ({family}, {})\n", signature(row), kind(row));
    let mut line = |what: &str, text: String| {
        if !text.is_empty() {
            out.push_str(&format!("  {what:<12} {text}\n"));
        }
    };
    line("", row.doc.to_string());
    line("beware", row.caution.to_string());
    line("also", row.aliases.join(", "));
    let word = if matches!(row.rule, Rule::Via(_)) { "definition" } else { "derivative" };
    derivative(row)
        .into_iter()
        .enumerate()
        .for_each(|(at, rule)| line(if at == 0 { word } else { "" }, rule));
    line("sampled at", domain(row));
    line("kinks at", kinks(row));
    line("there", conventions(row));
    line("LaTeX", latex(row));
    line("Rust", row.rust.to_string());
    out
}

fn markdown(entries: &[Entry]) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let code =
        |text: &str| if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) };
    let mut out = String::new();
    let mut family = "";
    for (title, row) in entries {
        if *title != family {
            out.push_str(&format!("{}## {title}\n\n", if family.is_empty() { "" } else { "\n" }));
            out.push_str("| function | derivative or definition | prints as | |\n| --- | --- | --- | --- |\n");
            family = title;
        }
        let rules: Vec<String> = derivative(row).iter().map(|rule| code(rule)).collect();
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            code(&signature(row)),
            rules.join("<br>"),
            code(&latex(row)),
            cell(row.doc)
        ));
    }
    out
}

fn as_json((family, row): &Entry) -> Value {
    json!({
        "name": row.name,
        "aliases": row.aliases,
        "params": row.params,
        "defaults": row.defaults,
        "family": family,
        "kind": kind(row),
        "doc": row.doc,
        "rule": derivative(row),
        "domain": row.probe.domain.iter().map(|(low, high)| vec![*low, *high]).collect::<Vec<_>>(),
        "kinks": row.probe.kinks,
        "latex": latex(row),
        "rust": row.rust,
    })
}
