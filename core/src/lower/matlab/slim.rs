//! Axes of size 1 say nothing once the products are taken: a column becomes a vector, and what the ordinary language says of
//! vectors (`A @ x`, `outer(a, b)`, a Hessian with two axes) is then said of it. Values stay the same, entry by entry.
//!
//! In: the graph of a program in this dialect. Out: the same program over a new graph in which no axis has size 1.

use super::super::Lowered;
use crate::few::Each;
use crate::ir::{Affine, Attrs, Dim, Graph, NodeId, Num, Op, Shape, View};
use crate::ops::{self, Kind};
use std::collections::BTreeMap;

/// Rebuilds a program without axes of size 1.
pub(crate) fn slim(graph: &mut Graph, lowered: &mut Lowered) {
    let mut new = Graph::default();
    new.vars.clone_from(&graph.vars);
    new.dims.clone_from(&graph.dims);
    new.consts.clone_from(&graph.consts);
    new.letters.clone_from(&graph.letters);
    new.bodies.clone_from(&graph.bodies);
    new.rooms.clone_from(&graph.rooms);
    let mut slimmer = Slimmer { old: graph, new, map: BTreeMap::new() };
    for var in &mut slimmer.new.vars {
        var.shape = without_ones(&var.shape);
    }
    slimmer.program(lowered);
    let new = slimmer.new;
    *graph = new;
}

fn without_ones(shape: &[Dim]) -> Shape {
    shape.iter().filter(|dim| !dim.is_one()).cloned().collect()
}

struct Slimmer<'g> {
    old: &'g Graph,
    new: Graph,
    map: BTreeMap<NodeId, NodeId>,
}

impl Slimmer<'_> {
    fn program(&mut self, lowered: &mut Lowered) {
        let mut roots: Vec<&mut NodeId> =
            lowered.vars.iter_mut().chain(lowered.scope.values_mut()).collect();
        roots.extend(
            lowered.losses.iter_mut().chain(&mut lowered.outputs).map(|named| &mut named.node),
        );
        for request in &mut lowered.requests {
            roots.push(&mut request.of.node);
            roots.extend(request.wrt.iter_mut().map(|named| &mut named.node));
        }
        let nodes: Vec<NodeId> = roots.each(|root| **root);
        for id in self.old.reachable(&nodes) {
            let node = self.node(id);
            self.map.insert(id, node);
            let leaf =
                matches!(self.new.op(node), Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_));
            if let Some(name) = self.old.names.get(&id).filter(|_| !leaf) {
                self.new.names.entry(node).or_insert_with(|| name.clone());
            }
            if let Some(span) = self.old.spans.get(&id) {
                self.new.spans.entry(node).or_insert(*span);
            }
        }
        for root in roots {
            *root = self.map[root];
        }
    }

    fn node(&mut self, id: NodeId) -> NodeId {
        let old = self.old.node(id);
        let args: Vec<NodeId> = old.args.each(|arg| self.map[arg]);
        let shape = without_ones(&old.shape);
        match &old.op {
            Op::Var(var) => self.new.variable(*var),
            Op::Delta(dim) if dim.is_one() => self.new.constant(Num::ONE),
            Op::Range(dim) if dim.is_one() => self.new.constant(Num::ZERO),
            Op::Add(coefficients) => {
                let terms: Vec<(Num, NodeId)> = coefficients.iter().copied().zip(args).collect();
                self.new.add(&terms, &shape)
            }
            Op::Einsum(e) => {
                let read = |ixs: &[u8]| -> Vec<u32> {
                    ixs.iter()
                        .filter(|ix| !e.sizes[**ix as usize].is_one())
                        .map(|ix| u32::from(*ix))
                        .collect()
                };
                let factors: Vec<(NodeId, Vec<u32>)> =
                    args.into_iter().zip(e.ins.iter().map(|ins| read(ins))).collect();
                let sizes = e.sizes.iter().cloned().enumerate().map(|(at, dim)| (at as u32, dim));
                let extra: Vec<(u32, Dim)> = sizes.filter(|(_, dim)| !dim.is_one()).collect();
                self.new.einsum(&factors, &read(&e.out), &extra)
            }
            Op::Deriv => self.new.deriv(args[0], args[1]),
            Op::Call(op, attrs) => match self.slim_attrs(id, *op, attrs) {
                Some(attrs) => self.new.call(*op, args, attrs, shape),
                None => self.widened(id),
            },
            Op::View(view) => match slim_view(view, self.old.shape(old.args[0])) {
                Some(view) => self.new.view(args[0], view),
                None => self.widened(id),
            },
            _ if self.touches_ones(id) => self.widened(id),
            op => self.new.push(op.clone(), args, shape),
        }
    }

    /// Whether a node or an argument of it has an axis of size 1.
    fn touches_ones(&self, id: NodeId) -> bool {
        let node = self.old.node(id);
        std::iter::once(&id)
            .chain(&node.args)
            .any(|one| self.old.shape(*one).iter().any(Dim::is_one))
    }

    /// What a call is told, for slim arguments; `None` where it needs the axes that it has.
    fn slim_attrs(&self, id: NodeId, op: ops::OpId, attrs: &Attrs) -> Option<Attrs> {
        if !self.touches_ones(id) {
            return Some(attrs.clone());
        }
        match ops::spec(op).kind {
            Kind::Elementwise => Some(attrs.clone()),
            Kind::Reduce | Kind::Along => {
                let shape = self.old.shape(self.old.args(id)[0]);
                let kept = |axis: &usize| !shape[*axis].is_one();
                let place = |axis: usize| shape[..axis].iter().filter(|dim| !dim.is_one()).count();
                let axes: Vec<usize> = attrs.axes.iter().copied().filter(kept).map(place).collect();
                (!axes.is_empty()).then(|| Attrs { axes, ints: attrs.ints.clone() })
            }
            _ => None,
        }
    }

    /// The node as it was, between axes of size 1 that are put in and taken out.
    fn widened(&mut self, id: NodeId) -> NodeId {
        let old = self.old.node(id).clone();
        let args: Vec<NodeId> = old.args.each(|arg| self.widen(*arg));
        let wide = self.new.push(old.op, args, old.shape.clone());
        let labels: Vec<u32> = (0..old.shape.len() as u32).collect();
        let kept: Vec<u32> =
            labels.iter().copied().filter(|label| !old.shape[*label as usize].is_one()).collect();
        self.new.einsum(&[(wide, labels)], &kept, &[])
    }

    fn widen(&mut self, old: NodeId) -> NodeId {
        let shape = self.old.shape(old).clone();
        let out: Vec<u32> = (0..shape.len() as u32).collect();
        let all = || out.iter().copied().zip(shape.iter().cloned());
        let kept: Vec<u32> =
            all().filter(|(_, dim)| !dim.is_one()).map(|(label, _)| label).collect();
        let extra: Vec<(u32, Dim)> = all().filter(|(_, dim)| dim.is_one()).collect();
        self.new.einsum(&[(self.map[&old], kept)], &out, &extra)
    }
}

/// A view without axes of size 1, which are read at position 0; `None` where one is read elsewhere.
fn slim_view(view: &View, source: &[Dim]) -> Option<View> {
    let place = |axis: usize| view.shape[..axis].iter().filter(|dim| !dim.is_one()).count();
    let mut map = Vec::new();
    for (at, dim) in view.map.iter().zip(source) {
        let terms: Vec<(usize, i64)> = at
            .terms
            .iter()
            .filter(|(axis, _)| !view.shape[*axis].is_one())
            .map(|(axis, c)| (place(*axis), *c))
            .collect();
        if !dim.is_one() {
            map.push(Affine { terms, offset: at.offset.clone(), divisor: at.divisor });
        } else if !terms.is_empty() || at.offset.as_fixed() != Some(0) {
            return None;
        }
    }
    Some(View { map, shape: without_ones(&view.shape) })
}
