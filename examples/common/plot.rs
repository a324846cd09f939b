//! Pictures: curves and tables, as SVG.

use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

/// A named curve.
pub struct Curve<'c> {
    /// Its name in the legend.
    pub name: &'c str,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// Its colour.
    pub colour: RGBColor,
}

/// Draws curves with a legend, on a logarithmic axis of values.
pub fn curves(
    path: &Path,
    title: &str,
    [across, up]: [&str; 2],
    curves: &[Curve<'_>],
) -> Result<(), Box<dyn Error>> {
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let right = points().map(|(x, _)| x).fold(1.0, f64::max);
    let low = points().map(|(_, y)| y).fold(f64::INFINITY, f64::min).max(1e-6);
    let high = points().map(|(_, y)| y).fold(low * 1.1, f64::max);
    let area = SVGBackend::new(path, (800, 500)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right, (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc(across)
        .y_desc(up)
        .label_style(("sans-serif", 14))
        .light_line_style(WHITE)
        .y_label_formatter(&|y| format!("{y:.3}"))
        .draw()?;
    for curve in curves {
        let colour = curve.colour;
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .border_style(BLACK.mix(0.4))
        .background_style(WHITE)
        .label_font(("sans-serif", 15))
        .draw()?;
    area.present()?;
    Ok(())
}

/// Draws how often each class was taken for each.
pub fn confusion(
    path: &Path,
    title: &str,
    table: &[[usize; 10]; 10],
) -> Result<(), Box<dyn Error>> {
    const CELL: i32 = 44;
    const LEFT: i32 = 84;
    const TOP: i32 = 84;
    let area = SVGBackend::new(path, (560, 570)).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: u32| ("sans-serif", size).into_font();
    let text = |text: String, x: i32, y: i32, size: u32, colour: RGBColor| {
        use plotters::style::text_anchor::{HPos, Pos, VPos};
        let style = font(size).color(&colour).pos(Pos::new(HPos::Center, VPos::Center));
        Text::new(text, (x, y), style)
    };
    area.draw(&text(title.to_string(), 300, 24, 20, BLACK))?;
    area.draw(&text("answer".to_string(), LEFT + 5 * CELL, 50, 16, BLACK))?;
    area.draw(&text("digit".to_string(), 30, TOP + 5 * CELL, 16, BLACK))?;
    let most = table.iter().flatten().copied().max().unwrap_or(1).max(1);
    for (truth, row) in (0_i32..).zip(table) {
        area.draw(&text(truth.to_string(), LEFT - 18, TOP + truth * CELL + CELL / 2, 16, BLACK))?;
        area.draw(&text(truth.to_string(), LEFT + truth * CELL + CELL / 2, TOP - 16, 16, BLACK))?;
        for (answer, &count) in (0_i32..).zip(row) {
            let (x, y) = (LEFT + answer * CELL, TOP + truth * CELL);
            let right = truth == answer;
            let fill = shade(count as f64 / most as f64, right);
            area.draw(&Rectangle::new([(x, y), (x + CELL, y + CELL)], fill.filled()))?;
            area.draw(&Rectangle::new([(x, y), (x + CELL, y + CELL)], RGBColor(200, 200, 200)))?;
            if count > 0 {
                let ink = if right && count * 2 > most { WHITE } else { BLACK };
                area.draw(&text(count.to_string(), x + CELL / 2, y + CELL / 2, 16, ink))?;
            }
        }
    }
    area.present()?;
    Ok(())
}

/// Blue for right answers, red for wrong ones, the stronger the more there are.
fn shade(part: f64, right: bool) -> RGBColor {
    let (red, green, blue) = if right { (33.0, 102.0, 172.0) } else { (214.0, 70.0, 60.0) };
    let part = if part == 0.0 { 0.0 } else { 0.15 + 0.85 * part };
    let mix = |full: f64| (255.0 + (full - 255.0) * part) as u8;
    RGBColor(mix(red), mix(green), mix(blue))
}
