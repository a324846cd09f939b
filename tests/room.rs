//! The planner sets room aside for large products, the run-time support asks for it: two crates, one figure.

use chainrule_core::ir::{Dim, DimId};
use chainrule_core::plan::matmul::Strided;

const SIZES: [usize; 12] = [24, 25, 47, 64, 95, 96, 97, 128, 255, 257, 513, 4000];

fn product(m: Dim, k: Dim, n: Dim) -> Strided {
    let (a, b) = ((k.clone(), Dim::fixed(1)), (n.clone(), Dim::fixed(1)));
    Strided { swapped: false, batch: Vec::new(), m, k, n, a, b }
}

#[test]
fn there_is_room_for_every_large_product() {
    let fixed = |size: usize| Dim::fixed(size as i128);
    let mut large = 0;
    for m in SIZES {
        for (k, n) in SIZES.iter().flat_map(|k| SIZES.map(|n| (*k, n))) {
            let wanted = chainrule::rt::room(m, k, n) as i128;
            let named = Dim::named(DimId(0));
            let products = [
                product(fixed(m), fixed(k), fixed(n)),
                product(named.clone(), fixed(k), fixed(n)),
                product(fixed(m), named, fixed(n)),
            ];
            for room in products.iter().filter_map(|product| product.room(false)) {
                let room = room.as_fixed().expect("a number");
                assert!(room >= wanted, "{m} × {k} × {n}: {room} for {wanted}");
                large += 1;
            }
        }
    }
    assert!(large > 4000, "{large}");
}
