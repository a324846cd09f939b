//! From a compiled program to told derivations: which chains there are (one, or one for each named quantity), and their parts.

use super::chain::{Chain, Line, Task, Weight, work_out};
use super::notes::Reason;
use super::show::Show;
use super::{Binding, Options, Step, Steps, Style, Told};
use crate::compile::{Compiled, Derivative};
use crate::ir::{Graph, NodeId, Op};
use crate::raise::{self, Letters, Names, Notation};
use crate::render::latex;
use crate::render::math;
use crate::simplify::{simplify, simplify_above};
use chainrule_grammar::Diagnostic;
use chainrule_grammar::ast::RequestKind;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// With more named quantities than this between a loss and a variable, `auto` tells a derivation in stages.
const LONG_CHAIN: usize = 3;
/// Formulas with more parts than this are cut by names.
const LONG_FORMULA: usize = 60;

/// Tells the derivation of every derivative that the program asks for.
///
/// # Errors
/// Where a derivative does not exist or the rule book does not have it.
pub fn tell(compiled: &Compiled, options: Options) -> Result<Vec<Told>, Diagnostic> {
    let mut teller = Teller::new(compiled, options);
    compiled.derivatives.iter().map(|derivative| teller.tell(derivative)).collect()
}

/// An error term δ of a named quantity: the derivative of the loss by it.
struct Stage {
    /// The quantity.
    node: NodeId,
    /// The name of the term, `delta_z`; none where its value is a name or a number already.
    name: Option<String>,
    /// What later chains call it: a variable of that name, or the value itself.
    term: NodeId,
    /// Parts of its value that have names of their own.
    parts: Vec<(String, NodeId)>,
    chain: Chain,
}

struct Teller<'c> {
    compiled: &'c Compiled,
    options: Options,
    graph: Graph,
    /// Stages of each loss, from the loss backwards.
    stages: BTreeMap<NodeId, Vec<Stage>>,
    /// Stages that were told already: a later derivative of the same loss does not repeat them.
    told: BTreeSet<(NodeId, NodeId)>,
    /// Names of shared parts.
    extra: BTreeMap<NodeId, String>,
    taken: BTreeSet<String>,
    /// Names of the steps of scans that differentiation made, with their parameters and bodies.
    functions: BTreeMap<NodeId, String>,
    steps_of: BTreeMap<NodeId, (String, NodeId)>,
    letters: Rc<Letters>,
    /// How many axes every name stands for.
    ranks: BTreeMap<String, usize>,
    /// What was written in the program, in normal form.
    normal: BTreeMap<NodeId, NodeId>,
    /// Parts that were printed already.
    printed: BTreeMap<String, Binding>,
}

impl<'c> Teller<'c> {
    fn new(compiled: &'c Compiled, options: Options) -> Teller<'c> {
        let mut graph = compiled.graph.clone();
        let mut roots: Vec<NodeId> = Vec::new();
        for derivative in &compiled.derivatives {
            roots.extend([derivative.of.node, derivative.wrt.node]);
        }
        let normal = simplify(&mut graph, &roots).roots;
        let normal = roots.into_iter().zip(normal).collect();
        let mut taken: BTreeSet<String> = graph.names.values().cloned().collect();
        taken.extend(graph.vars.iter().map(|var| var.name.clone()));
        taken.extend(compiled.lowered.scope.keys().cloned());
        taken.extend(compiled.lowered.dims.keys().cloned());
        let names = Names::new(&graph);
        let letters = Rc::clone(&names.letters);
        let mut ranks: BTreeMap<String, usize> = BTreeMap::new();
        ranks.extend(graph.names.iter().map(|(node, name)| (name.clone(), graph.rank(*node))));
        ranks.extend(graph.vars.iter().map(|var| (var.name.clone(), var.shape.len())));
        ranks.extend(graph.dims.iter().map(|dim| (dim.name.clone(), 0)));
        ranks.extend(graph.consts.iter().map(|(name, _)| (name.clone(), 0)));
        Teller {
            compiled,
            options,
            graph,
            stages: BTreeMap::new(),
            told: BTreeSet::new(),
            extra: BTreeMap::new(),
            taken,
            functions: BTreeMap::new(),
            steps_of: BTreeMap::new(),
            letters,
            ranks,
            normal,
            printed: BTreeMap::new(),
        }
    }

    fn names(&self) -> Names<'_> {
        self.names_with(self.extra.clone())
    }

    fn names_with(&self, extra: BTreeMap<NodeId, String>) -> Names<'_> {
        Names::with_letters(&self.graph, extra, Rc::clone(&self.letters))
            .with_functions(self.functions.clone())
    }

    /// Gives the steps of scans below a node names, so that they can be written as functions of the language.
    fn name_steps(&mut self, root: NodeId) {
        let atoms = self.atoms();
        for node in self.graph.reachable(&[root]) {
            let Op::Scan(body) = *self.graph.op(node) else { continue };
            let body = self.graph.bodies[body.0 as usize].clone();
            if !body.name.is_empty() || self.functions.contains_key(&node) {
                continue;
            }
            let captured = self.graph.args(node)[1 + body.entries.len()..].to_vec();
            let mut replace: Vec<(NodeId, NodeId)> =
                body.captures.iter().copied().zip(captured).collect();
            let mut params = Vec::new();
            for stand_in in std::iter::once(body.state).chain(body.entries.iter().copied()) {
                let name = self.graph.name(stand_in).unwrap_or("s").to_string();
                let name = self.free_name(&format!("{name}_t"));
                let shape = self.graph.shape(stand_in).clone();
                self.ranks.insert(name.clone(), shape.len());
                replace.push((stand_in, self.graph.stand_in(&name, shape)));
                params.push(name);
            }
            let result = self.graph.substitute(body.result, &replace);
            let result = simplify_above(&mut self.graph, &[result], &atoms).roots[0];
            let name = self.free_name("backstep");
            self.functions.insert(node, name.clone());
            self.steps_of.insert(node, (format!("fn {name}({})", params.join(", ")), result));
        }
    }

    fn tell(&mut self, derivative: &Derivative) -> Result<Told, Diagnostic> {
        let (of, by) = (self.normal[&derivative.of.node], self.normal[&derivative.wrt.node]);
        match derivative.kind {
            RequestKind::Grad if self.is_staged(derivative, of) => self.staged(derivative, of, by),
            RequestKind::Grad | RequestKind::Jacobian => self.chained(derivative, of, by),
            RequestKind::Hessian => self.second_order(derivative, of, by),
            RequestKind::Hvp | RequestKind::Jvp => Ok(self.closed_only(derivative)),
        }
    }

    /// Named quantities between a loss and a variable, from the loss backwards.
    fn between(&self, of: NodeId, by: NodeId) -> Vec<NodeId> {
        let depends = self.graph.depends_on(&[by]);
        let mut path: Vec<NodeId> = self
            .graph
            .reachable(&[of])
            .into_iter()
            .filter(|&node| {
                node != of
                    && node != by
                    && depends[node.0 as usize]
                    && self.graph.names.contains_key(&node)
            })
            .collect();
        path.reverse();
        path
    }

    /// All gradients of one loss are told alike.
    fn is_staged(&self, derivative: &Derivative, of: NodeId) -> bool {
        match self.options.style {
            Style::Chain => false,
            Style::Staged => true,
            Style::Auto => {
                self.stages.contains_key(&of)
                    || self
                        .variables(&derivative.of.name)
                        .into_iter()
                        .any(|by| self.between(of, by).len() > LONG_CHAIN)
            }
        }
    }

    /// The variables by which the gradients of a loss are asked for.
    fn variables(&self, loss: &str) -> Vec<NodeId> {
        let gradients = self
            .compiled
            .derivatives
            .iter()
            .filter(|one| one.kind == RequestKind::Grad && one.of.name == loss);
        gradients.map(|derivative| self.normal[&derivative.wrt.node]).collect()
    }

    fn atoms(&self) -> BTreeSet<NodeId> {
        self.graph.names.keys().chain(self.extra.keys()).copied().collect()
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
        let atoms = self.atoms();
        let task = Task {
            x: by,
            start: &[(of, start)],
            stops: &BTreeSet::new(),
            seed: &seed,
            atoms: &atoms,
        };
        let mut chain = work_out(&mut self.graph, &task)?;
        if !self.graph.depends_on(&[by])[of.0 as usize] {
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
        let wheres = self.share(chain.closed);
        Ok(self.assemble(derivative, Vec::new(), wheres, &chain, of, by))
    }

    fn second_order(
        &mut self,
        derivative: &Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Result<Told, Diagnostic> {
        let gradient = crate::diff::gradient(&mut self.graph, of, &[by])?[0];
        let shape = self.graph.shape(by).clone();
        let gradient = gradient.unwrap_or_else(|| self.graph.zeros(&shape));
        let gradient = simplify(&mut self.graph, &[gradient]).roots[0];
        let seed = self.graph.shape(gradient).clone();
        let start = crate::diff::higher::identity(&mut self.graph, &seed);
        let atoms = self.atoms();
        let task = Task {
            x: by,
            start: &[(gradient, start)],
            stops: &BTreeSet::new(),
            seed: &seed,
            atoms: &atoms,
        };
        let mut chain = work_out(&mut self.graph, &task)?;
        if seed.is_empty() || !self.graph.depends_on(&[by])[gradient.0 as usize] {
            chain.lines.retain(|line| line.rhs == chain.closed);
        }
        let wheres = self.share(chain.closed);
        Ok(self.assemble(derivative, Vec::new(), wheres, &chain, gradient, by))
    }

    fn closed_only(&mut self, derivative: &Derivative) -> Told {
        let closed = derivative.node;
        let lines = vec![Line {
            rhs: closed,
            open: Vec::new(),
            reasons: vec![Reason::ChainRule],
            weight: Weight::Main,
            deltas: false,
        }];
        let chain = Chain { lines, lemmas: Vec::new(), closed };
        let wheres = self.share(closed);
        self.assemble(
            derivative,
            Vec::new(),
            wheres,
            &chain,
            derivative.of.node,
            derivative.wrt.node,
        )
    }

    // ---- a chain for each named quantity -----------------------------------------------------------------------------

    fn staged(
        &mut self,
        derivative: &Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Result<Told, Diagnostic> {
        self.work_out_stages(of, &derivative.of.name)?;
        let chain = self.stage_chain(of, by)?;
        let path: BTreeSet<NodeId> = self.between(of, by).into_iter().collect();
        let stages = self.stages.remove(&of).unwrap_or_default();
        let mut bindings: Vec<(String, NodeId)> = Vec::new();
        let mut steps = Vec::new();
        for stage in stages.iter().filter(|stage| stage.node != by && path.contains(&stage.node)) {
            if let Some(name) = &stage.name {
                bindings.extend(stage.parts.iter().cloned());
                bindings.push((name.clone(), stage.chain.closed));
            }
            if self.told.insert((of, stage.node)) {
                let about = stage.name.clone().unwrap_or_default();
                let mut lines = self.steps(&stage.chain, derivative, &about, of, stage.node);
                let partial = format!(
                    "d({}, {})",
                    derivative.of.name,
                    self.graph.name(stage.node).unwrap_or("v")
                );
                for line in lines.iter_mut().filter(|line| line.about.is_empty()) {
                    line.about.clone_from(&partial);
                }
                steps.extend(lines);
            }
        }
        self.stages.insert(of, stages);
        bindings.extend(self.share(chain.closed));
        Ok(self.assemble(derivative, steps, bindings, &chain, of, by))
    }

    /// The error term of every named quantity that a loss and any of its variables have between them.
    fn work_out_stages(&mut self, of: NodeId, loss: &str) -> Result<(), Diagnostic> {
        if self.stages.contains_key(&of) {
            return Ok(());
        }
        self.stages.insert(of, Vec::new());
        let wrt = self.variables(loss);
        let depends = self.graph.depends_on(&wrt);
        let mut quantities: Vec<NodeId> = self.graph.reachable(&[of]);
        quantities.retain(|&node| {
            node != of && depends[node.0 as usize] && self.graph.names.contains_key(&node)
        });
        for node in quantities.into_iter().rev() {
            let chain = self.stage_chain(of, node)?;
            let (name, term) = self.error_term(node, chain.closed);
            let parts = self.share(chain.closed);
            if let Some(stages) = self.stages.get_mut(&of) {
                stages.push(Stage { node, name, term, parts, chain });
            }
        }
        Ok(())
    }

    /// The error term of a quantity: a variable that stands for it in later chains, unless its value is an atom already.
    fn error_term(&mut self, node: NodeId, closed: NodeId) -> (Option<String>, NodeId) {
        let atom =
            matches!(self.graph.op(closed), Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_));
        if atom || self.graph.names.contains_key(&closed) || self.graph.is_zero(closed) {
            return (None, closed);
        }
        let quantity = self.graph.name(node).unwrap_or("v").replace('.', "_");
        let name = self.free_name(&format!("delta_{quantity}"));
        let shape = self.graph.shape(closed).clone();
        self.ranks.insert(name.clone(), shape.len());
        let term = self.graph.stand_in(&name, shape);
        (Some(name), term)
    }

    fn free_name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_string();
        let mut number = 1;
        while self.taken.contains(&name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        self.taken.insert(name.clone());
        name
    }

    fn stage_chain(&mut self, of: NodeId, by: NodeId) -> Result<Chain, Diagnostic> {
        let one = self.graph.int(1);
        let mut start = vec![(of, one)];
        let mut stops = BTreeSet::from([of]);
        if let Some(stages) = self.stages.get(&of) {
            let others = stages.iter().filter(|stage| stage.node != by);
            start.extend(others.clone().map(|stage| (stage.node, stage.term)));
            stops.extend(others.map(|stage| stage.node));
        }
        let atoms = self.atoms();
        let task = Task { x: by, start: &start, stops: &stops, seed: &[], atoms: &atoms };
        let mut chain = work_out(&mut self.graph, &task)?;
        self.put_in(of, &mut chain);
        Ok(chain)
    }

    /// Puts an error term's value in where that makes the closed form shorter, as with softmax and cross-entropy.
    fn put_in(&mut self, of: NodeId, chain: &mut Chain) {
        let used = self.graph.reachable(&[chain.closed]);
        let terms: Vec<(NodeId, NodeId, String)> = self
            .stages
            .get(&of)
            .into_iter()
            .flatten()
            .filter(|stage| used.contains(&stage.term))
            .filter_map(|stage| Some((stage.term, stage.chain.closed, stage.name.clone()?)))
            .collect();
        for (term, value, name) in terms {
            let opened = self.graph.substitute(chain.closed, &[(term, value)]);
            let atoms = self.atoms();
            let simple = simplify_above(&mut self.graph, &[opened], &atoms);
            let opened = simple.roots[0];
            if self.length(opened) >= self.length(chain.closed) {
                continue;
            }
            let mut reasons = vec![Reason::Substitute(name)];
            for rewrite in
                simple.rewrites.iter().filter(|rewrite| rewrite.rule == "rows-sum-to-one")
            {
                let what = self.graph.name(rewrite.before).unwrap_or("a softmax").to_string();
                let reason = Reason::RowsSumToOne(what);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
            chain.lines.push(Line {
                rhs: opened,
                open: Vec::new(),
                reasons,
                weight: Weight::Main,
                deltas: false,
            });
            chain.closed = opened;
        }
    }

    fn length(&self, node: NodeId) -> usize {
        let names = self.names();
        chainrule_grammar::print::expr(&raise::text(&names, node, Notation::Matrix)).len()
    }

    // ---- putting together ------------------------------------------------------------------------------------------

    /// Names for parts of a formula that is too long or has a part twice.
    fn share(&mut self, node: NodeId) -> Vec<(String, NodeId)> {
        self.name_steps(node);
        let shared = raise::share(&self.names(), node, LONG_FORMULA);
        for (name, part) in &shared {
            self.ranks.insert(name.clone(), self.graph.rank(*part));
            self.extra.insert(*part, name.clone());
            self.taken.insert(name.clone());
        }
        shared
    }

    /// The bindings, each after the shared parts that it mentions, and at last those of the closed form; the steps of scans first.
    fn with_all_parts(
        &self,
        bindings: Vec<(String, NodeId)>,
        closed: NodeId,
    ) -> Vec<(String, NodeId)> {
        let mut seen: BTreeSet<NodeId> = BTreeSet::new();
        let mut functions = Vec::new();
        let mut ordered: Vec<(String, NodeId)> = Vec::new();
        let ends = bindings.into_iter().map(Some).chain(std::iter::once(None));
        for binding in ends {
            let root = binding.as_ref().map_or(closed, |(_, node)| *node);
            let mut parts: BTreeSet<NodeId> = BTreeSet::new();
            let mut stack = vec![root];
            while let Some(node) = stack.pop() {
                if !seen.insert(node) {
                    continue;
                }
                functions.extend(self.steps_of.get(&node).cloned());
                if node != root && self.extra.contains_key(&node) {
                    parts.insert(node);
                }
                if node == root || !self.graph.names.contains_key(&node) {
                    stack.extend_from_slice(self.graph.args(node));
                }
            }
            ordered.extend(parts.into_iter().map(|node| (self.extra[&node].clone(), node)));
            ordered.extend(binding);
        }
        let mut listed = BTreeSet::new();
        functions
            .into_iter()
            .chain(ordered)
            .filter(|(name, _)| listed.insert(name.clone()))
            .collect()
    }

    fn steps(
        &self,
        chain: &Chain,
        derivative: &Derivative,
        about: &str,
        of: NodeId,
        by: NodeId,
    ) -> Vec<Step> {
        let mut extra = self.extra.clone();
        // The chain's own closed form is written out, whatever it is called.
        extra.remove(&chain.closed);
        let names = self.names_with(extra);
        let show = Show {
            names: &names,
            ranks: &self.ranks,
            options: self.options,
            derivative,
            about,
            of,
            by,
        };
        show.steps(chain)
    }

    #[allow(clippy::too_many_arguments)]
    fn assemble(
        &mut self,
        derivative: &Derivative,
        mut steps: Vec<Step>,
        bindings: Vec<(String, NodeId)>,
        chain: &Chain,
        of: NodeId,
        by: NodeId,
    ) -> Told {
        if self.options.steps == Steps::None {
            steps.clear();
        } else {
            steps.extend(self.steps(chain, derivative, "", of, by));
        }
        let bindings = self.with_all_parts(bindings, chain.closed);
        let names = self.names();
        let show = Show {
            names: &names,
            ranks: &self.ranks,
            options: self.options,
            derivative,
            about: "",
            of,
            by,
        };
        let wheres: Vec<Binding> = bindings
            .iter()
            .map(|(name, node)| match self.printed.get(name) {
                Some(known) => known.clone(),
                None => show.binding(name, *node),
            })
            .collect();
        let closed = math::Line::new(show.lhs().swap_remove(0), show.closed(chain.closed));
        let told = Told {
            of: derivative.of.name.clone(),
            wrt: derivative.wrt.name.clone(),
            shape: self
                .graph
                .shape(chain.closed)
                .iter()
                .map(|dim| self.graph.show_dim(dim))
                .collect(),
            lhs_latex: closed.left.as_ref().map(latex::emit).unwrap_or_default(),
            text: show.closed_text(chain.closed),
            latex: latex::emit(&closed.right),
            closed,
            steps,
            wheres,
        };
        self.printed.extend(told.wheres.iter().map(|part| (part.name.clone(), part.clone())));
        told
    }
}
