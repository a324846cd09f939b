//! Sample points for the tests of the table: the same ones on every machine.

use super::spec::{OpSpec, Probe};

/// How near to a kink, or to another argument of the same point, a sample may be.
const MARGIN: f64 = 0.05;

/// A small generator of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number inside of an interval.
    pub fn within(&mut self, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }
}

/// `n` points inside of a row's domain, one number for each argument, away from its kinks and from ties of its arguments.
pub fn probe_points(row: &OpSpec, n: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = Random(seed);
    (0..n).map(|_| point(&row.probe, row.params.len(), &mut random)).collect()
}

fn point(probe: &Probe, arity: usize, random: &mut Random) -> Vec<f64> {
    // Kinks are few and the margin is small: a handful of draws finds a point, and the last one is taken in any case.
    let mut drawn = Vec::new();
    for _ in 0..64 {
        drawn = (0..arity).map(|at| random.within(domain(probe, at))).collect();
        if settled(probe, &drawn) {
            break;
        }
    }
    drawn
}

fn domain(probe: &Probe, at: usize) -> (f64, f64) {
    let last = probe.domain.last().copied().unwrap_or((-3.0, 3.0));
    probe.domain.get(at).copied().unwrap_or(last)
}

fn settled(probe: &Probe, point: &[f64]) -> bool {
    let near = |a: f64, b: f64| (a.abs() - b.abs()).abs() < MARGIN;
    let kink = probe.kinks.iter().any(|kink| (point[0] - kink).abs() < MARGIN);
    let tie = (0..point.len()).any(|at| point[..at].iter().any(|&x| near(x, point[at])));
    !kink && !tie
}
