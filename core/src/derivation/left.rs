//! Left-hand sides: how a derivative is called in formulas and in text. In: a derivative and the letters of its axes.

use crate::compile::Derivative;
use crate::few::Each;
use crate::ir::{Graph, NodeId};
use crate::render;
use crate::render::math::{Math, Symbol};
use chainrule_grammar::ast::RequestKind;

/// With more directions than this, those between the first and the last are left to the reader.
const FEW: usize = 2;

/// The name of a variable or a direction.
fn name(graph: &Graph, node: NodeId) -> &str {
    graph.name(node).unwrap_or("x")
}

/// `∂of/∂wrt`, `∂²of/∂wrt²`, `∂²of/∂wrt² ẇ` or `∂of/∂wrt ẇ`; with index letters, of the derivative's front and back axes.
pub fn left(
    graph: &Graph,
    derivative: &Derivative,
    by: &str,
    letters: Option<(&[String], &[String])>,
) -> Math {
    let of = &derivative.of.name;
    let (front, back) = letters.unwrap_or_default();
    let product = || match letters {
        None => along(graph, derivative),
        Some(_) if front.is_empty() && back.is_empty() => along(graph, derivative),
        Some(_) => {
            let axes = if derivative.kind == RequestKind::Jvp { front } else { back };
            Math::subscript(Math::fenced(along(graph, derivative)), render::letters(axes))
        }
    };
    match derivative.kind {
        RequestKind::Grad | RequestKind::Jacobian => render::partial(of, front, by, back),
        RequestKind::Hessian => render::second_partial(of, by, letters),
        RequestKind::Hvp | RequestKind::Jvp => product(),
    }
}

/// The whole derivative times its directions: `∂²E/∂w² ẇ + ∂²E/∂w∂b ḃ`.
fn along(graph: &Graph, derivative: &Derivative) -> Math {
    let (of, wrt) = (&derivative.of.name, &derivative.wrt.name);
    let term = |(by, direction): &(NodeId, NodeId)| {
        let by = name(graph, *by);
        let partial = match derivative.kind {
            RequestKind::Jvp => render::partial(of, &[], by, &[]),
            _ if by == wrt => render::second_partial(of, wrt, None),
            _ => render::mixed_partial(of, wrt, by),
        };
        Math::Row(vec![partial, Math::Thin, render::name(name(graph, *direction))])
    };
    let plus = || Math::Symbol(Symbol::Plus);
    match derivative.directions.as_slice() {
        [first, .., last] if derivative.directions.len() > FEW => {
            Math::Row(vec![term(first), plus(), Math::Symbol(Symbol::Dots), plus(), term(last)])
        }
        all => {
            let mut row = Vec::new();
            for one in all {
                if !row.is_empty() {
                    row.push(plus());
                }
                row.push(term(one));
            }
            Math::Row(row)
        }
    }
}

/// The same in plain text: `dE/dw`, `d²E/dw²`, `d²E/dw² w_dot`.
pub fn text(graph: &Graph, derivative: &Derivative) -> String {
    let (of, wrt) = (&derivative.of.name, &derivative.wrt.name);
    let term = |(by, direction): &(NodeId, NodeId)| {
        let (by, direction) = (name(graph, *by), name(graph, *direction));
        match derivative.kind {
            RequestKind::Jvp => format!("d{of}/d{by} {direction}"),
            _ if by == wrt => format!("d²{of}/d{wrt}² {direction}"),
            _ => format!("d²{of}/d{wrt} d{by} {direction}"),
        }
    };
    match (derivative.kind, derivative.directions.as_slice()) {
        (RequestKind::Grad | RequestKind::Jacobian, _) => format!("d{of}/d{wrt}"),
        (RequestKind::Hessian, _) => format!("d²{of}/d{wrt}²"),
        (_, [first, .., last]) if derivative.directions.len() > FEW => {
            format!("{} + … + {}", term(first), term(last))
        }
        (_, all) => all.each(term).join(" + "),
    }
}
