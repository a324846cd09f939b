//! In: the user's names. Out: names in ASCII, each once within a scope, for all targets.

use super::Job;
use crate::ir::{Dim, DimId, Num, VarId};
use std::collections::{BTreeMap, BTreeSet};

/// Greek letters, small ones from U+03B1 on.
const GREEK: &[&str] = &[
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi",
    "chi", "psi", "omega",
];

/// A name in ASCII letters, digits and underscores, not starting with a digit.
pub fn ascii(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => out.push(c),
            '.' => out.push('_'),
            'α'..='ω' => out.push_str(GREEK[c as usize - 'α' as usize]),
            'Α'..='Ω' => {
                let small = GREEK[c as usize - 'Α' as usize];
                out.push_str(&small[..1].to_uppercase());
                out.push_str(&small[1..]);
            }
            other => out.push_str(&format!("u{:x}", other as u32)),
        }
    }
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

/// Hands out names, each once.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    /// A scope in which some names are taken.
    pub fn with(taken: &[&str]) -> Scope {
        Scope { taken: taken.iter().map(ToString::to_string).collect() }
    }

    /// The name, followed by underscores while it is taken.
    pub fn claim(&mut self, name: &str) -> String {
        let mut name = ascii(name);
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// The name itself, if it is not taken yet.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.taken.insert(name.to_string()).then(|| name.to_string())
    }
    /// Claims names for all that a job declares and asks for.
    pub fn declare(&mut self, job: &Job) -> Declared {
        let graph = job.graph;
        let losses = match job.losses.as_slice() {
            [_] => vec!["value_and_grad".to_string()],
            many => many
                .iter()
                .map(|loss| self.claim(&format!("value_and_grad_{}", loss.name)))
                .collect(),
        };
        let requests = job.requests.iter().map(|request| self.claim(&request.name)).collect();
        let vars = (0..graph.vars.len())
            .map(|at| (VarId(at as u32), self.claim(&graph.vars[at].name)))
            .collect();
        let dims = (0..graph.dims.len())
            .map(|at| (DimId(at as u32), self.claim(&graph.dims[at].name)))
            .collect();
        Declared { vars, dims, losses, requests }
    }
}

/// What is called how in a file of any target.
pub struct Declared {
    /// The declared tensors.
    pub vars: BTreeMap<VarId, String>,
    /// The open sizes.
    pub dims: BTreeMap<DimId, String>,
    /// For each loss its function.
    pub losses: Vec<String>,
    /// For each request its function.
    pub requests: Vec<String>,
}

/// A size as a sum of whole numbers, positive terms first, and by what that is to be divided. `minus` stands in front of a sum that
/// begins with a negative term.
pub fn whole(dim: &Dim, names: &BTreeMap<DimId, String>, minus: &str) -> (String, i128) {
    let scale = dim.terms.iter().fold(1i128, |scale, (_, c)| match c {
        Num::Rational(_, d) => scale / gcd(scale, *d) * d,
        Num::Real(_) => scale,
    });
    let mut text = String::new();
    let mut terms: Vec<_> = dim.terms.iter().rev().collect();
    terms.sort_by_key(|(_, c)| c.is_negative());
    for (factors, c) in &terms {
        let c = *c * Num::int(scale);
        let size = if c.is_negative() { -c } else { c };
        let mut parts: Vec<String> = factors.iter().map(|id| names[id].clone()).collect();
        if parts.is_empty() || !size.is_one() {
            parts.insert(0, size.to_string());
        }
        text.push_str(match (text.is_empty(), c.is_negative()) {
            (true, false) => "",
            (true, true) => minus,
            (false, false) => " + ",
            (false, true) => " - ",
        });
        text.push_str(&parts.join(" * "));
    }
    (text, scale)
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
