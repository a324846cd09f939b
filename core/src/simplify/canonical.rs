//! Canonical forms: how two spellings of one function are seen to be one. A form is a polynomial: a sum of terms, each a product of
//! atoms read at indices, with indices that are summed over numbered in one way. Functions are atoms, and so is what is too large; how a
//! function answers to the opposite of its argument is told by the rule book.
//!
//! A form that is multiplied out says whether two spellings are one function. Nodes are merged only by forms that are not:
//! `(x + 1)^2 - 2*x - 1` is `x^2`, but not to the same digits, and a program that has both must not get one for the other.
//!
//! In: nodes of one graph. Out: for each a number, equal for two nodes only if they are one function. What is printed and computed
//! stays as it was spelt first.

mod arrange;
mod function;
mod holes;

use super::picked;
use super::power::constant;
use crate::few::{self, Each};
use crate::ir::{Dim, Graph, Map, NodeId, Num, Op, VarId};
use arrange::arrange;
use holes::Sure;
use std::collections::BTreeSet;

/// The number of a form.
pub type FormId = u32;
type AtomId = u32;

/// Sums of more terms than this are not opened.
const MOST_TERMS: usize = 64;
/// What would have more factors than this, in all terms together, is not multiplied out to merge nodes,
const MOST_FACTORS: usize = 64;
/// nor to compare two nodes.
const MOST_FACTORS_COMPARED: usize = 256;

/// What a form is made of: a node that is neither sum nor product over the forms of its arguments. `Pow(1)` is a sum in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Atom {
    op: Op,
    args: Vec<FormId>,
}

/// An atom read at labels, to a power.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Factor {
    atom: AtomId,
    exponent: Num,
    labels: Vec<u32>,
}

/// A product. Labels below the form's rank are its axes, the others are summed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Term {
    factors: Vec<Factor>,
    /// The labels that are summed over, and their sizes.
    bound: Vec<(u32, Dim)>,
}

/// A sum of different terms, sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Form {
    shape: Vec<Dim>,
    terms: Vec<(Term, Num)>,
}

impl Form {
    /// How many factors its terms have together.
    fn size(&self) -> usize {
        self.terms.iter().map(|(term, _)| term.factors.len().max(1)).sum()
    }
}

/// The forms of a graph's nodes.
#[derive(Clone, Debug, Default)]
pub struct Canonical {
    atoms: Vec<Atom>,
    /// Whether the two axes of an atom may be exchanged.
    symmetric: Vec<bool>,
    /// What derivatives are taken by.
    by: BTreeSet<VarId>,
    /// What is known of the values of an atom.
    sure: Vec<Sure>,
    forms: Vec<Form>,
    atom_ids: Map<Atom, AtomId>,
    form_ids: Map<Form, FormId>,
    known: Map<NodeId, FormId>,
    /// The first node of a form.
    first: Map<FormId, NodeId>,
    /// Whether products and whole powers of sums are multiplied out.
    multiplies: bool,
}

impl Canonical {
    /// Forms by which nodes may be merged before derivatives by these variables are taken: a matrix is one of them entry by entry,
    /// so that it is no node with its transpose there, whatever is declared of it.
    pub fn before_derivatives_by(vars: BTreeSet<VarId>) -> Canonical {
        Canonical { by: vars, ..Canonical::default() }
    }

    /// Forms that are multiplied out, to be compared.
    pub fn multiplied_out() -> Canonical {
        Canonical { multiplies: true, ..Canonical::default() }
    }

    /// The form of a node.
    pub fn of(&mut self, graph: &Graph, node: NodeId) -> FormId {
        let mut stack = vec![node];
        while let Some(&next) = stack.last() {
            let open: Vec<NodeId> = graph
                .args(next)
                .iter()
                .copied()
                .filter(|arg| !self.known.contains_key(arg))
                .collect();
            if self.known.contains_key(&next) {
                stack.pop();
            } else if open.is_empty() {
                let form = self.build(graph, next);
                self.known.insert(next, form);
                stack.pop();
            } else {
                stack.extend(open);
            }
        }
        self.known[&node]
    }

    /// The roots with one node for what is one function: that which was met first. Two names of one function stay two, and so do a
    /// matrix and its transpose where entries are picked: they may be one on paper, but not to the last digit.
    pub fn merge(&mut self, graph: &mut Graph, roots: &[NodeId]) -> Vec<NodeId> {
        let mut map: Map<NodeId, NodeId> = Map::default();
        let nodes = graph.reachable(roots);
        let picked = picked(graph, &nodes);
        for node in nodes {
            let args: Vec<NodeId> = graph.args(node).each(|arg| map[arg]);
            let rebuilt = graph.with_args(node, args);
            let form = self.of(graph, rebuilt);
            // What is a number on paper only is not that number to the last digit. It becomes the number, and never the other way round:
            // an exact 0 may say which diagonal is kept.
            let first = match self.number(form) {
                Some(number) => constant(graph, number, &graph.shape(rebuilt).clone()),
                None => *self.first.entry(form).or_insert(rebuilt),
            };
            let named = graph.names.contains_key(&node) && !roots.contains(&node);
            let other = graph.names.get(&first) != graph.names.get(&node);
            let turned = picked.contains(&first) && graph.args(rebuilt) == [first];
            map.insert(node, if named && other || turned { rebuilt } else { first });
            if let Some(name) = graph.names.get(&node).cloned().filter(|_| rebuilt != node) {
                graph.names.entry(map[&node]).or_insert(name);
            }
        }
        roots.each(|root| map[root])
    }

    /// The number that a form is.
    fn number(&self, form: FormId) -> Option<Num> {
        match self.forms[form as usize].terms.as_slice() {
            [] => Some(Num::ZERO),
            [(term, c)] if *term == Term::default() => Some(*c),
            _ => None,
        }
    }

    fn build(&mut self, graph: &Graph, node: NodeId) -> FormId {
        let shape = graph.shape(node).clone();
        let args: Vec<FormId> = graph.args(node).each(|arg| self.known[arg]);
        match graph.op(node) {
            Op::Const(value) => self.intern(shape, vec![(Term::default(), *value)]),
            Op::Size(dim) => self.size(dim),
            Op::Add(coefficients) => {
                let parts: Vec<(Num, FormId)> = coefficients.iter().copied().zip(args).collect();
                self.sum(shape, &parts)
            }
            Op::Einsum(e) => {
                let rank = e.out.len() as u32;
                let mut bound: Vec<(u32, Dim)> = Vec::new();
                let labels: Vec<u32> = (0..e.sizes.len() as u8)
                    .map(|ix| match e.out.iter().position(|out| *out == ix) {
                        Some(axis) => axis as u32,
                        None => {
                            let label = rank + bound.len() as u32;
                            bound.push((label, e.sizes[ix as usize].clone()));
                            label
                        }
                    })
                    .collect();
                let read = |ins: &Vec<u8>| ins.each(|ix| labels[*ix as usize]);
                let factors: Vec<(FormId, Vec<u32>)> =
                    args.into_iter().zip(e.ins.iter().map(read)).collect();
                self.product(shape, bound, &factors)
            }
            Op::Pow(exponent) => self.power(args[0], *exponent),
            Op::Call(op, attrs) => self.call(*op, attrs, args, shape),
            op => {
                let symmetric = match op {
                    Op::Var(var) => {
                        !self.by.contains(var) && super::symmetry::is_symmetric(graph.var(*var))
                    }
                    Op::Delta(_) => true,
                    _ => false,
                };
                self.atomic(op.clone(), args, shape, symmetric)
            }
        }
    }

    fn most_factors(&self) -> usize {
        if self.multiplies { MOST_FACTORS_COMPARED } else { MOST_FACTORS }
    }

    fn intern(&mut self, shape: Vec<Dim>, terms: Vec<(Term, Num)>) -> FormId {
        let form = Form { shape, terms };
        if let Some(&known) = self.form_ids.get(&form) {
            return known;
        }
        let id = self.forms.len() as FormId;
        self.forms.push(form.clone());
        self.form_ids.insert(form, id);
        id
    }

    fn atom(&mut self, op: Op, args: Vec<FormId>, symmetric: bool) -> AtomId {
        let atom = Atom { op, args };
        if let Some(&known) = self.atom_ids.get(&atom) {
            return known;
        }
        let id = self.atoms.len() as AtomId;
        self.sure.push(self.sure(&atom.op, &atom.args));
        self.atoms.push(atom.clone());
        self.symmetric.push(symmetric);
        self.atom_ids.insert(atom, id);
        id
    }

    /// The form of a single atom.
    fn atomic(&mut self, op: Op, args: Vec<FormId>, shape: Vec<Dim>, symmetric: bool) -> FormId {
        let atom = self.atom(op, args, symmetric);
        let labels: Vec<u32> = (0..shape.len() as u32).collect();
        self.single(shape, Num::ONE, Factor { atom, exponent: Num::ONE, labels })
    }

    fn single(&mut self, shape: Vec<Dim>, c: Num, factor: Factor) -> FormId {
        let term = Term { factors: vec![factor], bound: Vec::new() };
        self.collected(shape, vec![(term, c)])
    }

    /// A size is a polynomial of its own.
    fn size(&mut self, dim: &Dim) -> FormId {
        let mut terms = Vec::new();
        for (names, c) in dim.terms.iter() {
            let factors = names.iter().map(|name| Factor {
                atom: self.atom(Op::Size(Dim::named(*name)), Vec::new(), false),
                exponent: Num::ONE,
                labels: Vec::new(),
            });
            terms.push((Term { factors: factors.collect(), bound: Vec::new() }, *c));
        }
        self.collected(Vec::new(), terms)
    }

    fn sum(&mut self, shape: Vec<Dim>, parts: &[(Num, FormId)]) -> FormId {
        let mut terms: Vec<(Term, Num)> = Vec::new();
        for (c, part) in parts {
            let many = self.forms[*part as usize].terms.len();
            let part = match many > 1 && terms.len() + many > MOST_TERMS {
                true => self.closed(*part),
                false => *part,
            };
            let own = self.forms[part as usize].terms.iter();
            terms.extend(own.map(|(term, own)| (term.clone(), *own * *c)));
        }
        let form = self.collected(shape.clone(), terms.clone());
        // The terms of a form are sorted.
        let kept = &self.forms[form as usize].terms;
        let gone = |term: &Term| kept.binary_search_by(|(kept, _)| kept.cmp(term)).is_err();
        // `log(u) - log(u)` is not 0 everywhere: terms that simplification left are there for a reason.
        if !self.multiplies && terms.iter().any(|(term, _)| !self.is_number(term) && gone(term)) {
            let (coefficients, args) = parts.iter().copied().unzip();
            return self.atomic(Op::Add(coefficients), args, shape, false);
        }
        form
    }

    /// A sum as one atom.
    fn closed(&mut self, form: FormId) -> FormId {
        self.bracketed(form, Num::ONE)
    }

    /// Σ Π of forms read at labels. A sum that is the only factor is opened in any case: that is a transpose, or a sum over indices.
    fn product(
        &mut self,
        shape: Vec<Dim>,
        bound: Vec<(u32, Dim)>,
        factors: &[(FormId, Vec<u32>)],
    ) -> FormId {
        let mut fresh = (shape.len() + bound.len()) as u32;
        let mut terms = vec![(Term { factors: Vec::new(), bound }, Num::ONE)];
        for (form, labels) in factors {
            let own = &self.forms[*form as usize];
            let count = |terms: &[(Term, Num)]| -> usize {
                terms.iter().map(|(term, _)| term.factors.len()).sum()
            };
            let all = count(&terms) * own.terms.len() + count(&own.terms) * terms.len();
            let opens =
                own.terms.len() > 1 || own.terms.iter().any(|(term, _)| !term.bound.is_empty());
            let multiplied = own.terms.len() > 1 && factors.len() > 1 && !self.multiplies;
            // A long product within a product is an atom as well: where each step multiplies the product so far, forms stay short.
            let long = factors.len() > 1 && own.size() > self.most_factors();
            let large = opens && all > self.most_factors();
            let form = if multiplied || large || long { self.closed(*form) } else { *form };
            let Some(((last, d), others)) = self.forms[form as usize].terms.split_last() else {
                terms.clear();
                break;
            };
            let mut next = Vec::with_capacity(terms.len() * (others.len() + 1));
            for (term, c) in terms {
                for (more, d) in others {
                    next.push((joined(term.clone(), more, labels, &mut fresh), c * *d));
                }
                next.push((joined(term, last, labels, &mut fresh), c * *d));
            }
            terms = next;
        }
        self.collected(shape, terms)
    }

    /// Terms in canonical order, like ones collected.
    fn collected(&mut self, shape: Vec<Dim>, terms: Vec<(Term, Num)>) -> FormId {
        let rank = shape.len() as u32;
        let mut arranged: Vec<(Term, Num)> = Vec::new();
        for (mut term, mut c) in terms {
            self.contract(&mut term, rank);
            self.collect_powers(&mut term);
            self.count_idle(&mut term, &mut c);
            self.collect_powers(&mut term);
            arranged.push((arrange(term, rank, &self.symmetric), c));
        }
        few::sort_by(&mut arranged, &|(a, _), (b, _)| a.cmp(b));
        let mut kept: Vec<(Term, Num)> = Vec::new();
        for (term, c) in arranged {
            match kept.last_mut().filter(|(last, _)| *last == term) {
                Some((_, sum)) => *sum = *sum + c,
                None => kept.push((term, c)),
            }
        }
        kept.retain(|(_, c)| !c.is_zero());
        self.intern(shape, kept)
    }

    /// Σ_i δ_ik f_i = f_k
    fn contract(&self, term: &mut Term, rank: u32) {
        let mut at = 0;
        while at < term.factors.len() {
            let factor = &term.factors[at];
            if !matches!(self.atoms[factor.atom as usize].op, Op::Delta(_)) {
                at += 1;
                continue;
            }
            let (a, b) = (factor.labels[0], factor.labels[1]);
            // A label that is summed over gives way, or the larger of two axes.
            let (to, from) = (a.min(b), a.max(b));
            if a == b {
                term.factors.remove(at);
            } else if from >= rank {
                term.factors.remove(at);
                read_at(&mut term.factors, from, to);
                term.bound.retain(|(label, _)| *label != from);
                // What stood before may be read alike now.
                at = 0;
            } else {
                let mut delta = term.factors.remove(at);
                read_at(&mut term.factors, from, to);
                delta.labels = vec![to, from];
                delta.exponent = Num::ONE;
                term.factors.insert(at, delta);
                at += 1;
            }
        }
    }

    /// A sum over an index that nothing reads multiplies by its size.
    fn count_idle(&mut self, term: &mut Term, c: &mut Num) {
        let reads =
            |factors: &[Factor], label| factors.iter().any(|factor| factor.labels.contains(&label));
        for (label, dim) in std::mem::take(&mut term.bound) {
            if reads(&term.factors, label) {
                term.bound.push((label, dim));
                continue;
            }
            match &dim.terms[..] {
                [(names, value)] => {
                    *c = *c * *value;
                    for name in names {
                        let atom = self.atom(Op::Size(Dim::named(*name)), Vec::new(), false);
                        term.factors.push(Factor { atom, exponent: Num::ONE, labels: Vec::new() });
                    }
                }
                _ => {
                    let atom = self.atom(Op::Size(dim), Vec::new(), false);
                    term.factors.push(Factor { atom, exponent: Num::ONE, labels: Vec::new() });
                }
            }
        }
    }
}

/// `joined · more`, `more` read at labels and its own sums renamed.
fn joined(mut joined: Term, more: &Term, labels: &[u32], fresh: &mut u32) -> Term {
    let mut own: Vec<(u32, u32)> = Vec::new();
    for (label, dim) in &more.bound {
        own.push((*label, *fresh));
        joined.bound.push((*fresh, dim.clone()));
        *fresh += 1;
    }
    let rename = |label: &u32| match own.iter().find(|(old, _)| old == label) {
        Some((_, new)) => *new,
        None => labels[*label as usize],
    };
    for factor in &more.factors {
        let labels = factor.labels.each(rename);
        joined.factors.push(Factor { labels, ..factor.clone() });
    }
    joined
}

fn read_at(factors: &mut [Factor], from: u32, to: u32) {
    for label in factors.iter_mut().flat_map(|factor| &mut factor.labels) {
        if *label == from {
            *label = to;
        }
    }
}

#[cfg(test)]
mod tests;
