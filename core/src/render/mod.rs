//! Syntax tree → documents.
