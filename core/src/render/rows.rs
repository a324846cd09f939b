//! Chains of equalities → rows that fit a page: where lines break, and whether a reason stands beside its line or below it.
//! Decided here for every format; a format brings only its way to measure.

use super::math::{Fence, Math, Symbol};
use super::page::Row;
use super::prose::{Piece, Prose};

/// How a format measures, and how wide its page is, in its own unit.
pub struct Measure<'m> {
    /// The width of the page.
    pub width: f64,
    /// The width of a formula.
    pub math: &'m dyn Fn(&Math) -> f64,
    /// The width of a formula within running text.
    pub inline: &'m dyn Fn(&Math) -> f64,
    /// The width of running text.
    pub words: &'m dyn Fn(&str) -> f64,
    /// Whether formulas and reasons stand in columns that all lines of a chain share.
    pub columns: bool,
    /// Whether reasons below their lines have to be wrapped here; a browser does so by itself.
    pub wraps: bool,
}

/// A row as it is set.
pub enum Set {
    /// `left = right`, with or without its left side, and the reason where it stands beside.
    Equation(Option<Math>, Math, Prose),
    /// The rest of a line that was broken.
    More(Math, Prose),
    /// A reason that stands below its line.
    Below(Prose),
}

impl Measure<'_> {
    fn prose(&self, prose: &Prose) -> f64 {
        let piece = |piece: &Piece| match piece {
            Piece::Words(text) => (self.words)(text),
            Piece::Math(math) => (self.inline)(math),
        };
        prose.0.iter().map(piece).sum()
    }

    /// The width that an equals sign, and each gap between columns, takes.
    fn gap(&self) -> f64 {
        (self.words)("===")
    }
}

/// Sets a chain of equalities.
pub fn set(rows: &[Row], measure: &Measure<'_>) -> Vec<Set> {
    let left = rows.iter().filter_map(|row| row.line.left.as_ref()).map(measure.math);
    let left = left.fold(0.0, f64::max);
    let room = (measure.width - left - measure.gap()).max(measure.width / 3.0);
    let broken: Vec<Vec<Math>> =
        rows.iter().map(|row| broken(&row.line.right, room, measure)).collect();
    let last = |pieces: &Vec<Math>| pieces.last().map_or(0.0, measure.math);
    let short = |width: &f64| measure.columns || *width <= room / 2.0;
    let column = broken.iter().flatten().map(measure.math).filter(short).fold(0.0, f64::max);
    let longest = rows.iter().map(|row| measure.prose(&row.why)).fold(0.0, f64::max);
    let mut out = Vec::new();
    for (row, pieces) in rows.iter().zip(broken) {
        let width = last(&pieces).max(column);
        let reason = if measure.columns { longest } else { measure.prose(&row.why) };
        let beside = width + measure.gap() + reason <= room;
        let mut why = if beside { row.why.clone() } else { Prose::default() };
        let count = pieces.len();
        for (at, piece) in pieces.into_iter().enumerate() {
            let why = if at + 1 == count { std::mem::take(&mut why) } else { Prose::default() };
            out.push(match at {
                0 => Set::Equation(row.line.left.clone(), piece, why),
                _ => continued(piece, why),
            });
        }
        if !beside {
            out.extend(
                wrapped(&row.why, room - measure.gap(), measure).into_iter().map(Set::Below),
            );
        }
    }
    out
}

/// A piece that begins with an equals sign is a line of its own.
fn continued(piece: Math, why: Prose) -> Set {
    match piece {
        Math::Row(mut items) if items.first() == Some(&Math::Symbol(Symbol::Equals)) => {
            items.remove(0);
            Set::Equation(None, Math::Row(items), why)
        }
        // Behind something, if only an empty row, a sign is one between two terms; a dot says that a product goes on.
        Math::Row(mut items) => {
            if items.first() == Some(&Math::Thin) {
                items[0] = Math::Symbol(Symbol::Cdot);
            }
            items.insert(0, Math::Row(Vec::new()));
            Set::More(Math::Row(items), why)
        }
        other => Set::More(other, why),
    }
}

/// A formula cut into pieces of at most this width: at equals signs, else at sums, else at products.
fn broken(math: &Math, room: f64, measure: &Measure<'_>) -> Vec<Math> {
    if (measure.math)(math) <= room {
        return vec![math.clone()];
    }
    // Brackets stay closed as long as the line can be broken outside of them.
    for limit in [room - measure.gap(), room / 2.0, room / 4.0] {
        let items = opened(flat(math), limit, measure);
        let cuts = [EQUALITIES, TERMS, FACTORS].map(|signs| parts(&items, signs));
        let mut cuts = cuts.into_iter().chain([factors(&items)]).enumerate();
        if let Some((at, parts)) = cuts.find(|(_, parts)| parts.len() > 1) {
            let pieces = packed(parts, room, measure, at == 0).into_iter();
            return pieces.flat_map(|piece| again(piece, items.len(), room, measure)).collect();
        }
    }
    vec![math.clone()]
}

/// A piece of a broken formula, broken further if it got shorter at all.
fn again(piece: Math, whole: usize, room: f64, measure: &Measure<'_>) -> Vec<Math> {
    if flat(&piece).len() >= whole { vec![piece] } else { broken(&piece, room, measure) }
}

/// Brackets around what is wider than a limit are opened, so that what is in them can be broken.
fn opened(items: Vec<Math>, limit: f64, measure: &Measure<'_>) -> Vec<Math> {
    let wide = |math: &Math| (measure.math)(math) > limit;
    let mut out = Vec::new();
    for item in items {
        match item {
            Math::Fence(fence, inner) if wide(&inner) => {
                out.push(Math::Symbol(Symbol::Open(fence)));
                out.extend(opened(flat(&inner), limit, measure));
                out.push(Math::Symbol(Symbol::Close(fence)));
            }
            Math::Scripts { base, sub, sup } if matches!(&*base, Math::Fence(_, inner) if wide(inner)) =>
            {
                let mut inner = opened(vec![*base], limit, measure);
                let close = inner.pop().map(Box::new);
                out.extend(inner);
                out.extend(close.map(|base| Math::Scripts { base, sub, sup }));
            }
            // What a fraction is over can stand in front.
            Math::Frac(above, below) if wide(&above) && !wide(&below) => {
                out.push(Math::Frac(Box::new(Math::Num("1".to_string())), below));
                out.push(Math::Thin);
                out.push(Math::Symbol(Symbol::Open(Fence::Round)));
                out.extend(opened(flat(&above), limit, measure));
                out.push(Math::Symbol(Symbol::Close(Fence::Round)));
            }
            other => out.push(other),
        }
    }
    out
}

const EQUALITIES: &[Symbol] = &[Symbol::Equals];
const TERMS: &[Symbol] = &[Symbol::Plus, Symbol::Minus];
const FACTORS: &[Symbol] = &[Symbol::Odot, Symbol::Oslash, Symbol::Cdot, Symbol::Otimes];

/// The pieces side by side, without the frame around them.
fn flat(math: &Math) -> Vec<Math> {
    match math {
        Math::Row(items) => items.iter().flat_map(flat).collect(),
        Math::Boxed(inner) => flat(inner),
        other => vec![other.clone()],
    }
}

/// Cuts before every one of these signs, other than a sign in front.
fn parts(items: &[Math], signs: &[Symbol]) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    for item in items {
        let cuts = matches!(item, Math::Symbol(symbol) if signs.contains(symbol));
        let fresh = parts.last().is_some_and(|part| {
            part.iter().all(|item| matches!(item, Math::Symbol(_) | Math::Thin))
        });
        if cuts && !fresh {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(item.clone());
        }
    }
    parts
}

/// Cuts between factors that nothing but a space parts, or not even that.
fn factors(items: &[Math]) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    for item in items {
        let Some(part) = parts.last_mut() else { break };
        let opens =
            part.last().is_none_or(|before| matches!(before, Math::Symbol(_) | Math::Big(..)));
        if *item == Math::Thin && !opens {
            parts.push(vec![Math::Thin]);
        } else if part.last().is_some_and(ends_a_factor)
            && !matches!(item, Math::Symbol(sign) if !matches!(sign, Symbol::Open(_)))
        {
            parts.push(vec![Math::Thin, item.clone()]);
        } else {
            part.push(item.clone());
        }
    }
    parts
}

/// Whether what follows is a factor of its own, and no argument.
fn ends_a_factor(math: &Math) -> bool {
    match math {
        Math::Fence(..) | Math::Named { .. } | Math::Symbol(Symbol::Close(_)) => true,
        Math::Scripts { base, .. } => ends_a_factor(base),
        _ => false,
    }
}

/// As many parts in a piece as fit.
fn packed(parts: Vec<Vec<Math>>, room: f64, measure: &Measure<'_>, alone: bool) -> Vec<Math> {
    let mut pieces: Vec<Vec<Math>> = Vec::new();
    for part in parts {
        let fits = |piece: &Vec<Math>| {
            let joined = [piece.as_slice(), part.as_slice()].concat();
            (measure.math)(&Math::Row(joined)) <= room - measure.gap()
        };
        match pieces.last_mut() {
            Some(piece) if !alone && fits(piece) => piece.extend(part),
            _ => pieces.push(part),
        }
    }
    pieces.into_iter().map(Math::Row).collect()
}

/// A reason in lines of at most this width, cut between words.
fn wrapped(prose: &Prose, room: f64, measure: &Measure<'_>) -> Vec<Prose> {
    let room = if measure.wraps { room } else { f64::INFINITY };
    let mut lines: Vec<Prose> = Vec::new();
    let mut line = Prose::default();
    let mut used = 0.0;
    for piece in prose.0.iter().flat_map(atoms).flat_map(|piece| fitting(piece, room, measure)) {
        let piece = Prose(vec![piece]);
        let width = measure.prose(&piece);
        if used > 0.0 && used + width > room {
            lines.push(trimmed(std::mem::take(&mut line)));
            used = 0.0;
        }
        used += width;
        line.push(piece);
    }
    if !line.is_empty() {
        lines.push(trimmed(line));
    }
    lines
}

/// Words, each with the space after it; formulas whole. Chinese may be cut after its punctuation.
fn atoms(piece: &Piece) -> Vec<Piece> {
    match piece {
        Piece::Math(math) => vec![Piece::Math(math.clone())],
        Piece::Words(text) => text
            .split_inclusive([' ', '，', '；', '：'])
            .map(|word| Piece::Words(word.to_string()))
            .collect(),
    }
}

/// A formula that is wider than a line is broken as one that stands alone.
fn fitting(piece: Piece, room: f64, measure: &Measure<'_>) -> Vec<Piece> {
    match piece {
        Piece::Math(math) if (measure.inline)(&math) > room => {
            let inline = Measure { math: measure.inline, ..*measure };
            broken(&math, room, &inline).into_iter().map(Piece::Math).collect()
        }
        other => vec![other],
    }
}

fn trimmed(mut line: Prose) -> Prose {
    if let Some(Piece::Words(text)) = line.0.last_mut() {
        text.truncate(text.trim_end().len());
    }
    line
}

/// The width of a formula on paper, in em: an estimate that errs on the wide side.
pub fn em(math: &Math) -> f64 {
    let option = |script: &Option<Box<Math>>| script.as_deref().map_or(0.0, em);
    match math {
        Math::Row(items) => items.iter().map(em).sum(),
        Math::Ident(word) if super::names::is_greek(word) => 0.6,
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
