//! Long work is shared by threads: whatever their number, the results are the same bits, and they are right.
#![cfg(feature = "rayon")]

use chainrule::{Shaped, derive_grad};

derive_grad! {
    mod regression {
        dim B;
        input x: [B, 20];
        target y: [B];
        param w: [20], b;
        output p = sigmoid(x @ w + b);
        loss E = binary_cross_entropy(p, y);
    }
}

derive_grad! {
    mod elementwise {
        input x: [200000];
        param a, b: [200000];
        loss E = sum(tanh(a * x + b) * sigmoid(x));
    }
}

derive_grad! {
    mod products {
        input X: [150, 170];
        target Y: [150, 190];
        param W: [170, 190];
        loss E = sum((X @ W - Y)^2);
    }
}

/// Numbers between -1 and 1 that look random.
fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let next = move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(next).collect()
}

/// What `work` gives, which is the same for one thread and for several.
fn with_threads(work: impl Fn() -> Vec<f64> + Sync) -> Vec<f64> {
    let results = [1, 2, 3, 7].map(|count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().expect("a pool");
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let results = pool.install(|| {
            seen.store(rayon::current_num_threads(), std::sync::atomic::Ordering::Relaxed);
            work()
        });
        assert_eq!(seen.into_inner(), count);
        results
    });
    let bits = |results: &[f64]| results.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    for other in &results[1..] {
        assert_eq!(bits(&results[0]), bits(other));
    }
    results[0].clone()
}

fn assert_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    let size = want.iter().fold(1e-3, |size: f64, x| size.max(x.abs()));
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1e-12 * size, "{got} for {want}");
    }
}

#[test]
fn threads_share_sums_over_a_long_batch() {
    // The last block, and the last part, are not whole.
    for count in [3, 9999, 30011] {
        let (x, w) = (numbers(1, count * 20), numbers(2, 20));
        let y: Vec<f64> = numbers(3, count).iter().map(|y| f64::from(*y > 0.0)).collect();
        let got = with_threads(|| {
            let x = Shaped::new(&x, &[count, 20]).expect("as many numbers");
            let inputs = regression::Inputs::new(&x, &y).expect("they fit");
            let mut params = regression::Params::zeros();
            params.as_mut_slice()[..20].copy_from_slice(&w);
            let (loss, grads) = regression::value_and_grad(&params, &inputs);
            let mut ws = regression::Workspace::new(&inputs);
            let forward = regression::forward(&params, &inputs, &mut ws);
            let mut again = regression::Params::zeros();
            let p = forward.p.to_vec();
            regression::backward(&params, &inputs, &mut ws, &mut again);
            assert_close(again.as_slice(), grads.as_slice());
            [vec![loss], grads.as_slice().to_vec(), p].concat()
        });
        let mut want = vec![0.0; 22];
        for (row, y) in x.chunks(20).zip(&y) {
            let z: f64 = row.iter().zip(&w).map(|(x, w)| x * w).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            want[0] -= (y * p.ln() + (1.0 - y) * (1.0 - p).ln()) / count as f64;
            (0..20).for_each(|at| want[1 + at] += (p - y) * row[at] / count as f64);
            want[21] += (p - y) / count as f64;
            want.push(p);
        }
        assert_close(&got, &want);
    }
}

#[test]
fn threads_share_loops_over_a_long_axis() {
    let [x, b] = [4, 6].map(|seed| numbers(seed, 200_000));
    let got = with_threads(|| {
        let inputs = elementwise::Inputs::new(&x).expect("they fit");
        let mut params = elementwise::Params::zeros();
        params.as_mut_slice()[0] = 0.5;
        params.as_mut_slice()[1..].copy_from_slice(&b);
        let (loss, grads) = elementwise::value_and_grad(&params, &inputs);
        [vec![loss], grads.as_slice().to_vec()].concat()
    });
    let mut want = vec![0.0; 2];
    for (x, b) in x.iter().zip(&b) {
        let (t, s) = ((0.5 * x + b).tanh(), 1.0 / (1.0 + (-x).exp()));
        want[0] += t * s;
        want[1] += s * (1.0 - t * t) * x;
        want.push(s * (1.0 - t * t));
    }
    assert_close(&got, &want);
}

#[test]
fn threads_share_rows_of_large_products() {
    let [x, y, w] = [(7, 150 * 170), (8, 150 * 190), (9, 170 * 190)].map(|(s, n)| numbers(s, n));
    let got = with_threads(|| {
        let x = Shaped::new(&x, &[150, 170]).expect("as many numbers");
        let y = Shaped::new(&y, &[150, 190]).expect("as many numbers");
        let inputs = products::Inputs::new(&x, &y).expect("they fit");
        let mut params = products::Params::zeros();
        params.as_mut_slice().copy_from_slice(&w);
        let (loss, grads) = products::value_and_grad(&params, &inputs);
        [vec![loss], grads.as_slice().to_vec()].concat()
    });
    let mut want = vec![0.0; 1 + 170 * 190];
    for i in 0..150 {
        for j in 0..190 {
            let z: f64 = (0..170).map(|k| x[i * 170 + k] * w[k * 190 + j]).sum();
            let d = z - y[i * 190 + j];
            want[0] += d * d;
            (0..170).for_each(|k| want[1 + k * 190 + j] += 2.0 * x[i * 170 + k] * d);
        }
    }
    assert_close(&got, &want);
}

#[test]
fn the_planner_counts_as_many_parts_for_threads() {
    assert_eq!(chainrule::rt::PARTS as i128, chainrule_core::plan::stream::PARTS);
}
