//! Matrices that are their own transposes: what is declared so, and what is built so, as `X.T @ X`, sums and inverses of such. In: a
//! node. Out: how that is known. Names are looked through, and few nodes are looked at.

use crate::few::Each;
use crate::ir::graph::Fact;
use crate::ir::{Graph, NodeId, Num, Op, Var};
use crate::ops::{self, Kind};

/// How a matrix is known to be its own transpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Symmetry {
    /// Whatever the variables are.
    Built,
    /// At the point, not beside it: by what is declared of this tensor, or since this name stands for what it does.
    Here(NodeId),
}

impl Symmetry {
    fn and(self, other: Symmetry) -> Symmetry {
        if self == Symmetry::Built { other } else { self }
    }
}

/// Whether a declared tensor is a matrix equal to its transpose.
pub fn is_symmetric(var: &Var) -> bool {
    let equal = [Fact::Symmetric, Fact::Spd, Fact::Diagonal];
    matches!(var.shape.as_slice(), [rows, columns] if rows == columns)
        && var.facts.iter().any(|fact| equal.contains(fact))
}

/// How a node is known to be a matrix equal to its transpose.
pub fn symmetry(graph: &Graph, node: NodeId) -> Option<Symmetry> {
    Search { graph, left: MOST_STEPS }.matrix(node)
}

/// How many steps a search may take.
const MOST_STEPS: usize = 128;
/// Products of more factors are not looked into.
const MOST_FACTORS: usize = 8;

/// A factor and the labels that it is read at.
type Read = (NodeId, Vec<u32>);

/// A product over labels, summed over all but 0 and 1, the axes.
struct Flat {
    coefficient: Num,
    factors: Vec<Read>,
    /// Whether it is 0 where its axes differ.
    diagonal: bool,
    /// A name that was looked through.
    named: Option<NodeId>,
}

struct Search<'g> {
    graph: &'g Graph,
    left: usize,
}

impl Search<'_> {
    fn matrix(&mut self, node: NodeId) -> Option<Symmetry> {
        self.left = self.left.checked_sub(1)?;
        let [rows, columns] = self.graph.shape(node).as_slice() else { return None };
        if rows != columns {
            return None;
        }
        let own = self.unnamed(node)?;
        Some(if self.graph.names.contains_key(&node) { Symmetry::Here(node) } else { own })
    }

    fn unnamed(&mut self, node: NodeId) -> Option<Symmetry> {
        let args = self.graph.args(node);
        match self.graph.op(node) {
            Op::Var(var) => is_symmetric(self.graph.var(*var)).then_some(Symmetry::Here(node)),
            Op::Delta(_) => Some(Symmetry::Built),
            Op::Einsum(_) => self.mirrored(node, node),
            Op::Add(coefficients) => self.sum(coefficients, args),
            Op::Pow(_) => self.matrix(args[0]),
            Op::Call(op, _) if ops::spec(*op).symmetric => self.matrix(args[0]),
            Op::Call(op, _) if matches!(ops::spec(*op).kind, Kind::Elementwise) => {
                args.iter().try_fold(Symmetry::Built, |all, arg| Some(all.and(self.matrix(*arg)?)))
            }
            _ => None,
        }
    }

    /// Every term is symmetric, or another one is its transpose.
    fn sum(&mut self, coefficients: &[Num], args: &[NodeId]) -> Option<Symmetry> {
        let mut all = Symmetry::Built;
        let mut open: Vec<(Num, NodeId)> =
            coefficients.iter().copied().zip(args.to_vec()).collect();
        while let Some((c, term)) = open.pop() {
            if let Some(own) = self.matrix(term) {
                all = all.and(own);
                continue;
            }
            let turned = |(at, (d, other)): (usize, &(Num, NodeId))| {
                let own = (c == *d).then(|| self.mirrored(term, *other)).flatten();
                own.map(|own| (at, own))
            };
            let (at, own) = open.iter().enumerate().find_map(turned)?;
            open.remove(at);
            all = all.and(own);
        }
        Some(all)
    }

    /// How one matrix is known to be the transpose of another: it has the same factors, read the other way round.
    fn mirrored(&mut self, a: NodeId, b: NodeId) -> Option<Symmetry> {
        let (first, second) = (self.flat(a)?, self.flat(b)?);
        let through = first.named.or(second.named).map_or(Symmetry::Built, Symmetry::Here);
        if a == b && first.diagonal {
            return Some(through);
        }
        let same = first.coefficient == second.coefficient
            && first.diagonal == second.diagonal
            && first.factors.len() == second.factors.len();
        if !same {
            return None;
        }
        let how = self.paired(&first.factors, &second.factors, &[(0, 1), (1, 0)])?;
        Some(how.and(through))
    }

    /// Products within a product opened, and what deltas join read at one label.
    fn flat(&mut self, node: NodeId) -> Option<Flat> {
        let mut flat =
            Flat { coefficient: Num::ONE, factors: Vec::new(), diagonal: false, named: None };
        let mut fresh = 2;
        let mut open: Vec<Read> = vec![(node, vec![0, 1])];
        let mut joined: Vec<(u32, u32)> = Vec::new();
        while let Some((next, labels)) = open.pop() {
            self.left = self.left.checked_sub(1)?;
            let args = self.graph.args(next);
            let opened = match self.graph.op(next) {
                Op::Add(_) => args.len() == 1,
                op => matches!(op, Op::Einsum(_)),
            };
            if opened && next != node && self.graph.names.contains_key(&next) {
                flat.named = Some(next);
            }
            match self.graph.op(next) {
                Op::Const(value) => flat.coefficient = flat.coefficient * *value,
                Op::Add(c) if args.len() == 1 => {
                    flat.coefficient = flat.coefficient * c[0];
                    open.push((args[0], labels));
                }
                Op::Delta(_) => joined.push((labels[0], labels[1])),
                Op::Einsum(e) => {
                    let own: Vec<u32> = (0..e.sizes.len() as u32).collect();
                    let own = own.each(|ix| {
                        let axis = e.out.iter().position(|out| u32::from(*out) == *ix);
                        axis.map_or(fresh + ix, |axis| labels[axis])
                    });
                    fresh += own.len() as u32;
                    let read = |ins: &Vec<u8>| ins.each(|ix| own[usize::from(*ix)]);
                    open.extend(args.iter().copied().zip(e.ins.iter().map(read)));
                }
                _ => flat.factors.push((next, labels)),
            }
            if flat.factors.len() + open.len() > MOST_FACTORS {
                return None;
            }
        }
        while let Some((a, b)) = joined.pop() {
            let (to, from) = (a.min(b), a.max(b));
            flat.diagonal |= (to, from) == (0, 1);
            let moved = |label: &mut u32| {
                if *label == from {
                    *label = to
                }
            };
            flat.factors.iter_mut().flat_map(|(_, labels)| labels).for_each(moved);
            joined.iter_mut().for_each(|(a, b)| [a, b].into_iter().for_each(moved));
        }
        Some(flat)
    }

    /// Whether factors are others, with labels exchanged one for one, some of them as given.
    fn paired(&mut self, a: &[Read], b: &[Read], known: &[(u32, u32)]) -> Option<Symmetry> {
        let Some(((base, labels), rest)) = a.split_first() else { return Some(Symmetry::Built) };
        self.left = self.left.checked_sub(1)?;
        let own = if labels.len() == 2 { self.matrix(*base) } else { None };
        for (at, (_, other)) in b.iter().enumerate().filter(|(_, other)| other.0 == *base) {
            let turned: Vec<u32> = other.iter().rev().copied().collect();
            let straight = Some((Symmetry::Built, other));
            for (how, other) in straight.into_iter().chain(own.map(|own| (own, &turned))) {
                let Some(known) = exchanged(known, labels, other) else { continue };
                let mut left = b.to_vec();
                left.remove(at);
                if let Some(all) = self.paired(rest, &left, &known) {
                    return Some(all.and(how));
                }
            }
        }
        None
    }
}

/// The pairs with further ones, where each label has one partner.
fn exchanged(known: &[(u32, u32)], a: &[u32], b: &[u32]) -> Option<Vec<(u32, u32)>> {
    let mut pairs = known.to_vec();
    for (x, y) in a.iter().zip(b) {
        match pairs.iter().find(|(own, other)| own == x || other == y) {
            Some(pair) if *pair != (*x, *y) => return None,
            Some(_) => {}
            None => pairs.push((*x, *y)),
        }
    }
    Some(pairs)
}
