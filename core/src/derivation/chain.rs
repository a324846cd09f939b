//! One chain of equalities: from ∂E/∂x down to the closed form, as the states of a reverse sweep.
//!
//! After every visit of the sweep, ∂E/∂x = Σ over the frontier v of ⟨v̄, ∂v/∂x⟩: each state is a line. In: a graph, what is
//! differentiated by what, and the quantities whose cotangents are known. Out: [`Line`]s, whose last one is the closed form.

use super::notes::{self, Reason};
use crate::diff;
use crate::diff::pullback::pull_back;
use crate::ir::{Dim, Graph, NodeId, Num, Op};
use crate::ops::{self, Kind};
use crate::simplify::simplify_above;
use chainrule_grammar::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Shown in the outline too.
    Main,
    /// Shown in full derivations only.
    Detail,
}

/// One state of the sweep.
#[derive(Clone, Debug)]
pub struct Line {
    /// The right-hand side; may contain `Deriv` nodes. Axes: those of the seed, then those of x.
    pub rhs: NodeId,
    /// Cotangent and quantity, for every quantity whose derivative is still open.
    pub open: Vec<(NodeId, NodeId)>,
    /// Why it equals the line before.
    pub reasons: Vec<Reason>,
    /// How much it matters.
    pub weight: Weight,
    /// Whether it shows Kronecker deltas that the next line contracts: matrix notation has no use for it.
    pub deltas: bool,
}

/// The local Jacobian of a function along an axis, with its two cases.
#[derive(Clone, Debug)]
pub struct Lemma {
    /// The function's value.
    pub of: NodeId,
    /// Its argument.
    pub by: NodeId,
    /// The axis along which it acts.
    pub axis: usize,
    /// The Jacobian within one lane, in normal form: axes of `of`, then the one of `by` that the function acts along.
    pub jacobian: NodeId,
    /// Its diagonal: axes of `of`.
    pub same: NodeId,
    /// What stands off the diagonal: axes as those of the Jacobian.
    pub different: NodeId,
}

/// A chain of equalities.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The lines; the last one is the closed form.
    pub lines: Vec<Line>,
    /// Local Jacobians that the lines use.
    pub lemmas: Vec<Lemma>,
    /// The closed form.
    pub closed: NodeId,
}

/// What a chain is about.
pub struct Task<'t> {
    /// By what is differentiated.
    pub x: NodeId,
    /// Where the chain starts: quantities with their cotangents. Paths between them and x do not pass through `stops`.
    pub start: &'t [(NodeId, NodeId)],
    /// Quantities that the chain does not pass through.
    pub stops: &'t BTreeSet<NodeId>,
    /// Axes of the seed, in front of every cotangent.
    pub seed: &'t [Dim],
    /// Nodes that formulas do not look inside of.
    pub atoms: &'t BTreeSet<NodeId>,
}

/// Works out one chain.
///
/// # Errors
/// Where a derivative does not exist or is not in the rule book.
pub fn work_out(graph: &mut Graph, task: &Task<'_>) -> Result<Chain, Diagnostic> {
    let mut work = Work {
        depends: dependence(graph, task),
        graph,
        task,
        lines: Vec::new(),
        lemmas: Vec::new(),
        used: Vec::new(),
    };
    let mut frontier: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for (node, cotangent) in task.start.iter().filter(|(node, _)| work.depends.contains(node)) {
        frontier.insert(*node, *cotangent);
    }
    work.line(&frontier, vec![Reason::ChainRule], Weight::Detail);
    while let Some((&node, _)) = frontier.iter().rev().find(|(node, _)| **node != task.x) {
        frontier = work.expand(node, frontier)?;
    }
    let closed = match frontier.get(&task.x) {
        Some(&cotangent) => work.simple(cotangent),
        None => work.zero(),
    };
    work.finish(closed);
    Ok(Chain { lines: work.lines, lemmas: work.lemmas, closed })
}

struct Work<'g, 't> {
    graph: &'g mut Graph,
    task: &'t Task<'t>,
    /// Which nodes reach x without passing a stop.
    depends: BTreeSet<NodeId>,
    lines: Vec<Line>,
    lemmas: Vec<Lemma>,
    /// Facts that simplification used since the last line.
    used: Vec<Reason>,
}

/// The nodes below the start from which x is reached without passing a stop.
fn dependence(graph: &Graph, task: &Task<'_>) -> BTreeSet<NodeId> {
    let roots: Vec<NodeId> = task.start.iter().map(|(node, _)| *node).collect();
    let mut depends = BTreeSet::from([task.x]);
    for node in graph.reachable(&roots) {
        let through =
            |arg: &NodeId| *arg == task.x || (depends.contains(arg) && !task.stops.contains(arg));
        if graph.args(node).iter().any(through) {
            depends.insert(node);
        }
    }
    depends
}

impl Work<'_, '_> {
    fn wanted(&self, arg: NodeId) -> bool {
        arg == self.task.x || (self.depends.contains(&arg) && !self.task.stops.contains(&arg))
    }

    /// Passes a quantity's cotangent on to the next quantities (named ones, or x), one line for each rule that is not linear.
    fn expand(
        &mut self,
        node: NodeId,
        frontier: BTreeMap<NodeId, NodeId>,
    ) -> Result<BTreeMap<NodeId, NodeId>, Diagnostic> {
        let mut frontier = frontier;
        let mut reasons = Vec::new();
        let mut linear = true;
        let mut at = node;
        while let Some(cotangent) = frontier.remove(&at) {
            let before = frontier.clone();
            let depends = |arg: NodeId| {
                self.depends.contains(&arg)
                    && (arg == self.task.x || !self.task.stops.contains(&arg))
            };
            let gives = pull_back(self.graph, at, cotangent, self.task.seed.len(), &depends)?;
            reasons.push(notes::reason_of(self.graph, at));
            let nonlinear = !is_linear(self.graph, at);
            self.note_lemma(at, &gives)?;
            for (arg, part) in gives {
                let sum = match frontier.get(&arg) {
                    Some(&known) => {
                        let shape = self.graph.shape(known).clone();
                        self.graph.add(&[(Num::ONE, known), (Num::ONE, part)], &shape)
                    }
                    None => part,
                };
                frontier.insert(arg, sum);
            }
            if let Some(local) = self.local(node, at)? {
                reasons.push(local);
            }
            if let Some(spelled) = self.with_deltas(at, cotangent, &before)? {
                self.raw_line(spelled, reasons.clone());
                reasons = vec![Reason::DeltaContract];
            }
            linear = linear && !nonlinear;
            // Anonymous parts are passed on in the same line, up to the next rule that is not linear.
            let next = frontier
                .keys()
                .rev()
                .copied()
                .find(|next| *next != self.task.x && self.is_anonymous(*next));
            match next {
                Some(next) if linear || is_linear(self.graph, next) => at = next,
                Some(next) => {
                    self.simplify_all(&mut frontier);
                    self.line(&frontier, std::mem::take(&mut reasons), Weight::Detail);
                    linear = true;
                    at = next;
                }
                None => break,
            }
        }
        self.simplify_all(&mut frontier);
        let open = frontier.keys().any(|node| *node != self.task.x);
        if open {
            self.line(&frontier, reasons, Weight::Main);
        } else if let Some(&cotangent) = frontier.get(&self.task.x) {
            self.push(Line {
                rhs: cotangent,
                open: Vec::new(),
                reasons,
                weight: Weight::Main,
                deltas: false,
            });
        }
        Ok(frontier)
    }

    /// The Jacobian of a named quantity by x, where a contraction of its formula reads x itself.
    fn local(
        &mut self,
        quantity: NodeId,
        contraction: NodeId,
    ) -> Result<Option<Reason>, Diagnostic> {
        let x = self.task.x;
        let reads = self.graph.args(contraction).contains(&x)
            && matches!(self.graph.op(contraction), Op::Einsum(_));
        if !reads || !self.graph.names.contains_key(&quantity) {
            return Ok(None);
        }
        // The quantity is the contraction, or the contraction plus what does not matter here.
        let shifted = match self.graph.op(quantity) {
            Op::Add(coefficients) => coefficients
                .iter()
                .zip(self.graph.args(quantity))
                .any(|(c, arg)| c.is_one() && *arg == contraction),
            _ => quantity == contraction,
        };
        if !shifted {
            return Ok(None);
        }
        let jacobian = local_jacobian(self.graph, contraction, x, self.task.atoms)?;
        Ok(Some(Reason::Local(quantity, jacobian)))
    }

    fn is_anonymous(&self, node: NodeId) -> bool {
        !self.task.atoms.contains(&node) && !matches!(self.graph.op(node), Op::Var(_))
    }

    fn simplify_all(&mut self, frontier: &mut BTreeMap<NodeId, NodeId>) {
        for cotangent in frontier.values_mut() {
            *cotangent = self.simple(*cotangent);
        }
        frontier.retain(|_, cotangent| !self.graph.is_zero(*cotangent));
    }

    fn simple(&mut self, node: NodeId) -> NodeId {
        let simple = simplify_above(self.graph, &[node], self.task.atoms);
        for rewrite in simple.rewrites.iter().filter(|rewrite| rewrite.rule == "rows-sum-to-one") {
            let what = self.graph.name(rewrite.before).unwrap_or("a softmax").to_string();
            let reason = Reason::RowsSumToOne(what);
            if !self.used.contains(&reason) {
                self.used.push(reason);
            }
        }
        simple.roots[0]
    }

    fn zero(&mut self) -> NodeId {
        let shape = [self.task.seed, self.graph.shape(self.task.x).as_slice()].concat();
        self.graph.zeros(&shape)
    }

    /// Σ over the frontier of ⟨v̄, ∂v/∂x⟩.
    fn state(&mut self, frontier: &BTreeMap<NodeId, NodeId>) -> NodeId {
        let x = self.task.x;
        let seed = self.task.seed.len() as u32;
        let x_rank = self.graph.rank(x) as u32;
        let front: Vec<u32> = (0..seed).collect();
        let back: Vec<u32> = (1000..1000 + x_rank).collect();
        let out: Vec<u32> = front.iter().chain(&back).copied().collect();
        let mut terms = Vec::new();
        for (&node, &cotangent) in frontier.iter().rev() {
            if node == x {
                terms.push((Num::ONE, cotangent));
                continue;
            }
            let own: Vec<u32> = (100..100 + self.graph.rank(node) as u32).collect();
            let deriv = self.graph.deriv(node, x);
            let outer = front.iter().chain(&own).copied().collect();
            let inner = own.iter().chain(&back).copied().collect();
            // A coefficient stays outside of the sum.
            let (coefficient, cotangent) =
                match (self.graph.op(cotangent), self.graph.args(cotangent)) {
                    (Op::Add(c), [only]) if !self.task.atoms.contains(&cotangent) => (c[0], *only),
                    _ => (Num::ONE, cotangent),
                };
            terms.push((
                coefficient,
                self.graph.einsum(&[(cotangent, outer), (deriv, inner)], &out, &[]),
            ));
        }
        let shape = [self.task.seed, self.graph.shape(x).as_slice()].concat();
        self.graph.add(&terms, &shape)
    }

    fn line(&mut self, frontier: &BTreeMap<NodeId, NodeId>, reasons: Vec<Reason>, weight: Weight) {
        let rhs = self.state(frontier);
        let open = frontier.iter().rev().map(|(&node, &cotangent)| (cotangent, node)).collect();
        self.push(Line { rhs, open, reasons, weight, deltas: false });
    }

    fn raw_line(&mut self, rhs: NodeId, reasons: Vec<Reason>) {
        self.push(Line { rhs, open: Vec::new(), reasons, weight: Weight::Detail, deltas: true });
    }

    fn push(&mut self, mut line: Line) {
        line.reasons.append(&mut self.used);
        if self.lines.last().is_none_or(|last| last.rhs != line.rhs) {
            self.lines.push(line);
        }
    }

    fn finish(&mut self, closed: NodeId) {
        match self.lines.last_mut() {
            Some(last) if last.rhs == closed => last.weight = Weight::Main,
            _ => self.push(Line {
                rhs: closed,
                open: Vec::new(),
                reasons: vec![Reason::Simplify],
                weight: Weight::Main,
                deltas: false,
            }),
        }
    }

    /// The line in which the local Jacobian stands with its Kronecker deltas, before they are contracted: for what hands its
    /// cotangent on to x itself, and for functions along an axis. `None` where there is no delta to show.
    fn with_deltas(
        &mut self,
        node: NodeId,
        cotangent: NodeId,
        rest: &BTreeMap<NodeId, NodeId>,
    ) -> Result<Option<NodeId>, Diagnostic> {
        let targets: Vec<NodeId> = self
            .graph
            .args(node)
            .iter()
            .copied()
            .filter(|&arg| self.wanted(arg))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let [target] = targets.as_slice() else { return Ok(None) };
        let along = is_along(self.graph, node);
        let contraction = *target == self.task.x && matches!(self.graph.op(node), Op::Einsum(_));
        if (!along && !contraction) || self.graph.rank(node) == 0 {
            return Ok(None);
        }
        let jacobian = local_jacobian(self.graph, node, *target, self.task.atoms)?;
        if !has_delta(self.graph, jacobian) {
            return Ok(None);
        }
        let seed = self.task.seed.len() as u32;
        let front: Vec<u32> = (0..seed).collect();
        let own: Vec<u32> = (100..100 + self.graph.rank(node) as u32).collect();
        let arg: Vec<u32> = (200..200 + self.graph.rank(*target) as u32).collect();
        let outer: Vec<u32> = front.iter().chain(&own).copied().collect();
        let simple = self.simple(cotangent);
        let (coefficient, bare) = match (self.graph.op(simple), self.graph.args(simple)) {
            (Op::Add(c), [only]) if !self.task.atoms.contains(&simple) => (c[0], *only),
            _ => (Num::ONE, simple),
        };
        let inner: Vec<u32> = own.iter().chain(&arg).copied().collect();
        let mut factors = vec![(bare, outer), (jacobian, inner)];
        let mut out = front;
        if *target == self.task.x {
            out.extend(&arg);
        } else {
            let back: Vec<u32> = (1000..1000 + self.graph.rank(self.task.x) as u32).collect();
            let deriv = self.graph.deriv(*target, self.task.x);
            factors.push((deriv, arg.iter().chain(&back).copied().collect()));
            out.extend(&back);
        }
        let term = self.graph.einsum(&factors, &out, &[]);
        let term = self.graph.scale(coefficient, term);
        if rest.is_empty() {
            return Ok(Some(term));
        }
        let mut rest = rest.clone();
        self.simplify_all(&mut rest);
        let others = self.state(&rest);
        let shape = self.graph.shape(term).clone();
        Ok(Some(self.graph.add(&[(Num::ONE, term), (Num::ONE, others)], &shape)))
    }

    /// Remembers the Jacobian of a function along an axis, whose two cases a textbook shows.
    fn note_lemma(&mut self, node: NodeId, gives: &[(NodeId, NodeId)]) -> Result<(), Diagnostic> {
        let [(target, _)] = gives else { return Ok(()) };
        if !is_along(self.graph, node) || self.lemmas.iter().any(|lemma| lemma.of == node) {
            return Ok(());
        }
        let Op::Call(_, attrs) = self.graph.op(node) else { return Ok(()) };
        let &[axis] = attrs.axes.as_slice() else { return Ok(()) };
        let jacobian = local_jacobian(self.graph, node, *target, self.task.atoms)?;
        if !has_delta(self.graph, jacobian) {
            return Ok(());
        }
        // Within one lane: all other axes of the argument are those of the value.
        let rank = self.graph.rank(node) as u32;
        let own: Vec<u32> = (0..rank).collect();
        let mut by = own.clone();
        by[axis] = rank;
        let all: Vec<u32> = (0..=rank).collect();
        let lane = self.graph.einsum(&[(jacobian, [own.as_slice(), &by].concat())], &all, &[]);
        let lane = self.simple(lane);
        let mut diagonal = all.clone();
        diagonal[rank as usize] = axis as u32;
        let same = self.graph.einsum(&[(lane, diagonal)], &own, &[]);
        let same = self.simple(same);
        let different = without_deltas(self.graph, lane);
        let different = self.simple(different);
        self.lemmas.push(Lemma { of: node, by: *target, axis, jacobian: lane, same, different });
        Ok(())
    }
}

/// A normal form with every Kronecker delta put to 0.
fn without_deltas(graph: &mut Graph, node: NodeId) -> NodeId {
    match graph.op(node) {
        Op::Delta(_) => {
            let shape = graph.shape(node).clone();
            graph.zeros(&shape)
        }
        Op::Einsum(_) | Op::Add(_) => {
            let args: Vec<NodeId> = graph
                .args(node)
                .to_vec()
                .into_iter()
                .map(|arg| without_deltas(graph, arg))
                .collect();
            graph.with_args(node, args)
        }
        _ => node,
    }
}

/// ∂node/∂arg with everything else held, in normal form; axes of the node, then of the argument.
fn local_jacobian(
    graph: &mut Graph,
    node: NodeId,
    arg: NodeId,
    atoms: &BTreeSet<NodeId>,
) -> Result<NodeId, Diagnostic> {
    let shape = graph.shape(node).clone();
    let seed = diff::higher::identity(graph, &shape);
    let mut parts = Vec::new();
    for (given, part) in pull_back(graph, node, seed, shape.len(), &|other| other == arg)? {
        debug_assert_eq!(given, arg);
        parts.push((Num::ONE, part));
    }
    let full = [shape.as_slice(), graph.shape(arg).as_slice()].concat();
    let sum = graph.add(&parts, &full);
    Ok(simplify_above(graph, &[sum], atoms).roots[0])
}

/// Whether a normal form has a Kronecker delta among its factors, or those of its terms.
fn has_delta(graph: &Graph, node: NodeId) -> bool {
    match graph.op(node) {
        Op::Delta(_) => true,
        Op::Einsum(_) | Op::Add(_) => graph.args(node).iter().any(|&arg| has_delta(graph, arg)),
        _ => false,
    }
}

fn is_along(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.op(node), Op::Call(op, _) if matches!(ops::spec(*op).kind, Kind::Along))
}

fn is_linear(graph: &Graph, node: NodeId) -> bool {
    matches!(
        graph.op(node),
        Op::Add(_) | Op::Einsum(_) | Op::View(_) | Op::Reshape | Op::Gather | Op::Scatter(_)
    )
}
