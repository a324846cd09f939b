//! Local Jacobians: of one rule by one argument, everything else held, in normal form, as the reasons of lines show them.

use super::cone::shown;
use crate::diff;
use crate::diff::pullback::pull_back;
use crate::ir::{Dim, Graph, NodeId, Num, Op};
use crate::ops::{self, Kind};
use crate::simplify::simplify_above;
use chainrule_grammar::Diagnostic;
use std::collections::BTreeSet;

/// The Jacobian of a function along one axis within a lane: all other axes of the argument are those of the value.
pub(super) struct Lane {
    /// The axis.
    pub axis: usize,
    /// Axes of the value, then the argument's own one.
    pub jacobian: NodeId,
}

/// The Jacobian within one lane; `None` for what is not a function along one axis. It comes from the pushforward, so that its
/// factors are read at the value's axis, as in `p_i (δ_ij − p_j)`.
pub(super) fn lane(
    graph: &mut Graph,
    node: NodeId,
    arg: NodeId,
    atoms: &BTreeSet<NodeId>,
) -> Result<Option<Lane>, Diagnostic> {
    let Op::Call(op, attrs) = graph.op(node) else { return Ok(None) };
    let &[axis] = attrs.axes.as_slice() else { return Ok(None) };
    if !matches!(ops::spec(*op).kind, Kind::Along) || graph.rank(arg) != graph.rank(node) {
        return Ok(None);
    }
    let shape = graph.shape(arg).clone();
    let direction = graph.stand_in("direction", shape);
    let pushed = diff::jvp(graph, node, arg, direction)?;
    let pushed = simplify_above(graph, &[pushed], atoms).roots[0];
    let full = diff::jacobian(graph, pushed, direction)?;
    let rank = graph.rank(node) as u32;
    let own: Vec<u32> = (0..rank).collect();
    let mut by = own.clone();
    by[axis] = rank;
    let all: Vec<u32> = (0..=rank).collect();
    let jacobian = graph.einsum(&[(full, [own.as_slice(), &by].concat())], &all, &[]);
    let jacobian = simplify_above(graph, &[jacobian], atoms).roots[0];
    Ok(Some(Lane { axis, jacobian }))
}

/// ∂node/∂arg with everything else held; axes of the node, then of the argument.
pub(super) fn jacobian(
    graph: &mut Graph,
    node: NodeId,
    arg: NodeId,
    atoms: &BTreeSet<NodeId>,
) -> Result<NodeId, Diagnostic> {
    let shape = graph.shape(node).clone();
    let seed = diff::higher::identity(graph, &shape);
    let mut parts = Vec::new();
    for (_, part) in pull_back(graph, node, seed, shape.len(), &|other| other == arg)? {
        parts.push((Num::ONE, part));
    }
    let full = [shape.as_slice(), graph.shape(arg).as_slice()].concat();
    let sum = graph.add(&parts, &full);
    Ok(settled(graph, sum, atoms))
}

/// The normal form of a Jacobian. A Kronecker delta of a single entry is 1.
pub(super) fn settled(graph: &mut Graph, node: NodeId, atoms: &BTreeSet<NodeId>) -> NodeId {
    let simple = simplify_above(graph, &[node], atoms).roots[0];
    let one = Dim::fixed(1);
    let (delta, ones) = (graph.delta(&one), graph.ones(&[one.clone(), one]));
    if !graph.reaches(simple, delta) {
        return simple;
    }
    let simple = graph.substitute(simple, &[(delta, ones)]);
    simplify_above(graph, &[simple], atoms).roots[0]
}

/// The normal form of a Jacobian that a line shows. An identity under another shape says less than that the rule is linear.
pub(super) fn told(graph: &mut Graph, node: NodeId, atoms: &BTreeSet<NodeId>) -> Option<NodeId> {
    let jacobian = settled(graph, node, atoms);
    let reshapes = |node: &NodeId| matches!(graph.op(*node), Op::Reshape);
    (!shown(graph, jacobian, atoms).iter().any(reshapes)).then_some(jacobian)
}

/// A normal form with every Kronecker delta put to 0.
pub(super) fn without_deltas(graph: &mut Graph, node: NodeId) -> NodeId {
    match graph.op(node) {
        Op::Delta(_) => {
            let shape = graph.shape(node).clone();
            graph.zeros(&shape)
        }
        Op::Einsum(_) | Op::Add(_) => {
            let args: Vec<NodeId> = graph
                .args(node)
                .to_vec()
                .into_iter()
                .map(|arg| without_deltas(graph, arg))
                .collect();
            graph.with_args(node, args)
        }
        _ => node,
    }
}

/// Whether a normal form has a Kronecker delta among its factors, or those of its terms.
pub(super) fn has_delta(graph: &Graph, node: NodeId) -> bool {
    match graph.op(node) {
        Op::Delta(_) => true,
        Op::Einsum(_) | Op::Add(_) => graph.args(node).iter().any(|&arg| has_delta(graph, arg)),
        _ => false,
    }
}

/// Whether a node is a function of single entries.
pub(super) fn is_elementwise(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.op(node), Op::Call(op, _) if matches!(ops::spec(*op).kind, Kind::Elementwise))
}

/// The same function of a variable that stands for its argument and has its name: a node without a name of its own, which
/// prints as `sigmoid(x)`. `None` where the argument has no name.
pub(super) fn written_out(graph: &mut Graph, node: NodeId) -> Option<NodeId> {
    let &[arg] = graph.args(node) else { return None };
    let name = match graph.op(arg) {
        Op::Var(var) => graph.var(*var).name.clone(),
        _ => graph.name(arg)?.to_string(),
    };
    let shape = graph.shape(arg).clone();
    let copy = graph.stand_in(&name, shape);
    Some(graph.with_args(node, vec![copy]))
}

/// Whether a rule is linear in all its arguments together, or in each of them.
pub(super) fn is_linear(graph: &Graph, node: NodeId) -> bool {
    matches!(
        graph.op(node),
        Op::Add(_) | Op::Einsum(_) | Op::View(_) | Op::Reshape | Op::Gather | Op::Scatter(_)
    )
}
