//! Times the objectives of ADBench and GradBench (`tests/adbench`): gradient by objective, both ours, at run-time sizes; second derivatives
//! of mixtures. In: names of rows, or nothing for all. Out: a table. Values and gradients are held to the files before anything is timed.

#[path = "../../peers/src/measure.rs"]
#[allow(dead_code, reason = "shared with the peers")]
mod measure;
#[path = "../../../tests/support/npz.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod npz;

use chainrule::{Shaped, derive_grad};
use npz::Npz;
use std::hint::black_box;
use std::path::Path;

derive_grad! { pub mod lstm2 = "../../tests/nets/lstm_two_layers.grad"; }
derive_grad! { pub mod lstm4 = "../../tests/nets/lstm_four_layers.grad"; }
derive_grad! { pub mod gmm = "../../examples/gmm.grad"; }
derive_grad! { pub mod gmm_hessian = "../../tests/nets/gmm_hessian.grad"; }
derive_grad! { pub mod kmeans = "../../examples/kmeans.grad"; }
derive_grad! { pub mod lse = "../../examples/logsumexp.grad"; }
derive_grad! { pub mod llsq = "../../examples/least_squares.grad"; }

/// Of the largest entry.
const TOLERANCE: f64 = 1e-10;

fn numbers(name: &str) -> Npz {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/adbench");
    Npz::read(&folder.join(name).with_extension("npz"))
}

fn close(got: &[f64], want: &[f64], what: &str) {
    let most = want.iter().fold(0.0_f64, |most, entry| most.max(entry.abs()));
    assert_eq!(got.len(), want.len(), "{what}");
    assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() <= TOLERANCE * most), "{what}");
}

fn wanted(row: &str) -> bool {
    let rows: Vec<String> = std::env::args().skip(1).collect();
    rows.is_empty() || rows.iter().any(|one| row.contains(one.as_str()))
}

/// Checks one program at its numbers, then times both sides by turns. `$reference`: microseconds of the suites' hand-written C++
/// objective, as `tests/adbench/README.md` has them.
macro_rules! row {
    ($name:expr, $reference:expr, $net:ident, $inputs:expr, $at:expr, $value:expr, $gradient:expr) => {
        if wanted($name) {
            let inputs = $inputs;
            let mut params = $net::Params::zeros(inputs.dims());
            params.as_mut_slice().copy_from_slice($at);
            let (mut ws, mut grads) =
                ($net::Workspace::new(&inputs), $net::Params::zeros(inputs.dims()));
            let value = $net::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
            close(&[value], $value, $name);
            close(grads.as_slice(), $gradient, $name);
            let mut ratios = Vec::new();
            let (mut objective, mut gradient) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..5 {
                let one = measure::measure(|| {
                    black_box($net::forward(black_box(&params), black_box(&inputs), &mut ws));
                });
                let both = measure::measure(|| {
                    black_box($net::value_and_grad_into(
                        black_box(&params),
                        black_box(&inputs),
                        &mut ws,
                        &mut grads,
                    ));
                });
                ratios.push(both.median() / one.median());
                objective = objective.min(one.median());
                gradient = gradient.min(both.median());
            }
            ratios.sort_by(f64::total_cmp);
            println!(
                "| {} | {:.1} | {:.1} | {:.2} | {:.2} |",
                $name,
                objective,
                gradient,
                ratios[2],
                gradient / $reference
            );
        }
    };
}

const GMM: [&str; 4] = ["alpha", "mu", "q", "l"];

/// The product of the Hessian of a mixture with a direction, and for one of them the whole Hessian: held to the product in the file.
fn second_derivatives(name: &str, npz: &Npz, whole: bool) {
    let all = |prefix: &str| GMM.map(|part| npz.numbers(&format!("{prefix}{part}")).to_vec());
    let (at, [alpha, mu, q, l], want) = (all("").concat(), &all("v_"), all("hv_"));
    let [gamma, m, s] = ["gamma", "m", "prior_sign"].map(|name| npz.number(name));
    let (x, centres) = (npz.get("x"), npz.get("mu"));
    let [n, d, k] = [x.shape[0], x.shape[1], centres.shape[0]];
    let inputs = gmm::Inputs::new(gmm::Dims { N: n, D: d, K: k }, &x.data, &gamma, &m, &s)
        .expect("shapes that fit");
    let mut params = gmm::Params::zeros(inputs.dims());
    params.as_mut_slice().copy_from_slice(&at);
    let (mut ws, mut grads) = (gmm::Workspace::new(&inputs), gmm::Params::zeros(inputs.dims()));
    let mut product = want.clone().map(|part| vec![0.0; part.len()]);
    let mut ratios = Vec::new();
    let mut least = f64::INFINITY;
    for _ in 0..5 {
        let gradient = measure::measure(|| {
            black_box(gmm::value_and_grad_into(black_box(&params), &inputs, &mut ws, &mut grads));
        });
        let [p0, p1, p2, p3] = &mut product;
        let both = measure::measure(|| {
            gmm::hvp_F_alpha_mu_q_l(
                black_box(&params),
                &inputs,
                alpha,
                mu,
                q,
                l,
                &mut ws,
                p0,
                p1,
                p2,
                p3,
            );
        });
        ratios.push(both.median() / gradient.median());
        least = least.min(both.median());
    }
    close(&product.concat(), &want.concat(), name);
    ratios.sort_by(f64::total_cmp);
    println!("{name}: Hessian times a direction {least:.1} µs, {:.2} gradients", ratios[2]);
    if !whole {
        return;
    }
    let inputs =
        gmm_hessian::Inputs::new(gmm_hessian::Dims { N: n, D: d, K: k }, &x.data, &gamma, &m, &s)
            .expect("shapes that fit");
    let mut params = gmm_hessian::Params::zeros(inputs.dims());
    params.as_mut_slice().copy_from_slice(&at);
    let mut ws = gmm_hessian::Workspace::new(&inputs);
    let h = gmm_hessian::forward(&params, &inputs, &mut ws);
    let upper = [
        vec![h.H_alpha_alpha, h.H_alpha_mu, h.H_alpha_q, h.H_alpha_l],
        vec![h.H_mu_mu, h.H_mu_q, h.H_mu_l],
        vec![h.H_q_q, h.H_q_l],
        vec![h.H_l_l],
    ];
    let direction = [alpha, mu, q, l];
    let mut product = want.clone().map(|part| vec![0.0; part.len()]);
    for (a, row) in upper.iter().enumerate() {
        for (b, block) in (a..).zip(row) {
            let width = direction[b].len();
            for (i, entries) in block.chunks(width).enumerate() {
                for (j, entry) in entries.iter().enumerate() {
                    product[a][i] += entry * direction[b][j];
                    if a != b {
                        product[b][j] += entry * direction[a][i];
                    }
                }
            }
        }
    }
    close(&product.concat(), &want.concat(), "the Hessian");
    let times = measure::measure(|| {
        black_box(gmm_hessian::forward(black_box(&params), &inputs, &mut ws));
    });
    println!("{name}: the whole Hessian {:.1} ms", times.median() / 1e3);
}

fn main() {
    println!(
        "| row | objective, µs | gradient, µs | gradient / objective | gradient / C++ objective |\n|---|---|---|---|---|"
    );
    for (file, reference) in [
        ("d2_k5", 84.0),
        ("d10_k5", 410.0),
        ("d10_k25", 2104.0),
        ("d20_k10", 1558.0),
        ("d32_k25", 6638.0),
    ] {
        let npz = numbers(&format!("gmm_{file}_n1000"));
        let joined = |prefix: &str| -> Vec<f64> {
            GMM.iter().flat_map(|name| npz.numbers(&format!("{prefix}{name}")).to_vec()).collect()
        };
        let [gamma, m, s] = ["gamma", "m", "prior_sign"].map(|name| npz.number(name));
        let (x, mu) = (npz.get("x"), npz.get("mu"));
        let dims = gmm::Dims { N: x.shape[0], D: x.shape[1], K: mu.shape[0] };
        row!(
            &format!("gmm {file}"),
            reference,
            gmm,
            gmm::Inputs::new(dims, &x.data, &gamma, &m, &s).expect("shapes that fit"),
            &joined(""),
            npz.numbers("objective"),
            &joined("g_")
        );
    }
    macro_rules! lstm {
        ($name:literal, $reference:expr, $net:ident, $file:literal) => {{
            let npz = numbers($file);
            let [main, extra, state, seq] =
                ["main", "extra", "state", "seq"].map(|name| npz.get(name));
            let seq = Shaped::new(&seq.data, &seq.shape).expect("as many numbers");
            row!(
                $name,
                $reference,
                $net,
                $net::Inputs::new(&seq, &state.data).expect("shapes that fit"),
                &[main.data.as_slice(), &extra.data].concat(),
                npz.numbers("objective"),
                &[npz.numbers("g_main"), npz.numbers("g_extra")].concat()
            );
        }};
    }
    lstm!("lstm l2 c1024", 1410.0, lstm2, "lstm_l2_c1024");
    lstm!("lstm l4 c1024", 2713.0, lstm4, "lstm_l4_c1024");
    for (file, reference) in [("kmeans_k10_n1000_d8", 30.0), ("kmeans_k100_n1000_d16", 543.0)] {
        let npz = numbers(file);
        let (points, centroids) = (npz.get("points"), npz.get("centroids"));
        let dims = kmeans::Dims { N: points.shape[0], K: centroids.shape[0], D: points.shape[1] };
        row!(
            file,
            reference,
            kmeans,
            kmeans::Inputs::new(dims, &points.data).expect("shapes that fit"),
            &centroids.data,
            npz.numbers("cost"),
            npz.numbers("gradient")
        );
    }
    let npz = numbers("lse_n1000");
    let x = npz.numbers("x");
    row!(
        "lse n1000",
        7.9,
        lse,
        lse::Inputs::new(lse::Dims { N: x.len() }).expect("shapes that fit"),
        x,
        npz.numbers("primal"),
        npz.numbers("gradient")
    );
    for (file, reference) in [("llsq_n16_m128", 2.1), ("llsq_n1024_m128", 102.0)] {
        let npz = numbers(file);
        let n = npz.number("n") as usize;
        let t: Vec<f64> = (0..n).map(|i| -1.0 + 2.0 * i as f64 / (n - 1) as f64).collect();
        let x = npz.numbers("x");
        row!(
            file,
            reference,
            llsq,
            llsq::Inputs::new(llsq::Dims { N: n, M: x.len() }, &t).expect("shapes that fit"),
            x,
            npz.numbers("primal"),
            npz.numbers("gradient")
        );
    }
    println!();
    for file in ["d2_k5", "d10_k5", "d10_k25", "d20_k10", "d32_k25"] {
        let name = format!("gmm {file}");
        if wanted(&name) {
            second_derivatives(&name, &numbers(&format!("gmm_{file}_n1000")), file == "d10_k5");
        }
    }
}
