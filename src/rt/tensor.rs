//! In: what a caller has (a number, slices, nested arrays, vectors). Out: its numbers in row-major order, and its shape.
//! Bridges to other crates' matrices are in `crate::interop`. Invariant: nothing is copied.

use super::Axes;

/// Numbers that lie in memory one after another, last axis fastest.
///
/// Flat slices, arrays and vectors fit every shape of as many numbers; nested ones have the shape that they are written with.
///
/// ```
/// use chainrule::rt::Tensor;
/// let x = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(x.axes().sizes(), Some(&[2, 3][..]));
/// assert_eq!(x.flat(), Some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..]));
/// ```
pub trait Tensor<F> {
    /// All numbers in row-major order; `None` where they are not one run of memory in that order.
    fn flat(&self) -> Option<&[F]>;
    /// The shape.
    fn axes(&self) -> Axes;
}

/// What a tensor holds: real numbers, or integers that pick rows.
pub trait Entry: Copy + private::Sealed {}
pub(super) mod private {
    pub trait Sealed {}
}

// Not `impl<F: Entry> Tensor<F> for F`, which would forbid the references below.
macro_rules! scalar {
    ($($entry:ident)*) => { $(
        impl private::Sealed for $entry {}
        impl Entry for $entry {}
        impl Tensor<$entry> for $entry {
            fn flat(&self) -> Option<&[$entry]> {
                Some(core::slice::from_ref(self))
            }
            fn axes(&self) -> Axes {
                Axes::known(&[])
            }
        }
    )* };
}
scalar!(f32 f64 usize);

impl<F, T: Tensor<F> + ?Sized> Tensor<F> for &T {
    fn flat(&self) -> Option<&[F]> {
        (**self).flat()
    }
    fn axes(&self) -> Axes {
        (**self).axes()
    }
}

/// The slice of rows of each nesting, and the containers that deref to it.
macro_rules! nested {
    ($( [$($size:ident)*] $row:ty, |$x:ident| $flat:expr, $axes:expr; )*) => { $(
        impl<F: Entry $(, const $size: usize)*> Tensor<F> for [$row] {
            fn flat(&self) -> Option<&[F]> {
                let $x = self;
                Some($flat)
            }
            fn axes(&self) -> Axes {
                let $x = self;
                $axes
            }
        }
        impl<F: Entry $(, const $size: usize)*, const ROWS: usize> Tensor<F> for [$row; ROWS] {
            fn flat(&self) -> Option<&[F]> {
                self.as_slice().flat()
            }
            fn axes(&self) -> Axes {
                Tensor::<F>::axes(self.as_slice())
            }
        }
        #[cfg(feature = "alloc")]
        impl<F: Entry $(, const $size: usize)*> Tensor<F> for alloc::vec::Vec<$row> {
            fn flat(&self) -> Option<&[F]> {
                self.as_slice().flat()
            }
            fn axes(&self) -> Axes {
                Tensor::<F>::axes(self.as_slice())
            }
        }
    )* };
}

nested! {
    [] F, |x| x, Axes::flat(x.len());
    [A] [F; A], |x| x.as_flattened(), Axes::known(&[x.len(), A]);
    [A B] [[F; A]; B], |x| x.as_flattened().as_flattened(), Axes::known(&[x.len(), B, A]);
    [A B C] [[[F; A]; B]; C], |x| x.as_flattened().as_flattened().as_flattened(), Axes::known(&[x.len(), C, B, A]);
}

/// Flat numbers, row-major, with a shape that is known at run time only.
///
/// ```
/// use chainrule::{Shaped, Tensor};
/// let x = Shaped::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]).unwrap();
/// assert_eq!(x.axes().sizes(), Some(&[2, 3][..]));
/// assert!(Shaped::new(&[1.0, 2.0], &[3]).is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shaped<'a, F> {
    data: &'a [F],
    axes: Axes,
}

impl<'a, F> Shaped<'a, F> {
    /// The numbers under a shape; `None` where it has not as many entries.
    #[must_use]
    pub fn new(data: &'a [F], sizes: &[usize]) -> Option<Self> {
        let axes = Axes::known(sizes);
        (axes.len() == data.len()).then_some(Self { data, axes })
    }
}

impl<F> Tensor<F> for Shaped<'_, F> {
    fn flat(&self) -> Option<&[F]> {
        Some(self.data)
    }
    fn axes(&self) -> Axes {
        self.axes
    }
}

#[cfg(feature = "alloc")]
impl<F: super::Real> Tensor<F> for super::Buf<F> {
    fn flat(&self) -> Option<&[F]> {
        Some(self)
    }
    fn axes(&self) -> Axes {
        Axes::flat(self.len())
    }
}
