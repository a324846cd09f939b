//! From an invocation to its module, one line a step.

use crate::header::{Body, Header};
use crate::report::Fault;
use crate::stubs;
use crate::tokens::Text;
use chainrule_core::emit::{self, Job};
use chainrule_core::{Compiled, Diagnostic, Dialect, Source};
use chainrule_grammar::Program;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::path::{Path, PathBuf};

/// What the macro stands for.
pub fn expand(input: TokenStream) -> TokenStream {
    let Header { attributes, visibility, name, body } = match Header::read(input) {
        Ok(header) => header,
        Err(fault) => return fault.error(),
    };
    let items = match body {
        Body::Inline(group) => inline(&name.to_string(), &Text::of(&group)),
        Body::File(path, at) => file(&path, at),
    };
    quote! {
        #attributes
        #visibility mod #name { #items }
    }
}

/// A program that is written in place: what is wrong is shown at its tokens.
fn inline(name: &str, text: &Text) -> TokenStream {
    let source = Source::new(name, text.text.clone());
    items(&source, &|diagnostic| {
        let span = diagnostic.span();
        Fault { place: text.place(span.start..span.end), message: sentence(diagnostic, &source) }
    })
}

/// A program in a file: what is wrong is shown at the file's name, with the line of the file in the message.
fn file(path: &str, at: Span) -> TokenStream {
    let full = root().join(path);
    let text = match std::fs::read_to_string(&full) {
        Ok(text) => text,
        Err(error) => {
            let message = format!(
                "cannot read `{}`: {error}\nthe path is taken from the crate's root",
                full.display()
            );
            return stubs::items(&Fault::new(at, message).error(), &Program::default());
        }
    };
    let dialect = if path.ends_with(".m.grad") { Dialect::Matlab } else { Dialect::Chainrule };
    let source = Source { name: path.to_string(), text, dialect };
    let items = items(&source, &|diagnostic| Fault::new(at, excerpt(diagnostic, &source)));
    let full = full.display().to_string();
    quote! {
        #items
        // Cargo builds again when this file changes.
        const _: &[::core::primitive::u8] = ::core::include_bytes!(#full);
    }
}

/// The root of the crate that is being compiled.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| Path::new("").to_path_buf(), PathBuf::from)
}

/// The module's items, or the errors and stubs in their place.
fn items(source: &Source, fault: &dyn Fn(&Diagnostic) -> Fault) -> TokenStream {
    let mut compiled = chainrule_core::compile(source);
    let code =
        if compiled.has_errors() { TokenStream::new() } else { generate(&mut compiled, source) };
    let (errors, warnings): (Vec<&Diagnostic>, Vec<_>) =
        compiled.diagnostics.iter().partition(|one| one.is_error());
    let warnings = warnings.into_iter().map(|one| fault(one).warning());
    let mut errors = errors.into_iter().map(|one| fault(one).error());
    match errors.next() {
        None => {
            let doc = format!("\n```text\n{}\n```", source.text.trim_end().replace("```", "'''"));
            quote!(#![doc = #doc] #(#warnings)* #code)
        }
        Some(first) => {
            let stubs = stubs::items(&first, &compiled.program);
            quote!(#(#warnings)* #stubs #(#errors)*)
        }
    }
}

/// The generated code; where there is none, the reason joins the diagnostics.
fn generate(compiled: &mut Compiled, source: &Source) -> TokenStream {
    let threads = cfg!(feature = "rayon");
    let code = compiled.job(&source.text).and_then(|job| emit::rust(&Job { threads, ..job }));
    code.unwrap_or_else(|refusal| {
        compiled.diagnostics.push(refusal);
        TokenStream::new()
    })
}

/// The message, what is to be seen at further places, and what to write instead.
fn sentence(diagnostic: &Diagnostic, source: &Source) -> String {
    let mut out = format!("{} [{}]", diagnostic.message, diagnostic.code.id());
    for label in diagnostic.labels.iter().filter(|label| !label.text.is_empty()) {
        let covered = source.text.get(label.span.start..label.span.end).unwrap_or("");
        let shown: String =
            covered.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
        // That a name is declared at a place helps only where the place is seen.
        if !label.text.starts_with(&format!("`{shown}` is ")) {
            out.push_str(&format!("\n`{shown}`: {}", label.text));
        }
    }
    if let Some(help) = &diagnostic.help {
        out.push_str(&format!("\nhelp: {help}"));
        // Tokens of a macro by example have no layout of their own; their line would be hard to read.
        let line = diagnostic.fixed_line(source).filter(|line| !line.contains(" ; "));
        if let Some(line) = line {
            out.push_str(&format!("\n      {line}"));
        }
    }
    out
}

/// The message, and under it the file's lines that it is about.
fn excerpt(diagnostic: &Diagnostic, source: &Source) -> String {
    let rendered = diagnostic.render(source);
    let lines = rendered.split_once('\n').map_or("", |(_, lines)| lines);
    format!("{} [{}]\n{}", diagnostic.message, diagnostic.code.id(), lines.trim_end())
}
