
// converted: the nearest float. Of fewer bits than 32: NaN where that many do not hold it.
fn converted(value: i32, local: u32) -> f32 {
    let beyond = value == NONE || (params.bits < 32u && abs(value) >= (1 << params.bits));
    return select(f32(value), quiet_nan(local), beyond);
}
