//! What emitted Python says of arguments that do not fit: which one, what it has, and what is wanted.

use super::{imports, judged, skipped};
use chainrule_core::emit::Library;

const PROGRAM: &str = "dim B, N, M; input x: [B, N], k: int[B]; param E: [N], W: [2*N + 1], a; loss L = a*sum(x @ E) + sum(E[k]) + sum(W) + E[-2] + a*sum(range(M));";

#[test]
fn python_names_what_does_not_fit() {
    for (library, module) in
        [(Library::NumPy, "numpy"), (Library::Jax, "jax"), (Library::Torch, "torch")]
    {
        if !imports(module) {
            skipped(module);
            continue;
        }
        let name = format!("targets_errors_{module}");
        let wrong = judged(&name, PROGRAM, library, include_str!("errors.py"));
        assert!(wrong.is_empty(), "{module}: {wrong}");
    }
}
