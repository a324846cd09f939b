//! Closed forms written by hand for fixed shapes: what the compiled gradients are measured against. Plain loops over arrays of
//! constant size, the same vector math, no allocation.

use chainrule::rt::Real;

/// ½(σ(w·x) − t)² of ten inputs, and its gradient.
#[inline(never)]
pub fn perceptron<F: Real>(x: &[F; 10], w: &[F; 10], t: F, grad: &mut [F; 10]) -> F {
    let mut z = F::ZERO;
    for j in 0..10 {
        z = x[j].fma(w[j], z);
    }
    let o = z.sigmoid();
    let e = o - t;
    let d = e * o * (F::ONE - o);
    for j in 0..10 {
        grad[j] = d * x[j];
    }
    F::from_f64(0.5) * e * e
}

/// mean((softmax(x w + b) − y)²) of 2 samples, 4 inputs, 3 classes.
#[inline(never)]
pub fn softmax_mse<F: Real>(
    x: &[[F; 4]; 2],
    y: &[[F; 3]; 2],
    w: &[[F; 3]; 4],
    b: &[F; 3],
    gw: &mut [[F; 3]; 4],
    gb: &mut [F; 3],
) -> F {
    let mut loss = F::ZERO;
    let mut dz = [[F::ZERO; 3]; 2];
    for n in 0..2 {
        let mut p = *b;
        for j in 0..4 {
            for k in 0..3 {
                p[k] = x[n][j].fma(w[j][k], p[k]);
            }
        }
        let top = p[0].maximum(p[1]).maximum(p[2]);
        for v in &mut p {
            *v = (*v - top).exp();
        }
        let inverse = F::ONE / (p[0] + p[1] + p[2]);
        let mut dot = F::ZERO;
        let mut g = [F::ZERO; 3];
        for k in 0..3 {
            p[k] *= inverse;
            let e = p[k] - y[n][k];
            loss += e * e;
            g[k] = F::from_f64(1.0 / 3.0) * e;
            dot += g[k] * p[k];
        }
        for k in 0..3 {
            dz[n][k] = p[k] * (g[k] - dot);
        }
    }
    for k in 0..3 {
        gb[k] = dz[0][k] + dz[1][k];
        for j in 0..4 {
            gw[j][k] = x[0][j] * dz[0][k] + x[1][j] * dz[1][k];
        }
    }
    loss * F::from_f64(1.0 / 6.0)
}

/// The parameters of the digits network, or their gradients.
#[derive(Clone)]
pub struct Mlp<F> {
    /// 64 × 20, 20, 20 × 20, 20, 20 × 10, 10
    pub w1: [F; 1280],
    pub b1: [F; 20],
    pub w2: [F; 400],
    pub b2: [F; 20],
    pub w3: [F; 200],
    pub b3: [F; 10],
}

impl<F: Real> Mlp<F> {
    pub fn zeros() -> Mlp<F> {
        Mlp {
            w1: [F::ZERO; 1280],
            b1: [F::ZERO; 20],
            w2: [F::ZERO; 400],
            b2: [F::ZERO; 20],
            w3: [F::ZERO; 200],
            b3: [F::ZERO; 10],
        }
    }
}

/// What the passes keep.
pub struct Scratch<F> {
    h1: [F; 500],
    h2: [F; 500],
    d1: [F; 500],
    d2: [F; 500],
    z: [F; 250],
    w2t: [F; 400],
    w3t: [F; 200],
}

impl<F: Real> Scratch<F> {
    pub fn new() -> Scratch<F> {
        Scratch {
            h1: [F::ZERO; 500],
            h2: [F::ZERO; 500],
            d1: [F::ZERO; 500],
            d2: [F::ZERO; 500],
            z: [F::ZERO; 250],
            w2t: [F::ZERO; 400],
            w3t: [F::ZERO; 200],
        }
    }
}

/// c[m, N] = a[m, k] b[k, N] + bias; `a` by strides, so that a transposed one costs nothing. Five rows at a time stay in registers.
#[inline(always)]
fn product<F: Real, const N: usize>(
    m: usize,
    k: usize,
    a: &[F],
    strides: (usize, usize),
    b: &[F],
    bias: Option<&[F]>,
    c: &mut [F],
) {
    let mut row = 0;
    while row + 5 <= m {
        block::<F, N, 5>(row, k, a, strides, b, bias, c);
        row += 5;
    }
    while row < m {
        block::<F, N, 1>(row, k, a, strides, b, bias, c);
        row += 1;
    }
}

#[inline(always)]
fn block<F: Real, const N: usize, const R: usize>(
    row: usize,
    k: usize,
    a: &[F],
    (down, right): (usize, usize),
    b: &[F],
    bias: Option<&[F]>,
    c: &mut [F],
) {
    let mut sums = [[F::ZERO; N]; R];
    if let Some(bias) = bias {
        for sum in &mut sums {
            sum.copy_from_slice(&bias[..N]);
        }
    }
    for (p, b) in b[..k * N].chunks_exact(N).enumerate() {
        for (r, sum) in sums.iter_mut().enumerate() {
            let a = a[(row + r) * down + p * right];
            for j in 0..N {
                sum[j] = a.fma(b[j], sum[j]);
            }
        }
    }
    for (r, sum) in sums.iter().enumerate() {
        c[(row + r) * N..(row + r + 1) * N].copy_from_slice(sum);
    }
}

fn transpose<F: Real>(rows: usize, columns: usize, a: &[F], out: &mut [F]) {
    for i in 0..rows {
        for j in 0..columns {
            out[j * rows + i] = a[i * columns + j];
        }
    }
}

fn columns<F: Real, const N: usize>(a: &[F], out: &mut [F]) {
    let mut sums = [F::ZERO; N];
    for row in a.chunks_exact(N) {
        for j in 0..N {
            sums[j] += row[j];
        }
    }
    out.copy_from_slice(&sums);
}

/// Softmax cross-entropy of 10 classes: logits in, their gradient out; the mean loss.
fn cross_entropy<F: Real>(z: &mut [F], t: &[F]) -> F {
    let rows = z.len() / 10;
    let scale = F::ONE / F::from_usize(rows);
    let mut loss = F::ZERO;
    for (z, t) in z.chunks_exact_mut(10).zip(t.chunks_exact(10)) {
        let top = z.iter().copied().fold(F::NEG_INFINITY, F::maximum);
        for (v, t) in z.iter_mut().zip(t) {
            *v -= top;
            loss -= *v * *t;
        }
        let mut e = [F::ZERO; 10];
        for k in 0..10 {
            e[k] = z[k].exp();
        }
        let total: F = e.iter().copied().sum();
        loss += total.ln();
        let inverse = scale / total;
        for k in 0..10 {
            z[k] = e[k] * inverse - t[k] * scale;
        }
    }
    loss * scale
}

/// 64-20-20-10, logistic, logistic, softmax with cross-entropy; batch 25.
#[inline(never)]
pub fn digits<F: Real>(
    x: &[F; 1600],
    t: &[F; 250],
    p: &Mlp<F>,
    g: &mut Mlp<F>,
    s: &mut Scratch<F>,
) -> F {
    product::<F, 20>(25, 64, x, (64, 1), &p.w1, Some(&p.b1), &mut s.h1);
    for v in &mut s.h1 {
        *v = v.sigmoid();
    }
    product::<F, 20>(25, 20, &s.h1, (20, 1), &p.w2, Some(&p.b2), &mut s.h2);
    for v in &mut s.h2 {
        *v = v.sigmoid();
    }
    product::<F, 10>(25, 20, &s.h2, (20, 1), &p.w3, Some(&p.b3), &mut s.z);
    let loss = cross_entropy(&mut s.z, t);
    transpose(20, 10, &p.w3, &mut s.w3t);
    product::<F, 20>(25, 10, &s.z, (10, 1), &s.w3t, None, &mut s.d2);
    for (d, h) in s.d2.iter_mut().zip(&s.h2) {
        *d *= *h * (F::ONE - *h);
    }
    transpose(20, 20, &p.w2, &mut s.w2t);
    product::<F, 20>(25, 20, &s.d2, (20, 1), &s.w2t, None, &mut s.d1);
    for (d, h) in s.d1.iter_mut().zip(&s.h1) {
        *d *= *h * (F::ONE - *h);
    }
    product::<F, 20>(64, 25, x, (1, 64), &s.d1, None, &mut g.w1);
    product::<F, 20>(20, 25, &s.h1, (1, 20), &s.d2, None, &mut g.w2);
    product::<F, 10>(20, 25, &s.h2, (1, 20), &s.z, None, &mut g.w3);
    columns::<F, 20>(&s.d1, &mut g.b1);
    columns::<F, 20>(&s.d2, &mut g.b2);
    columns::<F, 10>(&s.z, &mut g.b3);
    loss
}
