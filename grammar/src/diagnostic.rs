//! What is said of a bad program: plain facts with places, drawn by whoever shows them.
//! Diagnostics are collected and returned, never printed or thrown here.

pub use crate::codes::Code;
use crate::span::{Source, Span};
use std::fmt::Write as _;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The program has no meaning; nothing is produced.
    Error,
    /// The program has a meaning that its author may not have wanted.
    Warning,
}

/// A place and what is to be seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there, e.g. `x is [B, N]`.
    pub text: String,
}

/// A change of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty where something is only put in.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// One finding about a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its entry in the table of codes.
    pub code: Code,
    /// Error or warning.
    pub level: Level,
    /// One sentence without a full stop.
    pub message: String,
    /// The first label is the primary place.
    pub labels: Vec<Label>,
    /// What to write instead, if known.
    pub help: Option<String>,
    /// The same as changes of the text, in order of place, where they are known exactly.
    pub fix: Vec<Edit>,
}

impl Diagnostic {
    /// A finding of the level that its code has.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            level: code.level(),
            message: message.into(),
            labels: vec![Label { span, text: String::new() }],
            help: None,
            fix: Vec::new(),
        }
    }

    /// Says what is at the primary place.
    pub fn here(mut self, text: impl Into<String>) -> Diagnostic {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// Adds a further place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Adds a change of the text that does what the help says.
    pub fn edit(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.fix.push(Edit { span, text: text.into() });
        self.fix.sort_by_key(|edit| edit.span);
        self
    }

    /// As [`Diagnostic::edit`], where something is only put in.
    pub fn insert(self, at: usize, text: impl Into<String>) -> Diagnostic {
        self.edit(Span::new(at, at), text)
    }

    /// The line of the text as it would be with the fix, where that is one line.
    pub fn fixed_line(&self, source: &Source) -> Option<String> {
        let (first, last) = (self.fix.first()?, self.fix.last()?);
        let text = source.text.as_str();
        let start = text.get(..first.span.start)?.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(last.span.end..)?;
        let end = last.span.end + rest.find('\n').unwrap_or(rest.len());
        let (mut line, mut at) = (String::new(), start);
        for edit in &self.fix {
            line.push_str(text.get(at..edit.span.start)?);
            line.push_str(&edit.text);
            at = edit.span.end;
        }
        line.push_str(text.get(at..end)?);
        Some(line.trim().to_string()).filter(|line| !line.contains('\n'))
    }

    /// The primary place.
    pub fn span(&self) -> Span {
        self.labels.first().map_or(Span::default(), |label| label.span)
    }

    /// Whether this finding refuses the program.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }

    /// The finding as plain text: message, place, the source line with a caret line, labels and help.
    pub fn render(&self, source: &Source) -> String {
        let mut out = String::new();
        let word = if self.is_error() { "error" } else { "warning" };
        let _ = writeln!(out, "{word}[{}]: {}", self.code.id(), self.message);
        for (at, label) in self.labels.iter().enumerate() {
            excerpt(&mut out, source, label, at == 0);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "   = help: {help}");
            if let Some(line) = self.fixed_line(source) {
                let _ = writeln!(out, "           {line}");
            }
        }
        out
    }
}

/// Writes one label's source line with a marker under its range.
fn excerpt(out: &mut String, source: &Source, label: &Label, primary: bool) {
    let (line, column) = source.line_column(label.span.start);
    let arrow = if primary { "-->" } else { ":::" };
    let _ = writeln!(out, "  {arrow} {}:{line}:{column}", source.name);
    let full = source.text.lines().nth(line - 1).unwrap_or("");
    // Long lines are cut to a window around the place.
    let skip = if column > 100 { column - 60 } else { 0 };
    let text: String = full.chars().skip(skip).take(140).collect::<String>().replace('\t', " ");
    let length = source
        .text
        .get(label.span.start..label.span.end)
        .map_or(1, |covered| covered.lines().next().unwrap_or("").chars().count());
    let room = text.chars().count().saturating_sub(column - 1 - skip).max(1);
    let mark = if primary { "^" } else { "-" }.repeat(length.clamp(1, room));
    let _ = writeln!(out, "   | {text}");
    let _ = writeln!(out, "   | {}{mark} {}", " ".repeat(column - 1 - skip), label.text);
}
