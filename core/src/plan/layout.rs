//! In: a contracted graph. Out: the same formulas where tensors along which products are many products at once are stored with
//! those axes first, so that each is a row of matrix products; longer axes stand later.
//! Invariant: values do not change, and declared tensors, results and what is not computed entry by entry keep their order.

use super::lin::estimate;
use crate::few::{self, Each};
use crate::ir::{Einsum, Graph, NodeId, Op};
use crate::ops::{self, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// An axis of a node.
type Axis = (NodeId, usize);

/// The formulas of `roots` again, and where each node went. A node that keeps its order of axes has its value there;
/// of the others only the other nodes know.
pub fn layout(graph: &Graph, roots: &[NodeId]) -> (Graph, BTreeMap<NodeId, NodeId>) {
    let order = graph.reachable(roots);
    let free = free(graph, &order, roots);
    let orders = orders(graph, &order, &free);
    let mut rebuilt = Rebuilt { out: graph.clone(), map: BTreeMap::new(), orders };
    for &id in &order {
        let new = rebuilt.node(graph, id);
        rebuilt.map.insert(id, new);
        if let Some(name) = graph.names.get(&id) {
            rebuilt.out.names.entry(new).or_insert_with(|| name.clone());
        }
        if let Some(span) = graph.spans.get(&id) {
            rebuilt.out.spans.entry(new).or_insert(*span);
        }
    }
    (rebuilt.out, rebuilt.map)
}

/// Nodes that are computed entry by entry, or as a product, and read by such alone: their axes may stand in any order.
fn free(graph: &Graph, order: &[NodeId], roots: &[NodeId]) -> BTreeSet<NodeId> {
    let by_entries = |id: NodeId| match graph.op(id) {
        Op::Einsum(_) | Op::Add(_) | Op::Pow(_) => true,
        Op::Call(op, _) => matches!(ops::spec(*op).kind, Kind::Elementwise),
        _ => false,
    };
    let is_free = |id: &NodeId| by_entries(*id) && graph.rank(*id) > 1 && !roots.contains(id);
    let mut free: BTreeSet<NodeId> = few::set(order.iter().copied().filter(is_free));
    for &id in order.iter().filter(|&&id| !by_entries(id) && !reduces(graph, id)) {
        for arg in graph.args(id) {
            free.remove(arg);
        }
    }
    free
}

/// A function along one axis whose result has one order of axes only: its argument may have any.
fn reduces(graph: &Graph, id: NodeId) -> bool {
    match graph.op(id) {
        Op::Call(op, attrs) => {
            let along_one = attrs.axes.len() == 1 && matches!(ops::spec(*op).kind, Kind::Reduce);
            along_one && graph.rank(id) < 2
        }
        _ => false,
    }
}

/// For each free node, where the axes that it is stored by stand in its formula.
fn orders(
    graph: &Graph,
    order: &[NodeId],
    free: &BTreeSet<NodeId>,
) -> BTreeMap<NodeId, Vec<usize>> {
    let classes = Classes::new(graph, order, free);
    let mut shared: BTreeMap<Axis, i32> = BTreeMap::new();
    for &id in order {
        let Op::Einsum(e) = graph.op(id) else { continue };
        for ix in 0..e.sizes.len() as u8 {
            let Some(vote) = vote(e, ix) else { continue };
            if let Some(class) = axes(graph, id, e, ix).into_iter().find_map(|at| classes.of(at)) {
                *shared.entry(class).or_default() += vote;
            }
        }
    }
    let stands = stands(graph, order);
    let place = |axis: Axis| {
        let class = classes.of(axis).unwrap_or(axis);
        let first = shared.get(&class).is_some_and(|votes| *votes > 0);
        let after = stands.get(&axis).copied().unwrap_or(usize::MAX);
        (first, estimate(&graph.shape(class.0)[class.1]), (class, after))
    };
    let ordered = |&id: &NodeId| {
        let rank = graph.rank(id);
        if !(0..rank).any(|at| place((id, at)).0) {
            return (id, (0..rank).collect());
        }
        let axes = few::order(rank, &|a, b| {
            let ((p, x, c), (q, y, d)) = (place((id, a)), place((id, b)));
            q.cmp(&p).then(x.total_cmp(&y)).then(c.cmp(&d))
        });
        (id, axes)
    };
    few::map(free.iter().map(ordered))
}

/// Where the axes of what a product reads stand in the product: rows in the same order are one axis of a matrix.
fn stands(graph: &Graph, order: &[NodeId]) -> BTreeMap<Axis, usize> {
    let mut stands = BTreeMap::new();
    for &id in order {
        let Op::Einsum(e) = graph.op(id) else { continue };
        for (arg, ins) in graph.args(id).iter().zip(&e.ins) {
            for (axis, ix) in ins.iter().enumerate() {
                if let Some(at) = e.out.iter().position(|one| one == ix) {
                    stands.entry((*arg, axis)).or_insert(at);
                }
            }
        }
    }
    stands
}

/// Whether an index of a product of two is one along which it is many products; `None` where it is no product of two.
fn vote(e: &Einsum, ix: u8) -> Option<i32> {
    let [a, b] = e.ins.as_slice() else { return None };
    let side =
        |one: &[u8], other: &[u8]| one.iter().any(|ix| e.out.contains(ix) && !other.contains(ix));
    if e.bound().is_empty() || !(side(a, b) || side(b, a)) {
        return None;
    }
    let everywhere = a.contains(&ix) && b.contains(&ix) && e.out.contains(&ix);
    Some(if everywhere { 1 } else { -1 })
}

/// The axes of a product and of what it reads that one of its indices runs along.
fn axes(graph: &Graph, id: NodeId, e: &Einsum, ix: u8) -> Vec<Axis> {
    let of = |node: NodeId, labels: &[u8]| -> Vec<Axis> {
        labels.iter().enumerate().filter(|(_, at)| **at == ix).map(|(at, _)| (node, at)).collect()
    };
    let read = graph.args(id).iter().zip(&e.ins).flat_map(|(arg, ins)| of(*arg, ins));
    of(id, &e.out).into_iter().chain(read).collect()
}

/// Axes of free nodes that run together have one class, named by its first axis.
struct Classes(BTreeMap<Axis, Axis>);

impl Classes {
    fn new(graph: &Graph, order: &[NodeId], free: &BTreeSet<NodeId>) -> Classes {
        let all = free.iter().flat_map(|&id| (0..graph.rank(id)).map(move |at| (id, at)));
        let mut classes = Classes(few::map(all.map(|axis| (axis, axis))));
        for &id in order {
            match graph.op(id) {
                Op::Einsum(e) => {
                    for ix in 0..e.sizes.len() as u8 {
                        classes.join(&axes(graph, id, e, ix));
                    }
                }
                _ if free.contains(&id) => {
                    for at in 0..graph.rank(id) {
                        let args = graph.args(id).iter().map(|arg| (*arg, at));
                        classes.join(&std::iter::once((id, at)).chain(args).collect::<Vec<_>>());
                    }
                }
                _ => {}
            }
        }
        classes
    }

    fn of(&self, axis: Axis) -> Option<Axis> {
        let mut at = axis;
        while *self.0.get(&at)? != at {
            at = self.0[&at];
        }
        Some(at)
    }

    fn join(&mut self, axes: &[Axis]) {
        let classes: Vec<Axis> = axes.iter().filter_map(|axis| self.of(*axis)).collect();
        if let Some(&first) = classes.iter().min() {
            for class in classes {
                self.0.insert(class, first);
            }
        }
    }
}

struct Rebuilt {
    out: Graph,
    map: BTreeMap<NodeId, NodeId>,
    orders: BTreeMap<NodeId, Vec<usize>>,
}

impl Rebuilt {
    fn node(&mut self, graph: &Graph, id: NodeId) -> NodeId {
        let args = graph.args(id);
        if let Op::Einsum(e) = graph.op(id) {
            let factors: Vec<(NodeId, Vec<u32>)> = args
                .iter()
                .zip(&e.ins)
                .map(|(arg, ins)| (self.map[arg], self.labels(*arg, ins)))
                .collect();
            let extra: Vec<(u32, crate::ir::Dim)> = (0..).zip(e.sizes.iter().cloned()).collect();
            let out = self.labels(id, &e.out);
            return self.out.einsum(&factors, &out, &extra);
        }
        if let (true, Op::Call(op, attrs), [arg]) = (reduces(graph, id), graph.op(id), args)
            && let Some(order) = self.orders.get(arg)
        {
            let mut attrs = attrs.clone();
            let at = |axis: &usize| order.iter().position(|one| one == axis).unwrap_or(*axis);
            attrs.axes = attrs.axes.each(at);
            attrs.axes.sort_unstable();
            return self.out.call(*op, vec![self.map[arg]], attrs, graph.shape(id).clone());
        }
        let own = self.orders.get(&id).cloned();
        let args: Vec<NodeId> = args.each(|arg| self.read(*arg, own.as_deref()));
        match own {
            None => self.out.with_args(id, args),
            Some(axes) => {
                let shape = axes.each(|&at| graph.shape(id)[at].clone());
                self.out.push(graph.op(id).clone(), args, shape)
            }
        }
    }

    /// The labels of a node's axes, in the order in which it is stored.
    fn labels(&self, id: NodeId, of: &[u8]) -> Vec<u32> {
        match self.orders.get(&id) {
            Some(axes) => axes.each(|&at| u32::from(of[at])),
            None => of.each(|&ix| u32::from(ix)),
        }
    }

    /// A node with its axes in this order, or in that of its formula.
    fn read(&mut self, id: NodeId, axes: Option<&[usize]>) -> NodeId {
        let rank = self.out.rank(self.map[&id]);
        let plain: Vec<usize> = (0..rank).collect();
        let stored = self.orders.get(&id).cloned().unwrap_or_else(|| plain.clone());
        let wanted = axes.unwrap_or(&plain);
        let at = |axis: &usize| stored.iter().position(|one| one == axis).unwrap_or(*axis);
        let order: Vec<usize> = wanted.each(at);
        if order == plain { self.map[&id] } else { self.out.permute(self.map[&id], &order) }
    }
}
