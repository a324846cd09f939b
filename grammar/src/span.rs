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
        let offset = offset.min(self.text.len());
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        (line, column)
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
