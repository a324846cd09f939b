//! Graph → syntax tree, the inverse of lowering: a node as a formula in index or in matrix notation.
//! In: a graph, the names at which formulas stop, a node. Out: an expression that lowers to the same value and shape.
//! Pure: same graph, same text. Formulas of deep graphs are cut by [`share`]d names, so nothing here recurses deeper than a
//! formula is long.

mod build;
mod contract;
mod index;
mod letters;
mod matrix;
mod product;
#[cfg(feature = "tools")]
mod program;
mod ranges;
mod rolls;
mod rows;
mod share;
mod sizes;
mod structure;
mod view;

pub use letters::Letters;
#[cfg(feature = "tools")]
pub use program::program;
pub use rows::rows;
pub use share::{share, shared};

use crate::ir::{Dim, Graph, NodeId, Op, Shape};
use crate::ops::{self, Kind, OpId, Operator};
use crate::simplify::symmetry::{Symmetry, symmetry};
use chainrule_grammar::ast::{Binder, Expr};
use chainrule_grammar::print;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// In which way formulas are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notation {
    /// `sum[j](x[n,j] * W[j,k])`
    Index,
    /// `x @ W`
    Matrix,
}

/// The names at which formulas stop: those of the graph, and those of `where` bindings, which win.
#[derive(Clone, Debug)]
pub struct Names<'g> {
    /// The graph.
    pub graph: &'g Graph,
    /// Names of `where` bindings.
    extra: Rc<BTreeMap<NodeId, String>>,
    /// One of them that is written out all the same.
    open: Option<NodeId>,
    /// Named nodes that are written out wherever they stand.
    through: BTreeSet<NodeId>,
    /// Names of the steps of scans.
    functions: Rc<BTreeMap<NodeId, String>>,
    /// Declared tensors of which formulas use that they are symmetric.
    symmetric: Rc<BTreeSet<NodeId>>,
    /// Vectors that the program writes as rows.
    rows: Rc<BTreeSet<NodeId>>,
    /// The shapes of all names, where they were gathered before.
    shapes: Option<Rc<BTreeMap<String, Shape>>>,
    /// Index letters.
    pub letters: Rc<Letters>,
}

impl<'g> Names<'g> {
    /// The names of the graph.
    pub fn new(graph: &'g Graph) -> Names<'g> {
        Names::with(graph, BTreeMap::new())
    }

    /// The names of the graph and further ones.
    pub fn with(graph: &'g Graph, extra: BTreeMap<NodeId, String>) -> Names<'g> {
        let letters = Rc::new(Letters::new(graph, extra.values()));
        let extra = Rc::new(extra);
        let (through, functions, symmetric) = (BTreeSet::new(), Rc::default(), Rc::default());
        let (rows, open, shapes) = (Rc::new(rows::rows(graph)), None, None);
        Names { graph, extra, open, through, functions, symmetric, rows, shapes, letters }
    }

    /// The names of the graph and those that a derivation gives.
    pub fn given(graph: &'g Graph, given: &Given, letters: Rc<Letters>) -> Names<'g> {
        let (extra, functions) = (Rc::clone(&given.parts), Rc::clone(&given.functions));
        let (shapes, symmetric) = (Some(Rc::clone(&given.shapes)), Rc::clone(&given.symmetric));
        let (through, rows, open) = (BTreeSet::new(), Rc::clone(&given.rows), None);
        Names { graph, extra, open, through, functions, symmetric, rows, shapes, letters }
    }

    /// The same, with a part written out although it has a name.
    pub fn opening(mut self, node: NodeId) -> Names<'g> {
        self.open = Some(node);
        self
    }

    /// The same, with these nodes written out although they have names.
    pub fn through(mut self, nodes: BTreeSet<NodeId>) -> Names<'g> {
        self.through = nodes;
        self
    }

    /// The name of a scan's step: one that was given, else the program's own.
    pub fn function(&self, scan: NodeId) -> Option<&str> {
        if let Some(name) = self.functions.get(&scan) {
            return Some(name);
        }
        match self.graph.op(scan) {
            Op::Scan(body) => Some(self.graph.bodies[body.0 as usize].name.as_str())
                .filter(|name| !name.is_empty()),
            _ => None,
        }
    }

    /// The name of a node, if it has one.
    pub fn of(&self, id: NodeId) -> Option<&str> {
        if self.through.contains(&id) {
            return None;
        }
        let extra = self.extra.get(&id).filter(|_| self.open != Some(id));
        extra.map(String::as_str).or_else(|| self.graph.name(id))
    }

    /// Whether a matrix is its own transpose, and may be written as such: not by what is declared of a tensor that derivatives are
    /// taken by, beside which there are others.
    fn symmetric(&self, id: NodeId) -> bool {
        match symmetry(self.graph, id) {
            Some(Symmetry::Built) => true,
            Some(Symmetry::Here(what)) => self.symmetric.contains(&what),
            None => false,
        }
    }

    /// How many axes a name stands for: a variable, a definition, a `where` binding, a size or a named number.
    pub fn rank(&self, name: &str) -> Option<usize> {
        let graph = self.graph;
        let bound = self.extra.iter().chain(&graph.names).find(|(_, known)| *known == name);
        let scalar = || {
            let dims = graph.dims.iter().map(|dim| dim.name.as_str());
            dims.chain(graph.consts.iter().map(|(name, _)| name.as_str()))
                .any(|known| known == name)
                .then_some(0)
        };
        let var = || graph.vars.iter().find(|var| var.name == name).map(|var| var.shape.len());
        bound.map(|(id, _)| graph.rank(*id)).or_else(var).or_else(scalar)
    }

    /// The shape of what a name stands for: a variable, a definition or a `where` binding.
    pub fn shape(&self, name: &str) -> Option<&[Dim]> {
        if let Some(shapes) = &self.shapes {
            return shapes.get(name).map(Vec::as_slice);
        }
        let graph = self.graph;
        let bound = self.extra.iter().chain(&graph.names).find(|(_, known)| *known == name);
        let var = || graph.vars.iter().find(|var| var.name == name).map(|var| var.shape.as_slice());
        bound.map(|(id, _)| graph.shape(*id).as_slice()).or_else(var)
    }

    /// Letters for the axes of a node.
    pub fn axes(&self, id: NodeId) -> Vec<String> {
        self.letters.shape(self.graph.shape(id), &[])
    }
}

/// The names that a derivation gives besides those of the program.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Of parts of formulas.
    pub parts: Rc<BTreeMap<NodeId, String>>,
    /// Of the steps of scans.
    pub functions: Rc<BTreeMap<NodeId, String>>,
    /// Declared tensors of which formulas use that they are symmetric.
    pub symmetric: Rc<BTreeSet<NodeId>>,
    /// Vectors that the program writes as rows.
    pub rows: Rc<BTreeSet<NodeId>>,
    /// The shapes of all names, the program's too.
    pub shapes: Rc<BTreeMap<String, Shape>>,
}

/// Names, and a node that is written out although it may have one.
pub(crate) struct Scope<'a> {
    names: &'a Names<'a>,
    open: Option<NodeId>,
}

impl<'a> Scope<'a> {
    /// `root` is written out unless it is a variable.
    fn opening(names: &'a Names<'a>, root: NodeId) -> Scope<'a> {
        let open = !matches!(names.graph.op(root), Op::Var(_));
        Scope { names, open: open.then_some(root) }
    }

    /// All names count.
    fn closed(names: &'a Names<'a>) -> Scope<'a> {
        Scope { names, open: None }
    }

    fn graph(&self) -> &'a Graph {
        self.names.graph
    }

    /// The x of a call that is 1/x where x is not 0, and 0 there.
    fn guarded(&self, node: NodeId) -> Option<NodeId> {
        match self.graph().op(node) {
            Op::Call(op, _) if ops::spec(*op).guarded && self.name(node).is_none() => {
                self.graph().args(node).first().copied()
            }
            _ => None,
        }
    }

    /// What a call's arguments are written in. A quantity without a name that is compared with the entry picked from it, which has
    /// one: the name is written out, since a formula spelt anew need not be equal to it to the last digit.
    fn arguments(&self, call: NodeId) -> Scope<'a> {
        let (graph, args) = (self.graph(), self.graph().args(call));
        let compares = |op: &OpId| matches!(ops::spec(*op).operator, Some(Operator::Compare(_)));
        if !matches!(graph.op(call), Op::Call(op, _) if compares(op)) {
            return Scope { ..*self };
        }
        let unnamed =
            |arg: NodeId| !matches!(graph.op(arg), Op::Var(_)) && self.name(arg).is_none();
        let compared =
            |of: &NodeId| args.iter().any(|&arg| arg == *of || spread(graph, arg) == *of);
        let picked = args.iter().map(|&arg| spread(graph, arg)).find(|&arg| {
            matches!(graph.op(arg), Op::Call(op, _) if matches!(ops::spec(*op).kind, Kind::Reduce))
                && self.name(arg).is_some()
                && graph.args(arg).iter().any(|of| compared(of) && unnamed(*of))
        });
        Scope { names: self.names, open: picked.or(self.open) }
    }

    fn name(&self, id: NodeId) -> Option<&'a str> {
        if self.open == Some(id) { None } else { self.names.of(id) }
    }
}

/// What a node repeats along further axes; itself where it does not.
fn spread(graph: &Graph, node: NodeId) -> NodeId {
    match (graph.op(node), graph.args(node)) {
        (Op::Einsum(e), &[arg]) if e.bound().is_empty() => arg,
        _ => node,
    }
}

/// The entry of `root` at the index letters `axes`, in index notation. The root is written out even if it has a name.
pub fn index(names: &Names<'_>, root: NodeId, axes: &[String]) -> Expr {
    index::entry(&Scope::opening(names, root), root, axes)
}

/// As [`index`], with summation indices clear of further letters that stand beside the formula.
pub fn index_clear_of(names: &Names<'_>, root: NodeId, axes: &[String], beside: &[String]) -> Expr {
    index::entry_clear_of(&Scope::opening(names, root), root, axes, beside)
}

/// The entry of a node at index letters; its name where it has one: `W[j,k]`.
pub fn entry(names: &Names<'_>, node: NodeId, axes: &[String]) -> Expr {
    index::entry(&Scope::closed(names), node, axes)
}

/// A whole-tensor expression that has exactly the root's value and shape under NumPy's rules, if there is one. The root is
/// written out even if it has a name.
pub fn matrix(names: &Names<'_>, root: NodeId) -> Option<Expr> {
    matrix::exact(&Scope::opening(names, root), root)
}

/// As [`matrix`], but the name alone for a root that has one.
pub fn matrix_entry(names: &Names<'_>, root: NodeId) -> Option<Expr> {
    matrix::exact(&Scope::closed(names), root)
}

/// The root as a whole-tensor expression in the notation asked for; `tensor[j,k](…)` where it has no matrix form.
pub fn text(names: &Names<'_>, root: NodeId, notation: Notation) -> Expr {
    let whole = if notation == Notation::Matrix { matrix(names, root) } else { None };
    whole.unwrap_or_else(|| {
        let axes = names.axes(root);
        tensor(names, root, &axes, index(names, root, &axes))
    })
}

/// A formula in the language, as the graph's program reads it: where a function of the program takes the name of one of the
/// language, the latter is written `std.name`.
pub fn written(graph: &Graph, expr: &Expr) -> String {
    if graph.hidden.is_empty() {
        return print::expr(expr);
    }
    let mut expr = expr.clone();
    expr.rename_calls(&|name| {
        graph.hidden.iter().any(|hidden| hidden == name).then(|| ops::qualified(name))
    });
    print::expr(&expr)
}

/// `tensor[j,k](e)`: the tensor whose entries at `axes` an index expression gives. A range is written where it does not
/// follow from the expression.
pub fn tensor(names: &Names<'_>, node: NodeId, axes: &[String], entry: Expr) -> Expr {
    tensor_of(names, names.graph.shape(node), axes, entry)
}

/// As [`tensor`], for axes of this shape.
pub fn tensor_of(names: &Names<'_>, shape: &[Dim], axes: &[String], entry: Expr) -> Expr {
    if axes.is_empty() {
        return entry;
    }
    let binders: Vec<Binder> = axes
        .iter()
        .zip(shape)
        .map(|(letter, dim)| ranges::binder(names, letter, dim, &entry))
        .collect();
    build::bind("tensor", binders, entry)
}

#[cfg(test)]
mod tests;
