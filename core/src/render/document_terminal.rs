//! Told derivations on a terminal: formulas drawn in two dimensions, to the terminal's width.

use super::boxes::{self, Grid, Pen, styled};
use super::math::{Line, Math};
use super::page::{Page, Part, Row};
use super::phrases::{Lang, Phrase, phrase};
use super::prose::Prose;
use super::rows::{Measure, Set, set};
use super::unicode::{self, ascii};
use crate::few::Each;

/// A terminal.
#[derive(Clone, Copy)]
pub struct Terminal {
    /// How many columns it has.
    pub width: usize,
    /// Whether matrices are bold.
    pub bold: bool,
    /// What formulas are drawn with.
    pub pen: Pen,
}

/// Equations, one below the other, as documentation in source code shows them.
pub fn drawing(lines: &[Line]) -> String {
    let rows: Vec<Row> = lines.each(|line| Row { line: line.clone(), why: Prose::default() });
    let pen = Pen { ascii: false, columns: boxes::columns };
    styled(&chain(&rows, &Terminal { width: 100, bold: false, pen }), false)
}

/// Every line of a chain stands this far from the left.
const INDENT: usize = 2;

/// The derivations.
pub fn document(page: &Page, terminal: &Terminal) -> String {
    let mut out = String::new();
    for part in &page.parts {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&section(part, page.lang, terminal));
    }
    out.push('\n');
    paragraph(&page.conventions, terminal, &mut out);
    styled(&out, terminal.bold)
}

fn section(part: &Part, lang: Lang, terminal: &Terminal) -> String {
    let mut out = String::new();
    paragraph(&part.heading, terminal, &mut out);
    if !part.forward.is_empty() {
        out.push_str(&format!("\n{}\n\n", phrase(Phrase::Forward, lang)));
        out.push_str(&chain(&part.forward, terminal));
    }
    for rows in &part.chains {
        out.push('\n');
        out.push_str(&chain(rows, terminal));
    }
    if !part.wheres.is_empty() {
        out.push_str(&format!("\n{}\n\n", phrase(Phrase::Where, lang)));
        out.push_str(&chain(&part.wheres, terminal));
    }
    out.push_str(&format!("\n{}{}\n", phrase(Phrase::InTheLanguage, lang), part.text));
    out
}

/// A chain of equalities. A left side that would leave too little room beside it stands on a line of its own.
fn chain(rows: &[Row], terminal: &Terminal) -> String {
    let wide = |row: &Row| {
        row.line
            .left
            .as_ref()
            .is_some_and(|left| terminal.pen.draw(left).width > terminal.width / 3)
    };
    let mut out = String::new();
    let mut rest = rows;
    while let Some(at) = rest.iter().position(wide) {
        out.push_str(&aligned(&rest[..at], terminal));
        let mut row = rest[at].clone();
        if let Some(left) = row.line.left.take() {
            out.extend((!out.is_empty()).then_some('\n'));
            out.push_str(&indented(&terminal.pen.draw(&left)));
        }
        let next = rest[at + 1..].iter().position(|row| row.line.left.is_some());
        let end = next.map_or(rest.len(), |next| at + 1 + next);
        let body: Vec<Row> = [&[row], &rest[at + 1..end]].concat();
        out.push_str(&aligned(&body, terminal));
        out.extend((end < rest.len()).then_some('\n'));
        rest = &rest[end..];
    }
    out.push_str(&aligned(rest, terminal));
    out
}

fn indented(grid: &Grid) -> String {
    let indent = " ".repeat(INDENT);
    let lines =
        grid.lines.iter().map(|line| format!("{indent}{line}").trim_end().to_string() + "\n");
    lines.collect()
}

/// A chain whose equals signs stand below each other.
fn aligned(rows: &[Row], terminal: &Terminal) -> String {
    let pen = &terminal.pen;
    let columns = |text: &str| f64::from(u32::try_from((pen.columns)(text)).unwrap_or(u32::MAX));
    let width = |math: &Math| f64::from(u32::try_from(pen.draw(math).width).unwrap_or(u32::MAX));
    let inline = |math: &Math| columns(&formula(math, pen));
    let room = terminal.width.saturating_sub(INDENT + 2).max(20);
    let room = f64::from(u32::try_from(room).unwrap_or(u32::MAX));
    let measure = Measure {
        width: room,
        math: &width,
        least: 1.0,
        script: 1.0,
        inline: &inline,
        words: &columns,
        columns: false,
        wraps: true,
    };
    let lefts = rows.iter().filter_map(|row| row.line.left.as_ref()).map(|left| pen.draw(left));
    let left = lefts.map(|grid| grid.width).max().unwrap_or(0);
    let sets = set(rows, &measure);
    let column = beside_column(&sets, pen);
    let mut blocks: Vec<(Grid, bool)> = Vec::new();
    for row in sets {
        let below = matches!(row, Set::Below(_));
        blocks.push((drawn(row, left, column, terminal), below));
    }
    let airy = blocks.iter().any(|(grid, _)| grid.lines.len() > 1);
    let mut out = String::new();
    for (at, (grid, below)) in blocks.iter().enumerate() {
        if airy && at > 0 && !below {
            out.push('\n');
        }
        out.push_str(&indented(grid));
    }
    out
}

/// The column in which reasons stand that stand beside their lines.
fn beside_column(sets: &[Set], pen: &Pen) -> usize {
    let width = |row: &Set| match row {
        Set::Equation(_, right, why) | Set::More(right, why) if !why.is_empty() => {
            pen.draw(right).width
        }
        _ => 0,
    };
    sets.iter().map(width).max().unwrap_or(0)
}

fn drawn(row: Set, left: usize, column: usize, terminal: &Terminal) -> Grid {
    let pen = &terminal.pen;
    let spaces = |count: usize| pen.text(&" ".repeat(count));
    let (mut grids, right, why) = match row {
        Set::Equation(side, right, why) => {
            let side = side.map_or_else(|| spaces(0), |side| pen.draw(&side));
            (
                vec![spaces(left - side.width.min(left)), side, pen.text(" = ")],
                pen.draw(&right),
                why,
            )
        }
        Set::More(right, why) => (vec![spaces(left + 4)], pen.draw(&right), why),
        Set::Below(why) => {
            let text = sentence(&why, pen);
            return pen.beside(&[spaces(left + 5), pen.text(&text)]);
        }
    };
    let spare = column.saturating_sub(right.width);
    grids.push(right);
    if !why.is_empty() {
        let why = pen.text(&sentence(&why, pen));
        let used = INDENT + grids.iter().map(|grid| grid.width).sum::<usize>() + 2 + why.width;
        grids.push(spaces(spare.min(terminal.width.saturating_sub(used)) + 2));
        grids.push(why);
    }
    pen.beside(&grids)
}

fn formula(math: &Math, pen: &Pen) -> String {
    match pen.ascii {
        true => ascii(&unicode::emit(math)),
        false => unicode::emit(math),
    }
}

fn sentence(why: &Prose, pen: &Pen) -> String {
    why.write(str::to_string, |math| formula(math, pen).trim().to_string())
}

/// Running text, wrapped at the terminal's width.
fn paragraph(prose: &Prose, terminal: &Terminal, out: &mut String) {
    let text = sentence(prose, &terminal.pen);
    let mut used = 0;
    for word in text.split_inclusive([' ', '，', '；', '：']) {
        let width = (terminal.pen.columns)(word.trim_end());
        if used > 0 && used + width > terminal.width {
            out.truncate(out.trim_end().len());
            out.push('\n');
            used = 0;
        }
        out.push_str(word);
        used += (terminal.pen.columns)(word);
    }
    out.push('\n');
}
