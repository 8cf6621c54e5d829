
// b_value: one value of b, which is a constant of floats of 16 bits, two a u32.
@group(0) @binding(2) var<storage, read> b: array<u32>;

fn b_value(index: u32) -> f32 {
    return half_of(b[index / 2u], index);
}
