//! The evaluator against brute force and against numbers worked out by hand.

use super::*;
use crate::ir::graph::DimInfo;
use crate::ir::{Affine, Attrs, Var, VarKind, View};
use crate::ops::probe::Random;
use chainrule_grammar::Span;

/// A graph and a point, built up together.
#[derive(Default)]
struct Bench {
    graph: Graph,
    point: Point,
}

impl Bench {
    fn var(&mut self, name: &str, shape: &[Dim], value: Array) -> NodeId {
        let id = VarId(self.graph.vars.len() as u32);
        self.point.vars.insert(id, value);
        self.graph.declare(Var {
            name: name.to_string(),
            kind: VarKind::Param,
            int: false,
            shape: shape.to_vec(),
            facts: Vec::new(),
            doc: Vec::new(),
            span: Span::default(),
        })
    }

    /// A tensor of fixed sizes with random entries.
    fn random(&mut self, name: &str, shape: &[usize], random: &mut Random) -> NodeId {
        let value = Array::from_fn(shape, |_| random.within((-2.0, 2.0)));
        self.var(name, &dims(shape), value)
    }

    fn vector(&mut self, name: &str, data: &[f64]) -> NodeId {
        let value = Array { shape: vec![data.len()], data: data.to_vec() };
        self.var(name, &dims(&[data.len()]), value)
    }

    fn call(&mut self, name: &str, args: &[NodeId], axes: &[usize], shape: &[Dim]) -> NodeId {
        let attrs = Attrs { axes: axes.to_vec(), ints: Vec::new() };
        let op = ops::known(name, args.len());
        self.graph.call(op, args.to_vec(), attrs, shape.to_vec())
    }

    fn dim(&mut self, name: &str) -> DimId {
        self.graph.dims.push(DimInfo { name: name.to_string() });
        DimId(self.graph.dims.len() as u32 - 1)
    }

    fn eval(&self, root: NodeId) -> Array {
        eval(&self.graph, &self.point, &[root]).expect("it evaluates").remove(0)
    }

    fn error(&self, root: NodeId) -> String {
        eval(&self.graph, &self.point, &[root]).expect_err("it does not evaluate")
    }
}

fn dims(shape: &[usize]) -> Vec<Dim> {
    shape.iter().map(|&size| Dim::fixed(size as i128)).collect()
}

#[track_caller]
fn assert_close(found: &Array, wanted: &Array, tolerance: f64) {
    assert_eq!(found.shape, wanted.shape);
    for (f, w) in found.data.iter().zip(&wanted.data) {
        assert!((f - w).abs() <= tolerance * w.abs().max(1.0), "{found:?} is not {wanted:?}");
    }
}

/// Every index in one loop nest.
fn brute(factors: &[(Array, Vec<u32>)], out: &[u32], sizes: &[usize]) -> Array {
    let mut result = Array::zeros(&out.iter().map(|&l| sizes[l as usize]).collect::<Vec<_>>());
    let strides = result.strides();
    array::for_each_index(sizes, |ix| {
        let product: f64 = factors
            .iter()
            .map(|(x, labels)| x.at(&labels.iter().map(|&l| ix[l as usize]).collect::<Vec<_>>()))
            .product();
        let at: usize = out.iter().zip(&strides).map(|(&l, s)| ix[l as usize] * s).sum();
        result.data[at] += product;
    });
    result
}

#[test]
fn einsum_equals_brute_force_over_random_patterns() {
    let mut random = Random(11);
    for _ in 0..300 {
        let mut bench = Bench::default();
        let n = 1 + random.below(5);
        let sizes: Vec<usize> = (0..n).map(|_| 1 + random.below(3)).collect();
        let mut factors = Vec::new();
        let mut values = Vec::new();
        for at in 0..1 + random.below(4) {
            let labels: Vec<u32> = (0..random.below(4)).map(|_| random.below(n) as u32).collect();
            let shape: Vec<usize> = labels.iter().map(|&l| sizes[l as usize]).collect();
            let same = labels.len() == 2 && shape[0] == shape[1] && random.below(2) == 0;
            let node = if same {
                bench.graph.delta(&Dim::fixed(shape[0] as i128))
            } else {
                bench.random(&format!("x{at}"), &shape, &mut random)
            };
            values.push((bench.eval(node), labels.clone()));
            factors.push((node, labels));
        }
        let mut out: Vec<u32> = (0..n as u32).filter(|_| random.below(2) == 0).collect();
        if random.below(2) == 0 {
            out.reverse();
        }
        let extra: Vec<(u32, Dim)> =
            (0..n as u32).map(|l| (l, Dim::fixed(sizes[l as usize] as i128))).collect();
        let root = bench.graph.einsum(&factors, &out, &extra);
        assert_close(&bench.eval(root), &brute(&values, &out, &sizes), 1e-12);
    }
}

#[test]
fn long_products_are_multiplied_pairwise() {
    // xᵀ (x W V - t) with 500 rows: one loop nest over all indices would be 500² · 40² · 10² positions.
    let mut bench = Bench::default();
    let mut random = Random(5);
    let x = bench.random("x", &[500, 40], &mut random);
    let w = bench.random("W", &[40, 30], &mut random);
    let v = bench.random("V", &[30, 10], &mut random);
    let g = bench.random("g", &[500, 10], &mut random);
    let factors =
        [(x, vec![0, 1]), (x, vec![0, 2]), (w, vec![2, 3]), (v, vec![3, 4]), (g, vec![0, 4])];
    let root = bench.graph.einsum(&factors, &[1, 3], &[]);
    assert_eq!(bench.eval(root).shape, [40, 30]);
}

#[test]
fn empty_axes_and_repeated_axes() {
    let mut bench = Bench::default();
    let empty = bench.vector("e", &[]);
    let sum = bench.graph.einsum(&[(empty, vec![0])], &[], &[]);
    assert_eq!(bench.eval(sum).data, [0.0]);
    let one = bench.graph.int(3);
    let sum = bench.graph.einsum(&[(one, vec![])], &[1], &[(0, Dim::fixed(5)), (1, Dim::fixed(2))]);
    assert_eq!(bench.eval(sum).data, [15.0, 15.0]);
}

#[test]
fn views_read_affine_positions_and_zero_outside() {
    let mut bench = Bench::default();
    let x = bench.vector("x", &[1.0, 2.0, 3.0]);
    let affine = |terms: &[(usize, i64)], offset: i128, divisor: i64| Affine {
        terms: terms.to_vec(),
        offset: Dim::fixed(offset),
        divisor,
    };
    for (map, size, wanted) in [
        (affine(&[(0, 2)], 0, 1), 2, vec![1.0, 3.0]),
        (affine(&[(0, -1)], 2, 1), 3, vec![3.0, 2.0, 1.0]),
        (affine(&[(0, 1)], -1, 1), 5, vec![0.0, 1.0, 2.0, 3.0, 0.0]),
        (affine(&[(0, 1)], 0, 2), 5, vec![1.0, 0.0, 2.0, 0.0, 3.0]),
    ] {
        let root = bench.graph.view(x, View { map: vec![map], shape: dims(&[size]) });
        assert_eq!(bench.eval(root).data, wanted);
    }
}

#[test]
fn rows_are_gathered_and_scattered() {
    let mut bench = Bench::default();
    let x =
        bench.var("x", &dims(&[3, 2]), Array::from_fn(&[3, 2], |ix| (ix[0] * 2 + ix[1]) as f64));
    let idx = bench.vector("idx", &[2.0, 0.0, 2.0]);
    let rows = bench.graph.push(Op::Gather, vec![x, idx], dims(&[3, 2]));
    assert_eq!(bench.eval(rows).data, [4.0, 5.0, 0.0, 1.0, 4.0, 5.0]);
    let back = bench.graph.push(Op::Scatter(Dim::fixed(3)), vec![rows, idx], dims(&[3, 2]));
    assert_eq!(bench.eval(back).data, [0.0, 1.0, 0.0, 0.0, 8.0, 10.0]);
    let far = bench.vector("far", &[3.0, 0.0, 0.5]);
    let rows = bench.graph.push(Op::Gather, vec![x, far], dims(&[3, 2]));
    assert!(bench.error(rows).contains("the index 3 is not a whole number below 3"));
}

#[test]
fn reductions_and_lanes_pick_their_axes() {
    let mut bench = Bench::default();
    let data = Array::from_fn(&[2, 3], |ix| (ix[0] * 3 + ix[1]) as f64);
    let x = bench.var("x", &dims(&[2, 3]), data);
    let rows = bench.call("max", &[x], &[1], &dims(&[2]));
    let columns = bench.call("max", &[x], &[0], &dims(&[3]));
    let all = bench.call("max", &[x], &[0, 1], &[]);
    assert_eq!(bench.eval(rows).data, [2.0, 5.0]);
    assert_eq!(bench.eval(columns).data, [3.0, 4.0, 5.0]);
    assert_eq!(bench.eval(all), Array::scalar(5.0));
    let sums = bench.call("cumsum", &[x], &[0], &dims(&[2, 3]));
    assert_eq!(bench.eval(sums).data, [0.0, 1.0, 2.0, 3.0, 5.0, 7.0]);
}

#[test]
fn structured_functions_run_over_batches() {
    let mut bench = Bench::default();
    let mut random = Random(3);
    let a = bench.random("a", &[4, 2, 2], &mut random);
    let b = bench.random("b", &[4, 2, 3], &mut random);
    let x = bench.call("solve", &[a, b], &[], &dims(&[4, 2, 3]));
    let back = bench.graph.einsum(&[(a, vec![0, 1, 2]), (x, vec![0, 2, 3])], &[0, 1, 3], &[]);
    assert_close(&bench.eval(back), &bench.eval(b), 1e-12);
    let k = bench.graph.int(0);
    let low = bench.call("tril", &[a, k], &[], &dims(&[4, 2, 2]));
    assert_eq!(bench.eval(low).at(&[3, 0, 1]), 0.0);
}

/// Factors are paired among a few of them: comparing all pairs anew for every product would take hours here.
#[test]
fn products_of_very_many_factors() {
    let mut bench = Bench::default();
    let count = 4000;
    let mut factors = Vec::new();
    for at in 0..count {
        let value = 1.0 + 1e-4 * f64::from(at % 7);
        factors.push((bench.vector(&format!("x{at}"), &[value, 1.0]), vec![0]));
    }
    let product = bench.graph.einsum(&factors, &[0], &[]);
    let wanted: f64 = (0..count).map(|at| 1.0 + 1e-4 * f64::from(at % 7)).product();
    let found = bench.eval(product);
    assert!((found.data[0] / wanted - 1.0).abs() < 1e-10 && found.data[1] == 1.0);
}

/// Where every product of the first factors is larger than they are, the pairs that share an index are looked for further on.
#[test]
fn factors_that_belong_together_are_found_far_apart() {
    let mut bench = Bench::default();
    let mut random = Random(5);
    let pairs = 24;
    let names: Vec<NodeId> =
        (0..2 * pairs).map(|at| bench.random(&format!("v{at}"), &[50], &mut random)).collect();
    let factors: Vec<(NodeId, Vec<u32>)> =
        names.iter().enumerate().map(|(at, name)| (*name, vec![(at % pairs) as u32])).collect();
    let product = bench.graph.einsum(&factors, &[], &[]);
    let dot = |at: usize| -> f64 {
        let entries = |at: usize| bench.point.vars[&VarId(at as u32)].data.clone();
        entries(at).iter().zip(entries(at + pairs)).map(|(a, b)| a * b).sum()
    };
    let wanted: f64 = (0..pairs).map(dot).product();
    assert!((bench.eval(product).data[0] / wanted - 1.0).abs() < 1e-9);
}

/// What moves with a variable is evaluated again for each difference, and nothing else.
#[test]
fn differences_evaluate_what_moves() {
    let mut bench = Bench::default();
    let mut layers = vec![bench.vector("x", &[0.5])];
    let mut weights = Vec::new();
    for at in 0..40 {
        let weight = bench.vector(&format!("w{at}"), &[0.9]);
        let last = layers[layers.len() - 1];
        let product = bench.graph.einsum(&[(last, vec![0]), (weight, vec![0])], &[0], &[]);
        layers.push(bench.call("tanh", &[product], &[], &dims(&[1])));
        weights.push(weight);
    }
    let result = layers[layers.len() - 1];
    let mut evaluator = Evaluator::new(&bench.graph, &bench.point);
    evaluator.run(&bench.graph.reachable(&[result])).unwrap();
    for (at, weight) in weights.iter().enumerate() {
        let moving = evaluator.moving(result, *weight).unwrap();
        assert_eq!(moving.order.len(), 2 * (40 - at));
    }
    let first = evaluator.moving(layers[20], weights[30]).unwrap();
    assert!(first.order.is_empty());
}

#[test]
fn finite_differences_are_precise() {
    let mut bench = Bench::default();
    let x = bench.vector("x", &[0.3, 1.7, 40.0]);
    let shape = dims(&[3]);
    let exp = bench.call("log", &[x], &[], &shape);
    let cube = bench.graph.pow(exp, Num::int(3));
    let found = finite_difference(&bench.graph, &bench.point, cube, VarId(0)).expect("differences");
    let x = [0.3f64, 1.7, 40.0];
    let wanted = Array::from_fn(&[3, 3], |ix| {
        if ix[0] == ix[1] { 3.0 * x[ix[0]].ln().powi(2) / x[ix[0]] } else { 0.0 }
    });
    assert_close(&found, &wanted, 1e-9);
}

#[test]
fn finite_differences_stay_inside_the_domain() {
    let mut bench = Bench::default();
    let x = bench.vector("x", &[1e-4, 0.02]);
    let log = bench.call("log", &[x], &[], &dims(&[2]));
    let sum = bench.graph.einsum(&[(log, vec![0])], &[], &[]);
    let found = finite_difference(&bench.graph, &bench.point, sum, VarId(0)).expect("differences");
    let wanted = Array { shape: vec![2], data: vec![1e4, 50.0] };
    assert_close(&found, &wanted, 1e-8);
}

#[test]
fn what_a_node_does_not_depend_on_has_derivative_0() {
    let mut bench = Bench::default();
    let x = bench.vector("x", &[1.0, 2.0]);
    bench.vector("w", &[1.0, 2.0, 3.0]);
    let found = finite_difference(&bench.graph, &bench.point, x, VarId(1)).expect("differences");
    assert_eq!(found, Array::zeros(&[2, 3]));
}

#[test]
fn derivative_nodes_perturb_any_node() {
    // f = Σ sin(h)² with h = 2x: ∂f/∂h treats h as a leaf, ∂f/∂x goes through it, and both nest.
    let mut bench = Bench::default();
    let x = bench.vector("x", &[0.4, -1.1]);
    let shape = dims(&[2]);
    let h = bench.graph.scale(Num::int(2), x);
    let sin = bench.call("sin", &[h], &[], &shape);
    let f = bench.graph.einsum(&[(sin, vec![0]), (sin, vec![0])], &[], &[]);
    let by_h = bench.graph.deriv(f, h);
    let by_x = bench.graph.deriv(f, x);
    let twice = bench.graph.deriv(by_x, x);
    let at = [0.4f64, -1.1];
    let wanted =
        |c: f64| Array { shape: vec![2], data: at.iter().map(|x| c * (4.0 * x).sin()).collect() };
    assert_close(&bench.eval(by_h), &wanted(1.0), 1e-10);
    assert_close(&bench.eval(by_x), &wanted(2.0), 1e-10);
    let second =
        Array::from_fn(
            &[2, 2],
            |ix| {
                if ix[0] == ix[1] { 8.0 * (4.0 * at[ix[0]]).cos() } else { 0.0 }
            },
        );
    assert_close(&bench.eval(twice), &second, 1e-6);
}

#[test]
fn kinks_nearby_and_kinks_hit() {
    let mut bench = Bench::default();
    let x = bench.vector("x", &[0.004, -0.001, 2.0, 0.0]);
    let abs = bench.call("abs", &[x], &[], &dims(&[4]));
    let sum = bench.graph.einsum(&[(abs, vec![0])], &[], &[]);
    let found = finite_difference(&bench.graph, &bench.point, sum, VarId(0)).expect("differences");
    assert_eq!(found.data.iter().map(|x| x.round()).collect::<Vec<_>>(), [1.0, -1.0, 1.0, 0.0]);
    assert_close(&found, &found.map(f64::round), 1e-9);
}

#[test]
fn what_is_missing_or_too_large_is_said() {
    let mut bench = Bench::default();
    let n = bench.dim("N");
    let x = bench.var("x", &[Dim::named(n)], Array::zeros(&[3]));
    assert_eq!(bench.error(x), "the size N is not known at this point");
    bench.point.dims.insert(n, 4);
    assert!(bench.error(x).contains("`x` has shape [3]"));
    bench.point.dims.insert(n, 1 << 20);
    let huge = bench.graph.delta(&Dim::named(n));
    assert!(bench.error(huge).contains("too many"));
    bench.point.vars.clear();
    bench.point.dims.insert(n, 3);
    assert_eq!(bench.error(x), "`x` has no value at this point");
}

#[test]
fn deep_graphs_do_not_overflow_the_stack() {
    let mut bench = Bench::default();
    let mut node = bench.vector("x", &[0.5]);
    for _ in 0..50_000 {
        node = bench.call("sin", &[node], &[], &dims(&[1]));
    }
    assert!(bench.eval(node).data[0] > 0.0);
}

#[test]
fn dims_are_solved_from_shapes() {
    let mut bench = Bench::default();
    let (b, n) = (bench.dim("B"), bench.dim("N"));
    let odd = Dim::named(n).plus(&Dim::named(n), Num::ONE).plus(&Dim::fixed(1), Num::ONE);
    let square = Dim::named(b).times(&Dim::named(b));
    bench.var("x", &[odd.clone(), square], Array::zeros(&[7, 16]));
    bench.var("t", &[Dim::named(b), Dim::named(n).times(&Dim::named(b))], Array::zeros(&[4, 12]));
    let found = infer_dims(&bench.graph, &bench.point.vars).expect("sizes");
    assert_eq!(found, BTreeMap::from([(b, 4), (n, 3)]));
}

#[test]
fn dims_that_do_not_fit_are_explained() {
    let check = |xs: &[usize], ts: &[usize], wanted: &str| {
        let mut bench = Bench::default();
        let (b, n) = (bench.dim("B"), bench.dim("N"));
        let odd = Dim::named(n).plus(&Dim::named(n), Num::ONE).plus(&Dim::fixed(1), Num::ONE);
        bench.var("x", &[Dim::named(b), Dim::named(n)], Array::zeros(xs));
        bench.var("t", &[Dim::named(b), odd], Array::zeros(ts));
        let found = infer_dims(&bench.graph, &bench.point.vars);
        assert_eq!(found.expect_err("a misfit"), wanted);
    };
    check(
        &[2, 3],
        &[4, 7],
        "`t` has shape [4, 7], but is declared as [B, 2*N + 1] (B is 2 by `x`, N is 3 by `x`)",
    );
    check(&[2], &[2, 7], "`x` has shape [2], but is declared as [B, N]");
    check(
        &[2, 3],
        &[2, 8],
        "`t` has shape [2, 8], but is declared as [B, 2*N + 1] (B is 2 by `x`, N is 3 by `x`)",
    );
    let mut bench = Bench::default();
    let (b, n) = (bench.dim("B"), bench.dim("N"));
    bench.var("x", &[Dim::named(b).times(&Dim::named(n))], Array::zeros(&[6]));
    let found = infer_dims(&bench.graph, &bench.point.vars).expect_err("two unknowns");
    assert_eq!(found, "the size B*N of `x` does not determine its names");
}
