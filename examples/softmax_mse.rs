//! Softmax with the mean squared error: every row of the gradients sums to 0. `cargo run --example softmax_mse`

mod common;

use chainrule::derive_grad;
use chainrule::rng::SmallRng;

derive_grad! {
    /// As in `softmax_mse.grad`.
    pub mod softmax_mse {
        dim B = 2, N = 4, M = 3;
        input x: [B, N];
        target t: [B, M] one_hot;
        param w: [N, M], b: [M];

        z = x @ w + b;
        prob = softmax(z, axis=1);
        loss E = mse(prob, t);
    }
}

/// The gradients by w and b, for two samples with the labels 2 and 0.
pub fn gradients() -> ([[f64; 3]; 4], [f64; 3]) {
    let mut rng = SmallRng::seed(3);
    let x: [[f64; 4]; 2] =
        std::array::from_fn(|_| std::array::from_fn(|_| common::uniform(&mut rng)));
    let t = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
    let inputs = softmax_mse::Inputs::new(&x, &t).expect("shapes that fit");
    let params = softmax_mse::Params::init(&mut rng);
    let (_, gradients) = softmax_mse::value_and_grad(&params, &inputs);
    (*gradients.w(), *gradients.b())
}

fn main() {
    let (by_w, by_b) = gradients();
    for row in &by_w {
        println!("∂E/∂w  {row:+.8?}  sum {:+.1e}", row.iter().sum::<f64>());
    }
    println!("∂E/∂b  {by_b:+.8?}  sum {:+.1e}", by_b.iter().sum::<f64>());
}
