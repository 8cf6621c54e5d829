
// again: a value that a function was given before, as one that the compiler does not know, so that what comes of both
// is computed: value - value is 0 to a compiler, and NaN for infinity. Places are below 2^31.
fn again(value: f32, place: u32) -> f32 {
    return bitcast<f32>(bitcast<u32>(value) | (place >> 31u));
}
