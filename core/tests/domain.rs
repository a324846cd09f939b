//! Values outside of a formula's domain: a program has none where it has none as written, whatever simplification does.

use chainrule_core::check::{check, check_told};
use chainrule_core::derivation::{Options, tell};
use chainrule_core::eval::{Array, Point, eval, infer_dims};
use chainrule_core::ir::VarId;
use chainrule_core::{Compiled, Source, compile};

fn program(text: &str) -> Compiled {
    let compiled = compile(&Source::new("domain", text));
    assert!(!compiled.has_errors(), "{text}: {:?}", compiled.diagnostics);
    compiled
}

fn point(compiled: &Compiled, numbers: &[f64]) -> Point {
    let mut point = Point::default();
    for (id, var) in compiled.graph.vars.iter().enumerate() {
        let x = numbers[id % numbers.len()];
        let array = match var.shape.is_empty() {
            true => Array::scalar(x),
            false => Array { shape: vec![numbers.len()], data: numbers.to_vec() },
        };
        point.vars.insert(VarId(id as u32), array);
    }
    point
}

/// The value of the loss as it is written, and in normal form.
fn values(compiled: &Compiled, point: &Point) -> (f64, f64) {
    let roots = [compiled.lowered.losses[0].node, compiled.losses[0].node];
    let values = eval(&compiled.graph, point, &roots).expect("it evaluates");
    (values[0].data[0], values[1].data[0])
}

fn slope(compiled: &Compiled, point: &Point) -> f64 {
    eval(&compiled.graph, point, &[compiled.derivatives[0].node]).expect("it evaluates")[0].data[0]
}

const FORMULAS: &[&str] = &[
    // Roots that a power takes away.
    "sqrt(x)^2",
    "sqrt(x)*sqrt(x)",
    "x^(1/2)*x^(1/2)",
    "sqrt(x)^4 + 1",
    "1/sqrt(x)^2",
    "(x^(1/3))^3",
    "(x^0.25)^4*y",
    "(y*sqrt(x))^2",
    "sqrt(x)^3",
    "sqrt(x)*x",
    "square(sqrt(x))",
    "(sqrt(x)/sqrt(y))^2",
    "sqrt(x)*(sqrt(x) + y)",
    "sqrt(x)*(1/sqrt(x) + y)",
    "sqrt(x)*sqrt(y)",
    "sqrt(x*y)",
    // Powers of powers.
    "sqrt(x^2)",
    "(x^2)^(1/2)",
    "(x^2)^(3/2)",
    "(x^(-2))^(1/2)",
    "(x^(1/2))^(1/2)",
    "((x^3)^(1/3))^3",
    "1/(1/x)",
    "(1/x)^(-2)",
    "x^0",
    "abs(x)*abs(x)",
    "abs(x)^2/abs(x)",
    "sqrt(x^2)/abs(x)",
    // Factors that cancel.
    "x/x",
    "x^2/x",
    "x*(1/x)",
    "x*y/x",
    "(x + y)/(x + y)",
    "2*x/(3*x)",
    "x*(1/x + y)",
    "x*(y/x + 1/x)",
    "sqrt(x)/x",
    "x/sqrt(x)",
    "exp(x)/exp(x)",
    "exp(log(x))/exp(log(x))",
    // Terms that cancel.
    "log(x) - log(x)",
    "1/x - 1/x",
    "sqrt(x) + y - sqrt(x)",
    "2*log(x) - log(x)",
    "y/x - y/x + 3",
    "x - x",
    "asin(x) - asin(x)",
    // Logarithms and exponentials.
    "exp(log(x))",
    "log(exp(x))",
    "log(x) + log(y)",
    "log(x) - log(y)",
    "log(x*y)",
    "log(x/y)",
    "log(x^2)",
    "2*log(x)",
    "log(sqrt(x))",
    "log(x^3)",
    "log(exp(y)*x)",
    "log(exp(y) + x)",
    "log(1 + x)",
    "exp(2*log(x))",
    "exp(y*log(x))",
    "pow(x, y)",
    "sqrt(1 + x) - 1",
    "(exp(2*x) - 1)/x",
    "tanh(atanh(x))",
    "sin(asin(x))",
];

/// Without the fact that x is positive, and at points where this matters.
#[test]
fn values_are_defined_where_they_are_as_written() {
    for formula in FORMULAS {
        let compiled = program(&format!("param x, y; loss E = {formula};"));
        for x in [-2.5, -1.0, 0.0, 0.5, 3.0] {
            for y in [-1.5, 0.0, 0.7, 2.0] {
                let at = point(&compiled, &[x, y]);
                let (written, normal) = values(&compiled, &at);
                // Infinity less infinity at a pole may be infinite.
                let same = (written - normal).abs() <= 1e-12 * (1.0 + written.abs())
                    || !written.is_finite() && !normal.is_finite();
                assert!(same, "{formula} at {x}, {y}: {written}, but {normal} when simplified");
            }
        }
    }
}

/// The same of entries: sums over them, and products.
#[test]
fn so_are_sums_of_entries() {
    for formula in [
        "sum(sqrt(x)^2)",
        "sum(sqrt(x)*sqrt(x))",
        "sum[i](x[i]^(1/2) * x[i]^(1/2))",
        "sum(x/x)",
        "sum(x^2/x)",
        "mean(log(x) - log(x))",
        "dot(x, 1/x)",
        "norm2(x)^2",
        "norm2(x)/norm2(x)",
        "sqrt(sum(x^2))^2",
        "sqrt(sum(x))^2",
        "prod(x)/prod(x)",
        "sum(exp(log(x)))",
    ] {
        let compiled = program(&format!("param x:[2]; loss E = {formula};"));
        for x in [[-1.0, 2.0], [0.0, 1.0], [0.0, 0.0], [2.0, 3.0]] {
            let at = point(&compiled, &x);
            let (written, normal) = values(&compiled, &at);
            let same = (written - normal).abs() <= 1e-12 || written.is_nan() && normal.is_nan();
            assert!(same, "{formula} at {x:?}: {written}, but {normal} when simplified");
        }
    }
}

/// Two spellings are one node only where they have values at the same points.
#[test]
fn spellings_that_differ_in_their_domain_stay_two() {
    let text = "param x; loss A = x; loss B = sqrt(x)^2; loss C = 1 + 0*x; loss D = x/x; loss F = log(x) - log(x) + x; grad A wrt x;";
    let compiled = program(text);
    for (at, want) in
        [(-1.0, [-1.0, f64::NAN, 1.0, 1.0, f64::NAN]), (0.0, [0.0, 0.0, 1.0, f64::NAN, f64::NAN])]
    {
        let at = point(&compiled, &[at]);
        let nodes: Vec<_> = compiled.losses.iter().map(|loss| loss.node).collect();
        let found = eval(&compiled.graph, &at, &nodes).expect("it evaluates");
        for ((loss, found), want) in compiled.losses.iter().zip(found).zip(want) {
            let found = found.data[0];
            assert!(
                found == want || found.is_nan() && want.is_nan(),
                "{}: {found}, not {want}",
                loss.name
            );
        }
    }
}

/// A root that a power takes away is missed by the derivative too; a declared fact lets both cancel.
#[test]
fn derivatives_of_roots_to_whole_powers() {
    for formula in ["sqrt(x)^2", "sqrt(x)*sqrt(x)", "(x^(1/3))^3"] {
        let compiled = program(&format!("param x; loss E = {formula};"));
        assert!(slope(&compiled, &point(&compiled, &[-1.0])).is_nan(), "{formula}");
        assert!((slope(&compiled, &point(&compiled, &[2.0])) - 1.0).abs() < 1e-12, "{formula}");
        for fact in ["positive", "nonnegative"] {
            let known = program(&format!("param x: [] {fact}; loss E = {formula};"));
            let text = &tell(&known, Options::default()).expect("a derivation")[0].text;
            assert_eq!(text, "1", "{formula}");
        }
    }
}

/// In derivatives what cancels on paper is gone: a value at a single point more.
#[test]
fn derivatives_cancel_as_on_paper() {
    for (formula, form, at_zero) in
        [("x*log(x)", "log(x) + 1", f64::NEG_INFINITY), ("x^3*(1/x)", "2 * x", 0.0)]
    {
        let compiled = program(&format!("param x; loss E = {formula};"));
        let told = tell(&compiled, Options::default()).expect("a derivation");
        assert_eq!(told[0].text, form, "{formula}");
        let at = point(&compiled, &[0.0]);
        assert_eq!(slope(&compiled, &at), at_zero, "{formula}");
        let at = point(&compiled, &[1.5]);
        assert!(check_told(&compiled, &told, &at).problems.is_empty(), "{formula}");
        assert!(check(&compiled, 2, 1, 1e-6).holds(), "{formula}");
    }
}

/// Positions that lie outside of an axis of run-time size, and shifts by more than the size, are errors of the point, never zeros; where
/// they are inside, the value is that of the same program with the size written down.
#[test]
fn positions_on_axes_of_run_time_size() {
    let step = "fn f(h, u) = h/2 + u;";
    for (loss, least) in [
        ("x[5]^2 + 1", 6),
        ("x[-4]^2 + 1", 4),
        ("sum(x[1:5]^2)", 5),
        ("sum(x[3:]^2)*x[3]", 4),
        ("sum(x[4::-2]^2)", 5),
        ("sum[i:5](exp(x[i]))", 5),
        ("sum[i:4](x[i+1] - x[i])", 5),
        ("sum(roll(x, 5)*cumsum(x))", 5),
        ("sum(roll(x, -3)*cumsum(x))", 3),
        ("scan(f, 1, x)[3]^2", 4),
        ("x[0] + x[-1]", 1),
    ] {
        let open = program(&format!("dim N; param x: [N]; {step} loss E = {loss};"));
        for size in 1..8 {
            let numbers: Vec<f64> = (0..size).map(|at| 0.5 + at as f64).collect();
            let mut at = point(&open, &numbers);
            let sizes = infer_dims(&open.graph, &at.vars);
            assert_eq!(sizes.is_ok(), size >= least, "{loss} at {size}: {sizes:?}");
            let Ok(sizes) = sizes else { continue };
            at.dims = sizes;
            let fixed = program(&format!("param x: [{size}]; {step} loss E = {loss};"));
            let (found, wanted) =
                (values(&open, &at).1, values(&fixed, &point(&fixed, &numbers)).1);
            assert!(
                (found - wanted).abs() <= 1e-12 * wanted.abs(),
                "{loss} at {size}: {found} {wanted}"
            );
        }
    }
}

/// A vector beside a column is a loss of all pairs, which is said with both shapes; a number beside a vector is none.
#[test]
fn losses_of_all_pairs() {
    let warned = |target: &str| {
        let text = format!("dim N; param p:[N]; target t{target}; loss E = mse(p, t);");
        let compiled = program(&text);
        let messages = compiled.diagnostics.iter().map(|one| one.message.clone());
        messages.collect::<Vec<String>>()
    };
    assert_eq!(warned(":[N,1]"), ["`mse` of shapes [N] and [N, 1] compares [N, N] pairs"]);
    for fits in [":[N]", ":[1]", ""] {
        assert!(warned(fits).is_empty(), "{fits}");
    }
}

/// A derivative that is 0 says what on the way has none; terms cancel only where they do.
#[test]
fn what_makes_a_derivative_zero() {
    let warned = |text: &str| {
        let compiled = program(text);
        let messages = compiled.diagnostics.iter().map(|one| one.message.clone());
        messages.collect::<Vec<String>>().join("; ")
    };
    for (text, function) in [
        ("param x:[3]; loss L = sum(where(x, 1, 2));", "`where`"),
        ("param x:[3]; input E:[3,2]; loss L = sum(E[argmax(x)]);", "`argmax`"),
        ("param x:[3]; loss L = sum(sign(x));", "`sign`"),
    ] {
        let said = warned(text);
        assert!(said.ends_with(&format!("zero almost everywhere: {function}")), "{text}: {said}");
    }
    let said = warned("param x, y; loss L = y + x*y - y*x;");
    assert!(said.ends_with("the terms cancel"), "{said}");
}
