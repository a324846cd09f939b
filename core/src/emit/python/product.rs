//! In: a contraction. Out: `*`, `/`, `@`, sums and transposes where they say it, `einsum` where they do not.
//!
//! Factors are multiplied two at a time: those that only scale another first, then the pair with the smallest product. An index
//! is summed over as soon as no other factor has it.

use super::node::{number, raise};
use super::value::{Bind, Gives, Value, insertion};
use super::writer::{Result, Writer};
use crate::ir::{Dim, Einsum, Ix, NodeId, Num, Op};
use crate::plan::lin::estimate;

/// A factor: the index of each of its array's axes, and whether the product divides by it.
#[derive(Clone)]
pub(super) struct Factor {
    pub value: Value,
    pub ix: Vec<Ix>,
    pub under: bool,
}

impl Factor {
    fn text(&self) -> String {
        self.value.text.clone()
    }
}

impl Writer<'_> {
    /// The expression of a contraction.
    pub(super) fn einsum(&mut self, id: NodeId, e: &Einsum, args: &[NodeId]) -> Result<Value> {
        if e.sizes.len() > 52 {
            return self.unsupported(id, "a product over more than 52 indices");
        }
        let (mut scalars, mut tensors): (Vec<Factor>, Vec<Factor>) = (Vec::new(), Vec::new());
        let without = self.scales.without.get(&id).cloned().unwrap_or_default();
        for (arg, ins) in args.iter().zip(&e.ins).filter(|(arg, _)| !without.contains(arg)) {
            let factor = self.factor(*arg, ins);
            if factor.ix.is_empty() { scalars.push(factor) } else { tensors.push(factor) }
        }
        // A summed index that no array has multiplies by its size.
        for ix in e.bound() {
            if !tensors.iter().any(|factor| factor.ix.contains(&ix)) {
                let value = self.dim(&e.sizes[ix as usize]);
                scalars.push(Factor { value, ix: Vec::new(), under: false });
            }
        }
        let tensors: Vec<Factor> = tensors.into_iter().map(|f| self.diagonal(f)).collect();
        let tensor = self.contract(e, tensors);
        let axes = tensor.as_ref().map_or_else(Vec::new, |factor| {
            let place = |ix: &Ix| e.out.iter().position(|out| out == ix);
            factor.ix.iter().filter_map(place).collect()
        });
        Ok(Value { axes, ..quotient(scalars, tensor) })
    }

    /// An argument as a factor; a negative power divides.
    pub(super) fn factor(&mut self, arg: NodeId, ins: &[Ix]) -> Factor {
        let graph = self.graph;
        let own = self.number(arg);
        let (value, under) = match graph.op(arg) {
            Op::Pow(r) if r.is_negative() && own.bind != Bind::Atom => {
                let base = self.number(graph.args(arg)[0]);
                (raise(self.library.xp(), &base, -*r), true)
            }
            _ => (own, false),
        };
        let ix = value.axes.iter().map(|axis| ins[*axis]).collect();
        Factor { value, ix, under }
    }

    /// A factor whose indices are all different.
    fn diagonal(&mut self, factor: Factor) -> Factor {
        let mut ix: Vec<Ix> = Vec::new();
        for own in &factor.ix {
            if !ix.contains(own) {
                ix.push(*own);
            }
        }
        if ix.len() == factor.ix.len() {
            return factor;
        }
        let xp = self.library.xp();
        let text = if factor.ix.len() == 2 {
            format!("{xp}.diagonal({})", factor.text())
        } else {
            let (from, to) = (letters(&factor.ix), letters(&ix));
            format!("{xp}.einsum(\"{from}->{to}\", {})", factor.text())
        };
        Factor { value: Value::array(text, Bind::Atom, ix.len()), ix, under: factor.under }
    }

    /// The product of the tensors, summed, with the indices of the result in its order.
    fn contract(&mut self, e: &Einsum, mut factors: Vec<Factor>) -> Option<Factor> {
        while factors.len() > 2 {
            let (a, b) = scaling(&factors, &e.out).unwrap_or_else(|| cheapest(&factors, e));
            let keep = kept(&factors, &[a, b], &e.out);
            let product = self.pair(&factors[a].clone(), &factors[b].clone(), &keep);
            factors.remove(b);
            factors[a] = product;
        }
        let out: Vec<Ix> = e
            .out
            .iter()
            .copied()
            .filter(|ix| factors.iter().any(|factor| factor.ix.contains(ix)))
            .collect();
        let product = match factors.as_slice() {
            [] => return None,
            [a] => a.clone(),
            [a, b, ..] => self.pair(&a.clone(), &b.clone(), &out),
        };
        let summed = self.summed(product, &out);
        Some(self.ordered(summed, &out))
    }

    /// The product of two factors, summed over what is not kept; the order of the result's indices is the product's.
    fn pair(&mut self, a: &Factor, b: &Factor, keep: &[Ix]) -> Factor {
        let gone = |factor: &Factor| factor.ix.iter().any(|ix| !keep.contains(ix));
        let same = a.ix.len() == b.ix.len() && a.ix.iter().all(|ix| b.ix.contains(ix));
        let dot = same && a.ix.len() == 1;
        if !(gone(a) || gone(b)) || (same && !dot) || a.under && b.under {
            let product = self.entries(a, b, keep);
            return self.summed(product, keep);
        }
        let (a, b) = (self.over(a), self.over(b));
        let has = |factor: &Factor, ix: &Ix| factor.ix.contains(ix);
        let needed_by = |other: &Factor| -> Vec<Ix> {
            let all = keep.iter().chain(&other.ix);
            all.copied().collect()
        };
        let (a, b) = (self.summed(a.clone(), &needed_by(&b)), self.summed(b, &needed_by(&a)));
        if !a.ix.iter().any(|ix| !keep.contains(ix) && has(&b, ix)) {
            return self.entries(&a, &b, keep);
        }
        self.matmul(&a, &b, keep)
            .or_else(|| self.matmul(&b, &a, keep))
            .unwrap_or_else(|| self.general(&a, &b, keep))
    }

    /// A factor that is multiplied by.
    fn over(&self, factor: &Factor) -> Factor {
        if !factor.under {
            return factor.clone();
        }
        let value = Value {
            text: format!("1 / {}", factor.value.at(Bind::Minus)),
            bind: Bind::Product,
            ..factor.value.clone()
        };
        Factor { value, under: false, ix: factor.ix.clone() }
    }

    /// Entry by entry, with broadcasting; nothing is summed.
    fn entries(&mut self, a: &Factor, b: &Factor, keep: &[Ix]) -> Factor {
        let larger = if b.ix.len() > a.ix.len() { b } else { a };
        let mut order: Vec<Ix> = larger.ix.clone();
        if a.ix.iter().chain(&b.ix).any(|ix| !order.contains(ix)) {
            let all = keep.iter().chain(&a.ix).chain(&b.ix);
            order.clear();
            for ix in all.filter(|ix| a.ix.contains(ix) || b.ix.contains(ix)) {
                if !order.contains(ix) {
                    order.push(*ix);
                }
            }
        }
        let (x, y) = (self.aligned(a, &order), self.aligned(b, &order));
        let of = |text: String, bind: Bind, under: bool| Factor {
            value: Value { gives: Gives::Array, axes: Vec::new(), text, bind },
            ix: order.clone(),
            under,
        };
        match (a.under, b.under) {
            (false, true) => {
                of(format!("{} / {}", x.at(Bind::Product), y.at(Bind::Minus)), Bind::Product, false)
            }
            (true, false) => {
                of(format!("{} / {}", y.at(Bind::Product), x.at(Bind::Minus)), Bind::Product, false)
            }
            (_, under) => {
                let product = format!("{} * {}", x.at(Bind::Product), y.at(Bind::Minus));
                let whole = a.ix.len() == b.ix.len() && !under;
                let gated = if whole { gated(&x, &y).or_else(|| gated(&y, &x)) } else { None };
                let bind = if gated.is_some() { Bind::Atom } else { Bind::Product };
                let text = gated.unwrap_or(product);
                match self.shared(&text, order.len()) {
                    Some(name) => of(name, Bind::Atom, under),
                    None => of(text, bind, under),
                }
            }
        }
    }

    /// The variable of a product that several nodes have in common. Inside of steps, names are the step's.
    fn shared(&mut self, text: &str, rank: usize) -> Option<String> {
        if rank == 0 || self.indent > 1 {
            return None;
        }
        self.products.entry(text.to_string()).or_default().extend(self.current);
        let known = self.shared.get(text)?.clone();
        if known.is_some() {
            return known;
        }
        let name = self.fresh("p");
        self.line(&format!("{name} = {text}"));
        self.shared.insert(text.to_string(), Some(name.clone()));
        Some(name)
    }

    /// A factor with its axes in this order, and axes of size 1 for the others.
    fn aligned(&mut self, factor: &Factor, order: &[Ix]) -> Value {
        let own: Vec<Ix> = order.iter().copied().filter(|ix| factor.ix.contains(ix)).collect();
        let factor = self.ordered(factor.clone(), &own);
        let have: Vec<usize> =
            own.iter().filter_map(|ix| order.iter().position(|at| at == ix)).collect();
        let want: Vec<usize> = (0..order.len()).collect();
        match insertion(&have, &want) {
            None => factor.value,
            Some(index) => Value {
                text: format!("{}{index}", factor.value.at(Bind::Atom)),
                bind: Bind::Atom,
                ..factor.value
            },
        }
    }

    /// Summed over the indices that are not kept.
    fn summed(&mut self, factor: Factor, keep: &[Ix]) -> Factor {
        let axes: Vec<usize> =
            (0..factor.ix.len()).filter(|at| !keep.contains(&factor.ix[*at])).collect();
        if axes.is_empty() {
            return factor;
        }
        let factor = self.over(&factor);
        let (xp, keyword) = (self.library.xp(), self.library.axis());
        let text = if axes.len() == factor.ix.len() {
            format!("{xp}.sum({})", factor.text())
        } else {
            format!("{xp}.sum({}, {keyword}={})", factor.text(), super::node::axes_text(&axes))
        };
        let ix: Vec<Ix> = factor.ix.iter().copied().filter(|ix| keep.contains(ix)).collect();
        Factor { value: Value::array(text, Bind::Atom, ix.len()), ix, under: false }
    }

    /// The axes in this order of indices.
    fn ordered(&mut self, factor: Factor, order: &[Ix]) -> Factor {
        if factor.ix == order {
            return factor;
        }
        let text = match factor.ix.len() {
            2 => format!("{}.T", factor.value.at(Bind::Atom)),
            _ => {
                let places: Vec<String> = order
                    .iter()
                    .filter_map(|ix| factor.ix.iter().position(|own| own == ix))
                    .map(|at| at.to_string())
                    .collect();
                let axes = super::writer::tuple(&places);
                format!("{}({}, {axes})", self.library.permute(), factor.text())
            }
        };
        let value = Value { text, bind: Bind::Atom, ..factor.value };
        Factor { value, ix: order.to_vec(), under: factor.under }
    }

    /// `a @ b`, where that is the product and gives the kept indices in their order.
    fn matmul(&mut self, a: &Factor, b: &Factor, keep: &[Ix]) -> Option<Factor> {
        let shared: Vec<Ix> = a.ix.iter().copied().filter(|ix| b.ix.contains(ix)).collect();
        let batch: Vec<Ix> = shared.iter().copied().filter(|ix| keep.contains(ix)).collect();
        let k = match shared.iter().filter(|ix| !keep.contains(ix)).collect::<Vec<_>>().as_slice() {
            [k] => **k,
            _ => return None,
        };
        let free = |factor: &Factor| -> Vec<Ix> {
            factor.ix.iter().copied().filter(|ix| !shared.contains(ix)).collect()
        };
        let (rows, columns) = (free(a), free(b));
        let ix = [batch.clone(), rows.clone(), columns.clone()].concat();
        let place = |ix: &Ix| keep.iter().position(|at| at == ix);
        if !ix.windows(2).all(|pair| place(&pair[0]) < place(&pair[1])) {
            return None;
        }
        let (left, right) = if batch.is_empty() {
            // A vector on the left of a transposed matrix is better said the other way round.
            let turned = rows.is_empty() && b.ix.len() == 2 && b.ix[1] == k;
            if turned || columns.len() > 1 || (a.ix.len() > 2 && a.ix.last() != Some(&k)) {
                return None;
            }
            let right = if columns.is_empty() { vec![k] } else { vec![k, columns[0]] };
            ([rows, vec![k]].concat(), right)
        } else {
            if rows.len() != 1 || columns.len() != 1 {
                return None;
            }
            ([batch.clone(), rows, vec![k]].concat(), [batch, vec![k], columns].concat())
        };
        let (left, right) = (self.matrices(a, &left)?, self.matrices(b, &right)?);
        let text = format!("{} @ {}", left.at(Bind::Atom), right.at(Bind::Atom));
        Some(Factor { value: Value::array(text, Bind::Product, ix.len()), ix, under: false })
    }

    /// A factor with its last two axes exchanged if that gives this order.
    fn matrices(&mut self, factor: &Factor, order: &[Ix]) -> Option<Value> {
        if factor.ix == order {
            return Some(factor.value.clone());
        }
        let n = order.len();
        let mut turned = factor.ix.clone();
        turned.swap(n.checked_sub(2)?, n - 1);
        if turned != order {
            return None;
        }
        if n == 2 {
            return Some(self.ordered(factor.clone(), order).value);
        }
        let text = format!("{}.swapaxes({}, -1, -2)", self.library.xp(), factor.text());
        Some(Value::array(text, Bind::Atom, n))
    }

    fn general(&mut self, a: &Factor, b: &Factor, keep: &[Ix]) -> Factor {
        let ix: Vec<Ix> =
            keep.iter().copied().filter(|ix| a.ix.contains(ix) || b.ix.contains(ix)).collect();
        let subscripts = format!("{},{}->{}", letters(&a.ix), letters(&b.ix), letters(&ix));
        let xp = self.library.xp();
        let text = format!("{xp}.einsum(\"{subscripts}\", {}, {})", a.text(), b.text());
        Factor { value: Value::array(text, Bind::Atom, ix.len()), ix, under: false }
    }
}

/// A product with what says where a variable is positive, as PyTorch has it, in one pass over both.
fn gated(value: &Value, gate: &Value) -> Option<String> {
    let of = gate.text.strip_prefix("_step(")?.strip_suffix(')')?;
    let word = Value::plain(of, Bind::Atom).is_word();
    word.then(|| format!("_where_positive({}, {of})", value.text))
}

/// Scalars and a tensor as one product.
pub(super) fn quotient(scalars: Vec<Factor>, tensor: Option<Factor>) -> Value {
    let mut gives = Gives::Plain;
    let (mut over, mut under): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for factor in scalars.into_iter().chain(tensor) {
        if factor.value.gives != Gives::Plain {
            gives = Gives::Array;
        }
        if factor.under { under.push(factor.value) } else { over.push(factor.value) }
    }
    let product = |values: &[Value]| -> Value {
        let Some((first, rest)) = values.split_first() else { return number(Num::ONE) };
        rest.iter().fold(first.clone(), |product, next| Value {
            text: format!("{} * {}", product.at(Bind::Product), next.at(Bind::Minus)),
            bind: Bind::Product,
            ..product
        })
    };
    let top = product(&over);
    if under.is_empty() {
        return Value { gives, ..top };
    }
    let text = format!("{} / {}", top.at(Bind::Product), product(&under).at(Bind::Minus));
    // A product under the line keeps its brackets: `a / (b * c)`.
    Value { text, bind: Bind::Product, gives, axes: Vec::new() }
}

/// The indices of the picked factors that the result or another factor still needs, the result's first and in its order.
fn kept(factors: &[Factor], picked: &[usize], out: &[Ix]) -> Vec<Ix> {
    let mine = |ix: &Ix| picked.iter().any(|at| factors[*at].ix.contains(ix));
    let mut keep: Vec<Ix> = out.iter().copied().filter(mine).collect();
    for &at in picked {
        for &ix in &factors[at].ix {
            let others = factors.iter().enumerate().filter(|(other, _)| !picked.contains(other));
            let elsewhere = others.into_iter().any(|(_, factor)| factor.ix.contains(&ix));
            if elsewhere && !keep.contains(&ix) {
                keep.push(ix);
            }
        }
    }
    keep
}

/// Two factors of which one only scales the other: it brings no index of its own, and nothing can be summed yet.
fn scaling(factors: &[Factor], out: &[Ix]) -> Option<(usize, usize)> {
    let pairs = (0..factors.len()).flat_map(|a| (a + 1..factors.len()).map(move |b| (a, b)));
    pairs
        .filter(|&(a, b)| {
            let (x, y) = (&factors[a].ix, &factors[b].ix);
            let within = |x: &[Ix], y: &[Ix]| x.iter().all(|ix| y.contains(ix));
            let keep = kept(factors, &[a, b], out);
            (within(x, y) || within(y, x)) && within(x, &keep) && within(y, &keep)
        })
        .min_by_key(|&(a, b)| factors[a].ix.len().abs_diff(factors[b].ix.len()))
}

/// The pair whose product is smallest compared with its factors, then cheapest to compute.
fn cheapest(factors: &[Factor], e: &Einsum) -> (usize, usize) {
    let size = |ix: &Ix| estimate(e.sizes.get(*ix as usize).unwrap_or(&Dim::fixed(1)));
    let volume = |ixs: &[Ix]| -> f64 { ixs.iter().map(size).product() };
    let mut best = (f64::INFINITY, f64::INFINITY, 0, 1);
    for a in 0..factors.len() {
        for b in a + 1..factors.len() {
            let (x, y) = (&factors[a].ix, &factors[b].ix);
            let growth = volume(&kept(factors, &[a, b], &e.out)) - volume(x) - volume(y);
            let mut all = x.clone();
            all.extend(y.iter().filter(|ix| !x.contains(ix)));
            let cost = volume(&all);
            if (growth, cost) < (best.0, best.1) {
                best = (growth, cost, a, b);
            }
        }
    }
    (best.2, best.3)
}

/// Indices as the letters of an `einsum`.
fn letters(ix: &[Ix]) -> String {
    let letter = |ix: &Ix| match ix {
        0..=17 => (b'i' + ix) as char,
        18..=25 => (b'a' + ix - 18) as char,
        _ => (b'A' + (ix - 26) % 26) as char,
    };
    ix.iter().map(letter).collect()
}
