//! What stands behind `shaders/attention.wgsl`: how rows of these lengths are read, weighed and written.
//!
//! Written out where an array would be indexed, since a driver that does not unroll a loop keeps it in memory.

use std::fmt::Write as _;

use super::Attention;
use super::shape::Shapes;
use crate::kernel::Spec;
use crate::kernel::params::wgsl;
use crate::kernel::rearrange::View;

pub(super) fn source(shapes: &Shapes, inputs: &[&Spec], kernel: &Attention) -> String {
    let mut source = wgsl!("attention", "shared/linear", "shared/nan", "shared/nan_made").to_owned();
    for (name, index) in [("q", 0), ("k", 1), ("v", 2)] {
        four_of(name, &shapes.views[index], inputs[index], &mut source);
    }
    products(shapes.d, &mut source);
    sums(shapes.e, &mut source);
    let masks =
        if kernel.masked { "vec4(mask(at.x), mask(at.y), mask(at.z), mask(at.w))" } else { "vec4(0.0)" };
    let _ = write!(source, "\nfn masks(at: vec4<u32>) -> vec4<f32> {{\n    return {masks};\n}}\n");
    source.push_str(if kernel.cap == 0.0 { UNCAPPED } else { CAPPED });
    source
}

const UNCAPPED: &str = "\nfn capped(scores: vec4<f32>) -> vec4<f32> {\n    return scores;\n}\n";
const CAPPED: &str = concat!(
    "\nfn capped(scores: vec4<f32>) -> vec4<f32> {\n    \
     return vec4(cap(scores.x), cap(scores.y), cap(scores.z), cap(scores.w));\n}\n\n\
     fn cap(score: f32) -> f32 {\n    \
     return select(params.cap * tangent(score / params.cap), score, is_nan(score));\n}\n",
    wgsl!("shared/exponential")
);

/// `NAME_four(at, column)`: four values of a row from the column on, as one vector where they lie so; and
/// `NAME_rest(at, column)` with 0 behind the end, where rows are no multiples of four.
fn four_of(name: &str, view: &View, spec: &Spec, source: &mut String) {
    let ([.., column], [.., len]) = (&view.strides[..], &view.shape[..]) else { return };
    let others = view.strides[..view.strides.len() - 1].iter().zip(&view.shape);
    let together = *column == 1
        && len.is_multiple_of(4)
        && view.offset.is_multiple_of(4)
        && (spec.len().is_multiple_of(4) || !spec.batched)
        && others.clone().all(|(stride, len)| *len == 1 || stride % 4 == 0);
    let value = |next: usize| format!("{name}(at + (column + {next}u) * params.{name}_lies.z)");
    let read = match together {
        true => format!("{name}4(at + column)"),
        false => format!("vec4({}, {}, {}, {})", value(0), value(1), value(2), value(3)),
    };
    let mut declare = |what: &str, read: &str| {
        let _ = write!(
            source,
            "\nfn {name}_{what}(at: u32, column: u32) -> vec4<f32> {{\n    return {read};\n}}\n"
        );
    };
    declare("four", &read);
    let rest = (0..4).map(|next| if next < len % 4 { value(next) } else { "0.0".into() });
    if len % 4 > 0 {
        declare("rest", &format!("vec4({})", rest.collect::<Vec<_>>().join(", ")));
    }
}

/// What reads the four values from this column on of a row so long.
fn reader(column: usize, len: usize) -> &'static str {
    if column + 4 <= len { "four" } else { "rest" }
}

/// Most terms of which a row of q is kept: more of them are read again for every four keys.
const MOST_KEPT: usize = 128;

/// `keep(q_at)`, and `products_of(q_at, k_at)`: a row of q with rows of k.
fn products(terms: usize, source: &mut String) {
    let dots = |q: &str, what: &str, column: &str| {
        let dot = |part: &str| format!("dot({q}, k_{what}(k_at.{part}, {column}))");
        format!("sums += vec4({}, {}, {}, {});\n", dot("x"), dot("y"), dot("z"), dot("w"))
    };
    let (mut keep, mut add) = (String::new(), String::new());
    let (fours, last) = (terms / 4, format!("{}u", terms / 4 * 4));
    if terms <= MOST_KEPT {
        for number in 0..terms.div_ceil(4) {
            let (what, column) = (reader(number * 4, terms), format!("{}u", number * 4));
            let _ = write!(source, "\nvar<private> row{number}: vec4<f32>;");
            let _ = writeln!(keep, "    row{number} = q_{what}(q_at, {column});");
            let _ = write!(add, "    {}", dots(&format!("row{number}"), what, &column));
        }
    } else {
        let four = dots("q_four(q_at, term * 4u)", "four", "term * 4u");
        let _ = write!(add, "    for (var term = 0u; term < {fours}u; term++) {{\n        {four}    }}\n");
        if !terms.is_multiple_of(4) {
            let _ = write!(add, "    {}", dots(&format!("q_rest(q_at, {last})"), "rest", &last));
        }
    }
    let _ = write!(
        source,
        "\n\nfn keep(q_at: u32) {{\n{keep}}}\n\nfn products_of(q_at: u32, k_at: vec4<u32>) -> vec4<f32> {{\n    \
         var sums = vec4(0.0);\n{add}    return sums;\n}}\n"
    );
}

fn sums(len: usize, source: &mut String) {
    let columns = len.div_ceil(4);
    let line = |source: &mut String, text: &dyn Fn(usize) -> String| {
        (0..columns).for_each(|column| source.push_str(&text(column)));
    };
    line(source, &|column| format!("\nvar<private> sum{column}: vec4<f32>;"));
    source.push_str("\n\nfn add_values(kept: f32, shares: vec4<f32>, at: vec4<u32>, inside: vec4<bool>) {\n");
    line(source, &|column| {
        let four = |part: &str| {
            let (read, column) = (reader(column * 4, len), column * 4);
            format!("select(vec4(0.0), shares.{part} * v_{read}(at.{part}, {column}u), inside.{part})")
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
            if at >= len {
                return String::new();
            }
            format!("    put(at + {at}u, select(sum{column}.{part} * factor, 0.0, zero));\n")
        };
        [put("x", 0), put("y", 1), put("z", 2), put("w", 3)].concat()
    });
    source.push_str("}\n");
}
