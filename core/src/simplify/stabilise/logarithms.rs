//! Logarithms of formulas of exponentials, told without them. Each rule is exact wherever the formula it replaces is defined.

use super::exponentials::{Rewritten, one_and, power_of, scaled, spread};
use super::{Known, LOG_OF_DIFFERENCE, facts};
use crate::few::Each;
use crate::ir::{Attrs, Dim, Einsum, Graph, NodeId, Num, Op};
use crate::ops;

/// A factor of a product: its base, its power, and where it is read.
type Factor = (NodeId, Num, Vec<u8>);

impl Known {
    /// A logarithm in stable spelling.
    pub(super) fn stable_log(&self, graph: &mut Graph, of: NodeId) -> NodeId {
        let shape = graph.shape(of).clone();
        if facts::number(graph, of).is_some_and(|value| value.is_one()) {
            return graph.zeros(&shape);
        }
        let log = graph.call(self.log, vec![of], Attrs::default(), shape);
        let Some(left) = self.left.get().checked_sub(1) else { return log };
        self.left.set(left);
        self.logarithm(graph, log).map_or(log, |(_, better)| better)
    }

    /// Whether a logarithm in stable spelling is another one than that of the whole.
    fn is_told(&self, graph: &Graph, log: NodeId) -> bool {
        !matches!(graph.op(log), Op::Call(op, _) if [self.log, self.log1p].contains(op))
    }

    /// The logarithm of some entries of a tensor, as `softmax(z)[0]`, is that of the tensor, read there.
    pub(super) fn log_of_reading(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let reads = match graph.op(arg) {
            Op::View(view) => view.reads_inside(graph.shape(graph.args(arg)[0])),
            Op::Reshape | Op::Gather => true,
            _ => false,
        };
        if !reads {
            return None;
        }
        let mut args = graph.args(arg).to_vec();
        args[0] = self.stable_log(graph, args[0]);
        self.is_told(graph, args[0]).then(|| ("log-of-entries", graph.with_args(arg, args)))
    }

    /// log(cosh(x)) = logcosh(x)
    pub(super) fn log_of_cosh(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let x = self.argument(graph, arg, self.cosh)?;
        Some(("log-cosh", self.unary(graph, self.logcosh, x)))
    }

    /// log(erfc(x)) = logerfc(x)
    pub(super) fn log_of_erfc(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let x = self.argument(graph, arg, self.erfc)?;
        Some(("log-erfc", self.unary(graph, self.logerfc, x)))
    }

    /// log1p(exp(x)) = softplus(x)
    pub(super) fn log_of_one_plus_exp(
        &self,
        graph: &mut Graph,
        node: NodeId,
    ) -> Option<(&'static str, NodeId)> {
        let arg = graph.args(node)[0];
        match graph.op(arg) {
            Op::Call(op, _) if *op == self.exp => {
                let x = graph.args(arg)[0];
                Some(("softplus", self.unary(graph, self.softplus, x)))
            }
            _ => None,
        }
    }

    /// log(1 + u) = log1p(u)
    pub(super) fn log_of_one_plus(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let (c, u) = one_and(graph, arg)?;
        let u = graph.scale(c, u);
        Some(("log1p", self.unary(graph, self.log1p, u)))
    }

    /// log(cases) = the cases' logarithms, where one of them is told.
    pub(super) fn log_of_choice(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        match graph.op(arg) {
            Op::Call(op, _) if ops::spec(*op).chooses => {}
            _ => return None,
        }
        let &[condition, a, b] = graph.args(arg) else { return None };
        let logs = [self.stable_log(graph, a), self.stable_log(graph, b)];
        let told = logs.iter().any(|log| self.is_told(graph, *log));
        told.then(|| ("log-of-choice", graph.with_args(arg, vec![condition, logs[0], logs[1]])))
    }

    /// log(exp(x) - 1) = x + log(1 - exp(-x)), and log(sinh(x)) = x + log(1 - exp(-2x)) - log(2)
    pub(super) fn log_of_expm1(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let (x, times) = match self.argument(graph, arg, self.expm1) {
            Some(x) => (x, -1),
            None => (self.argument(graph, arg, self.sinh)?, -2),
        };
        let shape = graph.shape(x).clone();
        let opposite = graph.scale(Num::int(times), x);
        let inner = self.unary(graph, self.expm1, opposite);
        let rest = graph.scale(Num::ratio(1, times)?, inner);
        let log = self.unary(graph, self.log, rest);
        Some(("log-expm1", graph.add(&[(Num::ONE, x), (Num::ONE, log)], &shape)))
    }

    /// log(Π x) = Σ log(x) over the entries of what is over 0: the product of many is too small or too large for a float.
    pub(super) fn log_of_entries_together(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let x = self.argument(graph, arg, self.prod)?;
        let Op::Call(_, attrs) = graph.op(arg).clone() else { return None };
        if !facts::positive(graph, x) || graph.rank(arg) + attrs.axes.len() != graph.rank(x) {
            return None;
        }
        let log = self.stable_log(graph, x);
        let labels: Vec<u32> = (0..graph.rank(x) as u32).collect();
        let mut out = labels.clone();
        out.retain(|axis| !attrs.axes.contains(&(*axis as usize)));
        Some(("log-of-product", graph.einsum(&[(log, labels)], &out, &[])))
    }

    /// log1p(-sigmoid(x)) and log1p(±tanh(x)), as logarithms of complements.
    pub(super) fn log_of_one_and(&self, graph: &mut Graph, node: NodeId) -> Rewritten {
        let u = graph.args(node)[0];
        let shape = graph.shape(u).clone();
        let ones = graph.ones(&shape);
        let sum = graph.add(&[(Num::ONE, ones), (Num::ONE, u)], &shape);
        self.log_of_complement(graph, sum)
    }

    /// Logarithms to another base, where the natural one is told.
    pub(super) fn log_to_base(&self, graph: &mut Graph, node: NodeId, base: i128) -> Rewritten {
        let log = self.stable_log(graph, graph.args(node)[0]);
        if !self.is_told(graph, log) {
            return None;
        }
        let base = graph.constant(Num::int(base));
        let unit = self.unary(graph, self.log, base);
        let inverse = graph.pow(unit, Num::int(-1));
        let shape = graph.shape(log).clone();
        let inverse = graph.fill(inverse, &shape);
        Some(("log-to-base", graph.multiply(&[log, inverse])))
    }

    /// log(1 - tanh(x)^2) = -2·log(cosh(x)), log(1 ± tanh(x)), log(1 ± erf(x)), log(1 - sigmoid(x)) and log(1 - sigmoid(x)^2), times any number over 0.
    pub(super) fn log_of_complement(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let (scale, ratio, term) = number_and(graph, arg)?;
        if scale.is_negative() || (ratio != Num::ONE && ratio != Num::int(-1)) {
            return None;
        }
        let (base, power) = power_of(graph, term);
        let minus = ratio.is_negative();
        let (rule, scale, log) = match self.argument(graph, base, self.tanh) {
            Some(x) if power == Num::int(2) && minus => {
                let log = self.unary(graph, self.logcosh, x);
                ("log-cosh", scale, graph.scale(Num::int(-2), log))
            }
            Some(x) if power.is_one() => {
                let twice = graph.scale(ratio * Num::int(2), x);
                ("log-sigmoid", scale * Num::int(2), self.unary(graph, self.logsigmoid, twice))
            }
            _ if self.argument(graph, term, self.erf).is_some() => {
                let opposite = graph.scale(-ratio, graph.args(term)[0]);
                ("log-erfc", scale, self.unary(graph, self.logerfc, opposite))
            }
            _ => {
                let x = self.argument(graph, base, self.sigmoid).filter(|_| minus)?;
                let opposite = graph.scale(Num::int(-1), x);
                let log = self.unary(graph, self.logsigmoid, opposite);
                let rule = if power.is_one() { "log-sigmoid" } else { LOG_OF_DIFFERENCE };
                (rule, scale, self.with_conjugate(graph, log, (base, power))?)
            }
        };
        Some((rule, self.with_log_of(graph, scale, log)))
    }

    /// The logarithm of 1 - f^p for that of 1 - f: with that of 1 + f where p is 2.
    fn with_conjugate(
        &self,
        graph: &mut Graph,
        log: NodeId,
        (f, p): (NodeId, Num),
    ) -> Option<NodeId> {
        if p.is_one() {
            return Some(log);
        }
        let shape = graph.shape(f).clone();
        let conjugate = self.unary(graph, self.log1p, f);
        (p == Num::int(2)).then(|| graph.add(&[(Num::ONE, log), (Num::ONE, conjugate)], &shape))
    }

    /// log(c) + log
    fn with_log_of(&self, graph: &mut Graph, c: Num, log: NodeId) -> NodeId {
        let shape = graph.shape(log).clone();
        let scale = graph.constant(c);
        let scale = self.stable_log(graph, scale);
        let scale = graph.fill(scale, &shape);
        graph.add(&[(Num::ONE, log), (Num::ONE, scale)], &shape)
    }

    /// log(c·f) = log(c) + log(f) where c is over 0 and the logarithm of f is told.
    pub(super) fn log_of_multiple(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let (scale, inner) = scaled(graph, arg);
        if inner == arg || scale.is_negative() {
            return None;
        }
        let log = self.stable_log(graph, inner);
        let told = self.is_told(graph, log);
        told.then(|| ("log-of-multiple", self.with_log_of(graph, scale, log)))
    }

    /// log(f^p) = p·log(f) where f is over 0, and p·log|f| where p is even: powers leave the range of a float before their logarithms do.
    pub(super) fn log_of_power(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let Op::Pow(power) = *graph.op(arg) else { return None };
        let base = graph.args(arg)[0];
        if facts::positive(graph, base) {
            let log = self.stable_log(graph, base);
            let rule = if self.is_told(graph, log) { "log-of-power" } else { "log-of-even-power" };
            return Some((rule, graph.scale(power, log)));
        }
        if power.as_int().is_none_or(|power| power % 2 != 0) {
            return None;
        }
        let size = self.unary(graph, self.abs, base);
        let log = self.unary(graph, self.log, size);
        Some(("log-of-even-power", graph.scale(power, log)))
    }

    /// log((1 + u)/(1 - u)) = 2·atanh(u), times any number over 0.
    pub(super) fn log_of_ratio_about_one(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let (scale, product) = scaled(graph, arg);
        let Op::Einsum(e) = graph.op(product) else { return None };
        let &[p, q] = graph.args(product) else { return None };
        let alike = e.ins[0] == e.ins[1] && e.ins[0] == e.out;
        let ((one, power), (other, opposite)) = (power_of(graph, p), power_of(graph, q));
        if !alike || scale.is_negative() || power != -opposite || !(power * power).is_one() {
            return None;
        }
        let above = if power.is_one() { (one, other) } else { (other, one) };
        let ((c, u), (d, w)) = (one_and(graph, above.0)?, one_and(graph, above.1)?);
        if c != -d || u != w {
            return None;
        }
        let u = graph.scale(c, u);
        let half = self.unary(graph, self.atanh, u);
        let log = graph.scale(Num::int(2), half);
        Some(("log-of-ratio", self.with_log_of(graph, scale, log)))
    }

    /// log(p·x + q·sqrt(1 + (p/q)²·x²)) = log(q) + asinh(p/q·x) for q over 0.
    pub(super) fn log_with_root(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let Op::Add(c) = graph.op(arg).clone() else { return None };
        let &[f, g] = graph.args(arg) else { return None };
        [(c[0], f, c[1], g), (c[1], g, c[0], f)].into_iter().find_map(|(p, x, q, root)| {
            let (under, half) = power_of(graph, root);
            let (k, term) = one_and(graph, under)?;
            let (more, term) = scaled(graph, term);
            let (base, two) = power_of(graph, term);
            let ratio = p * q.recip()?;
            let fits = Some(half) == Num::ratio(1, 2)
                && (base, two) == (x, Num::int(2))
                && k * more == ratio * ratio
                && !q.is_negative();
            fits.then(|| {
                let part = graph.scale(ratio, x);
                let log = self.unary(graph, self.asinh, part);
                ("log-with-root", self.with_log_of(graph, q, log))
            })
        })
    }

    /// log(c · Π f^p) = Σ p·log(f) + log(c · the others), where these f are over 0 and one of them is made of exponentials or has a
    /// logarithm that is told: then the product has the sign of the others. Where indices are summed over, that is a logsumexp,
    /// if all are over 0, and as long as one of the factors has all indices anyway.
    pub(super) fn log_of_product(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let (scale, product) = scaled(graph, arg);
        let Op::Einsum(e) = graph.op(product).clone() else { return None };
        let args = graph.args(product).to_vec();
        let all = args.iter().zip(&e.ins).map(|(&arg, ins)| {
            let (base, power) = power_of(graph, arg);
            (base, power, ins.clone())
        });
        let (over, others): (Vec<Factor>, Vec<Factor>) =
            all.partition(|(base, ..)| facts::positive(graph, *base));
        let logs = over.each(|(base, ..)| self.stable_log(graph, *base));
        let helps = |(base, log): (&Factor, &NodeId)| {
            self.is_exponential(graph, base.0) || self.is_told(graph, *log)
        };
        if !over.iter().zip(&logs).any(helps) || (others.is_empty() && !scale.is_one()) {
            return None;
        }
        let bound = e.bound();
        let widest = e.ins.iter().any(|ins| (0..e.sizes.len() as u8).all(|ix| ins.contains(&ix)));
        let summed = widest && others.is_empty();
        if !bound.is_empty() && !summed {
            return None;
        }
        let axes: Vec<u8> = e.out.iter().chain(&bound).copied().collect();
        let shape: Vec<Dim> = axes.each(|ix| e.sizes[*ix as usize].clone());
        let mut terms = Vec::new();
        for ((_, power, ins), log) in over.iter().zip(logs) {
            terms.push((*power, spread(graph, log, ins, &axes, &e)));
        }
        if !others.is_empty() {
            let log = self.log_of_others(graph, scale, &others, (&axes, &e));
            terms.push((Num::ONE, log));
        }
        let sum = graph.add(&terms, &shape);
        if bound.is_empty() {
            return Some(("log-of-product", sum));
        }
        let attrs = Attrs { axes: (e.out.len()..axes.len()).collect(), ints: Vec::new() };
        let out = shape[..e.out.len()].to_vec();
        Some(("log-sum-exp", graph.call(self.logsumexp, vec![sum], attrs, out)))
    }

    /// The logarithm of c times factors that may be below 0; p·log(f) of a single one that has the sign of its power.
    fn log_of_others(
        &self,
        graph: &mut Graph,
        c: Num,
        others: &[Factor],
        (axes, e): (&[u8], &Einsum),
    ) -> NodeId {
        if let [(base, power, ins)] = others
            && c.is_one()
            && power.as_int().is_none_or(|power| power % 2 != 0)
        {
            let log = self.stable_log(graph, *base);
            let log = spread(graph, log, ins, axes, e);
            return graph.scale(*power, log);
        }
        let labels = |ins: &[u8]| ins.each(|ix| u32::from(*ix));
        let factors: Vec<(NodeId, Vec<u32>)> =
            others.each(|(base, power, ins)| (graph.pow(*base, *power), labels(ins)));
        let sizes: Vec<(u32, Dim)> =
            axes.each(|ix| (u32::from(*ix), e.sizes[*ix as usize].clone()));
        let product = graph.einsum(&factors, &labels(axes), &sizes);
        let product = graph.scale(c, product);
        self.unary(graph, self.log, product)
    }

    /// log(Σ c·t) = logaddexp(log c + log t, …) where every c and t is over 0 and a t is made of exponentials.
    pub(super) fn log_of_terms(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let Op::Add(coefficients) = graph.op(arg).clone() else { return None };
        let terms = graph.args(arg).to_vec();
        let exponential = terms.iter().any(|term| self.has_exponential(graph, *term));
        let over = coefficients.iter().all(|c| !c.is_negative())
            && terms.iter().all(|term| facts::positive(graph, *term));
        if !exponential || !over {
            return None;
        }
        let shape = graph.shape(arg).clone();
        let mut total: Option<NodeId> = None;
        for (c, term) in coefficients.into_iter().zip(terms) {
            let factor = graph.constant(c);
            let (scale, log) = (self.stable_log(graph, factor), self.stable_log(graph, term));
            let scale = graph.fill(scale, &shape);
            let log = graph.add(&[(Num::ONE, log), (Num::ONE, scale)], &shape);
            total = Some(match total {
                Some(total) => {
                    graph.call(self.logaddexp, vec![total, log], Attrs::default(), shape.clone())
                }
                None => log,
            });
        }
        total.map(|total| ("log-add-exp", total))
    }

    /// log(c·s - d·t) = log(c·s) + log(1 - exp(log(d·t) - log(c·s))) where s and t are over 0 and one of them is made of exponentials.
    pub(super) fn log_of_difference(&self, graph: &mut Graph, arg: NodeId) -> Rewritten {
        let Op::Add(c) = graph.op(arg).clone() else { return None };
        let &[f, g] = graph.args(arg) else { return None };
        let ((p, s), (q, t)) = match (c[0].is_negative(), c[1].is_negative()) {
            (false, true) => ((c[0], f), (-c[1], g)),
            (true, false) => ((c[1], g), (-c[0], f)),
            _ => return None,
        };
        let exponential = self.has_exponential(graph, s) || self.has_exponential(graph, t);
        if !exponential || !facts::positive(graph, s) || !facts::positive(graph, t) {
            return None;
        }
        let (s, t) = (self.stable_log(graph, s), self.stable_log(graph, t));
        let (larger, smaller) = (self.with_log_of(graph, p, s), self.with_log_of(graph, q, t));
        let shape = graph.shape(arg).clone();
        let ratio = graph.add(&[(Num::ONE, smaller), (Num::int(-1), larger)], &shape);
        let less_one = self.unary(graph, self.expm1, ratio);
        let rest = graph.scale(Num::int(-1), less_one);
        let log = self.unary(graph, self.log, rest);
        Some((LOG_OF_DIFFERENCE, graph.add(&[(Num::ONE, larger), (Num::ONE, log)], &shape)))
    }
}

/// The c, r and u of c·(1 + r·u).
fn number_and(graph: &Graph, node: NodeId) -> Option<(Num, Num, NodeId)> {
    let (scale, node) = scaled(graph, node);
    let Op::Add(c) = graph.op(node) else { return None };
    let [a, b] = *graph.args(node) else { return None };
    let number = |at: usize, id: NodeId| facts::number(graph, id).map(|value| value * c[at]);
    let (one, factor, term) = match (number(0, a), number(1, b)) {
        (Some(one), None) => (one, c[1], b),
        (None, Some(one)) => (one, c[0], a),
        _ => return None,
    };
    let (inside, term) = scaled(graph, term);
    Some((scale * one, factor * inside * one.recip()?, term))
}
