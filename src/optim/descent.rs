//! Gradient descent, with and without momentum.

use super::{State, check_lengths, setters, with_storage};
use crate::rt::Real;

/// Plain gradient descent: θ ← θ - rate · g. No state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd<F> {
    rate: F,
}

impl<F: Real> Sgd<F> {
    /// With this learning rate.
    #[must_use]
    pub const fn new(rate: F) -> Self {
        Self { rate }
    }

    setters! {
        /// Another learning rate, for schedules.
        rate
    }

    /// One step against the gradient.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn step(&mut self, params: &mut [F], grads: &[F]) {
        check_lengths(params, grads);
        for (p, g) in params.iter_mut().zip(grads) {
            *p = (-self.rate).fma(*g, *p);
        }
    }
}

with_storage! {
    /// Gradient descent with momentum (Polyak, 1964): v ← momentum · v + g, θ ← θ - rate · v. With [`nesterov`](Momentum::nesterov),
    /// θ ← θ - rate · (g + momentum · v): Nesterov's (1983) accelerated gradient in the form of Sutskever et al. (2013).
    pub struct Momentum<F, S> {
        rate: F,
        momentum: F,
        nesterov: bool,
        velocity: S,
    }
}

#[cfg(feature = "alloc")]
impl<F: Real> Momentum<F> {
    /// With this learning rate and momentum (0.9 is usual).
    #[must_use]
    pub fn new(rate: F, momentum: F) -> Self {
        Self::with_state(rate, momentum, Default::default())
    }
}

impl<F: Real, S: State<F>> Momentum<F, S> {
    /// The same with given, zeroed storage, as long as the parameters.
    #[must_use]
    pub fn with_state(rate: F, momentum: F, velocity: S) -> Self {
        Self { rate, momentum, nesterov: false, velocity }
    }

    /// Looks ahead by one step of the momentum.
    #[must_use]
    pub fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }

    setters! {
        /// Another learning rate, for schedules.
        rate
    }

    /// One step.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn step(&mut self, params: &mut [F], grads: &[F]) {
        check_lengths(params, grads);
        let velocity = self.velocity.get(params.len());
        for ((p, g), v) in params.iter_mut().zip(grads).zip(velocity) {
            *v = self.momentum.fma(*v, *g);
            let direction = if self.nesterov { self.momentum.fma(*v, *g) } else { *v };
            *p = (-self.rate).fma(direction, *p);
        }
    }
}

/// Makes [`Momentum`] with Nesterov's look-ahead.
#[derive(Clone, Copy, Debug)]
pub struct Nesterov;

impl Nesterov {
    /// `Momentum::new(rate, momentum).nesterov()`.
    #[cfg(feature = "alloc")]
    #[must_use]
    #[allow(clippy::new_ret_no_self)]
    pub fn new<F: Real>(rate: F, momentum: F) -> Momentum<F> {
        Momentum::new(rate, momentum).nesterov()
    }
}
