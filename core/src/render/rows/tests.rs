//! The work of breaking lines grows with a formula: counted in the pieces that are measured, not in time.

use super::super::boxes::{Pen, columns};
use super::super::math::{Line, Math, Symbol};
use super::{Measure, Row, Set, em, set};
use crate::render::prose::Prose;
use std::cell::Cell;

fn letter() -> Math {
    Math::Ident("x".to_string())
}

/// `x + x + …`
fn sum(count: usize) -> Math {
    let term =
        |at: usize| [Math::Symbol(Symbol::Plus), letter()].into_iter().skip(usize::from(at == 0));
    Math::Row((0..count).flat_map(term).collect())
}

/// `x x x …`
fn product(count: usize) -> Math {
    let factor = |at: usize| [Math::Thin, letter()].into_iter().skip(usize::from(at == 0));
    Math::Row((0..count).flat_map(factor).collect())
}

/// `(((x) ⊙ x) ⊙ x) …`
fn nested(depth: usize) -> Math {
    (0..depth).fold(letter(), |inner, _| {
        Math::Row(vec![Math::fenced(inner), Math::Symbol(Symbol::Odot), letter()])
    })
}

/// `f(f(f(…)))`, which cannot be broken.
fn calls(depth: usize) -> Math {
    let call = |inner| Math::Row(vec![Math::Func("sin".to_string()), Math::fenced(inner)]);
    (0..depth).fold(letter(), |inner, _| call(inner))
}

fn rows(right: Math) -> [Row; 1] {
    [Row { line: Line { left: None, right }, why: Prose::default() }]
}

/// How many pieces are measured when a formula is set, again and again where it is.
fn measured(right: Math) -> usize {
    let count = Cell::new(0);
    let width = |math: &Math| {
        math.any(&|_| {
            count.set(count.get() + 1);
            false
        });
        em(math)
    };
    let measure = Measure { math: &width, inline: &width, ..Measure::page(40.0) };
    assert!(!set(&rows(right), &measure).is_empty());
    count.get()
}

#[test]
fn the_work_of_breaking_a_line_grows_with_it() {
    for (what, formula) in [
        ("sum", sum as fn(usize) -> Math),
        ("product", product),
        ("brackets", nested),
        ("calls", calls),
    ] {
        let (once, twice) = (measured(formula(200)), measured(formula(400)));
        assert!(twice * 10 <= once * 22, "{what}: {once}, then {twice}");
    }
}

/// What is measured piece by piece is as wide as the whole, in every way of measuring.
#[test]
fn rows_are_as_wide_as_their_pieces() {
    let pen = Pen { ascii: false, columns };
    let drawn = |math: &Math| pen.draw(math).width as f64;
    let words = |text: &str| columns(text) as f64;
    let terminal = Measure {
        width: 60.0,
        math: &drawn,
        least: 1.0,
        script: 1.0,
        inline: &drawn,
        words: &words,
        columns: false,
        wraps: true,
    };
    let sine = Math::Func("sin".to_string());
    let pieces = [
        vec![letter(), Math::Symbol(Symbol::Minus), letter()],
        vec![Math::Symbol(Symbol::Minus), letter()],
        vec![sine.clone(), letter(), Math::Thin, sine, Math::fenced(letter())],
        vec![Math::frac(letter(), letter()), Math::subscript(letter(), letter())],
    ];
    for measure in [terminal, Measure::page(40.0)] {
        for before in &pieces {
            for more in &pieces {
                let mut row = before.clone();
                let alone = measure.row(&mut row, f64::INFINITY);
                let behind = measure.behind(&row[row.len() - 1], &mut more.clone(), f64::INFINITY);
                let mut whole = [before.as_slice(), more].concat();
                let whole = measure.row(&mut whole, f64::INFINITY);
                assert!((alone + behind - whole).abs() < 1e-9, "{before:?} {more:?}");
            }
        }
    }
}

#[test]
fn pieces_fit_the_page() {
    let measure = Measure::page(40.0);
    for formula in [sum(300), product(300)] {
        for row in set(&rows(formula), &measure) {
            let (Set::Equation(_, piece, _) | Set::More(piece, _)) = row else { continue };
            assert!(em(&piece) <= 40.0, "{}", em(&piece));
        }
    }
}
