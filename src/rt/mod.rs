//! What generated code calls. Not a stable interface: the names here change with the macro.

mod axes;
mod dispatch;
mod each;
#[cfg(feature = "std")]
mod fused;
mod real;
mod shape;
mod special;
mod tensor;
mod twofold;
mod vector;
mod waves;

#[cfg(feature = "alloc")]
mod buf;
pub mod init;
mod kernels;
pub mod lanes;
pub mod linalg;
mod packed;
#[cfg(all(test, feature = "alloc"))]
mod tests;
#[cfg(feature = "rayon")]
mod threads;

pub use axes::{Axes, MAX_RANK};
#[cfg(feature = "alloc")]
pub use buf::Buf;
pub use dispatch::{Lane, Part, Work, dispatch, keep_to_baseline};
pub use kernels::{Product, dots, matmul, matmul_large, tiles};
pub use packed::room;
pub use real::Real;
pub use shape::{Axis, Declared, ShapeError, flat, infer_all, picks};
pub use tensor::{Entry, Shaped, Tensor};
#[cfg(feature = "rayon")]
pub use threads::{PARTS, Rows, in_parts};

pub use crate::rng::Rng;
