//! Local derivatives: of one quantity by another that it is made of, all others held fixed.

use super::{Diagram, LONG, Local};
use crate::diff;
use crate::ir::{Graph, NodeId, Op};
use crate::raise::{self, Names};
use crate::simplify::simplify;
use std::collections::BTreeMap;

/// Adds the local derivative to every edge on the path. One that the rule book does not have is left out.
pub(super) fn add(diagram: &mut Diagram) {
    let Diagram { graph, quantities, edges, .. } = diagram;
    for (to, quantity) in quantities.iter().enumerate() {
        let below: Vec<(NodeId, NodeId)> = edges
            .iter()
            .filter(|edge| edge.to == to)
            .map(|edge| (quantities[edge.from].node, quantities[edge.from].stand_in))
            .collect();
        let mut cut = None;
        for edge in edges.iter_mut().filter(|edge| edge.to == to && edge.on_path) {
            let cut = *cut.get_or_insert_with(|| graph.substitute(quantity.node, &below));
            let by = quantities[edge.from].stand_in;
            let Ok(jacobian) = diff::jacobian(graph, cut, by) else { continue };
            let jacobian = simplify(graph, &[jacobian]).roots[0];
            // The user's own value, as in y (1 - y), goes by its name.
            let own = BTreeMap::from([(cut, quantity.name.clone())]);
            edge.local = Some(written(graph, own, jacobian, quantity.stand_in, by));
        }
    }
}

/// The Jacobian at index letters; axes that a Kronecker delta joins have one letter.
fn written(
    graph: &mut Graph,
    own: BTreeMap<NodeId, String>,
    jacobian: NodeId,
    of: NodeId,
    by: NodeId,
) -> Local {
    let (front, back) = (graph.rank(of), graph.rank(by));
    let joined = joined(graph, jacobian, front);
    let label = |axis: usize| {
        let pair = joined.iter().find(|(_, second)| *second == axis);
        pair.map_or(axis, |(first, _)| *first) as u32
    };
    let labels: Vec<u32> = (0..front + back).map(label).collect();
    let kept: Vec<u32> = labels
        .iter()
        .enumerate()
        .filter(|(at, own)| *at as u32 == **own)
        .map(|(_, own)| *own)
        .collect();
    let diagonal = graph.einsum(&[(jacobian, labels.clone())], &kept, &[]);
    let diagonal = simplify(graph, &[diagonal]).roots[0];
    let names = Names::with(graph, own);
    let of_letters = names.axes(of);
    let by_letters = names.letters.shape(graph.shape(by), &of_letters);
    let all = [of_letters, by_letters].concat();
    let letter = |label: &u32| all[*label as usize].clone();
    let axes: Vec<String> = kept.iter().map(letter).collect();
    let entry = raise::share(&names, diagonal, LONG)
        .is_empty()
        .then(|| raise::index(&names, diagonal, &axes));
    Local {
        jacobian,
        of: labels[..front].iter().map(letter).collect(),
        by: labels[front..].iter().map(letter).collect(),
        entry,
    }
}

/// Pairs of axes, one of the user's and one of what is used, that a Kronecker delta joins in every term.
fn joined(graph: &Graph, jacobian: NodeId, front: usize) -> Vec<(usize, usize)> {
    let terms: Vec<NodeId> = match graph.op(jacobian) {
        Op::Add(_) => graph.args(jacobian).to_vec(),
        _ => vec![jacobian],
    };
    let mut common: Option<Vec<(usize, usize)>> = None;
    for term in terms {
        let own = deltas(graph, term, front);
        common = Some(match common {
            None => own,
            Some(before) => before.into_iter().filter(|pair| own.contains(pair)).collect(),
        });
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (first, second) in common.unwrap_or_default() {
        if pairs.iter().all(|pair| pair.0 != first && pair.1 != second) {
            pairs.push((first, second));
        }
    }
    pairs
}

/// The pairs of axes that deltas join in one term.
fn deltas(graph: &Graph, term: NodeId, front: usize) -> Vec<(usize, usize)> {
    let across = |a: usize, b: usize| {
        let (first, second) = (a.min(b), a.max(b));
        (first < front && second >= front).then_some((first, second))
    };
    match graph.op(term) {
        Op::Delta(_) => across(0, 1).into_iter().collect(),
        Op::Einsum(einsum) => {
            let place = |ix: &u8| einsum.out.iter().position(|out| out == ix);
            let factors = graph.args(term).iter().zip(&einsum.ins);
            let deltas = factors.filter(|(arg, _)| matches!(graph.op(**arg), Op::Delta(_)));
            deltas.filter_map(|(_, ins)| across(place(&ins[0])?, place(&ins[1])?)).collect()
        }
        _ => Vec::new(),
    }
}
