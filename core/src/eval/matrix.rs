//! Linear algebra for the reference evaluator: textbook algorithms on single matrices.

use super::array::Array;
use crate::few::{self, Each};

/// `a @ b`
pub fn matmul(a: &Array, b: &Array) -> Array {
    Array::from_fn(&[a.shape[0], b.shape[1]], |ix| {
        (0..a.shape[1]).map(|k| a.at(&[ix[0], k]) * b.at(&[k, ix[1]])).sum()
    })
}

/// Rows and columns exchanged.
pub fn transpose(a: &Array) -> Array {
    Array::from_fn(&[a.shape[1], a.shape[0]], |ix| a.at(&[ix[1], ix[0]]))
}

/// `(a + aᵀ)/2`
pub fn symmetric_part(a: &Array) -> Array {
    Array::from_fn(&a.shape, |ix| 0.5 * (a.at(ix) + a.at(&[ix[1], ix[0]])))
}

/// The identity.
pub fn identity(n: usize) -> Array {
    Array::from_fn(&[n, n], |ix| f64::from(u8::from(ix[0] == ix[1])))
}

/// A matrix as rows.
fn rows(a: &Array) -> Vec<Vec<f64>> {
    let width = a.shape[1];
    (0..a.shape[0]).map(|i| a.data[i * width..(i + 1) * width].to_vec()).collect()
}

/// Gaussian elimination with partial pivoting on `[a | b]`: the reduced rows, and the sign of the row exchanges.
fn eliminate(a: &Array, b: &Array) -> (Vec<Vec<f64>>, f64) {
    let n = a.shape[0];
    let mut work: Vec<Vec<f64>> =
        rows(a).into_iter().zip(rows(b)).map(|(left, right)| [left, right].concat()).collect();
    let mut sign = 1.0;
    for k in 0..n {
        let pivot =
            (k..n).max_by(|&i, &j| work[i][k].abs().total_cmp(&work[j][k].abs())).unwrap_or(k);
        if pivot != k {
            work.swap(pivot, k);
            sign = -sign;
        }
        if work[k][k] == 0.0 {
            continue;
        }
        let row = work[k].clone();
        for below in work.iter_mut().skip(k + 1) {
            let factor = below[k] / row[k];
            below.iter_mut().zip(&row).skip(k).for_each(|(x, p)| *x -= factor * p);
        }
    }
    (work, sign)
}

/// The sign of the row exchanges, and the pivots: their product is the determinant.
fn pivots(a: &Array) -> (f64, Vec<f64>) {
    let (work, sign) = eliminate(a, &Array::zeros(&[a.shape[0], 0]));
    (sign, (0..a.shape[0]).map(|k| work[k][k]).collect())
}

/// The solution of `a @ x = b`; infinite or NaN where `a` is singular.
pub fn solve(a: &Array, b: &Array) -> Array {
    let (n, m) = (a.shape[0], b.shape[1]);
    let (work, _) = eliminate(a, b);
    let mut x = Array::zeros(&[n, m]);
    for i in (0..n).rev() {
        for j in 0..m {
            let known: f64 = (i + 1..n).map(|k| work[i][k] * x.data[k * m + j]).sum();
            x.data[i * m + j] = (work[i][n + j] - known) / work[i][i];
        }
    }
    x
}

/// The determinant.
pub fn det(a: &Array) -> f64 {
    let (sign, pivots) = pivots(a);
    sign * pivots.iter().product::<f64>()
}

/// The logarithm of the determinant, NaN where that is negative; does not overflow with it.
pub fn logdet(a: &Array) -> f64 {
    let (sign, pivots) = pivots(a);
    if sign * pivots.iter().map(|p| p.signum()).product::<f64>() < 0.0 && !pivots.contains(&0.0) {
        return f64::NAN;
    }
    pivots.iter().map(|p| p.abs().ln()).sum()
}

/// The inverse.
pub fn inverse(a: &Array) -> Array {
    solve(a, &identity(a.shape[0]))
}

/// The lower triangular factor of the symmetric part: `l @ lᵀ`; NaN where it is not positive definite.
pub fn cholesky(a: &Array) -> Array {
    let (n, a) = (a.shape[0], symmetric_part(a));
    let mut l = Array::zeros(&[n, n]);
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l.data[i * n + k] * l.data[j * n + k]).sum();
            let rest = a.data[i * n + j] - known;
            l.data[i * n + j] = match i == j {
                true if rest > 0.0 => rest.sqrt(),
                true => f64::NAN,
                false => rest / l.data[j * n + j],
            };
        }
    }
    l
}

/// Eigenvalues of the symmetric part, ascending, and the eigenvectors as columns, each with its largest entry positive
/// (Jacobi's rotations).
pub fn eigh(a: &Array) -> (Vec<f64>, Array) {
    let n = a.shape[0];
    let mut a = symmetric_part(a);
    let mut v = identity(n);
    for _ in 0..64 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                rotated |= rotate(&mut a, &mut v, p, q);
            }
        }
        if !rotated {
            break;
        }
    }
    let order = few::order(n, &|i, j| a.at(&[i, i]).total_cmp(&a.at(&[j, j])));
    let values = order.each(|&i| a.at(&[i, i]));
    let vectors = Array::from_fn(&[n, n], |ix| v.at(&[ix[0], order[ix[1]]]));
    (values, largest_positive(vectors))
}

/// One rotation that makes the entry `p, q` vanish; whether there was anything to do.
fn rotate(a: &mut Array, v: &mut Array, p: usize, q: usize) -> bool {
    let n = a.shape[0];
    let (app, aqq, apq) = (a.at(&[p, p]), a.at(&[q, q]), a.at(&[p, q]));
    if apq.abs() <= 1e-18 * (app.abs() + aqq.abs()) || !apq.is_finite() {
        return false;
    }
    let theta = (aqq - app) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for k in 0..n {
        turn(&mut a.data, k * n + p, k * n + q, c, s);
    }
    for k in 0..n {
        turn(&mut a.data, p * n + k, q * n + k, c, s);
        turn(&mut v.data, k * n + p, k * n + q, c, s);
    }
    a.data[p * n + q] = 0.0;
    a.data[q * n + p] = 0.0;
    true
}

fn turn(data: &mut [f64], i: usize, j: usize, c: f64, s: f64) {
    let (x, y) = (data[i], data[j]);
    data[i] = c * x - s * y;
    data[j] = s * x + c * y;
}

/// Columns with the sign that makes their largest entry positive.
fn largest_positive(v: Array) -> Array {
    let n = v.shape[0];
    let signs: Vec<f64> = (0..v.shape[1])
        .map(|j| {
            let top = (0..n)
                .map(|i| v.at(&[i, j]))
                .fold(0.0f64, |top, x| if x.abs() > top.abs() { x } else { top });
            if top < 0.0 { -1.0 } else { 1.0 }
        })
        .collect();
    Array::from_fn(&v.shape, |ix| v.at(ix) * signs[ix[1]])
}

/// The thin singular value decomposition `u @ diag(s) @ vᵀ`, `s` descending (one-sided Jacobi's rotations).
pub fn svd(a: &Array) -> (Array, Vec<f64>, Array) {
    if a.shape[0] < a.shape[1] {
        let (u, s, v) = svd(&transpose(a));
        return (v, s, u);
    }
    let (m, n) = (a.shape[0], a.shape[1]);
    let mut columns = a.clone();
    let mut v = identity(n);
    for _ in 0..64 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                rotated |= orthogonalise(&mut columns, &mut v, p, q);
            }
        }
        if !rotated {
            break;
        }
    }
    let column = |j: usize| -> Vec<f64> { (0..m).map(|i| columns.at(&[i, j])).collect() };
    let lengths: Vec<f64> = (0..n).map(|j| super::special::norm2(&column(j))).collect();
    let order = few::order(n, &|i, j| lengths[j].total_cmp(&lengths[i]));
    let s: Vec<f64> = order.each(|&j| lengths[j]);
    let u = Array::from_fn(&[m, n], |ix| columns.at(&[ix[0], order[ix[1]]]) / s[ix[1]]);
    let v = Array::from_fn(&[n, n], |ix| v.at(&[ix[0], order[ix[1]]]));
    (u, s, v)
}

/// Rotates two columns until they are at right angles; whether there was anything to do.
fn orthogonalise(columns: &mut Array, v: &mut Array, p: usize, q: usize) -> bool {
    let (m, n) = (columns.shape[0], columns.shape[1]);
    let dot = |i: usize, j: usize| -> f64 {
        (0..m).map(|k| columns.data[k * n + i] * columns.data[k * n + j]).sum()
    };
    let (pp, qq, pq) = (dot(p, p), dot(q, q), dot(p, q));
    if pq.abs() <= 1e-16 * (pp * qq).sqrt() || !pq.is_finite() {
        return false;
    }
    let theta = (qq - pp) / (2.0 * pq);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    (0..m).for_each(|k| turn(&mut columns.data, k * n + p, k * n + q, c, s));
    (0..n).for_each(|k| turn(&mut v.data, k * n + p, k * n + q, c, s));
    true
}
