//! In: parameters and their gradients, as flat slices. Out: the parameters after one step. Semantics, defaults included, are PyTorch's.
//!
//! ```
//! let mut params = [1.0_f32, 2.0];
//! let mut sgd = chainrule::optim::Sgd::new(0.1);
//! sgd.step(&mut params, &[1.0, -1.0]);
//! assert_eq!(params, [0.9, 2.1]);
//! ```
//!
//! Those with a memory of past gradients keep it in buffers as long as the parameters. Made with `new` (feature `alloc`), they
//! allocate them in their first step and never again; made with `with_state`, they use storage that the caller gives, zeroed, as
//! arrays without an allocator:
//!
//! ```
//! use chainrule::optim::Adam;
//! let mut adam = Adam::with_state(0.01, [0.0_f64; 2], [0.0; 2]);
//! let mut params = [1.0, 2.0];
//! adam.step(&mut params, &[3.0, -0.5]);
//! assert!((params[0] - 0.99).abs() < 1e-9 && (params[1] - 2.01).abs() < 1e-9);
//! ```

mod adaptive;
mod descent;
mod rprop;
#[cfg(all(test, feature = "alloc"))]
mod tests;

pub use adaptive::{Adam, AdamW, RmsProp};
pub use descent::{Momentum, Nesterov, Sgd};
pub use rprop::Rprop;

use crate::rt::Real;

/// Storage for an optimiser's memory: a buffer that is made on first use, or one that the caller gives.
pub trait State<F: Real> {
    /// The memory for `len` parameters, zero at first.
    ///
    /// # Panics
    /// Where its length is fixed and is another.
    fn get(&mut self, len: usize) -> &mut [F];
}

#[cfg(feature = "alloc")]
impl<F: Real> State<F> for crate::rt::Buf<F> {
    fn get(&mut self, len: usize) -> &mut [F] {
        if self.is_empty() {
            *self = Self::zeros(len);
        }
        check(self.len(), len);
        self
    }
}

impl<F: Real, const N: usize> State<F> for [F; N] {
    fn get(&mut self, len: usize) -> &mut [F] {
        check(N, len);
        self
    }
}

impl<F: Real> State<F> for &mut [F] {
    fn get(&mut self, len: usize) -> &mut [F] {
        check(self.len(), len);
        self
    }
}

fn check(state: usize, params: usize) {
    assert!(
        state == params,
        "the optimiser's state is for {state} parameters, but was given {params}"
    );
}

/// One gradient for each parameter.
fn check_lengths<F>(params: &[F], grads: &[F]) {
    assert!(
        params.len() == grads.len(),
        "{} gradients for {} parameters: the two slices must match",
        grads.len(),
        params.len()
    );
}

/// A type parameter for storage, `Buf<F>` unless said otherwise where there is an allocator.
macro_rules! with_storage {
    ($(#[$doc:meta])* pub struct $name:ident<F, S> { $($body:tt)* }) => {
        #[cfg(feature = "alloc")]
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name<F, S = crate::rt::Buf<F>> { $($body)* }
        #[cfg(not(feature = "alloc"))]
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name<F, S> { $($body)* }
    };
}
use with_storage;

/// Chainable setters.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: F) -> Self {
            self.$name = $name;
            self
        }
    )* };
}
use setters;
