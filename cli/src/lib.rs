//! The chainrule command line, in process: arguments and streams in, an exit code out.
//!
//! Results go to standard output, everything else to standard error. 0: good; 1: the program (or a check) is wrong;
//! 2: the command line is wrong, or a file cannot be read or written.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod failure;
mod formats;
mod help;
mod html;
mod input;
mod json;
#[cfg(feature = "serve")]
pub mod playground;
mod plot;
mod point;
mod progress;
mod report;

use args::Args;
use failure::Failure;
use report::{Look, Reporter};
use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;

/// The streams of one run.
pub struct Streams<'s> {
    /// Programs and points that are given as `-`.
    pub stdin: &'s mut dyn Read,
    /// Results.
    pub stdout: &'s mut dyn Write,
    /// Everything else.
    pub stderr: &'s mut dyn Write,
    /// Whether `--color auto` means colour.
    pub colour: bool,
    /// Whether the results go to a terminal that shows bold letters, where `--color auto`.
    pub bold: bool,
    /// Whether standard error is a terminal, on which progress is shown.
    pub terminal: bool,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let terminal = std::io::stderr().is_terminal();
    let colour = !plain && terminal;
    let streams = Streams {
        stdin: &mut std::io::stdin().lock(),
        stdout: &mut std::io::stdout().lock(),
        stderr: &mut std::io::stderr().lock(),
        colour,
        bold: !plain && std::io::stdout().is_terminal(),
        terminal,
    };
    let code = run_with(std::env::args_os().skip(1), streams);
    ExitCode::from(u8::try_from(code).unwrap_or(2))
}

/// Runs a command with these arguments (without the program's own name) and streams, and gives its exit code.
pub fn run<I>(args: I, stdin: &mut dyn Read, stdout: &mut dyn Write, stderr: &mut dyn Write) -> i32
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    run_with(args, Streams { stdin, stdout, stderr, colour: false, bold: false, terminal: false })
}

/// As [`run`], where `--color auto` may mean colour.
pub fn run_with<I>(args: I, streams: Streams<'_>) -> i32
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let Streams { stdin, stdout, stderr, colour, bold, terminal } = streams;
    let mut reporter = Reporter { out: stderr, look: Look { colour, json: false } };
    let args = match Args::parse(args) {
        Ok(args) => args,
        Err(failure) => return reporter.failure(&failure),
    };
    reporter.look = Look::of(&args, colour);
    let bold = Look::of(&args, bold).colour;
    let mut session = Session { args: &args, stdin, out: Vec::new(), bold, reporter, terminal };
    let outcome = commands::run(&mut session);
    let delivered = deliver(&args, &session.out, stdout, outcome.is_ok());
    match outcome.and(delivered) {
        Ok(()) => 0,
        Err(failure) => session.reporter.failure(&failure),
    }
}

/// One run of one command.
pub(crate) struct Session<'s> {
    pub args: &'s Args,
    pub stdin: &'s mut dyn Read,
    /// What goes to standard output, or to the file of `-o` where all is well.
    pub out: Vec<u8>,
    /// Whether letters of results may be bold.
    pub bold: bool,
    pub reporter: Reporter<'s>,
    /// Whether progress is shown.
    pub terminal: bool,
}

/// Writes a command's result; a reader that has gone away is no error. With `-o`, nothing is written of a command that failed.
fn deliver(args: &Args, out: &[u8], stdout: &mut dyn Write, good: bool) -> Result<(), Failure> {
    match args.value("output") {
        Some(path) if good => std::fs::write(path, out).map_err(|error| {
            Failure::usage(format!("`{path}` cannot be written: {}", failure::reason(&error)))
        }),
        Some(_) => Ok(()),
        None => match stdout.write_all(out).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::usage(format!(
                    "the result cannot be written to standard output: {}",
                    failure::reason(&error)
                )))
            }
            _ => Ok(()),
        },
    }
}
