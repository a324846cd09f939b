//! Rosenblatt's perceptron finds a plane between two classes. `cargo run --example hyperplane_perceptron`

mod common;

use chainrule::derive_grad;
use chainrule::optim::Sgd;
use chainrule::rng::SmallRng;

derive_grad! {
    /// The plane, and the loss over misclassified points.
    pub mod plane = "examples/hyperplane_perceptron.grad";
}
derive_grad! {
    /// The distance from the plane.
    pub mod distance = "examples/hyperplane_distance.grad";
}

/// Points on both sides of the line x0 + 2 x1 = 0.5, none closer to it than 0.1.
pub fn points(count: usize, rng: &mut SmallRng) -> (Vec<[f64; 2]>, Vec<f64>) {
    let mut points = Vec::new();
    while points.len() < count {
        let point = [2.0 * common::uniform(rng) - 1.0, 2.0 * common::uniform(rng) - 1.0];
        let side = (point[0] + 2.0 * point[1] - 0.5) / 5.0_f64.sqrt();
        if side.abs() > 0.1 {
            points.push((point, side.signum()));
        }
    }
    points.into_iter().unzip()
}

/// What came of learning.
pub struct Learnt {
    /// Passes over the points, until none is misclassified.
    pub passes: usize,
    /// Misclassified points at the end.
    pub wrong: usize,
    /// The distance from the plane to the nearest point.
    pub margin: f64,
    /// How far the gradients of the distance are from finite differences.
    pub checked: f64,
}

/// Learns from one point at a time, as Rosenblatt did, until all are on their side.
pub fn learn(seed: u64) -> Learnt {
    let (x, y) = points(200, &mut SmallRng::seed(seed));
    let flat = x.as_flattened();
    let dims = plane::Dims { B: 1, N: 2 };
    let mut params = plane::Params::zeros(dims);
    // On the plane itself the loss has a kink: start beside it.
    *params.b_mut() = 0.1;
    let mut gradient = plane::Params::zeros(dims);
    let mut descent = Sgd::new(0.1);
    let mut learnt = Learnt { passes: 0, wrong: x.len(), margin: f64::INFINITY, checked: 0.0 };
    while learnt.wrong > 0 && learnt.passes < 1000 {
        learnt.passes += 1;
        for at in 0..x.len() {
            let inputs = plane::Inputs::new(&flat[2 * at..2 * at + 2], &y[at..=at])
                .expect("shapes that fit");
            plane::value_and_grad_into(
                &params,
                &inputs,
                &mut plane::Workspace::new(&inputs),
                &mut gradient,
            );
            descent.step(params.as_mut_slice(), gradient.as_slice());
        }
        learnt.wrong = x.iter().zip(&y).filter(|(x, y)| **y * side(&params, x) <= 0.0).count();
    }
    for point in &x {
        let (found, off) = measured(&params, point);
        learnt.margin = learnt.margin.min(found);
        learnt.checked = learnt.checked.max(off);
    }
    learnt
}

fn side(params: &plane::Params<f64>, x: &[f64; 2]) -> f64 {
    params.w().iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + params.b()
}

/// The distance of a point, and how far its gradient is from finite differences.
fn measured(plane: &plane::Params<f64>, point: &[f64; 2]) -> (f64, f64) {
    let inputs = distance::Inputs::new(point).expect("shapes that fit");
    let mut params = distance::Params::zeros(inputs.dims());
    params.as_mut_slice().copy_from_slice(plane.as_slice());
    let (found, gradient) = distance::value_and_grad(&params, &inputs);
    let off = common::gradient_check(gradient.as_slice(), 1e-4, |at, step| {
        let mut moved = params.clone();
        moved.as_mut_slice()[at] += step * params.w()[0].abs();
        distance::value_and_grad(&moved, &inputs).0 / params.w()[0].abs()
    });
    (found, off)
}

fn main() {
    for seed in 1..=5 {
        let Learnt { passes, wrong, margin, checked } = learn(seed);
        println!(
            "seed {seed}: {wrong} of 200 wrong after {passes} passes; nearest point {margin:.3} away; gradient of the distance off by {checked:.1e}"
        );
    }
}
