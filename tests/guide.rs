//! The guide in `docs/` is true: its programs compile and their gradients hold, its commands print what it says, its generated
//! pages are fresh. Where a page differs it is rewritten, and the test fails: look at the difference and commit it.
//! (Its Rust is compiled and run by rustdoc, see `src/lib.rs`.)

use chainrule_core::{Source, check, compile};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// All pages, in order.
fn pages() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = fs::read_dir(docs())
        .expect("the guide")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a page"))
        })
        .collect();
    pages.sort();
    pages
}

/// A fenced block: what stands behind the fence, its lines, and the number of its first line.
struct Block {
    kind: String,
    lines: Vec<String>,
    first: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for (at, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), inside) {
            (Some(_), true) => inside = false,
            (Some(kind), false) => {
                inside = true;
                found.push(Block { kind: kind.to_string(), lines: Vec::new(), first: at + 1 });
            }
            (None, true) => found.last_mut().expect("a block").lines.push(line.to_string()),
            (None, false) => {}
        }
    }
    found
}

/// Rewrites a page that is not as it should be, and says so.
fn held(name: &str, is: &str, should_be: &str) -> Result<(), String> {
    if is == should_be {
        return Ok(());
    }
    fs::write(docs().join(name), should_be).expect("a page that can be written");
    Err(format!("docs/{name} was not up to date; it has been rewritten"))
}

fn all_hold(outcomes: Vec<Result<(), String>>) {
    let wrong: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn run(arguments: &[String], input: &str) -> (i32, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = chainrule_cli::run(arguments, &mut input.as_bytes(), &mut out, &mut err);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (code, text(out) + text(err).trim_end_matches('\n'))
}

#[test]
fn generated_pages_are_fresh() {
    let page = |head: &str, arguments: [&str; 3]| {
        let (code, body) = run(&arguments.map(str::to_string), "");
        assert_eq!(code, 0, "{body}");
        format!("{head}\n\n{}\n", body.trim_end())
    };
    let rules = "# The rule book\n\nEvery function, with its derivative. `chainrule ops NAME` tells all of one. In a derivative `y` is the function's value; `x_bar` and `y_bar` are\nthe derivatives of the loss by `x` and `y`. This page is generated from the table from which gradients are derived.";
    let errors = "# Error index\n\nEvery code, with a program that has the mistake and one that has not. `chainrule explain CODE` shows the same. This page is generated from the\ntable of codes; every example is compiled by a test.";
    let is = |name: &str| fs::read_to_string(docs().join(name)).unwrap_or_default();
    all_hold(vec![
        held("rules.md", &is("rules.md"), &page(rules, ["ops", "--format", "markdown"])),
        held("errors.md", &is("errors.md"), &page(errors, ["explain", "--format", "markdown"])),
    ]);
}

#[test]
fn programs_compile_and_their_gradients_hold() {
    let mut count = 0;
    for (name, page) in pages() {
        for block in
            blocks(&page).iter().filter(|block| block.kind.split(' ').next() == Some("grad"))
        {
            let text = block.lines.join("\n");
            let compiled = compile(&Source::new(format!("docs/{name}"), text.clone()));
            let said: String =
                compiled.diagnostics.iter().map(|one| format!("{}\n", one.message)).collect();
            assert!(said.is_empty(), "docs/{name}:{}: {said}\n{text}", block.first + 1);
            let report = check::check(&compiled, 1, 1, 1e-6);
            assert!(report.holds(), "docs/{name}:{}: {report:?}", block.first + 1);
            assert!(!report.rows.is_empty(), "docs/{name}:{}: no derivative", block.first + 1);
            count += 1;
        }
    }
    assert!(count >= 10, "the guide has programs");
}

/// A command line's words, as a shell splits them.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for letter in command.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if open == letter => quote = None,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().expect("a word").push(letter),
        }
    }
    words
}

/// Whether a text is a pattern's, in which `…` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('…') else { return pattern == text };
    let Some(tail) = text.strip_prefix(head) else { return false };
    tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| matches(rest, &tail[at..]))
}

/// The same for lines, where a line of `…` alone stands for any lines.
fn lines_match(pattern: &[String], text: &[&str]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((first, rest)) if first == "…" => {
            (0..=text.len()).any(|skipped| lines_match(rest, &text[skipped..]))
        }
        Some((first, rest)) => text
            .split_first()
            .is_some_and(|(line, others)| matches(first, line) && lines_match(rest, others)),
    }
}

/// A console block with what its commands print now.
fn rerun(block: &Block, files: &Path) -> Vec<String> {
    let mut now = Vec::new();
    let mut lines = block.lines.iter().peekable();
    while let Some(line) = lines.next() {
        let command = line.strip_prefix("$ ").expect("a command before its output");
        now.push(line.clone());
        let mut shown = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            shown.push(line.clone());
        }
        let (input, command) =
            match command.strip_prefix("echo ").and_then(|it| it.split_once(" | ")) {
                Some((input, command)) => (words(input).join(" "), command),
                None => (String::new(), command),
            };
        let arguments: Vec<String> = words(command)
            .into_iter()
            .skip(1)
            .map(|word| match files.join(&word) {
                path if word.ends_with(".grad") && path.exists() => path.display().to_string(),
                _ => word,
            })
            .collect();
        assert!(
            command.starts_with("chainrule "),
            "a command that this test does not know: {command}"
        );
        let (_, printed) = run(&arguments, &input);
        let printed = printed.replace(&format!("{}/", files.display()), "");
        let printed: Vec<&str> = printed.trim_end().lines().collect();
        if lines_match(&shown, &printed) {
            now.extend(shown);
        } else {
            now.extend(printed.into_iter().map(str::to_string));
        }
    }
    now
}

#[test]
fn commands_print_what_the_guide_says() {
    let folder = std::env::temp_dir().join(format!("chainrule-guide-{}", std::process::id()));
    let (mut outcomes, mut count) = (Vec::new(), 0);
    for (name, page) in pages() {
        // The programs of a page are files to its commands.
        let files = folder.join(&name);
        fs::create_dir_all(&files).expect("a folder");
        let blocks = blocks(&page);
        for block in &blocks {
            if let Some(file) = block.kind.strip_prefix("grad ") {
                fs::write(files.join(file), block.lines.join("\n") + "\n").expect("a program");
            }
        }
        let mut lines: Vec<String> = page.lines().map(str::to_string).collect();
        for block in blocks.iter().rev().filter(|block| block.kind == "console") {
            let place = block.first..block.first + block.lines.len();
            lines.splice(place, rerun(block, &files));
            count += 1;
        }
        let mut now = String::new();
        lines.iter().for_each(|line| writeln!(now, "{line}").expect("a line"));
        outcomes.push(held(&name, &page, &now));
    }
    fs::remove_dir_all(&folder).expect("a folder of its own");
    assert!(count >= 10, "the guide has commands");
    all_hold(outcomes);
}

#[test]
fn the_book_lists_every_page_and_links_lead_somewhere() {
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).expect("the summary");
    for (name, page) in pages() {
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{name}");
        // Every second part stands between fences, or in code within a line.
        let prose: String = page.split("```").step_by(2).collect();
        let prose: String = prose.split('`').step_by(2).collect();
        for (at, _) in prose.match_indices("](") {
            let target: String = prose[at + 2..].chars().take_while(|sign| *sign != ')').collect();
            assert!(
                target.starts_with("http") || docs().join(&target).exists(),
                "{name}: {target}"
            );
        }
    }
}
