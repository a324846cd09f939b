//! Time of compiling and telling networks of growing depth.
use chainrule_core::derivation::{Options, tell};
use chainrule_core::{Source, compile};
use std::fmt::Write;
fn main() {
    for layers in [1, 4, 16, 64, 256] {
        let mut p = String::from("dim B; input x: [B, 8]; target T: [B, 8];\n");
        let mut h = "x".to_string();
        for l in 1..=layers {
            writeln!(p, "param W{l}: [8, 8], b{l}: [8]; z{l} = {h} @ W{l} + b{l}; h{l} = tanh(z{l});").unwrap();
            h = format!("h{l}");
        }
        writeln!(p, "loss E = mse({h}, T);").unwrap();
        let t = std::time::Instant::now();
        let c = compile(&Source::new("p", p));
        let t1 = t.elapsed();
        let told = tell(&c, Options::default()).unwrap();
        println!("{layers}: compile {t1:?} nodes {} tell {:?} steps {} wheres {}", c.graph.len(), t.elapsed() - t1, told.iter().map(|t| t.steps.len()).sum::<usize>(), told.iter().map(|t| t.wheres.len()).sum::<usize>());
    }
}
