//! Expression → layout. Here, and only here, is decided where brackets stand.

use super::Context;
use super::entries::{INVERSE, inverted, mentions, whole_axes};
use super::math::{Big, Fence, Math, Symbol};
use super::names;
use super::phrases::{Phrase, phrase};
use super::products::{product, rank};
use super::template;
use crate::few::Each;
use crate::ops::{self, Kind, Operator};
use crate::raise::Notation;
use chainrule_grammar::ast::{AddOp, Binder, CompareOp, Expr, ExprKind, Ident, IndexItem};

/// How tightly a piece holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// A comparison or a list.
    Loose,
    /// A sum, or something with a sign.
    Sum,
    /// Ends in what stands under a large operator.
    Big,
    /// A product.
    Product,
    /// Has a superscript or is a fraction: cannot be a base.
    Power,
    /// Letters, calls, brackets.
    Atom,
}

/// A piece and how tightly it holds together.
pub(super) struct Piece {
    pub math: Math,
    pub level: Level,
}

impl Piece {
    pub fn new(math: Math, level: Level) -> Piece {
        Piece { math, level }
    }

    fn atom(math: Math) -> Piece {
        Piece::new(math, Level::Atom)
    }

    /// The piece, in brackets unless it holds together this tightly.
    pub fn at_least(self, level: Level) -> Math {
        if self.level >= level { self.math } else { Math::fenced(self.math) }
    }
}

/// A column repeated over all columns.
fn repeated(column: Math) -> Piece {
    let ones = Math::superscript(Math::Symbol(Symbol::Ones), Math::Symbol(Symbol::Top));
    Piece::new(Math::Row(vec![column, Math::Thin, ones]), Level::Product)
}

/// Formulas that nest deeper than this are cut (the parser admits no such).
const MAX_DEPTH: usize = 600;

pub(super) struct Layout<'a> {
    pub ctx: &'a Context<'a>,
    pub depth: usize,
}

pub(super) fn layout(expr: &Expr, ctx: &Context<'_>) -> Math {
    Layout { ctx, depth: 0 }.piece(expr).math
}

impl Layout<'_> {
    pub fn piece(&self, expr: &Expr) -> Piece {
        if self.depth > MAX_DEPTH {
            return Piece::atom(Math::Symbol(Symbol::Dots));
        }
        let inner = Layout { ctx: self.ctx, depth: self.depth + 1 };
        inner.piece_here(expr)
    }

    pub fn math(&self, expr: &Expr) -> Math {
        self.piece(expr).math
    }

    fn piece_here(&self, expr: &Expr) -> Piece {
        match &expr.kind {
            ExprKind::Num(text) => number(text),
            ExprKind::Name(name) => self.name(name),
            ExprKind::Str(text) => Piece::atom(Math::Text(text.clone())),
            ExprKind::List(items) => self.list(items),
            ExprKind::Neg(inner) => {
                let body = self.piece(inner).at_least(Level::Big);
                Piece::new(Math::Row(vec![minus(), body]), Level::Sum)
            }
            ExprKind::Sum(first, rest) => self.sum(first, rest),
            ExprKind::Product(first, rest) => product(self, first, rest),
            ExprKind::Pow(base, exponent) | ExprKind::DotPow(base, exponent) => {
                let base = self.base(base);
                Piece::new(Math::superscript(base, self.exponent(exponent)), Level::Power)
            }
            ExprKind::Compare(op, a, b) => self.compare(*op, a, b),
            ExprKind::Pipe(first, stages) => self.pipe(first, stages),
            ExprKind::Transpose(inner) => self.transpose(inner),
            ExprKind::Index(base, items) => self.index(base, items),
            ExprKind::Call { func, bound, args, kwargs } => self.call(func, bound, args, kwargs),
        }
    }

    /// `Aᵀ`, and `A⁻ᵀ` for the transpose of an inverse.
    fn transpose(&self, inner: &Expr) -> Piece {
        let top = Math::Symbol(Symbol::Top);
        let (base, sup) = match inverted(inner) {
            Some(matrix) => (matrix, Math::Row(vec![minus(), top])),
            None => (inner, top),
        };
        Piece::new(Math::superscript(self.base(base), sup), Level::Power)
    }

    /// Iverson's bracket: 1 where it holds.
    fn compare(&self, op: CompareOp, a: &Expr, b: &Expr) -> Piece {
        let side = |expr: &Expr| self.piece(expr).at_least(Level::Sum);
        let row = vec![side(a), Math::Symbol(relation(op)), side(b)];
        Piece::atom(Math::Fence(Fence::Square, Box::new(Math::Row(row))))
    }

    /// Nested lists are matrices.
    fn list(&self, items: &[Expr]) -> Piece {
        let rows: Option<Vec<Vec<Math>>> = items
            .iter()
            .map(|item| match &item.kind {
                ExprKind::List(cells) => Some(self.all(cells)),
                _ => None,
            })
            .collect();
        match rows {
            Some(rows) if !rows.is_empty() => Piece::atom(Math::Matrix(rows)),
            _ => Piece::new(Math::commas(self.all(items)), Level::Loose),
        }
    }

    fn all(&self, items: &[Expr]) -> Vec<Math> {
        items.each(|item| self.math(item))
    }

    fn name(&self, name: &str) -> Piece {
        if name == "inf" && (self.ctx.rank)(name).is_none() {
            return Piece::atom(Math::Symbol(Symbol::Infinity));
        }
        self.named(name, names::name(name))
    }

    /// A name as it is set; where it is one of the program's, the piece says so.
    fn named(&self, name: &str, math: Math) -> Piece {
        let level = match math {
            Math::Scripts { sup: Some(_), .. } => Level::Power,
            _ => Level::Atom,
        };
        let math = match (self.ctx.rank)(name) {
            Some(rank) => Math::Named {
                name: name.to_string(),
                matrix: rank > 1 && !self.is_index_notation(),
                body: Box::new(math),
            },
            None => math,
        };
        Piece::new(math, level)
    }

    fn sum(&self, first: &Expr, rest: &[(AddOp, Expr)]) -> Piece {
        let mut row = vec![self.piece(first).at_least(Level::Sum)];
        for (op, term) in rest {
            row.push(Math::Symbol(if *op == AddOp::Add { Symbol::Plus } else { Symbol::Minus }));
            row.push(self.piece(term).at_least(Level::Big));
        }
        Piece::new(Math::Row(row), Level::Sum)
    }

    /// Something that takes a superscript.
    fn base(&self, expr: &Expr) -> Math {
        self.piece(expr).at_least(Level::Atom)
    }

    /// `1/2` stands in one line up there.
    fn exponent(&self, expr: &Expr) -> Math {
        if let ExprKind::Product(first, rest) = &expr.kind
            && let ([(chainrule_grammar::ast::MulOp::Div, second)], ExprKind::Num(n)) =
                (rest.as_slice(), &first.kind)
            && let ExprKind::Num(d) = &second.kind
        {
            return Math::Row(vec![
                Math::Num(n.clone()),
                Math::Symbol(Symbol::Slash),
                Math::Num(d.clone()),
            ]);
        }
        self.math(expr)
    }

    fn pipe(&self, first: &Expr, stages: &[Expr]) -> Piece {
        let mut value = first.clone();
        for stage in stages {
            value = match &stage.kind {
                ExprKind::Call { func, bound, args, kwargs } => Expr::synthetic(ExprKind::Call {
                    func: func.clone(),
                    bound: bound.clone(),
                    args: std::iter::once(value).chain(args.iter().cloned()).collect(),
                    kwargs: kwargs.clone(),
                }),
                ExprKind::Name(name) => Expr::call(name.clone(), vec![value]),
                _ => value,
            };
        }
        self.piece(&value)
    }

    fn index(&self, base: &Expr, items: &[IndexItem]) -> Piece {
        if let [IndexItem::Slice(None, None, None), IndexItem::NewAxis] = items {
            return repeated(self.base(base));
        }
        if let Some(piece) = self.all_others(base, items) {
            return piece;
        }
        // `A_ji` for an entry of Aᵀ.
        if let (ExprKind::Transpose(inner), [first, second]) = (&base.kind, items)
            && matches!(&inner.kind, ExprKind::Name(name) if (self.ctx.rank)(name) == Some(2))
        {
            return self.index(inner, &[second.clone(), first.clone()]);
        }
        let positions: Vec<Math> = items.each(|item| self.item(item));
        if let ExprKind::Name(name) = &base.kind {
            return self.named(name, names::indexed(name, positions));
        }
        // What has a subscript already is one thing.
        let base = match self.base(base) {
            base if matches!(base.bare(), Math::Scripts { sub: Some(_), .. }) => Math::fenced(base),
            base => base,
        };
        Piece::atom(Math::subscript(base, names::positions_math(positions)))
    }

    /// `∏_{i ≠ j} x_i` for an entry of what the rule book says is reduced from all other entries.
    fn all_others(&self, base: &Expr, items: &[IndexItem]) -> Option<Piece> {
        let ExprKind::Call { func, bound, args, kwargs } = &base.kind else { return None };
        let ([arg], true) = (args.as_slice(), bound.is_empty()) else { return None };
        let reduced = ops::lookup(ops::bare(&func.name), 1)?.1.of_others?;
        let axis = match kwargs.as_slice() {
            [] => items.len().checked_sub(1)?,
            [(_, Expr { kind: ExprKind::Num(axis), .. })] => axis.parse().ok()?,
            _ => return None,
        };
        let IndexItem::At(own) = items.get(axis)? else { return None };
        let used = |letter: &str| {
            let read = |item: &IndexItem| matches!(item, IndexItem::At(at) if mentions(at, letter));
            (self.ctx.rank)(letter).is_some() || items.iter().any(read) || mentions(arg, letter)
        };
        let letter =
            ["i", "j", "k", "l", "m", "n", "p", "q", "r"].into_iter().find(|l| !used(l))?;
        let mut others = items.to_vec();
        others[axis] = IndexItem::At(Expr::name(letter));
        let differs = vec![names::name(letter), relation_sign(CompareOp::Ne), self.math(own)];
        let entry = self.index(arg, &others).at_least(Level::Big);
        let sign = Math::Big(big(reduced), Some(Box::new(Math::Row(differs))));
        Some(Piece::new(Math::Row(vec![sign, Math::Thin, entry]), Level::Big))
    }

    fn item(&self, item: &IndexItem) -> Math {
        let part =
            |expr: &Option<Expr>| expr.iter().map(|expr| self.math(expr)).collect::<Vec<_>>();
        match item {
            IndexItem::At(expr) => self.math(expr),
            IndexItem::Slice(from, to, by) => {
                let mut row = part(from);
                row.push(Math::Symbol(Symbol::Colon));
                row.extend(part(to));
                if by.is_some() {
                    row.push(Math::Symbol(Symbol::Colon));
                    row.extend(part(by));
                }
                Math::Row(row)
            }
            IndexItem::Ellipsis => Math::Symbol(Symbol::Dots),
            IndexItem::NewAxis => Math::Symbol(Symbol::Cdot),
        }
    }

    fn call(
        &self,
        func: &Ident,
        bound: &[Binder],
        args: &[Expr],
        kwargs: &[(Ident, Expr)],
    ) -> Piece {
        let name = ops::bare(&func.name);
        if !bound.is_empty() {
            return self.bound_call(name, bound, args);
        }
        if let ([a, b], Some(Operator::Compare(sign))) = (args, operator(name)) {
            return self.compare(sign, a, b);
        }
        match (name, args) {
            ("d", [of, by]) => return self.derivative(of, by),
            ("sum" | "prod", [arg]) if kwargs.is_empty() => return self.big(big(name), None, arg),
            ("ones" | "zeros", sizes) => {
                let symbol =
                    Math::Symbol(if name == "ones" { Symbol::Ones } else { Symbol::Zeros });
                return Piece::atom(Math::subscript(symbol, self.sizes(sizes)));
            }
            ("eye", [size]) => {
                return Piece::atom(Math::subscript(Math::Ident("I".to_string()), self.math(size)));
            }
            ("reciprocal", [arg]) => {
                let one = Math::Num("1".to_string());
                return Piece::new(Math::frac(one, self.math(arg)), Level::Power);
            }
            _ => {}
        }
        let piece = self.row_call(name, args, kwargs);
        if self.is_column(name, args, kwargs) { repeated(piece.math) } else { piece }
    }

    /// Whether a call gives a number for each row of a matrix, as a column.
    fn is_column(&self, name: &str, args: &[Expr], kwargs: &[(Ident, Expr)]) -> bool {
        let reduces =
            ops::lookup(name, args.len()).is_some_and(|(_, row)| matches!(row.kind, Kind::Reduce));
        let keeps = kwargs.iter().any(|(key, _)| key.name == "keepdims");
        let last = kwargs.iter().any(|(key, axis)| {
            let axis = if let ExprKind::Neg(axis) = &axis.kind { axis } else { axis };
            key.name == "axis" && matches!(&axis.kind, ExprKind::Num(text) if text == "1")
        });
        reduces && keeps && last && args.iter().all(|arg| rank(self, arg) == 2)
    }

    fn sizes(&self, sizes: &[Expr]) -> Math {
        let mut row = Vec::new();
        for size in sizes {
            if !row.is_empty() {
                row.push(Math::Symbol(Symbol::Times));
            }
            row.push(self.math(size));
        }
        Math::Row(row)
    }

    /// As the rule book says that the function is written.
    fn row_call(&self, name: &str, args: &[Expr], kwargs: &[(Ident, Expr)]) -> Piece {
        let row = ops::lookup(name, args.len()).map(|(_, row)| row);
        let template = row.map_or("", |row| row.latex);
        let is_reduction = row.is_some_and(|row| matches!(row.kind, Kind::Reduce));
        let applied = template.contains("{0}");
        let axis =
            kwargs.iter().find(|(key, _)| key.name == "axis").map(|(_, value)| self.math(value));
        let shown = |key: &str| key != "axis" && !(is_reduction && key == "keepdims");
        let others: Vec<&(Ident, Expr)> =
            kwargs.iter().filter(|(key, _)| shown(&key.name)).collect();
        if applied && axis.is_none() && others.is_empty() && covers(template, args.len()) {
            return self.template(template, args);
        }
        let func = function(name, template);
        let head = match axis {
            Some(axis) => Math::subscript(func, axis),
            None => func,
        };
        let mut inside = self.all(args);
        for (set, arg) in inside.iter_mut().zip(args).skip(1) {
            // A shape.
            if let ExprKind::List(sizes) = &arg.kind {
                *set = self.sizes(sizes);
            }
        }
        inside.extend(others.into_iter().map(|(key, value)| {
            let key = Math::Word(key.name.clone());
            Math::Row(vec![key, Math::Symbol(Symbol::Equals), self.math(value)])
        }));
        Piece::atom(Math::Row(vec![head, Math::fenced(Math::commas(inside))]))
    }

    /// A template's arguments stand free inside of braces and bars, and as a factor or a base elsewhere.
    fn template(&self, template: &str, args: &[Expr]) -> Piece {
        // The inverse of a transpose is A⁻ᵀ, too.
        if let Some((Expr { kind: ExprKind::Transpose(matrix), .. }, rest)) = args.split_first()
            && let Some(after) = template.strip_prefix(INVERSE)
        {
            let args = [&[matrix.as_ref().clone()], rest].concat();
            return self.template(&format!(r"{{0}}^{{-\top}}{after}"), &args);
        }
        let place = |at: usize| template.find(&format!("{{{at}}}"));
        let args = args.iter().enumerate().map(|(at, arg)| {
            let piece = self.piece(arg);
            let Some(place) = place(at) else { return piece.math };
            let (before, after) = (template[..place].trim_end(), &template[place + 3..]);
            if after.starts_with('^') {
                piece.at_least(Level::Atom)
            } else if before.ends_with("otimes")
                || after.trim_start().starts_with(r"\otimes")
                || before.ends_with("{-1}")
                || before.ends_with(r"{-\top}")
            {
                piece.at_least(Level::Power)
            } else {
                piece.math
            }
        });
        let args: Vec<Math> = args.collect();
        let level = if template.contains("otimes") {
            Level::Product
        } else if template.ends_with(['}', '2'])
            && (template.contains("}^") || template.starts_with(r"\frac"))
        {
            Level::Power
        } else {
            Level::Atom
        };
        let cases = template.contains("cases");
        let level = if cases { Level::Loose } else { level };
        let mut math = template::read(template, &args);
        if let Math::Cases(cases) = &mut math {
            cases.iter_mut().for_each(|(_, when)| self.condition(when));
        }
        Piece::new(math, level)
    }

    /// `if a > b`, and what is said of all other cases, whatever the format.
    fn condition(&self, when: &mut Math) {
        *when = match std::mem::replace(when, Math::Thin) {
            Math::Text(_) => Math::Text(phrase(Phrase::Otherwise, self.ctx.lang).to_string()),
            holds => super::condition(holds, self.ctx.lang),
        };
    }

    fn bound_call(&self, name: &str, bound: &[Binder], args: &[Expr]) -> Piece {
        let [arg] = args else { return self.row_call(name, args, &[]) };
        if name == "tensor" {
            return self.piece(arg);
        }
        let lower = Math::commas(bound.iter().map(|binder| self.binder(binder)).collect());
        if name == "sum" || name == "prod" {
            return self.big(big(name), Some(lower), arg);
        }
        let template = ops::lookup(name, 1).map_or("", |(_, row)| row.latex);
        let letters: Vec<&str> = bound.iter().map(|binder| binder.name.name.as_str()).collect();
        // Bars stand around whole vectors.
        if template.contains("{0}")
            && let Some(whole) = whole_axes(arg, &letters)
        {
            return self.template(template, &[whole]);
        }
        let head = Math::subscript(function(name, template), lower);
        Piece::atom(Math::Row(vec![head, Math::fenced(self.math(arg))]))
    }

    /// `i`, or `i < 2` where the range does not follow from what stands in the sum.
    fn binder(&self, binder: &Binder) -> Math {
        let letter = names::name(&binder.name.name);
        match &binder.range {
            None => letter,
            Some(range) => {
                Math::Row(vec![letter, Math::Symbol(relation(CompareOp::Lt)), self.math(range)])
            }
        }
    }

    fn big(&self, big: Big, lower: Option<Math>, arg: &Expr) -> Piece {
        let body = self.piece(arg).at_least(Level::Big);
        Piece::new(
            Math::Row(vec![Math::Big(big, lower.map(Box::new)), Math::Thin, body]),
            Level::Big,
        )
    }

    fn derivative(&self, of: &Expr, by: &Expr) -> Piece {
        let partial = || Math::Symbol(Symbol::Partial);
        let below = Math::Row(vec![partial(), self.base(by)]);
        let simple = |expr: &Expr| match &expr.kind {
            ExprKind::Name(_) => true,
            ExprKind::Index(base, _) => matches!(base.kind, ExprKind::Name(_)),
            _ => false,
        };
        if simple(of) {
            let above = Math::Row(vec![partial(), self.math(of)]);
            return Piece::new(Math::frac(above, below), Level::Power);
        }
        let operator = Math::frac(partial(), below);
        Piece::new(Math::Row(vec![operator, Math::fenced(self.math(of))]), Level::Product)
    }

    /// Whether a name of no known rank is taken for a scalar.
    pub fn is_index_notation(&self) -> bool {
        self.ctx.notation == Notation::Index
    }
}

/// The name of a function: by its template, where that is a name only.
fn function(name: &str, template: &str) -> Math {
    if template.is_empty() || template.contains("{0}") {
        return Math::Func(name.to_string());
    }
    template::read(template, &[])
}

fn covers(template: &str, args: usize) -> bool {
    (0..args).all(|at| template.contains(&format!("{{{at}}}")))
}

fn big(name: &str) -> Big {
    if name == "sum" { Big::Sum } else { Big::Prod }
}

pub(super) fn minus() -> Math {
    Math::Symbol(Symbol::Minus)
}

/// The operator that is written for a function of two arguments.
fn operator(name: &str) -> Option<Operator> {
    ops::lookup(name, 2)?.1.operator
}

fn relation_sign(op: CompareOp) -> Math {
    Math::Symbol(relation(op))
}

fn relation(op: CompareOp) -> Symbol {
    match op {
        CompareOp::Lt => Symbol::Less,
        CompareOp::Le => Symbol::LessEqual,
        CompareOp::Gt => Symbol::Greater,
        CompareOp::Ge => Symbol::GreaterEqual,
        CompareOp::Eq => Symbol::Equals,
        CompareOp::Ne => Symbol::NotEqual,
    }
}

/// A number: `1e-4` and `0.0001` are powers of ten.
fn number(text: &str) -> Piece {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa.to_string(), exponent.trim_start_matches('+').to_string())
        }
        None => match small_decimal(text) {
            Some(parts) => parts,
            None => return Piece::atom(Math::Num(text.to_string())),
        },
    };
    let power = Math::superscript(Math::Num("10".to_string()), Math::Num(exponent));
    let mantissa = mantissa.strip_suffix(".0").unwrap_or(&mantissa);
    if mantissa == "1" {
        return Piece::new(power, Level::Power);
    }
    let row = vec![Math::Num(mantissa.to_string()), Math::Symbol(Symbol::Cdot), power];
    Piece::new(Math::Row(row), Level::Product)
}

/// `0.0001` as `1` and `-4`: decimals of at least three zeros and a single digit.
fn small_decimal(text: &str) -> Option<(String, String)> {
    let fraction = text.strip_prefix("0.")?;
    let digits = fraction.trim_start_matches('0');
    let zeros = fraction.len() - digits.len();
    (digits.len() == 1 && zeros >= 3).then(|| (digits.to_string(), format!("-{}", zeros + 1)))
}
