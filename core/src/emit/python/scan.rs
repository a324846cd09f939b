//! A scan: one state after the other, kept in a list by a loop, or by `jax.lax.scan`, where a step is a function.

use super::dialect::Library;
use super::value::{Bind, Value};
use super::writer::{Result, Writer, tuple};
use crate::emit::helpers::mentions;
use crate::ir::{Body, BodyId, NodeId};

impl Writer<'_> {
    /// Writes the loop; the expression stacks the states.
    pub(super) fn scan(&mut self, id: NodeId, body: BodyId) -> Result<Value> {
        let graph = self.graph;
        let body = &graph.bodies[body.0 as usize];
        let args = graph.args(id);
        let (sequences, captures) = args[1..].split_at(body.entries.len());
        let kept = self.values.clone();
        let states = match self.names.nodes.get(&id) {
            Some(name) => name.clone(),
            None => self.fresh("states"),
        };
        let start = self.exact(args[0]);
        let start = self.lifted(&start).text;
        for (capture, arg) in body.captures.iter().zip(captures) {
            let value = self.named_value(*arg);
            self.values.insert(*capture, value);
        }
        let rows: Vec<Value> = sequences.iter().map(|arg| self.named_value(*arg)).collect();
        let count = self.dim(&graph.shape(id)[0].clone()).text;
        let state = self.fresh("state");
        self.values.insert(body.state, Value::array(&state, Bind::Atom, graph.rank(body.state)));
        match self.library {
            Library::Jax => {
                self.function_of_steps(body, &rows, &[&state, &start, &states, &count])?
            }
            _ => {
                // An open size may be 0.
                let some = graph.shape(id)[0].as_fixed().is_some_and(|steps| steps > 0);
                self.loop_of_steps(body, &rows, &[&state, &start, &states, &count], some)?;
            }
        }
        self.values = kept;
        Ok(Value::array(states, Bind::Atom, graph.rank(id)))
    }

    /// A loop that keeps every state in a list; `some` says that there is a step.
    fn loop_of_steps(
        &mut self,
        body: &Body,
        rows: &[Value],
        said: &[&str; 4],
        some: bool,
    ) -> Result<()> {
        let [state, start, states, count] = said;
        let (list, step) = (self.fresh("steps"), self.fresh("t"));
        self.line(&format!("{state} = {start}"));
        self.line(&format!("{list} = []"));
        self.line(&format!("for {step} in range({count}):"));
        self.indent += 1;
        for (entry, row) in body.entries.iter().zip(rows) {
            let rank = self.graph.rank(*entry);
            let value = Value::array(format!("{}[{step}]", row.text), Bind::Atom, rank);
            self.values.insert(*entry, value);
        }
        let next = self.next(body)?;
        self.line(&format!("{state} = {next}"));
        self.line(&format!("{list}.append({state})"));
        self.indent -= 1;
        let stacked = match some {
            true => format!("{}.stack({list})", self.library.xp()),
            false => format!("_states({list}, {state})"),
        };
        self.line(&format!("{states} = {stacked}"));
        Ok(())
    }

    /// A function of the state and a row of each sequence, which `jax.lax.scan` calls.
    fn function_of_steps(&mut self, body: &Body, rows: &[Value], said: &[&str; 4]) -> Result<()> {
        let [state, start, states, count] = said;
        let step = self.fresh("step");
        let mut entries = Vec::new();
        for entry in &body.entries {
            let name = self.fresh("row");
            let value = Value::array(&name, Bind::Atom, self.graph.rank(*entry));
            self.values.insert(*entry, value);
            entries.push(name);
        }
        let one = if entries.is_empty() { "_".to_string() } else { self.fresh("rows") };
        let (row, given) = match (entries.as_slice(), rows) {
            ([entry], [row]) => (entry.clone(), row.text.clone()),
            _ => {
                let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
                (one, if rows.is_empty() { "None".to_string() } else { tuple(&texts) })
            }
        };
        self.lines.push(String::new());
        self.line(&format!("def {step}({state}, {row}):"));
        self.indent += 1;
        let from = self.lines.len();
        let next = self.next(body)?;
        if entries.len() > 1 {
            // A row that the step does not read has no name.
            let said = format!("{}\n{next}", self.lines[from..].join("\n"));
            let read = |entry: &String| {
                if mentions(&said, entry) { entry.clone() } else { "_".to_string() }
            };
            let entries: Vec<String> = entries.iter().map(read).collect();
            let pad = "    ".repeat(self.indent);
            self.lines.insert(from, format!("{pad}{} = {row}", entries.join(", ")));
        }
        if next != **state {
            self.line(&format!("{state} = {next}"));
        }
        self.line(&format!("return {state}, {state}"));
        self.indent -= 1;
        self.lines.push(String::new());
        let call = format!("jax.lax.scan({step}, {start}, {given}, length={count})");
        self.line(&format!("_, {states} = {call}"));
        Ok(())
    }

    /// The expression of the next state.
    fn next(&mut self, body: &Body) -> Result<String> {
        self.compute_one(body.result)?;
        let next = self.exact(body.result);
        Ok(self.lifted(&next).text)
    }

    /// A node as a name, with a statement if it has none.
    fn named_value(&mut self, id: NodeId) -> Value {
        let value = self.exact(id);
        if value.is_word() {
            return value;
        }
        let name = self.fresh("r");
        self.line(&format!("{name} = {}", value.text));
        Value { text: name, bind: Bind::Atom, ..value }
    }
}
