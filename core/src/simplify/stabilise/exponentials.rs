//! Formulas of exponentials: their differences, and their quotients. Each rule is exact wherever the formula it replaces is defined.

use super::{Known, facts};
use crate::few::Each;
use crate::ir::{Attrs, Dim, Einsum, Graph, NodeId, Num, Op};
use crate::ops::OpId;

pub(super) type Rewritten = Option<(&'static str, NodeId)>;

/// A formula in which `exp(x - logsumexp(x))` is written `softmax(x)`; `nodes` are those that it shows, ascending.
pub fn with_shares(graph: &mut Graph, root: NodeId, nodes: &[NodeId]) -> NodeId {
    let known = Known::new();
    let shares: Vec<(NodeId, NodeId)> =
        nodes.iter().filter_map(|node| Some((*node, known.share(graph, *node)?))).collect();
    graph.substitute_in(root, nodes, &shares)
}

impl Known {
    /// `exp(x - logsumexp(x))`, the logarithm repeated along its axis, as `softmax(x)`.
    fn share(&self, graph: &mut Graph, node: NodeId) -> Option<NodeId> {
        let difference = self.argument(graph, node, self.exp)?;
        let Op::Add(c) = graph.op(difference) else { return None };
        let &[x, repeated] = graph.args(difference) else { return None };
        let Op::Einsum(e) = graph.op(repeated) else { return None };
        let &[total] = graph.args(repeated) else { return None };
        let Op::Call(op, attrs) = graph.op(total) else { return None };
        let &[axis] = attrs.axes.as_slice() else { return None };
        let mut rest = e.out.clone();
        (axis < rest.len()).then(|| rest.remove(axis))?;
        let same = *op == self.logsumexp && graph.args(total) == [x] && e.ins[0] == rest;
        if !same || c.as_slice() != [Num::ONE, Num::int(-1)] || e.sizes.len() != e.out.len() {
            return None;
        }
        let (attrs, shape) = (attrs.clone(), graph.shape(x).clone());
        Some(graph.call(self.softmax, vec![x], attrs, shape))
    }

    /// exp(x) - 1 = expm1(x), cos(x) - 1 = -2·sin(x/2)², 2·sigmoid(x) - 1 = tanh(x/2), and sqrt(1 + u) - 1 = u/(sqrt(1 + u) + 1)
    pub(super) fn less_one(&self, graph: &mut Graph, node: NodeId) -> Rewritten {
        let Op::Add(coefficients) = graph.op(node).clone() else { return None };
        let [a, b] = *graph.args(node) else { return None };
        let one = |id: NodeId| facts::number(graph, id).is_some_and(|value| value.is_one());
        let (c, term, less) = match (one(a), one(b)) {
            (false, true) => (coefficients[0], a, coefficients[1]),
            (true, false) => (coefficients[1], b, coefficients[0]),
            _ => return None,
        };
        if let Some(x) = self.argument(graph, term, self.sigmoid)
            && c == Num::int(-2) * less
        {
            let half = graph.scale(Num::ratio(1, 2)?, x);
            let tanh = self.unary(graph, self.tanh, half);
            return Some(("two-sigmoids", graph.scale(-less, tanh)));
        }
        if c != -less {
            return None;
        }
        if let Some(x) = self.argument(graph, term, self.exp) {
            let better = self.unary(graph, self.expm1, x);
            return Some(("expm1", graph.scale(c, better)));
        }
        if let Some(better) = self.one_less_cosine(graph, c, term) {
            return Some(better);
        }
        let (root, half) = power_of(graph, term);
        if Some(half) != Num::ratio(1, 2) {
            return None;
        }
        let (scale, u) = one_and(graph, root)?;
        let shape = graph.shape(node).clone();
        let ones = graph.ones(&shape);
        let below = graph.add(&[(Num::ONE, term), (Num::ONE, ones)], &shape);
        let inverse = graph.pow(below, Num::int(-1));
        let share = graph.multiply(&[u, inverse]);
        Some(("root-less-one", graph.scale(c * scale, share)))
    }

    /// Products that are a tanh or a sigmoid written out: two factors that are read alike become one.
    pub(super) fn written_out(&self, graph: &mut Graph, node: NodeId) -> Rewritten {
        let Op::Einsum(e) = graph.op(node).clone() else { return None };
        let args = graph.args(node).to_vec();
        for (at, other) in self.pairs(graph, &e, &args) {
            let Some((rule, better)) = self.pair(graph, args[at], args[other]) else { continue };
            let labels = |ins: &[u8]| ins.iter().map(|ix| u32::from(*ix)).collect::<Vec<u32>>();
            let mut factors: Vec<(NodeId, Vec<u32>)> = Vec::new();
            for (k, &arg) in args.iter().enumerate().filter(|(k, _)| *k != other) {
                factors.push((if k == at { better } else { arg }, labels(&e.ins[k])));
            }
            let extra: Vec<(u32, Dim)> =
                e.sizes.iter().cloned().enumerate().map(|(ix, dim)| (ix as u32, dim)).collect();
            return Some((rule, graph.einsum(&factors, &labels(&e.out), &extra)));
        }
        None
    }

    /// The pairs of factors that are read alike and may become one. A long product has few factors that can be in one.
    fn pairs(&self, graph: &Graph, e: &Einsum, args: &[NodeId]) -> Vec<(usize, usize)> {
        let seconds: Vec<usize> =
            (0..args.len()).filter(|at| self.can_be_second(graph, args[*at])).collect();
        if seconds.is_empty() {
            return Vec::new();
        }
        let firsts = (0..args.len()).filter(|at| self.can_be_first(graph, args[*at]));
        let alike = |at: usize, other: usize| other != at && e.ins[other] == e.ins[at];
        firsts
            .flat_map(|at| seconds.iter().map(move |other| (at, *other)))
            .filter(|(at, other)| alike(*at, *other))
            .collect()
    }

    /// Whether a factor can be the a of [`Known::pair`].
    fn can_be_first(&self, graph: &Graph, a: NodeId) -> bool {
        let (base, _) = power_of(graph, a);
        self.argument(graph, base, self.exp).is_some()
            || self.argument(graph, base, self.sinh).is_some()
            || self.argument(graph, base, self.sigmoid).is_some()
            || self.scaled_expm1(graph, a).is_some()
            || self.two_exponentials(graph, base).is_some()
    }

    /// Whether a factor can be the b.
    fn can_be_second(&self, graph: &Graph, b: NodeId) -> bool {
        let (base, _) = power_of(graph, b);
        self.argument(graph, base, self.sigmoid).is_some()
            || self.argument(graph, base, self.cosh).is_some()
            || self.argument(graph, base, self.expm1).is_some()
            || self.argument(graph, base, self.erfc).is_some()
            || facts::complement(graph, base).is_some()
            || self.two_exponentials(graph, base).is_some()
    }

    /// `a · b` for a pair of factors: exp(x)·sigmoid(-x), (exp(x) - exp(-x))/(exp(x) + exp(-x)), (exp(x) - 1)·sigmoid(-x)
    fn pair(&self, graph: &mut Graph, a: NodeId, b: NodeId) -> Rewritten {
        if let Some(better) = self.exp_times_sigmoid(graph, a, b) {
            return Some(("sigmoid", better));
        }
        if let Some(y) = self.argument(graph, b, self.sigmoid) {
            let (c, x) = self.scaled_expm1(graph, a)?;
            if !opposite(graph, x, y) {
                return None;
            }
            let half = graph.scale(Num::ratio(1, 2)?, x);
            let tanh = self.unary(graph, self.tanh, half);
            return Some(("tanh", graph.scale(c, tanh)));
        }
        self.quotient_of_exponentials(graph, a, b)
            .or_else(|| self.sinh_over_cosh(graph, a, b))
            .or_else(|| self.odds(graph, a, b))
            .or_else(|| self.exp_over_expm1(graph, a, b))
            .or_else(|| self.exp_times_erfc(graph, a, b))
    }

    /// exp(x²)·erfc(x) = erfcx(x)
    fn exp_times_erfc(&self, graph: &mut Graph, a: NodeId, b: NodeId) -> Rewritten {
        let (square, x) = (self.argument(graph, a, self.exp)?, self.argument(graph, b, self.erfc)?);
        (power_of(graph, square) == (x, Num::int(2)))
            .then(|| ("erfcx", self.unary(graph, self.erfcx, x)))
    }

    /// sigmoid(x)/(1 - sigmoid(x)) = exp(x), for as many of both as there are.
    fn odds(&self, graph: &mut Graph, a: NodeId, b: NodeId) -> Rewritten {
        let ((above, over_power), (below, under_power)) = (power_of(graph, a), power_of(graph, b));
        let x = self.argument(graph, above, self.sigmoid)?;
        let complement = facts::complement(graph, below)?;
        if !is_count(over_power) || !is_count(-under_power) || complement.call != above {
            return None;
        }
        let both = over_power.min(-under_power);
        let power = {
            let exp = self.unary(graph, self.exp, x);
            graph.pow(exp, both)
        };
        let scale = complement.scale.powi(both.as_int()?)?.recip()?;
        let rest = [(above, over_power + -both), (below, under_power + both)];
        let odds = with_rest(graph, (power, Num::ONE), rest);
        Some(("odds", graph.scale(scale, odds)))
    }

    /// exp(x)/(exp(x) - 1) = 1/(1 - exp(-x)), for as many of both as there are.
    fn exp_over_expm1(&self, graph: &mut Graph, a: NodeId, b: NodeId) -> Rewritten {
        let ((above, over_power), (below, under_power)) = (power_of(graph, a), power_of(graph, b));
        let x = self.argument(graph, above, self.exp)?;
        if !is_count(over_power)
            || !is_count(-under_power)
            || self.argument(graph, below, self.expm1) != Some(x)
        {
            return None;
        }
        let both = over_power.min(-under_power);
        let opposite = graph.scale(Num::int(-1), x);
        let inner = self.unary(graph, self.expm1, opposite);
        let rest = graph.scale(Num::int(-1), inner);
        let left = [(above, over_power + -both), (below, under_power + both)];
        Some(("exp-over-expm1", with_rest(graph, (rest, -both), left)))
    }

    /// sinh(x)/cosh(x) = tanh(x), for as many of both as there are, above or below.
    fn sinh_over_cosh(&self, graph: &mut Graph, a: NodeId, b: NodeId) -> Rewritten {
        let ((one, p), (other, q)) = (power_of(graph, a), power_of(graph, b));
        let x = self.argument(graph, one, self.sinh)?;
        let above = is_count(p) && is_count(-q);
        let below = is_count(-p) && is_count(q);
        if !(above || below) || self.argument(graph, other, self.cosh) != Some(x) {
            return None;
        }
        let both = if above { p.min(-q) } else { -q.min(-p) };
        let tanh = self.unary(graph, self.tanh, x);
        let rest = [(one, p + -both), (other, q + both)];
        Some(("tanh", with_rest(graph, (tanh, both), rest)))
    }

    /// (exp(x) - exp(-x))/(exp(x) + exp(-x)) = tanh(x), for as many of both as there are.
    fn quotient_of_exponentials(&self, graph: &mut Graph, a: NodeId, b: NodeId) -> Rewritten {
        let ((above, over_power), (below, under_power)) = (power_of(graph, a), power_of(graph, b));
        if !is_count(over_power) || !is_count(-under_power) {
            return None;
        }
        let (over, under) =
            (self.two_exponentials(graph, above)?, self.two_exponentials(graph, below)?);
        let [(p, u), (q, v)] = over;
        let [(r, w), (s, z)] = under;
        let same = (u == w && v == z) || (u == z && v == w);
        if !same || !opposite(graph, u, v) || p != -q || r != s || r.is_zero() {
            return None;
        }
        let both = over_power.min(-under_power);
        let tanh = self.unary(graph, self.tanh, u);
        let tanh = graph.scale(p * r.recip()?, tanh);
        let rest = [(above, over_power + -both), (below, under_power + both)];
        Some(("tanh", with_rest(graph, (tanh, both), rest)))
    }

    /// exp(x)·sigmoid(-x) = sigmoid(x), for as many of both as there are.
    fn exp_times_sigmoid(&self, graph: &mut Graph, a: NodeId, b: NodeId) -> Option<NodeId> {
        let ((e, p), (s, q)) = (power_of(graph, a), power_of(graph, b));
        let (x, y) = (self.argument(graph, e, self.exp)?, self.argument(graph, s, self.sigmoid)?);
        if !is_count(p) || !is_count(q) || !opposite(graph, x, y) {
            return None;
        }
        let both = p.min(q);
        let share = self.unary(graph, self.sigmoid, x);
        Some(with_rest(graph, (share, both), [(e, p + -both), (s, q + -both)]))
    }

    /// The c and x of c·expm1(x).
    fn scaled_expm1(&self, graph: &Graph, node: NodeId) -> Option<(Num, NodeId)> {
        match (graph.op(node), graph.args(node)) {
            (Op::Add(c), [only]) => Some((c[0], self.argument(graph, *only, self.expm1)?)),
            _ => Some((Num::ONE, self.argument(graph, node, self.expm1)?)),
        }
    }

    /// The p, u, q, v of p·exp(u) + q·exp(v).
    fn two_exponentials(&self, graph: &Graph, node: NodeId) -> Option<[(Num, NodeId); 2]> {
        let Op::Add(c) = graph.op(node) else { return None };
        let [a, b] = *graph.args(node) else { return None };
        Some([
            (c[0], self.argument(graph, a, self.exp)?),
            (c[1], self.argument(graph, b, self.exp)?),
        ])
    }

    /// The x of f(x).
    pub(super) fn argument(&self, graph: &Graph, node: NodeId, f: OpId) -> Option<NodeId> {
        match graph.op(node) {
            Op::Call(op, _) if *op == f => graph.args(node).first().copied(),
            _ => None,
        }
    }

    pub(super) fn unary(&self, graph: &mut Graph, f: OpId, x: NodeId) -> NodeId {
        let shape = graph.shape(x).clone();
        graph.call(f, vec![x], Attrs::default(), shape)
    }

    /// exp(x), or a sum of such, whose logarithm can be told without them.
    pub(super) fn is_exponential(&self, graph: &Graph, node: NodeId) -> bool {
        let is_exp = |id: NodeId| matches!(graph.op(id), Op::Call(op, _) if *op == self.exp);
        is_exp(node)
            || match graph.op(node) {
                Op::Add(_) | Op::Einsum(_) => graph.args(node).iter().any(|&arg| is_exp(arg)),
                _ => false,
            }
    }

    pub(super) fn has_exponential(&self, graph: &Graph, term: NodeId) -> bool {
        let (base, _) = power_of(graph, term);
        self.is_exponential(graph, base)
            || matches!(graph.op(base), Op::Einsum(_))
                && graph
                    .args(base)
                    .iter()
                    .any(|&arg| self.is_exponential(graph, power_of(graph, arg).0))
    }
}

/// The base and the exponent of a constant power.
pub(super) fn power_of(graph: &Graph, node: NodeId) -> (NodeId, Num) {
    match graph.op(node) {
        Op::Pow(exponent) => (graph.args(node)[0], *exponent),
        _ => (node, Num::ONE),
    }
}

pub(super) fn is_count(power: Num) -> bool {
    power.as_int().is_some_and(|n| n > 0)
}

/// The product of powers of one shape, those to the power 0 left out.
pub(super) fn with_rest(
    graph: &mut Graph,
    first: (NodeId, Num),
    rest: [(NodeId, Num); 2],
) -> NodeId {
    let mut factors = vec![graph.pow(first.0, first.1)];
    for (base, power) in rest {
        if !power.is_zero() {
            factors.push(graph.pow(base, power));
        }
    }
    graph.multiply(&factors)
}

/// The c and u of 1 + c·u.
pub(super) fn one_and(graph: &Graph, node: NodeId) -> Option<(Num, NodeId)> {
    let Op::Add(c) = graph.op(node) else { return None };
    let [a, b] = *graph.args(node) else { return None };
    let one = |at: usize, id: NodeId| {
        facts::number(graph, id).is_some_and(|value| (value * c[at]).is_one())
    };
    match (one(0, a), one(1, b)) {
        (true, false) => Some((c[1], b)),
        (false, true) => Some((c[0], a)),
        _ => None,
    }
}

/// The c and x of c·x, as often as there are such.
pub(super) fn scaled(graph: &Graph, mut node: NodeId) -> (Num, NodeId) {
    let mut scale = Num::ONE;
    while let (Op::Add(c), [only]) = (graph.op(node), graph.args(node)) {
        (scale, node) = (scale * c[0], *only);
    }
    (scale, node)
}

/// Whether b is -a, as written.
pub(super) fn opposite(graph: &Graph, a: NodeId, b: NodeId) -> bool {
    let ((c, x), (d, y)) = (scaled(graph, a), scaled(graph, b));
    if x == y {
        return c == -d;
    }
    // Sums: the same terms with opposite signs.
    match (graph.op(x), graph.op(y)) {
        (Op::Add(p), Op::Add(q)) if graph.args(x).len() == graph.args(y).len() => {
            graph.args(x).iter().zip(p).all(|(term, p)| {
                graph.args(y).iter().zip(q).any(|(other, q)| other == term && c * *p == -(d * *q))
            })
        }
        // Products: one factor is the opposite of the other's.
        (Op::Einsum(e), Op::Einsum(f)) if e.out == f.out && e.sizes == f.sizes && c == d => {
            let reads = |node: NodeId, e: &Einsum| -> Vec<(NodeId, Vec<u8>)> {
                graph.args(node).iter().copied().zip(e.ins.iter().cloned()).collect()
            };
            let (ours, theirs) = (reads(x, e), reads(y, f));
            let only = |own: &[(NodeId, Vec<u8>)], other: &[(NodeId, Vec<u8>)]| {
                let apart = own.iter().filter(|one| !other.contains(one));
                apart.cloned().collect::<Vec<_>>()
            };
            match (only(&ours, &theirs).as_slice(), only(&theirs, &ours).as_slice()) {
                ([(a, read)], [(b, also)]) => {
                    ours.len() == theirs.len()
                        && read == also
                        && matches!(graph.op(*a), Op::Add(_))
                        && opposite(graph, *a, *b)
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// A factor of a product on its own, with the product's axes.
pub(super) fn spread(
    graph: &mut Graph,
    node: NodeId,
    ins: &[u8],
    axes: &[u8],
    e: &Einsum,
) -> NodeId {
    let labels: Vec<u32> = ins.each(|ix| u32::from(*ix));
    let out: Vec<u32> = axes.each(|ix| u32::from(*ix));
    let extra: Vec<(u32, Dim)> = axes.each(|ix| (u32::from(*ix), e.sizes[*ix as usize].clone()));
    graph.einsum(&[(node, labels)], &out, &extra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, compile};

    /// The factors of a loss, and how many pairs of them are looked at.
    fn looked_at(loss: &str) -> (usize, usize) {
        let names: Vec<String> = (0..40).map(|k| format!("x{k}")).collect();
        let many: Vec<String> = (0..40).map(|k| format!("x{k} * exp(x{k})")).collect();
        let loss = loss.replace("many", &many.join(" * "));
        let program = format!("param {}; loss E = {loss}; grad E wrt x0;", names.join(", "));
        let compiled = compile(&Source::new("program", program));
        let graph = &compiled.graph;
        let of = compiled.derivatives[0].of.node;
        let Op::Einsum(e) = graph.op(of) else { panic!("no product: {:?}", graph.op(of)) };
        (graph.args(of).len(), Known::new().pairs(graph, e, graph.args(of)).len())
    }

    /// In a product of many factors the pairs of all of them are not looked at.
    #[test]
    fn few_pairs_of_a_long_product_are_looked_at() {
        let (factors, pairs) = looked_at("many");
        assert!(factors >= 40 && pairs == 0, "{factors} {pairs}");
        let (factors, pairs) = looked_at("many * sigmoid(x0)");
        assert!(factors >= 40 && (1..=factors).contains(&pairs), "{factors} {pairs}");
    }
}
