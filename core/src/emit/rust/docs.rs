//! In: documentation and formulas. Out: `#[doc]` attributes.

use crate::emit::Formula;
use proc_macro2::TokenStream;
use quote::quote;

/// One attribute a line.
pub fn lines<S: AsRef<str>>(lines: &[S]) -> TokenStream {
    let lines = lines.iter().map(|line| format!(" {}", line.as_ref()));
    quote!(#(#[doc = #lines])*)
}

/// A sentence.
pub fn line(text: &str) -> TokenStream {
    lines(&[text])
}

/// A formula in both notations, as a paragraph.
pub fn formula(formula: &Formula) -> TokenStream {
    let mut all: Vec<String> = Vec::new();
    for (language, text) in [("text", &formula.text), ("latex", &formula.latex)] {
        if !text.is_empty() {
            all.push(String::new());
            all.push(format!("```{language}"));
            all.extend(text.lines().map(|line| line.replace("```", "'''")));
            all.push("```".to_string());
        }
    }
    lines(&all)
}
