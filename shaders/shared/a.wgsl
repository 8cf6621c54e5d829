
// a_value: one value of a.
@group(0) @binding(1) var<storage, read> a: array<f32>;

fn a_value(index: u32) -> f32 {
    return a[index];
}
