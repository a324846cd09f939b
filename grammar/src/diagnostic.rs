//! What is said of a bad program: plain facts with places, drawn by whoever shows them.
//! Diagnostics are collected and returned, never printed or thrown here.

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

macro_rules! codes {
    ($($variant:ident $id:literal $level:ident $title:literal $explanation:literal;)*) => {
        /// Every kind of finding. Numbers are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            /// All codes in order of number.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];
            /// The stable identifier, e.g. `E0203`.
            pub fn id(self) -> &'static str { match self { $(Code::$variant => $id,)* } }
            /// What it is, in a few words.
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }
            /// What it means and what to do, in a few sentences.
            pub fn explanation(self) -> &'static str { match self { $(Code::$variant => $explanation,)* } }
            /// Whether it refuses the program.
            pub fn level(self) -> Level { match self { $(Code::$variant => Level::$level,)* } }
        }
    };
}

codes! {
    Syntax "E0101" Error "syntax error" "The text does not follow the grammar. The message says what was found and what could stand there.";
    TooDeep "E0102" Error "nested too deeply" "Brackets or calls are nested deeper than the limit. Name parts of the formula with definitions.";
    TooLarge "E0103" Error "input too large" "The text or the graph that it stands for is over the size limit.";
    BadNumber "E0104" Error "number out of range" "A number cannot be represented: too many digits, or over the range of f64.";
    ShapeMismatch "E0201" Error "shapes do not fit" "Two operands have shapes that cannot be broadcast together. Sizes must be equal, or one of them 1.";
    MatmulShape "E0202" Error "inner dimensions differ" "In a matrix product the last axis of the left operand must have the size of the last but one (or only) axis of the right.";
    BadAxis "E0203" Error "no such axis" "An axis argument or an index names an axis that the operand does not have.";
    BadIndexing "E0204" Error "bad indexing" "An index or slice lies outside of its axis, or there are more indices than axes.";
    NonScalarLoss "E0205" Error "loss is not a scalar" "A loss must be a single number. Reduce it with sum(...) or mean(...), or ask for a Jacobian of an output.";
    BadDimension "E0206" Error "bad dimension" "A dimension must be a positive whole number or a formula of such and of declared dim names.";
    NotSquare "E0207" Error "matrix is not square" "The function is defined for square matrices only.";
    DimOverflow "E0208" Error "sizes overflow" "The product of the sizes of a tensor is too large to be addressed.";
    UnknownName "E0301" Error "unknown name" "The name is not declared or defined before this place.";
    UnknownFunction "E0302" Error "unknown function" "No function of this name is in the rule book or defined by fn.";
    Redefinition "E0303" Error "name is already taken" "A name is declared or defined twice.";
    UseBeforeDefinition "E0304" Error "used before it is defined" "Definitions are read in order; a name can be used only below its definition.";
    UnboundIndex "E0305" Error "unbound index" "An index is neither named on the left of the definition nor bound by sum[...], prod[...] or max[...].";
    IndexRange "E0306" Error "index ranges disagree" "One index stands on axes of different sizes, or on none.";
    Arity "E0307" Error "wrong number of arguments" "The function takes another number of arguments, or does not know this keyword.";
    BadArgument "E0308" Error "bad argument" "An argument is not of the kind that the function wants.";
    BadRequest "E0309" Error "bad request" "The request names something that is not a loss, output or declared variable.";
    BadFact "E0310" Error "bad fact" "The declared fact is unknown or does not fit the shape of the variable.";
    NoDerivative "E0401" Error "no derivative" "The function has no derivative with respect to this argument (its values are discrete).";
    MissingDerivative "E0402" Error "derivative not written yet" "The function's derivative exists but the rule book does not have it yet.";
    Unsupported "E0403" Error "not supported" "The language has this, but this version cannot do it in this place.";
    DivisionByZero "E0404" Error "division by zero" "A divisor is the constant zero.";
    BadPoint "E0501" Error "point does not fit the program" "The point for eval lacks an array, has one too many, or one of the wrong shape.";
    Usage "E0601" Error "bad request on the command line" "A flag's value does not fit the program.";
    ZeroByStructure "W0501" Warning "gradient is zero by structure" "The loss does not depend on the variable at all, so its derivative is identically zero.";
    ZeroAlmostEverywhere "W0502" Warning "gradient is zero almost everywhere" "Every path from the variable to the loss goes through a function whose derivative is zero (sign, floor, comparisons).";
    UnusedDefinition "W0503" Warning "definition is never used" "Neither a loss nor an output depends on this definition.";
    NeverPositive "W0504" Warning "argument is outside of the domain" "The argument of the function can never lie in its domain, so the value is NaN everywhere.";
}
