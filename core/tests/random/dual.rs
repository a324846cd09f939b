//! An interpreter of random expressions that shares nothing with the compiler but the reference values of the rows: every
//! entry carries its derivative along a direction (a dual number). It neither builds a graph nor knows a derivative.

use super::make::{Expr, Maker};
use super::write::broadcast;
use chainrule_core::eval::Array;
use chainrule_core::ir::Attrs;
use chainrule_core::ops::{Eval, OpSpec};
use std::cell::Cell;

/// Entries and their derivatives.
#[derive(Clone, Debug)]
pub struct Dual {
    pub shape: Vec<usize>,
    pub value: Vec<f64>,
    pub slope: Vec<f64>,
}

/// Where the functions of a program stand.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub enum Stands {
    Smooth,
    /// One exactly on a kink.
    OnKink,
    /// One has no value, which a comparison may hide.
    Nowhere,
}

/// The definitions of a program in order, at a point and along a direction, and where their functions stand.
pub fn run(maker: &Maker, params: &[Dual], step: f64) -> (Vec<Dual>, Stands) {
    run_moving(maker, params, step, &mut |_, _| {})
}

/// The same where definitions may be moved once they are known.
pub fn run_moving(
    maker: &Maker,
    params: &[Dual],
    step: f64,
    moved: &mut dyn FnMut(usize, &mut Dual),
) -> (Vec<Dual>, Stands) {
    let mut defs = Vec::new();
    let stands = Cell::new(Stands::Smooth);
    for (at, (_, expr)) in maker.defs.iter().enumerate() {
        let mut value = Run { maker, params, step, defs: &defs, stands: &stands }.of(expr);
        moved(at, &mut value);
        defs.push(value);
    }
    (defs, stands.get())
}

struct Run<'a> {
    maker: &'a Maker,
    params: &'a [Dual],
    /// Of central differences.
    step: f64,
    defs: &'a [Dual],
    stands: &'a Cell<Stands>,
}

impl Dual {
    fn array(&self) -> Array {
        Array { shape: self.shape.clone(), data: self.value.clone() }
    }

    /// From entries at positions of another one.
    fn picked(&self, shape: &[usize], place: impl Fn(&[usize]) -> Vec<usize>) -> Dual {
        let strides = self.array().strides();
        let mut dual = Dual { shape: shape.to_vec(), value: Vec::new(), slope: Vec::new() };
        for ix in positions(shape) {
            let at: usize = place(&ix).iter().zip(&strides).map(|(i, s)| i * s).sum();
            dual.value.push(self.value[at]);
            dual.slope.push(self.slope[at]);
        }
        dual
    }

    fn widened(&self, shape: &[usize]) -> Dual {
        let skip = shape.len() - self.shape.len();
        self.picked(shape, |ix| {
            ix[skip..]
                .iter()
                .zip(&self.shape)
                .map(|(i, size)| if *size == 1 { 0 } else { *i })
                .collect()
        })
    }
}

fn positions(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    chainrule_core::eval::array::for_each_index(shape, |ix| all.push(ix.to_vec()));
    all
}

impl Run<'_> {
    /// A function of whole arrays at arguments that move: its value, and central differences along the direction, extrapolated.
    fn moved(&self, args: &[Dual], f: impl Fn(&[Array]) -> Array) -> Dual {
        let at = |h: f64| {
            let shifted: Vec<Array> = args
                .iter()
                .map(|arg| Array {
                    shape: arg.shape.clone(),
                    data: arg.value.iter().zip(&arg.slope).map(|(x, v)| x + h * v).collect(),
                })
                .collect();
            f(&shifted)
        };
        let here = at(0.0);
        self.see(Stands::Nowhere, here.data.iter().any(|value| value.is_nan()));
        let size =
            args.iter().flat_map(|arg| &arg.slope).fold(1.0, |most: f64, v| most.max(v.abs()));
        let h = self.step / size;
        let [up, down, far_up, far_down] = [h, -h, 2.0 * h, -2.0 * h].map(at);
        let slope = (0..here.data.len())
            .map(|k| {
                let (near, far) = (up.data[k] - down.data[k], far_up.data[k] - far_down.data[k]);
                let bent = |up: f64, down: f64| (up - 2.0 * here.data[k] + down).abs();
                self.see_kink(
                    bent(up.data[k], down.data[k]) / h,
                    bent(far_up.data[k], far_down.data[k]) / (2.0 * h),
                );
                (8.0 * near - far) / (12.0 * h)
            })
            .collect();
        Dual { shape: here.shape, value: here.data, slope }
    }

    fn see(&self, what: Stands, seen: bool) {
        if seen && what > self.stands.get() {
            self.stands.set(what);
        }
    }

    /// How far slopes on both sides differ over a step, and over twice the step: twice as far where the function is smooth, as far on
    /// a kink.
    fn see_kink(&self, once: f64, twice: f64) {
        let kink = once > 1e-3 * self.step && twice < 1.5 * once;
        self.see(Stands::OnKink, kink);
    }

    fn of(&self, expr: &Expr) -> Dual {
        match expr {
            Expr::Param(at) => self.params[*at].clone(),
            Expr::Def(at) => self.defs[*at].clone(),
            Expr::Num(value) => Dual { shape: Vec::new(), value: vec![*value], slope: vec![0.0] },
            Expr::Binary(op, a, b) => binary(*op, &self.of(a), &self.of(b)),
            Expr::Power(x, n) => {
                let mut x = self.of(x);
                for (value, slope) in x.value.iter_mut().zip(&mut x.slope) {
                    *slope *= f64::from(*n) * value.powi(n - 1);
                    *value = value.powi(*n);
                }
                x
            }
            Expr::Entrywise(row, args) => {
                let args: Vec<Dual> = args.iter().map(|arg| self.of(arg)).collect();
                let shape =
                    args.iter().fold(Vec::new(), |shape, arg| broadcast(&shape, &arg.shape));
                let args: Vec<Dual> = args.iter().map(|arg| arg.widened(&shape)).collect();
                let kink = |x: &f64| row.probe.kinks.iter().any(|kink| (x - kink).abs() < 1e-12);
                self.see(Stands::OnKink, args[0].value.iter().any(kink));
                self.moved(&args, |args| entrywise(row, args))
            }
            Expr::Reduce(row, x, axis, keep) => self.reduce(row, &self.of(x), *axis, *keep),
            Expr::Along(row, x, axis) => self.lanes(&self.of(x), *axis, |lane| along(row, lane)),
            Expr::Loss(row, a, b) => self.moved(&[self.of(a), self.of(b)], |args| {
                Array::scalar(loss(row.name, &args[0], &args[1]))
            }),
            Expr::Matrix(row, args) => {
                let mut args: Vec<Dual> = args.iter().map(|arg| self.of(arg)).collect();
                if args.len() < row.params.len() {
                    args.push(Dual { shape: Vec::new(), value: vec![0.0], slope: vec![0.0] });
                }
                let Eval::Tensor(f) = row.eval else { panic!("{} has a reference", row.name) };
                self.moved(&args, |args| f(args, &Attrs::default()))
            }
            Expr::Window(x, w) => window(&self.of(x), &self.of(w)),
            Expr::Product(a, b) => product(&self.of(a), &self.of(b), &self.maker.shape_of(expr)),
            _ => self.rearranged(expr),
        }
    }

    fn rearranged(&self, expr: &Expr) -> Dual {
        let shape = self.maker.shape_of(expr);
        match expr {
            Expr::Transpose(x) => {
                self.of(x).picked(&shape, |ix| ix.iter().rev().copied().collect())
            }
            Expr::Slice(x, axis, start, step, _) => self.of(x).picked(&shape, |ix| {
                let mut ix = ix.to_vec();
                ix[*axis] = (*start as i64 + step * ix[*axis] as i64) as usize;
                ix
            }),
            Expr::At(x, axis, at) => self.of(x).picked(&shape, |ix| {
                let mut ix = ix.to_vec();
                ix.insert(*axis, *at);
                ix
            }),
            Expr::Flip(x, axis) => self.of(x).picked(&shape, |ix| {
                let mut ix = ix.to_vec();
                ix[*axis] = shape[*axis] - 1 - ix[*axis];
                ix
            }),
            Expr::Reshape(x, _) => Dual { shape, ..self.of(x) },
            Expr::Concat(a, b, axis) => {
                let (a, b) = (self.of(a), self.of(b));
                let first = a.shape[*axis];
                let pick = |from: &Dual, by: usize| {
                    from.picked(&shape, |ix| {
                        let mut ix = ix.to_vec();
                        ix[*axis] = ix[*axis].saturating_sub(by).min(from.shape[*axis] - 1);
                        ix
                    })
                };
                let (mut low, high) = (pick(&a, 0), pick(&b, first));
                for (k, ix) in positions(&shape).iter().enumerate() {
                    if ix[*axis] >= first {
                        (low.value[k], low.slope[k]) = (high.value[k], high.slope[k]);
                    }
                }
                low
            }
            Expr::Diag(x) => {
                let x = self.of(x);
                if x.shape.len() == 2 {
                    return x.picked(&shape, |ix| vec![ix[0], ix[0]]);
                }
                let mut full = x.picked(&shape, |ix| vec![ix[0]]);
                for (k, ix) in positions(&shape).iter().enumerate() {
                    if ix[0] != ix[1] {
                        (full.value[k], full.slope[k]) = (0.0, 0.0);
                    }
                }
                full
            }
            _ => unreachable!("worked out above"),
        }
    }

    /// A function of every lane along an axis; all results have one length.
    fn lanes(&self, x: &Dual, axis: usize, f: impl Fn(&[f64]) -> Vec<f64>) -> Dual {
        self.moved(std::slice::from_ref(x), |args| {
            let x = &args[0];
            let mut starts = x.shape.clone();
            starts[axis] = 1;
            let results: Vec<(Vec<usize>, Vec<f64>)> = positions(&starts)
                .into_iter()
                .map(|start| {
                    let lane: Vec<f64> = (0..x.shape[axis])
                        .map(|k| {
                            let mut ix = start.clone();
                            ix[axis] = k;
                            x.at(&ix)
                        })
                        .collect();
                    (start, f(&lane))
                })
                .collect();
            let mut shape = x.shape.clone();
            shape[axis] = results[0].1.len();
            Array::from_fn(&shape, |ix| {
                let mut start = ix.to_vec();
                start[axis] = 0;
                let lane = results.iter().find(|(known, _)| *known == start).expect("a lane");
                lane.1[ix[axis]]
            })
        })
    }

    fn reduce(&self, row: &OpSpec, x: &Dual, axis: Option<usize>, keep: bool) -> Dual {
        let Some(axis) = axis else {
            return self
                .moved(std::slice::from_ref(x), |args| Array::scalar(fold(row, &args[0].data)));
        };
        let mut reduced = self.lanes(x, axis, |lane| vec![fold(row, lane)]);
        if !keep {
            reduced.shape.remove(axis);
        }
        reduced
    }
}

fn binary(op: char, a: &Dual, b: &Dual) -> Dual {
    let shape = broadcast(&a.shape, &b.shape);
    let (a, b) = (a.widened(&shape), b.widened(&shape));
    let mut result = a.clone();
    for k in 0..a.value.len() {
        let (x, y, dx, dy) = (a.value[k], b.value[k], a.slope[k], b.slope[k]);
        (result.value[k], result.slope[k]) = match op {
            '+' => (x + y, dx + dy),
            '-' => (x - y, dx - dy),
            _ => (x * y, x * dy + y * dx),
        };
    }
    result
}

fn window(x: &Dual, w: &Dual) -> Dual {
    let count = x.value.len() + 1 - w.value.len();
    let sum =
        |i: usize, f: &dyn Fn(usize, usize) -> f64| (0..w.value.len()).map(|k| f(i + k, k)).sum();
    let slope = |at: usize, k: usize| x.value[at] * w.slope[k] + x.slope[at] * w.value[k];
    Dual {
        shape: vec![count],
        value: (0..count).map(|i| sum(i, &|at, k| x.value[at] * w.value[k])).collect(),
        slope: (0..count).map(|i| sum(i, &slope)).collect(),
    }
}

fn product(a: &Dual, b: &Dual, shape: &[usize]) -> Dual {
    let k = a.shape[a.shape.len() - 1];
    let (rows, columns) = (a.shape.len() > 1, b.shape.len() > 1);
    let batch = shape.len() - usize::from(rows) - usize::from(columns);
    let mut result = Dual { shape: shape.to_vec(), value: Vec::new(), slope: Vec::new() };
    let (sa, sb) = (a.array().strides(), b.array().strides());
    let at = |ix: &[usize], strides: &[usize]| -> usize {
        ix.iter().zip(strides).map(|(i, s)| i * s).sum()
    };
    for ix in positions(shape) {
        let (mut value, mut slope) = (0.0, 0.0);
        for m in 0..k {
            let mut left = ix[..a.shape.len().saturating_sub(2).min(batch)].to_vec();
            left.extend(rows.then(|| ix[batch]));
            left.push(m);
            let mut right = ix[..b.shape.len().saturating_sub(2).min(batch)].to_vec();
            right.push(m);
            right.extend(columns.then(|| ix[ix.len() - 1]));
            let (p, q) = (at(&left, &sa), at(&right, &sb));
            value += a.value[p] * b.value[q];
            slope += a.value[p] * b.slope[q] + a.slope[p] * b.value[q];
        }
        result.value.push(value);
        result.slope.push(slope);
    }
    result
}

fn entrywise(row: &OpSpec, args: &[Array]) -> Array {
    let f = |x: &[f64]| match (row.eval, row.name) {
        (Eval::Scalar(f), _) => f(x),
        (_, "sqrt") => x[0].sqrt(),
        (_, "square") => x[0] * x[0],
        (_, "reciprocal") => 1.0 / x[0],
        (_, name) => panic!("the interpreter does not know `{name}`"),
    };
    let entry = |k: usize| f(&args.iter().map(|arg| arg.data[k]).collect::<Vec<_>>());
    Array { shape: args[0].shape.clone(), data: (0..args[0].data.len()).map(entry).collect() }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn fold(row: &OpSpec, x: &[f64]) -> f64 {
    match (row.eval, row.name) {
        (Eval::Fold(f), _) => f(x),
        (_, "mean") => mean(x),
        (_, "var") => mean(&x.iter().map(|v| (v - mean(x)).powi(2)).collect::<Vec<_>>()),
        (_, "norm1") => x.iter().map(|v| v.abs()).sum(),
        (_, "norminf") => x.iter().fold(0.0, |most: f64, v| most.max(v.abs())),
        (_, name) => panic!("the interpreter does not know `{name}`"),
    }
}

fn along(row: &OpSpec, x: &[f64]) -> Vec<f64> {
    let squares = || x.iter().map(|v| v * v).sum::<f64>();
    let scaled = |by: f64| x.iter().map(|v| v / by).collect();
    match (row.eval, row.name) {
        (Eval::Lane(f), _) => f(x),
        (_, "normalize") => scaled(squares().sqrt()),
        (_, "rms_norm") => scaled((squares() / x.len() as f64 + 1e-5).sqrt()),
        (_, "layer_norm") => {
            let spread = mean(&x.iter().map(|v| (v - mean(x)).powi(2)).collect::<Vec<_>>());
            x.iter().map(|v| (v - mean(x)) / (spread + 1e-5).sqrt()).collect()
        }
        (_, name) => panic!("the interpreter does not know `{name}`"),
    }
}

/// Every loss, reduced by the mean over entries or, of those over classes, over rows.
fn loss(name: &str, a: &Array, b: &Array) -> f64 {
    let pairs = || a.data.iter().zip(&b.data);
    let each =
        |f: &dyn Fn(f64, f64) -> f64| mean(&pairs().map(|(x, y)| f(*x, *y)).collect::<Vec<_>>());
    let width = a.shape[a.shape.len() - 1];
    let rows = |f: &dyn Fn(&[f64], &[f64]) -> f64| {
        let rows = a.data.chunks(width).zip(b.data.chunks(width));
        mean(&rows.map(|(x, y)| f(x, y)).collect::<Vec<_>>())
    };
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let huber = |x: f64, y: f64| {
        let r = (x - y).abs();
        if r <= 1.0 { r * r / 2.0 } else { r - 0.5 }
    };
    match name {
        "mse" => each(&|x, y| (x - y).powi(2)),
        "mae" => each(&|x, y| (x - y).abs()),
        "bce" => each(&|p, t| -(t * p.ln() + (1.0 - t) * (1.0 - p).ln())),
        "bce_with_logits" => each(&|z, t| z.exp().ln_1p() - t * z),
        "hinge" => each(&|s, t| (1.0 - t * s).max(0.0)),
        "huber" | "smooth_l1" => each(&huber),
        "cross_entropy" => rows(&|p, t| -p.iter().zip(t).map(|(p, t)| t * p.ln()).sum::<f64>()),
        "nll" => rows(&|l, t| -dot(l, t)),
        "kl_div" => rows(&|p, q| p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum()),
        "softmax_cross_entropy" => rows(&|z, t| {
            let total = z.iter().map(|z| z.exp()).sum::<f64>().ln();
            -z.iter().zip(t).map(|(z, t)| t * (z - total)).sum::<f64>()
        }),
        "cosine_similarity" => rows(&|x, y| dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()),
        _ => panic!("the interpreter does not know `{name}`"),
    }
}
