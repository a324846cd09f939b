//! In: a module of PyTorch. Out: the class that holds its parameters, registered, with an initialisation.

use super::dialect::Library;
use super::function::docstring;
use super::layout::{listed, statement};
use super::module::Module;
use super::writer::{dim_text, tuple};
use crate::ir::{Dim, DimId, Var};

/// Whether a module has one.
fn is_wanted(module: &Module) -> bool {
    module.library == Library::Torch
        && !module.job.losses.is_empty()
        && !module.job.params.is_empty()
        && module.sizes.asked.is_empty()
}

/// What the documentation of the file says of it.
pub fn sentence(module: &Module) -> String {
    match is_wanted(module) {
        true => "`Model` holds the parameters.\n".to_string(),
        false => String::new(),
    }
}

/// The class.
pub fn text(module: &Module) -> Option<String> {
    is_wanted(module).then(|| class(module))
}

fn class(module: &Module) -> String {
    let (job, names) = (module.job, &module.names);
    let given: Vec<String> = job.inputs.iter().map(|var| names.vars[var].clone()).collect();
    let method = [vec!["self".to_string()], given.clone()].concat();
    let mut out = "class Model(torch.nn.Module):\n".to_string();
    out.push_str(&docstring(1, &documentation(module)));
    out.push('\n');
    out.push_str(&initialiser(module));
    out.push('\n');
    out.push_str(&reset(module));
    let all: Vec<String> = job
        .params
        .iter()
        .map(|var| format!("self.{}", attribute(&names.vars[var])))
        .chain(given)
        .collect();
    let all = all.join(", ");
    let losses: Vec<String> = names.values.iter().map(|value| format!("{value}({all})")).collect();
    let returned = match losses.as_slice() {
        [one] => one.clone(),
        _ => {
            let pairs = job.losses.iter().zip(&losses);
            let pairs: Vec<String> =
                pairs.map(|(loss, call)| format!("\"{}\": {call}", loss.name)).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    };
    let what = if losses.len() == 1 { "The loss." } else { "The losses by their names." };
    for (name, doc, body) in [
        ("forward", what, returned),
        ("results", "Losses and outputs by their names.", format!("forward({all})")),
    ] {
        out.push_str(&format!("\n{}\n", listed(1, &format!("def {name}("), &method, "):")));
        out.push_str(&docstring(2, &[doc.to_string()]));
        out.push_str(&statement(2, &format!("return {body}")));
        out.push('\n');
    }
    out.trim_end().to_string()
}

fn documentation(module: &Module) -> Vec<String> {
    let names = &module.names;
    let own = module.job.params.iter().map(|var| &names.vars[var]);
    let list: Vec<String> = own.clone().map(|name| format!("`{}`", attribute(name))).collect();
    vec![
        "The parameters of the program; called with the inputs, it gives the loss.".to_string(),
        format!("Parameters: {}.", list.join(", ")),
    ]
}

/// The sizes that the shapes of parameters name.
fn dims(module: &Module) -> Vec<DimId> {
    let graph = module.job.graph;
    let shapes = module.job.params.iter().flat_map(|var| &graph.var(*var).shape);
    let mut all: Vec<DimId> = shapes.flat_map(Dim::names).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn initialiser(module: &Module) -> String {
    let (graph, names) = (module.job.graph, &module.names);
    let sizes = dims(module).into_iter().map(|dim| names.dims[&dim].clone());
    let arguments: Vec<String> = std::iter::once("self".to_string()).chain(sizes).collect();
    let mut out = listed(1, "def __init__(", &arguments, "):");
    out.push_str("\n        super().__init__()\n");
    for var in &module.job.params {
        let shape = &graph.var(*var).shape;
        let sizes: Vec<String> = shape.iter().map(|dim| dim_text(names, dim).text).collect();
        let name = attribute(&names.vars[var]);
        let empty = format!(
            "self.{name} = torch.nn.Parameter(torch.empty({}, dtype=DTYPE))",
            tuple(&sizes)
        );
        out.push_str(&format!("{}\n", statement(2, &empty)));
    }
    out.push_str("        self.reset_parameters()\n");
    out
}

fn reset(module: &Module) -> String {
    let mut out = "    def reset_parameters(self):\n".to_string();
    out.push_str(&docstring(2, &["The usual start: matrices are drawn at random, scaled by their sizes; vectors and numbers are 0.".to_string()]));
    for var in &module.job.params {
        let declared = module.job.graph.var(*var);
        let name = attribute(&module.names.vars[var]);
        let call = format!("torch.nn.init.{}", initial(declared, &name));
        out.push_str(&format!("{}\n", statement(2, &call)));
    }
    out
}

fn initial(var: &Var, name: &str) -> String {
    match var.shape.len() {
        0 | 1 => format!("zeros_(self.{name})"),
        2 => format!("xavier_normal_(self.{name})"),
        _ => {
            let fans = format!("math.prod(self.{name}.shape[:-2]) * sum(self.{name}.shape[-2:])");
            format!("normal_(self.{name}, std=math.sqrt(2 / ({fans})))")
        }
    }
}

/// A parameter's name as an attribute: modules of PyTorch have many of their own.
fn attribute(name: &str) -> String {
    let taken = OWN.contains(&name) || name.starts_with('_');
    if taken { format!("{}_", name.trim_start_matches('_')) } else { name.to_string() }
}

/// The attributes of `torch.nn.Module`.
const OWN: &[&str] = &[
    "T_destination",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "reset_parameters",
    "results",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "xpu",
    "zero_grad",
];
