//! Affine positions over loop indices: `Σ coefficient · index + offset`, where coefficients may be symbolic sizes.
//! Invariant: terms ascend by index and none is 0, so that equal positions compare equal.

use crate::few;
use crate::ir::{Dim, Num};

/// A loop index of one kernel.
pub type LoopIx = u32;

/// `Σ coefficient · index + offset`
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lin {
    /// Index and coefficient; ascending, no zeros.
    pub terms: Vec<(LoopIx, Dim)>,
    /// What is added.
    pub offset: Dim,
}

impl Lin {
    /// A loop index.
    pub fn index(ix: LoopIx) -> Lin {
        Lin { terms: vec![(ix, Dim::fixed(1))], offset: Dim::fixed(0) }
    }

    /// A position that does not depend on any loop.
    pub fn constant(offset: Dim) -> Lin {
        Lin { terms: Vec::new(), offset }
    }

    /// 0
    pub fn zero() -> Lin {
        Lin::constant(Dim::fixed(0))
    }

    /// `self + factor · other`
    pub fn plus(&self, other: &Lin, factor: &Dim) -> Lin {
        let mut terms = self.terms.clone();
        for (ix, coefficient) in &other.terms {
            let more = coefficient.times(factor);
            match terms.iter_mut().find(|(known, _)| known == ix) {
                Some((_, sum)) => *sum = sum.plus(&more, Num::ONE),
                None => terms.push((*ix, more)),
            }
        }
        terms.retain(|(_, coefficient)| !coefficient.terms.is_empty());
        few::sort(&mut terms);
        Lin { terms, offset: self.offset.plus(&other.offset.times(factor), Num::ONE) }
    }

    /// The coefficient of an index.
    pub fn coefficient(&self, ix: LoopIx) -> Dim {
        self.terms
            .iter()
            .find(|(known, _)| *known == ix)
            .map_or_else(|| Dim::fixed(0), |(_, c)| c.clone())
    }

    /// Whether the index occurs.
    pub fn uses(&self, ix: LoopIx) -> bool {
        self.terms.iter().any(|(known, _)| *known == ix)
    }

    /// The same without one index.
    pub fn without(&self, ix: LoopIx) -> Lin {
        Lin {
            terms: self.terms.iter().filter(|(known, _)| *known != ix).cloned().collect(),
            offset: self.offset.clone(),
        }
    }

    /// Whether `0 <= self < size` for all indices below their sizes; `false` where that cannot be told.
    pub fn stays_within(&self, size: &Dim, sizes: &dyn Fn(LoopIx) -> Dim) -> bool {
        let (mut low, mut high) = (self.offset.clone(), self.offset.clone());
        for (ix, coefficient) in &self.terms {
            let reach = coefficient.times(&sizes(*ix).plus(&Dim::fixed(1), Num::int(-1)));
            if all_signs(coefficient, false) {
                high = high.plus(&reach, Num::ONE);
            } else if all_signs(coefficient, true) {
                low = low.plus(&reach, Num::ONE);
            } else {
                return false;
            }
        }
        let room = size.plus(&high, Num::int(-1)).plus(&Dim::fixed(1), Num::int(-1));
        at_least_zero(&low) && at_least_zero(&room)
    }
}

/// Whether every coefficient of a size is negative (or nonnegative).
pub fn all_signs(dim: &Dim, negative: bool) -> bool {
    dim.terms.iter().all(|(_, c)| c.is_negative() == negative)
}

/// Whether a polynomial is nonnegative for all sizes of at least 1; `false` where that cannot be told.
fn at_least_zero(dim: &Dim) -> bool {
    let (mut constant, mut named) = (Num::ZERO, Num::ZERO);
    for (names, c) in dim.terms.iter() {
        if names.is_empty() {
            constant = *c;
        } else if c.is_negative() {
            return false;
        } else {
            // Each monomial is at least 1.
            named = named + *c;
        }
    }
    !(constant + named).is_negative()
}

/// The distance between neighbours along each axis of a row-major tensor.
pub fn strides(shape: &[Dim]) -> Vec<Dim> {
    let mut strides = vec![Dim::fixed(1); shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].times(&shape[axis]);
    }
    strides
}

/// The number of entries of a tensor.
pub fn volume(shape: &[Dim]) -> Dim {
    shape.iter().fold(Dim::fixed(1), |product, dim| product.times(dim))
}

/// A guess of a size for comparing costs.
pub fn estimate(dim: &Dim) -> f64 {
    dim.value(&|_| 32).map_or(32.0, |size| size as f64)
}
