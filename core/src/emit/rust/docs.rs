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

/// A formula twice: drawn, as editors show it, and in MathML, which browsers draw without a network.
pub fn formula(formula: &Formula) -> TokenStream {
    if formula.drawn.is_empty() {
        return TokenStream::new();
    }
    let mut all: Vec<String> = vec![String::new(), "```text".to_string()];
    all.extend(formula.drawn.lines().map(str::to_string));
    all.extend(["```".to_string(), String::new()]);
    all.push(format!("<div>{}</div>", formula.mathml.replace('\n', " ")));
    all.push(String::new());
    lines(&all)
}
