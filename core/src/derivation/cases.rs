//! The two cases of a local Jacobian along an axis, as steps: the derivative as such, its cases i = j and i ≠ j, and both in one.

use super::Step;
use super::chain::Lemma;
use super::notes::{Reason, reason_of};
use super::show::Show;
use crate::ir::{NodeId, Op};
use crate::raise::{self, Notation};
use crate::render;
use crate::render::math::{self, Math, Symbol};
use crate::render::phrases::Phrase;
use crate::render::prose::Prose;
use chainrule_grammar::ast::{CompareOp, Expr, ExprKind};

impl Show<'_> {
    pub(super) fn lemma(&self, lemma: &Lemma) -> Vec<Step> {
        let graph = self.names.graph;
        let Some(of) = self.names.of(lemma.of) else { return Vec::new() };
        let Some(by) = self.names.of(lemma.by) else { return Vec::new() };
        if let Op::Call(op, _) = graph.op(lemma.of) {
            self.by_cases.borrow_mut().push(*op);
        }
        let mut of_letters = self.names.letters.shape(graph.shape(lemma.of), &[]);
        let mut by_letters = of_letters.clone();
        let [i, j] = self.names.letters.pair(&of_letters);
        of_letters[lemma.axis] = i;
        by_letters[lemma.axis] = j;
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
        let wrap =
            |entry: Expr| self.in_language(&raise::tensor_of(self.names, &shape, &axes, entry));
        let set = |node: NodeId, axes: &[String]| {
            self.set(&raise::index(self.names, node, axes), Notation::Index)
        };
        let letter = |letters: &[String]| render::name(&letters[lemma.axis]);
        let condition = |sign: Symbol| {
            Math::Row(vec![letter(&of_letters), Math::Symbol(sign), letter(&by_letters)])
        };
        let (same, other) = (condition(Symbol::Equals), condition(Symbol::NotEqual));
        let cases = Math::Cases(vec![
            (set(lemma.same, &of_letters), render::condition(same.clone(), self.options.lang)),
            (set(lemma.different, &axes), render::condition(other.clone(), self.options.lang)),
        ]);
        let partial = render::partial(of, &of_letters, by, &by_letters);
        let why = self.say(
            Phrase::TwoCases,
            &[
                ("of", Prose::math(render::name(of))),
                ("by", Prose::math(render::name(by))),
                ("same", Prose::math(same)),
                ("other", Prose::math(other)),
            ],
        );
        let rule = reason_of(graph, lemma.of).rule();
        // The derivative as such, its two cases, and both in one.
        let opened = Expr::call(
            "d",
            vec![
                raise::index(self.names, lemma.of, &of_letters),
                raise::entry(self.names, lemma.by, &by_letters),
            ],
        );
        let line = math::Line::new(partial, self.set(&opened, Notation::Index));
        let definition = Reason::Definition(of.to_string());
        let said = self.sentence(&definition);
        let step = |rule: &str, text: Expr, line: math::Line, why: Prose| Step {
            about: about.clone(),
            rule: rule.to_string(),
            text: wrap(text),
            line,
            why,
        };
        let first = step(&definition.rule(), left, line, said);
        let line = math::Line { left: None, right: cases };
        let name = |letters: &[String]| Expr::name(&letters[lemma.axis]);
        let equal = ExprKind::Compare(
            CompareOp::Eq,
            Box::new(name(&of_letters)),
            Box::new(name(&by_letters)),
        );
        let split = Expr::call(
            "where",
            vec![
                Expr::synthetic(equal),
                raise::index(self.names, lemma.same, &of_letters),
                raise::index(self.names, lemma.different, &axes),
            ],
        );
        let second = step(&rule, split, line, why);
        let line = math::Line { left: None, right: self.set(&entry, Notation::Index) };
        let why = self.say(Phrase::CasesInOne, &[]);
        vec![first, second, step(&rule, entry, line, why)]
    }
}
