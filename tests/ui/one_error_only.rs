// The program has one error; nothing that is done with its module may give another one.
chainrule::derive_grad! {
    pub mod model {
        dim B, N = 4, M = 3;
        input  x: [B, N];
        target t: [B, M];
        param  W: [N, M], b: [M];
        o = sofmax(x @ W + b);
        loss E = mse(o, t);
        output o;
        hessian E wrt b;
    }
}

use model::{Params, Workspace, value_and_grad_into};

struct Trainer<'a> {
    params: Params<f32>,
    inputs: model::Inputs<'a, f32>,
    workspace: Workspace<f32>,
}

impl Trainer<'_> {
    fn step(&mut self, grads: &mut Params<f32>) -> f32 {
        let loss = value_and_grad_into(&self.params, &self.inputs, &mut self.workspace, grads);
        for (param, grad) in self.params.as_mut_slice().iter_mut().zip(grads.as_slice()) {
            *param -= 0.1 * grad;
        }
        loss
    }
}

fn accuracy<F: Copy>(params: &model::Params<F>, inputs: &model::Inputs<'_, F>, ws: &mut Workspace<F>) -> usize {
    let forward = model::forward(params, inputs, ws);
    forward.o.iter().filter(|row| row[0] > row[1]).count()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (x, t) = (vec![[0.5_f32; 4]; 7], vec![[0.5_f32; 3]; 7]);
    let inputs = model::Inputs::new(&x, &t)?;
    let mut params = model::Params::<f32>::init(&mut chainrule::rng::SmallRng::seed(1));
    params.W_mut()[0][1] = 3.0;
    let mut grads = model::Params::zeros();
    let mut workspace = model::Workspace::new(&inputs);
    println!("{} of {}", accuracy(&params, &inputs, &mut workspace), inputs.dims().B);
    model::backward(&params, &inputs, &mut workspace, &mut grads);
    let mut hessian = [0.0; 9];
    model::hessian_E_b(&params, &inputs, &mut workspace, &mut hessian);
    let (value, again): (f32, model::Params<f32>) = model::value_and_grad(&params, &inputs);
    let mut trainer = Trainer { params, inputs, workspace };
    for _ in 0..10 {
        println!("{} {value} {:?}", trainer.step(&mut grads), again.b());
    }
    println!("{} {}", model::SOURCE, model::LATEX.len());
    Ok(())
}
