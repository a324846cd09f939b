//! Choices and their derivatives, second derivatives, and products with Jacobians: closed forms, and how many lines lead to them.

use super::{all_told, told};
use chainrule_core::derivation::Notation;

/// Choices with one condition are one choice, also where they are added up.
#[test]
fn choices_come_together() {
    for (program, form) in [
        (
            "param x; loss L = where(abs(x) < 1, x^2/2, abs(x) - 1/2);",
            "where(abs(x) < 1, x, sign(x))",
        ),
        (
            "param x:[3]; loss L = sum(where(x > 0, sqrt(x), -x));",
            "where(x > 0, 1 / (2 * sqrt(x)), -1)",
        ),
        (
            "param y; input x:[3]; loss L = sum(where(x > 0, log(y), y));",
            "sum(where(x > 0, 1 / y, 1))",
        ),
        ("param x:[3]; loss L = sum(sqrt(relu(x)));", "where(x > 0, 1 / (2 * sqrt(relu(x))), 0)"),
        // Other conditions, and branches of one side.
        (
            "param x; input c, d; loss L = where(c > 0, x, 0) + where(d > 0, 0, x);",
            "where(d > 0, 0, 1) + where(c > 0, 1, 0)",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// Second derivatives are told in lines, by variables of one number too, and end in a stable spelling.
#[test]
fn second_derivatives_in_lines() {
    for (program, form, lines) in [
        ("param x; loss L = log(1 + exp(x)); hessian L wrt x;", "sigmoid(x) * (1 - sigmoid(x))", 4),
        ("param x; loss L = log(x)/x; hessian L wrt x;", "(2 * log(x) - 3) / x^3", 3),
        (
            "param x:[3]; loss L = log(sum(exp(x))); hessian L wrt x;",
            "diag(softmax(x)) - outer(softmax(x), softmax(x))",
            4,
        ),
    ] {
        let told = all_told(program).pop().expect("a derivation");
        assert_eq!((told.text.as_str(), told.steps.len()), (form, lines), "{program}");
    }
}

/// Products with Jacobians are told as the chain, each line times the direction.
#[test]
fn products_with_jacobians_in_lines() {
    let layer =
        "dim B, N, M; input x:[B,N]; param W:[N,M], b:[M]; z = x@W + b; o = tanh(z); output o;";
    for (by, form) in [("W", "(x @ W_dot) * (1 - o^2)"), ("b", "b_dot * (1 - o^2)")] {
        let told = all_told(&format!("{layer} jvp o wrt {by};")).swap_remove(0);
        assert_eq!((told.text.as_str(), told.steps.len()), (form, 3), "{by}");
        assert!(told.steps[0].note().starts_with("derivative of o along"));
    }
}
