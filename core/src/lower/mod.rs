//! AST → graph: names are bound, functions inlined, shapes unified, and both notations become the same nodes.
//! In: a syntax tree. Out: a [`Lowered`] program over a graph, and what is wrong with it. It differentiates nothing.

pub mod build;
pub mod call;
pub mod expr;
mod gather;
mod hints;
pub mod index;
mod later;
pub mod limits;
pub mod matlab;
pub mod net;
pub mod ranges;
mod reduce;
mod report;
mod rows;
pub mod shape;
mod slice;
pub mod stmt;
mod whole;

use crate::few;
use crate::ir::{Dim, Graph, NodeId};
use chainrule_grammar::ast::{Expr, Ident, RequestKind, Stmt};
use chainrule_grammar::{Code, Diagnostic, Dialect, Span};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub use stmt::lower;

/// An index name while lowering: two uses of one name in one scope are the same label. Labels double as the index labels of
/// [`Graph::einsum`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// The value of an expression while lowering: a node whose first axes are named by labels (indices in scope, or batch axes of a
/// rule) and whose remaining axes are positional, as in NumPy. Labels align by name, positional axes broadcast from the right.
#[derive(Clone, Debug)]
pub struct Val {
    /// The node; its axes are the labelled ones, then the positional ones.
    pub node: NodeId,
    /// The labels of the first axes, all different.
    pub labels: Vec<Label>,
}

/// A program over a graph.
#[derive(Clone, Debug, Default)]
pub struct Lowered {
    /// Declared tensors in order of declaration.
    pub vars: Vec<NodeId>,
    /// Losses in order.
    pub losses: Vec<Named>,
    /// Outputs in order.
    pub outputs: Vec<Named>,
    /// Everything that can be named: variables, definitions, losses, outputs.
    pub scope: BTreeMap<String, NodeId>,
    /// Derivatives that the program asks for; `grad` of every loss by every param where it says nothing else of the loss.
    pub requests: Vec<Request>,
    /// Documentation of definitions, losses and outputs.
    pub docs: BTreeMap<String, Vec<String>>,
    /// Names of the `dim`s that are declared, with their sizes.
    pub dims: BTreeMap<String, Dim>,
}

/// A named result.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: NodeId,
    /// Where its name stands.
    pub span: Span,
}

/// A derivative that was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which kind.
    pub kind: RequestKind,
    /// Of what.
    pub of: Named,
    /// By what.
    pub wrt: Vec<Named>,
    /// Whether the program wrote it, as against the default.
    pub explicit: bool,
}

/// A function that the program defined.
#[derive(Clone)]
pub(crate) struct Function<'a> {
    name: &'a str,
    params: &'a [Ident],
    body: &'a [Stmt],
    result: &'a Expr,
}

/// The state of lowering.
pub struct Lowerer<'a> {
    /// Where nodes are built.
    pub graph: &'a mut Graph,
    /// What is wrong so far.
    pub diagnostics: Vec<Diagnostic>,
    /// Values of names: globals, and above them the frames of functions being inlined.
    pub(crate) globals: BTreeMap<String, Val>,
    pub(crate) frames: Vec<BTreeMap<String, Val>>,
    pub(crate) dims: BTreeMap<String, Dim>,
    pub(crate) functions: BTreeMap<String, Function<'a>>,
    pub(crate) nets: BTreeMap<String, net::Net<'a>>,
    /// Names whose statement was wrong: further use is silent.
    pub(crate) poisoned: HashSet<String>,
    /// Names whose definition or declaration was wrong: they are taken all the same.
    pub(crate) refused: BTreeSet<String>,
    /// Which of the errors so far are at a place.
    pub(crate) told: HashMap<Span, Vec<usize>>,
    /// Names that statements define which could not be read.
    pub(crate) heads: Vec<Ident>,
    /// Where names are declared and defined, for messages.
    pub(crate) places: BTreeMap<String, Span>,
    /// The statement at hand, for what a fix puts before it.
    pub(crate) statement: Span,
    /// The right-hand side at hand, for what a fix puts around it.
    pub(crate) right: Span,
    /// Names that are defined or declared later on, for better messages, and which of the two.
    pub(crate) later: BTreeMap<String, (Span, &'static str)>,
    /// Functions and nets that are defined later on.
    pub(crate) later_functions: BTreeMap<String, Span>,
    /// Index names in scope, innermost last.
    pub(crate) indices: Vec<(String, Label)>,
    /// Stand-ins for the entries of sequences of whole numbers.
    pub(crate) whole_entries: BTreeSet<NodeId>,
    /// How many values each label takes.
    pub(crate) sizes: HashMap<Label, Dim>,
    /// Labels that may stop short of an axis: those whose range the program wrote, `k` of `sum[k:D](…)`, and those of a stencil.
    pub(crate) stated: HashSet<Label>,
    /// Labels whose size is the most that the positions seen so far allow.
    pub(crate) bounds: HashSet<Label>,
    /// Where indices stand with an offset in the statement at hand.
    pub(crate) stencils: ranges::Stencils,
    /// Ranges that were inferred for binders, by the address of the binder's name, and whether they may stop short of an axis.
    pub(crate) inferred: HashMap<*const Ident, (Dim, bool)>,
    /// The positions from which ranges followed, by label and as `inferred`, for messages.
    pub(crate) ranged_at: HashMap<Label, Span>,
    pub(crate) inferred_at: HashMap<*const Ident, Span>,
    /// What the operators of the expression at hand mean.
    pub(crate) dialect: Dialect,
    /// Whether it is a formula of the rule book.
    pub(crate) in_rule: bool,
    /// What the program lacks.
    pub(crate) wants: RefCell<matlab::Wants>,
    inlining: limits::Inlining,
    next_label: u32,
    depth: usize,
}

/// How deep expressions and inlined functions may nest.
const MAX_DEPTH: usize = 240;

impl<'a> Lowerer<'a> {
    /// A lowerer that knows no names yet.
    pub fn new(graph: &'a mut Graph) -> Lowerer<'a> {
        Lowerer {
            graph,
            diagnostics: Vec::new(),
            globals: BTreeMap::new(),
            frames: Vec::new(),
            dims: BTreeMap::new(),
            functions: BTreeMap::new(),
            nets: BTreeMap::new(),
            poisoned: HashSet::new(),
            told: HashMap::new(),
            heads: Vec::new(),
            places: BTreeMap::new(),
            statement: Span::default(),
            right: Span::default(),
            refused: BTreeSet::new(),
            later: BTreeMap::new(),
            later_functions: BTreeMap::new(),
            indices: Vec::new(),
            whole_entries: BTreeSet::new(),
            sizes: HashMap::new(),
            stated: HashSet::new(),
            bounds: HashSet::new(),
            stencils: HashSet::new(),
            inferred: HashMap::new(),
            ranged_at: HashMap::new(),
            inferred_at: HashMap::new(),
            dialect: Dialect::Chainrule,
            in_rule: false,
            wants: RefCell::default(),
            inlining: limits::Inlining::default(),
            next_label: 0,
            depth: 0,
        }
    }

    /// A label that nothing else uses.
    pub fn fresh(&mut self) -> Label {
        self.next_label += 1;
        Label(self.next_label - 1)
    }

    /// Labels from here on are at least `floor`: for rules whose arguments carry labels of their own.
    pub fn reserve_labels(&mut self, floor: u32) {
        self.next_label = self.next_label.max(floor);
    }

    /// Notes that two sizes differ where they have to be one.
    pub(crate) fn differ(&self, a: &Dim, b: &Dim) {
        self.wants.borrow_mut().equal.push((a.clone(), b.clone()));
    }

    /// The sizes of a value's positional axes.
    pub fn positional(&self, val: &Val) -> &[Dim] {
        &self.graph.shape(val.node)[val.labels.len()..]
    }

    /// The value that a name stands for in the innermost frame, else globally.
    pub(crate) fn value(&self, name: &str) -> Option<&Val> {
        match self.frames.last() {
            Some(frame) => frame.get(name),
            None => None,
        }
        .or_else(|| self.globals.get(name))
    }

    /// The label of an index name in scope.
    pub(crate) fn index_label(&self, name: &str) -> Option<Label> {
        self.indices.iter().rev().find(|(known, _)| known == name).map(|(_, label)| *label)
    }

    /// Runs one level deeper, or refuses.
    pub(crate) fn deeper<T>(
        &mut self,
        span: Span,
        run: impl FnOnce(&mut Self) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        if self.depth >= MAX_DEPTH {
            return Err(Diagnostic::new(
                Code::TooDeep,
                span,
                format!("the formula nests deeper than {MAX_DEPTH} levels"),
            )
            .help("name parts of it with definitions"));
        }
        self.count_inlined()?;
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }
}

/// Lowers a formula of the rule book: `names` are bound to values, nothing else is known but the rule book and `pi`, `e`, `inf`.
pub fn lower_rule(
    graph: &mut Graph,
    formula: &Expr,
    names: &[(&str, Val)],
) -> Result<Val, Diagnostic> {
    let floor =
        names.iter().flat_map(|(_, val)| &val.labels).map(|label| label.0 + 1).max().unwrap_or(0);
    let mut lowerer = Lowerer::new(graph);
    lowerer.reserve_labels(floor);
    lowerer.note_sizes(names.iter().map(|(_, val)| val));
    let frame = few::map(names.iter().map(|(name, val)| ((*name).to_string(), val.clone())));
    lowerer.frames.push(frame);
    lowerer.expr(formula)
}
