//! The texts that a program can become, in one list: what the playground offers to copy and a report folds away.

use chainrule_core::derivation::{Options, Told, tell};
use chainrule_core::emit::{self, Dtype, Job, Library};
use chainrule_core::render::page::{Page, page};
use chainrule_core::render::{
    document_latex, document_mathml, document_text, document_typst, markdown,
};
use chainrule_core::{Code, Compiled, Diagnostic, Source, Span};

/// How a text is made.
enum Write {
    /// From the derivations.
    Derivations(fn(&Page, &[Told]) -> String),
    /// From the program.
    Code(fn(&Compiled, &Source) -> Result<String, Diagnostic>),
}

/// A kind of text.
pub(crate) struct Format {
    /// As a flag's value.
    pub id: &'static str,
    /// As a person calls it.
    pub title: &'static str,
    write: Write,
}

/// All kinds.
pub(crate) const ALL: &[Format] = &[
    told("latex", "LaTeX", |page, told| document_latex::fragment(told, page.lang)),
    told("typst", "Typst", |page, _| document_typst::fragment(page)),
    told("markdown", "Markdown", |page, _| markdown::document(page)),
    told("mathml", "MathML", |page, _| document_mathml::fragment(page)),
    told("text", "plain text", |page, told| document_text::document(told, page.lang)),
    code("rust", "Rust", rust),
    code("numpy", "NumPy", |compiled, source| python(compiled, source, Library::NumPy)),
    code("jax", "JAX", |compiled, source| python(compiled, source, Library::Jax)),
    code("torch", "PyTorch", |compiled, source| python(compiled, source, Library::Torch)),
    code("c", "C", c),
];

const fn told(
    id: &'static str,
    title: &'static str,
    write: fn(&Page, &[Told]) -> String,
) -> Format {
    Format { id, title, write: Write::Derivations(write) }
}

const fn code(
    id: &'static str,
    title: &'static str,
    write: fn(&Compiled, &Source) -> Result<String, Diagnostic>,
) -> Format {
    Format { id, title, write: Write::Code(write) }
}

impl Format {
    /// The text.
    pub fn text(
        &self,
        compiled: &Compiled,
        source: &Source,
        options: Options,
    ) -> Result<String, Diagnostic> {
        match self.write {
            Write::Code(write) => write(compiled, source),
            Write::Derivations(write) => {
                tell(compiled, options).map(|told| write(&page(&told, options.lang), &told))
            }
        }
    }
}

/// Rust, laid out.
pub(crate) fn rust(compiled: &Compiled, source: &Source) -> Result<String, Diagnostic> {
    compiled.job(&source.text).and_then(|job| laid_out(&job))
}

/// The Rust of a program as `rustfmt` would have it.
pub(crate) fn laid_out(job: &Job) -> Result<String, Diagnostic> {
    let file = syn::parse2(emit::rust(job)?).map_err(|error| {
        let message =
            format!("the generated code is not Rust ({error}); please report this program");
        let said = Diagnostic::new(Code::Unsupported, Span::default(), message);
        Diagnostic { labels: Vec::new(), ..said }
    })?;
    Ok(prettyplease::unparse(&file))
}

fn python(compiled: &Compiled, source: &Source, library: Library) -> Result<String, Diagnostic> {
    let compiled = compiled.with_every_gradient();
    emit::python(&compiled.job(&source.text)?, library, Dtype::default())
}

fn c(compiled: &Compiled, source: &Source) -> Result<String, Diagnostic> {
    emit::c99(&compiled.job(&source.text)?, Dtype::default())
}
