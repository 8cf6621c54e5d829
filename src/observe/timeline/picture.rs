//! Two charts over one time axis, as SVG: small, and readable on a light and on a dark page.

use std::fmt::Write as _;
use std::ops::Range;

use super::Timeline;
use super::chart::{Chart, Row};

/// Most bytes of a picture: rows are drawn in wider steps until it is as small as that.
const MOST_BYTES: usize = 40_000;

const WIDTH: usize = 860;
/// Where the time axis begins and ends.
const LEFT: usize = 78;
const RIGHT: usize = 14;
const ROW: usize = 13;
const GAP: usize = 3;
/// Room for the title of a chart, and for the axis.
const TITLE: usize = 28;
const AXIS: usize = 34;

/// Colours of the page's text, the workers, and neighbouring batches.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#424a53}\
.h{font-weight:600}.n{font-size:10px}.r{fill:#8b949e;fill-opacity:.14}.g{stroke:#8b949e;stroke-opacity:.35}\
.w{fill:#3b7dc4}.a{fill:#d9762b}.b{fill:#f0a35e}\
@media(prefers-color-scheme:dark){text{fill:#c9d1d9}.w{fill:#5a9be0}.a{fill:#e08a45}.b{fill:#b8642a}}";

impl Timeline {
    /// Draws the run as it was below the same work one half after the other, over one time axis, as SVG.
    ///
    /// What is one after the other is worked out from the recorded spans: all preparation packed on the
    /// workers, then every batch on one device. Spans that fall into one column of pixels are drawn together,
    /// as high as their share of it, so the picture is never larger than 40 KB; more than eight workers are
    /// one row. Of halves in a row each has its own rows, with its number.
    pub fn svg(&self) -> String {
        draw(&Chart::in_turns(self), &Chart::of(self))
    }

    /// Draws two runs over one time axis, as SVG: one after the other as [`run_sequential`] did it above,
    /// overlapped below.
    ///
    /// [`run_sequential`]: crate::Pipeline::run_sequential
    ///
    /// ```
    /// use gapless::{Cause, Pipeline, Timeline};
    /// let pipeline = || {
    ///     let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    ///     Pipeline::new(cpu, |batch: &[u64]| Ok::<_, Cause>(batch.to_vec())).workers(2).trace(true)
    /// };
    /// let (mut one, mut other) = (pipeline().run_sequential(0..100), pipeline().run(0..100));
    /// one.by_ref().chain(other.by_ref()).try_for_each(|batch| batch.map(drop))?;
    /// let picture = Timeline::compare(&one.timeline()?, &other.timeline()?);
    /// assert!(picture.contains("Overlapped"));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn compare(sequential: &Self, overlapped: &Self) -> String {
        draw(&Chart { bound: None, ..Chart::of(sequential) }, &Chart::of(overlapped))
    }
}

fn draw(sequential: &Chart, overlapped: &Chart) -> String {
    let steps = [1, 2, 4, 8, 16, 32, 64];
    let pictures = steps.map(|step| move || draw_in(sequential, overlapped, step));
    let small = pictures.iter().map(|picture| picture()).find(|picture| picture.len() <= MOST_BYTES);
    small.unwrap_or_else(|| draw_in(sequential, overlapped, WIDTH))
}

fn draw_in(sequential: &Chart, overlapped: &Chart, step: usize) -> String {
    let end = sequential.end.max(overlapped.end).max(1e-9);
    let height = chart_height(sequential) + chart_height(overlapped) + AXIS;
    let mut picture = Picture { svg: String::new(), scale: (WIDTH - LEFT - RIGHT) as f64 / end, step };
    let _ = write!(
        picture.svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>Where the time went: one after the other, and \
         overlapped</title><style>{STYLE}</style>"
    );
    picture.axis(end, height - AXIS);
    let title = format!("One after the other: {}", Seconds(sequential.end));
    picture.chart(0, &title, sequential);
    let title = format!("Overlapped: {}{}", Seconds(overlapped.end), compared(sequential, overlapped));
    picture.chart(chart_height(sequential), &title, overlapped);
    picture.svg.push_str("</svg>\n");
    picture.svg
}

/// What is said of the time of the lower chart.
fn compared(sequential: &Chart, overlapped: &Chart) -> String {
    let share = if sequential.end > 0.0 { overlapped.end / sequential.end } else { 1.0 };
    let bound = overlapped.bound.map(|bound| format!(", bound {}", Seconds(bound))).unwrap_or_default();
    format!(", {share:.2} of it{bound}")
}

fn chart_height(chart: &Chart) -> usize {
    TITLE + chart.rows.iter().map(|row| height(row) + GAP).sum::<usize>()
}

fn height(row: &Row) -> usize {
    if row.lanes > 1 { 3 * ROW } else { ROW }
}

struct Picture {
    svg: String,
    /// Pixels a second.
    scale: f64,
    /// Pixels of a column in which spans are drawn together.
    step: usize,
}

impl Picture {
    fn chart(&mut self, top: usize, title: &str, chart: &Chart) {
        let busy = |share: f64| format!("{:.0} %", share * 100.0);
        let (cpu, gpu) = (busy(chart.cpu_busy), busy(chart.gpu_busy));
        let right = WIDTH - RIGHT;
        let _ = write!(
            self.svg,
            "<text class=\"h\" x=\"{LEFT}\" y=\"{y}\">{title}</text>\
             <text x=\"{right}\" y=\"{y}\" text-anchor=\"end\">workers busy {cpu}, device busy {gpu}</text>",
            y = top + 20
        );
        let mut y = top + TITLE;
        for row in &chart.rows {
            self.row(y, row, chart.end);
            y += height(row) + GAP;
        }
    }

    fn row(&mut self, y: usize, row: &Row, end: f64) {
        let high = height(row);
        let width = (end * self.scale).round();
        let (label, middle) = (&row.label, y + high / 2 + 4);
        let _ = write!(
            self.svg,
            "<text class=\"n\" x=\"{x}\" y=\"{middle}\" text-anchor=\"end\">{label}</text>\
             <rect class=\"r\" x=\"{LEFT}\" y=\"{y}\" width=\"{width}\" height=\"{high}\"/>",
            x = LEFT - 6
        );
        for (spans, class) in row.spans.iter().zip(if row.is_device { ["a", "b"] } else { ["w", "w"] }) {
            let shape = self.shape(spans, row.lanes, high);
            if !shape.is_empty() {
                let _ = write!(
                    self.svg,
                    "<path class=\"{class}\" transform=\"translate({LEFT} {y})\" d=\"{shape}\"/>"
                );
            }
        }
    }

    /// The share of each column that the spans take, as an outline above the row's lower edge.
    fn shape(&self, spans: &[Range<f64>], lanes: usize, high: usize) -> String {
        let columns = self.columns(spans);
        let full = (self.step * lanes) as f64;
        // What is there at all is seen.
        let tall = |share: &f64| {
            if *share > 0.0 { (share / full * high as f64).round().clamp(1.0, high as f64) } else { 0.0 }
        };
        let mut shape = String::new();
        let mut level = 0.0;
        for (column, tall) in columns.iter().map(tall).chain([0.0]).enumerate() {
            if tall == level {
                continue;
            }
            let (x, y) = (column * self.step, high as f64 - tall);
            let _ = match (level == 0.0, tall == 0.0) {
                (true, _) => write!(shape, "M{x} {high}V{y}"),
                (_, true) => write!(shape, "H{x}V{high}z"),
                _ => write!(shape, "H{x}V{y}"),
            };
            level = tall;
        }
        shape
    }

    /// Pixels of each column that the spans cover.
    fn columns(&self, spans: &[Range<f64>]) -> Vec<f64> {
        let width = WIDTH - LEFT - RIGHT;
        let mut columns = vec![0.0; width.div_ceil(self.step)];
        let last = columns.len() - 1;
        for span in spans {
            let step = self.step as f64;
            let (start, end) = (span.start * self.scale / step, span.end * self.scale / step);
            for (column, covered) in
                columns.iter_mut().enumerate().take((end as usize).min(last) + 1).skip(start as usize)
            {
                let column = column as f64;
                *covered += (end.min(column + 1.0) - start.max(column)).max(0.0) * step;
            }
        }
        columns
    }

    fn axis(&mut self, end: f64, bottom: usize) {
        let every = tick(end);
        let mut second = 0.0;
        while second <= end {
            let x = LEFT as f64 + second * self.scale;
            let _ = write!(
                self.svg,
                "<line class=\"g\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TITLE}\" y2=\"{bottom}\"/>\
                 <text class=\"n\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
                Seconds(second),
                y = bottom + 16
            );
            second += every;
        }
    }
}

/// A round time between two lines of the axis, for about eight of them.
fn tick(end: f64) -> f64 {
    let rough = end / 8.0;
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|tick| *tick >= rough).unwrap_or(rough)
}

/// Seconds in the unit in which they are read best.
struct Seconds(f64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let trimmed = |number: f64, digits: usize| {
            let text = format!("{number:.digits$}");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        };
        match self.0 {
            0.0 => f.write_str("0"),
            time if time < 0.001 => write!(f, "{} µs", trimmed(time * 1e6, 1)),
            time if time < 1.0 => write!(f, "{} ms", trimmed(time * 1e3, 2)),
            time => write!(f, "{} s", trimmed(time, 4 - (time.log10() as usize).min(2))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_they_are_read() {
        let written =
            [144.0, 128.25, 128.0625, 1.5, 0.25, 0.0000021, 0.0].map(|time| Seconds(time).to_string());
        assert_eq!(written, ["144 s", "128.25 s", "128.06 s", "1.5 s", "250 ms", "2.1 µs", "0"]);
    }

    #[test]
    fn the_axis_has_about_eight_round_times() {
        assert_eq!([144.0, 8.0, 0.3].map(tick), [20.0, 1.0, 0.05]);
    }
}
