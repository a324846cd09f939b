//! In: numbers. Out: `exp`, `ln` and what is built on them, by range reduction and a polynomial.
//! Everything is arithmetic, bit operations and selects, with no branch, call or table, so that LLVM vectorises a
//! plain loop over a slice. Invariant: right over the whole range, including ±0, ±∞, NaN and subnormal results;
//! the tests print and bound the largest error in units in the last place.
//!
//! The functions are made of a few operations, those of [`single`] numbers here; `dispatch.rs` has the same for registers of several.
//! The coefficients are minimax fits (Remez exchange in 60-digit arithmetic, then rounded), lowest power first.

/// `c[0] + c[1] x + c[2] x² + …`, even and odd powers apart, so that half as many steps wait for each other.
macro_rules! polynomial {
    ($x:expr, $c:expr) => {{
        let (x, c) = ($x, $c);
        let x2 = x * x;
        let mut i = c.len() - 2;
        let (mut odd, mut even) =
            if i % 2 == 0 { (of(c[i + 1]), of(c[i])) } else { (of(c[i]), of(c[i + 1])) };
        while i > 0 {
            i -= 1;
            if i % 2 == 0 {
                even = fma(even, x2, of(c[i]));
            } else {
                odd = fma(odd, x2, of(c[i]));
            }
        }
        fma(odd, x, even)
    }};
}
pub(crate) use polynomial;

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

/// The operations that functions are made of, for single numbers.
mod single {
    macro_rules! single {
        ($float:ident, $bits:ident, $mantissa:literal) => {
            pub(crate) mod $float {
                pub(crate) type Value = $float;
                /// A constant.
                #[inline(always)]
                pub(crate) fn of(constant: $float) -> $float {
                    constant
                }
                /// `yes` where a < b, else `no`.
                #[inline(always)]
                pub(crate) fn where_less(a: $float, b: $float, yes: $float, no: $float) -> $float {
                    if a < b { yes } else { no }
                }
                /// `yes` where a = b, else `no`.
                #[inline(always)]
                pub(crate) fn where_equal(a: $float, b: $float, yes: $float, no: $float) -> $float {
                    if a == b { yes } else { no }
                }
                /// `x`, or `high` where that is less; NaN stays NaN.
                #[inline(always)]
                pub(crate) fn at_most(x: $float, high: $float) -> $float {
                    if high < x { high } else { x }
                }
                /// `x`, or `low` where that is more; NaN stays NaN.
                #[inline(always)]
                pub(crate) fn at_least(x: $float, low: $float) -> $float {
                    if x < low { low } else { x }
                }
                #[inline(always)]
                pub(crate) fn abs(x: $float) -> $float {
                    x.abs()
                }
                #[inline(always)]
                pub(crate) fn copysign(x: $float, sign: $float) -> $float {
                    x.copysign(sign)
                }
                /// The bits, moved up by the length of the mantissa.
                #[inline(always)]
                pub(crate) fn raised(x: $float) -> $float {
                    $float::from_bits(x.to_bits() << $mantissa)
                }
                /// The bits, moved down by the length of the mantissa.
                #[inline(always)]
                pub(crate) fn lowered(x: $float) -> $float {
                    $float::from_bits(x.to_bits() >> $mantissa)
                }
                /// The bits, as a whole number, and `more`.
                #[inline(always)]
                pub(crate) fn advanced(x: $float, more: $bits) -> $float {
                    $float::from_bits(x.to_bits().wrapping_add(more))
                }
                /// The bits that are in `mask`.
                #[inline(always)]
                pub(crate) fn masked(x: $float, mask: $bits) -> $float {
                    $float::from_bits(x.to_bits() & mask)
                }
                /// The bits, and those in `more`.
                #[inline(always)]
                pub(crate) fn joined(x: $float, more: $bits) -> $float {
                    $float::from_bits(x.to_bits() | more)
                }
            }
        };
    }
    single!(f32, u32, 23);
    single!(f64, u64, 52);
}

macro_rules! vector_module {
    ($name:ident, $operations:path, $fma:path, $is_fused:expr, $float:ident, $bits:ident {
        mantissa: $mantissa:literal, bias: $bias:literal, sqrt_half: $sqrt_half:literal,
        ln2: [$ln2_hi:literal, $ln2_lo:literal], exp: [$exp_lo:literal, $exp_hi:literal], one: $one:literal,
        erf: $erf_one:literal,
        exp_poly: $exp_poly:expr, ln_poly: $ln_poly:expr, erf_poly: $erf_poly:expr, erfc_poly: $erfc_poly:expr,
    }) => {
        pub(crate) mod $name {
            #[allow(unused_imports)]
            pub(crate) use $fma as fma;
            use $operations::*;
            /// Whether multiplication and addition are one rounding here.
            pub(crate) const FUSED: bool = $is_fused;
            /// 1.5 · 2^mantissa: adding it rounds to an integer, which stands in the low bits of the sum.
            const ROUND: $float = 3.0 * (1_u64 << ($mantissa - 1)) as $float;
            /// The same with the exponent's bias, so that the low bits are the exponent of a power of two.
            const ROUND_BIASED: $float = ROUND + $bias as $float;
            const LOG2_E: $float = core::$float::consts::LOG2_E;
            pub(crate) const EXP: &[$float] = &$exp_poly;
            const LN: &[$float] = &$ln_poly;
            const ERF: &[$float] = &$erf_poly;
            const ERFC: &[$float] = &$erfc_poly;
            /// `1.0` and √½ as bits.
            const ONE: $bits = $bias << $mantissa;
            const SQRT_HALF: $bits = $sqrt_half;

            #[inline(always)]
            fn clamp(x: Value, low: $float, high: $float) -> Value {
                at_least(at_most(x, high), low)
            }

            /// `2^(n + lift)`, an integer n, and x without n times the first digits of ln 2, which is exact: with all of them, as [`reduced`]
            /// has it, hardly more than ln 2 / 2. For powers that are normal numbers; the sum that rounds to n has the power's bits.
            #[inline(always)]
            fn reduce(x: Value, lift: $float) -> (Value, Value, Value) {
                let biased = fma(x, of(LOG2_E), of(ROUND_BIASED + lift));
                let n = biased - of(ROUND_BIASED + lift);
                (raised(biased), n, fma(-n, of($ln2_hi), x))
            }

            /// `x - n ln 2`.
            #[inline(always)]
            fn reduced(n: Value, high: Value) -> Value {
                fma(-n, of($ln2_lo), high)
            }

            /// `e^r - 1` for |r| ≤ ln 2 / 2.
            #[inline(always)]
            fn expm1_reduced(r: Value) -> Value {
                fma(r * r, polynomial!(r, EXP), r)
            }

            #[inline(always)]
            pub fn exp(x: Value) -> Value {
                let x = clamp(x, $exp_lo, $exp_hi);
                let n = fma(x, of(LOG2_E), of(ROUND)) - of(ROUND);
                let p = expm1_reduced(reduced(n, fma(-n, of($ln2_hi), x)));
                // Two factors: the power itself may be infinite or subnormal where the result is not.
                let biased = fma(n, of(0.5), of(ROUND_BIASED));
                let first = raised(biased);
                let second = raised(n - (biased - of(ROUND_BIASED)) + of(ROUND_BIASED));
                fma(first, p, first) * second
            }

            /// `e^x` for x ≤ 0 as a sum of two numbers: one factor is a constant that lifts subnormal powers out of the way.
            #[inline(always)]
            fn exp_below(x: Value) -> (Value, Value) {
                const LIFT: $bits = $mantissa + 2;
                const DROP: $float = $float::from_bits(ONE - (LIFT << $mantissa));
                let (power, n, high) = reduce(at_least(x, $exp_lo), LIFT as $float);
                let p = expm1_reduced(reduced(n, high));
                let sum = fma(power, p, power);
                (sum * of(DROP), fma(power, p, power - sum) * of(DROP))
            }

            /// `e^x - 1` for x in ±(exp's range), as a sum of two numbers divided by 2: nothing is lost but the last bit.
            #[inline(always)]
            fn half_expm1(x: Value) -> (Value, Value) {
                let (s, n, high) = reduce(x, -1.0);
                let r = reduced(n, high);
                let c = (high - r) - n * of($ln2_lo);
                let tail = fma(r * r, polynomial!(r, EXP), fma(c, r, c));
                let (a, b) = (s * r, s - of(0.5));
                // What the subtraction lost, for s far from 0.5.
                let back = b - s;
                let lost = (s - (b - back)) + (of(-0.5) - back);
                let sum = b + a;
                (sum, fma(s, tail, ((b - sum) + a) + lost))
            }

            #[inline(always)]
            pub fn expm1(x: Value) -> Value {
                let (a, b) = half_expm1(clamp(x, -$one * 2.0, $exp_hi));
                let y = (a + b) * of(2.0);
                // Tiny and zero: the sum above would lose the sign of zero and bits of subnormal numbers.
                where_less(abs(x), of($float::EPSILON * 0.25), x, y)
            }

            #[inline(always)]
            pub fn tanh(x: Value) -> Value {
                // -m / (2 + m) with m = exp(-2|x|) - 1 = a + b; near 0 the power of two is 1 and no digit cancels.
                let (s, n, high) = reduce(of(-2.0) * at_most(abs(x), $one), 0.0);
                let r = reduced(n, high);
                let (a, b) = (s * r, s - of(1.0));
                let sum = b + a;
                // What both sums lost: s may be less than the last digit of 1.
                let rest = ((b - sum) + a) + (s - (b + of(1.0)));
                let rest = fma(s * (r * r), polynomial!(r, EXP), rest);
                let m = sum + rest;
                let lost = (sum - m) + rest;
                let bottom = of(2.0) + m;
                let inverse = of(1.0) / bottom;
                let y = m * inverse;
                let below = ((of(2.0) - bottom) + m) + lost;
                let y = fma(fma(-y, below, residual(y, bottom, m) + lost), inverse, y);
                copysign(y, x)
            }

            /// `top / (1 + other)` for numbers that lack something, the second less than 1: one Newton step on the quotient, with what the sum lost.
            #[inline(always)]
            fn quotient(top: (Value, Value), other: (Value, Value)) -> Value {
                let bottom = of(1.0) + other.0;
                let lost = ((of(1.0) - bottom) + other.0) + other.1;
                let inverse = of(1.0) / bottom;
                let y = top.0 * inverse;
                fma(fma(-y, lost, residual(y, bottom, top.0) + top.1), inverse, y)
            }

            /// `top - y * bottom` as exactly as the target allows.
            #[inline(always)]
            fn residual(y: Value, bottom: Value, top: Value) -> Value {
                if FUSED {
                    fma(-y, bottom, top)
                } else {
                    // Halves of the mantissa, whose products are exact.
                    let mask = <$bits>::MAX << ($mantissa / 2 + 1);
                    let (y1, b1) = (masked(y, mask), masked(bottom, mask));
                    let (y2, b2) = (y - y1, bottom - b1);
                    ((top - y1 * b1) - y1 * b2) - y2 * b1 - y2 * b2
                }
            }

            #[inline(always)]
            pub fn sigmoid(x: Value) -> Value {
                // 1 / (1 + e) or e / (1 + e) with e = exp(-|x|) ≤ 1: nothing overflows and no digit cancels.
                let e = exp_below(-abs(x));
                let choose = |below, above| where_less(x, of(0.0), below, above);
                quotient((choose(e.0, of(1.0)), choose(e.1, of(0.0))), e)
            }

            /// `ln(x) + c` for a normal, finite x > 0; `k` is added to its exponent.
            #[inline(always)]
            fn ln_normal(x: Value, k: Value, c: Value) -> Value {
                // x = 2^k m with m in [√½, √2).
                let bits = advanced(x, ONE - SQRT_HALF);
                let k = k + (joined(lowered(bits), ROUND.to_bits()) - of(ROUND_BIASED));
                let m = advanced(masked(bits, (1 << $mantissa) - 1), SQRT_HALF);
                // ln(1 + f) = 2 artanh(s), s = f / (2 + f), arranged so that f enters unrounded.
                let f = m - of(1.0);
                let s = f / (of(2.0) + f);
                let z = s * s;
                let half = of(0.5) * f * f;
                let rest = s * (half + z * polynomial!(z, LN));
                k * of($ln2_hi) - ((half - (rest + (k * of($ln2_lo) + c))) - f)
            }

            #[inline(always)]
            pub fn ln(x: Value) -> Value {
                let tiny = of($float::MIN_POSITIVE);
                let scaled = where_less(x, tiny, x * of((1_u64 << ($mantissa + 2)) as $float), x);
                let k = where_less(x, tiny, of(-($mantissa as $float + 2.0)), of(0.0));
                let y = ln_normal(scaled, k, of(0.0));
                let y = where_less(of(0.0), x, y, of($float::NAN));
                let y = where_equal(x, of(0.0), of(-$float::INFINITY), y);
                where_less(x, of($float::INFINITY), y, x)
            }

            /// `1 + x` for x > -1 as a sum of two numbers.
            #[inline(always)]
            fn one_and(x: Value) -> (Value, Value) {
                let sum = of(1.0) + x;
                let back = sum - of(1.0);
                (sum, (of(1.0) - (sum - back)) + (x - back))
            }

            #[inline(always)]
            pub fn log1p(x: Value) -> Value {
                let (sum, lost) = one_and(x);
                let y = ln_normal(sum, of(0.0), lost / sum);
                let y = where_less(of(-1.0), x, y, of($float::NAN));
                let y = where_equal(x, of(-1.0), of(-$float::INFINITY), y);
                let y = where_less(abs(x), of($float::EPSILON * 0.25), x, y);
                where_less(x, of($float::INFINITY), y, x)
            }

            #[inline(always)]
            pub fn softplus(x: Value) -> Value {
                let (e, rest) = exp_below(-abs(x));
                let (sum, lost) = one_and(e);
                where_less(of(0.0), x, x, of(0.0)) + ln_normal(sum, of(0.0), (lost + rest) / sum)
            }

            #[inline(always)]
            pub fn erf(x: Value) -> Value {
                // Near 0 an odd polynomial; beyond 1, 1 - exp(-g) with g = -ln erfc as a polynomial.
                let t = abs(x);
                let near = {
                    let t = clamp(t, 0.0, 1.0);
                    t + t * polynomial!(t * t, ERF)
                };
                let far = of(1.0) - exp(-polynomial!(clamp(t, 1.0, $erf_one) - of(1.0), ERFC));
                copysign(where_less(t, of(1.0), near, far), x)
            }
        }
    };
}

/// The functions of single numbers twice, with the target's rounding and fused; and, where the processor may be asked, for registers.
macro_rules! vector_math {
    ($plain:ident $plain_fma:ident, $fused:ident $fused_fma:ident, $wide:ident $registers:ident, $float:ident, $($rest:tt)*) => {
        vector_module!($plain, super::single::$float, super::round::$plain_fma, super::FUSED, $float, $($rest)*);
        #[cfg(feature = "std")]
        vector_module!(
            $fused,
            super::single::$float,
            super::round::$fused_fma,
            !cfg!(feature = "deterministic"),
            $float,
            $($rest)*
        );
        #[cfg(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions))))]
        vector_module!(
            $wide,
            crate::rt::dispatch::asked::$registers,
            crate::rt::dispatch::asked::$registers::fma,
            !cfg!(feature = "deterministic"),
            $float,
            $($rest)*
        );
    };
}

vector_math!(
    f32_math f32_plain, f32_fused f32_fused, f32_wide of_singles,
    f32,
    u32 {
        mantissa: 23,
        bias: 127,
        sqrt_half: 0x3f35_04f3,
        ln2: [0.693_145_75, 1.428_606_8e-6],
        exp: [-104.0, 89.0],
        one: 10.0,
        erf: 4.0,
        exp_poly: [0.5, 1.6666667e-01, 4.1666273e-02, 8.333264e-03, 1.3945849e-03, 1.9918576e-04],
        ln_poly: [6.666667e-01, 4.0000123e-01, 2.855072e-01, 2.3332843e-01],
        erf_poly: [
            1.2837917e-01,
            -3.7612626e-01,
            1.1283594e-01,
            -2.6854211e-02,
            5.1890872e-03,
            -8.0168643e-04,
            7.875875e-05,
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
    f64_math f64_plain, f64_fused f64_fused, f64_wide of_doubles,
    f64,
    u64 {
        mantissa: 52,
        bias: 1023,
        sqrt_half: 0x3fe6_a09e_667f_3bcd,
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
