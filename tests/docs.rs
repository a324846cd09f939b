//! The README's console blocks are run, in process; its Rust blocks are run by rustdoc (`src/lib.rs`).

use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The commands of a page's `console` blocks.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(kind) => inside = !inside && kind == "console",
            None if inside => commands.extend(line.strip_prefix("$ ").map(str::to_string)),
            None => {}
        }
    }
    commands
}

/// A command's words, as a shell splits them.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in command.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().expect("a word").push(other),
        }
    }
    words
}

#[test]
fn the_commands_of_the_readme_work() {
    let page = fs::read_to_string(root().join("README.md")).expect("the README");
    let mut run = 0;
    for command in commands(&page) {
        let Some(arguments) = command.strip_prefix("cargo run --release -p chainrule-cli -- ")
        else {
            assert_eq!(command, "cargo test --workspace", "a command that this test does not know");
            continue;
        };
        let arguments: Vec<String> = words(arguments)
            .into_iter()
            .map(|word| {
                if word.starts_with("examples/") {
                    root().join(word).display().to_string()
                } else {
                    word
                }
            })
            .collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = chainrule_cli::run(&arguments, &mut std::io::empty(), &mut out, &mut err);
        assert_eq!(code, 0, "{command}\n{}", String::from_utf8_lossy(&err));
        assert!(!out.is_empty() || command.contains("--check"), "{command} says nothing");
        run += 1;
    }
    assert!(run >= 4, "the README has commands");
}

#[test]
fn the_program_in_the_readme_is_the_gallery_s() {
    let page = fs::read_to_string(root().join("README.md")).expect("the README");
    let program =
        fs::read_to_string(root().join("examples/multi_perceptron.grad")).expect("the program");
    assert!(
        page.contains(program.trim_end()),
        "the README shows another program than examples/multi_perceptron.grad"
    );
}

#[test]
fn the_derivation_in_the_readme_is_what_is_printed() {
    let page = fs::read_to_string(root().join("README.md")).expect("the README");
    let program = root().join("examples/multi_perceptron.grad").display().to_string();
    let arguments = ["derive", &program, "--notation", "index", "--format", "latex"];
    let arguments = arguments.map(str::to_string);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    chainrule_cli::run(&arguments, &mut std::io::empty(), &mut out, &mut err);
    let printed = String::from_utf8(out).expect("text");
    let start = printed.find("\\begin{align*}").expect("a derivation");
    assert!(
        page.contains(printed[start..].trim_end()),
        "the README shows another derivation than is printed:\n{printed}"
    );
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root().join(page)).expect("a page");
        // Every second part stands between fences.
        let text: String = text.split("```").step_by(2).collect();
        for (at, _) in text.match_indices("](") {
            let target: String =
                text[at + 2..].chars().take_while(|letter| *letter != ')').collect();
            assert!(
                target.starts_with("http") || root().join(&target).exists(),
                "{page}: {target}"
            );
        }
    }
}
