//! Rows that are added up at places: `Σ_l [y_l = i] δ_ln a_n = [y_n = i] a_n`, as the gradient of `p[n, y[n]]` has it. In: a scatter whose
//! argument is normal. Out: a product with rows of an identity matrix, where a delta leaves nothing to add up.

use super::Simplifier;
use super::product::Factor;
use crate::few::Each;
use crate::ir::{Dim, NodeId, Num, Op};

impl Simplifier<'_> {
    pub(super) fn scattered(&mut self, node: NodeId, rows: &Dim) -> NodeId {
        let (whole, places) = (self.graph.args(node)[0], self.graph.args(node)[1]);
        let (coefficient, arg) = match (self.graph.op(whole), self.graph.args(whole)) {
            (Op::Add(coefficients), &[only]) if !self.is_atom(whole) => (coefficients[0], only),
            _ => (Num::ONE, whole),
        };
        let front = self.graph.rank(places);
        if self.is_atom(arg) || front == 0 {
            return node;
        }
        let mut product = self.as_product(arg);
        let mut picked: Vec<u32> = Vec::new();
        for axis in 0..front {
            let label = product.out[axis];
            let delta = product.factors.iter().position(|factor| {
                matches!(self.graph.op(factor.base), Op::Delta(_))
                    && factor.exponent.is_one()
                    && factor.labels.contains(&label)
            });
            let Some(delta) = delta else { return node };
            let labels = product.factors.remove(delta).labels;
            let Some(other) = labels.into_iter().find(|other| *other != label) else { return node };
            if !product.out[front..].contains(&other) {
                return node;
            }
            product.rename(label, other);
            picked.push(other);
        }
        let row = self.fresh_label();
        let identity = self.graph.delta(rows);
        let mut shape = self.graph.shape(places).clone();
        shape.push(rows.clone());
        let picks = self.graph.push(Op::Gather, vec![identity, places], shape);
        picked.push(row);
        product.sizes.push((row, rows.clone()));
        product.factors.push(Factor { base: picks, exponent: Num::ONE, labels: picked });
        let mut out = vec![row];
        out.extend_from_slice(&product.out[front..]);
        let factors: Vec<(NodeId, Vec<u32>)> = product
            .factors
            .each(|factor| (self.graph.pow(factor.base, factor.exponent), factor.labels.clone()));
        let new = self.graph.einsum(&factors, &out, &product.sizes);
        let new = self.normal(new);
        let new = self.scaled(coefficient * product.coefficient, new);
        self.record("delta-contract", node, new);
        new
    }
}
