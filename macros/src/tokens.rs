//! Tokens back to text. In: the program as Rust's lexer has cut it up. Out: its text, and the token at every byte of it.
//!
//! Each token stands where it stood in the user's file, so that `1.` and `.*` stay what they were; where positions make no sense
//! (tokens of several expansions) single spaces separate them. Comments are lost to the lexer; documentation is put back.

use proc_macro2::{Delimiter, Group, LineColumn, Spacing, Span, TokenStream, TokenTree};
use std::ops::Range;

/// A program's text and where its parts came from.
pub struct Text {
    /// The text.
    pub text: String,
    /// Byte ranges of tokens, in order, and their places.
    places: Vec<(Range<usize>, Span)>,
    /// The place of what comes after the last token.
    end: Span,
}

/// A token, or a bracket of a group.
struct Token {
    text: String,
    span: Span,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Something that a space may follow.
    Plain,
    /// A sign that is one with the next: the `|` of `|>`.
    Joint,
    /// A line of documentation.
    Line,
}

impl Text {
    /// The text between the brackets of a group.
    pub fn of(group: &Group) -> Text {
        let tokens = flatten(group.stream());
        let faithful = in_order(&tokens);
        let margin = tokens.iter().map(|token| token.span.start().column).min().unwrap_or(0);
        let mut text = Text { text: String::new(), places: Vec::new(), end: group.span_close() };
        let mut before: Option<&Token> = None;
        for token in &tokens {
            if let Some(before) = before {
                let gap = if faithful {
                    gap(before.span.end(), token.span.start(), margin)
                } else {
                    space(before)
                };
                // What follows documentation on its line would become part of it.
                let missing = before.kind == Kind::Line && !gap.starts_with('\n');
                text.text.push_str(if missing { "\n" } else { "" });
                text.text.push_str(&gap);
            }
            let start = text.text.len();
            text.text.push_str(&token.text);
            text.places.push((start..text.text.len(), token.span));
            before = Some(token);
        }
        text
    }

    /// The places of the first and of the last token that a byte range touches.
    pub fn place(&self, range: Range<usize>) -> (Span, Span) {
        let first = self.places.partition_point(|(place, _)| place.end <= range.start);
        let after = self.places.partition_point(|(place, _)| place.start < range.end);
        let at = |index: usize| self.places.get(index).map_or(self.end, |(_, span)| *span);
        (at(first), at(first.max(after.saturating_sub(1))))
    }
}

/// Whether every token stands after the one before it.
fn in_order(tokens: &[Token]) -> bool {
    tokens.iter().all(|token| token.span.start() < token.span.end())
        && tokens.windows(2).all(|pair| pair[0].span.end() <= pair[1].span.start())
}

/// What stands between two tokens of one file; comments shrink to an empty line.
fn gap(from: LineColumn, to: LineColumn, margin: usize) -> String {
    const WIDEST: usize = 200;
    match to.line - from.line {
        0 => " ".repeat((to.column - from.column).min(WIDEST)),
        lines => "\n".repeat(lines.min(2)) + &" ".repeat((to.column - margin).min(WIDEST)),
    }
}

fn space(before: &Token) -> String {
    if before.kind == Kind::Joint { String::new() } else { " ".to_string() }
}

/// All tokens, with the brackets of groups as tokens of their own. Does not recurse: groups may be nested deeply.
fn flatten(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut open: Vec<(Vec<TokenTree>, Option<Token>)> = vec![(reversed(stream), None)];
    while let Some((trees, _)) = open.last_mut() {
        let Some(tree) = trees.pop() else {
            tokens.extend(open.pop().and_then(|(_, close)| close));
            continue;
        };
        if let Some(lines) = documentation(&tree, trees) {
            tokens.extend(lines);
            continue;
        }
        match tree {
            TokenTree::Group(group) => {
                let trees = reversed(group.stream());
                let (left, right) = brackets(group.delimiter(), trees.len());
                if !left.is_empty() {
                    tokens.push(Token::plain(left, group.span_open()));
                }
                let close = (!right.is_empty()).then(|| Token::plain(right, group.span_close()));
                open.push((trees, close));
            }
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                tokens.push(Token::plain(text.strip_prefix("r#").unwrap_or(&text), ident.span()));
            }
            TokenTree::Punct(punct) => {
                let kind =
                    if punct.spacing() == Spacing::Joint { Kind::Joint } else { Kind::Plain };
                tokens.push(Token { text: punct.as_char().to_string(), span: punct.span(), kind });
            }
            TokenTree::Literal(literal) => {
                tokens.push(Token::plain(&literal.to_string(), literal.span()))
            }
        }
    }
    tokens
}

impl Token {
    fn plain(text: &str, span: Span) -> Token {
        Token { text: text.to_string(), span, kind: Kind::Plain }
    }
}

fn reversed(stream: TokenStream) -> Vec<TokenTree> {
    let mut trees: Vec<TokenTree> = stream.into_iter().collect();
    trees.reverse();
    trees
}

/// An expression that a macro by example has passed on has no brackets, but is one operand.
fn brackets(delimiter: Delimiter, count: usize) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None if count > 1 => ("(", ")"),
        Delimiter::None => ("", ""),
    }
}

/// `#[doc = "…"]`, as Rust has it of `/// …`, as such lines again. Takes what belongs to it off `rest`.
fn documentation(tree: &TokenTree, rest: &mut Vec<TokenTree>) -> Option<Vec<Token>> {
    if !matches!(tree, TokenTree::Punct(hash) if hash.as_char() == '#') {
        return None;
    }
    let inner = matches!(rest.last(), Some(TokenTree::Punct(sign)) if sign.as_char() == '!');
    let group = rest.len().checked_sub(if inner { 2 } else { 1 })?;
    let TokenTree::Group(group) = rest.get(group)? else { return None };
    let parts: Vec<TokenTree> = group.stream().into_iter().collect();
    let [TokenTree::Ident(word), TokenTree::Punct(equals), TokenTree::Literal(value)] =
        parts.as_slice()
    else {
        return None;
    };
    if word != "doc" || equals.as_char() != '=' {
        return None;
    }
    let (text, span) = (crate::literal::text(value)?, value.span());
    rest.truncate(rest.len() - if inner { 2 } else { 1 });
    // `//! …` documents the whole, which the module's own attributes do.
    let lines = if inner { "" } else { &text };
    Some(
        lines
            .lines()
            .map(|line| Token { text: format!("///{line}"), span, kind: Kind::Line })
            .collect(),
    )
}
