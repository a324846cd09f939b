//! Exact texts of formulas as they stand in textbooks, and fuzzed numbers: what is raised has the value of what was built.

use super::*;
use crate::ir::graph::DimInfo;
use crate::ir::{Dim, DimId, Num, Shape, Var, VarKind};

mod fuzz;
mod show;

use show::show;

/// A graph with sizes B, N, M.
struct Net {
    g: Graph,
    b: Dim,
    n: Dim,
    m: Dim,
}

fn net() -> Net {
    let mut g = Graph::default();
    for name in ["B", "N", "M"] {
        g.dims.push(DimInfo { name: name.to_string() });
    }
    let dim = |k| Dim::named(DimId(k));
    Net { g, b: dim(0), n: dim(1), m: dim(2) }
}

fn declare(g: &mut Graph, name: &str, kind: VarKind, shape: Shape) -> NodeId {
    let name = name.to_string();
    g.declare(Var {
        name,
        kind,
        int: false,
        shape,
        facts: Vec::new(),
        doc: Vec::new(),
        span: Default::default(),
    })
}

impl Net {
    fn input(&mut self, name: &str, shape: &[&Dim]) -> NodeId {
        let shape = shape.iter().map(|&dim| dim.clone()).collect();
        declare(&mut self.g, name, VarKind::Input, shape)
    }

    fn param(&mut self, name: &str, shape: &[&Dim]) -> NodeId {
        let shape = shape.iter().map(|&dim| dim.clone()).collect();
        declare(&mut self.g, name, VarKind::Param, shape)
    }

    fn minus(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let shape = self.g.shape(a).clone();
        self.g.add(&[(Num::ONE, a), (Num::int(-1), b)], &shape)
    }

    fn one_minus(&mut self, a: NodeId) -> NodeId {
        let shape = self.g.shape(a).clone();
        let ones = self.g.ones(&shape);
        self.minus(ones, a)
    }
}

fn both(g: &Graph, root: NodeId) -> (String, String) {
    let names = Names::new(g);
    let axes = names.axes(root);
    let entry = index(&names, root, &axes);
    (show(&entry), matrix(&names, root).map_or("-".to_string(), |expr| show(&expr)))
}

#[test]
fn perceptron_gradient() {
    let mut p = net();
    let (n, m) = (p.n.clone(), p.m.clone());
    let x = p.input("x", &[&n]);
    let t = p.input("t", &[&m]);
    let w = p.param("w", &[&n, &m]);
    let z = p.g.einsum(&[(x, vec![0]), (w, vec![0, 1])], &[1], &[]);
    let o = p.g.push(Op::Pow(Num::int(2)), vec![z], vec![m.clone()]);
    p.g.names.insert(o, "O".into());
    assert_eq!(both(&p.g, z), ("sum[j](x[j] * w[j,k])".into(), "x @ w".into()));
    let error = p.minus(o, t);
    let rest = p.one_minus(o);
    let grad =
        p.g.einsum(&[(error, vec![1]), (o, vec![1]), (rest, vec![1]), (x, vec![0])], &[0, 1], &[]);
    assert_eq!(
        both(&p.g, grad),
        (
            "(O[k] - t[k]) * O[k] * (1 - O[k]) * x[j]".into(),
            "outer(x, (O - t) * O * (1 - O))".into()
        )
    );
    let square = p.g.pow(error, Num::int(2));
    let loss = p.g.einsum(&[(square, vec![0])], &[], &[]);
    let loss = p.g.scale(Num::ratio(1, 2).unwrap(), loss);
    assert_eq!(
        both(&p.g, loss),
        ("1/2 * sum[k]((O[k] - t[k])^2)".into(), "1/2 * sum((O - t)^2)".into())
    );
    let partial = p.g.deriv(o, w);
    let step = p.g.einsum(&[(error, vec![0]), (partial, vec![0, 1, 2])], &[1, 2], &[]);
    assert_eq!(both(&p.g, step).0, "sum[i]((O[i] - t[i]) * d(O[i], w[j,k]))");
    let delta = p.g.delta(&m);
    let step = p.g.einsum(&[(error, vec![0]), (delta, vec![0, 2]), (x, vec![1])], &[1, 2], &[]);
    assert_eq!(both(&p.g, step).0, "x[j] * sum[i]((O[i] - t[i]) * delta[i,k])");
}

#[test]
fn batch_network() {
    let mut p = net();
    let (b, n, m) = (p.b.clone(), p.n.clone(), p.m.clone());
    let x = p.input("X", &[&b, &n]);
    let t = p.input("T", &[&b, &m]);
    let w = p.param("W", &[&n, &m]);
    let bias = p.param("b", &[&m]);
    let xw = p.g.einsum(&[(x, vec![0, 1]), (w, vec![1, 2])], &[0, 2], &[]);
    let wide = p.g.einsum(&[(bias, vec![1])], &[0, 1], &[(0, b.clone())]);
    let z = p.g.add(&[(Num::ONE, xw), (Num::ONE, wide)], &[b.clone(), m.clone()]);
    assert_eq!(both(&p.g, z), ("sum[j](X[n,j] * W[j,k]) + b[k]".into(), "X @ W + b".into()));
    p.g.names.insert(z, "p".into());
    let error = p.minus(z, t);
    let size = p.g.size(&b);
    let per = p.g.pow(size, Num::int(-1));
    let delta = p.g.einsum(&[(error, vec![0, 1]), (per, vec![])], &[0, 1], &[]);
    assert_eq!(both(&p.g, delta), ("(p[n,k] - T[n,k]) / B".into(), "(p - T) / B".into()));
    let grad = p.g.einsum(&[(x, vec![0, 1]), (delta, vec![0, 2])], &[1, 2], &[]);
    assert_eq!(
        both(&p.g, grad),
        ("sum[n](X[n,j] * (p[n,k] - T[n,k])) / B".into(), "X.T @ (p - T) / B".into())
    );
    let db = p.g.einsum(&[(error, vec![0, 1])], &[1], &[]);
    assert_eq!(both(&p.g, db).1, "sum(p - T, axis=0)");
    let dx = p.g.einsum(&[(error, vec![0, 2]), (w, vec![1, 2])], &[0, 1], &[]);
    assert_eq!(both(&p.g, dx).1, "(p - T) @ W.T");
    let h = p.input("H", &[&b, &n]);
    let tail = p.g.einsum(&[(error, vec![0, 2]), (w, vec![1, 2]), (h, vec![0, 1])], &[0, 1], &[]);
    assert_eq!(both(&p.g, tail).1, "((p - T) @ W.T) * H");
    let mixed = p.g.einsum(&[(x, vec![0, 1]), (error, vec![0, 2]), (t, vec![0, 2])], &[1, 2], &[]);
    assert_eq!(both(&p.g, mixed).1, "X.T @ ((p - T) * T)");
    let lane = p.g.einsum(&[(z, vec![0, 1]), (t, vec![0, 2]), (z, vec![0, 2])], &[0, 1], &[]);
    assert_eq!(both(&p.g, lane).1, "p * sum(T * p, axis=1, keepdims=true)");
    let all = p.g.einsum(&[(z, vec![0, 1]), (t, vec![0, 1])], &[], &[]);
    assert_eq!(both(&p.g, all).1, "sum(p * T)");
    let ones = p.g.ones(&[n.clone(), m.clone()]);
    assert_eq!(both(&p.g, ones), ("1".into(), "ones(N, M)".into()));
}

#[test]
fn vectors_and_chains() {
    let mut p = net();
    let (b, n, m) = (p.b.clone(), p.n.clone(), p.m.clone());
    let x = p.input("X", &[&b, &n]);
    let c = p.input("c", &[&b]);
    let d = p.input("d", &[&b]);
    let a = p.input("a", &[&n]);
    let w = p.param("W", &[&n, &m]);
    let s = p.param("S", &[&n, &n]);
    let row = p.g.einsum(&[(d, vec![0]), (x, vec![0, 1])], &[1], &[]);
    p.g.names.insert(row, "y".into());
    let mut check = |factors: &[(NodeId, Vec<u32>)], out: &[u32], expected: &str| {
        let node = p.g.einsum(factors, out, &[]);
        assert_eq!(both(&p.g, node).1, expected);
    };
    check(&[(x, vec![0, 1]), (c, vec![0])], &[1], "X.T @ c");
    // As the program writes it.
    check(&[(d, vec![0]), (x, vec![0, 1])], &[1], "d @ X");
    check(&[(c, vec![0]), (x, vec![0, 1])], &[1], "X.T @ c");
    check(&[(x, vec![0, 1]), (a, vec![1])], &[0], "X @ a");
    check(&[(a, vec![0]), (s, vec![0, 1]), (a, vec![1])], &[], "a @ S @ a");
    check(&[(a, vec![0]), (a, vec![0])], &[], "dot(a, a)");
    check(&[(c, vec![0]), (a, vec![1])], &[0, 1], "outer(c, a)");
    check(&[(x, vec![0, 1]), (s, vec![1, 2]), (w, vec![2, 3])], &[0, 3], "X @ S @ W");
    check(&[(x, vec![0, 1]), (s, vec![1, 2]), (w, vec![2, 3])], &[3, 0], "W.T @ S.T @ X.T");
    check(&[(x, vec![0, 1])], &[1, 0], "X.T");
    check(&[(s, vec![0, 0])], &[], "trace(S)");
    check(&[(s, vec![0, 0])], &[0], "diag(S)");
    check(&[(c, vec![0]), (x, vec![0, 1])], &[0, 1], "diag(c) @ X");
    check(&[(s, vec![0, 1]), (s, vec![1, 0])], &[], "sum(S * S.T)");
    check(&[(s, vec![0, 1]), (s, vec![1, 2]), (s, vec![2, 0])], &[], "trace(S @ S @ S)");
    check(&[(c, vec![0]), (x, vec![0, 1]), (x, vec![0, 2])], &[1, 2], "X.T @ diag(c) @ X");
}

#[test]
fn structure_is_kept() {
    let mut p = net();
    let (b, n, m) = (p.b.clone(), p.n.clone(), p.m.clone());
    let (x, a) = (p.input("X", &[&b, &n]), p.input("A", &[&n, &m]));
    let (c, s) = (p.input("c", &[&n]), p.input("s", &[]));
    let (in_n, in_m) = (p.g.delta(&n), p.g.delta(&m));
    let shape = [n.clone(), n.clone()];
    let mut check = |factors: &[(NodeId, Vec<u32>)], out: &[u32], expected: &str| {
        let node = p.g.einsum(factors, out, &[]);
        assert_eq!(both(&p.g, node).1, expected);
        node
    };
    check(&[(c, vec![0]), (in_n, vec![0, 1])], &[0, 1], "diag(c)");
    check(&[(in_n, vec![0, 1]), (s, vec![])], &[0, 1], "s * eye(N)");
    check(&[(c, vec![0]), (a, vec![0, 1])], &[0, 1], "diag(c) @ A");
    check(&[(c, vec![1]), (x, vec![0, 1])], &[0, 1], "X @ diag(c)");
    // Blocks: the Hessian of a least-squares loss by a matrix, and that of a sum over entries.
    let gram = [(x, vec![9, 0]), (x, vec![9, 2]), (in_m, vec![1, 3])];
    check(&gram, &[0, 1, 2, 3], "reshape(kron(X.T @ X, eye(M)), (N, M, N, M))");
    let entries = [(in_n, vec![0, 2]), (in_m, vec![1, 3]), (a, vec![0, 1])];
    check(&entries, &[0, 1, 2, 3], "reshape(diag(reshape(A, (N * M))), (N, M, N, M))");
    let deltas = [(in_n, vec![0, 2]), (in_m, vec![1, 3])];
    check(&deltas, &[0, 1, 2, 3], "reshape(eye(N * M), (N, M, N, M))");
    // The Jacobian of a softmax.
    let column = check(&[(c, vec![1])], &[1], "c");
    let repeated = p.g.einsum(&[(column, vec![1])], &[0, 1], &[(0, n.clone())]);
    let sum = p.g.add(&[(Num::ONE, in_n), (Num::int(-1), repeated)], &shape);
    let jacobian = p.g.einsum(&[(c, vec![0]), (sum, vec![0, 1])], &[0, 1], &[]);
    assert_eq!(both(&p.g, jacobian).1, "diag(c) - outer(c, c)");
}

#[test]
fn numbers_and_signs() {
    let mut p = net();
    let n = p.n.clone();
    let (x, y) = (p.input("x", &[&n]), p.input("y", &[&n]));
    let half = Num::ratio(1, 2).unwrap();
    let shape = [n.clone()];
    let node = p.g.add(&[(Num::int(-1), x), (half, y)], &shape);
    assert_eq!(both(&p.g, node).1, "1/2 * y - x");
    let node = p.g.scale(Num::int(-1), x);
    assert_eq!(both(&p.g, node).1, "-x");
    let inverse = p.g.pow(y, Num::int(-2));
    let quotient = p.g.multiply(&[x, inverse]);
    assert_eq!(both(&p.g, quotient).1, "x / y^2");
    let root = p.g.pow(y, -half);
    assert_eq!(both(&p.g, root).1, "1 / sqrt(y)");
    let node = p.g.scale(half, root);
    assert_eq!(both(&p.g, node).1, "1 / (2 * sqrt(y))");
    let node = p.g.scale(-half, quotient);
    assert_eq!(both(&p.g, node).1, "-x / (2 * y^2)");
}

#[test]
fn positions() {
    use crate::ir::{Affine, View};
    let mut g = Graph::default();
    let shape = |size| vec![Dim::fixed(size)];
    let x = declare(&mut g, "x", VarKind::Input, shape(5));
    let view = |from: i128, size| View {
        map: vec![Affine { terms: vec![(0, 1)], offset: Dim::fixed(from), divisor: 1 }],
        shape: shape(size),
    };
    let inner = g.view(x, view(1, 3));
    assert_eq!(both(&g, inner), ("x[i + 1]".into(), "x[1:4]".into()));
    let padded = g.view(x, view(-1, 7));
    assert_eq!(both(&g, padded), ("sum[j](delta[j,i - 1] * x[j])".into(), "pad(x, (1, 1))".into()));
    let rows = g.range(&Dim::fixed(5));
    let product = g.multiply(&[x, rows]);
    assert_eq!(both(&g, product), ("x[j] * j".into(), "x * range(5)".into()));
    let text = show(&text(&Names::new(&g), rows, Notation::Index));
    assert_eq!(text, "tensor[j:5](j)");
}

#[test]
fn deep_graphs_are_cut() {
    let mut p = net();
    let n = p.n.clone();
    let mut x = p.input("x", &[&n]);
    for k in 0..20_000 {
        let root = p.g.pow(x, Num::ratio(1, 2).unwrap());
        x = if k % 2 == 0 { p.one_minus(root) } else { p.g.multiply(&[root, root, x]) };
    }
    let shared = share(&Names::new(&p.g), x, 60);
    assert!(shared.len() > 300);
    let extra = shared.iter().map(|(name, id)| (*id, name.clone())).collect();
    let names = Names::with(&p.g, extra);
    let longest =
        shared.iter().map(|(_, id)| show(&text(&names, *id, Notation::Matrix)).len()).max();
    assert!(longest.unwrap() < 2000);
}
