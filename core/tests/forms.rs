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

/// Everything that is told of a program, in full, which holds.
fn all_told(program: &str) -> Vec<Told> {
    let compiled = compile(&Source::new("test", program));
    assert!(!compiled.has_errors(), "{program}: {:?}", compiled.diagnostics);
    let report = check(&compiled, 3, 2, 1e-6);
    assert!(report.holds(), "{program}: {report:?}");
    let told = tell(&compiled, Options::default()).expect("a derivation");
    let point = random_point(&compiled, 5).expect("a point");
    let problems = check_told(&compiled, &told, &point).problems;
    assert!(problems.is_empty(), "{program}: {problems:#?}");
    told
}

/// The program's own functions have the names of the language's; what is printed is still what is meant.
#[test]
fn functions_that_the_program_hides() {
    let program = "param w:[3]; fn cos(z) = sin(z); fn tanh(a, b) = a*b; fn d(a) = 7*a;
        loss E = sum(sin(w)) + cos(w[0]) + tanh(w[1], 2) + sum(sigmoid(w)) + d(w[2]);";
    let told = all_told(program);
    assert!(told[0].text.contains("std.cos(w[j])"), "{}", told[0].text);
    assert!(told[0].steps[0].text.contains("std.d("), "{}", told[0].steps[0].text);
    assert!(told[0].text.contains(" sigmoid(w[j])"), "{}", told[0].text);
    // On the page it is the cosine, by its own name.
    assert!(told[0].latex.contains(r"\cos") && !told[0].latex.contains("std"), "{}", told[0].latex);
}

/// First derivatives come before second ones, and each has a left-hand side of its own.
#[test]
fn every_kind_of_derivative_is_called_what_it_is() {
    let program = "param w:[3], b:[3], c:[3]; input x:[3]; z = w*x + b*c;
        loss E = sum(tanh(z)); hessian E wrt w; hvp E wrt w, b, c; jvp z wrt w;";
    let told = all_told(program);
    let lefts: Vec<&str> = told.iter().map(|one| one.lhs.as_str()).collect();
    assert_eq!(
        lefts,
        [
            "dE/dw",
            "dE/db",
            "dE/dc",
            "d²E/dw²",
            "d²E/dw² w_dot + … + d²E/dw dc c_dot",
            "d²E/db dw w_dot + … + d²E/db dc c_dot",
            "d²E/dc dw w_dot + … + d²E/dc² c_dot",
            "dz/dw w_dot",
        ]
    );
    let hessian = &told[3];
    assert_eq!(hessian.steps[0].note, "the gradient ∂E/∂w, differentiated once more");
    assert_eq!(told[4].steps[0].note, "derivative of ∂E/∂w along w\u{307}, b\u{307}, c\u{307}");
    // Jacobians of entrywise functions are diagonal: no identity stands between the factors.
    assert!(hessian.steps.iter().all(|step| !step.text.contains("eye")), "{:#?}", hessian.steps);
}
