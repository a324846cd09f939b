//! The handwritten digits of `examples/data`, split for training, validation and testing.

use super::shuffle;
use chainrule::rng::SmallRng;

const FILE: &str = include_str!("../data/digits.csv");

/// Images and the classes that they show.
#[derive(Clone, Default)]
pub struct Samples {
    /// 64 pixels each, from -2 (paper) to 2 (ink).
    pub images: Vec<[f64; 64]>,
    /// One-hot.
    pub targets: Vec<[f64; 10]>,
    /// The digits themselves.
    pub labels: Vec<usize>,
}

/// Images and their one-hot digits, side by side.
pub type Batch<'d> = (&'d [[f64; 64]], &'d [[f64; 10]]);

impl Samples {
    fn push(&mut self, image: [f64; 64], label: usize) {
        let mut target = [0.0; 10];
        target[label] = 1.0;
        self.images.push(image);
        self.targets.push(target);
        self.labels.push(label);
    }

    /// The first samples only.
    pub fn first(&self, count: usize) -> Samples {
        Samples {
            images: self.images[..count].to_vec(),
            targets: self.targets[..count].to_vec(),
            labels: self.labels[..count].to_vec(),
        }
    }

    /// Batches of about this many samples, all of nearly the same size.
    pub fn batches(&self, about: usize) -> Vec<Batch<'_>> {
        let count = (self.images.len() / about).max(1);
        let edge = |at: usize| at * self.images.len() / count;
        let batch = |at: usize| {
            (&self.images[edge(at)..edge(at + 1)], &self.targets[edge(at)..edge(at + 1)])
        };
        (0..count).map(batch).collect()
    }
}

/// The digits in random order, split 60 : 20 : 20 for training, validation and testing.
pub fn split(rng: &mut SmallRng) -> [Samples; 3] {
    let mut lines: Vec<&str> = FILE.lines().collect();
    shuffle(&mut lines, rng);
    let mut parts = [Samples::default(), Samples::default(), Samples::default()];
    for (at, line) in lines.iter().enumerate() {
        let (image, label) = read(line);
        let part = match at * 10 / lines.len() {
            0..6 => 0,
            6..8 => 1,
            _ => 2,
        };
        parts[part].push(image, label);
    }
    parts
}

fn read(line: &str) -> ([f64; 64], usize) {
    let mut image = [0.0; 64];
    let mut numbers =
        line.split(',').map(|number| number.trim().parse::<u8>().expect("a number from 0 to 16"));
    for pixel in &mut image {
        *pixel = f64::from(numbers.next().expect("64 pixels")) / 4.0 - 2.0;
    }
    (image, usize::from(numbers.next().expect("a label")))
}
