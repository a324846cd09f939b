//! Exact texts.

use super::*;

fn show(text: &str, notation: Notation) -> (String, String) {
    let expr = chainrule_grammar::parse_expr(text).unwrap();
    let rank = |name: &str| match name {
        "x" | "w" | "b" | "O" | "t" if notation == Notation::Matrix => Some(1),
        "X" | "W" | "T" | "p" | "H" | "W1" => Some(2),
        "E" | "B" | "N" | "lambda" | "c" => Some(0),
        _ => None,
    };
    let ctx = Context { rank: &rank, notation, lang: phrases::Lang::En };
    (latex(&expr, &ctx), unicode(&expr, &ctx))
}

#[test]
fn names_are_set_as_people_set_them() {
    for (name, expected) in [
        ("W1", "W_{1}"),
        ("W_hh", "W_{hh}"),
        ("alpha", r"\alpha"),
        ("x_hat", r"\hat{x}"),
        ("h_bar_t", r"\bar{h}_{t}"),
        ("x_hat_1", r"\hat{x}_{1}"),
        ("x_dot_y", r"x_{\mathrm{dot},y}"),
        ("z1_bar", r"\bar{z}_{1}"),
        ("delta_z2", r"\delta_{z_{2}}"),
        ("prob", r"\mathrm{prob}"),
        ("mlp.W1", r"W_{1}^{\mathrm{mlp}}"),
        ("loss_main", r"\mathrm{loss}_{\mathrm{main}}"),
        ("σ", r"\sigma"),
        ("__", r"\mathrm{\_\_}"),
    ] {
        assert_eq!(latex::emit(&super::name(name)), expected);
    }
    let letters = |text: &str| text.chars().map(|c| c.to_string()).collect::<Vec<_>>();
    assert_eq!(latex::emit(&indexed_name("W1", &letters("jk"))), "W_{1,jk}");
    assert_eq!(
        latex::emit(&partial("E", &[], "w", &letters("jk"))),
        r"\frac{\partial E}{\partial w_{jk}}"
    );
}

#[test]
fn index_notation() {
    for (text, latex, line) in [
        ("sum[j](x[j] * W[j,k]) + b[k]", r"\sum_{j}\,x_{j}\,W_{jk} + b_{k}", "Σⱼ xⱼ Wⱼₖ + bₖ"),
        (
            "(O[k] - t[k]) * O[k] * (1 - O[k]) * x[j]",
            r"(O_{k} - t_{k})\,O_{k}\,(1 - O_{k})\,x_{j}",
            "(Oₖ − tₖ) Oₖ (1 − Oₖ) xⱼ",
        ),
        (
            "1/2 * sum[i]((O[i] - t[i])^2)",
            r"\frac{1}{2}\,\sum_{i}\,(O_{i} - t_{i})^{2}",
            "½ Σᵢ (Oᵢ − tᵢ)²",
        ),
        ("d(O[i], W[j,k])", r"\frac{\partial O_{i}}{\partial W_{jk}}", "∂Oᵢ/∂Wⱼₖ"),
        ("d(O[i]^2, W[j,k])", r"\frac{\partial }{\partial W_{jk}}(O_{i}^{2})", "∂/∂Wⱼₖ(Oᵢ²)"),
        ("x[i+1] * delta[i,k]", r"x_{i + 1}\,\delta_{ik}", "x_(i + 1) δᵢₖ"),
        ("tensor[j,k](W[j,k])", "W_{jk}", "Wⱼₖ"),
        ("max[j](W[j,k])", r"\max_{j}(W_{jk})", "maxⱼ(Wⱼₖ)"),
        ("sum[n](x[n]) / B", r"\frac{1}{B}\,\sum_{n}\,x_{n}", "1/B Σₙ xₙ"),
        (
            "sum[i](sum[j](W[i,j]) * x[i])",
            r"\sum_{i}\,\left(\sum_{j}\,W_{ij}\right)\,x_{i}",
            "Σᵢ (Σⱼ Wᵢⱼ) xᵢ",
        ),
        ("2 * 3 * x[i]", r"2 \cdot 3x_{i}", "2·3xᵢ"),
        ("-x[i] / 2", r"-\frac{x_{i}}{2}", "−xᵢ/2"),
    ] {
        assert_eq!(show(text, Notation::Index), (latex.to_string(), line.to_string()), "{text}");
    }
}

#[test]
fn matrix_notation() {
    for (text, latex) in [
        ("X.T @ (p - T) / B", r"\frac{1}{B}\,X^{\top}(p - T)"),
        ("(p - T) / B", r"\frac{p - T}{B}"),
        ("((p - T) @ W.T) * H", r"((p - T)W^{\top}) \odot H"),
        ("lambda * sum(W^2)", r"\lambda\,\sum\,W^{2}"),
        ("W1 @ W.T + 1e-4 * W", r"W_{1}W^{\top} + 10^{-4}W"),
        ("p / T", r"p \oslash T"),
        ("outer(x, O - t)", r"x \otimes (O - t)"),
        ("sum(p, axis=0)", r"\operatorname{sum}_{0}(p)"),
        ("ones(N, 2) * c", r"\mathbf{1}_{N \times 2}\,c"),
        ("eye(N)", "I_{N}"),
        ("inv(W).T", r"W^{-\top}"),
        ("sqrt(x)^2 + abs(x)", r"\sqrt{x}^{2} + \left|x\right|"),
        ("sigmoid(x)^2", r"\sigma(x)^{2}"),
        ("(x > 0) * x", r"[x > 0] \odot x"),
        ("where(c, x, 0)", r"\begin{cases} x & \text{if }c \\ 0 & \text{otherwise} \end{cases}"),
        ("x^(1/2)", "x^{1/2}"),
        ("x^2^3", "x^{2^{3}}"),
        ("(x^2)^3", "(x^{2})^{3}"),
        ("exp(1/c)", r"\exp\left(\frac{1}{c}\right)"),
    ] {
        assert_eq!(show(text, Notation::Matrix).0, latex, "{text}");
    }
}

#[test]
fn every_function_has_latex_that_balances() {
    let mut transcript = String::new();
    for (_, _, row) in crate::ops::all() {
        let args = |text: &str| row.params.iter().map(|_| text).collect::<Vec<_>>().join(", ");
        for text in [
            format!("{}({})", row.name, args("a + b")),
            format!("{}({})^2 * x", row.name, args("x")),
        ] {
            let Ok(_) = chainrule_grammar::parse_expr(&text) else { continue };
            let (latex, _) = show(&text, Notation::Matrix);
            let count = |c: char| latex.chars().filter(|other| *other == c).count();
            assert_eq!(count('{'), count('}'), "{text}: {latex}");
            transcript += &format!("{text}\t{latex}\n");
        }
    }
    if let Ok(path) = std::env::var("RENDER_TRANSCRIPT") {
        std::fs::write(path, transcript).unwrap();
    }
}
