//! Scans and their steps. A step is built once: one that differs from a known step in its stand-ins only *is* the known one, so that
//! equal scans are one node, whoever asked for them.

use super::graph::{Body, BodyId, Graph, NodeId};
use super::hash::Map;
use super::{Op, Shape};

/// What differentiation has worked out of steps, for the axes of a seed: each is the same for every cotangent of every scan.
#[derive(Clone, Debug, Default)]
pub struct Adjoints {
    /// The step of the scan backwards, and which of its sequences it reads.
    pub backwards: Map<(BodyId, Shape), (BodyId, Vec<usize>)>,
    /// What a step's cotangent, a stand-in, gives to one of its stand-ins; `None` where that is nothing.
    pub pulled: Map<(BodyId, Shape, NodeId), Option<(NodeId, NodeId)>>,
}

impl Graph {
    /// A scan: the states after each step, stacked. `sequences` have the steps as their first axis.
    pub fn scan(
        &mut self,
        body: Body,
        init: NodeId,
        sequences: &[NodeId],
        captures: &[NodeId],
    ) -> NodeId {
        let step = self.step(body);
        self.scan_with(step, init, sequences, captures)
    }

    /// A step, the known one if there is one.
    pub fn step(&mut self, body: Body) -> BodyId {
        let known = (0..self.bodies.len()).find(|&at| self.same_step(at, &body));
        let at = known.unwrap_or_else(|| {
            self.bodies.push(body);
            self.bodies.len() - 1
        });
        BodyId(at as u32)
    }

    /// A scan with a known step.
    pub fn scan_with(
        &mut self,
        step: BodyId,
        init: NodeId,
        sequences: &[NodeId],
        captures: &[NodeId],
    ) -> NodeId {
        let Body { state, result, .. } = self.bodies[step.0 as usize];
        let steps = self.shape(sequences[0])[0].clone();
        let mut shape = vec![steps];
        shape.extend(self.shape(state).iter().cloned());
        if self.is_zero(result) {
            return self.zeros(&shape);
        }
        let args = std::iter::once(init)
            .chain(sequences.iter().copied())
            .chain(captures.iter().copied())
            .collect();
        self.push(Op::Scan(step), args, shape)
    }

    /// Whether a known step computes the same, with its own stand-ins in the place of the new one's.
    fn same_step(&mut self, known: usize, new: &Body) -> bool {
        let known = &self.bodies[known];
        if known == new {
            return true;
        }
        let alike = known.name == new.name
            && known.follows == new.follows
            && known.entries.len() == new.entries.len()
            && known.captures.len() == new.captures.len();
        if !alike || self.stand_in_shapes(known) != self.stand_in_shapes(new) {
            return false;
        }
        let (result, own) = (known.result, known.stand_ins());
        let replace: Vec<(NodeId, NodeId)> = new.stand_ins().into_iter().zip(own).collect();
        self.substitute(new.result, &replace) == result
    }

    fn stand_in_shapes(&self, body: &Body) -> Vec<&Shape> {
        body.stand_ins().into_iter().map(|node| self.shape(node)).collect()
    }
}

impl Body {
    /// State, entries and captures.
    pub fn stand_ins(&self) -> Vec<NodeId> {
        [&[self.state], self.entries.as_slice(), &self.captures].concat()
    }
}
