//! A product in one piece: nested products, scalings, reciprocals and powers of one node are gathered into a coefficient and a
//! flat list of factors, which both notations then write down.

use super::Scope;
use crate::few::{self, Each};
use crate::ir::{Dim, Ix, NodeId, Num, Op};
use std::collections::BTreeMap;

/// `node ^ power`, read at labels.
#[derive(Clone)]
pub(super) struct Factor {
    /// What is read.
    pub node: NodeId,
    /// At which labels.
    pub labels: Vec<u32>,
    /// To which power.
    pub power: Num,
}

/// `coefficient · Σ_bound Π factors`
pub(super) struct Product {
    /// The number in front.
    pub coefficient: Num,
    /// In display order.
    pub factors: Vec<Factor>,
    /// Labels of the result's axes.
    pub out: Vec<u32>,
    /// Labels that are summed over.
    pub bound: Vec<u32>,
    /// The size of every label.
    pub sizes: BTreeMap<u32, Dim>,
}

impl Product {
    /// The size of a label.
    pub fn size(&self, label: u32) -> Dim {
        self.sizes.get(&label).cloned().unwrap_or_else(|| Dim::fixed(1))
    }

    /// The same with other labels.
    pub fn relabelled(mut self, label: impl Fn(u32) -> u32) -> Product {
        let factors = self.factors.iter_mut().flat_map(|factor| factor.labels.iter_mut());
        let all = factors.chain(&mut self.out).chain(&mut self.bound);
        all.for_each(|own| *own = label(*own));
        self.sizes = few::map(self.sizes.into_iter().map(|(own, dim)| (label(own), dim)));
        self
    }

    /// The factors that read a label.
    pub fn readers(&self, label: u32) -> impl Iterator<Item = &Factor> + Clone {
        self.factors.iter().filter(move |factor| factor.labels.contains(&label))
    }

    /// Whether a label is bound and has only one value, at which everything is read. A row times a row of a batch of one is
    /// still a matrix product, and the sum of all entries of a column is that of the column as it stands.
    pub fn is_single(&self, label: u32) -> bool {
        if !self.bound.contains(&label) || !self.size(label).is_one() {
            return false;
        }
        let readers: Vec<&Factor> = self.readers(label).collect();
        match readers.as_slice() {
            [only] => !self.is_summed_whole(only),
            all => !all.iter().all(|factor| matches!(factor.labels.as_slice(), [a, b] if a != b)),
        }
    }

    /// Whether all entries of a factor are summed, of which it has more than one by what is known.
    fn is_summed_whole(&self, factor: &Factor) -> bool {
        let alone = |label: &u32| {
            let twice = factor.labels.iter().filter(|own| *own == label).count() > 1;
            self.bound.contains(label) && self.readers(*label).count() == 1 && !twice
        };
        factor.labels.iter().all(alone)
            && factor.labels.iter().any(|label| !self.size(*label).is_one())
    }
}

struct Flattener<'a> {
    scope: &'a Scope<'a>,
    product: Product,
    next: u32,
}

/// The product that a node is. A node of another kind is a product of itself alone.
pub(super) fn flatten(scope: &Scope<'_>, root: NodeId) -> Product {
    let shape = scope.graph().shape(root);
    let out: Vec<u32> = (0..shape.len() as u32).collect();
    let sizes = out.iter().copied().zip(shape.iter().cloned()).collect();
    let product = Product {
        coefficient: Num::ONE,
        factors: Vec::new(),
        out: out.clone(),
        bound: Vec::new(),
        sizes,
    };
    let mut flattener = Flattener { scope, product, next: out.len() as u32 };
    let mut stack = vec![Factor { node: root, labels: out, power: Num::ONE }];
    while let Some(factor) = stack.pop() {
        // A sum may be opened where all else are scalars: `2 · Σ`, `Σ / B`.
        let scalars = |factors: &[Factor]| factors.iter().all(|other| other.labels.is_empty());
        let alone = scalars(&stack) && scalars(&flattener.product.factors);
        match flattener.parts(&factor, alone) {
            Some(parts) => stack.extend(parts.into_iter().rev()),
            None => flattener.product.factors.push(factor),
        }
    }
    numbers_first(&mut flattener.product.factors);
    flattener.product
}

/// A number between tensors stands before them; one at an end stays where it was written.
fn numbers_first(factors: &mut Vec<Factor>) {
    let is_number = |factor: &Factor| factor.labels.is_empty() && !factor.power.is_negative();
    let tensor = |factor: &Factor| !factor.labels.is_empty();
    let (Some(first), Some(last)) =
        (factors.iter().position(tensor), factors.iter().rposition(tensor))
    else {
        return;
    };
    let rest = factors.split_off(last);
    let within = factors.split_off(first);
    let (numbers, tensors): (Vec<Factor>, Vec<Factor>) = within.into_iter().partition(is_number);
    factors.extend(numbers.into_iter().chain(tensors).chain(rest));
}

impl Flattener<'_> {
    /// The factors that a factor consists of; `None` where it stays in one piece. `alone`: all others are scalars.
    fn parts(&mut self, factor: &Factor, alone: bool) -> Option<Vec<Factor>> {
        if self.scope.name(factor.node).is_some() {
            return None;
        }
        let graph = self.scope.graph();
        let args = graph.args(factor.node);
        let whole = factor.power.as_int();
        match graph.op(factor.node) {
            Op::Const(value) => {
                self.product.coefficient = self.product.coefficient * value.powi(whole?)?;
                Some(Vec::new())
            }
            Op::Add(coefficients) if coefficients.len() == 1 => {
                self.product.coefficient =
                    self.product.coefficient * coefficients[0].powi(whole?)?;
                Some(vec![Factor {
                    node: args[0],
                    labels: factor.labels.clone(),
                    power: factor.power,
                }])
            }
            Op::Pow(exponent) => {
                whole?;
                let power = factor.power * *exponent;
                Some(vec![Factor { node: args[0], labels: factor.labels.clone(), power }])
            }
            Op::Einsum(einsum) => {
                let single = |ix: &Ix| einsum.sizes[usize::from(*ix)].is_one();
                let bound = einsum.bound();
                let opens = alone && factor.power.is_one() && self.product.bound.is_empty();
                if !opens && (!bound.iter().all(single) || (whole? != 1 && whole? != -1)) {
                    return None;
                }
                let labels = self.relabel(&einsum.out, &bound, &einsum.sizes, &factor.labels);
                let read = |ins: &Vec<Ix>| ins.each(|&ix| labels[usize::from(ix)]);
                let parts = args.iter().zip(&einsum.ins);
                Some(
                    parts
                        .map(|(&node, ins)| Factor { node, labels: read(ins), power: factor.power })
                        .collect(),
                )
            }
            _ => None,
        }
    }

    /// The labels of an einsum's indices, given those of its result's axes.
    fn relabel(&mut self, out: &[Ix], bound: &[Ix], sizes: &[Dim], labels: &[u32]) -> Vec<u32> {
        let mut all = vec![0; sizes.len()];
        for (&ix, &label) in out.iter().zip(labels) {
            all[usize::from(ix)] = label;
        }
        for &ix in bound {
            let label = self.next;
            self.next += 1;
            self.product.bound.push(label);
            self.product.sizes.insert(label, sizes[usize::from(ix)].clone());
            all[usize::from(ix)] = label;
        }
        all
    }
}
