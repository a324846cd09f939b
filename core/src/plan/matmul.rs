//! In: a contraction of two operands. Out: the same as a matrix product by strides, where it is one in some order of axes.

use super::lin::{strides, volume};
use super::stream::PARTS;
use crate::few::Each;
use crate::ir::{Dim, Einsum, Graph, Ix, NodeId, Op};

/// `c[m, n] = Σ_k a[m, k] b[k, n]`, for every position of some batch axes.
#[derive(Clone, Debug)]
pub struct Strided {
    /// Whether the first argument stands on the right.
    pub swapped: bool,
    /// Size, and distance in a, b and c, of each batch axis.
    pub batch: Vec<(Dim, [Dim; 3])>,
    /// Rows of c.
    pub m: Dim,
    /// Summed.
    pub k: Dim,
    /// Columns of c.
    pub n: Dim,
    /// Row and column distance of a.
    pub a: (Dim, Dim),
    /// Row and column distance of b.
    pub b: (Dim, Dim),
}

/// Products of at least so many multiplications gain from panels (measured: from 64 × 64 × 64 on at the latest).
const LARGE: i128 = 64 * 64 * 64;
/// Narrower results, and shorter sums, do not.
const NARROW: i128 = 24;
/// The most that panels have of each of the three sizes: rows, terms of sums, columns.
const MOST: [i128; 3] = [96, 256, 512];
/// So that they may start where a line of the cache does.
const LINE: i128 = 16;

impl Strided {
    /// How many numbers the product wants to work in, where it is, or at run time may be, so large that copying its operands into
    /// panels pays. At least what `chainrule::rt::room` says for its sizes; for threads, for each of [`PARTS`] bands.
    pub fn room(&self, threads: bool) -> Option<Dim> {
        let sizes = [&self.m, &self.k, &self.n].map(Dim::as_fixed);
        if sizes.iter().flatten().any(|size| *size < NARROW) {
            return None;
        }
        if let [Some(m), Some(k), Some(n)] = sizes
            && m.saturating_mul(k).saturating_mul(n) < LARGE
        {
            return None;
        }
        let most = |at: usize, padding: i128| {
            let padded = |size: i128| (size + padding + 15) / 16 * 16;
            sizes[at].map_or(MOST[at], |size| padded(size).min(MOST[at]))
        };
        let bands = if threads { PARTS } else { 1 };
        Some(Dim::fixed(bands * (most(1, 0) * (most(0, 16) + most(2, 16)) + LINE)))
    }
}

/// The roles of the indices of a two-operand contraction.
struct Roles<'e> {
    batch: &'e [Ix],
    rows: &'e [Ix],
    columns: &'e [Ix],
    summed: &'e [Ix],
    swapped: bool,
}

/// How many of the first axes of the result both operands have, or need, as axes of a batch at the least.
fn shared(e: &Einsum, summed: &[Ix]) -> Option<usize> {
    let [a, b] = e.ins.as_slice() else {
        return None;
    };
    let both = |ix: &Ix| a.contains(ix) && b.contains(ix);
    let any = |ix: &Ix| a.contains(ix) || b.contains(ix);
    let product = !summed.is_empty() && summed.iter().all(both) && e.out.iter().all(any);
    product.then(|| e.out.iter().rposition(both).map_or(0, |last| last + 1))
}

/// The roles where the first axes of the result, so many of them, are those of a batch.
fn roles<'e>(e: &'e Einsum, batch: usize, summed: &'e [Ix]) -> Option<Roles<'e>> {
    let (batch, rest) = e.out.split_at(batch);
    let of_first = |ix: &Ix| e.ins[0].contains(ix);
    let swapped = !of_first(rest.first()?) && rest.iter().any(of_first);
    let left = &e.ins[usize::from(swapped)];
    let split = rest.iter().position(|ix| !left.contains(ix)).unwrap_or(rest.len());
    let (rows, columns) = rest.split_at(split);
    let whole = !columns.iter().any(|ix| left.contains(ix));
    whole.then_some(Roles { batch, rows, columns, summed, swapped })
}

/// Whether [`strided`] gives something.
pub fn is_matmul(e: &Einsum) -> bool {
    strided(e).is_some()
}

/// The contraction as a matrix product; `None` where the axes of the result are interleaved. An axis that only one operand has may be
/// one of the batch, where it stands before the others: each product has rows and columns then.
pub fn strided(e: &Einsum) -> Option<Strided> {
    let summed = e.bound();
    let least = shared(e, &summed)?;
    (least..e.out.len()).find_map(|batch| {
        let roles = roles(e, batch, &summed)?;
        let wide = roles.rows.is_empty() || roles.columns.is_empty();
        (batch == least || !wide).then(|| by_roles(e, &roles))?
    })
}

fn by_roles(e: &Einsum, roles: &Roles) -> Option<Strided> {
    let (left, right) = if roles.swapped { (&e.ins[1], &e.ins[0]) } else { (&e.ins[0], &e.ins[1]) };
    let a = |ix: Ix| distance(e, left, ix);
    let b = |ix: Ix| distance(e, right, ix);
    let (m, a_row) = merged(e, roles.rows, &a)?;
    let (n, b_col) = merged(e, roles.columns, &b)?;
    let (k, a_col, b_row) = [left, right].into_iter().find_map(|operand| {
        let mut summed: Vec<Ix> = operand.clone();
        summed.retain(|ix| roles.summed.contains(ix));
        dedup(&mut summed);
        let (k, a_col) = merged(e, &summed, &a)?;
        let (_, b_row) = merged(e, &summed, &b)?;
        Some((k, a_col, b_row))
    })?;
    let shape: Vec<Dim> = e.out.each(|&ix| e.sizes[ix as usize].clone());
    let of_result = strides(&shape);
    let batch = roles.batch.iter().enumerate();
    let batch = batch
        .map(|(at, &ix)| (e.sizes[ix as usize].clone(), [a(ix), b(ix), of_result[at].clone()]))
        .collect();
    Some(Strided { swapped: roles.swapped, batch, m, k, n, a: (a_row, a_col), b: (b_row, b_col) })
}

/// For `product + vector`, the product and the vector, where the vector stands along the columns of the result.
pub fn biased(graph: &Graph, id: NodeId) -> Option<(NodeId, NodeId)> {
    let (Op::Add(coefficients), [p, q]) = (graph.op(id), graph.args(id)) else {
        return None;
    };
    if !coefficients.iter().all(|c| c.is_one()) {
        return None;
    }
    [(*p, *q), (*q, *p)].into_iter().find_map(|(product, repeated)| {
        let (Op::Einsum(e), Op::Einsum(r)) = (graph.op(product), graph.op(repeated)) else {
            return None;
        };
        let product_of = strided(e).filter(|product| product.batch.is_empty())?;
        let ([vector], [ins]) = (graph.args(repeated), r.ins.as_slice()) else {
            return None;
        };
        let columns = volume(graph.shape(*vector)) == product_of.n;
        let along = ins.len() < r.out.len() && r.out.ends_with(ins) && r.bound().is_empty();
        (columns && along && !ins.is_empty()).then_some((product, *vector))
    })
}

/// How far apart an operand's entries are along an index.
fn distance(e: &Einsum, operand: &[Ix], ix: Ix) -> Dim {
    let shape: Vec<Dim> = operand.each(|&ix| e.sizes[ix as usize].clone());
    strides(&shape)
        .into_iter()
        .zip(operand)
        .filter(|(_, at)| **at == ix)
        .fold(Dim::fixed(0), |sum, (stride, _)| sum.plus(&stride, crate::ir::Num::ONE))
}

/// Several indices as one, where their distances allow it: its size and distance.
fn merged(e: &Einsum, group: &[Ix], distance: &dyn Fn(Ix) -> Dim) -> Option<(Dim, Dim)> {
    let mut size = Dim::fixed(1);
    for (at, &ix) in group.iter().enumerate() {
        if let Some(&next) = group.get(at + 1)
            && distance(ix) != e.sizes[next as usize].times(&distance(next))
        {
            return None;
        }
        size = size.times(&e.sizes[ix as usize]);
    }
    let last = group.last().map_or(Dim::fixed(1), |&ix| distance(ix));
    Some((size, last))
}

fn dedup(indices: &mut Vec<Ix>) {
    let mut seen: Vec<Ix> = Vec::new();
    indices.retain(|ix| {
        let new = !seen.contains(ix);
        seen.push(*ix);
        new
    });
}
