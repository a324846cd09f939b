//! Derivations of second derivatives and of products with directions: a gradient differentiated once more, or a closed form alone.

use super::Told;
use super::chain::{Chain, Line, Weight};
use super::cone::shown;
use super::notes::Reason;
use super::tell::Teller;
use crate::compile::Derivative;
use crate::diff;
use crate::ir::{NodeId, Op};
use crate::simplify::simplify;
use chainrule_grammar::Diagnostic;
use chainrule_grammar::ast::RequestKind;

/// The product with a Hessian is told in steps where the gradients along directions are made of at most so many parts: longer lines
/// are read by nobody.
const LONG_PRODUCT: usize = 40;

impl Teller<'_> {
    pub(super) fn second_order(
        &mut self,
        derivative: &Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Result<Told, Diagnostic> {
        if self.meets_itself(of, by)? {
            let (of, by) = (derivative.of.name.clone(), derivative.wrt.name.clone());
            return Ok(self.closed_only(derivative, Reason::OnceMore(of, by)));
        }
        let gradient = diff::gradient(&mut self.graph, of, &[by])?[0];
        let shape = self.graph.shape(by).clone();
        let gradient = gradient.unwrap_or_else(|| self.graph.zeros(&shape));
        let gradient = simplify(&mut self.graph, &[gradient]).roots[0];
        let seed = self.graph.shape(gradient).clone();
        let start = diff::higher::identity(&mut self.graph, &seed);
        let mut chain = self.chain_from(gradient, start, by, &seed)?;
        if !self.graph.reaches(gradient, by) {
            chain.lines.retain(|line| line.rhs == chain.closed);
        }
        self.spell_stably(&mut chain, &[of, derivative.of.node], derivative.node);
        let wheres = self.share(chain.closed);
        Ok(self.assemble(derivative, Vec::new(), wheres, &chain, gradient, by))
    }

    /// Whether the gradient by a definition has a part that is equal to the definition and does not move with it: differentiated once
    /// more, the two are not told apart by name.
    fn meets_itself(&mut self, of: NodeId, by: NodeId) -> Result<bool, Diagnostic> {
        if matches!(self.graph.op(by), Op::Var(_)) {
            return Ok(false);
        }
        let shape = self.graph.shape(by).clone();
        let leaf = self.graph.stand_in(&format!("definition{}", self.graph.vars.len()), shape);
        let held = self.graph.substitute(of, &[(by, leaf)]);
        let Some(gradient) = diff::gradient(&mut self.graph, held, &[leaf])?[0] else {
            return Ok(false);
        };
        let gradient = simplify(&mut self.graph, &[gradient]).roots[0];
        Ok(self.graph.reaches(gradient, by))
    }

    /// The product of a Hessian with directions: the gradient of Σ ⟨∂of/∂variable, direction⟩, told as one. What is deep or long, or
    /// moves with a definition, is its closed form alone.
    pub(super) fn product_with_hessian(
        &mut self,
        derivative: &Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Result<Told, Diagnostic> {
        if !matches!(self.graph.op(by), Op::Var(_)) || self.is_long(of, by) {
            return Ok(self.along(derivative));
        }
        let paired = diff::higher::paired(&mut self.graph, of, &derivative.directions)?;
        let paired = simplify(&mut self.graph, &[paired]).roots[0];
        let atoms = self.atoms();
        let long = shown(&self.graph, paired, &atoms).len() > LONG_PRODUCT;
        // Scans in the steps of scans are carried back step by step, in more parts than lines can show.
        if long || self.nests_scans(paired) || !self.graph.reaches(paired, by) {
            return Ok(self.along(derivative));
        }
        let one = self.graph.int(1);
        let chain = self.chain_from(paired, one, by, &[])?;
        Ok(self.ending_with(derivative, chain, of, (paired, by)))
    }

    fn has_scan(&self, node: NodeId) -> bool {
        let scan = |node: &NodeId| matches!(self.graph.op(*node), Op::Scan(_));
        self.graph.reachable(&[node]).iter().any(scan)
    }

    fn nests_scans(&self, node: NodeId) -> bool {
        self.graph.reachable(&[node]).into_iter().any(|node| match self.graph.op(node) {
            Op::Scan(body) => self.has_scan(self.graph.bodies[body.0 as usize].result),
            _ => false,
        })
    }

    /// The product of a Jacobian with a direction: the chain of the Jacobian, each of whose lines is multiplied with the direction.
    /// What is deep or long, or moves with a definition, is its closed form alone.
    pub(super) fn product_with_jacobian(
        &mut self,
        derivative: &Derivative,
        of: NodeId,
        by: NodeId,
    ) -> Result<Told, Diagnostic> {
        let [(_, direction)] = derivative.directions[..] else { return Ok(self.along(derivative)) };
        let atoms = self.atoms();
        let long = self.is_long(of, by) || shown(&self.graph, of, &atoms).len() > LONG_PRODUCT;
        let declared = matches!(self.graph.op(by), Op::Var(_));
        // The way backwards through a scan, which the lines would show, is not how a product is worked out.
        if long || self.has_scan(of) || !declared || !self.graph.reaches(of, by) {
            return Ok(self.along(derivative));
        }
        let seed = self.graph.shape(of).clone();
        let start = diff::higher::identity(&mut self.graph, &seed);
        let mut chain = self.chain_from(of, start, by, &seed)?;
        for line in &mut chain.lines {
            let product = diff::higher::along(&mut self.graph, line.rhs, direction);
            line.rhs = simplify(&mut self.graph, &[product]).roots[0];
            // Deltas are contracted with the direction.
            (line.open, line.deltas) = (Vec::new(), false);
        }
        chain.lines.dedup_by(|line, before| line.rhs == before.rhs);
        if let Some(first) = chain.lines.first_mut() {
            first.reasons = vec![self.reason_along(derivative)];
        }
        Ok(self.ending_with(derivative, chain, of, (of, by)))
    }

    /// A product that a chain tells of `told`, which are what is differentiated and by what. The sweep's last state and the derivative itself
    /// are one formula in two orders of its factors: the latter is shown.
    fn ending_with(
        &mut self,
        derivative: &Derivative,
        mut chain: Chain,
        of: NodeId,
        told: (NodeId, NodeId),
    ) -> Told {
        self.spell_stably(&mut chain, &[of, derivative.of.node], derivative.node);
        if let Some(last) = chain.lines.last_mut() {
            last.rhs = derivative.node;
        }
        chain.closed = derivative.node;
        let wheres = self.share(chain.closed);
        self.assemble(derivative, Vec::new(), wheres, &chain, told.0, told.1)
    }

    /// The derivative along directions, as its closed form alone.
    pub(super) fn along(&mut self, derivative: &Derivative) -> Told {
        let reason = self.reason_along(derivative);
        self.closed_only(derivative, reason)
    }

    fn reason_along(&self, derivative: &Derivative) -> Reason {
        let gradient = (derivative.kind == RequestKind::Hvp).then(|| derivative.wrt.name.clone());
        let direction = |(_, direction): &(NodeId, NodeId)| {
            self.graph.name(*direction).unwrap_or_default().to_string()
        };
        let directions = derivative.directions.iter().map(direction).collect();
        Reason::Along(derivative.of.name.clone(), gradient, directions)
    }

    /// A derivation that is the closed form alone.
    pub(super) fn closed_only(&mut self, derivative: &Derivative, reason: Reason) -> Told {
        let closed = derivative.node;
        let lines = vec![Line {
            rhs: closed,
            open: Vec::new(),
            reasons: vec![reason],
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
}
