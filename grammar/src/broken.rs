//! What a statement that cannot be read may have named, so that uses of these names are not errors of their own; and what it
//! defines, so that it is not defined again. In: its text. Out: names, of the first rather too many than too few, of the other none in doubt.

use crate::Span;
use crate::ast::{Ident, Program};

/// Notes the names of a statement that starts at an offset.
pub(crate) fn note(text: &str, offset: usize, program: &mut Program) {
    program.broken.extend(names(text));
    program.heads.extend(head(text, offset));
}

/// The name of `loss E = …`, `output z = …` or `z[i] = …`.
fn head(text: &str, offset: usize) -> Option<Ident> {
    let letter = |sign: char| sign == '_' || sign.is_alphanumeric();
    let left = &text[..text.find('=')?];
    if text[left.len() + 1..].starts_with('=') {
        return None;
    }
    let plain = left.split_once('[').map_or(left, |(plain, _)| plain).trim_end();
    let name = plain.rsplit(|sign| !letter(sign)).next().filter(|name| !name.is_empty())?;
    let start = plain.len() - name.len();
    let word = plain[..start].trim();
    matches!(word, "" | "loss" | "output")
        .then(|| Ident::new(name, Span::new(offset + start, offset + plain.len())))
}

/// The words outside of brackets that do not stand right of a `=`.
fn names(text: &str) -> Vec<String> {
    let (mut names, mut depth, mut right) = (Vec::new(), 0_usize, false);
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let letter = |sign: char| sign == '_' || sign.is_alphanumeric();
        let length = if letter(sign) {
            let word = rest.find(|sign| !letter(sign)).unwrap_or(rest.len());
            if depth == 0 && !right {
                names.push(rest[..word].to_string());
            }
            word
        } else {
            match sign {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                '=' if depth == 0 => right = true,
                ',' | '\n' if depth == 0 => right = false,
                _ => {}
            }
            sign.len_utf8()
        };
        rest = &rest[length..];
    }
    names
}
