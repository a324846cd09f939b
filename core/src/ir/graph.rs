//! The hash-consed arena. A node is built once: equal formulas are one node, so common subexpressions are shared.
//! The order in which a product's or a sum's arguments are shown is that of its first construction; the key is sorted.

use super::hash::Map;
use super::num::Num;
use super::ty::{Dim, DimId, Shape};
use super::{Attrs, Einsum, Ix, NamedConst, Node, Op, View};
use crate::few::{self, Each};
use crate::ops::OpId;
use chainrule_grammar::Span;
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

/// A node of one [`Graph`]. A node's arguments have smaller ids than the node itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A declared tensor; an index into [`Graph::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// What a variable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VarKind {
    /// Data.
    Input,
    /// Data that the loss compares with.
    Target,
    /// What the losses are differentiated by.
    Param,
    /// The direction of an HVP or JVP, or a stand-in inside of a rule.
    Direction,
}

/// A declared tensor.
#[derive(Clone, Debug)]
pub struct Var {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: VarKind,
    /// Whether its entries are integers.
    pub int: bool,
    /// Its shape.
    pub shape: Shape,
    /// Declared facts.
    pub facts: Vec<Fact>,
    /// Its documentation.
    pub doc: Vec<String>,
    /// Where it was declared.
    pub span: Span,
}

/// The step of a scan; an index into [`Graph::bodies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BodyId(pub u32);

/// The step of a scan: a closed formula over stand-in variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What the program calls it; empty for one that differentiation made.
    pub name: String,
    /// Stands for the state before the step.
    pub state: NodeId,
    /// Stand for the entries of the sequences.
    pub entries: Vec<NodeId>,
    /// Stand for what the step uses from outside.
    pub captures: Vec<NodeId>,
    /// The state after the step.
    pub result: NodeId,
    /// Whether the result is not the next state, but something else that a step finds: the states are those of the scan that is the last
    /// argument, which has the same stand-ins. Planning alone makes such.
    pub follows: bool,
}

/// What may be declared of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// Each row has a single 1, else 0.
    OneHot,
    /// Rows are nonnegative and sum to one.
    Simplex,
    /// Equal to its transpose.
    Symmetric,
    /// Every entry over 0.
    Positive,
    /// Every entry at least 0.
    Nonnegative,
    /// Symmetric with positive eigenvalues.
    Spd,
    /// Its transpose is its inverse.
    Orthogonal,
    /// 0 off the diagonal.
    Diagonal,
    /// 0 above the diagonal.
    Triangular,
    /// Rows of length one.
    Unit,
}

impl Fact {
    /// All facts with their spelling.
    pub const ALL: &'static [(&'static str, Fact)] = &[
        ("one_hot", Fact::OneHot),
        ("simplex", Fact::Simplex),
        ("symmetric", Fact::Symmetric),
        ("positive", Fact::Positive),
        ("nonnegative", Fact::Nonnegative),
        ("spd", Fact::Spd),
        ("orthogonal", Fact::Orthogonal),
        ("diagonal", Fact::Diagonal),
        ("triangular", Fact::Triangular),
        ("unit", Fact::Unit),
    ];
}

/// A `dim` name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DimInfo {
    /// As the user wrote it.
    pub name: String,
}

/// The arena. Nodes are only ever added.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    memo: Map<(Op, Vec<NodeId>, Shape), NodeId>,
    /// Declared tensors.
    pub vars: Vec<Var>,
    /// Names of the sizes that are not fixed.
    pub dims: Vec<DimInfo>,
    /// Steps of scans.
    pub bodies: Vec<Body>,
    /// What is known of their derivatives.
    pub adjoints: super::steps::Adjoints,
    /// The program's named numbers.
    pub consts: Vec<(String, Num)>,
    /// Functions of the language whose names the program's own functions take: formulas write them `std.name`.
    pub hidden: Vec<String>,
    /// The user's names of nodes (definitions, losses, outputs). Formulas stop at a named node and print its name.
    pub names: BTreeMap<NodeId, String>,
    /// The index letters that the user gave to axes of a size, in order of preference.
    pub letters: Vec<(Dim, String)>,
    /// Where a node was written, for errors.
    pub spans: BTreeMap<NodeId, Span>,
    /// What positions leave of the axes that they are read from: where one of these is below 0, a position is outside.
    pub rooms: Vec<Dim>,
}

impl Graph {
    /// Notes what a position leaves of an axis, where the sizes alone do not tell that it is inside; of several that differ by a number,
    /// the least.
    pub fn needs_room(&mut self, left: Dim) {
        if left.least().is_some_and(|least| !least.is_negative()) {
            return;
        }
        let (named, number) = left.apart();
        match self.rooms.iter_mut().find(|known| known.apart().0 == named) {
            Some(known) if number < known.apart().1 => *known = left,
            Some(_) => {}
            None => self.rooms.push(left),
        }
    }

    /// The node of an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Kind.
    pub fn op(&self, id: NodeId) -> &Op {
        &self.node(id).op
    }

    /// Arguments.
    pub fn args(&self, id: NodeId) -> &[NodeId] {
        &self.node(id).args
    }

    /// Shape.
    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.node(id).shape
    }

    /// Number of axes.
    pub fn rank(&self, id: NodeId) -> usize {
        self.node(id).shape.len()
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The declared tensor of a `Var`.
    pub fn var(&self, id: VarId) -> &Var {
        &self.vars[id.0 as usize]
    }

    /// The user's name of a node: a definition's, or a declared tensor's.
    pub fn name(&self, id: NodeId) -> Option<&str> {
        match self.op(id) {
            Op::Var(var) => Some(&self.var(*var).name),
            _ => self.names.get(&id).map(String::as_str),
        }
    }

    /// A size as the language writes it.
    pub fn show_dim(&self, dim: &Dim) -> String {
        dim.show(&|id: DimId| self.dims[id.0 as usize].name.clone())
    }

    /// A shape as messages write it: `[B, N]`, or `a scalar`.
    pub fn show_shape(&self, shape: &[Dim]) -> String {
        if shape.is_empty() {
            return "a scalar".to_string();
        }
        format!("[{}]", shape.each(|dim| self.show_dim(dim)).join(", "))
    }

    /// The node of this kind, arguments and shape, built now if it is new.
    pub fn push(&mut self, op: Op, args: Vec<NodeId>, shape: Shape) -> NodeId {
        let (key_op, key_args) = key(&op, &args);
        match self.memo.entry((key_op, key_args, shape.clone())) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let id = NodeId(self.nodes.len() as u32);
                self.nodes.push(Node { op, args, shape });
                *new.insert(id)
            }
        }
    }

    /// A declared tensor's node.
    pub fn variable(&mut self, id: VarId) -> NodeId {
        let shape = self.var(id).shape.clone();
        self.push(Op::Var(id), Vec::new(), shape)
    }

    /// Declares a tensor and gives its node.
    pub fn declare(&mut self, var: Var) -> NodeId {
        let id = VarId(self.vars.len() as u32);
        self.vars.push(var);
        self.variable(id)
    }

    /// A number.
    pub fn constant(&mut self, value: Num) -> NodeId {
        self.push(Op::Const(value), Vec::new(), Vec::new())
    }

    /// A whole number.
    pub fn int(&mut self, value: i128) -> NodeId {
        self.constant(Num::int(value))
    }

    /// pi, e or inf.
    pub fn named_const(&mut self, name: NamedConst) -> NodeId {
        self.push(Op::Named(name), Vec::new(), Vec::new())
    }

    /// A size as a scalar; a number where it is fixed.
    pub fn size(&mut self, dim: &Dim) -> NodeId {
        match dim.as_fixed() {
            Some(size) => self.int(size),
            None => self.push(Op::Size(dim.clone()), Vec::new(), Vec::new()),
        }
    }

    /// The identity of a size.
    pub fn delta(&mut self, dim: &Dim) -> NodeId {
        self.push(Op::Delta(dim.clone()), Vec::new(), vec![dim.clone(), dim.clone()])
    }

    /// 0, 1, 2, … below a size.
    pub fn range(&mut self, dim: &Dim) -> NodeId {
        self.push(Op::Range(dim.clone()), Vec::new(), vec![dim.clone()])
    }

    /// A product read at the given labels, summed over those not in `out`. Labels are any numbers; an `out` label that no
    /// factor has needs its size in `extra`. Structural zeros and units are dropped; a product of one factor read as it is, is that factor.
    pub fn einsum(
        &mut self,
        factors: &[(NodeId, Vec<u32>)],
        out: &[u32],
        extra: &[(u32, Dim)],
    ) -> NodeId {
        let mut sizes: Vec<(u32, Dim)> = extra.to_vec();
        for (node, labels) in factors {
            debug_assert_eq!(self.rank(*node), labels.len(), "einsum reads every axis");
            for (axis, label) in labels.iter().enumerate() {
                if !sizes.iter().any(|(known, _)| known == label) {
                    sizes.push((*label, self.shape(*node)[axis].clone()));
                }
            }
        }
        let size_of = |label: u32| -> Dim {
            sizes
                .iter()
                .find(|(known, _)| *known == label)
                .map_or_else(|| Dim::fixed(1), |(_, dim)| dim.clone())
        };
        let shape: Shape = out.each(|&label| size_of(label));
        if factors.iter().any(|(node, _)| self.is_zero(*node)) {
            return self.zeros(&shape);
        }
        let unit =
            |graph: &Graph, node: NodeId| matches!(graph.op(node), Op::Const(c) if c.is_one());
        let factors: Vec<&(NodeId, Vec<u32>)> =
            factors.iter().filter(|(node, _)| !unit(self, *node)).collect();
        if let [(node, labels)] = factors.as_slice()
            && labels.as_slice() == out
            && all_different(out)
            && extra.iter().all(|(label, _)| out.contains(label))
        {
            return *node;
        }
        if factors.is_empty() && out.is_empty() && extra.is_empty() {
            return self.constant(Num::ONE);
        }
        let mut order: Vec<u32> = Vec::new();
        let number = |label: u32, order: &mut Vec<u32>| -> Ix {
            let at = order.iter().position(|&known| known == label).unwrap_or_else(|| {
                order.push(label);
                order.len() - 1
            });
            at as Ix
        };
        let out_ix: Vec<Ix> = out.each(|&label| number(label, &mut order));
        let place = |l: &u32| out.iter().position(|o| o == l).unwrap_or(usize::MAX);
        let free: Vec<(NodeId, Vec<usize>)> =
            factors.each(|(node, labels)| (*node, labels.each(place)));
        let sorted = few::order(factors.len(), &|a, b| free[a].cmp(&free[b]));
        let mut ins: Vec<Vec<Ix>> = vec![Vec::new(); factors.len()];
        for &at in &sorted {
            ins[at] = factors[at].1.each(|&label| number(label, &mut order));
        }
        // A bound index that stands on no factor multiplies by its size.
        for (label, _) in extra {
            number(*label, &mut order);
        }
        let sizes = order.each(|&label| size_of(label));
        let args = factors.each(|(node, _)| *node);
        self.push(Op::Einsum(Einsum { ins, out: out_ix, sizes }), args, shape)
    }

    /// Σ c·term; all of one shape. Structural zeros are dropped; a single term with coefficient 1 is that term.
    pub fn add(&mut self, terms: &[(Num, NodeId)], shape: &[Dim]) -> NodeId {
        let kept: Vec<(Num, NodeId)> = terms
            .iter()
            .filter(|(c, node)| !c.is_zero() && !self.is_zero(*node))
            .copied()
            .collect();
        debug_assert!(
            kept.iter().all(|(_, node)| self.shape(*node).as_slice() == shape),
            "terms have the sum's shape"
        );
        match kept.as_slice() {
            [] => self.zeros(shape),
            [(c, node)] if c.is_one() => *node,
            _ => {
                let (coefficients, args) = kept.into_iter().unzip();
                self.push(Op::Add(coefficients), args, shape.to_vec())
            }
        }
    }

    /// `c · node`
    pub fn scale(&mut self, c: Num, node: NodeId) -> NodeId {
        let shape = self.shape(node).clone();
        self.add(&[(c, node)], &shape)
    }

    /// The elementwise product of nodes of one shape.
    pub fn multiply(&mut self, factors: &[NodeId]) -> NodeId {
        let rank = factors.first().map_or(0, |&node| self.rank(node)) as u32;
        let labels: Vec<u32> = (0..rank).collect();
        let factors: Vec<(NodeId, Vec<u32>)> = factors.each(|&node| (node, labels.clone()));
        self.einsum(&factors, &labels, &[])
    }

    /// The argument to a constant power, elementwise.
    pub fn pow(&mut self, node: NodeId, exponent: Num) -> NodeId {
        if exponent.is_one() {
            return node;
        }
        let shape = self.shape(node).clone();
        self.push(Op::Pow(exponent), vec![node], shape)
    }

    /// A scalar repeated to a shape; the scalar itself for the empty shape.
    pub fn fill(&mut self, scalar: NodeId, shape: &[Dim]) -> NodeId {
        let extra: Vec<(u32, Dim)> =
            shape.iter().cloned().enumerate().map(|(at, dim)| (at as u32, dim)).collect();
        let labels: Vec<u32> = (0..shape.len() as u32).collect();
        if shape.is_empty() {
            return scalar;
        }
        if self.is_zero(scalar) && matches!(self.op(scalar), Op::Const(_)) {
            return self.zeros(shape);
        }
        self.einsum(&[(scalar, Vec::new())], &labels, &extra)
    }

    /// All 0. Represented as a broadcast of the constant 0 (`Einsum` of one scalar).
    pub fn zeros(&mut self, shape: &[Dim]) -> NodeId {
        let zero = self.constant(Num::ZERO);
        if shape.is_empty() {
            return zero;
        }
        let out: Vec<Ix> = (0..shape.len() as Ix).collect();
        let einsum = Einsum { ins: vec![Vec::new()], out, sizes: shape.to_vec() };
        self.push(Op::Einsum(einsum), vec![zero], shape.to_vec())
    }

    /// All 1.
    pub fn ones(&mut self, shape: &[Dim]) -> NodeId {
        let one = self.constant(Num::ONE);
        self.fill(one, shape)
    }

    /// Whether a node is structurally 0.
    pub fn is_zero(&self, id: NodeId) -> bool {
        match self.op(id) {
            Op::Const(c) => c.is_zero(),
            Op::Einsum(_) => {
                matches!(self.args(id), [only] if matches!(self.op(*only), Op::Const(c) if c.is_zero()))
            }
            _ => false,
        }
    }

    /// The axes in another order: axis `k` of the result is axis `order[k]` of the node.
    pub fn permute(&mut self, node: NodeId, order: &[usize]) -> NodeId {
        let labels: Vec<u32> = (0..order.len() as u32).collect();
        let out: Vec<u32> = order.each(|&axis| axis as u32);
        self.einsum(&[(node, labels)], &out, &[])
    }

    /// A function of the rule book; the caller has checked arguments and worked out the shape.
    pub fn call(&mut self, op: OpId, args: Vec<NodeId>, attrs: Attrs, shape: Shape) -> NodeId {
        self.push(Op::Call(op, attrs), args, shape)
    }

    /// Affine positions of a node.
    pub fn view(&mut self, node: NodeId, view: View) -> NodeId {
        let identity = view.shape == *self.shape(node)
            && view.map.iter().enumerate().all(|(axis, at)| {
                at.terms.as_slice() == [(axis, 1)]
                    && at.offset.as_fixed() == Some(0)
                    && at.divisor == 1
            });
        if identity {
            return node;
        }
        let shape = view.shape.clone();
        self.push(Op::View(view), vec![node], shape)
    }

    /// A stand-in variable of a shape: a cotangent to be put in later, a step's state or entry.
    pub fn stand_in(&mut self, name: &str, shape: Shape) -> NodeId {
        let kind = VarKind::Direction;
        let var = Var {
            name: name.to_string(),
            kind,
            int: false,
            shape,
            facts: Vec::new(),
            doc: Vec::new(),
            span: Span::default(),
        };
        self.declare(var)
    }

    /// A formula with some nodes replaced by others of the same shapes.
    pub fn substitute(&mut self, root: NodeId, replace: &[(NodeId, NodeId)]) -> NodeId {
        let nodes = self.reachable(&[root]);
        self.substitute_in(root, &nodes, replace)
    }

    /// The same, looking at these nodes only, which are in ascending order.
    pub fn substitute_in(
        &mut self,
        root: NodeId,
        nodes: &[NodeId],
        replace: &[(NodeId, NodeId)],
    ) -> NodeId {
        let mut map: BTreeMap<NodeId, NodeId> = few::map(replace.iter().copied());
        for &node in nodes {
            if !map.contains_key(&node) {
                let new = |arg: &NodeId| map.get(arg).copied().unwrap_or(*arg);
                let args: Vec<NodeId> = self.args(node).each(new);
                let new = self.with_args(node, args);
                map.insert(node, new);
            }
        }
        map.get(&root).copied().unwrap_or(root)
    }

    /// `∂f/∂x`, not carried out.
    pub fn deriv(&mut self, f: NodeId, x: NodeId) -> NodeId {
        let shape = [self.shape(f).as_slice(), self.shape(x).as_slice()].concat();
        self.push(Op::Deriv, vec![f, x], shape)
    }

    /// The same node kind over other arguments (of the same shapes).
    pub fn with_args(&mut self, id: NodeId, args: Vec<NodeId>) -> NodeId {
        if self.args(id) == args.as_slice() {
            return id;
        }
        let node = self.node(id).clone();
        match &node.op {
            Op::Add(coefficients) => {
                let terms: Vec<(Num, NodeId)> = coefficients.iter().copied().zip(args).collect();
                self.add(&terms, &node.shape)
            }
            Op::Einsum(e) => {
                let factors: Vec<(NodeId, Vec<u32>)> = args
                    .into_iter()
                    .zip(&e.ins)
                    .map(|(arg, ins)| (arg, ins.each(|&ix| u32::from(ix))))
                    .collect();
                let out: Vec<u32> = e.out.each(|&ix| u32::from(ix));
                let extra: Vec<(u32, Dim)> =
                    e.sizes.iter().cloned().enumerate().map(|(at, dim)| (at as u32, dim)).collect();
                self.einsum(&factors, &out, &extra)
            }
            _ => self.push(node.op, args, node.shape),
        }
    }
}

/// What makes a node the one it is. Sums and products do not care for the order of their arguments: here it is sorted.
fn key(op: &Op, args: &[NodeId]) -> (Op, Vec<NodeId>) {
    let compare = |a: usize, b: usize| match op {
        Op::Add(coefficients) => (args[a], coefficients[a]).cmp(&(args[b], coefficients[b])),
        Op::Einsum(e) => (args[a], &e.ins[a]).cmp(&(args[b], &e.ins[b])),
        _ => a.cmp(&b),
    };
    let order = few::order(args.len(), &compare);
    let op = match op {
        Op::Add(coefficients) => Op::Add(order.each(|&at| coefficients[at])),
        Op::Einsum(e) => {
            let ins = order.each(|&at| e.ins[at].clone());
            Op::Einsum(Einsum { ins, out: e.out.clone(), sizes: e.sizes.clone() })
        }
        other => other.clone(),
    };
    (op, order.each(|&at| args[at]))
}

/// Whether no label is there twice.
pub(crate) fn all_different<T: PartialEq>(labels: &[T]) -> bool {
    labels.iter().enumerate().all(|(at, label)| !labels[..at].contains(label))
}
