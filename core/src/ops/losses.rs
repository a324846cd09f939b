//! Rows of the rule book: losses.
//!
//! A formula gives one value an entry, or one a row where classes stand on the last axis; lowering then takes the mean, or
//! what `reduction=` says. Targets over classes may be whole numbers, the places of their ones.

use super::spec::{Kind, OpSpec, Probe, Range, defined, on};

/// Where arguments are probabilities.
const CHANCE: Probe = on(&[(0.1, 0.9)]);

/// The rows.
pub const ROWS: &[OpSpec] = &[
    OpSpec {
        aliases: &["mse_loss"],
        doc: "The squared difference of each entry.",
        range: Range::Nonnegative,
        latex: r"\operatorname{MSE}",
        ..loss("mse", &["p", "t"], "(p - t)^2")
    },
    OpSpec {
        aliases: &["l1_loss"],
        doc: "The absolute difference of each entry.",
        range: Range::Nonnegative,
        latex: r"\operatorname{MAE}",
        ..loss("mae", &["p", "t"], "abs(p - t)")
    },
    OpSpec {
        doc: "The cross-entropy of probabilities p and target probabilities t, classes on the last axis; 0*log(0) is 0.",
        latex: r"\operatorname{CE}",
        probe: CHANCE,
        chances: true,
        caution: "`cross_entropy(p, t)` takes probabilities; of logits it is `softmax_cross_entropy(z, t)`, of log-probabilities `nll(logp, t)`",
        ..class_loss("cross_entropy", &["p", "t"], "-sum(xlogy(t, p), axis=-1)")
    },
    OpSpec {
        aliases: &["cross_entropy_with_logits"],
        doc: "The cross-entropy of softmax(z) and target probabilities t, classes on the last axis; finite for large z.",
        latex: r"\operatorname{CE}_{\operatorname{softmax}}",
        ..class_loss("softmax_cross_entropy", &["z", "t"], "-sum(t*log_softmax(z), axis=-1)")
    },
    OpSpec {
        aliases: &["binary_cross_entropy"],
        doc: "The cross-entropy of each entry, a probability p of being 1, and its target t; 0*log(0) is 0.",
        latex: r"\operatorname{BCE}",
        probe: CHANCE,
        chances: true,
        caution: "`bce(p, t)` takes probabilities; of logits it is `bce_with_logits(z, t)`",
        ..loss("bce", &["p", "t"], "-(xlogy(t, p) + xlogy(1 - t, 1 - p))")
    },
    OpSpec {
        aliases: &["binary_cross_entropy_with_logits"],
        doc: "The cross-entropy of each entry's sigmoid(z) and its target t; finite for large z.",
        latex: r"\operatorname{BCE}_\sigma",
        ..loss("bce_with_logits", &["z", "t"], "softplus(z) - t*z")
    },
    OpSpec {
        aliases: &["nll_loss"],
        doc: "The negative log-likelihood of log-probabilities logp and target probabilities t, classes on the last axis.",
        latex: r"\operatorname{NLL}",
        ..class_loss("nll", &["logp", "t"], "-sum(t*logp, axis=-1)")
    },
    OpSpec {
        doc: "The divergence of q from p, both probabilities over the last axis: the sum of p*(log(p) - log(q)), where 0*log(0) is 0.",
        latex: r"D_{\mathrm{KL}}",
        probe: CHANCE,
        chances: true,
        caution: "`kl_div(p, q)` takes probabilities, the target p first; PyTorch's `kl_div(log_softmax(z), t)` is `kl_div(t, softmax(z))`",
        ..loss("kl_div", &["p", "q"], "sum(xlogy(p, p) - xlogy(p, q), axis=-1)")
    },
    OpSpec {
        doc: "How far the score s of each entry falls short of the margin 1 on the side of its target t, 1 or -1; derivative 0 on the margin.",
        range: Range::Nonnegative,
        latex: r"\operatorname{hinge}",
        ..loss("hinge", &["s", "t"], "relu(1 - t*s)")
    },
    OpSpec {
        defaults: &["1"],
        doc: "Half of the squared difference of each entry up to delta, linear beyond.",
        range: Range::Nonnegative,
        latex: r"\operatorname{Huber}",
        ..loss("huber", &["p", "t", "delta"], "huber_curve(p - t, delta)")
    },
    OpSpec {
        defaults: &["1"],
        doc: "Half of the squared difference of each entry over beta up to beta, then the absolute difference less beta/2.",
        range: Range::Nonnegative,
        latex: r"\operatorname{smooth}_{L_1}",
        ..loss("smooth_l1", &["p", "t", "beta"], "huber_curve(p - t, beta)/beta")
    },
    OpSpec {
        doc: "The cosine of the angle between the rows of a and b, which must not be 0.",
        latex: r"\operatorname{cos}_\angle",
        ..loss(
            "cosine_similarity",
            &["a", "b"],
            "sum(a*b, axis=-1)/(norm2(a, axis=-1)*norm2(b, axis=-1))",
        )
    },
];

const fn loss(
    name: &'static str,
    params: &'static [&'static str],
    formula: &'static str,
) -> OpSpec {
    defined(name, params, Kind::Loss { classes: false }, formula)
}

/// A loss over classes, which stand on the last axis.
const fn class_loss(
    name: &'static str,
    params: &'static [&'static str],
    formula: &'static str,
) -> OpSpec {
    defined(name, params, Kind::Loss { classes: true }, formula)
}
