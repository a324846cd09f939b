//! `chainrule check`: derivatives against finite differences, and printed formulas against both.
//! In: a program and seeds. Out: a table, a verdict and, where asked, plots; or the same as JSON.

use crate::Session;
use crate::commands::print;
use crate::failure::Failure;
use crate::input;
use crate::json::{number, pretty};
use crate::plot;
use crate::progress::Progress;
use chainrule_core::check::{
    Curve, Report, Row, ToldReport, check_telling, check_told, curve, random_point, too_large,
};
use chainrule_core::derivation::{Notation, Options, tell};
use chainrule_core::{Compiled, Diagnostic};
use chainrule_grammar::ast::RequestKind;
use serde_json::{Value, json};

/// The most problems of formulas that are shown.
const SHOWN: usize = 20;

/// What was asked.
struct Asked {
    seed: u64,
    points: usize,
    tol: f64,
    plot: bool,
}

/// What was found.
struct Found {
    report: Report,
    told: ToldReport,
    /// One for each derivative where plots were asked for.
    curves: Vec<Result<Curve, String>>,
}

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let asked = asked(session)?;
    let format = session.args.value("format").unwrap_or("unicode").to_string();
    if !matches!(format.as_str(), "unicode" | "text" | "json") {
        return Err(Failure::usage(format!("`check` cannot be written as `{format}`"))
            .help("it may be unicode, text, json"));
    }
    let unit = input::compile(session)?;
    if unit.compiled.derivatives.is_empty() {
        return Err(unit.no_derivative());
    }
    if let Some(said) = too_large(&unit.compiled, asked.seed) {
        return Err(unit.refused(said));
    }
    let found = found(session, &unit.compiled, &asked).map_err(|said| unit.refused(said))?;
    let text = match format.as_str() {
        "json" => pretty(&as_json(&found, &asked)),
        "text" => as_text(&found, &asked, &plot::ASCII),
        _ => as_text(&found, &asked, &plot::UNICODE),
    };
    print(session, &text)?;
    if found.report.holds() && found.told.problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::Check)
    }
}

fn asked(session: &Session<'_>) -> Result<Asked, Failure> {
    let seed = session.args.number("seed", 0, "a whole number")?;
    let points = session.args.number("points", 3, "a whole number")?;
    let tol: f64 = session.args.number("tol", 1e-6, "a number over 0")?;
    if points == 0 {
        return Err(Failure::usage("`--points` must be at least 1"));
    }
    if tol.is_nan() || tol <= 0.0 {
        return Err(Failure::usage("`--tol` must be a number over 0"));
    }
    Ok(Asked { seed, points, tol, plot: session.args.has("plot") })
}

fn found(
    session: &mut Session<'_>,
    compiled: &Compiled,
    asked: &Asked,
) -> Result<Found, Diagnostic> {
    let mut progress = Progress::new("checking", session.reporter.out, session.terminal);
    let Asked { seed, points, tol, plot } = *asked;
    let report =
        check_telling(compiled, seed, points, tol, &mut |done, all| progress.tell(done, all));
    let possible = report.problem.is_none();
    let told = if possible { formulas(compiled, seed)? } else { ToldReport::default() };
    let drawn = compiled.derivatives.iter().filter(|_| plot && possible);
    let curves = drawn.map(|derivative| curve(compiled, derivative, seed)).collect();
    Ok(Found { report, told, curves })
}

/// The printed formulas in both notations.
fn formulas(compiled: &Compiled, seed: u64) -> Result<ToldReport, Diagnostic> {
    let mut report = ToldReport::default();
    let Ok(point) = random_point(compiled, seed) else { return Ok(report) };
    for notation in [Notation::Matrix, Notation::Index] {
        let told = tell(compiled, Options { notation, ..Options::default() })?;
        report.add(check_told(compiled, &told, &point));
    }
    Ok(report)
}

fn as_text(found: &Found, asked: &Asked, signs: &plot::Signs) -> String {
    let mut out = table(&found.report);
    if let Some(why) = &found.report.problem {
        out.push_str(&format!("no check was possible: {why}\n"));
        return out;
    }
    out.push_str(&notes(&found.report));
    out.push_str(&verdict(&found.report, asked));
    out.push_str(&said(&found.told));
    for (row, curve) in found.report.rows.iter().zip(&found.curves) {
        out.push_str(&format!(
            "\n{}: relative error against the step of the differences\n\n",
            name(row)
        ));
        match curve {
            Ok(curve) => {
                out.push_str(&plot::plot(curve, signs));
                out.push_str(&format!("{}\n", plot::in_words(curve, asked.tol)));
            }
            Err(why) => out.push_str(&format!("not evaluated: {why}\n")),
        }
    }
    out
}

/// Which derivatives met kinks or were judged in another spelling, where any was.
fn notes(report: &Report) -> String {
    let said = |row: &Row, count: usize, what: &str| {
        let directions = counted(row.compared, "direction");
        let line = format!("{}: {count} of {directions} {what}\n", name(row));
        if count > 0 { line } else { String::new() }
    };
    let rows = report.rows.iter().map(|row| {
        said(row, row.kinks, "met a kink and were settled by shorter steps")
            + &said(
                row,
                row.conventions,
                "begin at a kink itself, where differences cannot judge the convention",
            )
            + &said(
                row,
                row.respelt,
                "were judged by differences of the stable spelling, as those of the program as written lose their digits",
            )
    });
    rows.collect()
}

fn said(told: &ToldReport) -> String {
    let mut out: String =
        told.problems.iter().take(SHOWN).map(|problem| format!("  {problem}\n")).collect();
    let more = told.problems.len().saturating_sub(SHOWN);
    if more > 0 {
        out.push_str(&format!("  and {more} more\n"));
    }
    let skipped = match told.skipped {
        0 => String::new(),
        skipped => format!(" ({skipped} lines with large variables not evaluated)"),
    };
    if told.by_rules > 0 {
        let lines = counted(told.by_rules, "line");
        out.push_str(&format!(
            "{lines} that differences cannot judge were judged by the rule book, in stable spelling where digits are lost\n"
        ));
    }
    match told.problems.len() {
        0 => out.push_str(&format!(
            "{} and {} hold{skipped}\n",
            counted(told.formulas, "printed formula"),
            counted(told.lines, "line")
        )),
        problems => out.push_str(&format!(
            "{problems} of {} printed formulas and lines do not hold{skipped}\n",
            told.formulas + told.lines
        )),
    }
    out
}

fn verdict(report: &Report, asked: &Asked) -> String {
    let bad = report.rows.iter().filter(|row| !row.holds).count();
    let at = format!("at {} (seed {})", counted(asked.points, "point"), asked.seed);
    match (bad, report.rows.len()) {
        (0, 1) => format!("the derivative holds {at}\n"),
        (0, all) => format!("all {all} derivatives hold {at}\n"),
        (bad, all) => format!("{bad} of {all} derivatives do not hold to {:e} {at}\n", asked.tol),
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// One line for each derivative.
fn table(report: &Report) -> String {
    let mut lines = vec![
        ["derivative", "variable's shape", "worst error", "at", "closed form", "differences", ""]
            .map(String::from),
    ];
    lines.extend(report.rows.iter().map(cells));
    let widths: Vec<usize> = (0..7)
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in lines {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(padded.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn cells(row: &Row) -> [String; 7] {
    let mark = match (&row.problem, row.holds) {
        (Some(why), _) => format!("not evaluated: {why}"),
        (None, true) => "holds".to_string(),
        (None, false) => "DOES NOT HOLD".to_string(),
    };
    let nothing = String::new;
    match &row.worst {
        None => [name(row), row.shape.clone(), nothing(), nothing(), nothing(), nothing(), mark],
        Some(worst) => {
            let at: Vec<String> = worst.at.iter().map(usize::to_string).collect();
            [
                name(row),
                row.shape.clone(),
                format!("{:.1e}", worst.error),
                format!("[{}]", at.join(", ")),
                format!("{:.9}", worst.closed),
                format!("{:.9}", worst.difference),
                mark,
            ]
        }
    }
}

fn name(row: &Row) -> String {
    let (of, by) = (&row.of, &row.wrt);
    match row.kind {
        RequestKind::Grad | RequestKind::Jacobian => format!("d{of}/d{by}"),
        RequestKind::Hessian => format!("hessian {of} by {by}"),
        RequestKind::Hvp => format!("hvp {of} by {by}"),
        RequestKind::Jvp => format!("jvp {of} by {by}"),
    }
}

fn as_json(found: &Found, asked: &Asked) -> Value {
    let rows: Vec<Value> = found
        .report
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let mut value = row_as_json(row);
            if let Some(curve) = found.curves.get(at) {
                value["curve"] = curve_as_json(curve);
            }
            value
        })
        .collect();
    json!({
        "holds": found.report.holds() && found.told.problems.is_empty(),
        "seed": asked.seed,
        "points": asked.points,
        "tolerance": asked.tol,
        "problem": found.report.problem,
        "derivatives": rows,
        "formulas": {
            "checked": found.told.formulas,
            "lines": found.told.lines,
            "skipped": found.told.skipped,
            "by_rules": found.told.by_rules,
            "problems": found.told.problems,
        },
    })
}

fn row_as_json(row: &Row) -> Value {
    let worst = row.worst.as_ref().map(|worst| {
        json!({
            "error": number(worst.error), "at": worst.at, "point": worst.point,
            "closed": number(worst.closed), "difference": number(worst.difference),
        })
    });
    json!({
        "derivative": name(row), "of": row.of, "wrt": row.wrt, "shape": row.shape, "holds": row.holds,
        "worst": worst, "compared": row.compared, "kinks": row.kinks, "conventions": row.conventions, "respelt": row.respelt,
        "problem": row.problem,
    })
}

fn curve_as_json(curve: &Result<Curve, String>) -> Value {
    match curve {
        Ok(curve) => json!({
            "order": curve.order().map(number),
            "samples": curve.samples.iter()
                .map(|sample| vec![number(sample.step), number(sample.error)])
                .collect::<Vec<_>>(),
        }),
        Err(why) => json!({ "problem": why }),
    }
}
