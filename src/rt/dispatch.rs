//! In: work that is worth asking the processor for its instructions. Out: the same work, run with the widest that it has.
//!
//! A program that is compiled for every x86-64 machine has neither AVX2 nor fused multiplication in its code. Work that is marked
//! `#[inline(always)]` throughout is compiled a second time inside a function that has them, and runs there where the processor does.
//! Without the standard library, which asks the processor, what the target is compiled for is used.
//! Invariant: this is the only file of the package with `unsafe` in it.

/// Work that can be compiled for several sets of instructions: everything that it calls has to be `#[inline(always)]`.
pub(super) trait Kernel {
    /// Does it; with `FUSED`, multiplication and addition in one rounding are one instruction.
    fn run<const FUSED: bool>(self);
}

/// Runs the work with the widest instructions that there are.
#[inline(always)]
pub(super) fn dispatch(kernel: impl Kernel) {
    #[cfg(all(feature = "std", target_arch = "x86_64", not(target_feature = "fma")))]
    {
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            // SAFETY: the function's only demand is that the processor has both, which was asked just now.
            #[allow(unsafe_code)]
            unsafe {
                wide(kernel);
            }
            return;
        }
    }
    kernel.run::<{ cfg!(all(feature = "std", target_feature = "fma")) }>();
}

#[cfg(all(feature = "std", target_arch = "x86_64", not(target_feature = "fma")))]
#[target_feature(enable = "avx2,fma")]
fn wide(kernel: impl Kernel) {
    kernel.run::<true>();
}
