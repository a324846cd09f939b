//! Sizes and shapes. A size is a polynomial in the program's `dim` names, so that `[2*N + 1]` is a size like any other.

use super::num::Num;
use crate::few::{self, Each};
use std::sync::Arc;

/// A `dim` name without a fixed size; an index into [`super::graph::Graph::dims`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DimId(pub u32);

/// A size: a polynomial with rational coefficients in the dim names; terms sorted, no zero coefficients. Copies share it: every
/// node of a graph has sizes, and most are those of its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dim {
    /// Monomial (its factors, sorted; empty for the constant term) and coefficient.
    pub terms: Arc<[(Vec<DimId>, Num)]>,
}

/// The sizes of a tensor's axes; empty for a scalar.
pub type Shape = Vec<Dim>;

impl Dim {
    /// A number.
    pub fn fixed(size: i128) -> Dim {
        let terms: &[_] = if size == 0 { &[] } else { &[(Vec::new(), Num::int(size))] };
        Dim { terms: terms.into() }
    }

    /// A dim name.
    pub fn named(id: DimId) -> Dim {
        Dim { terms: [(vec![id], Num::ONE)].into() }
    }

    /// The size where it is a whole number.
    pub fn as_fixed(&self) -> Option<i128> {
        match &self.terms[..] {
            [] => Some(0),
            [(names, value)] if names.is_empty() => value.as_int(),
            _ => None,
        }
    }

    /// The dim name where the size is just that.
    pub fn as_named(&self) -> Option<DimId> {
        match &self.terms[..] {
            [(names, value)] if value.is_one() => match names.as_slice() {
                [id] => Some(*id),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the size is 1.
    pub fn is_one(&self) -> bool {
        self.as_fixed() == Some(1)
    }

    /// Whether its value is at least this where every name stands for at least 1.
    pub fn is_at_least(&self, least: i128) -> bool {
        self.least().is_some_and(|own| own >= Num::int(least))
    }

    /// Its least value where every name stands for at least 1, if it grows with all of them.
    pub fn least(&self) -> Option<Num> {
        let grows = self.terms.iter().all(|(names, c)| names.is_empty() || !c.is_negative());
        grows.then(|| self.terms.iter().fold(Num::ZERO, |sum, (_, c)| sum + *c))
    }

    /// What is made of names, and the number beside it: `N` and `-6` of `N - 6`.
    pub fn apart(&self) -> (Dim, Num) {
        let is_number = |(names, _): &&(Vec<DimId>, Num)| names.is_empty();
        let number = self.terms.iter().find(is_number).map_or(Num::ZERO, |(_, value)| *value);
        let named = self.terms.iter().filter(|term| !is_number(term)).cloned();
        (Dim::from_terms(named.collect()), number)
    }

    /// What is added and what is taken away: `N` and `6` of `N - 6`.
    pub fn sides(&self) -> [Dim; 2] {
        let (added, taken): (Vec<_>, Vec<_>) =
            self.terms.iter().cloned().partition(|(_, c)| !c.is_negative());
        let taken = taken.into_iter().map(|(names, c)| (names, -c)).collect();
        [Dim::from_terms(added), Dim::from_terms(taken)]
    }

    fn from_terms(mut terms: Vec<(Vec<DimId>, Num)>) -> Dim {
        if let [(_, value)] = terms.as_slice()
            && !value.is_zero()
        {
            return Dim { terms: terms.into() };
        }
        few::sort_by(&mut terms, &|(a, _), (b, _)| a.cmp(b));
        let mut sum: Vec<(Vec<DimId>, Num)> = Vec::new();
        for (names, value) in terms {
            match sum.last_mut().filter(|(known, _)| *known == names) {
                Some((_, entry)) => *entry = *entry + value,
                None => sum.push((names, value)),
            }
        }
        sum.retain(|(_, value)| !value.is_zero());
        Dim { terms: sum.into() }
    }

    /// `self + factor * other`
    pub fn plus(&self, other: &Dim, factor: Num) -> Dim {
        if other.terms.is_empty() {
            return self.clone();
        }
        let scaled = other.terms.iter().map(|(names, value)| (names.clone(), *value * factor));
        Dim::from_terms(self.terms.iter().cloned().chain(scaled).collect())
    }

    /// `self * other`
    pub fn times(&self, other: &Dim) -> Dim {
        let mut terms = Vec::new();
        for (names, value) in self.terms.iter() {
            for (more, factor) in other.terms.iter() {
                let mut all = [names.as_slice(), more.as_slice()].concat();
                few::sort(&mut all);
                terms.push((all, *value * *factor));
            }
        }
        Dim::from_terms(terms)
    }

    /// `self / other` where that is a polynomial: a constant divisor, or a single monomial that divides every term.
    pub fn over(&self, other: &Dim) -> Option<Dim> {
        let [(divisor, factor)] = &other.terms[..] else {
            return None;
        };
        let inverse = factor.recip()?;
        let mut terms = Vec::new();
        for (names, value) in self.terms.iter() {
            let mut rest = names.clone();
            for id in divisor {
                let at = rest.iter().position(|name| name == id)?;
                rest.remove(at);
            }
            terms.push((rest, *value * inverse));
        }
        Some(Dim::from_terms(terms))
    }

    /// How many steps of a length fit, where that is a polynomial for all sizes: all but the constant is a multiple of the length.
    pub fn steps_of(&self, length: i128) -> Option<Dim> {
        let mut steps = Vec::new();
        for (names, value) in self.terms.iter() {
            let value = value.as_int()?;
            if !names.is_empty() && value % length != 0 {
                return None;
            }
            steps.push((names.clone(), Num::int(value.div_euclid(length))));
        }
        Some(Dim::from_terms(steps))
    }

    /// The dim names that occur in it.
    pub fn names(&self) -> impl Iterator<Item = DimId> + '_ {
        self.terms.iter().flat_map(|(names, _)| names.iter().copied())
    }

    /// Its value for given sizes of the names; `None` unless whole and nonnegative.
    pub fn value(&self, sizes: &dyn Fn(DimId) -> usize) -> Option<usize> {
        usize::try_from(self.integer(sizes)?).ok()
    }

    /// Its value for given sizes of the names where whole; may be negative (offsets of views are).
    pub fn integer(&self, sizes: &dyn Fn(DimId) -> usize) -> Option<i128> {
        // One term, as nearly all sizes have, needs no fractions.
        if let [(names, value)] = &self.terms[..]
            && let Some(whole) = value.as_int()
        {
            let size = |id: &DimId| i128::try_from(sizes(*id)).ok();
            return names.iter().try_fold(whole, |product, id| product.checked_mul(size(id)?));
        }
        let mut sum = Num::ZERO;
        for (names, value) in self.terms.iter() {
            let product = names.iter().try_fold(Num::ONE, |product, &id| {
                Some(product * Num::int(i128::try_from(sizes(id)).ok()?))
            })?;
            sum = sum + product * *value;
        }
        sum.as_int()
    }

    /// As the language writes it (`2*N + 1`), given the names.
    pub fn show(&self, name: &dyn Fn(DimId) -> String) -> String {
        if self.terms.is_empty() {
            return "0".to_string();
        }
        let mut out = String::new();
        // Named terms first, the constant last, as people write.
        for (names, value) in self.terms.iter().rev() {
            let (sign, size) = if value.is_negative() { ("-", -*value) } else { ("+", *value) };
            match (out.is_empty(), sign) {
                (true, "-") => out.push('-'),
                (true, _) => {}
                (false, _) => out.push_str(&format!(" {sign} ")),
            }
            let product = names.each(|&id| name(id)).join("*");
            match (product.is_empty(), size) {
                (true, _) => out.push_str(&size.to_string()),
                (false, Num::Rational(1, 1)) => out.push_str(&product),
                (false, Num::Rational(1, d)) => out.push_str(&format!("{product}/{d}")),
                (false, Num::Rational(n, d)) if d != 1 => {
                    out.push_str(&format!("{n}*{product}/{d}"));
                }
                (false, _) => out.push_str(&format!("{size}*{product}")),
            }
        }
        out
    }
}
