//! Rows of the rule book: functions that stable spellings need, because the formula that defines them overflows.

use super::spec::{Mirror, OpSpec, Rule, alike, elementwise, unary};
use crate::eval::special;
use std::f64::consts::LN_2;

/// The rows.
pub const ROWS: &[OpSpec] = &[
    OpSpec {
        aliases: &["log_cosh"],
        doc: "log(cosh(x)), finite for large x and precise for small x.",
        rule: Rule::Partials(&["tanh(x)"]),
        latex: r"\log\cosh",
        rust: "if {0}.abs() < F::ONE { (F::from_f64(2.0) * (F::from_f64(0.5) * {0}).sinh() * (F::from_f64(0.5) * {0}).sinh()).log1p() } else { {0}.abs() + (F::from_f64(-2.0) * {0}.abs()).exp().log1p() - F::from_f64(0.6931471805599453) }",
        python: alike("_logcosh({0})"),
        c: "cr_logcosh({0})",
        mirror: Mirror::Even,
        ..unary("logcosh", |a| logcosh(a[0]))
    },
    OpSpec {
        doc: "log(exp(a) + exp(b)), finite for large a and b.",
        rule: Rule::Partials(&["sigmoid(a - b)", "sigmoid(b - a)"]),
        latex: r"\operatorname{logaddexp}",
        rust: "if {0} == {1} { {0} + F::from_f64(0.6931471805599453) } else { {0}.maximum({1}) + (-({0} - {1}).abs()).exp().log1p() }",
        python: alike("xp.logaddexp({0}, {1})"),
        c: "cr_logaddexp({0}, {1})",
        ..elementwise("logaddexp", &["a", "b"], special::logsumexp)
    },
];

fn logcosh(x: f64) -> f64 {
    let size = x.abs();
    if size < 1.0 {
        // cosh x = 1 + 2 sinh²(x/2)
        return (2.0 * (x / 2.0).sinh().powi(2)).ln_1p();
    }
    size + (-2.0 * size).exp().ln_1p() - LN_2
}
