//! The matlab dialect: what its operators and functions mean, held against the ordinary language.

use chainrule_core::eval::{Array, Point, eval, infer_dims};
use chainrule_core::ir::VarId;
use chainrule_core::{Source, compile};
use std::collections::BTreeMap;

const DECLARED: &str =
    "dim n, m; input X: [n, m], S: [n, n]; param x: [n, 1], r: [1, m], a: [1, 1];";
const ORDINARY: &str = "dim n, m; input X: [n, m], S: [n, n]; param x: [n], r: [m], a;";

fn numbers(source: &Source) -> Vec<f64> {
    let compiled = compile(source);
    let found: String = compiled.diagnostics.iter().map(|found| found.render(source)).collect();
    assert!(!compiled.has_errors(), "{found}");
    let sizes: BTreeMap<&str, Vec<usize>> = BTreeMap::from([
        ("X", vec![3, 2]),
        ("S", vec![3, 3]),
        ("x", vec![3]),
        ("r", vec![2]),
        ("a", vec![]),
    ]);
    let mut point = Point::default();
    for (at, var) in compiled.graph.vars.iter().enumerate() {
        let shape = sizes[var.name.as_str()].clone();
        let data = (0..shape.iter().product())
            .map(|k: usize| ((at * 7 + k * 5) % 11) as f64 / 7.0 + 0.3)
            .collect();
        point.vars.insert(VarId(at as u32), Array { shape, data });
    }
    point.dims = infer_dims(&compiled.graph, &point.vars).expect("sizes");
    let roots: Vec<_> = compiled
        .losses
        .iter()
        .map(|loss| loss.node)
        .chain(compiled.derivatives.iter().map(|one| one.node))
        .collect();
    eval(&compiled.graph, &point, &roots)
        .expect("it evaluates")
        .into_iter()
        .flat_map(|array| array.data)
        .collect()
}

#[track_caller]
fn means(matlab: &str, ordinary: &str) {
    let got = numbers(&Source::matlab("matlab", format!("{DECLARED}\n{matlab};")));
    let want = numbers(&Source::new("ordinary", format!("{ORDINARY}\n{ordinary};")));
    assert_eq!(got.len(), want.len(), "{matlab}");
    for (g, w) in got.iter().zip(&want) {
        assert!((g - w).abs() <= 1e-12 * (1.0 + w.abs()), "{matlab}: {got:?} for {want:?}");
    }
}

fn refused(matlab: &str, words: &str) {
    let source = Source::matlab("matlab", format!("{DECLARED}\n{matlab};"));
    let compiled = compile(&source);
    let found: String = compiled.diagnostics.iter().map(|found| found.render(&source)).collect();
    assert!(compiled.has_errors() && found.contains(words), "{matlab}: {found}");
}

#[test]
fn products_and_powers() {
    means("x'*S*x", "x @ S @ x");
    means("sum(2*S*x/a)", "sum(2*(S @ x)/a)");
    means("sum(x*r)", "sum(outer(x, r))");
    means("sum(sum(S^3))", "sum(S @ S @ S)");
    means("sum(S.^3) + a^2", "sum(S^3) + a^2");
    means("sum(S^0) + sum(S^-1)", "sum(eye(n)) + sum(inv(S))");
    means("r*X'*x*a", "a*(r @ (X.T @ x))");
    means("sum(1./x) + sum(2.*x)", "sum(1/x) + sum(2*x)");
    means("-(x'*x)^2", "-(x @ x)^2");
}

#[test]
fn axes_and_positions_count_from_one() {
    means("sum(sum(X, 1).^2)", "sum(sum(X, axis=0)^2)");
    means("sum(sum(X, 2).^2)", "sum(sum(X, axis=1)^2)");
    means("sum(max(X, 2)) + max(max(X))", "sum(max(X, axis=1)) + max(X)");
    means("sum(X - mean(X, 2))", "sum(X - mean(X, axis=1, keepdims=true))");
    means("x[1] + x(3) + X[2, 1]", "x[0] + x[2] + X[1, 0]");
    means("sum(X[2, :]) + sum(x[2:3])", "sum(X[1, :]) + sum(x[1:3])");
    means(
        "sum(softmax(S).^2) + sum(softmax(x).^2)",
        "sum(softmax(S, axis=1)^2) + sum(softmax(x)^2)",
    );
    means("sum(softmax(S, 1).^2)", "sum(softmax(S, axis=0)^2)");
    refused("x[0]", "positions count from 1");
    refused("sum(X, 3)", "the axis is 1");
}

#[test]
fn columns_rows_and_scalars() {
    means("sum(sum((x + r).^2))", "sum((x[:, None] + r[None, :])^2)");
    means("sum((X + r).^2) + sum((X .* x).^2)", "sum((X + r)^2) + sum((X * x[:, None])^2)");
    means("sum(diag(x)*X) + sum(diag(S))", "sum(x[:, None] * X) + trace(S)");
    means("tr(x*x') + tr(x'*x) + det(x'*x)", "3*(x @ x)");
    means("sum(kron(x, r))", "sum(outer(x, r))");
    means("sum(eigvals(S*S') .* x)", "sum(eigvalsh(S @ S.T) * x)");
    means(
        "vector(1)'*x + sum((x - vector(1)).^2) + sum((X*vector(2)).^2)",
        "sum(x) + sum((x - 1)^2) + sum((2*sum(X, axis=1))^2)",
    );
    means("sum(sum(ones(n, m) .* X)) + sum(eye(n)*x)", "sum(X) + sum(x)");
    refused("sum(vector(1))", "does not follow");
    refused("sum(vector(1) + 1)", "does not follow");
    refused("x/x", "`/` divides by a scalar");
    refused("x'*x^2", "x^2 is a matrix product and x is not square");
    refused("x*x", "vector*vector is not defined");
    refused("sum(2^S)", "cannot be an exponent");
    refused("sum(S^0.5)", "whole number");
}

#[test]
fn an_unnamed_result_takes_a_free_name() {
    let compiled = compile(&Source::matlab("matlab", format!("{DECLARED} f = x'*x; f^2;")));
    assert_eq!(compiled.derivatives[0].of.name, "f_1");
}
