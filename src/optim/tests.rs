//! Three steps by the published formulas, written again in scalars, and convergence.
use super::*;
use std::vec::Vec;

/// Gradients of three steps for two parameters.
const GRADS: [[f64; 2]; 3] = [[0.5, -1.0], [0.25, 2.0], [-0.125, 0.5]];
const START: [f64; 2] = [1.0, -2.0];

fn run(mut step: impl FnMut(&mut [f64], &[f64])) -> Vec<[f64; 2]> {
    let mut p = START;
    GRADS
        .iter()
        .map(|g| {
            step(&mut p, g);
            p
        })
        .collect()
}

#[track_caller]
fn close(found: &[[f64; 2]], wanted: &[[f64; 2]]) {
    for (f, w) in found.as_flattened().iter().zip(wanted.as_flattened()) {
        assert!((f - w).abs() <= 1e-12 * w.abs(), "{found:?} instead of {wanted:?}");
    }
}

#[test]
fn sgd_by_hand() {
    let mut o = Sgd::new(0.1);
    close(&run(|p, g| o.step(p, g)), &[[0.95, -1.9], [0.925, -2.1], [0.9375, -2.15]]);
}

#[test]
fn momentum_by_hand() {
    // v: 0.5, 0.25 + 0.45 = 0.7, -0.125 + 0.63 = 0.505; and -1, 2 - 0.9 = 1.1, 0.5 + 0.99 = 1.49.
    let wanted = [[0.95, -1.9], [0.88, -2.01], [0.8295, -2.159]];
    let mut o = Momentum::new(0.1, 0.9);
    close(&run(|p, g| o.step(p, g)), &wanted);
    let mut o = Momentum::with_state(0.1, 0.9, [0.0; 2]);
    close(&run(|p, g| o.step(p, g)), &wanted);
}

#[test]
fn nesterov_by_hand() {
    // g + 0.9 v: 0.95, 0.88, 0.3295; -1.9, 2.99, 1.841.
    let mut o = Nesterov::new(0.1, 0.9);
    close(&run(|p, g| o.step(p, g)), &[[0.905, -1.81], [0.817, -2.109], [0.78405, -2.2931]]);
}

/// Algorithm 1 of Kingma and Ba with explicit sums: m̂ₜ is the weighted mean of all gradients so far.
fn adam_sums(rate: f64, decay: f64) -> Vec<[f64; 2]> {
    let mut p = START;
    (1..=3)
        .map(|t| {
            for i in 0..2 {
                let mean = |beta: f64, power: i32| {
                    let terms = (0..t).map(|s| {
                        ((1.0 - beta) * beta.powi((t - 1 - s) as i32), GRADS[s][i].powi(power))
                    });
                    terms.map(|(w, g)| w * g).sum::<f64>() / (1.0 - beta.powi(t as i32))
                };
                p[i] -= rate * decay * p[i];
                p[i] -= rate * mean(0.9, 1) / (mean(0.999, 2).sqrt() + 1e-8);
            }
            p
        })
        .collect()
}

#[test]
fn adam_by_sums() {
    let mut o = Adam::new(0.1);
    close(&run(|p, g| o.step(p, g)), &adam_sums(0.1, 0.0));
    let mut o = Adam::with_state(0.1, [0.0; 2], [0.0; 2]);
    close(&run(|p, g| o.step(p, g)), &adam_sums(0.1, 0.0));
}

#[test]
fn adamw_by_sums() {
    let mut o = AdamW::new(0.1, 0.05);
    close(&run(|p, g| o.step(p, g)), &adam_sums(0.1, 0.05));
}

#[test]
fn rmsprop_by_hand() {
    // v: 0.01·0.25, then 0.99 v + 0.01 g².
    let mut wanted = [START; 3];
    for i in 0..2 {
        let (mut p, mut v) = (START[i], 0.0);
        for t in 0..3 {
            v = 0.99 * v + 0.01 * GRADS[t][i].powi(2);
            p -= 0.1 * GRADS[t][i] / (v.sqrt() + 1e-8);
            wanted[t][i] = p;
        }
    }
    assert!((wanted[0][0] - 0.0).abs() < 1e-6, "the first step is rate / sqrt(1 - alpha) = 1");
    let mut o = RmsProp::new(0.1);
    let found = run(|p, g| o.step(p, g));
    assert!(
        found.as_flattened().iter().zip(wanted.as_flattened()).all(|(f, w)| (f - w).abs() < 1e-12)
    );
}

#[test]
fn rprop_by_hand() {
    // First: grows to 0.12 in step 2, then the sign changes: shrinks to 0.06 and rests.
    // Second: the sign changes in step 2 (0.05, rests), then moves by 0.05.
    let mut o = Rprop::new(0.1);
    close(&run(|p, g| o.step(p, g)), &[[0.9, -1.9], [0.78, -1.9], [0.78, -1.95]]);
}

/// Every optimiser comes down a quadratic and Rosenbrock's valley.
#[test]
fn converge() {
    fn quadratic(p: &[f64]) -> (f64, [f64; 2]) {
        (
            (p[0] - 3.0).powi(2) + 5.0 * (p[1] + 1.0).powi(2),
            [2.0 * (p[0] - 3.0), 10.0 * (p[1] + 1.0)],
        )
    }
    fn rosenbrock(p: &[f64]) -> (f64, [f64; 2]) {
        let (u, v) = (1.0 - p[0], p[1] - p[0] * p[0]);
        (u * u + 100.0 * v * v, [-2.0 * u - 400.0 * p[0] * v, 200.0 * v])
    }
    fn go(
        f: impl Fn(&[f64]) -> (f64, [f64; 2]),
        start: [f64; 2],
        n: usize,
        mut step: impl FnMut(&mut [f64], &[f64]),
    ) -> f64 {
        let mut p = start;
        for _ in 0..n {
            let (_, g) = f(&p);
            step(&mut p, &g);
        }
        f(&p).0
    }
    macro_rules! check {
        ($make:expr, $f:ident, $n:expr, $bound:expr) => {{
            let mut o = $make;
            let value = go($f, [-1.2, 1.0], $n, |p, g| o.step(p, g));
            assert!(value < $bound, "{} on {}: {value}", stringify!($make), stringify!($f));
        }};
    }
    check!(Sgd::new(0.1), quadratic, 200, 1e-12);
    check!(Momentum::new(0.02, 0.9), quadratic, 500, 1e-12);
    check!(Nesterov::new(0.02, 0.9), quadratic, 500, 1e-12);
    check!(Adam::new(0.05), quadratic, 2000, 1e-8);
    check!(AdamW::new(0.05, 0.0), quadratic, 2000, 1e-8);
    check!(RmsProp::new(0.001), quadratic, 10_000, 1e-4);
    check!(Rprop::new(0.1), quadratic, 300, 1e-8);
    check!(Momentum::new(0.001, 0.9), rosenbrock, 10_000, 1e-8);
    check!(Nesterov::new(0.001, 0.9), rosenbrock, 10_000, 1e-8);
    check!(Adam::new(0.01), rosenbrock, 20_000, 1e-5);
    check!(Rprop::new(0.01), rosenbrock, 20_000, 1e-6);
    check!(Sgd::new(0.001), rosenbrock, 50_000, 1e-8);
}

#[test]
#[should_panic(expected = "3 gradients for 2 parameters")]
fn lengths_must_match() {
    Sgd::new(0.1).step(&mut [0.0; 2], &[0.0; 3]);
}

#[test]
#[should_panic(expected = "state is for 2 parameters, but was given 3")]
fn state_must_match() {
    let mut o = Adam::new(0.1);
    o.step(&mut [0.0; 2], &[0.0; 2]);
    o.step(&mut [0.0; 3], &[0.0; 3]);
}
