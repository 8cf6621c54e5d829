
// weight_vector: four neighbouring values of the weights, which are floats of 16 bits, four a vector.
@group(0) @binding(2) var<storage, read> weight: array<vec2<u32>>;

fn weight_vector(index: u32) -> vec4<f32> {
    let four = weight[index];
    return vec4(unpack2x16float(four.x), unpack2x16float(four.y));
}
