//! Spoilt programs: the gallery's, with bytes and words left out, repeated, exchanged or put in. Each is compiled in both dialects,
//! and where something is left to differentiate it is told and written as Rust: never a panic, never a long wait.
//!
//! `scripts/hostile.sh N SEED` tries more than a few; `CHAINRULE_HOSTILE_PROGRAMS` says how many, `CHAINRULE_HOSTILE_SEED` where to
//! begin.

use chainrule_core::derivation::{Options, tell};
use chainrule_core::emit::rust_text;
use chainrule_core::ops::probe::Random;
use chainrule_core::{Dialect, Source, compile};
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
