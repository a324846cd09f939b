//! The point of `eval`: a JSON object with an array for each declared tensor. Everything that does not fit is said at once.

use crate::args::nearest;
use crate::json;
use chainrule_core::check::index_limits;
use chainrule_core::compile::Compiled;
use chainrule_core::eval::{Array, Point, solve_dims};
use chainrule_core::ir::{DimId, Op, Var, VarId, VarKind};
use chainrule_core::{Code, Diagnostic, Dialect, Span};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// Reads a point for a program, or says all that is wrong with it.
pub(crate) fn read(compiled: &Compiled, bytes: &[u8]) -> Result<Point, Vec<Diagnostic>> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| vec![bad_json(&error)])?;
    if let Some(name) = std::str::from_utf8(bytes).ok().and_then(repeated) {
        return Err(vec![
            bad(format!("the point has two values for `{name}`")).help("leave one of them out"),
        ]);
    }
    let Value::Object(map) = value else {
        return Err(vec![
            bad("the point is not a JSON object")
                .help("it is an object with an array for each variable: {\"x\": [1.0, 2.0]}"),
        ]);
    };
    Reader { compiled, map, errors: Vec::new() }.read()
}

/// A key that stands twice in one object of a text, which is JSON.
fn repeated(text: &str) -> Option<String> {
    let mut objects: Vec<HashSet<String>> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}', '"']) {
        let sign = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match sign {
            b'{' => objects.push(HashSet::new()),
            b'}' => drop(objects.pop()),
            _ => {
                let mut escaped = false;
                let end = rest.find(|c: char| {
                    let closes = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    closes
                })?;
                let (word, after) = (&rest[..end], rest[end + 1..].trim_start());
                rest = after;
                if after.starts_with(':') {
                    let key: String = serde_json::from_str(&format!("\"{word}\"")).ok()?;
                    if !objects.last_mut()?.insert(key.clone()) {
                        return Some(key);
                    }
                }
            }
        }
    }
    None
}

fn bad_json(error: &serde_json::Error) -> Diagnostic {
    let text = error.to_string();
    if error.is_eof() && error.line() <= 1 && error.column() == 0 {
        return bad("the point is empty")
            .help("it is an object with an array for each variable: {\"x\": [1.0, 2.0]}");
    }
    if text.contains("recursion limit") {
        return bad("the point is nested too deeply to be read")
            .help("an array has as many brackets as its variable has axes");
    }
    let help =
        "numbers that JSON cannot write are the strings \"NaN\", \"Infinity\" and \"-Infinity\"";
    let diagnostic = bad(format!("the point is not JSON: {text}"));
    if text.starts_with("expected value") || text.starts_with("expected ident") {
        diagnostic.help(help)
    } else {
        diagnostic
    }
}

/// A finding about the point as a whole.
fn bad(message: impl Into<String>) -> Diagnostic {
    Diagnostic { labels: Vec::new(), ..Diagnostic::new(Code::BadPoint, Span::default(), message) }
}

/// The tensors that a point has: the declared ones, and the directions of products.
pub(crate) fn wanted(compiled: &Compiled) -> Vec<VarId> {
    let graph = &compiled.graph;
    let directions: Vec<VarId> = compiled
        .derivatives
        .iter()
        .flat_map(|derivative| &derivative.directions)
        .filter_map(|(_, direction)| match graph.op(*direction) {
            Op::Var(var) => Some(*var),
            _ => None,
        })
        .collect();
    let all = (0..graph.vars.len()).map(|at| VarId(at as u32));
    all.filter(|id| graph.var(*id).kind != VarKind::Direction || directions.contains(id)).collect()
}

struct Reader<'a> {
    compiled: &'a Compiled,
    map: Map<String, Value>,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Point, Vec<Diagnostic>> {
        let wanted = wanted(self.compiled);
        let given = self.given(&wanted);
        self.unknown(&wanted);
        let mut vars = BTreeMap::new();
        for id in wanted {
            let var = self.compiled.graph.var(id);
            match self.map.get(&var.name) {
                None => self.errors.push(self.missing(var)),
                Some(value) => match self.array(var, value) {
                    Ok(array) => {
                        vars.insert(id, array);
                    }
                    Err(error) => self.errors.push(error),
                },
            }
        }
        let dims = self.sizes(&vars, given);
        let point = Point { vars, dims };
        self.indices(&point);
        if self.errors.is_empty() { Ok(point) } else { Err(self.errors) }
    }

    /// The sizes under `dims`, unless a variable is called so.
    fn given(&mut self, wanted: &[VarId]) -> BTreeMap<DimId, usize> {
        let graph = &self.compiled.graph;
        if wanted.iter().any(|id| graph.var(*id).name == "dims") {
            return BTreeMap::new();
        }
        let mut given = BTreeMap::new();
        let sizes = match self.map.remove("dims") {
            None => return given,
            Some(Value::Object(sizes)) => sizes,
            Some(_) => {
                self.errors.push(
                    bad("`dims` is not an object")
                        .help("write the sizes as `\"dims\": {\"N\": 3}`"),
                );
                return given;
            }
        };
        for (name, size) in sizes {
            let found = graph.dims.iter().position(|dim| dim.name == name);
            match (
                found,
                size.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0),
            ) {
                (None, _) => self.errors.push(bad(format!(
                    "`dims` has `{name}`, which is no open size of the program"
                ))),
                (_, None) => self.errors.push(bad(format!(
                    "the size `{name}` must be a whole number of at least 1, not {size}"
                ))),
                (Some(at), Some(size)) => {
                    given.insert(DimId(at as u32), size);
                }
            }
        }
        given
    }

    /// Indices that lie outside of what they pick from.
    fn indices(&mut self, point: &Point) {
        let graph = &self.compiled.graph;
        for (id, limits) in index_limits(graph) {
            let Some(array) = point.vars.get(&id) else { continue };
            for limit in limits {
                let known = limit.names().all(|name| point.dims.contains_key(&name));
                let size = limit.value(&|name| point.dims.get(&name).copied().unwrap_or(0));
                let Some(size) = size.filter(|_| known) else { continue };
                if let Some(outside) = array.data.iter().find(|x| **x < 0.0 || **x >= size as f64) {
                    let var = graph.var(id);
                    let message = format!(
                        "`{}` has the index {outside}, but picks from {size} rows",
                        var.name
                    );
                    let last = size.saturating_sub(1);
                    self.errors
                        .push(self.at(var, message).help(format!("indices are from 0 to {last}")));
                }
            }
        }
    }

    fn unknown(&mut self, wanted: &[VarId]) {
        let names: Vec<&str> =
            wanted.iter().map(|id| self.compiled.graph.var(*id).name.as_str()).collect();
        for key in self.map.keys().filter(|key| !names.contains(&key.as_str())) {
            let finding = bad(format!("the point has `{key}`, which the program does not declare"));
            self.errors.push(match nearest(key, names.iter().copied()) {
                Some(near) if !self.map.contains_key(near) => {
                    finding.help(format!("did you mean `{near}`?"))
                }
                _ if names.is_empty() => finding,
                _ => finding.help(format!("it declares {}", quoted(&names))),
            });
        }
    }

    fn missing(&self, var: &Var) -> Diagnostic {
        let finding = self.at(var, format!("the point has no value for `{}`", var.name));
        match var.shape.is_empty() {
            true => finding.help(format!("add `\"{}\": …`, a number", var.name)),
            false => finding.help(format!(
                "add `\"{}\": …`, an array of shape {}",
                var.name,
                self.shape(var)
            )),
        }
    }

    /// A finding that shows where a variable is declared.
    fn at(&self, var: &Var, message: String) -> Diagnostic {
        let kind = if var.kind == VarKind::Direction {
            "the direction along this".to_string()
        } else {
            format!("declared as {}", self.shape(var))
        };
        Diagnostic::new(Code::BadPoint, var.span, message).here(kind)
    }

    fn shape(&self, var: &Var) -> String {
        self.compiled.graph.show_shape(&var.shape)
    }

    fn array(&self, var: &Var, value: &Value) -> Result<Array, Diagnostic> {
        let array = json::to_array(value)
            .map_err(|why| self.at(var, format!("`{}` is no array: {why}", var.name)))?;
        let array = if self.compiled.program.dialect == Dialect::Matlab {
            two_dimensional(var, array)
        } else {
            array
        };
        let whole = |x: f64| x.fract() == 0.0 && x.abs() <= 9.0e15;
        if let Some(odd) = array.data.iter().find(|x| var.int && !whole(**x)) {
            return Err(self.at(
                var,
                format!("`{}` is declared as integers, but has the entry {odd}", var.name),
            ));
        }
        Ok(array)
    }

    /// The sizes of the dim names; every array that does not fit the others is an error.
    fn sizes(
        &mut self,
        vars: &BTreeMap<VarId, Array>,
        given: BTreeMap<DimId, usize>,
    ) -> BTreeMap<DimId, usize> {
        let mut fitting = vars.clone();
        loop {
            match solve_dims(&self.compiled.graph, &fitting, given.clone()) {
                Ok(dims) => return dims,
                Err(misfit) => {
                    let var = self.compiled.graph.var(misfit.var);
                    self.errors.push(self.at(var, misfit.message));
                    fitting.remove(&misfit.var);
                }
            }
        }
    }
}

/// In the matlab dialect everything is two-dimensional: `[[v]]` is a scalar, and a flat list a column or a row.
fn two_dimensional(var: &Var, array: Array) -> Array {
    let ones = |shape: &[usize]| shape.iter().all(|size| *size == 1);
    let shape = match (var.shape.as_slice(), array.shape.as_slice()) {
        ([], shape) if ones(shape) => Vec::new(),
        ([_], [size, 1] | [1, size]) => vec![*size],
        ([_, columns], [size]) if columns.is_one() => vec![*size, 1],
        ([rows, _], [size]) if rows.is_one() => vec![1, *size],
        _ => return array,
    };
    Array { shape, data: array.data }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
