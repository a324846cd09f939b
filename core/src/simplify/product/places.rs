//! Entries at constant places: `Σ_i [i = c] = 1`, where `[i = c]` is an axis of size 1 read at `i - c`, 0 elsewhere, as the gradient of
//! `x[c]` has it.

use super::Product;
use crate::ir::{Affine, Dim, NodeId, Num, Op, View};
use crate::simplify::Simplifier;

impl Simplifier<'_> {
    /// A sum over an index that only such a place reads is what stands at the place.
    pub(super) fn contract_places(&mut self, product: &mut Product) {
        for label in product.bound() {
            let mut readers = (0..product.factors.len())
                .filter(|at| product.factors[*at].labels.contains(&label));
            let (Some(at), None) = (readers.next(), readers.next()) else { continue };
            let factor = &product.factors[at];
            let axes: Vec<usize> =
                (0..factor.labels.len()).filter(|axis| factor.labels[*axis] == label).collect();
            if let [axis] = axes.as_slice()
                && !self.is_atom(factor.base)
                && let Some(there) = self.at_its_place(factor.base, *axis)
            {
                product.factors[at].base = there;
                product.factors[at].labels.remove(*axis);
                product.sizes.retain(|(known, _)| *known != label);
            }
        }
    }

    /// A view without an axis along which it has one entry that need not be 0: that entry.
    fn at_its_place(&mut self, node: NodeId, axis: usize) -> Option<NodeId> {
        let Op::View(view) = self.graph.op(node).clone() else { return None };
        let source = self.graph.args(node)[0];
        let reads = |at: &Affine| at.terms.iter().any(|(own, _)| *own == axis);
        let mut mentioned = (0..view.map.len()).filter(|at| reads(&view.map[*at]));
        let (Some(place), None) = (mentioned.next(), mentioned.next()) else { return None };
        let at = &view.map[place];
        let [(_, sign @ (1 | -1))] = at.terms.as_slice() else { return None };
        let position = Dim::fixed(0).plus(&at.offset, Num::int(-i128::from(*sign)));
        let room = view.shape[axis].plus(&position, Num::int(-1));
        let one = self.graph.shape(source)[place].is_one() && at.divisor == 1;
        if !one || !position.is_at_least(0) || !room.is_at_least(1) {
            return None;
        }
        let mut labels: Vec<u32> = (0..self.graph.rank(source) as u32).collect();
        let out: Vec<u32> = labels.iter().copied().filter(|own| *own != place as u32).collect();
        let read = self.graph.einsum(&[(source, std::mem::take(&mut labels))], &out, &[]);
        let read = self.normal(read);
        let mut map = view.map.clone();
        map.remove(place);
        for (own, _) in map.iter_mut().flat_map(|at| &mut at.terms) {
            *own -= usize::from(*own > axis);
        }
        let mut shape = view.shape.clone();
        shape.remove(axis);
        let there = self.graph.view(read, View { map, shape });
        Some(self.normal(there))
    }
}
