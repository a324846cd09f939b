//! The rule book's way to write a function (a small part of LaTeX, with `{0}`, `{1}`, … for the arguments) → presentation tree,
//! so that one column of the rule book serves every format.

use super::math::{Big, Fence, Math, Symbol};
use super::names::is_greek;

/// A template with its arguments put in.
pub(super) fn read(template: &str, args: &[Math]) -> Math {
    let mut reader = Reader { rest: template, args };
    let row = reader.row();
    one(row)
}

struct Reader<'t> {
    rest: &'t str,
    args: &'t [Math],
}

impl<'t> Reader<'t> {
    fn row(&mut self) -> Vec<Math> {
        let mut row: Vec<Math> = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let ends = ["}", "]", "&", r"\\", r"\right", r"\end"];
            if self.rest.is_empty() || ends.iter().any(|end| self.rest.starts_with(end)) {
                return row;
            }
            if self.eat("_") {
                let sub = self.script();
                let base = row.pop().unwrap_or(Math::Row(Vec::new()));
                row.push(Math::subscript(base, sub));
            } else if self.eat("^") {
                let sup = self.script();
                let base = row.pop().unwrap_or(Math::Row(Vec::new()));
                row.push(Math::superscript(base, sup));
            } else {
                row.push(self.piece());
            }
        }
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn script(&mut self) -> Math {
        if self.rest.starts_with('{') { self.group() } else { self.piece() }
    }

    /// A piece without scripts.
    fn piece(&mut self) -> Math {
        if let Some(hole) = self.hole() {
            return hole;
        }
        if self.rest.starts_with('{') {
            return self.group();
        }
        if self.eat("\\") {
            return self.command();
        }
        let first = self.rest.chars().next().unwrap_or(' ');
        self.rest = &self.rest[first.len_utf8()..];
        match first {
            '<' => Math::Symbol(Symbol::Less),
            '>' => Math::Symbol(Symbol::Greater),
            '=' => Math::Symbol(Symbol::Equals),
            '+' => Math::Symbol(Symbol::Plus),
            '-' => Math::Symbol(Symbol::Minus),
            ',' => Math::Symbol(Symbol::Comma),
            digit if digit.is_ascii_digit() => {
                let digits = self.take(|c| c.is_ascii_digit());
                Math::Num(format!("{digit}{digits}"))
            }
            other => Math::Ident(other.to_string()),
        }
    }

    /// `{0}`, where there is such an argument.
    fn hole(&mut self) -> Option<Math> {
        let bytes = self.rest.as_bytes();
        let [b'{', digit, b'}', ..] = bytes else { return None };
        let arg = self.args.get(usize::from(digit.checked_sub(b'0')?))?;
        self.rest = &self.rest[3..];
        Some(arg.clone())
    }

    /// `{ … }`, or the hole that stands for it.
    fn group(&mut self) -> Math {
        if let Some(hole) = self.hole() {
            return hole;
        }
        self.eat("{");
        let row = self.row();
        self.eat("}");
        one(row)
    }

    /// `{word}`
    fn word(&mut self) -> String {
        self.eat("{");
        let word = self.take(|c| c != '}');
        self.eat("}");
        word.to_string()
    }

    fn take(&mut self, keep: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn command(&mut self) -> Math {
        if self.eat(",") {
            return Math::Thin;
        }
        let name = self.take(|c| c.is_ascii_alphabetic());
        match name {
            "frac" => {
                let above = self.group();
                Math::frac(above, self.group())
            }
            "sqrt" => {
                let degree = self.eat("[").then(|| {
                    let degree = one(self.row());
                    self.eat("]");
                    Box::new(degree)
                });
                Math::Root(degree, Box::new(self.group()))
            }
            "left" => self.fence(),
            "begin" => self.cases(),
            "operatorname" => Math::Func(self.word()),
            "mathrm" => Math::Word(self.word()),
            "text" => Math::Text(self.word()),
            "sum" => Math::Big(Big::Sum, None),
            "prod" => Math::Big(Big::Prod, None),
            "top" => Math::Symbol(Symbol::Top),
            "infty" => Math::Symbol(Symbol::Infinity),
            "otimes" => Math::Symbol(Symbol::Otimes),
            "angle" => Math::Symbol(Symbol::Angle),
            "le" => Math::Symbol(Symbol::LessEqual),
            "ge" => Math::Symbol(Symbol::GreaterEqual),
            "ne" => Math::Symbol(Symbol::NotEqual),
            greek if is_greek(greek) => Math::Ident(greek.to_string()),
            function => Math::Func(function.to_string()),
        }
    }

    /// After `\left`.
    fn fence(&mut self) -> Math {
        let kinds = [
            (r"\lVert", Fence::Norm),
            (r"\langle", Fence::Angle),
            (r"\lfloor", Fence::Floor),
            (r"\lceil", Fence::Ceil),
            ("|", Fence::Bars),
            ("[", Fence::Square),
        ];
        let found = kinds.into_iter().find(|(open, _)| self.eat(open));
        if found.is_none() {
            self.eat("(");
        }
        let inner = one(self.row());
        self.eat(r"\right");
        if self.eat("\\") {
            self.take(|c| c.is_ascii_alphabetic());
        } else {
            self.rest = self.rest.get(1..).unwrap_or("");
        }
        Math::Fence(found.map_or(Fence::Round, |(_, kind)| kind), Box::new(inner))
    }

    /// After `\begin`: the one environment that the rule book uses.
    fn cases(&mut self) -> Math {
        self.word();
        let mut cases = Vec::new();
        loop {
            let value = one(self.row());
            self.eat("&");
            cases.push((value, condition(one(self.row()))));
            if !self.eat(r"\\") {
                break;
            }
        }
        self.eat(r"\end");
        self.word();
        Math::Cases(cases)
    }
}

/// A comparison as a condition: without the brackets that make a number of it.
fn condition(math: Math) -> Math {
    match math {
        Math::Fence(Fence::Square, inside) => *inside,
        math => math,
    }
}

/// A row of one piece is that piece.
fn one(mut row: Vec<Math>) -> Math {
    match (row.len(), row.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            row.extend(last);
            Math::Row(row)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the templates are made of, so that a new row cannot bring in what no format knows.
    const FUNCTIONS: &str = "exp log sin cos tan arcsin arccos arctan sinh cosh tanh max min det";

    fn functions(math: &Math, found: &mut Vec<String>) {
        match math {
            Math::Func(name) => found.push(name.clone()),
            Math::Row(items) => items.iter().for_each(|item| functions(item, found)),
            Math::Scripts { base, sub, sup } => {
                functions(base, found);
                sub.iter().chain(sup).for_each(|script| functions(script, found));
            }
            _ => {}
        }
    }

    #[test]
    fn every_template_of_the_rule_book_is_understood() {
        for (_, _, row) in crate::ops::all() {
            let args: Vec<Math> =
                row.params.iter().map(|param| Math::Word((*param).to_string())).collect();
            let math = read(row.latex, &args);
            for sign in ["\\\\", "{", "}", "_", "^"] {
                let stray = format!("Ident(\"{sign}\")");
                assert!(!format!("{math:?}").contains(&stray), "{}: {math:?}", row.name);
            }
            let mut found = Vec::new();
            functions(&math, &mut found);
            for name in found {
                let written = format!("operatorname{{{name}}}");
                let known = FUNCTIONS.split(' ').any(|known| known == name);
                assert!(
                    known || row.latex.contains(&written),
                    "{}: `\\{name}` is unknown",
                    row.name
                );
            }
            for (at, arg) in args.iter().enumerate() {
                if row.latex.contains(&format!("{{{at}}}")) {
                    let Math::Word(word) = arg else { continue };
                    assert!(format!("{math:?}").contains(word.as_str()), "{}", row.name);
                }
            }
        }
    }

    #[test]
    fn templates_become_trees() {
        let x = || Math::Ident("x".to_string());
        let num = |n: &str| Math::Num(n.to_string());
        assert_eq!(read(r"\frac{1}{{0}}", &[x()]), Math::frac(num("1"), x()));
        assert_eq!(
            read(r"\sqrt[3]{{0}}", &[x()]),
            Math::Root(Some(Box::new(num("3"))), Box::new(x()))
        );
        assert_eq!(
            read(r"\left\lVert {0} \right\rVert_2", &[x()]),
            Math::subscript(Math::Fence(Fence::Norm, Box::new(x())), num("2"))
        );
        assert_eq!(
            read(
                r"\begin{cases} {1} & {0} \\ {2} & \text{otherwise} \end{cases}",
                &[x(), num("1"), num("0")]
            ),
            Math::Cases(vec![(num("1"), x()), (num("0"), Math::Text("otherwise".to_string()))])
        );
    }
}
