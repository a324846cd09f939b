//! The compiled gradients beside closed forms written by hand, in one run: `cargo bench`. Values and gradients are compared
//! before anything is timed. Ratios are printed last; the table of a run stands in benches/README.md.
#![allow(missing_docs)]

mod handwritten;
mod mlp;

use chainrule::derive_grad;
use chainrule::rng::{Rng, SmallRng};
use chainrule::rt::Real;
use std::hint::black_box;
use std::time::Instant;

derive_grad! {
    /// One logistic unit of ten inputs.
    mod perceptron {
        input x: [10];
        target t;
        param w: [10];
        o = sigmoid(dot(w, x));
        loss E = 1/2 * (o - t)^2;
    }
}

derive_grad! {
    /// Softmax with squared error.
    mod softmax_mse {
        input x: [2, 4];
        target y: [2, 3];
        param w: [4, 3], b: [3];
        prob = softmax(x @ w + b, axis=1);
        loss L = mean((prob - y)^2);
    }
}

derive_grad! {
    /// The digits network for batches of 25.
    mod digits {
        input x: [25, 64];
        target T: [25, 10] one_hot;
        param W1: [64, 20], b1: [20], W2: [20, 20], b2: [20], W3: [20, 10], b3: [10];
        h1 = sigmoid(x @ W1 + b1);
        h2 = sigmoid(h1 @ W2 + b2);
        y = softmax(h2 @ W3 + b3);
        loss xi = cross_entropy(y, T);
    }
}

/// Pseudo-random numbers of a normal size.
fn noise<F: Real, const N: usize>(rng: &mut SmallRng) -> [F; N] {
    core::array::from_fn(|_| F::from_f64((rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64 - 0.5))
}

fn close<F: Real>(what: &str, ours: &[F], theirs: &[F]) {
    for (a, b) in ours.iter().zip(theirs) {
        let (a, b) = (a.to_f64(), b.to_f64());
        let tolerance = F::EPSILON.to_f64() * 1e3 * (1.0 + b.abs());
        assert!((a - b).abs() <= tolerance, "{what}: {a} for {b}");
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
}

/// Nanoseconds a call, the median of eleven rounds; both sides take turns.
fn race(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    fn time(run: &mut impl FnMut(), calls: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            run();
        }
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    }
    let once = time(&mut theirs, 1000);
    let calls = ((2e7 / once.max(1.0)) as u32).max(100);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..11 {
        a.push(time(&mut ours, calls));
        b.push(time(&mut theirs, calls));
    }
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    (a[5], b[5])
}

fn report(what: &str, dtype: &str, (ours, theirs): (f64, f64)) {
    println!("| {what} | {dtype} | {ours:.1} | {theirs:.1} | {:.2} |", ours / theirs);
}

fn run<F: Real>(dtype: &str) {
    let mut rng = SmallRng::seed(1);
    let (x, w): ([F; 10], [F; 10]) = (noise(&mut rng), noise(&mut rng));
    let t = F::from_f64(0.3);
    let inputs = perceptron::Inputs::new(&x, &t).expect("shapes fit");
    let mut params = perceptron::Params::<F>::zeros();
    params.as_mut_slice().copy_from_slice(&w);
    let mut grads = perceptron::Params::<F>::zeros();
    let mut ws = perceptron::Workspace::new(&inputs);
    let mut hand = [F::ZERO; 10];
    let ours = perceptron::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
    let theirs = handwritten::perceptron(&x, &w, t, &mut hand);
    close("perceptron", &[ours], &[theirs]);
    close("perceptron", grads.as_slice(), &hand);
    let times = race(
        || {
            black_box(perceptron::value_and_grad_into(
                black_box(&params),
                black_box(&inputs),
                &mut ws,
                &mut grads,
            ));
        },
        || {
            black_box(handwritten::perceptron(
                black_box(&x),
                black_box(&w),
                black_box(t),
                &mut hand,
            ));
        },
    );
    report("single_perceptron (10 inputs)", dtype, times);
    softmax::<F>(dtype, &mut rng);
    network::<F>(dtype, &mut rng);
    mlp::run::<F>(dtype, &mut rng);
}

fn softmax<F: Real>(dtype: &str, rng: &mut SmallRng) {
    let x: [[F; 4]; 2] = [noise(rng), noise(rng)];
    let mut y = [[F::ZERO; 3]; 2];
    (y[0][2], y[1][0]) = (F::ONE, F::ONE);
    let w: [[F; 3]; 4] = core::array::from_fn(|_| noise(rng));
    let b: [F; 3] = noise(rng);
    let inputs = softmax_mse::Inputs::new(&x, &y).expect("shapes fit");
    let mut params = softmax_mse::Params::<F>::zeros();
    params.as_mut_slice()[..12].copy_from_slice(w.as_flattened());
    params.as_mut_slice()[12..].copy_from_slice(&b);
    let mut grads = softmax_mse::Params::<F>::zeros();
    let mut ws = softmax_mse::Workspace::new(&inputs);
    let (mut gw, mut gb) = ([[F::ZERO; 3]; 4], [F::ZERO; 3]);
    let ours = softmax_mse::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
    let theirs = handwritten::softmax_mse(&x, &y, &w, &b, &mut gw, &mut gb);
    close("softmax_mse", &[ours], &[theirs]);
    close("softmax_mse", grads.as_slice(), &[gw.as_flattened(), &gb].concat());
    let times = race(
        || {
            black_box(softmax_mse::value_and_grad_into(
                black_box(&params),
                black_box(&inputs),
                &mut ws,
                &mut grads,
            ));
        },
        || {
            black_box(handwritten::softmax_mse(
                black_box(&x),
                black_box(&y),
                black_box(&w),
                black_box(&b),
                &mut gw,
                &mut gb,
            ));
        },
    );
    report("softmax_mse", dtype, times);
}

fn network<F: Real>(dtype: &str, rng: &mut SmallRng) {
    let x: [F; 1600] = noise(rng);
    let mut t = [F::ZERO; 250];
    for n in 0..25 {
        t[n * 10 + n % 10] = F::ONE;
    }
    let mut params = digits::Params::<F>::zeros();
    params.as_mut_slice().copy_from_slice(&noise::<F, 1930>(rng));
    let flat = params.as_slice();
    let mut hand = handwritten::Mlp::<F>::zeros();
    hand.w1.copy_from_slice(&flat[..1280]);
    hand.b1.copy_from_slice(&flat[1280..1300]);
    hand.w2.copy_from_slice(&flat[1300..1700]);
    hand.b2.copy_from_slice(&flat[1700..1720]);
    hand.w3.copy_from_slice(&flat[1720..1920]);
    hand.b3.copy_from_slice(&flat[1920..]);
    let inputs = digits::Inputs::new(&x, &t).expect("shapes fit");
    let mut grads = digits::Params::<F>::zeros();
    let mut ws = digits::Workspace::new(&inputs);
    let mut g = handwritten::Mlp::<F>::zeros();
    let mut scratch = handwritten::Scratch::new();
    let ours = digits::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
    let theirs = handwritten::digits(&x, &t, &hand, &mut g, &mut scratch);
    close("digits_mlp", &[ours], &[theirs]);
    close("digits_mlp", grads.as_slice(), &[&g.w1[..], &g.b1, &g.w2, &g.b2, &g.w3, &g.b3].concat());
    let times = race(
        || {
            black_box(digits::value_and_grad_into(
                black_box(&params),
                black_box(&inputs),
                &mut ws,
                &mut grads,
            ));
        },
        || {
            black_box(handwritten::digits(
                black_box(&x),
                black_box(&t),
                black_box(&hand),
                &mut g,
                &mut scratch,
            ));
        },
    );
    report("digits_mlp (batch 25)", dtype, times);
}

fn main() {
    println!("| system | type | compiled, ns | by hand, ns | ratio |\n|---|---|---|---|---|");
    run::<f32>("f32");
    run::<f64>("f64");
}
