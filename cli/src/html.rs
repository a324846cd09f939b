//! The report of `derive --format html`: gathers what its page shows.

use crate::formats;
use chainrule_core::check::{check, work};
use chainrule_core::derivation::{Options, Told};
use chainrule_core::diagram::diagram;
use chainrule_core::render::report::{Report, document};
use chainrule_core::{Compiled, Source};

/// The font of formulas; its licence is beside it.
pub(crate) const FONT: &[u8] = include_bytes!("../assets/math/math.woff2");
/// At how many points derivatives are checked, and to which relative error.
pub(crate) const POINTS: usize = 3;
pub(crate) const TOLERANCE: f64 = 1e-6;
/// Programs whose check takes more multiplications than this are left to `chainrule check`.
const MAX_WORK: u64 = 1 << 30;

/// The page.
pub(crate) fn report(
    compiled: &Compiled,
    source: &Source,
    told: &[Told],
    options: Options,
) -> String {
    let small = work(compiled, 0).is_ok_and(|each| each.saturating_mul(POINTS as u64) <= MAX_WORK);
    let checked = small.then(|| check(compiled, 0, POINTS, TOLERANCE));
    let rust = formats::rust(compiled, source).ok();
    let code: Vec<(&str, String)> = rust.into_iter().map(|text| ("Rust", text)).collect();
    document(&Report {
        title: &title(source),
        program: source.text.trim(),
        told,
        lang: options.lang,
        diagram: &diagram(compiled, options.notation),
        checked: checked.as_ref().map(|report| (report, TOLERANCE)),
        code: &code,
        font: FONT,
    })
}

/// The program's first words, else its file's name.
fn title(source: &Source) -> String {
    let first = source.text.lines().next().unwrap_or_default();
    match first.strip_prefix("///").map(str::trim) {
        Some(words) if !words.is_empty() => words.trim_end_matches('.').to_string(),
        _ => source.name.trim_matches(['<', '>']).to_string(),
    }
}
