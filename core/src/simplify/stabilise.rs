//! Stable spellings: formulas that overflow or cancel are recognised and replaced by functions of the rule book that do not,
//! before anything is differentiated. Names do not hide a pattern: `p = softmax(z)` and `log(p)` meet.

mod differences;
mod exponentials;
mod logarithms;
mod products;

pub use exponentials::with_shares;

use super::{Rewrite, Simplified, facts};
use crate::few::Each;
use crate::ir::graph::all_different;
use crate::ir::{Attrs, Dim, Einsum, Graph, Map, NodeId, Num, Op};
use crate::ops;
use std::cell::Cell;
use std::collections::BTreeMap;

/// `1 - f(x) = f(-x)`, where the difference loses digits in the derivative too.
pub const COMPLEMENT: &str = "complement";
/// `log(exp(x) - exp(y))` and `log(1 - sigmoid(x)^2)`, whose derivative as it is written is a quotient of such differences.
pub const LOG_OF_DIFFERENCE: &str = "log-of-difference";
/// Rules without which nothing overflows: the derivatives of what they replace are as good, or told of by themselves.
pub const FINITE: [&str; 14] = [
    "exp",
    "exp-power",
    "expm1",
    "log1p",
    "root-less-one",
    "roots-apart",
    "reciprocals-apart",
    "logarithms-apart",
    "one-less-cosine",
    "two-sigmoids",
    "log-of-even-power",
    "absolute power",
    "norm",
    COMPLEMENT,
];

/// The roots in stable spelling.
pub fn stabilise(graph: &mut Graph, roots: &[NodeId]) -> Simplified {
    let nodes = graph.reachable(roots);
    let mut old_uses: Map<NodeId, usize> = Map::default();
    for &arg in nodes.iter().flat_map(|node| graph.args(*node)) {
        *old_uses.entry(arg).or_default() += 1;
    }
    let mut uses: Map<NodeId, usize> = Map::default();
    let mut rewrites = Vec::new();
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let known = Known::new();
    for node in nodes {
        let args: Vec<NodeId> = graph.args(node).each(|arg| map[arg]);
        let mut new = graph.with_args(node, args);
        // A replacement may be the start of the next pattern.
        for _ in 0..8 {
            let better = known.rewrite(graph, new).or_else(|| complement_alone(graph, new, &uses));
            let Some((rule, better)) = better else { break };
            rewrites.push(Rewrite { rule, before: new, after: better });
            new = better;
        }
        if new != node {
            if let Some(name) = graph.names.get(&node).cloned() {
                graph.names.entry(new).or_insert(name);
            }
            if let Some(&span) = graph.spans.get(&node) {
                graph.spans.entry(new).or_insert(span);
            }
        }
        *uses.entry(new).or_default() += old_uses.get(&node).copied().unwrap_or(0);
        map.insert(node, new);
    }
    Simplified { roots: roots.each(|root| map[root]), rewrites, map }
}

/// 1 - f(x) = f(-x), where f(x) is used nowhere else or x has a minus sign.
fn complement_alone(
    graph: &mut Graph,
    node: NodeId,
    uses: &Map<NodeId, usize>,
) -> Option<(&'static str, NodeId)> {
    let complement = facts::complement(graph, node)?;
    let alone = uses.get(&complement.call).is_none_or(|uses| *uses <= 1);
    if !alone && !facts::is_negated(graph, graph.args(complement.call)[0]) {
        return None;
    }
    Some((COMPLEMENT, complement.opposite(graph)))
}

/// The entries of the rule book that stable spellings speak of.
struct Known {
    log: ops::OpId,
    exp: ops::OpId,
    sigmoid: ops::OpId,
    logsigmoid: ops::OpId,
    softplus: ops::OpId,
    softmax: ops::OpId,
    log_softmax: ops::OpId,
    logsumexp: ops::OpId,
    norm2: ops::OpId,
    abs: ops::OpId,
    cosh: ops::OpId,
    sinh: ops::OpId,
    tanh: ops::OpId,
    log1p: ops::OpId,
    log2: ops::OpId,
    log10: ops::OpId,
    prod: ops::OpId,
    erf: ops::OpId,
    erfc: ops::OpId,
    erfcx: ops::OpId,
    logerfc: ops::OpId,
    cos: ops::OpId,
    sin: ops::OpId,
    asinh: ops::OpId,
    atanh: ops::OpId,
    expm1: ops::OpId,
    logcosh: ops::OpId,
    logaddexp: ops::OpId,
    /// How many more logarithms are looked into for the rewrite at hand.
    left: Cell<usize>,
}

/// A logarithm looks into so many others: formulas that share their parts take no more time than their size says.
const MOST_LOGS: usize = 64;

impl Known {
    fn new() -> Known {
        let op = |name| ops::known(name, 1);
        Known {
            log: op("log"),
            exp: op("exp"),
            sigmoid: op("sigmoid"),
            logsigmoid: op("logsigmoid"),
            softplus: op("softplus"),
            softmax: op("softmax"),
            log_softmax: op("log_softmax"),
            logsumexp: op("logsumexp"),
            norm2: op("norm2"),
            abs: op("abs"),
            cosh: op("cosh"),
            sinh: op("sinh"),
            tanh: op("tanh"),
            log1p: op("log1p"),
            log2: op("log2"),
            log10: op("log10"),
            prod: op("prod"),
            erf: op("erf"),
            erfc: op("erfc"),
            erfcx: op("erfcx"),
            logerfc: op("logerfc"),
            cos: op("cos"),
            sin: op("sin"),
            asinh: op("asinh"),
            atanh: op("atanh"),
            expm1: op("expm1"),
            logcosh: op("logcosh"),
            logaddexp: ops::known("logaddexp", 2),
            left: Cell::new(MOST_LOGS),
        }
    }

    fn rewrite(&self, graph: &mut Graph, node: NodeId) -> Option<(&'static str, NodeId)> {
        self.left.set(MOST_LOGS);
        match graph.op(node).clone() {
            Op::Call(op, _) if op == self.log => self.logarithm(graph, node),
            Op::Call(op, _) if op == self.log1p => {
                self.log_of_one_plus_exp(graph, node).or_else(|| self.log_of_one_and(graph, node))
            }
            Op::Call(op, _) if op == self.log2 => self.log_to_base(graph, node, 2),
            Op::Call(op, _) if op == self.log10 => self.log_to_base(graph, node, 10),
            Op::Pow(exponent) if exponent.is_negative() && exponent.as_int().is_some() => {
                self.reciprocal(graph, node, -exponent)
            }
            Op::Pow(exponent) if exponent.as_int().is_none() => self.root(graph, node, exponent),
            Op::Einsum(_) => self
                .share_of_exponentials(graph, node)
                .or_else(|| self.share_within_sum(graph, node))
                .or_else(|| self.written_out(graph, node))
                .or_else(|| self.exponentials_together(graph, node))
                .or_else(|| self.share_of_sum(graph, node)),
            Op::Call(op, _) => self.times_log(graph, node, op),
            Op::Add(_) => self.less_one(graph, node).or_else(|| self.difference(graph, node)),
            _ => None,
        }
    }

    /// log(softmax(x)), log(sigmoid(x)), log(1 - sigmoid(x)), log(1 + exp(x)), log(Σ exp(x)), log(exp(x))
    fn logarithm(&self, graph: &mut Graph, node: NodeId) -> Option<(&'static str, NodeId)> {
        let arg = graph.args(node)[0];
        let shape = graph.shape(node).clone();
        if let Op::Call(op, attrs) = graph.op(arg).clone() {
            let inner = graph.args(arg)[0];
            if op == self.softmax {
                return Some((
                    "log-softmax",
                    graph.call(self.log_softmax, vec![inner], attrs, shape),
                ));
            }
            if op == self.sigmoid {
                return Some((
                    "log-sigmoid",
                    graph.call(self.logsigmoid, vec![inner], Attrs::default(), shape),
                ));
            }
            if op == self.exp {
                return Some(("log-exp", inner));
            }
        }
        if let Some(x) = self.one_plus(graph, arg, Num::ONE, self.exp) {
            return Some(("softplus", graph.call(self.softplus, vec![x], Attrs::default(), shape)));
        }
        if let Some(x) = self.one_plus(graph, arg, Num::int(-1), self.sigmoid) {
            let flipped = graph.scale(Num::int(-1), x);
            return Some((
                "log-sigmoid",
                graph.call(self.logsigmoid, vec![flipped], Attrs::default(), shape),
            ));
        }
        self.log_of_reading(graph, arg)
            .or_else(|| self.log_of_choice(graph, arg))
            .or_else(|| self.log_of_sum(graph, arg))
            .or_else(|| self.log_of_cosh(graph, arg))
            .or_else(|| self.log_of_erfc(graph, arg))
            .or_else(|| self.log_of_expm1(graph, arg))
            .or_else(|| self.log_of_entries_together(graph, arg))
            .or_else(|| self.log_of_complement(graph, arg))
            .or_else(|| self.log_of_power(graph, arg))
            .or_else(|| self.log_of_multiple(graph, arg))
            .or_else(|| self.log_of_ratio_about_one(graph, arg))
            .or_else(|| self.log_with_root(graph, arg))
            .or_else(|| self.log_of_product(graph, arg))
            .or_else(|| self.log_of_terms(graph, arg))
            .or_else(|| self.log_of_difference(graph, arg))
            .or_else(|| self.log_of_one_plus(graph, arg))
    }

    /// The x of `1 + c·f(x)`.
    fn one_plus(&self, graph: &Graph, node: NodeId, c: Num, f: ops::OpId) -> Option<NodeId> {
        let Op::Add(coefficients) = graph.op(node) else { return None };
        let [a, b] = graph.args(node) else { return None };
        let constant = |at: usize, arg: NodeId| {
            facts::number(graph, arg).map(|value| value * coefficients[at])
        };
        let (call, scale) = match (constant(0, *a), constant(1, *b)) {
            (Some(one), None) if one.is_one() => (*b, coefficients[1]),
            (None, Some(one)) if one.is_one() => (*a, coefficients[0]),
            _ => return None,
        };
        match graph.op(call) {
            Op::Call(op, _) if *op == f && scale == c => Some(graph.args(call)[0]),
            _ => None,
        }
    }

    /// log(Σ_axes exp(x)) = logsumexp(x)
    fn log_of_sum(&self, graph: &mut Graph, arg: NodeId) -> Option<(&'static str, NodeId)> {
        let (x, axes) = self.sum_of(graph, arg, self.exp)?;
        let shape = graph.shape(arg).clone();
        let attrs = Attrs { axes, ints: Vec::new() };
        Some(("log-sum-exp", graph.call(self.logsumexp, vec![x], attrs, shape)))
    }

    /// The x and the axes of a plain sum of `f(x)` over axes.
    fn sum_of(&self, graph: &Graph, node: NodeId, f: ops::OpId) -> Option<(NodeId, Vec<usize>)> {
        let (summed, axes) = plain_sum(graph, node)?;
        match graph.op(summed) {
            Op::Call(op, _) if *op == f => Some((graph.args(summed)[0], axes)),
            _ => None,
        }
    }

    /// 1/(1 + exp(x)) = sigmoid(-x), and powers of it.
    fn reciprocal(
        &self,
        graph: &mut Graph,
        node: NodeId,
        power: Num,
    ) -> Option<(&'static str, NodeId)> {
        let arg = graph.args(node)[0];
        let shape = graph.shape(node).clone();
        // 1/exp(x) = exp(-x)
        if let Op::Call(op, attrs) = graph.op(arg).clone()
            && op == self.exp
        {
            let opposite = graph.scale(Num::int(-1), graph.args(arg)[0]);
            let inverse = graph.call(op, vec![opposite], attrs, shape);
            return Some(("exp", graph.pow(inverse, power)));
        }
        let x = self.one_plus(graph, arg, Num::ONE, self.exp)?;
        let flipped = match (graph.op(x), graph.args(x)) {
            (Op::Add(c), [inner]) if c[0] == Num::int(-1) => *inner,
            _ => graph.scale(Num::int(-1), x),
        };
        let share = graph.call(self.sigmoid, vec![flipped], Attrs::default(), shape);
        Some(("sigmoid", graph.pow(share, power)))
    }

    /// sqrt(x²) = abs(x), sqrt(Σ x²) = norm2(x), exp(x)^p = exp(p·x), (x²)^p = abs(x)^(2p)
    fn root(&self, graph: &mut Graph, node: NodeId, power: Num) -> Option<(&'static str, NodeId)> {
        let arg = graph.args(node)[0];
        if let Some(x) = self.argument(graph, arg, self.exp) {
            let part = graph.scale(power, x);
            return Some(("exp-power", self.unary(graph, self.exp, part)));
        }
        let half = Some(power) == Num::ratio(1, 2);
        if let Some((squared, axes)) = plain_sum(graph, arg) {
            let (x, _) = square(graph, squared).filter(|(_, more)| more.is_empty() && half)?;
            return Some(("norm", self.norm(graph, x, axes)));
        }
        match square(graph, arg) {
            Some((x, axes)) if axes.is_empty() => {
                let size = self.unary(graph, self.abs, x);
                let rule = if half { "absolute value" } else { "absolute power" };
                Some((rule, graph.pow(size, power * Num::int(2))))
            }
            Some((x, axes)) if half => Some(("norm", self.norm(graph, x, axes))),
            _ => None,
        }
    }

    fn norm(&self, graph: &mut Graph, x: NodeId, axes: Vec<usize>) -> NodeId {
        let mut shape = graph.shape(x).clone();
        let mut axis = 0..;
        shape.retain(|_| !axis.next().is_some_and(|axis| axes.contains(&axis)));
        graph.call(self.norm2, vec![x], Attrs { axes, ints: Vec::new() }, shape)
    }

    /// exp(x) / Σ exp(x), the sum repeated along its axis, is softmax(x), also among other factors.
    fn share_of_exponentials(
        &self,
        graph: &mut Graph,
        node: NodeId,
    ) -> Option<(&'static str, NodeId)> {
        let Op::Einsum(e) = graph.op(node).clone() else { return None };
        let args = graph.args(node).to_vec();
        let is_exp = |id: NodeId| matches!(graph.op(id), Op::Call(op, _) if *op == self.exp);
        let tops = (0..args.len()).filter(|&top| is_exp(args[top]));
        let bottoms = |top: usize| (0..args.len()).map(move |bottom| (top, bottom));
        let (top, bottom, axis) = tops.flat_map(bottoms).find_map(|(top, bottom)| {
            Some((top, bottom, self.summed_axis(graph, &e, &args, (top, bottom))?))
        })?;
        let (total, Op::Pow(exponent)) = (graph.args(args[bottom])[0], graph.op(args[bottom]))
        else {
            return None;
        };
        let left = *exponent + Num::ONE;
        let x = graph.args(args[top])[0];
        let attrs = Attrs { axes: vec![axis], ints: Vec::new() };
        let shape = graph.shape(x).clone();
        let share = graph.call(self.softmax, vec![x], attrs, shape);
        let mut factors = Vec::new();
        for (at, ins) in e.ins.iter().enumerate() {
            let factor = match at {
                _ if at == top => share,
                _ if at == bottom && left == Num::ZERO => continue,
                _ if at == bottom => graph.pow(total, left),
                _ => args[at],
            };
            factors.push((factor, ins.each(|ix| u32::from(*ix))));
        }
        let out = e.out.each(|ix| u32::from(*ix));
        let sizes: Vec<(u32, Dim)> =
            e.sizes.iter().cloned().enumerate().map(|(ix, size)| (ix as u32, size)).collect();
        Some(("softmax", graph.einsum(&factors, &out, &sizes)))
    }

    /// Σ_i exp(x_i)·c_i / Σ exp(x) = Σ_i softmax(x)_i·c_i: the sum above is written out where that shows the share.
    fn share_within_sum(&self, graph: &mut Graph, node: NodeId) -> Option<(&'static str, NodeId)> {
        let Op::Einsum(e) = graph.op(node).clone() else { return None };
        let args = graph.args(node).to_vec();
        let is_exp = |arg: &NodeId| matches!(graph.op(*arg), Op::Call(op, _) if *op == self.exp);
        let has_exps = |arg: NodeId| {
            matches!(graph.op(arg), Op::Einsum(_)) && graph.args(arg).iter().any(is_exp)
        };
        let divides = |arg: &NodeId| matches!(graph.op(*arg), Op::Pow(c) if c.is_negative());
        if !args.iter().any(divides) {
            return None;
        }
        let above: Vec<usize> = (0..args.len()).filter(|&at| has_exps(args[at])).collect();
        above.into_iter().find_map(|at| {
            let whole = written_into(graph, &e, &args, at);
            self.share_of_exponentials(graph, whole)
        })
    }

    /// The axis that one factor, an `exp(x)`, is summed over in another one, a power of 1/Σ exp(x) that is read at the other axes.
    fn summed_axis(
        &self,
        graph: &Graph,
        e: &Einsum,
        args: &[NodeId],
        (top, bottom): (usize, usize),
    ) -> Option<usize> {
        match graph.op(args[bottom]) {
            Op::Pow(exponent) if exponent.is_negative() && exponent.as_int().is_some() => {}
            _ => return None,
        }
        let total = graph.args(args[bottom])[0];
        let (x, axes) =
            self.sum_of(graph, total, self.exp).or_else(|| self.kept_sum(graph, total))?;
        let [axis] = *axes.as_slice() else { return None };
        let at = &e.ins[top];
        let different = all_different(at);
        // The total must be read at the remaining axes, in order; what it has beside them is of size 1.
        let (read, beside): (Vec<u8>, Vec<u8>) =
            e.ins[bottom].iter().partition(|ix| at.contains(*ix));
        let rest: Vec<u8> =
            at.iter().enumerate().filter(|(place, _)| *place != axis).map(|(_, ix)| *ix).collect();
        let single = beside.iter().all(|ix| e.sizes[*ix as usize].is_one() && !e.out.contains(ix));
        (x == graph.args(args[top])[0] && different && read == rest && single).then_some(axis)
    }

    /// As `sum_of`, for a sum that keeps its axis with size 1.
    fn kept_sum(&self, graph: &Graph, node: NodeId) -> Option<(NodeId, Vec<usize>)> {
        let Op::Einsum(e) = graph.op(node) else { return None };
        let [only] = graph.args(node) else { return None };
        let mut rest = e.ins[0].clone();
        rest.retain(|ix| e.out.contains(ix));
        let kept: Vec<u8> = e.out.iter().copied().filter(|ix| e.ins[0].contains(ix)).collect();
        let added = e
            .out
            .iter()
            .filter(|ix| !e.ins[0].contains(ix))
            .all(|ix| e.sizes[*ix as usize].is_one());
        if rest != kept || !added {
            return None;
        }
        let axes: Vec<usize> =
            (0..e.ins[0].len()).filter(|&at| !e.out.contains(&e.ins[0][at])).collect();
        match graph.op(*only) {
            Op::Call(op, _) if *op == self.exp && !axes.is_empty() => {
                Some((graph.args(*only)[0], axes))
            }
            Op::Einsum(_) if axes.is_empty() => self.sum_of(graph, *only, self.exp),
            _ => None,
        }
    }
}

/// A product in which one factor, a product itself, is written out.
fn written_into(graph: &mut Graph, e: &Einsum, args: &[NodeId], at: usize) -> NodeId {
    let own = |ix: &u8| u32::from(*ix);
    let mut factors: Vec<(NodeId, Vec<u32>)> =
        args.iter().copied().zip(e.ins.iter().map(|ins| ins.each(own))).collect();
    let (inner, labels) = factors.remove(at);
    let Op::Einsum(f) = graph.op(inner).clone() else { return inner };
    let fresh = e.sizes.len() as u32;
    let label = |ix: &u8| match f.out.iter().position(|out| out == ix) {
        Some(axis) => labels[axis],
        None => fresh + own(ix),
    };
    let inner_args = graph.args(inner).to_vec();
    factors.extend(inner_args.into_iter().zip(f.ins.iter().map(|ins| ins.each(label))));
    let outer_sizes = e.sizes.iter().cloned().enumerate().map(|(ix, size)| (ix as u32, size));
    let bound = f.bound();
    let inner_sizes = bound.iter().map(|ix| (label(ix), f.sizes[usize::from(*ix)].clone()));
    let sizes: Vec<(u32, Dim)> = outer_sizes.chain(inner_sizes).collect();
    graph.einsum(&factors, &e.out.each(own), &sizes)
}

/// The summand and the axes where a node is a sum of one node over some axes, the others in order.
fn plain_sum(graph: &Graph, node: NodeId) -> Option<(NodeId, Vec<usize>)> {
    let Op::Einsum(e) = graph.op(node) else { return None };
    let [only] = graph.args(node) else { return None };
    let ins = &e.ins[0];
    let rest: Vec<u8> = ins.iter().copied().filter(|ix| e.out.contains(ix)).collect();
    let different = all_different(ins);
    let axes: Vec<usize> = (0..ins.len()).filter(|&at| !e.out.contains(&ins[at])).collect();
    (rest == e.out && different && !axes.is_empty() && ins.len() == e.sizes.len())
        .then_some((*only, axes))
}

/// The x of x², and the axes of Σ x·x, both read alike.
fn square(graph: &Graph, node: NodeId) -> Option<(NodeId, Vec<usize>)> {
    let args = graph.args(node);
    match graph.op(node) {
        Op::Pow(exponent) if *exponent == Num::int(2) => Some((args[0], Vec::new())),
        Op::Einsum(e) if args.len() == 2 && args[0] == args[1] && e.ins[0] == e.ins[1] => {
            let ins = &e.ins[0];
            let (rest, summed): (Vec<usize>, Vec<usize>) =
                (0..ins.len()).partition(|&at| e.out.contains(&ins[at]));
            let whole = all_different(ins) && ins.len() == e.sizes.len();
            (whole && rest.iter().map(|&at| ins[at]).eq(e.out.iter().copied()))
                .then_some((args[0], summed))
        }
        _ => None,
    }
}
