//! Layout → characters on a grid: fractions, brackets that grow, sums with their limits, matrices. In: a layout, and how many
//! columns a text takes (this depends on the terminal's fonts, so the caller says it). Out: lines, all of the same width.

use super::math::{Accent, Big, Fence, Math, Symbol};
use super::unicode::{self, SUBSCRIPTS, SUPERSCRIPTS, brackets, greek, mark, sign, small};
use crate::few::Each;

/// Bold begins here; the character takes no space and is replaced at the end.
const BOLD: char = '\u{1}';
/// Bold ends here.
const PLAIN: char = '\u{2}';

/// What boxes are drawn with.
#[derive(Clone, Copy)]
pub struct Pen {
    /// ASCII alone.
    pub ascii: bool,
    /// How many columns a text takes.
    pub columns: fn(&str) -> usize,
}

/// Lines of the same width, one of which is the base line.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The lines.
    pub lines: Vec<String>,
    /// Their width in columns.
    pub width: usize,
    /// The line that stands level with the text around it.
    pub base: usize,
}

/// Bold marks as escape sequences of a terminal, or left out.
pub fn styled(text: &str, bold: bool) -> String {
    let (on, off) = if bold { ("\u{1b}[1m", "\u{1b}[22m") } else { ("", "") };
    text.replace(BOLD, on).replace(PLAIN, off)
}

/// How many columns a text takes, where nothing better is known: marks over letters take none, the characters of East Asia two.
pub fn columns(text: &str) -> usize {
    let width = |c: char| match c {
        '\u{300}'..='\u{36f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 2,
        _ => 1,
    };
    text.chars().map(width).sum()
}

impl Pen {
    /// A line of text.
    pub fn text(&self, text: &str) -> Grid {
        Grid { lines: vec![text.to_string()], width: self.width(text), base: 0 }
    }

    fn width(&self, text: &str) -> usize {
        if text.contains([BOLD, PLAIN]) {
            return (self.columns)(&text.replace([BOLD, PLAIN], ""));
        }
        (self.columns)(text)
    }

    /// The Unicode sign, or what stands for it in ASCII.
    fn pick<'t>(&self, unicode: &'t str, ascii: &'t str) -> &'t str {
        if self.ascii { ascii } else { unicode }
    }

    /// A formula.
    pub fn draw(&self, math: &Math) -> Grid {
        match math {
            Math::Row(items) => self.row(&items.iter().collect::<Vec<_>>()),
            Math::Ident(word) if self.ascii => self.text(word),
            Math::Ident(word) => self.text(greek(word).unwrap_or(word)),
            Math::Word(text) | Math::Num(text) | Math::Text(text) | Math::Func(text) => {
                self.text(text)
            }
            Math::Symbol(symbol) => self.text(&self.symbol(*symbol)),
            Math::Thin => self.text(" "),
            Math::Frac(above, below) => self.fraction(self.draw(above), self.draw(below)),
            Math::Root(degree, of) => self.root(degree.as_deref(), of),
            Math::Scripts { base, sub, sup } => self.scripts(base, sub.as_deref(), sup.as_deref()),
            Math::Accent(accent, base) => self.accent(*accent, base),
            Math::Big(big, lower) => self.big(*big, lower.as_deref()),
            Math::Fence(fence, inner) => {
                self.fenced(*fence, self.row(&inner.with_spaced_commas()), inner.is_tall())
            }
            Math::Cases(cases) => self.cases(cases),
            Math::Matrix(rows) => {
                let rows: Vec<Vec<Grid>> = rows.each(|row| row.each(|cell| self.draw(cell)));
                self.fenced(Fence::Square, self.table(rows), true)
            }
            Math::Boxed(inner) => self.framed(self.draw(inner)),
            Math::Named { matrix: true, body, .. } => self.bold(body),
            Math::Named { body, .. } => self.draw(body),
        }
    }

    /// A matrix is bold; its index is not.
    fn bold(&self, body: &Math) -> Grid {
        let mut grid = self.draw(body);
        if let [line] = grid.lines.as_mut_slice() {
            *line = format!("{BOLD}{line}{PLAIN}");
        }
        grid
    }

    fn symbol(&self, symbol: Symbol) -> String {
        if !self.ascii {
            return match symbol {
                // These letters of the plane of mathematics break the grid of many fonts.
                Symbol::Ones => "1".to_string(),
                Symbol::Zeros => "0".to_string(),
                symbol => sign(symbol).to_string(),
            };
        }
        let text = match symbol {
            Symbol::Minus => " - ",
            Symbol::Cdot => "*",
            Symbol::Times => "x",
            Symbol::Odot => " .* ",
            Symbol::Oslash => " ./ ",
            Symbol::Otimes => " (x) ",
            Symbol::Partial => "d",
            Symbol::Top => "T",
            Symbol::Infinity => "inf",
            Symbol::Dots => "...",
            Symbol::LessEqual => " <= ",
            Symbol::GreaterEqual => " >= ",
            Symbol::NotEqual => " != ",
            Symbol::Ones => "1",
            Symbol::Zeros => "0",
            Symbol::Prime => "'",
            Symbol::Angle => "angle",
            Symbol::Open(fence) => ascii_brackets(fence).0,
            Symbol::Close(fence) => ascii_brackets(fence).1,
            other => sign(other),
        };
        text.to_string()
    }

    fn row(&self, items: &[&Math]) -> Grid {
        let mut grids = Vec::new();
        for (at, &item) in items.iter().enumerate() {
            if at > 0 && Math::are_apart(items[at - 1], item) {
                grids.push(self.text(" "));
            }
            let grid = self.draw(item);
            // A sign in front has no space before it.
            let leading = at == 0 && matches!(item, Math::Symbol(Symbol::Minus | Symbol::Plus));
            grids.push(if leading { self.text(grid.lines[0].trim()) } else { grid });
        }
        self.beside(&grids)
    }

    /// Side by side, base lines level.
    pub fn beside(&self, grids: &[Grid]) -> Grid {
        let base = grids.iter().map(|grid| grid.base).max().unwrap_or(0);
        let below = grids.iter().map(|grid| grid.lines.len() - grid.base).max().unwrap_or(1);
        let mut lines = vec![String::new(); base + below];
        for grid in grids {
            let top = base - grid.base;
            for (at, line) in lines.iter_mut().enumerate() {
                match at.checked_sub(top).and_then(|at| grid.lines.get(at)) {
                    Some(text) => line.push_str(text),
                    None => line.push_str(&" ".repeat(grid.width)),
                }
            }
        }
        Grid { lines, width: grids.iter().map(|grid| grid.width).sum(), base }
    }

    /// One above the other, centred; the base line is the first line of the `level`-th.
    fn stack(&self, grids: &[Grid], level: usize) -> Grid {
        let width = grids.iter().map(|grid| grid.width).max().unwrap_or(0);
        let base = grids[..level].iter().map(|grid| grid.lines.len()).sum();
        let lines = grids.iter().flat_map(|grid| self.padded(grid, width, true)).collect();
        Grid { lines, width, base }
    }

    fn padded(&self, grid: &Grid, width: usize, centred: bool) -> Vec<String> {
        let spare = width.saturating_sub(grid.width);
        let left = if centred { spare / 2 } else { 0 };
        let pad = |line: &String| format!("{}{line}{}", " ".repeat(left), " ".repeat(spare - left));
        grid.lines.each(pad)
    }

    fn fraction(&self, above: Grid, below: Grid) -> Grid {
        let width = above.width.max(below.width) + 2;
        let bar = self.text(&self.pick("─", "-").repeat(width));
        self.stack(&[above, bar, below], 1)
    }

    fn root(&self, degree: Option<&Math>, of: &Math) -> Grid {
        let sign = match degree.map(unicode::emit).as_deref() {
            None => self.pick("√", "sqrt").to_string(),
            Some("3") => self.pick("∛", "cbrt").to_string(),
            Some(degree) => format!("root{degree}"),
        };
        self.beside(&[self.text(&sign), self.fenced(Fence::Round, self.draw(of), of.is_tall())])
    }

    fn accent(&self, accent: Accent, base: &Math) -> Grid {
        let inner = self.draw(base);
        let [line] = inner.lines.as_slice() else { return inner };
        let word = match accent {
            Accent::Hat => "_hat",
            Accent::Bar => "_bar",
            Accent::Dot => "_dot",
            Accent::Tilde => "_tilde",
        };
        let mark = if self.ascii { word.to_string() } else { mark(accent).to_string() };
        self.text(&format!("{line}{mark}"))
    }

    fn big(&self, big: Big, lower: Option<&Math>) -> Grid {
        let sign = match big {
            Big::Sum => self.pick("∑", "sum"),
            Big::Prod => self.pick("∏", "prod"),
        };
        match lower {
            None => self.text(sign),
            Some(lower) => self.stack(&[self.text(sign), self.draw(lower)], 0),
        }
    }

    /// Small characters if all of the script has them and its base is a line of text; else a line of its own.
    fn scripts(&self, base: &Math, sub: Option<&Math>, sup: Option<&Math>) -> Grid {
        if base.takes_limits()
            && let (Some(sub), None) = (sub, sup)
        {
            return self.stack(&[self.draw(base), self.draw(sub)], 0);
        }
        let grid = self.draw(base);
        if let [line] = grid.lines.as_slice()
            && let Some(text) = self.in_line(line, sub, sup)
        {
            return self.text(&text);
        }
        self.around(grid, sub, sup)
    }

    fn in_line(&self, base: &str, sub: Option<&Math>, sup: Option<&Math>) -> Option<String> {
        let mut out = base.to_string();
        for (script, table, sign) in [(sub, SUBSCRIPTS, '_'), (sup, SUPERSCRIPTS, '^')] {
            let Some(script) = script else { continue };
            if self.ascii {
                let [text] = <[String; 1]>::try_from(self.draw(script).lines).ok()?;
                let bare = text.chars().all(|c| c.is_alphanumeric() || c == ',');
                out.push_str(&if bare {
                    format!("{sign}{text}")
                } else {
                    format!("{sign}({text})")
                });
            } else {
                out.push_str(&small(&unicode::emit(script), table)?);
            }
        }
        Some(out)
    }

    /// Scripts on lines of their own: the subscript from the base's last line down, the superscript from its first line up.
    fn around(&self, grid: Grid, sub: Option<&Math>, sup: Option<&Math>) -> Grid {
        // A base that reaches above or below its line has the script at its end there.
        let (up, down) = (grid.base > 0, grid.lines.len() > grid.base + 1);
        let script = |script: &Math, table: &[(char, char)], at_end: bool| {
            let text = small(&unicode::emit(script), table).filter(|_| at_end && !self.ascii);
            text.map_or_else(|| self.draw(script), |text| self.text(&text))
        };
        let sub = sub.map(|sub| script(sub, SUBSCRIPTS, down));
        let sup = sup.map(|sup| script(sup, SUPERSCRIPTS, up));
        let width = sub.iter().chain(&sup).map(|script| script.width).max().unwrap_or(0);
        let above = sup.as_ref().map_or(0, |sup| sup.lines.len() - usize::from(up));
        let below = sub.as_ref().map_or(0, |sub| sub.lines.len() - usize::from(down));
        let mut column = vec![" ".repeat(width); above + grid.lines.len() + below];
        let count = column.len();
        let mut put = |script: Option<Grid>, from: fn(usize, usize) -> usize| {
            let Some(script) = script else { return };
            let first = from(count, script.lines.len());
            for (at, line) in self.padded(&script, width, false).into_iter().enumerate() {
                column[first + at] = line;
            }
        };
        put(sup, |_, _| 0);
        put(sub, |count, lines| count - lines);
        let base = above + grid.base;
        let column = Grid { lines: column, width, base };
        let mut lines = vec![" ".repeat(grid.width); above];
        lines.extend(grid.lines);
        lines.extend(vec![" ".repeat(grid.width); below]);
        self.beside(&[Grid { lines, width: grid.width, base }, column])
    }

    /// Brackets grow around what is tall, but not for a script that hangs below the line.
    fn fenced(&self, fence: Fence, inner: Grid, tall: bool) -> Grid {
        let height = inner.lines.len();
        let sides = if self.ascii { ascii_brackets(fence) } else { brackets(fence) };
        if height == 1 || !tall {
            return self.beside(&[self.text(sides.0), inner, self.text(sides.1)]);
        }
        let base = inner.base;
        let column = |pieces: [&str; 3]| {
            let piece = |at: usize| match at {
                0 => pieces[0],
                at if at + 1 == height => pieces[2],
                _ => pieces[1],
            };
            let lines: Vec<String> = (0..height).map(|at| piece(at).to_string()).collect();
            Grid { lines, width: 1, base }
        };
        let (open, close) = if self.ascii { ascii_pieces(fence) } else { pieces(fence) };
        self.beside(&[column(open), inner, column(close)])
    }

    fn cases(&self, cases: &[(Math, Math)]) -> Grid {
        let mut rows = Vec::new();
        for (value, when) in cases {
            if !rows.is_empty() {
                rows.push(vec![self.text(""), self.text("")]);
            }
            rows.push(vec![self.draw(value), self.draw(when)]);
        }
        let table = self.table(rows);
        let (height, middle) = (table.lines.len(), table.lines.len() / 2);
        let piece = |at: usize| match at {
            0 if height == 1 => "{",
            0 => self.pick("⎧", "/"),
            at if at + 1 == height => self.pick("⎩", "\\"),
            at if at == middle => self.pick("⎨", "<"),
            _ => self.pick("⎪", "|"),
        };
        let lines: Vec<String> = (0..height).map(|at| piece(at).to_string()).collect();
        let table = Grid { base: middle, ..table };
        self.beside(&[Grid { lines, width: 1, base: middle }, self.text(" "), table])
    }

    /// Cells in columns, two spaces between them.
    fn table(&self, rows: Vec<Vec<Grid>>) -> Grid {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..count)
            .map(|at| {
                rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width).max().unwrap_or(0)
            })
            .collect();
        let mut lines = Vec::new();
        for row in rows {
            let mut cells = Vec::new();
            for (at, (cell, width)) in row.into_iter().zip(&widths).enumerate() {
                if at > 0 {
                    cells.push(self.text("  "));
                }
                let lines = self.padded(&cell, *width, false);
                cells.push(Grid { lines, width: *width, base: cell.base });
            }
            lines.extend(self.beside(&cells).lines);
        }
        let width = widths.iter().sum::<usize>() + 2 * count.saturating_sub(1);
        let base = lines.len() / 2;
        Grid { lines, width, base }
    }

    fn framed(&self, inner: Grid) -> Grid {
        let width = inner.width + 2;
        let bar =
            |left: &str, right: &str| format!("{left}{}{right}", self.pick("─", "-").repeat(width));
        let side = self.pick("│", "|");
        let mut lines = vec![bar(self.pick("┌", "+"), self.pick("┐", "+"))];
        lines.extend(inner.lines.iter().map(|line| format!("{side} {line} {side}")));
        lines.push(bar(self.pick("└", "+"), self.pick("┘", "+")));
        Grid { lines, width: width + 2, base: inner.base + 1 }
    }
}

type Sides = ([&'static str; 3], [&'static str; 3]);

/// Top, middle and bottom of tall brackets.
fn pieces(fence: Fence) -> Sides {
    match fence {
        Fence::Round => (["⎛", "⎜", "⎝"], ["⎞", "⎟", "⎠"]),
        Fence::Square => (["⎡", "⎢", "⎣"], ["⎤", "⎥", "⎦"]),
        Fence::Bars => (["│"; 3], ["│"; 3]),
        Fence::Norm => (["‖"; 3], ["‖"; 3]),
        Fence::Angle => (["╱", "⟨", "╲"], ["╲", "⟩", "╱"]),
        Fence::Floor => (["⎢", "⎢", "⎣"], ["⎥", "⎥", "⎦"]),
        Fence::Ceil => (["⎡", "⎢", "⎢"], ["⎤", "⎥", "⎥"]),
    }
}

fn ascii_pieces(fence: Fence) -> Sides {
    match fence {
        Fence::Round => (["/", "|", "\\"], ["\\", "|", "/"]),
        Fence::Square => (["["; 3], ["]"; 3]),
        Fence::Angle => (["/", "<", "\\"], ["\\", ">", "/"]),
        _ => (["|"; 3], ["|"; 3]),
    }
}

fn ascii_brackets(fence: Fence) -> (&'static str, &'static str) {
    match fence {
        Fence::Round => ("(", ")"),
        Fence::Square => ("[", "]"),
        Fence::Bars => ("|", "|"),
        Fence::Norm => ("||", "||"),
        Fence::Angle => ("<", ">"),
        Fence::Floor => ("floor(", ")"),
        Fence::Ceil => ("ceil(", ")"),
    }
}
