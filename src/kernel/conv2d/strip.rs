//! The part of `shaders/depthwise_conv2d_strip.wgsl` that depends on the size of the kernel and the stride.
//!
//! An invocation walks down a strip of eight columns. It keeps the sums of every row of the output that
//! the rows of the input still add to, so that each value of the input is read once a strip: 12 reads for
//! eight outputs of a 5 × 5 kernel with stride 1, in the place of 200. All is written out, since not every
//! driver unrolls loops.

use std::fmt::Write as _;

use crate::kernel::params::wgsl;

/// Columns that one invocation computes.
pub(super) const COLUMNS: usize = 8;
/// Rows that one invocation computes.
pub(super) const ROWS: usize = 14;
/// Largest kernel whose weights and sums fit into registers.
const LARGEST: usize = 7;

/// Whether there is such a shader.
pub(super) fn suits(kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2]) -> bool {
    kernel.iter().all(|size| *size <= LARGEST) && stride.iter().all(|step| *step <= 2) && dilation == [1, 1]
}

/// `fn strip(source, column, first, end)`: rows `first` to `end` of the output, from `column` on.
pub(super) fn function([height, width]: [usize; 2], stride: [usize; 2]) -> String {
    // Rows of the output above the one that a row of the input begins.
    let older = (height - 1) / stride[0];
    let mut text = String::from("\nfn strip(source: u32, column: u32, first: u32, end: u32) {\n");
    weights(&mut text, height * width);
    let _ = writeln!(text, "    let left = i32(column * {}u) - params.pad_left;", stride[1]);
    for age in 0..=older {
        let _ = writeln!(text, "    var a{age} = vec4(0.0);\n    var b{age} = vec4(0.0);");
    }
    let _ = writeln!(text, "    for (var step = 0u; step < end - first + {older}u; step++) {{");
    for age in (1..=older).rev() {
        let _ = writeln!(text, "        a{age} = a{0};\n        b{age} = b{0};", age - 1);
    }
    text.push_str("        a0 = vec4(0.0);\n        b0 = vec4(0.0);\n");
    (0..stride[0]).for_each(|phase| input_row(&mut text, [height, width], stride, phase));
    let _ = writeln!(
        text,
        "        if step >= {older}u {{\n            let y_row = first + step - {older}u;\n            \
         let ends = vec2(end, params.out_width);\n            finish4(y_row, column, ends, a{older});\n            \
         finish4(y_row, column + 4u, ends, b{older});\n        }}\n    }}\n}}"
    );
    text
}

/// `finish4`, and the `finish_at` that it calls: rows whose width is a multiple of four are written in vectors.
pub(super) fn finish(out_width: usize) -> [&'static str; 2] {
    if out_width.is_multiple_of(4) {
        [wgsl!("shared/finish4_vectors"), wgsl!("shared/strip_vectors")]
    } else {
        [wgsl!("shared/finish4"), wgsl!("shared/strip_values")]
    }
}

fn weights(text: &mut String, taps: usize) {
    let _ = writeln!(text, "    let taps = plane * {taps}u;");
    for tap in 0..taps {
        let _ = writeln!(text, "    let w{tap} = weight(taps + {tap}u);");
    }
}

/// What one row of the input, if it is there, adds to the rows of the output that see it.
fn input_row(text: &mut String, [height, width]: [usize; 2], stride: [usize; 2], phase: usize) {
    let _ = writeln!(
        text,
        "        let row{phase} = i32((first + step) * {}u) + {phase} - params.pad_top;\n        \
         if row{phase} >= 0 && row{phase} < i32(params.height) {{\n            \
         let start = source + u32(row{phase}) * params.width;",
        stride[0]
    );
    for place in 0..(COLUMNS - 1) * stride[1] + width {
        let _ = writeln!(text, "            let x{place} = x_at(start, left + {place});");
    }
    for (age, row) in (phase..height).step_by(stride[0]).enumerate() {
        for tap in 0..width {
            let weight = row * width + tap;
            for (sums, first) in [("a", 0), ("b", 4)] {
                let places: Vec<String> =
                    (first..first + 4).map(|column| format!("x{}", column * stride[1] + tap)).collect();
                let _ = writeln!(text, "            {sums}{age} += w{weight} * vec4({});", places.join(", "));
            }
        }
    }
    text.push_str("        }\n");
}
