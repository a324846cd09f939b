//! In: a loop nest in the order of the formula. Out: the same with neighbouring loops joined, the loops in an order that
//! walks through memory in steps of one, and every value as far out as it can stand.

use super::kernel::{Access, Kernel, Loop, Value};
use super::lin::{Lin, LoopIx, estimate};
use crate::ir::{Dim, Num};

/// Joins, orders and places.
pub fn arrange(kernel: &mut Kernel) {
    kernel.loops.retain(|l| !l.size.is_one());
    drop_units(kernel);
    while join_once(kernel) {}
    innermost(kernel);
    place(kernel);
}

/// All positions of a kernel, those of the result included.
fn positions(kernel: &mut Kernel) -> Vec<&mut Lin> {
    let mut all = vec![&mut kernel.at];
    for value in &mut kernel.values {
        match value {
            Value::Load(access) => {
                all.push(&mut access.at);
                all.extend(access.quotients.iter_mut().map(|(_, lin, _)| lin));
                all.extend(access.guards.iter_mut().map(|guard| &mut guard.lin));
            }
            Value::Position(lin) => all.push(lin),
            Value::Equal(a, b) => all.extend([a, b]),
            _ => {}
        }
    }
    all
}

/// Indices of loops that run once are 0.
fn drop_units(kernel: &mut Kernel) {
    let kept: Vec<LoopIx> = kernel.loops.iter().map(|l| l.ix).collect();
    for lin in positions(kernel) {
        lin.terms.retain(|(ix, _)| kept.contains(ix));
    }
}

/// Joins one pair of loops that together walk evenly through every buffer.
fn join_once(kernel: &mut Kernel) -> bool {
    for outer in 0..kernel.loops.len() {
        for inner in 0..kernel.loops.len() {
            if outer == inner || kernel.loops[outer].summed != kernel.loops[inner].summed {
                continue;
            }
            let (a, b) = (kernel.loops[outer].clone(), kernel.loops[inner].clone());
            if joinable(kernel, &a, &b) {
                for lin in positions(kernel) {
                    *lin = lin.without(a.ix);
                }
                kernel.loops[inner].size = a.size.times(&b.size);
                kernel.loops.remove(outer);
                return true;
            }
        }
    }
    false
}

fn joinable(kernel: &Kernel, a: &Loop, b: &Loop) -> bool {
    let even = |lin: &Lin| lin.coefficient(a.ix) == lin.coefficient(b.ix).times(&b.size);
    let free = |lin: &Lin| !lin.uses(a.ix) && !lin.uses(b.ix);
    even(&kernel.at)
        && kernel.values.iter().all(|value| match value {
            Value::Load(access) => {
                even(&access.at)
                    && access.quotients.iter().all(|(_, lin, _)| free(lin))
                    && access.guards.iter().all(|guard| free(&guard.lin))
            }
            Value::Position(lin) => free(lin),
            Value::Equal(p, q) => free(p) && free(q),
            _ => true,
        })
}

/// Moves the loop inwards that reads and writes neighbours.
fn innermost(kernel: &mut Kernel) {
    // The result's loops outside, in order; the summed ones inside.
    kernel.loops.sort_by_key(|l| l.summed);
    if kernel.first_summed().is_none() {
        return;
    }
    let score = |l: &Loop| -> f64 {
        let loads: i32 = accesses(kernel)
            .map(|access| match access.at.coefficient(l.ix).as_fixed() {
                _ if !access.guards.is_empty() => 0,
                Some(1) => 2,
                Some(0) => 0,
                _ => -2,
            })
            .sum();
        let long = (estimate(&l.size) / 4.0).min(1.0);
        f64::from(loads) * long + if l.summed { 0.5 } else { 0.0 }
    };
    let allowed = |l: &Loop| l.summed || kernel.at.coefficient(l.ix) == Dim::fixed(1);
    let best = (0..kernel.loops.len())
        .filter(|&at| allowed(&kernel.loops[at]))
        .max_by(|&a, &b| score(&kernel.loops[a]).total_cmp(&score(&kernel.loops[b])));
    if let Some(at) = best {
        let moved = kernel.loops.remove(at);
        kernel.loops.push(moved);
    }
}

fn accesses(kernel: &Kernel) -> impl Iterator<Item = &Access> {
    kernel.values.iter().filter_map(|value| match value {
        Value::Load(access) => Some(access),
        _ => None,
    })
}

/// How many loops must stand around each value.
fn place(kernel: &mut Kernel) {
    let of_lin = |lin: &Lin| -> usize {
        lin.terms
            .iter()
            .filter_map(|(ix, _)| kernel.loops.iter().position(|l| l.ix == *ix))
            .map(|at| at + 1)
            .max()
            .unwrap_or(0)
    };
    let mut depth: Vec<usize> = Vec::with_capacity(kernel.values.len());
    for value in &kernel.values {
        let most = |ids: &mut dyn Iterator<Item = usize>| ids.map(|id| depth[id]).max();
        let here = match value {
            Value::Load(access) => {
                let quotients = access.quotients.iter().map(|(_, lin, _)| of_lin(lin));
                let guards = access.guards.iter().map(|guard| of_lin(&guard.lin));
                let parts = quotients.chain(guards).max().unwrap_or(0);
                of_lin(&access.at).max(parts)
            }
            Value::Position(lin) => of_lin(lin),
            Value::Equal(a, b) => of_lin(a).max(of_lin(b)),
            Value::Product(over, under) => {
                most(&mut over.iter().chain(under).copied()).unwrap_or(0)
            }
            Value::Sum(terms) => most(&mut terms.iter().map(|(_, id)| *id)).unwrap_or(0),
            Value::Pow(base, _) => depth[*base],
            Value::Call(_, args) => most(&mut args.iter().copied()).unwrap_or(0),
            Value::Const(_) | Value::Named(_) | Value::Size(_) => 0,
        };
        depth.push(here);
    }
    kernel.depth = depth;
}

/// Whether a step of one along a loop is a step of one in memory.
pub fn is_unit(access: &Access, ix: LoopIx) -> bool {
    access.guards.is_empty()
        && access.quotients.is_empty()
        && access.at.coefficient(ix).as_fixed() == Some(1)
        && !access.at.offset.terms.iter().any(|(_, c)| *c < Num::ZERO)
}
