//! In: generated Rust that calls the crate `chainrule`. Out: the same with what it calls pasted in front of it, so that it compiles alone,
//! also without the standard library.
//!
//! What is pasted are the files of `src/rt` themselves (`support` links to them), those that the code needs: their text, with features
//! decided and documentation as comments. Elementary functions that `core` lacks are those of `std`, or of the crate `libm`, as
//! `PLATFORM` says. Invariant: no `unsafe`.

use super::features;
use crate::emit::helpers::mentions;
use std::fmt::Write as _;

/// The files in the order of their modules.
const FILES: &[(&str, &str)] = &[
    ("axes", include_str!("../../../support/rt/axes.rs")),
    ("buf", include_str!("../../../support/rt/buf.rs")),
    ("dispatch", include_str!("../../../support/rt/dispatch.rs")),
    ("each", include_str!("../../../support/rt/each.rs")),
    ("init", include_str!("../../../support/rt/init.rs")),
    ("kernels", include_str!("../../../support/rt/kernels.rs")),
    ("lanes", include_str!("../../../support/rt/lanes.rs")),
    ("linalg", include_str!("../../../support/rt/linalg.rs")),
    ("packed", include_str!("../../../support/rt/packed.rs")),
    ("real", include_str!("../../../support/rt/real.rs")),
    ("shape", include_str!("../../../support/rt/shape.rs")),
    ("special", include_str!("../../../support/rt/special.rs")),
    ("tensor", include_str!("../../../support/rt/tensor.rs")),
    ("twofold", include_str!("../../../support/rt/twofold.rs")),
    ("vector", include_str!("../../../support/rt/vector.rs")),
    ("waves", include_str!("../../../support/rt/waves.rs")),
];
const LIST: &str = include_str!("../../../support/rt/mod.rs");
const RNG: &str = include_str!("../../../support/rng.rs");

/// With the standard library, and without.
const HOSTED: &str = "not(any(target_os = \"none\", feature = \"libm\"))";
const BARE: &str = "any(target_os = \"none\", feature = \"libm\")";

/// Lints that the pasted code leaves to its own package.
const ALLOWED: &str =
    "dead_code, unused_imports, unused_macros, unexpected_cfgs, clippy::all, clippy::pedantic";

/// Where elementary functions come from.
const PLATFORM: &str = "Elementary functions that `core` lacks are those of `std`, also where the crate itself does without. Where there is no `std`, or with a
/// feature `libm` of the crate, they are those of the crate `libm`, which is then to be among the dependencies.";

/// The code with its run-time support.
pub fn text(code: &str) -> String {
    // All of it stands in one module of its own.
    let code = code.replace("::chainrule::", "super::chainrule::");
    let needed = needed(&code.replace(" ::", "::"));
    let alloc = needed.iter().any(|(name, _)| *name == "buf");
    let mut out = format!(
        "/// What the code below calls, from the crate `chainrule`.\n///\n/// {PLATFORM}\n#[allow({ALLOWED})]\nmod chainrule {{\n"
    );
    if alloc {
        out.push_str("extern crate alloc;\n");
    }
    let exported = exports(&needed);
    let rng = settled(RNG, alloc);
    let _ = write!(
        out,
        "#[cfg({HOSTED})]\nextern crate std;\n\npub use rt::{{ShapeError, Shaped, Tensor}};\n\npub mod rng {{\n{rng}}}\n\npub mod rt {{\n{exported}"
    );
    for (name, file) in needed {
        let file = settled(file, alloc).replace("crate::rng", "super::super::rng");
        let file = file.replace("alloc::", "super::super::alloc::");
        let _ = write!(out, "\npub mod {name} {{\n{file}}}\n");
    }
    out.push_str("}\n}\n\n");
    out + &code
}

/// The names that `rt` re-exports, each with its file.
fn names() -> Vec<(&'static str, Vec<&'static str>)> {
    let uses = LIST.lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';'));
    let split = uses.filter_map(|path| path.split_once("::"));
    split
        .map(|(file, names)| {
            let names = names.trim_matches(|c| matches!(c, '{' | '}'));
            (file, names.split(", ").collect())
        })
        .collect()
}

/// The files that a text names, or that what it names needs, in order.
fn needed(code: &str) -> Vec<(&'static str, &'static str)> {
    let names = names();
    let mut wanted = vec![false; FILES.len()];
    let mut open: Vec<&str> = vec![code, "Tensor ShapeError Shaped"];
    while let Some(text) = open.pop() {
        for (at, (name, file)) in FILES.iter().enumerate() {
            let named = mentions(text, name) && text.contains(&format!("{name}::"))
                || text.contains(&format!("{name}, "))
                || text.contains(&format!("use super::{name};"));
            let exported = names
                .iter()
                .any(|(own, list)| own == name && list.iter().any(|word| mentions(text, word)));
            if !wanted[at] && (named || exported) {
                wanted[at] = true;
                open.push(file);
            }
        }
    }
    FILES.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(file, _)| *file).collect()
}

/// What the module `rt` re-exports of the files that are there.
fn exports(needed: &[(&str, &str)]) -> String {
    let there = |file: &str| needed.iter().any(|(name, _)| *name == file);
    let lines = names().into_iter().filter(|(file, _)| there(file));
    let lines: String =
        lines.map(|(file, names)| format!("pub use {file}::{{{}}};\n", names.join(", "))).collect();
    format!("{lines}pub use super::rng::Rng;\n")
}

/// A file's text with its features decided: none but room for sizes found at run time, where that is needed.
fn settled(file: &str, alloc: bool) -> String {
    let mut text = String::with_capacity(file.len());
    for line in file.lines() {
        let start = line.trim_start();
        let pad = &line[..line.len() - start.len()];
        let said = start.strip_prefix("//!").or(start.strip_prefix("///"));
        match said {
            Some(said) => text.push_str(&format!("{pad}//{said}")),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    let text = text
        .replace("all(feature = \"std\", not(feature = \"deterministic\"))", HOSTED)
        .replace("any(not(feature = \"std\"), feature = \"deterministic\")", BARE);
    features::settled(&text, |feature| match feature {
        "alloc" => Some(alloc),
        "libm" => None,
        _ => Some(false),
    })
}
