//! Lines to text and LaTeX. Decides no mathematics: it raises nodes to formulas in the notation asked for.

use super::chain::{Chain, Lemma, Line, Weight};
use super::notes::{Reason, Say};
use super::{Binding, Options, Step, Steps};
use crate::compile::Derivative;
use crate::ir::NodeId;
use crate::raise::{self, Names, Notation};
use crate::render::{self, Context};
use chainrule_grammar::ast::{Expr, ExprKind, IndexItem, RequestKind};
use chainrule_grammar::print;
use std::collections::BTreeMap;

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
}

impl Show<'_> {
    fn context(&self, run: impl FnOnce(&Context<'_>) -> String, notation: Notation) -> String {
        let rank = |name: &str| self.ranks.get(name).copied();
        run(&Context { rank: &rank, notation })
    }

    fn latex(&self, expr: &Expr, notation: Notation) -> String {
        self.context(|ctx| render::latex(expr, ctx), notation)
    }

    /// Letters of the seed's axes and of the variable's.
    fn letters(&self) -> (Vec<String>, Vec<String>) {
        let graph = self.names.graph;
        let front =
            if graph.shape(self.of).is_empty() { Vec::new() } else { self.names.axes(self.of) };
        let back = self.names.letters.shape(graph.shape(self.by), &front);
        (front, back)
    }

    fn all_letters(&self) -> Vec<String> {
        let (front, back) = self.letters();
        [front, back].concat()
    }

    // ---- formulas -----------------------------------------------------------------------------------------------

    /// A node as text; the letters of the derivative's axes where they fit.
    fn text(&self, node: NodeId) -> String {
        if self.options.notation == Notation::Matrix
            && let Some(whole) = raise::matrix(self.names, node)
        {
            return print::expr(&whole);
        }
        let axes = self.axes_of(node);
        print::expr(&raise::tensor(self.names, node, &axes, raise::index(self.names, node, &axes)))
    }

    fn axes_of(&self, node: NodeId) -> Vec<String> {
        let letters = self.all_letters();
        if letters.len() == self.names.graph.rank(node) { letters } else { self.names.axes(node) }
    }

    /// The formula of a node in the notation asked for, with the notation it came out in.
    fn formula(&self, node: NodeId) -> (Expr, Notation) {
        // Tensors of three and more axes are no matrices: they are shown by their entries.
        if self.options.notation == Notation::Matrix
            && self.names.graph.rank(node) <= 2
            && let Some(whole) = raise::matrix(self.names, node)
        {
            return (whole, Notation::Matrix);
        }
        (raise::index(self.names, node, &self.axes_of(node)), Notation::Index)
    }

    /// The closed form in the language.
    pub fn closed_text(&self, node: NodeId) -> String {
        self.text(node)
    }

    /// The closed form in LaTeX.
    pub fn closed_latex(&self, node: NodeId) -> String {
        let (expr, notation) = self.formula(node);
        self.latex(&expr, notation)
    }

    /// A named part.
    pub fn binding(&self, name: &str, node: NodeId) -> Binding {
        if let Some(call) = name.strip_prefix("fn ") {
            return self.function(name, call, node);
        }
        let axes = self.names.axes(node);
        let whole = (self.options.notation == Notation::Matrix)
            .then(|| raise::matrix(self.names, node))
            .flatten();
        match whole {
            Some(expr) if axes.len() > 2 => Binding {
                name: name.to_string(),
                text: print::expr(&expr),
                latex: format!(
                    "{} = {}",
                    render::indexed_name_latex(name, &axes),
                    self.latex(&raise::index(self.names, node, &axes), Notation::Index)
                ),
            },
            Some(expr) => Binding {
                name: name.to_string(),
                text: print::expr(&expr),
                latex: format!(
                    "{} = {}",
                    render::name_latex(name),
                    self.latex(&expr, Notation::Matrix)
                ),
            },
            None => {
                let entry = raise::index(self.names, node, &axes);
                let latex = self.latex(&entry, Notation::Index);
                Binding {
                    name: name.to_string(),
                    text: print::expr(&raise::tensor(self.names, node, &axes, entry)),
                    latex: format!("{} = {latex}", render::indexed_name_latex(name, &axes)),
                }
            }
        }
    }

    /// A step of a scan, as a function of the language.
    fn function(&self, name: &str, call: &str, node: NodeId) -> Binding {
        let (function, params) = call.trim_end_matches(')').split_once('(').unwrap_or((call, ""));
        let params: Vec<String> = params.split(", ").map(render::name_latex).collect();
        let (expr, notation) = match raise::matrix(self.names, node) {
            Some(expr) => (expr, Notation::Matrix),
            None => {
                let axes = self.names.axes(node);
                (
                    raise::tensor(self.names, node, &axes, raise::index(self.names, node, &axes)),
                    Notation::Index,
                )
            }
        };
        Binding {
            name: name.to_string(),
            text: print::expr(&expr),
            latex: format!(
                r"\operatorname{{{}}}({}) = {}",
                function.replace('_', r"\_"),
                params.join(", "),
                self.latex(&expr, notation)
            ),
        }
    }

    // ---- left-hand sides -------------------------------------------------------------------------------------------

    /// `∂E/∂W`, with index letters in index notation.
    pub fn lhs(&self) -> String {
        let by = self.names.of(self.by).unwrap_or(&self.derivative.wrt.name);
        let of = &self.derivative.of.name;
        let (front, back) = match self.options.notation {
            Notation::Index => self.letters(),
            Notation::Matrix => (Vec::new(), Vec::new()),
        };
        if self.derivative.kind == RequestKind::Hessian {
            let once = render::indexed_name_latex(by, &front);
            let twice = render::indexed_name_latex(by, &back);
            let of = render::name_latex(of);
            return match self.options.notation {
                Notation::Index => {
                    format!(r"\frac{{\partial^{{2}} {of}}}{{\partial {once}\, \partial {twice}}}")
                }
                Notation::Matrix => {
                    format!(r"\frac{{\partial^{{2}} {of}}}{{\partial {once}^{{2}}}}")
                }
            };
        }
        let partial = render::partial_latex(of, &front, by, &back);
        if self.about.is_empty() {
            return partial;
        }
        let term = match self.options.notation {
            Notation::Index => render::indexed_name_latex(self.about, &back),
            Notation::Matrix => render::name_latex(self.about),
        };
        format!("{term} = {partial}")
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
        let keep = |at: usize, line: &Line| self.keeps(at == last, line);
        let mut pending: Vec<Reason> = Vec::new();
        let mut before: Option<&Line> = None;
        for (at, line) in chain.lines.iter().enumerate() {
            pending.extend(line.reasons.iter().cloned());
            if !keep(at, line) {
                continue;
            }
            let reasons = std::mem::take(&mut pending);
            steps.push(self.step(line, &reasons, before, at == 0));
            before = Some(line);
        }
        self.with_lhs(&mut steps, chain);
        steps
    }

    fn keeps(&self, last: bool, line: &Line) -> bool {
        let shown = self.options.steps == Steps::Full || line.weight == Weight::Main;
        last || (shown && !(line.deltas && self.options.notation == Notation::Matrix))
    }

    /// Whether the first line is the derivative of the result itself, which is then written out.
    fn opens(&self, line: &Line) -> bool {
        line.open.len() == 1 && line.open[0].1 == self.of
    }

    fn step(&self, line: &Line, reasons: &[Reason], before: Option<&Line>, first: bool) -> Step {
        let opened = first && self.opens(line);
        let definition = [Reason::Definition(
            self.names.of(self.of).unwrap_or(&self.derivative.of.name).to_string(),
        )];
        let mut reasons: Vec<&Reason> =
            if opened { definition.iter().collect() } else { reasons.iter().collect() };
        // Matrix notation has no deltas to contract: what made them is the reason there.
        if self.options.notation == Notation::Matrix
            && reasons.iter().any(|reason| **reason != Reason::DeltaContract)
        {
            reasons.retain(|reason| **reason != Reason::DeltaContract);
        }
        reasons.sort_by_key(|reason| reason.rank());
        let main = reasons.first();
        let telling = main.map_or(0, |reason| reason.rank());
        let told = |reason: &&&Reason| {
            reason.rank() <= telling.max(2) || matches!(reason, Reason::Local(..))
        };
        let told: Vec<&Reason> = reasons.iter().filter(told).copied().collect();
        Step {
            about: self.about.to_string(),
            rule: main.map_or_else(String::new, |reason| reason.rule()),
            text: if opened { self.opened_text() } else { self.text(line.rhs) },
            latex: if opened { self.opened_latex() } else { self.line_latex(line) },
            note: self.sentences(&told, before, Say::Plain),
            note_latex: self.sentences(&told, before, Say::Latex),
        }
    }

    fn sentences(&self, reasons: &[&Reason], before: Option<&Line>, say: Say) -> String {
        let mut sentences: Vec<String> = Vec::new();
        for reason in reasons {
            let sentence = match reason {
                Reason::DeltaContract
                    if self.options.notation == Notation::Matrix && reasons.len() > 1 =>
                {
                    String::new()
                }
                Reason::DeltaContract => self.vanishing(before, say),
                Reason::Local(quantity, jacobian) => self.local(*quantity, *jacobian, say),
                other => other.sentence(say),
            };
            if !sentence.is_empty() && !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        sentences.join("; ")
    }

    /// `d(1/2 * sum((o - t)^2), w[j])`: what is differentiated, written out.
    fn opened(&self) -> Expr {
        let (front, back) = self.letters();
        let body = raise::index_clear_of(self.names, self.of, &front, &back);
        Expr::call("d", vec![body, raise::entry(self.names, self.by, &back)])
    }

    fn opened_text(&self) -> String {
        let axes = self.all_letters();
        print::expr(&self.wrap(self.opened(), &axes))
    }

    /// `tensor[j,k](e)` with ranges as the derivative's axes have them.
    fn wrap(&self, entry: Expr, axes: &[String]) -> Expr {
        let graph = self.names.graph;
        let shape = [graph.shape(self.of).as_slice(), graph.shape(self.by).as_slice()].concat();
        raise::tensor_of(self.names, &shape, axes, entry)
    }

    fn opened_latex(&self) -> String {
        if self.options.notation == Notation::Matrix
            && let Some(body) = raise::matrix(self.names, self.of)
        {
            return format!(r"\mathrm{{d}}\left( {} \right)", self.latex(&body, Notation::Matrix));
        }
        self.latex(&self.opened(), Notation::Index)
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

    fn line_latex(&self, line: &Line) -> String {
        if self.by_differentials(line) {
            let terms: Vec<String> = line
                .open
                .iter()
                .map(|(cotangent, node)| self.inner_product(*cotangent, *node))
                .collect();
            return terms.join(" + ");
        }
        let (expr, notation) = self.formula(line.rhs);
        self.latex(&expr, notation)
    }

    fn inner_product(&self, cotangent: NodeId, node: NodeId) -> String {
        let differential =
            format!(r"\mathrm{{d}} {}", render::name_latex(self.names.of(node).unwrap_or("v")));
        let factor = raise::matrix_entry(self.names, cotangent)
            .map(|expr| self.latex(&expr, Notation::Matrix))
            .unwrap_or_default();
        if self.names.graph.rank(node) == 0 {
            return match factor.as_str() {
                "1" => differential,
                _ => format!(r"\left( {factor} \right) {differential}"),
            };
        }
        format!(r"\left\langle {factor},\; {differential} \right\rangle")
    }

    /// Puts the left-hand side where a chain of equalities begins: differentials first, then the derivative.
    fn with_lhs(&self, steps: &mut [Step], chain: &Chain) {
        let lemmas = steps.iter().filter(|step| step.about.starts_with("d(")).count();
        let lines: Vec<bool> = self.shown_by_differentials(chain);
        for (at, step) in steps.iter_mut().skip(lemmas).enumerate() {
            let now = lines.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1).and_then(|at| lines.get(at).copied());
            let lhs = match before {
                Some(before) if before == now => String::new(),
                _ if now => {
                    format!(r"\mathrm{{d}} {}", render::name_latex(&self.derivative.of.name))
                }
                _ => self.lhs(),
            };
            step.latex = format!("{lhs} = {}", step.latex).trim_start().to_string();
        }
    }

    fn shown_by_differentials(&self, chain: &Chain) -> Vec<bool> {
        let last = chain.lines.len().saturating_sub(1);
        let keep = |at: usize, line: &Line| self.keeps(at == last, line);
        let matrix = self.options.notation == Notation::Matrix;
        chain
            .lines
            .iter()
            .enumerate()
            .filter(|(at, line)| keep(*at, line))
            .map(|(at, line)| match at == 0 && self.opens(line) {
                true => {
                    matrix
                        && raise::matrix(self.names, self.of).is_some()
                        && self.names.graph.shape(self.of).is_empty()
                }
                false => self.by_differentials(line),
            })
            .collect()
    }

    /// `∂z_ni/∂W_jk = x_nj δ_ik`, in a line of Unicode.
    fn local(&self, quantity: NodeId, jacobian: NodeId, say: Say) -> String {
        let graph = self.names.graph;
        let (_, back) = self.letters();
        let own = self.names.letters.shape(graph.shape(quantity), &back);
        let left = Expr::call(
            "d",
            vec![
                raise::entry(self.names, quantity, &own),
                raise::entry(self.names, self.by, &back),
            ],
        );
        let right = raise::index(self.names, jacobian, &[own, back].concat());
        match say {
            Say::Plain => {
                let unicode =
                    |expr: &Expr| self.context(|ctx| render::unicode(expr, ctx), Notation::Index);
                format!("{} = {}", unicode(&left), unicode(&right))
            }
            Say::Latex => format!(
                "${} = {}$",
                self.latex(&left, Notation::Index),
                self.latex(&right, Notation::Index)
            ),
        }
    }

    /// "δ_ik = 0 unless i = k: only the terms with i = k remain", for the deltas of the line before.
    fn vanishing(&self, before: Option<&Line>, say: Say) -> String {
        let Some(line) = before else { return Reason::DeltaContract.sentence(say) };
        let entry = raise::index(self.names, line.rhs, &self.axes_of(line.rhs));
        let mut pairs = Vec::new();
        find_deltas(&entry, &mut pairs);
        let part = |(a, b): &(String, String)| {
            let comma = if a.len() + b.len() == 2 { "" } else { ", " };
            match say {
                Say::Plain if comma.is_empty() => {
                    format!("the terms with {a} ≠ {b} vanish, as δ_{a}{b} = 0 there")
                }
                Say::Plain => format!("the terms with {a} ≠ {b} vanish, as δ_({a}, {b}) = 0 there"),
                Say::Latex => format!(
                    r"the terms with ${a} \neq {b}$ vanish, as $\delta_{{{a}{comma}{b}}} = 0$ there"
                ),
            }
        };
        let parts: Vec<String> = pairs.iter().map(part).collect();
        if parts.is_empty() { Reason::DeltaContract.sentence(say) } else { parts.join(", ") }
    }

    // ---- the two cases of a local Jacobian --------------------------------------------------------------------------

    fn lemma(&self, lemma: &Lemma) -> Vec<Step> {
        let graph = self.names.graph;
        let Some(of) = self.names.of(lemma.of) else { return Vec::new() };
        let Some(by) = self.names.of(lemma.by) else { return Vec::new() };
        let of_letters = self.names.letters.shape(graph.shape(lemma.of), &[]);
        let mut by_letters = of_letters.clone();
        by_letters[lemma.axis] =
            self.names.letters.pick(&graph.shape(lemma.by)[lemma.axis], &of_letters);
        let mut axes = of_letters.clone();
        axes.push(by_letters[lemma.axis].clone());
        let left = Expr::call(
            "d",
            vec![
                raise::entry(self.names, lemma.of, &of_letters),
                raise::entry(self.names, lemma.by, &by_letters),
            ],
        );
        let about = format!("d({of}, {by})");
        let entry = raise::index(self.names, lemma.jacobian, &axes);
        let shape = graph.shape(lemma.jacobian).clone();
        let wrap = |entry: Expr| print::expr(&raise::tensor_of(self.names, &shape, &axes, entry));
        let latex = |node: NodeId, axes: &[String]| {
            self.latex(&raise::index(self.names, node, axes), Notation::Index)
        };
        let (i, j) = (
            render::name_latex(&of_letters[lemma.axis]),
            render::name_latex(&by_letters[lemma.axis]),
        );
        let cases = format!(
            r"{} = \begin{{cases}} {} & {i} = {j} \\ {} & {i} \neq {j} \end{{cases}}",
            render::partial_latex(of, &of_letters, by, &by_letters),
            latex(lemma.same, &of_letters),
            latex(lemma.different, &axes),
        );
        let (own, other) = (&of_letters[lemma.axis], &by_letters[lemma.axis]);
        let note = format!(
            "the derivative of {of} by {by} has two cases: {own} = {other}, and {own} ≠ {other}"
        );
        let (of_name, by_name) = (Say::Latex.name(of), Say::Latex.name(by));
        let note_latex = format!(
            r"the derivative of {of_name} by {by_name} has two cases: ${i} = {j}$, and ${i} \neq {j}$"
        );
        let rule = super::notes::reason_of(graph, lemma.of).rule();
        vec![
            Step {
                about: about.clone(),
                rule: rule.clone(),
                text: wrap(left),
                latex: cases,
                note,
                note_latex,
            },
            Step {
                about,
                rule,
                text: wrap(entry.clone()),
                latex: format!("= {}", self.latex(&entry, Notation::Index)),
                note: "both cases in one, with Kronecker's delta".to_string(),
                note_latex: "both cases in one, with Kronecker's delta".to_string(),
            },
        ]
    }
}

/// The letter pairs of all deltas of an expression.
fn find_deltas(expr: &Expr, pairs: &mut Vec<(String, String)>) {
    match &expr.kind {
        ExprKind::Index(base, items) => {
            if let (ExprKind::Name(name), [IndexItem::At(a), IndexItem::At(b)]) =
                (&base.kind, items.as_slice())
                && name == "delta"
            {
                let pair = (print::expr(a), print::expr(b));
                if !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
            find_deltas(base, pairs);
        }
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) => find_deltas(inner, pairs),
        ExprKind::Sum(first, rest) => {
            find_deltas(first, pairs);
            rest.iter().for_each(|(_, term)| find_deltas(term, pairs));
        }
        ExprKind::Product(first, rest) => {
            find_deltas(first, pairs);
            rest.iter().for_each(|(_, factor)| find_deltas(factor, pairs));
        }
        ExprKind::Pow(a, b) | ExprKind::DotPow(a, b) | ExprKind::Compare(_, a, b) => {
            find_deltas(a, pairs);
            find_deltas(b, pairs);
        }
        ExprKind::Call { args, .. } => args.iter().for_each(|arg| find_deltas(arg, pairs)),
        _ => {}
    }
}
