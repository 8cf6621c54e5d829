
// sine: sin of an angle with `quarters` quarter turns added to it, since the sin of WGSL may err by 2^-11.
// The angle loses its quarter turns in three parts (Cody and Waite, Software Manual for the Elementary
// Functions, 1980), and the rest of -pi/4 to pi/4 goes into the series (DLMF 4.19.1 and 4.19.2).
fn sine(angle: f32, quarters: u32) -> f32 {
    let turns = round(angle * 0.63661977);
    let rest = ((angle - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.54978995489e-8;
    let s = rest * rest;
    let odd = rest * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0))));
    let even = 1.0 - s / 2.0 * (1.0 - s / 12.0 * (1.0 - s / 30.0 * (1.0 - s / 56.0 * (1.0 - s / 90.0))));
    let quarter = (bitcast<u32>(i32(turns)) + quarters) & 3u;
    let value = select(odd, even, (quarter & 1u) == 1u);
    return select(value, -value, quarter >= 2u);
}
