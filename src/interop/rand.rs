//! In: a generator of the `rand` crates. Out: a generator of ours.

use crate::rng::Rng;

/// Lets any generator of `rand` fill parameters: `Params::init(&mut FromRand(&mut rng))`. A wrapper, because a blanket
/// implementation would forbid our own generators.
#[derive(Debug)]
pub struct FromRand<'a, R: ?Sized>(pub &'a mut R);

impl<R: rand_core::Rng + ?Sized> Rng for FromRand<'_, R> {
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
