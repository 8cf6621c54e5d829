
// rounded_to_f16, rounded_to_bf16: the nearest value of fewer bits, of two as near the even one.

// By its bits; see `rounded_to_f16` of src/kernel/half.rs.
fn rounded_to_f16(value: f32) -> f32 {
    let bits = bitcast<u32>(value);
    let size = bits & 0x7fffffffu;
    var rounded = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;
    if size < 0x38800000u {
        rounded = bitcast<u32>(round(bitcast<f32>(size) * 16777216.0) / 16777216.0);
    }
    if size >= 0x477ff000u {
        rounded = 0x7f800000u;
    }
    return bitcast<f32>((bits & 0x80000000u) | rounded);
}

fn rounded_to_bf16(value: f32) -> f32 {
    let bits = bitcast<u32>(value);
    return bitcast<f32>((bits + 0x7fffu + ((bits >> 16u) & 1u)) & 0xffff0000u);
}
