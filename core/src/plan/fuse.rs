//! In: a contracted graph. Out: which nodes get a buffer; all others are computed inside of the loops of their consumers.
//! Invariant: what is computed in place is bounded in size, so that code grows linearly with the graph.

use super::{counted, kernel, turn};
use crate::ir::{Einsum, Graph, NodeId, Num, Op};
use crate::ops::{self, Kind};
use std::collections::BTreeMap;

/// Entries cheaper than this may be computed by each of several consumers.
const CHEAP: u32 = 3;
/// Entries from this cost on are not computed again along a broadcast axis.
const DEAR: u32 = 6;
/// The largest formula that is computed in place.
const LARGEST: u32 = 40;

/// Which nodes get a buffer.
pub struct Fusion {
    stored: Vec<bool>,
    /// Sums that are a matrix product started from a vector: the product and the vector.
    started: BTreeMap<NodeId, (NodeId, NodeId)>,
}

impl Fusion {
    /// Decides for everything that `roots` depend on; `kept` are stored in any case.
    pub fn new(graph: &Graph, roots: &[NodeId], kept: &[NodeId]) -> Fusion {
        let order = graph.reachable(roots);
        let mut uses = vec![0_u32; graph.len()];
        for id in &order {
            for arg in graph.args(*id) {
                uses[arg.0 as usize] += 1;
            }
        }
        let mut fusion = Fusion { stored: vec![false; graph.len()], started: BTreeMap::new() };
        for id in kept {
            fusion.stored[id.0 as usize] = !is_leaf(graph, *id);
        }
        for id in &order {
            fusion.demand(graph, *id);
        }
        for id in &order {
            fusion.start(graph, *id, &uses, kept);
        }
        fusion.by_cost(graph, &order, &uses);
        fusion
    }

    /// `x @ W + b`, where nobody else reads the product: the product is added to rows of b.
    fn start(&mut self, graph: &Graph, id: NodeId, uses: &[u32], kept: &[NodeId]) {
        if let Some((product, vector)) = super::matmul::biased(graph, id)
            && uses[product.0 as usize] == 1
            && !kept.contains(&product)
        {
            self.started.insert(id, (product, vector));
            self.stored[id.0 as usize] = true;
            self.stored[product.0 as usize] = false;
            self.operands(graph, &[vector]);
        }
    }

    /// The product and the vector of a sum that is a matrix product started from a vector.
    pub fn started(&self, id: NodeId) -> Option<(NodeId, NodeId)> {
        self.started.get(&id).copied()
    }

    /// Whether the node has a buffer of its own.
    pub fn is_stored(&self, id: NodeId) -> bool {
        self.stored[id.0 as usize]
    }

    /// Nodes that are stored whatever they cost: results of kernels, and what kernels read.
    fn demand(&mut self, graph: &Graph, id: NodeId) {
        let args = graph.args(id);
        match graph.op(id) {
            Op::Einsum(e) if !e.bound().is_empty() => {
                self.stored[id.0 as usize] = true;
                if super::matmul::is_matmul(e) {
                    self.operands(graph, args);
                }
            }
            Op::Einsum(e) => {
                for (arg, ins) in args.iter().zip(&e.ins) {
                    if turn::is_repeated(graph, e, *arg, ins) {
                        self.operands(graph, &[*arg]);
                    }
                }
            }
            Op::Call(op, _) if !matches!(ops::spec(*op).kind, Kind::Elementwise) => {
                self.stored[id.0 as usize] = true;
                self.operands(graph, args);
            }
            Op::Call(..) => {
                if let Some(base) = counted::base(graph, id) {
                    self.stored[id.0 as usize] = true;
                    self.operands(graph, &[base]);
                }
            }
            Op::Gather | Op::Scatter(_) => {
                self.stored[id.0 as usize] = true;
                let identity = matches!(graph.op(args[0]), Op::Delta(_));
                self.operands(graph, &args[usize::from(identity)..]);
                if let [_, rows] = args
                    && matches!(graph.op(*rows), Op::Var(_))
                {
                    self.stored[rows.0 as usize] = false;
                }
            }
            Op::Scan(_) => {
                self.stored[id.0 as usize] = true;
                let read = super::scan::reads(graph, id).into_iter().map(|(arg, _)| arg);
                self.operands(graph, &read.collect::<Vec<_>>());
            }
            // A view reads a buffer; a reshape is a name for its argument's buffer.
            Op::View(_) | Op::Reshape => self.operands(graph, args),
            _ => {}
        }
    }

    fn operands(&mut self, graph: &Graph, args: &[NodeId]) {
        for arg in args {
            if !matches!(graph.op(*arg), Op::Var(v) if !graph.var(*v).int)
                && !matches!(graph.op(*arg), Op::Reshape)
            {
                self.stored[arg.0 as usize] = true;
            }
        }
    }

    fn by_cost(&mut self, graph: &Graph, order: &[NodeId], uses: &[u32]) {
        let mut cost = vec![0_u32; graph.len()];
        for &id in order {
            let at = id.0 as usize;
            if self.stored[at] || is_leaf(graph, id) || matches!(graph.op(id), Op::Reshape) {
                continue;
            }
            if let Op::Einsum(e) = graph.op(id) {
                self.before_broadcast(graph, id, e, &mut cost);
            }
            let own = own_cost(graph, id);
            cost[at] = graph
                .args(id)
                .iter()
                .fold(own, |sum, arg| sum.saturating_add(cost[arg.0 as usize]));
            if (uses[at] >= 2 && cost[at] >= CHEAP) || cost[at] > LARGEST {
                self.stored[at] = true;
                cost[at] = 0;
            }
        }
        // Operands of loops that sum are read once for each of more entries than they have.
        for &id in order {
            if let Op::Einsum(e) = graph.op(id)
                && !e.bound().is_empty()
            {
                self.before_broadcast(graph, id, e, &mut cost);
            }
        }
    }

    fn before_broadcast(&mut self, graph: &Graph, id: NodeId, e: &Einsum, cost: &mut [u32]) {
        for (arg, ins) in graph.args(id).iter().zip(&e.ins) {
            let at = arg.0 as usize;
            let mut own: Vec<u8> = ins.clone();
            own.sort_unstable();
            own.dedup();
            if own.len() < e.sizes.len() && !own.is_empty() && cost[at] >= DEAR {
                self.stored[at] = true;
                cost[at] = 0;
            }
        }
    }
}

/// Variables and numbers need no buffer.
pub fn is_leaf(graph: &Graph, id: NodeId) -> bool {
    matches!(
        graph.op(id),
        Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_) | Op::Delta(_) | Op::Range(_)
    )
}

fn constant(graph: &Graph, id: NodeId) -> bool {
    graph.args(id).iter().all(|arg| matches!(graph.op(*arg), Op::Const(_)))
}

/// Whether the axes of all operands stand in the order of the result's.
fn in_order(e: &Einsum) -> bool {
    let place = |ix: &u8| e.out.iter().position(|one| one == ix);
    e.ins.iter().all(|ins| ins.is_sorted_by(|a, b| place(a) < place(b)))
}

/// About how many additions one entry costs, arguments aside.
pub fn own_cost(graph: &Graph, id: NodeId) -> u32 {
    match graph.op(id) {
        Op::Pow(r) if *r == Num::int(2) => 1,
        Op::Pow(r) if r.as_int().is_some_and(|n| n > 0) => 3,
        Op::Pow(_) => 6,
        Op::Call(op, _) => {
            if ops::spec(*op).is_cheap() {
                2
            } else {
                12
            }
        }
        // A number is the same wherever it is repeated.
        Op::Einsum(e) if e.ins.iter().all(Vec::is_empty) && constant(graph, id) => 0,
        // Neighbours stay neighbours.
        Op::Einsum(e) if e.bound().is_empty() && e.ins.len() == 1 && in_order(e) => 0,
        Op::Einsum(e) => (e.ins.len() as u32).saturating_sub(1).max(1),
        Op::Add(c) => c.len() as u32,
        Op::View(view) => {
            let guards = kernel::guards(view, graph.shape(graph.args(id)[0]));
            1 + 3 * guards as u32
        }
        _ => 1,
    }
}
