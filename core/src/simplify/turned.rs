//! Functions of transposes: `f(Xᵀ)` is `f(X)ᵀ`. In: a call entry by entry whose arguments are normal. Out: the call on what is read
//! in order, and its transpose, so that products meet `f(X)` however it was written.

use super::{Simplifier, facts};
use crate::few::Each;
use crate::ir::graph::all_different;
use crate::ir::{Dim, Einsum, NodeId, Op};
use crate::ops::{self, Kind};

/// For each axis of what is read in order, the axis of the transpose.
type Turn = Vec<usize>;

impl Simplifier<'_> {
    /// `f(Xᵀ)` as `f(X)ᵀ`, where all arguments are turned alike.
    pub(super) fn turned_outside(&mut self, node: NodeId) -> Option<NodeId> {
        let Op::Call(op, attrs) = self.graph.op(node).clone() else { return None };
        if !matches!(ops::spec(op).kind, Kind::Elementwise) || self.graph.rank(node) < 2 {
            return None;
        }
        let args = self.graph.args(node).to_vec();
        let turn = args.iter().find_map(|arg| self.turn(*arg))?;
        let args: Option<Vec<NodeId>> =
            args.into_iter().map(|arg| self.turned_back(arg, &turn)).collect();
        let shape = in_order(self.graph.shape(node), &turn);
        let call = self.graph.call(op, args?, attrs, shape);
        let call = self.normal(call);
        let labels = turn.each(|axis| *axis as u32);
        let out: Vec<u32> = (0..turn.len() as u32).collect();
        let transpose = self.graph.einsum(&[(call, labels)], &out, &[]);
        let new = self.normal(transpose);
        self.record("function-of-transpose", node, new);
        Some(new)
    }

    /// How a product, or the terms of a sum, read a factor that has all of their axes, if not in order.
    fn turn(&self, node: NodeId) -> Option<Turn> {
        if self.is_atom(node) {
            return None;
        }
        match self.graph.op(node) {
            Op::Add(_) => self.graph.args(node).iter().find_map(|term| self.turn(*term)),
            Op::Einsum(e) => e.ins.iter().find_map(|ins| {
                let turn = read(e, ins);
                let moved = turn.iter().enumerate().any(|(at, axis)| at != *axis);
                (turn.len() == e.out.len() && moved && all_different(ins)).then_some(turn)
            }),
            _ => None,
        }
    }

    /// What a transpose is the transpose of, where all that it reads by two axes or more is turned so.
    fn turned_back(&mut self, node: NodeId, turn: &Turn) -> Option<NodeId> {
        if let Some(value) = facts::number(self.graph, node) {
            let shape = in_order(self.graph.shape(node), turn);
            let value = self.graph.constant(value);
            return Some(self.graph.fill(value, &shape));
        }
        if self.is_atom(node) {
            return None;
        }
        let args = self.graph.args(node).to_vec();
        let new = match self.graph.op(node).clone() {
            Op::Add(c) => {
                let terms: Option<Vec<NodeId>> =
                    args.into_iter().map(|term| self.turned_back(term, turn)).collect();
                let terms: Vec<_> = c.into_iter().zip(terms?).collect();
                let shape = in_order(self.graph.shape(node), turn);
                self.graph.add(&terms, &shape)
            }
            Op::Einsum(e) => {
                let places: Vec<Turn> = e.ins.each(|ins| read(&e, ins));
                let place = |axis: &usize| turn.iter().position(|at| at == axis);
                if !places.iter().all(|read| read.is_sorted_by_key(place)) {
                    return None;
                }
                let label = |ix: &u8| u32::from(*ix);
                let factors: Vec<(NodeId, Vec<u32>)> =
                    args.into_iter().zip(e.ins.iter().map(|ins| ins.each(label))).collect();
                let out = turn.each(|axis| label(&e.out[*axis]));
                let sizes: Vec<(u32, Dim)> =
                    e.sizes.iter().cloned().enumerate().map(|(ix, dim)| (ix as u32, dim)).collect();
                self.graph.einsum(&factors, &out, &sizes)
            }
            _ => return None,
        };
        Some(self.normal(new))
    }
}

/// The axes of a product that a factor reads, in its order.
fn read(e: &Einsum, ins: &[u8]) -> Turn {
    ins.iter().filter_map(|ix| e.out.iter().position(|out| out == ix)).collect()
}

fn in_order(shape: &[Dim], turn: &Turn) -> Vec<Dim> {
    turn.each(|axis| shape[*axis].clone())
}
