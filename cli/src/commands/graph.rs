//! `chainrule graph`: the computation graph with shapes, local derivatives and the path of the chain rule, as DOT or SVG.

use crate::Session;
use crate::commands::{notation, print};
use crate::failure::Failure;
use crate::input;
use chainrule_core::diagram::diagram;
use chainrule_core::render::{dot, svg};

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let drawn = session.args.value("output").is_some_and(|path| path.ends_with(".svg"));
    let format = session.args.value("format").unwrap_or(if drawn { "svg" } else { "dot" });
    let unit = input::compile(session)?;
    let diagram = diagram(&unit.compiled, notation(session.args));
    let text = match format {
        "svg" => svg::document(&diagram),
        _ => dot::document(&diagram),
    };
    print(session, &text)
}
