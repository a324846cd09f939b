//! The range of every index follows from the axes that it stands on; for affine positions (`x[i + k]`) from what is left inside of the axis.

use super::index::Position;
use super::{Label, Lowerer};
use crate::ir::{Dim, Num};
use chainrule_grammar::ast::{Binder, Expr, ExprKind, Ident, IndexItem};
use std::collections::HashSet;

impl Lowerer<'_> {
    /// Infers the ranges of `own` indices (already in scope) and of all binders inside of an expression, as far as they follow.
    pub(crate) fn infer_ranges(&mut self, expr: &Expr) {
        // Positions of one index first, then those that they leave one unknown in; a few rounds settle chains. What no axis
        // settles may follow from Kronecker deltas, whose two positions can differ in range: they come last.
        let outer = std::mem::take(&mut self.stencils);
        note_stencils(expr, &mut self.stencils);
        for round in 0..5 {
            let before = (self.inferred.len(), self.sizes.len());
            self.walk(expr, round > 0);
            if round > 0 && before == (self.inferred.len(), self.sizes.len()) {
                break;
            }
        }
        self.stencils = outer;
    }

    /// Brings binders into scope; gives their labels.
    pub(crate) fn bind(&mut self, binders: &[Binder]) -> Vec<Label> {
        let mut labels = Vec::new();
        for binder in binders {
            let label = self.fresh();
            let given = binder.range.as_ref().and_then(|range| self.dimension(range).ok());
            let inferred = self.inferred.get(&std::ptr::from_ref(&binder.name)).cloned();
            if given.is_some() || inferred.as_ref().is_some_and(|(_, short)| *short) {
                self.stated.insert(label);
            }
            if let Some(size) = given.or(inferred.map(|(size, _)| size)) {
                self.sizes.insert(label, size);
                if let Some(&place) = self.inferred_at.get(&std::ptr::from_ref(&binder.name)) {
                    self.ranged_at.insert(label, place);
                }
            }
            self.indices.push((binder.name.name.clone(), label));
            labels.push(label);
        }
        labels
    }

    /// Takes the last `count` indices out of scope.
    pub(crate) fn unbind(&mut self, count: usize) {
        self.indices.truncate(self.indices.len() - count);
    }

    fn walk(&mut self, expr: &Expr, deltas: bool) {
        match &expr.kind {
            ExprKind::Num(_) | ExprKind::Name(_) | ExprKind::Str(_) => {}
            ExprKind::List(items) => items.iter().for_each(|item| self.walk(item, deltas)),
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) => self.walk(inner, deltas),
            ExprKind::Sum(first, rest) => {
                self.walk(first, deltas);
                rest.iter().for_each(|(_, term)| self.walk(term, deltas));
            }
            ExprKind::Product(first, rest) => {
                self.walk(first, deltas);
                rest.iter().for_each(|(_, factor)| self.walk(factor, deltas));
            }
            ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
                self.walk(a, deltas);
                self.walk(b, deltas);
            }
            ExprKind::Pipe(first, stages) => {
                self.walk(first, deltas);
                stages.iter().for_each(|stage| self.walk(stage, deltas));
            }
            ExprKind::Call { bound, args, .. } => {
                let labels = self.bind(bound);
                args.iter().for_each(|arg| self.walk(arg, deltas));
                for (binder, label) in bound.iter().zip(labels) {
                    if let Some(size) = self.sizes.get(&label).cloned() {
                        let short = self.stated.contains(&label);
                        let binder = std::ptr::from_ref::<Ident>(&binder.name);
                        self.inferred.insert(binder, (size, short));
                        if let Some(&place) = self.ranged_at.get(&label) {
                            self.inferred_at.insert(binder, place);
                        }
                    }
                }
                self.unbind(bound.len());
            }
            ExprKind::Index(base, items) => self.walk_index(base, items, deltas),
        }
    }

    fn walk_index(&mut self, base: &Expr, items: &[IndexItem], deltas: bool) {
        self.walk(base, deltas);
        for item in items {
            if let IndexItem::At(at) = item {
                self.walk(at, deltas);
            }
        }
        let Some(shape) = self.shape_of(base, items, deltas) else { return };
        let given = items
            .iter()
            .filter(|item| matches!(item, IndexItem::At(_) | IndexItem::Slice(..)))
            .count();
        let is_delta = matches!(&base.kind, ExprKind::Name(name) if name == "delta" && self.value(name).is_none());
        let mut axis = 0;
        for (place, item) in items.iter().enumerate() {
            match item {
                // What an axis says of an index, be it a bound only, goes before what a delta says.
                IndexItem::At(at) if is_delta && self.has_size(at) => axis += 1,
                IndexItem::NewAxis => {}
                IndexItem::Ellipsis => axis += shape.len().saturating_sub(given),
                IndexItem::Slice(..) => axis += 1,
                IndexItem::At(at) => {
                    if let Some(dim) = shape.get(axis) {
                        let stencil = in_stencil(&self.stencils, base, place, at);
                        self.note_range(at, dim, stencil, deltas);
                    }
                    axis += 1;
                }
            }
        }
    }

    /// The shape of what is indexed: a name's, or that of an expression without open indices.
    fn shape_of(&mut self, base: &Expr, items: &[IndexItem], deltas: bool) -> Option<Vec<Dim>> {
        if let ExprKind::Name(name) = &base.kind {
            if let Some(val) = self.value(name) {
                let val = val.clone();
                return Some(self.positional(&val).to_vec());
            }
            if name == "delta" && items.len() == 2 {
                return if deltas { self.delta_shape(items) } else { None };
            }
        }
        // Lowering is pure but for new nodes, so the shape of a closed expression can be had by lowering it.
        let noted = self.diagnostics.len();
        let val = self.expr(base).ok();
        self.diagnostics.truncate(noted);
        val.map(|val| self.positional(&val).to_vec())
    }

    /// Each position of a delta has the range that the other one has.
    fn delta_shape(&self, items: &[IndexItem]) -> Option<Vec<Dim>> {
        let size = items.iter().find_map(|item| {
            let IndexItem::At(expr) = item else { return None };
            let position = self.position(expr)?;
            match position.terms.as_slice() {
                [(label, 1)] if position.offset.as_fixed() == Some(0) => {
                    self.sizes.get(label).cloned()
                }
                _ => None,
            }
        })?;
        let direct = items.iter().all(|item| match item {
            IndexItem::At(expr) => matches!(&expr.kind, ExprKind::Name(_)),
            _ => false,
        });
        direct.then(|| vec![size.clone(), size])
    }

    /// Whether something is known of the range of a position's index.
    fn has_size(&mut self, at: &Expr) -> bool {
        let position = self.position(at);
        position.is_some_and(|position| {
            position.terms.iter().all(|(label, _)| self.sizes.contains_key(label))
        })
    }

    /// What an axis says of the range of an index: exactly its size where the index stands on it alone, else the most that keeps
    /// positions inside of it. An exact range goes before a bound, and the smallest bound counts.
    fn note_range(&mut self, at: &Expr, dim: &Dim, stencil: bool, several: bool) {
        let Some(position) = self.position(at) else { return };
        if stencil {
            self.stated.extend(position.terms.iter().map(|(label, _)| *label));
        }
        let exact = position.is_index() && !stencil;
        let open = |label: &Label| {
            let known = self.sizes.contains_key(label);
            if exact { !known || self.bounds.contains(label) } else { !known }
        };
        let unknown: Vec<(Label, i64)> =
            position.terms.iter().filter(|(label, _)| open(label)).copied().collect();
        let bounded = position.terms.iter().filter(|(label, _)| self.bounds.contains(label));
        let candidates = if unknown.is_empty() { bounded.copied().collect() } else { unknown };
        let [(label, coefficient)] = candidates.as_slice() else { return };
        if position.terms.len() > 1 && !several {
            return;
        }
        let Some(size) = self.most(&position, *label, *coefficient, dim) else { return };
        if exact {
            self.bounds.remove(label);
        } else {
            self.bounds.insert(*label);
            let smaller =
                |known: &Dim| size.plus(known, Num::int(-1)).as_fixed().is_some_and(|by| by < 0);
            if self.sizes.get(label).is_some_and(|known| !smaller(known)) {
                return;
            }
        }
        self.sizes.insert(*label, size);
        self.ranged_at.insert(*label, at.span);
    }

    /// How many values a label may take so that a position stays inside of an axis.
    fn most(&self, position: &Position, label: Label, coefficient: i64, dim: &Dim) -> Option<Dim> {
        // The largest and smallest position that the other indices reach.
        let (mut low, mut high) = (position.offset.clone(), position.offset.clone());
        for (known, factor) in &position.terms {
            if *known == label {
                continue;
            }
            let last = self.label_size(*known).plus(&Dim::fixed(1), Num::int(-1));
            let end = if *factor > 0 { &mut high } else { &mut low };
            *end = end.plus(&last, Num::int(i128::from(*factor)));
        }
        let last = dim.plus(&Dim::fixed(1), Num::int(-1));
        let room = if coefficient > 0 { last.plus(&high, Num::int(-1)) } else { low };
        let steps = match (coefficient.unsigned_abs(), room.as_fixed()) {
            (1, _) => room,
            (step, Some(room)) if room >= 0 => Dim::fixed(room / i128::from(step)),
            (_, Some(_)) => return None,
            (step, None) => room.steps_of(i128::from(step))?,
        };
        let size = steps.plus(&Dim::fixed(1), Num::ONE);
        (size.as_fixed() != Some(0)).then_some(size)
    }
}

/// Where an index stands with an offset, as `u[i + 1]`: the name of the tensor, which of its positions, and the index.
pub(crate) type Stencils = HashSet<(String, usize, String)>;

/// An index that stands alone on an axis, `u[i]`, where it also stands with an offset, `u[i + 1]`, need not reach its end.
fn in_stencil(stencils: &Stencils, base: &Expr, place: usize, at: &Expr) -> bool {
    match (&base.kind, &at.kind) {
        (ExprKind::Name(tensor), ExprKind::Name(index)) => {
            stencils.contains(&(tensor.clone(), place, index.clone()))
        }
        _ => false,
    }
}

fn note_stencils(expr: &Expr, found: &mut Stencils) {
    if let ExprKind::Index(base, items) = &expr.kind
        && let ExprKind::Name(tensor) = &base.kind
        && tensor != "delta"
    {
        for (place, item) in items.iter().enumerate() {
            if let IndexItem::At(at) = item
                && let ExprKind::Sum(first, rest) = &at.kind
            {
                for term in std::iter::once(&**first).chain(rest.iter().map(|(_, term)| term)) {
                    if let ExprKind::Name(index) = &term.kind {
                        found.insert((tensor.clone(), place, index.clone()));
                    }
                }
            }
        }
    }
    expr.children(&mut |child| note_stencils(child, found));
}
