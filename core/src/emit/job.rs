//! In: a compiled program. Out: the [`Job`] of its code, with the formulas that its documentation shows.

use super::{Formula, GradJob, Job, LossJob, OutputJob, RequestJob};
use crate::compile::{Compiled, Derivative};
use crate::derivation::{self, Options, Steps, Told};
use crate::few::{self, Each};
use crate::ir::{NodeId, Op, VarId, VarKind};
use crate::lower::Named;
use crate::raise::{Names, Notation};
use crate::render::math::Line;
use crate::render::phrases::Lang;
use crate::render::{self, Context};
use chainrule_grammar::Diagnostic;
use chainrule_grammar::ast::{RequestKind, StmtKind};
use chainrule_grammar::print;
use std::collections::BTreeSet;

/// From this many nodes on, no steps of derivations are kept.
const LONG_PROGRAM: usize = 800;
/// More named parts than this are left out of documentation.
const MANY_PARTS: usize = 12;

impl Compiled {
    /// What code for the program needs. `source` is the program's text.
    ///
    /// # Errors
    /// Where a derivation cannot be told.
    pub fn job(&self, source: &str) -> Result<Job<'_>, Diagnostic> {
        // A derivation of hundreds of layers would be megabytes of text in the user's crate.
        let steps = if self.graph.len() > LONG_PROGRAM { Steps::None } else { Steps::Full };
        let told = derivation::tell(self, Options { steps, ..Options::default() })?;
        let pairs: Vec<(&Derivative, &Told)> = self.derivatives.iter().zip(&told).collect();
        let of_kind = |kinds: &[VarKind]| -> Vec<VarId> {
            let vars = self.lowered.vars.iter().filter_map(|node| self.var(*node));
            vars.filter(|var| kinds.contains(&self.graph.var(*var).kind)).collect()
        };
        let losses = self.losses.each(|loss| self.loss(loss, &pairs));
        Ok(Job {
            graph: &self.graph,
            module_doc: Vec::new(),
            params: of_kind(&[VarKind::Param]),
            inputs: of_kind(&[VarKind::Input, VarKind::Target]),
            losses,
            outer: self.outer,
            outputs: self.outputs.each(|output| self.output(output)),
            requests: self.requests(&pairs),
            source: source.to_string(),
            latex: render::document_latex::fragment(&told, Lang::En),
            threads: false,
        })
    }

    fn var(&self, node: NodeId) -> Option<VarId> {
        match self.graph.op(node) {
            Op::Var(var) => Some(*var),
            _ => None,
        }
    }

    /// Whether the derivative is one of a loss's gradients by declared tensors of numbers.
    fn is_grad(&self, derivative: &Derivative) -> bool {
        derivative.kind == RequestKind::Grad
            && self.var(derivative.wrt.node).is_some_and(|var| !self.graph.var(var).int)
            && self.losses.iter().any(|loss| loss.name == derivative.of.name)
    }

    fn loss(&self, loss: &Named, pairs: &[(&Derivative, &Told)]) -> LossJob {
        let mine = pairs
            .iter()
            .filter(|(derivative, _)| self.is_grad(derivative) && derivative.of.name == loss.name);
        let (mut grads, mut known) = (Vec::new(), BTreeSet::new());
        for (derivative, told) in mine {
            if let Some(var) = self.var(derivative.wrt.node)
                && known.insert(var)
            {
                grads.push(GradJob { var, value: derivative.node, formula: closed(told) });
            }
        }
        let place = |grad: &GradJob| (self.graph.var(grad.var).kind != VarKind::Param, grad.var);
        few::sort_by(&mut grads, &|a, b| place(a).cmp(&place(b)));
        let every = self.every.iter().filter(|one| one.of.name == loss.name);
        let every = every.filter_map(|one| Some((self.var(one.wrt.node)?, one.node))).collect();
        let scaled = self.scaled.iter().filter(|one| one.of.name == loss.name);
        let scaled = scaled.filter_map(|one| Some((self.var(one.wrt.node)?, one.node))).collect();
        LossJob {
            name: loss.name.clone(),
            every,
            scaled,
            value: loss.node,
            formula: self.definition(&loss.name),
            grads,
            doc: self.doc(&loss.name),
        }
    }

    fn output(&self, output: &Named) -> OutputJob {
        OutputJob {
            name: output.name.clone(),
            value: output.node,
            formula: self.definition(&output.name),
            doc: self.doc(&output.name),
        }
    }

    /// The stable spelling of something that is differentiated, where it is a result; else as it was written.
    fn settled(&self, of: &Named) -> NodeId {
        let results = self.losses.iter().chain(&self.outputs);
        results.into_iter().find(|result| result.name == of.name).map_or(of.node, |one| one.node)
    }

    /// The equation that the program defines a name by.
    fn definition(&self, of: &str) -> Formula {
        let written = self.program.stmts.iter().find_map(|stmt| match &stmt.kind {
            StmtKind::Loss { name, value } => (name.name == of).then_some((&[][..], value)),
            StmtKind::Def { name, indices, value }
            | StmtKind::Output { name, indices, value: Some(value) } => {
                (name.name == of).then_some((indices.as_slice(), value))
            }
            _ => None,
        });
        let Some((indices, value)) = written else {
            return Formula::default();
        };
        let letters: Vec<String> = indices.each(|index| index.name.clone());
        let names = Names::new(&self.graph);
        let notation = if letters.is_empty() { Notation::Matrix } else { Notation::Index };
        let rank = |name: &str| names.rank(name);
        let right = render::layout(value, &Context { rank: &rank, notation, lang: Lang::En });
        let at =
            if letters.is_empty() { String::new() } else { format!("[{}]", letters.join(",")) };
        let text = format!("{of}{at} = {}", print::expr(value));
        formula(text, &[Line::new(render::indexed_name(of, &letters), right)])
    }

    fn doc(&self, name: &str) -> Vec<String> {
        self.lowered.docs.get(name).cloned().unwrap_or_default()
    }

    fn requests(&self, pairs: &[(&Derivative, &Told)]) -> Vec<RequestJob> {
        let others = pairs.iter().filter(|(derivative, _)| !self.is_grad(derivative));
        let mut jobs: Vec<RequestJob> = Vec::new();
        for (derivative, told) in others {
            let (_, what) = words(derivative.kind);
            let (of, wrt) = (&derivative.of.name, &derivative.wrt.name);
            let name = request_name(derivative.kind, of, &self.together(derivative));
            let result = (wrt.clone(), derivative.node, closed(told));
            if let Some(job) = jobs.iter_mut().find(|job| job.name == name) {
                if job.results.iter().all(|(known, ..)| known != wrt) {
                    job.results.push(result);
                }
                continue;
            }
            let by: Vec<String> = self.together(derivative).each(|name| format!("`{name}`"));
            let directions = derivative.directions.iter();
            jobs.push(RequestJob {
                name,
                kind: derivative.kind,
                of: of.clone(),
                of_value: self.settled(&derivative.of),
                by: self.var(derivative.wrt.node),
                results: vec![result],
                directions: directions.filter_map(|(_, along)| self.var(*along)).collect(),
                doc: vec![format!("{what} of `{of}` by {}.", by.join(", "))],
            });
        }
        jobs
    }

    /// The variables whose derivatives one function gives: those that a product moves together, else one.
    fn together<'a>(&'a self, derivative: &'a Derivative) -> Vec<&'a str> {
        let moved = |one: &&Derivative| {
            one.kind == RequestKind::Hvp
                && one.of.name == derivative.of.name
                && one.directions == derivative.directions
        };
        match derivative.kind {
            RequestKind::Hvp => {
                self.derivatives.iter().filter(moved).map(|one| one.wrt.name.as_str()).collect()
            }
            _ => vec![&derivative.wrt.name],
        }
    }
}

/// What the function of a request is called.
pub fn request_name(kind: RequestKind, of: &str, wrt: &[&str]) -> String {
    format!("{}_{of}_{}", words(kind).0, wrt.join("_"))
}

/// What the functions of a statement are called: one for all variables of a product with the Hessian, else one for each.
pub fn request_names(kind: RequestKind, of: &str, wrt: &[&str]) -> Vec<String> {
    match kind {
        RequestKind::Hvp => vec![request_name(kind, of, wrt)],
        _ => wrt.each(|by| request_name(kind, of, &[by])),
    }
}

fn words(kind: RequestKind) -> (&'static str, &'static str) {
    match kind {
        RequestKind::Grad => ("grad", "The gradient"),
        RequestKind::Jacobian => {
            ("jacobian", "The Jacobian, with the axes of the first and then of the second,")
        }
        RequestKind::Hessian => ("hessian", "The Hessian, with the axes of the variable twice,"),
        RequestKind::Hvp => ("hvp", "The Hessian, times directions,"),
        RequestKind::Jvp => ("jvp", "The derivative along a direction"),
    }
}

/// The closed form with its named parts, where those are few.
fn closed(told: &Told) -> Formula {
    let wheres = if told.wheres.len() > MANY_PARTS { &[][..] } else { &told.wheres[..] };
    let mut text: Vec<String> = wheres.each(|part| format!("{} = {}", part.name, part.text));
    text.push(told.text.clone());
    let mut lines: Vec<Line> = wheres.each(|part| part.line.clone());
    lines.push(told.closed.clone());
    formula(text.join("\n"), &lines)
}

fn formula(text: String, lines: &[Line]) -> Formula {
    let mathml: Vec<String> = lines.each(|line| render::mathml::display(&line.whole()));
    let drawn = render::document_terminal::drawing(lines);
    Formula { text, drawn, mathml: mathml.join("\n") }
}
