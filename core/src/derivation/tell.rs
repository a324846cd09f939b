//! From a compiled program to told derivations: which chains there are (one, or one for each named quantity), and their parts.

use super::chain::{Chain, Line, Task, Weight, work_out};
use super::cone::{Cone, shown};
use super::layers;
use super::left;
use super::notes::Reason;
use super::plain::plain;
use super::poles::poles;
use super::show::Show;
use super::stages::Stages;
use super::ways::Ways;
use super::{Binding, Direction, Options, Step, Steps, Style, Told};
use crate::compile::{Compiled, Derivative};
use crate::few::{self, Each};
use crate::ir::{Graph, Map, NodeId, Op};
use crate::raise::{self, Given, Letters, Names};
use crate::simplify::stabilise::{COMPLEMENT, FINITE, LOG_OF_DIFFERENCE, with_shares};
use crate::simplify::{simplify, stabilise};
use chainrule_grammar::Diagnostic;
use chainrule_grammar::ast::RequestKind;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// With more named quantities than this between a loss and a variable, `auto` tells a derivation in stages.
const LONG_CHAIN: usize = 3;
/// Formulas with more parts than this are cut by names.
pub(super) const LONG_FORMULA: usize = 60;

/// Tells the derivation of every derivative that the program asks for.
///
/// # Errors
/// Where a derivative does not exist or the rule book does not have it.
pub fn tell(compiled: &Compiled, options: Options) -> Result<Vec<Told>, Diagnostic> {
    let mut teller = Teller::new(compiled, options);
    compiled.derivatives.iter().map(|derivative| teller.tell(derivative)).collect()
}

pub(super) struct Teller<'c> {
    pub(super) options: Options,
    pub(super) graph: Graph,
    /// Results whose definition was written out, and whether that is long.
    defined: Map<NodeId, bool>,
    /// What each result is made of.
    pub(super) cones: Map<NodeId, Rc<Cone>>,
    /// The variables by which gradients of each loss are asked for.
    variables: HashMap<&'c str, Rc<Vec<NodeId>>>,
    /// Whether each loss is told in stages, where the program decides.
    is_long: Map<NodeId, bool>,
    /// The ways of long chains from each result, which later ones share.
    ways: Map<NodeId, Ways>,
    /// Whether each result cancels, and whether it overflows, as it is written.
    unstable: Map<NodeId, (bool, bool)>,
    /// Stages of each loss.
    pub(super) stages: Map<NodeId, Stages>,
    /// Stages that were told already: a later derivative of the same loss does not repeat them.
    pub(super) told: BTreeSet<(NodeId, NodeId)>,
    /// Names of shared parts and of the steps of scans that differentiation made.
    pub(super) given: Given,
    pub(super) taken: BTreeSet<String>,
    /// How many shared parts have names.
    pub(super) parts: usize,
    /// The nodes that formulas do not look inside of, and how many of them the graph itself names.
    pub(super) atoms: (Rc<BTreeSet<NodeId>>, usize),
    /// The steps of scans, with their parameters and bodies.
    pub(super) steps_of: BTreeMap<NodeId, (String, NodeId)>,
    /// The shared parts and the scans that a node's own formula mentions, of as many as there were then.
    pub(super) mentions: Map<NodeId, (usize, Rc<Vec<NodeId>>)>,
    pub(super) letters: Rc<Letters>,
    /// How many axes every name stands for.
    pub(super) ranks: BTreeMap<String, usize>,
    /// What was written in the program, in normal form.
    pub(super) normal: BTreeMap<NodeId, NodeId>,
    /// Parts that were printed already.
    pub(super) printed: HashMap<String, Arc<Binding>>,
}

impl<'c> Teller<'c> {
    fn new(compiled: &'c Compiled, options: Options) -> Teller<'c> {
        let mut graph = compiled.graph.clone();
        let mut roots: Vec<NodeId> = Vec::new();
        for derivative in &compiled.derivatives {
            roots.extend([derivative.of.node, derivative.wrt.node]);
        }
        let written = plain(&mut graph, &roots);
        let normal = simplify(&mut graph, &written).roots;
        let normal: BTreeMap<NodeId, NodeId> = few::map(roots.into_iter().zip(normal));
        let mut variables: HashMap<&str, Rc<Vec<NodeId>>> = HashMap::new();
        for one in compiled.derivatives.iter().filter(|one| one.kind == RequestKind::Grad) {
            let of = Rc::make_mut(variables.entry(one.of.name.as_str()).or_default());
            of.push(normal[&one.wrt.node]);
        }
        let mut taken: BTreeSet<String> = few::set(graph.names.values().cloned());
        let derivatives = compiled.derivatives.each(|one| one.node);
        let by: BTreeSet<NodeId> = few::set(compiled.derivatives.iter().map(|one| one.wrt.node));
        let mut symmetric: BTreeSet<NodeId> = BTreeSet::new();
        for node in graph.reachable(&derivatives) {
            taken.extend(graph.name(node).map(str::to_string));
            if matches!(graph.op(node), Op::Var(_)) && !by.contains(&node) {
                symmetric.insert(node);
            }
        }
        taken.extend(compiled.lowered.scope.keys().cloned());
        taken.extend(compiled.lowered.dims.keys().cloned());
        let letters = Rc::new(Letters::new(&graph, compiled.lowered.scope.keys()));
        let mut ranks: BTreeMap<String, usize> = BTreeMap::new();
        ranks.extend(graph.names.iter().map(|(node, name)| (name.clone(), graph.rank(*node))));
        ranks.extend(graph.vars.iter().map(|var| (var.name.clone(), var.shape.len())));
        ranks.extend(graph.dims.iter().map(|dim| (dim.name.clone(), 0)));
        ranks.extend(graph.consts.iter().map(|(name, _)| (name.clone(), 0)));
        let mut shapes: BTreeMap<String, crate::ir::Shape> = BTreeMap::new();
        shapes.extend(graph.vars.iter().map(|var| (var.name.clone(), var.shape.clone())));
        shapes.extend(
            graph.names.iter().map(|(node, name)| (name.clone(), graph.shape(*node).clone())),
        );
        let (shapes, symmetric) = (Rc::new(shapes), Rc::new(symmetric));
        let rows = Rc::new(raise::rows(&graph));
        let given = Given { shapes, symmetric, rows, ..Given::default() };
        let mut teller = Teller {
            options,
            graph,
            defined: Map::default(),
            cones: Map::default(),
            variables,
            is_long: Map::default(),
            ways: Map::default(),
            unstable: Map::default(),
            stages: Map::default(),
            told: BTreeSet::new(),
            given,
            taken,
            parts: 0,
            atoms: (Rc::default(), 0),
            steps_of: BTreeMap::new(),
            mentions: Map::default(),
            letters,
            ranks,
            normal,
            printed: HashMap::new(),
        };
        teller.name_layers(compiled);
        teller
    }

    /// Gives the layers of what is deep without names a name each, so that it is told like a network whose author named them.
    fn name_layers(&mut self, compiled: &Compiled) {
        let grads = compiled.derivatives.iter().filter(|one| one.kind == RequestKind::Grad);
        let normal = |node: NodeId| self.normal[&node];
        let (results, variables): (Vec<NodeId>, Vec<NodeId>) =
            grads.map(|one| (normal(one.of.node), normal(one.wrt.node))).unzip();
        for (at, layer) in
            layers::unnamed(&self.graph, &results, &variables).into_iter().enumerate()
        {
            let name = self.free_name(&format!("h{}", at + 1));
            let shape = self.graph.shape(layer).clone();
            self.note_shape(&name, &shape);
            Rc::make_mut(&mut self.given.parts).insert(layer, name.clone());
            self.graph.names.insert(layer, name);
        }
    }

    pub(super) fn names(&self) -> Names<'_> {
        Names::given(&self.graph, &self.given, Rc::clone(&self.letters))
    }

    pub(super) fn cone(&mut self, of: NodeId) -> Rc<Cone> {
        let graph = &self.graph;
        Rc::clone(self.cones.entry(of).or_insert_with(|| Rc::new(Cone::new(graph, of))))
    }

    fn tell(&mut self, derivative: &Derivative) -> Result<Told, Diagnostic> {
        let (of, by) = (self.normal[&derivative.of.node], self.normal[&derivative.wrt.node]);
        let written = (derivative.of.node, derivative.wrt.node);
        // The normal form does not hold a definition that is a constant.
        let declared = matches!(self.graph.op(written.1), Op::Var(_));
        if !declared && !self.graph.reaches(of, by) && self.graph.reaches(written.0, written.1) {
            return Ok(self.closed_only(derivative, Reason::ChainRule));
        }
        match derivative.kind {
            RequestKind::Grad if self.is_staged(derivative, of) => self.staged(derivative, of, by),
            RequestKind::Grad | RequestKind::Jacobian => self.chained(derivative, of, by),
            RequestKind::Hessian => self.second_order(derivative, of, by),
            RequestKind::Hvp => self.product_with_hessian(derivative, of, by),
            RequestKind::Jvp => self.product_with_jacobian(derivative, of, by),
        }
    }

    /// Whether there are more named quantities between a loss and a variable than one chain can have.
    pub(super) fn is_long(&mut self, of: NodeId, by: NodeId) -> bool {
        let cone = self.cone(of);
        let named = |node: &NodeId| *node != of && self.graph.names.contains_key(node);
        cone.walk_above(by).filter(named).nth(LONG_CHAIN).is_some()
    }

    /// All gradients of one loss are told alike.
    fn is_staged(&mut self, derivative: &Derivative, of: NodeId) -> bool {
        match self.options.style {
            Style::Chain => false,
            Style::Staged => true,
            Style::Auto => match self.is_long.get(&of) {
                Some(known) => *known,
                None => {
                    let variables = self.variables(&derivative.of.name);
                    let long = variables.iter().any(|&by| self.is_long(of, by));
                    self.is_long.insert(of, long);
                    long
                }
            },
        }
    }

    /// The variables by which the gradients of a loss are asked for.
    pub(super) fn variables(&self, loss: &str) -> Rc<Vec<NodeId>> {
        self.variables.get(loss).cloned().unwrap_or_default()
    }

    /// All nodes with names.
    pub(super) fn atoms(&mut self) -> Rc<BTreeSet<NodeId>> {
        if self.atoms.1 != self.graph.names.len() {
            let all = self.graph.names.keys().chain(self.given.parts.keys()).copied();
            self.atoms = (Rc::new(few::set(all)), self.graph.names.len());
        }
        Rc::clone(&self.atoms.0)
    }

    /// Remembers what a new name stands for.
    pub(super) fn note_shape(&mut self, name: &str, shape: &[crate::ir::Dim]) {
        self.ranks.insert(name.to_string(), shape.len());
        Rc::make_mut(&mut self.given.shapes).insert(name.to_string(), shape.to_vec());
    }

    // ---- one chain ------------------------------------------------------------------------------------------------

    fn chained(
        &mut self,
        derivative: &Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Result<Told, Diagnostic> {
        let seed = self.graph.shape(of).clone();
        let start = if seed.is_empty() {
            self.graph.int(1)
        } else {
            crate::diff::higher::identity(&mut self.graph, &seed)
        };
        let mut chain = self.chain_from(of, start, by, &seed)?;
        if !self.graph.reaches(of, by) {
            chain.lines.truncate(1);
            if let Some(only) = chain.lines.first_mut() {
                *only = Line {
                    rhs: chain.closed,
                    open: Vec::new(),
                    reasons: vec![Reason::Independent],
                    weight: Weight::Main,
                    deltas: false,
                };
            }
        }
        self.spell_stably(&mut chain, &[of, derivative.of.node], derivative.node);
        let wheres = self.share(chain.closed);
        Ok(self.assemble(derivative, Vec::new(), wheres, &chain, of, by))
    }

    /// Where what is differentiated overflows or cancels as it is written, so may the closed form: a last line has it in a stable
    /// spelling.
    pub(super) fn spell_stably(&mut self, chain: &mut Chain, of: &[NodeId], stable: NodeId) {
        if chain.closed == stable {
            return;
        }
        // In normal form, and as it is written: either may hide what the other shows.
        let found: Vec<(bool, bool)> = of.each(|of| self.unstable(*of));
        let cancels = found.iter().any(|(cancels, _)| *cancels);
        let overflows = found.iter().any(|(_, overflows)| *overflows);
        let worse =
            cancels || overflows && self.may_overflow(chain.closed) > self.may_overflow(stable);
        if !worse {
            return;
        }
        // The lines have other scans and parts than the stable spelling: names for those too.
        self.share(chain.closed);
        let atoms = self.atoms();
        let nodes: Vec<NodeId> = shown(&self.graph, stable, &atoms).into_iter().collect();
        let stable = with_shares(&mut self.graph, stable, &nodes);
        chain.lines.push(Line {
            rhs: stable,
            open: Vec::new(),
            reasons: vec![Reason::Stable],
            weight: Weight::Main,
            deltas: false,
        });
        chain.closed = stable;
    }

    /// Whether digits cancel in what is differentiated, as it is written, and whether something in it overflows.
    fn unstable(&mut self, of: NodeId) -> (bool, bool) {
        if let Some(&known) = self.unstable.get(&of) {
            return known;
        }
        let rewrites = stabilise(&mut self.graph, &[of]).rewrites;
        let cancels =
            rewrites.iter().any(|rewrite| [COMPLEMENT, LOG_OF_DIFFERENCE].contains(&rewrite.rule));
        let overflows = rewrites.iter().any(|rewrite| !FINITE.contains(&rewrite.rule));
        self.unstable.insert(of, (cancels, overflows));
        (cancels, overflows)
    }

    /// How often a formula divides, or calls a function that grows out of all bounds.
    fn may_overflow(&mut self, formula: NodeId) -> usize {
        let atoms = self.atoms();
        let graph = &self.graph;
        let may = |node: &NodeId| match graph.op(*node) {
            Op::Pow(exponent) => {
                exponent.is_negative() && !matches!(graph.op(graph.args(*node)[0]), Op::Size(_))
            }
            Op::Call(op, _) => crate::ops::spec(*op).overflows(),
            _ => false,
        };
        shown(graph, formula, &atoms).iter().filter(|node| may(node)).count()
    }

    /// One chain from a result, whose cotangent is the seed, to a variable.
    pub(super) fn chain_from(
        &mut self,
        of: NodeId,
        start: NodeId,
        by: NodeId,
        seed: &[crate::ir::Dim],
    ) -> Result<Chain, Diagnostic> {
        let (atoms, cone, long) = (self.atoms(), self.cone(of), self.is_long(of, by));
        let mut alone = Ways::default();
        let ways = if long { self.ways.entry(of).or_default() } else { &mut alone };
        let task = Task {
            x: by,
            result: of,
            start: &|node| (node == of).then_some(start),
            stops: &BTreeSet::new(),
            seed,
            atoms: &atoms,
            told: self.options.steps != Steps::None,
        };
        work_out(&mut self.graph, &cone, &task, ways)
    }

    // ---- putting together ------------------------------------------------------------------------------------------

    /// Names for parts of a formula that is too long or has a part twice.
    pub(super) fn share(&mut self, node: NodeId) -> Vec<(String, NodeId)> {
        self.name_scans(node);
        let mut named = Vec::new();
        for part in raise::shared(&self.names(), node, LONG_FORMULA) {
            let name = loop {
                self.parts += 1;
                let name = format!("t{}", self.parts);
                if self.taken.insert(name.clone()) {
                    break name;
                }
            };
            let shape = self.graph.shape(part).clone();
            self.note_shape(&name, &shape);
            Rc::make_mut(&mut self.given.parts).insert(part, name.clone());
            Rc::make_mut(&mut self.atoms.0).insert(part);
            named.push((name, part));
        }
        named
    }

    /// The shared parts and the scans that a node's own formula mentions.
    fn mentions(&mut self, root: NodeId) -> Rc<Vec<NodeId>> {
        let count = self.given.parts.len() + self.steps_of.len();
        if let Some((then, known)) = self.mentions.get(&root)
            && *then == count
        {
            return Rc::clone(known);
        }
        let atoms = self.atoms();
        let mut mentions: Vec<NodeId> = shown(&self.graph, root, &atoms).into_iter().collect();
        mentions.retain(|node| {
            self.steps_of.contains_key(node)
                || (*node != root && self.given.parts.contains_key(node))
        });
        let mentions = Rc::new(mentions);
        self.mentions.insert(root, (count, Rc::clone(&mentions)));
        mentions
    }

    /// The bindings, each after the shared parts that it mentions, and at last those of the lines and the closed form; the steps of scans
    /// first.
    fn with_all_parts(
        &mut self,
        bindings: Vec<(String, NodeId)>,
        closed: NodeId,
        lines: &[NodeId],
    ) -> Vec<(String, NodeId)> {
        let mut seen: HashSet<NodeId> = HashSet::new();
        let mut functions = Vec::new();
        let mut ordered: Vec<(String, NodeId)> = Vec::new();
        let shown = lines.iter().chain(std::iter::once(&closed)).map(|root| (*root, None));
        let named = bindings.into_iter().map(|(name, node)| (node, Some((name, node))));
        for (root, binding) in named.chain(shown) {
            let mut parts: BTreeSet<NodeId> = BTreeSet::new();
            let mut stack = self.mentions(root).to_vec();
            self.add_step(root, &mut functions, &mut stack);
            while let Some(node) = stack.pop() {
                if !seen.insert(node) {
                    continue;
                }
                self.add_step(node, &mut functions, &mut stack);
                if self.given.parts.contains_key(&node) {
                    parts.insert(node);
                }
                stack.extend(self.mentions(node).iter());
            }
            ordered.extend(parts.into_iter().map(|node| (self.given.parts[&node].clone(), node)));
            ordered.extend(binding);
        }
        let mut listed = HashSet::new();
        functions
            .into_iter()
            .chain(ordered)
            .filter(|(name, _)| listed.insert(name.clone()))
            .collect()
    }

    /// The step of a scan, if it has one here; what its formula mentions is to be looked at.
    fn add_step(
        &mut self,
        scan: NodeId,
        functions: &mut Vec<(String, NodeId)>,
        stack: &mut Vec<NodeId>,
    ) {
        if let Some(step) = self.steps_of.get(&scan).cloned() {
            stack.extend(self.mentions(step.1).iter());
            functions.push(step);
        }
    }

    /// The functions that scans of a chain's lines go through.
    pub(super) fn steps_in(&mut self, chain: &Chain) -> Vec<(String, NodeId)> {
        let mut functions = Vec::new();
        for line in &chain.lines {
            let mentions = self.mentions(line.rhs);
            functions.extend(mentions.iter().filter_map(|scan| self.steps_of.get(scan).cloned()));
        }
        functions
    }

    pub(super) fn steps(
        &mut self,
        chain: &Chain,
        derivative: &Derivative,
        about: &str,
        of: NodeId,
        by: NodeId,
    ) -> Vec<Step> {
        for line in &chain.lines {
            self.name_steps(line.rhs);
        }
        let defined = about.is_empty() && self.was_defined(of);
        // The chain's own closed form is written out, whatever it is called.
        let mut names = self.names().opening(chain.closed);
        if self.given.parts.contains_key(&by) {
            names = names.through(self.above_layer(of, by));
        }
        let show = Show {
            names: &names,
            ranks: &self.ranks,
            options: self.options,
            derivative,
            about,
            of,
            by,
            raised: RefCell::default(),
            defined,
            by_cases: RefCell::default(),
        };
        show.steps(chain)
    }

    /// Whether a result has a long definition that an earlier derivation began with.
    fn was_defined(&mut self, of: NodeId) -> bool {
        if let Some(&long) = self.defined.get(&of) {
            return long;
        }
        let atoms = self.atoms();
        let long = shown(&self.graph, of, &atoms).len() > LONG_FORMULA;
        self.defined.insert(of, long);
        false
    }

    /// What the program names above a layer that it has no name for: a derivative by the layer shows the formulas, since what the
    /// program says of them does not speak of the layer.
    fn above_layer(&self, of: NodeId, layer: NodeId) -> BTreeSet<NodeId> {
        let Some(cone) = self.cones.get(&of) else { return BTreeSet::new() };
        let named = |node: &NodeId| {
            self.graph.names.contains_key(node) && !self.given.parts.contains_key(node)
        };
        few::set(cone.walk_above(layer).filter(named))
    }

    /// How formulas of a derivation are shown.
    pub(super) fn show<'s>(
        &'s self,
        names: &'s Names<'s>,
        derivative: &'s Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Show<'s> {
        let (ranks, options) = (&self.ranks, self.options);
        let (raised, by_cases) = (RefCell::default(), RefCell::default());
        let defined = false;
        Show { names, ranks, options, derivative, about: "", of, by, raised, defined, by_cases }
    }

    pub(super) fn assemble(
        &mut self,
        derivative: &Derivative,
        mut steps: Vec<Step>,
        bindings: Vec<(String, NodeId)>,
        chain: &Chain,
        of: NodeId,
        by: NodeId,
    ) -> Told {
        let mut lines = Vec::new();
        if self.options.steps == Steps::None {
            steps.clear();
        } else {
            steps.extend(self.steps(chain, derivative, "", of, by));
            // The first line has the result's own formula.
            lines.push(of);
            lines.extend(chain.lines.iter().map(|line| line.rhs));
        }
        let bindings = self.with_all_parts(bindings, chain.closed, &lines);
        let formulas = bindings.iter().map(|(_, node)| *node).chain([chain.closed]);
        let (formulas, atoms): (Vec<NodeId>, _) = (formulas.collect(), self.atoms());
        let poles = poles(&self.graph, &formulas, &atoms);
        let names = self.names();
        let show = self.show(&names, derivative, of, by);
        let wheres: Vec<Arc<Binding>> =
            bindings.each(|(name, node)| match self.printed.get(name) {
                Some(known) => Arc::clone(known),
                None => Arc::new(show.binding(name, *node)),
            });
        let closed = show.closed(chain.closed);
        let kind = match derivative.kind {
            RequestKind::Grad => "gradient",
            RequestKind::Jacobian => "jacobian",
            RequestKind::Hessian => "hessian",
            RequestKind::Hvp => "hvp",
            RequestKind::Jvp => "jvp",
        };
        let told = Told {
            kind,
            of: derivative.of.name.clone(),
            wrt: derivative.wrt.name.clone(),
            shape: self.sizes(chain.closed),
            directions: self.directions(derivative),
            poles: poles.each(|pole| show.whole(*pole)),
            lhs: left::text(&self.graph, derivative),
            text: show.closed_text(chain.closed),
            closed,
            forward: Vec::new(),
            steps,
            wheres,
        };
        for part in &told.wheres {
            if !self.printed.contains_key(&part.name) {
                self.printed.insert(part.name.clone(), Arc::clone(part));
            }
        }
        told
    }

    /// A shape as the language writes its sizes.
    fn sizes(&self, node: NodeId) -> Vec<String> {
        self.graph.shape(node).each(|dim| self.graph.show_dim(dim))
    }

    fn directions(&self, derivative: &Derivative) -> Vec<Direction> {
        let name = |node: NodeId| self.graph.name(node).unwrap_or_default().to_string();
        let told = |&(by, direction): &(NodeId, NodeId)| {
            let (name, wrt, shape) = (name(direction), name(by), self.sizes(by));
            let text = match shape.as_slice() {
                [] => format!("input {name};"),
                sizes => format!("input {name}: [{}];", sizes.join(", ")),
            };
            Direction { name, wrt, shape, text }
        };
        derivative.directions.each(told)
    }
}
