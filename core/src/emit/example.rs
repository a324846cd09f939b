//! In: a job. Out: sizes of a small example, for the self-checks of emitted files.

use super::Job;
use crate::ir::{Dim, DimId, VarId};

/// Small, different sizes at which every shape is one.
pub fn small_sizes(job: &Job, vars: &[VarId]) -> Vec<(DimId, usize)> {
    let graph = job.graph;
    let count = graph.dims.len();
    let reachable = graph.reachable(&job.roots());
    let shapes = vars.iter().flat_map(|var| &graph.var(*var).shape);
    let wanted: Vec<&Dim> =
        shapes.chain(reachable.iter().flat_map(|id| graph.shape(*id))).collect();
    let patterns: [fn(usize, usize) -> usize; 6] = [
        |k, _| 3 + k,
        |k, n| 2 + n - k,
        |k, _| 4 + 2 * k,
        |k, n| 2 * (n - k) + 2,
        |k, _| 6 + k % 2,
        |_, _| 8,
    ];
    let fits = |pattern: &dyn Fn(usize, usize) -> usize| {
        wanted
            .iter()
            .all(|dim| dim.value(&|id| pattern(id.0 as usize, count)).is_some_and(|size| size > 0))
    };
    let pattern = patterns.iter().find(|pattern| fits(*pattern)).unwrap_or(&patterns[0]);
    (0..count).map(|k| (DimId(k as u32), pattern(k, count))).collect()
}
