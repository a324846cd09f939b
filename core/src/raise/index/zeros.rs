//! Positions outside of a tensor, as a person writes them: `pad(x, 2)[j - k + 2]`, where a sum over a delta would say which entries there
//! are. In: a view whose argument is a product, read at several letters at once, as convolutions are. Out: its factors, of which those that
//! may be read outside have zeros around them.

use super::super::build::{Term, call_with};
use super::super::matrix::{self, axes_expr};
use super::super::product::{Factor, Product, flatten};
use super::{Indexer, Inside, Pos, compose, is_inside, is_nonnegative, size_expr};
use crate::few::Each;
use crate::ir::{Affine, Dim, Graph, NodeId, Num, View};
use chainrule_grammar::ast::{Expr, ExprKind};

/// How many zeros before and after an axis.
type Width = (Dim, Dim);

impl Indexer<'_> {
    /// The entry of a view, where what is read outside has a matrix form.
    pub(super) fn padded(
        &self,
        arg: NodeId,
        view: &View,
        at_: &[Pos],
        inside: &Inside,
    ) -> Option<Term> {
        let graph = self.graph();
        let widths = widths(graph, view, graph.shape(arg))?;
        let several = |(at, width): (&Affine, &Width)| !is_none(width) && at.terms.len() > 1;
        if !view.map.iter().zip(&widths).any(several) {
            return None;
        }
        let mut product = flatten(self.scope, arg);
        if !product.bound.is_empty() {
            return None;
        }
        let position = |label: &u32| {
            let (at, width) = (&view.map[*label as usize], &widths[*label as usize]);
            compose(&at.terms, &at.offset.plus(&width.0, Num::ONE), at_)
        };
        let outside = |label: &u32| !is_none(&widths[*label as usize]);
        let (around, within): (Vec<Factor>, Vec<Factor>) =
            product.factors.drain(..).partition(|factor| factor.labels.iter().any(outside));
        let mut places = Vec::new();
        for label in &product.out {
            places.push((*label, position(label)?));
        }
        let mut term = Term::number(product.coefficient);
        for factor in &within {
            self.multiply(&mut term, factor, &places, inside);
        }
        let (axes, base) = self.surrounded(product, around, &widths)?;
        let read: Vec<Pos> = axes.iter().map(position).collect::<Option<_>>()?;
        if read.iter().any(|pos| matches!(pos, Pos::Pick(_))) {
            return None;
        }
        term.times(super::at(base, self.items(&read)), Num::ONE);
        Some(term)
    }

    /// The product of factors with zeros around it, and the axes that it has.
    fn surrounded(
        &self,
        whole: Product,
        factors: Vec<Factor>,
        widths: &[Width],
    ) -> Option<(Vec<u32>, Expr)> {
        let has = |label: &u32| factors.iter().any(|factor| factor.labels.contains(label));
        let mut axes = whole.out.clone();
        axes.retain(has);
        // What repeats a number along an axis is 0 outside of it too.
        let outside = |label: &&u32| !is_none(&widths[**label as usize]);
        if !whole.out.iter().filter(outside).all(has) {
            return None;
        }
        let own = axes.each(|label| widths[*label as usize].clone());
        let part = Product { coefficient: Num::ONE, factors, out: axes.clone(), ..whole };
        let (scale, tensors) = matrix::contracted(self.scope, &part)?;
        let value = matrix::combine(&part, scale, tensors)?;
        let full = value.cover.iter().all(|has| *has);
        full.then(|| (axes, with_zeros(self.graph(), value.term.expr(), &own)))
    }
}

/// The zeros that the positions of a view take in; `None` where there are none, or where an axis of one entry or a position that need not
/// be whole has them.
fn widths(graph: &Graph, view: &View, shape: &[Dim]) -> Option<Vec<Width>> {
    let mut widths = Vec::new();
    for (axis, (at, size)) in view.map.iter().zip(shape).enumerate() {
        if is_inside(graph, view, axis, size) {
            widths.push((Dim::fixed(0), Dim::fixed(0)));
            continue;
        }
        if at.divisor != 1 || size.is_one() {
            return None;
        }
        let (mut low, mut high) = (at.offset.clone(), at.offset.clone());
        for (own, c) in &at.terms {
            let last = view.shape[*own].plus(&Dim::fixed(1), Num::int(-1));
            let end = if *c < 0 { &mut low } else { &mut high };
            *end = end.plus(&last, Num::int(i128::from(*c)));
        }
        let room = size.plus(&Dim::fixed(1), Num::int(-1)).plus(&high, Num::int(-1));
        widths.push((below(&low)?, below(&room)?));
    }
    widths.iter().any(|width| !is_none(width)).then_some(widths)
}

/// By how much a position is under 0, if the sizes tell.
fn below(position: &Dim) -> Option<Dim> {
    let under = Dim::fixed(0).plus(position, Num::int(-1));
    match is_nonnegative(position) {
        true => Some(Dim::fixed(0)),
        false => is_nonnegative(&under).then_some(under),
    }
}

fn is_none((before, after): &Width) -> bool {
    [before, after].iter().all(|width| width.as_fixed() == Some(0))
}

/// `pad(x, 2)`, `pad(x, [1, 0], axis=1)`, `pad(x, [[1, 1], [0, 2]])`
fn with_zeros(graph: &Graph, x: Expr, widths: &[Width]) -> Expr {
    let pair = |(before, after): &Width| {
        let sides = vec![size_expr(graph, before), size_expr(graph, after)];
        Expr::synthetic(ExprKind::List(sides))
    };
    let around = |width: &Width| match width.0 == width.1 {
        true => size_expr(graph, &width.0),
        false => pair(width),
    };
    let padded: Vec<usize> = (0..widths.len()).filter(|axis| !is_none(&widths[*axis])).collect();
    if let ([axis], true) = (padded.as_slice(), widths.len() > 1) {
        let axes = vec![("axis", axes_expr(&[*axis]))];
        return call_with("pad", vec![x, around(&widths[*axis])], axes);
    }
    let width = match widths.windows(2).all(|two| two[0] == two[1]) {
        true => around(&widths[0]),
        false => Expr::synthetic(ExprKind::List(widths.each(pair))),
    };
    Expr::call("pad", vec![x, width])
}
