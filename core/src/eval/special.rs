//! Special and stable functions of one or two numbers, for the reference evaluator.

use crate::few::Each;
use std::f64::consts::{FRAC_2_SQRT_PI, PI};

/// The larger; NaN if either is.
pub fn maximum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// The smaller; NaN if either is.
pub fn minimum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

/// `x` cut off at both ends; NaN stays NaN.
pub fn clamp(x: f64, lo: f64, hi: f64) -> f64 {
    minimum(maximum(x, lo), hi)
}

/// 1, 0 or -1; NaN stays NaN.
pub fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    }
}

/// `1 / (1 + exp(-x))`
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// `log(1 + exp(x))`
pub fn softplus(x: f64) -> f64 {
    maximum(x, 0.0) + (-x.abs()).exp().ln_1p()
}

/// `log Σ exp(x)`; -inf of nothing.
pub fn logsumexp(x: &[f64]) -> f64 {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, maximum);
    if !top.is_finite() {
        return top;
    }
    top + x.iter().map(|v| (v - top).exp()).sum::<f64>().ln()
}

/// Exponentials over their sum, shifted by the largest entry so that nothing overflows.
pub fn softmax(x: &[f64]) -> Vec<f64> {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, maximum);
    let exps: Vec<f64> = x.each(|v| (v - top).exp());
    let total: f64 = exps.iter().sum();
    exps.into_iter().map(|e| e / total).collect()
}

/// The logarithm of `softmax`, shifted likewise.
pub fn log_softmax(x: &[f64]) -> Vec<f64> {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, maximum);
    let total: f64 = x.iter().map(|v| (v - top).exp()).sum();
    x.each(|v| (v - top) - total.ln())
}

/// The Euclidean norm, scaled so that nothing overflows.
pub fn norm2(x: &[f64]) -> f64 {
    let top = x.iter().fold(0.0, |top, v| maximum(top, v.abs()));
    if top == 0.0 || !top.is_finite() {
        return top;
    }
    let squares: f64 = x.iter().map(|v| (v / top) * (v / top)).sum();
    top * squares.sqrt()
}

/// The inverse of sinh, precise for small and for large `x`.
pub fn asinh(x: f64) -> f64 {
    libm::asinh(x)
}

/// The inverse of cosh.
pub fn acosh(x: f64) -> f64 {
    libm::acosh(x)
}

/// The inverse of tanh.
pub fn atanh(x: f64) -> f64 {
    libm::atanh(x)
}

/// The error function.
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// `1 - erf(x)`
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// `x √π · exp(x²) erfc(x)` for x of at least 8: eleven terms of the asymptotic series (Abramowitz and Stegun, 7.1.23).
fn erfc_tail(x: f64) -> f64 {
    let t = 0.5 / (x * x);
    (1..=11).rev().fold(1.0, |sum, k| 1.0 - f64::from(2 * k - 1) * t * sum)
}

/// `exp(x²) erfc(x)`
pub fn erfcx(x: f64) -> f64 {
    if x < 8.0 { (x * x).exp() * erfc(x) } else { 0.5 * FRAC_2_SQRT_PI * erfc_tail(x) / x }
}

/// `log(erfc(x))`
pub fn logerfc(x: f64) -> f64 {
    if x < 0.5 {
        (-libm::erf(x)).ln_1p()
    } else if x < 8.0 {
        erfc(x).ln()
    } else {
        (0.5 * FRAC_2_SQRT_PI * erfc_tail(x) / x).ln() - x * x
    }
}

/// The inverse of `erf`: a rough start, then Halley's steps on `erf`, or on `erfc` near the ends.
pub fn erfinv(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 1.0 {
        return f64::NAN;
    }
    if x.abs() == 1.0 {
        return x * f64::INFINITY;
    }
    let target = x.abs();
    // Winitzki's start, good to about 1e-3.
    let log = (-target * target).ln_1p();
    let half = 2.0 / (PI * 0.147) + 0.5 * log;
    let mut y = ((half * half - log / 0.147).sqrt() - half).max(0.0).sqrt();
    for _ in 0..4 {
        let miss =
            if target < 0.5 { libm::erf(y) - target } else { (1.0 - target) - libm::erfc(y) };
        let newton = miss / (FRAC_2_SQRT_PI * (-y * y).exp());
        y -= newton / (1.0 + y * newton);
    }
    y.copysign(x)
}

/// `log |Γ(x)|`
pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The derivative of `lgamma`: recurrence up to 10, then the asymptotic series; reflected below 0.
pub fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        return digamma(1.0 - x) - PI / (PI * x).tan();
    }
    let (mut sum, mut x) = (0.0, x);
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32760.0,
        1.0 / 12.0,
    ];
    sum + x.ln() - 0.5 / x - r * horner(&series, r)
}

/// The derivative of `digamma`, in the same way.
pub fn trigamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::INFINITY;
        }
        let s = PI / (PI * x).sin();
        return s * s - trigamma(1.0 - x);
    }
    let (mut sum, mut x) = (0.0, x);
    while x < 10.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series =
        [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];
    sum + 1.0 / x + 0.5 * r + r / x * horner(&series, r)
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}
