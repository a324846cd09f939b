//! In: a length known at run time. Out: that many numbers on the heap. Invariant: the length never changes.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use super::Real;

/// A buffer of numbers whose length is set once.
///
/// ```
/// let mut b = chainrule::rt::Buf::<f32>::zeros(3);
/// b[1] = 2.0;
/// assert_eq!(*b, [0.0, 2.0, 0.0]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buf<F>(Vec<F>);

impl<F: Real> Buf<F> {
    /// `len` zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self(alloc::vec![F::ZERO; len])
    }
}

impl<F> From<Vec<F>> for Buf<F> {
    fn from(numbers: Vec<F>) -> Self {
        Self(numbers)
    }
}

impl<F> Deref for Buf<F> {
    type Target = [F];
    fn deref(&self) -> &[F] {
        &self.0
    }
}

impl<F> DerefMut for Buf<F> {
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.0
    }
}

impl<F> AsRef<[F]> for Buf<F> {
    fn as_ref(&self) -> &[F] {
        &self.0
    }
}

impl<F> AsMut<[F]> for Buf<F> {
    fn as_mut(&mut self) -> &mut [F] {
        &mut self.0
    }
}
