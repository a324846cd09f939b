//! Code generation. In: a [`Job`], everything of a compiled program that its code needs. Out: Rust items.
//! Emitters decide nothing about mathematics: they print what [`crate::plan`] has planned.

pub mod job;
pub mod rust;

use crate::ir::{Graph, NodeId, VarId};
use chainrule_grammar::Diagnostic;

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
    /// Further results of the forward pass.
    pub outputs: Vec<OutputJob>,
    /// Further derivatives.
    pub requests: Vec<RequestJob>,
    /// The program's text.
    pub source: String,
    /// Its derivation.
    pub latex: String,
}

/// A formula in the two notations that documentation shows.
#[derive(Clone, Debug, Default)]
pub struct Formula {
    /// In the language.
    pub text: String,
    /// In LaTeX, without dollars.
    pub latex: String,
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
