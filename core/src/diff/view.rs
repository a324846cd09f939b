//! The adjoint of a view: every entry of the cotangent is added where it was read from. Affine positions are solved for one index
//! of each axis, so that the adjoint is again a view, summed over the indices that are left.

use crate::few::{self, Each};
use crate::ir::{Affine, Dim, Graph, NodeId, Num, View};

/// What the cotangent of `view(arg)` gives to `arg`. `cotangent` has `extra` axes in front, and so has the result.
pub fn adjoint(
    graph: &mut Graph,
    view: &View,
    arg: NodeId,
    cotangent: NodeId,
    extra: usize,
) -> NodeId {
    let source = graph.shape(arg).clone();
    let Solved { indices, guards } = Solved::of(view);
    // Axes that no index is left to be solved for (fixed positions, repeated indices) are read through a new axis of size 1 at
    // `position - map`, which is 0 unless the position is the one that was read.
    let widened = widen(graph, cotangent, guards.len());
    let rank = view.shape.len();
    let free: Vec<usize> = (0..rank).filter(|&index| indices[index].is_none()).collect();
    // The result's axes: extra, the source's, then the free ones (summed afterwards).
    let placed = |affine: &Affine| {
        let place = |symbol: usize| match symbol.checked_sub(rank) {
            Some(axis) => extra + axis,
            None => extra + source.len() + free.iter().position(|&own| own == symbol).unwrap_or(0),
        };
        let mut terms: Vec<(usize, i64)> = affine.terms.each(|(symbol, c)| (place(*symbol), *c));
        few::sort(&mut terms);
        Affine { terms, ..affine.clone() }
    };
    let mut map: Vec<Affine> = (0..extra).map(Affine::at).collect();
    map.extend((0..rank).map(|index| match &indices[index] {
        Some(solved) => placed(solved),
        None => placed(&Affine::at(index)),
    }));
    map.extend(guards.iter().map(placed));
    let mut shape: Vec<Dim> = graph.shape(cotangent)[..extra].to_vec();
    shape.extend(source.iter().cloned());
    shape.extend(free.iter().map(|&axis| view.shape[axis].clone()));
    let read = graph.view(widened, View { map, shape });
    let labels: Vec<u32> = (0..graph.rank(read) as u32).collect();
    let out = labels[..extra + source.len()].to_vec();
    graph.einsum(&[(read, labels)], &out, &[])
}

/// The equations `position of each axis = map(indices)`, solved for indices. Formulas are over symbols: the view's indices by
/// number, then the positions on the axes of the source.
struct Solved {
    /// An index by positions and by indices that are free; `None` where it is free itself.
    indices: Vec<Option<Affine>>,
    /// What must be 0, for every axis that no index was left for.
    guards: Vec<Affine>,
}

impl Solved {
    /// Eliminates axis by axis. Those read at a single index go first, so that sums of indices get what is left; coefficients of ±1
    /// are preferred.
    fn of(view: &View) -> Solved {
        let rank = view.shape.len();
        let mut solved = Solved { indices: vec![None; rank], guards: Vec::new() };
        let terms = |axis: usize| view.map[axis].terms.len();
        let order = few::order(view.map.len(), &|a, b| terms(a).cmp(&terms(b)));
        let mut left: Vec<usize> = Vec::new();
        for axis in order {
            let difference = solved.difference(&view.map[axis], rank + axis);
            let free = difference.terms.iter().filter(|(symbol, _)| *symbol < rank);
            match free.min_by_key(|(_, c)| c.unsigned_abs()).copied() {
                Some((index, own)) => solved.insert(index, own, &difference),
                None => left.push(axis),
            }
        }
        left.sort_unstable();
        solved.guards =
            left.into_iter().map(|axis| solved.difference(&view.map[axis], rank + axis)).collect();
        solved
    }

    /// `divisor·position - Σ c·index - offset` with what is known put in: 0 exactly where the position is the one that was read.
    fn difference(&self, at: &Affine, position: usize) -> Affine {
        let mut result = Affine {
            terms: vec![(position, at.divisor)],
            offset: Dim::fixed(0).plus(&at.offset, Num::int(-1)),
            divisor: 1,
        };
        for (index, c) in &at.terms {
            let known = self.indices[*index].clone().unwrap_or_else(|| Affine::at(*index));
            result = add(&result, &known, -c);
        }
        result
    }

    /// Solves `difference = 0` for an index with this coefficient in it, and puts it in where it is mentioned.
    fn insert(&mut self, index: usize, own: i64, difference: &Affine) {
        let rest = Affine {
            terms: difference
                .terms
                .iter()
                .copied()
                .filter(|(symbol, _)| *symbol != index)
                .collect(),
            offset: difference.offset.clone(),
            divisor: 1,
        };
        let sign = -own.signum();
        let value = Affine {
            terms: rest.terms.each(|(symbol, c)| (*symbol, sign * c)),
            offset: Dim::fixed(0).plus(&rest.offset, Num::int(i128::from(sign))),
            divisor: own.abs(),
        };
        for known in self.indices.iter_mut().flatten() {
            let Some((_, c)) = known.terms.iter().find(|(symbol, _)| *symbol == index).copied()
            else {
                continue;
            };
            let mut others = known.clone();
            others.terms.retain(|(symbol, _)| *symbol != index);
            let part = Affine { divisor: value.divisor * known.divisor, ..value.clone() };
            *known = add(&others, &part, c);
        }
        self.indices[index] = Some(value);
    }
}

/// `a + factor·b` over the common divisor.
fn add(a: &Affine, b: &Affine, factor: i64) -> Affine {
    let (left, right) = (b.divisor, a.divisor * factor);
    let mut terms: Vec<(usize, i64)> = a.terms.each(|(axis, c)| (*axis, c * left));
    for (axis, c) in &b.terms {
        match terms.iter_mut().find(|(known, _)| known == axis) {
            Some((_, sum)) => *sum += c * right,
            None => terms.push((*axis, c * right)),
        }
    }
    terms.retain(|(_, c)| *c != 0);
    few::sort(&mut terms);
    let scaled = Dim::fixed(0).plus(&a.offset, Num::int(i128::from(left)));
    Affine {
        terms,
        offset: scaled.plus(&b.offset, Num::int(i128::from(right))),
        divisor: a.divisor * b.divisor,
    }
}

/// The node with `count` more axes of size 1 at the end.
fn widen(graph: &mut Graph, node: NodeId, count: usize) -> NodeId {
    let labels: Vec<u32> = (0..graph.rank(node) as u32).collect();
    let extra: Vec<(u32, Dim)> = (0..count as u32).map(|at| (1000 + at, Dim::fixed(1))).collect();
    let out: Vec<u32> =
        labels.iter().copied().chain(extra.iter().map(|(label, _)| *label)).collect();
    graph.einsum(&[(node, labels)], &out, &extra)
}
