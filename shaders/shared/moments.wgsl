
// moments: mean of a row, and what its values are multiplied by to have a variance of one. The variance
// is made of differences from the mean, in a second walk, so that a large mean costs no digits.
override centred: bool = true;

struct Moments {
    mean: f32,
    inverse_std: f32,
}

fn moments(start: u32, lane: u32, local: u32) -> Moments {
    var part = 0.0;
    var mean = 0.0;
    if centred {
        for (var index = lane; index < params.len; index += 4u * lanes) {
            let four = four_of(start, index, params.len);
            part += (four.x + four.y) + (four.z + four.w);
        }
        mean = of_lanes(local, part, SUM) / f32(params.len);
        part = 0.0;
    }
    for (var index = lane; index < params.len; index += 4u * lanes) {
        let there = index + vec4(0u, 1u, 2u, 3u) * lanes < vec4(params.len);
        let differences = select(vec4(0.0), four_of(start, index, params.len) - mean, there);
        part += dot(differences, differences);
    }
    let variance = of_lanes(local, part, SUM) / f32(params.len);
    return Moments(mean, 1.0 / sqrt(variance + params.epsilon));
}
