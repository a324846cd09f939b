//! The text that a string literal stands for. In: the literal as Rust writes it. Out: its content.

/// The content of `"…"` or `r#"…"#`; `None` for any other literal.
pub fn text(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let inner = raw.trim_start_matches('#');
        let hashes = &raw[..raw.len() - inner.len()];
        let inner = inner.strip_prefix('"')?.strip_suffix(hashes)?.strip_suffix('"')?;
        return Some(inner.to_string());
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut out = String::new();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next()? {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '0' => out.push('\0'),
            'x' => out.push(code(&rest.by_ref().take(2).collect::<String>())?),
            'u' => out.push(code(&rest.by_ref().skip(1).take_while(|&c| c != '}').collect::<String>())?),
            // A line break in a literal, with the blanks that follow, stands for nothing.
            '\n' => rest = rest.as_str().trim_start().chars(),
            other => out.push(other),
        }
    }
    Some(out)
}

fn code(hex: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(&hex.replace('_', ""), 16).ok()?)
}
