//! Each workload: its inputs bound, checked, timed.

use crate::measure::measure;
use crate::nets;
use crate::refs::Refs;
use chainrule::optim::Sgd;
use chainrule::rt::Real;
use std::hint::black_box;

const RATE: f64 = 0.01;
const BATCH: usize = 25;

/// One workload of plain forward, loss and gradients. `any` reads the sizes at run time.
macro_rules! plain {
    ($run:ident, $net:ident, [$($input:ident),*], [$($param:ident),*]) => {
        fn $run<F: Real>(refs: &Refs, row: &Row) -> bool {
            use nets::$net::*;
            $( let $input: Vec<F> = refs.get("input", stringify!($input)); )*
            let inputs = Inputs::new($(&$input),*).expect("shapes fit");
            // One after the other, in order of declaration.
            let flat: Vec<F> = [$(refs.get::<F>("param", stringify!($param))),*].concat();
            let mut params = Params::<F>::zeros();
            params.as_mut_slice().copy_from_slice(&flat);
            let (mut grads, mut ws) = (Params::zeros(), Workspace::new(&inputs));
            let loss = value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
            let sound = refs.check(row.dtype, loss, &[$((stringify!($param), flat_of!(grads.$param()))),*]);
            row.time(sound, || {
                black_box(value_and_grad_into(black_box(&params), black_box(&inputs), &mut ws, black_box(&mut grads)));
            })
        }
    };
}

/// A part of the gradient as a slice, whatever its shape.
trait Flat<F> {
    fn flat(&self) -> &[F];
}
impl<F> Flat<F> for F
where
    F: Real,
{
    fn flat(&self) -> &[F] {
        std::slice::from_ref(self)
    }
}
impl<F, const N: usize> Flat<F> for &[F; N] {
    fn flat(&self) -> &[F] {
        *self
    }
}
impl<F, const N: usize, const M: usize> Flat<F> for &[[F; N]; M] {
    fn flat(&self) -> &[F] {
        self.as_flattened()
    }
}
macro_rules! flat_of {
    ($part:expr) => {
        Flat::<F>::flat(&$part)
    };
}

plain!(w1, w1, [x, t], [w]);
plain!(w2, w2, [x, y], [w, b]);
plain!(w3, w3, [x, y], [w1, b1, w2, b2, w3, b3]);
plain!(w3_any, w3_any, [x, y], [w1, b1, w2, b2, w3, b3]);
plain!(w4, w4, [x, y], [w1, w2]);
plain!(w5, w5, [x, y], [w1, b1, w2, b2]);
plain!(w5_any, w5_any, [x, y], [w1, b1, w2, b2]);
plain!(w6, w6, [x, y], [w1, b1, w2, b2, w3, b3]);
plain!(w6_any, w6_any, [x, y], [w1, b1, w2, b2, w3, b3]);
plain!(w7, w7, [x, y], [w, b]);
plain!(w8, w8, [x], [a, b]);
plain!(w9, w9, [x, y], [w1, b1, w2, b2, w3, b3]);

/// The parameters after some steps of plain gradient descent stand in the references as gradients.
fn check_updated<F: Real>(refs: &Refs, row: &Row, loss: F, params: &[F]) -> bool {
    let mut rest = params;
    let parts = [("w1", 1280), ("b1", 20), ("w2", 400), ("b2", 20), ("w3", 200), ("b3", 10)];
    let parts = parts.map(|(name, len)| {
        let (part, after) = rest.split_at(len);
        rest = after;
        (name, part)
    });
    refs.check(row.dtype, loss, &parts)
}

fn start<F: Real>(refs: &Refs) -> Vec<F> {
    ["w1", "b1", "w2", "b2", "w3", "b3"].map(|name| refs.get::<F>("param", name)).concat()
}

fn w10s<F: Real>(refs: &Refs, row: &Row) -> bool {
    use nets::w3::*;
    let (x, y): (Vec<F>, Vec<F>) = (refs.get("input", "x"), refs.get("input", "y"));
    let inputs = Inputs::new(&x, &y).expect("shapes fit");
    let mut params = Params::<F>::zeros();
    params.as_mut_slice().copy_from_slice(&start(refs));
    let (mut grads, mut ws) = (Params::zeros(), Workspace::new(&inputs));
    let mut sgd = Sgd::new(F::from_f64(RATE));
    let mut step = |params: &mut Params<F>| {
        let loss = value_and_grad_into(params, black_box(&inputs), &mut ws, &mut grads);
        sgd.step(params.as_mut_slice(), grads.as_slice());
        loss
    };
    let loss = step(&mut params);
    let sound = check_updated(refs, row, loss, params.as_slice());
    row.time(sound, || {
        black_box(step(black_box(&mut params)));
    })
}

fn w10e<F: Real>(refs: &Refs, row: &Row) -> bool {
    use nets::w3_any::*;
    let (x, y): (Vec<F>, Vec<F>) = (refs.get("input", "x"), refs.get("input", "y"));
    let batches: Vec<(&[F], &[F])> = x.chunks(BATCH * 64).zip(y.chunks(BATCH * 10)).collect();
    let first = start(refs);
    let mut params = Params::<F>::zeros();
    let mut grads = Params::zeros();
    let room =
        |batch: &(&[F], &[F])| Workspace::new(&Inputs::new(batch.0, batch.1).expect("shapes fit"));
    let (mut full, mut last) = (room(&batches[0]), room(batches.last().expect("some data")));
    let mut sgd = Sgd::new(F::from_f64(RATE));
    let mut epoch = |params: &mut Params<F>| {
        params.as_mut_slice().copy_from_slice(black_box(&first));
        let mut loss = F::ZERO;
        for (x, y) in &batches {
            let inputs = Inputs::new(*x, *y).expect("shapes fit");
            let ws = if x.len() == BATCH * 64 { &mut full } else { &mut last };
            loss = value_and_grad_into(params, &inputs, ws, &mut grads);
            sgd.step(params.as_mut_slice(), grads.as_slice());
        }
        loss
    };
    let loss = epoch(&mut params);
    let sound = check_updated(refs, row, loss, params.as_slice());
    row.time(sound, || {
        black_box(epoch(black_box(&mut params)));
    })
}

struct Row<'a> {
    name: &'a str,
    dtype: &'a str,
    threads: usize,
}

impl Row<'_> {
    /// Times what is right, and nothing else.
    fn time(&self, sound: bool, call: impl FnMut()) -> bool {
        if sound {
            measure(call).emit(self.name, self.dtype, self.threads);
        }
        sound
    }
}

fn chosen(variable: &str, name: &str) -> bool {
    std::env::var(variable)
        .map_or(true, |list| list.is_empty() || list.split(',').any(|one| one == name))
}

/// Checks and times the chosen workloads; whether all were right. A name with `any` is the same workload with its batch size found at run time.
pub fn all<F: Real>(dtype: &str, threads: usize) -> bool {
    type Run = fn(&Refs, &Row) -> bool;
    let rows: [(&str, &str, Run); 14] = [
        ("W1", "W1", w1::<F>),
        ("W2", "W2", w2::<F>),
        ("W3", "W3", w3::<F>),
        ("W3any", "W3", w3_any::<F>),
        ("W4", "W4", w4::<F>),
        ("W5", "W5", w5::<F>),
        ("W5any", "W5", w5_any::<F>),
        ("W6", "W6", w6::<F>),
        ("W6any", "W6", w6_any::<F>),
        ("W7", "W7", w7::<F>),
        ("W8", "W8", w8::<F>),
        ("W9", "W9", w9::<F>),
        ("W10s", "W10s", w10s::<F>),
        ("W10e", "W10e", w10e::<F>),
    ];
    let mut sound = true;
    for (name, data, run) in rows {
        if chosen("PEERS_ONLY", name) && chosen("PEERS_DTYPES", dtype) {
            sound &= run(&Refs::load(data), &Row { name, dtype, threads });
        }
    }
    sound
}
