//! A network of three layers learns to read handwritten digits. `cargo run --release --example digits_mlp -- [FOLDER]`
//!
//! The gradients are checked first; then the network is trained from several seeds, each with its own split of the data. Two pictures are
//! written: the costs while training, and which digits are taken for which.

mod common;

use chainrule::derive_grad;
use chainrule::optim::Sgd;
use chainrule::rng::SmallRng;
use common::digits::{self, Samples};
use common::plot::{self, Curve};
use plotters::style::RGBColor;
use std::error::Error;

derive_grad! {
    /// The network.
    pub mod digits_mlp = "examples/digits_mlp.grad";
}

use digits_mlp::{Inputs, Params, Workspace};

const RATE: f64 = 0.1;
const BATCH: usize = 25;
const PASSES: usize = 300;

/// What came of one training.
pub struct Trained {
    /// The parameters.
    pub params: Params<f64>,
    /// The cost of each mini-batch, in the order of training.
    pub batches: Vec<f64>,
    /// The cost of all training samples after each pass.
    pub training: Vec<f64>,
    /// The cost of the validation samples after each pass.
    pub validation: Vec<f64>,
    /// How often each digit (first index) was taken for each (second index) among the test samples.
    pub confusion: [[usize; 10]; 10],
}

impl Trained {
    /// The part of the test samples that is read rightly.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..10).map(|digit| self.confusion[digit][digit]).sum();
        let all: usize = self.confusion.iter().flatten().sum();
        right as f64 / all as f64
    }
}

/// Weights are drawn from 0.1 · N(0, 1); biases are 0.
pub fn start(rng: &mut SmallRng) -> Params<f64> {
    let mut params = Params::zeros();
    let weights = params.W1_mut().as_flattened_mut().iter_mut();
    weights.for_each(|weight| *weight = 0.1 * common::normal(rng));
    params
        .W2_mut()
        .as_flattened_mut()
        .iter_mut()
        .for_each(|weight| *weight = 0.1 * common::normal(rng));
    params
        .W3_mut()
        .as_flattened_mut()
        .iter_mut()
        .for_each(|weight| *weight = 0.1 * common::normal(rng));
    params
}

fn inputs<'s>(images: &'s [[f64; 64]], targets: &'s [[f64; 10]]) -> Inputs<'s, f64> {
    Inputs::new(images, targets).expect("as many targets as images")
}

fn cost(params: &Params<f64>, samples: &Samples) -> f64 {
    let inputs = inputs(&samples.images, &samples.targets);
    digits_mlp::forward(params, &inputs, &mut Workspace::new(&inputs)).xi
}

/// The largest relative error of the gradients, by central differences with ε = 1e-4, on 10 samples.
pub fn check(seed: u64) -> f64 {
    let mut rng = SmallRng::seed(seed);
    let samples = digits::split(&mut rng)[0].first(10);
    let params = start(&mut rng);
    let inputs = inputs(&samples.images, &samples.targets);
    let (_, gradients) = digits_mlp::value_and_grad(&params, &inputs);
    let mut moved = params.clone();
    common::gradient_check(gradients.as_slice(), 1e-4, |at, step| {
        moved.as_mut_slice().copy_from_slice(params.as_slice());
        moved.as_mut_slice()[at] += step;
        cost(&moved, &samples)
    })
}

/// Trains with mini-batches until the validation cost has not fallen over the last three passes, for at most 300 passes.
pub fn train(seed: u64) -> Trained {
    let mut rng = SmallRng::seed(seed);
    let [training, validation, test] = digits::split(&mut rng);
    let mut params = start(&mut rng);
    let mut gradients = Params::zeros();
    let mut descent = Sgd::new(RATE);
    let mut trained = Trained {
        params: params.clone(),
        batches: Vec::new(),
        training: Vec::new(),
        validation: Vec::new(),
        confusion: [[0; 10]; 10],
    };
    for _ in 0..PASSES {
        for (images, targets) in training.batches(BATCH) {
            let inputs = inputs(images, targets);
            // Batches differ by one sample at most; a workspace fits one size.
            let mut workspace = Workspace::new(&inputs);
            let value =
                digits_mlp::value_and_grad_into(&params, &inputs, &mut workspace, &mut gradients);
            descent.step(params.as_mut_slice(), gradients.as_slice());
            trained.batches.push(value);
        }
        trained.training.push(cost(&params, &training));
        trained.validation.push(cost(&params, &validation));
        if has_stalled(&trained.validation) {
            break;
        }
    }
    trained.confusion = confusion(&params, &test);
    trained.params = params;
    trained
}

/// Whether the last three costs do not fall.
fn has_stalled(costs: &[f64]) -> bool {
    costs.len() > 3 && costs[costs.len() - 3..].windows(2).all(|pair| pair[1] >= pair[0])
}

fn confusion(params: &Params<f64>, test: &Samples) -> [[usize; 10]; 10] {
    let inputs = inputs(&test.images, &test.targets);
    let mut workspace = Workspace::new(&inputs);
    let answers = digits_mlp::forward(params, &inputs, &mut workspace).Y;
    let mut table = [[0; 10]; 10];
    for (probabilities, &label) in answers.iter().zip(&test.labels) {
        let best = (0..10).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        table[label][best.unwrap_or(0)] += 1;
    }
    table
}

fn draw(trained: &Trained) -> Result<(), Box<dyn Error>> {
    let folder = common::folder();
    let per_pass = trained.batches.len() as f64 / trained.training.len() as f64;
    let passes = |costs: &[f64]| {
        costs.iter().enumerate().map(|(at, cost)| (at as f64 + 1.0, *cost)).collect()
    };
    let batches = trained
        .batches
        .iter()
        .enumerate()
        .map(|(at, cost)| (at as f64 / per_pass, *cost))
        .collect();
    let curves = [
        Curve { name: "mini-batch", points: batches, colour: RGBColor(190, 205, 225) },
        Curve {
            name: "training",
            points: passes(&trained.training),
            colour: RGBColor(33, 102, 172),
        },
        Curve {
            name: "validation",
            points: passes(&trained.validation),
            colour: RGBColor(214, 70, 60),
        },
    ];
    plot::curves(
        &folder.join("digits_cost.svg"),
        "Cost while training",
        ["pass", "cost ξ"],
        &curves,
    )?;
    let title = format!("Test samples: {:.1} % right", 100.0 * trained.accuracy());
    plot::confusion(&folder.join("digits_confusion.svg"), &title, &trained.confusion)?;
    println!("pictures are in {}", folder.display());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("gradient check, 10 samples, ε = 1e-4: largest relative error {:.1e}", check(0));
    let mut accuracies = Vec::new();
    let mut first = None;
    for seed in 1..=7 {
        let trained = train(seed);
        let passes = trained.validation.len();
        println!("seed {seed}: {passes} passes, test accuracy {:.4}", trained.accuracy());
        accuracies.push(trained.accuracy());
        first.get_or_insert(trained);
    }
    accuracies.sort_by(f64::total_cmp);
    println!("median {:.4}, worst {:.4}", accuracies[accuracies.len() / 2], accuracies[0]);
    first.map_or(Ok(()), |trained| draw(&trained))
}
