//! Rows of the rule book: linear algebra on the trailing axes.
//!
//! In a pullback, the arguments, `y` and `y_bar` are the trailing axes: matrices, vectors or numbers.

use super::spec::{OpSpec, Rank, Rule, alike, structured};
use crate::eval::{Array, matrix};
use crate::ir::{Attrs, Dim, Graph, Shape};

/// The rows.
pub const ROWS: &[OpSpec] = &[
    OpSpec {
        doc: "The determinant; its derivative wants an invertible matrix.",
        rule: Rule::Vjp(&["y_bar*y*inv(x).T"]),
        latex: r"\det",
        rust: "det",
        python: alike("xp.linalg.det({0})"),
        c: "*{out} = cr_det({n}, {0}, {work});",
        rank: Rank::Zero,
        ..structured("det", &["x"], &[&[2]], number_of_square, |x, _| {
            Array::scalar(matrix::det(&x[0]))
        })
    },
    OpSpec {
        doc: "The logarithm of the determinant, NaN where that is negative; does not overflow.",
        rule: Rule::Vjp(&["y_bar*inv(x).T"]),
        latex: r"\log\det",
        rust: "logdet",
        python: alike("_logdet({0})"),
        c: "*{out} = cr_logdet({n}, {0}, {work});",
        rank: Rank::Zero,
        ..structured("logdet", &["x"], &[&[2]], number_of_square, |x, _| {
            Array::scalar(matrix::logdet(&x[0]))
        })
    },
    OpSpec {
        aliases: &["inverse"],
        doc: "The inverse matrix.",
        rule: Rule::Vjp(&["-y.T @ y_bar @ y.T"]),
        symmetric: true,
        inverts: true,
        latex: r"{0}^{-1}",
        rust: "inv",
        python: alike("xp.linalg.inv({0})"),
        c: "cr_inv({n}, {0}, {out}, {work});",
        ..structured("inv", &["x"], &[&[2]], square, |x, _| matrix::inverse(&x[0]))
    },
    OpSpec {
        doc: "The solution y of a @ y = b, for a vector b or for every column of a matrix b.",
        rule: Rule::VjpByRank(&[
            &["-solve(a.T, y_bar) @ y.T", "solve(a.T, y_bar)"],
            &["-outer(solve(a.T, y_bar), y)", "solve(a.T, y_bar)"],
        ]),
        latex: r"{0}^{-1} {1}",
        rust: "solve",
        python: alike("_solve({0}, {1})"),
        c: "cr_solve({n}, {columns}, {0}, {1}, {out}, {work});",
        linear_in: &[1],
        ..structured("solve", &["a", "b"], &[&[2, 2], &[2, 1]], solution, |x, _| {
            solve(&x[0], &x[1])
        })
    },
    OpSpec {
        doc: "The lower triangular factor l with l @ l.T = x; reads the symmetric part of x.",
        rule: Rule::Vjp(&["inv(y).T @ (tril(y.T @ y_bar) + triu(y_bar.T @ y, 1)) @ inv(y)/2"]),
        latex: r"\operatorname{chol}",
        rust: "cholesky",
        python: alike("_cholesky({0})"),
        c: "cr_cholesky({n}, {0}, {out});",
        ..structured("cholesky", &["x"], &[&[2]], square, |x, _| matrix::cholesky(&x[0]))
    },
    OpSpec {
        defaults: &["0"],
        doc: "The entries on and below the diagonal, 0 above; k moves the diagonal up.",
        rule: Rule::Vjp(&["tril(y_bar, k)", "0"]),
        latex: r"\operatorname{tril}",
        rust: "tril",
        python: alike("_tril({0}, {1})"),
        c: "cr_tril({m}, {n}, {0}, {1}, {out});",
        linear_in: &[0],
        ..structured("tril", &["x", "k"], &[&[2, 0]], same, |x, _| {
            masked(&x[0], |row, column| column - row <= x[1].data[0])
        })
    },
    OpSpec {
        defaults: &["0"],
        doc: "The entries on and above the diagonal, 0 below; k moves the diagonal up.",
        rule: Rule::Vjp(&["triu(y_bar, k)", "0"]),
        latex: r"\operatorname{triu}",
        rust: "triu",
        python: alike("_triu({0}, {1})"),
        c: "cr_triu({m}, {n}, {0}, {1}, {out});",
        linear_in: &[0],
        ..structured("triu", &["x", "k"], &[&[2, 0]], same, |x, _| {
            masked(&x[0], |row, column| column - row >= x[1].data[0])
        })
    },
    OpSpec {
        aliases: &["eigvals"],
        doc: "The eigenvalues of the symmetric part of x, ascending.",
        rule: Rule::Vjp(&["(eigvecsh(x)*y_bar) @ eigvecsh(x).T"]),
        latex: r"\lambda",
        rust: "eigvalsh",
        python: alike("_eigvalsh({0})"),
        c: "cr_eigvalsh({n}, {0}, {out}, {work});",
        elsewhere: &["eig"],
        ..structured("eigvalsh", &["x"], &[&[2]], vector_of_square, |x, _| {
            vector(matrix::eigh(&x[0]).0)
        })
    },
    OpSpec {
        doc: "The eigenvectors of the symmetric part of x as columns, in the order of eigvalsh, each with its largest entry positive; the derivative is right where the eigenvalues differ.",
        rule: Rule::Vjp(&[
            "y @ (recip0(eigvalsh(x) - eigvalsh(x)[:, None])*(y.T @ y_bar - y_bar.T @ y)) @ y.T/2",
        ]),
        latex: r"\operatorname{eigvec}",
        rust: "eigvecsh",
        python: alike("_eigvecsh({0})"),
        c: "cr_eigvecsh({n}, {0}, {out}, {work});",
        ..structured("eigvecsh", &["x"], &[&[2]], square, |x, _| matrix::eigh(&x[0]).1)
    },
    OpSpec {
        aliases: &["svdS"],
        doc: "The singular values, descending.",
        rule: Rule::Vjp(&["(svd_u(x)*y_bar) @ svd_v(x).T"]),
        latex: r"\sigma",
        rust: "svdvals",
        python: [
            "np.linalg.svd({0}, compute_uv=False)",
            "jnp.linalg.svd({0}, compute_uv=False)",
            "torch.linalg.svdvals({0})",
        ],
        c: "cr_svdvals({m}, {n}, {0}, {out}, {work});",
        elsewhere: &["svd"],
        ..structured("svdvals", &["x"], &[&[2]], singular_values, |x, _| {
            vector(matrix::svd(&x[0]).1)
        })
    },
    OpSpec {
        doc: "The left singular vectors as columns, in the order of svdvals.",
        rule: Rule::Missing("the derivative of singular vectors is not written"),
        latex: r"U",
        rust: "svd_u",
        python: alike("xp.linalg.svd({0}, full_matrices=False)[0]"),
        c: "cr_svd_u({m}, {n}, {0}, {out}, {work});",
        ..structured("svd_u", &["x"], &[&[2]], left_vectors, |x, _| matrix::svd(&x[0]).0)
    },
    OpSpec {
        doc: "The right singular vectors as columns, in the order of svdvals.",
        rule: Rule::Missing("the derivative of singular vectors is not written"),
        latex: r"V",
        rust: "svd_v",
        python: alike("xp.swapaxes(xp.linalg.svd({0}, full_matrices=False)[2], -1, -2)"),
        c: "cr_svd_v({m}, {n}, {0}, {out}, {work});",
        ..structured("svd_v", &["x"], &[&[2]], right_vectors, |x, _| matrix::svd(&x[0]).2)
    },
];

/// The last two axes of an argument.
fn matrix_axes(shapes: &[Shape], arg: usize) -> [Dim; 2] {
    match shapes[arg].as_slice() {
        [.., rows, columns] => [rows.clone(), columns.clone()],
        _ => [Dim::fixed(1), Dim::fixed(1)],
    }
}

type Axes = Result<Vec<Dim>, String>;

fn square(graph: &Graph, shapes: &[Shape], _: &Attrs) -> Axes {
    let [rows, columns] = matrix_axes(shapes, 0);
    if rows != columns {
        return Err(format!(
            "a square matrix is needed, this one is {} by {}",
            graph.show_dim(&rows),
            graph.show_dim(&columns)
        ));
    }
    Ok(vec![rows, columns])
}

fn number_of_square(graph: &Graph, shapes: &[Shape], attrs: &Attrs) -> Axes {
    square(graph, shapes, attrs).map(|_| Vec::new())
}

fn vector_of_square(graph: &Graph, shapes: &[Shape], attrs: &Attrs) -> Axes {
    square(graph, shapes, attrs).map(|axes| axes[..1].to_vec())
}

fn same(_: &Graph, shapes: &[Shape], _: &Attrs) -> Axes {
    Ok(matrix_axes(shapes, 0).to_vec())
}

fn solution(graph: &Graph, shapes: &[Shape], attrs: &Attrs) -> Axes {
    let size = square(graph, shapes, attrs)?.swap_remove(0);
    let vector = shapes[1].len() == 1;
    let [rows, columns] = matrix_axes(shapes, 1);
    let height = if vector { shapes[1][0].clone() } else { rows };
    if height != size {
        return Err(format!(
            "the matrix has {} rows, but the right side has {}",
            graph.show_dim(&size),
            graph.show_dim(&height)
        ));
    }
    Ok(if vector { vec![size] } else { vec![size, columns] })
}

/// How many singular values: the smaller size, if that can be told.
fn smaller(graph: &Graph, shapes: &[Shape]) -> Result<Dim, String> {
    let [rows, columns] = matrix_axes(shapes, 0);
    match (rows.as_fixed(), columns.as_fixed()) {
        (Some(m), Some(n)) => Ok(Dim::fixed(m.min(n))),
        _ if rows == columns => Ok(rows),
        _ => Err(format!(
            "it is not known which of {} and {} is smaller; fix the sizes, as in `dim N = 3;`",
            graph.show_dim(&rows),
            graph.show_dim(&columns)
        )),
    }
}

fn singular_values(graph: &Graph, shapes: &[Shape], _: &Attrs) -> Axes {
    smaller(graph, shapes).map(|size| vec![size])
}

fn left_vectors(graph: &Graph, shapes: &[Shape], _: &Attrs) -> Axes {
    let [rows, _] = matrix_axes(shapes, 0);
    smaller(graph, shapes).map(|size| vec![rows, size])
}

fn right_vectors(graph: &Graph, shapes: &[Shape], _: &Attrs) -> Axes {
    let [_, columns] = matrix_axes(shapes, 0);
    smaller(graph, shapes).map(|size| vec![columns, size])
}

fn vector(data: Vec<f64>) -> Array {
    Array { shape: vec![data.len()], data }
}

fn solve(a: &Array, b: &Array) -> Array {
    if b.shape.len() == 2 {
        return matrix::solve(a, b);
    }
    let column = Array { shape: vec![b.data.len(), 1], data: b.data.clone() };
    vector(matrix::solve(a, &column).data)
}

fn masked(x: &Array, keep: impl Fn(f64, f64) -> bool) -> Array {
    Array::from_fn(&x.shape, |ix| if keep(ix[0] as f64, ix[1] as f64) { x.at(ix) } else { 0.0 })
}
