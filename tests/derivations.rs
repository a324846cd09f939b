//! Every line of every derivation of the gallery: as text that people read (snapshots), and as numbers (each line equals the line before it,
//! the last one equals the gradient, and the gradient equals finite differences).

mod support;

use chainrule_core::Compiled;
use chainrule_core::compile::Derivative;
use chainrule_core::derivation::{Notation, Options, Steps, Style, Told, tell};
use chainrule_core::eval::{Array, Point};
use chainrule_core::ir::VarId;
use chainrule_grammar::ast::RequestKind;
use std::collections::BTreeMap;
use std::fmt::Write;
use support::{assert_close, compiled, programs, random_point, value};

const NOTATIONS: [(Notation, &str); 2] = [(Notation::Index, "index"), (Notation::Matrix, "matrix")];

fn options(notation: Notation, style: Style) -> Options {
    Options { notation, steps: Steps::Full, style, ..Options::default() }
}

fn told(compiled: &Compiled, options: Options) -> Vec<Told> {
    tell(compiled, options).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn derivatives_equal_finite_differences() {
    for (name, program) in programs() {
        let mut compiled = compiled(&name, &program);
        let point = random_point(&compiled, 7);
        for derivative in compiled.derivatives.clone() {
            let (of, wrt) = (derivative.of.node, derivative.wrt.node);
            let once = compiled.graph.deriv(of, wrt);
            let what = format!("{name}: ∂{}/∂{}", derivative.of.name, derivative.wrt.name);
            let got = value(&compiled, &point, derivative.node);
            let want = match derivative.kind {
                RequestKind::Hessian => {
                    let twice = compiled.graph.deriv(once, wrt);
                    value(&compiled, &point, twice)
                }
                RequestKind::Hvp => {
                    // Differences of the gradient's closed form, which is tested by itself.
                    let gradient = support::derivative(
                        &compiled,
                        &derivative.of.name,
                        &derivative.wrt.name,
                        1,
                    );
                    let mut want = Array::zeros(&got.shape);
                    for (by, along) in derivative.directions {
                        let block = compiled.graph.deriv(gradient, by);
                        let block = value(&compiled, &point, block);
                        add_product(&mut want, &block, &value(&compiled, &point, along));
                    }
                    want
                }
                _ => value(&compiled, &point, once),
            };
            assert_close(&got, &want, 1e-6, &what);
        }
    }
}

/// Adds a block of a Hessian times its part of a direction.
fn add_product(to: &mut Array, block: &Array, along: &Array) {
    for (entry, row) in to.data.iter_mut().zip(block.data.chunks(along.data.len())) {
        *entry += row.iter().zip(&along.data).map(|(a, b)| a * b).sum::<f64>();
    }
}

/// A program without its requests, with further definitions and outputs.
fn with_lines(program: &str, lines: &[(String, String)]) -> String {
    let requests = ["grad ", "hessian ", "jacobian ", "hvp ", "jvp "];
    let mut text = String::new();
    for line in
        program.lines().filter(|line| !requests.iter().any(|request| line.starts_with(request)))
    {
        text.push_str(line);
        text.push('\n');
    }
    for (name, line) in lines {
        let is = if line.is_empty() { "" } else { " = " };
        writeln!(text, "{name}{is}{line};").expect("text");
    }
    text
}

/// What the text of a derivation evaluates to: a value for each name.
fn read_back(
    name: &str,
    program: &str,
    told: &Told,
    (compiled, derivative): (&Compiled, &Derivative),
    point: &Point,
) -> BTreeMap<String, Array> {
    let graph = &compiled.graph;
    let mut lines: Vec<(String, String)> = Vec::new();
    for (by, along) in &derivative.directions {
        let along = graph.name(*along).expect("directions have names").to_string();
        let shape = graph.shape(*by);
        let shape =
            if shape.is_empty() { String::new() } else { format!(": {}", graph.show_shape(shape)) };
        lines.push((format!("input {along}{shape}"), String::new()));
    }
    for part in &told.wheres {
        lines.push((part.name.clone(), part.text.clone()));
    }
    for (at, step) in told.steps.iter().enumerate() {
        lines.push((format!("output line_{at}"), step.text.clone()));
    }
    lines.push(("output closed_form".to_string(), told.text.clone()));
    let text = with_lines(program, &lines);
    let source = chainrule_core::Source::new(name, text.clone());
    let read = chainrule_core::compile(&source);
    let said: String = read
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .map(|one| one.render(&source))
        .collect();
    assert!(said.is_empty(), "{text}\n{said}");
    let point = renumbered(compiled, point, &read);
    read.outputs
        .iter()
        .map(|output| (output.name.clone(), value(&read, &point, output.node)))
        .collect()
}

/// The point for another program with the same names.
fn renumbered(old: &Compiled, point: &Point, new: &Compiled) -> Point {
    let mut vars = BTreeMap::new();
    for (at, var) in new.graph.vars.iter().enumerate() {
        if let Some(same) = old.graph.vars.iter().position(|other| other.name == var.name) {
            vars.insert(VarId(at as u32), point.vars[&VarId(same as u32)].clone());
        }
    }
    Point { vars, dims: point.dims.clone() }
}

#[test]
fn every_line_equals_the_line_before() {
    for (name, program) in programs() {
        let compiled = compiled(&name, &program);
        let point = random_point(&compiled, 11);
        for (notation, word) in NOTATIONS {
            for style in [Style::Auto, Style::Chain, Style::Staged] {
                check_lines(&name, &program, &compiled, &point, options(notation, style), word);
            }
        }
    }
}

fn check_lines(
    name: &str,
    program: &str,
    compiled: &Compiled,
    point: &Point,
    options: Options,
    word: &str,
) {
    for (told, derivative) in told(compiled, options).into_iter().zip(&compiled.derivatives) {
        let what = format!("{name}, {word}, {:?}: ∂{}/∂{}", options.style, told.of, told.wrt);
        assert_eq!((&told.of, &told.wrt), (&derivative.of.name, &derivative.wrt.name), "{what}");
        let values = read_back(name, program, &told, (compiled, derivative), point);
        let want = value(compiled, point, derivative.node);
        assert_close(&values["closed_form"], &want, 1e-7, &what);
        for (at, step) in told.steps.iter().enumerate() {
            let now = &values[&format!("line_{at}")];
            let line = format!("{what}, line {at}: {}", step.text);
            match told.steps.get(at + 1) {
                Some(next) if next.about == step.about => {
                    assert_close(now, &values[&format!("line_{}", at + 1)], 1e-6, &line);
                }
                None => assert_close(now, &want, 1e-6, &line),
                _ => {}
            }
        }
    }
}

fn page(told: &[Told]) -> String {
    let mut page = String::new();
    for one in told {
        writeln!(page, "d {} / d {}  [{}]", one.of, one.wrt, one.shape.join(", ")).expect("text");
        for step in &one.steps {
            let about =
                if step.about.is_empty() { String::new() } else { format!("{}: ", step.about) };
            writeln!(
                page,
                "  {about}{}\n      {}\n      ({})",
                step.text,
                step.latex(),
                step.note()
            )
            .expect("text");
        }
        for part in &one.wheres {
            writeln!(page, "  where {} = {}\n      {}", part.name, part.text, part.latex())
                .expect("text");
        }
        writeln!(page, "  {}\n      {} = {}\n", one.text, one.lhs_latex(), one.latex())
            .expect("text");
    }
    page
}

#[test]
fn derivations_read_as_before() {
    for (name, program) in programs() {
        let compiled = compiled(&name, &program);
        for (notation, word) in NOTATIONS {
            let told = told(&compiled, options(notation, Style::Auto));
            insta::assert_snapshot!(format!("{name}-{word}"), page(&told));
        }
    }
}
