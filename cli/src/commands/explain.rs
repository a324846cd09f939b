//! `chainrule explain E0201`: what an error code means.

use crate::Session;
use crate::args::nearest;
use crate::commands::{operand, print};
use crate::failure::Failure;
use chainrule_core::{Code, Level};

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let Some(id) = operand(session) else {
        let list: String =
            Code::ALL.iter().map(|code| format!("{}  {}\n", code.id(), code.title())).collect();
        return print(session, &list);
    };
    match Code::ALL.iter().find(|code| code.id().eq_ignore_ascii_case(&id)) {
        Some(code) => {
            let level = if code.level() == Level::Error { "error" } else { "warning" };
            print(
                session,
                &format!("{level} {}: {}\n\n{}\n", code.id(), code.title(), code.explanation()),
            )
        }
        None => {
            let failure = Failure::usage(format!("there is no code `{id}`"));
            Err(match nearest(&id, Code::ALL.iter().map(|code| code.id())) {
                Some(near) => failure
                    .help(format!("did you mean `{near}`? `chainrule explain` lists all codes")),
                None => failure.help("`chainrule explain` lists all codes"),
            })
        }
    }
}
