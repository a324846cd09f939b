//! Programs whose emitted code is run: every kind of node, names that need care, and a program for each row of the rule book.

use chainrule_core::ops::{self, Kind, OpSpec, Rule};

/// One program for each idea.
pub const PROGRAMS: &[&str] = &[
    // Matrix products in every position, broadcasting, reductions.
    "dim N; input x:[1,N]; target t; param w:[N,1]; o = sigmoid(x @ w); loss E = 1/2 * sum((o - t)^2); output o;",
    "dim B,N,M; input x:[B,N]; target t:[B,M]; param W:[N,M], b:[M]; O = sigmoid(x@W+b); loss E = 1/2*sum((O-t)^2);",
    "dim B,N,M; input x:[B,N]; target y:[B,M]; param w:[N,M], b:[M]; prob = softmax(x@w+b, axis=1); loss L = mean((y-prob)^2);",
    "input x:[4,6]; target t:[4,3]; net f = dense(5) |> tanh |> dense(3) |> softmax; p = f(x); loss L = cross_entropy(p, t); output p;",
    "param A:[2,3,4], B:[4,2]; loss L = sum((A @ B)^2) + sum(einsum(\"ijk,kl->jl\", A, B));",
    "input A:[5,3,4], C:[5,4,2]; param s; y = A @ C; loss L = s * sum(y^2) + sum(softmax(y, axis=1)^2) + sum(logsumexp(A, axis=[0, 2])^2);",
    "param A:[3,4], B:[4,5], C:[5,2], v:[2]; output y = A @ B @ C @ v; output z = v @ C.T @ B.T; output s = v @ v; output t = A.T @ A; loss L = sum((A @ B)^2);",
    "param a:[3], b:[4], C:[3,4,2]; output o = outer(a, b); output y[k,i] = sum[j](C[i,j,k]*b[j]) * a[i]; loss L = sum[i,j,k](a[i]*b[j]*C[i,j,k]^2);",
    "param X:[3,3], Y:[2,3,3]; output t = trace(X @ X); output d = diag(X); output D = diag(d); output e[b,i] = Y[b,i,i]; loss L = sum(diag(X)^3) + sum[b,i](Y[b,i,i]^2);",
    "input x: [2, 3, 4]; param w: [3]; output y = sum(x * w[None, :, None], axis=1); output z[i,j,k] = x[i,j,k] * w[j]; output p[k,i,j] = x[i,j,k]; loss E = sum(x[:, 1] ^ 2) * w[0];",
    "dim B, N; input x: [B, N]; param w: [N]; o[b] = sum[n](w[n]*x[b,n]); loss E = sum(exp(-o^2)) + sum[n](w[n]^2) / B; output o;",
    "dim N, K; input x: [N]; param A: [K, 2*K + 1], v: [K]; loss E = sum(A)*sum(x^2) + sum(exp(v));",
    "param x:[3,4]; output a = x / sum(x^2, axis=1, keepdims=true); output b = 1/(x^2 + 1) / (2*x^2 + 3); loss L = sum(x / (1 + exp(x))) * 2 / 3;",
    // Affine positions, slices, shapes.
    "input x:[12]; target t:[10]; param w:[3]; y[i] = sum[k](w[k]*x[i+k]); loss E = sum((tanh(y)-t)^2);",
    "dim N; input x:[2*N+1], u:[N-1]; param w:[3]; y[i] = sum[k](w[k]*x[2*i+k]*u[i]); loss E = sum(sin(y)); grad E wrt x, w;",
    "input x: [2, 5, 6], k: int[2, 3]; param w: [3, 3], e: [4, 2]; y[b,i,j] = sum[p,q](x[b,i+p,j+q]*w[p,q]); loss E = sum(relu(y)) + sum(e[k]^3);",
    "param X:[3,4]; loss L = sum(cumsum(X, axis=0)^2) + sum(X[::2, -1]^3) + sum(flip(X) * X); output y = X[1:, ::-1]; output z = X[::-1]; output r = roll(X, 1, axis=1);",
    "param a:[3], b:[2]; loss L = sum(concat([a, b])^2) + dot(outer(a, b)[1], b) + sum(pad(a, 1)[1:3]^3); output s = stack([a, a^2], axis=1);",
    "param x:[4]; loss L = sum[i](x[i] * x[3-i]) + sum[i,j](delta[i,j] * x[i] * x[j]^2) + prod[i](x[i]) + max[i](x[i]);",
    "param x:[6]; loss L = sum(reshape(x, [2, 3]) @ reshape(x, [3, 2])); output f = flatten(reshape(x, [2, 3]));",
    // The sizes of a self-check leave room for every position.
    "dim N, M; param x:[N], A:[M,N]; loss L = x[5]^2 * sum(A[9] * x) + sum(roll(x, -4) * x) + sum(x[1:4]^2);",
    "dim N; param x:[N]; output y = x[N-2] * x[1:]; output i = eye(N) @ x; output r = range(N) * x; loss L = sum(x[:N-1] * x[1:]) / N;",
    "param x:[2,3]; output k = kron(x, x); output t = transpose(x); output sq = squeeze(expand(x, axis=0)); loss L = sum(x);",
    // Rows picked by integers.
    "input idx: int[5]; target t:[5,3]; param E:[7,4], W:[4,3]; loss L = cross_entropy(softmax(E[idx] @ W), t); output h = one_hot(idx, 7);",
    "input idx: int[2,3]; param E:[4]; loss L = sum(E[idx]^3);",
    "dim B; input x:[B,2], k: int[B]; param W:[2,4], b:[4]; loss E = cross_entropy(softmax(x @ W + b), k);",
    "dim B; input x:[B,2], k: int[B], m:[B,4]; param W:[2,4]; s = x @ W + (1 - m)*(-1e30); loss E = -mean[n](log_softmax(x @ W)[n,k[n]]) + sum(softmax(s)[:,1:3]^2);",
    // Further derivatives.
    "input A:[7,4], y:[7]; param x:[4]; loss L = norm2(A@x - y)^2; hessian L wrt x; hvp L wrt x;",
    "input x:[5,4]; param W:[4,3], b:[3]; loss E = sum(softmax(x @ W + b)^2) + sum(W)*sum(b^3); hvp E wrt W, b;",
    "input x:[4]; param W:[4,3], v:[3]; f = sum(tanh(x@W)*v); loss L = f + sum(d(f, x)^2);",
    "input x:[3]; param W:[3,4], b:[4]; o = tanh(x @ W + b); jacobian o wrt x, W; jvp o wrt W; output e = eye(4); output same = x;",
    "param x:[5]; loss L = sum(log(1 + exp(x))) + sum(log(sigmoid(x))); hessian L wrt x;",
    // Linear algebra.
    "input S:[4,4]; param X:[4,4] spd; loss L = trace(S @ inv(X)) + sum(solve(X, S)) + sum(solve(X, S[0]));",
    "param S:[4,4]; X = S @ S.T + 2*eye(4); loss L = logdet(X) + sum(cholesky(X)) + det(X)/100 + sum(eigvalsh(X)^2) + sum(tril(X)) + sum(triu(X, 1)^2);",
    "param X:[4,3]; loss L = sum(svdvals(X)); output s = svdvals(X);",
    "param A:[2,3,3], b:[2,3,2]; output x = solve(A + 4*eye(3), b); output i = inv(A + 4*eye(3)); output d = det(A);",
    "param S:[4,4]; V = eigvecsh(S + S.T + 0*eye(4)); loss L = sum(V[:, 0] * V[:, 1]^2);",
    // Functions of the field.
    "input x:[4,6]; param g:[6], b:[6]; m = mean(x, axis=1, keepdims=true); v = mean((x-m)^2, axis=1, keepdims=true); y = (x-m)/sqrt(v+1e-5)*g+b; loss L = sum(sin(y)); grad L wrt x, g, b;",
    "input x:[5,4]; param Q:[4,3],K:[4,3],V:[4,4]; a = softmax((x@Q) @ (x@K).T / sqrt(3), axis=1); y = a @ (x@V); loss L = sum(y^2);",
    "input X:[8,3], y:[8]; param w:[3]; r = X@w - y; loss L = sum(where(abs(r) < 1, r^2/2, abs(r)-1/2)); loss R = sum(w^2);",
    "param X:[3,4]; loss L = sum(max(X, axis=1)^2) + std(X) + sum(var(X, axis=0)) + sum(layer_norm(X)[0]) + sum(normalize(X)^3);",
    "dim N; input u: [N]; param a; loss E = sum(cumprod(a*u + 2)) + sum(sort(u)*a) + argmax(u); output m = argmin(u); output q = all(u); output w = any(u, axis=0);",
    "param x:[3,4]; output m = argmax(x); output n = argmax(x, axis=0); output p = prod(x, axis=0); loss L = prod(x);",
    "dim B, N, M; input x: [B, N]; target t: [B, M]; param W: [N, M], b: [M], s; r = tanh(x @ W + b); loss E = s*mean((r - t)^2)/N + sum(W^2); loss K = mean(r) + sum(r)/N + s*sum(relu(r)*t)/B; hvp E wrt W;",
    // Scans.
    "dim T; input xs:[T,3]; param W:[3,4], U:[4,4], h0:[4]; fn cell(h, x) = tanh(h @ U + x @ W); hs = scan(cell, h0, xs); loss L = sum(hs^2); output last = hs[-1];",
    "input xs:[6]; param a; fn step(s, x) = a*s + sin(x*s) + x; loss L = sum(scan(step, 0.5, xs)^2); hvp L wrt a;",
    // Names that need care, constants.
    "input x: [40]; param self, type, lambda, range, np, int; loss E = sum((type*x - self)^2)/40 + lambda^2 * range * np + int;",
    "param lambda, class, def, jnp, jax, np, torch, int, double, restrict, self, type, real, work, tuple, len, None, Some, CHAINRULE_CHECK; loss loss = None*Some*CHAINRULE_CHECK + lambda*class + def*jnp^2 + jax*np*torch + int*double*restrict + self*type*real + work*tuple*len;",
    "dim super, min, any; input k: int[any]; param match: [super, any], case: [min], move, struct, yield, float, Model, print, loss_L, outer, gradients, arguments, ctx; loss L = sum(match^2)*sum(case[k]) + move*struct^2*yield + float*Model + print*loss_L; loss forward = outer*gradients + arguments*ctx^2;",
    "const lambda = 1e-4; const rate = 1/3; param α:[3], Δx, double, static; loss λ = lambda*sum(α^2) + rate*Δx + pi*double*static + e*Δx^3; ",
    "dim forward, x; param value_and_grad:[forward], r1:[x]; z = r1 * 2; loss forward2 = sum(z^2) + sum(value_and_grad) + sum(z);",
    "output one = 1; output half = 1/2; output ones3 = ones(3); output z = zeros(2, 3); param x; loss L = x;",
    "param x; loss L = x^2 + x^(-2) + x^(1/2) + x^(-1/2) + x^(3/2) + x^0.3; output y = -x; output z = -(x - 1) - 2*x; output w = 1/(x*(x + 1)) - x/3; facts = x; ",
];

/// Spellings that overflow or cancel as they are written, at [`EXTREME_POINT`].
pub const EXTREME: &str = "param extreme: [11]; \
    loss softplus1 = sum(log(1 + exp(extreme))); loss sigmoid1 = sum(1/(1 + exp(-extreme))); loss sigmoid2 = sum(exp(extreme)/(1 + exp(extreme))); \
    loss logit = sum(log(sigmoid(extreme))); loss other = sum(log(1 - sigmoid(extreme))); loss lse = log(sum(exp(extreme))); \
    loss soft = sum((exp(extreme)/sum(exp(extreme)))^2); loss logs = sum(log(softmax(extreme)/2)[:3]); loss length = sqrt(sum(extreme^2)); \
    loss tanh1 = sum((exp(extreme) - exp(-extreme))/(exp(extreme) + exp(-extreme))); loss cosh1 = sum(log(cosh(extreme))); \
    output p = softmax(extreme); output q = log_softmax(extreme); output s = silu(extreme); output g = gelu(extreme);";

/// What open sizes may do: steps of scans, rows picked and added up, joined, reshaped and cut axes.
const OPEN: &[&str] = &[
    "dim T, N; input xs: [T, N]; param U: [N, N], b: [N], h0: [N]; fn step(h, x) = tanh(x + h @ U + b); h = scan(step, h0, xs); loss L = sum(h^2); grad L wrt U, b, h0, xs; hvp L wrt U; output h;",
    "dim T; input a: [T], b: [T]; param k, s; fn step(y, u, v) = k*y*u + v*s; fn keep(y, u) = u; loss L = sum(scan(step, s, a, b)^2) + sum(scan(keep, s, a)); hessian L wrt k; jvp L wrt s;",
    "dim T; input a: [T]; param s; fn step(y, u) = y + sin(u); output y = scan(step, 0, a); output z = scan(step, s, a)[1:];",
    "dim T, N; input x: [T, N], c0; param a, b; fn inner(s, e) = s*b + e; fn step(c, xt) = tanh(a*c + scan(inner, 0, xt)[-1]); h = scan(step, c0, x); loss E = sum(h^2); grad E wrt a, b, x, c0; hvp E wrt b; output h;",
    "dim T; input words: int[T]; param E: [5, 2], W: [2, 2]; fn step(h, word) = tanh(W @ h + E[word]); h = scan(step, zeros(2), words); loss L = sum(h^2); grad L wrt E, W; hvp L wrt E, W; output h;",
    "dim T; input places: int[T, 4]; param W: [4, 4]; fn step(h, at) = tanh(W @ h[at]); h = scan(step, ones(4), places); loss L = sum(h^2); grad L wrt W; output h;",
    "dim T; input times: int[T], lag: int, places: int[T]; param a: [5], b; fn keep(s, t) = s*t/5; fn step(s, t, at) = tanh(b*s + t/9 + lag*a[at]); h = scan(step, b, times, places); loss E = sum(h) + sum(cumsum(times)*a[0]) + sum(sort(places)*b) + sum(reshape(times, [T, 1])*b) + sum(scan(keep, lag, times))*b; grad E wrt a, b;",
    "dim T, R; input x: [R, T], s0, p0; fn inner(p, x) = sin(p) + x; fn outer(s, row) = s + sum(scan(inner, p0, row)); output y = scan(outer, s0, x);",
    "dim B, K, D; input k: int[B]; param E: [K, D]; output h = one_hot(k, K); loss L = sum(E[k]^3) + sum(h @ E);",
    "dim B, K; input z: [B, K], k: int[B]; param b: [K]; loss L = cross_entropy(softmax(z + b), k); loss M = mean(softmax_cross_entropy(z + b, one_hot(k, K)));",
    "dim N, M; param a: [N], b: [M]; output c = concat([a, b]); output s = stack([a, a^2], axis=1); output k = outer(a, b); loss L = sum(c^2) + sum(flip(a)*a) + dot(k @ b, a);",
    "dim N, M, P; param X: [N, M], z: [2*P]; output f = flatten(X); output c = cumsum(X, axis=0); output r = roll(X, 1, axis=1); output t = X.T @ X; loss L = sum(f^3) + sum(X[:, ::-1]*X) + sum(z[::2]^2) + trace(X @ X.T);",
    "dim N; param X: [N, N], v: [N]; output e = eye(N); output d = diag(X); output D = diag(v); output r = range(N) * v; loss L = sum(D @ X) + sum[i,j](delta[i,j]*X[i,j]^2) + mean(v^2);",
];

/// The numbers of [`EXTREME`].
pub const EXTREME_POINT: [f64; 11] =
    [-1000.0, -745.5, -40.0, -1.5, -1e-9, 1e-9, 0.3, 2.0, 40.0, 745.5, 1000.0];

/// How many rows share a program: fewer programs are compiled sooner.
const TOGETHER: usize = 12;

/// Programs that call every row that stands in graphs.
pub fn rows() -> Vec<String> {
    let rows = in_graphs();
    let of = |wanted: fn(&Kind) -> bool| -> Vec<&OpSpec> {
        rows.iter().copied().filter(|row| wanted(&row.kind)).collect()
    };
    let scalar = of(|kind| matches!(kind, Kind::Elementwise));
    let reduced = of(|kind| matches!(kind, Kind::Reduce));
    let along = of(|kind| matches!(kind, Kind::Along));
    let whole = |rows: &[&OpSpec], w: &str| {
        let calls: String = rows.iter().map(|row| lanes(row)).collect();
        format!("param x: [2, 3, 4], w: [{w}]; {calls}")
    };
    let mut programs: Vec<String> = scalar.chunks(TOGETHER).map(entrywise).collect();
    programs.extend(reduced.chunks(TOGETHER).map(|rows| whole(rows, "3, 4")));
    programs.extend(along.chunks(TOGETHER).map(|rows| whole(rows, "2, 3, 4")));
    programs
}

/// The rows that stand in graphs.
fn in_graphs() -> Vec<&'static OpSpec> {
    let rows = ops::all().map(|(_, _, row)| row);
    rows.filter(|row| !matches!(row.rule, Rule::Via(_) | Rule::Sum | Rule::Built)).collect()
}

/// Programs of open sizes: [`OPEN`], and one for each row that reduces axes or goes along them.
pub fn open() -> Vec<String> {
    let rows = in_graphs().into_iter().filter_map(|row| match row.kind {
        Kind::Reduce => Some((row, "B, C")),
        Kind::Along => Some((row, "A, B, C")),
        _ => None,
    });
    let rows =
        rows.map(|(row, w)| format!("dim A, B, C; param x: [A, B, C], w: [{w}]; {}", lanes(row)));
    OPEN.iter().map(ToString::to_string).chain(rows).collect()
}

fn is_differentiable(row: &OpSpec) -> bool {
    matches!(row.rule, Rule::Partials(_) | Rule::Vjp(_))
}

/// Elementwise rows, each with arguments of its own: `x_sin` is the `x` of `sin`.
fn entrywise(rows: &[&OpSpec]) -> String {
    let mut program = "param w_: [5]; const k_ = 3/4; ".to_string();
    for row in rows {
        let name = row.name;
        let args: Vec<String> = row.params.iter().map(|param| format!("{param}_{name}")).collect();
        let declared: Vec<String> = args.iter().map(|arg| format!("{arg}: [5]")).collect();
        let (args, declared) = (args.join(", "), declared.join(", "));
        program.push_str(&format!("input {declared}; output out_{name} = {name}({args}); "));
        if is_differentiable(row) {
            program.push_str(&format!(
                "loss L_{name} = k_*sum(w_*{name}({args})); grad L_{name} wrt w_, {args}; "
            ));
        }
    }
    program
}

/// A reduction or a function along an axis, over several choices of axes.
fn lanes(row: &OpSpec) -> String {
    let axes = match row.kind {
        Kind::Reduce if !row.one_axis => &["0", "1", "[0, 2]", "[1, 2]"][..],
        _ => &["0", "1", "2"],
    };
    let name = row.name;
    let mut program = String::new();
    for (at, axis) in axes.iter().enumerate() {
        program.push_str(&format!("output y{at}_{name} = {name}(x, axis={axis}); "));
    }
    if is_differentiable(row) {
        program.push_str(&format!(
            "loss L_{name} = sum({name}(x, axis=1)^2) + sum({name}(x, axis=0)*w); "
        ));
    }
    program
}

/// The domain of a variable of [`entrywise`].
pub fn domain(variable: &str) -> Option<(f64, f64)> {
    let (param, row) = variable.split_once('_')?;
    let (_, _, row) = ops::all().find(|(_, _, known)| known.name == row)?;
    let at = row.params.iter().position(|known| *known == param)?;
    let domain = row.probe.domain;
    domain.get(at).or(domain.last()).copied()
}
