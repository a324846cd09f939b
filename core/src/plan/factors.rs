//! In: the nodes of a function. Out: where numbers that its products are multiplied by go: `x.T @ d / B` and `sum(d) / B` are `x.T @ e` and
//! `sum(e)` of `e = d / B`, which is the smaller array and one for all.
//!
//! Invariant: an array is scaled only where everything that is made of it is a product that wants that number, once.

use super::lin::estimate;
use crate::ir::{Graph, NodeId, Op};
use std::collections::{BTreeMap, BTreeSet};

/// What moves.
#[derive(Default)]
pub struct Scales {
    /// Products, with the factors that they leave out.
    pub without: BTreeMap<NodeId, Vec<NodeId>>,
    /// Nodes, with the factors that they get.
    pub with: BTreeMap<NodeId, Vec<NodeId>>,
    /// The factors and what they are made of.
    pub early: BTreeSet<NodeId>,
}

/// What moves in a function of these nodes, which stand in ascending order; `fixed` are those that have to keep their values.
pub fn scales(graph: &Graph, order: &[NodeId], fixed: &dyn Fn(NodeId) -> bool) -> Scales {
    let mut scales = Scales::default();
    // The step of a scan has nodes in common with what stands around it.
    if order.iter().any(|id| matches!(graph.op(*id), Op::Scan(_))) {
        return scales;
    }
    let mut users: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for &id in order {
        graph.args(id).iter().for_each(|arg| users.entry(*arg).or_default().push(id));
    }
    for &factor in order.iter().filter(|id| is_number(graph, **id)) {
        let all = users.get(&factor).into_iter().flatten().copied();
        let wanting: BTreeSet<NodeId> = all.filter(|id| is_product(graph, *id)).collect();
        let carriers = carriers(graph, &users, &wanting, fixed);
        let without: Vec<NodeId> =
            wanting.iter().copied().filter(|id| carriers.of.contains_key(id)).collect();
        let size = |ids: &[NodeId]| -> f64 { ids.iter().map(|id| volume(graph, *id)).sum() };
        if size(&carriers.last) >= size(&without) {
            continue;
        }
        without.into_iter().for_each(|id| scales.without.entry(id).or_default().push(factor));
        carriers.last.iter().for_each(|id| scales.with.entry(*id).or_default().push(factor));
        scales.early.insert(factor);
        scales.early.extend(graph.args(factor));
    }
    scales
}

/// A size, a declared number, or a power of one.
fn is_number(graph: &Graph, id: NodeId) -> bool {
    let plain = |id: NodeId| matches!(graph.op(id), Op::Size(_) | Op::Var(_) | Op::Named(_));
    let power = matches!(graph.op(id), Op::Pow(_));
    graph.rank(id) == 0 && (plain(id) || power && graph.args(id).iter().all(|arg| plain(*arg)))
}

fn is_product(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.op(id), Op::Einsum(_))
}

/// Whether products are divided by the argument instead: then there is no array of this node that a number could come into.
fn divides(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.op(id), Op::Pow(exponent) if exponent.is_negative())
}

fn volume(graph: &Graph, id: NodeId) -> f64 {
    graph.shape(id).iter().map(estimate).product()
}

/// Which argument of each product brings the factor along, and where it comes in.
struct Carriers {
    of: BTreeMap<NodeId, NodeId>,
    last: Vec<NodeId>,
}

/// From the results towards the arguments: an array carries the factor if all that it is used for wants it.
fn carriers(
    graph: &Graph,
    users: &BTreeMap<NodeId, Vec<NodeId>>,
    wanting: &BTreeSet<NodeId>,
    fixed: &dyn Fn(NodeId) -> bool,
) -> Carriers {
    let (mut wants, mut of) = (wanting.clone(), BTreeMap::<NodeId, NodeId>::new());
    let mut last = BTreeSet::new();
    // What carries for most comes first, products before what ends the way.
    let rank = |id: &NodeId| (users[id].len(), is_product(graph, *id), *id);
    let mut open: BTreeSet<_> = wants.iter().flat_map(|id| graph.args(*id)).map(rank).collect();
    while let Some((_, product, id)) = open.pop_last() {
        let once = users[&id].iter().all(|user| {
            graph.args(*user).iter().filter(|arg| **arg == id).count() == 1
                && wants.contains(user)
                && !of.contains_key(user)
        });
        let is_array = graph.rank(id) > 0 && !graph.args(id).is_empty() && !divides(graph, id);
        if !once || !is_array || wants.contains(&id) || fixed(id) {
            continue;
        }
        of.extend(users[&id].iter().map(|user| (*user, id)));
        last.insert(id);
        if product {
            wants.insert(id);
            open.extend(graph.args(id).iter().map(rank));
        }
    }
    last.retain(|id| !of.contains_key(id));
    Carriers { of, last: last.into_iter().collect() }
}
