//! Places in a source text: byte ranges, and the lines and columns that people read.

/// A program's text and the name it is shown under in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What messages call it: a path, `<stdin>`, `<expression>` or a macro's module.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Which spelling of the language the text is in.
    pub dialect: Dialect,
}

/// The spellings that the grammar reads; both become the same syntax tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The language of `.grad` files.
    #[default]
    Chainrule,
    /// The dialect of matrixcalculus.org's users.
    Matlab,
}

impl Source {
    /// A text in the ordinary dialect.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source { name: name.into(), text: text.into(), dialect: Dialect::Chainrule }
    }

    /// A text in the dialect of matrixcalculus.org's users.
    pub fn matlab(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source { dialect: Dialect::Matlab, ..Source::new(name, text) }
    }

    /// The 1-based line and column (in characters) of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        Lines::of(&self.text).line_column(offset)
    }
}

/// Where the lines of a text begin: found once for many places.
#[derive(Clone, Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    ascii: bool,
}

impl<'t> Lines<'t> {
    /// Those of a text.
    pub fn of(text: &'t str) -> Lines<'t> {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(after.map(|(at, _)| at + 1)).collect();
        Lines { text, starts, ascii: text.is_ascii() }
    }

    /// The 1-based line and column (in characters) of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = &self.text.as_bytes()[start..offset];
        let column =
            if self.ascii { before.len() } else { String::from_utf8_lossy(before).chars().count() };
        (line, column + 1)
    }
}

/// A byte range of a source text, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The smallest range that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}
