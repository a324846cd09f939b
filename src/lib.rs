//! Closed-form gradients: what is linked into a program that uses `derive_grad!`.
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `std` (default) | the standard library's elementary functions |
//! | `alloc` | run-time sizes, and optimisers that make their own state |
//! | `libm` | elementary functions without `std` |
//! | `ndarray`, `nalgebra` | their arrays and matrices as inputs |
//! | `rand` | initialisation from any generator of `rand` |
//! | `argmin` | objectives for its solvers |
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(not(any(feature = "std", feature = "libm")))]
compile_error!(
    "chainrule needs its feature `std`, or without it `libm`, for square roots and the like"
);

pub mod interop;
pub mod optim;
pub mod rng;
#[doc(hidden)]
pub mod rt;

pub use chainrule_macros::derive_grad;
pub use rt::{ShapeError, Tensor};
