//! In: row-major slices and their strides. Out: matrix products. Written so that LLVM keeps a block of the result in registers and
//! vectorises over its columns; literal sizes fold into the code where these are inlined.
//! Invariant: no `unsafe`, no allocation; every entry of `c` is written.

// Indices keep the loops in the shape that vectorises.
#![allow(clippy::needless_range_loop)]

use super::{Real, packed};

/// The part of `b` that is turned at a time where its columns are not adjacent.
const DEPTH: usize = 32;
const WIDTH: usize = 20;
/// From so many multiplications on, copying the operands into panels pays, ...
const LARGE: usize = 64 * 64 * 64;
/// ... but not for narrower results or shorter sums.
const NARROW: usize = 24;

/// `c = a · b`, or `c += a · b` where `accumulate`, with `c: [m, n]` row-major, `a: [m, k]` and `b: [k, n]` by strides, in entries: `a[i, p]` is
/// `a[i * a_row_stride + p * a_col_stride]`. A transposed operand is its strides exchanged.
///
/// ```
/// let (a, b, mut c) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0], [0.0; 2]);
/// chainrule::rt::matmul(2, 2, 1, &a, 2, 1, &b, 1, 1, &mut c, false);
/// assert_eq!(c, [17.0, 39.0]);
/// chainrule::rt::matmul(2, 2, 1, &a, 1, 2, &b, 1, 1, &mut c, true); // aᵀ
/// assert_eq!(c, [17.0 + 23.0, 39.0 + 34.0]);
/// ```
///
/// # Panics
/// Where a slice is shorter than its shape says.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub fn matmul<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: &[F],
    a_row_stride: usize,
    a_col_stride: usize,
    b: &[F],
    b_row_stride: usize,
    b_col_stride: usize,
    c: &mut [F],
    accumulate: bool,
) {
    let c = &mut c[..m * n];
    if k == 0 || c.is_empty() {
        if !accumulate {
            c.fill(F::ZERO);
        }
        return;
    }
    let a = Strided { data: a, row: a_row_stride, col: a_col_stride };
    let b = Strided { data: b, row: b_row_stride, col: b_col_stride };
    if n == 1 {
        // A matrix times a vector is the vector times the transposed matrix.
        product(1, k, m, b.transposed(), a.transposed(), c, accumulate);
    } else {
        product(m, k, n, a, b, c, accumulate);
    }
}

/// [`matmul`] for sizes that are found at run time: one copy of the code for all calls.
///
/// # Panics
/// Where a slice is shorter than its shape says.
#[inline(never)]
#[allow(clippy::too_many_arguments)]
pub fn matmul_any<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: &[F],
    a_row_stride: usize,
    a_col_stride: usize,
    b: &[F],
    b_row_stride: usize,
    b_col_stride: usize,
    c: &mut [F],
    accumulate: bool,
) {
    matmul(m, k, n, a, a_row_stride, a_col_stride, b, b_row_stride, b_col_stride, c, accumulate);
}

/// [`matmul`] for sizes that are or may be large, with `room` to work in: at least [`room`](super::room) numbers.
///
/// # Panics
/// Where a slice is shorter than its shape says, or the room is too small.
#[inline(never)]
#[allow(clippy::too_many_arguments)]
pub fn matmul_large<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: &[F],
    a_row_stride: usize,
    a_col_stride: usize,
    b: &[F],
    b_row_stride: usize,
    b_col_stride: usize,
    c: &mut [F],
    accumulate: bool,
    room: &mut [F],
) {
    let narrow = m < NARROW || n < NARROW || k < NARROW;
    if narrow || m.saturating_mul(k).saturating_mul(n) < LARGE {
        let (a_row, b_row) = (a_row_stride, b_row_stride);
        matmul_any(m, k, n, a, a_row, a_col_stride, b, b_row, b_col_stride, c, accumulate);
        return;
    }
    // With less, panels would be left out without a word.
    assert!(room.len() >= packed::room(m, k, n), "too little room to work in");
    let a = Strided { data: a, row: a_row_stride, col: a_col_stride };
    let b = Strided { data: b, row: b_row_stride, col: b_col_stride };
    packed::product([m, k, n], a, b, c, accumulate, room);
}

/// A matrix by strides.
#[derive(Clone, Copy)]
pub(super) struct Strided<'a, F> {
    pub data: &'a [F],
    pub row: usize,
    pub col: usize,
}

impl<F> Strided<'_, F> {
    #[inline(always)]
    pub(super) fn transposed(self) -> Self {
        Self { row: self.col, col: self.row, ..self }
    }
    #[inline(always)]
    fn rows_after(self, i: usize) -> Self {
        Self { data: &self.data[i * self.row..], ..self }
    }
    #[inline(always)]
    fn cols_after(self, j: usize) -> Self {
        Self { data: &self.data[j * self.col..], ..self }
    }
}

#[inline(always)]
fn product<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    accumulate: bool,
) {
    if b.col == 1 || n == 1 {
        columns(m, k, n, a, b, c, n, accumulate);
    } else if m == 1 && a.col == 1 && b.row == 1 {
        let row = &a.data[..k];
        let mut j = 0;
        while j + 4 <= n {
            dots::<F, 4>(row, b.cols_after(j), &mut c[j..j + 4], accumulate);
            j += 4;
        }
        while j < n {
            dots::<F, 1>(row, b.cols_after(j), &mut c[j..=j], accumulate);
            j += 1;
        }
    } else {
        turned(m, k, n, a, b, c, accumulate);
    }
}

/// Some inner products with one vector at a time; each keeps eight running sums, so that additions do not wait for each other.
#[inline(always)]
fn dots<F: Real, const R: usize>(a: &[F], b: Strided<F>, c: &mut [F], accumulate: bool) {
    let rows: [&[F]; R] = core::array::from_fn(|r| &b.data[r * b.col..][..a.len()]);
    let mut sums = [[F::ZERO; 8]; R];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    for (i, a) in a_blocks.iter().enumerate() {
        for r in 0..R {
            let b = &rows[r][8 * i..][..8];
            for l in 0..8 {
                sums[r][l] = a[l].fma(b[l], sums[r][l]);
            }
        }
    }
    for r in 0..R {
        let b = &rows[r][8 * a_blocks.len()..][..a_rest.len()];
        for l in 0..a_rest.len() {
            sums[r][l] = a_rest[l].fma(b[l], sums[r][l]);
        }
        let s = &sums[r];
        let sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        c[r] = if accumulate { c[r] + sum } else { sum };
    }
}

/// The columns of `b` are not adjacent: turns a panel of it at a time.
#[inline(always)]
fn turned<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    accumulate: bool,
) {
    let mut panel = [[F::ZERO; WIDTH]; DEPTH];
    let mut j = 0;
    while j < n {
        let width = if n - j <= WIDTH { n - j } else { 16 };
        let mut p = 0;
        while p < k {
            let depth = (k - p).min(DEPTH);
            for l in 0..width {
                let column = &b.data[p * b.row + (j + l) * b.col..][..(depth - 1) * b.row + 1];
                for q in 0..depth {
                    panel[q][l] = column[q * b.row];
                }
            }
            let block = Strided { data: panel.as_flattened(), row: WIDTH, col: 1 };
            columns(m, depth, width, a.cols_after(p), block, &mut c[j..], n, accumulate || p > 0);
            p += depth;
        }
        j += width;
    }
}

/// `b.col == 1`: tiles of columns, of the widths that fill vector registers.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn columns<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    c_row: usize,
    accumulate: bool,
) {
    let mut j = 0;
    while j < n {
        let (b, c) = (Strided { data: &b.data[j..], ..b }, &mut c[j..]);
        // Without AVX, registers hold four rows of 8 `f32` or 4 `f64`.
        let narrow = m >= 4 && !cfg!(target_feature = "avx") && cfg!(target_feature = "sse2");
        j += match n - j {
            8.. if narrow && size_of::<F>() == 4 => rows::<F, 8>(m, k, a, b, c, c_row, accumulate),
            4.. if narrow => rows::<F, 4>(m, k, a, b, c, c_row, accumulate),
            20 => rows::<F, 20>(m, k, a, b, c, c_row, accumulate),
            16.. => rows::<F, 16>(m, k, a, b, c, c_row, accumulate),
            12..=15 => rows::<F, 12>(m, k, a, b, c, c_row, accumulate),
            10 => rows::<F, 10>(m, k, a, b, c, c_row, accumulate),
            8.. => rows::<F, 8>(m, k, a, b, c, c_row, accumulate),
            4.. => rows::<F, 4>(m, k, a, b, c, c_row, accumulate),
            3 => rows::<F, 3>(m, k, a, b, c, c_row, accumulate),
            2 => rows::<F, 2>(m, k, a, b, c, c_row, accumulate),
            _ => rows::<F, 1>(m, k, a, b, c, c_row, accumulate),
        };
    }
}

/// All rows of `W` columns, some rows at a time. Returns `W`.
#[inline(always)]
fn rows<F: Real, const W: usize>(
    m: usize,
    k: usize,
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    c_row: usize,
    accumulate: bool,
) -> usize {
    let mut i = 0;
    if m.is_multiple_of(5) && !m.is_multiple_of(4) {
        while i + 5 <= m {
            tile::<F, 5, W>(k, a.rows_after(i), b, &mut c[i * c_row..], c_row, accumulate);
            i += 5;
        }
    }
    while i + 4 <= m {
        tile::<F, 4, W>(k, a.rows_after(i), b, &mut c[i * c_row..], c_row, accumulate);
        i += 4;
    }
    while i < m {
        tile::<F, 1, W>(k, a.rows_after(i), b, &mut c[i * c_row..], c_row, accumulate);
        i += 1;
    }
    W
}

/// A block of `R` rows and `W` columns, summed in registers and stored once.
#[inline(always)]
fn tile<F: Real, const R: usize, const W: usize>(
    k: usize,
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    c_row: usize,
    accumulate: bool,
) {
    let mut sums = [[F::ZERO; W]; R];
    let a_data = &a.data[..(R - 1) * a.row + (k - 1) * a.col + 1];
    let b_data = &b.data[..(k - 1) * b.row + W];
    for p in 0..k {
        let (row, _) = b_data[p * b.row..].as_chunks::<W>();
        let row = row[0];
        for r in 0..R {
            let x = a_data[r * a.row + p * a.col];
            for j in 0..W {
                sums[r][j] = x.fma(row[j], sums[r][j]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let c = &mut c[r * c_row..][..W];
        if accumulate {
            for (c, sum) in c.iter_mut().zip(sums) {
                *c += *sum;
            }
        } else {
            c.copy_from_slice(sums);
        }
    }
}
