//! Functions that take a vector where they also take a matrix, as `solve(a, b)` does, where a Jacobian is pulled back: the cotangent has
//! axes in front, and formulas of vectors would be calls for many vectors at once, which the language has no way to write.
//!
//! In: the function's node and its cotangent. Out: what an argument is given, by the formulas for matrices: the axis in front becomes
//! the columns where the formula does not care, and else every vector is a matrix of one column.

use super::pullback::{FIRST_LABEL, spread};
use crate::ir::{Dim, Graph, NodeId};
use crate::lower::{Label, Val, call, lower_rule};
use crate::ops::{OpSpec, Rule};
use chainrule_grammar::Diagnostic;

/// What an argument of a function of one vector is given; none where the function has no second formula, for matrices.
pub(super) fn part(
    graph: &mut Graph,
    node: NodeId,
    row: &OpSpec,
    at: usize,
    cotangent: NodeId,
    extra: usize,
) -> Result<Option<NodeId>, Diagnostic> {
    let Rule::VjpByRank([of_matrices, of_vectors]) = row.rule else { return Ok(None) };
    if extra == 0 || graph.rank(node) != 1 {
        return Ok(None);
    }
    if extra == 1 && of_matrices[at] == of_vectors[at] {
        return as_columns(graph, node, row, of_matrices[at], cotangent).map(Some);
    }
    one_column(graph, node, row, of_matrices[at], at, cotangent, extra).map(Some)
}

/// The axis in front as the columns of a matrix.
fn as_columns(
    graph: &mut Graph,
    node: NodeId,
    row: &OpSpec,
    formula: &'static str,
    cotangent: NodeId,
) -> Result<NodeId, Diagnostic> {
    let whole = |node: NodeId| Val { node, labels: Vec::new() };
    let args = graph.args(node).to_vec();
    let mut names: Vec<(&str, Val)> =
        row.params.iter().copied().zip(args.iter().map(|&arg| whole(arg))).collect();
    names.push(("y_bar", whole(graph.permute(cotangent, &[1, 0]))));
    let columns = lower_rule(graph, &call::formula(formula), &names)?.node;
    Ok(graph.permute(columns, &[1, 0]))
}

/// Every vector as a matrix of one column.
fn one_column(
    graph: &mut Graph,
    node: NodeId,
    row: &OpSpec,
    formula: &'static str,
    at: usize,
    cotangent: NodeId,
    extra: usize,
) -> Result<NodeId, Diagnostic> {
    let front: Vec<Label> = (0..extra as u32).map(|axis| Label(FIRST_LABEL + axis)).collect();
    let args = graph.args(node).to_vec();
    let mut names: Vec<(&str, Val)> = Vec::new();
    for (name, &arg) in row.params.iter().zip(&args) {
        let node = if graph.rank(arg) == 1 { with_column(graph, arg) } else { arg };
        names.push((name, Val { node, labels: Vec::new() }));
    }
    names.push(("y", Val { node: with_column(graph, node), labels: Vec::new() }));
    names.push(("y_bar", Val { node: with_column(graph, cotangent), labels: front.clone() }));
    let val = lower_rule(graph, &call::formula(formula), &names)?;
    let sizes = graph.shape(cotangent)[..extra].to_vec();
    let labelled: Vec<(Label, Dim)> = front.into_iter().zip(sizes).collect();
    let mut shape = graph.shape(args[at]).clone();
    let vector = shape.len() == 1;
    if vector {
        shape.push(Dim::fixed(1));
    }
    let given = spread(graph, &val, &labelled, &shape);
    if !vector {
        return Ok(given);
    }
    let reading: Vec<u32> = (0..graph.rank(given) as u32).collect();
    let out = reading[..reading.len() - 1].to_vec();
    Ok(graph.einsum(&[(given, reading)], &out, &[]))
}

/// A further axis of size 1 at the end.
fn with_column(graph: &mut Graph, node: NodeId) -> NodeId {
    let reading: Vec<u32> = (0..graph.rank(node) as u32).collect();
    let column = reading.len() as u32;
    let out: Vec<u32> = reading.iter().copied().chain([column]).collect();
    graph.einsum(&[(node, reading)], &out, &[(column, Dim::fixed(1))])
}
