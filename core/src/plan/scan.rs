//! In: a scan. Out: its step planned as a phase of its own, which runs once for each entry of the sequences; nothing is unrolled.
//! Invariant: the phase reads only stand-ins and buffers that it has filled itself, and leaves the next state in its first result.

use super::fuse::Fusion;
use super::lin::volume;
use super::{Phase, Planner, Slot, Slots, Step};
use crate::few::{self, Each};
use crate::ir::stack::flipped;
use crate::ir::{BodyId, Dim, Graph, NodeId, Op, VarId};
use chainrule_grammar::Diagnostic;
use std::collections::BTreeSet;

/// A sequence that a step reads one entry of.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The variable that stands for an entry.
    pub var: VarId,
    /// Where the sequence is.
    pub slot: Slot,
    /// How many numbers an entry has.
    pub row: Dim,
    /// Whether it is read backwards.
    pub flipped: bool,
}

/// A state carried along the first axis.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Which; unlike that of any scan around it.
    pub body: BodyId,
    /// How often the step runs.
    pub times: Dim,
    /// The entries of one state.
    pub size: Dim,
    /// The variable that stands for the state before a step, and where the first one is.
    pub state: (VarId, Slot),
    /// The sequences.
    pub entries: Vec<Sequence>,
    /// The variables that stand for what is the same in every step, and where that is.
    pub captures: Vec<(VarId, Slot)>,
    /// One step.
    pub step: Phase,
    /// Where the states after each step go.
    pub out: Slot,
    /// Where the other results of each step go, from the second on, and how many numbers each has.
    pub kept: Vec<(Slot, Dim)>,
}

impl Scan {
    /// Every slot that is read or filled, but for what lives in a step only.
    pub fn slots(&self) -> BTreeSet<Slot> {
        let mut own = vec![self.state.0];
        own.extend(self.entries.iter().map(|entry| entry.var));
        own.extend(self.captures.iter().map(|(var, _)| *var));
        let outer = |slot: &Slot| match slot {
            Slot::Var(var) => !own.contains(var),
            Slot::Result(_) => false,
            Slot::Work(_) | Slot::Scratch => true,
        };
        let mut slots: BTreeSet<Slot> = few::set(self.step.slots().into_iter().filter(outer));
        slots.extend([self.state.1, self.out]);
        slots.extend(self.kept.iter().map(|(slot, _)| *slot));
        slots.extend(self.entries.iter().map(|entry| entry.slot));
        slots.extend(self.captures.iter().map(|(_, slot)| *slot));
        slots
    }
}

/// What a scan reads for each of its arguments, and whether backwards: a sequence that is another one backwards needs no buffer.
pub fn reads(graph: &Graph, id: NodeId) -> Vec<(NodeId, bool)> {
    let Op::Scan(body) = graph.op(id) else { return Vec::new() };
    let sequences = 1..=graph.bodies[body.0 as usize].entries.len();
    let read = |(at, arg): (usize, &NodeId)| {
        let inner = flipped(graph, *arg).filter(|_| sequences.contains(&at));
        (inner.unwrap_or(*arg), inner.is_some())
    };
    graph.args(id).iter().enumerate().map(read).collect()
}

/// The steps of all scans that `roots` depend on, those within steps as well, in order.
pub fn bodies(graph: &Graph, roots: &[NodeId]) -> Vec<BodyId> {
    let mut found = Vec::new();
    let mut roots = roots.to_vec();
    while !roots.is_empty() {
        let scans = graph.reachable(&roots).into_iter().filter_map(|id| match graph.op(id) {
            Op::Scan(body) => Some(*body),
            _ => None,
        });
        let before = found.len();
        for body in scans {
            if !found.contains(&body) {
                found.push(body);
            }
        }
        roots = found[before..].each(|body| graph.bodies[body.0 as usize].result);
    }
    few::sort(&mut found);
    found
}

impl Planner<'_> {
    pub(super) fn scan(
        &mut self,
        slots: &Slots,
        id: NodeId,
        body: BodyId,
        out: Slot,
    ) -> Result<Step, Diagnostic> {
        let graph = self.graph;
        let step = &graph.bodies[body.0 as usize];
        let mut given = Vec::new();
        for (stand_in, (arg, flipped)) in step.stand_ins().into_iter().zip(reads(graph, id)) {
            match (graph.op(stand_in), slots.of(arg)) {
                (Op::Var(var), Some(slot)) => given.push((*var, slot, flipped)),
                _ => return Err(self.unsupported(id)),
            }
        }
        let shape = graph.shape(id);
        let captures = given.split_off(1 + step.entries.len());
        let rows = step.entries.iter().map(|entry| volume(graph.shape(*entry)));
        let entries = given[1..].iter().zip(rows).map(|(&(var, slot, flipped), row)| Sequence {
            var,
            slot,
            row,
            flipped,
        });
        let followers = self.followers.get(&id).cloned().unwrap_or_default().into_iter();
        let (found, kept): (Vec<NodeId>, Vec<(Slot, Dim)>) = followers
            .filter_map(|id| {
                let Op::Scan(body) = graph.op(id) else { return None };
                let row = volume(&graph.shape(id)[1..]);
                Some((graph.bodies[body.0 as usize].result, (slots.of(id)?, row)))
            })
            .unzip();
        let results = [&[step.result], found.as_slice()].concat();
        let plain = |&(var, slot, _): &(VarId, Slot, bool)| (var, slot);
        let scan = Scan {
            body,
            times: shape[0].clone(),
            size: volume(&shape[1..]),
            state: plain(&given[0]),
            entries: entries.collect(),
            captures: captures.iter().map(plain).collect(),
            step: self.alone(&results)?,
            out,
            kept,
        };
        Ok(Step::Scan(Box::new(scan)))
    }

    /// Formulas as a phase that shares nothing with the one around it.
    fn alone(&mut self, results: &[NodeId]) -> Result<Phase, Diagnostic> {
        let fusion = Fusion::new(self.graph, results, results);
        let around = std::mem::replace(&mut self.fusion, fusion);
        let phase = self.phase(&[], results, &BTreeSet::new(), false);
        self.fusion = around;
        phase
    }
}
