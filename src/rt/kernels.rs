//! In: row-major slices and their strides. Out: matrix products. Written so that LLVM keeps a block of the result in registers and
//! vectorises over its columns. [`matmul`] and [`matmul_large`] take any sizes and are compiled once, in this crate, for each set of
//! instructions; [`tiles`] and [`dots`] are what generated code lays small products out with, for their very sizes.
//! Invariant: no `unsafe`, no allocation; every entry of `c` is written.

// Indices keep the loops in the shape that vectorises.
#![allow(clippy::needless_range_loop)]

use super::dispatch::{has_widest, widest_product};
use super::{Lane, Part, Real, Work, dispatch, packed};

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
#[inline]
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
    let a = Strided { data: a, row: a_row_stride, col: a_col_stride };
    let b = Strided { data: b, row: b_row_stride, col: b_col_stride };
    F::product(Product { sizes: [m, k, n], a, b, c, accumulate, room: None });
}

/// [`matmul`] for sizes that are or may be large, with `room` to work in: at least [`room`](super::room) numbers.
///
/// # Panics
/// Where a slice is shorter than its shape says, or the room is too small.
#[inline]
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
    let a = Strided { data: a, row: a_row_stride, col: a_col_stride };
    let b = Strided { data: b, row: b_row_stride, col: b_col_stride };
    F::product(Product { sizes: [m, k, n], a, b, c, accumulate, room: Some(room) });
}

/// A product of sizes m, k and n.
pub struct Product<'a, F> {
    pub(super) sizes: [usize; 3],
    pub(super) a: Strided<'a, F>,
    pub(super) b: Strided<'a, F>,
    pub(super) c: &'a mut [F],
    pub(super) accumulate: bool,
    pub(super) room: Option<&'a mut [F]>,
}

impl<S: Real> Product<'_, S> {
    /// Computes it, with the widest instructions that there are. What calls this for one type is where that type's code stands.
    #[inline(always)]
    pub(super) fn compute(self) {
        dispatch(self);
    }
}

impl<S: Real> Work<S> for Product<'_, S> {
    #[inline(always)]
    fn run<F: Lane<S>>(self) {
        let Product { sizes: [m, k, n], a, b, c, accumulate, room } = self;
        let (a, b, c) = (a.over::<F>(), b.over::<F>(), &mut F::of_mut(c)[..m * n]);
        let large = m >= NARROW && n >= NARROW && k >= NARROW;
        match room {
            Some(room) if large && m.saturating_mul(k).saturating_mul(n) >= LARGE => {
                // With less, panels would be left out without a word.
                assert!(room.len() >= packed::room(m, k, n), "too little room to work in");
                packed::product([m, k, n], a, b, c, accumulate, F::of_mut(room));
            }
            _ if k == 0 || c.is_empty() => {
                if !accumulate {
                    c.fill(F::ZERO);
                }
            }
            _ => {
                // A matrix times a vector is the vector times the transposed matrix.
                let (m, n, a, b) =
                    if n == 1 { (1, m, b.transposed(), a.transposed()) } else { (m, n, a, b) };
                product(m, k, n, a, b, c, accumulate);
            }
        }
    }
}

/// `R` rows at a time of `rows` rows and `W` columns of a product, `b`'s columns adjacent: `b[p, j]` is `b[p * b_row + j]`.
/// Without `accumulate` what stands in `c` is overwritten. `rows` is a multiple of `R`, and `k` is not 0.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub fn tiles<F: Real, const R: usize, const W: usize>(
    rows: usize,
    k: usize,
    a: &[F],
    a_row: usize,
    a_col: usize,
    b: &[F],
    b_row: usize,
    c: &mut [F],
    c_row: usize,
    accumulate: bool,
) {
    let a = Strided { data: a, row: a_row, col: a_col };
    let b = Strided { data: b, row: b_row, col: 1 };
    for i in (0..rows).step_by(R) {
        // With AVX-512, LLVM would take the tiles of short sums side by side, and scatter entries of columns instead of storing rows.
        let i = if rows > 2 * R { core::hint::black_box(i) } else { i };
        tile::<F, R, W>(k, a.rows_after(i), b, &mut c[i * c_row..], c_row, accumulate);
    }
}

/// The inner products of the first `k` entries of `a` with `n` vectors that stand `b_col` apart.
#[inline(always)]
pub fn dots<F: Real>(
    k: usize,
    n: usize,
    a: &[F],
    b: &[F],
    b_col: usize,
    c: &mut [F],
    accumulate: bool,
) {
    Vectors { n, a: &a[..k], b: Strided { data: b, row: 1, col: b_col }, c, accumulate }.run();
}

/// A matrix by strides.
#[derive(Clone, Copy)]
pub struct Strided<'a, F> {
    pub data: &'a [F],
    pub row: usize,
    pub col: usize,
}

impl<'a, S: Real> Strided<'a, S> {
    /// The same numbers as others.
    #[inline(always)]
    fn over<F: Lane<S>>(self) -> Strided<'a, F> {
        Strided { data: F::of(self.data), row: self.row, col: self.col }
    }
}

impl<F> Strided<'_, F> {
    #[inline(always)]
    pub(super) fn transposed(self) -> Self {
        Self { row: self.col, col: self.row, ..self }
    }
    #[inline(always)]
    pub(super) fn rows_after(self, i: usize) -> Self {
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
        F::apart(Vectors { n, a: &a.data[..k], b, c, accumulate });
    } else {
        turned(m, k, n, a, b, c, accumulate);
    }
}

/// Inner products of `a` with `n` vectors.
struct Vectors<'a, F> {
    n: usize,
    a: &'a [F],
    b: Strided<'a, F>,
    c: &'a mut [F],
    accumulate: bool,
}

impl<F: Real> Part for Vectors<'_, F> {
    #[inline(always)]
    fn run(self) {
        let Vectors { n, a, b, c, accumulate } = self;
        let mut j = 0;
        while j + 4 <= n {
            inner::<F, 4>(a, b.cols_after(j), &mut c[j..j + 4], accumulate);
            j += 4;
        }
        while j < n {
            inner::<F, 1>(a, b.cols_after(j), &mut c[j..=j], accumulate);
            j += 1;
        }
    }
}

/// Some inner products with one vector at a time; each keeps eight running sums, so that additions do not wait for each other.
#[inline(always)]
fn inner<F: Real, const R: usize>(a: &[F], b: Strided<F>, c: &mut [F], accumulate: bool) {
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
            turn(b.cols_after(j).rows_after(p), depth, width, &mut panel);
            let block = Strided { data: panel.as_flattened(), row: WIDTH, col: 1 };
            columns(m, depth, width, a.cols_after(p), block, &mut c[j..], n, accumulate || p > 0);
            p += depth;
        }
        j += width;
    }
}

/// Writes the first `depth` entries of `width` columns into rows, where columns are adjacent four by four.
#[inline(always)]
fn turn<F: Real>(b: Strided<F>, depth: usize, width: usize, rows: &mut [[F; WIDTH]; DEPTH]) {
    let fours = if b.row == 1 { width / 4 * 4 } else { 0 };
    for l in (0..fours).step_by(4) {
        let columns: [&[F]; 4] = core::array::from_fn(|c| &b.data[(l + c) * b.col..][..depth]);
        let blocks = columns.map(|column| column.as_chunks::<4>());
        for (q, rows) in rows[..depth].chunks_exact_mut(4).enumerate() {
            for (s, row) in rows.iter_mut().enumerate() {
                row[l..l + 4].copy_from_slice(&blocks.map(|(blocks, _)| blocks[q][s]));
            }
        }
        for s in 0..depth % 4 {
            let q = depth / 4 * 4 + s;
            rows[q][l..l + 4].copy_from_slice(&blocks.map(|(_, rest)| rest[s]));
        }
    }
    for l in fours..width {
        let column = &b.data[l * b.col..][..(depth - 1) * b.row + 1];
        for q in 0..depth {
            rows[q][l] = column[q * b.row];
        }
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
    if const { F::WIDE } && m > 3 && has_widest() {
        return widest_product([m, k, n], a, b, c, c_row, accumulate);
    }
    let mut j = 0;
    while j < n {
        let b = Strided { data: &b.data[j..], ..b };
        let part = Columns { m, k, a, b, c: &mut c[j..], c_row, accumulate };
        // Sums fill twelve to fifteen registers, of 8 `f32` or 4 `f64`, without AVX of half as many.
        let left = n - j;
        // The conditions are constants, so that what no number type wants is not compiled for it.
        j += if const { F::WIDE && size_of::<F>() == 4 } {
            match left {
                32.. if m < 4 => part.of::<32>(),
                20 => part.of::<20>(),
                16.. => part.of::<16>(),
                10 => part.of::<10>(),
                _ => part.narrow(left),
            }
        } else if const { F::WIDE } {
            match left {
                16.. if m < 4 => part.of::<16>(),
                20 | 12 => part.of::<12>(),
                10 => part.of::<10>(),
                _ => part.narrow(left),
            }
        } else {
            part.narrow(if size_of::<F>() == 4 { left } else { left.min(4) })
        };
    }
}

/// All rows of some columns.
struct Columns<'a, F> {
    m: usize,
    k: usize,
    a: Strided<'a, F>,
    b: Strided<'a, F>,
    c: &'a mut [F],
    c_row: usize,
    accumulate: bool,
}

impl<F: Real> Columns<'_, F> {
    /// The first `W`, which is returned.
    #[inline(always)]
    fn of<const W: usize>(self) -> usize {
        F::apart(Exactly::<F, W>(self));
        W
    }

    /// As many of `left` as registers hold exactly, at most 8.
    #[inline(always)]
    fn narrow(self, left: usize) -> usize {
        match left {
            8.. => self.of::<8>(),
            4.. => self.of::<4>(),
            2.. => self.of::<2>(),
            _ => self.of::<1>(),
        }
    }
}

struct Exactly<'a, F, const W: usize>(Columns<'a, F>);

impl<F: Real, const W: usize> Part for Exactly<'_, F, W> {
    /// Some rows at a time.
    #[inline(always)]
    fn run(self) {
        let Columns { m, k, a, b, c, c_row, accumulate } = self.0;
        let mut i = 0;
        // Where a row is three registers of sums, more rows than three would not leave enough for the operands.
        if const { W * size_of::<F>() > 64 && F::WIDE } {
            while i + 3 <= m {
                tile::<F, 3, W>(k, a.rows_after(i), b, &mut c[i * c_row..], c_row, accumulate);
                i += 3;
            }
        } else {
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
        }
        while i < m {
            tile::<F, 1, W>(k, a.rows_after(i), b, &mut c[i * c_row..], c_row, accumulate);
            i += 1;
        }
    }
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
    match R {
        1 => tile_1::<F, W>(k, a, b, c, c_row, accumulate),
        2 => tile_2::<F, W>(k, a, b, c, c_row, accumulate),
        3 => tile_3::<F, W>(k, a, b, c, c_row, accumulate),
        4 => tile_4::<F, W>(k, a, b, c, c_row, accumulate),
        5 => tile_5::<F, W>(k, a, b, c, c_row, accumulate),
        _ => unreachable!("tiles have at most five rows"),
    }
}

/// Sums with a name for each row: those of an array of rows would only be in registers where LLVM unrolls the loop over rows, which
/// it does or does not by what stands around it.
macro_rules! tile {
    ($($name:ident: $($r:literal $sums:ident)*, $last:literal;)*) => { $(
        #[inline(always)]
        fn $name<F: Real, const W: usize>(
            k: usize,
            a: Strided<F>,
            b: Strided<F>,
            c: &mut [F],
            c_row: usize,
            accumulate: bool,
        ) {
            $(let mut $sums = [F::ZERO; W];)*
            let a_data = &a.data[..$last * a.row + (k - 1) * a.col + 1];
            let b_data = &b.data[..(k - 1) * b.row + W];
            for p in 0..k {
                let (row, _) = b_data[p * b.row..].as_chunks::<W>();
                let row = row[0];
                $($sums = plus(a_data[$r * a.row + p * a.col], row, $sums);)*
            }
            $(put($sums, &mut c[$r * c_row..], accumulate);)*
        }
    )* };
}

tile! {
    tile_1: 0 s, 0;
    tile_2: 0 s 1 t, 1;
    tile_3: 0 s 1 t 2 u, 2;
    tile_4: 0 s 1 t 2 u 3 v, 3;
    tile_5: 0 s 1 t 2 u 3 v 4 w, 4;
}

/// `sums + x · row`.
#[inline(always)]
fn plus<F: Real, const W: usize>(x: F, row: [F; W], mut sums: [F; W]) -> [F; W] {
    for j in 0..W {
        sums[j] = x.fma(row[j], sums[j]);
    }
    sums
}

#[inline(always)]
fn put<F: Real, const W: usize>(sums: [F; W], c: &mut [F], accumulate: bool) {
    let c = &mut c[..W];
    if accumulate {
        for j in 0..W {
            c[j] += sums[j];
        }
    } else {
        c.copy_from_slice(&sums);
    }
}
