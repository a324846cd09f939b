//! Index notation: the entry of a node at given positions. Every node has one.

mod zeros;

use super::build::{self, Guard, Term, at, bind, dim_expr, power, signed_sum};
use super::product::{Factor, Product, flatten};
use super::ranges::binder;
use super::rolls::{self, Part};
use super::{Scope, matrix};
use crate::few::Each;
use crate::ir::{Dim, Graph, NamedConst, NodeId, Num, Op, View};
use crate::ops::{self, Kind, OpSpec, Operator};
use chainrule_grammar::ast::{Expr, IndexItem};

/// Formulas nest no deeper than this; [`super::share`] cuts long before.
const MAX_DEPTH: usize = 400;

/// Where one axis is read.
#[derive(Clone, Debug)]
enum Pos {
    /// An affine formula of letters.
    At { terms: Vec<(String, i64)>, offset: Dim },
    /// The value of an integer expression.
    Pick(Expr),
}

impl Pos {
    /// A letter, or 0 where that is written for an axis with one entry.
    fn letter(name: &str) -> Pos {
        if name == "0" {
            return Pos::zero();
        }
        Pos::At { terms: vec![(name.to_string(), 1)], offset: Dim::fixed(0) }
    }

    fn zero() -> Pos {
        Pos::At { terms: Vec::new(), offset: Dim::fixed(0) }
    }
}

struct Indexer<'a> {
    scope: &'a Scope<'a>,
}

/// The letters in scope and how deep the formula is.
#[derive(Clone)]
struct Inside {
    letters: Vec<String>,
    depth: usize,
}

/// The entry of a node at the letters `axes`.
pub(super) fn entry(scope: &Scope<'_>, node: NodeId, axes: &[String]) -> Expr {
    entry_clear_of(scope, node, axes, &[])
}

/// As [`entry`], with summation indices clear of the letters `beside`.
pub(super) fn entry_clear_of(
    scope: &Scope<'_>,
    node: NodeId,
    axes: &[String],
    beside: &[String],
) -> Expr {
    let positions: Vec<Pos> = axes.each(|letter| Pos::letter(letter));
    let inside = Inside { letters: [axes, beside].concat(), depth: 0 };
    Indexer { scope }.entry(node, &positions, &inside).expr()
}

/// The node as a whole-tensor expression: by name, in matrix notation, or else as `tensor[…](…)`.
pub(super) fn whole(scope: &Scope<'_>, node: NodeId, letters: &[String]) -> Expr {
    if let Some(expr) = matrix::exact(scope, node) {
        return expr;
    }
    let graph = scope.graph();
    let axes = scope.names.letters.shape(graph.shape(node), letters);
    let positions: Vec<Pos> = axes.each(|letter| Pos::letter(letter));
    let inside = Inside { letters: [letters, &axes].concat(), depth: 0 };
    let entry = Indexer { scope }.entry(node, &positions, &inside).expr();
    let binders = axes
        .iter()
        .zip(graph.shape(node))
        .map(|(letter, dim)| binder(scope.names, letter, dim, &entry))
        .collect();
    if axes.is_empty() { entry } else { bind("tensor", binders, entry) }
}

/// A size as an expression.
pub(super) fn size_expr(graph: &Graph, dim: &Dim) -> Expr {
    dim_expr(dim, &|id| graph.dims[id.0 as usize].name.clone())
}

/// A named number as an expression.
pub(super) fn named_const(graph: &Graph, name: NamedConst) -> Expr {
    match name {
        NamedConst::Pi => Expr::name("pi"),
        NamedConst::E => Expr::name("e"),
        NamedConst::Inf => Expr::name("inf"),
        NamedConst::User(at) => match graph.consts.get(at as usize) {
            Some((name, _)) => Expr::name(name),
            None => Expr::num("0"),
        },
    }
}

impl Indexer<'_> {
    fn graph(&self) -> &Graph {
        self.scope.graph()
    }

    fn entry(&self, node: NodeId, at_: &[Pos], inside: &Inside) -> Term {
        if inside.depth > MAX_DEPTH {
            return Term::of(Expr::name("too_deep"));
        }
        let inside = &Inside { letters: inside.letters.clone(), depth: inside.depth + 1 };
        if let Some(name) = self.scope.name(node) {
            return self.read(Expr::name(name), node, at_, inside);
        }
        let graph = self.graph();
        let args = graph.args(node);
        match graph.op(node) {
            Op::Var(id) => self.read(Expr::name(&graph.var(*id).name), node, at_, inside),
            Op::Reshape => {
                let base =
                    matrix::reshaped(self.scope, node, whole(self.scope, args[0], &inside.letters));
                self.read(base, node, at_, inside)
            }
            Op::Const(value) => Term::number(*value),
            Op::Named(name) => Term::of(named_const(graph, *name)),
            Op::Size(dim) => Term::of(size_expr(graph, dim)),
            Op::Delta(dim) => self.delta(dim, at_),
            Op::Range(_) => Term::of(self.position(&at_[0])),
            Op::Einsum(_) | Op::Pow(_) => self.product(node, at_, inside),
            Op::Add(coefficients) if coefficients.len() == 1 => self.product(node, at_, inside),
            Op::Add(_) => self.sum(node, at_, inside),
            Op::Call(..) => self.call(node, at_, inside),
            Op::View(view) => self.view(args[0], view, at_, inside),
            Op::Gather => self.gather(args[0], args[1], at_, inside),
            Op::Scatter(_) => self.scatter(args[0], args[1], at_, inside),
            Op::Scan(_) => {
                self.read(matrix::scan(self.scope, node, &inside.letters), node, at_, inside)
            }
            Op::Deriv => {
                let split = graph.rank(args[0]);
                let of = self.entry(args[0], &at_[..split], inside).expr();
                let by = self.entry(args[1], &at_[split..], inside).expr();
                Term::of(Expr::call("d", vec![of, by]))
            }
        }
    }

    fn position(&self, pos: &Pos) -> Expr {
        match pos {
            Pos::Pick(expr) => expr.clone(),
            Pos::At { terms, offset } => {
                let mut parts: Vec<(bool, Expr)> = terms.each(|(letter, c)| {
                    Term {
                        coefficient: Num::int(i128::from(*c)),
                        over: vec![Expr::name(letter)],
                        ..Term::one()
                    }
                    .signed()
                });
                for (names, value) in offset.terms.iter().rev() {
                    let over = names.each(|id| Expr::name(&self.graph().dims[id.0 as usize].name));
                    parts.push(Term { coefficient: *value, over, ..Term::one() }.signed());
                }
                signed_sum(parts)
            }
        }
    }

    fn items(&self, at_: &[Pos]) -> Vec<IndexItem> {
        at_.each(|pos| IndexItem::At(self.position(pos)))
    }

    /// `base[positions]`. Only one axis can be picked by integers at a time; others are selected by a delta.
    fn read(&self, base: Expr, node: NodeId, at_: &[Pos], inside: &Inside) -> Term {
        let picks = at_.iter().filter(|pos| matches!(pos, Pos::Pick(_))).count();
        if picks < 2 {
            return Term::of(at(base, self.items(at_)));
        }
        let mut letters = inside.letters.clone();
        let (mut positions, mut deltas, mut bound, mut seen) =
            (Vec::new(), Vec::new(), Vec::new(), false);
        for (pos, dim) in at_.iter().zip(self.graph().shape(node)) {
            match pos {
                Pos::Pick(expr) if seen => {
                    let letter = self.fresh(dim, &mut letters);
                    deltas.push(delta_of(Expr::name(&letter), expr.clone()));
                    positions.push(Pos::letter(&letter));
                    bound.push((letter, dim.clone()));
                }
                pos => {
                    seen = seen || matches!(pos, Pos::Pick(_));
                    positions.push(pos.clone());
                }
            }
        }
        let mut body = Term::one();
        body.over = deltas;
        body.over.push(at(base, self.items(&positions)));
        Term::of(self.sum_over(&bound, body.expr()))
    }

    fn fresh(&self, dim: &Dim, letters: &mut Vec<String>) -> String {
        let letter = self.scope.names.letters.pick(dim, letters);
        letters.push(letter.clone());
        letter
    }

    fn sum_over(&self, bound: &[(String, Dim)], body: Expr) -> Expr {
        self.reduce_over("sum", bound, body)
    }

    fn reduce_over(&self, name: &str, bound: &[(String, Dim)], body: Expr) -> Expr {
        if bound.is_empty() {
            return body;
        }
        let binders = bound.each(|(letter, dim)| binder(self.scope.names, letter, dim, &body));
        bind(name, binders, body)
    }

    fn delta(&self, dim: &Dim, at_: &[Pos]) -> Term {
        // Of two places a delta says nothing that a number does not.
        if let [Pos::At { terms: one, offset: a }, Pos::At { terms: other, offset: b }] = at_
            && one.is_empty()
            && other.is_empty()
            && let Some(apart) = a.plus(b, Num::int(-1)).as_fixed()
        {
            return Term::number(Num::int(i128::from(apart == 0)));
        }
        if let [Pos::At { terms: one, offset: a }, Pos::At { terms: other, offset: b }] = at_
            && (one, a) == (other, b)
        {
            return Term::one();
        }
        let hidden = self.graph().vars.iter().any(|var| var.name == "delta")
            || self.graph().names.values().any(|name| name == "delta");
        let base = if hidden {
            Expr::call("eye", vec![size_expr(self.graph(), dim)])
        } else {
            Expr::name("delta")
        };
        Term::of(at(base, self.items(at_)))
    }

    fn product(&self, node: NodeId, at_: &[Pos], inside: &Inside) -> Term {
        let product = flatten(self.scope, node);
        let mut places: Vec<(u32, Pos)> =
            product.out.iter().copied().zip(at_.iter().cloned()).collect();
        let mut inner_scope = inside.clone();
        let mut bound: Vec<(String, Dim)> = Vec::new();
        let mut outer = Term::number(product.coefficient);
        for &label in &product.bound {
            let dim = product.size(label);
            if dim.is_one() {
                places.push((label, Pos::zero()));
            } else if product.factors.iter().any(|factor| factor.labels.contains(&label)) {
                let letter = self.fresh(&dim, &mut inner_scope.letters);
                places.push((label, Pos::letter(&letter)));
                bound.push((letter, dim));
            } else {
                outer.times(size_expr(self.graph(), &dim), Num::ONE);
            }
        }
        let mut inner = Term::one();
        for factor in &product.factors {
            let summed = factor.labels.iter().any(|label| is_summed(&product, *label));
            let side = if summed { &mut inner } else { &mut outer };
            self.multiply(side, factor, &places, &inner_scope);
        }
        if !bound.is_empty() {
            let coefficient = inner.coefficient;
            inner.coefficient = Num::ONE;
            outer.coefficient = outer.coefficient * coefficient;
            outer.over.push(self.sum_over(&bound, inner.expr()));
        }
        outer
    }

    fn multiply(&self, term: &mut Term, factor: &Factor, places: &[(u32, Pos)], inside: &Inside) {
        let place = |label: &u32| places.iter().find(|(own, _)| own == label);
        let positions: Vec<Pos> = factor
            .labels
            .each(|label| place(label).map_or_else(Pos::zero, |(_, position)| position.clone()));
        if let Some(divisor) =
            self.scope.guarded(factor.node).filter(|_| !factor.power.is_negative())
        {
            let divisor = self.entry(divisor, &positions, inside).expr();
            term.guards.push(Guard { of: divisor, power: factor.power, single: true });
            return;
        }
        let base = self.entry(factor.node, &positions, inside);
        if factor.power.is_one() {
            term.absorb(base);
        } else {
            term.times(base.expr(), factor.power);
        }
    }

    fn sum(&self, node: NodeId, at_: &[Pos], inside: &Inside) -> Term {
        let terms = super::matrix::terms(self.scope, node);
        let parts = rolls::found(self.scope, terms).into_iter().map(|(c, part)| {
            let mut term = match part {
                Part::Node(arg) => self.entry(arg, at_, inside),
                Part::Roll(roll) => {
                    let whole = whole(self.scope, roll.arg, &inside.letters);
                    self.read(roll.call(whole, at_.len()), node, at_, inside)
                }
            };
            term.coefficient = term.coefficient * c;
            term.signed()
        });
        Term::of(signed_sum(parts.collect()))
    }

    fn call(&self, node: NodeId, at_: &[Pos], inside: &Inside) -> Term {
        let graph = self.graph();
        let Op::Call(op, attrs) = graph.op(node) else { return Term::one() };
        let row = ops::spec(*op);
        let args = graph.args(node);
        if let Some(divisor) = self.scope.guarded(node) {
            let divisor = self.entry(divisor, at_, inside).expr();
            let guard = Guard { of: divisor, power: Num::ONE, single: true };
            return Term { guards: vec![guard], ..Term::one() };
        }
        match row.kind {
            Kind::Elementwise => {
                let scope = &self.scope.arguments(node);
                let values = args.each(|&arg| Indexer { scope }.entry(arg, at_, inside).expr());
                Term::of(apply(row, values))
            }
            Kind::Reduce if args.len() == 1 => {
                let mut inner = inside.clone();
                let (mut positions, mut bound) = (Vec::new(), Vec::new());
                let keeps = graph.rank(args[0]) == at_.len();
                let mut outer = at_.iter();
                for (axis, dim) in graph.shape(args[0]).iter().enumerate() {
                    if !attrs.axes.contains(&axis) {
                        positions.extend(outer.next().cloned());
                        continue;
                    }
                    if keeps {
                        outer.next();
                    }
                    if dim.is_one() {
                        positions.push(Pos::zero());
                        continue;
                    }
                    let letter = self.fresh(dim, &mut inner.letters);
                    positions.push(Pos::letter(&letter));
                    bound.push((letter, dim.clone()));
                }
                let body = self.entry(args[0], &positions, &inner).expr();
                if bound.is_empty() {
                    // Of a single entry a norm is not that entry.
                    return Term::of(Expr::call(row.name, vec![body]));
                }
                Term::of(self.reduce_over(row.name, &bound, body))
            }
            _ => {
                let values = args.each(|&arg| whole(self.scope, arg, &inside.letters));
                let call = matrix::whole_call(self.scope, node, values);
                self.read(call, node, at_, inside)
            }
        }
    }

    /// Affine positions; where a position may be outside or not whole, a delta selects it.
    fn view(&self, arg: NodeId, view: &View, at_: &[Pos], inside: &Inside) -> Term {
        if let Some(read) = self.padded(arg, view, at_, inside) {
            return read;
        }
        let mut inner = inside.clone();
        let (mut positions, mut bound, mut deltas) = (Vec::new(), Vec::new(), Vec::new());
        for (axis, dim) in self.graph().shape(arg).iter().enumerate() {
            let affine = &view.map[axis];
            let composed = compose(&affine.terms, &affine.offset, at_);
            match composed {
                Some(pos) if affine.divisor == 1 && is_inside(self.graph(), view, axis, dim) => {
                    positions.push(pos)
                }
                // Nothing to sum over: there is one position, and it is read where the terms are minus the offset, or the terms'
                // opposites the offset.
                Some(Pos::At { terms, offset })
                    if affine.divisor == 1 && dim.is_one() && !terms.is_empty() =>
                {
                    let sign = if terms.iter().all(|(_, c)| *c < 0) { -1 } else { 1 };
                    let terms = terms.into_iter().map(|(letter, c)| (letter, sign * c)).collect();
                    let here = Pos::At { terms, offset: Dim::fixed(0) };
                    let offset = offset.times(&Dim::fixed(i128::from(-sign)));
                    let only = Pos::At { terms: Vec::new(), offset };
                    deltas.push(delta_of(self.position(&here), self.position(&only)));
                    positions.push(Pos::At { terms: Vec::new(), offset: Dim::fixed(0) });
                }
                composed => {
                    let letter = self.fresh(dim, &mut inner.letters);
                    let scaled = Pos::At {
                        terms: vec![(letter.clone(), affine.divisor)],
                        offset: Dim::fixed(0),
                    };
                    let target = match composed {
                        Some(pos) => self.position(&pos),
                        None => self.picked_position(&affine.terms, &affine.offset, at_),
                    };
                    deltas.push(delta_of(self.position(&scaled), target));
                    positions.push(Pos::letter(&letter));
                    bound.push((letter, dim.clone()));
                }
            }
        }
        let entry = self.entry(arg, &positions, &inner);
        let mut body = Term::one();
        body.over = deltas;
        body.absorb(entry);
        if bound.is_empty() { body } else { Term::of(self.sum_over(&bound, body.expr())) }
    }

    /// An affine formula of positions that are not all affine.
    fn picked_position(&self, terms: &[(usize, i64)], offset: &Dim, at_: &[Pos]) -> Expr {
        let mut parts: Vec<(bool, Expr)> = terms.each(|(axis, c)| {
            let over = vec![self.position(&at_[*axis])];
            Term { coefficient: Num::int(i128::from(*c)), over, ..Term::one() }.signed()
        });
        if offset.as_fixed() != Some(0) {
            parts.push((false, size_expr(self.graph(), offset)));
        }
        signed_sum(parts)
    }

    fn gather(&self, arg: NodeId, idx: NodeId, at_: &[Pos], inside: &Inside) -> Term {
        let split = self.graph().rank(idx);
        let pick = self.entry(idx, &at_[..split], inside).expr();
        let mut positions = vec![Pos::Pick(pick)];
        positions.extend_from_slice(&at_[split..]);
        self.entry(arg, &positions, inside)
    }

    fn scatter(&self, arg: NodeId, idx: NodeId, at_: &[Pos], inside: &Inside) -> Term {
        let mut inner = inside.clone();
        let (mut bound, mut places) = (Vec::new(), Vec::new());
        for (axis, dim) in self.graph().shape(idx).iter().enumerate() {
            if let Some(tied) = self.tied(arg, axis, self.graph().rank(idx)) {
                places.push(at_[1 + tied].clone());
                continue;
            }
            let letter = self.fresh(dim, &mut inner.letters);
            places.push(Pos::letter(&letter));
            bound.push((letter, dim.clone()));
        }
        let pick = self.entry(idx, &places, &inner).expr();
        let mut body = Term::of(delta_of(pick, self.position(&at_[0])));
        places.extend_from_slice(&at_[1..]);
        body.absorb(self.entry(arg, &places, &inner));
        Term::of(self.sum_over(&bound, body.expr()))
    }
}

impl Indexer<'_> {
    /// Which axis behind the first `split` ones a Kronecker delta among the factors says to be read where `axis` is.
    fn tied(&self, node: NodeId, axis: usize, split: usize) -> Option<usize> {
        if self.scope.name(node).is_some() || !matches!(self.graph().op(node), Op::Einsum(_)) {
            return None;
        }
        let product = flatten(self.scope, node);
        let own = *product.out.get(axis)?;
        let partner = |factor: &Factor| match (self.graph().op(factor.node), &factor.labels[..]) {
            (Op::Delta(_), &[a, b]) if a == own => Some(b),
            (Op::Delta(_), &[a, b]) if b == own => Some(a),
            _ => None,
        };
        let partners = product.factors.iter().filter_map(partner);
        partners.filter_map(|b| product.out[split..].iter().position(|out| *out == b)).next()
    }
}

fn is_summed(product: &Product, label: u32) -> bool {
    product.bound.contains(&label) && !product.size(label).is_one()
}

/// `delta[a, b]`
fn delta_of(a: Expr, b: Expr) -> Expr {
    at(Expr::name("delta"), vec![IndexItem::At(a), IndexItem::At(b)])
}

/// A function of the rule book over entries; a product where formulas write one.
pub(super) fn applied(row: &OpSpec, values: Vec<Term>) -> Term {
    let exprs = |values: Vec<Term>| values.into_iter().map(Term::expr).collect();
    let (Some(f), [_, _]) = (row.times, values.as_slice()) else {
        return Term::of(apply(row, exprs(values)));
    };
    let mut values = values.into_iter();
    let mut product = Term::one();
    values.by_ref().take(1).for_each(|factor| product.absorb(factor));
    product.times(Expr::call(f, exprs(values.collect())), Num::ONE);
    product
}

/// Comparisons and powers have their signs.
fn apply(row: &OpSpec, mut args: Vec<Expr>) -> Expr {
    let (Some(operator), 2) = (row.operator, args.len()) else { return Expr::call(row.name, args) };
    let second = args.remove(1);
    let first = args.remove(0);
    match operator {
        Operator::Compare(sign) => build::compare(sign, first, second),
        Operator::Power => power(first, second),
    }
}

/// `Σ c·at[k] + offset` where all those positions are affine; a lone position as it is.
fn compose(terms: &[(usize, i64)], offset: &Dim, at_: &[Pos]) -> Option<Pos> {
    if let ([(axis, 1)], Some(0)) = (terms, offset.as_fixed()) {
        return Some(at_[*axis].clone());
    }
    let (mut letters, mut sum): (Vec<(String, i64)>, Dim) = (Vec::new(), offset.clone());
    for (axis, c) in terms {
        let Pos::At { terms, offset } = &at_[*axis] else { return None };
        sum = sum.plus(offset, Num::int(i128::from(*c)));
        for (letter, factor) in terms {
            let factor = factor.checked_mul(*c)?;
            match letters.iter_mut().find(|(known, _)| known == letter) {
                Some((_, total)) => *total = total.checked_add(factor)?,
                None => letters.push((letter.clone(), factor)),
            }
        }
    }
    letters.retain(|(_, c)| *c != 0);
    Some(Pos::At { terms: letters, offset: sum })
}

/// Whether every position that a view reads on an axis is certainly inside of it.
pub(super) fn is_inside(graph: &Graph, view: &View, axis: usize, dim: &Dim) -> bool {
    let affine = &view.map[axis];
    if let ([(out, 1)], []) = (affine.terms.as_slice(), &affine.offset.terms[..])
        && view.shape[*out] == *dim
    {
        return true;
    }
    let (mut low, mut high) = (affine.offset.clone(), affine.offset.clone());
    for (out, c) in &affine.terms {
        let last = view.shape[*out].plus(&Dim::fixed(1), Num::int(-1));
        let end = if *c > 0 { &mut high } else { &mut low };
        *end = end.plus(&last, Num::int(i128::from(*c)));
    }
    let room = dim.plus(&high, Num::int(-1)).plus(&Dim::fixed(1), Num::int(-1));
    // What the program itself reads there, it wants to be there.
    let wanted = |known: &Dim| is_nonnegative(&room.plus(known, Num::int(-1)));
    is_nonnegative(&low) && (is_nonnegative(&room) || graph.rooms.iter().any(wanted))
}

/// Whether a size formula is at least 0 whatever the sizes (which are at least 1).
fn is_nonnegative(dim: &Dim) -> bool {
    let total = dim.terms.iter().fold(Num::ZERO, |sum, (_, value)| sum + *value);
    let only_constant_negative =
        dim.terms.iter().all(|(names, value)| names.is_empty() || !value.is_negative());
    only_constant_negative && !total.is_negative()
}
