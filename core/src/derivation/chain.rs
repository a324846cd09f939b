//! One chain of equalities: from ∂E/∂x down to the closed form, as the states of a reverse sweep.
//!
//! After every visit of the sweep, ∂E/∂x = Σ over the frontier v of ⟨v̄, ∂v/∂x⟩: each state is a line. In: a graph, what is
//! differentiated by what, and the quantities whose cotangents are known. Out: [`Line`]s, whose last one is the closed form.

use super::cone::{Around, Cone, shown};
use super::local::{self, Lane};
use super::notes::{self, Reason};
use super::ways::Ways;
use crate::diff::pullback::pull_back;
use crate::few::{self, Each};
use crate::ir::{Dim, Graph, Map, NodeId, Num, Op};
use crate::simplify::{Simplified, simplify_above, simplify_beyond};
use chainrule_grammar::Diagnostic;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

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
    /// What is differentiated.
    pub result: NodeId,
    /// Where the chain starts: the cotangents of the result and of quantities for which they are known. Paths between them and x do
    /// not pass through `stops`.
    pub start: &'t dyn Fn(NodeId) -> Option<NodeId>,
    /// Quantities that the chain does not pass through.
    pub stops: &'t BTreeSet<NodeId>,
    /// Axes of the seed, in front of every cotangent.
    pub seed: &'t [Dim],
    /// Nodes that formulas do not look inside of.
    pub atoms: &'t BTreeSet<NodeId>,
    /// Whether lines are wanted besides the closed form.
    pub told: bool,
}

/// Works out one chain.
///
/// # Errors
/// Where a derivative does not exist or is not in the rule book.
pub fn work_out(
    graph: &mut Graph,
    cone: &Cone,
    task: &Task<'_>,
    ways: &mut Ways,
) -> Result<Chain, Diagnostic> {
    let around = Around::of(graph, cone, task);
    let start = |node: &NodeId| Some((*node, (task.start)(*node)?));
    let mut frontier: BTreeMap<NodeId, NodeId> = few::map(around.depends.iter().filter_map(start));
    let mut work = Work {
        around,
        graph,
        cone,
        task,
        settled: std::mem::take(&mut ways.settled),
        asked: RefCell::default(),
        lines: Vec::new(),
        lemmas: Vec::new(),
        used: Vec::new(),
        passed: 0,
        open: 0,
    };
    work.line(&frontier, vec![Reason::ChainRule], Weight::Detail);
    let mut before = None;
    while let Some((&node, _)) = frontier.iter().rev().find(|(node, _)| **node != task.x) {
        let from: Vec<(NodeId, NodeId)> = frontier.clone().into_iter().collect();
        if let Some((by, to)) = ways.from(&from, task.x, |arg| work.wanted(arg)) {
            before = Some(by);
            frontier = to.clone();
            continue;
        }
        if let Some(by) = before.take() {
            let reason = work.as_before(by);
            work.line(&frontier, vec![reason], Weight::Main);
        }
        frontier = work.expand(node, frontier)?;
        let asked = work.asked.take();
        ways.remember(from, task.x, &frontier, asked);
    }
    let closed = match frontier.get(&task.x) {
        Some(&cotangent) => work.simple_throughout(cotangent),
        None => work.zero(),
    };
    work.finish(closed);
    ways.settled = work.settled;
    Ok(Chain { lines: work.lines, lemmas: work.lemmas, closed })
}

struct Work<'g, 't> {
    graph: &'g mut Graph,
    task: &'t Task<'t>,
    cone: &'t Cone,
    around: Around,
    /// What is in normal form, besides what the result is made of.
    settled: HashSet<NodeId>,
    /// The arguments that the present rules were asked of, and whether they reach x.
    asked: RefCell<Map<NodeId, bool>>,
    lines: Vec<Line>,
    lemmas: Vec<Lemma>,
    /// Facts that simplification used since the last line, and the reasons of lines that were left out.
    used: Vec<Reason>,
    /// How many lines were left out since the last one, and how many quantities were open there.
    passed: usize,
    open: usize,
}

/// With more open quantities than this, several rules share a line.
const WIDE: usize = 8;

impl Work<'_, '_> {
    fn as_before(&self, by: NodeId) -> Reason {
        let name = |node| self.graph.name(node).unwrap_or("x").to_string();
        Reason::AsBefore(name(self.task.result), name(by))
    }

    fn wanted(&self, arg: NodeId) -> bool {
        is_wanted(&self.around, self.task, arg)
    }

    /// Passes a quantity's cotangent on to the next quantities (named ones, or x), one line for each rule that is not linear.
    fn expand(
        &mut self,
        node: NodeId,
        frontier: BTreeMap<NodeId, NodeId>,
    ) -> Result<BTreeMap<NodeId, NodeId>, Diagnostic> {
        let mut frontier = frontier;
        let mut reasons = Vec::new();
        let wide = frontier.len() > WIDE;
        let brief = wide || !self.task.told;
        let mut local = if brief { None } else { self.local(node)? };
        let mut linear = true;
        let mut spelled = None;
        let mut at = node;
        let mut given = BTreeSet::new();
        while let Some(cotangent) = frontier.remove(&at) {
            let before = if brief { BTreeMap::new() } else { frontier.clone() };
            let (around, task, asked) = (&self.around, self.task, &self.asked);
            let depends = |arg: NodeId| {
                let wanted = is_wanted(around, task, arg);
                asked.borrow_mut().insert(arg, wanted);
                wanted
            };
            let gives = pull_back(self.graph, at, cotangent, self.task.seed.len(), &depends)?;
            reasons.push(self.rule(at));
            reasons.extend(local.take());
            spelled = if brief { None } else { self.spelled(at, cotangent)? };
            if self.task.told {
                self.note_lemma(at, &gives)?;
            }
            for (arg, part) in gives {
                let sum = self.added(&frontier, arg, part);
                frontier.insert(arg, sum);
                given.insert(arg);
            }
            if let Some((arg, part)) = spelled {
                spelled = Some((arg, self.added(&before, arg, part)));
            }
            let deltas = if brief { None } else { self.with_deltas(at, cotangent, &before)? };
            if let Some(shown) = deltas {
                self.raw_line(shown, reasons.each(Reason::by_cases));
                reasons = vec![Reason::DeltaContract];
            }
            linear = linear && local::is_linear(self.graph, at);
            // Anonymous parts are passed on in the same line, up to the next rule that is one of its own.
            let next = frontier
                .keys()
                .rev()
                .copied()
                .find(|next| *next != self.task.x && self.is_anonymous(*next));
            match next {
                Some(next) if linear || self.is_passed_over(next) => at = next,
                Some(next) => {
                    self.simplify_given(&mut frontier, wide.then(|| std::mem::take(&mut given)));
                    self.line(&frontier, std::mem::take(&mut reasons), Weight::Detail);
                    linear = true;
                    at = next;
                }
                None => break,
            }
        }
        self.simplify_given(&mut frontier, wide.then_some(given));
        let open = frontier.keys().any(|node| *node != self.task.x);
        if let Some((arg, sum)) = spelled {
            let mut shown = frontier.clone();
            shown.insert(arg, self.simple(sum));
            self.line(&shown, std::mem::take(&mut reasons), Weight::Main);
            reasons.push(Reason::Written(node));
        }
        if open && spelled.is_some() {
            // The next line writes the name again.
            self.used.append(&mut reasons);
        } else if open {
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

    /// The rule that passes on a node's cotangent.
    fn rule(&self, node: NodeId) -> Reason {
        let args = self.graph.args(node);
        let Op::Einsum(e) = self.graph.op(node) else {
            return notes::reason_of(self.graph, node).by_those(args, &|arg| self.wanted(arg));
        };
        let bound = e.bound();
        let summed = |ix: &u8| bound.contains(ix) && !e.sizes[*ix as usize].is_one();
        let read = |(arg, ins): (&NodeId, &Vec<u8>)| *arg == self.task.x && ins.iter().any(summed);
        match args.iter().filter(|arg| self.wanted(**arg)).count() {
            0 | 1 if args.len() > 1 && args.iter().zip(&e.ins).any(read) => Reason::Contraction,
            0 | 1 => Reason::Linear,
            _ => Reason::Product,
        }
    }

    /// Whether a rule needs no line of its own after one that is not linear: all linear ones but contractions of what has a name.
    fn is_passed_over(&self, node: NodeId) -> bool {
        let args = self.graph.args(node);
        let named = |arg: &&NodeId| self.wanted(**arg) && !self.is_anonymous(**arg);
        match self.graph.op(node) {
            Op::Einsum(_) if args.len() > 1 => args.iter().find(named).is_none(),
            _ => local::is_linear(self.graph, node),
        }
    }

    /// What a quantity has been given so far, and a further part.
    fn added(&mut self, frontier: &BTreeMap<NodeId, NodeId>, arg: NodeId, part: NodeId) -> NodeId {
        let Some(&known) = frontier.get(&arg) else { return part };
        let shape = self.graph.shape(known).clone();
        self.graph.add(&[(Num::ONE, known), (Num::ONE, part)], &shape)
    }

    /// The Jacobian of a named quantity by x, where its formula is linear in x and depends on x in no other way.
    fn local(&mut self, quantity: NodeId) -> Result<Option<Reason>, Diagnostic> {
        let x = self.task.x;
        if quantity == self.task.result
            || !self.graph.names.contains_key(&quantity)
            || !self.is_linear_in_x(quantity)
        {
            return Ok(None);
        }
        let shape = self.graph.shape(quantity).clone();
        let seed = crate::diff::higher::identity(self.graph, &shape);
        let mut frontier = few::map([(quantity, seed)]);
        while let Some((&node, &cotangent)) = frontier.iter().rev().find(|(node, _)| **node != x) {
            frontier.remove(&node);
            let (around, task) = (&self.around, self.task);
            let wanted = |arg: NodeId| is_wanted(around, task, arg);
            for (arg, part) in pull_back(self.graph, node, cotangent, shape.len(), &wanted)? {
                let sum = self.added(&frontier, arg, part);
                frontier.insert(arg, sum);
            }
        }
        let Some(&jacobian) = frontier.get(&x) else { return Ok(None) };
        let told = local::told(self.graph, jacobian, self.task.atoms);
        Ok(told.map(|jacobian| Reason::Local(quantity, jacobian)))
    }

    /// Whether every path from a quantity to x goes through unnamed linear rules.
    fn is_linear_in_x(&self, quantity: NodeId) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack = vec![quantity];
        while let Some(node) = stack.pop() {
            if node == self.task.x || !seen.insert(node) {
                continue;
            }
            let inner = node == quantity || self.is_anonymous(node);
            if !inner || !local::is_linear(self.graph, node) || self.rule(node) == Reason::Product {
                return false;
            }
            stack.extend(self.graph.args(node).iter().filter(|arg| self.wanted(**arg)));
        }
        true
    }

    /// What a named quantity gives to its argument with the function written out, `σ(x)(1 − σ(x))`, as a textbook has it before
    /// it puts the name `O(1 − O)` in. `None` where the derivative is not written with the function's value.
    fn spelled(
        &mut self,
        node: NodeId,
        cotangent: NodeId,
    ) -> Result<Option<(NodeId, NodeId)>, Diagnostic> {
        let &[arg] = self.graph.args(node) else { return Ok(None) };
        let named = self.graph.names.contains_key(&node) && self.task.stops.is_empty();
        if !named || !local::is_elementwise(self.graph, node) {
            return Ok(None);
        }
        let Some(copy) = local::written_out(self.graph, node) else { return Ok(None) };
        let inner = self.graph.args(copy)[0];
        let extra = self.task.seed.len();
        let gives = pull_back(self.graph, copy, cotangent, extra, &|other| other == inner)?;
        let part = gives.first().map(|(_, part)| *part);
        Ok(part
            .filter(|part| shown(self.graph, *part, self.task.atoms).contains(&copy))
            .map(|part| (arg, part)))
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

    /// Of a wide frontier only what was given something; the rest is in normal form.
    fn simplify_given(
        &mut self,
        frontier: &mut BTreeMap<NodeId, NodeId>,
        given: Option<BTreeSet<NodeId>>,
    ) {
        let Some(given) = given else { return self.simplify_all(frontier) };
        for node in given {
            let Some(&cotangent) = frontier.get(&node) else { continue };
            match self.simple(cotangent) {
                zero if self.graph.is_zero(zero) => frontier.remove(&node),
                simple => frontier.insert(node, simple),
            };
        }
    }

    /// The normal form of what was put together from parts in normal form.
    fn simple(&mut self, node: NodeId) -> NodeId {
        if self.settled.contains(&node) {
            return node;
        }
        let (cone, settled) = (self.cone, &self.settled);
        let known = |node: NodeId| settled.contains(&node) || cone.contains(node);
        let simple = simplify_beyond(self.graph, &[node], self.task.atoms, &known);
        self.settled.extend(simple.map.values());
        self.note_facts(&simple);
        simple.roots[0]
    }

    /// The normal form of a whole formula.
    fn simple_throughout(&mut self, node: NodeId) -> NodeId {
        let simple = simplify_above(self.graph, &[node], self.task.atoms);
        self.note_facts(&simple);
        simple.roots[0]
    }

    /// Remembers the facts that simplification used.
    fn note_facts(&mut self, simple: &Simplified) {
        for rewrite in &simple.rewrites {
            if let Some(reason) = notes::fact_of(self.graph, rewrite)
                && !self.used.contains(&reason)
            {
                self.used.push(reason);
            }
        }
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

    /// A line with the derivatives of the frontier still open. It would not be true where one of them depends on x through a stop
    /// as well: then the next line has its reasons too.
    fn line(&mut self, frontier: &BTreeMap<NodeId, NodeId>, reasons: Vec<Reason>, weight: Weight) {
        if !self.task.told {
            return;
        }
        if self.waits(frontier.len()) {
            let new = reasons.into_iter().filter(|reason| !self.used.contains(reason));
            let new: Vec<Reason> = new.collect();
            self.used.extend(new);
            return;
        }
        if frontier.keys().any(|node| self.around.beside.contains(node)) {
            self.used.extend(reasons);
            return;
        }
        let rhs = self.state(frontier);
        let open = frontier.iter().rev().map(|(&node, &cotangent)| (cotangent, node)).collect();
        self.push(Line { rhs, open, reasons, weight, deltas: false });
    }

    /// Whether a line is left to a later one. Where very many quantities are open each line is very long, so the rules of about as
    /// many of them share one: the lines of a sum of n terms are about log n, not n.
    fn waits(&mut self, open: usize) -> bool {
        self.passed += 1;
        if open > WIDE && self.passed < self.open {
            return true;
        }
        (self.passed, self.open) = (0, open);
        false
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
        let args = self.graph.args(node).iter().copied();
        let targets = few::set(args.filter(|&arg| self.wanted(arg)));
        let (Some(target), 1) = (targets.first(), targets.len()) else { return Ok(None) };
        let contraction = *target == self.task.x && matches!(self.graph.op(node), Op::Einsum(_));
        let open = rest.keys().chain([target]).any(|node| self.around.beside.contains(node));
        if open || self.graph.rank(node) == 0 {
            return Ok(None);
        }
        let own: Vec<u32> = (100..100 + self.graph.rank(node) as u32).collect();
        let mut arg: Vec<u32> = (200..200 + self.graph.rank(*target) as u32).collect();
        let (jacobian, inner) = match local::lane(self.graph, node, *target, self.task.atoms)? {
            Some(Lane { axis, jacobian }) => {
                arg = own.clone();
                arg[axis] = 200;
                (jacobian, [own.as_slice(), &[200]].concat())
            }
            None if contraction => {
                let jacobian = local::jacobian(self.graph, node, *target, self.task.atoms)?;
                (jacobian, [own.as_slice(), &arg].concat())
            }
            None => return Ok(None),
        };
        if !local::has_delta(self.graph, jacobian) {
            return Ok(None);
        }
        let seed = self.task.seed.len() as u32;
        let front: Vec<u32> = (0..seed).collect();
        let outer: Vec<u32> = front.iter().chain(&own).copied().collect();
        let simple = self.simple(cotangent);
        let (coefficient, bare) = match (self.graph.op(simple), self.graph.args(simple)) {
            (Op::Add(c), [only]) if !self.task.atoms.contains(&simple) => (c[0], *only),
            _ => (Num::ONE, simple),
        };
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
        if self.lemmas.iter().any(|lemma| lemma.of == node) {
            return Ok(());
        }
        let Some(Lane { axis, jacobian }) =
            local::lane(self.graph, node, *target, self.task.atoms)?
        else {
            return Ok(());
        };
        if !local::has_delta(self.graph, jacobian) {
            return Ok(());
        }
        let rank = self.graph.rank(node) as u32;
        let own: Vec<u32> = (0..rank).collect();
        let diagonal: Vec<u32> = (0..rank).chain([axis as u32]).collect();
        let same = self.graph.einsum(&[(jacobian, diagonal)], &own, &[]);
        let same = self.simple(same);
        let different = local::without_deltas(self.graph, jacobian);
        let different = self.simple(different);
        self.lemmas.push(Lemma { of: node, by: *target, axis, jacobian, same, different });
        Ok(())
    }
}

/// Whether x is reached from an argument without passing a stop.
fn is_wanted(around: &Around, task: &Task<'_>, arg: NodeId) -> bool {
    arg == task.x || (around.depends.contains(&arg) && !task.stops.contains(&arg))
}
