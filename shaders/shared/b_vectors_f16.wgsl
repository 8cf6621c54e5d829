
// b_vector: four neighbouring values of b, which are floats of 16 bits, four a vector.
@group(0) @binding(2) var<storage, read> b: array<vec2<u32>>;

fn b_vector(index: u32) -> vec4<f32> {
    let four = b[index];
    return vec4(unpack2x16float(four.x), unpack2x16float(four.y));
}
