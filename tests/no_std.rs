//! Generated code of fixed sizes in a crate without the standard library and without an allocator.
#![no_std]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

#[cfg(test)]
extern crate std;

chainrule::derive_grad! {
    /// A neuron.
    pub mod neuron {
        input  x: [8, 3];
        target t: [8];
        param  w: [3], b;
        loss E = mean((tanh(x @ w + b) - t)^2);
    }
}

#[test]
fn descends() {
    let (x, t) = ([[0.5_f32, -0.25, 1.0]; 8], [0.5_f32; 8]);
    let inputs = neuron::Inputs::new(&x, &t).expect("these sizes");
    let mut params = neuron::Params::zeros();
    let (before, grads) = neuron::value_and_grad(&params, &inputs);
    for (param, grad) in params.as_mut_slice().iter_mut().zip(grads.as_slice()) {
        *param -= 0.1 * grad;
    }
    assert!(neuron::value_and_grad(&params, &inputs).0 < before);
}
