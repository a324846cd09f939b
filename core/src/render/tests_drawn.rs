//! Exact drawings, and the traps of each format.

use super::boxes::{Pen, columns, styled};
use super::*;

fn math(text: &str) -> Math {
    let expr = chainrule_grammar::parse_expr(text).unwrap();
    let rank = |name: &str| match name {
        "X" | "W" | "W1" | "prob" => Some(2),
        "x" | "y" | "x_hat" => Some(1),
        _ => None,
    };
    let ctx = Context { rank: &rank, notation: Notation::Matrix, lang: phrases::Lang::En };
    layout(&expr, &ctx)
}

fn index(text: &str) -> Math {
    let expr = chainrule_grammar::parse_expr(text).unwrap();
    let unknown = |_: &str| None;
    layout(&expr, &Context { rank: &unknown, notation: Notation::Index, lang: phrases::Lang::En })
}

fn drawn(math: &Math, ascii: bool) -> String {
    let grid = Pen { ascii, columns }.draw(math);
    let lines: Vec<String> = grid.lines.iter().map(|line| styled(line, false)).collect();
    for line in &lines {
        assert_eq!(columns(line), grid.width, "all lines are equally wide: {lines:?}");
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[test]
fn drawings() {
    for (math, expected) in [
        (index("1/2 * sum[i]((O[i] - t[i])^2)"), " 1\n─── ∑ (Oᵢ − tᵢ)²\n 2  i"),
        (index("d(E, w[j,k])"), "  ∂E\n──────\n ∂wⱼₖ"),
        // All of a subscript is small, or none of it.
        (index("W1[j,k] + b[q]"), "W     + b\n 1,jk    q"),
        (index("(a / b)^2"), "⎛ a ⎞²\n⎜───⎟\n⎝ b ⎠"),
        // Brackets do not grow for a script that hangs below.
        (index("f(W1[j,k])"), "f(W    )\n   1,jk"),
        (math("X[:,0]^2"), "    2\nX\n :,0"),
        (
            Math::Matrix(vec![vec![math("1"), math("2")], vec![math("x_hat"), math("4")]]),
            "⎡1  2⎤\n⎣x̂  4⎦",
        ),
        (math("where(c, x, 0)"), "⎧ x  if c\n⎨\n⎩ 0  otherwise"),
        (math("sqrt(x + 1)"), "√(x + 1)"),
        (math("norm2(x)"), "‖x‖₂"),
        (math("log_softmax(x)"), "log softmax(x)"),
        (math("-x + 1"), "−x + 1"),
        (index("max(a, b[0,j])"), "max(a, b₀ⱼ)"),
        (Math::Boxed(Box::new(math("x"))), "┌───┐\n│ x │\n└───┘"),
        (Math::Matrix(vec![vec![Math::Text("链".into())], vec![math("x")]]), "⎡链⎤\n⎣x ⎦"),
    ] {
        assert_eq!(drawn(&math, false), expected, "{math:?}");
    }
}

#[test]
fn drawings_in_ascii() {
    for (math, expected) in [
        (index("sum[i](alpha[i] * W[i,j]^2)"), "sum alpha_i W_ij^2\n i"),
        (index("(a / b)^2"), "/ a \\2\n|---|\n\\ b /"),
        (math("X.T @ (x <= 1)"), "X^T[x <= 1]"),
        (math("x_hat"), "x_hat"),
    ] {
        assert_eq!(drawn(&math, true), expected, "{math:?}");
    }
    assert_eq!(
        unicode::ascii("∂Oᵢ/∂wⱼₖ = −½ x² ⊙ σ(x̂) ≠ ∞"),
        "dO_i/dw_jk = -1/2 x^2 .* sigma(x_hat) != inf"
    );
}

#[test]
fn mathml_of_what_browsers_draw_badly() {
    for (math, part) in [
        // Firefox draws a bare ⊙ large.
        (math("X * W"), r#"<mo largeop="false" movablelimits="false">⊙</mo>"#),
        // Descenders push subscripts down.
        (index("y[k]"), r#"<msub><mpadded depth="0"><mi>y</mi></mpadded><mi>k</mi></msub>"#),
        // Brackets grow around what is tall only.
        (index("(a / b)^2"), r#"<mo fence="true" form="prefix" stretchy="true">(</mo>"#),
        (index("(a - b)^2"), r#"<mo fence="true" form="prefix" stretchy="false">(</mo>"#),
        (index("-a"), r#"<mo form="prefix">−</mo>"#),
        (math("W1"), r#"<mrow data-name="W1"><msub><mi>W</mi><mn>1</mn></msub></mrow>"#),
        (index("x_hat"), r#"<mover accent="true"><mi>x</mi><mo stretchy="false">ˆ</mo></mover>"#),
        (index("max[j](a[j])"), "<munder><mi>max</mi><mi>j</mi></munder>"),
        (math("X < W"), "<mo>&lt;</mo>"),
        (Math::Text("<b>&".into()), "<mtext>&lt;b&gt;&amp;</mtext>"),
    ] {
        let text = mathml::emit(&math);
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn typst_takes_no_two_pieces_for_one() {
    for (math, expected) in [
        // `S_n(1 - S_n)` would put the bracket into the subscript.
        (index("S[n] * (1 - S[n])"), "S_(n) thin (1 - S_(n))"),
        (index("W1[j,k]"), "W_(1 \\, j k)"),
        (index("a / (b + 1)"), "frac(a, b + 1)"),
        (math("prob"), "\"prob\""),
        (math("softmax(x)"), "op(\"softmax\") (x)"),
        (math("where(c, x, 0)"), "cases(x & quad \"if \" c, 0 & quad \"otherwise\")"),
        (math("x_hat"), "hat(x)"),
        (math("x^(1/2)"), "x^(1 \\/ 2)"),
        (Math::Text(r#"a"b"#.into()), r#""a\"b""#),
    ] {
        assert_eq!(typst::emit(&math), expected, "{math:?}");
    }
}

#[test]
fn wide_formulas_are_broken_where_they_have_fewest_brackets() {
    let sum = |name: &str| {
        (0..9).map(|at| format!("{name}{at} * cost{at}")).collect::<Vec<_>>().join(" + ")
    };
    let (long, other) = (sum("weight"), sum("rate"));
    for (text, starts) in [
        (
            format!("({long}) / ({other}) + a * c"),
            "y = (weight₀|+ weight₅ co|/(rate₀ cost|+ rate₆ cost|+ a c",
        ),
        (
            format!("(({long}) / ({other}) + z) * c"),
            "y = ((weight|+ weight₅ co|/(rate₀ cost|+ rate₆ cost|+ z)|·c",
        ),
        (format!("a / ({long}) * c"), "y = [a|/(weight₀ co|+ weight₅ co|·c"),
        (format!("tanh(({long}) * a)^2"), "y = tanh((we|+ weight₅ co|·a)²"),
        (format!("f({long}, b + c, x * y)"), "y = f(weight|+ weight₅ co|b + c, x y)"),
    ] {
        let line = math::Line::new(Math::Ident("y".into()), index(&text));
        let text = document_terminal::drawing(&[line]);
        assert!(text.lines().all(|line| columns(line) <= 100), "{text}");
        let start = |line: &str| line.trim_start().chars().take(12).collect::<String>();
        let lines = text.lines().filter(|line| !line.is_empty()).map(start);
        assert_eq!(lines.collect::<Vec<_>>().join("|"), starts, "{text}");
    }
}
