chainrule::derive_grad! {
    pub mod model {
        input x: [3];
        param w: [3];
        loss E = sum(w * * x);
        output y = w + x
    }
}

fn main() {}
