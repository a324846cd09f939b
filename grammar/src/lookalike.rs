//! Signs of paper, of word processors and of other keyboards, and what the language writes for them.

use std::ops::Range;

/// Each sign and its spelling.
pub(crate) const LOOKALIKES: [(char, &str); 51] = [
    ('；', ";"),
    ('，', ","),
    ('：', ":"),
    ('（', "("),
    ('）', ")"),
    ('［', "["),
    ('］', "]"),
    ('【', "["),
    ('】', "]"),
    ('＝', "="),
    ('＋', "+"),
    ('－', "-"),
    ('＊', "*"),
    ('／', "/"),
    ('。', "."),
    ('“', "\""),
    ('”', "\""),
    ('’', "'"),
    ('×', "*"),
    ('⋅', "*"),
    ('∙', "*"),
    ('•', "*"),
    ('∘', "*"),
    ('∗', "*"),
    ('÷', "/"),
    ('–', "-"),
    ('—', "-"),
    ('⊤', ".T"),
    ('⁰', "^0"),
    ('¹', "^1"),
    ('²', "^2"),
    ('³', "^3"),
    ('⁴', "^4"),
    ('⁵', "^5"),
    ('⁶', "^6"),
    ('⁷', "^7"),
    ('⁸', "^8"),
    ('⁹', "^9"),
    ('⁻', "^-"),
    ('½', "(1/2)"),
    ('¼', "(1/4)"),
    ('∞', "inf"),
    ('√', "sqrt(…)"),
    ('∑', "sum[i](…)"),
    ('Σ', "sum[i](…)"),
    ('∏', "prod[i](…)"),
    ('∂', "d(…)"),
    ('∇', "grad"),
    ('←', "="),
    ('≔', "="),
    ('‖', "norm2(…)"),
];

/// Where a text has such signs, and what stands for them, as far as one sign stands for the other.
pub(crate) fn spelt(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let (mut quoted, mut raised) = (false, false);
    for (at, sign) in text.char_indices() {
        quoted ^= sign == '"';
        let spelling = LOOKALIKES.iter().find(|(known, _)| *known == sign).map(|(_, it)| *it);
        let was_raised = raised;
        raised = spelling.is_some_and(|spelling| spelling.starts_with('^'));
        let Some(spelling) = spelling.filter(|_| !quoted) else { continue };
        let range = at..at + sign.len_utf8();
        let called = text[range.end..].starts_with('(');
        let whole = match spelling.split_once(['[', '(']) {
            // `√(x)` is `sqrt(x)`; what `√x` or `∑x` take as their argument is not ours to say.
            Some((name, _)) if spelling.contains('…') => match called {
                true if name != "d" && name != "norm2" => name,
                _ => continue,
            },
            _ if sign == '∇' => continue,
            // The second sign of `x¹²` goes on with the power.
            _ if was_raised => spelling.trim_start_matches('^'),
            _ => spelling,
        };
        found.push((range, whole.to_string()));
    }
    found
}
