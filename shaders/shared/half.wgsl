
// half_of: the even or the odd one of two floats of 16 bits that share a u32; the even one has the lower bits.
fn half_of(pair: u32, index: u32) -> f32 {
    return unpack2x16float(pair >> (index % 2u * 16u)).x;
}
