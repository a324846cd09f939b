//! In: random bits. Out: numbers to start training from. Invariant: one generator and seed, one result, on every machine up to rounding.

use super::Real;
use crate::rng::Rng;

/// A number drawn evenly from [0, 1), a multiple of 2⁻⁵³.
pub fn uniform(rng: &mut (impl Rng + ?Sized)) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number drawn from the normal distribution with mean 0 and variance 1 (Box and Muller, 1958).
pub fn normal(rng: &mut (impl Rng + ?Sized)) -> f64 {
    let radius = Real::sqrt(-2.0 * Real::ln(1.0 - uniform(rng)));
    radius * Real::cos(core::f64::consts::TAU * uniform(rng))
}

/// Fills `values` with normal numbers of mean 0 and standard deviation `scale`.
pub fn fill_normal<F: Real>(values: &mut [F], scale: f64, rng: &mut (impl Rng + ?Sized)) {
    for value in values {
        *value = F::from_f64(scale * normal(rng));
    }
}

/// The usual start for a parameter of the shape `sizes`: scalars and vectors (biases) are 0; a matrix `[fan_in, fan_out]` is normal with
/// variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010), which keeps the size of values and of gradients alike from layer
/// to layer. Of more axes, the last two count and those before them multiply both fans, as a convolution's window does.
///
/// ```
/// use chainrule::{rng::SmallRng, rt::init};
/// let mut w = [0.0_f32; 12];
/// init::fill_scaled(&mut w, &[4, 3], &mut SmallRng::seed(1));
/// assert!(w.iter().all(|w| *w != 0.0 && w.abs() < 4.0));
/// ```
pub fn fill_scaled<F: Real>(values: &mut [F], sizes: &[usize], rng: &mut (impl Rng + ?Sized)) {
    let [before @ .., fan_in, fan_out] = sizes else {
        values.fill(F::ZERO);
        return;
    };
    let window = before.iter().product::<usize>();
    let scale = Real::sqrt(2.0 / (window * (fan_in + fan_out)) as f64);
    fill_normal(values, scale, rng);
}
