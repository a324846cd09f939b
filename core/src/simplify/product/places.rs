//! Parts that stand at known places of an axis, 0 elsewhere, as the gradients of `x[c]` and `x[a:b]` have them: the other factors are
//! read there, `Σ_i [i = c] f_i = f_c` and `Σ_i pad(v)_i f_i = Σ_p v_p f_(a+p)`.

use super::{Factor, Product};
use crate::few::Each;
use crate::ir::{Affine, Dim, NodeId, Num, Op, View};
use crate::simplify::{Simplifier, facts};

/// Sums and powers are read part by part down to this depth.
const MOST_NESTED: usize = 4;

/// An axis of a view along which only a part of its entries need not be 0.
struct Place {
    /// The axis of the view's argument that has the part, and its size.
    axis: usize,
    size: Dim,
    /// Where an entry of the part stands, by its position in the part.
    at: Affine,
}

impl Simplifier<'_> {
    /// Sums run over such parts alone, and what is multiplied by one entry is read where that stands.
    pub(super) fn contract_places(&mut self, product: &mut Product) {
        let labels: Vec<u32> = product.sizes.each(|(label, _)| *label);
        for label in labels {
            let found = (0..product.factors.len()).find_map(|at| {
                let (axis, place) = self.place(&product.factors[at], label)?;
                let part = &product.factors[at];
                let once = part.labels.iter().filter(|own| **own == label).count() == 1;
                once.then_some((at, axis, place))
            });
            let Some((at, axis, place)) = found else { continue };
            let bound = product.is_bound(label);
            let others = (0..product.factors.len())
                .filter(|other| *other != at && product.factors[*other].labels.contains(&label));
            let others: Vec<usize> = others.collect();
            let delta =
                |at: &usize| matches!(self.graph.op(product.factors[*at].base), Op::Delta(_));
            if others.iter().any(delta) || !bound && (others.is_empty() || !place.size.is_one()) {
                continue;
            }
            for other in others {
                self.read_there(&mut product.factors[other], label, &place);
            }
            if bound {
                self.narrow(product, at, axis, &place);
            }
        }
    }

    /// The place along the axis that a factor reads at this label.
    fn place(&self, factor: &Factor, label: u32) -> Option<(usize, Place)> {
        let axis = factor.labels.iter().position(|own| *own == label)?;
        let Op::View(view) = self.graph.op(factor.base) else { return None };
        if self.is_atom(factor.base) {
            return None;
        }
        let reads = |at: &Affine| at.terms.iter().any(|(own, _)| *own == axis);
        let mut mentioned = (0..view.map.len()).filter(|at| reads(&view.map[*at]));
        let (Some(place), None) = (mentioned.next(), mentioned.next()) else { return None };
        let read = &view.map[place];
        let [(_, sign @ (1 | -1))] = *read.terms.as_slice() else { return None };
        let size = self.graph.shape(self.graph.args(factor.base)[0])[place].clone();
        let offset = Dim::fixed(0).plus(&read.offset, Num::int(-i128::from(sign)));
        // The first and the last entry of the part.
        let end = offset
            .plus(&size, Num::int(i128::from(sign)))
            .plus(&Dim::fixed(1), Num::int(-i128::from(sign)));
        let (low, high) = if sign == 1 { (&offset, &end) } else { (&end, &offset) };
        let inside = low.is_at_least(0) && view.shape[axis].plus(high, Num::int(-1)).is_at_least(1);
        let partial = view.shape[axis] != size;
        let terms = if size.is_one() { Vec::new() } else { vec![(0, sign)] };
        let at = Affine { terms, offset, divisor: 1 };
        (read.divisor == 1 && inside && partial).then_some((axis, Place { axis: place, size, at }))
    }

    /// Reads a factor at the place: the label now counts the entries of the part, or is gone where that is one entry.
    fn read_there(&mut self, factor: &mut Factor, label: u32, place: &Place) {
        let single = place.size.is_one();
        let mut labels: Vec<u32> = Vec::new();
        for own in &factor.labels {
            let gone = single && *own == label;
            if !gone && !labels.contains(own) {
                labels.push(*own);
            }
        }
        let source = self.graph.shape(factor.base).clone();
        let axis = |own: u32| labels.iter().position(|known| *known == own).unwrap_or_default();
        let map = factor.labels.each(|own| match *own == label {
            true => Affine {
                terms: place.at.terms.each(|(_, c)| (axis(label), *c)),
                ..place.at.clone()
            },
            false => Affine::at(axis(*own)),
        });
        let size = |own: &u32| match *own == label {
            true => place.size.clone(),
            false => {
                let at = factor.labels.iter().position(|known| known == own);
                source[at.unwrap_or_default()].clone()
            }
        };
        let shape = labels.each(size);
        factor.base = self.viewed(factor.base, &View { map, shape }, MOST_NESTED);
        factor.labels = labels;
    }

    /// The entries that a view inside of a node reads; of sums and powers those of their parts, `(1 - y^2)[0] = 1 - y[0]^2`.
    fn viewed(&mut self, node: NodeId, view: &View, depth: usize) -> NodeId {
        let args = self.graph.args(node).to_vec();
        let open = depth > 0 && !self.is_atom(node);
        let new = match self.graph.op(node).clone() {
            _ if let Some(value) = facts::number(self.graph, node) => {
                let value = self.graph.constant(value);
                self.graph.fill(value, &view.shape)
            }
            Op::Add(coefficients) if open => {
                let terms = coefficients.into_iter().zip(args);
                let terms: Vec<(Num, NodeId)> =
                    terms.map(|(c, arg)| (c, self.viewed(arg, view, depth - 1))).collect();
                self.graph.add(&terms, &view.shape)
            }
            Op::Pow(exponent) if open => {
                let base = self.viewed(args[0], view, depth - 1);
                self.graph.pow(base, exponent)
            }
            _ => self.graph.view(node, view.clone()),
        };
        self.normal(new)
    }

    /// The part itself for the view of it: along this axis it is read at its own positions.
    fn narrow(&mut self, product: &mut Product, at: usize, axis: usize, place: &Place) {
        let factor = &mut product.factors[at];
        let label = factor.labels[axis];
        let Op::View(mut view) = self.graph.op(factor.base).clone() else { return };
        let mut source = self.graph.args(factor.base)[0];
        if place.size.is_one() {
            let labels: Vec<u32> = (0..self.graph.rank(source) as u32).collect();
            let out: Vec<u32> =
                labels.iter().copied().filter(|own| *own != place.axis as u32).collect();
            let read = self.graph.einsum(&[(source, labels)], &out, &[]);
            source = self.normal(read);
            view.map.remove(place.axis);
            for (own, _) in view.map.iter_mut().flat_map(|at| &mut at.terms) {
                *own -= usize::from(*own > axis);
            }
            view.shape.remove(axis);
            factor.labels.remove(axis);
            product.sizes.retain(|(known, _)| *known != label);
        } else {
            view.map[place.axis] = Affine::at(axis);
            view.shape[axis] = place.size.clone();
            let own = product.sizes.iter_mut().find(|(known, _)| *known == label);
            if let Some((_, size)) = own {
                *size = place.size.clone();
            }
        }
        let part = self.graph.view(source, view);
        product.factors[at].base = self.normal(part);
    }
}
