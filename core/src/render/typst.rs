//! Layout → Typst's mathematics, without the dollars around it. Pieces stand apart by spaces and scripts in parentheses, so that
//! Typst never takes two pieces for one.

use super::math::{Accent, Big, Fence, Math, Symbol};
use super::names::is_greek;
use super::unicode::sign;

/// The formula.
pub fn emit(math: &Math) -> String {
    match math {
        Math::Row(items) => {
            let items: Vec<String> =
                items.iter().map(emit).filter(|text| !text.is_empty()).collect();
            items.join(" ")
        }
        Math::Ident(word) if is_greek(word) => word.clone(),
        Math::Ident(word) if word.len() == 1 && word.is_char_boundary(1) && word != "_" => {
            word.clone()
        }
        Math::Word(word) if word.len() == 1 => format!("upright({word})"),
        Math::Ident(word) | Math::Word(word) | Math::Text(word) => quoted(word),
        Math::Num(text) => text.clone(),
        Math::Symbol(symbol) => operator(*symbol),
        Math::Thin => "thin".to_string(),
        Math::Frac(above, below) => call("frac", &[above, below]),
        Math::Root(None, of) => call("sqrt", &[of]),
        Math::Root(Some(degree), of) => call("root", &[degree, of]),
        Math::Scripts { base, sub, sup } => {
            let mut out = emit(base);
            for (sign, script) in [('_', sub), ('^', sup)] {
                if let Some(script) = script {
                    out.push_str(&format!("{sign}({})", emit(script)));
                }
            }
            out
        }
        Math::Accent(accent, base) => call(mark(*accent), &[base]),
        Math::Big(big, lower) => {
            let sign = if *big == Big::Sum { "sum" } else { "product" };
            match lower {
                Some(lower) => format!("{sign}_({})", emit(lower)),
                None => sign.to_string(),
            }
        }
        Math::Fence(fence, inner) => fenced(*fence, inner),
        Math::Func(name) => function(name),
        Math::Cases(cases) => {
            let case =
                |(value, when): &(Math, Math)| format!("{} & quad {}", emit(value), emit(when));
            format!("cases({})", cases.iter().map(case).collect::<Vec<_>>().join(", "))
        }
        Math::Matrix(rows) => {
            let row = |cells: &Vec<Math>| cells.iter().map(emit).collect::<Vec<_>>().join(", ");
            format!("mat(delim: \"[\", {})", rows.iter().map(row).collect::<Vec<_>>().join("; "))
        }
        Math::Boxed(inner) => {
            format!("thick #box(stroke: 0.5pt, outset: 4pt)[$display({})$]", emit(inner))
        }
        Math::Named { body, .. } => emit(body),
    }
}

fn call(function: &str, args: &[&Math]) -> String {
    let args: Vec<String> = args.iter().map(|arg| emit(arg)).collect();
    format!("{function}({})", args.join(", "))
}

/// Text in quotes is upright and taken as it is.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn mark(accent: Accent) -> &'static str {
    match accent {
        Accent::Hat => "hat",
        Accent::Bar => "macron",
        Accent::Dot => "dot",
        Accent::Tilde => "tilde",
    }
}

/// Functions that Typst has names for.
const FUNCTIONS: &[&str] = &[
    "exp", "log", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "max",
    "min", "det",
];

fn function(name: &str) -> String {
    if FUNCTIONS.contains(&name) { name.to_string() } else { format!("op({})", quoted(name)) }
}

fn operator(symbol: Symbol) -> String {
    match symbol {
        // Within a call, a bare comma would part two arguments, and a bare slash makes a fraction.
        Symbol::Comma => "\\,".to_string(),
        Symbol::Slash => "\\/".to_string(),
        Symbol::Colon => "\\:".to_string(),
        Symbol::Minus => "-".to_string(),
        Symbol::Ones => "bold(1)".to_string(),
        Symbol::Zeros => "bold(0)".to_string(),
        Symbol::Open(fence) | Symbol::Close(fence) if fence != Fence::Angle => {
            format!("\\{}", sign(symbol))
        }
        Symbol::Top => "⊤".to_string(),
        other => sign(other).trim().to_string(),
    }
}

fn fenced(fence: Fence, inner: &Math) -> String {
    let inner = emit(inner);
    match fence {
        Fence::Round => format!("({inner})"),
        Fence::Square => format!("[{inner}]"),
        Fence::Bars => format!("abs({inner})"),
        Fence::Norm => format!("norm({inner})"),
        Fence::Angle => format!("lr(⟨ {inner} ⟩)"),
        Fence::Floor => format!("floor({inner})"),
        Fence::Ceil => format!("ceil({inner})"),
    }
}
