//! In: a seed. Out: pseudo-random bits for initialisation. Invariant: the same seed gives the same numbers on every machine.

/// A source of random bits: what `Params::init` draws from. The generators of the `rand` crate implement it under the feature `rand`,
/// wrapped in `chainrule::interop::FromRand`.
pub trait Rng {
    /// 64 bits, each 0 or 1 with equal chance.
    fn next_u64(&mut self) -> u64;
}

impl<R: Rng + ?Sized> Rng for &mut R {
    fn next_u64(&mut self) -> u64 {
        (**self).next_u64()
    }
}

/// A small, fast generator for initialisation and tests, not for secrets: xoshiro256++ (Blackman and Vigna, 2021), seeded by
/// SplitMix64 (Steele, Lea and Flood, 2014).
///
/// ```
/// use chainrule::rng::{Rng, SmallRng};
/// assert_eq!(SmallRng::seed(1).next_u64(), SmallRng::seed(1).next_u64());
/// assert_ne!(SmallRng::seed(1).next_u64(), SmallRng::seed(2).next_u64());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmallRng([u64; 4]);

impl SmallRng {
    /// The generator of this seed; every seed is good.
    #[must_use]
    pub fn seed(seed: u64) -> Self {
        let mut state = seed;
        Self(core::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }
}

impl Rng for SmallRng {
    fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }
}
