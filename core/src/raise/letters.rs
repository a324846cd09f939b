//! Index letters as people choose them: the user's own for an axis of that size, else `n` for the batch, `j, k` for a weight
//! matrix, then `i, j, k, l, m, …`. The choice depends on the declarations alone, so it is the same in every line.

use crate::few;
use crate::ir::{Dim, Graph, Shape, VarKind};
use std::collections::BTreeSet;

const PARAMS: &[&str] = &["j", "k", "l", "m", "p", "q", "r", "s", "u", "v"];
const FRESH: &[&str] = &["i", "j", "k", "l", "m", "p", "q", "r", "s", "t", "u", "v"];

/// Which letters stand for axes of which size.
#[derive(Clone, Debug)]
pub struct Letters {
    preferred: Vec<(Dim, Vec<String>)>,
    declared: BTreeSet<String>,
}

impl Letters {
    /// The choice for a program. `taken` are further names that no index may have, as those that a program gives to what has another.
    pub fn new<'t>(graph: &'t Graph, taken: impl Iterator<Item = &'t String>) -> Letters {
        let vars = graph.vars.iter().map(|var| var.name.clone());
        let dims = graph.dims.iter().map(|dim| dim.name.clone());
        let consts = graph.consts.iter().map(|(name, _)| name.clone());
        let mut declared: BTreeSet<String> = few::set(vars.chain(dims).chain(consts));
        declared.extend(graph.names.values().chain(taken).cloned());
        declared.insert("e".to_string());
        let mut letters = Letters { preferred: Vec::new(), declared };
        for (dim, letter) in &graph.letters {
            letters.prefer(dim, letter);
        }
        letters.prefer_batch(graph);
        for shape in declared_shapes(graph) {
            letters.prefer_shape(&shape);
        }
        letters
    }

    fn prefer(&mut self, dim: &Dim, letter: &str) {
        if self.declared.contains(letter) || self.owner(letter).is_some() {
            return;
        }
        match self.preferred.iter_mut().find(|(known, _)| known == dim) {
            Some((_, list)) => list.push(letter.to_string()),
            None => self.preferred.push((dim.clone(), vec![letter.to_string()])),
        }
    }

    fn owner(&self, letter: &str) -> Option<&Dim> {
        self.preferred
            .iter()
            .find(|(_, list)| list.iter().any(|known| known == letter))
            .map(|(dim, _)| dim)
    }

    fn of(&self, dim: &Dim) -> &[String] {
        self.preferred.iter().find(|(known, _)| known == dim).map_or(&[], |(_, list)| list)
    }

    /// `n` for the first axis of data that no parameter has.
    fn prefer_batch(&mut self, graph: &Graph) {
        let is_data = |kind: VarKind| matches!(kind, VarKind::Input | VarKind::Target);
        let batch =
            graph.vars.iter().filter(|var| is_data(var.kind) && var.shape.len() > 1).find_map(
                |var| {
                    let first = var.shape.first()?;
                    let in_param = graph
                        .vars
                        .iter()
                        .any(|other| other.kind == VarKind::Param && other.shape.contains(first));
                    (!in_param && !first.is_one()).then(|| first.clone())
                },
            );
        if let Some(dim) = batch
            && self.of(&dim).is_empty()
        {
            self.prefer(&dim, "n");
        }
    }

    /// A letter for every axis of a declared shape, as many for a size as it occurs there.
    fn prefer_shape(&mut self, shape: &[Dim]) {
        for (axis, dim) in shape.iter().enumerate() {
            let wanted = shape[..=axis].iter().filter(|other| *other == dim).count();
            if dim.is_one() || self.of(dim).len() >= wanted {
                continue;
            }
            let free =
                |letter: &&&str| !self.declared.contains(**letter) && self.owner(letter).is_none();
            if let Some(letter) = PARAMS.iter().find(free) {
                self.prefer(dim, letter);
            }
        }
    }

    /// A letter for an axis of this size that is not in scope yet.
    pub fn pick(&self, dim: &Dim, scope: &[String]) -> String {
        let free = |letter: &str| {
            !scope.iter().any(|known| known == letter) && !self.declared.contains(letter)
        };
        if let Some(letter) = self.of(dim).iter().find(|letter| free(letter)) {
            return letter.clone();
        }
        let unowned = FRESH.iter().find(|letter| free(letter) && self.owner(letter).is_none());
        if let Some(letter) = unowned.or_else(|| FRESH.iter().find(|letter| free(letter))) {
            return (*letter).to_string();
        }
        (1..).map(|k| format!("i{k}")).find(|letter| free(letter)).unwrap_or_default()
    }

    /// Two letters for two entries along one axis, `i` and `j` if they are free.
    pub fn pair(&self, scope: &[String]) -> [String; 2] {
        let free = |letter: &&str| {
            !scope.iter().any(|known| known == letter) && !self.declared.contains(*letter)
        };
        let mut letters = FRESH.iter().copied().filter(free).map(str::to_string);
        let further = |k: usize| format!("i{k}");
        [letters.next().unwrap_or_else(|| further(1)), letters.next().unwrap_or_else(|| further(2))]
    }

    /// Letters for all axes of a shape, none of which is in scope.
    pub fn shape(&self, shape: &[Dim], scope: &[String]) -> Vec<String> {
        let mut scope = scope.to_vec();
        let first = scope.len();
        for dim in shape {
            let letter = self.pick(dim, &scope);
            scope.push(letter);
        }
        scope.split_off(first)
    }
}

/// Shapes that deserve letters: parameters, matrices first; then all else.
fn declared_shapes(graph: &Graph) -> Vec<Shape> {
    let is_param = |kind: VarKind| kind == VarKind::Param;
    let of = |param: bool, wide: bool| {
        let fits = move |shape: &Shape| (shape.len() >= 2) == wide;
        graph
            .vars
            .iter()
            .filter(move |var| is_param(var.kind) == param && fits(&var.shape))
            .map(|var| var.shape.clone())
    };
    of(true, true).chain(of(true, false)).chain(of(false, true)).chain(of(false, false)).collect()
}
