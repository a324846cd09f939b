//! `chainrule emit`: code.

use crate::Session;
use crate::failure::Failure;
use crate::input;

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    if session.args.value("target").is_none() {
        return Err(Failure::usage("for which target?").help("`--target rust`"));
    }
    input::compile(session)?;
    Err(Failure::usage("this version does not emit code from the command line yet")
        .help("`derive_grad!` compiles the same program inside of a Rust crate"))
}
