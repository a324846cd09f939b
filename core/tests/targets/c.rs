//! Emitted C against the reference evaluator: compiled without warnings, run, compared to 1e-10, with numbers of 32 bits to 1e-4 of the
//! largest.

use crate::case::{self, Case};
use crate::{available, folder, write};
use chainrule_core::emit::{self, Dtype, Job};
use chainrule_core::eval::Array;
use chainrule_core::ir::{DimId, NodeId, VarId};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const STRICT: &[&str] =
    &["-std=c99", "-Wpedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O0"];

fn number(value: f64, dtype: Dtype) -> String {
    // What 32 bits cannot hold is infinite there, or 0.
    let single = value as f32;
    let value = if dtype == Dtype::F32 { f64::from(single) } else { value };
    match value {
        _ if value.is_nan() => "NAN".to_string(),
        _ if value.is_infinite() => if value > 0.0 { "INFINITY" } else { "-INFINITY" }.to_string(),
        _ if dtype == Dtype::F32 => format!("{single:?}f"),
        _ => format!("{value:?}"),
    }
}

/// A static array of these numbers.
fn array(out: &mut String, kind: &str, name: &str, values: &Array, dtype: Dtype) {
    let whole = kind == "size_t";
    let texts: Vec<String> = values
        .data
        .iter()
        .map(|value| if whole { format!("{}", *value as usize) } else { number(*value, dtype) })
        .collect();
    let _ = writeln!(
        out,
        "static {kind} {name}[] = {{{}}};",
        if texts.is_empty() { "0".into() } else { texts.join(", ") }
    );
}

/// A program that calls every function and prints what is wrong.
fn main_of(case: &Case, job: &Job, dtype: Dtype) -> String {
    let graph = &case.compiled.graph;
    let mut data = String::new();
    let mut calls = String::new();
    let mut head: Vec<String> = (0..graph.dims.len())
        .map(|at| case.point.dims.get(&DimId(at as u32)).copied().unwrap_or(1).to_string())
        .collect();
    let sizes = head.join(", ");
    let argument = |data: &mut String, var: VarId| -> String {
        let (declared, value) = (graph.var(var), case.given(var));
        let name = format!("a_{}", var.0);
        array(data, if declared.int { "size_t" } else { "real" }, &name, value, dtype);
        if declared.shape.is_empty() { format!("{name}[0]") } else { name }
    };
    let vars: Vec<VarId> = job.params.iter().chain(&job.inputs).copied().collect();
    for var in &vars {
        head.push(argument(&mut data, *var));
    }
    let mut number_of = 0;
    let mut call = |data: &mut String, name: &str, extra: Vec<String>, results: Vec<NodeId>| {
        let mut arguments = [head.clone(), extra].concat();
        let mut checks = String::new();
        for node in results {
            let want = case.value(node);
            let count = want.data.len();
            array(data, "real", &format!("want_{number_of}"), &want, dtype);
            let _ = writeln!(data, "static real got_{number_of}[{}];", count.max(1));
            let _ = writeln!(
                checks,
                "    compare(\"{name}\", {number_of}, {count}, got_{number_of}, want_{number_of});"
            );
            arguments.push(format!("got_{number_of}"));
            number_of += 1;
        }
        arguments.push("work".to_string());
        let _ = write!(calls, "    {name}({});\n{checks}", arguments.join(", "));
    };
    let forward =
        job.losses.iter().map(|loss| loss.value).chain(job.outputs.iter().map(|out| out.value));
    call(&mut data, "forward", Vec::new(), forward.collect());
    for loss in &job.losses {
        let name = match job.losses.len() {
            1 => "value_and_grad".to_string(),
            _ => format!("value_and_grad_{}", emit::names::ascii(&loss.name)),
        };
        let results = std::iter::once(loss.value).chain(loss.grads.iter().map(|grad| grad.value));
        call(&mut data, &name, Vec::new(), results.collect());
    }
    for request in &job.requests {
        let directions: Vec<String> =
            request.directions.iter().map(|var| argument(&mut data, *var)).collect();
        let results = request.results.iter().map(|(_, node, _)| *node).collect();
        call(&mut data, &emit::names::ascii(&request.name), directions, results);
    }
    format!(
        "{MAIN}{data}\nint main(void) {{\n    real *work = malloc((work_size({sizes}) + 1) * sizeof(real));\n    if (work == NULL) {{\n        return 2;\n    }}\n{calls}    free(work);\n    return wrong;\n}}\n"
    )
}

const MAIN: &str = r#"
#include <stdio.h>
#include <stdlib.h>
static int wrong = 0;
static void compare(const char *what, int number, size_t count, const real *got, const real *want) {
    double largest = 1e-3;
    for (size_t k = 0; k < count; k++) {
        if (fabs((double)want[k]) > largest && fabs((double)want[k]) < (double)INFINITY) {
            largest = fabs((double)want[k]);
        }
    }
    for (size_t k = 0; k < count; k++) {
        const double most = sizeof(real) == 4 ? 1e-4 * largest : 1e-10 * (1 + fabs((double)want[k]));
        const int both = got[k] != got[k] && want[k] != want[k];
        if (!both && got[k] != want[k] && !(fabs((double)got[k] - (double)want[k]) <= most)) {
            printf("WRONG %s, result %d [%d]: %.17g for %.17g\n", what, number, (int)k, (double)got[k], (double)want[k]);
            wrong = 1;
            return;
        }
    }
}
"#;

/// What is wrong with the C of a case.
fn fault(case: &Case, at: &Path, number: usize) -> Option<String> {
    let job = case.job();
    for dtype in [Dtype::F32, Dtype::F64] {
        if let Some(fault) = of_type(case, &job, at, number, dtype) {
            return Some(format!("{fault} ({dtype:?})"));
        }
    }
    // The self-check of every third, in both types.
    let own = !case.check || !number.is_multiple_of(3);
    let (alone, program) = (at.join(format!("p{number}.c")), at.join(format!("main{number}")));
    if own { None } else { check(&job, &alone, &program) }
}

/// What is wrong with the C of a case with numbers of one type.
fn of_type(case: &Case, job: &Job, at: &Path, number: usize, dtype: Dtype) -> Option<String> {
    let text = match emit::c99(job, dtype) {
        Ok(text) => text,
        Err(diagnostic) => return Some(diagnostic.message),
    };
    let (source, program) = (at.join(format!("main{number}.c")), at.join(format!("main{number}")));
    write(&at.join(format!("p{number}.c")), &text);
    // The header says the same as the file, and is included by its callers alone.
    let header = match emit::c99_header(job, dtype, "net") {
        Ok(header) => header,
        Err(diagnostic) => return Some(diagnostic.message),
    };
    write(&source, &format!("{header}{text}{}", main_of(case, job, dtype)));
    let compiled =
        Command::new("cc").args(STRICT).arg(&source).arg("-o").arg(&program).arg("-lm").output();
    let compiled = compiled.unwrap_or_else(|error| panic!("cc: {error}"));
    if !compiled.status.success() {
        return Some(String::from_utf8_lossy(&compiled.stderr).chars().take(1500).collect());
    }
    let ran = Command::new(&program).output().unwrap_or_else(|error| panic!("{number}: {error}"));
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    (!ran.status.success()).then(|| format!("{said} ({})", ran.status))
}

/// What is wrong with the self-check of a file.
fn check(job: &Job, source: &Path, program: &Path) -> Option<String> {
    for dtype in [Dtype::F32, Dtype::F64] {
        let text = emit::c99(job, dtype).unwrap_or_else(|d| panic!("{}", d.message));
        write(source, &text);
        let mut cc = Command::new("cc");
        cc.args(STRICT).arg("-DCHAINRULE_CHECK").arg(source).arg("-o").arg(program).arg("-lm");
        let compiled = cc.output().unwrap_or_else(|error| panic!("cc: {error}"));
        if !compiled.status.success() {
            return Some(String::from_utf8_lossy(&compiled.stderr).chars().take(1500).collect());
        }
        // With numbers of 32 bits, differences are too coarse to judge every program: it has to compile.
        let ran = Command::new(program).output().unwrap_or_else(|error| panic!("check: {error}"));
        if !ran.status.success() && dtype == Dtype::F64 {
            return Some(format!("check: {}", String::from_utf8_lossy(&ran.stdout)));
        }
    }
    None
}

#[test]
fn c_computes_what_the_reference_does() {
    if !available("a C compiler (cc)", Command::new("cc").arg("--version")) {
        return;
    }
    let faults = faults(case::all(), &folder("targets_c"));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is wrong with the C of cases, which is written to a folder.
pub fn faults(cases: &[Case], at: &Path) -> Vec<String> {
    let numbered = cases.iter().enumerate();
    let found = numbered.filter_map(|(number, case)| {
        let fault = fault(case, at, number)?;
        Some(format!("WRONG {number} {}\n{fault}", case.program))
    });
    found.collect()
}
