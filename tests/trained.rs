//! The examples of the gallery, run: what they print is asserted here.
#![allow(clippy::duplicate_mod, reason = "every example brings the common part with it")]

#[path = "../examples/clusters.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod clusters;
#[path = "../examples/digits_mlp.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod digits_mlp;
#[path = "../examples/hyperplane_perceptron.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod hyperplane_perceptron;
#[path = "../examples/multi_perceptron.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod multi_perceptron;
#[path = "../examples/regression.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod regression;
#[path = "../examples/single_perceptron.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod single_perceptron;
#[path = "../examples/softmax_mse.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod softmax_mse;
mod support;
#[path = "../examples/two_inputs_two_losses.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod two_inputs_two_losses;
#[path = "../examples/two_layer_linear.rs"]
#[allow(dead_code, reason = "its main is not run")]
mod two_layer_linear;

use chainrule_core::Source;

/// A program without its documentation, formatted.
fn normal(text: &str) -> String {
    let source = Source::new("program", text.to_string());
    let (program, errors) = chainrule_grammar::parse(&source);
    assert!(errors.is_empty(), "{text}");
    let formatted = chainrule_grammar::format(&program);
    let lines = formatted.lines().filter(|line| !line.trim_start().starts_with("///"));
    lines.filter(|line| !line.trim().is_empty()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn programs_in_place_are_those_of_the_files() {
    assert_eq!(
        normal(single_perceptron::ten_inputs::SOURCE),
        normal(&support::program("single_perceptron_10"))
    );
    assert_eq!(normal(softmax_mse::softmax_mse::SOURCE), normal(&support::program("softmax_mse")));
    assert!(
        digits_mlp::digits_mlp::LATEX.contains(r"\frac{Y - T}{B}"),
        "the derivation travels with the code"
    );
}

#[test]
fn single_perceptron() {
    let (by_hand, by_differences) = single_perceptron::weights_of_one();
    assert!(by_hand < 1e-15 && by_differences < 1e-6, "{by_hand}, {by_differences}");
    let losses = single_perceptron::learn(&[0.5, -0.2, 0.1]);
    assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "the loss falls with every step");
    assert!(losses[199] < 1e-2 * losses[0], "{} -> {}", losses[0], losses[199]);
}

#[test]
fn multi_perceptron() {
    for (n, m) in [(3, 2), (10, 5), (1, 1)] {
        let (count, worst) = multi_perceptron::check(n, m);
        assert_eq!(count, n * m);
        assert!(worst < 1e-6, "{n} × {m}: {worst}");
    }
}

#[test]
fn softmax_mse() {
    let (by_w, by_b) = softmax_mse::gradients();
    for row in by_w.iter().chain([&by_b]) {
        assert!(row.iter().sum::<f64>().abs() < 1e-15, "{row:?}");
        assert!(row.iter().any(|entry| entry.abs() > 1e-3), "{row:?}");
    }
}

#[test]
fn two_layer_linear() {
    for (name, size, mut step) in two_layer_linear::optimisers() {
        let losses = two_layer_linear::train(size, &mut step);
        assert_eq!(losses.len(), 7, "{name}: at the start, and after every 500 steps");
        assert!(losses[1] < 0.5 * losses[0], "{name}: {losses:?}");
        // The best that a linear map without a constant can do with this data is about 0.4111.
        assert!(losses[6] > 0.41 && losses[6] < 0.415, "{name}: {losses:?}");
    }
}

#[test]
fn hyperplane_perceptron() {
    for seed in 1..=5 {
        let learnt = hyperplane_perceptron::learn(seed);
        assert_eq!(learnt.wrong, 0, "seed {seed}: separated");
        assert!(learnt.margin > 0.0 && learnt.checked < 1e-6, "seed {seed}: {}", learnt.checked);
    }
}

#[test]
fn two_inputs_two_losses() {
    let data = two_inputs_two_losses::Data::new(7);
    let (errors, off) = two_inputs_two_losses::check(&data);
    assert!(errors.iter().all(|error| *error < 1e-5), "{errors:?}");
    assert!(off < 1e-15, "total = main + 0.2 · auxiliary: {off}");
    let [before, after] = two_inputs_two_losses::train(&data, 100);
    for (before, after) in before.iter().zip(after) {
        assert!(after < 0.3 * before, "{before} -> {after}");
    }
}

#[test]
fn regression() {
    let slope = regression::slope();
    assert!((slope - 2.0).abs() < 0.1, "{slope}");
    let sizes = regression::newton(7);
    assert!(sizes[6] < 1e-9, "Newton's method converges: {sizes:?}");
    assert!(regression::classify(100) > 0.95);
}

#[test]
fn digits_are_read() {
    let checked = digits_mlp::check(0);
    assert!(checked < 1e-6, "gradient check: {checked}");
    let mut accuracies = Vec::new();
    for seed in 1..=5 {
        let trained = digits_mlp::train(seed);
        let last = trained.validation.len() - 1;
        assert!(trained.validation[last] < 0.15 * trained.validation[0], "seed {seed}");
        assert!(trained.training[last] < trained.validation[last], "seed {seed}");
        accuracies.push(trained.accuracy());
    }
    accuracies.sort_by(f64::total_cmp);
    assert!(accuracies[2] >= 0.96, "the median of {accuracies:?}");
    assert!(accuracies[0] >= 0.94, "the worst of {accuracies:?}");
}

#[test]
fn clusters() {
    let points = clusters::clouds();
    let (posterior, means) = clusters::mixture(&points);
    assert!(posterior.is_sorted(), "the posterior rises: {posterior:?}");
    let (costs, centroids) = clusters::nearest(&points);
    assert!(
        costs.is_sorted_by(|a, b| a >= b) && costs[8] == costs[9],
        "the cost settles: {costs:?}"
    );
    let near = |found: &[f64], (at, centre): (usize, &[f64; 2])| {
        (0..2).all(|axis| (found[2 * at + axis] - centre[axis]).abs() < 0.15)
    };
    for found in [means, centroids] {
        assert!(clusters::CENTRES.iter().enumerate().all(|one| near(&found, one)), "{found:?}");
    }
}
