//! Lines to text and LaTeX. Decides no mathematics: it raises nodes to formulas in the notation asked for.

use super::chain::{Chain, Line, Weight};
use super::left;
use super::notes::{self, Reason};
use super::{Binding, Options, Step, Steps};
use crate::compile::Derivative;
use crate::few::{self, Each};
use crate::ir::{Dim, Map, NodeId};
use crate::ops::OpId;
use crate::raise::{self, Names, Notation};
use crate::render::math::{self, Math, Symbol};
use crate::render::phrases::{Phrase, phrase};
use crate::render::prose::Prose;
use crate::render::{self, Context};
use chainrule_grammar::ast::{Expr, ExprKind, IndexItem, RequestKind};
use chainrule_grammar::print;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a line is about, which its left-hand side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// The differential of the result: `dE`.
    Differential,
    /// The whole derivative: `∂E/∂W`.
    Whole,
    /// One entry of it: `∂E/∂W_jk`.
    Entry,
}

impl Side {
    fn of(notation: Notation) -> Side {
        match notation {
            Notation::Matrix => Side::Whole,
            Notation::Index => Side::Entry,
        }
    }
}

/// What lines are shown with.
pub(super) struct Show<'s> {
    pub names: &'s Names<'s>,
    /// How many axes every name stands for.
    pub ranks: &'s BTreeMap<String, usize>,
    pub options: Options,
    pub derivative: &'s Derivative,
    /// The name of the error term that the chain is about; empty for the derivative itself.
    pub about: &'s str,
    pub of: NodeId,
    pub by: NodeId,
    /// Formulas in matrix notation: a line's text and what is set are made of the same one.
    pub raised: RefCell<Map<NodeId, Option<Rc<Expr>>>>,
    /// Whether the result's long definition was written out before.
    pub defined: bool,
    /// Functions whose two cases have been told.
    pub by_cases: RefCell<Vec<OpId>>,
}

impl Show<'_> {
    pub(super) fn set(&self, expr: &Expr, notation: Notation) -> Math {
        let rank = |name: &str| self.ranks.get(name).copied();
        render::layout(expr, &Context { rank: &rank, notation, lang: self.options.lang })
    }

    pub(super) fn say(&self, said: Phrase, holes: &[(&str, Prose)]) -> Prose {
        Prose::fill(phrase(said, self.options.lang), holes)
    }

    /// Letters of the seed's axes and of the variable's.
    fn letters(&self) -> (Vec<String>, Vec<String>) {
        let graph = self.names.graph;
        let front =
            if graph.shape(self.of).is_empty() { Vec::new() } else { self.names.axes(self.of) };
        let back = self.names.letters.shape(graph.shape(self.by), &front);
        (front, back)
    }

    /// The letters of the left-hand side.
    fn shown_letters(&self) -> (Vec<String>, Vec<String>) {
        let (front, back) = self.letters();
        let graph = self.names.graph;
        (Self::shown(front, graph.shape(self.of)), Self::shown(back, graph.shape(self.by)))
    }

    /// Letters as lines show them: an axis with one entry is read at 0.
    fn shown(letters: Vec<String>, shape: &[Dim]) -> Vec<String> {
        let one =
            |(letter, dim): (String, &Dim)| if dim.is_one() { "0".to_string() } else { letter };
        letters.into_iter().zip(shape).map(one).collect()
    }

    fn all_letters(&self) -> Vec<String> {
        let (front, back) = self.letters();
        [front, back].concat()
    }

    // ---- formulas -----------------------------------------------------------------------------------------------

    /// A formula in the language, as this program reads it.
    pub(super) fn in_language(&self, expr: &Expr) -> String {
        raise::written(self.names.graph, expr)
    }

    /// A node as text; the letters of the derivative's axes where they fit.
    fn text(&self, node: NodeId) -> String {
        self.text_in(self.options.notation, node)
    }

    fn text_in(&self, notation: Notation, node: NodeId) -> String {
        if notation == Notation::Matrix
            && let Some(whole) = self.matrix(node)
        {
            return self.in_language(&whole);
        }
        self.in_language(&self.tensor(node, &self.axes_of(node)))
    }

    /// A node in matrix notation, where that has a way to write it.
    fn matrix(&self, node: NodeId) -> Option<Rc<Expr>> {
        let raise = || raise::matrix(self.names, node).map(Rc::new);
        self.raised.borrow_mut().entry(node).or_insert_with(raise).clone()
    }

    /// A node by its entries, as an expression for the whole.
    fn tensor(&self, node: NodeId, axes: &[String]) -> Expr {
        raise::tensor(self.names, node, axes, raise::index(self.names, node, axes))
    }

    fn axes_of(&self, node: NodeId) -> Vec<String> {
        let letters = self.all_letters();
        if letters.len() == self.names.graph.rank(node) { letters } else { self.names.axes(node) }
    }

    /// The formula of a node in the notation asked for, with the notation it came out in.
    fn formula(&self, node: NodeId) -> (Rc<Expr>, Notation) {
        // Tensors of three and more axes are no matrices: they are shown by their entries.
        if self.options.notation == Notation::Matrix
            && self.names.graph.rank(node) <= 2
            && let Some(whole) = self.matrix(node)
        {
            return (whole, Notation::Matrix);
        }
        self.by_entries(node)
    }

    fn by_entries(&self, node: NodeId) -> (Rc<Expr>, Notation) {
        let axes = Self::shown(self.axes_of(node), self.names.graph.shape(node));
        (Rc::new(raise::index(self.names, node, &axes)), Notation::Index)
    }

    /// The closed form in the language.
    pub fn closed_text(&self, node: NodeId) -> String {
        self.text(node)
    }

    /// The closed form as it is set, after the derivative that it is.
    pub fn closed(&self, node: NodeId) -> math::Line {
        let (expr, notation) = self.formula(node);
        math::Line::new(self.lhs(Side::of(notation)).swap_remove(0), self.set(&expr, notation))
    }

    /// A formula as it is set within a sentence.
    pub fn whole(&self, node: NodeId) -> Math {
        if let Some(name) = self.names.of(node) {
            return render::name(name);
        }
        let (expr, notation) = self.formula(node);
        self.set(&expr, notation)
    }

    /// A named part.
    pub fn binding(&self, name: &str, node: NodeId) -> Binding {
        if let Some(call) = name.strip_prefix("fn ") {
            return self.function(name, call, node);
        }
        let axes = self.names.axes(node);
        let matrix = self.options.notation == Notation::Matrix;
        let whole = if matrix { self.matrix(node) } else { None };
        let entries = || {
            let right = self.set(&raise::index(self.names, node, &axes), Notation::Index);
            math::Line::new(render::indexed_name(name, &axes), right)
        };
        let (text, line) = match whole {
            Some(expr) if axes.len() > 2 => (self.in_language(&expr), entries()),
            Some(expr) => {
                let right = self.set(&expr, Notation::Matrix);
                (self.in_language(&expr), math::Line::new(render::name(name), right))
            }
            None => (self.in_language(&self.tensor(node, &axes)), entries()),
        };
        Binding { name: name.to_string(), text, line }
    }

    /// A step of a scan, as a function of the language.
    fn function(&self, name: &str, call: &str, node: NodeId) -> Binding {
        let (function, params) = call.trim_end_matches(')').split_once('(').unwrap_or((call, ""));
        let params: Vec<Math> = params.split(", ").map(render::name).collect();
        let (expr, notation) = match self.matrix(node) {
            Some(expr) => (expr, Notation::Matrix),
            None => (Rc::new(self.tensor(node, &self.names.axes(node))), Notation::Index),
        };
        let head = Math::Func(function.to_string());
        let left = Math::Row(vec![head, Math::fenced(Math::commas(params))]);
        let line = math::Line::new(left, self.set(&expr, notation));
        Binding { name: name.to_string(), text: self.in_language(&expr), line }
    }

    // ---- left-hand sides -------------------------------------------------------------------------------------------

    /// `dE`, `∂E/∂W` or `∂E/∂W_jk`; before a derivative the error term that it is, if any.
    fn lhs(&self, side: Side) -> Vec<Math> {
        if side == Side::Differential {
            let of = &self.derivative.of.name;
            return vec![Math::differential(match self.derivative.kind {
                RequestKind::Hvp => Math::fenced(notes::pairings(of, &self.moves())),
                _ => render::name(of),
            })];
        }
        let by = self.names.of(self.by).unwrap_or(&self.derivative.wrt.name);
        let letters = (side == Side::Entry).then(|| self.shown_letters());
        let letters = letters.as_ref().map(|(front, back)| (front.as_slice(), back.as_slice()));
        let back = letters.map_or(&[][..], |(_, back)| back);
        let partial = left::left(self.names.graph, self.derivative, by, letters);
        if self.about.is_empty() {
            return vec![partial];
        }
        vec![render::indexed_name(self.about, back), partial]
    }

    // ---- lines ------------------------------------------------------------------------------------------------------

    /// The steps of a chain, as many as were asked for.
    pub fn steps(&self, chain: &Chain) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.options.steps == Steps::Full {
            for lemma in &chain.lemmas {
                steps.extend(self.lemma(lemma));
            }
        }
        let last = chain.lines.len().saturating_sub(1);
        let mut pending: Vec<Reason> = Vec::new();
        let mut before: Option<&Line> = None;
        let mut sides: Vec<Side> = Vec::new();
        for (at, line) in chain.lines.iter().enumerate() {
            pending.extend(line.reasons.iter().cloned());
            if at < last && !self.keeps(line, sides.last().copied()) {
                continue;
            }
            let reasons = std::mem::take(&mut pending);
            let opened = at == 0 && self.opens(line);
            if opened && self.defined && at < last {
                continue;
            }
            let (side, right) = if opened { self.opened_line() } else { self.line(line) };
            let text = match (opened, line.deltas) {
                (true, _) => self.opened_text(),
                (false, true) => self.text_in(Notation::Index, line.rhs),
                (false, false) => self.text(line.rhs),
            };
            let line_as_set = math::Line { left: None, right };
            let (rule, why) = self.because(line, &reasons, before, opened);
            // What reads as the line before, though it is not built alike, is no line of its own.
            let again = |last: &&mut Step| last.text == text && last.line == line_as_set;
            let same = sides.last() == Some(&side);
            if let Some(last) = steps.last_mut().filter(|last| same && again(last)) {
                last.why = self.both(std::mem::take(&mut last.why), why, &reasons);
                continue;
            }
            let about = self.about.to_string();
            steps.push(Step { about, rule, text, line: line_as_set, why });
            sides.push(side);
            before = Some(line);
        }
        self.with_lhs(&mut steps, &sides);
        steps
    }

    /// Why a line holds that two rules lead to.
    fn both(&self, first: Prose, second: Prose, reasons: &[Reason]) -> Prose {
        if reasons.iter().all(|reason| *reason == Reason::Simplify) || first == second {
            return first;
        }
        Prose::join(vec![first, second], phrase(Phrase::Between, self.options.lang))
    }

    /// Whether a line is shown. Matrices cannot show a Kronecker delta, so in matrix notation a line with one is shown only after one
    /// that had to be written by its entries.
    fn keeps(&self, line: &Line, before: Option<Side>) -> bool {
        let shown = self.options.steps == Steps::Full || line.weight == Weight::Main;
        let matrix = self.options.notation == Notation::Matrix;
        shown && !(line.deltas && matrix && before != Some(Side::Entry))
    }

    /// Whether the first line is the derivative of the result itself, which is then written out.
    fn opens(&self, line: &Line) -> bool {
        line.open.len() == 1 && line.open[0].1 == self.of
    }

    /// The rule that names a line, and the sentences that say why it holds.
    fn because(
        &self,
        line: &Line,
        reasons: &[Reason],
        before: Option<&Line>,
        opened: bool,
    ) -> (String, Prose) {
        let (of, wrt) = (&self.derivative.of.name, &self.derivative.wrt.name);
        let definition = [match self.derivative.kind {
            RequestKind::Hessian => Reason::OnceMore(of.clone(), wrt.clone()),
            RequestKind::Hvp => Reason::Paired(of.clone(), self.moves()),
            _ => Reason::Definition(self.names.of(self.of).unwrap_or(of).to_string()),
        }];
        let mut reasons: Vec<&Reason> =
            if opened { definition.iter().collect() } else { reasons.iter().collect() };
        // Deltas that were not shown are not contracted for the reader: what made them is the reason.
        let contracted = before.is_some_and(|before| before.deltas);
        if !contracted && reasons.iter().any(|reason| **reason != Reason::DeltaContract) {
            reasons.retain(|reason| **reason != Reason::DeltaContract);
        }
        few::sort_by(&mut reasons, &|a, b| a.rank().cmp(&b.rank()));
        let main = reasons.first();
        let telling = main.map_or(0, |reason| reason.rank());
        let told = |reason: &&&Reason| {
            reason.rank() <= telling.max(2)
                || matches!(reason, Reason::Local(..) | Reason::Written(_))
        };
        let told: Vec<&Reason> = reasons.iter().filter(told).copied().collect();
        let rule = main.map_or_else(String::new, |reason| reason.rule());
        (rule, self.sentences(&told, line, before))
    }

    /// The variables that move, and along what.
    fn moves(&self) -> Vec<(String, String)> {
        let name = |node: NodeId| self.names.graph.name(node).unwrap_or_default().to_string();
        self.derivative.directions.each(|(by, direction)| (name(*by), name(*direction)))
    }

    /// A reason in words, with letters that no name has.
    pub(super) fn sentence(&self, reason: &Reason) -> Prose {
        reason.sentence(&|name| self.ranks.contains_key(name), self.options.lang)
    }

    fn sentences(&self, reasons: &[&Reason], line: &Line, before: Option<&Line>) -> Prose {
        let mut sentences: Vec<Prose> = Vec::new();
        let contracts = reasons.contains(&&Reason::Contraction);
        for reason in reasons {
            let sentence = match reason {
                // A contraction says it as well.
                Reason::Linear if contracts => continue,
                Reason::DeltaContract => self.vanishing(before),
                Reason::Local(quantity, jacobian) => self.local(*quantity, *jacobian),
                Reason::Written(quantity) => self.written(*quantity),
                // Cases that are not shown are not told of.
                Reason::Cases(op) if !line.deltas || !self.by_cases.borrow().contains(op) => {
                    self.sentence(&Reason::Function(*op, Vec::new(), Vec::new()))
                }
                // Whole matrices show no sum.
                Reason::Contraction if !self.by_entry(line) => self.sentence(&Reason::Linear),
                other => self.sentence(other),
            };
            if !sentence.is_empty() && !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        Prose::join(sentences, phrase(Phrase::Between, self.options.lang))
    }

    /// `d(1/2 * sum((o - t)^2), w[j])`: what is differentiated, written out.
    fn opened(&self, (front, back): (Vec<String>, Vec<String>)) -> Expr {
        let body = raise::index_clear_of(self.names, self.of, &front, &back);
        Expr::call("d", vec![body, raise::entry(self.names, self.by, &back)])
    }

    fn opened_text(&self) -> String {
        let axes = self.all_letters();
        self.in_language(&self.wrap(self.opened(self.letters()), &axes))
    }

    /// `tensor[j,k](e)` with ranges as the derivative's axes have them.
    fn wrap(&self, entry: Expr, axes: &[String]) -> Expr {
        let graph = self.names.graph;
        let shape = [graph.shape(self.of).as_slice(), graph.shape(self.by).as_slice()].concat();
        raise::tensor_of(self.names, &shape, axes, entry)
    }

    fn opened_line(&self) -> (Side, Math) {
        if self.options.notation == Notation::Matrix
            && let Some(body) = raise::matrix(self.names, self.of)
        {
            let graph = self.names.graph;
            if graph.shape(self.of).is_empty() {
                let body = Math::fenced(self.set(&body, Notation::Matrix));
                return (Side::Differential, Math::differential(body));
            }
            if graph.rank(self.of) + graph.rank(self.by) <= 2 {
                let by = self.names.of(self.by).unwrap_or(&self.derivative.wrt.name);
                let whole = Expr::call("d", vec![body, Expr::name(by)]);
                return (Side::Whole, self.set(&whole, Notation::Matrix));
            }
        }
        (Side::Entry, self.set(&self.opened(self.shown_letters()), Notation::Index))
    }

    /// Whether a line is shown by entries.
    fn by_entry(&self, line: &Line) -> bool {
        let matrix = || self.formula(line.rhs).1 == Notation::Matrix;
        line.deltas || !(self.by_differentials(line) || matrix())
    }

    /// Whether a line is shown by differentials: matrix notation has no way to write ∂v/∂W without a third-order tensor.
    fn by_differentials(&self, line: &Line) -> bool {
        self.options.notation == Notation::Matrix
            && !line.open.is_empty()
            && self.names.graph.shape(self.of).is_empty()
            && line.open.iter().all(|(cotangent, node)| {
                self.names.of(*node).is_some()
                    && raise::matrix_entry(self.names, *cotangent).is_some()
            })
    }

    fn line(&self, line: &Line) -> (Side, Math) {
        if self.by_differentials(line) {
            let mut terms = Vec::new();
            for (cotangent, node) in &line.open {
                let (negative, term) = self.inner_product(*cotangent, *node);
                if negative {
                    terms.push(Math::Symbol(Symbol::Minus));
                } else if !terms.is_empty() {
                    terms.push(Math::Symbol(Symbol::Plus));
                }
                terms.push(term);
            }
            return (Side::Differential, Math::Row(terms));
        }
        let (expr, notation) =
            if line.deltas { self.by_entries(line.rhs) } else { self.formula(line.rhs) };
        (Side::of(notation), self.set(&expr, notation))
    }

    /// `⟨v̄, dv⟩`, and of numbers `v̄ dv`; whether it is subtracted.
    fn inner_product(&self, cotangent: NodeId, node: NodeId) -> (bool, Math) {
        let name = self.names.of(node).unwrap_or("v");
        let differential = Math::differential(self.set(&Expr::name(name), Notation::Matrix));
        let Some(factor) = raise::matrix_entry(self.names, cotangent) else {
            return (false, differential);
        };
        if self.names.graph.rank(node) == 0 {
            return self.multiple(factor, differential);
        }
        (false, notes::paired(self.set(&factor, Notation::Matrix), differential))
    }

    /// A number times a differential, without its sign.
    fn multiple(&self, factor: Expr, differential: Math) -> (bool, Math) {
        let (negative, factor) = unsigned(factor);
        let set = self.set(&factor, Notation::Matrix);
        let product =
            matches!(factor.kind, ExprKind::Product(..) | ExprKind::Name(_) | ExprKind::Num(_));
        let term = match &set {
            Math::Num(one) if one == "1" => differential,
            _ if product => Math::Row(vec![set, Math::Thin, differential]),
            _ => Math::Row(vec![Math::fenced(set), Math::Thin, differential]),
        };
        (negative, term)
    }

    /// Puts the left-hand side where a chain of equalities begins, and wherever what the lines are about changes.
    fn with_lhs(&self, steps: &mut [Step], sides: &[Side]) {
        let lemmas = steps.len() - sides.len();
        let mut before = None;
        for (step, side) in steps.iter_mut().skip(lemmas).zip(sides) {
            if before.replace(*side) == Some(*side) {
                continue;
            }
            let mut shown = self.lhs(*side);
            let right = std::mem::replace(&mut step.line.right, Math::Row(Vec::new()));
            let left = shown.remove(0);
            let right = shown.pop().map_or(right.clone(), |side| Math::equation(side, right));
            step.line = math::Line::new(left, right);
        }
    }

    /// `∂z_ni/∂W_jk = x_nj δ_ik`
    fn local(&self, quantity: NodeId, jacobian: NodeId) -> Prose {
        let graph = self.names.graph;
        let (_, back) = self.letters();
        let own = self.names.letters.shape(graph.shape(quantity), &back);
        let own = Self::shown(own, graph.shape(quantity));
        let back = Self::shown(back, graph.shape(self.by));
        let left = Expr::call(
            "d",
            vec![
                raise::entry(self.names, quantity, &own),
                raise::entry(self.names, self.by, &back),
            ],
        );
        let right = raise::index(self.names, jacobian, &[own, back].concat());
        let side = |expr: &Expr| self.set(expr, Notation::Index);
        Prose::math(Math::equation(side(&left), side(&right)))
    }

    /// `O = σ(x)`
    fn written(&self, quantity: NodeId) -> Prose {
        let axes = self.names.axes(quantity);
        let left = self.set(&raise::entry(self.names, quantity, &axes), Notation::Index);
        let right = self.set(&raise::index(self.names, quantity, &axes), Notation::Index);
        Prose::math(Math::equation(left, right))
    }

    /// "the terms with i ≠ k vanish, as δ_ik = 0 there", for the deltas of the line before; "δ_ik = 0 unless i = k" for one that
    /// stands in a difference.
    fn vanishing(&self, before: Option<&Line>) -> Prose {
        let lang = self.options.lang;
        let Some(line) = before else {
            return self.sentence(&Reason::DeltaContract);
        };
        let entry = raise::index(self.names, line.rhs, &self.axes_of(line.rhs));
        let mut deltas: Vec<(Expr, bool)> = Vec::new();
        find_deltas(&entry, false, &mut deltas);
        let part = |(delta, in_sum): &(Expr, bool)| {
            let ExprKind::Index(_, items) = &delta.kind else { return Prose::default() };
            let sides: Vec<Math> = items.iter().filter_map(|item| self.letter(item)).collect();
            let [a, b] = sides.as_slice() else { return Prose::default() };
            let zero = Math::Num("0".to_string());
            let delta = Math::equation(self.set(delta, Notation::Index), zero);
            if *in_sum {
                let equal = Prose::math(Math::equation(a.clone(), b.clone()));
                let holes = [("equal", equal), ("delta", Prose::math(delta))];
                return self.say(Phrase::ZeroUnless, &holes);
            }
            let unequal = Math::Row(vec![a.clone(), Math::Symbol(Symbol::NotEqual), b.clone()]);
            let holes = [("unequal", Prose::math(unequal)), ("delta", Prose::math(delta))];
            self.say(Phrase::TermsVanish, &holes)
        };
        let parts: Vec<Prose> = deltas.each(part);
        match parts.is_empty() {
            true => self.sentence(&Reason::DeltaContract),
            false => Prose::join(parts, phrase(Phrase::Comma, lang)),
        }
    }

    fn letter(&self, item: &IndexItem) -> Option<Math> {
        match item {
            IndexItem::At(expr) => Some(self.set(expr, Notation::Index)),
            _ => None,
        }
    }
}

/// All deltas of an expression, with whether they stand in a sum that is a factor.
fn find_deltas(expr: &Expr, in_sum: bool, found: &mut Vec<(Expr, bool)>) {
    match &expr.kind {
        ExprKind::Index(base, items) => {
            if let (ExprKind::Name(name), [IndexItem::At(_), IndexItem::At(_)]) =
                (&base.kind, items.as_slice())
                && name == "delta"
                && !found.iter().any(|(known, _)| print::expr(known) == print::expr(expr))
            {
                found.push((expr.clone(), in_sum));
            }
            find_deltas(base, in_sum, found);
        }
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) => find_deltas(inner, in_sum, found),
        ExprKind::Sum(first, rest) => {
            find_deltas(first, in_sum, found);
            rest.iter().for_each(|(_, term)| find_deltas(term, in_sum, found));
        }
        ExprKind::Product(first, rest) => {
            let mut factor = |factor: &Expr| {
                let sum = matches!(factor.kind, ExprKind::Sum(..));
                find_deltas(factor, in_sum || sum, found);
            };
            factor(first);
            rest.iter().for_each(|(_, other)| factor(other));
        }
        ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
            find_deltas(a, in_sum, found);
            find_deltas(b, in_sum, found);
        }
        ExprKind::Call { args, .. } => args.iter().for_each(|arg| find_deltas(arg, in_sum, found)),
        _ => {}
    }
}

/// Whether a formula has a sign in front, and the formula without it.
fn unsigned(expr: Expr) -> (bool, Expr) {
    match expr.kind {
        ExprKind::Neg(inner) => (true, *inner),
        ExprKind::Product(first, rest) => {
            let (negative, first) = unsigned(*first);
            (negative, Expr::synthetic(ExprKind::Product(Box::new(first), rest)))
        }
        kind => (false, Expr { kind, ..expr }),
    }
}
