//! A network of 6, 64, 8 and 4 units for one example and for 32: compiled, and by hand in plain loops over arrays of constant size.

use super::{close, noise, race, report};
use chainrule::derive_grad;
use chainrule::rng::SmallRng;
use chainrule::rt::Real;
use std::hint::black_box;

derive_grad! {
    /// One example.
    mod single {
        input x: [1, 6];
        target t: [1, 4] one_hot;
        param W1: [6, 64], b1: [64], W2: [64, 8], b2: [8], W3: [8, 4], b3: [4];
        h1 = relu(x @ W1 + b1);
        h2 = relu(h1 @ W2 + b2);
        loss E = cross_entropy(softmax(h2 @ W3 + b3), t);
    }
}

derive_grad! {
    /// 32 examples.
    mod batch {
        input x: [32, 6];
        target t: [32, 4] one_hot;
        param W1: [6, 64], b1: [64], W2: [64, 8], b2: [8], W3: [8, 4], b3: [4];
        h1 = relu(x @ W1 + b1);
        h2 = relu(h1 @ W2 + b2);
        loss E = cross_entropy(softmax(h2 @ W3 + b3), t);
    }
}

/// The parameters, or their gradients.
struct Hand<F> {
    w1: [[F; 64]; 6],
    b1: [F; 64],
    w2: [[F; 8]; 64],
    b2: [F; 8],
    w3: [[F; 4]; 8],
    b3: [F; 4],
}

impl<F: Real> Hand<F> {
    fn zeros() -> Hand<F> {
        Hand {
            w1: [[F::ZERO; 64]; 6],
            b1: [F::ZERO; 64],
            w2: [[F::ZERO; 8]; 64],
            b2: [F::ZERO; 8],
            w3: [[F::ZERO; 4]; 8],
            b3: [F::ZERO; 4],
        }
    }

    fn parts(&mut self) -> [&mut [F]; 6] {
        let Hand { w1, b1, w2, b2, w3, b3 } = self;
        [w1.as_flattened_mut(), b1, w2.as_flattened_mut(), b2, w3.as_flattened_mut(), b3]
    }
}

/// `b + x W`, 0 where it is negative if `relu`.
#[inline(always)]
fn layer<F: Real, const M: usize, const N: usize>(
    x: &[F; M],
    w: &[[F; N]; M],
    b: &[F; N],
    relu: bool,
) -> [F; N] {
    let mut y = *b;
    for i in 0..M {
        for j in 0..N {
            y[j] = x[i].fma(w[i][j], y[j]);
        }
    }
    if relu {
        for y in &mut y {
            *y = if *y > F::ZERO { *y } else { F::ZERO };
        }
    }
    y
}

/// `W d` where `h` is positive, else 0.
#[inline(always)]
fn back<F: Real, const M: usize, const N: usize>(
    w: &[[F; N]; M],
    d: &[F; N],
    h: &[F; M],
) -> [F; M] {
    let mut out = [F::ZERO; M];
    for i in 0..M {
        let mut sum = F::ZERO;
        for j in 0..N {
            sum = w[i][j].fma(d[j], sum);
        }
        out[i] = if h[i] > F::ZERO { sum } else { F::ZERO };
    }
    out
}

/// The sums over examples of `x dᵀ` and of `d`.
#[inline(always)]
fn outer<F: Real, const B: usize, const M: usize, const N: usize>(
    x: &[[F; M]; B],
    d: &[[F; N]; B],
    gw: &mut [[F; N]; M],
    gb: &mut [F; N],
) {
    for i in 0..M {
        let mut sum = [F::ZERO; N];
        for (x, d) in x.iter().zip(d) {
            for j in 0..N {
                sum[j] = x[i].fma(d[j], sum[j]);
            }
        }
        gw[i] = sum;
    }
    let mut sum = [F::ZERO; N];
    for d in d {
        for j in 0..N {
            sum[j] += d[j];
        }
    }
    *gb = sum;
}

#[inline(never)]
fn by_hand<F: Real, const B: usize>(
    x: &[[F; 6]; B],
    t: &[[F; 4]; B],
    p: &Hand<F>,
    g: &mut Hand<F>,
) -> F {
    let (mut h1, mut h2) = ([[F::ZERO; 64]; B], [[F::ZERO; 8]; B]);
    let (mut d1, mut d2, mut d3) = ([[F::ZERO; 64]; B], [[F::ZERO; 8]; B], [[F::ZERO; 4]; B]);
    let (mut loss, scale) = (F::ZERO, F::ONE / F::from_usize(B));
    let mut turned = [[F::ZERO; 64]; 8];
    for (i, row) in p.w2.iter().enumerate() {
        row.iter().zip(&mut turned).for_each(|(w, column)| column[i] = *w);
    }
    for n in 0..B {
        h1[n] = layer(&x[n], &p.w1, &p.b1, true);
        h2[n] = layer(&h1[n], &p.w2, &p.b2, true);
        let z = layer(&h2[n], &p.w3, &p.b3, false);
        let top = z[0].maximum(z[1]).maximum(z[2].maximum(z[3]));
        let mut e = [F::ZERO; 4];
        for k in 0..4 {
            e[k] = (z[k] - top).exp();
            loss -= t[n][k] * (z[k] - top);
        }
        let total = (e[0] + e[1]) + (e[2] + e[3]);
        loss += total.ln();
        for k in 0..4 {
            d3[n][k] = (e[k] / total - t[n][k]) * scale;
        }
        d2[n] = back(&p.w3, &d3[n], &h2[n]);
        let mut d = [F::ZERO; 64];
        for j in 0..8 {
            for i in 0..64 {
                d[i] = d2[n][j].fma(turned[j][i], d[i]);
            }
        }
        for i in 0..64 {
            d1[n][i] = if h1[n][i] > F::ZERO { d[i] } else { F::ZERO };
        }
    }
    outer(x, &d1, &mut g.w1, &mut g.b1);
    outer(&h1, &d2, &mut g.w2, &mut g.b2);
    outer(&h2, &d3, &mut g.w3, &mut g.b3);
    loss * scale
}

macro_rules! compare {
    ($module:ident, $examples:literal, $dtype:expr, $rng:expr) => {{
        let x: [[F; 6]; $examples] = core::array::from_fn(|_| noise($rng));
        let mut t = [[F::ZERO; 4]; $examples];
        t.iter_mut().enumerate().for_each(|(n, t)| t[n % 4] = F::ONE);
        let inputs = $module::Inputs::new(&x, &t).expect("shapes fit");
        let mut params = $module::Params::<F>::zeros();
        params.as_mut_slice().copy_from_slice(&noise::<F, 1004>($rng));
        let (mut hand, mut g) = (Hand::<F>::zeros(), Hand::<F>::zeros());
        let mut rest = params.as_slice();
        for part in hand.parts() {
            let (first, after) = rest.split_at(part.len());
            part.copy_from_slice(first);
            rest = after;
        }
        let mut grads = $module::Params::<F>::zeros();
        let mut ws = $module::Workspace::new(&inputs);
        let ours = $module::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
        let theirs = by_hand(&x, &t, &hand, &mut g);
        close("mlp", &[ours], &[theirs]);
        close("mlp", grads.as_slice(), &g.parts().map(|part| part.to_vec()).concat());
        let times = race(
            || {
                black_box($module::value_and_grad_into(
                    black_box(&params),
                    black_box(&inputs),
                    &mut ws,
                    &mut grads,
                ));
            },
            || {
                black_box(by_hand(black_box(&x), black_box(&t), black_box(&hand), &mut g));
            },
        );
        report(concat!("MLP 6-64-8-4 (batch ", $examples, ")"), $dtype, times);
    }};
}

/// Both sizes.
pub fn run<F: Real>(dtype: &str, rng: &mut SmallRng) {
    compare!(single, 1, dtype, rng);
    compare!(batch, 32, dtype, rng);
}
