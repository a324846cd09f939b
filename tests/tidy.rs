//! Order in the house: who may depend on whom, how long files may be, who may print.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder with this extension, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The Rust files of a package's library or program.
fn sources(package: &str) -> Vec<PathBuf> {
    files(&root().join(package).join("src"), "rs")
}

/// The names in a table of a manifest.
fn table(manifest: &str, name: &str) -> Vec<String> {
    let header = format!("[{name}]");
    let lines = manifest.lines().skip_while(|line| line.trim() != header).skip(1);
    lines
        .take_while(|line| !line.trim_start().starts_with('['))
        .filter_map(|line| line.split_once(['.', ' ', '=']).map(|(name, _)| name.to_string()))
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .collect()
}

/// Which packages of this workspace each one may name among its dependencies.
const ARROWS: &[(&str, &[&str])] = &[
    ("grammar", &[]),
    ("core", &["chainrule-grammar"]),
    ("macros", &["chainrule-core", "chainrule-grammar"]),
    (".", &["chainrule-macros"]),
    ("cli", &["chainrule-core", "chainrule-grammar"]),
];

#[test]
fn packages_depend_on_each_other_in_one_direction() {
    for (package, allowed) in ARROWS {
        let manifest = read(&root().join(package).join("Cargo.toml"));
        for name in
            table(&manifest, "dependencies").iter().filter(|name| name.starts_with("chainrule"))
        {
            assert!(allowed.contains(&name.as_str()), "`{package}` must not depend on `{name}`");
        }
    }
}

/// All that users of the macro build besides: it is built without optimisation, before anything of theirs.
#[test]
fn the_macro_depends_on_little() {
    let outside: &[(&str, &[&str])] = &[
        ("grammar", &["pest"]),
        ("core", &["libm", "proc-macro2", "quote"]),
        ("macros", &["proc-macro2", "quote"]),
    ];
    for (package, allowed) in outside {
        let names = table(&read(&root().join(package).join("Cargo.toml")), "dependencies");
        for name in names.iter().filter(|name| !name.starts_with("chainrule")) {
            assert!(allowed.contains(&name.as_str()), "users of the macro would build `{name}`");
        }
    }
}

#[test]
fn the_grammar_knows_no_function() {
    for path in sources("grammar").iter().chain(&files(&root().join("grammar/src"), "pest")) {
        let text = read(path);
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .take_while(|line| *line != "mod tests {");
        for (at, line) in code.enumerate() {
            for word in ["sigmoid", "softmax", "logsumexp"] {
                assert!(
                    !line.contains(&format!("\"{word}\"")),
                    "{}:{}: {line}",
                    path.display(),
                    at + 1
                );
            }
        }
    }
}

#[test]
fn only_diff_differentiates_and_printers_only_print() {
    let forbidden: &[(&str, &[&str])] = &[
        ("core/src/render", &["crate::diff", "crate::simplify", "crate::plan", "crate::emit"]),
        ("core/src/raise", &["crate::diff", "crate::plan", "crate::emit"]),
        ("core/src/simplify", &["crate::diff", "crate::render", "crate::raise"]),
        ("core/src/diff", &["crate::render", "crate::raise", "crate::plan", "crate::emit"]),
        ("core/src/emit/rust", &["crate::diff", "crate::simplify", "crate::render"]),
        ("core/src/plan", &["crate::diff", "crate::render", "crate::raise", "emit::rust"]),
        ("core/src/eval", &["crate::plan", "crate::emit"]),
    ];
    for (folder, words) in forbidden {
        let folder = root().join(folder);
        if !folder.exists() {
            continue;
        }
        for path in
            files(&folder, "rs").iter().filter(|path| !path.to_string_lossy().contains("tests"))
        {
            let text = read(path);
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in *words {
                assert!(!code.contains(word), "{} must not use `{word}`", path.display());
            }
        }
    }
}

/// Files that may be longer: tables of rows, and what pest writes.
const ROWS: &[&str] = &["core/src/ops/", "grammar/src/parser.rs"];
const LONGEST: usize = 600;

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for package in [".", "grammar", "core", "macros", "cli"] {
        for path in sources(package) {
            let lines = read(&path).lines().count();
            let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            let shown = shown.trim_start_matches("./");
            if lines > LONGEST && !ROWS.iter().any(|rows| shown.starts_with(rows)) {
                long.push(format!("{shown}: {lines} lines"));
            }
        }
    }
    assert!(long.is_empty(), "at most {LONGEST} lines a file:\n{}", long.join("\n"));
}

#[test]
fn only_the_rim_prints() {
    for package in [".", "grammar", "core", "macros"] {
        for path in sources(package).iter().filter(|path| !path.to_string_lossy().contains("tests"))
        {
            for (at, line) in read(path).lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in ["println!", "print!", "dbg!", "todo!", "unimplemented!"] {
                    let found = code.match_indices(word).any(|(from, _)| {
                        !code[..from].ends_with(|before: char| {
                            before.is_ascii_alphanumeric() || before == '_'
                        })
                    });
                    assert!(!found, "{}:{}: {word}", path.display(), at + 1);
                }
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for package in [".", "grammar", "core", "macros", "cli"] {
        for path in sources(package) {
            assert!(read(&path).starts_with("//!"), "{} has no first words", path.display());
        }
    }
}

#[test]
fn every_program_of_the_gallery_has_an_example() {
    let folder = root().join("examples");
    let rust: String = files(&folder, "rs").iter().map(|path| read(path)).collect();
    for path in files(&folder, "grad") {
        assert!(read(&path).starts_with("///"), "{} has no first words", path.display());
        let name = path.file_stem().expect("a name").to_string_lossy();
        let used = rust.contains(&format!("\"examples/{name}.grad\""))
            || rust.contains(&format!("`{name}.grad`"));
        assert!(used, "{name}: no example of it in Rust");
    }
}

/// The run-time support asks the processor for its instructions in one place; nothing else may be `unsafe`.
#[test]
fn one_file_is_unsafe() {
    let forms = ["{", "fn ", "impl ", "trait ", "extern "].map(|form| format!("unsafe {form}"));
    for package in [".", "grammar", "core", "macros", "cli"] {
        for path in sources(package).iter().filter(|path| !path.ends_with("src/rt/dispatch.rs")) {
            let text = read(path);
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let found = forms.iter().any(|form| line.contains(form));
                assert!(!found, "{}: {line}", path.display());
            }
        }
    }
}

/// What a package includes lies in its own folder, links to other folders followed only as packing does: else it cannot be published.
#[test]
fn packages_include_their_own_files_only() {
    for package in ["grammar", "core", "macros", "cli"] {
        let home = root().join(package);
        for path in sources(package) {
            let text = read(&path);
            let calls = ["include_str!(\"", "include_bytes!(\""];
            for from in calls.iter().flat_map(|call| text.match_indices(call)) {
                let Some((_, rest)) = text[from.0..].split_once('"') else { continue };
                let climbs = rest.split('"').next().unwrap_or_default().matches("../").count();
                let folder = path.parent().expect("a folder");
                let at = folder.ancestors().nth(climbs).expect("a folder above");
                assert!(at.starts_with(&home), "{}: {}", path.display(), from.1);
            }
        }
    }
}
