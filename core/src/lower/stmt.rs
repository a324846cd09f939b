//! Statements: declarations, definitions, results and requests, in order; every independent error is reported.

use super::matlab::Wants;
use super::net::Net;
use super::{Function, Lowered, Lowerer, Named, Request, Val};
use crate::few::Each;
use crate::ir::graph::{DimInfo, Fact};
use crate::ir::{Dim, DimId, Graph, NamedConst, Num, Op, Var, VarKind};
use crate::ops;
use chainrule_grammar::ast::{
    DeclKind, DimDecl, Expr, Ident, Program, RequestKind, Stmt, StmtKind, VarDecl,
};
use chainrule_grammar::{Code, Diagnostic, Dialect, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

/// The most nodes that a program may stand for.
const MAX_NODES: usize = 2_000_000;

/// Lowers a program into a graph. What could be understood is in the result even where there are errors.
pub fn lower(program: &Program, graph: &mut Graph) -> (Lowered, Vec<Diagnostic>) {
    let (lowered, diagnostics, _) = attempt(program, graph);
    (lowered, diagnostics)
}

/// The same, with what the program lacks.
pub(crate) fn attempt(program: &Program, graph: &mut Graph) -> (Lowered, Vec<Diagnostic>, Wants) {
    let mut lowerer = Lowerer::new(graph);
    lowerer.dialect = program.dialect;
    lowerer.poisoned.extend(program.broken.iter().cloned());
    lowerer.heads.clone_from(&program.heads);
    let mut lowered = Lowered::default();
    let mut requests: Vec<(RequestKind, &Ident, &[Ident])> = Vec::new();
    let mut unnamed = None;
    lowerer.note_later(&program.stmts);
    for stmt in &program.stmts {
        if lowerer.graph.len() > MAX_NODES {
            lowerer.diagnostics.push(Diagnostic::new(
                Code::TooLarge,
                stmt.span,
                "the program stands for too many operations",
            ));
            break;
        }
        match &stmt.kind {
            StmtKind::Request { kind, of, wrt } => requests.push((*kind, of, wrt)),
            StmtKind::Expr(expr) => match lowerer.compared_definition(expr) {
                Some(diagnostic) => lowerer.report(diagnostic),
                None => unnamed = Some((expr, stmt.span)),
            },
            _ => {
                let outcome = lowerer.statement(stmt, &mut lowered);
                if let Err(diagnostic) = outcome {
                    lowerer.refuse(stmt, diagnostic);
                }
            }
        }
    }
    if let Some((expr, span)) = unnamed {
        lowerer.bare(expr, span, &mut lowered);
    }
    lowerer.defined_again();
    lowerer.collect_vars(&mut lowered);
    lowerer.requests(&requests, &mut lowered);
    lowered.dims = lowerer.dims.clone();
    lowered.scope.extend(lowerer.globals.iter().map(|(name, val)| (name.clone(), val.node)));
    let (diagnostics, wants) = (lowerer.diagnostics, lowerer.wants.into_inner());
    if program.dialect == Dialect::Matlab {
        super::matlab::slim(graph, &mut lowered);
    }
    (lowered, diagnostics, wants)
}

/// What other languages call the types of numbers.
const NUMBERS: [&str; 8] = ["float", "double", "real", "number", "f32", "f64", "scalar", "tensor"];

impl<'a> Lowerer<'a> {
    fn statement(&mut self, stmt: &'a Stmt, lowered: &mut Lowered) -> Result<()> {
        self.statement = stmt.span;
        match &stmt.kind {
            StmtKind::Dim(decls) => {
                for decl in decls {
                    if let Err(diagnostic) = self.dim(decl) {
                        self.undeclared(&decl.name, diagnostic);
                    }
                }
                Ok(())
            }
            StmtKind::Decl { kind, vars } => {
                for decl in vars {
                    if let Err(diagnostic) = self.declare(*kind, decl, &stmt.doc) {
                        self.undeclared(&decl.name, diagnostic);
                    }
                }
                Ok(())
            }
            StmtKind::Const(items) => {
                items.iter().try_for_each(|(name, value)| self.named_number(name, value))
            }
            StmtKind::Def { name, indices, value } => {
                self.free(name).map_err(|taken| match indices.as_slice() {
                    [] => taken,
                    _ => taken.help(format!(
                        "entries are not assigned: `{0}` is whole as it stands; define another, `{0}_new[{1}] = …`",
                        name.name,
                        indices.each(|index| index.name.as_str()).join(",")
                    )),
                })?;
                self.refuse_function_name(name)?;
                let val = self.definition(indices, value, stmt.span)?;
                self.define(name, val, stmt, lowered);
                Ok(())
            }
            StmtKind::Loss { name, value } => {
                self.free(name)?;
                self.right = value.span;
                let val = self.expr(value)?;
                let val = self.scalar_loss(name, value, val)?;
                self.define(name, val.clone(), stmt, lowered);
                lowered.losses.push(Named {
                    name: name.name.clone(),
                    node: val.node,
                    span: name.span,
                });
                Ok(())
            }
            StmtKind::Output { name, indices, value } => {
                let val = match value {
                    Some(value) => {
                        self.free(name)?;
                        let val = self.definition(indices, value, stmt.span)?;
                        self.define(name, val.clone(), stmt, lowered);
                        val
                    }
                    None => match self.value(&name.name) {
                        Some(val) => val.clone(),
                        None => return Err(self.unknown_name(&name.name, name.span)),
                    },
                };
                lowered.outputs.push(Named {
                    name: name.name.clone(),
                    node: val.node,
                    span: name.span,
                });
                Ok(())
            }
            StmtKind::Fn { name, params, body, result, .. } => {
                if self.functions.contains_key(&name.name) || self.nets.contains_key(&name.name) {
                    return Err(self.taken(name));
                }
                self.all_different(params)?;
                self.places.insert(name.name.clone(), name.span);
                if ops::lookup(&name.name, params.len()).is_some() {
                    self.graph.hidden.push(name.name.clone());
                }
                let function = Function { name: &name.name, params, body, result };
                self.functions.insert(name.name.clone(), function);
                Ok(())
            }
            StmtKind::Net { name, chain } => {
                if self.functions.contains_key(&name.name) || self.nets.contains_key(&name.name) {
                    return Err(self.taken(name));
                }
                self.places.insert(name.name.clone(), name.span);
                self.nets.insert(name.name.clone(), Net { name, chain, applied: None });
                Ok(())
            }
            StmtKind::Request { .. } | StmtKind::Expr(_) => Ok(()),
        }
    }

    fn scalar_loss(&self, name: &Ident, value: &Expr, val: Val) -> Result<Val> {
        if self.positional(&val).is_empty() {
            return Ok(val);
        }
        let shape = self.show(&val);
        Err(Diagnostic::new(
            Code::NonScalarLoss,
            value.span,
            format!("the loss `{}` has shape {shape}; a gradient needs a scalar", name.name),
        )
        .here(shape)
        .help("reduce it with `sum(...)` or `mean(...)`, or declare an `output` and ask for its `jacobian`")
        .insert(value.span.start, "sum(")
        .insert(value.span.end, ")"))
    }

    fn free(&self, name: &Ident) -> Result<()> {
        let clash = self.globals.contains_key(&name.name)
            || self.dims.contains_key(&name.name)
            || self.refused.contains(&name.name);
        if clash { Err(self.taken(name)) } else { self.taken_unread(name).map_or(Ok(()), Err) }
    }

    fn dim(&mut self, decl: &DimDecl) -> Result<()> {
        self.free(&decl.name)?;
        let dim = match &decl.value {
            Some(value) => self.dimension(value)?,
            None => {
                let id = DimId(self.graph.dims.len() as u32);
                self.graph.dims.push(DimInfo { name: decl.name.name.clone() });
                Dim::named(id)
            }
        };
        self.later.remove(&decl.name.name);
        self.places.insert(decl.name.name.clone(), decl.name.span);
        self.dims.insert(decl.name.name.clone(), dim);
        Ok(())
    }

    /// A size: a whole-number formula of numbers and dim names.
    pub(crate) fn dimension(&self, expr: &Expr) -> Result<Dim> {
        let indices_hidden = self.position(expr).filter(|position| position.terms.is_empty());
        let Some(position) = indices_hidden else {
            return Err(self.bad_dimension(expr));
        };
        let dim = position.offset;
        let whole = dim.terms.iter().all(|(_, c)| matches!(c, Num::Rational(..)));
        match dim.as_fixed() {
            Some(size) if size <= 0 => Err(Diagnostic::new(
                Code::BadDimension,
                expr.span,
                format!("a size must be at least 1, this is {size}"),
            )),
            None if dim.terms.iter().all(|(names, _)| names.is_empty()) || !whole => {
                Err(Diagnostic::new(Code::BadDimension, expr.span, "a size must be a whole number"))
            }
            _ => Ok(dim),
        }
    }

    fn declare(&mut self, kind: DeclKind, decl: &VarDecl, doc: &[String]) -> Result<()> {
        self.later.remove(&decl.name.name);
        self.free(&decl.name)?;
        let shape: Vec<Dim> = match &decl.shape {
            Some(sizes) => sizes.iter().map(|size| self.dimension(size)).collect::<Result<_>>()?,
            None => Vec::new(),
        };
        let shape = self.declared_shape(shape);
        self.check_size(&shape, decl.name.span)?;
        let facts = decl.facts.iter().map(|fact| self.fact(fact, &shape)).collect::<Result<_>>()?;
        let kind = match kind {
            DeclKind::Input => VarKind::Input,
            DeclKind::Target => VarKind::Target,
            DeclKind::Param => VarKind::Param,
        };
        if decl.int && kind == VarKind::Param {
            return Err(Diagnostic::new(
                Code::BadFact,
                decl.name.span,
                "a param cannot be integers: nothing can be differentiated by it",
            ));
        }
        let var = Var {
            name: decl.name.name.clone(),
            kind,
            int: decl.int,
            shape,
            facts,
            doc: doc.to_vec(),
            span: decl.name.span,
        };
        let node = self.graph.declare(var);
        self.places.insert(decl.name.name.clone(), decl.name.span);
        self.globals.insert(decl.name.name.clone(), Val { node, labels: Vec::new() });
        Ok(())
    }

    fn fact(&self, fact: &Ident, shape: &[Dim]) -> Result<Fact> {
        let Some((_, known)) = Fact::ALL.iter().find(|(name, _)| *name == fact.name) else {
            let names = Fact::ALL.iter().map(|(name, _)| *name);
            let diagnostic =
                Diagnostic::new(Code::BadFact, fact.span, format!("unknown fact `{}`", fact.name));
            if chainrule_grammar::STATEMENTS.contains(&fact.name.as_str()) {
                let help =
                    format!("where `{}` begins a statement, a `;` is missing before it", fact.name);
                return Err(diagnostic.help(help));
            }
            if self.dims.contains_key(&fact.name) || self.later.contains_key(&fact.name) {
                let shape = format!("[{}]", fact.name);
                let help = format!("a shape is written in brackets: `{shape}`");
                return Err(diagnostic.help(help).edit(fact.span, shape));
            }
            if NUMBERS.contains(&fact.name.as_str()) {
                return Err(diagnostic.help("numbers have no types: a scalar is declared by its name alone, what has axes by its sizes, as `x: [N]`"));
            }
            return Err(match super::expr::nearest(&fact.name, names.clone()) {
                Some(near) => {
                    diagnostic.help(format!("did you mean `{near}`?")).edit(fact.span, near)
                }
                None => {
                    diagnostic.help(format!("facts are: {}", names.collect::<Vec<_>>().join(", ")))
                }
            });
        };
        let square = matches!(
            known,
            Fact::Symmetric | Fact::Spd | Fact::Orthogonal | Fact::Diagonal | Fact::Triangular
        );
        let fits = match shape {
            _ if matches!(known, Fact::Positive | Fact::Nonnegative) => true,
            [a, b] if square => a == b,
            [] => false,
            _ => !square,
        };
        if fits {
            return Ok(*known);
        }
        Err(Diagnostic::new(
            Code::BadFact,
            fact.span,
            format!("`{}` cannot be said of {}", fact.name, self.graph.show_shape(shape)),
        )
        .help(if square {
            "only a square matrix can be so"
        } else {
            "it is said of rows: of a tensor with at least one axis"
        }))
    }

    fn named_number(&mut self, name: &Ident, value: &Expr) -> Result<()> {
        self.free(name)?;
        let val = self.expr(value)?;
        let Some(number) = self.constant_value(val.node).or_else(|| self.known_number(val.node))
        else {
            return Err(Diagnostic::new(
                Code::BadArgument,
                value.span,
                format!("the const `{}` must be a number", name.name),
            ));
        };
        let number = self.in_range(number, true, value.span)?;
        self.later.remove(&name.name);
        let id = self.graph.consts.len() as u32;
        self.graph.consts.push((name.name.clone(), number));
        let node = self.graph.named_const(NamedConst::User(id));
        self.places.insert(name.name.clone(), name.span);
        self.globals.insert(name.name.clone(), Val { node, labels: Vec::new() });
        Ok(())
    }

    /// A formula of constants as a number: `const s = sqrt(2) * pi;`
    fn known_number(&self, node: crate::ir::NodeId) -> Option<Num> {
        let point = crate::eval::Point::default();
        let closed = self
            .graph
            .reachable(&[node])
            .iter()
            .all(|&id| !matches!(self.graph.op(id), Op::Var(_) | Op::Size(_)));
        if !closed || !self.graph.shape(node).is_empty() {
            return None;
        }
        let value =
            crate::eval::eval(self.graph, &point, &[node]).ok()?.first()?.data.first().copied()?;
        Some(Num::Real(value))
    }

    /// The value of `name[indices] = value`.
    pub(crate) fn definition(
        &mut self,
        indices: &[Ident],
        value: &Expr,
        span: Span,
    ) -> Result<Val> {
        // Where the left has no index, one on the right may belong there, or be summed over: that is not for a fix to say.
        self.right = if indices.is_empty() { Span::default() } else { value.span };
        if indices.is_empty() {
            let val = self.expr(value)?;
            debug_assert!(
                val.labels.is_empty() || !self.frames.is_empty(),
                "a definition has no open indices"
            );
            return Ok(val);
        }
        self.inferred.clear();
        let first = self.indices.len();
        let mut labels = Vec::new();
        for index in indices {
            if indices.iter().filter(|other| other.name == index.name).count() > 1 {
                return Err(Diagnostic::new(
                    Code::Redefinition,
                    index.span,
                    format!("the index `{}` is named twice", index.name),
                ));
            }
            let label = self.fresh();
            self.indices.push((index.name.clone(), label));
            labels.push(label);
        }
        self.infer_ranges(value);
        let result = self.expr(value);
        self.indices.truncate(first);
        let val = result?;
        for (index, label) in indices.iter().zip(&labels) {
            let Some(size) = self.sizes.get(label).cloned() else {
                return Err(self.no_range(&index.name, index.span));
            };
            self.graph.letters.push((size, index.name.clone()));
        }
        if !self.positional(&val).is_empty() {
            return Err(Diagnostic::new(
                Code::ShapeMismatch,
                span,
                format!("the right-hand side must be an entry, but has shape {}", self.show(&val)),
            )
            .help("index its tensors, e.g. `x[i,j]`, or drop the indices on the left"));
        }
        let outer: Vec<_> =
            val.labels.iter().filter(|label| !labels.contains(label)).copied().collect();
        let wanted: Vec<_> = outer.iter().chain(&labels).copied().collect();
        Ok(Val { node: self.restore(&val, &wanted), labels: outer })
    }

    fn define(&mut self, name: &Ident, val: Val, stmt: &Stmt, lowered: &mut Lowered) {
        let atom = matches!(
            self.graph.op(val.node),
            Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_)
        );
        if !atom {
            self.graph.names.entry(val.node).or_insert_with(|| name.name.clone());
        }
        self.graph.spans.entry(val.node).or_insert(name.span);
        if !stmt.doc.is_empty() {
            lowered.docs.insert(name.name.clone(), stmt.doc.clone());
        }
        self.later.remove(&name.name);
        self.places.insert(name.name.clone(), name.span);
        self.globals.insert(name.name.clone(), val);
    }

    /// An unnamed expression is called `f` where that name is free: a loss where it is a scalar, else an output whose Jacobian is taken.
    fn bare(&mut self, expr: &'a Expr, span: Span, lowered: &mut Lowered) {
        self.right = expr.span;
        let val = match self.expr(expr) {
            Ok(val) => val,
            Err(diagnostic) => return self.report(diagnostic),
        };
        // `f`, or where the program has another `f`, `f_1`.
        let taken = |name: &str| self.globals.contains_key(name) || self.dims.contains_key(name);
        let numbered = (1..).map(|number| format!("f_{number}"));
        let name = std::iter::once("f".to_string())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or_default();
        let named = Named { name: name.clone(), node: val.node, span };
        let atom = matches!(
            self.graph.op(val.node),
            Op::Var(_) | Op::Const(_) | Op::Named(_) | Op::Size(_)
        );
        if !atom {
            self.graph.names.entry(val.node).or_insert_with(|| name.clone());
        }
        self.globals.insert(name, val.clone());
        if self.positional(&val).is_empty() {
            lowered.losses.push(named);
        } else {
            lowered.outputs.push(named.clone());
            let wrt = self.default_wrt();
            lowered.requests.push(Request {
                kind: RequestKind::Jacobian,
                of: named,
                wrt,
                explicit: false,
            });
        }
    }

    fn default_wrt(&mut self) -> Vec<Named> {
        let params: Vec<(u32, Var)> = self
            .graph
            .vars
            .iter()
            .enumerate()
            .filter(|(_, var)| var.kind == VarKind::Param)
            .map(|(at, var)| (at as u32, var.clone()))
            .collect();
        params
            .into_iter()
            .map(|(at, var)| Named {
                name: var.name,
                node: self.graph.variable(crate::ir::VarId(at)),
                span: var.span,
            })
            .collect()
    }

    fn collect_vars(&mut self, lowered: &mut Lowered) {
        for at in 0..self.graph.vars.len() {
            if self.graph.vars[at].kind != VarKind::Direction {
                let node = self.graph.variable(crate::ir::VarId(at as u32));
                lowered.vars.push(node);
            }
        }
    }

    fn requests(&mut self, written: &[(RequestKind, &Ident, &[Ident])], lowered: &mut Lowered) {
        for (kind, of, wrt) in written {
            match self.request(*kind, of, wrt) {
                Ok(request) => lowered.requests.push(request),
                Err(diagnostic) => self.report(diagnostic),
            }
        }
        let params = self.default_wrt();
        let asked: Vec<String> = lowered
            .requests
            .iter()
            .filter(|request| request.kind == RequestKind::Grad)
            .map(|request| request.of.name.clone())
            .collect();
        // What nobody asked for comes before second derivatives, which come from it.
        let second =
            |request: &Request| matches!(request.kind, RequestKind::Hessian | RequestKind::Hvp);
        let at = lowered.requests.iter().position(second).unwrap_or(lowered.requests.len());
        let later = lowered.requests.split_off(at);
        for loss in lowered.losses.clone() {
            if !asked.contains(&loss.name) && !params.is_empty() {
                lowered.requests.push(Request {
                    kind: RequestKind::Grad,
                    of: loss,
                    wrt: params.clone(),
                    explicit: false,
                });
            }
        }
        lowered.requests.extend(later);
    }

    fn request(&mut self, kind: RequestKind, of: &Ident, wrt: &[Ident]) -> Result<Request> {
        let Some(val) = self.globals.get(&of.name).cloned() else {
            return Err(self.unknown_result(kind, of));
        };
        let scalar = self.graph.shape(val.node).is_empty();
        if !scalar && matches!(kind, RequestKind::Grad | RequestKind::Hessian | RequestKind::Hvp) {
            return Err(Diagnostic::new(
                Code::BadRequest,
                of.span,
                format!(
                    "`{}` has shape {}; only a scalar has a gradient or a Hessian",
                    of.name,
                    self.show(&val)
                ),
            )
            .help(format!("ask for `jacobian {} wrt …;`", of.name)));
        }
        let mut by = Vec::new();
        for name in wrt {
            let Some(val) = self.globals.get(&name.name).cloned() else {
                return Err(self.unknown_name(&name.name, name.span));
            };
            if let Op::Var(var) = self.graph.op(val.node)
                && self.graph.var(*var).int
            {
                return Err(Diagnostic::new(
                    Code::NoDerivative,
                    name.span,
                    format!("`{}` is integers: nothing can be differentiated by it", name.name),
                )
                .help("declare it without `int` if it may take any value between them"));
            }
            by.push(Named { name: name.name.clone(), node: val.node, span: name.span });
        }
        Ok(Request {
            kind,
            of: Named { name: of.name.clone(), node: val.node, span: of.span },
            wrt: by,
            explicit: true,
        })
    }
}
