//! Elementary functions against the standard library and against 40 digits; kernels; shapes; initialisation.
#[cfg(all(feature = "std", target_arch = "x86_64", not(target_feature = "fma")))]
mod levels;
mod math;
mod reference;
mod rest;
