//! The gallery in every format: as snapshots that people read, and what must hold of each format whatever the program.

mod support;

use chainrule_core::derivation::{Lang, Notation, Options, Steps, Told, tell};
use chainrule_core::render::boxes::{Pen, columns};
use chainrule_core::render::document_terminal::{self, Terminal};
use chainrule_core::render::page::{Page, page};
use chainrule_core::render::{
    document_latex, document_mathml, document_text, document_typst, markdown,
};
use support::{compiled, programs};

fn told(name: &str, program: &str, options: Options) -> Vec<Told> {
    tell(&compiled(name, program), options).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

fn drawn(page: &Page, width: usize, ascii: bool) -> String {
    let pen = Pen { ascii, columns };
    document_terminal::document(page, &Terminal { width, bold: false, pen })
}

/// Every program, told in both notations and both languages.
fn everything(mut test: impl FnMut(&str, &[Told], &Page)) {
    for (name, program) in programs() {
        for notation in [Notation::Index, Notation::Matrix] {
            for lang in [Lang::En, Lang::Zh] {
                let options = Options { notation, lang, ..Options::default() };
                let told = told(&name, &program, options);
                test(&format!("{name}, {notation:?}, {lang:?}"), &told, &page(&told, lang));
            }
        }
    }
}

#[test]
fn the_gallery_in_every_format() {
    for (name, program) in programs() {
        let index = Options { notation: Notation::Index, ..Options::default() };
        let told_so = told(&name, &program, index);
        let whole = page(&told_so, Lang::En);
        let chinese = told(&name, &program, Options { lang: Lang::Zh, ..Options::default() });
        let closed = told(&name, &program, Options { steps: Steps::None, ..Options::default() });
        let closed = page(&closed, Lang::En);
        for (format, text) in [
            ("unicode", drawn(&whole, 80, false)),
            ("latex", document_latex::fragment(&told_so, Lang::En)),
            ("typst", document_typst::fragment(&closed)),
            ("mathml", document_mathml::fragment(&closed)),
            ("markdown", markdown::document(&closed)),
            ("unicode-zh", drawn(&page(&chinese, Lang::Zh), 80, false)),
        ] {
            insta::assert_snapshot!(format!("{name}-{format}"), text);
        }
    }
}

#[test]
fn every_format_holds_for_every_program() {
    everything(|what, told, page| {
        fits_the_terminal(what, page);
        is_well_formed(what, page);
        well_nested(what, &document_mathml::fragment(page));
        let ascii = drawn(page, 80, true);
        assert!(page.lang == Lang::Zh || ascii.is_ascii(), "{what}: {ascii}");
        assert!(!document_text::document(told, page.lang).is_empty(), "{what}");
    });
}

fn fits_the_terminal(what: &str, page: &Page) {
    for width in [60, 80] {
        let text = drawn(page, width, false);
        // A program's text is one line, as it is copied as one.
        let code = |line: &&str| page.parts.iter().any(|part| line.ends_with(&part.text));
        for line in text.lines().filter(|line| !code(line)) {
            assert!(columns(line) <= width, "{what}, {width} columns: {line}\n{text}");
        }
    }
}

fn is_well_formed(what: &str, page: &Page) {
    let latex = document_latex::article(page);
    let typst = document_typst::document(page);
    for (open, close) in [("{", "}"), ("\\left", "\\right"), ("\\begin{", "\\end{")] {
        let count = |sign: &str| latex.matches(sign).count();
        assert_eq!(count(open), count(close), "{what}: {open} in\n{latex}");
    }
    for (open, close) in [('(', ')'), ('[', ']')] {
        let count = |sign: char| typst.chars().filter(|c| *c == sign).count();
        assert_eq!(count(open), count(close), "{what}: {open} in\n{typst}");
    }
    assert_eq!(typst.matches('$').count() % 2, 0, "{what}: {typst}");
    assert_eq!(markdown::document(page).matches("$$").count() % 2, 0, "{what}");
}

/// Elements of HTML and MathML close in the order in which they were opened.
fn well_nested(what: &str, html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let name = tag.split(['>', ' ']).next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{what}: {html}"),
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{what}: {open:?}");
}
