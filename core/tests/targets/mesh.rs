//! Emitted JAX on a mesh of one and of eight devices, which a processor stands in for: the same values and gradients as on one.

use crate::case::{self, case};
use crate::{folder, imports, python, skipped, write};
use chainrule_core::emit::{self, Dtype, Library};

/// Losses that join the examples of a batch in their own ways: a mean, a sum, a share of both, a product of two batches, the whole batch at
/// once, integers, steps over time, two losses; a size that is asked for.
const PROGRAMS: &[&str] = &[
    "dim B, N, M; input x: [B, N], y: [B, M]; param w: [N, M], b: [M]; prob = softmax(x @ w + b, axis=1); loss L = mean((y - prob)^2);",
    "dim B, N, K; input x: [B, N]; param w: [N]; o[b] = sum[n](w[n] * x[b,n]); loss E = sum(exp(-o^2)) + sum[n](w[n]^2) / (B * K);",
    "dim B, N; input x: [B, N], y: [B]; param a: [N]; K = exp(-(x @ a - y)^2); loss L = sum[i,j](K[i] * sin(K[j] * y[i]))/B^2 + max(K) + log(prod(K + 1));",
    "dim B, N; input x: [B, N], k: int[B]; param E: [5, N]; h = x * E[k]; loss L = logsumexp(h); grad L wrt E, x;",
    "dim T, B, N, M; input xs: [T, B, N]; target t: [B, M]; param W: [N, M], U: [M, M]; fn cell(h, x) = tanh(h @ U + x @ W); hs = scan(cell, zeros(B, M), xs); loss E = mse(hs[-1], t);",
    "dim B; input x: [B, 3]; param w: [3]; r = x @ w; loss mesh = norm2(r - mean(r)); loss on = sum(sort(r)[:1]) + sum(cumsum(r)) / B; const inspect = 2; output y = inspect * r;",
];
const CHOICES: &str = "dim B, N; input x: [B, N]; target t: [B, 4]; param W: [N, 4], b: [4]; loss E = mse(tanh(x @ W + b), t);";

fn emitted(program: &str) -> String {
    let case = case(program).unwrap_or_else(|why| panic!("{why}")).for_engines();
    emit::python(&case.job(), Library::Jax, Dtype::F64).unwrap_or_else(|d| panic!("{}", d.message))
}

#[test]
fn a_mesh_computes_what_one_device_does() {
    if !imports("jax") {
        skipped("JAX");
        return;
    }
    let at = folder("targets_mesh");
    let mut names = Vec::new();
    for program in PROGRAMS {
        let name = format!("m{}", names.len());
        write(&at.join(format!("{name}.py")), &emitted(program));
        names.push(name);
    }
    write(&at.join("choices.py"), &emitted(CHOICES));
    write(&at.join("mesh.py"), include_str!("mesh.py"));
    let run = python().arg("-B").arg("mesh.py").args(&names).current_dir(&at).output();
    let run = run.unwrap_or_else(|error| panic!("python: {error}"));
    let (said, errors) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("done"), "{said}\n{errors}");
    assert!(!said.contains("WRONG"), "{said}");
}

#[test]
fn the_batch_is_a_size_that_inputs_share_and_no_parameter_has() {
    let batch = |program: &str| {
        let text = emitted(program);
        let (_, rest) = text.split_once("def shardings_on(mesh, batch=\"")?;
        rest.split_once('"').map(|(name, _)| name.to_string())
    };
    let of = |program: &str| batch(program).unwrap_or_default();
    assert_eq!(of(CHOICES), "B");
    assert_eq!(of(PROGRAMS[4]), "B", "not the time, which is declared first");
    assert_eq!(
        of(
            "dim K, S; input u: [K], x: [S, K], y: [S]; param w: [K]; loss E = sum(x @ w * y) + sum(u);"
        ),
        "S"
    );
    assert_eq!(of("dim N; input x: [N]; param w: [N]; loss E = sum(x * w);"), "");
    assert_eq!(
        of(
            "dim T; input xs: [T, 3]; param W: [3]; fn cell(h, x) = tanh(h + x * W); hs = scan(cell, zeros(3), xs); loss E = sum(hs);"
        ),
        ""
    );
    assert_eq!(of("dim type; input x: [type, 3]; param w: [3]; loss E = sum(x @ w);"), "type_");
}

#[test]
fn programs_of_the_gallery_have_calls_on_a_mesh() {
    let with: Vec<bool> = case::all()
        .iter()
        .map(|case| {
            let text = emit::python(&case.job(), Library::Jax, Dtype::F64);
            text.is_ok_and(|text| text.contains("def shardings_on"))
        })
        .collect();
    assert!(with.iter().filter(|with| **with).count() >= 10);
    let said = "`value_and_grad_on` runs on a mesh of devices";
    assert!(emitted(CHOICES).contains(said));
    assert!(!emitted("param w; loss E = w^2;").contains("mesh"));
    let numpy = case(CHOICES).unwrap_or_else(|why| panic!("{why}"));
    let numpy = emit::python(&numpy.job(), Library::NumPy, Dtype::F64);
    assert!(numpy.is_ok_and(|text| !text.contains("mesh")));
}
