//! In: results. Out: the text of a Python function that computes them.

use super::layout::{WIDTH, listed, statement};
use super::module::Module;
use super::writer::{Result, Writer, tuple};
use crate::emit::helpers::{mentions, words};
use crate::ir::{Dim, DimId, NodeId, VarId};
use std::collections::{BTreeMap, BTreeSet};

/// What a function returns.
pub enum Returns<'r> {
    /// A value.
    Value(NodeId),
    /// A dictionary.
    Named(&'r [(String, NodeId)]),
    /// A value and a dictionary.
    Both(NodeId, &'r [(String, NodeId)]),
    /// A value and a tuple, of which some entries are said already.
    Tuple(NodeId, Vec<std::result::Result<NodeId, String>>),
    /// The same where the value is returned as soon as it is there: the statements after that are for the tuple.
    Apart(NodeId, Vec<std::result::Result<NodeId, String>>),
}

/// A function to be written.
pub struct Function<'f> {
    /// Its name.
    pub name: &'f str,
    /// Tensors that it takes after the arguments.
    pub directions: &'f [VarId],
    /// Its documentation.
    pub doc: &'f [String],
    /// Whether its arguments are arrays already.
    pub checked: bool,
    /// What it returns.
    pub returns: Returns<'f>,
}

impl Module<'_> {
    /// The text of a function.
    ///
    /// # Errors
    /// A node that there is no code for.
    pub fn function(&self, function: &Function) -> Result<String> {
        let (mut writer, returned) = self.written(&function.returns)?;
        let body = format!("{}\n{returned}", writer.lines.join("\n"));
        let directions = function.directions.iter();
        let given: Vec<String> = directions.map(|var| self.names.vars[var].clone()).collect();
        let arguments = [self.arguments(), given.clone()].concat();
        let mut out = listed(0, &format!("def {}(", function.name), &arguments, "):");
        out.push('\n');
        out.push_str(&docstring(1, function.doc));
        if !function.checked {
            out.push_str(&self.unpack());
        }
        let shapes = function.directions.iter().flat_map(|var| &self.job.graph.var(*var).shape);
        let shown: BTreeSet<_> = shapes.flat_map(Dim::names).collect();
        writer.sizes.extend(&shown);
        out.push_str(&self.sizes_of(&writer, &body, &shown));
        for (var, name) in function.directions.iter().zip(&given) {
            let shape = &self.job.graph.var(*var).shape;
            out.push_str(&format!("    {name} = _numbers(\"{name}\", {name}, {})\n", shape.len()));
            // A direction has the shape of its tensor.
            out.push_str(&self.fits(*var));
        }
        for line in &writer.lines {
            out.push_str(line);
            out.push('\n');
        }
        out.push_str(&statement(1, &format!("return {returned}")));
        Ok(out)
    }

    /// The statements that compute results, without those that nothing needs, and the text after `return`.
    pub fn written(&self, returns: &Returns) -> Result<(Writer<'_>, String)> {
        let mut writer = Writer::new(self.job.graph, self.library, &self.names);
        let mut said = returned(&mut writer, returns)?;
        // A product of a product is seen to be shared once that has its variable.
        for _ in 0..MOST_PASSES {
            let Some(anew) = writer.with_shared() else { break };
            writer = anew;
            said = returned(&mut writer, returns)?;
        }
        join_products(&mut writer.lines, &said);
        drop_unused(&mut writer.lines, &said);
        Ok((writer, said))
    }

    /// The statement that reads the sizes which a body mentions, and these.
    pub fn sizes_of(&self, writer: &Writer, body: &str, shown: &BTreeSet<DimId>) -> String {
        let said: BTreeSet<&str> = words(body).collect();
        let sizes = writer.sizes.iter().copied();
        let used: Vec<_> = sizes
            .filter(|dim| !self.sizes.asked.contains(dim))
            .filter(|dim| shown.contains(dim) || said.contains(self.names.dims[dim].as_str()))
            .collect();
        self.sizes.statement(&self.names, &used)
    }

    /// The statement that checks the arguments and makes arrays of them.
    fn unpack(&self) -> String {
        let vars: Vec<String> = self.vars.iter().map(|var| self.names.vars[var].clone()).collect();
        let call = format!("_check({})", self.arguments().join(", "));
        let text = match vars.as_slice() {
            [] => call,
            _ => format!("{} = {call}", vars.join(", ")),
        };
        format!("{}\n", statement(1, &text))
    }
}

/// What a statement that ends a function begins with.
pub const RETURN: &str = "    return ";
/// Products are looked for in products so often.
const MOST_PASSES: usize = 4;

/// A product that one other alone begins with is said there: `p1 = a * b`, `p2 = p1 * c` is `p2 = a * b * c`.
fn join_products(lines: &mut Vec<String>, returned: &str) {
    let before = lines.clone();
    let users = mentioning(&before, returned);
    let mut kept = vec![true; lines.len()];
    for at in 0..lines.len() {
        let Some((name, text)) = lines[at].trim_start().split_once(" = ") else { continue };
        let mut others = users.get(name).into_iter().flatten().filter(|other| **other != at);
        let (Some(&only), None) = (others.next(), others.next()) else { continue };
        let user = lines.get(only).and_then(|line| line.split_once(&format!(" = {name} * ")));
        let Some((other, rest)) = user else { continue };
        let whole = format!("{other} = {text} * {rest}");
        let products = is_product(name) && is_product(other.trim_start());
        if products && whole.len() <= WIDTH && !mentions(rest, name) {
            lines[only] = whole;
            kept[at] = false;
        }
    }
    keep(lines, kept);
}

/// Whether a name is one that shared products get.
fn is_product(name: &str) -> bool {
    name.strip_prefix('p').is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// Leaves out statements that give a name which nothing mentions: what they were written for was said in another way.
fn drop_unused(lines: &mut Vec<String>, returned: &str) {
    let mut users = mentioning(lines, returned);
    let mut kept = vec![true; lines.len()];
    // What mentions a name stands below it.
    for (at, line) in lines.iter().enumerate().rev() {
        let Some((name, _)) = line.trim_start().split_once(" = ") else { continue };
        let name = name.strip_prefix("_, ").unwrap_or(name);
        if users.get(name).is_some_and(|users| users.iter().all(|user| *user == at)) {
            kept[at] = false;
            words(line).for_each(|word| {
                users.entry(word).or_default().remove(&at);
            });
        }
    }
    keep(lines, kept);
}

/// Where each name is mentioned: the lines, and their number for what is returned.
fn mentioning<'l>(lines: &'l [String], returned: &'l str) -> BTreeMap<&'l str, BTreeSet<usize>> {
    let mut users: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().map(String::as_str).chain([returned]).enumerate() {
        words(line).for_each(|word| {
            users.entry(word).or_default().insert(at);
        });
    }
    users
}

/// Only the lines that are kept.
fn keep(lines: &mut Vec<String>, kept: Vec<bool>) {
    let mut kept = kept.into_iter();
    lines.retain(|_| kept.next().unwrap_or(true));
}

/// The text after `return`; its statements are the writer's.
fn returned(writer: &mut Writer, returns: &Returns) -> Result<String> {
    let dictionary = |entries: &[(String, NodeId)], texts: &[String]| {
        let pairs: Vec<String> = entries
            .iter()
            .zip(texts)
            .map(|((key, _), text)| format!("\"{key}\": {text}"))
            .collect();
        format!("{{{}}}", pairs.join(", "))
    };
    let nodes = |entries: &[(String, NodeId)]| -> Vec<NodeId> {
        entries.iter().map(|(_, node)| *node).collect()
    };
    Ok(match returns {
        Returns::Value(value) => writer.write(&[*value])?.remove(0),
        Returns::Named(entries) => {
            let texts = writer.write(&nodes(entries))?;
            dictionary(entries, &texts)
        }
        Returns::Both(value, entries) => {
            let texts = writer.write(&[vec![*value], nodes(entries)].concat())?;
            format!("{}, {}", texts[0], dictionary(entries, &texts[1..]))
        }
        Returns::Tuple(value, entries) | Returns::Apart(value, entries) => {
            let rest: Vec<NodeId> =
                entries.iter().filter_map(|entry| entry.as_ref().ok()).copied().collect();
            let (texts, count) = match returns {
                Returns::Apart(..) => writer.write_apart(&[*value], &rest)?,
                _ => (writer.write(&[vec![*value], rest].concat())?, 0),
            };
            let mut texts = texts.into_iter();
            let value = texts.next().unwrap_or_default();
            let said = entries.iter().map(|entry| match entry {
                Ok(_) => texts.next().unwrap_or_default(),
                Err(said) => said.clone(),
            });
            let said = tuple(&said.collect::<Vec<_>>());
            if let Returns::Apart(..) = returns {
                writer.lines.insert(count, format!("{RETURN}{value}"));
                return Ok(said);
            }
            format!("{value}, {said}")
        }
    })
}

/// Documentation, its first line a sentence, the others after an empty line.
pub fn docstring(level: usize, lines: &[String]) -> String {
    let Some((first, rest)) = lines.split_first() else { return String::new() };
    let (pad, first) = ("    ".repeat(level), quoted(first));
    let rest = indented(&quoted(&rest.join("\n")), level);
    match rest.trim_end() {
        "" => format!("{pad}\"\"\"{first}\"\"\"\n"),
        rest => format!("{pad}\"\"\"{first}\n\n{rest}\n{pad}\"\"\"\n"),
    }
}

/// Text that may stand between triple quotes.
pub fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"")
}

/// Every line further to the right, without blanks at its end.
pub fn indented(text: &str, by: usize) -> String {
    let pad = "    ".repeat(by);
    text.lines()
        .map(|line| line.trim_end().replace('\t', "    "))
        .map(|line| if line.is_empty() { "\n".to_string() } else { format!("{pad}{line}\n") })
        .collect()
}
