//! Two random spellings of one function, in one program, have one canonical form: the value and every gradient. Terms and factors are
//! shuffled and bracketed anyhow, products are in matrix or in index notation, transposes are pushed through what they can be
//! pushed through, and functions are called or written out.

use chainrule_core::check::random_point;
use chainrule_core::compile;
use chainrule_core::eval::eval;
use chainrule_core::ops::probe::Random;
use chainrule_core::simplify::Canonical;
use chainrule_grammar::Source;

/// A function, however it is spelt. Shapes are lists of sizes, by number.
#[derive(Clone, PartialEq, Debug)]
enum Form {
    /// A declared tensor, which may be known to be positive.
    Leaf(&'static str, Vec<usize>),
    Number(i32),
    /// Σ c·term
    Sum(Vec<(i32, Form)>),
    /// Π factor^power; factors have the shape, or none.
    Times(Vec<(Form, i32)>),
    /// A matrix product.
    Chain(Vec<Form>),
    Turned(Box<Form>),
    Map(&'static str, Box<Form>),
    /// The sum of all entries.
    Total(Box<Form>),
    Mean(Box<Form>),
    /// Sums over one axis.
    Along(Box<Form>, usize),
    /// Σ a·b over all entries.
    Inner(Box<Form>, Box<Form>),
    /// Σ a² over all entries.
    Squares(Box<Form>),
}

const SIZES: [&str; 3] = ["M", "N", "K"];
const LEAVES: [(&str, &[usize], &str); 14] = [
    ("A", &[0, 1], ""),
    ("B", &[1, 2], ""),
    ("C", &[0, 2], ""),
    ("D", &[0, 1], ""),
    ("S", &[1, 1], ""),
    ("P", &[0, 1], " positive"),
    ("u", &[0], ""),
    ("v", &[1], ""),
    ("w", &[2], ""),
    ("y", &[1], ""),
    ("p", &[1], " positive"),
    ("q", &[0], " positive"),
    ("s", &[], ""),
    ("r", &[], " positive"),
];
const MAPS: [&str; 8] =
    ["exp", "tanh", "sin", "sigmoid", "softplus", "logsigmoid", "square", "cos"];

fn shape(form: &Form) -> Vec<usize> {
    match form {
        Form::Leaf(_, shape) => shape.clone(),
        Form::Number(_) | Form::Total(_) | Form::Mean(_) | Form::Inner(..) | Form::Squares(_) => {
            Vec::new()
        }
        Form::Sum(terms) => {
            terms.iter().map(|(_, term)| shape(term)).max_by_key(Vec::len).unwrap_or_default()
        }
        Form::Times(factors) => {
            factors.iter().map(|(factor, _)| shape(factor)).max_by_key(Vec::len).unwrap_or_default()
        }
        Form::Chain(factors) => {
            let (first, last) = (shape(&factors[0]), shape(&factors[factors.len() - 1]));
            [&first[..first.len() - 1], &last[1..]].concat()
        }
        Form::Turned(x) => shape(x).into_iter().rev().collect(),
        Form::Map(_, x) => shape(x),
        Form::Along(x, axis) => {
            let mut shape = shape(x);
            shape.remove(*axis);
            shape
        }
    }
}

/// Makes functions.
struct Maker(Random);

impl Maker {
    fn leaf(&mut self, of: &[usize], positive: bool) -> Form {
        let fits: Vec<&'static str> = LEAVES
            .iter()
            .filter(|(_, shape, fact)| *shape == of && (!positive || !fact.is_empty()))
            .map(|(name, ..)| *name)
            .collect();
        match of {
            _ if !fits.is_empty() => Form::Leaf(fits[self.0.below(fits.len())], of.to_vec()),
            _ if positive => Form::Map("exp", Box::new(self.leaf(of, false))),
            [a, b] if a == b => {
                let half =
                    self.leaf(&[if *a == 0 { 0 } else { 1 }, if *a == 2 { 2 } else { 1 }], false);
                let half = if *a == 2 { Form::Turned(Box::new(half)) } else { half };
                Form::Chain(vec![half.clone(), Form::Turned(Box::new(half))])
            }
            _ => Form::Turned(Box::new(self.leaf(&[of[1], of[0]], false))),
        }
    }

    fn form(&mut self, of: &[usize], depth: usize) -> Form {
        if depth == 0 {
            return self.leaf(of, false);
        }
        match self.0.below(if of.is_empty() { 12 } else { 9 }) {
            0 | 1 => {
                let many = 2 + self.0.below(3);
                let coefficient = |random: &mut Random| [1, 1, -1, -1, 2, -3][random.below(6)];
                let mut terms: Vec<(i32, Form)> = (0..many)
                    .map(|_| (coefficient(&mut self.0), self.form(of, depth - 1)))
                    .collect();
                if self.0.below(3) == 0 {
                    terms.push((1, Form::Number(2)));
                }
                Form::Sum(terms)
            }
            2 | 3 => {
                let mut factors: Vec<(Form, i32)> =
                    (0..2 + self.0.below(2)).map(|_| (self.form(of, depth - 1), 1)).collect();
                if self.0.below(3) == 0 {
                    factors.push((self.leaf(of, true), -1));
                }
                if self.0.below(3) == 0 {
                    factors.push((self.form(&[], depth - 1), 1));
                }
                Form::Times(factors)
            }
            4 | 5 if !of.is_empty() => self.chain(of, depth),
            6 if of.len() == 2 => Form::Turned(Box::new(self.form(&[of[1], of[0]], depth - 1))),
            7 if of.len() == 1 => {
                let other = self.0.below(3);
                let axis = self.0.below(2);
                let inner = if axis == 0 { [other, of[0]] } else { [of[0], other] };
                Form::Along(Box::new(self.form(&inner, depth - 1)), axis)
            }
            9 => {
                let inner = self.some_shape();
                let of = Box::new(self.form(&inner, depth - 1));
                if self.0.below(3) == 0 { Form::Mean(of) } else { Form::Total(of) }
            }
            10 => {
                let inner = self.some_shape();
                let [a, b] = [0, 1].map(|_| Box::new(self.form(&inner, depth - 1)));
                Form::Inner(a, b)
            }
            11 => {
                let inner = self.some_shape();
                Form::Squares(Box::new(self.form(&inner, depth - 1)))
            }
            _ => {
                let name = MAPS[self.0.below(MAPS.len())];
                Form::Map(name, Box::new(self.form(of, depth - 1)))
            }
        }
    }

    fn chain(&mut self, of: &[usize], depth: usize) -> Form {
        let inner: Vec<usize> = (0..1 + self.0.below(2)).map(|_| self.0.below(3)).collect();
        let first = self.0.below(2) == 0;
        let ends: Vec<usize> = match of {
            [n] if first => [&[*n], inner.as_slice()].concat(),
            [n] => [inner.as_slice(), &[*n]].concat(),
            [m, n] => [&[*m], inner.as_slice(), &[*n]].concat(),
            _ => Vec::new(),
        };
        let mut factors: Vec<Form> =
            ends.windows(2).map(|pair| self.form(pair, depth - 1)).collect();
        match of {
            [_] if first => factors.push(self.form(&[ends[ends.len() - 1]], depth - 1)),
            [_] => factors.insert(0, self.form(&[ends[0]], depth - 1)),
            _ => {}
        }
        Form::Chain(factors)
    }

    fn some_shape(&mut self) -> Vec<usize> {
        let rank = [1, 2, 2][self.0.below(3)];
        (0..rank).map(|_| self.0.below(3)).collect()
    }
}

/// Writes a function down, in one of its spellings.
struct Writer {
    random: Random,
    letters: usize,
}

impl Writer {
    fn one_in(&mut self, n: usize) -> bool {
        self.random.below(n) == 0
    }

    fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for at in (1..items.len()).rev() {
            items.swap(at, self.random.below(at + 1));
        }
        items
    }

    fn letter(&mut self) -> String {
        self.letters += 1;
        format!("i{}", self.letters)
    }

    /// Letters for the axes of a shape, and those with their ranges: `i1:N, i2:K`.
    fn indices(&mut self, shape: &[usize]) -> (Vec<String>, String) {
        let names: Vec<String> = shape.iter().map(|_| self.letter()).collect();
        let ranges: Vec<String> = names
            .iter()
            .zip(shape)
            .map(|(name, size)| format!("{name}:{}", SIZES[*size]))
            .collect();
        (names, ranges.join(", "))
    }

    /// Joins parts with brackets anywhere.
    fn bracketed(&mut self, mut parts: Vec<String>, operator: &str) -> String {
        while parts.len() > 1 {
            let at = self.random.below(parts.len() - 1);
            let right = parts.remove(at + 1);
            parts[at] = format!("({} {operator} {right})", parts[at]);
        }
        parts.remove(0)
    }

    /// In matrix notation, with index notation here and there.
    fn whole(&mut self, form: &Form) -> String {
        let of = shape(form);
        let opened = !matches!(form, Form::Leaf(..) | Form::Number(_));
        if !of.is_empty() && opened && self.one_in(5) {
            let (names, ranges) = self.indices(&of);
            return format!("tensor[{ranges}]({})", self.entry(form, &names));
        }
        match form {
            Form::Chain(factors) => {
                let parts = factors.iter().map(|factor| self.whole(factor)).collect();
                match factors.iter().all(|factor| shape(factor).len() == 2) {
                    true => self.bracketed(parts, "@"),
                    false => self.around_vectors(factors, parts),
                }
            }
            Form::Turned(x) => self.turned(x),
            Form::Along(x, axis) => format!("sum({}, axis={axis})", self.whole(x)),
            _ => self.pointwise(form, &|writer, part| writer.whole(part)),
        }
    }

    /// A vector joins from its end, so that no product of a vector with a vector comes out too early.
    fn around_vectors(&mut self, factors: &[Form], mut parts: Vec<String>) -> String {
        if shape(&factors[0]).len() == 1 {
            let first = parts.remove(0);
            return parts.into_iter().fold(first, |left, right| format!("({left} @ {right})"));
        }
        let last = parts.pop().expect("a vector");
        parts.into_iter().rev().fold(last, |right, left| format!("({left} @ {right})"))
    }

    /// A transpose, as it is or pushed through.
    fn turned(&mut self, x: &Form) -> String {
        let turn = |part: &Form| match shape(part).len() {
            2 => Form::Turned(Box::new(part.clone())),
            _ => part.clone(),
        };
        if self.one_in(2) {
            return format!("({}).T", self.whole(x));
        }
        match x {
            Form::Turned(inner) => self.whole(inner),
            Form::Map(name, inner) => self.whole(&Form::Map(name, Box::new(turn(inner)))),
            Form::Sum(terms) => {
                self.whole(&Form::Sum(terms.iter().map(|(c, term)| (*c, turn(term))).collect()))
            }
            Form::Times(factors) => {
                let factors = factors.iter().map(|(factor, power)| (turn(factor), *power));
                self.whole(&Form::Times(factors.collect()))
            }
            Form::Chain(factors) => {
                self.whole(&Form::Chain(factors.iter().rev().map(turn).collect()))
            }
            _ => format!("({}).T", self.whole(x)),
        }
    }

    /// The entry at indices.
    fn entry(&mut self, form: &Form, at: &[String]) -> String {
        let of = shape(form);
        if of.is_empty() {
            return self.whole(form);
        }
        if self.one_in(5) {
            return format!("({})[{}]", self.whole(form), at.join(", "));
        }
        match form {
            Form::Leaf(name, _) => format!("{name}[{}]", at.join(", ")),
            Form::Chain(factors) => {
                let cut = self.random.below(factors.len() - 1) + 1;
                let [left, right] = [&factors[..cut], &factors[cut..]].map(|part| match part {
                    [only] => only.clone(),
                    _ => Form::Chain(part.to_vec()),
                });
                let (first, second) = (shape(&left), shape(&right));
                let (names, ranges) = self.indices(&second[..1]);
                let start = first.len() - 1;
                let left = self.entry(&left, &[&at[..start], &names].concat());
                let right = self.entry(&right, &[&names, &at[start..]].concat());
                let both = self.shuffled(vec![left, right]);
                format!("sum[{ranges}]({})", both.join(" * "))
            }
            Form::Turned(x) => {
                let turned: Vec<String> = at.iter().rev().cloned().collect();
                self.entry(x, &turned)
            }
            Form::Along(x, axis) => {
                let (names, ranges) = self.indices(&shape(x)[*axis..=*axis]);
                let mut inner = at.to_vec();
                inner.insert(*axis, names[0].clone());
                format!("sum[{ranges}]({})", self.entry(x, &inner))
            }
            _ => self.pointwise(form, &|writer, part| match shape(part).len() {
                0 => writer.whole(part),
                _ => writer.entry(part, at),
            }),
        }
    }

    /// What is spelt alike for tensors and for entries.
    fn pointwise(&mut self, form: &Form, part: &dyn Fn(&mut Writer, &Form) -> String) -> String {
        match form {
            Form::Leaf(name, _) => name.to_string(),
            Form::Number(n) => format!("{n}"),
            Form::Sum(terms) => {
                let terms = self.shuffled(terms.clone());
                let parts = terms.iter().map(|(c, term)| self.term(*c, part, term)).collect();
                self.bracketed(parts, "+").replace("+ -", "- ")
            }
            Form::Times(factors) => self.times(factors, part),
            Form::Map(name, x) => {
                let x = part(self, x);
                self.map(name, &x)
            }
            _ => self.scalar(form),
        }
    }

    fn term(&mut self, c: i32, part: &dyn Fn(&mut Writer, &Form) -> String, term: &Form) -> String {
        let text = part(self, term);
        match (c, self.random.below(3)) {
            (1, _) => text,
            (-1, 0) => format!("({text} * -1)"),
            (-1, 1) => format!("(-{text})"),
            (-1, _) => format!("-{text}"),
            (_, 0) => format!("({text} * {c})"),
            (_, 1) => format!("({text} / (1/({c})))"),
            _ => format!("({c} * {text})"),
        }
    }

    fn times(
        &mut self,
        factors: &[(Form, i32)],
        part: &dyn Fn(&mut Writer, &Form) -> String,
    ) -> String {
        let (over, under): (Vec<_>, Vec<_>) =
            self.shuffled(factors.to_vec()).into_iter().partition(|(_, power)| *power > 0);
        let mut parts: Vec<String> = over.iter().map(|(factor, _)| part(self, factor)).collect();
        let mut divisors = Vec::new();
        for (factor, _) in &under {
            let text = part(self, factor);
            match self.random.below(3) {
                0 => parts.push(format!("{text}^-1")),
                1 => parts.push(format!("(1 / {text})")),
                _ => divisors.push(text),
            }
        }
        let parts = self.shuffled(parts);
        let product = self.bracketed(parts, "*");
        divisors.into_iter().fold(product, |over, under| format!("({over} / {under})"))
    }

    fn map(&mut self, name: &str, x: &str) -> String {
        let spellings = match name {
            "square" => vec![format!("({x})^2"), format!("({x} * {x})"), format!("square({x})")],
            "sigmoid" => vec![
                format!("(1 / (1 + exp(-{x})))"),
                format!("(1 + exp(-({x})))^-1"),
                format!("(exp({x}) / (1 + exp({x})))"),
                format!("(1 - sigmoid(-{x}))"),
            ],
            "softplus" => vec![
                format!("log(1 + exp({x}))"),
                format!("(-log(sigmoid(-{x})))"),
                format!("log1p(exp({x}))"),
                format!("(-log(1 - sigmoid({x})))"),
                format!("(-logsigmoid(-{x}))"),
            ],
            "logsigmoid" => vec![
                format!("log(sigmoid({x}))"),
                format!("(-log(1 + exp(-{x})))"),
                format!("(-softplus(-{x}))"),
                format!("log(1/(1 + exp(-{x})))"),
            ],
            "tanh" => vec![
                format!("((exp({x}) - exp(-{x})) / (exp({x}) + exp(-{x})))"),
                format!("(-tanh(-{x}))"),
            ],
            "exp" => vec![format!("(1 / exp(-{x}))")],
            _ => Vec::new(),
        };
        let at = self.random.below(spellings.len() + 2);
        spellings.into_iter().nth(at).unwrap_or_else(|| format!("{name}({x})"))
    }

    /// A number made of a tensor.
    fn scalar(&mut self, form: &Form) -> String {
        match form {
            Form::Total(x) => self.total(x),
            Form::Mean(x) => {
                let sizes: Vec<&str> = shape(x).iter().map(|size| SIZES[*size]).collect();
                match self.one_in(2) {
                    true => format!("mean({})", self.whole(x)),
                    false => format!(
                        "({} / ({}))",
                        self.whole(&Form::Total(x.clone())),
                        sizes.join(" * ")
                    ),
                }
            }
            Form::Inner(a, b) => self.inner(a, b),
            Form::Squares(x) => match self.random.below(4) {
                0 => format!("norm2({})^2", self.whole(x)),
                1 => self.inner(x, x),
                _ => self.total(&Form::Map("square", x.clone())),
            },
            other => self.whole(other),
        }
    }

    fn total(&mut self, x: &Form) -> String {
        if self.one_in(2) {
            return format!("sum({})", self.whole(x));
        }
        let (names, ranges) = self.indices(&shape(x));
        let ranges = self.shuffled(ranges.split(", ").map(str::to_string).collect::<Vec<_>>());
        format!("sum[{}]({})", ranges.join(", "), self.entry(x, &names))
    }

    fn inner(&mut self, a: &Form, b: &Form) -> String {
        let pair = self.shuffled(vec![a, b]);
        let (a, b) = (pair[0], pair[1]);
        let product = Form::Times(vec![(a.clone(), 1), (b.clone(), 1)]);
        match (self.random.below(3), shape(a).len()) {
            (0, 1) => format!("dot({}, {})", self.whole(a), self.whole(b)),
            (1, 1) => format!("({} @ {})", self.whole(a), self.whole(b)),
            (0, 2) => format!("trace(({}).T @ {})", self.whole(a), self.whole(b)),
            (1, 2) => {
                format!("trace({} @ {})", self.whole(a), self.turned(b))
            }
            _ => self.total(&product),
        }
    }
}

/// A program in which two spellings of one function are two losses.
fn program(seed: u64) -> String {
    let mut maker = Maker(Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let depth = 2 + maker.0.below(2);
    let form = maker.form(&[], depth);
    let mut writer = Writer { random: Random(seed ^ 0xabcd), letters: 0 };
    let [one, other] = [0, 1].map(|_| writer.whole(&form));
    let mut text = format!("dim {};\n", SIZES.join(", "));
    for (name, shape, fact) in LEAVES {
        let used = |text: &str| {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            text.split(|c| !word(c)).any(|found| found == name)
        };
        if used(&one) || used(&other) {
            let sizes: Vec<&str> = shape.iter().map(|size| SIZES[*size]).collect();
            let shape =
                if sizes.is_empty() { String::new() } else { format!(": [{}]", sizes.join(", ")) };
            text += &format!("param {name}{shape}{fact};\n");
        }
    }
    text + &format!("loss E = {one};\nloss F = {other};\n")
}

/// What differs between the two, if anything does.
fn difference(text: &str) -> Result<(), String> {
    let source = Source::new("pair", text);
    let compiled = compile(&source);
    if compiled.has_errors() {
        return Err(compiled.diagnostics.iter().map(|one| one.render(&source)).collect());
    }
    let graph = &compiled.graph;
    let mut canonical = Canonical::multiplied_out();
    let point = random_point(&compiled, 7)?;
    let half = compiled.derivatives.len() / 2;
    let (first, second) = compiled.derivatives.split_at(half);
    let named = first.iter().zip(second).map(|(a, b)| (a.wrt.name.as_str(), a.node, b.node));
    let value = ("the value", compiled.losses[0].node, compiled.losses[1].node);
    for (what, a, b) in std::iter::once(value).chain(named) {
        let values = eval(graph, &point, &[a, b])?;
        let far = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-7 * (1.0 + a.abs().max(b.abs()));
        if values[0].data.iter().zip(&values[1].data).any(far) {
            return Err(format!("{what}: not one function"));
        }
        if a != b {
            let [one, other] = [a, b].map(|node| canonical.of(graph, node));
            if one != other {
                return Err(format!("{what}: {a:?} and {b:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn two_spellings_of_one_function() {
    let (count, first) =
        (super::number("CHAINRULE_RANDOM_PAIRS", 200), super::number("CHAINRULE_RANDOM_SEED", 1));
    let mut failures = Vec::new();
    for seed in first..first + count {
        let text = program(seed);
        if let Err(why) = difference(&text) {
            eprintln!("seed {seed}: {why}\n{text}");
            failures.push(seed);
        }
    }
    println!("{} of {count} pairs of spellings have one form", count as usize - failures.len());
    assert!(failures.is_empty(), "these seeds fail: {failures:?}");
}

/// Of exponentials of sums, of what a function comes to by numbers alone, and of products that are long when they are multiplied out.
#[test]
fn spellings_that_were_taken_for_two_functions() {
    for (one, other) in [
        ("exp(x)*exp(x)", "exp(x)/exp(-x)"),
        ("(exp(x)*exp(y))^2", "exp(y - (-x))*exp(y + x)"),
        ("log(1 + exp((x - x)*y))", "-log(1/2)"),
        (
            "(x + y + 2)*(x - 3*y + x^2)*(y^2 - x)*tanh(x)*exp(y)",
            "tanh(x)*(y*y - x)*exp(y)*(2 + y + x)*(x*x + x - y*3)",
        ),
    ] {
        let text = format!("param x, y; loss E = {one}; loss F = {other};");
        assert_eq!(difference(&text), Ok(()), "{text}");
    }
    let text = "param x, y; loss E = exp(x)*exp(y); loss F = exp(x) + exp(y);";
    assert!(difference(text).is_err());
}

/// Of transposes within functions, and of what exponentials and sigmoids come to once both are read alike.
#[test]
fn transposes_within_functions() {
    for (one, other) in [
        ("sum(exp(-C.T) * sigmoid(C).T)", "sum(sigmoid(-C))"),
        (
            "sum(exp(C.T/(1/2) + C.T*-3) * sigmoid(C).T)",
            "sum[i:K, j:M](1/(1 + exp(-C[j, i])) * exp(C[j, i]*-3 + 2*C[j, i]))",
        ),
        (
            "trace(tensor[i:K, j:M](sigmoid(C.T)[i, j]).T @ tensor[i:K, j:M](C[j, i] * exp(C[j, i])^-1))",
            "trace((C.T * exp(C.T)^-1) @ sigmoid(C.T).T)",
        ),
        ("sum(max(2*C.T, 3 - C.T) @ C)", "sum((C.T @ max(2*C, 3 - C)).T)"),
    ] {
        let text = format!("dim M, K; param C: [M, K]; loss E = {one}; loss F = {other};");
        assert_eq!(difference(&text), Ok(()), "{text}");
    }
}
