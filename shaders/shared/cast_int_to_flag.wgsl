
// converted: 1 where it is not 0.
fn converted(value: i32, local: u32) -> f32 {
    return select(select(0.0, 1.0, value != 0), quiet_nan(local), value == NONE);
}
