//! The judge itself: points satisfy the declared facts, right programs hold, and wrong derivatives and lines are found.

use chainrule_core::check::{ToldReport, check, check_told, curve, random_point};
use chainrule_core::derivation::{Notation, Options, Style, tell};
use chainrule_core::eval::Array;
use chainrule_core::ir::Num;
use chainrule_core::{Compiled, Source, compile};

/// Programs of many kinds.
const PROGRAMS: &[&str] = &[
    "dim N; input x:[1,N]; target t; param w:[N,1]; o = sigmoid(x @ w); loss E = 1/2 * sum((o - t)^2);",
    "dim B,N,M; input x:[B,N]; target t:[B,M]; param W:[N,M], b:[M]; O = sigmoid(x@W+b); loss E = 1/2*sum((O-t)^2);",
    "dim B,N,M; input x:[B,N]; target t:[B,M] one_hot; param W:[N,M], b:[M]; p = softmax(x@W+b); loss E = cross_entropy(p, t);",
    "dim B; input x:[B,4]; target t:[B,3]; net f = dense(5) |> tanh |> dense(4) |> relu |> dense(3) |> softmax; p = f(x); loss L = cross_entropy(p, t);",
    "input x; param w, b; z = w*x + b; loss E = (sigmoid(z) - 1)^2; hessian E wrt w; hvp E wrt w;",
    "dim N; input q:[N] simplex; param p:[N] simplex; loss E = sum(p*log(p/q)); grad E wrt p, q;",
    "dim N; param S:[N,N] spd; input y:[N]; loss E = logdet(S) + y@inv(S)@y; hessian E wrt y;",
    "dim N; param Q:[N,N] orthogonal, D:[N,N] diagonal, L:[N,N] triangular, u:[N] unit; loss E = sum((Q@D@Q.T@L@u)^2);",
    "dim N; input x:[2*N+1]; param w:[N]; y[i] = sum[k](w[k]*x[i+k]); loss E = sum(y^2);",
    "dim N,M; input x:[N]; param W:[N,M]; o = tanh(x@W); output o; jvp o wrt W; jacobian o wrt x; hvp L wrt W; loss L = sum(o^3);",
    "param x:[3]; loss E = sum(acosh(x));",
    "input idx: int[5]; target t:[5,3]; param E:[7,4], W:[4,3]; loss L = cross_entropy(softmax(E[idx] @ W), t);",
    "dim N; input x:[N]; param w:[N]; x*w",
    // By a named quantity, which is a stage itself.
    "input x:[3]; param W:[3,2]; z = x@W; o = sigmoid(z); loss E = sum(o^2); grad E wrt z, o, W;",
    // The loss has a named quantity both inside of another stage and beside it.
    "input x:[4]; param W:[4,3], v:[3]; f = sum(tanh(x@W)*v); loss L = f + sum(d(f, x)^2);",
    // What is picked has a name, what it is picked from has none.
    "param A:[3,3], x:[3]; y = max(A@(x/3)); m[i] = min[j](A[i,j]*0.1); loss L = y^2 + y*m[2];",
    // Parts of axes.
    "param x:[6], W:[6,5]; loss L = sum(tanh(x@W)[1:4]^2) + tanh(x@W)[0]^2*softmax(x)[2];",
    "param W:[6,5], u:[5]; fn s(h, a) = sin(h*0.3 + a); loss L = prod(1 + 0.1*(scan(s, u, outer(sigmoid(W@u), u))[1])) + prod(1 + 0.1*pad(sigmoid(W@u)[4:5], [1, 2])); hessian L wrt u;",
    "param x:[6], u:[5]; fn s(h, a) = sin(h*0.3 + a); loss L = sin(x[0])*sum(scan(s, u, outer(softmax(x), u))[1]);",
    "input x:[3]; param h:[3], W:[3,3], U:[3,3]; z = sigmoid(W@x + U@h); c = tanh(U@(z*h)); y = (1 - z)*h + z*c; loss L = sum(y^2);",
    // Products with Hessians, in steps.
    "dim B, N; input X: [B, N], t: [B]; param w: [N], b; loss L = mean((sigmoid(X @ w + b) - t)^2) + norm2(w); hvp L wrt w, b;",
    "param x: [4]; input A: [4, 4]; loss L = log(1 + (x @ A @ x)^2); hvp L wrt x;",
    // A part that got its name after the first derivative was told.
    "dim B, N; input X: [B, N], t: [B]; param w: [N], b, v: [N]; loss L = sum(sin(where(t > 0, X @ w, b * (X @ w))) * b) + 0.1*b*dot(w, v);",
    MASKED,
    // Products with Jacobians, in steps.
    "input x:[3]; param W:[3,2], V:[2,3]; p = softmax(sigmoid(x@W)@V); output p; jvp p wrt W, V, x;",
    "param x:[3], X:[3,3]; input idx:int[3]; y = exp(x)[idx][idx]; z = exp(X)[idx][1:3,0]; output y; output z; jvp y wrt x; jvp z wrt X;",
    "param x:[3], u:[5]; fn s(h, a) = sin(h*0.3 + a); o = scan(s, u, outer(x, u))[2]; output o; jvp o wrt x;",
    // The matrix is symmetric on paper, and not to the last digit.
    "param x:[3], b; z = max(outer(b*x, x), axis=0); loss L = sum(z^2); output z; jvp z wrt x; jacobian z wrt x;",
    // What is undefined in the branch that is not taken, on a diagonal and beside a slope of 0.
    "dim N; param x:[N]; y = where(x > 0, sqrt(x), 0); output y; jacobian y wrt x; loss E = sum(y); hessian E wrt x;",
    "dim N; param x:[N], A:[N,N]; loss E = sum(sqrt(relu(A@x)) + where(x > 0, log(x), x)^2);",
    // Steps that have a scan of their own, that pick rows of the state, or rows by what they are given: carried back step by step.
    "dim N, T; input x: [T, N], c0; param a, b; fn inner(s, e) = s*b + e; fn step(c, xt) = tanh(a*c + scan(inner, 0, xt)[-1]); h = scan(step, c0, x); loss E = sum(h^2); output h; grad E wrt a, b, x, c0; hessian E wrt b; hvp E wrt b, x; jacobian h wrt b; jvp h wrt b;",
    "dim T; input words: int[T]; param E: [5, 2], W: [2, 2]; fn step(h, word) = tanh(W @ h + E[word]); h = scan(step, zeros(2), words); loss L = sum(h^2); hvp L wrt E, W; grad L wrt E, W;",
    "dim T; input places: int[T, 4]; param W: [4, 4]; fn step(h, at) = tanh(W @ h[at]); h = scan(step, ones(4), places); loss L = sum(h^2); grad L wrt W; output h; jacobian h wrt W; hvp L wrt W;",
    "param x:[3], b; M = b*outer(x, x); z = min(M, axis=0); loss L = sum(z^2*x);",
];

/// A quantity that is masked by a large number, beside which differences have no digits.
const MASKED: &str = "dim N = 3; param X: [2*N, 2]; Z = X / sqrt(sum(X^2, axis=1, keepdims=true)); S = Z @ Z.T / 0.5 - 1e9 * eye(2*N);
    P = log_softmax(S); loss L = -(sum[i:N](P[i,i+N]) + sum[i:N](P[i+N,i])) / (2*N);";

fn compiled(program: &str) -> Compiled {
    let source = Source::new("program", program);
    let compiled = compile(&source);
    let errors: String = compiled
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .map(|one| one.render(&source))
        .collect();
    assert!(errors.is_empty(), "{errors}");
    compiled
}

fn told(compiled: &Compiled, style: Style) -> ToldReport {
    let mut report = ToldReport::default();
    let point = random_point(compiled, 7).expect("a point");
    for notation in [Notation::Matrix, Notation::Index] {
        let told = tell(compiled, Options { notation, style, ..Options::default() })
            .expect("a derivation");
        report.add(check_told(compiled, &told, &point));
    }
    report
}

#[test]
fn derivatives_hold() {
    for program in PROGRAMS {
        let report = check(&compiled(program), 1, 2, 1e-6);
        assert!(report.holds(), "{program}: {report:?}");
        assert!(report.rows.iter().all(|row| row.worst.is_some()), "{program}: {report:?}");
    }
}

#[test]
fn formulas_and_lines_hold() {
    for program in PROGRAMS {
        for style in [Style::Chain, Style::Staged] {
            let report = told(&compiled(program), style);
            assert!(report.problems.is_empty(), "{program}: {:#?}", report.problems);
            assert!(report.formulas > 0 && report.lines >= report.formulas, "{program}");
        }
    }
}

#[test]
fn a_wrong_derivative_is_found() {
    for program in PROGRAMS {
        let mut compiled = compiled(program);
        let last = compiled.derivatives.len() - 1;
        let node = compiled.derivatives[last].node;
        compiled.derivatives[last].node = compiled.graph.scale(Num::int(2), node);
        let report = check(&compiled, 1, 2, 1e-6);
        assert!(!report.rows[last].holds, "{program}: {report:?}");
        assert!(report.rows[..last].iter().all(|row| row.holds), "{program}: {report:?}");
    }
}

#[test]
fn a_wrong_line_is_found() {
    let compiled = compiled(PROGRAMS[1]);
    let point = random_point(&compiled, 3).expect("a point");
    let told = tell(&compiled, Options::default()).expect("a derivation");
    let mut wrong = told.clone();
    wrong[0].text = format!("2 * ({})", wrong[0].text);
    wrong[1].steps[1].text = "x @ undeclared".to_string();
    wrong[1].steps[2].text = format!("{} + 1", told[1].steps[2].text);
    let report = check_told(&compiled, &wrong, &point);
    assert_eq!(report.problems.len(), 3, "{:#?}", report.problems);
}

#[test]
fn a_wrong_line_is_found_beside_a_mask() {
    let compiled = compiled(MASKED);
    let point = random_point(&compiled, 3).expect("a point");
    let told = tell(&compiled, Options::default()).expect("a derivation");
    for at in 0..told[0].steps.len() {
        let mut wrong = told.clone();
        wrong[0].steps[at].text = format!("1.0001 * ({})", told[0].steps[at].text);
        let report = check_told(&compiled, &wrong, &point);
        assert!(!report.problems.is_empty(), "{}", told[0].steps[at].text);
    }
}

/// Programs of which the spelling loses its digits at some points.
const CANCELLING: &[&str] = &[
    "dim B; param x: [B]; loss E = sum(log(1 - sigmoid(20*x)));",
    "dim B; param x: [B]; loss E = sum(log(1 - tanh(9*x)^2));",
    "dim B = 4, N = 20; input x: [B, N]; target t: [B]; param w: [N]; loss E = bce(sigmoid(4*(x @ w)), t);",
    "dim B; param x: [B]; y = log(1 - sigmoid(20*x)); output y; jacobian y wrt x; jvp y wrt x;",
];

#[test]
fn a_spelling_that_cancels_is_no_wrong_derivative() {
    for program in CANCELLING {
        let compiled = compiled(program);
        let report = check(&compiled, 0, 10, 1e-6);
        assert!(report.holds(), "{program}: {report:?}");
        assert!(report.rows.iter().any(|row| row.respelt > 0), "{program}: {report:?}");
    }
}

#[test]
fn a_wrong_derivative_is_found_where_the_spelling_cancels() {
    for program in CANCELLING {
        for factor in ["1.00001", "0.9999", "2"] {
            let mut compiled = compiled(program);
            let node = compiled.derivatives[0].node;
            let factor = Num::parse(factor).expect("a number");
            compiled.derivatives[0].node = compiled.graph.scale(factor, node);
            let report = check(&compiled, 0, 10, 1e-6);
            assert!(!report.rows[0].holds, "{program}: {report:?}");
        }
    }
}

/// Steps beside a pole land behind it, and digits that are lost in a line are lost to its differences.
#[test]
fn lines_beside_poles_hold() {
    let pole = "dim N = 40; param x: [N], y: [N]; loss E = sum(x/y);";
    for program in CANCELLING.iter().chain(&[pole]) {
        let compiled = compiled(program);
        let told = tell(&compiled, Options::default()).expect("a derivation");
        let mut by_rules = 0;
        for seed in 0..10 {
            let point = random_point(&compiled, seed).expect("a point");
            let report = check_told(&compiled, &told, &point);
            assert!(report.problems.is_empty(), "{program}: {:#?}", report.problems);
            by_rules += report.by_rules;
            let mut wrong = told.clone();
            let last = wrong.len() - 1;
            let line = &mut wrong[last].steps[0].text;
            *line = format!("1.0001 * ({line})");
            let report = check_told(&compiled, &wrong, &point);
            assert!(!report.problems.is_empty(), "{program}, seed {seed}");
        }
        assert!(by_rules > 0, "{program}");
    }
}

#[test]
fn points_satisfy_the_facts() {
    let compiled = compiled(
        "dim N, B; input a:[B,N] one_hot, b:[B,N] simplex, c:[N,N] symmetric, d:[N,N] spd, e:[N,N] orthogonal, \
         f:[N,N] diagonal, g:[N,N] triangular, h:[B,N] unit, p:[B] positive, i: int[B]; param w:[9,N]; \
         loss L = sum(w[i]) + sum(a@c@d@e@f@g) + sum(b) + sum(h) + sum(p);",
    );
    for seed in 0..20 {
        let point = random_point(&compiled, seed).expect("a point");
        let var = |name: &str| -> &Array {
            let (_, array) = point
                .vars
                .iter()
                .find(|(id, _)| compiled.graph.var(**id).name == name)
                .expect("declared");
            array
        };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let n = var("c").shape[0];
        assert!(n != var("p").shape[0], "sizes are different");
        let rows = |name: &str, size: fn(&[f64]) -> f64| {
            var(name).data.chunks(n).all(|row| near(size(row), 1.0))
        };
        assert!(
            rows("a", |row| row.iter().sum())
                && var("a").data.iter().all(|x| *x == 0.0 || *x == 1.0)
        );
        assert!(rows("b", |row| row.iter().sum()) && var("b").data.iter().all(|x| *x > 0.0));
        assert!(rows("h", |row| row.iter().map(|x| x * x).sum()));
        assert!(var("p").data.iter().all(|x| *x > 0.0));
        assert!(var("i").data.iter().all(|x| x.fract() == 0.0 && (0.0..9.0).contains(x)));
        for i in 0..n {
            for j in 0..n {
                let at = |name: &str, i: usize, j: usize| var(name).at(&[i, j]);
                assert!(near(at("c", i, j), at("c", j, i)) && near(at("d", i, j), at("d", j, i)));
                let product: f64 = (0..n).map(|k| at("e", i, k) * at("e", j, k)).sum();
                assert!(near(product, if i == j { 1.0 } else { 0.0 }));
                assert!(i == j || at("f", i, j) == 0.0);
                assert!(j <= i || at("g", i, j) == 0.0);
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_point() {
    let compiled = compiled(PROGRAMS[1]);
    assert_eq!(random_point(&compiled, 5), random_point(&compiled, 5));
    assert_ne!(random_point(&compiled, 5), random_point(&compiled, 6));
}

#[test]
fn no_point_is_said() {
    let report = check(&compiled("param x:[3]; loss E = sum(log(-x^2));"), 0, 1, 1e-6);
    assert!(report.rows.iter().all(|row| !row.holds && row.problem.is_some()), "{report:?}");
    assert!(report.problem.is_some_and(|why| why.contains("not finite")));
}

/// The curve of errors holds constant what the derivative does.
#[test]
fn the_curve_of_a_held_quantity_falls() {
    let compiled = compiled("param x:[3]; loss E = sum(sin(x) * stop_gradient(exp(x)));");
    let curve = curve(&compiled, &compiled.derivatives[0], 2).expect("a curve");
    let order = curve.order().expect("a slope");
    assert!((order - 2.0).abs() < 0.2, "{order}: {curve:?}");
}

/// Jacobians of a solution by its right side, a vector, and by its matrix: formulas of many vectors at once are not the language's.
#[test]
fn jacobians_of_solutions_hold() {
    for (program, closed) in [
        (
            "input A: [3, 3]; param b: [3]; output o = solve(A, b); jacobian o wrt b;",
            "solve(A.T, eye(3)).T",
        ),
        ("param A: [3, 3]; input b: [3]; output o = solve(A, b); jacobian o wrt A;", ""),
        (
            "input S: [3, 3] spd, m: [3]; param x: [3]; loss E = (x - m) @ solve(S, x - m); hessian E wrt x;",
            "",
        ),
        (
            "param A: [3, 3], b: [3]; loss E = b @ solve(A, b); hessian E wrt b; hessian E wrt A;",
            "",
        ),
        (
            "param z: [2]; input S: [2, 2]; loss E = z @ solve(S * (z @ z) + eye(2), z); hessian E wrt z;",
            "",
        ),
    ] {
        let compiled = compiled(program);
        let report = check(&compiled, 1, 2, 1e-6);
        assert!(report.holds(), "{program}: {report:?}");
        let read = told(&compiled, Style::Auto);
        assert!(read.problems.is_empty(), "{program}: {:#?}", read.problems);
        let printed = tell(&compiled, Options::default()).expect("a derivation");
        assert!(closed.is_empty() || printed[0].text == closed, "{program}: {}", printed[0].text);
    }
}

/// What only lines mention is listed with the derivation that has them.
#[test]
fn parts_that_lines_mention_are_listed() {
    for program in [
        "param x: [3], y; loss L = max(exp(x)) + y^2;",
        "param w: [2]; loss L = ((1.5 + tanh(w*w))^(sigmoid(w @ outer(w, w))))[-1]; hessian L wrt w;",
    ] {
        let report = told(&compiled(program), Style::Auto);
        assert!(report.problems.is_empty(), "{program}: {:#?}", report.problems);
    }
}

/// What is singular by its sizes alone is not checked there.
#[test]
fn sizes_at_which_a_matrix_is_singular() {
    for program in [
        "dim M, N; param X: [M,N]; loss L = logdet(X.T @ X);",
        "dim M, N; param X: [M,N]; loss L = trace(inv(X @ X.T));",
        "dim B, N; param X: [B,N]; input y: [B]; w = solve(X.T @ X, X.T @ y); loss L = sum((X @ w - y)^2) + sum(w^2);",
    ] {
        let report = check(&compiled(program), 0, 3, 1e-6);
        assert!(report.holds(), "{program}: {report:?}");
    }
}

/// Lines with derivatives of derivatives take differences of the outer ones alone.
#[test]
fn lines_of_losses_with_second_derivatives() {
    let program = "dim B = 3, H = 4; input x: [B], t: [B]; param a: [H], b: [H], v: [H];
        u[n] = sum[h](v[h]*tanh(a[h]*x[n] + b[h]*t[n])); ut[n] = d(sum(u), t)[n];
        ux = d(sum(u), x); uxx = d(sum(ux), x); loss L = mean((ut - 0.1*uxx)^2);";
    let report = told(&compiled(program), Style::Auto);
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
    assert!(report.lines > 20);
}
