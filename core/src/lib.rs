//! The compiler of chainrule: the graph, the rule book, the calculus, printers and code generators.
#![forbid(unsafe_code)]

pub mod diff;
pub mod emit;
pub mod eval;
pub mod ir;
pub mod lower;
pub mod ops;
pub mod plan;
