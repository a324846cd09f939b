//! In: the steps of a phase, their loop nests still in the order of the formula. Out: the same work; where all of it runs along one
//! long leading axis (the examples of a batch, usually), it does so block by block, so that what the steps hand to each other stays in
//! the cache, and data are read from memory once.
//!
//! A step takes part when every tensor with that axis is read or written at the position of the axis that the step is at: then a block
//! is the same step on shorter slices. Sums along the axis start from 0 and grow by each block. What such a sum is needed for comes
//! after the last block. One step that does not fit, and all stay as they are, but for runs of them around large products.
//! Invariant: values do not change, up to the order of additions; that order depends on sizes alone.

mod runs;

use super::kernel::{Kernel, Value};
use super::lin::{Lin, LoopIx, estimate, volume};
use super::matmul::Strided;
use super::{Phase, Slot, Step};
use crate::few;
use crate::ir::{Dim, DimId, Graph, Num, Shape};
use std::collections::{BTreeMap, BTreeSet};

/// Fewer numbers than this are in the cache anyway.
const SHORT: f64 = 32768.0;
/// About so many numbers are in use in a block of a long axis, ...
pub const AT_HAND: f64 = 3072.0;
/// ... so many of one whose positions have whole matrices, ...
pub const NEAR: f64 = 65536.0;
/// ... and of one whose size is not known yet, which is in one piece where it is short.
const AT_HAND_UNKNOWN: f64 = 16384.0;
/// A block has at least and at most so many positions, a multiple of eight.
pub const POSITIONS: [i128; 2] = [16, 2048];

/// Where threads share the work, it falls into at most so many parts, each with sums of its own, ...
pub const PARTS: i128 = 16;
/// ... but not if it has fewer numbers than two parts are worth.
const SHARED: f64 = 65536.0;

/// More steps than this are not one function, for the compiler's sake: they stay as they are.
const MOST_STEPS: usize = 24;

/// Steps that run block by block along an axis.
#[derive(Clone, Debug)]
pub struct Stream {
    /// The size of the axis.
    pub size: Dim,
    /// How many positions a block has; the last one may have fewer.
    pub block: Block,
    /// The size of the block at hand: that number, or a name where the last block is shorter.
    pub here: Dim,
    /// Sums along the axis, which start from 0, and how many entries each has.
    pub sums: Vec<(Slot, Dim)>,
    /// Whether threads may share the blocks.
    pub shared: bool,
    /// Tensors with the axis.
    pub cut: Vec<Cut>,
    /// What is done with every block.
    pub work: Phase,
}

/// A number of positions.
#[derive(Clone, Debug)]
pub enum Block {
    /// This many.
    Of(i128),
    /// As many as have about [`AT_HAND`] numbers: one position has so many, which only running code knows.
    With(Dim),
    /// The same with [`NEAR`] numbers, and maybe a single position.
    Near(Dim),
}

/// A tensor that a block has a part of.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Where it stands.
    pub slot: Slot,
    /// The entries at one position of the axis.
    pub row: Dim,
    /// Whether the whole tensor is there; else only one block is, and the next overwrites it.
    pub whole: bool,
}

impl Stream {
    /// The room that it takes for sums of its parts.
    pub fn room(&self) -> Option<Dim> {
        let width = sum(self.sums.iter().map(|(_, len)| len));
        (self.shared && !self.sums.is_empty()).then(|| width.times(&Dim::fixed(PARTS)))
    }
}

/// What a step is for a block.
enum Part {
    /// Nothing in it has the axis.
    Apart,
    /// Its result has the axis.
    Along(Step),
    /// Its result is a sum along the axis.
    Sum(Step),
}

/// The same steps, in blocks where that is worthwhile. `shape` tells the shape of what stands in a slot, `kept` whether it is read
/// after the phase, `name` is a size that occurs nowhere else; `threads` tells whether threads may share long work.
pub fn stream(
    steps: Vec<Step>,
    shape: &dyn Fn(Slot) -> Shape,
    kept: &dyn Fn(Slot) -> bool,
    name: DimId,
    threads: bool,
) -> Vec<Step> {
    let mut slots: BTreeSet<Slot> = few::set(steps.iter().flat_map(Step::slots));
    slots.remove(&Slot::Scratch);
    let shapes: Vec<(Slot, Shape)> = slots.into_iter().map(|slot| (slot, shape(slot))).collect();
    let mut axes: Vec<&Dim> = shapes.iter().filter_map(|(_, shape)| shape.first()).collect();
    few::sort(&mut axes);
    axes.dedup();
    let found = axes.into_iter().find_map(|size| {
        let along = shapes.iter().filter(|(_, shape)| shape.first() == Some(size));
        let rows: BTreeMap<Slot, Dim> =
            few::map(along.map(|(slot, shape)| (*slot, volume(&shape[1..]))));
        let row: f64 = rows.values().map(estimate).sum();
        let has = |most: f64| size.as_fixed().is_none_or(|count| count as f64 * row >= most);
        let (block, here) = match sum(rows.values()) {
            row if row.as_fixed().is_none() => (Block::With(row), Dim::named(name)),
            _ => block(size, row, name),
        };
        let axis = Axis { size, here, rows, shared: threads && has(SHARED), products: false };
        let split = || axis.split(&steps, block, kept, shape).filter(|all| streamed(all) > 1);
        if has(SHORT) { split() } else { None }
    });
    found.unwrap_or_else(|| runs::runs(steps, shape, kept, name))
}

/// How many steps are in streams.
fn streamed(steps: &[Step]) -> usize {
    let count = |step: &Step| match step {
        Step::Stream(stream) => stream.work.steps.len(),
        _ => 0,
    };
    steps.iter().map(count).sum()
}

fn sum<'a>(sizes: impl Iterator<Item = &'a Dim>) -> Dim {
    sizes.fold(Dim::fixed(0), |sum, size| sum.plus(size, Num::ONE))
}

/// How many positions a block has, and how its size is written: a number where all blocks are alike.
fn block(size: &Dim, row: f64, name: DimId) -> (Block, Dim) {
    let at_hand = if size.as_fixed().is_some() { AT_HAND } else { AT_HAND_UNKNOWN };
    let most = ((at_hand / row) as i128).clamp(POSITIONS[0], POSITIONS[1]) / 8 * 8;
    let even = |count: i128| (1..=most / 8).rev().map(|n| n * 8).find(|n| count % n == 0);
    match size.as_fixed().and_then(even) {
        Some(block) if block >= most / 2 => (Block::Of(block), Dim::fixed(block)),
        _ => (Block::Of(most), Dim::named(name)),
    }
}

/// An axis that steps run along.
struct Axis<'a> {
    size: &'a Dim,
    here: Dim,
    /// For tensors that have the axis, the entries at one position of it.
    rows: BTreeMap<Slot, Dim>,
    /// Whether threads may share the blocks.
    shared: bool,
    /// Whether large products take part, if each is one of many along the axis, and what does not fit comes later.
    products: bool,
}

impl Axis<'_> {
    fn split(
        &self,
        steps: &[Step],
        block: Block,
        kept: &dyn Fn(Slot) -> bool,
        shape: &dyn Fn(Slot) -> Shape,
    ) -> Option<Vec<Step>> {
        let (mut before, mut inside, mut after) = (Vec::new(), Vec::new(), Vec::new());
        let (mut sums, mut late, mut made) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for step in steps {
            let waits = step.reads().iter().any(|slot| late.contains(slot));
            match self.part(step) {
                Some(Part::Apart) if !waits => before.push(step.clone()),
                Some(Part::Along(step)) if !waits => {
                    made.extend(step.fills());
                    inside.push(step);
                }
                Some(Part::Sum(step)) if !waits => {
                    late.extend(step.fills());
                    sums.extend(step.fills().into_iter().map(|slot| (slot, volume(&shape(slot)))));
                    inside.push(step);
                }
                part if self.products || matches!(part, Some(Part::Apart)) => {
                    late.extend(step.fills());
                    after.push(step.clone());
                }
                _ => return None,
            }
        }
        if inside.is_empty() || inside.len() > MOST_STEPS {
            return None;
        }
        let others: BTreeSet<Slot> = few::set(after.iter().flat_map(Step::reads));
        let whole = |slot: &Slot| !made.contains(slot) || kept(*slot) || others.contains(slot);
        let inner: BTreeSet<Slot> = few::set(inside.iter().flat_map(Step::slots));
        let cut = self
            .rows
            .iter()
            .filter(|(slot, _)| inner.contains(slot))
            .map(|(slot, row)| Cut { slot: *slot, row: row.clone(), whole: whole(slot) });
        let stream = Stream {
            size: self.size.clone(),
            block,
            here: self.here.clone(),
            sums,
            shared: self.shared,
            cut: cut.collect(),
            work: Phase { steps: inside },
        };
        before.push(Step::Stream(Box::new(stream)));
        before.extend(after);
        Some(before)
    }

    /// What the step is for a block; `None` where it does not fit.
    fn part(&self, step: &Step) -> Option<Part> {
        if step.slots().iter().all(|slot| !self.rows.contains_key(slot)) {
            return Some(Part::Apart);
        }
        match step {
            Step::Loops(kernel) => self.nest(kernel),
            Step::Matmul { product, a, b, start, out, .. } => {
                // A large product is better off with its whole operands.
                let whole = product.batch.first().is_some_and(|(count, _)| count == self.size);
                let large = product.room(false).is_some() && !(self.products && whole);
                if large || start.is_some_and(|slot| self.has(slot)) {
                    return None;
                }
                let (product, sum) = self.product(product, [*a, *b, *out])?;
                let (a, b, out) = (*a, *b, *out);
                if sum && start.is_some() {
                    return None;
                }
                let step = Step::Matmul { product, a, b, start: *start, adds: sum, out };
                Some(if sum { Part::Sum(step) } else { Part::Along(step) })
            }
            Step::Lanes { op, sizes, args, out } => {
                let outer = self.times(&sizes[0])?;
                let others = args.iter().skip(1).any(|slot| self.has(*slot));
                if !self.has(args[0]) || !self.has(*out) || others {
                    return None;
                }
                let sizes = [outer, sizes[1].clone(), sizes[2].clone()];
                let (op, args, out) = (*op, args.clone(), *out);
                Some(Part::Along(Step::Lanes { op, sizes, args, out }))
            }
            Step::Rows { scatter: false, count, row, of, arg, indices, int, out } => {
                let count = self.times(count)?;
                if arg.is_some_and(|arg| self.has(arg)) || !self.has(*indices) || !self.has(*out) {
                    return None;
                }
                let (row, of) = (row.clone(), of.clone());
                let (arg, indices, int, out) = (*arg, *indices, *int, *out);
                let step = Step::Rows { scatter: false, count, row, of, arg, indices, int, out };
                Some(Part::Along(step))
            }
            _ => None,
        }
    }

    fn has(&self, slot: Slot) -> bool {
        self.rows.contains_key(&slot)
    }

    /// A multiple of the axis's size as that multiple of the block's.
    fn times(&self, count: &Dim) -> Option<Dim> {
        Some(count.over(self.size)?.times(&self.here))
    }

    fn nest(&self, kernel: &Kernel) -> Option<Part> {
        let at = (0..kernel.loops.len()).find(|&at| self.runs_along(kernel, at))?;
        let mut kernel = kernel.clone();
        kernel.loops[at].size = self.here.clone();
        let step = |kernel| Step::Loops(kernel);
        match (kernel.loops[at].summed, self.has(kernel.out)) {
            (true, false) => {
                kernel.adds = true;
                Some(Part::Sum(step(kernel)))
            }
            (false, true) => Some(Part::Along(step(kernel))),
            _ => None,
        }
    }

    /// Whether a loop's index is the position on the axis in all that has the axis, and used nowhere else.
    fn runs_along(&self, kernel: &Kernel, at: usize) -> bool {
        let ix = kernel.loops[at].ix;
        let aligned = |slot: Slot, lin: &Lin| match self.rows.get(&slot) {
            Some(row) => {
                let size = |ix: LoopIx| {
                    let found = kernel.loops.iter().find(|l| l.ix == ix);
                    found.map_or_else(|| Dim::fixed(1), |l| l.size.clone())
                };
                lin.coefficient(ix) == *row && lin.without(ix).stays_within(row, &size)
            }
            None => !lin.uses(ix),
        };
        kernel.loops[at].size == *self.size
            && aligned(kernel.out, &kernel.at)
            && kernel.values.iter().all(|value| match value {
                Value::Load(access) => {
                    aligned(access.slot, &access.at)
                        && (access.quotients.is_empty() || !self.has(access.slot))
                        && access.quotients.iter().all(|(_, lin, _)| !lin.uses(ix))
                        && access.guards.iter().all(|guard| !guard.lin.uses(ix))
                }
                Value::Position(lin) => !lin.uses(ix),
                Value::Equal(p, q) => !p.uses(ix) && !q.uses(ix),
                _ => true,
            })
    }

    /// A product for a block, and whether it is a sum along the axis.
    fn product(&self, product: &Strided, slots: [Slot; 3]) -> Option<(Strided, bool)> {
        let row = |at: usize| self.rows.get(&slots[at]);
        let mut new = product.clone();
        if let Some((count, distances)) = product.batch.first()
            && count == self.size
            && (0..3).all(|at| row(at).is_none_or(|row| *row == distances[at]))
            && (0..2).all(|at| row(at).is_some() || distances[at] == Dim::fixed(0))
            && row(2).is_some()
        {
            new.batch[0].0 = self.here.clone();
            return Some((new, false));
        }
        if !product.batch.is_empty() {
            return None;
        }
        let fits = |at: usize, count: &Dim, distance: &Dim| {
            let times = count.over(self.size)?;
            (row(at)? == &times.times(distance)).then_some(())
        };
        match (row(0).is_some(), row(1).is_some(), row(2).is_some()) {
            (true, false, true) => {
                fits(0, &product.m, &product.a.0)?;
                fits(2, &product.m, &product.n)?;
                new.m = self.times(&product.m)?;
                Some((new, false))
            }
            (false, true, true) if product.m.is_one() => {
                fits(1, &product.n, &product.b.1)?;
                fits(2, &product.n, &Dim::fixed(1))?;
                new.n = self.times(&product.n)?;
                Some((new, false))
            }
            (true, true, false) => {
                fits(0, &product.k, &product.a.1)?;
                fits(1, &product.k, &product.b.0)?;
                new.k = self.times(&product.k)?;
                Some((new, true))
            }
            _ => None,
        }
    }
}

/// A name for the size of a block, which no program has.
pub fn name(graph: &mut Graph) -> DimId {
    let mut name = "block".to_string();
    while graph.dims.iter().any(|dim| dim.name == name) {
        name.push('_');
    }
    graph.dims.push(crate::ir::DimInfo { name });
    DimId(graph.dims.len() as u32 - 1)
}
