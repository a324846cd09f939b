//! In: numbers. Out: powers and `gelu`, whose last digits hang on more digits of what is on the way than the type has.
//! `f64` goes by sums of two numbers, `f32` by way of `f64`. As in `vector.rs` there is no branch, call or table, so that LLVM vectorises a
//! plain loop over a slice, and the coefficients are fits of polynomials (at Chebyshev's points, in 60 digits), lowest power first.
//! Invariant: right over the whole range, including ±0, ±∞, NaN and subnormal numbers.

/// A sum of two numbers, the second of which is far the smaller.
pub(crate) type Two = (f64, f64);

/// `a + b`, exactly.
#[inline(always)]
pub(crate) fn sum(a: f64, b: f64) -> Two {
    let high = a + b;
    let part = high - a;
    (high, (a - (high - part)) + (b - part))
}

/// The same where `a` is no smaller, by its power of two.
#[inline(always)]
pub(crate) fn sum_below(a: f64, b: f64) -> Two {
    let high = a + b;
    (high, (a - high) + b)
}

/// The number m between √½ and √2, and the integer k, for which x = 2^k m, where x is a normal number.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    let bits = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let k = f64::from_bits((bits >> 52) | ROUND.to_bits()) - ROUND_BIASED;
    (f64::from_bits((bits & ((1 << 52) - 1)).wrapping_add(SQRT_HALF)), k)
}

/// A power of two, whose exponent stands in the low bits.
#[inline(always)]
fn raised(biased: f64) -> f64 {
    f64::from_bits(biased.to_bits() << 52)
}

/// The upper half of the digits.
#[inline(always)]
pub(crate) fn upper(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & (u64::MAX << 27))
}

/// Neither argument is computed where it is not wanted, unless both are at hand.
#[inline(always)]
pub(crate) fn choose<T>(condition: bool, yes: T, no: T) -> T {
    if condition { yes } else { no }
}

macro_rules! settled {
    ($float:ident $settled:ident $is_whole:ident) => {
        /// Whether it is an integer; infinite numbers are.
        #[inline(always)]
        fn $is_whole(x: $float) -> bool {
            const BIG: $float = 1.0 / $float::EPSILON;
            let size = x.abs();
            (size + BIG) - BIG == size || size >= BIG
        }

        /// `x` to the power `y`, given that power of |x| where this is neither 0 nor infinite.
        #[inline(always)]
        fn $settled(x: $float, y: $float, power: $float) -> $float {
            const INFINITY: $float = $float::INFINITY;
            let size = x.abs();
            let power = choose(size == 0.0, choose(y < 0.0, INFINITY, 0.0), power);
            let power = choose(size == INFINITY, choose(y < 0.0, 0.0, INFINITY), power);
            let (whole, even) = ($is_whole(y), $is_whole(y * 0.5));
            let power = choose(whole && !even, power.copysign(x), power);
            let outside = x < 0.0 && !whole && size < INFINITY;
            let power = choose(outside || x.is_nan() || y.is_nan(), $float::NAN, power);
            choose(y == 0.0 || x == 1.0, 1.0, power)
        }
    };
}

settled!(f32 settled_single is_whole_single);
settled!(f64 settled is_whole);

/// A larger exponent makes no other power.
const STEEP: f64 = (1_u128 << 66) as f64;
/// 1/3 and what its last digit lacks.
const THIRD: Two = (1.0 / 3.0, 1.850371707708594e-17);
/// `(artanh(s)/s - 1 - s²/3) / s⁴` in s², for s from 0 to √2's (√2 - 1)/(√2 + 1) (relative error of the sum 2⁻⁶⁶).
const ARTANH: &[f64] = &[
    0.2,
    0.14285714285714685,
    0.11111111110826383,
    0.09090909168049924,
    0.0769229744350359,
    0.0666740439940617,
    0.05853063232281699,
    0.058621635304233734,
];

/// `(artanh(s)/s - 1)/s²` in s², and `(e^r - 1 - r)/r²` for |r| up to ln 2 / 2 (relative errors 2⁻⁴³ and 2⁻³²).
const ARTANH_OF_SINGLES: &[f64] = &[
    0.3333333333368934,
    0.19999999396220844,
    0.14285877767516472,
    0.11095668714032891,
    0.09681942493316599,
];
const EXP_OF_SINGLES: &[f64] = &[
    0.500000001353873,
    0.16666666681704215,
    0.04166646419740569,
    0.008333310844647862,
    0.0013933730715792083,
    0.00019891080463998843,
];

/// Where the logarithm's and the exponential's polynomials start anew: √½ as bits, and 1.
const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE: u64 = 1023 << 52;
/// 2⁵², whose last digit is 1, and the same with the exponent's bias.
const ROUND: f64 = 3.0 * (1_u64 << 51) as f64;
const ROUND_BIASED: f64 = ROUND + 1023.0;
/// ln 2, the first digits of which are few enough for exact products.
const LN_2: Two = (0.6931471805598903, 5.497923018708371e-14);

/// `(t + 4)` times the normal distribution's tail beyond t over `exp(-t²/2)`, in v = (t - 4)/(t + 4) for t from 0 to 39 (relative error
/// 2⁻⁵⁸): the first coefficients with what their last digits lack, and the others.
const TAIL: [Two; 4] = [
    (0.7552851304157515, -2.262709276538914e-17),
    (-0.6078966419718921, -5.613675270627121e-18),
    (0.38713740074221464, 1.2215877757393022e-17),
    (-0.18652185795965937, -5.6523847211566455e-18),
];
const TAIL_REST: &[f64] = &[
    0.06039657489093021,
    -0.0075401889666598925,
    -0.0034796923672520807,
    0.0016308184566235734,
    0.0001333443107426556,
    -0.00023109492751462497,
    -1.9082467362071698e-06,
    3.514464951429032e-05,
    7.166136531522344e-07,
    -5.920063789109943e-06,
    -6.295418937455188e-07,
    1.0213461276683075e-06,
    2.7150648766883065e-07,
    -1.547220083448872e-07,
    -8.504053459156654e-08,
    1.3120878268311951e-08,
    1.9346558330767474e-08,
    1.964327680621977e-09,
    -2.4165480803189245e-09,
    -7.268553477210609e-10,
    -1.4280763756154861e-11,
];
/// The same for t from 0 to 15 (relative error 2⁻³¹).
const TAIL_OF_SINGLES: &[f64] = &[
    0.7552851306397184,
    -0.6078966423727435,
    0.38713737287032096,
    -0.18652184694964802,
    0.0603971433621339,
    -0.007540089275867972,
    -0.0034838833072029056,
    0.001628302148183387,
    0.0001463213393420261,
    -0.00021852913392205134,
    -1.6130458619230923e-05,
    1.4760270715309262e-05,
];

/// A constant, as polynomials ask for it.
#[inline(always)]
fn of(constant: f64) -> f64 {
    constant
}

macro_rules! twofold {
    ($doubles:ident $singles:ident) => {
        pub(crate) mod $doubles {
            use super::super::vector::$doubles as vector;
            use super::*;
            use vector::{FUSED, fma};

            /// `c[0] + c[1] x + c[2] x² + …`
            #[inline(always)]
            pub(crate) fn polynomial(x: f64, c: &[f64]) -> f64 {
                super::super::vector::polynomial!(x, c)
            }

            /// A product, exactly.
            #[inline(always)]
            pub(crate) fn product(a: f64, b: f64) -> Two {
                let high = a * b;
                if FUSED {
                    return (high, fma(a, b, -high));
                }
                let (a1, b1) = (upper(a), upper(b));
                let (a2, b2) = (a - a1, b - b1);
                (high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2)
            }

            #[inline(always)]
            pub(crate) fn times(a: Two, b: Two) -> Two {
                let (high, low) = product(a.0, b.0);
                (high, low + fma(a.0, b.1, a.1 * b.0))
            }

            /// The natural logarithm of a finite number over 0 (relative error 2⁻⁶⁵).
            #[inline(always)]
            fn ln(x: f64) -> Two {
                let small = x < f64::MIN_POSITIVE;
                let x = choose(small, x * (1_u64 << 54) as f64, x);
                let (m, k) = split(x);
                let k = k - choose(small, 54.0, 0.0);
                // ln m = 2 artanh s, s = (m - 1)/(m + 1).
                let (top, bottom) = (m - 1.0, sum_below(1.0, m));
                let inverse = 1.0 / bottom.0;
                let s = top * inverse;
                let (p, rest) = product(s, bottom.0);
                let s = (s, (((top - p) - rest) - s * bottom.1) * inverse);
                let z = times(s, s);
                let (t, rest) = sum_below(THIRD.0, z.0 * polynomial(z.0, ARTANH));
                let v = times(s, times(z, (t, rest + THIRD.1)));
                let (y, rest) = sum_below(s.0, v.0);
                let rest = rest + (s.1 + v.1);
                let (high, more) = sum_below(k * LN_2.0, 2.0 * y);
                sum_below(high, more + fma(2.0, rest, k * LN_2.1))
            }

            /// `e^x` as a sum, and two factors for it, for x in ±(what has an `e^x` over 0 and below ∞).
            #[inline(always)]
            fn exp(x: Two) -> (Two, [f64; 2]) {
                let n = fma(x.0, core::f64::consts::LOG2_E, ROUND) - ROUND;
                let high = fma(-n, LN_2.0, x.0);
                let (r, c) = sum_below(high, fma(-n, LN_2.1, x.1));
                let (y, rest) = sum_below(1.0, r);
                let rest = rest + fma(r * r, polynomial(r, vector::EXP), fma(c, r, c));
                let half = fma(n, 0.5, ROUND_BIASED);
                let other = n - (half - ROUND_BIASED) + ROUND_BIASED;
                ((y, rest), [raised(half), raised(other)])
            }

            #[inline(always)]
            pub fn pow(x: f64, y: f64) -> f64 {
                let (high, low) = times((y.clamp(-STEEP, STEEP), 0.0), ln(x.abs()));
                let power = (high.clamp(-746.0, 710.0), low.clamp(-1e-3, 1e-3));
                let ((high, low), [first, second]) = exp(power);
                settled(x, y, (high + low) * first * second)
            }

            /// `(t + 4)` times the tail, as [`TAIL`] has it.
            #[inline(always)]
            fn tail(v: Two) -> Two {
                let (mut y, mut rest) = sum_below(TAIL[3].0, v.0 * polynomial(v.0, TAIL_REST));
                rest += TAIL[3].1;
                for c in [TAIL[2], TAIL[1], TAIL[0]] {
                    let (p, more) = times(v, (y, rest));
                    (y, rest) = sum(c.0, p);
                    rest += more + c.1;
                }
                (y, rest)
            }

            #[inline(always)]
            pub fn gelu(x: f64) -> f64 {
                let t = choose(x.abs() > 39.0, 39.0, x.abs());
                // v = 1 - 8/(t + 4).
                let bottom = sum(4.0, t);
                let inverse = 1.0 / bottom.0;
                let (p, rest) = product(inverse, bottom.0);
                let inverse = (inverse, (((1.0 - p) - rest) - inverse * bottom.1) * inverse);
                let (v, rest) = sum_below(1.0, -8.0 * inverse.0);
                let share = times(tail((v, fma(-8.0, inverse.1, rest))), inverse);
                let square = product(-0.5 * t, t);
                let (e, [first, second]) = exp(square);
                let (high, low) = times((t, 0.0), times(share, e));
                // What is lost of x, all of it where x is below 0.
                let below = (high + low) * first * second;
                let (high, low) = (high * first * second, low * first * second);
                let (y, rest) = sum_below(x, -high);
                let y = choose(x < 0.0, below, y + (rest - low));
                let y = choose(x.abs() < 1e-18, 0.5 * x, y);
                choose(x > 39.0, x, y.copysign(x))
            }
        }

        pub(crate) mod $singles {
            use super::super::vector::$doubles::fma;
            use super::$doubles::polynomial;
            use super::*;

            /// The natural logarithm of a finite number over 0.
            #[inline(always)]
            fn ln(x: f32) -> f64 {
                let (m, k) = split(x.into());
                let s = (m - 1.0) / (m + 1.0);
                let z = s * s;
                let double = s + s;
                let y = fma(double * z, polynomial(z, ARTANH_OF_SINGLES), double);
                fma(k, core::f64::consts::LN_2, y)
            }

            /// `e^x`, the same for numbers of which it is far below or beyond those of `f32`.
            #[inline(always)]
            fn exp(x: f64) -> f64 {
                let x = x.clamp(-200.0, 200.0);
                let biased = fma(x, core::f64::consts::LOG2_E, ROUND_BIASED);
                let r = fma(-(biased - ROUND_BIASED), core::f64::consts::LN_2, x);
                let y = fma(r * r, polynomial(r, EXP_OF_SINGLES), r);
                let power = raised(biased);
                fma(power, y, power)
            }

            #[inline(always)]
            pub fn pow(x: f32, y: f32) -> f32 {
                // Finite, since any power of 1 is 1.
                let exponent = f64::from(y).clamp(-STEEP, STEEP);
                settled_single(x, y, exp(exponent * ln(x.abs())) as f32)
            }

            #[inline(always)]
            pub fn gelu(x: f32) -> f32 {
                let x = f64::from(x);
                let t = choose(x.abs() > 15.0, 15.0, x.abs());
                let inverse = 1.0 / (t + 4.0);
                let share = polynomial(fma(-8.0, inverse, 1.0), TAIL_OF_SINGLES);
                let below = t * (share * inverse) * exp(-0.5 * t * t);
                let y = choose(x < 0.0, below, x - below);
                y.copysign(x) as f32
            }
        }
    };
}

twofold!(f64_math f32_math);
#[cfg(feature = "std")]
twofold!(f64_fused f32_fused);
