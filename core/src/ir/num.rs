//! Exact numbers: rationals as long as they stay within 128 bits, else the nearest f64.

use std::cmp::Ordering;
use std::fmt;

/// A constant of a formula.
#[derive(Clone, Copy, Debug)]
pub enum Num {
    /// `numerator / denominator` in lowest terms, denominator positive.
    Rational(i128, i128),
    /// A number that no small fraction equals, as the bits of an f64.
    Real(f64),
}

impl Num {
    /// 0
    pub const ZERO: Num = Num::Rational(0, 1);
    /// 1
    pub const ONE: Num = Num::Rational(1, 1);

    /// A whole number.
    pub fn int(value: i128) -> Num {
        Num::Rational(value, 1)
    }

    /// `n / d` in lowest terms; `None` for `d == 0`.
    pub fn ratio(n: i128, d: i128) -> Option<Num> {
        if d == 0 {
            return None;
        }
        let g = gcd(n.unsigned_abs(), d.unsigned_abs());
        let g = i128::try_from(g).ok()?;
        let (n, d) = (n / g, d / g);
        if d < 0 {
            Some(Num::Rational(n.checked_neg()?, d.checked_neg()?))
        } else {
            Some(Num::Rational(n, d))
        }
    }

    /// Reads a decimal literal exactly where it fits (`0.1` is 1/10), else as f64; `None` if it overflows f64.
    pub fn parse(text: &str) -> Option<Num> {
        let value: f64 = text.parse().ok().filter(|v: &f64| v.is_finite())?;
        Some(Num::decimal(text).unwrap_or(Num::Real(value)))
    }

    fn decimal(text: &str) -> Option<Num> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let n: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        let power = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let scale = 10i128.checked_pow(power.unsigned_abs())?;
        if power >= 0 { Some(Num::int(n.checked_mul(scale)?)) } else { Num::ratio(n, scale) }
    }

    /// The nearest f64.
    pub fn to_f64(self) -> f64 {
        match self {
            Num::Rational(n, d) => ratio_to_f64(n, d),
            Num::Real(value) => value,
        }
    }

    /// Whether it is 0.
    pub fn is_zero(self) -> bool {
        match self {
            Num::Rational(n, _) => n == 0,
            Num::Real(value) => value == 0.0,
        }
    }

    /// Whether it is exactly 1.
    pub fn is_one(self) -> bool {
        self == Num::ONE
    }

    /// Whether it is below 0.
    pub fn is_negative(self) -> bool {
        match self {
            Num::Rational(n, _) => n < 0,
            Num::Real(value) => value < 0.0,
        }
    }

    /// Its value where it is a whole number.
    pub fn as_int(self) -> Option<i128> {
        match self {
            Num::Rational(n, 1) => Some(n),
            _ => None,
        }
    }

    /// `1 / self`; `None` for 0.
    pub fn recip(self) -> Option<Num> {
        match self {
            Num::Rational(n, d) => Num::ratio(d, n),
            Num::Real(value) => (value != 0.0).then(|| Num::Real(1.0 / value)),
        }
    }

    /// `self` to a whole power; `None` for 0 to a negative power.
    pub fn powi(self, exponent: i128) -> Option<Num> {
        let base = if exponent < 0 { self.recip()? } else { self };
        let count = exponent.unsigned_abs();
        let real = Num::Real(base.to_f64().powf(count as f64));
        let Num::Rational(n, d) = base else { return Some(real) };
        if (n.unsigned_abs(), d) == (1, 1) {
            return Some(if count.is_multiple_of(2) { Num::ONE } else { base });
        }
        let exact = u32::try_from(count)
            .ok()
            .and_then(|count| Some(Num::Rational(n.checked_pow(count)?, d.checked_pow(count)?)));
        Some(exact.unwrap_or(real))
    }
}

fn ratio_to_f64(n: i128, d: i128) -> f64 {
    // Both exactly representable: one rounding. Else two roundings of larger numbers, within an ulp.
    n as f64 / d as f64
}

fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl std::ops::Add for Num {
    type Output = Num;
    fn add(self, other: Num) -> Num {
        exact(self, other, |(a, b), (c, d)| {
            if (b, d) == (1, 1) {
                return a.checked_add(c).map(Num::int);
            }
            Num::ratio(a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?, b.checked_mul(d)?)
        })
        .unwrap_or(Num::Real(self.to_f64() + other.to_f64()))
    }
}

impl std::ops::Mul for Num {
    type Output = Num;
    fn mul(self, other: Num) -> Num {
        exact(self, other, |(a, b), (c, d)| {
            if (b, d) == (1, 1) {
                return a.checked_mul(c).map(Num::int);
            }
            Num::ratio(a.checked_mul(c)?, b.checked_mul(d)?)
        })
        .unwrap_or(Num::Real(self.to_f64() * other.to_f64()))
    }
}

impl std::ops::Neg for Num {
    type Output = Num;
    fn neg(self) -> Num {
        Num::int(-1) * self
    }
}

type Fraction = (i128, i128);

fn exact(a: Num, b: Num, op: impl Fn(Fraction, Fraction) -> Option<Num>) -> Option<Num> {
    match (a, b) {
        (Num::Rational(n, d), Num::Rational(p, q)) => op((n, d), (p, q)),
        _ => None,
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Num) -> bool {
        match (self, other) {
            (Num::Rational(a, b), Num::Rational(c, d)) => a == c && b == d,
            (Num::Real(a), Num::Real(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Num {}

impl std::hash::Hash for Num {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            // The lower halves are enough to tell numbers apart.
            Num::Rational(n, d) => state.write_u64((*n as u64).rotate_left(32) ^ *d as u64),
            Num::Real(value) => state.write_u64(value.to_bits()),
        }
    }
}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Num) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Num {
    fn cmp(&self, other: &Num) -> Ordering {
        self.to_f64().total_cmp(&other.to_f64())
    }
}

impl fmt::Display for Num {
    /// As the language writes it: `3`, `1e9`, `1/2`, `-2/3`, `1e-4`, `0.044715`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Num::Rational(n, 1) => write_whole(f, n),
            Num::Rational(n, d) if is_decimal(d) => write!(f, "{:?}", ratio_to_f64(n, d)),
            Num::Rational(n, d) => write!(f, "{n}/{d}"),
            Num::Real(value) => write!(f, "{value:?}"),
        }
    }
}

/// A whole number; with many zeros at its end as `1e9`.
fn write_whole(f: &mut fmt::Formatter<'_>, n: i128) -> fmt::Result {
    let (mut rest, mut zeros) = (n, 0);
    while n != 0 && rest % 10 == 0 {
        rest /= 10;
        zeros += 1;
    }
    if zeros < 9 { write!(f, "{n}") } else { write!(f, "{rest}e{zeros}") }
}

/// Whether a denominator is better shown in decimals (`0.0001`, `0.044715`) than as a fraction (`1/2`).
pub fn is_decimal(d: i128) -> bool {
    let mut rest = d;
    for prime in [2, 5] {
        while rest % prime == 0 {
            rest /= prime;
        }
    }
    rest == 1 && d > 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_zeros_are_a_power_of_ten() {
        for text in ["0", "1000000", "1e9", "25e10", "-1e30", "1234567"] {
            assert_eq!(
                Num::parse(text.trim_start_matches('-')).map(|n| n.to_string()).as_deref(),
                Some(text.trim_start_matches('-'))
            );
        }
    }

    #[test]
    fn literals_are_exact_and_cancel() {
        assert_eq!(Num::parse("0.5"), Num::ratio(1, 2));
        assert_eq!(Num::parse("1e-4"), Num::ratio(1, 10_000));
        assert_eq!(Num::parse("0.1").unwrap() * Num::int(10), Num::ONE);
        assert_eq!(Num::parse("1e400"), None);
        assert_eq!(Num::parse("1e-300").unwrap().to_f64(), 1e-300);
    }

    #[test]
    fn overflow_falls_back_to_f64() {
        let big = Num::int(i128::MAX);
        assert_eq!((big * big).to_f64(), i128::MAX as f64 * i128::MAX as f64);
        assert_eq!(Num::int(3).powi(-2), Num::ratio(1, 9));
        assert_eq!(Num::ZERO.powi(-1), None);
        let huge = 10i128.pow(30);
        assert_eq!(Num::int(2).powi(huge).map(Num::to_f64), Some(f64::INFINITY));
        assert_eq!(Num::ONE.powi(huge), Some(Num::ONE));
        assert_eq!(Num::int(-1).powi(huge + 1), Some(Num::int(-1)));
    }

    #[test]
    fn prints_as_people_write() {
        for (num, text) in
            [(Num::ratio(1, 2), "1/2"), (Num::parse("1e-4"), "0.0001"), (Some(Num::int(-3)), "-3")]
        {
            assert_eq!(num.unwrap().to_string(), text);
        }
    }
}
