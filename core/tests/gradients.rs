//! Gradients of small programs against finite differences: parse, lower, sweep, simplify, evaluate.

use chainrule_core::eval::{Array, Point, eval, finite_difference, infer_dims};
use chainrule_core::ir::{Graph, NodeId, Op, VarKind};
use chainrule_core::{diff, lower};
use chainrule_grammar::Source;

/// Deterministic pseudo-random numbers in (-1, 1).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 11) as f64 / (1u64 << 53) as f64) * 2.0 - 1.0
    }
}

fn check(program: &str, sizes: &[usize]) {
    let source = Source::new("test", program);
    let (ast, errors) = chainrule_grammar::parse(&source);
    assert!(errors.is_empty(), "{program}: {errors:?}");
    let mut graph = Graph::default();
    let (lowered, errors) = lower::lower(&ast, &mut graph);
    assert!(
        errors.is_empty(),
        "{program}:\n{}",
        errors.iter().map(|e| e.render(&source)).collect::<String>()
    );
    let mut noise = Noise(42);
    let mut point = Point::default();
    for (id, var) in graph.vars.iter().enumerate() {
        let shape: Vec<usize> =
            var.shape.iter().map(|dim| dim.value(&|id| sizes[id.0 as usize]).unwrap()).collect();
        let count = shape.iter().product();
        let data =
            (0..count).map(|at| if var.int { (at % 3) as f64 } else { noise.next() }).collect();
        point.vars.insert(chainrule_core::ir::VarId(id as u32), Array { shape, data });
    }
    point.dims = infer_dims(&graph, &point.vars).unwrap();
    for loss in &lowered.losses {
        let of = diff::expand(&mut graph, &[loss.node]).unwrap()[0];
        let wrt: Vec<NodeId> =
            lowered.vars.iter().copied().filter(|&v| is_float(&graph, v)).collect();
        let gradients = diff::gradient(&mut graph, of, &wrt).unwrap();
        for (var, gradient) in wrt.iter().zip(gradients) {
            let Op::Var(id) = *graph.op(*var) else { unreachable!() };
            let want = finite_difference(&graph, &point, of, id).unwrap();
            let raw = gradient.unwrap_or_else(|| graph.zeros(&graph.shape(*var).clone()));
            let simple = chainrule_core::simplify::simplify(&mut graph, &[raw]).roots[0];
            for (what, node) in [("raw", raw), ("simplified", simple)] {
                let got = eval(&graph, &point, &[node]).unwrap().remove(0);
                assert_eq!(got.shape, want.shape, "{program} by {}", graph.var(id).name);
                for (g, w) in got.data.iter().zip(&want.data) {
                    assert!(
                        (g - w).abs() <= 1e-6 * (1.0 + w.abs()),
                        "{program} by {}, {what}: {g} for {w}",
                        graph.var(id).name
                    );
                }
            }
        }
    }
}

fn is_float(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.op(node), Op::Var(id) if !graph.var(*id).int && graph.var(*id).kind != VarKind::Direction)
}

#[test]
fn gradients_match_finite_differences() {
    for (program, sizes) in [
        (
            "dim N; input x:[1,N]; target t; param w:[N,1]; o = sigmoid(x @ w); loss E = 1/2 * sum((o - t)^2);",
            &[5][..],
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
        (
            "input x:[4]; param W:[4,3], v:[3]; f = sum(tanh(x@W)*v); loss L = f + sum(d(f, x)^2);",
            &[],
        ),
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
        (
            "fn layer(x, W, b) { z = x @ W + b; tanh(z) } input x:[2,3]; param W:[3,3], b:[3]; h = x |> layer(W, b) |> layer(W, b); loss L = mean(h) + std(h) + var(h, axis=0) @ b;",
            &[],
        ),
        (
            "param A:[2,3,4], B:[4,2]; loss L = sum((A @ B)^2) + sum(einsum(\"ijk,kl->jl\", A, B));",
            &[],
        ),
        ("param x:[6]; loss L = sum(reshape(x, [2, 3]) @ reshape(x, [3, 2]));", &[]),
        (
            "input S:[4,4]; param X:[4,4]; loss L = trace(S @ inv(X)) + sum(solve(X, S)) + sum(solve(X, S[0]));",
            &[],
        ),
        (
            "input xs:[6,3], h0:[4]; param W:[3,4], U:[4,4]; fn step(h, x) = tanh(x@W + h@U); h = scan(step, h0, xs); loss L = sum(h^2);",
            &[],
        ),
        (
            "input xs:[5,3], ys:[5]; param c0:[2,3], w:[3,3]; fn f(c, x, y) { g = sigmoid(c @ w + x); g * c + y * exp(-x) * c[::-1] } h = scan(f, c0, xs, ys); loss L = sum(h[-1]^2) + sum(h) * sum(w);",
            &[],
        ),
        (
            "input xs:[4,2]; param h0:[2], a:[2]; fn f(h, x) = h * x + sin(a * h); h = scan(f, h0, xs); loss L = sum(h * h[0]) + sum(d(sum(h), h0)^2);",
            &[],
        ),
    ] {
        check(program, sizes);
    }
}
