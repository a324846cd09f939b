//! C99. In: a job. Out: one file without a header of its own: loop nests over row-major arrays, no allocation.
//!
//! - `file`: comments, functions, their arguments; `check`: the self-check.
//! - [`writer`]: the statements of one function: which nodes get a place, and the loops that fill it; [`special`]: those of calls,
//!   rows and scans; [`entry`]: one entry of a node as an expression.
//! - `helpers.c`: functions that the rule book's templates call. A file gets those that it uses.
//!
//! Invariant: what there is no code for is an error; the file compiles without warnings.

pub mod check;
pub mod entry;
pub mod file;
pub mod names;
pub mod special;
pub mod writer;

pub use file::text;
