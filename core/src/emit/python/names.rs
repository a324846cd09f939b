//! In: a job. Out: what everything is called in the module: tensors, sizes, numbers, named quantities, functions.

use super::dialect::Library;
use crate::emit::declared::Declared;
use crate::emit::names::Scope;
use crate::emit::{Dtype, Job};
use crate::ir::{DimId, NodeId, VarId};
use std::collections::BTreeMap;

/// Words that a name may not be: those of the language, and those that the functions use.
const RESERVED: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "match",
    "case",
    "type",
    "_",
    "range",
    "int",
    "math",
    "np",
    "jnp",
    "jax",
    "torch",
    "DTYPE",
    "forward",
    "value_and_grad",
    "check_gradient",
    "example",
    "self",
    "functools",
    "super",
    "min",
    "Model",
    "_LOSSES",
    "_ARGUMENTS",
    "_check",
    "_primals",
    "_values",
    "_GRADIENTS",
    "_FURTHER",
];

/// What everything is called.
pub struct Names {
    /// The declared tensors.
    pub vars: BTreeMap<VarId, String>,
    /// The open sizes.
    pub dims: BTreeMap<DimId, String>,
    /// The program's named numbers.
    pub consts: Vec<String>,
    /// The quantities that the program names.
    pub nodes: BTreeMap<NodeId, String>,
    /// For each loss the function that gives its value.
    pub values: Vec<String>,
    /// For each of these functions the class that attaches its derivative.
    pub classes: BTreeMap<String, String>,
    /// For each loss the function that gives its value and gradients.
    pub losses: Vec<String>,
    /// For each request its function.
    pub requests: Vec<String>,
    /// All of these are taken.
    pub scope: Scope,
}

impl Names {
    /// Names for a job.
    pub fn new(job: &Job, library: Library) -> Names {
        let graph = job.graph;
        let mut scope = Scope::with(RESERVED);
        let helpers = library.helpers().into_iter().chain(super::check::helpers(library));
        for helper in helpers.chain(super::mesh::helpers(library)) {
            scope.claim(&helper.name);
        }
        if library == Library::Jax {
            super::mesh::NAMES.iter().for_each(|name| drop(scope.claim(name)));
        }
        let values: Vec<String> = match job.losses.as_slice() {
            [_] => vec![scope.claim("loss")],
            many => many.iter().map(|loss| scope.claim(&format!("loss_{}", loss.name))).collect(),
        };
        let mut classes = BTreeMap::new();
        for value in &values {
            for end in ["", "_value", "_every", "_kept", "_back"] {
                scope.claim(&format!("_{value}{end}"));
            }
            let class = format!("_{}{}", value[..1].to_uppercase(), &value[1..]);
            classes.insert(value.clone(), scope.claim(&class));
        }
        let Declared { vars, dims, losses, requests } = scope.declare(job);
        let consts = graph.consts.iter().map(|(name, _)| scope.claim(name)).collect();
        let reachable = graph.reachable(&job.roots());
        let nodes = reachable
            .into_iter()
            .filter_map(|id| Some((id, scope.claim(graph.names.get(&id)?))))
            .collect();
        Names { vars, dims, consts, nodes, values, classes, losses, requests, scope }
    }
}

/// The module's name for the type of numbers in prose.
pub fn bits(dtype: Dtype) -> &'static str {
    if dtype == Dtype::F32 { "32-bit" } else { "64-bit" }
}
