//! What the tests of the gallery share: its programs, points to evaluate them at, and comparisons.
#![allow(dead_code, reason = "each test file uses a part")]
pub mod npz;

use chainrule_core::eval::{Array, Point, eval};
use chainrule_core::ir::graph::Fact;
use chainrule_core::ir::{DimId, NodeId, VarId};
use chainrule_core::ops::probe::Random;
use chainrule_core::{Compiled, Source, compile};
use chainrule_grammar::ast::RequestKind;
use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The programs of the gallery, by name.
pub fn programs() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("examples"))
        .expect("the gallery is there")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "grad"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a readable program"))
    };
    files.iter().map(read).collect()
}

/// One program of the gallery.
pub fn program(name: &str) -> String {
    let path = root().join("examples").join(name).with_extension("grad");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A program that must compile without a word.
pub fn compiled(name: &str, program: &str) -> Compiled {
    let source = Source::new(name, program.to_string());
    let compiled = compile(&source);
    let said: String = compiled.diagnostics.iter().map(|one| one.render(&source)).collect();
    assert!(compiled.diagnostics.is_empty(), "{said}");
    compiled
}

/// A random point: open sizes are small and all different, facts hold, integers are rows of the smallest size.
pub fn random_point(compiled: &Compiled, seed: u64) -> Point {
    let mut random = Random(seed);
    let graph = &compiled.graph;
    let mut point = Point::default();
    for at in 0..graph.dims.len() {
        point.dims.insert(DimId(at as u32), at + 2);
    }
    for (at, var) in graph.vars.iter().enumerate() {
        let size = |id: DimId| point.dims[&id];
        let shape: Vec<usize> =
            var.shape.iter().map(|dim| dim.value(&size).expect("a size")).collect();
        let mut data: Vec<f64> = (0..shape.iter().product::<usize>())
            .map(|_| if var.int { random.below(2) as f64 } else { random.within((-1.0, 1.0)) })
            .collect();
        for fact in &var.facts {
            match fact {
                Fact::OneHot => one_hot(&mut data, *shape.last().expect("an axis"), &mut random),
                Fact::Positive => data.iter_mut().for_each(|entry| *entry = 0.1 + entry.abs()),
                other => panic!("no random points with the fact {other:?} yet"),
            }
        }
        point.vars.insert(VarId(at as u32), Array { shape, data });
    }
    point
}

/// Makes one entry of every row 1 and the others 0.
fn one_hot(data: &mut [f64], width: usize, random: &mut Random) {
    for row in data.chunks_mut(width) {
        row.fill(0.0);
        row[random.below(width)] = 1.0;
    }
}

/// The value of one node.
pub fn value(compiled: &Compiled, point: &Point, node: NodeId) -> Array {
    eval(&compiled.graph, point, &[node]).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

/// Puts numbers in the place of a declared tensor.
pub fn set(compiled: &Compiled, point: &mut Point, name: &str, data: Vec<f64>) {
    let at = compiled.graph.vars.iter().position(|var| var.name == name).expect("a declared name");
    let array = point.vars.get_mut(&VarId(at as u32)).expect("a value");
    assert_eq!(array.data.len(), data.len(), "{name}");
    array.data = data;
}

/// The numbers of a declared tensor.
pub fn get<'p>(compiled: &Compiled, point: &'p Point, name: &str) -> &'p Array {
    let at = compiled.graph.vars.iter().position(|var| var.name == name).expect("a declared name");
    &point.vars[&VarId(at as u32)]
}

/// The gradient (or Hessian) of a result by a name.
pub fn derivative(compiled: &Compiled, of: &str, wrt: &str, order: usize) -> NodeId {
    let kind = if order == 2 { RequestKind::Hessian } else { RequestKind::Grad };
    let found = compiled
        .derivatives
        .iter()
        .find(|one| one.of.name == of && one.wrt.name == wrt && one.kind == kind);
    found.unwrap_or_else(|| panic!("no derivative of {of} by {wrt}")).node
}

/// Two arrays agree, relative to their size.
pub fn assert_close(got: &Array, want: &Array, tolerance: f64, what: &str) {
    assert_eq!(got.shape, want.shape, "{what}: shapes");
    let scale = want.data.iter().fold(1.0_f64, |most, entry| most.max(entry.abs()));
    for (at, (got, want)) in got.data.iter().zip(&want.data).enumerate() {
        let off = (got - want).abs();
        assert!(off <= tolerance * scale, "{what}, entry {at}: {got} where {want} was expected");
    }
}
