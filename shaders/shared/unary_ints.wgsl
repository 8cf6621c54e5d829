
// function: of a whole number.
fn function(value: i32, local: u32) -> i32 {
    switch op {
        case 0u: { return abs(value); }
        case 12u: { return -value; }
        default: { return select(sign(value), NONE, value == NONE); }
    }
}
