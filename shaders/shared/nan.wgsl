
// is_nan: by its bits, since a comparison may be compiled as if there were no NaN.
fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}
