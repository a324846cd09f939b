//! Rust that stands alone, against the reference evaluator: all programs in one crate that has no other and may not be `unsafe`, in both
//! types of numbers.

use crate::case::{self, Case};
use crate::write::{CHECK, Calls};
use crate::{folder, write};
use chainrule_core::emit::{self, rust::standalone};
use std::fmt::Write as _;
use std::process::Command;

const HEAD: &str = "#![forbid(unsafe_code)]\n#![deny(warnings)]\n#![allow(dead_code, unused_mut, unused_variables, non_snake_case)]\n";

#[test]
fn rust_that_stands_alone_computes_what_the_reference_does() {
    judge(case::all(), "targets_rust");
}

/// Builds the Rust of all cases as one program in a folder, and runs it.
pub fn judge(cases: &[Case], name: &str) {
    let (mut modules, mut tests, mut main) = (String::new(), String::new(), String::new());
    for (at, case) in cases.iter().enumerate() {
        let job = case.job();
        let text =
            emit::rust_text(&job).unwrap_or_else(|d| panic!("{}: {}", case.program, d.message));
        let _ = writeln!(modules, "mod p{at} {{ {text} }}");
        let (graph, point, module) = (&case.compiled.graph, &case.point, format!("p{at}"));
        let mut calls =
            Calls { job: &job, graph, point, module, float: "FLOAT", out: String::new() };
        calls.write();
        for float in ["f32", "f64"] {
            let calls = calls.out.replace("FLOAT", float);
            let _ = writeln!(tests, "fn t{at}_{float}() {{ {calls} }}");
            let _ = writeln!(main, "    t{at}_{float}();");
        }
    }
    // One copy of the support serves all modules.
    let text = format!("{modules}{tests}").replace(":: chainrule ::", "crate :: chainrule ::");
    let text = standalone::text(&text).replace("super::chainrule::", "crate::chainrule::");
    let main = format!("{HEAD}{text}{CHECK}\nfn main() {{\n{main}    println!(\"done\");\n}}\n");
    let at = folder(name);
    write(&at.join("main.rs"), &main);
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let flags = ["--edition", "2024", "-C", "debuginfo=0", "-C", "codegen-units=16", "main.rs"];
    let built = Command::new(rustc).args(flags).current_dir(&at).output();
    let built = built.unwrap_or_else(|error| panic!("rustc: {error}"));
    let errors: String = String::from_utf8_lossy(&built.stderr).chars().take(4000).collect();
    assert!(built.status.success(), "{errors}");
    let ran = Command::new(at.join("main")).output();
    let ran = ran.unwrap_or_else(|error| panic!("main: {error}"));
    let said = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("done") && !said.contains("WRONG"), "{said}\n{errors}");
}
