//! The text that a string literal stands for. In: a literal as Rust's lexer has accepted it. Out: its text; none of another literal.

use proc_macro2::Literal;

/// The text of `"…"`, `r"…"` or `r#"…"#`.
pub fn text(literal: &Literal) -> Option<String> {
    let written = literal.to_string();
    if let Some(raw) = written.strip_prefix('r') {
        let quoted = raw.trim_start_matches('#');
        let end = format!("\"{}", "#".repeat(raw.len() - quoted.len()));
        return Some(quoted.strip_prefix('"')?.strip_suffix(&end)?.to_string());
    }
    unescaped(written.strip_prefix('"')?.strip_suffix('"')?)
}

fn unescaped(written: &str) -> Option<String> {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let kind = escape.chars().next()?;
        rest = &escape[kind.len_utf8()..];
        match kind {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '0' => out.push('\0'),
            '\\' | '\'' | '"' => out.push(kind),
            // A line that goes on on the next one, without what that begins with.
            '\n' => rest = rest.trim_start_matches([' ', '\t', '\n', '\r']),
            'x' => {
                let (digits, after) = rest.split_at_checked(2)?;
                out.push(char::from(u8::from_str_radix(digits, 16).ok()?));
                rest = after;
            }
            'u' => {
                let (digits, after) = rest.strip_prefix('{')?.split_once('}')?;
                let code = u32::from_str_radix(&digits.replace('_', ""), 16).ok()?;
                out.push(char::from_u32(code)?);
                rest = after;
            }
            _ => return None,
        }
    }
    out.push_str(rest);
    Some(out)
}
