
// function: whether two whole numbers compare so; NaN where one of them is none.
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
