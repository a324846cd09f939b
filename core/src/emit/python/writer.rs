//! The body of one function. In: nodes. Out: statements that compute them, arguments first, each node once.
//!
//! A node gets a variable if the program names it, if it is used more than once, or if its expression would be long. All
//! others stand where they are used.

use super::dialect::Library;
use super::layout::statement;
use super::names::Names;
use super::value::{Bind, Gives, Value};
use crate::emit::declared::whole;
use crate::emit::names::Scope;
use crate::ir::walk::Marks;
use crate::ir::{Dim, DimId, Graph, NodeId, Op};
use crate::ops::{self, Operator};
use crate::plan::factors::{Scales, scales};
use chainrule_grammar::ast::CompareOp;
use chainrule_grammar::{Code, Diagnostic, Span};
use std::collections::{BTreeMap, BTreeSet};

/// From this many characters on, an expression gets a variable.
const LONG: usize = 70;
/// An expression may have so many where its arguments are variables.
const ROOM: usize = 80;
/// More arguments than this are longer than that even as variables.
const MANY: usize = ROOM / 2;
/// So short an expression stays where it is used.
const SHORT: usize = 8;

/// What can be said of a node, or why it cannot.
pub type Result<T> = std::result::Result<T, Diagnostic>;

/// A function being written.
pub struct Writer<'a> {
    /// Where the nodes are.
    pub graph: &'a Graph,
    /// Which library.
    pub library: Library,
    /// What things are called.
    pub names: &'a Names,
    /// The statements so far.
    pub lines: Vec<String>,
    /// The open sizes that they use.
    pub sizes: BTreeSet<DimId>,
    /// The names that stand for numbers of Python rather than arrays.
    pub plain: BTreeSet<String>,
    /// How far statements are indented.
    pub indent: usize,
    pub(super) values: BTreeMap<NodeId, Value>,
    pub(super) scope: Scope,
    /// The products of entries that nodes are made of, with those nodes; and those of them that get a variable, once they have it.
    pub products: BTreeMap<String, BTreeSet<NodeId>>,
    pub(super) shared: BTreeMap<String, Option<String>>,
    pub(super) current: Option<NodeId>,
    pub(super) scales: Scales,
    /// Questions whether a number is over 0, each with a value that is over 0 where the number is.
    pub(super) alike: BTreeMap<NodeId, NodeId>,
}

impl<'a> Writer<'a> {
    /// An empty function.
    pub fn new(graph: &'a Graph, library: Library, names: &'a Names) -> Writer<'a> {
        Writer {
            graph,
            library,
            names,
            lines: Vec::new(),
            sizes: BTreeSet::new(),
            plain: BTreeSet::new(),
            indent: 1,
            values: BTreeMap::new(),
            scope: names.scope.clone(),
            products: BTreeMap::new(),
            shared: BTreeMap::new(),
            current: None,
            scales: Scales::default(),
            alike: BTreeMap::new(),
        }
    }

    /// The same function anew, with variables for the products that several nodes have in common; nothing where all have one.
    pub fn with_shared(&self) -> Option<Writer<'a>> {
        let often = self.products.iter().filter(|(_, nodes)| nodes.len() > 1);
        let often: Vec<&String> =
            often.map(|(text, _)| text).filter(|text| !self.shared.contains_key(*text)).collect();
        if often.is_empty() {
            return None;
        }
        let mut anew = Writer::new(self.graph, self.library, self.names);
        let all = self.shared.keys().chain(often);
        anew.shared = all.map(|text| (text.clone(), None)).collect();
        Some(anew)
    }

    /// Adds a statement.
    pub fn line(&mut self, text: &str) {
        self.lines.push(statement(self.indent, text));
    }

    /// Writes what the roots need, and gives the expression of each, an array with all of its axes.
    ///
    /// # Errors
    /// A node that there is no code for.
    pub fn write(&mut self, roots: &[NodeId]) -> Result<Vec<String>> {
        Ok(self.write_apart(&[], roots)?.0)
    }

    /// The same where what the first roots need comes first; also how many statements that are.
    ///
    /// # Errors
    /// A node that there is no code for.
    pub fn write_apart(
        &mut self,
        first: &[NodeId],
        rest: &[NodeId],
    ) -> Result<(Vec<String>, usize)> {
        let roots = [first, rest].concat();
        let results: Marks = roots.iter().copied().collect();
        let fixed = |id: NodeId| results.contains(id) || self.names.nodes.contains_key(&id);
        let order = self.graph.reachable(&roots);
        self.scales = scales(self.graph, &order, &fixed);
        self.alike = alike(self.graph, &order);
        let uses = self.uses(&order, &roots);
        self.compute(self.graph.reachable(first), &uses)?;
        let mut texts: Vec<String> = first.iter().map(|root| self.result(*root)).collect();
        let count = self.lines.len();
        self.compute(order, &uses)?;
        texts.extend(rest.iter().map(|root| self.result(*root)));
        Ok((texts, count))
    }

    /// A root as an array of numbers.
    fn result(&mut self, root: NodeId) -> String {
        let repeats = self.number(root).axes.len() < self.graph.rank(root);
        let value = self.exact(root);
        let text = self.lifted(&value).text;
        // What repeats entries shares them: a result is the caller's own.
        match (repeats && text.contains("broadcast_to"), self.library) {
            (true, Library::NumPy) => format!("np.array({text})"),
            (true, Library::Torch) => format!("{text}.clone()"),
            _ => text,
        }
    }

    /// Values for everything that a node depends on.
    pub(super) fn compute_one(&mut self, root: NodeId) -> Result<()> {
        let order = self.graph.reachable(&[root]);
        self.alike.extend(alike(self.graph, &order));
        let uses = self.uses(&order, &[root]);
        self.compute(order, &uses)
    }

    /// Values for nodes, arguments first.
    fn compute(&mut self, mut order: Vec<NodeId>, uses: &BTreeMap<NodeId, usize>) -> Result<()> {
        order.sort_by_key(|id| !self.scales.early.contains(id));
        for id in order {
            if self.values.contains_key(&id) {
                continue;
            }
            self.current = Some(id);
            let value = self.node(id)?;
            let value = self.shortened(id, value)?;
            let light = self.is_light(id) || value.is_word() || self.is_gate(&value);
            let often = uses.get(&id).copied().unwrap_or(0) > 1 && !light;
            let scan = matches!(self.graph.op(id), Op::Scan(_));
            let named = self.names.nodes.contains_key(&id) && !scan;
            let long = value.text.len() > LONG && !scan;
            let value = if named || often && !scan || long { self.bind(id, value) } else { value };
            self.values.insert(id, value);
        }
        Ok(())
    }

    /// A node's expression with variables for the longest of its arguments, where it would not fit on a line.
    fn shortened(&mut self, id: NodeId, mut value: Value) -> Result<Value> {
        if matches!(self.graph.op(id), Op::Scan(_)) {
            return Ok(value);
        }
        let args = self.graph.args(id).to_vec();
        while value.text.len() > ROOM {
            let mut long = self.long(id);
            // So many do not fit on a line, whatever they are called: all get a variable at once.
            if args.len() <= MANY {
                long.truncate(1);
            }
            if long.is_empty() {
                break;
            }
            for arg in long {
                let bound = self.values[&arg].clone();
                if !bound.is_word() {
                    let bound = self.bind(arg, bound);
                    self.values.insert(arg, bound);
                }
            }
            // What is said through them is said anew.
            for &arg in &args {
                if self.is_see_through(arg) {
                    let anew = self.node(arg)?;
                    self.values.insert(arg, anew);
                }
            }
            value = self.node(id)?;
        }
        Ok(value)
    }

    /// The arguments whose expressions are long enough to be worth a variable, the longest first.
    fn long(&self, id: NodeId) -> Vec<NodeId> {
        let args = self.graph.args(id).iter().rev().map(|arg| {
            let through = self.is_see_through(*arg) && !matches!(self.graph.op(*arg), Op::Var(_));
            if through { self.graph.args(*arg)[0] } else { *arg }
        });
        let length = |node: &NodeId| match self.values.get(node) {
            Some(value) if !value.is_word() => value.text.len(),
            _ => 0,
        };
        let mut long: Vec<NodeId> =
            args.filter(|arg| length(arg) > SHORT && !self.is_light(*arg)).collect();
        long.sort_by_key(|arg| std::cmp::Reverse(length(arg)));
        long
    }

    /// How often each node's expression would stand in the text.
    fn uses(&self, order: &[NodeId], roots: &[NodeId]) -> BTreeMap<NodeId, usize> {
        let mut uses = BTreeMap::new();
        let mut count = |mut id: NodeId| {
            while self.is_see_through(id) {
                id = self.graph.args(id)[0];
            }
            *uses.entry(id).or_insert(0) += 1;
        };
        roots.iter().for_each(|root| count(*root));
        for &id in order.iter().filter(|id| !self.is_see_through(**id)) {
            self.read(id).into_iter().for_each(&mut count);
        }
        uses
    }

    /// What the expression of a node is made of.
    pub(super) fn read(&self, id: NodeId) -> Vec<NodeId> {
        let args = self.graph.args(id);
        match self.alike.get(&id) {
            Some(value) => [&[*value], &args[1..]].concat(),
            None => args.to_vec(),
        }
    }

    /// Whether a node is cheap to say wherever it is used.
    fn is_light(&self, id: NodeId) -> bool {
        let leaf = matches!(
            self.graph.op(id),
            Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_) | Op::Range(_) | Op::Delta(_)
        );
        leaf || self.is_see_through(id)
    }

    /// Whether a value says where a variable is positive, which PyTorch's products are told in one call.
    fn is_gate(&self, value: &Value) -> bool {
        let word = |text: &str| Value::plain(text, Bind::Atom).is_word();
        self.library == Library::Torch
            && value.gives == Gives::Truth
            && value.text.strip_suffix(" > 0").is_some_and(word)
    }

    /// Whether a node is said through its argument: a repetition along new axes, another order of axes, a reciprocal.
    fn is_see_through(&self, id: NodeId) -> bool {
        if self.names.nodes.contains_key(&id) {
            return false;
        }
        match self.graph.op(id) {
            Op::Einsum(e) => {
                self.graph.args(id).len() == 1
                    && e.bound().is_empty()
                    && (0..e.ins[0].len()).all(|at| !e.ins[0][..at].contains(&e.ins[0][at]))
            }
            Op::Pow(exponent) => exponent.as_int() == Some(-1),
            _ => false,
        }
    }

    /// A variable for a value.
    pub(super) fn bind(&mut self, id: NodeId, value: Value) -> Value {
        let name = match self.names.nodes.get(&id) {
            Some(name) => name.clone(),
            None => self.fresh("r"),
        };
        let value = self.as_number(value);
        self.line(&format!("{name} = {}", value.text));
        if value.gives == Gives::Plain {
            self.plain.insert(name.clone());
        }
        Value { text: name, bind: Bind::Atom, ..value }
    }

    /// A name that nothing else has.
    pub(super) fn fresh(&mut self, stem: &str) -> String {
        self.scope.fresh(stem)
    }

    /// The value of a node that has been computed, in numbers.
    pub(super) fn number(&self, id: NodeId) -> Value {
        let value = self.values.get(&id).cloned();
        let value = self.as_number(value.unwrap_or_else(|| Value::plain("0", Bind::Atom)));
        if !self.is_whole(id) {
            return value;
        }
        // Which would be of 64 bits beside numbers of 32.
        let cast = if self.library == Library::Torch { "to" } else { "astype" };
        Value { text: format!("{}.{cast}(DTYPE)", value.text), ..value }
    }

    /// Whether a value is a declared array of whole numbers.
    pub(super) fn is_whole(&self, id: NodeId) -> bool {
        matches!(self.graph.op(id), Op::Var(var) if self.graph.var(*var).int)
    }

    /// Truth values as 0 and 1.
    pub(super) fn as_number(&self, value: Value) -> Value {
        match value.gives {
            Gives::Truth => {
                let text = match (self.library, value.text.strip_suffix(" > 0")) {
                    (Library::Torch, Some(of)) => format!("_step({of})"),
                    _ => format!("{}({}, dtype=DTYPE)", self.library.array(), value.text),
                };
                Value { text, bind: Bind::Atom, gives: Gives::Array, ..value }
            }
            _ => value,
        }
    }

    /// A number of Python as an array.
    pub(super) fn lifted(&self, value: &Value) -> Value {
        match value.gives {
            Gives::Plain => {
                let text = format!("{}({}, dtype=DTYPE)", self.library.array(), value.text);
                Value { text, bind: Bind::Atom, gives: Gives::Array, ..value.clone() }
            }
            _ => value.clone(),
        }
    }

    /// A node's value as an array that has all of its axes.
    pub(super) fn exact(&mut self, id: NodeId) -> Value {
        let value = self.number(id);
        let shape = self.graph.shape(id).clone();
        if value.axes.len() == shape.len() {
            return value;
        }
        let xp = self.library.xp();
        if value.gives == Gives::Plain {
            let text = format!("{xp}.full({}, {}, dtype=DTYPE)", self.shape(&shape), value.text);
            return Value::array(text, Bind::Atom, shape.len());
        }
        let slots: Vec<&str> = (0..shape.len())
            .map(|axis| if value.axes.contains(&axis) { ":" } else { "None" })
            .collect();
        let text = format!("{}[{}]", value.at(Bind::Atom), slots.join(", "));
        if slots.iter().zip(&shape).all(|(slot, size)| *slot == ":" || size.is_one()) {
            return Value::array(text, Bind::Atom, shape.len());
        }
        let aligned = value.against(&(0..shape.len()).collect::<Vec<_>>());
        let text = format!("{xp}.broadcast_to({}, {})", aligned.text, self.shape(&shape));
        Value::array(text, Bind::Atom, shape.len())
    }

    /// Sizes as a tuple.
    pub(super) fn shape(&mut self, shape: &[Dim]) -> String {
        let sizes: Vec<String> = shape.iter().map(|dim| self.dim(dim).text).collect();
        tuple(&sizes)
    }

    /// A size.
    pub(super) fn dim(&mut self, dim: &Dim) -> Value {
        self.sizes.extend(dim.names());
        dim_text(self.names, dim)
    }

    /// The error for a node that there is no code for.
    pub(super) fn unsupported<T>(&self, id: NodeId, what: &str) -> Result<T> {
        let span = self.graph.spans.get(&id).copied().unwrap_or(Span::default());
        let message = format!("{} code for {what} is not written yet", self.library.title());
        Err(Diagnostic::new(Code::Unsupported, span, message))
    }
}

/// Whether numbers are over 0 is read off functions of them that come first and say it as well: then the numbers need not be kept.
fn alike(graph: &Graph, order: &[NodeId]) -> BTreeMap<NodeId, NodeId> {
    let mut values: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for &id in order {
        let Op::Call(op, _) = graph.op(id) else { continue };
        let (row, args) = (ops::spec(*op), graph.args(id));
        if row.positive_alike {
            values.insert(args[0], id);
        }
        let above =
            row.operator == Some(Operator::Compare(CompareOp::Gt)) && graph.is_zero(args[1]);
        if let (true, Some(value)) = (above, values.get(&args[0])) {
            found.insert(id, *value);
        }
    }
    found
}

/// A tuple of expressions.
pub fn tuple(parts: &[String]) -> String {
    match parts {
        [one] => format!("({one},)"),
        _ => format!("({})", parts.join(", ")),
    }
}

/// A size in whole numbers.
pub fn dim_text(names: &Names, dim: &Dim) -> Value {
    let (text, scale) = whole(dim, &names.dims, "-");
    let terms: Vec<_> = dim.terms.iter().collect();
    let bind = match terms.as_slice() {
        [] => return Value::plain("0", Bind::Atom),
        [(_, c)] if c.is_negative() => Bind::Minus,
        [(factors, c)] if factors.is_empty() || (factors.len() == 1 && c.is_one()) => Bind::Atom,
        [_] => Bind::Product,
        _ => Bind::Sum,
    };
    let value = Value::plain(text, bind);
    if scale == 1 {
        return value;
    }
    Value::plain(format!("{} // {scale}", value.at(Bind::Product)), Bind::Product)
}
