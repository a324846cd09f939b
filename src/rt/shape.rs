//! In: the declared axes of every input and what the caller gave. Out: the run-time sizes, or a [`ShapeError`].
//! Invariant: this is the only place where sizes are checked; what passes here never fails later.

use core::fmt;

use super::Axes;

/// One declared axis of an input.
#[derive(Clone, Copy, Debug)]
pub enum Axis {
    /// Fixed by the program.
    Fixed(usize),
    /// A `dim` found at run time: its place in the table of sizes, and its name.
    Free(usize, &'static str),
    /// A formula of run-time dims: `None` until those it needs are known; and its text.
    Formula(fn(&[Option<usize>]) -> Option<usize>, &'static str),
}

/// One declared input and the shape of what was given for it.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// Its axes.
    pub pattern: &'static [Axis],
    /// What was given.
    pub axes: Axes,
}

/// A value does not have its declared shape.
///
/// ```
/// use chainrule::rt::{Axes, Axis, Declared, infer_all};
/// let x = Declared { name: "x", pattern: &[Axis::Free(0, "B"), Axis::Fixed(4)], axes: Axes::flat(7) };
/// let error = infer_all([None], &[x]).unwrap_err();
/// assert_eq!(error.to_string(), "input `x`: found 7 numbers, wanted [B, 4] (a multiple of 4)");
/// ```
#[derive(Clone, Debug)]
pub struct ShapeError {
    input: &'static str,
    pattern: &'static [Axis],
    found: Axes,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Reason {
    /// The number of numbers, or of axes, or a fixed size.
    Differs,
    /// A flat length is no multiple of the known sizes.
    NotAMultiple(usize),
    /// The dim of this axis has another size already.
    Conflict { axis: u8, size: usize, from: &'static str },
    /// Nothing tells the size of this axis.
    Undetermined(u8),
    /// An axis of size zero.
    Empty,
    /// Not one run of memory in row-major order.
    NotContiguous,
    /// An index is not below the number of rows.
    NoSuchRow { at: usize, index: usize, rows: usize },
}

impl ShapeError {
    /// The declared name of the input.
    #[must_use]
    pub fn input(&self) -> &'static str {
        self.input
    }

    /// What was given.
    #[must_use]
    pub fn found(&self) -> Axes {
        self.found
    }
}

impl PartialEq for ShapeError {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input && self.found == other.found && self.reason == other.reason
    }
}

struct Pattern(&'static [Axis]);

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("a scalar");
        }
        for (i, axis) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "[" } else { ", " })?;
            match axis {
                Axis::Fixed(size) => write!(f, "{size}")?,
                Axis::Free(_, text) | Axis::Formula(_, text) => f.write_str(text)?,
            }
        }
        f.write_str("]")
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Reason::NoSuchRow { at, index, rows } = self.reason {
            let name = self.input;
            return write!(
                f,
                "input `{name}`: number {at} is {index}, and picks one of {rows} rows: wanted 0 to {}",
                rows.saturating_sub(1)
            );
        }
        let wanted = Pattern(self.pattern);
        match self.found.sizes() {
            None if self.found.len() == 1 => {
                write!(f, "input `{}`: found 1 number, wanted {wanted}", self.input)?
            }
            None => write!(f, "input `{}`: found {:?}, wanted {wanted}", self.input, self.found)?,
            Some(_) => write!(f, "input `{}` is {:?}, wanted {wanted}", self.input, self.found)?,
        }
        let text = |axis: u8| match self.pattern[usize::from(axis)] {
            Axis::Fixed(_) => "",
            Axis::Free(_, text) | Axis::Formula(_, text) => text,
        };
        match self.reason {
            Reason::Differs | Reason::NoSuchRow { .. } => Ok(()),
            Reason::NotAMultiple(of) => write!(f, " (a multiple of {of})"),
            Reason::Conflict { axis, size, from: "" } => write!(f, " with {} = {size}", text(axis)),
            Reason::Conflict { axis, size, from } => {
                write!(f, " with {} = {size} from `{from}`", text(axis))
            }
            Reason::Undetermined(axis) => {
                let dim = text(axis);
                write!(f, "; nothing tells the size of {dim}: pass a nested array, or `chainrule::Shaped`, whose axes are known")
            }
            Reason::Empty => f.write_str("; no axis may have size 0"),
            Reason::NotContiguous => f.write_str(
                "; its numbers are not one run of memory in row-major order: pass a row-major copy, or a column-major matrix's transpose in `interop::Transposed`",
            ),
        }
    }
}

impl core::error::Error for ShapeError {}

/// The sizes found so far, and which input told each (`""`: given beforehand).
struct Found<const D: usize> {
    sizes: [Option<usize>; D],
    from: [&'static str; D],
}

impl<const D: usize> Found<D> {
    fn error(input: &Declared, reason: Reason) -> ShapeError {
        ShapeError { input: input.name, pattern: input.pattern, found: input.axes, reason }
    }

    /// The conflict to blame when a size differs: the first dim of the pattern that another input has fixed.
    fn blame(&self, input: &Declared) -> Reason {
        for (at, axis) in input.pattern.iter().enumerate() {
            if let Axis::Free(slot, _) = *axis
                && let Some(size) = self.sizes[slot]
                && self.from[slot] != input.name
            {
                return Reason::Conflict { axis: at as u8, size, from: self.from[slot] };
            }
        }
        Reason::Differs
    }

    fn size(&self, axis: Axis) -> Option<usize> {
        match axis {
            Axis::Fixed(size) => Some(size),
            Axis::Free(slot, _) => self.sizes[slot],
            Axis::Formula(size, _) => size(&self.sizes),
        }
    }

    /// Takes in a value whose sizes are known. A formula whose dims are not known yet is left to `check`.
    fn nested(&mut self, input: &Declared, sizes: &[usize]) -> Result<(), ShapeError> {
        if sizes.len() != input.pattern.len() {
            // One number is a scalar, however it is wrapped.
            let scalar = input.pattern.is_empty() && input.axes.len() == 1;
            return if scalar { Ok(()) } else { Err(Self::error(input, Reason::Differs)) };
        }
        for (at, (axis, &size)) in input.pattern.iter().zip(sizes).enumerate() {
            match (*axis, self.size(*axis)) {
                (Axis::Free(slot, _), Some(known)) if known != size => {
                    let from = self.from[slot];
                    return Err(Self::error(
                        input,
                        Reason::Conflict { axis: at as u8, size: known, from },
                    ));
                }
                (_, Some(known)) if known != size => {
                    return Err(Self::error(input, self.blame(input)));
                }
                (Axis::Free(slot, _), None) => {
                    self.sizes[slot] = Some(size);
                    self.from[slot] = input.name;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes in a flat value: one dim may be found by division. `false`: too little is known yet.
    fn flat(&mut self, input: &Declared, len: usize) -> Result<bool, ShapeError> {
        let mut product = 1_usize;
        let mut unknown = None;
        for axis in input.pattern {
            match (self.size(*axis), *axis) {
                (Some(size), _) => product = product.saturating_mul(size),
                (None, Axis::Free(slot, _)) if unknown.is_none() => unknown = Some(slot),
                _ => return Ok(false),
            }
        }
        match unknown {
            None if product == len => Ok(true),
            None => Err(Self::error(input, self.blame(input))),
            Some(_) if product == 0 || !len.is_multiple_of(product) => {
                Err(Self::error(input, Reason::NotAMultiple(product)))
            }
            Some(slot) => {
                self.sizes[slot] = Some(len / product);
                self.from[slot] = input.name;
                Ok(true)
            }
        }
    }

    fn step(&mut self, input: &Declared) -> Result<bool, ShapeError> {
        match input.axes.sizes() {
            Some(sizes) => {
                self.nested(input, sizes)?;
                Ok(true)
            }
            None => self.flat(input, input.axes.len()),
        }
    }
}

/// Finds the run-time sizes. `known` holds those that are set already. The sizes of nested values are read off first, in order of
/// declaration; then each flat value may give one more by division, again and again until nothing is left to find.
/// In the result, 0 stands for a dim that no input mentions.
///
/// # Errors
/// The first input that does not have its shape, that has an axis of size 0, or whose sizes cannot be told.
pub fn infer_all<const D: usize>(
    known: [Option<usize>; D],
    inputs: &[Declared],
) -> Result<[usize; D], ShapeError> {
    let mut found = Found { sizes: known, from: [""; D] };
    for input in inputs {
        if input.axes.is_empty() {
            return Err(Found::<D>::error(input, Reason::Empty));
        }
        if input.axes.sizes().is_some() {
            found.step(input)?;
        }
    }
    // Each round settles at least one dim or is the last.
    for _ in 0..=D {
        for input in inputs {
            found.step(input)?;
        }
    }
    for input in inputs {
        for (at, axis) in input.pattern.iter().enumerate() {
            if found.size(*axis).is_none() {
                return Err(Found::<D>::error(input, Reason::Undetermined(at as u8)));
            }
        }
    }
    Ok(found.sizes.map(Option::unwrap_or_default))
}

/// The numbers of an input as one row-major slice.
///
/// # Errors
/// Where they are not one run of memory in that order.
pub fn flat<'a, F, T: super::Tensor<F> + ?Sized>(
    input: &'static str,
    pattern: &'static [Axis],
    tensor: &'a T,
) -> Result<&'a [F], ShapeError> {
    tensor.flat().ok_or_else(|| ShapeError {
        input,
        pattern,
        found: tensor.axes(),
        reason: Reason::NotContiguous,
    })
}

/// Whether every index picks one of so many rows.
///
/// # Errors
/// The first that does not, with the place where it stands.
pub fn picks(
    input: &'static str,
    pattern: &'static [Axis],
    indices: &[usize],
    rows: usize,
) -> Result<(), ShapeError> {
    match indices.iter().position(|index| *index >= rows) {
        None => Ok(()),
        Some(at) => Err(ShapeError {
            input,
            pattern,
            found: Axes::flat(indices.len()),
            reason: Reason::NoSuchRow { at, index: indices[at], rows },
        }),
    }
}
