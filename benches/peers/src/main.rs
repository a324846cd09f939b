//! Our side of the comparison with other tools: reads the seeded workloads of an outside harness, checks values and gradients
//! against its references, times one call each, and prints a row of JSON a workload.
//!
//!     PEERS_REFS=… chainrule-peers [THREADS]
//!
//! `PEERS_NAME` is what the rows are called, `PEERS_ONLY=W3,W9` and `PEERS_DTYPES=f32` choose rows, `PEERS_BUDGET_S` the seconds of timing for each.

mod measure;
mod nets;
mod refs;
mod runs;

fn main() {
    let threads =
        std::env::args().nth(1).map_or(1, |text| text.parse().expect("a number of threads"));
    let sound = [runs::all::<f32>("f32", threads), runs::all::<f64>("f64", threads)];
    if sound.contains(&false) {
        std::process::exit(1);
    }
}
