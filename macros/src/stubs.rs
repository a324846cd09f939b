//! What stands in a module whose program is wrong, so that code that uses the module gets no errors of its own.
//!
//! All types are a projection of a type whose length is the reported error. The compiler takes such a type to be wrong already,
//! and is silent about everything that is done with it: fields, methods, calls with any arguments.

use chainrule_core::emit::{job::request_names, rust::ident};
use chainrule_grammar::Program;
use chainrule_grammar::ast::StmtKind;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

/// What a module has for every program.
const FUNCTIONS: &[&str] = &["forward", "backward", "value_and_grad", "value_and_grad_into"];
const TYPES: &[&str] = &["Params", "Grads", "Workspace"];

/// The items that users of the module may name; `error` is a macro call that stands for the error.
pub fn items(error: &TokenStream, program: &Program) -> TokenStream {
    let functions = functions(program).into_iter();
    let types = TYPES.iter().map(|name| ident(name));
    quote! {
        #![allow(non_upper_case_globals, dead_code, missing_docs, private_interfaces)]
        #[doc(hidden)]
        pub trait Known { type As; }
        type Wrong = [(); #error];
        #(pub type #types<F = f64> = <(Wrong, F) as Known>::As;)*
        pub type Dims = <Wrong as Known>::As;
        pub type Inputs<'a, F = f64> = <(Wrong, &'a F) as Known>::As;
        pub type Forward<'a, F = f64> = <(Wrong, &'a F) as Known>::As;
        #(pub const #functions: Dims = ::core::unreachable!();)*
        pub const SOURCE: &str = "";
        pub const LATEX: &str = "";
    }
}

/// The names of all functions, as far as the program could be read.
fn functions(program: &Program) -> BTreeSet<Ident> {
    let mut names: BTreeSet<String> = FUNCTIONS.iter().map(ToString::to_string).collect();
    for stmt in &program.stmts {
        match &stmt.kind {
            StmtKind::Loss { name, .. } => {
                names.extend(
                    FUNCTIONS[1..].iter().map(|function| format!("{function}_{}", name.name)),
                );
            }
            StmtKind::Request { kind, of, wrt } => {
                let wrt: Vec<&str> = wrt.iter().map(|by| by.name.as_str()).collect();
                names.extend(request_names(*kind, &of.name, &wrt));
            }
            _ => {}
        }
    }
    names.iter().map(|name| ident(name)).collect()
}
