//! A whole program in the ordinary language, from its graph: for programs that were written in the other dialect, so that what is
//! printed of them can be read with their declarations and definitions.

use super::{Names, Notation, text};
use crate::few::Each;
use crate::ir::graph::Fact;
use crate::ir::{Dim, Graph, NodeId, Op, Var, VarKind};
use crate::lower::Lowered;
use chainrule_grammar::ast::{DeclKind, DimDecl, Expr, Ident, Program, Stmt, StmtKind, VarDecl};
use chainrule_grammar::{Span, parse_expr};

/// Declarations, named numbers and definitions, as the graph has them; no losses, outputs or requests.
pub fn program(graph: &Graph, lowered: &Lowered) -> Program {
    let mut program = Program::default();
    let dims: Vec<DimDecl> = graph.dims.each(|dim| DimDecl { name: ident(&dim.name), value: None });
    if !dims.is_empty() {
        program.stmts.push(statement(StmtKind::Dim(dims)));
    }
    let consts =
        graph.consts.iter().map(|(name, value)| (ident(name), Expr::num(value.to_string())));
    let consts: Vec<(Ident, Expr)> = consts.collect();
    if !consts.is_empty() {
        program.stmts.push(statement(StmtKind::Const(consts)));
    }
    program.stmts.extend(graph.vars.iter().filter_map(|var| declaration(graph, var)));
    // Arguments have smaller ids than what is made of them.
    let mut named: Vec<(NodeId, &String)> =
        lowered.scope.iter().map(|(name, node)| (*node, name)).collect();
    named.sort();
    let names = Names::new(graph);
    for (node, name) in named {
        let declared = graph.consts.iter().any(|(known, _)| known == name)
            || matches!(graph.op(node), Op::Var(_)) && graph.name(node) == Some(name);
        if !declared {
            let value = text(&names, node, Notation::Matrix);
            program.stmts.push(statement(StmtKind::Def {
                name: ident(name),
                indices: Vec::new(),
                value,
            }));
        }
    }
    program
}

fn declaration(graph: &Graph, var: &Var) -> Option<Stmt> {
    let kind = match var.kind {
        VarKind::Input => DeclKind::Input,
        VarKind::Target => DeclKind::Target,
        VarKind::Param => DeclKind::Param,
        VarKind::Direction => return None,
    };
    let size = |dim: &Dim| parse_expr(&graph.show_dim(dim)).ok();
    let shape = var.shape.iter().map(size).collect::<Option<Vec<Expr>>>()?;
    let spelling = |fact: &Fact| {
        Fact::ALL.iter().find(|(_, known)| known == fact).map(|(name, _)| ident(name))
    };
    let decl = VarDecl {
        name: ident(&var.name),
        int: var.int,
        shape: (!shape.is_empty()).then_some(shape),
        facts: var.facts.iter().filter_map(spelling).collect(),
    };
    Some(statement(StmtKind::Decl { kind, vars: vec![decl] }))
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::default())
}

fn statement(kind: StmtKind) -> Stmt {
    Stmt { kind, doc: Vec::new(), comments: Vec::new(), after: None, span: Span::default() }
}
