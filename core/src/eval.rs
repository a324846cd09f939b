//! The reference evaluator: naive, f64, obviously right. It is the judge of everything that is printed or generated.

/// A dense row-major tensor of f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Entries, row-major; as many as the product of the sizes.
    pub data: Vec<f64>,
}

/// Where a graph is evaluated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// The declared tensors.
    pub vars: std::collections::BTreeMap<crate::ir::VarId, Array>,
    /// The sizes that the program leaves open.
    pub dims: std::collections::BTreeMap<crate::ir::DimId, usize>,
}

/// Stand-in.
pub fn eval(_: &crate::ir::Graph, _: &Point, _: &[crate::ir::NodeId]) -> Result<Vec<Array>, String> {
    Err(String::new())
}
