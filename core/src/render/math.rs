//! The presentation tree: what a page shows, independent of the format. Brackets are already where they must be, and every
//! format prints every kind of piece.

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
    /// A root: its degree where it is not the square root, and what it is of.
    Root(Option<Box<Math>>, Box<Math>),
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
    /// The name of a function, upright.
    Func(String),
    /// Values, each with its condition, after a brace.
    Cases(Vec<(Math, Math)>),
    /// Rows of a matrix, in square brackets.
    Matrix(Vec<Vec<Math>>),
    /// Something in a frame.
    Boxed(Box<Math>),
    /// A name of the program, which is a node of its graph, as it is set here.
    Named {
        /// As the program spells it.
        name: String,
        /// Whether it has two axes or more.
        matrix: bool,
        /// How it is set.
        body: Box<Math>,
    },
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
    /// `| |`
    Bars,
    /// `‖ ‖`
    Norm,
    /// `⟨ ⟩`
    Angle,
    /// `⌊ ⌋`
    Floor,
    /// `⌈ ⌉`
    Ceil,
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
    Otimes,
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
    Angle,
    /// A bracket on its own, where what is in it was broken.
    Open(Fence),
    /// The same, closing.
    Close(Fence),
}

/// One line of a chain of equalities: `left = right`, or `= right` where it goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The left-hand side, where the line has one.
    pub left: Option<Math>,
    /// The right-hand side.
    pub right: Math,
}

impl Default for Line {
    fn default() -> Line {
        Line { left: None, right: Math::Row(Vec::new()) }
    }
}

impl Line {
    /// `left = right`
    pub fn new(left: Math, right: Math) -> Line {
        Line { left: Some(left), right }
    }

    /// The whole line as one piece.
    pub fn whole(&self) -> Math {
        let mut row: Vec<Math> = self.left.iter().cloned().collect();
        row.push(Math::Symbol(Symbol::Equals));
        row.push(self.right.clone());
        Math::Row(row)
    }
}

impl Math {
    /// Something in round brackets.
    pub fn fenced(inner: Math) -> Math {
        Math::Fence(Fence::Round, Box::new(inner))
    }

    /// `above / below`, as a fraction.
    pub fn frac(above: Math, below: Math) -> Math {
        Math::Frac(Box::new(above), Box::new(below))
    }

    /// A base with a subscript.
    pub fn subscript(base: Math, sub: Math) -> Math {
        Math::Scripts { base: Box::new(base), sub: Some(Box::new(sub)), sup: None }
    }

    /// A base with a superscript.
    pub fn superscript(base: Math, sup: Math) -> Math {
        Math::Scripts { base: Box::new(base), sub: None, sup: Some(Box::new(sup)) }
    }

    /// `left = right`
    pub fn equation(left: Math, right: Math) -> Math {
        Line::new(left, right).whole()
    }

    /// The differential of something: `d` before it.
    pub fn differential(of: Math) -> Math {
        let mut row = vec![Math::Word("d".to_string())];
        // Before a word, the sign needs a space to be seen.
        if matches!(of.bare(), Math::Ident(word) if word.chars().count() > 1 && !super::names::is_greek(word))
        {
            row.push(Math::Thin);
        }
        row.push(of);
        Math::Row(row)
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

    /// What it is under the names that it carries.
    pub fn bare(&self) -> &Math {
        match self {
            Math::Named { body, .. } => body.bare(),
            other => other,
        }
    }

    /// Whether a subscript stands right below it, as with a sum.
    pub fn takes_limits(&self) -> bool {
        matches!(self, Math::Func(name) if matches!(name.as_str(), "max" | "min" | "argmax" | "argmin"))
    }

    /// Whether it or any piece of it is of this kind.
    pub fn any(&self, found: &dyn Fn(&Math) -> bool) -> bool {
        let one = |math: &Math| math.any(found);
        let option = |math: &Option<Box<Math>>| math.as_deref().is_some_and(one);
        found(self)
            || match self {
                Math::Row(items) => items.iter().any(one),
                Math::Frac(above, below) => one(above) || one(below),
                Math::Root(degree, of) => option(degree) || one(of),
                Math::Scripts { base, sub, sup } => one(base) || option(sub) || option(sup),
                Math::Big(_, lower) => option(lower),
                Math::Cases(cases) => cases.iter().any(|(value, when)| one(value) || one(when)),
                Math::Matrix(rows) => rows.iter().flatten().any(one),
                Math::Fence(_, inner)
                | Math::Accent(_, inner)
                | Math::Boxed(inner)
                | Math::Named { body: inner, .. } => one(inner),
                _ => false,
            }
    }

    /// Whether it is the name of a function, which stands apart from what follows unless that is in brackets.
    pub fn is_function(&self) -> bool {
        match self {
            Math::Func(_) => true,
            Math::Scripts { base, .. } => base.is_function(),
            _ => false,
        }
    }

    /// The pieces of what stands in brackets, with a space after each comma: for formats that set none by themselves.
    pub fn with_spaced_commas(&self) -> Vec<&Math> {
        let Math::Row(items) = self else { return vec![self] };
        let mut row: Vec<&Math> = Vec::with_capacity(items.len());
        for item in items {
            if row.last() == Some(&&Math::Symbol(Symbol::Comma)) && *item != Math::Thin {
                row.push(&Math::Thin);
            }
            row.push(item);
        }
        row
    }

    /// Whether a thin space stands between two pieces side by side: after a function without brackets.
    pub fn are_apart(before: &Math, after: &Math) -> bool {
        before.is_function() && !matches!(after, Math::Fence(..) | Math::Thin | Math::Symbol(_))
    }

    /// Whether it is higher than a line of text, so that brackets around it have to grow.
    pub fn is_tall(&self) -> bool {
        match self {
            Math::Frac(..) | Math::Big(..) | Math::Cases(_) | Math::Matrix(_) => true,
            Math::Row(items) => items.iter().any(Math::is_tall),
            Math::Fence(_, inner)
            | Math::Accent(_, inner)
            | Math::Root(_, inner)
            | Math::Boxed(inner) => inner.is_tall(),
            Math::Scripts { base, .. } => base.is_tall(),
            Math::Named { body, .. } => body.is_tall(),
            _ => false,
        }
    }
}
