//! Naive spellings against the functions that they stand for, at inputs where the spelling as written overflows or cancels.

use chainrule_core::check::{check, check_told, random_point};
use chainrule_core::derivation::{Options, Steps, tell};
use chainrule_core::eval::{Array, Point, eval};
use chainrule_core::ir::VarId;
use chainrule_core::{Compiled, Source, compile};

fn program(formula: &str) -> Compiled {
    let source = Source::new("test", format!("param x; loss E = {formula};"));
    let compiled = compile(&source);
    assert!(!compiled.has_errors(), "{formula}: {:?}", compiled.diagnostics);
    compiled
}

fn point(x: Array) -> Point {
    let mut point = Point::default();
    point.vars.insert(VarId(0), x);
    point
}

/// The closed form as it is printed has the derivative's value.
#[track_caller]
fn printed(compiled: &Compiled, point: &Point) {
    let options = Options { steps: Steps::None, ..Options::default() };
    let told = tell(compiled, options).expect("a derivation");
    let problems = check_told(compiled, &told, point).problems;
    assert!(problems.is_empty(), "{}: {problems:#?}", told[0].text);
}

fn of_the_value(compiled: &Compiled) -> bool {
    let options = Options { steps: Steps::None, ..Options::default() };
    tell(compiled, options).expect("a derivation")[0].text.contains('E')
}

/// The value and the derivative of a formula in the number `x`.
fn at(formula: &str, x: f64) -> (f64, f64) {
    let compiled = program(formula);
    let point = point(Array::scalar(x));
    let roots = [compiled.losses[0].node, compiled.derivatives[0].node];
    let values = eval(&compiled.graph, &point, &roots).expect("it evaluates");
    (values[0].data[0], values[1].data[0])
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-14 * b.abs()
}

#[track_caller]
fn same(naive: &str, stable: &str) {
    let points = [-1000.0, -745.5, -40.0, -1.5, -1e-9, 1e-9, 0.3, 2.0, 40.0, 745.5, 1000.0];
    same_at(naive, stable, &points);
}

#[track_caller]
fn same_at(naive: &str, stable: &str, points: &[f64]) {
    for &x in points {
        let ((value, slope), (want, want_slope)) = (at(naive, x), at(stable, x));
        assert!(close(value, want), "{naive} at {x}: {value}, but {stable} is {want}");
        let fits = (slope - want_slope).abs() <= 1e-13 * want_slope.abs().max(1e-300)
            || (slope - want_slope).abs() < 1e-300;
        assert!(
            fits,
            "the derivative of {naive} at {x}: {slope}, but that of {stable} is {want_slope}"
        );
    }
    let compiled = program(naive);
    for &x in points.iter().filter(|x| [-1000.0, 0.3, 1000.0].contains(*x)) {
        let point = point(Array::scalar(x));
        let written = eval(&compiled.graph, &point, &[compiled.lowered.losses[0].node]);
        // A closed form may speak of E, which is what the program wrote.
        if written.expect("it evaluates")[0].data[0].is_finite() || !of_the_value(&compiled) {
            printed(&compiled, &point);
        }
    }
}

#[test]
fn sigmoids_and_tangents_written_out() {
    same("1/(1 + exp(-x))", "sigmoid(x)");
    same("exp(x)/(1 + exp(x))", "sigmoid(x)");
    same("exp(x)/(exp(x) + 1)", "sigmoid(x)");
    same("x/(1 + exp(-x))", "x*sigmoid(x)");
    same("(exp(x) - exp(-x))/(exp(x) + exp(-x))", "tanh(x)");
    same("(exp(-x) - exp(x))/(exp(x) + exp(-x))", "-tanh(x)");
    same("3*(exp(2*x) - 1)/(exp(2*x) + 1)", "3*tanh(x)");
    same("(1 - exp(-x))/(1 + exp(-x))", "tanh(x/2)");
    same("sinh(x)/cosh(x)", "tanh(x)");
    same("(sinh(x)/cosh(x))^2", "tanh(x)^2");
    same("cosh(x)/sinh(x)", "1/tanh(x)");
    same("(cosh(x)/sinh(x))^2", "1/tanh(x)^2");
    same("cosh(x)/sinh(x)^2", "1/(tanh(x)*sinh(x))");
    same("exp(x)*exp(-x)", "1 + 0*x");
    same("exp(x)/(exp(x) + exp(-x))", "sigmoid(x - -x)");
    same("2/(1 + exp(-2*x)) - 1", "tanh(x)");
    same("3 - 6*sigmoid(x)", "-3*tanh(x/2)");
}

#[test]
fn logarithms_of_exponentials() {
    same("log(1 + exp(x))", "softplus(x)");
    same("log1p(exp(x))", "softplus(x)");
    same("log(1/(1 + exp(-x)))", "logsigmoid(x)");
    same("log(1 - sigmoid(x))", "logsigmoid(-x)");
    same("log(cosh(x))", "logcosh(x)");
    same("log(exp(x)*exp(2*x))", "3*x");
    same("log(exp(x)/(1 + exp(x)))", "logsigmoid(x)");
    same("log(2*exp(x) + 3*exp(2*x))", "logaddexp(x + log(2), 2*x + log(3))");
    same("log(5 + exp(x))", "logaddexp(log(5), x)");
    same("log((1 + tanh(x/2))/2)", "logsigmoid(x)");
    same("log(1/2 - tanh(x/2)/2)", "logsigmoid(-x)");
    same("log(3 - 3*sigmoid(x))", "logsigmoid(-x) + log(3)");
    same("log(sigmoid(x)^2)", "2*logsigmoid(x)");
    same("log1p(-sigmoid(x))", "logsigmoid(-x)");
    same("log1p(tanh(x))", "logsigmoid(2*x) + log(2)");
    same("log(1 - tanh(x)^2)", "-2*logcosh(x)");
    same("log(1 - sigmoid(x)^2)", "logsigmoid(-x) + log1p(sigmoid(x))");
    same(
        "log(where(x > 0, sigmoid(x), 1 - sigmoid(x)))",
        "where(x > 0, logsigmoid(x), logsigmoid(-x))",
    );
    same("log(exp(-x^2/2)/sqrt(2*pi))", "-x^2/2 - log(2*pi)/2");
}

#[test]
fn the_same_in_other_words() {
    for naive in [
        "log(exp(-x) + 1)",
        "-log(sigmoid(x))",
        "-log(1/(1 + exp(-x)))",
        "-log(1 - sigmoid(-x))",
        "-log((1 + exp(-x))^-1)",
        "log1p(exp(-x))",
        "-logsigmoid(x)",
        "-log(exp(x)/(exp(x) + 1))",
        "log(1 + 1/exp(x))",
    ] {
        same(naive, "softplus(-x)");
    }
    for naive in ["(1 + exp(-x))^-1", "exp(x)*(1 + exp(x))^-1", "1/(exp(-x) + 1)"] {
        same(naive, "sigmoid(x)");
    }
    same("(1 + exp(-x))^-2", "sigmoid(x)^2");
    same("exp(x)^2/(1 + exp(x))^2", "sigmoid(x)^2");
    same("((exp(x) - exp(-x))/(exp(x) + exp(-x)))^2", "tanh(x)^2");
    same("-log(sigmoid(x)) - log(sigmoid(-x))", "softplus(-x) + softplus(x)");
    same("log(exp(x) + exp(-x))", "logaddexp(x, -x)");
}

/// A class picked after a softmax, in every way to write one.
#[test]
fn a_class_picked_after_a_softmax() {
    for formula in [
        "-log(softmax(x)[0])",
        "-log_softmax(x)[0]",
        "-log(softmax(x))[0]",
        "-log(exp(x)/sum(exp(x)))[0]",
        "-log((exp(x)/sum(exp(x)))[0])",
        "-log(exp(x[0])/sum(exp(x)))",
        "log(sum(exp(x))/exp(x[0]))",
        "logsumexp(x) - x[0]",
        "log(sum(exp(x))) - x[0]",
        "log(sum[i](exp(x[i]))) - log(exp(x[0]))",
        "-sum[i](delta[i,0]*log(softmax(x)[i]))",
    ] {
        let source = Source::new("test", format!("param x: [3]; loss E = {formula};"));
        let compiled = compile(&source);
        assert!(!compiled.has_errors(), "{formula}: {:?}", compiled.diagnostics);
        for (x, value, slope) in [
            ([1000.0, 0.0, 0.0], 0.0, [0.0, 0.0, 0.0]),
            ([0.0, 1000.0, 0.0], 1000.0, [-1.0, 1.0, 0.0]),
            ([0.0, -1000.0, 0.0], 2f64.ln(), [-0.5, 0.0, 0.5]),
        ] {
            let point = point(Array::new(&[3], x.to_vec()).expect("three numbers"));
            let roots = [compiled.losses[0].node, compiled.derivatives[0].node];
            let values = eval(&compiled.graph, &point, &roots).expect("it evaluates");
            let near = |found: &f64, wanted: &f64| (found - wanted).abs() < 1e-12;
            assert!(near(&values[0].data[0], &value), "{formula} at {x:?}: {:?}", values[0].data);
            let all = values[1].data.iter().zip(&slope).all(|(a, b)| near(a, b));
            assert!(all, "the gradient of {formula} at {x:?}: {:?}", values[1].data);
            printed(&compiled, &point);
        }
    }
}

#[test]
fn differences_that_cancel() {
    same("exp(x/2) - 1", "expm1(x/2)");
    same("1 - exp(x/2)", "-expm1(x/2)");
    same("log(1 + x^2)", "log1p(x^2)");
    same("sqrt(1 + x^2) - 1", "x^2/(sqrt(1 + x^2) + 1)");
}

#[test]
fn functions_at_neighbouring_points() {
    let small = [-1e-9, 1e-5, 0.3, 1e-200];
    same_at("1 - cos(x)", "2*sin(x/2)^2", &small);
    same_at("3*cos(2*x) - 3", "-6*sin(x)^2", &small);
    let large = [0.3, 1.0, 1e10, 1e16, 1000.0];
    same_at("sqrt(x + 1) - sqrt(x)", "1/(sqrt(x + 1) + sqrt(x))", &large);
    same_at("2*sqrt(x) - 2*sqrt(x + 3)", "-6/(sqrt(x + 3) + sqrt(x))", &large);
    same_at("1/x - 1/(x + 1)", "1/(x*(x + 1))", &large);
    let logs = "param x positive; loss E = log(x) - log(x + 1);";
    exact(logs, &[&[1e10]], -9.9999999995e-11, &[9.999999999e-21]);
    // Where a logarithm has no value, nor has the difference.
    assert!(at("log(x + 1) - log(x)", -3.0).0.is_nan());
    // At 0 the roots are alike, where both were the same.
    assert_eq!(at("sqrt(x) - sqrt(x)", 0.0).0, 0.0);
}

#[test]
fn logarithms_of_powers_and_of_differences() {
    let wide = [-1e200, -3.0, 1e-200, 0.3, 1000.0, 1e200];
    same_at("log(x^2)", "2*log(abs(x))", &wide);
    same_at("log(1/x^4)", "-4*log(abs(x))", &wide);
    same_at("log(3*x^2)", "2*log(abs(x)) + log(3)", &[0.3, 2.0]);
    same_at("(x^2)^0.25", "abs(x)^0.5", &wide);
    same_at("sqrt(exp(x))", "exp(x/2)", &[-1000.0, 0.3, 1000.0]);
    let all = [-1000.0, -40.0, -3.0];
    same_at("log(exp(x) - exp(2*x))", "x + log(-expm1(x))", &all);
    same_at("log(exp(-x) - exp(x))", "-x + log(-expm1(2*x))", &all);
    same_at("log(exp(x) - 2)", "x + log(-expm1(log(2) - x))", &[1000.0, 2.0]);
    same_at("log(2 - exp(x))", "log(2) + log(-expm1(x - log(2)))", &[-1000.0, 0.3]);
    let (value, slope) = at("log(exp(1000) - exp(x))", 999.0);
    assert!((value - (1000.0 + (-(-1f64).exp()).ln_1p())).abs() < 1e-10, "{value}");
    assert!((slope + 1.0 / 1f64.exp_m1()).abs() < 1e-14, "{slope}");
}

#[test]
fn logarithms_of_shares_of_the_normal_distribution() {
    let wide = [-1000.0, -40.0, -3.0, 1e-9, 0.3, 7.9, 8.1, 30.0, 1000.0];
    same_at("log(erfc(x))", "logerfc(x)", &wide);
    same_at("log(1 - erf(x))", "logerfc(x)", &wide);
    same_at("exp(x^2)*erfc(x)", "erfcx(x)", &[-3.0, 0.3, 30.0, 1000.0]);
    same_at("log((1 + erf(x))/2)", "logerfc(-x) - log(2)", &wide);
    same_at("log(0.5*erfc(-x/sqrt(2)))", "logerfc(-x/sqrt(2)) - log(2)", &wide);
    // By mpmath, with 60 digits.
    let (value, slope) = at("log(0.5*(1 + erf(x/sqrt(2))))", -40.0);
    assert!(close(value, -804.6084420137538), "{value}");
    assert!(close(slope, 40.02496884720726), "{slope}");
}

#[test]
fn inverse_hyperbolic_functions_written_out() {
    let wide = [-1000.0, -1e8, -1e-9, 1e-200, 0.3, 1000.0, 1e8];
    same_at("log(x + sqrt(x^2 + 1))", "asinh(x)", &wide);
    same_at("log(sqrt(1 + x^2) - x)", "-asinh(x)", &wide);
    same_at("log(4*x + 2*sqrt(1 + 4*x^2))", "asinh(2*x) + log(2)", &[-40.0, 0.3]);
    same_at("log(sqrt(x^2 + 1) + x)*3", "3*asinh(x)", &wide);
    let inside = [-0.999999, -1e-9, 1e-200, 0.3];
    same_at("log((1 + x)/(1 - x))/2", "atanh(x)", &inside);
    same_at("log((1 - x)/(1 + x))", "-2*atanh(x)", &inside);
    same_at("log(3*(1 + x)/(1 - x))", "2*atanh(x) + log(3)", &[0.3]);
}

#[test]
fn what_only_looks_alike_stays() {
    for formula in [
        "log(exp(x) - exp(2*x))",
        "(exp(x) - exp(-x))/(exp(x) - exp(-x) + 1)",
        "log(x*exp(x))",
        "(exp(x) - exp(x/2))/(exp(x) + exp(x/2))",
    ] {
        let (value, _) = at(formula, 0.7);
        let naive: f64 = match formula {
            "log(exp(x) - exp(2*x))" => f64::NAN,
            "log(x*exp(x))" => 0.7f64.ln() + 0.7,
            "(exp(x) - exp(x/2))/(exp(x) + exp(x/2))" => {
                (0.7f64.exp() - 0.35f64.exp()) / (0.7f64.exp() + 0.35f64.exp())
            }
            _ => 2.0 * 0.7f64.sinh() / (2.0 * 0.7f64.sinh() + 1.0),
        };
        assert!(
            close(value, naive) || (value.is_nan() && naive.is_nan()),
            "{formula}: {value} for {naive}"
        );
    }
    // The logarithm of what may be negative is not taken apart.
    let (value, _) = at("log(x*x*exp(x))", -2.0);
    assert!(close(value, 4f64.ln() - 2.0), "{value}");
}

#[test]
fn even_powers_of_a_norm_are_smooth_at_the_origin() {
    let source = Source::new("test", "param x: [3]; loss E = norm2(x)^2; hessian E wrt x;");
    let compiled = compile(&source);
    let mut point = Point::default();
    point.vars.insert(VarId(0), Array::zeros(&[3]));
    // The gradient comes first.
    let hessian = eval(&compiled.graph, &point, &[compiled.derivatives[1].node])
        .expect("it evaluates")
        .remove(0);
    assert_eq!(hessian.data, [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0]);
}

/// A program may hold a function twice, once so that its digits cancel: the other spelling keeps its own.
#[test]
fn a_spelling_is_not_taken_for_a_worse_one() {
    let cancels = "A = (x + 1)^2 - 2*x - 1";
    for text in [
        format!("param x; loss {cancels}; loss B = x^2;"),
        format!("param x; loss B = x^2; loss {cancels};"),
    ] {
        let compiled = compile(&Source::new("test", text.as_str()));
        let b = compiled.losses.iter().find(|loss| loss.name == "B").expect("B").node;
        let value = eval(&compiled.graph, &point(Array::scalar(1e-9)), &[b]).expect("a value");
        assert!((value[0].data[0] - 1e-18).abs() < 1e-30, "{text}: {:?}", value[0]);
    }
}

/// Complements of functions that the rule book knows to be mirrored so: the difference from 1 loses all digits at one end.
#[test]
fn complements() {
    for (naive, stable) in [
        ("1 - sigmoid(-x)", "sigmoid(x)"),
        ("1 - sigmoid(x)", "sigmoid(-x)"),
        ("1 - 1/(1 + exp(-x))", "sigmoid(-x)"),
        ("1 - 1/(1 + exp(x))", "sigmoid(x)"),
        ("3 - 3*sigmoid(-2*x)", "3*sigmoid(2*x)"),
        ("sigmoid(-x)*(1 - sigmoid(-x))", "sigmoid(-x)*sigmoid(x)"),
        ("(1 - sigmoid(x))^2", "sigmoid(-x)^2"),
    ] {
        same(naive, stable);
        let (one, other) = (program(naive), program(stable));
        for x in [-800.0, -40.0, 0.3, 40.0, 700.0] {
            let point = point(Array::scalar(x));
            let at = |compiled: &Compiled| {
                let roots = [compiled.losses[0].node, compiled.derivatives[0].node];
                let values = eval(&compiled.graph, &point, &roots).expect("it evaluates");
                (values[0].data[0], values[1].data[0])
            };
            let ((value, slope), (want, want_slope)) = (at(&one), at(&other));
            assert!((value - want).abs() <= 1e-14 * want.abs(), "{naive} at {x}: {value}, {want}");
            let error = (slope - want_slope).abs();
            assert!(error <= 1e-14 * want_slope.abs(), "{naive} at {x}: {slope}, {want_slope}");
            printed(&one, &point);
        }
    }
    for (formula, form) in [
        ("1 - sigmoid(-x)", "E * (1 - E)"),
        ("x + 1 - sigmoid(-x)", "1 + sigmoid(-x) * sigmoid(x)"),
        ("2*(1 - sigmoid(-x))", "2 * sigmoid(x) * (1 - sigmoid(x))"),
        ("2*(1 - sigmoid(x))", "-2 * sigmoid(-x) * sigmoid(x)"),
        ("sigmoid(x)*(1 - sigmoid(x))", "(1 - 2 * sigmoid(x)) * E"),
    ] {
        let told = tell(&program(formula), Options::default()).expect("a derivation");
        assert_eq!(told[0].text, form, "{formula}");
    }
}

/// Where the branch that is not taken is undefined or infinite, neither value nor derivatives know of it, of any order and in any place.
#[test]
fn the_branch_not_taken_has_no_say() {
    for (formula, x, value, first, second) in [
        ("where(x > 0, sqrt(x), -x)", -2.0, 2.0, -1.0, 0.0),
        ("where(x > 0, x*log(x), 0)", -2.0, 0.0, 0.0, 0.0),
        ("where(x > 0, x^1.5, x)", -2.0, -2.0, 1.0, 0.0),
        ("where(x > 0, 1/x, 3*x)", 0.0, 0.0, 3.0, 0.0),
        ("where(x == 0, 1, sin(x)/x)", 0.0, 1.0, 0.0, 0.0),
        ("where(x > 0, sqrt(x), (-x)^1.5)", -4.0, 8.0, -3.0, 0.375),
        ("where(x < 100, exp(x), x)", 800.0, 800.0, 1.0, 0.0),
        ("where(x > 0, where(x > 1, log(x - 1), sqrt(x)), x^2)", 0.25, 0.5, 1.0, -2.0),
        ("where(x > 0, where(x > 1, log(x - 1), sqrt(x)), x^2)", -2.0, 4.0, -4.0, 2.0),
        ("3*where(x > 0, sqrt(x)*log(x)*cos(x), x^2)", -2.0, 12.0, -12.0, 6.0),
        // Longer conditions, which are added up.
        ("sum(where(range(3) > 5, sqrt(x), -x))", -2.0, 6.0, -3.0, 0.0),
        ("mean(where(outer(range(3), range(2)) > 5, x*log(x), x^2))", -2.0, 4.0, -4.0, 2.0),
        ("sum(range(3)*where(range(3) > 5, 1/x, 3*x))", 0.0, 0.0, 9.0, 0.0),
    ] {
        let source = Source::new("test", format!("param x; loss E = {formula}; hessian E wrt x;"));
        let compiled = compile(&source);
        let nodes =
            [compiled.losses[0].node, compiled.derivatives[0].node, compiled.derivatives[1].node];
        let found = eval(&compiled.graph, &point(Array::scalar(x)), &nodes).expect("values");
        for (found, wanted) in found.iter().zip([value, first, second]) {
            assert!(close(found.data[0], wanted), "{formula} at {x}: {found:?} for {wanted}");
        }
    }
    // The second derivative of a sum over entries, some of which take one branch and some the other.
    let program = "param x: [3]; loss E = sum(where(x > 0, sqrt(x)*log(x), x^2)); hessian E wrt x;";
    let compiled = compile(&Source::new("test", program));
    let x = Array { shape: vec![3], data: vec![-2.0, 1.0, 4.0] };
    let found = eval(&compiled.graph, &point(x), &[compiled.derivatives[1].node]).expect("values");
    let at_4 = -(4f64.ln()) / (4.0 * 8.0);
    let wanted = [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, at_4];
    for (found, wanted) in found[0].data.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-12, "{found} for {wanted}");
    }
}

/// `exp(x)/sum(exp(x))` is a softmax whatever stands beside it, and what is differentiated within the program is stable too.
#[test]
fn shares_of_exponentials_among_other_factors() {
    for (naive, stable) in [
        ("dot(exp(x)/sum(exp(x)), c)", "dot(softmax(x), c)"),
        ("sum(exp(x)/sum(exp(x))*x)", "sum(softmax(x)*x)"),
        ("sum((exp(x)/sum(exp(x)))^2)", "sum(softmax(x)^2)"),
        ("sum[i](exp(x[i])/sum[j](exp(x[j]))*c[i])", "sum(softmax(x)*c)"),
        ("sum(3*c*exp(x)/sum(exp(x))*x)", "3*sum(softmax(x)*c*x)"),
        ("sum(exp(x)*c)/sum(exp(x))", "dot(softmax(x), c)"),
        (
            "sum(((exp(outer(c, x)) @ outer(x, c))/sum(exp(outer(c, x)), axis=1, keepdims=true))^2)",
            "sum((softmax(outer(c, x)) @ outer(x, c))^2)",
        ),
        ("sum(d(log(sum(exp(x))), x)*c)", "sum(softmax(x)*c)"),
        (
            "sum(d(d(log(sum(exp(x))), x), x) @ c)",
            "sum((diag(softmax(x)) - outer(softmax(x), softmax(x))) @ c)",
        ),
    ] {
        let at = |formula: &str| {
            let program = format!("param x: [3]; c = range(3) - 0.5; loss E = {formula};");
            let compiled = compile(&Source::new("test", program));
            let x = Array { shape: vec![3], data: vec![800.0, -800.0, 799.5] };
            let nodes = [compiled.losses[0].node, compiled.derivatives[0].node];
            let found = eval(&compiled.graph, &point(x), &nodes).expect("values");
            [found[0].data.clone(), found[1].data.clone()].concat()
        };
        for (found, wanted) in at(naive).iter().zip(at(stable)) {
            assert!(
                (found - wanted).abs() <= 1e-9 * (1.0 + wanted.abs()),
                "{naive}: {found} for {wanted}"
            );
        }
    }
}

/// Values and slopes that are finite, though parts of the formula as written are not.
#[test]
fn parts_that_overflow() {
    let e = 1f64.exp();
    for (formula, x, value, slope) in [
        ("sqrt(relu(x))", -1.0, 0.0, 0.0),
        ("sqrt(x^2)", 0.0, 0.0, 0.0),
        ("sqrt(x*x)", -1e200, 1e200, -1.0),
        ("log(sigmoid(x)/(1 - sigmoid(x)))", 800.0, 800.0, 1.0),
        ("log(sigmoid(x)/(1 - sigmoid(x)))", -800.0, -800.0, 1.0),
        ("log(x*exp(x))", 800.0, 800f64.ln() + 800.0, 1.00125),
        ("log(-2*x*exp(-x))", -800.0, 1600f64.ln() + 800.0, -1.00125),
        ("log(x^2*exp(x)*exp(x))", -700.0, 2.0 * 700f64.ln() - 1400.0, 2.0 - 2.0 / 700.0),
        ("log(1/(x*exp(x)))", 800.0, -(800f64.ln()) - 800.0, -1.00125),
        ("log(exp(x) - 1)", 800.0, 800.0, 1.0),
        ("log(4*exp(x) - 4)", 800.0, 800.0 + 4f64.ln(), 1.0),
        ("log(expm1(x))", 1e-9, 1e-9f64.exp_m1().ln(), 1e9 + 0.5),
        ("log(sinh(x))", 800.0, 800.0 - 2f64.ln(), 1.0),
        ("log2(3*exp(x))", 800.0, 800.0 / 2f64.ln() + 3f64.log2(), 1.0 / 2f64.ln()),
        ("log10(1 + exp(x))", 800.0, 800.0 / 10f64.ln(), 1.0 / 10f64.ln()),
        ("sigmoid(x)/(1 - sigmoid(x))", 40.0, 40f64.exp(), 40f64.exp()),
        ("sigmoid(x)^2/(3 - 3*sigmoid(x))", -800.0, 0.0, 0.0),
        ("x/(exp(x) - 1)", 800.0, 0.0, 0.0),
        ("exp(x)/(exp(x) - 1)", 800.0, 1.0, 0.0),
        ("1/cosh(x)", 800.0, 0.0, 0.0),
        ("cosh(x)/sinh(x)", 800.0, 1.0, 0.0),
        ("1/cosh(x)", -800.0, 0.0, 0.0),
        ("exp(x)/exp(x - 1)", 800.0, e, 0.0),
        ("exp(800 + x)/exp(800)", 1.0, e, e),
        ("exp(x)/(1 + exp(x) + exp(2*x))", 800.0, 0.0, 0.0),
        ("exp(2*x)/(exp(2*x) + exp(2*x + 1))", 800.0, 1.0 / (1.0 + e), 0.0),
        ("exp(x)/(exp(-x) + exp(x))", 800.0, 1.0, 0.0),
        ("(exp(x)/(exp(-x) + exp(x)))^2", -800.0, 0.0, 0.0),
    ] {
        let (found, found_slope) = at(formula, x);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-13 * (1.0 + b.abs());
        assert!(near(found, value), "{formula} at {x}: {found} for {value}");
        assert!(near(found_slope, slope), "{formula} at {x}: slope {found_slope} for {slope}");
        printed(&program(formula), &point(Array::scalar(if x.abs() > 1.0 { 0.7 } else { x })));
    }
}

/// The value and the first gradient of a program, its variables in the order of their declaration.
fn values_at(text: &str, at: &[&[f64]]) -> (f64, Vec<f64>) {
    let compiled = compile(&Source::new("test", text));
    assert!(!compiled.has_errors(), "{text}: {:?}", compiled.diagnostics);
    let mut point = Point::default();
    for (id, (var, data)) in compiled.graph.vars.iter().zip(at).enumerate() {
        let shape = if var.shape.is_empty() { Vec::new() } else { vec![data.len()] };
        point.vars.insert(VarId(id as u32), Array { shape, data: data.to_vec() });
    }
    let roots = [compiled.losses[0].node, compiled.derivatives[0].node];
    let found = eval(&compiled.graph, &point, &roots).expect("values");
    (found[0].data[0], found[1].data.clone())
}

#[track_caller]
fn exact(text: &str, at: &[&[f64]], value: f64, gradient: &[f64]) {
    let (found, slopes) = values_at(text, at);
    let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-12 * b.abs();
    assert!(near(found, value), "{text} at {at:?}: {found} for {value}");
    let all = slopes.len() == gradient.len()
        && slopes.iter().zip(gradient).all(|(found, wanted)| near(*found, *wanted));
    assert!(all, "the gradient of {text} at {at:?}: {slopes:?} for {gradient:?}");
}

#[test]
fn densities_and_shares() {
    let density = "param r; input s; loss E = log(exp(-(r/s)^2/2)/(s*sqrt(2*pi)));";
    exact(density, &[&[800.0], &[1.0]], -320_000.918_938_533_2, &[-800.0]);
    let share = 1.0 / (1.0 + 1f64.exp());
    let slope = share * (1.0 - share);
    for formula in [
        "exp(x[0])/sum(exp(x))",
        "exp(x[0])/(exp(x[0]) + exp(x[1]))",
        "sum(exp(x[:1])/sum(exp(x)))",
        "exp(x[0])^2/(exp(x[0])*sum(exp(x)))",
    ] {
        let text = format!("param x: [2]; loss E = {formula};");
        exact(&text, &[&[800.0, 801.0]], share, &[slope, -slope]);
    }
    let chosen =
        "param z: [2]; input y: [2]; loss E = -sum(log(where(y > 0, sigmoid(z), 1 - sigmoid(z))));";
    exact(chosen, &[&[800.0, -800.0], &[0.0, 1.0]], 1600.0, &[1.0, -1.0]);
    exact(chosen, &[&[800.0, -800.0], &[1.0, 0.0]], 0.0, &[0.0, 0.0]);
}

/// An outcome of probability 0 adds nothing.
#[test]
fn zero_times_the_logarithm_of_zero() {
    let divergence = "input p: [2]; param q: [2]; loss E = kl_div(p, q);";
    exact(divergence, &[&[1.0, 0.0], &[0.5, 0.5]], 2f64.ln(), &[-2.0, 0.0]);
    let entropy = "param z: [2]; input t: [2]; loss E = kl_div(t, softmax(z));";
    exact(entropy, &[&[800.0, 0.0], &[0.0, 1.0]], 800.0, &[1.0, -1.0]);
    let classes = "input p: [2]; param c; input t: [2]; loss E = c*cross_entropy(p, t);";
    exact(classes, &[&[1.0, 0.0], &[3.0], &[1.0, 0.0]], 0.0, &[0.0]);
    for p in [0.0, 1.0] {
        let binary = "input p; param c; input t; loss E = c*bce(p, t);";
        exact(binary, &[&[p], &[3.0], &[p]], 0.0, &[0.0]);
        let other = values_at(binary, &[&[p], &[3.0], &[1.0 - p]]).0;
        assert_eq!(other, f64::INFINITY);
    }
    // Elsewhere they are the product.
    exact("input a; param b; loss E = xlogy(a, b);", &[&[3.0], &[2.0]], 3.0 * 2f64.ln(), &[1.5]);
    exact("input a; param b; loss E = xlog1py(a, b);", &[&[3.0], &[1.0]], 3.0 * 2f64.ln(), &[1.5]);
    // What a program writes has no value where it has none.
    assert!(values_at("param p: [2]; loss E = -sum(p*log(p));", &[&[1.0, 0.0]]).0.is_nan());
}

#[test]
fn divergences_of_declared_targets_are_checked() {
    let text = "input p: [3] one_hot; param z: [3]; loss E = kl_div(p, softmax(z));";
    let compiled = compile(&Source::new("test", text));
    let report = check(&compiled, 1, 3, 1e-6);
    assert!(report.holds() && report.rows[0].compared > 0, "{report:?}");
    let told = tell(&compiled, Options::default()).expect("a derivation");
    let point = random_point(&compiled, 1).expect("a point");
    assert_eq!(check_told(&compiled, &told, &point).problems, Vec::<String>::new());
}
