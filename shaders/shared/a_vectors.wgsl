
// a_vector: four neighbouring values of a.
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;

fn a_vector(index: u32) -> vec4<f32> {
    return a[index];
}
