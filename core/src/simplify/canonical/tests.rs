//! Forms stay short: their size is counted, not the time that they take.

use super::*;
use crate::ir::{Var, VarKind};
use chainrule_grammar::Span;

fn scalar(graph: &mut Graph, name: String) -> NodeId {
    graph.declare(Var {
        name,
        kind: VarKind::Param,
        int: false,
        shape: Vec::new(),
        facts: Vec::new(),
        doc: Vec::new(),
        span: Span::default(),
    })
}

/// How many factors all forms have together where each node multiplies the one before by a new variable.
fn factors(count: usize, multiplies: bool) -> usize {
    let mut graph = Graph::default();
    let mut canonical = Canonical { multiplies, ..Canonical::default() };
    let mut product = scalar(&mut graph, "x".to_string());
    for at in 0..count {
        let next = scalar(&mut graph, format!("x{at}"));
        product = graph.multiply(&[product, next]);
        canonical.of(&graph, product);
    }
    canonical.forms.iter().map(Form::size).sum()
}

#[test]
fn forms_of_products_of_products_stay_short() {
    for multiplies in [false, true] {
        let (once, twice) = (factors(1024, multiplies), factors(2048, multiplies));
        assert!(twice * 10 <= once * 22, "{once}, then {twice}");
    }
}

/// Long products are told to be one as short ones are, where they are built alike.
#[test]
fn long_products_in_another_order_are_one() {
    let mut graph = Graph::default();
    let mut names: Vec<NodeId> = (0..200).map(|at| scalar(&mut graph, format!("x{at}"))).collect();
    let forwards = graph.multiply(&names);
    names.reverse();
    let backwards = graph.multiply(&names);
    let mut canonical = Canonical::default();
    assert_eq!(canonical.of(&graph, forwards), canonical.of(&graph, backwards));
}
