//! In: one node whose arguments are written. Out: its expression.

use super::dialect::Library;
use super::layout::parts;
use super::product::{Factor, quotient};
use super::value::{Bind, Gives, Value, union};
use super::writer::{Result, Writer};
use crate::emit::template;
use crate::ir::{Attrs, NamedConst, NodeId, Num, Op};
use crate::ops::{self, Kind, OpId};

/// Whole numbers beyond this are written as floats, which every library takes.
const WHOLE: i128 = 1 << 53;

impl Writer<'_> {
    /// The expression of a node, with the factors that products of it leave to it.
    pub(super) fn node(&mut self, id: NodeId) -> Result<Value> {
        let value = self.alone(id)?;
        let Some(factors) = self.scales.with.get(&id).cloned() else { return Ok(value) };
        let value = self.as_number(value);
        let axes = value.axes.clone();
        let factors = factors.iter().map(|factor| self.factor(*factor, &[])).collect();
        let value = quotient(factors, Some(Factor { value, ix: Vec::new(), under: false }));
        Ok(Value { axes, ..value })
    }

    fn alone(&mut self, id: NodeId) -> Result<Value> {
        let graph = self.graph;
        let args = graph.args(id);
        let xp = self.library.xp();
        Ok(match graph.op(id) {
            Op::Var(var) => Value::array(&self.names.vars[var], Bind::Atom, graph.rank(id)),
            Op::Const(c) => number(*c),
            Op::Named(name) => self.named(*name),
            Op::Size(dim) => self.dim(dim),
            Op::Delta(dim) => {
                let size = self.dim(dim).text;
                Value::array(format!("{xp}.eye({size}, dtype=DTYPE)"), Bind::Atom, 2)
            }
            Op::Range(dim) => {
                let size = self.dim(dim).text;
                Value::array(format!("{xp}.arange({size}, dtype=DTYPE)"), Bind::Atom, 1)
            }
            Op::Add(coefficients) => match self.joined(coefficients, args) {
                Some(value) => value,
                None => self.sum(coefficients, args),
            },
            Op::Pow(exponent) => self.power(args[0], *exponent),
            Op::Einsum(e) => self.einsum(id, e, args)?,
            Op::Call(op, attrs) => self.call(id, *op, attrs)?,
            Op::View(view) => self.view(view, args[0]),
            Op::Reshape => {
                let x = self.exact(args[0]);
                let (x, shape) = (self.lifted(&x).text, self.shape(graph.shape(id)));
                Value::array(format!("{xp}.reshape({x}, {shape})"), Bind::Atom, graph.rank(id))
            }
            // Which need no identity matrix in memory.
            Op::Gather if let Op::Delta(size) = graph.op(args[0]) => {
                let (index, size) = (self.index(args[1]), self.dim(size).text);
                Value::array(format!("_one_hot({index}, {size})"), Bind::Atom, graph.rank(id))
            }
            Op::Gather => {
                let (x, index) = (self.exact(args[0]).at(Bind::Atom), self.index(args[1]));
                let text = match self.library {
                    // Which would take the nearest row where there is none.
                    Library::Jax => format!("_rows({}, {index})", self.exact(args[0]).text),
                    _ => format!("{x}[{index}]"),
                };
                Value::array(text, Bind::Atom, graph.rank(id))
            }
            Op::Scatter(size) => {
                let (rows, index) = (self.exact(args[0]).text, self.index(args[1]));
                let text = format!("_scatter({rows}, {index}, {})", self.dim(size).text);
                Value::array(text, Bind::Atom, graph.rank(id))
            }
            Op::Scan(body) => self.scan(id, *body)?,
            Op::Deriv => return self.unsupported(id, "a derivative that is not carried out"),
        })
    }

    fn named(&self, name: NamedConst) -> Value {
        match name {
            NamedConst::Pi => Value::plain("math.pi", Bind::Atom),
            NamedConst::E => Value::plain("math.e", Bind::Atom),
            NamedConst::Inf => Value::plain("math.inf", Bind::Atom),
            NamedConst::User(at) => Value::plain(&self.names.consts[at as usize], Bind::Atom),
        }
    }

    /// Whole numbers that pick rows.
    fn index(&mut self, id: NodeId) -> String {
        if let (true, Some(value)) = (self.is_whole(id), self.values.get(&id)) {
            return value.text.clone();
        }
        let value = self.exact(id);
        let value = self.lifted(&value).at(Bind::Atom);
        match self.library {
            Library::Torch => format!("{value}.to(torch.int64)"),
            _ => format!("{value}.astype(int)"),
        }
    }

    fn sum(&mut self, coefficients: &[Num], args: &[NodeId]) -> Value {
        let values: Vec<Value> = args.iter().map(|arg| self.number(*arg)).collect();
        let axes = union(&values);
        let gives = of_all(&values);
        let mut terms: Vec<(Num, Value)> =
            coefficients.iter().copied().zip(values.iter().map(|v| v.against(&axes))).collect();
        terms.sort_by_key(|(c, _)| c.is_negative());
        if let [(c, value)] = terms.as_slice() {
            return Value { axes, gives, ..scaled(*c, value) };
        }
        let mut text = String::new();
        for (c, value) in &terms {
            let size = if c.is_negative() { -*c } else { *c };
            let term = if size.is_one() { value.clone() } else { scaled(size, value) };
            match (text.is_empty(), c.is_negative()) {
                (true, false) => text.push_str(&term.at(Bind::Sum)),
                (true, true) => text.push_str(&opposite(term.bind, &term.at(Bind::Product))),
                (false, false) => text.push_str(&format!(" + {}", term.at(Bind::Product))),
                (false, true) => text.push_str(&format!(" - {}", term.at(Bind::Product))),
            }
        }
        if text.is_empty() {
            return Value::plain("0", Bind::Atom);
        }
        Value { text, bind: Bind::Sum, gives, axes }
    }

    /// A constant power.
    fn power(&mut self, base: NodeId, exponent: Num) -> Value {
        let value = self.number(base);
        raise(self.library.xp(), &value, exponent)
    }

    fn call(&mut self, id: NodeId, op: OpId, attrs: &Attrs) -> Result<Value> {
        let spec = ops::spec(op);
        let template = spec.python[self.library.column()];
        let xp = self.library.xp();
        if template.is_empty() {
            return self.unsupported(id, &format!("`{}`", spec.name));
        }
        let template = template.replace("xp.", &format!("{xp}."));
        match spec.kind {
            Kind::Elementwise => Ok(self.elementwise(id, &template)),
            _ => {
                let args = self.graph.args(id);
                let mut texts: Vec<Value> = Vec::new();
                for arg in args {
                    let value = self.exact(*arg);
                    texts.push(if texts.is_empty() { self.lifted(&value) } else { value });
                }
                if template.contains("{axis}") && attrs.axes.len() > 1 {
                    let axes = axes_text(&attrs.axes);
                    let flat = format!("_flat({}, {axes})", texts[0].text);
                    texts[0] = Value::array(flat, Bind::Atom, 0);
                }
                Ok(self.filled(id, &template, &texts, &attrs.axes))
            }
        }
    }

    fn elementwise(&mut self, id: NodeId, template: &str) -> Value {
        let args = self.read(id);
        let values: Vec<Value> = args
            .iter()
            .map(|arg| self.values.get(arg).cloned().unwrap_or_else(|| self.number(*arg)))
            .collect();
        let axes = union(&values);
        // Functions of PyTorch take tensors only; those of the others need one argument to know the type.
        let typed = values.iter().enumerate().any(|(at, value)| {
            value.gives == Gives::Array && !template.contains(&format!("{{{at}?}}"))
        });
        let lift = self.library == Library::Torch && template.contains('(') || !typed;
        let values: Vec<Value> = values
            .iter()
            .map(|value| value.against(&axes))
            .map(|value| if lift { self.lifted(&value) } else { value })
            .collect();
        Value { axes, ..self.filled(id, template, &values, &[]) }
    }

    fn filled(&mut self, id: NodeId, template: &str, args: &[Value], axes: &[usize]) -> Value {
        let (truth, template) = match template.strip_prefix('?') {
            Some(rest) => (true, rest),
            None => (false, template),
        };
        let text = template::fill(template, |key, closed| match key {
            "axes" => axes_text(axes),
            "axis" if axes.len() > 1 => "-1".to_string(),
            "axis" => axes.first().map_or_else(|| "-1".to_string(), ToString::to_string),
            _ => self.argument(key, args, closed),
        });
        let text = signs_cancelled(text);
        let bind = if template::is_call(&text) { Bind::Atom } else { Bind::Loose };
        let gives = if truth { Gives::Truth } else { Gives::Array };
        Value { gives, ..Value::array(text, bind, self.graph.rank(id)) }
    }

    /// The text for `{0}`, or for `{0?}`, the argument as a condition.
    fn argument(&self, key: &str, args: &[Value], closed: bool) -> String {
        let condition = key.ends_with('?');
        let at: usize = key.trim_end_matches('?').parse().unwrap_or(0);
        let Some(value) = args.get(at) else { return String::new() };
        let value = match (condition, value.gives) {
            (true, Gives::Truth) => value.clone(),
            (true, _) => Value {
                text: format!("{} != 0", value.at(Bind::Sum)),
                bind: Bind::Loose,
                ..value.clone()
            },
            (false, Gives::Truth) => {
                let text = format!("{}({}, dtype=DTYPE)", self.library.array(), value.text);
                Value { text, bind: Bind::Atom, ..value.clone() }
            }
            (false, _) => value.clone(),
        };
        if closed { value.at(Bind::Power) } else { value.text }
    }
}

/// `value` to a constant power.
pub fn raise(xp: &str, value: &Value, exponent: Num) -> Value {
    let of = |text: String, bind: Bind| Value { text, bind, ..value.clone() };
    let root = |value: &Value| {
        let module = if value.gives == Gives::Plain { "math" } else { xp };
        of(format!("{module}.sqrt({})", value.text), Bind::Atom)
    };
    let half = Num::Rational(1, 2);
    if exponent == half {
        return root(value);
    }
    if exponent == -half {
        return of(format!("1 / {}", root(value).text), Bind::Product);
    }
    match exponent.as_int() {
        Some(1) => value.clone(),
        Some(-1) => of(format!("1 / {}", value.at(Bind::Minus)), Bind::Product),
        Some(n) if n < 0 => {
            let power = to_the(&value.at(Bind::Atom), &n.unsigned_abs().to_string());
            of(format!("1 / {power}"), Bind::Product)
        }
        _ => {
            let power = number(exponent);
            of(to_the(&value.at(Bind::Atom), &power.at(Bind::Power)), Bind::Power)
        }
    }
}

/// A power, with blanks around its sign where one side is more than a name or a number, as the formatter has it.
fn to_the(base: &str, exponent: &str) -> String {
    let plain =
        |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if plain(base) && plain(exponent.trim_start_matches('-')) {
        format!("{base}**{exponent}")
    } else {
        format!("{base} ** {exponent}")
    }
}

/// A number; negative ones bind as loosely as a sign.
pub fn number(c: Num) -> Value {
    match c {
        Num::Rational(n, 1) if n.abs() <= WHOLE => signed(n.to_string()),
        Num::Rational(n, d) if n.abs() <= WHOLE && d <= WHOLE => {
            if crate::ir::num::is_decimal(d) || matches!(d, 2 | 4 | 5 | 8 | 10) {
                signed(format!("{:?}", c.to_f64()))
            } else {
                Value::plain(format!("{n} / {d}"), Bind::Product)
            }
        }
        _ => {
            let value = c.to_f64();
            match (value.is_nan(), value.is_finite()) {
                (true, _) => Value::plain("math.nan", Bind::Atom),
                (_, true) => signed(format!("{value:?}")),
                _ if value > 0.0 => Value::plain("math.inf", Bind::Atom),
                _ => Value::plain("-math.inf", Bind::Minus),
            }
        }
    }
}

fn signed(text: String) -> Value {
    let bind = if text.starts_with('-') { Bind::Minus } else { Bind::Atom };
    Value::plain(text, bind)
}

/// `-(-x)` as `x`.
fn signs_cancelled(mut text: String) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let found = |text: &str| {
        text.match_indices("-(-").find_map(|(at, _)| {
            let name: String = text[at + 3..].chars().take_while(|c| word(*c)).collect();
            text[at + 3 + name.len()..].starts_with(')').then_some((at, name))
        })
    };
    while let Some((at, name)) = found(&text) {
        text.replace_range(at..at + name.len() + 4, &name);
    }
    text
}

/// A product with a sign in front; a power or a sign that it begins with gets brackets.
fn opposite(bind: Bind, text: &str) -> String {
    let first = match bind {
        Bind::Product => parts(text, &[" * ", " / ", " @ "]).remove(0),
        Bind::Minus if text.starts_with('-') => return text[1..].to_string(),
        _ => text.to_string(),
    };
    match first.starts_with('-') || parts(&first, &["**", " ** "]).len() > 1 {
        true => format!("-({first}){}", &text[first.len()..]),
        false => format!("-{text}"),
    }
}

/// `c * value`, with fractions as divisions.
pub fn scaled(c: Num, value: &Value) -> Value {
    let of = |text: String, bind: Bind| Value { text, bind, ..value.clone() };
    if c.is_one() {
        return value.clone();
    }
    if c == Num::int(-1) {
        // `-a * b` is `-(a * b)`.
        let bind = if value.bind == Bind::Product { Bind::Product } else { Bind::Minus };
        let inner = if value.bind == Bind::Product { Bind::Product } else { Bind::Power };
        return of(opposite(value.bind, &value.at(inner)), bind);
    }
    if let Num::Rational(n, d) = c
        && number(c).bind == Bind::Product
    {
        let top = scaled(Num::int(n), value);
        return of(format!("{} / {d}", top.at(Bind::Product)), Bind::Product);
    }
    let by = number(c).at(Bind::Minus);
    of(format!("{by} * {}", value.at(Bind::Minus)), Bind::Product)
}

/// What a combination of values gives.
pub fn of_all(values: &[Value]) -> Gives {
    if values.iter().all(|value| value.gives == Gives::Plain) { Gives::Plain } else { Gives::Array }
}

/// One axis, or a tuple.
pub fn axes_text(axes: &[usize]) -> String {
    let texts: Vec<String> = axes.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [one] => one.clone(),
        _ => super::writer::tuple(&texts),
    }
}
