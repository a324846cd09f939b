//! Layout → LaTeX, in what amsmath and KaTeX have in common.

use super::math::{Accent, Big, Fence, Math, Symbol};
use super::names::is_greek;
use crate::few::Each;

/// The LaTeX of a layout.
pub fn emit(math: &Math) -> String {
    let mut out = String::new();
    write(math, &mut out);
    out
}

fn write(math: &Math, out: &mut String) {
    match math {
        Math::Row(items) => {
            for (at, item) in items.iter().enumerate() {
                let leading = at == 0 && *item == Math::Symbol(Symbol::Minus);
                let piece = if leading { "-".to_string() } else { emit(item) };
                push(out, &piece);
            }
        }
        Math::Ident(word) => push(out, &ident(word)),
        Math::Word(word) => push(out, &word_latex(word)),
        Math::Num(text) => push(out, text),
        Math::Symbol(symbol) => push(out, sign(*symbol)),
        Math::Thin => push(out, r"\,"),
        Math::Frac(over, under) => {
            push(out, &format!(r"\frac{{{}}}{{{}}}", emit(over), emit(under)))
        }
        Math::Root(None, of) => push(out, &format!(r"\sqrt{{{}}}", emit(of))),
        Math::Root(Some(degree), of) => {
            push(out, &format!(r"\sqrt[{}]{{{}}}", emit(degree), emit(of)));
        }
        Math::Scripts { base, sub, sup } => {
            let base = emit(base);
            // A base that carries scripts of its own is one group.
            let grouped = base.contains(['_', '^']) && !base.ends_with(')') && !base.ends_with('}');
            push(out, &if grouped { format!("{{{base}}}") } else { base });
            if let Some(sub) = sub {
                out.push_str(&format!("_{{{}}}", emit(sub)));
            }
            if let Some(sup) = sup {
                out.push_str(&format!("^{{{}}}", emit(sup)));
            }
        }
        Math::Accent(accent, base) => push(out, &format!("{}{{{}}}", mark(*accent), emit(base))),
        Math::Big(big, lower) => {
            push(out, if *big == Big::Sum { r"\sum" } else { r"\prod" });
            if let Some(lower) = lower {
                out.push_str(&format!("_{{{}}}", emit(lower)));
            }
        }
        Math::Fence(fence, inner) => push(out, &fenced(*fence, inner)),
        Math::Func(name) => push(out, &function(name)),
        Math::Cases(cases) => {
            let rows: Vec<Vec<Math>> =
                cases.each(|(value, when)| vec![value.clone(), when.clone()]);
            push(out, &format!(r"\begin{{cases}} {} \end{{cases}}", table(&rows)));
        }
        Math::Matrix(rows) => {
            push(out, &format!(r"\begin{{bmatrix}} {} \end{{bmatrix}}", table(rows)))
        }
        Math::Boxed(inner) => push(out, &format!(r"\boxed{{{}}}", emit(inner))),
        Math::Named { body, .. } => push(out, &emit(body)),
        Math::Text(text) => push(out, &format!(r"\text{{{}}}", escaped(text))),
    }
}

/// Appends with the space that LaTeX needs between a command and a letter, and that a reader of the source likes.
fn push(out: &mut String, piece: &str) {
    if piece.is_empty() {
        return;
    }
    let command_ends = {
        let word = out.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        word.len() < out.len() && word.ends_with('\\')
    };
    let letter = piece.starts_with(|c: char| c.is_ascii_alphabetic());
    if command_ends && letter {
        out.push(' ');
    }
    out.push_str(piece);
}

fn ident(word: &str) -> String {
    if is_greek(word) {
        return format!(r"\{word}");
    }
    if word.chars().count() == 1 && word.is_ascii() && word != "_" {
        return word.to_string();
    }
    word_latex(word)
}

fn word_latex(word: &str) -> String {
    if word.is_ascii() {
        format!(r"\mathrm{{{}}}", escaped(word))
    } else {
        format!(r"\text{{{}}}", escaped(word))
    }
}

/// Text with LaTeX's special characters made harmless.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\textbackslash{}"),
            '~' => out.push_str(r"\textasciitilde{}"),
            '^' => out.push_str(r"\textasciicircum{}"),
            '_' | '&' | '%' | '$' | '#' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn mark(accent: Accent) -> &'static str {
    match accent {
        Accent::Hat => r"\hat",
        Accent::Bar => r"\bar",
        Accent::Dot => r"\dot",
        Accent::Tilde => r"\tilde",
    }
}

fn sign(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::Plus => " + ",
        Symbol::Minus => " - ",
        Symbol::Equals => " = ",
        Symbol::Cdot => r" \cdot ",
        Symbol::Times => r" \times ",
        Symbol::Odot => r" \odot ",
        Symbol::Oslash => r" \oslash ",
        Symbol::Partial => r"\partial ",
        Symbol::Top => r"\top",
        Symbol::Infinity => r"\infty",
        Symbol::Comma => ",",
        Symbol::Colon => ":",
        Symbol::Dots => r"\dots",
        Symbol::Slash => "/",
        Symbol::Less => " < ",
        Symbol::LessEqual => r" \le ",
        Symbol::Greater => " > ",
        Symbol::GreaterEqual => r" \ge ",
        Symbol::NotEqual => r" \ne ",
        Symbol::Ones => r"\mathbf{1}",
        Symbol::Zeros => r"\mathbf{0}",
        Symbol::Prime => r"\prime",
        Symbol::Otimes => r" \otimes ",
        Symbol::Angle => r"\angle",
        Symbol::Open(fence) => delimiters(fence).2,
        Symbol::Close(fence) => delimiters(fence).3,
    }
}

fn fenced(fence: Fence, inner: &Math) -> String {
    let (open, close, ..) = delimiters(fence);
    let body = emit(inner);
    match fence {
        Fence::Round | Fence::Square if !inner.is_tall() => format!("{open}{body}{close}"),
        Fence::Round | Fence::Square | Fence::Bars => format!(r"\left{open}{body}\right{close}"),
        _ => format!(r"\left{open} {body} \right{close}"),
    }
}

/// Both delimiters, and the same two on their own, somewhat larger.
fn delimiters(fence: Fence) -> (&'static str, &'static str, &'static str, &'static str) {
    match fence {
        Fence::Round => ("(", ")", r"\bigl(", r"\bigr)"),
        Fence::Square => ("[", "]", r"\bigl[", r"\bigr]"),
        Fence::Bars => ("|", "|", r"\bigl|", r"\bigr|"),
        Fence::Norm => (r"\lVert", r"\rVert", r"\bigl\lVert", r"\bigr\rVert"),
        Fence::Angle => (r"\langle", r"\rangle", r"\bigl\langle", r"\bigr\rangle"),
        Fence::Floor => (r"\lfloor", r"\rfloor", r"\bigl\lfloor", r"\bigr\rfloor"),
        Fence::Ceil => (r"\lceil", r"\rceil", r"\bigl\lceil", r"\bigr\rceil"),
    }
}

/// Rows of cells.
fn table(rows: &[Vec<Math>]) -> String {
    let row = |cells: &Vec<Math>| cells.each(emit).join(" & ");
    rows.each(row).join(r" \\ ")
}

/// Functions that LaTeX has commands for.
const FUNCTIONS: &[&str] = &[
    "exp", "log", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "max",
    "min", "det",
];

fn function(name: &str) -> String {
    if FUNCTIONS.contains(&name) {
        return format!(r"\{name}");
    }
    format!(r"\operatorname{{{}}}", escaped(name))
}
