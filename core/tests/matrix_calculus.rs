//! The matlab dialect against checked derivatives of matrix calculus (see `matrix_calculus/README.md`): values, derivatives, the
//! printed closed forms, naive spellings at extreme inputs, and messages.

use chainrule_core::check::check_told;
use chainrule_core::derivation::{Options, Steps, tell};
use chainrule_core::eval::{Array, Point, eval, infer_dims};
use chainrule_core::ir::{DimId, VarId};
use chainrule_core::{Compiled, Source, compile, raise};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

type Outcome = Result<(), String>;

fn read(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the cases are JSON")
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some(text) => text.parse().expect("a number"),
        None => value.as_f64().expect("a number"),
    }
}

/// Nested arrays as an array of two axes; a flat list is a column.
fn matrix(value: &Value) -> Array {
    let rows: Vec<Vec<f64>> = match value {
        Value::Array(rows) => rows
            .iter()
            .map(|row| {
                row.as_array()
                    .map_or_else(|| vec![number(row)], |row| row.iter().map(number).collect())
            })
            .collect(),
        other => vec![vec![number(other)]],
    };
    let shape = vec![rows.len(), rows.first().map_or(0, Vec::len)];
    Array { shape, data: rows.concat() }
}

/// Functions whose results have a size that the names of sizes do not tell.
const WANT_SIZES: &[&str] = &["svd"];

/// A program in the dialect: declarations, the case's own text, and what is asked for.
fn program(case: &Value, request: Option<&str>) -> String {
    let (mut dims, mut declarations) = (BTreeSet::new(), String::new());
    let wrt = case["wrt"].as_str().unwrap_or_default();
    for (name, sizes) in case["vars"].as_object().expect("variables") {
        let sizes: Vec<&str> =
            sizes.as_array().expect("sizes").iter().filter_map(Value::as_str).collect();
        dims.extend(sizes.iter().copied().filter(|size| size.parse::<u32>().is_err()));
        let kind = if name == wrt { "param" } else { "input" };
        let shape = if sizes.is_empty() { "1, 1".to_string() } else { sizes.join(", ") };
        let _ = writeln!(declarations, "{kind} {name}: [{shape}];");
    }
    let mut text = String::new();
    if !dims.is_empty() {
        let expr = case["expr"].as_str().unwrap_or_default();
        let fixed = WANT_SIZES.iter().any(|name| expr.contains(name));
        let dim = |dim: &str| {
            if fixed { format!("{dim} = {}", case["dims"][dim]) } else { dim.to_string() }
        };
        let _ = writeln!(text, "dim {};", dims.into_iter().map(dim).collect::<Vec<_>>().join(", "));
    }
    text.push_str(&declarations);
    text.push_str(case["expr"].as_str().expect("an expression"));
    text.push(';');
    if let Some(request) = request {
        let _ = write!(text, "\n{request}");
    }
    text
}

fn compiled(text: &str) -> Result<Compiled, String> {
    let source = Source::matlab("case", text);
    let compiled = compile(&source);
    if compiled.has_errors() {
        return Err(compiled.diagnostics.iter().map(|found| found.render(&source)).collect());
    }
    Ok(compiled)
}

/// The point of a case: a scalar's array has no axes, a column's and a row's has one.
fn point(compiled: &Compiled, inputs: &BTreeMap<String, Array>) -> Result<Point, String> {
    let mut vars = BTreeMap::new();
    for (at, var) in compiled.graph.vars.iter().enumerate() {
        let array = inputs.get(&var.name).ok_or_else(|| format!("no value for {}", var.name))?;
        let shape = match var.shape.len() {
            2 => array.shape.clone(),
            _ => array.shape.iter().copied().filter(|size| *size != 1).collect(),
        };
        vars.insert(VarId(at as u32), Array { shape, data: array.data.clone() });
    }
    let dims = infer_dims(&compiled.graph, &vars)?;
    Ok(Point { vars, dims })
}

/// Whether two numbers differ by more; a NaN is far from everything.
fn far(a: f64, b: f64, tolerance: f64) -> bool {
    a.is_nan() || b.is_nan() || (a - b).abs() > tolerance
}

fn close(what: &str, got: &[f64], want: &[f64], tolerance: f64) -> Outcome {
    if got.len() != want.len() {
        return Err(format!("{what}: {} numbers for {}", got.len(), want.len()));
    }
    let size = want.iter().fold(1e-3, |size: f64, x| size.max(x.abs()));
    for (g, w) in got.iter().zip(want) {
        if far(*g, *w, tolerance * size) {
            return Err(format!("{what}: {g} for {w}"));
        }
    }
    Ok(())
}

/// Column-major vec of a derivative with the result's axes and then the variable's.
fn vectorised(array: &Array) -> Array {
    let mut shape = array.shape.clone();
    shape.resize(4, 1);
    let [a, b, c, d] = [shape[0], shape[1], shape[2], shape[3]];
    Array::from_fn(&[a * b, c * d], |ix| {
        let (i, j, k, l) = (ix[0] % a, ix[0] / a, ix[1] % c, ix[1] / c);
        array.data[((i * b + j) * c + k) * d + l]
    })
}

/// With respect to the free entries of a symmetric matrix, where both copies move together.
fn free_entries(gradient: &Array) -> Array {
    Array::from_fn(&gradient.shape, |ix| {
        let own = gradient.at(ix);
        if ix[0] == ix[1] { own } else { own + gradient.at(&[ix[1], ix[0]]) }
    })
}

fn as_expected(case: &Value, array: Array) -> Array {
    let kind = case["kind"].as_str().unwrap_or_default();
    let array = if kind.starts_with("vec") { vectorised(&array) } else { array };
    if case["structure"] == "symmetric" { free_entries(&array) } else { array }
}

fn inputs(case: &Value) -> BTreeMap<String, Array> {
    let inputs = case["inputs"].as_object().expect("inputs");
    inputs.iter().map(|(name, value)| (name.clone(), matrix(value))).collect()
}

fn hold(case: &Value) -> Outcome {
    let wrt = case["wrt"].as_str().unwrap_or_default();
    let second = case["kind"].as_str().is_some_and(|kind| kind.ends_with("hessian"));
    let request = format!("hessian f wrt {wrt};");
    let compiled = compiled(&program(case, second.then_some(request.as_str())))?;
    let point = point(&compiled, &inputs(case))?;
    let result = compiled.losses.iter().chain(&compiled.outputs).last().ok_or("no result")?;
    let derivative = match compiled
        .derivatives
        .iter()
        .find(|one| !second || one.kind == chainrule_grammar::ast::RequestKind::Hessian)
    {
        Some(derivative) => derivative,
        None => return Err("no derivative".into()),
    };
    let values = eval(&compiled.graph, &point, &[result.node, derivative.node])?;
    close("value", &values[0].data, &matrix(&case["value"]).data, 1e-9)?;
    let (want, tolerance) = (matrix(&case["expected"]), if second { 1e-5 } else { 1e-7 });
    let got = as_expected(case, values[1].clone());
    let nothing = |array: &Array| array.data.iter().all(|x| *x == 0.0);
    if nothing(&got) && !nothing(&want) {
        return Err("silently zero".into());
    }
    close("derivative", &got.data, &want.data, tolerance)?;
    let printed = printed(&compiled, &point, derivative.kind)?;
    close("printed closed form", &as_expected(case, printed).data, &want.data, tolerance)
}

/// The closed form as it is printed, in the ordinary language with the declarations of the program, evaluated.
fn printed(
    compiled: &Compiled,
    at: &Point,
    kind: chainrule_grammar::ast::RequestKind,
) -> Result<Array, String> {
    let options = Options { steps: Steps::None, ..Options::default() };
    let told = tell(compiled, options).map_err(|error| error.message)?;
    let which = compiled.derivatives.iter().position(|one| one.kind == kind).unwrap_or(0);
    let told = &told[which];
    let mut text = chainrule_grammar::format(&raise::program(&compiled.graph, &compiled.lowered));
    for part in &told.wheres {
        let _ = writeln!(text, "{} = {};", part.name, part.text);
    }
    let _ = writeln!(text, "output the_result = {};", told.text);
    let source = Source::new("printed", text.clone());
    let again = compile(&source);
    if again.has_errors() {
        let found: String = again.diagnostics.iter().map(|found| found.render(&source)).collect();
        return Err(format!("the printed form is refused:\n{found}"));
    }
    let dims: BTreeMap<DimId, usize> = at.dims.clone();
    let point = Point { vars: at.vars.clone(), dims };
    let node = again.outputs.last().ok_or("no output")?.node;
    let value = eval(&again.graph, &point, &[node])
        .map_err(|error| format!("printed {text}: {error}"))?
        .remove(0);
    if std::env::var("CHAINRULE_SHOW").is_ok() {
        println!("{text}");
    }
    Ok(value)
}

/// Holds every case, and the list of those that do not yet to what is so.
fn ratchet(file: &str, cases: &[Value], listed: &str, hold: impl Fn(&Value) -> Outcome) {
    let listed: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|id| !id.starts_with('#'))
        .collect();
    let only = std::env::var("CHAINRULE_CASE").ok();
    let (mut held, mut wrong) = (0, String::new());
    for case in cases {
        let id = case["id"].as_str().unwrap_or_default();
        if only.as_deref().is_some_and(|only| only != id) {
            continue;
        }
        match (hold(case), listed.contains(id)) {
            (Ok(()), false) => held += 1,
            (Ok(()), true) => {
                let _ = writeln!(wrong, "{id} holds now: take it off the list");
            }
            (Err(_), true) => {}
            (Err(why), false) => {
                let _ = writeln!(wrong, "{id}: {why}");
            }
        }
    }
    println!("{file}: {held} of {} cases hold", cases.len());
    assert!(wrong.is_empty(), "{file}: {held} of {} cases hold\n{wrong}", cases.len());
}

const NOT_YET: &str = include_str!("matrix_calculus/not_yet.txt");
/// What was measured of another tool, on the 288 cases that these were taken from.
const SYMPY: &str =
    "beside it, SymPy 1.14: 133 of 288 right, 33 silently 0 in one natural spelling or another";

#[test]
fn values_derivatives_and_printed_forms_are_those_of_the_literature() {
    let cases = read(include_str!("matrix_calculus/cases.json"));
    ratchet("cases.json", &cases, NOT_YET, hold);
    println!("{SYMPY}");
}

/// A naive spelling at extreme inputs: the value and the gradient are the true ones.
fn hold_extreme(case: &Value) -> Outcome {
    let var = case["var"].as_str().unwrap_or_default();
    let input = matrix(&case["input"]);
    let text = format!(
        "param {var}: [{}, {}]; {};",
        input.shape[0],
        input.shape[1],
        case["expr"].as_str().unwrap_or_default()
    );
    let compiled = compiled(&text)?;
    let point = point(&compiled, &BTreeMap::from([(var.to_string(), input)]))?;
    let loss = compiled.losses.last().ok_or("no loss")?;
    let derivative = compiled.derivatives.first().ok_or("no derivative")?;
    let values = eval(&compiled.graph, &point, &[loss.node, derivative.node])?;
    close("value", &values[0].data, &[number(&case["value"])], 1e-9)?;
    let want = matrix(&case["grad"]);
    close("gradient", &values[1].data, &want.data, 1e-9)?;
    // Each entry of its own, as far as it is a normal number.
    for (g, w) in values[1].data.iter().zip(&want.data) {
        if w.abs() >= f64::MIN_POSITIVE && far(*g, *w, 1e-9 * w.abs()) {
            return Err(format!("gradient entry: {g} for {w}"));
        }
    }
    Ok(())
}

#[test]
fn naive_spellings_are_right_at_extreme_inputs() {
    let cases = read(include_str!("matrix_calculus/stability.json"));
    ratchet("stability.json", &cases, NOT_YET, hold_extreme);
}

/// A bad input is refused or warned about with the code and the words that a reader needs.
fn hold_refusal(case: &Value) -> Outcome {
    let mut case = case.clone();
    case["expr"] = case["input"].clone();
    if case["wrt"].is_null() {
        let first = case["vars"].as_object().and_then(|vars| vars.keys().next().cloned());
        case["wrt"] = first.unwrap_or_default().into();
    }
    let source = Source::matlab("case", program(&case, None));
    let found: Vec<(String, String)> = compile(&source)
        .diagnostics
        .iter()
        .map(|found| (found.code.id().to_string(), found.render(&source)))
        .collect();
    let code = case["code"].as_str().unwrap_or_default();
    let words: Vec<&str> =
        case["says"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fits =
        |(id, text): &(String, String)| id == code && words.iter().all(|word| text.contains(word));
    if found.iter().any(fits) {
        return Ok(());
    }
    Err(format!(
        "{code} {words:?} is not said:\n{}",
        found.iter().map(|(_, text)| text.as_str()).collect::<String>()
    ))
}

#[test]
fn bad_inputs_are_refused_with_the_reason() {
    let cases = read(include_str!("matrix_calculus/negative.json"));
    ratchet("negative.json", &cases, NOT_YET, hold_refusal);
}

/// Every closed form and every line of the derivation, in both notations, has the value of the line before it.
fn lines_hold(case: &Value) -> Outcome {
    let compiled = compiled(&program(case, None))?;
    let point = point(&compiled, &inputs(case))?;
    let mut problems = Vec::new();
    for notation in [raise::Notation::Matrix, raise::Notation::Index] {
        let told = tell(&compiled, Options { notation, ..Options::default() })
            .map_err(|error| error.message)?;
        problems.extend(check_told(&compiled, &told, &point).problems);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n   ")) }
}

#[test]
fn every_line_of_the_derivations_holds() {
    let cases = read(include_str!("matrix_calculus/cases.json"));
    ratchet(
        "lines of cases.json",
        &cases,
        include_str!("matrix_calculus/lines_not_yet.txt"),
        lines_hold,
    );
}
