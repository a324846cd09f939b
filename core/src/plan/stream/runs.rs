//! In: steps that do not all run along one axis. Out: the same; where there are many products along an axis, large ones, the steps before
//! and after them that run along it too are done for one after the other, so that what they hand to each other stays in the cache.

use super::{Axis, Block, NEAR, sum};
use crate::few;
use crate::ir::{Dim, DimId, Shape};
use crate::plan::lin::volume;
use crate::plan::{Slot, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Steps further away from a product are not looked at.
const FAR: usize = 32;

/// What the steps of a phase are about.
struct Phase<'a> {
    steps: Vec<Step>,
    shape: &'a dyn Fn(Slot) -> Shape,
    kept: &'a dyn Fn(Slot) -> bool,
    name: DimId,
}

/// The same steps, in runs where that is worthwhile; arguments as for [`super::stream`].
pub fn runs(
    steps: Vec<Step>,
    shape: &dyn Fn(Slot) -> Shape,
    kept: &dyn Fn(Slot) -> bool,
    name: DimId,
) -> Vec<Step> {
    let mut phase = Phase { steps, shape, kept, name };
    let mut at = 0;
    while at < phase.steps.len() {
        at = match phase.run(at) {
            Some((from, to, run)) => {
                let next = run.iter().position(is_stream);
                phase.steps.splice(from..to, run);
                from + next.map_or(1, |stream| stream + 1)
            }
            None => at + 1,
        };
    }
    phase.steps
}

impl Phase<'_> {
    /// The longest run around the products at `at`: from where to where, and what it is.
    fn run(&self, at: usize) -> Option<(usize, usize, Vec<Step>)> {
        let Step::Matmul { product, .. } = &self.steps[at] else { return None };
        product.room(false)?;
        let (size, _) = product.batch.first()?;
        let (mut from, mut to) = (at, at + 1);
        let mut run = self.along(from, to, size)?;
        while to < self.steps.len().min(at + FAR)
            && let Some(longer) = self.along(from, to + 1, size)
        {
            (run, to) = (longer, to + 1);
        }
        // What comes before must not make the others wait.
        while from > at.saturating_sub(FAR)
            && !is_stream(&self.steps[from - 1])
            && let Some(longer) = self.along(from - 1, to, size)
            && super::streamed(&longer) >= super::streamed(&run)
        {
            (run, from) = (longer, from - 1);
        }
        (super::streamed(&run) > 1).then_some((from, to, run))
    }

    /// Some of the steps, along the axis of that size.
    fn along(&self, from: usize, to: usize, size: &Dim) -> Option<Vec<Step>> {
        let inside = &self.steps[from..to];
        let outside = self.steps[..from].iter().chain(&self.steps[to..]);
        let others: BTreeSet<Slot> = few::set(outside.flat_map(Step::slots));
        let mut slots: BTreeSet<Slot> = few::set(inside.iter().flat_map(Step::slots));
        slots.remove(&Slot::Scratch);
        let mut rows: BTreeMap<Slot, Dim> = BTreeMap::new();
        for slot in slots {
            let shape = (self.shape)(slot);
            if shape.first() == Some(size) {
                rows.insert(slot, volume(&shape[1..]));
            }
        }
        let row = sum(rows.values());
        let (block, here) = match row.as_fixed() {
            None => (Block::Near(row), Dim::named(self.name)),
            Some(entries) if entries as f64 > NEAR / 2.0 => (Block::Of(1), Dim::fixed(1)),
            Some(_) => return None,
        };
        let axis = Axis { size, here, rows, shared: false, products: true };
        let kept = |slot: Slot| (self.kept)(slot) || others.contains(&slot);
        axis.split(inside, block, &kept, self.shape)
    }
}

fn is_stream(step: &Step) -> bool {
    matches!(step, Step::Stream(_))
}
