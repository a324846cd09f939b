//! Sentences with formulas in them, for reasons and headings. Every format writes the words as its running text and the formulas
//! as its formulas.

use super::math::Math;
use super::{latex, unicode};

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Running text.
    Words(String),
    /// A formula within it.
    Math(Math),
}

/// A sentence, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prose(pub Vec<Piece>);

impl Prose {
    /// Running text alone.
    pub fn words(text: impl Into<String>) -> Prose {
        Prose(vec![Piece::Words(text.into())])
    }

    /// Whether a part of a formula in it is what is looked for.
    pub fn any(&self, found: &dyn Fn(&Math) -> bool) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Math(math) if math.any(found)))
    }

    /// A formula alone.
    pub fn math(math: Math) -> Prose {
        Prose(vec![Piece::Math(math)])
    }

    /// A sentence with holes, `{name}`, and what stands in them. A hole that nothing is given for stays empty.
    pub fn fill(template: &str, holes: &[(&str, Prose)]) -> Prose {
        let mut out = Prose::default();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((hole, after)) = after.split_once('}') else { break };
            out.push(Prose::words(before));
            let filler = holes.iter().find(|(name, _)| *name == hole);
            filler.iter().for_each(|(_, prose)| out.push(prose.clone()));
            rest = after;
        }
        out.push(Prose::words(rest));
        out
    }

    /// Goes on with more.
    pub fn push(&mut self, more: Prose) {
        for piece in more.0 {
            match (self.0.last_mut(), piece) {
                (_, Piece::Words(text)) if text.is_empty() => {}
                (Some(Piece::Words(before)), Piece::Words(text)) => before.push_str(&text),
                (_, piece) => self.0.push(piece),
            }
        }
    }

    /// Sentences with something between them.
    pub fn join(sentences: Vec<Prose>, between: &str) -> Prose {
        let mut out = Prose::default();
        for (at, sentence) in sentences.into_iter().enumerate() {
            if at > 0 {
                out.push(Prose::words(between));
            }
            out.push(sentence);
        }
        out
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As text, with what a format makes of words and of formulas.
    pub fn write(
        &self,
        words: impl Fn(&str) -> String,
        formula: impl Fn(&Math) -> String,
    ) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Words(text) => words(text),
            Piece::Math(math) => formula(math),
        };
        self.0.iter().map(piece).collect()
    }

    /// In one line of Unicode.
    pub fn plain(&self) -> String {
        self.write(str::to_string, |math| unicode::emit(math).trim().to_string())
    }

    /// As running text of LaTeX, formulas between dollars.
    pub fn latex(&self) -> String {
        self.write(latex::escaped, |math| format!("${}$", latex::emit(math).trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_words_joined() {
        let x = || Prose::math(Math::Ident("x".to_string()));
        let said = Prose::fill("{a} is {b}, 100%", &[("a", x()), ("b", Prose::words("small"))]);
        assert_eq!(said.plain(), "x is small, 100%");
        assert_eq!(said.latex(), r"$x$ is small, 100\%");
        assert_eq!(said.0.len(), 2);
        assert_eq!(Prose::join(vec![x(), x()], "; ").plain(), "x; x");
    }
}
