//! Products with named indices. Factors are multiplied two at a time, the pair with the smallest product first, and an
//! index is summed over as soon as no other factor has it; so a chain of matrix products costs what it should.

use super::array::Array;
use super::{Evaluator, check_size};
use crate::few::Each;
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
    if is_one_loop(&factors, out, sizes.len()) {
        let factors: Vec<&Factor> = factors.iter().collect();
        return Ok(Rc::unwrap_or_clone(contract(&factors, out.to_vec(), sizes)?.value));
    }
    let mut factors = factors;
    let mut uses = Uses::of(&factors, out, sizes.len());
    let idle = sizes.iter().zip(&uses.0).filter(|(_, uses)| **uses == 0);
    let scale: f64 = idle.map(|(&size, _)| size as f64).product();
    // Each factor alone: diagonals taken, indices that only it has summed.
    for factor in &mut factors {
        let keep = uses.kept(&[factor]);
        if keep != factor.ix {
            let alone = contract(&[factor], keep, sizes)?;
            uses.replace(&[factor], &alone);
            *factor = alone;
        }
    }
    while factors.len() > 2 {
        let (a, b) = cheapest(&factors, &uses, sizes);
        let pair = [&factors[a], &factors[b]];
        let product = contract(&pair, uses.kept(&pair), sizes)?;
        uses.replace(&pair, &product);
        factors.swap_remove(b);
        factors[a] = product;
    }
    let last: Vec<&Factor> = factors.iter().collect();
    let result = contract(&last, out.to_vec(), sizes)?.value;
    Ok(if scale == 1.0 { Rc::unwrap_or_clone(result) } else { result.map(|x| x * scale) })
}

/// Whether nothing has to be done before the last loop nest, as with a matrix product: at most two factors without diagonals, none
/// of which has an index to sum over alone, and no index that only counts.
fn is_one_loop(factors: &[Factor], out: &[Ix], count: usize) -> bool {
    let reads = |at: usize, ix: Ix| factors.get(at).is_some_and(|factor| factor.ix.contains(&ix));
    let needed = |(at, factor): (usize, &Factor)| {
        let once = different(&factor.ix).count() == factor.ix.len();
        once && factor.ix.iter().all(|ix| out.contains(ix) || reads(1 - at, *ix))
    };
    let used = |ix: Ix| out.contains(&ix) || reads(0, ix) || reads(1, ix);
    factors.len() <= 2
        && factors.iter().enumerate().all(needed)
        && (0..count).all(|ix| used(ix as Ix))
}

/// How many factors read each index; the result is one more that does.
struct Uses(Vec<usize>);

impl Uses {
    fn of(factors: &[Factor], out: &[Ix], count: usize) -> Uses {
        let mut uses = Uses(vec![0; count]);
        for ixs in factors.iter().map(|factor| factor.ix.as_slice()).chain([out]) {
            different(ixs).for_each(|ix| uses.0[ix as usize] += 1);
        }
        uses
    }

    /// The indices of some factors that the result or another factor still needs, in order of appearance.
    fn kept(&self, picked: &[&Factor]) -> Vec<Ix> {
        let mut keep: Vec<Ix> = Vec::new();
        for &ix in picked.iter().flat_map(|factor| &factor.ix) {
            let own = picked.iter().filter(|factor| factor.ix.contains(&ix)).count();
            if !keep.contains(&ix) && self.0[ix as usize] > own {
                keep.push(ix);
            }
        }
        keep
    }

    /// One factor stands for some others from now on.
    fn replace(&mut self, before: &[&Factor], after: &Factor) {
        for factor in before {
            different(&factor.ix).for_each(|ix| self.0[ix as usize] -= 1);
        }
        different(&after.ix).for_each(|ix| self.0[ix as usize] += 1);
    }
}

/// The indices, each once.
fn different(ixs: &[Ix]) -> impl Iterator<Item = Ix> {
    ixs.iter().enumerate().filter(|(at, ix)| !ixs[..*at].contains(ix)).map(|(_, ix)| *ix)
}

/// Of how many factors the pairs are compared; of more only where every product of these is larger than its factors.
const COMPARED: usize = 16;

/// The pair whose product is smallest compared with its factors, then cheapest to compute.
fn cheapest(factors: &[Factor], uses: &Uses, sizes: &[usize]) -> (usize, usize) {
    let first = &factors[..factors.len().min(COMPARED)];
    match cheapest_of(first, uses, sizes) {
        (growth, _) if growth > 0.0 && factors.len() > COMPARED => {
            cheapest_of(factors, uses, sizes).1
        }
        (_, pair) => pair,
    }
}

/// The same with what it grows by.
fn cheapest_of(factors: &[Factor], uses: &Uses, sizes: &[usize]) -> (f64, (usize, usize)) {
    let volume = |ixs: &[Ix]| -> f64 { ixs.iter().map(|&ix| sizes[ix as usize] as f64).product() };
    let mut best = (f64::INFINITY, f64::INFINITY, 0, 1);
    for (a, one) in factors.iter().enumerate() {
        for (b, other) in factors.iter().enumerate().skip(a + 1) {
            let growth = volume(&uses.kept(&[one, other])) - volume(&one.ix) - volume(&other.ix);
            let mut all = one.ix.clone();
            all.extend(other.ix.iter().filter(|ix| !one.ix.contains(ix)));
            let cost = volume(&all);
            if (growth, cost) < (best.0, best.1) {
                best = (growth, cost, a, b);
            }
        }
    }
    (best.0, (best.2, best.3))
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
    let size = |ixs: &[Ix]| -> Vec<usize> { ixs.each(|&ix| sizes[ix as usize]) };
    let (shape, inner) = (size(&keep), size(&summed));
    check_size(&shape)?;
    let work = shape.iter().chain(&inner).try_fold(1usize, |work, &n| work.checked_mul(n));
    if work.is_none_or(|work| work > WORK) {
        return Err("a product runs over too many positions to evaluate".to_string());
    }
    let strides: Vec<Vec<usize>> = factors.each(|factor| factor.value.strides());
    let all = |ixs: &[Ix]| -> Vec<Vec<usize>> {
        factors.iter().zip(&strides).map(|(factor, own)| steps(factor, own, ixs)).collect()
    };
    let (outer_steps, inner_steps) = (all(&keep), all(&summed));
    let mut data = Vec::with_capacity(shape.iter().product());
    walk(&shape, &outer_steps, &mut vec![0; factors.len()], &mut |starts| {
        data.push(sum_of_products(factors, starts, &inner, &inner_steps));
    });
    Ok(Factor { value: Rc::new(Array { shape, data }), ix: keep })
}

/// How far a factor moves for a step of each index; a repeated index moves along the diagonal.
fn steps(factor: &Factor, strides: &[usize], ixs: &[Ix]) -> Vec<usize> {
    ixs.each(|ix| {
        let axes = factor.ix.iter().zip(strides);
        axes.filter(|(own, _)| *own == ix).map(|(_, stride)| stride).sum()
    })
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
