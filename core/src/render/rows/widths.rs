//! How wide formulas are: in the units of each format, measured no further than is asked for. In: formulas and the format's way to
//! measure. Out: widths.

use super::super::math::{Math, Symbol};
use super::super::names;
use super::super::prose::{Piece, Prose};

/// How a format measures, and how wide its page is, in its own unit.
pub struct Measure<'m> {
    /// The width of the page.
    pub width: f64,
    /// The width of a formula.
    pub math: &'m dyn Fn(&Math) -> f64,
    /// What a letter, a sign or a space takes at least.
    pub least: f64,
    /// How much smaller a script is than what stands in the line.
    pub script: f64,
    /// The width of a formula within running text.
    pub inline: &'m dyn Fn(&Math) -> f64,
    /// The width of running text.
    pub words: &'m dyn Fn(&str) -> f64,
    /// Whether formulas and reasons stand in columns that all lines of a chain share.
    pub columns: bool,
    /// Whether reasons below their lines have to be wrapped here; a browser does so by itself.
    pub wraps: bool,
}

impl Measure<'static> {
    /// Of a page that is so many em wide.
    pub fn page(width: f64) -> Measure<'static> {
        Measure {
            width,
            math: &em,
            least: 0.17,
            script: 0.72,
            inline: &em,
            words: &em_words,
            columns: true,
            wraps: true,
        }
    }
}

impl Measure<'_> {
    pub(super) fn prose(&self, prose: &Prose) -> f64 {
        let piece = |piece: &Piece| match piece {
            Piece::Words(text) => (self.words)(text),
            Piece::Math(math) => (self.inline)(math),
        };
        prose.0.iter().map(piece).sum()
    }

    /// The width that an equals sign, and each gap between columns, takes.
    pub(super) fn gap(&self) -> f64 {
        (self.words)("===")
    }

    /// How much further right the rest of a line begins, with the sign in front of it.
    pub(super) fn further(&self) -> f64 {
        (self.words)("====")
    }

    /// The width of a formula, or infinity where it has more pieces side by side than could stand within a limit. So a formula
    /// that is much too wide is not measured whole: this costs what the limit has room for.
    pub(super) fn up_to(&self, math: &Math, limit: f64) -> f64 {
        let most = limit.max(0.0) / self.least;
        if side_by_side(math, most, self.script) > most {
            return f64::INFINITY;
        }
        (self.math)(math)
    }

    /// The width of pieces side by side, up to a limit as above.
    pub(super) fn row(&self, items: &mut Vec<Math>, limit: f64) -> f64 {
        let row = Math::Row(std::mem::take(items));
        let width = self.up_to(&row, limit);
        if let Math::Row(back) = row {
            *items = back;
        }
        width
    }

    /// How much wider a row gets by what is put behind its last piece. Widths are those of the pieces and what stands between
    /// two of them, so the pieces before do not matter.
    pub(super) fn behind(&self, last: &Math, more: &mut Vec<Math>, limit: f64) -> f64 {
        let mut row = vec![last.clone()];
        let alone = self.row(&mut row, f64::INFINITY);
        row.append(more);
        let width = self.row(&mut row, alone + limit);
        more.extend(row.drain(1..));
        width - alone
    }
}

/// At least how many letters, signs and spaces stand side by side, the small ones of scripts for less. Not counted beyond `most`.
fn side_by_side(math: &Math, most: f64, script: f64) -> f64 {
    let one = |math: &Math| side_by_side(math, most, script);
    let small = |part: &Option<Box<Math>>| {
        part.as_deref().map_or(0.0, |part| script * side_by_side(part, most / script, script))
    };
    let row = |items: &[Math]| {
        let mut sum = 0.0;
        for item in items {
            sum += side_by_side(item, most - sum, script);
            if sum > most {
                break;
            }
        }
        sum
    };
    match math {
        Math::Row(items) => row(items),
        Math::Ident(text) | Math::Word(text) | Math::Num(text) => f64::from(!text.is_empty()),
        Math::Text(text) | Math::Func(text) => f64::from(!text.is_empty()),
        Math::Symbol(_) | Math::Thin | Math::Big(..) => 1.0,
        Math::Frac(above, below) => one(above).max(one(below)),
        Math::Scripts { base, .. } if base.takes_limits() => one(base),
        Math::Scripts { base, sub, sup } => one(base) + small(sub).max(small(sup)),
        Math::Fence(_, inner) => 2.0 + side_by_side(inner, most - 2.0, script),
        Math::Root(_, inner)
        | Math::Accent(_, inner)
        | Math::Boxed(inner)
        | Math::Named { body: inner, .. } => one(inner),
        Math::Cases(cases) => cases.iter().map(|case| one(&case.0)).fold(0.0, f64::max),
        Math::Matrix(rows) => rows.iter().map(|cells| row(cells)).fold(0.0, f64::max),
    }
}

/// The width of a formula on paper, in em: an estimate that errs on the wide side.
pub fn em(math: &Math) -> f64 {
    let option = |script: &Option<Box<Math>>| script.as_deref().map_or(0.0, em);
    match math {
        Math::Row(items) => items.iter().map(em).sum(),
        Math::Ident(word) if names::is_greek(word) => 0.6,
        Math::Ident(word) | Math::Word(word) | Math::Text(word) | Math::Func(word) => {
            em_words(word) + 0.1
        }
        Math::Num(text) => em_words(text),
        Math::Symbol(symbol) => match symbol {
            Symbol::Plus | Symbol::Minus | Symbol::Odot | Symbol::Oslash => 1.25,
            Symbol::Otimes | Symbol::Times | Symbol::Cdot => 1.25,
            Symbol::Comma | Symbol::Colon | Symbol::Prime => 0.45,
            Symbol::Partial | Symbol::Ones | Symbol::Zeros | Symbol::Slash => 0.6,
            Symbol::Open(_) | Symbol::Close(_) => 0.5,
            Symbol::Dots | Symbol::Infinity | Symbol::Top | Symbol::Angle => 1.0,
            _ => 1.4,
        },
        Math::Thin => 0.17,
        Math::Frac(above, below) => em(above).max(em(below)) + 0.25,
        Math::Root(degree, of) => option(degree) * 0.5 + em(of) + 0.9,
        Math::Scripts { base, sub, sup } => em(base) + 0.72 * option(sub).max(option(sup)),
        Math::Accent(_, base) => em(base),
        Math::Big(_, lower) => (0.72 * option(lower)).max(1.45) + 0.17,
        Math::Fence(_, inner) => em(inner) + if inner.is_tall() { 1.2 } else { 0.8 },
        Math::Cases(cases) => {
            let widest = |side: fn(&(Math, Math)) -> &Math| {
                cases.iter().map(|case| em(side(case))).fold(0.0, f64::max)
            };
            2.0 + widest(|case| &case.0) + widest(|case| &case.1)
        }
        Math::Matrix(rows) => {
            let row = |row: &Vec<Math>| row.iter().map(|cell| em(cell) + 1.0).sum::<f64>();
            rows.iter().map(row).fold(0.0, f64::max) + 1.0
        }
        Math::Boxed(inner) => em(inner) + 0.8,
        Math::Named { body, .. } => em(body),
    }
}

/// The width of running text, in em.
pub fn em_words(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 0.5 } else { 1.0 }).sum()
}
