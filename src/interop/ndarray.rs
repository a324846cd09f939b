//! In: arrays of the `ndarray` crate. Out: inputs; those not in standard (row-major) layout are refused by name.

use ndarray::{ArrayBase, Data, Dimension};

use crate::rt::{Axes, Real, Tensor};

/// In standard layout only: call `.as_standard_layout()` first on a transposed or strided view.
impl<F: Real, S: Data<Elem = F>, D: Dimension> Tensor<F> for ArrayBase<S, D> {
    fn flat(&self) -> Option<&[F]> {
        self.as_slice()
    }
    fn axes(&self) -> Axes {
        Axes::known(self.shape())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays() {
        let x = ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        assert_eq!(x.flat(), Some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..]));
        assert_eq!(Tensor::<f64>::axes(&x).sizes(), Some(&[2, 3][..]));
        assert_eq!(x.t().flat(), None);
        assert_eq!(x.row(1).flat(), Some(&[4.0, 5.0, 6.0][..]));
        assert_eq!(x.column(1).flat(), None);
    }
}
