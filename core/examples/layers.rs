//! Time of compiling and telling a program from a file: `cargo run --release -p chainrule-core --example layers -- FILE`.
use chainrule_core::derivation::{Options, Steps, tell};
use chainrule_core::{Source, compile};
fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let text = std::fs::read_to_string(&path).expect("readable");
    let start = std::time::Instant::now();
    let parsed = chainrule_grammar::parse(&Source::new("p", text.clone()));
    println!("parse {:?} {} statements", start.elapsed(), parsed.0.stmts.len());
    let start = std::time::Instant::now();
    let compiled = compile(&Source::new("p", text));
    println!("compile {:?}, {} nodes", start.elapsed(), compiled.graph.len());
    let start = std::time::Instant::now();
    let told = tell(&compiled, Options { steps: Steps::None, ..Options::default() }).expect("told");
    println!(
        "tell {:?}, {} parts",
        start.elapsed(),
        told.iter().map(|told| told.wheres.len()).sum::<usize>()
    );
}
