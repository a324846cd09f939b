chainrule::derive_grad! {
    pub mod model {
        input x: [3];
        param w: [3];
        loss E = mean(sigmiod(w * x));
    }
}

fn main() {}
