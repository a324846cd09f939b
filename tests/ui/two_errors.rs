chainrule::derive_grad! {
    pub mod model {
        input x: [3];
        param w: [3], v: [4];
        z = w + v;
        loss E = sum(exq(w)) + sum(z);
    }
}

fn main() {}
