
// function: whether two whole numbers compare so; NaN where one of them is none.
// The numbers are places in the list of `BinaryOp` (src/kernel/binary/op.rs).
override op: u32;

fn function(first: i32, second: i32, local: u32) -> f32 {
    let none = first == NONE || second == NONE;
    return select(select(0.0, 1.0, holds(first, second)), quiet_nan(local), none);
}

fn holds(first: i32, second: i32) -> bool {
    switch op {
        case 11u: { return first > second; }
        case 12u: { return first >= second; }
        case 13u: { return first < second; }
        case 14u: { return first <= second; }
        default: { return first == second; }
    }
}
