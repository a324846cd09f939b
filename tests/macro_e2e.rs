//! `derive_grad!` from end to end: values and gradients of the generated modules against the reference evaluator, in a crate
//! that refuses unsafe code and every warning.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, clippy::all)]

use chainrule::derive_grad;
use chainrule_core::eval::{Array, Point, eval, infer_dims};
use chainrule_core::ir::{NodeId, VarId, VarKind};
use chainrule_core::{Compiled, Source, compile};
use chainrule_grammar::ast::RequestKind;

/// A program at a random point.
struct Case {
    compiled: Compiled,
    point: Point,
}

impl Case {
    /// `sizes` are those of the open dims, in order of declaration.
    fn new(source: &str, sizes: &[usize]) -> Case {
        let compiled = compile(&Source::new("test", source));
        let (mut point, mut state) = (Point::default(), 1_u64);
        for (id, var) in compiled.graph.vars.iter().enumerate() {
            let shape: Vec<usize> = var
                .shape
                .iter()
                .map(|dim| dim.value(&|id| sizes[id.0 as usize]).unwrap())
                .collect();
            let array = Array::from_fn(&shape, |_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                // A number that f32 has too.
                f64::from((state >> 40) as f32 / (1 << 23) as f32 - 1.0)
            });
            point.vars.insert(VarId(id as u32), array);
        }
        point.dims = infer_dims(&compiled.graph, &point.vars).unwrap();
        Case { compiled, point }
    }

    fn arrays(&self, params: bool) -> Vec<Vec<f64>> {
        let vars = self.compiled.graph.vars.iter().zip(self.point.vars.values());
        vars.filter(|(var, _)| (var.kind == VarKind::Param) == params)
            .map(|(_, array)| array.data.clone())
            .collect()
    }

    fn inputs(&self) -> impl Iterator<Item = Vec<f64>> {
        self.arrays(false).into_iter()
    }

    fn params(&self) -> Vec<f64> {
        self.arrays(true).concat()
    }

    fn value(&self, node: NodeId) -> Vec<f64> {
        eval(&self.compiled.graph, &self.point, &[node]).unwrap().remove(0).data
    }

    fn result(&self, name: &str) -> Vec<f64> {
        let mut results = self.compiled.losses.iter().chain(&self.compiled.outputs);
        self.value(results.find(|result| result.name == name).unwrap().node)
    }

    fn derivative(&self, kind: RequestKind, of: &str) -> Vec<f64> {
        let all =
            self.compiled.derivatives.iter().filter(|one| one.kind == kind && one.of.name == of);
        all.flat_map(|one| self.value(one.node)).collect()
    }
}

fn close<F: Copy + Into<f64>>(got: &[F], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        let got: f64 = (*got).into();
        assert!((got - want).abs() <= tolerance * (1.0 + want.abs()), "{got} for {want}");
    }
}

/// Compares one loss and its gradients, by both functions, in both types.
macro_rules! check {
    ($module:ident, $sizes:expr, ($($input:ident),*), $loss:literal, $value:ident, $into:ident $(, $dims:ident)?) => {
        check!(f64, 1e-12; $module, $sizes, ($($input),*), $loss, $value, $into $(, $dims)?);
        check!(f32, 1e-4; $module, $sizes, ($($input),*), $loss, $value, $into $(, $dims)?);
    };
    ($F:ty, $tolerance:expr; $module:ident, $sizes:expr, ($($input:ident),*), $loss:literal, $value:ident, $into:ident $(, $dims:ident)?) => {{
        let case = Case::new($module::SOURCE, &$sizes);
        let numbers = |array: Vec<f64>| array.into_iter().map(|x| x as $F).collect::<Vec<$F>>();
        let mut data = case.inputs().map(numbers);
        $(let $input = data.next().unwrap();)*
        let inputs = $module::Inputs::new($(&$input),*).unwrap();
        let mut params = $module::Params::<$F>::zeros($(inputs.$dims())?);
        params.as_mut_slice().copy_from_slice(&numbers(case.params()));
        let (value, grads) = $module::$value(&params, &inputs);
        let want = case.derivative(RequestKind::Grad, $loss);
        close(&[value], &case.result($loss), $tolerance);
        close(grads.as_slice(), &want, $tolerance);
        let mut again = $module::Params::zeros($(inputs.$dims())?);
        again.as_mut_slice().fill(3.0);
        let mut ws = $module::Workspace::new(&inputs);
        for _ in 0..2 {
            assert_eq!($module::$into(&params, &inputs, &mut ws, &mut again), value);
            assert_eq!(again.as_slice(), grads.as_slice());
        }
    }};
}

derive_grad! {
    /// A perceptron with one layer.
    pub mod perceptron {
        dim B, N = 10, M = 3;
        input  x: [B, N];
        /// What it should say.
        target t: [B, M];
        param  W: [N, M], b: [M];
        o = softmax(x @ W + b); // one row for each example
        loss E = mse(o, t);
        output o;
    }
}

#[test]
fn one_layer() {
    check!(perceptron, [7], (x, t), "E", value_and_grad, value_and_grad_into);
    assert!(perceptron::SOURCE.starts_with(
        "dim B, N = 10, M = 3;\ninput  x: [B, N];\n/// What it should say.\ntarget t"
    ));
    assert!(perceptron::LATEX.contains(r"\frac{\partial E}{\partial W}"));
}

#[test]
fn inputs_are_checked() {
    let (x, t) = (vec![[0.0; 10]; 4], vec![[0.0; 3]; 5]);
    let error = perceptron::Inputs::new(&x, &t).unwrap_err().to_string();
    assert!(error.contains("`t`") && error.contains("[B, 3]"), "{error}");
}

derive_grad! {
    pub mod sixth {
        dim N;
        input x: [N];
        param w;
        loss E = w * x[5]^2;
    }
}

#[test]
#[should_panic(expected = "a position is outside of its axis")]
fn positions_are_checked() {
    let inputs = sixth::Inputs::new(&[1.0; 5]).unwrap();
    let _ = sixth::value_and_grad(&sixth::Params::<f64>::zeros(), &inputs);
}

#[test]
fn forward_gives_losses_and_outputs() {
    let case = Case::new(perceptron::SOURCE, &[3]);
    let (x, t) = (case.inputs().next().unwrap(), case.inputs().nth(1).unwrap());
    let inputs = perceptron::Inputs::new(&x, &t).unwrap();
    let mut params = perceptron::Params::zeros();
    params.as_mut_slice().copy_from_slice(&case.params());
    let mut ws = perceptron::Workspace::new(&inputs);
    let forward = perceptron::forward(&params, &inputs, &mut ws);
    close(&[forward.E], &case.result("E"), 1e-12);
    close(forward.o.as_flattened(), &case.result("o"), 1e-12);
    let mut grads = perceptron::Params::zeros();
    perceptron::backward(&params, &inputs, &mut ws, &mut grads);
    close(grads.as_slice(), &case.derivative(RequestKind::Grad, "E"), 1e-12);
}

derive_grad! { pub mod digits = "tests/nets/digits.grad"; }

#[test]
fn a_program_in_a_file() {
    check!(digits, [5], (x, t), "E", value_and_grad, value_and_grad_into);
}

derive_grad! {
    /// Sizes of parameters that are known at run time only.
    pub mod free {
        dim B, N, M;
        input x: [B, N]; target t: [B, M];
        param W: [N, M], b: [M];
        loss E = mean(log(1 + exp(x @ W + b)) * t) + 1e-2 * sum(W^2);
    }
}

#[test]
fn run_time_sizes() {
    let case = Case::new(free::SOURCE, &[4, 3, 2]);
    let (x, t) = (case.inputs().next().unwrap(), case.inputs().nth(1).unwrap());
    let (x, t) = (x.as_chunks::<3>().0, t.as_chunks::<2>().0);
    let inputs = free::Inputs::new(x, t).unwrap();
    assert_eq!((inputs.dims().B, inputs.dims().N, inputs.dims().M), (4, 3, 2));
    let mut params = free::Params::zeros(inputs.dims());
    params.as_mut_slice().copy_from_slice(&case.params());
    let (value, grads) = free::value_and_grad(&params, &inputs);
    close(&[value], &case.result("E"), 1e-12);
    close(grads.as_slice(), &case.derivative(RequestKind::Grad, "E"), 1e-12);
}

derive_grad! {
    /// Several losses over one forward pass, derivatives of higher order, words of Rust as names.
    pub mod several {
        input x: [6, 4];
        target t: [6];
        param w: [4], type, loop;
        z[i] = sum[j](x[i, j] * w[j]) + type;
        loss fit = mean((tanh(z) - t)^2);
        loss size = sum(w^2) * loop;
        output r = z - t;
        jacobian r wrt w;
        hessian fit wrt w;
    }
}

#[test]
fn several_losses_and_requests() {
    check!(several, [], (x, t), "fit", value_and_grad_fit, value_and_grad_into_fit);
    check!(several, [], (x, t), "size", value_and_grad_size, value_and_grad_into_size);
    let case = Case::new(several::SOURCE, &[]);
    let (x, t) = (case.inputs().next().unwrap(), case.inputs().nth(1).unwrap());
    let inputs = several::Inputs::new(&x, &t).unwrap();
    let mut params = several::Params::zeros();
    params.as_mut_slice().copy_from_slice(&case.params());
    let mut ws = several::Workspace::new(&inputs);
    several::forward(&params, &inputs, &mut ws);
    let (mut jacobian, mut hessian) = ([0.0; 24], [0.0; 16]);
    several::jacobian_r_w(&params, &inputs, &mut ws, &mut jacobian);
    several::hessian_fit_w(&params, &inputs, &mut ws, &mut hessian);
    close(&jacobian, &case.derivative(RequestKind::Jacobian, "r"), 1e-12);
    close(&hessian, &case.derivative(RequestKind::Hessian, "fit"), 1e-12);
}

/// Everything that generated code could reach for by a short name is something else here.
#[allow(dead_code, unused_macros, non_camel_case_types, missing_docs)]
mod hostile {
    pub mod std {}
    pub mod core {}
    pub mod chainrule {}
    pub struct Vec;
    pub struct Option;
    pub struct Result;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct str;
    pub struct f32;
    pub struct f64;
    pub struct usize;
    pub struct Self_;
    pub trait Clone {}
    pub trait Sized {}
    pub trait Default {}
    macro_rules! panic {
        () => {
            compile_error!("not this one")
        };
    }
    macro_rules! assert {
        () => {
            compile_error!("not this one")
        };
    }
    macro_rules! unreachable {
        () => {
            compile_error!("not this one")
        };
    }

    ::chainrule::derive_grad! {
        pub mod net {
            dim B;
            input F: [B, 4];
            target Real: [B];
            param Vec: [4], Some, Workspace, f64: [2, 3];
            str = tanh(F @ Vec) * Some + Workspace;
            loss None = mean((str - Real)^2) + sum(f64 ^ 4);
        }
    }
    // A function's body and a private module do as well.
    pub fn inside() -> &'static ::core::primitive::str {
        ::chainrule::derive_grad! { mod local { param w; loss E = w^2; } }
        local::SOURCE
    }
}

#[test]
fn hostile_surroundings() {
    use hostile::net;
    check!(net, [3], (x, t), "None", value_and_grad, value_and_grad_into);
    assert_eq!(hostile::inside(), "param w; loss E = w^2;");
}

macro_rules! sized {
    ($name:ident, $size:literal, $activation:ident, $extra:expr) => {
        derive_grad! {
            /// A program that a macro by example puts together.
            pub mod $name {
                input x: [$size];
                param w: [$size];
                loss E = sum($activation(w * x)) * $extra;
            }
        }
    };
}
sized!(three, 3, sigmoid, 1 + 2);

#[test]
fn macros_by_example() {
    check!(three, [], (x), "E", value_and_grad, value_and_grad_into);
}

derive_grad! {
    /// A warning at a token is the lint `deprecated`, which can be allowed where it is meant.
    #[allow(deprecated)]
    pub mod idle {
        input x: [3];
        param w: [3], spare: [2];
        loss E = sum((w - x)^2);
    }
}

#[test]
fn parameters_without_influence() {
    check!(idle, [], (x), "E", value_and_grad, value_and_grad_into);
}

derive_grad! {
    mod picked {
        dim B, V;
        input i: int[B];
        param E: [V, 2];
        loss s = sum(E[i]^2);
    }
}

/// Integers are checked with the shapes: what `Inputs::new` passes never fails later.
#[test]
fn integers_pick_rows_that_are_there() {
    let dims = picked::Dims { B: 3, V: 4 };
    let error = picked::Inputs::<f64>::new(dims, &[0_usize, 4, 9]).unwrap_err();
    let told = "input `i`: number 1 is 4, and picks one of 4 rows: wanted 0 to 3";
    assert_eq!(error.to_string(), told);
    let inputs = picked::Inputs::new(dims, &[0_usize, 3, 3]).unwrap();
    let mut params = picked::Params::zeros(dims);
    params.as_mut_slice().copy_from_slice(&[1.0, 2.0, 9.0, 9.0, 9.0, 9.0, 3.0, 0.5]);
    let (s, gradient) = picked::value_and_grad(&params, &inputs);
    assert_eq!(s, 5.0 + 2.0 * 9.25);
    assert_eq!(gradient.as_slice(), [2.0, 4.0, 0.0, 0.0, 0.0, 0.0, 12.0, 2.0]);
}

derive_grad! {
    mod looked_up {
        dim B, N = 2;
        input rows: int[B, N], one: int;
        param E: [4, 3];
        loss s = sum(E[rows]^2) + E[one, 0];
    }
}

/// Of whichever real numbers the caller is generic over.
fn inputs_of<F: chainrule::rt::Real>(x: &[[F; 2]; 3]) -> usize {
    chainrule::rt::Tensor::<F>::axes(x).len()
}

#[test]
fn callers_may_be_generic() {
    assert_eq!(inputs_of(&[[1.0_f32; 2]; 3]), inputs_of(&[[1.0_f64; 2]; 3]));
}

/// Integers come nested as numbers do, and a single one as itself.
#[test]
fn integers_of_two_axes() {
    let mut params = looked_up::Params::<f64>::zeros();
    params.as_mut_slice().fill(1.0);
    let rows = [[0_usize, 1], [3, 3], [0, 2]];
    let nested = looked_up::Inputs::new(&rows, &2_usize).unwrap();
    assert_eq!(nested.dims().B, 3);
    let (s, gradient) = looked_up::value_and_grad(&params, &nested);
    assert_eq!(s, 19.0);
    assert_eq!(gradient.as_slice(), [4.0, 4.0, 4.0, 2.0, 2.0, 2.0, 3.0, 2.0, 2.0, 4.0, 4.0, 4.0]);
    let flat = looked_up::Inputs::new(rows.as_flattened(), &2_usize).unwrap();
    assert_eq!(looked_up::value_and_grad(&params, &flat).0, s);
    let uneven = looked_up::Inputs::<f64>::new(&[[0_usize, 1, 2]], &2_usize).unwrap_err();
    assert_eq!(uneven.to_string(), "input `rows` is [1, 3], wanted [B, 2]");
}
