//! In: slots and sizes. Out: one step of a plan, and which slots it touches.

use super::kernel::{Kernel, Value};
use super::stream::Stream;
use super::{Slot, matmul, order};
use crate::ir::{Dim, Shape};
use crate::ops::OpId;

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
        /// The rows.
        arg: Slot,
        /// The indices.
        indices: Slot,
        /// Whether the indices are declared integers rather than numbers.
        int: bool,
        /// Where to.
        out: Slot,
    },
    /// Steps that run block by block along an axis.
    Stream(Box<Stream>),
}

impl Step {
    /// The slots that it reads.
    pub fn reads(&self) -> Vec<Slot> {
        match self {
            Step::Loops(kernel) => kernel.values.iter().filter_map(loaded).collect(),
            Step::Matmul { a, b, start, .. } => [*a, *b].into_iter().chain(*start).collect(),
            Step::Lanes { args, .. } => args.clone(),
            Step::Structured { args, .. } => args.iter().map(|(_, slot)| *slot).collect(),
            Step::Rows { arg, indices, .. } => vec![*arg, *indices],
            Step::Stream(stream) => stream.steps.iter().flat_map(Step::reads).collect(),
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
            Step::Stream(stream) => stream.steps.iter().flat_map(Step::fills).collect(),
        }
    }

    /// All slots that it touches.
    pub fn slots(&self) -> Vec<Slot> {
        let mut slots = [self.reads(), self.fills()].concat();
        match self {
            Step::Structured { .. } => slots.push(Slot::Scratch),
            Step::Matmul { product, .. } if product.room().is_some() => slots.push(Slot::Scratch),
            Step::Stream(stream) => slots.extend(stream.steps.iter().flat_map(Step::slots)),
            _ => {}
        }
        slots
    }

    /// Puts the loops of nests into the order that they run in.
    pub fn arrange(&mut self) {
        match self {
            Step::Loops(kernel) => order::arrange(kernel),
            Step::Stream(stream) => stream.steps.iter_mut().for_each(Step::arrange),
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
