//! What users of matrixcalculus.org type, each with the derivative that a textbook gives: the derivative agrees with that
//! formula, which is written in the same dialect, and with finite differences.

use chainrule_core::check::{check, random_point};
use chainrule_core::eval::eval;
use chainrule_core::{Source, compile};

/// A result, the variable, and the derivative.
type Case = (&'static str, &'static str, &'static str);

const DECLARED: &str = "dim n, m, k;
param a: [n, 1], b: [m, 1], v: [m, 1], t: [m, 1], x: [n, 1], y: [m, 1], w: [n, 1], c: [1, 1], p: [n, 1] positive;
param A: [m, n], B: [n, n], C: [n, n], M: [m, n] positive, S: [n, n] spd, T: [m, k], U: [m, n], V: [k, n], W: [n, k], X: [m, n];";

const GRADIENTS: &[Case] = &[
    ("a'*x", "x", "a"),
    ("x'*x", "x", "2*x"),
    ("x'*B*x", "x", "(B + B')*x"),
    ("0.5*x'*B*x - a'*x", "x", "0.5*(B + B')*x - a"),
    ("b'*X*a", "X", "b*a'"),
    ("a'*X'*b", "X", "b*a'"),
    ("b'*X*X'*b", "X", "2*b*b'*X"),
    ("norm2(A*x - b)^2", "x", "2*A'*(A*x - b)"),
    ("norm2(A*x - b)^2", "A", "2*(A*x - b)*x'"),
    ("norm2(A*x - b)", "x", "A'*(A*x - b)/norm2(A*x - b)"),
    ("norm1(x - a)", "x", "sign(x - a)"),
    ("norm2(x)", "x", "x/norm2(x)"),
    ("(x'*B*x)/(x'*x)", "x", "((B + B')*x)/(x'*x) - 2*(x'*B*x)*x/(x'*x)^2"),
    ("(x'*x)^2", "x", "4*(x'*x)*x"),
    ("log(x'*x + 1)", "x", "2*x/(x'*x + 1)"),
    ("sqrt(x'*S*x)", "x", "S*x/sqrt(x'*S*x)"),
    ("exp(-x'*x/2)", "x", "-exp(-x'*x/2)*x"),
    ("c*exp(-norm2(x - a)^2/(2*c^2))", "a", "exp(-norm2(x - a)^2/(2*c^2))*(x - a)/c"),
    ("sin(a'*x)*cos(a'*x)", "x", "cos(2*(a'*x))*a"),
    ("tanh(a'*x + c)", "a", "(1 - tanh(a'*x + c)^2)*x"),
    ("1/(1 + exp(-(w'*x)))", "w", "exp(w'*x)/(1 + exp(w'*x))^2*x"),
    ("log(1 + exp(-c*(a'*x)))", "x", "-c*a/(1 + exp(c*(a'*x)))"),
    ("sum(log(1 + exp(-y .* (X*w))))", "w", "-X'*(y ./ (1 + exp(y .* (X*w))))"),
    ("sum(log(vector(1) + exp(-y .* (X*w))))", "y", "-(X*w) ./ (1 + exp(y .* (X*w)))"),
    (
        "sum(log(1 + exp(-y .* (X*w)))) + c*norm2(w)^2",
        "w",
        "-X'*(y ./ (1 + exp(y .* (X*w)))) + 2*c*w",
    ),
    ("sum(exp(A*x))", "x", "A'*exp(A*x)"),
    ("sum(exp(X*w)) - y'*(X*w)", "w", "X'*(exp(X*w) - y)"),
    ("sum((A*x).^3)", "x", "3*A'*((A*x).^2)"),
    ("sum(abs(A*x - b))", "x", "A'*sign(A*x - b)"),
    ("sum(sqrt((A*x - b).^2 + 1))", "x", "A'*((A*x - b) ./ sqrt((A*x - b).^2 + 1))"),
    ("sum(maximum(0, 1 - y .* (X*w)).^2)", "w", "-2*X'*(y .* maximum(0, 1 - y .* (X*w)))"),
    ("sum(relu(A*x + b))", "b", "relu(sign(A*x + b))"),
    ("sum(log(M*p))", "p", "M'*(1 ./ (M*p))"),
    ("sum(p .* log(p))", "p", "log(p) + 1"),
    ("sum(p .* log(p ./ exp(x)))", "x", "-p"),
    ("sum(x .* a .* w)", "w", "x .* a"),
    ("sum(x.^2 ./ p)", "p", "-x.^2 ./ p.^2"),
    ("sum(arctan(x))", "x", "1 ./ (1 + x.^2)"),
    ("prod(p)", "p", "prod(p) ./ p"),
    ("log(sum(exp(x)))", "x", "exp(x)/sum(exp(x))"),
    ("log(vector(1)'*exp(A*x))", "x", "A'*(exp(A*x)/sum(exp(A*x)))"),
    ("a'*log(exp(x)/sum(exp(x)))", "x", "a - sum(a)*exp(x)/sum(exp(x))"),
    ("a'*softmax(x)", "x", "softmax(x) .* (a - a'*softmax(x))"),
    ("(A*x - b)'*diag(v)*(A*x - b)", "x", "2*A'*(v .* (A*x - b))"),
    ("(A*x - b)'*diag(v)*(A*x - b)", "v", "(A*x - b).^2"),
    ("sum((tanh(A*x + b) - t).^2)", "A", "2*((tanh(A*x + b) - t) .* (1 - tanh(A*x + b).^2))*x'"),
    ("sum((tanh(A*x + b) - t).^2)", "x", "2*A'*((tanh(A*x + b) - t) .* (1 - tanh(A*x + b).^2))"),
    ("v'*tanh(A*x)", "A", "(v .* (1 - tanh(A*x).^2))*x'"),
    ("tr(B)", "B", "eye(n)"),
    ("tr(B*C)", "B", "C'"),
    ("tr(B*C*B)", "B", "B'*C' + C'*B'"),
    ("tr(A*B*U')", "B", "A'*U"),
    ("tr(X'*X)", "X", "2*X"),
    ("tr(X*B*X')", "X", "X*(B + B')"),
    ("tr(X'*X*X'*X)", "X", "4*X*X'*X"),
    ("tr(B^3)", "B", "3*(B^2)'"),
    ("tr(X'*diag(v)*X)", "v", "sum(X .* X, 2)"),
    ("norm2(X)^2", "X", "2*X"),
    ("norm2(X)", "X", "X/norm2(X)"),
    ("norm2(X*W - T)^2", "W", "2*X'*(X*W - T)"),
    ("norm2(X*W - T)^2 + c*norm2(W)^2", "W", "2*X'*(X*W - T) + 2*c*W"),
    ("norm2(T - U*V')^2", "U", "2*(U*V' - T)*V"),
    ("norm2(T - U*V')^2", "V", "2*(V*U' - T')*U"),
    ("norm2(B*C - C*B)^2", "B", "2*((B*C - C*B)*C' - C'*(B*C - C*B))"),
    ("sum(sum(X .* A))", "X", "A"),
    ("sum(sum(exp(X)))", "X", "exp(X)"),
    ("sum(sum(X, 1).^2)", "X", "2*ones(m, 1)*sum(X, 1)"),
    ("sum(sum(X, 2).^2)", "X", "2*sum(X, 2)*ones(1, n)"),
    ("sum(sum(T .* log(softmax(X*W))))", "W", "X'*(T - sum(T, 2) .* softmax(X*W))"),
    ("logdet(S)", "S", "inv(S)'"),
    ("log(det(S))", "S", "inv(S)'"),
    ("det(S)", "S", "det(S)*inv(S)'"),
    ("tr(inv(S))", "S", "-(inv(S)*inv(S))'"),
    ("tr(B*inv(S))", "S", "-(inv(S)*B*inv(S))'"),
    ("x'*inv(S)*a", "S", "-inv(S)'*x*a'*inv(S)'"),
    ("x'*inv(S)*x", "x", "(inv(S) + inv(S)')*x"),
    ("tr(S*B) - logdet(S)", "S", "B' - inv(S)'"),
    ("logdet(S + c^2*eye(n))", "c", "2*c*tr(inv(S + c^2*eye(n)))"),
    ("logdet(S + x*x')", "x", "2*inv(S + x*x')*x"),
    ("0.5*(x - a)'*inv(S)*(x - a) + 0.5*logdet(S)", "a", "-inv(S)*(x - a)"),
];

const JACOBIANS: &[Case] = &[
    ("A*x", "x", "A"),
    ("x'*B", "x", "B'"),
    ("sin(x)", "x", "diag(cos(x))"),
    ("exp(A*x)", "x", "diag(exp(A*x))*A"),
    ("x*(a'*x)", "x", "x*a' + (a'*x)*eye(n)"),
    ("(B*x) .* (C*x)", "x", "diag(B*x)*C + diag(C*x)*B"),
    ("x/norm2(x)", "x", "eye(n)/norm2(x) - x*x'/norm2(x)^3"),
    ("inv(S)*x", "x", "inv(S)"),
    ("1 ./ p", "p", "-diag(1 ./ p.^2)"),
    ("softmax(x)", "x", "diag(softmax(x)) - softmax(x)*softmax(x)'"),
    ("sigmoid(A*x + b)", "b", "diag(sigmoid(A*x + b) .* (1 - sigmoid(A*x + b)))"),
];

const HESSIANS: &[Case] = &[
    ("x'*B*x", "x", "B + B'"),
    ("norm2(A*x - b)^2", "x", "2*A'*A"),
    ("sum(exp(A*x))", "x", "A'*diag(exp(A*x))*A"),
    ("sum(x.^4)", "x", "12*diag(x.^2)"),
    ("(a'*x)^3", "x", "6*(a'*x)*a*a'"),
    ("exp(x'*x)", "x", "exp(x'*x)*(2*eye(n) + 4*x*x')"),
    ("log(sum(exp(x)))", "x", "diag(softmax(x)) - softmax(x)*softmax(x)'"),
    ("sum(log(1 + exp(X*w)))", "w", "X'*diag(sigmoid(X*w) .* (1 - sigmoid(X*w)))*X"),
    ("-sum(log(p))", "p", "diag(1 ./ p.^2)"),
    ("norm2(x)", "x", "eye(n)/norm2(x) - x*x'/norm2(x)^3"),
];

fn holds(kind: &str, (result, by, derivative): &Case) {
    let what = if kind == "jacobian" { "output" } else { "loss" };
    let text = format!(
        "{DECLARED}\n{what} f = {result};\n{kind} f wrt {by};\noutput wanted = {derivative};"
    );
    let source = Source::matlab("case", text);
    let compiled = compile(&source);
    let told: String = compiled.diagnostics.iter().map(|one| one.render(&source)).collect();
    assert!(!compiled.has_errors(), "{result} by {by}\n{told}");
    let wanted = compiled.outputs.last().expect("an output").node;
    for seed in 1..4 {
        let point = random_point(&compiled, seed).expect("a point");
        // Before a Hessian stands the gradient, which nobody asked for.
        let asked = compiled.derivatives.last().expect("a derivative").node;
        let roots = [asked, wanted];
        let [found, wanted]: [_; 2] = eval(&compiled.graph, &point, &roots)
            .expect("it evaluates")
            .try_into()
            .expect("two arrays");
        assert_eq!(found.data.len(), wanted.data.len(), "{result} by {by}: {:?}", found.shape);
        for (a, b) in found.data.iter().zip(&wanted.data) {
            assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{result} by {by}: {a}, not {b}");
        }
    }
    let report = check(&compiled, 1, 1, 1e-5);
    assert!(report.holds(), "{result} by {by}: {report:?}");
}

#[test]
fn gradients() {
    GRADIENTS.iter().for_each(|case| holds("grad", case));
}

#[test]
fn jacobians() {
    JACOBIANS.iter().for_each(|case| holds("jacobian", case));
}

#[test]
fn hessians() {
    HESSIANS.iter().for_each(|case| holds("hessian", case));
}
