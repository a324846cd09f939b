//! Rows of the rule book.
use super::spec::OpSpec;

/// The rows.
pub const ROWS: &[OpSpec] = &[];
