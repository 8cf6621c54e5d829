
// add: of whole numbers (shared/ints.wgsl).
fn add(one: i32, other: i32) -> i32 {
    return sum_of(one, other);
}
