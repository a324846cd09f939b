//! What one entry of the rule book says. Everything that the tool knows of a function is in its [`OpSpec`].

use crate::eval::Array;
use crate::ir::{Attrs, Dim, Graph, Shape};
use crate::lower::call::Build;
use chainrule_grammar::ast::CompareOp;

/// One function of the language.
#[derive(Clone, Copy)]
pub struct OpSpec {
    /// Its name.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// Names of its arguments, used in formulas and in errors; the arity is their number.
    pub params: &'static [&'static str],
    /// Formulas for the last arguments where they may be left out, e.g. `["0.01"]` for a slope.
    pub defaults: &'static [&'static str],
    /// One sentence; conventions at ties and kinks.
    pub doc: &'static str,
    /// How it acts on axes.
    pub kind: Kind,
    /// Its derivative, or its definition.
    pub rule: Rule,
    /// Of a reduction: whether its pullback is written for a single lane, so that several axes are removed one after another.
    pub one_axis: bool,
    /// How LaTeX prints a call: `{0}`, `{1}` stand for the arguments (`\sqrt{{0}}` with literal braces as they are),
    /// and a template without `{0}` is a function symbol that is applied: `\sin` prints `\sin(x)`.
    pub latex: &'static str,
    /// Rust: for elementwise rows an expression over `{0}`, `{1}` of a type `F: Real`; for others the name of the
    /// function in `chainrule::rt::lanes` or `chainrule::rt::linalg`.
    pub rust: &'static str,
    /// Rust, of an elementwise row that takes long: the method of `F: Real` that puts the function of every entry of a slice into its place.
    pub each: &'static str,
    /// Of an elementwise row of two arguments: the function in `chainrule::rt::lanes` for second arguments that are 0, 1, 2, … along the last
    /// axis while the first stays.
    pub counted: &'static str,
    /// NumPy, JAX and PyTorch: an expression over `{0}`, `{1}`; of functions along axes also `{axis}`, of reductions `{axis}` (of one
    /// only) or `{axes}`. One that starts with `?` is a condition, and `{0?}` is an argument taken as one. Names that start with
    /// `_` are defined in `emit/python`.
    pub python: [&'static str; 3],
    /// C99: as in Python for elementwise rows; for reductions and functions along axes the name of a function, for structured
    /// ones a statement over `{m}` rows and `{n}` columns of the first argument, `{out}` and `{work}`. Names that start with `cr_`
    /// are defined in `emit/c`.
    pub c: &'static str,
    /// The reference value.
    pub eval: Eval,
    /// Where to sample it.
    pub probe: Probe,
    /// What is known of its values.
    pub range: Range,
    /// Of a function of one number: how its value at the opposite argument follows.
    pub mirror: Mirror,
    /// Functions of the same numbers, or of its only number and 0, by which it may be multiplied without a change, as by itself.
    pub absorbs: &'static [&'static str],
    /// Whether it is over 0 exactly where its only number is, so that this can be read off the value, which is kept for other reasons.
    pub positive_alike: bool,
    /// Of an absolute value: the function of the same number that it is multiplied by to give that number.
    pub signed_by: Option<&'static str>,
    /// Of a function along an axis: the reduction that gives each of its entries from all entries but the one at its own place.
    pub of_others: Option<&'static str>,
    /// Arguments in which it is linear.
    pub linear_in: &'static [usize],
    /// The operator of the language that calls it.
    pub operator: Option<Operator>,
    /// Whether it is the root of the sum of the squares: its even powers are powers of that sum.
    pub root_of_squares: bool,
    /// Whether it is one over its argument, and 0 where that is 0: formulas divide by the argument, and say so of 0.
    pub guarded: bool,
    /// Of a function of two numbers a and b: the f by which it is a·f(b), and 0 where a is 0 and f(b) infinite; formulas write the product.
    pub times: Option<&'static str>,
    /// The value is the second argument where the first is not 0, and the third where it is.
    pub chooses: bool,
    /// Whether it makes a symmetric matrix of a symmetric matrix.
    pub symmetric: bool,
    /// Whether it is the inverse of a matrix.
    pub inverts: bool,
    /// How many axes its result has, for notation that depends on it.
    pub rank: Rank,
    /// Whether its arguments are sizes, texts or names rather than values.
    pub written: bool,
    /// What users of the other dialect call it.
    pub elsewhere: &'static [&'static str],
    /// Whether in the other dialect it takes each row of a matrix, as one example, rather than each column.
    pub rowwise: bool,
    /// Whether its arguments are probabilities or numbers beside them, so that one that is never positive is a mistake.
    pub chances: bool,
    /// What to write here for what a library calls so with other arguments; said where a call seems to mean that.
    pub caution: &'static str,
}

impl OpSpec {
    /// Whether its Rust calls only methods of the run-time support that are a few instructions.
    pub fn is_cheap(&self) -> bool {
        const FEW: &[&str] = &["abs", "maximum", "minimum", "signum0", "copysign"];
        let after_dots = self.rust.split('.').skip(1).filter_map(|rest| rest.split_once('('));
        let mut called = after_dots
            .map(|(name, _)| name)
            .filter(|name| name.chars().all(|c| c.is_alphanumeric()));
        called.all(|name| FEW.contains(&name))
    }

    /// Whether it is known to have a value whatever its arguments are: sampled where functions of numbers may have none.
    pub fn is_total(&self) -> bool {
        const AT: [f64; 9] = [-5.5, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.5];
        match self.eval {
            Eval::Scalar(eval) if self.params.len() <= 3 => {
                let grid = (0..AT.len().pow(self.params.len() as u32)).map(|n| {
                    let digit = |place: usize| AT[n / AT.len().pow(place as u32) % AT.len()];
                    (0..self.params.len()).map(digit).collect::<Vec<f64>>()
                });
                grid.into_iter().all(|at| eval(&at).is_finite())
            }
            Eval::Fold(_) | Eval::Lane(_) => true,
            _ => false,
        }
    }

    /// Whether it is a function of one number whose value is too large for a float where its argument is not.
    pub fn overflows(&self) -> bool {
        matches!(self.eval, Eval::Scalar(eval) if self.params.len() == 1 && eval(&[1e3]).is_infinite())
    }

    /// Whether it is a function of one number that has no value below 0, and no finite one at 0.
    pub fn is_of_positive_numbers(&self) -> bool {
        match self.eval {
            Eval::Scalar(eval) if self.params.len() == 1 => {
                eval(&[-1.0]).is_nan() && eval(&[-1e-3]).is_nan() && !eval(&[0.0]).is_finite()
            }
            _ => false,
        }
    }
}

/// An operator that is a function of the rule book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `a < b`
    Compare(CompareOp),
    /// `a ^ b`
    Power,
}

/// The shape of a result's trailing axes from the arguments' trailing axes, or what is wrong with them.
pub type ShapeRule = fn(&Graph, &[Shape], &Attrs) -> Result<Vec<Dim>, String>;

/// How a function acts on the axes of its arguments.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Entry by entry; arguments broadcast.
    Elementwise,
    /// Removes axes: all, or those of `axis=`; `keepdims=true` leaves them with size 1. `name[j](…)` binds indices.
    Reduce,
    /// Along one axis, `axis=`, by default the last; keeps the shape. Arguments after the first are numbers.
    Along,
    /// A loss: its `Via` formula gives one value an entry (or a row), which `reduction="mean"|"sum"|"none"` gathers; mean by default.
    Loss {
        /// Whether classes stand on the last axis, so that whole numbers as targets are the places of their ones.
        classes: bool,
    },
    /// On the trailing axes, as many as `ranks` says for each argument; all axes before them are batch.
    Structured {
        /// How many trailing axes each argument has; `&[2]`, `&[2, 2]`, …; a second row is tried where the first does not fit.
        ranks: &'static [&'static [usize]],
        /// The shape of the result's trailing axes, or what is wrong with the arguments.
        shape: ShapeRule,
    },
    /// Defined on its whole arguments, as a `fn` of the language is, by its `Via` formula.
    Inline,
    /// Builds graph of its own (reshape, concat, where the arguments are not all values, …).
    Build {
        /// What is built.
        build: Build,
        /// The keywords that a call may have.
        keywords: &'static [&'static str],
    },
}

/// Where a derivative comes from. Zero, no derivative and not written are three different answers.
#[derive(Clone, Copy)]
pub enum Rule {
    /// Elementwise: ∂y/∂(each argument) as formulas over the arguments' names and `y`.
    Partials(&'static [&'static str]),
    /// The pullback to each argument: formulas over the arguments, `y` and `y_bar`, on the axes the function acts on
    /// (a lane for `Along`, the removed axes for `Reduce`, the trailing axes for `Structured`); all others are batch.
    Vjp(&'static [&'static str]),
    /// As `Vjp`, one list of formulas for each row of a structured function's `ranks`.
    VjpByRank(&'static [&'static [&'static str]]),
    /// Defined in the language by this formula over the arguments; the derivative follows.
    Via(&'static str),
    /// Sum over axes: the graph's own contraction.
    Sum,
    /// The derivative is 0 wherever it exists (floor, sign, comparisons).
    Zero,
    /// The derivative is 0 by decree: the value counts as a constant (stop_gradient), and finite differences hold it as it is.
    Held,
    /// There is none (argmax, count of trues): asking is an error.
    NoDerivative,
    /// It exists, but is not written yet; asking is an error with this reason.
    Missing(&'static str),
    /// For `Kind::Build`: what is built has derivatives of its own.
    Built,
}

impl Rule {
    /// Whether the derivative asks which entries the value was taken from, as that of `max` does. Then these entries must not be
    /// computed in two ways, which would differ by rounding.
    pub fn picks(self) -> bool {
        matches!(self, Rule::Vjp(formulas) if formulas.iter().any(|formula| formula.contains("==")))
    }

    /// Whether no derivative goes through, whatever the arguments.
    pub fn is_flat(self) -> bool {
        matches!(self, Rule::Zero | Rule::Held)
    }

    /// Whether none goes through to this argument, as to the condition of a choice.
    pub fn is_flat_in(self, argument: usize) -> bool {
        match self {
            Rule::Partials(formulas) | Rule::Vjp(formulas) => formulas.get(argument) == Some(&"0"),
            Rule::NoDerivative => true,
            _ => self.is_flat(),
        }
    }
}

/// The reference value, in f64, obviously right rather than fast.
#[derive(Clone, Copy)]
pub enum Eval {
    /// Entry by entry.
    Scalar(fn(&[f64]) -> f64),
    /// All entries of the removed axes, row-major, to one number.
    Fold(fn(&[f64]) -> f64),
    /// One lane to a lane of the same length.
    Lane(fn(&[f64]) -> Vec<f64>),
    /// The trailing axes of each argument to those of the result (no batch axes).
    Tensor(fn(&[Array], &Attrs) -> Array),
    /// Evaluated through its definition.
    Defined,
}

/// Where an elementwise function is sampled by tests.
#[derive(Clone, Copy)]
pub struct Probe {
    /// An open interval inside of the domain for each argument; the last one serves for further arguments.
    pub domain: &'static [(f64, f64)],
    /// Points of the first argument to stay away from (kinks).
    pub kinks: &'static [f64],
    /// Exact points: arguments, and the partial by the first argument there (conventions at kinks and ties).
    pub points: &'static [(&'static [f64], f64)],
}

/// What is known of a function's values, whatever its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// Nothing.
    Any,
    /// Over 0.
    Positive,
    /// At least 0.
    Nonnegative,
    /// At most 0.
    Nonpositive,
    /// Over 0, and summing to one along the axis.
    Simplex,
}

/// How many axes a result has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    /// As many as the argument that has most; reductions fewer, as their axes say.
    Widest,
    /// None.
    Zero,
    /// Two.
    Two,
    /// One for each argument.
    Sizes,
    /// All that the arguments have together.
    All,
    /// One of a matrix, two of a vector.
    Diagonal,
}

/// What f(-x) is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mirror {
    /// Nothing is known.
    None,
    /// f(x)
    Even,
    /// -f(x)
    Odd,
    /// 1/f(x), as f(a + b) is f(a)·f(b).
    Inverse,
    /// 1 - f(x)
    Complement,
    /// -g(x), for this function g.
    Turned(&'static str),
    /// Of two numbers: f(-a, -b) is g(a, b), for this function g.
    Swapped(&'static str),
}

const DEFAULT: OpSpec = OpSpec {
    name: "",
    aliases: &[],
    params: &["x"],
    defaults: &[],
    doc: "",
    kind: Kind::Elementwise,
    rule: Rule::Missing("no rule given"),
    one_axis: false,
    latex: "",
    rust: "",
    each: "",
    counted: "",
    python: alike(""),
    c: "",
    eval: Eval::Defined,
    probe: Probe { domain: &[(-3.0, 3.0)], kinks: &[], points: &[] },
    range: Range::Any,
    mirror: Mirror::None,
    absorbs: &[],
    positive_alike: false,
    signed_by: None,
    of_others: None,
    linear_in: &[],
    operator: None,
    root_of_squares: false,
    guarded: false,
    times: None,
    chooses: false,
    symmetric: false,
    inverts: false,
    rank: Rank::Widest,
    written: false,
    elsewhere: &[],
    rowwise: false,
    chances: false,
    caution: "",
};

/// One spelling for NumPy, JAX and PyTorch, in which `xp` stands for `np`, `jnp` and `torch`.
pub const fn alike(template: &'static str) -> [&'static str; 3] {
    [template; 3]
}

/// An elementwise function of one argument `x`.
pub const fn unary(name: &'static str, eval: fn(&[f64]) -> f64) -> OpSpec {
    OpSpec { name, eval: Eval::Scalar(eval), ..DEFAULT }
}

/// An elementwise function of the named arguments.
pub const fn elementwise(
    name: &'static str,
    params: &'static [&'static str],
    eval: fn(&[f64]) -> f64,
) -> OpSpec {
    OpSpec { name, params, eval: Eval::Scalar(eval), ..DEFAULT }
}

/// A function defined in the language, acting as `kind` says.
pub const fn defined(
    name: &'static str,
    params: &'static [&'static str],
    kind: Kind,
    formula: &'static str,
) -> OpSpec {
    OpSpec { name, params, kind, rule: Rule::Via(formula), ..DEFAULT }
}

/// A reduction over axes.
pub const fn reduce(name: &'static str, eval: fn(&[f64]) -> f64) -> OpSpec {
    OpSpec { name, kind: Kind::Reduce, eval: Eval::Fold(eval), ..DEFAULT }
}

/// A function along one axis.
pub const fn along(name: &'static str, eval: fn(&[f64]) -> Vec<f64>) -> OpSpec {
    OpSpec { name, kind: Kind::Along, eval: Eval::Lane(eval), ..DEFAULT }
}

/// A function that builds graph of its own.
pub const fn build(name: &'static str, params: &'static [&'static str], build: Build) -> OpSpec {
    OpSpec {
        name,
        params,
        kind: Kind::Build { build, keywords: &[] },
        rule: Rule::Built,
        ..DEFAULT
    }
}

/// As [`build`], of a function that also takes keywords.
pub const fn build_with(
    name: &'static str,
    params: &'static [&'static str],
    keywords: &'static [&'static str],
    build: Build,
) -> OpSpec {
    OpSpec { name, params, kind: Kind::Build { build, keywords }, rule: Rule::Built, ..DEFAULT }
}

/// A function on trailing axes.
pub const fn structured(
    name: &'static str,
    params: &'static [&'static str],
    ranks: &'static [&'static [usize]],
    shape: ShapeRule,
    eval: fn(&[Array], &Attrs) -> Array,
) -> OpSpec {
    OpSpec {
        name,
        params,
        kind: Kind::Structured { ranks, shape },
        eval: Eval::Tensor(eval),
        ..DEFAULT
    }
}

/// The usual sampling interval with kinks to avoid.
pub const fn kinks(kinks: &'static [f64]) -> Probe {
    Probe { domain: &[(-3.0, 3.0)], kinks, points: &[] }
}

/// Sampling inside of an interval.
pub const fn on(domain: &'static [(f64, f64)]) -> Probe {
    Probe { domain, kinks: &[], points: &[] }
}

/// Sampling inside of an interval, away from kinks, and exact points to hit.
pub const fn probe_at(
    domain: &'static [(f64, f64)],
    kinks: &'static [f64],
    points: &'static [(&'static [f64], f64)],
) -> Probe {
    Probe { domain, kinks, points }
}
