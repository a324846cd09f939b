//! What other tools call the functions of the rule book: only for messages, so that who writes `torch.mm` is told `matmul`.

/// Their name, and ours.
pub const FOREIGN: &[(&str, &str)] = &[
    ("reduce_sum", "sum"),
    ("reduce_mean", "mean"),
    ("reduce_max", "max"),
    ("reduce_min", "min"),
    ("mm", "matmul"),
    ("bmm", "matmul"),
    ("mv", "matmul"),
    ("mtimes", "matmul"),
    ("inner", "dot"),
    ("vdot", "dot"),
    ("tensordot", "einsum"),
    ("fabs", "abs"),
    ("absolute", "abs"),
    ("expit", "sigmoid"),
    ("σ", "sigmoid"),
    ("sigma", "sigmoid"),
    ("log_sum_exp", "logsumexp"),
    ("logsoftmax", "log_softmax"),
    ("cat", "concat"),
    ("hstack", "concat"),
    ("vstack", "concat"),
    ("view", "reshape"),
    ("ravel", "flatten"),
    ("arange", "range"),
    ("identity", "eye"),
    ("determinant", "det"),
    ("slogdet", "logdet"),
    ("diagonal", "diag"),
    ("sgn", "sign"),
    ("heaviside", "step"),
    ("gammaln", "lgamma"),
    ("loggamma", "lgamma"),
    ("psi", "digamma"),
    ("MSELoss", "mse"),
    ("L1Loss", "mae"),
    ("CrossEntropyLoss", "softmax_cross_entropy"),
    ("softmax_cross_entropy_with_logits", "softmax_cross_entropy"),
    ("BCELoss", "bce"),
    ("BCEWithLogitsLoss", "bce_with_logits"),
    ("NLLLoss", "nll"),
    ("huber_loss", "huber"),
    ("smooth_l1_loss", "smooth_l1"),
];

/// Their keyword, and ours.
pub const KEYWORDS: &[(&str, &str)] =
    &[("dim", "axis"), ("axes", "axis"), ("dims", "axis"), ("keepdim", "keepdims")];

/// What is written here for a function that the language does not need: sizes have names, and sums their own brackets.
pub fn advice(theirs: &str) -> Option<&'static str> {
    match theirs {
        "len" | "size" | "shape" | "numel" => {
            Some("the sizes of axes have names: with `dim N;` and `x: [N]` it is `N`")
        }
        "permute" | "swapaxes" | "moveaxis" | "permute_dims" => Some(
            "`einsum(\"abc->acb\", x)` puts axes in another order; `x.T` exchanges the last two",
        ),
        "Linear" | "linear" | "Dense" => Some(
            "an affine layer is written `X @ W + b`; layers that declare their own parameters are `net f = dense(20) |> tanh;`",
        ),
        "argsort" | "topk" => {
            Some("`sort(x)` has the entries in order; their positions have no derivative")
        }
        "vec" => Some("`flatten(X.T)` puts the columns of `X` one after the other"),
        "pinv" => Some(
            "of a matrix with independent columns it is `inv(A.T @ A) @ A.T`, with independent rows `A.T @ inv(A @ A.T)`",
        ),
        "expm" | "logm" | "sqrtm" => {
            Some("it is not in the rule book; `exp`, `log` and `sqrt` act on every entry by itself")
        }
        _ if theirs.starts_with("sum_") || theirs.starts_with(['Σ', '∑']) => {
            Some("a sum over an index is written `sum[i](…)`, one over all entries `sum(x)`")
        }
        _ => None,
    }
}

/// Our name for theirs.
pub fn ours(theirs: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(name, _)| *name == theirs).map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::lookup;

    #[test]
    fn every_name_leads_to_a_function_and_none_hides_one() {
        for (theirs, ours) in FOREIGN {
            assert!(lookup(ours, 1).is_some(), "{ours} is not in the rule book");
            assert!(lookup(theirs, 1).is_none(), "{theirs} is a function of its own");
        }
    }
}
