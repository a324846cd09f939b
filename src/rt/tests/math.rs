//! Largest errors, in units in the last place, printed by `cargo test -- --nocapture`.
use super::reference::REFERENCE;
use crate::rt::Real;
use std::vec::Vec;

fn ulp64(x: f64) -> f64 {
    let x = x.abs().max(f64::MIN_POSITIVE);
    f64::from_bits(x.to_bits() + 1) - x
}

fn ulp32(x: f64) -> f64 {
    let x = (x.abs() as f32).clamp(f32::MIN_POSITIVE, 3e38);
    f64::from(f32::from_bits(x.to_bits() + 1) - x)
}

type One = fn(f64) -> f64;
/// Name, ours, reference, samples from and to, bound.
type Case32 = (&'static str, fn(f32) -> f32, One, f32, f32, f64);
type Case64 = (&'static str, One, One, f64, f64, f64);

#[test]
fn f32_against_f64() {
    let cases: &[Case32] = &[
        ("exp", Real::exp, f64::exp, -110.0, 90.0, 1.2),
        ("expm1", Real::expm1, f64::exp_m1, -20.0, 89.0, 1.2),
        ("expm1 near 0", Real::expm1, f64::exp_m1, -1.0, 1.0, 1.2),
        ("tanh", Real::tanh, f64::tanh, -11.0, 11.0, 1.2),
        ("tanh near 0", Real::tanh, f64::tanh, -0.5, 0.5, 1.2),
        ("sigmoid", Real::sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -105.0, 105.0, 1.5),
        ("sigmoid near 0", Real::sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -3.0, 3.0, 1.5),
        ("softplus", Real::softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), -105.0, 105.0, 1.5),
        ("ln", Real::ln, f64::ln, 1e-6, 5.0, 1.2),
        ("ln large", Real::ln, f64::ln, 1.0, 1e38, 1.2),
        ("ln subnormal", Real::ln, f64::ln, 1e-44, 1e-37, 1.2),
        ("log1p", Real::log1p, f64::ln_1p, -0.999_999, 3.0, 1.5),
        ("erf", Real::erf, Real::erf, -5.0, 5.0, 1.5),
    ];
    for (name, ours, reference, low, high, bound) in cases {
        let (mut worst, mut at) = (0.0, 0.0);
        for i in 0..200_000 {
            let x = low + (high - low) * (i as f32 / 200_000.0);
            let wanted = reference(f64::from(x));
            if wanted.abs() > f64::from(f32::MAX) {
                assert!(ours(x).abs() >= f32::MAX, "{name}({x})");
                continue;
            }
            let error = (f64::from(ours(x)) - wanted).abs() / ulp32(wanted);
            if error > worst || error.is_nan() {
                (worst, at) = (error, x);
            }
        }
        std::println!("f32 {name:16} {worst:.3} ulp at {at:e}");
        assert!(worst <= *bound, "{name}: {worst} ulp at {at:e}");
    }
}

#[test]
fn f64_against_std() {
    let cases: &[Case64] = &[
        ("exp", Real::exp, f64::exp, -750.0, 709.7, 2.0),
        ("exp near 0", Real::exp, f64::exp, -2.0, 2.0, 2.0),
        ("expm1", Real::expm1, f64::exp_m1, -40.0, 709.0, 2.0),
        ("expm1 near 0", Real::expm1, f64::exp_m1, -1.5, 1.5, 2.0),
        ("tanh near 0", Real::tanh, f64::tanh, -1.0, 1.0, 3.0),
        ("tanh", Real::tanh, f64::tanh, -25.0, 25.0, 3.0),
        ("ln", Real::ln, f64::ln, 1e-6, 5.0, 2.0),
        ("ln large", Real::ln, f64::ln, 1.0, 1e308, 2.0),
        ("log1p", Real::log1p, f64::ln_1p, -0.999_999, 3.0, 2.0),
    ];
    for (name, ours, reference, low, high, bound) in cases {
        let (mut worst, mut at) = (0.0, 0.0);
        for i in 0..200_000 {
            let x = low + (high - low) * (f64::from(i) / 200_000.0);
            let wanted = reference(x);
            let error = (ours(x) - wanted).abs() / ulp64(wanted);
            if error > worst || error.is_nan() {
                (worst, at) = (error, x);
            }
        }
        std::println!("f64 {name:16} {worst:.0} ulp from std at {at:e}");
        assert!(worst <= *bound, "{name}: {worst} ulp at {at:e}");
    }
}

#[test]
fn f64_against_digits() {
    for (name, ours, points) in REFERENCE {
        let (mut worst, mut at) = (0.0, 0.0);
        for &(x, high, low) in *points {
            // The gamma functions are precise absolutely, not relatively, near their zeros.
            let unit = ulp64(if name.ends_with("gamma") { high.abs().max(1.0) } else { high });
            let error = ((ours(x) - high) - low).abs() / unit;
            if error > worst || error.is_nan() {
                (worst, at) = (error, x);
            }
        }
        std::println!("f64 {name:16} {worst:.3} ulp at {at:e}");
        let bound = match *name {
            "lgamma" | "digamma" | "trigamma" => 12.0,
            "erfc" | "erfcx" | "logerfc" | "erfinv" => 4.0,
            _ => 1.5,
        };
        assert!(worst <= bound, "{name}: {worst} ulp at {at:e}");
    }
}

macro_rules! special_values {
    ($name:ident, $float:ident) => {
        #[test]
        fn $name() {
            const INF: $float = $float::INFINITY;
            const NAN: $float = $float::NAN;
            #[track_caller]
            fn same(a: $float, b: $float) {
                assert!(
                    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
                    "{a:?} instead of {b:?}"
                );
            }
            let unary: &[fn($float) -> $float] = &[
                Real::exp,
                Real::expm1,
                Real::tanh,
                Real::sigmoid,
                Real::softplus,
                Real::logsigmoid,
                Real::ln,
                Real::log1p,
                Real::erf,
                Real::gelu,
                Real::sin,
                Real::cos,
                Real::erfc,
                Real::erfcx,
                Real::logerfc,
                Real::erfinv,
                Real::lgamma,
                Real::digamma,
                Real::trigamma,
                Real::signum0,
                Real::round,
            ];
            for f in unary {
                assert!(f(NAN).is_nan());
            }
            for zero in [0.0, -0.0] {
                for f in
                    [Real::expm1, Real::tanh, Real::log1p, Real::erf, Real::erfinv, Real::signum0]
                {
                    same(f(zero), zero);
                }
                same(Real::gelu(zero), zero);
                same(Real::sin(zero), zero);
                same(Real::cos(zero), 1.0);
                same(Real::exp(zero), 1.0);
                same(Real::sigmoid(zero), 0.5);
                same(Real::ln(zero), -INF);
            }
            for tiny in [$float::from_bits(1), -$float::from_bits(3), $float::MIN_POSITIVE] {
                for f in [Real::expm1, Real::tanh, Real::log1p, Real::sin] {
                    same(f(tiny), tiny);
                }
            }
            same(Real::exp(INF), INF);
            same(Real::exp(-INF), 0.0);
            same(Real::exp($float::MAX), INF);
            same(Real::exp($float::MIN), 0.0);
            same(Real::expm1(INF), INF);
            same(Real::expm1($float::MAX), INF);
            same(Real::expm1(-INF), -1.0);
            same(Real::tanh(INF), 1.0);
            same(Real::tanh(-INF), -1.0);
            same(Real::sigmoid(INF), 1.0);
            same(Real::sigmoid(-INF), 0.0);
            same(Real::softplus(INF), INF);
            same(Real::softplus(-INF), 0.0);
            same(Real::logsigmoid(-INF), -INF);
            same(Real::ln(INF), INF);
            same(Real::ln(1.0), 0.0);
            same(Real::ln(-1.0), NAN);
            same(Real::log1p(-1.0), -INF);
            same(Real::log1p(-2.0), NAN);
            same(Real::log1p(INF), INF);
            same(Real::erf(INF), 1.0);
            same(Real::erf(-INF), -1.0);
            same(Real::gelu(INF), INF);
            same(Real::gelu(-INF), -0.0);
            same(Real::gelu($float::MAX), $float::MAX);
            same(Real::gelu($float::MIN), -0.0);
            same(Real::sin(INF), NAN);
            same(Real::cos(-INF), NAN);
            same(Real::erfc(INF), 0.0);
            same(Real::erfc(-INF), 2.0);
            same(Real::erfinv(1.0), INF);
            same(Real::erfinv(-1.0), -INF);
            same(Real::erfinv(1.5), NAN);
            same(Real::lgamma(0.0), INF);
            same(Real::lgamma(-2.0), INF);
            same(Real::lgamma(1.0), 0.0);
            same(Real::lgamma(2.0), 0.0);
            same(Real::digamma(-1.0), NAN);
            same(Real::trigamma(INF), 0.0);
            same(Real::round(2.5), 2.0);
            same(Real::round(-3.5), -4.0);
            assert!(Real::maximum(NAN, 1.0).is_nan() && Real::maximum(1.0, NAN).is_nan());
            assert!(Real::minimum(NAN, 1.0).is_nan() && Real::minimum(1.0, NAN).is_nan());
            same(Real::maximum(2.0, 1.0), 2.0);
            same(Real::minimum(2.0, 1.0), 1.0);
            same(Real::powi(2.0, -3), 0.125);
            same(Real::powi(3.0, 5), 243.0);
            same(Real::powi(NAN, 0), 1.0);
        }
    };
}

macro_rules! special_powers {
    ($name:ident, $float:ident) => {
        /// What IEEE 754 says of powers, as the standard library does.
        #[test]
        fn $name() {
            let ends =
                [0.0, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 1e15, $float::MAX, $float::INFINITY];
            let tiny = [$float::from_bits(1), $float::MIN_POSITIVE, $float::EPSILON];
            let below = |x: $float| $float::from_bits(x.to_bits() - 1);
            let odd = (1_u64 << (<$float>::MANTISSA_DIGITS - 1)) as $float + 1.0;
            let more = [odd, odd - 1.0, 2.0 * odd, odd / 2.0, below(1.0), $float::NAN];
            let all: Vec<$float> =
                ends.into_iter().chain(tiny).chain(more).flat_map(|x| [x, -x]).collect();
            for (&x, &y) in all.iter().flat_map(|x| all.iter().map(move |y| (x, y))) {
                let (ours, std) = (Real::powf(x, y), x.powf(y));
                let near = (ours - std).abs() <= 2.0 * $float::EPSILON * std.abs();
                let alike = ours.to_bits() == std.to_bits() || ours.is_nan() && std.is_nan();
                let signed = ours.is_sign_negative() == std.is_sign_negative();
                assert!(alike || near && signed, "{x:e} to the power {y:e}: {ours:e}, not {std:e}");
            }
        }
    };
}
special_powers!(special_powers_f32, f32);
special_powers!(special_powers_f64, f64);
special_values!(special_values_f32, f32);
special_values!(special_values_f64, f64);
