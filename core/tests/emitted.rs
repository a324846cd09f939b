//! Generated Rust against the reference evaluator: programs are compiled, emitted into one crate, built, and run.

#[path = "targets/write.rs"]
mod write;

use chainrule_core::emit;
use chainrule_core::eval::{Array, Point, infer_dims};
use chainrule_core::ir::{Graph, VarId};
use chainrule_core::{Compiled, Source, compile};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs, and the sizes of their open dims.
const PROGRAMS: &[(&str, &[usize])] = &[
    (
        "dim N; input x:[1,N]; target t; param w:[N,1]; o = sigmoid(x @ w); loss E = 1/2 * sum((o - t)^2); output o;",
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
        "input x:[4,6]; target t:[4,3]; net f = dense(5) |> tanh |> dense(3) |> softmax; p = f(x); loss L = cross_entropy(p, t); output p;",
        &[],
    ),
    (
        "dim B; input x:[B,6]; target t:[B,3]; net f = dense(5) |> tanh |> dense(3) |> softmax; p = f(x); loss L = cross_entropy(p, t); output p;",
        &[25],
    ),
    (
        "dim N, K; input x: [N]; param A: [K, 2*K + 1], v: [K]; loss E = sum(A)*sum(x^2) + sum(exp(v));",
        &[40, 3],
    ),
    ("input x: [131]; param w: [131], v: [40]; loss E = sum(x*sin(w)) + sum(v^2);", &[]),
    (
        "input x:[12]; target t:[10]; param w:[3]; y[i] = sum[k](w[k]*x[i+k]); loss E = sum((tanh(y)-t)^2);",
        &[],
    ),
    (
        "dim N; input x:[2*N+1], u:[N-1]; param w:[3]; y[i] = sum[k](w[k]*x[2*i+k]*u[i]); loss E = sum(sin(y)); grad E wrt x, w;",
        &[6],
    ),
    (
        "dim M, K; input x:[2*M+K-2]; param w:[K]; y[i] = sum[k](x[2*i+k]*w[k]); z = x[K-1:][::2]; u = x[:2*M-1][::-2]; loss E = sum(y^2*z) + sum(z*u); grad E wrt x, w;",
        &[4, 3],
    ),
    (
        "input A:[7,4], y:[7]; param x:[4]; loss L = norm2(A@x - y)^2; hessian L wrt x; hvp L wrt x;",
        &[],
    ),
    (
        "input x:[4,6]; param g:[6], b:[6]; m = mean(x, axis=1, keepdims=true); v = mean((x-m)^2, axis=1, keepdims=true); y = (x-m)/sqrt(v+1e-5)*g+b; loss L = sum(sin(y)); grad L wrt x, g, b;",
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
        "input x:[6,2], k: int[6]; param W:[2,4], b:[4]; loss E = cross_entropy(softmax(x @ W + b), k);",
        &[],
    ),
    (
        "dim B; input x:[B,2], k: int[B]; param W:[2,4], b:[4]; loss E = -mean[n](log_softmax(x @ W + b)[n,k[n]]) + sum(tanh(x @ W)[:,1:3]^2);",
        &[450],
    ),
    (
        "input X:[8,3], y:[8]; param w:[3]; r = X@w - y; loss L = sum(where(abs(r) < 1, r^2/2, abs(r)-1/2)); loss R = sum(w^2);",
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
    (
        "fn layer(x, W, b) { z = x @ W + b; tanh(z) } input x:[2,3]; param W:[3,3], b:[3]; h = x |> layer(W, b) |> layer(W, b); loss L = mean(h) + std(h) + var(h, axis=0) @ b;",
        &[],
    ),
    ("param A:[2,3,4], B:[4,2]; loss L = sum((A @ B)^2) + sum(einsum(\"ijk,kl->jl\", A, B));", &[]),
    ("param x:[6]; loss L = sum(reshape(x, [2, 3]) @ reshape(x, [3, 2]));", &[]),
    (
        "input S:[4,4]; param X:[4,4]; loss L = trace(S @ inv(X)) + sum(solve(X, S)) + sum(solve(X, S[0]));",
        &[],
    ),
    (
        "input x:[3]; param W:[3,4], b:[4]; o = tanh(x @ W + b); output o; output k = kron(W, W); jacobian o wrt x, W; jvp o wrt W; output e = eye(4); output same = x;",
        &[],
    ),
    (
        "input A:[5,3,4], C:[5,4,2]; param s; y = A @ C; loss L = s * sum(y^2) + sum(softmax(y, axis=1)^2) + sum(logsumexp(A, axis=[0, 2])^2);",
        &[],
    ),
    (
        "dim N; input x: [5, N]; param W: [N, 3], b: [3]; loss E = sum(softmax(x @ W + b)^2) + sum(W)*sum(b^3); hvp E wrt W, b; hvp E wrt b;",
        &[4],
    ),
    (
        "dim D; param q: [D], l: [D*(D-1)/2]; p = tensor[i:D, j:D](floor(max(0, j*(2*D - j - 1)/2 + i - j - 1))); Q[i,j] = delta[i,j]*exp(q[i]) + (i > j)*l[p[i,j]]; loss E = sum((Q @ Q.T)^2); hvp E wrt q, l;",
        &[4],
    ),
    (
        "dim B, N; input x: [B, N]; param w: [N]; o[b] = sum[n](w[n]*x[b,n]); loss E = sum(exp(-o^2)) + sum[n](w[n]^2) / B; output o;",
        &[33, 21],
    ),
    (
        "param S:[4,4]; X = S @ S.T + 2*eye(4); loss L = logdet(X) + sum(cholesky(X)) + det(X)/100 + sum(eigvalsh(X)^2);",
        &[],
    ),
    ("input x: [40]; param self, type; loss E = sum((type*x - self)^2)/40;", &[]),
    (
        "dim N; input u: [N]; param a; loss E = sum(cumprod(a*u + 2)) + sum(sort(u)*a) + argmax(u);",
        &[7],
    ),
    (
        "input x: [2, 3, 4]; param w: [3]; output y = sum(x * w[None, :, None], axis=1); output z[i,j,k] = x[i,j,k] * w[j]; loss E = sum(x[:, 1] ^ 2) * w[0];",
        &[],
    ),
    (
        "dim T; input xs: [T, 3]; param W: [3, 4], U: [4, 4], b: [4], h0: [4]; fn step(h, x) = tanh(x @ W + h @ U + b); h = scan(step, h0, xs); loss L = sum(h[-1]^2) + sum(h * h[0]); grad L wrt W, U, b, h0, xs; hvp L wrt W, U; output h;",
        &[5],
    ),
    (
        "dim T; input a: [T], b: [T]; param k, s; fn step(y, u, v) = k*y*u + v*s; fn keep(y, u) = u; loss L = sum(scan(step, s, a, b)^2) + sum(scan(keep, s, a)); hessian L wrt k;",
        &[6],
    ),
    (
        "dim T, N; input x: [T, N], c0; param a, b; fn inner(s, e) = s*b + e; fn step(c, xt) = tanh(a*c + scan(inner, 0, xt)[-1]); h = scan(step, c0, x); loss E = sum(h^2); grad E wrt a, b, x, c0; hvp E wrt b; output h;",
        &[5, 3],
    ),
    (
        "dim T; input words: int[T]; param E: [5, 2], W: [2, 2]; fn step(h, word) = tanh(W @ h + E[word]); h = scan(step, zeros(2), words); loss L = sum(h^2); grad L wrt E, W; hvp L wrt E, W; output h;",
        &[5],
    ),
    (
        "dim T; input places: int[T, 4]; param W: [4, 4]; fn step(h, at) = tanh(W @ h[at]); h = scan(step, ones(4), places); loss L = sum(h^2); grad L wrt W; output h;",
        &[3],
    ),
    (
        "input x: [4, 3], s0, p0; fn inner(p, x) = sin(p) + x; fn outer(s, row) = s + sum(scan(inner, p0, row)); output y = scan(outer, s0, x);",
        &[],
    ),
    (
        "input x: [2, 5, 6], k: int[2, 3]; param w: [3, 3], e: [4, 2]; y[b,i,j] = sum[p,q](x[b,i+p,j+q]*w[p,q]); loss E = sum(relu(y)) + sum(e[k]^3);",
        &[],
    ),
    // Long batches, which run in blocks: of a size that divides them, of one that does not, and of one that is found at run time.
    (
        "input x:[320,2], y:[320]; param W:[2,40], v:[40]; h = tanh(x @ W); o = h @ v; loss E = sum((o - y)^2) + mean(h^2);",
        &[],
    ),
    (
        "input x:[250,2], y:[250]; param W:[2,40], v:[40]; h = tanh(x @ W); o = h @ v; loss E = sum((o - y)^2) + mean(h^2); loss G = sum(max(h, axis=1)); output o;",
        &[],
    ),
    (
        "dim B; input x:[B,2], k: int[B]; param W:[2,40], e:[4,40], b:[40]; p = softmax(x @ W + e[k] + b); loss E = sum(p^2) / B; grad E wrt W, e, b, x;",
        &[450],
    ),
    (
        "dim B; input x:[B], y:[B]; param a, c; loss E = mean((a*x + c - y)^2); hessian E wrt a;",
        &[5000],
    ),
    // Powers that follow from each other, fewer than eight of them and more; a turn for each of which most add nothing.
    (
        "dim N, M; input t:[N], y:[N]; param x:[M], a; A = tensor[i, j:M](t[i]^j); p = tensor[j:M](a^j); loss E = sum((A @ x - y)^2) + sum(A)*a + dot(p, x); output A;",
        &[7, 21],
    ),
    (
        "dim N, M; input t:[N]; param x:[M]; A = tensor[i, j:M](t[i]^j); loss E = sum(sin(A @ x));",
        &[300, 5],
    ),
    (
        "dim N, K, D; input p:[N, D]; param c:[K, D]; r[n,k] = sum[j]((p[n,j] - c[k,j])^2); loss E = sum(min(r, axis=1)); loss F = sum((r >= 1/2)*r);",
        &[70, 11, 3],
    ),
    // Of the nearest of few and of many: sums in rows that are shorter than a register, and longer than several.
    (
        "dim N, K, D; input p:[N, D]; param c:[K, D]; r[n,k] = sum[j]((p[n,j] - c[k,j])^2); loss E = sum(min(r, axis=1)); hvp E wrt c;",
        &[9, 5, 3],
    ),
    (
        "dim N, K, D; input p:[N, D]; param c:[K, D]; r[n,k] = sum[j]((p[n,j] - c[k,j])^2); loss E = sum(min(r, axis=1)); hvp E wrt c;",
        &[30, 77, 3],
    ),
    // A large product for each of some components, one after the other.
    (
        "dim N, K, D; input x:[N, D]; param m:[K, D], Q:[K, D, D]; y[n,k,i] = sum[j](Q[k,i,j]*(x[n,j] - m[k,j])); loss E = sum(logsumexp(-1/2*sum(y^2, axis=2), axis=1));",
        &[160, 3, 80],
    ),
    // Products that are large enough for panels.
    (
        "dim N; param a:[65], b:[N]; A[i,j] = sin(a[i] + 3*b[j]); C = A @ A.T @ A; loss E = sum(C^2)/1000;",
        &[70],
    ),
    (
        "param a:[65], b:[66]; A[i,j] = sin(a[i] + 3*b[j]); C = A @ A.T @ A; loss E = sum(C^2)/1000;",
        &[],
    ),
    // Second derivatives of a mixture: zero for other components and places.
    (
        "dim N, D, K; input x:[N,D]; param a:[K], mu:[K,D], l:[K, D*(D-1)/2]; p = tensor[i:D, j:D](floor(max(0, j*(2*D - j - 1)/2 + i - j - 1))); Q[k,i,j] = delta[i,j]*exp(mu[k,i]) + (i > j)*l[k,p[i,j]]; y[n,k,i] = sum[j](Q[k,i,j]*(x[n,j] - mu[k,j])); loss F = sum(logsumexp(tensor[n:N, k:K](a[k] - 1/2*sum[i](y[n,k,i]^2)), axis=1)); output L = d(d(F, l), l); output M = d(d(F, mu), l); output A = d(d(F, a), mu);",
        &[7, 4, 3],
    ),
    // Gates that the way back reads; sequences, states and captures that are read backwards, and entries beyond the first.
    (
        "dim T; input x: [T, 3], s0: [2, 3]; param u: [3], w: [3], v: [3]; fn cell(s, xt) = { c = s[1]*sigmoid(xt*w) + sigmoid(s[0]*v)*tanh(s[0]*w); stack([tanh(c)*v, c]) }; a = scan(cell, s0, x*u); b = scan(cell, s0[::-1], a[::-1, 0]); y = b[::-1, 1]; loss E = sum(y[1:]^2) + sum(a[0]); hvp E wrt u, w; grad E wrt u, w, v, x; output y;",
        &[5],
    ),
    (
        "input x: [4], z: [4, 4], h0: [4]; param k; r = z[::-1]; fn step(h, xt) = tanh(k*(h @ r) + xt); a = scan(step, h0[::-1], x[::-1]); loss E = sum(a^2); output first = a[::-1][0];",
        &[],
    ),
];

/// A program of more steps than one function gets, with two losses and a direction.
fn long() -> String {
    let mut text = "input x: [5]; param w: [5], v: [5]; a0 = w * x;".to_string();
    for at in 1..40 {
        text += &format!(" a{at} = cumsum(sin(a{})) / 3 + v;", at - 1);
    }
    text + " loss L = sum(a39^2); loss K = sum(a20 * w); hvp L wrt w; jvp K wrt v;"
}

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 11) as f64 / (1u64 << 53) as f64) * 2.0 - 1.0
    }
}

fn point(graph: &Graph, sizes: &[usize]) -> Point {
    let mut noise = Noise(42);
    let mut point = Point::default();
    for (id, var) in graph.vars.iter().enumerate() {
        let shape: Vec<usize> =
            var.shape.iter().map(|dim| dim.value(&|id| sizes[id.0 as usize]).unwrap()).collect();
        let count = shape.iter().product();
        let data =
            (0..count).map(|at| if var.int { (at % 3) as f64 } else { noise.next() }).collect();
        point.vars.insert(VarId(id as u32), Array { shape, data });
    }
    point.dims = infer_dims(graph, &point.vars).unwrap();
    point
}

const HEAD: &str = r#"
#![deny(warnings)]
#![warn(clippy::pedantic)]
#![allow(clippy::all, clippy::pedantic)]
"#;

fn project(name: &str, main: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(at.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\nchainrule = {{ path = {root:?} }}\n[workspace]\n[profile.dev]\ndebug = 0\ndebug-assertions = false\noverflow-checks = true\n[profile.dev.package.chainrule]\nopt-level = 1\n"
    );
    std::fs::write(at.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root.join("Cargo.lock"), at.join("Cargo.lock")).unwrap();
    std::fs::write(at.join("src/main.rs"), main).unwrap();
    at
}

fn compiled(program: &str) -> Option<Compiled> {
    let source = Source::new("test", program);
    let compiled = compile(&source);
    for diagnostic in &compiled.diagnostics {
        if diagnostic.is_error() {
            eprintln!("{program}\n{}", diagnostic.render(&source));
        }
    }
    (!compiled.has_errors()).then_some(compiled)
}

#[test]
fn generated_rust_computes_what_the_reference_does() {
    let (mut modules, mut tests, mut calls) = (String::new(), String::new(), String::new());
    let (mut skipped, mut streams, mut panels) = (0, 0, 0);
    let long = long();
    let all = PROGRAMS.iter().copied().chain([(long.as_str(), &[][..])]);
    for (at, (program, sizes)) in all.enumerate() {
        let Some(compiled) = compiled(program) else {
            skipped += 1;
            continue;
        };
        let job = compiled.job(program).unwrap();
        let text = emit::rust_text(&job).unwrap_or_else(|d| panic!("{program}: {}", d.message));
        if program == long {
            let cut = ["run_forward_1", "run_backward_L_1", "run_hvp_L_w_1"];
            assert!(cut.iter().all(|name| text.contains(name)), "a long function is not cut");
        }
        streams += usize::from(text.contains("while block <"));
        panels += usize::from(text.contains("rt :: matmul_large"));
        let _ = writeln!(modules, "mod p{at} {{ {text} }}");
        let point = point(&compiled.graph, sizes);
        let mut case = write::Calls {
            job: &job,
            graph: &compiled.graph,
            point: &point,
            module: format!("p{at}"),
            float: "f64",
            out: String::new(),
        };
        case.write();
        let _ = writeln!(tests, "fn t{at}() {{ {} }}", case.out);
        let _ = writeln!(calls, "t{at}();");
    }
    assert_eq!(skipped, 0, "programs that do not compile");
    assert!(streams >= 4 && panels >= 2, "{streams} programs in blocks, {panels} with panels");
    // First with the widest instructions that this processor has, then with those of every processor.
    let main = format!(
        "{HEAD}{}{modules}{tests}fn all() {{ {calls} }} fn main() {{ all(); ::chainrule::rt::keep_to_baseline(); all(); println!(\"done\"); }}",
        write::CHECK
    );
    let at = project("emitted", &main);
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline"])
        .current_dir(&at)
        .env("CARGO_TARGET_DIR", at.join("target"))
        .output()
        .unwrap();
    let (said, errors) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(
        said.contains("done") && !said.contains("WRONG"),
        "{said}\n{}",
        &errors[..errors.len().min(6000)]
    );
}
