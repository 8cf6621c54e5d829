
// weight_at: one value of the weights, which are floats of 16 bits, two a u32.
@group(0) @binding(2) var<storage, read> weight: array<u32>;

fn weight_at(index: u32) -> f32 {
    return half_of(weight[index / 2u], index);
}
