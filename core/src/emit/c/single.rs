//! In: statements over doubles. Out: the same over numbers of 32 bits: every number with a point is one of them.

/// The statements with an `f` after every such number.
pub fn single(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = match c {
            '0'..='9' => number(rest),
            _ if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        out.push_str(token);
        if c.is_ascii_digit() && token.contains(['.', 'e']) {
            out.push('f');
        }
        rest = after;
    }
    out
}

/// How long the number is that a text begins with.
fn number(text: &str) -> usize {
    let mut before = ' ';
    let end = text.find(|c: char| {
        let sign = matches!(c, '+' | '-') && before == 'e';
        before = c;
        !(c.is_ascii_digit() || matches!(c, '.' | 'e') || sign)
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::single;

    #[test]
    fn numbers_with_a_point_are_marked() {
        let text = "r1[i * 4 + j] = 0.5 * x2e - 1e-5 + 2.5e+10 / pow(r2, 3.0) - 7;";
        let want = "r1[i * 4 + j] = 0.5f * x2e - 1e-5f + 2.5e+10f / pow(r2, 3.0f) - 7;";
        assert_eq!(single(text), want);
    }
}
