//! Every derivative of the table against finite differences: each row becomes small programs, whose gradients, and whose
//! gradients' gradients, are compared at the row's own sample points.

use chainrule_core::eval::{Array, Point, eval, finite_difference};
use chainrule_core::ir::{Graph, NodeId, Op, VarId};
use chainrule_core::ops::probe::Random;
use chainrule_core::ops::{self, Kind, OpSpec, Rule, probe_points};
use chainrule_core::{diff, lower, simplify};
use chainrule_grammar::Source;

/// Rows whose first derivative is written with a function that has none.
const ONCE: &[&str] = &["digamma", "svdvals"];

/// A lowered program with one loss.
struct Program {
    text: String,
    graph: Graph,
    loss: NodeId,
    params: Vec<NodeId>,
    point: Point,
}

impl Program {
    fn new(text: &str) -> Program {
        let source = Source::new("row", text);
        let (ast, errors) = chainrule_grammar::parse(&source);
        assert!(errors.is_empty(), "{text}: {errors:?}");
        let mut graph = Graph::default();
        let (lowered, errors) = lower::lower(&ast, &mut graph);
        assert!(errors.is_empty(), "{text}: {errors:?}");
        let params = lowered.vars.iter().copied();
        Program {
            text: text.to_string(),
            loss: lowered.losses[0].node,
            params: params
                .filter(|&var| graph.name(var).is_some_and(|name| name.starts_with('a')))
                .collect(),
            graph,
            point: Point::default(),
        }
    }

    /// Gives a variable its value.
    fn set(&mut self, name: &str, mut entry: impl FnMut(&[usize]) -> f64) {
        let at = self.graph.vars.iter().position(|var| var.name == name).expect("it is declared");
        let shape: Vec<usize> =
            self.graph.vars[at].shape.iter().map(|dim| dim.value(&|_| 0).expect("fixed")).collect();
        self.point.vars.insert(VarId(at as u32), Array::from_fn(&shape, &mut entry));
    }

    /// Uneven weights, so that no sum of entries hides an error.
    fn weigh(&mut self) {
        let mut random = Random(99);
        for name in ["w", "v"] {
            if self.graph.vars.iter().any(|var| var.name == name) {
                self.set(name, |_| random.within((0.3, 1.7)));
            }
        }
    }

    fn value(&self, node: NodeId) -> Array {
        eval(&self.graph, &self.point, &[node])
            .unwrap_or_else(|why| panic!("{}: {why}", self.text))
            .remove(0)
    }

    fn gradient(&mut self, of: NodeId) -> Result<Vec<NodeId>, String> {
        let params = self.params.clone();
        let of = diff::expand(&mut self.graph, &[of]).map_err(|why| why.message)?[0];
        let gradients = diff::gradient(&mut self.graph, of, &params).map_err(|why| why.message)?;
        let spelt = params.iter().zip(gradients).map(|(&param, gradient)| {
            let shape = self.graph.shape(param).clone();
            gradient.unwrap_or_else(|| self.graph.zeros(&shape))
        });
        Ok(spelt.collect())
    }

    /// Compares a gradient with finite differences and gives it.
    fn check(&mut self, of: NodeId, tolerance: f64) -> Vec<NodeId> {
        let gradients = self.gradient(of).unwrap_or_else(|why| panic!("{}: {why}", self.text));
        for (&param, &gradient) in self.params.iter().zip(&gradients) {
            let Op::Var(id) = *self.graph.op(param) else { unreachable!() };
            let wanted = finite_difference(&self.graph, &self.point, of, id).expect("differences");
            let simple = simplify::simplify(&mut self.graph, &[gradient]).roots[0];
            for found in [self.value(gradient), self.value(simple)] {
                assert_eq!(found.shape, wanted.shape, "{}", self.text);
                for (f, w) in found.data.iter().zip(&wanted.data) {
                    let near = (f - w).abs() <= tolerance * (1.0 + w.abs());
                    assert!(
                        near,
                        "{} by {}:\n{found:?}\n{wanted:?}",
                        self.text,
                        self.graph.var(id).name
                    );
                }
            }
        }
        gradients
    }

    /// Compares first derivatives, then the derivatives of an uneven sum of all of them.
    fn check_twice(&mut self) {
        let gradients = self.check(self.loss, 1e-8);
        let mut terms = Vec::new();
        for (at, gradient) in gradients.into_iter().enumerate() {
            let labels: Vec<u32> = (0..self.graph.rank(gradient) as u32).collect();
            let square =
                self.graph.einsum(&[(gradient, labels.clone()), (gradient, labels)], &[], &[]);
            terms.push((chainrule_core::ir::Num::int(at as i128 + 1), square));
        }
        let total = self.graph.add(&terms, &[]);
        self.check(total, 1e-6);
    }
}

fn differentiable(row: &OpSpec) -> bool {
    !matches!(row.rule, Rule::NoDerivative | Rule::Missing(_))
}

fn run(row: &OpSpec, program: &mut Program) {
    program.weigh();
    if !differentiable(row) {
        let answer = program.gradient(program.loss);
        assert!(answer.is_err(), "{}: a derivative that is not there is an error", row.name);
    } else if ONCE.contains(&row.name) {
        program.check(program.loss, 1e-8);
    } else {
        program.check_twice();
    }
}

/// `a0, a1` and their declarations.
fn arguments(row: &OpSpec, shape: &str) -> (String, String) {
    let names: Vec<String> = (0..row.params.len()).map(|at| format!("a{at}")).collect();
    let declared: Vec<String> = names.iter().map(|name| format!("{name}{shape}")).collect();
    (names.join(", "), declared.join(", "))
}

#[test]
fn elementwise_rows() {
    for (_, _, row) in ops::all().filter(|(_, _, row)| matches!(row.kind, Kind::Elementwise)) {
        let (names, declared) = arguments(row, ": [5]");
        let mut program = Program::new(&format!(
            "param {declared}; input w: [5]; loss L = sum(w*{}({names}));",
            row.name
        ));
        let points = probe_points(row, 5, 17);
        for (at, _) in row.params.iter().enumerate() {
            program.set(&format!("a{at}"), |ix| points[ix[0]][at]);
        }
        run(row, &mut program);
    }
}

#[test]
fn exact_points() {
    for (_, _, row) in ops::all() {
        for (point, wanted) in row.probe.points {
            let (names, declared) = arguments(row, "");
            let mut program =
                Program::new(&format!("param {declared}; loss L = {}({names});", row.name));
            for (at, value) in point.iter().enumerate() {
                program.set(&format!("a{at}"), |_| *value);
            }
            let gradient = program.gradient(program.loss).expect("a derivative")[0];
            assert_eq!(program.value(gradient).data, [*wanted], "{} at {point:?}", row.name);
        }
    }
}

#[test]
fn reductions() {
    for (_, _, row) in ops::all().filter(|(_, _, row)| matches!(row.kind, Kind::Reduce)) {
        for (axis, left) in [
            ("axis=0", "[3, 4]"),
            ("axis=1", "[2, 4]"),
            ("axis=(0, 2)", "[3]"),
            ("axis=(0, 1, 2)", ""),
        ] {
            let left = if left.is_empty() { String::new() } else { format!(": {left}") };
            let mut program = Program::new(&format!(
                "param a0: [2, 3, 4]; input w{left}; loss L = sum(w*{}(a0, {axis}));",
                row.name
            ));
            let mut random = Random(5);
            program.set("a0", |_| random.within(row.probe.domain[0]));
            run(row, &mut program);
        }
    }
}

#[test]
fn functions_along_an_axis() {
    for (_, _, row) in
        ops::all().filter(|(_, _, row)| matches!(row.kind, Kind::Along | Kind::Inline))
    {
        let axes: &[&str] =
            if matches!(row.kind, Kind::Along) { &["", ", axis=0", ", axis=1"] } else { &[""] };
        for axis in axes {
            let mut program = Program::new(&format!(
                "param a0: [2, 3, 4]; input w: [2, 3, 4]; loss L = sum(w*{}(a0{axis}));",
                row.name
            ));
            let mut random = Random(6);
            program.set("a0", |_| random.within((0.5, 2.5)));
            run(row, &mut program);
        }
    }
}

#[test]
fn losses() {
    for (_, _, row) in ops::all().filter(|(_, _, row)| matches!(row.kind, Kind::Loss { .. })) {
        for reduction in ["", ", reduction=\"sum\""] {
            let mut program = Program::new(&format!(
                "param a0: [3, 4], a1: [3, 4]; loss L = {}(a0, a1{reduction});",
                row.name
            ));
            let points = probe_points(row, 12, 23);
            for (at, name) in ["a0", "a1"].iter().enumerate() {
                program.set(name, |ix| points[ix[0] * 4 + ix[1]][at]);
            }
            run(row, &mut program);
        }
    }
}

#[test]
fn linear_algebra() {
    for (_, _, row) in ops::all() {
        let Kind::Structured { ranks, .. } = row.kind else { continue };
        for ranks in ranks {
            for batch in ["", "2, "] {
                // A vector stands for a batch of vectors only where it has no batch axes of its own.
                if ranks.contains(&1) && !batch.is_empty() {
                    continue;
                }
                let declared: Vec<String> = ranks
                    .iter()
                    .enumerate()
                    .filter(|(_, rank)| **rank > 0)
                    .map(|(at, rank)| {
                        format!("a{at}: [{batch}{}]", if *rank == 2 { "3, 3" } else { "3" })
                    })
                    .collect();
                let names: Vec<String> = (0..declared.len()).map(|at| format!("a{at}")).collect();
                let mut program = Program::new(&format!(
                    "param {}; y = {}({}); loss L = sum(sin(y) + y^2/2);",
                    declared.join(", "),
                    row.name,
                    names.join(", ")
                ));
                let mut random = Random(8);
                for name in &names {
                    program.set(name, |ix| {
                        let diagonal = ix.len() >= 2 && ix[ix.len() - 1] == ix[ix.len() - 2];
                        let shift =
                            if diagonal { 2.0 + 0.7 * ix[ix.len() - 1] as f64 } else { 0.0 };
                        shift + random.within((-0.5, 0.5))
                    });
                }
                run(row, &mut program);
            }
        }
    }
}

/// The gradient of one scalar program by `a0` at a vector.
fn gradient_at(text: &str, x: &[f64]) -> Vec<f64> {
    let mut program = Program::new(text);
    program.set("a0", |ix| x[ix[0]]);
    let gradient = program.gradient(program.loss).expect("a derivative")[0];
    program.value(gradient).data
}

#[test]
fn conventions_at_ties_and_origins() {
    let at = |call: &str, x: &[f64]| {
        gradient_at(&format!("param a0: [{}]; loss L = {call};", x.len()), x)
    };
    assert_eq!(at("norm2(a0)", &[0.0, 0.0]), [0.0, 0.0]);
    assert_eq!(at("norm1(a0)", &[0.0, -2.0]), [0.0, -1.0]);
    assert_eq!(at("std(a0)", &[1.5, 1.5]), [0.0, 0.0]);
    assert_eq!(at("max(a0)", &[1.0, 3.0, 3.0]), [0.0, 0.5, 0.5]);
    assert_eq!(at("min(a0)", &[1.0, 1.0, 3.0]), [0.5, 0.5, 0.0]);
    assert_eq!(at("prod(a0)", &[0.0, 2.0, 3.0]), [6.0, 0.0, 0.0]);
    assert_eq!(at("prod(a0)", &[0.0, 0.0, 3.0]), [0.0, 0.0, 0.0]);
    assert_eq!(at("sum(d(prod(a0), a0))", &[0.0, 2.0, 3.0]), [5.0, 3.0, 2.0]);
    assert_eq!(at("sum(cumprod(a0))", &[2.0, 0.0, 3.0]), [1.0, 8.0, 0.0]);
    assert_eq!(at("sum(d(sum(cumprod(a0)), a0))", &[2.0, 0.0, 3.0]), [4.0, 6.0, 2.0]);
    assert_eq!(at("sort(a0)[0]", &[2.0, 1.0, 1.0]), [0.0, 0.5, 0.5]);
    let halves = at("logsumexp(a0)", &[1e4, 1e4]);
    assert!(halves.iter().all(|half| (half - 0.5).abs() < 1e-11));
    assert_eq!(at("sum(softplus(a0))", &[1e4, -1e4]), [1.0, 0.0]);
    assert_eq!(at("bce_with_logits(a0, a0*0)", &[1e4, -1e4]), [0.5, 0.0]);
}
