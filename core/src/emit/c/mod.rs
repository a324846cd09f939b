//! C99. In: a job. Out: one file that needs no header of its own, and a header for its callers: loop nests over row-major arrays, no allocation.
//!
//! - [`mod@file`]: comments, functions, their arguments; [`header`]: their declarations; `check`: the self-check.
//! - [`single`]: numbers of 32 bits.
//! - [`writer`]: the statements of one function: which nodes get a place, and the loops that fill it; [`special`]: those of calls,
//!   rows and scans; [`entry`]: one entry of a node as an expression.
//! - `helpers.c`: functions that the rule book's templates call. A file gets those that it uses.
//!
//! Invariant: what there is no code for is an error; the file compiles without warnings.

pub mod check;
pub mod entry;
pub mod file;
pub mod header;
pub mod names;
pub mod single;
pub mod special;
pub mod writer;

pub use file::{header as header_text, text};
