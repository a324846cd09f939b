//! A computation graph as an SVG picture: boxes with definitions, arrows with local derivatives and shapes. The path of the chain
//! rule is thick and coloured. All text is escaped; there are no scripts and no references to other files.

mod layers;
mod place;
mod text;

use super::graph_text::{definition, edge_label, omitted, role, shape, tooltip};
use super::unicode;
use crate::diagram::{Diagram, Edge, Quantity, Role};
use layers::{Layers, Wanted, What};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use text::{Runs, text_width};

/// Around the whole.
const MARGIN: f64 = 12.0;
const NODE_HEIGHT: f64 = 44.0;
const LABEL_HEIGHT: f64 = 34.0;
/// Above and below labels.
const ROOM: f64 = 16.0;
/// Sizes of letters in boxes and on edges, and about how wide each is.
const IN_BOXES: (f64, f64) = (14.0, 7.8);
const ON_EDGES: (f64, f64) = (13.0, 7.2);
const SMALL: f64 = 6.2;

/// How colours and lines look; colours are variables, so that a page can choose its own.
pub const STYLE: &str = "\
.cg{--ink:#1f2328;--soft:#626b76;--line:#9aa3ae;--path:#c2410c;--paper:#fff;--data:#eef4fb;--param:#fdf1e3;--loss:#fbe9e7;--made:#f6f7f9}
@media(prefers-color-scheme:dark){.cg{--ink:#e6e8eb;--soft:#9aa4b0;--line:#6b7480;--path:#fb923c;--paper:#16191d;--data:#1c2733;--param:#33271a;--loss:#3a2220;--made:#20242a}}
.cg text{font:14px 'STIX Two Text','Cambria Math','DejaVu Serif',serif;fill:var(--ink);text-anchor:middle}
.cg .cg-small{font-size:11px;fill:var(--soft)}
.cg .cg-label{font-size:13px}.cg .cg-label.cg-small{font-size:11px}
.cg rect{fill:var(--made);stroke:var(--line)}
.cg .cg-data rect{fill:var(--data)}.cg .cg-param rect{fill:var(--param)}.cg .cg-loss rect{fill:var(--loss)}
.cg .cg-part rect{stroke-dasharray:4 3}
.cg .cg-back,.cg .cg-path .cg-back{fill:var(--paper);stroke:none}
.cg path{fill:none;stroke:var(--line);stroke-width:1.2}.cg .cg-head{fill:var(--line);stroke:none}
.cg .cg-path rect{stroke:var(--path);stroke-width:2}
.cg .cg-path path{stroke:var(--path);stroke-width:3}.cg .cg-path .cg-head{fill:var(--path)}
";

/// A file of its own.
pub fn document(diagram: &Diagram) -> String {
    let figure = figure(diagram, &|_| None);
    let styled = format!("<style>{STYLE}.cg{{background:var(--paper)}}</style>");
    // The style goes behind the opening tag.
    let at = figure.find('>').map_or(0, |at| at + 1);
    format!("{}{styled}{}\n", &figure[..at], &figure[at..])
}

/// The picture alone, for a page that has [`STYLE`]. The group of a quantity has its name as `data-name`, and is a link where it has
/// a target.
pub fn figure(diagram: &Diagram, link: &dyn Fn(&str) -> Option<String>) -> String {
    let picture = Picture::new(diagram);
    let (width, height) = (picture.width, picture.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"cg\" role=\"group\" aria-labelledby=\"cg-title\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\"><title id=\"cg-title\">Computation graph</title><desc>{}</desc>",
        escaped(&described(diagram))
    );
    for (at, edge) in diagram.edges.iter().enumerate() {
        picture.edge(&mut out, at, edge);
    }
    for (at, quantity) in diagram.quantities.iter().enumerate() {
        let target = link(&quantity.name);
        if let Some(target) = &target {
            let _ = write!(out, "<a href=\"{}\">", escaped(target));
        }
        picture.node(&mut out, at, quantity);
        out.push_str(if target.is_some() { "</a>" } else { "" });
    }
    if let Some(note) = omitted(diagram) {
        let _ = write!(
            out,
            "<text class=\"cg-small\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            width / 2.0,
            height - 8.0,
            escaped(&note)
        );
    }
    out.push_str("</svg>");
    out
}

/// The graph in words, for those who do not see it.
fn described(diagram: &Diagram) -> String {
    let one = |quantity: &Quantity| {
        let formula = unicode::emit(&definition(diagram, quantity));
        format!("{} {formula}, {}", role(quantity.role), shape(quantity))
    };
    let quantities: Vec<String> = diagram.quantities.iter().map(one).collect();
    let path: Vec<String> = diagram
        .edges
        .iter()
        .filter(|edge| edge.on_path)
        .map(|edge| tooltip(diagram, edge))
        .collect();
    let mut text = quantities.join("; ");
    if !path.is_empty() {
        text.push_str(". The chain rule uses ");
        text.push_str(&path.join("; "));
    }
    text.push('.');
    text
}

struct Picture<'d> {
    diagram: &'d Diagram,
    layers: Layers,
    /// The middle of each row.
    rows: Vec<f64>,
    row_of: Vec<usize>,
    /// The label of each edge.
    labels: BTreeMap<usize, usize>,
    width: f64,
    height: f64,
}

impl<'d> Picture<'d> {
    fn new(diagram: &'d Diagram) -> Picture<'d> {
        let nodes: Vec<f64> =
            diagram.quantities.iter().map(|one| node_width(diagram, one)).collect();
        let edges: Vec<(usize, usize, f64)> = diagram
            .edges
            .iter()
            .map(|edge| (edge.from, edge.to, label_width(diagram, edge)))
            .collect();
        let mut layers = layers::layered(&Wanted { nodes: &nodes, edges: &edges });
        let mut width = place::place(&mut layers) + 2.0 * MARGIN;
        for item in &mut layers.items {
            item.x += MARGIN;
        }
        if let Some(note) = omitted(diagram) {
            width = width.max(text_width(&note, SMALL) + 2.0 * MARGIN);
        }
        let mut row_of = vec![0; layers.items.len()];
        let mut labels = BTreeMap::new();
        let (mut rows, mut y) = (Vec::new(), MARGIN);
        for (at, row) in layers.rows.iter().enumerate() {
            let own = if at % 2 == 0 { NODE_HEIGHT } else { LABEL_HEIGHT + 2.0 * ROOM };
            rows.push(y + own / 2.0);
            y += own;
            for &item in row {
                row_of[item] = at;
                if let What::Label(edge) = layers.items[item].what {
                    labels.insert(edge, item);
                }
            }
        }
        let note = if omitted(diagram).is_some() { 20.0 } else { 0.0 };
        Picture { diagram, layers, rows, row_of, labels, width, height: y + MARGIN + note }
    }

    fn node(&self, out: &mut String, at: usize, quantity: &Quantity) {
        let (x, y) = (self.layers.items[at].x, self.rows[self.row_of[at]]);
        let width = self.layers.items[at].width;
        let kind = match quantity.role {
            Role::Input | Role::Target => "cg-data",
            Role::Param => "cg-param",
            Role::Loss | Role::Output => "cg-loss",
            Role::Definition => "cg-made",
            Role::Part => "cg-part",
        };
        let path = if quantity.on_path { " cg-path" } else { "" };
        let round = if matches!(kind, "cg-data" | "cg-param") { 14 } else { 4 };
        let _ = write!(
            out,
            "<g class=\"{kind}{path}\" data-name=\"{}\"><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{NODE_HEIGHT}\" rx=\"{round}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\">{}</text><text class=\"cg-small\" x=\"{x:.1}\" y=\"{:.1}\">{}</text></g>",
            escaped(&quantity.name),
            x - width / 2.0,
            y - NODE_HEIGHT / 2.0,
            y - 3.0,
            Runs::of(&definition(self.diagram, quantity)).svg(IN_BOXES.0),
            y + 14.0,
            escaped(&caption(quantity)),
        );
    }

    fn edge(&self, out: &mut String, at: usize, edge: &Edge) {
        let Some(&label) = self.labels.get(&at) else { return };
        let mut points = vec![self.border(edge.to, label, -1.0)];
        let mut item = label;
        loop {
            let (x, y) = (self.layers.items[item].x, self.rows[self.row_of[item]]);
            // Behind its label an edge goes straight down.
            let half = if item == label { LABEL_HEIGHT / 2.0 } else { 0.0 };
            points.push((x, y + half));
            points.push((x, y - half));
            let Some(&above) = self.layers.items[item].above.first() else { break };
            if matches!(self.layers.items[above].what, What::Node(_)) {
                points.push(self.border(above, item, 1.0));
                break;
            }
            item = above;
        }
        points.reverse();
        let path = if edge.on_path { " class=\"cg-path\"" } else { "" };
        let _ = write!(
            out,
            "<g{path}><title>{}</title><path d=\"{}\"/>",
            escaped(&tooltip(self.diagram, edge)),
            curve(&points)
        );
        if let Some(&(x, y)) = points.last() {
            let _ = write!(out, "<path class=\"cg-head\" d=\"M{:.1} {:.1}l-4.5 -8h9z\"/>", x, y);
        }
        self.label(out, edge, label);
        out.push_str("</g>");
    }

    /// The local derivative over the shape, on a ground that interrupts the edge's line.
    fn label(&self, out: &mut String, edge: &Edge, item: usize) {
        let (x, y) = (self.layers.items[item].x, self.rows[self.row_of[item]]);
        let width = self.layers.items[item].width;
        let derivative = edge_label(self.diagram, edge);
        let (top, height) = if derivative.is_some() { (16.0, 33.0) } else { (9.0, 18.0) };
        let _ = write!(
            out,
            "<rect class=\"cg-back\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height}\"/>",
            x - width / 2.0,
            y - top,
        );
        let shape_y = match &derivative {
            Some(math) => {
                let text = Runs::of(math).svg(ON_EDGES.0);
                let _ = write!(
                    out,
                    "<text class=\"cg-label\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>",
                    y - 3.0
                );
                y + 13.0
            }
            None => y + 4.0,
        };
        let flows = escaped(&shape(&self.diagram.quantities[edge.from]));
        let _ = write!(
            out,
            "<text class=\"cg-label cg-small\" x=\"{x:.1}\" y=\"{shape_y:.1}\">{flows}</text>"
        );
    }

    /// Where an edge meets a box's lower (1) or upper (-1) border, on the side of the next item.
    fn border(&self, node: usize, next: usize, side: f64) -> (f64, f64) {
        let own = &self.layers.items[node];
        let reach = (own.width / 2.0 - 12.0).max(0.0);
        let x = self.layers.items[next].x.clamp(own.x - reach, own.x + reach);
        (x, self.rows[self.row_of[node]] + side * NODE_HEIGHT / 2.0)
    }
}

/// Through all points, vertical at each.
fn curve(points: &[(f64, f64)]) -> String {
    let mut out = String::new();
    for (at, &(x, y)) in points.iter().enumerate() {
        if at == 0 {
            let _ = write!(out, "M{x:.1} {y:.1}");
            continue;
        }
        let (before_x, before_y) = points[at - 1];
        let middle = (before_y + y) / 2.0;
        let _ = write!(out, "C{before_x:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}");
    }
    out
}

/// `parameter · [N, M]`
fn caption(quantity: &Quantity) -> String {
    match quantity.role {
        Role::Definition | Role::Part => shape(quantity),
        other => format!("{} · {}", role(other), shape(quantity)),
    }
}

fn node_width(diagram: &Diagram, quantity: &Quantity) -> f64 {
    let wide = Runs::of(&definition(diagram, quantity)).width(IN_BOXES.1);
    wide.max(text_width(&caption(quantity), SMALL)) + 24.0
}

fn label_width(diagram: &Diagram, edge: &Edge) -> f64 {
    let local = edge_label(diagram, edge).map_or(0.0, |label| Runs::of(&label).width(ON_EDGES.1));
    local.max(text_width(&shape(&diagram.quantities[edge.from]), SMALL))
}

/// Text that is safe between tags and inside of quoted attributes. What XML does not allow becomes a replacement character.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if (c as u32) < 0x20
                || matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}') =>
            {
                out.push('\u{fffd}')
            }
            c => out.push(c),
        }
    }
    out
}
