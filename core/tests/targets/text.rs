//! What needs no interpreter: every row has every target, the text of small files, errors in place of wrong code.

use crate::case::case;
use chainrule_core::emit::{self, Dtype, Library};
use chainrule_core::ops::{self, Kind, Rule};

/// Whether calls of a row stand in graphs, so that targets must know it.
fn stands_in_graphs(row: &ops::OpSpec) -> bool {
    let kind = matches!(
        row.kind,
        Kind::Elementwise | Kind::Reduce | Kind::Along | Kind::Structured { .. }
    );
    kind && !matches!(row.rule, Rule::Via(_) | Rule::Sum)
}

#[test]
fn every_row_has_every_target() {
    for (_, _, row) in ops::all() {
        let wanted = stands_in_graphs(row);
        for (library, template) in Library::ALL.iter().zip(row.python) {
            assert_eq!(wanted, !template.is_empty(), "{}: {}", row.name, library.title());
            let helper = template.trim_start_matches(['?', '-']).split('(').next().unwrap_or("");
            let defined = library.helpers().iter().any(|own| own.name == helper);
            assert!(!helper.starts_with('_') || defined, "{}: {helper} is not defined", row.name);
        }
        assert_eq!(wanted, !row.c.is_empty(), "{}: C", row.name);
        for word in row.c.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let defined = emit::c::names::helpers().iter().any(|own| own.name == word);
            assert!(!word.starts_with("cr_") || defined, "{}: {word} is not defined", row.name);
        }
    }
}

/// From the imports to the check.
fn middle(text: &str) -> String {
    let (_, text) = text.split_once("\nDTYPE").unwrap_or_default();
    let (text, _) = text.split_once("\n\n\ndef example").unwrap_or_default();
    format!("DTYPE{text}\n")
}

fn emitted(program: &str, library: Library) -> String {
    let case = case(program).unwrap_or_else(|why| panic!("{why}")).for_engines();
    emit::python(&case.job(), library, Dtype::F64).unwrap_or_else(|d| panic!("{}", d.message))
}

const PERCEPTRON: &str = "/// One layer.\ndim B, N, M;\ninput x: [B, N];\ntarget t: [B, M];\nparam W: [N, M], b: [M];\no = sigmoid(x @ W + b);\nloss E = 1/2 * sum((o - t)^2);";
const RECURRENT: &str = "dim T; input xs: [T, 3]; target last: [4]; param W: [3, 4], U: [4, 4]; fn cell(h, x) = tanh(h @ U + x @ W); hs = scan(cell, zeros(4), xs); loss E = mse(hs[-1], last);";

#[test]
fn a_module_of_numpy() {
    insta::assert_snapshot!("numpy", emitted(PERCEPTRON, Library::NumPy));
}

#[test]
fn functions_of_numpy() {
    insta::assert_snapshot!("numpy_scan", middle(&emitted(RECURRENT, Library::NumPy)));
}

/// Differences would move what `stop_gradient` makes a constant of.
#[test]
fn constants_by_decree_are_not_compared_with_differences() {
    let text = emitted(
        "param w; input c; d = stop_gradient(w)*w; loss L = d*sin(w)*c; loss M = w^2*c; hvp L wrt w; jacobian d wrt w; hvp M wrt w;",
        Library::NumPy,
    );
    let (_, tables) = text.split_once("# What `check_gradient` checks").expect("tables");
    let (tables, _) = tables.split_once("_values").expect("values");
    assert!(tables.contains("not L, d.") && tables.contains("value_and_grad_M"), "{tables}");
    assert!(!tables.contains("value_and_grad_L") && !tables.contains("\"L\""), "{tables}");
    assert!(tables.contains("\"hvp\"") && !tables.contains("\"d\""), "{tables}");
}

#[test]
fn functions_of_jax_and_pytorch() {
    insta::assert_snapshot!("jax", middle(&emitted(PERCEPTRON, Library::Jax)));
    insta::assert_snapshot!("torch", middle(&emitted(PERCEPTRON, Library::Torch)));
}

/// Dividing the smallest array divides all that is made of it; what is also wanted undivided stays.
#[test]
fn a_factor_of_all_gradients_comes_in_early() {
    let program = |rest: &str| {
        let head = "dim B, N, M; input x: [B, N]; target t: [B, M] one_hot; param W: [N, M], b: [M]; z = x @ W + b;";
        emitted(
            &format!("{head} loss E = mean(softmax_cross_entropy(z, t)){rest};"),
            Library::NumPy,
        )
    };
    let shared = program("");
    let all = ["r1 = (_softmax(z, 1) - t) / B", "{\"W\": x.T @ r1, \"b\": np.sum(r1, axis=0)}"];
    assert!(all.iter().all(|line| shared.contains(line)), "{shared}");
    let both = program(" + sum((softmax(z) - t).T @ x)");
    assert!(both.contains("r1 = _softmax(z, 1) - t\n"), "{both}");
}

#[test]
fn a_file_of_c() {
    let case = case(PERCEPTRON).unwrap_or_else(|why| panic!("{why}"));
    let text = emit::c99(&case.job(), Dtype::F64).unwrap_or_else(|d| panic!("{}", d.message));
    insta::assert_snapshot!("c", text);
}
