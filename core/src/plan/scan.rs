//! In: a scan. Out: its step planned as a phase of its own, which runs once for each entry of the sequences; nothing is unrolled.
//! Invariant: the phase reads only stand-ins and buffers that it has filled itself, and leaves the next state in its only result.

use super::fuse::Fusion;
use super::lin::volume;
use super::{Phase, Planner, Slot, Slots, Step};
use crate::few::{self, Each};
use crate::ir::{BodyId, Dim, Graph, NodeId, Op, VarId};
use chainrule_grammar::Diagnostic;
use std::collections::BTreeSet;

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
    /// For each sequence the variable that stands for an entry, where the sequence is, and how many numbers an entry has.
    pub entries: Vec<(VarId, Slot, Dim)>,
    /// The variables that stand for what is the same in every step, and where that is.
    pub captures: Vec<(VarId, Slot)>,
    /// One step.
    pub step: Phase,
    /// Where the states after each step go.
    pub out: Slot,
}

impl Scan {
    /// Every slot that is read or filled, but for what lives in a step only.
    pub fn slots(&self) -> BTreeSet<Slot> {
        let mut own = vec![self.state.0];
        own.extend(self.entries.iter().map(|(var, ..)| *var));
        own.extend(self.captures.iter().map(|(var, _)| *var));
        let outer = |slot: &Slot| match slot {
            Slot::Var(var) => !own.contains(var),
            Slot::Result(_) => false,
            Slot::Work(_) | Slot::Scratch => true,
        };
        let mut slots: BTreeSet<Slot> = few::set(self.step.slots().into_iter().filter(outer));
        slots.extend([self.state.1, self.out]);
        slots.extend(self.entries.iter().map(|(_, slot, _)| *slot));
        slots.extend(self.captures.iter().map(|(_, slot)| *slot));
        slots
    }
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
        for (stand_in, arg) in step.stand_ins().into_iter().zip(graph.args(id)) {
            match (graph.op(stand_in), slots.of(*arg)) {
                (Op::Var(var), Some(slot)) => given.push((*var, slot)),
                _ => return Err(self.unsupported(id)),
            }
        }
        let shape = graph.shape(id);
        let captures = given.split_off(1 + step.entries.len());
        let sizes = step.entries.iter().map(|entry| volume(graph.shape(*entry)));
        let entries = given[1..].iter().zip(sizes).map(|((var, slot), size)| (*var, *slot, size));
        let scan = Scan {
            body,
            times: shape[0].clone(),
            size: volume(&shape[1..]),
            state: given[0],
            entries: entries.collect(),
            captures,
            step: self.alone(step.result)?,
            out,
        };
        Ok(Step::Scan(Box::new(scan)))
    }

    /// A formula as a phase that shares nothing with the one around it.
    fn alone(&mut self, result: NodeId) -> Result<Phase, Diagnostic> {
        let fusion = Fusion::new(self.graph, &[result], &[result]);
        let around = std::mem::replace(&mut self.fusion, fusion);
        let phase = self.phase(&[], &[result], &BTreeSet::new(), false);
        self.fusion = around;
        phase
    }
}
