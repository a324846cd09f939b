//! In: work along the leading axis of tensors, or the rows of a product. Out: the same work in parts, which the threads of rayon's pool
//! share.
//! Invariant: into how many parts a sum falls, and in which order the parts are added, depends on sizes alone, so that results are the
//! same bits whatever the number of threads. A part of a product is rows of the result, no part of any sum.

use super::Real;

/// Work along an axis falls into at most so many parts, and large products are shared by at most so many threads.
pub const PARTS: usize = 16;
/// A part has at least about so many numbers: what waking a thread costs is little beside it.
const NUMBERS: usize = 32768;

/// Slices with an axis, each with the number of entries at one position of it.
pub struct Rows<'a, F, const READ: usize, const INTS: usize, const WRITTEN: usize> {
    /// Slices that are read.
    pub read: [(&'a [F], usize); READ],
    /// Whole numbers that are read.
    pub ints: [(&'a [usize], usize); INTS],
    /// Slices that are written.
    pub written: [(&'a mut [F], usize); WRITTEN],
}

impl<'a, F, const READ: usize, const INTS: usize, const WRITTEN: usize>
    Rows<'a, F, READ, INTS, WRITTEN>
{
    /// The entries at one position, all told.
    fn width(&self) -> usize {
        let read = self.read.iter().map(|(_, row)| row).sum::<usize>();
        let ints = self.ints.iter().map(|(_, row)| row).sum::<usize>();
        read + ints + self.written.iter().map(|(_, row)| row).sum::<usize>()
    }

    /// The first `at` positions, and the others.
    fn split_at(self, at: usize) -> (Self, Self) {
        let mut written = self.written.map(|(slice, row)| {
            let (left, right) = slice.split_at_mut(at * row);
            (left, Some(right), row)
        });
        let right = Rows {
            read: self.read.map(|(slice, row)| (&slice[at * row..], row)),
            ints: self.ints.map(|(slice, row)| (&slice[at * row..], row)),
            written: written
                .each_mut()
                .map(|(_, right, row)| (right.take().unwrap_or_default(), *row)),
        };
        let left = Rows {
            read: self.read.map(|(slice, row)| (&slice[..at * row], row)),
            ints: self.ints.map(|(slice, row)| (&slice[..at * row], row)),
            written: written.map(|(left, _, row)| (left, row)),
        };
        (left, right)
    }
}

/// Into how many parts work falls that has `size` positions of `width` numbers each and goes in blocks of `block` positions.
fn parts(size: usize, width: usize, block: usize) -> usize {
    (size.saturating_mul(width) / NUMBERS).min(size / block).clamp(1, PARTS)
}

/// Does the work on all positions, part by part: `work` is given the slices of a part, how many positions it has, and `width` numbers
/// for its sums, which it overwrites. The sums of all parts stand at the front of `sums` afterwards.
/// `size` is the number of positions, and parts are made of whole blocks of `block` of them, but for the last one.
///
/// # Panics
/// Where a slice, or `sums` (`PARTS * width` numbers), is shorter than that.
pub fn in_parts<F: Real, W, const READ: usize, const INTS: usize, const WRITTEN: usize>(
    rows: Rows<F, READ, INTS, WRITTEN>,
    [size, block]: [usize; 2],
    sums: &mut [F],
    width: usize,
    work: &W,
) where
    W: Fn(Rows<F, READ, INTS, WRITTEN>, usize, &mut [F]) + Sync,
{
    let parts = parts(size, rows.width(), block);
    let sums = &mut sums[..parts * width];
    halves(rows, [size, block, parts], sums, width, work);
    let (all, others) = sums.split_at_mut(width);
    for part in others.chunks_exact(width.max(1)) {
        all.iter_mut().zip(part).for_each(|(sum, x)| *sum += *x);
    }
}

fn halves<F: Real, W, const READ: usize, const INTS: usize, const WRITTEN: usize>(
    rows: Rows<F, READ, INTS, WRITTEN>,
    [size, block, parts]: [usize; 3],
    sums: &mut [F],
    width: usize,
    work: &W,
) where
    W: Fn(Rows<F, READ, INTS, WRITTEN>, usize, &mut [F]) + Sync,
{
    if parts == 1 {
        return work(rows, size, sums);
    }
    let half = parts / 2;
    let at = size.div_ceil(block) * half / parts * block;
    let (left, right) = rows.split_at(at);
    let (left_sums, right_sums) = sums.split_at_mut(half * width);
    rayon::join(
        || halves(left, [at, block, half], left_sums, width, work),
        || halves(right, [size - at, block, parts - half], right_sums, width, work),
    );
}

/// The rows of a matrix `c`, `width` entries apart, in bands of a multiple of `height` rows; `work` is given where a band starts, its
/// entries, and a piece of `room` of its own, of `own` numbers. There are as many bands as threads, as far as there is room.
pub(super) fn in_bands<F: Real, W>(
    rows: usize,
    [width, height]: [usize; 2],
    c: &mut [F],
    room: &mut [F],
    own: usize,
    work: &W,
) where
    W: Fn(usize, usize, &mut [F], &mut [F]) + Sync,
{
    let most = (room.len() / own.max(1)).min(PARTS).min(rows / height);
    let bands = rayon::current_num_threads().clamp(1, most.max(1));
    banded([0, rows, bands], [width, height, own], c, room, work);
}

fn banded<F: Real, W>(
    [from, rows, bands]: [usize; 3],
    [width, height, own]: [usize; 3],
    c: &mut [F],
    room: &mut [F],
    work: &W,
) where
    W: Fn(usize, usize, &mut [F], &mut [F]) + Sync,
{
    if bands == 1 {
        return work(from, rows, c, &mut room[..own]);
    }
    let half = bands / 2;
    let at = rows.div_ceil(height) * half / bands * height;
    let (above, below) = c.split_at_mut(at * width);
    let (left, right) = room.split_at_mut(half * own);
    rayon::join(
        || banded([from, at, half], [width, height, own], above, left, work),
        || banded([from + at, rows - at, bands - half], [width, height, own], below, right, work),
    );
}
