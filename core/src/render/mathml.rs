//! Layout → MathML Core, which browsers draw by themselves: no script, no network. Classes say what MathML Core leaves to CSS
//! ([`STYLE`]); without it the formulas are still right.

use super::math::{Accent, Big, Fence, Math, Symbol};
use super::names::is_greek;
use super::unicode::{brackets, greek, sign};

/// What the formulas want of a style sheet.
pub const STYLE: &str = "\
.cr-box{border:1px solid currentColor;padding:.25em .4em}
.cr-left{text-align:left}
math{font-family:'STIX Two Math','Latin Modern Math','Cambria Math','DejaVu Math TeX Gyre',math}
";

/// A formula for a line of its own, in a `math` element.
pub fn display(math: &Math) -> String {
    format!(r#"<math display="block">{}</math>"#, emit(math))
}

/// A formula within running text; set as large as one on a line of its own if so wished.
pub fn inline(math: &Math, large: bool) -> String {
    let style = if large { r#" displaystyle="true""# } else { "" };
    format!("<math{style}>{}</math>", emit(math))
}

/// The elements inside of `math`.
pub fn emit(math: &Math) -> String {
    match math {
        Math::Row(items) => row(items),
        Math::Ident(word) => ident(word),
        Math::Word(word) if word.chars().count() == 1 => {
            format!(r#"<mi mathvariant="normal">{}</mi>"#, escaped(word))
        }
        Math::Word(word) | Math::Func(word) => format!("<mi>{}</mi>", escaped(word)),
        Math::Num(text) => format!("<mn>{}</mn>", escaped(text)),
        Math::Symbol(symbol) => operator(*symbol),
        Math::Thin => r#"<mspace width="0.17em"></mspace>"#.to_string(),
        Math::Frac(above, below) => element("mfrac", &[one(above), one(below)]),
        Math::Root(None, of) => element("msqrt", &[emit(of)]),
        Math::Root(Some(degree), of) => element("mroot", &[one(of), one(degree)]),
        Math::Scripts { base, sub, sup } => scripts(base, sub.as_deref(), sup.as_deref()),
        Math::Accent(accent, base) => {
            let mark = format!(r#"<mo stretchy="false">{}</mo>"#, mark(*accent));
            format!(r#"<mover accent="true">{}{mark}</mover>"#, one(base))
        }
        Math::Big(big, lower) => {
            let sign = if *big == Big::Sum { "<mo>∑</mo>" } else { "<mo>∏</mo>" };
            match lower {
                Some(lower) => element("munder", &[sign.to_string(), one(lower)]),
                None => sign.to_string(),
            }
        }
        Math::Fence(fence, inner) => fenced(*fence, inner),
        Math::Cases(cases) => {
            let rows = cases.iter().map(|(value, when)| vec![value.clone(), when.clone()]);
            let brace = r#"<mo fence="true" form="prefix" stretchy="true">{</mo>"#;
            format!("<mrow>{brace}{}</mrow>", table(&rows.collect::<Vec<_>>(), true))
        }
        Math::Matrix(rows) => {
            let bracket = |sign: &str, form: &str| {
                format!(r#"<mo fence="true" form="{form}" stretchy="true">{sign}</mo>"#)
            };
            let (open, close) = (bracket("[", "prefix"), bracket("]", "postfix"));
            format!("<mrow>{open}{}{close}</mrow>", table(rows, false))
        }
        Math::Boxed(inner) => format!(r#"<mrow class="cr-box">{}</mrow>"#, emit(inner)),
        Math::Named { name, body, .. } => {
            format!(r#"<mrow data-name="{}">{}</mrow>"#, escaped(name), emit(body))
        }
        // A space at the end of a word is none.
        Math::Text(text) => match text.strip_suffix(' ') {
            Some(word) => format!("<mtext>{}&#160;</mtext>", escaped(word)),
            None => format!("<mtext>{}</mtext>", escaped(text)),
        },
    }
}

/// A piece as exactly one element.
fn one(math: &Math) -> String {
    match math {
        Math::Row(items) if items.len() == 1 => one(&items[0]),
        Math::Row(_) => format!("<mrow>{}</mrow>", emit(math)),
        other => emit(other),
    }
}

fn element(name: &str, children: &[String]) -> String {
    format!("<{name}>{}</{name}>", children.concat())
}

fn row(items: &[Math]) -> String {
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 && Math::are_apart(&items[at - 1], item) {
            out.push_str(&emit(&Math::Thin));
        }
        match item {
            Math::Symbol(symbol @ (Symbol::Minus | Symbol::Plus)) if at == 0 => {
                out.push_str(&format!(r#"<mo form="prefix">{}</mo>"#, sign(*symbol).trim()));
            }
            other => out.push_str(&emit(other)),
        }
    }
    out
}

/// A single letter is slanted by the browser, capital Greek letters are not; words stand upright.
fn ident(word: &str) -> String {
    let text = greek(word).map_or_else(|| escaped(word), str::to_string);
    if greek(word).is_some() && word.starts_with(|c: char| c.is_ascii_uppercase()) {
        return format!(r#"<mi mathvariant="normal">{text}</mi>"#);
    }
    format!("<mi>{text}</mi>")
}

/// Signs that a browser would draw too large or spread out are told not to.
fn operator(symbol: Symbol) -> String {
    let text = sign(symbol).trim().replace('<', "&lt;").replace('>', "&gt;");
    match symbol {
        Symbol::Odot | Symbol::Oslash | Symbol::Otimes => {
            format!(r#"<mo largeop="false" movablelimits="false">{text}</mo>"#)
        }
        Symbol::Ones | Symbol::Zeros => format!("<mn>{text}</mn>"),
        Symbol::Partial => r#"<mi mathvariant="normal">∂</mi>"#.to_string(),
        Symbol::Infinity | Symbol::Dots | Symbol::Angle => format!("<mi>{text}</mi>"),
        Symbol::Top => "<mo>⊤</mo>".to_string(),
        Symbol::Slash => r#"<mo stretchy="false" lspace="0" rspace="0">/</mo>"#.to_string(),
        Symbol::Comma => r#"<mo separator="true">,</mo>"#.to_string(),
        Symbol::Open(_) => {
            format!(r#"<mo fence="true" form="prefix" stretchy="false">{text}</mo>"#)
        }
        Symbol::Close(_) => {
            format!(r#"<mo fence="true" form="postfix" stretchy="false">{text}</mo>"#)
        }
        _ => format!("<mo>{text}</mo>"),
    }
}

fn scripts(base: &Math, sub: Option<&Math>, sup: Option<&Math>) -> String {
    let under = base.takes_limits();
    let base = lifted(base);
    match (sub, sup) {
        (Some(sub), None) if under => element("munder", &[base, one(sub)]),
        (Some(sub), None) => element("msub", &[base, one(sub)]),
        (None, Some(sup)) => element("msup", &[base, one(sup)]),
        (Some(sub), Some(sup)) => element("msubsup", &[base, one(sub), one(sup)]),
        (None, None) => base,
    }
}

/// A letter with a descender would push its subscript down: it is told to have none.
fn lifted(base: &Math) -> String {
    const DESCENDERS: &str = "beta gamma eta zeta mu xi rho phi chi psi";
    match base {
        Math::Ident(word)
            if DESCENDERS.split(' ').any(|known| known == word)
                || (!is_greek(word) && word.contains(['g', 'j', 'p', 'q', 'y'])) =>
        {
            format!(r#"<mpadded depth="0">{}</mpadded>"#, ident(word))
        }
        other => one(other),
    }
}

/// Brackets grow only around what is tall.
fn fenced(fence: Fence, inner: &Math) -> String {
    let (open, close) = brackets(fence);
    let stretchy = inner.is_tall();
    let bracket = |sign: &str, form: &str| {
        format!(r#"<mo fence="true" form="{form}" stretchy="{stretchy}">{sign}</mo>"#)
    };
    format!("<mrow>{}{}{}</mrow>", bracket(open, "prefix"), emit(inner), bracket(close, "postfix"))
}

fn table(rows: &[Vec<Math>], left: bool) -> String {
    let (open, align) = match left {
        true => (r#"<mtd class="cr-left">"#, r#" columnalign="left left""#),
        false => ("<mtd>", ""),
    };
    let cell = |cell: &Math| format!("{open}{}</mtd>", emit(cell));
    let row =
        |cells: &Vec<Math>| format!("<mtr>{}</mtr>", cells.iter().map(cell).collect::<String>());
    format!("<mtable{align}>{}</mtable>", rows.iter().map(row).collect::<String>())
}

fn mark(accent: Accent) -> char {
    match accent {
        Accent::Hat => 'ˆ',
        Accent::Bar => '¯',
        Accent::Dot => '˙',
        Accent::Tilde => '˜',
    }
}

/// Text with the signs of HTML made harmless.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
