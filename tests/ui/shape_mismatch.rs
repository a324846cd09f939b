chainrule::derive_grad! {
    pub mod model {
        dim B, N = 4;
        input  x: [B, N]; // comments are lost to the macro, places are not
        param  W: [3, 2], b: [2];
        loss E = sum((x @ W + b)^2);
    }
}

fn main() {}
