//! Functions in canonical forms: powers, and the functions of the rule book. A function that acts entry by entry is told of its
//! arguments in one order of their axes and with one sign, so that `f(A.T)` is `f(A)` read the other way round, and `tanh(-x)` is `-tanh(x)`.

use super::{Canonical, Factor, FormId, Term};
use crate::few::Each;
use crate::ir::{Attrs, Dim, Num, Op};
use crate::ops::{self, Eval, Kind, Mirror, OpId};

/// More axes than this are not brought into another order.
const MOST_AXES: usize = 3;

/// The arguments of a function, their axes in one order.
struct Ordered {
    args: Vec<FormId>,
    /// Which axis now stands where.
    order: Vec<u32>,
    /// What a single argument was divided by.
    scale: Num,
    /// Whether the two axes may be exchanged.
    symmetric: bool,
}

impl Canonical {
    /// A constant power.
    pub(super) fn power(&mut self, base: FormId, exponent: Num) -> FormId {
        let form = self.forms[base as usize].clone();
        let whole = exponent.as_int();
        let single = match form.terms.as_slice() {
            [(term, c)] if term.bound.is_empty() => Some((term, *c)),
            _ => None,
        };
        match (single, whole) {
            (_, Some(1)) => base,
            (Some((term, c)), Some(n)) if c.powi(n).is_some() && !self.loses_root(term, n) => {
                let raised = |factor: &Factor| Factor {
                    exponent: factor.exponent * exponent,
                    ..factor.clone()
                };
                let factors = term.factors.each(raised);
                let c = c.powi(n).unwrap_or(c);
                self.collected(form.shape, vec![(Term { factors, bound: Vec::new() }, c)])
            }
            // The root of an even power is not that of its base.
            (Some((term, c)), None)
                if c.is_one() && term.factors.len() == 1 && term.factors[0].exponent.is_one() =>
            {
                let factor = Factor { exponent, ..term.factors[0].clone() };
                self.single(form.shape, c, factor)
            }
            (_, Some(n @ 2..=4))
                if self.multiplies
                    && form.size().saturating_pow(n as u32) <= self.most_factors() =>
            {
                let axes: Vec<u32> = (0..form.shape.len() as u32).collect();
                let factors: Vec<(FormId, Vec<u32>)> =
                    (0..n).map(|_| (base, axes.clone())).collect();
                self.product(form.shape, Vec::new(), &factors)
            }
            _ => self.bracketed(base, exponent),
        }
    }

    /// A power of a sum as one atom. A sum in brackets has 1 as its first coefficient where the power is whole.
    pub(super) fn bracketed(&mut self, base: FormId, exponent: Num) -> FormId {
        let shape = self.forms[base as usize].shape.clone();
        let whole = exponent.as_int();
        let scale = |c: Num| match whole.and_then(|n| c.powi(n)) {
            Some(power) if !power.is_zero() => c,
            _ => Num::ONE,
        };
        let Ordered { args, order: labels, scale: outside, symmetric } =
            self.in_order(&[base], &scale);
        let outside = whole.and_then(|n| outside.powi(n)).unwrap_or(Num::ONE);
        let atom = self.atom(Op::Pow(Num::ONE), args, symmetric);
        self.single(shape, outside, Factor { atom, exponent, labels })
    }

    /// A call of the rule book.
    pub(super) fn call(
        &mut self,
        op: OpId,
        attrs: &Attrs,
        args: Vec<FormId>,
        shape: Vec<Dim>,
    ) -> FormId {
        let row = ops::spec(op);
        if self.multiplies
            && let Some(form) = self.told_by_parts(op, &args, &shape)
        {
            return form;
        }
        let moves = match row.kind {
            Kind::Elementwise => args.iter().all(|arg| self.rank(*arg) == shape.len()),
            Kind::Reduce | Kind::Along => true,
            _ => false,
        };
        if !moves {
            return self.atomic(Op::Call(op, attrs.clone()), args, shape, false);
        }
        let mirror = if args.len() == 1 { row.mirror } else { Mirror::None };
        let sign = |c: Num| match c.is_negative() && signs(mirror) {
            true => Num::int(-1),
            false => Num::ONE,
        };
        let Ordered { args, order, scale, symmetric } = self.in_order(&args, &sign);
        let flipped = scale.is_negative();
        let place = |axis: usize| order.iter().position(|own| *own == axis as u32).unwrap_or(axis);
        let mut axes: Vec<usize> = attrs.axes.each(|axis| place(*axis));
        axes.sort_unstable();
        let reduces = matches!(row.kind, Kind::Reduce);
        let labels: Vec<u32> = order
            .iter()
            .filter(|axis| !reduces || !attrs.axes.contains(&(**axis as usize)))
            .map(|axis| {
                let gone = |removed: &&usize| reduces && **removed < *axis as usize;
                axis - attrs.axes.iter().filter(gone).count() as u32
            })
            .collect();
        let attrs = Attrs { axes, ints: attrs.ints.clone() };
        let (op, args, c, add) = match row.mirror {
            // f(x) = -g(-x)
            Mirror::Turned(name) => {
                let turned: Vec<FormId> = args.each(|arg| self.scaled(*arg, Num::int(-1)));
                let form =
                    self.call(ops::known(name, 1), &attrs, turned, permuted(&shape, &labels));
                return self.read(form, &labels, shape, Num::int(-1));
            }
            Mirror::Odd if flipped => (op, args, Num::int(-1), false),
            Mirror::Complement if flipped => (op, args, Num::int(-1), true),
            _ => (op, args, Num::ONE, false),
        };
        let exponent = match row.mirror {
            Mirror::Inverse if flipped => Num::int(-1),
            _ => Num::ONE,
        };
        let symmetric = symmetric && matches!(row.kind, Kind::Elementwise);
        let atom = self.atom(Op::Call(op, attrs), args, symmetric);
        let term = Term { factors: vec![Factor { atom, exponent, labels }], bound: Vec::new() };
        let mut terms = vec![(term, c)];
        if add {
            terms.push((Term::default(), Num::ONE));
        }
        self.collected(shape, terms)
    }

    /// What a function comes to by its numbers, or by the terms of its argument: exp(2x + y) = exp(x)²·exp(y).
    fn told_by_parts(&mut self, op: OpId, args: &[FormId], shape: &[Dim]) -> Option<FormId> {
        let row = ops::spec(op);
        if let Eval::Scalar(value) = row.eval
            && let Some(numbers) =
                args.iter().map(|arg| self.number(*arg)).collect::<Option<Vec<Num>>>()
        {
            return self.constant(value(&numbers.each(|number| number.to_f64())), shape);
        }
        let terms = self.forms[*args.first()? as usize].terms.clone();
        let already = matches!(terms.as_slice(), [(_, c)] if c.is_one());
        if row.mirror != Mirror::Inverse || already || terms.len() > super::MOST_TERMS {
            return None;
        }
        let axes: Vec<u32> = (0..shape.len() as u32).collect();
        let factors: Vec<(FormId, Vec<u32>)> = terms
            .into_iter()
            .map(|(term, c)| {
                let term = self.intern(shape.to_vec(), vec![(term, Num::ONE)]);
                let base = self.call(op, &Attrs::default(), vec![term], shape.to_vec());
                (self.power(base, c), axes.clone())
            })
            .collect();
        Some(self.product(shape.to_vec(), Vec::new(), &factors))
    }

    /// A number that two spellings come to, but for its last digits; its sign is a coefficient.
    fn constant(&mut self, value: f64, shape: &[Dim]) -> Option<FormId> {
        let rounded: f64 = format!("{:.12e}", value.abs()).parse().ok()?;
        let sign = Num::int(if value < 0.0 { -1 } else { 1 });
        let twice = 2.0 * rounded;
        if twice.fract() == 0.0 && twice < 1e9 {
            let number = Num::ratio(twice as i128, 2)?;
            return Some(self.collected(shape.to_vec(), vec![(Term::default(), sign * number)]));
        }
        let number = Num::Real(rounded);
        let atom = self.atom(Op::Const(number), Vec::new(), false);
        let factor = Factor { atom, exponent: Num::ONE, labels: Vec::new() };
        let term = Term { factors: vec![factor], bound: Vec::new() };
        Some(self.collected(shape.to_vec(), vec![(term, sign)]))
    }

    fn rank(&self, form: FormId) -> usize {
        self.forms[form as usize].shape.len()
    }

    /// `c` times a form read at labels, which are the axes of what comes out.
    fn read(&mut self, form: FormId, labels: &[u32], shape: Vec<Dim>, c: Num) -> FormId {
        let mut fresh = shape.len() as u32;
        let mut terms = Vec::new();
        for (term, own) in &self.forms[form as usize].terms {
            terms.push((super::joined(Term::default(), term, labels, &mut fresh), c * *own));
        }
        self.collected(shape, terms)
    }

    fn scaled(&mut self, form: FormId, c: Num) -> FormId {
        let shape = self.forms[form as usize].shape.clone();
        let axes: Vec<u32> = (0..shape.len() as u32).collect();
        self.read(form, &axes, shape, c)
    }

    /// The arguments of a function in the least order of their axes; `scale` says of the first coefficient of a single argument
    /// what it is divided by.
    fn in_order(&mut self, args: &[FormId], scale: &dyn Fn(Num) -> Num) -> Ordered {
        let rank = args.iter().map(|arg| self.rank(*arg)).max().unwrap_or(0);
        let mut best: Option<Ordered> = None;
        for order in orders(rank) {
            let mut moved: Vec<FormId> = args.to_vec();
            for arg in moved.iter_mut().filter(|_| rank > 1) {
                if self.rank(*arg) == rank {
                    *arg = self.reordered(*arg, &order);
                }
            }
            let mut outside = Num::ONE;
            if let [only] = moved.as_mut_slice() {
                let form = &self.forms[*only as usize];
                outside = scale(form.terms.first().map_or(Num::ONE, |(_, c)| *c));
                if let Some(inverse) = outside.recip().filter(|_| !outside.is_one()) {
                    *only = self.scaled(*only, inverse);
                }
            }
            match &mut best {
                Some(best) if moved == best.args => {
                    best.symmetric |= rank == 2 && outside == best.scale;
                }
                Some(best) if moved > best.args => {}
                _ => best = Some(Ordered { args: moved, order, scale: outside, symmetric: false }),
            }
        }
        best.unwrap_or(Ordered {
            args: args.to_vec(),
            order: Vec::new(),
            scale: Num::ONE,
            symmetric: false,
        })
    }

    /// Axis k of what comes out is axis `order[k]`.
    fn reordered(&mut self, form: FormId, order: &[u32]) -> FormId {
        let shape = &self.forms[form as usize].shape;
        let shape = order.each(|axis| shape[*axis as usize].clone());
        let labels: Vec<u32> = (0..order.len() as u32)
            .map(|axis| order.iter().position(|own| *own == axis).unwrap_or(0) as u32)
            .collect();
        self.read(form, &labels, shape, Num::ONE)
    }
}

/// Whether a function tells the opposite of its argument from the argument in a way that is known.
fn signs(mirror: Mirror) -> bool {
    !matches!(mirror, Mirror::None | Mirror::Turned(_))
}

/// The shape of which axis `labels[k]` has the size of axis k.
fn permuted(shape: &[Dim], labels: &[u32]) -> Vec<Dim> {
    labels.each(|axis| shape[*axis as usize].clone())
}

/// All orders of a few axes; the one that they have of many.
fn orders(rank: usize) -> Vec<Vec<u32>> {
    let plain: Vec<u32> = (0..rank as u32).collect();
    if rank > MOST_AXES {
        return vec![plain];
    }
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..rank {
        all = all
            .into_iter()
            .flat_map(|start| {
                let next = plain.iter().filter(|axis| !start.contains(axis)).copied();
                next.map(|axis| [start.as_slice(), &[axis]].concat()).collect::<Vec<_>>()
            })
            .collect();
    }
    all
}
