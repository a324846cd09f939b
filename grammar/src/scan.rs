//! The first look at a text, before the grammar: takes out comments, checks brackets and cuts the text into statements.
//! Linear, without recursion. What passes here is nested at most `MAX_BRACKETS` deep, so the grammar's recursion is bounded.

use crate::diagnostic::{Code, Diagnostic};
use crate::span::Span;

/// How deep brackets may nest.
pub(crate) const MAX_BRACKETS: usize = 200;
/// After how many errors no more are told.
pub(crate) const MAX_ERRORS: usize = 100;
/// How far behind a `;` the end of a list is looked for.
const MAX_ROW: usize = 200;

/// A comment and where it stands.
#[derive(Debug)]
pub(crate) struct Comment {
    /// From its slashes to its end, without the line break.
    pub span: Span,
    /// `///`: documentation of the next statement.
    pub doc: bool,
    /// `//`: nothing but a line break can follow.
    pub line: bool,
}

/// One statement's place: from its first token through its `;`.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Where it is.
    pub span: Span,
    /// Whether its brackets are in order, so that the grammar may read it.
    pub sound: bool,
}

/// What the scan finds.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The text, of the same length, with spaces in place of comments.
    pub clean: String,
    /// All comments in order.
    pub comments: Vec<Comment>,
    /// All statements in order.
    pub pieces: Vec<Piece>,
    /// Bad brackets, strings and comments; at most one for each statement.
    pub errors: Vec<Diagnostic>,
}

/// Scans a text. With `split` it is cut at `;`, else it is one piece.
pub(crate) fn scan(text: &str, split: bool) -> Scan {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        clean: text.as_bytes().to_vec(),
        split,
        at: 0,
        open: Vec::new(),
        start: None,
        sound: true,
        out: Scan::default(),
    };
    if text.starts_with('\u{feff}') {
        scanner.blank(0, 3);
        scanner.at = 3;
    }
    while scanner.at < text.len() {
        scanner.step();
    }
    scanner.finish()
}

struct Scanner<'t> {
    bytes: &'t [u8],
    clean: Vec<u8>,
    split: bool,
    at: usize,
    /// The open brackets and where they are.
    open: Vec<(u8, usize)>,
    /// Where the current statement began.
    start: Option<usize>,
    sound: bool,
    out: Scan,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let byte = self.bytes[self.at];
        let next = self.bytes.get(self.at + 1).copied();
        match (byte, next) {
            (b'/', Some(b'/')) => return self.line_comment(),
            (b'/', Some(b'*')) => return self.block_comment(),
            _ => {}
        }
        if self.start.is_none() && !byte.is_ascii_whitespace() {
            // A `;` with nothing before it is an empty statement, of which nothing is kept.
            if byte == b';' && self.split {
                self.blank(self.at, self.at + 1);
                self.at += 1;
                return;
            }
            self.start = Some(self.at);
        }
        match byte {
            b'"' => return self.string(),
            b'(' | b'[' | b'{' => self.opens(byte),
            b')' | b']' | b'}' => self.closes(byte),
            b';' if self.split => self.semicolon(),
            _ => {}
        }
        self.at += 1;
    }

    fn line_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let doc = rest.starts_with(b"///") && !rest.starts_with(b"////");
        self.comment(self.at + length, doc, true);
    }

    /// Block comments nest, as they do in Rust.
    fn block_comment(&mut self) {
        let (start, mut depth, mut at) = (self.at, 1, self.at + 2);
        while depth > 0 && at < self.bytes.len() {
            let pair = &self.bytes[at..self.bytes.len().min(at + 2)];
            depth = match pair {
                b"/*" => depth + 1,
                b"*/" => depth - 1,
                _ => depth,
            };
            at += if matches!(pair, b"/*" | b"*/") { 2 } else { 1 };
        }
        if depth > 0 {
            let span = Span::new(start, start + 2);
            self.error(Diagnostic::new(Code::Syntax, span, "unclosed `/*`").here("opened here"));
            at = self.bytes.len();
        }
        self.comment(at, false, false);
    }

    fn comment(&mut self, end: usize, doc: bool, line: bool) {
        self.out.comments.push(Comment { span: Span::new(self.at, end), doc, line });
        self.blank(self.at, end);
        self.at = end;
    }

    /// Puts spaces over a range of whole characters; line breaks stay.
    fn blank(&mut self, from: usize, to: usize) {
        for byte in &mut self.clean[from..to] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }

    fn string(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        let end = rest.iter().position(|&byte| matches!(byte, b'"' | b'\n'));
        match end {
            Some(length) if rest[length] == b'"' => self.at += length + 2,
            _ => {
                let span = Span::new(self.at, self.at + 1);
                let unclosed = Diagnostic::new(Code::Syntax, span, "unclosed `\"`");
                self.error(unclosed.here("the string that begins here does not end on its line"));
                let end = end.unwrap_or(rest.len());
                let swallowed = rest[..end].contains(&b';');
                self.at += 1 + end;
                // The string took the `;` with it: the statement ends with the line.
                if swallowed && self.split {
                    self.open.clear();
                    self.end(self.at);
                }
            }
        }
    }

    fn opens(&mut self, byte: u8) {
        self.open.push((byte, self.at));
        if self.open.len() > MAX_BRACKETS {
            let span = Span::new(self.at, self.at + 1);
            let message = format!("brackets are nested deeper than {MAX_BRACKETS} levels");
            let deep = Diagnostic::new(Code::TooDeep, span, message);
            self.error(deep.help("name parts of the formula with definitions"));
        }
    }

    fn closes(&mut self, byte: u8) {
        let span = Span::new(self.at, self.at + 1);
        let found = char::from(byte);
        match self.open.pop() {
            Some((open, _)) if partner(open) == byte => {
                if byte == b'}' && self.open.is_empty() && self.split && self.in_function() {
                    self.end(self.at + 1);
                }
            }
            Some((open, place)) => {
                let (open, close) = (char::from(open), char::from(partner(open)));
                let message = format!("`{found}` does not close `{open}`");
                let bad = Diagnostic::new(Code::Syntax, span, message);
                let bad = bad.here(format!("expected `{close}`"));
                self.error(bad.label(Span::new(place, place + 1), format!("`{open}` opened here")));
            }
            None => {
                let message = format!("unexpected `{found}`; no bracket is open here");
                let bad = Diagnostic::new(Code::Syntax, span, message);
                self.error(bad.help("remove it, or open one before").edit(span, ""));
            }
        }
    }

    /// No `;` can stand within `(…)` or `[…]`: there it shows that the bracket was left open.
    fn semicolon(&mut self) {
        if self.row_ends() {
            let span = Span::new(self.at, self.at + 1);
            let bad = Diagnostic::new(Code::Syntax, span, "a `;` ends the statement");
            let bad = bad.here("within a list");
            return self.error(bad.help("each row is a list of its own: `[[1, 2], [3, 4]]`; what has parts below one another is `concat(a, b)`"));
        }
        let round = self.open.iter().rposition(|&(open, _)| open == b'{').map_or(0, |at| at + 1);
        if let Some(&(open, place)) = self.open.get(round..).and_then(<[_]>::last) {
            self.unclosed(open, place);
            self.open.truncate(round);
        }
        if self.open.is_empty() {
            self.end(self.at + 1);
        }
    }

    fn unclosed(&mut self, open: u8, place: usize) {
        // All that are open within the innermost block, closed in the reverse order.
        let round = self.open.iter().rposition(|&(open, _)| open == b'{').map_or(0, |at| at + 1);
        let closing = self.open[round..].iter().rev().map(|&(open, _)| char::from(partner(open)));
        let closing: String = closing.collect();
        let end = self.at - trailing_blanks(&self.clean[..self.at]);
        let (open, close) = (char::from(open), char::from(partner(open)));
        let span = Span::new(place, place + 1);
        let bad = Diagnostic::new(Code::Syntax, span, format!("unclosed `{open}`"));
        let bad = bad.here("opened here").help(format!("close it with `{close}`"));
        self.error(if closing.is_empty() { bad } else { bad.insert(end, closing) });
    }

    /// A `;` that divides rows, as other tools have it: the list is closed behind it, on the same line.
    fn row_ends(&self) -> bool {
        if !matches!(self.open.last(), Some((b'[', _))) {
            return false;
        }
        let behind = self.bytes.get(self.at + 1..).unwrap_or_default();
        let sign = behind.iter().take(MAX_ROW).find(|byte| matches!(byte, b'[' | b']' | b'\n'));
        sign == Some(&b']')
    }

    /// Whether the statement is a function with a block, which needs no `;`.
    fn in_function(&self) -> bool {
        let text = self.start.map_or(&[][..], |start| &self.clean[start..]);
        text.strip_prefix(b"fn").and_then(<[u8]>::first).is_some_and(u8::is_ascii_whitespace)
    }

    /// Keeps the first error of each statement: the others mostly follow from it.
    fn error(&mut self, error: Diagnostic) {
        if self.sound && self.out.errors.len() < MAX_ERRORS {
            self.out.errors.push(error);
        }
        self.sound = false;
    }

    fn end(&mut self, end: usize) {
        if let Some(start) = self.start.take() {
            self.out.pieces.push(Piece { span: Span::new(start, end), sound: self.sound });
        }
        self.open.clear();
        self.sound = true;
    }

    fn finish(mut self) -> Scan {
        if let Some(&(open, place)) = self.open.last() {
            self.unclosed(open, place);
        }
        // Only whole characters were blanked, so this never replaces anything.
        self.out.clean = String::from_utf8_lossy(&self.clean).into_owned();
        let end = self.out.clean.trim_end().len();
        self.end(end);
        self.out
    }
}

fn trailing_blanks(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn partner(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}
