//! Layout → one line of Unicode, for terminals and plain text.

use super::math::{Accent, Big, Fence, Math, Symbol};
use super::names::GREEK;

/// One line.
pub fn emit(math: &Math) -> String {
    match math {
        Math::Row(items) => {
            let text: String = items.iter().map(emit).collect();
            match (items.first(), text.strip_prefix(" − ")) {
                (Some(Math::Symbol(Symbol::Minus)), Some(rest)) => format!("−{rest}"),
                _ => text,
            }
        }
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
        Math::Fence(Fence::Round, inner) => format!("({})", emit(inner)),
        Math::Fence(Fence::Square, inner) => format!("[{}]", emit(inner)),
        Math::Func { name, .. } => function(name).to_string(),
        Math::Template { name, args, .. } => template(name, args),
        Math::Aligned(rows) => {
            let row = |cells: &Vec<Math>| cells.iter().map(emit).collect::<String>();
            rows.iter().map(row).collect::<Vec<_>>().join("\n")
        }
    }
}

fn template(name: &str, args: &[Math]) -> String {
    let args: Vec<String> = args.iter().map(emit).collect();
    match (name, args.as_slice()) {
        ("sqrt", [x]) => format!("√({x})"),
        ("abs", [x]) => format!("|{x}|"),
        ("norm2", [x]) => format!("‖{x}‖"),
        ("inv", [x]) => format!("{x}⁻¹"),
        ("square", [x]) => format!("{x}²"),
        ("outer" | "kron", [a, b]) => format!("{a} ⊗ {b}"),
        ("dot", [a, b]) => format!("⟨{a}, {b}⟩"),
        _ => format!("{name}({})", args.join(", ")),
    }
}

/// The few functions that a single sign stands for.
fn function(name: &str) -> &str {
    match name {
        "sigmoid" => "σ",
        name => name,
    }
}

fn greek(word: &str) -> Option<&'static str> {
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
    let bracket = |text: String, signs: &[&str]| {
        let bare = |sign: &&str| text.contains(sign);
        if signs.iter().any(bare) { format!("({text})") } else { text }
    };
    format!("{}/{}", bracket(above, &[" + ", " - ", " − "]), bracket(below, &[" ", "/"]))
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
    if text.chars().count() == 1 { format!("{sign}{text}") } else { format!("{sign}({text})") }
}

fn small(text: &str, table: &[(char, char)]) -> Option<String> {
    let find = |c: char| table.iter().find(|(plain, _)| *plain == c).map(|(_, small)| *small);
    text.chars().map(find).collect()
}

const SUBSCRIPTS: &[(char, char)] = &[
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

const SUPERSCRIPTS: &[(char, char)] = &[
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

fn mark(accent: Accent) -> char {
    match accent {
        Accent::Hat => '\u{302}',
        Accent::Bar => '\u{304}',
        Accent::Dot => '\u{307}',
        Accent::Tilde => '\u{303}',
    }
}

fn sign(symbol: Symbol) -> &'static str {
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
    }
}
