//! A program, a point, and what the reference evaluator says of all results there.

use super::programs;
use chainrule_core::check::{point_of_sizes, random_point};
use chainrule_core::emit::Job;
use chainrule_core::emit::python::sizes::Sizes;
use chainrule_core::eval::{Array, Point, eval, infer_dims};
use chainrule_core::ir::{DimId, NodeId, Op, VarId};
use chainrule_core::ops;
use chainrule_core::ops::probe::Random;
use chainrule_core::{Compiled, Source, compile};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A compiled program and a point for it.
#[derive(Clone)]
pub struct Case {
    /// Its text.
    pub program: String,
    /// The compiled program.
    pub compiled: Compiled,
    /// The point.
    pub point: Point,
    /// Whether the emitted code is to check itself.
    pub check: bool,
}

/// A case for a program's text.
pub fn case(program: &str) -> Result<Case, String> {
    let source = Source::new("test", program);
    let compiled = compile(&source);
    let errors: Vec<String> = compiled
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| diagnostic.render(&source))
        .collect();
    if !errors.is_empty() {
        return Err(format!("{program}\n{}", errors.join("\n")));
    }
    let mut point = match (is_of_rows(program), program == programs::EXTREME) {
        (true, _) => domains(&compiled),
        (_, true) => {
            let array = Array::from_fn(&[11], |at| programs::EXTREME_POINT[at[0]]);
            Point { vars: [(VarId(0), array)].into(), ..Point::default() }
        }
        _ => random_point(&compiled, 7).map_err(|why| format!("{program}: {why}"))?,
    };
    point.dims.extend(infer_dims(&compiled.graph, &point.vars).unwrap_or_default());
    let check = !is_of_rows(program);
    Ok(Case { program: program.to_string(), compiled, point, check })
}

/// The programs with open sizes, where all of these are `size` and the reference has values for all that is emitted.
pub fn all_of_size(size: usize) -> Vec<Case> {
    let open: Vec<Case> = programs::open()
        .iter()
        .map(|program| case(program).unwrap_or_else(|why| panic!("{why}")))
        .collect();
    all().iter().chain(&open).filter_map(|case| case.of_size(size)).collect()
}

const EXTREMES: [&str; 4] = ["max", "min", "argmax", "argmin"];

/// Whether a program is one of elementwise rows, each of which has its own domain.
pub fn is_of_rows(program: &str) -> bool {
    program.starts_with("param w_: [5];")
}

/// A point inside of the domains.
fn domains(compiled: &Compiled) -> Point {
    let mut random = Random(3);
    let mut point = Point::default();
    for (at, var) in compiled.graph.vars.iter().enumerate() {
        let interval = programs::domain(&var.name).unwrap_or((-1.0, 1.0));
        let array = Array::from_fn(&[5], |_| random.within(interval));
        point.vars.insert(VarId(at as u32), array);
    }
    point
}

impl Case {
    /// The same for a library that differentiates on by itself.
    pub fn for_engines(&self) -> Case {
        let compiled = self.compiled.with_every_gradient();
        Case { compiled, ..self.clone() }
    }

    /// The same where every open size is this one; nothing where no size is open or the reference has no finite values.
    fn of_size(&self, size: usize) -> Option<Case> {
        let graph = &self.compiled.graph;
        let dims: BTreeMap<_, _> =
            (0..graph.dims.len() as u32).map(|at| (DimId(at), size)).collect();
        if dims.is_empty() {
            return None;
        }
        let point = point_of_sizes(&self.compiled, dims, 7).ok()?;
        let case = Case { point, check: false, ..self.clone() };
        let all = case.for_engines();
        let graph = &all.compiled.graph;
        let nodes = all.job().roots();
        // Libraries refuse to look for the largest entry of none, and for the last.
        let last = size == 0 && self.program.contains("[-1]");
        let refused = last
            || graph.reachable(&nodes).into_iter().any(|node| match graph.op(node) {
                Op::Call(op, _) => size == 0 && EXTREMES.contains(&ops::spec(*op).name),
                _ => false,
            });
        let values = eval(graph, &case.point, &nodes).unwrap_or_default();
        let finite = values.iter().flat_map(|value| &value.data).all(|entry| entry.is_finite());
        (!refused && finite && !values.is_empty()).then_some(case)
    }

    /// The job of the program.
    pub fn job(&self) -> Job<'_> {
        self.compiled
            .job(&self.program)
            .unwrap_or_else(|d| panic!("{}: {}", self.program, d.message))
    }

    /// What the reference says of a node.
    pub fn value(&self, node: NodeId) -> Array {
        eval(&self.compiled.graph, &self.point, &[node])
            .unwrap_or_else(|why| panic!("{}: {why}", self.program))
            .remove(0)
    }

    /// The sizes that no shape tells, which emitted functions ask for.
    pub fn asked(&self, job: &Job) -> Vec<usize> {
        let vars = [job.params.as_slice(), job.inputs.as_slice()].concat();
        let sizes = Sizes::new(&self.compiled.graph, &vars);
        sizes.asked.iter().map(|dim| self.point.dims.get(dim).copied().unwrap_or(1)).collect()
    }

    /// The value of a declared tensor.
    pub fn given(&self, var: VarId) -> &Array {
        &self.point.vars[&var]
    }
}

/// All cases: the programs, one for each row, and the gallery; they are compiled once.
pub fn all() -> &'static [Case] {
    static ALL: LazyLock<Vec<Case>> = LazyLock::new(every);
    &ALL
}

fn every() -> Vec<Case> {
    let rows = programs::rows();
    let gallery = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut files: Vec<_> = std::fs::read_dir(&gallery)
        .unwrap_or_else(|error| panic!("{}: {error}", gallery.display()))
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.to_string_lossy().ends_with(".grad"))
        .collect();
    files.sort();
    let files: Vec<String> =
        files.iter().map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect();
    let fixed = programs::PROGRAMS.iter().copied().chain([programs::EXTREME]);
    let all = fixed.chain(rows.iter().map(String::as_str)).chain(files.iter().map(String::as_str));
    let (good, bad): (Vec<_>, Vec<_>) = all.map(case).partition(Result::is_ok);
    let bad: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    good.into_iter().filter_map(Result::ok).collect()
}
