
// quiet_nan: NaN by its bits, as a number that the compiler cannot see; `any` is known at run time only.
fn quiet_nan(any: u32) -> f32 {
    return bitcast<f32>(0x7fc00000u | (any & 0xffffu));
}

fn is_infinite(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) == 0x7f800000u;
}
