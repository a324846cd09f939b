//! Why lines hold, as people say it.

use super::{Notation, Told, told_with};
use chainrule_core::derivation::{Lang, Options};

/// All that is told of a program, which holds.
fn lines(program: &str, notation: Notation) -> Vec<Told> {
    told_with(program, Options { notation, ..Options::default() })
}

fn notes(told: &Told) -> Vec<String> {
    told.steps.iter().map(|step| step.note()).collect()
}

/// Of the sum in `x @ W` one term is left, which entries show and whole matrices do not.
#[test]
fn a_sum_of_which_one_term_is_left() {
    let program = "input x:[4,3], t:[4,2]; param W:[3,2]; loss E = sum((x@W - t)^2); grad E wrt W;";
    let left = "a product is linear in each factor; of its sum one term is left";
    for notation in [Notation::Matrix, Notation::Index] {
        let notes = notes(&lines(program, notation)[0]);
        assert!(notes.iter().any(|note| note == left), "{notation:?}: {notes:?}");
    }
    let vector = "input x:[4,3], t:[4]; param w:[3]; loss E = sum((x@w - t)^2); grad E wrt w;";
    let notes = notes(&lines(vector, Notation::Matrix)[0]);
    assert_eq!(notes.last().unwrap(), "a product is linear in each factor");
}

/// Matrices have capitals, letters are none of the program's, and what comes back is said of the argument that is asked for.
#[test]
fn what_comes_back_through_a_solution() {
    let program = |b: &str| {
        format!("param A:[3,3], b:{b}; loss E = sum(solve(A + 4*eye(3), b)^2); grad E wrt A, b;")
    };
    for (b, formulas) in [
        ("[3]", ["r = U⁻¹v, U\u{304} = −U⁻ᵀr\u{304} ⊗ r", "r = U⁻¹v, v\u{304} = U⁻ᵀr\u{304}"]),
        ("[3,2]", ["V = U⁻¹B, U\u{304} = −U⁻ᵀV\u{304}Vᵀ", "V = U⁻¹B, B\u{304} = U⁻ᵀV\u{304}"]),
    ] {
        for (told, formula) in lines(&program(b), Notation::Matrix).iter().zip(formulas) {
            let (notes, formula) = (notes(told), format!("chain rule; with {formula}"));
            assert!(notes.contains(&formula), "{b}: {notes:?}");
        }
    }
}

#[test]
fn functions_without_a_slope() {
    let program = "param x:[3]; input y:[3]; loss E = sum(sign(x)*y + abs(x)); grad E wrt x;";
    let told = &lines(program, Notation::Matrix)[0];
    assert_eq!(notes(told).last().unwrap(), "the derivative of sign(u) is 0 wherever it exists");
}

/// Vectors are columns, unless the program writes them as rows and in no other way.
#[test]
fn a_vector_is_a_row_or_a_column() {
    for (program, form) in [
        ("param x:[3], A:[3,3]; loss E = sum((x@A + A@x)^2); grad E wrt x;", "A.T @ x + A @ x"),
        ("param x:[3], A:[3,3]; loss E = sum((x@A)^2); grad E wrt x;", "A @ (x @ A)"),
        ("param x:[3], A:[3,3]; loss E = sum((A.T@x)^2); grad E wrt x;", "A @ (A.T @ x)"),
    ] {
        let told = &lines(program, Notation::Matrix)[0];
        assert!(told.text.contains(form), "{}", told.text);
    }
    let program = "input X:[4,3], t:[4]; param w:[3]; y = sigmoid(X@w);
        loss E = sum(-t*log(y) - (1 - t)*log(1 - y)); grad E wrt w;";
    let told = &lines(program, Notation::Matrix)[0];
    assert!(told.steps[1].text.contains("- d(log(y), w).T @ t"), "{}", told.steps[1].text);
}

/// A local derivative has no sum over an index that a Kronecker delta ties to another one.
#[test]
fn the_local_derivative_of_picked_rows() {
    let program = "dim B, L, V, D; input words:int[B,L], t:[B,D]; param E:[V,D];
        h = mean(E[words], axis=1); loss C = sum((h - t)^2); grad C wrt E;";
    let options =
        Options { style: chainrule_core::derivation::Style::Staged, ..Options::default() };
    let told = &told_with(program, options)[0];
    let notes = notes(told);
    let local = notes.iter().find(|note| note.contains("∂h")).expect("the local derivative");
    assert!(local.ends_with("= Σₗ δ_(wordsₙₗ,j) δₖᵢ/L"), "{local}");
}

/// One word for it in every format, and both languages: a condition, and what is said of all other cases.
#[test]
fn cases_have_one_punctuation() {
    let program = "param a:[3], b:[3]; loss E = sum(max(a, b)); grad E wrt a;";
    let told = &lines(program, Notation::Index)[0];
    assert!(told.latex().contains(r"& \text{if }a_{j} = b_{j} \\"), "{}", told.latex());
    let note = notes(told).pop().unwrap();
    assert!(note.contains("{½ if u = v; [u > v] otherwise}"), "{note}");
    let told = &told_with(program, Options { lang: Lang::Zh, ..Options::default() })[0];
    let note = notes(told).pop().unwrap();
    assert!(note.contains("{½ 若 u = v; [u > v] 其他情形}"), "{note}");
}

#[test]
fn a_product_of_all_other_entries() {
    let program = "param x:[4]; input i; loss E = i*prod(x); grad E wrt x;";
    let told = &lines(program, Notation::Index)[0];
    assert!(told.latex().ends_with(r"\prod_{k \ne j}\,x_{k}"), "{}", told.latex());
    let program = "param x:[4,3]; loss E = sum(prod(x, axis=0)); grad E wrt x;";
    let told = &lines(program, Notation::Index)[0];
    assert_eq!(told.latex(), r"\prod_{i \ne j}\,x_{ik}");
}

/// What a function is linear in has its numbers in front.
#[test]
fn numbers_before_linear_functions() {
    for (program, form) in [
        (
            "param b:[3]; input A:[3,3]; loss E = sum(solve(A + 4*eye(3), b)^2); grad E wrt b;",
            "2 * solve((A + 4 * eye(3)).T, solve(A + 4 * eye(3), b))",
        ),
        (
            "param b:[3], c; input A:[3,3]; loss E = c*sum(solve(A + 4*eye(3), b)^2); grad E wrt b;",
            "2 * c * solve((A + 4 * eye(3)).T, solve(A + 4 * eye(3), b))",
        ),
        (
            "dim N; param x:[N]; loss E = sum((x - roll(x, 1))^2); grad E wrt x;",
            "2 * x - 2 * roll(x, 1) + 2 * roll(roll(x, 1) - x, -1)",
        ),
    ] {
        assert_eq!(lines(program, Notation::Matrix)[0].text, form, "{program}");
    }
}

/// A choice within a choice on the same condition is made.
#[test]
fn choices_within_choices() {
    for (program, form) in [
        (
            "param x:[3]; input y:[3]; loss E = sum(where(x > y, where(x > y, x^2, 3), y*x^2)); grad E wrt x;",
            "2 * where(x > y, 1, y) * x",
        ),
        (
            "param x:[3]; loss E = sum(selu(x)); hessian E wrt x;",
            "diag(where(x > 0, 0, selu(x) + 1.7580993408473768))",
        ),
        (
            "param x:[3]; loss E = norm2(x)*sum(x); hessian E wrt x;",
            "where(norm2(x) != 0, (sum(x) * eye(3) + x[:, None] + outer(1 - sum(x) * x / norm2(x)^2, x)) / norm2(x), 0)",
        ),
    ] {
        let told = lines(program, Notation::Matrix);
        assert_eq!(told.last().unwrap().text, form, "{program}");
    }
}

#[test]
fn roots_of_numbers_are_one_root() {
    let told = lines("param x; loss E = gelu(x); hessian E wrt x;", Notation::Matrix);
    let text = &told.last().unwrap().text;
    assert_eq!(text, "exp(-1/2 * x^2) * (2 - x^2) / sqrt(2 * pi)");
}

/// Bars stand around whole vectors, where entries can be read as such in one way only.
#[test]
fn norms_of_entries() {
    for (loss, form) in [
        ("dot(y, x)/norm2(x)", r"\left\lVert x \right\rVert"),
        ("norm2(2*x - y)^3", r"\left\lVert 2x - y \right\rVert"),
        ("sum(norm2(A - 1, axis=1)^3)*x[0]", r"\operatorname{norm2}_{i}(A_{ni} - 1)"),
        ("sum(norm2(A, axis=1))*x[0]", r"\left\lVert A_{n,:} \right\rVert}_{2}"),
    ] {
        let program = format!("param x:[3]; input y:[3], A:[2,3]; loss E = {loss}; grad E wrt x;");
        let latex = lines(&program, Notation::Index)[0].latex();
        assert!(latex.contains(form), "{loss}: {latex}");
    }
}

#[test]
fn the_inverse_of_a_transpose() {
    let program = "param S:[3,3]; input x:[3]; loss E = logdet(S) + x@solve(S, x); grad E wrt S;";
    let compiled = chainrule_core::compile(&chainrule_core::Source::new("test", program));
    let options = Options::default();
    let told = chainrule_core::derivation::tell(&compiled, options).expect("a derivation");
    assert_eq!(told[0].latex(), r"S^{-\top} - S^{-\top}x \otimes S^{-1}x");
}

/// Lines that read alike are one.
#[test]
fn no_line_is_printed_twice() {
    let program = "dim N, D; param X:[N,D], g:[D], b:[D]; target t:[N,D]; y = layer_norm(X)*g + b;
        loss E = sum((y - t)^2)/2; grad E wrt X;";
    for notation in [Notation::Matrix, Notation::Index] {
        for told in lines(program, notation) {
            let alike = |pair: &[chainrule_core::derivation::Step]| {
                pair[0].about == pair[1].about && pair[0].line.right == pair[1].line.right
            };
            assert!(!told.steps.windows(2).any(alike));
        }
    }
}
