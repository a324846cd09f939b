//! What is wrong with statements is collected: each error once, and none that only follows from an earlier one. In: diagnostics. Out: those
//! of the program, and the names that are known to be bad from then on.

use super::Lowerer;
use crate::few::Each;
use chainrule_grammar::ast::{Ident, Stmt, StmtKind};
use chainrule_grammar::{Code, Diagnostic};

impl Lowerer<'_> {
    /// Reports a statement's error; its name is then known to be bad, so that its uses are not errors of their own.
    pub(super) fn refuse(&mut self, stmt: &Stmt, diagnostic: Diagnostic) {
        let mut names: Vec<&Ident> = match &stmt.kind {
            StmtKind::Def { name, .. }
            | StmtKind::Loss { name, .. }
            | StmtKind::Output { name, .. } => vec![name],
            StmtKind::Fn { name, .. } | StmtKind::Net { name, .. } => vec![name],
            StmtKind::Const(items) => items.each(|(name, _)| name),
            StmtKind::Dim(decls) => decls.each(|decl| &decl.name),
            _ => Vec::new(),
        };
        names.retain(|name| !self.globals.contains_key(&name.name));
        for name in &names {
            self.places.entry(name.name.clone()).or_insert(name.span);
            self.refused.insert(name.name.clone());
        }
        // A definition that uses itself is an error of its own.
        self.report(diagnostic);
        self.poisoned.extend(names.into_iter().map(|name| name.name.clone()));
    }

    /// Reports what is wrong with a declaration, of which the name is known to be bad then.
    pub(super) fn undeclared(&mut self, name: &Ident, diagnostic: Diagnostic) {
        if !self.globals.contains_key(&name.name) && !self.dims.contains_key(&name.name) {
            self.places.entry(name.name.clone()).or_insert(name.span);
            self.refused.insert(name.name.clone());
        }
        self.poisoned.insert(name.name.clone());
        self.report(diagnostic);
    }

    /// Adds an error unless it only follows from an earlier one.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        let of_a_name = matches!(
            diagnostic.code,
            Code::UnknownName
                | Code::UnknownFunction
                | Code::UseBeforeDefinition
                | Code::UnboundIndex
        );
        let mut quoted = diagnostic.message.split('`').skip(1);
        if of_a_name && quoted.any(|name| self.poisoned.contains(name)) {
            return;
        }
        let told = self.told.entry(diagnostic.span()).or_default();
        if !told.iter().any(|at| self.diagnostics[*at] == diagnostic) {
            told.push(self.diagnostics.len());
            self.diagnostics.push(diagnostic);
        }
    }
}
