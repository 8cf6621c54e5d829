
// b_vector: four neighbouring values of b.
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;

fn b_vector(index: u32) -> vec4<f32> {
    return b[index];
}
