//! The chainrule command.

fn main() -> std::process::ExitCode {
    chainrule_cli::main()
}
