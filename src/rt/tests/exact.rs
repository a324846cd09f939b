//! In: an argument. Out: a function's value there to some thirty digits, by which the library's own are judged.
//!
//! Series and continued fractions as books have them, in numbers of twice the length of `f64`, and π to as many digits as the largest
//! arguments of sines want. Nothing is shared with what is judged. Invariant: relative errors below 10⁻²⁵, which is a billionth of what `f64`
//! can tell apart; digits from elsewhere hold it to that (`reference.rs`).

use core::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::OnceLock;
use std::vec::Vec;

/// `hi + lo`, where `lo` is less than a last place of `hi`.
#[derive(Clone, Copy, Debug)]
pub struct Two {
    pub hi: f64,
    pub lo: f64,
}

const fn two(hi: f64, lo: f64) -> Two {
    Two { hi, lo }
}

const ZERO: Two = two(0.0, 0.0);
const ONE: Two = two(1.0, 0.0);
const HALF: Two = two(0.5, 0.0);
const LN_2: Two = two(core::f64::consts::LN_2, 2.3190468138462996e-17);
const PI: Two = two(core::f64::consts::PI, 1.2246467991473532e-16);

/// A sum, exactly.
fn sum(a: f64, b: f64) -> Two {
    let hi = a + b;
    let part = hi - a;
    two(hi, (a - (hi - part)) + (b - part))
}

/// The same where `a` is the larger.
fn settled(a: f64, b: f64) -> Two {
    let hi = a + b;
    two(hi, b - (hi - a))
}

impl From<f64> for Two {
    fn from(x: f64) -> Self {
        two(x, 0.0)
    }
}

impl Neg for Two {
    type Output = Self;
    fn neg(self) -> Self {
        two(-self.hi, -self.lo)
    }
}

impl Add for Two {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        let (high, low) = (sum(self.hi, b.hi), sum(self.lo, b.lo));
        let first = settled(high.hi, high.lo + low.hi);
        settled(first.hi, first.lo + low.lo)
    }
}

impl Sub for Two {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        self + -b
    }
}

impl Mul for Two {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        let hi = self.hi * b.hi;
        settled(hi, self.hi.mul_add(b.hi, -hi) + (self.hi * b.lo + self.lo * b.hi))
    }
}

impl Div for Two {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let first = self.hi / b.hi;
        let rest = self - b * first.into();
        let second = rest.hi / b.hi;
        let third = (rest - b * second.into()).hi / b.hi;
        settled(first, second) + third.into()
    }
}

impl Two {
    fn sqrt(self) -> Self {
        let root = self.hi.sqrt();
        let rest = self - Two::from(root) * root.into();
        settled(root, rest.hi / (2.0 * root))
    }

    fn times(self, power: i32) -> Value {
        Value { two: self, power }
    }
}

/// `2^n`, also where that takes two steps.
fn scaled(x: f64, n: i32) -> f64 {
    let power = |n: i32| f64::from_bits(((n.clamp(-1022, 1023) + 1023) as u64) << 52);
    let (a, b) = (n / 3, (n - n / 3) / 2);
    x * power(a) * power(b) * power(n - a - b)
}

/// A number between 1 and 2, and the power of two by which it is `x`.
fn split(x: f64) -> (f64, i32) {
    if x == 0.0 {
        return (x, 0);
    }
    let normal = if x.abs() < f64::MIN_POSITIVE { x * scaled(1.0, 60) } else { x };
    let exponent = ((normal.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    let moved = if normal == x { 0 } else { 60 };
    (scaled(normal, -exponent), exponent - moved)
}

/// A number times a power of two, which may be beyond those of `f64`.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    pub two: Two,
    pub power: i32,
}

impl Neg for Value {
    type Output = Self;
    fn neg(self) -> Self {
        (-self.two).times(self.power)
    }
}

impl Value {
    /// The same as a plain number, what is below 2⁻⁹⁰⁰ as 0.
    fn settle(self) -> Two {
        if self.power < -900 {
            return ZERO;
        }
        two(scaled(self.two.hi, self.power), scaled(self.two.lo, self.power))
    }

    /// How far `high + low` is from it, as a share of it.
    pub fn off(self, high: f64, low: f64) -> f64 {
        let (high, low) = (scaled(high, -self.power), scaled(low, -self.power));
        ((self.two - sum(high, low)).hi / self.two.hi).abs()
    }

    /// How far `ours` is from it, in units in the last place of numbers with so many bits, the least of which is `2^(least - bits)`.
    /// An infinite number stands for the power of two behind the last.
    pub fn error(self, ours: f64, bits: i32, least: i32) -> f64 {
        let (mantissa, exponent) = split(self.two.hi);
        let exponent = exponent + self.power;
        let end = 2 - least;
        if ours.is_infinite() && exponent >= end && (ours > 0.0) == (mantissa > 0.0) {
            return 0.0;
        }
        let unit = exponent.clamp(least, end - 1) - bits;
        let (hi, lo) = (
            scaled(self.two.hi, self.power.saturating_sub(unit).clamp(-2000, 2000)),
            scaled(self.two.lo, self.power.saturating_sub(unit).clamp(-2000, 2000)),
        );
        let ours = match ours.is_infinite() {
            true => scaled(1.0, end - unit).copysign(ours),
            false => scaled(ours, -unit),
        };
        ((ours - hi) - lo).abs()
    }
}

/// `1 + x/first (1 + x/second (1 + …))`
fn nested(x: Two, divisors: impl DoubleEndedIterator<Item = f64>) -> Two {
    divisors.rev().fold(ONE, |rest, divisor| ONE + x * rest / divisor.into())
}

/// `e^x - 1` for numbers up to 1/2.
fn expm1_small(x: Two) -> Two {
    let part = x * Two::from(1.0 / 64.0);
    let mut y = part * nested(part, (2..14).map(f64::from));
    for _ in 0..6 {
        y = y + y + y * y;
    }
    y
}

fn exp_of(x: Two) -> Value {
    let x = if x.hi.abs() > 2000.0 { Two::from(2000.0_f64.copysign(x.hi)) } else { x };
    let n = (x.hi / LN_2.hi).round();
    (ONE + expm1_small(x - LN_2 * n.into())).times(n as i32)
}

fn expm1_of(x: Two) -> Value {
    if x.hi.abs() < 0.4 {
        expm1_small(x).times(0)
    } else if x.hi > 120.0 {
        exp_of(x)
    } else {
        (exp_of(x).settle() - ONE).times(0)
    }
}

fn ln_of(z: Two) -> Two {
    let (mantissa, exponent) = split(z.hi);
    let n = if mantissa > 1.4 { exponent + 1 } else { exponent };
    let m = two(scaled(z.hi, -n), scaled(z.lo, -n));
    let part = if (m.hi - 1.0).abs() < 0.1 {
        let s = (m - ONE) / (m + ONE);
        let series = (0..16)
            .rev()
            .fold(ZERO, |rest, k| ONE / Two::from(f64::from(2 * k + 1)) + s * s * rest);
        (s + s) * series
    } else {
        // One step of Newton's method.
        let y = Two::from(m.hi.ln());
        let off = m * exp_of(-y).settle() - ONE;
        y + (off - off * off * HALF)
    };
    part + LN_2 * f64::from(n).into()
}

pub fn exp(x: f64) -> Value {
    exp_of(x.into())
}

pub fn expm1(x: f64) -> Value {
    near_zero(x, 0.5, 1.0).unwrap_or_else(|| expm1_of(x.into()))
}

pub fn ln(x: f64) -> Value {
    ln_of(x.into()).times(0)
}

pub fn log1p(x: f64) -> Value {
    near_zero(x, -0.5, 1.0).unwrap_or_else(|| ln_of(sum(1.0, x)).times(0))
}

/// The value for tiny arguments of a function that is `x + by x^(1 + order)` there.
fn near_zero(x: f64, by: f64, order: f64) -> Option<Value> {
    let (m, power) = split(x);
    let next = if order == 1.0 { by * x } else { by * x * x };
    (x.abs() < 1e-40).then(|| two(m, m * next).times(power))
}

pub fn tanh(x: f64) -> Value {
    near_zero(x, -1.0 / 3.0, 2.0).unwrap_or_else(|| {
        let p = expm1_of(Two::from(2.0 * x.clamp(-60.0, 60.0))).settle();
        (p / (p + ONE + ONE)).times(0)
    })
}

pub fn sigmoid(x: f64) -> Value {
    let e = exp_of(Two::from(-x.abs()));
    let top = if x < 0.0 { e } else { ONE.times(0) };
    (top.two / (ONE + e.settle())).times(top.power)
}

pub fn softplus(x: f64) -> Value {
    let e = exp_of(Two::from(-x.abs()));
    if x < 0.0 && e.power < -200 {
        return e;
    }
    (Two::from(x.max(0.0)) + log1p_of(e.settle())).times(0)
}

/// `ln(1 + x)` for a number from 0 to 1.
fn log1p_of(x: Two) -> Two {
    if x.hi < 1e-40 { x } else { ln_of_one_and(x) }
}

/// The same without the sum where that would cost digits.
fn ln_of_one_and(x: Two) -> Two {
    if x.hi > 0.05 {
        return ln_of(ONE + x);
    }
    let s = x / (x + ONE + ONE);
    let series =
        (0..16).rev().fold(ZERO, |rest, k| ONE / Two::from(f64::from(2 * k + 1)) + s * s * rest);
    (s + s) * series
}

pub fn sqrt(x: f64) -> Value {
    let (m, power) = split(x);
    let odd = power.rem_euclid(2);
    Two::from(m * f64::from(1 + odd)).sqrt().times((power - odd) / 2)
}

pub fn pow(x: f64, y: f64) -> Value {
    let l = ln_of(x.into());
    if y.abs() > 1e20 { exp_of(Two::from(l.hi * y)) } else { exp_of(l * y.into()) }
}

/// `1 + u/3 + u²/(3·5) + …`
fn odd_factorials(u: Two) -> Two {
    let (mut term, mut sum, mut n) = (ONE, ONE, 1.0);
    while term.hi > sum.hi * 1e-34 {
        n += 2.0;
        term = term * u / n.into();
        sum = sum + term;
    }
    sum
}

pub fn erf(x: f64) -> Value {
    if x.abs() > 9.0 {
        return Two::from(1.0_f64.copysign(x)).times(0);
    }
    let (m, power) = split(x);
    let square = Two::from(x) * x.into();
    let slope = exp_of(-square).settle() * (ONE + ONE) / PI.sqrt();
    (Two::from(m) * slope * odd_factorials(square + square)).times(power)
}

/// `x` times the normal distribution function at `x`.
pub fn gelu(x: f64) -> Value {
    let (m, power) = split(x);
    let t = Two::from(x.abs().min(1e10));
    let square = t * t;
    let density = exp_of(-(square * HALF));
    let density = (density.two / (PI + PI).sqrt()).times(density.power);
    let below = if t.hi < 3.0 {
        (HALF - density.settle() * t * odd_factorials(square)).times(0)
    } else {
        // The tail over the density is 1/(t + 1/(t + 2/(t + 3/…))).
        let bottom = (1..160).rev().fold(t, |rest, n| t + Two::from(f64::from(n)) / rest);
        (density.two / bottom).times(density.power)
    };
    let share = if x < 0.0 { below } else { (ONE - below.settle()).times(0) };
    (Two::from(m) * share.two).times(power + share.power)
}

/// Words of a number from the lowest on, the highest of which is whole.
type Fixed = [u64; 24];

fn plus(a: &Fixed, b: &Fixed) -> Fixed {
    let (mut out, mut carry) = ([0; 24], false);
    for i in 0..24 {
        let (first, one) = a[i].overflowing_add(b[i]);
        let (second, other) = first.overflowing_add(u64::from(carry));
        (out[i], carry) = (second, one || other);
    }
    out
}

fn minus(a: &Fixed, b: &Fixed) -> Fixed {
    let mut one = [0; 24];
    one[0] = 1;
    plus(&plus(a, &b.map(|word| !word)), &one)
}

fn less(a: &Fixed, b: &Fixed) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn divided(a: &Fixed, by: u64) -> Fixed {
    let (mut out, mut rest) = ([0; 24], 0);
    for i in (0..24).rev() {
        let top = (rest << 64) | u128::from(a[i]);
        (out[i], rest) = ((top / u128::from(by)) as u64, top % u128::from(by));
    }
    out
}

/// `k / 2^n` for few digits.
fn fraction(k: u64, n: u32) -> Fixed {
    let mut out = [0; 24];
    out[23] = k;
    for _ in 0..n {
        out = divided(&out, 2);
    }
    out
}

/// `of arctan(1/n)`
fn arctan(of: u64, n: u64) -> Fixed {
    let (mut power, mut sum, mut k) = (divided(&fraction(of, 0), n), fraction(0, 0), 1);
    while power != fraction(0, 0) {
        let term = divided(&power, k);
        sum = if k % 4 == 1 { plus(&sum, &term) } else { minus(&sum, &term) };
        power = divided(&divided(&power, n), n);
        k += 2;
    }
    sum
}

/// π by J. Machin's formula, and the powers of two from 2⁻⁵³ on with as many turns of 2π taken off as there are.
fn turns() -> &'static (Fixed, Vec<Fixed>) {
    static TURNS: OnceLock<(Fixed, Vec<Fixed>)> = OnceLock::new();
    TURNS.get_or_init(|| {
        let pi = minus(&arctan(16, 5), &arctan(4, 239));
        let turn = plus(&pi, &pi);
        let double = |x: &Fixed| {
            let twice = plus(x, x);
            Some(if less(&twice, &turn) { twice } else { minus(&twice, &turn) })
        };
        let powers = std::iter::successors(Some(fraction(1, 53)), double).take(1077).collect();
        (pi, powers)
    })
}

/// The quarter turns in a number of at least 1/2, and what is left, at most an eighth turn.
fn quarters(x: f64) -> (usize, Two) {
    let (pi, powers) = turns();
    let (turn, quarter, eighth) = (plus(pi, pi), divided(pi, 2), divided(pi, 4));
    let (m, exponent) = split(x);
    let bits = scaled(m, 52) as u64;
    let mut rest = fraction(0, 0);
    for bit in (0..53).filter(|bit| bits >> bit & 1 == 1) {
        rest = plus(&rest, &powers[(exponent + 1 + bit) as usize]);
        if !less(&rest, &turn) {
            rest = minus(&rest, &turn);
        }
    }
    let (mut count, mut rest) = (0, plus(&rest, &eighth));
    while !less(&rest, &quarter) {
        (count, rest) = (count + 1, minus(&rest, &quarter));
    }
    let below = less(&rest, &eighth);
    let rest = if below { minus(&eighth, &rest) } else { minus(&rest, &eighth) };
    let rest = number(&rest);
    (count, if below { -rest } else { rest })
}

fn number(fixed: &Fixed) -> Two {
    let words = fixed.iter().zip(0..).skip(12).map(|(word, i)| {
        let half = |word: u64, up| Two::from(scaled(word as f64, 64 * (i - 23) + up));
        half(word & 0xffff_ffff, 0) + half(word >> 32, 32)
    });
    words.fold(ZERO, |sum, word| word + sum)
}

/// The sine where `turned` is 0, the cosine where it is 1.
fn wave(x: f64, turned: usize) -> Value {
    let (quarters, rest) = if x.abs() < 0.5 { (0, Two::from(x.abs())) } else { quarters(x.abs()) };
    let square = -(rest * rest);
    let at = (quarters + turned) % 4;
    let y = match at % 2 {
        0 => rest * nested(square, (1..16).map(|k| f64::from(2 * k * (2 * k + 1)))),
        _ => nested(square, (1..16).map(|k| f64::from(2 * k * (2 * k - 1)))),
    };
    let negative = (at >= 2) != (turned == 0 && x < 0.0);
    (if negative { -y } else { y }).times(0)
}

pub fn sin(x: f64) -> Value {
    near_zero(x, -1.0 / 6.0, 2.0).unwrap_or_else(|| wave(x, 0))
}

pub fn cos(x: f64) -> Value {
    wave(x, 1)
}
