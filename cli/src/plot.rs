//! The error of a derivative against the step of the differences, both on logarithmic axes, drawn with characters.
//! In: a curve. Out: lines of text, the same for the same curve.

use chainrule_core::check::{Curve, Sample};

/// The signs of a plot.
pub(crate) struct Signs {
    point: char,
    side: char,
    tick: char,
    corner: char,
    floor: char,
    floor_tick: char,
    guide: char,
}

/// For terminals that know Unicode.
pub(crate) const UNICODE: Signs = Signs {
    point: '●',
    side: '│',
    tick: '┤',
    corner: '└',
    floor: '─',
    floor_tick: '┴',
    guide: '·',
};

/// For all others.
pub(crate) const ASCII: Signs = Signs {
    point: 'o',
    side: '|',
    tick: '+',
    corner: '+',
    floor: '-',
    floor_tick: '+',
    guide: '.',
};

/// Columns for one half of a decade of the step.
const WIDTH: i32 = 2;

/// A plot: steps from small (left) to large, errors from small (below) to large, a decade a line. The guides have the slopes of
/// rounding (1/ε) and of truncation (ε²), drawn through the smallest error.
pub(crate) fn plot(curve: &Curve, signs: &Signs) -> String {
    let decade = |value: f64| value.max(1e-17).log10().round() as i32;
    let drawn: Vec<&Sample> =
        curve.samples.iter().filter(|sample| sample.error.is_finite()).collect();
    let Some(best) = curve.best().filter(|_| !drawn.is_empty()) else { return String::new() };
    let top = drawn.iter().map(|sample| decade(sample.error)).max().unwrap_or(0).max(0);
    let bottom = drawn.iter().map(|sample| decade(sample.error)).min().unwrap_or(-16).min(-6);
    // Positions count half decades of the step from the smallest one.
    let half = |step: f64| (2.0 * step.log10()).round() as i32;
    let smallest = drawn.iter().map(|sample| half(sample.step)).min().unwrap_or(0);
    let largest = drawn.iter().map(|sample| half(sample.step)).max().unwrap_or(0);
    let mut out = String::new();
    for row in (bottom..=top).rev() {
        let label = if row % 2 == 0 {
            format!("1e{row:+03} {}", signs.tick)
        } else {
            format!("      {}", signs.side)
        };
        let mut line = label;
        for at in smallest..=largest {
            let point = drawn.iter().any(|s| half(s.step) == at && decade(s.error) == row);
            let sign = if point {
                signs.point
            } else if guide(&best, half(best.step), at) == row {
                signs.guide
            } else {
                ' '
            };
            line.push(sign);
            line.extend(std::iter::repeat_n(' ', WIDTH as usize - 1));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push_str(&format!("      {}", signs.corner));
    for at in smallest..=largest {
        out.push(if at % 4 == 0 { signs.floor_tick } else { signs.floor });
        out.push(signs.floor);
    }
    out.push('\n');
    let mut labels = " ".repeat(7);
    for at in (smallest..=largest).filter(|at| at % 4 == 0) {
        let column = 7 + ((at - smallest) * WIDTH) as usize;
        let shown = format!("1e{:+03}", at / 2);
        let start = column.saturating_sub(2);
        while labels.len() < start {
            labels.push(' ');
        }
        labels.truncate(start);
        labels.push_str(&shown);
    }
    out.push_str(labels.trim_end());
    out.push('\n');
    out
}

/// The decade in which the guides lie at a half decade of the step.
fn guide(best: &Sample, bottom: i32, at: i32) -> i32 {
    let from = f64::from(at - bottom) / 2.0;
    let slope = if from < 0.0 { -1.0 } else { 2.0 };
    (best.error.max(1e-17).log10() + slope * from).round() as i32
}

/// What a plot shows, in a sentence.
pub(crate) fn in_words(curve: &Curve, tol: f64) -> String {
    let Some(best) = curve.best() else { return "no step was tried".to_string() };
    let (error, step) = (format!("{:.0e}", best.error), format!("{:.0e}", best.step));
    match curve.order() {
        _ if best.error > tol => {
            format!(
                "the error does not fall below {error}: the derivative is wrong, or a kink is near"
            )
        }
        Some(order) => format!(
            "from the right the error falls as the step to the power {order:.1} (truncation; 2 is expected), to {error} at {step}; then rounding grows"
        ),
        None => format!(
            "there is hardly any truncation (the function is close to quadratic along this direction): {error} at {step}; then rounding grows"
        ),
    }
}
