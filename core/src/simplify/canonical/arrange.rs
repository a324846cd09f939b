//! One numbering of the indices that a product is summed over, and one order of its factors, however they came. Labels are told
//! apart by where they stand, round by round; those that cannot be told apart are tried one by one, and the least result stands.
//!
//! In: a product. Out: the same product; equal products come out equal, as long as few of their labels are alike.

use super::{Factor, Term};
use crate::few::{self, Each};
use crate::ir::Num;

/// How many orders of labels that look alike are tried.
const MOST_TRIED: usize = 48;

/// Where a label stands: the atom, its power, which axis of it, and the colours of all its labels.
type Place = (u32, Num, usize, Vec<usize>);

/// The product in canonical order. Labels below `rank` stay.
pub(super) fn arrange(mut term: Term, rank: u32, symmetric: &[bool]) -> Term {
    let either = |factor: &Factor| symmetric[factor.atom as usize];
    if term.bound.is_empty() {
        for factor in term.factors.iter_mut().filter(|factor| either(factor)) {
            few::sort(&mut factor.labels);
        }
        few::sort(&mut term.factors);
        return term;
    }
    // Labels are numbered without gaps: axes first, then those that are summed over.
    let names: Vec<u32> = (0..rank).chain(term.bound.iter().map(|(label, _)| *label)).collect();
    let place = |label: &u32| names.iter().position(|name| name == label).unwrap_or(0);
    let reads: Vec<Vec<usize>> = term.factors.each(|factor| factor.labels.each(place));
    let mut sizes: Vec<_> = term.bound.each(|(_, dim)| dim);
    few::sort(&mut sizes);
    let kind = |dim| rank as usize + sizes.iter().position(|known| *known == dim).unwrap_or(0);
    let colours: Vec<usize> =
        (0..rank as usize).chain(term.bound.iter().map(|(_, dim)| kind(dim))).collect();
    let mut search = Search { term: &term, reads, rank, symmetric, best: None, tried: 0 };
    search.run(colours);
    search.best.unwrap_or(term)
}

struct Search<'a> {
    term: &'a Term,
    /// For every factor, the numbers of its labels.
    reads: Vec<Vec<usize>>,
    rank: u32,
    symmetric: &'a [bool],
    best: Option<Term>,
    tried: usize,
}

impl Search<'_> {
    /// A colour for every label, by number.
    fn run(&mut self, colours: Vec<usize>) {
        let colours = self.refined(colours);
        let first = self.rank as usize;
        let mut order: Vec<usize> = (first..colours.len()).collect();
        few::sort_by(&mut order, &|a, b| colours[*a].cmp(&colours[*b]));
        let Some(tie) = order.windows(2).find(|two| colours[two[0]] == colours[two[1]]) else {
            return self.finish(&order);
        };
        let tied = colours[tie[0]];
        for label in order.into_iter().filter(|label| colours[*label] == tied) {
            if self.tried >= MOST_TRIED {
                return;
            }
            // The others of its colour come after it.
            let mut split: Vec<usize> = colours.each(|colour| 2 * colour + 1);
            split[label] -= 1;
            self.run(split);
        }
    }

    /// Colours told apart as far as places tell.
    fn refined(&self, mut colours: Vec<usize>) -> Vec<usize> {
        let mut classes = different(&colours);
        while classes < colours.len() {
            let places = self.places(&colours);
            let signed: Vec<(usize, Vec<Place>)> = colours.iter().copied().zip(places).collect();
            let mut ranks: Vec<&(usize, Vec<Place>)> = signed.iter().collect();
            few::sort(&mut ranks);
            ranks.dedup();
            colours = signed.each(|own| ranks.binary_search(&own).unwrap_or(0));
            let before = std::mem::replace(&mut classes, different(&colours));
            if classes == before {
                break;
            }
        }
        colours
    }

    /// Where every label stands.
    fn places(&self, colours: &[usize]) -> Vec<Vec<Place>> {
        let mut places: Vec<Vec<Place>> = vec![Vec::new(); colours.len()];
        for (factor, read) in self.term.factors.iter().zip(&self.reads) {
            let either = self.symmetric[factor.atom as usize];
            let mut seen: Vec<usize> = read.each(|label| colours[*label]);
            if either {
                seen.sort_unstable();
            }
            for (axis, label) in read.iter().enumerate() {
                let axis = if either { 0 } else { axis };
                places[*label].push((factor.atom, factor.exponent, axis, seen.clone()));
            }
        }
        places.iter_mut().for_each(|own| few::sort(own));
        places
    }

    /// Numbers the labels that are summed over in this order.
    fn finish(&mut self, order: &[usize]) {
        self.tried += 1;
        let rank = self.rank as usize;
        let mut numbers: Vec<u32> = (0..(rank + order.len()) as u32).collect();
        for (at, label) in order.iter().enumerate() {
            numbers[*label] = (rank + at) as u32;
        }
        let mut factors: Vec<Factor> = Vec::new();
        for (factor, read) in self.term.factors.iter().zip(&self.reads) {
            let mut labels: Vec<u32> = read.each(|label| numbers[*label]);
            if self.symmetric[factor.atom as usize] {
                few::sort(&mut labels);
            }
            factors.push(Factor { labels, ..factor.clone() });
        }
        few::sort(&mut factors);
        let sizes = order.iter().map(|label| self.term.bound[label - rank].1.clone());
        let bound = sizes.enumerate().map(|(at, dim)| ((rank + at) as u32, dim)).collect();
        let term = Term { factors, bound };
        if self.best.as_ref().is_none_or(|best| term < *best) {
            self.best = Some(term);
        }
    }
}

/// How many colours there are.
fn different(colours: &[usize]) -> usize {
    let mut all = colours.to_vec();
    all.sort_unstable();
    all.dedup();
    all.len()
}
