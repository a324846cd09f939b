//! In: a graph. Out: the same formulas where every contraction has one or two operands, in a cheap order.
//! Elementwise factors are joined into one operand, deltas are substituted away, scalars stand where they cost least.
//! Invariant: values do not change (up to rounding), and the graph grows by a bounded number of nodes a contraction.

use super::blocks::{self, Known};
use super::lin::estimate;
use super::pairs::Pairs;
use crate::few::{self, Each};
use crate::ir::{Dim, Einsum, Graph, NodeId, Num, Op, View};
use crate::ops::{self, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// A factor and the label that each of its axes is read at.
pub(super) type Factor = (NodeId, Vec<u32>);

/// Products of more factors take no further ones in.
const MOST_FACTORS: usize = 12;
/// A sum is taken apart only where the work falls at least to this part, ...
const SAVES: f64 = 0.75;
/// ... and to this part where it is worked out for others as well: estimates are rough.
const SAVES_MUCH: f64 = 0.5;

/// The formulas of `roots` again, ready for planning, and where each node went.
pub fn contract(graph: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let mut out = graph.clone();
    let mut map: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let bodies = super::scan::bodies(graph, roots);
    let steps = bodies.iter().map(|body| graph.bodies[body.0 as usize].result);
    let order = graph.reachable(&roots.iter().copied().chain(steps).collect::<Vec<_>>());
    let [softmax, log_softmax, exp] =
        ["softmax", "log_softmax", "exp"].map(|name| ops::known(name, 1));
    let logs: Vec<(&[NodeId], &crate::ir::Attrs)> = order
        .iter()
        .filter_map(|id| match graph.op(*id) {
            Op::Call(op, attrs) if *op == log_softmax => Some((graph.args(*id), attrs)),
            _ => None,
        })
        .collect();
    let once = read_once(graph, &order, roots);
    let mut inner: BTreeSet<NodeId> = BTreeSet::new();
    let mut known = Known::new();
    for &id in &order {
        let args: Vec<NodeId> = graph.args(id).each(|arg| map[arg]);
        let new = match graph.op(id) {
            Op::Einsum(e) => Product::new(&mut out, e, &args, &inner, &mut known).build(),
            Op::Gather | Op::Scatter(_) => blocks::rows(&mut out, id, args),
            Op::Call(op, attrs) if matches!(ops::spec(*op).kind, Kind::Reduce) => {
                let (op, attrs) = (*op, attrs.clone());
                trailing(&mut out, op, attrs, args, graph.shape(id).clone())
            }
            Op::Call(op, attrs) if *op == softmax && logs.contains(&(graph.args(id), attrs)) => {
                // The logarithm is there: one exponential gives the rest.
                let (attrs, shape) = (attrs.clone(), graph.shape(id).clone());
                let log = out.call(log_softmax, args, attrs, shape.clone());
                out.call(exp, vec![log], crate::ir::Attrs::default(), shape)
            }
            _ => out.with_args(id, args),
        };
        map.insert(id, new);
        // Arguments first, so that nothing is asked that goes deep.
        blocks::is_in_blocks(&out, &mut known, new);
        if once.contains(&id) {
            inner.insert(new);
        }
        if let Some(name) = graph.names.get(&id) {
            out.names.entry(new).or_insert_with(|| name.clone());
        }
        if let Some(span) = graph.spans.get(&id) {
            out.spans.entry(new).or_insert(*span);
        }
    }
    for body in &mut out.bodies {
        body.result = map.get(&body.result).copied().unwrap_or(body.result);
    }
    (out, map)
}

/// What a single product reads, and nothing else: it may as well be worked out as a part of that product.
fn read_once(graph: &Graph, order: &[NodeId], roots: &[NodeId]) -> BTreeSet<NodeId> {
    let mut uses = vec![(0, true); graph.len()];
    for id in order {
        let product = matches!(graph.op(*id), Op::Einsum(_));
        for arg in graph.args(*id) {
            let (times, by_product) = &mut uses[arg.0 as usize];
            (*times, *by_product) = (*times + 1, *by_product && product);
        }
    }
    let once = |id: &NodeId| uses[id.0 as usize] == (1, true) && !roots.contains(id);
    few::set(order.iter().copied().filter(once))
}

/// A reduction over axes that are not adjacent takes its argument with those axes last.
fn trailing(
    graph: &mut Graph,
    op: ops::OpId,
    mut attrs: crate::ir::Attrs,
    mut args: Vec<NodeId>,
    shape: Vec<Dim>,
) -> NodeId {
    let adjacent = attrs.axes.windows(2).all(|pair| pair[1] == pair[0] + 1);
    if !adjacent && let Some(arg) = args.first_mut() {
        let rank = graph.rank(*arg);
        let kept = (0..rank).filter(|axis| !attrs.axes.contains(axis));
        let order: Vec<usize> = kept.chain(attrs.axes.iter().copied()).collect();
        *arg = graph.permute(*arg, &order);
        attrs.axes = (rank - attrs.axes.len()..rank).collect();
    }
    graph.call(op, args, attrs, shape)
}

/// A view without an axis of size 1.
fn first_of(graph: &mut Graph, node: NodeId, axis: usize) -> NodeId {
    let Op::View(View { mut map, mut shape }) = graph.op(node).clone() else { return node };
    let arg = graph.args(node)[0];
    for affine in &mut map {
        affine.terms.retain(|(at, _)| *at != axis);
        affine.terms.iter_mut().for_each(|(at, _)| *at -= usize::from(*at > axis));
    }
    shape.remove(axis);
    graph.view(arg, View { map, shape })
}

/// One product being put in order.
pub(super) struct Product<'g> {
    pub(super) graph: &'g mut Graph,
    pub(super) factors: Vec<Factor>,
    pub(super) out: Vec<u32>,
    pub(super) sizes: BTreeMap<u32, Dim>,
    /// Products that only this one reads.
    pub(super) inner: &'g BTreeSet<NodeId>,
    /// What is known of the structure of nodes.
    pub(super) known: &'g mut Known,
}

impl<'g> Product<'g> {
    fn new(
        graph: &'g mut Graph,
        e: &Einsum,
        args: &[NodeId],
        inner: &'g BTreeSet<NodeId>,
        known: &'g mut Known,
    ) -> Product<'g> {
        let labels = |ins: &[u8]| ins.iter().map(|&ix| u32::from(ix)).collect::<Vec<u32>>();
        Product {
            graph,
            factors: args.iter().zip(&e.ins).map(|(arg, ins)| (*arg, labels(ins))).collect(),
            out: labels(&e.out),
            sizes: few::map((0..).zip(e.sizes.iter().cloned())),
            inner,
            known,
        }
    }

    pub(super) fn build(mut self) -> NodeId {
        self.flatten();
        self.drop_single();
        if let Some(sum) = self.multiplied_out() {
            return sum;
        }
        self.flatten_sums();
        self.substitute_deltas();
        self.count_absent();
        let (out, sizes) = (self.out.clone(), self.sizes.clone());
        if self.bound().is_empty() {
            let factors = std::mem::take(&mut self.factors);
            return self.product(&factors, &out);
        }
        let mut all = self.set_aside();
        if all.is_empty() {
            return self.summed();
        }
        let kept = self.out.clone();
        all.push((self.summed(), kept));
        self.sizes = sizes;
        self.product(&all, &out)
    }

    /// The product, some of whose indices are summed over, without deltas.
    fn summed(&mut self) -> NodeId {
        self.sum_private();
        let scalars = self.take_scalars();
        let mut groups = self.groups();
        let after = self.place_scalars(scalars, &mut groups);
        let result = self.pairwise(groups);
        if after.is_empty() {
            return result;
        }
        let mut all: Vec<Factor> = after.into_iter().map(|node| (node, Vec::new())).collect();
        all.push((result, self.out.clone()));
        let out = self.out.clone();
        self.product(&all, &out)
    }

    /// Factors that only rename indices, or that hold a delta, are replaced by what they are products of.
    fn flatten(&mut self) {
        let mut at = 0;
        while at < self.factors.len() {
            let (node, labels) = self.factors[at].clone();
            match self.transparent(node) {
                Some(e) if self.factors.len() + self.graph.args(node).len() <= MOST_FACTORS => {
                    let mut rename = vec![0; e.sizes.len()];
                    for (ix, label) in e.out.iter().zip(&labels) {
                        rename[*ix as usize] = *label;
                    }
                    let args = self.graph.args(node).to_vec();
                    let inner = args.into_iter().zip(&e.ins).map(|(arg, ins)| {
                        let labels = ins.each(|ix| rename[*ix as usize]);
                        (arg, labels)
                    });
                    self.factors.splice(at..=at, inner);
                }
                _ => at += 1,
            }
        }
    }

    /// A sum over one entry of what is read at places of a buffer is that entry, read at its place.
    fn drop_single(&mut self) {
        for label in self.bound() {
            let holds = |(_, labels): &Factor| labels.contains(&label);
            let holders: Vec<usize> =
                (0..self.factors.len()).filter(|&at| holds(&self.factors[at])).collect();
            if !self.sizes.get(&label).is_some_and(Dim::is_one)
                || !holders
                    .iter()
                    .all(|&at| matches!(self.graph.op(self.factors[at].0), Op::View(_)))
            {
                continue;
            }
            for at in holders {
                let (node, labels) = &mut self.factors[at];
                while let Some(axis) = labels.iter().position(|one| *one == label) {
                    *node = first_of(self.graph, *node, axis);
                    labels.remove(axis);
                }
            }
            self.sizes.remove(&label);
        }
    }

    /// `Σ_n w_n Σ_i Q_i y_ni = Σ_i Q_i Σ_n w_n y_ni`: a sum becomes a part of the product, where that saves work. One that others read as
    /// well is there in any case.
    fn flatten_sums(&mut self) {
        let mut at = 0;
        while at < self.factors.len() {
            let (node, labels) = self.factors[at].clone();
            let sizes = self.sizes.clone();
            if let Some(factors) = self.opened(node, &labels)
                && self.factors.len() + factors.len() <= MOST_FACTORS
            {
                let within: Vec<u32> = factors.iter().flat_map(|(_, ls)| ls.clone()).collect();
                let (own, part) = match self.inner.contains(&node) {
                    true => (self.volume(&within), SAVES),
                    false => (0.0, SAVES_MUCH),
                };
                let pairs = Pairs::new(&self.sizes, &self.out);
                let apart = own + pairs.work(&self.factors);
                let mut joined = self.factors.clone();
                joined.splice(at..=at, factors);
                if pairs.work(&joined) < part * apart {
                    self.factors = joined;
                    self.flatten();
                    continue;
                }
            }
            self.sizes = sizes;
            at += 1;
        }
    }

    /// The factors of a sum, its summed indices under labels of their own.
    fn opened(&mut self, node: NodeId, labels: &[u32]) -> Option<Vec<Factor>> {
        let Op::Einsum(e) = self.graph.op(node) else { return None };
        if e.bound().is_empty() {
            return None;
        }
        let e = e.clone();
        let mut rename = vec![0; e.sizes.len()];
        for (ix, label) in e.out.iter().zip(labels) {
            rename[*ix as usize] = *label;
        }
        for ix in e.bound() {
            let fresh = self.sizes.last_key_value().map_or(0, |(last, _)| last + 1);
            self.sizes.insert(fresh, e.sizes[ix as usize].clone());
            rename[ix as usize] = fresh;
        }
        let args = self.graph.args(node).iter().copied().zip(&e.ins);
        let factors = args.map(|(arg, ins)| (arg, ins.each(|ix| rename[*ix as usize]))).collect();
        Some(factors)
    }

    /// The indices of a product that its result or another operand has.
    fn kept(&self, labels: &[u32], others: &[Factor]) -> Vec<u32> {
        let wanted = |label: &u32| {
            self.out.contains(label) || others.iter().any(|(_, ls)| ls.contains(label))
        };
        distinct(labels).into_iter().filter(wanted).collect()
    }

    fn transparent(&self, node: NodeId) -> Option<Einsum> {
        let Op::Einsum(e) = self.graph.op(node) else {
            return None;
        };
        let args = self.graph.args(node);
        let delta = args.iter().any(|arg| matches!(self.graph.op(*arg), Op::Delta(_)));
        (e.bound().is_empty() && (args.len() <= 1 || delta)).then(|| e.clone())
    }

    /// `Σ_j δ_ij f_j = f_i`
    fn substitute_deltas(&mut self) {
        let mut at = 0;
        while at < self.factors.len() {
            let (node, labels) = &self.factors[at];
            let (true, [p, q]) = (matches!(self.graph.op(*node), Op::Delta(_)), labels.as_slice())
            else {
                at += 1;
                continue;
            };
            let (p, q) = (*p, *q);
            let (from, to) = if !self.out.contains(&q) { (q, p) } else { (p, q) };
            if p != q && self.out.contains(&from) {
                at += 1;
                continue;
            }
            self.factors.remove(at);
            if p != q {
                for label in self.factors.iter_mut().flat_map(|(_, labels)| labels) {
                    if *label == from {
                        *label = to;
                    }
                }
                self.sizes.remove(&from);
            }
        }
    }

    pub(super) fn bound(&self) -> Vec<u32> {
        self.sizes.keys().copied().filter(|label| !self.out.contains(label)).collect()
    }

    /// A summed index that stands nowhere multiplies by its size.
    fn count_absent(&mut self) {
        for label in self.bound() {
            if !self.factors.iter().any(|(_, labels)| labels.contains(&label))
                && let Some(dim) = self.sizes.remove(&label)
            {
                let size = self.graph.size(&dim);
                self.factors.push((size, Vec::new()));
            }
        }
    }

    /// `Σ_ij a_i b_j = (Σ_i a_i)(Σ_j b_j)`: indices that only one of several factors has are summed there.
    fn sum_private(&mut self) {
        if self.factors.len() < 2 {
            return;
        }
        let mut factors = std::mem::take(&mut self.factors);
        self.sum_alone(&mut factors);
        self.factors = factors;
        let present: Vec<u32> = self.factors.iter().flat_map(|(_, l)| l.clone()).collect();
        let out = &self.out;
        self.sizes.retain(|label, _| out.contains(label) || present.contains(label));
    }

    fn take_scalars(&mut self) -> Vec<NodeId> {
        let (scalars, rest) = std::mem::take(&mut self.factors)
            .into_iter()
            .partition(|(_, labels)| labels.is_empty());
        self.factors = rest;
        let scalars: Vec<Factor> = scalars;
        scalars.into_iter().map(|(node, _)| node).collect()
    }

    /// Factors whose indices all stand on another one are multiplied into that one.
    fn groups(&mut self) -> Vec<Vec<Factor>> {
        let mut factors = std::mem::take(&mut self.factors);
        let count = |factor: &Factor| distinct(&factor.1).len();
        few::sort_by(&mut factors, &|a, b| count(b).cmp(&count(a)));
        let mut groups: Vec<Vec<Factor>> = Vec::new();
        for factor in factors {
            let home = groups
                .iter()
                .enumerate()
                .filter(|(_, group)| factor.1.iter().all(|label| group[0].1.contains(label)))
                .min_by(|(_, a), (_, b)| self.volume(&a[0].1).total_cmp(&self.volume(&b[0].1)))
                .map(|(at, _)| at);
            match home {
                Some(at) => groups[at].push(factor),
                None => groups.push(vec![factor]),
            }
        }
        groups
    }

    pub(super) fn volume(&self, labels: &[u32]) -> f64 {
        distinct(labels).iter().filter_map(|label| self.sizes.get(label)).map(estimate).product()
    }

    /// Scalars go into an operand that is computed anyway, or the smallest, or are multiplied at the end: those are returned.
    fn place_scalars(&self, scalars: Vec<NodeId>, groups: &mut [Vec<Factor>]) -> Vec<NodeId> {
        if scalars.is_empty() || groups.len() < 2 {
            return scalars;
        }
        let computed = |group: &Vec<Factor>| {
            group.len() > 1
                || matches!(self.graph.op(group[0].0), Op::Add(_) | Op::Pow(_) | Op::Einsum(_))
        };
        let size = |at: &usize| self.volume(&groups[*at][0].1);
        let smallest = |candidates: Vec<usize>| {
            candidates.into_iter().min_by(|a, b| size(a).total_cmp(&size(b)))
        };
        let ready = smallest((0..groups.len()).filter(|&at| computed(&groups[at])).collect());
        let any = smallest((0..groups.len()).collect());
        let end = self.volume(&self.out);
        match (ready, any) {
            (Some(at), _) if size(&at) <= 4.0 * end => {}
            (_, Some(at)) if size(&at) < end => {}
            _ => return scalars,
        }
        if let Some(at) = ready.or(any) {
            groups[at].extend(scalars.into_iter().map(|node| (node, Vec::new())));
        }
        Vec::new()
    }

    /// The cheapest next pair is contracted until at most two operands are left.
    fn pairwise(&mut self, groups: Vec<Vec<Factor>>) -> NodeId {
        let mut operands: Vec<Factor> = groups
            .into_iter()
            .map(|group| {
                let labels = distinct(&group[0].1);
                let single = group.len() == 1;
                let node = if single { group[0].0 } else { self.product(&group, &labels) };
                (node, if single { group[0].1.clone() } else { labels })
            })
            .collect();
        self.sum_alone(&mut operands);
        let pairs = Pairs::new(&self.sizes, &self.out);
        while operands.len() > 2
            && let Some((p, q)) = pairs.first(&operands)
        {
            let b = operands.remove(q);
            let a = operands.remove(p);
            let kept = self.kept(&[a.1.as_slice(), &b.1].concat(), &operands);
            let node = self.graph.einsum(&[a, b], &kept, &[]);
            operands.push((node, kept));
        }
        let present: Vec<u32> = self
            .out
            .iter()
            .copied()
            .filter(|label| operands.iter().any(|(_, ls)| ls.contains(label)))
            .collect();
        let node = self.graph.einsum(&operands, &present, &[]);
        // Axes along which the result is repeated come last.
        let out = self.out.clone();
        self.product(&[(node, present)], &out)
    }

    /// `Σ_in q_i (w_n y_in) = Σ_i q_i Σ_n (w_n y_in)`: indices that only one of several operands has are summed there.
    fn sum_alone(&mut self, operands: &mut [Factor]) {
        for at in 0..operands.len() {
            let (node, labels) = operands[at].clone();
            let elsewhere = |label: &u32| {
                let mut others = operands.iter().enumerate().filter(|(other, _)| *other != at);
                self.out.contains(label) || others.any(|(_, (_, ls))| ls.contains(label))
            };
            let kept: Vec<u32> = distinct(&labels).into_iter().filter(elsewhere).collect();
            if operands.len() > 1 && labels.iter().any(|label| !kept.contains(label)) {
                operands[at] = (self.graph.einsum(&[(node, labels)], &kept, &[]), kept);
            }
        }
    }

    fn product(&mut self, factors: &[Factor], out: &[u32]) -> NodeId {
        let extra = self.extra(out);
        // Factors that say the same of one number are one number.
        let kept: Vec<Factor> = factors.to_vec();
        if kept.is_empty() && out.is_empty() {
            return self.graph.constant(Num::ONE);
        }
        self.graph.einsum(&kept, out, &extra)
    }

    fn extra(&self, out: &[u32]) -> Vec<(u32, Dim)> {
        out.iter().filter_map(|label| Some((*label, self.sizes.get(label)?.clone()))).collect()
    }
}

fn distinct(labels: &[u32]) -> Vec<u32> {
    let mut seen = Vec::new();
    for label in labels {
        if !seen.contains(label) {
            seen.push(*label);
        }
    }
    seen
}
