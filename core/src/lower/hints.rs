//! What to write instead: nearest names, names of other tools, where an operand was declared, and changes of the text.
//! In: what is wrong. Out: diagnostics with help. Nothing here changes what a program means.

use super::call::CallArgs;
use super::index::Position;
use super::limits::MAX_TERMS;
use super::matlab::letters::named_by_letter;
use super::shape::Operand;
use super::{Label, Lowerer, Val};
use crate::few;
use crate::ir::{Dim, Num, Op};
use crate::ops::{self, foreign};
use chainrule_grammar::ast::{CompareOp, Expr, ExprKind, Ident, RequestKind};
use chainrule_grammar::{Code, Diagnostic, Span};

/// `1 axis`, `2 axes`
pub(super) fn counted(number: usize, [one, more]: [&str; 2]) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

impl Lowerer<'_> {
    /// What is wrong with further operands is reported too, so that one run shows it all. Gives the first error back.
    pub(crate) fn also<'e>(
        &mut self,
        error: Diagnostic,
        rest: impl Iterator<Item = &'e Expr>,
    ) -> Diagnostic {
        for expr in rest {
            if let Err(other) = self.expr(expr)
                && other.message != error.message
            {
                self.report(other);
            }
        }
        error
    }

    /// The name under which a value was declared or defined, and where.
    fn origin(&self, val: &Val) -> Option<(&str, Span)> {
        let name = match self.graph.op(val.node) {
            Op::Var(var) => self.graph.var(*var).name.as_str(),
            Op::Named(crate::ir::NamedConst::User(id)) => {
                self.graph.consts.get(*id as usize)?.0.as_str()
            }
            _ => self.graph.name(val.node)?,
        };
        Some((name, *self.places.get(name)?))
    }

    /// An operand's own text, where it is a plain name.
    pub(crate) fn spelling(&self, operand: &Operand) -> Option<&str> {
        let (name, _) = self.origin(&operand.val)?;
        (operand.span.end - operand.span.start == name.len()).then_some(name)
    }

    /// Points at the declarations of operands.
    pub(crate) fn origins(&self, diagnostic: Diagnostic, operands: &[Operand]) -> Diagnostic {
        let mut told: Vec<Span> = Vec::new();
        operands.iter().fold(diagnostic, |diagnostic, operand| match self.origin(&operand.val) {
            Some((name, place)) if place != operand.span && !told.contains(&place) => {
                told.push(place);
                let declared = matches!(self.graph.op(operand.val.node), Op::Var(_));
                let word = if declared { "declared" } else { "defined" };
                diagnostic.label(place, format!("`{name}` is {word} here"))
            }
            _ => diagnostic,
        })
    }

    /// The known name that is nearest to one that was meant. So it is searched for while there are errors that people read: each
    /// search looks at every name, and a long program may have as many errors as names.
    fn near<'n>(&self, name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
        if self.all_hinted() { None } else { nearest(name, known) }
    }

    fn all_hinted(&self) -> bool {
        self.diagnostics.len() >= MOST_HINTED
    }

    /// What is said of a name that stands for nothing here.
    pub fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        if let Some(&later) = self.later.get(name) {
            return self.too_early(name, span, later);
        }
        self.wants.borrow_mut().names.push(Ident::new(name, span));
        let diagnostic =
            Diagnostic::new(Code::UnknownName, span, format!("`{name}` is not declared"));
        if let Some(number) = number_of(name) {
            return diagnostic.help(format!("write `{number}`")).edit(span, number);
        }
        if let Some(advice) = name.rsplit_once('.').and_then(|(_, last)| foreign::advice(last)) {
            return diagnostic.help(advice);
        }
        if self.all_hinted() || self.poisoned.contains(name) {
            return diagnostic.help(self.declaring(name));
        }
        // One letter is near to every other; a size is near to what is longer.
        let dims = self.dims.keys().filter(|_| name.chars().count() > 1);
        let wrong = self.refused.iter().chain(self.heads.iter().map(|head| &head.name));
        let known = self.values().chain(dims.chain(wrong).map(String::as_str));
        match nearest(name, known.filter(|known| *known != name)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).edit(span, near),
            None if ops::lookup(name, 1).is_some() => {
                diagnostic.help(format!("`{name}` is a function: call it with `{name}(…)`"))
            }
            None => {
                let mut list: Vec<&str> = self.values().collect();
                few::sort(&mut list);
                list.truncate(12);
                diagnostic.help(match list.as_slice() {
                    [] => self.declaring(name),
                    list => format!("{}; declared: {}", self.declaring(name), list.join(", ")),
                })
            }
        }
    }

    /// The names that stand for values here.
    fn values(&self) -> impl Iterator<Item = &str> {
        let own = self.frames.last().into_iter().flatten().map(|(known, _)| known);
        let indices = self.indices.iter().map(|(known, _)| known);
        own.chain(self.globals.keys()).chain(indices).map(String::as_str)
    }

    /// What is said of an index whose range nothing tells.
    pub(crate) fn no_range(&self, name: &str, span: Span) -> Diagnostic {
        Diagnostic::new(
            Code::UnboundIndex,
            span,
            format!("the range of the index `{name}` does not follow from any axis"),
        )
        .help(format!("give it where it is bound, as in `sum[{name}:N](…)`; on the left of `=`, as in `z = tensor[{name}:N](…)`"))
    }

    pub(super) fn no_range_label(&self, label: Label, span: Span) -> Diagnostic {
        self.no_range(self.letter(label), span)
    }

    fn letter(&self, label: Label) -> &str {
        let known = self.indices.iter().find(|(_, known)| *known == label);
        known.map_or("?", |(name, _)| name.as_str())
    }

    /// The same where an index takes steps along an axis whose size is open: which size of the axis says how many it takes.
    pub(super) fn no_range_on(
        &self,
        label: Label,
        position: &Position,
        dim: &Dim,
        span: Span,
    ) -> Diagnostic {
        let plain = self.no_range_label(label, span);
        let mut step = 0;
        let mut beyond = position.offset.clone();
        for (other, c) in &position.terms {
            match self.sizes.get(other) {
                _ if *other == label => step = *c,
                Some(size) if *c > 0 => {
                    let last = size.plus(&Dim::fixed(1), Num::int(-1));
                    beyond = beyond.plus(&last, Num::int(i128::from(*c)));
                }
                Some(_) => {}
                None => return plain,
            }
        }
        let Some(long) = (step > 1).then(|| self.strided(i128::from(step), &beyond)) else {
            return plain;
        };
        let (name, size) = long;
        let (letter, was) = (self.letter(label), self.graph.show_dim(dim));
        plain.help(format!(
            "its steps of {step} must fill the axis: declare `dim {name};` and the axis of size `{was}` as `{size}`, and `{letter}` has {name} values; or fix the sizes, as in `dim N = 10;`"
        ))
    }

    /// The size of an axis along which as many steps as a new name says are taken, with so many positions beyond the last; and the name.
    pub(super) fn strided(&self, step: i128, beyond: &Dim) -> (String, String) {
        let free = |name: &&str| !self.dims.contains_key(*name) && self.value(name).is_none();
        let name = ["M", "P", "Q", "R", "S"].into_iter().find(free).unwrap_or("M_steps");
        let rest = beyond.plus(&Dim::fixed(1 - step), Num::ONE);
        let size = match self.graph.show_dim(&rest) {
            zero if zero == "0" => format!("{step}*{name}"),
            rest => match rest.strip_prefix('-') {
                Some(less) => format!("{step}*{name} - {less}"),
                None => format!("{step}*{name} + {rest}"),
            },
        };
        (name.to_string(), size)
    }

    /// What is said of a derivative of something that the program does not have.
    pub(super) fn unknown_result(&self, kind: RequestKind, of: &Ident) -> Diagnostic {
        let name = &of.name;
        let bad = self.unknown_name(name, of.span);
        let meant = self.later.contains_key(name) || !bad.fix.is_empty();
        let word = match kind {
            RequestKind::Jacobian | RequestKind::Jvp => "output",
            _ => "loss",
        };
        if meant { bad } else { bad.help(format!("say what it is: `{word} {name} = …;`")) }
    }

    /// What is said of a function that nobody knows.
    pub(crate) fn unknown_function(
        &self,
        func: &Ident,
        args: Option<Span>,
        call: Span,
    ) -> Diagnostic {
        if let Some(early) = self.function_too_early(&func.name, func.span) {
            return early;
        }
        let own = self.functions.keys().chain(self.nets.keys()).map(String::as_str);
        let table = ops::all()
            .flat_map(|(_, _, row)| std::iter::once(row.name).chain(row.aliases.iter().copied()));
        let name = func.name.as_str();
        let bad =
            Diagnostic::new(Code::UnknownFunction, func.span, format!("unknown function `{name}`"));
        let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
        let ours = if ops::lookup(last, 1).is_some() { Some(last) } else { foreign::ours(last) };
        let object = name.rsplit_once('.').map(|(object, _)| object);
        match (ours, object.filter(|object| self.value(object).is_some())) {
            (Some(ours), Some(object)) => {
                let bad = bad.help(format!(
                    "values have no methods; a function stands before its argument: `{ours}({object})`"
                ));
                return match args {
                    Some(args) => bad
                        .edit(Span::new(func.span.start, args.start), format!("{ours}({object}, ")),
                    None => bad.edit(call, format!("{ours}({object})")),
                };
            }
            (Some(ours), None) => {
                let what = if ours == last {
                    "functions are called by their bare names"
                } else {
                    "it has another name here"
                };
                return bad.help(format!("{what}: `{ours}`")).edit(func.span, ours);
            }
            _ => {}
        }
        if let Some(advice) = foreign::advice(last) {
            return bad.help(advice);
        }
        match self.near(last, own.chain(table)) {
            Some(near) => bad.help(format!("did you mean `{near}`?")).edit(func.span, near),
            None if self.is_matlab() && (self.value(name).is_some() || named_by_letter(name)) => bad.help(format!(
                "`{name}` is a variable; an entry is read as `{name}[1]`, and multiplication is written `{name} * (…)`"
            )),
            None if self.value(name).is_some() => bad
                .help(format!("`{name}` is a variable; multiplication is written `{name} * (…)`"))
                .insert(func.span.end, " * "),
            None => bad.help(
                "`chainrule ops` lists all functions; one of your own is written `fn f(x) = …;`",
            ),
        }
    }

    /// `W^T`, as paper has it.
    pub(crate) fn transpose_power(&self, base: &Expr, exponent: &Expr) -> Option<Diagnostic> {
        let ExprKind::Name(name) = &exponent.kind else { return None };
        let free = self.value(name).is_none() && !self.dims.contains_key(name);
        if name != "T" || !free || self.index_label(name).is_some() {
            return None;
        }
        let message = "`^` raises to a power, and `T` is not declared";
        let sign = Span::new(base.span.end, exponent.span.end);
        let transpose = Diagnostic::new(Code::UnknownName, exponent.span, message);
        Some(transpose.help("a transpose is written `.T`").edit(sign, ".T"))
    }

    /// `y == x^2;` where `y` is not known: a definition was meant, so `y` counts as defined.
    pub(crate) fn compared_definition(&mut self, expr: &Expr) -> Option<Diagnostic> {
        let ExprKind::Compare(CompareOp::Eq, left, right) = &expr.kind else { return None };
        let ExprKind::Name(name) = &left.kind else { return None };
        if self.value(name).is_some()
            || self.dims.contains_key(name)
            || self.poisoned.contains(name)
        {
            return None;
        }
        self.poisoned.insert(name.clone());
        let sign = Span::new(left.span.end, right.span.start);
        let message = format!("`==` compares, and `{}` is not declared", name.replace('`', ""));
        let compared = Diagnostic::new(Code::Syntax, sign, message);
        Some(compared.help(format!("a definition is written `{name} = …`")).edit(sign, " = "))
    }

    /// An index on axes of different sizes.
    pub(crate) fn ranges_disagree(
        &self,
        label: Label,
        (size, dim): (&Dim, &Dim),
        span: Span,
    ) -> Diagnostic {
        self.differ(size, dim);
        let (size, dim) = (self.graph.show_dim(size), self.graph.show_dim(dim));
        let message = format!(
            "this index takes {size} values elsewhere, but stands on an axis of size {dim} here"
        );
        let disagree =
            Diagnostic::new(Code::IndexRange, span, message).here(format!("an axis of size {dim}"));
        let disagree = match self.ranged_at.get(&label) {
            Some(&place) => disagree.label(place, format!("an axis of size {size}")),
            None => disagree,
        };
        disagree.help("an index runs over axes of one size; a shorter range is written where it is bound, as in `sum[k:K](…)`")
    }

    /// What cannot be a size.
    pub(crate) fn bad_dimension(&self, expr: &Expr) -> Diagnostic {
        if let ExprKind::Name(name) = &expr.kind {
            if let Some(&later) = self.later.get(name) {
                return self.too_early(name, expr.span, later);
            }
            self.wants.borrow_mut().names.push(Ident::new(name.clone(), expr.span));
            let diagnostic = Diagnostic::new(
                Code::UnknownName,
                expr.span,
                format!("`{name}` is not a declared dimension"),
            );
            return match self.near(name, self.dims.keys().map(String::as_str)) {
                Some(near) => {
                    diagnostic.help(format!("did you mean `{near}`?")).edit(expr.span, near)
                }
                None => diagnostic
                    .help(format!("declare it first: `dim {name};`"))
                    .insert(self.statement.start, format!("dim {name};\n")),
            };
        }
        let message = "a size is a whole number, a dim name, or a formula of those with + - * /";
        let bad = Diagnostic::new(Code::BadDimension, expr.span, message);
        match expr.kind {
            ExprKind::Product(..) => {
                bad.help(format!("it has at most {MAX_TERMS} terms, multiplied out"))
            }
            _ => bad,
        }
    }

    /// A name among positions that is neither an index in scope nor anything else.
    pub(crate) fn unbound_index(&self, name: &str, span: Span) -> Diagnostic {
        let unbound = Diagnostic::new(
            Code::UnboundIndex,
            span,
            format!("the index `{name}` is neither named on the left nor bound by a sum"),
        );
        let known = self.indices.iter().map(|(known, _)| known.as_str());
        if let Some(near) = self.near(name, known).filter(|_| name.chars().count() > 1) {
            return unbound.help(format!("did you mean `{near}`?")).edit(span, near);
        }
        if name.chars().count() > 2 {
            return unbound.help(format!(
                "sums are written out: `sum[{name}](…)`; integers that pick rows are declared: `input {name}: int[B];`"
            ));
        }
        let inside = self.right.start <= span.start && span.end <= self.right.end;
        match inside {
            true => unbound
                .help(format!("sums are written out: `sum[{name}](…)`"))
                .insert(self.right.start, format!("sum[{name}]("))
                .insert(self.right.end, ")"),
            false => unbound.help(format!(
                "name it on the left, as in `y[{name}] = …`, or sum over it: `sum[{name}](…)`"
            )),
        }
    }

    /// A name that is declared or defined a second time.
    pub(crate) fn taken(&self, name: &Ident) -> Diagnostic {
        let first = self.places.get(&name.name).copied();
        self.taken_from(name, first.unwrap_or(name.span))
    }

    /// The same, where the name was taken there.
    pub(super) fn taken_from(&self, name: &Ident, first: Span) -> Diagnostic {
        let message = format!("the name `{}` is already taken", name.name);
        let mut taken = Diagnostic::new(Code::Redefinition, name.span, message);
        if first != name.span {
            taken = taken.label(first, "first here");
        }
        taken.help("every name stands for one value; write the new one under a new name")
    }

    /// Names that stand side by side are different.
    pub(super) fn all_different<'n>(
        &self,
        names: impl IntoIterator<Item = &'n Ident>,
    ) -> Result<(), Diagnostic> {
        let mut seen: Vec<&Ident> = Vec::new();
        for name in names {
            match seen.iter().find(|other| other.name == name.name) {
                Some(first) => return Err(self.taken_from(name, first.span)),
                None => seen.push(name),
            }
        }
        Ok(())
    }

    /// What is said of a name that a statement before defines, which could not be read.
    pub(super) fn taken_unread(&self, name: &Ident) -> Option<Diagnostic> {
        let mut heads = self.heads.iter();
        let head = heads.find(|head| head.name == name.name && head.span < name.span)?;
        Some(self.taken_from(name, head.span))
    }

    /// Statements that could not be read define no name that others before them do.
    pub(super) fn defined_again(&mut self) {
        for head in std::mem::take(&mut self.heads) {
            if self.places.get(&head.name).is_some_and(|first| *first < head.span) {
                let taken = self.taken(&head);
                self.report(taken);
            }
        }
    }

    /// What would make shapes broadcast, and where to write it.
    pub(crate) fn mismatch_help(&self, diagnostic: Diagnostic, operands: &[Operand]) -> Diagnostic {
        let [a, b] = operands else { return diagnostic };
        let (left, right) = (self.positional(&a.val), self.positional(&b.val));
        let flipped: Vec<Dim> = right.iter().rev().cloned().collect();
        if left.len() == 2 && flipped == left {
            let help = diagnostic.help("transpose one of them with `.T`");
            return self.after_name(help, b, ".T");
        }
        match (left, right) {
            ([rows, _], [length]) if rows == length => self.laid_along_rows(diagnostic, b),
            ([length], [rows, _]) if rows == length => self.laid_along_rows(diagnostic, a),
            _ => match differing(left, right) {
                Some((from_end, x, y)) => {
                    let which = if from_end == 1 { "last axes" } else { "axes" };
                    let (x, y) = (self.graph.show_dim(x), self.graph.show_dim(y));
                    diagnostic.help(format!(
                        "the {which} {x} and {y} meet: they must be equal, or one of them 1"
                    ))
                }
                None => diagnostic,
            },
        }
    }

    /// What is said of an entrywise product where a matrix product would fit.
    pub(super) fn matrix_product_meant(&self, operands: &[Operand]) -> Option<String> {
        let [a, b] = operands else { return None };
        let (left, right) = (self.positional(&a.val), self.positional(&b.val));
        let ([_, inner], [rows, _]) = (left, right) else { return None };
        let name = |operand| self.spelling(operand).unwrap_or("…");
        let help = format!(
            "this product is taken entry by entry; that of matrices is written `{} @ {}`",
            name(a),
            name(b)
        );
        (inner == rows).then_some(help)
    }

    fn laid_along_rows(&self, diagnostic: Diagnostic, vector: &Operand) -> Diagnostic {
        let name = self.spelling(vector).unwrap_or("v");
        let help = format!(
            "a vector lies along the last axis; write `{name}[:, None]` to lay it along the rows"
        );
        self.after_name(diagnostic.help(help), vector, "[:, None]")
    }

    /// Puts something behind an operand, where it is a plain name.
    fn after_name(&self, diagnostic: Diagnostic, operand: &Operand, text: &str) -> Diagnostic {
        match self.spelling(operand) {
            Some(_) => diagnostic.insert(operand.span.end, text),
            None => diagnostic,
        }
    }

    /// What would make a matrix product fit, and where to write it.
    pub(crate) fn product_help(
        &self,
        diagnostic: Diagnostic,
        a: &Operand,
        b: &Operand,
    ) -> Diagnostic {
        let (left, right) = (self.positional(&a.val), self.positional(&b.val));
        let first_right = right.get(right.len().saturating_sub(2));
        let called = |operand: &Operand, word: &str| match self.spelling(operand) {
            Some(name) => format!("`{name}.T`"),
            None => format!("`.T` after the {word} operand"),
        };
        if right.last() == left.first() && left.len() == 2 && right.len() == 2 {
            let names = (self.spelling(a), self.spelling(b));
            if let (Some(x), Some(y)) = names {
                let swap = format!("swap the operands: `{y} @ {x}`");
                return diagnostic.help(swap).edit(a.span, y).edit(b.span, x);
            }
            return diagnostic.help("swap the operands");
        }
        if right.len() == 2 && right.last() == left.last() {
            let help = format!("transpose the right operand: {}", called(b, "right"));
            return self.after_name(diagnostic.help(help), b, ".T");
        }
        if left.len() == 2 && left.first() == first_right {
            let help = format!("transpose the left operand: {}", called(a, "left"));
            return self.after_name(diagnostic.help(help), a, ".T");
        }
        diagnostic
    }

    /// `here 0 (B) and 1 (M)`
    pub(crate) fn axes_in_words(&self, val: &Val) -> String {
        let axes: Vec<String> = self
            .positional(val)
            .iter()
            .enumerate()
            .map(|(at, dim)| format!("{at} ({})", self.graph.show_dim(dim)))
            .collect();
        match axes.as_slice() {
            [] => "a scalar has no axes".to_string(),
            axes => format!("axes are counted from 0: here {}; -1 is the last", axes.join(", ")),
        }
    }
}

/// An index that nothing binds, in a reduction that can: `sum(x[i])` for `sum[i](x[i])`.
pub(super) fn bound_here(error: Diagnostic, call: &CallArgs<'_>) -> Diagnostic {
    let index = error.message.split('`').nth(1).unwrap_or_default().to_string();
    let misspelt = error.fix.len() == 1 || index.chars().count() > 2;
    if error.code != Code::UnboundIndex || misspelt || !call.kwargs.is_empty() {
        return error;
    }
    let help = format!("its index is written before its brackets: `{}[{index}](…)`", call.name);
    let fixed = Diagnostic { fix: Vec::new(), ..error };
    fixed.help(help).insert(call.span.start + call.name.len(), format!("[{index}]"))
}

/// The last pair of sizes that do not broadcast: how far from the end, and both.
fn differing<'d>(a: &'d [Dim], b: &'d [Dim]) -> Option<(usize, &'d Dim, &'d Dim)> {
    let pairs = a.iter().rev().zip(b.iter().rev()).enumerate();
    let bad = |(_, (x, y)): &(usize, (&Dim, &Dim))| x != y && !x.is_one() && !y.is_one();
    pairs.into_iter().find(bad).map(|(at, (x, y))| (at + 1, x, y))
}

/// What `π`, `np.pi` and `math.inf` are called.
fn number_of(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.').map_or(name, |(_, last)| last) {
        "π" => Some("pi"),
        "pi" if name.contains('.') => Some("pi"),
        "inf" if name.contains('.') => Some("inf"),
        _ => None,
    }
}

/// So many errors say which name is nearest to one that is not known: more than are shown to people.
const MOST_HINTED: usize = 300;
/// So many known names are compared with one that is not known.
const MOST_COMPARED: usize = 2000;

/// The known name that is nearest to one that was meant, if any is near.
pub fn nearest<'n>(name: &str, mut known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // One letter is near to every other; only its capital is meant.
    if name.chars().count() == 1 {
        return known.find(|candidate| candidate.to_lowercase() == name.to_lowercase());
    }
    let limit = (name.chars().count() / 3).clamp(1, 3);
    known
        .take(MOST_COMPARED)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit && *distance < candidate.chars().count().max(2)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
