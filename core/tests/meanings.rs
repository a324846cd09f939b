//! What programs mean: pairs of programs, one that uses a way of writing and one that says the same in other words, have the
//! same value and the same derivatives at random points; and derivatives agree with finite differences.

use chainrule_core::check::{check, check_told, random_point};
use chainrule_core::derivation::{Notation, Options, Steps, Style, tell};
use chainrule_core::eval::eval;
use chainrule_core::{Compiled, compile};
use chainrule_grammar::Source;

fn compiled(text: &str) -> Compiled {
    let source = Source::new("meaning", text);
    let compiled = compile(&source);
    let told: String = compiled.diagnostics.iter().map(|one| one.render(&source)).collect();
    assert!(!compiled.has_errors(), "{text}\n{told}");
    compiled
}

/// The loss and all derivatives at a random point.
fn numbers(compiled: &Compiled, seed: u64) -> Vec<Vec<f64>> {
    let point = random_point(compiled, seed).expect("a point");
    let losses = compiled.losses.iter().map(|loss| loss.node);
    let roots: Vec<_> = losses.chain(compiled.derivatives.iter().map(|one| one.node)).collect();
    let arrays = eval(&compiled.graph, &point, &roots).expect("it evaluates");
    arrays.into_iter().map(|array| array.data).collect()
}

fn same(declarations: &str, one: &str, other: &str) {
    let [left, right] = [one, other].map(|body| compiled(&format!("{declarations} {body}")));
    for seed in [1, 2] {
        for (a, b) in numbers(&left, seed).iter().zip(numbers(&right, seed)) {
            assert_eq!(a.len(), b.len(), "{one}\n{other}");
            for (a, b) in a.iter().zip(b) {
                assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{one}: {a}\n{other}: {b}");
            }
        }
    }
    let report = check(&left, 3, 1, 1e-6);
    assert!(report.holds(), "{one}: {report:?}");
    assert_told(&left, one);
}

/// Every printed closed form and every line of the derivations holds, in both notations.
fn assert_told(compiled: &Compiled, text: &str) {
    let point = random_point(compiled, 3).expect("a point");
    for notation in [Notation::Index, Notation::Matrix] {
        let options =
            Options { lang: Default::default(), notation, steps: Steps::Full, style: Style::Auto };
        let told = tell(compiled, options).unwrap_or_else(|why| panic!("{text}: {why:?}"));
        let problems = check_told(compiled, &told, &point).problems;
        assert!(problems.is_empty(), "{text}: {problems:#?}");
    }
}

fn refused(text: &str, code: &str, words: &str) {
    let source = Source::new("refused", text);
    let compiled = compile(&source);
    let told: Vec<String> = compiled.diagnostics.iter().map(|one| one.render(&source)).collect();
    assert!(compiled.has_errors(), "{text} is refused");
    assert!(told.iter().any(|one| one.contains(code) && one.contains(words)), "{text}: {told:?}");
}

#[test]
fn rows_picked_by_integers() {
    let table = "input t: int[5]; param W:[4,3];";
    same(
        table,
        "loss L = sum(W[t, :2]^2) + sum(W[t, -1]);",
        "loss L = sum[b,j:2](W[t[b],j]^2) + sum[b](W[t[b],2]);",
    );
    same(table, "loss L = sum(sin(W[t, None]));", "loss L = sum(sin(W[t]));");
    same(
        "input s: int[6], t: int[6]; param A:[5,4];",
        "loss L = sum(A[s, t]^3);",
        "loss L = sum[b]((one_hot(s, 5)[b] @ A @ one_hot(t, 4)[b])^3);",
    );
    same(
        "dim B, K; input t: int[B]; param z:[B,K];",
        "loss L = -mean(log_softmax(z)[range(B), t]);",
        "p = log_softmax(z); loss L = -mean[b](p[b, t[b]]);",
    );
    same(
        "input t: int[2]; param A:[3,4,5]; input c:[2,4], g:[3,2,5];",
        "loss L = sum(c*A[0, :, t]^2) + sum(g*gather(A, t, axis=1));",
        "loss L = sum[b,j](c[b,j]*A[0,j,t[b]]^2) + sum[i,b,k](g[i,b,k]*A[i,t[b],k]);",
    );
}

#[test]
fn slices() {
    same(
        "param x:[6]; input c:[3];",
        "loss L = sum(c*x[4:1:-1]^2) + sum(x[3::-1]^3) + sum(c*x[::-2]) + sum(x[-10:2]^2) + sum(x[1:100]^3);",
        "loss L = sum[i](c[i]*x[4-i]^2) + sum[i:4](x[3-i]^3) + sum[i](c[i]*x[5-2*i]) + sum[i:2](x[i]^2) + sum[i:5](x[i+1]^3);",
    );
    refused("param x:[6]; loss L = sum(x[4:2]);", "E0204", "empty");
    refused("param x:[6]; loss L = sum(x[1:3:-1]);", "E0204", "empty");
    refused("param x:[6]; loss L = sum(x[::0]);", "E0204", "other than 0");
}

#[test]
fn stencils() {
    same(
        "dim N; param u:[N];",
        "loss L = sum[i]((u[i+2] - 2*u[i+1] + u[i])^2);",
        "loss L = sum((u[2:] - 2*u[1:-1] + u[:-2])^2);",
    );
    same(
        "param u:[8]; input w:[7];",
        "loss L = sum[i](w[i]*(u[i] - u[i+1])^2);",
        "loss L = sum(w*(u[:-1] - u[1:])^2);",
    );
    refused(
        "param u:[8]; input w:[8]; loss L = sum[i](w[i]*(u[i] - u[i+1])^2);",
        "E0204",
        "inside of an axis",
    );
    refused("param u:[8]; input w:[7]; loss L = sum[i](w[i]*u[i]);", "E0306", "values elsewhere");
}

#[test]
fn deltas_of_affine_positions() {
    same(
        "param x:[6]; input c:[3];",
        "loss L = sum[k,j](delta[2*k, 5-j]*c[k]*x[j]^2) + sum[i,j](delta[i-2, j-4]*x[i]*x[j]);",
        "loss L = sum[k](c[k]*x[5-2*k]^2) + sum[i:4](x[i]*x[i+2]);",
    );
}

#[test]
fn axes_made_cut_and_moved() {
    let matrix = "param x:[3,4]; input c:[2,6], g:[3,4];";
    same(
        matrix,
        "loss L = sum(c*sin(reshape(x, [2,-1]))) + sum(reshape(x, -1)^3);",
        "loss L = sum(c*sin(reshape(x, [2,6]))) + sum(flatten(x)^3);",
    );
    same(
        matrix,
        "loss L = sum(g*flip(x)^2) + sum(g*roll(x, 5)^3) + sum(g*flip(x, 0));",
        "loss L = sum(g*flip(x, axis=(0,1))^2) + sum(g*reshape(roll(flatten(x), 5, axis=0), [3,4])^3) + sum(g*x[::-1]);",
    );
    same(
        "param x:[4,6];",
        "p = split(x, 3, axis=1); loss L = sum(p[0]*p[1]) + sum(p[2]^3) + sum(split(x, 2)[1]^2);",
        "loss L = sum(x[:,:2]*x[:,2:4]) + sum(x[:,4:]^3) + sum(x[2:]^2);",
    );
    same(
        "param x:[3]; input c:[2,3], g:[5,4];",
        "loss L = sum(c*expand(x, [2,3])^2) + sum(g*pad(outer(x,x), [[1,1],[0,1]]));",
        "loss L = sum(c*x^2) + sum(g[1:4,:3]*outer(x,x));",
    );
    refused("param x:[5]; loss L = sum(split(x, 2)[0]);", "E0308", "equal parts");
    refused("param x:[5]; loss L = sum(reshape(x, [2,-1]));", "E02", "not a multiple");
}

#[test]
fn subscripts() {
    same(
        "param A:[2,3,4], B:[4,5];",
        "loss L = sum(einsum(\"... i j, j k -> ... i k\", A, B)^2) + sum(einsum(\"...j,jk\", A, B)^3);",
        "loss L = sum((A @ B)^2) + sum((A @ B)^3);",
    );
    refused("param A:[2,3]; loss L = sum(einsum(\"i1->i\", A));", "E0308", "not a letter");
}

#[test]
fn classes_as_whole_numbers() {
    let classes = "target t: int[5]; param z:[5,5];";
    for loss in
        ["softmax_cross_entropy(z, {})", "nll(log_softmax(z), {})", "cross_entropy(softmax(z), {})"]
    {
        let [one, other] = ["t", "one_hot(t, 5)"]
            .map(|target| format!("loss L = {};", loss.replace("{}", target)));
        same(classes, &one, &other);
    }
}

#[test]
fn what_is_held_is_a_constant() {
    same(
        "param x:[4];",
        "loss L = sum(x*stop_gradient(x^2));",
        "loss L = sum(x*stop_gradient(x*detach(x)));",
    );
    let held = compiled("param x; loss L = x*stop_gradient(x^2); grad L wrt x;");
    let plain = compiled("param x; loss L = x; output y = x^2;");
    let point = random_point(&plain, 4).expect("a point");
    let square = eval(&plain.graph, &point, &[plain.outputs[0].node]).expect("a value");
    assert_eq!(numbers(&held, 4)[1], square[0].data);
}

#[test]
fn batches_broadcast() {
    same(
        "param A:[3,3], B:[2,3,4]; input c:[2,3,4];",
        "M = A @ A.T + 3*eye(3); loss L = sum(c*solve(M, B)^2);",
        "M = A @ A.T + 3*eye(3); loss L = sum(c*stack([solve(M, B[0]), solve(M, B[1])])^2);",
    );
}

#[test]
fn keywords_that_a_function_does_not_have() {
    refused("param A:[3,3]; loss L = sum(tril(A, diagonal=1));", "E03", "no argument `diagonal`");
    refused("param a:[3]; loss L = dot(a, a, axis=0);", "E03", "no argument `axis`");
    refused("param a:[3]; loss L = sum(a, along=0);", "E03", "no argument `along`");
}

#[test]
fn ranges_that_do_not_follow_are_printed() {
    let text = "param p:[1,2], q:[1], r:[3,1]; loss L = sum((softmax(p, axis=0)*solve(diag(q^2 + 1), p)) @ concat([r, r], axis=1).T);";
    assert_told(&compiled(text), text);
}

/// Steps along an axis of open size, where that says how many there are.
#[test]
fn steps_along_open_axes() {
    same(
        "dim M, K; param x:[2*M + K - 2], w:[K];",
        "y[i] = sum[k](x[2*i + k]*w[k]); loss L = sum(y^3);",
        "y = tensor[i:M](sum[k](x[2*i + k]*w[k])); loss L = sum(y^3);",
    );
    same(
        "dim M; param x:[2*M + 1], a:[M + 1];",
        "loss L = sum(x[::2]^3*a) + 2*sum(x[1::2]^3) + sum(x[::-2]^2*a);",
        "loss L = sum[i](x[2*i]^3*a[i]) + 2*sum[i:M](x[2*i + 1]^3) + sum[i](x[2*M - 2*i]^2*a[i]);",
    );
    refused("dim N; param x:[N]; loss L = sum(x[::2]);", "E0403", "as `2*M`");
    refused(
        "dim N, M; param x:[N], w:[M]; loss L = sum[i,k](x[3*i + 2*k]*w[k]);",
        "E0305",
        "as `3*P + 2*M - 4`",
    );
}

/// What a mask adds where it is 0 is lost in no large number.
#[test]
fn masks_that_add_large_numbers() {
    let declarations =
        "dim T = 3; input c: [T], q: [T,2], k: [T,2]; param s: [T]; m = range(T) < 2;";
    for (large, plain) in [
        ("softmax(s + (1 - m)*(-1e30))", "softmax(where(m == 1, s, -1e30))"),
        ("softmax(s - 1e20*(1 - m))", "softmax(where(m == 1, s, -1e20))"),
        ("softmax(s + (m - 1)/1e-20)", "softmax(where(m == 1, s, -1e20))"),
        (
            "softmax(q@k.T + (1 - tril(ones(T,T)))*(-1e20)) @ s",
            "softmax(where(tril(ones(T,T)) == 1, q@k.T, -1e20)) @ s",
        ),
    ] {
        let loss = |formula: &str| format!("loss L = dot({formula}, c)^2;");
        same(declarations, &loss(large), &loss(plain));
    }
}

/// A definition that mentions itself is no definition, and is not passed over.
#[test]
fn what_is_defined_by_itself() {
    for text in [
        "param x; y = y*x; loss E = y; loss G = x;",
        "param x: [3]; z[i] = z[i] + x[i]; loss E = sum(x^2);",
        "param x; loss E = x + E;",
        "param x; output y = y; loss E = x;",
        "input x: [3]; param w; fn s(h, x) = tanh(w*h + x); h = scan(s, h, x); loss E = sum(h);",
    ] {
        refused(text, "E0304", "nothing is defined by itself");
    }
    refused("fn f(x, x) = x; param y, z; loss E = f(y, z);", "E0303", "`x` is already taken");
    refused("param x: [3]; loss E = sum[i,i](x[i]);", "E0303", "`i` is already taken");
}
