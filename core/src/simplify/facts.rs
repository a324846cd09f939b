//! What is known of values without knowing them: declared facts, and the ranges that the rule book states.

use crate::ir::graph::Fact;
use crate::ir::{Graph, NamedConst, NodeId, Num, Op};
use crate::ops::{self, Mirror, Range};

/// Whether the node's entries along `axis` sum to one whatever its arguments are.
pub fn always_sums_to_one(graph: &Graph, node: NodeId, axis: usize) -> bool {
    match (graph.op(node), graph.args(node)) {
        (Op::Call(op, attrs), _) if ops::spec(*op).range == Range::Simplex => attrs.axes == [axis],
        // Exponentials over their own sum.
        (Op::Call(op, _), &[arg]) if matches!(graph.op(arg), Op::Add(_)) => {
            *op == ops::known("exp", 1) && is_less_its_log_sum(graph, arg, axis)
        }
        // Rows of an identity matrix.
        (Op::Gather, &[rows, _]) => {
            matches!(graph.op(rows), Op::Delta(_)) && axis + 1 == graph.rank(node)
        }
        _ => false,
    }
}

/// Whether a node is `x - logsumexp(x)` along an axis; x may be a sum itself.
fn is_less_its_log_sum(graph: &Graph, node: NodeId, axis: usize) -> bool {
    let Op::Add(coefficients) = graph.op(node) else { return false };
    let terms: Vec<(Num, NodeId)> =
        coefficients.iter().copied().zip(graph.args(node).iter().copied()).collect();
    terms.iter().enumerate().any(|(at, (c, term))| {
        let mut rest = terms.clone();
        rest.remove(at);
        (-*c).is_one()
            && log_sum(graph, *term, axis).is_some_and(|of| match (graph.op(of), graph.args(of)) {
                _ if rest == [(Num::ONE, of)] => true,
                (Op::Add(own), args) => {
                    own.len() == rest.len()
                        && own.iter().zip(args).all(|(c, arg)| rest.contains(&(*c, *arg)))
                }
                _ => false,
            })
    })
}

/// The x of a `logsumexp(x)` over an axis, repeated along that.
fn log_sum(graph: &Graph, node: NodeId, axis: usize) -> Option<NodeId> {
    let (Op::Einsum(e), &[sum]) = (graph.op(node), graph.args(node)) else { return None };
    let mut others = e.out.clone();
    others.remove(axis);
    let repeated = e.bound().is_empty() && e.ins[0] == others;
    match graph.op(sum) {
        Op::Call(op, attrs) if repeated && *op == ops::known("logsumexp", 1) => {
            (attrs.axes == [axis]).then(|| graph.args(sum)[0])
        }
        _ => None,
    }
}

/// Whether it is declared of the node that its entries along `axis` sum to one.
pub fn declared_to_sum_to_one(graph: &Graph, node: NodeId, axis: usize) -> bool {
    let Op::Var(var) = graph.op(node) else {
        return false;
    };
    let var = graph.var(*var);
    let tells = |fact: &Fact| matches!(fact, Fact::OneHot | Fact::Simplex);
    axis + 1 == var.shape.len() && var.facts.iter().any(tells)
}

/// Whether every entry is over 0.
pub fn positive(graph: &Graph, node: NodeId) -> bool {
    sign(graph, node) == Some(true)
}

/// Whether no entry is below 0.
pub fn nonnegative(graph: &Graph, node: NodeId) -> bool {
    sign(graph, node).is_some()
}

/// Whether no entry is over 0.
pub fn never_positive(graph: &Graph, node: NodeId) -> bool {
    match graph.op(node) {
        Op::Const(c) => c.is_negative() || c.is_zero(),
        Op::Add(coefficients) => {
            let terms = coefficients.iter().zip(graph.args(node));
            terms.into_iter().all(|(c, &term)| match c.is_negative() {
                true => nonnegative(graph, term),
                false => never_positive(graph, term),
            })
        }
        Op::Call(op, _) => ops::spec(*op).range == Range::Nonpositive,
        Op::View(view) if view.reads_inside(graph.shape(graph.args(node)[0])) => {
            never_positive(graph, graph.args(node)[0])
        }
        Op::Einsum(e) if graph.args(node).len() == 1 && e.bound().is_empty() => {
            never_positive(graph, graph.args(node)[0])
        }
        _ => false,
    }
}

/// Whether every entry is below 0.
pub fn always_negative(graph: &Graph, node: NodeId) -> bool {
    let args = graph.args(node);
    match graph.op(node) {
        Op::Const(c) => c.is_negative(),
        Op::Add(coefficients) => {
            let below = |(c, term): (&Num, &NodeId)| match c.is_negative() {
                true => positive(graph, *term),
                false => always_negative(graph, *term),
            };
            never_positive(graph, node) && coefficients.iter().zip(args).any(below)
        }
        Op::View(view) if view.reads_inside(graph.shape(args[0])) => {
            always_negative(graph, args[0])
        }
        Op::Einsum(e) if args.len() == 1 && e.bound().is_empty() => always_negative(graph, args[0]),
        _ => false,
    }
}

/// `Some(true)`: over 0; `Some(false)`: at least 0; `None`: not known. Looks at a few nodes only.
pub(crate) fn sign(graph: &Graph, node: NodeId) -> Option<bool> {
    sign_within(graph, node, &mut 256)
}

fn sign_within(graph: &Graph, node: NodeId, left: &mut usize) -> Option<bool> {
    *left = left.checked_sub(1)?;
    let args = graph.args(node);
    let mut all = |args: &[NodeId]| -> Option<Vec<bool>> {
        args.iter().map(|&arg| sign_within(graph, arg, left)).collect()
    };
    match graph.op(node) {
        Op::Var(var) => {
            let facts = &graph.var(*var).facts;
            if facts.contains(&Fact::Positive) {
                Some(true)
            } else if facts
                .iter()
                .any(|fact| matches!(fact, Fact::Nonnegative | Fact::OneHot | Fact::Simplex))
            {
                Some(false)
            } else {
                None
            }
        }
        Op::Const(c) => (!c.is_negative()).then(|| !c.is_zero()),
        Op::Named(NamedConst::User(id)) => {
            let value = graph.consts[*id as usize].1;
            (!value.is_negative()).then(|| !value.is_zero())
        }
        Op::Named(_) | Op::Size(_) => Some(true),
        Op::Delta(_) | Op::Range(_) => Some(false),
        Op::Einsum(_) => Some(all(args)?.into_iter().all(|over| over)),
        Op::Add(coefficients) if coefficients.iter().all(|c| !c.is_negative()) => {
            Some(all(args)?.into_iter().any(|over| over))
        }
        Op::Add(_) => {
            let complement = complement(graph, node)?;
            (!complement.scale.is_negative()).then(|| sign_within(graph, complement.call, left))?
        }
        Op::Pow(exponent) => match (exponent.as_int(), all(args).map(|over| over[0])) {
            (_, Some(over)) => Some(over),
            (Some(n), None) if n % 2 == 0 => Some(false),
            _ => None,
        },
        Op::Call(op, _) if ops::spec(*op).chooses => {
            Some(all(&args[1..])?.into_iter().all(|over| over))
        }
        Op::Call(op, _) => match ops::spec(*op).range {
            Range::Positive | Range::Simplex => Some(true),
            Range::Nonnegative => Some(false),
            Range::Any | Range::Nonpositive => None,
        },
        Op::View(view) if view.reads_inside(graph.shape(args[0])) => {
            all(&args[..1]).map(|over| over[0])
        }
        Op::View(_) | Op::Scatter(_) => all(&args[..1]).map(|_| false),
        Op::Reshape | Op::Gather => all(&args[..1]).map(|over| over[0]),
        _ => None,
    }
}

/// The number that a node is everywhere, if it is one.
pub fn number(graph: &Graph, node: NodeId) -> Option<Num> {
    match (graph.op(node), graph.args(node)) {
        (Op::Const(value), _) => Some(*value),
        (Op::Einsum(e), []) if e.bound().is_empty() => Some(Num::ONE),
        (Op::Einsum(e), [only]) if e.bound().is_empty() => number(graph, *only),
        (Op::Add(coefficients), [only]) => Some(coefficients[0] * number(graph, *only)?),
        _ => None,
    }
}

/// c·(1 - f(x)), where the rule book says that 1 - f(x) is f(-x).
pub struct Complement {
    /// f(x)
    pub call: NodeId,
    /// c
    pub scale: Num,
}

/// Reads a sum as such a complement.
pub fn complement(graph: &Graph, node: NodeId) -> Option<Complement> {
    let Op::Add(coefficients) = graph.op(node) else { return None };
    let ([a, b], [p, q]) = (coefficients.as_slice(), graph.args(node)) else { return None };
    let (one, scale, call) = match (number(graph, *p), number(graph, *q)) {
        (Some(one), None) => (one * *a, *b, *q),
        (None, Some(one)) => (one * *b, *a, *p),
        _ => return None,
    };
    let mirrored =
        matches!(graph.op(call), Op::Call(op, _) if ops::spec(*op).mirror == Mirror::Complement);
    (mirrored && one == -scale).then_some(Complement { call, scale: one })
}

impl Complement {
    /// c·f(-x)
    pub fn opposite(&self, graph: &mut Graph) -> NodeId {
        let arg = graph.scale(Num::int(-1), graph.args(self.call)[0]);
        let arg = match (graph.op(arg).clone(), graph.args(arg).to_vec().as_slice()) {
            // -(-x)
            (Op::Add(outer), [inner]) => match graph.op(*inner).clone() {
                Op::Add(own) => {
                    let args = graph.args(*inner).to_vec();
                    let terms: Vec<(Num, NodeId)> =
                        own.into_iter().map(|c| outer[0] * c).zip(args).collect();
                    let shape = graph.shape(*inner).clone();
                    graph.add(&terms, &shape)
                }
                _ => arg,
            },
            _ => arg,
        };
        let call = graph.with_args(self.call, vec![arg]);
        graph.scale(self.scale, call)
    }
}

/// Whether a formula is written as the opposite of another: no term of it has a plus sign.
pub fn is_negated(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.op(node), Op::Add(c) if c.iter().all(|c| c.is_negative()))
}
