//! Dense tensors of f64.

use crate::few::Each;

/// A dense row-major tensor of f64.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Entries, row-major; as many as the product of the sizes.
    pub data: Vec<f64>,
}

impl Array {
    /// A number.
    pub fn scalar(value: f64) -> Array {
        Array { shape: Vec::new(), data: vec![value] }
    }

    /// All 0.
    pub fn zeros(shape: &[usize]) -> Array {
        Array { shape: shape.to_vec(), data: vec![0.0; shape.iter().product()] }
    }

    /// These entries in this shape; `None` if their number is not the shape's.
    pub fn new(shape: &[usize], data: Vec<f64>) -> Option<Array> {
        (shape.iter().product::<usize>() == data.len())
            .then(|| Array { shape: shape.to_vec(), data })
    }

    /// Every entry from its position.
    pub fn from_fn(shape: &[usize], mut entry: impl FnMut(&[usize]) -> f64) -> Array {
        let mut data = Vec::with_capacity(shape.iter().product());
        for_each_index(shape, |ix| data.push(entry(ix)));
        Array { shape: shape.to_vec(), data }
    }

    /// Every entry from the entry there.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Array {
        Array { shape: self.shape.clone(), data: self.data.each(|&x| f(x)) }
    }

    /// How far entries are apart in `data` for a step on each axis.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.shape.len()];
        for axis in (1..self.shape.len()).rev() {
            strides[axis - 1] = strides[axis] * self.shape[axis];
        }
        strides
    }

    /// The entry at a position inside of the shape.
    pub fn at(&self, index: &[usize]) -> f64 {
        let at: usize = index.iter().zip(self.strides()).map(|(i, s)| i * s).sum();
        self.data[at]
    }
}

/// Calls `visit` with every position of a shape, row-major.
pub fn for_each_index(shape: &[usize], mut visit: impl FnMut(&[usize])) {
    if shape.contains(&0) {
        return;
    }
    let mut index = vec![0; shape.len()];
    loop {
        visit(&index);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}
