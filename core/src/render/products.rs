//! Products and quotients: which sign stands between two factors, and what becomes a fraction.

use super::layout::{Layout, Level, Piece, minus};
use super::math::{Math, Symbol};
use crate::few::Each;
use crate::ops::{self, Kind, Rank};
use chainrule_grammar::ast::{Expr, ExprKind, IndexItem, MulOp};

/// What has been multiplied so far.
struct Run {
    factors: Vec<Factor>,
}

struct Factor {
    piece: Piece,
    rank: usize,
    /// How it is joined to what stands before it.
    op: MulOp,
    number: bool,
    word: bool,
}

/// `first * … / … @ …`
pub(super) fn product(layout: &Layout<'_>, first: &Expr, rest: &[(MulOp, Expr)]) -> Piece {
    let (negative, first) = unsigned(first);
    let mut run = Run { factors: vec![factor(layout, first, MulOp::Mul)] };
    let mut at = 0;
    while at < rest.len() {
        let (op, expr) = &rest[at];
        if matches!(op, MulOp::Div | MulOp::DotDiv) {
            let end =
                rest[at..].iter().position(|(op, _)| !matches!(op, MulOp::Div | MulOp::DotDiv));
            let end = end.map_or(rest.len(), |count| at + count);
            let divisors = rest[at..end].each(|(_, divisor)| divisor);
            run = divide(layout, run, &divisors);
            at = end;
        } else {
            run.factors.push(factor(layout, expr, *op));
            at += 1;
        }
    }
    let piece = join(run.factors);
    if negative {
        let level = if piece.level == Level::Big { Level::Big } else { Level::Sum };
        return Piece::new(Math::Row(vec![minus(), piece.math]), level.min(Level::Sum));
    }
    piece
}

/// A leading sign taken out of a product.
fn unsigned(first: &Expr) -> (bool, &Expr) {
    match &first.kind {
        ExprKind::Neg(inner) => (true, inner),
        _ => (false, first),
    }
}

fn factor(layout: &Layout<'_>, expr: &Expr, op: MulOp) -> Factor {
    let name = match &expr.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Transpose(inner) => match &inner.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        },
        _ => None,
    };
    let word =
        name.is_some_and(|name| name.split(['_', '.']).any(|piece| piece.chars().count() > 2));
    Factor {
        piece: layout.piece(expr),
        rank: rank(layout, expr),
        op,
        number: matches!(expr.kind, ExprKind::Num(_)),
        word,
    }
}

fn divide(layout: &Layout<'_>, run: Run, divisors: &[&Expr]) -> Run {
    let scalar = divisors.iter().all(|divisor| rank(layout, divisor) == 0);
    let over_rank = run.factors.iter().map(|factor| factor.rank).max().unwrap_or(0);
    let under: Vec<Factor> = divisors.each(|divisor| factor(layout, divisor, MulOp::Mul));
    let under_rank = under.iter().map(|factor| factor.rank).max().unwrap_or(0);
    let rank = over_rank.max(under_rank);
    let under = join(under);
    let whole = |math: Math, level: Level| Factor {
        piece: Piece::new(math, level),
        rank,
        op: MulOp::Mul,
        number: false,
        word: false,
    };
    if !scalar && over_rank > 0 {
        let long = run.factors.iter().any(|factor| factor.op == MulOp::MatMul);
        let over = join(run.factors).at_least(if long { Level::Power } else { Level::Product });
        let row = vec![over, Math::Symbol(Symbol::Oslash), under.at_least(Level::Power)];
        return Run { factors: vec![whole(Math::Row(row), Level::Product)] };
    }
    let long = run
        .factors
        .iter()
        .any(|factor| factor.piece.level == Level::Big || factor.op == MulOp::MatMul);
    if long {
        // A number in front stays in front: of a whole one the fraction is made, a fraction comes first.
        let mut factors = run.factors;
        let lead = if factors.first().is_some_and(|factor| factor.number) {
            Some(factors.remove(0))
        } else {
            None
        };
        let over = lead.map_or_else(|| Math::Num("1".to_string()), |factor| factor.piece.math);
        let mut front = whole(Math::frac(over, under.math), Level::Power);
        front.rank = 0;
        let first =
            matches!(factors.first().map(|factor| &factor.piece.math), Some(Math::Frac(..)));
        factors.insert(usize::from(first), front);
        return Run { factors };
    }
    let over = join(run.factors).math;
    Run { factors: vec![whole(Math::frac(over, under.math), Level::Power)] }
}

fn join(factors: Vec<Factor>) -> Piece {
    let last = factors.len().saturating_sub(1);
    if last == 0 {
        return factors
            .into_iter()
            .next()
            .map_or(Piece::new(Math::Row(Vec::new()), Level::Atom), |factor| factor.piece);
    }
    let mut row = Vec::new();
    let mut level = Level::Product;
    let mut scalars = true;
    let mut before: Option<(usize, bool, bool)> = None;
    let matmul = factors.iter().any(|factor| factor.op == MulOp::MatMul);
    for (at, factor) in factors.into_iter().enumerate() {
        if let Some((rank, number, word)) = before {
            let elementwise = rank > 0 && factor.rank > 0 && factor.op != MulOp::MatMul;
            if elementwise && matmul {
                // A matrix product on the left of an elementwise one is a factor as a whole.
                row = vec![Math::fenced(Math::Row(std::mem::take(&mut row)))];
            }
            row.extend(between(elementwise, &factor, number, word));
        }
        before =
            Some((factor.rank.max(before.map_or(0, |known| known.0)), factor.number, factor.word));
        let big_last = at == last && factor.piece.level == Level::Big;
        if big_last {
            level = Level::Big;
        }
        // A product inside of a product keeps its brackets only where the signs differ: not behind a number.
        let scaled = at == last && at > 0 && scalars && !begins_with_a_number(&factor.piece.math);
        scalars &= factor.rank == 0;
        let needed = match () {
            () if big_last => Level::Big,
            () if scaled => Level::Product,
            () => Level::Power,
        };
        row.push(factor.piece.at_least(needed));
    }
    Piece::new(Math::Row(row), level)
}

fn begins_with_a_number(math: &Math) -> bool {
    match math {
        Math::Num(_) => true,
        Math::Row(items) => items.first().is_some_and(begins_with_a_number),
        _ => false,
    }
}

fn between(elementwise: bool, factor: &Factor, number: bool, word: bool) -> Option<Math> {
    if elementwise {
        return Some(Math::Symbol(Symbol::Odot));
    }
    if factor.number {
        return Some(Math::Symbol(Symbol::Cdot));
    }
    let plain = number || (factor.op == MulOp::MatMul && !word && !factor.word);
    Some(if plain { Math::Text(String::new()) } else { Math::Thin })
        .filter(|math| *math == Math::Thin)
}

/// How many axes an expression has, as far as its names tell.
pub(super) fn rank(layout: &Layout<'_>, expr: &Expr) -> usize {
    let of = |expr: &Expr| rank(layout, expr);
    match &expr.kind {
        ExprKind::Num(_) | ExprKind::Str(_) => 0,
        ExprKind::Name(name) => {
            let unknown =
                if layout.is_index_notation() || matches!(name.as_str(), "pi" | "e" | "inf") {
                    0
                } else {
                    1
                };
            (layout.ctx.rank)(name).unwrap_or(unknown)
        }
        ExprKind::List(_) => 1,
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) => of(inner),
        ExprKind::Sum(first, rest) => {
            rest.iter().map(|(_, term)| of(term)).fold(of(first), usize::max)
        }
        ExprKind::Product(first, rest) => {
            rest.iter().fold(of(first), |sum, (op, factor)| match op {
                MulOp::MatMul => (sum + of(factor)).saturating_sub(2),
                _ => sum.max(of(factor)),
            })
        }
        ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
            of(a).max(of(b))
        }
        ExprKind::Pipe(first, _) => of(first),
        ExprKind::Index(base, items) => {
            let taken = items.iter().filter(|item| matches!(item, IndexItem::At(_))).count();
            let added = items.iter().filter(|item| matches!(item, IndexItem::NewAxis)).count();
            let is_delta = matches!(&base.kind, ExprKind::Name(name) if name == "delta");
            // In index notation every axis has its letter.
            let is_entry = layout.is_index_notation() && taken == items.len();
            if is_delta || is_entry { 0 } else { (of(base) + added).saturating_sub(taken) }
        }
        ExprKind::Call { func, bound, args, kwargs } => {
            let keyword = |key: &str| kwargs.iter().find(|(name, _)| name.name == key);
            let widest = args.iter().map(of).max().unwrap_or(0);
            if !bound.is_empty() {
                return if func.name == "tensor" { bound.len() } else { 0 };
            }
            let Some((_, row)) = ops::lookup(&func.name, args.len()) else { return widest };
            match row.rank {
                Rank::Zero => 0,
                Rank::Two => 2,
                Rank::Sizes => args.len(),
                Rank::All => args.iter().map(of).sum(),
                Rank::Diagonal if widest == 2 => 1,
                Rank::Diagonal => 2,
                Rank::Widest => {
                    let axis = keyword("axis").map(|(_, axis)| axis);
                    reduced(row.kind, widest, axis, keyword("keepdims").is_some())
                }
            }
        }
    }
}

fn reduced(kind: Kind, rank: usize, axis: Option<&Expr>, keeps: bool) -> usize {
    match kind {
        Kind::Loss { .. } => 0,
        Kind::Reduce if !keeps => match axis.map(|axis| &axis.kind) {
            None => 0,
            Some(ExprKind::List(axes)) => rank.saturating_sub(axes.len()),
            Some(_) => rank.saturating_sub(1),
        },
        _ => rank,
    }
}
