//! Matrix notation: whole-tensor expressions under NumPy's rules. Small recognisers over axes that are tracked by label; where
//! none fits the answer is `None`, never a formula of another value or shape.

use super::Scope;
use super::build::{Guard, Operand, Term, at, call_with, chained, number, signed_sum, whole_axis};
use super::contract::{self, Tensor};
use super::index::{applied, named_const, size_expr};
use super::product::{Factor, Product, flatten};
use super::rolls::{self, Part};
use super::structure;
use super::view;
use crate::few::Each;
use crate::ir::graph::all_different;
use crate::ir::{Dim, NodeId, Num, Op, VarKind};
use crate::ops::{self, Kind};
use crate::simplify::is_large;
use chainrule_grammar::ast::{Expr, ExprKind, IndexItem};
use chainrule_grammar::print;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// An expression that broadcasts to a node's value.
pub(super) struct Loose {
    /// The expression.
    pub term: Term,
    /// Which of the node's axes it really has, with their full size.
    pub cover: Vec<bool>,
    /// The same value with reduced axes kept at size 1: the expression, and the node's axis of each of its axes.
    pub kept: Option<(Expr, Vec<Option<usize>>)>,
}

impl Loose {
    fn full(expr: Expr, rank: usize) -> Loose {
        Loose { term: Term::of(expr), cover: vec![true; rank], kept: None }
    }
}

/// The node's value in exactly its shape.
pub(super) fn exact(scope: &Scope<'_>, node: NodeId) -> Option<Expr> {
    Some(exact_loose(scope, node)?.term.expr())
}

/// Zeros of a shape.
fn nothing(scope: &Scope<'_>, shape: &[Dim]) -> Loose {
    let zeros = if shape.is_empty() { Expr::num("0") } else { filled(scope, "zeros", shape) };
    Loose::full(zeros, shape.len())
}

fn exact_loose(scope: &Scope<'_>, node: NodeId) -> Option<Loose> {
    let graph = scope.graph();
    let shape = graph.shape(node);
    if graph.is_zero(node) && scope.name(node).is_none() && !shape.is_empty() {
        return Some(nothing(scope, shape));
    }
    if let Some(expr) = structure::kronecker(scope, node) {
        return Some(Loose::full(expr, shape.len()));
    }
    let mut loose = loose(scope, node)?;
    if loose.cover.iter().all(|&has| has) {
        return Some(loose);
    }
    let ones = filled(scope, "ones", shape);
    let term = match loose.term {
        term if term.over.is_empty()
            && term.chain.is_empty()
            && term.under.is_empty()
            && term.guards.is_empty()
            && term.coefficient.is_one() =>
        {
            Term::of(ones)
        }
        mut term => {
            term.times(ones, Num::ONE);
            term
        }
    };
    loose = Loose { term, cover: vec![true; shape.len()], kept: None };
    Some(loose)
}

/// `ones(N, M)`
fn filled(scope: &Scope<'_>, name: &str, shape: &[Dim]) -> Expr {
    Expr::call(name, shape.each(|dim| size_expr(scope.graph(), dim)))
}

/// An expression that broadcasts to the node's value.
fn loose(scope: &Scope<'_>, node: NodeId) -> Option<Loose> {
    let graph = scope.graph();
    let rank = graph.rank(node);
    if let Some(name) = scope.name(node) {
        return Some(Loose::full(Expr::name(name), rank));
    }
    let args = graph.args(node);
    let full = |expr: Expr| Some(Loose::full(expr, rank));
    match graph.op(node) {
        Op::Var(id) => full(Expr::name(&graph.var(*id).name)),
        Op::Const(value) => {
            Some(Loose { term: Term::number(*value), cover: Vec::new(), kept: None })
        }
        Op::Named(name) => full(named_const(graph, *name)),
        Op::Size(dim) => full(size_expr(graph, dim)),
        Op::Delta(dim) => full(Expr::call("eye", vec![size_expr(graph, dim)])),
        Op::Range(dim) => full(Expr::call("range", vec![size_expr(graph, dim)])),
        Op::Einsum(_) | Op::Pow(_) => scaled_product(scope, node),
        Op::Add(coefficients) if coefficients.len() == 1 => scaled_product(scope, node),
        Op::Add(_) => sum(scope, node),
        Op::Call(..) => call(scope, node),
        Op::View(moved) => {
            let (c, arg) = numbers_apart(scope, args[0]);
            let mut moved = Loose::full(view::exact(scope, arg, moved)?, rank);
            moved.term.coefficient = c;
            Some(moved)
        }
        Op::Gather => full(picked(scope, args[0], args[1])?),
        Op::Reshape => full(reshaped(scope, node, exact(scope, args[0])?)),
        Op::Scatter(_) => None,
        Op::Scan(_) => full(scan(scope, node, &[])),
        Op::Deriv => full(Expr::call("d", vec![exact(scope, args[0])?, exact(scope, args[1])?])),
    }
}

/// A number that a node is multiplied by, and what is multiplied: in front of what only moves entries.
pub(super) fn numbers_apart(scope: &Scope<'_>, node: NodeId) -> (Num, NodeId) {
    match (scope.graph().op(node), scope.graph().args(node)) {
        (Op::Add(terms), &[only]) if scope.name(node).is_none() => (terms[0], only),
        _ => (Num::ONE, node),
    }
}

/// `E[idx]`, and `one_hot(idx, K)` for rows of an identity matrix.
fn picked(scope: &Scope<'_>, rows: NodeId, places: NodeId) -> Option<Expr> {
    let graph = scope.graph();
    let index = exact(scope, places)?;
    Some(match (graph.op(rows), graph.op(places)) {
        (Op::Delta(size), Op::Var(_)) => Expr::call("one_hot", vec![index, size_expr(graph, size)]),
        _ => at(exact(scope, rows)?, vec![IndexItem::At(index)]),
    })
}

/// `scan(step, init, xs)`
pub(super) fn scan(scope: &Scope<'_>, node: NodeId, letters: &[String]) -> Expr {
    let graph = scope.graph();
    let step = scope.names.function(node).unwrap_or("step").to_string();
    let sequences = match graph.op(node) {
        Op::Scan(body) => graph.bodies[body.0 as usize].entries.len(),
        _ => 0,
    };
    let args =
        graph.args(node)[..=sequences].iter().map(|&arg| super::index::whole(scope, arg, letters));
    Expr::call("scan", std::iter::once(Expr::name(step)).chain(args).collect())
}

/// The terms of a sum, nested unnamed sums included, in order.
pub(super) fn terms(scope: &Scope<'_>, node: NodeId) -> Vec<(Num, NodeId)> {
    let graph = scope.graph();
    let mut stack = vec![(Num::ONE, node, true)];
    let mut terms = Vec::new();
    while let Some((c, id, is_root)) = stack.pop() {
        match graph.op(id) {
            Op::Add(coefficients)
                if is_root
                    || scope.name(id).is_none() && (coefficients.len() == 1 || !is_large(c)) =>
            {
                let parts = coefficients.iter().zip(graph.args(id));
                stack.extend(parts.rev().map(|(factor, &arg)| (c * *factor, arg, false)));
            }
            _ => terms.push((c, id)),
        }
    }
    terms
}

fn sum(scope: &Scope<'_>, node: NodeId) -> Option<Loose> {
    let mut cover = vec![false; scope.graph().rank(node)];
    let mut parts = Vec::new();
    for (c, part) in rolls::found(scope, terms(scope, node)) {
        let mut part = match part {
            Part::Node(arg) => loose(scope, arg)?,
            Part::Roll(roll) => {
                Loose::full(roll.call(exact(scope, roll.arg)?, cover.len()), cover.len())
            }
        };
        part.term.coefficient = part.term.coefficient * c;
        parts.push(part.term);
        cover.iter_mut().zip(&part.cover).for_each(|(all, has)| *all |= has);
    }
    let term = together(parts);
    if term.coefficient.is_zero() {
        return Some(nothing(scope, scope.graph().shape(node)));
    }
    Some(Loose { term, cover, kept: None })
}

/// The sum of terms. Those that are written alike, as products of matrices in another grouping are, become one.
pub(super) fn together(parts: Vec<Term>) -> Term {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Term> = Vec::new();
    for part in parts {
        let alone = Term { coefficient: Num::ONE, ..part.clone() };
        match places.entry(print::expr(&alone.expr())) {
            Entry::Occupied(place) => {
                let known = &mut kept[*place.get()];
                known.coefficient = known.coefficient + part.coefficient;
            }
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(part);
            }
        }
    }
    kept.retain(|term| !term.coefficient.is_zero());
    match <[Term; 1]>::try_from(kept) {
        Ok([only]) => only,
        Err(terms) if terms.is_empty() => Term::number(Num::ZERO),
        Err(terms) => Term::of(signed_sum(terms.into_iter().map(Term::signed).collect())),
    }
}

fn call(scope: &Scope<'_>, node: NodeId) -> Option<Loose> {
    let graph = scope.graph();
    let Op::Call(op, attrs) = graph.op(node) else { return None };
    let row = ops::spec(*op);
    let rank = graph.rank(node);
    let args = graph.args(node);
    if let Some(divisor) = scope.guarded(node) {
        let part = loose(scope, divisor)?;
        let guards = vec![Guard { of: part.term.expr(), power: Num::ONE, single: rank == 0 }];
        return Some(Loose { term: Term { guards, ..Term::one() }, cover: part.cover, kept: None });
    }
    if matches!(row.kind, Kind::Elementwise) {
        let mut cover = vec![false; rank];
        let mut values = Vec::new();
        let scope = &scope.arguments(node);
        for &arg in args {
            let part = loose(scope, arg)?;
            cover.iter_mut().zip(&part.cover).for_each(|(all, has)| *all |= has);
            values.push(part.term);
        }
        return Some(Loose { term: applied(row, values), cover, kept: None });
    }
    let values: Vec<Expr> = args.iter().map(|&arg| exact(scope, arg)).collect::<Option<_>>()?;
    let mut value = Loose::full(whole_call(scope, node, values.clone()), rank);
    if matches!(row.kind, Kind::Reduce)
        && rank + attrs.axes.len() == graph.rank(args[0])
        && rank > 0
    {
        let kept =
            reduction(row.name, values.into_iter().next()?, &attrs.axes, graph.rank(args[0]), true);
        let mut next = 0..rank;
        let pattern = (0..graph.rank(args[0]))
            .map(|axis| if attrs.axes.contains(&axis) { None } else { next.next() });
        value.kept = Some((kept, pattern.collect()));
    }
    Some(value)
}

/// A call of the rule book over whole tensors, with `axis=` where it is not what is meant without it.
pub(super) fn whole_call(scope: &Scope<'_>, node: NodeId, mut values: Vec<Expr>) -> Expr {
    let graph = scope.graph();
    let Op::Call(op, attrs) = graph.op(node) else { return Expr::num("0") };
    let row = ops::spec(*op);
    let rank = graph.args(node).first().map_or(0, |&arg| graph.rank(arg));
    match row.kind {
        Kind::Reduce if !values.is_empty() => {
            let keeps = rank == graph.rank(node) && !attrs.axes.is_empty();
            reduction(row.name, values.remove(0), &attrs.axes, rank, keeps)
        }
        Kind::Along if !attrs.axes.is_empty() && attrs.axes != [rank - 1] => {
            call_with(row.name, values, vec![("axis", axes_expr(&attrs.axes))])
        }
        _ => {
            values.extend(attrs.ints.iter().map(|&int| number(Num::int(i128::from(int)))));
            Expr::call(row.name, values)
        }
    }
}

/// `name(x, axis=0, keepdims=true)`
pub(super) fn reduction(name: &str, arg: Expr, axes: &[usize], rank: usize, keep: bool) -> Expr {
    let mut kwargs = Vec::new();
    if axes.len() != rank {
        kwargs.push(("axis", axes_expr(axes)));
    }
    if keep {
        kwargs.push(("keepdims", Expr::name("true")));
    }
    call_with(name, vec![arg], kwargs)
}

pub(super) fn axes_expr(axes: &[usize]) -> Expr {
    let number = |axis: &usize| Expr::num(axis.to_string());
    match axes {
        [axis] => number(axis),
        axes => Expr::synthetic(ExprKind::List(axes.each(number))),
    }
}

/// `reshape(x, [N, M])`
pub(super) fn reshaped(scope: &Scope<'_>, node: NodeId, arg: Expr) -> Expr {
    let graph = scope.graph();
    let sizes = graph.shape(node).each(|dim| size_expr(graph, dim));
    Expr::call("reshape", vec![arg, Expr::synthetic(ExprKind::List(sizes))])
}

/// A product, contraction, power or scaling.
fn scaled_product(scope: &Scope<'_>, node: NodeId) -> Option<Loose> {
    let graph = scope.graph();
    if graph.is_zero(node) {
        return Some(Loose {
            term: Term::number(Num::ZERO),
            cover: vec![false; graph.rank(node)],
            kept: None,
        });
    }
    let product = flatten(scope, node);
    if let Some(term) = structure::multiplied_out(scope, &product) {
        return Some(Loose { term, cover: vec![true; 2], kept: None });
    }
    let product = structure::weighed(scope, &product)
        .or_else(|| structure::joined(scope, &product))
        .unwrap_or(product);
    let (scale, tensors) = contracted(scope, &product)?;
    combine(&product, scale, tensors)
}

/// A product with its sums carried out: scalars in front, and tensors whose product is the value.
pub(super) fn contracted(scope: &Scope<'_>, product: &Product) -> Option<(Term, Vec<Tensor>)> {
    let graph = scope.graph();
    let mut scale = Term::number(product.coefficient);
    let mut tensors = Vec::new();
    for &label in &product.bound {
        let idle = !product.factors.iter().any(|factor| factor.labels.contains(&label));
        if idle && !product.size(label).is_one() {
            scale.times(size_expr(graph, &product.size(label)), Num::ONE);
        }
    }
    for (order, factor) in product.factors.iter().enumerate() {
        // Of a number; along axes it is a factor of its own.
        if let Some(divisor) = scope.guarded(factor.node)
            && factor.labels.is_empty()
            && !factor.power.is_negative()
        {
            let of = loose(scope, divisor)?.term.expr();
            scale.guards.push(Guard { of, power: factor.power, single: true });
            continue;
        }
        let (coefficient, tensor) = read(scope, product, factor, order)?;
        scale.coefficient = scale.coefficient * coefficient;
        tensors.push(tensor);
    }
    let summed: Vec<u32> =
        product.bound.iter().copied().filter(|&label| !product.is_single(label)).collect();
    Some((scale, contract::contract(tensors, &product.out, &summed)?))
}

/// A factor with its axes named by labels, and the number in front of it.
fn read(
    scope: &Scope<'_>,
    product: &Product,
    factor: &Factor,
    order: usize,
) -> Option<(Num, Tensor)> {
    let graph = scope.graph();
    let mut value = if graph.rank(factor.node) == 0 {
        loose(scope, factor.node)?
    } else {
        exact_loose(scope, factor.node)?
    };
    let mut coefficient = Num::ONE;
    if factor.power.is_one() && value.kept.is_none() {
        coefficient = std::mem::replace(&mut value.term.coefficient, Num::ONE);
    }
    let plain_kept = value.kept;
    let mut tensor = Tensor::new(order);
    let lone =
        value.term.over.is_empty() && value.term.under.is_empty() && value.term.guards.is_empty();
    if factor.power.is_one() && value.term.coefficient.is_one() && lone {
        tensor.chain.clone_from(&value.term.chain);
    }
    tensor.identity = matches!(graph.op(factor.node), Op::Delta(_));
    tensor.symmetric = tensor.identity || scope.names.symmetric(factor.node);
    let base = value.term.expr();
    tensor.data =
        matches!(graph.op(factor.node), Op::Var(var) if graph.var(*var).kind != VarKind::Direction);
    tensor.row = scope.names.rows.contains(&factor.node);
    let power = |expr: Expr| {
        let mut term = Term::one();
        term.times(expr, factor.power);
        (term.over, term.under)
    };
    let (expr, labels) = undoubled(base.clone(), &factor.labels)?;
    if labels != factor.labels {
        tensor.chain.clear();
    }
    let single = |label: &u32| product.is_single(*label);
    tensor.labels = labels.iter().copied().filter(|label| !single(label)).collect();
    let dropped = labels.iter().any(single);
    if dropped {
        tensor.chain.clear();
        tensor.symmetric = false;
        tensor.data = false;
        tensor.row = false;
    }
    let expr = if dropped {
        let item =
            |label: &u32| if single(label) { IndexItem::At(Expr::num("0")) } else { whole_axis() };
        at(expr, labels.each(item))
    } else {
        expr
    };
    (tensor.over, tensor.under) = power(expr);
    if dropped && labels.len() == factor.labels.len() {
        let pattern = labels.each(|label| (!single(label)).then_some(*label));
        let (over, under) = power(base);
        tensor.kept = Some((over, under, pattern));
    } else if let (Some((kept, axes)), false) = (plain_kept, dropped)
        && labels.len() == factor.labels.len()
    {
        let pattern = axes.each(|axis| axis.map(|axis| labels[axis]));
        let (over, under) = power(kept);
        tensor.kept = Some((over, under, pattern));
    }
    Some((coefficient, tensor))
}

/// A matrix that is read at one label twice is read on its diagonal.
fn undoubled(expr: Expr, labels: &[u32]) -> Option<(Expr, Vec<u32>)> {
    match labels {
        [a, b] if a == b => Some((Expr::call("diag", vec![expr]), vec![*a])),
        labels => all_different(labels).then(|| (expr, labels.to_vec())),
    }
}

/// The elementwise product of what contraction left.
pub(super) fn combine(product: &Product, mut term: Term, tensors: Vec<Tensor>) -> Option<Loose> {
    let out = &product.out;
    if let Some(term) = structure::diagonal(&term, &tensors, out) {
        return Some(Loose { term, cover: vec![true; out.len()], kept: None });
    }
    let cover: Vec<bool> =
        out.each(|label| tensors.iter().any(|tensor| tensor.labels.contains(label)));
    let kept = only_kept(&tensors, &term, out);
    let scalars_else = tensors.iter().filter(|tensor| !tensor.labels.is_empty()).count();
    // A lone matrix product keeps its operands in the chain; scalars go in front.
    if let Some(at) = tensors.iter().position(|tensor| !tensor.chain.is_empty())
        && (scalars_else == usize::from(!tensors[at].labels.is_empty()))
        && let Some(chain) = tensors[at].chain_at(out)
    {
        for (order, tensor) in tensors.into_iter().enumerate() {
            if order != at {
                term.over.extend(tensor.over);
                term.under.extend(tensor.under);
            }
        }
        term.chain = chain;
        return Some(Loose { term, cover, kept: None });
    }
    let ones: Vec<usize> =
        (0..out.len()).filter(|&axis| !cover[axis] && product.size(out[axis]).is_one()).collect();
    if let Some((over, under)) = outer(&tensors, out) {
        term.over.extend(over);
        term.under.extend(under);
        return Some(Loose { term, cover, kept: None });
    }
    let mut from = ones.first().copied();
    let mut cover = cover;
    for tensor in &tensors {
        let expanding = from.is_some() && !tensor.labels.is_empty();
        let (over, under) = tensor.aligned(out, if expanding { from.take() } else { None })?;
        if expanding {
            ones.iter().for_each(|&axis| cover[axis] = true);
        }
        term.over.extend(over);
        term.under.extend(under);
    }
    Some(Loose { term, cover, kept })
}

/// A reduction alone can also be had with its axes kept.
fn only_kept(tensors: &[Tensor], term: &Term, out: &[u32]) -> Option<(Expr, Vec<Option<usize>>)> {
    let [tensor] = tensors else { return None };
    let (over, under, pattern) = tensor.kept.as_ref()?;
    let axis = |label: &u32| out.iter().position(|own| own == label);
    let whole = Term { over: over.clone(), under: under.clone(), ..term.clone() };
    let plain = term.over.is_empty() && term.under.is_empty() && term.guards.is_empty();
    plain.then(|| (whole.expr(), pattern.each(|label| label.as_ref().and_then(axis))))
}

/// `outer(a, b)` where all factors are vectors, some along the rows and some along the columns.
fn outer(tensors: &[Tensor], out: &[u32]) -> Option<(Vec<Expr>, Vec<Expr>)> {
    let [rows, columns] = out else { return None };
    let side = |label: &u32| {
        let own: Vec<&Tensor> = tensors.iter().filter(|tensor| tensor.labels == [*label]).collect();
        let over: Vec<Expr> = own.iter().flat_map(|tensor| tensor.over.clone()).collect();
        let under: Vec<Expr> = own.iter().flat_map(|tensor| tensor.under.clone()).collect();
        (!own.is_empty()).then(|| Term { over, under, ..Term::one() }.expr())
    };
    if tensors.iter().any(|tensor| tensor.labels.len() > 1) {
        return None;
    }
    let product = Expr::call("outer", vec![side(rows)?, side(columns)?]);
    let scalars = tensors.iter().filter(|tensor| tensor.labels.is_empty());
    let (mut over, mut under) = (Vec::new(), Vec::new());
    for scalar in scalars {
        over.extend(scalar.over.clone());
        under.extend(scalar.under.clone());
    }
    over.push(product);
    Some((over, under))
}

impl Tensor {
    /// Its value as one expression.
    pub fn expr(&self) -> Expr {
        Term { over: self.over.clone(), under: self.under.clone(), ..Term::one() }.expr()
    }

    /// Its factors, as they broadcast to the axes `out`; from axis `from` on at the latest every axis is there.
    pub fn aligned(&self, out: &[u32], from: Option<usize>) -> Option<(Vec<Expr>, Vec<Expr>)> {
        if self.labels.is_empty() {
            return Some((self.over.clone(), self.under.clone()));
        }
        let places: Vec<usize> = self
            .labels
            .iter()
            .map(|label| out.iter().position(|own| own == label))
            .collect::<Option<_>>()?;
        let ascending = places.windows(2).all(|pair| pair[0] < pair[1]);
        let first = places.iter().copied().min()?.min(from.unwrap_or(usize::MAX));
        if ascending && places.len() == out.len() - first {
            return Some((self.over.clone(), self.under.clone()));
        }
        if ascending
            && let Some((over, under, pattern)) = &self.kept
            && fits(pattern, out)
            && (from.is_none() || pattern.len() == out.len())
        {
            return Some((over.clone(), under.clone()));
        }
        let items = |places: &[usize]| -> Vec<IndexItem> {
            let item =
                |axis| if places.contains(&axis) { whole_axis() } else { IndexItem::NewAxis };
            (first..out.len()).map(item).collect()
        };
        // What only divides still does: `/ s[:, None]` for `* (1/s)[:, None]`.
        if ascending && self.over.is_empty() {
            let items = items(&places);
            return Some((Vec::new(), self.under.each(|one| at(one.clone(), items.clone()))));
        }
        let (expr, places) = if ascending { (self.expr(), places) } else { swapped(self, places)? };
        let items = items(&places);
        let complete = items.iter().all(|item| *item == whole_axis());
        Some((vec![if complete { expr } else { at(expr, items) }], Vec::new()))
    }

    /// The operands of its matrix product where its axes are exactly in the order of `out`'s last ones.
    fn chain_at(&self, out: &[u32]) -> Option<Vec<Operand>> {
        let tail = out.len().checked_sub(self.labels.len())?;
        (out[tail..] == self.labels).then(|| self.chain.clone())
    }
}

/// The last two axes exchanged, if that brings them into order.
fn swapped(tensor: &Tensor, mut places: Vec<usize>) -> Option<(Expr, Vec<usize>)> {
    let last = places.len().checked_sub(1)?;
    places.swap(last.checked_sub(1)?, last);
    let ascending = places.windows(2).all(|pair| pair[0] < pair[1]);
    ascending.then(|| (chained(tensor.operands(true)), places))
}

/// Whether axes with kept ones broadcast to `out` as they stand.
fn fits(pattern: &[Option<u32>], out: &[u32]) -> bool {
    let Some(offset) = out.len().checked_sub(pattern.len()) else { return false };
    pattern.iter().zip(&out[offset..]).all(|(label, own)| label.is_none_or(|label| label == *own))
}
