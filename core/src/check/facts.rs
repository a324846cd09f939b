//! Declared facts held against the arrays of a point. In: a program and a point. Out: a warning for every fact that does not
//! hold there, for formulas rely on what was declared.

use crate::eval::{Array, Point};
use crate::ir::Graph;
use crate::ir::graph::Fact;
use chainrule_grammar::{Code, Diagnostic};

/// How far sums and products of given numbers may be off: data is often given in single precision or to a few digits.
const TOLERANCE: f64 = 1e-5;
/// The largest matrix whose products are computed for this.
const LARGE: usize = 300;

/// A warning for every declared fact that the point does not satisfy.
pub fn broken(graph: &Graph, point: &Point) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (id, array) in &point.vars {
        let var = graph.var(*id);
        for &fact in &var.facts {
            let Some(why) = violation(fact, array) else { continue };
            let message = format!("`{}` is declared {}, but {why}", var.name, spelling(fact));
            let warning = Diagnostic::new(Code::BrokenFact, var.span, message).help(format!(
                "derivatives may use the fact: give a `{0}` that has it, or declare `{0}` without it",
                var.name
            ));
            found.push(warning);
        }
    }
    found
}

fn spelling(fact: Fact) -> &'static str {
    Fact::ALL.iter().find(|(_, known)| *known == fact).map_or("", |(name, _)| name)
}

/// What is wrong with an array that should have a fact.
fn violation(fact: Fact, array: &Array) -> Option<String> {
    let columns = array.shape.last().copied().unwrap_or(1).max(1);
    let rows = || array.data.chunks(columns);
    let row = |bad: &dyn Fn(&[f64]) -> Option<String>| {
        rows().enumerate().find_map(|(at, row)| bad(row).map(|why| format!("row {at} {why}")))
    };
    let entry = |bad: &dyn Fn(f64) -> bool| {
        array.data.iter().find(|value| bad(**value)).map(|value| format!("an entry is {value}"))
    };
    let sum = |row: &[f64]| row.iter().sum::<f64>();
    let off = |value: f64| (value - 1.0).abs() > TOLERANCE;
    match fact {
        Fact::OneHot => row(&|row| {
            let ones = row.iter().filter(|value| **value == 1.0).count();
            let others = row.iter().find(|value| **value != 0.0 && **value != 1.0);
            match (others, ones) {
                (Some(value), _) => Some(format!("has the entry {value}")),
                (None, 1) => None,
                (None, ones) => Some(format!("has {ones} ones")),
            }
        }),
        Fact::Simplex => entry(&|value| value < 0.0)
            .or_else(|| row(&|row| off(sum(row)).then(|| format!("sums to {}", sum(row))))),
        Fact::Unit => row(&|row| {
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            off(length).then(|| format!("has length {length}"))
        }),
        Fact::Positive => entry(&|value| value <= 0.0),
        Fact::Nonnegative => entry(&|value| value < 0.0),
        _ => of_matrix(fact, array),
    }
}

fn of_matrix(fact: Fact, array: &Array) -> Option<String> {
    let &[n, columns] = array.shape.as_slice() else { return None };
    if n != columns {
        return Some(format!("it is {n} × {columns}"));
    }
    let at = |i: usize, j: usize| array.data[i * n + j];
    let scale = array.data.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
    let pair = |bad: &dyn Fn(usize, usize) -> bool| {
        let mut places = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        places.find(|&(i, j)| bad(i, j))
    };
    let differs = |i, j| (at(i, j) - at(j, i)).abs() > TOLERANCE * scale;
    let asymmetric = || {
        pair(&differs).map(|(i, j)| {
            format!("entry [{i},{j}] is {} and entry [{j},{i}] is {}", at(i, j), at(j, i))
        })
    };
    let entry = |(i, j): (usize, usize)| format!("entry [{i},{j}] is {}", at(i, j));
    match fact {
        Fact::Symmetric => asymmetric(),
        Fact::Spd => asymmetric().or_else(|| {
            (n <= LARGE && !is_positive_definite(n, &at))
                .then(|| "it has an eigenvalue that is not positive".to_string())
        }),
        Fact::Diagonal => pair(&|i, j| i != j && at(i, j) != 0.0).map(entry),
        Fact::Triangular => pair(&|i, j| j > i && at(i, j) != 0.0).map(entry),
        Fact::Orthogonal if n <= LARGE => {
            let dot = |i: usize, j: usize| (0..n).map(|k| at(i, k) * at(j, k)).sum::<f64>();
            let bad = |i, j| (dot(i, j) - f64::from(u8::from(i == j))).abs() > TOLERANCE;
            pair(&bad).map(|(i, j)| format!("rows {i} and {j} have the product {}", dot(i, j)))
        }
        _ => None,
    }
}

/// Whether Cholesky's pivots are all positive.
fn is_positive_definite(n: usize, at: &impl Fn(usize, usize) -> f64) -> bool {
    let mut lower = vec![0.0; n * n];
    for j in 0..n {
        for i in j..n {
            let known: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            let rest = at(i, j) - known;
            if i == j && (rest.is_nan() || rest <= 0.0) {
                return false;
            }
            lower[i * n + j] = if i == j { rest.sqrt() } else { rest / lower[j * n + j] };
        }
    }
    true
}
