//! Derivatives by finite differences: an independent judge of every formula. Central differences at shrinking steps are
//! extrapolated to step 0 (Richardson, Neville's scheme), and for each entry the estimate that settled best is taken.

use super::array::Array;
use super::{Evaluator, Point, check_size};
use crate::ir::{Graph, NodeId, Op, VarId};
use crate::ops::{self, Rule};
use std::rc::Rc;

/// How deep derivatives by finite differences may be nested: each level loses digits and multiplies the work.
const DEEPEST: usize = 3;
/// How many steps are tried for an entry.
const LEVELS: usize = 8;

/// The entries of a value, or why there is none.
#[cfg(feature = "tools")]
type Entries = Result<Vec<f64>, String>;

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
        let order = self.moving(f, x);
        if order.is_empty() && f != x {
            return Ok(result);
        }
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

impl Evaluator<'_> {
    /// The nodes below `f` that move where `x` moves, in order. What the rule book holds (`stop_gradient`) does not.
    fn moving(&self, f: NodeId, x: NodeId) -> Vec<NodeId> {
        let mut order = self.graph.reachable(&[f]);
        let mut moves = std::collections::HashSet::from([x]);
        order.retain(|&id| {
            let held = matches!(self.graph.op(id), Op::Call(op, _) if matches!(ops::spec(*op).rule, Rule::Held));
            let moved = !held && self.graph.args(id).iter().any(|arg| moves.contains(arg));
            if moved && id != x {
                moves.insert(id);
            }
            moved && id != x
        });
        if moves.contains(&f) { order } else { Vec::new() }
    }
}

/// Derivatives along directions, for checks.
#[cfg(feature = "tools")]
impl Evaluator<'_> {
    /// The derivative of the entries of `f` where `x` moves along a direction, beginning with steps of `h` times it.
    pub(crate) fn along(
        &self,
        f: NodeId,
        x: NodeId,
        direction: &[f64],
        h: f64,
    ) -> Result<Vec<f64>, String> {
        match self.path(f, x, direction)? {
            Some(at) => derivative_from(h, 0.0, at),
            None => Ok(vec![0.0; self.value(f)?.data.len()]),
        }
    }

    /// The plain central difference of the entries of `f` where `x` moves along a direction by `h` times it.
    pub(crate) fn central(
        &self,
        f: NodeId,
        x: NodeId,
        direction: &[f64],
        h: f64,
    ) -> Result<Vec<f64>, String> {
        let Some(mut at) = self.path(f, x, direction)? else {
            return Ok(vec![0.0; self.value(f)?.data.len()]);
        };
        let (ahead, behind) = (at(h)?, at(-h)?);
        Ok(ahead.iter().zip(&behind).map(|(a, b)| (a - b) / (2.0 * h)).collect())
    }

    /// The entries of `f` by how far `x` moves along a direction; `None` where they do not move.
    fn path<'p>(
        &'p self,
        f: NodeId,
        x: NodeId,
        direction: &'p [f64],
    ) -> Result<Option<impl FnMut(f64) -> Entries + use<'p>>, String> {
        let start = self.value(x)?;
        let order = self.moving(f, x);
        if order.is_empty() && f != x {
            return Ok(None);
        }
        let mut moved = self.clone();
        moved.nesting += 1;
        Ok(Some(move |step: f64| {
            let mut shifted = start.as_ref().clone();
            for (entry, along) in shifted.data.iter_mut().zip(direction) {
                *entry += step * along;
            }
            for id in &order {
                moved.values.remove(id);
            }
            moved.values.insert(x, Rc::new(shifted));
            moved.run(&order)?;
            Ok(moved.value(f)?.data.clone())
        }))
    }
}

/// The derivative of a vector function of one number.
fn derivative(x: f64, f: impl FnMut(f64) -> Result<Vec<f64>, String>) -> Result<Vec<f64>, String> {
    derivative_from(0.03 * x.abs().max(1.0), x, f)
}

/// As [`derivative`], beginning with steps of `h`.
fn derivative_from(
    mut h: f64,
    x: f64,
    mut f: impl FnMut(f64) -> Result<Vec<f64>, String>,
) -> Result<Vec<f64>, String> {
    let mut central = difference(&mut f, x, h)?;
    // A step that leaves the domain (log of a small number) says nothing: try shorter ones first.
    for _ in 0..8 {
        if central.iter().all(|value| value.is_finite()) {
            break;
        }
        h /= 4.0;
        central = difference(&mut f, x, h)?;
    }
    let mut best: Vec<Estimate> = vec![Estimate::NONE; central.len()];
    let mut tableau: Vec<Vec<f64>> = Vec::new();
    for level in 0..LEVELS {
        if level > 0 {
            h /= 2.0;
            central = difference(&mut f, x, h)?;
        }
        tableau = extrapolate(central.clone(), &tableau, &mut best);
        if level >= 3 && best.iter().all(Estimate::settled) {
            break;
        }
    }
    Ok(best.into_iter().map(|estimate| estimate.value).collect())
}

/// A derivative, and how much it moved when it was last refined.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    value: f64,
    error: f64,
}

impl Estimate {
    const NONE: Estimate = Estimate { value: f64::NAN, error: f64::INFINITY };

    fn settled(&self) -> bool {
        self.error <= 1e-13 * self.value.abs()
    }
}

fn difference(
    f: &mut impl FnMut(f64) -> Result<Vec<f64>, String>,
    x: f64,
    h: f64,
) -> Result<Vec<f64>, String> {
    let (above, below) = (x + h, x - h);
    let (high, low) = (f(above)?, f(below)?);
    let slopes = high.iter().zip(&low);
    Ok(slopes.map(|(high, low)| (high - low) / (above - below)).collect())
}

/// The next row of Neville's tableau, from a difference of half the step; better estimates are noted.
fn extrapolate(central: Vec<f64>, tableau: &[Vec<f64>], best: &mut [Estimate]) -> Vec<Vec<f64>> {
    let mut row = vec![central];
    let mut weight = 1.0;
    for coarse in tableau {
        weight *= 4.0;
        let fine = &row[row.len() - 1];
        let mut next = Vec::with_capacity(fine.len());
        for ((fine, coarse), best) in fine.iter().zip(coarse).zip(best.iter_mut()) {
            let value = fine + (fine - coarse) / (weight - 1.0);
            let error = (value - fine).abs().max((value - coarse).abs());
            if error < best.error {
                *best = Estimate { value, error };
            }
            next.push(value);
        }
        row.push(next);
    }
    row
}
