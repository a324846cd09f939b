//! Lines of Python as `ruff format --line-length 100` leaves them. In: a statement on one line. Out: the same, broken where it is
//! longer than a line. What is in brackets gets a line for each part, with a comma after the last, which the formatter keeps.

/// The longest line.
pub const WIDTH: usize = 100;

/// A statement, indented by so many levels: `name = expression`, `return expression`, or an expression.
pub fn statement(level: usize, text: &str) -> String {
    let pad = "    ".repeat(level);
    if pad.len() + text.chars().count() <= WIDTH {
        return format!("{pad}{text}");
    }
    let (left, right) = halves(text);
    let left = match left.strip_suffix(" = ") {
        Some(targets) if pad.len() + left.len() > WIDTH / 2 && targets.contains(", ") => {
            format!("{} = ", bracketed(level, "(", &parts(targets, &[","]), ")", ","))
        }
        _ => left.to_string(),
    };
    format!("{pad}{left}{}", expression(level, &left, right))
}

/// `head`, parts between brackets, `tail`, in one line or in a line for each part.
pub fn listed(level: usize, head: &str, items: &[String], tail: &str) -> String {
    let pad = "    ".repeat(level);
    let line = format!("{pad}{head}{}{tail}", items.join(", "));
    if line.chars().count() <= WIDTH || items.is_empty() {
        return line;
    }
    format!("{pad}{}", bracketed(level, head, items, tail, ","))
}

/// What a statement begins with, up to its expression, and the expression.
fn halves(text: &str) -> (&str, &str) {
    if let Some(rest) = text.strip_prefix("return ") {
        return ("return ", rest);
    }
    // Keyword arguments have no blanks around their sign.
    match text.find(" = ") {
        Some(at) if !text[..at].contains(['(', '[', '"']) => text.split_at(at + 3),
        _ => ("", text),
    }
}

/// An expression that may begin after `left` on a line of this level.
fn expression(level: usize, left: &str, text: &str) -> String {
    let taken = 4 * level + left.rsplit('\n').next().unwrap_or(left).chars().count();
    if taken + text.chars().count() <= WIDTH {
        return text.to_string();
    }
    if let Some((key, value)) = text.strip_prefix('"').and_then(|rest| rest.split_once("\": "))
        && !key.contains('"')
    {
        let key = format!("\"{key}\": ");
        return format!("{key}{}", expression(level, &key, value));
    }
    let tuple = parts(text, &[","]);
    if let [first @ .., last] = tuple.as_slice()
        && !first.is_empty()
        && last.starts_with(['{', '('])
        && let Some((open, inner, close)) = bracket(last)
    {
        let head = format!("{}, {open}", first.join(", "));
        return bracketed(level, &head, &parts(inner, &[","]), close, ",");
    }
    if tuple.len() > 1 {
        return bracketed(level, "(", &tuple, ")", ",");
    }
    if let Some((open, inner, close)) = bracket(text) {
        return bracketed(level, open, &parts(inner, &[","]), close, ",");
    }
    for signs in [&[" + ", " - "][..], &[" * ", " / ", " @ "]] {
        let terms = parts(text, signs);
        let pad = "    ".repeat(level + 1);
        if terms.len() > 1 && pad.len() + text.chars().count() <= WIDTH {
            return format!("(\n{pad}{text}\n{})", "    ".repeat(level));
        }
        if terms.len() > 1 {
            return bracketed(level, "(", &terms, ")", "");
        }
    }
    text.to_string()
}

/// A line for each part.
fn bracketed(level: usize, open: &str, items: &[String], close: &str, comma: &str) -> String {
    let pad = "    ".repeat(level + 1);
    let lines: String = items
        .iter()
        .map(|item| format!("{pad}{}{comma}\n", expression(level + 1, "", item)))
        .collect();
    format!("{open}\n{lines}{}{close}", "    ".repeat(level))
}

/// `f(`, `…`, `)` where that is all of a text.
fn bracket(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find(['(', '[', '{'])?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '*');
    if !text[..open].chars().all(plain) {
        return None;
    }
    let mut depth = 0usize;
    let end = text[open..].char_indices().find_map(|(at, c)| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(open + at)
    })?;
    let whole = end + 1 == text.len() && end > open + 1;
    whole.then(|| (&text[..=open], &text[open + 1..end], &text[end..]))
}

/// The parts of a text between signs that stand outside of brackets and strings; a sign that is not a comma stays with what follows.
pub fn parts(text: &str, signs: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let (mut depth, mut quoted, mut from, mut skip) = (0usize, false, 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        let sign = signs.iter().find(|sign| text[at..].starts_with(**sign));
        if let (0, false, Some(sign)) = (depth, quoted, sign)
            && at >= skip
        {
            out.push(text[from..at].trim().to_string());
            from = if *sign == "," { at + 1 } else { at };
            skip = at + sign.len();
        }
    }
    out.push(text[from..].trim().to_string());
    out.retain(|part| !part.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_statements_get_a_line_for_each_part() {
        let name = "a_name_of_thirty_characters_ab";
        let sum = format!("r = {name} + 2 * {name} - {name} + {name}");
        let want = format!(
            "    r = (\n        {name}\n        + 2 * {name}\n        - {name}\n        + {name}\n    )"
        );
        assert_eq!(statement(1, &sum), want);
        let call = format!("r = f({name}, g({name}, 1), axis=1, of={name})");
        let want =
            format!("r = f(\n    {name},\n    g({name}, 1),\n    axis=1,\n    of={name},\n)");
        assert_eq!(statement(0, &call), want);
        let pair = format!("return E, {{\"W, b\": {name}, \"c\": {name}, \"d\": {name}}}");
        let want = format!(
            "return E, {{\n    \"W, b\": {name},\n    \"c\": {name},\n    \"d\": {name},\n}}"
        );
        assert_eq!(statement(0, &pair), want);
        assert_eq!(statement(1, "return a + b"), "    return a + b");
    }
}
