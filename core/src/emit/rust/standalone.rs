//! In: generated Rust that calls the crate `chainrule`. Out: the same with what it calls pasted in front of it, so that it compiles alone,
//! also without the standard library.
//!
//! What is pasted are the files of `src/rt` themselves, those that the code needs: their text, with features decided and documentation as
//! comments. Elementary functions that `core` lacks are those of C's library, declared once.

use crate::emit::helpers::mentions;
use std::fmt::Write as _;

/// The files in the order of their modules.
const FILES: &[(&str, &str)] = &[
    ("axes", include_str!("../../../../src/rt/axes.rs")),
    ("buf", include_str!("../../../../src/rt/buf.rs")),
    ("dispatch", include_str!("../../../../src/rt/dispatch.rs")),
    ("init", include_str!("../../../../src/rt/init.rs")),
    ("kernels", include_str!("../../../../src/rt/kernels.rs")),
    ("lanes", include_str!("../../../../src/rt/lanes.rs")),
    ("linalg", include_str!("../../../../src/rt/linalg.rs")),
    ("packed", include_str!("../../../../src/rt/packed.rs")),
    ("real", include_str!("../../../../src/rt/real.rs")),
    ("shape", include_str!("../../../../src/rt/shape.rs")),
    ("special", include_str!("../../../../src/rt/special.rs")),
    ("tensor", include_str!("../../../../src/rt/tensor.rs")),
    ("vector", include_str!("../../../../src/rt/vector.rs")),
];
const LIST: &str = include_str!("../../../../src/rt/mod.rs");
const RNG: &str = include_str!("../../../../src/rng.rs");

/// Lints that the pasted code leaves to its own package.
const ALLOWED: &str = "dead_code, unused_imports, unused_macros, unexpected_cfgs, unsafe_code, clippy::all, clippy::pedantic";

/// The code with its run-time support.
pub fn text(code: &str) -> String {
    // All of it stands in one module of its own.
    let code = code.replace("::chainrule::", "super::chainrule::");
    let needed = needed(&code);
    let alloc = needed.iter().any(|(name, _)| *name == "buf");
    let mut out = format!(
        "/// What the code below calls, from the crate `chainrule`. Elementary functions are those of C's library.\n#[rustfmt::skip]\n#[allow({ALLOWED})]\nmod chainrule {{\n"
    );
    if alloc {
        out.push_str("extern crate alloc;\n\n");
    }
    let exported = exports(&needed);
    let _ = write!(
        out,
        "pub use rt::{{ShapeError, Shaped, Tensor}};\n\npub mod libm {{\n{}}}\n\n",
        libm()
    );
    let _ = write!(out, "pub mod rng {{\n{}}}\n\npub mod rt {{\n{exported}", settled(RNG, alloc));
    for (name, file) in needed {
        let file = settled(file, alloc).replace("crate::rng", "super::super::rng");
        // From `rt::real::platform::f64`, where the functions are named.
        let file = file.replace("libm::$", "super::super::super::super::libm::$");
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
    let (yes, no) = ("all()", "any()");
    for (feature, on) in
        [("std", false), ("alloc", alloc), ("rayon", false), ("deterministic", false)]
    {
        text = text.replace(&format!("feature = \"{feature}\""), if on { yes } else { no });
    }
    text.replace("#[cfg(test)]", "#[cfg(any())]").replace("cfg(all(test,", "cfg(all(any(),")
}

/// Declarations of the functions of C's library that `real.rs` names.
fn libm() -> String {
    let real = FILES.iter().find(|(name, _)| *name == "real").map_or("", |(_, file)| file);
    let mut lines = String::new();
    for float in ["f32", "f64"] {
        let Some((_, list)) = real.split_once(&format!("platform! {{ {float}:")) else { continue };
        let (one, two) =
            list.split_once('}').unwrap_or_default().0.split_once(';').unwrap_or_default();
        for (list, arguments) in
            [(one, format!("x: {float}")), (two, format!("x: {float}, y: {float}"))]
        {
            let words: Vec<&str> = list.split_whitespace().collect();
            for name in words.chunks(3).filter_map(|three| three.get(2)) {
                let _ = writeln!(lines, "    pub safe fn {name}({arguments}) -> {float};");
            }
        }
    }
    include_str!("libm.txt").replace("DECLARATIONS", &lines)
}
