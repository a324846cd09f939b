//! What a plan is made of: steps that read and fill slots, and phases of them.

use super::Slot;
use super::kernel::{Kernel, Value};
use super::scan::Scan;
use super::stream::Stream;
use super::{matmul, order};
use crate::few::Each;
use crate::ir::{Dim, Shape, VarId};
use crate::ops::OpId;
use std::collections::BTreeSet;

/// One step of a phase.
#[derive(Clone, Debug)]
pub enum Step {
    /// A loop nest.
    Loops(Kernel),
    /// A matrix product.
    Matmul {
        /// Its sizes and strides.
        product: matmul::Strided,
        /// The left operand.
        a: Slot,
        /// The right operand.
        b: Slot,
        /// What every row of the result starts from, if not from 0.
        start: Option<Slot>,
        /// Whether it is added to what stands there.
        adds: bool,
        /// Where to.
        out: Slot,
    },
    /// A reduction, or a function along an axis.
    Lanes {
        /// Which.
        op: OpId,
        /// Product of the sizes before the lane, of the lane, and after it.
        sizes: [Dim; 3],
        /// Of what; further arguments are scalars.
        args: Vec<Slot>,
        /// Where to.
        out: Slot,
    },
    /// A function of trailing axes.
    Structured {
        /// Which.
        op: OpId,
        /// How many times.
        batch: Dim,
        /// Trailing shape and place of each argument.
        args: Vec<(Shape, Slot)>,
        /// Trailing shape of the result.
        shape: Shape,
        /// Whole numbers that it is told besides.
        ints: Vec<i64>,
        /// Where to.
        out: Slot,
    },
    /// Rows picked or added up.
    Rows {
        /// Whether rows are added up where the indices say, rather than picked.
        scatter: bool,
        /// How many indices.
        count: Dim,
        /// The entries of one row.
        row: Dim,
        /// The rows of the tensor that is indexed.
        of: Dim,
        /// The rows; those of an identity matrix are nowhere.
        arg: Option<Slot>,
        /// The indices.
        indices: Slot,
        /// Whether the indices are declared integers rather than numbers.
        int: bool,
        /// Where to.
        out: Slot,
    },
    /// A state carried along the first axis.
    Scan(Box<Scan>),
    /// Steps that run block by block along an axis.
    Stream(Box<Stream>),
}

/// A part of the work that is one function.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// In order.
    pub steps: Vec<Step>,
}

impl Phase {
    /// Whether a step fills the slot.
    pub fn fills(&self, slot: Slot) -> bool {
        self.steps.iter().any(|step| step.fills().contains(&slot))
    }

    /// The declared integers that pick rows, and of how many.
    pub fn picks(&self) -> Vec<(VarId, Dim)> {
        let picks = |step: &Step| match step {
            Step::Rows { indices: Slot::Var(var), int: true, of, .. } => vec![(*var, of.clone())],
            Step::Scan(scan) => scan.step.picks(),
            Step::Stream(stream) => stream.work.picks(),
            _ => Vec::new(),
        };
        self.steps.iter().flat_map(picks).collect()
    }

    /// The same in phases of at most so many steps each, those of scans and streams counted, which are not cut.
    pub fn cut(&self, most: usize) -> Vec<Phase> {
        let mut phases: Vec<Phase> = Vec::new();
        let mut room = 0;
        for step in &self.steps {
            let count = step.count();
            match phases.last_mut() {
                Some(last) if count <= room => {
                    room -= count;
                    last.steps.push(step.clone());
                }
                _ => {
                    room = most.saturating_sub(count);
                    phases.push(Phase { steps: vec![step.clone()] });
                }
            }
        }
        phases
    }

    /// Every slot that a step reads or fills.
    pub fn slots(&self) -> BTreeSet<Slot> {
        self.steps.iter().flat_map(Step::slots).collect()
    }
}

impl Step {
    /// The slots that it reads.
    pub fn reads(&self) -> Vec<Slot> {
        match self {
            Step::Loops(kernel) => kernel.values.iter().filter_map(loaded).collect(),
            Step::Matmul { a, b, start, .. } => [*a, *b].into_iter().chain(*start).collect(),
            Step::Lanes { args, .. } => args.clone(),
            Step::Structured { args, .. } => args.each(|(_, slot)| *slot),
            Step::Rows { arg, indices, .. } => arg.iter().chain([indices]).copied().collect(),
            Step::Scan(scan) => scan.slots().into_iter().collect(),
            Step::Stream(stream) => stream.work.steps.iter().flat_map(Step::reads).collect(),
        }
    }

    /// The slots that it fills.
    pub fn fills(&self) -> Vec<Slot> {
        match self {
            Step::Loops(Kernel { out, .. })
            | Step::Matmul { out, .. }
            | Step::Lanes { out, .. }
            | Step::Structured { out, .. }
            | Step::Rows { out, .. } => vec![*out],
            Step::Scan(scan) => {
                std::iter::once(scan.out).chain(scan.kept.iter().map(|(slot, _)| *slot)).collect()
            }
            Step::Stream(stream) => stream.work.steps.iter().flat_map(Step::fills).collect(),
        }
    }

    /// Every slot that it reads or fills.
    pub fn slots(&self) -> Vec<Slot> {
        let mut slots = [self.reads(), self.fills()].concat();
        match self {
            Step::Structured { .. } => slots.push(Slot::Scratch),
            Step::Matmul { product, .. } if product.room(false).is_some() => {
                slots.push(Slot::Scratch)
            }
            Step::Stream(stream) => {
                slots.extend(stream.work.slots());
                slots.extend(stream.room().map(|_| Slot::Scratch));
            }
            _ => {}
        }
        slots
    }

    /// How many steps it is, all told.
    fn count(&self) -> usize {
        let all = |phase: &Phase| 1 + phase.steps.iter().map(Step::count).sum::<usize>();
        match self {
            Step::Scan(scan) => all(&scan.step),
            Step::Stream(stream) => all(&stream.work),
            _ => 1,
        }
    }

    /// Puts the loops of nests into the order that they run in. Scans have done so for their steps.
    pub fn arrange(&mut self) {
        match self {
            Step::Loops(kernel) => order::arrange(kernel),
            Step::Stream(stream) => stream.work.steps.iter_mut().for_each(Step::arrange),
            _ => {}
        }
    }
}

fn loaded(value: &Value) -> Option<Slot> {
    match value {
        Value::Load(access) => Some(access.slot),
        _ => None,
    }
}
