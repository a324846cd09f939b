//! In: the user's names. Out: names in ASCII, each once within a scope, for all targets.

use crate::few;
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
    /// For each stem how many numbers have been tried.
    tried: BTreeMap<String, usize>,
}

impl Scope {
    /// A scope in which some names are taken.
    pub fn with(taken: &[&str]) -> Scope {
        Scope { taken: few::set(taken.iter().map(ToString::to_string)), ..Scope::default() }
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

    /// A name that nothing else has: the stem and the next number.
    pub fn fresh(&mut self, stem: &str) -> String {
        let mut at = self.tried.get(stem).copied().unwrap_or(0);
        loop {
            at += 1;
            if let Some(name) = self.take(&format!("{stem}{at}")) {
                self.tried.insert(stem.to_string(), at);
                return name;
            }
        }
    }
}
