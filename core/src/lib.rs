//! The compiler of chainrule: a program in, its derivatives as a graph out; printers and code generators read that graph.
//!
//! ```
//! use chainrule_core::{compile, Source};
//!
//! let compiled = compile(&Source::new("example", "input x; param w; loss E = (w * x - 1)^2;"));
//! assert!(compiled.diagnostics.is_empty());
//! assert_eq!(compiled.derivatives[0].wrt.name, "w");
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "tools")]
pub mod check;
pub mod compile;
pub mod derivation;
#[cfg(feature = "tools")]
pub mod diagram;
pub mod diff;
pub mod emit;
pub mod eval;
mod few;
pub mod ir;
pub mod lower;
pub mod ops;
pub mod plan;
pub mod raise;
pub mod render;
pub mod simplify;

pub use chainrule_grammar::{Code, Diagnostic, Dialect, Level, Source, Span};
pub use compile::{Compiled, Derivative, compile};
