//! Deep networks: an error term δ for every named quantity, from the loss backwards, each in terms of those before it.
//! In: a loss. Out: a chain of equalities for every quantity and for the variable; each looks at its own surroundings only.

use super::chain::{Chain, Line, Task, Weight, work_out};
use super::cone::shown;
use super::notes::{Reason, fact_of};
use super::tell::{LONG_FORMULA, Teller};
use super::ways::Ways;
use super::{Binding, Steps, Told};
use crate::compile::Derivative;
use crate::few;
use crate::ir::{Map, NodeId, Op};
use crate::raise::{self, Notation};
use crate::simplify::simplify_above;
use chainrule_grammar::Diagnostic;
use std::collections::BTreeSet;
use std::rc::Rc;

/// An error term δ of a named quantity: the derivative of the loss by it.
pub(super) struct Stage {
    /// The quantity.
    pub(super) node: NodeId,
    /// The name of the term, `delta_z`; none where its value is a name or a number already.
    pub(super) name: Option<String>,
    /// What later chains call it: a variable of that name, or the value itself.
    pub(super) term: NodeId,
    /// Parts of its value that have names of their own.
    pub(super) parts: Vec<(String, NodeId)>,
    pub(super) chain: Chain,
}

/// The error terms of a loss.
#[derive(Default)]
pub(super) struct Stages {
    /// From the loss backwards.
    pub(super) list: Vec<Rc<Stage>>,
    /// The place of every quantity's stage, and of every error term's.
    pub(super) places: Map<NodeId, usize>,
    /// The quantities and the loss: no chain passes them.
    pub(super) stops: Rc<BTreeSet<NodeId>>,
}

/// In a closed form with more quantities and error terms than this no value is put in.
const MANY_TERMS: usize = 16;

impl Teller<'_> {
    pub(super) fn staged(
        &mut self,
        derivative: &Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Result<Told, Diagnostic> {
        self.work_out_stages(of, &derivative.of.name)?;
        let chain = self.stage_chain(of, by)?;
        let path = self.cone(of).all_above(by);
        let stages: Vec<Rc<Stage>> =
            self.stages.get(&of).map(|stages| stages.list.clone()).unwrap_or_default();
        let mut bindings: Vec<(String, NodeId)> = Vec::new();
        let mut steps = Vec::new();
        for stage in stages.iter().filter(|stage| stage.node != by && path.contains(stage.node)) {
            if let Some(layer) = self.given.parts.get(&stage.node) {
                bindings.push((layer.clone(), stage.node));
            }
            if let Some(name) = &stage.name {
                bindings.extend(stage.parts.iter().cloned());
                bindings.push((name.clone(), stage.chain.closed));
            }
            if self.options.steps != Steps::None && self.told.insert((of, stage.node)) {
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
                bindings.extend(self.steps_in(&stage.chain));
                steps.extend(lines);
            }
        }
        bindings.extend(self.share(chain.closed));
        let forward = self.forward(derivative, of, by);
        let told = self.assemble(derivative, steps, bindings, &chain, of, by);
        Ok(Told { forward, ..told })
    }

    /// The quantities of the forward pass with their formulas, for the first derivation of a loss.
    fn forward(&mut self, derivative: &Derivative, of: NodeId, by: NodeId) -> Vec<Binding> {
        // The loss itself is no stage: here it says that its forward pass was listed.
        if self.options.steps == Steps::None || !self.told.insert((of, of)) {
            return Vec::new();
        }
        let names = self.names();
        let show = self.show(&names, derivative, of, by);
        let quantities = self.graph.reachable(&[of]).into_iter().filter(|&node| node != of);
        let named = quantities.filter_map(|node| Some((node, self.graph.name(node)?)));
        named
            .filter(|(node, _)| !self.graph.args(*node).is_empty())
            // What is too long to be read is in the program.
            .filter(|(node, _)| raise::shared(&names, *node, LONG_FORMULA).is_empty())
            .map(|(node, name)| show.binding(name, node))
            .collect()
    }

    /// The error term of every named quantity that a loss and any of its variables have between them.
    fn work_out_stages(&mut self, of: NodeId, loss: &str) -> Result<(), Diagnostic> {
        if self.stages.contains_key(&of) {
            return Ok(());
        }
        let wrt = self.variables(loss);
        let mut quantities: Vec<NodeId> = self.graph.reachable(&[of]);
        let depends = self.graph.depending(&quantities, &wrt);
        quantities.retain(|&node| {
            node != of && depends.contains(node) && self.graph.names.contains_key(&node)
        });
        let stops = few::set(quantities.iter().copied().chain([of]));
        self.stages.insert(of, Stages { stops: Rc::new(stops), ..Stages::default() });
        for node in quantities.into_iter().rev() {
            let chain = self.stage_chain(of, node)?;
            let (name, term) = self.error_term(node, chain.closed);
            let parts = self.share(chain.closed);
            let stages = self.stages.entry(of).or_default();
            stages.places.insert(node, stages.list.len());
            if name.is_some() {
                stages.places.insert(term, stages.list.len());
            }
            stages.list.push(Rc::new(Stage { node, name, term, parts, chain }));
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
        self.note_shape(&name, &shape);
        let term = self.graph.stand_in(&name, shape);
        (Some(name), term)
    }

    pub(super) fn free_name(&mut self, wanted: &str) -> String {
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
        let (atoms, cone) = (self.atoms(), self.cone(of));
        let Some(stages) = self.stages.get(&of) else {
            return self.chain_from(of, one, by, &[]);
        };
        let start = |node: NodeId| match stages.places.get(&node) {
            _ if node == of => Some(one),
            Some(&at) if node != by => Some(stages.list[at].term),
            _ => None,
        };
        let task = Task {
            x: by,
            result: of,
            start: &start,
            stops: &stages.stops,
            seed: &[],
            atoms: &atoms,
            told: self.options.steps != Steps::None,
        };
        let mut chain = work_out(&mut self.graph, &cone, &task, &mut Ways::default())?;
        self.put_in(of, &mut chain);
        Ok(chain)
    }

    /// Puts an error term's value in where that makes the closed form shorter, as with softmax and cross-entropy.
    fn put_in(&mut self, of: NodeId, chain: &mut Chain) {
        let atoms = self.atoms();
        let Some(stages) = self.stages.get(&of) else { return };
        let inside = shown(&self.graph, chain.closed, &atoms);
        let mut places: Vec<usize> =
            inside.iter().filter_map(|node| stages.places.get(node).copied()).collect();
        // A long sum over many of them is no such case.
        if places.len() > MANY_TERMS {
            return;
        }
        places.sort_unstable();
        let terms: Vec<(NodeId, NodeId, String)> = places
            .into_iter()
            .map(|at| &stages.list[at])
            .filter_map(|stage| Some((stage.term, stage.chain.closed, stage.name.clone()?)))
            .filter(|(term, _, _)| inside.contains(term))
            .collect();
        let mut length = None;
        for (term, value, name) in terms {
            let nodes: Vec<NodeId> = shown(&self.graph, chain.closed, &atoms).into_iter().collect();
            let opened = self.graph.substitute_in(chain.closed, &nodes, &[(term, value)]);
            let simple = simplify_above(&mut self.graph, &[opened], &atoms);
            let opened = simple.roots[0];
            // Shorter to read, and of no more quantities: something has to cancel.
            let inside = shown(&self.graph, opened, &atoms);
            if self.quantities(inside.iter(), &atoms) > self.quantities(nodes.iter(), &atoms) {
                continue;
            }
            let (before, after) =
                (length.unwrap_or_else(|| self.length(chain.closed)), self.length(opened));
            length = Some(before.min(after));
            if after >= before {
                continue;
            }
            let mut reasons = vec![Reason::Substitute(name)];
            for reason in simple.rewrites.iter().filter_map(|one| fact_of(&self.graph, one)) {
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

    /// How many of these nodes are variables or have names.
    fn quantities<'n>(
        &self,
        nodes: impl Iterator<Item = &'n NodeId>,
        atoms: &BTreeSet<NodeId>,
    ) -> usize {
        let is_one =
            |node: &&NodeId| atoms.contains(*node) || matches!(self.graph.op(**node), Op::Var(_));
        nodes.filter(is_one).count()
    }

    fn length(&self, node: NodeId) -> usize {
        let names = self.names();
        chainrule_grammar::print::expr(&raise::text(&names, node, Notation::Matrix)).len()
    }
}
