//! Rows of the rule book: functions that act entry by entry.
//!
//! Partial derivatives are formulas over the arguments' names and the value `y`. Comparisons are 1 where true and 0 where
//! false. Conventions at kinks and ties are PyTorch's, and each stands in the doc of its row.

use super::spec::{
    Kind, Mirror, OpSpec, Operator, Probe, Range, Rule, alike, defined, elementwise, kinks, on,
    probe_at, unary,
};
use crate::eval::special;
use chainrule_grammar::ast::CompareOp;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA_SCALE: f64 = 1.758_099_340_847_376_9;

const TRUTH: Probe = on(&[(-3.0, 3.0)]);

/// The rows.
pub const ROWS: &[OpSpec] = &[
    // Exponentials and logarithms.
    OpSpec {
        doc: "The exponential function.",
        rule: Rule::Partials(&["y"]),
        latex: r"\exp",
        rust: "{0}.exp()",
        each: "exp_each",
        python: alike("xp.exp({0})"),
        c: "exp({0})",
        range: Range::Positive,
        mirror: Mirror::Inverse,
        ..unary("exp", |a| a[0].exp())
    },
    OpSpec {
        aliases: &["ln"],
        doc: "The natural logarithm.",
        rule: Rule::Partials(&["1/x"]),
        latex: r"\log",
        rust: "{0}.ln()",
        each: "ln_each",
        python: alike("xp.log({0})"),
        c: "log({0})",
        probe: on(&[(0.1, 4.0)]),
        ..unary("log", |a| a[0].ln())
    },
    OpSpec {
        doc: "log(1 + x), precise for small x.",
        rule: Rule::Partials(&["1/(1 + x)"]),
        latex: r"\operatorname{log1p}",
        rust: "{0}.log1p()",
        each: "log1p_each",
        python: alike("xp.log1p({0})"),
        c: "log1p({0})",
        probe: on(&[(-0.8, 3.0)]),
        ..unary("log1p", |a| a[0].ln_1p())
    },
    OpSpec {
        doc: "exp(x) - 1, precise for small x.",
        rule: Rule::Partials(&["exp(x)"]),
        latex: r"\operatorname{expm1}",
        rust: "{0}.expm1()",
        each: "expm1_each",
        python: alike("xp.expm1({0})"),
        c: "expm1({0})",
        ..unary("expm1", |a| a[0].exp_m1())
    },
    OpSpec {
        doc: "The logarithm to base 2.",
        rule: Rule::Partials(&["1/(x*log(2))"]),
        latex: r"\log_2",
        rust: "{0}.log2()",
        python: alike("xp.log2({0})"),
        c: "log2({0})",
        probe: on(&[(0.1, 4.0)]),
        ..unary("log2", |a| a[0].log2())
    },
    OpSpec {
        doc: "The logarithm to base 10.",
        rule: Rule::Partials(&["1/(x*log(10))"]),
        latex: r"\log_{10}",
        rust: "{0}.log10()",
        python: alike("xp.log10({0})"),
        c: "log10({0})",
        probe: on(&[(0.1, 4.0)]),
        ..unary("log10", |a| a[0].log10())
    },
    // Powers and roots.
    OpSpec {
        doc: "The square root.",
        latex: r"\sqrt{{0}}",
        rust: "{0}.sqrt()",
        probe: on(&[(0.1, 4.0)]),
        range: Range::Nonnegative,
        ..defined("sqrt", &["x"], Kind::Elementwise, "x^(1/2)")
    },
    OpSpec {
        doc: "The cube root, also of negative numbers.",
        rule: Rule::Partials(&["1/(3*y^2)"]),
        latex: r"\sqrt[3]{{0}}",
        rust: "{0}.cbrt()",
        python: ["np.cbrt({0})", "jnp.cbrt({0})", "_cbrt({0})"],
        c: "cbrt({0})",
        probe: kinks(&[0.0]),
        mirror: Mirror::Odd,
        ..unary("cbrt", |a| a[0].cbrt())
    },
    OpSpec {
        doc: "x times x.",
        latex: r"{0}^2",
        range: Range::Nonnegative,
        ..defined("square", &["x"], Kind::Elementwise, "x^2")
    },
    OpSpec {
        doc: "One divided by x.",
        latex: r"\frac{1}{{0}}",
        probe: kinks(&[0.0]),
        ..defined("reciprocal", &["x"], Kind::Elementwise, "1/x")
    },
    OpSpec {
        doc: "One divided by x, and 0 at 0, with derivative 0 there: what a norm's gradient needs at the origin.",
        rule: Rule::Partials(&["-y^2"]),
        latex: r"\frac{1}{{0}}",
        rust: "if {0} == F::ZERO { F::ZERO } else { F::ONE / {0} }",
        python: alike("_recip0({0})"),
        c: "{0} == 0 ? 0 : 1 / {0}",
        probe: probe_at(&[(-3.0, 3.0)], &[0.0], &[(&[0.0], 0.0)]),
        guarded: true,
        ..unary("recip0", |a| if a[0] == 0.0 { 0.0 } else { 1.0 / a[0] })
    },
    OpSpec {
        aliases: &["power"],
        doc: "a to the power b; the derivative by b is 0 where a is 0.",
        rule: Rule::Partials(&["b*a^(b - 1)", "where(a == 0, 0, y*log(a))"]),
        latex: r"{0}^{{1}}",
        rust: "{0}.powf({1})",
        counted: "powers",
        python: ["np.power({0}, {1})", "jnp.power({0}, {1})", "torch.pow({0}, {1})"],
        c: "pow({0}, {1})",
        probe: on(&[(0.2, 3.0), (-2.0, 2.0)]),
        operator: Some(Operator::Power),
        ..elementwise("pow", &["a", "b"], |a| a[0].powf(a[1]))
    },
    OpSpec {
        doc: "The length of (a, b), without overflow; the derivatives at (0, 0) are 0.",
        rule: Rule::Partials(&["a*recip0(y)", "b*recip0(y)"]),
        latex: r"\operatorname{hypot}",
        rust: "{0}.hypot({1})",
        python: alike("xp.hypot({0}, {1})"),
        c: "hypot({0}, {1})",
        probe: on(&[(0.3, 3.0), (-3.0, 3.0)]),
        range: Range::Nonnegative,
        ..elementwise("hypot", &["a", "b"], |a| a[0].hypot(a[1]))
    },
    // Trigonometric and hyperbolic functions.
    OpSpec {
        doc: "The sine.",
        rule: Rule::Partials(&["cos(x)"]),
        latex: r"\sin",
        rust: "{0}.sin()",
        each: "sin_each",
        python: alike("xp.sin({0})"),
        c: "sin({0})",
        mirror: Mirror::Odd,
        ..unary("sin", |a| a[0].sin())
    },
    OpSpec {
        doc: "The cosine.",
        rule: Rule::Partials(&["-sin(x)"]),
        latex: r"\cos",
        rust: "{0}.cos()",
        each: "cos_each",
        python: alike("xp.cos({0})"),
        c: "cos({0})",
        mirror: Mirror::Even,
        ..unary("cos", |a| a[0].cos())
    },
    OpSpec {
        doc: "The tangent.",
        rule: Rule::Partials(&["1 + y^2"]),
        latex: r"\tan",
        rust: "{0}.tan()",
        python: alike("xp.tan({0})"),
        c: "tan({0})",
        probe: on(&[(-1.3, 1.3)]),
        mirror: Mirror::Odd,
        ..unary("tan", |a| a[0].tan())
    },
    OpSpec {
        aliases: &["arcsin"],
        doc: "The angle whose sine is x.",
        rule: Rule::Partials(&["1/sqrt(1 - x^2)"]),
        latex: r"\arcsin",
        rust: "{0}.asin()",
        python: alike("xp.arcsin({0})"),
        c: "asin({0})",
        probe: on(&[(-0.9, 0.9)]),
        mirror: Mirror::Odd,
        ..unary("asin", |a| a[0].asin())
    },
    OpSpec {
        aliases: &["arccos"],
        doc: "The angle whose cosine is x.",
        rule: Rule::Partials(&["-1/sqrt(1 - x^2)"]),
        latex: r"\arccos",
        rust: "{0}.acos()",
        python: alike("xp.arccos({0})"),
        c: "acos({0})",
        probe: on(&[(-0.9, 0.9)]),
        ..unary("acos", |a| a[0].acos())
    },
    OpSpec {
        aliases: &["arctan"],
        doc: "The angle whose tangent is x.",
        rule: Rule::Partials(&["1/(1 + x^2)"]),
        latex: r"\arctan",
        rust: "{0}.atan()",
        python: alike("xp.arctan({0})"),
        c: "atan({0})",
        mirror: Mirror::Odd,
        ..unary("atan", |a| a[0].atan())
    },
    OpSpec {
        aliases: &["arctan2"],
        doc: "The angle of the point with height a and width b.",
        rule: Rule::Partials(&["b/(a^2 + b^2)", "-a/(a^2 + b^2)"]),
        latex: r"\operatorname{atan2}",
        rust: "{0}.atan2({1})",
        python: alike("xp.arctan2({0}, {1})"),
        c: "atan2({0}, {1})",
        probe: on(&[(0.2, 3.0), (-3.0, 3.0)]),
        ..elementwise("atan2", &["a", "b"], |a| a[0].atan2(a[1]))
    },
    OpSpec {
        doc: "The hyperbolic sine.",
        rule: Rule::Partials(&["cosh(x)"]),
        latex: r"\sinh",
        rust: "{0}.sinh()",
        python: alike("xp.sinh({0})"),
        c: "sinh({0})",
        mirror: Mirror::Odd,
        ..unary("sinh", |a| a[0].sinh())
    },
    OpSpec {
        doc: "The hyperbolic cosine.",
        rule: Rule::Partials(&["sinh(x)"]),
        latex: r"\cosh",
        rust: "{0}.cosh()",
        python: alike("xp.cosh({0})"),
        c: "cosh({0})",
        range: Range::Positive,
        mirror: Mirror::Even,
        ..unary("cosh", |a| a[0].cosh())
    },
    OpSpec {
        doc: "The hyperbolic tangent.",
        rule: Rule::Partials(&["1 - y^2"]),
        latex: r"\tanh",
        rust: "{0}.tanh()",
        each: "tanh_each",
        python: alike("xp.tanh({0})"),
        c: "tanh({0})",
        mirror: Mirror::Odd,
        ..unary("tanh", |a| a[0].tanh())
    },
    OpSpec {
        aliases: &["arcsinh"],
        doc: "The inverse of sinh.",
        rule: Rule::Partials(&["1/sqrt(x^2 + 1)"]),
        latex: r"\operatorname{arsinh}",
        rust: "{0}.asinh()",
        python: alike("xp.arcsinh({0})"),
        c: "asinh({0})",
        mirror: Mirror::Odd,
        ..unary("asinh", |a| special::asinh(a[0]))
    },
    OpSpec {
        aliases: &["arccosh"],
        doc: "The inverse of cosh, for x over 1.",
        rule: Rule::Partials(&["1/sqrt(x^2 - 1)"]),
        latex: r"\operatorname{arcosh}",
        rust: "{0}.acosh()",
        python: alike("xp.arccosh({0})"),
        c: "acosh({0})",
        probe: on(&[(1.2, 4.0)]),
        ..unary("acosh", |a| special::acosh(a[0]))
    },
    OpSpec {
        aliases: &["arctanh"],
        doc: "The inverse of tanh, for x between -1 and 1.",
        rule: Rule::Partials(&["1/(1 - x^2)"]),
        latex: r"\operatorname{artanh}",
        rust: "{0}.atanh()",
        python: alike("xp.arctanh({0})"),
        c: "atanh({0})",
        probe: on(&[(-0.9, 0.9)]),
        mirror: Mirror::Odd,
        ..unary("atanh", |a| special::atanh(a[0]))
    },
    // Activations.
    OpSpec {
        aliases: &["logistic"],
        doc: "The logistic function 1/(1 + exp(-x)).",
        rule: Rule::Partials(&["y*(1 - y)"]),
        latex: r"\sigma",
        rust: "{0}.sigmoid()",
        each: "sigmoid_each",
        python: ["_sigmoid({0})", "jax.nn.sigmoid({0})", "torch.sigmoid({0})"],
        c: "cr_sigmoid({0})",
        range: Range::Positive,
        mirror: Mirror::Complement,
        ..unary("sigmoid", |a| special::sigmoid(a[0]))
    },
    OpSpec {
        aliases: &["log_sigmoid"],
        doc: "The logarithm of the sigmoid, finite for very negative x.",
        rule: Rule::Partials(&["sigmoid(-x)"]),
        latex: r"\log\sigma",
        rust: "{0}.logsigmoid()",
        python: [
            "-np.logaddexp(0, -{0})",
            "jax.nn.log_sigmoid({0})",
            "torch.nn.functional.logsigmoid({0})",
        ],
        c: "-cr_softplus(-{0})",
        mirror: Mirror::Turned("softplus"),
        range: Range::Nonpositive,
        ..unary("logsigmoid", |a| -special::softplus(-a[0]))
    },
    OpSpec {
        doc: "log(1 + exp(x)), finite for large x.",
        rule: Rule::Partials(&["sigmoid(x)"]),
        latex: r"\operatorname{softplus}",
        rust: "{0}.softplus()",
        each: "softplus_each",
        python: [
            "np.logaddexp(0, {0})",
            "jax.nn.softplus({0})",
            "-torch.nn.functional.logsigmoid(-{0})",
        ],
        c: "cr_softplus({0})",
        range: Range::Positive,
        ..unary("softplus", |a| special::softplus(a[0]))
    },
    OpSpec {
        doc: "x/(1 + |x|).",
        rule: Rule::Partials(&["1/(1 + abs(x))^2"]),
        latex: r"\operatorname{softsign}",
        rust: "{0} / (F::ONE + {0}.abs())",
        python: ["_softsign({0})", "jax.nn.soft_sign({0})", "torch.nn.functional.softsign({0})"],
        c: "{0} / (1 + fabs({0}))",
        mirror: Mirror::Odd,
        ..unary("softsign", |a| a[0] / (1.0 + a[0].abs()))
    },
    OpSpec {
        doc: "The positive part of x; its derivative at 0 is 0.",
        rule: Rule::Partials(&["x > 0"]),
        latex: r"\operatorname{relu}",
        rust: "if {0} <= F::ZERO { F::ZERO } else { {0} }",
        python: ["np.maximum({0}, 0)", "jax.nn.relu({0})", "torch.relu({0})"],
        c: "{0} <= 0 ? 0 : {0}",
        probe: probe_at(&[(-3.0, 3.0)], &[0.0], &[(&[0.0], 0.0), (&[1e300], 1.0)]),
        range: Range::Nonnegative,
        absorbs: &["gt", "ge"],
        positive_alike: true,
        ..unary("relu", |a| if a[0] <= 0.0 { 0.0 } else { a[0] })
    },
    OpSpec {
        params: &["x", "slope"],
        defaults: &["0.01"],
        doc: "x where positive, else slope*x; its derivative at 0 is the slope.",
        rule: Rule::Partials(&["where(x > 0, 1, slope)", "min(x, 0)"]),
        latex: r"\operatorname{leakyrelu}",
        rust: "if {0} > F::ZERO { {0} } else { {1} * {0} }",
        python: alike("_leaky_relu({0}, {1})"),
        c: "{0} > 0 ? {0} : {1} * {0}",
        probe: probe_at(&[(-3.0, 3.0), (0.01, 0.5)], &[0.0], &[(&[0.0, 0.25], 0.25)]),
        ..unary("leaky_relu", |a| if a[0] > 0.0 { a[0] } else { a[1] * a[0] })
    },
    OpSpec {
        doc: "x cut off below 0 and above 6; its derivative at 0 and at 6 is 0.",
        rule: Rule::Partials(&["(x > 0)*(x < 6)"]),
        latex: r"\operatorname{relu6}",
        rust: "{0}.maximum(F::ZERO).minimum(F::from_f64(6.0))",
        python: alike("xp.clip({0}, 0, 6)"),
        c: "cr_smaller(cr_larger({0}, 0), 6)",
        probe: probe_at(&[(-3.0, 9.0)], &[0.0, 6.0], &[(&[0.0], 0.0), (&[6.0], 0.0)]),
        range: Range::Nonnegative,
        ..unary("relu6", |a| special::clamp(a[0], 0.0, 6.0))
    },
    OpSpec {
        params: &["x", "alpha"],
        defaults: &["1"],
        doc: "x where positive, else alpha*(exp(x) - 1).",
        rule: Rule::Partials(&["where(x > 0, 1, y + alpha)", "expm1(min(x, 0))"]),
        latex: r"\operatorname{elu}",
        rust: "if {0} > F::ZERO { {0} } else { {1} * {0}.expm1() }",
        python: alike("_elu({0}, {1})"),
        c: "{0} > 0 ? {0} : {1} * expm1({0})",
        probe: probe_at(&[(-3.0, 3.0), (0.5, 2.0)], &[0.0], &[(&[0.0, 1.0], 1.0)]),
        ..unary("elu", |a| if a[0] > 0.0 { a[0] } else { a[1] * a[0].exp_m1() })
    },
    OpSpec {
        doc: "The self-normalising elu: a fixed multiple of elu with a fixed alpha.",
        rule: Rule::Partials(&["where(x > 0, 1.0507009873554805, y + 1.7580993408473769)"]),
        latex: r"\operatorname{selu}",
        rust: "if {0} > F::ZERO { F::from_f64(1.0507009873554805) * {0} } else { F::from_f64(1.7580993408473769) * {0}.expm1() }",
        python: alike("_selu({0})"),
        c: "{0} > 0 ? 1.0507009873554805 * {0} : 1.7580993408473769 * expm1({0})",
        probe: kinks(&[0.0]),
        ..unary("selu", |a| {
            if a[0] > 0.0 { SELU_SCALE * a[0] } else { SELU_ALPHA_SCALE * a[0].exp_m1() }
        })
    },
    OpSpec {
        params: &["x", "alpha"],
        defaults: &["1"],
        doc: "x where positive, else alpha*(exp(x/alpha) - 1); smooth for every alpha.",
        rule: Rule::Partials(&[
            "where(x > 0, 1, y/alpha + 1)",
            "where(x > 0, 0, y/alpha - x/alpha*(y/alpha + 1))",
        ]),
        latex: r"\operatorname{celu}",
        rust: "if {0} > F::ZERO { {0} } else { {1} * ({0} / {1}).expm1() }",
        python: alike("_celu({0}, {1})"),
        c: "{0} > 0 ? {0} : {1} * expm1({0} / {1})",
        probe: probe_at(&[(-3.0, 3.0), (0.5, 2.0)], &[0.0], &[(&[0.0, 2.0], 1.0)]),
        ..unary("celu", |a| if a[0] > 0.0 { a[0] } else { a[1] * (a[0] / a[1]).exp_m1() })
    },
    OpSpec {
        doc: "x times the normal distribution function at x, exactly.",
        rule: Rule::Partials(&["(1 + erf(x/sqrt(2)))/2 + x*exp(-x^2/2)/sqrt(2*pi)"]),
        latex: r"\operatorname{gelu}",
        rust: "{0}.gelu()",
        each: "gelu_each",
        python: ["_gelu({0})", "jax.nn.gelu({0}, approximate=False)", "_gelu({0})"],
        c: "0.5 * {0} * erfc(-{0} * 0.7071067811865476)",
        ..unary("gelu", |a| 0.5 * a[0].max(-1e3) * special::erfc(-a[0] * FRAC_1_SQRT_2))
    },
    OpSpec {
        doc: "The approximation of gelu by tanh.",
        rule: Rule::Partials(&[
            "(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))/2 + x/2*(1 - tanh(sqrt(2/pi)*(x + 0.044715*x^3))^2)*sqrt(2/pi)*(1 + 0.134145*x^2)",
        ]),
        latex: r"\operatorname{gelu}_{\tanh}",
        rust: "{0} * (F::from_f64(1.5957691216057308) * ({0} + F::from_f64(0.044715) * {0} * {0} * {0})).sigmoid()",
        python: [
            "_gelu_tanh({0})",
            "jax.nn.gelu({0}, approximate=True)",
            "torch.nn.functional.gelu({0}, approximate=\"tanh\")",
        ],
        c: "{0} * cr_sigmoid(1.5957691216057308 * ({0} + 0.044715 * {0} * {0} * {0}))",
        ..unary("gelu_tanh", |a| {
            let inner = (2.0 / PI).sqrt() * (a[0] + 0.044_715 * a[0] * a[0] * a[0]);
            a[0] * special::sigmoid(2.0 * inner)
        })
    },
    OpSpec {
        aliases: &["swish"],
        doc: "x times its sigmoid.",
        rule: Rule::Partials(&["y + sigmoid(x)*(1 - y)"]),
        latex: r"\operatorname{silu}",
        rust: "{0} * {0}.sigmoid()",
        python: ["_silu({0})", "jax.nn.silu({0})", "torch.nn.functional.silu({0})"],
        c: "{0} * cr_sigmoid({0})",
        ..unary("silu", |a| a[0] * special::sigmoid(a[0]))
    },
    OpSpec {
        doc: "x times tanh(softplus(x)).",
        rule: Rule::Partials(&["tanh(softplus(x)) + x*sigmoid(x)*(1 - tanh(softplus(x))^2)"]),
        latex: r"\operatorname{mish}",
        rust: "{0} * {0}.softplus().tanh()",
        python: ["_mish({0})", "jax.nn.mish({0})", "torch.nn.functional.mish({0})"],
        c: "{0} * tanh(cr_softplus({0}))",
        ..unary("mish", |a| a[0] * special::softplus(a[0]).tanh())
    },
    OpSpec {
        doc: "x cut off below -1 and above 1; its derivative at -1 and at 1 is 0.",
        rule: Rule::Partials(&["(x > -1)*(x < 1)"]),
        latex: r"\operatorname{hardtanh}",
        rust: "{0}.maximum(-F::ONE).minimum(F::ONE)",
        python: alike("xp.clip({0}, -1, 1)"),
        c: "cr_smaller(cr_larger({0}, -1), 1)",
        probe: probe_at(&[(-3.0, 3.0)], &[-1.0, 1.0], &[(&[-1.0], 0.0), (&[1.0], 0.0)]),
        ..unary("hardtanh", |a| special::clamp(a[0], -1.0, 1.0))
    },
    OpSpec {
        doc: "(x + 3)/6 cut off below 0 and above 1; its derivative at -3 and at 3 is 0.",
        rule: Rule::Partials(&["(x > -3)*(x < 3)/6"]),
        latex: r"\operatorname{hardsigmoid}",
        rust: "({0} / F::from_f64(6.0) + F::from_f64(0.5)).maximum(F::ZERO).minimum(F::ONE)",
        python: alike("xp.clip({0} / 6 + 0.5, 0, 1)"),
        c: "cr_smaller(cr_larger({0} / 6 + 0.5, 0), 1)",
        probe: probe_at(&[(-5.0, 5.0)], &[-3.0, 3.0], &[(&[-3.0], 0.0), (&[3.0], 0.0)]),
        range: Range::Nonnegative,
        ..unary("hardsigmoid", |a| special::clamp(a[0] / 6.0 + 0.5, 0.0, 1.0))
    },
    OpSpec {
        doc: "x times hardsigmoid(x); its derivative is 0 at -3 and 1 at 3.",
        rule: Rule::Partials(&["where(x <= -3, 0, where(x < 3, x/3 + 1/2, 1))"]),
        latex: r"\operatorname{hardswish}",
        rust: "{0} * ({0} / F::from_f64(6.0) + F::from_f64(0.5)).maximum(F::ZERO).minimum(F::ONE)",
        python: alike("_hardswish({0})"),
        c: "{0} * cr_smaller(cr_larger({0} / 6 + 0.5, 0), 1)",
        probe: probe_at(&[(-5.0, 5.0)], &[-3.0, 3.0], &[(&[-3.0], 0.0), (&[3.0], 1.0)]),
        ..unary("hardswish", |a| a[0] * special::clamp(a[0] / 6.0 + 0.5, 0.0, 1.0))
    },
    OpSpec {
        doc: "x^2/2 where |x| is at most delta, beyond that delta*(|x| - delta/2): the curve of the Huber loss.",
        rule: Rule::Partials(&["clamp(x, -delta, delta)", "relu(abs(x) - delta)"]),
        latex: r"H_{{1}}\left({0}\right)",
        rust: "if {0}.abs() <= {1} { F::from_f64(0.5) * {0} * {0} } else { {1} * ({0}.abs() - F::from_f64(0.5) * {1}) }",
        python: alike("_huber_curve({0}, {1})"),
        c: "fabs({0}) <= {1} ? 0.5 * {0} * {0} : {1} * (fabs({0}) - 0.5 * {1})",
        probe: probe_at(
            &[(-3.0, 3.0), (0.5, 1.5)],
            &[],
            &[(&[1.0, 1.0], 1.0), (&[-9.0, 2.0], -2.0)],
        ),
        range: Range::Nonnegative,
        ..elementwise("huber_curve", &["x", "delta"], |a| {
            let size = a[0].abs();
            if size <= a[1] { 0.5 * size * size } else { a[1] * (size - 0.5 * a[1]) }
        })
    },
    // Special functions.
    OpSpec {
        doc: "The error function.",
        rule: Rule::Partials(&["2/sqrt(pi)*exp(-x^2)"]),
        latex: r"\operatorname{erf}",
        rust: "{0}.erf()",
        each: "erf_each",
        python: ["_erf({0})", "jax.scipy.special.erf({0})", "torch.special.erf({0})"],
        c: "erf({0})",
        mirror: Mirror::Odd,
        ..unary("erf", |a| special::erf(a[0]))
    },
    OpSpec {
        doc: "1 - erf(x), precise for large x.",
        rule: Rule::Partials(&["-2/sqrt(pi)*exp(-x^2)"]),
        latex: r"\operatorname{erfc}",
        rust: "{0}.erfc()",
        python: ["_erfc({0})", "jax.scipy.special.erfc({0})", "torch.special.erfc({0})"],
        c: "erfc({0})",
        range: Range::Positive,
        ..unary("erfc", |a| special::erfc(a[0]))
    },
    OpSpec {
        doc: "The inverse of erf, for x between -1 and 1.",
        rule: Rule::Partials(&["sqrt(pi)/2*exp(y^2)"]),
        latex: r"\operatorname{erf}^{-1}",
        rust: "{0}.erfinv()",
        python: ["_erfinv({0})", "jax.scipy.special.erfinv({0})", "torch.special.erfinv({0})"],
        c: "cr_erfinv({0})",
        probe: on(&[(-0.9, 0.9)]),
        mirror: Mirror::Odd,
        ..unary("erfinv", |a| special::erfinv(a[0]))
    },
    OpSpec {
        doc: "The logarithm of |Γ(x)|.",
        rule: Rule::Partials(&["digamma(x)"]),
        latex: r"\log\Gamma",
        rust: "{0}.lgamma()",
        python: ["_lgamma({0})", "jax.scipy.special.gammaln({0})", "torch.special.gammaln({0})"],
        c: "lgamma({0})",
        probe: on(&[(0.3, 5.0)]),
        ..unary("lgamma", |a| special::lgamma(a[0]))
    },
    OpSpec {
        doc: "The derivative of lgamma.",
        rule: Rule::Partials(&["trigamma(x)"]),
        latex: r"\psi",
        rust: "{0}.digamma()",
        python: ["_digamma({0})", "jax.scipy.special.digamma({0})", "torch.special.digamma({0})"],
        c: "cr_digamma({0})",
        probe: on(&[(0.3, 5.0)]),
        ..unary("digamma", |a| special::digamma(a[0]))
    },
    OpSpec {
        doc: "The derivative of digamma.",
        rule: Rule::Missing("the table has no polygamma function of a higher order than trigamma"),
        latex: r"\psi_1",
        rust: "{0}.trigamma()",
        python: [
            "_trigamma({0})",
            "jax.scipy.special.polygamma(1, {0})",
            "torch.special.polygamma(1, {0})",
        ],
        c: "cr_trigamma({0})",
        probe: on(&[(0.3, 5.0)]),
        range: Range::Positive,
        ..unary("trigamma", |a| special::trigamma(a[0]))
    },
    // Pieces and choices.
    OpSpec {
        doc: "The absolute value; its derivative at 0 is 0.",
        rule: Rule::Partials(&["sign(x)"]),
        latex: r"\left|{0}\right|",
        rust: "{0}.abs()",
        python: alike("xp.abs({0})"),
        c: "fabs({0})",
        probe: probe_at(&[(-3.0, 3.0)], &[0.0], &[(&[0.0], 0.0), (&[-2.0], -1.0)]),
        range: Range::Nonnegative,
        mirror: Mirror::Even,
        signed_by: Some("sign"),
        ..unary("abs", |a| a[0].abs())
    },
    OpSpec {
        doc: "1, 0 or -1 as x is positive, 0 or negative; derivative 0.",
        rule: Rule::Zero,
        latex: r"\operatorname{sign}",
        rust: "{0}.signum0()",
        python: alike("xp.sign({0})"),
        c: "cr_sign({0})",
        probe: kinks(&[0.0]),
        mirror: Mirror::Odd,
        ..unary("sign", |a| special::sign(a[0]))
    },
    OpSpec {
        doc: "The nearest whole number that is not above x; derivative 0.",
        rule: Rule::Zero,
        latex: r"\left\lfloor {0} \right\rfloor",
        rust: "{0}.floor()",
        python: alike("xp.floor({0})"),
        c: "floor({0})",
        probe: kinks(&[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]),
        ..unary("floor", |a| a[0].floor())
    },
    OpSpec {
        doc: "The nearest whole number that is not below x; derivative 0.",
        rule: Rule::Zero,
        latex: r"\left\lceil {0} \right\rceil",
        rust: "{0}.ceil()",
        python: alike("xp.ceil({0})"),
        c: "ceil({0})",
        probe: kinks(&[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]),
        ..unary("ceil", |a| a[0].ceil())
    },
    OpSpec {
        doc: "The nearest whole number, the even one where two are equally near; derivative 0.",
        rule: Rule::Zero,
        latex: r"\operatorname{round}",
        rust: "{0}.round()",
        python: alike("xp.round({0})"),
        c: "rint({0})",
        probe: kinks(&[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]),
        ..unary("round", |a| a[0].round_ties_even())
    },
    OpSpec {
        doc: "1 where x is positive, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"\operatorname{step}",
        rust: "if {0} > F::ZERO { F::ONE } else { F::ZERO }",
        python: alike("?{0} > 0"),
        c: "?{0} > 0",
        probe: kinks(&[0.0]),
        range: Range::Nonnegative,
        ..unary("step", |a| truth(a[0] > 0.0))
    },
    OpSpec {
        aliases: &["max"],
        doc: "The larger of two; where they are equal, each has half of the derivative.",
        rule: Rule::Partials(&["where(a == b, 1/2, a > b)", "where(b == a, 1/2, b > a)"]),
        latex: r"\max",
        rust: "{0}.maximum({1})",
        python: alike("xp.maximum({0}, {1})"),
        c: "cr_larger({0}, {1})",
        probe: probe_at(&[(-3.0, 3.0)], &[], &[(&[1.0, 1.0], 0.5), (&[2.0, 1.0], 1.0)]),
        ..elementwise("maximum", &["a", "b"], |a| special::maximum(a[0], a[1]))
    },
    OpSpec {
        aliases: &["min"],
        doc: "The smaller of two; where they are equal, each has half of the derivative.",
        rule: Rule::Partials(&["where(a == b, 1/2, a < b)", "where(b == a, 1/2, b < a)"]),
        latex: r"\min",
        rust: "{0}.minimum({1})",
        python: alike("xp.minimum({0}, {1})"),
        c: "cr_smaller({0}, {1})",
        probe: probe_at(&[(-3.0, 3.0)], &[], &[(&[1.0, 1.0], 0.5), (&[2.0, 1.0], 0.0)]),
        ..elementwise("minimum", &["a", "b"], |a| special::minimum(a[0], a[1]))
    },
    OpSpec {
        aliases: &["clip"],
        doc: "x cut off below lo and above hi (lo at most hi); the derivative by x is 1 on both bounds.",
        rule: Rule::Partials(&["(x >= lo)*(x <= hi)", "x < lo", "x > hi"]),
        latex: r"\operatorname{clamp}",
        rust: "{0}.maximum({1}).minimum({2})",
        python: alike("xp.clip({0}, {1}, {2})"),
        c: "cr_smaller(cr_larger({0}, {1}), {2})",
        probe: probe_at(
            &[(-3.0, 3.0), (-1.5, -0.5), (0.5, 1.5)],
            &[],
            &[(&[-1.0, -1.0, 1.0], 1.0), (&[1.0, -1.0, 1.0], 1.0), (&[2.0, -1.0, 1.0], 0.0)],
        ),
        ..elementwise("clamp", &["x", "lo", "hi"], |a| special::clamp(a[0], a[1], a[2]))
    },
    OpSpec {
        doc: "a where c is not 0, else b; derivative 0 by c.",
        chooses: true,
        rule: Rule::Partials(&["0", "where(c, 1, 0)", "where(c, 0, 1)"]),
        latex: r"\begin{cases} {1} & {0} \\ {2} & \text{otherwise} \end{cases}",
        rust: "if {0} != F::ZERO { {1} } else { {2} }",
        python: alike("xp.where({0?}, {1}, {2})"),
        c: "{0?} ? {1} : {2}",
        probe: on(&[(0.5, 1.5), (-3.0, 3.0)]),
        ..elementwise("where", &["c", "a", "b"], |a| if a[0] != 0.0 { a[1] } else { a[2] })
    },
    OpSpec {
        aliases: &["detach"],
        doc: "x, taken as a constant: derivative 0.",
        rule: Rule::Held,
        latex: r"\operatorname{sg}",
        rust: "{0}",
        python: alike("{0}"),
        c: "{0}",
        ..unary("stop_gradient", |a| a[0])
    },
    // Comparisons.
    OpSpec {
        doc: "1 where a < b, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"{0} < {1}",
        rust: "if {0} < {1} { F::ONE } else { F::ZERO }",
        python: alike("?{0} < {1}"),
        c: "?{0} < {1}",
        probe: TRUTH,
        range: Range::Nonnegative,
        mirror: Mirror::Swapped("gt"),
        operator: Some(Operator::Compare(CompareOp::Lt)),
        absorbs: &["lt", "le", "ne"],
        ..elementwise("lt", &["a", "b"], |a| truth(a[0] < a[1]))
    },
    OpSpec {
        doc: "1 where a <= b, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"{0} \le {1}",
        rust: "if {0} <= {1} { F::ONE } else { F::ZERO }",
        python: alike("?{0} <= {1}"),
        c: "?{0} <= {1}",
        probe: TRUTH,
        range: Range::Nonnegative,
        mirror: Mirror::Swapped("ge"),
        operator: Some(Operator::Compare(CompareOp::Le)),
        absorbs: &["le"],
        ..elementwise("le", &["a", "b"], |a| truth(a[0] <= a[1]))
    },
    OpSpec {
        doc: "1 where a > b, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"{0} > {1}",
        rust: "if {0} > {1} { F::ONE } else { F::ZERO }",
        python: alike("?{0} > {1}"),
        c: "?{0} > {1}",
        probe: TRUTH,
        range: Range::Nonnegative,
        mirror: Mirror::Swapped("lt"),
        operator: Some(Operator::Compare(CompareOp::Gt)),
        absorbs: &["gt", "ge", "ne"],
        ..elementwise("gt", &["a", "b"], |a| truth(a[0] > a[1]))
    },
    OpSpec {
        doc: "1 where a >= b, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"{0} \ge {1}",
        rust: "if {0} >= {1} { F::ONE } else { F::ZERO }",
        python: alike("?{0} >= {1}"),
        c: "?{0} >= {1}",
        probe: TRUTH,
        range: Range::Nonnegative,
        mirror: Mirror::Swapped("le"),
        operator: Some(Operator::Compare(CompareOp::Ge)),
        absorbs: &["ge"],
        ..elementwise("ge", &["a", "b"], |a| truth(a[0] >= a[1]))
    },
    OpSpec {
        doc: "1 where a equals b, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"{0} = {1}",
        rust: "if {0} == {1} { F::ONE } else { F::ZERO }",
        python: alike("?{0} == {1}"),
        c: "?{0} == {1}",
        probe: TRUTH,
        range: Range::Nonnegative,
        mirror: Mirror::Swapped("eq"),
        operator: Some(Operator::Compare(CompareOp::Eq)),
        absorbs: &["eq", "le", "ge"],
        ..elementwise("eq", &["a", "b"], |a| truth(a[0] == a[1]))
    },
    OpSpec {
        doc: "1 where a differs from b, else 0; derivative 0.",
        rule: Rule::Zero,
        latex: r"{0} \ne {1}",
        rust: "if {0} != {1} { F::ONE } else { F::ZERO }",
        python: alike("?{0} != {1}"),
        c: "?{0} != {1}",
        probe: TRUTH,
        range: Range::Nonnegative,
        mirror: Mirror::Swapped("ne"),
        operator: Some(Operator::Compare(CompareOp::Ne)),
        absorbs: &["ne"],
        ..elementwise("ne", &["a", "b"], |a| truth(a[0] != a[1]))
    },
];

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
