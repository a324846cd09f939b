//! In: `outer` blocks of `len` rows of `inner` numbers. Out: for each of the `outer * inner` lanes one number (a reduction) or a lane.
//! Invariant: every entry of `out` is written; no allocation; stable for large entries, as in `eval`.

// Indices keep the loops in the shape that vectorises.
#![allow(clippy::needless_range_loop)]

use super::Real;

/// What is done for a lane's start in `x` and in a reduction's result. Not a function with a closure: LLVM may leave a closure out of
/// line, where it would not have the instructions of what is around it.
macro_rules! lanes {
    ($outer:expr, $len:expr, $inner:expr, |$from:ident, $to:tt| $body:expr) => {
        for o in 0..$outer {
            for i in 0..$inner {
                let ($from, $to) = (o * $len * $inner + i, o * $inner + i);
                $body;
            }
        }
    };
}

/// What is done for each row of neighbours, from its start on, one row after the other: LLVM would take short ones side by side, and
/// gather and scatter their entries.
macro_rules! rows {
    ($outer:expr, $len:expr, |$row:tt, $from:ident| $body:expr) => {
        for o in 0..$outer {
            let ($row, $from) = (o, core::hint::black_box(o * $len));
            $body;
        }
    };
}

/// So many rows are done at a time, so that their logarithms are one step.
const ROWS: usize = 32;

/// Whether lanes are rows that are worth it: many, or long.
#[inline(always)]
fn in_rows(outer: usize, len: usize, inner: usize) -> bool {
    inner == 1 && (outer > 4 || len >= LONG)
}

/// From so many entries on, eight running values are worth it.
const LONG: usize = 16;

/// The sum of running sums, eight or a multiple of it.
///
/// They stand in memory in between: LLVM would take the pairs of the last additions for the width of its vectors, and run the loops
/// that the sums come from two numbers at a time.
#[inline(always)]
pub fn total<F: Real, const N: usize>(sums: [F; N]) -> F {
    let sums = core::hint::black_box(sums);
    let (blocks, _) = sums.as_chunks::<8>();
    let mut s = blocks[0];
    for block in &blocks[1..] {
        for l in 0..8 {
            s[l] += block[l];
        }
    }
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

/// A reduction of neighbours by eight running values, and one for what is left of them.
#[inline(always)]
fn fold_row<F: Real>(x: &[F], start: F, step: impl Fn(F, F) -> F) -> F {
    let mut parts = [start; 8];
    let (blocks, rest) = x.as_chunks::<8>();
    for block in blocks {
        for l in 0..8 {
            parts[l] = step(parts[l], block[l]);
        }
    }
    for half in [4, 2, 1] {
        for l in 0..half {
            parts[l] = step(parts[l], parts[l + half]);
        }
    }
    rest.iter().fold(parts[0], |all, value| step(all, *value))
}

/// A reduction by a running value, rows of neighbours at a time.
#[inline(always)]
fn fold<F: Real>(
    outer: usize,
    len: usize,
    inner: usize,
    x: &[F],
    out: &mut [F],
    start: F,
    step: impl Fn(F, F) -> F,
) {
    for o in 0..outer {
        let out = &mut out[o * inner..][..inner];
        let x = &x[o * len * inner..][..len * inner];
        if inner == 1 {
            out[0] = fold_row(x, start, &step);
        } else {
            out.fill(start);
            for k in 0..len {
                let row = &x[k * inner..][..inner];
                for i in 0..inner {
                    out[i] = step(out[i], row[i]);
                }
            }
        }
    }
}

macro_rules! folds {
    ($($(#[$doc:meta])* $name:ident: $start:expr, $step:expr;)*) => { $(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
            fold(outer, len, inner, x, out, $start, $step);
        }
    )* };
}

folds! {
    /// The sum.
    sum: F::ZERO, |sum, v| sum + v;
    /// The product.
    prod: F::ONE, |product, v| product * v;
    /// The largest; NaN if any is.
    max: F::NEG_INFINITY, |best: F, v| best.maximum(v);
    /// The smallest; NaN if any is.
    min: F::INFINITY, |best: F, v| best.minimum(v);
    /// 1 where none is 0.
    all: F::ONE, |yes, v| if v == F::ZERO { F::ZERO } else { yes };
    /// 1 where some is not 0. Runs over partial answers too, which are 0 or 1.
    any: F::ZERO, |yes, v| if v == F::ZERO { yes } else { F::ONE };
}

/// A reduction of neighbours, as a running value where they are few.
#[inline(always)]
fn fold_short<F: Real>(x: &[F], start: F, step: impl Fn(F, F) -> F) -> F {
    if x.len() >= LONG {
        fold_row(x, start, step)
    } else {
        x.iter().fold(start, |all, v| step(all, *v))
    }
}

/// What is subtracted before exponentials, or divided by before squares: the largest where it is finite, else 0.
#[inline(always)]
fn shift<F: Real>(x: &[F], start: usize, len: usize, step: usize) -> F {
    let mut best = F::NEG_INFINITY;
    for k in 0..len {
        best = best.maximum(x[start + k * step]);
    }
    finite_or_zero(best)
}

/// The same for a row.
#[inline(always)]
fn shift_of_row<F: Real>(x: &[F]) -> F {
    finite_or_zero(fold_short(x, F::NEG_INFINITY, F::maximum))
}

/// A largest entry, where something can be subtracted from it.
#[inline(always)]
fn finite_or_zero<F: Real>(best: F) -> F {
    if best.is_finite() || best.is_nan() || best > F::ZERO { best } else { F::ZERO }
}

/// The logarithm of the sum of the exponentials.
#[inline(always)]
pub fn logsumexp<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    lanes!(outer, len, inner, |from, to| out[to] = log_sum(x, from, len, inner));
}

#[inline(always)]
fn log_sum<F: Real>(x: &[F], from: usize, len: usize, inner: usize) -> F {
    let top = shift(x, from, len, inner);
    if top == F::INFINITY {
        return top;
    }
    let mut sum = F::ZERO;
    for k in 0..len {
        sum += (x[from + k * inner] - top).exp();
    }
    top + sum.ln()
}

/// So many exponentials are worth a call.
const MANY: usize = 64;

/// The exponentials of each lane, shifted so that the largest is 1.
#[inline(always)]
fn exponentials<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    lanes!(outer, len, inner, |from, _| {
        let top = shift(x, from, len, inner);
        for k in 0..len {
            out[from + k * inner] = x[from + k * inner] - top;
        }
    });
    exp_all(out);
}

/// The same for up to `ROWS` rows, and what each is shifted by.
#[inline(always)]
fn exponentials_of_rows<F: Real>(count: usize, len: usize, x: &[F], out: &mut [F]) -> [F; ROWS] {
    let mut tops = [F::ZERO; ROWS];
    rows!(count, len, |row, from| {
        let (x, out) = (&x[from..][..len], &mut out[from..][..len]);
        let top = shift_of_row(x);
        for k in 0..len {
            out[k] = x[k] - top;
        }
        tops[row] = top;
    });
    exp_all(&mut out[..count * len]);
    tops
}

/// All in one run, so that the exponential vectorises across lanes.
#[inline(always)]
fn exp_all<F: Real>(out: &mut [F]) {
    if out.len() >= MANY {
        return F::exp_each(out);
    }
    // What is left of it fills up a register, since LLVM would take it one by one.
    let (blocks, rest) = out.split_at_mut(out.len() / 8 * 8);
    for value in blocks {
        *value = value.exp();
    }
    if !rest.is_empty() {
        let mut last = [F::ZERO; 8];
        last[..rest.len()].copy_from_slice(rest);
        if const { size_of::<F>() == 4 } {
            // Eight `f32` are a register, which LLVM would take apart where it knows which of them are wanted.
            last = core::hint::black_box(last.map(F::exp));
        } else {
            for value in &mut last {
                *value = value.exp();
            }
        }
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// The sum of a row.
#[inline(always)]
fn sum_of_row<F: Real>(x: &[F]) -> F {
    fold_short(x, F::ZERO, |sum, v| sum + v)
}

/// Exponentials over their sum.
#[inline(always)]
pub fn softmax<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    let (x, out) = (&x[..outer * len * inner], &mut out[..outer * len * inner]);
    if in_rows(outer, len, inner) {
        for first in (0..outer).step_by(ROWS) {
            let count = (outer - first).min(ROWS);
            softmax_of_rows(count, len, &x[first * len..], &mut out[first * len..]);
        }
        return;
    }
    exponentials(outer, len, inner, x, out);
    lanes!(outer, len, inner, |from, _| {
        let mut sum = F::ZERO;
        for k in 0..len {
            sum += out[from + k * inner];
        }
        let scale = F::ONE / sum;
        for k in 0..len {
            out[from + k * inner] *= scale;
        }
    });
}

#[inline(always)]
fn softmax_of_rows<F: Real>(count: usize, len: usize, x: &[F], out: &mut [F]) {
    exponentials_of_rows(count, len, x, out);
    rows!(count, len, |_, from| {
        let out = &mut out[from..][..len];
        let scale = F::ONE / sum_of_row(out);
        for k in 0..len {
            out[k] *= scale;
        }
    });
}

/// The logarithm of softmax.
#[inline(always)]
pub fn log_softmax<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    let (x, out) = (&x[..outer * len * inner], &mut out[..outer * len * inner]);
    if in_rows(outer, len, inner) {
        for first in (0..outer).step_by(ROWS) {
            let count = (outer - first).min(ROWS);
            log_softmax_of_rows(count, len, &x[first * len..], &mut out[first * len..]);
        }
        return;
    }
    exponentials(outer, len, inner, x, out);
    lanes!(outer, len, inner, |from, _| {
        let mut sum = F::ZERO;
        for k in 0..len {
            sum += out[from + k * inner];
        }
        let total = shift(x, from, len, inner) + sum.ln();
        for k in 0..len {
            out[from + k * inner] = x[from + k * inner] - total;
        }
    });
}

#[inline(always)]
fn log_softmax_of_rows<F: Real>(count: usize, len: usize, x: &[F], out: &mut [F]) {
    let tops = exponentials_of_rows(count, len, x, out);
    let mut logs = [F::ONE; ROWS];
    rows!(count, len, |row, from| logs[row] = sum_of_row(&out[from..][..len]));
    for logs in logs.chunks_exact_mut(8).take(count.div_ceil(8)) {
        for sum in logs {
            *sum = sum.ln();
        }
    }
    rows!(count, len, |row, from| {
        let (x, out) = (&x[from..][..len], &mut out[from..][..len]);
        let total = tops[row] + logs[row];
        for k in 0..len {
            out[k] = x[k] - total;
        }
    });
}

/// The sum of squares of `x - centre`, and what its root is to be multiplied by.
#[inline(always)]
fn scaled_squares<F: Real>(x: &[F], from: usize, len: usize, inner: usize, centre: F) -> (F, F) {
    let mut largest = F::ZERO;
    for k in 0..len {
        largest = largest.maximum((x[from + k * inner] - centre).abs());
    }
    if largest == F::ZERO || !largest.is_finite() {
        return (largest * largest, F::ONE);
    }
    let mut sum = F::ZERO;
    for k in 0..len {
        let v = (x[from + k * inner] - centre) / largest;
        sum = v.fma(v, sum);
    }
    (sum, largest)
}

/// The Euclidean norm, without overflow.
#[inline(always)]
pub fn norm2<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    lanes!(outer, len, inner, |from, to| {
        let (sum, scale) = scaled_squares(x, from, len, inner, F::ZERO);
        out[to] = sum.sqrt() * scale;
    });
}

#[inline(always)]
fn mean_of<F: Real>(x: &[F], from: usize, len: usize, inner: usize) -> F {
    let mut sum = F::ZERO;
    for k in 0..len {
        sum += x[from + k * inner];
    }
    sum / F::from_usize(len)
}

/// The standard deviation of the population.
#[inline(always)]
pub fn std<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    lanes!(outer, len, inner, |from, to| {
        let mean = mean_of(x, from, len, inner);
        let (sum, scale) = scaled_squares(x, from, len, inner, mean);
        out[to] = (sum / F::from_usize(len)).sqrt() * scale;
    });
}

#[inline(always)]
fn first<F: Real>(
    x: &[F],
    from: usize,
    len: usize,
    inner: usize,
    beats: impl Fn(F, F) -> bool,
) -> F {
    let mut best = 0;
    for k in 1..len {
        let (value, known) = (x[from + k * inner], x[from + best * inner]);
        if !known.is_nan() && (value.is_nan() || beats(value, known)) {
            best = k;
        }
    }
    F::from_usize(best)
}

/// The position of the first largest entry.
#[inline(always)]
pub fn argmax<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    lanes!(outer, len, inner, |from, to| out[to] = first(x, from, len, inner, |v, best| v > best));
}

/// The position of the first smallest entry.
#[inline(always)]
pub fn argmin<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    lanes!(outer, len, inner, |from, to| out[to] = first(x, from, len, inner, |v, best| v < best));
}

#[inline(always)]
fn running<F: Real>(sizes: [usize; 3], x: &[F], out: &mut [F], start: F, step: impl Fn(F, F) -> F) {
    let [outer, len, inner] = sizes;
    lanes!(outer, len, inner, |from, _| {
        let mut state = start;
        for k in 0..len {
            state = step(state, x[from + k * inner]);
            out[from + k * inner] = state;
        }
    });
}

/// Running sums.
#[inline(always)]
pub fn cumsum<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    running([outer, len, inner], x, out, F::ZERO, |sum, v| sum + v);
}

/// Running products.
#[inline(always)]
pub fn cumprod<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    running([outer, len, inner], x, out, F::ONE, |product, v| product * v);
}

/// The powers 0, 1, 2, … of each of `outer` numbers, `len` of them: the first eight as products of earlier ones, each of the others from that
/// of eight places before. As with constant whole powers, each multiplication rounds once.
#[inline(always)]
pub fn powers<F: Real>(outer: usize, len: usize, _inner: usize, x: &[F], out: &mut [F]) {
    for o in 0..outer {
        let mut powers = [F::ONE; 8];
        powers[1] = x[o];
        for k in 2..8 {
            powers[k] = powers[k / 2] * powers[k - k / 2];
        }
        let step = powers[4] * powers[4];
        let (blocks, rest) = out[o * len..][..len].as_chunks_mut::<8>();
        for block in blocks {
            for (entry, power) in block.iter_mut().zip(&mut powers) {
                *entry = *power;
                *power *= step;
            }
        }
        rest.copy_from_slice(&powers[..rest.len()]);
    }
}

/// The position, not before `from`, of the next entry that is not 0; of any entry where `all` are asked for.
#[inline(always)]
pub fn next_nonzero<F: Real>(x: &[F], from: usize, all: bool) -> Option<usize> {
    let mut at = from;
    if !all {
        while let Some(block) = x[at..].first_chunk::<8>() {
            let mut zeros = true;
            for l in 0..8 {
                zeros &= block[l] == F::ZERO;
            }
            if !zeros {
                break;
            }
            at += 8;
        }
        while at < x.len() && x[at] == F::ZERO {
            at += 1;
        }
    }
    (at < x.len()).then_some(at)
}

/// For each entry the product of all others.
#[inline(always)]
pub fn prod_others<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    lanes!(outer, len, inner, |from, _| {
        let mut before = F::ONE;
        for k in 0..len {
            out[from + k * inner] = before;
            before *= x[from + k * inner];
        }
        let mut after = F::ONE;
        for k in (0..len).rev() {
            out[from + k * inner] *= after;
            after *= x[from + k * inner];
        }
    });
}

/// Ascending; NaNs last.
#[inline]
pub fn sort<F: Real>(outer: usize, len: usize, inner: usize, x: &[F], out: &mut [F]) {
    out[..outer * len * inner].copy_from_slice(&x[..outer * len * inner]);
    let after = |a: F, b: F| a > b || (a.is_nan() && !b.is_nan());
    lanes!(outer, len, inner, |from, _| {
        // A heap over the lane, in place: no allocation, and never quadratic.
        let at = |k: usize| from + k * inner;
        let sift = |out: &mut [F], mut root: usize, end: usize| {
            while 2 * root + 1 < end {
                let mut child = 2 * root + 1;
                if child + 1 < end && after(out[at(child + 1)], out[at(child)]) {
                    child += 1;
                }
                if !after(out[at(child)], out[at(root)]) {
                    return;
                }
                out.swap(at(root), at(child));
                root = child;
            }
        };
        for root in (0..len / 2).rev() {
            sift(out, root, len);
        }
        for end in (1..len).rev() {
            out.swap(at(0), at(end));
            sift(out, 0, end);
        }
    });
}
