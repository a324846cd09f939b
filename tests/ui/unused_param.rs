// What is a warning by default is made an error here, because only errors are compared.
#![deny(deprecated)]

chainrule::derive_grad! {
    pub mod model {
        input x: [3];
        param w: [3], idle: [2];
        loss E = sum((w - x)^2);
    }
}

fn main() {}
