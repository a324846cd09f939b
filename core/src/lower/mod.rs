//! AST to graph.
pub mod call;

use crate::ir::{Graph, NodeId};

/// An index name while lowering: two uses of one name in one scope are the same label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// The value of an expression while lowering: a node whose first axes are named by labels (indices in scope, or batch axes of a
/// rule) and whose remaining axes are positional, as in NumPy. Labels align by name, positional axes broadcast from the right.
#[derive(Clone, Debug)]
pub struct Val {
    /// The node; its axes are the labelled ones, then the positional ones.
    pub node: NodeId,
    /// The labels of the first axes, all different.
    pub labels: Vec<Label>,
}

/// The state of lowering.
pub struct Lowerer<'a> {
    /// Where nodes are built.
    pub graph: &'a mut Graph,
}
