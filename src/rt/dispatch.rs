//! In: work that is worth asking the processor for its instructions. Out: the same work, run with the widest that it has.
//!
//! A program that is compiled for every x86-64 machine has neither AVX2 nor fused multiplication in its code. Work whose parts are all
//! `#[inline(always)]` is compiled a second time inside a function that has them, over a number type that uses them ([`Real::Wide`]),
//! and runs there where the processor allows. Programs compiled for such a machine, without optimisation, or without the standard library,
//! which asks the processor, run what they are compiled for.
//! Products are asked for once more: AVX-512 has twice the registers, of twice the width, and LLVM is not sure to use them.
//! Invariant: this is the only file of the package with `unsafe` in it; what `emit --standalone` pastes of it has none.

use super::Real;
use super::kernels::Strided;

/// Work over numbers that stand in memory as `S`. Everything that [`run`](Work::run) calls has to be `#[inline(always)]`.
pub trait Work<S: Real> {
    /// Does it, in the arithmetic of `F`.
    fn run<F: Lane<S>>(self);
}

/// A part of work, in the arithmetic that the work runs in. Everything that [`run`](Part::run) calls has to be `#[inline(always)]`.
pub trait Part {
    /// Does it.
    fn run(self);
}

/// Numbers that may be computed with in place of `S`: the same bits in memory.
pub trait Lane<S>: Real {
    /// The same numbers.
    fn of(numbers: &[S]) -> &[Self];
    /// The same numbers.
    fn of_mut(numbers: &mut [S]) -> &mut [Self];
}

impl<F: Real> Lane<F> for F {
    #[inline(always)]
    fn of(numbers: &[F]) -> &[F] {
        numbers
    }
    #[inline(always)]
    fn of_mut(numbers: &mut [F]) -> &mut [F] {
        numbers
    }
}

#[cfg(feature = "std")]
impl<S: Real> Lane<S> for super::fused::Fused<S>
where
    Self: Real,
{
    #[inline(always)]
    #[allow(unsafe_code)]
    fn of(numbers: &[S]) -> &[Self] {
        // SAFETY: `Fused<S>` is `repr(transparent)` over `S` and nothing else, so that slices of both are laid out alike and any bits of
        // the one are right for the other; the borrow and the length stay.
        unsafe { &*(core::ptr::from_ref(numbers) as *const [Self]) }
    }
    #[inline(always)]
    #[allow(unsafe_code)]
    fn of_mut(numbers: &mut [S]) -> &mut [Self] {
        // SAFETY: as above; the borrow is the only one.
        unsafe { &mut *(core::ptr::from_mut(numbers) as *mut [Self]) }
    }
}

/// Runs the work with the widest instructions that there are; inlined where the processor need not be asked.
#[inline(always)]
pub fn dispatch<S: Real>(work: impl Work<S>) {
    #[cfg(all(
        feature = "std",
        target_arch = "x86_64",
        not(target_feature = "fma"),
        not(debug_assertions)
    ))]
    if asked::has_wide() {
        return asked::wide(work);
    }
    work.run::<S>();
}

/// Runs the part as a function of its own.
#[inline(never)]
pub(super) fn apart(part: impl Part) {
    part.run();
}

/// [`apart`] for work that runs over [`Real::Wide`], which only does where the processor has what this takes.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) fn apart_wide(part: impl Part) {
    #[cfg(all(
        target_arch = "x86_64",
        not(target_feature = "fma"),
        any(test, not(debug_assertions))
    ))]
    asked::wide_part(part);
    #[cfg(not(all(
        target_arch = "x86_64",
        not(target_feature = "fma"),
        any(test, not(debug_assertions))
    )))]
    apart(part);
}

#[cfg(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions))))]
pub(super) mod asked {
    #[cfg(not(target_feature = "fma"))]
    use super::{Part, Work};
    use super::{Real, Strided, WIDEST_ROWS};
    use core::sync::atomic::{AtomicU8, Ordering};

    const UNKNOWN: u8 = 0;
    const BASELINE: u8 = 1;
    const WIDE: u8 = 2;
    const WIDEST: u8 = 3;
    static LEVEL: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// What the processor has; it is asked once.
    #[inline(always)]
    fn level() -> u8 {
        match LEVEL.load(Ordering::Relaxed) {
            UNKNOWN => ask(),
            level => level,
        }
    }

    #[cold]
    fn ask() -> u8 {
        let wide = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("fma");
        let level = match wide {
            true if std::arch::is_x86_feature_detected!("avx512f") => WIDEST,
            true => WIDE,
            false => BASELINE,
        };
        LEVEL.store(level, Ordering::Relaxed);
        level
    }

    /// Whether the processor has AVX2 and FMA.
    #[cfg(not(target_feature = "fma"))]
    #[inline(always)]
    pub fn has_wide() -> bool {
        level() >= WIDE
    }

    /// Whether the processor has AVX-512 too.
    #[inline(always)]
    pub fn has_widest() -> bool {
        level() == WIDEST
    }

    /// Runs as on a processor that has no AVX-512.
    #[cfg(test)]
    pub fn without_widest(run: impl FnOnce()) {
        let level = level();
        LEVEL.store(level.min(WIDE), Ordering::Relaxed);
        run();
        LEVEL.store(level, Ordering::Relaxed);
    }

    /// Keeps to what the program is compiled for, as on a processor without more.
    #[cfg(not(debug_assertions))]
    pub fn forget() {
        LEVEL.store(BASELINE, Ordering::Relaxed);
    }

    /// The work with AVX2 and FMA.
    ///
    /// # Panics
    /// Where the processor has them not.
    #[cfg(not(target_feature = "fma"))]
    #[inline(always)]
    #[allow(unsafe_code)]
    pub fn wide<S: Real>(work: impl Work<S>) {
        assert!(has_wide());
        // SAFETY: the function's only demand is that the processor has both, which it said that it has.
        unsafe { instructions(work) }
    }

    /// The same for a part of such work.
    #[cfg(not(target_feature = "fma"))]
    #[inline(always)]
    #[allow(unsafe_code)]
    pub fn wide_part(part: impl Part) {
        assert!(has_wide());
        // SAFETY: as above.
        unsafe { instructions_of(part) }
    }

    #[cfg(not(target_feature = "fma"))]
    #[target_feature(enable = "avx2,fma")]
    fn instructions<S: Real>(work: impl Work<S>) {
        work.run::<S::Wide>();
    }

    #[cfg(not(target_feature = "fma"))]
    #[target_feature(enable = "avx2,fma")]
    #[inline(never)]
    fn instructions_of(part: impl Part) {
        part.run();
    }

    /// The product, as [`super::widest_product`] describes it.
    #[allow(unsafe_code)]
    pub fn widest_product<F: Real>(
        sizes: [usize; 3],
        a: Strided<F>,
        b: Strided<F>,
        c: &mut [F],
        c_row: usize,
        accumulate: bool,
    ) {
        assert!(std::arch::is_x86_feature_detected!("avx512f"));
        /// The same numbers.
        ///
        /// # Safety
        /// `T` is laid out as `F`.
        unsafe fn over<F, T>(a: Strided<'_, F>) -> Strided<'_, T> {
            // SAFETY: so it is, and any bits of the one are right for the other; the borrow and the length stay.
            let data = unsafe { &*(core::ptr::from_ref(a.data) as *const [T]) };
            Strided { data, row: a.row, col: a.col }
        }
        // SAFETY: the processor has AVX-512. `Real` is sealed: its types are `f32`, `f64`, and those that are laid out as one of them,
        // of which the size says which; `c` stays the only borrow of what it borrows.
        unsafe {
            if size_of::<F>() == 4 {
                let c = &mut *(core::ptr::from_mut(c) as *mut [f32]);
                singles::product(sizes, over(a), over(b), c, c_row, accumulate);
            } else {
                let c = &mut *(core::ptr::from_mut(c) as *mut [f64]);
                doubles::product(sizes, over(a), over(b), c, c_row, accumulate);
            }
        }
    }

    macro_rules! each {
        ($($name:ident)*) => { $(
            /// The function of all entries, as [`super::widest`] describes it.
            #[allow(unsafe_code)]
            pub fn $name<F: Real>(row: &mut [F]) {
                assert!(std::arch::is_x86_feature_detected!("avx512f"));
                // SAFETY: as above; the slice stays the only borrow of what it borrows.
                unsafe {
                    if size_of::<F>() == 4 {
                        singles::$name(&mut *(core::ptr::from_mut(row) as *mut [f32]));
                    } else {
                        doubles::$name(&mut *(core::ptr::from_mut(row) as *mut [f64]));
                    }
                }
            }
        )* };
    }
    each!(exp ln log1p expm1 tanh sigmoid softplus erf);

    /// How many entries a matrix by strides reaches over.
    ///
    /// # Panics
    /// Where it has none, or more than there are numbers for.
    #[inline]
    fn reach(sizes: [usize; 2], strides: [usize; 2]) -> usize {
        let last = |at: usize| sizes[at].checked_sub(1)?.checked_mul(strides[at]);
        let far =
            last(0).zip(last(1)).and_then(|(down, along)| down.checked_add(along)?.checked_add(1));
        far.expect("a matrix has entries, and an end")
    }

    /// Tiles of so many rows.
    macro_rules! tiles {
        ($rows:ident $of:ident, $registers:literal: $($height:literal)*) => {{
            let (sizes, a, b, c, c_row, accumulate) = $of;
            match $rows {
                $($height => tile::<$height, $registers>(sizes, a, b, c, c_row, accumulate),)*
                _ => unreachable!("there are tiles of up to so many rows"),
            }
        }};
    }

    macro_rules! widest {
        (
            $name:ident, $float:ident, $mask:ident: $zero:ident $all:ident $load:ident $store:ident
            $fma:ident $mul:ident $add:ident; $operations:ident $math:ident: $($function:ident)*
        ) => {
            pub mod $name {
                use super::{Strided, WIDEST_ROWS, reach};
                use super::$operations::Value;
                use crate::rt::vector::$math;
                use core::arch::x86_64::*;

                const LANES: usize = 64 / size_of::<$float>();

                $(
                    /// The function of all entries, a register at a time.
                    #[target_feature(enable = "avx512f")]
                    #[allow(unsafe_code)]
                    pub fn $function(row: &mut [$float]) {
                        let (whole, rest) = row.as_chunks_mut::<LANES>();
                        for entries in whole {
                            let at = entries.as_mut_ptr();
                            // SAFETY: there are as many entries as a register has.
                            unsafe { $store(at, $mask::MAX, $math::$function(Value($load($mask::MAX, at))).0) };
                        }
                        if !rest.is_empty() {
                            let (mask, at) = ((1 << rest.len()) - 1, rest.as_mut_ptr());
                            // SAFETY: the mask leaves the entries that there are.
                            unsafe { $store(at, mask, $math::$function(Value($load(mask, at))).0) };
                        }
                    }
                )*

                /// A tile of packed panels, or any product.
                #[target_feature(enable = "avx512f")]
                pub fn product(
                    [m, k, n]: [usize; 3],
                    a: Strided<$float>,
                    b: Strided<$float>,
                    c: &mut [$float],
                    c_row: usize,
                    accumulate: bool,
                ) {
                    if (m, n) == (WIDEST_ROWS, 2 * LANES)
                        && (a.row, a.col, b.row) == (1, WIDEST_ROWS, 2 * LANES)
                    {
                        panels(k, a, b, c, c_row, accumulate);
                    } else {
                        strips([m, k, n], a, b, c, c_row, accumulate);
                    }
                }

                /// The largest tile, of packed panels: what they are apart is known to LLVM here.
                #[target_feature(enable = "avx512f")]
                #[inline(never)]
                fn panels(
                    k: usize,
                    a: Strided<$float>,
                    b: Strided<$float>,
                    c: &mut [$float],
                    c_row: usize,
                    accumulate: bool,
                ) {
                    sums::<WIDEST_ROWS, 2, true>([WIDEST_ROWS, k, 2 * LANES], a, b, c, c_row, accumulate);
                }

                /// Columns of one to three registers at a time, and so many rows that sums fill 24 of the 32 registers at most.
                #[target_feature(enable = "avx512f")]
                #[inline(never)]
                fn strips(
                    [m, k, n]: [usize; 3],
                    a: Strided<$float>,
                    b: Strided<$float>,
                    c: &mut [$float],
                    c_row: usize,
                    accumulate: bool,
                ) {
                    for j in (0..n).step_by(3 * LANES) {
                        let width = (n - j).min(3 * LANES);
                        let b = Strided { data: &b.data[j..], row: b.row, col: 1 };
                        // As evenly as it goes: a single row would have too few sums to wait for.
                        let parts = if width > 2 * LANES { m.div_ceil(8) } else { m.div_ceil(12) };
                        let (height, higher) = (m / parts, m % parts);
                        let mut i = 0;
                        for (height, count) in [(height + 1, higher), (height, parts - higher)] {
                            if count == 0 {
                                continue;
                            }
                            let a = Strided { data: &a.data[i * a.row..], ..a };
                            let c = &mut c[i * c_row + j..];
                            let of = ([count * height, k, width], a, b, c, c_row, accumulate);
                            match width.div_ceil(LANES) {
                                1 => tiles!(height of, 1: 1 2 3 4 5 6 7 8 9 10 11 12),
                                2 => tiles!(height of, 2: 1 2 3 4 5 6 7 8 9 10 11 12),
                                _ => tiles!(height of, 3: 1 2 3 4 5 6 7 8),
                            }
                            i += count * height;
                        }
                    }
                }

                /// Any tiles, one below the other. A function of its own, so that what it prepares is not prepared where it is not run.
                #[target_feature(enable = "avx512f")]
                #[inline(never)]
                fn tile<const R: usize, const V: usize>(
                    sizes: [usize; 3],
                    a: Strided<$float>,
                    b: Strided<$float>,
                    c: &mut [$float],
                    c_row: usize,
                    accumulate: bool,
                ) {
                    sums::<R, V, false>(sizes, a, b, c, c_row, accumulate);
                }

                /// `R` rows at a time of `rows`, and `width` columns in `V` registers each, of which the last may not be full; of panels where
                /// they are `PACKED`.
                #[target_feature(enable = "avx512f")]
                #[inline]
                #[allow(unsafe_code)]
                fn sums<const R: usize, const V: usize, const PACKED: bool>(
                    [rows, k, width]: [usize; 3],
                    a: Strided<$float>,
                    b: Strided<$float>,
                    c: &mut [$float],
                    c_row: usize,
                    accumulate: bool,
                ) {
                    assert!(width <= V * LANES && width > (V - 1) * LANES);
                    let (a, b) = if PACKED { (Strided { row: 1, col: R, ..a }, Strided { row: V * LANES, ..b }) } else { (a, b) };
                    let mut masks = [$mask::MAX; V];
                    masks[V - 1] = ((1_u32 << (width - (V - 1) * LANES)) - 1) as $mask;
                    // What is read and written below is all in here.
                    let a_data = &a.data[..reach([rows, k], [a.row, a.col])];
                    let b_data = &b.data[..reach([k, width], [b.row, 1])];
                    let c = &mut c[..reach([rows, width], [c_row, 1])];
                    assert!(rows.is_multiple_of(R));
                    for i in (0..rows).step_by(R) {
                        let mut sums = [[$zero(); V]; R];
                        for p in 0..k {
                            let mut row = [$zero(); V];
                            for v in 0..V {
                                // SAFETY: p is less than k, and the mask leaves no more than `width` entries of the row.
                                row[v] = unsafe { $load(masks[v], b_data.as_ptr().add(p * b.row + v * LANES)) };
                            }
                            for r in 0..R {
                                // SAFETY: p is less than k, and i + r than `rows`.
                                let x = $all(unsafe { *a_data.as_ptr().add((i + r) * a.row + p * a.col) });
                                for v in 0..V {
                                    sums[r][v] = if cfg!(feature = "deterministic") {
                                        $add($mul(x, row[v]), sums[r][v])
                                    } else {
                                        $fma(x, row[v], sums[r][v])
                                    };
                                }
                            }
                        }
                        if accumulate {
                            // All before the first is stored: what overlaps a store under a mask waits for it.
                            for r in 0..R {
                                for v in 0..V {
                                    // SAFETY: as for the rows of `b`.
                                    let old = unsafe { $load(masks[v], c.as_ptr().add((i + r) * c_row + v * LANES)) };
                                    sums[r][v] = $add(old, sums[r][v]);
                                }
                            }
                        }
                        for r in 0..R {
                            for v in 0..V {
                                // SAFETY: as for the rows of `b`.
                                unsafe { $store(c.as_mut_ptr().add((i + r) * c_row + v * LANES), masks[v], sums[r][v]) };
                            }
                        }
                    }
                }
            }
        };
    }
    widest!(singles, f32, __mmask16: _mm512_setzero_ps _mm512_set1_ps _mm512_maskz_loadu_ps _mm512_mask_storeu_ps
        _mm512_fmadd_ps _mm512_mul_ps _mm512_add_ps; of_singles f32_wide: exp ln log1p expm1 tanh sigmoid softplus erf);
    widest!(doubles, f64, __mmask8: _mm512_setzero_pd _mm512_set1_pd _mm512_maskz_loadu_pd _mm512_mask_storeu_pd
        _mm512_fmadd_pd _mm512_mul_pd _mm512_add_pd; of_doubles f64_wide: exp ln log1p expm1 tanh sigmoid softplus erf);

    /// Functions that are an expression of AVX-512 each, for `singles` and `doubles` alone: they do not ask for it themselves.
    macro_rules! expressions {
        ($($name:ident($($arg:ident: $type:ty),*) = $expression:expr;)*) => { $(
            #[inline(always)]
            #[allow(unsafe_code)]
            pub fn $name($($arg: $type),*) -> Value {
                // SAFETY: `singles` and `doubles` alone call these, as functions of AVX-512, which are run where the processor has it.
                Value(unsafe { $expression })
            }
        )* };
    }

    macro_rules! operators {
        ($($trait:ident $name:ident $function:ident($($arg:ident)?),)*) => { $(
            impl core::ops::$trait for Value {
                type Output = Self;
                #[inline(always)]
                fn $name(self $(, $arg: Self)?) -> Self {
                    $function(self $(, $arg)?)
                }
            }
        )* };
    }

    /// What the functions of `vector.rs` are made of, where it tells what each does, for a register of numbers.
    macro_rules! operations {
        (
            $name:ident, $float:ident $bits:ident $int:ident, $mantissa:literal, $register:ident: $fma:ident $mul:ident $add:ident $sub:ident
            $div:ident $all:ident $abs:ident $compare:ident $blend:ident; $to:ident $from:ident $all_bits:ident $up:ident $down:ident
            $plus:ident $and:ident $or:ident $min:ident $max:ident
        ) => {
            pub mod $name {
                use core::arch::x86_64::*;

                #[derive(Clone, Copy)]
                pub struct Value(pub $register);

                const SIGN: $bits = $float::to_bits(-0.0);
                expressions! {
                    of(constant: $float) = $all(constant);
                    where_less(a: Value, b: Value, yes: Value, no: Value) = $blend($compare::<_CMP_LT_OQ>(a.0, b.0), no.0, yes.0);
                    where_equal(a: Value, b: Value, yes: Value, no: Value) = $blend($compare::<_CMP_EQ_OQ>(a.0, b.0), no.0, yes.0);
                    at_most(x: Value, high: $float) = $min($all(high), x.0);
                    at_least(x: Value, low: $float) = $max($all(low), x.0);
                    abs(x: Value) = $abs(x.0);
                    copysign(x: Value, sign: Value) = $from($or($to(abs(x).0), $to(masked(sign, SIGN).0)));
                    raised(x: Value) = $from($up::<$mantissa>($to(x.0)));
                    lowered(x: Value) = $from($down::<$mantissa>($to(x.0)));
                    advanced(x: Value, more: $bits) = $from($plus($to(x.0), $all_bits(more as $int)));
                    masked(x: Value, mask: $bits) = $from($and($to(x.0), $all_bits(mask as $int)));
                    joined(x: Value, more: $bits) = $from($or($to(x.0), $all_bits(more as $int)));
                    negated(x: Value) = $sub($all(-0.0), x.0);
                    sum(a: Value, b: Value) = $add(a.0, b.0);
                    difference(a: Value, b: Value) = $sub(a.0, b.0);
                    product(a: Value, b: Value) = $mul(a.0, b.0);
                    quotient_of(a: Value, b: Value) = $div(a.0, b.0);
                    fused(a: Value, b: Value, c: Value) = $fma(a.0, b.0, c.0);
                }
                operators! {
                    Add add sum(other), Sub sub difference(other), Mul mul product(other), Div div quotient_of(other), Neg neg negated(),
                }
                #[inline(always)]
                pub fn fma(a: Value, b: Value, c: Value) -> Value {
                    if cfg!(feature = "deterministic") { a * b + c } else { fused(a, b, c) }
                }
            }
        };
    }
    operations!(of_singles, f32 u32 i32, 23, __m512: _mm512_fmadd_ps _mm512_mul_ps _mm512_add_ps _mm512_sub_ps
        _mm512_div_ps _mm512_set1_ps _mm512_abs_ps _mm512_cmp_ps_mask _mm512_mask_blend_ps; _mm512_castps_si512 _mm512_castsi512_ps
        _mm512_set1_epi32 _mm512_slli_epi32 _mm512_srli_epi32 _mm512_add_epi32 _mm512_and_si512 _mm512_or_si512 _mm512_min_ps _mm512_max_ps);
    operations!(of_doubles, f64 u64 i64, 52, __m512d: _mm512_fmadd_pd _mm512_mul_pd _mm512_add_pd _mm512_sub_pd
        _mm512_div_pd _mm512_set1_pd _mm512_abs_pd _mm512_cmp_pd_mask _mm512_mask_blend_pd; _mm512_castpd_si512 _mm512_castsi512_pd
        _mm512_set1_epi64 _mm512_slli_epi64 _mm512_srli_epi64 _mm512_add_epi64 _mm512_and_si512 _mm512_or_si512 _mm512_min_pd _mm512_max_pd);
}

/// Rows of a tile of a product that AVX-512 sums in its registers.
pub(super) const WIDEST_ROWS: usize = 12;
/// Bytes of a row of such a tile.
pub(super) const WIDEST_ROW: usize = 128;

/// Whether the processor has AVX-512, for [`widest_product`].
#[inline(always)]
pub(super) fn has_widest() -> bool {
    #[cfg(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions))))]
    let has = asked::has_widest();
    #[cfg(not(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions)))))]
    let has = false;
    has
}

/// A product with `b`'s columns adjacent, in registers that LLVM does not choose by itself for processors which it thinks are better off
/// with half of their width. Rows of `c` are `c_row` apart. `sizes` are m, k and n, and none of them is 0.
///
/// # Panics
/// Where the processor has no AVX-512, or a slice is shorter than the sizes say.
#[inline(always)]
pub(super) fn widest_product<F: Real>(
    sizes: [usize; 3],
    a: Strided<F>,
    b: Strided<F>,
    c: &mut [F],
    c_row: usize,
    accumulate: bool,
) {
    #[cfg(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions))))]
    asked::widest_product(sizes, a, b, c, c_row, accumulate);
    #[cfg(not(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions)))))]
    {
        let _ = (sizes, a, b, c, c_row, accumulate);
        unreachable!("`has_widest` says no in such a build");
    }
}

/// Functions of all entries of a slice, in registers as those of [`widest_product`].
///
/// # Panics
/// Where the processor has no AVX-512.
pub(super) mod widest {
    use super::Real;

    macro_rules! widest {
        ($($name:ident)*) => { $(
            #[inline(always)]
            pub fn $name<F: Real>(row: &mut [F]) {
                #[cfg(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions))))]
                super::asked::$name(row);
                #[cfg(not(all(feature = "std", target_arch = "x86_64", any(test, not(debug_assertions)))))]
                unreachable!("`has_widest` says no in such a build, of {} entries", row.len());
            }
        )* };
    }
    widest!(exp ln log1p expm1 tanh sigmoid softplus erf);
}

/// For tests: from now on as on a processor that has no more than what the program is compiled for.
pub fn keep_to_baseline() {
    #[cfg(all(feature = "std", target_arch = "x86_64", not(debug_assertions)))]
    asked::forget();
}
