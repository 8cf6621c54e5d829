
// moments: mean of a row, and what its values are multiplied by to have a variance of one. The variance
// is made of differences from the mean, in a second walk, so that a large mean costs no digits.
struct Moments {
    mean: f32,
    inverse_std: f32,
}

fn moments(start: u32, lane: u32, local: u32) -> Moments {
    var part = 0.0;
    for (var index = lane; index < params.len; index += lanes) {
        part += x[start + index];
    }
    let mean = of_lanes(local, part, SUM) / f32(params.len);
    part = 0.0;
    for (var index = lane; index < params.len; index += lanes) {
        let difference = x[start + index] - mean;
        part += difference * difference;
    }
    let variance = of_lanes(local, part, SUM) / f32(params.len);
    return Moments(mean, 1.0 / sqrt(variance + params.epsilon));
}
