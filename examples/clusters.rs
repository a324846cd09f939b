//! Two ways to find clusters, with the objectives of public benchmarks: a Gaussian mixture, fitted by Adam, and k-means, whose Newton step is
//! Lloyd's algorithm. `cargo run --release --example clusters`
//!
//! Beside them stand the benchmarks' other objectives: `logsumexp.grad` and `least_squares.grad`, and `lstm.grad`, which `tests/adbench.rs`
//! holds to outside numbers.

mod common;

use chainrule::derive_grad;
use chainrule::optim::Adam;
use chainrule::rng::SmallRng;

derive_grad! {
    /// The mixture.
    pub mod gmm = "examples/gmm.grad";
}
derive_grad! {
    /// The nearest centroids.
    pub mod kmeans = "examples/kmeans.grad";
}

/// Where the clouds of points are.
pub const CENTRES: [[f64; 2]; 3] = [[0.0, 0.0], [4.0, 1.0], [1.0, 5.0]];
const EACH: usize = 200;

/// Three round clouds of points.
pub fn clouds() -> Vec<[f64; 2]> {
    let mut rng = SmallRng::seed(7);
    let mut points = Vec::new();
    for _ in 0..EACH {
        for centre in CENTRES {
            points.push(centre.map(|at| at + 0.5 * common::normal(&mut rng)));
        }
    }
    points
}

/// Fits a mixture of three: the log posterior every hundred steps, and the means at the end.
pub fn mixture(points: &[[f64; 2]]) -> (Vec<f64>, Vec<f64>) {
    let dims = gmm::Dims { N: points.len(), D: 2, K: 3 };
    let inputs = gmm::Inputs::new(dims, points, &1.0, &0.0, &1.0).expect("shapes that fit");
    let mut params = gmm::Params::zeros(dims);
    params.mu_mut().copy_from_slice(&[1.0, 1.0, 3.0, 2.0, 2.0, 3.0]);
    let mut gradient = gmm::Params::zeros(dims);
    let mut workspace = gmm::Workspace::new(&inputs);
    let mut adam = Adam::new(0.05);
    let mut posterior = Vec::new();
    for step in 0..=500 {
        let value = gmm::value_and_grad_into(&params, &inputs, &mut workspace, &mut gradient);
        if step % 100 == 0 {
            posterior.push(value);
        }
        // Uphill: the steps follow the negative gradient.
        gradient.as_mut_slice().iter_mut().for_each(|entry| *entry = -*entry);
        adam.step(params.as_mut_slice(), gradient.as_slice());
    }
    (posterior, params.mu().to_vec())
}

/// Newton's method on the k-means cost: the cost before each step, and the centroids at the end. The Hessian is diagonal, so that its
/// product with a direction of ones is its diagonal.
pub fn nearest(points: &[[f64; 2]]) -> (Vec<f64>, Vec<f64>) {
    let dims = kmeans::Dims { N: points.len(), K: 3, D: 2 };
    let inputs = kmeans::Inputs::new(dims, points).expect("shapes that fit");
    let mut params = kmeans::Params::zeros(dims);
    params.as_mut_slice().copy_from_slice(points[..3].as_flattened());
    let mut gradient = kmeans::Params::zeros(dims);
    let mut workspace = kmeans::Workspace::new(&inputs);
    let (ones, mut diagonal) = ([1.0; 6], [0.0; 6]);
    let mut costs = Vec::new();
    for _ in 0..10 {
        costs.push(kmeans::value_and_grad_into(&params, &inputs, &mut workspace, &mut gradient));
        kmeans::hvp_cost_c(&params, &inputs, &ones, &mut workspace, &mut diagonal);
        for ((c, g), h) in params.as_mut_slice().iter_mut().zip(gradient.as_slice()).zip(diagonal) {
            *c -= g / h;
        }
    }
    (costs, params.as_slice().to_vec())
}

fn main() {
    let points = clouds();
    let (posterior, means) = mixture(&points);
    println!("log posterior of the mixture: {posterior:.1?}");
    println!("its means: {means:.2?}");
    let (costs, centroids) = nearest(&points);
    println!("cost of k-means: {costs:.1?}");
    println!("its centroids: {centroids:.2?}");
}
