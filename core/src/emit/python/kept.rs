//! In: a loss. Out: two functions for an engine that goes forward and comes back later: the loss with what its gradients are made of,
//! and the gradients that are asked for, made of that, times the derivative by the loss.
//!
//! Invariant: what both need is computed once, by the first.

use super::function::{RETURN, Returns, docstring};
use super::layout::{listed, statement};
use super::module::Module;
use super::writer::{Result, Writer, tuple};
use crate::emit::LossJob;
use crate::emit::helpers::words;
use crate::ir::{NodeId, VarId};
use std::collections::{BTreeMap, BTreeSet};

impl Module<'_> {
    /// The texts of both functions; `outer` is the derivative by the loss.
    ///
    /// # Errors
    /// A node that there is no code for.
    pub fn kept(&self, name: &str, loss: &LossJob, outer: VarId) -> Result<[String; 2]> {
        let known: BTreeMap<VarId, NodeId> = loss.scaled.iter().copied().collect();
        let gradients = self.vars.iter();
        let gradients = gradients.map(|var| known.get(var).copied().ok_or("None".to_string()));
        let returns = Returns::Apart(loss.value, gradients.collect());
        let (writer, gradients) = self.written(&returns)?;
        let at = writer.lines.iter().position(|line| line.starts_with(RETURN));
        let (forward, back) = writer.lines.split_at(at.unwrap_or_default());
        let Some((value, back)) = back.split_first() else { return Ok(Default::default()) };
        let (kept, again) = handed(forward, &format!("{}\n{gradients}", back.join("\n")), &writer);

        let outer = self.names.vars[&outer].clone();
        let arguments = self.arguments();
        let to_back = [vec![outer.clone()], arguments.clone(), kept.clone()].concat();
        let doc =
            format!("`{}` and what its gradients are made of, of arrays that fit.", loss.name);
        let said = format!("{}, {}", value.trim_start(), tuple(&kept));
        let head = listed(0, &format!("def _{name}_kept("), &arguments, "):");
        let forward = self.half(&writer, &head, &doc, forward, &said);
        let doc = format!(
            "The gradients that are asked for, times `{outer}`, the derivative by `{}`.",
            loss.name
        );
        let said = format!("return {gradients}");
        let head = listed(0, &format!("def _{name}_back("), &to_back, "):");
        let back = self.half(&writer, &head, &doc, &[again, back.to_vec()].concat(), &said);
        Ok([forward, back])
    }

    fn half(&self, writer: &Writer, head: &str, doc: &str, lines: &[String], said: &str) -> String {
        let doc = docstring(1, &[doc.to_string()]);
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let body = format!("{body}{}", statement(1, said));
        let sizes = self.sizes_of(writer, &body, &BTreeSet::new());
        format!("{head}\n{doc}{sizes}{body}")
    }
}

/// The arrays that statements define and the rest mentions, and the statements that give it numbers of Python, which are no arrays.
fn handed(lines: &[String], rest: &str, writer: &Writer) -> (Vec<String>, Vec<String>) {
    let mut wanted: BTreeSet<&str> = words(rest).collect();
    let (mut kept, mut again) = (Vec::new(), Vec::new());
    for line in lines.iter().rev() {
        let defined = line.strip_prefix("    ").and_then(|line| line.split_once(" = "));
        let Some((name, text)) = defined.filter(|(name, _)| wanted.remove(name)) else { continue };
        if writer.plain.contains(name) {
            wanted.extend(words(text));
            again.push(line.clone());
        } else {
            kept.push(name.to_string());
        }
    }
    kept.reverse();
    again.reverse();
    (kept, again)
}
