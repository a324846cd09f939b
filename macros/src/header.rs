//! `/// doc` `pub mod name { … }` or `… = "file";`. In: the macro's tokens. Out: their parts, or what is wrong with them.

use crate::literal;
use crate::report::Fault;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

const SHAPE: &str = "write `derive_grad! { pub mod name { … } }` with the program between the inner braces, or `derive_grad! { pub mod name = \"path/to/file.grad\"; }`";

/// The parts of an invocation.
pub struct Header {
    /// Attributes and documentation.
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
    /// In the file of this name, which stands here.
    File(String, Span),
}

impl Header {
    /// Reads the macro's tokens.
    pub fn read(input: TokenStream) -> Result<Header, Fault> {
        let mut tokens = Tokens(Vec::new());
        tokens.put(input);
        let mut attributes = TokenStream::new();
        while let Some(hash) = tokens.take(|token| is_sign(token, '#')) {
            let brackets = tokens.take(|token| is_group(token, Delimiter::Bracket));
            attributes.extend([hash, brackets.ok_or_else(|| tokens.wanted("an attribute"))?]);
        }
        let mut visibility = TokenStream::new();
        if let Some(word) = tokens.take(|token| is_word(token, "pub")) {
            visibility.extend([word]);
            visibility.extend(tokens.take(|token| is_group(token, Delimiter::Parenthesis)));
        }
        tokens.take(|token| is_word(token, "mod")).ok_or_else(|| tokens.wanted("a module"))?;
        let Some(TokenTree::Ident(name)) =
            tokens.take(|token| matches!(token, TokenTree::Ident(_)))
        else {
            return Err(tokens.wanted("the module's name"));
        };
        let body = tokens.body()?;
        match tokens.next() {
            None => Ok(Header { attributes, visibility, name, body }),
            Some(further) => {
                let message =
                    "nothing may follow the module; give each module its own `derive_grad!`";
                Err(Fault::new(further.span(), message))
            }
        }
    }
}

/// What is still to be read, the next token last.
struct Tokens(Vec<TokenTree>);

impl Tokens {
    fn put(&mut self, stream: TokenStream) {
        let at = self.0.len();
        self.0.extend(stream);
        self.0[at..].reverse();
    }

    /// The next token. What a macro by example passes on may stand between brackets that nobody wrote: those are opened.
    fn next(&mut self) -> Option<&TokenTree> {
        while self.0.last().is_some_and(|token| is_group(token, Delimiter::None)) {
            if let Some(TokenTree::Group(group)) = self.0.pop() {
                self.put(group.stream());
            }
        }
        self.0.last()
    }

    /// Takes the next token if it is a certain one.
    fn take(&mut self, wanted: impl Fn(&TokenTree) -> bool) -> Option<TokenTree> {
        self.next().is_some_and(wanted).then(|| self.0.pop()).flatten()
    }

    fn body(&mut self) -> Result<Body, Fault> {
        if let Some(TokenTree::Group(group)) = self.take(|token| is_group(token, Delimiter::Brace))
        {
            return Ok(Body::Inline(group));
        }
        self.take(|token| is_sign(token, '='))
            .ok_or_else(|| self.wanted("the module's program"))?;
        let file = match self.next() {
            Some(TokenTree::Literal(path)) => {
                literal::text(path).map(|text| Body::File(text, path.span()))
            }
            _ => None,
        };
        let file = file.ok_or_else(|| self.wanted("a path in quotes"))?;
        self.0.pop();
        self.take(|token| is_sign(token, ';'));
        Ok(file)
    }

    /// What should stand here.
    fn wanted(&mut self, what: &str) -> Fault {
        let here = self.next().map_or_else(Span::call_site, TokenTree::span);
        Fault::new(here, format!("expected {what}; {SHAPE}"))
    }
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}
