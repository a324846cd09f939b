//! `chainrule check`
use crate::Session;
use crate::failure::Failure;
use crate::input;

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    input::compile(session)?;
    Err(Failure::usage("not yet"))
}
