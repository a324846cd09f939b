//! The computation graph as people draw it: quantities with their definitions, and on every edge the shape that flows along it and
//! the local derivative by which the chain rule goes back.
//!
//! In: a compiled program. Out: plain data, quantities before their users. It stays small whatever the program: beyond a limit only
//! the quantities nearest to the results are kept, and how many are left out is said. A local derivative holds all other quantities
//! fixed, so that products of them along paths, summed over all paths, are the derivative.

mod choose;
mod local;

use crate::compile::Compiled;
use crate::ir::{Graph, NodeId, Op, VarKind};
use crate::raise::{self, Names, Notation};
use chainrule_grammar::ast::Expr;
use std::collections::BTreeMap;

/// The most quantities that are drawn.
pub const MAX_QUANTITIES: usize = 120;
/// The most edges that are drawn.
pub const MAX_EDGES: usize = 400;
/// Formulas with more parts than this are not written into a picture.
const LONG: usize = 40;

/// What a quantity is to its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Data.
    Input,
    /// Data that a loss compares with.
    Target,
    /// What losses are differentiated by.
    Param,
    /// A definition that has a name.
    Definition,
    /// A part of a definition, which the program did not name.
    Part,
    /// A result that is no loss.
    Output,
    /// A loss.
    Loss,
}

/// A formula and the notation that it came out in.
#[derive(Clone, Debug)]
pub struct Formula {
    /// The formula, over names of quantities.
    pub expr: Expr,
    /// In which notation it is.
    pub notation: Notation,
}

/// A quantity.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// Its node in [`Diagram::graph`].
    pub node: NodeId,
    /// The variable that stands for it in local derivatives.
    pub stand_in: NodeId,
    /// Its name: the program's own, or a free letter for a part.
    pub name: String,
    /// What it is to the program.
    pub role: Role,
    /// Its sizes, as the language writes them.
    pub shape: Vec<String>,
    /// Index letters of its axes, for definitions in index notation.
    pub letters: Vec<String>,
    /// How it is made of other quantities; none for a variable, and where the formula would be too long.
    pub definition: Option<Formula>,
    /// Whether the chain rule passes here on the way from a result to what it is differentiated by.
    pub on_path: bool,
}

/// One quantity is made of another.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Position of the quantity that is used.
    pub from: usize,
    /// Position of the quantity that uses it.
    pub to: usize,
    /// Whether the chain rule goes back along it.
    pub on_path: bool,
    /// The derivative of `to` by `from`; only on the path.
    pub local: Option<Local>,
}

/// A local derivative.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its node in [`Diagram::graph`], over the stand-ins: axes of the user, then of what is used.
    pub jacobian: NodeId,
    /// Index letters of the user's axes.
    pub of: Vec<String>,
    /// Index letters of the axes of what is used. A letter that both have: all entries off that diagonal are 0.
    pub by: Vec<String>,
    /// The entry at these letters in index notation; none where it would be too long.
    pub entry: Option<Expr>,
}

/// A computation graph.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    /// The program's graph, with stand-ins and local derivatives added.
    pub graph: Graph,
    /// Quantities, each after those that it is made of.
    pub quantities: Vec<Quantity>,
    /// Edges, by user and then in the order of use.
    pub edges: Vec<Edge>,
    /// How many quantities are left out.
    pub omitted: usize,
    /// How many edges are left out.
    pub edges_omitted: usize,
}

impl Diagram {
    /// How many axes a name of the diagram stands for.
    pub fn rank(&self, name: &str) -> Option<usize> {
        let own = self.quantities.iter().find(|quantity| quantity.name == name);
        let dim = || self.graph.dims.iter().any(|dim| dim.name == name);
        let number = || self.graph.consts.iter().any(|(known, _)| known == name);
        own.map(|quantity| quantity.shape.len())
            .or_else(|| {
                self.graph.vars.iter().find(|var| var.name == name).map(|var| var.shape.len())
            })
            .or_else(|| (dim() || number()).then_some(0))
    }
}

/// The computation graph of a program, definitions in the notation asked for.
pub fn diagram(compiled: &Compiled, notation: Notation) -> Diagram {
    let chosen = choose::choose(compiled);
    let mut graph = compiled.graph.clone();
    let names = part_names(&graph, &chosen.parts);
    let quantities = quantities(compiled, &graph, &chosen, &names, notation);
    let mut edges = edges(&graph, &quantities);
    let edges_omitted = edges.len().saturating_sub(MAX_EDGES);
    edges.truncate(MAX_EDGES);
    let mut quantities = quantities;
    for quantity in &mut quantities {
        let shape = graph.shape(quantity.node).clone();
        quantity.stand_in = graph.stand_in(&quantity.name, shape);
    }
    mark_paths(compiled, &graph, &mut quantities, &mut edges);
    let mut diagram = Diagram { graph, quantities, edges, omitted: chosen.omitted, edges_omitted };
    local::add(&mut diagram);
    diagram
}

/// Letters that parts are called by.
const PART_LETTERS: [&str; 8] = ["u", "v", "r", "s", "q", "p", "g", "h"];

/// Names for parts, clear of all names and index letters of the program: letters, then `v1`, `v2`, ….
fn part_names(graph: &Graph, parts: &[NodeId]) -> BTreeMap<NodeId, String> {
    let names = Names::new(graph);
    let is_index = |name: &str| graph.letters.iter().any(|(_, letter)| letter == name);
    let letters = PART_LETTERS.iter().map(|letter| (*letter).to_string());
    let mut fresh = letters
        .chain((1..).map(|at: usize| format!("v{at}")))
        .filter(|name| names.rank(name).is_none() && !is_index(name));
    parts.iter().filter_map(|&part| Some((part, fresh.next()?))).collect()
}

fn quantities(
    compiled: &Compiled,
    graph: &Graph,
    chosen: &choose::Chosen,
    parts: &BTreeMap<NodeId, String>,
    notation: Notation,
) -> Vec<Quantity> {
    let names = Names::with(graph, parts.clone());
    let made = |node: NodeId| {
        let name = match (parts.get(&node), graph.name(node)) {
            (Some(name), _) => name.clone(),
            (None, Some(name)) => name.to_string(),
            (None, None) => result_name(compiled, node),
        };
        Quantity {
            node,
            stand_in: node,
            name,
            role: role(compiled, graph, node, parts.contains_key(&node)),
            shape: graph.shape(node).iter().map(|dim| graph.show_dim(dim)).collect(),
            letters: names.axes(node),
            definition: definition(&names, node, notation),
            on_path: false,
        }
    };
    chosen.quantities.iter().map(|&node| made(node)).collect()
}

/// The name of a result whose node has none of its own: an output of a variable, say.
fn result_name(compiled: &Compiled, node: NodeId) -> String {
    let results = compiled.lowered.losses.iter().chain(&compiled.lowered.outputs);
    let asked = compiled.derivatives.iter().flat_map(|one| [&one.of, &one.wrt]);
    let named = results.chain(asked).find(|named| named.node == node);
    named.map_or_else(String::new, |named| named.name.clone())
}

fn role(compiled: &Compiled, graph: &Graph, node: NodeId, part: bool) -> Role {
    let is = |named: &[crate::lower::Named]| named.iter().any(|one| one.node == node);
    if let Op::Var(var) = graph.op(node) {
        return match graph.var(*var).kind {
            VarKind::Target => Role::Target,
            VarKind::Param => Role::Param,
            VarKind::Input | VarKind::Direction => Role::Input,
        };
    }
    match part {
        _ if is(&compiled.lowered.losses) => Role::Loss,
        _ if is(&compiled.lowered.outputs) => Role::Output,
        true => Role::Part,
        false => Role::Definition,
    }
}

fn definition(names: &Names<'_>, node: NodeId, notation: Notation) -> Option<Formula> {
    if names.graph.args(node).is_empty() || !raise::share(names, node, LONG).is_empty() {
        return None;
    }
    let whole = (notation == Notation::Matrix && names.graph.rank(node) <= 2)
        .then(|| raise::matrix(names, node))
        .flatten();
    Some(match whole {
        Some(expr) => Formula { expr, notation: Notation::Matrix },
        None => Formula {
            expr: raise::index(names, node, &names.axes(node)),
            notation: Notation::Index,
        },
    })
}

/// From every quantity down to the quantities that it is made of, through what is not drawn.
fn edges(graph: &Graph, quantities: &[Quantity]) -> Vec<Edge> {
    let position: BTreeMap<NodeId, usize> =
        quantities.iter().enumerate().map(|(at, quantity)| (quantity.node, at)).collect();
    let mut edges = Vec::new();
    for (to, quantity) in quantities.iter().enumerate() {
        for from in choose::drawn_below(graph, quantity.node, &|node| position.contains_key(&node))
        {
            edges.push(Edge { from: position[&from], to, on_path: false, local: None });
        }
    }
    edges
}

/// Marks what lies between a result and what it is differentiated by.
fn mark_paths(compiled: &Compiled, graph: &Graph, quantities: &mut [Quantity], edges: &mut [Edge]) {
    let mut asked: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for one in &compiled.derivatives {
        asked.entry(one.of.node).or_default().push(one.wrt.node);
    }
    for (of, wrt) in asked {
        let depends = graph.depending(&graph.reachable(&[of]), &wrt);
        let mut reached = vec![false; quantities.len()];
        for at in (0..quantities.len()).rev() {
            let used = |edge: &Edge| edge.from == at && reached[edge.to];
            reached[at] = quantities[at].node == of || edges.iter().any(used);
        }
        let passes = |at: usize| reached[at] && depends.contains(quantities[at].node);
        let passing: Vec<bool> = (0..quantities.len()).map(passes).collect();
        for edge in edges.iter_mut() {
            edge.on_path |= passing[edge.from] && reached[edge.to];
        }
        for (quantity, passes) in quantities.iter_mut().zip(passing) {
            quantity.on_path |= passes;
        }
    }
}

#[cfg(test)]
mod tests;
