//! The macro of chainrule. In: tokens. Out: the module that [`chainrule_core`] generates for them, or errors at their places.
//!
//! `header` reads `pub mod name { … }`, `tokens` turns the program's tokens back into text, `expand` has it compiled,
//! `report` says at the tokens what is wrong with it, and `stubs` keeps the rest of the user's crate free of further errors.
#![forbid(unsafe_code)]

mod expand;
mod header;
mod literal;
mod report;
mod stubs;
#[cfg(test)]
mod tests;
mod tokens;

/// Differentiates a program and stands for a module with its compiled gradients.
///
/// The program is written in place, or read from a file whose path is relative to the crate's root; when the file changes, the
/// crate is built again.
///
/// ```text
/// derive_grad! {
///     /// Linear regression.
///     pub mod line {
///         dim B, N = 3;
///         input  x: [B, N];
///         target t: [B];
///         param  w: [N], c;
///         loss E = mse(x @ w + c, t);
///     }
/// }
/// derive_grad! { pub mod digits = "nets/digits.grad"; }
/// ```
///
/// What is suspicious but not wrong, such as a parameter without influence, comes as a warning of the lint `deprecated`, the
/// only one that a macro can raise at a token: `#[allow(deprecated)]` on the module silences it.
#[proc_macro]
pub fn derive_grad(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into()).into()
}
