//! In: the user's names. Out: Rust identifiers in ASCII, all different within one scope.

use proc_macro2::{Ident, Span};

pub use crate::emit::names::{Scope, ascii};

/// Words that cannot stand as an identifier, even raw, or as a variable, since they are patterns.
const NEVER: &[&str] = &["self", "Self", "super", "crate", "_", "None", "Some", "Ok", "Err"];
/// Words that can only stand raw.
const RESERVED: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];
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
            ("None", "None_"),
            ("σ2", "sigma2"),
            ("Δx", "Deltax"),
            ("ß", "udf"),
        ] {
            assert_eq!(ident(name).to_string(), text);
        }
    }
}
