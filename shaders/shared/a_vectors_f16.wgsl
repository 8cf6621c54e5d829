
// a_vector: four neighbouring values of a, which are floats of 16 bits, four a vector.
@group(0) @binding(1) var<storage, read> a: array<vec2<u32>>;

fn a_vector(index: u32) -> vec4<f32> {
    let four = a[index];
    return vec4(unpack2x16float(four.x), unpack2x16float(four.y));
}
