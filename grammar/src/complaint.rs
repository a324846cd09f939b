//! From a place where the grammar stopped to a sentence in the language's own words.

use crate::diagnostic::{Code, Diagnostic};
use crate::formula::implicit;
use crate::lookalike::{LOOKALIKES, spelt};
use crate::span::Span;
use crate::syntax::{Refusal, Rule, Slice, bad};

/// The words that begin a statement.
pub const STATEMENTS: [&str; 13] = [
    "dim", "input", "target", "param", "const", "loss", "output", "grad", "jacobian", "hessian",
    "hvp", "jvp", "net",
];

const NO_WORD: &str = "a definition begins with its name: `z = …`";
const BARS: &str = "an absolute value is written `abs(x)`, a norm `norm2(x)`";

/// Words with which statements of other languages begin, and what is written here.
const FOREIGN: [(&[&str], &str); 6] = [
    (&["let", "var", "auto", "mut", "val", "float", "double"], NO_WORD),
    (&["def", "function", "func", "lambda"], "a function is written `fn f(x, y) = …;`"),
    (&["import", "from", "use", "using"], "nothing is imported: every function is known"),
    (&["return"], "a block ends with its result, an expression without a word"),
    (
        &["for", "while"],
        "there are no loops: `sum[i](…)` sums over an index, `scan` carries a state",
    ),
    (&["minimize", "minimise", "cost", "objective"], "what is minimised is written `loss E = …;`"),
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
        .or_else(|| scene.foreign_operator())
        .or_else(|| scene.method())
        .or_else(|| scene.juxtaposed())
        .unwrap_or_else(|| scene.unexpected())
}

/// Where a statement seems to end before the place of its refusal, only without a `;`: the place begins a line, or another
/// definition; or the line of the place begins with a name.
pub(crate) fn ends_before(slice: Slice<'_>, refusal: &Refusal) -> Option<usize> {
    let at = refusal.at.min(slice.text.len());
    let (before, rest) = slice.text.split_at(at);
    let found = token(rest);
    let behind = rest.get(found.len()..).unwrap_or("").trim_start();
    let defines = behind.starts_with('=') && !behind.starts_with("==");
    // `let x = 3` has an unknown first word rather than a missing `;`.
    let more = before.trim() != token(before.trim());
    let asks = STATEMENTS.contains(&found) && behind.starts_with(begins_name);
    if found.starts_with(begins_name) && (begins_line(before) || ((defines || asks) && more)) {
        return Some(at);
    }
    // `param w: [3] loss E`, where `=` is met: the words were read as facts.
    if let Some(cut) = statement_inside(before) {
        return Some(cut);
    }
    // `param w` and in the next line `z = …` or `input x: …`: their first words were read as facts of `w`.
    let line = before.trim_end().rfind('\n').map(|end| end + 1)?;
    let cut = line + (before[line..].len() - before[line..].trim_start().len());
    before[cut..].starts_with(begins_name).then_some(cut)
}

/// Where a word that begins a statement stands in front of the last name of a text, behind something else.
fn statement_inside(before: &str) -> Option<usize> {
    let name = last_token(before.trim_end());
    let rest = before.trim_end().strip_suffix(name)?.trim_end();
    let word = last_token(rest);
    let cut = rest.len() - word.len();
    let inside = STATEMENTS.contains(&word) && !before[..cut].trim().is_empty();
    (inside && name.starts_with(begins_name)).then_some(cut)
}

/// Whether a line break stands at the end of a text.
fn begins_line(before: &str) -> bool {
    before.get(before.trim_end().len()..).is_some_and(|gap| gap.contains('\n'))
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

    /// A sign of paper or of another keyboard: all of the statement are put into those of the language at once.
    fn lookalike(&self) -> Option<Diagnostic> {
        let sign = self.found.chars().next()?;
        let (_, instead) = LOOKALIKES.iter().find(|(known, _)| *known == sign)?;
        let mut bad = bad(self.span(), self.found()).help(match sign {
            '∂' | '∇' => {
                "a derivative is written `d(E, W)`, or asked for with `grad E wrt W;`".into()
            }
            '‖' => "a norm is written `norm2(x)`".into(),
            _ => format!("write `{instead}`"),
        });
        for (at, spelling) in spelt(self.slice.text) {
            let start = self.slice.offset + at.start;
            bad = bad.edit(Span::new(start, self.slice.offset + at.end), spelling);
        }
        Some(bad)
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
            let missing = bad(self.span(), "expected an expression after `=`").here(self.found());
            return Some(match self.advice() {
                Some(help) => missing.help(help),
                None => missing,
            });
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
            (_, "|") => missing.help(BARS),
            ("*", "^") => missing.help("a power is written `x^2`"),
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
        let colon = self.last_span().end;
        shape.then(|| {
            bad(self.span(), "expected `:` before the shape")
                .help("write `name: [N, M]`")
                .insert(colon, ":")
        })
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
        // `x if c else 0`
        if let Some(help) = written_instead(self.found, false) {
            return Some(bad(self.span(), self.found()).help(help));
        }
        let message = format!("no statement begins with `{first}`");
        let bad = bad(self.last_span(), message);
        if let Some((_, help)) = FOREIGN.iter().find(|(words, _)| words.contains(&first)) {
            let word = Span::new(self.last_span().start, self.span().start);
            let bad = bad.help(*help);
            return Some(if *help == NO_WORD { bad.edit(word, "") } else { bad });
        }
        let begins = |word: &str| {
            first.len().min(word.len()) >= 3 && (first.starts_with(word) || word.starts_with(first))
        };
        let near = STATEMENTS.iter().find(|word| begins(word) || is_near(first, word));
        Some(match near {
            Some(word) => bad.help(format!("did you mean `{word}`?")).edit(self.last_span(), *word),
            None => bad
                .help(format!("the statements are {}, fn and definitions", STATEMENTS.join(", "))),
        })
    }

    /// `a and b`, `a if c else b`, `if c then a else b`
    fn foreign_operator(&self) -> Option<Diagnostic> {
        if !self.wanted.contains(&Rule::infix) {
            return None;
        }
        if self.last == "if" {
            let odd = bad(self.last_span(), "unexpected `if`");
            return Some(odd.help("write `where(condition, a, b)`"));
        }
        let called = self.slice.text[self.at + self.found.len()..].trim_start().starts_with('(');
        Some(bad(self.span(), self.found()).help(written_instead(self.found, called)?))
    }

    /// `x.T.sum()`: what stands before the dot is the argument.
    fn method(&self) -> Option<Diagnostic> {
        let dot = self.found == "." && self.wanted.contains(&Rule::infix);
        let rest = self.slice.text.get(self.at + 1..)?;
        let name = token(rest);
        if !dot || !name.starts_with(begins_name) {
            return None;
        }
        let bad = bad(self.span(), format!("unexpected `.{name}`; values have no methods"))
            .help(format!("a function stands before its argument: `{name}(…)`"));
        let start = self.slice.offset + operand_start(self.before);
        let (dot, behind) = (self.span().start, &rest[name.len()..]);
        let open = dot + 1 + name.len() + 1;
        Some(match behind {
            _ if behind.starts_with("()") => {
                bad.insert(start, format!("{name}(")).edit(Span::new(dot, open), "")
            }
            _ if behind.starts_with('(') => {
                bad.insert(start, format!("{name}(")).edit(Span::new(dot, open), ", ")
            }
            _ => bad,
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
        if self.last == "lambda" {
            let help = "a function is a statement of its own: `fn f(x) = …;`";
            return Some(implicit(self.span()).help(help));
        }
        // `sum[i] x[i]`: what binds an index is not the grammar's to know.
        if let Some(bound) = self.indexed_name() {
            let help = format!(
                "write `{bound}*{right}`, or `{bound}(…)` where `{bound}` goes over what follows"
            );
            return Some(implicit(self.span()).help(help));
        }
        let help =
            if short { format!("write `{left}*{right}`") } else { "write `*` between".into() };
        // `sin x`: what is a function is not the grammar's to know.
        if short && left.len() > 1 && left.starts_with(begins_name) && right != "(…)" {
            let help = format!("{help}, or `{left}({right})` if `{left}` is a function");
            return Some(implicit(self.span()).help(help));
        }
        Some(implicit(self.span()).help(help).insert(self.span().start, "*"))
    }

    /// `sum[i]`, if that stands before the place: a name with a short one in brackets.
    fn indexed_name(&self) -> Option<&str> {
        let letters = |sign: char| sign.is_alphanumeric() || sign == '_';
        let (rest, index) = self.before.strip_suffix(']')?.rsplit_once('[')?;
        let name = &self.before[rest.trim_end_matches(letters).len()..];
        let short = index.starts_with(begins_name) && index.chars().all(letters) && name.len() < 40;
        (short && name.starts_with(begins_name)).then_some(name)
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
        let bad = match self.advice() {
            Some(help) => bad(self.span(), message).help(help),
            None => return bad(self.span(), message),
        };
        match self.found {
            "=" if self.innermost().is_some() => bad.edit(self.span(), "=="),
            "#" => bad.edit(self.span(), "//"),
            "%" if !self.remainder() => bad.edit(self.span(), "//"),
            _ => bad,
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
            "=" if matches!(first, "param" | "input" | "target") => {
                Some("a shape follows a colon, as in `param w: [N]`; a number with a name is `const c = 3`".into())
            }
            ":" if self.slice.text[self.at..].starts_with(":=") => {
                Some("a definition is written `z = …`".into())
            }
            _ if first == "loss" && self.wanted.contains(&Rule::assign) => {
                Some("a loss is written `loss E = …`".into())
            }
            "=" if self.last == ")" && self.innermost().is_none() && !self.before.contains('=') => {
                Some("a function is written `fn f(x, y) = …`".into())
            }
            "!" => Some("`a != b` compares; what is not `c` is `1 - c`".into()),
            "=" if self.left_range().is_some() => self.left_range(),
            "=" if !self.before.contains('=') && self.innermost().is_none() => {
                Some("on the left of `=` stands a name, as in `z = …` or `z[i, k] = …`".into())
            }
            "=" if self.wanted.contains(&Rule::infix) => {
                Some("a comparison is written `==`".into())
            }
            "%" if self.remainder() => Some(
                "the remainder of `a` divided by `b` is `a - b*floor(a/b)`; comments begin with `//`".into(),
            ),
            "%" | "#" => Some("comments begin with `//`".into()),
            "|" => Some(BARS.into()),
            "\\" => Some("the solution of a system of equations is written `solve(A, b)`".into()),
            ":" if self.innermost() == Some('(') => {
                Some("entries are read with square brackets, as in `A[2, :]`".into())
            }
            "'" if self.innermost() == Some('(') => {
                Some("a transpose follows its matrix, as in `A'`; the root of the sum of squares is `norm2(A)`".into())
            }
            "}" if self.last == ";" => Some("a block ends with its result, an expression".into()),
            _ => None,
        }
    }

    /// `x % 2`: an operator of other languages. Behind a comment's sign stand words, or it stands where no operator does.
    fn remainder(&self) -> bool {
        let rest = self.slice.text.get(self.at + 1..).unwrap_or("").trim_start();
        let operand = token(rest);
        let more = rest[operand.len()..].trim_start();
        let begins =
            |text: &str| text.starts_with(|sign: char| begins_name(sign) || sign.is_ascii_digit());
        self.wanted.contains(&Rule::infix)
            && (operand == "(" || begins(operand))
            && (operand == "(" || !begins(more))
    }

    /// `y[i:3] =`: the tensor that is meant.
    fn left_range(&self) -> Option<String> {
        let (name, indices) = self.before.strip_suffix(']')?.split_once('[')?;
        let alone = !indices.contains(['[', '(']) && name.trim_start() == token(name.trim_start());
        (alone && indices.contains(':')).then(|| {
            format!(
                "an index on the left has no range: write `{} = tensor[{indices}](…)`",
                name.trim()
            )
        })
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

/// Where the operand at the end of a text begins: a name or number, brackets, and what is applied to them.
fn operand_start(text: &str) -> usize {
    let (mut depth, mut start) = (0_usize, text.len());
    for (at, sign) in text.char_indices().rev() {
        match sign {
            ')' | ']' => depth += 1,
            '(' | '[' if depth > 0 => depth -= 1,
            _ if depth > 0 || continues_name(sign) || sign == '.' || sign == '\'' => {}
            _ => break,
        }
        start = at;
    }
    start
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

/// What is written for an operator of other languages.
fn written_instead(word: &str, called: bool) -> Option<&'static str> {
    Some(match word {
        "where" if !called => "write `where(condition, a, b)`",
        "and" | "&" => "comparisons are 1 or 0: write `a * b` where both must hold",
        "or" => "comparisons are 1 or 0: write `max(a, b)` where one must hold",
        "not" | "!" => "comparisons are 1 or 0: write `1 - a`",
        "if" | "else" | "?" => "write `where(condition, a, b)`",
        "for" => "write `sum[i](…)` for a sum, `tensor[i](…)` for a list of entries",
        _ => return None,
    })
}
