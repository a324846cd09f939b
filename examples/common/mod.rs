//! What the examples share: random numbers, the gradient check, the handwritten digits, and pictures.
#![allow(dead_code, reason = "each example uses a part")]

pub mod digits;
pub mod plot;

use chainrule::rng::{Rng, SmallRng};
use std::path::PathBuf;

/// A number drawn evenly from [0, 1).
pub fn uniform(rng: &mut SmallRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number drawn from the normal distribution (Box and Muller).
pub fn normal(rng: &mut SmallRng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// Puts things into a random order.
pub fn shuffle<T>(things: &mut [T], rng: &mut SmallRng) {
    for last in (1..things.len()).rev() {
        let other = (uniform(rng) * (last + 1) as f64) as usize;
        things.swap(last, other);
    }
}

/// The largest difference between a gradient and central differences with step ε, relative to the gradient's size.
/// `loss_at(i, step)` is the loss where parameter `i` is moved by `step`.
pub fn gradient_check(
    gradient: &[f64],
    epsilon: f64,
    mut loss_at: impl FnMut(usize, f64) -> f64,
) -> f64 {
    let size = gradient.iter().fold(1e-8_f64, |most, entry| most.max(entry.abs()));
    let mut worst = 0.0_f64;
    for (at, entry) in gradient.iter().enumerate() {
        let slope = (loss_at(at, epsilon) - loss_at(at, -epsilon)) / (2.0 * epsilon);
        worst = worst.max((slope - entry).abs() / size);
    }
    worst
}

/// Where pictures go: the folder named on the command line, or `target/gallery`.
pub fn folder() -> PathBuf {
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = given.unwrap_or_else(|| PathBuf::from("target/gallery"));
    std::fs::create_dir_all(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}
