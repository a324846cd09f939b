//! `/// doc` `pub mod name { … }` or `… = "file";`. In: the macro's tokens. Out: their parts, or what is wrong with them.

use proc_macro2::{Group, Ident};
use syn::parse::{Parse, ParseStream, Result};
use syn::{Attribute, LitStr, Token, Visibility, token::Brace};

const SHAPE: &str = "write `derive_grad! { pub mod name { … } }` with the program between the inner braces, or `derive_grad! { pub mod name = \"path/to/file.grad\"; }`";

/// The parts of an invocation.
pub struct Header {
    /// Attributes and documentation.
    pub attributes: Vec<Attribute>,
    /// `pub`, `pub(crate)` or nothing.
    pub visibility: Visibility,
    /// The module's name.
    pub name: Ident,
    /// The program.
    pub body: Body,
}

/// Where the program is.
pub enum Body {
    /// Between these braces.
    Inline(Group),
    /// In the file of this name.
    File(LitStr),
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> Result<Header> {
        let attributes = Attribute::parse_outer(input)?;
        let visibility = input.parse()?;
        let wanted = |what: &str| input.error(format!("expected {what}; {SHAPE}"));
        input.parse::<Token![mod]>().map_err(|_| wanted("a module"))?;
        let name = input.parse().map_err(|_| wanted("the module's name"))?;
        let body = if input.peek(Brace) {
            Body::Inline(input.parse()?)
        } else {
            input.parse::<Token![=]>().map_err(|_| wanted("the module's program"))?;
            let path = input.parse().map_err(|_| wanted("a path in quotes"))?;
            input.parse::<Option<Token![;]>>()?;
            Body::File(path)
        };
        if input.is_empty() {
            return Ok(Header { attributes, visibility, name, body });
        }
        Err(input.error("nothing may follow the module; give each module its own `derive_grad!`"))
    }
}
