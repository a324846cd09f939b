//! The language of chainrule: text in, syntax tree out, and back.
//! It knows nothing of shapes, functions or calculus; pest's own types stay inside.
#![forbid(unsafe_code)]

pub mod ast;
pub mod diagnostic;
pub mod span;

pub use ast::Program;
pub use diagnostic::{Code, Diagnostic, Label, Level};
pub use span::{Dialect, Source, Span};
