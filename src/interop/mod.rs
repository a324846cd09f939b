//! Bridges to other crates, each behind its feature.

#[cfg(feature = "argmin")]
mod argmin;
#[cfg(feature = "nalgebra")]
mod nalgebra;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "rand")]
mod rand;

#[cfg(feature = "argmin")]
pub use self::argmin::Objective;
#[cfg(feature = "nalgebra")]
pub use self::nalgebra::Transposed;
#[cfg(feature = "rand")]
pub use self::rand::FromRand;
