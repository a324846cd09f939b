//! Programs that declare nothing: `x'*A*x` alone. As the dialect's users expect, the letter says what a name of one letter is
//! (`a` to `g` a scalar, `h` to `z` a column, capitals a matrix); the sizes are those with which the program fits together. Where
//! there are declarations, a name that is not among them is a mistake, but sizes still follow: the `n` of `ones(n,1)` from what that
//! is added to, and the `n` of `sum(S)/n` from the rows of `S`.
//!
//! In: a program. Out: the same with the declarations that it lacks, and a warning that says which were made up. The program is
//! lowered until nothing is missing any more; each time, lowering says what it lacks: a name, a size, or that two sizes be one.

use super::super::stmt::attempt;
use super::counts::Count;
use crate::few::Each;
use crate::ir::{Dim, Graph};
use crate::ops;
use chainrule_grammar::ast::{
    DeclKind, DimDecl, Expr, ExprKind, Ident, Program, Stmt, StmtKind, VarDecl,
};
use chainrule_grammar::{Code, Diagnostic, Dialect, Span};
use std::collections::BTreeSet;

/// Programs of more statements are not guessed at.
const MAX_STATEMENTS: usize = 100;
/// Nor are programs of more operations.
const MAX_NODES: usize = 20_000;
/// The most names and sizes that are made up.
const MAX_ROUNDS: usize = 60;
/// Names for sizes, in the order in which they are given.
const SIZES: [&str; 8] = ["n", "m", "k", "p", "q", "r", "s", "l"];

/// Names that stand for sizes.
const COUNTS: [&str; 6] = ["n", "m", "k", "N", "M", "K"];

/// What a program lacked where lowering stopped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
    /// Names without a declaration.
    pub names: Vec<Ident>,
    /// Names without a declaration that stand for a size.
    pub counts: Vec<Count>,
    /// Sizes that differ where they had to be one.
    pub equal: Vec<(Dim, Dim)>,
}

/// Declares what the program does not, where that makes it right. Of a program that is wrong all the same nothing is made up.
pub fn declare_by_letter(program: &mut Program) -> Option<Diagnostic> {
    if program.dialect != Dialect::Matlab || program.stmts.len() > MAX_STATEMENTS {
        return None;
    }
    let declares = program.stmts.iter().any(|stmt| matches!(stmt.kind, StmtKind::Decl { .. }));
    let mut guess = Guess { by_letter: !declares, ..Guess::default() };
    let sizes = sizes_in(program);
    for _ in 0..MAX_ROUNDS {
        let trial = guess.declared(program, false);
        let mut graph = Graph::default();
        let (_, diagnostics, wants) = attempt(&trial, &mut graph);
        if !diagnostics.iter().any(Diagnostic::is_error) {
            let warning = guess.warning(program);
            *program = guess.declared(program, true);
            return warning;
        }
        if graph.len() > MAX_NODES || !guess.take(&wants, &sizes, &graph) {
            return None;
        }
    }
    None
}

/// What a letter says of a name: how many axes it has. Longer names say nothing: they may be mistyped.
fn axes_by_letter(name: &str) -> Option<usize> {
    let mut letters = name.chars();
    let first = letters.next()?;
    match first {
        _ if !letters.all(|c| c.is_ascii_digit() || c == '_') => None,
        'a'..='g' => Some(0),
        'h'..='z' => Some(1),
        'A'..='Z' => Some(2),
        _ => None,
    }
}

/// Whether a letter says what a name is.
pub(crate) fn named_by_letter(name: &str) -> bool {
    axes_by_letter(name).is_some()
}

/// The declarations made up so far.
#[derive(Default)]
struct Guess {
    /// Whether variables may be made up, besides sizes.
    by_letter: bool,
    /// Variables with their sizes.
    vars: Vec<(Ident, Vec<usize>)>,
    /// Sizes that the program names and does not declare.
    named: Vec<(Ident, usize)>,
    /// Those of them that no function names, and what they count.
    counts: Vec<(Ident, &'static str)>,
    /// All sizes.
    sizes: Vec<Size>,
}

/// A size that was made up.
enum Size {
    /// Whatever it is.
    Free,
    /// The same as another one.
    Same(usize),
    /// A number or a name of the program.
    Known(ExprKind),
}

impl Guess {
    /// Takes in what the program lacked. Whether that was anything that can be made up.
    fn take(&mut self, wants: &Wants, sizes: &BTreeSet<String>, graph: &Graph) -> bool {
        let before = (self.vars.len(), self.named.len());
        for Count { name, dim, counts } in &wants.counts {
            let letter = COUNTS.contains(&name.name.as_str());
            // What functions name as a size is one already.
            if letter && !sizes.contains(&name.name) && !self.knows(&name.name) {
                let size = self.size_of(dim, graph);
                self.sizes.push(size);
                self.named.push((name.clone(), self.sizes.len() - 1));
                self.counts.push((name.clone(), counts));
            }
        }
        for name in &wants.names {
            if self.knows(&name.name) {
                continue;
            }
            if sizes.contains(&name.name) {
                let id = self.fresh();
                self.named.push((name.clone(), id));
            } else if let Some(axes) = axes_by_letter(&name.name).filter(|_| self.by_letter) {
                let shape = (0..axes).map(|_| self.fresh()).collect();
                self.vars.push((name.clone(), shape));
            }
        }
        let more = before != (self.vars.len(), self.named.len());
        more || wants.equal.first().is_some_and(|(a, b)| self.unite(a, b, graph))
    }

    fn knows(&self, name: &str) -> bool {
        self.vars.iter().any(|(var, _)| var.name == name)
            || self.named.iter().any(|(size, _)| size.name == name)
    }

    fn fresh(&mut self) -> usize {
        self.sizes.push(Size::Free);
        self.sizes.len() - 1
    }

    /// The size that stands for all that are the same.
    fn root(&self, mut id: usize) -> usize {
        while let Size::Same(other) = self.sizes[id] {
            id = other;
        }
        id
    }

    /// Makes two sizes one. Whether one of them was free.
    fn unite(&mut self, a: &Dim, b: &Dim, graph: &Graph) -> bool {
        let [a, b] = [a, b].map(|dim| self.free(dim, graph).ok_or_else(|| known(dim, graph)));
        match (a, b) {
            (Ok(a), Ok(b)) if a != b => self.sizes[a.max(b)] = Size::Same(a.min(b)),
            (Ok(free), Err(Some(known))) | (Err(Some(known)), Ok(free)) => {
                self.sizes[free] = Size::Known(known);
            }
            _ => return false,
        }
        true
    }

    /// A further size that is this one.
    fn size_of(&self, dim: &Dim, graph: &Graph) -> Size {
        match (self.free(dim, graph), known(dim, graph)) {
            (Some(free), _) => Size::Same(free),
            (None, Some(known)) => Size::Known(known),
            (None, None) => Size::Free,
        }
    }

    /// The size that was made up as this one.
    fn free(&self, dim: &Dim, graph: &Graph) -> Option<usize> {
        let name = &graph.dims[dim.as_named()?.0 as usize].name;
        let named = self.named.iter().find(|(size, _)| size.name == *name).map(|(_, id)| *id);
        let id = named.or_else(|| name.strip_prefix(UNNAMED)?.parse().ok())?;
        Some(self.root(id)).filter(|root| matches!(self.sizes[*root], Size::Free))
    }

    /// How a declaration writes a size.
    fn written(&self, id: usize, names: &[String]) -> ExprKind {
        let root = self.root(id);
        match &self.sizes[root] {
            Size::Known(known) => known.clone(),
            _ => ExprKind::Name(names[root].clone()),
        }
    }

    /// What each size is called: as the program calls it, else by a letter that nothing else has, or by its number until then.
    fn names(&self, program: &Program, last: bool) -> Vec<String> {
        let mut taken = names_in(program);
        taken.extend(self.vars.iter().map(|(var, _)| var.name.clone()));
        let mut letters = SIZES.iter().copied().filter(|letter| !taken.contains(*letter));
        (0..self.sizes.len())
            .map(|id| {
                let own = self.named.iter().find(|(_, size)| self.root(*size) == id);
                match own {
                    Some((name, _)) => name.name.clone(),
                    None if last && self.is_used(id) => {
                        letters.next().map_or_else(|| format!("n_{id}"), str::to_string)
                    }
                    None => format!("{UNNAMED}{id}"),
                }
            })
            .collect()
    }

    fn is_used(&self, id: usize) -> bool {
        self.root(id) == id && matches!(self.sizes[id], Size::Free)
    }

    /// The program with the declarations.
    fn declared(&self, program: &Program, last: bool) -> Program {
        let names = self.names(program, last);
        let size = |id: usize, span: Span| Expr::new(self.written(id, &names), span);
        let mut dims: Vec<DimDecl> = Vec::new();
        for id in (0..self.sizes.len()).filter(|id| self.is_used(*id)) {
            dims.push(DimDecl {
                name: Ident::new(names[id].clone(), Span::default()),
                value: None,
            });
        }
        for (name, id) in &self.named {
            if dims.iter().all(|dim| dim.name.name != name.name) {
                dims.push(DimDecl { name: name.clone(), value: Some(size(*id, name.span)) });
            }
        }
        let var = |(name, sizes): &(Ident, Vec<usize>)| {
            let mut shape: Vec<Expr> = sizes.each(|id| size(*id, name.span));
            if shape.len() == 1 {
                shape.push(Expr::new(ExprKind::Num("1".into()), name.span));
            }
            let shape = Some(shape).filter(|shape| !shape.is_empty());
            VarDecl { name: name.clone(), int: false, shape, facts: Vec::new() }
        };
        let vars: Vec<VarDecl> = self.vars.each(var);
        let mut front = Vec::new();
        if !dims.is_empty() {
            front.push(statement(StmtKind::Dim(dims)));
        }
        if !vars.is_empty() {
            front.push(statement(StmtKind::Decl { kind: DeclKind::Param, vars }));
        }
        let mut program = program.clone();
        let is_dim = |stmt: &&Stmt| matches!(stmt.kind, StmtKind::Dim(_));
        let after = program.stmts.iter().take_while(is_dim).count();
        program.stmts.splice(after..after, front);
        program
    }

    fn warning(&self, program: &Program) -> Option<Diagnostic> {
        let first = self.vars.first().map(|(var, _)| var);
        let first = first.or_else(|| self.counts.first().map(|(name, _)| name))?;
        let names = self.names(program, true);
        let shown = |id: &usize| match self.written(*id, &names) {
            ExprKind::Num(number) => number,
            ExprKind::Name(name) => name,
            _ => String::new(),
        };
        let (mut said, mut flags) = (Vec::new(), Vec::new());
        for (var, sizes) in &self.vars {
            let shape: Vec<String> = sizes.each(shown);
            let name = &var.name;
            let (one, flag) = match shape.as_slice() {
                [] => (format!("`{name}` a scalar"), format!("--var {name}")),
                [length] => {
                    (format!("`{name}` a column [{length}, 1]"), format!("--var {name}:{length},1"))
                }
                _ => (
                    format!("`{name}` a matrix [{}]", shape.join(", ")),
                    format!("--var {name}:{}", shape.join(",")),
                ),
            };
            said.push(one);
            flags.push(flag);
        }
        for (name, counts) in &self.counts {
            let id = self.named.iter().find(|(size, _)| size == name).map(|(_, id)| shown(id));
            let size = id.filter(|size| *size != name.name);
            let size = size.map_or_else(String::new, |size| format!(" ({size})"));
            said.push(format!("`{}` {counts}{size}", name.name));
            flags.push(format!("--var {}", name.name));
        }
        let message = format!("not declared, so taken by its letter: {}", said.join(", "));
        let help = format!("declare the variables to say otherwise: `{}`", flags.join(" "));
        Some(Diagnostic::new(Code::ByLetter, first.span, message).help(help))
    }
}

/// What sizes are called until the program fits together: no one can write such a name.
const UNNAMED: &str = "size ";

fn statement(kind: StmtKind) -> Stmt {
    let span = Span::default();
    Stmt { kind, doc: Vec::new(), comments: Vec::new(), after: None, span }
}

/// How a declaration writes a size of the program.
fn known(dim: &Dim, graph: &Graph) -> Option<ExprKind> {
    match (dim.as_fixed(), dim.as_named()) {
        (Some(number), _) if number > 0 => Some(ExprKind::Num(number.to_string())),
        (_, Some(id)) => Some(ExprKind::Name(graph.dims[id.0 as usize].name.clone())),
        _ => None,
    }
}

/// All names that the program's statements give or use.
fn names_in(program: &Program) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for stmt in &program.stmts {
        match &stmt.kind {
            StmtKind::Def { name, .. } | StmtKind::Loss { name, .. } => {
                names.insert(name.name.clone());
            }
            StmtKind::Dim(dims) => names.extend(dims.iter().map(|dim| dim.name.name.clone())),
            StmtKind::Decl { vars, .. } => {
                names.extend(vars.iter().map(|var| var.name.name.clone()));
            }
            _ => {}
        }
    }
    each(program, &mut |expr| {
        if let ExprKind::Name(name) = &expr.kind {
            names.insert(name.clone());
        }
    });
    names
}

/// The names that stand where a function wants sizes: `n` of `ones(n,1)`.
fn sizes_in(program: &Program) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each(program, &mut |expr| {
        let ExprKind::Call { func, args, .. } = &expr.kind else { return };
        let found = ops::lookup(ops::from_elsewhere(&func.name), args.len());
        if !found.is_some_and(|(_, row)| row.written) {
            return;
        }
        names.extend(args.iter().filter_map(|arg| match &arg.kind {
            ExprKind::Name(name) => Some(name.clone()),
            _ => None,
        }));
    });
    names
}

/// Sees every expression of the program.
fn each(program: &Program, see: &mut dyn FnMut(&Expr)) {
    for stmt in &program.stmts {
        let (StmtKind::Def { value, .. } | StmtKind::Loss { value, .. } | StmtKind::Expr(value)) =
            &stmt.kind
        else {
            continue;
        };
        let mut stack = vec![value];
        while let Some(expr) = stack.pop() {
            see(expr);
            expr.children(&mut |child| stack.push(child));
        }
    }
}
