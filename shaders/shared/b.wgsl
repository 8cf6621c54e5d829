
// b_value: one value of b.
@group(0) @binding(2) var<storage, read> b: array<f32>;

fn b_value(index: u32) -> f32 {
    return b[index];
}
