//! One file for each command.

mod check;
mod completions;
mod derive;
mod emit;
mod eval;
mod explain;
mod fmt;
mod graph;
mod ops;
#[cfg(feature = "serve")]
mod serve;

use crate::Session;
use crate::args::Args;
use crate::failure::Failure;
use crate::help;
use chainrule_core::derivation::Notation;
use std::io::Write;

/// Runs the command that was named.
pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    if session.args.has("version") {
        return print(session, concat!("chainrule ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    let Some(command) = session.args.command else {
        if session.args.has("help") {
            return print(session, &help::overview());
        }
        return Err(Failure::usage("which command?").help("`chainrule help` lists them"));
    };
    if session.args.has("help") {
        return print(session, &help::command(command.name));
    }
    match command.name {
        "derive" => derive::run(session),
        "eval" => eval::run(session),
        "check" => check::run(session),
        "emit" => emit::run(session),
        "graph" => graph::run(session),
        "ops" => ops::run(session),
        #[cfg(feature = "serve")]
        "serve" => serve::run(session),
        "fmt" => fmt::run(session),
        "explain" => explain::run(session),
        "completions" => completions::run(session),
        _ => help::run(session),
    }
}

/// Adds text to the result.
pub(crate) fn print(session: &mut Session<'_>, text: &str) -> Result<(), Failure> {
    session.out.write_all(text.as_bytes()).map_err(|error| Failure::usage(error.to_string()))
}

/// The notation asked for.
pub(crate) fn notation(args: &Args) -> Notation {
    match args.value("notation") {
        Some("index") => Notation::Index,
        _ => Notation::Matrix,
    }
}

/// The one operand as text.
pub(crate) fn operand(session: &Session<'_>) -> Option<String> {
    session.args.operands.first().map(|operand| operand.to_string_lossy().into_owned())
}
