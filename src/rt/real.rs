//! In: `f32` or `f64`. Out: one trait with all elementwise functions of the language, so that generated code is written once.
//! `exp`, `ln` and their kin come from [`super::vector`], powers and `gelu` from [`super::twofold`], sines and cosines from
//! [`super::waves`], the gamma and error functions from [`super::special`], the rest from the standard library or, without it, from `libm`. Invariant: same name, same meaning, same special values as in `eval`.

use core::fmt::{Debug, Display};
use core::iter::Sum;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::{special, twofold, vector, waves};

pub(super) mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

macro_rules! real {
    ($( $(#[$doc:meta])* $name:ident ( $($arg:ident : $type:ty),* ) ; )*) => {
        /// A real number: `f32` or `f64`.
        ///
        /// ```
        /// use chainrule::rt::Real;
        /// fn logistic<F: Real>(x: F) -> F { x.sigmoid() }
        /// assert_eq!(logistic(0.0_f32), 0.5);
        /// assert_eq!(logistic(f64::NEG_INFINITY), 0.0);
        /// ```
        pub trait Real:
            sealed::Sealed + super::Entry + super::Tensor<Self> + Copy + PartialOrd + Default + Debug + Display + Send + Sync + 'static
            + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
            + AddAssign + SubAssign + MulAssign + DivAssign + Sum
        {
            /// The same numbers in the arithmetic of processors with AVX2 and FMA, which `rt::dispatch` asks for.
            type Wide: Real + super::Lane<Self>;
            /// Whether registers of 256 bits may be counted on.
            const WIDE: bool;
            /// A matrix product. Its code stands in this crate, so that no program compiles it again.
            #[doc(hidden)]
            fn product(product: super::Product<'_, Self>);
            /// Runs a part of work as a function of its own, with the same instructions.
            #[doc(hidden)]
            fn apart(part: impl super::Part);
            /// e^x of every entry.
            fn exp_each(row: &mut [Self]);
            /// Natural logarithm of every entry.
            fn ln_each(row: &mut [Self]);
            /// ln(1 + x) of every entry.
            fn log1p_each(row: &mut [Self]);
            /// e^x - 1 of every entry.
            fn expm1_each(row: &mut [Self]);
            /// Hyperbolic tangent of every entry.
            fn tanh_each(row: &mut [Self]);
            /// 1 / (1 + e^-x) of every entry.
            fn sigmoid_each(row: &mut [Self]);
            /// ln(1 + e^x) of every entry.
            fn softplus_each(row: &mut [Self]);
            /// The error function of every entry.
            fn erf_each(row: &mut [Self]);
            /// x times the normal distribution function at x, of every entry.
            fn gelu_each(row: &mut [Self]);
            /// Sine of every entry.
            fn sin_each(row: &mut [Self]);
            /// Cosine of every entry.
            fn cos_each(row: &mut [Self]);
            /// Sine of an angle up to 2²⁰, without a branch.
            #[doc(hidden)]
            fn sin_near(self) -> Self;
            /// Cosine of an angle up to 2²⁰, without a branch.
            #[doc(hidden)]
            fn cos_near(self) -> Self;
            /// 0.
            const ZERO: Self;
            /// 1.
            const ONE: Self;
            /// +∞.
            const INFINITY: Self;
            /// -∞.
            const NEG_INFINITY: Self;
            /// Not a number.
            const NAN: Self;
            /// The distance from 1 to the next number.
            const EPSILON: Self;
            /// The nearest number of this type.
            fn from_f64(x: f64) -> Self;
            /// The nearest number of this type.
            fn from_usize(n: usize) -> Self;
            /// The same number as an `f64`.
            fn to_f64(self) -> f64;
            /// Neither infinite nor NaN.
            fn is_finite(self) -> bool;
            /// Is it NaN?
            fn is_nan(self) -> bool;
            /// `self * a + b`, in one rounding where the target has the instruction, else in two.
            fn fma(self, a: Self, b: Self) -> Self;
            /// `self` to an integer power.
            fn powi(self, n: i32) -> Self;
            $( $(#[$doc])* fn $name(self $(, $arg: $type)*) -> Self; )*
        }
    };
}

real! {
    /// e^x.
    exp();
    /// Natural logarithm; -∞ at 0, NaN below.
    ln();
    /// ln(1 + x), precise near 0.
    log1p();
    /// e^x - 1, precise near 0.
    expm1();
    /// Logarithm to base 2.
    log2();
    /// Logarithm to base 10.
    log10();
    /// Square root.
    sqrt();
    /// Cube root.
    cbrt();
    /// `self` to a real power.
    powf(exponent: Self);
    /// Sine.
    sin();
    /// Cosine.
    cos();
    /// Tangent.
    tan();
    /// Arc sine.
    asin();
    /// Arc cosine.
    acos();
    /// Arc tangent.
    atan();
    /// The angle of the point (x, `self`).
    atan2(x: Self);
    /// Hyperbolic sine.
    sinh();
    /// Hyperbolic cosine.
    cosh();
    /// Hyperbolic tangent.
    tanh();
    /// Inverse hyperbolic sine.
    asinh();
    /// Inverse hyperbolic cosine.
    acosh();
    /// Inverse hyperbolic tangent.
    atanh();
    /// Absolute value.
    abs();
    /// Sign: -1, 0 or 1; zero at ±0, NaN at NaN.
    signum0();
    /// Largest integer not above.
    floor();
    /// Smallest integer not below.
    ceil();
    /// Nearest integer, halves to even.
    round();
    /// The larger; NaN if either is.
    maximum(other: Self);
    /// The smaller; NaN if either is.
    minimum(other: Self);
    /// 1 / (1 + e^-x), precise at both ends; 0 at -∞.
    sigmoid();
    /// ln(sigmoid(x)).
    logsigmoid();
    /// ln(1 + e^x).
    softplus();
    /// Error function.
    erf();
    /// x times the normal distribution function at x; 0 at -∞.
    gelu();
    /// 1 - erf(x), precise where it is small.
    erfc();
    /// e^(x²) (1 - erf(x)), precise for large x.
    erfcx();
    /// ln(1 - erf(x)), finite for large x.
    logerfc();
    /// The inverse of `erf`: ±∞ at ±1, NaN outside.
    erfinv();
    /// ln |Γ(x)|.
    lgamma();
    /// (ln Γ)'(x).
    digamma();
    /// (ln Γ)''(x).
    trigamma();
    /// √(x² + y²) without overflow on the way.
    hypot(y: Self);
    /// The magnitude of `self` with the sign of `sign`.
    copysign(sign: Self);
}

macro_rules! forward {
    ($($name:ident ( $($arg:ident),* ) = $path:expr;)*) => {
        $( #[inline(always)] fn $name(self $(, $arg: Self)*) -> Self { $path(self $(, $arg)*) } )*
    };
}

macro_rules! impl_real {
    ($float:ident, $math:ident, $platform:ident) => {
        impl Real for $float {
            #[cfg(feature = "std")]
            type Wide = super::fused::Fused<$float>;
            #[cfg(not(feature = "std"))]
            type Wide = Self;
            const WIDE: bool = cfg!(any(target_feature = "avx", not(target_feature = "sse2")));
            fn product(product: super::Product<'_, Self>) {
                product.compute();
            }
            #[inline(always)]
            fn apart(part: impl super::Part) {
                super::dispatch::apart(part);
            }
            super::each::methods!();
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $float::INFINITY;
            const NEG_INFINITY: Self = $float::NEG_INFINITY;
            const NAN: Self = $float::NAN;
            const EPSILON: Self = $float::EPSILON;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            #[inline(always)]
            fn from_usize(n: usize) -> Self {
                n as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $float::is_finite(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $float::is_nan(self)
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                vector::$math::fma(self, a, b)
            }
            #[inline(always)]
            fn powi(self, n: i32) -> Self {
                // Square and multiply; constant powers unroll.
                let (mut base, mut n, negative, mut y) = (self, n.unsigned_abs(), n < 0, 1.0);
                while n > 0 {
                    if n & 1 == 1 {
                        y *= base;
                    }
                    n >>= 1;
                    if n > 0 {
                        base *= base;
                    }
                }
                if negative { 1.0 / y } else { y }
            }
            #[inline(always)]
            fn signum0(self) -> Self {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    -1.0
                } else {
                    // ±0 and NaN.
                    self
                }
            }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self {
                let larger = if self > other { self } else { other };
                if self.is_nan() { self } else { larger }
            }
            #[inline(always)]
            fn minimum(self, other: Self) -> Self {
                let smaller = if self < other { self } else { other };
                if self.is_nan() { self } else { smaller }
            }
            #[inline(always)]
            fn logsigmoid(self) -> Self {
                -vector::$math::softplus(-self)
            }
            forward! {
                exp() = vector::$math::exp;
                ln() = vector::$math::ln;
                log1p() = vector::$math::log1p;
                expm1() = vector::$math::expm1;
                tanh() = vector::$math::tanh;
                sigmoid() = vector::$math::sigmoid;
                softplus() = vector::$math::softplus;
                erf() = vector::$math::erf;
                gelu() = twofold::$math::gelu;
                powf(exponent) = twofold::$math::pow;
                sin() = waves::$math::sin;
                cos() = waves::$math::cos;
                sin_near() = waves::$math::sin_near;
                cos_near() = waves::$math::cos_near;
                abs() = $float::abs;
                copysign(sign) = $float::copysign;
                log2() = platform::$platform::log2;
                log10() = platform::$platform::log10;
                sqrt() = platform::$platform::sqrt;
                cbrt() = platform::$platform::cbrt;
                tan() = platform::$platform::tan;
                asin() = platform::$platform::asin;
                acos() = platform::$platform::acos;
                atan() = platform::$platform::atan;
                atan2(x) = platform::$platform::atan2;
                sinh() = platform::$platform::sinh;
                cosh() = platform::$platform::cosh;
                asinh() = platform::$platform::asinh;
                acosh() = platform::$platform::acosh;
                atanh() = platform::$platform::atanh;
                floor() = platform::$platform::floor;
                ceil() = platform::$platform::ceil;
                round() = platform::$platform::round;
                hypot(y) = platform::$platform::hypot;
            }
            special!($float);
        }
    };
}

/// The scalar special functions, computed in `f64`.
macro_rules! special {
    ($float:ident) => {
        #[inline]
        fn erfc(self) -> Self {
            special::erfc(f64::from(self)) as $float
        }
        #[inline]
        fn erfcx(self) -> Self {
            special::erfcx(f64::from(self)) as $float
        }
        #[inline]
        fn logerfc(self) -> Self {
            special::logerfc(f64::from(self)) as $float
        }
        #[inline]
        fn erfinv(self) -> Self {
            special::erfinv(f64::from(self)) as $float
        }
        #[inline]
        fn lgamma(self) -> Self {
            special::lgamma(f64::from(self)) as $float
        }
        #[inline]
        fn digamma(self) -> Self {
            special::digamma(f64::from(self)) as $float
        }
        #[inline]
        fn trigamma(self) -> Self {
            special::trigamma(f64::from(self)) as $float
        }
    };
}

#[cfg(all(feature = "std", not(feature = "deterministic")))]
mod platform {
    //! The standard library's.
    macro_rules! platform {
        ($float:ident: $($name:ident = $method:ident)* ; $($name2:ident)*) => {
            pub mod $float {
                $( #[inline(always)] pub fn $name(x: $float) -> $float { x.$method() } )*
                $( #[inline(always)] pub fn $name2(x: $float, y: $float) -> $float { x.$name2(y) } )*
            }
        };
        ($($float:ident)*) => { $( platform! { $float:
            log2 = log2 log10 = log10 sqrt = sqrt cbrt = cbrt tan = tan asin = asin acos = acos
            atan = atan sinh = sinh cosh = cosh asinh = asinh acosh = acosh atanh = atanh floor = floor ceil = ceil
            round = round_ties_even ; atan2 hypot } )* };
    }
    platform!(f32 f64);
}

#[cfg(any(not(feature = "std"), feature = "deterministic"))]
mod platform {
    //! Those of the `libm` crate, which are the same on every machine.
    macro_rules! platform {
        ($float:ident: $($name:ident = $function:ident)* ; $($name2:ident = $function2:ident)*) => {
            pub mod $float {
                $( #[inline(always)] pub fn $name(x: $float) -> $float { libm::$function(x) } )*
                $( #[inline(always)] pub fn $name2(x: $float, y: $float) -> $float { libm::$function2(x, y) } )*
            }
        };
    }
    platform! { f32:
        log2 = log2f log10 = log10f sqrt = sqrtf cbrt = cbrtf tan = tanf asin = asinf acos = acosf
        atan = atanf sinh = sinhf cosh = coshf asinh = asinhf acosh = acoshf atanh = atanhf floor = floorf ceil = ceilf
        round = rintf ; atan2 = atan2f hypot = hypotf
    }
    platform! { f64:
        log2 = log2 log10 = log10 sqrt = sqrt cbrt = cbrt tan = tan asin = asin acos = acos
        atan = atan sinh = sinh cosh = cosh asinh = asinh acosh = acosh atanh = atanh floor = floor ceil = ceil
        round = rint ; atan2 = atan2 hypot = hypot
    }
}

impl_real!(f32, f32_math, f32);
impl_real!(f64, f64_math, f64);
