//! Runs the command in process.

/// What a run gave.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Standard output as JSON, of a run that was good.
    #[allow(dead_code, reason = "each test takes what it needs")]
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, 0, "{}", self.err);
        serde_json::from_str(&self.out).expect("JSON")
    }
}

/// Runs a command with a standard input.
pub fn run_with(args: &[&str], input: impl AsRef<[u8]>) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = chainrule_cli::run(args, &mut input.as_ref(), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code, out: text(out), err: text(err) }
}

/// Runs a command.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn run(args: &[&str]) -> Ran {
    run_with(args, "")
}

/// An empty folder of a test's own.
#[allow(dead_code, reason = "each test takes what it needs")]
pub fn folder(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("chainrule-cli-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}
