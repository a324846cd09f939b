//! After set-up nothing is allocated: steps of training under a counting allocator.

use allocation_counter::measure;
use chainrule::derive_grad;
use chainrule::optim::Adam;

derive_grad! {
    mod layers {
        dim B;
        input x: [B, 6];
        target t: [B, 3];
        param U: [6, 16], a: [16], V: [16, 3], c: [3];
        h = tanh(x @ U + a);
        p = softmax(h @ V + c);
        loss E = cross_entropy(p, t);
        hvp E wrt U, V;
    }
}

derive_grad! {
    mod recurrent {
        dim T;
        input xs: [T, 4];
        param A: [5, 5], B: [4, 5];
        fn step(s, x) = tanh(s @ A + x @ B);
        loss E = mean(scan(step, zeros(5), xs)^2);
    }
}

derive_grad! {
    mod looked_up {
        dim N;
        input rows: int[N];
        param E: [7, 3];
        loss s = sum(logsumexp(E[rows], axis=1));
    }
}

/// Steps of training with a set-up of their own, counted.
macro_rules! steps {
    ($net:ident, $params:expr, $inputs:expr, $grads:expr) => {{
        let (mut params, inputs, mut grads) = ($params, $inputs, $grads);
        let mut ws = $net::Workspace::new(&inputs);
        let mut adam = Adam::new(0.01);
        // The first step makes room for the moments.
        adam.step(params.as_mut_slice(), grads.as_slice());
        let counted = measure(|| {
            for _ in 0..3 {
                let loss = $net::value_and_grad_into(&params, &inputs, &mut ws, &mut grads);
                assert!(loss.is_finite());
                adam.step(params.as_mut_slice(), grads.as_slice());
                $net::forward(&params, &inputs, &mut ws);
                $net::backward(&params, &inputs, &mut ws, &mut grads);
            }
        });
        assert_eq!(counted.count_total, 0, "{}: {counted:?}", stringify!($net));
    }};
}

#[test]
fn steps_of_training_allocate_nothing() {
    let mut rng = chainrule::rng::SmallRng::seed(1);
    let (x, t) = (vec![0.5_f64; 200 * 6], [0.0, 1.0, 0.0].repeat(200));
    steps!(
        layers,
        layers::Params::init(&mut rng),
        layers::Inputs::new(&x, &t).unwrap(),
        layers::Params::zeros()
    );
    let xs = vec![0.25_f32; 30 * 4];
    steps!(
        recurrent,
        recurrent::Params::init(&mut rng),
        recurrent::Inputs::new(&xs).unwrap(),
        recurrent::Params::zeros()
    );
    steps!(
        looked_up,
        looked_up::Params::<f64>::init(&mut rng),
        looked_up::Inputs::new(&[0_usize, 3, 6, 3]).unwrap(),
        looked_up::Params::zeros()
    );
}

/// The counter counts.
#[test]
fn an_allocation_is_seen() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u8; 100]))).count_total, 1);
}
