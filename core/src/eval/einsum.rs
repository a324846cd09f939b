//! Products with named indices. Factors are multiplied two at a time, the pair with the smallest product first, and an
//! index is summed over as soon as no other factor has it; so a chain of matrix products costs what it should.

use super::array::Array;
use super::{Evaluator, check_size};
use crate::ir::{Einsum, Ix, NodeId, Op};
use std::rc::Rc;

/// A factor with the index that each of its axes is read at.
#[derive(Clone, Debug)]
pub struct Factor {
    /// The entries.
    pub value: Rc<Array>,
    /// The index of each axis.
    pub ix: Vec<Ix>,
}

impl Evaluator<'_> {
    /// The value of an `Einsum` node. A delta with a summed index renames that index.
    pub(crate) fn einsum(&self, product: &Einsum, args: &[NodeId]) -> Result<Array, String> {
        let sizes: Vec<usize> =
            product.sizes.iter().map(|dim| self.size(dim)).collect::<Result<_, _>>()?;
        let mut read: Vec<(NodeId, Vec<Ix>)> =
            args.iter().copied().zip(product.ins.iter().cloned()).collect();
        let mut renamed = Vec::new();
        while let Some((at, from, to)) = self.idle_delta(&read, &product.out) {
            read.remove(at);
            for ix in read.iter_mut().flat_map(|(_, ixs)| ixs) {
                if *ix == from {
                    *ix = to;
                }
            }
            renamed.push(from);
        }
        let factors = read
            .into_iter()
            .map(|(id, ix)| Ok(Factor { value: self.value(id)?, ix }))
            .collect::<Result<Vec<_>, String>>()?;
        // A renamed index is gone; it must not count as one that no factor has.
        let mut sizes = sizes;
        for from in renamed {
            sizes[from as usize] = 1;
        }
        multiply(factors, &product.out, &sizes)
    }

    /// A delta that does nothing but rename a summed index: its place, that index, and the other one.
    fn idle_delta(&self, read: &[(NodeId, Vec<Ix>)], out: &[Ix]) -> Option<(usize, Ix, Ix)> {
        read.iter().enumerate().find_map(|(at, (id, ix))| {
            let (&[a, b], Op::Delta(_)) = (ix.as_slice(), self.graph.op(*id)) else {
                return None;
            };
            match (a == b, out.contains(&a), out.contains(&b)) {
                (true, _, _) | (_, true, true) => None,
                (_, false, _) => Some((at, a, b)),
                (_, true, false) => Some((at, b, a)),
            }
        })
    }
}

/// The product of the factors, summed over the indices that are not in `out`.
pub fn multiply(factors: Vec<Factor>, out: &[Ix], sizes: &[usize]) -> Result<Array, String> {
    let mut factors = factors;
    let mut scale = 1.0;
    for (ix, &size) in sizes.iter().enumerate() {
        let ix = ix as Ix;
        if !out.contains(&ix) && !factors.iter().any(|factor| factor.ix.contains(&ix)) {
            scale *= size as f64;
        }
    }
    // Each factor alone: diagonals taken, indices that only it has summed.
    for at in 0..factors.len() {
        let keep = kept(&factors, &[at], out);
        if keep != factors[at].ix {
            factors[at] = contract(&[&factors[at]], keep, sizes)?;
        }
    }
    while factors.len() > 2 {
        let (a, b) = cheapest(&factors, out, sizes);
        let keep = kept(&factors, &[a, b], out);
        let product = contract(&[&factors[a], &factors[b]], keep, sizes)?;
        factors.swap_remove(b);
        factors[a] = product;
    }
    let last: Vec<&Factor> = factors.iter().collect();
    let result = contract(&last, out.to_vec(), sizes)?.value;
    Ok(if scale == 1.0 { Rc::unwrap_or_clone(result) } else { result.map(|x| x * scale) })
}

/// The indices of the picked factors that the result or another factor still needs, in order of appearance.
fn kept(factors: &[Factor], picked: &[usize], out: &[Ix]) -> Vec<Ix> {
    let mut keep: Vec<Ix> = Vec::new();
    for &at in picked {
        for &ix in &factors[at].ix {
            let elsewhere = factors
                .iter()
                .enumerate()
                .any(|(other, factor)| !picked.contains(&other) && factor.ix.contains(&ix));
            if !keep.contains(&ix) && (elsewhere || out.contains(&ix)) {
                keep.push(ix);
            }
        }
    }
    keep
}

/// The pair whose product is smallest compared with its factors, then cheapest to compute.
fn cheapest(factors: &[Factor], out: &[Ix], sizes: &[usize]) -> (usize, usize) {
    let volume = |ixs: &[Ix]| -> f64 { ixs.iter().map(|&ix| sizes[ix as usize] as f64).product() };
    let mut best = (f64::INFINITY, f64::INFINITY, 0, 1);
    for a in 0..factors.len() {
        for b in a + 1..factors.len() {
            let growth = volume(&kept(factors, &[a, b], out))
                - volume(&factors[a].ix)
                - volume(&factors[b].ix);
            let mut all = factors[a].ix.clone();
            all.extend(factors[b].ix.iter().filter(|ix| !factors[a].ix.contains(ix)));
            let cost = volume(&all);
            if (growth, cost) < (best.0, best.1) {
                best = (growth, cost, a, b);
            }
        }
    }
    (best.2, best.3)
}

/// One loop nest: the kept indices outside, the summed ones inside.
fn contract(factors: &[&Factor], keep: Vec<Ix>, sizes: &[usize]) -> Result<Factor, String> {
    const WORK: usize = 1 << 37;
    let mut summed: Vec<Ix> = Vec::new();
    for &ix in factors.iter().flat_map(|factor| &factor.ix) {
        if !keep.contains(&ix) && !summed.contains(&ix) {
            summed.push(ix);
        }
    }
    let size = |ixs: &[Ix]| -> Vec<usize> { ixs.iter().map(|&ix| sizes[ix as usize]).collect() };
    let (shape, inner) = (size(&keep), size(&summed));
    check_size(&shape)?;
    let work = shape.iter().chain(&inner).try_fold(1usize, |work, &n| work.checked_mul(n));
    if work.is_none_or(|work| work > WORK) {
        return Err("a product runs over too many positions to evaluate".to_string());
    }
    let outer_steps: Vec<Vec<usize>> = factors.iter().map(|f| steps(f, &keep)).collect();
    let inner_steps: Vec<Vec<usize>> = factors.iter().map(|f| steps(f, &summed)).collect();
    let mut data = Vec::with_capacity(shape.iter().product());
    walk(&shape, &outer_steps, &mut vec![0; factors.len()], &mut |starts| {
        data.push(sum_of_products(factors, starts, &inner, &inner_steps));
    });
    Ok(Factor { value: Rc::new(Array { shape, data }), ix: keep })
}

/// How far a factor moves for a step of each index; a repeated index moves along the diagonal.
fn steps(factor: &Factor, ixs: &[Ix]) -> Vec<usize> {
    let strides = factor.value.strides();
    ixs.iter()
        .map(|ix| {
            let axes = factor.ix.iter().zip(&strides);
            axes.filter(|(own, _)| *own == ix).map(|(_, stride)| stride).sum()
        })
        .collect()
}

fn sum_of_products(
    factors: &[&Factor],
    starts: &[usize],
    sizes: &[usize],
    steps: &[Vec<usize>],
) -> f64 {
    let mut sum = 0.0;
    if let ([a, b], [n]) = (factors, sizes) {
        let (a, b, s, t) = (&a.value.data, &b.value.data, steps[0][0], steps[1][0]);
        for k in 0..*n {
            sum += a[starts[0] + k * s] * b[starts[1] + k * t];
        }
        return sum;
    }
    walk(sizes, steps, &mut starts.to_vec(), &mut |at| {
        let entries = factors.iter().zip(at).map(|(f, &at)| f.value.data[at]);
        sum += entries.product::<f64>();
    });
    sum
}

/// Visits every position of a shape, row-major, with the place of each factor there.
fn walk(shape: &[usize], steps: &[Vec<usize>], at: &mut [usize], visit: &mut dyn FnMut(&[usize])) {
    if shape.contains(&0) {
        return;
    }
    let mut index = vec![0; shape.len()];
    loop {
        visit(at);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            if index[axis] < shape[axis] {
                at.iter_mut().zip(steps).for_each(|(at, step)| *at += step[axis]);
                break;
            }
            index[axis] = 0;
            at.iter_mut().zip(steps).for_each(|(at, step)| *at -= step[axis] * (shape[axis] - 1));
        }
    }
}
