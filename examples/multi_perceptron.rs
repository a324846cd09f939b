//! A layer of perceptrons: N × M partial derivatives at once, checked. `cargo run --example multi_perceptron`

mod common;

use chainrule::derive_grad;
use chainrule::rng::SmallRng;

derive_grad! {
    /// A layer of perceptrons.
    pub mod layer = "examples/multi_perceptron.grad";
}

/// The number of partial derivatives and their largest relative error by finite differences.
pub fn check(n: usize, m: usize) -> (usize, f64) {
    let mut rng = SmallRng::seed(2);
    let x: Vec<f64> = (0..n).map(|_| common::normal(&mut rng)).collect();
    let t: Vec<f64> = (0..m).map(|_| common::uniform(&mut rng)).collect();
    let inputs = layer::Inputs::new(&x, &t).expect("shapes that fit");
    let params = layer::Params::init(inputs.dims(), &mut rng);
    let (_, gradient) = layer::value_and_grad(&params, &inputs);
    let worst = common::gradient_check(gradient.as_slice(), 1e-4, |at, step| {
        let mut moved = params.clone();
        moved.as_mut_slice()[at] += step;
        layer::value_and_grad(&moved, &inputs).0
    });
    (gradient.as_slice().len(), worst)
}

fn main() {
    for (n, m) in [(3, 2), (10, 5)] {
        let (count, worst) = check(n, m);
        println!("{n} inputs, {m} outputs: {count} partials, largest relative error {worst:.1e}");
    }
}
