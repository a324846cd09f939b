//! In: a slice. Out: a function of every entry, in its place: functions that take long enough for their loops to have one copy, in this
//! crate, for each set of instructions.
//! Invariant: with the same instructions for multiplication and addition, the same bits as entry by entry.

use super::dispatch::{has_widest, widest};
use super::waves::NEAR;
use super::{Lane, Real, Work};

/// Functions with code of their own for the widest registers.
macro_rules! each {
    ($($work:ident $function:ident)*) => { $(
        #[doc = concat!("`", stringify!($function), "` of every entry.")]
        pub(super) struct $work<'a, F>(pub(super) &'a mut [F]);

        impl<S: Real> Work<S> for $work<'_, S> {
            #[inline(always)]
            fn run<F: Lane<S>>(self) {
                let row = F::of_mut(self.0);
                if const { F::WIDE } && has_widest() {
                    return widest::$function(row);
                }
                for x in row {
                    *x = x.$function();
                }
            }
        }
    )* };
}

/// Functions that LLVM finds the registers for.
macro_rules! each_by_loop {
    ($($work:ident $function:ident)*) => { $(
        #[doc = concat!("`", stringify!($function), "` of every entry.")]
        pub(super) struct $work<'a, F>(pub(super) &'a mut [F]);

        impl<S: Real> Work<S> for $work<'_, S> {
            #[inline(always)]
            fn run<F: Lane<S>>(self) {
                for x in F::of_mut(self.0) {
                    *x = x.$function();
                }
            }
        }
    )* };
}

/// Functions of angles, which have a branch for large ones: it is taken for blocks of entries.
macro_rules! each_of_angles {
    ($($work:ident $function:ident $near:ident)*) => { $(
        #[doc = concat!("`", stringify!($function), "` of every entry.")]
        pub(super) struct $work<'a, F>(pub(super) &'a mut [F]);

        impl<S: Real> Work<S> for $work<'_, S> {
            #[inline(always)]
            fn run<F: Lane<S>>(self) {
                for block in F::of_mut(self.0).chunks_mut(64) {
                    let (mut all_near, limit) = (true, F::from_f64(NEAR));
                    for x in &*block {
                        all_near &= x.abs() <= limit;
                    }
                    if all_near {
                        for x in block {
                            *x = x.$near();
                        }
                    } else {
                        for x in block {
                            *x = x.$function();
                        }
                    }
                }
            }
        }
    )* };
}

each_by_loop! { Gelu gelu }
each_of_angles! { Sin sin sin_near Cos cos cos_near }
each! { Exp exp Ln ln Log1p log1p Expm1 expm1 Tanh tanh Sigmoid sigmoid Softplus softplus Erf erf }

/// The methods of a number type that do it.
macro_rules! methods {
    () => {
        fn exp_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Exp(row));
        }
        fn ln_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Ln(row));
        }
        fn log1p_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Log1p(row));
        }
        fn expm1_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Expm1(row));
        }
        fn tanh_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Tanh(row));
        }
        fn sigmoid_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Sigmoid(row));
        }
        fn softplus_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Softplus(row));
        }
        fn erf_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Erf(row));
        }
        fn gelu_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Gelu(row));
        }
        fn sin_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Sin(row));
        }
        fn cos_each(row: &mut [Self]) {
            super::dispatch::dispatch(super::each::Cos(row));
        }
    };
}
pub(super) use methods;
