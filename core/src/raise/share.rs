//! Which nodes get a name of their own in a `where` list, so that formulas stay short and their total length stays linear in
//! the graph. One pass over ascending ids; nothing recurses.

use super::Names;
use crate::few;
use crate::ir::{NodeId, Op};
use crate::simplify::picked;
use std::collections::BTreeSet;

/// A formula used twice is named when it is longer than this.
const SMALL: usize = 8;
/// No formula nests deeper than this.
const DEEP: usize = 60;

#[derive(Clone, Copy, Default)]
struct Extent {
    size: usize,
    depth: usize,
}

/// Names (`t1`, `t2`, …) for unnamed nodes below `root`: those used twice or more whose formula is not short or
/// whose entries are picked, and those that
/// keep every formula within `limit` parts. In the order in which they can be read: each uses only earlier ones.
pub fn share(names: &Names<'_>, root: NodeId, limit: usize) -> Vec<(String, NodeId)> {
    label(names, shared(names, root, limit))
}

/// The nodes that [`share`] names, ascending.
pub fn shared(names: &Names<'_>, root: NodeId, limit: usize) -> BTreeSet<NodeId> {
    let graph = names.graph;
    let nodes = reachable(names, root);
    let position = |id: NodeId| nodes.binary_search(&id).ok();
    let uses = count_uses(names, root, &nodes);
    let picked = picked(graph, &nodes);
    let mut extents = vec![Extent::default(); nodes.len()];
    let mut shared: BTreeSet<NodeId> = BTreeSet::new();
    for (at, &id) in nodes.iter().enumerate() {
        if stops(names, root, id) {
            extents[at] = Extent { size: 1, depth: 1 };
            continue;
        }
        let args: Vec<NodeId> = graph.args(id).to_vec();
        // Under another shape a tensor is read whole, so that the order of its axes must be seen.
        let whole = matches!(graph.op(id), Op::Reshape) && graph.rank(args[0]) > 2;
        if whole && !stops(names, root, args[0]) {
            name_it(args[0], &mut shared, &mut extents, &position);
        }
        let inner = |arg: NodeId| match stops(names, root, arg) {
            true => &[][..],
            false => graph.args(arg),
        };
        let extent = cut(&args, &inner, limit, &mut shared, &mut extents, &position);
        extents[at] = extent;
        let long = extent.size > SMALL && !is_transparent(names, id);
        if id != root && uses[at] > 1 && (long || picked.contains(&id)) {
            name_it(id, &mut shared, &mut extents, &position);
        }
    }
    shared
}

/// The extent of a node over these arguments, the largest of which are named until it is within bounds; of one that is nearly all of the
/// formula its own largest argument is, so that the formula shows what is done with that.
fn cut<'g>(
    args: &[NodeId],
    inner: &dyn Fn(NodeId) -> &'g [NodeId],
    limit: usize,
    shared: &mut BTreeSet<NodeId>,
    extents: &mut [Extent],
    position: &dyn Fn(NodeId) -> Option<usize>,
) -> Extent {
    let extent = total(args, extents, position);
    let mut by_size: Vec<(usize, NodeId)> =
        args.iter().filter_map(|&arg| Some((extents[position(arg)?].size, arg))).collect();
    few::sort(&mut by_size);
    by_size.dedup();
    let mut size = extent.size;
    while let Some((own, arg)) = by_size.pop() {
        let deep = position(arg).is_some_and(|at| extents[at].depth >= DEEP);
        let large = size > limit.max(SMALL) && own > 2;
        let largest =
            inner(arg).iter().filter_map(|&part| Some((extents[position(part)?].size, part)));
        let most = largest.max().filter(|(most, _)| *most > SMALL && own + SMALL > size);
        if let Some((_, part)) = most.filter(|_| large && !deep) {
            name_it(part, shared, extents, position);
            let less = total(inner(arg), extents, position);
            let count = args.iter().filter(|other| **other == arg).count();
            size = size.saturating_sub((own - less.size.min(own)) * count);
            if let Some(at) = position(arg) {
                extents[at] = less;
            }
            by_size.push((less.size, arg));
        } else if deep || large {
            name_it(arg, shared, extents, position);
            size = size.saturating_sub(own * args.iter().filter(|other| **other == arg).count());
        }
    }
    total(args, extents, position)
}

fn name_it(
    id: NodeId,
    shared: &mut BTreeSet<NodeId>,
    extents: &mut [Extent],
    position: &dyn Fn(NodeId) -> Option<usize>,
) {
    shared.insert(id);
    if let Some(at) = position(id) {
        extents[at] = Extent { size: 1, depth: 1 };
    }
}

fn total(
    args: &[NodeId],
    extents: &[Extent],
    position: &dyn Fn(NodeId) -> Option<usize>,
) -> Extent {
    let own = Extent { size: 1, depth: 0 };
    let mut sum = args.iter().filter_map(|&arg| position(arg)).fold(own, |sum, at| Extent {
        size: sum.size.saturating_add(extents[at].size),
        depth: sum.depth.max(extents[at].depth),
    });
    sum.depth += 1;
    sum
}

/// Whether a formula that contains this node stops at it.
fn stops(names: &Names<'_>, root: NodeId, id: NodeId) -> bool {
    names.graph.args(id).is_empty() || (id != root && names.of(id).is_some())
}

/// What the formula of the root shows, ascending.
fn reachable(names: &Names<'_>, root: NodeId) -> Vec<NodeId> {
    let mut seen = BTreeSet::new();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        if seen.insert(id) && !stops(names, root, id) {
            stack.extend_from_slice(names.graph.args(id));
        }
    }
    seen.into_iter().collect()
}

/// How often each node is written in the formulas. What stands below a mere scaling or repetition counts as used where that is.
fn count_uses(names: &Names<'_>, root: NodeId, nodes: &[NodeId]) -> Vec<usize> {
    let mut uses = vec![0usize; nodes.len()];
    for (at, &id) in nodes.iter().enumerate().rev() {
        if stops(names, root, id) {
            continue;
        }
        let times = if is_transparent(names, id) { uses[at].max(1) } else { 1 };
        for arg in names.graph.args(id) {
            if let Ok(below) = nodes.binary_search(arg) {
                uses[below] = uses[below].saturating_add(times);
            }
        }
    }
    uses
}

/// Whether a node adds nothing to speak of to its argument: a scaling, a repetition, a transposition.
fn is_transparent(names: &Names<'_>, id: NodeId) -> bool {
    match names.graph.op(id) {
        Op::Add(coefficients) => coefficients.len() == 1,
        Op::Einsum(einsum) => einsum.ins.len() == 1 && einsum.bound().is_empty(),
        _ => false,
    }
}

fn label(names: &Names<'_>, shared: BTreeSet<NodeId>) -> Vec<(String, NodeId)> {
    let graph = names.graph;
    let mut taken: BTreeSet<String> = few::set(graph.vars.iter().map(|var| var.name.clone()));
    taken.extend(graph.names.values().cloned());
    taken.extend(names.extra.values().cloned());
    taken.extend(graph.dims.iter().map(|dim| dim.name.clone()));
    taken.extend(graph.consts.iter().map(|(name, _)| name.clone()));
    let mut fresh = (1..).map(|k: usize| format!("t{k}")).filter(|name| !taken.contains(name));
    shared.into_iter().filter_map(|id| Some((fresh.next()?, id))).collect()
}
