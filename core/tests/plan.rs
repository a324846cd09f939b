//! What is planned for a mixture of forms, and for a recurrence: products as rows of matrix products, sums where they cost least,
//! nothing twice.
//! That the code of such plans is right is held by `tests/adbench.rs` in the root package.

use chainrule_core::ir::{Graph, NodeId, Num};
use chainrule_core::plan::blocks::{Known, is_in_blocks};
use chainrule_core::plan::kernel::Value;
use chainrule_core::plan::{Phase, Plan, Slot, Step, plan};
use chainrule_core::{Source, compile};

const MIXTURE: &str = "dim N = 40, K = 4, D = 6; input x: [N, D]; param Q: [K, D, D], mu: [K, D];
    y[n,k,i] = sum[j](Q[k,i,j] * (x[n,j] - mu[k,j]));
    loss F = sum(logsumexp(tensor[n:N, k:K](sum[i](y[n,k,i]^2)), axis=1));";

fn planned() -> Plan {
    plan_of(MIXTURE)
}

fn plan_of(program: &str) -> Plan {
    let compiled = compile(&Source::new("program", program));
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    let job = compiled.job(program).unwrap_or_else(|why| panic!("{why:?}"));
    plan(&job).unwrap_or_else(|why| panic!("{why:?}"))
}

/// Rows, terms and columns of each matrix product, and how many of them there are.
fn products(phase: &Phase) -> Vec<[i128; 4]> {
    let sizes = |step: &Step| match step {
        Step::Matmul { product, .. } => {
            let fixed = |dim: &chainrule_core::ir::Dim| dim.as_fixed().expect("a fixed size");
            let batch = product.batch.iter().map(|(size, _)| fixed(size)).product();
            Some([batch, fixed(&product.m), fixed(&product.k), fixed(&product.n)])
        }
        _ => None,
    };
    phase.steps.iter().filter_map(sizes).collect()
}

#[test]
fn what_components_share_is_a_row_of_matrix_products() {
    // One product for each component, its columns along the points.
    assert_eq!(products(&planned().forward), [[4, 6, 6, 40]]);
}

#[test]
fn sums_over_points_come_before_products_with_matrices() {
    // The gradient by Q alone needs products over all points: that by mu multiplies what is summed already.
    let products = products(&planned().backward[0]);
    assert_eq!(products.iter().filter(|sizes| sizes.contains(&40)).count(), 1, "{products:?}");
}

#[test]
fn a_difference_and_its_negative_are_worked_out_once() {
    let plan = planned();
    let entries = |id: &&NodeId| -> i128 {
        plan.graph.shape(**id).iter().map(|dim| dim.as_fixed().expect("a fixed size")).product()
    };
    let large = plan.work.iter().filter(|id| entries(id) == 40 * 4 * 6).count();
    // x - mu, y, and y by its weights.
    assert_eq!(large, 3);
}

/// How many loop nests read the declared tensor of this name, and the most turns that one of them has.
fn read(plan: &Plan, phase: &Phase, name: &str) -> (usize, i128) {
    let reads = |step: &&Step| {
        let of = |slot: &Slot| matches!(slot, Slot::Var(var) if plan.graph.var(*var).name == name);
        step.reads().iter().any(of)
    };
    let turns = |step: &Step| match step {
        Step::Loops(kernel) => kernel.loops.iter().filter_map(|l| l.size.as_fixed()).product(),
        _ => 0,
    };
    let found: Vec<i128> = phase.steps.iter().filter(reads).map(turns).collect();
    (found.len(), found.iter().copied().max().unwrap_or(0))
}

#[test]
fn a_difference_that_the_gradient_wants_the_other_way_round_is_worked_out_once() {
    let plan = plan_of(&MIXTURE.replace("sum[i](y", "-1/2*sum[i](y"));
    assert_eq!(read(&plan, &plan.forward, "mu"), (1, 40 * 4 * 6));
    assert_eq!(read(&plan, &plan.backward[0], "mu"), (0, 0));
}

#[test]
fn what_only_one_factor_runs_over_is_summed_before_the_product() {
    let plan = planned();
    // The gradient by mu: no loop over points and over two axes of Q.
    let too_much = |step: &Step| match step {
        Step::Loops(kernel) => {
            kernel.loops.iter().filter_map(|l| l.size.as_fixed()).product::<i128>() > 40 * 4 * 6
        }
        _ => false,
    };
    assert!(!plan.backward[0].steps.iter().any(too_much));
}

/// The most numbers that a buffer of the workspace has.
fn largest(plan: &Plan) -> i128 {
    let fixed = |id: &NodeId| -> i128 {
        plan.graph.shape(*id).iter().map(|dim| dim.as_fixed().expect("a fixed size")).product()
    };
    plan.work.iter().map(fixed).max().unwrap_or(0)
}

#[test]
fn what_is_zero_for_other_components_is_not_worked_out() {
    let plan = plan_of(&format!("{MIXTURE} output H = d(d(F, Q), Q); output G = d(d(F, Q), mu);"));
    // Points by rows of Q, twice: never points by rows by all of Q.
    assert_eq!(largest(&plan), 40 * (4 * 6) * (4 * 6));
}

#[test]
fn rows_are_picked_of_the_factor_that_has_them() {
    let program = "dim N = 40, M = 7, D = 3; input x: [N, D], p: int[N]; param l: [M, D];
        loss F = sum(exp(sum(x * l[p], axis=1))); output H = d(d(F, l), l);";
    let plan = plan_of(program);
    let rows = |step: &Step| match step {
        Step::Rows { row, scatter: false, .. } => row.as_fixed(),
        _ => None,
    };
    let widest = all_steps(&plan.forward).into_iter().filter_map(rows).max();
    // Rows of the identity of M, not of that of M by D.
    assert_eq!(widest, Some(7));
}

#[test]
fn rows_of_two_axes_are_one_axis_of_a_product() {
    let plan = plan_of(&format!("{MIXTURE} output H = d(d(F, Q), Q);"));
    let products = products(&plan.forward);
    assert!(products.iter().any(|[_, m, k, n]| *k == 40 && m.max(n) == &36), "{products:?}");
}

const RECURRENCE: &str =
    "dim T = 50, H = 6, D = 3; input x: [T, D], h0: [H]; param W: [D, H], U: [H, H], v: [H];
    fn step(h, xt) = tanh(xt @ W + h @ U) * sigmoid(v * h);
    loss E = sum(scan(step, h0, x)^2);";

/// The steps of a phase's scans.
fn scans(phase: &Phase) -> Vec<&Phase> {
    let mut found = Vec::new();
    for step in &phase.steps {
        if let Step::Scan(scan) = step {
            found.push(&scan.step);
        }
    }
    found
}

/// How often functions of the rule book are called in the loops of a phase, scans aside.
fn calls(phase: &Phase) -> usize {
    let in_loops = |step: &Step| match step {
        Step::Loops(kernel) => {
            kernel.values.iter().filter(|value| matches!(value, Value::Call(..))).count()
        }
        _ => 0,
    };
    phase.steps.iter().map(in_loops).sum()
}

#[test]
fn what_a_step_does_without_its_state_is_done_for_all_steps_at_once() {
    let plan = plan_of(RECURRENCE);
    // x W in one product.
    assert_eq!(products(&plan.forward), [[1, 50, 3, 6]]);
    let [step] = scans(&plan.forward)[..] else { panic!("one scan") };
    assert!(products(step).is_empty());
    assert_eq!(calls(step), 2);
    // The way back calls no function: what it wants was kept.
    let [step] = scans(&plan.backward[0])[..] else { panic!("one scan") };
    assert_eq!(calls(step), 0);
    assert_eq!(calls(&plan.backward[0]), 0);
}

/// A cell with gates, whose sequence is a product.
const GATES: &str = "dim T = 50, H = 6; input x: [T, H], s0: [2, H]; param u: [H], w: [H], v: [H];
    fn cell(s, xt) = { c = s[1]*sigmoid(xt*w) + sigmoid(s[0]*v)*tanh(s[0]*w); stack([tanh(c)*v, c]) };
    loss E = sum(scan(cell, s0, x * u)[:, 0]^2);";

#[test]
fn what_the_way_back_wants_of_steps_is_kept() {
    let plan = plan_of(GATES);
    let kept = |phase: &Phase| -> usize {
        let of = |step: &&Step| match step {
            Step::Scan(scan) => scan.kept.len(),
            _ => 0,
        };
        all_steps(phase).iter().map(of).sum()
    };
    // Both gates that depend on the state, and tanh(c).
    assert_eq!(kept(&plan.forward), 3);
    assert_eq!(calls(&plan.backward[0]), 0);
    // Who wants values alone pays for nothing else.
    assert_eq!(kept(&plan_of(&GATES.replace("loss E", "output y")).forward), 0);
}

#[test]
fn sequences_are_read_backwards_where_they_stand() {
    let plan = plan_of(GATES);
    let scan = all_steps(&plan.backward[0]).into_iter().find_map(|step| match step {
        Step::Scan(scan) => Some(scan),
        _ => None,
    });
    let scan = scan.expect("a scan backwards");
    assert!(scan.entries.iter().all(|entry| entry.flipped), "{:?}", scan.entries);
}

/// The steps of a phase, those of streams in their place.
fn all_steps(phase: &Phase) -> Vec<&Step> {
    let mut found = Vec::new();
    for step in &phase.steps {
        match step {
            Step::Stream(stream) => found.extend(&stream.work.steps),
            step => found.push(step),
        }
    }
    found
}

#[test]
fn a_sequence_that_is_a_product_gives_both_sweeps_the_same_nodes() {
    let program = "dim T = 50, H = 6; input x: [T, H], h0: [H]; param u: [H], w: [H], v: [H];
        fn step(h, xt) = sigmoid(xt * w) * tanh(v * h);
        loss E = sum(scan(step, h0, x * u)^2);";
    let plan = plan_of(program);
    assert_eq!(calls(&plan.forward), 1);
    // The sigmoid and the tanh stand in the workspace.
    assert_eq!(calls(&plan.backward[0]), 0);
}

#[test]
fn powers_of_positions_follow_from_each_other() {
    let plan = plan_of(
        "dim N, M; input t: [N]; param x: [M]; A = tensor[i, j:M](t[i]^j); loss E = sum((A @ x)^2);",
    );
    let steps = all_steps(&plan.forward);
    assert!(steps.iter().any(|step| matches!(step, Step::Lanes { .. })));
    assert_eq!(calls(&plan.forward), 0);
}

#[test]
fn what_was_not_chosen_is_passed_over() {
    let plan = plan_of(
        "dim N, K, D; input p: [N, D]; param c: [K, D]; r[n,k] = sum[j]((p[n,j] - c[k,j])^2);
        loss E = sum(min(r, axis=1));",
    );
    let both = plan.both[0].as_ref().expect("one phase for value and gradient");
    let steps = all_steps(both);
    let gates = steps.iter().filter(|step| matches!(step, Step::Loops(k) if k.gate.is_some()));
    assert_eq!(gates.count(), 1);
}

#[test]
fn what_is_read_again_across_its_rows_is_turned_first() {
    let plan = plan_of(
        "dim N, K, D; input p: [N, D]; param c: [K, D]; r[n,k] = sum[j]((p[n,j] - c[k,j])^2);
        loss E = sum(min(r, axis=1));",
    );
    // No difference of a point and a centre is kept.
    assert!(plan.work.iter().all(|id| plan.graph.rank(*id) < 3));
    let turned = |id: &&NodeId| plan.graph.show_shape(plan.graph.shape(**id)) == "[D, K]";
    assert_eq!(plan.work.iter().filter(turned).count(), 1);
}

#[test]
fn large_products_of_components_are_done_with_what_is_around_them() {
    let plan = plan_of(
        "dim N, K, D; input x: [N, D]; param m: [K, D], Q: [K, D, D];
        y[n,k,i] = sum[j](Q[k,i,j]*(x[n,j] - m[k,j]));
        loss E = sum(logsumexp(-1/2*sum(y^2, axis=2), axis=1));",
    );
    let runs = |phase: &Phase| -> Vec<usize> {
        let steps = phase.steps.iter().filter_map(|step| match step {
            Step::Stream(stream) => Some(stream.work.steps.as_slice()),
            _ => None,
        });
        let product = |step: &Step| matches!(step, Step::Matmul { .. });
        steps.filter(|steps| steps.iter().any(product)).map(<[Step]>::len).collect()
    };
    // The differences, the products and sums of their squares; the other way also the products for both gradients.
    assert_eq!(runs(&plan.forward).len(), 1);
    assert!(runs(&plan.forward)[0] >= 3 && runs(&plan.backward[0])[0] >= 4);
}

#[test]
fn rows_of_an_identity_matrix_are_written_where_they_are_wanted() {
    let plan = plan_of(
        "dim B = 8, K = 5000; input y: int[B]; param z: [B, K]; loss E = cross_entropy(softmax(z), y);",
    );
    // Nothing has K rows of K entries.
    assert!(largest(&plan) <= 8 * 5000);
}

#[test]
fn blocks_are_found_at_any_depth() {
    let mut graph = Graph::default();
    let x = graph.stand_in("x", Vec::new());
    let one = graph.int(1);
    let mut deep = x;
    for _ in 0..200_000 {
        let sum = graph.add(&[(Num::ONE, deep), (Num::ONE, one)], &[]);
        deep = graph.multiply(&[sum, x]);
    }
    assert!(!is_in_blocks(&graph, &mut Known::new(), deep));
}
