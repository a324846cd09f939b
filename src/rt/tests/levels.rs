//! The same work at all levels of instructions: what every processor has, AVX2 with FMA, and AVX-512, where this one has them.

use crate::rt::dispatch::asked;
use crate::rt::kernels::{Product, Strided};
use crate::rt::{Lane, Real, Work, room};
use std::vec::Vec;

fn numbers<F: Real>(count: usize, seed: usize) -> Vec<F> {
    let number = |i| ((i * 7919 + seed * 104_729) % 2003) as f64 / 1001.5 - 1.0;
    (0..count).map(|i| F::from_f64(number(i))).collect()
}

fn products<F: Real>(tolerance: f64) {
    for (m, k, n) in
        [(64, 64, 64), (97, 300, 33), (24, 257, 520), (5, 64, 900), (3, 7, 1), (25, 513, 11)]
    {
        let (a, b, start) =
            (numbers::<F>(m * k, 1), numbers::<F>(k * n, 2), numbers::<F>(m * n, 3));
        for layout in 0..8 {
            let (a_row, a_col) = if layout & 1 == 0 { (k, 1) } else { (1, m) };
            let (b_row, b_col) = if layout & 2 == 0 { (n, 1) } else { (1, k) };
            let accumulate = layout & 4 != 0;
            let product = |wide: bool| {
                let (mut c, mut space) = (start.clone(), std::vec![F::NAN; room(m, k, n)]);
                let work = Product {
                    sizes: [m, k, n],
                    a: Strided { data: &a, row: a_row, col: a_col },
                    b: Strided { data: &b, row: b_row, col: b_col },
                    c: &mut c,
                    accumulate,
                    room: Some(&mut space),
                };
                if wide {
                    asked::wide(work)
                } else {
                    work.run::<F>()
                }
                c
            };
            for (at, (wide, plain)) in product(true).iter().zip(product(false)).enumerate() {
                let (i, j) = (at / n, at % n);
                let term = |p: usize| {
                    a[i * a_row + p * a_col].to_f64() * b[p * b_row + j * b_col].to_f64()
                };
                let first = if accumulate { start[at].to_f64() } else { 0.0 };
                let wanted = first + (0..k).map(term).sum::<f64>();
                for found in [wide.to_f64(), plain.to_f64()] {
                    assert!((found - wanted).abs() < tolerance, "{m} {k} {n} {layout} {at}");
                }
                if cfg!(feature = "deterministic") {
                    assert_eq!(*wide, plain, "the same bits at both levels");
                }
            }
        }
    }
}

#[test]
fn products_are_right_at_every_level() {
    let all = || {
        products::<f32>(2e-3);
        products::<f64>(1e-11);
    };
    all();
    // Tests beside this one do not ask for more than AVX2 and FMA, or compare what is the same without.
    asked::without_widest(all);
}

/// Tiles of every height and of every width that registers are filled to, alone in what is around them.
fn tiles<F: Real>() {
    let k = 5;
    for (m, n) in (1..=25).flat_map(|m| (1..=50).map(move |n| (m, n))) {
        let (a, b) = (numbers::<F>(m * k, 1), numbers::<F>(k * (n + 3), 2));
        let start = numbers::<F>(m * (n + 2), 3);
        for layout in 0..4 {
            let (row, col) = if layout & 1 == 0 { (k, 1) } else { (1, m) };
            let (accumulate, mut c) = (layout & 2 != 0, start.clone());
            let left = Strided { data: &a, row, col };
            let right = Strided { data: &b[..(k - 1) * (n + 3) + n], row: n + 3, col: 1 };
            let last = m * (n + 2) - 2;
            asked::widest_product([m, k, n], left, right, &mut c[..last], n + 2, accumulate);
            for (at, (c, start)) in c.iter().zip(&start).enumerate() {
                let (i, j) = (at / (n + 2), at % (n + 2));
                let term = |p: usize| a[i * row + p * col].to_f64() * b[p * (n + 3) + j].to_f64();
                let sum = || (0..k).map(term).sum::<f64>();
                let wanted = match (j < n, accumulate) {
                    (true, true) => start.to_f64() + sum(),
                    (true, false) => sum(),
                    (false, _) => start.to_f64(),
                };
                let near = 8.0 * F::EPSILON.to_f64();
                assert!((c.to_f64() - wanted).abs() <= near, "{m} {n} {layout} {at}");
            }
        }
    }
}

#[test]
fn tiles_of_the_widest_registers_write_their_own_entries_alone() {
    if std::arch::is_x86_feature_detected!("avx512f") {
        tiles::<f32>();
        tiles::<f64>();
        tiles::<<f32 as Real>::Wide>();
    }
}

/// All functions that the fused arithmetic has of its own, and some operators, of every number.
struct Functions<'a, F> {
    of: &'a [F],
    to: &'a mut [F],
}

impl<S: Real> Work<S> for Functions<'_, S> {
    #[inline(always)]
    fn run<F: Lane<S>>(self) {
        for (x, y) in F::of(self.of).iter().zip(F::of_mut(self.to).chunks_mut(16)) {
            let x = *x;
            let half = F::from_f64(0.5);
            y[..8].copy_from_slice(&[
                x.exp(),
                x.ln(),
                x.log1p(),
                x.expm1(),
                x.tanh(),
                x.sigmoid(),
                x.softplus(),
                x.erf(),
            ]);
            y[8..12].copy_from_slice(&[x.gelu(), x.sin(), x.cos(), (x * x).powf(half * x)]);
            y[12..].copy_from_slice(&[
                x.logsigmoid(),
                x.fma(half, -x) / (half + x * x),
                x.powi(3).maximum(x.sqrt()),
                x.floor().copysign(x) - x.signum0(),
            ]);
        }
    }
}

fn functions<F: Real>(tolerance: f64) {
    let mut of: Vec<F> = (-4000..4000).map(|i| F::from_f64(f64::from(i) / 40.0)).collect();
    of.extend([F::INFINITY, F::NEG_INFINITY, F::NAN, F::ZERO, -F::ZERO]);
    let all = |wide: bool| {
        let mut to = std::vec![F::ZERO; 16 * of.len()];
        let work = Functions { of: &of, to: &mut to };
        if wide {
            asked::wide(work);
        } else {
            work.run::<F>();
        }
        to
    };
    for (at, (wide, plain)) in all(true).iter().zip(all(false)).enumerate() {
        let (wide, plain) = (wide.to_f64(), plain.to_f64());
        let same = wide == plain || (wide.is_nan() && plain.is_nan());
        let near = (wide - plain).abs() <= tolerance * plain.abs();
        assert!(same || near, "{} of {}: {wide}, {plain}", at % 16, of[at / 16]);
        assert!(same || !cfg!(feature = "deterministic"), "the same bits at both levels");
    }
}

#[test]
fn functions_agree_at_every_level() {
    // Three units in the last place between two results that are each good to one and a half.
    functions::<f32>(3.0 * f64::from(f32::EPSILON));
    functions::<f64>(3.0 * f64::EPSILON);
}

#[test]
fn fused_is_one_rounding() {
    struct One<'a>(&'a mut [f64]);
    impl Work<f64> for One<'_> {
        #[inline(always)]
        fn run<F: Lane<f64>>(self) {
            let y = F::of_mut(self.0);
            y[0] = y[0].fma(y[0], -F::ONE);
        }
    }
    let mut y = [1.0 + f64::EPSILON];
    asked::wide(One(&mut y));
    let once = asked::has_wide() && !cfg!(feature = "deterministic");
    let apart = 2.0 * f64::EPSILON;
    assert_eq!(y[0], if once { apart + f64::EPSILON * f64::EPSILON } else { apart });
}

#[test]
fn wide_numbers_are_the_same_in_memory() {
    struct Double<'a, F>(&'a [F], &'a mut [F]);
    impl<S: Real> Work<S> for Double<'_, S> {
        #[inline(always)]
        fn run<F: Lane<S>>(self) {
            for (x, y) in F::of(self.0).iter().zip(F::of_mut(self.1)) {
                *y = *x + *x;
            }
        }
    }
    fn check<F: Real>() {
        let of = numbers::<F>(5, 1);
        let mut to = std::vec![F::NAN; 6];
        Double(&of, &mut to[..5]).run::<F::Wide>();
        assert!(to[5].is_nan() && (0..5).all(|at| to[at] == of[at] + of[at]));
        Double::<F>(&[], &mut []).run::<F::Wide>();
    }
    check::<f32>();
    check::<f64>();
}

/// What is read without a look at its place is measured before; also where the measure is more than there are numbers for.
#[test]
#[should_panic]
fn operands_without_an_end_are_refused() {
    let (a, b, mut c) = ([1.0; 4], [1.0; 40], [0.0; 40]);
    let left = Strided { data: &a, row: 2, col: 1 };
    let right = Strided { data: &b, row: usize::MAX - 9, col: 1 };
    asked::widest_product([2, 2, 20], left, right, &mut c, 20, false);
}

/// A function of all entries, and of one.
type Pair<F> = (fn(&mut [F]), fn(F) -> F);

/// The functions of all entries, each beside the function of one.
struct Each<'a, F> {
    which: usize,
    row: &'a mut [F],
    alone: &'a mut [F],
}

impl<S: Real> Work<S> for Each<'_, S> {
    #[inline(always)]
    fn run<F: Lane<S>>(self) {
        let (row, alone) = (F::of_mut(self.row), F::of_mut(self.alone));
        let (of_row, of_one): Pair<F> = match self.which {
            0 => (F::exp_each, F::exp),
            1 => (F::ln_each, F::ln),
            2 => (F::log1p_each, F::log1p),
            3 => (F::expm1_each, F::expm1),
            4 => (F::tanh_each, F::tanh),
            5 => (F::sigmoid_each, F::sigmoid),
            6 => (F::softplus_each, F::softplus),
            7 => (F::erf_each, F::erf),
            8 => (F::gelu_each, F::gelu),
            9 => (F::sin_each, F::sin),
            _ => (F::cos_each, F::cos),
        };
        of_row(row);
        alone.iter_mut().for_each(|x| *x = of_one(*x));
    }
}

fn each<F: Real>() {
    let mut all: Vec<F> = (-3000..3000).map(|i| F::from_f64(f64::from(i) / 30.0)).collect();
    all.extend(numbers::<F>(99, 7));
    let ends =
        [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0, 1e-310, -1e-40, 1e30, -1.0, 1e-17];
    all.extend(ends.map(F::from_f64));
    let alike =
        |a: F, b: F| a.to_f64().to_bits() == b.to_f64().to_bits() || a.is_nan() && b.is_nan();
    for which in 0..11 {
        for len in (0..40).chain([all.len()]) {
            let from = all.len() - len;
            let (mut row, mut alone) = (all[from..].to_vec(), all[from..].to_vec());
            row.insert(0, F::ONE);
            row.push(F::ONE);
            asked::wide(Each { which, row: &mut row[1..=len], alone: &mut alone });
            assert!(row[0] == F::ONE && row[len + 1] == F::ONE, "{which}: others are left alone");
            for ((x, row), alone) in all[from..].iter().zip(&row[1..]).zip(alone) {
                assert!(alike(*row, alone), "{which} of {x}: {row}, alone {alone}");
            }
        }
    }
}

#[test]
fn functions_of_all_entries_are_those_of_each() {
    let all = || {
        each::<f32>();
        each::<f64>();
    };
    all();
    asked::without_widest(all);
}
