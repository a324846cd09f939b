//! Layout → one line of Unicode, for terminals and plain text.

use super::math::{Accent, Big, Fence, Math, Symbol};
use super::names::GREEK;
use crate::few::Each;

/// One line.
pub fn emit(math: &Math) -> String {
    match math {
        Math::Row(items) => row(&items.iter().collect::<Vec<_>>()),
        Math::Ident(word) => greek(word).map_or_else(|| word.clone(), str::to_string),
        Math::Word(text) | Math::Num(text) | Math::Text(text) => text.clone(),
        Math::Symbol(symbol) => sign(*symbol).to_string(),
        Math::Thin => " ".to_string(),
        Math::Frac(over, under) => fraction(over, under),
        Math::Scripts { base, sub, sup } => scripts(&emit(base), sub.as_deref(), sup.as_deref()),
        Math::Accent(accent, base) => format!("{}{}", emit(base), mark(*accent)),
        Math::Big(big, lower) => {
            let sign = if *big == Big::Sum { "Σ" } else { "Π" };
            scripts(sign, lower.as_deref(), None)
        }
        Math::Root(degree, of) => {
            let sign = match degree.as_deref().map(emit).as_deref() {
                None => "√",
                Some("3") => "∛",
                Some(_) => {
                    return format!("({})^(1/{})", emit(of), emit(degree.as_deref().unwrap_or(of)));
                }
            };
            format!("{sign}({})", emit(of))
        }
        Math::Fence(fence, inner) => {
            let (open, close) = brackets(*fence);
            format!("{open}{}{close}", row(&inner.with_spaced_commas()))
        }
        Math::Func(name) => name.clone(),
        Math::Cases(cases) => {
            let part = |(value, when): &(Math, Math)| format!("{} {}", emit(value), emit(when));
            format!("{{{}}}", cases.each(part).join("; "))
        }
        Math::Matrix(rows) => {
            let row = |cells: &Vec<Math>| cells.each(emit).join(", ");
            format!("[{}]", rows.each(row).join("; "))
        }
        Math::Boxed(inner) => emit(inner),
        Math::Named { body, .. } => emit(body),
    }
}

/// Pieces side by side.
fn row(items: &[&Math]) -> String {
    let mut text = String::new();
    for (at, &item) in items.iter().enumerate() {
        let apart = at > 0 && Math::are_apart(items[at - 1], item);
        text.push_str(if apart { " " } else { "" });
        text.push_str(&emit(item));
    }
    match (items.first(), text.strip_prefix(" − ")) {
        (Some(Math::Symbol(Symbol::Minus)), Some(rest)) => format!("−{rest}"),
        _ => text,
    }
}

/// Both brackets of a kind.
pub(super) fn brackets(fence: Fence) -> (&'static str, &'static str) {
    match fence {
        Fence::Round => ("(", ")"),
        Fence::Square => ("[", "]"),
        Fence::Bars => ("|", "|"),
        Fence::Norm => ("‖", "‖"),
        Fence::Angle => ("⟨", "⟩"),
        Fence::Floor => ("⌊", "⌋"),
        Fence::Ceil => ("⌈", "⌉"),
    }
}

/// A Greek letter by its name.
pub(super) fn greek(word: &str) -> Option<&'static str> {
    GREEK.iter().find(|(name, _)| *name == word).map(|(_, character)| *character)
}

fn fraction(over: &Math, under: &Math) -> String {
    let (above, below) = (emit(over), emit(under));
    match (above.as_str(), below.as_str()) {
        ("1", "2") => return "½".to_string(),
        ("1", "3") => return "⅓".to_string(),
        ("1", "4") => return "¼".to_string(),
        _ => {}
    }
    let bracket = |text: String, open: bool| if open { format!("({text})") } else { text };
    let is_sum = [" + ", " - ", " − "].iter().any(|sign| above.contains(sign));
    // `1/3x` reads as a third of x.
    let times =
        below.starts_with(|c: char| c.is_ascii_digit()) && below.contains(char::is_alphabetic);
    let is_product = times || below.contains([' ', '/']);
    format!("{}/{}", bracket(above, is_sum), bracket(below, is_product))
}

/// Subscripts and superscripts in small characters if all of them have one, else with `_` and `^`.
fn scripts(base: &str, sub: Option<&Math>, sup: Option<&Math>) -> String {
    let mut out = base.to_string();
    if let Some(sub) = sub.map(emit) {
        out += &small(&sub, SUBSCRIPTS).unwrap_or_else(|| grouped('_', &sub));
    }
    if let Some(sup) = sup.map(emit) {
        out += &small(&sup, SUPERSCRIPTS).unwrap_or_else(|| grouped('^', &sup));
    }
    out
}

fn grouped(sign: char, text: &str) -> String {
    let text = text.trim();
    if text.chars().count() == 1 { format!("{sign}{text}") } else { format!("{sign}({text})") }
}

/// The text in small characters, if all of them have one.
pub(super) fn small(text: &str, table: &[(char, char)]) -> Option<String> {
    let find = |c: char| table.iter().find(|(plain, _)| *plain == c).map(|(_, small)| *small);
    text.chars().map(find).collect()
}

pub(super) const SUBSCRIPTS: &[(char, char)] = &[
    ('0', '₀'),
    ('1', '₁'),
    ('2', '₂'),
    ('3', '₃'),
    ('4', '₄'),
    ('5', '₅'),
    ('6', '₆'),
    ('7', '₇'),
    ('8', '₈'),
    ('9', '₉'),
    ('a', 'ₐ'),
    ('e', 'ₑ'),
    ('h', 'ₕ'),
    ('i', 'ᵢ'),
    ('j', 'ⱼ'),
    ('k', 'ₖ'),
    ('l', 'ₗ'),
    ('m', 'ₘ'),
    ('n', 'ₙ'),
    ('o', 'ₒ'),
    ('p', 'ₚ'),
    ('r', 'ᵣ'),
    ('s', 'ₛ'),
    ('t', 'ₜ'),
    ('u', 'ᵤ'),
    ('v', 'ᵥ'),
    ('x', 'ₓ'),
];

pub(super) const SUPERSCRIPTS: &[(char, char)] = &[
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
    ('-', '⁻'),
    ('−', '⁻'),
    ('ᵀ', 'ᵀ'),
    ('n', 'ⁿ'),
    ('′', '′'),
];

/// The combining character of a mark.
pub(super) fn mark(accent: Accent) -> char {
    match accent {
        Accent::Hat => '\u{302}',
        Accent::Bar => '\u{304}',
        Accent::Dot => '\u{307}',
        Accent::Tilde => '\u{303}',
    }
}

/// A sign, with the spaces around it.
pub(super) fn sign(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::Plus => " + ",
        Symbol::Minus => " − ",
        Symbol::Equals => " = ",
        Symbol::Cdot => "·",
        Symbol::Times => "×",
        Symbol::Odot => " ⊙ ",
        Symbol::Oslash => " ⊘ ",
        Symbol::Partial => "∂",
        Symbol::Top => "ᵀ",
        Symbol::Infinity => "∞",
        Symbol::Comma => ",",
        Symbol::Colon => ":",
        Symbol::Dots => "…",
        Symbol::Slash => "/",
        Symbol::Less => " < ",
        Symbol::LessEqual => " ≤ ",
        Symbol::Greater => " > ",
        Symbol::GreaterEqual => " ≥ ",
        Symbol::NotEqual => " ≠ ",
        Symbol::Ones => "𝟏",
        Symbol::Zeros => "𝟎",
        Symbol::Prime => "′",
        Symbol::Otimes => " ⊗ ",
        Symbol::Angle => "∠",
        Symbol::Open(fence) => brackets(fence).0,
        Symbol::Close(fence) => brackets(fence).1,
    }
}

/// A line of Unicode in ASCII: small characters as `_jk` and `^2`, signs by what stands for them, letters by their names. What is
/// neither (a name in another script) stays.
pub fn ascii(line: &str) -> String {
    let small = |table: &[(char, char)], c: char| {
        table.iter().find(|(_, small)| *small == c).map(|(plain, _)| *plain)
    };
    let mut out = String::new();
    let mut open = ' ';
    for c in line.chars() {
        let (sign, plain) = match (small(SUBSCRIPTS, c), small(SUPERSCRIPTS, c)) {
            (Some(plain), _) => ('_', Some(plain)),
            (None, Some('ᵀ')) => ('^', Some('T')),
            (None, Some('−')) => ('^', Some('-')),
            (None, Some('′')) => (' ', Some('\'')),
            (None, Some(plain)) => ('^', Some(plain)),
            (None, None) => (' ', None),
        };
        if sign != ' ' && sign != open {
            out.push(sign);
        }
        open = sign;
        match plain {
            Some(plain) => out.push(plain),
            None => out.push_str(&in_ascii(c)),
        }
    }
    out
}

fn in_ascii(c: char) -> String {
    let known = match c {
        '−' => "-",
        '·' => "*",
        '×' => "x",
        '⊙' => ".*",
        '⊘' => "./",
        '⊗' => "(x)",
        '∂' => "d",
        '∞' => "inf",
        '…' => "...",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '𝟏' => "1",
        '𝟎' => "0",
        '′' => "'",
        'Σ' => "sum",
        'Π' => "prod",
        '√' => "sqrt",
        '∛' => "cbrt",
        '½' => "1/2",
        '⅓' => "1/3",
        '¼' => "1/4",
        '‖' => "||",
        '⟨' => "<",
        '⟩' => ">",
        '\u{302}' => "_hat",
        '\u{304}' => "_bar",
        '\u{307}' => "_dot",
        '\u{303}' => "_tilde",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_string();
    }
    let letter = GREEK.iter().find(|(_, greek)| greek.starts_with(c));
    letter.map_or_else(|| c.to_string(), |(name, _)| (*name).to_string())
}
