//! Rows of the rule book: functions along an axis.
//!
//! In a formula, `x`, `y` and `y_bar` are one lane, a vector; further arguments are numbers.

use super::spec::{Kind, OpSpec, Range, Rule, alike, along, defined};
use crate::eval::special;
use crate::few;

/// The rows.
pub const ROWS: &[OpSpec] = &[
    OpSpec {
        doc: "Exponentials divided by their sum: positive, and summing to one along the axis.",
        rule: Rule::Vjp(&["y*(y_bar - sum(y_bar*y))"]),
        latex: r"\operatorname{softmax}",
        rust: "softmax",
        python: [
            "_softmax({0}, {axis})",
            "jax.nn.softmax({0}, axis={axis})",
            "torch.softmax({0}, dim={axis})",
        ],
        c: "cr_softmax",
        range: Range::Simplex,
        rowwise: true,
        ..along("softmax", special::softmax)
    },
    OpSpec {
        doc: "The logarithm of softmax, finite for large entries.",
        range: Range::Nonpositive,
        rule: Rule::Vjp(&["y_bar - softmax(x)*sum(y_bar)"]),
        latex: r"\log\operatorname{softmax}",
        rust: "log_softmax",
        python: [
            "_log_softmax({0}, {axis})",
            "jax.nn.log_softmax({0}, axis={axis})",
            "torch.log_softmax({0}, dim={axis})",
        ],
        c: "cr_log_softmax",
        rowwise: true,
        elsewhere: &["logsoftmax"],
        ..along("log_softmax", special::log_softmax)
    },
    OpSpec {
        doc: "The sums of the entries up to and including each.",
        rule: Rule::Vjp(&["flip(cumsum(flip(y_bar)))"]),
        latex: r"\operatorname{cumsum}",
        rust: "cumsum",
        python: [
            "np.cumsum({0}, axis={axis})",
            "jnp.cumsum({0}, axis={axis})",
            "torch.cumsum({0}, dim={axis})",
        ],
        c: "cr_cumsum",
        linear_in: &[0],
        ..along("cumsum", |x| running(x, 0.0, |sum, v| sum + v))
    },
    OpSpec {
        doc: "The products of the entries up to and including each; the derivative is right also where entries are 0.",
        rule: Rule::Vjp(&[
            "y_bar @ tril(cumprod(tensor[j,k](x[j]*(1 - delta[j,k]) + delta[j,k]), axis=0))",
        ]),
        latex: r"\operatorname{cumprod}",
        rust: "cumprod",
        python: [
            "np.cumprod({0}, axis={axis})",
            "jnp.cumprod({0}, axis={axis})",
            "torch.cumprod({0}, dim={axis})",
        ],
        c: "cr_cumprod",
        ..along("cumprod", |x| running(x, 1.0, |product, v| product * v))
    },
    OpSpec {
        doc: "For each entry the product of all others: the derivative of prod, right also where entries are 0.",
        rule: Rule::Vjp(&[
            "tensor[k](sum[i](y_bar[i]*(1 - delta[i,k])*prod_others(tensor[j,k](x[j]*(1 - delta[j,k]) + delta[j,k]), axis=0)[i,k]))",
        ]),
        latex: r"\operatorname{prod}_{\ne}",
        rust: "prod_others",
        python: alike("_prod_others({0}, {axis})"),
        c: "cr_prod_others",
        of_others: Some("prod"),
        ..along("prod_others", |x| {
            (0..x.len())
                .map(|at| x.iter().enumerate().filter(|(k, _)| *k != at).map(|(_, v)| v).product())
                .collect()
        })
    },
    OpSpec {
        doc: "The entries in ascending order; tied entries share the derivative equally.",
        rule: Rule::Vjp(&["y_bar @ (y[:, None] == x)/sum(x[:, None] == x, axis=0)"]),
        latex: r"\operatorname{sort}",
        rust: "sort",
        python: [
            "np.sort({0}, axis={axis})",
            "jnp.sort({0}, axis={axis})",
            "torch.sort({0}, dim={axis}).values",
        ],
        c: "cr_sort",
        ..along("sort", |x| {
            let mut sorted = x.to_vec();
            few::sort_by(&mut sorted, &f64::total_cmp);
            sorted
        })
    },
    OpSpec {
        doc: "The entries divided by their Euclidean norm, which must not be 0.",
        latex: r"\operatorname{normalize}",
        rowwise: true,
        ..defined("normalize", &["x"], Kind::Along, "x/norm2(x)")
    },
    OpSpec {
        defaults: &["0.00001"],
        doc: "The entries shifted and scaled to mean 0 and variance 1 along the axis.",
        latex: r"\operatorname{layernorm}",
        rowwise: true,
        ..defined("layer_norm", &["x", "eps"], Kind::Along, "(x - mean(x))/sqrt(var(x) + eps)")
    },
    OpSpec {
        defaults: &["0.00001"],
        doc: "The entries divided by the root of their mean square along the axis.",
        latex: r"\operatorname{rmsnorm}",
        rowwise: true,
        ..defined("rms_norm", &["x", "eps"], Kind::Along, "x/sqrt(mean(x^2) + eps)")
    },
    OpSpec {
        defaults: &["0.00001"],
        doc: "Every column shifted and scaled to mean 0 and variance 1 over the batch, the first axis.",
        latex: r"\operatorname{batchnorm}",
        ..defined(
            "batch_norm",
            &["x", "eps"],
            Kind::Inline,
            "(x - mean(x, axis=0, keepdims=true))/sqrt(var(x, axis=0, keepdims=true) + eps)",
        )
    },
];

fn running(x: &[f64], start: f64, step: fn(f64, f64) -> f64) -> Vec<f64> {
    x.iter()
        .scan(start, |state, &v| {
            *state = step(*state, v);
            Some(*state)
        })
        .collect()
}
