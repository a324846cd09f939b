//! In: operands, each as the labels that it is read at. Out: which two to multiply first, and about how much work all of it is.

use super::lin::estimate;
use crate::few::Each;
use crate::ir::Dim;
use std::collections::BTreeMap;

/// Of so many operands every order is tried; of more, the cheapest pair is taken first.
const MOST_TRIED: usize = 5;

/// A set of labels, a bit for each. Those that there are no bits for do not count: estimates are rough.
type Set = u128;

/// The labels of a product.
pub(super) struct Pairs {
    labels: Vec<u32>,
    sizes: Vec<f64>,
    out: Set,
}

impl Pairs {
    /// Of a product with labels of these sizes, and these in its result.
    pub(super) fn new(sizes: &BTreeMap<u32, Dim>, out: &[u32]) -> Pairs {
        let (labels, sizes) =
            sizes.iter().take(Set::BITS as usize).map(|(one, dim)| (*one, estimate(dim))).unzip();
        let mut pairs = Pairs { labels, sizes, out: 0 };
        pairs.out = pairs.set(out);
        pairs
    }

    fn set(&self, labels: &[u32]) -> Set {
        labels.iter().fold(0, |set, label| match self.labels.binary_search(label) {
            Ok(at) => set | 1 << at,
            Err(_) => set,
        })
    }

    fn sets<T>(&self, operands: &[(T, Vec<u32>)]) -> Vec<Set> {
        operands.each(|(_, labels)| self.set(labels))
    }

    /// About how many multiplications the operands cost, taken pair by pair.
    pub(super) fn work<T>(&self, operands: &[(T, Vec<u32>)]) -> f64 {
        let mut operands = self.sets(operands);
        let mut work = 0.0;
        while let Some((p, q, all)) = self.cheapest(&operands) {
            if operands.len() <= MOST_TRIED {
                return work + all;
            }
            let (now, rest) = self.paired(&operands, p, q);
            work += now;
            operands = rest;
        }
        work
    }

    /// The pair to take first.
    pub(super) fn first<T>(&self, operands: &[(T, Vec<u32>)]) -> Option<(usize, usize)> {
        self.cheapest(&self.sets(operands)).map(|(p, q, _)| (p, q))
    }

    /// The pair to take first, and what all pairs cost then; of many operands, what this one costs.
    fn cheapest(&self, operands: &[Set]) -> Option<(usize, usize, f64)> {
        let mut best: Option<(usize, usize, f64)> = None;
        for p in 0..operands.len() {
            for q in p + 1..operands.len() {
                let (mut work, rest) = self.paired(operands, p, q);
                if operands.len() <= MOST_TRIED {
                    work += self.cheapest(&rest).map_or(0.0, |(.., later)| later);
                }
                if best.is_none_or(|(.., least)| work < least) {
                    best = Some((p, q, work));
                }
            }
        }
        best
    }

    /// What the product of two operands costs, and the operands with that product in their place: it keeps the labels that the result
    /// or another operand has.
    fn paired(&self, operands: &[Set], p: usize, q: usize) -> (f64, Vec<Set>) {
        let both = operands[p] | operands[q];
        let mut rest = operands.to_vec();
        rest.remove(q);
        rest.remove(p);
        let wanted = rest.iter().fold(self.out, |wanted, one| wanted | one);
        rest.push(both & wanted);
        (self.volume(both), rest)
    }

    fn volume(&self, set: Set) -> f64 {
        let mut volume = 1.0;
        for (at, size) in self.sizes.iter().enumerate() {
            if set & 1 << at != 0 {
                volume *= size;
            }
        }
        volume
    }
}
