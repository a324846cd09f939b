//! Derivatives by the definitions of random programs: the interpreter moves a definition where it stands, and nothing else.

use super::make::{Expr, Maker};
use super::write::Spelling;
use super::{At, EXACT, Outcome, STEEP, STEP, compiled, dot, dual, far, number, read_back};
use chainrule_core::Compiled;
use chainrule_core::check::check;
use chainrule_core::ir::Op;
use chainrule_core::ops::{self, probe::Random};
use chainrule_grammar::ast::RequestKind;
use dual::{Dual, Stands};

#[test]
fn random_definitions() {
    let count = number("CHAINRULE_RANDOM_PROGRAMS", 200) / 2;
    let first = number("CHAINRULE_RANDOM_SEED", 1);
    let (mut held, mut failures) = (0, Vec::new());
    for seed in first..first + count.max(1) {
        match program(seed) {
            Outcome::Holds => held += 1,
            Outcome::Wild => {}
            Outcome::Near(why) | Outcome::Fails(why) => {
                eprintln!("seed {seed}: {why}\n");
                failures.push(seed);
            }
        }
    }
    println!("definitions of {held} random programs hold, of {} they fail", failures.len());
    assert!(failures.is_empty(), "these seeds fail: {failures:?}");
    assert!(count < 50 || held * 4 > count, "many programs can be compared");
}

/// The ties of a definition have no slope that the interpreter could know.
#[test]
fn definitions_on_a_kink_are_not_compared() {
    let row = |name: &str| ops::spec(ops::known(name, 1));
    let twice = || Expr::Concat(Box::new(Expr::Param(0)), Box::new(Expr::Param(0)), 0);
    let first = Expr::At(Box::new(Expr::Along(row("sort"), Box::new(Expr::Def(0)), 0)), 0, 0);
    for loss in [Expr::Reduce(row("max"), Box::new(Expr::Def(0)), None, false), first] {
        let mut maker = Maker::default();
        maker.params = vec![vec![2]];
        maker.defs = vec![(vec![4], twice()), (Vec::new(), loss)];
        assert!(matches!(compared(&maker, 7), Outcome::Wild));
    }
}

fn program(seed: u64) -> Outcome {
    let maker = Maker::program(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    if maker.defs.len() < 2 {
        return Outcome::Wild;
    }
    compared(&maker, seed)
}

fn compared(maker: &Maker, seed: u64) -> Outcome {
    let names: Vec<String> = (0..maker.defs.len() - 1).map(|at| format!("d{at}")).collect();
    let text = format!("{}grad L wrt {};\n", maker.text(Spelling::Matrix), names.join(", "));
    let mut random = Random(seed ^ 0xdef);
    let said = |outcome: Outcome| match outcome {
        Outcome::Near(why) | Outcome::Fails(why) => Outcome::Fails(format!("{why}\n{text}")),
        other => other,
    };
    match compiled(&text) {
        // A divisor that is 0 wherever the definition is what it is.
        Err(why) if why.contains("E0404") => Outcome::Wild,
        Err(why) => Outcome::Fails(why),
        Ok(one) => match judged(maker, &one, &mut random).unwrap_or_else(Outcome::Fails) {
            Outcome::Holds if seed.is_multiple_of(8) => read_back(&one, &mut random, &text),
            outcome => said(outcome),
        },
    }
}

fn judged(maker: &Maker, one: &Compiled, random: &mut Random) -> Result<Outcome, String> {
    let mut draw =
        |count: usize| (0..count).map(|_| random.within((-1.5, 1.5))).collect::<Vec<f64>>();
    let params: Vec<Dual> = maker
        .params
        .iter()
        .map(|shape| {
            let count = shape.iter().product();
            Dual { shape: shape.clone(), value: draw(count), slope: vec![0.0; count] }
        })
        .collect();
    let gradients = At::new(one, &params).derivatives(RequestKind::Grad)?;
    for ((moved, gradient), derivative) in gradients.into_iter().zip(&one.derivatives) {
        // A definition that is a parameter under another name is that parameter.
        if matches!(one.graph.op(derivative.wrt.node), Op::Var(_)) {
            continue;
        }
        let direction = draw(gradient.len());
        let (defs, stands) = dual::run_moving(maker, &params, STEP, &mut |at, def| {
            if at == moved {
                def.slope.clone_from(&direction);
            }
        });
        let steep = |all: &[f64]| all.iter().any(|v| !v.is_finite() || v.abs() > STEEP);
        if stands != Stands::Smooth
            || steep(&gradient)
            || defs.iter().any(|d| steep(&d.value) || steep(&d.slope))
        {
            return Ok(Outcome::Wild);
        }
        let slope: f64 = defs.last().map_or(0.0, |last| last.slope.iter().sum());
        let found = dot(&gradient, &direction);
        if far(found, slope, 100.0 * EXACT) {
            // Where an expression that is equal to the definition stands elsewhere, that is the definition too, which the
            // interpreter does not see.
            if check(one, 1, 2, 1e-6).holds() {
                return Ok(Outcome::Wild);
            }
            return Ok(Outcome::Fails(format!("by d{moved}: the slope is {slope}, not {found}")));
        }
    }
    Ok(Outcome::Holds)
}
