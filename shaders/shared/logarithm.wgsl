
// logarithm: of a value that is not below 0. The log of WGSL may be any number at 0, and `any` is known at run time only.
fn logarithm(value: f32, any: u32) -> f32 {
    return select(log(value), bitcast<f32>(0xff800000u | (any & 0u)), value == 0.0);
}
