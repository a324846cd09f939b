//! Chains of equalities → rows that fit a page: where lines break, and whether a reason stands beside its line or below it.
//! Decided here for every format; a format brings only its way to measure.

mod breaks;
mod widths;

pub use widths::{Measure, em, em_words};

use super::math::{Math, Symbol};
use super::page::Row;
use super::prose::{Piece, Prose};
use crate::few::Each;
use breaks::{after, broken, indent};

/// A row as it is set.
pub enum Set {
    /// `left = right`, with or without its left side, and the reason where it stands beside.
    Equation(Option<Math>, Math, Prose),
    /// The rest of a line that was broken.
    More(Math, Prose),
    /// A reason that stands below its line.
    Below(Prose),
}

/// Sets a chain of equalities.
pub fn set(rows: &[Row], measure: &Measure<'_>) -> Vec<Set> {
    let left = rows.iter().filter_map(|row| row.line.left.as_ref()).map(measure.math);
    let left = left.fold(0.0, f64::max);
    let room = (measure.width - left - measure.gap()).max(measure.width / 3.0);
    let broken: Vec<Vec<Math>> = rows.each(|row| broken(&row.line.right, room, measure));
    // What nothing stands beside is not measured.
    let reasons = rows.iter().any(|row| !row.why.is_empty());
    let width = |piece: &Math| if reasons { (measure.math)(piece) } else { 0.0 };
    let widths: Vec<Vec<f64>> = broken.each(|pieces| pieces.each(width));
    let short = |width: &f64| measure.columns || *width <= room / 2.0;
    let column = widths.iter().flatten().copied().filter(short).fold(0.0, f64::max);
    let longest = rows.iter().map(|row| measure.prose(&row.why)).fold(0.0, f64::max);
    let mut out = Vec::new();
    for ((row, pieces), widths) in rows.iter().zip(broken).zip(widths) {
        let width = widths.last().copied().unwrap_or(0.0).max(column);
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

#[cfg(test)]
mod tests;
