
// float_of: the float with these bits; NaN and infinity cannot be written in WGSL.
fn float_of(bits: u32) -> f32 {
    return bitcast<f32>(bits);
}
