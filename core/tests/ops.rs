//! The table of functions: every row is complete, and reference values are right, also where numbers are extreme.

use chainrule_core::eval::Array;
use chainrule_core::ir::Attrs;
use chainrule_core::ops::{self, Eval, Kind, Mirror, OpSpec, Range, Rule, probe_points};
use std::f64::consts::{E, LN_2};

fn row(name: &str, args: usize) -> &'static OpSpec {
    ops::lookup(name, args).expect("the function exists").1
}

fn scalar(name: &str, args: &[f64]) -> f64 {
    match row(name, args.len()).eval {
        Eval::Scalar(f) => f(args),
        _ => panic!("{name} is not elementwise"),
    }
}

fn fold(name: &str, x: &[f64]) -> f64 {
    match row(name, 1).eval {
        Eval::Fold(f) => f(x),
        _ => panic!("{name} is not a reduction"),
    }
}

fn lane(name: &str, x: &[f64]) -> Vec<f64> {
    match row(name, 1).eval {
        Eval::Lane(f) => f(x),
        _ => panic!("{name} does not act along an axis"),
    }
}

fn tensor(name: &str, args: &[Array]) -> Array {
    match row(name, args.len()).eval {
        Eval::Tensor(f) => f(args, &Attrs::default()),
        _ => panic!("{name} is not a matrix function"),
    }
}

fn matrix(rows: usize, data: &[f64]) -> Array {
    Array::new(&[rows, data.len() / rows], data.to_vec()).expect("the entries fill the rows")
}

fn close(found: f64, wanted: f64, tolerance: f64) -> bool {
    found == wanted
        || (found.is_nan() && wanted.is_nan())
        || (found - wanted).abs() <= tolerance * wanted.abs().max(1e-300)
}

#[track_caller]
fn assert_all_close(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len());
    for (f, w) in found.iter().zip(wanted) {
        assert!((f - w).abs() <= tolerance * w.abs().max(1.0), "{found:?} is not {wanted:?}");
    }
}

#[test]
fn every_row_is_complete() {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for (_, family, row) in ops::all() {
        let name = row.name;
        assert!(row.doc.ends_with('.'), "{family}: {name} has a sentence");
        assert!(!row.params.is_empty(), "{name} has arguments");
        assert!(row.defaults.len() < row.params.len() || row.params.len() <= 1, "{name}");
        for spelling in row.aliases.iter().chain([&row.name]) {
            let key = (*spelling, row.params.len());
            assert!(!names.contains(&key), "{spelling} stands twice in the table");
            names.push(key);
        }
        if matches!(row.kind, Kind::Build { .. }) {
            continue;
        }
        assert!(!row.latex.is_empty(), "{name} has a LaTeX form");
        assert_eq!(braces(row.latex), 0, "{name}: braces of the LaTeX form balance");
        assert_eq!(braces(row.rust), 0, "{name}: braces of the Rust form balance");
        let formulas = match row.rule {
            Rule::Partials(formulas) | Rule::Vjp(formulas) => formulas.len(),
            Rule::VjpByRank(lists) => {
                assert!(lists.iter().all(|list| list.len() == row.params.len()), "{name}");
                row.params.len()
            }
            _ => row.params.len(),
        };
        assert_eq!(formulas, row.params.len(), "{name} has a formula for each argument");
        let defined = matches!(row.rule, Rule::Via(_));
        assert!(defined || !row.rust.is_empty(), "{name} has a Rust form");
        if matches!(row.kind, Kind::Elementwise) && !defined {
            assert!(row.rust.contains("{0}"), "{name} has a Rust form of its argument");
        }
        if matches!(row.eval, Eval::Defined) {
            assert!(defined, "{name} has a value");
        }
    }
}

fn braces(text: &str) -> i32 {
    let mut depth = 0;
    for c in text.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        assert!(depth >= 0, "{text}");
    }
    depth
}

#[test]
fn the_language_page_is_covered() {
    let elementwise = "exp log log1p expm1 log2 log10 sqrt cbrt square reciprocal abs sign floor ceil round sin cos tan \
        asin acos atan sinh cosh tanh asinh acosh atanh sigmoid logsigmoid softplus softsign relu leaky_relu relu6 elu \
        selu celu gelu gelu_tanh silu swish mish hardtanh hardsigmoid hardswish erf erfc erfinv lgamma digamma step \
        sum mean prod max min var std logsumexp norm norm1 norm2 norminf argmax argmin all any softmax log_softmax \
        cumsum cumprod sort normalize layer_norm rms_norm batch_norm det logdet inv cholesky triu tril";
    let two = "atan2 max min pow hypot solve mse mae cross_entropy softmax_cross_entropy bce bce_with_logits nll \
        kl_div hinge huber smooth_l1 cosine_similarity";
    let fits = |name: &str, args: usize| {
        let row = row(name, args);
        row.params.len() >= args && row.params.len() - row.defaults.len() <= args
    };
    assert!(elementwise.split_whitespace().all(|name| fits(name, 1)));
    assert!(two.split_whitespace().all(|name| fits(name, 2)));
    assert!(fits("clamp", 3) && fits("where", 3));
}

#[test]
fn probe_points_lie_inside_the_domain_and_give_numbers() {
    for (_, _, row) in ops::all() {
        let Eval::Scalar(f) = row.eval else { continue };
        let points = probe_points(row, 20, 7);
        assert_eq!(points, probe_points(row, 20, 7), "{} is sampled the same every time", row.name);
        for point in points {
            assert_eq!(point.len(), row.params.len());
            assert!(f(&point).is_finite(), "{} at {point:?}", row.name);
            assert!(
                row.probe.kinks.iter().all(|kink| (kink - point[0]).abs() > 0.01),
                "{}",
                row.name
            );
        }
        for (point, _) in row.probe.points {
            assert_eq!(point.len(), row.params.len(), "{}", row.name);
        }
    }
}

/// Values computed with 40 digits by an independent program.
const VALUES: &[(&str, &[f64], f64)] = &[
    ("exp", &[-20.5], 1.2501528663867426e-09),
    ("exp", &[1.0], E),
    ("log", &[0.3], -1.2039728043259361),
    ("log", &[7.5], 2.0149030205422647),
    ("log1p", &[1e-12], 9.999999999995e-13),
    ("log1p", &[-0.5], -LN_2),
    ("expm1", &[1e-12], 1.0000000000005e-12),
    ("expm1", &[-3.0], -0.950212931632136),
    ("log2", &[0.3], -1.7369655941662063),
    ("log10", &[0.3], -0.5228787452803376),
    ("cbrt", &[-2.0], -1.2599210498948732),
    ("sin", &[0.7], 0.644217687237691),
    ("sin", &[-1.9], -0.9463000876874145),
    ("cos", &[0.7], 0.7648421872844885),
    ("cos", &[-1.9], -0.32328956686350335),
    ("tan", &[0.7], 0.8422883804630794),
    ("tan", &[-1.9], 2.9270975146777736),
    ("asin", &[0.7], 0.775397496610753),
    ("acos", &[0.7], 0.7953988301841436),
    ("acos", &[-0.3], 1.8754889808102941),
    ("atan", &[0.7], 0.6107259643892086),
    ("atan", &[-1.9], -1.0863183977578734),
    ("sinh", &[0.7], 0.7585837018395335),
    ("sinh", &[-1.9], -3.268162911528317),
    ("cosh", &[0.7], 1.255169005630943),
    ("cosh", &[-1.9], 3.417731530750952),
    ("tanh", &[0.7], 0.6043677771171635),
    ("tanh", &[-1.9], -0.9562374581277391),
    ("asinh", &[1e-09], 1e-09),
    ("asinh", &[-2.0], -1.4436354751788103),
    ("acosh", &[1.0001], 0.014142017775251545),
    ("acosh", &[3.0], 1.762747174039086),
    ("atanh", &[0.7], 0.8673005276940531),
    ("atanh", &[1e-10], 1e-10),
    ("sigmoid", &[0.7], 0.668187772168166),
    ("sigmoid", &[-700.0], 9.85967654375977e-305),
    ("logsigmoid", &[0.7], -0.4031860488854579),
    ("logsigmoid", &[-40.0], -40.0),
    ("logsigmoid", &[40.0], -4.248354255291589e-18),
    ("softplus", &[0.7], 1.103186048885458),
    ("softplus", &[-40.0], 4.248354255291589e-18),
    ("softplus", &[40.0], 40.0),
    ("softsign", &[0.7], 0.4117647058823529),
    ("softsign", &[-1.9], -0.6551724137931034),
    ("gelu", &[0.7], 0.5306254434438489),
    ("gelu", &[-8.0], -4.976768459417427e-15),
    ("gelu_tanh", &[0.7], 0.5305701347051167),
    ("gelu_tanh", &[-1.9], -0.05454876554466741),
    ("silu", &[0.7], 0.46773144051771626),
    ("silu", &[-1.9], -0.24720610128969592),
    ("mish", &[0.7], 0.5611483776438518),
    ("mish", &[-1.9], -0.2631329363767348),
    ("selu", &[0.7], 0.7354906911488363),
    ("selu", &[-1.9], -1.4951428499806099),
    ("erf", &[0.7], 0.6778011938374184),
    ("erf", &[-1.9], -0.9927904292352575),
    ("erfc", &[0.7], 0.32219880616258156),
    ("erfc", &[6.0], 2.1519736712498913e-17),
    ("erfc", &[-2.0], 1.9953222650189528),
    ("erfcx", &[-1.9], 73.66559625598332),
    ("erfcx", &[0.7], 0.525930337349441),
    ("erfcx", &[7.9], 0.07085747736739713),
    ("erfcx", &[8.1], 0.06913392017734316),
    ("erfcx", &[100.0], 0.005641613782989433),
    ("logerfc", &[-1.9], 0.6895358822823103),
    ("logerfc", &[1e-09], -1.1283791677321324e-09),
    ("logerfc", &[0.7], -1.1325865135143411),
    ("logerfc", &[7.9], -65.05708478041282),
    ("logerfc", &[8.1], -68.28170978330824),
    ("logerfc", &[100.0], -10005.177585122665),
    ("erfinv", &[0.1], 0.08885599049425769),
    ("erfinv", &[-0.7], -0.7328690779592167),
    ("erfinv", &[0.999999], 3.458910737275499),
    ("erfinv", &[1e-09], 8.86226925452758e-10),
    ("erfinv", &[0.5], 0.4769362762044699),
    ("erfinv", &[0.49999], 0.4769251504153166),
    ("lgamma", &[0.3], 1.0957979948180756),
    ("lgamma", &[1.0001], -5.771334222047127e-05),
    ("lgamma", &[12.5], 18.734347511936445),
    ("lgamma", &[-1.5], 0.860047015376481),
    ("lgamma", &[100000.0], 1051287.7089736569),
    ("digamma", &[0.3], -3.502524222200133),
    ("digamma", &[8.0], 2.01564147795561),
    ("digamma", &[-1.3], 2.8825405488661673),
    ("digamma", &[1000000.0], 13.815510057964191),
    ("trigamma", &[0.3], 12.245364546107732),
    ("trigamma", &[2.5], 0.49035775610023485),
    ("trigamma", &[40.0], 0.02531510384129103),
    ("trigamma", &[-1.3], 14.53687624413708),
    ("pow", &[1.7, -2.3], 0.29509882538342097),
    ("hypot", &[3e+300, 4e+300], 5e+300),
    ("atan2", &[-1.0, -2.0], -2.677945044588987),
    ("elu", &[-1.3, 2.0], -1.454936413931975),
    ("celu", &[-1.3, 2.0], -0.9559084464779679),
    ("hardswish", &[1.5], 1.125),
    ("hardsigmoid", &[1.5], 0.75),
    ("huber_curve", &[-3.0, 2.0], 4.0),
    ("leaky_relu", &[-3.0, 0.25], -0.75),
    ("recip0", &[0.0], 0.0),
    ("round", &[2.5], 2.0),
    ("round", &[3.5], 4.0),
    ("sign", &[-0.3], -1.0),
    ("clamp", &[2.0, -1.0, 1.0], 1.0),
    ("where", &[0.0, 2.0, 3.0], 3.0),
    ("where", &[2.0, 2.0, 3.0], 2.0),
    ("lt", &[1.0, 2.0], 1.0),
    ("le", &[1.0, 2.0], 1.0),
    ("gt", &[1.0, 2.0], 0.0),
    ("ge", &[1.0, 2.0], 0.0),
    ("eq", &[1.0, 2.0], 0.0),
    ("ne", &[1.0, 2.0], 1.0),
    ("lt", &[2.0, 2.0], 0.0),
    ("le", &[2.0, 2.0], 1.0),
    ("gt", &[2.0, 2.0], 0.0),
    ("ge", &[2.0, 2.0], 1.0),
    ("eq", &[2.0, 2.0], 1.0),
    ("ne", &[2.0, 2.0], 0.0),
];

#[test]
fn scalar_values_are_right() {
    for (name, args, wanted) in VALUES {
        let found = scalar(name, args);
        assert!(close(found, *wanted, 4e-14), "{name}{args:?} gave {found:?}, not {wanted:?}");
    }
}

#[test]
fn extreme_arguments_stay_finite_or_say_so() {
    let inf = f64::INFINITY;
    for (name, x, wanted) in [
        ("sigmoid", 1e4, 1.0),
        ("sigmoid", -1e4, 0.0),
        ("sigmoid", -inf, 0.0),
        ("softplus", 1e4, 1e4),
        ("softplus", -1e4, 0.0),
        ("softplus", inf, inf),
        ("logsigmoid", -1e4, -1e4),
        ("logsigmoid", 1e4, 0.0),
        ("tanh", 1e4, 1.0),
        ("gelu", -1e4, 0.0),
        ("silu", -1e4, 0.0),
        ("mish", 1e4, 1e4),
        ("elu", -1e4, -1.0),
        ("erf", inf, 1.0),
        ("erfinv", 1.0, inf),
        ("erfinv", -1.0, -inf),
        ("log", 0.0, -inf),
        ("lgamma", 0.0, inf),
        ("relu", inf, inf),
        ("step", 0.0, 0.0),
        ("sign", 0.0, 0.0),
    ] {
        let args: Vec<f64> = if name == "elu" { vec![x, 1.0] } else { vec![x] };
        assert!(close(scalar(name, &args), wanted, 1e-15), "{name}({x}) = {}", scalar(name, &args));
    }
    for (name, args) in [("erfinv", 1.5), ("log", -1.0), ("acosh", 0.5)] {
        assert!(scalar(name, &[args]).is_nan(), "{name}");
    }
}

#[test]
fn nan_is_passed_on() {
    for (_, _, row) in ops::all() {
        let Eval::Scalar(f) = row.eval else { continue };
        let truth = matches!(row.name, "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "step" | "where");
        if !truth {
            let mut point = probe_points(row, 1, 3).remove(0);
            point[0] = f64::NAN;
            assert!(f(&point).is_nan(), "{}", row.name);
        }
    }
    assert!(scalar("max", &[1.0, f64::NAN]).is_nan() && scalar("min", &[f64::NAN, 1.0]).is_nan());
    assert!(
        fold("max", &[1.0, f64::NAN, 2.0]).is_nan() && fold("norm2", &[f64::NAN, 2.0]).is_nan()
    );
    assert!(fold("logsumexp", &[f64::NAN, 2.0]).is_nan());
    assert_eq!(fold("argmax", &[1.0, f64::NAN, 2.0]), 1.0);
}

#[test]
fn reductions_are_right_and_do_not_overflow() {
    assert!(close(fold("logsumexp", &[1e4, 1e4]), 1e4 + LN_2, 1e-15));
    assert!(close(fold("logsumexp", &[-1e4, -1e4]), -1e4 + LN_2, 1e-15));
    assert_eq!(fold("logsumexp", &[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
    assert_eq!(fold("logsumexp", &[f64::INFINITY, 1.0]), f64::INFINITY);
    assert!(close(fold("norm2", &[3e200, 4e200]), 5e200, 1e-15));
    assert!(close(fold("norm2", &[3e-200, 4e-200]), 5e-200, 1e-15));
    assert_eq!((fold("norm2", &[0.0, 0.0]), fold("norm2", &[])), (0.0, 0.0));
    assert_eq!((fold("sum", &[]), fold("prod", &[])), (0.0, 1.0));
    assert_eq!((fold("max", &[2.0, 5.0]), fold("min", &[2.0, 5.0])), (5.0, 2.0));
    assert_eq!((fold("argmax", &[2.0, 5.0, 5.0]), fold("argmin", &[2.0, 1.0, 1.0])), (1.0, 1.0));
    assert_eq!((fold("all", &[1.0, 0.0]), fold("any", &[1.0, 0.0])), (0.0, 1.0));
    assert!(close(fold("std", &[1.0, 2.0, 3.0, 4.0]), 1.25f64.sqrt(), 1e-15));
}

#[test]
fn functions_along_an_axis_are_right() {
    assert_all_close(&lane("softmax", &[1e4, 1e4]), &[0.5, 0.5], 1e-15);
    assert_all_close(&lane("softmax", &[f64::NEG_INFINITY, 0.0]), &[0.0, 1.0], 1e-15);
    assert_all_close(&lane("log_softmax", &[1e4, 0.0]), &[0.0, -1e4], 1e-15);
    assert_eq!(lane("cumsum", &[1.0, 2.0, 3.0]), [1.0, 3.0, 6.0]);
    assert_eq!(lane("cumprod", &[1.0, 2.0, 3.0]), [1.0, 2.0, 6.0]);
    assert_eq!(lane("prod_others", &[0.0, 2.0, 3.0]), [6.0, 0.0, 0.0]);
    assert_eq!(lane("sort", &[3.0, -1.0, 2.0]), [-1.0, 2.0, 3.0]);
}

#[test]
fn linear_algebra_is_right() {
    let a = matrix(3, &[0.0, 2.0, 1.0, 1.0, -1.0, 3.0, 4.0, 1.0, 0.5]);
    assert!(close(tensor("det", std::slice::from_ref(&a)).data[0], 28.0, 1e-14));
    assert!(close(tensor("logdet", std::slice::from_ref(&a)).data[0], 28f64.ln(), 1e-14));
    assert!(tensor("logdet", &[matrix(2, &[1.0, 2.0, 3.0, 4.0])]).data[0].is_nan());
    assert_eq!(tensor("logdet", &[matrix(2, &[1.0, 2.0, 2.0, 4.0])]).data[0], f64::NEG_INFINITY);
    let tiny = matrix(2, &[-1e-200, 0.0, 0.0, -1e-200]);
    assert!(close(tensor("logdet", &[tiny]).data[0], 2.0 * 1e-200f64.ln(), 1e-14));
    let identity = product(&a, &tensor("inv", std::slice::from_ref(&a)));
    assert_all_close(&identity.data, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 1e-14);
    let b = Array::new(&[3], vec![1.0, 2.0, 3.0]).expect("three entries");
    let x = tensor("solve", &[a.clone(), b.clone()]);
    assert_eq!(x.shape, [3]);
    let back: Vec<f64> = (0..3).map(|i| (0..3).map(|k| a.at(&[i, k]) * x.data[k]).sum()).collect();
    assert_all_close(&back, &b.data, 1e-14);
}

#[test]
fn factorisations_multiply_back() {
    let a = matrix(3, &[4.0, 1.0, -0.5, 1.0, 3.0, 0.25, -0.5, 0.25, 2.0]);
    let l = tensor("cholesky", std::slice::from_ref(&a));
    assert_all_close(&product(&l, &transposed(&l)).data, &a.data, 1e-14);
    assert!(tensor("cholesky", &[matrix(2, &[1.0, 2.0, 2.0, 1.0])]).data[3].is_nan());
    let (values, vectors) = (
        tensor("eigvalsh", std::slice::from_ref(&a)),
        tensor("eigvecsh", std::slice::from_ref(&a)),
    );
    let scaled = Array::from_fn(&[3, 3], |ix| vectors.at(ix) * values.data[ix[1]]);
    assert_all_close(&product(&scaled, &transposed(&vectors)).data, &a.data, 1e-14);
    assert!(values.data.is_sorted());
    for wide in [false, true] {
        let x = matrix(3, &[1.0, 2.0, -1.0, 0.5, 3.0, 0.25]);
        let x = if wide { transposed(&x) } else { x };
        let parts =
            ["svd_u", "svdvals", "svd_v"].map(|name| tensor(name, std::slice::from_ref(&x)));
        let [u, s, v] = parts;
        let scaled = Array::from_fn(&u.shape, |ix| u.at(ix) * s.data[ix[1]]);
        assert_all_close(&product(&scaled, &transposed(&v)).data, &x.data, 1e-14);
        assert!(s.data[0] > s.data[1] && s.data[1] > 0.0);
    }
}

#[test]
fn triangles() {
    let a = matrix(2, &[1.0, 2.0, 3.0, 4.0]);
    let k = |k: f64| Array::scalar(k);
    assert_eq!(tensor("tril", &[a.clone(), k(0.0)]).data, [1.0, 0.0, 3.0, 4.0]);
    assert_eq!(tensor("tril", &[a.clone(), k(-1.0)]).data, [0.0, 0.0, 3.0, 0.0]);
    assert_eq!(tensor("triu", &[a.clone(), k(1.0)]).data, [0.0, 2.0, 0.0, 0.0]);
}

/// What a row says of 1/x and of symmetric matrices is so.
#[test]
fn further_facts_of_rows() {
    for (.., row) in ops::all().filter(|(.., row)| row.guarded) {
        let Eval::Scalar(eval) = row.eval else { panic!("{}: not of one number", row.name) };
        assert_eq!([eval(&[0.0]), eval(&[-4.0]), eval(&[0.5])], [0.0, -0.25, 2.0], "{}", row.name);
    }
    for (.., row) in ops::all() {
        for other in row.absorbs.iter().chain(row.signed_by.iter()) {
            for (x, y) in [-2.5, -1.0, 0.0, 0.5, 2.0].into_iter().flat_map(|x| [(x, 0.0), (x, 0.5)])
            {
                let own = [x, y];
                let value = scalar(row.name, &own[..row.params.len()]);
                let zero = if row.params.len() == 1 { 0.0 } else { y };
                let times = match ops::lookup(other, 2).filter(|(_, row)| row.params.len() == 2) {
                    Some(_) => scalar(other, &[x, zero]),
                    None => scalar(other, &[x]),
                };
                let wanted = if row.absorbs.contains(other) { value } else { x };
                assert_eq!(value * times, wanted, "{} and {other} at {x}, {y}", row.name);
            }
        }
    }
    for (.., row) in ops::all().filter(|(.., row)| row.positive_alike) {
        for x in [-1e300, -2.5, -5e-324, 0.0, 5e-324, 2.5, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(scalar(row.name, &[x]) > 0.0, x > 0.0, "{} at {x}", row.name);
        }
    }
    let even = matrix(2, &[2.0, 0.5, 0.5, 1.0]);
    for (.., row) in ops::all().filter(|(.., row)| row.symmetric) {
        let made = tensor(row.name, std::slice::from_ref(&even));
        assert!((made.at(&[0, 1]) - made.at(&[1, 0])).abs() < 1e-15, "{}", row.name);
    }
}

/// Simplification uses what is said of values.
#[test]
fn values_lie_where_rows_say() {
    let at = [-800.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 0.5, 3.0, 40.0, 800.0];
    let mut judged = 0;
    for (.., row) in ops::all().filter(|(.., row)| row.range != Range::Any) {
        let values = match row.eval {
            Eval::Scalar(eval) => {
                let domain = row.probe.domain;
                let (low, high) = domain.get(1).copied().unwrap_or((-1.0, 1.0));
                let pairs = at.iter().flat_map(|x| [low, high].map(|y| [*x, y]));
                pairs.map(|pair| eval(&pair[..row.params.len().min(2)])).collect()
            }
            Eval::Lane(eval) => eval(&at),
            Eval::Fold(eval) => vec![eval(&at)],
            _ => continue,
        };
        let fits = |value: &f64| match row.range {
            // Too small for a float, it is 0.
            Range::Positive | Range::Simplex | Range::Nonnegative => *value >= 0.0,
            Range::Nonpositive => *value <= 0.0,
            Range::Any => true,
        };
        let wrong: Vec<f64> =
            values.into_iter().filter(|value| !value.is_nan() && !fits(value)).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?} is not {:?}", row.name, row.range);
        judged += usize::from(row.range == Range::Nonpositive);
    }
    assert!(judged >= 2, "the logarithms of sigmoid and softmax are judged");
}

fn product(a: &Array, b: &Array) -> Array {
    Array::from_fn(&[a.shape[0], b.shape[1]], |ix| {
        (0..a.shape[1]).map(|k| a.at(&[ix[0], k]) * b.at(&[k, ix[1]])).sum()
    })
}

fn transposed(a: &Array) -> Array {
    Array::from_fn(&[a.shape[1], a.shape[0]], |ix| a.at(&[ix[1], ix[0]]))
}

/// What a row says of f(-x) is so.
#[test]
fn values_at_the_opposite_argument() {
    for (.., row) in ops::all().filter(|(.., row)| row.mirror != Mirror::None) {
        let Eval::Scalar(eval) = row.eval else { panic!("{}: not of one number", row.name) };
        for point in probe_points(row, 20, 7) {
            let opposite: Vec<f64> = point.iter().map(|x| -x).collect();
            let (x, y, found) = (point[0], eval(&point), eval(&opposite));
            let said = match row.mirror {
                Mirror::None => found,
                Mirror::Even => y,
                Mirror::Odd => -y,
                Mirror::Inverse => 1.0 / y,
                Mirror::Complement => 1.0 - y,
                Mirror::Turned(other) => match ops::spec(ops::known(other, 1)).eval {
                    Eval::Scalar(other) => -other(&[x]),
                    _ => panic!("{other}: not of one number"),
                },
                Mirror::Swapped(other) => match ops::spec(ops::known(other, 2)).eval {
                    Eval::Scalar(other) => other(&point),
                    _ => panic!("{other}: not of two numbers"),
                },
            };
            let error = (found - said).abs();
            assert!(
                error <= 1e-12 * (1.0 + said.abs()),
                "{}(-{x}) is {found}, not {said}",
                row.name
            );
        }
    }
}
