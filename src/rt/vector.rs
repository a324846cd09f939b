//! In: one number. Out: `exp`, `ln` and what is built on them, by range reduction and a polynomial.
//! Everything is arithmetic, bit operations and selects, with no branch, call or table, so that LLVM vectorises a
//! plain loop over a slice. Invariant: right over the whole range, including ±0, ±∞, NaN and subnormal results;
//! the tests print and bound the largest error in units in the last place.
//!
//! The coefficients are minimax fits (Remez exchange in 60-digit arithmetic, then rounded), lowest power first.

/// `c[0] + c[1] x + c[2] x² + …`, even and odd powers apart, so that half as many steps wait for each other.
macro_rules! polynomial {
    ($x:expr, $c:expr) => {{
        let (x, c) = ($x, $c);
        let x2 = x * x;
        let (mut even, mut odd) = (0.0, 0.0);
        let mut i = c.len();
        while i > 0 {
            i -= 1;
            if i % 2 == 0 {
                even = fma(even, x2, c[i]);
            } else {
                odd = fma(odd, x2, c[i]);
            }
        }
        fma(odd, x, even)
    }};
}

/// `a * b + c`.
mod round {
    macro_rules! round {
        ($($float:ident $plain:ident $fused:ident)*) => { $(
            /// In one rounding where the target has the instruction.
            #[inline(always)]
            pub(crate) fn $plain(a: $float, b: $float, c: $float) -> $float {
                #[cfg(feature = "std")]
                if super::FUSED {
                    return a.mul_add(b, c);
                }
                a * b + c
            }
            /// In one rounding, for processors that have the instruction.
            #[cfg(feature = "std")]
            #[inline(always)]
            pub(crate) fn $fused(a: $float, b: $float, c: $float) -> $float {
                if cfg!(feature = "deterministic") { a * b + c } else { a.mul_add(b, c) }
            }
        )* };
    }
    round!(f32 f32_plain f32_fused f64 f64_plain f64_fused);
}

/// Whether what the target is compiled for has the instruction for multiplication and addition in one rounding.
const FUSED: bool = cfg!(all(
    feature = "std",
    not(feature = "deterministic"),
    any(target_feature = "fma", target_arch = "aarch64")
));

macro_rules! vector_module {
    ($name:ident, $fma:ident, $is_fused:expr, $float:ident, $bits:ident {
        mantissa: $mantissa:literal, bias: $bias:literal, sqrt_half: $sqrt_half:literal, tiny: $tiny:literal,
        ln2: [$ln2_hi:literal, $ln2_lo:literal], exp: [$exp_lo:literal, $exp_hi:literal], one: $one:literal,
        erf: $erf_one:literal,
        exp_poly: $exp_poly:expr, ln_poly: $ln_poly:expr, tanh_poly: $tanh_poly:expr,
        erf_poly: $erf_poly:expr, erfc_poly: $erfc_poly:expr,
    }) => {
        pub(crate) mod $name {
            pub(crate) use super::round::$fma as fma;
            /// Whether multiplication and addition are one rounding here.
            const FUSED: bool = $is_fused;
            /// 1.5 · 2^mantissa: adding it rounds to an integer, which stands in the low bits of the sum.
            const ROUND: $float = 3.0 * (1_u64 << ($mantissa - 1)) as $float;
            /// The same with the exponent's bias, so that the low bits are the exponent of a power of two.
            const ROUND_BIASED: $float = ROUND + $bias as $float;
            const LOG2_E: $float = core::$float::consts::LOG2_E;
            const EXP: &[$float] = &$exp_poly;
            const LN: &[$float] = &$ln_poly;
            const TANH: &[$float] = &$tanh_poly;
            const ERF: &[$float] = &$erf_poly;
            const ERFC: &[$float] = &$erfc_poly;
            /// `1.0` and √½ as bits.
            const ONE: $bits = $bias << $mantissa;
            const SQRT_HALF: $bits = $sqrt_half;

            #[inline(always)]
            fn clamp(x: $float, low: $float, high: $float) -> $float {
                // Written so that NaN stays NaN.
                let x = if x > high { high } else { x };
                if x < low { low } else { x }
            }

            /// `n, r, c` with `x = n ln 2 + r + c`, n an integer, |r| ≤ ln 2 / 2, c the rounding error of r.
            #[inline(always)]
            fn reduce(x: $float) -> ($float, $float, $float) {
                let n = fma(x, LOG2_E, ROUND) - ROUND;
                // The product is exact.
                let high = fma(-n, $ln2_hi, x);
                let low = n * $ln2_lo;
                let r = high - low;
                (n, r, (high - r) - low)
            }

            /// `2^n` for an integer n whose power is a normal number.
            #[inline(always)]
            fn power_of_two(n: $float) -> $float {
                $float::from_bits((n + ROUND_BIASED).to_bits() << $mantissa)
            }

            /// `e^r` for |r| ≤ ln 2 / 2.
            #[inline(always)]
            fn exp_reduced(r: $float) -> $float {
                1.0 + fma(r * r, polynomial!(r, EXP), r)
            }

            #[inline(always)]
            pub fn exp(x: $float) -> $float {
                let (n, r, _) = reduce(clamp(x, $exp_lo, $exp_hi));
                // Two factors: the power itself may be infinite or subnormal where the result is not.
                let half = fma(n, 0.5, ROUND) - ROUND;
                exp_reduced(r) * power_of_two(half) * power_of_two(n - half)
            }

            /// `e^x` for x ≤ 0: one factor is a constant that lifts subnormal powers out of the way.
            #[inline(always)]
            fn exp_below(x: $float) -> $float {
                const LIFT: $float = ($mantissa + 2) as $float;
                const DROP: $float = $float::from_bits(ONE - (($mantissa + 2) << $mantissa));
                let x = if x < $exp_lo { $exp_lo } else { x };
                let (n, r, _) = reduce(x);
                exp_reduced(r) * power_of_two(n + LIFT) * DROP
            }

            /// `e^x - 1` for x in ±(exp's range), as a sum of two numbers divided by 2: nothing is lost but the last bit.
            #[inline(always)]
            fn half_expm1(x: $float) -> ($float, $float) {
                let (n, r, c) = reduce(x);
                let s = power_of_two(n - 1.0);
                let tail = fma(r * r, polynomial!(r, EXP), fma(c, r, c));
                let (a, b) = (s * r, s - 0.5);
                // What the subtraction lost, for s far from 0.5.
                let back = b - s;
                let lost = (s - (b - back)) + (-0.5 - back);
                let sum = b + a;
                (sum, fma(s, tail, ((b - sum) + a) + lost))
            }

            #[inline(always)]
            pub fn expm1(x: $float) -> $float {
                let (a, b) = half_expm1(clamp(x, -$one * 2.0, $exp_hi));
                let y = (a + b) * 2.0;
                // Tiny and zero: the sum above would lose the sign of zero and bits of subnormal numbers.
                if x.abs() < $float::EPSILON * 0.25 { x } else { y }
            }

            #[inline(always)]
            pub fn tanh(x: $float) -> $float {
                // Near 0 an odd polynomial; beyond, 1 - 2e / (1 + e) with e = exp(-2|x|), where the quotient is below a quarter.
                let t = x.abs();
                let near = fma(t * (t * t), polynomial!(t * t, TANH), t);
                let size = if t > $one { $one } else { t };
                let (n, r, _) = reduce(-2.0 * size);
                let e = exp_reduced(r) * power_of_two(n);
                let far = 1.0 - (e + e) / (1.0 + e);
                (if t < 1.0 { near } else { far }).copysign(x)
            }

            /// `top - y * bottom` as exactly as the target allows.
            #[inline(always)]
            fn residual(y: $float, bottom: $float, top: $float) -> $float {
                if FUSED {
                    fma(-y, bottom, top)
                } else {
                    // Halves of the mantissa, whose products are exact.
                    let mask = <$bits>::MAX << ($mantissa / 2 + 1);
                    let (y1, b1) = (
                        $float::from_bits(y.to_bits() & mask),
                        $float::from_bits(bottom.to_bits() & mask),
                    );
                    let (y2, b2) = (y - y1, bottom - b1);
                    ((top - y1 * b1) - y1 * b2) - y2 * b1 - y2 * b2
                }
            }

            #[inline(always)]
            pub fn sigmoid(x: $float) -> $float {
                // 1 / (1 + e) or e / (1 + e) with e = exp(-|x|) ≤ 1: nothing overflows and no digit cancels.
                let e = exp_below(-x.abs());
                let bottom = 1.0 + e;
                let lost = (1.0 - bottom) + e;
                let inverse = 1.0 / bottom;
                let top = if x < 0.0 { e } else { 1.0 };
                let y = top * inverse;
                // One Newton step on the quotient, with what the sum lost.
                fma(fma(-y, lost, residual(y, bottom, top)), inverse, y)
            }

            /// `ln(x) + c` for a normal, finite x > 0; `k` is added to its exponent.
            #[inline(always)]
            fn ln_normal(x: $float, k: $float, c: $float) -> $float {
                // x = 2^k m with m in [√½, √2).
                let bits = x.to_bits().wrapping_add(ONE - SQRT_HALF);
                let k =
                    k + ($float::from_bits((bits >> $mantissa) | ROUND.to_bits()) - ROUND_BIASED);
                let m = $float::from_bits((bits & ((1 << $mantissa) - 1)).wrapping_add(SQRT_HALF));
                // ln(1 + f) = 2 artanh(s), s = f / (2 + f), arranged so that f enters unrounded.
                let f = m - 1.0;
                let s = f / (2.0 + f);
                let z = s * s;
                let half = 0.5 * f * f;
                let rest = s * (half + z * polynomial!(z, LN));
                k * $ln2_hi - ((half - (rest + (k * $ln2_lo + c))) - f)
            }

            #[inline(always)]
            pub fn ln(x: $float) -> $float {
                let small = x < $float::MIN_POSITIVE;
                let scaled = if small { x * (1_u64 << ($mantissa + 2)) as $float } else { x };
                let y =
                    ln_normal(scaled, if small { -($mantissa as $float + 2.0) } else { 0.0 }, 0.0);
                let y = if x > 0.0 { y } else { $float::NAN };
                let y = if x == 0.0 { -$float::INFINITY } else { y };
                if x < $float::INFINITY { y } else { x }
            }

            /// `ln(1 + x)` for finite x > -1.
            #[inline(always)]
            fn ln_1p(x: $float) -> $float {
                let u = 1.0 + x;
                let back = u - 1.0;
                let lost = (1.0 - (u - back)) + (x - back);
                ln_normal(u, 0.0, lost / u)
            }

            #[inline(always)]
            pub fn log1p(x: $float) -> $float {
                let y = ln_1p(x);
                let y = if x > -1.0 { y } else { $float::NAN };
                let y = if x == -1.0 { -$float::INFINITY } else { y };
                let y = if x.abs() < $float::EPSILON * 0.25 { x } else { y };
                if x < $float::INFINITY { y } else { x }
            }

            #[inline(always)]
            pub fn softplus(x: $float) -> $float {
                let positive = if x > 0.0 { x } else { 0.0 };
                positive + ln_1p(exp_below(-x.abs()))
            }

            #[inline(always)]
            pub fn erf(x: $float) -> $float {
                // Near 0 an odd polynomial; beyond 1, 1 - exp(-g) with g = -ln erfc as a polynomial.
                let t = x.abs();
                let near = {
                    let t = clamp(t, 0.0, 1.0);
                    t + t * polynomial!(t * t, ERF)
                };
                let far = 1.0 - exp(-polynomial!(clamp(t, 1.0, $erf_one) - 1.0, ERFC));
                let y = if t < $tiny { t * core::$float::consts::FRAC_2_SQRT_PI } else { near };
                (if t < 1.0 { y } else { far }).copysign(x)
            }
        }
    };
}

/// The same functions twice: with the target's rounding, and fused.
macro_rules! vector_math {
    ($plain:ident $plain_fma:ident, $fused:ident $fused_fma:ident, $($rest:tt)*) => {
        vector_module!($plain, $plain_fma, super::FUSED, $($rest)*);
        #[cfg(feature = "std")]
        vector_module!($fused, $fused_fma, !cfg!(feature = "deterministic"), $($rest)*);
    };
}

vector_math!(
    f32_math f32_plain, f32_fused f32_fused,
    f32,
    u32 {
        mantissa: 23,
        bias: 127,
        sqrt_half: 0x3f35_04f3,
        tiny: 1e-30,
        ln2: [0.693_145_75, 1.428_606_8e-6],
        exp: [-104.0, 89.0],
        one: 10.0,
        erf: 4.0,
        exp_poly: [0.5, 1.6666667e-01, 4.1666273e-02, 8.333264e-03, 1.3945849e-03, 1.9918576e-04],
        ln_poly: [6.666667e-01, 4.0000123e-01, 2.855072e-01, 2.3332843e-01],
        tanh_poly: [
            -3.3333296e-01,
            1.3332345e-01,
            -5.38798e-02,
            2.1486657e-02,
            -7.946106e-03,
            2.3013635e-03,
            -3.5845168e-04,
        ],
        erf_poly: [
            1.2837917e-01,
            -3.7612626e-01,
            1.12836e-01,
            -2.6854446e-02,
            5.1895366e-03,
            -8.0208457e-04,
            7.889119e-05,
        ],
        erfc_poly: [
            1.8496056e+00,
            2.6389673e+00,
            8.4311146e-01,
            4.1542094e-02,
            -1.0000807e-02,
            1.965869e-03,
            -2.6814718e-04,
            1.8049896e-05,
        ],
    }
);

vector_math!(
    f64_math f64_plain, f64_fused f64_fused,
    f64,
    u64 {
        mantissa: 52,
        bias: 1023,
        sqrt_half: 0x3fe6_a09e_667f_3bcd,
        tiny: 1e-290,
        ln2: [0.6931471805598903, 5.497923018708371e-14],
        exp: [-746.0, 710.0],
        one: 20.0,
        erf: 6.0,
        exp_poly: [
            0.5000000000000012,
            0.16666666666666696,
            0.04166666666652141,
            0.008333333333307977,
            0.0013888888945704744,
            0.00019841269915989987,
            2.4801491111536246e-05,
            2.7557217365022103e-06,
            2.76309136337213e-07,
            2.511756834603638e-08,
        ],
        ln_poly: [
            0.6666666666666666,
            0.4000000000000089,
            0.28571428570796703,
            0.2222222239316664,
            0.18181795494867395,
            0.1538624715213662,
            0.13268583883338902,
            0.13088513507428184,
        ],
        tanh_poly: [
            -0.33333333333332943,
            0.1333333333329287,
            -0.05396825395342653,
            0.021869488259827156,
            -0.008863232451739912,
            0.003592105606611112,
            -0.0014557213279589845,
            0.0005896186881459048,
            -0.0002380438667121559,
            9.476817173004124e-05,
            -3.608662243783179e-05,
            1.234133003600462e-05,
            -3.4196806575948455e-06,
            6.544960368177288e-07,
            -6.269328840631463e-08,
        ],
        erf_poly: [
            0.1283791670955126,
            -0.3761263890318375,
            0.11283791670954885,
            -0.026866170645077875,
            0.005223977624828431,
            -0.0008548326981425542,
            0.0001205533113295582,
            -1.4925595772180906e-05,
            1.64610084778027e-06,
            -1.6350396222864617e-07,
            1.466032872274226e-08,
            -1.137495573607015e-09,
            5.960685338520971e-11,
        ],
        erfc_poly: [
            1.8496055099332485,
            2.6389675142347477,
            0.8431072563608593,
            0.04156109799669139,
            -0.010033824897136265,
            0.0019778995841362623,
            -0.00023731047622018518,
            -2.631071572162059e-05,
            2.7222473288652225e-05,
            -9.69725581419874e-06,
            2.1501973234992665e-06,
            -2.1130494145163442e-07,
            -5.9265502260703555e-08,
            3.6352143885794905e-08,
            -1.0306780264039676e-08,
            1.9374548819625683e-09,
            -2.519355981915756e-10,
            2.1918558201705125e-11,
            -1.1515138728264206e-12,
            2.7648455565261678e-14,
        ],
    }
);
