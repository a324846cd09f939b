//! Code generation. In: a [`Job`], everything of a compiled program that its code needs. Out: Rust items, a Python module, or a C file.
//! Emitters decide nothing about mathematics: they print the graph, or what [`crate::plan`] has planned.

#[cfg(feature = "tools")]
pub mod c;
#[cfg(feature = "tools")]
pub mod declared;
#[cfg(feature = "tools")]
pub mod example;
#[cfg(feature = "tools")]
pub mod helpers;
pub mod job;
pub mod names;
#[cfg(feature = "tools")]
pub mod python;
pub mod rust;
#[cfg(feature = "tools")]
pub mod template;

use crate::ir::{Graph, NodeId, VarId};
use chainrule_grammar::Diagnostic;
use chainrule_grammar::ast::RequestKind;

#[cfg(feature = "tools")]
pub use python::Library;

/// The type of a file's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dtype {
    /// 32 bits.
    F32,
    /// 64 bits.
    #[default]
    F64,
}

/// What is to be generated.
pub struct Job<'g> {
    /// The graph that all nodes are of.
    pub graph: &'g Graph,
    /// Documentation of the module.
    pub module_doc: Vec<String>,
    /// The parameters in order of declaration.
    pub params: Vec<VarId>,
    /// Inputs and targets in order of declaration.
    pub inputs: Vec<VarId>,
    /// The losses.
    pub losses: Vec<LossJob>,
    /// What stands for the derivative by a loss of what engines differentiate.
    pub outer: Option<VarId>,
    /// Further results of the forward pass.
    pub outputs: Vec<OutputJob>,
    /// Further derivatives.
    pub requests: Vec<RequestJob>,
    /// The program's text.
    pub source: String,
    /// Its derivation.
    pub latex: String,
    /// Whether long work is in parts, which threads may share: the run-time support then has its feature `rayon`.
    pub threads: bool,
}

impl Job<'_> {
    /// Every node that code computes.
    pub fn roots(&self) -> Vec<NodeId> {
        let losses = self.losses.iter().flat_map(|loss| {
            let every = loss.every.iter().map(|(_, value)| *value);
            let asked = loss.grads.iter().map(|grad| grad.value);
            std::iter::once(loss.value).chain(asked).chain(every)
        });
        let outputs = self.outputs.iter().map(|output| output.value);
        let requests = self.requests.iter().flat_map(|request| {
            let results = request.results.iter().map(|(_, node, _)| *node);
            std::iter::once(request.of_value).chain(results)
        });
        losses.chain(outputs).chain(requests).collect()
    }

    /// The names of what the forward pass gives.
    pub fn forward_names(&self) -> Vec<String> {
        let losses = self.losses.iter().map(|loss| loss.name.clone());
        losses.chain(self.outputs.iter().map(|output| output.name.clone())).collect()
    }
}

/// A formula as documentation shows it: equations, one below the other.
#[derive(Clone, Debug, Default)]
pub struct Formula {
    /// In the language.
    pub text: String,
    /// Drawn in Unicode, for editors.
    pub drawn: String,
    /// In MathML, one `math` element a line, for pages.
    pub mathml: String,
}

/// Longer formulas than this are left to `chainrule derive`.
#[cfg(feature = "tools")]
const LONG: usize = 160;

#[cfg(feature = "tools")]
impl Formula {
    /// The equation that comments show, with its named parts before it.
    pub fn equation(&self, of: &str) -> Vec<String> {
        if self.text.lines().any(|line| line.len() > LONG) {
            return vec![format!("{of}: a long formula, which `chainrule derive` shows")];
        }
        let mut lines: Vec<String> = self.text.lines().map(ToString::to_string).collect();
        if let Some(last) = lines.last_mut() {
            *last = format!("{of} = {last}");
        }
        lines
    }
}

/// Lines of equations, each once: gradients share their named parts.
#[cfg(feature = "tools")]
pub fn distinct(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut known = std::collections::BTreeSet::new();
    lines.filter(|line| known.insert(line.clone())).collect()
}

/// A loss and its gradients.
pub struct LossJob {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: NodeId,
    /// Its definition.
    pub formula: Formula,
    /// The gradients: of parameters in order of declaration, then of inputs where the program asks for them.
    pub grads: Vec<GradJob>,
    /// The gradients by every tensor of numbers, for engines that differentiate on by themselves. One that is missing there is not.
    pub every: Vec<(VarId, NodeId)>,
    /// The asked gradients times [`Job::outer`], for engines that multiply them by that.
    pub scaled: Vec<(VarId, NodeId)>,
    /// The user's documentation.
    pub doc: Vec<String>,
}

/// A gradient.
pub struct GradJob {
    /// By what.
    pub var: VarId,
    /// Its value, of the variable's shape.
    pub value: NodeId,
    /// Its closed form.
    pub formula: Formula,
}

/// A result of the forward pass.
pub struct OutputJob {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: NodeId,
    /// Its definition.
    pub formula: Formula,
    /// The user's documentation.
    pub doc: Vec<String>,
}

/// A Jacobian, Hessian, HVP or JVP: one function.
pub struct RequestJob {
    /// The function's name.
    pub name: String,
    /// Which derivative.
    pub kind: RequestKind,
    /// Of what.
    pub of: String,
    /// Its value.
    pub of_value: NodeId,
    /// By what, where that is a declared tensor.
    pub by: Option<VarId>,
    /// The results: for each variable its name and its value.
    pub results: Vec<(String, NodeId, Formula)>,
    /// Variables of kind `Direction` that the function takes besides.
    pub directions: Vec<VarId>,
    /// What it computes.
    pub doc: Vec<String>,
}

/// The items of the module that `derive_grad!` stands for, without the `mod` around them.
///
/// # Errors
/// A node that this version has no code for.
pub fn rust(job: &Job) -> Result<proc_macro2::TokenStream, Diagnostic> {
    rust::items(job)
}

/// The same as text; not laid out.
///
/// # Errors
/// A node that this version has no code for.
pub fn rust_text(job: &Job) -> Result<String, Diagnostic> {
    Ok(rust(job)?.to_string())
}

/// A Python module over one of the libraries.
///
/// # Errors
/// A node that this version has no code for.
#[cfg(feature = "tools")]
pub fn python(job: &Job, library: Library, dtype: Dtype) -> Result<String, Diagnostic> {
    python::text(job, library, dtype)
}

/// A file of C99.
///
/// # Errors
/// A node that this version has no code for.
#[cfg(feature = "tools")]
pub fn c99(job: &Job, dtype: Dtype) -> Result<String, Diagnostic> {
    c::text(job, dtype)
}

/// The header of a file of C99; `name` is that of the file without its end.
///
/// # Errors
/// A node that this version has no code for.
#[cfg(feature = "tools")]
pub fn c99_header(job: &Job, dtype: Dtype, name: &str) -> Result<String, Diagnostic> {
    c::header_text(job, dtype, name)
}
