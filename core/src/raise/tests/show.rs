//! Expressions as text, with as few brackets as the language's precedences allow.

use chainrule_grammar::ast::{AddOp, Expr, ExprKind, IndexItem, MulOp};

/// The text of an expression.
pub fn show(expr: &Expr) -> String {
    level(expr).0
}

fn within(expr: &Expr, least: u8) -> String {
    let (text, own) = level(expr);
    if own < least { format!("({text})") } else { text }
}

fn list(items: &[Expr]) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn level(expr: &Expr) -> (String, u8) {
    match &expr.kind {
        ExprKind::Num(text) | ExprKind::Name(text) => (text.clone(), 9),
        ExprKind::Str(text) => (format!("\"{text}\""), 9),
        ExprKind::List(items) => (format!("({})", list(items)), 9),
        ExprKind::Neg(inner) => (format!("-{}", within(inner, 5)), 5),
        ExprKind::Sum(first, rest) => {
            let mut text = within(first, 3);
            for (op, term) in rest {
                text += if *op == AddOp::Add { " + " } else { " - " };
                text += &within(term, 4);
            }
            (text, 3)
        }
        ExprKind::Product(first, rest) => {
            let mut text = if matches!(first.kind, ExprKind::Product(..)) {
                within(first, 5)
            } else {
                within(first, 4)
            };
            for (op, factor) in rest {
                let number =
                    |expr: &Expr| matches!(&expr.kind, ExprKind::Num(_) | ExprKind::Neg(_));
                text += match op {
                    MulOp::Div if number(first) && number(factor) => "/",
                    MulOp::Div => " / ",
                    MulOp::MatMul => " @ ",
                    _ => " * ",
                };
                text += &within(factor, 5);
            }
            (text, 4)
        }
        ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) => {
            (format!("{}^{}", within(a, 7), within(b, 6)), 6)
        }
        ExprKind::Compare(op, a, b) => {
            (format!("{} {} {}", within(a, 3), op.symbol(), within(b, 3)), 2)
        }
        ExprKind::Pipe(..) => ("?".to_string(), 1),
        ExprKind::Transpose(inner) => (format!("{}.T", within(inner, 7)), 7),
        ExprKind::Index(base, items) => {
            let plain = items.iter().all(|item| matches!(item, IndexItem::At(_)));
            let items: Vec<String> = items.iter().map(item).collect();
            (format!("{}[{}]", within(base, 7), items.join(if plain { "," } else { ", " })), 7)
        }
        ExprKind::Call { func, bound, args, kwargs } => {
            let binder = |b: &chainrule_grammar::ast::Binder| match &b.range {
                Some(range) => format!("{}:{}", b.name.name, show(range)),
                None => b.name.name.clone(),
            };
            let bound: Vec<String> = bound.iter().map(binder).collect();
            let mut all: Vec<String> = args.iter().map(show).collect();
            all.extend(kwargs.iter().map(|(key, value)| format!("{}={}", key.name, show(value))));
            let bound =
                if bound.is_empty() { String::new() } else { format!("[{}]", bound.join(",")) };
            (format!("{}{bound}({})", func.name, all.join(", ")), 9)
        }
    }
}

fn item(item: &IndexItem) -> String {
    let part = |e: &Option<Expr>| e.as_ref().map(show).unwrap_or_default();
    match item {
        IndexItem::At(expr) => show(expr),
        IndexItem::Slice(a, b, None) => format!("{}:{}", part(a), part(b)),
        IndexItem::Slice(a, b, c) => format!("{}:{}:{}", part(a), part(b), part(c)),
        IndexItem::Ellipsis => "...".to_string(),
        IndexItem::NewAxis => "None".to_string(),
    }
}
