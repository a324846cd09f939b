//! pest's parser of `chainrule.pest`, and small helpers over its pairs. Nothing of pest leaves this crate.

use crate::ast::Ident;
use crate::diagnostic::{Code, Diagnostic};
use crate::span::{Dialect, Span};
use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;

use crate::parser;
pub(crate) use crate::parser::Rule;

/// What pest says of a text that does not follow the grammar: where it got to, and which rules it tried there.
pub(crate) struct Refusal {
    /// The byte offset in the text that was parsed.
    pub at: usize,
    /// What could have stood there.
    pub wanted: Vec<Rule>,
    /// The stack was too small for the nesting.
    pub deep: bool,
}

/// A part of a source text as the grammar reads it.
#[derive(Clone, Copy)]
pub(crate) struct Slice<'t> {
    /// The text, without comments.
    pub text: &'t str,
    /// Where it begins in the source.
    pub offset: usize,
    /// Which operators it may use.
    pub dialect: Dialect,
}

impl<'t> Slice<'t> {
    /// Reads the whole slice by one rule.
    pub fn read(self, rule: Rule) -> Result<Pair<'t, Rule>, Refusal> {
        let error = match parser::Syntax::parse(rule, self.text) {
            Ok(mut pairs) => match pairs.next() {
                Some(pair) => return Ok(pair),
                None => return Err(Refusal { at: 0, wanted: Vec::new(), deep: false }),
            },
            Err(error) => error,
        };
        let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
        Err(match error.variant {
            ErrorVariant::ParsingError { positives: wanted, .. } => {
                Refusal { at, wanted, deep: false }
            }
            // pest says nothing else in its own words: it stops before the stack overflows.
            ErrorVariant::CustomError { .. } => Refusal { at, wanted: Vec::new(), deep: true },
        })
    }

    /// Where a pair stands in the source. Exact for tokens; rules that end in a repetition may cover blanks after them.
    pub fn span(self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(self.offset + span.start(), self.offset + span.end())
    }

    /// A name token.
    pub fn ident(self, pair: &Pair<'_, Rule>) -> Ident {
        Ident::new(pair.as_str(), self.span(pair))
    }
}

/// The pairs within a pair that carry meaning: without punctuation and the words that only begin something.
pub(crate) fn parts<'t>(pair: Pair<'t, Rule>) -> impl Iterator<Item = Pair<'t, Rule>> {
    pair.into_inner().filter(|part| {
        !matches!(
            part.as_rule(),
            Rule::assign
                | Rule::semi
                | Rule::EOI
                | Rule::dim_word
                | Rule::const_word
                | Rule::output_word
                | Rule::wrt_word
                | Rule::net_word
                | Rule::fn_word
        )
    })
}

/// A syntax error at a place.
pub(crate) fn bad(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::Syntax, span, message)
}

#[cfg(test)]
mod tests {
    use super::{Rule, parser};
    use pest::Parser as _;

    mod derived {
        #![allow(missing_docs, reason = "rules as pest derives them cannot be documented")]
        #[derive(pest_derive::Parser)]
        #[grammar = "chainrule.pest"]
        pub struct Syntax;
    }

    /// Statements and what is none, read by the parser that is checked in and by one that is derived here.
    #[test]
    fn the_parser_reads_as_the_derived_one() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
        let files = std::fs::read_dir(folder).expect("the examples").flatten();
        let texts = files.filter(|file| file.path().extension().is_some_and(|it| it == "grad"));
        let mut read = 0;
        for text in texts.filter_map(|file| std::fs::read_to_string(file.path()).ok()) {
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
            for line in lines {
                let ours = parser::Syntax::parse(Rule::line, line);
                let theirs = derived::Syntax::parse(derived::Rule::line, line);
                read += usize::from(ours.is_ok());
                assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{line}");
            }
        }
        assert!(read > 100, "{read} statements were read");
    }
}
