//! In: results. Out: the text of a Python function that computes them.

use super::layout::{WIDTH, listed, statement};
use super::module::Module;
use super::writer::{Result, Writer, tuple};
use crate::emit::Formula;
use crate::emit::helpers::mentions;
use crate::ir::{NodeId, VarId};

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
        let mut writer = Writer::new(self.job.graph, self.library, &self.names);
        let mut said = returned(&mut writer, &function.returns)?;
        // A product of a product is seen to be shared once that has its variable.
        for _ in 0..MOST_PASSES {
            let Some(anew) = writer.with_shared() else { break };
            writer = anew;
            said = returned(&mut writer, &function.returns)?;
        }
        join_products(&mut writer.lines, &said);
        let returned = said;
        drop_unused(&mut writer.lines, &returned);
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
        let body = shapes.flat_map(crate::ir::Dim::names).fold(body, |body, dim| {
            writer.sizes.insert(dim);
            format!("{body} {}", self.names.dims[&dim])
        });
        let sizes = writer.sizes.iter().copied();
        let used: Vec<_> = sizes
            .filter(|dim| !self.sizes.asked.contains(dim))
            .filter(|dim| mentions(&body, &self.names.dims[dim]))
            .collect();
        out.push_str(&self.sizes.statement(&self.names, &used));
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

/// Products are looked for in products so often.
const MOST_PASSES: usize = 4;

/// A product that one other alone begins with is said there: `p1 = a * b`, `p2 = p1 * c` is `p2 = a * b * c`.
fn join_products(lines: &mut Vec<String>, returned: &str) {
    let mut at = 0;
    while at < lines.len() {
        let joined = lines[at].trim_start().split_once(" = ").and_then(|(name, text)| {
            let product = name.strip_prefix('p')?.chars().all(|c| c.is_ascii_digit());
            let mut others = (0..lines.len()).filter(|o| *o != at && mentions(&lines[*o], name));
            let (only, more) =
                (others.next()?, others.next().is_some() || mentions(returned, name));
            let (other, rest) = lines[only].split_once(&format!(" = {name} * "))?;
            let whole = format!("{other} = {text} * {rest}");
            let named = other.trim_start().strip_prefix('p')?.chars().all(|c| c.is_ascii_digit());
            let fits = whole.len() <= WIDTH && !mentions(rest, name);
            (product && named && !more && fits).then_some((only, whole))
        });
        match joined {
            Some((only, whole)) => {
                lines[only] = whole;
                lines.remove(at);
            }
            None => at += 1,
        }
    }
}

/// Leaves out statements that give a name which nothing mentions: what they were written for was said in another way.
fn drop_unused(lines: &mut Vec<String>, returned: &str) {
    loop {
        let unused = (0..lines.len()).rev().find(|at| {
            let Some((name, _)) = lines[*at].trim_start().split_once(" = ") else { return false };
            let others = lines.iter().enumerate().filter(|(other, _)| other != at);
            let name = name.strip_prefix("_, ").unwrap_or(name);
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !mentions(returned, name)
                && !others.into_iter().any(|(_, line)| mentions(line, name))
        });
        let Some(at) = unused else { return };
        lines.remove(at);
    }
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
        Returns::Tuple(value, entries) => {
            let mut roots = vec![*value];
            roots.extend(entries.iter().filter_map(|entry| entry.as_ref().ok()));
            let mut texts = writer.write(&roots)?.into_iter();
            let value = texts.next().unwrap_or_default();
            let said = entries.iter().map(|entry| match entry {
                Ok(_) => texts.next().unwrap_or_default(),
                Err(said) => said.clone(),
            });
            format!("{value}, {}", tuple(&said.collect::<Vec<_>>()))
        }
    })
}

/// Longer formulas than this are left to `chainrule derive`.
const LONG: usize = 160;

/// An equation of documentation, with its named parts before it.
pub fn closed_form(of: &str, formula: &Formula) -> Vec<String> {
    if formula.text.lines().any(|line| line.len() > LONG) {
        return vec![format!("{of}: a long formula, which `chainrule derive` shows")];
    }
    let mut lines: Vec<String> = formula.text.lines().map(ToString::to_string).collect();
    if let Some(last) = lines.last_mut() {
        *last = format!("{of} = {last}");
    }
    lines
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
