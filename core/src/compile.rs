//! The pipeline, one line a pass: parse, lower, carry out derivatives that the program wrote, stabilise, simplify, differentiate.

use crate::diff;
use crate::few::{self, Each};
use crate::ir::walk::Marks;
use crate::ir::{Graph, NodeId, Op, Var, VarId, VarKind};
use crate::lower::{self, Lowered, Named};
use crate::simplify::{Canonical, Stage, settle, simplify, simplify_beyond, stabilise};
use chainrule_grammar::ast::{Program, RequestKind};
use chainrule_grammar::{Code, Diagnostic, Source, Span};

/// A compiled program.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The syntax tree.
    pub program: Program,
    /// Everything below lives here.
    pub graph: Graph,
    /// Names, results and requests, as written: what derivations are told of.
    pub lowered: Lowered,
    /// Losses in stable spelling: what is evaluated and emitted.
    pub losses: Vec<Named>,
    /// Outputs in stable spelling.
    pub outputs: Vec<Named>,
    /// Every derivative that is asked for.
    pub derivatives: Vec<Derivative>,
    /// The gradients of every loss by every tensor of numbers, where [`Compiled::with_every_gradient`] made them; no derivation tells
    /// of them.
    pub every: Vec<Derivative>,
    /// The gradients that are asked for times a number, `outer`, which engines have from what a loss is a part of; made with `every`.
    pub scaled: Vec<Derivative>,
    /// That number.
    pub outer: Option<VarId>,
    /// Errors and warnings, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// One derivative.
#[derive(Clone, Debug)]
pub struct Derivative {
    /// Which kind.
    pub kind: RequestKind,
    /// Of what (as written).
    pub of: Named,
    /// By what (as written).
    pub wrt: Named,
    /// Its closed form in normal form: a gradient has the variable's shape, a Jacobian the result's axes and then the variable's, a
    /// Hessian the variable's twice, products with a direction the shape of what they give.
    pub node: NodeId,
    /// Of an HVP or JVP: the variables that move, each with its direction. An HVP by several variables moves all of them.
    pub directions: Vec<(NodeId, NodeId)>,
}

impl Compiled {
    /// Whether the program is refused.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The same program with the gradient of every loss by every tensor of numbers, in forms that may be differentiated again: what
    /// an engine needs that differentiates on by itself. A gradient that there is not is not among them.
    pub fn with_every_gradient(&self) -> Compiled {
        let mut all = self.clone();
        if self.has_errors() {
            return all;
        }
        let vars: Vec<(VarId, NodeId)> =
            self.lowered.vars.iter().filter_map(|node| self.number(*node)).collect();
        let by = few::set(vars.iter().map(|(var, _)| *var));
        let wrt: Vec<Named> = vars.each(|(var, node)| {
            let declared = self.graph.var(*var);
            Named { name: declared.name.clone(), node: *node, span: declared.span }
        });
        let mut canonical = Canonical::before_derivatives_by(by);
        let known = self.losses.iter().map(|loss| loss.node);
        let known: Vec<NodeId> = known.chain(self.derivatives.iter().map(|one| one.node)).collect();
        canonical.merge(&mut all.graph, &known);
        for loss in &self.losses {
            all.every.extend(self.gradients(&mut all.graph, &mut canonical, loss, &wrt));
        }
        all.scale_gradients();
        all
    }

    /// The number joins the factors of each gradient, so that plans may multiply by it where arrays are small.
    fn scale_gradients(&mut self) {
        let settled = self.graph.len();
        let outer = self.graph.stand_in("outer", Vec::new());
        self.outer = self.number(outer).map(|(var, _)| var);
        let is_loss = |of: &Named| self.losses.iter().any(|loss| loss.name == of.name);
        let asked = self.derivatives.iter().filter(|one| {
            one.kind == RequestKind::Grad && is_loss(&one.of) && self.number(one.wrt.node).is_some()
        });
        let asked: Vec<Derivative> = asked.cloned().collect();
        let products: Vec<NodeId> = asked.each(|one| {
            let shape = self.graph.shape(one.node).clone();
            let factor = self.graph.fill(outer, &shape);
            self.graph.multiply(&[factor, one.node])
        });
        let known = |node: NodeId| (node.0 as usize) < settled;
        let simple =
            simplify_beyond(&mut self.graph, &products, &few::set(std::iter::empty()), &known)
                .roots;
        let scaled = asked.into_iter().zip(simple);
        self.scaled = scaled.map(|(one, node)| Derivative { node, ..one }).collect();
    }

    /// The gradients that there are: all of them at once, or each half by itself where that does not do.
    fn gradients(
        &self,
        graph: &mut Graph,
        canonical: &mut Canonical,
        of: &Named,
        wrt: &[Named],
    ) -> Vec<Derivative> {
        let kind = RequestKind::Grad;
        if let Ok(made) = carry_out(graph, kind, of.node, wrt, &self.lowered) {
            let settled = settle(graph, &made.each(|(node, _)| *node), Stage::Derivative);
            let nodes = canonical.merge(graph, &settled);
            if unsound(graph, &nodes).is_none() {
                let one = |(wrt, node): (&Named, NodeId)| Derivative {
                    kind,
                    of: of.clone(),
                    wrt: wrt.clone(),
                    node,
                    directions: Vec::new(),
                };
                return wrt.iter().zip(nodes).map(one).collect();
            }
        }
        if wrt.len() < 2 {
            return Vec::new();
        }
        let (some, others) = wrt.split_at(wrt.len() / 2);
        let mut all = self.gradients(graph, canonical, of, some);
        all.extend(self.gradients(graph, canonical, of, others));
        all
    }

    /// A declared tensor of numbers.
    fn number(&self, node: NodeId) -> Option<(VarId, NodeId)> {
        match self.graph.op(node) {
            Op::Var(var) if !self.graph.var(*var).int => Some((*var, node)),
            _ => None,
        }
    }
}

/// Compiles a program. Where there are errors, what could be understood is still there, but no derivative.
pub fn compile(source: &Source) -> Compiled {
    let (program, diagnostics) = chainrule_grammar::parse(source);
    let mut compiled = compile_program(program);
    compiled.diagnostics.extend(diagnostics);
    let place = |one: &Diagnostic| (one.span().start, one.span().end);
    few::sort_by(&mut compiled.diagnostics, &|a, b| place(a).cmp(&place(b)));
    if compiled.has_errors() {
        compiled.derivatives.clear();
    }
    compiled
}

/// Compiles a syntax tree.
pub fn compile_program(mut program: Program) -> Compiled {
    let by_letter = lower::matlab::declare_by_letter(&mut program);
    let mut graph = Graph::default();
    let (lowered, mut diagnostics) = lower::lower(&program, &mut graph);
    diagnostics.extend(by_letter);
    let mut compiled = Compiled { program, graph, lowered, diagnostics, ..Compiled::default() };
    if compiled.has_errors() {
        return compiled;
    }
    let wrt = compiled.lowered.requests.iter().flat_map(|request| &request.wrt);
    let vars = wrt.filter_map(|by| match compiled.graph.op(by.node) {
        Op::Var(var) => Some(*var),
        _ => None,
    });
    let mut canonical = Canonical::before_derivatives_by(few::set(vars));
    let made = results(&mut compiled, &mut canonical)
        .and_then(|()| derivatives(&mut compiled, &mut canonical));
    if let Err(diagnostic) = made {
        compiled.diagnostics.push(diagnostic);
        compiled.derivatives.clear();
    }
    compiled
}

/// Losses and outputs with the program's own derivatives carried out, in stable spelling and normal form.
fn results(compiled: &mut Compiled, canonical: &mut Canonical) -> Result<(), Diagnostic> {
    let graph = &mut compiled.graph;
    for at in 0..graph.bodies.len() {
        let step = graph.bodies[at].result;
        graph.bodies[at].result = settle(graph, &[step], Stage::Value)[0];
    }
    let mut named: Vec<&mut Named> = Vec::new();
    for request in &mut compiled.lowered.requests {
        named.push(&mut request.of);
        named.extend(&mut request.wrt);
    }
    named.extend(compiled.lowered.losses.iter_mut().chain(compiled.lowered.outputs.iter_mut()));
    let roots: Vec<NodeId> = named.each(|one| one.node);
    let stable = |graph: &mut Graph, of: NodeId| stabilise(graph, &[of]).roots[0];
    let expanded = diff::expand_spelt(graph, &roots, &stable)?;
    for (one, node) in named.into_iter().zip(&expanded) {
        one.node = *node;
    }
    let results: Vec<Named> =
        compiled.lowered.losses.iter().chain(&compiled.lowered.outputs).cloned().collect();
    let nodes: Vec<NodeId> = results.each(|result| result.node);
    let stable = settle(graph, &nodes, Stage::Value);
    let stable = canonical.merge(graph, &stable);
    if let Some((at, found)) = unsound(graph, &stable) {
        return Err(refusal(graph, found, &results[at]));
    }
    let mut stable = results.into_iter().zip(stable).map(|(result, node)| Named { node, ..result });
    compiled.losses = stable.by_ref().take(compiled.lowered.losses.len()).collect();
    compiled.outputs = stable.collect();
    Ok(())
}

fn derivatives(compiled: &mut Compiled, canonical: &mut Canonical) -> Result<(), Diagnostic> {
    for request in compiled.lowered.requests.clone() {
        let graph = &mut compiled.graph;
        let of = request.of.node;
        let made = asked(graph, canonical, &request, &compiled.lowered)?;
        let roots: Vec<NodeId> = made.each(|(node, _)| *node);
        let nodes = settle(graph, &roots, Stage::Last);
        let nodes = canonical.merge(graph, &nodes);
        if let Some((_, found)) = unsound(graph, &nodes) {
            return Err(refusal(graph, found, &request.of));
        }
        for ((by, node), (_, directions)) in request.wrt.iter().zip(nodes).zip(made) {
            if let Some(warning) = zero_warning(graph, &request, of, by, node)
                && (request.explicit
                    || !reaches_another(graph, &compiled.lowered.losses, of, by.node))
            {
                compiled.diagnostics.push(warning);
            }
            compiled.derivatives.push(Derivative {
                kind: request.kind,
                of: request.of.clone(),
                wrt: by.clone(),
                node,
                directions,
            });
        }
    }
    Ok(())
}

/// The first number among what the roots are made of that no double holds, or the first division by what is zero by structure, and
/// the root that has it.
fn unsound(graph: &Graph, roots: &[NodeId]) -> Option<(usize, NodeId)> {
    let bad = |node: &NodeId| match graph.op(*node) {
        Op::Const(value) => !value.to_f64().is_finite(),
        Op::Add(coefficients) => coefficients.iter().any(|value| !value.to_f64().is_finite()),
        Op::Pow(exponent) => exponent.is_negative() && graph.is_zero(graph.args(*node)[0]),
        _ => false,
    };
    let found = graph.reachable(roots).into_iter().find(bad)?;
    let at = roots.iter().position(|root| graph.reachable(&[*root]).contains(&found))?;
    Some((at, found))
}

/// Where the program divides by what simplifies to zero.
fn zero_divisor(graph: &mut Graph, of: NodeId) -> Option<Span> {
    let divides = |graph: &Graph, node: &NodeId| {
        matches!(graph.op(*node), Op::Pow(exponent) if exponent.is_negative())
            && graph.spans.contains_key(node)
    };
    let powers = graph.reachable(&[of]).into_iter().filter(|node| divides(graph, node));
    let powers: Vec<NodeId> = powers.collect();
    let divisors = powers.each(|power| graph.args(*power)[0]);
    let simple = settle(graph, &divisors, Stage::Value);
    let at = simple.iter().position(|divisor| graph.is_zero(*divisor))?;
    graph.spans.get(&powers[at]).copied()
}

/// What is said of it.
fn refusal(graph: &mut Graph, found: NodeId, of: &Named) -> Diagnostic {
    if let Op::Pow(_) = graph.op(found) {
        let span = zero_divisor(graph, of.node).or_else(|| graph.spans.get(&found).copied());
        let span = span.unwrap_or(of.span);
        return Diagnostic::new(Code::DivisionByZero, span, "this divisor is always zero")
            .help("its terms cancel whatever the values are");
    }
    let message =
        format!("a number in `{}` or its derivatives is over the range of a double", of.name);
    Diagnostic::new(Code::BadNumber, of.span, message).help("numbers go up to about 1.8e308")
}

/// A derivative, and what moves along which direction.
type Made = (NodeId, Vec<(NodeId, NodeId)>);

/// What a request asks for, one derivative for each variable.
fn asked(
    graph: &mut Graph,
    canonical: &mut Canonical,
    request: &lower::Request,
    lowered: &Lowered,
) -> Result<Vec<Made>, Diagnostic> {
    let (kind, of, wrt) = (request.kind, &request.of, request.wrt.as_slice());
    let declared = |by: &Named| matches!(graph.op(by.node), Op::Var(_));
    if wrt.iter().all(declared) {
        let stable = stable(graph, canonical, of)?;
        return carry_out(graph, kind, stable, wrt, lowered);
    }
    if kind == RequestKind::Hvp {
        check_apart(graph, wrt)?;
        return by_definitions(graph, canonical, request, wrt, lowered);
    }
    // One at a time: a definition may hold another one, and a leaf stands for it in its own derivative only.
    let mut made = Vec::new();
    for by in wrt.chunks(1) {
        made.extend(by_definitions(graph, canonical, request, by, lowered)?);
    }
    Ok(made)
}

/// A result in stable spelling and normal form.
fn stable(graph: &mut Graph, canonical: &mut Canonical, of: &Named) -> Result<NodeId, Diagnostic> {
    let stable = settle(graph, &[of.node], Stage::Value);
    let stable = canonical.merge(graph, &stable)[0];
    match unsound(graph, &[stable]) {
        Some((_, found)) => Err(refusal(graph, found, of)),
        None => Ok(stable),
    }
}

/// Derivatives by what the program defines. A leaf stands for each definition until they are there: the stable spelling of the result
/// may not hold the definition any more (`log(p)` of a softmax p), or only another form of it.
fn by_definitions(
    graph: &mut Graph,
    canonical: &mut Canonical,
    request: &lower::Request,
    wrt: &[Named],
    lowered: &Lowered,
) -> Result<Vec<Made>, Diagnostic> {
    let written: Vec<NodeId> = wrt.iter().map(|by| by.node).collect();
    let (of, defined) = together(graph, request.of.node, &written);
    let mut leaves: Vec<Named> = Vec::new();
    for (by, &node) in wrt.iter().zip(&defined) {
        let declared = matches!(graph.op(node), Op::Var(_));
        let shape = graph.shape(node).clone();
        let name = format!("definition{}", graph.vars.len());
        let node = if declared { node } else { graph.stand_in(&name, shape) };
        leaves.push(Named { node, ..by.clone() });
    }
    let there: Vec<(NodeId, NodeId)> =
        defined.iter().zip(&leaves).map(|(by, leaf)| (*by, leaf.node)).collect();
    let back: Vec<(NodeId, NodeId)> = there.iter().map(|(by, leaf)| (*leaf, *by)).collect();
    let held = Named { node: graph.substitute(of, &there), ..request.of.clone() };
    let stable = stable(graph, canonical, &held)?;
    let mut made = carry_out(graph, request.kind, stable, &leaves, lowered)?;
    for (node, directions) in &mut made {
        *node = graph.substitute(*node, &back);
        for ((by, _), written) in directions.iter_mut().zip(&written) {
            *by = *written;
        }
    }
    Ok(made)
}

/// A result and definitions below it, in normal form where that keeps them: parts of the result that are equal to a definition are
/// the definition then, as derivations have it. What is declared stands as it is written.
pub(crate) fn together(graph: &mut Graph, of: NodeId, wrt: &[NodeId]) -> (NodeId, Vec<NodeId>) {
    if wrt.iter().all(|by| matches!(graph.op(*by), Op::Var(_))) {
        return (of, wrt.to_vec());
    }
    let mut normal = simplify(graph, &[&[of], wrt].concat()).roots;
    let by = normal.split_off(1);
    let kept = |(written, normal_by): (&NodeId, &NodeId)| {
        !graph.reaches(of, *written) || graph.reaches(normal[0], *normal_by)
    };
    if wrt.iter().zip(&by).all(kept) { (normal[0], by) } else { (of, wrt.to_vec()) }
}

/// A product by several quantities moves all of them: none may move with another already.
fn check_apart(graph: &Graph, wrt: &[Named]) -> Result<(), Diagnostic> {
    for by in wrt {
        let below = |other: &&Named| other.node != by.node && graph.reaches(by.node, other.node);
        if let Some(other) = wrt.iter().find(below) {
            let message = format!(
                "`{}` depends on `{}`, and a product with the second derivative moves each of them by itself",
                by.name, other.name
            );
            return Err(Diagnostic::new(Code::Unsupported, by.span, message)
                .help("ask for one at a time, in requests of their own"));
        }
    }
    Ok(())
}

fn carry_out(
    graph: &mut Graph,
    kind: RequestKind,
    of: NodeId,
    wrt: &[Named],
    lowered: &Lowered,
) -> Result<Vec<Made>, Diagnostic> {
    let nodes: Vec<NodeId> = wrt.each(|by| by.node);
    let mut made = Vec::new();
    match kind {
        RequestKind::Grad => {
            for (gradient, &by) in diff::gradient(graph, of, &nodes)?.into_iter().zip(&nodes) {
                let shape = graph.shape(by).clone();
                made.push((gradient.unwrap_or_else(|| graph.zeros(&shape)), Vec::new()));
            }
        }
        RequestKind::Jacobian => {
            for by in nodes {
                made.push((diff::jacobian(graph, of, by)?, Vec::new()));
            }
        }
        RequestKind::Hessian => {
            for by in nodes {
                let shape = graph.shape(by).clone();
                let gradient =
                    diff::gradient(graph, of, &[by])?[0].unwrap_or_else(|| graph.zeros(&shape));
                let settled = settle(graph, &[gradient], Stage::Derivative)[0];
                made.push((diff::jacobian(graph, settled, by)?, Vec::new()));
            }
        }
        RequestKind::Hvp => {
            let mut moves = Vec::new();
            for (by, named) in nodes.into_iter().zip(wrt) {
                moves.push((by, direction(graph, by, named, lowered)));
            }
            for product in diff::hvp(graph, of, &moves)? {
                made.push((product, moves.clone()));
            }
        }
        RequestKind::Jvp => {
            for (by, named) in nodes.into_iter().zip(wrt) {
                let direction = direction(graph, by, named, lowered);
                made.push((diff::jvp(graph, of, by, direction)?, vec![(by, direction)]));
            }
        }
    }
    Ok(made)
}

/// The direction that a product is taken with: a tensor of the variable's shape, called `W_dot` for a variable `W`, or `W_dot_2`
/// where the program has a `W_dot` of its own.
fn direction(graph: &mut Graph, by: NodeId, named: &Named, lowered: &Lowered) -> NodeId {
    let taken = |name: &String| lowered.scope.contains_key(name) || lowered.dims.contains_key(name);
    let numbered = (2..).map(|n| format!("{}_dot_{n}", named.name));
    let mut names = std::iter::once(format!("{}_dot", named.name)).chain(numbered);
    let name = names.find(|name| !taken(name)).unwrap_or_default();
    if let Some(at) =
        graph.vars.iter().position(|var| var.name == name && var.kind == VarKind::Direction)
    {
        return graph.variable(VarId(at as u32));
    }
    let shape = graph.shape(by).clone();
    graph.declare(Var {
        name,
        kind: VarKind::Direction,
        int: false,
        shape,
        facts: Vec::new(),
        doc: Vec::new(),
        span: named.span,
    })
}

/// Whether a parameter is another loss's business: one that it reaches, or that has told of it already.
fn reaches_another(graph: &Graph, losses: &[Named], of: NodeId, by: NodeId) -> bool {
    !graph.reaches(of, by)
        && (losses.first().is_some_and(|first| first.node != of)
            || losses.iter().any(|loss| graph.reaches(loss.node, by)))
}

/// A derivative that is 0 is never silent: it says why.
fn zero_warning(
    graph: &Graph,
    request: &lower::Request,
    of: NodeId,
    by: &Named,
    node: NodeId,
) -> Option<Diagnostic> {
    if !graph.is_zero(node) || !matches!(request.kind, RequestKind::Grad | RequestKind::Jacobian) {
        return None;
    }
    let span = if request.explicit { by.span } else { variable_span(graph, by) };
    if !graph.reaches(of, by.node) {
        return Some(
            Diagnostic::new(
                Code::ZeroByStructure,
                span,
                format!(
                    "`{}` never reaches `{}`: its derivative is zero by structure",
                    by.name, request.of.name
                ),
            )
            .help(format!("use `{}` in `{}`, or declare it as an input", by.name, request.of.name)),
        );
    }
    let message = if every_path_is_flat(graph, of, by.node) {
        let because = functions_between(graph, of, by.node, |row| row.rule.is_flat_in(0));
        format!(
            "every path goes through a function whose derivative is zero almost everywhere{because}"
        )
    } else {
        let because =
            functions_between(graph, of, by.node, |row| row.range == crate::ops::Range::Simplex);
        let why = if because.is_empty() { "" } else { "; what `softmax` gives sums to one" };
        format!("the terms cancel{why}")
    };
    Some(Diagnostic::new(
        Code::ZeroAlmostEverywhere,
        span,
        format!(
            "the derivative of `{}` by `{}` is identically zero: {message}",
            request.of.name, by.name
        ),
    ))
}

fn variable_span(graph: &Graph, by: &Named) -> chainrule_grammar::Span {
    match graph.op(by.node) {
        Op::Var(var) => graph.var(*var).span,
        _ => by.span,
    }
}

/// `: `f`, `g`` of the functions that stand between a result and a variable, empty where there is none.
fn functions_between(
    graph: &Graph,
    of: NodeId,
    by: NodeId,
    wanted: impl Fn(&crate::ops::OpSpec) -> bool,
) -> String {
    let nodes = graph.reachable(&[of]);
    let depends = graph.depending(&nodes, &[by]);
    let mut names: Vec<&str> = Vec::new();
    for node in nodes {
        if let Op::Call(op, _) = graph.op(node)
            && depends.contains(node)
            && wanted(crate::ops::spec(*op))
            && !names.contains(&crate::ops::spec(*op).name)
        {
            names.push(crate::ops::spec(*op).name);
        }
    }
    if names.is_empty() { String::new() } else { format!(": `{}`", names.join("`, `")) }
}

/// Whether every path from `of` to `by` passes a function of the rule book with derivative 0 by what comes in there.
fn every_path_is_flat(graph: &Graph, of: NodeId, by: NodeId) -> bool {
    let mut open = Marks::default();
    for node in graph.reachable(&[of]) {
        let passes = |at: usize| match graph.op(node) {
            Op::Call(op, _) => !crate::ops::spec(*op).rule.is_flat_in(at),
            _ => true,
        };
        let mut args = graph.args(node).iter().enumerate();
        if node == by || args.any(|(at, arg)| passes(at) && open.contains(*arg)) {
            open.insert(node);
        }
    }
    !open.contains(of)
}
