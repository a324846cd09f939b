//! Findings on standard error, for people or for programs. The only place with colour.

use crate::args::Args;
use crate::failure::Failure;
use annotate_snippets::{
    AnnotationKind, Group, Level, Patch, Renderer, Snippet, normalize_untrusted_str,
};
use chainrule_core::{Code, Diagnostic, Source, Span};
use chainrule_grammar::Lines;
use serde_json::{Value, json};
use std::io::Write;
use std::ops::Range;

/// So many findings are shown to people.
const SHOWN: usize = 100;

/// How findings look.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// With colours.
    pub colour: bool,
    /// One JSON object a line.
    pub json: bool,
}

impl Look {
    /// As the flags say; `auto` is what `--color auto` means.
    pub fn of(args: &Args, auto: bool) -> Look {
        let colour = match args.value("color") {
            Some("always") => true,
            Some("never") => false,
            _ => auto,
        };
        Look { colour, json: args.value("message-format") == Some("json") }
    }
}

/// Where findings go. Failures to write them are nobody's concern.
pub(crate) struct Reporter<'s> {
    /// Standard error.
    pub out: &'s mut dyn Write,
    /// How they look.
    pub look: Look,
}

impl Reporter<'_> {
    /// Says why a command fails, and gives the exit code of that.
    pub fn failure(&mut self, failure: &Failure) -> i32 {
        match failure {
            Failure::Usage { message, help } => self.plain(message, help.as_deref()),
            Failure::Program { source, diagnostics, .. } => self.diagnostics(source, diagnostics),
            Failure::Check => {}
        }
        let _ = self.out.flush();
        failure.exit_code()
    }

    fn plain(&mut self, message: &str, help: Option<&str>) {
        let diagnostic = Diagnostic {
            labels: Vec::new(),
            help: help.map(str::to_string),
            ..Diagnostic::new(Code::Usage, Span::default(), message)
        };
        if self.look.json {
            self.diagnostics(&Source::new("", ""), &[diagnostic]);
            return;
        }
        let mut group = Group::with_title(Level::ERROR.primary_title(message));
        if let Some(help) = help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
        }
        self.draw(&[group]);
    }

    /// Shows findings; for people, no more than a person reads.
    pub fn diagnostics(&mut self, source: &Source, diagnostics: &[Diagnostic]) {
        if self.look.json {
            let lines = Lines::of(&source.text);
            for diagnostic in diagnostics {
                let _ = writeln!(self.out, "{}", as_json(source, &lines, diagnostic));
            }
            return;
        }
        let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
        if ordered.len() > SHOWN {
            ordered.sort_by_key(|diagnostic| !diagnostic.is_error());
        }
        let (shown, others) = ordered.split_at(ordered.len().min(SHOWN));
        for diagnostic in shown {
            self.draw(&groups(source, diagnostic));
        }
        if !others.is_empty() {
            let more =
                format!("{} more are not shown; `--message-format json` tells all", others.len());
            self.draw(&[Group::with_title(Level::NOTE.primary_title(&more))]);
        }
    }

    fn draw(&mut self, groups: &[Group<'_>]) {
        let renderer = if self.look.colour { Renderer::styled() } else { Renderer::plain() };
        let _ = writeln!(self.out, "{}\n", renderer.render(groups));
    }
}

/// A finding in rustc's layout: the title, the labelled lines, the help; where the fix is known, the changed lines below it.
fn groups<'d>(source: &'d Source, diagnostic: &'d Diagnostic) -> Vec<Group<'d>> {
    let level = if diagnostic.is_error() { Level::ERROR } else { Level::WARNING };
    let mut group =
        Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.code.id()));
    if !diagnostic.labels.is_empty() {
        let labels = diagnostic.labels.iter().enumerate().map(|(at, label)| {
            let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let text = Some(label.text.as_str()).filter(|text| !text.is_empty());
            kind.span(inside(&source.text, label.span)).label(text)
        });
        group = group.element(
            Snippet::source(source.text.as_str()).path(source.name.as_str()).annotations(labels),
        );
    }
    let Some(help) = &diagnostic.help else { return vec![group] };
    let help = normalize_untrusted_str(help);
    if diagnostic.fix.is_empty() {
        return vec![group.element(Level::HELP.message(help))];
    }
    let patches = diagnostic.fix.iter().map(|edit| {
        Patch::new(inside(&source.text, edit.span), normalize_untrusted_str(&edit.text))
    });
    let changed = Snippet::source(source.text.as_str()).path(source.name.as_str()).patches(patches);
    vec![group, Group::with_title(Level::HELP.secondary_title(help)).element(changed)]
}

/// The span as a range between characters of the text.
fn inside(text: &str, span: Span) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

fn as_json(source: &Source, lines: &Lines<'_>, diagnostic: &Diagnostic) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let (line, column) = lines.line_column(label.span.start);
            json!({
                "start": label.span.start, "end": label.span.end,
                "line": line, "column": column, "text": label.text,
            })
        })
        .collect();
    let fix: Vec<Value> = diagnostic
        .fix
        .iter()
        .map(|edit| json!({ "start": edit.span.start, "end": edit.span.end, "text": edit.text }))
        .collect();
    json!({
        "level": if diagnostic.is_error() { "error" } else { "warning" },
        "code": diagnostic.code.id(),
        "message": diagnostic.message,
        "file": source.name,
        "labels": labels,
        "help": diagnostic.help,
        "fix": fix,
    })
}
