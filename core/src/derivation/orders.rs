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
        if long || !self.graph.reaches(paired, by) {
            return Ok(self.along(derivative));
        }
        let one = self.graph.int(1);
        let mut chain = self.chain_from(paired, one, by, &[])?;
        self.spell_stably(&mut chain, &[of, derivative.of.node], derivative.node);
        // The sweep's last state and the derivative itself are one formula in two orders of its factors: the latter is shown.
        if let Some(last) = chain.lines.last_mut() {
            last.rhs = derivative.node;
        }
        chain.closed = derivative.node;
        let wheres = self.share(chain.closed);
        Ok(self.assemble(derivative, Vec::new(), wheres, &chain, paired, by))
    }

    /// The derivative along directions, as its closed form alone.
    pub(super) fn along(&mut self, derivative: &Derivative) -> Told {
        let gradient = (derivative.kind == RequestKind::Hvp).then(|| derivative.wrt.name.clone());
        let direction = |(_, direction): &(NodeId, NodeId)| {
            self.graph.name(*direction).unwrap_or_default().to_string()
        };
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
