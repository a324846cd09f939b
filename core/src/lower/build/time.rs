//! Time: a state carried along the first axis of sequences.

use super::super::call::{Arg, CallArgs};
use super::super::shape::Operand;
use super::super::{Lowerer, Val};
use super::{Result, wrong};
use crate::few::Each;
use crate::ir::{Dim, NodeId};
use chainrule_grammar::ast::{Expr, ExprKind};
use chainrule_grammar::{Code, Diagnostic};

/// `scan(step, init, xs)`: carries a state along the first axis of the sequences; the states after each step, stacked.
pub fn scan(lowerer: &mut Lowerer<'_>, call: &CallArgs<'_>) -> Result<Val> {
    let [Arg::Written(Expr { kind: ExprKind::Name(step), span }), init, rest @ ..] =
        call.args.as_slice()
    else {
        return Err(wrong(call, "`scan(step, init, xs)` wants the name of a function first"));
    };
    if rest.is_empty() {
        return Err(wrong(call, "`scan(step, init, xs)` wants at least one sequence"));
    }
    let init = lowerer.arg(init)?;
    let sequences: Vec<Operand> = rest.iter().map(|arg| lowerer.arg(arg)).collect::<Result<_>>()?;
    if let Some(open) =
        std::iter::once(&init).chain(&sequences).find(|operand| !operand.val.labels.is_empty())
    {
        return Err(Diagnostic::new(
            Code::Unsupported,
            open.span,
            "a scan cannot run over open indices",
        ));
    }
    let mut steps: Option<Dim> = None;
    for sequence in &sequences {
        let shape = lowerer.show(&sequence.val);
        match (lowerer.positional(&sequence.val).first(), &steps) {
            (Some(dim), None) => steps = Some(dim.clone()),
            (Some(dim), Some(known)) if dim == known => {}
            _ => {
                return Err(Diagnostic::new(
                    Code::ShapeMismatch,
                    sequence.span,
                    "the sequences of a scan share their first axis",
                )
                .here(shape));
            }
        }
    }
    let state_shape = lowerer.positional(&init.val).to_vec();
    let names = lowerer.function_params(step, sequences.len() + 1, *span)?;
    let state = lowerer.graph.stand_in(&names[0], state_shape.clone());
    let mut entries = Vec::new();
    for (sequence, name) in sequences.iter().zip(&names[1..]) {
        let shape = lowerer.positional(&sequence.val)[1..].to_vec();
        let entry = lowerer.graph.stand_in(name, shape);
        if lowerer.is_whole(sequence.val.node) {
            lowerer.whole_entries.insert(entry);
        }
        entries.push(entry);
    }
    let operands: Vec<Operand> = std::iter::once(state)
        .chain(entries.iter().copied())
        .map(|node| Operand { val: Val { node, labels: Vec::new() }, span: call.span })
        .collect();
    let result = lowerer.apply_function(step, operands, call.span)?;
    if lowerer.positional(&result) != state_shape.as_slice() || !result.labels.is_empty() {
        return Err(Diagnostic::new(
            Code::ShapeMismatch,
            call.span,
            format!(
                "`{step}` gives {}, but the state is {}",
                lowerer.show(&result),
                lowerer.graph.show_shape(&state_shape)
            ),
        )
        .label(init.span, lowerer.graph.show_shape(&state_shape))
        .help("a step gives the next state, of the shape of the first one"));
    }
    let sequences: Vec<NodeId> = sequences.each(|sequence| sequence.val.node);
    let node = close(lowerer.graph, step, state, entries, result.node, init.val.node, &sequences);
    Ok(Val { node, labels: Vec::new() })
}

/// The scan of a step whose outside parts are passed in as captures.
fn close(
    graph: &mut crate::ir::Graph,
    name: &str,
    state: NodeId,
    entries: Vec<NodeId>,
    result: NodeId,
    init: NodeId,
    sequences: &[NodeId],
) -> NodeId {
    let inside: Vec<NodeId> = std::iter::once(state).chain(entries.iter().copied()).collect();
    let (outside, captures, result) = crate::diff::scan::capture(graph, result, &inside);
    let body = crate::ir::Body {
        name: name.to_string(),
        state,
        entries,
        captures,
        result,
        follows: false,
    };
    graph.scan(body, init, sequences, &outside)
}
