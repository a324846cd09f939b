//! Why a command ends without its result.

use chainrule_core::{Diagnostic, Source};

/// Why a command ends without its result.
pub(crate) enum Failure {
    /// The command line is wrong, or a file cannot be read or written: exit code 2.
    Usage {
        /// One sentence.
        message: String,
        /// What to do instead.
        help: Option<String>,
    },
    /// The program (or the point) is wrong.
    Program {
        /// What the places are in.
        source: Box<Source>,
        /// What is wrong.
        diagnostics: Vec<Diagnostic>,
        /// 1, or 2 where only the part of the program that flags wrote is wrong.
        code: i32,
    },
    /// A check did not hold, and has said so.
    Check,
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::Usage { message: message.into(), help: None }
    }

    pub fn help(self, text: impl Into<String>) -> Failure {
        match self {
            Failure::Usage { message, .. } => Failure::Usage { message, help: Some(text.into()) },
            other => other,
        }
    }

    pub fn exit_code(&self) -> i32 {
        match self {
            Failure::Usage { .. } => 2,
            Failure::Program { code, .. } => *code,
            Failure::Check => 1,
        }
    }
}

/// What the system says, in a few words.
pub(crate) fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_string(),
        ErrorKind::PermissionDenied => "permission denied".to_string(),
        ErrorKind::IsADirectory => "it is a directory".to_string(),
        _ => error.to_string(),
    }
}
