//! Random points: arrays for all variables that satisfy the declared facts, at which the program has finite values.

use super::agree;
use super::sizes::{index_limits, sizes};
use crate::compile::Compiled;
use crate::eval::{Array, Point, eval};
use crate::ir::graph::Fact;
use crate::ir::{DimId, NodeId, Var, VarId};
use crate::ops::probe::Random;
use std::collections::BTreeMap;

/// From where entries are drawn, in the order of trial: a program with `log` or `sqrt` wants positive numbers, one with `asin`
/// small ones, one with `acosh` large ones.
const INTERVALS: [(f64, f64); 5] = [(-1.5, 1.5), (0.2, 1.7), (0.1, 0.9), (-0.9, 0.9), (1.1, 2.5)];
/// How many points are drawn before it is given up.
const TRIALS: usize = 60;
/// How far a point beside another is, and by which part values may change on the way.
const NEAR: f64 = 1e-11;
const JUMP: f64 = 1e-4;

/// A point at which all losses and outputs are finite; the same one for the same seed.
///
/// # Errors
/// Where none was found, a sentence that says why.
pub fn random_point(compiled: &Compiled, seed: u64) -> Result<Point, String> {
    let mut random = Random(seed);
    let results = compiled.losses.iter().chain(&compiled.outputs);
    let requested = compiled.derivatives.iter().map(|derivative| derivative.of.node);
    let roots: Vec<NodeId> = results.map(|named| named.node).chain(requested).collect();
    let mut why = String::new();
    let mut singular = None;
    for trial in 0..TRIALS {
        let sizes = sizes(compiled, &mut random)?;
        let point = draw(compiled, sizes, trial, &mut random)?;
        match eval(&compiled.graph, &point, &roots) {
            Ok(values) if are_finite(&values) => {
                // A matrix that is singular by its sizes alone has an inverse all the same: rounding errors.
                let beside = eval(&compiled.graph, &beside(&point), &roots)?;
                if values.iter().zip(&beside).all(|(one, other)| agree(one, other, JUMP)) {
                    return Ok(point);
                }
                singular.get_or_insert(point);
            }
            Ok(_) => "the program is not finite at any point that was tried; declare facts such as `positive`".clone_into(&mut why),
            Err(message) => why = message,
        }
    }
    singular.ok_or(why)
}

/// A point with these sizes of the names, entries between 0.1 and 0.9 unless declared otherwise, whatever the program is there.
///
/// # Errors
/// Arrays that are too large, and positions outside of an axis.
pub fn point_of_sizes(
    compiled: &Compiled,
    sizes: BTreeMap<DimId, usize>,
    seed: u64,
) -> Result<Point, String> {
    let graph = &compiled.graph;
    let at = |id: DimId| sizes.get(&id).copied().unwrap_or(1);
    if let Some(left) = graph.rooms.iter().find(|left| left.value(&at).is_none()) {
        let left = graph.show_dim(left);
        return Err(format!("a position is outside of its axis: {left} is below 0"));
    }
    draw(compiled, sizes, 2, &mut Random(seed))
}

fn are_finite(arrays: &[Array]) -> bool {
    arrays.iter().flat_map(|array| &array.data).all(|entry| entry.is_finite())
}

/// A point so near that a value that is more than rounding errors is the same there.
fn beside(point: &Point) -> Point {
    let mut beside = point.clone();
    for array in beside.vars.values_mut() {
        let whole = array.data.iter().all(|entry| entry.fract() == 0.0);
        let factor = if whole { 1.0 } else { 1.0 + NEAR };
        array.data.iter_mut().for_each(|entry| *entry *= factor);
    }
    beside
}

fn draw(
    compiled: &Compiled,
    dims: BTreeMap<DimId, usize>,
    trial: usize,
    random: &mut Random,
) -> Result<Point, String> {
    let graph = &compiled.graph;
    let mut point = Point { dims, ..Point::default() };
    let limits = index_limits(graph);
    for (at, var) in graph.vars.iter().enumerate() {
        let id = VarId(at as u32);
        let size = |dim: &crate::ir::Dim| {
            dim.value(&|id| point.dims.get(&id).copied().unwrap_or(1)).unwrap_or(1)
        };
        let shape: Vec<usize> = var.shape.iter().map(size).collect();
        crate::eval::check_size(&shape)?;
        let array = if var.int {
            let limit = limits.get(&id).into_iter().flatten().map(size).min().unwrap_or(3);
            Array::from_fn(&shape, |_| random.below(limit) as f64)
        } else {
            // Every interval for all variables alike, then a mixture.
            let which = if trial < 2 * INTERVALS.len() {
                trial % INTERVALS.len()
            } else {
                random.below(INTERVALS.len())
            };
            entries(var, &shape, INTERVALS[which], random)
        };
        point.vars.insert(id, array);
    }
    Ok(point)
}

/// Entries from an interval, made to satisfy the declared facts.
fn entries(var: &Var, shape: &[usize], mut interval: (f64, f64), random: &mut Random) -> Array {
    let has = |fact: Fact| var.facts.contains(&fact);
    let signed = has(Fact::Positive) || has(Fact::Nonnegative) || has(Fact::Simplex);
    if signed && interval.0 < 0.0 {
        interval = (0.2, 1.7);
    }
    let mut array = Array::from_fn(shape, |_| random.within(interval));
    let columns = shape.last().copied().unwrap_or(1).max(1);
    if has(Fact::OneHot) {
        array.data.chunks_mut(columns).for_each(|row| {
            row.fill(0.0);
            row[random.below(columns)] = 1.0;
        });
    }
    if has(Fact::Simplex) {
        scale_rows(&mut array, columns, |row| row.iter().sum());
    }
    if has(Fact::Unit) {
        scale_rows(&mut array, columns, |row| row.iter().map(|x| x * x).sum::<f64>().sqrt());
    }
    if shape.len() == 2 && shape[0] == shape[1] {
        square(&mut array, &has);
    }
    array
}

fn scale_rows(array: &mut Array, columns: usize, size: impl Fn(&[f64]) -> f64) {
    for row in array.data.chunks_mut(columns) {
        let by = size(row);
        row.iter_mut().for_each(|x| *x /= by);
    }
}

/// Facts of square matrices.
fn square(array: &mut Array, has: &impl Fn(Fact) -> bool) {
    let n = array.shape[0];
    let old = array.clone();
    let dot =
        |i: usize, j: usize| -> f64 { (0..n).map(|k| old.at(&[i, k]) * old.at(&[j, k])).sum() };
    if has(Fact::Spd) {
        *array = Array::from_fn(&old.shape, |ix| {
            dot(ix[0], ix[1]) / n as f64 + if ix[0] == ix[1] { 0.5 } else { 0.0 }
        });
    } else if has(Fact::Symmetric) {
        *array = Array::from_fn(&old.shape, |ix| (old.at(ix) + old.at(&[ix[1], ix[0]])) / 2.0);
    } else if has(Fact::Orthogonal) {
        orthogonalise(array, n);
    }
    let zero = |keep: &dyn Fn(usize, usize) -> bool, array: &mut Array| {
        let old = array.clone();
        *array = Array::from_fn(&old.shape, |ix| if keep(ix[0], ix[1]) { old.at(ix) } else { 0.0 });
    };
    if has(Fact::Diagonal) {
        zero(&|i, j| i == j, array);
    }
    if has(Fact::Triangular) {
        zero(&|i, j| j <= i, array);
    }
}

/// Gram and Schmidt, row by row.
fn orthogonalise(array: &mut Array, n: usize) {
    for i in 0..n {
        for j in 0..i {
            let along: f64 = (0..n).map(|k| array.data[i * n + k] * array.data[j * n + k]).sum();
            for k in 0..n {
                array.data[i * n + k] -= along * array.data[j * n + k];
            }
        }
        let length = array.data[i * n..(i + 1) * n].iter().map(|x| x * x).sum::<f64>().sqrt();
        array.data[i * n..(i + 1) * n].iter_mut().for_each(|x| *x /= length);
    }
}
