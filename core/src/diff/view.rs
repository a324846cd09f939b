//! The adjoint of a view: every entry of the cotangent is added where it was read from. Affine positions are solved for one index
//! of each axis, so that the adjoint is again a view, summed over the indices that are left.

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
    let pivots = pick_pivots(view);
    // Axes that no index is free to be solved for (fixed positions, repeated indices) are read through a new axis of size 1 at
    // `position - map`, which is 0 unless the position is the one that was read.
    let guards: Vec<usize> = (0..source.len()).filter(|&axis| pivots[axis].is_none()).collect();
    let widened = widen(graph, cotangent, guards.len());
    let free: Vec<usize> =
        (0..view.shape.len()).filter(|axis| !pivots.contains(&Some(*axis))).collect();
    // The result's axes: extra, the source's, then the free ones (summed afterwards).
    let place_of_source = |axis: usize| extra + axis;
    let place_of_free =
        |axis: usize| extra + source.len() + free.iter().position(|&own| own == axis).unwrap_or(0);
    let mut solved: Vec<Option<Affine>> = vec![None; view.shape.len()];
    for axis in &free {
        solved[*axis] = Some(Affine::at(place_of_free(*axis)));
    }
    // A pivot may depend on other pivots of the same axis's terms; solve in an order in which they are known.
    let mut waiting: Vec<usize> =
        (0..source.len()).filter(|&axis| pivots[axis].is_some()).collect();
    while let Some(next) = waiting.iter().position(|&axis| {
        view.map[axis]
            .terms
            .iter()
            .all(|(index, _)| Some(*index) == pivots[axis] || solved[*index].is_some())
    }) {
        let axis = waiting.remove(next);
        if let Some(pivot) = pivots[axis] {
            solved[pivot] = Some(solve(&view.map[axis], pivot, place_of_source(axis), &solved));
        }
    }
    let mut map: Vec<Affine> = (0..extra).map(Affine::at).collect();
    map.extend(solved.into_iter().map(|place| place.unwrap_or_else(|| Affine::at(0))));
    let known = map[extra..].to_vec();
    for &axis in &guards {
        map.push(difference(&view.map[axis], place_of_source(axis), &known));
    }
    let mut shape: Vec<Dim> = graph.shape(cotangent)[..extra].to_vec();
    shape.extend(source.iter().cloned());
    shape.extend(free.iter().map(|&axis| view.shape[axis].clone()));
    let read = graph.view(widened, View { map, shape });
    let labels: Vec<u32> = (0..graph.rank(read) as u32).collect();
    let out = labels[..extra + source.len()].to_vec();
    graph.einsum(&[(read, labels)], &out, &[])
}

/// For each axis of the source, an index of the result that its position can be solved for, each used once. Coefficients of ±1
/// are preferred; a position that is divided needs no other.
fn pick_pivots(view: &View) -> Vec<Option<usize>> {
    let mut taken: Vec<usize> = Vec::new();
    let mut pivots = vec![None; view.map.len()];
    // Axes read at a single index go first, so that sums of indices get what is left.
    let mut order: Vec<usize> = (0..view.map.len()).collect();
    order.sort_by_key(|&axis| view.map[axis].terms.len());
    for axis in order {
        let free = view.map[axis].terms.iter().filter(|(index, _)| !taken.contains(index));
        if let Some((index, _)) = free.min_by_key(|(_, coefficient)| coefficient.unsigned_abs()) {
            taken.push(*index);
            pivots[axis] = Some(*index);
        }
    }
    pivots
}

/// From `position = (Σ c·index + offset) / divisor`: `pivot = (divisor·position - offset - Σ others) / c`.
fn solve(at: &Affine, pivot: usize, place: usize, solved: &[Option<Affine>]) -> Affine {
    let own = at
        .terms
        .iter()
        .find(|(index, _)| *index == pivot)
        .map_or(1, |(_, coefficient)| *coefficient);
    let sign = own.signum();
    let mut result = Affine {
        terms: vec![(place, sign * at.divisor)],
        offset: Dim::fixed(0).plus(&at.offset, Num::int(i128::from(-sign))),
        divisor: own.abs(),
    };
    for (index, coefficient) in at.terms.iter().filter(|(index, _)| *index != pivot) {
        if let Some(known) = &solved[*index] {
            result = add(&result, known, -sign * coefficient);
        }
    }
    result
}

/// `divisor·position - Σ c·index - offset`: 0 exactly where the position is the one that was read.
fn difference(at: &Affine, place: usize, known: &[Affine]) -> Affine {
    let mut result = Affine {
        terms: vec![(place, at.divisor)],
        offset: Dim::fixed(0).plus(&at.offset, Num::int(-1)),
        divisor: 1,
    };
    for (index, coefficient) in &at.terms {
        result = add(&result, &known[*index], -coefficient);
    }
    result
}

/// `a + factor·b` over the common divisor.
fn add(a: &Affine, b: &Affine, factor: i64) -> Affine {
    let (left, right) = (b.divisor, a.divisor * factor);
    let mut terms: Vec<(usize, i64)> = a.terms.iter().map(|(axis, c)| (*axis, c * left)).collect();
    for (axis, c) in &b.terms {
        match terms.iter_mut().find(|(known, _)| known == axis) {
            Some((_, sum)) => *sum += c * right,
            None => terms.push((*axis, c * right)),
        }
    }
    terms.retain(|(_, c)| *c != 0);
    terms.sort_unstable();
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
