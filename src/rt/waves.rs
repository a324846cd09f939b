//! In: angles. Out: sines and cosines, by the nearest multiple of π/2 and polynomials.
//! Up to [`NEAR`] there is no branch, call or table, so that LLVM vectorises a plain loop over a slice (`each.rs` has one for each block of a
//! slice without larger angles). Beyond, whole numbers take the place of π's digits, one angle at a time. `f32` goes by way of `f64`.
//! Invariant: right over the whole range, including ±0, NaN, and ±∞, where there is neither.

use super::twofold::{Two, choose, sum, sum_below};

/// Angles up to this have a short way.
pub(crate) const NEAR: f64 = (1 << 20) as f64;

/// 2⁵² · 1.5: adding it rounds to an integer, which stands in the low bits of the sum.
const ROUND: f64 = 3.0 * (1_u64 << 51) as f64;
/// π/2 in parts, all but the last so short that products with whole numbers of 20 bits are exact.
const QUARTER: [f64; 4] =
    [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32];
/// What the first of them lacks.
const QUARTER_REST: f64 = 6.077100506506192e-11;

/// `(sin(r)/r - 1)/r²` in r², for |r| up to π/4 (relative error of the sine 2⁻⁵⁶).
const SIN: &[f64] = &[
    -0.16666666666666666,
    0.008333333333330946,
    -0.0001984126983675497,
    2.755731610068303e-06,
    -2.5051131455427946e-08,
    1.591810123027412e-10,
];
/// `(cos(r) - 1 + r²/2)/r⁴` in r² (2⁻⁵⁹).
const COS: &[f64] = &[
    0.041666666666666664,
    -0.0013888888888887395,
    2.4801587298763433e-05,
    -2.7557317270560326e-07,
    2.0876146024689747e-09,
    -1.1382614868556325e-11,
];
/// The same for `f32` (2⁻³⁶ and 2⁻⁴⁰).
const SIN_OF_SINGLES: &[f64] =
    &[-0.16666666663853044, 0.008333331873837089, -0.00019840086263755443, 2.7249864655139585e-06];
const COS_OF_SINGLES: &[f64] =
    &[0.04166666666431933, -0.0013888887671288108, 2.480059998353171e-05, -2.7300908167996537e-07];

/// The binary digits of 2/π behind the point, after 64 before it.
const TWO_OVER_PI: [u64; 20] = [
    0,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
];

/// The quarter turns in an angle, to the nearest, by their last digits, and what is left of it.
type Reduced = (u64, Two);

/// The value of the sine after so many quarter turns, of the two that it has there.
#[inline(always)]
fn turned(quarters: u64, sine: f64, cosine: f64) -> f64 {
    let y = choose(quarters & 1 == 0, sine, cosine);
    f64::from_bits(y.to_bits() ^ ((quarters & 2) << 62))
}

/// The three words of 64 digits of 2/π behind the first `from`.
fn digits(from: usize) -> [u64; 3] {
    let (word, bit) = (from / 64, from % 64);
    core::array::from_fn(|i| {
        let two = u128::from(TWO_OVER_PI[word + i]) << 64
            | TWO_OVER_PI.get(word + i + 1).map_or(0, |next| u128::from(*next));
        (two << bit >> 64) as u64
    })
}

/// [`Reduced`] of a finite angle over [`NEAR`] (M. H. Payne and R. N. Hanek, 1983): of x = m 2^e times 2/π, digits that stand for
/// multiples of four are left out, and so are those after the next 190.
fn reduced_far(x: f64) -> Reduced {
    let exponent = (x.to_bits() >> 52 & 0x7ff) as usize;
    let m = x.to_bits() & ((1 << 52) - 1) | 1 << 52;
    // e = exponent - 1075; four is two digits before the point, which is behind 64.
    let digits = digits(exponent + 64 - 1075 - 2);
    let (mut words, mut carry) = ([0_u64; 3], 0);
    for i in (0..3).rev() {
        let p = u128::from(m) * u128::from(digits[i]) + carry;
        (words[i], carry) = (p as u64, p >> 64);
    }
    let quarters = words[0] >> 62;
    let negative = words[0] >> 61 & 1 == 1;
    words[0] = words[0] << 2 >> 2;
    if negative {
        words = words.map(|word| !word);
        words[0] = words[0] << 2 >> 2;
    }
    let mut part = (0.0, 0.0);
    for (word, scale) in words.iter().zip([TWO_64, 1.0, 1.0 / TWO_64]) {
        for (half, scale) in [(word >> 32, scale * TWO_32), (word & 0xffff_ffff, scale)] {
            let (high, low) = sum(part.0, half as f64 * scale);
            part = sum_below(high, low + part.1);
        }
    }
    let unit = 1.0 / (TWO_64 * TWO_32 * TWO_32) * 4.0;
    let unit = if negative { -unit } else { unit };
    (quarters + u64::from(negative), (part.0 * unit, part.1 * unit))
}

const TWO_32: f64 = (1_u64 << 32) as f64;
const TWO_64: f64 = (1_u128 << 64) as f64;
/// π/2 and what its last digit lacks.
const HALF_PI: Two = (core::f64::consts::FRAC_PI_2, 6.123233995736766e-17);

macro_rules! waves {
    ($doubles:ident $singles:ident) => {
        pub(crate) mod $doubles {
            use super::super::twofold::$doubles::{polynomial, times};
            use super::super::vector::$doubles::fma;
            use super::*;

            /// [`Reduced`] for angles up to [`NEAR`].
            #[inline(always)]
            fn reduced_near(x: f64) -> Reduced {
                let biased = fma(x, core::f64::consts::FRAC_2_PI, ROUND);
                let n = biased - ROUND;
                let (first, lost) = sum(fma(-n, QUARTER[0], x), -n * QUARTER[1]);
                let (second, more) = sum(first, -n * QUARTER[2]);
                let low = fma(-n, QUARTER[3], lost + more);
                (biased.to_bits(), sum_below(second, low))
            }

            /// The sine of what is left, after so many quarter turns.
            #[inline(always)]
            fn wave(quarters: u64, (r, rest): Two) -> f64 {
                let z = r * r;
                let half = 0.5 * z;
                let sine = r + fma(r * z, polynomial(z, SIN), fma(-half, rest, rest));
                let cosine = 1.0 - half;
                let lost = (1.0 - cosine) - half;
                let cosine = cosine + (lost + fma(z * z, polynomial(z, COS), -r * rest));
                turned(quarters, sine, cosine)
            }

            #[cold]
            #[inline(never)]
            fn far(x: f64, more: u64) -> f64 {
                if !x.is_finite() {
                    return f64::NAN;
                }
                let (quarters, part) = reduced_far(x.abs());
                let y = wave(quarters + more, times(part, HALF_PI));
                // A sine is odd, a cosine even.
                if more == 0 && x < 0.0 { -y } else { y }
            }

            /// The sine of an angle up to [`NEAR`].
            #[inline(always)]
            pub fn sin_near(x: f64) -> f64 {
                let (quarters, rest) = reduced_near(x);
                choose(x.abs() < 1e-9, x, wave(quarters, rest))
            }

            /// The cosine of an angle up to [`NEAR`].
            #[inline(always)]
            pub fn cos_near(x: f64) -> f64 {
                let (quarters, rest) = reduced_near(x);
                wave(quarters.wrapping_add(1), rest)
            }

            #[inline(always)]
            pub fn sin(x: f64) -> f64 {
                if x.abs() <= NEAR { sin_near(x) } else { far(x, 0) }
            }

            #[inline(always)]
            pub fn cos(x: f64) -> f64 {
                if x.abs() <= NEAR { cos_near(x) } else { far(x, 1) }
            }
        }

        pub(crate) mod $singles {
            use super::super::twofold::$doubles::polynomial;
            use super::super::vector::$doubles::fma;
            use super::*;

            /// The sine after so many quarter turns more.
            #[inline(always)]
            fn near(x: f64, more: u64) -> f64 {
                let biased = fma(x, core::f64::consts::FRAC_2_PI, ROUND);
                let n = biased - ROUND;
                let r = fma(-n, QUARTER_REST, fma(-n, QUARTER[0], x));
                let z = r * r;
                let sine = r * fma(z, polynomial(z, SIN_OF_SINGLES), 1.0);
                let cosine = fma(z * z, polynomial(z, COS_OF_SINGLES), fma(-0.5, z, 1.0));
                turned(biased.to_bits().wrapping_add(more), sine, cosine)
            }

            /// The sine of an angle up to [`NEAR`].
            #[inline(always)]
            pub fn sin_near(x: f32) -> f32 {
                near(x.into(), 0) as f32
            }

            /// The cosine of an angle up to [`NEAR`].
            #[inline(always)]
            pub fn cos_near(x: f32) -> f32 {
                near(x.into(), 1) as f32
            }

            #[inline(always)]
            pub fn sin(x: f32) -> f32 {
                if x.abs() <= NEAR as f32 {
                    sin_near(x)
                } else {
                    super::$doubles::sin(x.into()) as f32
                }
            }

            #[inline(always)]
            pub fn cos(x: f32) -> f32 {
                if x.abs() <= NEAR as f32 {
                    cos_near(x)
                } else {
                    super::$doubles::cos(x.into()) as f32
                }
            }
        }
    };
}

waves!(f64_math f32_math);
#[cfg(feature = "std")]
waves!(f64_fused f32_fused);
