//! In: the shapes of the arguments. Out: where each open size is read from: an axis, a formula of one, or the caller.

use super::layout::WIDTH;
use super::names::Names;
use crate::ir::{Dim, DimId, Graph, Num, VarId};
use std::collections::BTreeMap;

/// Where a size comes from: `(axis - offset) // factor`.
struct Origin {
    var: VarId,
    axis: usize,
    offset: i128,
    factor: i128,
}

/// Where all open sizes come from.
pub struct Sizes {
    origins: BTreeMap<DimId, Origin>,
    /// Those that no axis tells: further arguments.
    pub asked: Vec<DimId>,
}

impl Sizes {
    /// For a program with these arguments.
    pub fn new(graph: &Graph, vars: &[VarId]) -> Sizes {
        let mut origins: BTreeMap<DimId, Origin> = BTreeMap::new();
        // A size that stands on an axis alone is read there; else a formula of it is solved.
        for told in [alone, linear] {
            for var in vars {
                for (axis, dim) in graph.var(*var).shape.iter().enumerate() {
                    if let Some((id, factor, offset)) = told(dim) {
                        origins.entry(id).or_insert(Origin { var: *var, axis, offset, factor });
                    }
                }
            }
        }
        let asked = (0..graph.dims.len() as u32).map(DimId);
        let asked = asked.filter(|id| !origins.contains_key(id)).collect();
        Sizes { origins, asked }
    }

    /// The sizes that stand on axes of the arguments and are not asked for.
    pub fn open(&self, graph: &Graph, vars: &[VarId]) -> Vec<DimId> {
        let mut all: Vec<DimId> =
            vars.iter().flat_map(|var| &graph.var(*var).shape).flat_map(Dim::names).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|id| self.origins.contains_key(id));
        all
    }

    /// The statement that reads sizes.
    pub fn statement(&self, names: &Names, dims: &[DimId]) -> String {
        let known = dims.iter().filter_map(|id| Some((names.dims.get(id)?, self.origins.get(id)?)));
        let (left, right): (Vec<String>, Vec<String>) =
            known.map(|(name, origin)| (name.clone(), origin.text(names))).unzip();
        if left.is_empty() {
            return String::new();
        }
        let line = format!("    {} = {}\n", left.join(", "), right.join(", "));
        if line.chars().count() <= WIDTH + 1 {
            return line;
        }
        let each = left.iter().zip(&right);
        each.map(|(name, origin)| format!("    {name} = {origin}\n")).collect()
    }
}

impl Origin {
    fn text(&self, names: &Names) -> String {
        let mut text = format!("{}.shape[{}]", names.vars[&self.var], self.axis);
        if self.offset != 0 {
            let sign = if self.offset > 0 { '-' } else { '+' };
            text = format!("{text} {sign} {}", self.offset.abs());
        }
        match (self.factor, self.offset) {
            (1, _) => text,
            (factor, 0) => format!("{text} // {factor}"),
            (factor, _) => format!("({text}) // {factor}"),
        }
    }
}

/// A name alone.
fn alone(dim: &Dim) -> Option<(DimId, i128, i128)> {
    dim.as_named().map(|id| (id, 1, 0))
}

/// `factor * name + offset` in whole numbers.
fn linear(dim: &Dim) -> Option<(DimId, i128, i128)> {
    let mut offset = Num::ZERO;
    let mut named = None;
    for (factors, c) in dim.terms.iter() {
        match (factors.as_slice(), named) {
            ([], _) => offset = *c,
            ([id], None) => named = Some((*id, *c)),
            _ => return None,
        }
    }
    let (id, factor) = named?;
    Some((id, factor.as_int().filter(|factor| *factor > 0)?, offset.as_int()?))
}
