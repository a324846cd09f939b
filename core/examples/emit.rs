//! Prints the generated Rust of a program: `cargo run -p chainrule-core --example emit -- FILE`.
use chainrule_core::{Source, compile, emit};

fn main() -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("a file is wanted")?;
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let source = Source::new(path, text.as_str());
    let compiled = compile(&source);
    let report: String =
        compiled.diagnostics.iter().map(|diagnostic| diagnostic.render(&source)).collect();
    if compiled.has_errors() {
        return Err(report);
    }
    let code = compiled
        .job(&text)
        .and_then(|job| emit::rust_text(&job))
        .map_err(|error| error.render(&source))?;
    println!("{code}");
    Ok(())
}
