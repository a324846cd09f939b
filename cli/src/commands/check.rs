//! `chainrule check`: derivatives against finite differences, and printed formulas against both.

use crate::Session;
use crate::commands::print;
use crate::failure::Failure;
use crate::input;
use chainrule_core::check::{Report, Row, ToldReport, check, check_told, random_point};
use chainrule_core::derivation::{Notation, Options, tell};
use chainrule_core::{Compiled, Diagnostic};
use chainrule_grammar::ast::RequestKind;

/// The most problems of formulas that are shown.
const SHOWN: usize = 20;

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let seed = session.args.number("seed", 0, "a whole number")?;
    let points = session.args.number("points", 3, "a whole number")?;
    let tol: f64 = session.args.number("tol", 1e-6, "a number over 0")?;
    if points == 0 {
        return Err(Failure::usage("`--points` must be at least 1"));
    }
    if tol.is_nan() || tol <= 0.0 {
        return Err(Failure::usage("`--tol` must be a number over 0"));
    }
    let unit = input::compile(session)?;
    if unit.compiled.derivatives.is_empty() {
        return Err(unit.no_derivative());
    }
    let report = check(&unit.compiled, seed, points, tol);
    print(session, &table(&report))?;
    if let Some(why) = &report.problem {
        print(session, &format!("no check was possible: {why}\n"))?;
        return Err(Failure::Check);
    }
    print(session, &verdict(&report, tol))?;
    let told = formulas(&unit.compiled, seed).map_err(|diagnostic| unit.refused(diagnostic))?;
    print(session, &said(&told))?;
    if report.holds() && told.problems.is_empty() { Ok(()) } else { Err(Failure::Check) }
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

fn verdict(report: &Report, tol: f64) -> String {
    let bad = report.rows.iter().filter(|row| !row.holds).count();
    match (bad, report.rows.len()) {
        (0, 1) => "the derivative holds\n".to_string(),
        (0, all) => format!("all {all} derivatives hold\n"),
        (bad, all) => format!("{bad} of {all} derivatives do not hold to {tol:e}\n"),
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
    let name = name(row);
    match &row.worst {
        None => [
            name,
            row.shape.clone(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            mark,
        ],
        Some(worst) => {
            let at: Vec<String> = worst.at.iter().map(usize::to_string).collect();
            let (error, closed) = (format!("{:.1e}", worst.error), format!("{:.9}", worst.closed));
            [
                name,
                row.shape.clone(),
                error,
                format!("[{}]", at.join(", ")),
                closed,
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
