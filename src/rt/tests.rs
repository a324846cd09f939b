//! Elementary functions against the standard library and against 40 digits; kernels; shapes; initialisation.
#[cfg(feature = "std")]
mod accuracy;
mod exact;
#[cfg(all(feature = "std", target_arch = "x86_64", not(target_feature = "fma")))]
mod levels;
mod math;
mod reference;
mod rest;
