//! Functions that are graph structure: products, axes, identities, derivatives. What they build is differentiated as such.

use super::spec::{OpSpec, Rank, build, build_with};
use crate::lower::build as b;

/// The rows.
pub const ROWS: &[OpSpec] = &[
    OpSpec {
        doc: "Sum of the products of all entries of two tensors of one shape.",
        latex: r"\left\langle {0},\, {1} \right\rangle",
        rank: Rank::Zero,
        ..build("dot", &["a", "b"], b::dot)
    },
    OpSpec {
        doc: "Every entry of a times every entry of b.",
        latex: r"{0} \otimes {1}",
        rank: Rank::Two,
        ..build("outer", &["a", "b"], b::outer)
    },
    OpSpec { doc: "Matrix product, as `a @ b`.", ..build("matmul", &["a", "b"], b::matmul) },
    OpSpec {
        doc: "All axes reversed.",
        caution: "`einsum(\"abc->acb\", x)` puts axes in another order",
        ..build("transpose", &["x"], b::transpose)
    },
    OpSpec {
        doc: "Product with named axes: einsum(\"ij,jk->ik\", A, B).",
        written: true,
        ..build("einsum", &["subscripts"], b::einsum)
    },
    OpSpec {
        doc: "Sum of the diagonal.",
        aliases: &["tr"],
        latex: r"\operatorname{tr}",
        rank: Rank::Zero,
        ..build("trace", &["x"], b::trace)
    },
    OpSpec {
        doc: "Diagonal of a matrix, or the diagonal matrix of a vector.",
        latex: r"\operatorname{diag}",
        rank: Rank::Diagonal,
        ..build("diag", &["x"], b::diag)
    },
    OpSpec {
        doc: "Identity matrix of a size.",
        rank: Rank::Two,
        written: true,
        ..build("eye", &["n"], b::eye)
    },
    OpSpec {
        doc: "All 0, of the given sizes.",
        rank: Rank::Sizes,
        written: true,
        ..build("zeros", &["n"], b::zeros)
    },
    OpSpec {
        doc: "All 1, of the given sizes.",
        rank: Rank::Sizes,
        written: true,
        ..build("ones", &["n"], b::ones)
    },
    OpSpec { doc: "0, 1, 2, … below a size.", written: true, ..build("range", &["n"], b::range) },
    OpSpec {
        doc: "Number of entries, over all axes or axis=.",
        elsewhere: &["numel"],
        ..build_with("count", &["x"], &["axis"], b::count)
    },
    OpSpec {
        doc: "Derivative of an expression by a name; axes of f, then of x.",
        rank: Rank::All,
        written: true,
        ..build("d", &["f", "x"], b::derivative)
    },
    OpSpec {
        doc: "The same entries, row-major, under another shape.",
        written: true,
        ..build("reshape", &["x", "shape"], b::reshape)
    },
    OpSpec { doc: "All entries in one axis, row-major.", ..build("flatten", &["x"], b::flatten) },
    OpSpec {
        doc: "Without axes of size 1.",
        ..build_with("squeeze", &["x"], &["axis"], b::squeeze)
    },
    OpSpec {
        doc: "With a new axis of size 1 at axis=; or repeated to a shape, expand(x, [N, M]).",
        aliases: &["expand_dims", "unsqueeze"],
        ..build_with("expand", &["x"], &["axis"], b::expand)
    },
    OpSpec {
        doc: "One after the other along axis=.",
        aliases: &["concatenate"],
        written: true,
        ..build_with("concat", &["xs"], &["axis"], b::concat)
    },
    OpSpec {
        doc: "Side by side along a new axis=.",
        written: true,
        ..build_with("stack", &["xs"], &["axis"], b::stack)
    },
    OpSpec {
        doc: "So many equal parts of axis=, by default of the first, stacked along a new first axis.",
        ..build_with("split", &["x", "count"], &["axis"], b::split)
    },
    OpSpec {
        doc: "Zeros around axis=, or around every axis.",
        ..build_with("pad", &["x", "width"], &["axis"], b::pad)
    },
    OpSpec {
        doc: "Backwards along axis=, by default along all.",
        ..build_with("flip", &["x"], &["axis"], b::flip)
    },
    OpSpec {
        doc: "Shifted along axis=, around the end; by default along all entries, row-major.",
        ..build_with("roll", &["x", "by"], &["axis"], b::roll)
    },
    OpSpec {
        doc: "A row for each integer with 1 at its place.",
        ..build("one_hot", &["idx", "size"], b::one_hot)
    },
    OpSpec {
        doc: "Rows of x, or entries along axis=, picked by integers, as `x[idx]`.",
        caution: "`gather(x, idx, axis=1)` picks whole columns, as `x[:, idx]`; PyTorch's `gather(x, 1, idx)` is `y[i,j] = x[i,idx[i,j]]`",
        ..build_with("gather", &["x", "idx"], &["axis"], b::gather)
    },
    OpSpec {
        doc: "The states of step(state, x) along the first axis of xs, stacked; its derivative is back-propagation through time.",
        ..build("scan", &["step", "init", "xs"], b::scan)
    },
    OpSpec {
        doc: "Kronecker product of two matrices.",
        latex: r"{0} \otimes {1}",
        ..build("kron", &["a", "b"], b::kron)
    },
];
