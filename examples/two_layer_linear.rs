//! Two linear layers, five optimisers, 3,000 steps each. `cargo run --release --example two_layer_linear`

mod common;

use chainrule::derive_grad;
use chainrule::optim::{Adam, Momentum, RmsProp, Rprop, Sgd};
use chainrule::rng::SmallRng;

derive_grad! {
    /// The two layers.
    pub mod two_layers = "examples/two_layer_linear.grad";
}

use two_layers::{Inputs, Params, Workspace};

const SAMPLES: usize = 32;
const BATCH: usize = 8;
const STEPS: usize = 3000;

/// A way to change parameters by their gradients.
pub type Step = Box<dyn FnMut(&mut [f64], &[f64])>;

/// The optimisers by name, each with the size of its batches. Rprop goes by the gradients' signs, which batches would turn at random: it is
/// given all samples.
pub fn optimisers() -> Vec<(&'static str, usize, Step)> {
    let mut descent = Sgd::new(0.001);
    let mut momentum = Momentum::new(0.001, 0.9);
    let mut adam = Adam::new(0.001);
    let mut rms = RmsProp::new(0.001);
    let mut rprop = Rprop::new(0.001);
    vec![
        (
            "gradient descent",
            BATCH,
            Box::new(move |params, gradient| descent.step(params, gradient)),
        ),
        ("momentum", BATCH, Box::new(move |params, gradient| momentum.step(params, gradient))),
        ("Adam", BATCH, Box::new(move |params, gradient| adam.step(params, gradient))),
        ("RMSProp", BATCH, Box::new(move |params, gradient| rms.step(params, gradient))),
        ("Rprop", SAMPLES, Box::new(move |params, gradient| rprop.step(params, gradient))),
    ]
}

/// The mean loss over all samples at the start and after every 500 steps.
pub fn train(size: usize, step: &mut Step) -> Vec<f64> {
    let mut rng = SmallRng::seed(4);
    let x: Vec<[f64; 2]> =
        (0..SAMPLES).map(|_| [common::uniform(&mut rng), common::uniform(&mut rng)]).collect();
    let labels: Vec<[f64; 1]> = x.iter().map(|[a, b]| [f64::from(u8::from(a + b < 1.0))]).collect();
    let mut params = Params::zeros();
    params.as_mut_slice().iter_mut().for_each(|weight| *weight = common::normal(&mut rng));
    let mut gradient = Params::zeros();
    let all = Inputs::new(&x, &labels).expect("shapes that fit");
    let mut everything = Workspace::new(&all);
    let mut losses = vec![two_layers::forward(&params, &all, &mut everything).E];
    for at in 1..=STEPS {
        let from = (at - 1) * size % SAMPLES;
        let batch = Inputs::new(&x[from..from + size], &labels[from..from + size])
            .expect("shapes that fit");
        let mut workspace = Workspace::new(&batch);
        two_layers::value_and_grad_into(&params, &batch, &mut workspace, &mut gradient);
        step(params.as_mut_slice(), gradient.as_slice());
        if at % 500 == 0 {
            losses.push(two_layers::forward(&params, &all, &mut everything).E);
        }
    }
    losses
}

fn main() {
    println!(
        "{:18}{}",
        "loss after",
        (0..=6).map(|at| format!("{:>9}", at * 500)).collect::<String>()
    );
    for (name, size, mut step) in optimisers() {
        let losses: String =
            train(size, &mut step).iter().map(|loss| format!("{loss:>9.4}")).collect();
        println!("{name:18}{losses}");
    }
}
