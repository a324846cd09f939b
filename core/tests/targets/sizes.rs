//! Axes with one entry and with none, in every target, against the reference evaluator, wherever that has values.

use crate::case::{self, Case};
use crate::{available, c, emitted, folder, imports, python, run, rust, skipped};
use chainrule_core::emit::Library;
use std::process::Command;
use std::sync::LazyLock;

/// The programs where all open sizes are 1, then where all are 0.
fn cases() -> &'static [Case] {
    static ALL: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let (one, none) = (case::all_of_size(1), case::all_of_size(0));
        assert!(one.len() > 50 && none.len() > 25, "{} and {} programs", one.len(), none.len());
        [one, none].concat()
    });
    &ALL
}

fn judge(library: Library, cases: &[Case]) {
    let wrong = run(&emitted(library, cases, "_sizes"));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn numpy_takes_axes_of_one_and_of_none() {
    if available("NumPy (pip install numpy)", python().args(["-c", "import numpy"])) {
        judge(Library::NumPy, cases());
    }
}

#[test]
fn jax_takes_axes_of_one_and_of_none() {
    if !imports("jax") {
        skipped("JAX");
        return;
    }
    // It compiles long.
    let all = std::env::var_os("CHAINRULE_ALL_PROGRAMS").is_some();
    let wanted = |case: &&Case| all || case.program.contains("scan");
    let cases: Vec<Case> = cases().iter().filter(wanted).cloned().collect();
    judge(Library::Jax, &cases);
}

#[test]
fn pytorch_takes_axes_of_one_and_of_none() {
    if imports("torch") { judge(Library::Torch, cases()) } else { skipped("PyTorch") }
}

#[test]
fn c_takes_axes_of_one_and_of_none() {
    if available("a C compiler (cc)", Command::new("cc").arg("--version")) {
        let faults = c::faults(cases(), &folder("targets_c_sizes"));
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// Tensors without entries are an error there.
#[test]
fn rust_takes_axes_of_one() {
    let full = |case: &&Case| case.point.vars.values().all(|array| !array.data.is_empty());
    let cases: Vec<Case> = cases().iter().filter(full).cloned().collect();
    rust::judge(&cases, "targets_rust_sizes");
}
