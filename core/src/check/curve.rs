//! The error of plain central differences against their step ε: truncation falls as ε², rounding grows as 1/ε, and a correct
//! derivative shows both slopes. In: a derivative and a seed. Out: one error for each step.

use super::{Judge, differentiated, mixed, random_point, worst};
use crate::compile::{Compiled, Derivative};
use crate::eval::{Evaluator, eval};
use crate::ops::probe::Random;

/// Steps of 10^(-1/2), 10^(-1), … are tried, down to 10^(-SMALLEST/2).
const SMALLEST: i32 = 26;

/// The error at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// ε.
    pub step: f64,
    /// Relative to the largest entry.
    pub error: f64,
}

/// Errors along one random direction at one random point, from the largest step to the smallest.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// In order.
    pub samples: Vec<Sample>,
}

impl Curve {
    /// The sample with the smallest error.
    pub fn best(&self) -> Option<Sample> {
        self.samples.iter().copied().min_by(|a, b| a.error.total_cmp(&b.error))
    }

    /// The slope of log(error) against log(ε) where truncation rules: 2 for a smooth function, 0 where the derivative is wrong.
    pub fn order(&self) -> Option<f64> {
        let best = self.best()?;
        // The samples on the way down to the best one, without its own neighbourhood, where rounding already shows.
        let falling: Vec<(f64, f64)> = self
            .samples
            .iter()
            .filter(|sample| sample.step <= 0.1 && sample.step > best.step)
            .filter(|sample| sample.error > 30.0 * best.error && sample.error.is_finite())
            .map(|sample| (sample.step.ln(), sample.error.ln()))
            .collect();
        slope(&falling)
    }
}

/// The slope of the line through points, by least squares.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    if points.len() < 4 {
        return None;
    }
    let count = points.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let over: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let under: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    Some(over / under)
}

/// The errors of plain central differences of a derivative, along a random direction that the declared facts allow.
///
/// # Errors
/// Where no point was found, or the derivative cannot be evaluated there, a sentence that says why.
pub fn curve(compiled: &Compiled, derivative: &Derivative, seed: u64) -> Result<Curve, String> {
    let point = random_point(compiled, mixed(seed, 0))?;
    let closed = eval(&compiled.graph, &point, &[derivative.node])?.remove(0);
    let judged = differentiated(&compiled.graph, derivative)?;
    let mut evaluator = Evaluator::new(&judged.graph, &point);
    evaluator.run(&judged.order())?;
    let mut moves = judged.moving(&evaluator)?;
    let said: Vec<f64> = if derivative.directions.is_empty() {
        let by = judged.moves[0].0;
        let size = evaluator.value(by)?.data.len();
        let mut random = Random(mixed(seed, 0) ^ 2);
        let mut judge = Judge {
            compiled,
            point: &point,
            number: 0,
            tol: 1.0,
            random: Random(mixed(seed, 0) ^ 1),
        };
        let mut along = vec![0.0; size];
        for probe in judge.probes(&judged.graph, by, size, 1) {
            let weight = random.within((0.5, 1.5));
            probe.iter().for_each(|(entry, part)| along[*entry] += weight * part);
        }
        let parts = closed.data.chunks(size.max(1));
        let said = parts.map(|part| part.iter().zip(&along).map(|(a, b)| a * b).sum()).collect();
        moves[0].1 = along;
        said
    } else {
        closed.data
    };
    let samples = (1..=SMALLEST).map(|half| {
        let step = 10_f64.powf(-f64::from(half) / 2.0);
        let mut differences = vec![0.0; said.len()];
        for (moving, along) in &mut moves {
            let part = moving.central(along, step)?;
            differences.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        let error = worst(&said, &differences, f64::MIN_POSITIVE).map_or(0.0, |(_, error)| error);
        Ok(Sample { step, error })
    });
    Ok(Curve { samples: samples.collect::<Result<_, String>>()? })
}
