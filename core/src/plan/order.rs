//! In: a loop nest in the order of the formula. Out: the same with neighbouring loops joined, the loops in an order that
//! walks through memory in steps of one, every value as far out as it can stand, and what is multiplied by 0 passed over.

use super::kernel::{Access, Gate, Kernel, Loop, Value, ValueId};
use super::lin::{Lin, LoopIx, estimate};
use crate::few::{self, Each};
use crate::ir::{Dim, Num};

/// Joins, orders and places.
pub fn arrange(kernel: &mut Kernel) {
    kernel.loops.retain(|l| !l.size.is_one());
    drop_units(kernel);
    while join_once(kernel) {}
    innermost(kernel);
    place(kernel);
    gate(kernel);
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
    let kept: Vec<LoopIx> = kernel.loops.each(|l| l.ix);
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
    few::sort_by(&mut kernel.loops, &|a, b| a.summed.cmp(&b.summed));
    if kernel.first_summed().is_none() {
        return;
    }
    let score = |l: &Loop| -> f64 {
        let loads: i32 = accesses(kernel)
            .map(|access| match access.at.coefficient(l.ix).as_fixed() {
                _ if !access.guards.is_empty() => 0,
                Some(1) => 2,
                Some(0) => 0,
                // Each entry from elsewhere costs more than the rest of its turn.
                _ => -4,
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

/// How many entries the last loop reads from places that are not neighbours.
pub fn apart(kernel: &Kernel) -> usize {
    let mut kernel = kernel.clone();
    arrange(&mut kernel);
    let Some(last) = kernel.loops.last() else { return 0 };
    let step = |access: &Access| access.at.coefficient(last.ix).as_fixed();
    accesses(&kernel).filter(|access| !matches!(step(access), Some(0 | 1))).count()
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

/// Turns of at least so many entries are worth a question.
const WORTH_ASKING: f64 = 8.0;

/// Finds neighbouring entries that are 0 most of the time, and that all of what the turns of their loop add is multiplied by.
fn gate(kernel: &mut Kernel) {
    let Some(first) = kernel.first_summed() else { return };
    let (over, under) = factors(kernel);
    let worth = |kernel: &Kernel, id: ValueId| {
        let inside = kernel.loops.iter().skip(kernel.depth[id]);
        let turns: f64 = inside.map(|l| estimate(&l.size)).product();
        let within = first < kernel.depth[id] && kernel.depth[id] < kernel.loops.len();
        kernel.sparse.contains(&id) && within && turns >= WORTH_ASKING
    };
    let Some(entries) = over.iter().copied().find(|id| worth(kernel, *id)) else { return };
    in_order_of(kernel, entries);
    place(kernel);
    let depth = kernel.depth[entries];
    let others = |ids: Vec<ValueId>| -> Vec<ValueId> {
        let known = |id: &ValueId| *id != entries && kernel.depth[*id] <= depth;
        ids.into_iter().filter(known).collect()
    };
    let product = Value::Product(others(over), others(under));
    let Value::Product(top, bottom) = &product else { return };
    let outside = top.iter().chain(bottom).all(|id| kernel.depth[*id] < depth);
    let ix = kernel.loops[depth - 1].ix;
    let walks = kernel.made_of(entries).into_iter().all(|id| match &kernel.values[id] {
        Value::Load(access) => kernel.depth[id] < depth || is_unit(access, ix),
        _ => true,
    });
    if outside && walks {
        kernel.gate = Some(Gate { entries, others: kernel.values.len() });
        kernel.depth.push(depth - 1);
        kernel.values.push(product);
    }
}

/// The factors of a kernel's result, and what it is divided by.
fn factors(kernel: &Kernel) -> (Vec<ValueId>, Vec<ValueId>) {
    let (mut over, mut under) = (Vec::new(), Vec::new());
    let mut left = vec![kernel.result];
    while let Some(id) = left.pop() {
        match &kernel.values[id] {
            Value::Product(top, bottom) => {
                left.extend(top.iter().rev());
                under.extend(bottom);
            }
            _ => over.push(id),
        }
    }
    (over, under)
}

/// Where sums grow in memory, all loops but the last may stand in any order: in that of the entries that most loops walk through of
/// those that `id` is made of.
fn in_order_of(kernel: &mut Kernel, id: ValueId) {
    let loads = kernel.made_of(id).into_iter().filter_map(|id| match &kernel.values[id] {
        Value::Load(access) => Some(access),
        _ => None,
    });
    let Some(access) = loads.max_by_key(|access| access.at.terms.len()).cloned() else { return };
    if kernel.adds && kernel.sums_into_memory() {
        let stride = |l: &Loop| estimate(&access.at.coefficient(l.ix));
        let outer = kernel.loops.len() - 1;
        few::sort_by(&mut kernel.loops[..outer], &|a, b| stride(b).total_cmp(&stride(a)));
    }
}

/// Whether a step of one along a loop is a step of one in memory.
pub fn is_unit(access: &Access, ix: LoopIx) -> bool {
    access.guards.is_empty()
        && access.quotients.is_empty()
        && access.at.coefficient(ix).as_fixed() == Some(1)
        && !access.at.offset.terms.iter().any(|(_, c)| *c < Num::ZERO)
}
