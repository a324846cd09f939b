//! Formulas as SVG text on one line: letters slanted, scripts small and moved up or down.

use super::escaped;
use crate::render::math::{Big, Fence, Math, Symbol};
use crate::render::unicode;
use std::fmt::Write as _;

/// Characters that are set alike.
struct Run {
    text: String,
    slanted: bool,
    /// Relative to the size of the line.
    size: f64,
    /// Below the baseline, in parts of the size of the line.
    drop: f64,
}

/// A formula as runs.
pub(super) struct Runs(Vec<Run>);

impl Runs {
    pub fn of(math: &Math) -> Runs {
        let mut runs = Runs(Vec::new());
        runs.add(math, 1.0, 0.0);
        runs
    }

    /// About how wide it is where a character is this wide; marks that stand over a letter take no room.
    pub fn width(&self, each: f64) -> f64 {
        self.0.iter().map(|run| text_width(&run.text, each * run.size)).sum()
    }

    /// The inside of a `text` element with letters of this size in pixels.
    pub fn svg(&self, pixels: f64) -> String {
        let mut out = String::new();
        let mut drop = 0.0;
        for run in &self.0 {
            let move_by = (run.drop - drop) * pixels;
            drop = run.drop;
            let text = escaped(&run.text);
            if !run.slanted && run.size == 1.0 && move_by == 0.0 {
                out.push_str(&text);
                continue;
            }
            let slant = if run.slanted { " font-style=\"italic\"" } else { "" };
            let down = if move_by == 0.0 { String::new() } else { format!(" dy=\"{move_by:.1}\"") };
            let size = if run.size == 1.0 {
                String::new()
            } else {
                format!(" font-size=\"{:.1}\"", run.size * pixels)
            };
            let _ = write!(out, "<tspan{slant}{down}{size}>{text}</tspan>");
        }
        out
    }

    fn push(&mut self, text: impl Into<String>, slanted: bool, size: f64, drop: f64) {
        let text = text.into();
        match self.0.last_mut() {
            Some(run) if run.slanted == slanted && run.size == size && run.drop == drop => {
                run.text.push_str(&text);
            }
            _ => self.0.push(Run { text, slanted, size, drop }),
        }
    }

    fn add(&mut self, math: &Math, size: f64, drop: f64) {
        match math {
            Math::Row(items) => {
                for (at, item) in items.iter().enumerate() {
                    match item {
                        Math::Symbol(Symbol::Minus) if at == 0 => self.push("−", false, size, drop),
                        other => self.add(other, size, drop),
                    }
                }
            }
            Math::Ident(word) => {
                let text = unicode::emit(math);
                let slanted = text.chars().count() == 1 && !word.starts_with(char::is_numeric);
                self.push(text, slanted, size, drop);
            }
            Math::Scripts { base, sub, sup } => {
                self.add(base, size, drop);
                if let Some(sub) = sub {
                    self.add(sub, size * 0.72, drop + 0.22 * size);
                }
                if let Some(sup) = sup {
                    self.add(sup, size * 0.72, drop - 0.38 * size);
                }
            }
            Math::Big(big, lower) => {
                self.push(if *big == Big::Sum { "Σ" } else { "Π" }, false, size, drop);
                if let Some(lower) = lower {
                    self.add(lower, size * 0.72, drop + 0.22 * size);
                }
            }
            Math::Named { body, .. } => self.add(body, size, drop),
            Math::Fence(Fence::Round, inner) => self.fenced(inner, size, drop),
            Math::Frac(above, below) => self.fraction(math, above, below, size, drop),
            other => self.push(unicode::emit(other), false, size, drop),
        }
    }

    fn fenced(&mut self, inner: &Math, size: f64, drop: f64) {
        self.push("(", false, size, drop);
        self.add(inner, size, drop);
        self.push(")", false, size, drop);
    }

    fn fraction(&mut self, whole: &Math, above: &Math, below: &Math, size: f64, drop: f64) {
        let line = unicode::emit(whole);
        if line.chars().count() == 1 {
            return self.push(line, false, size, drop);
        }
        let mut side = |math: &Math, signs: &[&str]| {
            let text = unicode::emit(math);
            match signs.iter().any(|sign| text.contains(sign)) {
                true => self.fenced(math, size, drop),
                false => self.add(math, size, drop),
            }
        };
        side(above, &[" + ", " − "]);
        side(&Math::Symbol(Symbol::Slash), &[]);
        side(below, &[" ", "/"]);
    }
}

/// About how wide a text is.
pub(super) fn text_width(text: &str, each: f64) -> f64 {
    text.chars().map(|c| columns(c) * each).sum()
}

/// Wide scripts take two columns, marks over letters none.
fn columns(c: char) -> f64 {
    match c {
        '\u{300}'..='\u{36f}' => 0.0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2.0,
        _ => 1.0,
    }
}
