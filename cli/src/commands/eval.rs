//! `chainrule eval`: losses, outputs and derivatives at a point, as JSON.

use crate::Session;
use crate::commands::print;
use crate::failure::Failure;
use crate::input::{self, Unit};
use crate::{json, point};
use chainrule_core::check::facts;
use chainrule_core::eval::{Array, Point, eval};
use chainrule_core::ir::NodeId;
use chainrule_core::{Code, Compiled, Diagnostic, Dialect, Span};
use chainrule_grammar::ast::{ExprKind, RequestKind, StmtKind};
use serde_json::{Map, Value};
use std::ffi::OsStr;

/// The most bytes that are read of a point.
const MAX_POINT: u64 = 1 << 30;

pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    let Some(at) = session.args.value("at") else {
        return Err(Failure::usage("at which point?")
            .help("`--at point.json`, or `--at -` for standard input"));
    };
    if at == "-" && session.args.operands.first().is_some_and(|file| file == "-") {
        return Err(Failure::usage(
            "both the program and the point are to be read from standard input",
        )
        .help("put one of them into a file"));
    }
    let unit = input::compile(session)?;
    let bytes = input::read_bytes(OsStr::new(at), session.stdin, MAX_POINT)?;
    let point = point::read(&unit.compiled, &bytes).map_err(|errors| refused(&unit, errors))?;
    let broken = facts::broken(&unit.compiled.graph, &point);
    session.reporter.diagnostics(&unit.source, &broken);
    let values =
        values(&unit.compiled, &point).map_err(|why| refused(&unit, vec![finding(why)]))?;
    print(session, &json::pretty(&values))
}

fn refused(unit: &Unit, diagnostics: Vec<Diagnostic>) -> Failure {
    Failure::Program { source: Box::new(unit.source.clone()), diagnostics, code: 1 }
}

/// What the evaluator says, as a finding without a place.
fn finding(why: String) -> Diagnostic {
    let help = why
        .starts_with("the size ")
        .then(|| "give it in the point: `\"dims\": {\"N\": 3}`".to_string());
    Diagnostic { labels: Vec::new(), help, ..Diagnostic::new(Code::BadPoint, Span::default(), why) }
}

/// All results in the order of the program.
fn values(compiled: &Compiled, point: &Point) -> Result<Value, String> {
    let results = compiled.losses.iter().chain(&compiled.outputs).map(|named| named.node);
    let roots: Vec<NodeId> =
        results.chain(compiled.derivatives.iter().map(|derivative| derivative.node)).collect();
    let mut arrays = eval(&compiled.graph, point, &roots)?.into_iter();
    let mut named = |results: &[chainrule_core::lower::Named]| -> Map<String, Value> {
        let pairs = results.iter().zip(arrays.by_ref());
        pairs.map(|(result, array)| (result.name.clone(), json::from_array(&array))).collect()
    };
    let mut out = Map::new();
    out.insert("loss".into(), named(&compiled.losses).into());
    out.insert("output".into(), named(&compiled.outputs).into());
    for (key, _) in KINDS.iter().take(3) {
        out.insert((*key).into(), Map::new().into());
    }
    for (derivative, array) in compiled.derivatives.iter().zip(arrays) {
        let array = match derivative.kind {
            RequestKind::Grad | RequestKind::Hvp => {
                two_dimensional(compiled, &derivative.wrt.name, array)
            }
            _ => array,
        };
        insert(&mut out, key(derivative.kind), &derivative.of.name, &derivative.wrt.name, &array);
    }
    Ok(out.into())
}

/// A gradient in the shape that its variable was declared with: in the matlab dialect a column has two axes.
fn two_dimensional(compiled: &Compiled, name: &str, array: Array) -> Array {
    if compiled.program.dialect != Dialect::Matlab || array.shape.len() > 1 {
        return array;
    }
    let declarations = compiled.program.stmts.iter().filter_map(|stmt| match &stmt.kind {
        StmtKind::Decl { vars, .. } => Some(vars),
        _ => None,
    });
    let var = declarations.flatten().find(|var| var.name.name == name);
    let Some([rows, _]) = var.and_then(|var| var.shape.as_deref()) else { return array };
    let row = matches!(&rows.kind, ExprKind::Num(size) if size == "1");
    let size = array.data.len();
    Array { shape: if row { vec![1, size] } else { vec![size, 1] }, data: array.data }
}

/// The keys of derivatives; the first three are always there.
const KINDS: [(&str, RequestKind); 5] = [
    ("grad", RequestKind::Grad),
    ("jacobian", RequestKind::Jacobian),
    ("hessian", RequestKind::Hessian),
    ("hvp", RequestKind::Hvp),
    ("jvp", RequestKind::Jvp),
];

fn key(kind: RequestKind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("grad", |(key, _)| key)
}

fn insert(out: &mut Map<String, Value>, key: &str, of: &str, wrt: &str, array: &Array) {
    let results = out.entry(key).or_insert_with(|| Map::new().into());
    let Value::Object(results) = results else { return };
    if let Value::Object(by) = results.entry(of).or_insert_with(|| Map::new().into()) {
        by.insert(wrt.to_string(), json::from_array(array));
    }
}
