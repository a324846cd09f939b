//! Steps scaled entry by entry by running means of past gradients.

use super::{State, check_lengths, setters, with_storage};
use crate::rt::Real;

with_storage! {
    /// Adam (Kingma and Ba, 2015, algorithm 1): m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g²,
    /// θ ← θ - rate · m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8 unless set.
    pub struct Adam<F, S> {
        rate: F,
        beta1: F,
        beta2: F,
        epsilon: F,
        /// Decoupled; 0 for Adam itself.
        weight_decay: F,
        /// β₁ᵗ and β₂ᵗ.
        powers: (F, F),
        mean: S,
        square: S,
    }
}

#[cfg(feature = "alloc")]
impl<F: Real> Adam<F> {
    /// With this learning rate (0.001 is usual).
    #[must_use]
    pub fn new(rate: F) -> Self {
        Self::with_state(rate, Default::default(), Default::default())
    }
}

impl<F: Real, S: State<F>> Adam<F, S> {
    /// The same with given, zeroed storage for m and v, each as long as the parameters.
    #[must_use]
    pub fn with_state(rate: F, mean: S, square: S) -> Self {
        Self {
            rate,
            beta1: F::from_f64(0.9),
            beta2: F::from_f64(0.999),
            epsilon: F::from_f64(1e-8),
            weight_decay: F::ZERO,
            powers: (F::ONE, F::ONE),
            mean,
            square,
        }
    }

    setters! {
        /// Another learning rate, for schedules.
        rate
        /// The decay of the mean.
        beta1
        /// The decay of the mean square.
        beta2
        /// What keeps the denominator from 0.
        epsilon
    }

    /// One step.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn step(&mut self, params: &mut [F], grads: &[F]) {
        check_lengths(params, grads);
        self.powers = (self.powers.0 * self.beta1, self.powers.1 * self.beta2);
        let keep = F::ONE - self.rate * self.weight_decay;
        let step = self.rate / (F::ONE - self.powers.0);
        let scale = F::ONE / (F::ONE - self.powers.1).sqrt();
        let (mean, square) = (self.mean.get(params.len()), self.square.get(params.len()));
        for (((p, g), m), v) in params.iter_mut().zip(grads).zip(mean).zip(square) {
            *m = self.beta1 * *m + (F::ONE - self.beta1) * *g;
            *v = self.beta2 * *v + (F::ONE - self.beta2) * *g * *g;
            *p = *p * keep - step * *m / (v.sqrt() * scale + self.epsilon);
        }
    }
}

with_storage! {
    /// [`Adam`] with weight decay apart from the gradient (Loshchilov and Hutter, 2019): θ ← (1 - rate · decay) θ, then Adam's step.
    pub struct AdamW<F, S> {
        adam: Adam<F, S>,
    }
}

#[cfg(feature = "alloc")]
impl<F: Real> AdamW<F> {
    /// With this learning rate (0.001 is usual) and weight decay (0.01 is usual).
    #[must_use]
    pub fn new(rate: F, weight_decay: F) -> Self {
        Self::with_state(rate, weight_decay, Default::default(), Default::default())
    }
}

impl<F: Real, S: State<F>> AdamW<F, S> {
    /// The same with given, zeroed storage for m and v, each as long as the parameters.
    #[must_use]
    pub fn with_state(rate: F, weight_decay: F, mean: S, square: S) -> Self {
        Self { adam: Adam { weight_decay, ..Adam::with_state(rate, mean, square) } }
    }

    /// Another learning rate, for schedules.
    #[must_use]
    pub fn rate(self, rate: F) -> Self {
        Self { adam: self.adam.rate(rate) }
    }

    /// The decay of the mean.
    #[must_use]
    pub fn beta1(self, beta1: F) -> Self {
        Self { adam: self.adam.beta1(beta1) }
    }

    /// The decay of the mean square.
    #[must_use]
    pub fn beta2(self, beta2: F) -> Self {
        Self { adam: self.adam.beta2(beta2) }
    }

    /// What keeps the denominator from 0.
    #[must_use]
    pub fn epsilon(self, epsilon: F) -> Self {
        Self { adam: self.adam.epsilon(epsilon) }
    }

    /// One step.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn step(&mut self, params: &mut [F], grads: &[F]) {
        self.adam.step(params, grads);
    }
}

with_storage! {
    /// RMSProp (Tieleman and Hinton, 2012): v ← α v + (1 - α) g², θ ← θ - rate · g / (√v + ε).
    /// α = 0.99, ε = 1e-8 unless set.
    pub struct RmsProp<F, S> {
        rate: F,
        alpha: F,
        epsilon: F,
        square: S,
    }
}

#[cfg(feature = "alloc")]
impl<F: Real> RmsProp<F> {
    /// With this learning rate (0.01 is usual).
    #[must_use]
    pub fn new(rate: F) -> Self {
        Self::with_state(rate, Default::default())
    }
}

impl<F: Real, S: State<F>> RmsProp<F, S> {
    /// The same with given, zeroed storage, as long as the parameters.
    #[must_use]
    pub fn with_state(rate: F, square: S) -> Self {
        Self { rate, alpha: F::from_f64(0.99), epsilon: F::from_f64(1e-8), square }
    }

    setters! {
        /// Another learning rate, for schedules.
        rate
        /// The decay of the mean square.
        alpha
        /// What keeps the denominator from 0.
        epsilon
    }

    /// One step.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn step(&mut self, params: &mut [F], grads: &[F]) {
        check_lengths(params, grads);
        let square = self.square.get(params.len());
        for ((p, g), v) in params.iter_mut().zip(grads).zip(square) {
            *v = self.alpha * *v + (F::ONE - self.alpha) * *g * *g;
            *p -= self.rate * *g / (v.sqrt() + self.epsilon);
        }
    }
}
