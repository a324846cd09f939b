//! The pictures' mathematics: products of local derivatives along all paths are the derivatives.

use super::*;
use crate::eval::{Array, Evaluator};
use crate::render::{dot, svg};
use crate::{Source, check, compile};
use chainrule_grammar::ast::RequestKind;

const LAYER: &str = "dim B, N, M; input x: [B, N]; target t: [B, M]; param W: [N, M], b: [M]; z = x @ W + b; o = sigmoid(z); loss E = 1/2 * sum((o - t)^2);";

fn made(program: &str) -> (Compiled, Diagram) {
    let compiled = compile(&Source::new("test", program));
    assert!(!compiled.has_errors(), "{program}: {:?}", compiled.diagnostics);
    let diagram = diagram(&compiled, Notation::Matrix);
    (compiled, diagram)
}

/// The derivative of `of` by `wrt` as the sum over all paths of the products of local derivatives.
fn along_paths(diagram: &Diagram, values: &mut Evaluator<'_>, of: usize, wrt: usize) -> Vec<f64> {
    let size = |at: usize, values: &Evaluator<'_>| {
        values.value(diagram.quantities[at].stand_in).unwrap().data.len()
    };
    let rows = size(of, values);
    let identity = Array::from_fn(&[rows, rows], |ix| f64::from(u8::from(ix[0] == ix[1]))).data;
    let mut sums: BTreeMap<usize, Vec<f64>> = BTreeMap::from([(of, identity)]);
    for to in (0..=of).rev() {
        let Some(sum) = sums.get(&to).cloned() else { continue };
        if to == wrt {
            return sum;
        }
        let middle = size(to, values);
        for edge in diagram.edges.iter().filter(|edge| edge.to == to && edge.on_path) {
            let jacobian = edge.local.as_ref().expect("a local derivative").jacobian;
            values.run(&diagram.graph.reachable(&[jacobian])).unwrap();
            let local = values.value(jacobian).unwrap();
            let columns = size(edge.from, values);
            let into = sums.entry(edge.from).or_insert_with(|| vec![0.0; rows * columns]);
            for (row, at) in (0..rows).flat_map(|row| (0..middle).map(move |at| (row, at))) {
                for column in 0..columns {
                    into[row * columns + column] +=
                        sum[row * middle + at] * local.data[at * columns + column];
                }
            }
        }
    }
    vec![0.0; rows * size(wrt, values)]
}

#[test]
fn local_derivatives_multiply_up_to_the_derivative() {
    let programs = [
        LAYER,
        "dim B, K; input X: [B, 3]; target T: [B, K] one_hot; param W: [3, K], b: [K]; Y = softmax(X @ W + b); loss E = cross_entropy(Y, T);",
        "param w: [4], c; u = w * c + w; v = tanh(u) * u; loss E = sum(v * u) + c^2;",
        "input A: [3, 3] spd; param x: [3]; r = A @ x - 1; output y = r * norm2(r); jacobian y wrt x;",
        "input i: int[5]; param V: [4, 2], a: [2]; h = mean(V[i], axis=0); g = concat(h, a); loss E = logsumexp(g) * max(g);",
        "dim N; input s: [N, N]; param W: [N, N]; z[i,k] = sum[j](s[i,j] * W[j,k]) * W[i,k]; loss E = sum(z^2) + trace(W @ s);",
        "input xs: [4, 2]; param U: [2, 2], h0: [2]; fn step(h, x) = tanh(h @ U + x); hs = scan(step, h0, xs); loss E = sum(hs^2);",
    ];
    for program in programs {
        let (compiled, diagram) = made(program);
        assert_eq!((diagram.omitted, diagram.edges_omitted), (0, 0));
        let point = check::random_point(&compiled, 7).unwrap();
        let mut values = Evaluator::new(&diagram.graph, &point);
        for quantity in &diagram.quantities {
            values.run(&diagram.graph.reachable(&[quantity.node])).unwrap();
            let value = values.value(quantity.node).unwrap();
            values.values.insert(quantity.stand_in, value);
        }
        for one in &compiled.derivatives {
            let at = |node: NodeId| {
                diagram.quantities.iter().position(|quantity| quantity.node == node).unwrap()
            };
            values.run(&diagram.graph.reachable(&[one.node])).unwrap();
            let truth = values.value(one.node).unwrap().data.clone();
            let found = along_paths(&diagram, &mut values, at(one.of.node), at(one.wrt.node));
            assert_eq!(one.kind == RequestKind::Jacobian, program.contains("jacobian"));
            for (a, b) in truth.iter().zip(&found) {
                assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()), "{program}: {truth:?} {found:?}");
            }
        }
    }
}

#[test]
fn a_layer_is_drawn_as_a_textbook_does() {
    let (_, diagram) = made(LAYER);
    let names: Vec<&str> = diagram.quantities.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["x", "t", "W", "b", "z", "o", "u", "v", "E"]);
    let dot = dot::document(&diagram);
    for part in [
        "∂zₙₖ/∂Wⱼₖ = xₙⱼ",
        "∂oₙₖ/∂zₙₖ = oₙₖ (1 − oₙₖ)",
        "∂vₙₖ/∂uₙₖ = 2uₙₖ",
        "∂E/∂vₙₖ = ½",
        "u = o − t",
        "[B, M]",
    ] {
        assert!(dot.contains(part), "{part}:\n{dot}");
    }
    let on_path: Vec<&str> =
        diagram.quantities.iter().filter(|one| one.on_path).map(|one| one.name.as_str()).collect();
    assert_eq!(on_path, ["W", "b", "z", "o", "u", "v", "E"]);
}

#[test]
fn large_graphs_stay_small_pictures() {
    let mut program = String::from("param w; a0 = w;");
    for at in 1..500 {
        program += &format!("a{at} = sin(a{}) + w;", at - 1);
    }
    program += "loss E = a499;";
    let (_, diagram) = made(&program);
    assert_eq!(diagram.quantities.len(), MAX_QUANTITIES);
    assert!(diagram.omitted > 300 && diagram.edges.len() <= MAX_EDGES);
    let doubling: String =
        (1..60).map(|at| format!("b{at} = b{0} * b{0} + b{0};", at - 1)).collect();
    let (_, diagram) = made(&format!("param b0; {doubling} loss E = b59;"));
    assert_eq!(diagram.omitted, 0);
    let nested = (0..40).fold("w".to_string(), |inner, _| format!("sq({inner})"));
    let (_, diagram) = made(&format!("param w; fn sq(x) = x * x + x; loss E = {nested};"));
    assert!(dot::document(&diagram).len() < 50_000);
}

#[test]
fn pictures_are_well_formed_and_harmless() {
    let program = "input x_hat: [3]; param w: [3], 权重; a = x_hat * w + 权重; loss E = sum(exp(a) < 2) + sum(a^2);";
    let (_, diagram) = made(program);
    let picture = svg::document(&diagram);
    let mut open: Vec<&str> = Vec::new();
    for tag in picture.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{picture}");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!picture.contains("href") && picture.contains("&lt;"), "{picture}");
    assert_eq!(
        svg::escaped("<a href='x'>&\u{0}\""),
        "&lt;a href=&#39;x&#39;&gt;&amp;\u{fffd}&quot;"
    );
    assert_eq!(picture, svg::document(&made(program).1), "the same program gives the same bytes");
}

#[test]
fn boxes_and_labels_do_not_overlap() {
    let mut program = String::from("input x; param w; a0 = w * x;");
    for at in 1..12 {
        program += &format!("a{at} = sin(a{}) * a{} + w;", at - 1, at / 2);
    }
    let (_, diagram) = made(&format!("{program} loss E = a11 + a3;"));
    let picture = svg::document(&diagram);
    let number = |tag: &str, key: &str| -> f64 {
        let rest = tag.split(&format!(" {key}=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let boxes: Vec<[f64; 4]> = picture
        .split("<rect")
        .skip(1)
        .filter(|tag| !tag.starts_with(" class"))
        .map(|tag| ["x", "y", "width", "height"].map(|key| number(tag, key)))
        .collect();
    assert_eq!(boxes.len(), diagram.quantities.len());
    for (at, [x, y, width, height]) in boxes.iter().enumerate() {
        for [x2, y2, width2, height2] in &boxes[..at] {
            let apart =
                x + width <= *x2 || x2 + width2 <= *x || y + height <= *y2 || y2 + height2 <= *y;
            assert!(apart, "{boxes:?}");
        }
    }
}
