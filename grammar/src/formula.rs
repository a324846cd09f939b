//! Pairs of an `expr` -> `Expr`, by operator precedence with explicit stacks, inner expressions first: no recursion.
//! Keeps every tree within `MAX_DEPTH`, so that no later walk over it overflows the stack.

use crate::ast::{AddOp, Binder, CompareOp, Expr, ExprKind, Ident, IndexItem, MulOp};
use crate::diagnostic::{Code, Diagnostic};
use crate::span::{Dialect, Span};
use crate::syntax::{Rule, Slice, bad};
use pest::iterators::{Pair, Pairs};
use std::collections::HashMap;
use std::iter::Peekable;

/// How deep a tree may be: operators, calls and indices within each other.
pub(crate) const MAX_DEPTH: usize = 400;

/// Said where a part is not there that the grammar has promised.
const LOST: &str = "expected an expression";

type Result<T> = std::result::Result<T, Diagnostic>;

/// A tree under construction.
struct Built {
    expr: Expr,
    depth: usize,
    /// Whether operators of the same level may still join it: it is not in parentheses.
    open: bool,
}

impl Built {
    fn new(kind: ExprKind, span: Span, depth: usize) -> Result<Built> {
        if depth > MAX_DEPTH {
            let message = format!("the formula is nested deeper than {MAX_DEPTH} levels");
            let deep = Diagnostic::new(Code::TooDeep, span, message);
            return Err(deep.help("name parts of the formula with definitions"));
        }
        Ok(Built { expr: Expr::new(kind, span), depth, open: false })
    }

    /// Refuses tuples, lists and strings where a value must stand.
    fn value(self) -> Result<Built> {
        let what = match self.expr.kind {
            ExprKind::List(_) => "a list",
            ExprKind::Str(_) => "a string",
            _ => return Ok(self),
        };
        Err(bad(self.expr.span, format!("{what} can stand only as an argument of a function")))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Op {
    Pipe,
    Compare(CompareOp),
    Add(AddOp),
    Mul(MulOp),
    Neg,
    Pow,
    DotPow,
}

impl Op {
    /// The precedence table of the language, loosest first.
    fn level(self) -> u8 {
        match self {
            Op::Pipe => 1,
            Op::Compare(_) => 2,
            Op::Add(_) => 3,
            Op::Mul(_) => 4,
            Op::Neg => 5,
            Op::Pow | Op::DotPow => 6,
        }
    }

    fn infix(text: &str) -> Op {
        match text {
            "|>" => Op::Pipe,
            "^" | "**" => Op::Pow,
            ".^" => Op::DotPow,
            ".*" => Op::Mul(MulOp::DotMul),
            "./" => Op::Mul(MulOp::DotDiv),
            "+" => Op::Add(AddOp::Add),
            "-" | "−" => Op::Add(AddOp::Sub),
            "/" => Op::Mul(MulOp::Div),
            "@" => Op::Mul(MulOp::MatMul),
            "<" => Op::Compare(CompareOp::Lt),
            "<=" | "≤" => Op::Compare(CompareOp::Le),
            ">" => Op::Compare(CompareOp::Gt),
            ">=" | "≥" => Op::Compare(CompareOp::Ge),
            "==" => Op::Compare(CompareOp::Eq),
            "!=" | "≠" => Op::Compare(CompareOp::Ne),
            _ => Op::Mul(MulOp::Mul),
        }
    }
}

/// Operands and operators that wait for what follows.
#[derive(Default)]
struct Stacks {
    operands: Vec<Built>,
    ops: Vec<(Op, Span)>,
}

impl Stacks {
    /// Takes an operator after completing all that binds at least as tightly to its left.
    fn infix(&mut self, op: Op, span: Span) -> Result<()> {
        while let Some(&(top, _)) = self.ops.last() {
            let tighter = top.level() > op.level();
            let right = op.level() == Op::Pow.level();
            if !tighter && (top.level() != op.level() || right) {
                break;
            }
            if matches!((top, op), (Op::Compare(_), Op::Compare(_))) {
                let chained = bad(span, "comparisons cannot be chained");
                return Err(chained.help("write `(a < b) * (b < c)`"));
            }
            self.reduce()?;
        }
        self.ops.push((op, span));
        Ok(())
    }

    /// Applies the last operator. The grammar provides its operands.
    fn reduce(&mut self) -> Result<()> {
        let (Some((op, place)), Some(right)) = (self.ops.pop(), self.operands.pop()) else {
            return Ok(());
        };
        let right = right.value()?;
        let built = if op == Op::Neg {
            let span = place.to(right.expr.span);
            Built::new(ExprKind::Neg(Box::new(right.expr)), span, right.depth + 1)?
        } else {
            let Some(left) = self.operands.pop() else {
                return Ok(());
            };
            join(op, left.value()?, right)?
        };
        self.operands.push(built);
        Ok(())
    }

    fn finish(mut self) -> Result<Built> {
        while !self.ops.is_empty() {
            self.reduce()?;
        }
        self.operands.pop().ok_or_else(|| bad(Span::default(), LOST))
    }
}

/// Joins two operands; chains of one level become one flat list.
fn join(op: Op, mut left: Built, right: Built) -> Result<Built> {
    let span = left.expr.span.to(right.expr.span);
    let stage = right.expr.span;
    if op == Op::Pipe && !matches!(right.expr.kind, ExprKind::Name(_) | ExprKind::Call { .. }) {
        let odd = bad(stage, "a stage of `|>` must be a function or a call of one");
        return Err(odd.help("put the chain in parentheses to compute with its result"));
    }
    let member = right.depth + 1;
    if left.open && extends(&left.expr.kind, op) {
        push(&mut left.expr.kind, op, right.expr);
        let built = Built::new(left.expr.kind, span, left.depth.max(member))?;
        return Ok(Built { open: true, ..built });
    }
    let depth = member.max(left.depth + 1);
    let (left, right) = (Box::new(left.expr), right.expr);
    let kind = match op {
        Op::Pipe => ExprKind::Pipe(left, vec![right]),
        Op::Compare(op) => ExprKind::Compare(op, left, Box::new(right)),
        Op::Add(op) => ExprKind::Sum(left, vec![(op, right)]),
        Op::Mul(op) => ExprKind::Product(left, vec![(op, right)]),
        Op::DotPow => ExprKind::DotPow(left, Box::new(right)),
        Op::Neg | Op::Pow => ExprKind::Pow(left, Box::new(right)),
    };
    let built = Built::new(kind, span, depth)?;
    Ok(Built { open: true, ..built })
}

/// Whether an operator continues a chain.
fn extends(chain: &ExprKind, op: Op) -> bool {
    matches!(
        (chain, op),
        (ExprKind::Sum(..), Op::Add(_))
            | (ExprKind::Product(..), Op::Mul(_))
            | (ExprKind::Pipe(..), Op::Pipe)
    )
}

/// Continues a chain.
fn push(chain: &mut ExprKind, op: Op, member: Expr) {
    match (chain, op) {
        (ExprKind::Sum(_, terms), Op::Add(op)) => terms.push((op, member)),
        (ExprKind::Product(_, factors), Op::Mul(op)) => factors.push((op, member)),
        (ExprKind::Pipe(_, stages), Op::Pipe) => stages.push(member),
        _ => {}
    }
}

type Rest<'t> = Peekable<Pairs<'t, Rule>>;

impl<'t> Slice<'t> {
    /// The tree of an `expr` that must be a value.
    pub(crate) fn expr(self, pair: Pair<'t, Rule>) -> Result<Expr> {
        let start = pair.as_span().start();
        let all = Pairs::single(pair).flatten().filter(|pair| pair.as_rule() == Rule::expr);
        let all: Vec<_> = all.collect();
        let mut maker = Maker { slice: self, done: HashMap::new() };
        // Outer expressions come before the ones within them, so from the back each finds its parts done.
        for pair in all.into_iter().rev() {
            let start = pair.as_span().start();
            let built = maker.make(pair)?;
            maker.done.insert(start, built);
        }
        Ok(maker.take(start)?.value()?.expr)
    }
}

/// Makes the tree of one `expr` after the other.
struct Maker<'t> {
    slice: Slice<'t>,
    /// The trees of inner expressions by where they start: a bracket or name stands between any two starts.
    done: HashMap<usize, Built>,
}

impl<'t> Maker<'t> {
    fn take(&mut self, start: usize) -> Result<Built> {
        let lost = || bad(Span::new(self.slice.offset + start, self.slice.offset + start), LOST);
        self.done.remove(&start).ok_or_else(lost)
    }

    /// The tree of an expression within the current one.
    fn inner(&mut self, pair: &Pair<'t, Rule>) -> Result<Built> {
        self.take(pair.as_span().start())
    }

    fn make(&mut self, pair: Pair<'t, Rule>) -> Result<Built> {
        let mut stacks = Stacks::default();
        let mut rest = pair.into_inner().peekable();
        while let Some(pair) = rest.next() {
            let span = self.slice.span(&pair);
            match pair.as_rule() {
                Rule::infix => {
                    let sign = self.dialect_sign(pair.as_str(), span, &mut stacks)?;
                    stacks.infix(Op::infix(sign), span)?;
                }
                Rule::prefix if pair.as_str() == "+" => {}
                Rule::prefix => stacks.ops.push((Op::Neg, span)),
                _ => stacks.operands.push(self.operand(pair, &mut rest)?),
            }
        }
        stacks.finish()
    }

    /// An operator as this dialect reads it: `.*` is not the ordinary one's, but `1.*x` is `1. * x` there.
    fn dialect_sign(&self, sign: &'t str, span: Span, stacks: &mut Stacks) -> Result<&'t str> {
        let Some(plain) = sign.strip_prefix('.') else { return Ok(sign) };
        if self.slice.dialect == Dialect::Matlab {
            return Ok(sign);
        }
        if let Some(number) = stacks.operands.last_mut()
            && number.expr.span.end == span.start
            && let ExprKind::Num(text) = &mut number.expr.kind
        {
            text.push('.');
            number.expr.span.end += 1;
            return Ok(plain);
        }
        let message = format!("`{sign}` is not an operator of this dialect");
        let help = format!("write `{plain}`, which is elementwise; the matrix product is `@`");
        Err(bad(span, message).help(help).edit(span, plain))
    }

    /// An atom and the postfixes behind it.
    fn operand(&mut self, atom: Pair<'t, Rule>, rest: &mut Rest<'t>) -> Result<Built> {
        let mut built = match atom.as_rule() {
            Rule::name => self.name_or_call(atom, rest)?,
            _ => self.atom(atom)?,
        };
        while let Some(postfix) = rest.next_if(|pair| is_postfix(pair.as_rule())) {
            built = self.postfix(built.value()?, postfix)?;
        }
        Ok(built)
    }

    fn atom(&mut self, atom: Pair<'t, Rule>) -> Result<Built> {
        let span = self.slice.span(&atom);
        let text = atom.as_str();
        match atom.as_rule() {
            Rule::string => Built::new(ExprKind::Str(text.trim_matches('"').into()), span, 1),
            Rule::group => self.group(atom, span),
            Rule::list => self.list(atom, span),
            _ => Built::new(ExprKind::Num(text.into()), span, 1),
        }
    }

    /// `(a)` is `a`; with a comma it is a tuple.
    fn group(&mut self, pair: Pair<'t, Rule>, span: Span) -> Result<Built> {
        let tuple = pair.clone().into_inner().any(|part| part.as_rule() == Rule::comma);
        if tuple {
            return self.list(pair, span);
        }
        let mut parts = pair.into_inner();
        let inner = parts.next().ok_or_else(|| bad(span, LOST))?;
        let mut built = self.inner(&inner)?;
        built.expr.span = span;
        built.open = false;
        Ok(built)
    }

    fn list(&mut self, pair: Pair<'t, Rule>, span: Span) -> Result<Built> {
        let (mut items, mut depth) = (Vec::new(), 0);
        for part in pair.into_inner().filter(|part| part.as_rule() != Rule::comma) {
            let built = self.inner(&part)?;
            depth = depth.max(built.depth);
            items.push(built.expr);
        }
        Built::new(ExprKind::List(items), span, depth + 1)
    }

    /// `f(a)`, `sum[i](a)`, `x[i]` or `x`: what stands before `(…)` is a function.
    fn name_or_call(&mut self, name: Pair<'t, Rule>, rest: &mut Rest<'t>) -> Result<Built> {
        let func = self.slice.ident(&name);
        if let Some(arguments) = rest.next_if(|pair| pair.as_rule() == Rule::arguments) {
            return self.call(func, Vec::new(), 0, arguments);
        }
        let Some(index) = rest.next_if(|pair| pair.as_rule() == Rule::index) else {
            return Built::new(ExprKind::Name(func.name), func.span, 1);
        };
        if let Some(arguments) = rest.next_if(|pair| pair.as_rule() == Rule::arguments) {
            let (bound, depth) = self.binders(index)?;
            return self.call(func, bound, depth, arguments);
        }
        let base = Built::new(ExprKind::Name(func.name), func.span, 1)?;
        self.postfix(base, index)
    }

    fn postfix(&mut self, base: Built, postfix: Pair<'t, Rule>) -> Result<Built> {
        let place = self.slice.span(&postfix);
        let span = base.expr.span.to(place);
        let depth = base.depth;
        match postfix.as_rule() {
            Rule::transpose => {
                Built::new(ExprKind::Transpose(Box::new(base.expr)), span, depth + 1)
            }
            Rule::index => {
                let (items, inner) = self.items(postfix)?;
                let kind = ExprKind::Index(Box::new(base.expr), items);
                Built::new(kind, span, depth.max(inner) + 1)
            }
            _ => Err(implicit(Span::new(place.start, place.start + 1))
                .help("write `*` before the parenthesis; only a name can be called")
                .insert(place.start, "*")),
        }
    }

    fn items(&mut self, index: Pair<'t, Rule>) -> Result<(Vec<IndexItem>, usize)> {
        let (mut items, mut depth) = (Vec::new(), 0);
        for item in index.into_inner() {
            items.push(self.item(item, &mut depth)?);
        }
        Ok((items, depth))
    }

    fn item(&mut self, item: Pair<'t, Rule>, depth: &mut usize) -> Result<IndexItem> {
        let (mut bounds, mut at) = ([None, None, None], 0);
        for part in item.into_inner() {
            match part.as_rule() {
                Rule::ellipsis => return Ok(IndexItem::Ellipsis),
                Rule::newaxis => return Ok(IndexItem::NewAxis),
                Rule::colon => at += 1,
                _ => {
                    let built = self.inner(&part)?.value()?;
                    *depth = built.depth.max(*depth);
                    if let Some(bound) = bounds.get_mut(at) {
                        *bound = Some(built.expr);
                    }
                }
            }
        }
        let [start, stop, step] = bounds;
        Ok(match start {
            Some(only) if at == 0 => IndexItem::At(only),
            start => IndexItem::Slice(start, stop, step),
        })
    }

    /// The items before `(…)` as bound indices: `i` or `i:N`.
    fn binders(&mut self, index: Pair<'t, Rule>) -> Result<(Vec<Binder>, usize)> {
        let (mut binders, mut depth) = (Vec::new(), 0);
        for item in index.into_inner() {
            let span = item.as_str().trim_end().len();
            let span = Span::new(self.slice.span(&item).start, self.slice.span(&item).start + span);
            let (name, range) = match self.item(item, &mut depth)? {
                IndexItem::At(name) => (Some(name), None),
                IndexItem::Slice(name, Some(range), None) => (name, Some(range)),
                _ => (None, None),
            };
            match name.map(|name| (name.kind, name.span)) {
                Some((ExprKind::Name(name), place)) if !name.contains('.') => {
                    binders.push(Binder { name: Ident::new(name, place), range });
                }
                _ => {
                    let odd = bad(span, "expected the name of an index, as in `sum[i, j:N](…)`");
                    return Err(odd.help("for a product write `*` before the parenthesis"));
                }
            }
        }
        Ok((binders, depth))
    }

    fn call(
        &mut self,
        func: Ident,
        bound: Vec<Binder>,
        depth: usize,
        pair: Pair<'t, Rule>,
    ) -> Result<Built> {
        let span = func.span.to(self.slice.span(&pair));
        let (mut args, mut kwargs, mut depth) = (Vec::new(), Vec::new(), depth);
        for argument in pair.into_inner() {
            let mut parts = argument.into_inner();
            let (Some(first), second) = (parts.next(), parts.nth(1)) else {
                continue;
            };
            let value = self.inner(second.as_ref().unwrap_or(&first))?;
            depth = depth.max(value.depth);
            if first.as_rule() == Rule::ident {
                kwargs.push((self.slice.ident(&first), value.expr));
            } else if kwargs.is_empty() {
                args.push(value.expr);
            } else {
                let late = bad(value.expr.span, "an argument by position follows one by keyword");
                return Err(late_argument(late, &kwargs));
            }
        }
        Built::new(ExprKind::Call { func, bound, args, kwargs }, span, depth + 1)
    }
}

/// `where(x = 0, 1, 2)`: more often a comparison than an argument in the wrong place.
fn late_argument(late: Diagnostic, kwargs: &[(Ident, Expr)]) -> Diagnostic {
    match kwargs {
        [(name, value)] if !matches!(name.name.as_str(), "axis" | "keepdims" | "reduction") => late
            .help(format!("a comparison is written `{} == …`; keywords come last", name.name))
            .edit(Span::new(name.span.end, value.span.start), " == "),
        _ => late.help("write the arguments by position first"),
    }
}

fn is_postfix(rule: Rule) -> bool {
    matches!(rule, Rule::transpose | Rule::index | Rule::arguments)
}

/// Two operands without an operator.
pub(crate) fn implicit(span: Span) -> Diagnostic {
    bad(span, "implicit multiplication is not supported")
}
