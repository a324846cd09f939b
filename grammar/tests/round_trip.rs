//! `parse(format(p)) == p` up to places, and `format` changes nothing that it wrote.

use chainrule_grammar::ast::{AddOp, Binder, CompareOp, Expr, ExprKind, Ident, IndexItem, MulOp};
use chainrule_grammar::{Program, Source, Span, format, parse, parse_expr, print};

fn read(text: &str) -> Program {
    let (program, errors) = parse(&Source::new("test", text));
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
    program
}

/// The tree as text, without its places.
fn shape(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let mut parts = text.split("Span { start: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once(" }").map_or(part, |(_, rest)| rest));
    }
    out
}

fn round_trip(text: &str) -> String {
    let program = read(text);
    let printed = format(&program);
    let again = read(&printed);
    assert_eq!(shape(&again), shape(&program), "{text}\n=>\n{printed}");
    assert_eq!(format(&again), printed, "not idempotent: {text}");
    printed
}

/// Reads an expression, prints it, and expects this text; then reads that to the same tree.
fn prints(text: &str, expected: &str) {
    let expr = parse_expr(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let printed = print::expr(&expr);
    assert_eq!(printed, expected, "{text}");
    let again = parse_expr(&printed).unwrap_or_else(|error| panic!("{printed}: {error:?}"));
    assert_eq!(shape(&again), shape(&expr), "{text} => {printed}");
}

#[test]
fn whole_programs() {
    for text in [
        "dim N; input x:[1,N]; target t; param w:[N,1]; o = sigmoid(x @ w); loss E = 1/2 * sum((o - t)^2);",
        "dim B,N,M; input x:[B,N]; target y:[B,M]; param w:[N,M], b:[M]; prob = softmax(x@w+b, axis=1); loss L = mean((y-prob)^2);",
        "input x:[4,6]; target t:[4,3]; net f = dense(5) |> tanh |> dense(3) |> softmax; p = f(x); loss L = cross_entropy(p, t);",
        "z[n,k] = sum[j](x[n,j]*W[j,k]) + b[k]; o = sigmoid(z); loss E = 1/2*sum[n,k]((o[n,k]-t[n,k])^2);",
        "y[i] = sum[k](w[k]*x[i+k]); loss E = sum((tanh(y)-t)^2); grad E wrt w, x;",
        "loss L = trace(S @ inv(X)) + logdet(X);",
        "loss L = mean(softplus(-y*(X@w))); hessian L wrt w;",
        "h = tanh(W@x+b); output h; jacobian h wrt x, W; hvp L wrt W; jvp h wrt x; grad L wrt f.W1",
        "y = (x-m)/sqrt(v+1e-5)*g+b; m = mean(x, axis=1, keepdims=true);",
        "a = softmax((x@Q) @ (x@K).T / sqrt(3), axis=1); y = a @ (x@V);",
        "fn step(h, x) = tanh(x@W + h@U); h = scan(step, h0, xs);",
        "input idx: int[5], k: int; L = cross_entropy(softmax(E[idx] @ W), t);",
        "loss L = mean(-(1-pt)^2 * log(pt)); r = where(abs(r) < 1, r^2/2, abs(r)-1/2);",
        "loss L = f + sum(d(f, x)^2);",
        "dim B, N = 10, M = 2*N + 1; const lambda = 1e-4, mu = 2;",
        "param S: [N, N] symmetric positive, s positive, t: [], u; target T: [B,M] one_hot;",
        "fn f(x) { h = x^2; g[i] = h[i]; h + g } fn g() { 1 }; fn k() = 2; output y[i] = x[i]^2; output o = 3;",
        "loss = sum(x); loss + 1; loss; grad = x + 1; input = d + e; dim[i] = fn(net);",
    ] {
        round_trip(text);
    }
}

/// An equals sign before a block changes nothing.
#[test]
fn blocks_after_an_equals_sign() {
    let plain = round_trip("fn f(x) { h = x^2; h + 1 } y = 2;");
    for text in ["fn f(x) = { h = x^2; h + 1 } y = 2;", "fn f(x) = { h = x^2; h + 1 }; y = 2;"] {
        assert_eq!(round_trip(text), plain, "{text}");
    }
}

#[test]
fn precedence_and_parentheses() {
    for (text, expected) in [
        ("a+b*c", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("((a))+(b*c)", "a + b * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "(a - b) - c"),
        ("a-b-c", "a - b - c"),
        ("a*(b*c)", "a * (b * c)"),
        ("(a*b)*c", "(a * b) * c"),
        ("a*b/c@d", "a * b / c @ d"),
        ("-x^2", "-x^2"),
        ("(-x)^2", "(-x)^2"),
        ("-a*b", "-a * b"),
        ("-(a*b)", "-(a * b)"),
        ("2*-x", "2 * -x"),
        ("2^-1", "2^-1"),
        ("2^-x^2*3", "2^-x^2 * 3"),
        ("a^b^c", "a^b^c"),
        ("(a^b)^c", "(a^b)^c"),
        ("a**(b+1)", "a^(b + 1)"),
        ("--x", "--x"),
        ("+x - +y", "x - y"),
        ("a - -b", "a - -b"),
        ("a<b+1", "a < b + 1"),
        ("(a<b)<c", "(a < b) < c"),
        ("a+(b==c)", "a + (b == c)"),
        ("a ≤ b", "a <= b"),
        ("x + 1 |> f(2) |> g", "x + 1 |> f(2) |> g"),
        ("(x |> f) |> g", "(x |> f) |> g"),
        ("(x |> f) + 1", "(x |> f) + 1"),
        ("x.T.T[0]", "x.T.T[0]"),
        ("W'^2", "W.T^2"),
        ("(a@b).T", "(a @ b).T"),
        ("f.W1.T", "f.W1.T"),
        ("2.T", "(2).T"),
        ("T.T + x.Ty", "T.T + x.Ty"),
        ("a · b ⊙ c − d", "a * b * c - d"),
        ("σ_1 + β₂", "σ_1 + β₂"),
        (".5 + 1. + 1.5e3 + 1.e5 + 1.*x", ".5 + 1. + 1.5e3 + 1.e5 + 1. * x"),
    ] {
        prints(text, expected);
    }
}

#[test]
fn indices_and_calls() {
    for (text, expected) in [
        ("x[ 0,-1 ,1:4,:, ..., None]", "x[0, -1, 1:4, :, ..., None]"),
        ("x[::2]", "x[::2]"),
        ("x[1:]", "x[1:]"),
        ("x[:n]", "x[:n]"),
        ("x[i+1:n:2]", "x[i + 1 : n : 2]"),
        ("x[i+1:]", "x[i + 1 :]"),
        ("x[:n-1]", "x[: n - 1]"),
        ("x[i, 2*j+a][k]", "x[i, 2 * j + a][k]"),
        ("x[(None)]", "x[(None)]"),
        ("x[None + 1,None\n]", "x[None + 1, None]"),
        ("f(x)[0]", "f(x)[0]"),
        ("sum[i, j](x[i, j])", "sum[i,j](x[i,j])"),
        ("tensor[i, j:N, k:2*N](1)", "tensor[i, j:N, k : 2 * N](1)"),
        ("f()", "f()"),
        ("sum(x, axis=(0,1), keepdims=true,)", "sum(x, axis=(0, 1), keepdims=true)"),
        ("stack((a,b), axis=0)", "stack([a, b], axis=0)"),
        ("f((a,), [], [[1,2],[3]])", "f([a], [], [[1, 2], [3]])"),
        ("einsum(\"ij,jk->ik\", A, B)", "einsum(\"ij,jk->ik\", A, B)"),
        ("f(a == b, c=a|>g)", "f(a == b, c=a |> g)"),
    ] {
        prints(text, expected);
    }
}

#[test]
fn layout_is_canonical() {
    let text = "\u{feff}\n\n//top\ndim B,N;   // sizes\n\n\n\n/// One.\n///\n///   Two.\n/* a\n b */\nx=1; /* why */\n\ny = a + // inner\n  b; /* next */ z = 2;\nfn f(x) { // first\n\n h = x; // h\n\n /* g */\n g = h;\n // result\n h + g } // done\n\n// end\n\n\n/// nothing follows\n";
    let expected = "//top
dim B, N; // sizes

/* a
 b */
/// One.
///
///   Two.
x = 1; /* why */

// inner
y = a + b;
/* next */
z = 2;
// result
fn f(x) {
    // first

    h = x; // h

    /* g */
    g = h;
    h + g
} // done

// end

/// nothing follows
";
    assert_eq!(round_trip(text), expected);
}

#[test]
fn comments_in_odd_places() {
    for text in [
        "",
        "// only",
        "\n\n/* only */\n\n",
        "x = 1 // no semicolon",
        "x = 1 // before\n;",
        "x = 1;; // empty statement\n;y = 2;",
        "x = 1; /* a */ // b\ny = 2;",
        "x = 1; /* a\n b */ y = 2;",
        "x = 1; /// of y\ny = 2;",
        "/// d\n\n// c\n\nx = 1;",
        "// c\n\n/// d\n\nx = 1;",
        "/// d\nx = 1 + // why\n 2; // after",
        "dim B, /// batch\n N;",
        "//// no documentation\nx = 1;",
        "x = f(\"// no comment\", \"/*\");",
        "x /* a /* nested */ b */ = 1;",
        "fn f(x) /* head */ { /// doc of h\n h = x; h /* tail */ } y = 2;",
        "fn f(x) {\n\n h = x;\n\n\n h\n}\n\n\nfn g(x) { x } // g",
        "x = 1;\r\n\r\n// dos\r\ny = 2;\r\n",
    ] {
        round_trip(text);
    }
}

#[test]
fn long_lists_are_broken() {
    let names: Vec<String> = (0..30).map(|at| format!("weight{at}: [N, M]")).collect();
    let printed = round_trip(&format!("param {};", names.join(",")));
    assert!(printed.lines().all(|line| line.chars().count() <= 100), "{printed}");
    assert_eq!(printed.lines().count(), 30);
    assert_eq!(round_trip("param a: [N], b;"), "param a: [N], b;\n");
}

/// Random trees, as derivations make them.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn boxed(&mut self, depth: usize) -> Box<Expr> {
        Box::new(self.expr(depth))
    }

    fn some<T>(&mut self, mut one: impl FnMut(&mut Dice) -> T) -> Vec<T> {
        (0..1 + self.roll(3)).map(|_| one(self)).collect()
    }

    fn maybe(&mut self, depth: usize) -> Option<Expr> {
        (self.roll(2) == 0).then(|| self.expr(depth))
    }

    fn expr(&mut self, depth: usize) -> Expr {
        let kind = if depth == 0 { self.roll(2) } else { self.roll(11) };
        let below = depth.saturating_sub(1);
        Expr::synthetic(match kind {
            0 => ExprKind::Num(["1", "0.5", "1.", ".5", "1e-4"][self.roll(5)].into()),
            1 => ExprKind::Name(["x", "W.a", "T", "None", "σ_1", "wrt"][self.roll(6)].into()),
            2 => ExprKind::Neg(self.boxed(below)),
            3 => {
                let ops = [AddOp::Add, AddOp::Sub];
                ExprKind::Sum(
                    self.boxed(below),
                    self.some(|dice| (ops[dice.roll(2)], dice.expr(below))),
                )
            }
            4 => {
                let ops = [MulOp::Mul, MulOp::Div, MulOp::MatMul];
                ExprKind::Product(
                    self.boxed(below),
                    self.some(|dice| (ops[dice.roll(3)], dice.expr(below))),
                )
            }
            5 => ExprKind::Pow(self.boxed(below), self.boxed(below)),
            6 => {
                let op = [CompareOp::Lt, CompareOp::Ge, CompareOp::Eq, CompareOp::Ne][self.roll(4)];
                ExprKind::Compare(op, self.boxed(below), self.boxed(below))
            }
            7 => ExprKind::Transpose(self.boxed(below)),
            8 => ExprKind::Index(self.boxed(below), self.some(|dice| dice.item(below))),
            9 => ExprKind::Pipe(self.boxed(below), self.some(|dice| dice.call(below))),
            _ => return self.call(below),
        })
    }

    fn item(&mut self, depth: usize) -> IndexItem {
        match self.roll(5) {
            0 => IndexItem::Ellipsis,
            1 => IndexItem::NewAxis,
            2 => IndexItem::Slice(self.maybe(depth), self.maybe(depth), self.maybe(depth)),
            _ => IndexItem::At(self.expr(depth)),
        }
    }

    fn call(&mut self, depth: usize) -> Expr {
        let name = |name: &str| Ident::new(name, Span::default());
        let bound = match self.roll(3) {
            0 => self.some(|dice| Binder { name: name("i"), range: dice.maybe(depth) }),
            _ => Vec::new(),
        };
        let mut args = self.some(|dice| dice.expr(depth));
        let mut kwargs = Vec::new();
        if self.roll(3) == 0 {
            args.push(Expr::synthetic(ExprKind::Str("ij->ji".into())));
            kwargs.push((
                name("axis"),
                Expr::synthetic(ExprKind::List(self.some(|dice| dice.expr(depth)))),
            ));
        }
        Expr::synthetic(ExprKind::Call { func: name("sum"), bound, args, kwargs })
    }
}

#[test]
fn every_tree_prints_to_what_reads_back() {
    let mut dice = Dice(7);
    for _ in 0..5_000 {
        let tree = dice.expr(4);
        let text = print::expr(&tree);
        let again = parse_expr(&text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(shape(&again), shape(&tree), "{text}");
        assert!(!text.contains('\n'));
    }
}

#[test]
fn degenerate_chains_print_as_their_member() {
    let inner = Expr::synthetic(ExprKind::Sum(Box::new(Expr::name("x")), Vec::new()));
    let power = Expr::synthetic(ExprKind::Pow(Box::new(inner), Box::new(Expr::num("-2"))));
    assert_eq!(print::expr(&power), "x^-2");
    let half =
        Expr::synthetic(ExprKind::Pow(Box::new(Expr::num("-1")), Box::new(Expr::num("1/2"))));
    assert_eq!(print::expr(&half), "(-1)^(1/2)");
}
