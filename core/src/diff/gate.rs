//! Cotangents of the branches of a choice. What comes back to a branch of `where(c, a, b)` is 0 where the other one was taken, and a
//! factor that is not finite there (`1/(2*sqrt(x))` at x < 0) must not make it NaN: factors go inside, `where(c, v*p, 0)`.

use crate::ir::{Attrs, Dim, Einsum, Graph, NodeId, Num, Op};
use crate::ops::{self, Operator};
use crate::simplify::is_total;

/// A choice with 0 for one of its branches.
struct Gate {
    /// The other branch, and its place among the arguments.
    value: NodeId,
    place: usize,
}

/// How many formulas within each other are looked into for a choice: what comes through a sum over axes is one inside of another.
const DEPTH: usize = 8;

/// A cotangent times a factor that is read along some of its axes, inside of the choice that the cotangent comes from; none where it
/// comes from none.
pub(super) fn product(
    graph: &mut Graph,
    cotangent: NodeId,
    factor: NodeId,
    axes: Vec<u32>,
) -> Option<NodeId> {
    inside(graph, cotangent, &Read { factor, axes }, DEPTH)
}

/// A factor, and the axes of what it multiplies that it is read along.
struct Read {
    factor: NodeId,
    axes: Vec<u32>,
}

impl Read {
    /// The plain product with a node.
    fn times(&self, graph: &mut Graph, node: NodeId) -> NodeId {
        let all: Vec<u32> = (0..graph.rank(node) as u32).collect();
        graph.einsum(&[(node, all.clone()), (self.factor, self.axes.clone())], &all, &[])
    }
}

/// The product inside of the choice in a node, which is the node itself, one of its terms, or one of its factors.
fn inside(graph: &mut Graph, node: NodeId, read: &Read, depth: usize) -> Option<NodeId> {
    let depth = depth.checked_sub(1)?;
    match graph.op(node).clone() {
        Op::Add(coefficients) => sum(graph, node, &coefficients, read, depth),
        Op::Einsum(e) => {
            let mut args = graph.args(node).to_vec();
            let labels: Vec<u8> = read.axes.iter().map(|&axis| e.out[axis as usize]).collect();
            for at in 0..args.len() {
                let place = |label: u8| e.ins[at].iter().position(|own| *own == label);
                let place = |label: &u8| {
                    Some(place(*label).or_else(|| place(twin(graph, &e, node, *label)?))? as u32)
                };
                let places = labels.iter().map(place).collect();
                let Some(axes) = places else { continue };
                let read = Read { factor: read.factor, axes };
                if let Some(gated) = inside(graph, args[at], &read, depth) {
                    args[at] = gated;
                    return Some(graph.with_args(node, args));
                }
            }
            None
        }
        Op::Call(..) => {
            let gate = gate(graph, node)?;
            // Where the choice has more axes, it is added up; a factor that has a value everywhere is better left outside of that.
            if graph.rank(node) > read.axes.len() && is_total(graph, read.factor) {
                return None;
            }
            let value = inside(graph, gate.value, read, depth)
                .unwrap_or_else(|| read.times(graph, gate.value));
            let mut branches = graph.args(node).to_vec();
            branches[gate.place] = value;
            Some(graph.with_args(node, branches))
        }
        _ => None,
    }
}

/// The cotangent of a function whose slope is 1 or 0, such as `relu`, where what comes back to it has no value at 0 (`sqrt(relu(x))`):
/// `where(x > 0, v, 0)` in place of the product, which is no number there. None for any other cotangent.
pub(super) fn where_steep(
    graph: &mut Graph,
    node: NodeId,
    cotangent: NodeId,
    slope: NodeId,
    extra: usize,
) -> Option<NodeId> {
    let compares = |op: &ops::OpId| matches!(ops::spec(*op).operator, Some(Operator::Compare(_)));
    let is_step = matches!(graph.op(slope), Op::Call(op, _) if compares(op));
    if !is_step || !is_steep(graph, cotangent, node, DEPTH) {
        return None;
    }
    let shape = graph.shape(cotangent).clone();
    let all: Vec<u32> = (0..shape.len() as u32).collect();
    let sizes: Vec<(u32, Dim)> = all.iter().copied().zip(shape.iter().cloned()).collect();
    let condition = graph.einsum(&[(slope, all[extra..].to_vec())], &all, &sizes);
    let zeros = graph.zeros(&shape);
    let args = vec![condition, cotangent, zeros];
    Some(graph.call(ops::choice(), args, Attrs::default(), shape))
}

/// Whether a formula has a root, a quotient or a function of a node that has no value at 0.
fn is_steep(graph: &Graph, formula: NodeId, node: NodeId, depth: usize) -> bool {
    let args = graph.args(formula);
    let within = || depth > 0 && args.iter().any(|arg| is_steep(graph, *arg, node, depth - 1));
    match graph.op(formula) {
        Op::Add(_) | Op::Einsum(_) => within(),
        Op::Pow(exponent) => {
            args == [node] && (exponent.is_negative() || exponent.as_int().is_none())
        }
        Op::Call(op, _) => !ops::spec(*op).is_total() && args.contains(&node),
        _ => false,
    }
}

/// The label that a Kronecker delta among a product's factors says is equal.
fn twin(graph: &Graph, e: &Einsum, product: NodeId, label: u8) -> Option<u8> {
    let deltas = graph.args(product).iter().zip(&e.ins);
    let mut deltas = deltas.filter(|(arg, _)| matches!(graph.op(**arg), Op::Delta(_)));
    deltas.find_map(|(_, ins)| match ins[..] {
        [one, other] if one == label => Some(other),
        [one, other] if other == label => Some(one),
        _ => None,
    })
}

/// The same for several terms, each of which comes from a choice. Beside a term that comes from none, a factor without a value leaves the
/// sum without one wherever it stands, and in its place before the sum it is written once.
fn sum(
    graph: &mut Graph,
    node: NodeId,
    coefficients: &[Num],
    read: &Read,
    depth: usize,
) -> Option<NodeId> {
    let terms = graph.args(node).to_vec();
    let mut products = Vec::new();
    for (&coefficient, term) in coefficients.iter().zip(terms) {
        products.push((coefficient, inside(graph, term, read, depth)?));
    }
    let shape = graph.shape(node).clone();
    Some(graph.add(&products, &shape))
}

fn gate(graph: &Graph, node: NodeId) -> Option<Gate> {
    let (Op::Call(op, _), &[_, a, b]) = (graph.op(node), graph.args(node)) else {
        return None;
    };
    if !ops::spec(*op).chooses {
        return None;
    }
    if graph.is_zero(b) {
        Some(Gate { value: a, place: 1 })
    } else if graph.is_zero(a) {
        Some(Gate { value: b, place: 2 })
    } else {
        None
    }
}
