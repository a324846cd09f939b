//! Random typed expressions over the rule book: every expression is made for a shape. In: random numbers. Out: a tree that is
//! written as text in either notation (`write.rs`) and worked out by an interpreter of its own (`dual.rs`).

use chainrule_core::ops::probe::Random;
use chainrule_core::ops::{self, Eval, Kind, OpSpec, Rule};

/// An expression.
#[derive(Clone)]
pub enum Expr {
    /// A parameter, by number.
    Param(usize),
    /// An earlier definition, by number.
    Def(usize),
    /// A number.
    Num(f64),
    /// `a + b`, `a - b`, `a * b`, broadcast.
    Binary(char, Box<Expr>, Box<Expr>),
    /// `a ^ 2`
    Power(Box<Expr>, i32),
    /// A row that acts entry by entry.
    Entrywise(&'static OpSpec, Vec<Expr>),
    /// A reduction over one axis, or over all.
    Reduce(&'static OpSpec, Box<Expr>, Option<usize>, bool),
    /// A function along an axis.
    Along(&'static OpSpec, Box<Expr>, usize),
    /// A loss, reduced by the mean.
    Loss(&'static OpSpec, Box<Expr>, Box<Expr>),
    /// A row of linear algebra.
    Matrix(&'static OpSpec, Vec<Expr>),
    /// `a @ b` of matrices and vectors.
    Product(Box<Expr>, Box<Expr>),
    /// The last two axes exchanged.
    Transpose(Box<Expr>),
    /// A slice of an axis: start, step and how many.
    Slice(Box<Expr>, usize, usize, i64, usize),
    /// An axis read at a position.
    At(Box<Expr>, usize, usize),
    /// The same entries in another shape.
    Reshape(Box<Expr>, Vec<usize>),
    /// One after the other along an axis.
    Concat(Box<Expr>, Box<Expr>, usize),
    /// An axis read backwards.
    Flip(Box<Expr>, usize),
    /// The diagonal matrix of a vector, or the diagonal of a matrix.
    Diag(Box<Expr>),
    /// `sum[k](x[i + k] * w[k])`
    Window(Box<Expr>, Box<Expr>),
}

/// What a random program is made of.
#[derive(Default)]
pub struct Maker {
    /// Shapes of the parameters.
    pub params: Vec<Vec<usize>>,
    /// Definitions with their shapes.
    pub defs: Vec<(Vec<usize>, Expr)>,
    /// Whether a second derivative is asked for: not every row has one.
    pub twice: bool,
    random: u64,
}

/// Rows whose second derivative is written with a function that has none, or where eigenvalues may coincide.
const ONCE: &[&str] = &["lgamma", "digamma", "svdvals", "eigvalsh"];
/// Rows that random arguments rarely suit, or that the interpreter does not know.
const LEFT_OUT: &[&str] =
    &["eigvecsh", "svd_u", "svd_v", "trigamma", "prod_others", "batch_norm", "stop_gradient"];

impl Maker {
    /// A program of one to three definitions and a scalar loss.
    pub fn program(seed: u64) -> Maker {
        let mut maker = Maker { random: seed, ..Maker::default() };
        maker.twice = maker.below(2) == 0;
        for _ in 0..maker.below(3) {
            let shape = maker.shape();
            let depth = 1 + maker.below(2);
            let expr = maker.expr(&shape, depth);
            maker.defs.push((shape, expr));
        }
        let shape = maker.shape();
        let depth = 2 + maker.below(2);
        let expr = maker.expr(&shape, depth);
        maker.defs.push((shape, expr));
        maker
    }

    /// Whether a definition is the largest entry of a formula, or the like. A closed form asks which entries are equal to it and
    /// writes that formula again, which other brackets round differently; so it cannot be read back.
    pub fn picks_by_name(&self) -> bool {
        let formula = |x: &Expr| !matches!(x, Expr::Param(_) | Expr::Def(_));
        self.defs.iter().any(|(_, expr)| match expr {
            Expr::Reduce(row, x, ..) | Expr::Along(row, x, _) => {
                (row.rule.picks() || row.name == "norminf") && formula(x)
            }
            _ => false,
        })
    }

    /// A whole number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        let mut random = Random(self.random);
        let drawn = random.below(n);
        self.random = random.0;
        drawn
    }

    fn shape(&mut self) -> Vec<usize> {
        let rank = [0, 1, 1, 2, 2, 2, 3][self.below(7)];
        (0..rank).map(|_| [1, 2, 2, 3, 3][self.below(5)]).collect()
    }

    fn boxed(&mut self, shape: &[usize], depth: usize) -> Box<Expr> {
        Box::new(self.expr(shape, depth))
    }

    /// A shape that broadcasts to another one.
    fn narrower(&mut self, shape: &[usize]) -> Vec<usize> {
        let mut narrow = shape.to_vec();
        if !narrow.is_empty() {
            match self.below(4) {
                0 => drop(narrow.remove(0)),
                1 => {
                    let axis = self.below(narrow.len());
                    narrow[axis] = 1;
                }
                _ => {}
            }
        }
        narrow
    }

    fn leaf(&mut self, shape: &[usize]) -> Expr {
        let defs: Vec<usize> =
            (0..self.defs.len()).filter(|&at| self.defs[at].0 == shape).collect();
        if !defs.is_empty() && self.below(2) == 0 {
            return Expr::Def(defs[self.below(defs.len())]);
        }
        if shape.is_empty() && self.below(3) == 0 {
            return Expr::Num([0.5, 2.0, 3.0, -1.0, 0.25][self.below(5)]);
        }
        let known: Vec<usize> =
            (0..self.params.len()).filter(|&at| self.params[at] == shape).collect();
        if !known.is_empty() && (self.params.len() > 3 || self.below(3) > 0) {
            return Expr::Param(known[self.below(known.len())]);
        }
        self.params.push(shape.to_vec());
        Expr::Param(self.params.len() - 1)
    }

    /// An expression of a shape.
    pub fn expr(&mut self, shape: &[usize], depth: usize) -> Expr {
        if depth == 0 {
            return self.leaf(shape);
        }
        match self.below(12) {
            0..=2 => self.binary(shape, depth),
            3 | 4 => self.entrywise(shape, depth),
            5 => self.reduce(shape, depth),
            6 if !shape.is_empty() => self.along(shape, depth),
            7 | 8 => self.product(shape, depth).unwrap_or_else(|| self.binary(shape, depth)),
            9 => self.algebra(shape, depth).unwrap_or_else(|| self.entrywise(shape, depth)),
            10 if !shape.is_empty() => self.moved(shape, depth),
            11 if shape.is_empty() => self.loss(depth),
            _ => self.binary(shape, depth),
        }
    }

    fn binary(&mut self, shape: &[usize], depth: usize) -> Expr {
        if self.below(8) == 0 {
            return Expr::Power(self.boxed(shape, depth - 1), 2 + self.below(2) as i32);
        }
        let narrow = self.narrower(shape);
        let (a, b) = (self.boxed(shape, depth - 1), self.boxed(&narrow, depth - 1));
        let op = ['+', '-', '*', '*'][self.below(4)];
        if self.below(2) == 0 { Expr::Binary(op, a, b) } else { Expr::Binary(op, b, a) }
    }

    /// One of the rows of a kind that are differentiable as often as is wanted.
    fn row(&mut self, fits: impl Fn(&OpSpec) -> bool) -> &'static OpSpec {
        let rows: Vec<&'static OpSpec> = ops::all()
            .map(|(_, _, row)| row)
            .filter(|row| fits(row) && !LEFT_OUT.contains(&row.name))
            .filter(|row| !matches!(row.rule, Rule::NoDerivative | Rule::Missing(_)))
            .filter(|row| !self.twice || !ONCE.contains(&row.name))
            .collect();
        rows[self.below(rows.len())]
    }

    fn entrywise(&mut self, shape: &[usize], depth: usize) -> Expr {
        let row = self.row(|row| matches!(row.kind, Kind::Elementwise));
        let args = (0..row.params.len()).map(|at| {
            let narrow = if at == 0 { shape.to_vec() } else { self.narrower(shape) };
            let arg = self.expr(&narrow, depth - 1);
            within(row, at, arg)
        });
        Expr::Entrywise(row, args.collect())
    }

    fn reduce(&mut self, shape: &[usize], depth: usize) -> Expr {
        let row = self.row(|row| matches!(row.kind, Kind::Reduce));
        if shape.is_empty() && self.below(2) == 0 {
            let inner = self.shape();
            return Expr::Reduce(row, self.boxed(&inner, depth - 1), None, false);
        }
        let mut inner = shape.to_vec();
        if let Some(axis) = shape.iter().position(|&size| size == 1) {
            inner[axis] = 2;
            return Expr::Reduce(row, self.boxed(&inner, depth - 1), Some(axis), true);
        }
        let axis = self.below(shape.len() + 1);
        inner.insert(axis, 2 + self.below(2));
        Expr::Reduce(row, self.boxed(&inner, depth - 1), Some(axis), false)
    }

    fn along(&mut self, shape: &[usize], depth: usize) -> Expr {
        let row = self.row(|row| matches!(row.kind, Kind::Along));
        Expr::Along(row, self.boxed(shape, depth - 1), self.below(shape.len()))
    }

    fn loss(&mut self, depth: usize) -> Expr {
        let row = self.row(|row| matches!(row.kind, Kind::Loss { .. }));
        let shape = [2 + self.below(2), 2];
        let [a, b] = [0, 1].map(|at| Box::new(within(row, at, self.expr(&shape, depth - 1))));
        Expr::Loss(row, a, b)
    }

    fn product(&mut self, shape: &[usize], depth: usize) -> Option<Expr> {
        let k = 1 + self.below(3);
        let (left, right) = match *shape {
            [] => (vec![k], vec![k]),
            [m] if self.below(2) == 0 => (vec![m, k], vec![k]),
            [m] => (vec![k], vec![k, m]),
            [n, m] => (vec![n, k], vec![k, m]),
            [b, n, m] if self.below(2) == 0 => (vec![b, n, k], vec![k, m]),
            [b, n, m] => (vec![b, n, k], vec![b, k, m]),
            _ => return None,
        };
        Some(Expr::Product(self.boxed(&left, depth - 1), self.boxed(&right, depth - 1)))
    }

    fn algebra(&mut self, shape: &[usize], depth: usize) -> Option<Expr> {
        let names: &[&str] = match *shape {
            [] => &["det", "logdet", "trace"],
            [_] => &["diag", "solve", "eigvalsh"],
            [n, m] if n == m => &["inv", "solve", "cholesky", "tril", "triu", "transpose", "diag"],
            [_, _] => &["solve", "transpose"],
            _ => return None,
        };
        let name = names[self.below(names.len())];
        let name = if self.twice && ONCE.contains(&name) { "diag" } else { name };
        let n = shape.first().copied().unwrap_or(2);
        let row = || ops::lookup(name, if name == "solve" { 2 } else { 1 }).map(|(_, row)| row);
        Some(match name {
            "transpose" => Expr::Transpose(self.boxed(&[shape[1], shape[0]], depth - 1)),
            "diag" if shape.len() == 1 => Expr::Diag(self.boxed(&[n, n], depth - 1)),
            "diag" => Expr::Diag(self.boxed(&[n], depth - 1)),
            "trace" => {
                let sum = ops::lookup("sum", 1)?.1;
                let diagonal = Expr::Diag(self.boxed(&[2, 2], depth - 1));
                Expr::Reduce(sum, Box::new(diagonal), None, false)
            }
            "tril" | "triu" => {
                let row = ops::all().map(|(.., row)| row).find(|row| row.name == name)?;
                Expr::Matrix(row, vec![self.expr(shape, depth - 1)])
            }
            "solve" => {
                Expr::Matrix(row()?, vec![self.definite(n, depth), self.expr(shape, depth - 1)])
            }
            _ => Expr::Matrix(row()?, vec![self.definite(n, depth)]),
        })
    }

    /// `tanh(x) @ tanh(x).T + diag(y^2 + 1)` is invertible, and its eigenvalues are not huge.
    fn definite(&mut self, n: usize, depth: usize) -> Expr {
        let tanh = ops::lookup("tanh", 1).expect("a row").1;
        let x = Expr::Entrywise(tanh, vec![self.expr(&[n, n], depth - 1)]);
        let square = Expr::Product(Box::new(x.clone()), Box::new(Expr::Transpose(Box::new(x))));
        let y = Expr::Power(Box::new(self.leaf(&[n])), 2);
        let diagonal = Expr::Binary('+', Box::new(y), Box::new(Expr::Num(1.0)));
        Expr::Binary('+', Box::new(square), Box::new(Expr::Diag(Box::new(diagonal))))
    }

    /// Entries taken from elsewhere.
    fn moved(&mut self, shape: &[usize], depth: usize) -> Expr {
        let axis = self.below(shape.len());
        let mut other = shape.to_vec();
        if let [n] = *shape
            && self.below(3) == 0
        {
            let k = 1 + self.below(3);
            return Expr::Window(self.boxed(&[n + k - 1], depth - 1), self.boxed(&[k], depth - 1));
        }
        match self.below(5) {
            0 => Expr::Flip(self.boxed(shape, depth - 1), axis),
            1 if shape[axis] > 1 => {
                let first = 1 + self.below(shape[axis] - 1);
                other[axis] = first;
                let a = self.boxed(&other, depth - 1);
                other[axis] = shape[axis] - first;
                Expr::Concat(a, self.boxed(&other, depth - 1), axis)
            }
            2 => Expr::Reshape(self.boxed(&[shape.iter().product()], depth - 1), shape.to_vec()),
            3 => {
                other.insert(axis, 3);
                let at = self.below(3);
                Expr::At(self.boxed(&other, depth - 1), axis, at)
            }
            _ => {
                let step = [1, 1, 2, -1, -2][self.below(5)];
                let span = (shape[axis] - 1) * usize::try_from(i64::abs(step)).unwrap_or(1);
                let offset = self.below(2);
                other[axis] = span + 1 + offset + self.below(2);
                let start = if step > 0 { offset } else { offset + span };
                Expr::Slice(self.boxed(&other, depth - 1), axis, start, step, shape[axis])
            }
        }
    }
}

/// An argument moved into the domain where a row is sampled.
fn within(row: &OpSpec, at: usize, arg: Expr) -> Expr {
    let last = row.probe.domain[row.probe.domain.len() - 1];
    let (low, high) = row.probe.domain.get(at).copied().unwrap_or(last);
    if (low, high) == (-3.0, 3.0) && !matches!(row.eval, Eval::Defined) {
        return arg;
    }
    let sigmoid = ops::lookup("sigmoid", 1).expect("a row").1;
    let unit = Box::new(Expr::Entrywise(sigmoid, vec![arg]));
    let scaled = Expr::Binary('*', Box::new(Expr::Num(high - low)), unit);
    Expr::Binary('+', Box::new(Expr::Num(low)), Box::new(scaled))
}
