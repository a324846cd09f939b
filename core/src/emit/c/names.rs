//! In: a job. Out: what everything is called in the file.

use crate::emit::Job;
use crate::emit::declared::{Declared, whole};
use crate::emit::helpers::{self, Helper};
use crate::emit::names::Scope;
use crate::ir::{Dim, DimId, VarId};
use crate::ops;
use std::collections::BTreeMap;

/// Words of the language and of the file.
const RESERVED: &[&str] = &[
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "_Bool",
    "_Complex",
    "_Imaginary",
    "asm",
    "main",
    "real",
    "work",
    "size_t",
    "ptrdiff_t",
    "NULL",
    "I",
    "complex",
    "imaginary",
    "CHAINRULE_CHECK",
    "INFINITY",
    "NAN",
    "forward",
    "value_and_grad",
    "work_size",
    "example",
    "check",
    "linux",
    "unix",
    "sqrt",
    "pow",
    "y0",
    "y1",
    "yn",
    "j0",
    "j1",
    "jn",
    "gamma",
    "signgam",
    "errno",
    "printf",
    "stdin",
    "stdout",
];

/// What everything is called.
pub struct Names {
    /// The declared tensors.
    pub vars: BTreeMap<VarId, String>,
    /// The open sizes.
    pub dims: BTreeMap<DimId, String>,
    /// For each loss its function.
    pub losses: Vec<String>,
    /// For each request its function.
    pub requests: Vec<String>,
    /// All of these are taken.
    pub scope: Scope,
}

/// The functions that emitted code may call.
pub fn helpers() -> Vec<Helper> {
    parse(include_str!("helpers.c"))
}

/// The functions of a file of C; the comment before one is not kept.
pub fn parse(file: &str) -> Vec<Helper> {
    let mut all = helpers::parse(file, |line| {
        let rest = line.strip_prefix("static ")?;
        let (head, _) = rest.split_once('(')?;
        head.rsplit([' ', '*']).next().map(str::to_string)
    });
    for helper in &mut all {
        let end = helper.text.find("\n}").map_or(helper.text.len(), |at| at + 2);
        helper.text.truncate(end);
    }
    all
}

impl Names {
    /// Names for a job.
    pub fn new(job: &Job) -> Names {
        let mut scope = Scope::with(RESERVED);
        let templates = ops::all().map(|(_, _, row)| row.c.to_string());
        for text in templates.chain([include_str!("helpers.c").to_string()]) {
            for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                if word.len() > 2 && word.starts_with(|c: char| c.is_ascii_lowercase()) {
                    scope.take(word);
                }
            }
        }
        let Declared { vars, dims, losses, requests } = scope.declare(job);
        Names { vars, dims, losses, requests, scope }
    }

    /// A size as an expression of whole numbers, in brackets where it is more than a word.
    pub fn dim(&self, dim: &Dim) -> String {
        let (text, scale) = whole(dim, &self.dims, "(size_t)0 - ");
        let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match (text.is_empty(), scale == 1) {
            (true, _) => "0".to_string(),
            (_, true) if word(&text) => text,
            (_, true) => format!("({text})"),
            _ => format!("(({text}) / {scale})"),
        }
    }
}
