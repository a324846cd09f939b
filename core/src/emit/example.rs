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
    let patterns: [fn(usize, usize) -> usize; 9] = [
        |k, _| 3 + k,
        |k, n| 2 + n - k,
        |k, _| 4 + 2 * k,
        |k, n| 2 * (n - k) + 2,
        |k, _| 6 + k % 2,
        |_, _| 8,
        |_, _| 16,
        |_, _| 32,
        |_, _| 128,
    ];
    let fits = |pattern: &dyn Fn(usize, usize) -> usize| {
        let at = |id: DimId| pattern(id.0 as usize, count);
        wanted.iter().all(|dim| dim.value(&at).is_some_and(|size| size > 0))
            && graph.rooms.iter().all(|left| left.value(&at).is_some())
    };
    let pattern = patterns.iter().find(|pattern| fits(*pattern)).unwrap_or(&patterns[0]);
    (0..count).map(|k| (DimId(k as u32), pattern(k, count))).collect()
}
