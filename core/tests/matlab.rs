//! The matlab dialect: what its operators and functions mean, held against the ordinary language.

use chainrule_core::eval::{Array, Point, eval, infer_dims};
use chainrule_core::ir::VarId;
use chainrule_core::{Dialect, Source, compile};
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
    means(
        "sum((x - a*vector(1)).^2) + sum(vector(2)*a - S*x)",
        "sum((x - a)^2) + sum(2*a - S @ x)",
    );
    means("prod(x) + prod(r) + prod(prod(X))", "prod(x) + prod(r) + prod(X)");
    means("sum(sum(ones(n, m) .* X)) + sum(eye(n)*x)", "sum(X) + sum(x)");
    refused("sum(vector(1))", "does not follow");
    refused("sum(vector(1) + 1)", "does not follow");
    refused("sum(a*vector(1) + 1)", "does not follow");
    refused("sum(a*vector(1))", "does not follow");
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

/// What is made up for names that nothing declares, as the warning says it.
fn by_letter(program: &str) -> String {
    let source = Source { dialect: Dialect::Matlab, ..Source::new("program", program) };
    let compiled = compile(&source);
    let found: Vec<String> = compiled.diagnostics.iter().map(|one| one.message.clone()).collect();
    let shapes: Vec<String> = compiled
        .graph
        .vars
        .iter()
        .map(|var| format!("{}:{}", var.name, compiled.graph.show_shape(&var.shape)))
        .collect();
    if compiled.has_errors() { found.join("; ") } else { shapes.join(" ") }
}

#[test]
fn undeclared_names_are_what_their_letter_says() {
    for (program, expected) in [
        ("x'*A*x", "x:[n] A:[n, n]"),
        ("x'*A*x + c*sin(y)'*x", "x:[n] A:[n, n] c:a scalar y:[n]"),
        ("norm2(X*w - y)^2 + a*norm1(w)", "X:[n, m] w:[m] y:[n] a:a scalar"),
        ("sum(log(exp(-y .* (X*w)) + ones(n,1)))", "y:[n] X:[n, m] w:[m]"),
        ("0.5*y'*inv(K + a*eye(n))*y + 0.5*logdet(K + a*eye(n))", "y:[n] K:[n, n] a:a scalar"),
        ("tr(A*X'*B*X)", "A:[n, n] X:[m, n] B:[m, m]"),
        ("det(A*B) + tr(C)", "A:[n, m] B:[m, n] C:[k, k]"),
        ("sum(X.^2)/m + norm2(Y*ones(m,1))", "X:[n, k] Y:[p, m]"),
        ("dim m; z = X*w + ones(n,1); sum(z)/n + m", "X:[n, k] w:[k]"),
        // A longer name may be mistyped, and so may one that is not declared as others are; what is wrong all the same stays so.
        ("dim n; param y: [n, 1]; sum((X*w - y).^2)", "`X` is not declared"),
        ("wieght'*x", "`wieght` is not declared"),
        ("norm2(X*w - y)^2/p", "`X` is not declared"),
        ("norm2(X*w - y)^2/n", "X:[n, m] w:[m] y:[n]"),
    ] {
        let found = by_letter(program);
        assert!(found.starts_with(expected), "{program}: {found}");
    }
}

/// Sizes that the dialect's users leave open follow from what is declared: with numbers, and where the formula divides by them.
#[test]
fn open_sizes_follow_from_the_formula() {
    let declared = "param X: [4, 3], w: [3, 1], y: [4, 1];";
    let open = format!("{declared} sum(log(exp(-y .* (X*w)) + ones(n,1)))/n");
    let written = format!("{declared} sum(log(exp(-y .* (X*w)) + ones(4,1)))/4");
    let at = |text: &str| {
        let source = Source { dialect: Dialect::Matlab, ..Source::new("program", text) };
        let compiled = compile(&source);
        assert!(compiled.diagnostics.is_empty(), "{text}: {:?}", compiled.diagnostics);
        let mut point = Point::default();
        for (at, var) in compiled.graph.vars.iter().enumerate() {
            let shape: Vec<usize> =
                var.shape.iter().filter_map(|dim| dim.as_fixed()).map(|n| n as usize).collect();
            let data = (0..shape.iter().product()).map(|k: usize| (k + at) as f64 / 5.0).collect();
            point.vars.insert(VarId(at as u32), Array { shape, data });
        }
        let roots: Vec<_> = compiled.losses.iter().map(|loss| loss.node).collect();
        eval(&compiled.graph, &point, &roots).expect("it evaluates")[0].data.clone()
    };
    assert_eq!(at(&open), at(&written));
}

/// What divides a sum and is declared nowhere is the number of rows that are summed, in every spelling; what scales a matrix product is
/// the size over which that sums, and what divides a scalar beside a matrix is the number of entries that share it. A warning says so.
#[test]
fn an_undeclared_count_is_a_size() {
    let declared = "param X: [4, 3], w: [3, 1], y: [4, 1], T: [4, 2], W: [3, 2], r: [1, 3];";
    for (open, written) in [
        ("sum((y - maximum(0, X*w)).^2)/n", "sum((y - maximum(0, X*w)).^2)/4"),
        ("0.5*norm2(X*w - y)^2/n + norm1(w)", "0.5*norm2(X*w - y)^2/4 + norm1(w)"),
        ("1/(2*n)*norm2(X*w - y)^2", "1/8*norm2(X*w - y)^2"),
        ("-(1/N)*sum(T .* log(softmax(X*W)))", "-(1/4)*sum(T .* log(softmax(X*W)))"),
        ("-sum(diag(logsoftmax(X*X')))/n", "-sum(diag(logsoftmax(X*X')))/4"),
        (
            "S = X*W; c = sum(T .* S, 2); sum(maximum(0, S - c + 1)) - n",
            "S = X*W; c = sum(T .* S, 2); sum(maximum(0, S - c + 1)) - 4",
        ),
        ("sum(r.^2)/n", "sum(r.^2)/3"),
        ("sum(y .* (softmax(X*r'*r/sqrt(m))*w))", "sum(y .* (softmax(X*r'*r/sqrt(3))*w))"),
        (
            "U = 0.9*T + 0.1/k; -sum(U .* logsoftmax(X*W))",
            "U = 0.9*T + 0.1/2; -sum(U .* logsoftmax(X*W))",
        ),
        ("sum(log(y.^2 + 2/m))", "sum(log(y.^2 + 2/4))"),
    ] {
        let compiled = |text: &str| {
            let text = format!("{declared} {text}");
            compile(&Source { dialect: Dialect::Matlab, ..Source::new("program", text) })
        };
        let (open, written) = (compiled(open), compiled(written));
        let said: Vec<&str> = open.diagnostics.iter().map(|one| one.code.id()).collect();
        assert_eq!(said.iter().filter(|code| **code == "W0505").count(), 1, "{said:?}");
        assert!(!open.has_errors(), "{:?}", open.diagnostics);
        let value = |compiled: &chainrule_core::Compiled| {
            let graph = &compiled.graph;
            let mut point = Point::default();
            for (at, var) in graph.vars.iter().enumerate() {
                let shape: Vec<usize> =
                    var.shape.iter().filter_map(|dim| dim.as_fixed()).map(|n| n as usize).collect();
                let data = (0..shape.iter().product())
                    .map(|k: usize| ((k * 5 + at) % 7) as f64 / 5.0)
                    .collect();
                point.vars.insert(VarId(at as u32), Array { shape, data });
            }
            point.dims = infer_dims(graph, &point.vars).expect("sizes");
            eval(graph, &point, &[compiled.losses[0].node]).expect("it evaluates")[0].data.clone()
        };
        let (found, wanted) = (value(&open), value(&written));
        assert!((found[0] - wanted[0]).abs() <= 1e-12 * wanted[0].abs(), "{found:?} {wanted:?}");
    }
}

/// Where a name could be any of several sizes, or only a number, nothing is made up.
#[test]
fn what_may_be_no_size_stays_undeclared() {
    let declared = "param x: [4, 1], y: [3, 1], s: [4, 1];";
    for text in ["sum((x*y')/m)", "sum(x/m + s)", "sum(s + x/m)", "sum(exp(m*x))", "sum(x + 2*m)"] {
        let source = Source::new("program", format!("{declared} {text}"));
        let compiled = compile(&Source { dialect: Dialect::Matlab, ..source });
        let said: Vec<&str> = compiled.diagnostics.iter().map(|one| one.code.id()).collect();
        assert_eq!(said, ["E0301"], "{text}");
    }
}

#[test]
fn columns_one_below_the_other() {
    means("loss f = sum(vec(X).*vec(X)); grad f wrt x", "loss f = sum(X^2); grad f wrt x");
    means("output f = vec(X)", "output f = flatten(X.T)");
    means(
        "loss f = vec(S)'*kron(S, S)*vec(S); grad f wrt a",
        "loss f = dot(flatten(S.T), kron(S, S) @ flatten(S.T)); grad f wrt a",
    );
}
