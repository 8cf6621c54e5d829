
// converted: a float without its fraction, as so many bits hold it; NONE where 32 bits do not hold it.
fn converted(value: f32, local: u32) -> i32 {
    // By its bits: NaN and infinity are beyond 2^31 too.
    let beyond = (bitcast<u32>(value) & 0x7fffffffu) >= 0x4f000000u;
    return wrapped(select(i32(select(value, 0.0, beyond)), NONE, beyond), params.bits, params.signed == 1u);
}
