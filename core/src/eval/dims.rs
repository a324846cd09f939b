//! The sizes of the dim names from the shapes of arrays: `N` from `[N]`, or from `[2*N + 1]`.

use super::array::Array;
use crate::few::Each;
use crate::ir::{Dim, DimId, Graph, Num, VarId};
use std::collections::BTreeMap;

/// A tensor that does not fit its declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// The tensor.
    pub var: VarId,
    /// What is wrong: it names the tensor, the shape found and the shape wanted.
    pub message: String,
}

/// Solves the declared shapes for the dim names; an error names the tensor, the shape found and the shape wanted.
pub fn infer_dims(
    graph: &Graph,
    arrays: &BTreeMap<VarId, Array>,
) -> Result<BTreeMap<DimId, usize>, String> {
    solve_dims(graph, arrays, BTreeMap::new()).map_err(|misfit| misfit.message)
}

/// As [`infer_dims`], where some sizes are given.
pub fn solve_dims(
    graph: &Graph,
    arrays: &BTreeMap<VarId, Array>,
    given: BTreeMap<DimId, usize>,
) -> Result<BTreeMap<DimId, usize>, Misfit> {
    let mut open: Vec<(VarId, usize)> = Vec::new();
    for (&id, array) in arrays {
        let var = graph.var(id);
        if var.shape.len() != array.shape.len() {
            let message = format!(
                "`{}` has {}, but is declared as {}",
                var.name,
                show_found(&array.shape),
                graph.show_shape(&var.shape)
            );
            return Err(Misfit { var: id, message });
        }
        open.extend((0..var.shape.len()).map(|axis| (id, axis)));
    }
    let mut sizes = given;
    let mut origin: BTreeMap<DimId, VarId> = BTreeMap::new();
    loop {
        let before = open.len();
        let mut rest = Vec::new();
        for (id, axis) in open {
            let (wanted, found) = (&graph.var(id).shape[axis], arrays[&id].shape[axis]);
            match solve(wanted, found, &sizes) {
                Answer::Agrees => {}
                Answer::Gives(dim, size) => {
                    sizes.insert(dim, size);
                    origin.insert(dim, id);
                }
                Answer::Open => rest.push((id, axis)),
                Answer::Wrong => {
                    let message = mismatch(graph, id, &arrays[&id].shape, &sizes, &origin);
                    return Err(Misfit { var: id, message });
                }
            }
        }
        open = rest;
        match open.first() {
            None => return inside(graph, sizes, &origin),
            Some(&(id, axis)) if open.len() == before => {
                let var = graph.var(id);
                let message = format!(
                    "the size {} of `{}` does not determine its names",
                    graph.show_dim(&var.shape[axis]),
                    var.name
                );
                return Err(Misfit { var: id, message });
            }
            Some(_) => {}
        }
    }
}

/// The sizes, unless a position is outside of an axis.
fn inside(
    graph: &Graph,
    sizes: BTreeMap<DimId, usize>,
    origin: &BTreeMap<DimId, VarId>,
) -> Result<BTreeMap<DimId, usize>, Misfit> {
    let at = |id: DimId| sizes.get(&id).copied().unwrap_or_default();
    let known = |dim: &Dim| dim.names().all(|id| sizes.contains_key(&id));
    let outside = graph.rooms.iter().find(|left| known(left) && left.value(&at).is_none());
    let Some(left) = outside else { return Ok(sizes) };
    let Some((dim, var)) = left.names().find_map(|id| Some((id, *origin.get(&id)?))) else {
        return Ok(sizes);
    };
    let (name, size) = (&graph.dims[dim.0 as usize].name, sizes[&dim]);
    let shown = graph.show_dim(left);
    let message = format!(
        "{name} = {size} is too small: a position is outside of its axis, or shifted by more than its size (`{shown}` is below 0)"
    );
    Err(Misfit { var, message })
}

enum Answer {
    /// The size is as declared.
    Agrees,
    /// The size makes a name this number.
    Gives(DimId, usize),
    /// More than one name is not known yet.
    Open,
    /// No size of the names makes the declaration right.
    Wrong,
}

fn solve(wanted: &Dim, found: usize, sizes: &BTreeMap<DimId, usize>) -> Answer {
    let mut unknown: Vec<DimId> = wanted.names().filter(|id| !sizes.contains_key(id)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    let at =
        |size: usize| wanted.value(&|id| sizes.get(&id).copied().unwrap_or(size)) == Some(found);
    match unknown.as_slice() {
        [] if at(0) => Answer::Agrees,
        [] => Answer::Wrong,
        [id] => match candidate(wanted, *id, found, sizes).filter(|&size| at(size)) {
            Some(size) => Answer::Gives(*id, size),
            None => Answer::Wrong,
        },
        _ => Answer::Open,
    }
}

/// The size of the one unknown name: by division where it stands alone in its terms, else by trial.
fn candidate(
    wanted: &Dim,
    unknown: DimId,
    found: usize,
    sizes: &BTreeMap<DimId, usize>,
) -> Option<usize> {
    const TRIALS: usize = 1 << 16;
    let number = |size: usize| i128::try_from(size).ok().map(Num::int);
    let (mut factor, mut rest) = (Num::ZERO, number(found)?);
    for (names, value) in wanted.terms.iter() {
        let mut product = *value;
        for id in names.iter().filter(|id| **id != unknown) {
            product = product * number(sizes.get(id).copied()?)?;
        }
        match names.iter().filter(|id| **id == unknown).count() {
            0 => rest = rest + -product,
            1 => factor = factor + product,
            _ => {
                let fits = |size: usize| {
                    wanted.value(&|id| sizes.get(&id).copied().unwrap_or(size)) == Some(found)
                };
                return (0..=found.min(TRIALS)).find(|&size| fits(size));
            }
        }
    }
    let size = (rest * factor.recip()?).as_int()?;
    usize::try_from(size).ok()
}

fn mismatch(
    graph: &Graph,
    id: VarId,
    found: &[usize],
    sizes: &BTreeMap<DimId, usize>,
    origin: &BTreeMap<DimId, VarId>,
) -> String {
    let var = graph.var(id);
    let mut known: Vec<DimId> = var.shape.iter().flat_map(Dim::names).collect();
    known.sort_unstable();
    known.dedup();
    let known: Vec<String> = known
        .iter()
        .filter(|dim| origin.get(dim).is_some_and(|&from| from != id))
        .map(|dim| {
            let from = &graph.var(origin[dim]).name;
            let name = &graph.dims[dim.0 as usize].name;
            format!("{name} is {} by `{from}`", sizes[dim])
        })
        .collect();
    let because = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    format!(
        "`{}` has {}, but is declared as {}{because}",
        var.name,
        show_found(found),
        graph.show_shape(&var.shape)
    )
}

fn show_found(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "no axes (a scalar)".to_string();
    }
    let sizes: Vec<String> = shape.each(usize::to_string);
    format!("shape [{}]", sizes.join(", "))
}
