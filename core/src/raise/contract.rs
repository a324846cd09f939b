//! Sums of products as matrix products: a network of tensors that share summed labels is merged, reduced and multiplied until
//! no summed label is left. Every step keeps track of the order of axes.

use super::build::{Operand, Term, chained};
use super::matrix::reduction;
use crate::few::{self, Each};
use chainrule_grammar::ast::{Expr, ExprKind};

/// Factors and divisors with the label of each of their axes; `None` is a further axis of size 1.
pub(super) type Kept = (Vec<Expr>, Vec<Expr>, Vec<Option<u32>>);

/// A product whose axes are named by labels, all different.
#[derive(Clone)]
pub(super) struct Tensor {
    /// Factors, which broadcast to the axes.
    pub over: Vec<Expr>,
    /// Divisors.
    pub under: Vec<Expr>,
    /// The labels of its axes.
    pub labels: Vec<u32>,
    /// Its place in the order of display.
    pub order: usize,
    /// The same with further axes of size 1.
    pub kept: Option<Kept>,
    /// The operands if it is a product of matrices and vectors; of matrices alone where it has two axes itself.
    pub chain: Vec<Operand>,
    /// Whether it is a Kronecker delta.
    pub identity: bool,
    /// Whether it is its own transpose.
    pub symmetric: bool,
    /// Whether it is the program's data as declared.
    pub data: bool,
    /// Whether it is a vector that the program writes as a row: its author's way, which is kept.
    pub row: bool,
}

impl Tensor {
    /// 1, at this place.
    pub fn new(order: usize) -> Tensor {
        Tensor {
            over: Vec::new(),
            under: Vec::new(),
            labels: Vec::new(),
            order,
            kept: None,
            chain: Vec::new(),
            identity: false,
            symmetric: false,
            data: false,
            row: false,
        }
    }

    /// The operands of a matrix product that it is, or it alone; transposed for `turn`.
    pub fn operands(&self, turn: bool) -> Vec<Operand> {
        match (self.chain.is_empty() || self.labels.len() > 2, turn && !self.symmetric) {
            (true, false) => vec![self.operand()],
            (true, true) => vec![self.operand().transposed()],
            (false, false) => self.chain.clone(),
            (false, true) => self.chain.iter().rev().cloned().map(Operand::transposed).collect(),
        }
    }

    /// It alone, as an operand.
    fn operand(&self) -> Operand {
        Operand { expr: self.expr(), symmetric: self.symmetric }
    }

    fn has(&self, label: u32) -> bool {
        self.labels.contains(&label)
    }

    fn within(&self, other: &Tensor) -> bool {
        self.labels.iter().all(|&label| other.has(label))
    }

    fn shared(&self, other: &Tensor) -> Vec<u32> {
        self.labels.iter().copied().filter(|&label| other.has(label)).collect()
    }
}

/// Sums over the labels `bound`. What is left has labels of `out` only; its product is the value.
pub(super) fn contract(
    mut tensors: Vec<Tensor>,
    out: &[u32],
    bound: &[u32],
) -> Option<Vec<Tensor>> {
    let mut bound = bound.to_vec();
    loop {
        let open: Vec<u32> =
            bound.iter().copied().filter(|&label| tensors.iter().any(|t| t.has(label))).collect();
        if open.is_empty() {
            break;
        }
        if absorb_identity(&mut tensors, &open) {
            continue;
        }
        if weigh(&mut tensors, &open) {
            continue;
        }
        if let Some(label) = sandwich(&mut tensors, &open) {
            bound.push(label);
        } else if let Some((small, large)) = pair_to_merge(&tensors, &open) {
            merge(&mut tensors, small, large)?;
        } else if let Some(at) = tensors.iter().position(|t| !lone(t, &tensors, &open).is_empty()) {
            let labels = lone(&tensors[at], &tensors, &open);
            tensors[at] = reduce(&tensors[at], &labels);
        } else {
            multiply_chain(&mut tensors, out, &open)?;
        }
    }
    few::sort_by(&mut tensors, &|a, b| a.order.cmp(&b.order));
    Some(tensors)
}

/// `I @ A` is `A`: a summed axis of an identity is read at its other axis by all others. Whether there was one.
fn absorb_identity(tensors: &mut Vec<Tensor>, open: &[u32]) -> bool {
    let found = tensors.iter().enumerate().find_map(|(at, tensor)| {
        let &[first, second] = tensor.labels.as_slice() else { return None };
        let plain = tensor.identity && tensor.over.len() == 1 && tensor.under.is_empty();
        let mut others = tensors.iter().enumerate().filter(|(other, _)| *other != at);
        let clash = others.clone().any(|(_, other)| other.has(first) && other.has(second));
        let (summed, kept) = match (open.contains(&first), open.contains(&second)) {
            (true, _) => (first, second),
            (_, true) => (second, first),
            _ => return None,
        };
        let read = others.any(|(_, other)| other.has(summed));
        (plain && read && !clash).then_some((at, summed, kept))
    });
    let Some((at, summed, kept)) = found else { return false };
    tensors.remove(at);
    for tensor in tensors {
        let further = tensor.kept.iter_mut().flat_map(|(_, _, labels)| labels.iter_mut().flatten());
        let labels = tensor.labels.iter_mut().chain(further);
        labels.filter(|label| **label == summed).for_each(|label| *label = kept);
    }
    true
}

/// A formula over entries with a vector along the summed axis and one along the other is weighed by their outer product, as a
/// layer's error term is: `outer(r, v) * (1 - h^2)`. Whether there was one.
fn weigh(tensors: &mut Vec<Tensor>, open: &[u32]) -> bool {
    let vector = |label: u32| {
        let fits = |tensor: &Tensor| tensor.labels == [label] && tensor.kept.is_none();
        tensors.iter().position(fits)
    };
    let found = tensors.iter().enumerate().find_map(|(at, matrix)| {
        let &[a, b] = matrix.labels.as_slice() else { return None };
        let (summed, free) = if open.contains(&a) { (a, b) } else { (b, a) };
        let named = matches!(matrix.over.as_slice(), [Expr { kind: ExprKind::Name(_), .. }]);
        let plain = matrix.identity || named || !matrix.chain.is_empty();
        if plain || a == b || !open.contains(&summed) || open.contains(&free) {
            return None;
        }
        let mut others = tensors.iter().enumerate().filter(|(other, _)| *other != at);
        others.find(|(_, other)| other.labels.len() == 2 && other.has(summed))?;
        Some((at, vector(a)?, vector(b)?))
    });
    let Some((at, rows, columns)) = found else { return false };
    let weights = Expr::call("outer", vec![tensors[rows].expr(), tensors[columns].expr()]);
    tensors[at].over.insert(0, weights);
    tensors[at].symmetric = false;
    tensors[at].kept = None;
    tensors[at].order =
        [at, rows, columns].map(|at| tensors[at].order).into_iter().min().unwrap_or(0);
    let mut gone = [rows, columns];
    few::sort(&mut gone);
    gone.into_iter().rev().for_each(|at| {
        tensors.remove(at);
    });
    true
}

/// `A · v · B` over one summed label is `A @ diag(v) @ B`: the vector becomes a diagonal matrix, with a label of its own on its other
/// side.
fn sandwich(tensors: &mut [Tensor], open: &[u32]) -> Option<u32> {
    let fresh = 1 + tensors.iter().flat_map(|tensor| tensor.labels.iter().copied()).max()?;
    for &label in open {
        let readers: Vec<usize> = (0..tensors.len()).filter(|&at| tensors[at].has(label)).collect();
        let (vectors, others): (Vec<usize>, Vec<usize>) =
            readers.into_iter().partition(|&at| tensors[at].labels == [label]);
        let ([vector], &[first, second]) = (vectors.as_slice(), others.as_slice()) else {
            continue;
        };
        let matrices = others.iter().all(|&at| tensors[at].labels.len() == 2);
        let apart = tensors[first].shared(&tensors[second]) == [label];
        if !matrices || !apart || tensors[*vector].kept.is_some() {
            continue;
        }
        let later = if tensors[first].order > tensors[second].order { first } else { second };
        tensors[later].labels.iter_mut().filter(|own| **own == label).for_each(|own| *own = fresh);
        let diagonal = Expr::call("diag", vec![tensors[*vector].expr()]);
        let mut matrix = Tensor::new(tensors[*vector].order);
        matrix.over = vec![diagonal];
        matrix.labels = vec![label, fresh];
        matrix.symmetric = true;
        tensors[*vector] = matrix;
        return Some(fresh);
    }
    None
}

/// Summed labels that only this tensor has.
fn lone(tensor: &Tensor, all: &[Tensor], open: &[u32]) -> Vec<u32> {
    let count = |label: u32| all.iter().filter(|other| other.has(label)).count();
    tensor
        .labels
        .iter()
        .copied()
        .filter(|&label| open.contains(&label) && count(label) == 1)
        .collect()
}

/// Two tensors that are to be multiplied entry by entry before anything is summed: they share a summed label that a matrix
/// product cannot take (three have it, or the two share more labels), and the first has no label that the second has not.
fn pair_to_merge(tensors: &[Tensor], open: &[u32]) -> Option<(usize, usize)> {
    let crowded = |label: &u32| tensors.iter().filter(|t| t.has(*label)).count() > 2;
    let fits = |a: &Tensor, b: &Tensor| {
        let shared = a.shared(b);
        let mut summed = shared.iter().filter(|label| open.contains(label)).peekable();
        a.within(b) && summed.peek().is_some() && (shared.len() > 1 || summed.any(crowded))
    };
    // `sum(a * b * c)` rather than `dot(a * b, c)`
    let several = |t: &Tensor| t.over.len() != 1 || !t.under.is_empty();
    let vectors = |a: &Tensor, b: &Tensor| {
        a.labels == b.labels && a.labels.len() == 1 && open.contains(&a.labels[0])
    };
    let fits = |a: &Tensor, b: &Tensor| fits(a, b) || (vectors(a, b) && (several(a) || several(b)));
    let equal = |a: &Tensor, b: &Tensor| a.labels.len() == b.labels.len();
    let mut pairs = Vec::new();
    for (small, a) in tensors.iter().enumerate() {
        for (large, b) in tensors.iter().enumerate() {
            if small != large && fits(a, b) && !(equal(a, b) && small > large) {
                // Factors of equal axes go together in display order.
                let second = if equal(a, b) { b.order } else { usize::MAX - b.order };
                pairs.push(((!equal(a, b), second, a.order), small, large));
            }
        }
    }
    pairs.into_iter().min().map(|(_, small, large)| (small, large))
}

/// The product of two tensors, the first of which has only labels of the second.
fn merge(tensors: &mut Vec<Tensor>, small: usize, large: usize) -> Option<()> {
    let (a, b) = (&tensors[small], &tensors[large]);
    let wide =
        b.labels.len() > 2 && a.labels.len() < b.labels.len() && !b.labels.ends_with(&a.labels);
    if wide {
        return None;
    }
    // Equal sets: the first in display order keeps its axes as they are.
    let (keep, turn) =
        if a.labels.len() == b.labels.len() && a.order < b.order { (a, b) } else { (b, a) };
    let (over, under) = turn.aligned(&keep.labels, None)?;
    let mut merged = Tensor::new(a.order.min(b.order));
    merged.labels = keep.labels.clone();
    let first_is_kept = keep.order < turn.order;
    let join = |mine: &[Expr], other: Vec<Expr>| {
        if first_is_kept { [mine, &other].concat() } else { [&other, mine].concat() }
    };
    merged.over = join(&keep.over, over);
    merged.under = join(&keep.under, under);
    let later = small.max(large);
    tensors[small.min(large)] = merged;
    tensors.remove(later);
    Some(())
}

/// The sum of a tensor over some of its labels.
fn reduce(tensor: &Tensor, labels: &[u32]) -> Tensor {
    let rank = tensor.labels.len();
    let axes: Vec<usize> =
        (0..rank).filter(|&axis| labels.contains(&tensor.labels[axis])).collect();
    let mut reduced = Tensor::new(tensor.order);
    reduced.labels =
        tensor.labels.iter().copied().filter(|label| !labels.contains(label)).collect();
    reduced.over = vec![sum_of(tensor, &axes, false)];
    if !reduced.labels.is_empty() {
        let pattern = tensor.labels.each(|label| (!labels.contains(label)).then_some(*label));
        reduced.kept = Some((vec![sum_of(tensor, &axes, true)], Vec::new(), pattern));
    }
    reduced
}

fn sum_of(tensor: &Tensor, axes: &[usize], keep: bool) -> Expr {
    // The sum of a diagonal is the trace.
    if let ([Expr { kind: ExprKind::Call { func, args, .. }, .. }], []) =
        (tensor.over.as_slice(), tensor.under.as_slice())
        && func.name == "diag"
        && tensor.labels.len() == 1
        && tensor.chain.is_empty()
    {
        return Expr::call("trace", args.clone());
    }
    reduction("sum", tensor.expr(), axes, tensor.labels.len(), keep)
}

/// Replaces one connected run of tensors by its matrix product.
fn multiply_chain(tensors: &mut Vec<Tensor>, out: &[u32], open: &[u32]) -> Option<()> {
    let start = (0..tensors.len()).find(|&at| links(&tensors[at], tensors, open) == 1);
    let Some(start) = start else { return multiply_cycle(tensors, open) };
    let path = walk(tensors, start, open)?;
    let operands: Vec<&Tensor> = path.each(|&at| &tensors[at]);
    let backward: Vec<&Tensor> = operands.iter().rev().copied().collect();
    let candidates = [fold(&operands, open), fold(&backward, open)];
    let best = candidates.into_iter().flatten().min_by_key(|candidate| {
        let places: Vec<usize> = candidate
            .labels
            .iter()
            .filter_map(|label| out.iter().position(|own| own == label))
            .collect();
        let ordered = places.windows(2).all(|pair| pair[0] < pair[1]);
        (!ordered, candidate.order)
    });
    let mut product = best?;
    product.order = operands.iter().map(|operand| operand.order).min()?;
    replace(tensors, &path, product);
    Some(())
}

/// `trace(A @ B @ C)`
fn multiply_cycle(tensors: &mut Vec<Tensor>, open: &[u32]) -> Option<()> {
    let start = (0..tensors.len())
        .find(|&at| links(&tensors[at], tensors, open) == 2 && tensors[at].labels.len() == 2)?;
    let path = walk(tensors, start, open)?;
    let first = &tensors[path[0]];
    let (mut begin, mut end) = (first.labels[0], first.labels[1]);
    // The walk left through whichever neighbour came first; turn the first operand so that it ends there.
    let turn = !tensors[*path.get(1)?].has(end);
    if turn {
        std::mem::swap(&mut begin, &mut end);
    }
    let mut acc = first.operands(turn);
    for &at in &path[1..] {
        let operand = &tensors[at];
        match operand.labels.as_slice() {
            [a, b] if *a == end => {
                acc.extend(operand.operands(false));
                end = *b;
            }
            [a, b] if *b == end => {
                acc.extend(operand.operands(true));
                end = *a;
            }
            _ => return None,
        }
    }
    (end == begin).then_some(())?;
    let mut trace = Tensor::new(path.iter().map(|&at| tensors[at].order).min()?);
    trace.over = vec![Expr::call("trace", vec![chained(acc)])];
    replace(tensors, &path, trace);
    Some(())
}

fn replace(tensors: &mut Vec<Tensor>, path: &[usize], product: Tensor) {
    let mut position = 0;
    tensors.retain(|_| {
        position += 1;
        !path.contains(&(position - 1))
    });
    tensors.push(product);
}

/// With how many others a tensor shares a summed label.
fn links(tensor: &Tensor, all: &[Tensor], open: &[u32]) -> usize {
    let linked = |other: &&Tensor| other.order != tensor.order && shares(tensor, other, open);
    all.iter().filter(linked).count()
}

fn shares(a: &Tensor, b: &Tensor, open: &[u32]) -> bool {
    a.labels.iter().any(|label| open.contains(label) && b.has(*label))
}

/// From one end of a path of tensors to the other (or once round a cycle).
fn walk(tensors: &[Tensor], start: usize, open: &[u32]) -> Option<Vec<usize>> {
    let mut path = vec![start];
    loop {
        let here = *path.last()?;
        let next = (0..tensors.len())
            .find(|at| !path.contains(at) && shares(&tensors[here], &tensors[*at], open));
        match next {
            Some(at) => path.push(at),
            None => return (path.len() > 1).then_some(path),
        }
    }
}

/// The product of a path from left to right, if `@` can do it. Its `order` counts against it: display order first, then
/// transpositions.
fn fold(operands: &[&Tensor], open: &[u32]) -> Option<Tensor> {
    let (first, rest) = operands.split_first()?;
    if let [second] = rest
        && first.labels == second.labels
        && first.labels.len() == 1
    {
        let mut dot = Tensor::new(first.order);
        dot.over = vec![Expr::call("dot", vec![first.expr(), second.expr()])];
        return Some(dot);
    }
    let mut turned = 0;
    let mut labels = first.labels.clone();
    let mut chain = first.operands(false);
    for (at, operand) in rest.iter().enumerate() {
        let link = *labels.iter().find(|label| open.contains(label) && operand.has(**label))?;
        if labels.last() != Some(&link) {
            let last = labels.len() - 1;
            (at == 0 && last > 0 && labels[last - 1] == link).then_some(())?;
            labels.swap(last - 1, last);
            chain = first.operands(true);
            turned += usize::from(!first.symmetric);
        }
        let (own, turn) = facing(&operand.labels, link)?;
        turned += usize::from(turn && !operand.symmetric);
        labels = product_labels(&labels, &own, link)?;
        match operand.labels.len() {
            // `A @ (v @ B)` is not `A @ v @ B`.
            1 => chain.push(operand.operand()),
            _ => chain.extend(operand.operands(turn)),
        }
    }
    let backwards = usize::from(first.order > rest.last()?.order);
    // A vector stands on the right, as a column: `X.T @ r` rather than `r @ X`, and `A @ x` rather than `x @ A.T`.
    let either = rest.iter().all(|operand| operand.symmetric);
    let written = first.row && turned == 0 && !either;
    let row = usize::from(first.labels.len() == 1 && !written && rest.last()?.labels.len() > 1);
    let mut product = Tensor::new(2 * turned.min(1000) + 4000 * backwards + 10_000 * row);
    product.labels = labels;
    product.over = vec![Term { chain: chain.clone(), ..Term::one() }.expr()];
    // With further axes a transpose of the product is not the product of the transposes.
    if operands.iter().all(|operand| operand.labels.len() <= 2) {
        product.chain = chain;
    }
    Some(product)
}

/// The right operand's labels with `link` where `@` contracts, and whether it must be transposed for that.
fn facing(labels: &[u32], link: u32) -> Option<(Vec<u32>, bool)> {
    let rank = labels.len();
    let contracted = rank.saturating_sub(2);
    if labels.get(contracted) == Some(&link) {
        return Some((labels.to_vec(), false));
    }
    (labels.last() == Some(&link)).then_some(())?;
    let mut turned = labels.to_vec();
    turned.swap(rank - 2, rank - 1);
    Some((turned, true))
}

/// The labels of `left @ right`; `None` where NumPy would pair other axes.
fn product_labels(left: &[u32], right: &[u32], link: u32) -> Option<Vec<u32>> {
    let shared: Vec<u32> =
        left.iter().copied().filter(|label| right.contains(label) && *label != link).collect();
    let (rows, columns) = (&left[..left.len() - 1], right.last().filter(|label| **label != link));
    if right.len() <= 2 {
        return shared.is_empty().then(|| rows.iter().chain(columns).copied().collect());
    }
    let batch = &right[..right.len() - 2];
    let fits = if left.len() <= 2 {
        shared.is_empty()
    } else {
        shared == batch && left[..left.len() - 2] == *batch
    };
    let row = if left.len() >= 2 { left.get(left.len() - 2) } else { None };
    fits.then(|| batch.iter().chain(row).chain(columns).copied().collect())
}
