//! In: sizes or a length. Out: what is known of a value's shape, in a value small enough to copy. Invariant: the length is right.

use core::fmt;

/// The largest number of axes whose sizes an [`Axes`] holds one by one.
pub const MAX_RANK: usize = 6;

/// What is known of the shape of a value: every size (nested arrays, matrices), or only how many numbers (flat slices).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Axes {
    sizes: [usize; MAX_RANK],
    /// `None`: only the length, in `sizes[0]`.
    rank: Option<u8>,
}

impl Axes {
    /// A flat run of `len` numbers, which fits every shape of that many.
    #[must_use]
    pub const fn flat(len: usize) -> Self {
        Self { sizes: [len, 0, 0, 0, 0, 0], rank: None }
    }

    /// Known sizes; beyond [`MAX_RANK`] axes only their product is kept.
    #[must_use]
    pub const fn known(sizes: &[usize]) -> Self {
        let mut kept = [0; MAX_RANK];
        let (mut i, mut len) = (0, 1_usize);
        while i < sizes.len() {
            if i < MAX_RANK {
                kept[i] = sizes[i];
            }
            len = len.saturating_mul(sizes[i]);
            i += 1;
        }
        if sizes.len() > MAX_RANK {
            Self::flat(len)
        } else {
            Self { sizes: kept, rank: Some(sizes.len() as u8) }
        }
    }

    /// The sizes of the axes, where they are known.
    #[must_use]
    pub fn sizes(&self) -> Option<&[usize]> {
        self.rank.map(|rank| &self.sizes[..usize::from(rank)])
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sizes().map_or(self.sizes[0], |sizes| {
            sizes.iter().fold(1, |product, size| product.saturating_mul(*size))
        })
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of `outer` such values in a row.
    #[must_use]
    pub fn nest(self, outer: usize) -> Self {
        let Some(inner) = self.sizes() else {
            return Self::flat(outer.saturating_mul(self.len()));
        };
        if inner.len() >= MAX_RANK {
            return Self::flat(outer.saturating_mul(self.len()));
        }
        let mut sizes = [0; MAX_RANK];
        sizes[0] = outer;
        sizes[1..=inner.len()].copy_from_slice(inner);
        Self { sizes, rank: Some(inner.len() as u8 + 1) }
    }
}

impl fmt::Debug for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sizes() {
            Some(sizes) => f.debug_list().entries(sizes).finish(),
            None => write!(f, "{} numbers", self.sizes[0]),
        }
    }
}
