//! `einsum("ij,jk->ik", A, B)`: products with named axes, as NumPy reads the subscripts. Each letter is a label; `...` stands
//! for all axes that have no letter, which broadcast from the right.

use super::super::call::{Arg, CallArgs};
use super::super::shape::Operand;
use super::super::{Label, Lowerer, Val};
use super::{Result, wrong};
use crate::few::{self, Each};
use crate::ir::{Dim, Shape};
use chainrule_grammar::ast::{Expr, ExprKind};
use chainrule_grammar::{Code, Diagnostic};

/// Subscripts that do not fit the operands.
fn misread(call: &CallArgs<'_>, message: String) -> Diagnostic {
    wrong(call, message).help(
        "`einsum(\"ij,jk->ik\", A, B)`: a group of letters for each operand, a letter for each axis, and in the result letters of the operands, each once",
    )
}

/// What the subscripts say of one operand, or of the result: the letters before `...` and those behind it.
struct Term {
    before: Vec<char>,
    open: bool,
    after: Vec<char>,
}

/// The labels of the letters, in order of appearance, and of the axes that have none.
#[derive(Default)]
struct Letters {
    known: Vec<(char, Label, Dim)>,
    open: Vec<Label>,
}

/// `einsum("ij,jk->ik", A, B)`
pub fn einsum(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let Some(Arg::Written(Expr { kind: ExprKind::Str(spec), .. })) = call.args.first() else {
        return Err(wrong(
            call,
            "`einsum` wants its subscripts first: `einsum(\"ij,jk->ik\", A, B)`",
        ));
    };
    let spec: String = spec.chars().filter(|c| !c.is_whitespace()).collect();
    let (inputs, output) = match spec.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output)),
        None => (spec.as_str(), None),
    };
    let terms: Vec<Term> = inputs.split(',').map(|text| term(text, call)).collect::<Result<_>>()?;
    let operands: Vec<Operand> =
        call.args[1..].iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
    if terms.len() != operands.len() {
        return Err(misread(
            call,
            format!(
                "the subscripts name {} operands, but there are {}",
                terms.len(),
                operands.len()
            ),
        ));
    }
    let open = open_axes(lowerer, &terms, &operands, call)?;
    let mut letters = Letters { open: lowerer.axes(&open).0, ..Letters::default() };
    let mut factors = Vec::new();
    for (term, operand) in terms.iter().zip(&operands) {
        factors.push((operand.val.node, read(lowerer, term, operand, &open, &mut letters, call)?));
    }
    let result = match output {
        Some(output) => term(output, call)?,
        None => implied(&terms),
    };
    let labels = lowerer.union_labels(operands.iter().map(|operand| &operand.val));
    let mut out: Vec<u32> = labels.each(|label| label.0);
    for letter in &result.before {
        out.push(letters.of_result(*letter, &out, call)?);
    }
    if result.open {
        out.extend(letters.open.iter().map(|label| label.0));
    }
    for letter in &result.after {
        out.push(letters.of_result(*letter, &out, call)?);
    }
    Ok(Val { node: lowerer.graph.einsum(&factors, &out, &[]), labels })
}

fn term(text: &str, call: &CallArgs<'_>) -> Result<Term> {
    let (before, open, after) = match text.split_once("...") {
        Some((before, after)) => (before, true, after),
        None => (text, false, ""),
    };
    if let Some(strange) = before.chars().chain(after.chars()).find(|c| !c.is_alphabetic()) {
        return Err(misread(call, format!("`{strange}` in the subscripts is not a letter")));
    }
    Ok(Term { before: before.chars().collect(), open, after: after.chars().collect() })
}

/// Without `->`: the axes that have no letter, then the letters that stand once, in the order of the alphabet.
fn implied(terms: &[Term]) -> Term {
    let all = || terms.iter().flat_map(|term| term.before.iter().chain(&term.after));
    let mut once: Vec<char> = all()
        .copied()
        .filter(|letter| all().filter(|other| *other == letter).count() == 1)
        .collect();
    few::sort(&mut once);
    Term { before: Vec::new(), open: terms.iter().any(|term| term.open), after: once }
}

/// The common shape of the axes that have no letter.
fn open_axes(
    lowerer: &Lowerer<'_>,
    terms: &[Term],
    operands: &[Operand],
    call: &CallArgs<'_>,
) -> Result<Shape> {
    let mut open: Shape = Vec::new();
    for (term, operand) in terms.iter().zip(operands) {
        let shape = lowerer.positional(&operand.val);
        let named = term.before.len() + term.after.len();
        if named > shape.len() || (!term.open && named < shape.len()) {
            return Err(misread(
                call,
                format!("the subscripts name {named} axes, but this operand has {}", shape.len()),
            )
            .label(operand.span, lowerer.show(&operand.val)));
        }
        let own = &shape[term.before.len()..shape.len() - term.after.len()];
        let common = lowerer.batch_shape(&open, own);
        open = common.ok_or_else(|| {
            Diagnostic::new(Code::ShapeMismatch, call.span, "the axes under `...` do not broadcast")
                .label(operand.span, lowerer.show(&operand.val))
        })?;
    }
    Ok(open)
}

/// The labels that an operand is read at.
fn read(
    lowerer: &mut Lowerer<'_>,
    term: &Term,
    operand: &Operand,
    open: &[Dim],
    letters: &mut Letters,
    call: &CallArgs<'_>,
) -> Result<Vec<u32>> {
    let shape = lowerer.positional(&operand.val).to_vec();
    let end = shape.len() - term.after.len();
    let mut reading: Vec<u32> = operand.val.labels.each(|label| label.0);
    for (letter, dim) in term.before.iter().zip(&shape) {
        reading.push(letters.of_operand(lowerer, *letter, dim, operand, call)?);
    }
    reading.extend(lowerer.batch_reading(&shape[term.before.len()..end], open, &letters.open));
    for (letter, dim) in term.after.iter().zip(&shape[end..]) {
        reading.push(letters.of_operand(lowerer, *letter, dim, operand, call)?);
    }
    Ok(reading)
}

impl Letters {
    fn of_operand(
        &mut self,
        lowerer: &mut Lowerer<'_>,
        letter: char,
        dim: &Dim,
        operand: &Operand,
        call: &CallArgs<'_>,
    ) -> Result<u32> {
        let Some((_, label, size)) = self.known.iter().find(|(known, ..)| *known == letter) else {
            let label = lowerer.fresh();
            self.known.push((letter, label, dim.clone()));
            return Ok(label.0);
        };
        if size == dim {
            return Ok(label.0);
        }
        let message = format!("`{letter}` stands on axes of different sizes");
        Err(Diagnostic::new(Code::IndexRange, call.span, message)
            .label(operand.span, lowerer.show(&operand.val)))
    }

    fn of_result(&self, letter: char, out: &[u32], call: &CallArgs<'_>) -> Result<u32> {
        match self.known.iter().find(|(known, ..)| *known == letter) {
            Some((_, label, _)) if !out.contains(&label.0) => Ok(label.0),
            _ => Err(misread(
                call,
                format!("`{letter}` of the result stands on no operand, or twice"),
            )),
        }
    }
}
