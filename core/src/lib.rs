//! The compiler of chainrule.
#![forbid(unsafe_code)]
