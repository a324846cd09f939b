//! A layered layout: in which layer each box stands, and in which order within it, so that few edges cross.
//!
//! In: sizes of boxes, edges from earlier to later boxes, widths of the edges' labels. Out: items in layers. Boxes stand in even
//! layers; an edge passes every layer between its ends through an item of its own, the last of which carries its label.

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A box.
    Node(usize),
    /// The label of an edge, just above the box that the edge leads to.
    Label(usize),
    /// An edge passes.
    Bend(usize),
}

/// Something in a layer.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub what: What,
    pub width: f64,
    /// Items of the layer above that it is linked with.
    pub above: Vec<usize>,
    /// Items of the layer below.
    pub below: Vec<usize>,
    /// The middle; filled in later.
    pub x: f64,
}

/// Items, and their order in each layer from top to bottom.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    pub items: Vec<Item>,
    pub rows: Vec<Vec<usize>>,
}

/// What is to be laid out.
pub(super) struct Wanted<'w> {
    /// The boxes' widths, each box after those that lead to it.
    pub nodes: &'w [f64],
    /// From which box to which later one, and the width of the label.
    pub edges: &'w [(usize, usize, f64)],
}

/// How often the order of layers is improved.
const SWEEPS: usize = 12;

/// The layers of a graph.
pub(super) fn layered(wanted: &Wanted<'_>) -> Layers {
    let heights = heights(wanted);
    let top = heights.iter().copied().max().unwrap_or(0);
    let row_of = |node: usize| 2 * (top - heights[node]);
    let mut layers = Layers { items: Vec::new(), rows: vec![Vec::new(); 2 * top + 1] };
    for (node, &width) in wanted.nodes.iter().enumerate() {
        layers.push(row_of(node), What::Node(node), width);
    }
    for (edge, &(from, to, width)) in wanted.edges.iter().enumerate() {
        let mut before = from;
        for row in row_of(from) + 1..row_of(to) {
            let last = row + 1 == row_of(to);
            let what = if last { What::Label(edge) } else { What::Bend(edge) };
            let item = layers.push(row, what, if last { width } else { 4.0 });
            layers.link(before, item);
            before = item;
        }
        layers.link(before, to);
    }
    layers.order();
    layers
}

/// How many layers of boxes lie below each box; what is used stands just above its first user.
fn heights(wanted: &Wanted<'_>) -> Vec<usize> {
    let mut heights = vec![0usize; wanted.nodes.len()];
    let mut uses: Vec<Vec<usize>> = vec![Vec::new(); wanted.nodes.len()];
    for &(from, to, _) in wanted.edges {
        uses[from].push(to);
    }
    for node in (0..heights.len()).rev() {
        heights[node] = uses[node].iter().map(|&user| heights[user] + 1).max().unwrap_or(0);
    }
    heights
}

impl Layers {
    fn push(&mut self, row: usize, what: What, width: f64) -> usize {
        let item = Item { what, width, above: Vec::new(), below: Vec::new(), x: 0.0 };
        self.items.push(item);
        self.rows[row].push(self.items.len() - 1);
        self.items.len() - 1
    }

    fn link(&mut self, above: usize, below: usize) {
        self.items[above].below.push(below);
        self.items[below].above.push(above);
    }

    /// Sorts each layer by where its neighbours stand, downwards and upwards in turn; the order with the fewest crossings stays.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let count = self.rows.len();
            for step in 1..count {
                let row = if down { step } else { count - 1 - step };
                self.sort(row, down);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    fn sort(&mut self, row: usize, by_above: bool) {
        let other = if by_above { row - 1 } else { row + 1 };
        let mut place = vec![0usize; self.items.len()];
        for (at, &item) in self.rows[other].iter().enumerate() {
            place[item] = at;
        }
        let mut keyed: Vec<(f64, usize)> = Vec::new();
        for (at, &item) in self.rows[row].iter().enumerate() {
            let own = &self.items[item];
            let near = if by_above { &own.above } else { &own.below };
            let sum: usize = near.iter().map(|&one| place[one]).sum();
            // What has no neighbour there keeps its place.
            let key = if near.is_empty() { at as f64 } else { sum as f64 / near.len() as f64 };
            keyed.push((key, item));
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.rows[row] = keyed.into_iter().map(|(_, item)| item).collect();
    }

    /// How many pairs of links cross.
    fn crossings(&self) -> usize {
        let mut place = vec![0usize; self.items.len()];
        for row in &self.rows {
            row.iter().enumerate().for_each(|(at, &item)| place[item] = at);
        }
        self.rows.iter().map(|row| self.crossings_below(row, &place)).sum()
    }

    /// Links in order of their upper ends: those pairs cross whose lower ends are in the other order.
    fn crossings_below(&self, row: &[usize], place: &[usize]) -> usize {
        let mut seen: Vec<usize> = Vec::new();
        let mut crossings = 0;
        for &item in row {
            let mut ends: Vec<usize> =
                self.items[item].below.iter().map(|&end| place[end]).collect();
            ends.sort_unstable();
            crossings += ends
                .iter()
                .map(|end| seen.len() - seen.partition_point(|known| known <= end))
                .sum::<usize>();
            for end in ends {
                seen.insert(seen.partition_point(|known| *known <= end), end);
            }
        }
        crossings
    }
}
