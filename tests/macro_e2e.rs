use chainrule::derive_grad;

derive_grad! {
    /// Single-layer perceptron.
    pub mod perceptron {
        dim B, N = 10, M = 3;
        input  x: [B, N];
        target t: [B, M];
        param  W: [N, M], b: [M];
        o = softmax(x @ W + b);
        loss E = mse(o, t);
    }
}

#[test]
fn first() {
    let (x, t) = (vec![0.5f32; 40], vec![0.25f32; 12]);
    let inputs = perceptron::Inputs::new(&x, &t).unwrap();
    let mut params = perceptron::Params::<f32>::init(&mut chainrule::rng::SmallRng::seed(1));
    let mut grads = perceptron::Params::zeros();
    let mut ws = perceptron::Workspace::new(&inputs);
    for _ in 0..100 {
        let _e = perceptron::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
        for (p, g) in params.as_mut_slice().iter_mut().zip(grads.as_slice()) { *p -= 0.1 * g; }
    }
    println!("{}\n{}", perceptron::SOURCE, perceptron::LATEX);
}
