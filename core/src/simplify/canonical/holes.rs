//! Where canonical forms are defined: powers are collected only where that makes no value out of none.

use super::{AtomId, Canonical, Factor, FormId, Term};
use crate::ir::{Num, Op};
use crate::ops::{self, Range};

/// What is known of an atom whatever numbers its variables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sure {
    /// Nothing.
    Nothing,
    /// It has a value.
    Number,
    /// It has one over 0.
    Over,
}

impl Canonical {
    /// What is known of a new atom.
    pub(super) fn sure(&self, op: &Op, args: &[FormId]) -> Sure {
        if !args.iter().all(|form| self.is_total(*form)) {
            return Sure::Nothing;
        }
        match op {
            Op::Size(_) => Sure::Over,
            Op::Call(op, _) if !ops::spec(*op).is_total() => Sure::Nothing,
            Op::Call(op, _) => match ops::spec(*op).range {
                Range::Positive | Range::Simplex => Sure::Over,
                _ => Sure::Number,
            },
            Op::Named(_) | Op::Scan(_) | Op::Deriv => Sure::Nothing,
            _ => Sure::Number,
        }
    }

    fn is_total(&self, form: FormId) -> bool {
        self.forms[form as usize].terms.iter().all(|(term, _)| self.is_number(term))
    }

    /// Whether a product has a value whatever numbers the variables are.
    pub(super) fn is_number(&self, term: &Term) -> bool {
        term.factors.iter().all(|factor| {
            let whole = factor.exponent.as_int().is_some_and(|n| n >= 0);
            match self.sure[factor.atom as usize] {
                Sure::Nothing => false,
                Sure::Number => whole,
                Sure::Over => true,
            }
        })
    }

    /// Whether x^a · x^b is x^(a + b) and defined nowhere else. Forms to be compared are one function where both are defined.
    fn joins(&self, atom: AtomId, a: Num, b: Num) -> bool {
        let roots = a.as_int().is_none() && (a + b).as_int().is_some();
        self.multiplies
            || self.sure[atom as usize] == Sure::Over
            || (a.is_negative() == b.is_negative() && !roots)
    }

    /// Whether a whole power of a product makes a whole power of a root, which is defined where the root is not.
    pub(super) fn loses_root(&self, term: &Term, n: i128) -> bool {
        term.factors.iter().any(|factor| {
            let (a, all) = (factor.exponent, factor.exponent * Num::int(n));
            let root = a.as_int().is_none() && all.as_int().is_some();
            root && !self.multiplies && self.sure[factor.atom as usize] != Sure::Over
        })
    }

    /// x^a · x^b = x^(a + b)
    pub(super) fn collect_powers(&self, term: &mut Term) {
        let mut kept: Vec<Factor> = Vec::new();
        for factor in term.factors.drain(..) {
            let alike = |known: &&mut Factor| {
                known.atom == factor.atom
                    && self.read_alike(factor.atom, &known.labels, &factor.labels)
                    && self.joins(factor.atom, known.exponent, factor.exponent)
            };
            match kept.iter_mut().find(alike) {
                Some(known) => known.exponent = known.exponent + factor.exponent,
                None => kept.push(factor),
            }
        }
        kept.retain(|factor| !factor.exponent.is_zero());
        term.factors = kept;
    }

    /// Whether an atom is the same at these labels: those of a symmetric one may be exchanged.
    fn read_alike(&self, atom: AtomId, a: &[u32], b: &[u32]) -> bool {
        a == b || self.symmetric[atom as usize] && a.len() == 2 && a[0] == b[1] && a[1] == b[0]
    }
}
