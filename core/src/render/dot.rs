//! A computation graph in the DOT language of Graphviz.

use super::graph_text::{definition, edge_label, shape, tooltip};
use super::unicode;
use crate::diagram::{Diagram, Edge, Quantity, Role};
use std::fmt::Write as _;

/// The graph as a `digraph`; the path of the chain rule is thick and coloured.
pub fn document(diagram: &Diagram) -> String {
    let mut out = String::from(
        "digraph chainrule {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=12, color=\"#777777\"];\n  \
         edge [fontname=\"Helvetica\", fontsize=10, color=\"#999999\"];\n",
    );
    for (at, quantity) in diagram.quantities.iter().enumerate() {
        node(&mut out, diagram, at, quantity);
    }
    for edge in &diagram.edges {
        arrow(&mut out, diagram, edge);
    }
    if let Some(note) = super::graph_text::omitted(diagram) {
        let _ = writeln!(out, "  label={};", quoted(&note));
    }
    out.push_str("}\n");
    out
}

fn node(out: &mut String, diagram: &Diagram, at: usize, quantity: &Quantity) {
    let form = match quantity.role {
        Role::Param => "box, style=\"rounded,bold\"",
        Role::Input | Role::Target => "box, style=rounded",
        Role::Loss => "doubleoctagon",
        Role::Output => "octagon",
        Role::Definition => "box",
        Role::Part => "plaintext",
    };
    let label = format!("{}\n{}", unicode::emit(&definition(diagram, quantity)), shape(quantity));
    let path = if quantity.on_path { ", color=\"#c2410c\", penwidth=2" } else { "" };
    let _ = writeln!(out, "  q{at} [label={}, shape={form}{path}];", quoted(&label));
}

fn arrow(out: &mut String, diagram: &Diagram, edge: &Edge) {
    let used = &diagram.quantities[edge.from];
    let local = edge_label(diagram, edge)
        .map_or_else(String::new, |label| format!("{}\n", unicode::emit(&label)));
    let label = format!("{local}{}", shape(used));
    let path = if edge.on_path { ", color=\"#c2410c\", penwidth=3" } else { "" };
    let tip = quoted(&tooltip(diagram, edge));
    let _ = writeln!(
        out,
        "  q{} -> q{} [label={}, edgetooltip={tip}{path}];",
        edge.from,
        edge.to,
        quoted(&label)
    );
}

/// A string of DOT. Backslashes and quotes lose their meaning, and line breaks are DOT's own.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
