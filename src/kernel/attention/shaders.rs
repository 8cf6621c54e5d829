//! What stands behind `shaders/attention.wgsl`: how rows of these lengths are read, weighed and written.
//!
//! Written out where an array would be indexed, since a driver that does not unroll a loop keeps it in memory.

use std::fmt::Write as _;

use super::shape::Shapes;
use crate::kernel::params::wgsl;
use crate::kernel::rearrange::View;

pub(super) fn source(shapes: &Shapes, masked: bool) -> String {
    let mut source = wgsl!("attention", "shared/linear", "shared/nan", "shared/nan_made").to_owned();
    for (name, index) in [("q", 0), ("k", 1), ("v", 2)] {
        four_of(name, &shapes.views[index], &mut source);
    }
    products(shapes.d / 4, &mut source);
    sums(shapes.e / 4, &mut source);
    let masks = if masked { "vec4(mask(at.x), mask(at.y), mask(at.z), mask(at.w))" } else { "vec4(0.0)" };
    let _ = write!(source, "\nfn masks(at: vec4<u32>) -> vec4<f32> {{\n    return {masks};\n}}\n");
    source
}

/// Four values of a row from the column on, as one vector where they lie so.
fn four_of(name: &str, view: &View, source: &mut String) {
    let [.., column] = view.strides[..] else { return };
    let others = view.strides[..view.strides.len() - 1].iter().zip(&view.shape);
    let together = column == 1
        && view.offset.is_multiple_of(4)
        && others.clone().all(|(stride, len)| *len == 1 || stride % 4 == 0);
    let value = |next: u32| format!("{name}(at + (column + {next}u) * params.{name}_lies.z)");
    let read = match together {
        true => format!("{name}4(at + column)"),
        false => format!("vec4({}, {}, {}, {})", value(0), value(1), value(2), value(3)),
    };
    let _ =
        write!(source, "\nfn {name}_four(at: u32, column: u32) -> vec4<f32> {{\n    return {read};\n}}\n");
}

fn products(terms: usize, source: &mut String) {
    let _ = write!(
        source,
        "\nfn products_of(q_at: u32, k_at: vec4<u32>) -> vec4<f32> {{
    var sums = vec4(0.0);
    for (var term = 0u; term < {terms}u; term++) {{
        let four = q_four(q_at, term * 4u);
        sums += vec4(
            dot(four, k_four(k_at.x, term * 4u)), dot(four, k_four(k_at.y, term * 4u)),
            dot(four, k_four(k_at.z, term * 4u)), dot(four, k_four(k_at.w, term * 4u)),
        );
    }}
    return sums;
}}
"
    );
}

fn sums(columns: usize, source: &mut String) {
    let line = |source: &mut String, text: &dyn Fn(usize) -> String| {
        (0..columns).for_each(|column| source.push_str(&text(column)));
    };
    line(source, &|column| format!("\nvar<private> sum{column}: vec4<f32>;"));
    source.push_str("\n\nfn add_values(kept: f32, shares: vec4<f32>, at: vec4<u32>, inside: vec4<bool>) {\n");
    line(source, &|column| {
        let four = |part: &str| {
            format!("select(vec4(0.0), shares.{part} * v_four(at.{part}, {}u), inside.{part})", column * 4)
        };
        format!(
            "    sum{column} = sum{column} * kept + {} + {} + {} + {};\n",
            four("x"),
            four("y"),
            four("z"),
            four("w")
        )
    });
    source.push_str("}\n\nfn write_sums(at: u32, factor: f32, zero: bool) {\n");
    line(source, &|column| {
        let put = |part: &str, next: usize| {
            let at = column * 4 + next;
            format!("    put(at + {at}u, select(sum{column}.{part} * factor, 0.0, zero));\n")
        };
        [put("x", 0), put("y", 1), put("z", 2), put("w", 3)].concat()
    });
    source.push_str("}\n");
}
