//! Where the items of layers stand from left to right: as near to the middle of their neighbours as the order allows.

use super::layers::{Layers, What};

/// Between neighbours of one layer.
const GAP: f64 = 18.0;
/// How often places are improved.
const ROUNDS: usize = 24;

/// Gives every item its place; the leftmost border is at 0. Gives the width of the whole.
pub(super) fn place(layers: &mut Layers) -> f64 {
    for row in layers.rows.clone() {
        settle(layers, &row, &|_| None);
    }
    for round in 0..ROUNDS {
        let down = round % 2 == 0;
        let last = round + 2 >= ROUNDS;
        let rows: Vec<Vec<usize>> = match down {
            true => layers.rows.clone(),
            false => layers.rows.iter().rev().cloned().collect(),
        };
        for row in rows {
            let before: Vec<f64> = layers.items.iter().map(|item| item.x).collect();
            let items = layers.items.clone();
            settle(layers, &row, &|at| {
                let item = &items[at];
                let near: Vec<usize> = match (last, down) {
                    (true, _) => item.above.iter().chain(&item.below).copied().collect(),
                    (false, true) => item.above.clone(),
                    (false, false) => item.below.clone(),
                };
                let sum: f64 = near.iter().map(|&one| before[one]).sum();
                (!near.is_empty()).then(|| sum / near.len() as f64)
            });
        }
    }
    let left = layers.items.iter().map(|item| item.x - item.width / 2.0).fold(f64::MAX, f64::min);
    for item in &mut layers.items {
        item.x -= left;
    }
    layers.items.iter().map(|item| item.x + item.width / 2.0).fold(0.0, f64::max)
}

/// A run of items that touch.
struct Block {
    sum: f64,
    weight: f64,
    count: usize,
}

/// Puts a layer's items as near as possible (in least squares) to where they are wanted, in order and without overlap: isotonic
/// regression by pooling neighbours that would collide.
fn settle(layers: &mut Layers, row: &[usize], wanted: &dyn Fn(usize) -> Option<f64>) {
    let mut offset = 0.0;
    let mut offsets = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    for (at, &item) in row.iter().enumerate() {
        if at > 0 {
            let before = layers.items[row[at - 1]].width;
            offset += (before + layers.items[item].width) / 2.0 + GAP;
        }
        offsets.push(offset);
        let (goal, weight) = match wanted(item) {
            Some(goal) => (goal, weight(layers.items[item].what)),
            None => (layers.items[item].x, 0.1),
        };
        blocks.push(Block { sum: (goal - offset) * weight, weight, count: 1 });
        while let [.., a, b] = blocks.as_slice()
            && a.sum / a.weight > b.sum / b.weight
        {
            let joined =
                Block { sum: a.sum + b.sum, weight: a.weight + b.weight, count: a.count + b.count };
            blocks.truncate(blocks.len() - 2);
            blocks.push(joined);
        }
    }
    let mut at = 0;
    for block in blocks {
        for _ in 0..block.count {
            layers.items[row[at]].x = block.sum / block.weight + offsets[at];
            at += 1;
        }
    }
}

/// Long edges should be straight, so their bends insist on their places.
fn weight(what: What) -> f64 {
    match what {
        What::Node(_) => 2.0,
        What::Label(_) => 1.0,
        What::Bend(_) => 4.0,
    }
}
