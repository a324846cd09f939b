//! Closed-form gradients: what is linked into a program that uses `derive_grad!`.
//!
//! A program is written once, in the language of the papers; its gradients are worked out when the crate is compiled.
//!
//! ```
//! chainrule::derive_grad! {
//!     /// Linear regression.
//!     pub mod line {
//!         dim B, N = 2;
//!         input  x: [B, N];
//!         target t: [B];
//!         param  w: [N], c;
//!         loss E = mse(x @ w + c, t);
//!     }
//! }
//!
//! let x = [[0.0, 1.0], [2.0, 0.5], [1.0, 1.0], [3.0, 2.0]];
//! let t = [1.5, 4.5, 3.5, 8.5]; // 2 x₀ + x₁ + 1/2 and a little more
//! let inputs = line::Inputs::new(&x, &t)?; // the only step that can fail: sizes are checked here, once
//! let mut params = line::Params::zeros();
//! let mut grads = line::Params::zeros();
//! let mut ws = line::Workspace::new(&inputs);
//! for _ in 0..2000 {
//!     line::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
//!     for (param, grad) in params.as_mut_slice().iter_mut().zip(grads.as_slice()) {
//!         *param -= 0.1 * grad;
//!     }
//! }
//! assert!(line::forward(&params, &inputs, &mut ws).E < 0.1);
//! # Ok::<(), chainrule::ShapeError>(())
//! ```
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `std` (default) | the standard library's elementary functions |
//! | `deterministic` | the same bits on every x86-64 machine |
//! | `rayon` | long batches and large matrix products are shared by the threads of rayon's pool; the same bits for any number of them |
//! | `alloc` | run-time sizes, and optimisers that make their own state |
//! | `libm` | elementary functions without `std` |
//! | `ndarray`, `nalgebra` | their arrays and matrices as inputs |
//! | `rand` | initialisation from any generator of `rand` |
//! | `argmin` | objectives for its solvers |
#![cfg_attr(not(feature = "std"), no_std)]
// Allowed in `rt/dispatch.rs` alone, with the reason at each place.
#![deny(unsafe_code)]

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
pub use rt::{ShapeError, Shaped, Tensor};

/// The Rust of the README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So is that of the guide.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../docs/tutorial.md")]
    struct Tutorial;
    #[doc = include_str!("../docs/macro.md")]
    struct Macro;
    #[doc = include_str!("../docs/cookbook.md")]
    struct Cookbook;
    #[doc = include_str!("../docs/zh.md")]
    struct Chinese;
}
