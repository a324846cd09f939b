//! Derivations of second derivatives and of products with directions: a gradient differentiated once more, or a closed form alone.

use super::Told;
use super::chain::{Chain, Line, Weight};
use super::notes::Reason;
use super::tell::Teller;
use crate::compile::Derivative;
use crate::diff;
use crate::ir::{NodeId, Op};
use crate::simplify::simplify;
use chainrule_grammar::Diagnostic;
use chainrule_grammar::ast::RequestKind;

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
        if seed.is_empty() || !self.graph.reaches(gradient, by) {
            chain.lines.retain(|line| line.rhs == chain.closed);
        }
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

    pub(super) fn along(&mut self, derivative: &Derivative) -> Told {
        let direction = |(_, direction): &(NodeId, NodeId)| {
            self.graph.name(*direction).unwrap_or_default().to_string()
        };
        let gradient = (derivative.kind == RequestKind::Hvp).then(|| derivative.wrt.name.clone());
        let directions = derivative.directions.iter().map(direction).collect();
        self.closed_only(
            derivative,
            Reason::Along(derivative.of.name.clone(), gradient, directions),
        )
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
