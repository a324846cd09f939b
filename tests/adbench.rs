//! The objectives of ADBench and GradBench: values, gradients, Hessians and products with them against outside numbers
//! (`tests/adbench`), the small ones by the reference evaluator, all of them by compiled code.

mod support;

use chainrule::{Shaped, derive_grad};
use chainrule_core::Compiled;
use chainrule_core::eval::{Array, Point, infer_dims};
use chainrule_core::ir::VarId;
use chainrule_grammar::ast::RequestKind;
use support::npz::Npz;
use support::{compiled, program, root, value};

/// Of the largest entry.
const TOLERANCE: f64 = 1e-10;

fn numbers(name: &str) -> Npz {
    Npz::read(&root().join("tests/adbench").join(name).with_extension("npz"))
}

fn close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let most = want.iter().fold(0.0_f64, |most, entry| most.max(entry.abs()));
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= TOLERANCE * most, "{what}[{at}]: {got}, not {want}");
    }
}

/// A program where its tensors, and directions, have these values.
struct Reference {
    compiled: Compiled,
    point: Point,
}

impl Reference {
    fn new(name: &str, lines: &str, at: &dyn Fn(&str) -> Option<Array>) -> Reference {
        let compiled = compiled(name, &format!("{}{lines}", program(name)));
        let mut point = Point::default();
        for (id, var) in compiled.graph.vars.iter().enumerate() {
            if let Some(array) = at(&var.name) {
                point.vars.insert(VarId(id as u32), array);
            }
        }
        point.dims = infer_dims(&compiled.graph, &point.vars).expect("shapes that fit");
        Reference { compiled, point }
    }

    fn loss(&self) -> f64 {
        value(&self.compiled, &self.point, self.compiled.losses[0].node).data[0]
    }

    fn derivative(&self, kind: RequestKind, wrt: &str) -> Vec<f64> {
        let all = &self.compiled.derivatives;
        let one = all.iter().find(|one| one.kind == kind && one.wrt.name == wrt);
        value(&self.compiled, &self.point, one.expect("a derivative").node).data
    }

    fn output(&self, name: &str) -> Array {
        let one = self.compiled.outputs.iter().find(|one| one.name == name).expect("an output");
        value(&self.compiled, &self.point, one.node)
    }
}

const GMM: [&str; 4] = ["alpha", "mu", "q", "l"];

/// All blocks of the Hessian, in the language.
fn blocks() -> String {
    let mut lines = String::new();
    for a in GMM {
        for b in GMM {
            lines.push_str(&format!("output H_{a}_{b} = d(d(F, {a}), {b});\n"));
        }
    }
    lines
}

/// The whole Hessian of its blocks, row-major.
fn whole(reference: &Reference) -> Vec<f64> {
    let sizes =
        GMM.map(|name| support::get(&reference.compiled, &reference.point, name).data.len());
    let (mut rows, total): (Vec<f64>, usize) = (Vec::new(), sizes.iter().sum());
    for (a, count) in GMM.iter().zip(sizes) {
        let blocks = GMM.map(|b| reference.output(&format!("H_{a}_{b}")).data);
        for row in 0..count {
            for (block, size) in blocks.iter().zip(sizes) {
                rows.extend(&block[row * size..(row + 1) * size]);
            }
        }
    }
    assert_eq!(rows.len(), total * total);
    rows
}

/// One of the two suites' signs of the prior, with the Hessian.
fn gmm_by_reference(file: &str, suite: &str) {
    let npz = numbers(file);
    let of = |name: &str| format!("{suite}.{name}");
    let reference = Reference::new("gmm", &blocks(), &|name| {
        Some(match (name, name.strip_suffix("_dot")) {
            ("s", _) => npz.get(&of("prior_sign")).clone(),
            (_, Some(variable)) if GMM.contains(&variable) => {
                npz.get(&of(&format!("v_{variable}"))).clone()
            }
            _ if GMM.contains(&name) || ["x", "gamma", "m"].contains(&name) => {
                npz.get(&format!("input.{name}")).clone()
            }
            _ => return None,
        })
    });
    let what = |part: &str| format!("{file}, {suite}: {part}");
    close(&[reference.loss()], npz.numbers(&of("objective")), &what("F"));
    for name in GMM {
        let (gradient, product) = (of(&format!("g_{name}")), of(&format!("hv_{name}")));
        close(&reference.derivative(RequestKind::Grad, name), npz.numbers(&gradient), &what(name));
        close(&reference.derivative(RequestKind::Hvp, name), npz.numbers(&product), &what(name));
    }
    close(&whole(&reference), npz.numbers(&of("hessian")), &what("the Hessian"));
}

#[test]
fn gaussian_mixture_by_the_reference() {
    gmm_by_reference("gmm_unit_d2_k3_n1", "adbench");
    gmm_by_reference("gmm_unit_d2_k3_n1", "gradbench");
    gmm_by_reference("gmm_d3_k4_n50_hessian", "gradbench");
}

#[test]
fn lstm_by_the_reference() {
    let npz = numbers("lstm_tiny_l2_b3_t6");
    let reference = Reference::new("lstm", "", &|name| {
        ["main", "extra", "state", "seq"]
            .contains(&name)
            .then(|| npz.get(&format!("input.{name}")).clone())
    });
    close(&[reference.loss()], npz.numbers("objective"), "F");
    for name in ["main", "extra"] {
        let want = npz.numbers(&format!("g_{name}"));
        close(&reference.derivative(RequestKind::Grad, name), want, name);
    }
}

#[test]
fn small_ones_by_the_reference() {
    let npz = numbers("kmeans_k10_n1000_d8");
    let reference = Reference::new("kmeans", "", &|name| match name {
        "p" => Some(npz.get("points").clone()),
        "c" => Some(npz.get("centroids").clone()),
        "c_dot" => Some(Array { data: vec![1.0; 80], shape: vec![10, 8] }),
        _ => None,
    });
    close(&[reference.loss()], npz.numbers("cost"), "cost");
    close(&reference.derivative(RequestKind::Grad, "c"), npz.numbers("gradient"), "gradient");
    close(&reference.derivative(RequestKind::Hvp, "c"), npz.numbers("hessian_diag"), "hessian");

    let npz = numbers("lse_n1000");
    let reference =
        Reference::new("logsumexp", "", &|name| (name == "x").then(|| npz.get("x").clone()));
    close(&[reference.loss()], npz.numbers("primal"), "f");
    close(&reference.derivative(RequestKind::Grad, "x"), npz.numbers("gradient"), "gradient");

    for file in ["llsq_n16_m128", "llsq_n1024_m128"] {
        let npz = numbers(file);
        let reference = Reference::new("least_squares", "", &|name| match name {
            "x" => Some(npz.get("x").clone()),
            "t" => Some(Array { data: points(&npz), shape: vec![npz.number("n") as usize] }),
            _ => None,
        });
        close(&[reference.loss()], npz.numbers("primal"), "E");
        close(&reference.derivative(RequestKind::Grad, "x"), npz.numbers("gradient"), "gradient");
    }
}

/// The points of the least squares problem.
fn points(npz: &Npz) -> Vec<f64> {
    let n = npz.number("n") as usize;
    (0..n).map(|i| -1.0 + 2.0 * i as f64 / (n - 1) as f64).collect()
}

derive_grad! { pub mod lstm_two_layers = "tests/nets/lstm_two_layers.grad"; }
derive_grad! { pub mod lstm_four_layers = "tests/nets/lstm_four_layers.grad"; }
derive_grad! { pub mod gmm = "examples/gmm.grad"; }
derive_grad! { pub mod kmeans = "examples/kmeans.grad"; }
derive_grad! { pub mod logsumexp = "examples/logsumexp.grad"; }
derive_grad! { pub mod least_squares = "examples/least_squares.grad"; }

fn joined(npz: &Npz, prefix: &str) -> Vec<f64> {
    GMM.iter().flat_map(|name| npz.numbers(&format!("{prefix}{name}")).to_vec()).collect()
}

#[test]
fn gaussian_mixture_compiled() {
    for file in ["d2_k5", "d10_k5", "d10_k25", "d20_k10", "d32_k25"] {
        let file = format!("gmm_{file}_n1000");
        let npz = numbers(&file);
        let [gamma, m, s] = ["gamma", "m", "prior_sign"].map(|name| npz.number(name));
        let (x, mu) = (npz.get("x"), npz.get("mu"));
        let dims = gmm::Dims { N: x.shape[0], D: x.shape[1], K: mu.shape[0] };
        let inputs = gmm::Inputs::new(dims, &x.data, &gamma, &m, &s).expect("shapes that fit");
        let mut params = gmm::Params::zeros(dims);
        params.as_mut_slice().copy_from_slice(&joined(&npz, ""));
        let (value, grads) = gmm::value_and_grad(&params, &inputs);
        close(&[value], npz.numbers("objective"), &file);
        close(grads.as_slice(), &joined(&npz, "g_"), &file);
        let mut ws = gmm::Workspace::new(&inputs);
        let [alpha, mu, q, l] = GMM.map(|name| npz.numbers(&format!("v_{name}")));
        let mut hv = GMM.map(|name| vec![0.0; npz.numbers(name).len()]);
        let [hv0, hv1, hv2, hv3] = &mut hv;
        gmm::hvp_F_alpha_mu_q_l(&params, &inputs, alpha, mu, q, l, &mut ws, hv0, hv1, hv2, hv3);
        for (name, got) in GMM.iter().zip(&hv) {
            close(got, npz.numbers(&format!("hv_{name}")), &format!("{file}: product, {name}"));
        }
    }
}

/// Holds a compiled LSTM to a file: loss and gradient, and the Hessian times a direction.
macro_rules! lstm_holds {
    ($lstm:ident, $file:literal) => {{
        let npz = numbers($file);
        let [main, extra, state, seq] = ["main", "extra", "state", "seq"].map(|name| npz.get(name));
        let seq = Shaped::new(&seq.data, &seq.shape).expect("as many numbers");
        let inputs = $lstm::Inputs::new(&seq, &state.data).expect("shapes that fit");
        let mut params = $lstm::Params::zeros(inputs.dims());
        params.as_mut_slice().copy_from_slice(&[main.data.as_slice(), &extra.data].concat());
        let (value, gradient) = $lstm::value_and_grad(&params, &inputs);
        close(&[value], npz.numbers("objective"), $file);
        close(gradient.main(), npz.numbers("g_main"), $file);
        close(gradient.extra(), npz.numbers("g_extra"), $file);
        let [v_main, v_extra] = ["v_main", "v_extra"].map(|name| npz.numbers(name));
        let (mut main, mut extra) = (vec![0.0; v_main.len()], vec![0.0; v_extra.len()]);
        let mut ws = $lstm::Workspace::new(&inputs);
        $lstm::hvp_F_main_extra(&params, &inputs, v_main, v_extra, &mut ws, &mut main, &mut extra);
        close(&main, npz.numbers("hv_main"), $file);
        close(&extra, npz.numbers("hv_extra"), $file);
    }};
}

#[test]
fn lstm_compiled() {
    lstm_holds!(lstm_two_layers, "lstm_l2_c1024");
    lstm_holds!(lstm_four_layers, "lstm_l4_c1024");
}

#[test]
fn k_means_compiled() {
    for file in ["kmeans_k10_n1000_d8", "kmeans_k100_n1000_d16"] {
        let npz = numbers(file);
        let (points, centroids) = (npz.get("points"), npz.get("centroids"));
        let dims = kmeans::Dims { N: points.shape[0], K: centroids.shape[0], D: points.shape[1] };
        let inputs = kmeans::Inputs::new(dims, &points.data).expect("shapes that fit");
        let mut params = kmeans::Params::zeros(dims);
        params.as_mut_slice().copy_from_slice(&centroids.data);
        let (value, gradient) = kmeans::value_and_grad(&params, &inputs);
        close(&[value], npz.numbers("cost"), file);
        close(gradient.as_slice(), npz.numbers("gradient"), file);
        let mut ws = kmeans::Workspace::new(&inputs);
        // The Hessian is diagonal: times a direction of ones it is its diagonal.
        let (ones, mut diagonal) =
            (vec![1.0; centroids.data.len()], vec![0.0; centroids.data.len()]);
        kmeans::hvp_cost_c(&params, &inputs, &ones, &mut ws, &mut diagonal);
        close(&diagonal, npz.numbers("hessian_diag"), file);
        let newton: Vec<f64> =
            gradient.as_slice().iter().zip(&diagonal).map(|(g, h)| g / h).collect();
        close(&newton, npz.numbers("dir"), file);
    }
}

#[test]
fn log_sum_exp_compiled() {
    let npz = numbers("lse_n1000");
    let x = npz.numbers("x");
    let dims = logsumexp::Dims { N: x.len() };
    let inputs = logsumexp::Inputs::new(dims).expect("shapes that fit");
    let mut params = logsumexp::Params::zeros(dims);
    params.as_mut_slice().copy_from_slice(x);
    let (value, gradient) = logsumexp::value_and_grad(&params, &inputs);
    close(&[value], npz.numbers("primal"), "f");
    close(gradient.as_slice(), npz.numbers("gradient"), "gradient");
    // (diag(p) − p pᵀ) v
    let (p, v): (&[f64], Vec<f64>) =
        (gradient.as_slice(), (0..x.len()).map(|i| (i as f64).sin()).collect());
    let mean: f64 = p.iter().zip(&v).map(|(p, v)| p * v).sum();
    let want: Vec<f64> = p.iter().zip(&v).map(|(p, v)| p * (v - mean)).collect();
    let mut hv = vec![0.0; x.len()];
    logsumexp::hvp_f_x(&params, &inputs, &v, &mut logsumexp::Workspace::new(&inputs), &mut hv);
    close(&hv, &want, "product");
}

#[test]
fn least_squares_compiled() {
    for file in ["llsq_n16_m128", "llsq_n1024_m128"] {
        let npz = numbers(file);
        let (x, t) = (npz.numbers("x"), points(&npz));
        let dims = least_squares::Dims { N: t.len(), M: x.len() };
        let inputs = least_squares::Inputs::new(dims, &t).expect("shapes that fit");
        let mut params = least_squares::Params::zeros(dims);
        params.as_mut_slice().copy_from_slice(x);
        let (value, gradient) = least_squares::value_and_grad(&params, &inputs);
        close(&[value], npz.numbers("primal"), file);
        close(gradient.as_slice(), npz.numbers("gradient"), file);
        // Aᵀ A v, and Aᵀ A itself.
        let v: Vec<f64> = (0..x.len()).map(|i| (i as f64).cos()).collect();
        let power = |i: usize, j: usize| t[i].powi(j as i32);
        let entry =
            |j: usize, k: usize| (0..t.len()).map(|i| power(i, j) * power(i, k)).sum::<f64>();
        let all: Vec<f64> =
            (0..x.len() * x.len()).map(|at| entry(at / x.len(), at % x.len())).collect();
        let want: Vec<f64> =
            all.chunks(x.len()).map(|row| row.iter().zip(&v).map(|(a, v)| a * v).sum()).collect();
        let (mut hv, mut hessian) = (vec![0.0; x.len()], vec![0.0; all.len()]);
        let mut ws = least_squares::Workspace::new(&inputs);
        least_squares::hvp_E_x(&params, &inputs, &v, &mut ws, &mut hv);
        least_squares::hessian_E_x(&params, &inputs, &mut ws, &mut hessian);
        close(&hv, &want, file);
        close(&hessian, &all, file);
    }
}
