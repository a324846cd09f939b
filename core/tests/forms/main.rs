//! Closed forms as a person would write them, and that they are true.

mod closed;
mod orders;
mod reasons;

use chainrule_core::check::{check, check_told, random_point};
use chainrule_core::derivation::{Notation, Options, Steps, Style, Told, tell};
use chainrule_core::eval::eval;
use chainrule_core::ir::VarId;
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

/// What is declared of a variable shortens its derivative; it is not there yet when the derivative is taken.
#[test]
fn facts_of_what_is_differentiated_by() {
    for (program, form) in [
        ("dim N; param p:[N] simplex; loss L = sum(p)^2 + 3*sum(p);", "5 * ones(N)"),
        ("dim N; param T:[2,N] one_hot; loss L = 2*sum(T);", "2 * ones(2, N)"),
        (
            "dim N; param p:[N] simplex; input t:[N]; loss L = sum(t*log(p/sum(p)));",
            "t / p - sum(t)",
        ),
        (
            "dim N; param P:[3,N] simplex; loss L = mean(sum(P,axis=1)^2) + sum(P*log(P));",
            "log(P) + 5/3",
        ),
        ("dim N; param p:[N] simplex; loss L = sum(p)^3; hessian L wrt p;", "3 * ones(N)"),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// An axis says of j that it is at most so long; a delta with a shorter index says nothing of it.
/// A minus sign goes into a difference, but not so that two parts that are alike come to be told apart.
#[test]
fn differences_stand_the_same_way_round() {
    for (program, form) in [
        (
            "param x:[3]; input m:[3], S:[3,3] spd; loss f = exp(-0.5*(x - m) @ inv(S) @ (x - m)); grad f wrt x;",
            "f * inv(S) @ (m - x)",
        ),
        (
            "param S:[3,3] spd; input x:[3], m:[3]; loss f = (x - m) @ inv(S) @ (x - m); grad f wrt S;",
            "-outer(inv(S) @ (x - m), inv(S) @ (x - m))",
        ),
        (
            "param x:[3]; input m:[3], w:[3]; loss f = sum((x - m)*w*x) + sum((m - x)*w*x) + sum(x^2); grad f wrt x;",
            "2 * x",
        ),
        ("param x; input y; loss f = (x - y)*(y - x); grad f wrt x;", "2 * (y - x)"),
        (
            "param X:[3,3]; input A:[3,3]; loss f = sum(kron(X, A)); grad f wrt X;",
            "sum(A) * ones(3, 3)",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

#[test]
fn an_index_that_is_read_from_both_ends_beside_a_delta() {
    for program in [
        "param x:[6]; loss L = sum(sin(flip(x,axis=0))*x) + sum(x[1:4]*x[:3]);",
        "param x:[6]; z[i]=x[5-i]*x[i]; loss L = sum(z^2) + sum(x[1:4]*x[:3]);",
        "param x:[6]; y[i]=x[i+1]-x[i]; z[i]=x[5-i]*x[i]; loss L = sum(y^2) + sum(z) + sum(x[1:]*x[:-1]);",
    ] {
        let told = told(program, Notation::Index);
        assert!(told.text.contains("5 - "), "{}", told.text);
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
    assert!(told.latex().contains(r"\sum_{i < 2}"), "{}", told.latex());
}

/// Everything that is told of a program, in full, which holds.
fn all_told(program: &str) -> Vec<Told> {
    told_with(program, Options::default())
}

fn told_with(program: &str, options: Options) -> Vec<Told> {
    let compiled = compile(&Source::new("test", program));
    assert!(!compiled.has_errors(), "{program}: {:?}", compiled.diagnostics);
    let report = check(&compiled, 3, 2, 1e-6);
    assert!(report.holds(), "{program}: {report:?}");
    let told = tell(&compiled, options).expect("a derivation");
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
    assert!(
        told[0].latex().contains(r"\cos") && !told[0].latex().contains("std"),
        "{}",
        told[0].latex()
    );
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
    assert_eq!(hessian.steps[0].note(), "the gradient ∂E/∂w, differentiated once more");
    assert_eq!(
        told[4].steps[0].note(),
        "the Hessian is symmetric: its product with w\u{307}, b\u{307}, c\u{307} is the gradient of ⟨∂E/∂w, w\u{307}⟩ + ⟨∂E/∂b, b\u{307}⟩ + ⟨∂E/∂c, c\u{307}⟩"
    );
    assert!(told[4].steps.len() > 2, "{:#?}", told[4].steps);
    assert_eq!(told[4].steps.last().map(|step| step.text.as_str()), Some(told[4].text.as_str()));
    // Jacobians of entrywise functions are diagonal: no identity stands between the factors.
    assert!(hessian.steps.iter().all(|step| !step.text.contains("eye")), "{:#?}", hessian.steps);
}

/// The value of the printed closed form, and of the derivative, where the first variable is as given and others are random.
fn printed_at(program: &str, notation: Notation, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let compiled = compile(&Source::new("test", program));
    let mut point = random_point(&compiled, 3).expect("a point");
    let first = point.vars.get_mut(&VarId(0)).expect("a variable");
    first.data.copy_from_slice(x);
    let options = Options { notation, steps: Steps::None, ..Options::default() };
    let told = &tell(&compiled, options).expect("a derivation")[0];
    let parts: String =
        told.wheres.iter().map(|part| format!("{} = {};\n", part.name, part.text)).collect();
    let head = program.split("loss").next().expect("declarations");
    let text = format!("{head} {parts} output said = {};", told.text);
    let said = compile(&Source::new("printed", text.as_str()));
    assert!(!said.has_errors(), "{text}: {:?}", said.diagnostics);
    let value = eval(&said.graph, &point, &[said.outputs[0].node]).expect("it evaluates");
    let known = eval(&compiled.graph, &point, &[compiled.derivatives[0].node]);
    (value[0].data.clone(), known.expect("it evaluates")[0].data.clone())
}

/// A norm has no derivative at the origin; 0 is taken there, and the printed form says so.
#[test]
fn norms_say_what_they_are_at_the_origin() {
    for (program, matrix, index) in [
        (
            "param x:[2]; input u; loss E = u*norm2(x);",
            "where(norm2(x) != 0, u * x / norm2(x), 0)",
            "tensor[j](where(norm2[i](x[i]) != 0, u * x[j] / norm2[i](x[i]), 0))",
        ),
        (
            "param x:[2]; input u; loss E = u*std(x);",
            "1/2 * where(std(x) != 0, u * (x - 1/2 * sum(x)) / std(x), 0)",
            "tensor[j](1/2 * where(std[i](x[i]) != 0, u * (x[j] - 1/2 * sum[i](x[i])) / std[i](x[i]), 0))",
        ),
        (
            "param x:[2]; input u; loss E = u*norm2(x)^3;",
            "3 * u * norm2(x) * x",
            "tensor[j](3 * u * norm2[i](x[i]) * x[j])",
        ),
        (
            "param x:[2]; input u:[2]; loss E = dot(u, x)*norm2(x);",
            "norm2(x) * u + where(norm2(x) != 0, dot(u, x) * x / norm2(x), 0)",
            "tensor[j](norm2[i](x[i]) * u[j] + where(norm2[i](x[i]) != 0, sum[i](u[i] * x[i]) * x[j] / norm2[i](x[i]), 0))",
        ),
    ] {
        for (notation, form) in [(Notation::Matrix, matrix), (Notation::Index, index)] {
            assert_eq!(told(program, notation).text, form, "{program}");
            for x in [[0.0, 0.0], [0.3, -0.4], [2.0, 2.0]] {
                let (said, known) = printed_at(program, notation, &x);
                let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
                assert!(said.iter().zip(&known).all(near), "{form} at {x:?}: {said:?}, {known:?}");
            }
        }
    }
}

/// Rows: a norm for each.
#[test]
fn norms_of_rows_at_the_origin() {
    let program = "param x:[2,2]; input u:[2]; loss E = sum(u*norm2(x, axis=1));";
    for notation in [Notation::Matrix, Notation::Index] {
        assert!(!told(program, notation).text.contains("recip0"));
        let (said, known) = printed_at(program, notation, &[0.0, 0.0, 3.0, 4.0]);
        assert_eq!(said[..2], [0.0, 0.0]);
        for (a, b) in said.iter().zip(&known) {
            assert!((a - b).abs() < 1e-12, "{said:?}, {known:?}");
        }
    }
}

/// What is divided by a norm already is divided by it once more, without a case of its own.
#[test]
fn quotients_of_norms() {
    for (program, form) in [
        (
            "dim N; param x:[N]; input y:[N]; loss E = cosine_similarity(x, y);",
            "(y - dot(x, y) * x / sum(x^2)) / (norm2(x) * norm2(y))",
        ),
        (
            "dim N; param w:[N]; input x:[N]; l = norm2(w); loss D = dot(w, x)/l;",
            "(x - dot(w, x) * w / l^2) / l",
        ),
        (
            "dim N; param x:[N]; input u:[N]; loss E = dot(u, normalize(x));",
            "(u - dot(u, x) * x / sum(x^2)) / norm2(x)",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// Terms that add up to 0 whatever the values are, and sums of transposes.
#[test]
fn variances_without_a_rest() {
    for (program, form) in [
        ("dim N; param x:[N]; loss E = var(x);", "2 * (x - sum(x) / N) / N"),
        ("dim N; param x:[N]; loss E = std(x)^2;", "2 * (x - sum(x) / N) / N"),
        ("dim N; param x:[N]; loss E = mean((x - mean(x))^2);", "2 * (x - sum(x) / N) / N"),
        (
            "dim B, N; param x:[B,N]; loss E = sum(var(x, axis=0));",
            "2 * (x - sum(x, axis=0) / B) / B",
        ),
        (
            "dim B, N; param x:[B,N]; loss E = sum(var(x, axis=1));",
            "2 * (x - sum(x, axis=1, keepdims=true) / N) / N",
        ),
        ("dim N; param A:[N,N]; input B:[N,N]; loss E = sum((A.T + B.T)^2);", "2 * (A + B)"),
        (
            "dim N; param x:[N]; input u:[N]; loss E = sum(u*layer_norm(x));",
            "(u - dot(u, x - sum(x) / N) * (x - sum(x) / N) / (t1 * N) - sum(u) / N) / sqrt(t1)",
        ),
        (
            "dim B, K; param z:[B,K]; target T:[B,K] one_hot; loss E = cross_entropy(softmax(z), T);",
            "(softmax(z) - T) / B",
        ),
        (
            "dim B, K; param z:[B,K]; target T:[B,K]; loss E = softmax_cross_entropy(z, T);",
            "(softmax(z) * sum(T, axis=1, keepdims=true) - T) / B",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// A matrix that is declared symmetric is its own transpose, and the lines say that this was used.
#[test]
fn symmetric_matrices() {
    for (program, form) in [
        ("dim N; input A:[N,N] symmetric; param x:[N]; loss E = x @ A @ x;", "2 * A @ x"),
        ("dim N; input A:[N,N] spd; param x:[N]; loss E = x @ inv(A) @ x;", "2 * inv(A) @ x"),
        ("dim N; input A:[N,N] diagonal; param x:[N]; loss E = dot(x, A @ x);", "2 * A @ x"),
        (
            "dim N; input A:[N,N] symmetric, b:[N]; param x:[N]; loss E = 1/2 * dot(x, A @ x) - dot(b, x);",
            "A @ x - b",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
        let said: Vec<String> = all_told(program)[0].steps.iter().map(|step| step.note()).collect();
        assert!(said.iter().any(|note| note.contains("symmetric")), "{program}: {said:?}");
    }
    let plain = "dim N; input A:[N,N]; param x:[N]; loss E = x @ A @ x;";
    assert_eq!(told(plain, Notation::Matrix).text, "A.T @ x + A @ x", "without the fact");
}

/// What is built to be its own transpose is seen as such, whatever is declared; what only looks like it is not.
#[test]
fn matrices_that_are_built_symmetric() {
    for (program, form) in [
        ("dim N, K; param X:[N,K]; loss L = logdet(X.T @ X);", "2 * X @ inv(X.T @ X)"),
        (
            "dim N, K; param X:[N,K]; input A:[N,N] symmetric; loss L = logdet(X.T @ A @ X);",
            "2 * A @ X @ inv(X.T @ A @ X)",
        ),
        (
            "dim N, K; param X:[N,K]; input w:[N]; loss L = logdet(X.T @ diag(w) @ X);",
            "2 * diag(w) @ X @ inv(X.T @ diag(w) @ X)",
        ),
        (
            "dim N, K; param X:[N,K]; input A:[N,N]; loss L = logdet(X.T @ A @ X);",
            "A.T @ X @ inv(X.T @ A @ X).T + A @ X @ inv(X.T @ A @ X)",
        ),
        (
            "dim N; param S:[N,N]; loss L = trace(inv(S.T @ S + eye(N)));",
            "-2 * S @ inv(S.T @ S + eye(N)) @ inv(S.T @ S + eye(N))",
        ),
        (
            "dim N; input S:[N,N]; param x:[N]; loss L = x @ inv(S + S.T) @ x;",
            "2 * inv(S + S.T) @ x",
        ),
        (
            "dim N; input S:[N,N]; param x:[N]; loss L = x @ inv(S - S.T) @ x;",
            "inv(S - S.T).T @ x + inv(S - S.T) @ x",
        ),
        (
            "dim N; input A:[N,N] symmetric; param w:[N]; loss L = dot(w, (A @ A + 2*eye(N)) @ w);",
            "2 * A @ A @ w + 4 * w",
        ),
        (
            "dim N; input u:[N]; param x:[N]; loss L = x @ exp(outer(u, u)) @ x;",
            "2 * exp(outer(u, u)) @ x",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// A name stands for any matrix where a derivative is taken by it, although what it stands for is symmetric.
#[test]
fn by_a_name_of_a_symmetric_matrix() {
    let program = "dim N; param X:[N,N]; input u:[N], v:[N]; G = X.T @ X; loss E = dot(G.T @ u, v); grad E wrt G;";
    assert_eq!(told(program, Notation::Matrix).text, "outer(u, v)");
    let program = "dim N; param X:[N,N]; G = X.T @ X; loss E = logdet(G);";
    assert_eq!(told(program, Notation::Matrix).text, "2 * X @ inv(G)");
}

/// The derivative by the matrix itself is that of any matrix: around a symmetric one there are others.
#[test]
fn by_a_symmetric_matrix() {
    let program = "dim N; param A:[N,N] symmetric; input u:[N], v:[N]; loss E = dot(A.T @ u, v);";
    assert_eq!(told(program, Notation::Matrix).text, "outer(u, v)");
    let twice =
        "dim N; param A:[N,N] symmetric; input x:[N]; loss E = sum((A.T @ x)^2); hessian E wrt A;";
    let compiled = compile(&Source::new("test", twice));
    assert!(check(&compiled, 3, 2, 1e-6).holds());
}

/// Shifts around the end stay shifts, also where the size of the axis is not known, and what is turned round twice stands as it was.
#[test]
fn what_is_shifted_and_turned() {
    for (program, form) in [
        ("dim N; param x:[N]; loss L = sum(x * roll(x, 1));", "roll(x, 1) + roll(x, -1)"),
        ("param x:[8]; loss L = sum(x * roll(x, 3));", "roll(x, 3) + roll(x, -3)"),
        (
            "dim N; param x:[N]; loss L = sum((x - roll(x, 1))^2);",
            "2 * x - 2 * roll(x, 1) + 2 * roll(roll(x, 1) - x, -1)",
        ),
        (
            "dim N, M; param x:[N+2,M]; input u:[N+2,M]; loss L = sum(u * roll(x, -2, axis=0));",
            "roll(u, 2, axis=0)",
        ),
        // Parts that are not all of it.
        ("param x:[8]; loss L = sum(x[1:] * x[:7]);", "pad(x[1:], [0, 1]) + pad(x[:7], [1, 0])"),
        (
            "dim N; param w:[N]; input e:[N]; r = flip(cumsum(flip(exp(w)))); loss L = sum(e*log(r));",
            "cumsum(e / r) * exp(w)",
        ),
        (
            "dim N, M; param x:[N,M]; input u:[N,M]; loss L = 3*sum(flip(x, axis=1)*u);",
            "3 * flip(u, axis=1)",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// The gradient of a convolution by what it reads is a sum over the kernel, with zeros where that is outside.
#[test]
fn convolutions_in_index_notation() {
    for (program, form) in [
        (
            "param x:[12], w:[3]; input t:[10]; h[i] = sum[k](w[k]*x[i+k]); loss L = sum((h - t)^2);",
            "tensor[j:12](2 * sum[k](w[k] * pad(h - t, 2)[j - k + 2]))",
        ),
        (
            "dim N, K; param x:[N+K-1], w:[K]; input t:[N]; h[i] = sum[k](w[k]*x[i+k]); loss L = sum((h - t)^2);",
            "tensor[j : K + N - 1](2 * sum[k](w[k] * pad(h - t, K - 1)[j - k + K - 1]))",
        ),
        (
            "dim N, M; param x:[N+2,M+1], w:[3,2]; input t:[N,M]; h[i,j] = sum[k,l](w[k,l]*x[i+k,j+l]); loss L = sum(t*relu(h));",
            "tensor[k : N + 2, l : M + 1](sum[m,p](w[m,p] * pad(t * (h > 0), [[2, 2], [1, 1]])[k - m + 2, l - p + 1]))",
        ),
        (
            "dim B, N; param x:[B,N+2], w:[3]; input t:[B,N]; h[b,i] = sum[k](w[k]*x[b,i+k]); loss L = sum(t*h);",
            "tensor[b:B, j : N + 2](sum[k](w[k] * pad(t, 2, axis=1)[b, j - k + 2]))",
        ),
    ] {
        for notation in [Notation::Matrix, Notation::Index] {
            assert_eq!(told(program, notation).text, form, "{program}");
        }
    }
}

/// Sizes, numbers, positions and letters as a person writes them.
#[test]
fn small_things_as_people_write_them() {
    for (program, form) in [
        ("dim B, D; param x:[B,D]; loss L = mean(x^2)/B;", "2 * x / (B^2 * D)"),
        ("dim B, D; param x:[B,D]; loss L = mean(x^2)/(3*B);", "2 * x / (3 * B^2 * D)"),
        ("dim N; param x:[N]; input y:[N]; loss L = -1/2*dot(x, y);", "-1/2 * y"),
        // A position that the program reads is there.
        (
            "dim K; param n:[K]; loss L = n[0]*n[1];",
            "tensor[j:K](delta[j,1] * n[0] + delta[j,0] * n[1])",
        ),
        // `j` and `k` are other things there.
        (
            "dim N; param x:[N,N]; j = x; k = 3; loss L = k*sum(sin(j)) + x[0,0]*x[0,0];",
            "tensor[l,m](2 * delta[l,0] * delta[m,0] * x[0,0] + 3 * cos(x[l,m]))",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// What another factor says already is not said again.
#[test]
fn factors_that_repeat_another() {
    for (program, form) in [
        ("dim N; param x:[N]; loss L = sum(abs(x)^2);", "2 * x"),
        ("dim N; param x:[N]; loss L = sum(abs(x)^3);", "3 * x^2 * sign(x)"),
        ("dim N; param w:[N]; input x:[N]; y = w*x; loss L = 1/2*sum(relu(y)^2);", "relu(y) * x"),
        (
            "dim N; param x:[N]; input m:[N]; loss L = sum(relu(1 - m*x)^2);",
            "-2 * relu(1 - m * x) * m",
        ),
        // What only looks like it.
        (
            "dim N; param x:[N]; input y:[N]; loss L = sum(relu(x)*relu(y)*(y < 1));",
            "relu(y) * (y < 1) * (x > 0)",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
    let curve = "dim N; param x:[N]; loss L = sum(relu(x)^2); hessian L wrt x;";
    assert_eq!(all_told(curve)[1].text, "2 * diag(x > 0)");
}

/// What the points on one side give, with half at the tie.
#[test]
fn one_side_of_a_maximum() {
    let program =
        "dim B, N; input x:[B,N], y:[B]; param w:[N]; m = y * (x @ w); loss L = sum(max(0, -m));";
    let form = "-x.T @ (where(m == 0, 1/2, m < 0) * y)";
    assert_eq!(told(program, Notation::Matrix).text, form);
    for (formula, form) in [
        ("max(x, 1)", "where(x == 1, 1/2, x > 1)"),
        ("min(x, 1)", "where(x == 1, 1/2, x < 1)"),
        ("max(-x, 0)", "-where(x == 0, 1/2, x < 0)"),
        ("min(0, -x)", "-where(x == 0, 1/2, x > 0)"),
        ("x^2 * (-x >= 0)", "2 * (x <= 0) * x"),
    ] {
        let program = format!("param x; loss E = {formula};");
        assert_eq!(told(&program, Notation::Matrix).text, form, "{formula}");
    }
    for (x, slope) in [(-1.0, -1.0), (0.0, -0.5), (2.0, 0.0)] {
        let program = "param x; loss E = max(-x, 0);";
        let (said, known) = printed_at(program, Notation::Index, &[x]);
        assert_eq!((said[0], known[0]), (slope, slope), "at {x}");
    }
}

/// A Kronecker delta of a single entry is 1, and no line is spent on it.
#[test]
fn no_delta_of_a_single_entry() {
    for program in [
        "input x:[1,4]; target t:[1,1]; param w:[4,1]; o = sigmoid(x @ w); loss E = 1/2*sum((o - t)^2);",
        "dim B; input x:[B,2]; target t:[B,1]; param v:[2,3], w:[3,1]; a = x @ v; y = a @ w; loss E = mean((y - t)^2);",
    ] {
        for told in all_told(program).iter().filter(|one| one.wrt == "w") {
            for step in &told.steps {
                assert!(!step.text.contains("delta"), "{}", step.text);
                assert!(!step.latex().contains("delta"), "{}", step.latex());
                assert!(!step.note().contains('δ'), "{}", step.note());
            }
        }
    }
}

/// A condition on numbers is decided before anything is printed.
#[test]
fn functions_of_numbers() {
    for (program, form) in [
        ("param x; input y; loss L = x*exp(y - y) + x*log(1)*y;", "1"),
        ("param x; input y; loss L = x*(2*sigmoid(0*y) + tanh(y - y)) + 3*x*cos(0);", "4"),
        ("param x:[3]; input y:[3]; loss L = sum(x*exp(y - y));", "ones(3)"),
        ("param x:[3]; loss L = sum(2^x);", "2^x * log(2)"),
        ("param x:[3]; input y:[3]; loss L = sum(x*y*tanh(2 + y - y));", "tanh(2) * y"),
        // What only rounds to a short number stays as it is written.
        ("param x; loss L = x*sin(1) + x*tanh(40);", "sin(1) + tanh(40)"),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

#[test]
fn conditions_on_numbers() {
    assert_eq!(told("param a; loss f = 2^a;", Notation::Matrix).text, "f * log(2)");
    let text = told("param a:[3]; loss f = sum(2^a);", Notation::Matrix).text;
    assert!(!text.contains("where"), "{text}");
}

/// The gradient by a matrix that is declared symmetric is that of each of its entries: a product with its transpose is not one with it.
#[test]
fn by_a_symmetric_matrix_and_its_transpose() {
    for loss in ["dot(b, S.T @ u) + 2*dot(c, S @ u)", "dot(c, S @ u) + 2*dot(b, S.T @ u)"] {
        let program =
            format!("input b:[3], c:[3], u:[3]; param S:[3,3] symmetric; loss E = {loss};");
        told(&program, Notation::Matrix);
    }
}

/// Sizes cancel with numbers and with one another, whatever they are: each form is checked at several sizes.
#[test]
fn sizes_that_cancel() {
    for (program, form) in [
        ("dim B; input y:[2*B]; param t:[2*B]; loss E = mean((y - t)^2);", "(t - y) / B"),
        ("dim B; input y:[2*B]; param t:[2*B]; loss E = B*mean(sin(t));", "1/2 * cos(t)"),
        (
            "dim B; input y:[B,3]; param t:[B,3]; loss E = mean(6*(y - t)^2) + B*sum(y*t)/(B*B);",
            "(4 * t - 3 * y) / B",
        ),
        (
            "dim B, K; input y:[B]; param t:[B]; input s:[K]; loss E = B/(B*K) * sum(sin(t));",
            "cos(t) / K",
        ),
        ("dim B; param t:[B]; loss E = B^2/(10*B) * sum(sin(t));", "1/10 * B * cos(t)"),
        // Nothing in common.
        ("dim B; input y:[3*B]; param t:[3*B]; loss E = mean((y - t)^2);", "2 * (t - y) / (3 * B)"),
        ("dim B; param t:[B + 2]; loss E = B*mean(sin(t));", "B * cos(t) / (B + 2)"),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// A difference that is compared with 0 is a comparison of its terms.
#[test]
fn conditions_compare_what_they_are_about() {
    for (program, form) in [
        ("dim N; param m:[N]; loss E = sum(relu(1 - m));", "-(m < 1)"),
        ("dim N; param m:[N]; loss E = sum(relu(m - 2));", "m > 2"),
        ("dim N; input a:[N]; param m:[N]; loss E = sum(relu(a - m));", "-(a > m)"),
        ("dim N; input a:[N], u:[N]; param m:[N]; loss E = sum(u*relu(m - a));", "u * (m > a)"),
        ("dim N; input a:[N]; param m:[N]; loss E = sum(relu(m - a)^2);", "2 * relu(m - a)"),
        (
            "dim B, N; input X:[B,N], y:[B]; param w:[N]; loss E = sum(relu(1 - y*(X @ w)));",
            "-X.T @ ((y * (X @ w) < 1) * y)",
        ),
        // Scaled terms stay.
        ("dim N; param m:[N]; loss E = sum(relu(1 - 2*m));", "-2 * (1 - 2 * m > 0)"),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// A share of exponentials by its name, also where the program wrote it out.
#[test]
fn a_softmax_that_is_written_out() {
    for (program, notation, form) in [
        ("dim N; param x:[N]; loss E = log(sum(exp(x)));", Notation::Matrix, "softmax(x)"),
        (
            "dim B, N; param x:[B,N]; loss E = sum(log(sum(exp(x), axis=1)));",
            Notation::Matrix,
            "softmax(x)",
        ),
        (
            "dim K; input t:[K] one_hot; param z:[K]; p[i] = exp(z[i]) / sum[k](exp(z[k])); loss L = -sum[i](t[i]*log(p[i]));",
            Notation::Index,
            "tensor[i](p[i] - t[i])",
        ),
        (
            "dim K; input t:[K]; param z:[K]; p[i] = exp(z[i]) / sum[k](exp(z[k])); loss L = -sum[i](t[i]*log(p[i]));",
            Notation::Matrix,
            "p * sum(t) - t",
        ),
    ] {
        assert_eq!(told(program, notation).text, form, "{program}");
    }
}

/// The error term of a layer before a single output is weighed by an outer product.
#[test]
fn the_error_term_before_a_single_output() {
    for (program, form) in [
        (
            "dim B, N, H; input X:[B,N], y:[B]; param W:[N,H], v:[H], b:[H]; h = relu(X @ W + b); loss E = sum((h @ v - y)^2);",
            "2 * X.T @ (outer(h @ v - y, v) * (X @ W + b > 0))",
        ),
        (
            "dim B, N, H; input X:[B,N], y:[B]; param W:[N,H], v:[H]; h = tanh(X @ W); loss E = mean((h @ v - y)^2);",
            "2 * X.T @ (outer(h @ v - y, v) * (1 - h^2)) / B",
        ),
        // Between matrices of the program a vector stays a diagonal matrix.
        (
            "dim B, N; input X:[B,N]; param w:[N]; p = sigmoid(X @ w); loss E = sum(p); hessian E wrt w;",
            "X.T @ (p * (1 - p))",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// What a constant slice gives back has zeros around it: no sum is left.
/// What multiplies an entry or a part of an axis is read there alone.
#[test]
fn factors_are_read_where_others_are_not_zero() {
    for (program, form) in [
        (
            "param x:[5]; input W:[5,4]; loss L = tanh(x@W)[0]^2;",
            "2 * tanh(x @ W)[0] * (1 - L) * W[:, 0]",
        ),
        (
            "param x:[6]; input W:[6,5]; loss L = sum(tanh(x@W)[1:4]^2);",
            "2 * W[:, 1:4] @ (tanh(x @ W)[1:4] * (1 - tanh(x @ W)[1:4]^2))",
        ),
        (
            "dim N, M; param x:[N]; input W:[N,M+3]; h = tanh(x@W); loss L = sum(h[2:M+2]^2);",
            "2 * W[:, 2 : M + 2] @ (h[2 : M + 2] * (1 - h[2 : M + 2]^2))",
        ),
        ("param x:[6]; loss L = softmax(x)[2];", "tensor[j](softmax(x)[j] * (delta[j,2] - L))"),
        // Whole axes stay as they are, in whatever order they are read.
        (
            "param x:[6]; input W:[6,5]; loss L = sum(tanh(x@W)[::-1]*range(5));",
            "W @ (flip(range(5)) * (1 - tanh(x @ W)^2))",
        ),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// Classes as whole numbers, in every spelling: the error is the softmax less the one that was to be.
#[test]
fn classes_picked_by_whole_numbers() {
    for loss in [
        "-mean[b](log_softmax(z)[b,y[b]])",
        "cross_entropy(softmax(z), one_hot(y, K))",
        "cross_entropy(softmax(z), y)",
    ] {
        let program = format!(
            "dim B, K, D; input X:[B,D], y:int[B]; param W:[D,K]; z = X@W; loss E = {loss};"
        );
        let told = all_told(&program).swap_remove(0);
        assert_eq!(told.text, "X.T @ (softmax(z) - one_hot(y, K)) / B", "{loss}");
        let said =
            told.steps.iter().any(|step| step.why.plain().contains("a one-hot row sums to 1"));
        assert!(said, "{loss}: {:?}", told.steps);
    }
}

/// Back-propagation through time, as a textbook has it.
#[test]
fn gradients_through_time() {
    let program = |sizes: &str| {
        format!(
            "dim {sizes}; input x:[T,D], h0:[H], t:[H]; param W:[D,H], U:[H,H], b:[H];
            fn step(h, xt) = tanh(xt@W + h@U + b); h = scan(step, h0, x);
            loss E = 1/2*sum((h[T-1] - t)^2); grad E wrt W, U, b;"
        )
    };
    let forms = [
        "x.T @ (lambda * (1 - h^2))",
        "h_prev.T @ (lambda * (1 - h^2))",
        "sum(lambda * (1 - h^2), axis=0)",
    ];
    let parts = [
        ("fn backstep(mu_t, h_bar_t, h_t)", "U @ ((h_bar_t + mu_t) * (1 - h_t^2))"),
        ("mu", "flip(scan(backstep, zeros(3), flip(h_bar, axis=0), flip(h, axis=0)), axis=0)"),
        ("lambda", "h_bar + pad(mu[1:], [0, 1], axis=0)"),
    ];
    let told = all_told(&program("T = 4, H = 3, D = 2"));
    for (one, form) in told.iter().zip(forms) {
        assert_eq!(one.text, form);
    }
    for (name, text) in parts {
        let part = told[0].wheres.iter().find(|part| part.name == name);
        assert_eq!(part.expect(name).text, text);
    }
    assert!(all_told(&program("T, H, D")).iter().all(|one| one.text.len() < 80));
    // Without a name for the states.
    let told = all_told(
        "input x:[5]; param w; fn step(h, xt) = tanh(w*h + xt); loss L = sum(scan(step, 0, x)^2);",
    );
    assert_eq!(told[0].text, "sum(lambda * (1 - h^2) * h_prev)");
}

#[test]
fn gradients_of_slices_are_padded() {
    for (program, form) in [
        ("dim N; param x:[N]; loss E = sum(x[1:]^2);", "2 * pad(x[1:], [1, 0])"),
        (
            "param x:[4]; loss f = sum(100*(x[1:4] - x[0:3]^2)^2 + (1 - x[0:3])^2);",
            "pad(2 * x[:3] - 2 + 400 * (x[:3]^2 - x[1:]) * x[:3], [0, 1]) + 200 * pad(x[1:] - x[:3]^2, [1, 0])",
        ),
        (
            "dim N; param x:[N]; loss E = 1/2*sum((x[1:] - x[:-1])^2);",
            "pad(x[: N - 1] - x[1:], [0, 1]) + pad(x[1:] - x[: N - 1], [1, 0])",
        ),
        ("param X:[4,5]; loss E = sum(X[:, 1:3]^3);", "3 * pad(X[:, 1:3]^2, [1, 2], axis=1)"),
    ] {
        let said = told(program, Notation::Matrix).text;
        assert_eq!(said, form, "{program}");
    }
}

/// An axis of one entry is an axis of a matrix like any other.
#[test]
fn layers_of_one_unit() {
    let layers = "input x:[8,2], t:[8,1]; param u:[2,3], w:[3,1]; a = x @ u; y = a @ w;";
    for (loss, form) in [
        ("loss E = mse(y, t);", "1/4 * x.T @ (y - t) @ w.T"),
        ("loss E = sum((x @ u @ w) * t);", "x.T @ t @ w.T"),
        ("loss E = sum(y^2)/2; hvp E wrt u;", "x.T @ x @ u_dot @ w @ w.T"),
    ] {
        let told = all_told(&format!("{layers} {loss}"));
        assert!(told.iter().any(|one| one.text == form), "{loss}");
    }
    let opened = all_told(&format!("{layers} loss E = mse(y, t);"));
    assert_eq!(
        opened[0].steps[0].latex(),
        r"\mathrm{d}E = \mathrm{d}\left(\frac{1}{8}\,\sum\,(y - t)^{2}\right)"
    );
}

/// What cancels in each term of a sum does so under the sum too, whatever stands outside of it.
#[test]
fn error_terms_that_are_put_in_under_a_sum() {
    let program = "dim B, M; input u:[B,M], t:[B]; param v:[M], c; p = sigmoid(u @ v + c); loss E = bce(p, t);";
    let compiled = compile(&Source::new("test", program));
    let options = Options { style: Style::Staged, ..Options::default() };
    let told = tell(&compiled, options).expect("derivations");
    let point = random_point(&compiled, 5).expect("a point");
    assert_eq!(check_told(&compiled, &told, &point).problems, Vec::<String>::new());
    let texts: Vec<&str> = told.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["u.T @ (p - t) / B", "sum(p - t) / B"]);
}

#[test]
fn fractions_have_one_line_and_sums_of_products_are_sums() {
    for (program, form) in [
        ("dim B; input y:[B]; param x:[B]; loss E = sum(y*x)/(3*B);", "y / (3 * B)"),
        ("dim B; input a:[B], b:[B], c:[B]; param x; loss E = x*sum(a*b*c);", "sum(a * b * c)"),
        ("dim B; input a:[B], b:[B]; param x; loss E = x*sum(a*b);", "dot(a, b)"),
        ("dim B; input a:[B], b:[B]; param x; loss E = x*sum(a/b);", "sum(a / b)"),
    ] {
        assert_eq!(told(program, Notation::Matrix).text, form, "{program}");
    }
}

/// In matrix notation a line that can only be written by its entries is about an entry of the derivative, and the terms that vanish
/// are shown there.
#[test]
fn left_sides_say_what_lines_are_about() {
    let program = "dim N, M; input x:[N], t:[M]; param w:[N,M]; O[k] = sigmoid(sum[j](x[j]*w[j,k])); loss E = 1/2*sum[i]((O[i] - t[i])^2);";
    let told = all_told(program).swap_remove(0);
    let lines: Vec<(String, String)> =
        told.steps.iter().map(|step| (step.latex(), step.note())).collect();
    let lefts: Vec<&str> =
        lines.iter().filter_map(|(latex, _)| Some(latex.split_once("= ")?.0.trim_end())).collect();
    let (entry, whole) = (r"\frac{\partial E}{\partial w_{jk}}", r"\frac{\partial E}{\partial w}");
    assert_eq!(lefts, [r"\mathrm{d}E", "", entry, "", whole]);
    assert_eq!(told.lhs_latex(), whole);
    assert!(
        lines[3].0.ends_with(r"x_{j}\,\sum_{i}\,(O_{i} - t_{i})\,O_{i}\,(1 - O_{i})\,\delta_{ik}")
    );
    assert_eq!(lines[4].1, "the terms with i ≠ k vanish, as δᵢₖ = 0 there");
    // A derivative that is no matrix has no whole side.
    let third = all_told("param x:[3]; y = x * x; output z = y[:, None] * x; jacobian z wrt x;");
    assert!(third[0].lhs_latex().contains("z_{"), "{}", third[0].lhs_latex());
}
