//! `derive` in its formats: which one is chosen, for which terminal, in which language.

mod common;

use common::{folder, run};

const LAYER: &str = "dim B, N, M; input x: [B, N]; target t: [B, M]; param W: [N, M], b: [M]; z = x @ W + b; o = sigmoid(z); loss E = 1/2 * sum((o - t)^2);";

#[test]
fn a_file_says_its_format() {
    for (name, begins) in [
        ("out.tex", "Conventions: "),
        ("out.typ", "Conventions: "),
        ("out.md", "Conventions: "),
        ("out.ipynb", "{\n  \"cells\": ["),
        ("out.json", "{\n  \"program\": "),
        ("out.txt", "∂E/∂W, of shape [N, M]\n\n  dE/dW = "),
        ("out.mml", "<p class=\"cr-conventions\">"),
        ("out.unknown", "∂E/∂W, of shape [N, M]\n\n          ⎛"),
    ] {
        let path = folder("formats").join(name);
        let path = path.to_str().expect("UTF-8");
        assert_eq!(run(&["derive", "-e", LAYER, "-o", path]).code, 0, "{name}");
        let text = std::fs::read_to_string(path).expect("a file");
        assert!(text.starts_with(begins), "{name}: {text}");
        // What is asked for comes before what the file is called.
        assert_eq!(run(&["derive", "-e", LAYER, "-o", path, "--format", "typst"]).code, 0);
        assert!(std::fs::read_to_string(path).expect("a file").contains("\n== $∂ E"), "{name}");
    }
}

#[test]
fn a_notebook_has_the_program_and_a_cell_for_each_derivative() {
    let out = run(&["derive", "-e", LAYER, "--format", "ipynb"]).out;
    let book: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let cells = book["cells"].as_array().expect("cells");
    let text = |at: usize| -> String {
        let lines = cells[at]["source"].as_array().expect("lines");
        lines.iter().filter_map(|line| line.as_str()).collect()
    };
    let program = run(&["fmt", "-e", LAYER]).out;
    let code: String = text(0).lines().map(|line| format!("{}\n", &line[4..])).collect();
    assert_eq!(code, program);
    assert!(text(1).starts_with("Conventions: "));
    assert!(text(2).starts_with("## $") && text(3).starts_with("## $"));
    assert_eq!(cells.len(), 4);
    assert_eq!(book["metadata"]["kernelspec"]["name"], "python3");
}

#[test]
fn whole_documents() {
    for (format, begins) in [
        ("latex", "\\documentclass"),
        ("typst", "#set page"),
        ("mathml", "<!DOCTYPE html>\n<html lang=\"en\">"),
    ] {
        let ran = run(&["derive", "-e", LAYER, "--format", format, "--standalone"]);
        assert!(ran.code == 0 && ran.out.starts_with(begins), "{format}: {}", ran.out);
        let fragment = run(&["derive", "-e", LAYER, "--format", format]).out;
        assert!(!fragment.contains(begins), "{format}");
    }
    assert_eq!(run(&["derive", "-e", LAYER, "--format", "json", "--standalone"]).code, 2);
    let page = ["derive", "-e", LAYER, "--format", "latex", "--standalone", "--lang", "zh"];
    assert!(run(&page).out.contains("\\documentclass[a4paper]{ctexart}"));
}

#[test]
fn terminals_are_as_wide_as_they_are_said_to_be() {
    for width in [30, 50, 100] {
        let out = run(&["derive", "-e", LAYER, "--width", &width.to_string()]).out;
        let formulas = out.lines().filter(|line| !line.starts_with("In the language"));
        let widest = formulas.map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= width), "{width}: {widest:?}\n{out}");
    }
    for wrong in ["29", "-1", "wide"] {
        assert_eq!(run(&["derive", "-e", LAYER, "--width", wrong]).code, 2, "{wrong}");
    }
}

#[test]
fn ascii_is_ascii_and_bold_is_for_terminals() {
    let ascii = run(&["derive", "-e", LAYER, "--ascii", "--notation", "index"]).out;
    assert!(ascii.is_ascii() && ascii.contains("dE") && ascii.contains("sum"), "{ascii}");
    let bold = run(&["derive", "-e", LAYER, "--color", "always"]).out;
    assert!(bold.contains("\u{1b}[1mx\u{1b}[22m"), "matrices are bold: {bold}");
    let plain = run(&["derive", "-e", LAYER]).out;
    assert!(!plain.contains('\u{1b}') && !plain.contains(['\u{1}', '\u{2}']));
    let stripped = bold.replace("\u{1b}[1m", "").replace("\u{1b}[22m", "");
    assert_eq!(stripped, plain, "bold letters take no room");
}

#[test]
fn reasons_in_chinese() {
    for format in ["unicode", "text", "latex", "markdown", "mathml", "typst", "json", "ipynb"] {
        let out = run(&["derive", "-e", LAYER, "--format", format, "--lang", "zh"]).out;
        assert!(out.contains("链式法则") && out.contains("的定义"), "{format}: {out}");
        for english in ["chain rule", "definition of", "Conventions", "of shape"] {
            assert!(!out.contains(english), "{format}: {english}");
        }
    }
}
