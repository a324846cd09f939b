//! Rows of the rule book: functions that stable spellings need, because the formula that defines them overflows.

use super::spec::{Mirror, OpSpec, Range, Rule, alike, elementwise, on, unary};
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
    OpSpec {
        doc: "exp(x^2)*erfc(x), finite for large x.",
        rule: Rule::Partials(&["2*x*y - 2/sqrt(pi)"]),
        latex: r"\operatorname{erfcx}",
        rust: "{0}.erfcx()",
        python: alike("_erfcx({0})"),
        c: "cr_erfcx({0})",
        range: Range::Positive,
        probe: on(&[(-1.5, 4.0)]),
        ..unary("erfcx", |a| special::erfcx(a[0]))
    },
    OpSpec {
        aliases: &["log_erfc"],
        doc: "log(erfc(x)), finite for large x and precise for small x: log(erfc(-x/sqrt(2))/2) is that of the normal distribution's share below x.",
        rule: Rule::Partials(&["-2/sqrt(pi)/erfcx(x)"]),
        latex: r"\log\operatorname{erfc}",
        rust: "{0}.logerfc()",
        python: alike("_logerfc({0})"),
        c: "cr_logerfc({0})",
        ..unary("logerfc", |a| special::logerfc(a[0]))
    },
    OpSpec {
        doc: "a*log(b), and 0 where both are 0, as an outcome of probability 0 counts.",
        rule: Rule::Partials(&["log(b)", "a/b"]),
        latex: r"\operatorname{xlogy}",
        rust: "if {0} == F::ZERO && {1} == F::ZERO { F::ZERO } else { {0} * {1}.ln() }",
        python: alike("_xlogy({0}, {1})"),
        times: Some("log"),
        c: "{0} == 0 && {1} == 0 ? 0 : {0} * log({1})",
        probe: on(&[(-3.0, 3.0), (0.1, 4.0)]),
        ..elementwise("xlogy", &["a", "b"], |a| {
            if a[0] == 0.0 && a[1] == 0.0 { 0.0 } else { a[0] * a[1].ln() }
        })
    },
    OpSpec {
        doc: "a*log(1 + b), and 0 where a is 0 and b is -1; precise for small b.",
        rule: Rule::Partials(&["log1p(b)", "a/(1 + b)"]),
        latex: r"\operatorname{xlog1py}",
        rust: "if {0} == F::ZERO && {1} == -F::ONE { F::ZERO } else { {0} * {1}.log1p() }",
        python: alike("_xlog1py({0}, {1})"),
        times: Some("log1p"),
        c: "{0} == 0 && {1} == -1 ? 0 : {0} * log1p({1})",
        probe: on(&[(-3.0, 3.0), (-0.8, 3.0)]),
        ..elementwise("xlog1py", &["a", "b"], |a| {
            if a[0] == 0.0 && a[1] == -1.0 { 0.0 } else { a[0] * a[1].ln_1p() }
        })
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
