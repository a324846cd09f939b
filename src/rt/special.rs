//! In: one `f64`. Out: the error function's complement and inverse, and the gamma function's logarithm and its derivatives.
//! Scalar code with branches; `f32` goes through it, which makes its last digit right almost always.
//! Invariant: no dependency on the platform's own versions (the standard library has none on stable).

use super::real::Real;

/// Horner's rule, lowest power first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// `(t + 2) exp(t²) erfc(t)` in v = (t - 2) / (t + 2) for t from 0.5 to 28 (minimax, relative error 1.2e-18).
const ERFCX: [f64; 24] = [
    1.021582705242023,
    -0.6871606844138106,
    0.27947209255605543,
    -0.03644223150688178,
    -0.021510661889550888,
    0.00647918506791878,
    0.0030906120614902326,
    -0.0008372960677885013,
    -0.0006630735450857929,
    3.437152258251939e-05,
    0.0001444711267858089,
    3.4148041706352096e-05,
    -2.169828363349506e-05,
    -1.6115561815386914e-05,
    -1.1193565665889742e-06,
    3.622364497565629e-06,
    1.9943700310675565e-06,
    5.5714464787193975e-08,
    -5.805565385085487e-07,
    -4.038731718469023e-07,
    3.9066831944614336e-08,
    1.7165110995405646e-07,
    8.757895213190306e-09,
    -2.894181225163496e-08,
];

/// 1 - erf(x), with its own relative precision where it is small.
pub(crate) fn erfc(x: f64) -> f64 {
    if x < 0.5 || x.is_nan() {
        return 1.0 - Real::erf(x);
    }
    if x > 27.3 {
        return 0.0;
    }
    // exp(-x²) with x² in two parts.
    let high = f64::from_bits(x.to_bits() & (u64::MAX << 27));
    let low = (x - high) * (x + high);
    let v = (x - 2.0) / (x + 2.0);
    let scaled = polynomial(v, &ERFCX) / (x + 2.0);
    Real::exp(-high * high) * (scaled * Real::exp(-low))
}

/// `exp(x²) erfc(x)`; +∞ where that is over the range of a double.
pub(crate) fn erfcx(x: f64) -> f64 {
    if x < 0.5 || x.is_nan() {
        return Real::exp(x * x) * erfc(x);
    }
    if x < 27.3 {
        return polynomial((x - 2.0) / (x + 2.0), &ERFCX) / (x + 2.0);
    }
    // The asymptotic series (Abramowitz and Stegun, 7.1.23) in t = 1/(2 x²).
    let t = 0.5 / (x * x);
    let series = polynomial(t, &[1.0, -1.0, 3.0, -15.0, 105.0, -945.0, 10395.0]);
    0.5 * core::f64::consts::FRAC_2_SQRT_PI * series / x
}

/// ln(erfc(x)), finite far beyond where erfc(x) is 0, with its own relative precision near 0.
pub(crate) fn logerfc(x: f64) -> f64 {
    if x < 0.5 || x.is_nan() {
        return Real::log1p(-Real::erf(x));
    }
    Real::ln(erfcx(x)) - x * x
}

/// The x with erf(x) = y; ±∞ at ±1, NaN outside.
pub(crate) fn erfinv(y: f64) -> f64 {
    let t = y.abs();
    if t.is_nan() || t > 1.0 {
        return f64::NAN;
    }
    if t == 1.0 {
        return f64::INFINITY.copysign(y);
    }
    if t < 1e-8 {
        return y * (0.5 * Real::sqrt(core::f64::consts::PI));
    }
    // A first guess by S. Winitzki's formula, good to 0.2 %, then Halley's method (cubic).
    let l = Real::log1p(-t * t);
    let b = 2.0 / (core::f64::consts::PI * 0.147) + 0.5 * l;
    let mut x = Real::sqrt(Real::sqrt(b * b - l / 0.147) - b);
    for _ in 0..3 {
        let error = if t < 0.5 { Real::erf(x) - t } else { (1.0 - t) - erfc(x) };
        let step = error / (core::f64::consts::FRAC_2_SQRT_PI * Real::exp(-x * x));
        x -= step / (1.0 + x * step);
    }
    x.copysign(y)
}

/// ln Γ(x) / ((x - 1)(x - 2)) on [1, 2] in x - 3/2 (minimax, relative error 4.6e-17).
const LGAMMA: [f64; 20] = [
    0.4831289505409809,
    -0.14595989591430591,
    0.0629114010745822,
    -0.0313084875010557,
    0.016797098628927594,
    -0.009425622444654015,
    0.005446457959125473,
    -0.0032120742263545532,
    0.0019229131960295663,
    -0.001164411275722562,
    0.0007115655694896487,
    -0.00043803621125109793,
    0.0002708913242359832,
    -0.00016856524490768102,
    0.00010773014593469876,
    -6.796156775255331e-05,
    3.495755930795801e-05,
    -2.1438723023553054e-05,
    2.8368512316196743e-05,
    -1.8569428991658543e-05,
];

/// ln |Γ(x)|; +∞ at 0, -1, -2, ….
pub(crate) fn lgamma(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x == f64::NEG_INFINITY {
        return f64::INFINITY;
    }
    if x < 0.5 {
        if x <= 0.0 && x == Real::floor(x) {
            return f64::INFINITY;
        }
        if x.abs() < 1e-20 {
            return -Real::ln(x.abs());
        }
        if x > -0.5 {
            // Γ(x) = Γ(x + 1) / x, twice where x is negative.
            let shifted = if x > 0.0 { lgamma(x + 1.0) } else { lgamma(x + 2.0) - Real::log1p(x) };
            return shifted - Real::ln(x.abs());
        }
        // Γ(x) Γ(1 - x) = π / sin πx.
        let sine = sin_pi(x).abs();
        return Real::ln(core::f64::consts::PI / sine) - lgamma(1.0 - x);
    }
    if x < 1.0 {
        return lgamma_near(x + 1.0, x) - Real::ln(x);
    }
    if x >= 10.0 {
        // Stirling's series.
        let z = 1.0 / (x * x);
        let series = polynomial(
            z,
            &[
                1.0 / 12.0,
                -1.0 / 360.0,
                1.0 / 1260.0,
                -1.0 / 1680.0,
                1.0 / 1188.0,
                -691.0 / 360_360.0,
                1.0 / 156.0,
                -3617.0 / 122_400.0,
            ],
        );
        const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;
        return (x - 0.5) * (Real::ln(x) - 1.0) + (HALF_LN_TAU - 0.5) + series / x;
    }
    let (mut y, mut product) = (x, 1.0);
    while y > 2.0 {
        y -= 1.0;
        product *= y;
    }
    let near = lgamma_near(y, y - 1.0);
    if product == 1.0 { near } else { near + Real::ln(product) }
}

/// ln Γ(y) for y in [1, 2], given y - 1 unrounded.
fn lgamma_near(y: f64, y_minus_1: f64) -> f64 {
    // The sum makes -0 at the zeros 0.
    y_minus_1 * (y - 2.0) * polynomial(y - 1.5, &LGAMMA) + 0.0
}

/// sin(πx), exact at integers.
fn sin_pi(x: f64) -> f64 {
    let r = x - 2.0 * Real::round(0.5 * x);
    Real::sin(
        core::f64::consts::PI
            * if r > 0.5 {
                1.0 - r
            } else if r < -0.5 {
                -1.0 - r
            } else {
                r
            },
    )
}

/// π / tan(πx), exact at half-integers.
fn pi_cot_pi(x: f64) -> f64 {
    let r = x - Real::round(x);
    if r.abs() == 0.5 { 0.0 } else { core::f64::consts::PI / Real::tan(core::f64::consts::PI * r) }
}

/// (ln Γ)'(x); NaN at 0, -1, -2, … where the two sides differ in sign.
pub(crate) fn digamma(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x <= 0.0 {
        if x == Real::floor(x) {
            return f64::NAN;
        }
        return digamma(1.0 - x) - pi_cot_pi(x);
    }
    let (mut y, mut sum) = (x, 0.0);
    while y < 10.0 {
        sum += 1.0 / y;
        y += 1.0;
    }
    let z = 1.0 / (y * y);
    let series = polynomial(
        z,
        &[
            1.0 / 12.0,
            -1.0 / 120.0,
            1.0 / 252.0,
            -1.0 / 240.0,
            5.0 / 660.0,
            -691.0 / 32_760.0,
            1.0 / 12.0,
            -3617.0 / 8160.0,
        ],
    );
    (Real::ln(y) - 0.5 / y - z * series) - sum
}

/// (ln Γ)''(x), the polygamma function of order 1; +∞ at 0, -1, -2, ….
pub(crate) fn trigamma(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    if x <= 0.0 {
        if x == Real::floor(x) {
            return f64::INFINITY;
        }
        let s = core::f64::consts::PI / sin_pi(x);
        return s * s - trigamma(1.0 - x);
    }
    let (mut y, mut sum) = (x, 0.0);
    while y < 10.0 {
        sum += 1.0 / (y * y);
        y += 1.0;
    }
    let z = 1.0 / (y * y);
    let series = polynomial(
        z,
        &[
            1.0 / 6.0,
            -1.0 / 30.0,
            1.0 / 42.0,
            -1.0 / 30.0,
            5.0 / 66.0,
            -691.0 / 2730.0,
            7.0 / 6.0,
            -3617.0 / 510.0,
        ],
    );
    sum + (1.0 / y + 0.5 * z + z * series / y)
}
