//! Formulas → pieces that fit a line: cut as far outside of brackets as can be, at equals signs, else at sums, else at products. In: a
//! formula and how wide a line is. Out: pieces in order. What is wide is measured no further than a line has room for, and where
//! a formula can be cut is found in one walk.

use super::super::math::{Fence, Math, Symbol};
use super::Measure;

/// In how many brackets that were opened stands what follows a piece.
pub(super) fn after(within: usize, piece: &Math) -> usize {
    match piece {
        Math::Row(items) => items.iter().fold(within, after),
        Math::Boxed(inner) => after(within, inner),
        Math::Symbol(Symbol::Open(_)) => within + 1,
        item => within.saturating_sub(usize::from(closes(item))),
    }
}

/// How far a line is indented that begins in so many brackets.
pub(super) fn indent(within: usize) -> Vec<Math> {
    vec![Math::Thin; 2 * within.min(4)]
}

/// A formula cut into pieces of at most this width: at equals signs, else at sums, else at products; between arguments where that is
/// further outside.
pub(super) fn broken(math: &Math, room: f64, measure: &Measure<'_>) -> Vec<Math> {
    broken_at(math.clone(), None, room, measure)
}

/// The same where it may be the rest of a line, which begins in so many brackets that indent it.
fn broken_at(math: Math, rest: Option<usize>, room: f64, measure: &Measure<'_>) -> Vec<Math> {
    let within = rest.unwrap_or(0);
    let inside = rest.map_or(room, |within| {
        room - (measure.math)(&Math::Row(indent(within))) - measure.further()
    });
    if measure.up_to(&math, inside) <= inside {
        return vec![math];
    }
    // Brackets stay closed as long as the line can be broken outside of them.
    for limit in [inside - measure.gap(), room / 2.0, room / 4.0] {
        let items = opened(flat(math.clone()), limit, measure);
        let Some((at, depth)) = cut(&items) else { continue };
        let all = size(&items);
        let mut pieces = Vec::new();
        let mut open = within;
        for piece in packed(at.parts(items, depth), within, room, measure, at == Cut::Equalities) {
            let rest = (rest.is_some() || !pieces.is_empty()).then_some(open);
            open = piece.iter().fold(open, after);
            // Broken further if it got shorter at all.
            match size(&piece) < all {
                true => pieces.extend(broken_at(Math::Row(piece), rest, room, measure)),
                false => pieces.push(Math::Row(piece)),
            }
        }
        return pieces;
    }
    vec![math]
}

/// How many pieces are more than a space.
fn size(items: &[Math]) -> usize {
    items.iter().filter(|item| !matches!(item, Math::Thin)).count()
}

/// Where a formula can be cut, those before others first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    Equalities,
    Arguments,
    Terms,
    Signs,
    Factors,
}

impl Cut {
    /// The parts, cut in so many brackets.
    fn parts(self, items: Vec<Math>, depth: usize) -> Vec<Vec<Math>> {
        match self {
            Cut::Equalities => parts(items, EQUALITIES, depth),
            Cut::Arguments => arguments(items, depth),
            Cut::Terms => parts(items, TERMS, depth),
            Cut::Signs => parts(items, FACTORS, depth),
            Cut::Factors => factors(items, depth),
        }
    }
}

/// Where a formula is cut, in as few brackets as can be: at equals signs, else between arguments, else at sums, else at products.
fn cut(items: &[Math]) -> Option<(Cut, usize)> {
    let solid = |item: &Math| !matches!(item, Math::Symbol(_) | Math::Thin);
    let first = items.iter().position(solid).unwrap_or(items.len());
    let last = items.iter().rposition(|item| !matches!(item, Math::Thin))?;
    let depths = depths(items);
    let place = |(at, item): (usize, &Math)| {
        let before = at.checked_sub(1).map(|before| &items[before]);
        let kind = match item {
            Math::Symbol(sign) if at > first && EQUALITIES.contains(sign) => Cut::Equalities,
            Math::Symbol(Symbol::Comma) if at < last => Cut::Arguments,
            Math::Symbol(sign) if at > first && TERMS.contains(sign) => Cut::Terms,
            Math::Symbol(sign) if at > first && FACTORS.contains(sign) => Cut::Signs,
            item if before.is_some_and(|before| parts_from(before, item)) => Cut::Factors,
            _ => return None,
        };
        Some((depths[at], kind))
    };
    items.iter().enumerate().filter_map(place).min().map(|(depth, at)| (at, depth))
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
    let wide = |math: &Math| measure.up_to(math, limit) > limit;
    let mut out = Vec::new();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        match item {
            Math::Fence(fence, inner) if wide(&inner) => {
                out.push(Math::Symbol(Symbol::Open(fence)));
                out.extend(opened(spaced(flat(*inner)), limit, measure));
                out.push(Math::Symbol(Symbol::Close(fence)));
            }
            Math::Scripts { base, sub, sup } if ends_wide(&base, &wide) => {
                let mut inner = opened(flat(*base), limit, measure);
                let close = inner.pop().map(Box::new);
                out.extend(inner);
                out.extend(close.map(|base| Math::Scripts { base, sub, sup }));
            }
            // What a fraction is over can stand in front.
            Math::Frac(above, below) if wide(&above) && !wide(&below) => {
                let (number, above) = number_before(*above);
                out.push(Math::Frac(Box::new(number), below));
                out.push(Math::Thin);
                out.push(Math::Symbol(Symbol::Open(Fence::Round)));
                out.extend(opened(flat(above), limit, measure));
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

/// `2` and `a + b` of `2(a + b)`; 1 and the whole of anything else.
fn number_before(math: Math) -> (Math, Math) {
    if let Math::Row(items) = &math
        && let [number @ Math::Num(_), Math::Fence(Fence::Round, inner)] = items.as_slice()
    {
        return (number.clone(), inner.as_ref().clone());
    }
    (Math::Num("1".to_string()), math)
}

/// With a space behind each comma.
fn spaced(items: Vec<Math>) -> Vec<Math> {
    let mut out: Vec<Math> = Vec::with_capacity(items.len());
    for item in items {
        if out.last() == Some(&Math::Symbol(Symbol::Comma)) && item != Math::Thin {
            out.push(Math::Thin);
        }
        out.push(item);
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
    let mut items = flat(math);
    match (items.pop(), items.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Math::fenced(Math::Row(items.into_iter().chain(last).collect())),
    }
}

const EQUALITIES: &[Symbol] = &[Symbol::Equals];
const TERMS: &[Symbol] = &[Symbol::Plus, Symbol::Minus];
const FACTORS: &[Symbol] =
    &[Symbol::Odot, Symbol::Oslash, Symbol::Cdot, Symbol::Otimes, Symbol::Slash];

/// Cuts before every one of these signs in so many brackets, other than a sign in front.
fn parts(items: Vec<Math>, signs: &[Symbol], depth: usize) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    let mut fresh = true;
    let depths = depths(&items);
    for (item, at) in items.into_iter().zip(depths) {
        let cuts = at == depth && matches!(&item, Math::Symbol(sign) if signs.contains(sign));
        if cuts && !fresh {
            parts.push(Vec::new());
            fresh = true;
        }
        fresh &= matches!(item, Math::Symbol(_) | Math::Thin);
        if let Some(part) = parts.last_mut() {
            part.push(item);
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
fn arguments(items: Vec<Math>, depth: usize) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    let mut behind = false;
    let depths = depths(&items);
    for (item, at) in items.into_iter().zip(depths) {
        if behind && item != Math::Thin {
            parts.push(Vec::new());
            behind = false;
        }
        behind |= at == depth && item == Math::Symbol(Symbol::Comma);
        if let Some(part) = parts.last_mut() {
            part.push(item);
        }
    }
    parts
}

/// Cuts between factors in so many brackets that nothing but a space parts, or not even that.
fn factors(items: Vec<Math>, depth: usize) -> Vec<Vec<Math>> {
    let mut parts: Vec<Vec<Math>> = vec![Vec::new()];
    let depths = depths(&items);
    for (item, at) in items.into_iter().zip(depths) {
        let Some(part) = parts.last_mut() else { break };
        let cuts = at == depth && part.last().is_some_and(|before| parts_from(before, &item));
        match (cuts, item) {
            (true, Math::Thin) => parts.push(vec![Math::Thin]),
            (true, item) => parts.push(vec![Math::Thin, item]),
            (false, item) => part.push(item),
        }
    }
    parts
}

/// Whether a piece behind another one is a factor of its own, or the space before one.
fn parts_from(before: &Math, item: &Math) -> bool {
    if closes(item) {
        return false;
    }
    let opens = matches!(before, Math::Symbol(_) | Math::Big(..)) && !closes(before);
    let goes_on = matches!(item, Math::Symbol(sign) if !matches!(sign, Symbol::Open(_)));
    (*item == Math::Thin && !opens) || (ends_a_factor(before) && !goes_on)
}

/// Whether what follows is a factor of its own, and no argument.
fn ends_a_factor(math: &Math) -> bool {
    match math {
        Math::Fence(..) | Math::Named { .. } | Math::Symbol(Symbol::Close(_)) => true,
        Math::Scripts { base, .. } => ends_a_factor(base),
        _ => false,
    }
}

/// The pieces side by side, without the frame around them.
fn flat(math: Math) -> Vec<Math> {
    let mut out = Vec::new();
    flatten(math, &mut out);
    out
}

fn flatten(math: Math, out: &mut Vec<Math>) {
    match math {
        Math::Row(items) => items.into_iter().for_each(|item| flatten(item, out)),
        Math::Boxed(inner) => flatten(*inner, out),
        other => out.push(other),
    }
}

/// As many parts in a piece as fit, the first of which begins in so many brackets.
fn packed(
    parts: Vec<Vec<Math>>,
    within: usize,
    room: f64,
    measure: &Measure<'_>,
    alone: bool,
) -> Vec<Vec<Math>> {
    let limit = room - measure.further();
    let mut pieces: Vec<Vec<Math>> = Vec::new();
    let (mut open, mut width) = (within, f64::INFINITY);
    for mut part in parts {
        let begins = open;
        open = part.iter().fold(open, after);
        if let Some(piece) = pieces.last_mut().filter(|_| !alone && width <= limit)
            && let Some(last) = piece.last()
        {
            let more = measure.behind(last, &mut part, limit);
            if width + more <= limit {
                width += more;
                piece.extend(part);
                continue;
            }
        }
        let mut row = indent(begins);
        let spaces = row.len();
        row.extend(part);
        width = measure.row(&mut row, limit);
        pieces.push(row.split_off(spaces));
    }
    pieces
}
