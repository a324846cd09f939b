//! Closed forms in which something is gone that a person would take out: matrices beside inverses, deltas at fixed positions, numbers
//! inside of what is linear; and what is said of roots below a fraction line.

use super::told;
use chainrule_core::derivation::{Lang, Notation};
use chainrule_core::render::page;

#[test]
fn inverses_of_products() {
    for (loss, form) in [
        ("det(X@X@X)", "3 * E * inv(X).T"),
        ("det(A@X@B)", "E * inv(X).T"),
        ("logdet(A@X@B)", "inv(X).T"),
        ("logdet(X@X@X)", "3 * inv(X).T"),
        ("det(X.T@A@X)", "2 * E * inv(X).T"),
        ("det(2*X)", "E * inv(X).T"),
        ("det(inv(X))", "-E * inv(X).T"),
        ("logdet(X.T@X)", "2 * inv(X).T"),
    ] {
        let program = format!("dim N = 3; param X:[N,N]; input A:[N,N], B:[N,N]; loss E = {loss};");
        assert_eq!(told(&program, Notation::Matrix).text, form, "{loss}");
    }
}

/// No matrix with fewer columns than rows has an inverse to go with.
#[test]
fn inverses_of_products_of_others() {
    let told = told("param X:[4,2]; loss E = logdet(X.T@X);", Notation::Matrix);
    assert_eq!(told.text, "2 * X @ inv(X.T @ X)");
}

#[test]
fn sums_over_a_fixed_position() {
    for (program, form) in [
        (
            "dim N; param x:[N]; loss E = log_softmax(x)[0];",
            "tensor[j](delta[j,0] - softmax(x)[j])",
        ),
        (
            "dim N; param x:[N]; loss E = log_softmax(x)[-1];",
            "tensor[j](delta[j, N - 1] - softmax(x)[j])",
        ),
        (
            "dim N; param x:[N]; loss E = softmax(x)[0];",
            "tensor[j](softmax(x)[j] * (delta[j,0] - E))",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

#[test]
fn numbers_before_what_moves_entries() {
    for (loss, form) in [
        ("sum(cumsum(x)^2)", "2 * flip(cumsum(flip(cumsum(x))))"),
        ("mean(cumsum(x)^2)", "2 * flip(cumsum(flip(cumsum(x)))) / N"),
        ("sum(flip(x)^2*c)", "2 * flip(c * flip(x))"),
    ] {
        let program = format!("dim N; param x:[N]; input c:[N]; loss E = {loss};");
        assert_eq!(told(&program, Notation::Matrix).text, form, "{loss}");
    }
}

/// What is read whole under another shape has a name, so that the order of its axes is seen.
#[test]
fn heads_of_attention() {
    let told = told(
        "dim T, H, K; input X:[T,H*K]; param Q:[H*K,H*K], W:[H*K,H*K];
        fn heads(Z) = einsum(\"thk->htk\", reshape(Z, [T,H,K]));
        C = reshape(einsum(\"htk->thk\", softmax(heads(X@Q)@heads(X).T)@heads(X)), [T,H*K]);
        loss E = sum((C@W)^2);",
        Notation::Matrix,
    );
    assert_eq!(told.text, "2 * X.T @ reshape(t2, [T, H * K])");
}

#[test]
fn where_roots_have_no_slope() {
    let said = |program: &str| {
        let told = told(program, Notation::Matrix);
        page::page(&[told], Lang::En).conventions.plain()
    };
    for (program, at) in [
        ("dim N; param x:[N]; loss E = 3 + sqrt(sum(x^2));", "where Σ x² is 0"),
        ("param x, y; loss E = 1/sqrt(x^2 + y^2);", "where x² + y² is 0"),
        ("dim N; param x:[N]; input c:[N]; r = norm2(x); loss E = dot(c, x)/r;", "where r is 0"),
        (
            "dim N; param x:[N]; input c:[N]; r = sqrt(sum(x^2)); loss E = dot(c, x)/r;",
            "all entries; where r is 0",
        ),
    ] {
        let said = said(program);
        assert!(said.contains(&format!("{at}, the derivative has no value")), "{said}");
    }
    for program in [
        "dim N; param x:[N]; loss E = sqrt(1 + sum(x^2));",
        "dim N; param x:[N]; loss E = norm2(x);",
        "dim N; param x:[N]; n = sum(x^2); loss E = sum(where(n > 0, x/sqrt(n), x));",
    ] {
        let said = said(program);
        assert!(!said.contains("no value"), "{said}");
    }
}

/// Powers with one base are one power, whatever the exponent, and exponentials over their sum add up to one.
#[test]
fn powers_and_shares() {
    for (program, form) in [
        (
            "dim N; const g = 2; param x:[N]; p = sigmoid(x); loss E = sum(p^g);",
            "g * p^g * (1 - p)",
        ),
        (
            "dim N, K; input X:[N,K]; param a:[K]; loss E = -mean(logsumexp(log_softmax(a) - X, axis=1));",
            "softmax(a) - sum(exp(log_softmax(a) - X - logsumexp(log_softmax(a) - X, axis=1, keepdims=true)), axis=0) / N",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}
