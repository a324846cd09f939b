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

impl Measure<'static> {
    /// Of a page that is so many em wide.
    pub fn page(width: f64) -> Measure<'static> {
        Measure { width, math: &em, inline: &em, words: &em_words, columns: true, wraps: true }
    }
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

    /// How much further right the rest of a line begins, with the sign in front of it.
    fn further(&self) -> f64 {
        (self.words)("====")
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
        let mut open = 0;
        for (at, piece) in pieces.into_iter().enumerate() {
            let why = if at + 1 == count { std::mem::take(&mut why) } else { Prose::default() };
            let within = open;
            open = after(open, &piece);
            out.push(match at {
                0 => Set::Equation(row.line.left.clone(), piece, why),
                _ => continued(piece, within, why),
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

/// In how many brackets that were opened stands what follows a piece.
fn after(within: usize, piece: &Math) -> usize {
    flat(piece).iter().fold(within, |depth, item| match item {
        Math::Symbol(Symbol::Open(_)) => depth + 1,
        item => depth.saturating_sub(usize::from(closes(item))),
    })
}

/// How far a line is indented that begins in so many brackets.
fn indent(within: usize) -> Vec<Math> {
    vec![Math::Thin; 2 * within.min(4)]
}

/// A piece that begins with an equals sign is a line of its own; another one is indented by the brackets in which it stands.
fn continued(piece: Math, within: usize, why: Prose) -> Set {
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
            items.splice(0..0, std::iter::once(Math::Row(Vec::new())).chain(indent(within)));
            Set::More(Math::Row(items), why)
        }
        other => Set::More(other, why),
    }
}

/// A formula cut into pieces of at most this width: at equals signs, else at sums, else at products; between arguments where that is
/// further outside.
fn broken(math: &Math, room: f64, measure: &Measure<'_>) -> Vec<Math> {
    broken_at(math, None, room, measure)
}

/// The same where it may be the rest of a line, which begins in so many brackets that indent it.
fn broken_at(math: &Math, rest: Option<usize>, room: f64, measure: &Measure<'_>) -> Vec<Math> {
    let within = rest.unwrap_or(0);
    let inside = rest.map_or(room, |within| {
        room - (measure.math)(&Math::Row(indent(within))) - measure.further()
    });
    if (measure.math)(math) <= inside {
        return vec![math.clone()];
    }
    // Brackets stay closed as long as the line can be broken outside of them.
    for limit in [inside - measure.gap(), room / 2.0, room / 4.0] {
        let items = opened(flat(math), limit, measure);
        let Some((alone, parts)) = cut(&items) else { continue };
        let mut pieces = Vec::new();
        let mut open = within;
        for piece in packed(parts, within, room, measure, alone) {
            let rest = (rest.is_some() || !pieces.is_empty()).then_some(open);
            open = after(open, &piece);
            // Broken further if it got shorter at all.
            match size(&flat(&piece)) < size(&items) {
                true => pieces.extend(broken_at(&piece, rest, room, measure)),
                false => pieces.push(piece),
            }
        }
        return pieces;
    }
    vec![math.clone()]
}

/// How many pieces are more than a space.
fn size(items: &[Math]) -> usize {
    items.iter().filter(|item| **item != Math::Thin).count()
}

/// A formula cut in as few brackets as it can be, and whether each part is a line of its own: at equals signs, else between arguments,
/// else at sums, else at products.
fn cut(items: &[Math]) -> Option<(bool, Vec<Vec<Math>>)> {
    let most = items.iter().filter(|item| matches!(item, Math::Symbol(Symbol::Open(_)))).count();
    (0..=most).find_map(|depth| {
        let mut cuts = [
            parts(items, EQUALITIES, depth),
            arguments(items, depth),
            parts(items, TERMS, depth),
            parts(items, FACTORS, depth),
            factors(items, depth),
        ]
        .into_iter()
        .enumerate();
        cuts.find(|(_, parts)| parts.len() > 1).map(|(at, parts)| (at == 0, parts))
    })
}

/// In how many brackets that were opened each item stands; a bracket stands outside of itself.
fn depths(items: &[Math]) -> Vec<usize> {
    let mut depth = 0;
    let mut depths = Vec::with_capacity(items.len());
    for item in items {
        let next = after(depth, item);
        depths.push(depth.min(next));
        depth = next;
    }
    depths
}

/// Brackets around what is wider than a limit are opened, so that what is in them can be broken.
fn opened(items: Vec<Math>, limit: f64, measure: &Measure<'_>) -> Vec<Math> {
    let wide = |math: &Math| (measure.math)(math) > limit;
    let mut out = Vec::new();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        match item {
            Math::Fence(fence, inner) if wide(&inner) => {
                out.push(Math::Symbol(Symbol::Open(fence)));
                out.extend(opened(
                    flat(&Math::Row(flat(&inner)).with_spaced_commas()),
                    limit,
                    measure,
                ));
                out.push(Math::Symbol(Symbol::Close(fence)));
            }
            Math::Scripts { base, sub, sup } if ends_wide(&base, &wide) => {
                let mut inner = opened(flat(&base), limit, measure);
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
            Math::Frac(above, below) if wide(&below) => {
                let goes_on = items.peek().is_some_and(|next| !ends_a_product(next));
                let row = [bracketed(*above), Math::Symbol(Symbol::Slash), bracketed(*below)];
                let row = match goes_on {
                    true => vec![Math::Fence(Fence::Square, Box::new(Math::Row(row.into())))],
                    false => row.into(),
                };
                out.extend(opened(row, limit, measure));
            }
            other => out.push(other),
        }
    }
    out
}

/// Whether brackets that are wider than a limit stand at its end, as a function's do around its argument.
fn ends_wide(math: &Math, wide: &dyn Fn(&Math) -> bool) -> bool {
    match math {
        Math::Fence(_, inner) => wide(inner),
        Math::Row(items) => items.last().is_some_and(|last| ends_wide(last, wide)),
        _ => false,
    }
}

/// Whether what stands before it is no factor of it.
fn ends_a_product(math: &Math) -> bool {
    use Symbol::{Close, Comma, Equals, Minus, Plus};
    matches!(math, Math::Symbol(Plus | Minus | Equals | Comma | Close(_)))
}

/// In brackets, where it is more than one piece.
fn bracketed(math: Math) -> Math {
    match flat(&math).len() {
        0 | 1 => math,
        _ => Math::fenced(math),
    }
}

const EQUALITIES: &[Symbol] = &[Symbol::Equals];
const TERMS: &[Symbol] = &[Symbol::Plus, Symbol::Minus];
const FACTORS: &[Symbol] =
    &[Symbol::Odot, Symbol::Oslash, Symbol::Cdot, Symbol::Otimes, Symbol::Slash];

/// The pieces side by side, without the frame around them.
fn flat(math: &Math) -> Vec<Math> {
    match math {
        Math::Row(items) => items.iter().flat_map(flat).collect(),
        Math::Boxed(inner) => flat(inner),
        other => vec![other.clone()],
    }
}

/// Cuts before every one of these signs in so many brackets, other than a sign in front.
fn parts(items: &[Math], signs: &[Symbol], depth: usize) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    for (item, at) in items.iter().zip(depths(items)) {
        let cuts = at == depth && matches!(item, Math::Symbol(symbol) if signs.contains(symbol));
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

/// A closing bracket, with or without scripts.
fn closes(math: &Math) -> bool {
    match math {
        Math::Symbol(Symbol::Close(_)) => true,
        Math::Scripts { base, .. } => closes(base),
        _ => false,
    }
}

/// Cuts behind every comma in so many brackets.
fn arguments(items: &[Math], depth: usize) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    let mut behind = false;
    for (item, at) in items.iter().zip(depths(items)) {
        if behind && *item != Math::Thin {
            parts.push(Vec::new());
            behind = false;
        }
        behind |= at == depth && *item == Math::Symbol(Symbol::Comma);
        if let Some(part) = parts.last_mut() {
            part.push(item.clone());
        }
    }
    parts
}

/// Cuts between factors in so many brackets that nothing but a space parts, or not even that.
fn factors(items: &[Math], depth: usize) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    for (item, at) in items.iter().zip(depths(items)) {
        let Some(part) = parts.last_mut() else { break };
        let opens = part.last().is_none_or(|before| {
            matches!(before, Math::Symbol(_) | Math::Big(..)) && !closes(before)
        });
        if at != depth || closes(item) {
            part.push(item.clone());
        } else if *item == Math::Thin && !opens {
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

/// As many parts in a piece as fit, the first of which begins in so many brackets.
fn packed(
    parts: Vec<Vec<Math>>,
    within: usize,
    room: f64,
    measure: &Measure<'_>,
    alone: bool,
) -> Vec<Math> {
    let mut pieces: Vec<Vec<Math>> = Vec::new();
    let (mut begins, mut open) = (within, within);
    for part in parts {
        let fits = |piece: &Vec<Math>| {
            let joined = [indent(begins), piece.clone(), part.clone()].concat();
            (measure.math)(&Math::Row(joined)) <= room - measure.further()
        };
        let depth = open;
        open = part.iter().fold(open, after);
        match pieces.last_mut() {
            Some(piece) if !alone && fits(piece) => piece.extend(part),
            _ => {
                begins = depth;
                pieces.push(part);
            }
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
