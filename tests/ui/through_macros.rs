// A program that a macro by example has put together: each error is shown at the token that is wrong.
macro_rules! layered {
    ($name:ident, $width:expr, $activation:ident) => {
        chainrule::derive_grad! {
            pub mod $name {
                input x: [$width];
                param w: [$width];
                loss E = sum($activation(w * x)) + y;
            }
        }
    };
}
layered!(model, 3, sigmoit);

fn main() {}
