//! Nodes that are filled as a whole: reductions, functions along an axis, linear algebra, scattered rows, scans.

use super::entry::Position;
use super::writer::{Place, Result, Writer};
use crate::emit::python::value::Bind;
use crate::emit::template;
use crate::ir::{Attrs, BodyId, Dim, NodeId, Op};
use crate::ops::{self, Kind, OpId};
use crate::plan::lin::volume;

impl Writer<'_> {
    /// Fills the place of such a node.
    pub(super) fn special(&mut self, id: NodeId, place: &Place) -> Result<()> {
        let Place::Array(out) = place else { return self.unsupported(id, "this place") };
        let out = out.clone();
        match self.graph.op(id) {
            Op::Call(op, attrs) => match ops::spec(*op).kind {
                Kind::Structured { ranks, .. } => self.structured(id, *op, ranks, &out),
                _ => self.lanes(id, *op, attrs, &out),
            },
            Op::Scatter(_) => self.scatter(id, &out),
            Op::Scan(body) => self.scan(id, *body, &out),
            _ => self.unsupported(id, "a derivative that is not carried out"),
        }
    }

    /// The array of an argument.
    fn array(&mut self, id: NodeId) -> Result<String> {
        match self.place(id) {
            Some(Place::Array(name)) => Ok(name),
            Some(Place::Number(name)) => Ok(format!("(&{name})")),
            None => self.unsupported(id, "an argument without a place"),
        }
    }

    /// The same, of real numbers: whole ones are copied.
    fn numbers(&mut self, id: NodeId) -> Result<String> {
        if !self.is_whole(id) {
            return self.array(id);
        }
        let name = self.fresh("x");
        self.buffer(&name, &self.graph.shape(id).clone());
        self.nest(id, &Place::Array(name.clone()), true)?;
        Ok(name)
    }

    fn lanes(&mut self, id: NodeId, op: OpId, attrs: &Attrs, out: &str) -> Result<()> {
        let spec = ops::spec(op);
        let arg = self.graph.args(id)[0];
        let shape = self.graph.shape(arg).clone();
        let (Some(&first), Some(&last)) = (attrs.axes.first(), attrs.axes.last()) else {
            return self.unsupported(id, &format!("`{}` over no axis", spec.name));
        };
        if spec.c.is_empty() || attrs.axes.len() != last - first + 1 {
            return self.unsupported(id, &format!("`{}` over these axes", spec.name));
        }
        let x = self.numbers(arg)?;
        let [outer, n, inner] = [&shape[..first], &shape[first..=last], &shape[last + 1..]]
            .map(|part| self.dim(&volume(part)));
        self.line(&format!("{}({outer}, {n}, {inner}, {x}, {out});", spec.c));
        Ok(())
    }

    fn structured(&mut self, id: NodeId, op: OpId, ranks: &[&[usize]], out: &str) -> Result<()> {
        let (graph, spec) = (self.graph, ops::spec(op));
        let args = graph.args(id);
        let lead = |ranks: &&&[usize]| -> Option<usize> {
            let mut leads =
                args.iter().zip(**ranks).map(|(arg, rank)| graph.rank(*arg).checked_sub(*rank));
            let first = leads.next()??;
            leads.all(|lead| lead == Some(first)).then_some(first)
        };
        let Some((ranks, lead)) = ranks.iter().find_map(|row| Some((row, lead(&row)?))) else {
            return self.unsupported(id, &format!("`{}` of these shapes", spec.name));
        };
        if spec.c.is_empty() {
            return self.unsupported(id, &format!("`{}`", spec.name));
        }
        let batch: Vec<Dim> = graph.shape(id)[..lead].to_vec();
        let first = graph.shape(args[0])[lead..].to_vec();
        let (rows, columns) = (first[0].clone(), first[1].clone());
        let right = args.get(1).map_or(&[][..], |arg| &graph.shape(*arg)[lead..]);
        let width = if right.len() == 2 { self.dim(&right[1]) } else { "1".to_string() };
        let work = self.fresh("scratch");
        if spec.c.contains("{work}") {
            self.buffer(&work, &[Dim::fixed(3), rows.clone(), columns.clone()]);
        }
        let arrays: Vec<String> =
            args.iter().map(|arg| self.numbers(*arg)).collect::<Result<_>>()?;
        let at: Position = batch.iter().map(|size| self.open(size)).collect();
        let here = self.linear(&batch, &at);
        let step = |writer: &Self, name: &str, shape: &[Dim]| -> String {
            let size = writer.dim(&volume(shape));
            match (batch.is_empty(), size.as_str()) {
                (true, _) => name.to_string(),
                (false, "1") => format!("{name} + {here}"),
                _ => format!("{name} + ({here}) * {size}"),
            }
        };
        let text = template::fill(spec.c, |key, _| match key {
            "m" => self.dim(&rows),
            "n" => self.dim(&columns),
            "columns" => width.clone(),
            "work" => work.clone(),
            "out" => {
                let place = step(self, out, &graph.shape(id)[lead..]);
                if place.contains(' ') { format!("({place})") } else { place }
            }
            _ => {
                let at: usize = key.parse().unwrap_or(0);
                match ranks.get(at) {
                    Some(0) => format!("{}[{here}]", arrays[at]),
                    _ => step(self, &arrays[at], &graph.shape(args[at])[lead..]),
                }
            }
        });
        self.line(&text);
        batch.iter().for_each(|_| self.close());
        Ok(())
    }

    /// Rows added up where the indices say.
    fn scatter(&mut self, id: NodeId, out: &str) -> Result<()> {
        let graph = self.graph;
        let (rows, index) = (graph.args(id)[0], graph.args(id)[1]);
        let shape = graph.shape(id).clone();
        let at: Position = shape.iter().map(|size| self.open(size)).collect();
        let target = self.linear(&shape, &at);
        self.line(&format!("{out}[{target}] = 0;"));
        shape.iter().for_each(|_| self.close());
        let picked = graph.rank(index);
        let whole = graph.shape(rows).clone();
        let at: Position = whole.iter().map(|size| self.open(size)).collect();
        let row = self.index(index, &at[..picked].to_vec())?;
        let place: Position = std::iter::once(row).chain(at[picked..].iter().cloned()).collect();
        let target = self.linear(&shape, &place);
        let value = self.entry(rows, &at)?;
        self.flush();
        self.line(&format!("{out}[{target}] += {};", value.at(Bind::Sum)));
        whole.iter().for_each(|_| self.close());
        Ok(())
    }

    /// A state carried along the first axis.
    fn scan(&mut self, id: NodeId, body: BodyId, out: &str) -> Result<()> {
        let graph = self.graph;
        let body = &graph.bodies[body.0 as usize];
        let args = graph.args(id);
        let (sequences, captures) = args[1..].split_at(body.entries.len());
        let start = self.numbers(args[0])?;
        let kept = (self.places.clone(), self.whole.clone());
        for (capture, arg) in body.captures.iter().zip(captures) {
            let place = self.place(*arg);
            self.places.extend(place.map(|place| (*capture, place)));
        }
        let own = body.entries.iter().zip(sequences).chain(body.captures.iter().zip(captures));
        for (stand_in, arg) in own {
            match self.is_whole(*arg) {
                true => self.whole.insert(*stand_in),
                false => self.whole.remove(stand_in),
            };
        }
        let rows: Vec<String> =
            sequences.iter().map(|arg| self.array(*arg)).collect::<Result<_>>()?;
        let shape = graph.shape(id).clone();
        let step = self.open(&shape[0]);
        let state_size = self.dim(&volume(&shape[1..]));
        let state = self.fresh("state");
        self.line(&format!(
            "const real *const {state} = {step} == 0 ? {start} : {out} + ({step} - 1) * {state_size};"
        ));
        self.line(&format!("(void){state};"));
        self.places.insert(body.state, Place::Array(state));
        for (entry, row) in body.entries.iter().zip(rows) {
            let name = self.fresh("x");
            let size = self.dim(&volume(graph.shape(*entry)));
            let kind = if self.is_whole(*entry) { "size_t" } else { "real" };
            self.line(&format!("const {kind} *const {name} = {row} + {step} * {size};"));
            self.line(&format!("(void){name};"));
            self.places.insert(*entry, Place::Array(name));
        }
        let next = self.fresh("next");
        self.line(&format!("real *const {next} = {out} + {step} * {state_size};"));
        self.compute(&[body.result], &[(body.result, next.clone())])?;
        if !matches!(self.place(body.result), Some(Place::Array(name)) if name == next) {
            self.nest(body.result, &Place::Array(next), true)?;
        }
        self.close();
        (self.places, self.whole) = kept;
        Ok(())
    }
}
