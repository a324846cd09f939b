//! Derivatives by what a program defines, rather than declares: they are those of a leaf in the definition's place, whatever the
//! stable spelling and the normal form of the result make of it.

use chainrule_core::check::{ToldReport, check, check_told, random_point};
use chainrule_core::derivation::{Notation, Options, tell};
use chainrule_core::eval::eval;
use chainrule_core::ir::Num;
use chainrule_core::{Code, Compiled, Source, compile};

/// Programs whose definitions change their form, vanish in a stable spelling, hold each other, or occur again elsewhere.
const PROGRAMS: &[&str] = &[
    "input x: [4]; param w: [3]; h[i] = sum[k](w[k] * x[i + k]); loss E = sum(h)^2; grad E wrt h, w;",
    "dim N = 7; input x: [N]; param w: [3], u: [3], v: [3]; h[i] = tanh(sum[k](w[k] * x[i + k]) - 2); \
     g[i] = tanh(sum[k](u[k] * h[i + k])); loss E = sum(v * g)^2; grad E wrt h, g;",
    "dim B = 3, K = 4; param z: [B, K]; target t: [B, K] one_hot; p = softmax(z); loss L = -sum(t * log(p)) / B; grad L wrt p, z;",
    "param x: [4]; g = d(sum(x^3), x); loss L = sum(g^2) + sum(x); grad L wrt g, x;",
    "input x: [3, 4]; param W: [4, 5], b: [5]; a = x @ W + b; h = exp(a); s = sum(h, axis=1); \
     loss L = sum(log(s)) + sum(log(h)) + sum(sqrt(h^2)); grad L wrt h, s, a; hessian L wrt s; hvp L wrt a; hvp L wrt h; jvp L wrt h;",
    "param x: [4], A: [4, 4]; u = A @ x; v = A.T @ u; q = x @ v; loss L = q + norm2(u)^2 + sum(v * x)^2; \
     grad L wrt u, v, q, x; hessian L wrt u;",
    "param x: [2, 3]; y = x.T; z = reshape(x, (6)); w = x[:, 1:]; loss L = sum(y @ x) + sum(z^2) * sum(w^3) + sum(exp(y)); \
     grad L wrt y, z, w;",
    "input x: [5]; param w: [5]; m = mean(w * x); c = w * x - m; s = mean(c^2); n = c / sqrt(s + 0.001); \
     loss L = sum(n^3) + sum(sigmoid(-c)) + log(1 / (1 + exp(-m))); grad L wrt m, c, s, n;",
    "input x: [5, 3]; param w: [3]; h[i] = prod[j](w[j] * x[i, j]); q[i, j] = h[i] * w[j]; \
     loss L = sum[i, j](q[i, j]^2 * h[i]) + max(h); output o = q; grad L wrt h, q; jacobian o wrt h;",
    "param x: [3]; a = -x; b = 2 * x; c = abs(x)^2; e = 1 / x; loss L = sum(a * b) + sum(c * e) + sum(exp(log(c))); \
     grad L wrt a, b, c, e;",
    // A definition that is a constant, and second derivatives whose first one has a part equal to the definition.
    "param p: [3], q: [3, 2], v: [2]; z = p @ (q - q); loss L = (z @ v + 1)^3; grad L wrt z;",
    "param x: [2], A: [2, 2]; u = A @ x; v = A.T @ u; q = x @ v; g = d(q, u); \
     loss M = sum(d(g, u)^2) + sum(d(d(sum(u^3), u), u)^2) + sum(d(d(q * norm2(u)^2, u), u) * outer(u, x));",
];

fn compiled(program: &str) -> Compiled {
    let source = Source::new("program", program);
    let compiled = compile(&source);
    let said: String = compiled.diagnostics.iter().map(|one| one.render(&source)).collect();
    assert!(said.is_empty(), "{said}");
    compiled
}

/// Everything that is printed of a program, read back at a random point.
fn told(compiled: &Compiled, seed: u64) -> ToldReport {
    let mut report = ToldReport::default();
    let point = random_point(compiled, seed).expect("a point");
    for notation in [Notation::Matrix, Notation::Index] {
        let told = tell(compiled, Options { notation, ..Options::default() }).expect("told");
        report.add(check_told(compiled, &told, &point));
    }
    report
}

#[test]
fn they_hold_and_so_do_their_lines() {
    for program in PROGRAMS {
        let compiled = compiled(program);
        let report = check(&compiled, 1, 2, 1e-6);
        assert!(report.holds(), "{program}: {report:?}");
        let told = told(&compiled, 1);
        assert!(told.problems.is_empty(), "{program}: {:#?}", told.problems);
    }
}

#[test]
fn what_is_equal_to_a_definition_does_not_move_twice() {
    // ∂L/∂u = 2u + A x, and A x, which is u, does not move with the leaf u.
    let program = "param x: [2], A: [2, 2]; u = A @ x; v = A.T @ u; loss L = norm2(u)^2 + x @ v; hessian L wrt u;";
    let compiled = compiled(program);
    let point = random_point(&compiled, 3).expect("a point");
    let hessian = compiled.derivatives.last().expect("one").node;
    let hessian = eval(&compiled.graph, &point, &[hessian]).expect("a value");
    assert_eq!(hessian[0].data, [2.0, 0.0, 0.0, 2.0]);
}

#[test]
fn a_product_by_what_moves_together_is_refused() {
    let program = "param w: [3]; h = exp(w); loss L = sum(h^2); hvp L wrt h, w;";
    let found = compile(&Source::new("program", program)).diagnostics;
    assert_eq!(found[0].code, Code::Unsupported);
    assert!(found[0].message.contains("`h` depends on `w`"), "{}", found[0].message);
}

/// A deep convolution whose units are dead: what is differentiated by is exactly at the kink of the next `relu`.
const DEAD: &str = "dim N = 12; input x: [N]; param w: [3], u: [3], s: [3], v: [6]; target y; \
    h[i] = relu(sum[k](w[k] * x[i + k]) - 2); g[i] = relu(sum[k](u[k] * h[i + k])); \
    f[i] = relu(sum[k](s[k] * g[i + k])); loss E = (sum(v * f) - y)^2; grad E wrt h, g;";

#[test]
fn a_convention_at_a_kink_is_no_false_alarm() {
    let compiled = compiled(DEAD);
    for seed in 0..4 {
        let report = check(&compiled, seed, 2, 1e-6);
        assert!(report.holds(), "{report:?}");
        assert!(report.rows.iter().all(|row| row.conventions > 0), "{report:?}");
        let told = told(&compiled, seed);
        assert!(told.problems.is_empty(), "{:#?}", told.problems);
    }
}

#[test]
fn a_wrong_derivative_beside_kinks_is_found() {
    let mut compiled = compiled(DEAD);
    let node = compiled.derivatives[0].node;
    let shape = compiled.graph.shape(node).clone();
    let wrong = compiled.graph.add(&[(Num::ONE, node), (Num::ONE, node)], &shape);
    compiled.derivatives[0].node = wrong;
    // Some units must be alive: at a point of which every entry is at a kink nothing can be judged.
    let found = (0..20).any(|seed| !check(&compiled, seed, 2, 1e-6).holds());
    assert!(found, "a wrong derivative passes");
}

#[test]
fn a_second_derivative_by_a_definition_moves_it_alone() {
    // ∂q/∂u is A x, which is u but does not move with the leaf u: the second derivative is 0, and that of q |u|² is 4 u uᵀ + 2 q I.
    let program = "param x: [2], A: [2, 2]; u = A @ x; v = A.T @ u; q = x @ v; output zero = d(d(q, u), u); \
        output found = d(d(q * norm2(u)^2, u), u); output wanted = 4 * outer(u, u) + 2 * q * eye(2);";
    let compiled = compiled(program);
    let point = random_point(&compiled, 5).expect("a point");
    let nodes: Vec<_> = compiled.outputs.iter().map(|one| one.node).collect();
    let values = eval(&compiled.graph, &point, &nodes).expect("values");
    assert!(values[0].data.iter().all(|entry| *entry == 0.0), "{:?}", values[0]);
    for (found, wanted) in values[1].data.iter().zip(&values[2].data) {
        assert!((found - wanted).abs() < 1e-12 * (1.0 + wanted.abs()), "{found} {wanted}");
    }
}
