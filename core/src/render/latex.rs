//! Layout → LaTeX, in what amsmath and KaTeX have in common.

use super::math::{Accent, Big, Fence, Math, Symbol};
use super::names::is_greek;

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
        Math::Func { latex, .. } => push(out, latex),
        Math::Template { latex, args, .. } => push(out, &filled(latex, args)),
        Math::Aligned(rows) => push(out, &aligned(rows)),
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
    }
}

fn fenced(fence: Fence, inner: &Math) -> String {
    let (open, close) = match fence {
        Fence::Round => ("(", ")"),
        Fence::Square => ("[", "]"),
    };
    let body = emit(inner);
    if inner.is_tall() {
        format!(r"\left{open}{body}\right{close}")
    } else {
        format!("{open}{body}{close}")
    }
}

fn filled(template: &str, args: &[Math]) -> String {
    let mut text = template.to_string();
    // From the last placeholder to the first, so that braces of arguments are never taken for placeholders.
    for at in (0..template.len()).rev() {
        let Some(rest) = template.get(at..at + 3) else { continue };
        let bytes = rest.as_bytes();
        if bytes[0] != b'{' || bytes[2] != b'}' || !bytes[1].is_ascii_digit() {
            continue;
        }
        if let Some(arg) = args.get(usize::from(bytes[1] - b'0')) {
            let spaced = text[..at].ends_with(|c: char| c.is_ascii_alphabetic());
            text.replace_range(
                at..at + 3,
                &format!("{}{}", if spaced { " " } else { "" }, emit(arg)),
            );
        }
    }
    text
}

/// Rows of an `aligned` environment.
fn aligned(rows: &[Vec<Math>]) -> String {
    let row = |cells: &Vec<Math>| cells.iter().map(emit).collect::<Vec<_>>().join(" & ");
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!("\\begin{{aligned}}\n{}\n\\end{{aligned}}", rows.join(" \\\\\n"))
}
