//! What a statement that cannot be read may have named, so that uses of these names are not errors of their own.
//! In: its text. Out: names, rather too many than too few.

/// The words outside of brackets that do not stand right of a `=`.
pub(crate) fn names(text: &str) -> Vec<String> {
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
