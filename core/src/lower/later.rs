//! Names that are used before they stand for anything. In: the statements of a program, and a name. Out: what is said of it, and how what
//! is declared nowhere is declared.

use super::Lowerer;
use chainrule_grammar::ast::{Ident, Stmt, StmtKind};
use chainrule_grammar::{Code, Diagnostic, Dialect, Span};

impl Lowerer<'_> {
    /// Remembers where names are going to be defined or declared.
    pub(super) fn note_later(&mut self, stmts: &[Stmt]) {
        let later = &mut self.later;
        let mut note = |name: &Ident, word: &'static str| {
            later.entry(name.name.clone()).or_insert((name.span, word));
        };
        for stmt in stmts {
            match &stmt.kind {
                StmtKind::Def { name, .. }
                | StmtKind::Loss { name, .. }
                | StmtKind::Output { name, value: Some(_), .. } => note(name, "defined"),
                StmtKind::Const(items) => items.iter().for_each(|(name, _)| note(name, "defined")),
                StmtKind::Decl { vars, .. } => {
                    vars.iter().for_each(|var| note(&var.name, "declared"));
                }
                StmtKind::Dim(decls) => decls.iter().for_each(|decl| note(&decl.name, "declared")),
                StmtKind::Fn { name, .. } | StmtKind::Net { name, .. } => {
                    self.later_functions.entry(name.name.clone()).or_insert(name.span);
                }
                _ => {}
            }
        }
    }

    /// What is said of a name that is defined or declared further down.
    pub(super) fn too_early(&self, name: &str, span: Span, (at, word): (Span, &str)) -> Diagnostic {
        let itself = self.statement.start <= at.start && at.end <= self.statement.end;
        let message = format!("`{name}` is used before it is {word}");
        Diagnostic::new(Code::UseBeforeDefinition, span, message)
            .label(at, format!("{word} here"))
            .help(match word {
                _ if itself => "nothing is defined by itself; write the new value under a new name",
                "declared" => "move its declaration up",
                _ => "move its definition up",
            })
    }

    /// A function or net that is defined further down.
    pub(super) fn function_too_early(&self, func: &str, span: Span) -> Option<Diagnostic> {
        let at = *self.later_functions.get(func)?;
        Some(self.too_early(func, span, (at, "defined")))
    }

    /// How a name that is declared nowhere is declared.
    pub(super) fn declaring(&self, name: &str) -> String {
        if self.dialect == Dialect::Matlab {
            return format!(
                "declare it: `--var {name}` a scalar, `--var {name}:n,1` a column, `--var {name}:m,n` a matrix; in a file `dim m, n; input {name}: [m, n];`"
            );
        }
        format!("declare it: `input {name}: [..];` or `param {name}: [..];`")
    }
}
