//! The body of one function. In: nodes and where their values go. Out: statements that fill every place once, arguments first.
//!
//! A node gets a place if the program names it, if it is used more than once, if a loop would compute it again and again, or if a
//! function wants its whole array. All others are worked out where they are used.

use super::entry::Expr;
use super::names::Names;
use crate::emit::names::Scope;
use crate::emit::python::value::Bind;
use crate::ir::walk::Marks;
use crate::ir::{Dim, Graph, Ix, NodeId, Num, Op};
use crate::ops::{self, Kind};
use crate::plan::lin::volume;
use chainrule_grammar::{Code, Diagnostic, Span};
use std::collections::{BTreeMap, BTreeSet};

/// From this depth on, an expression gets a place.
const DEEP: usize = 8;

/// What can be said, or why it cannot.
pub type Result<T> = std::result::Result<T, Diagnostic>;

/// Where a value stands.
#[derive(Clone, Debug)]
pub enum Place {
    /// A number of this name.
    Number(String),
    /// A row-major array of this name.
    Array(String),
}

/// A function being written.
pub struct Writer<'a> {
    /// Where the nodes are.
    pub graph: &'a Graph,
    /// What things are called.
    pub names: &'a Names,
    /// The statements so far.
    pub lines: Vec<String>,
    /// The statements that take room from the workspace.
    pub rooms: Vec<String>,
    /// How many numbers the workspace must have room for.
    pub room: Dim,
    pub(super) places: BTreeMap<NodeId, Place>,
    /// Stand-ins of scans and reshaped arrays whose places hold whole numbers, `size_t`.
    pub(super) whole: BTreeSet<NodeId>,
    pub(super) indent: usize,
    /// The loop variables of the summed indices of the contraction that is written now.
    pub(super) summed: Vec<(Ix, String)>,
    prelude: Vec<String>,
    indices: Vec<String>,
    depth: usize,
    scope: Scope,
}

impl<'a> Writer<'a> {
    /// An empty function.
    pub fn new(graph: &'a Graph, names: &'a Names, scope: Scope) -> Writer<'a> {
        Writer {
            graph,
            names,
            lines: Vec::new(),
            rooms: Vec::new(),
            room: Dim::fixed(0),
            places: BTreeMap::new(),
            whole: BTreeSet::new(),
            indent: 1,
            summed: Vec::new(),
            prelude: Vec::new(),
            indices: Vec::new(),
            depth: 0,
            scope,
        }
    }

    /// Writes the roots to the arrays of these names.
    ///
    /// # Errors
    /// A node that there is no code for.
    pub fn write(&mut self, roots: &[(NodeId, String)]) -> Result<()> {
        let nodes: Vec<NodeId> = roots.iter().map(|(node, _)| *node).collect();
        self.compute(&nodes, roots)?;
        for (node, out) in roots {
            if !matches!(self.place(*node), Some(Place::Array(name)) if name == *out) {
                self.nest(*node, &Place::Array(out.clone()), true)?;
            }
        }
        Ok(())
    }

    /// Fills the places that the roots need; a root that gets a place of its own gets the one that it is wanted in.
    pub(super) fn compute(&mut self, nodes: &[NodeId], wanted: &[(NodeId, String)]) -> Result<()> {
        let order = self.graph.reachable(nodes);
        // Of several results that are one node, the first.
        let outs: BTreeMap<NodeId, &String> =
            wanted.iter().rev().map(|(root, out)| (*root, out)).collect();
        for id in self.stored(&order, &nodes.iter().copied().collect()) {
            if self.place(id).is_some() {
                continue;
            }
            if let (Op::Reshape, [arg]) = (self.graph.op(id), self.graph.args(id)) {
                let place = match self.place(*arg) {
                    Some(Place::Number(name)) => Place::Array(format!("(&{name})")),
                    Some(place) => place,
                    None => return self.unsupported(id, "this reshape"),
                };
                if self.is_whole(*arg) {
                    self.whole.insert(id);
                }
                self.places.insert(id, place);
                continue;
            }
            let place = match outs.get(&id) {
                Some(out) => Place::Array((*out).clone()),
                None => self.make_place(id),
            };
            self.fill(id, &place)?;
            self.places.insert(id, place);
        }
        Ok(())
    }

    /// A number or a part of the workspace for a node.
    fn make_place(&mut self, id: NodeId) -> Place {
        let name = match self.graph.names.get(&id) {
            Some(name) => self.scope.claim(name),
            None => self.fresh("r"),
        };
        if self.graph.rank(id) == 0 && self.is_entrywise(id) {
            return Place::Number(name);
        }
        self.buffer(&name, &self.graph.shape(id).clone());
        Place::Array(name)
    }

    /// Takes room from the workspace.
    pub(super) fn buffer(&mut self, name: &str, shape: &[Dim]) {
        let size = volume(shape);
        let text = self.names.dim(&size);
        self.rooms.push(format!("real *const {name} = work;"));
        let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(&text);
        self.rooms.push(format!("work += {text};"));
        self.room = self.room.plus(&size, Num::ONE);
    }

    fn fill(&mut self, id: NodeId, place: &Place) -> Result<()> {
        if self.is_entrywise(id) { self.nest(id, place, false) } else { self.special(id, place) }
    }

    /// Whether a node is filled entry by entry.
    fn is_entrywise(&self, id: NodeId) -> bool {
        match self.graph.op(id) {
            Op::Call(op, _) => matches!(ops::spec(*op).kind, Kind::Elementwise),
            Op::Scatter(_) | Op::Scan(_) | Op::Deriv => false,
            _ => true,
        }
    }

    /// Loops over a node's entries; a copy reads them from where they stand.
    pub(super) fn nest(&mut self, id: NodeId, place: &Place, copy: bool) -> Result<()> {
        let shape = self.graph.shape(id).clone();
        let at: Vec<String> = shape.iter().map(|size| self.open(size)).collect();
        let bound: Vec<(Ix, Dim)> = match self.graph.op(id) {
            Op::Einsum(e) if !(copy && self.place(id).is_some()) => {
                e.bound().into_iter().map(|ix| (ix, e.sizes[ix as usize].clone())).collect()
            }
            _ => Vec::new(),
        };
        let target = match place {
            Place::Number(name) => name.clone(),
            Place::Array(name) => format!("{name}[{}]", self.linear(&shape, &at)),
        };
        let declare = if matches!(place, Place::Number(_)) { "real " } else { "" };
        if bound.is_empty() {
            let value = if copy { self.entry(id, &at)? } else { self.formula(id, &at)? };
            self.flush();
            self.line(&format!("{declare}{target} = {};", value.at(Bind::Loose)));
        } else {
            let total = if shape.is_empty() { target.clone() } else { self.fresh("sum") };
            let start = if shape.is_empty() {
                format!("{declare}{total}")
            } else {
                format!("real {total}")
            };
            self.line(&format!("{start} = 0;"));
            for (ix, size) in &bound {
                let name = self.open(size);
                self.summed.push((*ix, name));
            }
            let value = self.formula(id, &at)?;
            self.flush();
            self.line(&format!("{total} += {};", value.at(Bind::Sum)));
            bound.iter().for_each(|_| self.close());
            if !shape.is_empty() {
                self.line(&format!("{target} = {total};"));
            }
        }
        shape.iter().for_each(|_| self.close());
        Ok(())
    }

    /// Opens a loop and gives its variable.
    pub(super) fn open(&mut self, size: &Dim) -> String {
        while self.indices.len() <= self.depth {
            let letters = ["i", "j", "k", "l", "m", "n", "o", "p", "q"];
            let name = letters.iter().find_map(|letter| self.scope.take(letter));
            let name = name.unwrap_or_else(|| self.fresh("i"));
            self.indices.push(name);
        }
        let name = self.indices[self.depth].clone();
        let size = self.dim(size);
        self.line(&format!("for (size_t {name} = 0; {name} < {size}; {name}++) {{"));
        self.depth += 1;
        self.indent += 1;
        name
    }

    /// Closes the innermost loop.
    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.indent -= 1;
        self.line("}");
    }

    /// A variable for an expression that is written more than once.
    pub(super) fn local(&mut self, value: &Expr) -> Expr {
        let name = self.fresh("t");
        self.prelude.push(format!("const real {name} = {};", value.at(Bind::Loose)));
        Expr::new(name, Bind::Atom)
    }

    /// Writes the variables that the next statement uses.
    pub(super) fn flush(&mut self) {
        for line in std::mem::take(&mut self.prelude) {
            self.line(&line);
        }
    }

    /// Adds a statement.
    pub(super) fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", "    ".repeat(self.indent)));
    }

    /// A name that nothing else has.
    pub(super) fn fresh(&mut self, stem: &str) -> String {
        self.scope.fresh(stem)
    }

    /// Where a node stands, if it does.
    pub(super) fn place(&self, id: NodeId) -> Option<Place> {
        if let Some(place) = self.places.get(&id) {
            return Some(place.clone());
        }
        match self.graph.op(id) {
            Op::Var(var) => {
                let name = self.names.vars.get(var)?.clone();
                Some(if self.graph.rank(id) == 0 {
                    Place::Number(name)
                } else {
                    Place::Array(name)
                })
            }
            _ => None,
        }
    }

    /// Whether the place of a node holds whole numbers.
    pub(super) fn is_whole(&self, id: NodeId) -> bool {
        let declared = matches!(self.graph.op(id), Op::Var(var) if self.graph.var(*var).int);
        declared || self.whole.contains(&id)
    }

    /// A size.
    pub(super) fn dim(&self, dim: &Dim) -> String {
        self.names.dim(dim)
    }

    /// The nodes that get a place, in order.
    fn stored(&self, order: &[NodeId], roots: &Marks) -> Vec<NodeId> {
        let graph = self.graph;
        let mut whole: BTreeSet<NodeId> = BTreeSet::new();
        let mut uses: BTreeMap<NodeId, usize> = BTreeMap::new();
        for &id in order {
            whole.extend(self.wanted_whole(id));
            if !self.is_see_through(id) {
                for &arg in graph.args(id) {
                    let mut arg = arg;
                    while self.is_see_through(arg) {
                        arg = graph.args(arg)[0];
                    }
                    *uses.entry(arg).or_insert(0) += 1;
                }
            }
        }
        let mut depth: BTreeMap<NodeId, usize> = BTreeMap::new();
        let mut stored = Vec::new();
        for &id in order {
            let inner = graph.args(id).iter().filter_map(|arg| depth.get(arg)).max();
            let deep = inner.map_or(0, |deepest| deepest + 1);
            let often = uses.get(&id).copied().unwrap_or(0) > 1 && !self.is_light(id);
            let summed = matches!(graph.op(id), Op::Einsum(e) if !e.bound().is_empty());
            let named = graph.names.contains_key(&id);
            // Another shape of an array is the same array.
            let alias = matches!(graph.op(id), Op::Reshape);
            let own = summed
                || alias
                || !self.is_entrywise(id)
                || roots.contains(id) && !self.is_light(id);
            let keep = own || named || often || deep > DEEP || whole.contains(&id);
            if keep && !self.is_real_var(id) {
                stored.push(id);
            } else {
                depth.insert(id, deep);
            }
        }
        stored
    }

    fn is_real_var(&self, id: NodeId) -> bool {
        matches!(self.graph.op(id), Op::Var(_))
    }

    /// Arguments whose whole array a node reads, or that its loops would compute again and again.
    fn wanted_whole(&self, id: NodeId) -> Vec<NodeId> {
        let graph = self.graph;
        let args = graph.args(id);
        match graph.op(id) {
            Op::Einsum(e) if !e.bound().is_empty() => {
                let again = |ins: &Vec<Ix>| (0..e.sizes.len() as Ix).any(|ix| !ins.contains(&ix));
                let read = args.iter().zip(&e.ins).filter(|(_, ins)| again(ins));
                read.map(|(arg, _)| *arg).filter(|arg| !self.is_light(*arg)).collect()
            }
            Op::View(_) | Op::Reshape => args.to_vec(),
            // An entry of an identity matrix is a comparison.
            Op::Gather if matches!(graph.op(args[0]), Op::Delta(_)) => Vec::new(),
            Op::Gather => vec![args[0]],
            _ if !self.is_entrywise(id) => args.to_vec(),
            _ => Vec::new(),
        }
    }

    /// Whether an entry costs nothing to work out again.
    fn is_light(&self, id: NodeId) -> bool {
        let leaf = matches!(
            self.graph.op(id),
            Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_) | Op::Range(_) | Op::Delta(_)
        );
        leaf || matches!(self.graph.op(id), Op::Einsum(_) if self.graph.args(id).is_empty())
            || self.is_see_through(id)
    }

    /// Whether a node only reads its argument in another order.
    fn is_see_through(&self, id: NodeId) -> bool {
        !self.graph.names.contains_key(&id)
            && match self.graph.op(id) {
                Op::Einsum(e) => self.graph.args(id).len() == 1 && e.bound().is_empty(),
                _ => false,
            }
    }

    /// The error for a node that there is no code for.
    pub(super) fn unsupported<T>(&self, id: NodeId, what: &str) -> Result<T> {
        let span = self.graph.spans.get(&id).copied().unwrap_or(Span::default());
        let message = format!("C code for {what} is not written yet");
        Err(Diagnostic::new(Code::Unsupported, span, message))
    }
}
