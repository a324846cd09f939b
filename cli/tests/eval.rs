//! `chainrule eval`: JSON in, JSON out, and what is said of points that do not fit.

mod common;

use common::{Ran, run_with};
use serde_json::json;

const PERCEPTRON: &str = "dim B, N, M; input x: [B, N]; target t: [B, M]; param W: [N, M], b: [M]; o = x @ W + b; loss E = 1/2 * sum((o - t)^2);";

fn eval(program: &str, point: &str) -> Ran {
    run_with(&["eval", "-e", program, "--at", "-"], point)
}

#[test]
fn losses_and_gradients() {
    let out =
        eval(PERCEPTRON, r#"{"x": [[1, 2]], "t": [[1]], "W": [[3], [4]], "b": [0.5]}"#).json();
    assert_eq!(
        out,
        json!({
            "loss": {"E": 55.125}, "output": {},
            "grad": {"E": {"W": [[10.5], [21.0]], "b": [10.5]}},
            "jacobian": {}, "hessian": {},
        })
    );
}

#[test]
fn every_kind_in_the_order_of_the_program() {
    let program = "input x: [2]; param w: [2]; o = w * x; loss L = sum(o^2); output o; jacobian o wrt x; hessian L wrt w; hvp L wrt w; jvp o wrt w;";
    let out = eval(program, r#"{"x": [1, 2], "w": [3, 4], "w_dot": [1, -1]}"#).json();
    assert_eq!(out["output"]["o"], json!([3.0, 8.0]));
    assert_eq!(out["grad"]["L"]["w"], json!([6.0, 32.0]));
    assert_eq!(out["jacobian"]["o"]["x"], json!([[3.0, 0.0], [0.0, 4.0]]));
    assert_eq!(out["hessian"]["L"]["w"], json!([[2.0, 0.0], [0.0, 8.0]]));
    assert_eq!(out["hvp"]["L"]["w"], json!([2.0, -8.0]));
    assert_eq!(out["jvp"]["o"]["w"], json!([1.0, -2.0]));
    let keys: Vec<&String> = out.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["loss", "output", "grad", "jacobian", "hessian", "hvp", "jvp"]);
}

#[test]
fn numbers_that_json_cannot_write_are_strings_both_ways() {
    let out = eval("input x: [3]; output y = 2 * x;", r#"{"x": ["NaN", "Infinity", "-Infinity"]}"#)
        .json();
    assert_eq!(out["output"]["y"], json!(["NaN", "Infinity", "-Infinity"]));
}

#[test]
fn numbers_read_back_as_the_same() {
    let (third, tiny) = (1.0 / 3.0, 5e-324);
    let out = eval("input x: [2]; output x;", &json!({"x": [third, tiny]}).to_string()).json();
    assert_eq!(out["output"]["x"][0].as_f64(), Some(third));
    assert_eq!(out["output"]["x"][1].as_f64(), Some(tiny));
}

#[test]
fn nets_declare_their_parameters() {
    let program = "input x: [1, 2]; net f = dense(1); y = f(x); loss L = sum(y);";
    let out = eval(program, r#"{"x": [[1, 2]], "f.W1": [[3], [4]], "f.b1": [5]}"#).json();
    assert_eq!(out["loss"]["L"], json!(16.0));
    assert_eq!(out["grad"]["L"]["f.W1"], json!([[1.0], [2.0]]));
}

#[test]
fn sizes_that_no_array_has_are_given() {
    let program = "dim N; param w; loss L = w * sum(ones(N));";
    let bad = eval(program, r#"{"w": 2}"#);
    assert_eq!(bad.code, 1);
    assert!(bad.err.contains("the size N is not known") && bad.err.contains("dims"), "{}", bad.err);
    assert_eq!(eval(program, r#"{"w": 2, "dims": {"N": 3}}"#).json()["loss"]["L"], json!(6.0));
    for dims in ["3", r#"{"N": 0}"#, r#"{"N": 1.5}"#, r#"{"M": 1}"#] {
        let bad = eval(program, &format!(r#"{{"w": 2, "dims": {dims}}}"#));
        assert_eq!((bad.code, bad.err.contains("E0501")), (1, true), "{dims}: {}", bad.err);
    }
}

#[test]
fn all_that_does_not_fit_is_said_at_once() {
    let ran = eval(PERCEPTRON, r#"{"x": [[1, 2]], "W": [[3], [4], [5]], "b": [[0.5]], "T": 1}"#);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    for part in [
        "error[E0501]: the point has `T`, which the program does not declare",
        "did you mean `t`?",
        "the point has no value for `t`",
        "an array of shape [B, M]",
        "`W` has shape [3, 1], but is declared as [N, M] (N is 2 by `x`)",
        "`b` has shape [1, 1], but is declared as [M]",
    ] {
        assert!(ran.err.contains(part), "{part}:\n{}", ran.err);
    }
}

#[test]
fn bad_points_are_coded_errors() {
    let deep = "[".repeat(100_000);
    let points: Vec<(&str, &str)> = vec![
        ("", "the point is empty"),
        ("[1]", "not a JSON object"),
        (r#"{"x": "#, "not JSON"),
        (r#"{"x": NaN}"#, "not JSON"),
        (r#"{"x": [1, [2]], "i": 0}"#, "uneven: entry [1] is a list"),
        (
            r#"{"x": [[1, 2], [3]], "i": 0}"#,
            "uneven: entry [1] has 1 entry, the ones before it 2 entries",
        ),
        (r#"{"x": [[1], 2], "i": 0}"#, "uneven: entry [1] is a number"),
        (r#"{"x": [], "i": 0}"#, "sizes are at least 1"),
        (r#"{"x": [null], "i": 0}"#, "entry [0] is null, not a number"),
        (r#"{"x": ["nan"], "i": 0}"#, "entry [0] is \"nan\", not a number"),
        (r#"{"x": {"a": 1}, "i": 0}"#, "is an object, not a number"),
        (r#"{"x": [1, 2], "i": 0.5}"#, "`i` is declared as integers, but has the entry 0.5"),
        (r#"{"x": [1, 2], "i": 2}"#, "`i` has the index 2, but picks from 2 rows"),
        (r#"{"x": [1, 2], "i": -1}"#, "`i` has the index -1, but picks from 2 rows"),
        (r#"{"x": [1, 2], "i": "Infinity"}"#, "`i` is declared as integers"),
        (&deep, "nested too deeply"),
        (r#"{"x": [1, 2], "i": 0, "x": [3, 4]}"#, "two values for `x`"),
        (r#"{"x": [1, 2], "i": 0, "\u0069": 1}"#, "two values for `i`"),
        (r#"{"x": [1, 2], "i": 0, "dims": {"N": 2, "N": 3}}"#, "two values for `N`"),
    ];
    for (point, part) in points {
        let ran = eval("dim N; param x: [N]; input i: int; loss L = x[i]^2;", point);
        let short: String = point.chars().take(60).collect();
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{short}");
        assert!(
            ran.err.contains("error[E0501]") && ran.err.contains(part),
            "{short}:\n{}",
            ran.err
        );
    }
}

/// What a step of a scan picks rows by is a sequence of the point.
#[test]
fn indices_of_steps_are_those_of_their_sequences() {
    let program = "input words: int[3]; param E: [2, 2]; fn step(h, word) = h + E[word]; output h = scan(step, zeros(2), words);";
    let ran = eval(program, r#"{"words": [0, 1, 4], "E": [[1, 2], [3, 4]]}"#);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("`words` has the index 4, but picks from 2 rows"), "{}", ran.err);
}

#[test]
fn flags_declare_and_ask() {
    let out = run_with(
        &["eval", "-e", "a*b", "--var=a:N", "--var", "b:N", "--wrt", "b", "--at", "-"],
        r#"{"a": [1, 2], "b": [3, 4]}"#,
    )
    .json();
    assert_eq!(out["output"]["f"], json!([3.0, 8.0]));
    assert_eq!(out["jacobian"], json!({"f": {"b": [[1.0, 0.0], [0.0, 2.0]]}}));
    let out =
        run_with(&["eval", "-e", "x^3", "--var", "x", "--order", "2", "--at", "-"], r#"{"x": 2}"#)
            .json();
    assert_eq!(out["loss"]["f"], json!(8.0));
    assert_eq!(out["grad"]["f"]["x"], json!(12.0));
    assert_eq!(out["hessian"]["f"]["x"], json!(12.0));
    let point = r#"{"x": [[1, 2]], "t": [[1]], "W": [[3], [4]], "b": [0.5]}"#;
    let out = run_with(&["eval", "-e", PERCEPTRON, "--wrt", "x,b", "--at", "-"], point).json();
    assert_eq!(out["grad"], json!({"E": {"x": [[31.5, 42.0]], "b": [10.5]}}));
}

#[test]
fn the_matlab_dialect_is_two_dimensional() {
    let base = ["eval", "--syntax", "matlab", "--at", "-", "-e"];
    let ran = |rest: &[&str], point: &str| run_with(&[&base, rest].concat(), point).json();
    let point = r#"{"A": [[1, 2], [3, 4]], "x": [[1], [-1]], "a": [[2]]}"#;
    let vars = ["--var", "A:n,n", "--var", "x:n,1", "--var", "a:1,1"];
    let out = ran(&[&["a*x'*A*x/n"], vars.as_slice(), &["--order", "2"]].concat(), point);
    assert_eq!(out["loss"]["f"], json!(0.0));
    assert_eq!(out["grad"]["f"]["x"], json!([[-3.0], [-3.0]]));
    assert_eq!(out["grad"]["f"]["a"], json!([[0.0]]));
    assert_eq!(out["grad"]["f"]["A"], json!([[1.0, -1.0], [-1.0, 1.0]]));
    assert_eq!(out["hessian"]["f"]["x"], json!([[2.0, 5.0], [5.0, 8.0]]));
    let out = ran(&[&["f = A*x; f .* x"], vars.as_slice(), &["--wrt", "x"]].concat(), point);
    assert_eq!(out["jacobian"]["f_1"]["x"], json!([[0.0, 2.0], [-3.0, -5.0]]));
}
