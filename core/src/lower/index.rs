//! Index notation and NumPy indexing: positions, affine positions, Kronecker's delta. Slices and gathers have files of their own.

use super::hints::counted;
use super::limits::MAX_TERMS;
use super::{Label, Lowerer, Val};
use crate::few::{self, Each};
use crate::ir::{Affine, Dim, Num, View};
use chainrule_grammar::ast::{AddOp, Expr, ExprKind, IndexItem, MulOp};
use chainrule_grammar::{Code, Diagnostic, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

/// A whole-number formula of indices in scope and sizes: `2*i + k - 1`.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    /// Coefficients of labels.
    pub terms: Vec<(Label, i64)>,
    /// What is added.
    pub offset: Dim,
}

/// What one axis of an indexed value is read at.
pub(super) enum Read {
    At(Position, Span),
    Slice { start: Dim, step: i64, size: Dim },
    Gather(Val, Span),
}

impl Lowerer<'_> {
    /// `base[items]`
    pub(crate) fn index(&mut self, base: &Expr, items: &[IndexItem], span: Span) -> Result<Val> {
        if let ExprKind::Name(name) = &base.kind
            && name == "delta"
            && self.value(name).is_none()
        {
            return self.kronecker(items, span);
        }
        let val = self.expr(base)?;
        self.index_val(&val, base.span, items, span)
    }

    pub(crate) fn index_val(
        &mut self,
        val: &Val,
        base: Span,
        items: &[IndexItem],
        span: Span,
    ) -> Result<Val> {
        let shape = self.positional(val).to_vec();
        let taking = items
            .iter()
            .filter(|item| matches!(item, IndexItem::At(_) | IndexItem::Slice(..)))
            .count();
        let ellipses = items.iter().filter(|item| matches!(item, IndexItem::Ellipsis)).count();
        if taking > shape.len() || ellipses > 1 {
            return Err(Diagnostic::new(
                Code::BadIndexing,
                span,
                format!(
                    "{} for a value with {}",
                    counted(taking, ["position", "positions"]),
                    counted(shape.len(), ["axis", "axes"])
                ),
            )
            .label(base, self.show(val))
            .help(match shape.len() {
                0 => "a scalar has no entries: write it without brackets".to_string(),
                1 => "write one position, for its one axis".to_string(),
                axes => format!("write one position for each axis, at most {axes}"),
            }));
        }
        let mut reads: Vec<Option<Read>> = Vec::new(); // `None` is a new axis of size 1
        let mut axis = 0;
        for item in items {
            match item {
                IndexItem::NewAxis => reads.push(None),
                IndexItem::Ellipsis => {
                    for _ in 0..shape.len() - taking {
                        reads.push(Some(Read::whole(&shape[axis])));
                        axis += 1;
                    }
                }
                IndexItem::At(expr) => {
                    let read = self.read_at(expr, &shape[axis]).map_err(|diagnostic| {
                        match (&expr.kind, diagnostic.code) {
                            (ExprKind::Name(name), Code::UnknownName) => {
                                self.unbound_index(name, expr.span)
                            }
                            _ => diagnostic,
                        }
                    })?;
                    reads.push(Some(read));
                    axis += 1;
                }
                IndexItem::Slice(from, to, step) => {
                    reads.push(Some(self.slice([from, to, step], &shape[axis], span)?));
                    axis += 1;
                }
            }
        }
        while axis < shape.len() {
            reads.push(Some(Read::whole(&shape[axis])));
            axis += 1;
        }
        self.read(val, &shape, reads, span)
    }

    fn read_at(&mut self, expr: &Expr, dim: &Dim) -> Result<Read> {
        match self.position(expr) {
            Some(position) => Ok(Read::At(from_end(position, dim), expr.span)),
            None => Ok(Read::Gather(self.expr(expr)?, expr.span)),
        }
    }

    pub(super) fn read(
        &mut self,
        val: &Val,
        shape: &[Dim],
        reads: Vec<Option<Read>>,
        span: Span,
    ) -> Result<Val> {
        if reads.iter().any(|read| matches!(read, Some(Read::Gather(..)))) {
            return self.gather(val, shape, reads, span);
        }
        let mut labels = val.labels.clone();
        let axes = reads.iter().flatten().enumerate();
        for (axis, read) in axes {
            if let Read::At(position, at) = read {
                for (label, _) in &position.terms {
                    if !labels.contains(label) {
                        labels.push(*label);
                    }
                    if !self.sizes.contains_key(label) {
                        return Err(self.no_range_on(*label, position, &shape[axis], *at));
                    }
                }
            }
        }
        self.check_positions(shape, &reads)?;
        // The result's axes: labels, then one for each slice or new axis.
        let mut out_shape: Vec<Dim> = labels.each(|label| self.label_size(*label));
        let axis_of = |label: &Label| labels.iter().position(|own| own == label).unwrap_or(0);
        let mut map: Vec<Affine> = (0..val.labels.len()).map(Affine::at).collect();
        for read in reads {
            match read {
                None => out_shape.push(Dim::fixed(1)),
                Some(Read::At(position, _)) => {
                    let mut terms: Vec<(usize, i64)> =
                        position.terms.each(|(label, c)| (axis_of(label), *c));
                    few::sort(&mut terms);
                    map.push(Affine { terms, offset: position.offset, divisor: 1 });
                }
                Some(Read::Slice { start, step, size }) => {
                    map.push(Affine {
                        terms: vec![(out_shape.len(), step)],
                        offset: start,
                        divisor: 1,
                    });
                    out_shape.push(size);
                }
                Some(Read::Gather(..)) => {}
            }
        }
        let node = self.affine_read(val.node, map, out_shape);
        Ok(Val { node, labels })
    }

    /// An einsum where every axis is read at an index or fixed position 0 of size 1, else a view.
    fn affine_read(
        &mut self,
        node: crate::ir::NodeId,
        map: Vec<Affine>,
        shape: Vec<Dim>,
    ) -> crate::ir::NodeId {
        let source = self.graph.shape(node).clone();
        let plain = map.iter().zip(&source).all(|(at, dim)| match at.terms.as_slice() {
            [(axis, 1)] => at.offset.as_fixed() == Some(0) && &shape[*axis] == dim,
            _ => false,
        });
        if plain {
            let labels: Vec<u32> = map.each(|at| at.terms[0].0 as u32);
            let out: Vec<u32> = (0..shape.len() as u32).collect();
            let extra: Vec<(u32, Dim)> =
                shape.into_iter().enumerate().map(|(axis, dim)| (axis as u32, dim)).collect();
            return self.graph.einsum(&[(node, labels)], &out, &extra);
        }
        self.graph.view(node, View { map, shape })
    }

    fn check_positions(&mut self, shape: &[Dim], reads: &[Option<Read>]) -> Result<()> {
        for (read, dim) in reads.iter().flatten().zip(shape) {
            if let Read::Slice { start, step, size } = read {
                self.graph.needs_room(size.clone());
                let steps = size.plus(&Dim::fixed(1), Num::int(-1));
                let last = start.plus(&steps, Num::int(i128::from(*step)));
                self.needs_room(if *step > 0 { [start, &last] } else { [&last, start] }, dim);
            }
            let Read::At(position, span) = read else { continue };
            if let [(label, 1)] = position.terms.as_slice()
                && position.is_index()
            {
                let size = self.label_size(*label);
                if &size != dim && !self.stated.contains(label) {
                    return Err(self.ranges_disagree(*label, (&size, dim), *span));
                }
                if &size == dim {
                    continue;
                }
                // An index with a range of its own, `k:D`, may stop short of the axis.
            }
            self.check_inside(position, dim, *span)?;
            let (low, high) = self.reach(position);
            self.needs_room([&low, &high], dim);
        }
        Ok(())
    }

    /// Notes that positions from a lowest to a highest one lie on an axis of run-time size.
    fn needs_room(&mut self, [low, high]: [&Dim; 2], dim: &Dim) {
        let last = dim.plus(&Dim::fixed(1), Num::int(-1));
        self.graph.needs_room(low.clone());
        self.graph.needs_room(last.plus(high, Num::int(-1)));
    }

    fn check_inside(&self, position: &Position, dim: &Dim, span: Span) -> Result<()> {
        let (low, high) = self.reach(position);
        let beyond = high.plus(dim, Num::int(-1)).as_fixed().is_some_and(|over| over >= 0);
        if low.as_fixed().is_some_and(|low| low < 0) || beyond {
            let (first, last) = (self.graph.show_dim(&low), self.graph.show_dim(&high));
            let size = self.graph.show_dim(dim);
            let counted_back = low.plus(dim, Num::int(-1));
            let message = if low == high && low.as_fixed().is_some_and(|low| low < 0) {
                let written = self.graph.show_dim(&counted_back);
                format!("position {written} is before the first of an axis of size {size}")
            } else if low == high {
                format!("position {first} is outside of an axis of size {size}")
            } else {
                format!(
                    "positions from {first} to {last} are not all inside of an axis of size {size}"
                )
            };
            let end = self.graph.show_dim(&dim.plus(&Dim::fixed(1), Num::int(-1)));
            return Err(Diagnostic::new(Code::BadIndexing, span, message)
                .help(format!("positions run from 0 to {end}, or back from -1 to -{size}")));
        }
        Ok(())
    }

    /// `delta[i, k]`, with affine positions and integer tensors too.
    fn kronecker(&mut self, items: &[IndexItem], span: Span) -> Result<Val> {
        let [IndexItem::At(a), IndexItem::At(b)] = items else {
            return Err(Diagnostic::new(
                Code::BadIndexing,
                span,
                "`delta` takes two positions: `delta[i, k]`",
            ));
        };
        let places = [self.position(a), self.position(b)];
        let size = places.iter().flatten().find_map(|place| match place.terms.as_slice() {
            [(label, 1)] if place.offset.as_fixed() == Some(0) => self.sizes.get(label).cloned(),
            _ => None,
        });
        let Some(size) = size else {
            return match places {
                [Some(a), Some(b)] if !a.terms.is_empty() => self.affine_delta(a, b, span),
                _ => Err(Diagnostic::new(
                    Code::UnboundIndex,
                    span,
                    "one position of `delta` must be an index of known range",
                )),
            };
        };
        let delta = Val { node: self.graph.delta(&size), labels: Vec::new() };
        let mut reads = Vec::new();
        for (place, expr) in places.into_iter().zip([a, b]) {
            reads.push(Some(match place {
                Some(place) => Read::At(place, expr.span),
                None => Read::Gather(self.expr(expr)?, expr.span),
            }));
        }
        // Both positions are the same index: 1.
        let shape = vec![size.clone(), size];
        if reads.iter().any(|read| matches!(read, Some(Read::Gather(..)))) {
            return self.gather(&delta, &shape, reads, span);
        }
        self.read_unchecked(&delta, reads)
    }

    /// `delta[2*i, 5 - j]`: both are counted from the lowest value of the first, and the delta has as many rows as that has values.
    fn affine_delta(&mut self, a: Position, b: Position, span: Span) -> Result<Val> {
        if let Some((label, _)) =
            a.terms.iter().chain(&b.terms).find(|(label, _)| !self.sizes.contains_key(label))
        {
            return Err(self.no_range_label(*label, span));
        }
        let (low, high) = self.reach(&a);
        let size = high.plus(&low, Num::int(-1)).plus(&Dim::fixed(1), Num::ONE);
        let delta = Val { node: self.graph.delta(&size), labels: Vec::new() };
        let from_low = |mut place: Position| {
            place.offset = place.offset.plus(&low, Num::int(-1));
            Some(Read::At(place, span))
        };
        let reads = vec![from_low(a), from_low(b)];
        self.read_unchecked(&delta, reads)
    }

    /// The lowest and the highest value of a position.
    pub(super) fn reach(&self, position: &Position) -> (Dim, Dim) {
        let (mut low, mut high) = (position.offset.clone(), position.offset.clone());
        for (label, coefficient) in &position.terms {
            let last = self.label_size(*label).plus(&Dim::fixed(1), Num::int(-1));
            let end = if *coefficient > 0 { &mut high } else { &mut low };
            *end = end.plus(&last, Num::int(i128::from(*coefficient)));
        }
        (low, high)
    }

    /// Like `read`, but positions outside of the axis are allowed: there the value is 0.
    fn read_unchecked(&mut self, val: &Val, reads: Vec<Option<Read>>) -> Result<Val> {
        let mut labels = val.labels.clone();
        let mut map: Vec<Affine> = Vec::new();
        for read in reads.into_iter().flatten() {
            let Read::At(position, span) = read else { continue };
            let mut terms = Vec::new();
            for (label, coefficient) in position.terms {
                if !self.sizes.contains_key(&label) {
                    return Err(self.no_range_label(label, span));
                }
                let axis = labels.iter().position(|own| *own == label).unwrap_or_else(|| {
                    labels.push(label);
                    labels.len() - 1
                });
                terms.push((axis, coefficient));
            }
            few::sort(&mut terms);
            map.push(Affine { terms, offset: position.offset, divisor: 1 });
        }
        let shape: Vec<Dim> = labels.each(|label| self.label_size(*label));
        Ok(Val { node: self.affine_read(val.node, map, shape), labels })
    }

    /// A formula of indices, sizes and whole numbers; `None` for anything else.
    pub(crate) fn position(&self, expr: &Expr) -> Option<Position> {
        match &expr.kind {
            ExprKind::Num(text) => {
                let value = Num::parse(text)?.as_int()?;
                Some(Position { terms: Vec::new(), offset: Dim::fixed(value) })
            }
            ExprKind::Name(name) => {
                if let Some(label) = self.index_label(name) {
                    return Some(Position { terms: vec![(label, 1)], offset: Dim::fixed(0) });
                }
                if self.value(name).is_some() {
                    return None;
                }
                Some(Position { terms: Vec::new(), offset: self.dims.get(name)?.clone() })
            }
            ExprKind::Neg(inner) => Some(self.position(inner)?.scaled(-1)),
            ExprKind::Sum(first, rest) => {
                let mut sum = self.position(first)?;
                for (op, term) in rest {
                    sum = sum.plus(&self.position(term)?, if *op == AddOp::Add { 1 } else { -1 });
                }
                Some(sum)
            }
            ExprKind::Product(first, rest) => {
                let mut product = self.position(first)?;
                for (op, factor) in rest {
                    let factor = self.position(factor)?;
                    product = match op {
                        MulOp::Mul => product.times(&factor)?,
                        MulOp::Div if product.terms.is_empty() && factor.terms.is_empty() => {
                            Position {
                                terms: Vec::new(),
                                offset: product.offset.over(&factor.offset)?,
                            }
                        }
                        _ => return None,
                    };
                }
                Some(product)
            }
            _ => None,
        }
    }
}

impl Read {
    /// The whole axis.
    pub(super) fn whole(dim: &Dim) -> Read {
        Read::Slice { start: Dim::fixed(0), step: 1, size: dim.clone() }
    }
}

/// Negative numbers count from the end.
pub(super) fn from_end(position: Position, dim: &Dim) -> Position {
    match position.offset.as_fixed() {
        Some(at) if at < 0 && position.terms.is_empty() => {
            Position { terms: Vec::new(), offset: dim.plus(&position.offset, Num::ONE) }
        }
        _ => position,
    }
}

impl Position {
    /// Whether this is an index alone.
    pub(crate) fn is_index(&self) -> bool {
        matches!(self.terms.as_slice(), [(_, 1)]) && self.offset.as_fixed() == Some(0)
    }

    fn scaled(&self, factor: i64) -> Position {
        Position { terms: Vec::new(), offset: Dim::fixed(0) }.plus(self, factor)
    }

    fn plus(&self, other: &Position, factor: i64) -> Position {
        let mut terms = self.terms.clone();
        for (label, coefficient) in &other.terms {
            match terms.iter_mut().find(|(known, _)| known == label) {
                Some((_, sum)) => *sum += factor * coefficient,
                None => terms.push((*label, factor * coefficient)),
            }
        }
        terms.retain(|(_, coefficient)| *coefficient != 0);
        Position { terms, offset: self.offset.plus(&other.offset, Num::int(i128::from(factor))) }
    }

    fn times(&self, other: &Position) -> Option<Position> {
        let (factor, scaled) = match (self.terms.is_empty(), other.terms.is_empty()) {
            (true, true) => {
                let terms = self.offset.terms.len().saturating_mul(other.offset.terms.len());
                return (terms <= MAX_TERMS).then(|| Position {
                    terms: Vec::new(),
                    offset: self.offset.times(&other.offset),
                });
            }
            (true, false) => (self.offset.as_fixed()?, other),
            (false, true) => (other.offset.as_fixed()?, self),
            (false, false) => return None,
        };
        Some(scaled.scaled(i64::try_from(factor).ok()?))
    }
}

impl Affine {
    /// Position `axis` of the result, as it is.
    pub fn at(axis: usize) -> Affine {
        Affine { terms: vec![(axis, 1)], offset: Dim::fixed(0), divisor: 1 }
    }
}
