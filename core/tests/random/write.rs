//! Random expressions as text: in matrix notation, or entry by entry in index notation.

use super::make::{Expr, Maker};

/// How a program is spelt.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Spelling {
    Matrix,
    Index,
}

impl Maker {
    /// The declarations and definitions; the last one is summed into the loss.
    pub fn text(&self, spelling: Spelling) -> String {
        let mut text = String::new();
        for (at, shape) in self.params.iter().enumerate() {
            text += &format!("param p{at}: {shape:?};\n");
        }
        for (at, (shape, expr)) in self.defs.iter().enumerate() {
            let body = match spelling {
                Spelling::Matrix => self.matrix(expr),
                Spelling::Index => self.tensor(expr, shape),
            };
            text += &format!("d{at} = {body};\n");
        }
        text + &format!("loss L = sum(d{});\n", self.defs.len() - 1)
    }

    pub fn shape_of(&self, expr: &Expr) -> Vec<usize> {
        match expr {
            Expr::Param(at) => self.params[*at].clone(),
            Expr::Def(at) => self.defs[*at].0.clone(),
            Expr::Num(_) | Expr::Loss(..) => Vec::new(),
            Expr::Binary(_, a, b) => broadcast(&self.shape_of(a), &self.shape_of(b)),
            Expr::Power(x, _) | Expr::Along(_, x, _) | Expr::Flip(x, _) => self.shape_of(x),
            Expr::Entrywise(_, args) => {
                args.iter().map(|arg| self.shape_of(arg)).fold(Vec::new(), |a, b| broadcast(&a, &b))
            }
            Expr::Reduce(_, x, axis, keep) => {
                let mut shape = self.shape_of(x);
                match axis {
                    None => shape.clear(),
                    Some(axis) if *keep => shape[*axis] = 1,
                    Some(axis) => drop(shape.remove(*axis)),
                }
                shape
            }
            Expr::Matrix(row, args) => {
                let n = self.shape_of(&args[0])[0];
                match row.name {
                    "det" | "logdet" => Vec::new(),
                    "eigvalsh" => vec![n],
                    "solve" => self.shape_of(&args[1]),
                    _ => vec![n, n],
                }
            }
            Expr::Product(a, b) => {
                let (mut a, mut b) = (self.shape_of(a), self.shape_of(b));
                a.pop();
                match b.len() {
                    1 => a,
                    rank => {
                        b.remove(rank - 2);
                        let column = b.pop();
                        let batch = if a.len() > b.len() { a } else { [b, a].concat() };
                        batch.into_iter().chain(column).collect()
                    }
                }
            }
            Expr::Transpose(x) => {
                let mut shape = self.shape_of(x);
                shape.reverse();
                shape
            }
            Expr::Slice(x, axis, _, _, count) => {
                let mut shape = self.shape_of(x);
                shape[*axis] = *count;
                shape
            }
            Expr::At(x, axis, _) => {
                let mut shape = self.shape_of(x);
                shape.remove(*axis);
                shape
            }
            Expr::Reshape(_, shape) => shape.clone(),
            Expr::Window(x, w) => vec![self.shape_of(x)[0] + 1 - self.shape_of(w)[0]],
            Expr::Concat(a, b, axis) => {
                let mut shape = self.shape_of(a);
                shape[*axis] += self.shape_of(b)[*axis];
                shape
            }
            Expr::Diag(x) => match self.shape_of(x).as_slice() {
                [n] => vec![*n, *n],
                shape => vec![shape[0]],
            },
        }
    }

    fn matrix(&self, expr: &Expr) -> String {
        let list =
            |args: &[Expr]| args.iter().map(|arg| self.matrix(arg)).collect::<Vec<_>>().join(", ");
        match expr {
            Expr::Param(at) => format!("p{at}"),
            Expr::Def(at) => format!("d{at}"),
            Expr::Num(value) => format!("({value})"),
            Expr::Binary(op, a, b) => format!("({} {op} {})", self.matrix(a), self.matrix(b)),
            Expr::Power(x, n) => format!("({})^{n}", self.matrix(x)),
            Expr::Entrywise(row, args) | Expr::Matrix(row, args) => {
                format!("{}({})", row.name, list(args))
            }
            Expr::Reduce(row, x, None, _) => format!("{}({})", row.name, self.matrix(x)),
            Expr::Reduce(row, x, Some(axis), keep) => {
                format!("{}({}, axis={axis}, keepdims={keep})", row.name, self.matrix(x))
            }
            Expr::Along(row, x, axis) => format!("{}({}, axis={axis})", row.name, self.matrix(x)),
            Expr::Loss(row, a, b) => {
                format!("{}({}, {})", row.name, self.matrix(a), self.matrix(b))
            }
            Expr::Product(a, b) => format!("({} @ {})", self.matrix(a), self.matrix(b)),
            Expr::Transpose(x) => format!("({}).T", self.matrix(x)),
            Expr::Slice(x, axis, start, step, count) => {
                let end = *start as i64 + step * (*count as i64);
                let end = if end < 0 { String::new() } else { end.to_string() };
                format!("({})[{}{start}:{end}:{step}]", self.matrix(x), ":, ".repeat(*axis))
            }
            Expr::At(x, axis, at) => format!("({})[{}{at}]", self.matrix(x), ":, ".repeat(*axis)),
            Expr::Reshape(x, shape) => format!("reshape({}, {shape:?})", self.matrix(x)),
            Expr::Concat(a, b, axis) => {
                format!("concat([{}, {}], axis={axis})", self.matrix(a), self.matrix(b))
            }
            Expr::Flip(x, axis) => format!("flip({}, axis={axis})", self.matrix(x)),
            Expr::Diag(x) => format!("diag({})", self.matrix(x)),
            Expr::Window(..) => self.tensor(expr, &self.shape_of(expr)),
        }
    }

    /// `tensor[i:2, j:3](…)`
    fn tensor(&self, expr: &Expr, shape: &[usize]) -> String {
        let names: Vec<String> = (0..shape.len()).map(|axis| format!("i{axis}")).collect();
        let body = self.entry(expr, &names, &mut shape.len().clone());
        if shape.is_empty() {
            return body;
        }
        let bound: Vec<String> =
            names.iter().zip(shape).map(|(name, size)| format!("{name}:{size}")).collect();
        format!("tensor[{}]({body})", bound.join(", "))
    }

    /// The entry of an expression at positions, which may be for a wider shape.
    fn entry(&self, expr: &Expr, at: &[String], letters: &mut usize) -> String {
        let shape = self.shape_of(expr);
        let mut at: Vec<String> = at[at.len() - shape.len()..].to_vec();
        for (place, size) in at.iter_mut().zip(&shape) {
            if *size == 1 {
                *place = "0".to_string();
            }
        }
        let mut fresh = || {
            *letters += 1;
            format!("i{}", *letters - 1)
        };
        match expr {
            Expr::Num(value) => format!("({value})"),
            Expr::Binary(op, a, b) => {
                let a = self.entry(a, &at, letters);
                format!("({a} {op} {})", self.entry(b, &at, letters))
            }
            Expr::Power(x, n) => format!("({})^{n}", self.entry(x, &at, letters)),
            Expr::Entrywise(row, args) => {
                let args: Vec<String> =
                    args.iter().map(|arg| self.entry(arg, &at, letters)).collect();
                format!("{}({})", row.name, args.join(", "))
            }
            Expr::Reduce(row, x, Some(axis), keep) => {
                let name = fresh();
                let size = self.shape_of(x)[*axis];
                if *keep {
                    at.remove(*axis);
                }
                at.insert(*axis, name.clone());
                format!("{}[{name}:{size}]({})", row.name, self.entry(x, &at, letters))
            }
            Expr::Product(a, b) => {
                let name = fresh();
                let (left, right) = (self.shape_of(a), self.shape_of(b));
                let size = left[left.len() - 1];
                let column = if right.len() > 1 { at.pop() } else { None };
                let mut first = at.clone();
                first.push(name.clone());
                let mut second = at[..at.len() - usize::from(left.len() > 1)].to_vec();
                second.push(name.clone());
                second.extend(column);
                let a = self.entry(a, &first, letters);
                format!("sum[{name}:{size}]({a} * {})", self.entry(b, &second, letters))
            }
            Expr::Transpose(x) => {
                at.reverse();
                self.entry(x, &at, letters)
            }
            Expr::At(x, axis, position) => {
                at.insert(*axis, position.to_string());
                self.entry(x, &at, letters)
            }
            Expr::Diag(x) if shape.len() == 1 => {
                at.push(at[0].clone());
                self.entry(x, &at, letters)
            }
            // One of the positions must be an index.
            Expr::Diag(x) if at.iter().any(|at| at.starts_with('i') && !at.contains(' ')) => {
                let delta = format!("delta[{}, {}]", at[0], at[1]);
                format!("({delta} * {})", self.entry(x, &at[..1], letters))
            }
            Expr::Window(x, w) => {
                let name = fresh();
                let shifted = format!("{} + {name}", at[0]);
                let size = self.shape_of(w)[0];
                let x = self.entry(x, &[shifted], letters);
                let w = self.entry(w, std::slice::from_ref(&name), letters);
                format!("sum[{name}:{size}]({x} * {w})")
            }
            _ if shape.is_empty() => self.matrix(expr),
            _ => format!("({})[{}]", self.matrix(expr), at.join(", ")),
        }
    }
}

/// The common shape under NumPy's rules.
pub fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    (0..rank).map(|axis| at(a, axis).max(at(b, axis))).collect()
}
