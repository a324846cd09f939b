//! The layout tree: what a page shows, independent of the format. Brackets are already where they must be.

/// A piece of typeset mathematics.
#[derive(Clone, Debug, PartialEq)]
pub enum Math {
    /// Side by side.
    Row(Vec<Math>),
    /// A letter, a Greek letter's name, or a word.
    Ident(String),
    /// A word that is a subscript or a unit of meaning of its own, always upright.
    Word(String),
    /// Digits.
    Num(String),
    /// A sign.
    Symbol(Symbol),
    /// A thin space.
    Thin,
    /// A fraction.
    Frac(Box<Math>, Box<Math>),
    /// A base with a subscript, a superscript, or both.
    Scripts {
        /// What they stand at.
        base: Box<Math>,
        /// Below.
        sub: Option<Box<Math>>,
        /// Above.
        sup: Option<Box<Math>>,
    },
    /// A mark over a base.
    Accent(Accent, Box<Math>),
    /// A large operator with what stands below it.
    Big(Big, Option<Box<Math>>),
    /// Something in brackets.
    Fence(Fence, Box<Math>),
    /// The name of a function: its LaTeX symbol, and its name in the language.
    Func {
        /// E.g. `\sin`.
        latex: String,
        /// E.g. `sin`.
        name: String,
    },
    /// A call that LaTeX writes in a way of its own.
    Template {
        /// With `{0}`, `{1}`, … where the arguments go.
        latex: &'static str,
        /// The function's name in the language.
        name: String,
        /// The arguments.
        args: Vec<Math>,
    },
    /// Rows that align at the cells' borders: `a &= b`.
    Aligned(Vec<Vec<Math>>),
    /// Running text.
    Text(String),
}

/// Marks over a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accent {
    /// `x̂`
    Hat,
    /// `x̄`
    Bar,
    /// `ẋ`
    Dot,
    /// `x̃`
    Tilde,
}

/// Large operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Big {
    /// Σ
    Sum,
    /// Π
    Prod,
}

/// Kinds of brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// `( )`
    Round,
    /// `[ ]`
    Square,
}

/// Signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what it is called")]
pub enum Symbol {
    Plus,
    Minus,
    Equals,
    Cdot,
    Times,
    Odot,
    Oslash,
    Partial,
    Top,
    Infinity,
    Comma,
    Colon,
    Dots,
    Slash,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    NotEqual,
    Ones,
    Zeros,
    Prime,
}

impl Math {
    /// Something in round brackets.
    pub fn fenced(inner: Math) -> Math {
        Math::Fence(Fence::Round, Box::new(inner))
    }

    /// A base with a subscript.
    pub fn subscript(base: Math, sub: Math) -> Math {
        Math::Scripts { base: Box::new(base), sub: Some(Box::new(sub)), sup: None }
    }

    /// A base with a superscript.
    pub fn superscript(base: Math, sup: Math) -> Math {
        Math::Scripts { base: Box::new(base), sub: None, sup: Some(Box::new(sup)) }
    }

    /// Items with commas between them.
    pub fn commas(items: Vec<Math>) -> Math {
        let mut row = Vec::new();
        for item in items {
            if !row.is_empty() {
                row.push(Math::Symbol(Symbol::Comma));
            }
            row.push(item);
        }
        Math::Row(row)
    }

    /// Whether it is higher than a line of text, so that brackets around it have to grow.
    pub fn is_tall(&self) -> bool {
        match self {
            Math::Frac(..) | Math::Big(..) | Math::Aligned(_) => true,
            Math::Row(items) => items.iter().any(Math::is_tall),
            Math::Template { latex, args, .. } => {
                latex.contains("frac")
                    || latex.contains("cases")
                    || latex.contains("sum")
                    || args.iter().any(Math::is_tall)
            }
            Math::Fence(_, inner) | Math::Accent(_, inner) => inner.is_tall(),
            Math::Scripts { base, .. } => base.is_tall(),
            _ => false,
        }
    }
}
