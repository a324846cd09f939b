//! `/// doc` `pub mod name { … }` or `… = "file";`. In: the macro's tokens. Out: their parts, or what is wrong with them.

use crate::literal;
use crate::report::Fault;
use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

const SHAPE: &str = "write `derive_grad! { pub mod name { … } }`, or `derive_grad! { pub mod name = \"path/to/file.grad\"; }`";
/// Words that begin a statement: seen first, the module around the program was forgotten.
const STATEMENTS: &[&str] = &["dim", "input", "target", "param", "const", "loss", "output", "net", "fn"];

/// The parts of an invocation.
pub struct Header {
    /// Attributes and documentation, as written.
    pub attributes: TokenStream,
    /// `pub`, `pub(crate)` or nothing.
    pub visibility: TokenStream,
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
    File(Literal, String),
}

/// Reads an invocation.
pub fn parse(input: TokenStream) -> Result<Header, Fault> {
    let trees: Vec<TokenTree> = input.into_iter().collect();
    let (attributes, rest) = attributes(&trees);
    let (visibility, rest) = visibility(rest);
    let name = match rest {
        [TokenTree::Ident(word), TokenTree::Ident(name), ..] if word == "mod" => name.clone(),
        [TokenTree::Ident(word), after @ ..] if word == "mod" => {
            let at = after.first().map_or(word.span(), TokenTree::span);
            return Err(Fault::new(at, format!("the module has no name; {SHAPE}")));
        }
        [TokenTree::Ident(word), ..] if STATEMENTS.iter().any(|known| word == known) => {
            return Err(Fault::new(word.span(), format!("the program stands in a module: {SHAPE}")));
        }
        [other, ..] => return Err(Fault::new(other.span(), format!("expected `mod`; {SHAPE}"))),
        [] => {
            let at = trees.last().map_or(Span::call_site(), TokenTree::span);
            return Err(Fault::new(at, format!("there is no module; {SHAPE}")));
        }
    };
    let (body, after) = body(&name, &rest[2..])?;
    match after {
        [] => Ok(Header { attributes, visibility, name, body }),
        [extra, ..] => Err(Fault::new(extra.span(), "nothing may follow the module; give each module its own `derive_grad!`")),
    }
}

fn attributes(trees: &[TokenTree]) -> (TokenStream, &[TokenTree]) {
    let mut at = 0;
    while let [TokenTree::Punct(hash), TokenTree::Group(group), ..] = &trees[at..] {
        if hash.as_char() != '#' || group.delimiter() != Delimiter::Bracket {
            break;
        }
        at += 2;
    }
    (trees[..at].iter().cloned().collect(), &trees[at..])
}

fn visibility(trees: &[TokenTree]) -> (TokenStream, &[TokenTree]) {
    let length = match trees {
        // A fragment `$vis` of a macro by example.
        [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::None => 1,
        [TokenTree::Ident(word), TokenTree::Group(scope), ..] if word == "pub" && scope.delimiter() == Delimiter::Parenthesis => 2,
        [TokenTree::Ident(word), ..] if word == "pub" => 1,
        _ => 0,
    };
    (trees[..length].iter().cloned().collect(), &trees[length..])
}

fn body<'t>(name: &Ident, trees: &'t [TokenTree]) -> Result<(Body, &'t [TokenTree]), Fault> {
    let (body, after) = match trees {
        [TokenTree::Group(group), after @ ..] if group.delimiter() == Delimiter::Brace => {
            return Ok((Body::Inline(group.clone()), after));
        }
        [TokenTree::Punct(equals), TokenTree::Literal(path), after @ ..] if equals.as_char() == '=' => {
            let text = literal::text(&path.to_string());
            let fault = || Fault::new(path.span(), format!("a path in quotes is wanted here; {SHAPE}"));
            (Body::File(path.clone(), text.ok_or_else(fault)?), after)
        }
        [TokenTree::Punct(equals), after @ ..] if equals.as_char() == '=' => {
            let at = after.first().map_or(equals.span(), TokenTree::span);
            return Err(Fault::new(at, format!("a path in quotes is wanted here; {SHAPE}")));
        }
        _ => {
            let at = trees.first().map_or(name.span(), TokenTree::span);
            return Err(Fault::new(at, format!("module `{name}` has no program; {SHAPE}")));
        }
    };
    match after {
        [TokenTree::Punct(end), after @ ..] if end.as_char() == ';' => Ok((body, after)),
        _ => Ok((body, after)),
    }
}
