//! A scan as a loop: one state after the other, kept in a list.

use super::value::{Bind, Value};
use super::writer::{Result, Writer};
use crate::ir::{BodyId, NodeId};

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
        let (list, state, step) = (self.fresh("steps"), self.fresh("state"), self.fresh("t"));
        let start = self.exact(args[0]);
        let start = self.lifted(&start).text;
        self.line(&format!("{state}, {list} = {start}, []"));
        for (capture, arg) in body.captures.iter().zip(captures) {
            let value = self.named_value(*arg);
            self.values.insert(*capture, value);
        }
        let rows: Vec<Value> = sequences.iter().map(|arg| self.named_value(*arg)).collect();
        let count = self.dim(&graph.shape(id)[0].clone()).text;
        self.line(&format!("for {step} in range({count}):"));
        self.indent += 1;
        self.values.insert(body.state, Value::array(&state, Bind::Atom, graph.rank(body.state)));
        for (entry, row) in body.entries.iter().zip(rows) {
            let value =
                Value::array(format!("{}[{step}]", row.text), Bind::Atom, graph.rank(*entry));
            self.values.insert(*entry, value);
        }
        self.compute(&[body.result])?;
        let next = self.exact(body.result);
        let next = self.lifted(&next).text;
        self.line(&format!("{state} = {next}"));
        self.line(&format!("{list}.append({state})"));
        self.indent -= 1;
        self.values = kept;
        self.line(&format!("{states} = {}.stack({list})", self.library.xp()));
        Ok(Value::array(states, Bind::Atom, graph.rank(id)))
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
