//! Spoilt programs: the gallery's, with bytes and words left out, repeated, exchanged or put in. Each is compiled in both dialects,
//! and where something is left to differentiate it is told and written as Rust: never a panic, never a long wait.
//!
//! `scripts/hostile.sh N SEED` tries more than a few; `CHAINRULE_HOSTILE_PROGRAMS` says how many, `CHAINRULE_HOSTILE_SEED` where to
//! begin.

use chainrule_core::derivation::{Options, tell};
use chainrule_core::emit::rust_text;
use chainrule_core::ops::probe::Random;
use chainrule_core::{Code, Dialect, Source, compile};
use std::time::{Duration, Instant};

/// What is put in: words of the language and numbers at the edges.
const WORDS: &[&str] = &[
    "dim",
    "param",
    "input",
    "target",
    "loss",
    "fn",
    "net",
    "grad",
    "hessian",
    "hvp",
    "sum",
    "max[i]",
    "delta[i,j]",
    "tensor[i:3]",
    "scan",
    "d(",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    ":",
    ",",
    "=",
    "|>",
    "^",
    "@",
    ".T",
    "'",
    ".*",
    "./",
    "...",
    "None",
    "-1",
    "0",
    "1/0",
    "10^1000",
    "99999999999999999999",
    "1e400",
    "inf",
    "N",
    "i",
    "x",
    "x[-1]",
    "x[i + 1]",
    "\"",
    "é",
    "∂",
    "\u{0}",
    "//",
    "/*",
    "softmax",
    "inv",
    "concat",
    "reshape",
    "axis=7",
    "one_hot",
    "int",
    "where(",
    "<",
    "==",
    "2*N - 1",
    "1:0:-1",
];
/// How long one program may take in a debug build on a busy machine.
const LONG: Duration = Duration::from_secs(20);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn gallery() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the gallery")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "grad"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a program")).collect()
}

fn boundary(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

fn place(text: &str, random: &mut Random) -> usize {
    boundary(text, random.below(text.len() + 1))
}

fn spoil(text: &mut String, random: &mut Random) {
    let (from, to) = (place(text, random), place(text, random));
    let short = boundary(text, (from + 1 + random.below(12)).min(text.len()));
    match random.below(5) {
        0 => text.replace_range(from..short, ""),
        1 => text.insert_str(from, WORDS[random.below(WORDS.len())]),
        2 => text.replace_range(from..short, WORDS[random.below(WORDS.len())]),
        3 => {
            let piece = text[from..short].to_string();
            text.insert_str(to, &piece);
        }
        _ => {
            let words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
            let (a, b) = (random.below(words.len()), random.below(words.len()));
            let mut words = words.clone();
            words.swap(a, b);
            *text = words.concat();
        }
    }
}

/// Everything that a user would have done with it.
fn tried(text: &str, dialect: Dialect) {
    let source = Source { dialect, ..Source::new("hostile", text) };
    let compiled = compile(&source);
    for diagnostic in &compiled.diagnostics {
        assert!(!diagnostic.render(&source).is_empty());
    }
    if !compiled.has_errors() && compiled.graph.len() < 1500 {
        let _ = tell(&compiled, Options::default());
        let _ = compiled.job(text).and_then(|job| rust_text(&job));
    }
}

#[test]
fn spoilt_programs_are_answered() {
    let gallery = gallery();
    let (count, first) =
        (number("CHAINRULE_HOSTILE_PROGRAMS", 250), number("CHAINRULE_HOSTILE_SEED", 1));
    let mut failures = Vec::new();
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut text = gallery[random.below(gallery.len())].clone();
        for _ in 0..1 + random.below(4) {
            spoil(&mut text, &mut random);
        }
        let dialect = if seed % 4 == 0 { Dialect::Matlab } else { Dialect::Chainrule };
        let start = Instant::now();
        let program = text.clone();
        let work = std::thread::Builder::new().stack_size(2 << 20);
        let outcome = work.spawn(move || tried(&program, dialect)).expect("a thread").join();
        if outcome.is_err() || start.elapsed() > LONG {
            eprintln!("seed {seed}, {:?}, {:?}:\n{text}\n", dialect, start.elapsed());
            failures.push(seed);
        }
    }
    println!("{count} spoilt programs, {} fail", failures.len());
    assert!(failures.is_empty(), "these seeds fail: {failures:?}");
}

/// A program with so many of something.
type Program = fn(usize) -> String;

/// Programs that are long, wide or deep, each with how many of what.
const LARGE: &[(&str, Program, usize)] = &[
    ("definitions, each of the one before and of one parameter", chain, 250),
    ("terms of a sum", wide, 150),
    ("factors of a product", product, 60),
    ("parameters", parameters, 120),
    ("derivatives of derivatives", nested, 12),
    ("more of them than a program may have", nested, 300),
    ("derivatives beside each other", beside, 60),
    ("sums over indices, one in the other", sums, 12),
    ("losses of one name", losses, 200),
];

fn chain(n: usize) -> String {
    let steps = (1..=n).map(|k| format!("a{k} = sin(a{}) * x;\n", k - 1));
    format!("param x; a0 = x;\n{}loss E = a{n};", steps.collect::<String>())
}

fn joined(n: usize, sign: &str, part: impl Fn(usize) -> String) -> String {
    (1..=n).map(part).collect::<Vec<_>>().join(sign)
}

fn wide(n: usize) -> String {
    format!("dim N; param x: [N]; loss E = {};", joined(n, " + ", |k| format!("sum(tanh({k}*x))")))
}

fn product(n: usize) -> String {
    format!("param x; loss E = {};", joined(n, " * ", |k| format!("(sin({k}*x) - {k}/(1 + x^2))")))
}

fn parameters(n: usize) -> String {
    let names = joined(n, ", ", |k| format!("w{k}"));
    let sum = joined(n, " + ", |k| format!("w{k}*sigmoid(w{})", k % n + 1));
    format!("param {names}; loss E = ({sum})^2;")
}

fn nested(n: usize) -> String {
    let formula = (0..n).fold("sin(x)*exp(x)".to_string(), |inner, _| format!("d({inner}, x)"));
    format!("param x; loss E = {formula};")
}

fn beside(n: usize) -> String {
    format!("param x; y = exp(x^2); loss E = {};", joined(n, " + ", |k| format!("d(y^{k}, x)^2")))
}

fn sums(n: usize) -> String {
    let formula =
        (0..n).fold("x[0]".to_string(), |inner, k| format!("sum[i{k}](x[i{k}]^2 * {inner})"));
    format!("dim N; param x: [N]; loss E = {formula};")
}

fn losses(n: usize) -> String {
    format!("param x;\n{}", joined(n, "\n", |k| format!("loss E = x^{k} + y{k};")))
}

#[test]
fn large_programs_are_answered() {
    for (what, program, n) in LARGE {
        let (text, start) = (program(*n), Instant::now());
        let work = std::thread::Builder::new().stack_size(2 << 20);
        let outcome =
            work.spawn(move || tried(&text, Dialect::Chainrule)).expect("a thread").join();
        assert!(outcome.is_ok(), "{n} {what}");
        println!("{n} {what}: {:?}", start.elapsed());
        assert!(start.elapsed() < LONG, "{n} {what}: {:?}", start.elapsed());
    }
}

/// A name that is defined twice is told even where the first definition is wrong itself.
#[test]
fn a_second_definition_is_told_with_the_first_ones_errors() {
    let program = "param x;\nloss E = y;\nloss E = x^2;\na = z;\na = x;\nloss F = a;";
    let compiled = compile(&Source::new("program", program));
    let codes: Vec<Code> = compiled.diagnostics.iter().map(|one| one.code).collect();
    assert_eq!(
        codes,
        [Code::UnknownName, Code::Redefinition, Code::UnknownName, Code::Redefinition]
    );
}
