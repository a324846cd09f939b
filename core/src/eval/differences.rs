//! Derivatives by finite differences: an independent judge of every formula. Central differences at shrinking steps are
//! extrapolated to step 0 (Richardson, Neville's scheme), and for each entry the estimate that settled best is taken.

use super::array::Array;
use super::{Evaluator, Point, check_size};
use crate::ir::walk::Marks;
use crate::ir::{Graph, NodeId, Op, VarId};
use crate::ops::{self, Rule};
use std::rc::Rc;

/// How deep derivatives by finite differences may be nested: each level loses digits and multiplies the work.
const DEEPEST: usize = 3;
/// How many steps are tried for an entry.
const LEVELS: usize = 8;

/// The entries of a value, or why there is none.
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
        let mut moving = self.moving(f, x)?;
        if moving.stands() {
            return Ok(result);
        }
        let columns = start.data.len();
        for column in 0..columns {
            let x = start.data[column];
            let estimates = derivative_from(self.beginning * x.abs().max(1.0), x, |entry| {
                let mut shifted = start.data.clone();
                shifted[column] = entry;
                moving.at(shifted)
            })?;
            for (row, estimate) in estimates.into_iter().enumerate() {
                result.data[row * columns + column] = estimate;
            }
        }
        Ok(result)
    }

    /// How `f` moves with `x`, both of which have been run.
    pub(crate) fn moving(&self, f: NodeId, x: NodeId) -> Result<Moving<'_>, String> {
        let order = self.order(f, x);
        let start = self.value(x)?;
        let mut moved = self.clone();
        moved.nesting += 1;
        Ok(Moving { f, x, start, order, moved })
    }

    /// The nodes below `f` that move where `x` moves, in order. What the rule book holds (`stop_gradient`) does not.
    fn order(&self, f: NodeId, x: NodeId) -> Vec<NodeId> {
        let mut order = self.graph.reachable(&[f]);
        let mut moves = Marks::default();
        moves.insert(x);
        order.retain(|&id| {
            let held = matches!(self.graph.op(id), Op::Call(op, _) if matches!(ops::spec(*op).rule, Rule::Held));
            let moved = !held && self.graph.args(id).iter().any(|arg| moves.contains(*arg));
            if moved && id != x {
                moves.insert(id);
            }
            moved && id != x
        });
        if moves.contains(f) { order } else { Vec::new() }
    }
}

/// A result by a quantity that moves. What has to be evaluated for each place is found once: the nodes between the two, and nothing
/// else.
pub(crate) struct Moving<'a> {
    f: NodeId,
    x: NodeId,
    /// Where the quantity is.
    start: Rc<Array>,
    /// What lies between, arguments before users.
    pub(crate) order: Vec<NodeId>,
    moved: Evaluator<'a>,
}

impl Moving<'_> {
    /// Whether the result does not move at all.
    fn stands(&self) -> bool {
        self.order.is_empty() && self.f != self.x
    }

    /// The entries of the result where the quantity has these entries.
    fn at(&mut self, entries: Vec<f64>) -> Entries {
        self.order.iter().for_each(|&id| self.moved.values.remove(id));
        let shifted = Array { shape: self.start.shape.clone(), data: entries };
        self.moved.values.insert(self.x, Rc::new(shifted));
        self.moved.run(&self.order)?;
        Ok(self.moved.value(self.f)?.data.clone())
    }
}

/// Derivatives along directions, for checks.
#[cfg(feature = "tools")]
impl Moving<'_> {
    /// The entries of the result a step further along a direction.
    fn step(&mut self, direction: &[f64], step: f64) -> Entries {
        let places = self.start.data.iter().zip(direction);
        let entries = places.map(|(entry, along)| entry + step * along).collect();
        self.at(entries)
    }

    /// No entry of the result moves.
    fn still(&self) -> Entries {
        Ok(vec![0.0; self.moved.value(self.f)?.data.len()])
    }

    /// The derivative of the result's entries along a direction, beginning with steps of `h` times it.
    pub(crate) fn along(&mut self, direction: &[f64], h: f64) -> Entries {
        if self.stands() {
            return self.still();
        }
        derivative_from(h, 0.0, |step| self.step(direction, step))
    }

    /// The slopes of the result's entries along a direction, ahead and behind, by single steps of `h` times it.
    pub(crate) fn sides(
        &mut self,
        direction: &[f64],
        h: f64,
    ) -> Result<(Vec<f64>, Vec<f64>), String> {
        if self.stands() {
            return Ok((self.still()?, self.still()?));
        }
        let here = self.step(direction, 0.0)?;
        let (ahead, behind) = (self.step(direction, h)?, self.step(direction, -h)?);
        let slope = |(there, here): (f64, &f64), h: f64| (there - here) / h;
        let above = ahead.into_iter().zip(&here).map(|pair| slope(pair, h)).collect();
        Ok((above, behind.into_iter().zip(&here).map(|pair| slope(pair, -h)).collect()))
    }

    /// The plain central difference of the result's entries along a direction, `h` times it to either side.
    pub(crate) fn central(&mut self, direction: &[f64], h: f64) -> Entries {
        if self.stands() {
            return self.still();
        }
        let (ahead, behind) = (self.step(direction, h)?, self.step(direction, -h)?);
        Ok(ahead.iter().zip(&behind).map(|(a, b)| (a - b) / (2.0 * h)).collect())
    }
}

/// The derivative of a vector function of one number, beginning with steps of `h`.
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
