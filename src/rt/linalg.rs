//! In: `batch` times some matrices and vectors, row-major. Out: as many results. The caller gives room to work in, at least four times
//! the entries of one set of arguments and its result. Invariant: no allocation; the algorithms are those of the reference evaluator.

// Indices are what the textbooks write.
#![allow(clippy::needless_range_loop, clippy::too_many_arguments)]

use super::Real;

/// One set of arguments with their shapes.
struct Call<'a, F> {
    shapes: &'a [&'a [usize]],
    args: &'a [&'a [F]],
    batch: usize,
}

impl<'a, F: Real> Call<'a, F> {
    fn arg(&self, at: usize) -> &'a [F] {
        let len = self.shapes[at].iter().product::<usize>();
        &self.args[at][self.batch * len..][..len]
    }
    fn rows(&self, at: usize) -> usize {
        self.shapes[at][0]
    }
    fn columns(&self, at: usize) -> usize {
        self.shapes[at].get(1).copied().unwrap_or(1)
    }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident = $one:ident;)*) => { $(
        $(#[$doc])*
        #[inline]
        pub fn $name<F: Real>(
            batch: usize,
            shapes: &[&[usize]],
            shape: &[usize],
            args: &[&[F]],
            _ints: &[i64],
            out: &mut [F],
            scratch: &mut [F],
        ) {
            let len = shape.iter().product::<usize>();
            for batch in 0..batch {
                $one(&Call { shapes, args, batch }, &mut out[batch * len..][..len], scratch);
            }
        }
    )* };
}

functions! {
    /// The determinant.
    det = one_det;
    /// The logarithm of the determinant, NaN where that is negative.
    logdet = one_logdet;
    /// The inverse.
    inv = one_inv;
    /// The solution of `a @ y = b`.
    solve = one_solve;
    /// The lower triangular factor of the symmetric part.
    cholesky = one_cholesky;
    /// On and below the diagonal.
    tril = one_tril;
    /// On and above the diagonal.
    triu = one_triu;
    /// Kronecker's product.
    kron = one_kron;
    /// Its pullback to the first factor.
    kron_left = one_kron_left;
    /// Its pullback to the second factor.
    kron_right = one_kron_right;
    /// Eigenvalues of the symmetric part, ascending.
    eigvalsh = one_eigvalsh;
    /// Its eigenvectors as columns.
    eigvecsh = one_eigvecsh;
    /// Singular values, descending.
    svdvals = one_svdvals;
    /// Left singular vectors as columns.
    svd_u = one_svd_u;
    /// Right singular vectors as columns.
    svd_v = one_svd_v;
}

/// Gaussian elimination with partial pivoting on `[a | b]`, in place; gives the sign of the row exchanges.
fn eliminate<F: Real>(a: &mut [F], b: &mut [F], n: usize, m: usize) -> F {
    let mut sign = F::ONE;
    for k in 0..n {
        let mut pivot = k;
        for i in k + 1..n {
            if a[i * n + k].abs() > a[pivot * n + k].abs() {
                pivot = i;
            }
        }
        if pivot != k {
            for j in 0..n {
                a.swap(pivot * n + j, k * n + j);
            }
            for j in 0..m {
                b.swap(pivot * m + j, k * m + j);
            }
            sign = -sign;
        }
        if a[k * n + k] == F::ZERO {
            continue;
        }
        for i in k + 1..n {
            let factor = a[i * n + k] / a[k * n + k];
            for j in k..n {
                let above = a[k * n + j];
                a[i * n + j] -= factor * above;
            }
            for j in 0..m {
                let above = b[k * m + j];
                b[i * m + j] -= factor * above;
            }
        }
    }
    sign
}

/// `out` holds b and gets the solution.
fn solve_in_place<F: Real>(a: &mut [F], out: &mut [F], n: usize, m: usize) {
    eliminate(a, out, n, m);
    for i in (0..n).rev() {
        for j in 0..m {
            let mut rest = out[i * m + j];
            for k in i + 1..n {
                rest -= a[i * n + k] * out[k * m + j];
            }
            out[i * m + j] = rest / a[i * n + i];
        }
    }
}

fn pivots<'s, F: Real>(call: &Call<F>, scratch: &'s mut [F]) -> (F, &'s [F], usize) {
    let n = call.rows(0);
    let a = &mut scratch[..n * n];
    a.copy_from_slice(call.arg(0));
    let sign = eliminate(a, &mut [], n, 0);
    (sign, a, n)
}

fn one_det<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let (mut det, a, n) = pivots(call, scratch);
    for k in 0..n {
        det *= a[k * n + k];
    }
    out[0] = det;
}

fn one_logdet<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let (mut sign, a, n) = pivots(call, scratch);
    let mut sum = F::ZERO;
    for k in 0..n {
        sign *= a[k * n + k].signum0();
        sum += a[k * n + k].abs().ln();
    }
    out[0] = if sign < F::ZERO { F::NAN } else { sum };
}

fn identity<F: Real>(out: &mut [F], n: usize) {
    out.fill(F::ZERO);
    for i in 0..n {
        out[i * n + i] = F::ONE;
    }
}

fn one_inv<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let n = call.rows(0);
    let a = &mut scratch[..n * n];
    a.copy_from_slice(call.arg(0));
    identity(out, n);
    solve_in_place(a, out, n, n);
}

fn one_solve<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let n = call.rows(0);
    let a = &mut scratch[..n * n];
    a.copy_from_slice(call.arg(0));
    out.copy_from_slice(call.arg(1));
    solve_in_place(a, out, n, call.columns(1));
}

fn symmetric<F: Real>(x: &[F], out: &mut [F], n: usize) {
    for i in 0..n {
        for j in 0..n {
            out[i * n + j] = F::from_f64(0.5) * (x[i * n + j] + x[j * n + i]);
        }
    }
}

fn one_cholesky<F: Real>(call: &Call<F>, l: &mut [F], scratch: &mut [F]) {
    let n = call.rows(0);
    let a = &mut scratch[..n * n];
    symmetric(call.arg(0), a, n);
    l.fill(F::ZERO);
    for i in 0..n {
        for j in 0..=i {
            let mut rest = a[i * n + j];
            for k in 0..j {
                rest -= l[i * n + k] * l[j * n + k];
            }
            l[i * n + j] = if i != j {
                rest / l[j * n + j]
            } else if rest > F::ZERO {
                rest.sqrt()
            } else {
                F::NAN
            };
        }
    }
}

fn mask<F: Real>(call: &Call<F>, out: &mut [F], keep: impl Fn(F, F) -> bool) {
    let (x, shift, columns) = (call.arg(0), call.arg(1)[0], call.columns(0));
    for i in 0..call.rows(0) {
        for j in 0..columns {
            let at = i * columns + j;
            out[at] =
                if keep(F::from_usize(j) - F::from_usize(i), shift) { x[at] } else { F::ZERO };
        }
    }
}

fn one_tril<F: Real>(call: &Call<F>, out: &mut [F], _: &mut [F]) {
    mask(call, out, |offset, k| offset <= k);
}

fn one_triu<F: Real>(call: &Call<F>, out: &mut [F], _: &mut [F]) {
    mask(call, out, |offset, k| offset >= k);
}

/// Calls `f` with the positions in `a`, in `b` and in their Kronecker product.
fn kron_positions(a: [usize; 2], b: [usize; 2], mut f: impl FnMut(usize, usize, usize)) {
    for i in 0..a[0] {
        for j in 0..a[1] {
            for k in 0..b[0] {
                for l in 0..b[1] {
                    f(i * a[1] + j, k * b[1] + l, (i * b[0] + k) * a[1] * b[1] + j * b[1] + l);
                }
            }
        }
    }
}

fn one_kron<F: Real>(call: &Call<F>, out: &mut [F], _: &mut [F]) {
    let (a, b) = (call.arg(0), call.arg(1));
    let (first, second) = ([call.rows(0), call.columns(0)], [call.rows(1), call.columns(1)]);
    kron_positions(first, second, |p, q, r| out[r] = a[p] * b[q]);
}

fn one_kron_left<F: Real>(call: &Call<F>, out: &mut [F], _: &mut [F]) {
    let (g, b) = (call.arg(0), call.arg(1));
    let second = [call.rows(1), call.columns(1)];
    let first = [call.rows(0) / second[0].max(1), call.columns(0) / second[1].max(1)];
    out.fill(F::ZERO);
    kron_positions(first, second, |p, q, r| out[p] += g[r] * b[q]);
}

fn one_kron_right<F: Real>(call: &Call<F>, out: &mut [F], _: &mut [F]) {
    let (a, g) = (call.arg(0), call.arg(1));
    let first = [call.rows(0), call.columns(0)];
    let second = [call.rows(1) / first[0].max(1), call.columns(1) / first[1].max(1)];
    out.fill(F::ZERO);
    kron_positions(first, second, |p, q, r| out[q] += a[p] * g[r]);
}

/// `(x, y) <- (c x - s y, s x + c y)`
fn turn<F: Real>(data: &mut [F], i: usize, j: usize, c: F, s: F) {
    let (x, y) = (data[i], data[j]);
    data[i] = c * x - s * y;
    data[j] = s * x + c * y;
}

/// Cosine and sine of the rotation for `cot(2φ) = theta`.
fn rotation<F: Real>(theta: F) -> (F, F) {
    let t = F::ONE.copysign(theta) / (theta.abs() + theta.hypot(F::ONE));
    let c = F::ONE / t.hypot(F::ONE);
    (c, t * c)
}

/// Jacobi's rotations on the symmetric matrix `a`; `v` gets the eigenvectors as columns.
fn jacobi<F: Real>(a: &mut [F], v: &mut [F], n: usize) {
    identity(v, n);
    for _ in 0..64 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (pp, qq, pq) = (a[p * n + p], a[q * n + q], a[p * n + q]);
                let tiny = F::from_f64(0.005) * F::EPSILON * (pp.abs() + qq.abs());
                if pq.abs() <= tiny || !pq.is_finite() {
                    continue;
                }
                rotated = true;
                let (c, s) = rotation((qq - pp) / (pq + pq));
                for k in 0..n {
                    turn(a, k * n + p, k * n + q, c, s);
                }
                for k in 0..n {
                    turn(a, p * n + k, q * n + k, c, s);
                    turn(v, k * n + p, k * n + q, c, s);
                }
                a[p * n + q] = F::ZERO;
                a[q * n + p] = F::ZERO;
            }
        }
        if !rotated {
            return;
        }
    }
}

/// How many come before the `j`th in ascending order, NaNs last: its place. All places are different.
fn place<F: Real>(keys: impl Fn(usize) -> F, j: usize, n: usize) -> usize {
    let before = |a: F, b: F| a < b || (b.is_nan() && !a.is_nan());
    let key = keys(j);
    (0..n).filter(|&i| before(keys(i), key) || (i < j && !before(key, keys(i)))).count()
}

fn eigen<'s, F: Real>(call: &Call<F>, scratch: &'s mut [F]) -> (&'s [F], &'s [F], usize) {
    let n = call.rows(0);
    let (a, rest) = scratch.split_at_mut(n * n);
    let v = &mut rest[..n * n];
    symmetric(call.arg(0), a, n);
    jacobi(a, v, n);
    (a, v, n)
}

fn one_eigvalsh<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let (a, _, n) = eigen(call, scratch);
    for j in 0..n {
        out[place(|i| a[i * n + i], j, n)] = a[j * n + j];
    }
}

fn one_eigvecsh<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let (a, v, n) = eigen(call, scratch);
    for j in 0..n {
        let to = place(|i| a[i * n + i], j, n);
        let mut top = F::ZERO;
        for i in 0..n {
            if v[i * n + j].abs() > top.abs() {
                top = v[i * n + j];
            }
        }
        for i in 0..n {
            out[i * n + to] = if top < F::ZERO { -v[i * n + j] } else { v[i * n + j] };
        }
    }
}

/// The thin decomposition by one-sided rotations of the tall one of `x` and its transpose.
struct Svd<'s, F> {
    /// Columns `u s`, `m` by `n`.
    us: &'s [F],
    v: &'s [F],
    m: usize,
    n: usize,
    wide: bool,
}

fn svd<'s, F: Real>(call: &Call<F>, scratch: &'s mut [F]) -> Svd<'s, F> {
    let (rows, columns, x) = (call.rows(0), call.columns(0), call.arg(0));
    let wide = rows < columns;
    let (m, n) = if wide { (columns, rows) } else { (rows, columns) };
    let (us, rest) = scratch.split_at_mut(m * n);
    let v = &mut rest[..n * n];
    for i in 0..m {
        for j in 0..n {
            us[i * n + j] = if wide { x[j * m + i] } else { x[i * n + j] };
        }
    }
    identity(v, n);
    for _ in 0..64 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (pp, qq, pq) = (dot(us, p, p, m, n), dot(us, q, q, m, n), dot(us, p, q, m, n));
                if pq.abs() <= F::from_f64(0.5) * F::EPSILON * (pp * qq).sqrt() || !pq.is_finite() {
                    continue;
                }
                rotated = true;
                let (c, s) = rotation((qq - pp) / (pq + pq));
                for k in 0..m {
                    turn(us, k * n + p, k * n + q, c, s);
                }
                for k in 0..n {
                    turn(v, k * n + p, k * n + q, c, s);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    Svd { us, v, m, n, wide }
}

fn dot<F: Real>(x: &[F], p: usize, q: usize, m: usize, n: usize) -> F {
    let mut sum = F::ZERO;
    for k in 0..m {
        sum = x[k * n + p].fma(x[k * n + q], sum);
    }
    sum
}

impl<F: Real> Svd<'_, F> {
    fn value(&self, j: usize) -> F {
        dot(self.us, j, j, self.m, self.n).sqrt()
    }
    fn place(&self, j: usize) -> usize {
        place(|i| -self.value(i), j, self.n)
    }
    /// The vectors on the side of the long axis.
    fn long(&self, out: &mut [F]) {
        for j in 0..self.n {
            let (to, value) = (self.place(j), self.value(j));
            for i in 0..self.m {
                out[i * self.n + to] = self.us[i * self.n + j] / value;
            }
        }
    }
    fn short(&self, out: &mut [F]) {
        for j in 0..self.n {
            let to = self.place(j);
            for i in 0..self.n {
                out[i * self.n + to] = self.v[i * self.n + j];
            }
        }
    }
}

fn one_svdvals<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let svd = svd(call, scratch);
    for j in 0..svd.n {
        out[svd.place(j)] = svd.value(j);
    }
}

fn one_svd_u<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let svd = svd(call, scratch);
    if svd.wide { svd.short(out) } else { svd.long(out) }
}

fn one_svd_v<F: Real>(call: &Call<F>, out: &mut [F], scratch: &mut [F]) {
    let svd = svd(call, scratch);
    if svd.wide { svd.long(out) } else { svd.short(out) }
}
