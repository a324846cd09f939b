//! Calls: the program's own functions, and every kind of entry of the rule book.

use super::shape::Operand;
use super::{Function, Lowerer, Val};
use crate::few::{self, Each};
use crate::ir::{Num, Op};
use crate::ops::{self, Kind, OpId, OpSpec, Rule};
use chainrule_grammar::ast::{Binder, Expr, ExprKind, Ident, StmtKind};
use chainrule_grammar::{Code, Diagnostic, Span};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

type Result<T> = std::result::Result<T, Diagnostic>;

/// One argument of a call: written, or already a value (what stands left of `|>`).
#[derive(Clone)]
pub enum Arg<'e> {
    /// As written.
    Written(&'e Expr),
    /// A value.
    Value(Operand),
}

impl Arg<'_> {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Arg::Written(expr) => expr.span,
            Arg::Value(operand) => operand.span,
        }
    }
}

/// A call, as written.
#[derive(Clone)]
pub struct CallArgs<'e> {
    /// The function's name.
    pub name: &'e str,
    /// By position.
    pub args: Vec<Arg<'e>>,
    /// By keyword.
    pub kwargs: &'e [(Ident, Expr)],
    /// The whole call.
    pub span: Span,
}

/// What a `Kind::Build` entry does with a call.
pub type Build = fn(&mut Lowerer<'_>, &CallArgs<'_>) -> Result<Val>;

/// A formula of the rule book, parsed once.
pub fn formula(text: &'static str) -> Arc<Expr> {
    static PARSED: OnceLock<Mutex<HashMap<&'static str, Arc<Expr>>>> = OnceLock::new();
    let mut parsed = match PARSED.get_or_init(Mutex::default).lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    };
    let parse = || {
        // Entries are held to this by a test over the whole table; a formula that does not parse is an unknown name.
        Arc::new(
            chainrule_grammar::parse_expr(text)
                .unwrap_or_else(|_| Expr::name(format!("unparsable formula {text}"))),
        )
    };
    Arc::clone(parsed.entry(text).or_insert_with(parse))
}

impl Lowerer<'_> {
    pub(crate) fn call(
        &mut self,
        func: &Ident,
        bound: &[Binder],
        args: &[Expr],
        kwargs: &[(Ident, Expr)],
        span: Span,
    ) -> Result<Val> {
        if !bound.is_empty() {
            return self.bound_call(func, bound, args, kwargs, span);
        }
        let args = args.each(Arg::Written);
        self.apply(func, &CallArgs { name: &func.name, args, kwargs, span })
    }

    /// `x |> stage`
    pub(crate) fn stage(&mut self, first: Operand, stage: &Expr) -> Result<Val> {
        match &stage.kind {
            ExprKind::Name(name) => {
                let func = Ident::new(name.clone(), stage.span);
                let call =
                    CallArgs { name, args: vec![Arg::Value(first)], kwargs: &[], span: stage.span };
                self.apply(&func, &call)
            }
            ExprKind::Call { func, bound, args, kwargs } if bound.is_empty() => {
                let args = std::iter::once(Arg::Value(first))
                    .chain(args.iter().map(Arg::Written))
                    .collect();
                self.apply(func, &CallArgs { name: &func.name, args, kwargs, span: stage.span })
            }
            _ => Err(Diagnostic::new(
                Code::BadArgument,
                stage.span,
                "after `|>` stands a function or a call of one",
            )),
        }
    }

    pub(crate) fn apply(&mut self, func: &Ident, call: &CallArgs<'_>) -> Result<Val> {
        if let Some(function) = self.functions.get(&func.name).cloned() {
            return self.inline(&function, func, call);
        }
        if self.nets.contains_key(&func.name) {
            return self.apply_net(func, call);
        }
        let Some((op, row)) = ops::lookup(&func.name, call.args.len()) else {
            let first = call.args.first().map(Arg::span);
            let keyword = call.kwargs.first().map(|(key, _)| key.span);
            let unknown = self.unknown_function(func, first.or(keyword), call.span);
            return Err(self.also_args(unknown, &call.args));
        };
        let made = match row.kind {
            Kind::Build { build, keywords } => {
                match call.kwargs.iter().find(|(key, _)| !keywords.contains(&key.name.as_str())) {
                    Some((key, _)) => Err(unknown_keyword(row, key, keywords)),
                    None => build(self, call),
                }
            }
            Kind::Elementwise | Kind::Inline => self.elementwise_call(op, row, call),
            Kind::Reduce => self.reduce_call(op, row, call),
            Kind::Along => self.along_call(op, row, call),
            Kind::Loss { .. } => self.loss_call(row, call),
            Kind::Structured { .. } => self.structured_call(op, row, call),
        };
        made.map_err(|error| with_caution(error, row, call))
    }

    fn inline(
        &mut self,
        function: &Function<'_>,
        func: &Ident,
        call: &CallArgs<'_>,
    ) -> Result<Val> {
        let operands = self.positional_args(call)?;
        if operands.len() != function.params.len() || !call.kwargs.is_empty() {
            let names: Vec<&str> = function.params.each(|param| param.name.as_str());
            return Err(Diagnostic::new(
                Code::Arity,
                call.span,
                format!(
                    "`{}` takes {} arguments ({}), not {}",
                    func.name,
                    names.len(),
                    names.join(", "),
                    operands.len()
                ),
            ));
        }
        self.run_function(function, operands, call.span)
    }

    /// The parameter names of a function of the program that takes this many arguments.
    pub(crate) fn function_params(
        &self,
        name: &str,
        count: usize,
        span: Span,
    ) -> Result<Vec<String>> {
        let Some(function) = self.functions.get(name) else {
            if let Some(early) = self.function_too_early(name, span) {
                return Err(early);
            }
            return Err(Diagnostic::new(
                Code::UnknownFunction,
                span,
                format!("`{name}` is not a function of this program"),
            )
            .help(format!("define it: `fn {name}(state, x) = …;`")));
        };
        if function.params.len() != count {
            return Err(Diagnostic::new(
                Code::Arity,
                span,
                format!("`{name}` takes {} arguments, not {count}", function.params.len()),
            ));
        }
        Ok(function.params.each(|param| param.name.clone()))
    }

    /// Applies a function of the program to values.
    pub(crate) fn apply_function(
        &mut self,
        name: &str,
        operands: Vec<Operand>,
        span: Span,
    ) -> Result<Val> {
        match self.functions.get(name).cloned() {
            Some(function) => self.run_function(&function, operands, span),
            None => Err(self.unknown_name(name, span)),
        }
    }

    fn run_function(
        &mut self,
        function: &Function<'_>,
        operands: Vec<Operand>,
        span: Span,
    ) -> Result<Val> {
        let pairs = function.params.iter().zip(operands);
        let frame: BTreeMap<String, Val> =
            few::map(pairs.map(|(param, operand)| (param.name.clone(), operand.val)));
        let body = |lowerer: &mut Self| {
            let outer = std::mem::take(&mut lowerer.indices);
            let inferred = std::mem::take(&mut lowerer.inferred);
            lowerer.frames.push(frame);
            let result = lowerer.block(function);
            lowerer.frames.pop();
            lowerer.indices = outer;
            lowerer.inferred = inferred;
            result
        };
        self.inlining(function.name, span, |lowerer| lowerer.deeper(span, body))
    }

    fn block(&mut self, function: &Function<'_>) -> Result<Val> {
        for stmt in function.body {
            if let StmtKind::Def { name, indices, value } = &stmt.kind {
                let val = self.definition(indices, value, stmt.span)?;
                if let Some(frame) = self.frames.last_mut() {
                    frame.insert(name.name.clone(), val);
                }
            }
        }
        self.expr(function.result)
    }

    /// Lowers a formula of the rule book with only these names in scope.
    pub(crate) fn rule_formula(
        &mut self,
        text: &'static str,
        frame: BTreeMap<String, Val>,
        span: Span,
    ) -> Result<Val> {
        let formula = formula(text);
        let globals = std::mem::take(&mut self.globals);
        let dims = std::mem::take(&mut self.dims);
        let functions = std::mem::take(&mut self.functions);
        let nets = std::mem::take(&mut self.nets);
        let indices = std::mem::take(&mut self.indices);
        let inferred = std::mem::take(&mut self.inferred);
        let dialect = std::mem::take(&mut self.dialect);
        let in_rule = std::mem::replace(&mut self.in_rule, true);
        self.frames.push(frame);
        let result = self.deeper(span, |lowerer| lowerer.expr(&formula));
        self.frames.pop();
        self.dialect = dialect;
        self.in_rule = in_rule;
        self.globals = globals;
        self.dims = dims;
        self.functions = functions;
        self.nets = nets;
        self.indices = indices;
        self.inferred = inferred;
        // What is wrong inside of a formula is wrong with the call.
        result.map_err(|mut diagnostic| {
            diagnostic.labels.truncate(1);
            if let Some(label) = diagnostic.labels.first_mut() {
                label.span = span;
            }
            diagnostic
        })
    }

    /// The positional arguments as values.
    pub(crate) fn positional_args(&mut self, call: &CallArgs<'_>) -> Result<Vec<Operand>> {
        let mut operands = Vec::new();
        for (at, arg) in call.args.iter().enumerate() {
            let operand =
                self.arg(arg).map_err(|error| self.also_args(error, &call.args[at + 1..]))?;
            operands.push(operand);
        }
        Ok(operands)
    }

    /// What is wrong with further arguments is reported too.
    fn also_args(&mut self, error: Diagnostic, rest: &[Arg<'_>]) -> Diagnostic {
        let written = rest.iter().filter_map(|arg| match arg {
            Arg::Written(expr) => Some(*expr),
            Arg::Value(_) => None,
        });
        self.also(error, written)
    }

    /// One argument as a value.
    pub fn arg(&mut self, arg: &Arg<'_>) -> Result<Operand> {
        match arg {
            Arg::Written(expr) => self.operand(expr),
            Arg::Value(operand) => Ok(operand.clone()),
        }
    }

    /// All arguments of a row, by position, by keyword or by default. Keywords in `others` are not arguments.
    pub(crate) fn row_args(
        &mut self,
        row: &OpSpec,
        call: &CallArgs<'_>,
        others: &[&str],
    ) -> Result<Vec<Operand>> {
        if call.args.len() > row.params.len() {
            return Err(arity(row, call));
        }
        let mut operands: Vec<Option<Operand>> = vec![None; row.params.len()];
        for (at, arg) in call.args.iter().enumerate() {
            let operand =
                self.arg(arg).map_err(|error| self.also_args(error, &call.args[at + 1..]))?;
            operands[at] = Some(operand);
        }
        for (key, value) in call.kwargs {
            if others.contains(&key.name.as_str()) {
                continue;
            }
            let Some(at) = row.params.iter().position(|param| *param == key.name) else {
                return Err(unknown_keyword(row, key, others));
            };
            operands[at] = Some(self.operand(value)?);
        }
        let first_default = row.params.len() - row.defaults.len();
        for (operand, default) in operands[first_default..].iter_mut().zip(row.defaults) {
            if operand.is_none() {
                let val = self.rule_formula(default, BTreeMap::new(), call.span)?;
                *operand = Some(Operand { val, span: call.span });
            }
        }
        operands.into_iter().collect::<Option<Vec<Operand>>>().ok_or_else(|| arity(row, call))
    }

    fn elementwise_call(
        &mut self,
        op: OpId,
        row: &'static OpSpec,
        call: &CallArgs<'_>,
    ) -> Result<Val> {
        let operands = self.row_args(row, call, &[])?;
        self.warn_of_domain(row, &operands, call.span);
        match row.rule {
            Rule::Via(text) => {
                let frame = named(row, &operands);
                let val = self.rule_formula(text, frame, call.span)?;
                if let (Op::Pow(exponent), [base]) = (self.graph.op(val.node), operands.as_slice())
                    && exponent.as_int().is_none()
                {
                    self.warn_of_root(base, call.span);
                }
                Ok(val)
            }
            _ => self.elementwise(op, &operands, call.span),
        }
    }

    /// A function of positive numbers only, such as a logarithm, has no value at what is never positive.
    pub(super) fn warn_of_domain(&mut self, row: &OpSpec, operands: &[Operand], span: Span) {
        let of_one = operands.len() == 1 && row.is_of_positive_numbers();
        let graph = &*self.graph;
        // Targets may be 0.
        let wrong = |operand: &&Operand| {
            let node = operand.val.node;
            crate::simplify::facts::never_positive(graph, node) && (of_one || !graph.is_zero(node))
        };
        let Some(operand) = operands.iter().find(wrong).filter(|_| of_one || row.chances) else {
            return;
        };
        let help = if row.caution.is_empty() { NO_VALUE } else { row.caution };
        let message = format!("`{}` of an expression that is never positive", row.name);
        self.diagnostics.push(
            Diagnostic::new(Code::NeverPositive, span, message)
                .label(operand.span, "at most 0 wherever it is evaluated")
                .help(help),
        );
    }

    /// A root has no value at what is always negative.
    pub(super) fn warn_of_root(&mut self, base: &Operand, span: Span) {
        if !crate::simplify::facts::always_negative(self.graph, base.val.node) {
            return;
        }
        let message = "root of an expression that is always negative";
        self.diagnostics.push(
            Diagnostic::new(Code::NeverPositive, span, message)
                .label(base.span, "below 0 wherever it is evaluated")
                .help(NO_VALUE),
        );
    }
}

const NO_VALUE: &str = "its value is NaN everywhere; is a sign missing?";

/// An error of a call itself, with what to write where another library's arguments seem to be meant.
fn with_caution(error: Diagnostic, row: &OpSpec, call: &CallArgs<'_>) -> Diagnostic {
    let own = error.span() == call.span || call.args.iter().any(|arg| arg.span() == error.span());
    let of_arguments =
        [Code::Arity, Code::BadArgument, Code::BadAxis, Code::BadIndexing].contains(&error.code);
    if row.caution.is_empty() || !own || !of_arguments {
        return error;
    }
    let help = match &error.help {
        Some(help) => format!("{help}; {}", row.caution),
        None => row.caution.to_string(),
    };
    error.help(help)
}

pub(super) fn named(row: &OpSpec, operands: &[Operand]) -> BTreeMap<String, Val> {
    let pairs = row.params.iter().zip(operands);
    few::map(pairs.map(|(name, operand)| ((*name).to_string(), operand.val.clone())))
}

/// What is said of a call with too few or too many arguments.
pub(crate) fn arity(row: &OpSpec, call: &CallArgs<'_>) -> Diagnostic {
    let least = row.params.len() - row.defaults.len();
    let count = if least == row.params.len() {
        least.to_string()
    } else {
        format!("{least} to {}", row.params.len())
    };
    let plural = if count == "1" { "argument" } else { "arguments" };
    Diagnostic::new(
        Code::Arity,
        call.span,
        format!(
            "`{}` takes {count} {plural} ({}), not {}",
            call.name,
            row.params.join(", "),
            call.args.len()
        ),
    )
    .help(format!("it is called as `{}({})`", call.name, signature(row).join(", ")))
}

/// The arguments of a row as they are written, with what they are where they are left out.
fn signature(row: &OpSpec) -> Vec<String> {
    let least = row.params.len() - row.defaults.len();
    let shown = |(at, name): (usize, &&str)| match at.checked_sub(least) {
        Some(at) => format!("{name}={}", row.defaults[at]),
        None => (*name).to_string(),
    };
    row.params.iter().enumerate().map(shown).collect()
}

pub(super) fn unknown_keyword(row: &OpSpec, key: &Ident, others: &[&str]) -> Diagnostic {
    let mut known: Vec<&str> = row.params.to_vec();
    known.extend(others);
    let theirs = ops::foreign::KEYWORDS.iter().find(|(name, _)| *name == key.name);
    let ours = theirs.map(|(_, ours)| *ours).filter(|ours| known.contains(ours));
    let near = ours.or_else(|| super::expr::nearest(&key.name, known.iter().copied()));
    let bad = Diagnostic::new(
        Code::Arity,
        key.span,
        format!("`{}` has no argument `{}`", row.name, key.name),
    );
    match near {
        Some(near) => bad.help(format!("did you mean `{near}`?")).edit(key.span, near),
        None => bad.help(format!("it has: {}", known.join(", "))),
    }
}

/// `true`, `false`, `1`, `0` as an argument.
pub(crate) fn truth(expr: &Expr) -> Result<bool> {
    match &expr.kind {
        ExprKind::Name(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        ExprKind::Name(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        ExprKind::Num(text) if Num::parse(text) == Some(Num::ONE) => Ok(true),
        ExprKind::Num(text) if Num::parse(text) == Some(Num::ZERO) => Ok(false),
        _ => Err(Diagnostic::new(Code::BadArgument, expr.span, "this must be `true` or `false`")),
    }
}
