//! Names in derivations of scans: for the step that runs backwards, what it carries, what arrives at each step, and the states before.

use super::cone::shown;
use super::tell::Teller;
use crate::ir::stack::flipped;
use crate::ir::{Affine, Body, Dim, Graph, NodeId, Num, Op};
use crate::simplify::simplify_above;
use std::collections::BTreeSet;
use std::rc::Rc;

impl Teller<'_> {
    /// Gives the scans below a node that differentiation made, and the states that they read, names.
    pub(super) fn name_scans(&mut self, root: NodeId) {
        let atoms = self.atoms();
        let nodes = shown(&self.graph, root, &atoms);
        let scans: Vec<(NodeId, Body)> = nodes
            .iter()
            .filter_map(|&node| match self.graph.op(node) {
                Op::Scan(body) => Some((node, self.graph.bodies[body.0 as usize].clone())),
                _ => None,
            })
            .collect();
        let (forwards, backwards): (Vec<_>, Vec<_>) =
            scans.into_iter().partition(|(_, body)| !body.name.is_empty());
        for (node, body) in forwards {
            let state = self.graph.name(body.state).unwrap_or("h").to_string();
            if node != root && !backwards.is_empty() {
                self.name_part(&state, node);
            }
        }
        for (node, body) in backwards {
            if !self.given.functions.contains_key(&node) {
                self.name_step(node, &body, &atoms);
                self.name_carried(node, &nodes);
            }
        }
        self.name_arriving(&nodes);
        self.name_before(&nodes);
    }

    /// `h_bar`: what a scan backwards is given of the loss; `mu`: what it hands on, in the order of the steps.
    fn name_carried(&mut self, scan: NodeId, nodes: &BTreeSet<NodeId>) {
        let given = self.graph.args(scan)[1];
        if let Some(given) = flipped(&self.graph, given) {
            self.name_part("h_bar", given);
        }
        let carried = nodes.iter().find(|&&one| flipped(&self.graph, one) == Some(scan));
        self.name_part("mu", carried.copied().unwrap_or(scan));
    }

    /// `lambda`: all that arrives at a step, from the loss and from the step after it.
    fn name_arriving(&mut self, nodes: &BTreeSet<NodeId>) {
        for &node in nodes {
            let carries = |part: &NodeId| {
                let next = moved(&self.graph, *part, 1);
                let scan = next.map(|next| flipped(&self.graph, next).unwrap_or(next));
                scan.is_some_and(|scan| self.given.functions.contains_key(&scan))
            };
            let adds = matches!(self.graph.op(node), Op::Add(_));
            if adds && self.graph.args(node).iter().any(carries) {
                self.name_part("lambda", node);
            }
        }
    }

    /// `h_prev`: the states before each step.
    fn name_before(&mut self, nodes: &BTreeSet<NodeId>) {
        for &node in nodes {
            let Some(state) = before_of(&self.graph, node) else { continue };
            let within = nodes.iter().any(|&sum| {
                self.graph.args(sum).contains(&node) && before_of(&self.graph, sum).is_some()
            });
            if !within {
                self.name_part(&format!("{state}_prev"), node);
            }
        }
    }

    /// The step of such a scan as a function of the language.
    fn name_step(&mut self, node: NodeId, body: &Body, atoms: &BTreeSet<NodeId>) {
        if let Some(known) = self.with_same_step(node, body.entries.len()) {
            let name = self.given.functions[&known].clone();
            Rc::make_mut(&mut self.given.functions).insert(node, name);
            self.steps_of.insert(node, self.steps_of[&known].clone());
            return;
        }
        let captured = self.graph.args(node)[1 + body.entries.len()..].to_vec();
        let mut replace: Vec<(NodeId, NodeId)> =
            body.captures.iter().copied().zip(captured).collect();
        let mut params = Vec::new();
        for stand_in in std::iter::once(body.state).chain(body.entries.iter().copied()) {
            let name = self.graph.name(stand_in).unwrap_or("h").to_string();
            let name = self.free_name(&format!("{name}_t"));
            let shape = self.graph.shape(stand_in).clone();
            self.note_shape(&name, &shape);
            replace.push((stand_in, self.graph.stand_in(&name, shape)));
            params.push(name);
        }
        let result = self.graph.substitute(body.result, &replace);
        let result = simplify_above(&mut self.graph, &[result], atoms).roots[0];
        self.name_steps(result);
        let name = self.free_name("backstep");
        Rc::make_mut(&mut self.given.functions).insert(node, name.clone());
        self.steps_of.insert(node, (format!("fn {name}({})", params.join(", ")), result));
    }

    /// Names for the steps of the scans in a formula that have none: of a line, or of another step. What these read beside their
    /// sequences is the program's own, as functions see no more.
    pub(super) fn name_steps(&mut self, formula: NodeId) {
        if self.graph.bodies.is_empty() {
            return;
        }
        let atoms = self.atoms();
        for node in shown(&self.graph, formula, &atoms) {
            let Op::Scan(body) = self.graph.op(node) else { continue };
            let body = self.graph.bodies[body.0 as usize].clone();
            if self.names().function(node).is_none() {
                self.name_step(node, &body, &atoms);
            }
        }
    }

    /// The scan whose step, which has a name, is the one of this scan.
    fn with_same_step(&self, scan: NodeId, own: usize) -> Option<NodeId> {
        let captured = |scan: NodeId| &self.graph.args(scan)[1 + own..];
        let same = |other: &&NodeId| {
            self.graph.op(**other) == self.graph.op(scan) && captured(**other) == captured(scan)
        };
        self.steps_of.keys().find(same).copied()
    }

    /// A name for a part of formulas that has none.
    fn name_part(&mut self, name: &str, part: NodeId) {
        let plain = self.graph.args(part).is_empty() || self.names().of(part).is_some();
        if plain {
            return;
        }
        let name = self.free_name(name);
        let shape = self.graph.shape(part).clone();
        self.note_shape(&name, &shape);
        Rc::make_mut(&mut self.given.parts).insert(part, name);
        Rc::make_mut(&mut self.atoms.0).insert(part);
    }
}

/// The name of the state of a scan, where a sequence is what stood before each of its steps: `init`, `h[0]`, `h[1]`, …, without `init`
/// where that is 0.
fn before_of(graph: &Graph, sequence: NodeId) -> Option<String> {
    let parts = match graph.op(sequence) {
        Op::Add(coefficients) if coefficients[..] == [Num::ONE, Num::ONE] => graph.args(sequence),
        _ => std::slice::from_ref(&sequence),
    };
    parts.iter().find_map(|&part| {
        let from = moved(graph, part, -1)?;
        let Op::Scan(body) = graph.op(from) else { return None };
        graph.name(graph.bodies[body.0 as usize].state).map(str::to_string)
    })
}

/// The sequence whose entry `t + by` is entry t of this one.
fn moved(graph: &Graph, sequence: NodeId, by: i128) -> Option<NodeId> {
    let Op::View(view) = graph.op(sequence) else { return None };
    let from = graph.args(sequence)[0];
    let by = Affine { offset: Dim::fixed(by), ..Affine::at(0) };
    (view.map.first() == Some(&by) && graph.shape(sequence) == graph.shape(from)).then_some(from)
}
