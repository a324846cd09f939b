//! What many passes do with lists, in few functions. In: lists, sets and maps. Out: others of the same.
//!
//! Whoever uses the macro waits until this library is compiled. For each closure that it is called with, the standard library's
//! `map` and `collect` come to some twenty functions, its sort to forty, and to collect a set or a map sorts first: written with
//! them throughout, most of what is compiled would be copies of these.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Lists whose items are looked at one after the other.
pub(crate) trait Each<T> {
    /// What a function gives for each item.
    fn each<'a, U>(&'a self, of: impl FnMut(&'a T) -> U) -> Vec<U>
    where
        T: 'a;
}

impl<T> Each<T> for [T] {
    fn each<'a, U>(&'a self, mut of: impl FnMut(&'a T) -> U) -> Vec<U>
    where
        T: 'a,
    {
        let mut all = Vec::with_capacity(self.len());
        for item in self {
            all.push(of(item));
        }
        all
    }
}

/// Sorts; equal items stay in their order.
pub(crate) fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, &T::cmp);
}

/// The same by an order of one's own.
pub(crate) fn sort_by<T>(items: &mut [T], compare: &dyn Fn(&T, &T) -> Ordering) {
    let mut order = order(items.len(), &|a, b| compare(&items[a], &items[b]));
    for start in 0..order.len() {
        let mut at = start;
        while order[at] != start {
            let from = std::mem::replace(&mut order[at], at);
            items.swap(at, from);
            at = from;
        }
        order[at] = at;
    }
}

/// The places below a number in order; equal ones ascend.
pub(crate) fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| compare(a, b));
    order
}

/// The set of some items.
pub(crate) fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for item in items {
        set.insert(item);
    }
    set
}

/// The map of some pairs; of two with the same key the later one counts.
pub(crate) fn map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_is_the_standard_one() {
        let mut state = 7_u32;
        for length in (0..40).chain([200]) {
            let items: Vec<(u32, usize)> = (0..length)
                .map(|at| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 28, at)
                })
                .collect();
            let (mut own, mut standard) = (items.clone(), items);
            sort_by(&mut own, &|a, b| a.0.cmp(&b.0));
            standard.sort_by_key(|item| item.0);
            assert_eq!(own, standard);
            own.reverse();
            sort(&mut own);
            standard.sort();
            assert_eq!(own, standard);
        }
    }
}
