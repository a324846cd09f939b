//! A headline and extra inputs, two outputs, two losses and their weighted sum. `cargo run --release --example two_inputs_two_losses`

mod common;

use chainrule::derive_grad;
use chainrule::optim::Adam;
use chainrule::rng::SmallRng;

derive_grad! {
    /// The network of headlines.
    pub mod headlines = "examples/two_inputs_two_losses.grad";
}

use headlines::{Dims, Inputs, Params, Workspace};

const SAMPLES: usize = 64;
const DIMS: Dims = Dims { B: SAMPLES, L: 6, V: 30, D: 8, K: 3, M: 16 };

/// Headlines of random words, each word good or bad; the extra inputs shift the balance.
pub struct Data {
    words: Vec<usize>,
    extra: Vec<f64>,
    main: Vec<f64>,
    aux: Vec<f64>,
}

impl Data {
    /// Random data of this seed.
    pub fn new(seed: u64) -> Data {
        let mut rng = SmallRng::seed(seed);
        let mut word = || (common::uniform(&mut rng) * DIMS.V as f64) as usize;
        let words: Vec<usize> = (0..SAMPLES * DIMS.L).map(|_| word()).collect();
        let extra: Vec<f64> = (0..SAMPLES * DIMS.K).map(|_| common::normal(&mut rng)).collect();
        let mood: Vec<f64> = words
            .chunks(DIMS.L)
            .map(|words| words.iter().map(|word| (word % 3) as f64 - 1.0).sum())
            .collect();
        let answer = |score: f64| f64::from(u8::from(score > 0.0));
        let aux = mood.iter().map(|mood| answer(*mood)).collect();
        let main = mood
            .iter()
            .zip(extra.chunks(DIMS.K))
            .map(|(mood, extra)| answer(mood + 2.0 * extra[0]))
            .collect();
        Data { words, extra, main, aux }
    }

    fn inputs(&self) -> Inputs<'_, f64> {
        Inputs::new(DIMS, &self.words, &self.extra, &self.main, &self.aux).expect("shapes that fit")
    }
}

/// For each loss (main, auxiliary, total) the largest relative error of its gradients by finite differences, and how far the total's
/// gradient is from 1 · main + 0.2 · auxiliary.
pub fn check(data: &Data) -> ([f64; 3], f64) {
    let inputs = data.inputs();
    let mut rng = SmallRng::seed(5);
    let mut params = Params::zeros(DIMS);
    params.as_mut_slice().iter_mut().for_each(|entry| *entry = 0.5 * common::normal(&mut rng));
    // One forward pass serves the three of them.
    let mut workspace = Workspace::new(&inputs);
    headlines::forward(&params, &inputs, &mut workspace);
    let mut gradients = [Params::zeros(DIMS), Params::zeros(DIMS), Params::zeros(DIMS)];
    headlines::backward_main(&params, &inputs, &mut workspace, &mut gradients[0]);
    headlines::backward_aux(&params, &inputs, &mut workspace, &mut gradients[1]);
    headlines::backward_total(&params, &inputs, &mut workspace, &mut gradients[2]);
    let losses = |params: &Params<f64>| {
        let mut workspace = Workspace::new(&inputs);
        let all = headlines::forward(params, &inputs, &mut workspace);
        [all.main, all.aux, all.total]
    };
    let errors = [0, 1, 2].map(|which| {
        let gradient: &Params<f64> = &gradients[which];
        common::gradient_check(gradient.as_slice(), 1e-4, |at, step| {
            let mut moved = params.clone();
            moved.as_mut_slice()[at] += step;
            losses(&moved)[which]
        })
    });
    let [main, aux, total] = gradients.each_ref().map(Params::as_slice);
    let off = total
        .iter()
        .zip(main.iter().zip(aux))
        .map(|(total, (main, aux))| (total - main - 0.2 * aux).abs());
    (errors, off.fold(0.0, f64::max))
}

/// Main, auxiliary and total loss before and after training on the total.
pub fn train(data: &Data, steps: usize) -> [[f64; 3]; 2] {
    let inputs = data.inputs();
    let mut params = Params::init(DIMS, &mut SmallRng::seed(6));
    let mut gradient = Params::zeros(DIMS);
    let mut workspace = Workspace::new(&inputs);
    let mut adam = Adam::new(0.02);
    let mut ends = [[0.0; 3]; 2];
    for at in 0..=steps {
        let all = headlines::forward(&params, &inputs, &mut workspace);
        ends[usize::from(at > 0)] = [all.main, all.aux, all.total];
        headlines::backward_total(&params, &inputs, &mut workspace, &mut gradient);
        adam.step(params.as_mut_slice(), gradient.as_slice());
    }
    ends
}

fn main() {
    let data = Data::new(7);
    let (errors, off) = check(&data);
    println!(
        "gradient check: main {:.1e}, auxiliary {:.1e}, total {:.1e}",
        errors[0], errors[1], errors[2]
    );
    println!("total − (main + 0.2 · auxiliary): {off:.1e}");
    let [before, after] = train(&data, 200);
    for (name, at) in [("main", 0), ("auxiliary", 1), ("total", 2)] {
        println!("{name:10} {:.4} -> {:.4}", before[at], after[at]);
    }
}
