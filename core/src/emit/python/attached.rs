//! In: a module. Out: its losses as functions that the library differentiates by the closed form, wherever they are used: with
//! `jax.custom_vjp`, with `torch.autograd.Function`, and as plain functions of NumPy.
//!
//! Invariant: a gradient that there is not is NaN, never 0.

use super::dialect::Library;
use super::function::{Function, Returns, docstring};
use super::layout::{listed, statement};
use super::module::Module;
use super::writer::Result;
use crate::emit::LossJob;
use crate::ir::{NodeId, VarId};
use std::collections::{BTreeMap, BTreeSet};

impl Module<'_> {
    /// The functions of a loss.
    ///
    /// # Errors
    /// A node that there is no code for.
    pub fn attached(&self, loss: &LossJob, name: &str) -> Result<Vec<String>> {
        if self.is_plain() {
            let doc = [format!("The loss `{}`.", loss.name)];
            return Ok(vec![self.value(name, &doc, loss, false)?]);
        }
        let value = match self.library {
            Library::Torch => format!("_{name}_value"),
            _ => format!("_{name}"),
        };
        let doc = [format!("`{}`, of arrays that fit.", loss.name)];
        let value = self.value(&value, &doc, loss, true)?;
        let every = self.every(&format!("_{name}_every"), loss)?;
        Ok(match self.library {
            Library::Torch => {
                let mut all = vec![value, every];
                if let (Some(outer), false) = (self.job.outer, loss.grads.is_empty()) {
                    all.extend(self.kept(name, loss, outer)?);
                }
                all.push(self.torch(name, loss));
                all
            }
            _ => {
                let value = format!("{}\n{value}", self.decorator());
                vec![value, every, self.jax_rule(name), self.jax(name, loss)]
            }
        })
    }

    /// The asked gradients of a loss by the names of the arguments.
    pub fn gradients(&self, loss: &LossJob) -> Vec<(String, NodeId)> {
        loss.grads.iter().map(|grad| (self.names.vars[&grad.var].clone(), grad.value)).collect()
    }

    /// Whether losses are plain functions, which nothing differentiates.
    pub fn is_plain(&self) -> bool {
        self.library == Library::NumPy || self.vars.is_empty()
    }

    fn value(&self, name: &str, doc: &[String], loss: &LossJob, checked: bool) -> Result<String> {
        let returns = Returns::Value(loss.value);
        self.function(&Function { name, directions: &[], doc, checked, returns })
    }

    /// The function that gives a loss and its gradient by every argument.
    fn every(&self, name: &str, loss: &LossJob) -> Result<String> {
        let known: BTreeMap<VarId, NodeId> = loss.every.iter().copied().collect();
        let gradients = self.vars.iter().map(|var| {
            if self.job.graph.var(*var).int {
                return Err("None".to_string());
            }
            known.get(var).copied().ok_or_else(|| {
                let (xp, own) = (self.library.xp(), &self.names.vars[var]);
                format!("{xp}.full_like({own}, {xp}.nan)")
            })
        });
        let doc = [format!("`{}` and its gradient by every argument.", loss.name)];
        let returns = Returns::Tuple(loss.value, gradients.collect());
        self.function(&Function { name, directions: &[], doc: &doc, checked: true, returns })
    }

    fn has_integers(&self) -> bool {
        self.vars.iter().any(|var| self.job.graph.var(*var).int)
    }

    /// What is said of gradients that there are not.
    fn missing(&self, loss: &LossJob) -> Vec<String> {
        let known: BTreeSet<VarId> = loss.every.iter().map(|(by, _)| *by).collect();
        let missing =
            self.vars.iter().filter(|var| !self.job.graph.var(**var).int && !known.contains(var));
        let names: Vec<String> = missing.map(|var| format!("`{}`", self.names.vars[var])).collect();
        match names.is_empty() {
            true => Vec::new(),
            false => vec![format!("There is no derivative by {}: it is NaN.", names.join(", "))],
        }
    }

    /// The call of a function of arrays with what `_check` gives.
    pub fn of_checked(&self, function: &str) -> String {
        let star = if self.vars.len() == 1 { "" } else { "*" };
        let asked = self.sizes.asked.iter().map(|dim| format!(", {}", self.names.dims[dim]));
        let asked: String = asked.collect();
        format!("{function}({star}_check({}){asked})", self.arguments().join(", "))
    }

    /// Sizes are no arrays.
    fn decorator(&self) -> String {
        let (from, count) = (self.vars.len(), self.sizes.asked.len());
        if count == 0 {
            return "@jax.custom_vjp".to_string();
        }
        let places: Vec<String> = (from..from + count).map(|at| at.to_string()).collect();
        let places = super::writer::tuple(&places);
        format!("@functools.partial(jax.custom_vjp, nondiff_argnums={places})")
    }

    /// What JAX is told of the function `_name`.
    fn jax_rule(&self, name: &str) -> String {
        let sizes: String =
            self.sizes.asked.iter().map(|dim| format!("{}, ", self.names.dims[dim])).collect();
        let product = match self.has_integers() {
            true => "None if gradient is None else outer * gradient",
            false => "outer * gradient",
        };
        format!(
            "def _{name}_back({sizes}gradients, outer):\n    \"\"\"The chain rule: `outer` is the derivative by the loss.\"\"\"\n    return tuple({product} for gradient in gradients)\n\n\n_{name}.defvjp(_{name}_every, _{name}_back)"
        )
    }

    fn jax(&self, name: &str, loss: &LossJob) -> String {
        let mut doc = vec![
            format!("The loss `{}`.", loss.name),
            "`jax.grad` of it, by any argument, is the closed form, also inside of `jax.jit`, `jax.vmap`".to_string(),
            "and functions that call it. It may be differentiated again in reverse mode.".to_string(),
        ];
        doc.extend(self.missing(loss));
        self.outer(name, &doc, &self.of_checked(&format!("_{name}")))
    }

    /// The function that users call.
    pub fn outer(&self, name: &str, doc: &[String], call: &str) -> String {
        let head = listed(0, &format!("def {name}("), &self.arguments(), "):");
        let body = statement(1, &format!("return {call}"));
        format!("{head}\n{}{body}", docstring(1, doc))
    }

    fn torch(&self, name: &str, loss: &LossJob) -> String {
        let mut doc = vec![
            format!("The loss `{}`.", loss.name),
            "Its backward, by any argument, is the closed form. It may be differentiated again."
                .to_string(),
        ];
        doc.extend(self.missing(loss));
        let class = self.names.classes[name].clone();
        let public = self.outer(name, &doc, &self.of_checked(&format!("{class}.apply")));
        format!("{}\n\n\n{public}", self.class(name, loss, &class))
    }

    /// The function of autograd. Where gradients by asked arguments alone are wanted, what they are made of is kept; else gradients.
    fn class(&self, name: &str, loss: &LossJob, class: &str) -> String {
        let (n, sizes) = (self.vars.len(), self.sizes.asked.len());
        let by: BTreeSet<VarId> = loss.grads.iter().map(|grad| grad.var).collect();
        let others: Vec<String> = (0..n)
            .filter(|at| !by.contains(&self.vars[*at]) && !self.job.graph.var(self.vars[*at]).int)
            .map(|at| at.to_string())
            .collect();
        let (keep, again, rest) = match sizes {
            0 => ("ctx.save_for_backward(*arguments, *kept)".to_string(), "", String::new()),
            _ => (
                format!(
                    "ctx.save_for_backward(*arguments[:{n}], *kept)\n        ctx.sizes = arguments[{n}:]"
                ),
                ", *ctx.sizes",
                format!(" + (None,) * {sizes}"),
            ),
        };
        let made = made(name, by.is_empty(), &others);
        let back = format!("_{name}_back(outer, *arguments{again}, *kept){rest}");
        let asked = match (by.is_empty(), others.is_empty()) {
            (true, _) => String::new(),
            (_, true) => format!("        else:\n            return {back}\n"),
            _ => format!("        elif not ctx.every:\n            return {back}\n"),
        };
        format!(
            r#"class {class}(torch.autograd.Function):
    """`{of}` with the closed form as its backward."""

    @staticmethod
    def forward(ctx, *arguments):
        if not any(ctx.needs_input_grad):
            return _{name}_value(*arguments)
{made}        {keep}
        return value

    @staticmethod
    def backward(ctx, outer):
        saved = ctx.saved_tensors
        arguments, kept = saved[:{n}], saved[{n}:]
        if torch.is_grad_enabled():
            # What is differentiated again is made of the arguments.
            _, kept = _{name}_every(*arguments{again})
{asked}        return tuple(None if one is None else outer * one for one in kept){rest}"#,
            of = loss.name
        )
    }
}

/// The statements of a forward pass; `others` are the places of arguments by which no gradient is asked.
fn made(name: &str, none_asked: bool, others: &[String]) -> String {
    let few = format!("value, kept = _{name}_kept(*arguments)");
    let every = format!("value, kept = _{name}_every(*arguments)");
    let lines = match (none_asked, others.is_empty()) {
        (true, _) => vec![statement(2, &every)],
        (_, true) => vec![statement(2, &few)],
        _ => vec![
            statement(2, &format!("others = {}", super::writer::tuple(others))),
            statement(2, "ctx.every = any(ctx.needs_input_grad[at] for at in others)"),
            statement(2, &format!("compute = _{name}_every if ctx.every else _{name}_kept")),
            statement(2, "value, kept = compute(*arguments)"),
        ],
    };
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}
