//! In: matrices of the `nalgebra` crate, which lie in memory column by column. Out: inputs, where no copy is needed.

use nalgebra::{Dim, IsContiguous, Matrix, RawStorage, Scalar};

use crate::rt::{Axes, Real, Tensor};

/// Vectors (one row or one column) fit every shape of as many numbers. Other matrices are column-major, not row-major, and are refused:
/// pass the transpose in [`Transposed`].
impl<F: Real + Scalar, R: Dim, C: Dim, S: RawStorage<F, R, C> + IsContiguous> Tensor<F>
    for Matrix<F, R, C, S>
{
    fn flat(&self) -> Option<&[F]> {
        (self.nrows() == 1 || self.ncols() == 1).then(|| self.as_slice())
    }
    fn axes(&self) -> Axes {
        let (rows, columns) = self.shape();
        if rows == 1 || columns == 1 {
            Axes::flat(rows * columns)
        } else {
            Axes::known(&[rows, columns])
        }
    }
}

/// The transpose of a matrix, without a copy: column j of the `[N, B]` matrix is row j of the `[B, N]` input.
///
/// ```
/// use chainrule::{Tensor, interop::Transposed};
/// let samples_as_columns = nalgebra::Matrix3x2::new(1.0, 4.0, 2.0, 5.0, 3.0, 6.0);
/// let x = Transposed(&samples_as_columns);
/// assert_eq!(x.axes().sizes(), Some(&[2, 3][..]));
/// assert_eq!(x.flat(), Some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Transposed<'a, M>(pub &'a M);

impl<F: Real + Scalar, R: Dim, C: Dim, S: RawStorage<F, R, C> + IsContiguous> Tensor<F>
    for Transposed<'_, Matrix<F, R, C, S>>
{
    fn flat(&self) -> Option<&[F]> {
        Some(self.0.as_slice())
    }
    fn axes(&self) -> Axes {
        let (rows, columns) = self.0.shape();
        Axes::known(&[columns, rows])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices() {
        let x = nalgebra::Matrix2::new(1.0, 2.0, 3.0, 4.0);
        assert_eq!(x.flat(), None);
        assert_eq!(Transposed(&x).flat(), Some(&[1.0, 3.0, 2.0, 4.0][..]));
        assert_eq!(nalgebra::Vector2::new(1.0_f32, 2.0).flat(), Some(&[1.0, 2.0][..]));
    }
}
