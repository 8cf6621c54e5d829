
// weight_vector: four neighbouring values of the weights.
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;

fn weight_vector(index: u32) -> vec4<f32> {
    return weight[index];
}
