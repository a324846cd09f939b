//! Every node of many small programs and of their gradients is raised in both notations, printed, parsed, lowered and
//! evaluated again: the value and the shape are the node's.

use super::*;
use crate::eval::{Array, Point, eval};
use crate::ir::VarId;
use crate::lower::{Lowerer, Val};
use crate::render::{Context, latex, unicode};
use crate::{diff, lower, simplify};
use chainrule_grammar::Source;
use std::collections::BTreeSet;

const PROGRAMS: &[(&str, &[usize])] = &[
    (
        "dim N; input x:[1,N]; target t; param w:[N,1]; o = sigmoid(x @ w); loss E = 1/2 * sum((o - t)^2);",
        &[5],
    ),
    (
        "dim N; input x:[N]; target t; param w:[N], b; z = dot(w, x) + b; o = sigmoid(z); loss E = 1/2 * (o - t)^2;",
        &[5],
    ),
    (
        "dim B,N,M; input x:[B,N]; target t:[B,M]; param W:[N,M], b:[M]; O = sigmoid(x@W+b); loss E = 1/2*sum((O-t)^2);",
        &[4, 3, 2],
    ),
    (
        "dim B,N,M; input x:[B,N]; target y:[B,M]; param w:[N,M], b:[M]; prob = softmax(x@w+b, axis=1); loss L = mean((y-prob)^2);",
        &[2, 4, 3],
    ),
    (
        "dim B,N,M; input x:[B,N]; target y:[B,M] one_hot; param w:[N,M], b:[M]; p = softmax(x@w+b); loss L = cross_entropy(p, y);",
        &[2, 4, 3],
    ),
    (
        "input x:[4,6]; target t:[4,3]; net f = dense(5) |> tanh |> dense(3) |> softmax; p = f(x); loss L = cross_entropy(p, t);",
        &[],
    ),
    (
        "input x:[4,6]; target t:[4,3]; param W:[6,3], b:[3]; z[n,k] = sum[j](x[n,j]*W[j,k]) + b[k]; o = sigmoid(z); loss E = 1/2*sum[n,k]((o[n,k]-t[n,k])^2);",
        &[],
    ),
    (
        "input x:[12]; target t:[10]; param w:[3]; y[i] = sum[k](w[k]*x[i+k]); loss E = sum((tanh(y)-t)^2);",
        &[],
    ),
    ("input x:[13]; param w:[3]; y[i] = sum[k](w[k]*x[2*i+k]); loss E = sum(sin(y));", &[]),
    ("input A:[7,4], y:[7]; param x:[4]; loss L = norm2(A@x - y)^2;", &[]),
    (
        "input x:[4,6]; param g:[6], b:[6]; m = mean(x, axis=1, keepdims=true); v = mean((x-m)^2, axis=1, keepdims=true); y = (x-m)/sqrt(v+1e-5)*g+b; loss L = sum(sin(y));",
        &[],
    ),
    (
        "input x:[5,4]; param Q:[4,3],K:[4,3],V:[4,4]; a = softmax((x@Q) @ (x@K).T / sqrt(3), axis=1); y = a @ (x@V); loss L = sum(y^2);",
        &[],
    ),
    (
        "input idx: int[5]; target t:[5,3]; param E:[7,4], W:[4,3]; loss L = cross_entropy(softmax(E[idx] @ W), t);",
        &[],
    ),
    (
        "input X:[8,3], y:[8]; param w:[3]; r = X@w - y; loss L = sum(where(abs(r) < 1, r^2/2, abs(r)-1/2));",
        &[],
    ),
    ("input x:[4]; param W:[4,3], v:[3]; f = sum(tanh(x@W)*v); loss L = f + sum(d(f, x)^2);", &[]),
    ("param X:[3,4]; loss L = sum(max(X, axis=1)^2);", &[]),
    ("param X:[3,3]; loss L = trace(X @ X) + sum(diag(X)^3) + logsumexp(X[0, 1:]);", &[]),
    (
        "param X:[3,4]; loss L = sum(cumsum(X, axis=0)^2) + sum(X[::2, -1]^3) + sum(flip(X) * X);",
        &[],
    ),
    (
        "param a:[3], b:[2]; loss L = sum(concat([a, b])^2) + dot(outer(a, b)[1], b) + sum(pad(a, 1)[1:3]^3) ;",
        &[],
    ),
    (
        "param x:[4]; loss L = sum[i](x[i] * x[3-i]) + sum[i,j](delta[i,j] * x[i] * x[j]^2) + prod[i](x[i]) + max[i](x[i]);",
        &[],
    ),
    ("param A:[2,3,4], B:[4,2]; loss L = sum((A @ B)^2) + sum(einsum(\"ijk,kl->jl\", A, B));", &[]),
    ("param x:[6]; loss L = sum(reshape(x, [2, 3]) @ reshape(x, [3, 2]));", &[]),
    (
        "input S:[4,4]; param X:[4,4]; loss L = trace(S @ inv(X)) + sum(solve(X, S)) + sum(solve(X, S[0]));",
        &[],
    ),
    (
        "dim N; input A:[N,N], c:[N]; param x:[N]; loss L = x @ A @ x + sum[i](i * x[i]) + dot(c, x) / N;",
        &[4],
    ),
    (
        "dim B, N; input X:[B,N]; param w:[N], c:[B]; y = (c[:, None] * X) @ w; loss L = sum(y^3) + sum(outer(c, w) * X);",
        &[3, 4],
    ),
];

/// A program over a graph, and where to evaluate it.
struct Subject {
    graph: Graph,
    lowered: lower::Lowered,
    point: Point,
}

fn subject(program: &str, sizes: &[usize]) -> Subject {
    let source = Source::new("test", program);
    let (ast, errors) = chainrule_grammar::parse(&source);
    assert!(errors.is_empty(), "{program}: {errors:?}");
    let mut graph = Graph::default();
    let (lowered, errors) = lower::lower(&ast, &mut graph);
    assert!(errors.is_empty(), "{program}: {errors:?}");
    let mut point = Point::default();
    let mut seed = 42u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 11) as f64 / (1u64 << 53) as f64) * 2.0 - 1.0
    };
    for (id, var) in graph.vars.iter().enumerate() {
        let shape: Vec<usize> =
            var.shape.iter().map(|dim| dim.value(&|id| sizes[id.0 as usize]).unwrap()).collect();
        let data = (0..shape.iter().product())
            .map(|at: usize| if var.int { (at % 3) as f64 } else { noise() })
            .collect();
        point.vars.insert(VarId(id as u32), Array { shape, data });
    }
    point.dims = sizes.iter().enumerate().map(|(at, &size)| (DimId(at as u32), size)).collect();
    Subject { graph, lowered, point }
}

impl Subject {
    /// What the loss and its gradients, raw and simplified, consist of.
    fn roots(&mut self) -> Vec<NodeId> {
        let losses: Vec<NodeId> = self.lowered.losses.iter().map(|loss| loss.node).collect();
        let params: Vec<NodeId> =
            self.lowered.vars.iter().copied().filter(|&id| self.is_float(id)).collect();
        let mut roots = losses.clone();
        let of = diff::expand(&mut self.graph, &losses).unwrap();
        for &loss in &of {
            roots.extend(
                diff::gradient(&mut self.graph, loss, &params).unwrap().into_iter().flatten(),
            );
        }
        let simple = simplify::simplify(&mut self.graph, &roots).roots;
        roots.extend(simple);
        roots
    }

    fn is_float(&self, id: NodeId) -> bool {
        matches!(self.graph.op(id), Op::Var(var) if !self.graph.var(*var).int)
    }

    /// The value of a formula over the program's names and further ones.
    fn lower(&mut self, text: &str, extra: &[(String, NodeId)]) -> Result<NodeId, String> {
        let expr = chainrule_grammar::parse_expr(text).map_err(|error| format!("{error:?}"))?;
        let names: Vec<(String, NodeId)> = self
            .lowered
            .scope
            .iter()
            .map(|(name, id)| (name.clone(), *id))
            .chain(extra.iter().cloned())
            .collect();
        let mut lowerer = Lowerer::new(&mut self.graph);
        lowerer.globals = names
            .into_iter()
            .map(|(name, node)| (name, Val { node, labels: Vec::new() }))
            .collect();
        lowerer.dims = self.lowered.dims.clone();
        lowerer.infer_ranges(&expr);
        lowerer.expr(&expr).map(|val| val.node).map_err(|error| error.message)
    }

    fn check(
        &mut self,
        node: NodeId,
        text: &str,
        extra: &[(String, NodeId)],
    ) -> Result<(), String> {
        let again = self.lower(text, extra)?;
        if again == node {
            return Ok(());
        }
        let values = eval(&self.graph, &self.point, &[node, again])?;
        if values[0].shape != values[1].shape {
            return Err(format!("shape {:?} for {:?}", values[1].shape, values[0].shape));
        }
        let close = |a: &f64, b: &f64| {
            (a - b).abs() <= 1e-9 * (1.0 + a.abs()) || (a.is_nan() && b.is_nan())
        };
        let same = values[0].data.iter().zip(&values[1].data).all(|(a, b)| close(a, b));
        if same {
            Ok(())
        } else {
            Err(format!("values {:?} for {:?}", values[1].data, values[0].data))
        }
    }
}

/// LaTeX that balances and has no debris of Rust or of templates.
fn check_latex(text: &str) -> Result<(), String> {
    let count = |c: char| text.chars().filter(|other| *other == c).count();
    let fences = text.matches(r"\left").count() == text.matches(r"\right").count();
    let debris = ["None", "Some(", "{{", "}}}}}}}}"].iter().any(|piece| text.contains(piece));
    if count('{') == count('}') && fences && !debris && !text.is_empty() {
        Ok(())
    } else {
        Err(format!("LaTeX {text}"))
    }
}

fn print(names: &Names<'_>, node: NodeId, notation: Notation) -> (String, String, String) {
    let expr = text(names, node, notation);
    let rank = |name: &str| names.rank(name);
    let ctx = Context { rank: &rank, notation, lang: crate::render::phrases::Lang::En };
    (chainrule_grammar::print::expr(&expr), latex(&expr, &ctx), unicode(&expr, &ctx))
}

#[test]
fn what_is_printed_is_true() {
    let mut failures = Vec::new();
    let (mut matrix_forms, mut all) = (0, 0);
    let mut transcript = String::new();
    for (program, sizes) in PROGRAMS {
        let mut subject = subject(program, sizes);
        let roots = subject.roots();
        let nodes: BTreeSet<NodeId> = subject.graph.reachable(&roots).into_iter().collect();
        for node in nodes {
            for notation in [Notation::Index, Notation::Matrix] {
                let names = Names::new(&subject.graph);
                let (text, latex, line) = print(&names, node, notation);
                if notation == Notation::Matrix {
                    all += 1;
                    matrix_forms += usize::from(!text.starts_with("tensor"));
                }
                let outcome = subject.check(node, &text, &[]).and(check_latex(&latex));
                transcript += &format!("{text}\t{latex}\t{line}\n");
                if let Err(error) = outcome {
                    failures.push(format!("{program}\n  {text}\n  {error}"));
                }
            }
        }
    }
    if let Ok(path) = std::env::var("RAISE_TRANSCRIPT") {
        std::fs::write(path, transcript).unwrap();
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(matrix_forms * 10 > all * 8, "{matrix_forms} of {all} have a matrix form");
}

#[test]
fn shared_parts_are_true() {
    for (program, sizes) in PROGRAMS {
        let mut subject = subject(program, sizes);
        for root in subject.roots() {
            let shared = share(&Names::new(&subject.graph), root, 12);
            let extra: BTreeMap<NodeId, String> =
                shared.iter().map(|(name, id)| (*id, name.clone())).collect();
            let all: Vec<NodeId> = shared.iter().map(|(_, id)| *id).chain([root]).collect();
            for node in all {
                for notation in [Notation::Index, Notation::Matrix] {
                    let names = Names::with(&subject.graph, extra.clone());
                    let (text, _, _) = print(&names, node, notation);
                    let outcome = subject.check(node, &text, &shared);
                    assert!(outcome.is_ok(), "{program}\n  {text}\n  {outcome:?}");
                }
            }
        }
    }
}

/// Products of random tensors at random labels: whatever has a matrix form has the right one.
#[test]
fn random_products_are_true() {
    let program =
        "input c, a:[3], b:[3], A:[3,3], B:[3,3], C:[3,3,3], r:[1,3], s:[3,1]; loss L = c;";
    let mut subject = subject(program, &[]);
    let names = ["c", "a", "b", "A", "B", "C", "r", "s", "A", "B"];
    let mut seed = 7u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut forms = 0;
    for _ in 0..1000 {
        let mut factors = Vec::new();
        for _ in 0..1 + draw(4) {
            let mut node = subject.lowered.scope[names[draw(names.len())]];
            let shape = subject.graph.shape(node).clone();
            let labels: Vec<u32> = shape
                .iter()
                .map(|dim| if dim.is_one() { 10 + draw(2) as u32 } else { draw(4) as u32 })
                .collect();
            if draw(5) == 0 {
                node = subject.graph.pow(node, Num::int([-1, 2, -2][draw(3)]));
            }
            factors.push((node, labels));
        }
        let mut out: Vec<u32> = Vec::new();
        for _ in 0..draw(4) {
            let label = if draw(8) == 0 { 10 } else { draw(4) as u32 };
            if !out.contains(&label) {
                out.push(label);
            }
        }
        let extra: Vec<(u32, Dim)> =
            out.iter().map(|&label| (label, Dim::fixed(if label >= 10 { 1 } else { 3 }))).collect();
        let mut node = subject.graph.einsum(&factors, &out, &extra);
        if draw(3) == 0 {
            let shape = subject.graph.shape(node).clone();
            let one = subject.graph.ones(&shape);
            node = subject.graph.add(&[(Num::int(-2), node), (Num::ONE, one)], &shape);
        }
        for notation in [Notation::Index, Notation::Matrix] {
            let names = Names::new(&subject.graph);
            let (text, latex, _) = print(&names, node, notation);
            forms += usize::from(notation == Notation::Matrix && !text.starts_with("tensor"));
            let outcome = subject.check(node, &text, &[]).and(check_latex(&latex));
            assert!(outcome.is_ok(), "{factors:?} -> {out:?}\n  {text}\n  {outcome:?}");
        }
    }
    assert!(forms > 500, "{forms} have a matrix form");
}
