//! Functions of the rule book over the axes of arrays, affine positions, and rows picked by integers.

use super::Evaluator;
use super::array::{Array, for_each_index};
use crate::few::Each;
use crate::ir::{Affine, Attrs, View};
use crate::ops::{Kind, OpSpec};
use std::rc::Rc;

/// A scalar function entry by entry; a scalar argument serves every entry.
pub(crate) fn elementwise(
    f: fn(&[f64]) -> f64,
    args: &[Rc<Array>],
    shape: &[usize],
) -> Result<Array, String> {
    let mut result = Array::zeros(shape);
    if let Some(arg) = args.iter().find(|arg| arg.shape != shape && !arg.shape.is_empty()) {
        return Err(format!(
            "internal: an argument of shape {:?} stands where {shape:?} belongs",
            arg.shape
        ));
    }
    let mut point = vec![0.0; args.len()];
    for (at, entry) in result.data.iter_mut().enumerate() {
        for (x, arg) in point.iter_mut().zip(args) {
            *x = if arg.shape.is_empty() { arg.data[0] } else { arg.data[at] };
        }
        *entry = f(&point);
    }
    Ok(result)
}

/// The lane of entries through a position of the kept axes: offsets of the lane, and starts of all lanes.
fn lanes_of(shape: &[usize], axes: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let strides = Array { shape: shape.to_vec(), data: Vec::new() }.strides();
    let offsets = |keep: &dyn Fn(usize) -> bool| {
        let picked: Vec<usize> = (0..shape.len()).filter(|&axis| keep(axis)).collect();
        let sizes: Vec<usize> = picked.each(|&axis| shape[axis]);
        let mut found = Vec::new();
        for_each_index(&sizes, |ix| {
            found.push(ix.iter().zip(&picked).map(|(i, &axis)| i * strides[axis]).sum());
        });
        found
    };
    (offsets(&|axis| axes.contains(&axis)), offsets(&|axis| !axes.contains(&axis)))
}

/// A reduction: all entries of `axes` to one number, for every position of the other axes.
pub(crate) fn fold(f: fn(&[f64]) -> f64, x: &Array, axes: &[usize]) -> Array {
    let (lane, starts) = lanes_of(&x.shape, axes);
    let shape: Vec<usize> =
        (0..x.shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| x.shape[axis]).collect();
    let data = starts.each(|start| {
        let entries: Vec<f64> = lane.each(|offset| x.data[start + offset]);
        f(&entries)
    });
    Array { shape, data }
}

/// A function along an axis (of several, the entries are taken row-major as one lane).
pub(crate) fn lanes(f: fn(&[f64]) -> Vec<f64>, x: &Array, axes: &[usize]) -> Array {
    let (lane, starts) = lanes_of(&x.shape, axes);
    let mut result = x.clone();
    for start in starts {
        let entries: Vec<f64> = lane.each(|offset| x.data[start + offset]);
        for (offset, value) in lane.iter().zip(f(&entries)) {
            result.data[start + offset] = value;
        }
    }
    result
}

/// A function of trailing axes, for every position of the batch axes before them, which broadcast.
pub(crate) fn tensors(
    spec: &OpSpec,
    f: fn(&[Array], &Attrs) -> Array,
    attrs: &Attrs,
    args: &[Rc<Array>],
    shape: &[usize],
) -> Result<Array, String> {
    let ranks = trailing(spec, args)
        .ok_or_else(|| format!("internal: `{}` has arguments of too few axes", spec.name))?;
    let batches: Vec<&[usize]> =
        args.iter().zip(&ranks).map(|(arg, rank)| &arg.shape[..arg.shape.len() - rank]).collect();
    let batch = broadcast(&batches)
        .ok_or_else(|| format!("internal: `{}` has batch axes that do not agree", spec.name))?;
    let mut data = Vec::with_capacity(shape.iter().product());
    for_each_index(&batch, |ix| {
        let parts: Vec<Array> =
            args.iter().zip(&ranks).map(|(arg, &rank)| part(arg, rank, ix)).collect();
        data.extend_from_slice(&f(&parts, attrs).data);
    });
    Array::new(shape, data)
        .ok_or_else(|| format!("internal: `{}` gave another number of entries", spec.name))
}

/// How many trailing axes each argument has: the row of the function's `ranks` that leaves all arguments with equally many
/// batch axes, or else the first one that fits.
fn trailing(spec: &OpSpec, args: &[Rc<Array>]) -> Option<Vec<usize>> {
    let have: Vec<usize> = args.each(|arg| arg.shape.len());
    let Kind::Structured { ranks, .. } = spec.kind else {
        return Some(have);
    };
    let batch = |want: &[usize]| -> Option<Vec<usize>> {
        have.iter().zip(want).map(|(have, want)| have.checked_sub(*want)).collect()
    };
    let even = |want: &&&[usize]| {
        batch(want).is_some_and(|batch| batch.windows(2).all(|pair| pair[0] == pair[1]))
    };
    let fits = |want: &&&[usize]| batch(want).is_some();
    let row = ranks.iter().find(even).or_else(|| ranks.iter().find(fits));
    row.map(|row| row.to_vec())
}

fn broadcast(shapes: &[&[usize]]) -> Option<Vec<usize>> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut result = vec![1; rank];
    for shape in shapes {
        for (axis, &size) in shape.iter().rev().enumerate() {
            let entry = &mut result[rank - 1 - axis];
            match (*entry, size) {
                (1, _) => *entry = size,
                (_, 1) => {}
                (a, b) if a == b => {}
                _ => return None,
            }
        }
    }
    Some(result)
}

/// The trailing `rank` axes of an array at a position of the broadcast batch.
fn part(arg: &Array, rank: usize, batch: &[usize]) -> Array {
    let own = arg.shape.len() - rank;
    let shape = arg.shape[own..].to_vec();
    let size: usize = shape.iter().product();
    let at = arg.shape[..own]
        .iter()
        .zip(&batch[batch.len() - own..])
        .fold(0, |at, (&n, &i)| at * n + if n == 1 { 0 } else { i });
    Array { shape, data: arg.data[at * size..(at + 1) * size].to_vec() }
}

/// `x[idx[b…], rest…]`
pub(crate) fn gather(x: &Array, idx: &Array, shape: &[usize]) -> Result<Array, String> {
    let [rows, rest @ ..] = x.shape.as_slice() else {
        return Err("internal: rows are gathered from a scalar".to_string());
    };
    let row: usize = rest.iter().product();
    let mut data = Vec::with_capacity(shape.iter().product());
    for &at in &idx.data {
        let at = position(at, *rows)?;
        data.extend_from_slice(&x.data[at * row..(at + 1) * row]);
    }
    Array::new(shape, data).ok_or_else(|| "internal: gathered rows do not fit".to_string())
}

/// `out[r, rest…] = Σ_{b: idx[b] = r} g[b…, rest…]`
pub(crate) fn scatter(g: &Array, idx: &Array, shape: &[usize]) -> Result<Array, String> {
    let [rows, rest @ ..] = shape else {
        return Err("internal: rows are scattered into a scalar".to_string());
    };
    let row: usize = rest.iter().product();
    let mut result = Array::zeros(shape);
    if g.data.len() != idx.data.len() * row {
        return Err("internal: scattered rows do not fit".to_string());
    }
    for (b, &at) in idx.data.iter().enumerate() {
        let at = position(at, *rows)?;
        for k in 0..row {
            result.data[at * row + k] += g.data[b * row + k];
        }
    }
    Ok(result)
}

fn position(value: f64, size: usize) -> Result<usize, String> {
    if value.fract() == 0.0 && value >= 0.0 && value < size as f64 {
        return Ok(value as usize);
    }
    Err(format!("the index {value} is not a whole number below {size}"))
}

impl Evaluator<'_> {
    /// The argument at affine positions; 0 outside.
    pub(crate) fn view(&self, view: &View, x: &Array, shape: &[usize]) -> Result<Array, String> {
        let offsets: Vec<i128> =
            view.map.iter().map(|affine| self.offset(&affine.offset)).collect::<Result<_, _>>()?;
        let strides = x.strides();
        Ok(Array::from_fn(shape, |ix| {
            let mut at = 0;
            for (axis, (affine, &offset)) in view.map.iter().zip(&offsets).enumerate() {
                match place(affine, offset, ix, x.shape[axis]) {
                    Some(position) => at += position * strides[axis],
                    None => return 0.0,
                }
            }
            x.data[at]
        }))
    }
}

/// The position that an affine map gives, if it is whole and inside.
fn place(affine: &Affine, offset: i128, index: &[usize], size: usize) -> Option<usize> {
    let sum = affine
        .terms
        .iter()
        .fold(offset, |sum, &(axis, c)| sum + i128::from(c) * index[axis] as i128);
    let divisor = i128::from(affine.divisor.max(1));
    if sum < 0 || sum % divisor != 0 {
        return None;
    }
    usize::try_from(sum / divisor).ok().filter(|&at| at < size)
}
