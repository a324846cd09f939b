//! Told derivations as a page shows them, whatever the format: headings, chains of equalities with their reasons, named parts,
//! and the conventions that the formulas use. What was derived or listed once is not listed again.

use super::math::{Accent, Big, Fence, Line, Math, Symbol};
use super::phrases::{Lang, Phrase, phrase};
use super::prose::Prose;
use crate::derivation::{Step, Told};
use crate::few::Each;
use std::collections::BTreeSet;

/// A document.
pub struct Page {
    /// Its language.
    pub lang: Lang,
    /// What its formulas take for granted.
    pub conventions: Prose,
    /// One for each derivative.
    pub parts: Vec<Part>,
}

/// One derivative.
pub struct Part {
    /// `∂E/∂W, of shape [N, M]`
    pub heading: Prose,
    /// The quantities of the forward pass, where they are listed.
    pub forward: Vec<Row>,
    /// The chains of equalities; the last one ends in the closed form.
    pub chains: Vec<Vec<Row>>,
    /// Named parts that no chain of the page has worked out.
    pub wheres: Vec<Row>,
    /// The closed form in the language.
    pub text: String,
}

/// A line of a chain, and why it holds.
#[derive(Clone)]
pub struct Row {
    /// The line.
    pub line: Line,
    /// The reason; may be empty.
    pub why: Prose,
}

/// The page of a program's derivations.
pub fn page(told: &[Told], lang: Lang) -> Page {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let parts: Vec<Part> = told.each(|one| part(one, lang, &mut known));
    let mut poles: Vec<&Math> = Vec::new();
    for pole in told.iter().flat_map(|one| &one.poles) {
        if !poles.contains(&pole) {
            poles.push(pole);
        }
    }
    let conventions = conventions(&parts, &poles, lang);
    Page { lang, conventions, parts }
}

fn part(told: &Told, lang: Lang, known: &mut BTreeSet<String>) -> Part {
    known.extend(told.forward.iter().map(|quantity| quantity.name.clone()));
    known.extend(told.steps.iter().map(|step| step.about.clone()));
    let row = |line: &Line, why: &Prose| Row { line: line.clone(), why: why.clone() };
    let mut chains: Vec<Vec<Row>> = chains(&told.steps)
        .into_iter()
        .map(|steps| steps.each(|step| row(&step.line, &step.why)))
        .collect();
    if chains.is_empty() {
        chains.push(vec![row(&told.closed, &Prose::default())]);
    }
    if let Some(last) = chains.last_mut().and_then(|chain| chain.last_mut()) {
        frame(&mut last.line.right);
    }
    let wheres = told.wheres.iter().filter(|part| known.insert(part.name.clone()));
    let wheres = wheres.map(|part| row(&part.line, &Prose::default())).collect();
    let forward = told.forward.each(|part| row(&part.line, &Prose::default()));
    Part { forward, heading: heading(told, lang), chains, wheres, text: told.text.clone() }
}

/// The steps, cut where they begin to be about another quantity.
pub(super) fn chains(steps: &[Step]) -> Vec<&[Step]> {
    steps.chunk_by(|before, after| before.about == after.about).collect()
}

/// Puts a result into a frame: what stands after the last equals sign.
fn frame(right: &mut Math) {
    if let Math::Row(items) = right
        && let Some(at) = items.iter().rposition(|item| *item == Math::Symbol(Symbol::Equals))
    {
        let tail = items.split_off(at + 1);
        items.push(Math::Boxed(Box::new(Math::Row(tail))));
        return;
    }
    let inner = std::mem::replace(right, Math::Thin);
    *right = Math::Boxed(Box::new(inner));
}

/// `∂E/∂W, of shape [N, M]`
pub fn heading(told: &Told, lang: Lang) -> Prose {
    let left = told.closed.left.as_ref().map_or(Math::Thin, on_slashes);
    let derivative = ("derivative", Prose::math(left));
    if told.shape.is_empty() {
        return Prose::fill(phrase(Phrase::HeadingScalar, lang), &[derivative]);
    }
    let shape = Prose::words(format!("[{}]", told.shape.join(", ")));
    Prose::fill(phrase(Phrase::Heading, lang), &[derivative, ("shape", shape)])
}

/// A left-hand side with its fractions on slashes: `∂E/∂W`.
fn on_slashes(left: &Math) -> Math {
    match left {
        Math::Frac(above, below) => {
            let below = match below.as_ref() {
                Math::Row(items) if items.len() > 2 => Math::fenced(Math::Row(items.clone())),
                other => other.clone(),
            };
            Math::Row(vec![above.as_ref().clone(), Math::Symbol(Symbol::Slash), below])
        }
        Math::Row(items) => Math::Row(items.each(on_slashes)),
        Math::Fence(fence, inner) => Math::Fence(*fence, Box::new(on_slashes(inner))),
        Math::Scripts { base, sub, sup } => {
            Math::Scripts { base: Box::new(on_slashes(base)), sub: sub.clone(), sup: sup.clone() }
        }
        other => other.clone(),
    }
}

/// Signs, and what is said of them.
const SIGNS: [(Symbol, Phrase); 4] = [
    (Symbol::Odot, Phrase::EntryByEntry),
    (Symbol::Oslash, Phrase::DividesEntries),
    (Symbol::Otimes, Phrase::OuterProduct),
    (Symbol::Ones, Phrase::OnesVector),
];

/// Whether this is a matrix to a power that is a number, or a fraction with a matrix below.
fn is_of_matrix(math: &Math) -> bool {
    let matrix = |math: &Math| matches!(math, Math::Named { matrix: true, .. });
    match math {
        Math::Scripts { base, sup: Some(sup), .. } => matrix(base) && matches!(**sup, Math::Num(_)),
        Math::Frac(_, below) => below.any(&matrix),
        _ => false,
    }
}

/// What the signs that the page uses mean.
fn conventions(parts: &[Part], poles: &[&Math], lang: Lang) -> Prose {
    let rows = || {
        parts.iter().flat_map(|part| {
            part.forward.iter().chain(part.chains.iter().flatten()).chain(&part.wheres)
        })
    };
    let uses = |found: &dyn Fn(&Math) -> bool| {
        rows().any(|row| row.line.right.any(found) || row.why.any(found))
    };
    let ident = |name: &str| Math::Ident(name.to_string());
    let pair = Math::Row(vec![ident("a"), Math::Symbol(Symbol::Comma), Math::Thin, ident("b")]);
    let inner = Prose::math(Math::Fence(Fence::Angle, Box::new(pair)));
    let delta = Math::subscript(ident("delta"), Math::Row(vec![ident("i"), ident("j")]));
    let sum = Math::subscript(Math::Func("sum".to_string()), Math::Num("0".to_string()));
    let is_delta = |math: &Math| {
        matches!(math, Math::Scripts { base, sub: Some(sub), sup: None }
            if **base == ident("delta") && matches!(sub.bare(), Math::Row(letters) if letters.len() == 2))
    };
    let say = |said: Phrase, holes: &[(&str, Prose)]| Prose::fill(phrase(said, lang), holes);
    let mut all = vec![say(Phrase::Layout, &[])];
    for (sign, said) in SIGNS {
        if uses(&|math| *math == Math::Symbol(sign)) {
            all.push(say(said, &[("sign", Prose::math(Math::Symbol(sign)))]));
        }
    }
    if uses(&is_of_matrix) {
        let minus_one = Math::Row(vec![Math::Symbol(Symbol::Minus), Math::Num("1".to_string())]);
        let inverse = Prose::math(Math::superscript(ident("A"), minus_one));
        all.push(say(Phrase::MatrixPower, &[("inverse", inverse)]));
    }
    if uses(&|math| matches!(math, Math::Fence(Fence::Angle, _))) {
        all.push(say(Phrase::InnerProduct, &[("inner", inner)]));
    }
    if uses(&is_delta) {
        all.push(say(Phrase::Delta, &[("delta", Prose::math(delta))]));
    }
    if uses(
        &|math| matches!(math, Math::Scripts { base, .. } if **base == Math::Func("sum".to_string())),
    ) {
        all.push(say(Phrase::AxisSum, &[("sum", Prose::math(sum))]));
    }
    let unequal = |math: &Math| math.any(&|math| *math == Math::Symbol(Symbol::NotEqual));
    let others = |math: &Math| matches!(math, Math::Scripts { sub: Some(sub), .. } if unequal(sub));
    if uses(&others) {
        let func = Math::Func("prod".to_string());
        let sign = Prose::math(Math::subscript(func, Math::Symbol(Symbol::NotEqual)));
        all.push(say(Phrase::OtherEntries, &[("sign", sign)]));
    }
    for (big, said) in [(Big::Sum, Phrase::AllAdded), (Big::Prod, Phrase::AllMultiplied)] {
        let sign = Math::Big(big, None);
        if uses(&|math| *math == sign) {
            all.push(say(said, &[("sign", Prose::math(sign.clone()))]));
        }
    }
    if uses(&|math| matches!(math, Math::Fence(Fence::Square, _))) {
        let row = vec![ident("a"), Math::Symbol(Symbol::Greater), ident("b")];
        let bracket = Prose::math(Math::Fence(Fence::Square, Box::new(Math::Row(row))));
        all.push(say(Phrase::Condition, &[("bracket", bracket)]));
    }
    let barred = |prose: &Prose| prose.any(&|math| matches!(math, Math::Accent(Accent::Bar, _)));
    if rows().any(|row| barred(&row.why)) {
        all.push(say(Phrase::Barred, &[]));
    }
    for pole in poles {
        all.push(say(Phrase::NoValue, &[("what", Prose::math((*pole).clone()))]));
    }
    let mut out = Prose::words(phrase(Phrase::Conventions, lang));
    out.push(Prose::join(all, phrase(Phrase::Between, lang)));
    out.push(Prose::words(if lang == Lang::En { "." } else { "。" }));
    out
}
