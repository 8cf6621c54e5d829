
// finish: the clip that may follow a convolution; NaN stays NaN.
fn finish(value: f32) -> f32 {
    let keeps = params.clips == 0u || is_nan(value);
    return select(max(min(value, params.high), params.low), value, keeps);
}
