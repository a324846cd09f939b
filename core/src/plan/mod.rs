//! Planning. In: a graph and the results that are wanted. Out: steps over buffers, the same for every target that has loops.
//!
//! - [`hoist`]: what the steps of scans do without their state is done for all steps at once.
//! - [`keep`]: what others want of the steps of a scan is kept as it goes along.
//! - [`scale`]: scalar factors are moved to where they are applied once.
//! - [`contract`], `pairs`, [`blocks`]: every contraction gets one or two operands, in a cheap order; what is 0 off a diagonal stays apart.
//! - [`layout`]: tensors of three and more axes are stored in the order that products want.
//! - [`turn`]: what is read again and again across its rows is turned first.
//! - [`fuse`]: which nodes get a buffer.
//! - [`matmul`], [`counted`], [`kernel`], [`order`], [`scan`]: a [`step`] for each buffer.
//! - [`stream`]: steps that run along one axis do so block by block.
//!
//! Invariant: a step reads only buffers that an earlier step of its phase, or the forward phase, has filled.

pub mod blocks;
pub mod contract;
pub mod counted;
#[cfg(feature = "tools")]
pub mod factors;
pub mod fuse;
pub mod hoist;
pub mod keep;
pub mod kernel;
pub mod layout;
pub mod lin;
pub mod matmul;
pub mod order;
mod pairs;
pub mod scale;
pub mod scan;
pub mod step;
pub mod stream;
pub mod turn;

use crate::emit::Job;
use crate::few::{self, Each};
use crate::ir::{DimId, Graph, NodeId, Op, Shape, VarId};
use crate::ops::{self, Kind, OpId};
use chainrule_grammar::{Code, Diagnostic, Span};
use fuse::Fusion;
use std::collections::{BTreeMap, BTreeSet};
pub use step::{Phase, Step};
pub use stream::{Cut, Stream};

/// Phases of at most so many steps, ...
const SHORT: usize = 24;
/// ... which hand at most so many numbers to each other, have the forward phase and the backward phase in one function.
const AT_HAND: i128 = 1024;

/// Where numbers stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// A declared tensor.
    Var(VarId),
    /// A buffer of the workspace.
    Work(NodeId),
    /// A result that the caller wants, by number in its phase.
    Result(usize),
    /// Room for the use of a single step.
    Scratch,
}

/// Everything that generated code does.
pub struct Plan {
    /// The graph that the nodes of the slots are of.
    pub graph: Graph,
    /// The buffers of the workspace in order of first use.
    pub work: Vec<NodeId>,
    /// Losses and outputs.
    pub forward: Phase,
    /// Where each loss stands.
    pub losses: Vec<Slot>,
    /// Where each output stands.
    pub outputs: Vec<Slot>,
    /// For each loss, its gradients, given the forward phase; results in the order of its gradients.
    pub backward: Vec<Phase>,
    /// For each loss, its value and its gradients in one, where that saves something: the value in the workspace, the gradients as in
    /// the backward phase. Other buffers of the workspace hold nothing that is of use afterwards.
    pub both: Vec<Option<Phase>>,
    /// For each request, all of its work; results in order.
    pub requests: Vec<Phase>,
}

/// Which slot each stored node has, in one phase.
pub struct Slots<'a> {
    graph: &'a Graph,
    map: BTreeMap<NodeId, Slot>,
}

impl Slots<'_> {
    /// The slot that holds a node's entries, row-major, if any does.
    pub fn of(&self, mut node: NodeId) -> Option<Slot> {
        loop {
            if let Some(slot) = self.map.get(&node) {
                return Some(*slot);
            }
            match self.graph.op(node) {
                Op::Var(var) if !self.graph.var(*var).int => return Some(Slot::Var(*var)),
                Op::Reshape => node = self.graph.args(node)[0],
                _ => return None,
            }
        }
    }

    /// The same without tensors that are turned, if there are any beside `id`.
    fn without_turned(mut self, id: NodeId) -> Option<Self> {
        let count = self.map.len();
        self.map.retain(|node, _| *node == id || !turn::is_turn(self.graph, *node));
        (self.map.len() < count).then_some(self)
    }
}

/// Plans all functions of a job.
///
/// # Errors
/// A node that there is no code for.
pub fn plan(job: &Job) -> Result<Plan, Diagnostic> {
    let forward: Vec<NodeId> = job
        .losses
        .iter()
        .map(|loss| loss.value)
        .chain(job.outputs.iter().map(|output| output.value))
        .collect();
    let backward: Vec<Vec<NodeId>> = job.losses.each(|loss| loss.grads.each(|grad| grad.value));
    let requests: Vec<Vec<NodeId>> =
        job.requests.each(|request| request.results.each(|(_, node, _)| *node));
    let all = [
        forward.clone(),
        backward.iter().flatten().copied().collect(),
        requests.iter().flatten().copied().collect(),
    ]
    .concat();
    let (graph, hoisted) = hoist::hoist(job.graph, &all);
    let roots: Vec<NodeId> = all.each(|id| hoisted[id]);
    let (graph, kept) = keep::keep(graph, &roots);
    let roots: Vec<NodeId> = roots.each(|id| kept[id]);
    let (graph, scaled) = scale::scale(&graph, &roots);
    let roots: Vec<NodeId> = roots.each(|id| scaled[id]);
    let (graph, contracted) = contract::contract(&graph, &roots);
    let roots: Vec<NodeId> = roots.each(|id| contracted[id]);
    let (graph, laid) = layout::layout(&graph, &roots);
    let roots: Vec<NodeId> = roots.each(|id| laid[id]);
    let (mut graph, turned) = turn::turn(&graph, &roots);
    let block = stream::name(&mut graph);
    let moved = |nodes: &[NodeId]| {
        nodes.each(|id| turned[&laid[&contracted[&scaled[&kept[&hoisted[id]]]]]])
    };
    let plan = Planner::new(&graph, &moved(&all), block, job.threads).run(
        &moved(&forward),
        &backward.each(|n| moved(n)),
        &requests.each(|n| moved(n)),
        job.losses.len(),
    )?;
    Ok(Plan { graph, ..plan })
}

struct Planner<'a> {
    graph: &'a Graph,
    fusion: Fusion,
    work: Vec<NodeId>,
    listed: BTreeSet<NodeId>,
    /// For each scan, what else of its steps is wanted.
    followers: BTreeMap<NodeId, Vec<NodeId>>,
    /// The size of a block.
    block: DimId,
    /// Whether threads may share long work.
    threads: bool,
}

impl<'a> Planner<'a> {
    fn new(graph: &'a Graph, roots: &[NodeId], block: DimId, threads: bool) -> Planner<'a> {
        Planner {
            graph,
            fusion: Fusion::new(graph, roots, roots),
            work: Vec::new(),
            listed: BTreeSet::new(),
            followers: keep::followers(graph, roots),
            block,
            threads,
        }
    }

    /// The plan, without the graph that it is of.
    fn run(
        mut self,
        forward: &[NodeId],
        backward: &[Vec<NodeId>],
        requests: &[Vec<NodeId>],
        losses: usize,
    ) -> Result<Plan, Diagnostic> {
        let none = BTreeSet::new();
        let first = self.phase(forward, &[], &none, true)?;
        let done: BTreeSet<NodeId> = self.stored(forward);
        let both = forward[..losses]
            .iter()
            .zip(backward)
            .map(|(loss, roots)| {
                let phase = self.phase(&[*loss], roots, &none, false)?;
                let streams = phase.steps.iter().any(|step| matches!(step, Step::Stream(_)));
                Ok((streams || self.is_short(&phase)).then_some(phase))
            })
            .collect::<Result<_, _>>()?;
        let backward = backward
            .iter()
            .map(|roots| self.phase(&[], roots, &done, true))
            .collect::<Result<_, _>>()?;
        let requests = requests
            .iter()
            .map(|roots| self.phase(&[], roots, &none, false))
            .collect::<Result<_, _>>()?;
        let slots: Vec<Slot> = forward.each(|id| Slot::Work(*id));
        Ok(Plan {
            graph: Graph::default(),
            work: self.work,
            forward: first,
            losses: slots[..losses].to_vec(),
            outputs: slots[losses..].to_vec(),
            backward,
            both,
            requests,
        })
    }

    /// Whether all that a phase hands from step to step is so little that registers and the stack hold it.
    fn is_short(&self, phase: &Phase) -> bool {
        let sizes = phase.slots().into_iter().filter_map(|slot| match slot {
            Slot::Work(id) => Some(lin::volume(self.graph.shape(id)).as_fixed()),
            _ => None,
        });
        let all = sizes.into_iter().sum::<Option<i128>>();
        phase.steps.len() <= SHORT && all.is_some_and(|all| all <= AT_HAND)
    }

    /// The stored nodes that roots depend on, and the roots.
    fn stored(&self, roots: &[NodeId]) -> BTreeSet<NodeId> {
        let reachable = self.graph.reachable(roots).into_iter();
        let mut stored =
            few::set(reachable.filter(|id| self.fusion.is_stored(*id) || roots.contains(id)));
        for (scan, followers) in &self.followers {
            if stored.contains(scan) {
                stored.extend(followers);
            }
        }
        stored
    }

    /// The steps for `kept`, which stand in the workspace, and `results`, which are the caller's, given that `done` is filled.
    /// With `later`, a later phase reads the workspace.
    fn phase(
        &mut self,
        kept: &[NodeId],
        results: &[NodeId],
        done: &BTreeSet<NodeId>,
        later: bool,
    ) -> Result<Phase, Diagnostic> {
        let graph = self.graph;
        let mut slots = Slots { graph, map: BTreeMap::new() };
        for id in done {
            if !is_plain_var(graph, *id) {
                slots.map.insert(*id, Slot::Work(*id));
            }
        }
        let roots = [kept, results].concat();
        let mut phase = Phase::default();
        let needed = self.needed(&roots, done);
        for &id in &needed {
            if keep::follows(graph, id) {
                continue;
            }
            for follower in self.followers.get(&id).cloned().unwrap_or_default() {
                if later || needed.contains(&follower) {
                    slots.map.insert(follower, Slot::Work(follower));
                    self.list(Slot::Work(follower));
                }
            }
            let slot = match results.iter().position(|root| *root == id) {
                Some(at) if !kept.contains(&id) => Slot::Result(at),
                _ => Slot::Work(id),
            };
            phase.steps.push(self.step(&slots, id, slot)?);
            if !is_plain_var(graph, id) {
                slots.map.insert(id, slot);
            }
            self.list(slot);
        }
        for (at, root) in results.iter().enumerate() {
            self.copy(&mut phase, &slots, *root, Slot::Result(at))?;
        }
        let shape = |slot: Slot| match slot {
            Slot::Var(var) => graph.var(var).shape.clone(),
            Slot::Work(id) => graph.shape(id).clone(),
            Slot::Result(at) => graph.shape(results[at]).clone(),
            Slot::Scratch => Shape::new(),
        };
        let keep = |slot: Slot| match slot {
            Slot::Work(id) => later || kept.contains(&id),
            _ => true,
        };
        phase.steps = stream::stream(phase.steps, &shape, &keep, self.block, self.threads);
        phase.steps.iter_mut().for_each(Step::arrange);
        Ok(phase)
    }

    /// A result that already stands elsewhere is copied.
    fn copy(
        &mut self,
        phase: &mut Phase,
        slots: &Slots,
        root: NodeId,
        to: Slot,
    ) -> Result<(), Diagnostic> {
        if slots.map.get(&root) != Some(&to) && !phase.fills(to) {
            let kernel = kernel::copy(self.graph, slots, root, to);
            let step = kernel.map_err(|at| self.unsupported(at))?;
            phase.steps.push(Step::Loops(step));
        }
        Ok(())
    }

    /// What has to be computed, arguments first: stored nodes on the way to the roots that are not done, and roots.
    fn needed(&self, roots: &[NodeId], done: &BTreeSet<NodeId>) -> Vec<NodeId> {
        let mut needed = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if done.contains(&id) || !seen.insert(id) {
                continue;
            }
            if self.fusion.is_stored(id) || roots.contains(&id) {
                needed.insert(id);
            }
            stack.extend_from_slice(self.graph.args(id));
        }
        needed.into_iter().collect()
    }

    fn list(&mut self, slot: Slot) {
        if let Slot::Work(id) = slot
            && self.listed.insert(id)
        {
            self.work.push(id);
        }
    }

    fn step(&mut self, slots: &Slots, id: NodeId, out: Slot) -> Result<Step, Diagnostic> {
        let special = match self.graph.op(id) {
            Op::Einsum(_) => self.product(slots, id, None, out),
            Op::Add(_) => self.fusion.started(id).and_then(|(product, vector)| {
                let start = slots.of(vector)?;
                self.product(slots, product, Some(start), out)
            }),
            Op::Call(op, attrs) => self.call(slots, id, *op, attrs, out)?,
            Op::Gather | Op::Scatter(_) => Some(self.rows(slots, id, out)?),
            Op::Scan(body) => Some(self.scan(slots, id, *body, out)?),
            _ => None,
        };
        match special {
            Some(step) => Ok(step),
            None => self.nest(slots, id, out).map_err(|at| self.unsupported(at)),
        }
    }

    /// A loop nest, which reads tensors that are turned, or as they are declared, where that keeps more neighbours together.
    fn nest(&self, slots: &Slots, id: NodeId, out: Slot) -> Result<Step, NodeId> {
        let turned = kernel::kernel(self.graph, slots, id, out)?;
        let plain = Slots { graph: self.graph, map: slots.map.clone() }.without_turned(id);
        // What else is made of a turned tensor, a view of it say, has to have its buffer.
        let plain = plain.and_then(|slots| kernel::kernel(self.graph, &slots, id, out).ok());
        Ok(Step::Loops(match plain {
            Some(plain) if order::apart(&plain) < order::apart(&turned) => plain,
            _ => turned,
        }))
    }

    /// A contraction as a matrix product, where it is one.
    fn product(&self, slots: &Slots, id: NodeId, start: Option<Slot>, out: Slot) -> Option<Step> {
        let Op::Einsum(e) = self.graph.op(id) else {
            return None;
        };
        let product = matmul::strided(e)?;
        let args = self.graph.args(id);
        let (a, b) = (slots.of(args[0])?, slots.of(args[1])?);
        let (a, b) = if product.swapped { (b, a) } else { (a, b) };
        Some(Step::Matmul { product, a, b, start, adds: false, out })
    }

    fn call(
        &self,
        slots: &Slots,
        id: NodeId,
        op: OpId,
        attrs: &crate::ir::Attrs,
        out: Slot,
    ) -> Result<Option<Step>, Diagnostic> {
        let spec = ops::spec(op);
        let args = self.graph.args(id);
        let mut places = Vec::with_capacity(args.len());
        for arg in args {
            let slot = slots.of(*arg);
            if slot.is_none() && !matches!(spec.kind, Kind::Elementwise) {
                return Err(self.unsupported(id));
            }
            places.extend(slot);
        }
        match spec.kind {
            Kind::Elementwise => Ok(self.counted(slots, id, op, out)),
            _ if spec.rust.is_empty() => Err(self.unsupported(id)),
            Kind::Reduce | Kind::Along => {
                let shape = self.graph.shape(args[0]);
                let (Some(first), Some(last)) = (attrs.axes.first(), attrs.axes.last()) else {
                    return Err(self.unsupported(id));
                };
                let sizes = [&shape[..*first], &shape[*first..=*last], &shape[last + 1..]];
                Ok(Some(Step::Lanes { op, sizes: sizes.map(lin::volume), args: places, out }))
            }
            Kind::Structured { ranks, .. } => {
                let batch = ranks.iter().find_map(|ranks| self.batch(id, ranks));
                let Some((batch, ranks)) = batch else {
                    return Err(self.unsupported(id));
                };
                let trailing = args.iter().zip(&ranks).map(|(arg, rank)| {
                    let shape = self.graph.shape(*arg);
                    shape[shape.len() - rank..].to_vec()
                });
                Ok(Some(Step::Structured {
                    op,
                    args: trailing.zip(places).collect(),
                    shape: self.graph.shape(id)[batch.len()..].to_vec(),
                    batch: lin::volume(&batch),
                    ints: attrs.ints.clone(),
                    out,
                }))
            }
            _ => Err(self.unsupported(id)),
        }
    }

    /// An elementwise call whose last argument counts along the last axis.
    fn counted(&self, slots: &Slots, id: NodeId, op: OpId, out: Slot) -> Option<Step> {
        let base = slots.of(counted::base(self.graph, id)?)?;
        let (last, outer) = self.graph.shape(id).split_last()?;
        let sizes = [lin::volume(outer), last.clone(), crate::ir::Dim::fixed(1)];
        Some(Step::Lanes { op, sizes, args: vec![base], out })
    }

    /// The batch axes of a structured call for one row of ranks, where it fits.
    fn batch(&self, id: NodeId, ranks: &[usize]) -> Option<(Shape, Vec<usize>)> {
        let args = self.graph.args(id);
        let first = self.graph.shape(*args.first()?);
        let batch = first[..first.len().checked_sub(*ranks.first()?)?].to_vec();
        let fits = args.len() == ranks.len()
            && args.iter().zip(ranks).all(|(arg, rank)| {
                let shape = self.graph.shape(*arg);
                shape.len() >= *rank && shape[..shape.len() - rank] == batch[..]
            });
        (fits && self.graph.shape(id).starts_with(&batch)).then(|| (batch, ranks.to_vec()))
    }

    fn rows(&self, slots: &Slots, id: NodeId, out: Slot) -> Result<Step, Diagnostic> {
        let graph = self.graph;
        let [arg, indices] = graph.args(id) else {
            return Err(self.unsupported(id));
        };
        let scatter = matches!(graph.op(id), Op::Scatter(_));
        let table = if scatter { id } else { *arg };
        let (rows, int) = match graph.op(*indices) {
            Op::Var(var) if graph.var(*var).int => (Some(Slot::Var(*var)), true),
            _ => (slots.of(*indices), false),
        };
        let identity = !scatter && matches!(graph.op(*arg), Op::Delta(_));
        let arg = if identity { None } else { slots.of(*arg) };
        let (Some(indices_at), [of, row @ ..]) = (rows, graph.shape(table).as_slice()) else {
            return Err(self.unsupported(id));
        };
        if arg.is_none() && !identity {
            return Err(self.unsupported(id));
        }
        Ok(Step::Rows {
            scatter,
            count: lin::volume(graph.shape(*indices)),
            row: lin::volume(row),
            of: of.clone(),
            arg,
            indices: indices_at,
            int,
            out,
        })
    }

    fn unsupported(&self, id: NodeId) -> Diagnostic {
        let span = self.graph.spans.get(&id).copied().unwrap_or_else(Span::default);
        let what = match self.graph.op(id) {
            Op::Call(op, _) => format!("`{}` in generated code", ops::spec(*op).name),
            Op::Deriv => "a derivative that is not carried out".to_string(),
            _ => "this combination in generated code".to_string(),
        };
        Diagnostic::new(Code::Unsupported, span, format!("{what} is not supported yet"))
    }
}

/// Whether the node is a declared tensor of numbers: it is read where it stands.
fn is_plain_var(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.op(id), Op::Var(var) if !graph.var(*var).int)
}
