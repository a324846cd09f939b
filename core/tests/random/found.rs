//! What random programs found: each small program failed once. Its derivatives agree with finite differences, and its closed
//! forms, in both notations, have their values.

use super::{Outcome, compiled, read_back};
use chainrule_core::check::check;
use chainrule_core::ops::probe::Random;

fn holds(text: &str) {
    let compiled = compiled(text).unwrap_or_else(|why| panic!("{text}\n{why}"));
    let report = check(&compiled, 5, 2, 1e-6);
    assert!(report.holds(), "{text}: {report:?}");
    if let Outcome::Fails(why) = read_back(&compiled, &mut Random(7), text) {
        panic!("{why}");
    }
}

#[test]
fn a_product_of_no_entries() {
    holds("param p: [2]; loss L = prod(sum(diag(p))) + prod(p[0]^2); hvp L wrt p;");
}

#[test]
fn products_with_a_zero_entry() {
    holds("param p: [2, 2]; loss L = sum(p^2 * cumprod(tril(p), axis=0)); hvp L wrt p;");
    holds(
        "param p: [3], q: [3]; loss L = sum(q * prod(diag(p) + tril(outer(p, q)), axis=1)) + sum(q * cumprod(diag(p)[1, :])); hvp L wrt p, q;",
    );
}

#[test]
fn terms_of_a_matrix_that_cancel() {
    holds(
        "param p: [3, 1], q: [3, 2], r: [2, 1]; loss L = sum((q @ r) * acos(0.1*layer_norm(p, axis=1))); hvp L wrt p, q;",
    );
    holds(
        "param p: [2, 1], q: [1]; loss L = sum(layer_norm(p, axis=1) @ sort(q, axis=0)); hvp L wrt p, q;",
    );
}

#[test]
fn an_index_that_stops_short_of_an_unnamed_axis() {
    holds(
        "param p: [3, 1], q: [2, 1]; loss L = sum(concat([log_softmax(q, axis=0), std(q, axis=0, keepdims=true)], axis=0) * softmax(p - p, axis=1));",
    );
    holds(
        "param p: [1], q: [1]; loss L = sum(prod(p + concat([p - q, hardswish(q)], axis=0), axis=0, keepdims=true));",
    );
    holds(
        "param p: [1], q: [2], a: [3, 3], b: [3]; loss L = sum(logaddexp(concat([log2(p^2 + 1), q - q], axis=0), atan(solve(a @ a.T + diag(b^2 + 1), b))));",
    );
}

#[test]
fn what_is_compared_is_computed_once() {
    holds(
        "param p: [2, 2], q: [2, 2], r: [2], s: [1]; loss L = sum(min((p + q) * (s * r), axis=0, keepdims=true));",
    );
    holds(
        "param p: [3, 2], q: [2, 2]; loss L = 2*sum(max(p @ q @ q.T, axis=0)) + sum(sort((p @ q).T, axis=0)[0, :]);",
    );
}

#[test]
fn a_closed_form_that_was_a_part_of_another() {
    holds(
        "param p1: [], p2: [1, 1], p3: [1, 3, 3], p4: [3, 1], p5: [1], p6: [2], p7: [2, 1]; d2 = solve(tanh(p3[:, 0] @ (p2 + p4)) @ tanh(p3[:, 0] @ (p2 + p4)).T + diag(p5^2 + 1), (p1 + p6) @ (p7 @ p2)); loss L = sum(d2); hvp L wrt p1, p2, p3, p4, p5, p6, p7;",
    );
}

#[test]
fn positions_that_share_their_indices() {
    holds(
        "param p: [4, 4], q: [2]; loss L = sum(tensor[i:3](sum[j](p[i + j, i + j] * q[j]^2))); hvp L wrt p, q;",
    );
    holds(
        "param p: [7, 5], q: [2]; loss L = sum(tensor[i:3](sum[j](p[2*i + j, i + 2*j] * p[i + 2*j, 2*i] * q[j]))); hvp L wrt p, q;",
    );
    holds(
        "param p: [3, 5, 3], q: [3, 3]; loss L = sum(tensor[i:3](sum[j:3](p[i, i + j, j] * p[j, i + j, 2 - j] * q[i,j]))); hvp L wrt p, q;",
    );
}

#[test]
fn the_norm_of_a_single_entry() {
    holds("param p: [], q: []; loss L = q * norm2(p) + norm2(p - 3); hvp L wrt p, q;");
    holds("param p: [3]; loss L = sum(p * norm2(p[:, None] - 2, axis=1)); hvp L wrt p;");
}

/// Multiplied into a sum, it met terms that were too long to be opened, and was taken out again without end.
#[test]
fn a_factor_that_long_terms_keep() {
    holds(
        "param C: [2, 3], S: [2, 2], w: [3], s, r positive; loss L = (2 - sum(w) + r^2 + r + s*2) * exp(s)*s*s/r*sigmoid(s)*sin(r)*exp(r^2)*mean(S);",
    );
    holds(
        "param S: [2, 2], w: [3], s, r positive; loss L = (mean(S) + sum(w) + r^2 + r + s + 2) * exp(s)*s*s/r*sigmoid(s)*sin(r)*exp(r^2)*mean(S); hvp L wrt s, r;",
    );
}

/// The mean of differences from the mean is 0 on paper: it came for the 0 that says which diagonal is kept.
#[test]
fn a_number_on_paper_is_not_taken_for_the_number() {
    holds("param x: [3], p; loss L = var(cumprod(x) + p); hessian L wrt x;");
    holds("param x: [3], p; loss L = var(cumprod(x) - 2*p); hvp L wrt x, p;");
    holds("param A: [3, 3], p; loss L = var(A[0] + p) + sum(triu(A @ A, 0)^2); hvp L wrt A, p;");
}

/// The axis of size 2 that nothing reads any more counts twice what is left of the sum.
#[test]
fn an_axis_that_nothing_reads_beside_terms_that_vanish() {
    for programs in [
        "param p: [3, 1], q: [1, 1]; loss L = sum((layer_norm(p, axis=0) + exp(p)) @ (q @ ones(1, 2)));",
        "param p: [3], q; loss L = sum((layer_norm(p) + log_softmax(p))[:, None] * (q * ones(1, 2)));",
        "dim M, N; param p: [M], q; loss L = sum((layer_norm(p) + exp(p))[:, None] * (q * ones(M, N))); hvp L wrt p, q;",
    ] {
        holds(programs);
    }
}
