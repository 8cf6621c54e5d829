
// four_of: four values of a row that a lane has, so that its walk has a quarter of the rounds; 0 past the end.
fn four_of(start: u32, first: u32, len: u32) -> vec4<f32> {
    let places = first + vec4(0u, 1u, 2u, 3u) * lanes;
    let at = start + min(places, vec4(len - 1u));
    return select(vec4(0.0), vec4(x(at.x), x(at.y), x(at.z), x(at.w)), places < vec4(len));
}
