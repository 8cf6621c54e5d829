
// add: of floats.
fn add(one: f32, other: f32) -> f32 {
    return one + other;
}
