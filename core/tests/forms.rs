//! Closed forms as a person would write them, and that they are true.

use chainrule_core::check::{check, check_told, random_point};
use chainrule_core::derivation::{Notation, Options, Steps, Told, tell};
use chainrule_core::{Source, compile};

/// What is told of the program's first derivative, which holds.
fn told(program: &str, notation: Notation) -> Told {
    let compiled = compile(&Source::new("test", program));
    assert!(!compiled.has_errors(), "{program}: {:?}", compiled.diagnostics);
    let report = check(&compiled, 3, 2, 1e-6);
    assert!(report.holds(), "{program}: {report:?}");
    let options = Options { notation, steps: Steps::None, ..Options::default() };
    let mut told = tell(&compiled, options).expect("a derivation");
    let point = random_point(&compiled, 5).expect("a point");
    let problems = check_told(&compiled, &told, &point).problems;
    assert!(problems.is_empty(), "{program}: {problems:#?}");
    told.swap_remove(0)
}

#[test]
fn the_error_of_a_binary_cross_entropy() {
    for (program, form) in [
        ("input x:[3], t; param w:[3]; y = sigmoid(dot(x, w)); loss E = bce(y, t);", "(y - t) * x"),
        (
            "dim B, N; input X:[B,N], t:[B]; param w:[N]; y = sigmoid(X @ w); loss E = -sum(t*log(y) + (1 - t)*log(1 - y));",
            "X.T @ (y - t)",
        ),
        ("input y, t; param p; loss E = p * (3*(1 - y)*t - 3*(1 - t)*y);", "3 * (t - y)"),
        // These only look like it.
        ("input y, t; param p; loss E = p * ((1 - t)*y + (1 - y)*t);", "(1 - t) * y + (1 - y) * t"),
        (
            "input y, t, s; param p; loss E = p * ((1 - t)*y - (1 - y)*s);",
            "(1 - t) * y - (1 - y) * s",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

#[test]
fn an_entry_at_a_constant_position() {
    for (program, form) in [
        ("param x:[3]; loss E = x[0]^2;", "tensor[j:3](2 * delta[j,0] * x[0])"),
        ("param x:[3]; loss E = x[-1]^2;", "tensor[j:3](2 * delta[j,2] * x[2])"),
    ] {
        assert_eq!(told(program, Notation::Index).text, form, "{program}");
    }
}

/// `i` of the sum takes 2 values, which nothing within the sum says.
#[test]
fn the_range_of_a_sum_over_a_part() {
    let told = told("param x:[4]; loss E = sum(x[1:3]^2);", Notation::Index);
    assert!(told.text.contains("sum[i:2]"), "{}", told.text);
    assert!(told.latex.contains(r"\sum_{i < 2}"), "{}", told.latex);
}
