//! Slices `from:to:step` of an axis, as NumPy reads them: bounds count from the end where they are negative, and are clipped.
//! In: the three parts and the axis. Out: where the slice starts, how it steps and how many entries it has, never none.

use super::Lowerer;
use super::index::{Read, from_end};
use crate::ir::{Dim, Num};
use chainrule_grammar::ast::Expr;
use chainrule_grammar::{Code, Diagnostic, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

impl Lowerer<'_> {
    /// `parts` are what stands before, between and after the colons.
    pub(super) fn slice(&self, parts: [&Option<Expr>; 3], dim: &Dim, span: Span) -> Result<Read> {
        let [from, to, _] = parts;
        let step = self.step(parts[2], span)?;
        let (from, to) = (self.bound(from, "start", dim)?, self.bound(to, "end", dim)?);
        if step < 0 {
            return self.backwards(from, to, step, dim, span);
        }
        let start = from.map_or_else(|| Dim::fixed(0), |at| clipped(at, 0, dim, 0));
        let end = to.map_or_else(|| dim.clone(), |at| clipped(at, 0, dim, 0));
        self.steps(start.clone(), end.plus(&start, Num::int(-1)), step, dim, span)
    }

    /// From high positions to low ones.
    fn backwards(
        &self,
        from: Option<Dim>,
        to: Option<Dim>,
        step: i64,
        dim: &Dim,
        span: Span,
    ) -> Result<Read> {
        let last = dim.plus(&Dim::fixed(1), Num::int(-1));
        let start = from.map_or(last, |at| clipped(at, -1, dim, -1));
        let end = to.map_or_else(|| Dim::fixed(-1), |at| clipped(at, -1, dim, -1));
        self.steps(start.clone(), start.plus(&end, Num::int(-1)), step, dim, span)
    }

    /// A bound, counted from the start.
    fn bound(&self, part: &Option<Expr>, what: &str, dim: &Dim) -> Result<Option<Dim>> {
        let Some(expr) = part else { return Ok(None) };
        let position = self.position(expr).filter(|position| position.terms.is_empty());
        let position = position.ok_or_else(|| {
            let message = format!("the {what} of a slice must be a whole number");
            Diagnostic::new(Code::BadIndexing, expr.span, message)
        })?;
        Ok(Some(from_end(position, dim).offset))
    }

    fn step(&self, part: &Option<Expr>, span: Span) -> Result<i64> {
        let Some(expr) = part else { return Ok(1) };
        self.position(expr)
            .filter(|position| position.terms.is_empty())
            .and_then(|position| position.offset.as_fixed())
            .and_then(|step| i64::try_from(step).ok())
            .filter(|step| *step != 0 && *step != i64::MIN)
            .ok_or_else(|| {
                let message = "the step of a slice must be a whole number other than 0";
                Diagnostic::new(Code::BadIndexing, span, message)
            })
    }

    /// As many steps as fit into a length.
    fn steps(&self, start: Dim, length: Dim, step: i64, dim: &Dim, span: Span) -> Result<Read> {
        let empty = length.as_fixed().is_some_and(|length| length <= 0);
        if empty || start.as_fixed().is_some_and(|at| at < 0) {
            return Err(Diagnostic::new(Code::BadIndexing, span, "this slice is empty")
                .here(format!("the axis has size {}", self.graph.show_dim(dim))));
        }
        let stride = i128::from(step.unsigned_abs());
        let size = match steps_in(&length, stride) {
            Some(size) => size,
            None => {
                let message = format!(
                    "steps of {stride} need an axis of fixed size, or of a multiple of {stride}"
                );
                let before = dim.plus(&length, Num::int(-1));
                let (name, size) =
                    self.strided(stride, &before.plus(&Dim::fixed(stride - 1), Num::ONE));
                let was = self.graph.show_dim(dim);
                return Err(Diagnostic::new(Code::Unsupported, span, message).help(format!("declare `dim {name};` and the axis of size `{was}` as `{size}`; or fix the size, as in `dim N = 10;`")));
            }
        };
        Ok(Read::Slice { start, step, size })
    }
}

/// How many steps there are in a length: one more than fit before its last entry.
fn steps_in(length: &Dim, stride: i128) -> Option<Dim> {
    if stride == 1 {
        return Some(length.clone());
    }
    let one = Dim::fixed(1);
    Some(length.plus(&one, Num::int(-1)).steps_of(stride)?.plus(&one, Num::ONE))
}

/// A bound moved to where the axis begins or ends, both shifted, as far as the sizes tell.
fn clipped(at: Dim, low: i128, dim: &Dim, shift: i128) -> Dim {
    let high = dim.plus(&Dim::fixed(shift), Num::ONE);
    if at.plus(&high, Num::int(-1)).as_fixed().is_some_and(|over| over > 0) {
        return high;
    }
    match at.as_fixed() {
        Some(fixed) if fixed < low => Dim::fixed(low),
        _ => at,
    }
}
