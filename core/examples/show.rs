//! Prints a derivation: `cargo run -p chainrule-core --example show -- PROGRAM [index|matrix] [chain|staged|auto]`.
use chainrule_core::derivation::{Notation, Options, Style, tell};
use chainrule_core::{Source, compile};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let source = Source::new("program", args[1].clone());
    let compiled = compile(&source);
    for d in &compiled.diagnostics {
        println!("{}", d.render(&source));
    }
    let notation =
        if args.get(2).is_some_and(|a| a == "index") { Notation::Index } else { Notation::Matrix };
    let style = match args.get(3).map(String::as_str) {
        Some("chain") => Style::Chain,
        Some("staged") => Style::Staged,
        _ => Style::Auto,
    };
    for told in tell(&compiled, Options { notation, style, ..Options::default() }).unwrap() {
        println!("== d{}/d{} : {:?}", told.of, told.wrt, told.shape);
        for step in &told.steps {
            println!(
                "  [{}] {:24} {}\n{:30}   {}\n{:30}   -- {}",
                step.about,
                step.rule,
                step.text,
                "",
                step.latex(),
                "",
                step.note()
            );
        }
        for w in &told.wheres {
            println!("  where {} = {}     {}", w.name, w.text, w.latex());
        }
        println!("  TEXT {}\n  LATEX {} = {}", told.text, told.lhs_latex(), told.latex());
    }
}
