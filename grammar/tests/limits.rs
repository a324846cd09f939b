//! Hostile text: never a panic, never a full stack, never a long wait. Every test runs on a small stack.

use chainrule_grammar::{Code, Source, format, parse, parse_expr};
use std::time::{Duration, Instant};

/// What a thread has by default.
const STACK: usize = 2 << 20;

/// Reads a text on a small stack, prints it if it is good, and gives the codes of the errors.
fn codes(text: String) -> Vec<Code> {
    let start = Instant::now();
    let small = std::thread::Builder::new().stack_size(STACK);
    let work = move || {
        let (program, errors) = parse(&Source::new("test", text));
        let printed = format(&program);
        drop(program.clone());
        if errors.is_empty() && printed.len() < 100_000 {
            assert!(parse(&Source::new("test", printed)).1.is_empty());
        }
        errors.iter().map(|error| error.code).collect()
    };
    let codes = small.spawn(work).expect("a thread").join().expect("no panic");
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
    codes
}

fn good(text: String) {
    assert_eq!(codes(text), []);
}

fn deep(text: String) {
    assert_eq!(codes(text), [Code::TooDeep]);
}

fn nest(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn nesting_within_the_limit() {
    let start = Instant::now();
    for (open, close) in [
        ("(", ")"),
        ("f(", ")"),
        ("x[", "]"),
        ("sum[i](", ")"),
        ("x[i](", ")"),
        ("(1 + ", ")"),
        ("f(a, k=", ")"),
        ("f([", "])"),
        ("-(a*", ")^2"),
        ("x[a:", "]"),
    ] {
        let levels = if open.matches(['(', '[']).count() > 1 && close == "])" { 100 } else { 150 };
        let levels = if open == "-(a*" { 100 } else { levels };
        good(nest(open, "1", close, levels));
    }
    assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
}

#[test]
fn nesting_over_the_limit() {
    for open in ["(", "f(", "[", "x[", "{", "sum[i](", "fn f(x) {"] {
        assert_eq!(codes(open.repeat(100_000))[0], Code::TooDeep, "{open}");
        assert_eq!(codes(open.repeat(1 << 16))[0], Code::TooDeep, "{open}");
    }
    deep(nest("(", "1", ")", 100_000));
    deep(nest("-(a*", "1", ")^2", 199));
    assert_eq!(codes(")".repeat(100_000)), [Code::Syntax]);
    assert_eq!(codes("/*".repeat(100_000)), [Code::Syntax]);
}

#[test]
fn long_chains() {
    for link in ["a+", "a*", "a@", "a - b/"] {
        good(format!("{}a", link.repeat(100_000)));
    }
    good(format!("a{}", "|>f".repeat(100_000)));
    good(format!("f({}a)", "a,".repeat(100_000)));
    good(format!("dim {}a", "a,".repeat(100_000)));
    good(format!("fn f(x) {{ {} x }}", "h = x;".repeat(50_000)));
    deep(format!("{}x", "-".repeat(100_000)));
    deep(format!("{}a", "a^".repeat(100_000)));
    deep(format!("{}a", "a^-".repeat(100_000)));
    deep(format!("x{}", ".T".repeat(100_000)));
    deep(format!("x{}", "'".repeat(100_000)));
    deep(format!("x{}", "[0]".repeat(100_000)));
    assert_eq!(codes(format!("x{}", "(0)".repeat(100_000))), [Code::Syntax]);
    assert_eq!(codes(format!("a{}", "<a".repeat(100_000))), [Code::Syntax]);
    good("1".repeat(100_000));
    good(format!("x{}", ".a".repeat(100_000)));
}

#[test]
fn long_programs() {
    good("x = a + f(b)[0] * c; // why\n\n".repeat(30_000));
    good("/// doc\n".repeat(100_000));
    good(";".repeat(900_000));
    // Errors are many, but not without end.
    for bad in ["x = ;\n", "x y\n", "(;", ");", "x = a\n", "\" ", "x[0](1);"] {
        let codes = codes(bad.repeat(900_000 / bad.len()));
        assert!((1..=100).contains(&codes.len()), "{bad}: {}", codes.len());
    }
    assert_eq!(codes("x".repeat(10 << 20)), [Code::TooLarge]);
}

/// Pieces of the language in random order, and random characters: nothing panics, and what is read prints and reads again.
#[test]
fn noise() {
    let words = [
        "x", "W", "dim", "input", "param", "loss", "grad", "wrt", "fn", "net", "output", "const",
        "int", "=", "==", "+", "-", "*", "/", "@", "^", "|>", "<", "(", ")", "[", "]", "{", "}",
        ",", ";", ":", ".", "...", ".T", "'", "\"", "\"a\"", "1", "2.5", "1e-4", ".5", "None", " ",
        "\n", "//", "/*", "*/", "///", "é", "Σ", "₀", "ᵀ", "；", "\u{0}", "\u{feff}", "\u{a0}",
        "🦀", "\\", "#", "$", "sum[i](", "f(",
    ];
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut read = 0;
    for _ in 0..20_000 {
        let text: String = (0..next(14)).map(|_| words[next(words.len())]).collect();
        let source = Source::new("noise", text.clone());
        let (program, errors) = parse(&source);
        for error in &errors {
            assert!(
                text.get(error.span().start..error.span().end).is_some(),
                "{text:?}: {error:?}"
            );
            assert!(!error.render(&source).is_empty());
        }
        let _ = parse_expr(&text);
        if errors.is_empty() {
            read += usize::from(!program.stmts.is_empty());
            let printed = format(&program);
            let (again, errors) = parse(&Source::new("noise", printed.clone()));
            assert!(errors.is_empty(), "{text:?}\n{printed}\n{errors:?}");
            assert_eq!(format(&again), printed, "{text:?}");
        }
    }
    assert!(read > 200, "{read}");
}
