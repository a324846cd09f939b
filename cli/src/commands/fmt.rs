//! `chainrule fmt`: programs in canonical layout, to standard output, in place, or only checked.

use crate::Session;
use crate::commands::print;
use crate::failure::{self, Failure};
use crate::input;
use chainrule_core::Source;
use std::ffi::OsString;

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let (check, in_place) = (session.args.has("check"), session.args.has("in-place"));
    if check && in_place {
        return Err(Failure::usage("`--check` writes nothing, `--in-place` writes: choose one"));
    }
    let files = session.args.operands.clone();
    if files.is_empty() || session.args.has("expression") {
        if in_place {
            return Err(Failure::usage("`--in-place` wants a file"));
        }
        let source = input::read(session)?;
        return each(session, &source, None, check);
    }
    if files.len() > 1 && !check && !in_place {
        return Err(Failure::usage("several programs cannot be printed at once")
            .help("use `--in-place` or `--check`"));
    }
    let mut worst = Ok(());
    for file in &files {
        let outcome = input::read_file(file, session.stdin)
            .and_then(|source| each(session, &source, in_place.then_some(file), check));
        if let Err(failure) = outcome {
            if files.len() == 1 {
                return Err(failure);
            }
            let code = session.reporter.failure(&failure);
            if code == 2 || worst.is_ok() {
                worst = Err(code);
            }
        }
    }
    match worst {
        Ok(()) => Ok(()),
        Err(2) => Err(Failure::usage("not every file could be formatted")),
        Err(_) => Err(Failure::Check),
    }
}

fn each(
    session: &mut Session<'_>,
    source: &Source,
    in_place: Option<&OsString>,
    check: bool,
) -> Result<(), Failure> {
    let (program, diagnostics) = chainrule_grammar::parse(source);
    if diagnostics.iter().any(|diagnostic| diagnostic.is_error()) {
        return Err(Failure::Program { source: Box::new(source.clone()), diagnostics, code: 1 });
    }
    let text = chainrule_grammar::format(&program);
    if check {
        if text == source.text {
            return Ok(());
        }
        let line = 1 + text.lines().zip(source.text.lines()).take_while(|(a, b)| a == b).count();
        let _ = writeln!(session.reporter.out, "{}:{line}: not formatted", source.name);
        return Err(Failure::Check);
    }
    match in_place {
        Some(file) if text == source.text || file == "-" => Ok(()),
        Some(file) => std::fs::write(file, &text).map_err(|error| {
            Failure::usage(format!(
                "`{}` cannot be written: {}",
                source.name,
                failure::reason(&error)
            ))
        }),
        None => print(session, &text),
    }
}
