//! What a program may come to: functions are inlined so often and no more, none calls itself, and numbers stay within a double.
//! In: calls and numbers as they are lowered. Out: the same, or an error at the place; each is found before the work is done.

use super::Lowerer;
use crate::ir::{Dim, Num};
use chainrule_grammar::{Code, Diagnostic, Span};

/// The most operations that the program's functions may come to together, inlined.
pub const MAX_INLINED: usize = 100_000;
/// The largest number of entries that a tensor may have, where its open sizes are as small as they can be.
const MAX_ENTRIES: f64 = (1_u64 << 40) as f64;
/// The most terms that sizes have, multiplied out.
pub(super) const MAX_TERMS: usize = 256;
/// A literal with more characters than this is not repeated whole in messages.
const LONG_LITERAL: usize = 40;

/// The functions that are being inlined, and what they came to.
#[derive(Default)]
pub(crate) struct Inlining {
    /// Names of the functions that are being inlined, from the outermost.
    open: Vec<String>,
    /// Where the outermost was called.
    place: Span,
    /// How many operations were inlined so far.
    count: usize,
    /// What was said when they were too many.
    refused: Option<Diagnostic>,
}

impl Lowerer<'_> {
    /// Runs the body of a function of the program, unless it is open already: what calls itself never ends.
    pub(crate) fn inlining<T>(
        &mut self,
        name: &str,
        span: Span,
        run: impl FnOnce(&mut Self) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let open = &self.inlining.open;
        if let Some(at) = open.iter().position(|known| known == name) {
            return Err(recursion(&open[at..], span));
        }
        if open.is_empty() {
            self.inlining.place = span;
        }
        self.inlining.open.push(name.to_string());
        let result = run(self);
        self.inlining.open.pop();
        result
    }

    /// Counts an operation; those of functions that are being inlined are limited. What is over the limit is said once.
    pub(crate) fn count_inlined(&mut self) -> Result<(), Diagnostic> {
        let inlining = &mut self.inlining;
        if inlining.open.is_empty() {
            return Ok(());
        }
        inlining.count += 1;
        if inlining.count <= MAX_INLINED {
            return Ok(());
        }
        let said = inlining.refused.get_or_insert_with(|| {
            Diagnostic::new(
                Code::TooLarge,
                inlining.place,
                format!(
                    "the program's functions, inlined, come to more than {MAX_INLINED} operations"
                ),
            )
            .help("a function that calls another twice doubles it: name what is used twice with a definition, or repeat a step with `scan`")
        });
        Err(said.clone())
    }

    /// Refuses tensors that no machine can address, and sizes that multiply out to more terms than anyone wants to see.
    pub(crate) fn check_size(&self, shape: &[Dim], span: Span) -> Result<(), Diagnostic> {
        let (mut entries, mut terms): (f64, usize) = (1.0, 1);
        for dim in shape {
            entries *= dim.least().map_or(1.0, |least| least.to_f64().max(1.0));
            if entries > MAX_ENTRIES {
                let shape = self.graph.show_shape(shape);
                let message = format!("a tensor of shape {shape} is too large");
                return Err(Diagnostic::new(Code::DimOverflow, span, message)
                    .help("a tensor has at most 2^40 entries"));
            }
            terms = terms.saturating_mul(dim.terms.len().max(1));
        }
        if terms <= MAX_TERMS {
            return Ok(());
        }
        let message = format!("these sizes, multiplied, have more than {MAX_TERMS} terms");
        Err(Diagnostic::new(Code::BadDimension, span, message)
            .help("declare names for the sizes of its axes: `dim K;`"))
    }

    /// A number that came of others. It must not leave the range of a double, nor vanish where no part of it is zero.
    pub(crate) fn in_range(&self, value: Num, zero: bool, span: Span) -> Result<Num, Diagnostic> {
        let size = value.to_f64();
        let message = match size {
            _ if !size.is_finite() => "this number is over the range of a double (about 1.8e308)",
            0.0 if !zero => {
                "this number is not zero, but closer to it than a double can be (about 4.9e-324)"
            }
            _ => return Ok(value),
        };
        Err(Diagnostic::new(Code::BadNumber, span, message))
    }
}

/// `f` calls itself, at once or through others.
fn recursion(cycle: &[String], span: Span) -> Diagnostic {
    let name = cycle.first().map_or("", String::as_str);
    let message = match cycle {
        [_] => format!("`{name}` calls itself, and so never ends"),
        _ => {
            let others: Vec<String> =
                cycle.iter().skip(1).map(|name| format!("`{name}`")).collect();
            format!("`{name}` calls itself by way of {}, and so never ends", others.join(", "))
        }
    };
    Diagnostic::new(Code::TooDeep, span, message)
        .help("functions are inlined where they are called; a step is repeated with `scan`")
}

/// A literal as messages quote it: what is too long to read is cut.
pub(crate) fn literal(text: &str) -> String {
    let count = text.chars().count();
    if count <= LONG_LITERAL {
        return format!("`{text}`");
    }
    let start: String = text.chars().take(LONG_LITERAL / 2).collect();
    format!("`{start}…` ({count} characters)")
}
