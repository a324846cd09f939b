//! What is said of wrong programs: for each file in `tests/wrong` all of standard error is a snapshot, and facts that hold of
//! every finding are checked beside it. And every code's examples are what they claim to be.

mod common;

use chainrule_core::{Code, Level};
use common::{Ran, run, run_with};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The wrong programs, in order of their names.
fn programs() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a program"))
        })
        .collect();
    found.sort();
    found
}

fn findings(ran: &Ran) -> Vec<Value> {
    ran.err.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn wrong_programs_are_told_what_to_write() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for (name, text) in programs() {
        let ran = run_with(&["derive", "-"], &text);
        let warned = ["unused_param", "log_probabilities"].contains(&name.as_str());
        assert_eq!(ran.code, i32::from(!warned), "{name}: {}", ran.err);
        insta::assert_snapshot!(name.as_str(), ran.err.trim_end());
    }
    assert!(programs().len() >= 50);
}

/// The message names a code, every place lies in the text, every fix changes the text at places in order, and nearly every
/// finding says what to write.
/// A person is shown a hundred, errors before warnings, and told how many more there are; programs get all.
#[test]
fn thousands_of_findings_are_not_all_drawn() {
    let unused: String = (0..150).map(|at| format!("param w{at};")).collect();
    let unknown: String = (0..300).map(|at| format!("param p{at}:[q{at}];")).collect();
    let program = format!("param x;{unused}{unknown}loss L=x;");
    let drawn = run_with(&["derive", "-"], &program);
    assert_eq!(drawn.err.matches("error[").count(), 100);
    assert!(drawn.err.contains("more are not shown"), "{}", drawn.err);
    let all = findings(&run_with(&["derive", "-", "--message-format", "json"], &program));
    assert_eq!(all.iter().filter(|one| one["level"] == "error").count(), 300);
    assert!(
        drawn.err.contains(&format!("{} more are not shown", all.len() - 100)),
        "{}",
        all.len()
    );
}

#[test]
fn findings_are_facts_for_programs_too() {
    let (mut all, mut helped) = (0, 0);
    for (name, text) in programs() {
        let ran = run_with(&["derive", "-", "--message-format", "json"], &text);
        for finding in findings(&ran) {
            let id = finding["code"].as_str().expect("a code");
            assert!(Code::ALL.iter().any(|code| code.id() == id), "{name}: {id}");
            for label in finding["labels"].as_array().expect("labels") {
                let end = label["end"].as_u64().expect("a place") as usize;
                assert!(end <= text.len() && label["line"].as_u64() >= Some(1), "{name}: {label}");
            }
            let mut last = 0;
            for edit in finding["fix"].as_array().expect("a fix") {
                let place = |key: &str| edit[key].as_u64().expect("a place") as usize;
                let (start, end) = (place("start"), place("end"));
                assert!(last <= start && start <= end && end <= text.len(), "{name}: {edit}");
                assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{name}");
                last = end;
            }
            all += 1;
            helped += usize::from(finding["help"].is_string());
        }
    }
    assert!(helped * 10 >= all * 8, "{helped} of {all} findings say what to write");
}

/// The text with the fixes of all findings that have one.
fn fixed(text: &str, findings: &[Value]) -> String {
    let mut edits = BTreeSet::new();
    for edit in findings.iter().flat_map(|finding| finding["fix"].as_array().expect("a fix")) {
        let place = |key: &str| edit[key].as_u64().expect("a place") as usize;
        let text = edit["text"].as_str().expect("a text").to_string();
        edits.insert((place("start"), place("end"), text));
    }
    let (mut out, mut at) = (String::new(), 0);
    for (start, end, new) in edits {
        if at <= start {
            out.push_str(&text[at..start]);
            out.push_str(&new);
            at = end;
        }
    }
    out + &text[at..]
}

/// What the fixes make of a program is a program, after a few rounds where one mistake hid another.
#[test]
fn fixes_mend() {
    for name in [
        "matmul_shapes",
        "matmul_swapped",
        "batch_and_bias",
        "non_scalar_loss",
        "function_typo",
        "variable_typo",
        "unbound_index",
        "unknown_keyword",
        "equality_as_definition",
        "missing_semicolon",
        "missing_bracket",
        "implicit_multiplication",
        "matlab_operators",
        "numpy_calls",
        "full_width",
        "methods",
        "assignment_in_condition",
    ] {
        let (_, mut text) =
            programs().into_iter().find(|(found, _)| found == name).expect("a program");
        let mut codes = Vec::new();
        for _ in 0..6 {
            let ran = run_with(&["derive", "-", "--message-format", "json"], &text);
            codes = findings(&ran).iter().map(|one| one["message"].to_string()).collect();
            text = fixed(&text, &findings(&ran));
        }
        assert!(codes.is_empty(), "{name}: {codes:?}\n{text}");
    }
}

#[test]
fn colour_and_places_survive_hostile_text() {
    let ran =
        run(&["derive", "-e", "param é; loss E = \u{1b}[31m \u{202e} é²;", "--color", "never"]);
    assert_eq!(ran.code, 1);
    assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\u{202e}'), "{}", ran.err);
}

/// Runs an example of a code: a program, or a command line.
fn example(text: &str) -> Ran {
    match text.strip_prefix("$ ") {
        None => run_with(&["derive", "-", "--message-format", "json"], text),
        Some(command) => {
            let (input, command) = match command.split_once(" | ") {
                Some((echo, command)) => {
                    (echo.trim_start_matches("echo ").trim_matches('\''), command)
                }
                None => ("", command),
            };
            // Every other part stands between quotes.
            let parts = command.split('\'').enumerate();
            let words: Vec<&str> = parts
                .flat_map(|(at, part)| match at % 2 {
                    0 => part.split_whitespace().collect(),
                    _ => vec![part],
                })
                .skip(1)
                .collect();
            run_with(&[words.as_slice(), &["--message-format", "json"]].concat(), input)
        }
    }
}

#[test]
fn examples_of_codes_are_what_they_claim() {
    for code in Code::ALL {
        // Over a megabyte would be no example to read.
        let wrong = match code {
            Code::TooLarge => "x = 1;".repeat(1 << 18),
            _ => code.wrong().to_string(),
        };
        let ran = example(&wrong);
        let found: BTreeSet<String> = match code {
            // A command line that cannot be read does not know of `--message-format` yet.
            Code::Usage => {
                assert!(ran.code == 2 && ran.err.starts_with("error: "), "{}", ran.err);
                [code.id().to_string()].into()
            }
            _ => {
                findings(&ran).iter().map(|one| one["code"].as_str().unwrap_or("").into()).collect()
            }
        };
        assert_eq!(found, [code.id().to_string()].into(), "{}: {}", code.id(), ran.err);
        assert_eq!(ran.code == 0, code.level() == Level::Warning, "{}", code.id());
        let right = example(code.right());
        assert_eq!((right.code, right.err.as_str()), (0, ""), "{}", code.id());
        let page = run(&["explain", code.id()]).out;
        assert!(page.contains(code.title()) && page.contains("wrong:") && page.contains("right:"));
        for line in code.wrong().lines().chain(code.right().lines()) {
            assert!(page.contains(line), "{page}");
        }
    }
}
