//! Rust that stands alone: it compiles in a crate without the standard library, without the crate `chainrule`, where nothing may be `unsafe`,
//! and computes what it should.

mod common;

use common::run;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standalone");
    std::fs::create_dir_all(&at).unwrap();
    at
}

/// Compiles a file with warnings refused.
fn compile(at: &Path, file: &str, text: &str, flags: &[&str]) {
    std::fs::write(at.join(file), text).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    let ran = rustc.args(["--edition", "2024", "-D", "warnings", file]).args(flags).current_dir(at);
    let ran = ran.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

fn emitted(program: &[&str]) -> String {
    let mut arguments = vec!["emit"];
    arguments.extend(program);
    arguments.extend(["--target", "rust", "--standalone"]);
    let ran = run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

#[test]
fn it_compiles_without_the_standard_library() {
    let at = folder();
    for name in ["digits_mlp", "gmm", "single_perceptron_10"] {
        let file = format!("{}/../examples/{name}.grad", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(at.join(format!("{name}.rs")), emitted(&[&file])).unwrap();
        let lib = format!("#![no_std]\n#![forbid(unsafe_code)]\npub mod {name};\n");
        let flags = ["--crate-type", "lib", "--emit", "metadata"];
        compile(&at, &format!("lib_{name}.rs"), &lib, &flags);
    }
}

#[test]
fn it_computes_what_is_written() {
    let at = folder();
    let program =
        "input t: [3]; param x: [3]; loss L = sum(sin(x)*t) + norm2(x) + log(1 + exp(x[0]));";
    std::fs::write(at.join("alone.rs"), emitted(&["-e", program])).unwrap();
    let main = r#"mod alone;

fn main() {
    let (x, t) = ([0.5_f64, -1.5, 2.0], [1.0, 2.0, -3.0]);
    let inputs = alone::Inputs::new(&t).unwrap();
    let mut params = alone::Params::zeros();
    params.as_mut_slice().copy_from_slice(&x);
    let (value, grads) = alone::value_and_grad(&params, &inputs);
    let length = (0.25_f64 + 2.25 + 4.0).sqrt();
    let sum: f64 = x.iter().zip(&t).map(|(x, t)| x.sin() * t).sum();
    assert!((value - sum - length - x[0].exp().ln_1p()).abs() < 1e-14);
    for k in 0..3 {
        let extra = if k == 0 { 1.0 / (1.0 + (-x[0]).exp()) } else { 0.0 };
        let want = x[k].cos() * t[k] + x[k] / length + extra;
        assert!((grads.as_slice()[k] - want).abs() < 1e-14, "{k}");
    }
}
"#;
    compile(&at, "main.rs", main, &["-o", "main", "-A", "dead_code"]);
    let ran = Command::new(at.join("main")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
