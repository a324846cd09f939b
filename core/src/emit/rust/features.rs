//! In: the text of a file as rustfmt leaves it, and which features are on. Out: the text without what they leave out, and without the
//! conditions that they decide. What asks for anything else (a processor, a system) stays a condition.

use std::fmt::Write as _;

/// The text with its features decided; `on` says `None` of those that stay a question.
pub fn settled(text: &str, on: impl Fn(&str) -> Option<bool>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(condition) = line.trim_start().strip_prefix("#[cfg(") else {
            let _ = writeln!(out, "{}", asked(line, &on));
            continue;
        };
        let mut condition = condition.trim().to_string();
        while !condition.ends_with(")]") {
            let Some(next) = lines.next() else { break };
            condition = condition + " " + next.trim();
        }
        let condition = condition.trim_end_matches("]").strip_suffix(')').unwrap_or_default();
        match holds(condition, &on) {
            Some(true) => {}
            Some(false) => skip(&mut lines, indent(line)),
            None => {
                let _ = writeln!(out, "{}#[cfg({condition})]", " ".repeat(indent(line)));
            }
        }
    }
    out
}

/// Goes past an item, a field or a statement of this indentation.
fn skip<'t>(lines: &mut impl Iterator<Item = &'t str>, at: usize) {
    for line in lines {
        let attribute = line.trim_start().starts_with('#');
        if indent(line) == at && !attribute && line.ends_with(['}', ';', ',']) {
            return;
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A line whose calls of `cfg!` that ask for one feature are answered.
fn asked(line: &str, on: &impl Fn(&str) -> Option<bool>) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find("feature = \"") {
        let (before, after) = rest.split_at(at);
        let end = after[11..].find('"').map_or(after.len(), |end| end + 12);
        let (text, name) = (&after[..end], after[11..end].trim_end_matches('"'));
        // There is `target_feature` too.
        let asked = if before.ends_with('_') { None } else { on(name) };
        out.push_str(before);
        out.push_str(match asked {
            Some(true) => "all()",
            Some(false) => "any()",
            None => text,
        });
        rest = &after[end..];
    }
    out + rest
}

/// Whether a condition holds, where features decide that.
fn holds(condition: &str, on: &impl Fn(&str) -> Option<bool>) -> Option<bool> {
    let condition = condition.trim();
    let inner = |word: &str| condition.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(inner) = inner("not") {
        return holds(inner, on).map(|holds| !holds);
    }
    for (word, decides) in [("all", false), ("any", true)] {
        let Some(inner) = inner(word) else { continue };
        let parts: Vec<Option<bool>> = split(inner).iter().map(|part| holds(part, on)).collect();
        if parts.contains(&Some(decides)) {
            return Some(decides);
        }
        return if parts.contains(&None) { None } else { Some(!decides) };
    }
    match condition.strip_prefix("feature = \"") {
        Some(name) => on(name.trim_end_matches('"')),
        None => (condition == "test").then_some(false),
    }
}

/// The parts of a list between commas that no brackets enclose.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[from..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(feature: &str) -> Option<bool> {
        match feature {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    #[test]
    fn conditions() {
        assert_eq!(holds("all(feature = \"yes\", unix)", &on), None);
        assert_eq!(holds("all(feature = \"no\", unix)", &on), Some(false));
        assert_eq!(holds("not(any(feature = \"yes\", unix))", &on), Some(false));
        assert_eq!(holds("any(test, not(all(feature = \"yes\")),)", &on), Some(false));
        assert_eq!(holds("all()", &on), Some(true));
    }

    #[test]
    fn what_is_off_is_left_out() {
        let text = "#[cfg(feature = \"no\")]\n#[inline]\nfn a(\n    x: f64,\n)\nwhere\n    f64: Copy,\n{\n    b();\n}\nfn c() {\n    #[cfg(all(\n        unix,\n        feature = \"no\",\n    ))]\n    return b();\n    #[cfg(feature = \"yes\")]\n    d(cfg!(all(target_feature = \"no\", feature = \"no\")));\n}\n#[cfg(feature = \"open\")]\nmod e;\n";
        let left = "fn c() {\n    d(cfg!(all(target_feature = \"no\", any())));\n}\n#[cfg(feature = \"open\")]\nmod e;\n";
        assert_eq!(settled(text, on), left);
    }
}
