//! A formula that is printed is a formula that is tested: closed forms and lines of derivations, read back and evaluated.

use super::blur::{plain_parts, tremble, waver};
use super::{agree, bent};
use crate::compile::{Compiled, Derivative};
use crate::derivation::{Binding, Told};
use crate::diff;
use crate::eval::{Array, Evaluator, Point, eval};
use crate::ir::{DimId, Graph, NodeId, Op, VarId};
use crate::simplify::{Stage, settle};
use crate::{lower, raise};
use chainrule_grammar::ast::{Expr, Ident, Program, Stmt, StmtKind};
use chainrule_grammar::{Dialect, Source, Span, parse_expr};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest relative error between lines, of which some are evaluated by finite differences.
const TOLERANCE: f64 = 1e-6;
/// Beside a number of this size the last digit is worth 1e-10, and a difference over a thousandth has an error of a tenth of
/// [`TOLERANCE`].
const BLURS: f64 = 1e6;
/// Lines with derivatives by variables of more entries than this are not evaluated: each entry is a finite difference.
const MAX_ENTRIES: usize = 400;

/// What was found of printed formulas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToldReport {
    /// How many closed forms were evaluated.
    pub formulas: usize,
    /// How many lines of derivations were evaluated.
    pub lines: usize,
    /// How many lines were left out, as their variables are too large.
    pub skipped: usize,
    /// How many lines were judged by the rule book, as differences, or the line as it is spelt, are too uncertain.
    pub by_rules: usize,
    /// What does not hold: a sentence each.
    pub problems: Vec<String>,
}

impl ToldReport {
    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: ToldReport) {
        self.formulas += other.formulas;
        self.lines += other.lines;
        self.skipped += other.skipped;
        self.by_rules += other.by_rules;
        self.problems.extend(other.problems);
    }
}

/// Evaluates what was told of a program at a point. Closed forms must have the derivatives' values; a line that is about a
/// `where` part must have that part's value, any other that of the derivative or of the line before it.
pub fn check_told(compiled: &Compiled, told: &[Told], point: &Point) -> ToldReport {
    let mut report = ToldReport::default();
    for (one, derivative) in told.iter().zip(&compiled.derivatives) {
        let reader = Reader { compiled, told: one, derivative, point };
        if let Err(why) = reader.check(&mut report) {
            report.problems.push(format!("d{}/d{}: {why}", one.of, one.wrt));
        }
    }
    report
}

/// One derivation that is read back.
struct Reader<'a> {
    compiled: &'a Compiled,
    told: &'a Told,
    derivative: &'a Derivative,
    point: &'a Point,
}

/// Names that no program has, for formulas that have none.
const CLOSED: &str = "closed form";

fn line_name(at: usize) -> String {
    format!("line {}", at + 1)
}

impl Reader<'_> {
    fn check(&self, report: &mut ToldReport) -> Result<(), String> {
        let truth = eval(&self.compiled.graph, self.point, &[self.derivative.node])?.remove(0);
        let mut formulas = vec![(CLOSED.to_string(), self.told.text.as_str())];
        let large =
            eval(&self.compiled.graph, self.point, &[self.derivative.wrt.node])?[0].data.len()
                > MAX_ENTRIES;
        if large {
            report.skipped += self.told.steps.len();
        } else {
            formulas.extend(
                self.told
                    .steps
                    .iter()
                    .enumerate()
                    .map(|(at, step)| (line_name(at), step.text.as_str())),
            );
        }
        let forward: Vec<(String, &Binding)> =
            self.told.forward.iter().map(|one| (format!("forward {}", one.name), one)).collect();
        for (name, one) in &forward {
            formulas.push((name.clone(), one.text.as_str()));
            formulas.push((format!("value of {}", one.name), one.name.as_str()));
        }
        let mut problems = Vec::new();
        let values = self.values(&formulas, &mut problems);
        let say = |what: &str, text: &str, why: &str| {
            format!("d{}/d{}, {what}: `{text}` {why}", self.told.of, self.told.wrt)
        };
        report.problems.extend(
            problems
                .iter()
                .map(|(what, text, why)| say(what, text, &format!("is not evaluated: {why}"))),
        );
        report.formulas += 1;
        if let Some(value) = values.get(CLOSED)
            && !agree(value, &truth, TOLERANCE)
        {
            report.problems.push(say(CLOSED, &self.told.text, &differs(value, &truth)));
        }
        for (name, one) in &forward {
            let Some(value) = values.get(name) else { continue };
            report.lines += 1;
            if let Some(wanted) = values.get(&format!("value of {}", one.name))
                && !agree(value, wanted, TOLERANCE)
            {
                report.problems.push(say(name, &one.text, &differs(value, wanted)));
            }
        }
        let mut before: BTreeMap<&str, (&str, &Array)> = BTreeMap::new();
        for (at, step) in self.told.steps.iter().enumerate() {
            report.lines += usize::from(!large);
            let Some(value) = values.get(&line_name(at)) else { continue };
            let about = step.about.as_str();
            let own = if about.is_empty() { Some(&truth) } else { values.get(about) };
            let above = before.get(about).copied();
            let wanted = own.or(above.map(|(_, value)| value)).unwrap_or(value);
            // Lines before the last may leave the range of numbers where the closed form, in its stable spelling, does not.
            let last = at + 1 == self.told.steps.len();
            let held = if last { value.clone() } else { where_finite(value, wanted) };
            let agrees = |text: &str, with: &Array| {
                let values = self.by_rules(text).unwrap_or_default();
                values.iter().any(|value| agree(value, with, TOLERANCE))
            };
            // A line that only follows another one may be right where that one was evaluated by differences.
            let by_differences = agree(&held, wanted, TOLERANCE);
            let as_wanted = by_differences || agrees(&step.text, wanted);
            let holds =
                as_wanted || own.is_none() && above.is_some_and(|(text, _)| agrees(text, &held));
            report.by_rules += usize::from(holds && !by_differences);
            if !holds {
                report.problems.push(say(&line_name(at), &step.text, &differs(value, wanted)));
            }
            // What is right by convention is not handed on as differences have it.
            before.insert(about, (&step.text, if as_wanted { wanted } else { value }));
        }
        Ok(())
    }

    /// The statements of the `where` parts, and those that cannot be read.
    fn parts(&self) -> (Vec<Stmt>, Vec<(String, String, String)>) {
        let mut problems = Vec::new();
        let mut parts: Vec<Stmt> = Vec::new();
        // The layers of the forward pass that the program has no name for, and what only some derivations mention.
        let layers = self.told.forward.iter().filter(|one| {
            !self.compiled.lowered.scope.contains_key(&one.name)
                && self.told.wheres.iter().all(|known| known.name != one.name)
        });
        for binding in layers.chain(self.told.wheres.iter().map(Arc::as_ref)) {
            match part(binding) {
                Ok(stmt) => parts.push(stmt),
                Err(why) => problems.push((binding.name.clone(), binding.text.clone(), why)),
            }
        }
        (parts, problems)
    }

    /// The value of a line that cannot be judged as it is written, with its derivatives carried out by the rule book. Differences do not
    /// know the conventions at a kink, such as the 0 of a `relu`, beside a mask of -1e9 they have no digits left, and beside a pole they
    /// land behind it. Where the line itself has lost digits, its value in stable spelling is given too. None where it can be judged.
    fn by_rules(&self, text: &str) -> Option<Vec<Array>> {
        let mut program = self.definitions();
        program.stmts.extend(self.parts().0);
        program.stmts.push(definition("line", text).ok()?);
        let mut graph = Graph::default();
        let (lowered, _) = lower::lower(&program, &mut graph);
        let line = *lowered.scope.get("line")?;
        let point = self.moved(&graph);
        let mut spelt = diff::expand(&mut graph, &[line]).ok()?;
        let mut parts = plain_parts(&graph, line);
        parts.push(spelt[0]);
        if tremble(&graph, &point, &parts, TOLERANCE / 10.0).ok()? {
            spelt.extend(settle(&mut graph, &[spelt[0]], Stage::Derivative));
        } else if !waver(&graph, &point, line, TOLERANCE / 10.0).ok()?
            && !beyond_differences(&graph, &point, line)?
        {
            return None;
        }
        eval(&graph, &point, &spelt).ok()
    }

    /// The values of formulas and of the `where` parts; what cannot be read or evaluated is a problem of its own.
    fn values(
        &self,
        formulas: &[(String, &str)],
        problems: &mut Vec<(String, String, String)>,
    ) -> BTreeMap<String, Array> {
        let (parts, unread) = self.parts();
        problems.extend(unread);
        let mut stmts: Vec<(usize, Stmt)> = Vec::new();
        for (at, (name, text)) in formulas.iter().enumerate() {
            match definition(name, text) {
                Ok(stmt) => stmts.push((at, stmt)),
                Err(why) => problems.push((name.clone(), (*text).to_string(), why)),
            }
        }
        let values = self.told.wheres.iter().filter(|binding| !binding.name.starts_with("fn "));
        let wheres: Vec<&str> = values.map(|binding| binding.name.as_str()).collect();
        let all: Vec<Stmt> =
            parts.iter().cloned().chain(stmts.iter().map(|(_, stmt)| stmt.clone())).collect();
        let names: Vec<&str> = wheres
            .iter()
            .copied()
            .chain(stmts.iter().map(|(at, _)| formulas[*at].0.as_str()))
            .collect();
        if let Ok(values) = self.evaluate(&all, &names) {
            return values;
        }
        // One of them is wrong: each by itself.
        let mut values = BTreeMap::new();
        for (at, stmt) in stmts {
            let (name, text) = &formulas[at];
            let alone: Vec<Stmt> = parts.iter().cloned().chain([stmt]).collect();
            match self.evaluate(&alone, &[name]) {
                Ok(found) => values.extend(found),
                Err(why) => problems.push((name.clone(), (*text).to_string(), why)),
            }
        }
        values
    }

    /// Lowers the program's declarations and definitions with further ones below them, and evaluates some by name.
    fn evaluate(
        &self,
        further: &[Stmt],
        names: &[&str],
    ) -> Result<BTreeMap<String, Array>, String> {
        let mut program = self.definitions();
        program.stmts.extend_from_slice(further);
        let mut graph = Graph::default();
        let (lowered, diagnostics) = lower::lower(&program, &mut graph);
        if let Some(error) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            return Err(error.message.clone());
        }
        let mut roots: Vec<NodeId> = Vec::new();
        for name in names {
            roots.push(*lowered.scope.get(*name).ok_or_else(|| format!("`{name}` is nowhere"))?);
        }
        let roots = inner_by_rules(&mut graph, &roots);
        let arrays = eval(&graph, &self.moved(&graph), &roots)?;
        Ok(names.iter().map(|name| (*name).to_string()).zip(arrays).collect())
    }

    /// What formulas are written with: the program's declarations and definitions.
    fn definitions(&self) -> Program {
        // What is printed is in the ordinary language, whatever the program was written in.
        if self.compiled.program.dialect == Dialect::Matlab {
            let mut program = raise::program(&self.compiled.graph, &self.compiled.lowered);
            program.stmts.extend(self.directions());
            return program;
        }
        let mut program = Program::default();
        for stmt in &self.compiled.program.stmts {
            let kind = match &stmt.kind {
                StmtKind::Loss { name, value } => {
                    StmtKind::Def { name: name.clone(), indices: Vec::new(), value: value.clone() }
                }
                StmtKind::Output { name, indices, value: Some(value) } => StmtKind::Def {
                    name: name.clone(),
                    indices: indices.clone(),
                    value: value.clone(),
                },
                StmtKind::Expr(value) if self.is_bare(value) => {
                    StmtKind::Def { name: ident("f"), indices: Vec::new(), value: value.clone() }
                }
                StmtKind::Output { .. } | StmtKind::Request { .. } | StmtKind::Expr(_) => continue,
                other => other.clone(),
            };
            program.stmts.push(Stmt { kind, ..stmt.clone() });
        }
        program.stmts.extend(self.directions());
        program
    }

    /// Whether this unnamed expression is the one that is called `f`.
    fn is_bare(&self, value: &Expr) -> bool {
        let results = self.compiled.lowered.losses.iter().chain(&self.compiled.lowered.outputs);
        results.into_iter().any(|named| {
            named.name == "f" && (named.span.start..=named.span.end).contains(&value.span.start)
        })
    }

    /// The directions of a product are declared as well.
    fn directions(&self) -> Vec<Stmt> {
        let texts: Vec<&str> =
            self.told.directions.iter().map(|direction| direction.text.as_str()).collect();
        chainrule_grammar::parse(&Source::new("", texts.join("\n"))).0.stmts
    }

    /// The point for another graph of the same declarations.
    fn moved(&self, graph: &Graph) -> Point {
        let old = &self.compiled.graph;
        let mut point = Point::default();
        for (at, var) in graph.vars.iter().enumerate() {
            let same = old.vars.iter().position(|other| other.name == var.name);
            if let Some(array) = same.and_then(|same| self.point.vars.get(&VarId(same as u32))) {
                point.vars.insert(VarId(at as u32), array.clone());
            }
        }
        for (at, dim) in graph.dims.iter().enumerate() {
            let same = old.dims.iter().position(|other| other.name == dim.name);
            if let Some(size) = same.and_then(|same| self.point.dims.get(&DimId(same as u32))) {
                point.dims.insert(DimId(at as u32), *size);
            }
        }
        point
    }
}

/// The roots with the derivatives inside of derivatives carried out: differences of differences are as many as their orders multiplied,
/// and have few digits left. What stands inside is carried out by the rules, of which each is held to differences by tests.
fn inner_by_rules(graph: &mut Graph, roots: &[NodeId]) -> Vec<NodeId> {
    let mut done: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for node in graph.reachable(roots) {
        let args: Vec<NodeId> = graph.args(node).iter().map(|arg| done[arg]).collect();
        let new = match (graph.op(node), args.as_slice()) {
            // What is not declared may be gone from what an inner derivative becomes.
            (Op::Deriv, &[f, x]) if matches!(graph.op(x), Op::Var(_)) => {
                let f = diff::expand(graph, &[f]).map_or(f, |expanded| expanded[0]);
                graph.deriv(f, x)
            }
            _ => graph.with_args(node, args),
        };
        done.insert(node, new);
    }
    roots.iter().map(|root| done[root]).collect()
}

/// Whether a derivative in a line cannot be judged by differences; none where that cannot be said.
fn beyond_differences(graph: &Graph, point: &Point, line: NodeId) -> Option<bool> {
    let mut values = Evaluator::new(graph, point);
    let nodes = graph.reachable(&[line]);
    values.run(&nodes).ok()?;
    let mut derivs = nodes.iter().filter(|node| matches!(graph.op(**node), Op::Deriv));
    let judged = |node: NodeId| {
        let (of, by) = (graph.args(node)[0], graph.args(node)[1]);
        Ok::<bool, String>(!blurred(&values, of, by)? && !bends(&values, of, by)?)
    };
    Some(derivs.any(|node| !judged(*node).unwrap_or(true)))
}

/// Whether something between two quantities is so large that what is added to it has lost the digits that differences need.
fn blurred(values: &Evaluator<'_>, of: NodeId, by: NodeId) -> Result<bool, String> {
    let between = values.moving(of, by)?.order;
    let large = |node: &NodeId| {
        let value = values.value(*node);
        value.is_ok_and(|value| {
            value.data.iter().any(|entry| entry.is_finite() && entry.abs() > BLURS)
        })
    };
    Ok(between.iter().any(large))
}

/// Whether a quantity has a kink where it is, as one entry of another moves.
fn bends(values: &Evaluator<'_>, of: NodeId, by: NodeId) -> Result<bool, String> {
    let entries = values.value(of)?.data.len();
    let columns = values.value(by)?.data.len();
    let largest = values.value(of)?.data.iter().fold(1.0, |most: f64, value| most.max(value.abs()));
    let mut moves = vec![(values.moving(of, by)?, vec![0.0; columns])];
    for column in 0..columns {
        moves[0].1.fill(0.0);
        moves[0].1[column] = 1.0;
        if !bent(&mut moves, entries, 1e-3 * largest)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::default())
}

fn statement(kind: StmtKind) -> Stmt {
    Stmt { kind, doc: Vec::new(), comments: Vec::new(), after: None, span: Span::default() }
}

/// `name = text;`
fn definition(name: &str, text: &str) -> Result<Stmt, String> {
    let value = parse_expr(text).map_err(|diagnostic| diagnostic.message)?;
    Ok(statement(StmtKind::Def { name: ident(name), indices: Vec::new(), value }))
}

/// A `where` part: a definition, or a function (`fn backstep(h) = …`).
fn part(binding: &Binding) -> Result<Stmt, String> {
    let text = format!("{} = {};", binding.name, binding.text);
    let (program, diagnostics) = chainrule_grammar::parse(&Source::new("", text));
    match (diagnostics.into_iter().next(), program.stmts.into_iter().next()) {
        (None, Some(stmt)) => Ok(stmt),
        (Some(diagnostic), _) => Err(diagnostic.message),
        (None, None) => Err("it says nothing".to_string()),
    }
}

/// A value whose entries that are no numbers, where those wanted are, are those wanted.
fn where_finite(value: &Array, wanted: &Array) -> Array {
    let mut held = value.clone();
    if held.shape == wanted.shape {
        for (entry, &other) in held.data.iter_mut().zip(&wanted.data) {
            if !entry.is_finite() && other.is_finite() {
                *entry = other;
            }
        }
    }
    held
}

/// How two values differ, in a few words.
fn differs(found: &Array, wanted: &Array) -> String {
    if found.shape != wanted.shape {
        return format!("has shape {:?}, not {:?}", found.shape, wanted.shape);
    }
    let undefined = |(a, b): (&f64, &f64)| a.is_nan() != b.is_nan();
    if found.data.iter().zip(&wanted.data).any(undefined) {
        return "is a number where the other is none, or the reverse".to_string();
    }
    let apart = |(a, b): (&f64, &f64)| (a - b).abs();
    let most = found.data.iter().zip(&wanted.data).map(apart).fold(0.0, f64::max);
    format!("differs by {most:.1e}")
}
