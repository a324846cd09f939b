//! In: a module for JAX. Out: its calls on a mesh of devices, where the inputs have a batch that can be spread over them.
//! XLA adds up what the devices compute; nothing here knows whether a loss is a sum or a mean.

use super::dialect::{Library, defined};
use super::layout::statement;
use super::module::Module;
use super::writer::{dim_text, tuple};
use crate::emit::Job;
use crate::emit::helpers::{self, Helper};
use crate::ir::{DimId, Op, VarId};

/// The functions that calls on a mesh consist of.
pub fn helpers(library: Library) -> Vec<Helper> {
    match library {
        Library::Jax => helpers::parse(include_str!("mesh.py"), defined),
        Library::NumPy | Library::Torch => Vec::new(),
    }
}

/// What else a module with such calls imports and defines at its top level.
pub const NAMES: &[&str] = &["_AXES", "functools", "inspect", "value_and_grad_on"];

const DOC: &str = r#"    """`NAME` on a mesh of devices: see `shardings_on`.

    Arguments are put where they belong unless they are there; the loss is whole on
    each device, and a gradient is where its argument is.
    """
"#;

/// The size that a module's calls on a mesh take for the batch; a module of another library has no such calls, nor has one
/// without gradients.
fn spread(module: &Module) -> Option<DimId> {
    let gradients = module.job.losses.iter().any(|loss| !loss.grads.is_empty());
    let wanted = module.library == Library::Jax && gradients;
    wanted.then(|| batch(module.job)).flatten()
}

/// What the documentation of the file says of them.
pub fn sentence(module: &Module) -> String {
    match spread(module) {
        Some(_) => "`value_and_grad_on` runs on a mesh of devices, as `shardings_on` says.\n",
        None => "",
    }
    .to_string()
}

/// For each loss its function on a mesh.
pub fn text(module: &Module) -> Option<String> {
    let batch = format!("\"{}\"", module.names.dims[&spread(module)?]);
    let losses = module.job.losses.iter().zip(&module.names.losses);
    let losses: Vec<_> = losses.filter(|(loss, _)| !loss.grads.is_empty()).collect();
    let mut parts = vec![axes(module)];
    parts.extend(helpers(module.library).into_iter().map(|one| one.text.replace("BATCH", &batch)));
    let mut scope = module.names.scope.clone();
    for (loss, name) in losses {
        let on = match module.names.losses.as_slice() {
            [_] => format!("{name}_on"),
            _ => scope.claim(&format!("{name}_on")),
        };
        let gradients: Vec<String> =
            loss.grads.iter().map(|grad| format!("\"{}\"", module.names.vars[&grad.var])).collect();
        let short = format!("gradients = {}", tuple(&gradients));
        let short = format!("{}\n", statement(1, &short));
        parts.push(format!(
            "def {on}(mesh, batch={batch}, specs=None):\n{doc}{short}    places = shardings_on(mesh, batch, specs)\n    return _on_mesh({name}, gradients, places)",
            doc = DOC.replace("NAME", name),
        ));
    }
    Some(parts.join("\n\n\n"))
}

/// The sizes of every argument's axes, as texts.
fn axes(module: &Module) -> String {
    let graph = module.job.graph;
    let mut out = "# The sizes of the arguments' axes.\n_AXES = {\n".to_string();
    for var in &module.vars {
        let sizes: Vec<String> = graph
            .var(*var)
            .shape
            .iter()
            .map(|dim| format!("\"{}\"", dim_text(&module.names, dim).text))
            .collect();
        out.push_str(&format!("    \"{}\": {},\n", module.names.vars[var], tuple(&sizes)));
    }
    out + "}"
}

/// The open size that most inputs have and no parameter has. Where steps run over time, one needs the one before: that is no batch.
fn batch(job: &Job) -> Option<DimId> {
    let graph = job.graph;
    let sizes = |vars: &[VarId]| -> Vec<Vec<DimId>> {
        let dims = vars.iter().map(|var| graph.var(*var).shape.iter());
        dims.map(|dims| dims.filter_map(|dim| dim.as_named()).collect()).collect()
    };
    let nodes = graph.reachable(&job.roots());
    let scans = nodes.into_iter().filter(|node| matches!(graph.op(*node), Op::Scan(_)));
    let times: Vec<DimId> =
        scans.filter_map(|node| graph.shape(node).first()?.as_named()).collect();
    let params = job.params.iter().flat_map(|var| &graph.var(*var).shape);
    let params: Vec<DimId> = params.flat_map(|dim| dim.names()).collect();
    let inputs = sizes(&job.inputs);
    let mut best: Option<(usize, DimId)> = None;
    for dim in inputs.iter().flatten().filter(|dim| !params.contains(dim) && !times.contains(dim)) {
        let count = inputs.iter().filter(|dims| dims.contains(dim)).count();
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, *dim));
        }
    }
    best.map(|(_, dim)| dim)
}
