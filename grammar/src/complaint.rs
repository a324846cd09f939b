//! From a place where the grammar stopped to a sentence in the language's own words.

use crate::diagnostic::{Code, Diagnostic};
use crate::formula::implicit;
use crate::span::Span;
use crate::syntax::{Refusal, Rule, Slice, bad};

/// The words that begin a statement.
const STATEMENTS: [&str; 13] = [
    "dim", "input", "target", "param", "const", "loss", "output", "grad", "jacobian", "hessian",
    "hvp", "jvp", "net",
];

/// Signs that look like ones of the language, and what to write for them.
const LOOKALIKES: [(char, &str); 28] = [
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
    ('×', "*"),
    ('÷', "/"),
    ('–', "-"),
    ('—', "-"),
    ('∗', "*"),
    ('²', "^2"),
    ('³', "^3"),
    ('⁻', "^-"),
    ('√', "sqrt(…)"),
    ('∑', "sum[i](…)"),
    ('Σ', "sum[i](…)"),
];

/// The place of a refusal: what stands there and what came before.
struct Scene<'t> {
    slice: Slice<'t>,
    /// The statement up to the place, without blanks at its end.
    before: &'t str,
    /// The token before.
    last: &'t str,
    /// The token at the place; empty at the end of the text.
    found: &'t str,
    at: usize,
    wanted: Vec<Rule>,
}

/// Explains why a slice of a program is not a statement or formula.
pub(crate) fn complain(slice: Slice<'_>, refusal: Refusal) -> Diagnostic {
    if refusal.deep {
        let span = Span::new(slice.offset, slice.offset + slice.text.len());
        let deep = Diagnostic::new(Code::TooDeep, span, "nested too deeply for the stack");
        return deep.help("name parts of the formula with definitions");
    }
    let scene = Scene::new(slice, refusal);
    scene
        .lookalike()
        .or_else(|| scene.after_operator())
        .or_else(|| scene.after_word())
        .or_else(|| scene.shape_without_colon())
        .or_else(|| scene.no_such_statement())
        .or_else(|| scene.juxtaposed())
        .unwrap_or_else(|| scene.unexpected())
}

/// Whether a statement seems to end before the place, only without a `;`: the place begins a line, or another definition.
pub(crate) fn ends_before(slice: Slice<'_>, refusal: &Refusal) -> bool {
    let (before, rest) = slice.text.split_at(refusal.at.min(slice.text.len()));
    let begins_line = before.get(before.trim_end().len()..).is_some_and(|gap| gap.contains('\n'));
    let found = token(rest);
    let behind = rest.get(found.len()..).unwrap_or("").trim_start();
    let defines = behind.starts_with('=') && !behind.starts_with("==");
    // `let x = 3` has an unknown first word rather than a missing `;`.
    let more = before.trim() != token(before.trim());
    found.starts_with(begins_name) && (begins_line || (defines && more))
}

impl<'t> Scene<'t> {
    fn new(slice: Slice<'t>, refusal: Refusal) -> Scene<'t> {
        let at = refusal.at.min(slice.text.len());
        let (before, rest) = slice.text.split_at(at);
        let blank = rest.len() - rest.trim_start().len();
        let found = token(rest.trim_start());
        let (before, at) = (before.trim_end(), at + blank);
        Scene { slice, before, last: last_token(before), found, at, wanted: refusal.wanted }
    }

    fn span(&self) -> Span {
        let start = self.slice.offset + self.at;
        Span::new(start, start + self.found.len())
    }

    /// The token before the place.
    fn last_span(&self) -> Span {
        let end = self.slice.offset + self.before.len();
        Span::new(end - self.last.len(), end)
    }

    fn found(&self) -> String {
        match self.found {
            "" => "unexpected end of the text".into(),
            found => format!("unexpected `{}`", found.chars().take(40).collect::<String>()),
        }
    }

    fn lookalike(&self) -> Option<Diagnostic> {
        let sign = self.found.chars().next()?;
        let (_, instead) = LOOKALIKES.iter().find(|(known, _)| *known == sign)?;
        Some(bad(self.span(), self.found()).help(format!("write `{instead}`")))
    }

    fn after_operator(&self) -> Option<Diagnostic> {
        if !self.wanted.contains(&Rule::number) && !self.wanted.contains(&Rule::expr) {
            return None;
        }
        let last = self.last;
        let operators = [
            "+", "-", "−", "*", "·", "⊙", "/", "@", "^", "**", ".*", "./", ".^", "<", ">", "<=",
            ">=", "==", "!=", "|>",
        ];
        if last == "=" {
            return Some(bad(self.span(), "expected an expression after `=`"));
        }
        if !operators.contains(&last) {
            return None;
        }
        let message = format!("expected an operand after `{last}`");
        let missing = bad(self.span(), message).here(self.found());
        let missing = missing.label(self.last_span(), "this operator");
        Some(match (last, self.found) {
            ("+" | "-" | "*" | "/", "=") => {
                missing.help("a name is defined once; write the new value under a new name")
            }
            _ => missing,
        })
    }

    /// `dim 3`, `grad E wrt ;`
    fn after_word(&self) -> Option<Diagnostic> {
        let first = self.before.trim_start();
        let begins = first == self.last && (STATEMENTS.contains(&first) || first == "fn");
        let wants = self.wanted.iter().any(|rule| matches!(rule, Rule::name | Rule::ident));
        if !(wants && (begins || self.last == "wrt")) {
            return None;
        }
        let message = format!("expected a name after `{}`", self.last);
        Some(bad(self.span(), message).here(self.found()))
    }

    /// `input x [N];`
    fn shape_without_colon(&self) -> Option<Diagnostic> {
        let declares = matches!(token(self.before.trim_start()), "input" | "target" | "param");
        let shape = declares && self.found == "[" && !self.wanted.contains(&Rule::infix);
        shape.then(|| bad(self.span(), "expected `:` before the shape"))
    }

    /// `parm W: [N];`
    fn no_such_statement(&self) -> Option<Diagnostic> {
        let first = self.before.trim_start();
        let two_words = first == self.last && first.chars().all(continues_name);
        if !two_words || !first.starts_with(begins_name) || !self.found.starts_with(begins_name) {
            return None;
        }
        if STATEMENTS.contains(&first) || first == "fn" {
            return None;
        }
        let message = format!("no statement begins with `{first}`");
        let bad = bad(self.last_span(), message);
        let near = STATEMENTS.iter().find(|word| is_near(first, word));
        Some(match near {
            Some(word) => bad.help(format!("did you mean `{word}`?")),
            None => bad
                .help(format!("the statements are {}, fn and definitions", STATEMENTS.join(", "))),
        })
    }

    /// `2x`, `a b`, `3(x)`
    fn juxtaposed(&self) -> Option<Diagnostic> {
        let operand = self.found.starts_with(begins_name)
            || self.found.starts_with(|sign: char| sign.is_ascii_digit() || sign == '(');
        let number = self.last.starts_with(|sign: char| sign.is_ascii_digit() || sign == '.');
        let listed = self.innermost() == Some('[') && !number;
        if !operand || listed || !self.wanted.contains(&Rule::infix) {
            return None;
        }
        let closes = matches!(self.last, ")" | "]" | "'" | "\"");
        let left = if closes { "…" } else { self.last };
        let right = if self.found == "(" { "(…)" } else { self.found };
        let short = left.len() + right.len() < 60;
        let help =
            if short { format!("write `{left}*{right}`") } else { "write `*` between".into() };
        Some(implicit(self.span()).help(help))
    }

    fn unexpected(&self) -> Diagnostic {
        let mut words: Vec<&str> = Vec::new();
        for word in self.wanted.iter().filter_map(|rule| in_words(*rule)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        // Commas and brackets are no rules of their own; where an operand ended they may follow.
        if self.wanted.contains(&Rule::infix) {
            let within = self.innermost().is_some_and(|open| open != '{');
            words.retain(|word| *word != "`;`" && !(within && *word == "`=`"));
            words.extend(match self.innermost() {
                Some('(') => &["`,`", "`)`"][..],
                Some('[') => &["`,`", "`]`"][..],
                _ if self.wanted.contains(&Rule::semi) => &["`;`"][..],
                _ => &[],
            });
        }
        let message = match list(&words) {
            Some(expected) => format!("{}; expected {expected}", self.found()),
            None => self.found(),
        };
        let bad = bad(self.span(), message);
        match self.advice() {
            Some(help) => bad.help(help),
            None => bad,
        }
    }

    fn advice(&self) -> Option<String> {
        let first = token(self.before.trim_start());
        match self.found {
            _ if self.wanted.contains(&Rule::wrt_word) => {
                Some(format!("write `{first} E wrt x` for the derivative of E by x"))
            }
            _ if self.wanted.contains(&Rule::params) => {
                Some("a function is written `fn f(x, y) = …`".into())
            }
            "=" if !self.before.contains('=') && self.innermost().is_none() => {
                Some("on the left of `=` stands a name, as in `z = …` or `z[i, k] = …`".into())
            }
            "=" if self.wanted.contains(&Rule::infix) => {
                Some("a comparison is written `==`".into())
            }
            "}" if self.last == ";" => Some("a block ends with its result, an expression".into()),
            _ => None,
        }
    }

    /// The innermost bracket that is open at the place. Brackets are known to match.
    fn innermost(&self) -> Option<char> {
        let (mut open, mut quoted) = (Vec::new(), false);
        for sign in self.before.chars() {
            match sign {
                '"' => quoted = !quoted,
                '(' | '[' | '{' if !quoted => open.push(sign),
                ')' | ']' | '}' if !quoted => drop(open.pop()),
                _ => {}
            }
        }
        open.pop()
    }
}

/// What a rule is called in messages.
fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::line | Rule::dims | Rule::definition => "a statement",
        Rule::expr | Rule::number | Rule::name | Rule::group | Rule::formula => "an expression",
        Rule::ident | Rule::dim_item | Rule::variable | Rule::constant => "a name",
        Rule::infix => "an operator",
        Rule::assign => "`=`",
        Rule::wrt_word => "`wrt`",
        Rule::shape => "a shape `[…]`",
        Rule::fact => "a fact such as `positive`",
        Rule::params => "parameters `(…)`",
        Rule::block => "a block `{…}`",
        Rule::item => "an index",
        Rule::argument => "an argument",
        Rule::semi => "`;`",
        _ => return None,
    })
}

/// `a, b or c`
fn list(words: &[&str]) -> Option<String> {
    match words {
        [] => None,
        [only] => Some((*only).to_owned()),
        [most @ .., last] => Some(format!("{} or {last}", most.join(", "))),
    }
}

fn begins_name(sign: char) -> bool {
    sign == '_' || sign.is_alphabetic()
}

fn continues_name(sign: char) -> bool {
    begins_name(sign) || sign.is_ascii_digit() || ('₀'..='₉').contains(&sign)
}

/// The token at the beginning of a text: a word, a number, an operator or one sign.
fn token(text: &str) -> &str {
    let Some(first) = text.chars().next() else {
        return "";
    };
    let operator =
        ["|>", "<=", ">=", "==", "!=", "**"].iter().find(|sign| text.starts_with(**sign));
    let length = match operator {
        Some(sign) => sign.len(),
        None if continues_name(first) => {
            text.find(|sign| !continues_name(sign)).unwrap_or(text.len())
        }
        None => first.len_utf8(),
    };
    text.get(..length).unwrap_or("")
}

/// The token at the end of a text; names and numbers with their dots.
fn last_token(text: &str) -> &str {
    let Some(last) = text.chars().next_back() else {
        return "";
    };
    let operator = ["|>", "<=", ">=", "==", "!=", "**"].iter().find(|sign| text.ends_with(**sign));
    let word = |sign: char| continues_name(sign) || sign == '.';
    let start = match operator {
        Some(sign) => text.len() - sign.len(),
        None if word(last) => text.trim_end_matches(word).len(),
        None => text.len() - last.len_utf8(),
    };
    text.get(start..).unwrap_or("")
}

/// Whether two words differ by one or two letters.
fn is_near(word: &str, known: &str) -> bool {
    let (word, known): (Vec<char>, Vec<char>) = (word.chars().collect(), known.chars().collect());
    if word.len().abs_diff(known.len()) > 2 {
        return false;
    }
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in known.iter().enumerate() {
            let cost = (diagonal + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[known.len()] <= 2.min(known.len() / 2)
}
