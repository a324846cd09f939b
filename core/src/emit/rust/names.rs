//! In: the user's names. Out: Rust identifiers in ASCII, all different within one scope.

use proc_macro2::{Ident, Span};
use std::collections::BTreeSet;

/// Words that cannot stand as an identifier, even raw.
const NEVER: &[&str] = &["self", "Self", "super", "crate", "_"];
/// Words that can only stand raw.
const RESERVED: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];
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

/// An identifier of exactly this spelling where Rust allows it, raw or with an underscore where not.
pub fn ident(name: &str) -> Ident {
    let text = ascii(name);
    if NEVER.contains(&text.as_str()) {
        Ident::new(&format!("{text}_"), Span::call_site())
    } else if RESERVED.contains(&text.as_str()) {
        Ident::new_raw(&text, Span::call_site())
    } else {
        Ident::new(&text, Span::call_site())
    }
}

/// An identifier with a prefix, which is never reserved.
pub fn prefixed(prefix: &str, name: &str) -> Ident {
    Ident::new(&format!("{prefix}_{}", ascii(name)), Span::call_site())
}

/// A numbered identifier.
pub fn numbered(prefix: &str, number: usize) -> Ident {
    Ident::new(&format!("{prefix}{number}"), Span::call_site())
}

/// Hands out names, each once.
#[derive(Default)]
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_where_rust_allows_it() {
        for (name, text) in [
            ("W1", "W1"),
            ("mlp.W1", "mlp_W1"),
            ("lambda", "lambda"),
            ("type", "r#type"),
            ("self", "self_"),
            ("σ2", "sigma2"),
            ("Δx", "Deltax"),
            ("ß", "udf"),
        ] {
            assert_eq!(ident(name).to_string(), text);
        }
    }
}
