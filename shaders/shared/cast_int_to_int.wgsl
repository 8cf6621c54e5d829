
// converted: a whole number as so many bits hold it.
fn converted(value: i32, local: u32) -> i32 {
    return wrapped(value, params.bits, params.signed == 1u);
}
