//! Syntax tree -> text, with as few parentheses as read back to the same tree: `parse(format(p)) == p` up to places.
//! One printer for `chainrule fmt` and for every formula of a derivation.

use crate::ast::{
    AddOp, DeclKind, Expr, ExprKind, Ident, IndexItem, MulOp, Program, RequestKind, Stmt, StmtKind,
    VarDecl,
};

/// Lists longer than this many columns get a line for each of their members.
const COLUMNS: usize = 100;

/// A program in canonical layout: one statement a line, comments and single blank lines kept.
pub fn format(program: &Program) -> String {
    let mut out = String::new();
    for stmt in &program.stmts {
        write_stmt(&mut out, stmt, "");
    }
    write_comments(&mut out, &program.trailing, "");
    out
}

/// An expression on one line.
pub fn expr(expr: &Expr) -> String {
    let mut out = String::new();
    write(&mut out, expr, Level::Pipe);
    out
}

fn write_comments(out: &mut String, comments: &[String], indent: &str) {
    for comment in comments {
        if !comment.is_empty() {
            out.push_str(indent);
            out.push_str(comment);
        }
        out.push('\n');
    }
}

fn write_stmt(out: &mut String, stmt: &Stmt, indent: &str) {
    write_comments(out, &stmt.comments, indent);
    for line in &stmt.doc {
        out.push_str(indent);
        out.push_str("///");
        if !line.is_empty() {
            out.push(' ');
            out.push_str(line);
        }
        out.push('\n');
    }
    out.push_str(indent);
    write_kind(out, &stmt.kind);
    if let Some(comment) = &stmt.after {
        out.push(' ');
        out.push_str(comment);
    }
    out.push('\n');
}

/// The statement itself with its `;`.
fn write_kind(out: &mut String, kind: &StmtKind) {
    match kind {
        StmtKind::Dim(dims) => {
            let dims = dims.iter().map(|dim| match &dim.value {
                Some(value) => format!("{} = {}", dim.name.name, expr(value)),
                None => dim.name.name.clone(),
            });
            write_list(out, "dim", dims.collect());
        }
        StmtKind::Decl { kind, vars } => {
            let word = match kind {
                DeclKind::Input => "input",
                DeclKind::Target => "target",
                DeclKind::Param => "param",
            };
            write_list(out, word, vars.iter().map(variable).collect());
        }
        StmtKind::Const(items) => {
            let items =
                items.iter().map(|(name, value)| format!("{} = {}", name.name, expr(value)));
            write_list(out, "const", items.collect());
        }
        StmtKind::Fn { name, params, body, result, block } => {
            out.push_str(&format!("fn {}({})", name.name, names(params)));
            return write_body(out, body, result, *block);
        }
        _ => write_short(out, kind),
    }
    out.push(';');
}

/// Statements of one line.
fn write_short(out: &mut String, kind: &StmtKind) {
    let text = match kind {
        StmtKind::Def { name, indices, value } => definition(name, indices, value),
        StmtKind::Loss { name, value } if name.name == "loss" => format!("loss = {}", expr(value)),
        StmtKind::Loss { name, value } => format!("loss {} = {}", name.name, expr(value)),
        StmtKind::Output { name, indices, value: Some(value) } => {
            format!("output {}", definition(name, indices, value))
        }
        StmtKind::Output { name, .. } => format!("output {}", name.name),
        StmtKind::Request { kind, of, wrt } => {
            let word = match kind {
                RequestKind::Grad => "grad",
                RequestKind::Jacobian => "jacobian",
                RequestKind::Hessian => "hessian",
                RequestKind::Hvp => "hvp",
                RequestKind::Jvp => "jvp",
            };
            format!("{word} {} wrt {}", of.name, names(wrt))
        }
        StmtKind::Net { name, chain } => format!("net {} = {}", name.name, expr(chain)),
        StmtKind::Expr(value) => expr(value),
        _ => return,
    };
    out.push_str(&text);
}

fn definition(name: &Ident, indices: &[Ident], value: &Expr) -> String {
    match indices {
        [] => format!("{} = {}", name.name, expr(value)),
        indices => {
            format!("{}[{}] = {}", name.name, names(indices).replace(", ", ","), expr(value))
        }
    }
}

fn write_body(out: &mut String, body: &[Stmt], result: &Expr, block: bool) {
    if !block {
        out.push_str(&format!(" = {};", expr(result)));
        return;
    }
    out.push_str(" {\n");
    for line in body {
        write_stmt(out, line, "    ");
    }
    out.push_str(&format!("    {}\n}}", expr(result)));
}

/// `word a, b`, on several lines where one would be too long.
fn write_list(out: &mut String, word: &str, items: Vec<String>) {
    let columns: usize = items.iter().map(|item| item.chars().count() + 2).sum();
    let separator = if word.len() + columns > COLUMNS { ",\n    " } else { ", " };
    out.push_str(&format!("{word} {}", items.join(separator)));
}

fn variable(var: &VarDecl) -> String {
    let mut parts = Vec::new();
    let shape = var.shape.as_ref().map(|sizes| format!("[{}]", list(sizes)));
    match (var.int, shape) {
        (true, shape) => parts.push(format!("int{}", shape.unwrap_or_default())),
        (false, Some(shape)) => parts.push(shape),
        (false, None) => {}
    }
    parts.extend(var.facts.iter().map(|fact| fact.name.clone()));
    match parts.is_empty() {
        true => var.name.name.clone(),
        false => format!("{}: {}", var.name.name, parts.join(" ")),
    }
}

fn names(names: &[Ident]) -> String {
    let names: Vec<&str> = names.iter().map(|ident| ident.name.as_str()).collect();
    names.join(", ")
}

fn list(items: &[Expr]) -> String {
    let mut out = String::new();
    write_all(&mut out, items, |out, item| write(out, item, Level::Pipe));
    out
}

/// Members with commas between them.
fn write_all<T>(out: &mut String, members: &[T], mut one: impl FnMut(&mut String, &T)) {
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        one(out, member);
    }
}

/// How tightly an expression holds together, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Pipe,
    Compare,
    Sum,
    Product,
    Neg,
    Pow,
    Atom,
}

/// The expression without chains of a single member, which no text can show.
fn unwrapped(mut expr: &Expr) -> &Expr {
    loop {
        expr = match &expr.kind {
            ExprKind::Sum(first, rest) if rest.is_empty() => first,
            ExprKind::Product(first, rest) if rest.is_empty() => first,
            ExprKind::Pipe(first, rest) if rest.is_empty() => first,
            _ => return expr,
        };
    }
}

fn level(kind: &ExprKind) -> Level {
    match kind {
        ExprKind::Pipe(..) => Level::Pipe,
        ExprKind::Compare(..) => Level::Compare,
        ExprKind::Sum(..) => Level::Sum,
        ExprKind::Product(..) => Level::Product,
        ExprKind::Neg(_) => Level::Neg,
        ExprKind::Pow(..) | ExprKind::DotPow(..) => Level::Pow,
        // A printed formula may carry a number such as `-2` or `1/2` as one text.
        ExprKind::Num(text) if text.contains('/') => Level::Product,
        ExprKind::Num(text) if text.starts_with('-') => Level::Neg,
        _ => Level::Atom,
    }
}

/// Writes an expression, in parentheses if it is looser than its place asks for.
fn write(out: &mut String, expr: &Expr, place: Level) {
    let expr = unwrapped(expr);
    if level(&expr.kind) < place {
        out.push('(');
        write_bare(out, &expr.kind);
        out.push(')');
    } else {
        write_bare(out, &expr.kind);
    }
}

fn write_bare(out: &mut String, kind: &ExprKind) {
    match kind {
        ExprKind::Num(text) | ExprKind::Name(text) => out.push_str(text),
        ExprKind::Str(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        ExprKind::List(items) => write_list_of(out, '[', items, ']'),
        ExprKind::Neg(operand) => {
            out.push('-');
            write(out, operand, Level::Neg);
        }
        ExprKind::Sum(..) | ExprKind::Product(..) | ExprKind::Pipe(..) => write_chain(out, kind),
        ExprKind::Pow(base, exponent) | ExprKind::DotPow(base, exponent) => {
            write(out, base, Level::Atom);
            out.push_str(if matches!(kind, ExprKind::DotPow(..)) { ".^" } else { "^" });
            write(out, exponent, Level::Neg);
        }
        ExprKind::Compare(op, left, right) => {
            write(out, left, Level::Sum);
            out.push(' ');
            out.push_str(op.symbol());
            out.push(' ');
            write(out, right, Level::Sum);
        }
        ExprKind::Transpose(operand) => {
            write_base(out, operand);
            out.push_str(".T");
        }
        ExprKind::Index(base, items) => {
            write_base(out, base);
            out.push('[');
            write_items(out, items);
            out.push(']');
        }
        ExprKind::Call { .. } => write_call(out, kind),
    }
}

/// The flat chains. Members of the chain's own level were in parentheses, and stay there.
fn write_chain(out: &mut String, kind: &ExprKind) {
    match kind {
        ExprKind::Sum(first, rest) => {
            write(out, first, Level::Product);
            for (op, term) in rest {
                out.push_str(match op {
                    AddOp::Add => " + ",
                    AddOp::Sub => " - ",
                });
                write(out, term, Level::Product);
            }
        }
        ExprKind::Product(first, rest) => {
            write(out, first, Level::Neg);
            for (at, (op, factor)) in rest.iter().enumerate() {
                // A fraction in front is written as one number: `1/2 * x`.
                let fraction = at == 0 && is_signed_number(first) && is_number(factor);
                out.push_str(match op {
                    MulOp::Div if fraction => "/",
                    MulOp::Mul => " * ",
                    MulOp::Div => " / ",
                    MulOp::MatMul => " @ ",
                    MulOp::DotMul => " .* ",
                    MulOp::DotDiv => " ./ ",
                });
                write(out, factor, Level::Neg);
            }
        }
        ExprKind::Pipe(first, stages) => {
            write(out, first, Level::Compare);
            for stage in stages {
                out.push_str(" |> ");
                write(out, stage, Level::Atom);
            }
        }
        _ => {}
    }
}

/// What a postfix is applied to. A number is put in parentheses, for `2.T` reads badly.
fn write_base(out: &mut String, base: &Expr) {
    let base = unwrapped(base);
    match &base.kind {
        ExprKind::Num(text) => out.extend(["(", text, ")"]),
        _ => write(out, base, Level::Atom),
    }
}

fn write_call(out: &mut String, kind: &ExprKind) {
    let ExprKind::Call { func, bound, args, kwargs } = kind else { return };
    out.push_str(&func.name);
    if !bound.is_empty() {
        out.push('[');
        let plain = bound.iter().all(|binder| binder.range.is_none());
        for (at, binder) in bound.iter().enumerate() {
            out.push_str(match at {
                0 => "",
                _ if plain => ",",
                _ => ", ",
            });
            out.push_str(&binder.name.name);
            if let Some(range) = &binder.range {
                out.push_str(if is_wide(range) { " : " } else { ":" });
                write(out, range, Level::Pipe);
            }
        }
        out.push(']');
    }
    out.push('(');
    write_all(out, args, |out, arg| write(out, arg, Level::Pipe));
    if !args.is_empty() && !kwargs.is_empty() {
        out.push_str(", ");
    }
    write_all(out, kwargs, |out, (name, value)| {
        out.push_str(&name.name);
        out.push('=');
        match &value.kind {
            // As NumPy's users write it: `axis=(0, 1)`, but `stack([a, b])`.
            ExprKind::List(items) if items.len() > 1 => write_list_of(out, '(', items, ')'),
            _ => write(out, value, Level::Pipe),
        }
    });
    out.push(')');
}

fn write_list_of(out: &mut String, open: char, items: &[Expr], close: char) {
    out.push(open);
    write_all(out, items, |out, item| write(out, item, Level::Pipe));
    out.push(close);
}

/// `[n,k]` as papers write indices, and `[i, j + 1]` where a position is more than a word.
fn write_items(out: &mut String, items: &[IndexItem]) {
    let short = |item: &IndexItem| match item {
        IndexItem::At(at) => {
            matches!(&at.kind, ExprKind::Name(name) if name != "None") || is_number(at)
        }
        _ => false,
    };
    if items.iter().all(short) {
        for (at, item) in items.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { "," });
            write_item(out, item);
        }
    } else {
        write_all(out, items, write_item);
    }
}

fn is_number(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Num(text) if !text.contains('/'))
}

fn is_signed_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Neg(number) => is_number(number),
        _ => is_number(expr),
    }
}

fn write_item(out: &mut String, item: &IndexItem) {
    match item {
        IndexItem::Ellipsis => out.push_str("..."),
        IndexItem::NewAxis => out.push_str("None"),
        IndexItem::At(at) => match &at.kind {
            // A variable of that name, which without parentheses would be a new axis.
            ExprKind::Name(name) if name == "None" => out.push_str("(None)"),
            _ => write(out, at, Level::Pipe),
        },
        IndexItem::Slice(start, stop, step) => {
            write_slice(out, [start.as_ref(), stop.as_ref(), step.as_ref()]);
        }
    }
}

/// `1:4`, and `i + 1 : n` with blanks around the colon where a part has some.
fn write_slice(out: &mut String, parts: [Option<&Expr>; 3]) {
    let blank = if parts.iter().flatten().any(|part| is_wide(part)) { " " } else { "" };
    for (at, part) in parts.into_iter().enumerate() {
        if at == 1 || (at == 2 && part.is_some()) {
            // `[a + 1 :]` and `[: n - 1]`, with no blank at the brackets.
            let before = if out.ends_with(['[', ' ']) { "" } else { blank };
            out.extend([before, ":"]);
            out.push_str(if part.is_some() { blank } else { "" });
        }
        if let Some(part) = part {
            write(out, part, Level::Pipe);
        }
    }
}

/// Whether an expression is printed with blanks around its operator.
fn is_wide(expr: &Expr) -> bool {
    level(&unwrapped(expr).kind) < Level::Neg
}
