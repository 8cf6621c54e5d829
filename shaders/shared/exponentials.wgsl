
// exponentials: the largest value of a row, and the sum of exp(x - largest).
struct Exponentials {
    largest: f32,
    sum: f32,
    // A row in which nothing is larger than minus infinity, or something is infinite or NaN, has none.
    is_there: bool,
}

fn exponentials(start: u32, lane: u32, local: u32) -> Exponentials {
    var part = x(start);
    for (var index = lane; index < params.len; index += lanes) {
        part = joined(part, x(start + index * params.inner), LARGEST);
    }
    let largest = of_lanes(local, part, LARGEST);
    part = 0.0;
    for (var index = lane; index < params.len; index += lanes) {
        part += exp(x(start + index * params.inner) - largest);
    }
    let sum = of_lanes(local, part, SUM);
    return Exponentials(largest, sum, !is_nan(largest) && !is_infinite(largest));
}
