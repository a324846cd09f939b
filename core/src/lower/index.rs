//! Index notation and NumPy indexing: positions, slices, affine positions, gathers, Kronecker's delta.

use super::{Label, Lowerer, Val};
use crate::ir::{Affine, Dim, Num, Op, View};
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
enum Read {
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
                    "{taking} positions for a value with {} {}",
                    shape.len(),
                    if shape.len() == 1 { "axis" } else { "axes" }
                ),
            )
            .label(base, self.show(val)));
        }
        let mut reads: Vec<Option<Read>> = Vec::new(); // `None` is a new axis of size 1
        let mut axis = 0;
        let whole = |dim: &Dim| Read::Slice { start: Dim::fixed(0), step: 1, size: dim.clone() };
        for item in items {
            match item {
                IndexItem::NewAxis => reads.push(None),
                IndexItem::Ellipsis => {
                    for _ in 0..shape.len() - taking {
                        reads.push(Some(whole(&shape[axis])));
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
            reads.push(Some(whole(&shape[axis])));
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

    fn slice(&mut self, parts: [&Option<Expr>; 3], dim: &Dim, span: Span) -> Result<Read> {
        let number = |part: &Option<Expr>, what: &str| -> Result<Option<Dim>> {
            let Some(expr) = part else { return Ok(None) };
            let position = self
                .position(expr)
                .filter(|position| position.terms.is_empty())
                .ok_or_else(|| {
                    Diagnostic::new(
                        Code::BadIndexing,
                        expr.span,
                        format!("the {what} of a slice must be a whole number"),
                    )
                })?;
            Ok(Some(from_end(position, dim).offset))
        };
        let step_given = match parts[2] {
            Some(expr) => match &expr.kind {
                ExprKind::Neg(_) => {
                    let flipped =
                        self.position(expr).and_then(|position| position.offset.as_fixed());
                    flipped.unwrap_or(0)
                }
                _ => {
                    self.position(expr).and_then(|position| position.offset.as_fixed()).unwrap_or(0)
                }
            },
            None => 1,
        };
        let step = i64::try_from(step_given).unwrap_or(0);
        if step == 0 {
            return Err(Diagnostic::new(
                Code::BadIndexing,
                span,
                "the step of a slice must be a whole number other than 0",
            ));
        }
        if step < 0 {
            if parts[0].is_some() || parts[1].is_some() {
                return Err(Diagnostic::new(
                    Code::Unsupported,
                    span,
                    "a slice with a negative step can only be `::-n`",
                ));
            }
            let last = dim.plus(&Dim::fixed(1), Num::int(-1));
            let size = self.strided(dim, -step, span)?;
            return Ok(Read::Slice { start: last, step, size });
        }
        let number2 = |part: &Option<Expr>, what: &str| number(part, what);
        let start = number2(parts[0], "start")?.unwrap_or_else(|| Dim::fixed(0));
        let end = number2(parts[1], "end")?.unwrap_or_else(|| dim.clone());
        // NumPy clips slices that run over the end.
        let end = match (end.as_fixed(), dim.as_fixed()) {
            (Some(at), Some(size)) if at > size => dim.clone(),
            _ => end,
        };
        let length = end.plus(&start, Num::int(-1));
        if length.as_fixed().is_some_and(|length| length <= 0)
            || start.as_fixed().is_some_and(|at| at < 0)
        {
            return Err(Diagnostic::new(
                Code::BadIndexing,
                span,
                "this slice is empty or starts before the axis",
            )
            .here(format!("the axis has size {}", self.graph.show_dim(dim))));
        }
        let size = self.strided(&length, step, span)?;
        Ok(Read::Slice { start, step, size })
    }

    /// How many steps of `step` fit in `length`.
    fn strided(&self, length: &Dim, step: i64, span: Span) -> Result<Dim> {
        if step == 1 {
            return Ok(length.clone());
        }
        match length.as_fixed() {
            Some(length) => Ok(Dim::fixed((length + i128::from(step) - 1) / i128::from(step))),
            None => Err(Diagnostic::new(
                Code::Unsupported,
                span,
                "a step other than 1 needs an axis of fixed size",
            )
            .help("fix the size: `dim N = 10;`")),
        }
    }

    fn read(
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
        for read in reads.iter().flatten() {
            if let Read::At(position, at) = read {
                for (label, _) in &position.terms {
                    if !labels.contains(label) {
                        labels.push(*label);
                    }
                    if !self.sizes.contains_key(label) {
                        return Err(self.no_range_label(*label, *at));
                    }
                }
            }
        }
        self.check_positions(shape, &reads)?;
        // The result's axes: labels, then one for each slice or new axis.
        let mut out_shape: Vec<Dim> = labels.iter().map(|label| self.label_size(*label)).collect();
        let axis_of = |label: &Label| labels.iter().position(|own| own == label).unwrap_or(0);
        let mut map: Vec<Affine> = (0..val.labels.len()).map(Affine::at).collect();
        for read in reads {
            match read {
                None => out_shape.push(Dim::fixed(1)),
                Some(Read::At(position, _)) => {
                    let mut terms: Vec<(usize, i64)> =
                        position.terms.iter().map(|(label, c)| (axis_of(label), *c)).collect();
                    terms.sort_unstable();
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
            let labels: Vec<u32> = map.iter().map(|at| at.terms[0].0 as u32).collect();
            let out: Vec<u32> = (0..shape.len() as u32).collect();
            let extra: Vec<(u32, Dim)> =
                shape.into_iter().enumerate().map(|(axis, dim)| (axis as u32, dim)).collect();
            return self.graph.einsum(&[(node, labels)], &out, &extra);
        }
        self.graph.view(node, View { map, shape })
    }

    fn check_positions(&self, shape: &[Dim], reads: &[Option<Read>]) -> Result<()> {
        for (read, dim) in reads.iter().flatten().zip(shape) {
            let Read::At(position, span) = read else { continue };
            if let [(label, 1)] = position.terms.as_slice()
                && position.offset.as_fixed() == Some(0)
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
        }
        Ok(())
    }

    fn check_inside(&self, position: &Position, dim: &Dim, span: Span) -> Result<()> {
        let (mut low, mut high) = (position.offset.clone(), position.offset.clone());
        for (label, coefficient) in &position.terms {
            let last = self.label_size(*label).plus(&Dim::fixed(1), Num::int(-1));
            let end = if *coefficient > 0 { &mut high } else { &mut low };
            *end = end.plus(&last, Num::int(i128::from(*coefficient)));
        }
        let beyond = high.plus(dim, Num::int(-1)).as_fixed().is_some_and(|over| over >= 0);
        if low.as_fixed().is_some_and(|low| low < 0) || beyond {
            let (first, last) = (self.graph.show_dim(&low), self.graph.show_dim(&high));
            let size = self.graph.show_dim(dim);
            let message = if low == high {
                format!("position {first} is outside of an axis of size {size}")
            } else {
                format!(
                    "positions from {first} to {last} are not all inside of an axis of size {size}"
                )
            };
            let end = self.graph.show_dim(&dim.plus(&Dim::fixed(1), Num::int(-1)));
            return Err(Diagnostic::new(Code::BadIndexing, span, message)
                .help(format!("positions are counted from 0: the last is {end}, or -1")));
        }
        Ok(())
    }

    /// `x[idx]`, `x[idx, k]`, `x[idx[b], k]`: rows picked by integers. One gathered axis at a time, brought to the front.
    fn gather(
        &mut self,
        val: &Val,
        shape: &[Dim],
        reads: Vec<Option<Read>>,
        span: Span,
    ) -> Result<Val> {
        let at = reads.iter().flatten().position(|read| matches!(read, Read::Gather(..)));
        let Some(axis) = at else {
            return Err(Diagnostic::new(Code::Unsupported, span, "no gathered axis"));
        };
        let several =
            reads.iter().flatten().filter(|read| matches!(read, Read::Gather(..))).count() > 1;
        if several || (reads.iter().any(Option::is_none)) {
            return Err(Diagnostic::new(
                Code::Unsupported,
                span,
                "only one axis can be picked by integers at a time",
            ));
        }
        let mut reads: Vec<Read> = reads.into_iter().flatten().collect();
        let Read::Gather(index, index_span) = reads.remove(axis) else {
            return Err(Diagnostic::new(Code::Unsupported, span, "no gathered axis"));
        };
        if !self.is_integer(index.node) {
            return Err(Diagnostic::new(
                Code::BadIndexing,
                index_span,
                "an index must be whole numbers",
            )
            .help("declare it as `input idx: int[B];`, or name an index bound by sum[…]"));
        }
        // x with the gathered axis first: [R, labels…, rest…]
        let first = val.labels.len();
        let mut order = vec![first + axis];
        order.extend((0..first + shape.len()).filter(|other| *other != first + axis));
        let rows = self.graph.permute(val.node, &order);
        // gathered: [index axes…, labels of x…, rest…]
        let index_shape = self.graph.shape(index.node).clone();
        let rest = self.graph.shape(rows)[1..].to_vec();
        let full = [index_shape.as_slice(), &rest].concat();
        let gathered = self.graph.push(Op::Gather, vec![rows, index.node], full);
        // Labels of the index and of x may be the same: read the diagonal.
        let index_positional = index_shape.len() - index.labels.len();
        let fresh: Vec<Label> = (0..index_positional).map(|_| self.fresh()).collect();
        let axes: Vec<Label> = (0..shape.len() - 1).map(|_| self.fresh()).collect();
        let reading: Vec<u32> = index
            .labels
            .iter()
            .chain(&fresh)
            .chain(&val.labels)
            .chain(&axes)
            .map(|label| label.0)
            .collect();
        let mut labels = index.labels.clone();
        labels.extend(val.labels.iter().filter(|label| !index.labels.contains(label)));
        // NumPy puts the picked axes where the indexed axis was.
        let before = &axes[..axis];
        let out: Vec<u32> = labels
            .iter()
            .chain(before)
            .chain(&fresh)
            .chain(&axes[axis..])
            .map(|label| label.0)
            .collect();
        let node = self.graph.einsum(&[(gathered, reading)], &out, &[]);
        let picked = Val { node, labels };
        if reads.iter().all(|read| matches!(read, Read::Slice { step: 1, start, .. } if start.as_fixed() == Some(0))) {
            return Ok(picked);
        }
        // The remaining positions apply to the axes around the picked ones.
        let whole = |dim: &Dim| Read::Slice { start: Dim::fixed(0), step: 1, size: dim.clone() };
        let now = self.positional(&picked).to_vec();
        let mut all: Vec<Option<Read>> = Vec::new();
        for (at, read) in reads.into_iter().enumerate() {
            if at == axis {
                all.extend(now[axis..axis + index_positional].iter().map(|dim| Some(whole(dim))));
            }
            all.push(Some(read));
        }
        while all.len() < now.len() {
            all.push(Some(whole(&now[all.len()])));
        }
        self.read(&picked, &now, all, span)
    }

    /// Whether a node's entries are whole numbers: integer variables, ranges, and what argmax gives.
    fn is_integer(&self, node: crate::ir::NodeId) -> bool {
        match self.graph.op(node) {
            Op::Var(var) => self.graph.var(*var).int,
            Op::Range(_) => true,
            Op::Einsum(_) | Op::View(_) | Op::Gather => {
                self.graph.args(node).first().is_some_and(|&arg| self.is_integer(arg))
            }
            Op::Call(op, _) => matches!(crate::ops::spec(*op).rule, crate::ops::Rule::NoDerivative),
            _ => false,
        }
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
            return Err(Diagnostic::new(
                Code::UnboundIndex,
                span,
                "one position of `delta` must be an index of known range",
            ));
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
            terms.sort_unstable();
            map.push(Affine { terms, offset: position.offset, divisor: 1 });
        }
        let shape: Vec<Dim> = labels.iter().map(|label| self.label_size(*label)).collect();
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

    pub(crate) fn no_range(&self, name: &str, span: Span) -> Diagnostic {
        Diagnostic::new(
            Code::UnboundIndex,
            span,
            format!("the range of the index `{name}` does not follow from any axis"),
        )
        .help(format!("give it: `{name}:N` in the brackets that bind it"))
    }

    fn no_range_label(&self, label: Label, span: Span) -> Diagnostic {
        let name = self
            .indices
            .iter()
            .find(|(_, known)| *known == label)
            .map_or("?", |(name, _)| name.as_str());
        self.no_range(name, span)
    }
}

/// Negative numbers count from the end.
fn from_end(position: Position, dim: &Dim) -> Position {
    match position.offset.as_fixed() {
        Some(at) if at < 0 && position.terms.is_empty() => {
            Position { terms: Vec::new(), offset: dim.plus(&position.offset, Num::ONE) }
        }
        _ => position,
    }
}

impl Position {
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
                return Some(Position {
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
