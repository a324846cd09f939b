//! The classic test functions of optimisation: value, gradient and Hessian against the closed forms that `argmin_testfunctions` has
//! worked out by hand. All of its functions can be said in the language; none is left out.

mod support;

use argmin_testfunctions as by_hand;
use chainrule_core::eval::{Array, Point};
use chainrule_core::ir::VarId;
use chainrule_core::ops::probe::Random;
use chainrule_core::{Compiled, Source, compile};
use support::value;

/// Value, gradient, and Hessian row by row.
type Known = (f64, Vec<f64>, Vec<f64>);

/// A function, its program, how many variables it is tried with, where, and what is known of it.
struct Row {
    name: &'static str,
    program: &'static str,
    sizes: &'static [usize],
    domain: &'static [(f64, f64)],
    known: fn(&[f64]) -> Known,
}

/// A function of two variables.
macro_rules! two {
    ($name:ident, $derivative:ident, $hessian:ident, $domain:expr, $program:literal) => {
        Row {
            name: stringify!($name),
            program: concat!(
                "param x: [2]; x1 = x[0]; x2 = x[1]; ",
                $program,
                " hessian f wrt x; grad f wrt x;"
            ),
            sizes: &[2],
            domain: &$domain,
            known: |x| {
                let x = &[x[0], x[1]];
                let hessian = by_hand::$hessian(x).concat();
                (by_hand::$name(x), by_hand::$derivative(x).to_vec(), hessian)
            },
        }
    };
}

/// A function of any number of variables.
macro_rules! any {
    ($name:ident, $derivative:ident, $hessian:ident, $domain:expr, $program:literal) => {
        Row {
            name: stringify!($name),
            program: concat!("dim N; param x: [N]; ", $program, " hessian f wrt x; grad f wrt x;"),
            sizes: &[2, 3, 5],
            domain: &$domain,
            known: |x| (by_hand::$name(x), by_hand::$derivative(x), by_hand::$hessian(x).concat()),
        }
    };
}

const ROWS: &[Row] = &[
    any!(
        ackley,
        ackley_derivative,
        ackley_hessian,
        [(-32.768, 32.768)],
        "loss f = -20*exp(-0.2*sqrt(mean(x^2))) - exp(mean(cos(2*pi*x))) + 20 + exp(1);"
    ),
    two!(
        beale,
        beale_derivative,
        beale_hessian,
        [(-4.5, 4.5)],
        "loss f = (1.5 - x1 + x1*x2)^2 + (2.25 - x1 + x1*x2^2)^2 + (2.625 - x1 + x1*x2^3)^2;"
    ),
    two!(
        booth,
        booth_derivative,
        booth_hessian,
        [(-10.0, 10.0)],
        "loss f = (x1 + 2*x2 - 7)^2 + (2*x1 + x2 - 5)^2;"
    ),
    two!(
        bukin_n6,
        bukin_n6_derivative,
        bukin_n6_hessian,
        [(-15.0, -5.0), (-3.0, 3.0)],
        "loss f = 100*sqrt(abs(x2 - 0.01*x1^2)) + 0.01*abs(x1 + 10);"
    ),
    two!(
        cross_in_tray,
        cross_in_tray_derivative,
        cross_in_tray_hessian,
        [(-10.0, 10.0)],
        "loss f = -0.0001*(abs(sin(x1)*sin(x2)*exp(abs(100 - norm2(x)/pi))) + 1)^0.1;"
    ),
    two!(
        easom,
        easom_derivative,
        easom_hessian,
        [(1.0, 5.0)],
        "loss f = -cos(x1)*cos(x2)*exp(-(x1 - pi)^2 - (x2 - pi)^2);"
    ),
    two!(
        eggholder,
        eggholder_derivative,
        eggholder_hessian,
        [(-512.0, 512.0)],
        "loss f = -(x2 + 47)*sin(sqrt(abs(x2 + x1/2 + 47))) - x1*sin(sqrt(abs(x1 - (x2 + 47))));"
    ),
    two!(
        goldsteinprice,
        goldsteinprice_derivative,
        goldsteinprice_hessian,
        [(-2.0, 2.0)],
        "a = 1 + (x1 + x2 + 1)^2 * (19 - 14*x1 + 3*x1^2 - 14*x2 + 6*x1*x2 + 3*x2^2);
         b = 30 + (2*x1 - 3*x2)^2 * (18 - 32*x1 + 12*x1^2 + 48*x2 - 36*x1*x2 + 27*x2^2);
         loss f = a*b;"
    ),
    two!(
        himmelblau,
        himmelblau_derivative,
        himmelblau_hessian,
        [(-5.0, 5.0)],
        "loss f = (x1^2 + x2 - 11)^2 + (x1 + x2^2 - 7)^2;"
    ),
    two!(
        holder_table,
        holder_table_derivative,
        holder_table_hessian,
        [(-10.0, 10.0)],
        "loss f = -abs(sin(x1)*cos(x2)*exp(abs(1 - norm2(x)/pi)));"
    ),
    // The crate sums from the second variable on, in value and derivatives alike, where its documentation says from the first.
    any!(
        levy,
        levy_derivative,
        levy_hessian,
        [(-10.0, 10.0)],
        "w = 1 + (x - 1)/4;
         g = (w - 1)^2 * where(range(N) < N - 1, 1 + 10*sin(pi*w + 1)^2, 1 + sin(2*pi*w)^2) * (range(N) > 0);
         loss f = sin(pi*w[0])^2 + sum(g);"
    ),
    two!(
        levy_n13,
        levy_n13_derivative,
        levy_n13_hessian,
        [(-10.0, 10.0)],
        "loss f = sin(3*pi*x1)^2 + (x1 - 1)^2*(1 + sin(3*pi*x2)^2) + (x2 - 1)^2*(1 + sin(2*pi*x2)^2);"
    ),
    two!(
        matyas,
        matyas_derivative,
        matyas_hessian,
        [(-10.0, 10.0)],
        "loss f = 0.26*(x1^2 + x2^2) - 0.48*x1*x2;"
    ),
    two!(
        mccormick,
        mccormick_derivative,
        mccormick_hessian,
        [(-1.5, 4.0), (-3.0, 4.0)],
        "loss f = sin(x1 + x2) + (x1 - x2)^2 - 1.5*x1 + 2.5*x2 + 1;"
    ),
    two!(
        picheny,
        picheny_derivative,
        picheny_hessian,
        [(0.0, 1.0)],
        "y1 = 4*x1 - 2; y2 = 4*x2 - 2;
         a = 1 + (y1 + y2 + 1)^2 * (19 - 14*y1 + 3*y1^2 - 14*y2 + 6*y1*y2 + 3*y2^2);
         b = 30 + (2*y1 - 3*y2)^2 * (18 - 32*y1 + 12*y1^2 + 48*y2 - 36*y1*y2 + 27*y2^2);
         loss f = 1/2.427 * (log10(a*b) - 8.693);"
    ),
    any!(
        rastrigin,
        rastrigin_derivative,
        rastrigin_hessian,
        [(-5.12, 5.12)],
        "loss f = 10*N + sum[i](x[i]^2 - 10*cos(2*pi*x[i]));"
    ),
    Row {
        name: "rosenbrock",
        program: "dim N; param x: [N];
             loss f = sum[i : N - 1]((1 - x[i])^2 + 100*(x[i+1] - x[i]^2)^2);
             hessian f wrt x; grad f wrt x;",
        sizes: &[2, 3, 8],
        domain: &[(-2.0, 2.0)],
        known: |x| {
            let hessian = by_hand::rosenbrock_hessian(x).concat();
            (by_hand::rosenbrock(x), by_hand::rosenbrock_derivative(x), hessian)
        },
    },
    two!(
        schaffer_n2,
        schaffer_n2_derivative,
        schaffer_n2_hessian,
        [(-5.0, 5.0)],
        "loss f = 0.5 + (sin(x1^2 - x2^2)^2 - 0.5) / (1 + 0.001*(x1^2 + x2^2))^2;"
    ),
    two!(
        schaffer_n4,
        schaffer_n4_derivative,
        schaffer_n4_hessian,
        [(-5.0, 5.0)],
        "loss f = 0.5 + (cos(sin(abs(x1^2 - x2^2)))^2 - 0.5) / (1 + 0.001*(x1^2 + x2^2))^2;"
    ),
    any!(sphere, sphere_derivative, sphere_hessian, [(-3.0, 3.0)], "loss f = sum(x^2);"),
    any!(
        styblinski_tang,
        styblinski_tang_derivative,
        styblinski_tang_hessian,
        [(-5.0, 5.0)],
        "loss f = 1/2 * sum[i](x[i]^4 - 16*x[i]^2 + 5*x[i]);"
    ),
    two!(
        threehumpcamel,
        threehumpcamel_derivative,
        threehumpcamel_hessian,
        [(-5.0, 5.0)],
        "loss f = 2*x1^2 - 1.05*x1^4 + x1^6/6 + x1*x2 + x2^2;"
    ),
    // The tool warns that nothing depends on x, as it should.
    any!(zero, zero_derivative, zero_hessian, [(-5.0, 5.0)], "loss f = 0*sum(x);"),
];

const POINTS: usize = 20;

/// The program where x is this.
fn ours(compiled: &Compiled, x: &[f64]) -> Known {
    let mut point = Point::default();
    point.vars.insert(VarId(0), Array { shape: vec![x.len()], data: x.to_vec() });
    point.dims = chainrule_core::eval::infer_dims(&compiled.graph, &point.vars).expect("sizes");
    let loss = value(compiled, &point, compiled.losses[0].node).data[0];
    let [gradient, hessian] = [1, 2]
        .map(|order| value(compiled, &point, support::derivative(compiled, "f", "x", order)).data);
    (loss, gradient, hessian)
}

fn close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let most = want.iter().fold(1e-300_f64, |most, entry| most.max(entry.abs()));
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1e-10 * most, "{what}: {got}, not {want}");
    }
}

#[test]
fn values_gradients_and_hessians() {
    let mut random = Random(20);
    for row in ROWS {
        let source = Source::new(row.name, row.program);
        let compiled = compile(&source);
        let said: String = compiled
            .diagnostics
            .iter()
            .filter(|one| one.is_error())
            .map(|one| one.render(&source))
            .collect();
        assert!(said.is_empty(), "{said}");
        for at in 0..POINTS {
            let size = row.sizes[at % row.sizes.len()];
            let x: Vec<f64> =
                (0..size).map(|i| random.within(row.domain[i.min(row.domain.len() - 1)])).collect();
            let (got, want) = (ours(&compiled, &x), (row.known)(&x));
            let what = format!("{} at {x:?}", row.name);
            close(&[got.0], &[want.0], &what);
            close(&got.1, &want.1, &format!("the gradient of {what}"));
            close(&got.2, &want.2, &format!("the Hessian of {what}"));
        }
    }
}
