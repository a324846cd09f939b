//! Derivatives by finite differences: an independent judge of every formula. Central differences at shrinking steps are
//! extrapolated to step 0 (Richardson, Neville's scheme), and for each entry the estimate that settled best is taken.

use super::array::Array;
use super::{Evaluator, Point, check_size};
use crate::ir::{Graph, NodeId, VarId};
use std::rc::Rc;

/// How deep derivatives by finite differences may be nested: each level loses digits and multiplies the work.
const DEEPEST: usize = 3;
/// How many steps are tried for an entry.
const LEVELS: usize = 8;

/// `∂of/∂wrt` at a point by finite differences: axes of `of`, then of `wrt`.
pub fn finite_difference(
    graph: &Graph,
    point: &Point,
    of: NodeId,
    wrt: VarId,
) -> Result<Array, String> {
    let order = graph.reachable(&[of]);
    let leaf = order
        .iter()
        .copied()
        .find(|&id| matches!(graph.op(id), crate::ir::Op::Var(var) if *var == wrt));
    let mut evaluator = Evaluator::new(graph, point);
    evaluator.run(&order)?;
    match leaf {
        Some(leaf) => evaluator.deriv(of, leaf),
        None => {
            let x = evaluator.shape(&graph.var(wrt).shape)?;
            let shape = [evaluator.value(of)?.shape.as_slice(), &x].concat();
            check_size(&shape)?;
            Ok(Array::zeros(&shape))
        }
    }
}

impl Evaluator<'_> {
    /// `∂f/∂x` where both have been run; `x` may be any node and is treated as an independent leaf.
    pub(crate) fn deriv(&self, f: NodeId, x: NodeId) -> Result<Array, String> {
        if self.nesting >= DEEPEST {
            return Err(format!(
                "more than {DEEPEST} derivatives within each other are not evaluated numerically"
            ));
        }
        let (value, start) = (self.value(f)?, self.value(x)?);
        let shape = [value.shape.as_slice(), start.shape.as_slice()].concat();
        check_size(&shape)?;
        let mut result = Array::zeros(&shape);
        let depends = self.graph.depends_on(&[x]);
        if !depends[f.0 as usize] {
            return Ok(result);
        }
        let mut order = self.graph.reachable(&[f]);
        order.retain(|id| depends[id.0 as usize] && *id != x);
        let mut moved = self.clone();
        moved.nesting += 1;
        let columns = start.data.len();
        for column in 0..columns {
            let estimates = derivative(start.data[column], |entry| {
                let mut shifted = start.as_ref().clone();
                shifted.data[column] = entry;
                for id in &order {
                    moved.values.remove(id);
                }
                moved.values.insert(x, Rc::new(shifted));
                moved.run(&order)?;
                Ok(moved.value(f)?.data.clone())
            })?;
            for (row, estimate) in estimates.into_iter().enumerate() {
                result.data[row * columns + column] = estimate;
            }
        }
        Ok(result)
    }
}

/// The derivative of a vector function of one number.
fn derivative(
    x: f64,
    mut f: impl FnMut(f64) -> Result<Vec<f64>, String>,
) -> Result<Vec<f64>, String> {
    let mut h = 0.03 * x.abs().max(1.0);
    let mut tableau: Vec<Vec<f64>> = Vec::new();
    let mut best: Vec<(f64, f64)> = Vec::new();
    for level in 0..LEVELS {
        let (above, below) = (x + h, x - h);
        let (high, low) = (f(above)?, f(below)?);
        let central: Vec<f64> = high
            .iter()
            .zip(&low)
            .map(|(high, low)| (high - low) / (above - below))
            .collect();
        best.resize(central.len(), (f64::INFINITY, f64::NAN));
        let mut row = vec![central];
        let mut weight = 1.0;
        for order in 0..level {
            weight *= 4.0;
            let next: Vec<f64> = row[order]
                .iter()
                .zip(&tableau[order])
                .map(|(fine, coarse)| fine + (fine - coarse) / (weight - 1.0))
                .collect();
            for (entry, (&estimate, best)) in next.iter().zip(&mut best).enumerate() {
                let error = (estimate - row[order][entry])
                    .abs()
                    .max((estimate - tableau[order][entry]).abs());
                if error < best.0 {
                    *best = (error, estimate);
                }
            }
            row.push(next);
        }
        tableau = row;
        h /= 2.0;
    }
    Ok(best.into_iter().map(|(_, estimate)| estimate).collect())
}
