
// function: of a whole number, by numbers of `UnaryOp::number_of_ints` (src/kernel/unary/op.rs).
override op: u32;

fn function(value: i32, local: u32) -> i32 {
    switch op {
        case 0u: { return abs(value); }
        case 1u: { return -value; }
        default: { return select(sign(value), NONE, value == NONE); }
    }
}
