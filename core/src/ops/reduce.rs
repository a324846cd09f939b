//! Rows of the rule book: reductions over axes.
//!
//! In a pullback, `x` is the array of the removed axes, `y` and `y_bar` are numbers, and the result has the axes of `x`.

use super::spec::{Kind, OpSpec, Range, Rule, alike, defined, on, reduce};
use crate::eval::special;
use crate::few::Each;

/// The rows.
pub const ROWS: &[OpSpec] = &[
    OpSpec {
        doc: "The sum of the entries.",
        rule: Rule::Sum,
        latex: r"\sum {0}",
        rust: "sum",
        ..reduce("sum", |x| x.iter().sum())
    },
    OpSpec {
        aliases: &["average"],
        doc: "The mean of the entries.",
        latex: r"\operatorname{mean}",
        ..defined("mean", &["x"], Kind::Reduce, "sum(x)/count(x)")
    },
    OpSpec {
        doc: "The product of the entries.",
        rule: Rule::Vjp(&["y_bar*prod_others(x)"]),
        one_axis: true,
        latex: r"\prod {0}",
        rust: "prod",
        python: [
            "np.prod({0}, axis={axes})",
            "jnp.prod({0}, axis={axes})",
            "torch.prod({0}, dim={axis})",
        ],
        c: "cr_prod",
        ..reduce("prod", |x| x.iter().product())
    },
    OpSpec {
        aliases: &["amax"],
        doc: "The largest entry; tied entries share the derivative equally.",
        rule: Rule::Vjp(&["y_bar*(x == y)/sum(x == y)"]),
        latex: r"\max",
        rust: "max",
        python: [
            "np.max({0}, axis={axes})",
            "jnp.max({0}, axis={axes})",
            "torch.amax({0}, dim={axes})",
        ],
        c: "cr_max",
        ..reduce("max", |x| x.iter().copied().fold(f64::NEG_INFINITY, special::maximum))
    },
    OpSpec {
        aliases: &["amin"],
        doc: "The smallest entry; tied entries share the derivative equally.",
        rule: Rule::Vjp(&["y_bar*(x == y)/sum(x == y)"]),
        latex: r"\min",
        rust: "min",
        python: [
            "np.min({0}, axis={axes})",
            "jnp.min({0}, axis={axes})",
            "torch.amin({0}, dim={axes})",
        ],
        c: "cr_min",
        ..reduce("min", |x| x.iter().copied().fold(f64::INFINITY, special::minimum))
    },
    OpSpec {
        doc: "The variance of the population: the mean squared distance from the mean.",
        latex: r"\operatorname{var}",
        range: Range::Nonnegative,
        ..defined("var", &["x"], Kind::Reduce, "mean((x - mean(x))^2)")
    },
    OpSpec {
        doc: "The standard deviation of the population; its derivative is 0 where all entries are equal.",
        rule: Rule::Vjp(&["y_bar*recip0(y)*(x - mean(x))/count(x)"]),
        latex: r"\operatorname{std}",
        rust: "std",
        python: [
            "np.std({0}, axis={axes})",
            "jnp.std({0}, axis={axes})",
            "torch.std({0}, dim={axes}, correction=0)",
        ],
        c: "cr_std",
        range: Range::Nonnegative,
        ..reduce("std", |x| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let shifted: Vec<f64> = x.each(|v| v - mean);
            special::norm2(&shifted) / (x.len() as f64).sqrt()
        })
    },
    OpSpec {
        doc: "The logarithm of the sum of the exponentials, finite for large entries.",
        rule: Rule::Vjp(&["y_bar*exp(x - y)"]),
        latex: r"\operatorname{logsumexp}",
        rust: "logsumexp",
        python: [
            "_logsumexp({0}, {axes})",
            "jax.nn.logsumexp({0}, axis={axes})",
            "torch.logsumexp({0}, dim={axes})",
        ],
        c: "cr_logsumexp",
        rowwise: true,
        ..reduce("logsumexp", special::logsumexp)
    },
    OpSpec {
        aliases: &["norm"],
        doc: "The Euclidean norm (of a matrix: Frobenius), without overflow; its derivative at the origin is 0.",
        rule: Rule::Vjp(&["y_bar*recip0(y)*x"]),
        latex: r"\left\lVert {0} \right\rVert_2",
        rust: "norm2",
        python: alike("_norm2({0}, {axes})"),
        c: "cr_norm2",
        range: Range::Nonnegative,
        root_of_squares: true,
        ..reduce("norm2", special::norm2)
    },
    OpSpec {
        doc: "The sum of the absolute values; the derivative of an entry that is 0 is 0.",
        latex: r"\left\lVert {0} \right\rVert_1",
        range: Range::Nonnegative,
        ..defined("norm1", &["x"], Kind::Reduce, "sum(abs(x))")
    },
    OpSpec {
        doc: "The largest absolute value; tied entries share the derivative equally.",
        latex: r"\left\lVert {0} \right\rVert_\infty",
        range: Range::Nonnegative,
        ..defined("norminf", &["x"], Kind::Reduce, "max(abs(x))")
    },
    OpSpec {
        doc: "The position of the largest entry, the first of tied ones; it has no derivative.",
        rule: Rule::NoDerivative,
        latex: r"\operatorname{argmax}",
        rust: "argmax",
        python: [
            "np.asarray(np.argmax({0}, axis={axis}), dtype=DTYPE)",
            "jnp.asarray(jnp.argmax({0}, axis={axis}), dtype=DTYPE)",
            "torch.argmax({0}, dim={axis}).to(DTYPE)",
        ],
        c: "cr_argmax",
        range: Range::Nonnegative,
        ..reduce("argmax", |x| first_where(x, |v, best| v > best))
    },
    OpSpec {
        doc: "The position of the smallest entry, the first of tied ones; it has no derivative.",
        rule: Rule::NoDerivative,
        latex: r"\operatorname{argmin}",
        rust: "argmin",
        python: [
            "np.asarray(np.argmin({0}, axis={axis}), dtype=DTYPE)",
            "jnp.asarray(jnp.argmin({0}, axis={axis}), dtype=DTYPE)",
            "torch.argmin({0}, dim={axis}).to(DTYPE)",
        ],
        c: "cr_argmin",
        range: Range::Nonnegative,
        ..reduce("argmin", |x| first_where(x, |v, best| v < best))
    },
    OpSpec {
        doc: "1 where no entry is 0, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"\operatorname{all}",
        rust: "all",
        python: [
            "?np.all({0} != 0, axis={axes})",
            "?jnp.all({0} != 0, axis={axes})",
            "?torch.all({0} != 0, dim={axes})",
        ],
        c: "cr_all",
        probe: on(&[(0.5, 3.0)]),
        range: Range::Nonnegative,
        ..reduce("all", |x| f64::from(u8::from(x.iter().all(|&v| v != 0.0))))
    },
    OpSpec {
        doc: "1 where some entry is not 0, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"\operatorname{any}",
        rust: "any",
        python: [
            "?np.any({0} != 0, axis={axes})",
            "?jnp.any({0} != 0, axis={axes})",
            "?torch.any({0} != 0, dim={axes})",
        ],
        c: "cr_any",
        probe: on(&[(0.5, 3.0)]),
        range: Range::Nonnegative,
        ..reduce("any", |x| f64::from(u8::from(x.iter().any(|&v| v != 0.0))))
    },
];

/// The position of the first entry that no other one beats; a NaN beats every number, as in NumPy.
fn first_where(x: &[f64], beats: fn(f64, f64) -> bool) -> f64 {
    let mut best = 0;
    for (at, &value) in x.iter().enumerate().skip(1) {
        if !x[best].is_nan() && (value.is_nan() || beats(value, x[best])) {
            best = at;
        }
    }
    best as f64
}
