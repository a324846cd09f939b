//! The reference evaluator: naive, f64, obviously right. It is the judge of everything that is printed or generated.

/// A dense row-major tensor of f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Entries, row-major; as many as the product of the sizes.
    pub data: Vec<f64>,
}
