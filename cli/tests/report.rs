//! The report of `derive --format html`: one page that needs nothing else.

mod common;

use common::run;

const LAYER: &str = "/// A layer.\ndim B, N, M; input x: [B, N]; target t: [B, M]; param W: [N, M], b: [M]; z = x @ W + b; o = sigmoid(z); loss E = 1/2 * sum((o - t)^2);";

fn report(program: &str, more: &[&str]) -> String {
    let args = [&["derive", "-e", program, "--format", "html"], more].concat();
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

#[test]
fn it_has_all_parts() {
    let page = report(LAYER, &[]);
    for part in [
        "<title>A layer</title>",
        "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';",
        "prefers-color-scheme:dark",
        "@media print",
        "data:font/woff2;base64,d09GMg",
        "<title>∂oₙₖ/∂zₙₖ = oₙₖ (1 − oₙₖ)</title>",
        "<a href=\"#d0\">",
        "<article id=\"d0\"",
        "✓ holds",
        "<details><summary>Rust</summary>",
        "pub struct Params",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let zh = report(LAYER, &["--lang", "zh"]);
    for part in ["<html lang=\"zh-CN\">", "计算图", "数值梯度检验", "链式法则", "✓ 成立"]
    {
        assert!(zh.contains(part), "{part}");
    }
}

#[test]
fn names_in_formulas_and_boxes_of_the_graph_light_up_together() {
    let page = report(LAYER, &["--style", "staged"]);
    for name in ["x", "W", "b", "z", "o", "E"] {
        let tagged = page.matches(&format!("data-name=\"{name}\"")).count();
        assert!(
            tagged >= 3,
            "{name} is in the graph, in formulas and in the style sheet: {tagged}"
        );
    }
    let rule = ":root:has(:is([data-name=\"z\"],[data-name=\"delta_z\"]):hover)";
    assert!(page.contains(rule), "the error term lights up its quantity");
}

#[test]
fn its_numbers_are_those_of_the_check() {
    let page = report(LAYER, &[]);
    let check = run(&["check", "-e", LAYER]);
    let number = |line: &str| {
        line.split_whitespace()
            .find(|word| word.contains('.') && word.len() > 9)
            .map(str::to_string)
    };
    let numbers: Vec<String> = check.out.lines().filter_map(number).collect();
    assert_eq!(numbers.len(), 2, "{}", check.out);
    for number in numbers {
        assert!(page.contains(&number), "{number} is in the report\n{}", check.out);
    }
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let evil = "</title></style></pre><script>alert(1)</script><img src=//evil.example/x>\"'";
    let program = format!("/// {evil}\nparam w; // {evil}\nloss E = w^2 + w;");
    let page = report(&program, &[]);
    assert!(page.contains("&lt;script&gt;alert(1)"), "the text itself is shown");
    for word in
        ["<script", "<img", "<link", "<iframe", "url(http", "url(//", "@import", "src=\"", " on"]
    {
        let found = page.match_indices(word).filter(|(at, _)| {
            word != " on" || {
                page[at + 3..].chars().take_while(char::is_ascii_alphabetic).count() > 2
                    && page[at + 3..]
                        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                        .starts_with('=')
            }
        });
        assert_eq!(found.count(), 0, "{word}");
    }
    // Links lead to places of the page itself, and the one address is SVG's name.
    assert_eq!(page.matches("href=\"").count(), page.matches("href=\"#d").count());
    assert_eq!(
        page.matches("http").count(),
        2 + usize::from(page.contains("https")),
        "http-equiv, xmlns"
    );
}

#[test]
fn the_largest_of_the_gallery_are_small() {
    for name in ["two_inputs_two_losses", "gmm", "lstm"] {
        let file = format!("{}/../examples/{name}.grad", env!("CARGO_MANIFEST_DIR"));
        let ran = run(&["derive", &file, "--format", "html"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.len() < 400 << 10, "{name}: {} bytes", ran.out.len());
        // What is left out of generated code is said.
        let code =
            ran.out.rfind("<pre class=\"code\">").map(|at| &ran.out[at..]).unwrap_or_default();
        let whole = code.contains("}\n</pre>");
        assert_eq!(whole, !code.contains("further lines"), "{name}");
    }
}
