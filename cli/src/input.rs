//! From the command line to a compiled program: the text, and what `--var`, `--wrt` and `--order` add to it.
//!
//! What flags add is written as text of the language below the program's own (so that messages can show it), and its statements
//! are put where they belong in the syntax tree.

use crate::Session;
use crate::args::Args;
use crate::failure::{self, Failure};
use chainrule_core::compile::{Compiled, compile_program};
use chainrule_core::ir::Graph;
use chainrule_core::{Code, Diagnostic, Dialect, Source, Span, lower};
use chainrule_grammar::ast::{Expr, ExprKind, Ident, Program, RequestKind, Stmt, StmtKind};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;

/// The most bytes that are read of a program; the grammar refuses less than that with a kinder message.
const MAX_PROGRAM: u64 = 16 << 20;

/// A program and its text.
pub(crate) struct Unit {
    pub source: Source,
    pub compiled: Compiled,
}

impl Unit {
    /// A finding that refuses the program.
    pub fn refused(&self, diagnostic: Diagnostic) -> Failure {
        Failure::Program {
            source: Box::new(self.source.clone()),
            diagnostics: vec![diagnostic],
            code: 1,
        }
    }

    /// The program asks for nothing.
    pub fn no_derivative(&self) -> Failure {
        self.refused(no_derivative(
            &self.compiled.program,
            "write `loss E = …;` for what is differentiated and declare a `param`, or name variables with `--wrt`",
        ))
    }
}

/// What is said of a program that asks for nothing, where it ends, and what to write.
pub(crate) fn no_derivative(program: &Program, help: &str) -> Diagnostic {
    let message = "the program asks for no derivative";
    let end = program.stmts.last().map_or(0, |stmt| stmt.span.end);
    Diagnostic::new(Code::BadRequest, Span::new(end, end), message).help(help)
}

/// The program that the command line names, compiled. Warnings are shown; errors are a failure.
pub(crate) fn compile(session: &mut Session<'_>) -> Result<Unit, Failure> {
    let mut source = read(session)?;
    let own = source.text.len();
    let (mut program, mut diagnostics) = chainrule_grammar::parse(&source);
    let mut flags = Flags { args: session.args, own, added: Vec::new() };
    diagnostics.extend(flags.apply(&mut program, &mut source)?);
    let mut compiled = compile_program(program);
    compiled.diagnostics.extend(diagnostics);
    compiled.diagnostics.sort_by_key(|diagnostic| (diagnostic.span().start, diagnostic.span().end));
    let of_flags = |diagnostic: &Diagnostic| diagnostic.span().start > own;
    let mut errors = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let code = if errors.all(of_flags) { 2 } else { 1 };
    compiled.diagnostics.iter_mut().for_each(|diagnostic| flags.attribute(diagnostic));
    if compiled.has_errors() {
        return Err(Failure::Program {
            source: Box::new(source),
            diagnostics: compiled.diagnostics,
            code,
        });
    }
    session.reporter.diagnostics(&source, &compiled.diagnostics);
    Ok(Unit { source, compiled })
}

/// The program's text.
pub(crate) fn read(session: &mut Session<'_>) -> Result<Source, Failure> {
    let file = session.args.operands.first();
    let source = match (session.args.value("expression"), file) {
        (Some(_), Some(file)) => Err(Failure::usage(format!(
            "the program is given twice: by `-e` and by `{}`",
            file.to_string_lossy()
        ))),
        (Some(text), None) => Ok(Source::new("<expression>", text)),
        (None, Some(file)) => read_file(file, session.stdin),
        (None, None) => Err(Failure::usage("which program?")
            .help("name a file, `-` for standard input, or write it after `-e`")),
    }?;
    Ok(match session.args.value("syntax") {
        Some("matlab") => Source { dialect: Dialect::Matlab, ..source },
        Some(_) => Source { dialect: Dialect::Chainrule, ..source },
        None => source,
    })
}

/// A file's text; `-` is standard input. A name that ends in `.m.grad` says that it is in the matlab dialect.
pub(crate) fn read_file(file: &OsStr, stdin: &mut dyn Read) -> Result<Source, Failure> {
    let name =
        if file == "-" { "<stdin>".to_string() } else { file.to_string_lossy().into_owned() };
    let dialect = if name.ends_with(".m.grad") { Dialect::Matlab } else { Dialect::Chainrule };
    let bytes = read_bytes(file, stdin, MAX_PROGRAM)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { dialect, ..Source::new(name, text) }),
        Err(error) => Err(Failure::usage(format!(
            "`{name}` is not text: byte {} is not UTF-8",
            error.utf8_error().valid_up_to()
        ))),
    }
}

/// A file's bytes, at most this many; `-` is standard input.
pub(crate) fn read_bytes(
    file: &OsStr,
    stdin: &mut dyn Read,
    limit: u64,
) -> Result<Vec<u8>, Failure> {
    let name = if file == "-" {
        "standard input".to_string()
    } else {
        format!("`{}`", file.to_string_lossy())
    };
    let mut bytes = Vec::new();
    let outcome = if file == "-" {
        stdin.take(limit + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(limit + 1).read_to_end(&mut bytes))
    };
    match outcome {
        Err(error) => {
            Err(Failure::usage(format!("{name} cannot be read: {}", failure::reason(&error))))
        }
        Ok(_) if bytes.len() as u64 > limit => Err(Failure::usage(format!(
            "{name} has more than {} megabytes, too many to read",
            limit >> 20
        ))),
        Ok(_) => Ok(bytes),
    }
}

/// What the command line adds to a program of `own` bytes.
struct Flags<'a> {
    args: &'a Args,
    own: usize,
    /// Where what each flag wrote begins, and the flag.
    added: Vec<(usize, String)>,
}

impl Flags<'_> {
    fn apply(
        &mut self,
        program: &mut Program,
        source: &mut Source,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let mut diagnostics = self.declare(program, source)?;
        diagnostics.extend(self.ask(program, source)?);
        Ok(diagnostics)
    }

    /// No one wrote the lines that flags add: what is found there is said of the flag.
    fn attribute(&self, diagnostic: &mut Diagnostic) {
        let start = diagnostic.span().start;
        if let Some((_, flag)) = self.added.iter().rfind(|(from, _)| *from <= start) {
            diagnostic.message = format!("`{flag}`: {}", diagnostic.message);
            diagnostic.fix.clear();
        }
        diagnostic.labels.retain(|label| label.span.start <= self.own);
    }

    /// Writes text below the program's for a flag, and reads its statements, with places in the whole.
    fn add(
        &mut self,
        source: &mut Source,
        text: &str,
        flag: String,
    ) -> (Vec<Stmt>, Vec<Diagnostic>) {
        let start = source.text.len() + 1;
        self.added.push((start, flag));
        source.text.push('\n');
        source.text.push_str(text);
        let mut padded = " ".repeat(start);
        padded.push_str(text);
        let (added, diagnostics) = chainrule_grammar::parse(&Source::new("", padded));
        (added.stmts, diagnostics)
    }

    /// `--var W:N,M` declares a param, and its sizes where the program does not.
    fn declare(
        &mut self,
        program: &mut Program,
        source: &mut Source,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let mut known = names_of_dims(&program.stmts);
        let (mut decls, mut diagnostics) = (Vec::new(), Vec::new());
        for var in self.args.values("var") {
            let (added, errors) = self.add(source, &declaration(var)?, format!("--var {var}"));
            diagnostics.extend(errors);
            decls.extend(added);
        }
        let mut sizes = Vec::new();
        for stmt in &decls {
            let StmtKind::Decl { vars, .. } = &stmt.kind else { continue };
            for var in vars {
                var.shape.iter().flatten().for_each(|size| collect_names(size, &mut sizes));
            }
        }
        sizes.retain(|name| known.insert(name.clone()));
        let mut front = Vec::new();
        if !sizes.is_empty() {
            let (dims, errors) =
                self.add(source, &format!("dim {};", sizes.join(", ")), "--var".to_string());
            diagnostics.extend(errors);
            front.extend(dims);
        }
        // Sizes may be those of the program's own `dim`s, which then come first.
        let after =
            program.stmts.iter().take_while(|stmt| matches!(stmt.kind, StmtKind::Dim(_))).count();
        front.extend(decls);
        program.stmts.splice(after..after, front);
        diagnostics.extend(lower::matlab::declare_by_letter(program));
        Ok(diagnostics)
    }

    /// `--wrt` replaces by what is differentiated, `--order 2` adds Hessians.
    fn ask(
        &mut self,
        program: &mut Program,
        source: &mut Source,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let second = self.args.value("order") == Some("2");
        let mut wrt: Vec<&str> = Vec::new();
        for name in self.args.values("wrt").flat_map(|list| list.split(',')).map(str::trim) {
            if !wrt.contains(&name) {
                wrt.push(name);
            }
        }
        if !second && wrt.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(bad) = wrt.iter().find(|name| !is_name(name)) {
            return Err(Failure::usage(format!("`--wrt` wants names of variables, not `{bad}`"))
                .help("e.g. `--wrt W,b`"));
        }
        let tensor = name_unnamed(program);
        let mut graph = Graph::default();
        let (lowered, errors) = lower::lower(program, &mut graph);
        if errors.iter().any(Diagnostic::is_error) {
            return Ok(Vec::new());
        }
        let by = if wrt.is_empty() { params(&graph) } else { wrt.join(", ") };
        let mut text = Vec::new();
        let mut asked = BTreeSet::new();
        for request in &lowered.requests {
            let of = &request.of.name;
            let word = word(request.kind);
            if !wrt.is_empty() && asked.insert((word, of.clone())) {
                text.push(format!("{word} {of} wrt {by};"));
            }
        }
        if let Some(name) = tensor
            && asked.insert(("jacobian", name.clone()))
        {
            text.push(format!("jacobian {name} wrt {by};"));
        }
        let quiet = lowered.losses.is_empty() && text.is_empty();
        if !wrt.is_empty() {
            let losses = lowered.losses.iter().map(|loss| ("grad", &loss.name));
            let outputs =
                lowered.outputs.iter().filter(|_| quiet).map(|output| ("jacobian", &output.name));
            for (word, of) in losses.chain(outputs) {
                if asked.insert((word, of.clone())) {
                    text.push(format!("{word} {of} wrt {by};"));
                }
            }
            program.stmts.retain(|stmt| !matches!(stmt.kind, StmtKind::Request { .. }));
        }
        if second {
            text.extend(
                self.hessians(&lowered, &by)?
                    .into_iter()
                    .filter(|line| !text.contains(line))
                    .collect::<Vec<_>>(),
            );
        }
        let flag = match wrt.is_empty() {
            true => "--order 2".to_string(),
            false => format!("--wrt {}", wrt.join(",")),
        };
        let mut diagnostics = Vec::new();
        for line in text {
            let (stmts, errors) = self.add(source, &line, flag.clone());
            program.stmts.extend(stmts);
            diagnostics.extend(errors);
        }
        debug_assert!(source.text.len() >= self.own, "text is only added");
        Ok(diagnostics)
    }

    fn hessians(&self, lowered: &lower::Lowered, by: &str) -> Result<Vec<String>, Failure> {
        if lowered.losses.is_empty() {
            return Err(Failure::usage(
                "`--order 2` asks for Hessians, and the program has no loss",
            )
            .help("a Hessian is of a scalar: reduce the expression, e.g. with `sum(...)`"));
        }
        if by.is_empty() {
            return Err(Failure::usage(
                "`--order 2` asks for Hessians, and the program has no param",
            )
            .help("name variables with `--wrt`"));
        }
        Ok(lowered.losses.iter().map(|loss| format!("hessian {} wrt {by};", loss.name)).collect())
    }
}

fn word(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Grad => "grad",
        RequestKind::Jacobian => "jacobian",
        RequestKind::Hessian => "hessian",
        RequestKind::Hvp => "hvp",
        RequestKind::Jvp => "jvp",
    }
}

fn params(graph: &Graph) -> String {
    let params = graph.vars.iter().filter(|var| var.kind == chainrule_core::ir::VarKind::Param);
    params.map(|var| var.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// `W:N,M` as a declaration: the name, its sizes, and its facts after a blank.
fn declaration(var: &str) -> Result<String, Failure> {
    let (name, rest) = var.split_once(':').unwrap_or((var, ""));
    if !is_name(name.trim()) {
        return Err(Failure::usage(format!("`--var` wants a name and its sizes, not `{var}`"))
            .help("`--var W:N,M` declares a matrix, `--var x` a scalar"));
    }
    let rest = rest.trim().trim_start_matches('[').replacen(']', " ", 1);
    let (sizes, facts) = match rest.find(|c: char| c.is_whitespace()) {
        Some(at)
            if !rest[at..].trim_start().starts_with([',', '+', '-', '*', '/'])
                && !rest[..at].ends_with([',', '+', '-', '*', '/']) =>
        {
            rest.split_at(at)
        }
        _ => (rest.as_str(), ""),
    };
    let shape = if sizes.trim().is_empty() { String::new() } else { format!("[{}]", sizes.trim()) };
    let said = [shape.as_str(), facts.trim()].join(" ");
    let colon = if said.trim().is_empty() { "" } else { ": " };
    Ok(format!("param {}{colon}{};", name.trim(), said.trim()))
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

fn names_of_dims(stmts: &[Stmt]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for stmt in stmts {
        if let StmtKind::Dim(dims) = &stmt.kind {
            names.extend(dims.iter().map(|dim| dim.name.name.clone()));
        }
    }
    names
}

/// The names in a size formula.
fn collect_names(expr: &Expr, names: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Name(name) => names.push(name.clone()),
        ExprKind::Neg(inner) => collect_names(inner, names),
        ExprKind::Sum(first, rest) => {
            collect_names(first, names);
            rest.iter().for_each(|(_, term)| collect_names(term, names));
        }
        ExprKind::Product(first, rest) => {
            collect_names(first, names);
            rest.iter().for_each(|(_, factor)| collect_names(factor, names));
        }
        _ => {}
    }
}

/// Names the unnamed expression, so that requests can speak of it: a loss `f` where it is a scalar, else an output `f`.
/// Gives the name of an output, whose Jacobian is wanted.
fn name_unnamed(program: &mut Program) -> Option<String> {
    let at = program.stmts.iter().rposition(|stmt| matches!(stmt.kind, StmtKind::Expr(_)))?;
    let mut graph = Graph::default();
    let (lowered, _) = lower::lower(program, &mut graph);
    let stmt = &mut program.stmts[at];
    let StmtKind::Expr(value) = &stmt.kind else { return None };
    let own = |named: &&lower::Named| named.span == stmt.span;
    let loss = lowered.losses.iter().find(own);
    let output = lowered.outputs.iter().find(own);
    let called = loss.or(output).map_or("f", |named| named.name.as_str()).to_string();
    let (name, value) = (Ident::new(called.clone(), value.span), value.clone());
    if loss.is_some() {
        stmt.kind = StmtKind::Loss { name, value };
        return None;
    }
    stmt.kind = StmtKind::Output { name, indices: Vec::new(), value: Some(value) };
    Some(called)
}
