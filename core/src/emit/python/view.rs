//! In: affine positions. Out: slices where they are that, else a look-up that gives 0 outside.

use super::dialect::Library;
use super::value::{Bind, Value};
use super::writer::{Writer, dim_text, tuple};
use crate::ir::{Affine, Dim, NodeId, Num, Op, View};
use crate::plan::lin::Lin;

/// Letters for positions.
const LETTERS: &[&str] = &["i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"];

/// One axis of the argument, as it is read.
enum Part {
    /// At one position.
    At(String),
    /// A slice along an axis of the result, perhaps backwards.
    Slice { text: String, axis: usize, backwards: bool },
}

impl Writer<'_> {
    /// The argument at these positions.
    pub(super) fn view(&mut self, view: &View, arg: NodeId) -> Value {
        self.slices(view, arg).unwrap_or_else(|| self.look_up(view, arg))
    }

    /// As an index of integers and slices, where every axis of the result stands in one axis of the argument.
    fn slices(&mut self, view: &View, arg: NodeId) -> Option<Value> {
        let sizes = self.graph.shape(arg).clone();
        let mut parts = Vec::with_capacity(sizes.len());
        for (affine, size) in view.map.iter().zip(&sizes) {
            parts.push(self.part(view, affine, size)?);
        }
        let axes: Vec<usize> = parts.iter().filter_map(Part::axis).collect();
        if !axes.windows(2).all(|pair| pair[0] < pair[1]) {
            return None;
        }
        let mut said: Vec<&str> = parts.iter().map(Part::text).collect();
        // What comes out of the first step: it adds nothing where there is none.
        let first = matches!(&parts[..], [Part::At(text), ..] if text == "0");
        let first = first && self.is_carried(arg);
        if first {
            said[0] = ":1";
        }
        let length = said.iter().rposition(|text| *text != ":").map_or(0, |last| last + 1);
        let x = self.exact(arg);
        let mut text = match length {
            0 => x.text,
            _ => format!("{}[{}]", x.at(Bind::Atom), said[..length].join(", ")),
        };
        if first {
            let (xp, keyword) = (self.library.xp(), self.library.axis());
            text = format!("{xp}.sum({text}, {keyword}=0)");
        }
        let flipped: Vec<String> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Slice { axis, backwards: true, .. } => {
                    axes.iter().position(|own| own == axis).map(|at| at.to_string())
                }
                _ => None,
            })
            .collect();
        if !flipped.is_empty() {
            text = format!("{}.flip({text}, {})", self.library.xp(), tuple(&flipped));
        }
        Some(Value { axes, ..Value::array(text, Bind::Atom, 0) })
    }

    /// Whether the argument is what a scan of a number of steps that is open carries, perhaps turned round: there may be none.
    fn is_carried(&self, arg: NodeId) -> bool {
        match self.graph.op(arg) {
            Op::Scan(_) => self.graph.shape(arg)[0].as_fixed().is_none(),
            Op::View(_) => self.is_carried(self.graph.args(arg)[0]),
            _ => false,
        }
    }

    fn part(&mut self, view: &View, affine: &Affine, size: &Dim) -> Option<Part> {
        let one = Dim::fixed(1);
        let lin =
            affine.terms.iter().fold(Lin::constant(affine.offset.clone()), |sum, (axis, c)| {
                sum.plus(&Lin::index(*axis as u32), &Dim::fixed(i128::from(*c)))
            });
        let inside = lin.stays_within(size, &|ix| view.shape[ix as usize].clone());
        if affine.divisor != 1 || !inside {
            return None;
        }
        let (axis, step) = match affine.terms.as_slice() {
            [] => return Some(Part::At(self.dim(&affine.offset).text)),
            [term] => *term,
            _ => return None,
        };
        let reach = view.shape[axis].plus(&one, Num::int(-1));
        let reach = reach.times(&Dim::fixed(i128::from(step.abs())));
        let (low, high) = match step {
            -1 => (affine.offset.plus(&reach, Num::int(-1)), affine.offset.clone()),
            1.. => (affine.offset.clone(), affine.offset.plus(&reach, Num::ONE)),
            _ => return None,
        };
        let start = if low.terms.is_empty() { String::new() } else { self.dim(&low).text };
        // The last position is the argument's last, or no further step fits.
        let left = size.plus(&high, Num::int(-1)).plus(&one, Num::int(-1));
        let to_end = left.as_fixed().is_some_and(|left| left < i128::from(step.max(1)));
        let stop = if to_end { String::new() } else { self.dim(&high.plus(&one, Num::ONE)).text };
        let step_text = if step > 1 { format!(":{step}") } else { String::new() };
        // The formatter sets the colon off where a bound is more than a name or a number.
        let plain = |text: &str| {
            text.trim_start_matches('-').chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let text = if plain(&start) && plain(&stop) {
            format!("{start}:{stop}{step_text}")
        } else {
            let after = if step > 1 && !stop.is_empty() {
                format!(" :{}", step_text.replacen(':', " ", 1))
            } else {
                step_text
            };
            format!("{start} : {stop}{after}").trim().to_string()
        };
        Some(Part::Slice { text, axis, backwards: step < 0 })
    }

    /// Through positions in numbers.
    fn look_up(&mut self, view: &View, arg: NodeId) -> Value {
        let x = self.exact(arg).text;
        let shape = self.shape(&view.shape);
        let taken: Vec<&String> = self.names.dims.values().collect();
        let letters: Vec<String> = LETTERS
            .iter()
            .map(ToString::to_string)
            .chain((0..).map(|at| format!("i{at}")))
            .filter(|letter| !taken.contains(&letter))
            .take(view.shape.len())
            .collect();
        let positions: Vec<String> =
            view.map.iter().map(|affine| self.position(affine, &letters)).collect();
        let head = format!("lambda {}", letters.join(", "));
        let text = format!("_view({x}, {shape}, {}: {})", head.trim_end(), tuple(&positions));
        Value::array(text, Bind::Atom, view.shape.len())
    }

    fn position(&mut self, affine: &Affine, letters: &[String]) -> String {
        let mut text = String::new();
        for (axis, c) in &affine.terms {
            let sign = match (text.is_empty(), *c < 0) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            let letter = &letters[*axis];
            text.push_str(sign);
            match c.unsigned_abs() {
                1 => text.push_str(letter),
                size => text.push_str(&format!("{size} * {letter}")),
            }
        }
        self.sizes.extend(affine.offset.names());
        let offset = dim_text(self.names, &affine.offset);
        if text.is_empty() {
            text = offset.text;
        } else if let Some(rest) = offset.text.strip_prefix('-') {
            text.push_str(&format!(" - {rest}"));
        } else if offset.text != "0" {
            text.push_str(&format!(" + {}", offset.text));
        }
        if affine.divisor == 1 { text } else { format!("_over({text}, {})", affine.divisor) }
    }
}

impl Writer<'_> {
    /// A sum of tensors that stand one after the other along an axis, as one that joins them.
    pub(super) fn joined(&mut self, coefficients: &[Num], args: &[NodeId]) -> Option<Value> {
        let graph = self.graph;
        if args.len() < 2 || !coefficients.iter().all(|c| c.is_one()) {
            return None;
        }
        let mut pieces: Vec<(usize, Dim, NodeId)> = Vec::new();
        for arg in args {
            let (Op::View(view), [piece]) = (graph.op(*arg), graph.args(*arg)) else { return None };
            let (axis, from) = moved(view, graph.shape(*piece))?;
            pieces.push((axis, from, *piece));
        }
        let axis = pieces[0].0;
        // In order: each begins where the one before it ends.
        let mut order: Vec<NodeId> = Vec::new();
        let mut end = Dim::fixed(0);
        while let Some(at) = pieces.iter().position(|(own, from, _)| *own == axis && *from == end) {
            let (_, _, piece) = pieces.remove(at);
            end = end.plus(&graph.shape(piece)[axis], Num::ONE);
            order.push(piece);
        }
        let shape = graph.shape(args[0]);
        if !pieces.is_empty() || end != shape[axis] {
            return None;
        }
        let mut texts = Vec::new();
        for piece in order {
            let value = self.exact(piece);
            texts.push(self.lifted(&value).text);
        }
        let call = if self.library == Library::Torch { "cat" } else { "concatenate" };
        let (xp, keyword) = (self.library.xp(), self.library.axis());
        let text = format!("{xp}.{call}([{}], {keyword}={axis})", texts.join(", "));
        Some(Value::array(text, Bind::Atom, shape.len()))
    }
}

/// The axis along which a view only moves its argument, and where to, if it does nothing else.
fn moved(view: &View, shape: &[Dim]) -> Option<(usize, Dim)> {
    if view.map.len() != view.shape.len() {
        return None;
    }
    let mut found = None;
    for (axis, affine) in view.map.iter().enumerate() {
        if affine.terms.as_slice() != [(axis, 1)] || affine.divisor != 1 {
            return None;
        }
        let still = affine.offset.terms.is_empty();
        match (still && view.shape[axis] == shape[axis], found.is_some()) {
            (true, _) => {}
            (false, true) => return None,
            (false, false) => found = Some((axis, affine.offset.times(&Dim::fixed(-1)))),
        }
    }
    found
}

impl Part {
    fn axis(&self) -> Option<usize> {
        match self {
            Part::At(_) => None,
            Part::Slice { axis, .. } => Some(*axis),
        }
    }

    fn text(&self) -> &str {
        match self {
            Part::At(text) | Part::Slice { text, .. } => text,
        }
    }
}
