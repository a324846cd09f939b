chainrule::derive_grad! {
    param w: [3];
    loss E = sum(w^2);
}

fn main() {}
