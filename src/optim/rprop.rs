//! Steps from the gradient's sign alone.

use super::{State, check_lengths, setters, with_storage};
use crate::rt::Real;

with_storage! {
    /// Resilient propagation (Riedmiller and Braun, 1993), for full batches. Each parameter has a step of its own, which grows by η⁺
    /// while its gradient keeps its sign and shrinks by η⁻ when the sign changes; after a change it rests for one step.
    /// η⁻ = 0.5, η⁺ = 1.2, steps within [1e-6, 50] unless set.
    pub struct Rprop<F, S> {
        rate: F,
        shrink: F,
        grow: F,
        smallest: F,
        largest: F,
        steps: S,
        last: S,
    }
}

#[cfg(feature = "alloc")]
impl<F: Real> Rprop<F> {
    /// With this first step (0.01 is usual).
    #[must_use]
    pub fn new(rate: F) -> Self {
        Self::with_state(rate, Default::default(), Default::default())
    }
}

impl<F: Real, S: State<F>> Rprop<F, S> {
    /// The same with given, zeroed storage for the steps and the last gradients, each as long as the parameters.
    #[must_use]
    pub fn with_state(rate: F, steps: S, last: S) -> Self {
        Self {
            rate,
            shrink: F::from_f64(0.5),
            grow: F::from_f64(1.2),
            smallest: F::from_f64(1e-6),
            largest: F::from_f64(50.0),
            steps,
            last,
        }
    }

    setters! {
        /// η⁻, below 1.
        shrink
        /// η⁺, above 1.
        grow
        /// The smallest step, above 0.
        smallest
        /// The largest step.
        largest
    }

    /// One step.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn step(&mut self, params: &mut [F], grads: &[F]) {
        check_lengths(params, grads);
        let (steps, last) = (self.steps.get(params.len()), self.last.get(params.len()));
        for (((p, g), step), last) in params.iter_mut().zip(grads).zip(steps).zip(last) {
            // A step is never 0 once it is made: `smallest` is above 0.
            let before = if *step > F::ZERO { *step } else { self.rate };
            let sign = g.signum0() * last.signum0();
            let (factor, g) = if sign > F::ZERO {
                (self.grow, *g)
            } else if sign < F::ZERO {
                (self.shrink, F::ZERO)
            } else {
                (F::ONE, *g)
            };
            *step = (before * factor).maximum(self.smallest).minimum(self.largest);
            *p -= *step * g.signum0();
            *last = g;
        }
    }
}
