//! The numbers that the systems of the gallery must give.

mod support;

use chainrule_core::Compiled;
use chainrule_core::eval::{Array, Point};
use chainrule_core::ops::probe::Random;
use support::{assert_close, compiled, derivative, get, program, random_point, set, value};

fn gallery(name: &str) -> Compiled {
    compiled(name, &program(name))
}

fn gradient(compiled: &Compiled, point: &Point, of: &str, wrt: &str) -> Array {
    value(compiled, point, derivative(compiled, of, wrt, 1))
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = z.iter().map(|z| (z - most).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|power| power / total).collect()
}

/// `x @ w`, row-major, with `b` added to every row.
fn affine(x: &Array, w: &Array, b: &[f64]) -> Vec<Vec<f64>> {
    let (inner, outer) = (w.shape[0], w.shape[1]);
    let entry = |row: &[f64], k: usize| (0..inner).map(|j| row[j] * w.at(&[j, k])).sum::<f64>();
    let with = |row: &[f64]| (0..outer).map(|k| entry(row, k) + b[k]).collect();
    x.data.chunks(inner).map(with).collect()
}

#[test]
fn single_perceptron() {
    let compiled = gallery("single_perceptron");
    let point = random_point(&compiled, 1);
    let (x, w) = (get(&compiled, &point, "x0"), get(&compiled, &point, "w"));
    let t = get(&compiled, &point, "t").data[0];
    let o = sigmoid(x.data.iter().zip(&w.data).map(|(x, w)| x * w).sum());
    let want = x.data.iter().map(|x| (o - t) * o * (1.0 - o) * x).collect();
    let want = Array { shape: w.shape.clone(), data: want };
    assert_close(&gradient(&compiled, &point, "E", "w"), &want, 1e-14, "(O − t) O (1 − O) x_j");
}

#[test]
fn single_perceptron_with_weights_of_one() {
    let compiled = gallery("single_perceptron_10");
    let mut point = random_point(&compiled, 2);
    set(&compiled, &mut point, "w", vec![1.0; 10]);
    let x = get(&compiled, &point, "x");
    let t = get(&compiled, &point, "t").data[0];
    let o = sigmoid(x.data.iter().sum());
    let want = x.data.iter().map(|x| (o - t) * o * (1.0 - o) * x).collect();
    let want = Array { shape: vec![10, 1], data: want };
    assert_close(&gradient(&compiled, &point, "E", "w"), &want, 1e-14, "ones");
}

#[test]
fn multi_perceptron() {
    let compiled = gallery("multi_perceptron");
    let point = random_point(&compiled, 3);
    let (x, w) = (get(&compiled, &point, "x"), get(&compiled, &point, "w"));
    let t = get(&compiled, &point, "t");
    let o: Vec<f64> = affine(x, w, &[0.0; 9]).remove(0).into_iter().map(sigmoid).collect();
    let partial =
        |ix: &[usize]| (o[ix[1]] - t.data[ix[1]]) * o[ix[1]] * (1.0 - o[ix[1]]) * x.data[ix[0]];
    let want = Array::from_fn(&w.shape, partial);
    assert_eq!(want.data.len(), x.data.len() * t.data.len(), "N × M partials");
    assert_close(
        &gradient(&compiled, &point, "E", "w"),
        &want,
        1e-14,
        "(O_k − t_k) O_k (1 − O_k) x_j",
    );
}

#[test]
fn softmax_mse() {
    let compiled = gallery("softmax_mse");
    let mut point = random_point(&compiled, 4);
    // The labels are 2 and 0.
    set(&compiled, &mut point, "t", vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    let (by_w, by_b) =
        (gradient(&compiled, &point, "E", "w"), gradient(&compiled, &point, "E", "b"));
    for row in by_w.data.chunks(3).chain([by_b.data.as_slice()]) {
        let total: f64 = row.iter().sum();
        assert!(total.abs() < 1e-16, "{row:?} sums to {total}");
        assert!(row.iter().any(|entry| entry.abs() > 1e-4), "{row:?} is not just zeros");
    }
    let (want_w, want_b) = softmax_mse_by_hand(&compiled, &point);
    assert_close(&by_w, &want_w, 1e-14, "∂E/∂w");
    assert_close(&by_b, &want_b, 1e-14, "∂E/∂b");
}

/// Σ_i ∂E/∂p_i · p_i (δ_ik − p_k), with the Jacobian of softmax written out.
fn softmax_mse_by_hand(compiled: &Compiled, point: &Point) -> (Array, Array) {
    let [x, w, b, t] = ["x", "w", "b", "t"].map(|name| get(compiled, point, name));
    let (mut by_w, mut by_b) = (Array::zeros(&[4, 3]), Array::zeros(&[3]));
    for (n, z) in affine(x, w, &b.data).iter().enumerate() {
        let p = softmax(z);
        for k in 0..3 {
            let mut dz = 0.0;
            for i in 0..3 {
                let jacobian = if i == k { p[k] * (1.0 - p[k]) } else { -p[i] * p[k] };
                dz += 2.0 / 6.0 * (p[i] - t.at(&[n, i])) * jacobian;
            }
            by_b.data[k] += dz;
            for j in 0..4 {
                by_w.data[j * 3 + k] += dz * x.at(&[n, j]);
            }
        }
    }
    (by_w, by_b)
}

#[test]
fn digits_error_term_is_y_minus_t_over_n() {
    // By the weights before the softmax, layer by layer: J_W = Hᵀδ, J_b = Σδ, δ' = δWᵀ ⊙ H(1 − H).
    let compiled = gallery("digits_mlp");
    let point = random_point(&compiled, 5);
    let array = |name: &str| get(&compiled, &point, name);
    let layer =
        |x: &Array, at: usize| affine(x, array(&format!("W{at}")), &array(&format!("b{at}")).data);
    let pack =
        |rows: Vec<Vec<f64>>| Array { shape: vec![rows.len(), rows[0].len()], data: rows.concat() };
    let h0 = array("X");
    let h1 = pack(layer(h0, 1)).map(sigmoid);
    let h2 = pack(layer(&h1, 2)).map(sigmoid);
    let y = pack(layer(&h2, 3).iter().map(|z| softmax(z)).collect());
    let n = h0.shape[0] as f64;
    let t = array("T");
    let mut delta = Array::from_fn(&y.shape, |ix| (y.at(ix) - t.at(ix)) / n);
    for (at, h) in [(3, &h2), (2, &h1), (1, h0)] {
        let w = array(&format!("W{at}"));
        let (rows, width) = (delta.shape[0], delta.shape[1]);
        let by_w = Array::from_fn(&w.shape, |ix| {
            (0..rows).map(|n| h.at(&[n, ix[0]]) * delta.at(&[n, ix[1]])).sum()
        });
        let by_b = Array::from_fn(&[width], |ix| (0..rows).map(|n| delta.at(&[n, ix[0]])).sum());
        assert_close(&gradient(&compiled, &point, "xi", &format!("W{at}")), &by_w, 1e-13, "Hᵀδ");
        assert_close(&gradient(&compiled, &point, "xi", &format!("b{at}")), &by_b, 1e-13, "Σδ");
        let back = |ix: &[usize]| -> f64 {
            let inner: f64 = (0..width).map(|k| delta.at(&[ix[0], k]) * w.at(&[ix[1], k])).sum();
            inner * h.at(ix) * (1.0 - h.at(ix))
        };
        delta = Array::from_fn(&h.shape, back);
    }
}

#[test]
fn two_layer_linear() {
    let compiled = gallery("two_layer_linear");
    let point = random_point(&compiled, 6);
    let [x, t, w1, w2] = ["x", "y_", "w1", "w2"].map(|name| get(&compiled, &point, name));
    let n = x.shape[0];
    let a = affine(x, w1, &[0.0; 3]);
    let error: Vec<f64> =
        (0..n).map(|n| (0..3).map(|k| a[n][k] * w2.data[k]).sum::<f64>() - t.data[n]).collect();
    let scale = 2.0 / n as f64;
    let by_w1 =
        |ix: &[usize]| (0..n).map(|n| scale * error[n] * w2.data[ix[1]] * x.at(&[n, ix[0]])).sum();
    let by_w2 = |ix: &[usize]| (0..n).map(|n| scale * error[n] * a[n][ix[0]]).sum();
    assert_close(
        &gradient(&compiled, &point, "E", "w1"),
        &Array::from_fn(&[2, 3], by_w1),
        1e-14,
        "w1",
    );
    assert_close(
        &gradient(&compiled, &point, "E", "w2"),
        &Array::from_fn(&[3, 1], by_w2),
        1e-14,
        "w2",
    );
}

#[test]
fn hyperplane_perceptron_learns_from_misclassified_points_only() {
    let compiled = gallery("hyperplane_perceptron");
    let mut random = Random(7);
    let mut point = random_point(&compiled, 7);
    let labels = (0..get(&compiled, &point, "y").data.len())
        .map(|_| 1.0 - 2.0 * random.below(2) as f64)
        .collect();
    set(&compiled, &mut point, "y", labels);
    let [x, y, w] = ["x", "y", "w"].map(|name| get(&compiled, &point, name));
    let b = get(&compiled, &point, "b").data[0];
    let n = w.data.len();
    let wrong = |i: &usize| {
        y.data[*i] * ((0..n).map(|j| w.data[j] * x.at(&[*i, j])).sum::<f64>() + b) < 0.0
    };
    let misclassified: Vec<usize> = (0..y.data.len()).filter(wrong).collect();
    let by_w = |ix: &[usize]| misclassified.iter().map(|&i| -y.data[i] * x.at(&[i, ix[0]])).sum();
    let by_b: f64 = misclassified.iter().map(|&i| -y.data[i]).sum();
    assert_close(
        &gradient(&compiled, &point, "L", "w"),
        &Array::from_fn(&[n], by_w),
        1e-14,
        "−Σ y_i x_i",
    );
    assert_close(&gradient(&compiled, &point, "L", "b"), &Array::scalar(by_b), 1e-14, "−Σ y_i");
}

#[test]
fn hyperplane_distance() {
    let compiled = gallery("hyperplane_distance");
    let point = random_point(&compiled, 8);
    let [x, w] = ["x", "w"].map(|name| get(&compiled, &point, name));
    let side = x.data.iter().zip(&w.data).map(|(x, w)| x * w).sum::<f64>()
        + get(&compiled, &point, "b").data[0];
    let length = w.data.iter().map(|w| w * w).sum::<f64>().sqrt();
    let by_w = |ix: &[usize]| {
        side.signum() * x.data[ix[0]] / length - side.abs() * w.data[ix[0]] / length.powi(3)
    };
    assert_close(
        &gradient(&compiled, &point, "D", "w"),
        &Array::from_fn(&w.shape, by_w),
        1e-14,
        "w",
    );
    let by_b = Array::scalar(side.signum() / length);
    assert_close(&gradient(&compiled, &point, "D", "b"), &by_b, 1e-14, "b");
}

#[test]
fn the_total_loss_is_the_weighted_sum() {
    let compiled = gallery("two_inputs_two_losses");
    let point = random_point(&compiled, 9);
    let loss = |at: usize| value(&compiled, &point, compiled.losses[at].node).data[0];
    assert!((loss(2) - loss(0) - 0.2 * loss(1)).abs() < 1e-15);
    let sum = |a: &Array, b: &Array| {
        let data = a.data.iter().zip(&b.data).map(|(a, b)| a + 0.2 * b).collect();
        Array { shape: a.shape.clone(), data }
    };
    for (name, reaches) in [
        ("V0", (true, true)),
        ("a", (false, true)),
        ("a0", (false, true)),
        ("W", (true, false)),
        ("v", (true, false)),
    ] {
        let total = gradient(&compiled, &point, "total", name);
        let part = |of: &str, reached: bool| {
            if reached { gradient(&compiled, &point, of, name) } else { Array::zeros(&total.shape) }
        };
        assert_close(&total, &sum(&part("main", reaches.0), &part("aux", reaches.1)), 1e-14, name);
    }
}

#[test]
fn linear_regression() {
    let compiled = gallery("linear_regression");
    let point = random_point(&compiled, 10);
    let [x, t, w] = ["x", "t", "w"].map(|name| get(&compiled, &point, name));
    let (rows, n) = (x.shape[0], x.shape[1]);
    let dot = |i: usize, w: &Array| (0..n).map(|j| x.at(&[i, j]) * w.data[j]).sum::<f64>();
    let by_w = |ix: &[usize]| (0..rows).map(|i| x.at(&[i, ix[0]]) * (dot(i, w) - t.data[i])).sum();
    assert_close(
        &gradient(&compiled, &point, "E", "w"),
        &Array::from_fn(&[n], by_w),
        1e-14,
        "x(y − t)",
    );
    let twice = |ix: &[usize]| (0..rows).map(|i| x.at(&[i, ix[0]]) * x.at(&[i, ix[1]])).sum();
    let hessian = value(&compiled, &point, derivative(&compiled, "E", "w", 2));
    assert_close(&hessian, &Array::from_fn(&[n, n], twice), 1e-14, "xᵀx");
}

#[test]
fn logistic_regression() {
    let compiled = gallery("logistic_regression");
    let point = random_point(&compiled, 11);
    let [x, t, w] = ["x", "t", "w"].map(|name| get(&compiled, &point, name));
    let (rows, n) = (x.shape[0], x.shape[1]);
    let y = |i: usize| sigmoid((0..n).map(|j| x.at(&[i, j]) * w.data[j]).sum());
    let by_w = |ix: &[usize]| (0..rows).map(|i| (y(i) - t.data[i]) * x.at(&[i, ix[0]])).sum();
    assert_close(
        &gradient(&compiled, &point, "E", "w"),
        &Array::from_fn(&[n], by_w),
        1e-14,
        "(y − t)x",
    );
    let twice = |ix: &[usize]| {
        (0..rows).map(|i| y(i) * (1.0 - y(i)) * x.at(&[i, ix[0]]) * x.at(&[i, ix[1]])).sum()
    };
    let hessian = value(&compiled, &point, derivative(&compiled, "E", "w", 2));
    assert_close(&hessian, &Array::from_fn(&[n, n], twice), 1e-14, "Hessian");
}

#[test]
fn softmax_regression() {
    let compiled = gallery("softmax_regression");
    let point = random_point(&compiled, 12);
    let [x, t, w, b] = ["x", "t", "W", "b"].map(|name| get(&compiled, &point, name));
    let y: Vec<Vec<f64>> = affine(x, w, &b.data).iter().map(|z| softmax(z)).collect();
    let n = y.len() as f64;
    let want = Array::from_fn(&t.shape, |ix| (y[ix[0]][ix[1]] - t.at(ix)) / n);
    assert_close(&gradient(&compiled, &point, "E", "z"), &want, 1e-14, "(y − t)/n");
}
