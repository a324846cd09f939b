//! Linear, logistic and softmax regression: the steps that lead up to a network. `cargo run --release --example regression`

mod common;

use chainrule::derive_grad;
use chainrule::optim::Sgd;
use chainrule::rng::SmallRng;

derive_grad! {
    /// Linear regression.
    pub mod linear = "examples/linear_regression.grad";
}
derive_grad! {
    /// Logistic regression.
    pub mod logistic = "examples/logistic_regression.grad";
}
derive_grad! {
    /// Softmax regression.
    pub mod softmax = "examples/softmax_regression.grad";
}

const SAMPLES: usize = 100;

/// The slope that linear regression finds for t = 2 x + noise, by one step of Newton's method: the loss is quadratic, so one is enough.
pub fn slope() -> f64 {
    let mut rng = SmallRng::seed(8);
    let x: Vec<[f64; 1]> = (0..SAMPLES).map(|_| [common::uniform(&mut rng)]).collect();
    let t: Vec<f64> = x.iter().map(|[x]| 2.0 * x + 0.2 * common::normal(&mut rng)).collect();
    let inputs = linear::Inputs::new(&x, &t).expect("shapes that fit");
    let mut params = linear::Params::zeros(inputs.dims());
    let (_, gradient) = linear::value_and_grad(&params, &inputs);
    let mut hessian = [0.0];
    linear::hessian_E_w(&params, &inputs, &mut linear::Workspace::new(&inputs), &mut hessian);
    params.as_mut_slice()[0] -= gradient.as_slice()[0] / hessian[0];
    params.as_slice()[0]
}

/// Two classes around (−1, 0) and (1, 0); Newton's method with the closed-form Hessian. The gradient's size after each step.
pub fn newton(steps: usize) -> Vec<f64> {
    let mut rng = SmallRng::seed(9);
    let t: Vec<f64> = (0..SAMPLES).map(|at| f64::from(u8::from(at % 2 == 0))).collect();
    let point = |t: &f64| [2.0 * t - 1.0 + common::normal(&mut rng), common::normal(&mut rng)];
    let x: Vec<[f64; 2]> = t.iter().map(point).collect();
    let inputs = logistic::Inputs::new(&x, &t).expect("shapes that fit");
    let mut params = logistic::Params::zeros(inputs.dims());
    let mut workspace = logistic::Workspace::new(&inputs);
    let mut sizes = Vec::new();
    for _ in 0..steps {
        let (_, gradient) = logistic::value_and_grad(&params, &inputs);
        let [g0, g1] = [gradient.as_slice()[0], gradient.as_slice()[1]];
        sizes.push(g0.hypot(g1));
        let mut h = [0.0; 4];
        logistic::hessian_E_w(&params, &inputs, &mut workspace, &mut h);
        let det = h[0] * h[3] - h[1] * h[2];
        params.as_mut_slice()[0] -= (h[3] * g0 - h[1] * g1) / det;
        params.as_mut_slice()[1] -= (h[0] * g1 - h[2] * g0) / det;
    }
    sizes
}

/// Three classes, gradient descent: the part of the samples that is put into its class.
pub fn classify(steps: usize) -> f64 {
    let mut rng = SmallRng::seed(10);
    let centres = [[0.0, 1.5], [-1.5, -1.0], [1.5, -1.0]];
    let labels: Vec<usize> = (0..SAMPLES).map(|at| at % 3).collect();
    let x: Vec<[f64; 2]> = labels
        .iter()
        .map(|label| centres[*label].map(|centre| centre + 0.5 * common::normal(&mut rng)))
        .collect();
    let t: Vec<[f64; 3]> = labels
        .iter()
        .map(|label| [0, 1, 2].map(|class| f64::from(u8::from(class == *label))))
        .collect();
    let inputs = softmax::Inputs::new(&x, &t).expect("shapes that fit");
    let mut params = softmax::Params::zeros(inputs.dims());
    let mut gradient = params.clone();
    let mut workspace = softmax::Workspace::new(&inputs);
    let mut descent = Sgd::new(1.0);
    for _ in 0..steps {
        softmax::value_and_grad_into(&params, &inputs, &mut workspace, &mut gradient);
        descent.step(params.as_mut_slice(), gradient.as_slice());
    }
    let answers = softmax::forward(&params, &inputs, &mut workspace).y;
    let best = |row: &[f64]| (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
    let right = answers.chunks(3).zip(&labels).filter(|(row, label)| best(row) == **label).count();
    right as f64 / SAMPLES as f64
}

fn main() {
    println!("linear: one Newton step finds the slope {:.3} of t = 2 x + noise", slope());
    let sizes: Vec<String> = newton(6).iter().map(|size| format!("{size:.1e}")).collect();
    println!("logistic: the gradient's size in Newton's method: {}", sizes.join(", "));
    println!("softmax: {:.0} % of three classes right after 100 steps", 100.0 * classify(100));
}
