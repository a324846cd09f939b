//! In: a node and a position. Out: its entry there as an expression of C, over loads of what has a place.

use super::writer::{Place, Result, Writer};
use crate::emit::python::value::Bind;
use crate::emit::template;
use crate::ir::{Affine, Dim, NamedConst, NodeId, Num, Op, View};
use crate::ops;
use crate::plan::lin::Lin;

/// An expression and how tightly it holds together.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The expression.
    pub text: String,
    /// How tightly.
    pub bind: Bind,
    /// Whether it is a condition.
    pub truth: bool,
}

impl Expr {
    pub(super) fn new(text: impl Into<String>, bind: Bind) -> Expr {
        Expr { text: text.into(), bind, truth: false }
    }

    /// The expression as a number where one that holds together at least so tightly is wanted.
    pub(super) fn at(&self, least: Bind) -> String {
        let (text, bind) = match self.truth {
            true => (format!("{} ? 1.0 : 0.0", self.text), Bind::Loose),
            false => (self.text.clone(), self.bind),
        };
        if bind >= least { text } else { format!("({text})") }
    }

    /// Whether it may be written more than once.
    fn is_short(&self) -> bool {
        !self.truth && self.bind == Bind::Atom && !self.text.contains('(')
    }
}

/// Where an entry stands: the position along each axis, whole expressions that multiply as they are.
pub type Position = Vec<String>;

impl Writer<'_> {
    /// An entry of a node.
    pub(super) fn entry(&mut self, id: NodeId, at: &Position) -> Result<Expr> {
        match self.place(id) {
            Some(place) => Ok(self.load(id, &place, at)),
            None => self.formula(id, at),
        }
    }

    fn load(&mut self, id: NodeId, place: &Place, at: &Position) -> Expr {
        let text = match place {
            Place::Number(name) => name.clone(),
            Place::Array(name) => format!("{name}[{}]", self.offset(id, at)),
        };
        if self.is_whole(id) {
            Expr::new(format!("(real){text}"), Bind::Minus)
        } else {
            Expr::new(text, Bind::Atom)
        }
    }

    /// The distance of an entry from the start of a row-major array.
    pub(super) fn offset(&mut self, id: NodeId, at: &Position) -> String {
        let shape = self.graph.shape(id).clone();
        self.linear(&shape, at)
    }

    /// The same for a shape.
    pub(super) fn linear(&mut self, shape: &[Dim], at: &Position) -> String {
        let mut text = String::new();
        for (size, place) in shape.iter().zip(at) {
            if size.is_one() {
                continue;
            }
            text = match text.is_empty() {
                true => place.clone(),
                false if text.contains(' ') => format!("({text}) * {} + {place}", self.dim(size)),
                false => format!("{text} * {} + {place}", self.dim(size)),
            };
        }
        if text.is_empty() { "0".to_string() } else { text }
    }

    /// An entry by the node's own formula.
    pub(super) fn formula(&mut self, id: NodeId, at: &Position) -> Result<Expr> {
        let graph = self.graph;
        let args = graph.args(id);
        Ok(match graph.op(id) {
            Op::Const(c) => number(*c),
            Op::Named(name) => self.named(*name),
            Op::Size(dim) => Expr::new(format!("(real){}", self.dim(dim)), Bind::Minus),
            Op::Delta(_) => {
                Expr { text: format!("{} == {}", at[0], at[1]), bind: Bind::Loose, truth: true }
            }
            Op::Range(_) => {
                let plain = at[0].chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let place = if plain { at[0].clone() } else { format!("({})", at[0]) };
                Expr::new(format!("(real){place}"), Bind::Minus)
            }
            Op::Einsum(e) => {
                let mut positions: Vec<String> = vec![String::new(); e.sizes.len()];
                for (ix, place) in e.out.iter().zip(at) {
                    positions[*ix as usize].clone_from(place);
                }
                for (ix, place) in self.summed.iter().cloned() {
                    positions[ix as usize] = place;
                }
                let mut reads: Vec<Position> = Vec::with_capacity(args.len());
                for ins in &e.ins {
                    reads.push(ins.iter().map(|ix| positions[*ix as usize].clone()).collect());
                }
                self.summed.clear();
                self.product(args, &reads)?
            }
            Op::Add(coefficients) => self.sum(coefficients, args, at)?,
            Op::Pow(exponent) => {
                let base = self.entry(args[0], at)?;
                power(&base, *exponent)
            }
            Op::Call(op, _) => self.call(id, *op, args, at)?,
            Op::View(view) => self.view(view, args[0], at),
            Op::Gather => {
                let rank = graph.rank(args[1]);
                let row = self.index(args[1], &at[..rank].to_vec())?;
                let position: Position =
                    std::iter::once(row).chain(at[rank..].iter().cloned()).collect();
                self.entry(args[0], &position)?
            }
            _ => return self.unsupported(id, "a node that has no entries of its own"),
        })
    }

    /// An entry of an index tensor, as a whole number.
    pub(super) fn index(&mut self, id: NodeId, at: &Position) -> Result<String> {
        if self.is_whole(id) {
            match self.place(id) {
                Some(Place::Array(name)) => return Ok(format!("{name}[{}]", self.offset(id, at))),
                Some(Place::Number(name)) => return Ok(name),
                None => {}
            }
        }
        let entry = self.entry(id, at)?;
        Ok(format!("(size_t){}", entry.at(Bind::Atom)))
    }

    fn named(&self, name: NamedConst) -> Expr {
        match name {
            NamedConst::Pi => Expr::new("3.141592653589793", Bind::Atom),
            NamedConst::E => Expr::new("2.718281828459045", Bind::Atom),
            NamedConst::Inf => Expr::new("INFINITY", Bind::Atom),
            NamedConst::User(at) => {
                self.graph.consts.get(at as usize).map_or(number(Num::ZERO), |(_, c)| number(*c))
            }
        }
    }

    fn product(&mut self, args: &[NodeId], reads: &[Position]) -> Result<Expr> {
        let (mut over, mut under): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for (arg, at) in args.iter().zip(reads) {
            match self.graph.op(*arg) {
                Op::Pow(r) if r.is_negative() && self.place(*arg).is_none() => {
                    let base = self.entry(self.graph.args(*arg)[0], at)?;
                    under.push(power(&base, -*r).at(Bind::Power));
                }
                _ => over.push(self.entry(*arg, at)?.at(Bind::Minus)),
            }
        }
        let top = if over.is_empty() { "1.0".to_string() } else { over.join(" * ") };
        let bind = if over.len() + under.len() > 1 || !under.is_empty() {
            Bind::Product
        } else {
            Bind::Minus
        };
        Ok(match under.as_slice() {
            [] => Expr::new(top, bind),
            [one] => Expr::new(format!("{top} / {one}"), bind),
            many => Expr::new(format!("{top} / ({})", many.join(" * ")), bind),
        })
    }

    fn sum(&mut self, coefficients: &[Num], args: &[NodeId], at: &Position) -> Result<Expr> {
        let mut terms: Vec<(Num, Expr)> = Vec::new();
        for (c, arg) in coefficients.iter().zip(args) {
            terms.push((*c, self.entry(*arg, at)?));
        }
        terms.sort_by_key(|(c, _)| c.is_negative());
        let mut text = String::new();
        for (c, term) in &terms {
            let size = if c.is_negative() { -*c } else { *c };
            let term = match size.is_one() {
                true => term.at(Bind::Product),
                false => format!("{} * {}", number(size).text, term.at(Bind::Minus)),
            };
            match (text.is_empty(), c.is_negative()) {
                (true, false) => text.push_str(&term),
                (true, true) => text.push_str(&format!("-{term}")),
                (false, false) => text.push_str(&format!(" + {term}")),
                (false, true) => text.push_str(&format!(" - {term}")),
            }
        }
        let text = if text.is_empty() { "0.0".to_string() } else { text.replace("--", "- -") };
        Ok(Expr::new(text, Bind::Sum))
    }

    fn call(&mut self, id: NodeId, op: ops::OpId, args: &[NodeId], at: &Position) -> Result<Expr> {
        let spec = ops::spec(op);
        if spec.c.is_empty() || !matches!(spec.kind, ops::Kind::Elementwise) {
            return self.unsupported(id, &format!("`{}`", spec.name));
        }
        let mut values: Vec<Expr> = Vec::new();
        for (k, arg) in args.iter().enumerate() {
            let value = self.entry(*arg, at)?;
            let often = template::uses(spec.c, k) > 1 && !value.is_short();
            values.push(if often { self.local(&value) } else { value });
        }
        let (truth, template) = match spec.c.strip_prefix('?') {
            Some(rest) => (true, rest),
            None => (false, spec.c),
        };
        let text = template::fill(template, |key, closed| {
            let place: usize = key.trim_end_matches('?').parse().unwrap_or(0);
            let Some(value) = values.get(place) else { return String::new() };
            match (key.ends_with('?'), value.truth) {
                (true, true) => format!("({})", value.text),
                (true, false) => format!("({} != 0)", value.at(Bind::Sum)),
                _ if closed => value.at(Bind::Atom),
                _ => value.at(Bind::Loose),
            }
        });
        let bind = if template::is_call(&text) { Bind::Atom } else { Bind::Loose };
        Ok(Expr { text, bind, truth })
    }

    fn view(&mut self, view: &View, arg: NodeId, at: &Position) -> Expr {
        let sizes = self.graph.shape(arg).clone();
        let mut guards: Vec<String> = Vec::new();
        let mut position: Position = Vec::new();
        for (affine, size) in view.map.iter().zip(&sizes) {
            let text = self.affine(affine, at);
            let lin =
                affine.terms.iter().fold(Lin::constant(affine.offset.clone()), |sum, (axis, c)| {
                    sum.plus(&Lin::index(*axis as u32), &Dim::fixed(i128::from(*c)))
                });
            let inside = affine.divisor == 1
                && lin.stays_within(size, &|ix| view.shape[ix as usize].clone());
            if affine.divisor != 1 {
                guards.push(format!("{text} % {} == 0", affine.divisor));
            }
            let text =
                if affine.divisor == 1 { text } else { format!("{text} / {}", affine.divisor) };
            // Below 0 wraps around to far above the size.
            if !inside {
                guards.push(format!("{text} < {}", self.dim(size)));
            }
            position.push(if affine.divisor == 1 { text } else { format!("({text})") });
        }
        let load = match self.place(arg) {
            Some(place) => self.load(arg, &place, &position),
            None => Expr::new("0.0", Bind::Atom),
        };
        if guards.is_empty() {
            return load;
        }
        Expr::new(format!("{} ? {} : 0.0", guards.join(" && "), load.at(Bind::Minus)), Bind::Loose)
    }

    /// An affine position, before it is divided.
    fn affine(&mut self, affine: &Affine, at: &Position) -> String {
        let mut text = String::new();
        let mut terms = affine.terms.clone();
        terms.sort_by_key(|(_, c)| *c < 0);
        let offset =
            if affine.offset.terms.is_empty() { None } else { Some(self.dim(&affine.offset)) };
        if let Some(offset) = &offset {
            text.push_str(offset);
        }
        for (axis, c) in terms {
            let sign = match (text.is_empty(), c < 0) {
                (true, false) => "",
                (true, true) => "(size_t)0 - ",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            let size = c.unsigned_abs();
            let factor = if size == 1 { String::new() } else { format!("{size} * ") };
            text.push_str(&format!("{sign}{factor}{}", at[axis]));
        }
        match (text.is_empty(), text.contains(' ')) {
            (true, _) => "0".to_string(),
            (_, true) => format!("({text})"),
            _ => text,
        }
    }
}

/// A number.
pub fn number(c: Num) -> Expr {
    let value = c.to_f64();
    let text = match (value.is_nan(), value.is_finite()) {
        (true, _) => "NAN".to_string(),
        (_, true) => format!("{:?}", value.abs()),
        _ => "INFINITY".to_string(),
    };
    if value < 0.0 {
        Expr::new(format!("-{text}"), Bind::Minus)
    } else {
        Expr::new(text, Bind::Atom)
    }
}

fn power(base: &Expr, exponent: Num) -> Expr {
    let (x, half) = (base.at(Bind::Loose), Num::Rational(1, 2));
    if exponent == half {
        return Expr::new(format!("sqrt({x})"), Bind::Atom);
    }
    if exponent.is_negative() {
        return Expr::new(
            format!("1.0 / {}", power(base, -exponent).at(Bind::Atom)),
            Bind::Product,
        );
    }
    match exponent.as_int() {
        Some(0) => Expr::new("1.0", Bind::Atom),
        Some(1) => base.clone(),
        Some(2) => Expr::new(format!("cr_square({x})"), Bind::Atom),
        _ => Expr::new(format!("pow({x}, {})", number(exponent).text), Bind::Atom),
    }
}
