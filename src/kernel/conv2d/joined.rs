//! A convolution that computes what it reads: what one with a channel a group gives, or tensors one after the other.
//!
//! What lies between, which in networks for phones is most of what is moved, is never written. Values are computed again
//! for each tile of outputs, so that it pays where these are few; a trial has to show that it does.

use std::fmt::Write as _;

use super::{Conv2d, is_depthwise, weight_shape};
use crate::kernel::access::{Computed, four_by_one};
use crate::kernel::{Dispatch, Needs, Spec, rounds};

/// Most outputs of the second one: with three tiles of 64 a value is computed three times.
const MOST_OUTPUTS: usize = 192;
/// Most values of the kernel of the first one.
const MOST_TAPS: usize = 25;
/// What the first one's inputs are called.
const NAMES: [&str; 3] = ["window_x", "window_weight", "window_bias"];
/// Tiles, and how many values an invocation reads for one term; those of fewer outputs would compute each too often.
const TILES: [(&str, usize); 3] = [("conv2d_tall", 8), ("conv2d_tiled", 1), ("conv2d_tiled_vec4", 1)];

impl Conv2d {
    /// How one value is computed where it is read: with one channel a group, by a few reads.
    pub(crate) fn computed(&self, inputs: &[&Spec], output: &Spec) -> Option<Computed> {
        let [_, _, height, width] = weight_shape(inputs);
        if !is_depthwise(inputs) || height * width > MOST_TAPS {
            return None;
        }
        // Rows are not written out: some drivers put a function wherever it is called.
        let sources = [1, 4].map(|lanes| self.window_text(inputs, output, lanes));
        Some(Computed { inputs: &NAMES[..inputs.len()], value: "window", sources, rounds: height })
    }

    /// Whether it reads what is computed so seldom that this may pay: no value more than three times.
    pub(crate) fn reads_seldom(&self, inputs: &[&Spec]) -> bool {
        weight_shape(inputs)[0] <= MOST_OUTPUTS && self.is_pointwise(inputs)
    }

    /// Whether there are ways to do it with an input that is computed where it is read.
    pub(crate) fn can_compute(&self, inputs: &[&Spec]) -> bool {
        self.groups == 1 && !is_depthwise(inputs)
    }

    /// These ways, where a value takes loops of so many rounds.
    pub(crate) fn over_computed(
        &self,
        inputs: &[&Spec],
        variants: &[Dispatch],
        computed: &Computed,
    ) -> Vec<Dispatch> {
        let [_, channels, height, width] = weight_shape(inputs);
        let with_more = |tile: &Dispatch| {
            let (_, reads) = TILES.into_iter().find(|(name, _)| *name == tile.kernel)?;
            let terms = channels * height * width;
            let more =
                if computed.rounds == 0 { 0 } else { rounds::nested(&[terms * reads, computed.rounds]) };
            let rounds = rounds::all(&[tile.needs.rounds, more]);
            Some(Dispatch { needs: Needs { rounds, ..tile.needs }, ..tile.clone() })
        };
        variants.iter().filter_map(with_more).collect()
    }

    /// `window(place)`, a value of the output, or `window4(place)`, the four from a multiple of four on.
    fn window_text(&self, inputs: &[&Spec], output: &Spec, lanes: usize) -> String {
        let [outputs, _, height, width] = weight_shape(inputs);
        let (x, of) = (&inputs[0].shape, outputs / self.groups);
        let (out_width, pixels) = (output.shape[2], output.shape[1] * output.shape[2]);
        let bias = if inputs.len() > 2 { " + window_bias(at.output)" } else { "" };
        let mut text = String::new();
        let _ = write!(
            text,
            "
struct Window {{
    output: u32,
    source: u32,
    row: i32,
    column: i32,
}}

fn window_of(place: u32) -> Window {{
    let plane = place / {pixels}u;
    let pixel = place % {pixels}u;
    let source = plane / {of}u * {}u;
    let row = i32(pixel / {out_width}u) * {} - {};
    let column = i32(pixel % {out_width}u) * {} - {};
    return Window(plane % {outputs}u, source, row, column);
}}

fn window_at(start: u32, column: i32) -> f32 {{
    let last = {} - 1;
    return select(0.0, window_x(start + u32(clamp(column, 0, last))), column >= 0 && column <= last);
}}
",
            x[1] * x[2],
            self.stride[0],
            self.pads[0],
            self.stride[1],
            self.pads[1],
            x[2],
        );
        // Four in two rows are four by themselves.
        let beside = out_width.is_multiple_of(lanes);
        let (name, value) = if lanes == 4 && beside { ("window4", "vec4<f32>") } else { ("window", "f32") };
        let _ = write!(
            text,
            "
fn {name}(place: u32) -> {value} {{
    let at = window_of(place);
    var sum = {value}(0.0);
    for (var tap = 0; tap < {height}; tap++) {{
        let row = at.row + tap * {};
        if row >= 0 && row < {} {{
            let start = at.source + u32(row) * {}u;
            let taps = at.output * {}u + u32(tap) * {width}u;
",
            self.dilation[0],
            x[1],
            x[2],
            height * width,
        );
        self.window_row(&mut text, width, if beside { lanes } else { 1 });
        let _ = writeln!(text, "        }}\n    }}\n    return sum{bias};\n}}");
        if !beside {
            text.push_str(&four_by_one("window"));
        }
        text
    }

    /// What one row of the input adds to one value or to four beside each other.
    fn window_row(&self, text: &mut String, width: usize, lanes: usize) {
        let place = |lane: usize, tap: usize| lane * self.stride[1] + tap * self.dilation[1];
        let mut read: Vec<usize> =
            (0..lanes).flat_map(|lane| (0..width).map(move |tap| place(lane, tap))).collect();
        read.sort_unstable();
        read.dedup();
        for at in read {
            let _ = writeln!(text, "            let x{at} = window_at(start, at.column + {at});");
        }
        for tap in 0..width {
            let values: Vec<String> = (0..lanes).map(|lane| format!("x{}", place(lane, tap))).collect();
            let values = if lanes == 1 { values.concat() } else { format!("vec4({})", values.join(", ")) };
            let _ = writeln!(text, "            sum += window_weight(taps + {tap}u) * {values};");
        }
    }
}
