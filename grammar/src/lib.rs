//! The language of chainrule: text in, syntax tree out, and back.
//! It knows nothing of shapes, functions or calculus; pest's own types stay inside.
#![forbid(unsafe_code)]

// Named by the parser that pest derives.
extern crate alloc;

pub mod ast;
mod broken;
pub mod codes;
mod complaint;
pub mod diagnostic;
mod formula;
mod lookalike;
mod margin;
#[allow(missing_docs, dead_code, clippy::all, reason = "written by pest")]
#[rustfmt::skip]
mod parser;
pub mod print;
mod scan;
pub mod span;
mod syntax;
mod tree;

pub use ast::Program;
pub use complaint::STATEMENTS;
pub use diagnostic::{Code, Diagnostic, Edit, Label, Level};
pub use print::format;
pub use span::{Dialect, Lines, Source, Span};

use ast::{Expr, Stmt};
use margin::Margin;
use scan::{MAX_ERRORS, Scan};
use syntax::{Refusal, Rule, Slice};

/// How many bytes a program may have.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a program. Every statement that can be read is returned, every other one has a diagnostic.
pub fn parse(source: &Source) -> (Program, Vec<Diagnostic>) {
    if let Err(error) = check_size(&source.text) {
        return (Program::default(), vec![error]);
    }
    let scan = scan::scan(&source.text, true);
    let mut reader = Reader {
        margin: Margin::new(&source.text, &scan.comments),
        scan: &scan,
        program: Program { dialect: source.dialect, ..Program::default() },
        errors: Vec::new(),
    };
    for piece in &scan.pieces {
        if reader.errors.len() >= MAX_ERRORS {
            break;
        }
        if piece.sound {
            reader.piece(piece.span);
        } else {
            let text = scan.clean.get(piece.span.start..piece.span.end).unwrap_or("");
            broken::note(text, piece.span.start, &mut reader.program);
            reader.margin.skip(piece.span.end);
        }
    }
    reader.program.trailing = reader.margin.trailing();
    let (program, mut errors) = (reader.program, reader.errors);
    errors.extend(scan.errors);
    errors.sort_by_key(Diagnostic::span);
    errors.truncate(MAX_ERRORS);
    (program, errors)
}

/// Reads one formula, such as a rule of the rule book. Spans are offsets in `text`.
pub fn parse_expr(text: &str) -> Result<Expr, Diagnostic> {
    check_size(text)?;
    let scan = scan::scan(text, false);
    if let Some(error) = scan.errors.into_iter().next() {
        return Err(error);
    }
    let slice = Slice { text: &scan.clean, offset: 0, dialect: Dialect::Chainrule };
    match slice.read(Rule::formula) {
        Ok(formula) => match formula.into_inner().next() {
            Some(expr) => slice.expr(expr),
            None => Err(syntax::bad(Span::default(), "expected an expression")),
        },
        Err(refusal) => Err(complaint::complain(slice, refusal)),
    }
}

fn check_size(text: &str) -> Result<(), Diagnostic> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    let message = format!("the text has {} bytes; at most {MAX_BYTES} are read", text.len());
    Err(Diagnostic::new(Code::TooLarge, Span::default(), message))
}

/// The statements of a program, one after the other.
struct Reader<'t> {
    scan: &'t Scan,
    margin: Margin<'t>,
    program: Program,
    errors: Vec<Diagnostic>,
}

impl<'t> Reader<'t> {
    /// Reads one piece: a statement, or several between which a `;` is missing.
    fn piece(&mut self, span: Span) {
        let mut rest = self.slice(span.start, span.end);
        while !matches!(rest.text, "" | ";") && self.errors.len() < MAX_ERRORS {
            let Err(refusal) = self.statement(rest) else {
                return;
            };
            let cut = complaint::ends_before(rest, &refusal).map(|at| rest.offset + at);
            let first =
                cut.map(|cut| self.slice(rest.offset, cut)).filter(|it| !it.text.is_empty());
            let (Some(cut), Some(first)) = (cut, first.filter(|it| self.statement(*it).is_ok()))
            else {
                self.errors.push(complaint::complain(rest, refusal));
                broken::note(rest.text, rest.offset, &mut self.program);
                break;
            };
            let end = first.offset + first.text.len();
            let last = first.text.chars().next_back().map_or(0, char::len_utf8);
            let missing = syntax::bad(Span::new(end - last, end), "expected `;` after this");
            self.errors.push(missing.help("end the statement with `;`").insert(end, ";"));
            rest = self.slice(cut, span.end);
        }
        self.margin.skip(span.end);
    }

    /// Reads a slice as one statement. An error of meaning is reported here; one of syntax is returned.
    fn statement(&mut self, slice: Slice<'t>) -> Result<(), Refusal> {
        let line = slice.read(Rule::line)?;
        let span = Span::new(slice.offset, slice.offset + slice.text.len());
        match slice.statement(line) {
            Ok(kind) => {
                let (doc, comments) = (Vec::new(), Vec::new());
                let mut stmt = Stmt { kind, doc, comments, after: None, span };
                self.margin.attach(&mut stmt, &self.scan.clean);
                self.program.stmts.push(stmt);
            }
            Err(error) => {
                self.errors.push(error);
                broken::note(slice.text, slice.offset, &mut self.program);
                self.margin.skip(span.end);
            }
        }
        Ok(())
    }

    /// A range of the text without the blanks around it.
    fn slice(&self, start: usize, end: usize) -> Slice<'t> {
        let text = self.scan.clean.get(start..end).unwrap_or("");
        let offset = start + text.len() - text.trim_start().len();
        Slice { text: text.trim(), offset, dialect: self.program.dialect }
    }
}
