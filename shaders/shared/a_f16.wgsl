
// a_value: one value of a, which is a constant of floats of 16 bits, two a u32.
@group(0) @binding(1) var<storage, read> a: array<u32>;

fn a_value(index: u32) -> f32 {
    return half_of(a[index / 2u], index);
}
