//! In: work that is worth asking the processor for its instructions. Out: the same work, run with the widest that it has.
//!
//! A program that is compiled for every x86-64 machine has neither AVX2 nor fused multiplication in its code. Work whose parts are all
//! `#[inline(always)]` is compiled a second time inside a function that has them, over a number type that uses them ([`Real::Wide`]),
//! and runs there where the processor allows. Programs compiled for such a machine, without optimisation, or without the standard library,
//! which asks the processor, run what they are compiled for.
//! Invariant: this is the only file of the package with `unsafe` in it; what `emit --standalone` pastes of it has none.

use super::Real;

/// Work over numbers that stand in memory as `S`. Everything that [`run`](Work::run) calls has to be `#[inline(always)]`.
pub trait Work<S: Real> {
    /// Does it, in the arithmetic of `F`.
    fn run<F: Lane<S>>(self);
}

/// A part of work, in the arithmetic that the work runs in. Everything that [`run`](Part::run) calls has to be `#[inline(always)]`.
pub trait Part {
    /// Does it.
    fn run(self);
}

/// Numbers that may be computed with in place of `S`: the same bits in memory.
pub trait Lane<S>: Real {
    /// The same numbers.
    fn of(numbers: &[S]) -> &[Self];
    /// The same numbers.
    fn of_mut(numbers: &mut [S]) -> &mut [Self];
}

impl<F: Real> Lane<F> for F {
    #[inline(always)]
    fn of(numbers: &[F]) -> &[F] {
        numbers
    }
    #[inline(always)]
    fn of_mut(numbers: &mut [F]) -> &mut [F] {
        numbers
    }
}

#[cfg(feature = "std")]
impl<S: Real> Lane<S> for super::fused::Fused<S>
where
    Self: Real,
{
    #[inline(always)]
    #[allow(unsafe_code)]
    fn of(numbers: &[S]) -> &[Self] {
        // SAFETY: `Fused<S>` is `repr(transparent)` over `S` and nothing else, so that slices of both are laid out alike and any bits of
        // the one are right for the other; the borrow and the length stay.
        unsafe { &*(core::ptr::from_ref(numbers) as *const [Self]) }
    }
    #[inline(always)]
    #[allow(unsafe_code)]
    fn of_mut(numbers: &mut [S]) -> &mut [Self] {
        // SAFETY: as above; the borrow is the only one.
        unsafe { &mut *(core::ptr::from_mut(numbers) as *mut [Self]) }
    }
}

/// Runs the work with the widest instructions that there are; inlined where the processor need not be asked.
#[inline(always)]
pub fn dispatch<S: Real>(work: impl Work<S>) {
    #[cfg(all(
        feature = "std",
        target_arch = "x86_64",
        not(target_feature = "fma"),
        not(debug_assertions)
    ))]
    if asked::has_wide() {
        return asked::wide(work);
    }
    work.run::<S>();
}

/// Runs the part as a function of its own.
#[inline(never)]
pub(super) fn apart(part: impl Part) {
    part.run();
}

/// [`apart`] for work that runs over [`Real::Wide`], which only does where the processor has what this takes.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) fn apart_wide(part: impl Part) {
    #[cfg(all(
        target_arch = "x86_64",
        not(target_feature = "fma"),
        any(test, not(debug_assertions))
    ))]
    asked::wide_part(part);
    #[cfg(not(all(
        target_arch = "x86_64",
        not(target_feature = "fma"),
        any(test, not(debug_assertions))
    )))]
    apart(part);
}

#[cfg(all(
    feature = "std",
    target_arch = "x86_64",
    not(target_feature = "fma"),
    any(test, not(debug_assertions))
))]
pub(super) mod asked {
    use super::{Part, Real, Work};
    use core::sync::atomic::{AtomicU8, Ordering};

    const UNKNOWN: u8 = 0;
    const BASELINE: u8 = 1;
    const WIDE: u8 = 2;
    static LEVEL: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Whether the processor has AVX2 and FMA; it is asked once.
    #[inline(always)]
    pub fn has_wide() -> bool {
        match LEVEL.load(Ordering::Relaxed) {
            UNKNOWN => ask(),
            level => level == WIDE,
        }
    }

    #[cold]
    fn ask() -> bool {
        let wide = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("fma");
        LEVEL.store(if wide { WIDE } else { BASELINE }, Ordering::Relaxed);
        wide
    }

    /// Keeps to what the program is compiled for, as on a processor without more.
    #[cfg(not(debug_assertions))]
    pub fn forget() {
        LEVEL.store(BASELINE, Ordering::Relaxed);
    }

    /// The work with AVX2 and FMA.
    ///
    /// # Panics
    /// Where the processor has them not.
    #[inline(always)]
    #[allow(unsafe_code)]
    pub fn wide<S: Real>(work: impl Work<S>) {
        assert!(has_wide());
        // SAFETY: the function's only demand is that the processor has both, which it said that it has.
        unsafe { instructions(work) }
    }

    /// The same for a part of such work.
    #[inline(always)]
    #[allow(unsafe_code)]
    pub fn wide_part(part: impl Part) {
        assert!(has_wide());
        // SAFETY: as above.
        unsafe { instructions_of(part) }
    }

    #[target_feature(enable = "avx2,fma")]
    fn instructions<S: Real>(work: impl Work<S>) {
        work.run::<S::Wide>();
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline(never)]
    fn instructions_of(part: impl Part) {
        part.run();
    }
}

/// For tests: from now on as on a processor that has no more than what the program is compiled for.
pub fn keep_to_baseline() {
    #[cfg(all(
        feature = "std",
        target_arch = "x86_64",
        not(target_feature = "fma"),
        not(debug_assertions)
    ))]
    asked::forget();
}
