//! In: a job. Out: what everything that it declares is called in a file of a target other than Rust, and its sizes as text.

use super::Job;
use super::names::Scope;
use crate::few::Each;
use crate::ir::{Dim, DimId, Num, VarId};
use std::collections::BTreeMap;

impl Scope {
    /// Claims names for all that a job declares and asks for.
    pub fn declare(&mut self, job: &Job) -> Declared {
        let graph = job.graph;
        let losses = match job.losses.as_slice() {
            [_] => vec!["value_and_grad".to_string()],
            many => many.each(|loss| self.claim(&format!("value_and_grad_{}", loss.name))),
        };
        let requests = job.requests.each(|request| self.claim(&request.name));
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
        let mut parts: Vec<String> = factors.each(|id| names[id].clone());
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
