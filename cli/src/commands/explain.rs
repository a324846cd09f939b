//! `chainrule explain E0201`: what an error code means, with a program that has the mistake and one that has not.

use crate::Session;
use crate::args::nearest;
use crate::commands::{operand, print};
use crate::failure::Failure;
use chainrule_core::{Code, Level};

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let codes: &[Code] = match operand(session) {
        Some(id) => std::slice::from_ref(known(&id)?),
        None => Code::ALL,
    };
    let all = codes.len() > 1;
    let text = match session.args.value("format").unwrap_or("text") {
        "markdown" => codes.iter().map(|code| markdown(*code)).collect::<Vec<_>>().join("\n"),
        "text" | "unicode" if all => {
            codes.iter().map(|code| format!("{}  {}\n", code.id(), code.title())).collect()
        }
        "text" | "unicode" => codes.iter().map(|code| page(*code)).collect(),
        other => {
            return Err(Failure::usage(format!("`explain` cannot be written as `{other}`"))
                .help("it may be text, markdown"));
        }
    };
    print(session, &text)
}

fn known(id: &str) -> Result<&'static Code, Failure> {
    if let Some(code) = Code::ALL.iter().find(|code| code.id().eq_ignore_ascii_case(id)) {
        return Ok(code);
    }
    let failure = Failure::usage(format!("there is no code `{id}`"));
    Err(match nearest(id, Code::ALL.iter().map(|code| code.id())) {
        Some(near) => {
            failure.help(format!("did you mean `{near}`? `chainrule explain` lists all codes"))
        }
        None => failure.help("`chainrule explain` lists all codes"),
    })
}

fn word(code: Code) -> &'static str {
    if code.level() == Level::Error { "error" } else { "warning" }
}

fn page(code: Code) -> String {
    let indented =
        |text: &str| -> String { text.lines().map(|line| format!("    {line}\n")).collect() };
    format!(
        "{} {}: {}\n\n{}\n\nwrong:\n\n{}\nright:\n\n{}",
        word(code),
        code.id(),
        code.title(),
        wrapped(code.explanation(), 100),
        indented(code.wrong()),
        indented(code.right())
    )
}

fn markdown(code: Code) -> String {
    let block = |text: &str| match text.strip_prefix("$ ") {
        Some(command) => format!("```sh\n{command}\n```\n"),
        None => format!("```text\n{text}\n```\n"),
    };
    format!(
        "## {}: {}\n\n{}{}\n\nWrong:\n\n{}\nRight:\n\n{}",
        code.id(),
        code.title(),
        if code.level() == Level::Warning { "A warning. " } else { "" },
        code.explanation(),
        block(code.wrong()),
        block(code.right())
    )
}

/// The words of a text in lines of at most this many characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines.join("\n")
}
