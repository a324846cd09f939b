//! The judge of derivatives: random points that satisfy the declared facts, derivatives against finite differences there, and
//! printed formulas and lines against each other.
//!
//! In: a compiled program. Out: a report. Pure: the same seed gives the same report. It uses the reference evaluator only.

mod blur;
mod curve;
pub mod facts;
mod point;
pub mod sizes;
mod told;

use blur::Spread;
pub use curve::{Curve, Sample, curve};
pub use point::{point_of_sizes, random_point};
pub use sizes::index_limits;
pub use told::{ToldReport, check_told};

use crate::compile::{Compiled, Derivative, together};
use crate::diff;
use crate::eval::differences::Moving;
use crate::eval::{Array, Evaluator, MAX_ENTRIES, Point};
use crate::ir::graph::Fact;
use crate::ir::{Graph, NodeId, Op};
use crate::ops::probe::Random;
use chainrule_grammar::ast::RequestKind;
use chainrule_grammar::{Code, Diagnostic};
use std::borrow::Cow;
use std::cell::OnceCell;

/// How many multiplications a check of one derivative at one point may take.
const WORK: u64 = 1 << 29;
/// At how many entries of a variable a derivative is checked, at most; more are sampled.
const ENTRIES: usize = 64;

/// What a gradient check found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// One for each derivative, in the order of the program.
    pub rows: Vec<Row>,
    /// Why nothing could be checked.
    pub problem: Option<String>,
}

/// What was found of one derivative.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which kind.
    pub kind: RequestKind,
    /// Of what.
    pub of: String,
    /// By what.
    pub wrt: String,
    /// The variable's shape, as declared.
    pub shape: String,
    /// The entry that agrees least; none where nothing was compared.
    pub worst: Option<Worst>,
    /// Why it could not be evaluated.
    pub problem: Option<String>,
    /// How many directions met a kink on the first step and were settled by a shorter one.
    pub kinks: usize,
    /// How many directions have a kink at the point itself, where the derivative is a convention and was not judged.
    pub conventions: usize,
    /// How many directions were judged by the stable spelling, as the differences of the program as written have lost their digits.
    pub respelt: usize,
    /// How many directions were compared.
    pub compared: usize,
    /// Whether every entry agrees.
    pub holds: bool,
}

/// The entry that agrees least.
#[derive(Clone, Debug, PartialEq)]
pub struct Worst {
    /// Relative to the largest entry.
    pub error: f64,
    /// Its position.
    pub at: Vec<usize>,
    /// The number of the point.
    pub point: usize,
    /// The closed form's value.
    pub closed: f64,
    /// The finite difference.
    pub difference: f64,
}

impl Report {
    /// Whether every derivative holds.
    pub fn holds(&self) -> bool {
        self.problem.is_none() && self.rows.iter().all(|row| row.holds)
    }
}

/// Compares every derivative with central differences at some random points.
pub fn check(compiled: &Compiled, seed: u64, points: usize, tol: f64) -> Report {
    check_telling(compiled, seed, points, tol, &mut |_, _| {})
}

/// As [`check`], and tells before each comparison how many are done, and of how many.
pub fn check_telling(
    compiled: &Compiled,
    seed: u64,
    points: usize,
    tol: f64,
    tell: &mut dyn FnMut(usize, usize),
) -> Report {
    let all = points.saturating_mul(compiled.derivatives.len());
    let mut report = Report {
        rows: compiled.derivatives.iter().map(|one| row(compiled, one)).collect(),
        problem: None,
    };
    for number in 0..points {
        let point = match random_point(compiled, mixed(seed, number)) {
            Ok(point) => point,
            Err(why) => {
                for row in report.rows.iter_mut().filter(|row| row.compared == 0) {
                    row.problem = Some("no point to check at".to_string());
                    row.holds = false;
                }
                return Report { problem: Some(why), ..report };
            }
        };
        let mut values = Evaluator::new(&compiled.graph, &point);
        let rows = compiled.derivatives.iter().zip(&mut report.rows);
        for (at, (derivative, row)) in rows.enumerate() {
            tell(number * compiled.derivatives.len() + at, all);
            let mut judge = Judge {
                compiled,
                point: &point,
                number,
                tol,
                random: Random(mixed(seed, number) ^ 1),
            };
            if let Err(why) = judge.compare(derivative, row, &mut values) {
                row.problem = Some(why);
                row.holds = false;
            }
        }
    }
    report
}

/// About how many multiplications a check at one point takes: for callers that must answer soon.
///
/// # Errors
/// Where there is no such point.
pub fn work(compiled: &Compiled, seed: u64) -> Result<u64, String> {
    let point = random_point(compiled, mixed(seed, 0))?;
    let graph = &compiled.graph;
    let one = |derivative: &Derivative| {
        let shape = graph.shape(derivative.wrt.node);
        let size = |dim: &crate::ir::Dim| {
            dim.value(&|id| point.dims.get(&id).copied().unwrap_or(0)).unwrap_or(1)
        };
        let entries = shape.iter().map(size).fold(1, usize::saturating_mul).min(ENTRIES) as u64;
        let of = cost(graph, &point, &graph.reachable(&[derivative.of.node]));
        let closed = cost(graph, &point, &graph.reachable(&[derivative.node]));
        closed.saturating_add(of.saturating_mul(17 * entries))
    };
    Ok(compiled.derivatives.iter().map(one).fold(0, u64::saturating_add))
}

/// A derivative with more entries than can be checked, said at the place where it is asked for.
pub fn too_large(compiled: &Compiled, seed: u64) -> Option<Diagnostic> {
    let point = random_point(compiled, mixed(seed, 0)).ok()?;
    let graph = &compiled.graph;
    let entries = |derivative: &&Derivative| {
        let size = |dim: &crate::ir::Dim| {
            dim.value(&|id| point.dims.get(&id).copied().unwrap_or(0)).unwrap_or(1)
        };
        graph.shape(derivative.node).iter().map(size).fold(1, usize::saturating_mul)
    };
    let large = compiled.derivatives.iter().find(|one| entries(one) > MAX_ENTRIES)?;
    let (of, by) = (&large.of.name, &large.wrt.name);
    let shape = graph.show_shape(graph.shape(large.node));
    let said = Diagnostic::new(
        Code::TooLarge,
        large.of.span,
        format!("the derivative of `{of}` by `{by}` has shape {shape}, too many entries to check"),
    );
    Some(match large.kind {
        RequestKind::Hessian => {
            said.help(format!("ask for its product with a direction: `hvp {of} wrt {by};`"))
        }
        _ => said.help("declare smaller sizes, or leave them open: `dim N;`"),
    })
}

/// The seed of a point.
fn mixed(seed: u64, number: usize) -> u64 {
    Random(seed.wrapping_mul(0x9e37_79b9).wrapping_add(number as u64)).bits()
}

fn row(compiled: &Compiled, derivative: &Derivative) -> Row {
    let graph = &compiled.graph;
    Row {
        kind: derivative.kind,
        of: derivative.of.name.clone(),
        wrt: derivative.wrt.name.clone(),
        shape: graph.show_shape(graph.shape(derivative.wrt.node)),
        worst: None,
        problem: None,
        kinks: 0,
        conventions: 0,
        respelt: 0,
        compared: 0,
        holds: true,
    }
}

/// A way in which a variable is moved, and what the closed form says of it: a combination of entries.
type Probe = Vec<(usize, f64)>;

/// What is moved and how, while a derivative is judged at a point.
struct Judging<'j> {
    judged: &'j Differentiated<'j>,
    /// Each with the direction in which it moves now.
    moves: Vec<(Moving<'j>, Vec<f64>)>,
    /// The same in stable spelling, made where it is asked for.
    respelt: OnceCell<Option<Differentiated<'static>>>,
    /// Below this, errors are not relative.
    floor: f64,
}

/// What differences say of a direction.
struct Nearest {
    /// The least error of the entry that agrees least, with its position and difference.
    error: f64,
    entry: usize,
    difference: f64,
    /// The number of the attempt.
    attempt: usize,
    /// The differences of the last attempt.
    last: Vec<f64>,
}

/// One derivative at one point.
struct Judge<'a> {
    compiled: &'a Compiled,
    point: &'a Point,
    number: usize,
    tol: f64,
    random: Random,
}

impl Judge<'_> {
    /// Compares a derivative with differences of the result, whose values stand once for all derivatives at this point.
    fn compare(
        &mut self,
        derivative: &Derivative,
        row: &mut Row,
        values: &mut Evaluator<'_>,
    ) -> Result<(), String> {
        let by = derivative.wrt.node;
        values.run(&self.compiled.graph.reachable(&[derivative.of.node, by]))?;
        let closed = {
            let mut whole = values.clone();
            whole.run(&self.compiled.graph.reachable(&[derivative.node]))?;
            whole.value(derivative.node)?
        };
        let judged = differentiated(&self.compiled.graph, derivative)?;
        let graph = &judged.graph;
        let mut evaluator = Evaluator::new(graph, self.point);
        evaluator.values = values.values.clone();
        let order = judged.order();
        evaluator.run(&order)?;
        let result = evaluator.value(judged.of)?;
        let magnitude = result.data.iter().fold(1.0, |most: f64, value| most.max(value.abs()));
        let mut judging = Judging {
            judged: &judged,
            moves: judged.moving(&evaluator)?,
            respelt: OnceCell::new(),
            floor: 1e-3 * magnitude,
        };
        if !derivative.directions.is_empty() {
            let at = |entry| position(&closed.shape, entry);
            return self.settle(&mut judging, &closed.data, row, &at);
        }
        let by = judged.moves[0].0;
        let size = evaluator.value(by)?.data.len();
        for probe in self.probes(graph, by, size, cost(graph, self.point, &order)) {
            let mut along = vec![0.0; size];
            probe.iter().for_each(|(entry, weight)| along[*entry] = *weight);
            judging.moves[0].1 = along;
            let said: Vec<f64> = closed
                .data
                .chunks(size)
                .map(|part| probe.iter().map(|(entry, weight)| weight * part[*entry]).sum())
                .collect();
            let at = |result: usize| position(&closed.shape, result * size + probe[0].0);
            self.settle(&mut judging, &said, row, &at)?;
        }
        Ok(())
    }

    /// Compares what the closed form says of directions with the differences along them, added up.
    fn settle(
        &self,
        judging: &mut Judging<'_>,
        said: &[f64],
        row: &mut Row,
        at: &dyn Fn(usize) -> Vec<usize>,
    ) -> Result<(), String> {
        let floor = judging.floor;
        row.compared += 1;
        let Some(mut found) = self.nearest(&mut judging.moves, said, floor)? else { return Ok(()) };
        if found.error > self.tol {
            // Where the point is at a kink itself, the derivative is a convention, which no difference can judge: the others are.
            for entry in bent(&mut judging.moves, said.len(), floor)? {
                found.last[entry] = said[entry];
            }
            if worst(said, &found.last, floor).is_none_or(|(_, error)| error <= self.tol) {
                row.conventions += 1;
                return Ok(());
            }
            if let Some(other) = self.by_stable_spelling(judging, said)? {
                row.respelt += 1;
                found = other;
            }
        }
        row.kinks += usize::from(found.error <= self.tol && found.attempt > 0);
        row.holds &= found.error <= self.tol;
        if row.worst.as_ref().is_none_or(|before| found.error > before.error) {
            let Nearest { error, entry, difference, .. } = found;
            let (point, closed) = (self.number, said[entry]);
            row.worst = Some(Worst { error, at: at(entry), point, closed, difference });
        }
        Ok(())
    }

    /// Differences along a direction, and what they agree least with. A difference that meets a kink on its way is wrong itself, so
    /// shorter steps are tried before anything is said.
    fn nearest(
        &self,
        moves: &mut [(Moving<'_>, Vec<f64>)],
        said: &[f64],
        floor: f64,
    ) -> Result<Option<Nearest>, String> {
        let mut found: Option<Nearest> = None;
        for (attempt, step) in [0.03, 1e-3, 1e-5].into_iter().enumerate() {
            let mut last = vec![0.0; said.len()];
            for (moving, along) in moves.iter_mut() {
                let part = moving.along(along, step)?;
                last.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            let Some((entry, error)) = worst(said, &last, floor) else { break };
            match &mut found {
                Some(before) if before.error <= error => before.last = last,
                _ => {
                    let difference = last[entry];
                    found = Some(Nearest { error, entry, difference, attempt, last });
                }
            }
            if error <= self.tol {
                break;
            }
        }
        Ok(found)
    }

    /// Where the differences of the program as written are too uncertain to say that the closed form is wrong: the differences of the
    /// spelling that is compiled, which have to agree with it as closely.
    fn by_stable_spelling(
        &self,
        judging: &mut Judging<'_>,
        said: &[f64],
    ) -> Result<Option<Nearest>, String> {
        let spread = Spread::of(&mut judging.moves, said.len())?;
        let finite = said.iter().filter(|value| value.is_finite());
        let largest = finite.fold(judging.floor, |most, value| most.max(value.abs()));
        let possible =
            |(entry, value): (usize, &f64)| spread.allows(entry, *value, self.tol * largest);
        if !said.iter().enumerate().all(possible) {
            return Ok(None);
        }
        if judging.respelt.get().is_none() {
            let _ = judging.respelt.set(blur::respelt(judging.judged, self.point)?);
        }
        let Some(Some(respelt)) = judging.respelt.get() else { return Ok(None) };
        let mut evaluator = Evaluator::new(&respelt.graph, self.point);
        evaluator.run(&respelt.order())?;
        let mut moves = respelt.moving(&evaluator)?;
        for ((_, along), (_, known)) in moves.iter_mut().zip(&judging.moves) {
            along.clone_from(known);
        }
        self.nearest(&mut moves, said, judging.floor)
    }

    /// The directions to move a variable in, each within what its declared facts allow.
    fn probes(&mut self, graph: &Graph, by: NodeId, size: usize, cost: u64) -> Vec<Probe> {
        let affordable = usize::try_from(WORK / cost.max(1).saturating_mul(17))
            .unwrap_or(ENTRIES)
            .clamp(4, ENTRIES);
        let entries: Vec<usize> = if size <= affordable {
            (0..size).collect()
        } else {
            (0..affordable).map(|_| self.random.below(size)).collect()
        };
        let facts = match graph.op(by) {
            Op::Var(var) => graph.var(*var).facts.as_slice(),
            _ => &[],
        };
        let last = graph
            .shape(by)
            .last()
            .and_then(|dim| dim.value(&|id| self.point.dims.get(&id).copied().unwrap_or(0)));
        let columns = last.unwrap_or(1).max(1);
        entries.into_iter().filter_map(|entry| allowed(facts, entry, columns)).collect()
    }
}

/// A movement of one entry, with what the facts ask of others; none where the entry cannot move.
fn allowed(facts: &[Fact], entry: usize, columns: usize) -> Option<Probe> {
    let (i, j) = (entry / columns, entry % columns);
    let has = |fact: Fact| facts.contains(&fact);
    if (has(Fact::Diagonal) && i != j) || (has(Fact::Triangular) && j > i) {
        return None;
    }
    if (has(Fact::Symmetric) || has(Fact::Spd)) && i != j {
        return Some(vec![(entry, 1.0), (j * columns + i, 1.0)]);
    }
    Some(vec![(entry, 1.0)])
}

/// The entries of a result that have a kink where they are: another slope ahead than behind, by which steps ever so short.
fn bent(
    moves: &mut [(Moving<'_>, Vec<f64>)],
    size: usize,
    floor: f64,
) -> Result<Vec<usize>, String> {
    let mut jumps = Vec::new();
    let mut largest = floor;
    for step in [1e-6, 1e-7] {
        let mut jump = vec![0.0; size];
        for (moving, along) in moves.iter_mut() {
            let (ahead, behind) = moving.sides(along, step)?;
            largest =
                ahead.iter().chain(&behind).fold(largest, |most, slope| most.max(slope.abs()));
            let slopes = ahead.iter().zip(&behind);
            jump.iter_mut().zip(slopes).for_each(|(sum, (ahead, behind))| *sum += ahead - behind);
        }
        jumps.push(jump);
    }
    // Curvature would show ten times less at the shorter step, rounding ten times more.
    let stays = |entry: &usize| {
        let (long, short) = (jumps[0][*entry], jumps[1][*entry]);
        short.abs() > 1e-4 * largest && (long - short).abs() < 0.5 * short.abs()
    };
    Ok((0..size).filter(stays).collect())
}

/// What finite differences are taken of.
struct Differentiated<'g> {
    graph: Cow<'g, Graph>,
    of: NodeId,
    /// What is moved, each along its direction if it has one.
    moves: Vec<(NodeId, Option<NodeId>)>,
}

impl Differentiated<'_> {
    /// The nodes to evaluate, in order.
    fn order(&self) -> Vec<NodeId> {
        let moves = self.moves.iter().flat_map(|(by, along)| [Some(*by), *along]);
        let roots: Vec<NodeId> = std::iter::once(Some(self.of)).chain(moves).flatten().collect();
        self.graph.reachable(&roots)
    }

    /// How the result moves with each, and in which direction; where there is none yet, it is empty.
    fn moving<'e>(&self, values: &'e Evaluator<'_>) -> Result<Vec<(Moving<'e>, Vec<f64>)>, String> {
        let mut moves = Vec::new();
        for (by, along) in &self.moves {
            let along = along.map(|along| values.value(along)).transpose()?;
            let along = along.map(|along| along.data.clone()).unwrap_or_default();
            moves.push((values.moving(self.of, *by)?, along));
        }
        Ok(moves)
    }
}

/// The result as written, or its gradient for second derivatives. A derivative by a definition is that of the normal form, in which
/// equal parts are the definition too.
fn differentiated<'g>(
    graph: &'g Graph,
    derivative: &Derivative,
) -> Result<Differentiated<'g>, String> {
    let moved = derivative.directions.iter().map(|(by, along)| (*by, Some(*along)));
    let mut moves: Vec<(NodeId, Option<NodeId>)> = moved.collect();
    if moves.is_empty() {
        moves.push((derivative.wrt.node, None));
    }
    let mut wrt: Vec<NodeId> = moves.iter().map(|(by, _)| *by).collect();
    wrt.push(derivative.wrt.node);
    let second = matches!(derivative.kind, RequestKind::Hessian | RequestKind::Hvp);
    let declared = |by: &NodeId| matches!(graph.op(*by), Op::Var(_));
    if !second && wrt.iter().all(declared) {
        return Ok(Differentiated { graph: Cow::Borrowed(graph), of: derivative.of.node, moves });
    }
    let mut graph = graph.clone();
    let (mut of, wrt) = together(&mut graph, derivative.of.node, &wrt);
    moves.iter_mut().zip(&wrt).for_each(|((by, _), normal)| *by = *normal);
    if let Some(by) = wrt.last().filter(|_| second) {
        let gradient =
            diff::gradient(&mut graph, of, &[*by]).map_err(|diagnostic| diagnostic.message)?;
        let shape = graph.shape(*by).clone();
        of = gradient.into_iter().next().flatten().unwrap_or_else(|| graph.zeros(&shape));
    }
    Ok(Differentiated { graph: Cow::Owned(graph), of, moves })
}

/// The entry with the largest relative error. Both infinite in the same way, or both NaN, agree.
fn worst(said: &[f64], differences: &[f64], floor: f64) -> Option<(usize, f64)> {
    let largest = said
        .iter()
        .chain(differences)
        .filter(|value| value.is_finite())
        .fold(floor, |most, value| most.max(value.abs()));
    let error = |a: f64, b: f64| match (a - b).abs() {
        _ if a == b || (a.is_nan() && b.is_nan()) => 0.0,
        distance if distance.is_nan() => f64::INFINITY,
        distance => distance / largest,
    };
    let errors = said.iter().zip(differences).map(|(a, b)| error(*a, *b)).enumerate();
    errors.fold(None, |most: Option<(usize, f64)>, one| match most {
        Some(most) if most.1 >= one.1 => Some(most),
        _ => Some(one),
    })
}

/// The position of an entry of a row-major array.
fn position(shape: &[usize], mut entry: usize) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    for (axis, size) in shape.iter().enumerate().rev() {
        at[axis] = entry % size.max(&1);
        entry /= size.max(&1);
    }
    at
}

/// About how many multiplications one evaluation of these nodes takes.
fn cost(graph: &Graph, point: &Point, nodes: &[NodeId]) -> u64 {
    let product = |dims: &[crate::ir::Dim]| {
        let size = |dim: &crate::ir::Dim| {
            dim.value(&|id| point.dims.get(&id).copied().unwrap_or(0)).unwrap_or(1) as u64
        };
        dims.iter().map(size).fold(1, u64::saturating_mul)
    };
    nodes.iter().fold(0, |sum: u64, &node| {
        sum.saturating_add(match graph.op(node) {
            Op::Einsum(einsum) => product(&einsum.sizes),
            _ => product(graph.shape(node)),
        })
    })
}

/// Whether two arrays are one, up to a relative error.
fn agree(a: &Array, b: &Array, tol: f64) -> bool {
    a.shape == b.shape && worst(&a.data, &b.data, 1e-3).is_none_or(|(_, error)| error <= tol)
}
