//! Emitted Python against the reference evaluator: every program of the list and of the gallery is emitted, run, and
//! compared with it to 1e-10; with numbers of 32 bits to 1e-4 (JAX, which compiles long, a sixth of them, and all with
//! `CHAINRULE_ALL_PROGRAMS`, which also lets each check itself).

mod c;
mod case;
mod errors;
mod mesh;
mod programs;
mod rust;
mod sizes;
mod text;
mod write;

use case::Case;
use chainrule_core::emit::{self, Dtype, Job, Library};
use chainrule_core::eval::Array;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says that a test was skipped, past the harness, which keeps what tests print to itself.
fn skipped(what: &str) {
    let said = format!("\n*** SKIPPED: {what} is not there, so the emitted code was not run ***\n");
    // Where nobody listens, there is nobody to tell.
    let _ = std::io::stderr().write_all(said.as_bytes());
}

/// Whether what a test needs is there; without it the test says so aloud, and fails where all has to be tested.
fn available(what: &str, command: &mut Command) -> bool {
    let there = command.output().is_ok_and(|out| out.status.success());
    let required = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(there || !required, "{what} is wanted for this test");
    if !there {
        skipped(what);
    }
    there
}

/// The Python that runs the tests: of `CHAINRULE_PYTHON`, or `python3`.
fn python() -> Command {
    Command::new(std::env::var_os("CHAINRULE_PYTHON").unwrap_or_else(|| "python3".into()))
}

fn folder(name: &str) -> PathBuf {
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
    at
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// An array with what JSON lacks as words.
fn array(value: &Array, int: bool) -> Value {
    let number = |x: &f64| -> Value {
        if int {
            json!(*x as i64)
        } else if x.is_finite() {
            json!(x)
        } else {
            json!(format!("{x}"))
        }
    };
    json!({ "shape": value.shape, "int": int, "data": value.data.iter().map(number).collect::<Vec<_>>() })
}

/// The arguments and the expected results of a module.
fn expected(case: &Case, job: &Job, library: Library) -> Value {
    let graph = &case.compiled.graph;
    let mut arguments: Vec<Value> = job
        .params
        .iter()
        .chain(&job.inputs)
        .map(|var| array(case.given(*var), graph.var(*var).int))
        .collect();
    arguments.extend(case.asked(job).iter().map(|size| json!(size)));
    let mut forward = serde_json::Map::new();
    for loss in &job.losses {
        forward.insert(loss.name.clone(), array(&case.value(loss.value), false));
    }
    for output in &job.outputs {
        forward.insert(output.name.clone(), array(&case.value(output.value), false));
    }
    let vars = [job.params.as_slice(), job.inputs.as_slice()].concat();
    let losses: Vec<Value> = job
        .losses
        .iter()
        .map(|loss| {
            let grads = loss.grads.iter().map(|grad| {
                let at = vars.iter().position(|var| *var == grad.var);
                json!([at, array(&case.value(grad.value), false)])
            });
            json!([array(&case.value(loss.value), false), grads.collect::<Vec<_>>()])
        })
        .collect();
    let requests: Vec<Value> = job
        .requests
        .iter()
        .flat_map(|request| request.results.iter().map(move |(by, node, _)| (request, by, node)))
        .map(|(request, by, node)| {
            let directions = request.directions.iter().map(|var| array(case.given(*var), false));
            json!([
                request.name,
                by,
                directions.collect::<Vec<_>>(),
                array(&case.value(*node), false)
            ])
        })
        .collect();
    let every: Vec<Value> = job
        .losses
        .iter()
        .map(|loss| {
            let rows = loss.every.iter().filter_map(|(by, node)| {
                let at = vars.iter().position(|var| var == by)?;
                Some(json!([at, array(&case.value(*node), false)]))
            });
            json!([loss.name, rows.collect::<Vec<_>>()])
        })
        .collect();
    let sizes = case.point.dims.iter();
    let sizes: serde_json::Map<String, Value> =
        sizes.map(|(dim, size)| (graph.dims[dim.0 as usize].name.clone(), json!(size))).collect();
    json!({ "program": case.program, "sizes": sizes, "check": case.check, "extreme": case.program == programs::EXTREME, "module": library.xp(), "arguments": arguments, "forward": forward, "losses": losses, "every": every, "requests": requests })
}

const RUNNER: &str = include_str!("runner.py");

/// Emits all cases for a library, as files of a folder, whose name ends so.
fn emitted(library: Library, cases: &[Case], end: &str) -> PathBuf {
    let name = format!("{library:?}").to_lowercase();
    let at = folder(&format!("targets_{name}{end}"));
    let mut all = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let case = &if library == Library::NumPy { case.clone() } else { case.for_engines() };
        let job = case.job();
        let text = emit::python(&job, library, Dtype::F64)
            .unwrap_or_else(|d| panic!("{}: {}", case.program, d.message));
        write(&at.join(format!("p{number}.py")), &text);
        all.push(expected(case, &job, library));
    }
    write(&at.join("cases.json"), &Value::Array(all).to_string());
    write(&at.join("runner.py"), RUNNER);
    at
}

/// Runs a folder of cases; what the runner found wrong.
fn run(at: &Path) -> String {
    let run = python().arg("-B").arg("runner.py").current_dir(at).output();
    let run = run.unwrap_or_else(|error| panic!("python: {error}"));
    let (said, errors) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("done"), "{said}\n{errors}");
    said.lines().filter(|line| line.starts_with("WRONG")).collect::<Vec<_>>().join("\n")
}

fn imports(module: &str) -> bool {
    python()
        .args(["-c", &format!("import {module}")])
        .output()
        .is_ok_and(|out| out.status.success())
}

#[test]
fn numpy_computes_what_the_reference_does() {
    if available("NumPy (pip install numpy)", python().args(["-c", "import numpy"])) {
        let wrong = run(&emitted(Library::NumPy, case::all(), ""));
        assert!(wrong.is_empty(), "{wrong}");
    }
}

#[test]
fn jax_computes_what_the_reference_does() {
    let at = emitted(Library::Jax, case::all(), "");
    if !imports("jax") {
        skipped("JAX");
        return;
    }
    let wrong = run(&at);
    assert!(wrong.is_empty(), "{wrong}");
}

/// A module as `net.py` in a folder with a script, which prints what is wrong with it.
fn judged(name: &str, program: &str, library: Library, script: &str) -> String {
    let case = case::case(program).unwrap_or_else(|why| panic!("{why}")).for_engines();
    let text = emit::python(&case.job(), library, Dtype::F64);
    let at = folder(name);
    write(&at.join("net.py"), &text.unwrap_or_else(|d| panic!("{}", d.message)));
    write(&at.join("judge.py"), script);
    let ran = python().args(["-B", "judge.py"]).current_dir(&at).output();
    let ran = ran.unwrap_or_else(|error| panic!("python: {error}"));
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(said.contains("done"), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    said.lines().filter(|line| line.starts_with("WRONG")).collect::<Vec<_>>().join("\n")
}

const LAYER: &str = "dim B, N, M; input x: [B, N]; target t: [B, M]; param W: [N, M], b: [M]; o = tanh(x @ W + b); loss E = mean((o - t)^2);";

#[test]
fn losses_of_pytorch_carry_their_closed_form() {
    if !imports("torch") {
        skipped("PyTorch");
        return;
    }
    let script = include_str!("attached_torch.py");
    let wrong = judged("targets_attached_torch", LAYER, Library::Torch, script);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn losses_of_jax_carry_their_closed_form() {
    if !imports("jax") {
        skipped("JAX");
        return;
    }
    let wrong = judged("targets_attached", LAYER, Library::Jax, include_str!("attached.py"));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn pytorch_computes_what_the_reference_does() {
    let at = emitted(Library::Torch, case::all(), "");
    if !imports("torch") {
        skipped("PyTorch");
        return;
    }
    let wrong = run(&at);
    assert!(wrong.is_empty(), "{wrong}");
}
