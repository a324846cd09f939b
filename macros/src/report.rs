//! Errors and warnings as rustc shows them. In: what is wrong, and where. Out: items that make the compiler say so.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// What is wrong, and where.
pub struct Fault {
    /// The first and the last token of the place.
    pub place: (Span, Span),
    /// A sentence, and what can be added to it on lines of their own.
    pub message: String,
}

impl Fault {
    /// A fault of one token.
    pub fn new(at: Span, message: impl Into<String>) -> Fault {
        Fault { place: (at, at), message: message.into() }
    }

    /// `::core::compile_error! { "…" }`, whose first and last tokens have places of their own: rustc underlines what is between.
    pub fn error(&self) -> TokenStream {
        let (first, last) = self.place;
        let mut message = Literal::string(&self.message);
        message.set_span(last);
        let mut group = Group::new(Delimiter::Brace, TokenStream::from(TokenTree::from(message)));
        group.set_span(last);
        let path = quote_spanned!(first=> ::core::compile_error!);
        path.into_iter().chain([TokenTree::from(group)]).collect()
    }

    /// The use of a constant that is deprecated for this reason: the only warning that a macro can raise at a token.
    pub fn warning(&self) -> TokenStream {
        let message = &self.message;
        let here = Ident::new("derive_grad", self.place.0);
        let name = Ident::new("derive_grad", Span::call_site());
        let colon = Punct::new(':', Spacing::Alone);
        quote_spanned! {Span::call_site()=>
            const _: () = {
                #[deprecated(note = #message)]
                #[allow(non_upper_case_globals)]
                const #name #colon () = ();
                #here
            };
        }
    }
}
