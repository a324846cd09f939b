//! Rust. In: a job. Out: the items of the module that `derive_grad!` stands for, as tokens.
//! Invariant: absolute paths only, no `unsafe`, no allocation but in `zeros`, `init` and `Workspace::new`.

mod docs;
#[cfg(feature = "tools")]
mod features;
mod functions;
mod index;
mod layout;
mod names;
mod nest;
mod passed;
mod product;
mod register;
#[cfg(feature = "tools")]
pub mod standalone;
mod steps;
mod stream;
mod types;
mod unit;
mod value;

use super::Job;
use crate::plan;
use chainrule_grammar::Diagnostic;
use layout::Layout;
use proc_macro2::TokenStream;
use quote::quote;

pub use names::ident;

/// The module's items, in a private module that silences lints, re-exported.
///
/// # Errors
/// A node that there is no code for.
pub fn items(job: &Job) -> Result<TokenStream, Diagnostic> {
    let plan = plan::plan(job)?;
    let layout = Layout::new(job, &plan);
    let (types, functions) = (types::all(&layout), functions::all(&layout));
    let (source, latex) = (&job.source, &job.latex);
    let doc = docs::lines(&job.module_doc);
    Ok(quote! {
        pub use self::generated::*;
        #doc
        #[allow(
            non_snake_case, non_camel_case_types, non_upper_case_globals, unused_mut, unused_variables, unused_parens,
            dead_code, missing_docs, unused_braces, unused_comparisons, unreachable_pub, single_use_lifetimes,
            unused_qualifications, unused_results, variant_size_differences, unused_assignments,
            let_underscore_drop, trivial_numeric_casts, trivial_casts, missing_copy_implementations, elided_lifetimes_in_paths,
            clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, clippy::style, clippy::complexity, clippy::perf
        )]
        mod generated {
            /// The program.
            pub const SOURCE: &str = #source;
            /// Its derivation, in LaTeX.
            pub const LATEX: &str = #latex;
            #types
            #functions
        }
    })
}
