//! In: a number. Out: the same number as a type of its own, whose multiplications and additions are fused into one instruction
//! (not with the feature `deterministic`, where they are rounded apart as on every other machine).
//! Work for processors that have this instruction runs over this type; everything else is that of the plain number.

use super::{Axes, Real, Tensor, twofold, vector, waves};
use core::fmt;
use core::iter::Sum;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A number of type `F`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Fused<F>(pub(super) F);

impl<F: Real> fmt::Display for Fused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

macro_rules! operators {
    ($($trait:ident $name:ident, $assign:ident $name_assign:ident, $op:tt;)*) => { $(
        impl<F: Real> $trait for Fused<F> {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                Self(self.0 $op other.0)
            }
        }
        impl<F: Real> $assign for Fused<F> {
            #[inline(always)]
            fn $name_assign(&mut self, other: Self) {
                self.0 = self.0 $op other.0;
            }
        }
    )* };
}

operators! {
    Add add, AddAssign add_assign, +;
    Sub sub, SubAssign sub_assign, -;
    Mul mul, MulAssign mul_assign, *;
    Div div, DivAssign div_assign, /;
}

impl<F: Real> Neg for Fused<F> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl<F: Real> Sum for Fused<F> {
    #[inline(always)]
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        Self(numbers.map(|x| x.0).sum())
    }
}

/// What is no different for plain numbers.
macro_rules! plain {
    ($($name:ident($($arg:ident),*))*) => { $(
        #[inline(always)]
        fn $name(self $(, $arg: Self)*) -> Self {
            Self(Real::$name(self.0 $(, $arg.0)*))
        }
    )* };
}

/// Functions whose polynomials are fused.
macro_rules! fused {
    ($file:ident $math:ident: $($name:ident)*) => { $(
        #[inline(always)]
        fn $name(self) -> Self {
            Self($file::$math::$name(self.0))
        }
    )* };
}

macro_rules! real {
    ($float:ident, $math:ident) => {
        impl super::real::sealed::Sealed for Fused<$float> {}
        impl super::tensor::private::Sealed for Fused<$float> {}
        impl super::Entry for Fused<$float> {}

        impl Tensor<Fused<$float>> for Fused<$float> {
            fn flat(&self) -> Option<&[Self]> {
                Some(core::slice::from_ref(self))
            }
            fn axes(&self) -> Axes {
                Axes::known(&[])
            }
        }

        impl Real for Fused<$float> {
            type Wide = Self;
            const WIDE: bool = true;
            #[inline]
            fn product(product: super::Product<'_, Self>) {
                product.compute();
            }
            #[inline(always)]
            fn apart(part: impl super::Part) {
                super::dispatch::apart_wide(part);
            }
            super::each::methods!();
            const ZERO: Self = Self(0.0);
            const ONE: Self = Self(1.0);
            const INFINITY: Self = Self($float::INFINITY);
            const NEG_INFINITY: Self = Self($float::NEG_INFINITY);
            const NAN: Self = Self($float::NAN);
            const EPSILON: Self = Self($float::EPSILON);

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                Self(Real::from_f64(x))
            }
            #[inline(always)]
            fn from_usize(n: usize) -> Self {
                Self(Real::from_usize(n))
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.0.to_f64()
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.0.is_finite()
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self.0.is_nan()
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                Self(vector::$math::fma(self.0, a.0, b.0))
            }
            #[inline(always)]
            fn powi(self, n: i32) -> Self {
                Self(Real::powi(self.0, n))
            }
            #[inline(always)]
            fn logsigmoid(self) -> Self {
                -(-self).softplus()
            }
            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                Self(twofold::$math::pow(self.0, exponent.0))
            }
            fused!(vector $math: exp ln log1p expm1 tanh sigmoid softplus erf);
            fused!(twofold $math: gelu);
            fused!(waves $math: sin cos sin_near cos_near);
            plain! {
                log2() log10() sqrt() cbrt() tan() asin() acos() atan() atan2(x) sinh() cosh()
                asinh() acosh() atanh() abs() signum0() floor() ceil() round() maximum(other) minimum(other) erfc() erfcx() logerfc() erfinv()
                lgamma() digamma() trigamma() hypot(y) copysign(sign)
            }
        }
    };
}

real!(f32, f32_fused);
real!(f64, f64_fused);
