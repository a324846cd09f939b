chainrule::derive_grad! {
    pub mod model {
        input x: [3];
        param weight: [3];
        loss E = sum(wieght * x);
    }
}

fn main() {}
