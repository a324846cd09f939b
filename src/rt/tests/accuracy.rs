//! The largest errors of the functions, as `docs/accuracy.md` tells them: in units in the last place, over all of `f32` and `f64`.
//!
//! `f64` is judged by [`exact`], `f32` by `f64`. Where the page differs it is rewritten and the test fails: look at the difference and commit
//! it. With `ACCURACY=long` in the environment the second of its tables is made, which takes minutes (`scripts/accuracy.sh`).

use super::exact::{self, Value};
use super::reference::REFERENCE;
use crate::rng::{Rng, SmallRng};
#[cfg(all(target_arch = "x86_64", not(target_feature = "fma")))]
use crate::rt::dispatch::asked;
use crate::rt::{Lane, Real, Work, vector};
use core::f64::consts::{FRAC_PI_2, LN_2, SQRT_2};
use std::{format, fs, string::String, vec::Vec};

/// No function may be further from the truth.
const MOST: f64 = 1.5;

/// A function of numbers, each with a second one, in the arithmetic of every processor or fused.
type Each<S> = fn(bool, &[S], &[S], &mut [S]);

struct Row {
    name: &'static str,
    f32: Each<f32>,
    f64: Each<f64>,
    exact: fn(f64, f64) -> Value,
    /// Where it is defined.
    domain: fn(f64) -> bool,
    /// Where its values are neither all alike nor all infinite, for `f64`.
    range: (f64, f64),
    /// Reductions of arguments start anew at multiples of this.
    step: f64,
    /// A second argument beside the first, for values within `e` to the power of plus or minus this.
    second: fn(&mut SmallRng, f64, f64) -> f64,
}

/// Does the work in one of the two arithmetics, the second with the processor's instructions where it has them.
fn run<S: Real>(fused: bool, work: impl Work<S>) {
    if !fused {
        return work.run::<S>();
    }
    #[cfg(all(target_arch = "x86_64", not(target_feature = "fma")))]
    if asked::has_wide() {
        return asked::wide(work);
    }
    work.run::<S::Wide>();
}

macro_rules! row {
    ($name:literal |$x:ident, $y:tt| $value:expr, $exact:expr, $domain:expr, $range:expr, $step:expr) => {{
        struct All<'a, S>(&'a [S], &'a [S], &'a mut [S]);
        impl<S: Real> Work<S> for All<'_, S> {
            #[inline(always)]
            fn run<F: Lane<S>>(self) {
                let (xs, ys) = (F::of(self.0), F::of(self.1));
                for ((&$x, &$y), out) in xs.iter().zip(ys).zip(F::of_mut(self.2)) {
                    *out = $value;
                }
            }
        }
        Row {
            name: $name,
            f32: |fused, x, y, out| run(fused, All(x, y, out)),
            f64: |fused, x, y, out| run(fused, All(x, y, out)),
            exact: $exact,
            domain: $domain,
            range: $range,
            step: $step,
            second: |_, _, _| 0.0,
        }
    }};
}

/// The row of a function of one number that is called alike everywhere.
macro_rules! one {
    ($name:ident $text:literal $domain:expr, $range:expr, $step:expr) => {
        row!($text | x, _ | x.$name(), |x, _| exact::$name(x), $domain, $range, $step)
    };
}

fn rows() -> Vec<Row> {
    fn all(_: f64) -> bool {
        true
    }
    let power = |x: f64, y: f64| {
        let power = exact::pow(x.abs(), y);
        if x < 0.0 && y % 2.0 != 0.0 { -power } else { power }
    };
    let pow = row!("pow" | x, y | x.powf(y), power, |x| x != 0.0, (-3.0, 3.0), SQRT_2);
    std::vec![
        one!(exp "exp" all, (-746.0, 710.0), LN_2 / 2.0),
        one!(expm1 "expm1" all, (-40.0, 710.0), LN_2 / 2.0),
        one!(ln "ln" |x| x > 0.0, (0.0, 4.0), SQRT_2),
        one!(log1p "log1p" |x| x > -1.0, (-1.0, 3.0), SQRT_2),
        one!(tanh "tanh" all, (-20.0, 20.0), LN_2 / 4.0),
        one!(sigmoid "sigmoid" all, (-746.0, 40.0), LN_2 / 2.0),
        one!(softplus "softplus" all, (-746.0, 40.0), LN_2 / 2.0),
        one!(erf "erf" all, (-6.0, 6.0), 1.0),
        one!(gelu "gelu" all, (-39.0, 9.0), 0.5),
        one!(sqrt "sqrt" |x| x > 0.0, (0.0, 4.0), 1.0),
        Row { second: exponent, ..pow },
        one!(sin "sin" all, (-2e6, 2e6), FRAC_PI_2),
        one!(cos "cos" all, (-100.0, 100.0), FRAC_PI_2),
    ]
}

/// An exponent beside `x`: any that leaves the power within the type, and small ones; whole beside negative numbers.
fn exponent(rng: &mut SmallRng, x: f64, reach: f64) -> f64 {
    let (share, kind) = (share(rng) * 2.0 - 1.0, rng.next_u64() % 4);
    let widest = reach / x.abs().ln().abs().max(1e-30);
    let y = match kind {
        0 => share * widest.min(8.0),
        // Near the ends of the type.
        1 => widest * (1.0 - share * 0.06).copysign(share),
        _ => share * widest,
    };
    if x < 0.0 { y.round() } else { y }
}

/// A number drawn evenly from [0, 1).
fn share(rng: &mut SmallRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// How many numbers are tried.
struct Effort {
    /// Of the bits of `f32` every so many are.
    stride: usize,
    /// So many `f64` are, of each kind.
    count: usize,
}

const SHORT: Effort = Effort { stride: 17 * 59, count: 20_000 };
const LONG: Effort = Effort { stride: 17, count: 1_000_000 };

/// A largest error, and where it is.
#[derive(Clone, Copy)]
struct Worst {
    error: f64,
    at: (f64, f64),
}

impl Worst {
    const NONE: Self = Self { error: 0.0, at: (0.0, 0.0) };

    fn see(&mut self, error: f64, at: (f64, f64)) {
        if error > self.error || error.is_nan() {
            *self = Self { error: if error.is_nan() { f64::INFINITY } else { error }, at };
        }
    }
}

/// How far an `f32` is from the truth, as [`Value::error`].
fn error_of_single(ours: f32, exact: f64) -> f64 {
    const END: f64 = 2.0 * (1_u128 << 127) as f64;
    let power = f64::from_bits(exact.to_bits() & f64::INFINITY.to_bits());
    let unit = power.clamp(f64::from(f32::MIN_POSITIVE), END / 2.0) * f64::from(f32::EPSILON);
    let (infinite, ours) = (ours.is_infinite(), f64::from(ours).clamp(-END, END));
    let beyond = infinite && exact.abs() >= END && ours * exact > 0.0;
    if beyond { 0.0 } else { (ours - exact).abs() / unit }
}

/// So many numbers are tried at a time.
const BLOCK: usize = 4096;

fn singles(row: &Row, effort: &Effort) -> [Worst; 2] {
    let (mut worst, mut rng) = ([Worst::NONE; 2], SmallRng::seed(2));
    let all = (0..=u32::MAX).step_by(effort.stride).map(f32::from_bits);
    let mut all = all.filter(|x| x.is_finite() && (row.domain)(f64::from(*x)));
    loop {
        let x: Vec<f32> = all.by_ref().take(BLOCK).collect();
        if x.is_empty() {
            return worst;
        }
        let second = |x: &f32| (row.second)(&mut rng, f64::from(*x), 104.0) as f32;
        let y: Vec<f32> = x.iter().map(second).collect();
        let [x64, y64] = [&x, &y].map(|all| all.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
        let (mut exact, mut ours) = (std::vec![0.0; x.len()], std::vec![0.0; x.len()]);
        (row.f64)(true, &x64, &y64, &mut exact);
        for (worst, fused) in worst.iter_mut().zip([false, true]) {
            (row.f32)(fused, &x, &y, &mut ours);
            for (i, ours) in ours.iter().enumerate() {
                worst.see(error_of_single(*ours, exact[i]), (x64[i], y64[i]));
            }
        }
    }
}

/// Numbers of all kinds: any bits, any of the range, those where a reduction starts anew and their neighbours, and the ends of the type.
fn arguments(row: &Row, effort: &Effort) -> impl Iterator<Item = f64> {
    let (mut rng, (low, high), step) = (SmallRng::seed(1), row.range, row.step);
    let around = |x: f64, by: u64| f64::from_bits(x.to_bits().wrapping_add(by).wrapping_sub(4));
    let ends = [f64::MIN_POSITIVE, f64::MAX, f64::from_bits(1), 0.0, 1.0, 2.0, 0.5];
    let ends = ends.into_iter().flat_map(|x| [x, -x]);
    let ends = ends.flat_map(move |x| (0..9).map(move |by| around(x, by)));
    let drawn = (0..effort.count).flat_map(move |_| {
        let even = low + share(&mut rng) * (high - low);
        let edge = around((even / step).round() * step, rng.next_u64() % 9);
        // Powers of two from 2^-60 to 8 have as many.
        let small = f64::from_bits((rng.next_u64() >> 2) % (63 << 52) + (963 << 52));
        [f64::from_bits(rng.next_u64()), even, edge, small.copysign(even)]
    });
    ends.chain(drawn)
}

fn doubles(row: &Row, effort: &Effort) -> [Worst; 2] {
    let (mut worst, mut rng) = ([Worst::NONE; 2], SmallRng::seed(3));
    let mut all = arguments(row, effort).filter(|x| x.is_finite() && (row.domain)(*x));
    loop {
        let x: Vec<f64> = all.by_ref().take(BLOCK).collect();
        if x.is_empty() {
            return worst;
        }
        let y: Vec<f64> = x.iter().map(|x| (row.second)(&mut rng, *x, 745.0)).collect();
        let exact: Vec<Value> = x.iter().zip(&y).map(|(x, y)| (row.exact)(*x, *y)).collect();
        let mut ours = std::vec![0.0; x.len()];
        for (worst, fused) in worst.iter_mut().zip([false, true]) {
            (row.f64)(fused, &x, &y, &mut ours);
            for (i, ours) in ours.iter().enumerate() {
                worst.see(exact[i].error(*ours, 52, -1022), (x[i], y[i]));
            }
        }
    }
}

/// The largest errors of all functions, `f32` before `f64`.
fn measured(effort: &Effort) -> Vec<(&'static str, [Worst; 4])> {
    let measure = |row: Row| {
        let ([a, b], [c, d]) = (singles(&row, effort), doubles(&row, effort));
        (row.name, [a, b, c, d])
    };
    let half = |odd| rows().into_iter().skip(odd).step_by(2).map(measure).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let (even, odd) = (half(0), other.join().expect("the other half"));
        let odd = odd.into_iter().map(Some).chain([None]);
        even.into_iter().zip(odd).flat_map(|(a, b)| [Some(a), b]).flatten().collect()
    })
}

fn table(measured: &[(&str, [Worst; 4])]) -> String {
    let mut text = String::from(
        "| function | f32 | f32, fused | f64 | f64, fused |\n| --- | --- | --- | --- | --- |\n",
    );
    for (name, worst) in measured {
        let [a, b, c, d] = worst.map(|worst| worst.error);
        text += &format!("| {name} | {a:.3} | {b:.3} | {c:.3} | {d:.3} |\n");
    }
    text
}

/// The headings of the page's tables.
const TABLES: [&str; 2] =
    ["## As every run of the tests tries them", "## As the long run tries them"];

/// The page with another table below this heading.
fn renewed(page: &str, heading: &str, table: &str) -> String {
    let (before, rest) = page.split_once(heading).expect("a heading");
    let after = rest.find("\n## ").map_or("", |at| &rest[at..]);
    format!("{before}{heading}\n\n{table}{after}")
}

/// The numbers below this heading.
fn numbers(page: &str, heading: &str) -> Vec<f64> {
    let (_, rest) = page.split_once(heading).expect("a heading");
    let table = rest.split("\n## ").next().unwrap_or_default();
    table.split(['|', '\n']).filter_map(|cell| cell.trim().parse().ok()).collect()
}

#[test]
fn no_function_is_further_from_the_truth_than_the_page_says() {
    let long = std::env::var("ACCURACY").is_ok_and(|value| value == "long");
    let measured = measured(if long { &LONG } else { &SHORT });
    let table = table(&measured);
    std::println!("{table}");
    for (name, worst) in &measured {
        for Worst { error, at: (x, y) } in worst {
            assert!(*error <= MOST, "{name} of {x:e} and {y:e}: {error} units in the last place");
        }
    }
    // The page tells of programs for every processor, and of those with one rounding.
    if vector::f64_math::FUSED || !vector::f64_fused::FUSED {
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accuracy.md");
    let page = fs::read_to_string(path).expect("the page");
    let now = renewed(&page, TABLES[usize::from(long)], &table);
    if page != now {
        fs::write(path, &now).expect("a page that can be written");
    }
    assert!(page == now, "docs/accuracy.md was not up to date; it has been rewritten");
    let [short, long] = TABLES.map(|heading| numbers(&page, heading));
    assert_eq!(short.len(), long.len(), "`scripts/accuracy.sh` has to be run");
    for (short, long) in short.iter().zip(long) {
        assert!(*short <= long + 0.01, "`scripts/accuracy.sh` has to be run: {short} over {long}");
    }
}

#[test]
fn the_reference_has_the_digits_that_others_have() {
    let mut seen = 0;
    for (name, _, points) in REFERENCE {
        let exact = match *name {
            "pow" => |x, _| exact::pow(x, 12.3),
            name => match rows().into_iter().find(|row| row.name == name) {
                Some(row) => row.exact,
                None => continue,
            },
        };
        for &(x, high, low) in points.iter().filter(|(_, high, _)| high.abs() > 1e-280) {
            let off = exact(x, 0.0).off(high, low);
            assert!(off < 1e-25, "{name} of {x:e}: off by {off:e} of it");
            seen += 1;
        }
    }
    assert!(seen > 80, "there are points of most functions");
}
