//! Calls: the program's own functions, and every kind of entry of the rule book.

use super::shape::Operand;
use super::{Function, Label, Lowerer, Val};
use crate::ir::{Attrs, Dim, Num, Shape};
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
        let args = args.iter().map(Arg::Written).collect();
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
            return Err(self.unknown_function(func));
        };
        match row.kind {
            Kind::Build(build) => build(self, call),
            Kind::Elementwise | Kind::Inline => self.elementwise_call(op, row, call),
            Kind::Reduce => self.reduce_call(op, row, call),
            Kind::Along => self.along_call(op, row, call),
            Kind::Loss => self.loss_call(row, call),
            Kind::Structured { .. } => self.structured_call(op, row, call),
        }
    }

    fn unknown_function(&self, func: &Ident) -> Diagnostic {
        let own = self.functions.keys().chain(self.nets.keys()).map(String::as_str);
        let table = ops::all()
            .flat_map(|(_, _, row)| std::iter::once(row.name).chain(row.aliases.iter().copied()));
        let diagnostic = Diagnostic::new(
            Code::UnknownFunction,
            func.span,
            format!("unknown function `{}`", func.name),
        );
        match super::expr::nearest(&func.name, own.chain(table)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None if self.value(&func.name).is_some() => diagnostic.help(format!(
                "`{0}` is a variable; multiplication is written `{0} * (…)`",
                func.name
            )),
            None => diagnostic.help("`chainrule ops` lists all functions"),
        }
    }

    fn inline(
        &mut self,
        function: &Function<'_>,
        func: &Ident,
        call: &CallArgs<'_>,
    ) -> Result<Val> {
        let operands = self.positional_args(call)?;
        if operands.len() != function.params.len() || !call.kwargs.is_empty() {
            let names: Vec<&str> =
                function.params.iter().map(|param| param.name.as_str()).collect();
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
        Ok(function.params.iter().map(|param| param.name.clone()).collect())
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
        let frame: BTreeMap<String, Val> = function
            .params
            .iter()
            .zip(operands)
            .map(|(param, operand)| (param.name.clone(), operand.val))
            .collect();
        self.deeper(span, |lowerer| {
            let outer = std::mem::take(&mut lowerer.indices);
            let inferred = std::mem::take(&mut lowerer.inferred);
            lowerer.frames.push(frame);
            let result = lowerer.block(function);
            lowerer.frames.pop();
            lowerer.indices = outer;
            lowerer.inferred = inferred;
            result
        })
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
        self.frames.push(frame);
        let result = self.deeper(span, |lowerer| lowerer.expr(&formula));
        self.frames.pop();
        self.dialect = dialect;
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
        call.args.iter().map(|arg| self.arg(arg)).collect()
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
            operands[at] = Some(self.arg(arg)?);
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
        for at in first_default..row.params.len() {
            if operands[at].is_none() {
                let val = self.rule_formula(
                    row.defaults[at - first_default],
                    BTreeMap::new(),
                    call.span,
                )?;
                operands[at] = Some(Operand { val, span: call.span });
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
                self.rule_formula(text, frame, call.span)
            }
            _ => self.elementwise(op, &operands, call.span),
        }
    }

    /// The logarithm of what is never positive is NaN everywhere.
    fn warn_of_domain(&mut self, row: &OpSpec, operands: &[Operand], span: Span) {
        let [operand] = operands else { return };
        if matches!(row.name, "log" | "log2" | "log10")
            && crate::simplify::facts::never_positive(self.graph, operand.val.node)
        {
            let message = format!("`{}` of an expression that is never positive", row.name);
            self.diagnostics.push(
                Diagnostic::new(Code::NeverPositive, span, message)
                    .label(operand.span, "at most 0 wherever it is evaluated")
                    .help("its value is NaN everywhere; is a sign missing?"),
            );
        }
    }

    // ---- reductions ---------------------------------------------------------------------------------------------

    fn reduce_call(&mut self, op: OpId, row: &'static OpSpec, call: &CallArgs<'_>) -> Result<Val> {
        // `sum(x, 1)` is `sum(x, axis=1)`.
        let (operand, axis) = match call.args.as_slice() {
            [x] => (self.arg(x)?, None),
            [x, Arg::Written(axis)] => (self.arg(x)?, Some(*axis)),
            _ => return Err(arity(row, call)),
        };
        let mut keepdims = false;
        let mut axes = None;
        let rank = self.positional(&operand.val).len();
        for (key, value) in call.kwargs {
            match key.name.as_str() {
                "axis" => axes = Some(self.axis_list(value, rank, &operand)?),
                "keepdims" => keepdims = truth(value)?,
                _ => return Err(unknown_keyword(row, key, &["axis", "keepdims"])),
            }
        }
        if let Some(axis) = axis {
            axes = Some(self.axis_list(axis, rank, &operand)?);
        }
        let axes = axes.unwrap_or_else(|| (0..rank).collect());
        let reduced = self.reduce(op, &operand.val, &axes, call.span)?;
        if !keepdims {
            return Ok(reduced);
        }
        // The removed axes come back with size 1.
        let first = reduced.labels.len();
        let mut labels: Vec<u32> = reduced.labels.iter().map(|label| label.0).collect();
        let mut out = labels.clone();
        let mut extra = Vec::new();
        for axis in 0..rank {
            let label = self.fresh().0;
            out.push(label);
            if axes.contains(&axis) {
                extra.push((label, Dim::fixed(1)));
            } else {
                labels.push(label);
            }
        }
        debug_assert_eq!(labels.len(), first + rank - axes.len());
        let node = self.graph.einsum(&[(reduced.node, labels)], &out, &extra);
        Ok(Val { node, labels: reduced.labels })
    }

    /// Removes positional axes by a reduction of the rule book.
    pub(crate) fn reduce(
        &mut self,
        op: OpId,
        val: &Val,
        axes: &[usize],
        span: Span,
    ) -> Result<Val> {
        let row = ops::spec(op);
        if row.one_axis
            && let [rest @ .., last] = axes
            && !rest.is_empty()
        {
            let inner = self.reduce(op, val, &[*last], span)?;
            return self.reduce(op, &inner, rest, span);
        }
        let first = val.labels.len();
        let full = self.graph.shape(val.node).clone();
        let removed: Vec<usize> = axes.iter().map(|axis| first + axis).collect();
        let kept: Vec<usize> = (0..full.len()).filter(|axis| !removed.contains(axis)).collect();
        match row.rule {
            Rule::Sum => {
                let labels: Vec<u32> = (0..full.len() as u32).collect();
                let out: Vec<u32> = kept.iter().map(|&axis| axis as u32).collect();
                let node = self.graph.einsum(&[(val.node, labels)], &out, &[]);
                Ok(Val { node, labels: val.labels.clone() })
            }
            Rule::Via(text) => {
                let (focused, hidden) = self.focus(val, axes);
                let frame = BTreeMap::from([(row.params[0].to_string(), focused)]);
                let result = self.rule_formula(text, frame, span)?;
                let wanted: Vec<Label> = val.labels.iter().chain(&hidden).copied().collect();
                Ok(Val { node: self.restore(&result, &wanted), labels: val.labels.clone() })
            }
            _ => {
                let shape: Shape = kept.iter().map(|&axis| full[axis].clone()).collect();
                let attrs = Attrs { axes: removed, ints: Vec::new() };
                let node = self.graph.call(op, vec![val.node], attrs, shape);
                self.graph.spans.entry(node).or_insert(span);
                Ok(Val { node, labels: val.labels.clone() })
            }
        }
    }

    /// The node of a value with its labelled axes in this order (repeated where it lacks one), then its positional axes.
    pub(crate) fn restore(&mut self, val: &Val, labels: &[Label]) -> crate::ir::NodeId {
        let shape = self.positional(val).to_vec();
        let (axes, mut extra) = self.axes(&shape);
        extra.extend(labels.iter().map(|label| (label.0, self.label_size(*label))));
        let reading: Vec<u32> = val.labels.iter().chain(&axes).map(|label| label.0).collect();
        let out: Vec<u32> = labels.iter().chain(&axes).map(|label| label.0).collect();
        self.graph.einsum(&[(val.node, reading)], &out, &extra)
    }

    /// `sum[i,j](e)`, `max[j](e)`, `tensor[i,j](e)`
    fn bound_call(
        &mut self,
        func: &Ident,
        bound: &[Binder],
        args: &[Expr],
        kwargs: &[(Ident, Expr)],
        span: Span,
    ) -> Result<Val> {
        let [body] = args else {
            return Err(Diagnostic::new(
                Code::Arity,
                span,
                format!("`{}[…](…)` takes one argument", func.name),
            ));
        };
        if let Some((key, _)) = kwargs.first() {
            return Err(Diagnostic::new(
                Code::Arity,
                key.span,
                "a call that binds indices takes no keywords",
            ));
        }
        let row = (func.name != "tensor").then(|| ops::lookup(&func.name, 1)).flatten();
        let reduces = row.is_some_and(|(_, row)| matches!(row.kind, Kind::Reduce));
        if func.name != "tensor" && !reduces {
            return Err(Diagnostic::new(
                Code::UnknownFunction,
                func.span,
                format!("`{}` does not bind indices", func.name),
            )
            .help("reductions do: `sum[j](…)`, `prod[j](…)`, `max[j](…)`; `tensor[i,j](…)` builds a tensor"));
        }
        if self.indices.is_empty() {
            self.inferred.clear();
        }
        let labels = self.bind(bound);
        if labels.iter().any(|label| !self.sizes.contains_key(label)) {
            self.infer_ranges(body);
        }
        let result = self.expr(body);
        self.unbind(bound.len());
        let val = result?;
        for (label, binder) in labels.iter().zip(bound) {
            if !self.sizes.contains_key(label) {
                return Err(self.no_range(&binder.name.name, binder.name.span));
            }
        }
        let rest: Vec<Label> =
            val.labels.iter().filter(|label| !labels.contains(label)).copied().collect();
        let rank = self.positional(&val).len();
        // The bound axes become the last positional ones.
        let (axes, mut extra) = self.axes(&self.positional(&val).to_vec());
        extra.extend(labels.iter().map(|label| (label.0, self.label_size(*label))));
        let reading: Vec<u32> = val.labels.iter().chain(&axes).map(|label| label.0).collect();
        let (before, after): (Vec<Label>, Vec<Label>) =
            if func.name == "tensor" { (labels.clone(), axes) } else { (axes, labels.clone()) };
        let out: Vec<u32> = rest.iter().chain(&before).chain(&after).map(|label| label.0).collect();
        let node = self.graph.einsum(&[(val.node, reading)], &out, &extra);
        let unbound = Val { node, labels: rest };
        match row {
            Some((op, _)) => {
                let axes: Vec<usize> = (rank..rank + labels.len()).collect();
                self.reduce(op, &unbound, &axes, span)
            }
            None => Ok(unbound),
        }
    }

    // ---- along an axis, losses, linear algebra -----------------------------------------------------------------------

    fn along_call(&mut self, op: OpId, row: &'static OpSpec, call: &CallArgs<'_>) -> Result<Val> {
        let mut operands = match call.args.as_slice() {
            // `softmax(x, 1)` is `softmax(x, axis=1)` where the row has one argument.
            [x, Arg::Written(_)] if row.params.len() == 1 => vec![self.arg(x)?],
            _ => self.row_args(row, call, &["axis"])?,
        };
        let operand = operands.remove(0);
        let rank = self.positional(&operand.val).len();
        let mut axis_expr =
            call.kwargs.iter().find(|(key, _)| key.name == "axis").map(|(_, value)| value);
        if let [_, Arg::Written(axis)] = call.args.as_slice()
            && row.params.len() == 1
        {
            axis_expr = Some(axis);
        }
        if rank == 0 {
            return Err(Diagnostic::new(
                Code::BadAxis,
                operand.span,
                format!("`{}` wants an axis to run along, this is a scalar", row.name),
            )
            .help(format!(
                "apply it to the whole tensor and index the result: `{}(z)[n,k]`",
                row.name
            )));
        }
        let axis = match axis_expr {
            Some(expr) => match self.axis_list(expr, rank, &operand)?.as_slice() {
                [axis] => *axis,
                _ => {
                    return Err(Diagnostic::new(
                        Code::BadAxis,
                        expr.span,
                        format!("`{}` runs along one axis", row.name),
                    ));
                }
            },
            None => rank - 1,
        };
        if let Rule::Via(text) = row.rule {
            let (focused, hidden) = self.focus(&operand.val, &[axis]);
            let mut frame: BTreeMap<String, Val> = row.params[1..]
                .iter()
                .zip(&operands)
                .map(|(name, rest)| ((*name).to_string(), rest.val.clone()))
                .collect();
            frame.insert(row.params[0].to_string(), focused);
            let result = self.rule_formula(text, frame, call.span)?;
            let wanted: Vec<Label> = operand.val.labels.iter().chain(&hidden).copied().collect();
            let node = self.restore(&result, &wanted);
            // The lane is last now; it goes back to where it was.
            let first = operand.val.labels.len();
            let mut order: Vec<usize> = (0..first + rank - 1).collect();
            order.insert(first + axis, first + rank - 1);
            return Ok(Val { node: self.graph.permute(node, &order), labels: operand.val.labels });
        }
        let shape = self.graph.shape(operand.val.node).clone();
        let attrs = Attrs { axes: vec![operand.val.labels.len() + axis], ints: Vec::new() };
        let node = self.graph.call(op, vec![operand.val.node], attrs, shape);
        self.graph.spans.entry(node).or_insert(call.span);
        Ok(Val { node, labels: operand.val.labels })
    }

    fn loss_call(&mut self, row: &'static OpSpec, call: &CallArgs<'_>) -> Result<Val> {
        let operands = self.row_args(row, call, &["reduction"])?;
        self.broadcast(&operands[..2.min(operands.len())], &format!("`{}`", row.name), call.span)?;
        let Rule::Via(text) = row.rule else {
            return Err(Diagnostic::new(
                Code::Unsupported,
                call.span,
                format!("`{}` has no formula", row.name),
            ));
        };
        let each = self.rule_formula(text, named(row, &operands), call.span)?;
        let reduction = match call.kwargs.iter().find(|(key, _)| key.name == "reduction") {
            None => "mean",
            Some((_, Expr { kind: ExprKind::Str(word), .. }))
                if ["mean", "sum", "none"].contains(&word.as_str()) =>
            {
                word
            }
            Some((key, value)) => {
                return Err(Diagnostic::new(
                    Code::BadArgument,
                    value.span,
                    format!("`{}` is \"mean\", \"sum\" or \"none\"", key.name),
                ));
            }
        };
        if reduction == "none" {
            return Ok(each);
        }
        let shape = self.positional(&each).to_vec();
        let axes: Vec<usize> = (0..shape.len()).collect();
        let total = self.reduce(ops::known("sum", 1), &each, &axes, call.span)?;
        if reduction == "sum" {
            return Ok(total);
        }
        self.divide_by_count(total, &shape, call.span)
    }

    /// `total / (number of entries of a shape)`
    pub(crate) fn divide_by_count(&mut self, total: Val, shape: &[Dim], span: Span) -> Result<Val> {
        let count = shape.iter().fold(Dim::fixed(1), |product, dim| product.times(dim));
        if count.is_one() {
            return Ok(total);
        }
        let divisor = Val { node: self.graph.size(&count), labels: Vec::new() };
        self.product(
            &[(Operand { val: total, span }, false), (Operand { val: divisor, span }, true)],
            span,
        )
    }

    fn structured_call(
        &mut self,
        op: OpId,
        row: &'static OpSpec,
        call: &CallArgs<'_>,
    ) -> Result<Val> {
        let Kind::Structured { ranks, shape } = row.kind else { return Err(arity(row, call)) };
        let ints: Vec<&(Ident, Expr)> = call
            .kwargs
            .iter()
            .filter(|(key, _)| !row.params.contains(&key.name.as_str()))
            .collect();
        let skip: Vec<&str> = ints.iter().map(|(key, _)| key.name.as_str()).collect();
        let operands = self.row_args(row, call, &skip)?;
        let mut attrs = Attrs::default();
        for (_, value) in ints {
            let number = self.position(value).and_then(|position| position.offset.as_fixed());
            let number = number.and_then(|number| i64::try_from(number).ok());
            attrs.ints.push(number.ok_or_else(|| {
                Diagnostic::new(Code::BadArgument, value.span, "this must be a whole number")
            })?);
        }
        let own: Vec<usize> =
            operands.iter().map(|operand| self.positional(&operand.val).len()).collect();
        let fits =
            |trailing: &&&[usize]| trailing.iter().zip(&own).all(|(want, have)| have >= want);
        let spread = |trailing: &&&[usize]| {
            trailing.iter().zip(&own).map(|(want, have)| have - want).sum::<usize>()
        };
        let Some(trailing) = ranks.iter().filter(fits).min_by_key(spread) else {
            return Err(Diagnostic::new(
                Code::NotSquare,
                call.span,
                format!("`{}` wants matrices", row.name),
            )
            .here(
                operands
                    .iter()
                    .map(|operand| self.show(&operand.val))
                    .collect::<Vec<_>>()
                    .join(", "),
            ));
        };
        let mut batch: Vec<Operand> = Vec::new();
        let mut tails: Vec<Shape> = Vec::new();
        for (operand, want) in operands.iter().zip(*trailing) {
            let dims = self.positional(&operand.val).to_vec();
            tails.push(dims[dims.len() - want..].to_vec());
            batch.push(operand.clone());
        }
        let tail = shape(self.graph, &tails, &attrs).map_err(|why| {
            let mut diagnostic =
                Diagnostic::new(Code::NotSquare, call.span, format!("`{}`: {why}", row.name));
            for operand in &operands {
                diagnostic = diagnostic.label(operand.span, self.show(&operand.val));
            }
            diagnostic
        })?;
        let (labels, batch_shape, nodes) = self.batched(&batch, &tails, call.span)?;
        let full: Shape = labels
            .iter()
            .map(|label| self.label_size(*label))
            .chain(batch_shape)
            .chain(tail)
            .collect();
        let node = self.graph.call(op, nodes, attrs, full);
        self.graph.spans.entry(node).or_insert(call.span);
        Ok(Val { node, labels })
    }

    /// Arguments with the same labelled and batch axes in front of their trailing ones.
    fn batched(
        &mut self,
        operands: &[Operand],
        tails: &[Shape],
        span: Span,
    ) -> Result<(Vec<Label>, Shape, Vec<crate::ir::NodeId>)> {
        let labels = self.union_labels(operands.iter().map(|operand| &operand.val));
        let mut batch: Shape = Vec::new();
        for (operand, tail) in operands.iter().zip(tails) {
            let dims = self.positional(&operand.val);
            let own = dims[..dims.len() - tail.len()].to_vec();
            if batch.is_empty() {
                batch = own;
            } else if !own.is_empty() && own != batch {
                return Err(Diagnostic::new(
                    Code::ShapeMismatch,
                    span,
                    "the batch axes of the arguments differ",
                ));
            }
        }
        let (axes, mut extra) = self.axes(&batch);
        extra.extend(labels.iter().map(|label| (label.0, self.label_size(*label))));
        let mut nodes = Vec::new();
        for (operand, tail) in operands.iter().zip(tails) {
            let own = self.positional(&operand.val).len() - tail.len();
            let trailing: Vec<Label> = tail.iter().map(|_| self.fresh()).collect();
            let reading: Vec<u32> = operand
                .val
                .labels
                .iter()
                .chain(&axes[axes.len() - own..])
                .chain(&trailing)
                .map(|label| label.0)
                .collect();
            let out: Vec<u32> =
                labels.iter().chain(&axes).chain(&trailing).map(|label| label.0).collect();
            nodes.push(self.graph.einsum(&[(operand.val.node, reading)], &out, &extra));
        }
        Ok((labels, batch, nodes))
    }

    /// `axis=1`, `axis=-1`, `axis=(0, 1)` as ascending positional axes.
    pub(crate) fn axis_list(
        &mut self,
        expr: &Expr,
        rank: usize,
        operand: &Operand,
    ) -> Result<Vec<usize>> {
        let items: Vec<&Expr> = match &expr.kind {
            ExprKind::List(items) => items.iter().collect(),
            _ => vec![expr],
        };
        let mut axes = Vec::new();
        for item in items {
            let number = self
                .position(item)
                .filter(|position| position.terms.is_empty())
                .and_then(|p| p.offset.as_fixed());
            let bad = |message: String| Err(Diagnostic::new(Code::BadAxis, item.span, message));
            let Some(number) = number else { return bad("an axis is a whole number".to_string()) };
            let axis = if number < 0 { number + rank as i128 } else { number };
            match usize::try_from(axis) {
                Ok(axis) if axis < rank => axes.push(axis),
                _ => {
                    return bad(format!("axis {number} of a value with {rank} axes")).map_err(
                        |diagnostic: Diagnostic| {
                            diagnostic.label(operand.span, self.show(&operand.val))
                        },
                    );
                }
            }
        }
        axes.sort_unstable();
        axes.dedup();
        Ok(axes)
    }
}

fn named(row: &OpSpec, operands: &[Operand]) -> BTreeMap<String, Val> {
    row.params
        .iter()
        .zip(operands)
        .map(|(name, operand)| ((*name).to_string(), operand.val.clone()))
        .collect()
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
            row.name,
            row.params.join(", "),
            call.args.len()
        ),
    )
}

fn unknown_keyword(row: &OpSpec, key: &Ident, others: &[&str]) -> Diagnostic {
    let mut known: Vec<&str> = row.params.to_vec();
    known.extend(others);
    Diagnostic::new(Code::Arity, key.span, format!("`{}` has no argument `{}`", row.name, key.name))
        .help(format!("it has: {}", known.join(", ")))
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
