//! Small programs that stand for very much: each is an error with a code and a place, found before the work is done. Work is counted
//! in nodes of the graph, not in time.

use chainrule_core::{Code, Compiled, Source, compile};
use std::fmt::Write as _;

fn compiled(program: &str) -> Compiled {
    compile(&Source::new("program", program))
}

/// The one error of a program: its code, what stands at its place, and what it says.
#[track_caller]
fn refused(program: &str) -> (Code, String, String) {
    let compiled = compiled(program);
    let errors: Vec<_> = compiled.diagnostics.iter().filter(|one| one.is_error()).collect();
    let [error] = errors.as_slice() else { panic!("{} errors: {errors:?}", errors.len()) };
    let span = error.span();
    let place = program[span.start..span.end].to_string();
    assert!(error.message.len() < 300, "{}", error.message.len());
    (error.code, place, error.message.clone())
}

/// `f0`, and functions each of which calls the one before twice.
fn doubling(times: usize) -> String {
    let mut text = String::from("param w;\nfn f0(x) = sin(x);\n");
    for k in 1..=times {
        let _ = writeln!(text, "fn f{k}(x) = f{}(f{0}(x));", k - 1);
    }
    let _ = writeln!(text, "loss E = f{times}(w);");
    text
}

#[test]
fn functions_that_double_are_refused_soon() {
    for times in [16, 30, 60] {
        let program = doubling(times);
        let (code, place, message) = refused(&program);
        assert_eq!((code, place), (Code::TooLarge, format!("f{times}(w)")));
        assert!(message.contains("100000 operations"), "{message}");
        assert!(compiled(&program).graph.len() < 300_000);
    }
    // Doubled side by side and not one in the other, with an error at the bottom: it is said, and so is the limit.
    let mut text = String::from("param w;\nfn f0(x) = x @ x;\n");
    for k in 1..=40 {
        let _ = writeln!(text, "fn f{k}(x) = f{}(x) + f{0}(x);", k - 1);
    }
    let _ = writeln!(text, "loss E = f40(w);");
    let codes: Vec<Code> = compiled(&text).diagnostics.iter().map(|one| one.code).collect();
    assert!(codes.contains(&Code::MatmulShape) && codes.len() < 5, "{codes:?}");
}

/// What is within the limit grows with what is inlined.
#[test]
fn functions_within_the_limit_are_linear() {
    let nodes = |times| compiled(&doubling(times)).graph.len();
    let (once, twice) = (nodes(8), nodes(9));
    assert!(twice * 10 <= once * 22, "{once}, then {twice}");
    assert!(compiled(&doubling(10)).derivatives.len() == 1);
}

#[test]
fn functions_that_call_themselves_are_named() {
    for (program, place, said) in [
        ("param x; fn f(x) = f(x) + 1; loss E = f(x);", "f(x)", "`f` calls itself, and"),
        ("param x; fn f(x) = f(x) * f(x); loss E = f(x);", "f(x)", "`f` calls itself, and"),
        (
            "param x; fn f(x) = g(x) + g(x); fn g(x) = f(x) * f(x); loss E = f(x);",
            "f(x)",
            "`f` calls itself by way of `g`",
        ),
        (
            "param x; fn f(x) = { h = g(x); h }; fn g(x) = x |> k; fn k(x) = g(x); loss E = f(x);",
            "g(x)",
            "`g` calls itself by way of `k`",
        ),
        (
            "dim T; input xs: [T]; param x; fn f(s, x) = sum(scan(f, s, xs)) + x; loss E = f(x, x);",
            "scan(f, s, xs)",
            "`f` calls itself",
        ),
    ] {
        let program = &program.replace(" = {", " {").replace("};", "}");
        let (code, at, message) = refused(program);
        assert_eq!(code, Code::TooDeep, "{program}: {message}");
        assert!(message.contains(said), "{program}: {message}");
        assert_eq!(at, place, "{program}");
    }
    // A ring in which each calls the next one twice.
    let mut text = String::from("param x;\n");
    for k in 0..30 {
        let next = (k + 1) % 30;
        let _ = writeln!(text, "fn f{k}(x) = f{next}(x) + f{next}(x);");
    }
    text.push_str("loss E = f0(x);");
    let found = compiled(&text).diagnostics;
    assert!(found.iter().any(|one| one.code == Code::TooDeep) && found.len() < 5, "{found:?}");
}

#[test]
fn numbers_stay_within_a_double() {
    let digits = "1".repeat(200_000);
    let exponent = format!("x^{digits}");
    let index = format!("sum(x[{digits}])");
    for (formula, place) in [
        (digits.as_str(), digits.as_str()),
        (exponent.as_str(), digits.as_str()),
        ("x^(10^1000)", "10^1000"),
        ("x*2^(10^30)", "2^(10^30)"),
        ("(1/3)^1000000*x", "(1/3)^1000000"),
        ("1e300*1e300*x", "1e300*1e300*x"),
        ("x/1e-300/1e-300", "x/1e-300/1e-300"),
        ("1e-300*1e-300*x", "1e-300*1e-300*x"),
        ("x + (1e308 + 1e308)", "1e308 + 1e308"),
    ] {
        let program = format!("param x; loss E = {formula};");
        let (code, at, message) = refused(&program);
        let short: String = formula.chars().take(40).collect();
        assert_eq!(code, Code::BadNumber, "{short}: {message}");
        let bare = |text: &str| text.replace(['(', ')'], "");
        assert!(
            bare(&at) == bare(place),
            "{short}: at {}",
            at.chars().take(80).collect::<String>()
        );
    }
    let long = refused(&format!("param x: [3]; loss E = {index};"));
    assert!(matches!(long.0, Code::BadNumber | Code::BadIndexing), "{long:?}");
    refused(&format!("param x: [{digits}]; loss E = sum(x);"));
    refused(&format!("const c = {digits}; param x; loss E = c*x;"));
    refused("const c = exp(1000); param x; loss E = c*x;");
    for good in ["x*0", "x*(1 - 1)", "x^0", "1^(10^40)*x", "1e-300*x", "0^2*x + x", "inf*x"] {
        assert!(!compiled(&format!("param x; loss E = {good};")).has_errors(), "{good}");
    }
}

#[test]
fn divisors_that_cancel_are_refused() {
    for (program, place) in [
        ("param x; loss E = 1/(x - x);", "(x - x)"),
        ("param x, y; loss E = x/(y - y + 0);", "(y - y + 0)"),
        ("param x; loss E = (2*x - x - x)^(-1);", "(2*x - x - x)"),
        ("dim N; param x: [N]; loss E = sum(1/(x - x));", "(x - x)"),
        ("param x; z = x - x; loss E = 3/z + x;", "z"),
    ] {
        let (code, at, message) = refused(program);
        assert_eq!(code, Code::DivisionByZero, "{program}: {message}");
        assert_eq!(at.trim_matches(['(', ')']), place.trim_matches(['(', ')']), "{program}");
    }
    for good in ["1/(x - y)", "x/(x + x)", "(x - x)/x", "where(x > 0, 1/x, 0)"] {
        assert!(!compiled(&format!("param x, y; loss E = {good};")).has_errors(), "{good}");
    }
}

/// A size that is a product of many sums has many terms: that too has an end.
#[test]
fn sizes_have_an_end() {
    let names: Vec<String> = (0..40).map(|k| format!("n{k}")).collect();
    let product: Vec<String> = names.iter().map(|name| format!("({name} + 1)")).collect();
    let program =
        format!("dim {}; param x: [{}]; loss E = sum(x^2);", names.join(", "), product.join("*"));
    let found = compiled(&program).diagnostics;
    assert!(found.iter().any(|one| one.is_error()), "{found:?}");
}

/// Every order multiplies the formula: it is refused before the work is done.
#[test]
fn derivatives_of_derivatives_have_a_limit() {
    let nested = |times: usize| {
        let (open, close) = ("d(".repeat(times), ", x)".repeat(times));
        format!("param x; input y; loss E = {open}sin(x)*exp(x*y){close};")
    };
    for times in [21, 60] {
        let (code, _, message) = refused(&nested(times));
        assert_eq!(code, Code::TooLarge);
        assert!(message.contains("more than 20 deep"), "{message}");
    }
    assert!(!compiled(&nested(6)).has_errors());
}
