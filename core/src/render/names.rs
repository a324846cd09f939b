//! Names as people set them: `W1`, `W_hh`, `alpha`, `x_hat`, `delta_z2`, `mlp.W1`.

use super::math::{Accent, Math, Symbol};

/// The names of Greek letters, each with its characters.
pub(super) const GREEK: &[(&str, &str)] = &[
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("iota", "ι"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("upsilon", "υ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Xi", "Ξ"),
    ("Pi", "Π"),
    ("Sigma", "Σ"),
    ("Upsilon", "Υ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
];

struct Parts {
    base: Math,
    sub: Vec<Math>,
    sup: Vec<Math>,
}

/// A name.
pub(super) fn name(name: &str) -> Math {
    indexed(name, Vec::new())
}

/// A name with index positions, which join its own subscript: `W1` at `j, k` is `W_{1,jk}`.
pub(super) fn indexed(name: &str, positions: Vec<Math>) -> Math {
    let mut parts = split(name);
    if !positions.is_empty() {
        parts.sub.push(positions_math(positions));
    }
    parts.join()
}

/// Single letters and digits side by side, all else with commas.
pub(super) fn positions_math(positions: Vec<Math>) -> Math {
    let short = |item: &Math| match item.bare() {
        Math::Ident(text) => text.chars().count() == 1,
        Math::Num(text) => text.len() == 1,
        _ => false,
    };
    let all_numbers = positions.iter().all(|item| matches!(item.bare(), Math::Num(_)));
    if positions.iter().all(short) && !(all_numbers && positions.len() > 1) {
        Math::Row(positions)
    } else {
        Math::commas(positions)
    }
}

impl Parts {
    fn join(self) -> Math {
        if self.sub.is_empty() && self.sup.is_empty() {
            return self.base;
        }
        let script = |mut items: Vec<Math>| match items.len() {
            0 => None,
            1 => items.pop().map(Box::new),
            _ => Some(Box::new(Math::commas(items))),
        };
        Math::Scripts { base: Box::new(self.base), sub: script(self.sub), sup: script(self.sup) }
    }
}

fn split(name: &str) -> Parts {
    if let Some((module, rest)) = name.rsplit_once('.') {
        let mut parts = split(rest);
        parts.sup.push(Math::Word(module.to_string()));
        return parts;
    }
    let mut pieces: Vec<&str> = name.split('_').filter(|piece| !piece.is_empty()).collect();
    let mut marks = Vec::new();
    while pieces.len() > 1
        && let Some(mark) = pieces.last().and_then(|piece| mark(piece))
    {
        marks.push(mark);
        pieces.pop();
    }
    // `h_bar_t` is h̄ at t; a dot between two names may be a product.
    if let [_, piece, _, ..] = pieces.as_slice()
        && let Some(accent @ Mark::Accent(Accent::Hat | Accent::Bar | Accent::Tilde)) = mark(piece)
    {
        marks.push(accent);
        pieces.remove(1);
    }
    let Some((head, rest)) = pieces.split_first() else {
        return Parts { base: Math::Ident(name.to_string()), sub: Vec::new(), sup: Vec::new() };
    };
    let (word, digits) = numbered(head);
    // `y_` is not `y`.
    let mut base = match name.len() - name.trim_end_matches('_').len() {
        0 => Math::Ident(ascii_greek(word)),
        more => Math::Ident(format!("{word}{}", "_".repeat(more))),
    };
    let mut sup = Vec::new();
    for mark in marks.into_iter().rev() {
        match mark {
            Mark::Accent(accent) => base = Math::Accent(accent, Box::new(base)),
            Mark::Prime => sup.push(Math::Symbol(Symbol::Prime)),
        }
    }
    let mut sub: Vec<Math> =
        digits.map(|digits| Math::Num(digits.to_string())).into_iter().collect();
    sub.extend(rest.iter().map(|piece| subscript(piece)));
    Parts { base, sub, sup }
}

/// One piece of a subscript: a number, a name with a number, letters, or a word.
fn subscript(piece: &str) -> Math {
    if piece.bytes().all(|byte| byte.is_ascii_digit()) {
        return Math::Num(piece.to_string());
    }
    let (word, digits) = numbered(piece);
    let word = ascii_greek(word);
    let length = word.chars().count();
    let base = if length == 2 && !is_greek(&word) {
        Math::Row(word.chars().map(|letter| Math::Ident(letter.to_string())).collect())
    } else {
        Math::Ident(word)
    };
    match digits {
        Some(digits) => Math::subscript(base, Math::Num(digits.to_string())),
        None => base,
    }
}

/// `W1` as `W` and `1`.
fn numbered(piece: &str) -> (&str, Option<&str>) {
    let word = piece.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &piece[word.len()..];
    if word.is_empty() || digits.is_empty() { (piece, None) } else { (word, Some(digits)) }
}

/// A Greek character by its name, so that all formats can spell it.
fn ascii_greek(word: &str) -> String {
    let known = GREEK.iter().find(|(_, character)| *character == word);
    known.map_or_else(|| word.to_string(), |(name, _)| (*name).to_string())
}

/// Whether a word is the name of a Greek letter.
pub(super) fn is_greek(word: &str) -> bool {
    GREEK.iter().any(|(name, _)| *name == word)
}

enum Mark {
    Accent(Accent),
    Prime,
}

fn mark(piece: &str) -> Option<Mark> {
    match piece {
        "hat" => Some(Mark::Accent(Accent::Hat)),
        "bar" => Some(Mark::Accent(Accent::Bar)),
        "dot" => Some(Mark::Accent(Accent::Dot)),
        "tilde" => Some(Mark::Accent(Accent::Tilde)),
        "prime" => Some(Mark::Prime),
        _ => None,
    }
}
