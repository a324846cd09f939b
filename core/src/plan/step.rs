//! What a plan is made of: steps that read and fill slots, and phases of them.

use super::Slot;
use super::kernel::{Kernel, Value};
use super::matmul;
use super::scan::Scan;
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
        /// The rows.
        arg: Slot,
        /// The indices.
        indices: Slot,
        /// Whether the indices are declared integers rather than numbers.
        int: bool,
        /// Where to.
        out: Slot,
    },
    /// A state carried along the first axis.
    Scan(Box<Scan>),
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
        self.steps.iter().any(|step| step.out() == slot)
    }

    /// The declared integers that pick rows, and of how many.
    pub fn picks(&self) -> Vec<(VarId, Dim)> {
        let picks = |step: &Step| match step {
            Step::Rows { indices: Slot::Var(var), int: true, of, .. } => vec![(*var, of.clone())],
            Step::Scan(scan) => scan.step.picks(),
            _ => Vec::new(),
        };
        self.steps.iter().flat_map(picks).collect()
    }

    /// The same in phases of at most so many steps each, those of scans counted; a scan is not cut.
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
    /// The slot that the step fills.
    pub fn out(&self) -> Slot {
        match self {
            Step::Loops(kernel) => kernel.out,
            Step::Scan(scan) => scan.out,
            Step::Matmul { out, .. }
            | Step::Lanes { out, .. }
            | Step::Structured { out, .. }
            | Step::Rows { out, .. } => *out,
        }
    }

    /// How many steps it is, all told.
    fn count(&self) -> usize {
        match self {
            Step::Scan(scan) => 1 + scan.step.steps.iter().map(Step::count).sum::<usize>(),
            _ => 1,
        }
    }

    /// Every slot that it reads or fills.
    fn slots(&self) -> Vec<Slot> {
        let mut slots = vec![self.out()];
        match self {
            Step::Loops(kernel) => {
                slots.extend(kernel.values.iter().filter_map(|value| match value {
                    Value::Load(access) => Some(access.slot),
                    _ => None,
                }))
            }
            Step::Matmul { a, b, start, .. } => slots.extend([*a, *b].into_iter().chain(*start)),
            Step::Lanes { args, .. } => slots.extend(args),
            Step::Structured { args, .. } => {
                slots.extend(args.iter().map(|(_, slot)| *slot));
                slots.push(Slot::Scratch);
            }
            Step::Rows { arg, indices, .. } => slots.extend([*arg, *indices]),
            Step::Scan(scan) => slots.extend(scan.slots()),
        }
        slots
    }
}
