//! Products, shapes, tensors, initialisation.
use crate::rng::SmallRng;
use crate::rt::*;
use std::{format, string::ToString, vec, vec::Vec};

#[test]
fn matmul_is_the_sum_of_products() {
    let mut rng = SmallRng::seed(7);
    for m in [1, 2, 4, 5, 7, 25] {
        for k in [0, 1, 3, 8, 20, 40] {
            for n in [1, 2, 3, 4, 5, 10, 13, 16, 20, 21, 37] {
                for (ta, tb, accumulate) in (0..8).map(|i| (i & 1 == 1, i & 2 == 2, i & 4 == 4)) {
                    // Small integers, so that every order of summation is exact.
                    let mut draw = |len| {
                        (0..len).map(|_| (rng.next_u64() % 9) as f64 - 4.0).collect::<Vec<f64>>()
                    };
                    let (a, b, c) = (draw(m * k), draw(k * n), draw(m * n));
                    let (ar, ac) = if ta { (1, m) } else { (k, 1) };
                    let (br, bc) = if tb { (1, k) } else { (n, 1) };
                    let mut found = c.clone();
                    matmul(m, k, n, &a, ar, ac, &b, br, bc, &mut found, accumulate);
                    for i in 0..m {
                        for j in 0..n {
                            let start = if accumulate { c[i * n + j] } else { 0.0 };
                            let wanted = (0..k)
                                .fold(start, |s, p| s + a[i * ar + p * ac] * b[p * br + j * bc]);
                            assert_eq!(
                                found[i * n + j],
                                wanted,
                                "{m}x{k}x{n} {ta} {tb} {accumulate} at {i}, {j}"
                            );
                        }
                    }
                }
            }
        }
    }
}

fn shape<F: Real>(x: &(impl Tensor<F> + ?Sized)) -> (Vec<F>, std::string::String) {
    (x.flat().unwrap().to_vec(), format!("{:?}", x.axes()))
}

#[test]
fn tensors() {
    assert_eq!(shape(&2.0_f32), (vec![2.0], "[]".to_string()));
    assert_eq!(shape(&[1.0, 2.0]), (vec![1.0, 2.0], "2 numbers".to_string()));
    assert_eq!(shape([1.0, 2.0].as_slice()).1, "2 numbers");
    assert_eq!(shape(&vec![1.0, 2.0]).1, "2 numbers");
    assert_eq!(shape(&Buf::<f32>::zeros(3)).1, "3 numbers");
    assert_eq!(shape(&[[1.0, 2.0], [3.0, 4.0]]), (vec![1.0, 2.0, 3.0, 4.0], "[2, 2]".to_string()));
    assert_eq!(shape(&vec![[1.0, 2.0]; 3]).1, "[3, 2]");
    assert_eq!(shape([[1.0, 2.0]; 3].as_slice()).1, "[3, 2]");
    assert_eq!(shape(&[[[1.0; 4]; 3]; 2]).1, "[2, 3, 4]");
    assert_eq!(shape(&[[[[1.0; 5]; 4]; 3]; 2]).1, "[2, 3, 4, 5]");
    assert_eq!(shape(&&&[[1.0_f32; 3]; 2]).1, "[2, 3]");
    assert_eq!(Axes::known(&[2; 7]), Axes::flat(128));
    assert_eq!(Axes::known(&[3]).nest(2), Axes::known(&[2, 3]));
}

const B_4: &[Axis] = &[Axis::Free(0, "B"), Axis::Fixed(4)];
const B_M: &[Axis] = &[Axis::Free(0, "B"), Axis::Free(1, "M")];
const M: &[Axis] = &[Axis::Free(1, "M")];
const SCALAR: &[Axis] = &[];
const DOUBLE: &[Axis] = &[Axis::Formula(|d| Some(2 * d[0]? + 1), "2*B + 1")];

fn given(name: &'static str, pattern: &'static [Axis], axes: Axes) -> Declared {
    Declared { name, pattern, axes }
}

#[test]
fn sizes_are_found() {
    let (flat, known) = (Axes::flat, Axes::known);
    assert_eq!(infer_all([None], &[given("x", B_4, flat(20))]), Ok([5]));
    assert_eq!(infer_all([None], &[given("x", B_4, known(&[5, 4]))]), Ok([5]));
    assert_eq!(
        infer_all([None; 2], &[given("x", B_4, flat(20)), given("t", B_M, flat(15))]),
        Ok([5, 3])
    );
    // The order does not matter; what is nested is read first.
    assert_eq!(
        infer_all([None; 2], &[given("t", B_M, flat(15)), given("x", B_4, flat(20))]),
        Ok([5, 3])
    );
    assert_eq!(
        infer_all([None; 2], &[given("t", B_M, flat(15)), given("m", M, flat(3))]),
        Ok([5, 3])
    );
    assert_eq!(infer_all([Some(5), None], &[given("t", B_M, flat(15))]), Ok([5, 3]));
    assert_eq!(
        infer_all([None], &[given("d", DOUBLE, flat(11)), given("x", B_4, flat(20))]),
        Ok([5])
    );
    assert_eq!(
        infer_all([None], &[given("d", DOUBLE, known(&[11])), given("x", B_4, flat(20))]),
        Ok([5])
    );
    assert_eq!(
        infer_all([], &[given("s", SCALAR, known(&[])), given("s", SCALAR, flat(1))]),
        Ok([])
    );
    assert_eq!(infer_all([], &[given("s", SCALAR, known(&[1, 1]))]), Ok([]));
    assert_eq!(infer_all([None; 2], &[given("m", M, flat(3))]), Ok([0, 3]), "no input mentions B");
}

#[test]
fn wrong_sizes_are_explained() {
    let (flat, known) = (Axes::flat, Axes::known);
    #[track_caller]
    fn says<const D: usize>(known: [Option<usize>; D], inputs: &[Declared], text: &str) {
        assert_eq!(infer_all(known, inputs).unwrap_err().to_string(), text);
    }
    let x = given("x", B_4, known(&[5, 4]));
    says(
        [None],
        &[given("x", B_4, flat(7))],
        "input `x`: found 7 numbers, wanted [B, 4] (a multiple of 4)",
    );
    says([None], &[given("x", B_4, known(&[5, 3]))], "input `x` is [5, 3], wanted [B, 4]");
    says([None], &[given("x", B_4, known(&[8]))], "input `x` is [8], wanted [B, 4]");
    says(
        [None; 2],
        &[x, given("t", B_M, known(&[2, 3]))],
        "input `t` is [2, 3], wanted [B, M] with B = 5 from `x`",
    );
    says(
        [None; 2],
        &[x, given("t", B_M, flat(7))],
        "input `t`: found 7 numbers, wanted [B, M] (a multiple of 5)",
    );
    says([Some(3)], &[x], "input `x` is [5, 4], wanted [B, 4] with B = 3");
    says(
        [None],
        &[x, given("d", DOUBLE, flat(10))],
        "input `d`: found 10 numbers, wanted [2*B + 1]",
    );
    says([], &[given("s", SCALAR, flat(2))], "input `s`: found 2 numbers, wanted a scalar");
    says(
        [None; 2],
        &[given("t", B_M, flat(6))],
        "input `t`: found 6 numbers, wanted [B, M]; nothing tells the size of B: pass a nested array, or `chainrule::Shaped`, whose axes are known",
    );
    says(
        [None],
        &[given("x", B_4, known(&[0, 4]))],
        "input `x` is [0, 4], wanted [B, 4]; no axis may have size 0",
    );
    says(
        [None],
        &[given("x", B_4, flat(0))],
        "input `x`: found 0 numbers, wanted [B, 4]; no axis may have size 0",
    );
}

#[test]
fn scattered_numbers_are_refused() {
    struct Scattered;
    impl Tensor<f32> for Scattered {
        fn flat(&self) -> Option<&[f32]> {
            None
        }
        fn axes(&self) -> Axes {
            Axes::known(&[5, 4])
        }
    }
    let error = flat::<f32, _>("x", B_4, &Scattered).unwrap_err();
    assert!(
        error.to_string().starts_with(
            "input `x` is [5, 4], wanted [B, 4]; its numbers are not one run of memory"
        )
    );
    assert_eq!(error.input(), "x");
}

#[test]
fn initial_numbers_have_their_statistics() {
    let mut rng = SmallRng::seed(3);
    let draws: Vec<f64> = (0..100_000).map(|_| init::normal(&mut rng)).collect();
    let moment = |power: i32| draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
    assert!(
        moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03,
        "{} {}",
        moment(1),
        moment(2)
    );
    assert!(
        moment(3).abs() < 0.06 && (moment(4) - 3.0).abs() < 0.15,
        "{} {}",
        moment(3),
        moment(4)
    );
    assert!((0..1000).map(|_| init::uniform(&mut rng)).all(|u| (0.0..1.0).contains(&u)));
    let mut w = vec![1.0_f64; 200 * 300];
    init::fill_scaled(&mut w, &[200, 300], &mut rng);
    let variance = w.iter().map(|w| w * w).sum::<f64>() / w.len() as f64;
    assert!((variance / (2.0 / 500.0) - 1.0).abs() < 0.05);
    init::fill_scaled(&mut w, &[60_000], &mut rng);
    assert!(w.iter().all(|w| *w == 0.0));
}

/// Sizes around the edges of blocks and tiles, all layouts, with and without accumulation.
#[test]
fn large_products_are_right() {
    fn numbers(count: usize, seed: usize) -> std::vec::Vec<f64> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f64 / 1001.5 - 1.0).collect()
    }
    let sizes =
        [(64, 64, 64), (97, 300, 33), (24, 257, 520), (193, 24, 81), (5, 64, 900), (50, 513, 25)];
    for (case, (m, k, n)) in sizes.into_iter().enumerate() {
        let (a, b, start) =
            (numbers(m * k, case), numbers(k * n, case + 9), numbers(m * n, case + 5));
        for layout in 0..8 {
            let (ar, ac) = if layout & 1 == 0 { (k, 1) } else { (1, m) };
            let (br, bc) = if layout & 2 == 0 { (n, 1) } else { (1, k) };
            let accumulate = layout & 4 != 0;
            let wanted: std::vec::Vec<f64> = (0..m * n)
                .map(|at| {
                    let (i, j) = (at / n, at % n);
                    let sum: f64 = (0..k).map(|p| a[i * ar + p * ac] * b[p * br + j * bc]).sum();
                    sum + if accumulate { start[at] } else { 0.0 }
                })
                .collect();
            let mut c = start.clone();
            let mut room = std::vec![f64::NAN; crate::rt::room(m, k, n)];
            crate::rt::matmul_large(m, k, n, &a, ar, ac, &b, br, bc, &mut c, accumulate, &mut room);
            let narrow = |v: &[f64]| v.iter().map(|x| *x as f32).collect::<std::vec::Vec<f32>>();
            let (a32, b32, mut c32) = (narrow(&a), narrow(&b), narrow(&start));
            let mut room = std::vec![f32::NAN; crate::rt::room(m, k, n)];
            crate::rt::matmul_large(
                m, k, n, &a32, ar, ac, &b32, br, bc, &mut c32, accumulate, &mut room,
            );
            for at in 0..m * n {
                assert!((c[at] - wanted[at]).abs() < 1e-11, "{m} {k} {n} {layout} {at}");
                assert!(
                    (f64::from(c32[at]) - wanted[at]).abs() < 2e-3,
                    "{m} {k} {n} {layout} {at}"
                );
            }
        }
    }
}

#[test]
fn powers_are_those_of_the_standard_library() {
    for x in [0.0_f64, -0.0, 1.0, -0.97, 1e-30, 3.5, f64::INFINITY, f64::NAN] {
        for len in [0, 1, 5, 8, 21, 64] {
            let mut found = vec![7.0; 2 * len];
            lanes::powers(2, len, 1, &[0.5, x], &mut found);
            for (n, found) in found[len..].iter().enumerate() {
                let wanted = x.powi(n as i32);
                let near = (found - wanted).abs() <= 1e-14 * wanted.abs();
                assert!(near || found.to_bits() == wanted.to_bits(), "{x}^{n}: {found} {wanted}");
            }
        }
    }
}

#[test]
fn entries_that_are_not_zero_are_found_in_order() {
    let mut x = vec![0.0_f64; 37];
    (x[3], x[4], x[20], x[36]) = (1.0, f64::NAN, -2.0, 1.0);
    let all = |every: bool| {
        let (mut found, mut next) = (Vec::new(), 0);
        while let Some(at) = lanes::next_nonzero(&x, next, every) {
            found.push(at);
            next = at + 1;
        }
        found
    };
    assert_eq!(all(false), [3, 4, 20, 36]);
    assert_eq!(all(true), (0..37).collect::<Vec<_>>());
    assert_eq!(lanes::next_nonzero::<f64>(&[], 0, true), None);
}

/// Rows go other ways than columns do, by how many and how long they are.
#[test]
fn softmax_of_rows_is_that_of_columns() {
    let agree = |a: f64, b: f64| a == b || (a - b).abs() < 1e-13 || (a.is_nan() && b.is_nan());
    for (rows, len) in [(1, 3), (4, 10), (5, 10), (25, 10), (40, 7), (70, 3), (3, 40), (33, 19)] {
        let mut x: Vec<f64> =
            (0..rows * len).map(|i| ((i * 7919) % 2003) as f64 / 100.0 - 10.0).collect();
        x[0] = f64::NEG_INFINITY;
        x[(rows - 1) * len..].fill(f64::NEG_INFINITY);
        x[rows / 2 * len + len - 1] = if rows == 33 { f64::INFINITY } else { 700.0 };
        let turned: Vec<f64> = (0..rows * len).map(|i| x[i % rows * len + i / rows]).collect();
        for function in [lanes::softmax::<f64>, lanes::log_softmax] {
            let (mut across, mut down) = (vec![0.5; rows * len], vec![0.5; rows * len]);
            function(rows, len, 1, &x, &mut across);
            function(1, len, rows, &turned, &mut down);
            for (at, found) in across.iter().enumerate() {
                let wanted = down[at % len * rows + at / len];
                assert!(agree(*found, wanted), "{rows} {len} at {at}: {found} is not {wanted}");
            }
        }
    }
}
