//! One numbering of the indices that a product is summed over, and one order of its factors, however they came. Labels are told
//! apart by where they stand, round by round; those that cannot be told apart are tried one by one, and the least result stands.
//!
//! In: a product. Out: the same product; equal products come out equal, as long as few of their labels are alike.

use super::{Factor, Term};
use std::collections::BTreeMap;

/// How many orders of labels that look alike are tried.
const MOST_TRIED: usize = 48;

/// Where a label stands: the atom, its power, which axis of it, and the colours of all its labels.
type Place = (u32, crate::ir::Num, usize, Vec<usize>);

/// The product in canonical order. Labels below `rank` stay.
pub(super) fn arrange(term: Term, rank: u32, symmetric: &[bool]) -> Term {
    let mut colours: BTreeMap<u32, usize> = (0..rank).map(|axis| (axis, axis as usize)).collect();
    let mut sizes: Vec<_> = term.bound.iter().map(|(_, dim)| dim.clone()).collect();
    sizes.sort();
    for (label, dim) in &term.bound {
        let kind = sizes.iter().position(|known| known == dim).unwrap_or(0);
        colours.insert(*label, rank as usize + kind);
    }
    let mut search = Search { term: &term, rank, symmetric, best: None, tried: 0 };
    search.run(colours);
    search.best.unwrap_or(term)
}

struct Search<'a> {
    term: &'a Term,
    rank: u32,
    symmetric: &'a [bool],
    best: Option<Term>,
    tried: usize,
}

impl Search<'_> {
    fn run(&mut self, colours: BTreeMap<u32, usize>) {
        let colours = self.refined(colours);
        let bound: Vec<u32> = self.term.bound.iter().map(|(label, _)| *label).collect();
        let mut classes: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for label in &bound {
            classes.entry(colours[label]).or_default().push(*label);
        }
        let Some(alike) = classes.into_values().find(|labels| labels.len() > 1) else {
            return self.finish(&colours);
        };
        for first in alike {
            if self.tried >= MOST_TRIED {
                return;
            }
            // All others after it: colours are doubled so that there is room.
            let mut split: BTreeMap<u32, usize> =
                colours.iter().map(|(label, colour)| (*label, 2 * colour + 1)).collect();
            split.insert(first, 2 * colours[&first]);
            self.run(split);
        }
    }

    /// Colours told apart as far as places tell.
    fn refined(&self, mut colours: BTreeMap<u32, usize>) -> BTreeMap<u32, usize> {
        let count = |colours: &BTreeMap<u32, usize>| {
            let mut all: Vec<usize> = colours.values().copied().collect();
            all.sort_unstable();
            all.dedup();
            all.len()
        };
        loop {
            let signed: Vec<(u32, (usize, Vec<Place>))> = colours
                .iter()
                .map(|(label, colour)| (*label, (*colour, self.places(*label, &colours))))
                .collect();
            let mut ranks: Vec<&(usize, Vec<Place>)> = signed.iter().map(|(_, own)| own).collect();
            ranks.sort();
            ranks.dedup();
            let next: BTreeMap<u32, usize> = signed
                .iter()
                .map(|(label, own)| (*label, ranks.binary_search(&own).unwrap_or(0)))
                .collect();
            let before = count(&colours);
            colours = next;
            if count(&colours) == before {
                return colours;
            }
        }
    }

    fn places(&self, label: u32, colours: &BTreeMap<u32, usize>) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for factor in &self.term.factors {
            let either = self.symmetric[factor.atom as usize];
            let mut seen: Vec<usize> = factor.labels.iter().map(|label| colours[label]).collect();
            if either {
                seen.sort_unstable();
            }
            for (axis, _) in factor.labels.iter().enumerate().filter(|(_, own)| **own == label) {
                let axis = if either { 0 } else { axis };
                places.push((factor.atom, factor.exponent, axis, seen.clone()));
            }
        }
        places.sort();
        places
    }

    /// Numbers the labels by their colours, which all differ.
    fn finish(&mut self, colours: &BTreeMap<u32, usize>) {
        self.tried += 1;
        let mut bound = self.term.bound.clone();
        bound.sort_by_key(|(label, _)| colours[label]);
        let rename = |label: &u32| match bound.iter().position(|(own, _)| own == label) {
            Some(at) => self.rank + at as u32,
            None => *label,
        };
        let mut factors: Vec<Factor> = Vec::new();
        for factor in &self.term.factors {
            let mut labels: Vec<u32> = factor.labels.iter().map(rename).collect();
            if self.symmetric[factor.atom as usize] {
                labels.sort_unstable();
            }
            factors.push(Factor { labels, ..factor.clone() });
        }
        factors.sort();
        let sizes = bound.iter().enumerate();
        let bound = sizes.map(|(at, (_, dim))| (self.rank + at as u32, dim.clone())).collect();
        let term = Term { factors, bound };
        if self.best.as_ref().is_none_or(|best| term < *best) {
            self.best = Some(term);
        }
    }
}
