//! What stands in the pictures of computation graphs: definitions, shapes and local derivatives.

use super::math::{Math, Symbol};
use super::phrases::Lang;
use super::{Context, partial, unicode};
use crate::diagram::{Diagram, Edge, Quantity, Role};
use crate::raise::Notation;
use chainrule_grammar::ast::Expr;

/// Formulas of more characters than this are not written into a picture.
const WIDE: usize = 46;

/// `z = x W + b`, or the name alone.
pub(super) fn definition(diagram: &Diagram, quantity: &Quantity) -> Math {
    let name = |letters: &[String]| shown_name(&quantity.name, letters);
    let Some(formula) = &quantity.definition else { return name(&[]) };
    let left = match formula.notation {
        Notation::Index => name(&quantity.letters),
        Notation::Matrix => name(&[]),
    };
    let whole = equation(left.clone(), layout(diagram, &formula.expr, formula.notation));
    if fits(&whole) { whole } else { equation(left, Math::Symbol(Symbol::Dots)) }
}

fn shown_name(name: &str, letters: &[String]) -> Math {
    super::names::indexed(name, super::letters_math(letters))
}

fn layout(diagram: &Diagram, expr: &Expr, notation: Notation) -> Math {
    let rank = |name: &str| diagram.rank(name);
    super::layout(expr, &Context { rank: &rank, notation, lang: Lang::En })
}

fn equation(left: Math, right: Math) -> Math {
    Math::Row(vec![left, Math::Symbol(Symbol::Equals), right])
}

fn fits(math: &Math) -> bool {
    let text = unicode::emit(math);
    text.chars().count() <= WIDE && !text.contains('\n')
}

/// `[B, N]`, or `scalar`.
pub(super) fn shape(quantity: &Quantity) -> String {
    match quantity.shape.as_slice() {
        [] => "scalar".to_string(),
        sizes => format!("[{}]", sizes.join(", ")),
    }
}

/// `∂z/∂W = x`, the left-hand side alone where the right one is long; none off the path.
pub(super) fn edge_label(diagram: &Diagram, edge: &Edge) -> Option<Math> {
    let (left, right) = local(diagram, edge)?;
    let Some(right) = right else { return Some(left) };
    let whole = equation(left.clone(), right);
    Some(if fits(&whole) { whole } else { left })
}

/// The whole of a local derivative in a line of Unicode, however long.
pub(super) fn tooltip(diagram: &Diagram, edge: &Edge) -> String {
    let name = |at: usize| unicode::emit(&shown_name(&diagram.quantities[at].name, &[]));
    match local(diagram, edge) {
        Some((left, Some(right))) => unicode::emit(&equation(left, right)),
        Some((left, None)) => unicode::emit(&left),
        None => format!("{} is made of {}", name(edge.to), name(edge.from)),
    }
}

fn local(diagram: &Diagram, edge: &Edge) -> Option<(Math, Option<Math>)> {
    let local = edge.local.as_ref()?;
    let (to, from) = (&diagram.quantities[edge.to], &diagram.quantities[edge.from]);
    let left = partial(&to.name, &local.of, &from.name, &local.by);
    Some((left, local.entry.as_ref().map(|entry| layout(diagram, entry, Notation::Index))))
}

/// A word for what a quantity is to its program.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Input => "input",
        Role::Target => "target",
        Role::Param => "parameter",
        Role::Definition => "definition",
        Role::Part => "part",
        Role::Output => "output",
        Role::Loss => "loss",
    }
}

/// What is not in the picture.
pub(super) fn omitted(diagram: &Diagram) -> Option<String> {
    match (diagram.omitted, diagram.edges_omitted) {
        (0, 0) => None,
        (quantities, 0) => {
            Some(format!("{quantities} more quantities, farther from the results, are not drawn"))
        }
        (quantities, edges) => {
            Some(format!("{quantities} more quantities and {edges} more edges are not drawn"))
        }
    }
}
