//! In: row-major slices and their strides, and room to work in. Out: large matrix products. Blocks of both operands are copied into
//! panels that the innermost loops read from end to end; a block of the result stays in registers meanwhile. Threads share the rows of
//! the result, and nothing else.
//! Invariant: no `unsafe`, no allocation; every entry of `c` is written; the order of additions does not depend on the room.

// Indices keep the loops in the shape that vectorises.
#![allow(clippy::needless_range_loop)]

use super::dispatch::{WIDEST_ROW, WIDEST_ROWS, has_widest, widest_product};
use super::kernels::Strided;
use super::{Part, Real};

/// Terms of a sum that are taken at a time: a panel of `b` this deep stays in the first-level cache.
const DEPTH: usize = 256;
/// Rows of `a` that are taken at a time, for numbers of a size: they stay in the second-level cache. A multiple of all heights of tiles.
const fn rows_of(size: usize) -> usize {
    if size == 4 { 96 } else { 48 }
}
/// Columns of `b` that are taken at a time. A multiple of all widths of tiles.
const COLUMNS: usize = 512;
/// Numbers of a line of the cache, at the most.
const LINE: usize = 16;

/// From so many multiplications on, threads share the rows of the result.
#[cfg(feature = "rayon")]
const SHARED: usize = 1 << 20;

/// How many numbers a product of these sizes wants to work in.
#[must_use]
pub const fn room(m: usize, k: usize, n: usize) -> usize {
    const fn padded(size: usize, most: usize) -> usize {
        let size = size.next_multiple_of(16);
        if size < most { size } else { most }
    }
    let depth = if k < DEPTH { k } else { DEPTH };
    // Heights of tiles do not divide 16, and widths may be 32: one more tile at the end. Panels start where a line of the cache does.
    depth * (padded(m + 16, rows_of(4)) + padded(n + 16, COLUMNS)) + LINE
}

/// `c = a · b`, or `c += a · b` where `accumulate`, for row-major `c: [m, n]`. `sizes` are m, k and n.
#[inline(always)]
pub(super) fn product<F: Real>(
    sizes: [usize; 3],
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    accumulate: bool,
    room: &mut [F],
) {
    // Tiles fill the sixteen registers: of 8 `f32` with AVX, else of 4; with AVX-512 the 32 of 16 `f32`.
    // The conditions are constants, so that what no number type wants is not compiled for it.
    if const { F::WIDE && size_of::<F>() == 4 } && has_widest() {
        tiled::<F, WIDEST_ROWS, { WIDEST_ROW / 4 }>(sizes, a, b, c, accumulate, room);
    } else if const { F::WIDE && size_of::<F>() == 8 } && has_widest() {
        tiled::<F, WIDEST_ROWS, { WIDEST_ROW / 8 }>(sizes, a, b, c, accumulate, room);
    } else if const { F::WIDE && size_of::<F>() == 4 } {
        tiled::<F, 6, 16>(sizes, a, b, c, accumulate, room);
    } else if const { F::WIDE } {
        tiled::<F, 6, 8>(sizes, a, b, c, accumulate, room);
    } else if const { size_of::<F>() == 4 } {
        tiled::<F, 4, 8>(sizes, a, b, c, accumulate, room);
    } else {
        tiled::<F, 4, 4>(sizes, a, b, c, accumulate, room);
    }
}

/// The same in tiles of `H` rows and `W` columns, shared by threads where that pays.
#[inline(always)]
fn tiled<F: Real, const H: usize, const W: usize>(
    sizes: [usize; 3],
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    accumulate: bool,
    room: &mut [F],
) {
    #[cfg(feature = "rayon")]
    if let [m, k, n] = sizes
        && m.saturating_mul(k).saturating_mul(n) >= SHARED
    {
        // Each thread copies all of `b` for itself: what another one wrote comes no faster than `b` does, and would be waited for.
        let own = self::room(m, k, n);
        let band = |from: usize, rows: usize, c: &mut [F], room: &mut [F]| {
            banded::<F, H, W>([rows, k, n], a.rows_after(from), b, c, accumulate, room);
        };
        return super::threads::in_bands(m, [n, H], c, room, own, &band);
    }
    banded::<F, H, W>(sizes, a, b, c, accumulate, room);
}

/// The same on this thread.
#[inline(always)]
fn banded<F: Real, const H: usize, const W: usize>(
    [m, k, n]: [usize; 3],
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    accumulate: bool,
    room: &mut [F],
) {
    // Sums fall into equal parts: a short one would read and write all of `c` for little.
    let depth = k.div_ceil(k.div_ceil(DEPTH));
    let most = rows_of(size_of::<F>());
    let before = room.as_ptr().align_offset(LINE * 4).min(LINE);
    let (right, left) = room[before..].split_at_mut(depth * n.next_multiple_of(W).min(COLUMNS));
    for from_column in (0..n).step_by(COLUMNS) {
        let columns = (n - from_column).min(COLUMNS);
        for from in (0..k).step_by(depth) {
            let depth = (k - from).min(depth);
            let b = Strided { data: &b.data[from * b.row + from_column * b.col..], ..b };
            F::apart(Pack::<F, W> { a: b.transposed(), rows: columns, depth, to: right });
            let a = Strided { data: &a.data[from * a.col..], ..a };
            let (c, accumulate) = (&mut c[from_column..], accumulate || from > 0);
            for first in (0..m).step_by(most) {
                let rows = (m - first).min(most);
                F::apart(Pack::<F, H> { a: a.rows_after(first), rows, depth, to: left });
                let (sizes, c) = ([rows, columns, depth], &mut c[first * n..]);
                F::apart(Block::<F, H, W> { sizes, left, right, c, c_row: n, accumulate });
            }
        }
    }
}

/// Copies `rows` rows of `depth` entries into panels of `P` rows: entry by entry of the rows, `P` neighbours at a time, 0 where there
/// are no more rows.
struct Pack<'a, F, const P: usize> {
    a: Strided<'a, F>,
    rows: usize,
    depth: usize,
    to: &'a mut [F],
}

impl<F: Real, const P: usize> Part for Pack<'_, F, P> {
    #[inline(always)]
    fn run(self) {
        let Pack { a, rows, depth, to } = self;
        if a.row == 1 {
            return adjacent::<F, P>(a, rows, depth, to);
        }
        for (at, panel) in to.chunks_exact_mut(P * depth).take(rows.div_ceil(P)).enumerate() {
            let (lines, _) = panel.as_chunks_mut::<P>();
            let (first, height) = (at * P, (rows - at * P).min(P));
            let row = |r: usize| &a.data[(first + r) * a.row..][..(depth - 1) * a.col + 1];
            let fours = if a.col == 1 { height / 4 * 4 } else { 0 };
            for r in (0..fours).step_by(4) {
                turn(core::array::from_fn(|i| row(r + i)), r, lines);
            }
            // Not one loop for each r: they would all be compiled apart.
            for r in fours..height {
                let row = row(r).iter().step_by(a.col);
                lines.iter_mut().zip(row).for_each(|(line, x)| line[r] = *x);
            }
            if height < P {
                lines.iter_mut().for_each(|line| line[height..].fill(F::ZERO));
            }
        }
    }
}

/// [`Pack`] where rows are adjacent, entry by entry: what all panels have of it stands together in memory.
#[inline(always)]
fn adjacent<F: Real, const P: usize>(a: Strided<F>, rows: usize, depth: usize, to: &mut [F]) {
    for p in 0..depth {
        let (whole, rest) = a.data[p * a.col..][..rows].as_chunks::<P>();
        let mut panels = to.chunks_exact_mut(P * depth);
        for (entries, panel) in whole.iter().zip(&mut panels) {
            panel.as_chunks_mut::<P>().0[p] = *entries;
        }
        if let (false, Some(panel)) = (rest.is_empty(), panels.next()) {
            let line = &mut panel.as_chunks_mut::<P>().0[p];
            line[..rest.len()].copy_from_slice(rest);
            line[rest.len()..].fill(F::ZERO);
        }
    }
}

/// Four rows into the lines from `r` on, four entries at a time.
#[inline(always)]
fn turn<F: Real, const P: usize>(rows: [&[F]; 4], r: usize, lines: &mut [[F; P]]) {
    let blocks = rows.map(|row| row.as_chunks::<4>());
    let (whole, rest) = lines.as_chunks_mut::<4>();
    for (q, lines) in whole.iter_mut().enumerate() {
        // LLVM would take several blocks side by side, and scatter their entries.
        let q = core::hint::black_box(q);
        for (s, line) in lines.iter_mut().enumerate() {
            line[r..r + 4].copy_from_slice(&blocks.map(|(blocks, _)| blocks[q][s]));
        }
    }
    for (s, line) in rest.iter_mut().enumerate() {
        line[r..r + 4].copy_from_slice(&blocks.map(|(_, rest)| rest[s]));
    }
}

/// The product of packed blocks.
struct Block<'a, F, const H: usize, const W: usize> {
    /// Rows, columns, terms of a sum.
    sizes: [usize; 3],
    left: &'a [F],
    right: &'a [F],
    c: &'a mut [F],
    c_row: usize,
    accumulate: bool,
}

impl<F: Real, const H: usize, const W: usize> Part for Block<'_, F, H, W> {
    #[inline(always)]
    fn run(self) {
        let Block { sizes: [rows, columns, depth], left, right, c, c_row, accumulate } = self;
        for (at_w, b) in right.chunks_exact(W * depth).take(columns.div_ceil(W)).enumerate() {
            let (b, _) = b.as_chunks::<W>();
            let width = (columns - at_w * W).min(W);
            for first in (0..rows).step_by(H) {
                let height = (rows - first).min(H);
                let a = left[first * depth..][..H * depth].as_chunks::<H>().0;
                if const { W * size_of::<F>() == WIDEST_ROW } {
                    let a = Strided { data: a.as_flattened(), row: 1, col: H };
                    let b = Strided { data: b.as_flattened(), row: W, col: 1 };
                    let c = &mut c[first * c_row + at_w * W..];
                    widest_product([height, depth, width], a, b, c, c_row, accumulate);
                    continue;
                }
                let sums = tile::<F, H, W>(a, b);
                let c = &mut c[first * c_row + at_w * W..];
                for (r, sums) in sums.iter().enumerate().take(height) {
                    let c = &mut c[r * c_row..][..width];
                    match c.as_chunks_mut::<W>().0 {
                        [c] if accumulate => (0..W).for_each(|j| c[j] += sums[j]),
                        [c] => *c = *sums,
                        _ => {
                            for (c, sum) in c.iter_mut().zip(sums) {
                                *c = if accumulate { *c + *sum } else { *sum };
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `H · W` sums in registers.
#[inline(always)]
fn tile<F: Real, const H: usize, const W: usize>(a: &[[F; H]], b: &[[F; W]]) -> [[F; W]; H] {
    let mut sums = [[F::ZERO; W]; H];
    for (a, b) in a.iter().zip(b) {
        for r in 0..H {
            for j in 0..W {
                sums[r][j] = a[r].fma(b[j], sums[r][j]);
            }
        }
    }
    sums
}
