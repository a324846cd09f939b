//! In: a template of the rule book and the texts of its arguments. Out: the text of the call, with brackets where they are needed.

/// Replaces `{key}` by what `fill` gives for the key and for whether the place asks for a closed expression.
pub fn fill(template: &str, mut fill: impl FnMut(&str, bool) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(from) = rest.find('{') {
        let Some(length) = rest[from..].find('}') else { break };
        let (key, after) = (&rest[from + 1..from + length], &rest[from + length + 1..]);
        out.push_str(&rest[..from]);
        // Between brackets and commas anything may stand.
        let before = out.trim_end();
        let open = before.ends_with(['(', ',']) || out.is_empty();
        let free = open && (after.is_empty() || after.starts_with([')', ',']));
        let text = fill(key, !free);
        out.push_str(&text);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How often a template uses an argument.
pub fn uses(template: &str, arg: usize) -> usize {
    template.matches(&format!("{{{arg}}}")).count()
        + template.matches(&format!("{{{arg}?}}")).count()
}

/// Whether a text is one call, `f(…)`, and so needs no brackets around it.
pub fn is_call(text: &str) -> bool {
    let Some(open) = text.find('(') else { return false };
    let name = &text[..open];
    let named =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let mut depth = 0usize;
    let closes = text[open..].char_indices().find_map(|(at, c)| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(open + at + 1)
    });
    named && closes == Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_stand_where_they_are_needed() {
        let text = |template: &str| {
            fill(template, |_, closed| if closed { "(a + b)".into() } else { "a + b".into() })
        };
        assert_eq!(text("np.exp({0})"), "np.exp(a + b)");
        assert_eq!(text("np.clip({0} / 6, 0, 1)"), "np.clip((a + b) / 6, 0, 1)");
        assert_eq!(text("-f(-{0}, {1})"), "-f(-(a + b), a + b)");
        assert!(is_call("np.exp(a + (b))") && !is_call("f(a) + g(b)") && !is_call("-f(a)"));
    }
}
