//! Where differences of the program as written cannot judge: `1 - sigmoid(z)` has lost its digits where z is large, and a step beside
//! a pole lands behind it. In: a result that moves. Out: how far its differences can be trusted, and the same result in the stable
//! spelling that is compiled, whose differences judge in its place.

use super::{Differentiated, agree};
use crate::eval::differences::Moving;
use crate::eval::{Array, Evaluator, Point, eval};
use crate::ir::{Graph, NodeId, Op};
use crate::simplify::{Stage, settle};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Where the steps begin of which the differences are compared: none is another one halved, so that rounding errors differ.
const BEGINNINGS: [f64; 6] = [0.03, 0.0267, 0.0238, 0.0212, 0.0189, 0.0168];
/// So many times the distance between such differences may lie between them and what is true.
const TIMES: f64 = 10.0;
/// By which parts a point is moved to see whether a value runs on smoothly.
const STRIDES: [f64; 3] = [1e-5, 1e-4, 3e-4];
/// By which part the values of the two spellings may differ, of which one has lost digits.
const ALIKE: f64 = 0.1;

/// Differences of one result along one direction from several beginnings, entry by entry.
pub(super) struct Spread(Vec<Vec<f64>>);

impl Spread {
    /// Takes the differences, each the sum over all that moves.
    pub(super) fn of(moves: &mut [(Moving<'_>, Vec<f64>)], size: usize) -> Result<Spread, String> {
        let mut all = Vec::new();
        for step in BEGINNINGS {
            let mut differences = vec![0.0; size];
            for (moving, along) in moves.iter_mut() {
                let part = moving.along(along, step)?;
                differences.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            all.push(differences);
        }
        Ok(Spread(all))
    }

    /// The distance between the least and the largest difference of an entry; infinite where one of them is no number.
    pub(super) fn width(&self, entry: usize) -> f64 {
        let found = self.0.iter().map(|differences| differences[entry]);
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for difference in found {
            if !difference.is_finite() {
                return f64::INFINITY;
            }
            (least, most) = (least.min(difference), most.max(difference));
        }
        most - least
    }

    /// Whether a value is as near to the differences of an entry as they are to each other, or nearer than anyone looks.
    pub(super) fn allows(&self, entry: usize, value: f64, near: f64) -> bool {
        let nearest = self.0.iter().map(|found| (found[entry] - value).abs());
        let nearest = nearest.fold(f64::INFINITY, f64::min);
        let width = self.width(entry);
        value.is_finite() && (width == f64::INFINITY || nearest <= near.max(TIMES * width))
    }
}

/// The same result in stable spelling, where that is another one with the same values as far as they can be compared, and all that
/// moves is declared: a definition may be gone from another spelling.
pub(super) fn respelt(
    judged: &Differentiated<'_>,
    point: &Point,
) -> Result<Option<Differentiated<'static>>, String> {
    let declared = |(by, _): &(NodeId, Option<NodeId>)| matches!(judged.graph.op(*by), Op::Var(_));
    if !judged.moves.iter().all(declared) {
        return Ok(None);
    }
    let mut graph = judged.graph.clone().into_owned();
    let of = settle(&mut graph, &[judged.of], Stage::Value)[0];
    let mut values = Evaluator::new(&graph, point);
    values.run(&graph.reachable(&[judged.of, of]))?;
    let same = of == judged.of || !agree(&*values.value(of)?, &*values.value(judged.of)?, ALIKE);
    drop(values);
    let moves = judged.moves.clone();
    Ok((!same).then_some(Differentiated { graph: Cow::Owned(graph), of, moves }))
}

/// Whether a part of a value as large as this depends on where the steps of the differences begin that stand in it.
pub(super) fn waver(graph: &Graph, point: &Point, node: NodeId, part: f64) -> Result<bool, String> {
    let mut found = Vec::new();
    for step in BEGINNINGS {
        let mut values = Evaluator::new(graph, point);
        values.beginning = step;
        values.run(&graph.reachable(&[node]))?;
        found.push(values.value(node)?.data.clone());
    }
    let spread = Spread(found);
    let all = spread.0.iter().flatten().filter(|value| value.is_finite());
    let largest = all.fold(1e-3, |most: f64, value| most.max(value.abs()));
    Ok((0..spread.0[0].len()).any(|entry| spread.width(entry) > part * largest))
}

/// Whether one of some values has lost so many digits that a part of it as large as this is uncertain. Where all that is given is made
/// larger by equal parts, a smooth function has hardly a fourth difference, and rounding errors have one of their own size.
pub(super) fn tremble(
    graph: &Graph,
    point: &Point,
    nodes: &[NodeId],
    part: f64,
) -> Result<bool, String> {
    let at = |factor: f64| eval(graph, &scaled(graph, point, factor), nodes);
    let here = at(1.0)?;
    for stride in STRIDES {
        let mut fourth: Vec<Array> = here.iter().map(|value| Array::zeros(&value.shape)).collect();
        for (count, weight) in [(-2.0, 1.0), (-1.0, -4.0), (0.0, 6.0), (1.0, -4.0), (2.0, 1.0)] {
            for (sums, value) in fourth.iter_mut().zip(at(1.0 + count * stride)?) {
                let pairs = sums.data.iter_mut().zip(&value.data);
                pairs.for_each(|(sum, entry)| *sum += weight * entry / 16.0);
            }
        }
        for (fourth, value) in fourth.iter().zip(&here) {
            let finite = value.data.iter().filter(|value| value.is_finite());
            let largest = finite.fold(1e-3, |most: f64, value| most.max(value.abs()));
            if fourth.data.iter().any(|entry| entry.is_nan() || entry.abs() > part * largest) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The largest parts of a line that hold no derivative.
pub(super) fn plain_parts(graph: &Graph, line: NodeId) -> Vec<NodeId> {
    let mut derived = BTreeSet::new();
    for node in graph.reachable(&[line]) {
        let below = graph.args(node).iter().any(|arg| derived.contains(arg));
        if below || matches!(graph.op(node), Op::Deriv) {
            derived.insert(node);
        }
    }
    let mut parts = BTreeSet::new();
    for &node in &derived {
        if !matches!(graph.op(node), Op::Deriv) {
            parts.extend(graph.args(node).iter().filter(|arg| !derived.contains(arg)));
        }
    }
    parts.into_iter().collect()
}

/// The point with all numbers but whole ones multiplied.
fn scaled(graph: &Graph, point: &Point, factor: f64) -> Point {
    let mut moved = point.clone();
    for (var, array) in &mut moved.vars {
        if !graph.var(*var).int {
            array.data.iter_mut().for_each(|entry| *entry *= factor);
        }
    }
    moved
}
