//! One perceptron: its gradient by hand, by the generated code and by finite differences. `cargo run --example single_perceptron`

mod common;

use chainrule::derive_grad;
use chainrule::optim::Sgd;
use chainrule::rng::SmallRng;

derive_grad! {
    /// A perceptron of N inputs.
    pub mod one_output = "examples/single_perceptron.grad";
}

derive_grad! {
    /// As in `single_perceptron_10.grad`.
    pub mod ten_inputs {
        input x: [1, 10];
        target t: [1, 1];
        param w: [10, 1];

        O = sigmoid(x @ w);
        /// Half the squared error.
        loss E = 1/2 * sum((O - t)^2);
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The largest difference between the generated gradient and (O − t) O (1 − O) x_j, and the largest relative error by finite
/// differences, for weights of 1 and ten inputs.
pub fn weights_of_one() -> (f64, f64) {
    let mut rng = SmallRng::seed(1);
    let x: [f64; 10] = std::array::from_fn(|_| common::normal(&mut rng));
    let inputs = ten_inputs::Inputs::new(&x, &[0.5]).expect("shapes that fit");
    let mut params = ten_inputs::Params::zeros();
    params.as_mut_slice().fill(1.0);
    let (_, gradient) = ten_inputs::value_and_grad(&params, &inputs);
    let o = sigmoid(x.iter().sum());
    let by_hand = x.map(|x| (o - 0.5) * o * (1.0 - o) * x);
    let off = gradient.as_slice().iter().zip(by_hand).map(|(got, want)| (got - want).abs());
    let checked = common::gradient_check(gradient.as_slice(), 1e-4, |at, step| {
        let mut moved = params.clone();
        moved.as_mut_slice()[at] += step;
        ten_inputs::value_and_grad(&moved, &inputs).0
    });
    (off.fold(0.0, f64::max), checked)
}

/// The losses while a perceptron with N inputs learns to answer 0.8.
pub fn learn(inputs: &[f64]) -> Vec<f64> {
    let inputs = one_output::Inputs::new(inputs, &0.8).expect("shapes that fit");
    let mut params = one_output::Params::zeros(inputs.dims());
    let mut gradient = params.clone();
    let mut workspace = one_output::Workspace::new(&inputs);
    let mut descent = Sgd::new(1.0);
    let step = |_| {
        let loss = one_output::value_and_grad_into(&params, &inputs, &mut workspace, &mut gradient);
        descent.step(params.as_mut_slice(), gradient.as_slice());
        loss
    };
    (0..200).map(step).collect()
}

fn main() {
    let (by_hand, by_differences) = weights_of_one();
    println!(
        "ten inputs, weights of 1: {by_hand:.1e} from the closed form, {by_differences:.1e} from finite differences"
    );
    let losses = learn(&[0.5, -0.2, 0.1]);
    println!(
        "three inputs: the loss falls from {:.4} to {:.1e} in {} steps",
        losses[0],
        losses[199],
        losses.len()
    );
}
